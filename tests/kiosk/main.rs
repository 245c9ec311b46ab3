//! The core as a whole, with a settable clock and everything around it in memory.

mod bedside;
mod flow;
mod memory;
mod properties;
mod table;
