//! Continuous Glucose Monitoring Service, 0x181F: CGM Measurement (2AA7).
//!
//! One notification carries one or more records, each with its own size byte, and a checksum at its end
//! if the sensor supports one (CGM Feature): two bytes more than the flags announce are that checksum.
//! One bad record rejects the notification. A record's time counts from the session's start, which the
//! frame does not hold, so the frame has no time.

pub(super) mod control;
pub(super) mod session;

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::e2e::{self, CRC_LEN};
use crate::vitals::gatt::event::{Event, Quantity};
use crate::vitals::gatt::quality::{Bit, Meaning, Quality};
use crate::vitals::nomenclature::*;
use crate::vitals::sfloat::Reading;

const TREND_PRESENT: u8 = 1 << 0;
const QUALITY_PRESENT: u8 = 1 << 1;
const WARNING_PRESENT: u8 = 1 << 5;
const CALIBRATION_PRESENT: u8 = 1 << 6;
const STATUS_PRESENT: u8 = 1 << 7;

/// Size, flags, concentration and time offset.
const RECORD_LEN_MIN: usize = 6;

/// Sensor Status Annunciation, graver reasons first. Bits 0-7 come in the status octet, 8-15 in the
/// calibration and temperature octet, 16-23 in the warning octet.
const ANNUNCIATION: &[Bit] = &[
    (0, Meaning::Withhold(Absent::SessionStopped)),
    (3, Meaning::Withhold(Absent::SensorFault)),
    (5, Meaning::Withhold(Absent::SensorFault)),
    (2, Meaning::Withhold(Absent::SensorFault)), // sensor of the wrong type for the device
    (12, Meaning::Withhold(Absent::MeasurementFailed)), // sensor too hot
    (13, Meaning::Withhold(Absent::MeasurementFailed)), // sensor too cold
    (22, Meaning::Withhold(Absent::BelowDeviceRange)),
    (23, Meaning::Withhold(Absent::AboveDeviceRange)),
    (1, Meaning::Remark(Status::LowBattery)),
    (4, Meaning::Remark(Status::DeviceAlert)),
    (8, Meaning::Remark(Status::TimeSyncRequired)),
    (9, Meaning::Remark(Status::CalibrationNotAllowed)),
    (10, Meaning::Remark(Status::CalibrationRecommended)),
    (11, Meaning::Remark(Status::CalibrationRequired)),
    (16, Meaning::Remark(Status::BelowPatientLow)),
    (17, Meaning::Remark(Status::AbovePatientHigh)),
    (18, Meaning::Remark(Status::BelowHypo)),
    (19, Meaning::Remark(Status::AboveHyper)),
    (20, Meaning::Remark(Status::FallingFast)),
    (21, Meaning::Remark(Status::RisingFast)),
];

/// Reads record after record to the end of the frame.
pub(super) fn measurement(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    loop {
        let rest = cursor.rest();
        let size = usize::from(cursor.u8("size")?);
        if size < RECORD_LEN_MIN {
            return Err(DecodeError::Size { field: "record" });
        }
        let whole = rest.get(..size).ok_or(DecodeError::Truncated { field: "record" })?;
        record(whole, decoded)?;
        *cursor = Cursor::new(rest.get(size..).unwrap_or_default());
        if cursor.rest().is_empty() {
            return Ok(());
        }
    }
}

/// The records of a notification that decodes, each a notification of its own: each has its own time.
pub fn records(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = frame;
    std::iter::from_fn(move || {
        let size = usize::from(*rest.first()?).max(RECORD_LEN_MIN);
        let (record, others) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        rest = others;
        Some(record)
    })
}

/// Minutes since the session began, of a record.
pub fn session_minutes(record: &Decoded) -> Option<u32> {
    record.events.iter().find_map(|event| match event {
        Event::Quantity { what: Quantity::SessionTime, reading, .. } => {
            u32::try_from(reading.number().ok()?.parts().0).ok()
        }
        Event::Quantity { .. }
        | Event::Count { .. }
        | Event::Label { .. }
        | Event::Note(_)
        | Event::Vendor(_) => None,
    })
}

fn record(whole: &[u8], decoded: &mut Decoded) -> Result<(), DecodeError> {
    let mut cursor = Cursor::new(whole);
    cursor.u8("size")?;
    let flags = cursor.u8("flags")?;
    match whole.len().checked_sub(announced_len(flags)) {
        Some(0) => {}
        Some(CRC_LEN) => e2e::check(whole)?,
        Some(_) | None => return Err(DecodeError::Size { field: "record" }),
    }
    let concentration = cursor.sfloat("concentration")?;
    let minutes = cursor.u16("time offset")?;
    let mut annunciation = [0_u8; 4];
    for (octet, present) in
        annunciation.iter_mut().zip([STATUS_PRESENT, CALIBRATION_PRESENT, WARNING_PRESENT])
    {
        if flags & present != 0 {
            *octet = cursor.u8("sensor status annunciation")?;
        }
    }
    let quality = Quality::of(u32::from_le_bytes(annunciation), ANNUNCIATION);
    decoded.offer(GLUCOSE_INTERSTITIAL, Unit::MilligramPerDecilitre, concentration, &quality);
    let minutes = Reading::of(i64::from(minutes), 0);
    decoded.quantity(Quantity::SessionTime, minutes, Unit::Minute);
    if flags & TREND_PRESENT != 0 {
        let trend = cursor.sfloat("trend")?;
        decoded.quantity(Quantity::GlucoseTrend, trend, Unit::MilligramPerDecilitreMinute);
    }
    if flags & QUALITY_PRESENT != 0 {
        decoded.quantity(Quantity::GlucoseQuality, cursor.sfloat("quality")?, Unit::Percent);
    }
    Ok(())
}

/// Length of a record with these flags, without checksum.
fn announced_len(flags: u8) -> usize {
    let optional = [
        (STATUS_PRESENT, 1),
        (CALIBRATION_PRESENT, 1),
        (WARNING_PRESENT, 1),
        (TREND_PRESENT, 2),
        (QUALITY_PRESENT, 2),
    ];
    let present = optional.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, len)| len);
    RECORD_LEN_MIN + present.sum::<usize>()
}

#[cfg(test)]
mod tests;
