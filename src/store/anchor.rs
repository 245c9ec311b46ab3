//! A counter outside the disk: what tells a whole store that was put back from the latest one.
//!
//! The cart compartment remembers which count it was written at. A counter that is ahead of it by more
//! than the one step of an interrupted write has seen a later store (S-5, S-8). Non-volatile memory
//! wears out, so the counter moves at lock, unlock, shutdown and every ten minutes, never per record.

use std::fmt;

use super::StoreFault;

/// A counter that only ever goes up and that no copy of the disk brings back.
pub trait Anchor: fmt::Debug + Send {
    /// The present count; `None` where there is no such counter.
    ///
    /// # Errors
    /// `Io` if there is one and it did not answer.
    fn read(&mut self) -> Result<Option<u64>, StoreFault>;

    /// Moves the counter up by one; the new count.
    ///
    /// # Errors
    /// As [`Anchor::read`].
    fn advance(&mut self) -> Result<Option<u64>, StoreFault>;
}

/// No counter: a whole store that is put back goes unnoticed, and the doctor says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAnchor;

impl Anchor for NoAnchor {
    fn read(&mut self) -> Result<Option<u64>, StoreFault> {
        Ok(None)
    }

    fn advance(&mut self) -> Result<Option<u64>, StoreFault> {
        Ok(None)
    }
}
