//! What a cuff without a mean pressure measured, judged as a whole.
//!
//! S-7: without a believable systolic over a believable diastolic nothing of it is charted, its pulse
//! included; a cuff that gave up sends zeros.

use crate::vitals::gatt::{Decoded, Note, Quality, is_believable};
use crate::vitals::nomenclature::*;
use crate::vitals::sfloat::Reading;

/// One measurement before it is judged: mm[Hg] and beats a minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cuff {
    pub systolic: u16,
    pub diastolic: u16,
    pub pulse: u16,
}

/// Offers both pressures and the pulse.
pub(super) fn offer(decoded: &mut Decoded, cuff: Cuff, quality: &Quality) {
    let unit = Unit::MillimetreMercury;
    let reading = |raw: u16| Reading::of(i64::from(raw), 0);
    let (systolic, diastolic) = (reading(cuff.systolic), reading(cuff.diastolic));
    let mut quality = quality.clone();
    if cuff.systolic == 0 {
        decoded.note(Note::MeasurementFailed);
        quality.withhold(Absent::MeasurementFailed);
    } else if !is_believable(unit, systolic.number(), diastolic.number()) {
        quality.withhold(Absent::Implausible);
    }
    decoded.offer(SYSTOLIC, unit, systolic, &quality);
    decoded.offer(DIASTOLIC, unit, diastolic, &quality);
    decoded.offer(PULSE_RATE_CUFF, Unit::PerMinute, reading(cuff.pulse), &quality);
}
