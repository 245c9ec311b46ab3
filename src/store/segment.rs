//! Format of the inbox: length-prefixed records in append-only segments.
//!
//! ```text
//!  segment  = length u32 | header (JSON) | HMAC(HKDF(DS, "inbox"), header) | record*
//!  record   = length u32 | seq u64 | prev 32 | tag 32 | HPKE(PK_inbox, entry)
//!             sealed with aad  device id | run | chain id | seq | prev
//!             tag  = HMAC(c_i, seq | prev | sealed)      c_i+1 = HKDF(c_i), c_i wiped
//!             prev = SHA-256 of the record before        i = seq - first seq of the chain
//! ```
//!
//! Everything read here may have been written by somebody with the disk: each function is total.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::device_secret::DeviceKeys;
use super::primitives::{Key, derive, mac_fits};
use super::{AuditEntry, StoreFault};
use crate::vitals::Observation;
use crate::vitals::wave::WaveSegment;

const SUFFIX: &str = "seg";
/// Longest segment that is read.
pub const SEGMENT_LEN_MAX: u64 = 8 * 1024 * 1024;
/// Longest header or record.
pub const RECORD_LEN_MAX: usize = 16 * 1024;
/// HPKE `info` of everything that is sealed to the inbox.
pub const INFO: &[u8] = b"wardkeep inbox v1";

/// What is kept, in the vault or in the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A measured value.
    Observation(Box<Observation>),
    /// A stretch of a waveform.
    Wave(Box<WaveSegment>),
    /// An audit entry.
    Audit(Box<AuditEntry>),
}

/// Front of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Identity of the store.
    pub device: [u8; 16],
    /// Random per start of the program.
    pub run: u64,
    /// Number of the segment.
    pub segment: u64,
    /// Which chain the records belong to.
    pub chain: [u8; 16],
    /// Number of the chain's first record.
    pub chain_first_seq: u64,
    /// Number of this segment's first record.
    pub first_seq: u64,
    /// `c_0` sealed to `PK_inbox`, if the chain began without the vault.
    pub orphan: Option<Vec<u8>>,
}

/// One record as it lies in a segment.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its number.
    pub seq: u64,
    /// Hash of the record before.
    pub prev: [u8; 32],
    /// Authenticates number, hash and content under the chain's key.
    pub tag: [u8; 32],
    /// The entry, sealed to `PK_inbox`.
    pub sealed: &'a [u8],
    /// All of the above as it lies in the file.
    pub body: &'a [u8],
}

impl<'a> Record<'a> {
    /// Splits a record; `None` if it is too short.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let (seq, rest) = body.split_first_chunk()?;
        let (prev, rest) = rest.split_first_chunk()?;
        let (tag, sealed) = rest.split_first_chunk()?;
        Some(Self { seq: u64::from_be_bytes(*seq), prev: *prev, tag: *tag, sealed, body })
    }

    /// Whether the record was written with this key of its chain.
    pub fn is_tagged(&self, key: &Key) -> bool {
        mac_fits(key, &[&self.seq.to_be_bytes(), &self.prev, self.sealed], &self.tag)
    }
}

/// Associated data of a sealed record.
pub fn context(header: &Header, seq: u64, prev: &[u8; 32]) -> Vec<u8> {
    let run = header.run.to_be_bytes();
    [&header.device[..], &run, &header.chain, &seq.to_be_bytes(), prev].concat()
}

/// The chain key after `key`.
pub fn next_key(key: &Key) -> Key {
    derive(b"", key.as_slice(), &[b"inbox chain step"])
}

/// Splits a length-prefixed piece off; `None` if it is not whole.
pub fn frame(bytes: &[u8], max: usize) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
    if len == 0 || len > max { None } else { rest.split_at_checked(len) }
}

/// Splits a segment into header and records; `None` if the header is not ours.
pub fn open_segment<'a>(keys: &DeviceKeys, bytes: &'a [u8]) -> Option<(Header, &'a [u8])> {
    let (header, rest) = frame(bytes, RECORD_LEN_MAX)?;
    let (tag, records) = rest.split_at_checked(32)?;
    if !mac_fits(&keys.inbox(), &[header], tag) {
        return None;
    }
    Some((serde_json::from_slice(header).ok()?, records))
}

/// The whole records of a segment, and how many bytes they take.
pub fn records(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some((body, after)) = frame(rest, RECORD_LEN_MAX) {
        found.push(body);
        rest = after;
    }
    (found, bytes.len() - rest.len())
}

/// Puts the length in front of a piece.
pub fn framed(piece: &[u8]) -> Vec<u8> {
    let len = u32::try_from(piece.len()).expect("pieces are far shorter than 4 GiB");
    [&len.to_be_bytes()[..], piece].concat()
}

/// Name of a segment's file.
pub fn file_name(number: u64) -> String {
    format!("{number:016x}.{SUFFIX}")
}

/// Segments in order of their numbers.
pub fn segments(dir: &Path) -> Result<Vec<(u64, PathBuf)>, StoreFault> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .filter(|_| path.extension().is_some_and(|suffix| suffix == SUFFIX))
            .and_then(|stem| u64::from_str_radix(stem, 16).ok());
        if let Some(number) = number {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Bytes in the inbox.
pub fn size(dir: &Path) -> Result<u64, StoreFault> {
    let mut bytes = 0;
    for (_, path) in segments(dir)? {
        bytes += fs::metadata(path)?.len();
    }
    Ok(bytes)
}
