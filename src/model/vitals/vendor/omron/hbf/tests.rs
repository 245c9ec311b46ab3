//! Slots of body composition scales, built by the layout (`oliexdev/openScale`, OmronLib.kt) with the bits
//! between the fields set as its tests have them.

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame, of};

const CHARTED: &[&str] = &[
    "188736 72.40 kg from-storage",
    "188748 23.5 % from-storage",
    "188752 23.7 kg/m2 from-storage",
];
const TIME: Option<&str> = Some("2024-03-17T07:45:12");

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    of(
        "HBF-702T",
        "0000 3ad0 5f02 4e18 3b6d 22 33 89cc 000000000000000000000000 5a80 \
         0000000000000000000000000000000000000000",
        Expect {
            charted: CHARTED,
            events: &[
                "muscle-percentage 31.2 %",
                "basal-kilocalories 1520",
                "visceral-fat-half-levels 16",
                "body-age 34",
            ],
            time: TIME,
            ..Expect::NOTHING
        },
    ),
    // Whole levels of visceral fat, here in half ones.
    of(
        "HBF-227T",
        "0000 3ac8 5f02 4e18 3b6d 22 33 89cc 000000000000000000000000 5a80 00000000 07",
        Expect {
            charted: CHARTED,
            events: &[
                "muscle-percentage 31.2 %",
                "basal-kilocalories 1520",
                "visceral-fat-half-levels 16",
                "body-age 34",
                "trailing-bytes",
            ],
            time: TIME,
            ..Expect::NOTHING
        },
    ),
    of(
        "VIVA",
        "0000 3ac8 5f02 4e18 3b6d 22 33 89cc 000000000000000000000000 5a80 00000000",
        Expect {
            charted: CHARTED,
            events: &[
                "muscle-percentage 31.2 %",
                "basal-kilocalories 1520",
                "visceral-fat-half-levels 16",
            ],
            time: TIME,
            ..Expect::NOTHING
        },
    ),
];

#[test]
fn s7_what_was_not_measured_is_no_value() {
    let empty = Expect { events: &["empty-slot"], ..Expect::NOTHING };
    assert_decodes(
        Protocol::OmronHbf,
        &[
            of("VIVA", "0000000000000000000000000000000000000000000000000000000000000000", empty),
            of("VIVA", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", empty),
            // All but a weight.
            of(
                "VIVA",
                "0000 3ac8 5f02 4e18 3b6d 22 33 89cc 000000000000000000000000 0000 00000000",
                empty,
            ),
            // In shoes: a weight and nothing else.
            of(
                "VIVA",
                "0000 0000 0000 0018 002d 00 03 89cc 000000000000000000000000 5a80 00000000",
                Expect {
                    charted: &["188736 72.40 kg from-storage"],
                    withheld: &["188748 unavailable", "188752 unavailable"],
                    time: TIME,
                    ..Expect::NOTHING
                },
            ),
            // The fifteenth month.
            of(
                "VIVA",
                "0000 0000 0000 0018 002d 00 0f 89cc 000000000000000000000000 5a80 00000000",
                Expect {
                    withheld: &["188736 invalid", "188748 invalid", "188752 invalid"],
                    events: &["time-impossible"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn a_slot_of_an_unknown_scale_is_refused() {
    let slot = "0000 3ac8 5f02 4e18 3b6d 22 33 89cc 000000000000000000000000 5a80 00000000";
    let error = |words| Expect { error: Some(words), ..Expect::NOTHING };
    assert_decodes(
        Protocol::OmronHbf,
        &[
            frame(slot, error("missing device.model")),
            of("HBF-999T", slot, error("unsupported device.model")),
            of("HEM-7142T2", slot, error("unsupported device.model")),
            of("HBF-702T", slot, error("truncated record")),
        ],
    );
}
