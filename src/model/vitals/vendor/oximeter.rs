//! The two numbers of a pulse oximeter, judged together, and the index beside them.

use crate::vitals::gatt::{Decoded, Quality};
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
    offer_one(decoded, PULSE_RATE_OXIMETER, Unit::PerMinute, pulse, quality);
    decoded.withhold_pulse_without_saturation();
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
