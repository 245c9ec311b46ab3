//! What an observation's value is, by its class; and which of its units we know.

use crate::vitals::gatt::blp::{self, Cuff};
use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded, Withheld};
use crate::vitals::gatt::event::{Counter, Topic};
use crate::vitals::gatt::quality::Quality;
use crate::vitals::nomenclature::*;
use crate::vitals::plausible;
use crate::vitals::sfloat::Reading;

use super::{Attributes, not_charted};

const NUMERIC: u8 = 1;
const DISCRETE: u8 = 2;
const STRING: u8 = 3;
const SAMPLES: u8 = 4;
const EVENTS: u8 = 5;
const STATES: u8 = 6;
const COMPOUND: u8 = 7;
const TLV: u8 = 8;

/// A number before it is judged.
struct Numeric {
    code: u32,
    unit: u16,
    reading: Reading,
}

/// Reads the value of an observation. A class reserved for later is named and not read.
pub(super) fn read(
    class: u8,
    body: &mut Cursor<'_>,
    attributes: &Attributes,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    match class {
        NUMERIC..=STATES => {
            let code = attributes.code.ok_or(DecodeError::Invalid { field: "observation type" })?;
            let numeric = component(class, code, body, decoded)?;
            judge(numeric.as_slice(), &attributes.quality, decoded);
        }
        COMPOUND => {
            let mut numerics = Vec::new();
            for _ in 0..body.u8("number of components")? {
                let code = body.u32("component type")?;
                let class = body.u8("component class")?;
                numerics.extend(component(class, code, body, decoded)?);
            }
            judge(&numerics, &attributes.quality, decoded);
        }
        TLV => {
            skip_tlvs(body)?;
            decoded.label(Topic::ObservationClass, "tlv");
        }
        _ => {
            decoded.label(Topic::ObservationClass, "reserved");
            body.end();
        }
    }
    Ok(())
}

/// Reads a value that is of one code. A number is given back; all else is said.
fn component(
    class: u8,
    code: u32,
    body: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<Option<Numeric>, DecodeError> {
    match class {
        NUMERIC => {
            let unit = body.u16("unit")?;
            return Ok(Some(Numeric { code, unit, reading: body.float("value")? }));
        }
        DISCRETE => {
            not_charted("discrete", code, decoded);
            decoded.count(Counter::Finding, body.u32("value")?);
        }
        STRING => {
            let len = usize::from(body.u16("string length")?);
            body.slice(len, "string")?;
            not_charted("string", code, decoded);
        }
        SAMPLES => {
            let samples = samples(body)?;
            not_charted("sample-array", code, decoded);
            decoded.count(Counter::Samples, samples);
        }
        EVENTS => {
            not_charted("events", code, decoded);
            for _ in 0..body.u8("number of events")? {
                decoded.count(Counter::Finding, body.u32("event")?);
            }
        }
        STATES => {
            let len = usize::from(body.u8("size of states")?);
            for field in ["supported states", "kinds of state", "states"] {
                body.slice(len, field)?;
            }
            not_charted("states", code, decoded);
        }
        _ => return Err(DecodeError::Invalid { field: "component class" }),
    }
    Ok(None)
}

/// Reads an array of samples, and how many there are. Nothing draws them yet.
fn samples(body: &mut Cursor<'_>) -> Result<u32, DecodeError> {
    body.u16("unit")?;
    body.float("scale factor")?;
    body.float("scale offset")?;
    body.float("sample period")?;
    body.u8("samples per period")?;
    let size = usize::from(body.u8("bytes per sample")?);
    let count = body.u32("number of samples")?;
    let len = usize::try_from(count).ok().and_then(|count| count.checked_mul(size));
    body.slice(len.unwrap_or(usize::MAX), "samples")?;
    Ok(count)
}

/// Reads attributes that the draft leaves to later: type, length, format, value.
pub(super) fn skip_tlvs(body: &mut Cursor<'_>) -> Result<(), DecodeError> {
    for _ in 0..body.u8("number of tlvs")? {
        body.u32("tlv type")?;
        let len = usize::from(body.u16("tlv length")?);
        body.u8("tlv format")?;
        body.slice(len, "tlv value")?;
    }
    Ok(())
}

/// What a cuff measures at once.
const CUFF: [Mdc; 4] = [SYSTOLIC, DIASTOLIC, MEAN_PRESSURE, PULSE_RATE_CUFF];

/// Offers a cuff's reading as a whole, and all else one by one (S-7).
fn judge(numerics: &[Numeric], quality: &Quality, decoded: &mut Decoded) {
    let has = |code: Mdc| numerics.iter().any(|numeric| numeric.code == code.0);
    let is_cuff = has(SYSTOLIC) && has(DIASTOLIC);
    let (of_cuff, others): (Vec<_>, Vec<_>) =
        numerics.iter().partition(|numeric| is_cuff && CUFF.contains(&Mdc(numeric.code)));
    match cuff(&of_cuff) {
        Some(cuff) => blp::judge(&cuff, quality, decoded),
        None => decoded.withheld.extend(
            of_cuff
                .iter()
                .map(|numeric| Withheld { code: Mdc(numeric.code), reason: Absent::Implausible }),
        ),
    }
    for numeric in others {
        offer(numeric, quality, decoded);
    }
}

/// A cuff's reading, if each number is there once and all pressures have one unit.
fn cuff(numerics: &[&Numeric]) -> Option<Cuff> {
    let of = |code: Mdc| numerics.iter().find(|numeric| numeric.code == code.0);
    let (systolic, diastolic) = (of(SYSTOLIC)?, of(DIASTOLIC)?);
    let pressure = unit(systolic.unit)?;
    let fits = |numeric: &&Numeric| {
        let wanted = if numeric.code == PULSE_RATE_CUFF.0 { Unit::PerMinute } else { pressure };
        let same = numerics.iter().filter(|other| other.code == numeric.code).count();
        unit(numeric.unit) == Some(wanted) && same == 1
    };
    numerics.iter().all(fits).then(|| Cuff {
        unit: pressure,
        systolic: systolic.reading,
        diastolic: diastolic.reading,
        mean: of(MEAN_PRESSURE).map(|numeric| numeric.reading),
        pulse: of(PULSE_RATE_CUFF).map(|numeric| numeric.reading),
    })
}

fn offer(numeric: &Numeric, quality: &Quality, decoded: &mut Decoded) {
    let code = Mdc(numeric.code);
    if code == GLUCOSE_CONTROL {
        decoded.withheld.push(Withheld { code, reason: Absent::ControlSolution });
    } else if plausible::usual_unit(code).is_none() {
        not_charted("numeric", code.0, decoded);
    } else if let Some(unit) = unit(numeric.unit) {
        decoded.offer(code, unit, numeric.reading, quality);
    } else {
        // Without a unit there is no limit that it could be inside of.
        decoded.count(Counter::UnitCode, u32::from(numeric.unit));
        decoded.withheld.push(Withheld { code, reason: Absent::Implausible });
    }
}

/// The unit of a term of partition 4 (ISO/IEEE 11073-10101), if one of ours is the same.
fn unit(term: u16) -> Option<Unit> {
    Some(match term {
        544 => Unit::Percent,
        1280 => Unit::Metre,
        1297 => Unit::Centimetre,
        1376 => Unit::Inch,
        1731 => Unit::Kilogram,
        1760 => Unit::Pound,
        1952 => Unit::KilogramPerSquareMetre,
        2130 => Unit::MilligramPerDecilitre,
        2194 => Unit::Millisecond,
        2720 | 2784 => Unit::PerMinute, // beats, breaths
        3843 => Unit::Kilopascal,
        3872 => Unit::MillimetreMercury,
        4416 => Unit::Fahrenheit,
        4722 => Unit::MillimolePerLitre,
        6048 => Unit::Celsius,
        _ => return None,
    })
}
