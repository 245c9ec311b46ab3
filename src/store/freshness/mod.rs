//! Freshness: an older database, page or log put back, or a log that was cut, is found and reported (S-8).
//!
//! SQLCipher authenticates every page, but an old page is authentic too. So each commit has a number and a
//! hash chained to the one before ([`crate::freshness::head::Commit`], a row that every transaction changes), the
//! [`Head`] outside the database names the last one, and the table of [`pages`] the version of each page
//! that no frame of the log covers. All of it is read from the files; SQLite runs as it is, except
//! that its log is folded back here alone. In order:
//!
//! | step | a kill before it leaves |
//! |---|---|
//! | 1 the commit, synced by SQLite | the state of before |
//! | 2 the head (the commit is acknowledged after it) | one commit ahead of the head: its hash proves it, no finding |
//! | 3 folding: the new table, into the file that is not live | as before; nothing names that file |
//! | 4 the log copied into the database and synced | pages of mixed versions: every one is in the log still, which counts |
//! | 5 the head names the new table and calls the log folded | as after 4 |
//! | 6 the log cut to nothing | a log that repeats what the database has |
//! | 7 the next commit begins a log with other salts | the folded state, or that commit alone: as 2 |
//!
//! A head that could not be written is written before anything else changes (SQLite would begin its
//! log anew over frames that the old table needs). A table that cannot be written folds nothing: the
//! log grows. Closing is 3 to 6, and a second head, so that both slots are newer than any copy.
//!
//! What was found is kept in the head until the audit log has it; the present state is taken over in
//! the same write, so everything is reported once, or again if a kill came before the audit entry.

pub(crate) mod head;
pub(crate) mod pages;
pub(crate) mod wal;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::crypto::Key;
use crate::freshness::head::{Closed, Commit, Head, HeadFile};
use crate::freshness::pages::{Table, Tag};
use crate::freshness::wal::{Log, LogPosition};
use crate::inbox::remembered::RememberedVault;
use crate::keys::vault_keys::VaultKeys;
use wardkeep_model::keeping::{Finding, FindingKind, StoreFault};

/// Frames after which the log is folded.
const FOLD_AT: u32 = 1000;
/// Frames until folding is tried again.
const FOLD_AGAIN: u32 = 256;

/// How SQLite is asked to fold its log; whatever it is asked has to be done completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Copy what is in the log into the database.
    Copy,
    /// And leave an empty log.
    Cut,
}

/// Folds the log of the database that is open.
pub type Checkpoint<'a> = &'a dyn Fn(Mode) -> Result<(), StoreFault>;

/// What has to be done before the database may change again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Debt {
    None,
    /// A commit is to be read from the log.
    Commit(Commit),
    /// The head is to be written.
    Head,
}

/// What tells the present state of an open vault from an earlier one.
#[derive(Debug)]
pub struct Freshness {
    database: PathBuf,
    /// Held open as long as the connection: closing any handle of the file would end SQLite's locks.
    file: File,
    key: Key,
    slots: HeadFile,
    log: Log,
    place: LogPosition,
    /// Pages whose acknowledged version is in the log.
    masked: BTreeMap<u32, Tag>,
    /// What the log had at the open was folded already: the database has it too, as the table says.
    unmasked: bool,
    head: Head,
    /// Generation of the last head that is durable.
    saved: u64,
    table: Table,
    /// Pages compared with the table.
    compared: u32,
    learned: bool,
    debt: Debt,
    fold_at: u32,
    /// How many of the pending findings were handed out.
    taken: usize,
    /// What was found at the open, and whether the inbox remembers it.
    opened: (RememberedVault, bool),
    vouched: bool,
}

impl Freshness {
    /// Looks at the files before SQLite does, and changes nothing. `vouched`: that there is no head is as
    /// it should be.
    ///
    /// # Errors
    /// As reading files.
    pub fn look(database: &Path, keys: &VaultKeys, vouched: bool) -> Result<Self, StoreFault> {
        let key = keys.head();
        Ok(Self {
            database: database.to_owned(),
            file: File::open(database)?,
            slots: HeadFile::of(database, key.clone())?,
            key,
            log: Log::of(database),
            place: LogPosition::default(),
            masked: BTreeMap::new(),
            unmasked: false,
            head: Head::default(),
            saved: 0,
            table: Table::default(),
            compared: 0,
            learned: false,
            debt: Debt::None,
            fold_at: FOLD_AT,
            taken: 0,
            opened: (RememberedVault::default(), false),
            vouched,
        })
    }

    fn add(&mut self, finding: Finding) {
        self.head.add(finding, self.taken);
    }

    fn save(&mut self, closed: Closed) -> Result<(), StoreFault> {
        // The other slot than that of the last durable head, whatever happened since.
        let next = self.head.generation.max(self.saved) + 1;
        self.head.generation = next + u64::from(next % 2 == self.saved % 2);
        self.head.before = self.saved;
        self.head.closed = closed;
        self.debt = Debt::Head;
        self.slots.write(&self.head)?;
        self.saved = self.head.generation;
        self.debt = Debt::None;
        Ok(())
    }

    /// Does what a fault has left undone; nothing else may change before.
    ///
    /// # Errors
    /// As reading and writing files.
    pub fn pay(&mut self) -> Result<(), StoreFault> {
        match self.debt {
            Debt::None => Ok(()),
            Debt::Commit(commit) => self.committed(commit),
            Debt::Head => self.save(Closed::No),
        }
    }

    /// Numbers the commit that a transaction is about to make, with so many rows inserted; `None` before
    /// anything is numbered. `first` asks the database itself, before the first number.
    ///
    /// # Errors
    /// As `first`.
    pub fn number<E>(
        &mut self,
        rows: u64,
        first: impl FnOnce() -> Result<Option<Commit>, E>,
    ) -> Result<Option<Commit>, E> {
        if self.head.commit.seq == 0 {
            // The transaction may just have made the table.
            let Some(first) = first()? else { return Ok(None) };
            self.head.commit.rows = first.rows;
        }
        let seq = self.head.last_seq() + 1;
        let hash = self.head.commit.next_hash(seq, &self.head.roll);
        Ok(Some(Commit { seq, hash, rows: self.head.commit.rows + rows }))
    }

    /// Acknowledges a commit that SQLite has made durable.
    ///
    /// # Errors
    /// As reading and writing files; the commit is there, and [`Freshness::pay`] tries again.
    pub fn committed(&mut self, commit: Commit) -> Result<(), StoreFault> {
        self.debt = Debt::Commit(commit);
        let begin = self.log.begin()?.ok_or(StoreFault::Io)?;
        if begin.extent.salts != self.place.extent.salts {
            self.place = begin;
            self.head.log.1 = self.head.roll;
        }
        let read = self.log.commit_at(&self.place)?.ok_or(StoreFault::Io)?;
        self.head.roll = read.roll(&self.head.roll);
        self.head.commit = commit;
        self.head.folded = false;
        self.place = read.end;
        self.head.log.0 = read.end.extent;
        self.masked.extend(read.frames);
        self.save(Closed::No)
    }

    /// Leaves a log as long as it grows.
    pub fn never_fold(&mut self) {
        self.fold_at = u32::MAX;
    }

    /// Folds a log that has grown long. That it failed matters only once space or disk are gone.
    pub fn fold_if_long(&mut self, checkpoint: Checkpoint<'_>) {
        if self.place.extent.frames < self.fold_at {
            return;
        }
        match self.fold(checkpoint, Closed::No) {
            Ok(()) => self.fold_at = FOLD_AT,
            Err(fault) => {
                tracing::warn!(%fault, "the vault's log could not be folded");
                self.fold_at = self.place.extent.frames + FOLD_AGAIN;
            }
        }
    }

    /// Copies the log into the database and empties it.
    fn fold(&mut self, checkpoint: Checkpoint<'_>, closed: Closed) -> Result<(), StoreFault> {
        let table = self.table.with(&self.masked);
        let mark = self.write_table(&table)?;
        checkpoint(Mode::Copy)?;
        self.table = table;
        self.masked.clear();
        self.head.table = Some(mark);
        self.head.folded = true;
        self.learned = false;
        self.save(closed)?;
        match checkpoint(Mode::Cut) {
            Ok(()) => self.place.extent.frames = 0,
            // The next commit begins it anew.
            Err(fault) => tracing::warn!(%fault, "the vault's folded log could not be cut"),
        }
        Ok(())
    }

    fn write_table(&self, table: &Table) -> Result<pages::TableId, StoreFault> {
        let generation = self.head.table.map_or(0, |mark| mark.generation) + 1;
        table.write(&self.database, &self.key, (generation, self.head.last_seq()))
    }

    /// Compares some more pages with the table. False if there are no more.
    ///
    /// # Errors
    /// As reading and writing files.
    pub fn compare_some(&mut self, count: u32) -> Result<bool, StoreFault> {
        self.pay()?;
        let span = (self.compared, count);
        let nothing = BTreeMap::new();
        let masked = if self.unmasked { &nothing } else { &self.masked };
        let compared = self.table.compare(&self.file, span, masked)?;
        self.compared = self.compared.saturating_add(count).min(self.table.pages());
        self.learned |= compared.learned;
        if compared.replaced > 0 {
            let finding = Finding::of(FindingKind::PagesReplaced, compared.replaced);
            self.add(Finding { expected: Some(self.head.last_seq()), ..finding });
        }
        let more = self.compares();
        if compared.replaced > 0 || self.learned && !more {
            self.head.table = Some(self.write_table(&self.table)?);
            self.learned = false;
            self.save(Closed::No)?;
        }
        Ok(more)
    }

    /// Whether there are pages that were not compared since the vault was opened.
    pub fn compares(&self) -> bool {
        self.compared < self.table.pages()
    }

    /// Leaves everything in the database and an empty log, as it should be when nobody has it open.
    ///
    /// # Errors
    /// As reading and writing files; what was acknowledged is there in any case.
    pub fn settle(&mut self, checkpoint: Checkpoint<'_>) -> Result<(), StoreFault> {
        self.pay()?;
        if matches!(self.head.closed, Closed::Twice | Closed::Remembered) {
            return Ok(());
        }
        if self.place.extent.frames > 0 {
            self.fold(checkpoint, Closed::Once)?;
        } else {
            self.save(Closed::Once)?;
        }
        self.save(Closed::Twice)
    }

    /// What somebody else may remember of this vault.
    pub fn seen(&self) -> RememberedVault {
        let Commit { seq, rows, .. } = self.head.commit;
        RememberedVault { seq, rows, generation: self.saved }
    }

    /// The inbox remembers the closed vault from here on.
    ///
    /// # Errors
    /// As writing a file.
    pub fn remembered(&mut self) -> Result<(), StoreFault> {
        match self.head.closed {
            Closed::Twice => self.save(Closed::Remembered),
            Closed::No | Closed::Once | Closed::Remembered => Ok(()),
        }
    }

    /// The findings that nobody was given yet.
    pub fn take(&mut self) -> Vec<Finding> {
        let findings = self.head.pending.get(self.taken..).unwrap_or_default().to_vec();
        self.taken = self.head.pending.len();
        findings
    }

    /// What was given is in the audit log now.
    pub fn reported(&mut self) {
        if self.taken > 0 {
            self.head.pending.drain(..self.taken);
            self.taken = 0;
            if self.debt == Debt::None {
                self.debt = Debt::Head;
            }
        }
    }

    /// Writes the head of a copy of this database under other keys: it knows no page yet.
    ///
    /// # Errors
    /// As writing a file.
    pub fn copy_to(&self, database: &Path, keys: &VaultKeys) -> Result<(), StoreFault> {
        let Head { commit, floor, roll, ref pending, .. } = self.head;
        let (folded, pending) = (true, pending.clone());
        let head = Head { generation: 1, commit, floor, roll, folded, pending, ..Head::default() };
        HeadFile::of(database, keys.head())?.write(&head)
    }
}

mod opening;
#[cfg(test)]
mod tests;
