//! Everything that somebody with the disk can do to sealed records, one change at a time, and what
//! the import says of it. The numbers of changes are printed.

#![expect(clippy::print_stderr, reason = "the counts are the output")]

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use proptest::prelude::*;

use crate::import::ledger::Ledger;
use crate::import::opener::{Delivery, SegmentOpener, Source};
use crate::import::tests::{Bench, at, bench, count, entry};
use crate::inbox::Inbox;
use crate::inbox::remembered::Cursor;
use crate::inbox::segment::{HEADER_LEN, Lane};
use crate::keys::ring::Keyring;
use crate::keys::vault_keys::VaultKeys;
use crate::record::entry::Entry;
use wardkeep_model::keeping::{Finding, FindingKind};
use wardkeep_model::moment::Moment;

use FindingKind::{
    InboxOlder, RecordsForged as Forged, RecordsMissing as Missing, RecordsMoved as Moved,
    RecordsRepeated as Repeated,
};

type Files = Vec<(String, Vec<u8>)>;

/// An inbox of three segments with eight records each, made at the seconds 1 to 24.
struct Template {
    bench: Bench,
    files: Files,
    /// Before the last segment was written.
    old_head: Vec<u8>,
}

/// What an import says, by kind, and which seconds' records it keeps.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    found: Vec<Finding>,
    kept: Vec<i64>,
    cursor: Cursor,
}

impl Told {
    fn counts(&self) -> [u64; 4] {
        [Missing, Forged, Moved, Repeated].map(|kind| count(&self.found, &[kind]))
    }

    fn span(&self, kind: FindingKind) -> (i64, i64) {
        let finding = self.found.iter().find(|finding| finding.kind == kind).unwrap();
        let (from, until) = finding.span.unwrap();
        (from.as_second(), until.as_second())
    }
}

const NOW: i64 = 1000;

impl Template {
    fn new(per_segment: i64) -> Self {
        let mut bench = bench();
        let mut old_head = Vec::new();
        for segment in 0..3 {
            old_head = fs::read(bench.path().join("head")).unwrap();
            bench.push(segment * per_segment + 1..segment * per_segment + 1 + per_segment);
            bench.inbox.roll().unwrap();
        }
        let files = read(&bench);
        Self { bench, files, old_head }
    }

    /// What the import says of these files.
    fn told(&self, files: &Files) -> Told {
        self.told_since(files, Cursor { next_seq: 1, next_wave: 1, ..Cursor::default() })
    }

    fn told_since(&self, files: &Files, cursor: Cursor) -> Told {
        let dir = self.bench.path();
        fs::remove_dir_all(&dir).unwrap();
        fs::create_dir(&dir).unwrap();
        self.bench.forget_seen();
        for (name, content) in files {
            fs::write(dir.join(name), content).unwrap();
        }
        let (keys, ring) = (&self.bench.keys, &self.bench.ring);
        let inbox = Inbox::resume(&dir, keys, ring, Moment::read()).unwrap();
        let source = Source {
            dir,
            headers: keys.inbox(),
            keys: self.bench.vault_keys.inbox_keys(),
            ends: inbox.ends(),
        };
        let mut ledger = Ledger::new(cursor);
        let mut kept = Vec::new();
        let mut opener = SegmentOpener::start(source).unwrap();
        loop {
            match opener.next_blocking() {
                Delivery::Planned(_) => {}
                Delivery::Segment(segment) => match segment.body {
                    Some(body) => kept.extend(ledger.book(body, at(NOW).wall)),
                    None => ledger.book_stranger(),
                },
                Delivery::Fault(fault) => panic!("{fault}"),
                Delivery::Done => break,
            }
        }
        ledger.finish(inbox.ends(), at(NOW).wall);
        let seconds = kept.iter().map(|entry| match entry {
            Entry::Audit(entry) => entry.at.as_second(),
            Entry::Observation(_) | Entry::Wave(_) | Entry::Alarm(_) | Entry::Spot(_) => {
                panic!("{entry:?}")
            }
        });
        let mut kept: Vec<i64> = seconds.collect();
        kept.sort_unstable();
        Told { found: ledger.findings(at(NOW).wall), kept, cursor: ledger.cursor() }
    }

    /// Changes the records of one segment.
    fn with(&self, segment: usize, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Files {
        let mut files = self.files.clone();
        let bytes = &mut files[segment].1;
        let mut records = split(bytes);
        change(&mut records);
        bytes.truncate(HEADER_LEN);
        bytes.extend(records.concat());
        files
    }
}

/// The segments in their order, then the head.
fn read(bench: &Bench) -> Files {
    let mut names: Vec<PathBuf> = bench.segments();
    names.push(bench.path().join("head"));
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    names.iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

fn split(segment: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &segment[HEADER_LEN..];
    let mut records = Vec::new();
    while !rest.is_empty() {
        let len = u32::from_be_bytes(rest[..4].try_into().unwrap()) & 0x7fff_ffff;
        let (record, after) = rest.split_at(4 + len as usize);
        records.push(record.to_vec());
        rest = after;
    }
    records
}

fn without(gone: Range<i64>) -> Vec<i64> {
    (1..=24).filter(|second| !gone.contains(second)).collect()
}

#[test]
fn s8_each_record_deleted_duplicated_swapped_or_edited_is_reported_and_nothing_else() {
    let template = Template::new(8);
    let told = template.told(&template.files);
    assert_eq!((told.found, told.kept), (vec![], without(0..0)));
    let mut changes = 0;
    for (segment, index) in (0..3).flat_map(|segment| (0..8).map(move |index| (segment, index))) {
        let second = (segment * 8 + index + 1) as i64;
        let gone = second..second + 1;

        let told = template.told(&template.with(segment, |records| drop(records.remove(index))));
        assert_eq!((told.counts(), &told.kept), ([1, 0, 0, 0], &without(gone.clone())));
        let finding = told.found[0];
        assert_eq!(finding.expected, Some(second.cast_unsigned()));
        let until = if second == 24 { NOW } else { second + 1 };
        assert_eq!(told.span(Missing), (1.max(second - 1), until), "{second}");

        for to in 0..3 {
            let copy = split(&template.files[segment].1)[index].clone();
            let files = template.with(to, |records| records.insert(5, copy));
            let told = template.told(&files);
            let [missing, forged, moved, repeated] = told.counts();
            assert_eq!((missing, forged, repeated), (0, 0, 1), "{second} in segment {to}");
            // The first of the two comes too early, and before others of its own segment.
            let others = if to == segment { index.saturating_sub(5) as u64 } else { 0 };
            let early = u64::from(to < segment || others > 0);
            assert_eq!(moved, early + others, "{second} in segment {to}");
            assert_eq!(told.kept, without(0..0));
        }
        for other in (index + 1..8).step_by(2) {
            let told = template.told(&template.with(segment, |records| records.swap(index, other)));
            assert_eq!((told.counts(), told.kept), ([0, 0, 2, 0], without(0..0)));
            changes += 1;
        }
        // Length, bed, number, boot, both times, hash, tag, encapsulated key, ciphertext, its tag.
        let len = split(&template.files[segment].1)[index].len();
        let bytes = [1, 2, 3, 4, 19, 20, 27, 28, 43, 44, 52, 60, 91, 92, 124, 156, 188, len - 1];
        for byte in bytes {
            let told =
                template.told(&template.with(segment, |records| records[index][byte] ^= 0x11));
            let what = format!("byte {byte} of {second}: {:?}", told.found);
            assert_eq!(
                (told.counts(), &told.kept),
                ([0, 1, 0, 0], &without(gone.clone())),
                "{what}"
            );
            changes += 1;
        }
        changes += 4;
    }
    // Between two segments.
    for index in 0..8 {
        let mut files = template.files.clone();
        let (mut first, mut last) = (split(&files[0].1), split(&files[2].1));
        std::mem::swap(&mut first[index], &mut last[index]);
        for (segment, records) in [(0, first), (2, last)] {
            files[segment].1.truncate(HEADER_LEN);
            files[segment].1.extend(records.concat());
        }
        let told = template.told(&files);
        assert_eq!((told.counts(), told.kept), ([0, 0, 2, 0], without(0..0)));
        changes += 1;
    }
    eprintln!("{changes} changes of single records, {changes} reported");
}

#[test]
fn s8_each_segment_deleted_duplicated_swapped_edited_or_put_back_is_reported() {
    let template = Template::new(8);
    let mut changes = 0;
    let name = |segment: usize| template.files[segment].0.clone();
    for segment in 0..3 {
        let first = (segment * 8 + 1) as i64;
        let lost = without(first..first + 8);

        let mut files = template.files.clone();
        files.remove(segment);
        let told = template.told(&files);
        assert_eq!((told.counts(), &told.kept), ([8, 0, 0, 0], &lost));

        for number in [0, 0x77] {
            let mut files = template.files.clone();
            files.push((Lane::Values.file_name(number), files[segment].1.clone()));
            let told = template.told(&files);
            assert_eq!((told.counts(), told.kept), ([0, 0, 0, 8], without(0..0)));
        }
        for other in segment + 1..3 {
            let mut files = template.files.clone();
            (files[segment].0, files[other].0) = (name(other), name(segment));
            let told = template.told(&files);
            assert_eq!((told.counts(), told.kept), ([0, 0, 16, 0], without(0..0)));
            changes += 1;
        }
        for byte in (segment..HEADER_LEN).step_by(3) {
            let mut files = template.files.clone();
            files[segment].1[byte] ^= 0x40;
            let told = template.told(&files);
            assert_eq!((told.counts(), &told.kept), ([8, 1, 0, 0], &lost), "byte {byte}");
            changes += 1;
        }
        // Put back after it was imported, with and without the others.
        let cursor = template.told(&template.files).cursor;
        let mut files = template.files.clone();
        files.retain(|(file, _)| *file == name(segment) || file == "head");
        let told = template.told_since(&files, cursor);
        assert_eq!((told.counts(), told.kept), ([0, 0, 0, 8], vec![]));
        // In the other lane.
        let mut files = template.files.clone();
        files[segment].0 = Lane::Waves.file_name(1);
        let told = template.told(&files);
        assert_eq!((told.counts(), told.kept), ([0, 0, 8, 0], without(0..0)));
        changes += 5;
    }
    eprintln!("{changes} changes of whole segments, {changes} reported");
}

#[test]
fn s8_a_segment_of_another_epoch_or_an_old_head_is_reported() {
    let mut template = Template::new(8);
    // The same machine after its keys were changed.
    let other = VaultKeys::generate().unwrap();
    let mut ring = Keyring::new(&template.bench.keys, &other).unwrap();
    ring.device = template.bench.ring.device;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("inbox");
    Inbox::create(&path, &template.bench.keys, &ring, &other).unwrap();
    let head = fs::read(path.join("head")).unwrap();
    let mut files = template.files.clone();
    files.truncate(1);
    files.push(("head".into(), head));
    (template.bench.vault_keys, template.bench.ring) = (other, ring);
    let told = template.told(&files);
    assert_eq!(told.counts(), [0, 8, 0, 0]);
    assert_eq!(told.kept, Vec::<i64>::new());

    let mut bench = bench();
    bench.push(1..5);
    let old = fs::read(bench.path().join("head")).unwrap();
    bench.import_all();
    fs::write(bench.path().join("head"), old).unwrap();
    bench.forget_seen();
    bench.resume();
    let (_, found) = bench.import_all();
    assert_eq!(count(&found, &[InboxOlder]), 1, "{found:?}");
}

#[test]
fn s8_a_short_segment_cut_at_every_byte_loses_nothing_silently() {
    let template = Template::new(2);
    let whole = &template.files[2].1;
    let ends: Vec<usize> = split(whole)
        .iter()
        .scan(HEADER_LEN, |end, record| {
            *end += record.len();
            Some(*end)
        })
        .collect();
    for cut in 0..whole.len() {
        let mut files = template.files.clone();
        files[2].1.truncate(cut);
        let kept = 4 + ends.iter().filter(|end| **end <= cut).count() as i64;
        // Acknowledged, as the head says: all that is gone is told.
        let told = template.told(&files);
        let [missing, forged, moved, repeated] = told.counts();
        assert_eq!(told.kept, (1..=kept).collect::<Vec<_>>(), "cut at {cut}");
        let gone = (6 - kept).cast_unsigned();
        assert!(missing <= gone && missing + forged >= gone, "cut at {cut}: {told:?}");
        assert_eq!((moved, repeated), (0, 0));
        // As after a power cut in the middle of the last write: nothing of it was acknowledged.
        files[3].1.clone_from(&template.old_head);
        files[2].1.resize(64 * 1024, 0);
        let told = template.told(&files);
        assert_eq!(told.found, vec![], "torn at {cut}");
        // A record that ends in zeros is whole again.
        let is_whole =
            |end: &&usize| whole.get(cut..**end).is_none_or(|rest| rest.iter().all(|b| *b == 0));
        let kept = 4 + ends.iter().filter(is_whole).count() as i64;
        assert_eq!(told.kept, (1..=kept).collect::<Vec<_>>(), "torn at {cut}");
    }
    eprintln!("{} cuts, each told or never acknowledged", 2 * whole.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever lies there as a segment: no panic, and only what was sealed is imported.
    #[test]
    fn s8_any_bytes_as_a_segment_import_nothing_that_was_not_sealed(
        noise in prop::collection::vec(any::<u8>(), 0..600),
        at in any::<prop::sample::Index>(),
        len in 0_usize..400,
        (keep_front, segment) in (any::<bool>(), 0_usize..3),
    ) {
        let template = Template::new(3);
        let mut files = template.files.clone();
        let bytes = &mut files[segment].1;
        if keep_front {
            let begin = at.index(bytes.len());
            let end = (begin + len).min(bytes.len());
            bytes.splice(begin..end, noise);
        } else {
            *bytes = noise;
        }
        let is_same = *bytes == template.files[segment].1;
        let told = template.told(&files);
        prop_assert!(told.kept.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", told.kept);
        prop_assert!(told.kept.iter().all(|second| (1..=9).contains(second)));
        prop_assert!(is_same || !told.found.is_empty(), "{:?}", told);
        prop_assert!(told.kept.len() >= 6, "the other segments are whole");
        prop_assert!(entry(1).encode().is_ok());
    }
}
