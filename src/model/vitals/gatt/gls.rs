//! Glucose Service, 0x1808: Glucose Measurement (2A18) and Glucose Feature (2A51).
//!
//! S-7: control solution is announced in either of two fields, sample type 10 or sample location 4, and
//! neither may reach a patient's chart. A meter that reports a bad strip, a bad sample or itself at
//! fault has no result.

use jiff::SignedDuration;

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Counter, Note, Topic, from_one};
use crate::vitals::gatt::quality::{Bit, Meaning, Quality};
use crate::vitals::gatt::stamp::Stamp;
use crate::vitals::nomenclature::*;

const OFFSET_PRESENT: u8 = 1 << 0;
const CONCENTRATION_PRESENT: u8 = 1 << 1;
const MOLES: u8 = 1 << 2;
const STATUS_PRESENT: u8 = 1 << 3;
const CONTEXT_FOLLOWS: u8 = 1 << 4;

const CONTROL_TYPE: u8 = 10;
const CONTROL_LOCATION: u8 = 4;

/// What can be sampled and where (Glucose Measurement, CGM Feature), from 1.
const SAMPLE_TYPES: &[&str] = &[
    "capillary-whole-blood",
    "capillary-plasma",
    "venous-whole-blood",
    "venous-plasma",
    "arterial-whole-blood",
    "arterial-plasma",
    "undetermined-whole-blood",
    "undetermined-plasma",
    "interstitial-fluid",
    "control-solution",
];
const SAMPLE_LOCATIONS: &[&str] =
    &["finger", "alternate-site", "earlobe", "control-solution", "subcutaneous-tissue"];

/// Glucose Feature.
const FEATURES: &[(u32, &str)] = &[
    (0, "low-battery-detection"),
    (1, "sensor-malfunction-detection"),
    (2, "sample-size-detection"),
    (3, "strip-insertion-detection"),
    (4, "strip-type-detection"),
    (5, "result-range-detection"),
    (6, "sensor-temperature-detection"),
    (7, "read-interrupt-detection"),
    (8, "device-fault"),
    (9, "time-fault"),
    (10, "multiple-bonds"),
];

/// Sensor Status Annunciation, graver reasons first.
const STATUS: &[Bit] = &[
    (10, Meaning::Withhold(Absent::SensorFault)),
    (1, Meaning::Withhold(Absent::SensorFault)),
    (2, Meaning::Withhold(Absent::MeasurementFailed)), // sample too small
    (3, Meaning::Withhold(Absent::MeasurementFailed)), // strip inserted wrongly
    (4, Meaning::Withhold(Absent::MeasurementFailed)), // strip of the wrong type
    (7, Meaning::Withhold(Absent::MeasurementFailed)), // sensor too hot
    (8, Meaning::Withhold(Absent::MeasurementFailed)), // sensor too cold
    (9, Meaning::Withhold(Absent::MeasurementFailed)), // strip pulled too soon
    (5, Meaning::Withhold(Absent::AboveDeviceRange)),
    (6, Meaning::Withhold(Absent::BelowDeviceRange)),
    (0, Meaning::Remark(Status::LowBattery)),
    (11, Meaning::Remark(Status::TimeFault)),
];

/// Reads flags, sequence, base time, offset, concentration with type and location, and status.
pub(super) fn measurement(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let flags = cursor.u8("flags")?;
    decoded.count(Counter::Sequence, u32::from(cursor.u16("sequence number")?));
    let base = cursor.stamp("base time")?;
    let offset = if flags & OFFSET_PRESENT != 0 { cursor.i16("time offset")? } else { 0 };
    stamp(base, offset, decoded);
    if flags & CONCENTRATION_PRESENT == 0 {
        decoded.note(Note::NoConcentration);
    }
    let concentration = if flags & CONCENTRATION_PRESENT != 0 {
        Some((cursor.sfloat("concentration")?, cursor.u8("type and sample location")?))
    } else {
        None
    };
    let status =
        if flags & STATUS_PRESENT != 0 { cursor.u16("sensor status annunciation")? } else { 0 };
    if let Some((reading, specimen)) = concentration {
        // The profile counts in kg/L and mol/L: the same units with the decimal point elsewhere.
        let (unit, reading) = if flags & MOLES != 0 {
            (Unit::MillimolePerLitre, reading.shifted(3))
        } else {
            (Unit::MilligramPerDecilitre, reading.shifted(5))
        };
        let (code, mut quality) = judge(specimen);
        quality.add(u32::from(status), STATUS);
        decoded.offer(code, unit, reading, &quality);
    }
    if flags & CONTEXT_FOLLOWS != 0 {
        decoded.note(Note::ContextFollows);
    }
    Ok(())
}

/// Reads the features.
pub(super) fn features(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let features = cursor.u16("features")?;
    decoded.set_bits(Topic::Feature, u32::from(features), FEATURES);
    Ok(())
}

/// Names what is sampled (low nibble) and where (high nibble), beside no value.
pub(super) fn specimen(specimen: u8, decoded: &mut Decoded) {
    let (sample_type, location) = (specimen & 0x0F, specimen >> 4);
    decoded.label(Topic::SampleType, from_one(SAMPLE_TYPES, sample_type));
    let location = match location {
        15 => "not-available",
        _ => from_one(SAMPLE_LOCATIONS, location),
    };
    decoded.label(Topic::SampleLocation, location);
}

/// Base time plus the offset that the user's changes of the clock have added up to, in minutes.
fn stamp(base: Stamp, offset: i16, decoded: &mut Decoded) {
    match offset {
        i16::MAX => decoded.note(Note::TimeOffsetOverrun),
        i16::MIN => decoded.note(Note::TimeOffsetUnderrun),
        minutes => decoded.stamp(match base {
            Stamp::Known(base) => base
                .checked_add(SignedDuration::from_mins(i64::from(minutes)))
                .map_or(Stamp::Impossible, Stamp::Known),
            Stamp::Unknown | Stamp::Impossible => base,
        }),
    }
}

/// What was sampled (low nibble) and where (high nibble).
fn judge(specimen: u8) -> (Mdc, Quality) {
    let (sample_type, location) = (specimen & 0x0F, specimen >> 4);
    let mut quality = Quality::default();
    if sample_type == CONTROL_TYPE || location == CONTROL_LOCATION {
        quality.withhold(Absent::ControlSolution);
    }
    let code = match sample_type {
        1 => GLUCOSE_CAPILLARY_BLOOD,
        2 => GLUCOSE_CAPILLARY_PLASMA,
        3 => GLUCOSE_VENOUS_BLOOD,
        4 => GLUCOSE_VENOUS_PLASMA,
        5 => GLUCOSE_ARTERIAL_BLOOD,
        6 => GLUCOSE_ARTERIAL_PLASMA,
        7 => GLUCOSE_UNDETERMINED_BLOOD,
        8 => GLUCOSE_UNDETERMINED_PLASMA,
        9 => GLUCOSE_INTERSTITIAL,
        CONTROL_TYPE => GLUCOSE_CONTROL,
        _ => {
            // A specimen reserved for later may be anything, another control included.
            quality.withhold(Absent::Reserved);
            GLUCOSE
        }
    };
    match location {
        1 => quality.status.push(Status::Finger),
        2 => quality.status.push(Status::AlternateSite),
        3 => quality.status.push(Status::Earlobe),
        15 => quality.status.push(Status::SiteUnknown),
        _ => {} // control solution, or reserved
    }
    (code, quality)
}

#[cfg(test)]
mod tests;
