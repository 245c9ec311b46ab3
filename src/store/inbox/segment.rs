//! Format of the inbox, version 3: length-prefixed records in append-only, preallocated segments.
//!
//! ```text
//!  segment = front 224 | HMAC(HKDF(DS, "inbox"), front) 32 | record* | zeros
//!  front   = "wardkeep inb" | version u32 | lane u8 | flags u8 | device 16 | number u64 | chain 16
//!          | chain's first seq u64 | first seq u64 | wall time i64 | orphan's length u8, orphan | 0*
//!  record  = batch bit, length u31 | bed 16 | seq u64 | boot 16 | monotonic u64 | wall i64 | prev 32
//!          | tag 32 | sealed to PK_inbox: entry
//!            sealed by batch ([`crate::crypto::batch`]) under the number seq,
//!            with aad  device | bed | seq | boot | monotonic | wall | prev
//!            tag  = HMAC(c_i, bed | ... | prev | sealed)  c_i+1 = HKDF(c_i), c_i wiped
//!            prev = SHA-256 of the record before          i = seq - first seq of the chain
//! ```
//!
//! Values with audit entries and waveforms lie in two lanes, each with its own numbers, chain and
//! segments, so that waveforms can be given up without leaving a gap among values. Times are in
//! microseconds, integers big-endian. A record's clear part says when and at which bed it was made,
//! the bed as a token that only this machine can compute: enough to say of what time records are
//! missing without opening one.
//!
//! What is written and synced at once is a batch; the bit says that one begins. So a start after a power
//! cut can tell the last batch, which nobody was told of, from damage to an earlier one.
//!
//! What waits for one write is sealed with one key agreement, most often the three values of a second, because
//! whoever opens the vault opens all of a night. Each record opens by itself all the same. In version 2, of programs
//! before 0.2, each was sealed by itself; its segments are read.
//!
//! Everything read here may have been written by somebody with the disk: each function is total.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::crypto::{Key, batch, mac, mac_fits};
use crate::disk::layout;
use crate::disk::state_file::Unread;
use crate::record::entry::Entry;
use wardkeep_model::access::lockout::BootId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::moment::BootTime;

/// Longest segment that is read.
pub const SEGMENT_LEN_MAX: u64 = 1024 * 1024;
/// Longest record: a minute of a waveform at 500 Hz.
pub(super) const RECORD_LEN_MAX: usize = 64 * 1024;
/// HPKE `info` of a chain's first key, and of each record in version 2.
pub const INFO: &[u8] = b"wardkeep inbox v2";
/// HPKE `info` of a batch of records.
pub const BATCH_INFO: &[u8] = b"wardkeep inbox v3";
/// Bytes of a segment before its first record.
pub const HEADER_LEN: usize = 256;

const MAGIC: &[u8; 12] = b"wardkeep inb";
const HEADER_TAG_LEN: usize = 32;
/// A chain's first key, sealed.
const ORPHAN_LEN: usize = 80;
const AFTER_FAULT: u8 = 1;
const FRONT_LEN: usize = 88;
/// Bytes of a record's tag.
pub(super) const TAG_LEN: usize = 32;
/// Encapsulated key and the cipher's tag, in both versions.
const SEALED_LEN_MIN: usize = batch::ADDED_LEN;
/// Set in the length of a batch's first record. Nothing authenticates it: it only matters behind the last
/// acknowledged record, where whoever has the disk can cut anyway.
const BATCH: u32 = 1 << 31;
/// Numbers of a segment's records are this near to its first.
const NEAR: u64 = 1 << 20;

/// What is numbered, chained and kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lane {
    /// Observations, audit entries and the alarm log.
    Values,
    /// Waveforms: given up first where there is no room.
    Waves,
}

impl Lane {
    /// Both, what must not be lost first.
    pub const ALL: [Lane; 2] = [Lane::Values, Lane::Waves];

    /// The lane of an entry.
    pub fn of(entry: &Entry) -> Self {
        match entry {
            Entry::Observation(_) | Entry::Audit(_) | Entry::Alarm(_) | Entry::Spot(_) => {
                Lane::Values
            }
            Entry::Wave(_) => Lane::Waves,
        }
    }

    /// How long a segment is made before anything is written into it.
    pub(super) fn segment_len(self) -> u64 {
        match self {
            Lane::Values => 128 * 1024,
            Lane::Waves => 512 * 1024,
        }
    }

    /// Ending of the names of this lane's files.
    pub fn suffix(self) -> &'static str {
        match self {
            Lane::Values => layout::VALUES,
            Lane::Waves => layout::WAVES,
        }
    }

    fn byte(self) -> u8 {
        match self {
            Lane::Values => 1,
            Lane::Waves => 2,
        }
    }

    /// Name of a segment's file.
    pub fn file_name(self, number: u64) -> String {
        layout::segment(self.suffix(), number)
    }

    /// Segments of this lane in order of their names' numbers.
    pub fn segments(self, dir: &Path) -> Result<Vec<(u64, PathBuf)>, StoreFault> {
        let mut found = Vec::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if let Some(number) = layout::segment_number(self.suffix(), &path) {
                found.push((number, path));
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Bytes in the inbox.
pub fn size(dir: &Path) -> Result<u64, StoreFault> {
    let mut bytes = 0;
    for lane in Lane::ALL {
        for (_, path) in lane.segments(dir)? {
            bytes += fs::metadata(path)?.len();
        }
    }
    Ok(bytes)
}

/// How the records of a segment are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealing {
    /// Each by itself: version 2.
    Alone,
    /// Those that were written together, with one key agreement: version 3.
    Batch,
}

impl Sealing {
    const ALL: [Sealing; 2] = [Sealing::Alone, Sealing::Batch];

    fn version(self) -> u32 {
        match self {
            Sealing::Alone => 2,
            Sealing::Batch => 3,
        }
    }
}

/// Front of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// How its records are sealed.
    pub sealing: Sealing,
    /// Which lane it belongs to.
    pub lane: Lane,
    /// The segment before was given up after a failed write: records of it may come again here.
    pub after_fault: bool,
    /// Identity of the store.
    pub device: [u8; 16],
    /// Number of the segment.
    pub segment: u64,
    /// Which chain the records belong to.
    pub chain: [u8; 16],
    /// Number of the chain's first record.
    pub chain_first_seq: u64,
    /// Number of this segment's first record.
    pub first_seq: u64,
    /// When the segment was made.
    pub since: Timestamp,
    /// `c_0` sealed to `PK_inbox`, if the chain began without the vault.
    pub orphan: Option<Vec<u8>>,
}

impl Header {
    /// The header as it lies in front of a segment.
    pub fn encode(&self, key: &Key) -> Vec<u8> {
        let orphan = self.orphan.as_deref().unwrap_or_default();
        let mut front = Vec::with_capacity(HEADER_LEN);
        front.extend(MAGIC);
        front.extend(self.sealing.version().to_be_bytes());
        front.extend([self.lane.byte(), u8::from(self.after_fault) * AFTER_FAULT]);
        front.extend(self.device);
        front.extend(self.segment.to_be_bytes());
        front.extend(self.chain);
        front.extend(self.chain_first_seq.to_be_bytes());
        front.extend(self.first_seq.to_be_bytes());
        front.extend(self.since.as_microsecond().to_be_bytes());
        front.push(u8::from(self.orphan.is_some()));
        front.extend(orphan.iter().take(ORPHAN_LEN));
        front.resize(HEADER_LEN - HEADER_TAG_LEN, 0);
        let tag = mac(key, &[&front]);
        front.extend(tag);
        front
    }

    fn parse(front: &[u8], sealing: Sealing) -> Option<Self> {
        let (_, mut rest) = front.split_at_checked(MAGIC.len() + 4)?;
        let [lane, flags] = take(&mut rest)?;
        let lane = Lane::ALL.into_iter().find(|one| one.byte() == lane)?;
        let device = take(&mut rest)?;
        let segment = u64::from_be_bytes(take(&mut rest)?);
        let chain = take(&mut rest)?;
        let chain_first_seq = u64::from_be_bytes(take(&mut rest)?);
        let first_seq = u64::from_be_bytes(take(&mut rest)?);
        let since = Timestamp::from_microsecond(i64::from_be_bytes(take(&mut rest)?)).ok()?;
        let [is_orphan] = take(&mut rest)?;
        let orphan = take::<ORPHAN_LEN>(&mut rest)?.to_vec();
        let orphan = (is_orphan == 1).then_some(orphan);
        let after_fault = flags == AFTER_FAULT;
        Some(Self {
            sealing,
            lane,
            after_fault,
            device,
            segment,
            chain,
            chain_first_seq,
            first_seq,
            since,
            orphan,
        })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (piece, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*piece)
}

/// Splits a segment into header and records.
///
/// # Errors
/// `Later` if it is ours and a later program wrote it, `Damaged` if the header is not ours.
pub fn open_segment<'a>(key: &Key, bytes: &'a [u8]) -> Result<(Header, &'a [u8]), Unread> {
    let parts = bytes.split_at_checked(HEADER_LEN).and_then(|(front, records)| {
        let (front, tag) = front.split_at_checked(HEADER_LEN - HEADER_TAG_LEN)?;
        mac_fits(key, &[front], tag).then_some((front, records))
    });
    let (front, records) = parts.ok_or(Unread::Damaged)?;
    let version = version(front).ok_or(Unread::Damaged)?;
    if version > Sealing::Batch.version() {
        return Err(Unread::Later(u8::try_from(version).unwrap_or(u8::MAX)));
    }
    let sealing = Sealing::ALL.into_iter().find(|known| known.version() == version);
    let header = sealing.and_then(|sealing| Header::parse(front, sealing));
    header.map(|header| (header, records)).ok_or(Unread::Damaged)
}

fn version(front: &[u8]) -> Option<u32> {
    let mut rest = front.strip_prefix(MAGIC)?;
    take(&mut rest).map(u32::from_be_bytes)
}

/// Whether nothing was ever written behind the header's place.
pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().skip(HEADER_LEN).all(|byte| *byte == 0)
}

/// The clear part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Front {
    /// Token of the cart's bed.
    pub bed: [u8; 16],
    /// Its number.
    pub seq: u64,
    /// Which start of the machine `since_boot` counts from.
    pub boot: BootId,
    /// When, on the clock that nobody can set.
    pub since_boot: BootTime,
    /// When, on the wall clock.
    pub wall: Timestamp,
    /// Hash of the record before.
    pub prev: [u8; 32],
}

impl Front {
    /// The clear part as it lies in the record.
    pub fn encode(&self) -> Vec<u8> {
        let mono = u64::try_from(self.since_boot.0.as_micros()).unwrap_or(u64::MAX);
        let mut bytes = Vec::with_capacity(FRONT_LEN);
        bytes.extend(self.bed);
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.boot.0.to_be_bytes());
        bytes.extend(mono.to_be_bytes());
        bytes.extend(self.wall.as_microsecond().to_be_bytes());
        bytes.extend(self.prev);
        bytes
    }

    fn parse(mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        let bed = take(bytes)?;
        let seq = u64::from_be_bytes(take(bytes)?);
        let boot = BootId(u128::from_be_bytes(take(bytes)?));
        let mono = u64::from_be_bytes(take(bytes)?);
        let since_boot = BootTime(std::time::Duration::from_micros(mono));
        let wall = Timestamp::from_microsecond(i64::from_be_bytes(take(bytes)?)).ok()?;
        Some(Self { bed, seq, boot, since_boot, wall, prev: take(bytes)? })
    }
}

/// One record as it lies in a segment.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its clear part.
    pub front: Front,
    /// Whether it was the first that was written at its time.
    pub(super) begins_batch: bool,
    clear: &'a [u8],
    tag: &'a [u8],
    /// The entry, sealed as the segment's header says.
    pub sealed: &'a [u8],
    /// All of the above as it lies in the file.
    pub body: &'a [u8],
}

impl<'a> Record<'a> {
    /// Splits the record that these bytes begin with; `None` if they begin with none.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (body, _) = frame(bytes, RECORD_LEN_MAX)?;
        let begins_batch = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
        let (clear, rest) = body.split_at_checked(FRONT_LEN)?;
        let (tag, sealed) = rest.split_at_checked(TAG_LEN)?;
        if sealed.len() < SEALED_LEN_MIN {
            return None;
        }
        Some(Self { front: Front::parse(clear)?, begins_batch, clear, tag, sealed, body })
    }

    /// Whether the record was written with this key of its chain.
    pub fn is_tagged(&self, key: &Key) -> bool {
        mac_fits(key, &[self.clear, self.sealed], self.tag)
    }

    /// Associated data of the sealed entry.
    pub fn context(&self, device: &[u8; 16]) -> Vec<u8> {
        [device, self.clear].concat()
    }
}

/// A stretch of a segment.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// It has the form of a record.
    Record(Record<'a>),
    /// It has not; the number that stands where a record's would.
    Junk(Option<u64>),
}

/// The pieces of a segment's records, each with the offset of its end.
///
/// A piece that is not a record does not hide those after it: the next place that has a record's
/// form with a number near the segment's first goes on. Zeros up to the end are the room that was
/// not used.
pub fn pieces(bytes: &[u8], first_seq: u64) -> Vec<(Piece<'_>, usize)> {
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let record_at = |offset: usize| {
        let record = Record::parse(bytes.get(offset..)?)?;
        let end = offset + 4 + record.body.len();
        (record.front.seq.abs_diff(first_seq) <= NEAR).then_some((record, end))
    };
    let goes_on = |end: usize| end >= used || record_at(end).is_some();
    let mut found = Vec::new();
    let mut at = 0;
    while at < used {
        let here = record_at(at);
        if let Some((record, end)) = here
            && goes_on(end)
        {
            found.push((Piece::Record(record), end));
            at = end;
            continue;
        }
        let begins = |offset: &usize| record_at(*offset).is_some_and(|(_, end)| goes_on(end));
        let next = (at + 1..used).find(begins).unwrap_or(used);
        match here {
            Some((record, end)) if end <= next => {
                found.push((Piece::Record(record), end));
                at = end;
            }
            Some(_) | None => {
                let number = bytes.get(at + 4..).and_then(Front::parse).map(|front| front.seq);
                found.push((Piece::Junk(number), next));
                at = next;
            }
        }
    }
    found
}

/// Splits a length-prefixed piece off; `None` if it is not whole.
pub fn frame(bytes: &[u8], max: usize) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_be_bytes(*len) & !BATCH).ok()?;
    if len == 0 || len > max { None } else { rest.split_at_checked(len) }
}

/// Marks a framed record as the first of a batch.
pub(super) fn begin_batch(framed: &mut [u8]) {
    if let Some(byte) = framed.first_mut() {
        *byte |= 0x80;
    }
}

/// Puts the length in front of a piece.
pub fn framed(piece: &[u8]) -> Vec<u8> {
    let len = u32::try_from(piece.len()).expect("pieces are far shorter than 4 GiB");
    [&len.to_be_bytes()[..], piece].concat()
}
