//! Messages that G7 sensors sent (`LoopKit/G7SensorKit`, G7GlucoseMessageTests.swift).

use crate::vitals::gatt::testing::{Expect, bytes};
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};
use crate::vitals::vendor::{Device, Protocol, decode};

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    frame(
        "4e 00 c3 55 01 00 26 01 00 01 06 00 8a 00 06 01 87 00 0f",
        Expect {
            charted: &["160212 138 mg/dL"],
            events: &[
                "glucose-trend 0.1 mg/dL/min",
                "glucose-forecast 135 mg/dL",
                "sequence 294",
                "sensor-clock 87491 s",
                "glucose-age 6 s",
            ],
            ..Expect::NOTHING
        },
    ),
    // Nearly five minutes old when it was sent.
    frame(
        "4e 00 f9 59 02 00 03 02 00 01 2a 01 8f 00 06 10 d9 00 0f 00",
        Expect {
            charted: &["160212 143 mg/dL"],
            events: &[
                "glucose-trend 1.6 mg/dL/min",
                "glucose-forecast 217 mg/dL",
                "sequence 515",
                "sensor-clock 154105 s",
                "glucose-age 298 s",
                "trailing-bytes",
            ],
            ..Expect::NOTHING
        },
    ),
    frame(
        "4e 00 a8 9c 00 00 88 00 00 01 04 00 8d 00 06 03 8a 00 0f",
        Expect {
            charted: &["160212 141 mg/dL"],
            events: &[
                "glucose-trend 0.3 mg/dL/min",
                "glucose-forecast 138 mg/dL",
                "sequence 136",
                "sensor-clock 40104 s",
                "glucose-age 4 s",
            ],
            ..Expect::NOTHING
        },
    ),
    // Without a forecast.
    frame(
        "4e 00 ab 06 00 00 08 00 00 01 07 00 54 00 06 f5 ff ff 0e",
        Expect {
            charted: &["160212 84 mg/dL"],
            events: &[
                "glucose-trend -1.1 mg/dL/min",
                "sequence 8",
                "sensor-clock 1707 s",
                "glucose-age 7 s",
            ],
            ..Expect::NOTHING
        },
    ),
    // A record of the past.
    frame(
        "cf 58 02 00 8f 00 06 0f 10",
        Expect {
            charted: &["160212 143 mg/dL from-storage"],
            events: &["glucose-trend 1.6 mg/dL/min", "sensor-clock 153807 s"],
            ..Expect::NOTHING
        },
    ),
    frame(
        "f2 0e 0d 00 ba 00 06 0f fb",
        Expect {
            charted: &["160212 186 mg/dL from-storage"],
            events: &["glucose-trend -0.5 mg/dL/min", "sensor-clock 855794 s"],
            ..Expect::NOTHING
        },
    ),
];

#[test]
fn s7_what_the_sensor_does_not_stand_by_is_withheld() {
    for (frame, word) in [
        // Recorded: for display only, stopped, warming up, ended; a record for display only.
        ("4e 00 0e c1 0d 00 c0 0b 00 01 00 00 68 00 06 fe 63 00 1f", "questionable"),
        ("4e 00 b6 00 00 00 01 00 00 00 66 00 ff ff 01 7f ff ff 00", "session-stopped"),
        ("4e 00 f9 01 00 00 04 00 00 01 05 00 91 00 02 7e ff ff 02", "calibrating"),
        ("4e 00 4d 44 0e 00 d4 0b 00 01 d4 6b 65 00 18 03 6a 00 0e", "session-stopped"),
        ("f6 3d 00 00 85 00 06 1e fe", "questionable"),
        // Built: no value, faults, out of range, states, a status that is not good.
        ("4e 00 ab 06 00 00 08 00 00 01 07 00 ff ff 06 7f ff ff 0e", "unavailable"),
        ("4e 00 ab 06 00 00 08 00 00 01 07 00 0d 00 06 f5 ff ff 0e", "sensor-fault"),
        ("4e 00 ab 06 00 00 08 00 00 01 07 00 0e 00 06 f5 ff ff 0e", "below-device-range"),
        ("4e 00 ab 06 00 00 08 00 00 01 07 00 91 01 06 f5 ff ff 0e", "above-device-range"),
        ("4e 00 ab 06 00 00 08 00 00 01 07 00 54 10 06 f5 ff ff 0e", "questionable"),
        ("4e 00 ab 06 00 00 08 00 00 01 07 00 54 00 07 f5 ff ff 0e", "calibrating"),
        ("4e 00 ab 06 00 00 08 00 00 01 07 00 54 00 12 f5 ff ff 0e", "questionable"),
        ("4e 00 ab 06 00 00 08 00 00 01 07 00 54 00 19 f5 ff ff 0e", "sensor-fault"),
        ("4e 00 ab 06 00 00 08 00 00 01 07 00 54 00 00 f5 ff ff 0e", "reserved"),
        ("4e 01 ab 06 00 00 08 00 00 01 07 00 54 00 06 f5 ff ff 0e", "sensor-fault"),
        ("cf 58 02 00 ff ff 06 0f 10", "unavailable"),
    ] {
        let decoded = decode(Protocol::DexcomG7, &Device::default(), &bytes(frame)).expect(frame);
        assert!(decoded.observations.is_empty(), "{frame}");
        assert_eq!(decoded.withheld.first().expect(frame).reason.word(), word, "{frame}");
    }
}

/// The limits of what the sensor shows are still values.
#[test]
fn values_at_the_ends_of_the_range_are_charted() {
    for (low, high, value) in [(0x28, 0x00, "40"), (0x90, 0x01, "400")] {
        let mut frame = bytes("4e 00 ab 06 00 00 08 00 00 01 07 00 54 00 06 f5 ff ff 0e");
        let (_, tail) = frame.split_at_mut(12);
        tail.iter_mut().zip([low, high]).for_each(|(byte, new)| *byte = new);
        let decoded = decode(Protocol::DexcomG7, &Device::default(), &frame).expect("whole");
        assert_eq!(decoded.observations.first().expect("charted").value.to_string(), value);
    }
}

#[test]
fn what_is_no_glucose_message_is_rejected() {
    for (hex, error) in [
        ("4d 00 c3 55 01 00 26 01 00 01 06 00 8a 00 06 01 87 00 0f", "unsupported opcode"),
        // As long as a record, but the beginning of a message.
        ("4e 00 c3 55 01 00 26 01 00", "truncated session"),
        ("cf 58 02 00 8f 00 06 0f", "unsupported opcode"),
        ("cf 58 02 00 8f 00 06 0f 10 00", "unsupported opcode"),
    ] {
        let expect = Expect { error: Some(error), ..Expect::NOTHING };
        assert_decodes(Protocol::DexcomG7, &[frame(hex, expect)]);
    }
}
