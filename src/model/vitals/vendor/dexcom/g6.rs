//! `dexcom-g6`: the glucose answers of Dexcom G5 and G6 transmitters.
//!
//! ```text
//! 31  status | sequence (4) | seconds (4) | glucose (2) | state | trend | CRC-16/XMODEM (2)
//! 4F  the same with a forecast (2) before the checksum, which is the last two bytes of the frame
//! ```
//!
//! Layout and captures: `LoopKit/CGMBLEKit` (GlucoseRxMessage.swift and its tests); 4F and the status:
//! `NightscoutFoundation/xDrip`. The four bits above the glucose are set for display only.

use crate::vitals::gatt::{Counter, Cursor, DecodeError, Decoded, Quality};
use crate::vitals::nomenclature::*;
use crate::vitals::vendor::about::About;
use crate::vitals::vendor::dexcom::{
    GLUCOSE_MASK, NO_GLUCOSE, endpoint, judge_state, offer, prediction, seconds, trend,
};
use crate::vitals::vendor::wire::{agree, crc16_xmodem, take};

pub(in crate::vitals::vendor) const ABOUT: About = About {
    word: "dexcom-g6",
    device: "Dexcom G5, G6",
    measures: &[GLUCOSE_INTERSTITIAL],
    needs: &[],
    endpoint: endpoint(&[0x4E, 0x0A, 0xA9]),
};

const GLUCOSE: u8 = 0x31;
const GLUCOSE_WITH_FORECAST: u8 = 0x4F;

const GOOD: u8 = 0x00;
const LOW_BATTERY: u8 = 0x81;
const BROKEN: u8 = 0x83;

/// The state in which the transmitter wants a calibration and still stands by its values.
const WANTS_CALIBRATION: u8 = 7;

pub(in crate::vitals::vendor) fn read(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let whole = cursor.rest();
    let opcode = cursor.u8("opcode")?;
    let status = cursor.u8("status")?;
    let sequence = cursor.u32("sequence")?;
    let clock = cursor.u32("time stamp")?;
    let (glucose, state) = (cursor.u16("glucose")?, cursor.u8("state")?);
    let change = cursor.u8("trend")?;
    let forecast = match opcode {
        GLUCOSE => None,
        GLUCOSE_WITH_FORECAST => Some(cursor.u16("forecast")?),
        _ => return Err(DecodeError::Unknown { field: "opcode" }),
    };
    if forecast.is_some() {
        let more = cursor.rest().len().saturating_sub(2);
        take(cursor, more, "later fields")?;
    }
    let checked = whole.get(..whole.len() - cursor.rest().len()).unwrap_or_default();
    agree(crc16_xmodem(checked), cursor.u16("crc")?)?;

    let mut quality = Quality::default();
    match status {
        GOOD => {}
        LOW_BATTERY => quality.status.push(Status::LowBattery),
        BROKEN => quality.withhold(Absent::SensorFault),
        _ => quality.withhold(Absent::Questionable),
    }
    if state == WANTS_CALIBRATION {
        quality.status.push(Status::CalibrationRequired);
    } else {
        judge_state(state, &mut quality);
    }
    if glucose != NO_GLUCOSE && glucose & !GLUCOSE_MASK != 0 {
        quality.withhold(Absent::Questionable);
    }
    offer(decoded, glucose, quality);
    trend(decoded, change);
    if let Some(forecast) = forecast {
        prediction(decoded, forecast);
    }
    decoded.count(Counter::Sequence, sequence);
    seconds(decoded, "sensor-clock", clock);
    Ok(())
}

#[cfg(test)]
pub(in crate::vitals::vendor) mod tests;
