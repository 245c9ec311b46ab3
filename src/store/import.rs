//! Moves the inbox into the vault once somebody has opened it, one segment at a time.
//!
//! Each segment is one transaction that also moves the vault's cursor, and is deleted after the
//! commit: a kill at any point repeats nothing and loses nothing.
//!
//! S-8: the cursor knows which number comes next. A number that never comes is *missing*; a record
//! that does not authenticate where it lies (altered, made up, repeated, moved) is *forged*. Both are
//! counted, reported and audited. A segment with a forged record is kept beside the inbox as `.bad`.

use std::collections::VecDeque;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::device_secret::DeviceKeys;
use super::keyring::VaultKeys;
use super::primitives::{Key, hash, open_with};
use super::segment::{
    Entry, Header, INFO, Record, SEGMENT_LEN_MAX, context, next_key, open_segment, records,
    segments,
};
use super::vault::{Cursor, Vault};
use super::{Finding, FindingKind, StoreFault, durable};

/// Gaps remembered, in case a record was only moved.
const HOLES_MAX: usize = 256;

/// What an import found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records moved into the vault.
    pub imported: u64,
    /// Records that were sealed and are not there any more.
    pub missing: u64,
    /// Records that do not authenticate where they lie: altered, made up, repeated or moved.
    pub forged: u64,
}

/// One import, from unlock until the inbox is empty.
pub struct ImportRun {
    waiting: VecDeque<(u64, PathBuf)>,
    end_seq: u64,
    ledger: Ledger,
    walk: Option<Walk>,
}

#[derive(Clone)]
struct Ledger {
    cursor: Cursor,
    holes: Vec<Range<u64>>,
    found: Counts,
    restarted: bool,
}

/// What one call of [`ImportRun::step`] left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more.
    More,
    /// The inbox is in the vault.
    Done(Counts),
}

impl ImportRun {
    /// Plans the import of all segments, none of which is written any more; `end_seq` is the number
    /// after the last durable record.
    pub fn plan(dir: &Path, vault: &Vault, end_seq: u64) -> Result<Self, StoreFault> {
        let waiting = VecDeque::from(segments(dir)?);
        let cursor = vault.cursor()?;
        let ledger =
            Ledger { cursor, holes: Vec::new(), found: Counts::default(), restarted: false };
        Ok(Self { waiting, end_seq, ledger, walk: None })
    }

    /// What was found up to now.
    pub fn found(&self) -> Counts {
        self.ledger.found
    }

    /// What has to be reported.
    pub fn findings(&self) -> Vec<Finding> {
        let Counts { imported: _, missing, forged } = self.ledger.found;
        let restarted = u64::from(self.ledger.restarted);
        [
            (FindingKind::RecordsMissing, missing),
            (FindingKind::RecordsForged, forged),
            (FindingKind::BacklogRestarted, restarted),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| Finding::of(kind, count))
        .collect()
    }

    /// Imports the next segment.
    ///
    /// # Errors
    /// As reading the inbox or writing the vault; the same call may be tried again.
    pub fn step(
        &mut self,
        keys: &DeviceKeys,
        vault_keys: &VaultKeys,
        vault: &mut Vault,
    ) -> Result<Step, StoreFault> {
        let Some((number, path)) = self.waiting.front().cloned() else {
            return self.finish(vault);
        };
        let bytes = match durable::read(&path, SEGMENT_LEN_MAX) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                // Taken away since the plan was made; its numbers will be missing.
                self.waiting.pop_front();
                return Ok(Step::More);
            }
            Err(StoreFault::Damaged) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        let mut ledger = self.ledger.clone();
        let [a, b, c, d, e, f, g, h, ..] = hash(&[&bytes]);
        let fingerprint = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        if fingerprint == ledger.cursor.last_segment {
            // Imported before a kill prevented its deletion.
            fs::remove_file(&path)?;
            self.waiting.pop_front();
            return Ok(Step::More);
        }
        let entries = self.read_segment(keys, vault_keys, (number, &bytes), &mut ledger);
        ledger.cursor.last_segment = fingerprint;
        vault.import(&entries, ledger.cursor)?;
        if ledger.found.forged > self.ledger.found.forged {
            fs::rename(&path, path.with_extension("bad"))?;
        } else {
            fs::remove_file(&path)?;
        }
        self.ledger = ledger;
        self.waiting.pop_front();
        Ok(Step::More)
    }

    fn finish(&mut self, vault: &mut Vault) -> Result<Step, StoreFault> {
        let mut ledger = self.ledger.clone();
        ledger.found.missing += self.end_seq.saturating_sub(ledger.cursor.next_seq);
        ledger.cursor.next_seq = ledger.cursor.next_seq.max(self.end_seq);
        vault.import(&[], ledger.cursor)?;
        self.ledger = ledger;
        Ok(Step::Done(self.ledger.found))
    }

    fn read_segment(
        &mut self,
        keys: &DeviceKeys,
        vault_keys: &VaultKeys,
        (number, bytes): (u64, &[u8]),
        ledger: &mut Ledger,
    ) -> Vec<Entry> {
        let opened = open_segment(keys, bytes).filter(|(header, _)| header.segment == number);
        let Some((header, body)) = opened else {
            // Without an authentic header nothing says how many records there were; their numbers
            // will be missing.
            ledger.found.forged += 1;
            return Vec::new();
        };
        if header.orphan.is_some() {
            // Such a chain jumps ahead; how many records were lost before it nobody can know.
            ledger.restarted = true;
            let next = &mut ledger.cursor.next_seq;
            *next = (*next).max(header.chain_first_seq);
        }
        let (secret, _) = vault_keys.inbox();
        let (records, whole) = records(body);
        if whole < body.len() {
            ledger.found.forged += 1;
        }
        let mut entries = Vec::new();
        let mut before: Option<(u64, [u8; 32])> = None;
        for body in records {
            let record = Record::parse(body);
            let seq = record.map_or(ledger.cursor.next_seq, |record| record.seq);
            let follows = |record: &Record<'_>| {
                before.is_none_or(|(seq, hash)| seq + 1 != record.seq || hash == record.prev)
            };
            let entry = record
                .filter(|record| record.seq < self.end_seq && follows(record))
                .filter(|record| {
                    let walk = Walk::of(&mut self.walk, &header, vault_keys, &secret);
                    walk.and_then(|walk| walk.key(record.seq))
                        .is_some_and(|key| record.is_tagged(&key))
                })
                .and_then(|record| open_record(&header, &record, &secret));
            if entry.is_some() {
                before = Some((seq, hash(&[body])));
            }
            entries.extend(ledger.place(seq, entry, self.end_seq));
        }
        entries
    }
}

impl Ledger {
    /// Books one record at its place; gives it back if it has to be imported.
    fn place(&mut self, seq: u64, entry: Option<Entry>, end_seq: u64) -> Option<Entry> {
        let next = &mut self.cursor.next_seq;
        let Some(entry) = entry else {
            self.found.forged += 1;
            // A number that was never given out must stay free for the record that will have it.
            if seq == *next && seq < end_seq {
                *next += 1;
            }
            return None;
        };
        if seq >= *next {
            if seq > *next {
                self.found.missing += seq - *next;
                self.holes.push(*next..seq);
                self.holes.truncate(HOLES_MAX);
            }
            *next = seq + 1;
        } else {
            self.found.forged += 1;
            let hole = self.holes.iter().position(|hole| hole.contains(&seq))?;
            let Range { start, end } = self.holes.swap_remove(hole);
            self.holes
                .extend([start..seq, seq + 1..end].into_iter().filter(|hole| !hole.is_empty()));
            self.found.missing -= 1;
        }
        self.found.imported += 1;
        Some(entry)
    }
}

fn open_record(header: &Header, record: &Record<'_>, secret: &Key) -> Option<Entry> {
    let aad = context(header, record.seq, &record.prev);
    let plain = open_with(secret, INFO, &aad, record.sealed)?;
    serde_json::from_slice(&plain).ok()
}

/// Keys of one chain, found by stepping from its first.
struct Walk {
    chain: [u8; 16],
    first: (u64, Key),
    at: (u64, Key),
}

impl Walk {
    fn of<'a>(
        walk: &'a mut Option<Walk>,
        header: &Header,
        vault_keys: &VaultKeys,
        secret: &Key,
    ) -> Option<&'a mut Walk> {
        if walk.as_ref().is_none_or(|walk| walk.chain != header.chain) {
            let key = match &header.orphan {
                Some(sealed) => Key::from_slice(&open_with(secret, INFO, &header.chain, sealed)?)?,
                None => vault_keys.chain(&header.chain),
            };
            let first = (header.chain_first_seq, key);
            *walk = Some(Walk { chain: header.chain, at: first.clone(), first });
        }
        walk.as_mut()
    }

    fn key(&mut self, seq: u64) -> Option<Key> {
        if seq < self.at.0 {
            self.at = self.first.clone();
        }
        for _ in 0..seq.checked_sub(self.at.0)? {
            self.at = (self.at.0 + 1, next_key(&self.at.1));
        }
        Some(self.at.1.clone())
    }
}

#[cfg(test)]
#[cfg(feature = "store")]
mod tests;
