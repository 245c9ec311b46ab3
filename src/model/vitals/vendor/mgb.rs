//! `mgb-scale`: scales named SWAN, Icomon or YG, and Dr Trust 505, in their two forms.
//!
//! ```text
//! first   AC 02|03 FF | - (3) | year month day hour minute second | weight 0.1 kg (2) | BMI | fat 0.1 % (2) | - (2)
//! second  01 00 | muscle 0.1 % (2) | basal | bone 0.1 kg (2) | water 0.1 % (2) | age | ..
//! short   AC 02 | four bytes | flag | sum of those five
//! ```
//!
//! The first form counts its numbers most significant byte first, the second least. Layouts:
//! `oliexdev/openScale` (MGBHandler.kt and its test).
//!
//! S-7: a short frame flagged CE is a weight that still settles; only CA is charted.

use crate::vitals::gatt::{Cursor, DecodeError, Decoded, Note, Quality, Quantity, Said};
use crate::vitals::nomenclature::*;
use crate::vitals::sfloat::Reading;
use crate::vitals::vendor::about::{About, Endpoint};
use crate::vitals::vendor::wire::{agree, fixed, stamp_2000, sum, u16_be};

pub(super) const ABOUT: About = About {
    word: "mgb-scale",
    device: "SWAN, Icomon and YG scales, Dr Trust 505",
    measures: &[BODY_WEIGHT, BODY_FAT],
    needs: &[],
    endpoint: Endpoint {
        service: "0000ffb0-0000-1000-8000-00805f9b34fb",
        notify: &["0000ffb2-0000-1000-8000-00805f9b34fb"],
        write: &["0000ffb1-0000-1000-8000-00805f9b34fb"],
        // Then it wants to be told user, date, time and unit, in frames of the short form.
        start: &[0xAC, 0x02, 0xF7, 0x00, 0x00, 0x00, 0xCC, 0xC3],
    },
};

const FIRST: u8 = 0xAC;
const SECOND: u8 = 0x01;
const COMPOSITE: u8 = 0xFF;

pub(super) fn read(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let marker = cursor.u8("marker")?;
    let variant = cursor.u8("variant")?;
    match (marker, variant, cursor.rest().first()) {
        (FIRST, 0x02 | 0x03, Some(&COMPOSITE)) => first(cursor, decoded),
        (FIRST, 0x02, _) => short(cursor, decoded),
        (SECOND, 0x00, _) => second(cursor, decoded),
        (FIRST | SECOND, _, _) => Err(DecodeError::Unknown { field: "variant" }),
        _ => Err(DecodeError::Invalid { field: "marker" }),
    }
}

fn first(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    fixed(cursor, COMPOSITE, "variant")?;
    cursor.bytes::<3>("header")?;
    let [year, clock @ ..] = cursor.bytes::<6>("time stamp")?;
    let weight = u16_be(cursor, "weight")?;
    u16_be(cursor, "bmi")?;
    let fat = u16_be(cursor, "body fat")?;
    cursor.bytes::<2>("end")?;
    decoded.stamp(stamp_2000(year, clock));
    let weight = Reading::of(i64::from(weight), -1);
    decoded.offer(BODY_WEIGHT, Unit::Kilogram, weight, &Quality::default());
    let quality = match fat {
        0 => Quality::withheld(Absent::Unavailable),
        _ => Quality::default(),
    };
    decoded.offer(BODY_FAT, Unit::Percent, Reading::of(i64::from(fat), -1), &quality);
    decoded.note(Note::MultiplePackets);
    Ok(())
}

fn second(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let muscle = cursor.scaled("muscle", 1, -1)?;
    cursor.u16("basal metabolism")?;
    let bone = cursor.scaled("bone", 1, -1)?;
    let water = cursor.scaled("water", 1, -1)?;
    cursor.bytes::<10>("end")?;
    decoded.quantity(Quantity::MusclePercentage, muscle, Unit::Percent);
    decoded.say("bone-mass", Said::Quantity(bone, Unit::Kilogram));
    decoded.say("water-percentage", Said::Quantity(water, Unit::Percent));
    Ok(())
}

fn short(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let body = cursor.bytes::<5>("body")?;
    agree(sum(&body), cursor.u8("checksum")?)?;
    let [a, b, c, d, flag] = body;
    let (one, other) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    match flag {
        0xCE | 0xCA if other != 0 => Err(DecodeError::Invalid { field: "weight" }),
        0xCE => {
            let settling = Reading::of(i64::from(one), -2);
            decoded.say("settling-weight", Said::Quantity(settling, Unit::Kilogram));
            let quality = Quality::withheld(Absent::Unavailable);
            decoded.offer(BODY_WEIGHT, Unit::Kilogram, settling, &quality);
            Ok(())
        }
        0xCA => {
            let weight = Reading::of(i64::from(one), -2);
            decoded.offer(BODY_WEIGHT, Unit::Kilogram, weight, &Quality::default());
            Ok(())
        }
        0xCB => {
            match one {
                0xFD01 => {
                    let impedance = Reading::of(i64::from(other), 0);
                    decoded.quantity(Quantity::Impedance, impedance, Unit::Ohm);
                }
                0xFD00 => decoded.say("impedance-begins", Said::Nothing),
                0xFDFF => decoded.say("impedance-unavailable", Said::Nothing),
                _ => return Err(DecodeError::Unknown { field: "impedance" }),
            }
            Ok(())
        }
        0xCC => {
            decoded.say("settings", Said::Nothing);
            Ok(())
        }
        _ => Err(DecodeError::Unknown { field: "flag" }),
    }
}

#[cfg(test)]
pub(super) mod tests;
