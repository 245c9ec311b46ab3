//! PIN tries: how many are left, and how long until the next one (S-5).
//!
//! The policy is pure. The store keeps one [`Tally`] per badge on disk and counts a try there
//! *before* it tests the PIN, so that a kill or a restart never gives a try back. Delays run on boot
//! time; after a restart of the machine a delay that was running starts again in full, because how
//! long the machine was off cannot be known without trusting a clock that people can set.
//!
//! Each badge has its own tally: one person's errors never slow another's login.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::moment::BootTime;

/// Wrong PINs until only IT can help (SP 800-63B, activation secrets: 10).
pub const TRIES_MAX: u8 = 10;

/// Delay in seconds after the first, second, ... wrong PIN; the last one repeats.
const BACK_OFF_S: [u64; 7] = [0, 0, 0, 5, 30, 60, 300];

/// One start of the machine, so that boot times of different starts are never compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootId(pub u128);

/// Counted tries of one badge since its last success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    failures: u8,
    counted: BootTime,
    boot: BootId,
}

impl Tally {
    /// No tries yet.
    pub fn new(now: BootTime, boot: BootId) -> Self {
        Self { failures: 0, counted: now, boot }
    }

    /// Tries counted since the last success, at most [`TRIES_MAX`].
    pub fn failures(&self) -> u8 {
        self.failures
    }

    /// Restarts a running delay in full if the machine was restarted since. True if the tally
    /// changed and has to be stored.
    pub fn rebase(&mut self, now: BootTime, boot: BootId) -> bool {
        let same_start = self.boot == boot && now >= self.counted;
        if !same_start {
            self.counted = now;
            self.boot = boot;
        }
        !same_start && self.failures > 0
    }

    /// Whether a PIN may be tried at this time. Call [`Tally::rebase`] first.
    pub fn admission(&self, now: BootTime) -> Admission {
        let tries_left = TRIES_MAX.saturating_sub(self.failures);
        if tries_left == 0 {
            return Admission::Exhausted;
        }
        let remaining = delay_after(self.failures).saturating_sub(now.since(self.counted));
        if remaining.is_zero() { Admission::Try { tries_left } } else { Admission::Wait(remaining) }
    }

    /// Counts one try. To be made durable before the PIN is tested.
    pub fn count(&mut self, now: BootTime, boot: BootId) {
        self.failures = self.failures.saturating_add(1).min(TRIES_MAX);
        self.counted = now;
        self.boot = boot;
    }

    /// Forgets all tries after a success.
    pub fn clear(&mut self) {
        self.failures = 0;
    }
}

fn delay_after(failures: u8) -> Duration {
    let Some(index) = usize::from(failures).checked_sub(1) else {
        return Duration::ZERO;
    };
    let [.., longest] = BACK_OFF_S;
    Duration::from_secs(BACK_OFF_S.get(index).copied().unwrap_or(longest))
}

/// Whether a badge may try a PIN. The same answers for known and unknown badges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes; this many tries are left before IT has to help.
    Try {
        /// 1..=10.
        tries_left: u8,
    },
    /// After this long.
    Wait(Duration),
    /// Not until IT resets it.
    Exhausted,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOOT: BootId = BootId(1);

    fn at(seconds: u64) -> BootTime {
        BootTime(Duration::from_secs(seconds))
    }

    fn failed(times: u8, now: BootTime) -> Tally {
        let mut tally = Tally::new(now, BOOT);
        for _ in 0..times {
            tally.count(now, BOOT);
        }
        tally
    }

    #[test]
    fn s5_back_off_table() {
        for (failures, delay_s) in
            [(0, 0), (1, 0), (2, 0), (3, 0), (4, 5), (5, 30), (6, 60), (7, 300), (8, 300), (9, 300)]
        {
            let tally = failed(failures, at(100));
            let open = Admission::Try { tries_left: TRIES_MAX - failures };
            if delay_s > 0 {
                let waiting = Admission::Wait(Duration::from_secs(1));
                assert_eq!(tally.admission(at(100 + delay_s - 1)), waiting, "{failures}");
            }
            assert_eq!(tally.admission(at(100 + delay_s)), open, "{failures}");
        }
        assert_eq!(failed(10, at(100)).admission(at(1_000_000)), Admission::Exhausted);
        assert_eq!(failed(200, at(100)).failures(), TRIES_MAX);
    }

    #[test]
    fn s5_restart_of_the_machine_restarts_the_delay() {
        for (now, boot) in [(at(3), BOOT), (at(5_000), BootId(2))] {
            let mut tally = failed(7, at(100));
            assert!(tally.rebase(now, boot));
            assert_eq!(tally.admission(now), Admission::Wait(Duration::from_secs(300)));
            assert!(!tally.rebase(now + Duration::from_secs(1), boot), "only once");
        }
        let mut tally = failed(7, at(100));
        assert!(!tally.rebase(at(150), BOOT), "the same start of the machine");
        assert_eq!(tally.admission(at(150)), Admission::Wait(Duration::from_secs(250)));
    }

    proptest! {
        #[test]
        fn s5_never_more_than_ten_tries(jumps in prop::collection::vec((0_u64..4_000, 0_u128..3), 0..200)) {
            let mut tally = Tally::new(at(0), BOOT);
            let mut tried = 0;
            for (seconds, boot) in jumps {
                let (now, boot) = (at(seconds), BootId(boot));
                tally.rebase(now, boot);
                if matches!(tally.admission(now), Admission::Try { .. }) {
                    tally.count(now, boot);
                    tried += 1;
                }
            }
            prop_assert!(tried <= TRIES_MAX);
        }
    }
}
