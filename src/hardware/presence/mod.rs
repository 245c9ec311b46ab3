//! What lies in a reader: badges in a field, cards in a slot. Pure.

pub mod badges;
pub mod cards;
