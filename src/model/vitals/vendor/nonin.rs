//! `nonin-3230`: the oximetry characteristic of the Nonin 3230, once a second, most significant byte first.
//!
//! ```text
//! length 0x0A | status | battery 0.1 V | pulse amplitude 0.01 % (2) | counter (2) | SpO2 | pulse (2)
//! ```
//!
//! Layout and status bits: `andreasdri/nonin-3230-ble` (index.js), and Nonin's 113142-000-02 as
//! restated by M. Villarroel's decoder of the same characteristic.
//!
//! S-7: a finger that is not in place and a pulse that is still searched for give no reading; 127 and 511
//! stand for none.

use crate::vitals::gatt::{Bit, Counter, Cursor, DecodeError, Decoded, Meaning, Quality, Said};
use crate::vitals::nomenclature::*;
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::oximeter::{offer, offer_index, unless};
use crate::vitals::vendor::wire::{take, u16_be};

pub(super) const ABOUT: About = About {
    word: "nonin-3230",
    device: "Nonin 3230",
    measures: &[SPO2, PULSE_RATE_OXIMETER, PERFUSION_INDEX],
    needs: &[],
    endpoint: Endpoint {
        service: "46a970e0-0d5f-11e2-8b5e-0002a5d5c51b",
        notify: &["0aad7ea0-0d60-11e2-8e3c-0002a5d5c51b"],
        write: &["1447af80-0d60-11e2-88b6-0002a5d5c51b"],
        start: &[],
    },
};

/// Bytes of the frame as it was published; its first byte says how many follow in a later one.
const LEN: usize = 10;
const FINGER_IN_PLACE: u8 = 1 << 4;

/// Status, graver reasons first; bit 6 tells only that the link is encrypted.
const STATUS: &[Bit] = &[
    (3, Meaning::Withhold(Absent::Unavailable)), // searching for a pulse
    (1, Meaning::Remark(Status::LowPerfusion)),  // modulation of 0.3 % or less
    (2, Meaning::Remark(Status::Validated)),     // passed the SmartPoint algorithm
    (5, Meaning::Remark(Status::LowBattery)),
];

const NO_SPO2: u16 = 127;
const NO_PULSE: u16 = 511;

pub(super) fn read(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let len = usize::from(cursor.u8("length")?);
    let more = len.checked_sub(LEN).ok_or(DecodeError::Size { field: "length" })?;
    let status = cursor.u8("status")?;
    let battery = cursor.u8("battery voltage")?;
    let index = u16_be(cursor, "pulse amplitude index")?;
    let counter = u16_be(cursor, "counter")?;
    let spo2 = u16::from(cursor.u8("spo2")?);
    let pulse = u16_be(cursor, "pulse rate")?;
    take(cursor, more, "later fields")?;
    let mut quality = Quality::default();
    if status & FINGER_IN_PLACE == 0 {
        quality.withhold(Absent::NotOnUser);
    }
    quality.add(u32::from(status), STATUS);
    let spo2 = unless(spo2, NO_SPO2, Absent::Unavailable);
    offer(decoded, spo2, unless(pulse, NO_PULSE, Absent::Unavailable), &quality);
    offer_index(decoded, Ok(index), -2, &quality);
    decoded.count(Counter::Sequence, u32::from(counter));
    decoded.say("battery-millivolts", Said::Count(i64::from(battery) * 100));
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
