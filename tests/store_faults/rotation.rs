//! Taking people and tokens away: the keys change, nobody else has to be there, and a kill at any point
//! leaves the old or the new state.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::path::Path;

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, AuditAct, Command, FactorKind,
    FindingKind, Found, Outcome, StoreFault,
};

/// Copies a directory.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn epoch_directories(dir: &Path) -> usize {
    let entries = fs::read_dir(dir.join("store")).unwrap();
    entries
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("epoch-"))
        .count()
}

#[test]
fn s4_a_revoked_person_is_out_and_everybody_else_is_in_though_absent() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.record(1, 1..=300);
    rig.log_in(it());
    let nora = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    let otto = rig.enrol("Otto Berg", Role::Nurse, 2, PIN);
    rig.administer(Administration::EnrolCard(otto, card_enrolment(2))).unwrap();
    rig.administer(Administration::EnrolFinger(nora, template(1))).unwrap();
    rig.send(Command::AddPatient(Box::new(patient("Okonkwo")), at(0)));
    assert!(matches!(rig.next(), Outcome::PatientAdded(_)));
    rig.record(1, 301..=400);
    assert!(matches!(rig.revoke(nora).unwrap(), Administered::Revoked));
    // The same session goes on in the new vault.
    rig.record(1, 401..=500);
    assert_eq!(rig.people().len(), 2);
    rig.close();
    rig.record(1, 501..=600);
    for evidence in [badge_pin(2, PIN), card(2), it()] {
        assert!(rig.opens(evidence));
    }
    assert!(!rig.opens(badge_pin(1, PIN)));
    rig.stop();
    let mut rig = Rig::restart(dir.path());
    for evidence in [badge_pin(2, PIN), card(2), it()] {
        assert!(rig.opens(evidence));
    }
    assert!(!rig.opens(badge_pin(1, PIN)));
    rig.stop();
    assert_eq!(epoch_directories(dir.path()), 0);
    let vault = contents(dir.path(), &phrase);
    assert_eq!(seqs(&vault), (1..=600).collect::<Vec<_>>());
    assert_eq!(vault.patients().unwrap(), [patient("Okonkwo")]);
    let audit = vault.audit().unwrap();
    for act in [AuditAct::PersonRevoked, AuditAct::KeysRotated] {
        assert!(audit.iter().any(|(_, entry)| entry.act == act));
    }
    assert!(!audit.iter().any(|(_, entry)| entry.act == AuditAct::StoreFinding));
}

#[test]
fn s4_one_token_is_taken_and_the_others_of_the_same_person_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.log_in(it());
    let nora = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.enrol_badge(nora, 2, PIN).unwrap();
    rig.administer(Administration::EnrolCard(nora, card_enrolment(1))).unwrap();
    let people = rig.people();
    let factors = &people.iter().find(|person| person.id == nora).unwrap().factors;
    // Oldest first; the two badges were enrolled one after the other.
    let lost = factors.iter().find(|factor| factor.kind == FactorKind::Badge).unwrap().id;
    rig.administer(Administration::RevokeFactor(nora, lost)).unwrap();
    let again = rig.administer(Administration::RevokeFactor(nora, lost)).map(|_| ());
    assert_eq!(again.unwrap_err(), Fault::Unknown);
    rig.close();
    let opens = [badge_pin(1, PIN), badge_pin(2, PIN), card(1)].map(|one| rig.opens(one));
    assert_eq!(opens.iter().filter(|opens| **opens).count(), 2, "{opens:?}");
    assert!(opens[2]);
    // The badge may be given to somebody else.
    rig.log_in(it());
    let otto = rig.add("Otto Berg", Role::Nurse);
    let free = if opens[0] { 2 } else { 1 };
    rig.enrol_badge(otto, free, PIN_2).unwrap();
    rig.close();
    assert!(rig.opens(badge_pin(free, PIN_2)));
    assert!(rig.opens(badge_pin(3 - free, PIN)));
    rig.stop();
}

#[test]
fn s4_what_was_copied_before_opens_nothing_after() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.log_in(it());
    let nora = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.close();
    rig.stop();
    let backup = tempfile::tempdir().unwrap();
    copy(dir.path(), backup.path());
    let mut rig = Rig::restart(dir.path());
    rig.log_in(it());
    rig.revoke(nora).unwrap();
    rig.record(1, 1..=3);
    rig.stop();
    let whole = tempfile::tempdir().unwrap();
    copy(dir.path(), whole.path());

    // Slots alone: of another epoch, and of nobody.
    let put_back = |names: &[&str]| {
        let case = tempfile::tempdir().unwrap();
        copy(whole.path(), case.path());
        for name in names {
            let (from, to) =
                (backup.path().join("store").join(name), case.path().join("store").join(name));
            if from.is_dir() {
                copy(&from, &to);
            } else {
                fs::copy(from, to).unwrap();
            }
        }
        case
    };
    let case = put_back(&["slots"]);
    let mut rig = Rig::restart(case.path());
    assert!(!rig.opens(badge_pin(1, PIN)));
    assert!(!rig.opens(it()), "a slot of another epoch opens nothing");
    rig.stop();

    // One copy of the keyring or the cart compartment of another epoch is overruled, and reported.
    for (names, kind) in [
        (&["keyring"][..], FindingKind::KeyringOlder),
        (&["cart"], FindingKind::CartOlder),
        (&["cart.copy"], FindingKind::CartOlder),
    ] {
        let case = put_back(names);
        let mut rig = Rig::restart(case.path());
        assert!(!rig.opens(badge_pin(1, PIN)));
        assert!(rig.findings.iter().any(|finding| finding.kind == kind), "{names:?}");
        assert!(rig.opens(it()));
        rig.stop();
    }

    // Both copies are refused at the start; the cart compartment still says what to monitor.
    let (rings, carts) = (["keyring", "keyring.copy"], ["cart", "cart.copy"]);
    for names in [&rings[..], &carts, &["cart", "cart.copy", "slots"]] {
        let case = put_back(names);
        let (rig, first) = Rig::start(options(case.path()));
        let broken = matches!(first, Outcome::Found(Found::Broken(StoreFault::Damaged, _)));
        assert!(broken, "{names:?}: {first:?}");
        rig.stop();
    }

    // All of them: the old keys, which do not open the vault.
    let case = put_back(&["keyring", "keyring.copy", "cart", "cart.copy", "slots", "inbox"]);
    let mut rig = Rig::restart(case.path());
    for evidence in [badge_pin(1, PIN), it()] {
        assert!(!rig.opens(evidence));
    }
    rig.stop();
}

#[test]
fn the_last_administrator_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.log_in(it());
    let people = rig.people();
    let (first, badge_of_first) = (people[0].id, people[0].factors[0].id);
    let last = Fault::LastAdministrator;
    assert_eq!(rig.revoke(first).map(|_| ()).unwrap_err(), last);
    let factor = Administration::RevokeFactor(first, badge_of_first);
    assert_eq!(rig.administer(factor).map(|_| ()).unwrap_err(), last);
    // Somebody without a token could not manage anything.
    let second = rig.add("Ida Tamm", Role::It);
    assert_eq!(rig.revoke(first).map(|_| ()).unwrap_err(), last);
    rig.enrol_badge(second, 1, PIN).unwrap();
    // One's own person: done, and out.
    assert!(matches!(rig.revoke(first).unwrap(), Administered::Revoked));
    assert!(matches!(rig.next(), Outcome::Closed));
    assert_eq!(
        rig.administer(Administration::ListPeople).map(|_| ()).unwrap_err(),
        Fault::NotAllowed
    );
    assert!(!rig.opens(it()));
    rig.log_in(badge_pin(1, PIN));
    assert_eq!(rig.revoke(second).map(|_| ()).unwrap_err(), last);
    rig.stop();
}

#[test]
fn two_it_people_take_each_other_away_no_further_than_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.log_in(it());
    let first = rig.people()[0].id;
    rig.enrol("Ida Tamm", Role::It, 1, PIN);
    rig.close();
    rig.log_in(badge_pin(1, PIN));
    rig.revoke(first).unwrap();
    rig.close();
    assert!(!rig.opens(it()));
    assert!(rig.opens(badge_pin(1, PIN)));
    rig.stop();
    drop(contents(dir.path(), &phrase));
}

#[test]
fn s8_a_revocation_waits_for_what_was_recorded_while_locked() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.log_in(it());
    let nora = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.close();
    rig.record(1, 1..=900);
    rig.show(it(), at(10)).unwrap();
    // Asked before the import is done.
    let (answer, others) = rig.ask(Administration::RevokePerson(nora), at(11));
    assert!(matches!(answer.unwrap(), Administered::Revoked));
    assert!(
        matches!(others[..], [Outcome::Imported(import)] if import.imported == 900),
        "{others:?}"
    );
    rig.record(1, 901..=950);
    rig.close();
    rig.record(1, 951..=1_000);
    let (_, import) = rig.unlock(at(20));
    assert_eq!((import.imported, import.missing, import.forged), (50, 0, 0));
    rig.stop();
    assert_eq!(seqs(&contents(dir.path(), &phrase)), (1..=1_000).collect::<Vec<_>>());
}

#[test]
fn a_draft_outlives_the_loss_of_a_badge() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.log_in(it());
    let nora = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.administer(Administration::EnrolCard(nora, card_enrolment(1))).unwrap();
    rig.close();
    rig.log_in(badge_pin(1, PIN));
    let draft = draft(nora);
    rig.send(Command::Close(Some(Box::new(draft.clone())), at(91)));
    assert!(matches!(rig.next(), Outcome::Closed));
    rig.log_in(it());
    let people = rig.people();
    let factors = &people.iter().find(|person| person.id == nora).unwrap().factors;
    let lost = factors.iter().find(|factor| factor.kind == FactorKind::Badge).unwrap().id;
    rig.administer(Administration::RevokeFactor(nora, lost)).unwrap();
    rig.close();
    let unlocked = rig.show(card(1), at(99)).unwrap();
    assert_eq!(unlocked.draft, Some(draft));
    rig.stop();
}

fn draft(operator: wardkeep_model::access::OperatorId) -> wardkeep_model::keeping::Draft {
    let text = |text: &str| wardkeep_model::confidential::Phi::new(text.to_owned());
    let form = wardkeep_model::encounter::PatientForm {
        family: text("Okonk"),
        given: text("A"),
        born: text("195"),
        sex: wardkeep_model::confidential::Phi::default(),
        mrn: text(""),
        allergies: text("penicillin"),
    };
    wardkeep_model::keeping::Draft { operator, id: wardkeep_model::encounter::SubjectId(77), form }
}

#[test]
fn a_draft_comes_back_once_and_to_its_writer_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.log_in(it());
    let nora = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.enrol("Otto Berg", Role::Nurse, 2, PIN);
    rig.close();
    rig.log_in(badge_pin(1, PIN));
    rig.send(Command::Close(Some(Box::new(draft(nora))), at(91)));
    assert!(matches!(rig.next(), Outcome::Closed));
    rig.stop();
    for file in files(&dir.path().join("store/drafts")) {
        let content = fs::read(file).unwrap();
        assert!(!content.windows(5).any(|window| window == b"Okonk"));
    }
    let mut rig = Rig::restart(dir.path());
    assert_eq!(rig.show(badge_pin(2, PIN), at(92)).unwrap().draft, None);
    rig.next();
    rig.close();
    assert_eq!(rig.show(badge_pin(1, PIN), at(93)).unwrap().draft, Some(draft(nora)));
    rig.next();
    rig.close();
    assert_eq!(rig.show(badge_pin(1, PIN), at(94)).unwrap().draft, None);
    rig.stop();
}
