//! Frames of the manufacturer's own tests (`polarofficial/polar-ble-sdk`), and built ones.

use proptest::prelude::*;

use crate::vitals::gatt::testing::{Expect, bytes};
use crate::vitals::vendor::testing::{Fixture, assert_decodes, frame};
use crate::vitals::vendor::{Device, Protocol, decode};

const TIME: Option<&str> = Some("2000-01-01T00:00:02");

pub(in crate::vitals::vendor) const FIXTURES: &[Fixture] = &[
    frame(
        "00 00 94 35 77 00 00 00 00 00 02 80 ff 02 80 00",
        Expect { events: &["ecg 2 -32766..32770 uV"], time: TIME, ..Expect::NOTHING },
    ),
    frame(
        "00 00 94 35 77 00 00 00 00 01 02 80 ff 80 02 00",
        Expect { events: &["ecg 2 2..640 uV"], time: TIME, ..Expect::NOTHING },
    ),
    frame(
        "00 00 94 35 77 00 00 00 00 02 80 80 fc ff ff 03",
        Expect { events: &["ecg 2 32896..262143 uV"], time: TIME, ..Expect::NOTHING },
    ),
    frame(
        "00 00 94 35 77 00 00 00 00 03 00 12 03 11 10 04 00 02 80 f0 11 10 04 ff",
        Expect {
            events: &["ecg 2 -1015806..201216 1", "ecg-2 2 266257..266257 1"],
            time: TIME,
            ..Expect::NOTHING
        },
    ),
    frame(
        "01 00 94 35 77 00 00 00 00 00 01 02 03 04 05 06 ff ff 7f 00 00 00 ff ff ff 0f ef ef 00 00 80 0f ef \
         ef",
        Expect {
            events: &["ppg 6 -8388608..8388607 1", "ambient 2 -1052913..0 1"],
            time: TIME,
            ..Expect::NOTHING
        },
    ),
    frame(
        "02 00 94 35 77 00 00 00 00 01 f7 ff ff ff e7 03 f8 ff fe ff e5 03",
        Expect {
            events: &["acc-x 2 -9..-8 m[g]", "acc-y 2 -2..-1 m[g]", "acc-z 2 997..999 m[g]"],
            time: TIME,
            ..Expect::NOTHING
        },
    ),
    frame(
        "02 65 00 00 00 00 00 00 00 81 f1 ff 14 00 f0 03 06 01 7b 0f 08",
        Expect {
            events: &["acc-x 2 -20..-15 m[g]", "acc-y 2 17..20 m[g]", "acc-z 2 1008..1008 m[g]"],
            time: Some("2000-01-01T00:00:00.000000101"),
            ..Expect::NOTHING
        },
    ),
    // One block of 56 changes of ten bits.
    frame(
        "02 00 94 35 77 00 00 00 00 80 7107f06a9e8d 0a38 be5cbeba2f96b3ee4be5adfb42b9ebbe4cfeba2f92bfee4be4b1\
         fb12b9ecbd3c3ebb2f8fd3de4be3b5f7d2b8edbd307e7b2f8be3ce8be2baf7a2b8eebc20be7b2f88f3cecbe1bdef52f8efbc\
         18fe3b2f8403bfcbe0c2ef32b8f0bb044ebc2e8113af0be0c6eff2f7f1b9fc7dbc2e7d279f4bdfcaebc2f7f2b8eccd7c2e7b\
         378f4bdecee392f7f3b8e00dfd2d774b7fcbddd2df6237f5b7d44dbd2d745b6fcbdcd7d73237f6b5c88d7d2d716b4f4bdcdc\
         d3f236f7b4bcddfd2c6f7b3f4bdbe0cfd236f8b2b02dbe2c6c8f1fcbdae3c7a276f9",
        Expect {
            events: &[
                "acc-x 57 1905..12274 1",
                "acc-y 57 20173..27376 1",
                "acc-z 57 -32449..-29282 1",
            ],
            time: TIME,
            ..Expect::NOTHING
        },
    ),
    // Two blocks of different widths.
    frame(
        "02 65 00 00 00 00 00 00 00 81 f1 ff 14 00 f0 03 06 01 7b 0f 08 03 02 b9 06 02",
        Expect {
            events: &["acc-x 4 -20..-15 m[g]", "acc-y 4 16..20 m[g]", "acc-z 4 1006..1010 m[g]"],
            time: Some("2000-01-01T00:00:00.000000101"),
            ..Expect::NOTHING
        },
    ),
    // A clock that never ran. The second interval was moved through, the third has no skin under it.
    frame(
        "03 00 00 00 00 00 00 00 00 00 48 40 03 0a 00 06 50 20 03 0a 00 07 50 20 03 0a 00 04 47 4c 03 0a 00 \
         00",
        Expect {
            events: &["time-unknown", "ppi 2 832..844 ms", "ppi-refused 2"],
            ..Expect::NOTHING
        },
    ),
    // Nothing measured in this frame.
    frame(
        "01 00 94 35 77 00 00 00 00 00",
        Expect { events: &["ppg 0", "ambient 0"], time: TIME, ..Expect::NOTHING },
    ),
];

/// S-7: not even an interval that is to be trusted is charted from a strap's own stream.
#[test]
fn s7_nothing_of_a_stream_is_charted() {
    for fixture in FIXTURES {
        let decoded = decode(Protocol::PolarPmd, &Device::default(), &bytes(fixture.frame));
        let decoded = decoded.expect(fixture.frame);
        assert_eq!(
            (decoded.observations.len(), decoded.withheld.len()),
            (0, 0),
            "{}",
            fixture.frame
        );
    }
}

#[test]
fn a_frame_that_does_not_fit_is_rejected() {
    for (hex, error) in [
        ("04 00 94 35 77 00 00 00 00 00", "unsupported measurement type"),
        ("00 00 94 35 77 00 00 00 00 04 00 00 00", "unsupported frame type"),
        ("00 00 94 35 77 00 00 00 00 80 00 00 00", "unsupported frame type"),
        ("00 00 94 35 77 00 00 00 00 00 02 80 ff 02", "truncated sample"),
        ("00 00 94 35 77 00 00 00 00 01 02 80 ff 02", "truncated sample"),
        ("02 00 94 35 77 00 00 00 00 81 f1 ff 14 00 f0", "truncated reference sample"),
        ("02 00 94 35 77 00 00 00 00 81 f1 ff 14 00 f0 03 06", "truncated change count"),
        ("02 00 94 35 77 00 00 00 00 81 f1 ff 14 00 f0 03 06 01 7b 0f", "truncated changes"),
        ("02 00 94 35 77 00 00 00 00 81 f1 ff 14 00 f0 03 00 01 7b", "invalid change width"),
        ("02 00 94 35 77 00 00 00 00 81 f1 ff 14 00 f0 03 21 01 7b", "invalid change width"),
        ("03 00 94 35 77 00 00 00 00 00 48 40 03 0a 00", "truncated interval flags"),
    ] {
        let expect = Expect { error: Some(error), ..Expect::NOTHING };
        assert_decodes(Protocol::PolarPmd, &[frame(hex, expect)]);
    }
}

#[test]
fn a_clock_that_cannot_be_is_said() {
    assert_decodes(
        Protocol::PolarPmd,
        &[frame(
            "00 ff ff ff ff ff ff ff ff 00",
            Expect { events: &["time-impossible", "ecg 0"], ..Expect::NOTHING },
        )],
    );
}

/// Writes axes as a strap compresses them: the first whole, then blocks of changes of `width` bits.
fn compress(samples: &[[i16; 3]], width: u32, block: usize) -> Vec<u8> {
    let mut frame = vec![0x02, 0, 0x94, 0x35, 0x77, 0, 0, 0, 0, 0x80];
    let (first, changes) = samples.split_first().expect("at least one");
    frame.extend(first.iter().flat_map(|sample| sample.to_le_bytes()));
    let mut latest = first;
    for block in changes.chunks(block) {
        frame.extend([u8::try_from(width).expect("few"), u8::try_from(block.len()).expect("few")]);
        let mut bits = Vec::new();
        for sample in block {
            for (new, old) in sample.iter().zip(latest) {
                let change = i32::from(*new) - i32::from(*old);
                bits.extend((0..width).map(|bit| change >> bit & 1 == 1));
            }
            latest = sample;
        }
        frame.extend(bits.chunks(8).map(|byte| {
            byte.iter().enumerate().fold(0_u8, |all, (at, bit)| all | u8::from(*bit) << at)
        }));
    }
    frame
}

proptest! {
    #[test]
    fn what_was_compressed_comes_back(
        samples in prop::collection::vec(prop::array::uniform3(any::<i16>()), 1..40),
        width in 17_u32..=32,
        block in 1_usize..30,
    ) {
        let frame = compress(&samples, width, block);
        prop_assume!(frame.len() <= 512);
        let decoded = decode(Protocol::PolarPmd, &Device::default(), &frame).expect("whole");
        let told: Vec<String> = decoded.events.iter().map(ToString::to_string).collect();
        let expected: Vec<String> = ["acc-x", "acc-y", "acc-z"].iter().enumerate().map(|(at, word)| {
            let axis = samples.iter().map(|sample| *sample.get(at).expect("three"));
            let (low, high) = (axis.clone().min().expect("one"), axis.max().expect("one"));
            format!("{word} {} {low}..{high} 1", samples.len())
        }).collect();
        prop_assert_eq!(told, expected);
    }

    #[test]
    fn small_changes_need_few_bits(
        start in prop::array::uniform3(-1000_i16..1000),
        changes in prop::collection::vec(prop::array::uniform3(-4_i16..4), 1..150),
    ) {
        let samples: Vec<[i16; 3]> = std::iter::once([0; 3]).chain(changes).scan(start, |at, change| {
            at.iter_mut().zip(change).for_each(|(axis, change)| *axis += change);
            Some(*at)
        }).collect();
        let frame = compress(&samples, 3, 60);
        let decoded = decode(Protocol::PolarPmd, &Device::default(), &frame).expect("whole");
        let xs = samples.iter().map(|[x, _, _]| *x);
        let (low, high) = (xs.clone().min().expect("one"), xs.max().expect("one"));
        let first = decoded.events.first().expect("acc-x").to_string();
        prop_assert_eq!(first, format!("acc-x {} {low}..{high} 1", samples.len()));
    }
}
