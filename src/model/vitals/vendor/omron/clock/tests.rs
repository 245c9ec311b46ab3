//! Clock blocks of cuffs; the first two were recorded (`eigger/hass-omron`, tests/test_eeprom_time.py), the
//! others are built by the layouts.

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame, of};

const fn at(time: &'static str) -> Expect {
    Expect { time: Some(time), ..Expect::NOTHING }
}

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    of("HEM-7382T1", "c6a4010000000000 1a070f113b13 fa00", at("2026-07-15T17:59:19")),
    of("HEM-7142T2", "c8a8000000000000 1a06120e3509 ee00", at("2026-06-18T14:53:09")),
    of("HEM-7320T", "0000 18060f11111b 00 6a", at("2024-06-15T17:17:27")),
    of("HEM-7322T", "0000 0618110f1b11 00 6a", at("2024-06-15T17:17:27")),
    of("HEM-7530T", "c6a4010000000000 0618110f1b11 d500", at("2024-06-15T17:17:27")),
    of("HEM-6401T", "18060f11111b 00000000000000000000", at("2024-06-15T17:17:27")),
    of(
        "HEM-7320T",
        "0000 000000000000 00 00 aa",
        Expect { events: &["time-unknown", "trailing-bytes"], ..Expect::NOTHING },
    ),
    of(
        "HEM-7320T",
        "0000 180d0f11111b 00 71",
        Expect { events: &["time-impossible"], ..Expect::NOTHING },
    ),
];

/// One order of the fields read as the other gives a time as well, so the model decides.
#[test]
fn a_block_that_does_not_fit_is_rejected() {
    let block = "0000 18060f11111b 00 6a";
    let error = |words| Expect { error: Some(words), ..Expect::NOTHING };
    assert_decodes(
        Protocol::OmronClock,
        &[
            of("HEM-7320T", "0000 18060f11111b 00 6b", error("crc crc")),
            of("HEM-7320T", "0100 18060f11111b 00 6a", error("crc crc")),
            of("HEM-7142T2", "c8a8000000000000 1a06120e3509 ef00", error("crc crc")),
            of("HEM-7142T2", block, error("truncated clock")),
            frame(block, error("missing device.model")),
            of("HEM-7320X", block, error("unsupported device.model")),
        ],
    );
}
