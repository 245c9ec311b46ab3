//! Anchoring the store outside the disk: at lock, unlock, shutdown and every ten minutes.
//!
//! Non-volatile memory wears out, so the counter never moves per record ([`crate::machine::anchor`]).

use std::time::Duration;

use crate::machine::anchor::Anchor;
use crate::open::locked::Locked;
use wardkeep_model::keeping::{Finding, FindingKind, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

const ANCHOR_EVERY: Duration = Duration::from_secs(10 * 60);

/// When the store was last anchored.
#[derive(Debug, Default)]
pub struct Anchoring {
    last: Option<BootTime>,
}

impl Anchoring {
    /// Compares a store that was just opened with the counter. What is wrong is to be reported, and the
    /// store then goes on from the present count.
    pub fn check(counter: &mut dyn Anchor, locked: &mut Locked) -> Option<Finding> {
        let remembered = locked.cart().anchored?;
        let Ok(Some(counter)) = counter.read() else { return None };
        let finding = judge(remembered, counter)?;
        locked.cart_mut().anchored = None;
        Some(finding)
    }

    /// Whether ten minutes went by.
    pub fn is_due(&self, now: BootTime) -> bool {
        self.last.is_none_or(|last| now.since(last) >= ANCHOR_EVERY)
    }

    /// Moves the counter to a count that the cart compartment knows.
    pub fn anchor(&mut self, counter: &mut dyn Anchor, locked: Option<&mut Locked>) {
        self.last = Some(Moment::read().boot);
        let Some(locked) = locked else { return };
        if let Err(fault) = advance(counter, locked) {
            // The old count stands, and a later try moves it.
            tracing::warn!(%fault, "the store could not be anchored outside the disk");
        }
    }
}

fn advance(anchor: &mut dyn Anchor, locked: &mut Locked) -> Result<(), StoreFault> {
    let Some(counter) = anchor.read()? else { return Ok(()) };
    if locked.cart().anchored.is_some() {
        locked.cart_mut().anchored = Some(counter + 1);
        locked.save_cart()?;
        anchor.advance()?;
        return Ok(());
    }
    // A counter that is made now begins where its TPM wants, so it is moved first and noted after.
    locked.cart_mut().anchored = anchor.advance()?;
    locked.save_cart()
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
