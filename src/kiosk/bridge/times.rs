//! Times as they are shown: of the day, left to wait, from one to another.

use jiff::civil::{Date, DateTime, DateTimeRound};
use jiff::{RoundMode, ToSpan, Unit};
use slint::SharedString;

use wardkeep_core::kiosk::view::Clock;

/// `14:05`.
pub(super) fn of_day(hour: i8, minute: i8) -> SharedString {
    slint::format!("{hour:02}:{minute:02}")
}

/// `1:58`.
pub(super) fn countdown(seconds: u64) -> SharedString {
    slint::format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Both ends in whole minutes, the second one rounded up; without the day where everything is of today.
pub(super) fn span(
    (from, to): (DateTime, DateTime),
    today: Option<Clock>,
) -> (SharedString, SharedString) {
    let whole = |at: DateTime, mode| {
        let rounded = at.round(DateTimeRound::new().smallest(Unit::Minute).mode(mode));
        rounded.unwrap_or(at)
    };
    let from = whole(from, RoundMode::Trunc);
    let mut to = whole(to, RoundMode::Ceil);
    if to <= from {
        to = from.checked_add(1.minute()).unwrap_or(from);
    }
    let is_today =
        |day: Date| today.is_some_and(|clock| (day.day(), day.month()) == (clock.day, clock.month));
    let told = |at: DateTime| {
        let time = of_day(at.hour(), at.minute());
        if is_today(from.date()) && is_today(to.date()) {
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

    #[test]
    fn a_span_is_told_in_minutes_and_with_its_day_where_that_is_not_today() {
        let today = Clock { day: 22, month: 11, ..Clock::default() };
        let at = |text: &str| text.parse::<DateTime>().unwrap();
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
}
