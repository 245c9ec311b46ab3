//! Moves the inbox into the vault once somebody has opened it, some segments at a time.
//!
//! A thread of its own reads and opens segments ([`crate::import::opener`]); what it has ready, up to four of them, is
//! one transaction here that also moves the vault's cursor, and is durably deleted before the next: a kill at any
//! point repeats nothing and loses nothing. A segment with something forged in it, and a file that is no segment of
//! ours, are kept beside the inbox as `.bad`. What a later program wrote stays where it is, and ends the
//! import.
//!
//! S-8: what is missing, moved, repeated or forged is counted by [`crate::import::ledger`].

pub(crate) mod ledger;
pub(crate) mod opener;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::disk::{durable, layout};
use crate::import::ledger::Ledger;
use crate::import::opener::{Delivery, OpenedSegment, SegmentOpener, Source};
use crate::inbox::Inbox;
use crate::inbox::ends::Ends;
use crate::inbox::remembered::TOGETHER;
use crate::inbox::segment::Lane;
use crate::keys::vault_keys::VaultKeys;
use crate::record::entry::Entry;
use crate::vault::Vault;
use crate::vault::entries;
use wardkeep_model::keeping::{Finding, Import, StoreFault};
use wardkeep_model::moment::BootTime;

/// At most this often an import tells how far it is.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// Files of one name that are kept as evidence.
const EVIDENCE_MAX: u32 = 64;

/// One import, from unlock until the inbox is empty.
pub struct ImportRun {
    dir: PathBuf,
    ends: Ends,
    opener: Option<SegmentOpener>,
    /// What the thread had ready that is no segment.
    held: Option<Delivery>,
    ledger: Ledger,
    ready: Option<Ready>,
    total: u64,
    told: BootTime,
    is_done: bool,
}

/// Segments that were read and have still to be kept or deleted.
struct Ready {
    /// Which of them are evidence.
    files: VecDeque<(PathBuf, bool)>,
    fingerprints: Vec<u64>,
    /// What is to be kept and what is known then; `None` if it is in the vault.
    entries: Option<Vec<Entry>>,
    ledger: Ledger,
}

/// What one call of [`ImportRun::step`] left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more.
    More,
    /// The inbox is in the vault.
    Done(Import),
}

impl ImportRun {
    /// Begins the import of all segments, none of which is written any more.
    ///
    /// # Errors
    /// As reading the vault, or `Io` if there can be no thread.
    pub fn plan(inbox: &Inbox, vault: &Vault, keys: &VaultKeys) -> Result<Self, StoreFault> {
        let mut ledger = Ledger::new(entries::cursor(vault)?);
        let ends = inbox.ends();
        if ends.of(Lane::Values).seq < ledger.cursor().next_seq {
            ledger.book_old_head(ends.of(Lane::Values).seq);
        }
        let mut run = Self {
            dir: inbox.dir().to_owned(),
            ends,
            opener: None,
            held: None,
            ledger,
            ready: None,
            total: 0,
            told: BootTime::default(),
            is_done: false,
        };
        run.open(inbox, keys)?;
        Ok(run)
    }

    /// Starts to read, also again after a fault.
    fn open(&mut self, inbox: &Inbox, keys: &VaultKeys) -> Result<(), StoreFault> {
        let (dir, headers) = (self.dir.clone(), inbox.header_key());
        let source = Source { dir, headers, keys: keys.inbox_keys(), ends: self.ends };
        self.opener = Some(SegmentOpener::start(source)?);
        Ok(())
    }

    /// How far it is.
    pub fn progress(&self) -> Import {
        let imported = self.ledger.imported;
        Import { imported, total: self.total.max(imported) }
    }

    /// How far it is, if that was not told for a while.
    pub fn news(&mut self, now: BootTime) -> Option<Import> {
        let is_due = now.since(self.told) >= TELL_EVERY && !self.is_done;
        is_due.then(|| {
            self.told = now;
            self.progress()
        })
    }

    /// What has to be reported.
    pub fn findings(&self, now: Timestamp) -> Vec<Finding> {
        self.ledger.findings(now)
    }

    /// What the thread has for the next step. It may be dropped while it waits.
    pub async fn opened(&mut self) -> Option<Delivery> {
        match &mut self.opener {
            // What could not be kept goes first.
            Some(opener) if self.ready.is_none() => match self.held.take() {
                Some(held) => Some(held),
                None => Some(opener.next().await),
            },
            Some(_) | None => None,
        }
    }

    /// The same, waiting on this thread.
    pub fn opened_blocking(&mut self) -> Option<Delivery> {
        let opener = self.opener.as_mut().filter(|_| self.ready.is_none())?;
        Some(self.held.take().unwrap_or_else(|| opener.next_blocking()))
    }

    /// Keeps what was opened.
    ///
    /// # Errors
    /// As reading the inbox or writing the vault; the next call tries the same again.
    pub fn step(
        &mut self,
        opened: Option<Delivery>,
        of: (&Inbox, &VaultKeys),
        vault: &mut Vault,
        now: Timestamp,
    ) -> Result<Step, StoreFault> {
        self.step_into(opened, of, &mut [vault], now)
    }

    /// Keeps what was opened in each of these vaults, which were alike when the import was planned. A segment is
    /// deleted when it is in all of them.
    ///
    /// # Errors
    /// As [`ImportRun::step`]; then only the last of them is known to hold nothing twice, and the others are of no
    /// use.
    pub fn step_into(
        &mut self,
        opened: Option<Delivery>,
        (inbox, keys): (&Inbox, &VaultKeys),
        vaults: &mut [&mut Vault],
        now: Timestamp,
    ) -> Result<Step, StoreFault> {
        match opened {
            Some(Delivery::Planned(total)) => {
                self.total = self.ledger.imported.saturating_add(total);
            }
            Some(Delivery::Segment(segment)) => {
                self.book(*segment, now);
                self.book_more(now);
            }
            Some(Delivery::Fault(fault)) => {
                self.opener = None;
                return Err(fault);
            }
            Some(Delivery::Done) => return self.finish(vaults, now),
            None if self.ready.is_none() => self.open(inbox, keys)?,
            None => {}
        }
        self.keep(vaults)?;
        Ok(Step::More)
    }

    /// Books what else is ready: a slow disk is waited for less often.
    fn book_more(&mut self, now: Timestamp) {
        while self.ready.as_ref().is_some_and(|ready| ready.files.len() < TOGETHER) {
            match self.opener.as_mut().and_then(SegmentOpener::next_ready) {
                Some(Delivery::Segment(segment)) => self.book(*segment, now),
                other => {
                    self.held = other;
                    return;
                }
            }
        }
    }

    fn book(&mut self, segment: OpenedSegment, now: Timestamp) {
        let OpenedSegment { path, fingerprint, body } = segment;
        let ready = self.ready.get_or_insert_with(|| Ready {
            files: VecDeque::new(),
            fingerprints: Vec::new(),
            entries: None,
            ledger: self.ledger.clone(),
        });
        let before = ready.ledger.clone();
        // Imported before a kill prevented its deletion, unless it is another one.
        let known = [&self.ledger.last_segments[..], &ready.fingerprints].concat();
        if !known.contains(&fingerprint) {
            let entries = ready.entries.get_or_insert_default();
            match body {
                Some(body) => entries.extend(ready.ledger.book(body, now)),
                None => ready.ledger.book_stranger(),
            }
        }
        ready.files.push_back((path, ready.ledger.is_suspicious(&before)));
        ready.fingerprints.push(fingerprint);
        let mut last = [0; TOGETHER];
        last.iter_mut().zip(&ready.fingerprints).for_each(|(last, one)| *last = *one);
        ready.ledger.last_segments = last;
    }

    fn keep(&mut self, vaults: &mut [&mut Vault]) -> Result<(), StoreFault> {
        let Some(ready) = &mut self.ready else { return Ok(()) };
        if let Some(entries) = &ready.entries {
            for vault in vaults {
                entries::import(vault, entries, ready.ledger.cursor())?;
            }
            ready.entries = None;
            self.ledger = ready.ledger.clone();
        }
        while let Some((path, is_evidence)) = ready.files.front() {
            if *is_evidence {
                keep_aside(path)?;
            } else {
                durable::remove(path)?;
            }
            ready.files.pop_front();
        }
        // Otherwise a power cut could bring back a segment that is not among the last any more.
        durable::sync_dir(&self.dir)?;
        self.ready = None;
        Ok(())
    }

    fn finish(&mut self, vaults: &mut [&mut Vault], now: Timestamp) -> Result<Step, StoreFault> {
        let mut ledger = self.ledger.clone();
        ledger.finish(self.ends, now);
        // The thread ended with what it said last; a fault here begins the rest anew.
        self.opener = None;
        for vault in vaults {
            entries::import(vault, &[], ledger.cursor())?;
        }
        self.ledger = ledger;
        self.is_done = true;
        let imported = self.ledger.imported;
        Ok(Step::Done(Import { imported, total: imported }))
    }
}

/// Renames a file to what is not read again.
fn keep_aside(path: &Path) -> Result<(), StoreFault> {
    let aside = |again| layout::evidence(path, again);
    for again in 0..EVIDENCE_MAX {
        if !aside(again).try_exists()? {
            return durable::rename(path, &aside(again));
        }
    }
    durable::rename(path, &aside(EVIDENCE_MAX))
}

#[cfg(test)]
mod tests;
