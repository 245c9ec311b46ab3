//! Arbitrary bytes as a backup: whatever they are, they are refused or described, never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wardkeep_model::confidential::Secret;
use wardkeep_store::{read_backup_front, verify_backup_with_recovery};

/// 32 zero bytes as words: a recovery key that a fuzzer's files may be sealed to.
const WORDS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
                     abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
                     abandon abandon abandon art";

fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = read_backup_front(bytes) {
        assert!(header.recipients().count() <= bytes.len());
    }
    assert!(verify_backup_with_recovery(bytes, &Secret::new(WORDS.to_owned())).is_err());
});
