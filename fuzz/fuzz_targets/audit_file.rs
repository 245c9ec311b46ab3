//! Any bytes as an audit log and as a witness's checkpoint: judged, never believed, never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wardkeep_store::log::file::{VerifierKey, verify};

/// The example key of Go's signed notes: nobody signs a log with it.
const STRANGER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

fuzz_target!(|bytes: &[u8]| {
    let trusted: Vec<VerifierKey> = STRANGER.parse().into_iter().collect();
    assert_eq!(trusted.len(), 1);
    let (witness, log) = bytes.split_at(bytes.len().min(bytes.len() / 8));
    assert!(verify(log, &trusted, &[witness.to_vec()]).is_err());
});
