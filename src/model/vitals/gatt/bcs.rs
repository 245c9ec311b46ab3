//! Body Composition Service, 0x181B: Body Composition Measurement (2A9C) and Body Composition Feature
//! (2A9B).
//!
//! Values with a code of their own are offered to the chart; muscle, metabolism and impedance have none
//! and stay events. S-7: a body fat of 0xFFFF is a failed measurement, and everything derived from it
//! fails with it.

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Note, Quantity, Topic};
use crate::vitals::gatt::quality::Quality;
use crate::vitals::gatt::wss;
use crate::vitals::nomenclature::*;

const IMPERIAL: u16 = 1 << 0;
const TIME_PRESENT: u16 = 1 << 1;
const USER_PRESENT: u16 = 1 << 2;
const BASAL_METABOLISM_PRESENT: u16 = 1 << 3;
const MUSCLE_PERCENTAGE_PRESENT: u16 = 1 << 4;
const MUSCLE_MASS_PRESENT: u16 = 1 << 5;
const FAT_FREE_MASS_PRESENT: u16 = 1 << 6;
const SOFT_LEAN_MASS_PRESENT: u16 = 1 << 7;
const BODY_WATER_PRESENT: u16 = 1 << 8;
const IMPEDANCE_PRESENT: u16 = 1 << 9;
const WEIGHT_PRESENT: u16 = 1 << 10;
const HEIGHT_PRESENT: u16 = 1 << 11;
const MULTIPLE_PACKETS: u16 = 1 << 12;

/// Body Composition Feature. The resolutions that follow these bits change no value: they are fixed.
const FEATURES: &[(u32, &str)] = &[
    (0, "time-stamp"),
    (1, "multiple-users"),
    (2, "basal-metabolism"),
    (3, "muscle-percentage"),
    (4, "muscle-mass"),
    (5, "fat-free-mass"),
    (6, "soft-lean-mass"),
    (7, "body-water-mass"),
    (8, "impedance"),
    (9, "weight"),
    (10, "height"),
];

/// Reads the features.
pub(super) fn features(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    decoded.set_bits(Topic::Feature, cursor.u32("features")?, FEATURES);
    Ok(())
}

/// Reads flags, body fat and the optional fields in flag order.
pub(super) fn measurement(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let flags = cursor.u16("flags")?;
    let raw = cursor.u16("body fat percentage")?;
    let quality = wss::success(raw, decoded);
    let fat = crate::vitals::sfloat::Reading::of(i64::from(raw), -1);
    decoded.offer(BODY_FAT, Unit::Percent, fat, &quality);
    if flags & MULTIPLE_PACKETS != 0 {
        decoded.note(Note::MultiplePackets);
    }
    if flags & TIME_PRESENT != 0 {
        let stamp = cursor.stamp("time stamp")?;
        decoded.stamp(stamp);
    }
    if flags & USER_PRESENT != 0 {
        decoded.user(cursor.u8("user id")?);
    }
    let read = composition(flags, cursor, &quality, decoded);
    cursor.as_far_as_it_goes(read, decoded)
}

fn composition(
    flags: u16,
    cursor: &mut Cursor<'_>,
    quality: &Quality,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    if flags & BASAL_METABOLISM_PRESENT != 0 {
        let energy = cursor.scaled("basal metabolism", 1, 0)?;
        decoded.quantity(Quantity::BasalMetabolism, energy, Unit::Kilojoule);
    }
    if flags & MUSCLE_PERCENTAGE_PRESENT != 0 {
        let part = cursor.scaled("muscle percentage", 1, -1)?;
        decoded.quantity(Quantity::MusclePercentage, part, Unit::Percent);
    }
    masses(flags, cursor, quality, decoded)
}

fn masses(
    flags: u16,
    cursor: &mut Cursor<'_>,
    quality: &Quality,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let imperial = flags & IMPERIAL != 0;
    if flags & MUSCLE_MASS_PRESENT != 0 {
        let (muscle, unit) = wss::mass(cursor.u16("muscle mass")?, imperial);
        decoded.quantity(Quantity::MuscleMass, muscle, unit);
    }
    for (present, code, field) in [
        (FAT_FREE_MASS_PRESENT, FAT_FREE_MASS, "fat free mass"),
        (SOFT_LEAN_MASS_PRESENT, SOFT_LEAN_MASS, "soft lean mass"),
        (BODY_WATER_PRESENT, BODY_WATER, "body water mass"),
    ] {
        if flags & present != 0 {
            let (mass, unit) = wss::mass(cursor.u16(field)?, imperial);
            decoded.offer(code, unit, mass, quality);
        }
    }
    if flags & IMPEDANCE_PRESENT != 0 {
        let impedance = cursor.scaled("impedance", 1, -1)?;
        decoded.quantity(Quantity::Impedance, impedance, Unit::Ohm);
    }
    if flags & WEIGHT_PRESENT != 0 {
        let raw = cursor.u16("weight")?;
        let (weight, unit) = wss::mass(raw, imperial);
        let failed = raw == wss::UNSUCCESSFUL && quality.withhold.is_none();
        let own = if failed { wss::success(raw, decoded) } else { quality.clone() };
        decoded.offer(BODY_WEIGHT, unit, weight, &own);
    }
    if flags & HEIGHT_PRESENT != 0 {
        let (height, unit) = wss::length(cursor.u16("height")?, imperial);
        decoded.offer(BODY_HEIGHT, unit, height, quality);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::vitals::gatt::testing::{Expect, assert_decodes};

    #[test]
    fn frames() {
        assert_decodes(
            0x2A9C,
            &[
                ("00 00 d7 00", Expect { charted: &["188748 21.5 %"], ..Expect::NOTHING }),
                // Every field, metric.
                (
                    "fe 1f d7 00 e8 07 06 0f 11 11 1b 01 58 1b a4 01 c0 17 8c 2a d0 28 60 20 88 13 b0 36 d6 06",
                    Expect {
                        charted: &[
                            "188748 21.5 %",
                            "188756 54.460 kg",
                            "188760 52.240 kg",
                            "188764 41.440 kg",
                            "188736 70.000 kg",
                            "188740 1.750 m",
                        ],
                        events: &[
                            "multiple-packets",
                            "user 1",
                            "basal-metabolism 7000 kJ",
                            "muscle-percentage 42.0 %",
                            "muscle-mass 30.400 kg",
                            "impedance 500.0 Ohm",
                        ],
                        time: Some("2024-06-15T17:17:27"),
                        ..Expect::NOTHING
                    },
                ),
                (
                    "01 0c d7 00 48 3c b1 02",
                    Expect {
                        charted: &["188748 21.5 %", "188736 154.32 [lb_av]", "188740 68.9 [in_i]"],
                        ..Expect::NOTHING
                    },
                ),
                ("00 e0 d7 00", Expect { charted: &["188748 21.5 %"], ..Expect::NOTHING }),
            ],
        );
    }

    #[test]
    fn s7_a_failed_measurement_charts_nothing() {
        assert_decodes(
            0x2A9C,
            &[
                (
                    "00 0c ff ff b0 36 d6 06",
                    Expect {
                        withheld: &[
                            "188748 measurement-failed",
                            "188736 measurement-failed",
                            "188740 measurement-failed",
                        ],
                        events: &["measurement-failed"],
                        ..Expect::NOTHING
                    },
                ),
                (
                    "00 04 d7 00 ff ff",
                    Expect {
                        charted: &["188748 21.5 %"],
                        withheld: &["188736 measurement-failed"],
                        events: &["measurement-failed"],
                        ..Expect::NOTHING
                    },
                ),
                ("00 00 e9 03", Expect { withheld: &["188748 implausible"], ..Expect::NOTHING }),
            ],
        );
    }

    #[test]
    fn missing_bytes_name_their_field() {
        assert_decodes(
            0x2A9C,
            &[
                ("00", Expect { error: Some("truncated flags"), ..Expect::NOTHING }),
                (
                    "00 00 d7",
                    Expect { error: Some("truncated body fat percentage"), ..Expect::NOTHING },
                ),
                (
                    "00 01 d7 00 01",
                    Expect {
                        charted: &["188748 21.5 %"],
                        events: &["part-missing"],
                        ..Expect::NOTHING
                    },
                ),
                ("02 08 d7 00", Expect { error: Some("truncated time stamp"), ..Expect::NOTHING }),
            ],
        );
    }
}
