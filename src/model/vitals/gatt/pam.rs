//! Physical Activity Monitor Service, 0x183E: Step Counter Activity Summary Data (2B40).
//!
//! Steps are no vital sign: all of it is events. The order of the fixed fields and the flags are those of
//! the service (1.0); that each optional field has three bytes follows an implementation from before its
//! adoption, and their units the sister characteristic Activity Goal (2B4E). Neither was held against the
//! adopted text or a device.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Counter, Note, Quantity};
use crate::vitals::gatt::segments::Header;
use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

const DISTANCE_PRESENT: u8 = 1 << 3;
const WORN_DURATION_PRESENT: u8 = 1 << 4;

/// Reads header, flags, session, sub-session, seconds since the session began, sequence number, and the
/// counts that the flags announce.
pub(super) fn steps(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    if !Header::read(cursor)?.is_whole() {
        decoded.note(Note::Segment);
        cursor.end();
        return Ok(());
    }
    let flags = cursor.u8("flags")?;
    decoded.count(Counter::Session, u32::from(cursor.u16("session id")?));
    decoded.count(Counter::SubSession, u32::from(cursor.u16("sub-session id")?));
    let seconds = Reading::of(i64::from(cursor.u32("relative time")?), 0);
    decoded.quantity(Quantity::ActivityTime, seconds, Unit::Second);
    decoded.count(Counter::Sequence, cursor.u32("sequence number")?);
    for (present, what, field) in [
        (1 << 0, Counter::WalkingSteps, "normal walking steps"),
        (1 << 1, Counter::IntensitySteps, "intensity steps"),
        (1 << 2, Counter::FloorSteps, "floor steps"),
    ] {
        if flags & present != 0 {
            decoded.count(what, cursor.u24(field)?);
        }
    }
    if flags & DISTANCE_PRESENT != 0 {
        let metres = Reading::of(i64::from(cursor.u24("distance")?), 0);
        decoded.quantity(Quantity::Distance, metres, Unit::Metre);
    }
    if flags & WORN_DURATION_PRESENT != 0 {
        let seconds = Reading::of(i64::from(cursor.u24("worn duration")?), 0);
        decoded.quantity(Quantity::WornDuration, seconds, Unit::Second);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::vitals::gatt::testing::{Expect, assert_decodes};

    #[test]
    fn s7_steps_are_no_vital() {
        assert_decodes(
            0x2B40,
            &[
                (
                    "03 1f 02 00 01 00 10 0e 00 00 07 00 00 00 88 13 00 e8 03 00 0c 00 00 a0 0f 00 08 07 00",
                    Expect {
                        events: &[
                            "session 2",
                            "sub-session 1",
                            "activity-time 3600 s",
                            "sequence 7",
                            "walking-steps 5000",
                            "intensity-steps 1000",
                            "floor-steps 12",
                            "distance 4000 m",
                            "worn-duration 1800 s",
                        ],
                        ..Expect::NOTHING
                    },
                ),
                (
                    "ff e1 02 00 01 00 10 0e 00 00 07 00 00 00 88 13 00", // reserved flags
                    Expect {
                        events: &[
                            "session 2",
                            "sub-session 1",
                            "activity-time 3600 s",
                            "sequence 7",
                            "walking-steps 5000",
                        ],
                        ..Expect::NOTHING
                    },
                ),
            ],
        );
    }

    #[test]
    fn a_segment_is_no_record_and_missing_bytes_name_their_field() {
        let rejected = |error| Expect { error: Some(error), ..Expect::NOTHING };
        let segment = Expect { events: &["segment"], ..Expect::NOTHING };
        assert_decodes(
            0x2B40,
            &[
                ("01 01 02 00", segment),
                ("02 88 13", segment),
                ("04", segment),
                ("", rejected("truncated segment header")),
                ("03", rejected("truncated flags")),
                ("03 00 02 00 01 00 10 0e 00 00 07 00 00", rejected("truncated sequence number")),
                ("03 08 02 00 01 00 10 0e 00 00 07 00 00 00 88 13", rejected("truncated distance")),
            ],
        );
    }
}
