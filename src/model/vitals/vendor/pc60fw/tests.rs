//! Frames of a PC-60FW (`sza2/viatom_pc60fw`, README) and of a PC-60NW, whose frames are the same, recorded
//! with their checksums (a Usenet post of 2017, "PC-60NW BT Oximeter connected to the Linux PC").

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    frame(
        "aa 55 0f 08 01 60 3f 00 2d 00 38 8c",
        Expect { charted: &["150456 96 %", "149530 63 /min", "150488 4.5 %"], ..Expect::NOTHING },
    ),
    frame(
        "aa 55 0f 08 01 5f 47 00 81 00 18 78",
        Expect { charted: &["150456 95 %", "149530 71 /min", "150488 12.9 %"], ..Expect::NOTHING },
    ),
    frame(
        "aa 55 0f 07 02 3b 38 35 32 2f bd",
        Expect { events: &["pleth 5 47..59 1"], ..Expect::NOTHING },
    ),
    // The beat's mark lies over a sample of 0x38.
    frame(
        "aa 55 0f 07 02 3b b8 35 32 2f 64 aa 55 0f 08 01 60 3e 00 50 00 c0 08 01",
        Expect {
            charted: &["150456 96 %", "149530 62 /min", "150488 8.0 %"],
            events: &["pleth 5 47..59 1", "trailing-bytes"],
            ..Expect::NOTHING
        },
    ),
    frame(
        "aa 55 0f 06 21 02 00 00 00 45",
        Expect { events: &["mode continuous", "step idle"], ..Expect::NOTHING },
    ),
    frame("aa 55 f0 03 03 03 f6", Expect { events: &["battery-bars 3"], ..Expect::NOTHING }),
];

#[test]
fn s7_probe_off_search_and_zero_are_no_reading() {
    assert_decodes(
        Protocol::Pc60fw,
        &[
            frame(
                "aa 55 0f 08 01 60 3f 00 2d 02 38 1d",
                Expect {
                    withheld: &["150456 not-on-user", "149530 not-on-user", "150488 not-on-user"],
                    ..Expect::NOTHING
                },
            ),
            frame(
                "aa 55 0f 08 01 60 3f 00 2d 04 38 b7",
                Expect {
                    withheld: &["150456 unavailable", "149530 unavailable", "150488 unavailable"],
                    ..Expect::NOTHING
                },
            ),
            frame(
                "aa 55 0f 08 01 00 00 00 00 00 00 5c",
                Expect {
                    withheld: &["150456 invalid", "149530 invalid", "150488 invalid"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn a_frame_that_does_not_fit_is_rejected() {
    assert_decodes(
        Protocol::Pc60fw,
        &[
            frame(
                "aa 55 0f 08 01 61 3f 00 2d 00 38 8c",
                Expect { error: Some("crc crc"), ..Expect::NOTHING },
            ),
            frame(
                "aa 56 0f 08 01 60 3f 00 2d 00 38 8c",
                Expect { error: Some("invalid marker"), ..Expect::NOTHING },
            ),
            frame("aa 55 0f 00", Expect { error: Some("size length"), ..Expect::NOTHING }),
            // A payload that is shorter than its type has to be.
            frame(
                "aa 55 0f 03 01 60 0b",
                Expect { error: Some("truncated pulse rate"), ..Expect::NOTHING },
            ),
            frame(
                "aa 55 0e 03 01 60 84",
                Expect { error: Some("unsupported token"), ..Expect::NOTHING },
            ),
        ],
    );
}
