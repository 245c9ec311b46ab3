//! Weight Scale Service, 0x181D: Weight Measurement (2A9D) and Weight Scale Feature (2A9E).
//!
//! Resolutions are fixed: 0.005 kg or 0.01 lb, 0.001 m or 0.1 in. S-7: 0xFFFF is a scale that could not
//! weigh; what it derives from the weight is withheld with it.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Note, Topic};
use crate::vitals::gatt::quality::Quality;
use crate::vitals::nomenclature::*;
use crate::vitals::sfloat::Reading;

const IMPERIAL: u8 = 1 << 0;
const TIME_PRESENT: u8 = 1 << 1;
const USER_PRESENT: u8 = 1 << 2;
const BMI_HEIGHT_PRESENT: u8 = 1 << 3;

/// Weight Scale Feature. The resolutions that follow these bits change no value: they are fixed.
const FEATURES: &[(u32, &str)] =
    &[(0, "time-stamp"), (1, "multiple-users"), (2, "body-mass-index")];

/// A measurement that did not succeed, in the weight and in the body fat field.
pub(super) const UNSUCCESSFUL: u16 = 0xFFFF;

/// Reads flags, weight and the optional stamp, user, BMI and height.
pub(super) fn measurement(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let flags = cursor.u8("flags")?;
    let imperial = flags & IMPERIAL != 0;
    let raw = cursor.u16("weight")?;
    let quality = success(raw, decoded);
    let (weight, unit) = mass(raw, imperial);
    decoded.offer(BODY_WEIGHT, unit, weight, &quality);
    if flags & TIME_PRESENT != 0 {
        let stamp = cursor.stamp("time stamp")?;
        decoded.stamp(stamp);
    }
    if flags & USER_PRESENT != 0 {
        decoded.user(cursor.u8("user id")?);
    }
    if flags & BMI_HEIGHT_PRESENT != 0 {
        let read = bmi_and_height(cursor, imperial, &quality, decoded);
        return cursor.as_far_as_it_goes(read, decoded);
    }
    Ok(())
}

/// Reads the features.
pub(super) fn features(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    decoded.set_bits(Topic::Feature, cursor.u32("features")?, FEATURES);
    Ok(())
}

fn bmi_and_height(
    cursor: &mut Cursor<'_>,
    imperial: bool,
    quality: &Quality,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let bmi = cursor.scaled("bmi", 1, -1)?;
    decoded.offer(BODY_MASS_INDEX, Unit::KilogramPerSquareMetre, bmi, quality);
    let (height, unit) = length(cursor.u16("height")?, imperial);
    decoded.offer(BODY_HEIGHT, unit, height, quality);
    Ok(())
}

/// The judgement of the frame's leading value; a failed one is also an event.
pub(super) fn success(raw: u16, decoded: &mut Decoded) -> Quality {
    if raw == UNSUCCESSFUL {
        decoded.note(Note::MeasurementFailed);
        return Quality::withheld(Absent::MeasurementFailed);
    }
    Quality::default()
}

/// A mass in steps of 0.005 kg or 0.01 lb.
pub(super) fn mass(raw: u16, imperial: bool) -> (Reading, Unit) {
    let raw = i64::from(raw);
    if imperial {
        (Reading::of(raw, -2), Unit::Pound)
    } else {
        (Reading::of(raw * 5, -3), Unit::Kilogram)
    }
}

/// A length in steps of 0.001 m or 0.1 in.
pub(super) fn length(raw: u16, imperial: bool) -> (Reading, Unit) {
    let raw = i64::from(raw);
    if imperial { (Reading::of(raw, -1), Unit::Inch) } else { (Reading::of(raw, -3), Unit::Metre) }
}

#[cfg(test)]
mod tests {
    use crate::vitals::gatt::testing::{Expect, assert_decodes};

    #[test]
    fn frames() {
        assert_decodes(
            0x2A9D,
            &[
                ("00 b0 36", Expect { charted: &["188736 70.000 kg"], ..Expect::NOTHING }),
                ("01 48 3c", Expect { charted: &["188736 154.32 [lb_av]"], ..Expect::NOTHING }),
                (
                    "0e bf 36 e8 07 06 0f 11 11 1b 02 e6 00 d6 06",
                    Expect {
                        charted: &["188736 70.075 kg", "188752 23.0 kg/m2", "188740 1.750 m"],
                        events: &["user 2"],
                        time: Some("2024-06-15T17:17:27"),
                        ..Expect::NOTHING
                    },
                ),
                (
                    "0d 48 3c ff e6 00 b1 02",
                    Expect {
                        charted: &[
                            "188736 154.32 [lb_av]",
                            "188752 23.0 kg/m2",
                            "188740 68.9 [in_i]",
                        ],
                        events: &["user-unknown"],
                        ..Expect::NOTHING
                    },
                ),
                ("f0 b0 36", Expect { charted: &["188736 70.000 kg"], ..Expect::NOTHING }),
            ],
        );
    }

    #[test]
    fn s7_a_failed_weighing_charts_nothing() {
        assert_decodes(
            0x2A9D,
            &[
                (
                    "00 ff ff",
                    Expect {
                        withheld: &["188736 measurement-failed"],
                        events: &["measurement-failed"],
                        ..Expect::NOTHING
                    },
                ),
                (
                    "08 ff ff e6 00 d6 06",
                    Expect {
                        withheld: &[
                            "188736 measurement-failed",
                            "188752 measurement-failed",
                            "188740 measurement-failed",
                        ],
                        events: &["measurement-failed"],
                        ..Expect::NOTHING
                    },
                ),
                (
                    "08 00 00 00 00 00 00",
                    Expect {
                        withheld: &[
                            "188736 implausible",
                            "188752 implausible",
                            "188740 implausible",
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
            0x2A9D,
            &[
                ("00 b0", Expect { error: Some("truncated weight"), ..Expect::NOTHING }),
                ("02 b0 36 e8", Expect { error: Some("truncated time stamp"), ..Expect::NOTHING }),
                ("04 b0 36", Expect { error: Some("truncated user id"), ..Expect::NOTHING }),
                (
                    "08 b0 36 e6",
                    Expect {
                        charted: &["188736 70.000 kg"],
                        events: &["part-missing"],
                        ..Expect::NOTHING
                    },
                ),
            ],
        );
    }
}
