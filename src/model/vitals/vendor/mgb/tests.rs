//! Frames of SWAN and Icomon scales: the short ones are of `openScale`'s tests, the long ones built.

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    frame("ac 02 26 b6 00 00 ca a6", Expect { charted: &["188736 99.10 kg"], ..Expect::NOTHING }),
    frame("ac 02 fd 01 02 58 cb 23", Expect { events: &["impedance 600 Ohm"], ..Expect::NOTHING }),
    frame("ac 02 fd 00 00 00 cb c8", Expect { events: &["impedance-begins"], ..Expect::NOTHING }),
    frame(
        "ac 02 fd ff 00 00 cb c7",
        Expect { events: &["impedance-unavailable"], ..Expect::NOTHING },
    ),
    frame(
        "ac 02 fd 1a 07 18 cc 02 00",
        Expect { events: &["settings", "trailing-bytes"], ..Expect::NOTHING },
    ),
    // 72.5 kg, 23.4 %, stamped by the scale.
    frame(
        "ac 02 ff 00 02 21 18 06 0f 11 11 1b 02 d5 00 e9 00 ea 00 00",
        Expect {
            charted: &["188736 72.5 kg", "188748 23.4 %"],
            events: &["multiple-packets"],
            time: Some("2024-06-15T17:17:27"),
            ..Expect::NOTHING
        },
    ),
    frame(
        "01 00 94 01 dc 05 21 00 37 02 22 b4 00 00 00 00 00 00 00 00",
        Expect {
            events: &["muscle-percentage 40.4 %", "bone-mass 3.3 kg", "water-percentage 56.7 %"],
            ..Expect::NOTHING
        },
    ),
];

#[test]
fn s7_a_weight_that_settles_and_an_empty_scale_are_no_weight() {
    assert_decodes(
        Protocol::MgbScale,
        &[
            frame(
                "ac 02 26 b6 00 00 ce aa",
                Expect {
                    withheld: &["188736 unavailable"],
                    events: &["settling-weight 99.10 kg"],
                    ..Expect::NOTHING
                },
            ),
            frame(
                "ac 02 00 00 00 00 ca ca",
                Expect { withheld: &["188736 implausible"], ..Expect::NOTHING },
            ),
            frame(
                "ac 03 ff 00 02 21 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
                Expect {
                    withheld: &["188736 implausible", "188748 unavailable"],
                    events: &["time-unknown", "multiple-packets"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn a_frame_that_does_not_fit_is_rejected() {
    for (hex, error) in [
        ("ac 02 26 b6 00 00 ca ff", "crc crc"),
        ("ac 02 26 b6 00 01 ca a7", "invalid weight"),
        ("ac 02 26 b6 00 00 cd a9", "unsupported flag"),
        ("ac 02 fe 00 00 00 cb c9", "unsupported impedance"),
        ("ac 04 26 b6 00 00 ca a6", "unsupported variant"),
        ("ad 02 26 b6 00 00 ca a6", "invalid marker"),
    ] {
        let expect = Expect { error: Some(error), ..Expect::NOTHING };
        assert_decodes(Protocol::MgbScale, &[Fixture { expect, ..frame(hex, Expect::NOTHING) }]);
    }
}
