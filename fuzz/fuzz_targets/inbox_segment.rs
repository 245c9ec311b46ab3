//! Any bytes as a segment of the sealed inbox.
//!
//! They are read as a whole file, and as what lies behind an authentic header. Nothing panics, and
//! without the chain's keys no record is authentic. Run with
//! `cargo +stable fuzz run inbox_segment fuzz/corpus/inbox_segment` and `RUSTC_BOOTSTRAP=1`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardkeep_store::authentic_records;

fuzz_target!(|input: &[u8]| {
    for headed in [false, true] {
        assert_eq!(authentic_records(input, headed), 0, "a record that nobody sealed");
    }
});
