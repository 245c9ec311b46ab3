//! A check of a store finds what is wrong, says where, and changes nothing.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Evidence;
use wardkeep_model::confidential::Secret;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::keeping::{CartState, Command, Draft, Outcome, RecoveryPhrase, Refusal};
use wardkeep_store::{Check, CheckFault, LockedStore, check_with_recovery};

/// A store with something of everything.
fn store() -> (tempfile::TempDir, RecoveryPhrase) {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.log_in(it());
    let nora = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.enrol("Aud Itor", Role::Auditor, 2, PIN);
    rig.send(Command::AddPatient(Box::new(patient("Okonkwo")), at(0)));
    assert!(matches!(rig.next(), Outcome::PatientAdded(_)));
    let subject = Some(patient("Okonkwo").id);
    rig.send(Command::SaveCart(Box::new(CartState { subject, ..CartState::default() })));
    rig.record(1, 1..=300);
    let draft = Draft {
        operator: nora,
        id: wardkeep_model::encounter::SubjectId(77),
        form: PatientForm::default(),
    };
    rig.send(Command::Close(Some(Box::new(draft)), at(100)));
    assert!(matches!(rig.next(), Outcome::Closed));
    rig.record(2, 301..=340);
    rig.stop();
    (dir, phrase)
}

fn words(phrase: &RecoveryPhrase) -> RecoveryPhrase {
    Secret::new(phrase.expose().clone())
}

fn image(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(dir).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn check(dir: &Path, phrase: &RecoveryPhrase) -> Vec<Check> {
    let before = image(dir);
    let checks = check_with_recovery(&options(dir), &words(phrase), &mut |_| {}).unwrap();
    assert!(image(dir) == before, "a check changes nothing");
    checks
}

fn failed(checks: &[Check]) -> Vec<&'static str> {
    checks.iter().filter(|check| !check.ok).map(|check| check.name).collect()
}

fn count(checks: &[Check], name: &str) -> u64 {
    checks.iter().find(|check| check.name == name).unwrap().count
}

#[test]
fn a_good_store_passes_every_check_and_is_not_changed() {
    let (dir, phrase) = store();
    for round in 0..2 {
        let checks = check(dir.path(), &phrase);
        assert_eq!(failed(&checks), [""; 0], "{round}: {checks:?}");
        assert!(checks.iter().all(|check| check.problem.is_none() && check.advice.is_none()));
        for (name, expected) in [
            ("slots", 3),
            ("patients", 1),
            ("observations", 300),
            ("people", 3),
            ("drafts", 1),
            ("emergency-card", 1),
            ("inbox", 40),
            ("keyring", 4),
        ] {
            assert_eq!(count(&checks, name), expected, "{name}");
        }
        assert!(count(&checks, "cipher") > 5 && count(&checks, "audit") > 3);
    }
    // What the inbox held is still there for the next unlock.
    let mut rig = Rig::restart(dir.path());
    let (_, import) = rig.unlock(at(200));
    assert_eq!(import, Backlog { imported: 40, missing: 0, forged: 0 });
    rig.stop();
}

#[test]
fn s8_each_damage_is_named_where_it_is() {
    let (dir, phrase) = store();
    let path = |name: &str| dir.path().join("store").join(name);
    let only = |place: &str| files(&path(place)).into_iter().next().unwrap();
    let segment = segments(dir.path()).remove(0);
    for (file, expected) in [
        (path("cart"), "cart"),
        (path("cart.copy"), "cart"),
        (path("keyring"), "keyring"),
        (path("keyring.copy"), "keyring"),
        (only("slots"), "slots"),
        (only("drafts"), "drafts"),
        (path("emergency"), "emergency-card"),
        (segment, "inbox"),
        (dir.path().join("device-secret"), "device-secret"),
    ] {
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] = flipped[middle].wrapping_add(1);
        if expected == "device-secret" {
            flipped.truncate(5);
        }
        fs::write(&file, &flipped).unwrap();
        let checks = check(dir.path(), &phrase);
        let found = failed(&checks);
        assert!(found.contains(&expected), "{}: {checks:?}", file.display());
        let row = checks.iter().find(|check| check.name == expected).unwrap();
        assert!(row.problem.is_some() && row.advice.is_some());
        fs::write(&file, &whole).unwrap();
    }
    assert_eq!(failed(&check(dir.path(), &phrase)), [""; 0]);
}

#[test]
fn s8_a_page_that_was_altered_anywhere_in_the_vault_is_found() {
    let (dir, phrase) = store();
    let vault = dir.path().join("store/vault.db");
    let whole = fs::read(&vault).unwrap();
    let pages = whole.len() / 4096;
    for page in (0..pages).step_by(pages / 12 + 1) {
        let mut flipped = whole.clone();
        flipped[page * 4096 + 1_000] ^= 1;
        fs::write(&vault, &flipped).unwrap();
        let checks = check(dir.path(), &phrase);
        assert!(!failed(&checks).is_empty(), "page {page}");
    }
    for content in [None, Some(&[][..]), Some(&whole[..whole.len() / 2 + 7])] {
        match content {
            Some(content) => fs::write(&vault, content).unwrap(),
            None => fs::remove_file(&vault).unwrap(),
        }
        assert!(failed(&check(dir.path(), &phrase)).contains(&"vault"));
    }
}

#[test]
fn a_store_whose_keyring_is_gone_is_still_looked_at() {
    let (dir, phrase) = store();
    for name in ["keyring", "keyring.copy"] {
        fs::write(dir.path().join("store").join(name), b"{}").unwrap();
    }
    let found = failed(&check(dir.path(), &phrase));
    assert!(found.contains(&"keyring") && found.contains(&"locked-part"), "{found:?}");
}

#[test]
fn s5_two_factors_check_too_and_the_try_is_counted() {
    let (dir, _) = store();
    let with = |evidence: Evidence| {
        let mut locked = LockedStore::open(&options(dir.path())).unwrap();
        locked.identify(&evidence.token(), at(300)).unwrap();
        locked.check(&options(dir.path()), (evidence, at(300)), &mut |_| {})
    };
    let mut rig = Rig::restart(dir.path());
    rig.unlock(at(1));
    rig.stop();
    let vault = fs::read(dir.path().join("store/vault.db")).unwrap();
    for evidence in [it(), badge_pin(2, PIN)] {
        let checks = with(evidence).unwrap();
        assert_eq!(failed(&checks), [""; 0], "{checks:?}");
    }
    assert_eq!(with(badge_pin(1, PIN)), Err(CheckFault::NotAllowed), "a nurse");
    let wrong = with(Evidence::BadgePin(badge(), pin(WRONG_PIN)));
    let Err(CheckFault::Refused(Refusal::WrongFactors(_))) = wrong else { panic!("{wrong:?}") };
    assert!(fs::read(dir.path().join("store/vault.db")).unwrap() == vault);
    let mut rig = Rig::restart(dir.path());
    rig.log_in(it());
    let tries = |rig: &mut Rig| {
        let people = rig.people();
        people.iter().map(|person| person.tries_left).min().unwrap()
    };
    assert_eq!(tries(&mut rig), 10, "the right factors reset it");
    rig.stop();
    let other = tempfile::tempdir().unwrap();
    let (rig, words) = Rig::first_start(other.path());
    rig.stop();
    let answer = check_with_recovery(&options(dir.path()), &words, &mut |_| {});
    assert_eq!(answer, Err(CheckFault::Words));
}
