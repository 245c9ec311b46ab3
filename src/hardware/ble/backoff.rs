//! Waits between tries: doubling from the first to the longest, back to the first after success.
//!
//! Each wait is a little longer than that, by chance: what broke at one time for many is not tried again by
//! all at one time.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::ble::timing::Timing;

/// A wait is prolonged by up to this part of it.
const JITTER: u32 = 4;

/// The next wait of one thing that is tried again and again.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    first: Duration,
    longest: Duration,
    chance: RandomState,
    tries: u64,
}

impl Backoff {
    /// For what is tried as soon as it may work.
    pub(super) fn new(timing: &Timing) -> Self {
        Self::between(timing.retry_first, timing.retry_max)
    }

    /// With waits from the first to the longest.
    pub(super) fn between(first: Duration, longest: Duration) -> Self {
        Self { next: first, first, longest, chance: RandomState::new(), tries: 0 }
    }

    /// Returns how long to wait before the next try.
    pub(super) fn failed(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.longest);
        self.tries = self.tries.wrapping_add(1);
        let [chance, ..] = self.chance.hash_one(self.tries).to_le_bytes();
        wait.saturating_add(wait / JITTER * u32::from(chance) / u32::from(u8::MAX))
    }

    /// The thing worked: the next failure waits shortly again.
    pub(super) fn worked(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_the_longest_and_starts_over_after_success() {
        let mut backoff = Backoff::new(&Timing::default());
        for least in [500, 1000, 2000, 4000, 4000] {
            let wait = backoff.failed().as_millis();
            assert!((least..=least + least / 4).contains(&wait), "{wait} of {least}");
        }
        backoff.worked();
        assert!(backoff.failed().as_millis() <= 625);
    }

    #[test]
    fn what_broke_together_is_not_tried_again_together() {
        let mut together = [(); 8].map(|()| Backoff::new(&Timing::default()));
        let mut waits: Vec<Duration> = together.iter_mut().map(Backoff::failed).collect();
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 1, "{waits:?}");
    }
}
