//! Frames of the Nonin 3230, built by its published layout.

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    // Finger in place, link encrypted, SmartPoint passed; 97 %, 72 /min, 4.35 %, 2.9 V.
    frame(
        "0a 54 1d 01 b3 00 2a 61 00 48",
        Expect {
            charted: &[
                "150456 97 % validated",
                "149530 72 /min validated",
                "150488 4.35 % validated",
            ],
            events: &["sequence 42", "battery-millivolts 2900"],
            ..Expect::NOTHING
        },
    ),
    // Weak signal on low batteries, pulse over 255.
    frame(
        "0a 32 18 00 1e 01 00 58 01 0e",
        Expect {
            charted: &[
                "150456 88 % low-perfusion low-battery",
                "149530 270 /min low-perfusion low-battery",
                "150488 0.30 % low-perfusion low-battery",
            ],
            events: &["sequence 256", "battery-millivolts 2400"],
            ..Expect::NOTHING
        },
    ),
    // A later frame has more fields than are known.
    frame(
        "0c 14 1d 01 b3 00 2a 61 00 48 aa bb 07",
        Expect {
            charted: &[
                "150456 97 % validated",
                "149530 72 /min validated",
                "150488 4.35 % validated",
            ],
            events: &["sequence 42", "battery-millivolts 2900", "trailing-bytes"],
            ..Expect::NOTHING
        },
    ),
];

#[test]
fn s7_no_finger_no_pulse_and_no_number_are_no_reading() {
    assert_decodes(
        Protocol::Nonin3230,
        &[
            // The finger left; the display still holds the last numbers.
            frame(
                "0a 40 1d 01 b3 00 2a 61 00 48",
                Expect {
                    withheld: &["150456 not-on-user", "149530 not-on-user", "150488 not-on-user"],
                    events: &["sequence 42", "battery-millivolts 2900"],
                    ..Expect::NOTHING
                },
            ),
            frame(
                "0a 58 1d 01 b3 00 2a 61 00 48",
                Expect {
                    withheld: &["150456 unavailable", "149530 unavailable", "150488 unavailable"],
                    events: &["sequence 42", "battery-millivolts 2900"],
                    ..Expect::NOTHING
                },
            ),
            frame(
                "0a 50 1d 01 b3 00 2a 7f 01 ff",
                Expect {
                    charted: &["150488 4.35 %"],
                    withheld: &["150456 unavailable", "149530 unavailable"],
                    events: &["sequence 42", "battery-millivolts 2900"],
                    ..Expect::NOTHING
                },
            ),
            // A pulse beside a saturation that cannot be.
            frame(
                "0a 50 1d 01 b3 00 2a 00 00 48",
                Expect {
                    charted: &["150488 4.35 %"],
                    withheld: &["150456 implausible", "149530 implausible"],
                    events: &["sequence 42", "battery-millivolts 2900"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn a_length_that_cannot_be_is_rejected() {
    assert_decodes(
        Protocol::Nonin3230,
        &[
            frame(
                "09 54 1d 01 b3 00 2a 61 00 48",
                Expect { error: Some("size length"), ..Expect::NOTHING },
            ),
            frame(
                "0c 54 1d 01 b3 00 2a 61 00 48 aa",
                Expect { error: Some("truncated later fields"), ..Expect::NOTHING },
            ),
        ],
    );
}
