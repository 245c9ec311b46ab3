//! Times as they are shown: of the day, left to wait, from one to another.

use jiff::civil::{Date, DateTimeRound};
use jiff::{RoundMode, ToSpan, Unit};
use slint::SharedString;

use wardkeep_core::kiosk::view::Clock;
use wardkeep_core::kiosk::view::time::{LocalTime, TimeOfDay};

/// `14:05`; in the hour that the clock shows twice `02:30 +01:00`.
pub(super) fn of_day(time: TimeOfDay) -> SharedString {
    slint::format!("{time}")
}

/// `2026-11-22 14:05`.
pub(super) fn on_day(LocalTime { at, twice, instant: _ }: LocalTime) -> SharedString {
    let time = of_day(TimeOfDay { hour: at.hour(), minute: at.minute(), twice });
    slint::format!("{} {time}", at.date())
}

/// `1:58`.
pub(super) fn countdown(seconds: u64) -> SharedString {
    slint::format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Both ends in whole minutes, the second one rounded up; without the day where everything is of today.
pub(super) fn span(
    (from, to): (LocalTime, LocalTime),
    today: Option<Clock>,
) -> (SharedString, SharedString) {
    let whole = |time: LocalTime, mode| {
        let rounded = time.at.round(DateTimeRound::new().smallest(Unit::Minute).mode(mode));
        LocalTime { at: rounded.unwrap_or(time.at), ..time }
    };
    let from = whole(from, RoundMode::Trunc);
    let mut to = whole(to, RoundMode::Ceil);
    // In the hour that the clock shows twice the later one may look like the earlier.
    if to.at <= from.at && to.twice == from.twice {
        to.at = from.at.checked_add(1.minute()).unwrap_or(from.at);
    }
    let is_today =
        |day: Date| today.is_some_and(|clock| (day.day(), day.month()) == (clock.day, clock.month));
    let told = |LocalTime { at, twice, instant: _ }: LocalTime| {
        let time = of_day(TimeOfDay { hour: at.hour(), minute: at.minute(), twice });
        if is_today(from.at.date()) && is_today(to.at.date()) {
            time
        } else {
            slint::format!("{} {time}", at.date())
        }
    };
    (told(from), told(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardkeep_core::kiosk::view::time::EastOfUtc;

    #[test]
    fn a_span_is_told_in_minutes_and_with_its_day_where_that_is_not_today() {
        let today = Clock { day: 22, month: 11, ..Clock::default() };
        let at = |text: &str| LocalTime {
            instant: format!("{text}Z").parse().unwrap(),
            at: text.parse().unwrap(),
            twice: None,
        };
        for (from, to, told) in [
            ("2026-11-22T02:10:59", "2026-11-22T02:13:01", ("02:10", "02:14")),
            ("2026-11-22T02:10:00", "2026-11-22T02:10:00", ("02:10", "02:11")),
            (
                "2026-11-21T23:50:00",
                "2026-11-22T00:10:00",
                ("2026-11-21 23:50", "2026-11-22 00:10"),
            ),
        ] {
            let (from, to) = span((at(from), at(to)), Some(today));
            assert_eq!((from.as_str(), to.as_str()), told);
        }
        let (from, _) = span((at("2026-11-22T02:10:00"), at("2026-11-22T02:11:00")), None);
        assert_eq!(from, "2026-11-22 02:10", "the log always says the day");
    }

    #[test]
    fn an_hour_that_is_shown_twice_is_told_apart() {
        let at = |text: &str, east: i32| LocalTime {
            instant: format!("{text}{}", EastOfUtc(east)).parse().unwrap(),
            at: text.parse().unwrap(),
            twice: Some(EastOfUtc(east)),
        };
        let (from, to) =
            span((at("2026-10-25T02:50:00", 7200), at("2026-10-25T02:10:00", 3600)), None);
        let told = ("2026-10-25 02:50 +02:00", "2026-10-25 02:10 +01:00");
        assert_eq!((from.as_str(), to.as_str()), told);
        assert_eq!(EastOfUtc(-12600).to_string(), "-03:30");
    }
}
