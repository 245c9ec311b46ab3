//! What a glucose sensor says of itself and of its session: CGM Feature (2AA8), Status (2AA9), Session
//! Start Time (2AAA) and Session Run Time (2AAB).
//!
//! A record's time offset counts from the session's start; so the start is this frame's time.

use crate::vitals::gatt::cts;
use crate::vitals::gatt::cursor::Cursor;
use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::e2e::{self, CRC_LEN};
use crate::vitals::gatt::event::{Quantity, Topic};
use crate::vitals::gatt::gls;
use crate::vitals::gatt::quality::Meaning;
use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

use super::ANNUNCIATION;

const CRC_SUPPORTED: u32 = 1 << 12;
/// What stands in the checksum's place in the features of a sensor that supports none.
const NO_CRC: u16 = 0xFFFF;

/// CGM Feature.
const FEATURES: &[(u32, &str)] = &[
    (0, "calibration"),
    (1, "patient-high-low-alerts"),
    (2, "hypo-alerts"),
    (3, "hyper-alerts"),
    (4, "rate-alerts"),
    (5, "device-alert"),
    (6, "sensor-malfunction-detection"),
    (7, "sensor-temperature-detection"),
    (8, "result-range-detection"),
    (9, "low-battery-detection"),
    (10, "sensor-type-detection"),
    (11, "device-fault"),
    (12, "checksum"),
    (13, "multiple-bonds"),
    (14, "multiple-sessions"),
    (15, "trend"),
    (16, "quality"),
];

/// Reads the features, what is sampled and where, and the checksum, whose place is always there.
pub(in crate::vitals::gatt) fn feature(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    const FIELDS_LEN: usize = 4;
    let whole = cursor.rest();
    let features = cursor.u24("features")?;
    let specimen = cursor.u8("type and sample location")?;
    let sent = cursor.u16("checksum")?;
    if features & CRC_SUPPORTED != 0 {
        e2e::check(whole.get(..FIELDS_LEN + CRC_LEN).unwrap_or_default())?;
    } else if sent != NO_CRC {
        return Err(DecodeError::Crc);
    }
    decoded.set_bits(Topic::Feature, features, FEATURES);
    gls::specimen(specimen, decoded);
    Ok(())
}

/// Reads minutes since the start and the three octets of the sensor's status.
pub(in crate::vitals::gatt) fn status(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let mut fields = e2e::checked(cursor, 5, CRC_LEN, "cgm status")?;
    let minutes = fields.scaled("time offset", 1, 0)?;
    let status = fields.u24("status")?;
    decoded.quantity(Quantity::SessionTime, minutes, Unit::Minute);
    for (position, meaning) in ANNUNCIATION {
        if status & (1 << position) != 0 {
            let word = match meaning {
                Meaning::Withhold(reason) => reason.word(),
                Meaning::Remark(remark) => remark.word(),
            };
            decoded.label(Topic::SensorStatus, word);
        }
    }
    Ok(())
}

/// Reads the local time at which the session began, and what that time is ahead of UTC.
pub(in crate::vitals::gatt) fn start_time(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let mut fields = e2e::checked(cursor, 9, CRC_LEN, "session start time")?;
    let start = fields.stamp("session start time")?;
    decoded.stamp(start);
    cts::zone(&mut fields, decoded)
}

/// Reads how many hours the session is expected to run.
pub(in crate::vitals::gatt) fn run_time(
    cursor: &mut Cursor<'_>,
    decoded: &mut Decoded,
) -> Result<(), DecodeError> {
    let mut fields = e2e::checked(cursor, 2, CRC_LEN, "session run time")?;
    let hours = Reading::of(i64::from(fields.u16("session run time")?), 0);
    decoded.quantity(Quantity::SessionRunTime, hours, Unit::Hour);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::vitals::gatt::testing::{Expect, assert_decodes, with_crc};

    #[test]
    fn features_name_specimen_and_place_and_check_themselves() {
        let good = with_crc("41 90 01 59");
        let events = &[
            "feature calibration",
            "feature sensor-malfunction-detection",
            "feature checksum",
            "feature trend",
            "feature quality",
            "sample-type interstitial-fluid",
            "sample-location subcutaneous-tissue",
        ];
        let said: Vec<(String, Expect)> = vec![
            (good.clone(), Expect { events, ..Expect::NOTHING }),
            (
                "00 80 00 59 ff ff".to_owned(),
                Expect {
                    events: &[
                        "feature trend",
                        "sample-type interstitial-fluid",
                        "sample-location subcutaneous-tissue",
                    ],
                    ..Expect::NOTHING
                },
            ),
            (
                "00 00 fe 4a ff ff".to_owned(), // reserved bits, and a control solution
                Expect {
                    events: &["sample-type control-solution", "sample-location control-solution"],
                    ..Expect::NOTHING
                },
            ),
            (good.replacen("41", "40", 1), Expect { error: Some("crc crc"), ..Expect::NOTHING }),
            ("00 80 00 59 00 00".to_owned(), Expect { error: Some("crc crc"), ..Expect::NOTHING }),
            (
                "00 80 00 59 ff".to_owned(),
                Expect { error: Some("truncated checksum"), ..Expect::NOTHING },
            ),
            ("00 80".to_owned(), Expect { error: Some("truncated features"), ..Expect::NOTHING }),
        ];
        for (frame, expect) in said {
            assert_decodes(0x2AA8, &[(frame.as_str(), expect)]);
        }
    }

    #[test]
    fn s7_the_sensors_status_holds_no_vital() {
        let events = &[
            "session-time 35 min",
            "sensor-status session-stopped",
            "sensor-status below-device-range",
            "sensor-status low-battery",
            "sensor-status calibration-required",
        ];
        let expect = Expect { events, ..Expect::NOTHING };
        let good = with_crc("23 00 03 08 40");
        assert_decodes(
            0x2AA9,
            &[
                ("23 00 03 08 40", expect),
                (&good, expect),
                (
                    "23 00 c0 c0 00", // reserved bits
                    Expect { events: &["session-time 35 min"], ..Expect::NOTHING },
                ),
                ("23 00 03 08 40 00 00", Expect { error: Some("crc crc"), ..Expect::NOTHING }),
                (
                    "23 00 03 08 40 00",
                    Expect { error: Some("truncated checksum"), ..Expect::NOTHING },
                ),
                (
                    "23 00 03 08 40 00 00 00",
                    Expect { error: Some("size cgm status"), ..Expect::NOTHING },
                ),
                ("23 00 03 08", Expect { error: Some("truncated status"), ..Expect::NOTHING }),
            ],
        );
    }

    /// Zones are in quarters of an hour: 8 is two hours, not eight minutes.
    #[test]
    fn a_session_begins_at_a_local_time() {
        let start = "e8 07 06 0f 11 11 1b 08 04";
        let expect = Expect {
            events: &["time-zone 120 min", "daylight-saving 60 min"],
            time: Some("2024-06-15T17:17:27"),
            ..Expect::NOTHING
        };
        let good = with_crc(start);
        assert_decodes(
            0x2AAA,
            &[
                (start, expect),
                (&good, expect),
                (
                    "00 00 00 00 00 00 00 80 ff",
                    Expect {
                        events: &["time-unknown", "time-zone unknown", "daylight-saving unknown"],
                        ..Expect::NOTHING
                    },
                ),
                (
                    "e8 07 06 0f 11 11 1b 08",
                    Expect { error: Some("truncated dst offset"), ..Expect::NOTHING },
                ),
                (
                    "e8 07 06 0f 11 11",
                    Expect { error: Some("truncated session start time"), ..Expect::NOTHING },
                ),
            ],
        );
    }

    #[test]
    fn a_session_runs_for_hours() {
        let good = with_crc("a8 00");
        let expect = Expect { events: &["session-run-time 168 h"], ..Expect::NOTHING };
        assert_decodes(
            0x2AAB,
            &[
                ("a8 00", expect),
                (&good, expect),
                ("a8 00 00 00", Expect { error: Some("crc crc"), ..Expect::NOTHING }),
                ("a8", Expect { error: Some("truncated session run time"), ..Expect::NOTHING }),
            ],
        );
    }
}
