//! Counters outside the disk: what tells a whole store that was put back from the latest one.
//!
//! The cart compartment remembers which count it was written at. A counter that is ahead of it by more
//! than the one step of an interrupted write has seen a later store (S-5, S-8). When it moves is said in
//! [`crate::open::anchoring`].

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::machine::tpm::{DEVICE, Stream, TpmCounter, TpmFault, Transport};
use wardkeep_model::keeping::StoreFault;

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

    /// The count from which a store begins that remembers none yet.
    ///
    /// # Errors
    /// As [`Anchor::read`].
    fn begin(&mut self) -> Result<Option<u64>, StoreFault> {
        self.advance()
    }
}

/// What is asked outside the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// This machine's security chip.
    Chip,
    /// A file that somebody else keeps.
    Witness,
}

/// A counter that several may hold: the store that runs, and one that is opened again.
#[derive(Clone, Debug)]
pub struct SharedAnchor(Arc<Mutex<Box<dyn Anchor>>>);

impl SharedAnchor {
    /// This counter.
    pub fn new(anchor: Box<dyn Anchor>) -> Self {
        Self(Arc::new(Mutex::new(anchor)))
    }

    /// The counter, for one use.
    pub fn hold(&self) -> MutexGuard<'_, Box<dyn Anchor>> {
        // A panic between two calls leaves a counter that is asked again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

/// A counter in this machine's TPM.
#[derive(Debug)]
pub struct TpmAnchor<T>(TpmCounter<T>);

impl<T: Transport + fmt::Debug + Send> TpmAnchor<T> {
    /// Anchors a store in this counter.
    pub fn new(counter: TpmCounter<T>) -> Self {
        Self(counter)
    }
}

impl<T: Transport + fmt::Debug + Send> Anchor for TpmAnchor<T> {
    fn read(&mut self) -> Result<Option<u64>, StoreFault> {
        // A counter that was never moved has seen no store: it stands at zero.
        Ok(Some(self.0.read().map_err(silent)?.unwrap_or(0)))
    }

    fn advance(&mut self) -> Result<Option<u64>, StoreFault> {
        self.0.advance().map(Some).map_err(silent)
    }

    fn begin(&mut self) -> Result<Option<u64>, StoreFault> {
        self.0.make().map_err(silent)?;
        self.advance()
    }
}

fn silent(fault: TpmFault) -> StoreFault {
    tracing::warn!(%fault, "the counter outside the disk did not answer");
    StoreFault::Io
}

/// The TPM's counter where this machine has a TPM that this user may use, else none.
pub fn of_this_machine() -> Box<dyn Anchor> {
    match TpmCounter::<Stream<std::fs::File>>::open(Path::new(DEVICE)) {
        Ok(counter) => Box::new(TpmAnchor::new(counter)),
        Err(error) => {
            tracing::info!(kind = ?error.kind(), "there is no counter outside the disk");
            Box::new(NoAnchor)
        }
    }
}
