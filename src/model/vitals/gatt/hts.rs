//! Health Thermometer Service, 0x1809: Temperature Measurement (2A1C), Intermediate Temperature
//! (2A1E) and Temperature Type (2A1D).

use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::{Topic, from_one};
use crate::vitals::gatt::quality::Quality;
use crate::vitals::nomenclature::*;

const FAHRENHEIT: u8 = 1 << 0;
const TIME_PRESENT: u8 = 1 << 1;
const TYPE_PRESENT: u8 = 1 << 2;

/// Reads a settled temperature.
pub(super) fn temperature(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    read(cursor, &Quality::default(), decoded)
}

/// Reads a temperature that has not settled yet, and says so.
pub(super) fn intermediate_temperature(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let unsettled = Quality { withhold: None, status: vec![Status::Intermediate] };
    read(cursor, &unsettled, decoded)
}

/// Where a thermometer measures, from 1.
const SITES: &[&str] = &[
    "armpit",
    "body",
    "ear",
    "finger",
    "gastrointestinal-tract",
    "mouth",
    "rectum",
    "toe",
    "tympanum",
];

/// Reads where a thermometer measures that does not say so in each measurement.
pub(super) fn temperature_type(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let site = cursor.u8("temperature type")?;
    decoded.label(Topic::TemperatureSite, from_one(SITES, site));
    Ok(())
}

fn read(
    cursor: &mut Cursor<'_>,
    quality: &Quality,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let flags = cursor.u8("flags")?;
    let unit = if flags & FAHRENHEIT != 0 { Unit::Fahrenheit } else { Unit::Celsius };
    let reading = cursor.float("temperature")?;
    if flags & TIME_PRESENT != 0 {
        let stamp = cursor.stamp("time stamp")?;
        decoded.stamp(stamp);
    }
    let code = if flags & TYPE_PRESENT != 0 {
        site(cursor.u8("temperature type")?)
    } else {
        BODY_TEMPERATURE
    };
    decoded.offer(code, unit, reading, quality);
    Ok(())
}

/// Temperature Type (2A1D). Reserved types are a body temperature of unknown site.
fn site(temperature_type: u8) -> Mdc {
    match temperature_type {
        1 => TEMPERATURE_AXILLA,
        3 => TEMPERATURE_EAR,
        4 => TEMPERATURE_FINGER,
        5 => TEMPERATURE_GUT,
        6 => TEMPERATURE_ORAL,
        7 => TEMPERATURE_RECTAL,
        8 => TEMPERATURE_TOE,
        9 => TEMPERATURE_TYMPANIC,
        _ => BODY_TEMPERATURE,
    }
}

#[cfg(test)]
mod tests {
    use crate::vitals::gatt::testing::{Expect, assert_decodes};

    #[test]
    fn frames() {
        assert_decodes(
            0x2A1C,
            &[
                ("00 6f 01 00 ff", Expect { charted: &["150364 36.7 Cel"], ..Expect::NOTHING }),
                ("00 56 0e 00 fe", Expect { charted: &["150364 36.70 Cel"], ..Expect::NOTHING }),
                ("01 da 03 00 ff", Expect { charted: &["150364 98.6 [degF]"], ..Expect::NOTHING }),
                (
                    "06 6f 01 00 ff e8 07 06 0f 11 11 1b 06",
                    Expect {
                        charted: &["188424 36.7 Cel"],
                        time: Some("2024-06-15T17:17:27"),
                        ..Expect::NOTHING
                    },
                ),
                ("04 6f 01 00 ff 01", Expect { charted: &["188452 36.7 Cel"], ..Expect::NOTHING }),
                ("04 6f 01 00 ff 02", Expect { charted: &["150364 36.7 Cel"], ..Expect::NOTHING }),
                ("04 6f 01 00 ff 03", Expect { charted: &["188428 36.7 Cel"], ..Expect::NOTHING }),
                ("04 6f 01 00 ff 04", Expect { charted: &["188432 36.7 Cel"], ..Expect::NOTHING }),
                ("04 6f 01 00 ff 05", Expect { charted: &["188456 36.7 Cel"], ..Expect::NOTHING }),
                ("04 6f 01 00 ff 07", Expect { charted: &["188420 36.7 Cel"], ..Expect::NOTHING }),
                ("04 6f 01 00 ff 08", Expect { charted: &["188448 36.7 Cel"], ..Expect::NOTHING }),
                ("04 6f 01 00 ff 09", Expect { charted: &["150392 36.7 Cel"], ..Expect::NOTHING }),
                ("04 6f 01 00 ff 2a", Expect { charted: &["150364 36.7 Cel"], ..Expect::NOTHING }),
                ("f8 6f 01 00 ff", Expect { charted: &["150364 36.7 Cel"], ..Expect::NOTHING }),
            ],
        );
        assert_decodes(
            0x2A1E,
            &[(
                "00 6f 01 00 ff",
                Expect { charted: &["150364 36.7 Cel intermediate"], ..Expect::NOTHING },
            )],
        );
    }

    #[test]
    fn s7_specials_and_impossible_temperatures_are_withheld() {
        assert_decodes(
            0x2A1C,
            &[
                (
                    "00 ff ff 7f 00",
                    Expect { withheld: &["150364 not-a-number"], ..Expect::NOTHING },
                ),
                (
                    "00 00 00 80 00",
                    Expect { withheld: &["150364 not-at-this-resolution"], ..Expect::NOTHING },
                ),
                (
                    "00 fe ff 7f 00",
                    Expect { withheld: &["150364 positive-infinity"], ..Expect::NOTHING },
                ),
                (
                    "00 02 00 80 00",
                    Expect { withheld: &["150364 negative-infinity"], ..Expect::NOTHING },
                ),
                ("04 01 00 80 00 06", Expect { withheld: &["188424 reserved"], ..Expect::NOTHING }),
                // 98.6 without its Fahrenheit flag, 36.7 with one.
                ("00 da 03 00 ff", Expect { withheld: &["150364 implausible"], ..Expect::NOTHING }),
                ("01 6f 01 00 ff", Expect { withheld: &["150364 implausible"], ..Expect::NOTHING }),
            ],
        );
    }

    #[test]
    fn a_year_of_zero_is_no_time() {
        assert_decodes(
            0x2A1C,
            &[(
                "02 6f 01 00 ff 00 00 06 0f 11 11 1b",
                Expect {
                    charted: &["150364 36.7 Cel"],
                    events: &["time-unknown"],
                    ..Expect::NOTHING
                },
            )],
        );
    }

    #[test]
    fn missing_bytes_name_their_field() {
        assert_decodes(
            0x2A1C,
            &[
                ("00 6f 01 00", Expect { error: Some("truncated temperature"), ..Expect::NOTHING }),
                (
                    "02 6f 01 00 ff e8 07 06 0f 11 11",
                    Expect { error: Some("truncated time stamp"), ..Expect::NOTHING },
                ),
                (
                    "04 6f 01 00 ff",
                    Expect { error: Some("truncated temperature type"), ..Expect::NOTHING },
                ),
            ],
        );
    }
}
