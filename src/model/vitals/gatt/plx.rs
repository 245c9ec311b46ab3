//! Pulse Oximeter Service, 0x1822: Spot-check (2A5E) and Continuous (2A5F) Measurement, and PLX Features
//! (2A60).
//!
//! S-7: the status words decide before any number is looked at. A demo, a test, a value that the
//! oximeter itself calls invalid or a sensor off the finger never reaches the chart; fast and slow
//! responses are other quantities than SpO2 and do not either.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Note, Topic};
use crate::vitals::gatt::quality::{Bit, Meaning, Quality};
use crate::vitals::nomenclature::*;
use crate::vitals::sfloat::Reading;

/// Measurement Status, graver reasons first.
const MEASUREMENT: &[Bit] = &[
    (10, Meaning::Withhold(Absent::Demo)),
    (11, Meaning::Withhold(Absent::Test)),
    (15, Meaning::Withhold(Absent::Invalid)),
    (13, Meaning::Withhold(Absent::Unavailable)),
    (12, Meaning::Withhold(Absent::Calibrating)),
    (14, Meaning::Withhold(Absent::Questionable)),
    (5, Meaning::Remark(Status::MeasurementOngoing)),
    (6, Meaning::Remark(Status::EarlyEstimate)),
    (7, Meaning::Remark(Status::Validated)),
    (8, Meaning::Remark(Status::FullyQualified)),
    (9, Meaning::Remark(Status::FromStorage)),
];

/// Device and Sensor Status, graver reasons first.
const SENSOR: &[Bit] = &[
    (15, Meaning::Withhold(Absent::Disconnected)),
    (14, Meaning::Withhold(Absent::SensorMalfunction)),
    (11, Meaning::Withhold(Absent::NotOnUser)),
    (1, Meaning::Withhold(Absent::SensorFault)),
    (0, Meaning::Remark(Status::ExtendedDisplayUpdate)),
    (2, Meaning::Remark(Status::SignalIrregularity)),
    (3, Meaning::Remark(Status::InadequateSignal)),
    (4, Meaning::Remark(Status::PoorSignal)),
    (5, Meaning::Remark(Status::LowPerfusion)),
    (6, Meaning::Remark(Status::ErraticSignal)),
    (7, Meaning::Remark(Status::NonPulsatile)),
    (8, Meaning::Remark(Status::QuestionablePulse)),
    (9, Meaning::Remark(Status::SignalAnalysisOngoing)),
    (10, Meaning::Remark(Status::SensorInterfaceDetected)),
    (12, Meaning::Remark(Status::UnknownSensor)),
    (13, Meaning::Remark(Status::SensorDisplaced)),
];

/// PLX Features.
const FEATURES: &[(u32, &str)] = &[
    (0, "measurement-status"),
    (1, "sensor-status"),
    (2, "stored-measurements"),
    (3, "time-stamp"),
    (4, "fast-values"),
    (5, "slow-values"),
    (6, "pulse-amplitude-index"),
    (7, "multiple-bonds"),
];

struct Saturation {
    spo2: Reading,
    pulse: Reading,
}

/// Reads flags, SpO2, pulse and the optional stamp, status words and pulse amplitude index.
pub(super) fn spot_check(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    const TIME_PRESENT: u8 = 1 << 0;
    const CLOCK_NOT_SET: u8 = 1 << 4;
    let flags = cursor.u8("flags")?;
    let saturation = saturation(cursor)?;
    if flags & CLOCK_NOT_SET != 0 {
        decoded.note(Note::ClockNotSet);
    }
    if flags & TIME_PRESENT != 0 {
        let stamp = cursor.stamp("time stamp")?;
        if flags & CLOCK_NOT_SET == 0 {
            decoded.stamp(stamp);
        }
    }
    finish(cursor, flags >> 1, &saturation, decoded)
}

/// Reads flags, SpO2, pulse, and the optional fast and slow pairs, status words and index.
pub(super) fn continuous(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    const FAST_PRESENT: u8 = 1 << 0;
    const SLOW_PRESENT: u8 = 1 << 1;
    let flags = cursor.u8("flags")?;
    let saturation = saturation(cursor)?;
    if flags & FAST_PRESENT != 0 {
        cursor.u16("fast spo2")?;
        cursor.u16("fast pulse rate")?;
        decoded.note(Note::FastValuesNotCharted);
    }
    if flags & SLOW_PRESENT != 0 {
        cursor.u16("slow spo2")?;
        cursor.u16("slow pulse rate")?;
        decoded.note(Note::SlowValuesNotCharted);
    }
    finish(cursor, flags >> 2, &saturation, decoded)
}

/// Reads the features and, where they announce them, which bits of the two status words are supported.
pub(super) fn features(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let features = cursor.u16("features")?;
    decoded.set_bits(Topic::Feature, u32::from(features), FEATURES);
    if features & 0b01 != 0 {
        cursor.u16("measurement status support")?;
    }
    if features & 0b10 != 0 {
        cursor.u24("sensor status support")?;
    }
    Ok(())
}

fn saturation(cursor: &mut Cursor<'_>) -> Result<Saturation, DecodeError> {
    Ok(Saturation { spo2: cursor.sfloat("spo2")?, pulse: cursor.sfloat("pulse rate")? })
}

/// What both forms share: measurement status, sensor status and index, announced by `present` from
/// its lowest bit up.
fn finish(
    cursor: &mut Cursor<'_>,
    present: u8,
    saturation: &Saturation,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let mut quality = Quality::default();
    if present & 0b001 != 0 {
        quality.add(u32::from(cursor.u16("measurement status")?), MEASUREMENT);
    }
    if present & 0b010 != 0 {
        quality.add(cursor.u24("sensor status")?, SENSOR);
    }
    decoded.is_pulseless = quality.status.contains(&Status::NonPulsatile)
        && !quality.withhold.is_some_and(Absent::is_sensor_off);
    decoded.offer(SPO2, Unit::Percent, saturation.spo2, &quality);
    decoded.offer(PULSE_RATE_OXIMETER, Unit::PerMinute, saturation.pulse, &quality);
    decoded.withhold_pulse_without_saturation();
    let index = match present & 0b100 {
        0 => Ok(()),
        _ => cursor.sfloat("pulse amplitude index").map(|index| {
            decoded.offer(PERFUSION_INDEX, Unit::Percent, index, &quality);
        }),
    };
    cursor.as_far_as_it_goes(index, decoded)
}

#[cfg(test)]
mod tests;
