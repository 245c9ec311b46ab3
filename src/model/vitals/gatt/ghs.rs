//! Generic Health Sensor Service, 0x1840: Live (2B8B) and Stored (2BDD) Health Observations.
//!
//! One format for every measurement: what was measured is an MDC code, its unit another. S-7: a code that
//! the limits do not know ([`crate::vitals::plausible::LIMITS`]) is never charted, whatever its value; neither is a
//! segment of a record, nor a member of a bundle that is of another time than the frame can say.
//!
//! The layout is that of the draft of 2023, as its authors' client and server have it: length counts the
//! whole observation, class and length included; the unit is two bytes of partition 4. It was not held
//! against the adopted text (1.0), nor against a device. The draft's programs name the measurement status
//! and none of its bits: bits 0 to 5 are read in the order in which ISO/IEEE 11073-20601 lists them, and
//! the others are not read.

mod value;

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::ets::Elapsed;
use crate::vitals::gatt::event::{Counter, Note, Quantity, Topic};
use crate::vitals::gatt::quality::{Bit, Meaning, Quality};
use crate::vitals::gatt::segments::Header;
use crate::vitals::nomenclature::*;

const TYPE_PRESENT: u16 = 1 << 0;
const TIME_PRESENT: u16 = 1 << 1;
const DURATION_PRESENT: u16 = 1 << 2;
const STATUS_PRESENT: u16 = 1 << 3;
const OBJECT_PRESENT: u16 = 1 << 4;
const PATIENT_PRESENT: u16 = 1 << 5;
const SUPPLEMENT_PRESENT: u16 = 1 << 6;
const DERIVED_FROM_PRESENT: u16 = 1 << 7;
const MEMBERS_PRESENT: u16 = 1 << 8;
const TLV_PRESENT: u16 = 1 << 9;

const BUNDLE: u8 = 0xFF;

/// `MDC_CTXT_GLU_SAMPLELOCATION_CTRLSOLUTION`: what was measured is no patient.
const CONTROL_SOLUTION: u32 = 8_417_860;

/// Measurement Status, graver reasons first.
const STATUS: &[Bit] = &[
    (5, Meaning::Withhold(Absent::Demo)),
    (4, Meaning::Withhold(Absent::Test)),
    (0, Meaning::Withhold(Absent::Invalid)),
    (2, Meaning::Withhold(Absent::Unavailable)),
    (3, Meaning::Withhold(Absent::Calibrating)),
    (1, Meaning::Withhold(Absent::Questionable)),
];

/// What holds for an observation: its own attributes over those of the bundle it is in.
#[derive(Clone, Default)]
struct Attributes {
    code: Option<u32>,
    time: Option<Elapsed>,
    quality: Quality,
}

/// What a frame has said so far.
struct Frame<'a> {
    decoded: &'a mut Decoded,
    /// The time of the first observation, which is the frame's; none before there is one.
    time: Option<Option<Elapsed>>,
}

/// Reads an observation of this moment, or one that was kept for want of a link.
pub(super) fn live(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    if is_whole(cursor, decoded)? {
        record(cursor, Attributes::default(), decoded)?;
    }
    Ok(())
}

/// Reads an observation from the sensor's memory, with the number of its record before it.
pub(super) fn stored(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    if is_whole(cursor, decoded)? {
        decoded.count(Counter::Sequence, cursor.u32("record number")?);
        let quality = Quality { withhold: None, status: vec![Status::FromStorage] };
        record(cursor, Attributes { quality, ..Attributes::default() }, decoded)?;
    }
    Ok(())
}

/// One segment of several says nothing by itself.
fn is_whole(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<bool, DecodeError> {
    let is_whole = Header::read(cursor)?.is_whole();
    if !is_whole {
        decoded.note(Note::Segment);
        cursor.end();
    }
    Ok(is_whole)
}

fn record(
    cursor: &mut Cursor<'_>,
    attributes: Attributes,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let mut frame = Frame { decoded, time: None };
    let (class, mut body) = head(cursor)?;
    let attributes = read_attributes(&mut body, attributes, &mut frame)?;
    if class == BUNDLE {
        for _ in 0..body.u8("number of observations")? {
            let (class, mut member) = head(&mut body)?;
            let attributes = read_attributes(&mut member, attributes.clone(), &mut frame)?;
            observation(class, &mut member, &attributes, &mut frame)?;
        }
        body.finish(frame.decoded);
    } else {
        observation(class, &mut body, &attributes, &mut frame)?;
    }
    decoded.withhold_pulse_without_saturation();
    Ok(())
}

/// Reads class and length, and takes the rest of what the length says.
fn head<'a>(cursor: &mut Cursor<'a>) -> Result<(u8, Cursor<'a>), DecodeError> {
    const HEAD_LEN: usize = 3;
    const FIELD: &str = "observation";
    let class = cursor.u8("observation class")?;
    let len = usize::from(cursor.u16("observation length")?);
    let len = len.checked_sub(HEAD_LEN).ok_or(DecodeError::Size { field: FIELD })?;
    Ok((class, Cursor::new(cursor.slice(len, FIELD)?)))
}

fn observation(
    class: u8,
    body: &mut Cursor<'_>,
    attributes: &Attributes,
    frame: &mut Frame<'_>,
) -> Result<(), DecodeError> {
    if *frame.time.get_or_insert(attributes.time) != attributes.time {
        frame.decoded.note(Note::MemberOfAnotherTime);
        return Ok(());
    }
    value::read(class, body, attributes, frame.decoded)?;
    body.finish(frame.decoded);
    Ok(())
}

/// Reads flags and the attributes that they announce.
fn read_attributes(
    body: &mut Cursor<'_>,
    inherited: Attributes,
    frame: &mut Frame<'_>,
) -> Result<Attributes, DecodeError> {
    let mut attributes = inherited;
    let decoded = &mut *frame.decoded;
    let flags = body.u16("observation flags")?;
    if flags & TYPE_PRESENT != 0 {
        attributes.code = Some(body.u32("observation type")?);
    }
    if flags & TIME_PRESENT != 0 {
        let time = Elapsed::read(body, "time stamp")?;
        attributes.time = Some(time);
        if frame.time.is_none() {
            time.tell(decoded);
            frame.time = Some(Some(time));
        }
    }
    if flags & DURATION_PRESENT != 0 {
        let duration = body.float("measurement duration")?;
        decoded.quantity(Quantity::MeasurementDuration, duration, Unit::Second);
    }
    if flags & STATUS_PRESENT != 0 {
        let status = body.u16("measurement status")?;
        attributes.quality.add(u32::from(status), STATUS);
    }
    if flags & OBJECT_PRESENT != 0 {
        body.u32("object id")?;
    }
    if flags & PATIENT_PRESENT != 0 {
        decoded.user(body.u8("patient id")?);
    }
    if flags & SUPPLEMENT_PRESENT != 0 {
        for _ in 0..body.u8("supplemental information")? {
            if body.u32("supplemental information")? == CONTROL_SOLUTION {
                attributes.quality.withhold(Absent::ControlSolution);
            }
        }
    }
    for (present, field) in [(DERIVED_FROM_PRESENT, "derived from"), (MEMBERS_PRESENT, "members")] {
        if flags & present != 0 {
            for _ in 0..body.u8(field)? {
                body.u32(field)?;
            }
        }
    }
    if flags & TLV_PRESENT != 0 {
        value::skip_tlvs(body)?;
    }
    Ok(attributes)
}

/// Says what was observed and cannot be charted.
fn not_charted(class: &'static str, code: u32, decoded: &mut Decoded) {
    decoded.label(Topic::ObservationClass, class);
    decoded.count(Counter::Metric, code);
}

#[cfg(test)]
mod tests;
