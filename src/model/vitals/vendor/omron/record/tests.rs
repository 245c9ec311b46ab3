//! Records of cuffs: those of HEM-7142T2 and HEM-7600T-E were recorded with what they showed (`eigger/
//! hass-omron`, tests/test_record_parsers.py), the others are built by the layouts.

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame, of};

const SMALL: &str = "HEM-7142T2";
const PACKED: &str = "HEM-7600T-E";
const DATED: &str = "HEM-6401T";
const WATCH: &str = "HEM-9601T";

const WHOLE: &[&str] = &[
    "150021 126 mm[Hg] from-storage",
    "150022 88 mm[Hg] from-storage",
    "149546 84 /min from-storage",
];
const EMPTY: Expect = Expect { events: &["empty-slot"], ..Expect::NOTHING };

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    of(
        SMALL,
        "65 58 54 1a 33 1a de 18 00 00 4c 00 ba 00",
        Expect { charted: WHOLE, time: Some("2026-06-17T19:35:30"), ..Expect::NOTHING },
    ),
    of(
        SMALL,
        "64 57 43 1a 73 16 16 1c 00 00 46 00 19 00 ff",
        Expect {
            charted: &[
                "150021 125 mm[Hg] from-storage",
                "150022 87 mm[Hg] from-storage",
                "149546 67 /min from-storage",
            ],
            events: &["trailing-bytes"],
            time: Some("2026-05-19T19:48:22"),
            ..Expect::NOTHING
        },
    ),
    // The same layout in a longer slot.
    of(
        "HEM-7155T-EBK",
        "5d 4c 40 18 f1 19 5b 04 00 00 00 00 00 00 00 00",
        Expect {
            charted: &[
                "150021 118 mm[Hg] from-storage",
                "150022 76 mm[Hg] from-storage",
                "149546 64 /min from-storage",
            ],
            time: Some("2024-06-15T17:17:27"),
            ..Expect::NOTHING
        },
    ),
    of(
        PACKED,
        "5b 78 1a 48 19 d7 1b 42 00 00 14 00 69 96",
        Expect {
            charted: &[
                "150021 145 mm[Hg] from-storage",
                "150022 91 mm[Hg] from-storage",
                "149546 72 /min from-storage",
            ],
            time: Some("2026-06-14T23:45:02"),
            ..Expect::NOTHING
        },
    ),
    // Moved, irregular, and the cuff sat badly.
    of(
        PACKED,
        "5b 78 1a 48 d9 d7 0b 42 00 00 00 00 00 00",
        Expect {
            charted: &[
                "150021 145 mm[Hg] from-storage body-movement irregular-pulse cuff-too-loose",
                "150022 91 mm[Hg] from-storage body-movement irregular-pulse cuff-too-loose",
                "149546 72 /min from-storage body-movement irregular-pulse cuff-too-loose",
            ],
            time: Some("2026-06-14T23:45:02"),
            ..Expect::NOTHING
        },
    ),
    // Sixty-three seconds are the fifty-ninth.
    of(
        PACKED,
        "5b 78 1a 48 19 d7 1b 7f 00 00 00 00 00 00",
        Expect {
            charted: &[
                "150021 145 mm[Hg] from-storage",
                "150022 91 mm[Hg] from-storage",
                "149546 72 /min from-storage",
            ],
            time: Some("2026-06-14T23:45:59"),
            ..Expect::NOTHING
        },
    ),
    of(
        DATED,
        "1a 06 11 13 23 1e 65 58 54 00 00 05 00 00 00 00",
        Expect {
            charted: &[
                "150021 126 mm[Hg] from-storage body-movement irregular-pulse",
                "150022 88 mm[Hg] from-storage body-movement irregular-pulse",
                "149546 84 /min from-storage body-movement irregular-pulse",
            ],
            time: Some("2026-06-17T19:35:30"),
            ..Expect::NOTHING
        },
    ),
    of(
        WATCH,
        "64 50 46 1a 33 da de 18 00 00 2a 00 00 00 00 00 00 00 00 00 00 00 00 00",
        Expect {
            charted: &[
                "150021 125 mm[Hg] from-storage body-movement irregular-pulse",
                "150022 80 mm[Hg] from-storage body-movement irregular-pulse",
                "149546 70 /min from-storage body-movement irregular-pulse",
            ],
            events: &["sequence 42"],
            time: Some("2026-06-17T19:35:30"),
            ..Expect::NOTHING
        },
    ),
    // A cuff whose clock was never set.
    of(
        SMALL,
        "65 58 54 1a 00 00 00 00 00 00 00 00 00 00",
        Expect { charted: WHOLE, events: &["time-unknown"], ..Expect::NOTHING },
    ),
];

#[test]
fn s7_a_slot_that_holds_nothing_is_no_reading() {
    assert_decodes(
        Protocol::OmronRecord,
        &[
            of(SMALL, "ff ff ff ff ff ff ff ff ff ff ff ff ff ff", EMPTY),
            of(SMALL, "00 00 00 00 00 00 00 00 00 00 00 00 00 00", EMPTY),
            of(
                WATCH,
                "ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff",
                EMPTY,
            ),
            // Begun and never ended.
            of(SMALL, "64 00 00 00 00 00 00 00 00 00 00 00 19 00", EMPTY),
            of(SMALL, "e2 58 54 1a 33 1a de 08 00 00 00 00 00 00", EMPTY),
            of(PACKED, "58 e2 1a 48 19 d7 1b 42 00 00 00 00 00 00", EMPTY),
            of(DATED, "1a 06 11 13 23 1e ff 58 54 00 00 00 00 00 00 00", EMPTY),
            of(
                WATCH,
                "64 50 46 1a 33 1a de 18 00 00 2a 00 00 00 00 00 00 05 00 00 00 00 00 00",
                Expect {
                    withheld: &[
                        "150021 measurement-failed",
                        "150022 measurement-failed",
                        "149546 measurement-failed",
                    ],
                    events: &["sequence 42"],
                    time: Some("2026-06-17T19:35:30"),
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn s7_a_record_that_cannot_be_is_withheld() {
    let invalid: &[&str] = &["150021 invalid", "150022 invalid", "149546 invalid"];
    let implausible: &[&str] = &["150021 implausible", "150022 implausible", "149546 implausible"];
    let time = Some("2026-06-17T19:35:30");
    assert_decodes(
        Protocol::OmronRecord,
        &[
            // The thirteenth month, the thirty-first of June.
            of(
                SMALL,
                "65 58 54 1a 33 36 de 08 00 00 00 00 00 00",
                Expect { withheld: invalid, events: &["time-impossible"], ..Expect::NOTHING },
            ),
            of(
                SMALL,
                "65 58 54 1a f3 1b de 08 00 00 00 00 00 00",
                Expect { withheld: invalid, events: &["time-impossible"], ..Expect::NOTHING },
            ),
            // The larger pressure is the diastolic one; there is none; the highest that can be stored.
            of(
                SMALL,
                "37 78 54 1a 33 1a de 08 00 00 00 00 00 00",
                Expect { withheld: implausible, time, ..Expect::NOTHING },
            ),
            of(
                SMALL,
                "65 00 00 1a 33 1a de 08 00 00 00 00 00 00",
                Expect { withheld: implausible, time, ..Expect::NOTHING },
            ),
            of(
                SMALL,
                "e1 58 54 1a 33 1a de 08 00 00 00 00 00 00",
                Expect {
                    charted: &[
                        "150021 250 mm[Hg] from-storage",
                        "150022 88 mm[Hg] from-storage",
                        "149546 84 /min from-storage",
                    ],
                    time,
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

/// S-7: read by another model's layout a record gives believable numbers of nobody.
#[test]
fn s7_a_record_of_an_unknown_model_is_refused() {
    let record = "65 58 54 1a 33 1a de 18 00 00 4c 00 ba 00";
    let unknown = Expect { error: Some("unsupported device.model"), ..Expect::NOTHING };
    assert_decodes(
        Protocol::OmronRecord,
        &[
            frame(record, Expect { error: Some("missing device.model"), ..Expect::NOTHING }),
            of("", record, unknown),
            of("HEM-7142T9", record, unknown),
            of("HBF-702T", record, unknown),
            // Its slots are longer.
            of(WATCH, record, Expect { error: Some("truncated record"), ..Expect::NOTHING }),
        ],
    );
}
