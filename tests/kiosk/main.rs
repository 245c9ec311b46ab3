//! The core as a whole, with a settable clock and everything around it in memory.

mod bedside;
mod cards;
mod emergency;
mod fingers;
mod flow;
mod login;
mod memory;
mod properties;
mod roles;
mod table;
