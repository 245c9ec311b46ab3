//! Frames of blood pressure cuffs, recorded and built.

use crate::vitals::Characteristic;
use crate::vitals::gatt::testing::{Expect, assert_decodes, assert_eq_words, bytes};
use crate::vitals::gatt::{Quirks, decode_with_quirks};

const WHOLE: &[&str] =
    &["150021 124 mm[Hg]", "150022 86 mm[Hg]", "150023 97 mm[Hg]", "149546 51 /min"];

#[test]
fn recorded_frames() {
    assert_decodes(
        0x2A35,
        &[(
            "16 7c 00 56 00 61 00 e8 07 06 0f 11 11 1b 33 00 00 00",
            Expect { charted: WHOLE, time: Some("2024-06-15T17:17:27"), ..Expect::NOTHING },
        )],
    );
}

#[test]
fn units_stay_as_the_cuff_sent_them() {
    assert_decodes(
        0x2A35,
        &[
            // 16.1 over 10.7 kPa, mean 12.5.
            (
                "01 a1 f0 6b f0 7d f0",
                Expect {
                    charted: &["150021 16.1 kPa", "150022 10.7 kPa", "150023 12.5 kPa"],
                    ..Expect::NOTHING
                },
            ),
            // 121 kPa would burst any cuff.
            (
                "01 79 00 51 00 5d 00",
                Expect {
                    withheld: &["150021 implausible", "150022 implausible", "150023 implausible"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn status_and_user_are_remarks() {
    assert_decodes(
        0x2A35,
        &[
            (
                "18 7c 00 56 00 61 00 02 27 00",
                Expect {
                    charted: &[
                        "150021 124 mm[Hg] body-movement cuff-too-loose irregular-pulse improper-position",
                        "150022 86 mm[Hg] body-movement cuff-too-loose irregular-pulse improper-position",
                        "150023 97 mm[Hg] body-movement cuff-too-loose irregular-pulse improper-position",
                    ],
                    events: &["user 2"],
                    ..Expect::NOTHING
                },
            ),
            (
                "14 7c 00 56 00 61 00 33 00 08 00",
                Expect {
                    charted: &[
                        "150021 124 mm[Hg] pulse-above-range",
                        "150022 86 mm[Hg] pulse-above-range",
                        "150023 97 mm[Hg] pulse-above-range",
                        "149546 51 /min pulse-above-range",
                    ],
                    ..Expect::NOTHING
                },
            ),
            (
                "08 7c 00 56 00 61 00 ff",
                Expect {
                    charted: &["150021 124 mm[Hg]", "150022 86 mm[Hg]", "150023 97 mm[Hg]"],
                    events: &["user-unknown"],
                    ..Expect::NOTHING
                },
            ),
            // Reserved flags and status bits mean nothing.
            (
                "f0 7c 00 56 00 61 00 c0 ff",
                Expect {
                    charted: &["150021 124 mm[Hg]", "150022 86 mm[Hg]", "150023 97 mm[Hg]"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn s7_a_failed_measurement_charts_nothing() {
    assert_decodes(
        0x2A35,
        &[
            // Recorded: the patient moved, the display showed Err, the status is clean.
            (
                "16 ff 07 ff 07 ff 07 e8 07 06 17 0e 23 0a ff 07 00 00",
                Expect {
                    withheld: &[
                        "150021 not-a-number",
                        "150022 not-a-number",
                        "150023 not-a-number",
                        "149546 not-a-number",
                    ],
                    events: &["measurement-failed"],
                    time: Some("2024-06-23T14:35:10"),
                    ..Expect::NOTHING
                },
            ),
            // Low battery: 2047 over 238, with a pulse.
            (
                "04 ff 07 ee 00 00 00 48 00",
                Expect {
                    withheld: &[
                        "150021 not-a-number",
                        "150022 measurement-failed",
                        "150023 unavailable",
                        "149546 measurement-failed",
                    ],
                    events: &["measurement-failed"],
                    ..Expect::NOTHING
                },
            ),
            // Low battery: 1823 over 43.
            (
                "04 1f 07 2b 00 61 00 48 00",
                Expect {
                    withheld: &[
                        "150021 implausible",
                        "150022 implausible",
                        "150023 implausible",
                        "149546 implausible",
                    ],
                    ..Expect::NOTHING
                },
            ),
            // Diastolic above systolic.
            (
                "00 56 00 7c 00 61 00",
                Expect {
                    withheld: &["150021 implausible", "150022 implausible", "150023 implausible"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn s7_a_mean_of_zero_or_out_of_order_is_withheld() {
    assert_decodes(
        0x2A35,
        &[
            (
                "00 7c 00 56 00 00 00",
                Expect {
                    charted: &["150021 124 mm[Hg]", "150022 86 mm[Hg]"],
                    withheld: &["150023 unavailable"],
                    ..Expect::NOTHING
                },
            ),
            (
                "00 7c 00 56 00 30 00",
                Expect {
                    charted: &["150021 124 mm[Hg]", "150022 86 mm[Hg]"],
                    withheld: &["150023 implausible"],
                    ..Expect::NOTHING
                },
            ),
            // A Doppler reading has no diastolic pressure.
            (
                "00 7c 00 ff 07 ff 07",
                Expect {
                    charted: &["150021 124 mm[Hg]"],
                    withheld: &["150022 not-a-number", "150023 not-a-number"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

/// Recorded from a Beurer BM85, which sends what follows the stamp big-endian.
#[test]
fn s7_a_swapped_pulse_is_withheld_until_the_device_is_known() {
    let frame = "56 76 00 50 00 00 00 ea 07 08 0b 14 1b 00 00 3c 00 00 04";
    assert_decodes(
        0x2A35,
        &[(
            frame,
            Expect {
                charted: &["150021 118 mm[Hg]", "150022 80 mm[Hg]"],
                withheld: &["150023 unavailable", "149546 implausible"],
                events: &["pulse-byte-order-suspect", "trailing-bytes"],
                time: Some("2026-08-11T20:27:00"),
                ..Expect::NOTHING
            },
        )],
    );
    let quirks = Quirks::of(Some("BM85"), None);
    let known = decode_with_quirks(Characteristic(0x2A35), &bytes(frame), quirks);
    assert_eq_words(
        frame,
        known,
        &Expect {
            charted: &[
                "150021 118 mm[Hg] irregular-pulse",
                "150022 80 mm[Hg] irregular-pulse",
                "149546 60 /min irregular-pulse",
            ],
            withheld: &["150023 unavailable"],
            events: &["user 0"],
            time: Some("2026-08-11T20:27:00"),
            ..Expect::NOTHING
        },
    );
}

#[test]
fn s7_cuff_pressure_is_never_a_blood_pressure() {
    assert_decodes(
        0x2A36,
        &[
            (
                "00 50 00 ff 07 ff 07",
                Expect { events: &["cuff-pressure 80 mm[Hg]"], ..Expect::NOTHING },
            ),
            // The unused pressures hold believable numbers, and a pulse follows.
            (
                "05 6b f0 51 f0 5d f0 48 00",
                Expect { events: &["cuff-pressure 10.7 kPa"], ..Expect::NOTHING },
            ),
            (
                "00 ff 07 00 00 00 00",
                Expect { events: &["cuff-pressure not-a-number"], ..Expect::NOTHING },
            ),
        ],
    );
    assert_decodes(
        0x2B35,
        &[(
            "08 50 00 01",
            Expect { events: &["cuff-pressure 80 mm[Hg]", "user 1"], ..Expect::NOTHING },
        )],
    );
}

#[test]
fn enhanced_stamps_count_from_their_epoch() {
    assert_decodes(
        0x2B34,
        &[
            (
                "46 7c 00 56 00 61 00 27 89 00 2e 33 00",
                Expect { charted: WHOLE, time: Some("2024-06-15T17:17:27"), ..Expect::NOTHING },
            ),
            (
                "02 7c 00 56 00 61 00 01 00 00 00",
                Expect {
                    charted: &["150021 124 mm[Hg]", "150022 86 mm[Hg]", "150023 97 mm[Hg]"],
                    time: Some("1900-01-01T00:00:01"),
                    ..Expect::NOTHING
                },
            ),
            (
                "60 7c 00 56 00 61 00 00 00 00 00",
                Expect {
                    charted: &["150021 124 mm[Hg]", "150022 86 mm[Hg]", "150023 97 mm[Hg]"],
                    events: &["time-unknown"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn missing_bytes_name_their_field() {
    assert_decodes(
        0x2A35,
        &[
            ("1e 7c", Expect { error: Some("truncated systolic"), ..Expect::NOTHING }),
            (
                "1e 7c 00 56 00 61",
                Expect { error: Some("truncated mean arterial pressure"), ..Expect::NOTHING },
            ),
            (
                "14 7c 00 56 00 61 00 33",
                Expect { error: Some("truncated pulse rate"), ..Expect::NOTHING },
            ),
            (
                "10 7c 00 56 00 61 00 00",
                Expect { error: Some("truncated measurement status"), ..Expect::NOTHING },
            ),
        ],
    );
    assert_decodes(
        0x2A36,
        &[("00 50 00", Expect { error: Some("truncated diastolic"), ..Expect::NOTHING })],
    );
}
