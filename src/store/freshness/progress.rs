//! How far the pages of a vault were compared with their table, from one unlock to the next.
//!
//! Between two unlocks nobody has the database open. So what was compared stays compared while the file is the
//! one that the lock has left, unchanged, and the head beside it has the same number; then an unlock goes on
//! where the one before has stopped. Anything else begins anew, as every start of the program does.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

use wardkeep_model::keeping::StoreFault;

/// How far the pages of a closed vault were compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    file: Facts,
    /// Of the last head.
    generation: u64,
    pages: u32,
}

/// What changes with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    file: (u64, u64),
    len: u64,
    /// When its content and when anything of it was changed, in seconds and nanoseconds.
    changed: [(i64, i64); 2],
}

impl Facts {
    fn of(file: &File) -> Result<Self, StoreFault> {
        let facts = file.metadata()?;
        Ok(Self {
            file: (facts.dev(), facts.ino()),
            len: facts.len(),
            changed: [(facts.mtime(), facts.mtime_nsec()), (facts.ctime(), facts.ctime_nsec())],
        })
    }
}

impl Comparison {
    /// So many pages of this file, under the head of this generation.
    ///
    /// # Errors
    /// As reading a file's facts.
    pub(super) fn of(file: &File, generation: u64, pages: u32) -> Result<Self, StoreFault> {
        Ok(Self { file: Facts::of(file)?, generation, pages })
    }

    /// How many pages need not be compared again.
    ///
    /// # Errors
    /// As reading a file's facts.
    pub(super) fn pages_if(&self, file: &File, generation: u64) -> Result<u32, StoreFault> {
        let is_as_left = self.generation == generation && self.file == Facts::of(file)?;
        Ok(if is_as_left { self.pages } else { 0 })
    }
}
