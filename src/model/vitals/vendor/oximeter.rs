//! The two numbers of a pulse oximeter, judged together.
//!
//! S-7: a pulse beside a saturation that is none is no reading either, because both are counted on the
//! same light.

use crate::vitals::gatt::{Decoded, Quality, Withheld};
use crate::vitals::nomenclature::*;
use crate::vitals::sfloat::Reading;

/// A number as it was sent, or the device's own way to say that there is none.
pub(super) type Number = Result<u16, Absent>;

/// The number, unless it is the pattern that stands for none.
pub(super) fn unless(raw: u16, none: u16, reason: Absent) -> Number {
    if raw == none { Err(reason) } else { Ok(raw) }
}

/// Offers saturation in percent and pulse per minute.
pub(super) fn offer(decoded: &mut Decoded, spo2: Number, pulse: Number, quality: &Quality) {
    offer_one(decoded, SPO2, Unit::Percent, spo2, quality);
    let held = decoded.withheld.last().filter(|held| held.code == SPO2);
    let no_saturation = held.map(|held| held.reason);
    offer_one(decoded, PULSE_RATE_OXIMETER, Unit::PerMinute, pulse, quality);
    if let Some(reason) = no_saturation
        && decoded.observations.pop_if(|charted| charted.code == PULSE_RATE_OXIMETER).is_some()
    {
        decoded.withheld.push(Withheld { code: PULSE_RATE_OXIMETER, reason });
    }
}

/// Offers a perfusion index in steps of `10^exponent` percent.
pub(super) fn offer_index(decoded: &mut Decoded, index: Number, exponent: i8, quality: &Quality) {
    match index {
        Ok(index) => {
            let reading = Reading::of(i64::from(index), exponent);
            decoded.offer(PERFUSION_INDEX, Unit::Percent, reading, quality);
        }
        Err(reason) => offer_one(decoded, PERFUSION_INDEX, Unit::Percent, Err(reason), quality),
    }
}

fn offer_one(decoded: &mut Decoded, code: Mdc, unit: Unit, number: Number, quality: &Quality) {
    match number {
        Ok(raw) => decoded.offer(code, unit, Reading::of(i64::from(raw), 0), quality),
        Err(reason) => {
            let mut quality = quality.clone();
            quality.withhold(reason);
            decoded.offer(code, unit, Reading::NotANumber, &quality);
        }
    }
}
