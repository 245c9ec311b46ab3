//! Frames of glucose meters.

use crate::vitals::gatt::testing::{Expect, assert_decodes};

const TIME: Option<&str> = Some("2024-06-15T17:17:27");

#[test]
fn units_and_specimens() {
    assert_decodes(
        0x2A18,
        &[
            // 120e-5 kg/L, capillary whole blood, finger.
            (
                "02 05 00 e8 07 06 0f 11 11 1b 78 b0 11",
                Expect {
                    charted: &["160184 120 mg/dL finger"],
                    events: &["sequence 5"],
                    time: TIME,
                    ..Expect::NOTHING
                },
            ),
            // 66e-4 mol/L, capillary plasma, alternate site, context follows.
            (
                "16 06 00 e8 07 06 0f 11 11 1b 42 c0 22",
                Expect {
                    charted: &["160188 6.6 mmol/L alternate-site"],
                    events: &["sequence 6", "context-follows"],
                    time: TIME,
                    ..Expect::NOTHING
                },
            ),
            (
                "02 07 00 e8 07 06 0f 11 11 1b 78 b0 39",
                Expect {
                    charted: &["160212 120 mg/dL earlobe"],
                    events: &["sequence 7"],
                    time: TIME,
                    ..Expect::NOTHING
                },
            ),
            (
                "00 08 00 e8 07 06 0f 11 11 1b",
                Expect {
                    events: &["sequence 8", "no-concentration"],
                    time: TIME,
                    ..Expect::NOTHING
                },
            ),
            // Reserved flags; low battery and a clock fault are remarks.
            (
                "ea 09 00 e8 07 06 0f 11 11 1b 78 b0 f8 01 08",
                Expect {
                    charted: &["160368 120 mg/dL site-unknown low-battery time-fault"],
                    events: &["sequence 9"],
                    time: TIME,
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn s7_control_solution_never_reaches_the_chart() {
    for (specimen, withheld) in [
        ("1a", &["160208 control-solution"] as &'static [&'static str]),
        ("4a", &["160208 control-solution"]),
        ("41", &["160184 control-solution"]),
        ("48", &["160368 control-solution"]),
    ] {
        let frame = format!("02 05 00 e8 07 06 0f 11 11 1b 78 b0 {specimen}");
        let expect = Expect { withheld, events: &["sequence 5"], time: TIME, ..Expect::NOTHING };
        assert_decodes(0x2A18, &[(&frame, expect)]);
    }
}

#[test]
fn s7_meter_faults_withhold_the_result() {
    for (bit, withheld) in [
        (1, &["160184 sensor-fault"] as &'static [&'static str]),
        (2, &["160184 measurement-failed"]),
        (3, &["160184 measurement-failed"]),
        (4, &["160184 measurement-failed"]),
        (5, &["160184 above-device-range"]),
        (6, &["160184 below-device-range"]),
        (7, &["160184 measurement-failed"]),
        (8, &["160184 measurement-failed"]),
        (9, &["160184 measurement-failed"]),
        (10, &["160184 sensor-fault"]),
    ] {
        let [low, high] = (1_u16 << bit).to_le_bytes();
        let frame = format!("0a 05 00 e8 07 06 0f 11 11 1b 78 b0 11 {low:02x} {high:02x}");
        let expect = Expect { withheld, events: &["sequence 5"], time: TIME, ..Expect::NOTHING };
        assert_decodes(0x2A18, &[(&frame, expect)]);
    }
}

#[test]
fn s7_specials_reserved_specimens_and_impossible_values_are_withheld() {
    for (value, withheld) in [
        ("ff 07 11", &["160184 not-a-number"] as &'static [&'static str]),
        ("00 08 11", &["160184 not-at-this-resolution"]),
        ("00 00 11", &["160184 implausible"]),
        ("78 00 11", &["160184 implausible"]), // 120 kg/L: a meter that sends mg/dL
        ("78 b0 10", &["160020 reserved"]),
        ("78 b0 1f", &["160020 reserved"]),
    ] {
        let frame = format!("02 05 00 e8 07 06 0f 11 11 1b {value}");
        let expect = Expect { withheld, events: &["sequence 5"], time: TIME, ..Expect::NOTHING };
        assert_decodes(0x2A18, &[(&frame, expect)]);
    }
}

#[test]
fn time_is_base_plus_offset_unless_one_is_unknown() {
    for (time, expect) in [
        (
            "e8 07 06 0f 11 11 1b 3c 00",
            Expect {
                events: &["sequence 1", "no-concentration"],
                time: Some("2024-06-15T18:17:27"),
                ..Expect::NOTHING
            },
        ),
        // One day and one hour back, over the month's beginning.
        (
            "e8 07 06 01 11 11 1b 24 fa",
            Expect {
                events: &["sequence 1", "no-concentration"],
                time: Some("2024-05-31T16:17:27"),
                ..Expect::NOTHING
            },
        ),
        (
            "e8 07 06 0f 11 11 1b ff 7f",
            Expect {
                events: &["sequence 1", "time-offset-overrun", "no-concentration"],
                ..Expect::NOTHING
            },
        ),
        (
            "e8 07 06 0f 11 11 1b 00 80",
            Expect {
                events: &["sequence 1", "time-offset-underrun", "no-concentration"],
                ..Expect::NOTHING
            },
        ),
        (
            "00 00 06 0f 11 11 1b 3c 00",
            Expect {
                events: &["sequence 1", "time-unknown", "no-concentration"],
                ..Expect::NOTHING
            },
        ),
        (
            "0f 27 0c 1f 17 3b 3b 01 00",
            Expect {
                events: &["sequence 1", "time-impossible", "no-concentration"],
                ..Expect::NOTHING
            },
        ),
    ] {
        assert_decodes(0x2A18, &[(&format!("01 01 00 {time}"), expect)]);
    }
}

#[test]
fn missing_bytes_name_their_field() {
    assert_decodes(
        0x2A18,
        &[
            ("00 01", Expect { error: Some("truncated sequence number"), ..Expect::NOTHING }),
            (
                "00 01 00 e8 07 06 0f 11 11",
                Expect { error: Some("truncated base time"), ..Expect::NOTHING },
            ),
            (
                "01 01 00 e8 07 06 0f 11 11 1b 00",
                Expect { error: Some("truncated time offset"), ..Expect::NOTHING },
            ),
            (
                "02 01 00 e8 07 06 0f 11 11 1b 78 b0",
                Expect { error: Some("truncated type and sample location"), ..Expect::NOTHING },
            ),
            (
                "0a 01 00 e8 07 06 0f 11 11 1b 78 b0 11 00",
                Expect { error: Some("truncated sensor status annunciation"), ..Expect::NOTHING },
            ),
        ],
    );
}
