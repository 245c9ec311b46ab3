//! Freshness: an older database, page or log put back, or a log that was cut, is found and reported (S-8).
//!
//! SQLCipher authenticates every page, but an old page is authentic too. So each commit has a number and a
//! hash chained to the one before ([`super::head::Commit`], a row that every transaction changes), the
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

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::head::{self, Closed, Commit, Head, HeadFile};
use super::keyring::VaultKeys;
use super::pages::{self, PAGE, Table, Tag};
use super::primitives::Key;
use super::vault::Seen;
use super::wal::{Log, Place};
use super::{Finding, FindingKind, StoreFault};

/// Frames after which the log is folded.
const FOLD_AT: u32 = 1000;
/// Frames until folding is tried again.
const FOLD_AGAIN: u32 = 256;

/// What has to be done before the database may change again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Debt {
    None,
    /// A commit is to be read from the log.
    Commit(Commit),
    /// The head is to be written.
    Head,
}

/// The log as it was found.
#[derive(Debug, Default)]
struct Scan {
    end: Place,
    /// The log that the head names.
    same: bool,
    /// What the head acknowledges is in it as it was.
    whole: bool,
    /// Commits after that.
    more: u32,
    /// Rolling digest before and after everything in it.
    rolls: ([u8; 32], [u8; 32]),
    masked: BTreeMap<u32, Tag>,
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
    place: Place,
    /// Pages whose acknowledged version is in the log.
    masked: BTreeMap<u32, Tag>,
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
    /// What was found at the open, for the witness.
    opened: Seen,
}

impl Freshness {
    /// Looks at the files before SQLite does, and changes nothing.
    ///
    /// # Errors
    /// As reading files.
    pub fn look(database: &Path, keys: &VaultKeys) -> Result<Self, StoreFault> {
        let key = keys.head();
        Ok(Self {
            database: database.to_owned(),
            file: File::open(database)?,
            slots: HeadFile::of(database, key.clone())?,
            key,
            log: Log::of(database),
            place: Place::default(),
            masked: BTreeMap::new(),
            head: Head::default(),
            saved: 0,
            table: Table::default(),
            compared: 0,
            learned: false,
            debt: Debt::None,
            fold_at: FOLD_AT,
            taken: 0,
            opened: Seen::default(),
        })
    }

    /// Compares what the database says of itself with the head, and takes the present state over.
    ///
    /// # Errors
    /// As reading and writing files.
    pub fn begin(&mut self, row: Option<Commit>) -> Result<(), StoreFault> {
        let slots = self.slots.read()?;
        let scan = self.scan(slots.head.as_ref())?;
        let known = slots.head.is_some();
        self.head = slots.head.unwrap_or_default();
        self.saved = self.head.generation;
        self.opened = self.seen();
        self.opened.seq = row.map_or(0, |row| row.seq);
        self.opened.rows = row.map_or(0, |row| row.rows);
        let found = match (known, row) {
            (true, _) => self.judge(row, &scan),
            (false, None) => Err(None),
            (false, Some(row)) => {
                let expected = Some(row.seq);
                Err(Some(Finding { expected, ..Finding::of(FindingKind::HeadOlder, 1) }))
            }
        };
        self.place = scan.end;
        let dirty = match found {
            Ok(()) => false,
            Err(finding) => {
                self.take_over(row, &scan, finding);
                true
            }
        };
        // What is folded is in the database as the table says, whatever the log repeats.
        self.masked = if self.head.folded { BTreeMap::new() } else { scan.masked };
        let dirty = self.load_table()? || dirty || slots.older.is_some();
        if let Some(seq) = slots.older {
            let (found, expected) = (Some(seq), Some(self.head.commit.seq));
            self.add(Finding { found, expected, ..Finding::of(FindingKind::HeadOlder, 1) });
        }
        if dirty { self.save(Closed::No) } else { Ok(()) }
    }

    fn scan(&mut self, head: Option<&Head>) -> Result<Scan, StoreFault> {
        let (extent, base, acknowledged) =
            head.map_or_else(Default::default, |head| (head.log.0, head.log.1, head.roll));
        let mut scan = Scan { rolls: (acknowledged, acknowledged), ..Scan::default() };
        let Some(begin) = self.log.begin()? else { return Ok(scan) };
        scan.end = begin;
        scan.same = begin.extent.salts == extent.salts;
        let frames = if scan.same { extent.frames } else { 0 };
        if scan.same {
            scan.rolls = (base, base);
        }
        scan.whole = frames == 0;
        while let Some(commit) = self.log.commit_at(&scan.end)? {
            scan.rolls.1 = commit.roll(&scan.rolls.1);
            scan.end = commit.end;
            scan.masked.extend(commit.frames);
            if scan.end.extent.frames == frames {
                scan.whole = scan.rolls.1 == acknowledged;
            }
            scan.more += u32::from(scan.end.extent.frames > frames);
        }
        Ok(scan)
    }

    /// Whether the database is as acknowledged. If not: with nothing to report where a kill explains it.
    fn judge(&self, row: Option<Commit>, scan: &Scan) -> Result<(), Option<Finding>> {
        let head = &self.head;
        let last = head.last_seq();
        let Some(row) = row else {
            // Before version 3 of the schema nothing is numbered.
            return Err((last > 0).then(|| self.gone(Commit::default())));
        };
        let empty = head.folded || head.log.0.frames == 0;
        let continues = scan.same && scan.whole || !scan.same && empty;
        if row.seq == last.saturating_add(1)
            && continues
            && scan.more == 1
            && row.hash == head.commit.next_hash(row.seq, &head.roll)
        {
            return Err(None);
        }
        if row.seq > last {
            let (found, expected) = (Some(head.commit.seq), Some(row.seq));
            let finding = Finding { found, expected, ..Finding::of(FindingKind::HeadOlder, 1) };
            return Err(Some(finding));
        }
        if (row.seq, row.hash) != (head.commit.seq, head.commit.hash) {
            return Err(Some(self.gone(row)));
        }
        let nothing = empty && scan.end.extent.frames == 0;
        if nothing || continues && scan.more == 0 {
            return Ok(());
        }
        let count = (scan.masked.len() as u64).max(1);
        let finding = Finding::of(FindingKind::PagesReplaced, count);
        Err(Some(Finding { expected: Some(last), ..finding }))
    }

    /// Acknowledged commits after this one are not there.
    fn gone(&self, row: Commit) -> Finding {
        let count = self.head.commit.rows.saturating_sub(row.rows);
        let (found, expected) = (Some(row.seq), Some(self.head.last_seq()));
        Finding { found, expected, ..Finding::of(FindingKind::VaultOlder, count) }
    }

    fn take_over(&mut self, row: Option<Commit>, scan: &Scan, finding: Option<Finding>) {
        self.head.floor = self.head.last_seq();
        self.head.commit = row.unwrap_or_default();
        self.head.log = (scan.end.extent, scan.rolls.0);
        self.head.roll = scan.rolls.1;
        self.head.folded = scan.end.extent.frames == 0;
        if let Some(finding) = finding {
            if finding.kind != FindingKind::PagesReplaced {
                // The table is that of another state.
                self.head.table = None;
            }
            self.add(finding);
        }
    }

    /// Reads the table that the head names. True if the head has to be written.
    fn load_table(&mut self) -> Result<bool, StoreFault> {
        let pages = self.file.metadata()?.len() / PAGE as u64;
        let unknown = Table::unknown(u32::try_from(pages).unwrap_or(u32::MAX));
        let Some(mark) = self.head.table else {
            self.table = unknown;
            return Ok(false);
        };
        let found = match Table::read(&self.database, &self.key, &mark)? {
            pages::Found::Table(table) => {
                self.table = table;
                return Ok(false);
            }
            pages::Found::Older(seq) => Some(seq),
            pages::Found::Nothing => None,
        };
        self.table = unknown;
        self.head.table = None;
        let expected = Some(mark.seq);
        self.add(Finding { found, expected, ..Finding::of(FindingKind::HeadOlder, 1) });
        Ok(true)
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

    /// Numbers the commit that a transaction is about to make, with so many rows inserted.
    ///
    /// # Errors
    /// As writing the database.
    pub fn number(&mut self, connection: &Connection, rows: u64) -> Result<Commit, StoreFault> {
        if self.head.commit.seq == 0 {
            // The transaction may just have made the table.
            let Some(first) = head::read(connection)? else { return Ok(Commit::default()) };
            self.head.commit.rows = first.rows;
        }
        let seq = self.head.last_seq() + 1;
        let hash = self.head.commit.next_hash(seq, &self.head.roll);
        let commit = Commit { seq, hash, rows: self.head.commit.rows + rows };
        head::write(connection, &commit)?;
        Ok(commit)
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

    /// Folds a log that has grown long. That it failed matters only once space or disk are gone.
    pub fn fold_if_long(&mut self, connection: &Connection) {
        if self.place.extent.frames < self.fold_at {
            return;
        }
        match self.fold(connection, Closed::No) {
            Ok(()) => self.fold_at = FOLD_AT,
            Err(fault) => {
                tracing::warn!(%fault, "the vault's log could not be folded");
                self.fold_at = self.place.extent.frames + FOLD_AGAIN;
            }
        }
    }

    /// Copies the log into the database and empties it.
    fn fold(&mut self, connection: &Connection, closed: Closed) -> Result<(), StoreFault> {
        let table = self.table.with(&self.masked);
        let mark = self.write_table(&table)?;
        checkpoint(connection, "PASSIVE")?;
        self.table = table;
        self.masked.clear();
        self.head.table = Some(mark);
        self.head.folded = true;
        self.learned = false;
        self.save(closed)?;
        match checkpoint(connection, "TRUNCATE") {
            Ok(()) => self.place.extent.frames = 0,
            // The next commit begins it anew.
            Err(fault) => tracing::warn!(%fault, "the vault's folded log could not be cut"),
        }
        Ok(())
    }

    fn write_table(&self, table: &Table) -> Result<pages::Mark, StoreFault> {
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
        let compared = self.table.compare(&self.file, span, &self.masked)?;
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
    pub fn settle(&mut self, connection: &Connection) -> Result<(), StoreFault> {
        self.pay()?;
        if self.head.closed == Closed::Twice {
            return Ok(());
        }
        if self.place.extent.frames > 0 {
            self.fold(connection, Closed::Once)?;
        } else {
            self.save(Closed::Once)?;
        }
        self.save(Closed::Twice)
    }

    /// What somebody else may remember of this vault.
    pub fn seen(&self) -> Seen {
        let Commit { seq, rows, .. } = self.head.commit;
        Seen { seq, rows, generation: self.saved }
    }

    /// Compares what was found at the open with what another file remembers.
    ///
    /// # Errors
    /// As writing a file.
    pub fn witness(&mut self, seen: Seen) -> Result<(), StoreFault> {
        let newer = self.opened.seq.max(self.head.floor);
        let finding = if newer < seen.seq {
            let (found, expected) = (Some(self.opened.seq), Some(seen.seq));
            let count = seen.rows.saturating_sub(self.opened.rows);
            Finding { found, expected, ..Finding::of(FindingKind::VaultOlder, count) }
        } else if self.opened.generation < seen.generation {
            let (found, expected) = (Some(self.opened.seq), Some(seen.seq));
            Finding { found, expected, ..Finding::of(FindingKind::HeadOlder, 1) }
        } else {
            return Ok(());
        };
        let known = self.head.pending.iter().any(|other| other.kind == finding.kind);
        if !known {
            self.add(finding);
        }
        self.opened = seen;
        self.head.floor = self.head.last_seq().max(seen.seq);
        self.head.generation = self.head.generation.max(seen.generation);
        self.save(Closed::No)
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

/// Runs a checkpoint that has to be complete.
fn checkpoint(connection: &Connection, mode: &str) -> Result<(), StoreFault> {
    let (busy, frames, done): (i64, i64, i64) =
        connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    if busy == 0 && frames == done { Ok(()) } else { Err(StoreFault::Io) }
}

#[cfg(test)]
mod tests;
