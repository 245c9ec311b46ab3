//! The writing end of one lane of the inbox: numbers, chain, the present segment, and what waits.
//!
//! S-8: a record is durable once the sync that covers it succeeded. A write or sync that failed is taken
//! as lost: the segment is given up where it was last known to be good, and its records are written
//! again, the same bytes, into the next one.
//!
//! S-3: what waits for the next write was sealed with one key agreement, and until then its key is here. It is wiped
//! before anything of that is written, whether or not the write succeeds.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::crypto::batch::{self, Sealer};
use crate::crypto::{Key, PublicKey, hash, mac, wipe_stack};
use crate::disk::durable;
use crate::disk::state_file::Unread;
use crate::inbox::chain::{Chain, next_key};
use crate::inbox::ends::End;
use crate::inbox::seen::SeenLane;
use crate::inbox::segment::{
    self, BATCH_INFO, Front, Header, Lane, Piece, RECORD_LEN_MAX, Record, SEGMENT_LEN_MAX, Sealing,
    TAG_LEN, framed, is_blank, open_segment, pieces,
};
use crate::keys::ring::Keyring;
use crate::machine::device_secret::DeviceKeys;
use crate::record::entry::Entry;
use wardkeep_model::access::lockout::BootId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::moment::Moment;

/// A segment is closed after this many records, so that its import is one short transaction.
const SEGMENT_RECORDS_MAX: u32 = 256;
/// Steps along a chain behind records that are gone: a second's work. Beyond that a chain is begun anew.
const SKIPPED_MAX: u64 = 1 << 20;

/// When and where a record was made, for its clear part.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Both clocks.
    pub at: Moment,
    /// Which start of the machine it was.
    pub boot: BootId,
    /// Token of the bed.
    pub bed: [u8; 16],
}

/// What the inbox's state keeps of a lane.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LaneState {
    /// The chain, with the key of the next record.
    pub chain: Chain,
    /// Number of the next record.
    pub next_seq: u64,
    /// Hash of the record before.
    pub prev: [u8; 32],
    /// Number of the segment that is written, or of the next.
    pub segment: u64,
}

struct OpenSegment {
    file: File,
    path: PathBuf,
    /// Bytes that are durable.
    len: u64,
    records: u32,
}

/// The writing end.
pub struct LaneWriter {
    lane: Lane,
    /// Where the chain is with what waits, and where it durably is.
    end: LaneState,
    durable: LaneState,
    segment: Option<OpenSegment>,
    /// Sealed records that are not durable yet.
    pending: VecDeque<Vec<u8>>,
    /// Sealed those of them that were not tried to be written yet.
    sealer: Option<Sealer>,
    after_fault: bool,
}

impl LaneWriter {
    /// Finds the end of the chain after a start of the program: from where the state says that it was, and where it
    /// was seen last, which is what was acknowledged.
    pub fn resume(
        lane: Lane,
        dir: &Path,
        (keys, ring): (&DeviceKeys, &Keyring),
        (state, seen): (LaneState, Option<SeenLane>),
    ) -> Result<Self, StoreFault> {
        let (durable, pending) = (state.clone(), VecDeque::new());
        let (segment, sealer, after_fault) = (None, None, false);
        let mut writer = Self { lane, end: state, durable, segment, pending, sealer, after_fault };
        let first = writer.end.segment;
        let told = seen.filter(|seen| seen.chain == writer.end.chain.id);
        let acknowledged = told.map_or(0, |told| told.next_seq).max(writer.end.next_seq);
        let mut segments = lane.segments(dir)?;
        segments.retain(|(number, _)| *number >= first);
        let last = segments.last().map(|(number, _)| *number);
        let mut trail = Vec::new();
        for (number, path) in segments {
            let is_last = Some(number) == last;
            writer.walk(&keys.inbox(), &path, (acknowledged, is_last), &mut trail)?;
        }
        if let Some(seen) = seen {
            writer.skip_to(&seen, ring)?;
        }
        writer.durable = writer.end.clone();
        Ok(writer)
    }

    /// Goes on behind acknowledged records that are gone: their numbers are not given out again.
    fn skip_to(&mut self, seen: &SeenLane, ring: &Keyring) -> Result<(), StoreFault> {
        let Some(steps @ 1..) = seen.next_seq.checked_sub(self.end.next_seq) else { return Ok(()) };
        if seen.chain == self.end.chain.id && steps <= SKIPPED_MAX {
            self.end.chain.key = self.end.chain.ahead(steps);
            (self.end.next_seq, self.end.prev) = (seen.next_seq, seen.prev);
            return Ok(());
        }
        // The state is of an earlier lock, and the keys that it has are of an earlier chain.
        let chain = Chain::orphan(&ring.inbox, seen.next_seq)?;
        self.start_chain(chain);
        self.end.prev = [0; 32];
        Ok(())
    }

    /// Follows the chain through a segment that was written after the state. What is before the number
    /// `acknowledged` was acknowledged: what is wrong there stays, and the import reports it. Behind
    /// that the end of the last segment may be torn and is cut.
    fn walk(
        &mut self,
        key: &Key,
        path: &Path,
        (acknowledged, is_last): (u64, bool),
        trail: &mut Vec<LaneState>,
    ) -> Result<(), StoreFault> {
        let bytes = match durable::read(path, SEGMENT_LEN_MAX) {
            Ok(bytes) => bytes.unwrap_or_default(),
            // Longer than any segment of ours: the import reports it.
            Err(StoreFault::Damaged) => return Ok(()),
            Err(fault) => return Err(fault),
        };
        let (header, body) = match open_segment(key, &bytes) {
            Ok(opened) => opened,
            Err(Unread::Later(_)) => return Err(StoreFault::Later),
            Err(Unread::Missing | Unread::Damaged | Unread::Disk(_)) => {
                if is_last && is_blank(&bytes) {
                    // The header itself is torn, so nothing in this segment was ever acknowledged.
                    durable::remove(path)?;
                }
                return Ok(());
            }
        };
        self.end.segment = self.end.segment.max(header.segment.saturating_add(1));
        if header.chain != self.end.chain.id {
            return Ok(());
        }
        self.rewind(&header, trail);
        let front = bytes.len() - body.len();
        let mut good = front;
        let mut torn: Option<(usize, LaneState)> = None;
        let mut expected = header.first_seq;
        for (piece, end) in pieces(body, header.first_seq) {
            let before = self.end.clone();
            match piece {
                Piece::Record(record) if self.follow(&record, expected < acknowledged) => {
                    expected = record.front.seq.saturating_add(1);
                    if record.begins_batch {
                        torn = None;
                    }
                    trail.push(before);
                }
                Piece::Record(_) | Piece::Junk(_) => {
                    // Where an acknowledged record should be, it is one that was acknowledged.
                    if is_last && expected >= acknowledged {
                        torn.get_or_insert((good, before));
                    }
                }
            }
            good = front + end;
        }
        if let Some((end, state)) = torn {
            self.end = LaneState { segment: self.end.segment, ..state };
            good = end;
        }
        if is_last && good < bytes.len() {
            durable::cut(path, good as u64)?;
        }
        Ok(())
    }

    /// After a failed write the records of the segment before are written again: what the chain's keys
    /// were then is on its trail.
    fn rewind(&mut self, header: &Header, trail: &mut Vec<LaneState>) {
        let at = trail.iter().rposition(|state| state.next_seq == header.first_seq);
        if let Some(state) = at.and_then(|at| trail.get(at)).filter(|_| header.after_fault) {
            self.end = LaneState { segment: self.end.segment, ..state.clone() };
        }
        trail.clear();
    }

    /// Whether this is a record of the chain; the end moves behind it. An acknowledged one was,
    /// whatever became of it.
    fn follow(&mut self, record: &Record<'_>, is_acknowledged: bool) -> bool {
        let Some(steps) = record.front.seq.checked_sub(self.end.next_seq) else {
            return is_acknowledged;
        };
        if steps > u64::from(SEGMENT_RECORDS_MAX) {
            return false;
        }
        let key = self.end.chain.ahead(steps);
        let fits = record.is_tagged(&key);
        if fits {
            self.end.chain.key = next_key(&key);
            self.end.next_seq = record.front.seq + 1;
            self.end.prev = hash(&[record.body]);
        }
        fits
    }

    /// Seals an entry; it is durable after [`LaneWriter::write_some`].
    ///
    /// # Errors
    /// `Full` if it is longer than a record may be.
    pub fn push(
        &mut self,
        entry: &Entry,
        (device, public): (&[u8; 16], &PublicKey),
        stamp: &Stamp,
    ) -> Result<(), StoreFault> {
        let plain = entry.encode()?;
        let Stamp { at, boot, bed } = *stamp;
        let (seq, prev) = (self.end.next_seq, self.end.prev);
        let front = Front { bed, seq, boot, since_boot: at.boot, wall: at.wall, prev }.encode();
        if front.len() + TAG_LEN + plain.len() + batch::ADDED_LEN > RECORD_LEN_MAX {
            return Err(StoreFault::Full);
        }
        let mut sealer = match self.sealer.take().filter(|sealer| sealer.is_to(public)) {
            Some(sealer) => sealer,
            None => Sealer::to(public, BATCH_INFO)?,
        };
        let sealed = sealer.seal(seq, &[device, &front[..]].concat(), &plain)?;
        self.sealer = Some(sealer);
        let tag = mac(&self.end.chain.key, &[&front, &sealed]);
        let body = [&front[..], &tag, &sealed].concat();
        self.end.chain.key = next_key(&self.end.chain.key);
        self.end.prev = hash(&[&body]);
        self.end.next_seq += 1;
        self.pending.push_back(framed(&body));
        Ok(())
    }

    /// Wipes the key that what waits was sealed with.
    pub(super) fn end_batch(&mut self) {
        if self.sealer.take().is_some() {
            // Ciphers work on copies of it.
            wipe_stack();
        }
    }

    #[cfg(test)]
    pub(super) fn holds_batch_key(&self) -> bool {
        self.sealer.is_some()
    }

    /// How many records wait to be written.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How many of those that wait fit into the present segment.
    fn fitting(&self) -> usize {
        let Some(segment) = &self.segment else { return 0 };
        let room = usize::try_from(SEGMENT_RECORDS_MAX - segment.records).unwrap_or(0);
        let mut end = segment.len;
        let fits = |record: &&Vec<u8>| {
            end += record.len() as u64;
            end <= self.lane.segment_len()
        };
        self.pending.iter().take(room).take_while(fits).count()
    }

    /// Whether what waits needs another segment.
    pub(super) fn needs_segment(&self) -> bool {
        !self.pending.is_empty() && self.fitting() == 0
    }

    /// Writes and syncs as much of what waits as fits into the present segment.
    ///
    /// # Errors
    /// As writing a file; what was not written still waits, and the segment is given up.
    pub(super) fn write_some(&mut self) -> Result<(), StoreFault> {
        let count = self.fitting();
        let Some(segment) = &mut self.segment else { return Ok(()) };
        let mut batch: Vec<u8> = self.pending.iter().take(count).flatten().copied().collect();
        segment::begin_batch(&mut batch);
        let written = durable::write_at(&segment.file, &batch, segment.len)
            .and_then(|()| durable::sync_data(&segment.file));
        if let Err(fault) = written {
            // Never write on after a failed write or sync: what is on disk is not known.
            self.abandon();
            return Err(fault);
        }
        segment.len += batch.len() as u64;
        segment.records += u32::try_from(count).unwrap_or(u32::MAX);
        let last = self.pending.drain(..count).next_back();
        self.advance(count, last.as_deref().and_then(Record::parse));
        Ok(())
    }

    fn advance(&mut self, count: usize, last: Option<Record<'_>>) {
        let segment = self.durable.segment;
        if self.pending.is_empty() {
            self.durable = LaneState { segment, ..self.end.clone() };
            return;
        }
        let steps = count as u64;
        self.durable.chain.key = self.durable.chain.ahead(steps);
        self.durable.next_seq += steps;
        if let Some(last) = last {
            self.durable.prev = hash(&[last.body]);
        }
    }

    /// Begins a segment, with room for all of it; gives the bytes it takes.
    ///
    /// # Errors
    /// As writing a file; `Full` leaves nothing behind.
    pub(super) fn begin_segment(
        &mut self,
        dir: &Path,
        (key, device): (&Key, &[u8; 16]),
        now: Moment,
    ) -> Result<u64, StoreFault> {
        let mut number = self.end.segment;
        let mut path = dir.join(self.lane.file_name(number));
        while path.try_exists()? {
            // Put there by somebody else; the import reports it.
            number += 1;
            path = dir.join(self.lane.file_name(number));
        }
        let header = Header {
            sealing: Sealing::Batch,
            lane: self.lane,
            after_fault: self.after_fault,
            device: *device,
            segment: number,
            chain: self.durable.chain.id,
            chain_first_seq: self.durable.chain.first_seq,
            first_seq: self.durable.next_seq,
            since: now.wall,
            orphan: self.durable.chain.orphan.clone(),
        };
        let front = header.encode(key);
        let file = durable::create_new(&path)?;
        let made = durable::allocate(&file, self.lane.segment_len())
            .and_then(|()| durable::write_at(&file, &front, 0))
            .and_then(|()| Ok(file.sync_all()?))
            .and_then(|()| durable::sync_dir(dir));
        if let Err(fault) = made {
            // Nothing in it was acknowledged. If it cannot be removed either, the next start does it.
            if let Err(fault) = durable::remove(&path) {
                tracing::warn!(%fault, "a segment that could not be made could not be removed");
            }
            return Err(fault);
        }
        self.end.segment = number + 1;
        self.durable.segment = number;
        self.after_fault = false;
        let len = front.len() as u64;
        self.segment = Some(OpenSegment { file, path, len, records: 0 });
        Ok(self.lane.segment_len())
    }

    /// Ends the present segment and gives back the room that it did not use, in bytes.
    pub(super) fn end_segment(&mut self) -> u64 {
        let Some(segment) = self.segment.take() else { return 0 };
        self.durable.segment = self.end.segment;
        match segment.file.set_len(segment.len) {
            Ok(()) => self.lane.segment_len().saturating_sub(segment.len),
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "an inbox segment could not be shortened");
                0
            }
        }
    }

    fn abandon(&mut self) {
        let Some(segment) = self.segment.take() else { return };
        self.durable.segment = self.end.segment;
        self.after_fault = true;
        // One in which nothing is durable is of no use: a disk that goes on failing must not be filled with them.
        let given_up = match segment.records {
            0 => durable::remove(&segment.path),
            _ => durable::cut(&segment.path, segment.len),
        };
        if let Err(fault) = given_up {
            // Records that did reach the disk come again; the next header says why.
            tracing::warn!(%fault, "inbox segment could not be cut");
        }
    }

    /// What the inbox's state keeps: where the lane durably is.
    pub fn state(&self) -> LaneState {
        self.durable.clone()
    }

    /// Where the lane durably ends.
    pub fn end(&self) -> End {
        let LaneState { chain, next_seq, .. } = &self.durable;
        End { seq: *next_seq, restarted_at: chain.orphan.as_ref().map(|_| chain.first_seq) }
    }

    /// Where the lane durably is, for others to remember.
    pub fn seen(&self) -> SeenLane {
        let LaneState { chain, next_seq, prev, .. } = &self.durable;
        SeenLane { chain: chain.id, next_seq: *next_seq, prev: *prev }
    }

    /// The number after the last durable record.
    pub(super) fn durable_seq(&self) -> u64 {
        self.durable.next_seq
    }

    /// Number of the segment that is written, or of the next.
    pub fn segment(&self) -> u64 {
        self.durable.segment
    }

    /// Goes on with another chain. Nothing may be waiting.
    pub fn start_chain(&mut self, chain: Chain) {
        let next_seq = chain.first_seq;
        self.end = LaneState { chain, next_seq, ..self.end.clone() };
        self.durable = self.end.clone();
    }
}
