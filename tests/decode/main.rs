//! What holds for any bytes of any characteristic.

mod support;
mod vendor;

use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;

use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::Characteristic;
use wardkeep_model::vitals::gatt::{
    DecodeError, Decoded, Event, Note, Quirks, SUPPORTED, decode, decode_with_quirks,
};
use wardkeep_model::vitals::nomenclature::{GLUCOSE_INTERSTITIAL, Mdc, RR_INTERVAL};
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

static SEEDS: LazyLock<Vec<(Characteristic, Vec<u8>)>> = LazyLock::new(kit::frames::seeds);

/// A sound frame with some of its bytes changed.
fn any_mutant() -> impl Strategy<Value = (Characteristic, Vec<u8>)> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    let seed = prop::sample::select(SEEDS.as_slice());
    (seed, prop::collection::vec(change, 0..4)).prop_map(
        |((characteristic, mut frame), changes)| {
            let len = frame.len();
            for (index, byte) in changes.into_iter().filter(|_| len > 0) {
                frame[index.index(len)] = byte;
            }
            (characteristic, frame)
        },
    )
}

fn any_input() -> impl Strategy<Value = (Characteristic, Vec<u8>)> {
    prop_oneof![(any_characteristic(), any_frame()), any_mutant()]
}

/// Codes that a frame of this characteristic can hold several times: RR intervals, records of a glucose
/// sensor, and whatever a generic health sensor puts in one bundle.
fn repeats(characteristic: Characteristic, code: Mdc) -> bool {
    match characteristic.0 {
        0x2A37 => code == RR_INTERVAL,
        0x2AA7 => code == GLUCOSE_INTERSTITIAL,
        0x2B8B | 0x2BDD => true,
        _ => false,
    }
}

/// Nothing withheld is charted as well, and all that is charted is plausible and has a unit.
fn assert_s7(characteristic: Characteristic, decoded: &Decoded) -> Result<(), TestCaseError> {
    for charted in &decoded.observations {
        prop_assert!(plausible::is_plausible(charted.code, charted.unit, charted.value));
    }
    for withheld in decoded.withheld.iter().filter(|held| !repeats(characteristic, held.code)) {
        prop_assert!(decoded.observations.iter().all(|charted| charted.code != withheld.code));
    }
    Ok(())
}

/// Whether a frame may be whole although another one begins like it: it repeats records or counts of
/// several lengths, or its checksum is one that not every device sends.
fn ends_early(characteristic: Characteristic) -> bool {
    const REPEATS: [u16; 3] = [0x2A37, 0x2AA7, 0x2A52];
    const CHECKSUM: [u16; 6] = [0x2AA9, 0x2AAA, 0x2AAB, 0x2AAC, 0x2B20, 0x2B21];
    REPEATS.contains(&characteristic.0) || CHECKSUM.contains(&characteristic.0)
}

const RESERVED: &[(u16, usize, u8)] = &[
    (0x2A37, 0, 0xE0),
    (0x2A1C, 0, 0xF8),
    (0x2A1E, 0, 0xF8),
    (0x2A35, 0, 0xE0),
    (0x2A36, 0, 0xE0),
    (0x2B34, 0, 0x80),
    (0x2B35, 0, 0x80),
    (0x2A5E, 0, 0xE0),
    (0x2A5F, 0, 0xE0),
    (0x2A18, 0, 0xE0),
    (0x2A9D, 0, 0xF0),
    (0x2A53, 0, 0xF8),
    (0x2A49, 1, 0xFE),
    (0x2A51, 1, 0xF8),
    (0x2A54, 0, 0xE0),
    (0x2A60, 1, 0xFF),
    (0x2A9B, 3, 0xFF),
    (0x2A9E, 3, 0xFF),
    (0x2B40, 1, 0xE0),
    (0x2B8B, 5, 0xFC),
    (0x2BDD, 9, 0xFC),
    (0x2BF2, 0, 0xC0),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn s7_any_bytes_give_an_answer_and_nothing_withheld_is_charted(
        (characteristic, frame) in any_input(),
        swapped_cuff_tail: bool,
    ) {
        if let Ok(decoded) = decode(characteristic, &frame) {
            assert_s7(characteristic, &decoded)?;
        }
        if let Ok(decoded) =
            decode_with_quirks(characteristic, &frame, Quirks { swapped_cuff_tail })
        {
            assert_s7(characteristic, &decoded)?;
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
        (characteristic, frame) in any_input(),
    ) {
        let Ok(whole) = decode(characteristic, &frame) else { return Ok(()); };
        for len in 0..frame.len() {
            match decode(characteristic, &frame[..len]) {
                Ok(cut) => {
                    let trailing = whole.events.contains(&Event::Note(Note::TrailingBytes));
                    let told = [Note::PartMissing, Note::Segment]
                        .iter()
                        .any(|note| cut.events.contains(&Event::Note(*note)));
                    let ended = ends_early(characteristic) || trailing || told;
                    prop_assert!(ended, "{characteristic:?} cut at {len}");
                    prop_assert!(whole.observations.starts_with(&cut.observations));
                }
                Err(error) => {
                    let truncated = matches!(error, DecodeError::Truncated { .. });
                    prop_assert!(truncated, "{error:?}");
                }
            }
        }
    }

    /// Reserved flag bits change nothing: characteristic, which byte, which bits.
    #[test]
    fn reserved_flag_bits_are_ignored(
        (characteristic, at, reserved) in prop::sample::select(RESERVED),
        mut frame in any_frame(),
        mutant in any_mutant(),
        noise: u8,
    ) {
        if mutant.0.0 == characteristic {
            frame = mutant.1;
        }
        let before = decode(Characteristic(characteristic), &frame);
        if let Some(flags) = frame.get_mut(at) {
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
/// Half of them are random, half are sound frames of which some bits are flipped or the end is cut off.
#[test]
fn s7_random_frames_for_as_long_as_asked() {
    let frames = std::env::var("WARDKEEP_FRAMES").map_or(200_000, |text| {
        text.parse::<u64>().expect("WARDKEEP_FRAMES is a number of frames")
    });
    const BATCH: u64 = 1_000;
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let (mut charted, mut withheld, mut rejected) = (0, 0, 0);
    let mut spent = Duration::ZERO;
    for _ in 0..frames.div_ceil(BATCH) {
        let inputs: Vec<_> = (0..BATCH)
            .map(|round| match round % 2 {
                0 => random_frame(&mut state),
                _ => mutated_frame(&mut state),
            })
            .collect();
        let begun = Moment::read().boot;
        let answers: Vec<_> = inputs
            .iter()
            .map(|(characteristic, frame)| (*characteristic, decode(*characteristic, frame)))
            .collect();
        spent += Moment::read().boot.since(begun);
        for (characteristic, answer) in answers {
            match answer {
                Ok(decoded) => {
                    assert_s7(characteristic, &decoded).expect("S-7");
                    charted += decoded.observations.len();
                    withheld += decoded.withheld.len();
                }
                Err(_) => rejected += 1,
            }
        }
    }
    let each_ns = spent.as_nanos() / u128::from(frames.max(1));
    let kinds = SUPPORTED.len();
    writeln!(
        std::io::stdout(),
        "{frames} frames of {kinds} characteristics, {each_ns} ns each: {rejected} rejected, \
         {charted} charted, {withheld} withheld",
    )
    .expect("standard output");
    assert!(charted > 0 && withheld > 0 && rejected > 0, "the frames exercise every outcome");
}

fn random_frame(state: &mut u64) -> (Characteristic, Vec<u8>) {
    let [choice, len, mask, ..] = xorshift(state).to_le_bytes();
    let mut frame = Vec::new();
    while frame.len() < usize::from(len % 40) {
        frame.extend(xorshift(state).to_le_bytes());
    }
    frame.truncate(usize::from(len % 40));
    // High bytes of SFLOATs and flags are mostly small in the field.
    if mask & 1 == 0 {
        frame.iter_mut().skip(usize::from(mask >> 7)).step_by(2).for_each(|byte| *byte &= 0x0F);
    }
    (SUPPORTED[usize::from(choice) % SUPPORTED.len()], frame)
}

fn mutated_frame(state: &mut u64) -> (Characteristic, Vec<u8>) {
    let [choice, more, flips, cut, ..] = xorshift(state).to_le_bytes();
    let choice = usize::from(u16::from_le_bytes([choice, more])) % SEEDS.len();
    let (characteristic, mut frame) = SEEDS[choice].clone();
    for _ in 0..flips % 4 {
        let [at, bit, ..] = xorshift(state).to_le_bytes();
        let at = usize::from(at) % frame.len().max(1);
        if let Some(byte) = frame.get_mut(at) {
            *byte ^= 1 << (bit % 8);
        }
    }
    if cut < 64 {
        frame.truncate(usize::from(cut));
    }
    (characteristic, frame)
}

/// A decoder without a sound frame to start from is fuzzed in the dark.
#[test]
fn every_decoder_has_a_seed_that_it_takes() {
    for characteristic in SUPPORTED {
        let mut seeds = SEEDS.iter().filter(|(seeded, _)| seeded == characteristic);
        let is_taken = seeds.any(|(_, frame)| decode(*characteristic, frame).is_ok());
        assert!(is_taken, "{characteristic:?}");
    }
}

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
