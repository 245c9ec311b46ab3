//! `omron-hbf`: one slot of the memory of an Omron body composition scale, by the model it is from.
//!
//! Fields are runs of bits in big-endian words; zero stands for not measured, and a slot without a weight
//! was never written. Layout and models: `oliexdev/openScale` (OmronLib.kt, OmronWlcHandler.kt and their
//! tests).

use crate::vitals::gatt::{Cursor, DecodeError, Decoded, Quality, Quantity, Said};
use crate::vitals::nomenclature::*;
use crate::vitals::sfloat::Reading;
use crate::vitals::vendor::about::About;
use crate::vitals::vendor::device::Device;
use crate::vitals::vendor::omron::{ENDPOINT, MODEL, empty, is_blank, model, stamp, stored};
use crate::vitals::vendor::wire::{take, u16_be};

pub(in crate::vitals::vendor) const ABOUT: About = About {
    word: "omron-hbf",
    device: "Omron scales (HBF), their memory",
    measures: &[BODY_WEIGHT, BODY_FAT, BODY_MASS_INDEX],
    needs: &["model"],
    endpoint: ENDPOINT,
};

/// What models have in common.
struct Scale {
    models: &'static [&'static str],
    /// Length of a record in bytes.
    len: usize,
    /// Half levels of visceral fat in one step.
    visceral_halves: u16,
    has_body_age: bool,
}

const SCALES: &[Scale] = &[
    Scale { models: &["HBF-702T", "KRD-703T"], len: 48, visceral_halves: 1, has_body_age: true },
    Scale {
        models: &["HBF-222T", "HBF-227T", "HBF-228T", "HBF-230T"],
        len: 32,
        visceral_halves: 2,
        has_body_age: true,
    },
    Scale { models: &["BCM-500", "VIVA"], len: 32, visceral_halves: 2, has_body_age: false },
];

fn scale(device: &Device) -> Result<&'static Scale, DecodeError> {
    let plain = model(device)?.trim().to_ascii_uppercase().replace('_', "-");
    let found = SCALES.iter().find(|scale| scale.models.contains(&plain.as_str()));
    found.ok_or(DecodeError::Unknown { field: MODEL })
}

pub(in crate::vitals::vendor) fn read(
    cursor: &mut Cursor<'_>,
    device: &Device,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let scale = scale(device)?;
    let slot = take(cursor, scale.len, "record")?;
    let mut inner = Cursor::new(slot);
    inner.bytes::<2>("record")?;
    let fats = u16_be(&mut inner, "record")?;
    let basal = u16_be(&mut inner, "record")?;
    let [muscle_high, muscle_year, index_high, index_minute] = inner.bytes("record")?;
    let [age, month, day_hour, hour_second] = inner.bytes("record")?;
    inner.bytes::<12>("record")?;
    let weight = u16_be(&mut inner, "record")? >> 4;
    if is_blank(slot) || weight == 0 {
        empty(decoded);
        return Ok(());
    }
    let ten_bits = |high, low| u16::from_be_bytes([high, low]) >> 6;
    let hour = (day_hour & 0b111) << 2 | hour_second >> 6;
    let clock = [month & 0x0F, day_hour >> 3, hour, index_minute & 0x3F, hour_second & 0x3F];
    let stamp = stamp(muscle_year & 0x3F, clock);
    decoded.stamp(stamp);
    let quality = stored(stamp);
    let weight = Reading::of(i64::from(weight) * 5, -2);
    decoded.offer(BODY_WEIGHT, Unit::Kilogram, weight, &quality);
    tenths(decoded, BODY_FAT, Unit::Percent, fats >> 6, &quality);
    let index = ten_bits(index_high, index_minute);
    tenths(decoded, BODY_MASS_INDEX, Unit::KilogramPerSquareMetre, index, &quality);
    let muscle = ten_bits(muscle_high, muscle_year);
    if muscle != 0 {
        let muscle = Reading::of(i64::from(muscle), -1);
        decoded.quantity(Quantity::MusclePercentage, muscle, Unit::Percent);
    }
    for (word, number) in [
        ("basal-kilocalories", basal >> 4),
        ("visceral-fat-half-levels", (fats & 0x3F) * scale.visceral_halves),
        ("body-age", if scale.has_body_age { u16::from(age & 0x7F) } else { 0 }),
    ] {
        if number != 0 {
            decoded.say(word, Said::Count(i64::from(number)));
        }
    }
    Ok(())
}

fn tenths(decoded: &mut Decoded, code: Mdc, unit: Unit, raw: u16, quality: &Quality) {
    let mut quality = quality.clone();
    if raw == 0 {
        quality.withhold(Absent::Unavailable);
    }
    decoded.offer(code, unit, Reading::of(i64::from(raw), -1), &quality);
}

#[cfg(test)]
pub(in crate::vitals::vendor) mod tests;
