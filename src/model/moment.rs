//! Time as an argument: the core never reads a clock, it is told what time it is.
//!
//! Deadlines and ages run on [`BootTime`] (it counts through suspend and no operator can set it).
//! Wall time is stamped onto records and shown. It also decides what is told as a date or has to
//! outlive a restart: from when until when a device is assigned to a patient, a person's last day, how
//! long a one-time code counts, and whether a card's certificate and its revocation list are valid. A
//! clock that is set by hand moves those.

use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// No clock that was ever set stands before this day: 2026-01-01.
const EARLIEST_S: i64 = 1_767_225_600;

/// Time since the machine booted, suspend included (`CLOCK_BOOTTIME`).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct BootTime(pub Duration);

impl BootTime {
    /// How long ago `earlier` was; zero if it lies in the future.
    pub fn since(self, earlier: BootTime) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for BootTime {
    type Output = BootTime;
    fn add(self, length: Duration) -> BootTime {
        BootTime(self.0.saturating_add(length))
    }
}

impl Sub<Duration> for BootTime {
    type Output = BootTime;
    fn sub(self, length: Duration) -> BootTime {
        BootTime(self.0.saturating_sub(length))
    }
}

/// One instant on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// For deadlines and ages.
    pub boot: BootTime,
    /// For records and people.
    pub wall: Timestamp,
}

impl Moment {
    /// Reads both clocks. The core never calls this: the shell, the drivers, the store's thread, the
    /// simulator and the command line do.
    #[expect(clippy::disallowed_methods, reason = "the one place where the clocks are read")]
    pub fn read() -> Self {
        let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(boot.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(boot.tv_nsec).unwrap_or(0);
        Self { boot: BootTime(Duration::new(seconds, nanos)), wall: Timestamp::now() }
    }
}

/// How the wall clock stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockState {
    /// It stands before any day on which this program existed.
    NeverSet,
    /// As far as anybody knows it is right.
    #[default]
    Set,
    /// It was set a short while ago.
    Stepped,
    /// It is being corrected slowly.
    Slewing,
}

impl ClockState {
    /// Whether this is a time at which a clock may stand that was set.
    pub fn is_possible(wall: Timestamp) -> bool {
        wall.as_second() >= EARLIEST_S
    }

    /// Its word for IT.
    pub fn word(self) -> &'static str {
        match self {
            ClockState::NeverSet => "never-set",
            ClockState::Set => "set",
            ClockState::Stepped => "stepped",
            ClockState::Slewing => "slewing",
        }
    }
}

/// How long the machine has slept since it booted (`CLOCK_BOOTTIME` less `CLOCK_MONOTONIC`). Read by the
/// store alone, which ends shift shares after a long sleep.
pub fn slept() -> Duration {
    use rustix::time::{ClockId, Timespec, clock_gettime};
    let length = |time: Timespec| {
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
    };
    // In this order the time between the two reads never counts as sleep.
    let boot = length(clock_gettime(ClockId::Boottime));
    boot.saturating_sub(length(clock_gettime(ClockId::Monotonic)))
}

impl Add<Duration> for Moment {
    type Output = Moment;
    fn add(self, length: Duration) -> Moment {
        let wall = self.wall.checked_add(length).unwrap_or(Timestamp::MAX);
        Moment { boot: self.boot + length, wall }
    }
}
