//! The import against whoever knows everything on the disk, and against kills in its middle.

mod hardship;
mod tampering;

use std::collections::BTreeSet;
use std::fs;
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::crypto::batch::{Opener, Sealer};
use crate::crypto::{Key, hash, mac, random, seal_to};
use crate::disk::durable::steps;
use crate::disk::layout;
use crate::import::{ImportRun, Step};
use crate::inbox::Inbox;
use crate::inbox::chain::{Walk, next_key};
use crate::inbox::remembered::Cursor;
use crate::inbox::segment::{
    BATCH_INFO, Front, HEADER_LEN, Header, INFO, Lane, Piece, Sealing, framed, open_segment, pieces,
};
use crate::keys::ring::Keyring;
use crate::keys::vault_keys::VaultKeys;
use crate::machine::device_secret::DeviceKeys;
use crate::record::entry::Entry;
use crate::vault::Vault;
use crate::vault::{audit, entries};
use wardkeep_model::access::lockout::BootId;
use wardkeep_model::keeping::{AuditAct, AuditEntry, Finding, FindingKind, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

/// A start of the machine.
pub(crate) const BOOT: BootId = BootId(0x7c1e_93aa_5d20_4f6b_9e11_cc08_2b57_e4d9);

pub(crate) struct Bench {
    dir: tempfile::TempDir,
    pub(crate) keys: DeviceKeys,
    pub(crate) vault_keys: VaultKeys,
    pub(crate) ring: Keyring,
    pub(crate) inbox: Inbox,
    vault: Vault,
}

/// What an import found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    imported: u64,
    missing: u64,
    forged: u64,
}

pub(crate) fn count(found: &[Finding], kinds: &[FindingKind]) -> u64 {
    let of = found.iter().filter(|finding| kinds.contains(&finding.kind));
    of.map(|finding| finding.count).sum()
}

pub(crate) fn at(second: i64) -> Moment {
    let wall = jiff::Timestamp::from_second(second).unwrap();
    Moment { boot: BootTime::default(), wall }
}

pub(crate) fn entry(second: i64) -> Entry {
    Entry::Audit(Box::new(AuditEntry::of(AuditAct::AlarmAcknowledged, at(second).wall)))
}

/// An inbox that was found again and records.
pub(crate) fn resumed(dir: &Path, keys: &DeviceKeys, ring: &Keyring) -> Inbox {
    let mut inbox = Inbox::resume(dir, keys, ring, Moment::read()).unwrap();
    inbox.begin().unwrap();
    inbox
}

pub(crate) fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let keys = DeviceKeys::new(Key::random().unwrap());
    let vault_keys = VaultKeys::generate().unwrap();
    let ring = Keyring::new(&keys, &vault_keys).unwrap();
    let path = dir.path().join("inbox");
    Inbox::create(&path, &keys, &ring, &vault_keys).unwrap();
    let inbox = resumed(&path, &keys, &ring);
    let vault = Vault::create(&dir.path().join("v"), &vault_keys).unwrap();
    Bench { dir, keys, vault_keys, ring, inbox, vault }
}

impl Bench {
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("inbox")
    }

    /// Takes away what the other parts remember, as if they had been put back with the inbox.
    pub(crate) fn forget_seen(&self) {
        for name in layout::SEEN {
            let path = self.dir.path().join(name);
            if path.exists() {
                fs::remove_file(path).unwrap();
            }
        }
    }

    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let segments = Lane::Values.segments(&self.path()).unwrap();
        segments.into_iter().map(|(_, path)| path).collect()
    }

    pub(crate) fn push(&mut self, seconds: Range<i64>) {
        let begin = at(seconds.start);
        for second in seconds {
            self.inbox.push(&entry(second), at(second), BOOT).unwrap();
        }
        self.inbox.flush(Lane::Values, begin).unwrap();
    }

    pub(crate) fn resume(&mut self) {
        self.inbox = resumed(&self.path(), &self.keys, &self.ring);
    }

    pub(crate) fn plan(&mut self) -> ImportRun {
        self.inbox.roll().unwrap();
        ImportRun::plan(&self.inbox, &self.vault, &self.vault_keys).unwrap()
    }

    pub(crate) fn step(&mut self, run: &mut ImportRun) -> Step {
        let next = run.opened_blocking();
        run.step(next, (&self.inbox, &self.vault_keys), &mut self.vault, Moment::read().wall)
            .unwrap()
    }

    pub(crate) fn import_all(&mut self) -> (u64, Vec<Finding>) {
        let mut run = self.plan();
        loop {
            if let Step::Done(import) = self.step(&mut run) {
                return (import.imported, run.findings(at(1_000_000).wall));
            }
        }
    }

    pub(crate) fn kept(&self) -> Vec<i64> {
        audit::all(&self.vault).unwrap().iter().map(|(_, entry)| entry.at.as_second()).collect()
    }

    fn import(&mut self) -> (Counts, Vec<i64>) {
        let (imported, found) = self.import_all();
        let missing = count(&found, &[FindingKind::RecordsMissing]);
        let forged = count(
            &found,
            &[FindingKind::RecordsForged, FindingKind::RecordsRepeated, FindingKind::RecordsMoved],
        );
        (Counts { imported, missing, forged }, self.kept())
    }
}

/// Appends a record that anybody with the public key and the segment's header could make.
fn forge(bench: &mut Bench, seq: u64) {
    let guess: [u8; 32] = random().unwrap();
    append(bench, seq, (&entry(666).encode().unwrap(), &guess));
}

fn append(bench: &mut Bench, seq: u64, (plain, key): (&[u8], &[u8; 32])) {
    bench.inbox.roll().unwrap();
    let path = bench.segments().pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    let (header, _) = open_segment(&bench.keys.inbox(), &bytes).unwrap();
    let at = at(666);
    let (bed, prev) = ([3; 16], [7; 32]);
    let front = Front { bed, seq, boot: BOOT, since_boot: at.boot, wall: at.wall, prev }.encode();
    let mut sealer = Sealer::to(&bench.ring.inbox, BATCH_INFO).unwrap();
    let sealed = sealer.seal(seq, &[&header.device, &front[..]].concat(), plain).unwrap();
    let tag = mac(key, &[&front, &sealed]);
    let body = [&front[..], &tag, &sealed].concat();
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(&framed(&body)).unwrap();
}

/// Writes all segments anew as a program before 0.2 would have written them.
fn as_version_2(bench: &Bench) {
    let keys = bench.vault_keys.inbox_keys();
    let (mut walk, mut prev) = (None, [0; 32]);
    for path in bench.segments() {
        let bytes = fs::read(&path).unwrap();
        let (header, records) = open_segment(&bench.keys.inbox(), &bytes).unwrap();
        let header = Header { sealing: Sealing::Alone, ..header };
        let mut segment = header.encode(&bench.keys.inbox());
        let mut opener = Opener::new(keys.secret(), BATCH_INFO);
        for (piece, _) in pieces(records, header.first_seq) {
            let Piece::Record(record) = piece else { panic!("{piece:?}") };
            let seq = record.front.seq;
            let plain = opener.open(seq, &record.context(&header.device), record.sealed).unwrap();
            let front = Front { prev, ..record.front }.encode();
            let context = [&header.device, &front[..]].concat();
            let sealed = seal_to(&bench.ring.inbox, INFO, &context, &plain).unwrap();
            let key = Walk::along(&mut walk, &header, &keys).unwrap().key(seq).unwrap();
            let tag = mac(key, &[&front, &sealed]);
            let body = [&front[..], &tag, &sealed].concat();
            prev = hash(&[&body]);
            segment.extend(framed(&body));
        }
        fs::write(path, segment).unwrap();
    }
}

/// Imports as far as it goes; what ended it. Nothing may be deleted or kept aside.
fn ended(bench: &mut Bench) -> Option<StoreFault> {
    let before = bench.segments();
    let mut run = bench.plan();
    let fault = loop {
        let next = run.opened_blocking();
        match run.step(
            next,
            (&bench.inbox, &bench.vault_keys),
            &mut bench.vault,
            Moment::read().wall,
        ) {
            Ok(Step::More) => {}
            Ok(Step::Done(_)) => break None,
            Err(fault) => break Some(fault),
        }
    };
    assert_eq!(bench.segments(), before);
    fault
}

#[test]
fn s8_what_a_later_program_recorded_waits_for_it_and_is_no_forgery() {
    let mut bench = bench();
    bench.push(0..1);
    let front = fs::read(bench.segments().pop().unwrap()).unwrap();
    let (header, _) = open_segment(&bench.keys.inbox(), &front).unwrap();
    let second = next_key(&bench.vault_keys.inbox_keys().chain(&header.chain));
    append(&mut bench, 2, (b"Z and what only it can read", &second));
    assert_eq!(ended(&mut bench), Some(StoreFault::Later), "an entry");

    let path = bench.segments().pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // The version's last byte, and the header's tag.
    bytes[15] += 1;
    let tag = mac(&bench.keys.inbox(), &[&bytes[..HEADER_LEN - 32]]);
    bytes[HEADER_LEN - 32..HEADER_LEN].copy_from_slice(&tag);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(ended(&mut bench), Some(StoreFault::Later), "a segment");
}

#[test]
fn s8_a_night_in_which_the_program_was_updated_arrives_whole() {
    let mut bench = bench();
    bench.push(0..300);
    as_version_2(&bench);
    // Killed, and begun anew by this program.
    bench.resume();
    bench.push(300..310);
    let versions = bench.segments().into_iter().map(|path| fs::read(path).unwrap()[15]);
    assert_eq!(versions.collect::<Vec<_>>(), [2, 2, 3]);
    let (found, kept) = bench.import();
    assert_eq!(found, Counts { imported: 310, missing: 0, forged: 0 });
    assert_eq!(kept, (0..310).collect::<Vec<_>>());
}

#[test]
fn s3_no_key_of_what_was_sealed_is_left_once_it_is_written_or_could_not_be() {
    let mut bench = bench();
    let keys = bench.vault_keys.inbox_keys();
    let mut encapsulated = BTreeSet::new();
    for second in 0..4 {
        for _ in 0..3 {
            bench.inbox.push(&entry(second), at(second), BOOT).unwrap();
        }
        assert!(bench.inbox.holds_batch_key());
        if second == 2 {
            // The disk is full, and then it is not.
            steps::watch(|| Err(StoreFault::Full));
            assert_eq!(bench.inbox.flush(Lane::Values, at(second)), Err(StoreFault::Full));
            assert!(!bench.inbox.holds_batch_key(), "what waits opens with the vault alone");
            steps::end();
            bench.inbox.push(&entry(second), at(second), BOOT).unwrap();
        }
        bench.inbox.flush(Lane::Values, at(second)).unwrap();
        assert!(!bench.inbox.holds_batch_key());
    }
    bench.inbox.roll().unwrap();
    let mut records = 0;
    for path in bench.segments() {
        let bytes = fs::read(path).unwrap();
        let (header, body) = open_segment(&bench.keys.inbox(), &bytes).unwrap();
        for (piece, _) in pieces(body, header.first_seq) {
            let Piece::Record(record) = piece else { panic!("{piece:?}") };
            encapsulated.insert(record.sealed[..32].to_vec());
            let context = record.context(&header.device);
            // Each by itself.
            let mut opener = Opener::new(keys.secret(), BATCH_INFO);
            assert!(opener.open(record.front.seq, &context, record.sealed).is_some());
            records += 1;
        }
    }
    // One for each try to write.
    assert_eq!((records, encapsulated.len()), (13, 5));
}

#[test]
fn s8_a_well_sealed_record_without_the_chains_key_is_forged() {
    for (seq, missing) in [(1, 0), (3, 0), (4, 0), (u64::MAX, 0)] {
        let mut bench = bench();
        bench.push(0..3);
        forge(&mut bench, seq);
        let (found, kept) = bench.import();
        assert_eq!(found, Counts { imported: 3, missing, forged: 1 }, "number {seq}");
        assert_eq!(kept, [0, 1, 2]);
        bench.push(3..4);
        let (found, kept) = bench.import();
        assert_eq!(found, Counts { imported: 1, missing: 0, forged: 0 }, "number {seq}");
        assert_eq!(kept, [0, 1, 2, 3]);
    }
}

#[test]
fn s8_an_import_that_failed_in_the_middle_goes_on_without_repeating() {
    let mut bench = bench();
    for start in 0..4 {
        bench.push(start * 10..start * 10 + 10);
        bench.inbox.roll().unwrap();
    }
    let mut run = bench.plan();
    // How many there are, and some segments.
    while run.progress().imported == 0 {
        assert_eq!(bench.step(&mut run), Step::More);
    }
    let before = run.progress().imported;
    drop(run);
    let (found, kept) = bench.import();
    assert_eq!(found, Counts { imported: 40 - before, missing: 0, forged: 0 });
    assert_eq!(kept, (0..40).collect::<Vec<_>>());
}

/// Imports until nothing that is done to a file is done any more, after so many steps; whether that came.
fn is_killed(bench: &mut Bench, after: usize) -> bool {
    let mut run = bench.plan();
    let mut step = 0;
    steps::watch(move || {
        step += 1;
        if step > after { Err(StoreFault::Io) } else { Ok(()) }
    });
    let is_killed = loop {
        // So that several segments are ready at once.
        std::thread::sleep(std::time::Duration::from_millis(1));
        let (next, now) = (run.opened_blocking(), Moment::read().wall);
        match run.step(next, (&bench.inbox, &bench.vault_keys), &mut bench.vault, now) {
            Ok(Step::More) => {}
            Ok(Step::Done(_)) => break false,
            Err(_) => break true,
        }
    };
    steps::end();
    is_killed
}

#[test]
fn s8_wherever_an_import_is_killed_the_next_ones_repeat_nothing_and_miss_nothing() {
    let (mut kills, mut together) = (0, 0);
    for (first, second) in
        (0..18).step_by(2).flat_map(|first| (0..4).map(move |next| (first, next)))
    {
        let mut bench = bench();
        for start in 0..7 {
            bench.push(start * 3..start * 3 + 3);
            bench.inbox.roll().unwrap();
        }
        for after in [first, second] {
            kills += u32::from(is_killed(&mut bench, after));
            let last = entries::cursor(&bench.vault).unwrap().last_segments;
            together = together.max(last.iter().filter(|one| **one != 0).count());
        }
        let (_, found) = bench.import_all();
        let when = format!("killed after {first}, and again after {second}");
        assert_eq!((found, bench.segments()), (vec![], vec![]), "{when}");
        assert_eq!(bench.kept(), (0..21).collect::<Vec<_>>(), "{when}");
    }
    assert!(kills > 30 && together > 1, "{kills} kills, {together} segments at once");
}

#[test]
fn s8_a_chain_goes_on_over_many_segments_and_a_restart() {
    let mut bench = bench();
    bench.push(0..600);
    assert_eq!(bench.segments().len(), 3);
    // Killed: nothing was anchored at a shutdown.
    bench.resume();
    bench.push(600..700);
    let (found, kept) = bench.import();
    assert_eq!(found, Counts { imported: 700, missing: 0, forged: 0 });
    assert_eq!(kept, (0..700).collect::<Vec<_>>());
}

#[test]
fn s8_a_lost_or_old_head_never_makes_later_records_look_repeated() {
    let mut bench = bench();
    bench.push(0..5);
    let old = fs::read(bench.path().join("head")).unwrap();
    bench.import();
    fs::remove_file(bench.path().join("head")).unwrap();
    bench.resume();
    bench.push(5..7);
    assert_eq!(bench.import().0, Counts { imported: 2, missing: 0, forged: 0 });

    fs::write(bench.path().join("head"), old).unwrap();
    bench.resume();
    let at_least = entries::cursor(&bench.vault).unwrap();
    bench.inbox.start_chain(&bench.vault_keys, at_least).unwrap();
    bench.push(7..9);
    let (found, kept) = bench.import();
    assert_eq!(found, Counts { imported: 2, missing: 0, forged: 0 });
    assert_eq!(kept, (0..9).collect::<Vec<_>>());
}

#[test]
fn s3_a_chain_restarted_at_lock_cannot_be_followed_from_the_one_before() {
    let mut bench = bench();
    bench.push(0..2);
    bench.import();
    bench.inbox.start_chain(&bench.vault_keys, Cursor::default()).unwrap();
    bench.push(2..4);
    let bytes = fs::read(bench.segments().pop().unwrap()).unwrap();
    let (header, body) = open_segment(&bench.keys.inbox(), &bytes).unwrap();
    assert_eq!(header.chain_first_seq, 3);
    let (Piece::Record(record), _) = pieces(body, 3)[0] else { panic!("no record") };
    let key = bench.vault_keys.inbox_keys().chain(&header.chain);
    assert!(record.is_tagged(&key) && !record.is_tagged(&next_key(&key)));
    assert_eq!(bench.import().1, [0, 1, 2, 3]);
}
