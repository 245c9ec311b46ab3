//! The emergency card: one patient, for one enrolled token, and for nobody without one.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Evidence, Token};
use wardkeep_model::access::policy::Policy;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::emergency::{EmergencyCard, EmergencyReason};
use wardkeep_model::keeping::{
    Administration, AuditAct, CartState, Command, EmergencyRefusal as Refusal, Outcome, StoreFault,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, SPO2};
use wardkeep_model::vitals::{Observation, Value};

type Answer = Result<Box<EmergencyCard>, Refusal>;

fn card_file(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("store/emergency")
}

fn emergency(rig: &mut Rig, evidence: &Evidence, now: Moment) -> Answer {
    let reason = EmergencyReason::FactorFailed;
    rig.send(Command::OpenEmergency(Attempt(3), evidence.token(), reason, now));
    loop {
        if let Outcome::Emergency(Attempt(3), answer) = rig.next() {
            return answer;
        }
    }
}

fn allergic(family: &str) -> Patient {
    Patient { allergies: Phi::new("penicillin".into()), ..patient(family) }
}

fn put_to_bed(rig: &mut Rig, patient: Option<&Patient>) {
    let subject = patient.map(|patient| patient.id);
    let state = CartState { subject, language: "en".into(), ..CartState::default() };
    rig.send(Command::SaveCart(Box::new(state)));
}

/// A value of a subject, this many seconds before `at(100_000)`.
fn value(seq: u64, subject: SubjectId, seconds_before: i64) -> Observation {
    let effective = at(100_000).wall.checked_sub(jiff::SignedDuration::from_secs(seconds_before));
    let code = if seq.is_multiple_of(2) { HEART_RATE } else { SPO2 };
    let subject = Some(subject);
    Observation { code, subject, effective: effective.unwrap(), ..observation(8, seq) }
}

/// A locked store with a nurse's badge and card, and Okonkwo at the bed.
fn ready(dir: &tempfile::TempDir) -> Rig {
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.log_in(it());
    let nora = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.administer(Administration::EnrolCard(nora, card_enrolment(1))).unwrap();
    for family in ["Okonkwo", "Zhang"] {
        rig.send(Command::AddPatient(Box::new(allergic(family)), at(0)));
        assert!(matches!(rig.next(), Outcome::PatientAdded(_)));
    }
    put_to_bed(&mut rig, Some(&patient("Okonkwo")));
    rig.send(Command::Close(None, at(100_000)));
    assert!(matches!(rig.next(), Outcome::Closed));
    rig
}

#[test]
fn one_enrolled_token_shows_the_patient_at_this_bed_and_it_is_audited() {
    let dir = tempfile::tempdir().unwrap();
    ready(&dir).stop();
    let mut rig = Rig::restart(dir.path());
    for evidence in [badge_pin(1, PIN), card(1)] {
        let card = emergency(&mut rig, &evidence, at(100_010)).unwrap();
        assert_eq!(card.patient, allergic("Okonkwo"));
        assert_eq!(card.written, at(100_000).wall);
    }
    assert_eq!(emergency(&mut rig, &badge_pin(9, PIN), at(100_010)), Err(Refusal::Unknown));
    rig.log_in(it());
    let asked = rig.administer(Administration::ReadAudit(10)).unwrap();
    let wardkeep_model::keeping::Administered::Audit(rows) = asked else { panic!("{asked:?}") };
    let seen: Vec<_> = rows
        .iter()
        .filter(|row| row.entry.reason.is_some())
        .map(|row| (row.entry.act, row.operator.as_ref().map(|name| name.reveal().clone())))
        .collect();
    let nora = || Some("Nora Quist".to_owned());
    let opened = AuditAct::EmergencyOpened;
    let refused = (AuditAct::EmergencyRefused, None);
    assert_eq!(seen, [refused, (opened, nora()), (opened, nora())]);
    assert!(rows.iter().all(|row| {
        row.entry.reason.is_none_or(|reason| reason == EmergencyReason::FactorFailed)
    }));
    rig.stop();
}

#[test]
fn numerics_of_four_hours_are_thinned_to_one_a_minute_and_are_one_patients() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    rig.log_in(it());
    let (here, other) = (patient("Okonkwo").id, patient("Zhang").id);
    let mut seq = 0;
    let mut record = |rig: &Rig, subject, seconds_before| {
        seq += 1;
        rig.send(Command::Record(Box::new(value(seq, subject, seconds_before))));
    };
    // Twenty minutes, a value of one of two codes every ten seconds, another patient's between.
    for step in 0..120 {
        record(&rig, here, 1_200 - step * 10);
        record(&rig, other, 1_205 - step * 10);
    }
    record(&rig, here, 4 * 3600 + 1);
    record(&rig, here, -1);
    let mut absent = value(9_999, here, 60);
    absent.value = Phi::new(Value::Absent(wardkeep_model::vitals::nomenclature::Absent::NoContact));
    rig.send(Command::Record(Box::new(absent)));
    rig.send(Command::Close(None, at(100_000)));
    assert!(matches!(rig.next(), Outcome::Closed));

    let card = emergency(&mut rig, &card(1), at(100_010)).unwrap();
    // Twenty or twenty-one minutes begin within twenty; `here` had the odd numbers, so one code.
    assert!((20..=21).contains(&card.numerics.len()), "{}", card.numerics.len());
    assert!(card.numerics.is_sorted_by_key(|numeric| numeric.at));
    let mut minutes: Vec<_> =
        card.numerics.iter().map(|one| (one.at.as_second() / 60, one.mdc.0)).collect();
    minutes.dedup();
    assert_eq!(minutes.len(), card.numerics.len());
    let newest = card.numerics.last().unwrap();
    assert_eq!(newest.at, at(100_000 - 10).wall, "the last one of its minute");
    rig.stop();
}

#[test]
fn s6_the_card_never_shows_another_patient_than_the_one_at_this_bed() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let old = fs::read(card_file(&dir)).unwrap();
    rig.log_in(it());
    put_to_bed(&mut rig, Some(&patient("Zhang")));
    assert!(rig.people().len() > 1, "the command before is done");
    assert!(!card_file(&dir).exists(), "removed as soon as somebody else is at this bed");
    rig.stop();

    // The cart lost its power before it was locked, or somebody put the old card back.
    let mut rig = Rig::restart(dir.path());
    fs::write(card_file(&dir), &old).unwrap();
    assert_eq!(emergency(&mut rig, &card(1), at(100_010)), Err(Refusal::Nothing));
    rig.log_in(it());
    rig.send(Command::Close(None, at(100_020)));
    assert!(matches!(rig.next(), Outcome::Closed));
    let card = emergency(&mut rig, &card(1), at(100_030)).unwrap();
    assert_eq!(card.patient, allergic("Zhang"));
    rig.log_in(it());
    put_to_bed(&mut rig, None);
    rig.close();
    assert!(!card_file(&dir).exists());
    rig.stop();
}

#[test]
fn the_site_may_switch_it_off() {
    let dir = tempfile::tempdir().unwrap();
    ready(&dir).stop();
    let policy = Policy { emergency: false, ..Policy::default() };
    let (mut rig, _) = Rig::start(options(dir.path()).with_policy(policy));
    assert_eq!(emergency(&mut rig, &card(1), at(100_010)), Err(Refusal::Off));
    rig.log_in(it());
    rig.close();
    assert!(!card_file(&dir).exists());
    rig.stop();
    let policy = Policy { badge_pin: false, ..Policy::default() };
    ready_again(&dir);
    let (mut rig, _) = Rig::start(options(dir.path()).with_policy(policy));
    let badge = emergency(&mut rig, &badge_pin(1, PIN), at(100_010));
    assert_eq!(badge, Err(Refusal::Unknown), "badges open nothing here");
    emergency(&mut rig, &card(1), at(100_010)).unwrap();
    rig.stop();
}

fn ready_again(dir: &tempfile::TempDir) {
    let mut rig = Rig::restart(dir.path());
    rig.log_in(it());
    rig.close();
    rig.stop();
}

#[test]
fn every_altered_or_cut_card_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let whole = fs::read(card_file(&dir)).unwrap();
    let damaged = Err(Refusal::Damaged(StoreFault::Damaged));
    for index in (0..whole.len()).step_by(whole.len() / 60) {
        let mut flipped = whole.clone();
        flipped[index] ^= 0x20;
        for content in [&flipped[..], &whole[..index.max(1)]] {
            fs::write(card_file(&dir), content).unwrap();
            assert_eq!(emergency(&mut rig, &card(1), at(100_010)), damaged, "byte {index}");
        }
    }
    fs::write(card_file(&dir), &whole).unwrap();
    emergency(&mut rig, &card(1), at(100_010)).unwrap();
    fs::remove_file(card_file(&dir)).unwrap();
    assert_eq!(emergency(&mut rig, &card(1), at(100_010)), Err(Refusal::Nothing));
    rig.stop();
    for window in whole.windows(7) {
        assert!(window != b"Okonkwo" && window != b"penicil");
    }
}

#[test]
fn s4_a_revoked_token_opens_nothing_and_the_others_still_do() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let before = fs::read(card_file(&dir)).unwrap();
    rig.log_in(it());
    let people = rig.people();
    let nora = people.iter().find(|person| person.name.reveal() == "Nora Quist").unwrap();
    let lost = &nora.factors[0];
    let is_card = matches!(lost.kind, wardkeep_model::keeping::FactorKind::Card(_));
    let (lost_token, kept_token) =
        if is_card { (card(1), badge_pin(1, PIN)) } else { (badge_pin(1, PIN), card(1)) };
    rig.administer(Administration::RevokeFactor(nora.id, lost.id)).unwrap();
    // As after a power cut: nobody locked.
    stop_at_once(rig, &dir);
    let mut rig = Rig::restart(dir.path());
    assert_eq!(emergency(&mut rig, &lost_token, at(100_010)), Err(Refusal::Unknown));
    assert_eq!(emergency(&mut rig, &kept_token, at(100_011)).unwrap().patient, allergic("Okonkwo"));
    // The card of before is of another epoch.
    fs::write(card_file(&dir), &before).unwrap();
    let old = emergency(&mut rig, &kept_token, at(100_012));
    assert_eq!(old, Err(Refusal::Damaged(StoreFault::Damaged)));
    rig.stop();
}

#[test]
fn s1_whoever_sees_no_patients_sees_none_in_an_emergency() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    assert_eq!(emergency(&mut rig, &it(), at(100_010)), Err(Refusal::NotAllowed));
    emergency(&mut rig, &card(1), at(100_011)).unwrap();
    rig.log_in(it());
    let answer = rig.administer(Administration::ReadAudit(100)).unwrap();
    let wardkeep_model::keeping::Administered::Audit(entries) = answer else { panic!("no log") };
    let refused = entries.iter().find(|line| line.entry.act == AuditAct::EmergencyRefused);
    assert!(refused.is_some_and(|line| line.entry.operator.is_some()), "who it was");
    rig.stop();
}

#[test]
fn strangers_wait_and_whoever_belongs_here_never_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let unknown = |number: u8| badge_pin(100 + number, PIN);
    for (number, seconds) in [(0, 0), (1, 200), (2, 301), (3, 302)] {
        let now = at(200_000 + seconds);
        assert_eq!(emergency(&mut rig, &unknown(number), now), Err(Refusal::Unknown), "{number}");
        if number < 3 {
            emergency(&mut rig, &card(1), now).unwrap();
        }
    }
    // Three within five minutes: at 200, 301 and 302 s.
    let wait = |seconds| Err(Refusal::Wait(Duration::from_secs(seconds)));
    assert_eq!(emergency(&mut rig, &unknown(4), at(200_302)), wait(60));
    assert_eq!(emergency(&mut rig, &unknown(5), at(200_361)), wait(1));
    emergency(&mut rig, &card(1), at(200_361)).unwrap();
    rig.stop();
}

#[test]
fn s4_the_device_secret_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    ready(&dir).stop();
    let card_of_this_machine = fs::read(card_file(&dir)).unwrap();
    let other = tempfile::tempdir().unwrap();
    let mut rig = ready(&other);
    fs::write(card_file(&other), card_of_this_machine).unwrap();
    let badge = Token::Badge(nth_badge(1));
    rig.send(Command::OpenEmergency(
        Attempt(3),
        badge,
        EmergencyReason::LifeThreatening,
        at(100_010),
    ));
    let outcome = rig.next();
    let damaged = Refusal::Damaged(StoreFault::Damaged);
    assert!(
        matches!(&outcome, Outcome::Emergency(_, Err(refusal)) if *refusal == damaged),
        "{outcome:?}"
    );
    rig.stop();
}

/// Ends without the lock that a power cut leaves out: what the disk held before it is put back.
fn stop_at_once(rig: Rig, dir: &tempfile::TempDir) {
    let card = fs::read(card_file(dir)).unwrap();
    rig.stop();
    fs::write(card_file(dir), card).unwrap();
}
