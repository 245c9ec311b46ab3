//! What the core is told once, at start, and the day and hour that follow from it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::Protection;
use wardkeep_model::moment::{BootTime, Moment};

use crate::config::Config;
use crate::kiosk::view::Clock;
use crate::kiosk::view::time::{LocalTime, TimeOfDay};

/// What the core is told once, at start.
pub struct Surroundings {
    /// Site settings.
    pub config: Config,
    /// Some settings were not used.
    pub config_ignored: bool,
    /// Zone of the clock on the screen.
    pub zone: TimeZone,
    /// Random number of this start of the program.
    pub run: u64,
    /// Source of opaque identities.
    pub identities: Box<dyn FnMut() -> u128 + Send>,
    /// Every value is simulated.
    pub simulated: bool,
    /// How the device secret is kept, where that is known.
    pub protection: Option<Protection>,
}

impl Surroundings {
    /// What stands on the door and above the bed.
    pub(super) fn places(&self) -> Vec<String> {
        vec![self.config.bed.clone(), self.config.ward.clone()]
    }

    /// The clock on the screen.
    pub(super) fn clock(&self, at: Timestamp) -> Clock {
        let local = at.to_zoned(self.zone.clone());
        Clock {
            hour: local.hour(),
            minute: local.minute(),
            weekday: local.weekday().to_monday_one_offset(),
            day: local.day(),
            month: local.month(),
        }
    }

    /// Hour and minute, local.
    pub(super) fn time_of_day(&self, at: Timestamp) -> TimeOfDay {
        let LocalTime { at, twice, instant: _ } = self.local(at);
        TimeOfDay { hour: at.hour(), minute: at.minute(), twice }
    }

    /// Day and time, local.
    pub(super) fn local(&self, at: Timestamp) -> LocalTime {
        LocalTime::of(at, &self.zone)
    }

    /// ISO 8601.
    pub(super) fn local_day(&self, at: Timestamp) -> String {
        self.local(at).at.date().to_string()
    }

    pub(super) fn today(&self, now: Moment) -> Date {
        self.local(now.wall).at.date()
    }

    pub(super) fn new_subject(&mut self) -> SubjectId {
        SubjectId((self.identities)())
    }
}

/// The wall-clock time of an earlier instant, as the clock stands now.
pub(super) fn wall_of(now: Moment, earlier: BootTime) -> Timestamp {
    now.wall.checked_sub(now.boot.since(earlier)).unwrap_or(Timestamp::MIN)
}
