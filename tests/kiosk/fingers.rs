//! Inside a shift: a finger beside the PIN, or a tap alone.

use kit::kiosk::{Bedside, PIN, WRONG, sensor, template};
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::session::FingerPrompt;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{TemplateId, TokenKind};
use wardkeep_model::access::policy::{Level, Pair, Policy};
use wardkeep_model::keeping::{Refusal, Shift};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{FactorEvent, FingerAdvice, FingerEvent, FingerFault};

fn shift() -> Shift {
    Shift { templates: vec![template(1, "A")], tap: false }
}

/// A locked bedside in whose shift person 1 may reopen with a finger.
fn in_shift() -> Bedside {
    let mut bedside = Bedside::locked();
    bedside.in_shift(shift());
    bedside
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
        assert_eq!(bedside.prompt().finger, Some(FingerPrompt::Waiting));
        bedside.touch(true);
        assert!(bedside.asked_finger.is_none(), "the reader was stopped");
        assert_eq!(bedside.level(), Some(Level::Copyable));
        assert_eq!(bedside.pairs(), [(Some(OperatorId(9)), Some(pair))]);

        let mut bedside = in_shift();
        present(&mut bedside);
        let (attempt, _) = bedside.asked_finger.clone().expect("the reader was asked");
        bedside.prompt_store = false;
        bedside.prompt_card = false;
        bedside.type_pin(PIN);
        assert!(bedside.asked_finger.is_none(), "the PIN was first");
        bedside.factor(FactorEvent::Finger(FingerEvent::Matched(attempt, TemplateId(1))));
        assert!(bedside.prompt().busy, "a finger that comes late is not asked for");
    }
}

#[test]
fn s5_five_fingers_of_others_end_the_finger_and_leave_the_pin() {
    let mut bedside = in_shift();
    bedside.tap(1);
    for miss in 1..=5 {
        bedside.touch(false);
        let shown = if miss < 5 { FingerPrompt::NotMatched } else { FingerPrompt::Off };
        assert_eq!(bedside.prompt().finger, Some(shown), "miss {miss}");
    }
    assert_eq!(bedside.store.misses, 5);
    assert_eq!(bedside.notice(), Some(Notice::FingerOff));
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
    assert_eq!(bedside.prompt().finger, Some(FingerPrompt::Waiting), "the finger is asked anew");
    bedside.touch(false);
    assert_eq!(bedside.prompt().finger, Some(FingerPrompt::Off));
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
        assert_eq!(bedside.prompt().finger, shown, "{case}");
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
    assert_eq!((site.prompt().finger, site.asked_finger.is_some()), (None, false));
}

#[test]
fn what_the_fingerprint_reader_says_is_shown_beside_the_pad() {
    let finger = |bedside: &mut Bedside, event: FingerEvent| {
        bedside.factor(FactorEvent::Finger(event));
        bedside.prompt().finger
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
    let stale = wardkeep_model::access::factor::Attempt(attempt.0 + 50);
    assert_eq!(finger(&mut bedside, FingerEvent::NotMatched(stale)), shown, "of another question");
    assert_eq!(bedside.store.misses, 0);
    bedside.factor(FactorEvent::Sensor(Some(sensor("A"))));
    assert_eq!(bedside.prompt().finger, shown, "the same reader, told again");
    bedside.factor(FactorEvent::Sensor(None));
    assert_eq!(bedside.prompt().finger, Some(FingerPrompt::Off), "unplugged");
    assert!(bedside.asked_finger.is_none());
    for (fault, said) in [
        (FingerFault::OtherSensor, Notice::FingerOff),
        (FingerFault::NotFitted, Notice::FingerNotFitted),
        (FingerFault::Broken, Notice::FingerNotFitted),
    ] {
        let (mut bedside, attempt) = begun();
        let off = Some(FingerPrompt::Off);
        assert_eq!(finger(&mut bedside, FingerEvent::Failed(attempt, fault)), off);
        assert_eq!(bedside.notice(), Some(said));
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
    bedside.intent(frame::Intent::Cancel);
    bedside.in_shift(tap);
    bedside.tap(1);
    assert_eq!(bedside.level(), Some(Level::Single));
    bedside.intent(frame::Intent::Lock);
    bedside.insert(1);
    assert_eq!(bedside.level(), Some(Level::Single));
    let id = Some(OperatorId(9));
    assert_eq!(bedside.pairs(), [(id, Some(Pair::BadgeAlone)), (id, Some(Pair::CardAlone))]);
}

#[test]
fn a_shift_that_is_over_leaves_the_pin() {
    let mut bedside = in_shift();
    bedside.tap(1);
    bedside.store.refusal = Some(Refusal::ShiftOver);
    bedside.touch(true);
    assert_eq!(bedside.notice(), Some(Notice::ShiftOver));
    assert_eq!((bedside.prompt().finger, bedside.prompt().refused), (None, false));
    assert!(bedside.asked_finger.is_none(), "the finger is not asked again");
    bedside.store.refusal = None;
    bedside.type_pin(PIN);
    assert!(bedside.view().open.is_some());
}

#[test]
fn s1_no_prompt_says_who_was_there() {
    let mut bedside = in_shift();
    bedside.unlock();
    bedside.intent(frame::Intent::Open(Page::Devices));
    bedside.intent(frame::Intent::Lock);
    bedside.tap(1);
    let known = format!("{:?}", bedside.view());
    assert!(!known.contains("AK"), "not before a second factor: {known}");
}
