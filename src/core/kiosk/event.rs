//! What happens to the program.

use wardkeep_model::keeping::Outcome;
use wardkeep_model::ports;

use crate::kiosk::intent::Intent;

/// Everything that can happen to the program.
#[derive(Clone, Debug)]
pub enum Event {
    /// A driver saw something.
    Hardware(ports::Event),
    /// The store answered.
    Store(Outcome),
    /// A person did something on the screen.
    Intent(Intent),
    /// The shell could not hand this many records to the store (S-11).
    RecordsLost(u64),
    /// Time passed.
    Tick,
}
