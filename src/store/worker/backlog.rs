//! What waits in memory: entries for the vault, or for a store that is not ready.
//!
//! S-11: it has a bound, and what does not fit is counted.

use crate::open::opened::Open;
use crate::record::entry::Entry;
use crate::vault::{audit, entries};
use wardkeep_model::keeping::StoreFault;

/// Records that make one transaction.
pub(super) const BATCH_MAX: usize = 256;
/// Records kept in memory while they cannot be written.
const WAITING_MAX: usize = 4096;

/// Entries that wait, and how many were lost since that was told.
#[derive(Default)]
pub struct Backlog {
    waiting: Vec<Entry>,
    lost: u64,
}

impl Backlog {
    /// Takes an entry, or counts it as lost. Whether a flush is worth while, or has to make room.
    pub fn push(&mut self, entry: Entry) -> bool {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push(entry);
            self.waiting.len() >= BATCH_MAX
        } else {
            self.lost += 1;
            true
        }
    }

    /// Keeps everything that waits in the open vault.
    ///
    /// # Errors
    /// As writing the vault; what waits still does.
    pub fn write(&mut self, open: &mut Open) -> Result<(), StoreFault> {
        let (vault, keys, _) = open.parts();
        if !self.waiting.is_empty() {
            self.lost += entries::append(vault, &self.waiting)?;
            self.waiting.clear();
            audit::seal_if_due(vault, keys)?;
        }
        Ok(vault.acknowledge()?)
    }

    /// Gives everything that waits to whoever keeps it elsewhere.
    pub fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.waiting)
    }

    /// Half of the room or more is taken, and another batch of it just now.
    pub fn is_filling(&self) -> bool {
        self.waiting.len() >= WAITING_MAX / 2 && self.waiting.len().is_multiple_of(BATCH_MAX)
    }

    /// How many wait.
    pub fn waiting(&self) -> u64 {
        u64::try_from(self.waiting.len()).unwrap_or(u64::MAX)
    }

    /// Counts an entry that could not be kept elsewhere.
    pub fn lose(&mut self) {
        self.lost += 1;
    }

    /// How many were lost since this was asked last; `None` if none was.
    pub(super) fn take_lost(&mut self) -> Option<u64> {
        (self.lost > 0).then(|| std::mem::take(&mut self.lost))
    }
}
