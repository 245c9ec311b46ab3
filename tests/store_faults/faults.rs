//! What the store says when the directory, the disk or the machine is not what it should be, and
//! that it works again once it is.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::wildcard_enum_match_arm, reason = "only some outcomes matter to a test")]

use std::fs;
use std::path::Path;

use kit::namespace::isolated;
use kit::store::disk::{Disk, fill};
use kit::store::*;
use wardkeep_model::keeping::{Command, Found, Outcome, StoreFault};

fn expect_fault(dir: &Path, fault: StoreFault) -> Rig {
    let (rig, first) = match fault {
        StoreFault::InUse => Rig::start(options(dir)),
        _ => Rig::start_alone(options(dir)),
    };
    assert!(matches!(first, Outcome::Fault(found) if found == fault), "{first:?}");
    rig
}

#[test]
fn a_second_instance_is_refused_and_may_retry() {
    let dir = tempfile::tempdir().unwrap();
    let (first, _) = Rig::first_start(dir.path());
    let mut second = expect_fault(dir.path(), StoreFault::InUse);
    first.stop();
    second.record(5, 1..=3);
    second.send(Command::Retry);
    assert!(matches!(second.next(), Outcome::Recovered));
    assert!(matches!(second.next(), Outcome::Found(Found::Store(_))));
    let (_, import) = second.unlock(at(0));
    assert_eq!(import.imported, 3, "records made during the fault were kept");
    second.stop();
}

#[test]
fn a_directory_with_strangers_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("holiday.jpg"), b"x").unwrap();
    expect_fault(dir.path(), StoreFault::Foreign).stop();
    assert_eq!(files(dir.path()), [dir.path().join("holiday.jpg")]);
    fs::remove_file(dir.path().join("holiday.jpg")).unwrap();

    let (rig, _) = Rig::first_start(dir.path());
    rig.stop();
    fs::write(dir.path().join("holiday.jpg"), b"x").unwrap();
    Rig::restart(dir.path()).stop();
}

#[test]
fn an_unfinished_first_start_is_no_store_and_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("store.new/slots")).unwrap();
    fs::write(dir.path().join("store.new/cart"), b"half").unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.unlock(at(0));
    rig.stop();
    assert!(!dir.path().join("store.new").exists());
}

#[test]
fn a_store_is_never_made_over_another() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    let before = fs::read(dir.path().join("store/keyring")).unwrap();
    let again = wardkeep_model::keeping::NewOperator {
        initials: "XX".into(),
        name: wardkeep_model::confidential::Phi::new("Other".into()),
        role: wardkeep_model::access::Role::It,
        badge: other_badge(),
        pin: pin(WRONG_PIN),
    };
    rig.send(Command::Initialise(Box::new(again), at(0)));
    assert!(matches!(rig.next(), Outcome::Fault(StoreFault::Foreign)));
    rig.stop();
    assert_eq!(fs::read(dir.path().join("store/keyring")).unwrap(), before);
}

#[test]
fn s4_another_machines_secret_does_not_fit() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, _) = Rig::first_start(dir.path());
    rig.stop();
    let secret = dir.path().join("device-secret");
    let right = fs::read(&secret).unwrap();
    fs::write(&secret, [9; 32]).unwrap();
    expect_fault(dir.path(), StoreFault::WrongDeviceSecret).stop();
    fs::write(&secret, [9; 5]).unwrap();
    expect_fault(dir.path(), StoreFault::WrongDeviceSecret).stop();
    fs::remove_file(&secret).unwrap();
    expect_fault(dir.path(), StoreFault::WrongDeviceSecret).stop();
    assert!(!secret.exists(), "no new secret is made for a store that has one");
    fs::write(&secret, right).unwrap();
    Rig::restart(dir.path()).stop();
}

/// Nothing of this file, in either of its copies.
fn put_twice(dir: &Path, name: &str, content: Option<&[u8]>) {
    for name in [name.to_owned(), format!("{name}.copy")] {
        let path = dir.join("store").join(name);
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None if path.exists() => fs::remove_file(&path).unwrap(),
            None => {}
        }
    }
}

#[test]
fn damaged_or_missing_files_are_called_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.unlock(at(0));
    rig.stop();
    for name in ["cart", "keyring"] {
        let path = dir.path().join("store").join(name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] = flipped[middle].wrapping_add(1);
        for content in [Some(&flipped[..]), Some(&whole[..middle]), Some(&[]), None] {
            put_twice(dir.path(), name, content);
            let (mut rig, mut first) = Rig::start_alone(options(dir.path()));
            if name == "keyring" {
                // Monitoring goes on from the cart compartment.
                let broken = Outcome::Found(Found::Broken(StoreFault::Damaged, Box::default()));
                assert_eq!(format!("{first:?}"), format!("{broken:?}"));
                first = rig.next();
            }
            assert!(matches!(first, Outcome::Fault(StoreFault::Damaged)), "{name}: {first:?}");
            rig.stop();
        }
        put_twice(dir.path(), name, Some(&whole));
        fs::write(dir.path().join(format!("store/.tmp-{name}")), b"killed while writing").unwrap();
        Rig::restart(dir.path()).stop();
    }
}

#[test]
fn s8_a_damaged_or_missing_vault_is_never_replaced_by_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.unlock(at(0));
    rig.stop();
    let vault = dir.path().join("store/vault.db");
    let whole = fs::read(&vault).unwrap();
    let mut flipped = whole.clone();
    flipped[100] ^= 1;
    let plain = b"SQLite format 3\0plain";
    // What can be told without the key is told at the start.
    for (content, told) in
        [(Some(&flipped[..]), false), (Some(&plain[..]), true), (Some(&[]), true), (None, true)]
    {
        match content {
            Some(content) => fs::write(&vault, content).unwrap(),
            None => fs::remove_file(&vault).unwrap(),
        }
        let (mut rig, first) = Rig::start_alone(options(dir.path()));
        let Outcome::Found(found) = first else { panic!("{first:?}") };
        let broken = matches!(found, Found::Broken(StoreFault::Damaged, _));
        assert_eq!(broken, told, "{found:?}");
        let answer = rig.unlock_at((badge(), RIGHT_PIN), at(0)).map(|_| ());
        let damaged = wardkeep_model::keeping::Refusal::Damaged(StoreFault::Damaged);
        assert_eq!(answer, Err(damaged));
        rig.record(1, 1..=2);
        rig.stop();
        assert!(fs::read(&vault).ok().as_deref() == content, "it is as it was found");
    }
    fs::write(&vault, whole).unwrap();
    let mut rig = Rig::restart(dir.path());
    let (_, import) = rig.unlock(at(0));
    // The four starts recorded the same two observations, which the vault holds once, and a refused
    // unlock each.
    assert_eq!(import, Backlog { imported: 12, missing: 0, forged: 0 });
    rig.stop();
}

#[test]
fn a_path_that_cannot_be_a_directory_is_not_writable() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), b"x").unwrap();
    expect_fault(&dir.path().join("file/state"), StoreFault::ReadOnly).stop();
    expect_fault(Path::new("/proc/wardkeep-state"), StoreFault::Io).stop();
}

#[test]
fn a_read_only_file_system_is_called_so_and_retry_goes_on() {
    isolated("faults::a_read_only_file_system_is_called_so_and_retry_goes_on", || {
        let disk = Disk::mount(4096);
        disk.remount("ro");
        let mut rig = expect_fault(disk.path(), StoreFault::ReadOnly);
        disk.remount("rw");
        rig.send(Command::Retry);
        assert!(matches!(rig.next(), Outcome::Recovered));
        assert!(matches!(rig.next(), Outcome::Found(Found::Nothing)));
        rig.initialise();
        rig.stop();
    });
}

#[test]
fn s8_a_full_disk_is_reported_and_what_was_recorded_is_kept_until_there_is_room() {
    isolated(
        "faults::s8_a_full_disk_is_reported_and_what_was_recorded_is_kept_until_there_is_room",
        || {
            let disk = Disk::mount(4096);
            for open in [false, true] {
                fill_and_make_room(&disk, open);
            }
        },
    );
}

fn fill_and_make_room(disk: &Disk, open: bool) {
    let state = disk.path().join(format!("state-{open}"));
    let filler = disk.path().join("filler");
    let (mut rig, phrase) = Rig::first_start(&state);
    if open {
        rig.unlock(at(0));
    }
    fill(&filler);
    rig.record(3, 1..=600);
    let outcome = rig.next();
    assert!(matches!(outcome, Outcome::Fault(StoreFault::Full)), "{outcome:?}");
    fs::remove_file(filler).unwrap();
    rig.send(Command::Retry);
    let outcome = rig.next();
    assert!(matches!(outcome, Outcome::Recovered), "{outcome:?}");
    if open {
        rig.close();
    }
    let (_, import) = rig.unlock(at(1));
    assert_eq!((import.missing, import.forged), (0, 0));
    rig.stop();
    assert_eq!(seqs(&contents(&state, &phrase)), (1..=600).collect::<Vec<_>>());
}

#[test]
fn s11_what_does_not_fit_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (first, _) = Rig::first_start(dir.path());
    let mut second = expect_fault(dir.path(), StoreFault::InUse);
    let mut sent = 0;
    while sent < 5_000 {
        let observation = Box::new(observation(1, sent + 1));
        if second.handle.try_send(Command::Record(observation)).is_ok() {
            sent += 1;
        }
    }
    // Reported while the fault lasts, not only when it is over.
    let outcome = second.next();
    let Outcome::Lost(mut lost) = outcome else { panic!("{outcome:?}") };
    first.stop();
    second.send(Command::Retry);
    loop {
        match second.next() {
            Outcome::Lost(more) => lost += more,
            Outcome::Found(_) => break,
            _ => {}
        }
    }
    let (_, import) = second.unlock(at(0));
    lost += second.lost;
    second.stop();
    assert!(lost > 0);
    assert_eq!(lost + import.imported, 5_000, "every record is kept or counted as lost");
}
