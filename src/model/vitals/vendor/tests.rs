//! What holds of every protocol: its row of the support table, and how it takes what is no whole frame.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::vitals::gatt::testing::{assert_eq_words, bytes};
use crate::vitals::gatt::{DecodeError, FRAME_LEN_MAX};
use crate::vitals::nomenclature::Mdc;
use crate::vitals::vendor::testing::Fixture;
use crate::vitals::vendor::{
    Device, Protocol, bci, contec, decode, dexcom, mgb, nonin, o2ring, omron, pc60fw, polar, s400,
    taidoc, yonker,
};

/// The frames of each protocol that give an answer.
pub(super) fn fixtures(protocol: Protocol) -> &'static [Fixture] {
    match protocol {
        Protocol::Nonin3230 => nonin::tests::FIXTURES,
        Protocol::O2ring => o2ring::tests::FIXTURES,
        Protocol::Pc60fw => pc60fw::tests::FIXTURES,
        Protocol::Bci => bci::tests::FIXTURES,
        Protocol::ContecCms50d => contec::tests::FIXTURES,
        Protocol::Taidoc => taidoc::tests::FIXTURES,
        Protocol::OmronRecord => omron::record::tests::FIXTURES,
        Protocol::OmronClock => omron::clock::tests::FIXTURES,
        Protocol::OmronPacket => omron::packet::tests::FIXTURES,
        Protocol::OmronHbf => omron::hbf::tests::FIXTURES,
        Protocol::YonkerBp => yonker::tests::FIXTURES,
        Protocol::PolarPmd => polar::tests::FIXTURES,
        Protocol::MgbScale => mgb::tests::FIXTURES,
        Protocol::XiaomiS400 => s400::tests::FIXTURES,
        Protocol::DexcomG6 => dexcom::g6::tests::FIXTURES,
        Protocol::DexcomG7 => dexcom::g7::tests::FIXTURES,
    }
}

pub(super) fn all_fixtures() -> impl Iterator<Item = (Protocol, &'static Fixture)> {
    Protocol::ALL
        .into_iter()
        .flat_map(|protocol| fixtures(protocol).iter().map(move |fixture| (protocol, fixture)))
}

#[test]
fn every_fixture_gives_what_it_must() {
    for (protocol, fixture) in all_fixtures() {
        let answer = decode(protocol, &fixture.told.device(), &bytes(fixture.frame));
        assert_eq_words(fixture.frame, answer, &fixture.expect);
    }
}

/// The support table says no more and no less than what the fixtures chart.
#[test]
fn a_protocol_measures_what_its_frames_chart() {
    for protocol in Protocol::ALL {
        let charted: BTreeSet<Mdc> = fixtures(protocol)
            .iter()
            .filter_map(|fixture| {
                decode(protocol, &fixture.told.device(), &bytes(fixture.frame)).ok()
            })
            .flat_map(|decoded| decoded.observations)
            .map(|charted| charted.code)
            .collect();
        let promised: BTreeSet<Mdc> = protocol.measures().iter().copied().collect();
        assert_eq!(charted, promised, "{}", protocol.word());
        assert_eq!(promised.len(), protocol.measures().len(), "{}", protocol.word());
    }
}

/// What a protocol is said to need it cannot be read without; what it is not said to need it does not ask for.
#[test]
fn a_protocol_needs_what_it_says() {
    for protocol in Protocol::ALL {
        let missing: BTreeSet<&str> = fixtures(protocol)
            .iter()
            .flat_map(|fixture| {
                let whole = fixture.told.device();
                [
                    ("model", Device { model: None, ..whole.clone() }),
                    ("mac", Device { mac: None, ..whole.clone() }),
                    ("bind_key", Device { bind_key: None, ..whole }),
                ]
                .into_iter()
                .filter_map(|(field, device)| {
                    let error = decode(protocol, &device, &bytes(fixture.frame)).err()?;
                    assert_eq!(
                        (error.kind(), error.field()),
                        ("missing", &*format!("device.{field}"))
                    );
                    Some(field)
                })
            })
            .collect();
        assert_eq!(missing, protocol.needs().iter().copied().collect(), "{}", protocol.word());
    }
}

#[test]
fn names_are_one_word_each_and_endpoints_are_whole() {
    let words: BTreeSet<&str> = Protocol::ALL.iter().map(|protocol| protocol.word()).collect();
    assert_eq!(words.len(), Protocol::ALL.len());
    for protocol in Protocol::ALL {
        let word = protocol.word();
        assert!(
            word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{word}"
        );
        assert_eq!(Protocol::from_word(word), Some(protocol));
        assert_eq!(Protocol::from_word(&word.to_ascii_uppercase()), Some(protocol));
        let endpoint = protocol.endpoint();
        let uuids = [&[endpoint.service], endpoint.notify, endpoint.write].concat();
        for uuid in uuids {
            let parts: Vec<&str> = uuid.split('-').collect();
            let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{word} {uuid}");
            let digits = |part: &&str| part.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
            assert!(parts.iter().all(digits), "{word} {uuid}");
        }
        assert!(endpoint.start.is_empty() || !endpoint.write.is_empty(), "{word}");
    }
    assert_eq!(Protocol::from_word("nonin"), None);
}

/// What is written to make a device send is itself a frame of its protocol, where both directions share one.
#[test]
fn a_start_that_is_a_frame_is_a_whole_one() {
    for protocol in [Protocol::Taidoc, Protocol::OmronPacket, Protocol::MgbScale] {
        let start = protocol.endpoint().start;
        let decoded = decode(protocol, &Device::default(), start).expect("a whole frame");
        assert_eq!(
            (decoded.observations.len(), decoded.withheld.len()),
            (0, 0),
            "{}",
            protocol.word()
        );
    }
}

/// Frames of these may end after any packet or sample of theirs, and their beginnings are then whole.
const STREAMS: &[Protocol] = &[
    Protocol::Bci,
    Protocol::ContecCms50d,
    Protocol::Pc60fw,
    Protocol::PolarPmd,
    Protocol::Taidoc,
];

/// S-7: a frame that was cut anywhere gives no value.
#[test]
fn s7_a_cut_frame_charts_nothing() {
    for (protocol, fixture) in all_fixtures() {
        let whole = bytes(fixture.frame);
        let needed = whole.len() - usize::from(fixture.expect.events.contains(&"trailing-bytes"));
        for len in 0..needed {
            let (cut, _) = whole.split_at(len);
            match decode(protocol, &fixture.told.device(), cut) {
                Ok(_) => {
                    assert!(STREAMS.contains(&protocol) && len > 0, "{} at {len}", fixture.frame);
                }
                Err(DecodeError::Truncated { .. }) => {}
                // Its checksum is wherever the frame ends.
                Err(DecodeError::Crc) => {
                    assert_eq!(protocol, Protocol::DexcomG6, "{}", fixture.frame);
                }
                // Only its length tells a record from a message.
                Err(DecodeError::Unknown { field: "opcode" }) => {
                    assert_eq!(protocol, Protocol::DexcomG7, "{}", fixture.frame);
                }
                Err(error) => panic!("{error} of {} at {len}", fixture.frame),
            }
        }
    }
}

#[test]
fn s7_a_frame_longer_than_an_attribute_is_rejected() {
    for protocol in Protocol::ALL {
        let long = [0; FRAME_LEN_MAX + 1];
        let error = decode(protocol, &Device::default(), &long).expect_err("too long");
        assert_eq!(error, DecodeError::Size { field: "frame" });
    }
}

/// Frames of which one byte was changed, of which a device is known.
fn altered() -> impl Strategy<Value = (Protocol, &'static Fixture, Vec<u8>)> {
    let fixtures: Vec<(Protocol, &'static Fixture)> = all_fixtures().collect();
    (prop::sample::select(fixtures), any::<prop::sample::Index>(), 1_u8..=255).prop_map(
        |((protocol, fixture), at, bits)| {
            let mut frame = bytes(fixture.frame);
            let at = at.index(frame.len());
            if let Some(byte) = frame.get_mut(at) {
                *byte ^= bits;
            }
            (protocol, fixture, frame)
        },
    )
}

/// Protocols that check their frames, so that one wrong byte is never read.
const CHECKED: &[Protocol] = &[
    Protocol::O2ring,
    Protocol::Pc60fw,
    Protocol::Taidoc,
    Protocol::OmronPacket,
    Protocol::XiaomiS400,
    Protocol::DexcomG6,
];

proptest! {
    /// S-7: one wrong byte gives an error or the same values, never other values.
    #[test]
    fn s7_a_wrong_byte_is_found_by_a_checksum((protocol, fixture, frame) in altered()) {
        prop_assume!(CHECKED.contains(&protocol));
        let whole = decode(protocol, &fixture.told.device(), &bytes(fixture.frame)).expect("fixture");
        if let Ok(decoded) = decode(protocol, &fixture.told.device(), &frame) {
            // Only what no checksum covers may differ: what stands after the frame.
            prop_assert!(
                decoded.observations.is_empty() || decoded.observations == whole.observations,
                "{} as {frame:02x?}", fixture.frame
            );
        }
    }
}
