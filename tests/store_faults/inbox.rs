//! The sealed inbox in the hands of somebody with the disk, and after kills: nothing is missing,
//! moved, repeated or made up without being counted.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use kit::process;
use kit::store::*;
use wardkeep_model::access::factor::{Attempt, Evidence, Token};
use wardkeep_model::confidential::Secret;
use wardkeep_model::keeping::{AuditAct, Command, Outcome};

/// Splits a segment into its front (header and tag) and its framed records.
fn split(segment: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    // The first bit of a length says that a batch begins.
    let len =
        |bytes: &[u8]| (u32::from_be_bytes(bytes[..4].try_into().unwrap()) & 0x7fff_ffff) as usize;
    let (front, mut rest) = segment.split_at(256);
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (record, after) = rest.split_at(4 + len(rest));
        records.push(record.to_vec());
        rest = after;
    }
    (front.to_vec(), records)
}

fn join((front, records): (Vec<u8>, Vec<Vec<u8>>)) -> Vec<u8> {
    front.into_iter().chain(records.into_iter().flatten()).collect()
}

/// A store with ten sealed records that was shut down; what `tamper` does to the segment, and what
/// the import then says. Gives the numbers that arrived.
fn after(tamper: impl FnOnce(&Path)) -> (Backlog, Vec<u64>, bool) {
    let dir = tempfile::tempdir().unwrap();
    let (rig, phrase) = Rig::first_start(dir.path());
    rig.record(1, 1..=10);
    rig.stop();
    tamper(dir.path());
    let mut rig = Rig::restart(dir.path());
    let (_, import) = rig.unlock(at(0));
    rig.record(1, 11..=11);
    rig.close();
    let (_, again) = rig.unlock(at(1));
    assert_eq!(again, Backlog::default(), "each finding is reported once");
    rig.stop();
    let vault = contents(dir.path(), &phrase);
    let suspicious = vault.audit().unwrap().iter().any(|(_, e)| e.act == AuditAct::StoreFinding);
    let mut arrived = seqs(&vault);
    assert_eq!(arrived.pop(), Some(11), "recording goes on");
    (import, arrived, suspicious)
}

fn edit(dir: &Path, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let path = segments(dir).pop().unwrap();
    let (front, mut records) = split(&fs::read(&path).unwrap());
    assert_eq!(records.len(), 10);
    change(&mut records);
    fs::write(&path, join((front, records))).unwrap();
}

fn without(gone: &[u64]) -> Vec<u64> {
    (1..=10).filter(|seq| !gone.contains(seq)).collect()
}

#[test]
fn s8_an_untouched_inbox_arrives_whole() {
    let import = Backlog { imported: 10, missing: 0, forged: 0 };
    assert_eq!(after(|_| {}), (import, without(&[]), false));
}

#[test]
fn s8_dropped_records_are_missing() {
    for (range, gone) in
        [(3..4, vec![4]), (0..1, vec![1]), (2..5, vec![3, 4, 5]), (8..10, vec![9, 10])]
    {
        let missing = gone.len() as u64;
        let import = Backlog { imported: 10 - missing, missing, forged: 0 };
        let found = after(|dir| edit(dir, |records| drop(records.drain(range))));
        assert_eq!(found, (import, without(&gone), true));
    }
}

#[test]
fn s8_a_dropped_segment_is_missing() {
    let import = Backlog { imported: 0, missing: 10, forged: 0 };
    let found = after(|dir| fs::remove_file(segments(dir).pop().unwrap()).unwrap());
    assert_eq!(found, (import, vec![], true));
}

#[test]
fn s8_repeated_and_moved_records_are_reported_and_kept_once() {
    let (import, arrived, suspicious) = after(|dir| {
        edit(dir, |records| records.insert(6, records[2].clone()));
    });
    assert_eq!(import, Backlog { imported: 10, missing: 0, forged: 1 });
    assert_eq!((arrived, suspicious), (without(&[]), true));

    let (import, mut arrived, suspicious) = after(|dir| edit(dir, |records| records.swap(3, 7)));
    arrived.sort_unstable();
    assert_eq!((import.imported, import.missing), (10, 0));
    assert!(import.forged > 0, "{import:?}");
    assert_eq!((arrived, suspicious), (without(&[]), true));
}

#[test]
fn s8_altered_records_are_forged() {
    // length, bed, number, boot, both times, hash, tag, encapsulated key, ciphertext
    for byte in [1, 3, 4, 20, 27, 28, 44, 52, 60, 92, 124, 160, 180] {
        let (import, arrived, suspicious) = after(|dir| {
            edit(dir, |records| records[4][byte] ^= 1);
        });
        assert_eq!((import.imported, import.forged), (9, 1), "byte {byte}");
        assert!(import.missing <= 1, "byte {byte}: {import:?}");
        assert_eq!((arrived, suspicious), (without(&[5]), true));
    }
}

#[test]
fn s3_a_record_made_up_with_the_public_key_alone_is_forged() {
    // Another store's records are as well formed as any that a forger could make.
    let other = tempfile::tempdir().unwrap();
    let (rig, _) = Rig::first_start(other.path());
    rig.record(9, 1..=10);
    rig.stop();
    let segment = segments(other.path()).pop().unwrap();
    let (_, forged) = split(&fs::read(&segment).unwrap());
    let (import, arrived, suspicious) = after(|dir| {
        edit(dir, |records| records[9] = forged[9].clone());
    });
    assert_eq!(import, Backlog { imported: 9, missing: 0, forged: 1 });
    assert_eq!((arrived, suspicious), (without(&[10]), true));

    // A whole segment of another store, under a name of ours.
    let (import, arrived, suspicious) = after(|dir| {
        let copy = dir.join("store/inbox/00000000000000ff.seg");
        fs::copy(&segment, copy).unwrap();
    });
    assert_eq!(import, Backlog { imported: 10, missing: 0, forged: 1 });
    assert_eq!((arrived, suspicious), (without(&[]), true));
}

#[test]
fn s8_a_segment_that_was_imported_before_is_not_imported_again() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.record(1, 1..=10);
    rig.stop();
    let segment = segments(dir.path()).pop().unwrap();
    let copy = fs::read(&segment).unwrap();
    rig = Rig::restart(dir.path());
    rig.unlock(at(0));
    rig.stop();
    // As after a kill between the commit and the deletion.
    fs::write(&segment, &copy).unwrap();
    rig = Rig::restart(dir.path());
    assert_eq!(rig.unlock(at(1)).1, Backlog::default());
    rig.close();
    rig.record(1, 11..=20);
    rig.stop();
    // Later it can only be a replay.
    rig = Rig::restart(dir.path());
    rig.unlock(at(2));
    rig.stop();
    fs::write(&segment, &copy).unwrap();
    rig = Rig::restart(dir.path());
    let (_, import) = rig.unlock(at(3));
    assert_eq!((import.imported, import.missing), (0, 0));
    assert!(import.forged > 0, "{import:?}");
    rig.stop();
    assert_eq!(seqs(&contents(dir.path(), &phrase)), (1..=20).collect::<Vec<_>>());
}

#[test]
fn s8_a_lost_head_does_not_stop_recording_and_is_audited() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, phrase) = Rig::first_start(dir.path());
    rig.record(1, 1..=10);
    rig.stop();
    fs::remove_file(dir.path().join("store/inbox/head")).unwrap();
    let mut rig = Rig::restart(dir.path());
    rig.record(1, 11..=20);
    let (_, import) = rig.unlock(at(0));
    // The values, and that the others remember a later head.
    assert_eq!(import, Backlog { imported: 21, missing: 0, forged: 0 });
    rig.stop();
    let vault = contents(dir.path(), &phrase);
    assert_eq!(seqs(&vault), (1..=20).collect::<Vec<_>>());
    // That it began anew, and that the others remember a later one.
    assert_eq!(vault.audit().unwrap().len(), 2);
}

/// Runs a recorder in a process of its own until it is killed; does nothing in an ordinary test run.
#[test]
fn recorder_process() {
    let Ok(dir) = std::env::var("WARDKEEP_TEST_RECORDER") else { return };
    let mut rig = Rig::restart(Path::new(&dir));
    if std::env::var("WARDKEEP_TEST_OPEN").is_ok() {
        rig.unlock(at(0));
    }
    let run = std::env::var("WARDKEEP_TEST_RUN").unwrap().parse().unwrap();
    for seq in 1..=u64::MAX {
        rig.record(run, seq..=seq);
        if seq == 2_000 {
            // The queue holds 1,024: hundreds are durable by now. The file is the signal to kill.
            fs::write(Path::new(&dir).join("sent"), b"").unwrap();
        }
    }
}

#[test]
fn s8_killed_while_recording_loses_at_most_the_last_second_and_forges_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, phrase) = Rig::first_start(dir.path());
    rig.stop();
    for run in 1..=6_u64 {
        let mut child = Process::new(std::env::current_exe().unwrap());
        child.args(["--exact", "inbox::recorder_process"]).stdout(Stdio::null());
        child.env("WARDKEEP_TEST_RECORDER", dir.path()).env("WARDKEEP_TEST_RUN", run.to_string());
        if run % 2 == 0 {
            child.env("WARDKEEP_TEST_OPEN", "1");
        }
        let mut child = process::spawn(&mut child).unwrap();
        let sent = dir.path().join("sent");
        while !sent.exists() {
            assert!(child.try_wait().unwrap().is_none(), "the recorder ended by itself");
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::remove_file(sent).unwrap();
        std::thread::sleep(Duration::from_millis(7 * run));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut rig = Rig::restart(dir.path());
    let (_, import) = rig.unlock(at(0));
    assert_eq!((import.missing, import.forged), (0, 0));
    assert!(rig.stop().is_empty());
    let observations = contents(dir.path(), &phrase).observations().unwrap();
    for run in 1..=6 {
        let mut seqs: Vec<u64> = observations
            .iter()
            .filter(|observation| observation.record.run == run)
            .map(|observation| observation.record.seq)
            .collect();
        seqs.sort_unstable();
        assert!(seqs.len() > 200, "run {run} kept {}", seqs.len());
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "run {run} has a gap");
    }
}

#[test]
fn s8_a_torn_tail_is_cut_at_every_length() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, _) = Rig::first_start(dir.path());
    rig.stop();
    let head = dir.path().join("store/inbox/head");
    let before = fs::read(&head).unwrap();
    let seen_before = seen(dir.path());
    let rig = Rig::restart(dir.path());
    rig.record(1, 1..=3);
    rig.stop();
    let segment = segments(dir.path()).pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    let (front, records) = split(&whole);
    let ends: Vec<usize> = records
        .iter()
        .scan(front.len(), |end, record| {
            *end += record.len();
            Some(*end)
        })
        .collect();
    for cut in (0..=whole.len()).step_by(7).chain([whole.len()]) {
        // As after a power cut: the head is the one from before the segment.
        fs::write(&head, &before).unwrap();
        // And what was not synced is not there.
        put_back(&seen_before);
        fs::write(&segment, &whole[..cut]).unwrap();
        Rig::restart(dir.path()).stop();
        let expected = ends.iter().copied().filter(|end| *end <= cut).max();
        let left = fs::read(&segment).map_or(0, |bytes| bytes.len());
        let front_left = if cut >= front.len() { front.len() } else { 0 };
        assert_eq!(left, expected.unwrap_or(front_left), "cut at {cut}");
    }
}

/// The files in which the parts of a store remember each other.
fn seen(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let names = ["cart.seen", "keyring.seen", "vault.seen", "inbox/seen"];
    let paths = names.map(|name| dir.join("store").join(name));
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn put_back(files: &[(PathBuf, Vec<u8>)]) {
    for (path, content) in files {
        fs::write(path, content).unwrap();
    }
}

/// A kill of the program leaves what was seen last, and a power cut what was synced; the head is of a minute
/// before.
#[test]
fn s8_damage_to_what_was_recorded_last_is_told_from_a_tear() {
    for is_power_cut in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (rig, phrase) = Rig::first_start(dir.path());
        rig.stop();
        let head = dir.path().join("store/inbox/head");
        let (before, seen_before) = (fs::read(&head).unwrap(), seen(dir.path()));
        let rig = Rig::restart(dir.path());
        rig.record(1, 1..=10);
        rig.stop();
        fs::write(&head, &before).unwrap();
        edit(dir.path(), |records| *records.last_mut().unwrap().last_mut().unwrap() ^= 1);
        if is_power_cut {
            put_back(&seen_before);
        }
        let mut rig = Rig::restart(dir.path());
        rig.record(1, 11..=11);
        let (_, import) = rig.unlock(at(0));
        assert_eq!((import.missing + import.forged > 0), !is_power_cut, "{import:?}");
        rig.stop();
        let left = seqs(&contents(dir.path(), &phrase));
        assert!(left.contains(&1) && left.contains(&11), "recording goes on: {left:?}");
    }
}

#[test]
fn s3_an_unlock_answers_before_the_import_and_a_lock_in_between_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    for batch in 0..5 {
        rig.record(1, batch * 600 + 1..=batch * 600 + 600);
        rig.close();
    }
    rig.stop();
    let mut rig = Rig::restart_narrow(dir.path());
    // The store waits with the second answer, so the lock is asked for before the unlock is begun.
    for _ in 0..2 {
        rig.send(Command::Identify(Attempt(0), Token::Badge(badge()), at(0)));
    }
    rig.send(Command::Unlock(Attempt(1), Evidence::BadgePin(badge(), pin(RIGHT_PIN)), at(0)));
    rig.send(Command::Close(None, at(0)));
    for _ in 0..2 {
        assert!(matches!(rig.next(), Outcome::Identified(..)));
    }
    assert!(matches!(rig.next(), Outcome::Unlocked(..)));
    let outcome = rig.next();
    let Outcome::Imported(first) = outcome else { panic!("{outcome:?}") };
    assert!(first.imported < 3_000, "the lock did not wait for the import: {first:?}");
    assert!(matches!(rig.next(), Outcome::Closed));
    // Once more, wherever in the import this lock comes.
    rig.unlock_at((badge(), RIGHT_PIN), at(1)).unwrap();
    rig.send(Command::Close(None, at(1)));
    let outcome = rig.next();
    let Outcome::Imported(second) = outcome else { panic!("{outcome:?}") };
    assert!(matches!(rig.next(), Outcome::Closed));
    let (_, third) = rig.unlock(at(2));
    assert_eq!(first.imported + second.imported + third.imported, 3_000);
    assert_eq!((third.missing, third.forged), (0, 0));
    rig.stop();
    assert_eq!(seqs(&contents(dir.path(), &phrase)), (1..=3_000).collect::<Vec<_>>());
}

#[test]
fn s3_nothing_on_a_locked_disk_opens_the_inbox_but_the_vault() {
    // The recovery words are another way to the vault, not to the inbox alone.
    let dir = tempfile::tempdir().unwrap();
    let (rig, phrase) = Rig::first_start(dir.path());
    rig.record(1, 1..=3);
    rig.stop();
    assert_eq!(seqs(&contents(dir.path(), &phrase)), Vec::<u64>::new());
    let words = Secret::new(phrase.expose().split(' ').rev().collect::<Vec<_>>().join(" "));
    assert!(wardkeep_store::open_with_recovery(&options(dir.path()), &words).unwrap().is_none());
}
