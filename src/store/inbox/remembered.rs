//! What inbox and vault remember of each other, so that one of them put back alone is seen by the other.

use serde::{Deserialize, Serialize};

/// Segments that are imported in one transaction, at most.
pub const TOGETHER: usize = 4;

/// How far the inbox was imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Number of the value or audit entry that comes next.
    pub next_seq: u64,
    /// Number of the waveform that comes next.
    pub next_wave: u64,
    /// Waveforms below this number that are not there were given up for room.
    pub waves_given_up: u64,
    /// When the last value was recorded, in microseconds of wall time; zero before the first.
    pub at: i64,
    /// Fingerprints of the segments that were imported last, whose deletion a kill may have prevented; zero where
    /// there are fewer.
    pub last_segments: [u64; TOGETHER],
}

/// What another file remembers of the vault when it was closed, so that a whole vault put back with its
/// head is seen by whatever was not put back with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedVault {
    /// Number of the last commit.
    pub seq: u64,
    /// Rows that were ever inserted.
    pub rows: u64,
    /// How often its head was written.
    pub generation: u64,
}

impl RememberedVault {
    /// The later of two memories of one vault.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        Self {
            seq: self.seq.max(other.seq),
            rows: self.rows.max(other.rows),
            generation: self.generation.max(other.generation),
        }
    }
}
