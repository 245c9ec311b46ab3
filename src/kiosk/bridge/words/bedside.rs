//! What is said at the bedside: names of parameters, what stands under a number, the sentence of an alarm.

use std::time::Duration;

use slint::SharedString;

use wardkeep_core::alarms::{AlarmText, Crossed, LifeSign, Standing};
use wardkeep_core::inventory::Task;
use wardkeep_core::kiosk::view::{OneOf, Tile, TileState};
use wardkeep_model::vitals::nomenclature::Unit;
use wardkeep_model::vitals::parameter::Parameter;

use crate::bridge::words::{Sentence, Words, joined, tr};

/// A value at most this old counts as current in words, s. Oximeters and straps send once a second.
const NOW_S_MAX: u64 = 4;

/// What stands under a tile's number: whose it is and how old; or why there is none (S-7).
pub(in crate::bridge) fn beneath(words: &Words, tile: &Tile) -> SharedString {
    let device: &str = &tile.source;
    match tile.state {
        TileState::Current => {
            let age = ago(words, tile.age, true);
            let weak = if tile.weak_signal { words.say(tr("weak signal")) } else { "".into() };
            joined(&[device.into(), age, weak, one_of(words, tile.one_of)])
        }
        TileState::Stale => words.fill(tr("{}: no new value"), &[device]),
        TileState::LinkLost => words.fill(tr("{} out of range, reconnecting"), &[device]),
        TileState::NoValue => words.fill(tr("{} gives no value: check the sensor"), &[device]),
        TileState::Connecting => words.fill(tr("{}: connecting"), &[device]),
        TileState::NoDevice => words.say(tr("no device")),
    }
}

/// Why it is this one of several devices that measure the same.
fn one_of(words: &Words, why: Option<OneOf>) -> SharedString {
    match why {
        None => SharedString::default(),
        Some(OneOf::First) => words.say(tr("first of several")),
        Some(OneOf::Chosen) => words.say(tr("chosen of several")),
        Some(OneOf::Instead) => words.say(tr("another is silent")),
    }
}

/// How long ago the last number was, and what it was; empty while there is a current one, or none
/// before.
pub(in crate::bridge) fn earlier(words: &Words, tile: &Tile) -> SharedString {
    let Some(last) = tile.last.as_ref().filter(|_| tile.value.is_none()) else {
        return SharedString::default();
    };
    slint::format!("{}: {} {}", ago(words, tile.age, false), last.reveal(), tile.unit)
}

/// How long ago something was.
pub(in crate::bridge) fn since(words: &Words, ago_: Duration) -> SharedString {
    ago(words, Some(ago_), true)
}

fn ago(words: &Words, age: Option<Duration>, current: bool) -> SharedString {
    let Some(age) = age else { return SharedString::default() };
    let seconds = age.as_secs();
    match seconds {
        0..=NOW_S_MAX if current => words.say(tr("now")),
        0..=89 => words.fill(tr("{} s ago"), &[&seconds.to_string()]),
        90..=5399 => words.fill(tr("{} min ago"), &[&(seconds / 60).to_string()]),
        5400..=172_799 => words.fill(tr("{} h ago"), &[&(seconds / 3600).to_string()]),
        172_800.. => words.fill(tr("{} d ago"), &[&(seconds / 86_400).to_string()]),
    }
}

/// Name of a parameter on its tile.
pub(in crate::bridge) fn parameter_name(words: &Words, parameter: Parameter) -> SharedString {
    match parameter {
        Parameter::HeartRate => words.say(tr("Heart rate")),
        Parameter::SpO2 => "SpO\u{2082}".into(),
        Parameter::PulseRate => words.say(tr("Pulse rate")),
        Parameter::Respiration => words.say(tr("Respiration")),
        Parameter::Systolic => words.say(tr("Systolic")),
        Parameter::Diastolic => words.say(tr("Diastolic")),
        Parameter::MeanPressure => words.say(tr("Mean pressure")),
        Parameter::Temperature => words.say(tr("Temperature")),
        Parameter::Glucose => words.say(tr("Glucose")),
        Parameter::Weight => words.say(tr("Weight")),
    }
}

/// The same for assistive technology, which would not read the subscript.
pub(in crate::bridge) fn spoken_name(words: &Words, parameter: Parameter) -> SharedString {
    match parameter {
        Parameter::SpO2 => "SpO2".into(),
        Parameter::HeartRate
        | Parameter::PulseRate
        | Parameter::Respiration
        | Parameter::Systolic
        | Parameter::Diastolic
        | Parameter::MeanPressure
        | Parameter::Temperature
        | Parameter::Glucose
        | Parameter::Weight => parameter_name(words, parameter),
    }
}

/// The heart's electricity, beside its lane.
pub(in crate::bridge) fn ecg(words: &Words) -> SharedString {
    words.say(tr("ECG"))
}

/// The pulse in the finger, beside its lane.
pub(in crate::bridge) fn pleth(words: &Words) -> SharedString {
    words.say(tr("Pleth"))
}

/// What the alarm strip says.
pub(in crate::bridge) fn alarm(words: &Words, text: &AlarmText) -> SharedString {
    match text {
        AlarmText::Low(one) => {
            let sentence = match one.standing {
                Standing::Is => tr("{0} low: {1} is under {2}"),
                Standing::Was => tr("{0} low: was {1}, limit {2}"),
                Standing::ValueLost => tr("{0} low: was {1}, value lost"),
            };
            crossed(words, sentence, one)
        }
        AlarmText::High(one) => {
            let sentence = match one.standing {
                Standing::Is => tr("{0} high: {1} is over {2}"),
                Standing::Was => tr("{0} high: was {1}, limit {2}"),
                Standing::ValueLost => tr("{0} high: was {1}, value lost"),
            };
            crossed(words, sentence, one)
        }
        AlarmText::Gone(LifeSign::Pulse, standing) => words.say(match standing {
            Standing::Is => tr("NO PULSE: look at the patient"),
            Standing::Was => tr("There was no pulse: look at the patient"),
            Standing::ValueLost => tr("There was no pulse, value lost: look at the patient"),
        }),
        AlarmText::Gone(LifeSign::Breath, standing) => words.say(match standing {
            Standing::Is => tr("NO BREATH: look at the patient"),
            Standing::Was => tr("There was no breath: look at the patient"),
            Standing::ValueLost => tr("There was no breath, value lost: look at the patient"),
        }),
        AlarmText::LinkLost { device } => words.fill(tr("{} is out of range"), &[device]),
        AlarmText::NeverLinked { device } => {
            words.fill(tr("{} was never reached: switch it on and bring it near"), &[device])
        }
        AlarmText::ValueLost { device, sensor_off: true } => {
            words.fill(tr("{} is off the patient: put it back on"), &[device])
        }
        AlarmText::ValueLost { device, sensor_off: false } => {
            words.fill(tr("{} gives no value: check the sensor"), &[device])
        }
        AlarmText::BatteryLow { device, percent } => {
            words.fill(tr("{0}: battery at {1} %"), &[device, &percent.to_string()])
        }
        AlarmText::Upkeep { device, task } => upkeep(words, device, task),
        AlarmText::CommandRefused { device } => {
            words.fill(tr("{}: Bluetooth does not take orders, it is tried again"), &[device])
        }
        AlarmText::AssignmentEnds { device, minutes } => {
            let minutes = minutes.to_string();
            words.fill(tr("{0}: assignment ends in {1} min, assign it again"), &[device, &minutes])
        }
        AlarmText::AssignmentEnded { device } => {
            words.fill(tr("{}: assignment ended, assign it again"), &[device])
        }
        AlarmText::NoSound => words.say(tr("No alarm sound: the speaker does not answer")),
        AlarmText::SoundMuted => words.say(tr("No alarm sound: it is turned off on this machine")),
        AlarmText::NotRecording => words.say(tr("NOT RECORDING: values are not kept")),
        AlarmText::NoWaveforms => words.say(tr("Waveforms are not recorded: disk nearly full")),
        AlarmText::RecordsLost { count: 0 } => words.say(tr("Records lost: how many is not known")),
        AlarmText::RecordsLost { count } => {
            words.fill(tr("Records lost: {}"), &[&count.to_string()])
        }
        AlarmText::Unwatched { length } => {
            words.fill(tr("Nothing was watched for {}"), &[&lasting(words, *length)])
        }
        AlarmText::ClockUnset => words.say(tr("The clock of this cart was never set: call IT")),
        AlarmText::WatchEnded => words.say(tr("Monitoring has ended: assign the devices")),
        AlarmText::TokenLeftBehind => {
            words.say(tr("A badge or card was left at the reader: take it away"))
        }
    }
}

fn crossed(words: &Words, sentence: Sentence, one: &Crossed) -> SharedString {
    let name = parameter_name(words, one.parameter);
    let (value, limit) =
        (with_unit(one.parameter, &one.value), with_unit(one.parameter, &one.limit));
    words.fill(sentence, &[&name, &value, &limit])
}

/// How long something lasted.
pub(in crate::bridge) fn lasting(words: &Words, length: Duration) -> SharedString {
    let seconds = length.as_secs();
    match seconds {
        0..=89 => words.fill(tr("{} s"), &[&seconds.to_string()]),
        90..=5399 => words.fill(tr("{} min"), &[&(seconds / 60).to_string()]),
        5400..=172_799 => words.fill(tr("{} h"), &[&(seconds / 3600).to_string()]),
        172_800.. => words.fill(tr("{} days"), &[&(seconds / 86_400).to_string()]),
    }
}

/// Rates are said without their unit; a percentage would be taken for one.
fn with_unit(parameter: Parameter, digits: &str) -> String {
    if parameter.row().unit == Unit::Percent { format!("{digits} %") } else { digits.to_owned() }
}

/// What has to be done about a device.
fn upkeep(words: &Words, device: &str, task: &Task) -> SharedString {
    match task {
        Task::Broken(_) => words.fill(tr("{} says that it is broken"), &[device]),
        Task::CalibrationOver(_) => words.fill(tr("Calibration of {} is overdue"), &[device]),
        Task::ClockWrong(_) => words.fill(tr("The clock of {} is wrong"), &[device]),
        Task::BatteryEnds { .. } => words.fill(tr("The battery of {} ends"), &[device]),
        Task::CalibrationDue(_) => words.fill(tr("Calibration of {} is due"), &[device]),
        Task::FirmwareOld(_) => words.fill(tr("The firmware of {} is old"), &[device]),
        Task::Unseen(_) => words.fill(tr("{} was not seen for long"), &[device]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_told_in_the_largest_unit_that_says_something() {
        let words = Words::default();
        for (seconds, current, told) in [
            (0, true, "now"),
            (4, true, "now"),
            (4, false, "4 s ago"),
            (5, true, "5 s ago"),
            (89, false, "89 s ago"),
            (90, false, "1 min ago"),
            (5399, false, "89 min ago"),
            (5400, false, "1 h ago"),
            (200_000, false, "2 d ago"),
        ] {
            assert_eq!(ago(&words, Some(Duration::from_secs(seconds)), current), told);
        }
        assert_eq!(ago(&words, None, true), "");
    }
}
