//! Shift shares in the whole store: what a full login leaves for the rest of the shift, and everything
//! that ends it.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use kit::clock::Clock;
use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Evidence, Finger, TemplateId, Token};
use wardkeep_model::access::policy::Policy;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::keeping::{
    Administered, Administration, Command, FactorKind, Outcome, Refusal, Shift,
};
use wardkeep_model::moment::Moment;

const HOUR: u64 = 3600;

/// A nurse with two badges, a card and a finger, on a cart under a policy; nobody is logged in.
fn ward(dir: &Path, policy: Policy) -> (Rig, OperatorId) {
    Rig::first_start(dir).0.stop();
    let (mut rig, _) = Rig::start(options(dir).with_policy(policy));
    rig.log_in(it());
    let nurse = rig.enrol("Nura Nightshift", Role::Nurse, 1, PIN);
    rig.enrol_badge(nurse, 2, PIN).unwrap();
    rig.administer(Administration::EnrolCard(nurse, card_enrolment(5))).unwrap();
    rig.administer(Administration::EnrolFinger(nurse, template(71))).unwrap();
    rig.close();
    (rig, nurse)
}

fn finger(token: Token, template: u128) -> Evidence {
    Evidence::Finger(token, TemplateId(template))
}

fn shift(rig: &mut Rig, token: Token, now: Moment) -> Option<Shift> {
    rig.send(Command::Identify(Attempt(0), token, now));
    let outcome = rig.next();
    let Outcome::Identified(_, identified) = outcome else { panic!("{outcome:?}") };
    identified.shift
}

fn refusal(rig: &mut Rig, evidence: Evidence, now: Moment) -> Refusal {
    rig.show(evidence, now).map(|_| ()).expect_err("nothing may open here")
}

fn log_in_and_out(rig: &mut Rig, evidence: Evidence) {
    rig.log_in(evidence);
    rig.close();
}

fn badge_token(number: u8) -> Token {
    Token::Badge(nth_badge(number))
}

#[test]
fn s3_inside_a_shift_badge_and_finger_open_and_everybody_else_needs_their_pin() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, nurse) = ward(dir.path(), Policy::default());
    let early = refusal(&mut rig, finger(badge_token(1), 71), at(200));
    assert_eq!(early, Refusal::ShiftOver, "a finger opens nothing from nothing");
    assert_eq!(shift(&mut rig, badge_token(1), at(200)), None);
    log_in_and_out(&mut rig, badge_pin(1, PIN));

    let offered = Some(Shift { templates: vec![template(71)], tap: false });
    for token in [badge_token(1), badge_token(2)] {
        assert_eq!(shift(&mut rig, token.clone(), at(300)), offered);
        let unlocked = rig.show(finger(token, 71), at(300)).unwrap();
        assert_eq!((unlocked.operator.id, unlocked.must_choose_pin), (nurse, false));
        assert!(matches!(rig.next(), Outcome::Imported(_)));
        rig.close();
    }
    for (evidence, expected) in [
        (finger(badge_token(1), 72), Refusal::ShiftOver),
        (finger(badge_token(9), 71), Refusal::ShiftOver),
        (finger(Token::Badge(badge()), 71), Refusal::ShiftOver),
        (Evidence::Tap(badge_token(1)), Refusal::NotTaken),
    ] {
        assert_eq!(refusal(&mut rig, evidence, at(400)), expected);
    }
    // A card's own login adds the card.
    let card_token = card(5).token();
    assert_eq!(shift(&mut rig, card_token.clone(), at(400)), None);
    log_in_and_out(&mut rig, card(5));
    assert!(rig.opens_at(finger(card_token, 71), at(500)));
    assert!(rig.opens_at(finger(badge_token(2), 71), at(500)));
    rig.stop();
}

#[test]
fn s3_a_shift_ends_with_its_time_the_clock_the_program_and_five_misses() {
    let clock_set = |seconds| {
        let mut clock = Clock::from(at(seconds));
        clock.step_wall(SignedDuration::from_secs(400));
        clock.now()
    };
    for (name, now) in [("time", at(90 + 4 * HOUR)), ("clock", clock_set(300))] {
        let dir = tempfile::tempdir().unwrap();
        let (mut rig, _) = ward(dir.path(), Policy::default());
        log_in_and_out(&mut rig, badge_pin(1, PIN));
        assert!(rig.opens_at(finger(badge_token(1), 71), at(89 + 4 * HOUR)), "{name}");
        assert_eq!(shift(&mut rig, badge_token(1), now), None, "{name}");
        let answer = refusal(&mut rig, finger(badge_token(1), 71), at(300));
        assert_eq!(answer, Refusal::ShiftOver, "{name}: it is gone for good");
        rig.stop();
    }

    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = ward(dir.path(), Policy::default());
    log_in_and_out(&mut rig, badge_pin(1, PIN));
    let miss = |rig: &Rig, token| rig.send(Command::FingerMissed(token));
    for _ in 0..4 {
        miss(&rig, badge_token(1));
    }
    assert!(rig.opens_at(finger(badge_token(1), 71), at(300)), "four misses end nothing");
    for number in [1, 2, 1, 2, 1] {
        miss(&rig, badge_token(number));
    }
    assert_eq!(refusal(&mut rig, finger(badge_token(1), 71), at(300)), Refusal::ShiftOver);
    log_in_and_out(&mut rig, badge_pin(1, PIN));
    assert!(rig.opens_at(finger(badge_token(1), 71), at(300)), "the PIN begins a new shift");
    rig.stop();

    let (mut rig, _) = Rig::start(options(dir.path()));
    assert_eq!(refusal(&mut rig, finger(badge_token(1), 71), at(300)), Refusal::ShiftOver);
    rig.stop();
}

type Act<'a> = dyn Fn(&mut Rig) -> Administered + 'a;

#[test]
fn s3_a_shift_ends_with_a_revocation_or_a_new_pin() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, nurse) = ward(dir.path(), Policy::default());
    let taken = |rig: &mut Rig, kind: FactorKind| {
        let people = rig.people();
        let row = people.iter().find(|row| row.id == nurse).unwrap();
        let factor = row.factors.iter().find(|factor| factor.kind == kind).unwrap();
        rig.administer(Administration::RevokeFactor(nurse, factor.id)).unwrap()
    };
    let acts: [(&str, &Act<'_>); 4] = [
        ("a new PIN", &|rig| rig.administer(Administration::SetPin(nurse, chosen(PIN))).unwrap()),
        ("a taken badge", &|rig| taken(rig, FactorKind::Badge)),
        ("a taken finger", &|rig| taken(rig, FactorKind::Finger(Finger::RightIndex))),
        ("the person's end", &|rig| rig.revoke(nurse).unwrap()),
    ];
    for (name, act) in acts {
        if name == "the person's end" {
            // Their finger is gone; another one takes its place.
            rig.log_in(it());
            rig.administer(Administration::EnrolFinger(nurse, template(71))).unwrap();
            rig.close();
        }
        log_in_and_out(&mut rig, badge_pin(2, PIN));
        assert!(rig.opens_at(finger(badge_token(2), 71), at(300)), "{name}");
        rig.log_in(it());
        act(&mut rig);
        rig.close();
        let answer = refusal(&mut rig, finger(badge_token(2), 71), at(300));
        assert_eq!(answer, Refusal::ShiftOver, "{name}");
    }
    rig.stop();
}

#[test]
fn s3_another_person_s_login_ends_what_a_token_alone_opens() {
    let dir = tempfile::tempdir().unwrap();
    let policy = Policy { tap_alone: true, ..Policy::default() };
    let (mut rig, _) = ward(dir.path(), policy);
    log_in_and_out(&mut rig, badge_pin(1, PIN));
    let offers_tap = |rig: &mut Rig| shift(rig, badge_token(1), at(300)).map(|shift| shift.tap);
    assert_eq!(offers_tap(&mut rig), Some(true));
    assert!(rig.opens_at(Evidence::Tap(badge_token(1)), at(300)));
    log_in_and_out(&mut rig, it());
    assert_eq!(offers_tap(&mut rig), Some(false));
    assert_eq!(refusal(&mut rig, Evidence::Tap(badge_token(1)), at(301)), Refusal::ShiftOver);
    assert!(rig.opens_at(finger(badge_token(1), 71), at(302)), "with a finger it goes on");
    log_in_and_out(&mut rig, badge_pin(1, PIN));
    assert!(rig.opens_at(Evidence::Tap(badge_token(1)), at(303)), "after their own login again");
    rig.stop();
}

#[test]
fn s3_without_grace_a_login_leaves_nothing() {
    let floor = Policy::default();
    for policy in [
        Policy { shift: Duration::ZERO, tap_alone: true, ..floor },
        Policy { finger: false, ..floor },
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (mut rig, _) = ward(dir.path(), policy);
        log_in_and_out(&mut rig, badge_pin(1, PIN));
        assert_eq!(shift(&mut rig, badge_token(1), at(300)), None);
        assert_eq!(refusal(&mut rig, finger(badge_token(1), 71), at(300)), Refusal::NotTaken);
        rig.stop();
    }
}
