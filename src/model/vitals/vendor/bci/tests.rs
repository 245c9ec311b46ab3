//! Packets by the manufacturer's description; the first is of `berry-oximeter`'s own tests.

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};

const WHOLE: &[&str] = &["150456 98 %", "149530 72 /min"];

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    frame(
        "87 32 05 48 62",
        Expect {
            charted: WHOLE,
            events: &["signal-strength 7", "pleth 1 50..50 1"],
            ..Expect::NOTHING
        },
    ),
    // Four packets of one notification; a pulse of 200 has its top bit in the third byte.
    frame(
        "c5 40 48 48 61 85 3a 47 48 61 85 34 46 48 61 85 2f 45 48 61",
        Expect {
            charted: &["150456 97 %", "149530 200 /min"],
            events: &["signal-strength 5", "pleth 4 47..64 1"],
            ..Expect::NOTHING
        },
    ),
];

#[test]
fn s7_the_newest_packet_s_status_is_said_before_its_numbers() {
    let held = |reason: &'static str| -> &'static [&'static str] {
        match reason {
            "disconnected" => &["150456 disconnected", "149530 disconnected"],
            "not-on-user" => &["150456 not-on-user", "149530 not-on-user"],
            _ => &["150456 unavailable", "149530 unavailable"],
        }
    };
    for (packet, reason) in [
        ("a7 32 05 48 62", "disconnected"),
        ("87 32 15 48 62", "not-on-user"),
        ("97 32 05 48 62", "unavailable"),
        ("87 32 25 48 62", "unavailable"),
        // No finger is graver than the search for a pulse.
        ("87 32 35 48 62", "not-on-user"),
    ] {
        let expect = Expect {
            withheld: held(reason),
            events: &["signal-strength 7", "pleth 1 50..50 1"],
            ..Expect::NOTHING
        };
        assert_decodes(Protocol::Bci, &[Fixture { expect, ..frame_of(packet) }]);
    }
    // A good packet before it changes nothing.
    assert_decodes(
        Protocol::Bci,
        &[frame(
            "87 32 05 48 62 87 00 10 7f 7f",
            Expect {
                withheld: &["150456 not-on-user", "149530 not-on-user"],
                events: &["signal-strength 7", "pleth 1 50..50 1"],
                ..Expect::NOTHING
            },
        )],
    );
}

const fn frame_of(packet: &'static str) -> Fixture {
    frame(packet, Expect::NOTHING)
}

#[test]
fn s7_the_patterns_for_none_are_no_numbers() {
    assert_decodes(
        Protocol::Bci,
        &[
            frame(
                "8f 00 40 7f 7f",
                Expect {
                    withheld: &["150456 invalid", "149530 invalid"],
                    events: &["signal-strength 15", "pleth 0"],
                    ..Expect::NOTHING
                },
            ),
            // 127 a minute is a pulse; only with the top bit it stands for none.
            frame(
                "87 32 05 7f 62",
                Expect {
                    charted: &["150456 98 %", "149530 127 /min"],
                    events: &["signal-strength 7", "pleth 1 50..50 1"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
}

#[test]
fn a_frame_out_of_step_is_rejected() {
    for packet in
        ["07 32 05 48 62", "87 b2 05 48 62", "87 32 05 48 e2", "32 05 48 62 87 32 05 48 62 87"]
    {
        let expect = Expect { error: Some("invalid sync bit"), ..Expect::NOTHING };
        assert_decodes(Protocol::Bci, &[Fixture { expect, ..frame_of(packet) }]);
    }
    assert_decodes(
        Protocol::Bci,
        &[frame(
            "87 32 05 48 62 87 32 05 48",
            Expect { error: Some("truncated packet"), ..Expect::NOTHING },
        )],
    );
}
