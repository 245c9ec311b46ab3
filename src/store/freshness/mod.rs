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
//! | 3 folding: what changes of the table, into the places that are not live | as before; nothing names those places |
//! | 4 the log copied into the database and synced | pages of mixed versions: every one is in the log still, which counts |
//! | 5 the head names the new table and calls the log folded | as after 4 |
//! | 6 the log cut to nothing | a log that repeats what the database has |
//! | 7 the next commit begins a log with other salts | the folded state, or that commit alone: as 2 |
//!
//! A head that could not be written is written before anything else changes (SQLite would begin its
//! log anew over frames that the old table needs). A table that cannot be written folds nothing: the
//! log grows. Closing is 3 to 6, and a second head, so that both slots are newer than any copy.
//!
//! Pages are compared with the table once in a process, a few while a person waits and the rest in between;
//! an unlock goes on where the lock before has stopped, if the files are as it left them ([`progress`]).
//!
//! What was found is kept in the head until the audit log has it; the present state is taken over in
//! the same write, so everything is reported once, or again if a kill came before the audit entry.

pub(crate) mod head;
pub(crate) mod pages;
pub(crate) mod progress;
pub(crate) mod wal;

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::crypto::Key;
use crate::freshness::head::{Closed, Commit, Head, HeadFile};
use crate::freshness::pages::{Lost, Table, TableFile, Tag};
use crate::freshness::progress::Comparison;
use crate::freshness::wal::{Log, LogPosition};
use crate::inbox::remembered::RememberedVault;
use crate::keys::vault_keys::VaultKeys;
use wardkeep_model::keeping::{Cause, Finding, FindingKind, StoreFault};

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
    tables: TableFile,
    log: Log,
    place: LogPosition,
    /// Pages whose acknowledged version is in the log.
    masked: BTreeMap<u32, Tag>,
    /// What the log had at the open was folded already: the database has it too, as the table says.
    unmasked: bool,
    /// Pages of the database after the last commit in the log; none while the log is empty.
    size: Option<u32>,
    head: Head,
    /// Generation of the last head that is durable.
    saved: u64,
    table: Table,
    /// Pages compared with the table.
    compared: u32,
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
            tables: TableFile::of(database, key.clone())?,
            key,
            log: Log::of(database),
            place: LogPosition::default(),
            masked: BTreeMap::new(),
            unmasked: false,
            size: None,
            head: Head::default(),
            saved: 0,
            table: Table::unknown(0),
            compared: 0,
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
    /// `Damaged` if another file lies where the open one lay: what were written now would be in no file that anybody
    /// finds again. Otherwise as reading and writing files.
    pub fn pay(&mut self) -> Result<(), StoreFault> {
        if !self.is_in_place() {
            tracing::warn!("the vault's file was exchanged while it was open");
            Cause::note(Some(Cause::System(Errno::STALE.raw_os_error())));
            return Err(StoreFault::Damaged);
        }
        match self.debt {
            Debt::None => Ok(()),
            Debt::Commit(commit) => self.committed(commit),
            Debt::Head => self.save(Closed::No),
        }
    }

    fn is_in_place(&self) -> bool {
        let of = |found: io::Result<Metadata>| found.ok().map(|file| (file.dev(), file.ino()));
        of(self.database.metadata()) == of(self.file.metadata())
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
        self.size = Some(read.size);
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
        let pages = self.size.unwrap_or_else(|| self.table.pages());
        let written = self.tables.write(&self.table, (&self.masked, pages), self.next_table())?;
        checkpoint(Mode::Copy)?;
        self.table = written.table;
        self.masked.clear();
        if let Some(lost) = written.lost {
            self.add_lost(lost);
            // What nothing is known of any more is compared again.
            self.compared = self.compared.min(lost.first);
        }
        self.head.table = Some(written.id);
        self.head.folded = true;
        self.save(closed)?;
        match checkpoint(Mode::Cut) {
            Ok(()) => {
                self.place.extent.frames = 0;
                self.size = None;
            }
            // The next commit begins it anew.
            Err(fault) => tracing::warn!(%fault, "the vault's folded log could not be cut"),
        }
        Ok(())
    }

    /// Generation and number of the next table.
    fn next_table(&self) -> (u64, u64) {
        let generation = self.head.table.map_or(0, |id| id.generation) + 1;
        (generation, self.head.last_seq())
    }

    /// A part of the table is an earlier one, or none.
    fn add_lost(&mut self, lost: Lost) {
        let expected = self.head.table.map(|id| id.seq);
        let finding = Finding::of(FindingKind::HeadOlder, 1);
        self.add(Finding { found: lost.found, expected, ..finding });
    }

    /// Compares some more pages with the table. False if there are no more.
    ///
    /// # Errors
    /// As reading and writing files.
    pub fn compare_some(&mut self, count: u32) -> Result<bool, StoreFault> {
        self.pay()?;
        let nothing = BTreeMap::new();
        let masked = if self.unmasked { &nothing } else { &self.masked };
        // What lies behind the end that the log gives the database is on its way to be cut off.
        let pages = self.table.pages().min(self.size.unwrap_or(u32::MAX));
        let end = self.compared.saturating_add(count).min(pages);
        let span = (self.compared, end);
        let compared = self.tables.compare(&self.table, &self.file, span, masked)?;
        self.compared = self.compared.max(end);
        if let Some(lost) = compared.lost {
            self.add_lost(lost);
        }
        if compared.replaced > 0 {
            let finding = Finding::of(FindingKind::PagesReplaced, compared.replaced);
            self.add(Finding { expected: Some(self.head.last_seq()), ..finding });
        }
        if !compared.found.is_empty() {
            // From here on what was found is what the table says.
            let of = (&compared.found, self.table.pages());
            let written = self.tables.write(&self.table, of, self.next_table())?;
            self.table = written.table;
            self.head.table = Some(written.id);
            self.save(Closed::No)?;
        }
        Ok(self.compares())
    }

    /// Whether there are pages that were not compared since the vault was opened.
    pub fn compares(&self) -> bool {
        self.compared < self.table.pages().min(self.size.unwrap_or(u32::MAX))
    }

    /// Compares as many pages as have to be compared before anybody sees what is in them.
    ///
    /// # Errors
    /// As reading and writing files.
    pub fn compare_first(&mut self, count: u32) -> Result<(), StoreFault> {
        match count.saturating_sub(self.compared) {
            0 => Ok(()),
            some => self.compare_some(some).map(drop),
        }
    }

    /// How far the pages were compared, for the next open in this process; to be asked when nothing writes the
    /// database any more.
    ///
    /// # Errors
    /// As reading a file's facts.
    pub fn comparison(&self) -> Result<Comparison, StoreFault> {
        Comparison::of(&self.file, self.saved, self.compared)
    }

    /// Goes on where the last open in this process has stopped, if the files are as it left them.
    ///
    /// # Errors
    /// As reading a file's facts.
    pub fn go_on(&mut self, before: &Comparison) -> Result<(), StoreFault> {
        self.compared = before.pages_if(&self.file, self.saved)?.min(self.table.pages());
        Ok(())
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
