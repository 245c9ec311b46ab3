//! One line of a batch as a question: which characteristic, which bytes, which device.

use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::ctl::decode::answer::Rejection;
use wardkeep_model::confidential::Secret;
use wardkeep_model::vitals::Characteristic;
use wardkeep_model::vitals::gatt::{Quirks, SUPPORTED};
use wardkeep_model::vitals::vendor::{Device, Protocol};

/// What the last 96 bits of every Bluetooth SIG UUID are (Bluetooth Core, Vol 3 Part B, 2.5.1).
const SIG_BASE: &str = "00001000800000805f9b34fb";

/// The name that stands for the profile that a characteristic belongs to.
const PROFILE: &str = "gatt";

/// What stands for a characteristic of no profile.
const VENDOR: &str = "vendor";

/// A characteristic as written by a person or a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// A Bluetooth SIG number.
    Sig(Characteristic),
    /// Somebody's own, by its UUID or just as that.
    Vendor,
}

/// What a frame is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A characteristic of a profile.
    Profile(Characteristic),
    /// A vendor's own protocol.
    Vendor(Protocol),
}

/// A frame to decode.
#[derive(Debug)]
pub struct Question {
    /// Whatever the asker calls it; null if nothing.
    pub id: Json,
    /// What it is read as.
    pub subject: Subject,
    /// The bytes.
    pub frame: Vec<u8>,
    /// Deviations of the device from its profiles.
    pub quirks: Quirks,
    /// What vendors' protocols need to know.
    pub device: Device,
}

/// Reads a line. An error still carries the line's `id`, where it has one.
pub fn parse(line: &[u8]) -> Result<Question, (Json, Rejection)> {
    let Ok(Json::Object(mut object)) = serde_json::from_slice(line) else {
        return Err((Json::Null, malformed("line")));
    };
    let id = object.remove("id").unwrap_or_default();
    match read_frame(&object).and_then(|frame| Ok((frame, read_device(&mut object)?))) {
        Ok(((subject, frame), (quirks, device))) => {
            Ok(Question { id, subject, frame, quirks, device })
        }
        Err(rejection) => Err((id, rejection)),
    }
}

type Object = serde_json::Map<String, Json>;

fn read_frame(object: &Object) -> Result<(Subject, Vec<u8>), Rejection> {
    let text = |field| object.get(field).and_then(Json::as_str).ok_or(malformed(field));
    let name = characteristic(text("characteristic")?).ok_or(malformed("characteristic"))?;
    let frame = hexadecimal(text("value")?).ok_or(malformed("value"))?;
    let protocol = match object.get("protocol") {
        None | Some(Json::Null) => None,
        Some(Json::String(protocol)) => Some(protocol.as_str()),
        Some(Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
            return Err(malformed("protocol"));
        }
    };
    Ok((subject(name, protocol)?, frame))
}

/// What a frame of this characteristic is read as. Bytes of one protocol must not be read as if they
/// followed another; some vendors use numbers that look like those of a profile and are of none.
pub fn subject(name: Name, protocol: Option<&str>) -> Result<Subject, Rejection> {
    let protocol = protocol.filter(|protocol| !protocol.eq_ignore_ascii_case(PROFILE));
    let unsupported = |field| Rejection { kind: "unsupported", field };
    match (name, protocol) {
        (Name::Sig(characteristic), None) => Ok(Subject::Profile(characteristic)),
        (Name::Sig(characteristic), Some(_)) if SUPPORTED.contains(&characteristic) => {
            Err(unsupported("protocol"))
        }
        (Name::Vendor, None) => Err(unsupported("characteristic")),
        (Name::Vendor | Name::Sig(_), Some(protocol)) => {
            Protocol::from_word(protocol).map(Subject::Vendor).ok_or(unsupported("protocol"))
        }
    }
}

fn read_device(object: &mut Object) -> Result<(Quirks, Device), Rejection> {
    let mut device = match object.remove("device") {
        None | Some(Json::Null) => return Ok((Quirks::default(), Device::default())),
        Some(Json::Object(device)) => device,
        Some(Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::String(_)) => {
            return Err(malformed("device"));
        }
    };
    let mut text = |field| match device.remove(field) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
            Err(malformed("device"))
        }
    };
    let key = text("bind_key")?.map(Zeroizing::new);
    let (name, model, mac) = (text("name")?, text("model")?, text("mac")?);
    let quirks = Quirks::of(name.as_deref(), model.as_deref());
    let mac = mac.map(|mac| mac.parse().map_err(|_| malformed("device.mac"))).transpose()?;
    let key = key.map(|key| bind_key(&key).ok_or(malformed("device.bind_key"))).transpose()?;
    Ok((quirks, Device { model, mac, bind_key: key }))
}

/// A key of 16 bytes, written as a frame is.
pub fn bind_key(text: &str) -> Option<Secret<[u8; 16]>> {
    let bytes = Zeroizing::new(hexadecimal(text)?);
    bytes.as_slice().try_into().ok().map(Secret::new)
}

const fn malformed(field: &'static str) -> Rejection {
    Rejection { kind: "malformed", field }
}

/// A SIG number of 4 or 8 digits (`2a5f`, `0x2A5F`, `00002a5f`) or a UUID of 32, hyphens or not, in braces
/// or not: as programs that log Bluetooth write it; or `vendor`.
pub fn characteristic(text: &str) -> Option<Name> {
    let text = text.trim();
    if text.eq_ignore_ascii_case(VENDOR) {
        return Some(Name::Vendor);
    }
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let plain: String = bare.chars().filter(|c| *c != '-').collect();
    let small = plain.to_ascii_lowercase();
    let digits = small.strip_prefix("0x").unwrap_or(&small);
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let short = match digits.len() {
        4 => digits,
        8 => match digits.strip_prefix("0000") {
            Some(short) => short,
            None => return Some(Name::Vendor),
        },
        32 => match digits.strip_prefix("0000").and_then(|rest| rest.strip_suffix(SIG_BASE)) {
            Some(short) => short,
            None => return Some(Name::Vendor),
        },
        _ => return None,
    };
    let number = u16::from_str_radix(short, 16).ok()?;
    Some(Name::Sig(Characteristic(number)))
}

/// Bytes as pairs of hexadecimal digits; spaces, colons, hyphens and commas may separate them, each run of
/// digits may begin with `0x`, and `(0x)` may stand before them all.
pub fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let separates = |c: char| c.is_ascii_whitespace() || matches!(c, ':' | '-' | ',');
    let text = text.trim_start();
    let text = text.strip_prefix("(0x)").or_else(|| text.strip_prefix("(0X)")).unwrap_or(text);
    let mut bytes = Vec::new();
    for run in text.split(separates) {
        let run = run.strip_prefix("0x").or_else(|| run.strip_prefix("0X")).unwrap_or(run);
        let (pairs, odd) = run.as_bytes().as_chunks::<2>();
        if !odd.is_empty() {
            return None;
        }
        for [high, low] in pairs {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let byte = digit(*high)? << 4 | digit(*low)?;
            bytes.push(u8::try_from(byte).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characteristics_are_numbers_or_uuids() {
        let sig = Some(Name::Sig(Characteristic(0x2A5F)));
        for text in [
            "2a5f",
            "2A5F",
            "0x2a5f",
            "0X2A5F",
            "{00002a5f-0000-1000-8000-00805f9b34fb}",
            "00002a5f",
            "00002a5f-0000-1000-8000-00805f9b34fb",
            "00002A5F-0000-1000-8000-00805F9B34FB",
            "00002a5f00001000800000805f9b34fb",
        ] {
            assert_eq!(characteristic(text), sig, "{text}");
        }
        for text in [
            "vendor",
            "Vendor",
            "fb005c82-02e7-f387-1cad-8acd2d8df0c8",
            "00002a5f-0000-1000-8000-00805f9b35fb",
            "10002a5f",
        ] {
            assert_eq!(characteristic(text), Some(Name::Vendor), "{text}");
        }
        for text in ["", "2a5", "2a5fg", "heart rate", "+2a5", "00002a5f-0000-1000-8000", "{2a5f"] {
            assert_eq!(characteristic(text), None, "{text}");
        }
    }

    #[test]
    fn frames_are_hexadecimal_pairs() {
        for text in [
            "00 61 ff",
            "0061ff",
            "00:61:FF",
            "00-61-ff",
            "0x00 0x61,0xff",
            " 0061 ff\t",
            "(0x) 00-61-FF",
        ] {
            assert_eq!(hexadecimal(text), Some(vec![0, 0x61, 0xFF]), "{text}");
        }
        assert_eq!(hexadecimal(""), Some(vec![]));
        for text in ["0", "00 6", "zz", "00 6g", "+1", "\u{ff10}0", "00;61", "00 (0x) 61"] {
            assert_eq!(hexadecimal(text), None, "{text}");
        }
    }

    #[test]
    fn a_wrong_part_is_named_and_keeps_the_id() {
        let rejected = |line: &str| {
            let (id, rejection) = parse(line.as_bytes()).expect_err("a wrong line");
            (id, rejection.kind, rejection.field)
        };
        for line in ["", "not json", "[1]", "7", "{\"id\":1", "\u{feff}{}"] {
            assert_eq!(rejected(line), (Json::Null, "malformed", "line"), "{line}");
        }
        for (line, kind, field) in [
            (r#"{"id":7}"#, "malformed", "characteristic"),
            (r#"{"id":7,"characteristic":10847,"value":"00"}"#, "malformed", "characteristic"),
            (r#"{"id":7,"characteristic":"2a5f"}"#, "malformed", "value"),
            (r#"{"id":7,"characteristic":"2a5f","value":"0"}"#, "malformed", "value"),
            (
                r#"{"id":7,"characteristic":"2a5f","value":"00","protocol":"o2ring"}"#,
                "unsupported",
                "protocol",
            ),
            (
                r#"{"id":7,"characteristic":"2a5f","value":"00","protocol":1}"#,
                "malformed",
                "protocol",
            ),
            (
                r#"{"id":7,"characteristic":"2a5f","value":"00","device":"BM85"}"#,
                "malformed",
                "device",
            ),
            (
                r#"{"id":7,"characteristic":"2a5f","value":"00","device":{"name":85}}"#,
                "malformed",
                "device",
            ),
            (r#"{"id":7,"characteristic":"vendor","value":"00"}"#, "unsupported", "characteristic"),
            (
                r#"{"id":7,"characteristic":"vendor","value":"00","protocol":"gatt"}"#,
                "unsupported",
                "characteristic",
            ),
            (
                r#"{"id":7,"characteristic":"vendor","value":"00","protocol":"o3ring"}"#,
                "unsupported",
                "protocol",
            ),
            (
                r#"{"id":7,"characteristic":"2a5f","value":"00","device":{"mac":"84-46-93-64-A5-E6"}}"#,
                "malformed",
                "device.mac",
            ),
            (
                r#"{"id":7,"characteristic":"2a5f","value":"00","device":{"bind_key":"5830"}}"#,
                "malformed",
                "device.bind_key",
            ),
            (
                r#"{"id":7,"characteristic":"2a5f","value":"00","device":{"bind_key":5830}}"#,
                "malformed",
                "device",
            ),
        ] {
            assert_eq!(rejected(line), (Json::from(7), kind, field), "{line}");
        }
    }

    #[test]
    fn a_question_may_name_its_device() {
        let line =
            br#"{"characteristic":"2a35","value":"00","device":{"model":"BM 85","name":null}}"#;
        let question = parse(line).expect("a good line");
        assert_eq!(question.id, Json::Null);
        assert!(question.quirks.swapped_cuff_tail);
        assert_eq!(question.device.model.as_deref(), Some("BM 85"));
    }

    #[test]
    fn a_protocol_is_named_in_any_case_and_any_number_of_no_profile_goes_with_it() {
        for characteristic in ["vendor", "cdeacd81-5235-4c07-8846-93a37ee6b86d", "ff02"] {
            let line = format!(
                r#"{{"characteristic":"{characteristic}","protocol":"Yonker-BP","value":"81"}}"#
            );
            let question = parse(line.as_bytes()).expect("a good line");
            assert_eq!(question.subject, Subject::Vendor(Protocol::YonkerBp));
        }
    }

    /// S-10: a key is seen in no answer and in no `{:?}`.
    #[test]
    fn s10_a_key_is_read_and_not_printed() {
        let line = br#"{"id":1,"characteristic":"vendor","protocol":"xiaomi-s400","value":"00",
            "device":{"mac":"84:46:93:64:A5:E6","bind_key":"47114711 47114711 47114711 47114711"}}"#;
        let question = parse(line).expect("a good line");
        let key = question.device.bind_key.as_ref().expect("a key").expose();
        assert!(key.iter().all(|byte| matches!(byte, 0x47 | 0x11)));
        let printed = format!("{question:?}");
        assert!(
            printed.contains("[secret]")
                && !printed.contains("71, 17")
                && !printed.contains("4711")
        );
    }
}
