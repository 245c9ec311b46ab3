//! Results of a Yonker cuff; the first was recorded (`derdilla/blood-pressure-monitor-fl`, issue 615).

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};

const WHOLE: &[&str] = &["150021 131 mm[Hg]", "150022 103 mm[Hg]", "149546 81 /min"];

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    frame(
        "81 83 67 51 00 00 19 0b 18 13 12 00 00 00 00",
        Expect { charted: WHOLE, time: Some("2024-11-25T19:18:00"), ..Expect::NOTHING },
    ),
    // Its clock was never set.
    frame(
        "81 83 67 51 00 00 00 00 00 00 00 00 00 00 00 01",
        Expect { charted: WHOLE, events: &["time-unknown", "trailing-bytes"], ..Expect::NOTHING },
    ),
];

#[test]
fn s7_what_is_no_blood_pressure_charts_nothing() {
    assert_decodes(
        Protocol::YonkerBp,
        &[
            frame(
                "81 00 00 00 00 00 19 0b 18 13 12 00 00 00 00",
                Expect {
                    withheld: &[
                        "150021 measurement-failed",
                        "150022 measurement-failed",
                        "149546 measurement-failed",
                    ],
                    events: &["measurement-failed"],
                    time: Some("2024-11-25T19:18:00"),
                    ..Expect::NOTHING
                },
            ),
            // Diastolic over systolic; the pulse would be possible.
            frame(
                "81 67 83 51 00 00 19 0d 18 13 12 00 00 00 00",
                Expect {
                    withheld: &["150021 implausible", "150022 implausible", "149546 implausible"],
                    events: &["time-impossible"],
                    ..Expect::NOTHING
                },
            ),
            // A cuff that still inflates.
            frame(
                "80 83 67 51 00 00 19 0b 18 13 12 00 00 00 00",
                Expect { error: Some("unsupported type"), ..Expect::NOTHING },
            ),
        ],
    );
}
