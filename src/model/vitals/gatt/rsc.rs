//! Running Speed and Cadence Service, 0x1814: RSC Measurement (2A53) and RSC Feature (2A54).
//!
//! Activity belongs in its own lane: it decodes to events and never to a vital sign.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Note, Quantity, Topic};
use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

const STRIDE_PRESENT: u8 = 1 << 0;
const DISTANCE_PRESENT: u8 = 1 << 1;
const RUNNING: u8 = 1 << 2;

/// RSC Feature.
const FEATURES: &[(u32, &str)] = &[
    (0, "stride-length"),
    (1, "distance"),
    (2, "walking-or-running"),
    (3, "calibration"),
    (4, "multiple-locations"),
];

/// Reads the features.
pub(super) fn features(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let features = cursor.u16("features")?;
    decoded.set_bits(Topic::Feature, u32::from(features), FEATURES);
    Ok(())
}

/// Reads flags, speed, cadence and the optional stride length and distance.
pub(super) fn measurement(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let flags = cursor.u8("flags")?;
    decoded.note(if flags & RUNNING != 0 { Note::Running } else { Note::Walking });
    // 1/256 m/s is 0.00390625 m/s exactly.
    let speed = cursor.scaled("speed", 390_625, -8)?;
    decoded.quantity(Quantity::Speed, without_trailing_zeros(speed), Unit::MetrePerSecond);
    let cadence = Reading::of(i64::from(cursor.u8("cadence")?), 0);
    decoded.quantity(Quantity::Cadence, cadence, Unit::PerMinute);
    let read = stride_and_distance(cursor, flags, decoded);
    cursor.as_far_as_it_goes(read, decoded)
}

fn stride_and_distance(
    cursor: &mut Cursor<'_>,
    flags: u8,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    if flags & STRIDE_PRESENT != 0 {
        let stride = cursor.scaled("stride length", 1, 0)?;
        decoded.quantity(Quantity::StrideLength, stride, Unit::Centimetre);
    }
    if flags & DISTANCE_PRESENT != 0 {
        let distance = Reading::of(i64::from(cursor.u32("total distance")?), 0);
        decoded.quantity(Quantity::Distance, distance, Unit::Decimetre);
    }
    Ok(())
}

fn without_trailing_zeros(reading: Reading) -> Reading {
    reading.number().map_or(reading, |number| Reading::Number(number.without_trailing_zeros()))
}

#[cfg(test)]
mod tests {
    use crate::vitals::gatt::testing::{Expect, assert_decodes};

    #[test]
    fn s7_activity_holds_no_vital() {
        assert_decodes(
            0x2A53,
            &[
                (
                    "00 80 01 3c",
                    Expect {
                        events: &["walking", "speed 1.5 m/s", "cadence 60 /min"],
                        ..Expect::NOTHING
                    },
                ),
                (
                    "07 01 03 a0 78 00 e8 03 00 00",
                    Expect {
                        events: &[
                            "running",
                            "speed 3.00390625 m/s",
                            "cadence 160 /min",
                            "stride-length 120 cm",
                            "distance 1000 dm",
                        ],
                        ..Expect::NOTHING
                    },
                ),
            ],
        );
    }

    #[test]
    fn missing_bytes_name_their_field() {
        assert_decodes(
            0x2A53,
            &[
                ("00 80 01", Expect { error: Some("truncated cadence"), ..Expect::NOTHING }),
                (
                    "01 80 01 3c 78",
                    Expect {
                        events: &["walking", "speed 1.5 m/s", "cadence 60 /min", "part-missing"],
                        ..Expect::NOTHING
                    },
                ),
                (
                    "02 80 01 3c e8 03 00",
                    Expect {
                        events: &["walking", "speed 1.5 m/s", "cadence 60 /min", "part-missing"],
                        ..Expect::NOTHING
                    },
                ),
            ],
        );
    }
}
