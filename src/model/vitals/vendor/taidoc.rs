//! `taidoc`: meters of TaiDoc, also sold as FORA: cuffs, glucose meters, oximeters, thermometers, scales.
//!
//! ```text
//! 51 | command | d0 d1 d2 d3 | A5 | sum     a host's questions end with A3
//! 24 model, BCD   25 time of a record   26 a record   2B how many   43 a cuff's result   49 live oximeter
//! 71 | length | .. | A5 | sum               a scale's record
//! ```
//!
//! A record does not say what it is of: the model does. Commands and layouts: `advmeds-service/
//! advmeds-bluetooth-lib` (decoders by model), `glucometers-tech/glucometerutils` (td42xx.py) and
//! `markchuang56/iOS-Demo` (Fora.m, ForaW310.m, with a capture of a scale).
//!
//! S-7: a record of the memory says so, because only the answer before it says when it was measured; what has
//! the shape of a question is no reading; a record flagged as quality control is control
//! solution; ketones, uric acid and their like, which the same meters measure, are no glucose.

use crate::vitals::gatt::{Counter, Cursor, DecodeError, Decoded, Quality, Said, Stamp, Topic};
use crate::vitals::nomenclature::*;
use crate::vitals::sfloat::Reading;
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::cuff::{self, Cuff};
use crate::vitals::vendor::device::Device;
use crate::vitals::vendor::oximeter::{self, unless};
use crate::vitals::vendor::wire::{Piece, agree, fixed, stamp_2000, sum, take};

pub(super) const ABOUT: About = About {
    word: "taidoc",
    device: "TaiDoc and FORA meters",
    measures: &[
        SYSTOLIC,
        DIASTOLIC,
        PULSE_RATE_CUFF,
        GLUCOSE_CAPILLARY_BLOOD,
        SPO2,
        PULSE_RATE_OXIMETER,
        BODY_TEMPERATURE,
        BODY_WEIGHT,
        BODY_MASS_INDEX,
        BODY_FAT,
    ],
    needs: &["model"],
    endpoint: Endpoint {
        service: "00001523-1212-efde-1523-785feabcd123",
        notify: &["00001524-1212-efde-1523-785feabcd123"],
        write: &["00001524-1212-efde-1523-785feabcd123"],
        // An oximeter is asked with 49, a scale with 71.
        start: RECORD,
    },
};

/// The newest record.
const RECORD: &[u8] = &[0x51, 0x26, 0x00, 0x00, 0x00, 0x00, 0xA3, 0x1A];
/// What the clock shows, when the newest record was measured, and what it is.
pub(super) const NEWEST: &[&[u8]] = &[
    &[0x51, 0x23, 0x00, 0x00, 0x00, 0x00, 0xA3, 0x17],
    &[0x51, 0x25, 0x00, 0x00, 0x00, 0x00, 0xA3, 0x19],
    RECORD,
];
/// What an oximeter sees.
pub(super) const LIVE: &[u8] = &[0x51, 0x49, 0x00, 0x00, 0x00, 0x00, 0xA3, 0x3D];

const MARKER: u8 = 0x51;
const ASKED: u8 = 0xA3;
const ANSWERED: u8 = 0xA5;

/// What a meter's records are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cuff,
    Glucose,
    Oximeter,
    Thermometer,
}

/// Models whose records were seen, spelt without spaces and hyphens.
const MODELS: &[(&str, Kind)] = &[
    ("TD3128", Kind::Cuff),
    ("TD3140", Kind::Cuff),
    ("P30PLUS", Kind::Cuff),
    ("TD42", Kind::Glucose), // TD-4206, 4216, 4257, 4277 and their like
    ("TD4141", Kind::Glucose),
    ("GD40", Kind::Glucose),
    ("MD6", Kind::Glucose),
    ("TD8201", Kind::Oximeter),
    ("TD8255", Kind::Oximeter),
    ("TD1035", Kind::Thermometer),
    ("TD1241", Kind::Thermometer),
    ("TD1261", Kind::Thermometer),
    ("IR40", Kind::Thermometer),
    ("IR42", Kind::Thermometer),
];

pub(super) fn read(
    cursor: &mut Cursor<'_>,
    device: &Device,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let is_stamp = matches!(cursor.rest(), [MARKER, 0x25, ..]);
    answer(cursor, device, decoded)?;
    // When a record was measured stands before it.
    if is_stamp && cursor.rest().first() == Some(&MARKER) {
        answer(cursor, device, decoded)?;
    }
    Ok(())
}

fn answer(
    cursor: &mut Cursor<'_>,
    device: &Device,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let whole = cursor.rest();
    fixed(cursor, MARKER, "marker")?;
    let command = cursor.u8("command")?;
    if command == 0x71 {
        return scale(whole, cursor, decoded);
    }
    let data = cursor.bytes::<4>("data")?;
    let end = cursor.u8("end")?;
    if end != ASKED && end != ANSWERED {
        return Err(DecodeError::Invalid { field: "end" });
    }
    agree(sum(whole.get(..7).unwrap_or_default()), cursor.u8("checksum")?)?;
    let [d0, d1, d2, d3] = data;
    let word = u16::from_le_bytes([d0, d1]);
    // A question holds the number of a record and of a user, and nothing else.
    if end == ASKED && d2 == 0 && d3 <= 4 {
        decoded.say("question", Said::Count(i64::from(command)));
        return Ok(());
    }
    match command {
        0x23 | 0x33 => {
            decoded.stamp(stamp(data));
            decoded.is_clock = true;
        }
        0x25 => decoded.stamp(stamp(data)),
        0x24 => decoded.say("model-number", Said::Count(decimal(word))),
        0x26 => record(kind(device)?, data, &stored(), decoded),
        0x2B => decoded.count(Counter::Records, u32::from(word)),
        0x43 => record(Kind::Cuff, data, &Quality::default(), decoded),
        0x49 => record(Kind::Oximeter, data, &Quality::default(), decoded),
        _ => decoded.say("answer", Said::Count(i64::from(command))),
    }
    Ok(())
}

/// An answer. A record does not say when it was measured: that is asked for before it.
pub(super) fn piece(bytes: &[u8]) -> Piece {
    let fits = |frame: &[u8]| {
        let end = frame.len().checked_sub(2).and_then(|at| frame.get(at));
        let is_end = matches!(end, Some(&(ASKED | ANSWERED)));
        is_end && frame.split_last().is_some_and(|(sent, checked)| sum(checked) == *sent)
    };
    match *bytes {
        [MARKER, 0x71, len, ..] => {
            let len = 5 + usize::from(len);
            Piece::of(bytes, len, fits, Piece::Whole(len))
        }
        [MARKER, 0x25, ..] => Piece::of(bytes, 8, fits, Piece::Stamp(8)),
        [MARKER, 0x26, ..] => Piece::of(bytes, 8, fits, Piece::Stamped(8)),
        [MARKER, command, ..] if command != 0x71 => Piece::of(bytes, 8, fits, Piece::Whole(8)),
        [] | [MARKER, ..] => Piece::More,
        _ => Piece::Wrong,
    }
}

fn kind(device: &Device) -> Result<Kind, DecodeError> {
    let field = "device.model";
    let model = device.model.as_ref().ok_or(DecodeError::Missing { field })?;
    let plain: String = model.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let plain = plain.to_ascii_uppercase();
    let row = MODELS.iter().find(|(spelling, _)| plain.contains(spelling));
    row.map(|(_, kind)| *kind).ok_or(DecodeError::Unknown { field })
}

/// The four digits of a BCD number.
fn decimal(bcd: u16) -> i64 {
    [12, 8, 4, 0].iter().fold(0, |number, shift| number * 10 + i64::from(bcd >> shift & 0xF))
}

/// A day in two bytes, seven bits of year, four of month, five of day; then minute and hour.
fn stamp([d0, d1, minute, hour]: [u8; 4]) -> Stamp {
    let month = (d1 & 1) << 3 | d0 >> 5;
    stamp_2000(d1 >> 1, [month, d0 & 0x1F, hour & 0x1F, minute & 0x3F, 0])
}

fn stored() -> Quality {
    Quality { withhold: None, status: vec![Status::FromStorage] }
}

fn record(kind: Kind, data: [u8; 4], quality: &Quality, decoded: &mut Decoded) {
    let [d0, d1, d2, d3] = data;
    let word = u16::from_le_bytes([d0, d1]);
    match kind {
        Kind::Cuff => {
            let mut quality = quality.clone();
            // A meter that gave up has no pulse, or an error's number in its place.
            if d3 <= 3 {
                quality.withhold(Absent::MeasurementFailed);
            }
            let [systolic, diastolic, pulse] = [d0, d2, d3].map(u16::from);
            cuff::offer(decoded, Cuff { systolic, diastolic, pulse }, &quality);
        }
        Kind::Glucose => glucose(word, d3, quality, decoded),
        Kind::Oximeter => {
            let number = |raw: u8| unless(u16::from(raw), 0, Absent::Unavailable);
            oximeter::offer(decoded, number(d0), number(d3), quality);
        }
        Kind::Thermometer => {
            // Finer thermometers count hundredths: 1000 tenths would be no temperature.
            let exponent = if word >= 1000 { -2 } else { -1 };
            let reading = Reading::of(i64::from(word), exponent);
            decoded.offer(BODY_TEMPERATURE, Unit::Celsius, reading, &measured(word, quality));
        }
    }
}

/// Zero stands for no measurement.
fn measured(raw: u16, quality: &Quality) -> Quality {
    let mut quality = quality.clone();
    if raw == 0 {
        quality.withhold(Absent::Unavailable);
    }
    quality
}

/// The sample is capillary blood; how the meter is calibrated the record does not say.
fn glucose(raw: u16, parameters: u8, quality: &Quality, decoded: &mut Decoded) {
    const ANALYTES: &[(u8, &str)] = &[
        (6, "haematocrit"),
        (7, "ketone"),
        (8, "uric-acid"),
        (9, "cholesterol"),
        (11, "haemoglobin"),
        (12, "lactate"),
    ];
    const QUALITY_CONTROL: u8 = 3;
    const MEALS: &[(u8, &str)] = &[(1, "preprandial"), (2, "postprandial")];
    let (flag, analyte) = (parameters >> 6, parameters >> 2 & 0x0F);
    if analyte != 0 {
        let named = ANALYTES.iter().find(|(number, _)| *number == analyte);
        let name = named.map_or("reserved", |(_, name)| name);
        decoded.say("analyte", Said::Choice(name));
        return;
    }
    let (code, quality) = if flag == QUALITY_CONTROL {
        (GLUCOSE_CONTROL, Quality::withheld(Absent::ControlSolution))
    } else {
        (GLUCOSE_CAPILLARY_BLOOD, measured(raw, quality))
    };
    decoded.offer(code, Unit::MilligramPerDecilitre, Reading::of(i64::from(raw), 0), &quality);
    if let Some((_, meal)) = MEALS.iter().find(|(number, _)| *number == flag) {
        decoded.label(Topic::Meal, meal);
    }
}

/// Reads a scale's record: who stood on it is as the scale was told, what it weighed in both units.
fn scale(whole: &[u8], cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    const POUNDS: u8 = 1;
    let len = usize::from(cursor.u8("length")?);
    let mut body = Cursor::new(take(cursor, len, "record")?);
    let end = cursor.u8("end")?;
    if end == ASKED {
        decoded.say("question", Said::Count(0x71));
        return check(whole, cursor);
    }
    if end != ANSWERED {
        return Err(DecodeError::Invalid { field: "end" });
    }
    check(whole, cursor)?;
    let short = |_| DecodeError::Size { field: "record" };
    let [_, year, month, day, hour, minute] = body.bytes("record").map_err(short)?;
    let [user, _, cm, _, _, _, unit] = body.bytes("record").map_err(short)?;
    let [kg, lb, index] = [0; 3].map(|_: u8| body.bytes("record").map(u16::from_be_bytes));
    let (kg, lb, index) = (kg.map_err(short)?, lb.map_err(short)?, index.map_err(short)?);
    if year == 0xFF {
        decoded.stamp(Stamp::Unknown);
    } else {
        decoded.stamp(stamp_2000(year, [month, day, hour, minute, 0]));
    }
    // Users are numbered from two.
    decoded.user(user.checked_sub(1).filter(|user| (1..=5).contains(user)).unwrap_or(0xFF));
    let (raw, unit) = if unit == POUNDS { (lb, Unit::Pound) } else { (kg, Unit::Kilogram) };
    let stored = |raw: u16| measured(raw, &stored());
    decoded.offer(BODY_WEIGHT, unit, Reading::of(i64::from(raw), -1), &stored(raw));
    let bmi = Reading::of(i64::from(index), -1);
    decoded.offer(BODY_MASS_INDEX, Unit::KilogramPerSquareMetre, bmi, &stored(index));
    decoded.say("height", Said::Quantity(Reading::of(i64::from(cm), 0), Unit::Centimetre));
    if len >= COMPOSITION_LEN {
        body.bytes::<2>("record").map_err(short)?; // basal metabolism
        let fat = body.bytes("record").map(u16::from_be_bytes).map_err(short)?;
        decoded.offer(BODY_FAT, Unit::Percent, Reading::of(i64::from(fat), -1), &stored(fat));
    }
    Ok(())
}

/// A record of a scale that also measures composition.
const COMPOSITION_LEN: usize = 35;

fn check(whole: &[u8], cursor: &mut Cursor<'_>) -> Result<(), DecodeError> {
    let checked = whole.get(..whole.len() - cursor.rest().len()).unwrap_or_default();
    agree(sum(checked), cursor.u8("checksum")?)
}

#[cfg(test)]
pub(super) mod tests;
