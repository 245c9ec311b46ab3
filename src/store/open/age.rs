//! How long this store has lived, by a clock that nobody can set: what a wall clock that is set back cannot undo.
//!
//! While the program runs it is boot time, suspend included; from one run to the next what the wall clock says, but
//! never less than nothing and never more than a day (as [`crate::vault::retention`] counts). So a person's last day
//! and a one-time code end by the wall clock **or** by this age, whichever comes first.

use jiff::Timestamp;

use crate::cart::StoreAge;
use wardkeep_model::moment::{BootTime, Moment};

/// Most that the store ages from one run to the next.
const BETWEEN_RUNS_US_MAX: i64 = 24 * 3_600_000_000;

/// The age of a store that is loaded.
#[derive(Clone, Copy, Debug)]
pub struct AgeClock {
    boot: BootTime,
    us: i64,
    latest: Moment,
}

impl AgeClock {
    /// Goes on from what the cart compartment noted.
    pub fn resume(noted: StoreAge, now: Moment) -> Self {
        let since = match noted.wall_us {
            0 => 0,
            then => now.wall.as_microsecond().saturating_sub(then),
        };
        let us = noted.us.saturating_add(since.clamp(0, BETWEEN_RUNS_US_MAX));
        Self { boot: now.boot, us, latest: now }
    }

    /// The age at a moment of this run, in microseconds.
    pub fn at(&self, now: BootTime) -> i64 {
        let since = i64::try_from(now.since(self.boot).as_micros()).unwrap_or(i64::MAX);
        self.us.saturating_add(since)
    }

    /// A later moment of this run.
    pub fn pass(&mut self, now: Moment) {
        if now.boot >= self.latest.boot {
            self.latest = now;
        }
    }

    /// What the cart compartment is to note.
    pub fn noted(&self) -> StoreAge {
        StoreAge { us: self.at(self.latest.boot), wall_us: self.latest.wall.as_microsecond() }
    }

    /// The age that the store will have at a time of the wall clock as it is set now.
    pub fn until(&self, end: Timestamp, now: Moment) -> i64 {
        let left = end.as_microsecond().saturating_sub(now.wall.as_microsecond());
        self.at(now.boot).saturating_add(left.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(boot_s: u64, wall_s: i64) -> Moment {
        let wall = Timestamp::from_second(wall_s).unwrap();
        Moment { boot: BootTime(Duration::from_secs(boot_s)), wall }
    }

    #[test]
    fn s5_a_clock_that_is_set_back_makes_nothing_young_and_one_that_is_set_ahead_ages_by_a_day() {
        const DAY: i64 = 86_400;
        let second = 1_000_000;
        let mut clock = AgeClock::resume(StoreAge::default(), at(10, 1_000 * DAY));
        clock.pass(at(110, 1_000 * DAY + 100));
        assert_eq!(clock.noted().us, 100 * second);
        // Set back by a year while it runs.
        clock.pass(at(210, 635 * DAY));
        assert_eq!(clock.noted().us, 200 * second);
        // And started again with that clock, two hours later by it.
        let clock = AgeClock::resume(clock.noted(), at(5, 635 * DAY + 7_200));
        assert_eq!(clock.at(at(5, 0).boot), 7_400 * second);
        let ahead = AgeClock::resume(clock.noted(), at(5, 9_000 * DAY));
        assert_eq!(ahead.at(at(5, 0).boot), (7_400 + DAY) * second);
        let back = AgeClock::resume(clock.noted(), at(5, 0));
        assert_eq!(back.at(at(5, 0).boot), 7_400 * second);
        let end = Timestamp::from_second(10).unwrap();
        assert_eq!(back.until(end, at(8, 4)), (7_400 + 3 + 6) * second);
    }
}
