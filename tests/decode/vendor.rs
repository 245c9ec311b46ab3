//! What holds for any bytes of any vendor's protocol.

use proptest::prelude::*;

use wardkeep_model::vitals::gatt::{Decoded, FRAME_LEN_MAX};
use wardkeep_model::vitals::plausible;
use wardkeep_model::vitals::vendor::{Device, Protocol, decode};

/// Models of every layout and kind, one that nobody knows, and none.
const MODELS: &[Option<&str>] = &[
    None,
    Some("?"),
    Some("TD-3128"),
    Some("TD-4216"),
    Some("TD-8255"),
    Some("TD-1261"),
    Some("HEM-7142T2"),
    Some("HEM-7155T"),
    Some("HEM-7320T"),
    Some("HEM-7322T"),
    Some("HEM-7530T"),
    Some("HEM-6401T"),
    Some("HEM-6410T"),
    Some("HEM-9601T"),
    Some("HBF-702T"),
    Some("HBF-227T"),
    Some("VIVA"),
];

fn device(model: Option<&str>) -> Device {
    Device { model: model.map(str::to_owned), ..Device::default() }
}

fn any_protocol() -> impl Strategy<Value = Protocol> {
    prop::sample::select(&Protocol::ALL[..])
}

fn any_model() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(MODELS)
}

/// The beginnings that protocols insist on.
fn beginning(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::Nonin3230 => &[0x0A],
        Protocol::O2ring => &[0x55, 0x00, 0xFF, 0x00, 0x00, 0x0D, 0x00],
        Protocol::Pc60fw => &[0xAA, 0x55, 0x0F, 0x08, 0x01],
        Protocol::Bci | Protocol::OmronRecord | Protocol::OmronClock | Protocol::OmronHbf => &[],
        Protocol::ContecCms50d => &[0xEB, 0x01],
        Protocol::Taidoc => &[0x51, 0x26],
        Protocol::OmronPacket => &[0x18, 0x81, 0x00],
        Protocol::YonkerBp => &[0x81],
        Protocol::PolarPmd => &[0x02],
        Protocol::MgbScale => &[0xAC, 0x02],
        Protocol::XiaomiS400 => &[0x48, 0x59, 0xD5, 0x3B],
        Protocol::DexcomG6 => &[0x31, 0x00],
        Protocol::DexcomG7 => &[0x4E, 0x00],
    }
}

/// A remainder by polynomial division, the bits of each byte in their order or backwards.
fn remainder(bytes: &[u8], polynomial: u32, width: u32, backwards: bool) -> u32 {
    let bits = bytes.iter().flat_map(|byte| {
        let byte = if backwards { byte.reverse_bits() } else { *byte };
        (0..8).rev().map(move |bit| u32::from(byte >> bit & 1))
    });
    let (top, mask) = (width - 1, (1 << width) - 1);
    bits.fold(0, |rest, bit| {
        let shifted = rest << 1 & mask;
        if rest >> top ^ bit == 1 { shifted ^ polynomial } else { shifted }
    })
}

/// Puts a byte that depends on those before it, if the frame reaches so far.
fn put(frame: &mut [u8], at: usize, byte: impl Fn(&[u8]) -> u8) {
    if let Some((before, [place, ..])) = frame.split_at_mut_checked(at) {
        *place = byte(before);
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Makes the checksum fit, where the protocol has one, so that any values are looked at.
fn repair(protocol: Protocol, model: Option<&str>, frame: &mut [u8]) {
    match protocol {
        Protocol::O2ring => put(frame, 20, |b| remainder(b, 0x07, 8, false).to_le_bytes()[0]),
        Protocol::Pc60fw => {
            put(frame, 11, |b| remainder(b, 0x31, 8, true).to_le_bytes()[0].reverse_bits());
        }
        Protocol::ContecCms50d => put(frame, 7, |b| sum(b) & 0x7F),
        Protocol::OmronPacket => put(frame, 23, |b| b.iter().fold(0, |all, byte| all ^ byte)),
        Protocol::Taidoc => {
            put(frame, 6, |_| 0xA5);
            put(frame, 7, sum);
        }
        Protocol::MgbScale => {
            put(frame, 6, |_| 0xCA);
            put(frame, 7, |b| sum(&b[2..]));
        }
        Protocol::OmronClock => {
            let at = if matches!(model, Some("HEM-7320T" | "HEM-7322T")) { 9 } else { 14 };
            put(frame, at, sum);
        }
        Protocol::DexcomG6 => {
            let check = |b: &[u8]| remainder(&b[..14], 0x1021, 16, false).to_le_bytes();
            put(frame, 14, |b| check(b)[0]);
            put(frame, 15, |b| check(b)[1]);
        }
        Protocol::Nonin3230
        | Protocol::Bci
        | Protocol::OmronRecord
        | Protocol::OmronHbf
        | Protocol::YonkerBp
        | Protocol::PolarPmd
        | Protocol::XiaomiS400
        | Protocol::DexcomG7 => {}
    }
}

/// Nothing withheld is charted as well, all that is charted is promised and plausible, and no frame makes an
/// answer grow.
fn assert_s7(protocol: Protocol, decoded: &Decoded) -> Result<(), TestCaseError> {
    prop_assert!(decoded.observations.len() + decoded.withheld.len() <= 4);
    prop_assert!(decoded.events.len() <= FRAME_LEN_MAX / 2);
    for charted in &decoded.observations {
        prop_assert!(plausible::is_plausible(charted.code, charted.unit, charted.value));
        prop_assert!(protocol.measures().contains(&charted.code), "{charted:?}");
        prop_assert!(decoded.withheld.iter().all(|held| held.code != charted.code));
    }
    for event in &decoded.events {
        let text = event.to_string();
        prop_assert!(text.len() < 100 && text.starts_with(event.word()), "{text}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn s7_any_bytes_of_any_vendor_give_a_bounded_answer(
        protocol in any_protocol(),
        model in any_model(),
        begins: bool,
        mut frame in prop::collection::vec(any::<u8>(), 0..FRAME_LEN_MAX + 2),
    ) {
        if begins {
            frame.splice(..0, beginning(protocol).iter().copied());
        }
        if let Ok(decoded) = decode(protocol, &device(model), &frame) {
            assert_s7(protocol, &decoded)?;
        }
    }

    #[test]
    fn s7_any_values_behind_a_good_checksum_are_judged(
        protocol in any_protocol(),
        model in any_model(),
        values in prop::collection::vec(any::<u8>(), 0..52),
    ) {
        let mut frame = beginning(protocol).to_vec();
        frame.extend(values);
        repair(protocol, model, &mut frame);
        if let Ok(decoded) = decode(protocol, &device(model), &frame) {
            assert_s7(protocol, &decoded)?;
        }
    }
}

/// The frames above do reach the values: each protocol that can be read without a key charts and withholds.
#[test]
fn random_values_are_charted_and_withheld() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for protocol in Protocol::ALL {
        let (mut charted, mut withheld, mut answered) = (0, 0, 0);
        for _ in 0..30_000 {
            let mut frame = beginning(protocol).to_vec();
            while frame.len() < 52 {
                frame.extend(super::xorshift(&mut state).to_le_bytes());
            }
            frame.truncate(52);
            // Numbers of devices are mostly small; a sync bit is on the first byte alone, and a sensor is
            // mostly well.
            if protocol == Protocol::Bci {
                frame.truncate(5);
                frame.iter_mut().for_each(|byte| *byte &= 0x7F);
                frame[0] |= 0x80;
            } else if protocol == Protocol::DexcomG6 {
                frame[11..13].copy_from_slice(&[1, 6]);
            } else if protocol == Protocol::DexcomG7 {
                frame[13..15].copy_from_slice(&[1, 6]);
            } else if state & 1 == 0 {
                let values = frame.iter_mut().skip(beginning(protocol).len());
                values.step_by(2).for_each(|byte| *byte &= 0x03);
            }
            let model = MODELS[usize::try_from(state % 1_000_003).expect("small") % MODELS.len()];
            repair(protocol, model, &mut frame);
            if let Ok(decoded) = decode(protocol, &device(model), &frame) {
                assert_s7(protocol, &decoded).expect("S-7");
                answered += 1;
                charted += decoded.observations.len();
                withheld += decoded.withheld.len();
            }
        }
        let reached = if protocol == Protocol::XiaomiS400 {
            answered == 0
        } else if protocol.measures().is_empty() {
            answered > 0 && charted + withheld == 0
        } else {
            charted > 0 && withheld > 0
        };
        let word = protocol.word();
        assert!(reached, "{word}: {answered} answered, {charted} charted, {withheld} withheld");
    }
}
