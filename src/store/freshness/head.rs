//! The head: a file beside the database that says which commit was acknowledged last.
//!
//! Two slots of 4 KiB, each a state file with its length in front, sealed under a key that the master key
//! gives (`K_head`) and bound to its place,
//! are written in turn, each durable before the commit is acknowledged. A kill tears at most the slot
//! that is being written; the later of those that open counts. Each names the write that the other slot
//! has, so that one slot put back is seen.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::crypto::{Key, hash};
use crate::disk::read_at::read_at;
use crate::disk::state_file::{Kind, StateFile, Unread};
use crate::disk::{durable, layout};
use crate::freshness::pages;
use crate::freshness::wal::Extent;
use wardkeep_model::keeping::{Finding, StoreFault};

const SLOT: usize = 4096;
const PLACE: &[u8] = b"wardkeep vault head v1";
/// Findings that wait to be reported; more of a kind are added up.
const PENDING_MAX: usize = 8;

/// The last commit, as the database itself says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Rises with every transaction.
    pub seq: u64,
    /// Chains the commits: over the hash before, `seq`, and what the commit before wrote.
    pub hash: [u8; 32],
    /// Rows of observations, waveforms and audit entries that were ever inserted.
    pub rows: u64,
}

impl Commit {
    /// The hash of commit `seq`, where `self` is the one before and `roll` digests what it wrote.
    pub fn next_hash(&self, seq: u64, roll: &[u8; 32]) -> [u8; 32] {
        hash(&[&self.hash, &seq.to_be_bytes(), roll])
    }
}

/// How far a close has come; its second write makes both slots newer than any copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closed {
    /// Not closed, or it was cut short.
    #[default]
    No,
    /// The first of its two writes.
    Once,
    /// Both.
    Twice,
    /// And the inbox remembers them.
    Remembered,
}

/// What is acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Rises with every write.
    pub generation: u64,
    /// The write that the other slot has; zero if it has none.
    pub before: u64,
    /// The last commit.
    pub commit: Commit,
    /// No commit has a number up to this one; above the last commit's after an older database was
    /// taken over.
    pub floor: u64,
    /// Rolling digest of what the commits wrote.
    pub roll: [u8; 32],
    /// The log, and the digest before its first commit.
    pub log: (Extent, [u8; 32]),
    /// Everything in the log is in the database's file too, and in the table of pages.
    pub folded: bool,
    /// The table of pages; none while no page is known.
    pub table: Option<pages::TableId>,
    /// Whether the vault was closed.
    pub closed: Closed,
    /// What was found and is not in the audit log yet.
    pub pending: Vec<Finding>,
}

impl Head {
    /// The number after which the next commit comes.
    pub fn last_seq(&self) -> u64 {
        self.commit.seq.max(self.floor)
    }

    /// Adds a finding that is to be reported; the first `taken` were handed out already.
    pub fn add(&mut self, finding: Finding, taken: usize) {
        let room = self.pending.len() < PENDING_MAX;
        let mut waiting = self.pending.iter_mut().skip(taken);
        match waiting.find(|other| other.kind == finding.kind) {
            Some(other) => {
                other.count = other.count.saturating_add(finding.count);
                other.found = other.found.min(finding.found);
                other.expected = other.expected.max(finding.expected);
            }
            None if room => self.pending.push(finding),
            None => tracing::warn!(kind = ?finding.kind, "too many findings to keep them all"),
        }
    }
}

/// What the head's file holds.
#[derive(Debug, Default)]
pub struct Slots {
    /// The latest that opens.
    pub head: Option<Head>,
    /// The commit of a slot that is older than the other one says.
    pub older: Option<u64>,
}

/// The head's file.
#[derive(Debug)]
pub struct HeadFile {
    path: PathBuf,
    key: Key,
    file: Option<File>,
}

impl HeadFile {
    /// The head of this database.
    ///
    /// # Errors
    /// As opening a file; that there is none is no error.
    pub fn of(database: &Path, key: Key) -> Result<Self, StoreFault> {
        let path = layout::vault_head(database);
        let file = durable::open_existing(&path)?;
        Ok(Self { path, key, file })
    }

    /// Reads both slots.
    ///
    /// # Errors
    /// `Later` if a later program wrote one of them; otherwise as reading a file.
    pub fn read(&self) -> Result<Slots, StoreFault> {
        let Some(file) = &self.file else { return Ok(Slots::default()) };
        let mut found = [self.slot(file, 0)?, self.slot(file, 1)?];
        found.sort_by_key(|head| head.as_ref().map_or(0, |head| head.generation));
        let [other, head] = found;
        let older = head.as_ref().and_then(|head| {
            let named = other.as_ref().is_some_and(|other| other.generation == head.before);
            // The write after the latest tears the other slot, the first one after a close as well; no
            // commit is gone with it.
            let torn = other.is_none();
            (!named && !torn).then(|| other.map_or(0, |other| other.commit.seq))
        });
        Ok(Slots { head, older })
    }

    fn slot(&self, file: &File, slot: u64) -> Result<Option<Head>, StoreFault> {
        let mut content = [0; SLOT];
        let read = read_at(file, &mut content, slot * SLOT as u64)?;
        let sealed = content.get(..read).and_then(|content| {
            let (len, rest) = content.split_first_chunk::<4>()?;
            rest.get(..usize::try_from(u32::from_be_bytes(*len)).ok()?)
        });
        let Some(sealed) = sealed else { return Ok(None) };
        match self.form(&place(slot)).open_value::<Head>(sealed) {
            Ok(head) => Ok(Some(head).filter(|head| head.generation % 2 == slot)),
            Err(Unread::Missing | Unread::Damaged) => Ok(None),
            Err(unread @ (Unread::Later(_) | Unread::Disk(_))) => Err(unread.into()),
        }
    }

    fn form<'a>(&'a self, place: &'a [u8]) -> StateFile<'a> {
        StateFile { kind: Kind::VaultHead, key: &self.key, place }
    }

    /// Writes the head into the slot of its generation; durable when it returns.
    ///
    /// # Errors
    /// As writing a file; then that slot is not known.
    pub fn write(&mut self, head: &Head) -> Result<(), StoreFault> {
        let slot = head.generation % 2;
        let sealed = self.form(&place(slot)).seal_value(head)?;
        let len = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        let mut content = [&len.to_be_bytes()[..], &sealed].concat();
        if content.len() > SLOT {
            tracing::error!(bytes = content.len(), "the vault's head does not fit its slot");
            return Err(StoreFault::Io);
        }
        content.resize(SLOT, 0);
        if self.file.is_none() {
            durable::overwrite(&self.path, &[0; 2 * SLOT])?;
            self.file = durable::open_existing(&self.path)?;
        }
        let file = self.file.as_ref().ok_or(StoreFault::Io)?;
        durable::overwrite_at(file, &content, slot * SLOT as u64)
    }
}

fn place(slot: u64) -> Vec<u8> {
    [PLACE, &slot.to_be_bytes()].concat()
}
