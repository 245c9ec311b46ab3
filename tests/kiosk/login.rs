//! Logging in: refusals, one-time codes, switching, leaving, and what is left behind.

use std::time::Duration;

use kit::kiosk::{Bedside, PIN, WRONG, badge, pin};
use wardkeep_core::alarms::AlarmText;
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::pages::patients;
use wardkeep_core::kiosk::view::{PinPurpose, Screen};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::guessable::Weakness;
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::policy::Policy;
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::keeping::{AdministrationFault, Refusal, Shift, StoreFault};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{Event, ReaderHealth, ReaderKind};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn refusals_of_the_store_are_told_apart_once_the_factors_were_right() {
    let wrong = Refusal::WrongFactors(Admission::Try { tries_left: 9 });
    for (refusal, by_card, said, stays) in [
        (Refusal::Expired, false, Notice::PersonExpired, false),
        (Refusal::NotTaken, false, Notice::CardWanted, false),
        (Refusal::Damaged(StoreFault::Io), false, Notice::VaultDamaged, false),
        (Refusal::WrongFactors(Admission::Exhausted), false, Notice::TriesExhausted, false),
        (wrong, false, Notice::BadgeOrPinWrong, true),
        (wrong, true, Notice::CardNoKey, false),
        (Refusal::NotAdmitted(Admission::Wait(5 * SECOND)), false, Notice::TryLater, true),
    ] {
        let mut bedside = Bedside::locked();
        bedside.store.refusal = Some(refusal);
        if by_card {
            bedside.insert(1);
        } else {
            bedside.tap(1);
        }
        bedside.type_pin(PIN);
        assert_eq!(bedside.notice(), Some(said), "{refusal:?}");
        assert_eq!(!bedside.is_lock_screen(), stays, "{refusal:?}");
        assert!(!bedside.store.vault_open);
    }
}

#[test]
fn where_only_cards_are_taken_a_badge_gets_no_prompt_and_hides_what_is_open() {
    let mut bedside = Bedside::under(Policy { badge_pin: false, ..Policy::default() });
    bedside.tap(1);
    assert!(bedside.is_lock_screen());
    assert_eq!(bedside.notice(), Some(Notice::CardWanted));
    bedside.insert(1);
    bedside.type_pin(PIN);
    assert!(bedside.view().open.is_some());
    bedside.tap(2);
    assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
    assert_eq!(bedside.notice(), Some(Notice::CardWanted));
}

#[test]
fn s1_a_one_time_code_shows_nothing_before_a_pin_was_chosen_twice() {
    let own = [8, 2, 6, 3, 9, 0];
    let mut bedside = Bedside::monitoring();
    bedside.intent(frame::Intent::Lock);
    bedside.store.is_code = true;
    bedside.unlock();
    let purpose = |bedside: &Bedside| bedside.prompt().purpose;
    assert!(bedside.store.vault_open && bedside.view().open.is_none());
    assert_eq!(purpose(&bedside), PinPurpose::Choose);
    for (typed, said, next) in [
        ([1, 2, 3, 4, 5, 6], Some(Notice::PinGuessable(Weakness::Run)), PinPurpose::Choose),
        (own, None, PinPurpose::Repeat),
        (WRONG, Some(Notice::PinsDiffer), PinPurpose::Choose),
        (own, None, PinPurpose::Repeat),
    ] {
        let before = bedside.prompt().prompt;
        bedside.type_pin(typed);
        assert_eq!((bedside.notice(), purpose(&bedside)), (said, next));
        assert_ne!(bedside.prompt().prompt, before, "the pad is empty again");
        assert!(bedside.view().open.is_none());
        assert_eq!(bedside.pairs().len(), 1, "nobody has been logged in by the code");
    }
    bedside.type_pin(own);
    assert_eq!(bedside.notice(), Some(Notice::PinChanged));
    let patient = bedside.view().open.and_then(|open| open.patient);
    assert!(patient.is_some_and(|patient| patient.given.reveal() == "Margaret"));
    assert_eq!(bedside.store.pin, pin(own));
    assert_eq!(bedside.pairs().len(), 2);
}

#[test]
fn s1_what_an_abandoned_unlock_brought_is_shown_to_nobody() {
    let mut bedside = Bedside::monitoring();
    let form = PatientForm { family: Phi::new("Aydin".into()), ..PatientForm::default() };
    bedside.intent(patients::Intent::Draft(form));
    bedside.intent(frame::Intent::Lock);
    bedside.prompt_store = false;
    bedside.unlock();
    let late = bedside.answers.pop().expect("the first person's vault");
    bedside.answers.clear();
    bedside.intent(frame::Intent::Cancel);
    bedside.answers.clear();
    bedside.prompt_store = true;
    bedside.store.is_code = true;
    bedside.tap(2);
    bedside.type_pin(PIN);
    bedside.event(wardkeep_core::kiosk::Event::Store(late));
    bedside.type_pin([8, 2, 6, 3, 9, 0]);
    bedside.type_pin([8, 2, 6, 3, 9, 0]);
    assert_eq!(bedside.view().open.map(|open| open.operator.initials), Some("BL".into()));
    assert!(matches!(bedside.view().screen, Screen::Bedside(_)), "without the other's draft");
}

#[test]
fn s1_leaving_before_a_pin_was_chosen_closes_the_vault() {
    type Act = fn(&mut Bedside);
    let leave: [(&str, Act); 6] = [
        ("cancel", |b| b.intent(frame::Intent::Cancel)),
        ("lock", |b| b.intent(frame::Intent::Lock)),
        ("nobody touches it", |b| b.wait(31 * SECOND)),
        ("another badge", |b| b.hardware(Event::BadgePresented(badge(2)))),
        ("a card", |b| b.insert(2)),
        ("the store refuses the PIN", |b| {
            b.store.administration = Some(AdministrationFault::Store(StoreFault::Full));
            b.type_pin([8, 2, 6, 3, 9, 0]);
            b.type_pin([8, 2, 6, 3, 9, 0]);
        }),
    ];
    for (how, act) in leave {
        let mut bedside = Bedside::monitoring();
        bedside.intent(frame::Intent::Lock);
        bedside.store.is_code = true;
        bedside.unlock();
        assert!(bedside.store.vault_open, "{how}");
        act(&mut bedside);
        assert!(!bedside.store.vault_open && bedside.view().open.is_none(), "{how}");
        assert_eq!(bedside.store.pin, pin(PIN), "{how}: the code still is the code");
        bedside.store.is_code = false;
        bedside.store.administration = None;
        bedside.intent(frame::Intent::Cancel);
        bedside.unlock();
        assert!(bedside.view().open.is_some(), "{how}");
    }
}

#[test]
fn presenting_the_same_token_again_is_idempotent_for_three_seconds() {
    type Present = fn(&mut Bedside);
    let tokens: [Present; 2] = [|b| b.tap(1), |b| b.insert(1)];
    for present in tokens {
        let mut bedside = Bedside::locked();
        present(&mut bedside);
        bedside.type_pin(PIN);
        for _ in 0..3 {
            bedside.wait(2 * SECOND);
            present(&mut bedside);
            assert!(bedside.view().open.is_some(), "each tap begins the three seconds anew");
        }
        bedside.wait(3 * SECOND);
        present(&mut bedside);
        assert!(bedside.is_lock_screen());
        assert_eq!(bedside.notice(), Some(Notice::LockedByBadge));
    }
}

#[test]
fn s1_the_tap_that_locks_does_not_open_again_when_it_bounces() {
    let mut bedside = Bedside::under(Policy { tap_alone: true, ..Policy::default() });
    bedside.unlock();
    bedside.store.shift = Some(Shift { templates: vec![], tap: true });
    bedside.wait(4 * SECOND);
    for _ in 0..3 {
        bedside.tap(1);
        assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
        assert_eq!(bedside.notice(), Some(Notice::LockedByBadge));
        bedside.wait(2 * SECOND);
    }
    bedside.tap(2);
    assert!(bedside.view().open.is_some(), "another badge is another tap");
    bedside.wait(4 * SECOND);
    bedside.tap(2);
    bedside.wait(3 * SECOND);
    bedside.tap(2);
    assert!(bedside.view().open.is_some(), "later it is a tap of its own");
}

#[test]
fn another_token_switches_the_person_and_keeps_the_draft_of_the_first() {
    let mut bedside = Bedside::monitoring();
    let form = PatientForm { family: Phi::new("Aydin".into()), ..PatientForm::default() };
    bedside.intent(patients::Intent::Draft(form.clone()));
    bedside.insert(2);
    assert!(!bedside.store.vault_open && bedside.view().open.is_none());
    assert_eq!(bedside.notice(), Some(Notice::LockedForOther));
    bedside.type_pin(PIN);
    let open = bedside.view().open.expect("open for the other");
    assert_eq!(open.operator.initials, "BL");
    let kept: Vec<_> = bedside.store.drafts.iter().map(|d| (d.operator, &d.form)).collect();
    assert_eq!(kept, [(OperatorId(9), &form)]);
    bedside.intent(frame::Intent::Lock);
    assert_eq!(bedside.store.drafts.len(), 1, "the other had typed nothing");
}

#[test]
fn a_session_ends_after_twelve_hours_however_busy_it_is() {
    let mut bedside = Bedside::unlocked();
    for _ in 0..12 * 60 - 1 {
        bedside.wait(60 * SECOND);
        bedside.intent(frame::Intent::Activity);
    }
    assert!(bedside.view().open.is_some());
    bedside.wait(60 * SECOND);
    bedside.intent(frame::Intent::Activity);
    assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
    assert_eq!(bedside.notice(), Some(Notice::ShiftOver));
}

#[test]
fn s9_a_token_left_behind_is_called_out_until_somebody_comes() {
    type Act = fn(&mut Bedside);
    let tokens: [(Act, Act); 2] = [
        (|b| b.hardware(Event::BadgePresented(badge(1))), |b| b.hardware(Event::BadgeRemoved)),
        (|b| b.insert(1), |b| b.pull()),
    ];
    let called_out = |bedside: &Bedside| {
        let strip = bedside.view().alarm;
        strip.is_some_and(|strip| {
            strip.text == AlarmText::TokenLeftBehind && strip.priority == Priority::Low
        })
    };
    for (lay, take) in tokens {
        let mut bedside = Bedside::under(Policy { left_behind: 300 * SECOND, ..Policy::default() });
        lay(&mut bedside);
        bedside.type_pin(PIN);
        bedside.wait(299 * SECOND);
        assert!(bedside.is_lock_screen() && !called_out(&bedside));
        bedside.wait(SECOND);
        assert!(called_out(&bedside));
        assert!(bedside.kiosk.sound(bedside.now()).is_some(), "it is heard");
        bedside.acknowledge();
        assert!(!called_out(&bedside), "somebody is there");
        bedside.wait(300 * SECOND);
        assert!(called_out(&bedside), "and left again without it");
        take(&mut bedside);
        assert!(!called_out(&bedside));
        bedside.wait(600 * SECOND);
        assert!(!called_out(&bedside));
    }
}

#[test]
fn the_lock_screen_says_which_ways_are_open() {
    let ways = |bedside: &Bedside| {
        let Screen::Lock(lock) = bedside.view().screen else { panic!("expected the lock screen") };
        (lock.ways.card, lock.ways.emergency)
    };
    let mut bedside = Bedside::locked();
    assert_eq!(ways(&bedside), (false, true));
    bedside.hardware(Event::Reader(ReaderKind::SmartCard, ReaderHealth::Ready));
    assert_eq!(ways(&bedside), (true, true));
    let off = Bedside::under(Policy { emergency: false, ..Policy::default() });
    assert_eq!(ways(&off), (false, false));
}
