//! `dexcom-g7`: the glucose message of Dexcom G7 and ONE+, and the records it sends of the past.
//!
//! ```text
//! 4E  status | seconds (4) | sequence (2) | - (2) | age (2) | glucose (2) | state | trend | forecast (2) | flags
//! record  seconds (3) | - | glucose (2) | state | flags | trend
//! ```
//!
//! Layout and captures: `LoopKit/G7SensorKit` (G7GlucoseMessage.swift, G7BackfillMessage.swift and their
//! tests). Neither has a checksum. A record is known by its nine bytes; nine bytes that begin as a message
//! does are a message that was cut.

use crate::vitals::gatt::{Counter, Cursor, DecodeError, Decoded, Quality};
use crate::vitals::nomenclature::*;
use crate::vitals::vendor::about::About;
use crate::vitals::vendor::dexcom::{
    GLUCOSE_MASK, NO_GLUCOSE, endpoint, judge_state, offer, prediction, seconds, trend,
};

pub(in crate::vitals::vendor) const ABOUT: About = About {
    word: "dexcom-g7",
    device: "Dexcom G7, ONE+",
    measures: &[GLUCOSE_INTERSTITIAL],
    needs: &[],
    endpoint: endpoint(&[0x4E]),
};

const GLUCOSE: u8 = 0x4E;
const GOOD: u8 = 0x00;
const DISPLAY_ONLY: u8 = 1 << 4;
const RECORD_LEN: usize = 9;

pub(in crate::vitals::vendor) fn read(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    if cursor.rest().len() == RECORD_LEN && !cursor.rest().starts_with(&[GLUCOSE, GOOD]) {
        return record(cursor, decoded);
    }
    if cursor.u8("opcode")? != GLUCOSE {
        return Err(DecodeError::Unknown { field: "opcode" });
    }
    let status = cursor.u8("status")?;
    let clock = cursor.u32("time stamp")?;
    let sequence = cursor.u16("sequence")?;
    cursor.u16("session")?;
    let age = cursor.u16("age")?;
    let (glucose, state) = (cursor.u16("glucose")?, cursor.u8("state")?);
    let (change, forecast) = (cursor.u8("trend")?, cursor.u16("forecast")?);
    let flags = cursor.u8("flags")?;
    let mut quality = judge(glucose, state, flags);
    if status != GOOD {
        quality.withhold(Absent::SensorFault);
    }
    offer(decoded, glucose, quality);
    trend(decoded, change);
    prediction(decoded, forecast);
    decoded.count(Counter::Sequence, u32::from(sequence));
    // When the message was made; the glucose is older by its age.
    seconds(decoded, "sensor-clock", clock);
    seconds(decoded, "glucose-age", u32::from(age));
    Ok(())
}

fn record(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let clock = cursor.u24("time stamp")?;
    cursor.u8("time stamp")?;
    let (glucose, state) = (cursor.u16("glucose")?, cursor.u8("state")?);
    let (flags, change) = (cursor.u8("flags")?, cursor.u8("trend")?);
    let mut quality = judge(glucose, state, flags);
    quality.status.push(Status::FromStorage);
    offer(decoded, glucose, quality);
    trend(decoded, change);
    seconds(decoded, "sensor-clock", clock);
    Ok(())
}

fn judge(glucose: u16, state: u8, flags: u8) -> Quality {
    let mut quality = Quality::default();
    judge_state(state, &mut quality);
    let reserved_bits = glucose != NO_GLUCOSE && glucose & !GLUCOSE_MASK != 0;
    if flags & DISPLAY_ONLY != 0 || reserved_bits {
        quality.withhold(Absent::Questionable);
    }
    quality
}

#[cfg(test)]
pub(in crate::vitals::vendor) mod tests;
