//! Answers of rings. The live payloads were recorded (`MackeyStingray/o2r`, o2state.py); around them stands
//! the frame that they came in.

use crate::vitals::gatt::testing::{Expect, bytes};
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};
use crate::vitals::vendor::wire::crc8;
use crate::vitals::vendor::{Device, Protocol, decode};

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    // Recorded on a hand that moves: 98 %, 66 /min, 97 % of charge.
    frame(
        "55 00 ff 00 00 0d 00 62 42 00 00 00 00 00 61 00 92 0a 01 00 2f",
        Expect {
            charted: &["150456 98 %", "149530 66 /min", "150488 1.0 %"],
            events: &["battery-level 97 %", "motion 146"],
            ..Expect::NOTHING
        },
    ),
    frame(
        "55 00 ff 00 00 0d 00 62 42 00 00 00 00 00 61 00 92 0a 01 00 2f 55",
        Expect {
            charted: &["150456 98 %", "149530 66 /min", "150488 1.0 %"],
            events: &["battery-level 97 %", "motion 146", "trailing-bytes"],
            ..Expect::NOTHING
        },
    ),
];

#[test]
fn s7_off_the_finger_and_while_it_settles_a_ring_has_no_reading() {
    assert_decodes(
        Protocol::O2ring,
        &[
            // Recorded, both of them: nobody wears it.
            frame(
                "55 00 ff 00 00 0d 00 ff ff ff 00 00 00 00 60 00 05 00 00 00 43",
                Expect {
                    withheld: &["150456 not-on-user", "149530 not-on-user", "150488 not-on-user"],
                    events: &["battery-level 96 %", "motion 5"],
                    ..Expect::NOTHING
                },
            ),
            frame(
                "55 00 ff 00 00 0d 00 ff ff ff 00 00 00 00 62 01 00 00 00 00 3d",
                Expect {
                    withheld: &["150456 not-on-user", "149530 not-on-user", "150488 not-on-user"],
                    events: &["battery-level 98 %", "charging", "motion 0"],
                    ..Expect::NOTHING
                },
            ),
        ],
    );
    let withheld = |payload: &str| {
        let decoded =
            decode(Protocol::O2ring, &Device::default(), &answer(payload)).expect("whole");
        assert!(decoded.observations.is_empty(), "{payload}");
        decoded.withheld.first().expect("saturation").reason.word()
    };
    // Worn, no number yet; a lead that is neither on nor off; the last numbers of a hand that left.
    assert_eq!(withheld("00 00 00 00 00 00 00 61 00 00 00 01 00"), "calibrating");
    assert_eq!(withheld("62 42 00 00 00 00 00 61 00 00 0a 02 00"), "sensor-fault");
    assert_eq!(withheld("62 42 00 00 00 00 00 61 00 00 0a a0 00"), "not-on-user");
    assert_eq!(withheld("ff ff ff 00 00 00 00 61 00 00 00 01 00"), "invalid");
}

/// The frame that a ring sends this payload in.
fn answer(payload: &str) -> Vec<u8> {
    block(0, &bytes(payload))
}

fn block(number: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).expect("short").to_le_bytes();
    let mut whole = vec![0x55, 0x00, 0xFF, number, 0x00];
    whole.extend(len);
    whole.extend(payload);
    whole.push(crc8(&whole));
    whole
}

/// A block of a recording is no live reading, though it may be as long as one.
#[test]
fn s7_a_block_of_a_file_is_no_reading() {
    let payload = bytes("62 42 00 00 00 00 00 61 00 00 0a 01 00");
    let decoded = decode(Protocol::O2ring, &Device::default(), &block(3, &payload)).expect("whole");
    assert_eq!((decoded.observations.len(), decoded.withheld.len()), (0, 0));
    let events: Vec<String> = decoded.events.iter().map(ToString::to_string).collect();
    assert_eq!(events, ["data-bytes 13"]);
}

#[test]
fn a_wave_is_counted_beside_its_numbers() {
    let payload = bytes("61 48 00 55 00 0c 01 00 00 00 04 00 64 60 5a 66");
    let decoded = decode(Protocol::O2ring, &Device::default(), &block(0, &payload)).expect("whole");
    let values: Vec<String> =
        decoded.observations.iter().map(|charted| charted.value.to_string()).collect();
    assert_eq!(values, ["97", "72", "1.2"]);
    let events: Vec<String> = decoded.events.iter().map(ToString::to_string).collect();
    assert_eq!(events, ["battery-level 85 %", "pleth 4 90..102 1"]);
}

#[test]
fn the_ring_s_clock_is_its_own() {
    let time = |text: &str| {
        let decoded = decode(Protocol::O2ring, &Device::default(), &block(0, text.as_bytes()))
            .expect("whole");
        let events: Vec<String> = decoded.events.iter().map(ToString::to_string).collect();
        (decoded.time.map(|time| time.to_string()), events.join(" "))
    };
    let known = time(r#"{"Region":"CE","CurTIME":"2024-06-15,17:17:27","CurBAT":"97%"}"#);
    assert_eq!(known, (Some("2024-06-15T17:17:27".to_owned()), "settings".to_owned()));
    assert_eq!(time(r#"{"Region":"CE"}"#), (None, "settings".to_owned()));
    let impossible = time(r#"{"CurTIME":"2024-13-15,17:17:27"}"#);
    assert_eq!(impossible, (None, "settings time-impossible".to_owned()));
}

#[test]
fn a_frame_that_does_not_fit_is_rejected() {
    assert_decodes(
        Protocol::O2ring,
        &[
            frame(
                "55 00 ff 00 00 0d 00 62 43 00 00 00 00 00 61 00 92 0a 01 00 2f",
                Expect { error: Some("crc crc"), ..Expect::NOTHING },
            ),
            frame(
                "55 00 fe 00 00 00 00 00",
                Expect { error: Some("invalid result complement"), ..Expect::NOTHING },
            ),
            // A host's own command.
            frame(
                "aa 17 e8 00 00 00 00 1b",
                Expect { error: Some("invalid marker"), ..Expect::NOTHING },
            ),
            frame("55 01 fe 00 00 00 00 4e", Expect { events: &["refused 1"], ..Expect::NOTHING }),
        ],
    );
}
