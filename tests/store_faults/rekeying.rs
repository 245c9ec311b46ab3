//! What goes on while the vault is written anew under other keys: recording, questions, a lock in the middle, and a
//! copy that cannot be written.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::path::Path;

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, AuditAct, Command, NotAdded,
    Outcome, RecoveryPhrase, StoreFault,
};

/// Enough that nothing is done before the next command is.
const ROWS: u64 = 3_000;

/// IT at work, with a nurse to take away and one who stays.
fn ward(dir: &Path) -> (Rig, RecoveryPhrase, OperatorId) {
    let (mut rig, phrase) = Rig::first_start(dir);
    rig.log_in(it());
    let nora = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.enrol("Otto Berg", Role::Nurse, 2, PIN);
    rig.record(1, 1..=ROWS);
    (rig, phrase, nora)
}

fn revoke(rig: &Rig, attempt: u64, person: OperatorId) {
    let what = Administration::RevokePerson(person);
    rig.send(Command::Administer(Attempt(attempt), Box::new(what), at(100)));
}

fn epochs(dir: &Path) -> usize {
    let names = fs::read_dir(dir.join("store")).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("epoch-")).count()
}

/// How often the log says each of these.
fn logged(dir: &Path, phrase: &RecoveryPhrase) -> [usize; 3] {
    let audit = contents(dir, phrase).audit().unwrap();
    [AuditAct::PersonRevoked, AuditAct::KeysRotated, AuditAct::StoreFinding]
        .map(|act| audit.iter().filter(|(_, entry)| entry.act == act).count())
}

#[test]
fn s2_records_keep_coming_while_the_keys_change_and_questions_wait() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase, nora) = ward(dir.path());
    revoke(&rig, 1, nora);
    rig.record(1, ROWS + 1..=ROWS + 2_000);
    rig.send(Command::ListPatients);
    rig.send(Command::AddPatient(Box::new(patient("Okonkwo")), at(101)));
    rig.record(1, ROWS + 2_001..=ROWS + 2_500);
    let answers: Vec<Outcome> = (0..3).map(|_| rig.next()).collect();
    assert!(
        matches!(
            &answers[..],
            [
                Outcome::Administered(Attempt(1), Ok(Administered::Revoked)),
                Outcome::Patients(none),
                Outcome::PatientAdded(_)
            ] if none.is_empty()
        ),
        "{answers:?}"
    );
    assert!(matches!(rig.rekeying[..], [Some(_), .., None]), "{:?}", rig.rekeying);
    rig.record(1, ROWS + 2_501..=ROWS + 2_600);
    rig.close();
    rig.record(1, ROWS + 2_601..=ROWS + 2_700);
    let opens = [it(), badge_pin(2, PIN), badge_pin(1, PIN)].map(|evidence| rig.opens(evidence));
    assert_eq!((opens, rig.lost), ([true, true, false], 0));
    rig.stop();
    let vault = contents(dir.path(), &phrase);
    assert_eq!(seqs(&vault), (1..=ROWS + 2_700).collect::<Vec<_>>());
    assert_eq!(vault.patients().unwrap(), [patient("Okonkwo")]);
    drop(vault);
    assert_eq!((logged(dir.path(), &phrase), epochs(dir.path())), ([1, 1, 0], 0));
}

#[test]
fn s4_a_lock_gives_the_copy_up_and_the_next_login_finishes_the_revocation() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase, nora) = ward(dir.path());
    revoke(&rig, 1, nora);
    rig.record(1, ROWS + 1..=ROWS + 500);
    rig.send(Command::Close(None, at(101)));
    assert!(matches!(rig.next(), Outcome::Administered(Attempt(1), Ok(Administered::Revoked))));
    assert!(matches!(rig.next(), Outcome::Closed));
    // Refused at once, under the old keys and over a restart.
    assert!(!rig.opens(badge_pin(1, PIN)));
    rig.stop();
    assert_eq!((logged(dir.path(), &phrase), epochs(dir.path())), ([1, 0, 0], 0));
    let mut rig = Rig::restart(dir.path());
    assert!(!rig.opens(badge_pin(1, PIN)));
    rig.record(1, ROWS + 501..=ROWS + 600);
    rig.log_in(it());
    // Answered when the vault is back.
    assert_eq!(rig.people().len(), 2);
    assert!(matches!(rig.rekeying[..], [.., None]), "{:?}", rig.rekeying);
    rig.close();
    let opens = [it(), badge_pin(2, PIN), badge_pin(1, PIN)].map(|evidence| rig.opens(evidence));
    assert_eq!(opens, [true, true, false]);
    rig.stop();
    assert_eq!((logged(dir.path(), &phrase), epochs(dir.path())), ([1, 1, 0], 0));
    let all: Vec<u64> = (1..=ROWS + 600).collect();
    assert_eq!(seqs(&contents(dir.path(), &phrase)), all);
}

#[test]
fn two_people_who_are_taken_away_one_after_the_other_are_both_out() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase, nora) = ward(dir.path());
    let ida = rig.enrol("Ida Tamm", Role::Nurse, 3, PIN);
    revoke(&rig, 1, nora);
    revoke(&rig, 2, ida);
    rig.send(Command::Close(None, at(101)));
    let answers: Vec<Outcome> = (0..3).map(|_| rig.next()).collect();
    assert!(
        matches!(
            answers[..],
            [
                Outcome::Administered(Attempt(1), Ok(Administered::Revoked)),
                Outcome::Administered(Attempt(2), Ok(Administered::Revoked)),
                Outcome::Closed
            ]
        ),
        "{answers:?}"
    );
    rig.log_in(it());
    assert_eq!(rig.people().len(), 2);
    rig.close();
    let numbers = [1, 2, 3].map(|number| rig.opens(badge_pin(number, PIN)));
    assert_eq!(numbers, [false, true, false]);
    rig.stop();
    assert_eq!(logged(dir.path(), &phrase), [2, 1, 0]);
}

#[test]
fn s4_whoever_is_taken_away_is_out_though_the_copy_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase, nora) = ward(dir.path());
    // A file where the folder of the next epoch has to be.
    let obstacle = dir.path().join("store").join(format!("epoch-{:016x}", 2));
    fs::write(&obstacle, b"").unwrap();
    revoke(&rig, 1, nora);
    let answer = rig.next();
    assert!(
        matches!(answer, Outcome::Administered(Attempt(1), Err(Fault::KeysUnchanged(_)))),
        "{answer:?}"
    );
    // The session goes on.
    rig.record(1, ROWS + 1..=ROWS + 100);
    assert_eq!(rig.people().len(), 2);
    rig.close();
    assert!(!rig.opens(badge_pin(1, PIN)));
    fs::remove_file(obstacle).unwrap();
    rig.log_in(it());
    assert_eq!(rig.people().len(), 2);
    rig.stop();
    assert_eq!((logged(dir.path(), &phrase)[1], epochs(dir.path())), (1, 0));
    assert_eq!(seqs(&contents(dir.path(), &phrase)), (1..=ROWS + 100).collect::<Vec<_>>());
}

#[test]
fn no_more_commands_wait_than_may_and_the_rest_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _, nora) = ward(dir.path());
    revoke(&rig, 1, nora);
    for number in 0..80 {
        let one = patient(&format!("Okonkwo{number}"));
        rig.send(Command::AddPatient(Box::new(one), at(101)));
    }
    let answers: Vec<Outcome> = (0..81).map(|_| rig.next()).collect();
    let count = |is: fn(&Outcome) -> bool| answers.iter().filter(|answer| is(answer)).count();
    let added = count(|answer| matches!(answer, Outcome::PatientAdded(_)));
    let refused = count(|answer| {
        matches!(answer, Outcome::PatientNotAdded(_, NotAdded::Fault(StoreFault::InUse)))
    });
    assert_eq!((added, refused), (64, 16));
    rig.stop();
}
