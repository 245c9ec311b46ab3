//! Both clocks of a machine, stepped by a test: together as time passes, or each by itself.
//!
//! Boot time only goes forward. Wall time is set by people and by the network, forwards and back, and
//! what runs on the other clock must not notice.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use wardkeep_model::moment::{BootTime, Moment};

/// What both clocks of a machine show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// For deadlines and ages.
    pub boot: BootTime,
    /// For records and people.
    pub wall: Timestamp,
}

impl Clock {
    /// A machine that was switched on so long ago, at the start of 1970.
    pub fn running_for(boot: Duration) -> Self {
        Self { boot: BootTime(boot), wall: Timestamp::UNIX_EPOCH }
    }

    /// The same machine on this date, e.g. `2026-11-22T14:32:00Z`.
    pub fn on(self, wall: &str) -> Self {
        Self { wall: wall.parse().expect("a timestamp"), ..self }
    }

    /// One instant on both clocks.
    pub fn now(&self) -> Moment {
        Moment { boot: self.boot, wall: self.wall }
    }

    /// Time passes: both clocks go on.
    pub fn wait(&mut self, length: Duration) {
        *self = (self.now() + length).into();
    }

    /// Somebody sets the wall clock, forwards or back; no time passes.
    pub fn step_wall(&mut self, by: SignedDuration) {
        self.wall = self.wall.checked_add(by).expect("a date of our time");
    }

    /// Time passes while the wall clock stands, as over a suspend of a machine whose clock has no
    /// battery.
    pub fn step_boot(&mut self, length: Duration) {
        self.boot = self.boot + length;
    }
}

impl From<Moment> for Clock {
    fn from(now: Moment) -> Self {
        Self { boot: now.boot, wall: now.wall }
    }
}
