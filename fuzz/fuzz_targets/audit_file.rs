//! Any bytes as an audit log and as a witness's checkpoint: judged, never believed, never a panic.

#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use wardkeep_store::log::file::{VerifierKey, verify, verify_from};

/// The example key of Go's signed notes: nobody signs a log with it.
const STRANGER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

fuzz_target!(|bytes: &[u8]| {
    let trusted: Vec<VerifierKey> = STRANGER.parse().into_iter().collect();
    assert_eq!(trusted.len(), 1);
    let (witness, log) = bytes.split_at(bytes.len().min(bytes.len() / 8));
    let witnesses = [witness.to_vec()];
    let whole = verify(log, &trusted, &witnesses);
    assert!(whole.is_err());
    let pieces = verify_from(|| Ok(BufReader::with_capacity(7, log)), &trusted, &witnesses);
    assert!(pieces.is_ok_and(|pieces| pieces == whole));
});
