//! Answers of TaiDoc and FORA meters. The scale's was recorded (`markchuang56/iOS-Demo`, ForaW310.m); the
//! others are built by the layouts that the decoder names.

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame, of};

const CUFF: &str = "TD-3128";
const METER: &str = "TD4216B";
const STORED: &[&str] = &[
    "150021 120 mm[Hg] from-storage",
    "150022 80 mm[Hg] from-storage",
    "149546 72 /min from-storage",
];

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    of(CUFF, "51 26 78 00 50 48 a5 2c", Expect { charted: STORED, ..Expect::NOTHING }),
    // Some end an answer as a host ends its questions.
    of(CUFF, "51 26 78 00 50 48 a3 2a", Expect { charted: STORED, ..Expect::NOTHING }),
    // When it was measured, and what: two answers that are put together.
    of(
        CUFF,
        "51 25 cf 30 1b 11 a5 46 51 26 78 00 50 48 a5 2c",
        Expect { charted: STORED, time: Some("2024-06-15T17:27:00"), ..Expect::NOTHING },
    ),
    // A result that comes by itself says what it is.
    frame(
        "51 43 83 00 67 51 a5 74 00",
        Expect {
            charted: &["150021 131 mm[Hg]", "150022 103 mm[Hg]", "149546 81 /min"],
            events: &["trailing-bytes"],
            ..Expect::NOTHING
        },
    ),
    of(
        METER,
        "51 26 78 00 00 00 a5 94",
        Expect { charted: &["160184 120 mg/dL from-storage"], ..Expect::NOTHING },
    ),
    of(
        METER,
        "51 26 78 00 00 40 a5 d4",
        Expect {
            charted: &["160184 120 mg/dL from-storage"],
            events: &["meal preprandial"],
            ..Expect::NOTHING
        },
    ),
    frame(
        "51 49 61 00 00 48 a5 e8",
        Expect { charted: &["150456 97 %", "149530 72 /min"], ..Expect::NOTHING },
    ),
    of(
        "TD1261",
        "51 26 6d 01 fa 00 a5 84",
        Expect { charted: &["150364 36.5 Cel from-storage"], ..Expect::NOTHING },
    ),
    of(
        "FORA IR42",
        "51 26 4b 0e fa 00 a5 6f",
        Expect { charted: &["150364 36.59 Cel from-storage"], ..Expect::NOTHING },
    ),
    frame(
        "51 25 cf 30 1b 11 a5 46",
        Expect { time: Some("2024-06-15T17:27:00"), ..Expect::NOTHING },
    ),
    frame("51 24 77 42 01 03 a5 d7", Expect { events: &["model-number 4277"], ..Expect::NOTHING }),
    frame("51 2b 12 00 00 00 a5 33", Expect { events: &["records 18"], ..Expect::NOTHING }),
    frame("51 50 00 00 00 00 a5 46", Expect { events: &["answer 80"], ..Expect::NOTHING }),
    frame("51 26 00 00 00 00 a3 1a", Expect { events: &["question 38"], ..Expect::NOTHING }),
    frame("51 71 02 00 00 a3 67", Expect { events: &["question 113"], ..Expect::NOTHING }),
    frame(
        "51 71 1d 15 10 0b 12 12 21 04 00 a7 02 91 1d 00 02 68 05 4e 00 dc 00 00 00 00 00 00 00 00 00 00 \
         a5 ed",
        Expect {
            charted: &["188736 61.6 kg from-storage", "188752 22.0 kg/m2 from-storage"],
            events: &["user 3", "height 167 cm"],
            time: Some("2016-11-18T18:33:00"),
            ..Expect::NOTHING
        },
    ),
    // The same weight shown in pounds, with what a longer record adds.
    frame(
        "51 71 23 15 10 0b 12 12 21 04 00 a7 02 91 1d 01 02 68 05 4e 00 dc 05 dc 00 ea 00 00 00 00 00 00 \
         00 00 00 00 00 00 a5 bf",
        Expect {
            charted: &[
                "188736 135.8 [lb_av] from-storage",
                "188752 22.0 kg/m2 from-storage",
                "188748 23.4 % from-storage",
            ],
            events: &["user 3", "height 167 cm"],
            time: Some("2016-11-18T18:33:00"),
            ..Expect::NOTHING
        },
    ),
];

#[test]
fn s7_what_is_no_reading_of_a_patient_is_withheld() {
    let failed: &[&str] =
        &["150021 measurement-failed", "150022 measurement-failed", "149546 measurement-failed"];
    assert_decodes(
        Protocol::Taidoc,
        &[
            // A cuff that gave up with the number of an error where the pulse stands.
            of(CUFF, "51 26 78 00 50 02 a5 e6", Expect { withheld: failed, ..Expect::NOTHING }),
            of(
                CUFF,
                "51 26 00 00 00 02 a5 1e",
                Expect { withheld: failed, events: &["measurement-failed"], ..Expect::NOTHING },
            ),
            of(
                METER,
                "51 26 00 00 00 00 a5 1c",
                Expect { withheld: &["160184 unavailable"], ..Expect::NOTHING },
            ),
            // Quality control.
            of(
                METER,
                "51 26 78 00 12 c0 a5 66",
                Expect { withheld: &["160208 control-solution"], ..Expect::NOTHING },
            ),
            of(
                METER,
                "51 26 2c 01 00 1c a5 65",
                Expect { events: &["analyte ketone"], ..Expect::NOTHING },
            ),
            of(
                METER,
                "51 26 2c 01 00 14 a5 5d",
                Expect { events: &["analyte reserved"], ..Expect::NOTHING },
            ),
            frame(
                "51 49 00 00 00 00 a5 3f",
                Expect {
                    withheld: &["150456 unavailable", "149530 unavailable"],
                    ..Expect::NOTHING
                },
            ),
            of(
                "TD1261",
                "51 26 00 00 fa 00 a5 16",
                Expect { withheld: &["150364 unavailable"], ..Expect::NOTHING },
            ),
            of(
                "TD1261",
                "51 26 2c 00 fa 00 a5 42",
                Expect { withheld: &["150364 implausible"], ..Expect::NOTHING },
            ),
            // A scale's empty slot: no time, no user, no weight.
            frame(
                "51 71 1d 15 ff ff ff ff ff ff 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 \
                 00 a5 93",
                Expect {
                    withheld: &["188736 unavailable", "188752 unavailable"],
                    events: &["time-unknown", "user-unknown", "height 0 cm"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

/// S-7: what a record is of is not guessed from its numbers.
#[test]
fn s7_a_record_of_an_unknown_meter_is_refused() {
    let record = "51 26 78 00 50 48 a5 2c";
    assert_decodes(
        Protocol::Taidoc,
        &[
            frame(record, Expect { error: Some("missing device.model"), ..Expect::NOTHING }),
            of("", record, Expect { error: Some("unsupported device.model"), ..Expect::NOTHING }),
            of(
                "TD-9999",
                record,
                Expect { error: Some("unsupported device.model"), ..Expect::NOTHING },
            ),
            of(
                "FORA D40",
                record,
                Expect { error: Some("unsupported device.model"), ..Expect::NOTHING },
            ),
        ],
    );
}

#[test]
fn a_frame_that_does_not_fit_is_rejected() {
    for (hex, error) in [
        ("51 26 78 00 50 48 a5 2d", "crc crc"),
        ("51 26 79 00 50 48 a5 2c", "crc crc"),
        ("51 26 78 00 50 48 a6 2d", "invalid end"),
        ("50 26 78 00 50 48 a5 2b", "invalid marker"),
        ("51 71 02 00 00 a6 6a", "invalid end"),
        ("51 71 02 00 00 a3 68", "crc crc"),
        ("51 71 02 00 00 a5 69", "size record"),
    ] {
        let expect = Expect { error: Some(error), ..Expect::NOTHING };
        assert_decodes(Protocol::Taidoc, &[of(CUFF, hex, expect)]);
    }
}
