//! What holds for any bytes of any characteristic.

mod vendor;

use std::io::Write;

use proptest::prelude::*;

use wardkeep_model::vitals::Characteristic;
use wardkeep_model::vitals::gatt::{
    DecodeError, Decoded, Event, Note, Quirks, SUPPORTED, decode, decode_with_quirks,
};
use wardkeep_model::vitals::plausible;
use wardkeep_model::vitals::sfloat::{Reading, encode_sfloat, float, sfloat};

fn any_characteristic() -> impl Strategy<Value = Characteristic> {
    prop_oneof![9 => prop::sample::select(SUPPORTED), 1 => any::<u16>().prop_map(Characteristic)]
}

/// Bytes as devices send them: often short, flags often sparse, specials often present.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => any::<u8>(),
        2 => Just(0_u8),
        1 => Just(0xFF_u8),
        1 => Just(0x07_u8),
        1 => Just(0x08_u8),
    ];
    prop::collection::vec(byte, 0..48)
}

/// Nothing withheld is charted as well, and all that is charted is plausible and has a unit.
fn assert_s7(decoded: &Decoded) -> Result<(), TestCaseError> {
    for charted in &decoded.observations {
        prop_assert!(plausible::is_plausible(charted.code, charted.unit, charted.value));
    }
    // Codes that a frame can hold several times (RR intervals, CGM records) may be in both lists.
    const REPEATED: [u32; 2] = [147_240, 160_212];
    for withheld in decoded.withheld.iter().filter(|held| !REPEATED.contains(&held.code.0)) {
        prop_assert!(decoded.observations.iter().all(|charted| charted.code != withheld.code));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn s7_any_bytes_give_an_answer_and_nothing_withheld_is_charted(
        characteristic in any_characteristic(),
        frame in any_frame(),
        swapped_cuff_tail: bool,
    ) {
        if let Ok(decoded) = decode(characteristic, &frame) {
            assert_s7(&decoded)?;
        }
        if let Ok(decoded) =
            decode_with_quirks(characteristic, &frame, Quirks { swapped_cuff_tail })
        {
            assert_s7(&decoded)?;
        }
    }

    /// Each value of a frame is charted or withheld, once: the number of answers does not depend on
    /// what the values are.
    #[test]
    fn s7_every_value_is_answered_once(
        flags: u8,
        mut values in prop::collection::vec(any::<u8>(), 24),
        other in prop::collection::vec(any::<u8>(), 24),
    ) {
        values.insert(0, flags);
        let answers = |frame: &[u8]| {
            let decoded = decode(Characteristic(0x2A5F), frame).expect("long enough");
            let mut codes: Vec<_> = decoded
                .observations
                .iter()
                .map(|charted| charted.code)
                .chain(decoded.withheld.iter().map(|withheld| withheld.code))
                .collect();
            codes.sort();
            codes
        };
        let mut altered = other;
        altered.insert(0, flags);
        prop_assert_eq!(answers(&values), answers(&altered));
    }

    /// A frame cut anywhere is rejected, or, where the cut falls between repeated records, holds fewer
    /// of them. It never charts what the whole frame does not.
    #[test]
    fn s7_truncation_at_every_length_charts_nothing_else(
        characteristic in any_characteristic(),
        frame in any_frame(),
    ) {
        let Ok(whole) = decode(characteristic, &frame) else { return Ok(()); };
        for len in 0..frame.len() {
            match decode(characteristic, &frame[..len]) {
                Ok(cut) => {
                    let repeats = matches!(characteristic.0, 0x2A37 | 0x2AA7 | 0x2A52);
                    let trailing = whole.events.contains(&Event::Note(Note::TrailingBytes));
                    let told = cut.events.contains(&Event::Note(Note::PartMissing));
                    prop_assert!(repeats || trailing || told, "{characteristic:?} cut at {len}");
                    prop_assert!(whole.observations.starts_with(&cut.observations));
                }
                Err(error) => {
                    let truncated = matches!(error, DecodeError::Truncated { .. });
                    prop_assert!(truncated, "{error:?}");
                }
            }
        }
    }

    /// Reserved flag bits change nothing.
    #[test]
    fn reserved_flag_bits_are_ignored(
        (characteristic, reserved) in prop::sample::select(&[
            (0x2A37, 0xE0_u8), (0x2A1C, 0xF8), (0x2A1E, 0xF8), (0x2A35, 0xE0), (0x2A36, 0xE0),
            (0x2B34, 0x80), (0x2B35, 0x80), (0x2A5E, 0xE0), (0x2A5F, 0xE0), (0x2A18, 0xE0),
            (0x2A9D, 0xF0), (0x2A53, 0xF8),
        ][..]),
        mut frame in any_frame(),
        noise: u8,
    ) {
        let before = decode(Characteristic(characteristic), &frame);
        if let Some(flags) = frame.first_mut() {
            *flags ^= noise & reserved;
        }
        prop_assert_eq!(before, decode(Characteristic(characteristic), &frame));
    }

    #[test]
    fn sfloats_round_trip(mantissa in -2048_i16..=2047, exponent in -8_i8..=7) {
        match encode_sfloat(mantissa, exponent) {
            Some(raw) => prop_assert_eq!(sfloat(raw), Reading::of(i64::from(mantissa), exponent)),
            None => prop_assert!(exponent == 0 && !(-2045..=2045).contains(&mantissa)),
        }
    }

    /// A FLOAT prints the digits of its mantissa, and only those.
    #[test]
    fn floats_keep_their_digits(mantissa in -8_388_605_i32..=8_388_605, exponent: i8) {
        let raw = (u32::from(exponent.cast_unsigned()) << 24)
            | (mantissa.cast_unsigned() & 0x00FF_FFFF);
        let text = float(raw).to_string();
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let expected = mantissa.unsigned_abs().to_string();
        prop_assert_eq!(digits.trim_matches('0'), expected.trim_matches('0'));
        prop_assert_eq!(text.starts_with('-'), mantissa < 0);
        let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        prop_assert_eq!(decimals, usize::from(exponent.min(0).unsigned_abs()));
    }
}

/// Frames for a longer run: `WARDKEEP_FRAMES=10000000 cargo test --release -p wardkeep-tests --test decode`.
#[test]
fn s7_random_frames_for_as_long_as_asked() {
    let frames = std::env::var("WARDKEEP_FRAMES").map_or(200_000, |text| {
        text.parse::<u64>().expect("WARDKEEP_FRAMES is a number of frames")
    });
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let (mut frame, mut charted, mut withheld, mut rejected) = (Vec::new(), 0_u64, 0_u64, 0_u64);
    for _ in 0..frames {
        let word = xorshift(&mut state);
        let [choice, len, mask, ..] = word.to_le_bytes();
        frame.clear();
        while frame.len() < usize::from(len % 40) {
            frame.extend(xorshift(&mut state).to_le_bytes());
        }
        frame.truncate(usize::from(len % 40));
        // High bytes of SFLOATs and flags are mostly small in the field.
        if mask & 1 == 0 {
            frame.iter_mut().skip(usize::from(mask >> 7)).step_by(2).for_each(|byte| *byte &= 0x0F);
        }
        let characteristic = SUPPORTED[usize::from(choice) % SUPPORTED.len()];
        match decode(characteristic, &frame) {
            Ok(decoded) => {
                assert_s7(&decoded).expect("S-7");
                charted += u64::try_from(decoded.observations.len()).expect("a few");
                withheld += u64::try_from(decoded.withheld.len()).expect("a few");
            }
            Err(_) => rejected += 1,
        }
    }
    writeln!(
        std::io::stdout(),
        "{frames} frames: {rejected} rejected, {charted} charted, {withheld} withheld"
    )
    .expect("standard output");
    assert!(charted > 0 && withheld > 0 && rejected > 0, "the frames exercise every outcome");
}

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
