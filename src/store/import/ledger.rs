//! The import's book-keeping: which numbers came, in what order, and what is to be reported.
//!
//! S-8: in each lane every number comes once and in order. A number that never comes is *missing*, an
//! authentic record out of its order is *moved*, one that was there already is *repeated*, and what
//! does not authenticate where it lies is *forged*. Each is counted once, with the numbers and the
//! times of its neighbours. A record that was only moved or repeated is kept all the same: the vault
//! holds an observation once however often it comes.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;

use crate::import::opener::{Authentic, Body, OpenedPiece};
use crate::inbox::ends::Ends;
use crate::inbox::remembered::{Cursor, TOGETHER};
use crate::inbox::segment::Lane;
use crate::record::entry::Entry;
use wardkeep_model::keeping::{Finding, FindingKind};

/// Gaps remembered in case a record was only moved, and records that came too early.
const REMEMBERED_MAX: usize = 4096;
/// Findings of a kind; what is beyond is added to the last.
const FINDINGS_MAX: usize = 16;

type Span = Option<(Timestamp, Timestamp)>;

/// Numbers that did not come.
#[derive(Clone, Debug)]
struct Hole {
    range: Range<u64>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    /// Something forged lay in its place and is reported.
    explained: bool,
}

/// One lane's numbers.
#[derive(Clone, Debug)]
struct Numbers {
    /// The number that comes next.
    next: u64,
    holes: Vec<Hole>,
    /// Numbers from `next` on that came already.
    early: BTreeSet<u64>,
    /// When the last record before `next` was made.
    last: Option<Timestamp>,
    /// Number and hash of the record placed last in order.
    tail: Option<(u64, [u8; 32])>,
}

/// What an import found.
#[derive(Clone, Debug)]
pub struct Ledger {
    values: Numbers,
    waves: Numbers,
    waves_given_up: u64,
    found: Vec<Finding>,
    /// Fingerprints of the last segments.
    pub last_segments: [u64; TOGETHER],
    /// Records that were handed on.
    pub imported: u64,
}

impl Ledger {
    /// From where the vault's last import ended.
    pub fn new(cursor: Cursor) -> Self {
        let at = Timestamp::from_microsecond(cursor.at).ok().filter(|_| cursor.at != 0);
        let numbers = |next, last| Numbers {
            next,
            holes: Vec::new(),
            early: BTreeSet::new(),
            last,
            tail: None,
        };
        Self {
            values: numbers(cursor.next_seq, at),
            waves: numbers(cursor.next_wave, None),
            waves_given_up: cursor.waves_given_up,
            found: Vec::new(),
            last_segments: cursor.last_segments,
            imported: 0,
        }
    }

    /// How far the import is, for the vault.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            next_seq: self.values.next,
            next_wave: self.waves.next,
            waves_given_up: self.waves_given_up,
            at: self.values.last.map_or(0, Timestamp::as_microsecond),
            last_segments: self.last_segments,
        }
    }

    fn lane(&mut self, lane: Lane) -> &mut Numbers {
        match lane {
            Lane::Values => &mut self.values,
            Lane::Waves => &mut self.waves,
        }
    }

    /// What is to be reported, as far as the import came.
    pub fn findings(&self, now: Timestamp) -> Vec<Finding> {
        let mut found = self.found.clone();
        let waves = self.waves.holes.iter().map(|hole| (hole, self.waves_given_up));
        for (hole, given_up) in self.values.holes.iter().map(|hole| (hole, 0)).chain(waves) {
            let start = hole.range.start.max(given_up);
            if hole.explained || start >= hole.range.end {
                continue;
            }
            let until = hole.until.unwrap_or(now);
            let finding = Finding {
                found: Some(hole.range.end),
                expected: Some(start),
                span: span(hole.from.unwrap_or(until), until),
                ..Finding::of(FindingKind::RecordsMissing, hole.range.end - start)
            };
            add(&mut found, finding);
        }
        found
    }

    /// Whether something that was read is not as it was written.
    pub(super) fn is_suspicious(&self, before: &Ledger) -> bool {
        let bad = |ledger: &Ledger| -> u64 {
            let forged = ledger.found.iter().filter(|finding| finding.kind == FORGED);
            forged.map(|finding| finding.count).sum()
        };
        bad(self) > bad(before)
    }

    /// A file that is no segment of ours, or of another version.
    pub(super) fn book_stranger(&mut self) {
        add(&mut self.found, Finding::of(FORGED, 1));
    }

    /// The inbox's head was older than the vault's last import.
    pub(super) fn book_old_head(&mut self, found: u64) {
        let expected = Some(self.values.next);
        let finding =
            Finding { found: Some(found), expected, ..Finding::of(FindingKind::InboxOlder, 1) };
        add(&mut self.found, finding);
    }

    /// Books a segment; gives the entries that have to be kept.
    pub(super) fn book(&mut self, body: Body, now: Timestamp) -> Vec<Entry> {
        let Body { header, is_misnamed, end, is_last, until, pieces } = body;
        let lane = header.lane;
        if header.orphan.is_some() {
            self.restart(lane, header.chain_first_seq, (header.since, now));
        }
        self.lane(lane).gap_to(header.first_seq, Some(header.since));
        let numbers = self.lane(lane);
        numbers.last = numbers.last.or(Some(header.since));
        let begin = numbers.next;
        self.book_forged(&pieces, (header.since, until.unwrap_or(now)));
        let mut forged = Vec::new();
        let mut records = Vec::new();
        for piece in pieces {
            match piece {
                OpenedPiece::Authentic(record) => records.push(record),
                OpenedPiece::Forged(seq) => forged.push(seq),
                // A segment with one is not imported by this program.
                OpenedPiece::Later => {}
            }
        }
        // Records of later segments lie beyond the end; after the last segment there are none.
        let beyond = if is_last { None } else { end };
        let mut placed = self.place_all(lane, records, (header.first_seq, beyond));
        let numbers = self.lane(lane);
        if let Some(end) = end {
            numbers.gap_to(end, until);
        }
        forged.into_iter().for_each(|seq| numbers.explain(begin, seq));
        if is_misnamed && placed.new > 0 {
            let span = span(header.since, until.unwrap_or(now));
            let moved = Finding::of(FindingKind::RecordsMoved, placed.new - placed.moved);
            add(&mut self.found, Finding { found: Some(header.first_seq), span, ..moved });
        }
        self.imported += placed.new;
        self.note_given_up(&placed.entries);
        std::mem::take(&mut placed.entries)
    }

    /// The end of everything that was sealed.
    pub fn finish(&mut self, ends: Ends, now: Timestamp) {
        for lane in Lane::ALL {
            let end = ends.of(lane);
            if let Some(first) = end.restarted_at {
                self.restart(lane, first, (now, now));
            }
            self.lane(lane).gap_to(end.seq, Some(now));
        }
    }

    /// A chain that was begun without the vault jumps ahead; how many records were lost before it
    /// nobody can know.
    fn restart(&mut self, lane: Lane, first: u64, (since, now): (Timestamp, Timestamp)) {
        let numbers = self.lane(lane);
        if numbers.next >= first {
            return;
        }
        numbers.tail = None;
        let expected = Some(std::mem::replace(&mut numbers.next, first));
        let span = span(numbers.last.unwrap_or(since), since.min(now));
        let finding = Finding::of(FindingKind::BacklogRestarted, 1);
        // One head file was lost, whichever lane shows it.
        let is_told = self.found.iter().any(|one| one.kind == FindingKind::BacklogRestarted);
        if !is_told {
            add(&mut self.found, Finding { found: Some(first), expected, span, ..finding });
        }
    }

    fn note_given_up(&mut self, entries: &[Entry]) {
        for entry in entries {
            if let Entry::Audit(entry) = entry
                && let Some(finding) = &entry.finding
                && finding.kind == FindingKind::WaveformsGivenUp
            {
                self.waves_given_up = self.waves_given_up.max(finding.expected.unwrap_or(0));
            }
        }
    }

    /// Reports what does not authenticate, each stretch with the times of its neighbours.
    fn book_forged(&mut self, pieces: &[OpenedPiece], (since, until): (Timestamp, Timestamp)) {
        let mut from = since;
        let mut count = 0;
        let mut first = None;
        let mut end = |count: &mut u64, first: &mut Option<u64>, span: Span| {
            if *count > 0 {
                let found = first.take();
                let finding = Finding { found, span, ..Finding::of(FORGED, *count) };
                add(&mut self.found, finding);
                *count = 0;
            }
        };
        for piece in pieces {
            match piece {
                OpenedPiece::Authentic(record) => {
                    end(&mut count, &mut first, span(from, record.wall));
                    from = record.wall;
                }
                OpenedPiece::Forged(seq) => {
                    first = first.or(*seq);
                    count += 1;
                }
                OpenedPiece::Later => {}
            }
        }
        end(&mut count, &mut first, span(from, until));
    }

    fn place_all(
        &mut self,
        lane: Lane,
        records: Vec<Authentic>,
        (first, beyond): (u64, Option<u64>),
    ) -> Placed {
        let moved = moved(&records, (first, beyond));
        let mut records: Vec<(Authentic, bool)> = records.into_iter().zip(moved).collect();
        records.sort_by_key(|(record, _)| record.seq);
        let mut placed = Placed::default();
        for (record, is_moved) in records {
            let place = match lane {
                Lane::Values => self.values.place(&record, beyond),
                Lane::Waves => self.waves.place(&record, beyond),
            };
            let kind = match place {
                Arrival::InOrder if is_moved => Some(FindingKind::RecordsMoved),
                Arrival::InOrder => None,
                Arrival::OutOfOrder => Some(FindingKind::RecordsMoved),
                Arrival::Again => Some(FindingKind::RecordsRepeated),
                Arrival::Unlinked => Some(FORGED),
            };
            if let Some(kind) = kind {
                let (found, span) = (Some(record.seq), span(record.wall, record.wall));
                add(&mut self.found, Finding { found, span, ..Finding::of(kind, 1) });
            }
            if place == Arrival::Unlinked {
                continue;
            }
            let is_again = place == Arrival::Again;
            placed.new += u64::from(!is_again);
            placed.moved += u64::from(kind == Some(FindingKind::RecordsMoved));
            // An audit entry has no identity by which the vault would know that it has it.
            if !is_again || !matches!(record.entry, Entry::Audit(_)) {
                placed.entries.push(record.entry);
            }
        }
        placed
    }
}

const FORGED: FindingKind = FindingKind::RecordsForged;

#[derive(Default)]
struct Placed {
    entries: Vec<Entry>,
    new: u64,
    moved: u64,
}

/// Where a record's number lies among those that came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrival {
    InOrder,
    OutOfOrder,
    Again,
    /// It does not name the hash of the record before.
    Unlinked,
}

impl Numbers {
    /// The numbers up to here did not come, save those that came early.
    fn gap_to(&mut self, end: u64, until: Option<Timestamp>) {
        let from = self.last;
        while self.next < end {
            let early = self.early.first().copied().filter(|early| *early < end);
            let range = self.next..early.unwrap_or(end);
            if !range.is_empty() {
                self.remember(Hole { range, from, until, explained: false });
            }
            self.next = match early {
                Some(early) => {
                    self.early.remove(&early);
                    early + 1
                }
                None => end,
            };
        }
    }

    fn remember(&mut self, hole: Hole) {
        let is_full = self.holes.len() >= REMEMBERED_MAX;
        match self.holes.last_mut() {
            Some(last) if last.range.end == hole.range.start && !last.explained => {
                last.range.end = hole.range.end;
                last.until = hole.until;
            }
            Some(last) if is_full => {
                // Far more than can be shown; the count is kept by giving it to the last one.
                last.range.end = last.range.end.saturating_add(hole.range.end - hole.range.start);
                last.until = hole.until;
            }
            Some(_) | None => self.holes.push(hole),
        }
    }

    fn place(&mut self, record: &Authentic, beyond: Option<u64>) -> Arrival {
        let seq = record.seq;
        if beyond.is_some_and(|beyond| seq >= beyond) && seq >= self.next {
            let is_new = self.early.len() < REMEMBERED_MAX && self.early.insert(seq);
            return if is_new { Arrival::OutOfOrder } else { Arrival::Again };
        }
        if seq >= self.next {
            let before = self.tail.filter(|(before, _)| before + 1 == seq);
            if before.is_some_and(|(_, hash)| hash != record.prev) {
                self.next = seq + 1;
                return Arrival::Unlinked;
            }
            self.tail = Some((seq, record.hash));
            if self.early.remove(&seq) {
                self.gap_to(seq, Some(record.wall));
                (self.next, self.last) = (seq + 1, Some(record.wall));
                return Arrival::Again;
            }
            self.gap_to(seq, Some(record.wall));
            if let Some(hole) = self.holes.last_mut() {
                hole.until = hole.until.or(Some(record.wall));
            }
            (self.next, self.last) = (seq + 1, Some(record.wall));
            return Arrival::InOrder;
        }
        if self.take_out(seq, false) { Arrival::OutOfOrder } else { Arrival::Again }
    }

    /// Takes a number out of the hole that it is in; `explain` leaves it there, as explained.
    fn take_out(&mut self, seq: u64, explain: bool) -> bool {
        let Some(index) = self.holes.iter().position(|hole| hole.range.contains(&seq)) else {
            return false;
        };
        let hole = self.holes.remove(index);
        let mut part = |range: Range<u64>, explained| {
            if !range.is_empty() {
                self.holes.push(Hole { range, explained, ..hole.clone() });
            }
        };
        part(hole.range.start..seq, hole.explained);
        part(seq + 1..hole.range.end, hole.explained);
        if explain {
            part(seq..seq + 1, true);
        }
        true
    }

    /// Something forged stands for a number that did not come: the one that it gives itself, or else
    /// the first that is open in its segment.
    fn explain(&mut self, begin: u64, seq: Option<u64>) {
        let is_open = |hole: &&Hole| !hole.explained && hole.range.end > begin;
        let open =
            |seq: u64| self.holes.iter().filter(is_open).any(|hole| hole.range.contains(&seq));
        let first = self.holes.iter().filter(is_open).map(|hole| hole.range.start.max(begin)).min();
        if let Some(seq) = seq.filter(|seq| *seq >= begin && open(*seq)).or(first) {
            self.take_out(seq, true);
        }
    }
}

/// Which records do not lie where their numbers would put them among those of the segment.
fn moved(records: &[Authentic], (first, beyond): (u64, Option<u64>)) -> Vec<bool> {
    let mut seen = BTreeSet::new();
    let own: Vec<bool> = records
        .iter()
        .map(|record| {
            let is_own = record.seq >= first && beyond.is_none_or(|beyond| record.seq < beyond);
            is_own && seen.insert(record.seq)
        })
        .collect();
    let mut sorted = seen.into_iter();
    let moved = records.iter().zip(own);
    moved.map(|(record, own)| own && sorted.next() != Some(record.seq)).collect()
}

fn span(from: Timestamp, until: Timestamp) -> Span {
    // A clock that was set back between the two would turn them round.
    Some((from.min(until), from.max(until)))
}

/// Adds a finding; one that follows the last of its kind, or is one too many, is added to that.
fn add(found: &mut Vec<Finding>, finding: Finding) {
    let of_kind = found.iter().filter(|one| one.kind == finding.kind).count();
    let last = found.iter_mut().rev().find(|one| one.kind == finding.kind);
    if let Some(last) = last
        && (of_kind >= FINDINGS_MAX || follows(last, &finding))
    {
        last.count = last.count.saturating_add(finding.count);
        if finding.kind == FindingKind::RecordsMissing {
            last.found = finding.found;
        }
        last.span = match (last.span, finding.span) {
            (Some((from, until)), Some((also_from, also_until))) => {
                Some((from.min(also_from), until.max(also_until)))
            }
            (one, other) => one.or(other),
        };
        return;
    }
    found.push(finding);
}

/// Whether two findings about single records lie side by side.
fn follows(last: &Finding, finding: &Finding) -> bool {
    let is_single =
        matches!(finding.kind, FindingKind::RecordsMoved | FindingKind::RecordsRepeated);
    is_single && last.found.zip(finding.found).is_some_and(|(first, seq)| first + last.count == seq)
}
