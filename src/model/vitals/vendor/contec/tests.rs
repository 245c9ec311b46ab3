//! Frames recorded from a CMS50D-BT (`tobiasisenberg/OxiVis`, issue 2), and built ones.

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    frame(
        "eb 01 06 53 63 7f 00 27",
        Expect { charted: &["150456 99 %", "149530 83 /min"], ..Expect::NOTHING },
    ),
    // Recorded: two waves, the second at its peak with the beat's mark.
    frame(
        "eb 00 03 48 09 3f eb 00 43 3c 07 71",
        Expect { events: &["signal-strength 3", "pleth 2 60..72 1"], ..Expect::NOTHING },
    ),
    // All of a notification; the newest numbers stand for it.
    frame(
        "eb 01 06 53 63 7f 00 27 eb 00 03 48 09 3f eb 01 06 54 62 7f 00 27 07",
        Expect {
            charted: &["150456 98 %", "149530 84 /min"],
            events: &["signal-strength 3", "pleth 1 72..72 1", "trailing-bytes"],
            ..Expect::NOTHING
        },
    ),
];

#[test]
fn s7_numbers_without_a_finger_are_withheld() {
    assert_decodes(
        Protocol::ContecCms50d,
        &[
            // Recorded, both of them: the bit for the finger is clear.
            frame(
                "eb 01 04 53 63 7f 00 25",
                Expect {
                    withheld: &["150456 not-on-user", "149530 not-on-user"],
                    ..Expect::NOTHING
                },
            ),
            frame(
                "eb 01 04 40 63 7f 00 12",
                Expect {
                    withheld: &["150456 not-on-user", "149530 not-on-user"],
                    ..Expect::NOTHING
                },
            ),
            frame(
                "eb 01 06 00 7f 7f 00 70",
                Expect { withheld: &["150456 invalid", "149530 implausible"], ..Expect::NOTHING },
            ),
        ],
    );
}

#[test]
fn a_frame_that_does_not_fit_is_rejected() {
    assert_decodes(
        Protocol::ContecCms50d,
        &[
            frame("eb 01 06 53 63 7f 00 26", Expect { error: Some("crc crc"), ..Expect::NOTHING }),
            frame("eb 00 03 49 09 3f", Expect { error: Some("crc crc"), ..Expect::NOTHING }),
            frame(
                "ec 01 06 53 63 7f 00 28",
                Expect { error: Some("invalid marker"), ..Expect::NOTHING },
            ),
            frame(
                "eb 02 06 53 63 7f 00 28",
                Expect { error: Some("unsupported type"), ..Expect::NOTHING },
            ),
            frame(
                "eb 01 06 53 63 7f 00 27 eb 01",
                Expect { error: Some("truncated numbers"), ..Expect::NOTHING },
            ),
        ],
    );
}
