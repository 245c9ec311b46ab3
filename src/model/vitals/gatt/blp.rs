//! Blood Pressure Service, 0x1810: Blood Pressure Measurement (2A35), Intermediate Cuff Pressure
//! (2A36), their enhanced forms (2B34, 2B35) and Blood Pressure Feature (2A49).
//!
//! S-7: a cuff that gave up sends NaN in all three pressures, often under a clean status, and on a low
//! battery garbage in some of them. A reading is therefore judged as a whole: without a believable
//! systolic over a believable diastolic nothing of it is charted, its pulse included. The pressure of
//! an inflating cuff is never a blood pressure.

use jiff::SignedDuration;
use jiff::civil::{self, DateTime};

use crate::vitals::decimal::Decimal;
use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Note, Quantity, Topic};
use crate::vitals::gatt::quality::{Bit, Meaning, Quality};
use crate::vitals::gatt::quirk::Quirks;
use crate::vitals::gatt::stamp::Stamp;
use crate::vitals::nomenclature::*;
use crate::vitals::plausible::is_plausible;
use crate::vitals::sfloat::{self, Reading};

const KILOPASCAL: u8 = 1 << 0;
const TIME_PRESENT: u8 = 1 << 1;
const PULSE_PRESENT: u8 = 1 << 2;
const USER_PRESENT: u8 = 1 << 3;
const STATUS_PRESENT: u8 = 1 << 4;
const USER_TIME_PRESENT: u8 = 1 << 5;
const EPOCH_2000: u8 = 1 << 6;

const PULSE_RANGE_SHIFT: u16 = 3;

/// Measurement Status; bits 3 and 4 are one number and read apart.
const STATUS: &[Bit] = &[
    (0, Meaning::Remark(Status::BodyMovement)),
    (1, Meaning::Remark(Status::CuffTooLoose)),
    (2, Meaning::Remark(Status::IrregularPulse)),
    (5, Meaning::Remark(Status::ImproperPosition)),
];

/// Blood Pressure Feature.
const FEATURES: &[(u32, &str)] = &[
    (0, "body-movement"),
    (1, "cuff-fit"),
    (2, "irregular-pulse"),
    (3, "pulse-range"),
    (4, "measurement-position"),
    (5, "multiple-bonds"),
    (6, "checksum"),
    (7, "user-data"),
    (8, "user-facing-time"),
];

/// One cuff reading before it is judged.
pub(super) struct Cuff {
    pub unit: Unit,
    pub systolic: Reading,
    pub diastolic: Reading,
    pub mean: Option<Reading>,
    pub pulse: Option<Reading>,
}

/// Reads flags, three pressures and the optional stamp, pulse, user and status.
pub(super) fn measurement(
    cursor: &mut Cursor<'_>,
    quirks: Quirks,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let (flags, mut cuff) = pressures(cursor)?;
    if flags & TIME_PRESENT != 0 {
        let stamp = cursor.stamp("time stamp")?;
        decoded.stamp(stamp);
    }
    let mut status = 0;
    let swapped = quirks.swapped_cuff_tail;
    let word = |raw: u16| if swapped { raw.swap_bytes() } else { raw };
    if flags & PULSE_PRESENT != 0 {
        let raw = cursor.u16("pulse rate")?;
        cuff.pulse = Some(sfloat::sfloat(word(raw)));
        if !swapped && only_possible_swapped(raw) {
            decoded.note(Note::PulseByteOrderSuspect);
        }
    }
    if flags & USER_PRESENT != 0 || swapped {
        decoded.user(cursor.u8("user id")?);
    }
    if flags & STATUS_PRESENT != 0 {
        status = word(cursor.u16("measurement status")?);
    }
    judge(&cuff, &quality(status), decoded);
    Ok(())
}

/// Reads the enhanced form: stamps are seconds since 1900 or 2000, and there are two of them.
pub(super) fn enhanced_measurement(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let (flags, mut cuff) = pressures(cursor)?;
    let (pulse, status) = enhanced_tail(flags, cursor, decoded)?;
    cuff.pulse = pulse;
    judge(&cuff, &quality(status), decoded);
    Ok(())
}

/// Reads the pressure of an inflating or deflating cuff. The two pressures after it are unused and may
/// hold anything; what follows them is that of 2A35.
pub(super) fn intermediate_cuff(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let (flags, cuff) = pressures(cursor)?;
    decoded.quantity(Quantity::CuffPressure, cuff.systolic, cuff.unit);
    if flags & TIME_PRESENT != 0 {
        let stamp = cursor.stamp("time stamp")?;
        decoded.stamp(stamp);
    }
    if flags & PULSE_PRESENT != 0 {
        cursor.u16("pulse rate")?;
    }
    if flags & USER_PRESENT != 0 {
        decoded.user(cursor.u8("user id")?);
    }
    if flags & STATUS_PRESENT != 0 {
        cursor.u16("measurement status")?;
    }
    Ok(())
}

/// Reads the enhanced form of the cuff pressure, which has no unused pressures.
pub(super) fn enhanced_intermediate_cuff(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let flags = cursor.u8("flags")?;
    let pressure = cursor.sfloat("cuff pressure")?;
    decoded.quantity(Quantity::CuffPressure, pressure, unit(flags));
    enhanced_tail(flags, cursor, decoded)?;
    Ok(())
}

/// Reads the features.
pub(super) fn features(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let features = cursor.u16("features")?;
    decoded.set_bits(Topic::Feature, u32::from(features), FEATURES);
    Ok(())
}

fn pressures(cursor: &mut Cursor<'_>) -> Result<(u8, Cuff), DecodeError> {
    let flags = cursor.u8("flags")?;
    let cuff = Cuff {
        unit: unit(flags),
        systolic: cursor.sfloat("systolic")?,
        diastolic: cursor.sfloat("diastolic")?,
        mean: Some(cursor.sfloat("mean arterial pressure")?),
        pulse: None,
    };
    Ok((flags, cuff))
}

fn unit(flags: u8) -> Unit {
    if flags & KILOPASCAL != 0 { Unit::Kilopascal } else { Unit::MillimetreMercury }
}

fn enhanced_tail(
    flags: u8,
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(Option<Reading>, u16), DecodeError> {
    let mut pulse = None;
    let mut status = 0;
    if flags & TIME_PRESENT != 0 {
        decoded.stamp(epoch_stamp(flags, cursor.u32("time stamp")?));
    }
    if flags & PULSE_PRESENT != 0 {
        pulse = Some(cursor.sfloat("pulse rate")?);
    }
    if flags & USER_PRESENT != 0 {
        decoded.user(cursor.u8("user id")?);
    }
    if flags & STATUS_PRESENT != 0 {
        status = cursor.u16("measurement status")?;
    }
    if flags & USER_TIME_PRESENT != 0 {
        // What the device shows its user; it stands in only where the base stamp is missing.
        let stamp = epoch_stamp(flags, cursor.u32("user facing time")?);
        if decoded.time.is_none() {
            decoded.stamp(stamp);
        }
    }
    Ok((pulse, status))
}

/// Seconds since the epoch that the flags name; zero is a clock that never ran.
fn epoch_stamp(flags: u8, seconds: u32) -> Stamp {
    if seconds == 0 {
        return Stamp::Unknown;
    }
    let year = if flags & EPOCH_2000 != 0 { 2000 } else { 1900 };
    let epoch: DateTime = civil::date(year, 1, 1).at(0, 0, 0, 0);
    epoch
        .checked_add(SignedDuration::from_secs(i64::from(seconds)))
        .map_or(Stamp::Impossible, Stamp::Known)
}

/// A pulse that no patient has, but would have with its bytes exchanged.
fn only_possible_swapped(raw: u16) -> bool {
    let possible = |raw| {
        let number = sfloat::sfloat(raw).number();
        number.is_ok_and(|rate| is_plausible(PULSE_RATE_CUFF, Unit::PerMinute, rate))
    };
    sfloat::sfloat(raw).number().is_ok() && !possible(raw) && possible(raw.swap_bytes())
}

/// What the cuff says of its measurement.
fn quality(status: u16) -> Quality {
    let mut quality = Quality::of(u32::from(status), STATUS);
    match (status >> PULSE_RANGE_SHIFT) & 0b11 {
        1 => quality.status.push(Status::PulseAboveRange),
        2 => quality.status.push(Status::PulseBelowRange),
        _ => {} // in range, or reserved
    }
    quality
}

/// Charts a cuff reading as a whole, or withholds it as a whole (S-7).
pub(super) fn judge(cuff: &Cuff, quality: &Quality, decoded: &mut Decoded) {
    let (systolic, diastolic) = (cuff.systolic.number(), cuff.diastolic.number());
    let failed = systolic.is_err();
    if failed {
        decoded.note(Note::MeasurementFailed);
    }
    let broken = !failed && !is_believable(cuff.unit, systolic, diastolic);
    // The reason for a value that is a number in a reading that is none.
    let spoiled = |reading: Reading| {
        let mut quality = quality.clone();
        if broken && reading.number().is_ok() {
            quality.withhold(Absent::Implausible);
        } else if failed && reading.number().is_ok() {
            quality.withhold(Absent::MeasurementFailed);
        }
        quality
    };
    decoded.offer(SYSTOLIC, cuff.unit, cuff.systolic, &spoiled(cuff.systolic));
    decoded.offer(DIASTOLIC, cuff.unit, cuff.diastolic, &spoiled(cuff.diastolic));
    if let Some(reading) = cuff.mean {
        let mut mean_quality = spoiled(reading);
        if let Ok(mean) = reading.number() {
            if mean == Decimal::from(0) {
                // Cuffs that do not compute a mean send zero for it.
                mean_quality = Quality::withheld(Absent::Unavailable);
            } else if systolic.is_ok_and(|top| mean > top) || diastolic.is_ok_and(|low| mean < low)
            {
                mean_quality.withhold(Absent::Implausible);
            }
        }
        decoded.offer(MEAN_PRESSURE, cuff.unit, reading, &mean_quality);
    }
    if let Some(pulse) = cuff.pulse {
        decoded.offer(PULSE_RATE_CUFF, Unit::PerMinute, pulse, &spoiled(pulse));
    }
}

/// A systolic pressure a patient can have, alone or over a diastolic one that a patient can have.
pub(in crate::vitals) fn is_believable(
    unit: Unit,
    systolic: Result<Decimal, Absent>,
    diastolic: Result<Decimal, Absent>,
) -> bool {
    let top = systolic.is_ok_and(|value| is_plausible(SYSTOLIC, unit, value));
    let low =
        diastolic.is_err() || diastolic.is_ok_and(|value| is_plausible(DIASTOLIC, unit, value));
    let ordered = match (systolic, diastolic) {
        (Ok(systolic), Ok(diastolic)) => systolic > diastolic,
        (Ok(_) | Err(_), Ok(_) | Err(_)) => true,
    };
    top && low && ordered
}

#[cfg(test)]
mod tests;
