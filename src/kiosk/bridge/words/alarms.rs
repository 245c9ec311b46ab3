//! What is said of alarms on their pages: how each stands, what to do, what was, and what limits mean.

use std::time::Duration;

use slint::SharedString;

use wardkeep_core::alarms::AlarmText;
use wardkeep_core::alarms::burden::Load;
use wardkeep_core::alarms::limits::Side;
use wardkeep_core::kiosk::view::alarms::{AlarmRow, Changed, PastAlarm, Stepper};
use wardkeep_model::alarm::{AlarmState, Kind, LimitReason};
use wardkeep_model::vitals::parameter::{LimitKey, Parameter};

use crate::bridge::times;
use crate::bridge::words::bedside::{lasting, parameter_name};
use crate::bridge::words::{Words, joined, tr, trn};

/// Above the conditions of a kind.
pub(in crate::bridge) fn heading(words: &Words, kind: Kind) -> SharedString {
    words.say(match kind {
        Kind::Physiological => tr("Patient"),
        Kind::Technical => tr("Equipment"),
    })
}

/// How a condition stands.
pub(in crate::bridge) fn state(words: &Words, row: &AlarmRow) -> SharedString {
    match &row.seen {
        Some((at, by)) => {
            let at = times::of_day(*at);
            if by.is_empty() {
                words.fill(tr("Acknowledged {}"), &[&at])
            } else {
                words.fill(tr("Acknowledged by {0} {1}"), &[by, &at])
            }
        }
        None if row.escalated => words.say(tr("Nobody has come: call a second person")),
        None => words.say(match row.state {
            AlarmState::Active => tr("Active"),
            AlarmState::ValueLost => tr("Value lost"),
            AlarmState::Latched => tr("Over, not seen"),
        }),
    }
}

/// Since when.
pub(in crate::bridge) fn since(words: &Words, row: &AlarmRow) -> SharedString {
    let at = times::of_day(row.since);
    words.fill(tr("since {0}, {1}"), &[&at, &lasting(words, row.lasts)])
}

/// What to do.
pub(in crate::bridge) fn advice(words: &Words, text: &AlarmText) -> SharedString {
    words.say(match text {
        AlarmText::Low(_) | AlarmText::High(_) | AlarmText::Gone(..) => {
            tr("Look at the patient, then acknowledge")
        }
        AlarmText::LinkLost { .. } | AlarmText::NeverLinked { .. } => {
            tr("Bring it within 5 m of the cart, and see that it is on")
        }
        AlarmText::ValueLost { .. } => tr("Look at the patient, then put the sensor on"),
        AlarmText::BatteryLow { .. } => tr("Change or charge its battery"),
        AlarmText::Upkeep { .. } => tr("Take another device if there is one, and look at its page"),
        AlarmText::CommandRefused { .. } => tr("Wait a moment. If it stays like this, call IT"),
        AlarmText::AssignmentEnds { .. } | AlarmText::AssignmentEnded { .. } => {
            tr("Open Devices and assign it again")
        }
        AlarmText::NoSound | AlarmText::SoundMuted => {
            tr("Stay within sight of the screen, and call IT")
        }
        AlarmText::NotRecording => tr("Write values down, and call IT"),
        AlarmText::NoWaveforms => tr("Values are kept. Call IT"),
        AlarmText::RecordsLost { .. } => tr("Note the time, and call IT"),
        AlarmText::Unwatched { .. } => tr("Look at the patient: nobody knows what happened then"),
        AlarmText::ClockUnset => tr("Times on this cart are not right. Call IT"),
        AlarmText::WatchEnded => tr("Open Devices and assign the devices"),
        AlarmText::TokenLeftBehind => tr("Take it out, and give it to its owner"),
    })
}

/// What a touch does.
pub(in crate::bridge) fn act(words: &Words, row: &AlarmRow) -> SharedString {
    match (&row.seen, row.state) {
        (Some(_), _) => SharedString::default(),
        (None, AlarmState::Latched) => words.say(tr("I saw it")),
        (None, AlarmState::Active | AlarmState::ValueLost) => words.say(tr("Acknowledge")),
    }
}

/// What a condition of the last day was.
pub(in crate::bridge) fn past(words: &Words, row: &PastAlarm) -> SharedString {
    let word = row.id.split(':').next().unwrap_or_default();
    if let Some((parameter, side)) = limit_of(&row.id) {
        let name = parameter_name(words, parameter);
        let (value, limit) =
            row.crossed.as_ref().map(|one| one.reveal().clone()).unwrap_or_default();
        let sentence = match side {
            Side::Low => tr("{0} low: {1}, limit {2}"),
            Side::High => tr("{0} high: {1}, limit {2}"),
        };
        return words.fill(sentence, &[&name, &value, &limit]);
    }
    let what = words.say(match word {
        "no-pulse" => tr("No pulse"),
        "apnoea" => tr("No breath"),
        "link-lost" => tr("Out of range"),
        "never-linked" => tr("Never reached"),
        "value-lost" => tr("No value"),
        "battery" => tr("Battery low"),
        "command-refused" => tr("Bluetooth took no orders"),
        "assignment-ends" => tr("Assignment about to end"),
        "assignment-ended" => tr("Assignment ended"),
        "no-sound" => tr("No alarm sound"),
        "not-recording" => tr("Not recording"),
        "no-waveforms" => tr("No waveforms recorded"),
        "records-lost" => tr("Records lost"),
        "unwatched" => tr("Not watched"),
        "clock-unset" => tr("Clock never set"),
        "watch-ended" => tr("Monitoring ended"),
        "token-left-behind" => tr("Badge or card left behind"),
        _ => tr("Something that a later program wrote"),
    });
    row.device.as_ref().map_or(what.clone(), |device| slint::format!("{device}: {what}"))
}

fn limit_of(id: &str) -> Option<(Parameter, Side)> {
    let (word, name) = id.split_once(':')?;
    let side = match word {
        "low" => Side::Low,
        "high" => Side::High,
        _ => return None,
    };
    Parameter::all().find(|one| one.row().name == name).map(|parameter| (parameter, side))
}

/// When it was, how long, and who saw it.
pub(in crate::bridge) fn past_state(words: &Words, row: &PastAlarm) -> SharedString {
    let from = times::of_day(row.from);
    let length = lasting(words, row.length);
    let when = if row.is_present {
        words.fill(tr("since {0}, {1}"), &[&from, &length])
    } else {
        words.fill(tr("{0}, for {1}"), &[&from, &length])
    };
    let seen = match &row.seen {
        Some(by) if by.is_empty() => words.say(tr("acknowledged")),
        Some(by) => words.fill(tr("acknowledged by {}"), &[by]),
        None if row.is_present => SharedString::default(),
        None => words.say(tr("nobody acknowledged it")),
    };
    joined(&[when, seen])
}

/// The two halves of the page.
pub(in crate::bridge) fn tabs(words: &Words, present: usize) -> [SharedString; 2] {
    let now = words.fill(tr("Now {}"), &[&present.to_string()]);
    [now, words.say(tr("Last 24 h"))]
}

/// What the number of alarms counts.
pub(in crate::bridge) fn counted(words: &Words, load: Load) -> SharedString {
    let length = lasting(words, load.length);
    let count = u64::try_from(load.count).unwrap_or(u64::MAX);
    words.count(trn("alarm, {0}", "alarms, {0}"), count, &[&length])
}

/// How much of it was lately; nothing where nothing was.
pub(in crate::bridge) fn late(words: &Words, load: Load) -> SharedString {
    if load.count == 0 {
        return SharedString::default();
    }
    let (count, length) = (load.count.to_string(), lasting(words, load.length));
    words.fill(tr("{0} of them, {1}, in the last 2 h"), &[&count, &length])
}

/// Name of a line of the burden.
pub(in crate::bridge) fn burdened(words: &Words, parameter: Option<Parameter>) -> SharedString {
    match parameter {
        Some(parameter) => parameter_name(words, parameter),
        None => heading(words, Kind::Technical),
    }
}

/// The limit that was crossed most often.
pub(in crate::bridge) fn noisiest(
    words: &Words,
    (parameter, side, limit): &(Parameter, Side, String),
) -> SharedString {
    let name = parameter_name(words, *parameter);
    let sentence = match side {
        Side::Low => tr("Noisiest limit: {0} low {1}"),
        Side::High => tr("Noisiest limit: {0} high {1}"),
    };
    words.fill(sentence, &[&name, limit])
}

/// How long something waited.
pub(in crate::bridge) fn unanswered(words: &Words, length: Duration) -> SharedString {
    if length.is_zero() {
        return SharedString::default();
    }
    words.fill(tr("Longest unanswered: {}"), &[&lasting(words, length)])
}

/// A parameter's value now.
pub(in crate::bridge) fn now(words: &Words, value: &str) -> SharedString {
    match value {
        "" => words.say(tr("no value")),
        value => words.fill(tr("now {}"), &[value]),
    }
}

/// From where to where a limit may go, and what is usual.
pub(in crate::bridge) fn bounds(words: &Words, stepper: &Stepper) -> SharedString {
    words.fill(tr("{0} · ward {1}"), &[&stepper.range, &stepper.ward])
}

/// What its buttons do.
pub(in crate::bridge) fn step(words: &Words, name: &str, side: Side, up: bool) -> SharedString {
    let sentence = match (side, up) {
        (Side::Low, false) => tr("{}: lower limit down"),
        (Side::Low, true) => tr("{}: lower limit up"),
        (Side::High, false) => tr("{}: upper limit down"),
        (Side::High, true) => tr("{}: upper limit up"),
    };
    words.fill(sentence, &[name])
}

/// Who changed limits, when and why; and that something is wanted that is not in force.
pub(in crate::bridge) fn changed(
    words: &Words,
    change: Option<&Changed>,
    drafted: &[(&str, &str)],
) -> SharedString {
    let wanted =
        drafted.iter().map(|(from, to)| words.fill(tr("{0} to {1}, not in force"), &[from, to]));
    let mut told: Vec<SharedString> = wanted.collect();
    told.extend(change.map(|change| {
        let why = reason(words, change.why);
        words.fill(tr("{0}, {1}: {2}"), &[&change.by, &change.at, &why])
    }));
    joined(&told)
}

/// Why limits are changed.
pub(in crate::bridge) fn reason(words: &Words, why: LimitReason) -> SharedString {
    words.say(match why {
        LimitReason::Ordered => tr("A doctor ordered it"),
        LimitReason::Usual => tr("Usual for this patient"),
        LimitReason::Treated => tr("Known, and being treated"),
        LimitReason::Procedure => tr("For a while, during care"),
        LimitReason::Ward => tr("Back to what is usual here"),
    })
}

/// What nobody can change on the page.
pub(in crate::bridge) fn extremes(words: &Words) -> SharedString {
    words.say(tr("Under each: hospital range and ward default. Extreme limits stay as they are."))
}

/// How often and how long.
pub(in crate::bridge) fn load(words: &Words, load: Load) -> SharedString {
    if load.count == 0 {
        return words.say(tr("none"));
    }
    // In one piece: a number is not parted from its unit.
    let whole = format!("{} · {}", load.count, lasting(words, load.length));
    whole.replace(' ', "\u{a0}").into()
}

/// Heads of the rehearsal's columns, and of its lists.
pub(in crate::bridge) fn in_force(words: &Words) -> [SharedString; 2] {
    [words.say(tr("In force")), words.say(tr("New"))]
}

pub(in crate::bridge) fn together(words: &Words) -> SharedString {
    words.say(tr("Together"))
}

pub(in crate::bridge) fn silent(words: &Words) -> SharedString {
    words.say(tr("Would have stayed silent"))
}

pub(in crate::bridge) fn later(words: &Words) -> SharedString {
    words.say(tr("Would have come later"))
}

pub(in crate::bridge) fn rehearsing(words: &Words) -> SharedString {
    words.say(tr("Reading the last 24 h…"))
}

pub(in crate::bridge) fn nothing_rehearsed(words: &Words) -> SharedString {
    words.say(tr("Neither would have sounded."))
}

/// What a limit is of.
pub(in crate::bridge) fn limited(
    words: &Words,
    key: LimitKey,
    parameter: Parameter,
) -> SharedString {
    match key {
        LimitKey::Rate => words.say(tr("Heart rate, pulse")),
        LimitKey::Saturation
        | LimitKey::Respiration
        | LimitKey::Systolic
        | LimitKey::Diastolic
        | LimitKey::Mean
        | LimitKey::Temperature
        | LimitKey::Glucose => parameter_name(words, parameter),
    }
}
