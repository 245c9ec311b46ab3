//! Anchoring the store outside the disk: at start, lock, unlock, shutdown and every ten minutes.
//!
//! Non-volatile memory wears out, so the counter never moves per record ([`crate::machine::anchor`]).

use std::time::Duration;

use crate::machine::anchor::Anchor;
use crate::open::locked::Locked;
use wardkeep_model::keeping::{Finding, FindingKind, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

const ANCHOR_EVERY: Duration = Duration::from_secs(10 * 60);
/// A counter that did not answer is asked again after this.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// When the store was last anchored, and whether the counter has said that it is the latest.
#[derive(Debug, Default)]
pub struct Anchoring {
    due: Option<BootTime>,
    /// The store that is open was compared with the counter. Before that it is never moved: it would accept
    /// whatever lies there.
    compared: bool,
    /// It was told that the counter is silent.
    told: bool,
}

impl Anchoring {
    /// Another store was taken up: it has not been compared yet.
    pub fn begin(&mut self) {
        *self = Self { told: self.told, ..Self::default() };
    }

    /// Whether it is time to move the counter, or to ask it once more.
    pub fn is_due(&self, now: BootTime) -> bool {
        self.due.is_none_or(|due| now >= due)
    }

    /// Compares the store with the counter, unless that was done, and moves the counter to a count that the
    /// cart compartment knows. What is wrong is to be reported; the store then goes on from the present count.
    pub fn anchor(
        &mut self,
        counter: &mut dyn Anchor,
        locked: Option<&mut Locked>,
    ) -> Option<Finding> {
        let now = Moment::read().boot;
        self.due = Some(now + ANCHOR_EVERY);
        let locked = locked?;
        let found = match self.compare(counter, locked) {
            Ok(found) => found,
            Err(silent) => {
                self.due = Some(now + ASK_AGAIN);
                return silent.filter(|_| !std::mem::replace(&mut self.told, true));
            }
        };
        if let Err(fault) = advance(counter, locked) {
            // The old count stands, and a later try moves it.
            tracing::warn!(%fault, "the store could not be anchored outside the disk");
        }
        found
    }

    /// What the counter says of this store; an error while it says nothing, with a finding where the store was
    /// anchored in it before.
    fn compare(
        &mut self,
        counter: &mut dyn Anchor,
        locked: &mut Locked,
    ) -> Result<Option<Finding>, Option<Finding>> {
        let remembered = locked.cart().anchored;
        if self.compared {
            return Ok(None);
        }
        let Some(remembered) = remembered else {
            self.compared = true;
            return Ok(None);
        };
        let count = counter.read().ok().flatten();
        let Some(count) = count else {
            let silent = Finding::of(FindingKind::AnchorSilent, 1);
            return Err(Some(Finding { expected: Some(remembered), ..silent }));
        };
        self.compared = true;
        let found = judge(remembered, count);
        if found.is_some() {
            locked.cart_mut().anchored = None;
        }
        Ok(found)
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
