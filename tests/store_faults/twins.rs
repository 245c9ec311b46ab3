//! S-8: keyring and cart compartment lie there twice, so that one damaged file costs nothing; a store
//! that does not open keeps what monitoring needs, and what is damaged is kept aside.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::path::{Path, PathBuf};

use kit::store::*;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{
    AuditAct, CartState, Command, Finding, FindingKind, Found, Outcome, Refusal, StoreFault,
};
use wardkeep_store::set_aside;

const NAMES: [&str; 4] = ["cart", "cart.copy", "keyring", "keyring.copy"];

fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join("store").join(name)
}

fn state() -> CartState {
    CartState { subject: Some(SubjectId(7)), language: "de".into(), ..CartState::default() }
}

/// A store that was written to several times, and what its four files held before the last writes.
fn store() -> (tempfile::TempDir, Vec<Vec<u8>>) {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    let before = NAMES.map(|name| fs::read(path(dir.path(), name)).unwrap()).to_vec();
    rig.send(Command::SaveCart(Box::new(state())));
    for number in 0..3 {
        rig.unlock(at(number));
        rig.close();
    }
    rig.stop();
    (dir, before)
}

/// Starts, gives what was found wrong, and unlocks.
fn findings(dir: &Path) -> Vec<Finding> {
    let mut rig = Rig::restart(dir);
    rig.unlock_at((badge(), RIGHT_PIN), at(100)).unwrap();
    let found = std::mem::take(&mut rig.findings);
    rig.stop();
    found
}

#[test]
fn s8_one_damaged_file_costs_nothing_is_reported_once_and_kept_aside() {
    for name in NAMES {
        let (dir, _) = store();
        let file = path(dir.path(), name);
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] = flipped[middle].wrapping_add(1);
        for (number, content) in [&flipped[..], &whole[..middle], &[]].into_iter().enumerate() {
            fs::write(&file, content).unwrap();
            let found = findings(dir.path());
            assert_eq!(found, [Finding::of(FindingKind::CopyUsed, 1)], "{name}");
            assert_eq!(findings(dir.path()), [], "{name}: mended");
            let aside = files(&dir.path().join("damaged"));
            assert_eq!(aside.len(), number + 1);
            assert!(aside.iter().any(|path| fs::read(path).unwrap() == content));
        }
        fs::remove_file(&file).unwrap();
        // A second copy that is not there is what an earlier program left.
        let gone = !name.ends_with(".copy");
        assert_eq!(findings(dir.path()).len(), usize::from(gone), "{name}");
        assert!(file.exists());
    }
}

#[test]
fn s8_an_older_file_beside_a_newer_copy_is_overruled_and_reported_with_both_numbers() {
    let (dir, before) = store();
    for (name, old) in NAMES.iter().zip(&before).take(2) {
        fs::write(path(dir.path(), name), old).unwrap();
        let [found] = findings(dir.path())[..] else { panic!("{name}") };
        assert_eq!((found.kind, found.found), (FindingKind::CartOlder, Some(1)), "{name}");
        assert!(found.expected > Some(3), "{name}");
    }
    // Both copies: the head of the inbox still knows.
    for (name, old) in NAMES.iter().zip(&before).take(2) {
        fs::write(path(dir.path(), name), old).unwrap();
    }
    let [found] = findings(dir.path())[..] else { panic!("both") };
    assert_eq!((found.kind, found.found), (FindingKind::CartOlder, Some(1)));
    assert!(found.expected > Some(3));
}

#[test]
fn s8_an_older_keyring_of_the_same_epoch_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    let before = NAMES.map(|name| fs::read(path(dir.path(), name)).unwrap());
    rig.unlock(at(0));
    for (number, name) in [(1, "Nora Quist"), (2, "Otto Rehm")] {
        let new = wardkeep_model::keeping::NewPerson {
            name: wardkeep_model::confidential::Phi::new(name.into()),
            initials: "NN".into(),
            role: wardkeep_model::access::Role::Nurse,
            valid_until: None,
        };
        let add = wardkeep_model::keeping::Administration::AddPerson(new, None);
        let attempt = wardkeep_model::access::factor::Attempt(number);
        rig.send(Command::Administer(attempt, Box::new(add), at(1)));
        assert!(matches!(rig.next(), Outcome::Administered(_, Ok(_))));
    }
    rig.stop();
    for names in [&NAMES[2..3], &NAMES[3..], &NAMES[2..]] {
        let newest = NAMES.map(|name| fs::read(path(dir.path(), name)).unwrap());
        for name in names {
            let place = NAMES.iter().position(|known| known == name).unwrap();
            fs::write(path(dir.path(), name), &before[place]).unwrap();
        }
        let [found] = findings(dir.path())[..] else { panic!("{names:?}") };
        assert_eq!(found.kind, FindingKind::KeyringOlder, "{names:?}");
        assert_eq!(found.expected, found.found.map(|number| number + 2), "{names:?}");
        for (name, content) in NAMES.iter().zip(&newest).skip(2) {
            fs::write(path(dir.path(), name), content).unwrap();
        }
    }
}

#[test]
fn s8_records_go_on_into_the_inbox_while_nobody_can_open_the_vault() {
    let (dir, _) = store();
    let vault = path(dir.path(), "vault.db");
    let whole = fs::read(&vault).unwrap();
    fs::remove_file(&vault).unwrap();
    let (mut rig, first) = Rig::start(options(dir.path()));
    let Outcome::Found(Found::Broken(StoreFault::Damaged, cart)) = first else {
        panic!("{first:?}")
    };
    assert_eq!(*cart, state(), "monitoring goes on");
    let answer = rig.unlock_at((badge(), RIGHT_PIN), at(0)).map(|_| ());
    assert_eq!(answer, Err(Refusal::Damaged(StoreFault::Damaged)));
    rig.record(3, 1..=300);
    // An assignment is kept too.
    rig.send(Command::SaveCart(Box::new(CartState { language: "en".into(), ..state() })));
    assert!(rig.stop().iter().all(|outcome| !matches!(outcome, Outcome::Lost(_))));
    fs::write(&vault, whole).unwrap();
    let mut rig = Rig::restart(dir.path());
    let (_, import) = rig.unlock(at(0));
    // The refused unlock is among them.
    assert_eq!(import, Backlog { imported: 301, missing: 0, forged: 0 });
    rig.stop();
}

#[test]
fn s8_lost_directories_of_the_inbox_and_the_slots_end_nothing() {
    let (dir, _) = store();
    fs::remove_dir_all(path(dir.path(), "inbox")).unwrap();
    let slots = path(dir.path(), "slots");
    let kept = dir.path().join("kept");
    fs::rename(&slots, &kept).unwrap();
    let mut rig = Rig::restart(dir.path());
    rig.record(3, 1..=5);
    let answer = rig.unlock_at((badge(), RIGHT_PIN), at(0)).map(|_| ());
    assert_eq!(answer, Err(Refusal::Damaged(StoreFault::Damaged)));
    rig.stop();
    fs::remove_dir_all(&slots).unwrap();
    fs::rename(&kept, &slots).unwrap();
    let mut rig = Rig::restart(dir.path());
    let (_, import) = rig.unlock(at(0));
    // Five values, the refused unlock, and what was found wrong: the file beside the inbox is gone, and the inbox is
    // older than the others remember, twice.
    assert_eq!(import.imported, 9, "{:?}", rig.findings);
    assert!(rig.findings.iter().any(|one| one.kind == FindingKind::BacklogRestarted));
    rig.stop();
}

#[test]
fn a_store_that_was_set_aside_is_whole_and_leaves_room_for_another() {
    let (dir, _) = store();
    let running = Rig::restart(dir.path());
    assert_eq!(set_aside(dir.path()), Err(StoreFault::InUse));
    running.stop();
    let contents = |dir: &Path| -> Vec<Vec<u8>> {
        let mut paths = files(dir);
        paths.sort();
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    };
    for _ in 0..2 {
        let before = contents(&dir.path().join("store"));
        let place = set_aside(dir.path()).unwrap();
        assert!(!dir.path().join("store").exists());
        let name = place.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("damaged-20"), "{name}");
        assert!(contents(&place) == before, "moved as it is");
        let (rig, _) = Rig::first_start(dir.path());
        rig.stop();
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5, "two aside, one live, lock, secret");
    let place = set_aside(dir.path()).unwrap();
    assert_eq!(set_aside(dir.path()), Err(StoreFault::Foreign), "there is none");
    // It is still a store, where it lies now.
    fs::rename(place, dir.path().join("store")).unwrap();
    let mut rig = Rig::restart(dir.path());
    rig.unlock(at(0));
    rig.stop();
}

#[test]
fn a_used_copy_is_in_the_audit_log() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, phrase) = Rig::first_start(dir.path());
    rig.stop();
    fs::write(path(dir.path(), "cart"), b"x").unwrap();
    let mut rig = Rig::restart(dir.path());
    rig.unlock(at(0));
    rig.stop();
    let audit = acts(&contents(dir.path(), &phrase));
    assert!(audit.iter().any(|(_, entry)| entry.act == AuditAct::StoreFinding));
}
