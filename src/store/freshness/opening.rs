//! What is found when a vault is opened: whether it is the acknowledged one, and if not, what is wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::disk::{durable, layout};
use crate::freshness::Freshness;
use crate::freshness::head::{Closed, Commit, Head};
use crate::freshness::pages::{self, PAGE, Table, Tag, earlier};
use crate::freshness::wal::LogPosition;
use crate::inbox::remembered::RememberedVault;
use wardkeep_model::keeping::{Finding, FindingKind, StoreFault};

/// The log as it was found.
#[derive(Debug, Default)]
struct Scan {
    end: LogPosition,
    /// The log that the head names.
    same: bool,
    /// What the head acknowledges is in it as it was.
    whole: bool,
    /// Commits after that.
    more: u32,
    /// Rolling digest before and after everything in it.
    rolls: ([u8; 32], [u8; 32]),
    masked: BTreeMap<u32, Tag>,
    /// Pages of the database after its last commit.
    size: Option<u32>,
}

/// A log that was set aside.
#[derive(Debug)]
pub struct Aside {
    log: PathBuf,
    aside: PathBuf,
}

impl Aside {
    /// Puts it back.
    ///
    /// # Errors
    /// As renaming a file.
    pub fn undo(self) -> Result<(), StoreFault> {
        durable::rename(&self.aside, &self.log)
    }
}

impl Freshness {
    /// Sets a log aside that hides a database which has everything: an older log, or one that was cut
    /// after it was folded. `row` is what the database says with it. `None` if the log is in order, or
    /// nothing is known without it.
    ///
    /// # Errors
    /// As reading and writing files.
    pub fn set_log_aside(
        &mut self,
        row: Result<Option<Commit>, StoreFault>,
    ) -> Result<Option<Aside>, StoreFault> {
        let slots = self.slots.read()?;
        let Some(head) = slots.head.filter(|head| head.folded) else { return Ok(None) };
        let scan = self.scan(Some(&head))?;
        self.saved = head.generation;
        self.head = head;
        let finding = match row {
            Ok(row) => self.judge(row, &scan).err().flatten(),
            Err(StoreFault::Damaged) => Some(self.gone(self.head.commit)),
            Err(_) => None,
        };
        let hides = finding.filter(|finding| finding.kind != FindingKind::HeadOlder);
        let Some(finding) = hides.filter(|_| scan.end.extent.frames > 0) else { return Ok(None) };
        // Nothing is gone, if it is only this.
        self.add(Finding { kind: FindingKind::VaultOlder, count: 0, ..finding });
        self.save(Closed::No)?;
        let log = layout::log(&self.database);
        let aside = layout::log_aside(&self.database);
        durable::rename(&log, &aside)?;
        self.log = crate::freshness::Log::of(&self.database);
        Ok(Some(Aside { log, aside }))
    }

    /// Whether the database is at the commit that the head names.
    pub fn is_at(&self, row: Option<Commit>) -> bool {
        row == Some(self.head.commit)
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
        let Commit { seq, rows, .. } = row.unwrap_or_default();
        let opened = RememberedVault { seq, rows, generation: self.saved };
        self.opened = (opened, self.head.closed == Closed::Remembered);
        let found = match (known, row) {
            (true, _) => self.judge(row, &scan),
            (false, None) => Err(None),
            (false, Some(_)) if self.vouched => Err(None),
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
        self.masked = scan.masked;
        self.size = scan.size;
        self.unmasked = self.head.folded;
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
            scan.size = Some(commit.size);
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
        self.table = Table::unknown(u32::try_from(pages).unwrap_or(u32::MAX));
        let Some(id) = self.head.table else { return Ok(false) };
        if !id.tree {
            return self.load_earlier_table(&id);
        }
        earlier::remove(&self.database)?;
        match self.tables.read(&id)? {
            pages::Found::Table(table) => {
                self.table = table;
                return Ok(false);
            }
            pages::Found::Older(seq) => self.no_table(Some(seq)),
            pages::Found::Nothing => self.no_table(None),
        }
        Ok(true)
    }

    /// Makes the table of an earlier program a tree.
    fn load_earlier_table(&mut self, id: &pages::TableId) -> Result<bool, StoreFault> {
        match earlier::read(&self.database, &self.key, id)? {
            earlier::Found::Tags(tags) => {
                let pages = u32::try_from(tags.len()).unwrap_or(u32::MAX);
                let all: BTreeMap<u32, Tag> = (1..).zip(tags).collect();
                let empty = Table::unknown(0);
                let written = self.tables.write(&empty, (&all, pages), self.next_table())?;
                (self.table, self.head.table) = (written.table, Some(written.id));
            }
            earlier::Found::Older(seq) => self.no_table(Some(seq)),
            earlier::Found::Nothing => self.no_table(None),
        }
        Ok(true)
    }

    /// The table that the head names is not there, or an earlier one is.
    fn no_table(&mut self, found: Option<u64>) {
        let expected = self.head.table.take().map(|id| id.seq);
        self.add(Finding { found, expected, ..Finding::of(FindingKind::HeadOlder, 1) });
    }

    /// Compares what was found at the open with what the inbox remembers.
    ///
    /// # Errors
    /// As writing a file.
    pub fn check_remembered(&mut self, seen: RememberedVault) -> Result<(), StoreFault> {
        let (opened, remembered) = self.opened;
        let (found, expected) = (Some(opened.seq), Some(seen.seq));
        let finding = if opened.seq.max(self.head.floor) < seen.seq {
            let count = seen.rows.saturating_sub(opened.rows);
            Finding { found, expected, ..Finding::of(FindingKind::VaultOlder, count) }
        } else if opened.generation < seen.generation {
            Finding { found, expected, ..Finding::of(FindingKind::HeadOlder, 1) }
        } else if remembered && seen.generation + 1 < opened.generation {
            let (found, expected) = (Some(seen.seq), Some(opened.seq));
            Finding { found, expected, ..Finding::of(FindingKind::InboxOlder, 1) }
        } else {
            return Ok(());
        };
        let known = self.head.pending.iter().any(|other| other.kind == finding.kind);
        if !known {
            self.add(finding);
        }
        self.opened = (seen, false);
        self.head.floor = self.head.last_seq().max(seen.seq);
        self.head.generation = self.head.generation.max(seen.generation);
        self.save(Closed::No)
    }
}
