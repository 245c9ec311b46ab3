//! Answers that a G5 and a G6 transmitter sent (`LoopKit/CGMBLEKit`, GlucoseRxMessageTests.swift), and built
//! ones whose checksums were made with another implementation.

use crate::vitals::gatt::testing::Expect;
use crate::vitals::vendor::Protocol;
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    frame(
        "31 00 68 0a 00 00 8a 71 57 00 cc 00 06 ff c4 2a",
        Expect {
            charted: &["160212 204 mg/dL"],
            events: &["glucose-trend -0.1 mg/dL/min", "sequence 2664", "sensor-clock 5730698 s"],
            ..Expect::NOTHING
        },
    ),
    frame(
        "31 00 6f 0a 00 00 be 79 57 00 7a 00 06 e4 81 8d",
        Expect {
            charted: &["160212 122 mg/dL"],
            events: &["glucose-trend -2.8 mg/dL/min", "sequence 2671", "sensor-clock 5732798 s"],
            ..Expect::NOTHING
        },
    ),
    frame(
        "31 00 aa 00 00 00 95 a0 78 00 8b 00 06 0a 8b 34",
        Expect {
            charted: &["160212 139 mg/dL"],
            events: &["glucose-trend 1.0 mg/dL/min", "sequence 170", "sensor-clock 7905429 s"],
            ..Expect::NOTHING
        },
    ),
    frame(
        "31 00 00 00 00 00 8e b1 4d 00 82 00 06 f6 a0 38 00",
        Expect {
            charted: &["160212 130 mg/dL"],
            events: &[
                "glucose-trend -1.0 mg/dL/min",
                "sequence 0",
                "sensor-clock 5091726 s",
                "trailing-bytes",
            ],
            ..Expect::NOTHING
        },
    ),
    // Its battery runs low; it wants a calibration and still stands by its value.
    frame(
        "31 81 68 0a 00 00 8a 71 57 00 cc 00 07 ff 36 e9",
        Expect {
            charted: &["160212 204 mg/dL low-battery calibration-required"],
            events: &["glucose-trend -0.1 mg/dL/min", "sequence 2664", "sensor-clock 5730698 s"],
            ..Expect::NOTHING
        },
    ),
    // With a forecast, and with a field after it that is not known.
    frame(
        "4f 00 68 0a 00 00 8a 71 57 00 cc 00 06 ff d2 00 a8 3b",
        Expect {
            charted: &["160212 204 mg/dL"],
            events: &[
                "glucose-trend -0.1 mg/dL/min",
                "glucose-forecast 210 mg/dL",
                "sequence 2664",
                "sensor-clock 5730698 s",
            ],
            ..Expect::NOTHING
        },
    ),
    frame(
        "4f 00 68 0a 00 00 8a 71 57 00 cc 00 06 ff d2 00 01 19 3f",
        Expect {
            charted: &["160212 204 mg/dL"],
            events: &[
                "glucose-trend -0.1 mg/dL/min",
                "glucose-forecast 210 mg/dL",
                "sequence 2664",
                "sensor-clock 5730698 s",
            ],
            ..Expect::NOTHING
        },
    ),
];

/// The same answer with another status, value, state and trend.
fn reason(frame: &'static str) -> String {
    let bytes = crate::vitals::gatt::testing::bytes(frame);
    let device = crate::vitals::vendor::Device::default();
    let decoded = crate::vitals::vendor::decode(Protocol::DexcomG6, &device, &bytes).expect(frame);
    assert!(decoded.observations.is_empty(), "{frame}");
    decoded.withheld.first().expect(frame).reason.word().to_owned()
}

#[test]
fn s7_what_the_sensor_does_not_stand_by_is_withheld() {
    for (frame, word) in [
        // Recorded: for display only.
        ("31 00 70 0a 00 00 f1 7a 57 00 58 40 06 e3 ce e9", "questionable"),
        ("31 00 68 0a 00 00 8a 71 57 00 cc 00 02 ff 00 e6", "calibrating"),
        ("31 00 68 0a 00 00 8a 71 57 00 ff ff 06 7f 1a c3", "unavailable"),
        ("31 00 68 0a 00 00 8a 71 57 00 05 00 06 ff 17 6a", "sensor-fault"),
        ("31 00 68 0a 00 00 8a 71 57 00 27 00 06 ff 31 b0", "below-device-range"),
        ("31 00 68 0a 00 00 8a 71 57 00 91 01 06 ff 49 51", "above-device-range"),
        ("31 00 68 0a 00 00 8a 71 57 00 cc 00 0b ff 98 5c", "sensor-fault"),
        ("31 00 68 0a 00 00 8a 71 57 00 cc 00 12 ff 73 e5", "questionable"),
        ("31 00 68 0a 00 00 8a 71 57 00 cc 00 0f ff 5c 90", "session-stopped"),
        ("31 00 68 0a 00 00 8a 71 57 00 cc 00 40 ff ae 8d", "reserved"),
        ("31 83 68 0a 00 00 8a 71 57 00 cc 00 06 ff c1 50", "sensor-fault"),
        ("31 82 68 0a 00 00 8a 71 57 00 cc 00 06 ff a2 15", "questionable"),
    ] {
        assert_eq!(reason(frame), word, "{frame}");
    }
}

/// A forecast is an event and nothing else, and no trend is no event.
#[test]
fn s16_a_forecast_and_no_value_chart_nothing() {
    assert_decodes(
        Protocol::DexcomG6,
        &[frame(
            "31 00 68 0a 00 00 8a 71 57 00 ff ff 06 7f 1a c3",
            Expect {
                withheld: &["160212 unavailable"],
                events: &["sequence 2664", "sensor-clock 5730698 s"],
                ..Expect::NOTHING
            },
        )],
    );
}

#[test]
fn a_frame_that_does_not_fit_is_rejected() {
    for (hex, error) in [
        ("31 00 68 0a 00 00 8a 71 57 00 cd 00 06 ff c4 2a", "crc crc"),
        ("31 00 68 0a 00 00 8a 71 57 00 cc 00 06 ff 2a c4", "crc crc"),
        ("4f 00 68 0a 00 00 8a 71 57 00 cc 00 06 ff d3 00 a8 3b", "crc crc"),
        ("33 00 68 0a 00 00 8a 71 57 00 cc 00 06 ff 06 dc", "unsupported opcode"),
    ] {
        let expect = Expect { error: Some(error), ..Expect::NOTHING };
        assert_decodes(Protocol::DexcomG6, &[frame(hex, expect)]);
    }
}
