//! What holds for every profile: unknown characteristics, size limits, battery and clocks.

use super::*;
use crate::vitals::gatt::testing::{Expect, assert_decodes};

#[test]
fn exactly_the_supported_characteristics_decode() {
    for number in 0..=u16::MAX {
        let characteristic = Characteristic(number);
        let unsupported = decode(characteristic, &[]) == Err(DecodeError::Unsupported);
        assert_eq!(!unsupported, SUPPORTED.contains(&characteristic), "{number:04x}");
    }
}

#[test]
fn a_frame_longer_than_an_attribute_is_rejected() {
    let whole = vec![0; FRAME_LEN_MAX];
    assert!(decode(Characteristic(0x2A37), &whole).is_ok());
    let long = vec![0; FRAME_LEN_MAX + 1];
    let error = decode(Characteristic(0x2A37), &long).expect_err("too long");
    assert_eq!((error.kind(), error.field()), ("size", "frame"));
}

#[test]
fn s7_a_battery_level_is_no_vital() {
    assert_decodes(
        0x2A19,
        &[
            ("64", Expect { events: &["battery-level 100 %"], ..Expect::NOTHING }),
            ("00", Expect { events: &["battery-level 0 %"], ..Expect::NOTHING }),
            ("65", Expect { events: &["battery-level-invalid"], ..Expect::NOTHING }),
            (
                "ff 00",
                Expect { events: &["battery-level-invalid", "trailing-bytes"], ..Expect::NOTHING },
            ),
            ("", Expect { error: Some("truncated battery level"), ..Expect::NOTHING }),
        ],
    );
    let percent =
        |frame: &[u8]| decode(Characteristic(0x2A19), frame).expect("one byte").battery_percent;
    assert_eq!((percent(&[55]), percent(&[101])), (Some(55), None));
}

#[test]
fn s7_a_clock_is_no_vital() {
    assert_decodes(
        0x2A2B,
        &[
            (
                "e8 07 06 0f 11 11 1b 06 80 01",
                Expect { time: Some("2024-06-15T17:17:27"), ..Expect::NOTHING },
            ),
            (
                "00 00 00 00 00 00 00 00 00 00",
                Expect { events: &["time-unknown"], ..Expect::NOTHING },
            ),
            (
                "e8 07 0d 0f 11 11 1b 06 80 01",
                Expect { events: &["time-impossible"], ..Expect::NOTHING },
            ),
            (
                "e8 07 06 0f 11 11 1b 06 80",
                Expect { error: Some("truncated adjust reason"), ..Expect::NOTHING },
            ),
        ],
    );
    assert_decodes(
        0x2A08,
        &[(
            "e8 07 06 0f 11 11 1b",
            Expect { time: Some("2024-06-15T17:17:27"), ..Expect::NOTHING },
        )],
    );
}

/// S-7: what a device can do is no measurement. Reserved bits are ignored.
#[test]
fn s7_features_and_places_are_events() {
    let said = |events| Expect { events, ..Expect::NOTHING };
    let rejected = |error| Expect { error: Some(error), ..Expect::NOTHING };
    assert_decodes(
        0x2A49,
        &[
            ("24 fe", said(&["feature irregular-pulse", "feature multiple-bonds"])),
            ("00", rejected("truncated features")),
        ],
    );
    assert_decodes(
        0x2A51,
        &[("02 fc", said(&["feature sensor-malfunction-detection", "feature multiple-bonds"]))],
    );
    assert_decodes(0x2A54, &[("03 e0", said(&["feature stride-length", "feature distance"]))]);
    assert_decodes(
        0x2A60,
        &[
            ("44 ff", said(&["feature stored-measurements", "feature pulse-amplitude-index"])),
            (
                "03 00 ff ff ff ff ff",
                said(&["feature measurement-status", "feature sensor-status"]),
            ),
            ("01 00 ff", rejected("truncated measurement status support")),
            ("02 00 ff ff", rejected("truncated sensor status support")),
        ],
    );
    assert_decodes(
        0x2A9B,
        &[("01 06 00 80", said(&["feature time-stamp", "feature weight", "feature height"]))],
    );
    assert_decodes(
        0x2A9E,
        &[
            ("c6 03 00 00", said(&["feature multiple-users", "feature body-mass-index"])),
            ("c6 03 00", rejected("truncated features")),
        ],
    );
    assert_decodes(
        0x2A1D,
        &[
            ("06", said(&["temperature-site mouth"])),
            ("09", said(&["temperature-site tympanum"])),
            ("00", said(&["temperature-site reserved"])),
            ("0f", said(&["temperature-site reserved"])),
        ],
    );
    assert_decodes(
        0x2A38,
        &[
            ("00", said(&["sensor-location other"])),
            ("01", said(&["sensor-location chest"])),
            ("06", said(&["sensor-location foot"])),
            ("07", said(&["sensor-location reserved"])),
            ("", rejected("truncated body sensor location")),
        ],
    );
}

/// Records of several segments are longer than an attribute.
#[test]
fn a_record_put_together_is_not_held_against_an_attributes_length() {
    let mut record = vec![3, 4, 0, 0, 1, 0];
    record.extend([0x04, 0x4B, 0x02, 0x00]); // 150276
    record.extend([0; 15]); // unit, scale, period
    record.extend([1, 0x58, 0x02, 0, 0]); // 600 samples of a byte
    record.extend([0; 600]);
    let len = u16::try_from(record.len() - 1).expect("short").to_le_bytes();
    record.splice(2..4, len);
    let decoded = decode(Characteristic(0x2B8B), &record).expect("a long record");
    assert_eq!(decoded.events.last().map(ToString::to_string).as_deref(), Some("samples 600"));
    let long = vec![0; segments::RECORD_LEN_MAX + 1];
    let error = decode(Characteristic(0x2B8B), &long).expect_err("too long");
    assert_eq!((error.kind(), error.field()), ("size", "frame"));
}
