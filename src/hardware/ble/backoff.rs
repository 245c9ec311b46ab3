//! Waits between tries: doubling from the first to the longest, back to the first after success.

use std::time::Duration;

use crate::ble::timing::Timing;

/// The next wait of one thing that is tried again and again.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// For what is tried as soon as it may work.
    pub(super) fn new(timing: &Timing) -> Self {
        Self::between(timing.retry_first, timing.retry_max)
    }

    /// With waits from the first to the longest.
    pub(super) fn between(first: Duration, longest: Duration) -> Self {
        Self { next: first, first, longest }
    }

    /// Returns how long to wait before the next try.
    pub(super) fn failed(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.longest);
        wait
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
        let waits: Vec<u128> = (0..5).map(|_| backoff.failed().as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 4000]);
        backoff.worked();
        assert_eq!(backoff.failed().as_millis(), 500);
    }
}
