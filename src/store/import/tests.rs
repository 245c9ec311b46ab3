//! The import against whoever knows everything on the disk, and against kills in its middle.

use std::fs;
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;

use super::{Counts, ImportRun, Step};
use crate::moment::BootTime;
use crate::store::device_secret::DeviceKeys;
use crate::store::inbox::Inbox;
use crate::store::keyring::{Keyring, VaultKeys};
use crate::store::primitives::{Key, mac, random, seal_to};
use crate::store::segment::{
    Entry, INFO, Record, context, framed, next_key, open_segment, records, segments,
};
use crate::store::vault::Vault;
use crate::store::{AuditAct, AuditEntry};

struct Bench {
    dir: tempfile::TempDir,
    keys: DeviceKeys,
    vault_keys: VaultKeys,
    ring: Keyring,
    inbox: Inbox,
    vault: Vault,
}

fn entry(second: i64) -> Entry {
    let at = jiff::Timestamp::from_second(second).unwrap();
    Entry::Audit(Box::new(AuditEntry::of(AuditAct::AlarmAcknowledged, at)))
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let keys = DeviceKeys::new(Key::random().unwrap());
    let vault_keys = VaultKeys::generate().unwrap();
    let ring = Keyring::new(&keys, &vault_keys).unwrap();
    let path = dir.path().join("inbox");
    Inbox::create(&path, &keys, &ring, &vault_keys).unwrap();
    let inbox = Inbox::resume(&path, &keys, &ring).unwrap();
    let vault = Vault::create(&dir.path().join("v"), &vault_keys).unwrap();
    Bench { dir, keys, vault_keys, ring, inbox, vault }
}

impl Bench {
    fn path(&self) -> PathBuf {
        self.dir.path().join("inbox")
    }

    fn push(&mut self, seconds: Range<i64>) {
        for second in seconds {
            self.inbox.push(&entry(second)).unwrap();
        }
        self.inbox.flush(BootTime::default()).unwrap();
    }

    fn import(&mut self) -> (Counts, Vec<i64>) {
        self.inbox.roll().unwrap();
        let end = self.inbox.durable_seq();
        let mut run = ImportRun::plan(&self.path(), &self.vault, end).unwrap();
        loop {
            match run.step(&self.keys, &self.vault_keys, &mut self.vault).unwrap() {
                Step::More => {}
                Step::Done(found) => {
                    let kept = self.vault.audit().unwrap();
                    let seconds = kept.iter().map(|(_, entry)| entry.at.as_second()).collect();
                    return (found, seconds);
                }
            }
        }
    }
}

/// Appends a record that anybody with the public key and the segment's header could make.
fn forge(bench: &Bench, seq: u64) {
    let (_, path) = segments(&bench.path()).unwrap().pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    let (header, _) = open_segment(&bench.keys, &bytes).unwrap();
    let prev = [7; 32];
    let plain = serde_json::to_vec(&entry(666)).unwrap();
    let aad = context(&header, seq, &prev);
    let sealed = seal_to(&bench.ring.inbox, INFO, &aad, &plain).unwrap();
    let guess: [u8; 32] = random().unwrap();
    let tag = mac(&guess, &[&seq.to_be_bytes(), &prev, &sealed]);
    let body = [&seq.to_be_bytes()[..], &prev, &tag, &sealed].concat();
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(&framed(&body)).unwrap();
}

#[test]
fn s8_a_well_sealed_record_without_the_chains_key_is_forged() {
    for (seq, missing) in [(1, 0), (3, 0), (4, 0), (u64::MAX, 0)] {
        let mut bench = bench();
        bench.push(0..3);
        forge(&bench, seq);
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
    let end = bench.inbox.durable_seq();
    let mut run = ImportRun::plan(&bench.path(), &bench.vault, end).unwrap();
    for _ in 0..2 {
        let step = run.step(&bench.keys, &bench.vault_keys, &mut bench.vault).unwrap();
        assert_eq!(step, Step::More);
    }
    drop(run);
    let (found, kept) = bench.import();
    assert_eq!(found, Counts { imported: 20, missing: 0, forged: 0 });
    assert_eq!(kept, (0..40).collect::<Vec<_>>());
}

#[test]
fn s8_a_chain_goes_on_over_many_segments_and_a_restart() {
    let mut bench = bench();
    bench.push(0..600);
    assert_eq!(segments(&bench.path()).unwrap().len(), 3);
    // Killed: nothing was anchored at a shutdown.
    bench.inbox = Inbox::resume(&bench.path(), &bench.keys, &bench.ring).unwrap();
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
    bench.inbox = Inbox::resume(&bench.path(), &bench.keys, &bench.ring).unwrap();
    bench.push(5..7);
    assert_eq!(bench.import().0, Counts { imported: 2, missing: 0, forged: 0 });

    fs::write(bench.path().join("head"), old).unwrap();
    bench.inbox = Inbox::resume(&bench.path(), &bench.keys, &bench.ring).unwrap();
    let at_least = bench.vault.cursor().unwrap().next_seq;
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
    bench.inbox.start_chain(&bench.vault_keys, 0).unwrap();
    bench.push(2..4);
    let (_, path) = segments(&bench.path()).unwrap().pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    let (header, body) = open_segment(&bench.keys, &bytes).unwrap();
    assert_eq!(header.chain_first_seq, 3);
    let record = Record::parse(records(body).0[0]).unwrap();
    let key = bench.vault_keys.chain(&header.chain);
    assert!(record.is_tagged(&key) && !record.is_tagged(&next_key(&key)));
    assert_eq!(bench.import().1, [0, 1, 2, 3]);
}
