//! Any bytes of any characteristic: two bytes of its number, one of quirks, the rest is the frame.
//!
//! S-7 is checked on every input: nothing implausible is charted, an answer is given, and nothing
//! panics. Run with `cargo +stable fuzz run gatt_frame fuzz/corpus/gatt_frame fuzz/seeds/gatt_frame`
//! and `RUSTC_BOOTSTRAP=1`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardkeep_model::vitals::Characteristic;
use wardkeep_model::vitals::gatt::{Quirks, decode_with_quirks};
use wardkeep_model::vitals::plausible;

fuzz_target!(|input: &[u8]| {
    let [low, high, quirks, frame @ ..] = input else { return };
    let characteristic = Characteristic(u16::from_le_bytes([*low, *high]));
    let quirks = Quirks { swapped_cuff_tail: quirks & 1 != 0 };
    let Ok(decoded) = decode_with_quirks(characteristic, frame, quirks) else { return };
    for charted in &decoded.observations {
        assert!(plausible::is_plausible(charted.code, charted.unit, charted.value));
        assert!(!charted.value.to_string().is_empty());
    }
    for event in &decoded.events {
        assert!(event.to_string().starts_with(event.word()));
    }
});
