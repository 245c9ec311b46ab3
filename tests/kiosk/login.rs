//! Logging in with badges, cards, fingers and one-time codes, and every way in which it goes wrong.

use std::time::Duration;

use crate::bedside::{Bedside, PIN, WRONG, badge, card, pin, sensor, template};
use wardkeep::bridge::intent::{Intent, Page, PatientForm};
use wardkeep::bridge::view::access::FingerPrompt;
use wardkeep::bridge::view::{AlarmText, PinPrompt, PinPurpose, Priority, Screen};
use wardkeep::confidential::Phi;
use wardkeep::hardware::{
    CardCommand, CardFault, CardRefusal, Distrust, Event, FactorEvent, FingerAdvice, FingerEvent,
    FingerFault, ReaderHealth, ReaderKind,
};
use wardkeep::notice::Notice;
use wardkeep::session::OperatorId;
use wardkeep::session::factor::{TemplateId, TokenKind};
use wardkeep::session::policy::{Level, Pair, Policy};
use wardkeep::store::{AdministrationFault, Admission, AuditAct, Refusal, Shift, StoreFault};

const SECOND: Duration = Duration::from_secs(1);

fn shift() -> Shift {
    Shift { templates: vec![template(1, "A")], tap: false }
}

/// A locked bedside in whose shift person 1 may reopen with a finger.
fn in_shift() -> Bedside {
    let mut bedside = Bedside::locked();
    bedside.in_shift(shift());
    bedside
}

fn prompt(bedside: &Bedside) -> PinPrompt {
    match bedside.view().screen {
        Screen::Pin(prompt) => prompt,
        other => panic!("expected the PIN pad, got {other:?}"),
    }
}

fn notice(bedside: &Bedside) -> Option<Notice> {
    bedside.view().notice
}

fn level(bedside: &Bedside) -> Option<Level> {
    bedside.view().open.map(|open| open.operator.level)
}

/// With which factors the audit log says that sessions were opened.
fn pairs(bedside: &Bedside) -> Vec<(Option<OperatorId>, Option<Pair>)> {
    let entries = bedside.store.audit.iter().filter(|entry| entry.act == AuditAct::Unlocked);
    entries.map(|entry| (entry.operator, entry.pair)).collect()
}

#[test]
fn card_and_pin_open_the_session() {
    let mut bedside = Bedside::locked();
    bedside.insert(1);
    assert_eq!(prompt(&bedside).token, TokenKind::Card);
    bedside.prompt_card = false;
    bedside.type_pin(PIN);
    assert!(prompt(&bedside).busy && !bedside.store.vault_open, "the card has to answer first");
    bedside.card_answers();
    assert_eq!(level(&bedside), Some(Level::Strong));
    assert_eq!(pairs(&bedside), [(Some(OperatorId(9)), Some(Pair::CardPin))]);
    bedside.wait(60 * SECOND);
    let chip = bedside.view().open.expect("open").operator;
    assert_eq!((chip.since, chip.minutes_left), ((14, 32), 1));
}

#[test]
fn a_card_tells_its_own_tries_from_the_first_wrong_pin_on() {
    let mut bedside = Bedside::locked();
    bedside.insert(1);
    assert_eq!(prompt(&bedside).tries_left, None);
    let before = prompt(&bedside).prompt;
    bedside.type_pin(WRONG);
    assert_eq!((prompt(&bedside).tries_left, prompt(&bedside).refused), (Some(2), true));
    assert_eq!(notice(&bedside), Some(Notice::CardPinWrong));
    assert_ne!(prompt(&bedside).prompt, before, "what was typed is forgotten");
    bedside.type_pin(PIN);
    assert_eq!(level(&bedside), Some(Level::Strong));
}

#[test]
fn s1_every_other_refusal_of_a_card_locks_with_its_own_sentence() {
    let distrust = CardRefusal::NotTrusted;
    for (refusal, said) in [
        (CardRefusal::LastTry, Notice::CardLastTry),
        (CardRefusal::Blocked, Notice::CardBlocked),
        (CardRefusal::NoKey, Notice::CardNoKey),
        (CardRefusal::Changed, Notice::CardChanged),
        (CardRefusal::Gone, Notice::CardPulled),
        (CardRefusal::Broken, Notice::CardUnreadable),
        (distrust(Distrust::NoIssuers), Notice::CardNotTrusted),
        (distrust(Distrust::UnknownIssuer), Notice::CardNotTrusted),
        (distrust(Distrust::WrongPurpose), Notice::CardNotTrusted),
        (distrust(Distrust::Malformed), Notice::CardNotTrusted),
        (distrust(Distrust::Expired), Notice::CardExpired),
        (distrust(Distrust::NotYetValid), Notice::CardExpired),
        (distrust(Distrust::Revoked), Notice::CardRevoked),
        (distrust(Distrust::ListMissing), Notice::RevocationListOld),
        (distrust(Distrust::ListStale), Notice::RevocationListOld),
    ] {
        let mut bedside = Bedside::locked();
        bedside.prompt_card = false;
        bedside.insert(1);
        bedside.type_pin(PIN);
        let Some(CardCommand::Prove { attempt, .. }) = bedside.asked_card.clone() else {
            panic!("the card was not asked");
        };
        bedside.factor(FactorEvent::CardRefused(attempt, refusal));
        assert!(bedside.is_lock_screen() && !bedside.store.vault_open, "{refusal:?}");
        assert_eq!(notice(&bedside), Some(said), "{refusal:?}");
        bedside.card_answers();
        assert!(bedside.is_lock_screen(), "{refusal:?}: a proof after a refusal opens nothing");
    }
}

#[test]
fn s1_a_card_swapped_between_the_digits_gets_a_prompt_of_its_own() {
    for announced in [true, false] {
        let mut bedside = Bedside::locked();
        bedside.prompt_card = false;
        bedside.insert(1);
        let before = prompt(&bedside).prompt;
        if announced {
            bedside.pull();
            assert!(bedside.is_lock_screen());
            assert_eq!(notice(&bedside), Some(Notice::CardPulled));
        }
        bedside.insert(2);
        assert_ne!(
            prompt(&bedside).prompt,
            before,
            "digits typed for one card never reach another"
        );
        bedside.type_pin(PIN);
        let asked = bedside.asked_card.clone();
        assert!(
            matches!(&asked, Some(CardCommand::Prove { card: asked, peer, .. })
                if *asked == card(2) && peer.0 == card(2).0),
            "{asked:?}"
        );
    }
}

#[test]
fn s1_a_card_swapped_between_pin_and_proof_locks() {
    let mut bedside = Bedside::locked();
    bedside.prompt_card = false;
    bedside.insert(1);
    bedside.type_pin(PIN);
    bedside.insert(2);
    assert!(bedside.is_lock_screen());
    assert_eq!(notice(&bedside), Some(Notice::CardChanged));
    bedside.card_answers();
    assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
}

/// The steps of a login with a card, each with how far it gets.
fn card_steps() -> Vec<(&'static str, fn(&mut Bedside))> {
    vec![
        ("prompt", |b| b.insert(1)),
        ("proving", |b| {
            b.insert(1);
            b.prompt_card = false;
            b.type_pin(PIN);
        }),
        ("unlocking", |b| {
            b.insert(1);
            b.prompt_store = false;
            b.type_pin(PIN);
        }),
        ("choosing a PIN", |b| {
            b.insert(1);
            b.store.is_code = true;
            b.store.code_for_cards = true;
            b.type_pin(PIN);
        }),
        ("open", |b| {
            b.insert(1);
            b.type_pin(PIN);
        }),
        ("emergency, reason", |b| {
            b.intent(Intent::BeginEmergency);
            b.insert(1);
        }),
        ("emergency, open", |b| {
            b.intent(Intent::BeginEmergency);
            b.insert(1);
            b.choose_reason();
        }),
    ]
}

#[test]
fn s1_a_card_pulled_or_a_reader_lost_locks_at_every_step() {
    type Loss = fn(&mut Bedside);
    let losses: [(&str, Loss); 5] = [
        ("pulled", |b| b.pull()),
        ("reader daemon gone", |b| {
            b.hardware(Event::Reader(ReaderKind::SmartCard, ReaderHealth::ServiceDown));
        }),
        ("reader unplugged", |b| {
            b.hardware(Event::Reader(ReaderKind::SmartCard, ReaderHealth::NotFitted));
        }),
        ("unreadable", |b| b.factor(FactorEvent::CardUnreadable(CardFault::Unreadable))),
        ("something else in the reader", |b| {
            b.factor(FactorEvent::CardUnreadable(CardFault::NotPiv));
        }),
    ];
    for (step, reach) in card_steps() {
        for (how, lose) in losses {
            let mut bedside = Bedside::monitoring();
            bedside.intent(Intent::Lock);
            bedside.store.write_emergency_card(bedside.now.wall);
            reach(&mut bedside);
            assert!(!bedside.is_lock_screen(), "{step}");
            lose(&mut bedside);
            assert!(bedside.is_lock_screen(), "{step}, {how}");
            bedside.prompt_store = true;
            bedside.deliver();
            bedside.card_answers();
            assert!(bedside.is_lock_screen() && !bedside.store.vault_open, "{step}, {how}");
            assert!(notice(&bedside).is_some(), "{step}, {how}");
        }
    }
}

#[test]
fn unreadable_cards_are_explained() {
    for (fault, said) in [
        (CardFault::LeftTooSoon, Notice::CardLeftTooSoon),
        (CardFault::NotPiv, Notice::CardNotPiv),
        (CardFault::Unreadable, Notice::CardUnreadable),
    ] {
        let mut bedside = Bedside::unlocked();
        bedside.factor(FactorEvent::CardUnreadable(fault));
        assert_eq!(notice(&bedside), Some(said));
        assert!(bedside.view().open.is_some(), "a session that rests on a badge goes on");
    }
}

#[test]
fn whichever_of_finger_and_pin_comes_first_counts() {
    for (kind, pair) in [(TokenKind::Badge, Pair::BadgeFinger), (TokenKind::Card, Pair::CardFinger)]
    {
        let present = |bedside: &mut Bedside| match kind {
            TokenKind::Badge => bedside.tap(1),
            TokenKind::Card => bedside.insert(1),
        };
        let mut bedside = in_shift();
        present(&mut bedside);
        assert_eq!(prompt(&bedside).finger, Some(FingerPrompt::Waiting));
        bedside.touch(true);
        assert!(bedside.asked_finger.is_none(), "the reader was stopped");
        assert_eq!(level(&bedside), Some(Level::Copyable));
        assert_eq!(pairs(&bedside), [(Some(OperatorId(9)), Some(pair))]);

        let mut bedside = in_shift();
        present(&mut bedside);
        let (attempt, _) = bedside.asked_finger.clone().expect("the reader was asked");
        bedside.prompt_store = false;
        bedside.prompt_card = false;
        bedside.type_pin(PIN);
        assert!(bedside.asked_finger.is_none(), "the PIN was first");
        bedside.factor(FactorEvent::Finger(FingerEvent::Matched(attempt, TemplateId(1))));
        assert!(prompt(&bedside).busy, "a finger that comes late is not asked for");
    }
}

#[test]
fn s5_five_fingers_of_others_end_the_finger_and_leave_the_pin() {
    let mut bedside = in_shift();
    bedside.tap(1);
    for miss in 1..=5 {
        bedside.touch(false);
        let shown = if miss < 5 { FingerPrompt::NotMatched } else { FingerPrompt::Off };
        assert_eq!(prompt(&bedside).finger, Some(shown), "miss {miss}");
    }
    assert_eq!(bedside.store.misses, 5);
    assert_eq!(notice(&bedside), Some(Notice::FingerOff));
    assert!(bedside.asked_finger.is_none());
    bedside.type_pin(PIN);
    assert!(bedside.view().open.is_some());
}

#[test]
fn s5_a_wrong_pin_in_between_gives_no_more_fingers() {
    let mut bedside = in_shift();
    bedside.tap(1);
    for _ in 0..4 {
        bedside.touch(false);
    }
    bedside.type_pin(WRONG);
    assert_eq!(prompt(&bedside).finger, Some(FingerPrompt::Waiting), "the finger is asked anew");
    bedside.touch(false);
    assert_eq!(prompt(&bedside).finger, Some(FingerPrompt::Off));
    bedside.type_pin(WRONG);
    assert!(bedside.asked_finger.is_none(), "it stays off for this prompt");
}

#[test]
fn a_finger_counts_only_on_the_reader_it_was_enrolled_on() {
    type Plug = fn(&mut Bedside);
    let cases: [(&str, Plug, Option<FingerPrompt>); 5] = [
        ("no reader", |b| b.factor(FactorEvent::Sensor(None)), None),
        (
            "another reader",
            |b| b.factor(FactorEvent::Sensor(Some(sensor("B")))),
            Some(FingerPrompt::Off),
        ),
        (
            "enrolled on two readers",
            |b| {
                let templates = vec![template(2, "B"), template(1, "A")];
                b.store.shift = Some(Shift { templates, tap: false });
            },
            Some(FingerPrompt::Waiting),
        ),
        (
            "nothing enrolled",
            |b| b.store.shift = Some(Shift { templates: vec![], tap: false }),
            None,
        ),
        ("no shift", |b| b.store.shift = None, None),
    ];
    for (case, plug, shown) in cases {
        let mut bedside = in_shift();
        plug(&mut bedside);
        bedside.tap(1);
        assert_eq!(prompt(&bedside).finger, shown, "{case}");
        let asked = bedside.asked_finger.as_ref().map(|(_, templates)| templates.as_slice());
        let expected = [template(1, "A")];
        assert_eq!(
            asked,
            (shown == Some(FingerPrompt::Waiting)).then_some(&expected[..]),
            "{case}"
        );
    }
    let mut site = Bedside::under(Policy { finger: false, ..Policy::default() });
    site.in_shift(shift());
    site.tap(1);
    assert_eq!((prompt(&site).finger, site.asked_finger.is_some()), (None, false));
}

#[test]
fn what_the_fingerprint_reader_says_is_shown_beside_the_pad() {
    let finger = |bedside: &mut Bedside, event: FingerEvent| {
        bedside.factor(FactorEvent::Finger(event));
        prompt(bedside).finger
    };
    let begun = || {
        let mut bedside = in_shift();
        bedside.tap(1);
        let (attempt, _) = bedside.asked_finger.clone().expect("the reader was asked");
        (bedside, attempt)
    };
    let (mut bedside, attempt) = begun();
    let retry = FingerEvent::Retry(attempt, FingerAdvice::Centre);
    let shown = Some(FingerPrompt::Retry(FingerAdvice::Centre));
    assert_eq!(finger(&mut bedside, retry), shown);
    let stale = wardkeep::store::Attempt(attempt.0 + 50);
    assert_eq!(finger(&mut bedside, FingerEvent::NotMatched(stale)), shown, "of another question");
    assert_eq!(bedside.store.misses, 0);
    bedside.factor(FactorEvent::Sensor(None));
    assert_eq!(prompt(&bedside).finger, Some(FingerPrompt::Off), "unplugged");
    assert!(bedside.asked_finger.is_none());
    for (fault, said) in [
        (FingerFault::OtherSensor, Notice::FingerOff),
        (FingerFault::NotFitted, Notice::FingerNotFitted),
        (FingerFault::Broken, Notice::FingerNotFitted),
    ] {
        let (mut bedside, attempt) = begun();
        let off = Some(FingerPrompt::Off);
        assert_eq!(finger(&mut bedside, FingerEvent::Failed(attempt, fault)), off);
        assert_eq!(notice(&bedside), Some(said));
        bedside.type_pin(PIN);
        assert!(bedside.view().open.is_some(), "the PIN opens all the same");
    }
}

#[test]
fn s4_a_tap_alone_opens_only_where_the_site_and_the_shift_allow_it() {
    let tap = Shift { templates: vec![], tap: true };
    let mut strict = Bedside::locked();
    strict.in_shift(tap.clone());
    strict.tap(1);
    assert!(matches!(strict.view().screen, Screen::Pin(_)), "the floor knows no tap alone");

    let mut bedside = Bedside::under(Policy { tap_alone: true, ..Policy::default() });
    bedside.tap(1);
    assert!(matches!(bedside.view().screen, Screen::Pin(_)), "without a shift nothing opens");
    bedside.intent(Intent::Cancel);
    bedside.in_shift(tap);
    bedside.tap(1);
    assert_eq!(level(&bedside), Some(Level::Single));
    bedside.intent(Intent::Lock);
    bedside.insert(1);
    assert_eq!(level(&bedside), Some(Level::Single));
    let id = Some(OperatorId(9));
    assert_eq!(pairs(&bedside), [(id, Some(Pair::BadgeAlone)), (id, Some(Pair::CardAlone))]);
}

#[test]
fn a_shift_that_is_over_leaves_the_pin() {
    let mut bedside = in_shift();
    bedside.tap(1);
    bedside.store.refusal = Some(Refusal::ShiftOver);
    bedside.touch(true);
    assert_eq!(notice(&bedside), Some(Notice::ShiftOver));
    assert_eq!((prompt(&bedside).finger, prompt(&bedside).refused), (None, false));
    assert!(bedside.asked_finger.is_none(), "the finger is not asked again");
    bedside.store.refusal = None;
    bedside.type_pin(PIN);
    assert!(bedside.view().open.is_some());
}

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
            bedside.insert(1)
        } else {
            bedside.tap(1)
        }
        bedside.type_pin(PIN);
        assert_eq!(notice(&bedside), Some(said), "{refusal:?}");
        assert_eq!(!bedside.is_lock_screen(), stays, "{refusal:?}");
        assert!(!bedside.store.vault_open);
    }
}

#[test]
fn where_only_cards_are_taken_a_badge_gets_no_prompt_and_hides_what_is_open() {
    let mut bedside = Bedside::under(Policy { badge_pin: false, ..Policy::default() });
    bedside.tap(1);
    assert!(bedside.is_lock_screen());
    assert_eq!(notice(&bedside), Some(Notice::CardWanted));
    bedside.insert(1);
    bedside.type_pin(PIN);
    assert!(bedside.view().open.is_some());
    bedside.tap(2);
    assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
    assert_eq!(notice(&bedside), Some(Notice::CardWanted));
}

#[test]
fn s1_a_one_time_code_shows_nothing_before_a_pin_was_chosen_twice() {
    let own = [8, 2, 6, 3, 9, 0];
    let mut bedside = Bedside::monitoring();
    bedside.intent(Intent::Lock);
    bedside.store.is_code = true;
    bedside.unlock();
    let purpose = |bedside: &Bedside| prompt(bedside).purpose;
    assert!(bedside.store.vault_open && bedside.view().open.is_none());
    assert_eq!(purpose(&bedside), PinPurpose::Choose);
    for (typed, said, next) in [
        ([1, 2, 3, 4, 5, 6], Some(Notice::PinGuessable), PinPurpose::Choose),
        (own, None, PinPurpose::Repeat),
        (WRONG, Some(Notice::PinsDiffer), PinPurpose::Choose),
        (own, None, PinPurpose::Repeat),
    ] {
        let before = prompt(&bedside).prompt;
        bedside.type_pin(typed);
        assert_eq!((notice(&bedside), purpose(&bedside)), (said, next));
        assert_ne!(prompt(&bedside).prompt, before, "the pad is empty again");
        assert!(bedside.view().open.is_none());
        assert_eq!(pairs(&bedside).len(), 1, "nobody has been logged in by the code");
    }
    bedside.type_pin(own);
    assert_eq!(notice(&bedside), Some(Notice::PinChanged));
    let patient = bedside.view().open.and_then(|open| open.patient);
    assert!(patient.is_some_and(|patient| patient.given.reveal() == "Margaret"));
    assert_eq!(bedside.store.pin, pin(own));
    assert_eq!(pairs(&bedside).len(), 2);
}

#[test]
fn s1_leaving_before_a_pin_was_chosen_closes_the_vault() {
    type Act = fn(&mut Bedside);
    let leave: [(&str, Act); 6] = [
        ("cancel", |b| b.intent(Intent::Cancel)),
        ("lock", |b| b.intent(Intent::Lock)),
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
        bedside.intent(Intent::Lock);
        bedside.store.is_code = true;
        bedside.unlock();
        assert!(bedside.store.vault_open, "{how}");
        act(&mut bedside);
        assert!(!bedside.store.vault_open && bedside.view().open.is_none(), "{how}");
        assert_eq!(bedside.store.pin, pin(PIN), "{how}: the code still is the code");
        bedside.store.is_code = false;
        bedside.store.administration = None;
        bedside.intent(Intent::Cancel);
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
        assert_eq!(notice(&bedside), Some(Notice::LockedByBadge));
    }
}

#[test]
fn another_token_switches_the_person_and_keeps_the_draft_of_the_first() {
    let mut bedside = Bedside::monitoring();
    let form = PatientForm { family: Phi::new("Aydin".into()), ..PatientForm::default() };
    bedside.intent(Intent::DraftPatient(form.clone()));
    bedside.insert(2);
    assert!(!bedside.store.vault_open && bedside.view().open.is_none());
    assert_eq!(notice(&bedside), Some(Notice::LockedForOther));
    bedside.type_pin(PIN);
    let open = bedside.view().open.expect("open for the other");
    assert_eq!(open.operator.initials, "BL");
    let kept: Vec<_> = bedside.store.drafts.iter().map(|d| (d.operator, &d.form)).collect();
    assert_eq!(kept, [(OperatorId(9), &form)]);
    bedside.intent(Intent::Lock);
    assert_eq!(bedside.store.drafts.len(), 1, "the other had typed nothing");
}

#[test]
fn a_session_ends_after_twelve_hours_however_busy_it_is() {
    let mut bedside = Bedside::unlocked();
    for _ in 0..12 * 60 - 1 {
        bedside.now = bedside.now + 60 * SECOND;
        bedside.intent(Intent::Activity);
    }
    assert!(bedside.view().open.is_some());
    bedside.now = bedside.now + 60 * SECOND;
    bedside.intent(Intent::Activity);
    assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
    assert_eq!(notice(&bedside), Some(Notice::ShiftOver));
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
        assert!(bedside.kiosk.sound(bedside.now).is_some(), "it is heard");
        bedside.intent(Intent::AcknowledgeAlarms);
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
    let ways = |bedside: &Bedside| match bedside.view().screen {
        Screen::Lock(lock) => (lock.ways.card, lock.ways.emergency),
        other => panic!("expected the lock screen, got {other:?}"),
    };
    let mut bedside = Bedside::locked();
    assert_eq!(ways(&bedside), (false, true));
    bedside.hardware(Event::Reader(ReaderKind::SmartCard, ReaderHealth::Ready));
    assert_eq!(ways(&bedside), (true, true));
    let off = Bedside::under(Policy { emergency: false, ..Policy::default() });
    assert_eq!(ways(&off), (false, false));
}

#[test]
fn s1_no_prompt_says_who_was_there() {
    let mut bedside = in_shift();
    bedside.unlock();
    bedside.intent(Intent::Open(Page::Devices));
    bedside.intent(Intent::Lock);
    bedside.tap(1);
    let known = format!("{:?}", bedside.view());
    assert!(!known.contains("AK"), "not before a second factor: {known}");
}
