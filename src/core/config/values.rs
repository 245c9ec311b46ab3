//! Values of settings: what a text in the file may be, and what is said of one that it may not be.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use wardkeep_model::access::factor::READER_CHARS_MAX;
use wardkeep_model::alarm::limits::Span;
use wardkeep_model::untrusted;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::parameter::LimitKey;

use crate::config::{Ignored, Language, TEXT_PERCENT};
use crate::inventory::LeastFirmware;

/// Most characters of a label.
const LABEL_CHARS_MAX: usize = 24;
/// Most entries of a list.
const LIST_MAX: usize = 16;
/// Longest model with a version, in characters.
const LEAST_CHARS_MAX: usize = 64;
/// Longest object identifier, in characters.
const OID_CHARS_MAX: usize = 64;

pub(super) fn limit(
    key: &str,
    of: LimitKey,
    value: &toml::Value,
    range: &RangeInclusive<i64>,
) -> Result<Decimal, Ignored> {
    let limit = number(of, value).ok_or_else(|| wrong(key, expected(of)))?;
    let (min, max) = (*range.start(), *range.end());
    if Decimal::from(min) <= limit && limit <= Decimal::from(max) {
        Ok(limit)
    } else {
        let value = Decimal::nearest(limit.to_f64(), 0).map_or(i64::MAX, |whole| whole.parts().0);
        Err(Ignored::OutOfRange { key: key.to_owned(), value, min, max })
    }
}

pub(super) fn span(key: &str, of: LimitKey, value: &toml::Value) -> Result<Span, Ignored> {
    let ends = value.as_array().map(Vec::as_slice);
    let span = match ends {
        Some([least, most]) => number(of, least).zip(number(of, most)),
        Some(_) | None => None,
    };
    let span = span.map(|(least, most)| Span { least, most });
    let ascending = span.filter(|span| span.least < span.most);
    ascending.ok_or_else(|| wrong(key, "two numbers, the lower one first, as [40, 60]"))
}

/// A number with the digits that a limit has.
fn number(of: LimitKey, value: &toml::Value) -> Option<Decimal> {
    let whole = value.as_integer().map(Decimal::from);
    let tenths = value.as_float().filter(|_| has_tenths(of));
    whole.or_else(|| Decimal::nearest(tenths?, -1))
}

fn has_tenths(of: LimitKey) -> bool {
    of.step().parts().1 < 0
}

fn expected(of: LimitKey) -> &'static str {
    match of {
        LimitKey::Temperature => "a number of degrees Celsius",
        LimitKey::Glucose => "a number of mmol/L",
        LimitKey::Rate
        | LimitKey::Saturation
        | LimitKey::Respiration
        | LimitKey::Systolic
        | LimitKey::Diastolic
        | LimitKey::Mean => "a whole number",
    }
}

pub(super) fn wrong(key: &str, expected: &'static str) -> Ignored {
    Ignored::WrongType { key: key.to_owned(), expected }
}

pub(super) fn whole(
    key: &str,
    value: &toml::Value,
    range: &RangeInclusive<i64>,
) -> Result<i64, Ignored> {
    let value = value.as_integer().ok_or_else(|| wrong(key, "a whole number"))?;
    if range.contains(&value) {
        Ok(value)
    } else {
        let (min, max) = (*range.start(), *range.end());
        Err(Ignored::OutOfRange { key: key.to_owned(), value, min, max })
    }
}

pub(super) fn language(key: &str, value: &toml::Value) -> Result<Language, Ignored> {
    match value.as_str() {
        Some("en") => Ok(Language::English),
        Some("de") => Ok(Language::German),
        Some(_) | None => Err(wrong(key, "\"en\" or \"de\"")),
    }
}

pub(super) fn text_size(key: &str, value: &toml::Value) -> Result<i64, Ignored> {
    let size = value.as_integer().filter(|size| TEXT_PERCENT.contains(size));
    size.ok_or_else(|| wrong(key, "100, 125, 150 or 200"))
}

pub(super) fn yes(key: &str, value: &toml::Value) -> Result<bool, Ignored> {
    value.as_bool().ok_or_else(|| wrong(key, "true or false"))
}

pub(super) fn minutes(count: i64) -> Duration {
    Duration::from_secs(count.unsigned_abs() * 60)
}

pub(super) fn some_minutes(count: i64) -> Option<Duration> {
    (count > 0).then(|| minutes(count))
}

/// A number whose range has no negative ones.
pub(super) fn some(count: i64) -> u32 {
    u32::try_from(count).unwrap_or_default()
}

pub(super) fn hours(count: i64) -> Duration {
    minutes(count * 60)
}

pub(super) fn days(count: i64) -> Duration {
    hours(count * 24)
}

pub(super) fn seconds(count: i64) -> Duration {
    Duration::from_secs(count.unsigned_abs())
}

pub(super) fn directory(key: &str, value: &toml::Value) -> Result<PathBuf, Ignored> {
    let path = value.as_str().map(PathBuf::from).filter(|path| path.is_absolute());
    path.ok_or_else(|| wrong(key, "an absolute path"))
}

pub(super) fn usb_id(key: &str, value: &toml::Value) -> Result<(u16, u16), Ignored> {
    let part = |text: &str| {
        let hexadecimal = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        hexadecimal.then(|| u16::from_str_radix(text, 16).ok()).flatten()
    };
    let id = value.as_str().and_then(|text| text.split_once(':'));
    id.and_then(|(vendor, product)| Some((part(vendor)?, part(product)?)))
        .ok_or_else(|| wrong(key, "vendor and product as \"vvvv:pppp\""))
}

pub(super) fn address(key: &str, value: &toml::Value) -> Result<DeviceId, Ignored> {
    let address = value.as_str().and_then(|text| text.parse().ok());
    address.ok_or_else(|| wrong(key, "six hexadecimal bytes, as \"00:1A:7D:DA:71:13\""))
}

pub(super) fn label(key: &str, value: &toml::Value) -> Result<String, Ignored> {
    let label = value.as_str().and_then(|text| untrusted::named(text, LABEL_CHARS_MAX));
    label.ok_or_else(|| wrong(key, "a text of up to 24 characters that all can be seen"))
}

pub(super) fn names(key: &str, value: &toml::Value) -> Result<Vec<String>, Ignored> {
    let name =
        |text: &str| untrusted::named(text, READER_CHARS_MAX).filter(|name| !name.is_empty());
    list(value, name)
        .ok_or_else(|| wrong(key, "up to 16 names of readers, as [\"ACS ACR1252\", \"0c27:3bfa\"]"))
}

pub(super) fn policies(key: &str, value: &toml::Value) -> Result<Vec<String>, Ignored> {
    list(value, |text| is_object_identifier(text).then(|| text.to_owned())).ok_or_else(|| {
        wrong(key, "up to 16 object identifiers, as [\"2.16.840.1.101.3.2.1.3.13\"]")
    })
}

pub(super) fn firmware(key: &str, value: &toml::Value) -> Result<Vec<LeastFirmware>, Ignored> {
    let one = |text: &str| {
        let (model, version) = untrusted::named(text, LEAST_CHARS_MAX)?
            .rsplit_once(' ')
            .map(|(model, version)| (model.to_owned(), version.to_owned()))?;
        let has_number = version.contains(|letter: char| letter.is_ascii_digit());
        has_number.then_some(LeastFirmware { model, version })
    };
    list(value, one).ok_or_else(|| {
        wrong(key, "up to 16 models, each with its oldest firmware, as [\"UA-651BLE 1.05\"]")
    })
}

/// Every entry of a list, or none.
fn list<T>(value: &toml::Value, one: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let entries = value.as_array().filter(|entries| entries.len() <= LIST_MAX)?;
    entries.iter().map(|entry| one(entry.as_str()?)).collect()
}

/// Numbers between dots, without leading zeros; the first two as X.660 (7.6) allows.
fn is_object_identifier(text: &str) -> bool {
    let number = |part: &str| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        let plain = part == "0" || !part.starts_with('0');
        (digits && plain).then(|| part.parse::<u32>().ok())?
    };
    let arcs: Option<Vec<u32>> = text.split('.').map(number).collect();
    let arcs = arcs.unwrap_or_default();
    let begins = match arcs.as_slice() {
        [0 | 1, second, _, ..] => *second < 40,
        [2, _, _, ..] => true,
        _ => false,
    };
    begins && text.len() <= OID_CHARS_MAX
}
