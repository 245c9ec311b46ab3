//! Adding people, giving them badges, cards, fingers and PINs, and what each role may do about it.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::factor::{Badge, Evidence, ReaderFamily};
use wardkeep_model::access::guessable::{Known, Weakness, weakness};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::lockout::TRIES_MAX;
use wardkeep_model::access::policy::{Pair, Policy};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, AuditAct, Command, FactorKind,
    NewPerson, NewPin, Outcome, Refusal,
};
use wardkeep_store::administer_with_recovery;

fn ready(dir: &tempfile::TempDir) -> Rig {
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.log_in(it());
    rig
}

fn fault(answer: Answer) -> Fault {
    answer.map(|_| ()).expect_err("it must be refused")
}

#[test]
fn a_person_with_two_badges_a_card_and_fingers_logs_in_with_each() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let id = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.enrol_badge(id, 2, PIN_2).unwrap();
    rig.administer(Administration::EnrolCard(id, card_enrolment(9))).unwrap();
    rig.administer(Administration::EnrolFinger(id, template(5))).unwrap();
    let people = rig.people();
    assert_eq!(people.len(), 2);
    let nora = people.iter().find(|person| person.id == id).unwrap();
    assert_eq!((nora.name.reveal().as_str(), nora.role), ("Nora Quist", Role::Nurse));
    assert_eq!((nora.tries_left, nora.has_code), (TRIES_MAX, false));
    let kinds: Vec<FactorKind> = nora.factors.iter().map(|factor| factor.kind.clone()).collect();
    assert!(kinds.contains(&FactorKind::Card(Phi::new("CN=Card 9".into()))), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == FactorKind::Badge).count(), 2);
    assert_eq!(kinds.len(), 4);
    rig.close();

    assert!(rig.opens(badge_pin(1, PIN_2)), "the second badge's PIN is the PIN of both");
    assert!(rig.opens(badge_pin(2, PIN_2)));
    assert!(rig.opens(card(9)));
    assert!(!rig.opens(badge_pin(1, PIN)), "the first PIN is gone");
    rig.stop();
    let mut rig = Rig::restart(dir.path());
    for evidence in [badge_pin(1, PIN_2), badge_pin(2, PIN_2), card(9), it()] {
        assert!(rig.opens(evidence));
    }
    rig.stop();
    assert_eq!(slots(&dir), 4, "no slot is left over");
}

fn slots(dir: &tempfile::TempDir) -> usize {
    std::fs::read_dir(dir.path().join("store/slots")).unwrap().count()
}

#[test]
fn what_cannot_be_enrolled_is_refused_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let id = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    let other = rig.add("Otto Berg", Role::Caregiver);
    let enrol = |rig: &mut Rig, id, badge: Badge, pin| {
        fault(rig.administer(Administration::EnrolBadge(id, badge, pin)))
    };
    for taken in [id, other] {
        assert_eq!(enrol(&mut rig, taken, nth_badge(1), chosen(PIN)), Fault::TokenInUse);
    }
    let random = Badge::new(ReaderFamily::PcscUid, &[8, 1, 2, 3]).unwrap();
    assert_eq!(enrol(&mut rig, other, random, chosen(PIN)), Fault::TokenRandom);
    for (guessable, why) in [
        (&[1, 2, 3, 4, 5, 6][..], Weakness::Run),
        (&[7; 8], Weakness::Repeated),
        (&[1, 2, 3], Weakness::Short),
    ] {
        let refused = enrol(&mut rig, other, nth_badge(2), chosen(guessable));
        assert_eq!(refused, Fault::PinGuessable(why));
    }
    assert_eq!(enrol(&mut rig, OperatorId(5), nth_badge(2), chosen(PIN)), Fault::Unknown);
    rig.administer(Administration::EnrolCard(other, card_enrolment(3))).unwrap();
    let again = Administration::EnrolCard(id, card_enrolment(3));
    assert_eq!(fault(rig.administer(again)), Fault::TokenInUse);
    let no_badge = Administration::SetPin(other, NewPin::OneTimeCode);
    assert_eq!(fault(rig.administer(no_badge)), Fault::NoBadge, "a card's PIN is the card's");
    for (name, initials) in
        [("", "AB"), ("  ", "AB"), ("A B", "A-"), ("A B", "ABCD"), ("A B", "A B C")]
    {
        let new = NewPerson { initials: initials.into(), ..person(name, Role::Nurse) };
        let answer = rig.administer(Administration::AddPerson(new, None));
        assert_eq!(fault(answer), Fault::NameIncomplete, "{name:?} {initials:?}");
    }
    rig.stop();
}

#[test]
fn a_person_has_at_most_four_tokens_and_ten_fingers() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let id = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    for number in 2..=4 {
        rig.enrol_badge(id, number, PIN).unwrap();
    }
    assert_eq!(fault(rig.enrol_badge(id, 5, PIN)), Fault::TooMany);
    let card = Administration::EnrolCard(id, card_enrolment(1));
    assert_eq!(fault(rig.administer(card)), Fault::TooMany);
    for number in 0..10 {
        rig.administer(Administration::EnrolFinger(id, template(number))).unwrap();
    }
    let eleventh = Administration::EnrolFinger(id, template(10));
    assert_eq!(fault(rig.administer(eleventh)), Fault::TooMany);
    rig.close();
    assert!((1..=4).all(|number| rig.opens(badge_pin(number, PIN))));
    rig.stop();
}

#[test]
fn a_cart_holds_five_hundred_people() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    for number in 1..500 {
        rig.add(&format!("Person {number}"), Role::Nurse);
    }
    let one_more = Administration::AddPerson(person("One More", Role::Nurse), None);
    assert_eq!(fault(rig.administer(one_more)), Fault::TooMany);
    assert_eq!(rig.people().len(), 500);
    rig.stop();
    let mut rig = Rig::restart(dir.path());
    assert!(rig.opens(it()));
    rig.stop();
}

#[test]
fn only_those_whose_role_allows_it_manage_people_or_read_the_audit_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let id = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.enrol("Arno Dietl", Role::Auditor, 2, PIN);
    let acts = || {
        [
            Administration::ListPeople,
            Administration::AddPerson(person("X Y", Role::It), None),
            Administration::EnrolBadge(id, nth_badge(9), chosen(PIN)),
            Administration::EnrolCard(id, card_enrolment(9)),
            Administration::EnrolFinger(id, template(9)),
            Administration::SetPin(id, chosen(PIN)),
            Administration::RevokePerson(id),
        ]
    };
    rig.close();
    for act in acts().into_iter().chain([Administration::ChangeOwnPin(pin(PIN_2))]) {
        assert_eq!(fault(rig.administer(act)), Fault::NotAllowed, "locked");
    }
    for (number, may_audit) in [(1, false), (2, true)] {
        rig.log_in(badge_pin(number, PIN));
        for act in acts() {
            assert_eq!(fault(rig.administer(act)), Fault::NotAllowed);
        }
        assert_eq!(rig.administer(Administration::ReadAudit(10)).is_ok(), may_audit);
        rig.administer(Administration::ChangeOwnPin(pin(PIN_2))).unwrap();
        rig.close();
        assert!(rig.opens(badge_pin(number, PIN_2)));
    }
    rig.stop();
}

#[test]
fn s4_a_one_time_code_opens_once_until_a_pin_is_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let id = rig.add("Ida Tamm", Role::It);
    let act = Administration::EnrolBadge(id, nth_badge(1), NewPin::OneTimeCode);
    let Administered::Enrolled(Some(code)) = rig.administer(act).unwrap() else {
        panic!("no code")
    };
    assert_eq!(code.expose().len(), 8);
    let code = code_digits(&code);
    assert_eq!(weakness(&code, Known::default()), None);
    assert!(rig.people().iter().any(|person| person.id == id && person.has_code));
    rig.close();

    let with_code = Evidence::BadgePin(nth_badge(1), code.clone());
    let unlocked = rig.show(with_code.clone(), at(200)).unwrap();
    assert!(unlocked.must_choose_pin);
    rig.next();
    assert_eq!(fault(rig.administer(Administration::ListPeople)), Fault::NotAllowed);
    let same = Administration::ChangeOwnPin(code);
    assert_eq!(
        fault(rig.administer(same)),
        Fault::PinGuessable(Weakness::Code),
        "it is no PIN of theirs"
    );
    rig.administer(Administration::ChangeOwnPin(pin(PIN))).unwrap();
    assert!(rig.people().iter().all(|person| !person.has_code));
    rig.close();
    assert!(!rig.opens(with_code));
    let unlocked = rig.show(badge_pin(1, PIN), at(300)).unwrap();
    assert!(!unlocked.must_choose_pin);
    rig.stop();
}

#[test]
fn s5_it_helps_after_ten_tries_and_nobody_else_is_slowed() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let id = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.enrol_badge(id, 2, PIN).unwrap();
    rig.close();
    for number in 0..10_u8 {
        let wrong = [9, 0, 9, 0, number / 5, number % 5];
        let badge = 1 + number % 2;
        rig.show(badge_pin(badge, &wrong), at(1_000 * u64::from(number))).unwrap_err();
    }
    let refused = rig.show(badge_pin(1, PIN), at(90_000)).unwrap_err();
    assert_eq!(refused, Refusal::NotAdmitted(Admission::Exhausted));
    rig.show(it(), at(90_001)).unwrap();
    rig.next();
    assert!(rig.people().iter().any(|person| person.id == id && person.tries_left == 0));
    rig.administer(Administration::SetPin(id, chosen(&[9, 0, 9, 0, 1, 4]))).unwrap();
    assert!(rig.people().iter().all(|person| person.tries_left == TRIES_MAX));
    rig.close();
    // It was a wrong PIN before, and is remembered as one no longer.
    assert!(rig.opens_at(badge_pin(1, &[9, 0, 9, 0, 1, 4]), at(90_100)));
    assert!(rig.opens_at(badge_pin(2, &[9, 0, 9, 0, 1, 4]), at(90_200)));
    rig.stop();
}

#[test]
fn another_it_person_vouches_where_the_site_wants_two() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, _) = Rig::first_start(dir.path());
    rig.stop();
    // The second IT person came before the rule.
    let mut rig = Rig::restart(dir.path());
    rig.log_in(it());
    rig.enrol("Ida Tamm", Role::It, 1, PIN);
    rig.enrol("Nora Quist", Role::Nurse, 2, PIN);
    rig.stop();
    let policy = Policy { two_person: true, ..Policy::default() };
    let (mut rig, _) = Rig::start(options(dir.path()).with_policy(policy));
    rig.log_in(it());
    let add = |voucher| Administration::AddPerson(person("Ivo Sand", Role::It), voucher);
    assert_eq!(fault(rig.administer(add(None))), Fault::VoucherNeeded);
    for wrong in [it(), badge_pin(2, PIN), badge_pin(1, PIN_2), badge_pin(7, PIN)] {
        assert_eq!(fault(rig.administer(add(Some(wrong)))), Fault::VoucherWrong);
    }
    let tap = Evidence::Tap(token(&badge_pin(1, PIN)));
    assert_eq!(fault(rig.administer(add(Some(tap)))), Fault::VoucherWrong);
    let people = rig.people();
    assert_eq!(people.len(), 3, "nobody came in by a refused act");
    let counted = people.iter().find(|one| one.name.reveal() == "Ida Tamm").unwrap();
    assert_eq!(counted.tries_left, TRIES_MAX - 1, "a wrong voucher costs a try");
    let nurse = Administration::AddPerson(person("Nils Ek", Role::Nurse), None);
    rig.administer(nurse).unwrap();
    rig.administer(add(Some(badge_pin(1, PIN)))).unwrap();
    let rows = audit(&mut rig);
    let vouched = rows.iter().find(|row| row.entry.act == AuditAct::Vouched).unwrap();
    assert_eq!(vouched.operator.as_ref().unwrap().reveal(), "Ida Tamm");
    assert_eq!(vouched.entry.pair, Some(Pair::BadgePin));
    let refused = rows.iter().filter(|row| row.entry.act == AuditAct::UnlockRefused).count();
    assert_eq!(refused, 5, "every wrong voucher is in the log");
    assert_eq!(vouched.person.as_ref().unwrap().reveal(), "Ivo Sand");
    rig.stop();
}

fn audit(rig: &mut Rig) -> Vec<wardkeep_model::keeping::AuditRow> {
    let answer = rig.administer(Administration::ReadAudit(u32::MAX)).unwrap();
    let Administered::Audit(rows) = answer else { panic!("{answer:?}") };
    rows
}

#[test]
fn every_act_is_audited_with_names_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let id = rig.add("Nora Quist", Role::Nurse);
    let badge = Administration::EnrolBadge(id, nth_badge(1), NewPin::OneTimeCode);
    let acts = [
        badge,
        Administration::EnrolCard(id, card_enrolment(1)),
        Administration::EnrolFinger(id, template(1)),
        Administration::SetPin(id, chosen(PIN)),
        Administration::SetPin(id, NewPin::OneTimeCode),
        Administration::RevokeFactor(id, wardkeep_model::keeping::FactorId(1)),
        Administration::RevokePerson(id),
    ];
    for act in acts {
        rig.administer(act).unwrap();
    }
    let rows = audit(&mut rig);
    let newest: Vec<AuditAct> = rows.iter().map(|row| row.entry.act).collect();
    use AuditAct::*;
    let expected = [
        KeysRotated,
        PersonRevoked,
        FactorRevoked,
        CodeIssued,
        PinSet,
        FingerEnrolled,
        CardEnrolled,
        BadgeEnrolled,
        PersonAdded,
    ];
    assert_eq!(newest[..9], expected);
    assert!(rows.windows(2).all(|pair| pair[0].seq == pair[1].seq + 1));
    for row in &rows[1..9] {
        assert_eq!(row.operator.as_ref().unwrap().reveal(), "Quintessa Zwyxblatt");
        assert_eq!(row.person.as_ref().unwrap().reveal(), "Nora Quist", "named though they left");
        assert_eq!(row.entry.at, at(100).wall);
    }
    let Administered::Audit(two) = rig.administer(Administration::ReadAudit(2)).unwrap() else {
        panic!("no audit")
    };
    assert_eq!(two, rows[..2]);
    rig.stop();
}

#[test]
fn the_audit_log_is_read_a_thousand_entries_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    for second in 0..1_200 {
        let entry = wardkeep_model::keeping::AuditEntry::of(AuditAct::AudioPaused, at(second).wall);
        rig.send(Command::Audit(Box::new(entry)));
    }
    assert_eq!(audit(&mut rig).len(), 1_000);
    rig.stop();
}

#[test]
fn an_expired_person_does_not_log_in() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let today = at(0).wall.to_zoned(jiff::tz::TimeZone::system()).date();
    let last = today.checked_add(jiff::Span::new().days(5)).ok();
    let new = NewPerson { valid_until: last, ..person("Nora Quist", Role::Nurse) };
    let added = rig.administer(Administration::AddPerson(new, None)).unwrap();
    let Administered::Added(id) = added else { panic!("{added:?}") };
    rig.enrol_badge(id, 1, PIN).unwrap();
    assert!(rig.people().iter().any(|person| person.valid_until == last));
    rig.close();
    rig.show(badge_pin(1, PIN), at(0)).unwrap();
    rig.next();
    rig.close();
    let late = rig.show(badge_pin(1, PIN), at(10 * 86_400)).unwrap_err();
    assert_eq!(late, Refusal::Expired);
    rig.stop();
}

#[test]
fn s4_with_the_recovery_words_an_it_person_gets_in_again() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.record(1, 1..=5);
    for number in 0..10_u8 {
        let wrong = pin(&[9, 0, 9, 0, number / 5, number % 5]);
        rig.show(Evidence::BadgePin(badge(), wrong), at(1_000 * u64::from(number))).unwrap_err();
    }
    rig.stop();
    let words = || wardkeep_model::confidential::Secret::new(phrase.expose().clone());
    let administer = |what| administer_with_recovery(&options(dir.path()), &words(), what);
    let wrong = wardkeep_model::confidential::Secret::new("no such words".to_owned());
    let list = Administration::ListPeople;
    assert!(administer_with_recovery(&options(dir.path()), &wrong, list).unwrap().is_none());
    let Some(Administered::People(people)) = administer(Administration::ListPeople).unwrap() else {
        panic!("no list")
    };
    let id = people[0].id;
    assert_eq!(people[0].tries_left, 0);
    let own = Administration::ChangeOwnPin(pin(PIN));
    assert_eq!(administer(own).map(|_| ()).unwrap_err(), Fault::NotAllowed);
    let set = Administration::SetPin(id, NewPin::OneTimeCode);
    let Some(Administered::Enrolled(Some(code))) = administer(set).unwrap() else {
        panic!("no code")
    };
    let new = Administration::AddPerson(person("Ida Tamm", Role::It), None);
    let Some(Administered::Added(second)) = administer(new).unwrap() else { panic!("nobody") };
    let enrol = Administration::EnrolBadge(second, nth_badge(3), chosen(PIN));
    administer(enrol).unwrap().unwrap();
    administer(Administration::RevokePerson(id)).unwrap().unwrap();

    let mut rig = Rig::restart(dir.path());
    let old = Evidence::BadgePin(badge(), code_digits(&code));
    assert!(!rig.opens(old), "revoked with the words");
    rig.log_in(badge_pin(3, PIN));
    let acts: Vec<AuditAct> = audit(&mut rig).iter().map(|row| row.entry.act).collect();
    assert_eq!(acts.iter().filter(|act| **act == AuditAct::RecoveryUsed).count(), 6);
    rig.close();
    rig.stop();
    assert_eq!(seqs(&contents(dir.path(), &phrase)), [1, 2, 3, 4, 5]);
}

#[test]
fn a_stranger_outcome_never_comes_from_an_administration() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = ready(&dir);
    let (answer, others) = rig.ask(Administration::ListPeople, at(100));
    answer.unwrap();
    assert!(others.is_empty(), "{others:?}");
    assert!(!rig.stop().iter().any(|outcome| matches!(outcome, Outcome::Administered(..))));
}
