//! Frames of glucose sensors, built.

use crate::vitals::gatt::testing::{Expect, assert_decodes, bytes, with_crc};

/// However a notification is cut, its records are those that it decodes to.
#[test]
fn a_notification_is_its_records_one_by_one() {
    let frame = bytes("0a 03 78 00 23 00 f1 ff 62 00 06 00 7d 00 28 00");
    let split: Vec<usize> = super::records(&frame).map(<[u8]>::len).collect();
    assert_eq!(split, [10, 6]);
    for len in 0..frame.len() {
        let cut = frame.get(..len).unwrap_or_default();
        let again: Vec<u8> = super::records(cut).flatten().copied().collect();
        assert_eq!(again, cut, "nothing is lost or made up");
    }
    assert_eq!(super::records(&[0; 20]).count(), 4, "a size of nothing ends, too");
    let minutes = |frame| {
        let decoded = crate::vitals::gatt::decode(crate::vitals::Characteristic(0x2AA7), frame);
        super::session_minutes(&decoded.expect("a sound record"))
    };
    let minutes: Vec<_> = super::records(&frame).map(minutes).collect();
    assert_eq!(minutes, [Some(35), Some(40)]);
}

#[test]
fn records() {
    assert_decodes(
        0x2AA7,
        &[
            (
                "06 00 78 00 23 00",
                Expect {
                    charted: &["160212 120 mg/dL"],
                    events: &["session-time 35 min"],
                    ..Expect::NOTHING
                },
            ),
            // Two records in one notification.
            (
                "06 00 78 00 23 00 06 00 7d 00 28 00",
                Expect {
                    charted: &["160212 120 mg/dL", "160212 125 mg/dL"],
                    events: &["session-time 35 min", "session-time 40 min"],
                    ..Expect::NOTHING
                },
            ),
            // Trend -1.5 mg/dL/min and quality 98 %.
            (
                "0a 03 78 00 23 00 f1 ff 62 00",
                Expect {
                    charted: &["160212 120 mg/dL"],
                    events: &[
                        "session-time 35 min",
                        "glucose-trend -1.5 mg/dL/min",
                        "glucose-quality 98 %",
                    ],
                    ..Expect::NOTHING
                },
            ),
            // All three octets, in the order status, calibration, warning.
            (
                "09 e0 32 00 23 00 02 08 05",
                Expect {
                    charted: &[
                        "160212 50 mg/dL low-battery calibration-required below-patient-low below-hypo",
                    ],
                    events: &["session-time 35 min"],
                    ..Expect::NOTHING
                },
            ),
            (
                "06 1c 78 00 23 00",
                Expect {
                    charted: &["160212 120 mg/dL"],
                    events: &["session-time 35 min"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn a_checksum_is_checked_where_there_is_one() {
    let good = with_crc("08 00 78 00 23 00");
    let expect = Expect {
        charted: &["160212 120 mg/dL"],
        events: &["session-time 35 min"],
        ..Expect::NOTHING
    };
    assert_decodes(0x2AA7, &[(&good, expect)]);
    let bad = Expect { error: Some("crc crc"), ..Expect::NOTHING };
    let altered = good.replacen("78", "79", 1);
    // The second record of a notification is broken: the first is not charted either.
    let second = format!("06 00 78 00 23 00 {altered}");
    assert_decodes(0x2AA7, &[(&altered, bad), (&second, bad)]);
}

#[test]
fn s7_sensor_trouble_withholds_the_value() {
    for (octets, withheld) in [
        ("07 80 78 00 23 00 01", &["160212 session-stopped"] as &'static [&'static str]),
        ("07 80 78 00 23 00 04", &["160212 sensor-fault"]),
        ("07 80 78 00 23 00 08", &["160212 sensor-fault"]),
        ("07 80 78 00 23 00 20", &["160212 sensor-fault"]),
        ("07 40 78 00 23 00 10", &["160212 measurement-failed"]),
        ("07 40 78 00 23 00 20", &["160212 measurement-failed"]),
        ("07 20 78 00 23 00 40", &["160212 below-device-range"]),
        ("07 20 78 00 23 00 80", &["160212 above-device-range"]),
        ("06 00 ff 07 23 00", &["160212 not-a-number"]),
        ("06 00 01 08 23 00", &["160212 reserved"]),
        ("06 00 00 00 23 00", &["160212 implausible"]),
    ] {
        let expect = Expect { withheld, events: &["session-time 35 min"], ..Expect::NOTHING };
        assert_decodes(0x2AA7, &[(octets, expect)]);
    }
}

#[test]
fn sizes_must_fit_flags_and_frame() {
    let size = Expect { error: Some("size record"), ..Expect::NOTHING };
    let truncated = Expect { error: Some("truncated record"), ..Expect::NOTHING };
    assert_decodes(
        0x2AA7,
        &[
            ("", Expect { error: Some("truncated size"), ..Expect::NOTHING }),
            ("00", size),
            ("05 00 78 00 23", size),
            ("06 01 78 00 23 00", size), // a trend is announced, no byte left for it
            ("07 00 78 00 23 00 00", size), // one byte too many for a checksum
            ("06 00 78 00 23", truncated),
            ("06 00 78 00 23 00 06", truncated), // the second record is cut
            ("0a 03 78 00 23 00 f1 ff 62", truncated),
        ],
    );
}
