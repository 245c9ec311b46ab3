//! Anchoring the store outside the disk, so that a whole store that is put back is told from the latest one.
//!
//! | what | when the counter moves | what can be put back unseen |
//! |---|---|---|
//! | a try of a PIN (S-5) | before the PIN is tested | none |
//! | a change of keys | before it is answered | none that was answered |
//! | records (S-8) | start, lock, unlock, shutdown, and every [`ANCHOR_EVERY`] in which something was recorded | those of a minute |
//!
//! The cart compartment notes the next count before the counter moves to it: a kill in between leaves the counter
//! one behind, which is forgiven. A counter that is ahead has seen a later store: that one is **suspected**,
//! and nobody logs in until IT has accepted it with the recovery words; monitoring and recording go
//! on. One that is behind was cleared or exchanged, which is the same. One that was used and does not answer is
//! asked again every ten seconds and never moved before it was compared; meanwhile no PIN of a badge is tested,
//! because its tries could not be counted where nobody can put them back.
//!
//! Non-volatile memory wears out. Round the clock a minute is 526,000 moves a year; they are spread over
//! [`crate::machine::tpm::BANK`] counters.

use std::path::Path;
use std::time::Duration;

use crate::cart::Cart;
use crate::crypto::Key;
use crate::machine::anchor::{Outside, SharedAnchor};
use crate::machine::witness::WitnessFile;
use wardkeep_model::keeping::{Finding, FindingKind};
use wardkeep_model::moment::BootTime;

/// Between two moves while something is recorded.
const ANCHOR_EVERY: Duration = Duration::from_secs(60);
/// A counter that did not answer is asked again after this.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// One counter, and what is known of it.
struct Counter {
    outside: Outside,
    anchor: SharedAnchor,
    /// The store was compared with it. Before that it is never moved: it would accept whatever lies there.
    compared: bool,
    /// It was told that it is silent.
    told: bool,
    /// Where it stands.
    count: Option<u64>,
}

/// What is asked outside the disk, and what it has said.
pub struct Anchoring {
    counters: Vec<Counter>,
    due: BootTime,
    /// How often what was seen of the parts had been written down at the last move.
    noted: u64,
}

impl Anchoring {
    /// Nothing was asked yet.
    pub fn new(chip: SharedAnchor, witness: Option<(&Path, Key, [u8; 16])>) -> Self {
        let witness = witness.map(|(path, key, device)| {
            let file = WitnessFile::of(path, key, device);
            (Outside::Witness, SharedAnchor::new(Box::new(file)))
        });
        let counter = |(outside, anchor)| Counter {
            outside,
            anchor,
            compared: false,
            told: false,
            count: None,
        };
        let counters = [(Outside::Chip, chip)].into_iter().chain(witness).map(counter).collect();
        Self { counters, due: BootTime::default(), noted: 0 }
    }

    /// Whether it is time to move the counters because so much was noted, or to ask one once more.
    pub fn is_due(&self, now: BootTime, noted: u64) -> bool {
        let waits = self.counters.iter().any(|counter| !counter.compared);
        now >= self.due && (waits || noted != self.noted)
    }

    /// Whether a counter that this store was anchored in does not answer.
    pub fn is_silent(&self, cart: &Cart) -> bool {
        let silent =
            |counter: &Counter| counter.count.is_none() && cart.outside(counter.outside).is_some();
        self.counters.iter().any(silent)
    }

    /// Compares the store with the counters that it was not compared with yet; what is wrong.
    pub fn compare(&mut self, cart: &Cart, now: BootTime) -> Vec<Finding> {
        self.due = now + ANCHOR_EVERY;
        let mut findings = Vec::new();
        for counter in self.counters.iter_mut().filter(|counter| !counter.compared) {
            let count = counter.anchor.hold().read().ok().flatten();
            match (cart.outside(counter.outside), count) {
                (None, count) => (counter.compared, counter.count) = (true, count),
                (Some(remembered), Some(count)) => {
                    (counter.compared, counter.count) = (true, Some(count));
                    findings.extend(judge(remembered, count));
                }
                (Some(remembered), None) => {
                    self.due = now + ASK_AGAIN;
                    if !std::mem::replace(&mut counter.told, true) {
                        let silent = Finding::of(FindingKind::AnchorSilent, 1);
                        findings.push(Finding { expected: Some(remembered), ..silent });
                    }
                }
            }
        }
        findings
    }

    /// Begins with counters that this store was not anchored in before: one that is made now begins where it
    /// wants, so it is moved first and noted after.
    pub fn begin(&mut self, cart: &mut Cart) {
        for counter in self.counters.iter_mut().filter(|counter| counter.compared) {
            if cart.outside(counter.outside).is_none() {
                counter.count = counter.anchor.hold().begin().ok().flatten();
                *cart.outside_mut(counter.outside) = counter.count;
            }
        }
    }

    /// Notes the counts that the counters will be at, in a cart compartment that is then to be saved. False if
    /// there is none to move.
    pub fn note(&self, cart: &mut Cart) -> bool {
        let mut any = false;
        for counter in self.counters.iter().filter(|counter| counter.compared) {
            if let Some(count) = counter.count {
                *cart.outside_mut(counter.outside) = Some(count + 1);
                any = true;
            }
        }
        any
    }

    /// Moves the counters to what was noted and saved. False if one that the store is anchored in did not move.
    pub fn advance(&mut self, cart: &Cart, noted: u64) -> bool {
        let mut all = true;
        for counter in &mut self.counters {
            let used = cart.outside(counter.outside).is_some();
            if !counter.compared || counter.count.is_none() {
                all &= !used;
                continue;
            }
            match counter.anchor.hold().advance() {
                Ok(Some(count)) => counter.count = Some(count),
                Ok(None) | Err(_) => {
                    // Whether it moved is known by reading it, and until then it is silent.
                    (counter.compared, counter.count) = (false, None);
                    self.due = BootTime::default();
                    all &= !used;
                }
            }
        }
        self.noted = noted;
        all
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
