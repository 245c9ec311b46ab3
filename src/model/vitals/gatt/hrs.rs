//! Heart Rate Service, 0x180D: Heart Rate Measurement (2A37) and Body Sensor Location (2A38).
//!
//! S-7: a strap off the skin sends zero or its last value. Both are withheld, RR intervals with them.

use crate::vitals::decimal::Decimal;
use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Quantity, Topic};
use crate::vitals::gatt::quality::Quality;
use crate::vitals::nomenclature::{Absent, HEART_RATE, RR_INTERVAL, Status, Unit};
use crate::vitals::sfloat::Reading;

const RATE_IS_U16: u8 = 1 << 0;
const CONTACT_NOW: u8 = 1 << 1;
const CONTACT_SUPPORTED: u8 = 1 << 2;
const ENERGY_PRESENT: u8 = 1 << 3;
const RR_PRESENT: u8 = 1 << 4;

/// Where a sensor is worn, from 0.
const LOCATIONS: &[&str] = &["other", "chest", "wrist", "finger", "hand", "ear-lobe", "foot"];

/// Reads where the sensor is worn.
pub(super) fn location(cursor: &mut Cursor<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
    let location = usize::from(cursor.u8("body sensor location")?);
    let label = LOCATIONS.get(location).copied().unwrap_or("reserved");
    decoded.label(Topic::SensorLocation, label);
    Ok(())
}

/// Reads flags, heart rate, energy expended and RR intervals (oldest first).
pub(super) fn measurement(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let flags = cursor.u8("flags")?;
    let rate = if flags & RATE_IS_U16 != 0 {
        cursor.u16("heart rate")?
    } else {
        u16::from(cursor.u8("heart rate")?)
    };
    let quality = contact(flags, rate);
    decoded.offer(HEART_RATE, Unit::PerMinute, Reading::of(i64::from(rate), 0), &quality);
    let rest = energy_and_intervals(cursor, flags, &quality, decoded);
    cursor.as_far_as_it_goes(rest, decoded)
}

fn energy_and_intervals(
    cursor: &mut Cursor<'_>,
    flags: u8,
    quality: &Quality,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    if flags & ENERGY_PRESENT != 0 {
        let energy = cursor.scaled("energy expended", 1, 0)?;
        decoded.quantity(Quantity::EnergyExpended, energy, Unit::Kilojoule);
    }
    if flags & RR_PRESENT != 0 {
        // The flag promises at least one interval; the rest of the frame is more of them.
        loop {
            let raw = cursor.u16("rr interval")?;
            decoded.offer(RR_INTERVAL, Unit::Millisecond, milliseconds(raw), quality);
            if cursor.rest().is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// Contact has three states: not supported, off, on. A rate of zero is no reading in any of them, and one byte
/// that is full is a counter at its end.
fn contact(flags: u8, rate: u16) -> Quality {
    let supported = flags & CONTACT_SUPPORTED != 0;
    let touching = flags & CONTACT_NOW != 0;
    if rate == 0 || (supported && !touching) {
        Quality::withheld(Absent::NoContact)
    } else if flags & RATE_IS_U16 == 0 && rate == u16::from(u8::MAX) {
        Quality::withheld(Absent::Implausible)
    } else if supported {
        Quality { withhold: None, status: vec![Status::ContactDetected] }
    } else {
        Quality::default()
    }
}

/// 1/1024 s to ms: exact where three decimals suffice, otherwise rounded half up to three.
fn milliseconds(raw: u16) -> Reading {
    // raw x 1000/1024 ms, in thousandths, plus one half before the division.
    let thousandths = (i64::from(raw) * 1_000_000 + 512) / 1024;
    Reading::Number(Decimal::new(thousandths, -3).without_trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vitals::gatt::testing::{Expect, assert_decodes};

    #[test]
    fn frames() {
        assert_decodes(
            0x2A37,
            &[
                ("00 48", Expect { charted: &["147842 72 /min"], ..Expect::NOTHING }),
                ("01 fa 00", Expect { charted: &["147842 250 /min"], ..Expect::NOTHING }),
                ("01 ff 00", Expect { charted: &["147842 255 /min"], ..Expect::NOTHING }),
                ("01 2b 01", Expect { charted: &["147842 299 /min"], ..Expect::NOTHING }),
                (
                    "06 48",
                    Expect { charted: &["147842 72 /min contact-detected"], ..Expect::NOTHING },
                ),
                ("02 48", Expect { charted: &["147842 72 /min"], ..Expect::NOTHING }),
                // Polar H10, worn: 62 beats, one interval of 1003/1024 s.
                (
                    "10 3e eb 03",
                    Expect { charted: &["147842 62 /min", "147240 979.492 ms"], ..Expect::NOTHING },
                ),
                (
                    "18 48 2c 01 00 04 a0 03",
                    Expect {
                        charted: &["147842 72 /min", "147240 1000 ms", "147240 906.25 ms"],
                        events: &["energy-expended 300 kJ"],
                        ..Expect::NOTHING
                    },
                ),
                ("e0 48", Expect { charted: &["147842 72 /min"], ..Expect::NOTHING }), // reserved bits
                (
                    "00 48 00",
                    Expect {
                        charted: &["147842 72 /min"],
                        events: &["trailing-bytes"],
                        ..Expect::NOTHING
                    },
                ),
            ],
        );
    }

    #[test]
    fn s7_zero_and_lost_contact_are_no_heart_rate() {
        assert_decodes(
            0x2A37,
            &[
                ("00 00", Expect { withheld: &["147842 no-contact"], ..Expect::NOTHING }),
                ("06 00", Expect { withheld: &["147842 no-contact"], ..Expect::NOTHING }),
                ("04 48", Expect { withheld: &["147842 no-contact"], ..Expect::NOTHING }),
                (
                    "14 48 00 04",
                    Expect {
                        withheld: &["147842 no-contact", "147240 no-contact"],
                        ..Expect::NOTHING
                    },
                ),
                ("01 ff ff", Expect { withheld: &["147842 implausible"], ..Expect::NOTHING }),
                // Two ends of scales: of the byte, and of every monitor.
                ("00 ff", Expect { withheld: &["147842 implausible"], ..Expect::NOTHING }),
                ("01 2c 01", Expect { withheld: &["147842 implausible"], ..Expect::NOTHING }),
                (
                    "10 48 ff ff",
                    Expect {
                        charted: &["147842 72 /min"],
                        withheld: &["147240 implausible"],
                        ..Expect::NOTHING
                    },
                ),
            ],
        );
    }

    #[test]
    fn missing_bytes_name_their_field() {
        assert_decodes(
            0x2A37,
            &[
                ("", Expect { error: Some("truncated flags"), ..Expect::NOTHING }),
                ("00", Expect { error: Some("truncated heart rate"), ..Expect::NOTHING }),
                ("01 48", Expect { error: Some("truncated heart rate"), ..Expect::NOTHING }),
            ],
        );
    }

    /// gatt-1: a strap that has counted no interval yet announces them all the same.
    #[test]
    fn gatt_1_a_rate_is_good_whether_or_not_intervals_follow() {
        let rate = &["147842 72 /min contact-detected"];
        let missing = |charted| Expect { charted, events: &["part-missing"], ..Expect::NOTHING };
        assert_decodes(
            0x2A37,
            &[
                ("16 48", missing(rate)),
                (
                    "16 48 00 04",
                    Expect {
                        charted: &[
                            "147842 72 /min contact-detected",
                            "147240 1000 ms contact-detected",
                        ],
                        ..Expect::NOTHING
                    },
                ),
                ("08 48 01", missing(&["147842 72 /min"])),
                ("10 48 00 04 00", missing(&["147842 72 /min", "147240 1000 ms"])),
            ],
        );
    }

    #[test]
    fn intervals_round_half_up_to_a_microsecond() {
        for (raw, text) in [(1024, "1000"), (833, "813.477"), (832, "812.5"), (1, "0.977")] {
            assert_eq!(milliseconds(raw).to_string(), text);
        }
    }
}
