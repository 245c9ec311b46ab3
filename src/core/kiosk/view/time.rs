//! Times as the clock on the wall shows them. In the hour that it shows twice, when summer time ends, they say how
//! far from UTC they are meant: nothing that was recorded then can be taken for what came an hour later.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Hour and minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: i8,
    /// 0 to 59.
    pub minute: i8,
    /// Where the clock shows this time twice on its day.
    pub twice: Option<EastOfUtc>,
}

/// Distance from UTC in seconds, to the east.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EastOfUtc(pub i32);

/// Day and time, ordered by the instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    /// The instant itself.
    pub instant: Timestamp,
    /// As the clock shows it.
    pub at: DateTime,
    /// Where it shows this time twice on its day.
    pub twice: Option<EastOfUtc>,
}

impl TimeOfDay {
    /// A time that the clock shows once.
    pub fn at(hour: i8, minute: i8) -> Self {
        Self { hour, minute, twice: None }
    }
}

impl LocalTime {
    /// As the clock of this zone shows it.
    pub fn of(instant: Timestamp, zone: &TimeZone) -> Self {
        let zoned = instant.to_zoned(zone.clone());
        let is_shown_twice = match zone.to_ambiguous_timestamp(zoned.datetime()).offset() {
            AmbiguousOffset::Fold { .. } => true,
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => false,
        };
        let offset = EastOfUtc(zoned.offset().seconds());
        Self { instant, at: zoned.datetime(), twice: is_shown_twice.then_some(offset) }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)?;
        self.twice.map_or(Ok(()), |twice| write!(f, " {twice}"))
    }
}

/// `+01:00`, as RFC 3339 writes it.
impl fmt::Display for EastOfUtc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let minutes = self.0.unsigned_abs() / 60;
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Central European time, with summer time until the last Sunday of October at 3 o'clock.
    const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    #[test]
    fn the_hour_that_is_shown_twice_says_which_it_is() {
        let zone = TimeZone::posix(BERLIN).unwrap();
        for (utc, shown) in [
            ("2026-10-24T23:59:00Z", "01:59"),
            ("2026-10-25T00:00:00Z", "02:00 +02:00"),
            ("2026-10-25T00:59:59Z", "02:59 +02:00"),
            ("2026-10-25T01:00:00Z", "02:00 +01:00"),
            ("2026-10-25T01:59:59Z", "02:59 +01:00"),
            ("2026-10-25T02:00:00Z", "03:00"),
            // The hour that is left out in spring is never shown.
            ("2026-03-29T00:59:59Z", "01:59"),
            ("2026-03-29T01:00:00Z", "03:00"),
        ] {
            let LocalTime { at, twice, .. } = LocalTime::of(utc.parse().unwrap(), &zone);
            let time = TimeOfDay { hour: at.hour(), minute: at.minute(), twice };
            assert_eq!(time.to_string(), shown, "{utc}");
        }
        let of = |utc: &str| LocalTime::of(utc.parse().unwrap(), &zone);
        assert!(of("2026-10-25T00:50:00Z") < of("2026-10-25T01:10:00Z"));
    }
}
