//! Any segments of health observations: the first byte says live or stored, then each segment follows its
//! length.
//!
//! Nothing panics; nothing is whole that did not begin, is longer than a record can be, or charts what no
//! patient can have; and a segment alone charts nothing. Run with
//! `cargo +stable fuzz run ghs_segments fuzz/corpus/ghs_segments fuzz/seeds/ghs_segments` and
//! `RUSTC_BOOTSTRAP=1`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardkeep_model::vitals::gatt::decode;
use wardkeep_model::vitals::gatt::segments::{RECORD_LEN_MAX, Reassembler};
use wardkeep_model::vitals::{Characteristic, plausible};

const FIRST: u8 = 1 << 0;
const WHOLE: u8 = 1 << 0 | 1 << 1;

fuzz_target!(|input: &[u8]| {
    let [stored, rest @ ..] = input else { return };
    let mut rest = rest;
    let characteristic = Characteristic(if stored & 1 == 0 { 0x2B8B } else { 0x2BDD });
    let mut reassembler = Reassembler::default();
    let mut has_begun = false;
    while let [len, more @ ..] = rest {
        let (segment, after) = more.split_at(usize::from(*len).min(more.len()));
        rest = after;
        let header = segment.first().copied().unwrap_or_default();
        has_begun |= header & FIRST != 0;
        if header & WHOLE != WHOLE && !segment.is_empty() {
            let alone = decode(characteristic, segment).expect("a segment is told, not read");
            assert!(alone.observations.is_empty() && alone.withheld.is_empty());
        }
        let Some(whole) = reassembler.take(segment).whole else { continue };
        assert!(has_begun && whole.len() <= RECORD_LEN_MAX && whole.first() == Some(&WHOLE));
        has_begun = false;
        let Ok(decoded) = decode(characteristic, &whole) else { continue };
        for charted in &decoded.observations {
            assert!(plausible::is_plausible(charted.code, charted.unit, charted.value));
        }
    }
});
