//! What a log is made of, one part at a time, wherever it lies: in a file, or in the vault's tables.

use crate::log::checkpoint::{Note, NoteError, VerifierKey};

/// What stands before the entries.
pub struct Head {
    /// Which log.
    pub origin: String,
    /// Every key that signed, the first one first.
    pub keys: Vec<VerifierKey>,
    /// How many entries and how many checkpoints there should be; `None` where nobody said.
    pub stated: Option<(u64, u64)>,
}

/// One entry.
#[derive(Clone, Copy)]
pub struct LogRow<'a> {
    /// Its hash as it is written beside it; `None` where there is none to compare with.
    pub hash: Option<&'a [u8]>,
    /// Its line; `None` for one that is longer than any.
    pub line: Option<&'a [u8]>,
}

/// Entries and checkpoints, each by itself and in their order, so that nobody has to hold them.
pub trait Parts {
    /// Why they cannot be read.
    type Error;

    /// The next entry.
    fn row(&mut self) -> Result<Option<LogRow<'_>>, Self::Error>;

    /// The next checkpoint.
    fn note(&mut self) -> Result<Option<Result<Note, NoteError>>, Self::Error>;

    /// To be asked when both have ended: nothing is missing at the end, and nothing else stands where
    /// nothing should.
    fn is_whole(&self) -> bool;
}
