//! One line of a replay: when, and what happened.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use wardkeep_model::ports::Link;
use wardkeep_model::vitals::DeviceKind;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{Absent, Mdc, Unit};

/// A replay ends a year after it began.
const T_MAX_S: f64 = 366.0 * 86_400.0;
/// Most letters of a device's name.
const NAME_CHARS_MAX: usize = 64;

/// Something that happened at a bed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Happening {
    /// Time went by.
    Nothing,
    Value {
        device: String,
        code: Mdc,
        unit: Unit,
        value: Decimal,
    },
    Absent {
        device: String,
        code: Mdc,
        reason: Absent,
    },
    Link {
        device: String,
        link: Link,
    },
    Assign {
        device: String,
        kind: DeviceKind,
    },
    Release {
        device: String,
    },
    Battery {
        device: String,
        percent: u8,
    },
    Acknowledge {
        condition: Option<String>,
    },
    PauseSound,
    Lock,
    Unlock,
    Wall(Timestamp),
    LostRecords(u64),
}

/// A line that cannot be understood, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotUnderstood(String);

fn because<T>(reason: impl Into<String>) -> Result<T, NotUnderstood> {
    Err(NotUnderstood(reason.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    t: f64,
    value: Option<ValueLine>,
    absent: Option<AbsentLine>,
    link: Option<LinkLine>,
    assign: Option<AssignLine>,
    release: Option<DeviceLine>,
    battery: Option<BatteryLine>,
    act: Option<String>,
    condition: Option<String>,
    wall: Option<String>,
    #[serde(rename = "lost-records")]
    lost_records: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueLine {
    device: String,
    mdc: u32,
    value: Number,
    unit: String,
}

/// Digits as a device sent them; a number is taken for its digits.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Digits(String),
    Number(serde_json::Number),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AbsentLine {
    device: String,
    mdc: u32,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkLine {
    device: String,
    state: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AssignLine {
    device: String,
    kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceLine {
    device: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatteryLine {
    device: String,
    percent: u8,
}

/// Reads a line.
///
/// # Errors
/// It is no JSON, says nothing that is known, or more than one thing.
pub(super) fn read(text: &str) -> Result<(Duration, Happening), NotUnderstood> {
    let line: Line = match serde_json::from_str(text) {
        Ok(line) => line,
        Err(error) => return because(error.to_string()),
    };
    let at = match line.t {
        t if (0.0..=T_MAX_S).contains(&t) => Duration::from_secs_f64(t),
        t => return because(format!("t is {t}, and not between 0 and a year in seconds")),
    };
    Ok((at, happening(line)?))
}

fn happening(line: Line) -> Result<Happening, NotUnderstood> {
    let mut found = Vec::new();
    if let Some(ValueLine { device, mdc, value, unit }) = line.value {
        let digits = match value {
            Number::Digits(text) => text,
            Number::Number(number) => number.to_string(),
        };
        let Ok(value) = digits.parse() else {
            return because(format!("{digits} is no decimal number"));
        };
        let Some(unit) = Unit::from_ucum(&unit) else {
            return because(format!("{unit} is no unit that is known"));
        };
        found.push(Happening::Value { device: name(device)?, code: Mdc(mdc), unit, value });
    }
    if let Some(AbsentLine { device, mdc, reason }) = line.absent {
        let Some(reason) = reason_of(&reason) else {
            return because(format!("{reason} is no reason that is known"));
        };
        found.push(Happening::Absent { device: name(device)?, code: Mdc(mdc), reason });
    }
    if let Some(LinkLine { device, state }) = line.link {
        let link = match state.as_str() {
            "live" => Link::Live,
            "lost" => Link::Lost,
            "connecting" => Link::Connecting,
            _ => return because(format!("{state} is no state of a link")),
        };
        found.push(Happening::Link { device: name(device)?, link });
    }
    if let Some(AssignLine { device, kind }) = line.assign {
        let Some((_, kind)) = KINDS.iter().find(|(word, _)| *word == kind) else {
            return because(format!("{kind} is no kind of device"));
        };
        found.push(Happening::Assign { device: name(device)?, kind: *kind });
    }
    if let Some(DeviceLine { device }) = line.release {
        found.push(Happening::Release { device: name(device)? });
    }
    if let Some(BatteryLine { device, percent }) = line.battery {
        if percent > 100 {
            return because(format!("a battery of {percent} %"));
        }
        found.push(Happening::Battery { device: name(device)?, percent });
    }
    if let Some(act) = &line.act {
        found.push(match act.as_str() {
            "acknowledge" => Happening::Acknowledge { condition: line.condition.clone() },
            "pause-sound" => Happening::PauseSound,
            "lock" => Happening::Lock,
            "unlock" => Happening::Unlock,
            _ => return because(format!("{act} is no act")),
        });
    }
    if line.condition.is_some() && line.act.as_deref() != Some("acknowledge") {
        return because("a condition belongs to \"act\":\"acknowledge\"");
    }
    if let Some(wall) = line.wall {
        let Ok(wall) = wall.parse() else {
            return because(format!("{wall} is no time as 2026-11-29T10:00:00Z"));
        };
        found.push(Happening::Wall(wall));
    }
    found.extend(line.lost_records.map(Happening::LostRecords));
    let first = found.pop().unwrap_or(Happening::Nothing);
    if found.is_empty() { Ok(first) } else { because("it says more than one thing") }
}

/// A name that can stand behind the colon of a condition's.
fn name(name: String) -> Result<String, NotUnderstood> {
    let is_name = !name.is_empty()
        && name.chars().count() <= NAME_CHARS_MAX
        && !name.chars().any(char::is_control);
    if is_name { Ok(name) } else { because("a device's name is 1 to 64 letters") }
}

/// The words of the kinds of device.
pub(super) const KINDS: [(&str, DeviceKind); 6] = [
    ("oximeter", DeviceKind::PulseOximeter),
    ("heart-rate", DeviceKind::HeartRate),
    ("cuff", DeviceKind::Cuff),
    ("thermometer", DeviceKind::Thermometer),
    ("patch", DeviceKind::Patch),
    ("glucose-sensor", DeviceKind::GlucoseSensor),
];

/// A reason as `decode` writes it, or in the words of people.
fn reason_of(word: &str) -> Option<Absent> {
    match word {
        "sensor-off" => Some(Absent::NotOnUser),
        "no-value" => Some(Absent::Unavailable),
        _ => Absent::ALL.into_iter().find(|reason| reason.word() == word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_when_and_one_thing() {
        let device = || "A".to_owned();
        let second = |t| Duration::from_secs_f64(t);
        let spo2 = |value: &str| Happening::Value {
            device: device(),
            code: Mdc(150_456),
            unit: Unit::Percent,
            value: value.parse().expect("a decimal"),
        };
        for (text, at, happening) in [
            (r#"{"t":12.5}"#, 12.5, Happening::Nothing),
            (
                r#"{"t":1,"value":{"device":"A","mdc":150456,"value":"88","unit":"%"}}"#,
                1.0,
                spo2("88"),
            ),
            (
                r#"{"t":1,"value":{"device":"A","mdc":150456,"value":88.5,"unit":"%"}}"#,
                1.0,
                spo2("88.5"),
            ),
            (
                r#"{"t":0,"absent":{"device":"A","mdc":150456,"reason":"sensor-off"}}"#,
                0.0,
                Happening::Absent {
                    device: device(),
                    code: Mdc(150_456),
                    reason: Absent::NotOnUser,
                },
            ),
            (
                r#"{"t":0,"act":"acknowledge","condition":"low:spo2"}"#,
                0.0,
                Happening::Acknowledge { condition: Some("low:spo2".into()) },
            ),
            (r#"{"t":3,"lost-records":3}"#, 3.0, Happening::LostRecords(3)),
        ] {
            assert_eq!(read(text), Ok((second(at), happening)), "{text}");
        }
        for text in [
            "",
            "{}",
            "[]",
            r#"{"t":-1}"#,
            r#"{"t":1e300}"#,
            r#"{"t":null}"#,
            r#"{"t":1,"act":"dance"}"#,
            r#"{"t":1,"act":"lock","wall":"2026-11-29T10:00:00Z"}"#,
            r#"{"t":1,"act":"lock","condition":"low:spo2"}"#,
            r#"{"t":1,"wall":"yesterday"}"#,
            r#"{"t":1,"sing":1}"#,
            r#"{"t":1,"battery":{"device":"A","percent":101}}"#,
            r#"{"t":1,"battery":{"device":"A","percent":256}}"#,
            r#"{"t":1,"assign":{"device":"","kind":"cuff"}}"#,
            r#"{"t":1,"assign":{"device":"A","kind":"toaster"}}"#,
            r#"{"t":1,"link":{"device":"A","state":"odd"}}"#,
            r#"{"t":1,"value":{"device":"A","mdc":150456,"value":"1e3","unit":"%"}}"#,
            r#"{"t":1,"value":{"device":"A","mdc":150456,"value":"88","unit":"furlong"}}"#,
            r#"{"t":1,"lost-records":-3}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in "\\PC{0,200}") {
            let _judged = read(&text).is_ok();
        }
    }
}
