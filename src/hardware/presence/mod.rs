//! What lies in a reader: badges in a field, cards in a slot. Pure.

pub(crate) mod badges;
pub(crate) mod cards;
