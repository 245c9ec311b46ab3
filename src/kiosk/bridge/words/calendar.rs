//! Dates as people say them.

use slint::SharedString;

use wardkeep_core::kiosk::view::Clock;

use crate::bridge::words::{Sentence, Words, tr};

const WEEKDAYS: [Sentence; 7] = [
    tr("Monday"),
    tr("Tuesday"),
    tr("Wednesday"),
    tr("Thursday"),
    tr("Friday"),
    tr("Saturday"),
    tr("Sunday"),
];

const MONTHS: [Sentence; 12] = [
    tr("January"),
    tr("February"),
    tr("March"),
    tr("April"),
    tr("May"),
    tr("June"),
    tr("July"),
    tr("August"),
    tr("September"),
    tr("October"),
    tr("November"),
    tr("December"),
];

/// `Sunday 22 November`.
pub(in crate::bridge) fn date(words: &Words, clock: Clock) -> SharedString {
    let weekday = name(words, &WEEKDAYS, clock.weekday);
    let month = name(words, &MONTHS, clock.month);
    words.fill(tr("{0} {1} {2}"), &[&weekday, &clock.day.to_string(), &month])
}

/// Names are counted from one; empty for any other number.
fn name(words: &Words, names: &[Sentence], number: i8) -> SharedString {
    let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    place.and_then(|place| names.get(place)).map(|name| words.say(*name)).unwrap_or_default()
}

/// In place of the day, where the clock says nothing.
pub(in crate::bridge) fn never_set(words: &Words) -> SharedString {
    words.say(tr("The clock was never set"))
}
