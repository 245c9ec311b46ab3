//! A check of a store finds what is wrong, says where, and changes nothing.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Evidence;
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::encounter::{Patient, PatientForm, SubjectId};
use wardkeep_model::keeping::{
    Administration, CartState, Command, Draft, Outcome, RecoveryPhrase, Refusal,
};
use wardkeep_model::vitals::Observation;
use wardkeep_store::{
    Check, CheckFault, LockedStore, administer_with_recovery, check_with_recovery,
};

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
    let draft = Draft { operator: nora, id: SubjectId(77), form: PatientForm::default() };
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
    let checks = check_with_recovery(&options(dir), &words(phrase), at(300), &mut |_| {}).unwrap();
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
fn s8_damaged_pages_are_named_with_their_table_and_rows_and_so_are_those_that_nobody_reads() {
    let (dir, phrase) = store();
    let mut rig = Rig::restart(dir.path());
    rig.log_in(it());
    // Somebody's whose records are about to go, and somebody's who stays.
    rig.send(Command::AddPatient(
        Box::new(Patient { id: SubjectId(7), ..patient("Zhang") }),
        at(0),
    ));
    assert!(matches!(rig.next(), Outcome::PatientAdded(_)));
    rig.record(3, 1_000..=2_000);
    for seq in 2_001..=3_500 {
        let subject = Some(SubjectId(9));
        rig.send(Command::Record(Box::new(Observation { subject, ..observation(3, seq) })));
    }
    rig.close();
    rig.stop();
    // What a patient leaves behind is free pages.
    let shred = Administration::Shred(Phi::new("M-Zhang".into()));
    administer_with_recovery(&options(dir.path()), &words(&phrase), shred).unwrap().unwrap();
    let vault = dir.path().join("store/vault.db");
    let whole = fs::read(&vault).unwrap();
    let pages = whole.len() / 4096;
    let mut named = BTreeMap::new();
    for page in (1..=pages).step_by(3) {
        let mut flipped = whole.clone();
        flipped[page * 4096 - 2_000] ^= 1;
        fs::write(&vault, &flipped).unwrap();
        let checks = check(dir.path(), &phrase);
        let row = checks.iter().find(|check| check.name == "cipher").unwrap();
        let said = row.problem.as_deref().unwrap_or_else(|| panic!("page {page}: {checks:?}"));
        let front = format!("1 of {pages} pages are damaged: page {page} (");
        let of = said.strip_prefix(&front).unwrap_or_else(|| panic!("{said}"));
        *named.entry(of.split([',', ')']).next().unwrap().to_owned()).or_insert(0) += 1;
        assert!(said.ends_with(&format!("The other {} are as they were written.", pages - 1)));
    }
    fs::write(&vault, &whole).unwrap();
    assert!(named["observations"] > 2 && named["free"] > 2 && named.len() > 4, "{named:?}");
    assert_eq!(failed(&check(dir.path(), &phrase)), [""; 0]);
    // Rows by number, and one of a table that has none.
    let mut flipped = whole;
    (0..pages).for_each(|page| flipped[page * 4096 + 900] ^= u8::from(page % 9 == 4));
    fs::write(&vault, &flipped).unwrap();
    let checks = check(dir.path(), &phrase);
    let row = checks.iter().find(|check| check.name == "cipher").unwrap();
    assert!(row.problem.as_deref().unwrap().contains("(observations, rows "), "{row:?}");
    assert!(row.advice.unwrap().contains("store salvage"));
}

#[test]
fn a_check_links_the_vault_and_copies_none_of_it() {
    use std::os::unix::fs::MetadataExt;
    let (dir, phrase) = store();
    let vault = dir.path().join("store/vault.db");
    let mut links = Vec::new();
    let mut looks = |name: &'static str| links.push((name, fs::metadata(&vault).unwrap().nlink()));
    check_with_recovery(&options(dir.path()), &words(&phrase), at(300), &mut looks).unwrap();
    assert!(links.contains(&("observations", 2)) && links.contains(&("copy", 1)), "{links:?}");
    assert_eq!(fs::metadata(&vault).unwrap().nlink(), 1);
}

#[test]
fn s8_a_finding_is_said_in_a_sentence_with_its_numbers_and_a_way_out() {
    let (dir, phrase) = store();
    let older = image(&dir.path().join("store"));
    let rig = Rig::restart(dir.path());
    for _ in 0..3 {
        rig.send(Command::SaveCart(Box::default()));
    }
    rig.stop();
    for name in ["cart", "cart.copy"] {
        let path = dir.path().join("store").join(name);
        fs::write(&path, &older[&path]).unwrap();
    }
    let checks = check(dir.path(), &phrase);
    let row = checks.iter().find(|check| check.name == "locked-part").unwrap();
    let said = row.problem.as_deref().unwrap();
    assert!(said.contains("the cart compartment was put back (number "), "{said}");
    assert!(said.contains(" was expected)") && row.advice.unwrap().contains("who had the disk"));
}

#[test]
fn what_the_system_said_of_a_fault_is_told() {
    let (dir, phrase) = store();
    let card = dir.path().join("store/emergency");
    fs::remove_file(&card).unwrap();
    fs::create_dir(&card).unwrap();
    let checks = check_with_recovery(&options(dir.path()), &words(&phrase), at(300), &mut |_| {});
    let checks = checks.unwrap();
    let row = checks.iter().find(|check| check.name == "emergency-card").unwrap();
    let said = row.problem.as_deref().unwrap();
    assert_eq!(said, "input or output failed (Is a directory (os error 21))");
}

#[test]
fn a_running_kiosk_is_looked_at_as_far_as_it_goes() {
    let (dir, phrase) = store();
    let mut rig = Rig::restart(dir.path());
    let before = image(&dir.path().join("store"));
    let look = || {
        check_with_recovery(&options(dir.path()), &words(&phrase), at(300), &mut |_| {}).unwrap()
    };
    let checks = look();
    assert_eq!(failed(&checks), [""; 0], "{checks:?}");
    let left: Vec<&str> = checks
        .iter()
        .filter(|check| check.not_looked_at.is_some())
        .map(|check| check.name)
        .collect();
    assert!(left.contains(&"observations") && left.contains(&"freshness"), "{left:?}");
    assert!(
        !left.contains(&"cipher") && count(&checks, "cipher") > 5 && count(&checks, "slots") == 3
    );
    assert!(image(&dir.path().join("store")) == before);
    let vault = dir.path().join("store/vault.db");
    let mut flipped = fs::read(&vault).unwrap();
    flipped[5 * 4096 + 9] ^= 1;
    fs::write(&vault, &flipped).unwrap();
    assert_eq!(failed(&look()), ["cipher"]);
    flipped[5 * 4096 + 9] ^= 1;
    fs::write(&vault, &flipped).unwrap();
    rig.unlock(at(400));
    assert_eq!(failed(&look()), [""; 0]);
    rig.stop();
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
    let answer = check_with_recovery(&options(dir.path()), &words, at(300), &mut |_| {});
    assert_eq!(answer, Err(CheckFault::Words));
}
