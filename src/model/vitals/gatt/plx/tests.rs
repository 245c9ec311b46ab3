//! Frames of pulse oximeters, recorded and built.

use crate::vitals::Characteristic;
use crate::vitals::gatt::decode;
use crate::vitals::gatt::testing::{Expect, assert_decodes};

const BOTH: &[&str] = &["150456 97 %", "149530 72 /min"];

#[test]
fn frames() {
    assert_decodes(
        0x2A5F,
        &[
            ("00 61 00 48 00", Expect { charted: BOTH, ..Expect::NOTHING }),
            (
                "00 d4 f3 48 00",
                Expect { charted: &["150456 98.0 %", "149530 72 /min"], ..Expect::NOTHING },
            ),
            // Everything: fast, slow, statuses, index 5.2 %.
            (
                "1f 61 00 48 00 60 00 47 00 5f 00 46 00 20 01 20 00 00 34 f0",
                Expect {
                    charted: &[
                        "150456 97 % measurement-ongoing fully-qualified low-perfusion",
                        "149530 72 /min measurement-ongoing fully-qualified low-perfusion",
                        "150488 5.2 % measurement-ongoing fully-qualified low-perfusion",
                    ],
                    events: &["fast-values-not-charted", "slow-values-not-charted"],
                    ..Expect::NOTHING
                },
            ),
            ("e0 61 00 48 00", Expect { charted: BOTH, ..Expect::NOTHING }),
            (
                "00 61 00 48 00 aa",
                Expect { charted: BOTH, events: &["trailing-bytes"], ..Expect::NOTHING },
            ),
        ],
    );
    assert_decodes(
        0x2A5E,
        &[
            (
                "01 61 00 48 00 e8 07 06 0f 11 11 1b",
                Expect { charted: BOTH, time: Some("2024-06-15T17:17:27"), ..Expect::NOTHING },
            ),
            (
                "0a 61 00 48 00 80 02 34 f0",
                Expect {
                    charted: &[
                        "150456 97 % validated from-storage",
                        "149530 72 /min validated from-storage",
                        "150488 5.2 % validated from-storage",
                    ],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn a_clock_that_was_never_set_gives_no_time() {
    assert_decodes(
        0x2A5E,
        &[
            (
                "11 61 00 48 00 d0 07 01 01 00 00 05",
                Expect { charted: BOTH, events: &["clock-not-set"], ..Expect::NOTHING },
            ),
            (
                "10 61 00 48 00",
                Expect { charted: BOTH, events: &["clock-not-set"], ..Expect::NOTHING },
            ),
        ],
    );
}

#[test]
fn s7_every_withholding_status_word_withholds_every_value() {
    for (bit, word) in [
        (10, "demo"),
        (11, "test"),
        (12, "calibrating"),
        (13, "unavailable"),
        (14, "questionable"),
        (15, "invalid"),
    ] {
        let [low, high] = (1_u16 << bit).to_le_bytes();
        assert_all_withheld(&[0x14, 97, 0, 72, 0, low, high, 0x34, 0xF0], word);
    }
    for (bit, word) in
        [(1, "sensor-fault"), (11, "not-on-user"), (14, "sensor-malfunction"), (15, "disconnected")]
    {
        let [low, middle, high, _] = (1_u32 << bit).to_le_bytes();
        assert_all_withheld(&[0x18, 97, 0, 72, 0, low, middle, high, 0x34, 0xF0], word);
    }
}

fn assert_all_withheld(frame: &[u8], word: &str) {
    let decoded = decode(Characteristic(0x2A5F), frame).expect("a whole frame");
    assert_eq!(decoded.observations, [], "{word}");
    let reasons: Vec<_> = decoded.withheld.iter().map(|withheld| withheld.reason.word()).collect();
    assert_eq!(reasons, [word; 3]);
}

#[test]
fn s7_the_gravest_reason_is_named() {
    // Demo and questionable and not on user, around a NaN.
    assert_decodes(
        0x2A5F,
        &[(
            "0c ff 07 48 00 00 44 00 08 00",
            Expect { withheld: &["150456 demo", "149530 demo"], ..Expect::NOTHING },
        )],
    );
}

#[test]
fn s7_specials_and_impossible_values_are_withheld() {
    assert_decodes(
        0x2A5F,
        &[
            (
                "00 ff 07 ff 07",
                Expect {
                    withheld: &["150456 not-a-number", "149530 not-a-number"],
                    ..Expect::NOTHING
                },
            ),
            (
                "00 00 08 fe 07",
                Expect {
                    withheld: &["150456 not-at-this-resolution", "149530 positive-infinity"],
                    ..Expect::NOTHING
                },
            ),
            (
                "00 02 08 01 08",
                Expect {
                    withheld: &["150456 negative-infinity", "149530 reserved"],
                    ..Expect::NOTHING
                },
            ),
            (
                "00 65 00 48 00",
                Expect {
                    withheld: &["150456 implausible", "149530 implausible"],
                    ..Expect::NOTHING
                },
            ),
            (
                "00 00 00 00 00",
                Expect {
                    withheld: &["150456 implausible", "149530 implausible"],
                    ..Expect::NOTHING
                },
            ),
            (
                // gatt-2: a finger that is out.
                "00 7f 00 ff 00",
                Expect {
                    withheld: &["150456 implausible", "149530 implausible"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn missing_bytes_name_their_field() {
    assert_decodes(
        0x2A5F,
        &[
            ("00 61 00 48", Expect { error: Some("truncated pulse rate"), ..Expect::NOTHING }),
            (
                "01 61 00 48 00 61 00",
                Expect { error: Some("truncated fast pulse rate"), ..Expect::NOTHING },
            ),
            ("02 61 00 48 00 61", Expect { error: Some("truncated slow spo2"), ..Expect::NOTHING }),
            (
                "04 61 00 48 00 00",
                Expect { error: Some("truncated measurement status"), ..Expect::NOTHING },
            ),
            (
                "08 61 00 48 00 00 00",
                Expect { error: Some("truncated sensor status"), ..Expect::NOTHING },
            ),
            (
                "10 61 00 48 00 34",
                Expect {
                    charted: &["150456 97 %", "149530 72 /min"],
                    events: &["part-missing"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
    assert_decodes(
        0x2A5E,
        &[(
            "01 61 00 48 00 e8 07 06",
            Expect { error: Some("truncated time stamp"), ..Expect::NOTHING },
        )],
    );
}
