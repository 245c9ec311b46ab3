//! A counter outside the disk: what tells a whole store that was put back from the latest one.
//!
//! The cart compartment remembers which count it was written at. A counter that is ahead of it by more
//! than the one step of an interrupted write has seen a later store (S-5, S-8). Non-volatile memory
//! wears out, so the counter moves at lock, unlock, shutdown and every ten minutes, never per record.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::machine::tpm::{DEVICE, Stream, TpmCounter, TpmFault, Transport};
use crate::worker::{Phase, Worker};
use wardkeep_model::keeping::{Finding, FindingKind, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

const ANCHOR_EVERY: Duration = Duration::from_secs(10 * 60);

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

/// What a counter says of a store that was last written at the count `remembered`.
///
/// The store writes the next count down first and moves the counter after: a kill in between leaves
/// the counter one behind.
fn judge(remembered: u64, counter: u64) -> Option<Finding> {
    let (kind, found, expected) = if counter > remembered {
        (FindingKind::StoreOlder, remembered, counter)
    } else if counter.saturating_add(1) < remembered {
        (FindingKind::AnchorReset, counter, remembered)
    } else {
        return None;
    };
    Some(Finding { found: Some(found), expected: Some(expected), ..Finding::of(kind, 1) })
}

impl Worker {
    /// Compares the store that was just opened with the counter, reports what is wrong, and goes on
    /// from the present count.
    pub(crate) fn check_anchor(&mut self) {
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(remembered) = store.cart.anchored else { return };
        let Ok(Some(counter)) = self.options.anchor.read() else { return };
        if let Some(finding) = judge(remembered, counter) {
            store.cart.anchored = None;
            self.report(vec![finding]);
            self.anchor();
        }
    }

    /// Anchors every ten minutes in which something was recorded.
    pub(crate) fn anchor_if_due(&mut self, now: BootTime) {
        if self.anchored.is_none_or(|last| now.since(last) >= ANCHOR_EVERY) {
            self.anchor();
        }
    }

    /// Moves the counter to a count that the cart compartment knows.
    pub(crate) fn anchor(&mut self) {
        self.anchored = Some(Moment::read().boot);
        if let Err(fault) = self.try_anchor() {
            // The old count stands, and a later try moves it.
            tracing::warn!(%fault, "the store could not be anchored outside the disk");
        }
    }

    fn try_anchor(&mut self) -> Result<(), StoreFault> {
        let Phase::Ready(store) = &mut self.phase else { return Ok(()) };
        let anchor = &mut self.options.anchor;
        let Some(counter) = anchor.read()? else { return Ok(()) };
        if store.cart.anchored.is_some() {
            store.cart.anchored = Some(counter + 1);
            store.save_cart()?;
            anchor.advance()?;
            return Ok(());
        }
        // A counter that is made now begins where its TPM wants, so it is moved first and noted after.
        store.cart.anchored = anchor.advance()?;
        store.save_cart()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s8_only_a_kill_between_note_and_move_is_forgiven() {
        assert_eq!(judge(7, 7), None);
        assert_eq!(judge(7, 6), None);
        let seen = |finding: Option<Finding>| finding.map(|it| (it.kind, it.found, it.expected));
        let older = (FindingKind::StoreOlder, Some(7), Some(8));
        assert_eq!(seen(judge(7, 8)), Some(older));
        let reset = (FindingKind::AnchorReset, Some(5), Some(7));
        assert_eq!(seen(judge(7, 5)), Some(reset));
    }
}
