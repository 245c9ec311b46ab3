//! Where the inbox ends: what the import has to find.

use crate::inbox::segment::Lane;

/// Where a lane ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The number after its last durable record.
    pub seq: u64,
    /// First number of its chain, if that was begun without the vault.
    pub restarted_at: Option<u64>,
}

/// Where both lanes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Of the values.
    pub values: End,
    /// Of the waveforms.
    pub waves: End,
}

impl Ends {
    /// Of one lane.
    pub fn of(self, lane: Lane) -> End {
        match lane {
            Lane::Values => self.values,
            Lane::Waves => self.waves,
        }
    }
}
