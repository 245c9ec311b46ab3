//! Tables: what each step takes, refuses and leads to.

use wardkeep_model::access::guessable::Weakness;
use wardkeep_model::access::refusal::Distrust;
use wardkeep_model::keeping::{Administered, AdministrationFault, NewPin, StoreFault};
use wardkeep_model::ports::{
    CardCommand, CardFault, CardRefusal, FactorEvent, FingerAdvice, FingerCommand, FingerEvent,
    FingerFault,
};

use super::*;
use crate::session::enrolment::Step;

fn card_event(event: FactorEvent) -> Event {
    Event::Factor(event)
}

fn finger_event(event: FingerEvent) -> Event {
    Event::Factor(FactorEvent::Finger(event))
}

impl Desk {
    fn stages(&self) -> crate::session::enrolment::Stages {
        let Step::Finger(stages) = self.wizard.step() else {
            panic!("expected a finger to be read, not {:?}", self.wizard.step());
        };
        *stages
    }
}

#[test]
fn s4_a_badge_and_a_pin_typed_twice_are_enrolled_for_the_person() {
    let mut desk = Desk::factor(EnrolKind::Badge);
    desk.tap(1).tap(1).on(Event::Pin(pin(RIGHT))).on(Event::Pin(pin(RIGHT)));
    let enrol = Administration::EnrolBadge(ADA, badge(1), NewPin::Chosen(pin(RIGHT)));
    assert_eq!(desk.asked().0, [enrol]);
    desk.answer(Ok(Administered::Enrolled(None)));
    assert!(matches!(desk.wizard.step(), Step::Done));
    assert!(desk.wanted.contains(&Effect::Refresh));
    desk.on(Event::Finish);
    assert!(matches!(desk.wizard.step(), Step::Over));
}

#[test]
fn s4_a_badge_is_believed_only_after_two_separate_equal_taps() {
    let mut desk = Desk::factor(EnrolKind::Badge);
    desk.on(Event::Badge(badge(1))).on(Event::Badge(badge(1))).on(Event::Badge(badge(1)));
    assert!(matches!(desk.wizard.step(), Step::Badge(Some(_))), "it was never lifted");
    desk.on(Event::BadgeLifted).on(Event::Badge(badge(1)));
    assert!(matches!(desk.wizard.step(), Step::Pin(Some(_))));

    let mut desk = Desk::factor(EnrolKind::Badge);
    desk.tap(1).tap(2);
    assert_eq!(desk.notices(), [Notice::BadgesDiffer]);
    assert!(matches!(desk.wizard.step(), Step::Badge(None)), "it begins again");
    desk.tap(2);
    assert!(matches!(desk.wizard.step(), Step::Badge(Some(_))), "that was the first of two");
}

#[test]
fn a_reader_that_tells_no_removal_needs_a_second_between_taps() {
    let typed = || Badge::new(ReaderFamily::Keyboard, b"0012345678").expect("a number");
    let mut desk = Desk::factor(EnrolKind::Badge);
    desk.on(Event::Badge(typed())).on(Event::Badge(typed()));
    assert!(matches!(desk.wizard.step(), Step::Badge(Some(_))));
    desk.now = desk.now + Duration::from_secs(1);
    desk.on(Event::Badge(typed()));
    assert!(matches!(desk.wizard.step(), Step::Pin(Some(_))));
}

#[test]
fn badges_that_cannot_be_enrolled_are_refused_at_the_first_tap() {
    for (uid, notice) in [([8, 1, 2, 3], Notice::BadgeRandom), ([4, 1, 2, 99], Notice::TokenInUse)]
    {
        let mut desk = Desk::factor(EnrolKind::Badge);
        let tapped = Badge::new(ReaderFamily::PcscUid, &uid).expect("a UID");
        desk.on(Event::Badge(tapped));
        assert_eq!(desk.notices(), [notice]);
        assert!(matches!(desk.wizard.step(), Step::Badge(None)));
    }
}

#[test]
fn s4_pins_that_differ_or_are_guessable_are_typed_again() {
    let mut desk = Desk::factor(EnrolKind::Badge);
    desk.tap(1).tap(1).on(Event::Pin(pin([1, 2, 3, 4, 5, 6])));
    desk.on(Event::Pin(pin(RIGHT))).on(Event::Pin(pin(OTHER)));
    assert_eq!(desk.notices(), [Notice::PinGuessable(Weakness::Run), Notice::PinsDiffer]);
    assert!(matches!(desk.wizard.step(), Step::Pin(Some(_))), "the badge is remembered");
    assert!(desk.asked().0.is_empty());
}

#[test]
fn a_one_time_code_takes_the_place_of_a_typed_pin_and_is_shown_once() {
    for kind in [EnrolKind::Badge, EnrolKind::Pin] {
        let mut desk = Desk::factor(kind);
        if kind == EnrolKind::Badge {
            desk.tap(1).tap(1);
        }
        desk.on(Event::IssueCode);
        let expected = if kind == EnrolKind::Badge {
            Administration::EnrolBadge(ADA, badge(1), NewPin::OneTimeCode)
        } else {
            Administration::SetPin(ADA, NewPin::OneTimeCode)
        };
        assert_eq!(desk.asked().0, [expected]);
        desk.answer(Ok(Administered::Enrolled(Some(Secret::new("48201937".into())))));
        assert!(matches!(desk.wizard.step(), Step::Code(code) if code.expose() == "48201937"));
        desk.on(Event::Finish);
        assert!(matches!(desk.wizard.step(), Step::Done), "the code is gone");
    }
}

#[test]
fn a_code_is_offered_neither_for_ones_own_pin_nor_at_the_second_prompt() {
    let mut desk = Desk::of(Goal::OwnPin);
    desk.on(Event::IssueCode);
    assert!(desk.asked().0.is_empty() && matches!(desk.wizard.step(), Step::Pin(None)));
    let mut desk = Desk::factor(EnrolKind::Pin);
    desk.on(Event::Pin(pin(RIGHT))).on(Event::IssueCode);
    assert!(desk.asked().0.is_empty() && matches!(desk.wizard.step(), Step::Repeat(..)));
}

#[test]
fn ones_own_pin_is_changed_by_typing_it_twice() {
    let mut desk = Desk::of(Goal::OwnPin);
    desk.on(Event::Pin(pin(RIGHT))).on(Event::Pin(pin(RIGHT)));
    assert_eq!(desk.asked().0, [Administration::ChangeOwnPin(pin(RIGHT))]);
    desk.answer(Ok(Administered::Enrolled(None)));
    assert_eq!(desk.notices(), [Notice::PinChanged]);
    assert!(matches!(desk.wizard.step(), Step::Over));
}

#[test]
fn s4_a_card_is_enrolled_after_its_own_sign_test() {
    let mut desk = Desk::factor(EnrolKind::Card);
    desk.on(card_event(FactorEvent::CardPresented(card(1)))).on(Event::Pin(pin(RIGHT)));
    let Step::CardTest(_, attempt) = desk.wizard.step() else {
        panic!("expected the sign test, not {:?}", desk.wizard.step());
    };
    let (attempt, asked) = (*attempt, desk.wanted.clone());
    let enrol = CardCommand::Enrol { attempt, card: CardId([1; 32]), pin: pin(RIGHT) };
    assert_eq!(asked, [Effect::Card(enrol)]);
    desk.on(card_event(FactorEvent::CardEnrolled(Attempt(1), agreed(1))));
    assert!(desk.asked().0.is_empty(), "an answer to something else");
    desk.on(card_event(FactorEvent::CardEnrolled(attempt, agreed(1))));
    assert_eq!(desk.asked().0, [Administration::EnrolCard(ADA, agreed(1))]);
    desk.answer(Ok(Administered::Enrolled(None)));
    assert!(matches!(desk.wizard.step(), Step::Done));
}

#[test]
fn a_card_that_does_not_prove_itself_is_named_and_asked_for_again() {
    use CardRefusal as R;
    for (refusal, notice, at_pin) in [
        (R::WrongPin { tries_left: 2 }, Notice::CardPinWrong, true),
        (R::LastTry, Notice::CardLastTry, false),
        (R::Blocked, Notice::CardBlocked, false),
        (R::NotTrusted(Distrust::Expired), Notice::CardExpired, false),
        (R::NotTrusted(Distrust::NotYetValid), Notice::CardExpired, false),
        (R::NotTrusted(Distrust::Revoked), Notice::CardRevoked, false),
        (R::NotTrusted(Distrust::ListStale), Notice::RevocationListOld, false),
        (R::NotTrusted(Distrust::ListMissing), Notice::RevocationListOld, false),
        (R::NotTrusted(Distrust::UnknownIssuer), Notice::CardNotTrusted, false),
        (R::NoKey, Notice::CardNoKey, false),
        (R::Changed, Notice::CardChanged, false),
        (R::Gone, Notice::CardPulled, false),
        (R::Broken, Notice::CardUnreadable, false),
    ] {
        let mut desk = Desk::factor(EnrolKind::Card);
        desk.on(card_event(FactorEvent::CardPresented(card(1)))).on(Event::Pin(pin(RIGHT)));
        let attempt = Attempt(desk.wizard.count());
        desk.on(card_event(FactorEvent::CardRefused(attempt, refusal)));
        assert_eq!(desk.notices(), [notice], "{refusal:?}");
        let step = desk.wizard.step();
        let again = matches!(step, Step::CardPin(prompted) if prompted.tries_left == Some(2));
        assert_eq!(again, at_pin, "{refusal:?} led to {step:?}");
        assert_eq!(matches!(step, Step::Card), !at_pin, "{refusal:?} led to {step:?}");
    }
}

#[test]
fn a_card_pulled_or_exchanged_begins_again() {
    let mut desk = Desk::factor(EnrolKind::Card);
    desk.on(card_event(FactorEvent::CardUnreadable(CardFault::NotPiv)));
    desk.on(card_event(FactorEvent::CardPresented(card(1))));
    desk.on(card_event(FactorEvent::CardPresented(card(2))));
    assert!(matches!(desk.wizard.step(), Step::CardPin(p) if p.seen.card == CardId([2; 32])));
    desk.on(Event::Pin(pin(RIGHT)));
    let attempt = Attempt(desk.wizard.count());
    desk.on(card_event(FactorEvent::CardRemoved));
    assert!(matches!(desk.wizard.step(), Step::Card));
    desk.on(card_event(FactorEvent::CardEnrolled(attempt, agreed(2))));
    assert_eq!(desk.notices(), [Notice::CardNotPiv, Notice::CardPulled]);
    assert!(desk.asked().0.is_empty(), "the answer came after the card had left");
}

#[test]
fn s4_the_answer_of_another_card_enrols_nothing() {
    let mut desk = Desk::factor(EnrolKind::Card);
    desk.on(card_event(FactorEvent::CardPresented(card(1)))).on(Event::Pin(pin(RIGHT)));
    let attempt = Attempt(desk.wizard.count());
    desk.on(card_event(FactorEvent::CardEnrolled(attempt, agreed(2))));
    assert_eq!(desk.notices(), [Notice::CardChanged]);
    assert!(desk.asked().0.is_empty());
}

#[test]
fn a_finger_is_taken_in_stages_with_advice_and_a_second_one_is_suggested() {
    let mut desk = Desk::factor(EnrolKind::Finger);
    assert_eq!(desk.wizard.free_fingers().first(), Some(&Finger::RightIndex));
    desk.on(Event::ChooseFinger(Finger::RightIndex));
    let attempt = desk.stages().attempt;
    let finger = Finger::RightIndex;
    assert_eq!(desk.wanted, [Effect::Finger(FingerCommand::Enrol { attempt, finger })]);
    desk.on(finger_event(FingerEvent::Stage(attempt, 2, 5)));
    desk.on(finger_event(FingerEvent::Retry(attempt, FingerAdvice::Centre)));
    let stages = desk.stages();
    assert_eq!((stages.done, stages.total, stages.advice), (2, 5, Some(FingerAdvice::Centre)));
    desk.on(finger_event(FingerEvent::Stage(attempt, 3, 5)));
    assert_eq!(desk.stages().advice, None);
    desk.on(finger_event(FingerEvent::Enrolled(attempt, template(finger))));
    assert_eq!(desk.asked().0, [Administration::EnrolFinger(ADA, template(finger))]);
    desk.answer(Ok(Administered::Enrolled(None)));
    assert!(matches!(desk.wizard.step(), Step::Done) && desk.wizard.suggests_another_finger());
    desk.on(Event::Next(EnrolKind::Finger));
    assert_eq!(desk.wizard.free_fingers().first(), Some(&Finger::LeftIndex));
    desk.on(Event::ChooseFinger(Finger::LeftIndex));
    let second = desk.stages().attempt;
    desk.on(finger_event(FingerEvent::Enrolled(second, template(Finger::LeftIndex))));
    desk.answer(Ok(Administered::Enrolled(None)));
    assert!(!desk.wizard.suggests_another_finger(), "two are enough");
}

#[test]
fn a_template_of_another_finger_than_the_chosen_one_is_not_kept() {
    let mut desk = Desk::factor(EnrolKind::Finger);
    desk.on(Event::ChooseFinger(Finger::RightIndex));
    let attempt = desk.stages().attempt;
    desk.on(finger_event(FingerEvent::Enrolled(attempt, template(Finger::LeftThumb))));
    assert_eq!(desk.notices(), [Notice::FingerNotTaken]);
    assert!(desk.asked().0.is_empty() && matches!(desk.wizard.step(), Step::FingerChoice));
}

#[test]
fn a_finger_that_could_not_be_written_is_offered_again() {
    let mut desk = Desk::factor(EnrolKind::Finger);
    desk.on(Event::ChooseFinger(Finger::RightIndex));
    let attempt = desk.stages().attempt;
    desk.on(finger_event(FingerEvent::Enrolled(attempt, template(Finger::RightIndex))));
    desk.answer(Err(AdministrationFault::Store(StoreFault::Full)));
    assert_eq!(desk.notices(), [Notice::NotWritten]);
    assert_eq!(desk.wizard.free_fingers().len(), 6);
}

#[test]
fn a_card_that_is_in_use_has_to_be_taken_out_before_another_one_counts() {
    let mut desk = Desk::factor(EnrolKind::Card);
    desk.on(card_event(FactorEvent::CardPresented(card(1)))).on(Event::Pin(pin(RIGHT)));
    let attempt = Attempt(desk.wizard.count());
    desk.on(card_event(FactorEvent::CardEnrolled(attempt, agreed(1))));
    desk.answer(Err(AdministrationFault::TokenInUse));
    assert!(matches!(desk.wizard.step(), Step::Card), "its PIN is not asked again");
    desk.on(card_event(FactorEvent::CardRemoved));
    desk.on(card_event(FactorEvent::CardPresented(card(2))));
    assert!(matches!(desk.wizard.step(), Step::CardPin(_)));
}

#[test]
fn a_finger_that_cannot_be_taken_is_chosen_again() {
    for (fault, notice) in [
        (FingerFault::NotFitted, Notice::FingerNotFitted),
        (FingerFault::Duplicate, Notice::FingerInUse),
        (FingerFault::Broken, Notice::FingerNotTaken),
        (FingerFault::OtherSensor, Notice::FingerNotTaken),
    ] {
        let mut desk = Desk::factor(EnrolKind::Finger);
        desk.on(Event::ChooseFinger(Finger::LeftThumb));
        let attempt = desk.stages().attempt;
        desk.on(finger_event(FingerEvent::Failed(attempt, fault)));
        assert_eq!(desk.notices(), [notice]);
        assert!(matches!(desk.wizard.step(), Step::FingerChoice));
        assert_eq!(desk.wizard.free_fingers().len(), 6, "none was enrolled");
    }
    let start = Start { fingers: vec![Finger::RightIndex], ..Start::default() };
    let mut desk = Desk::with(Goal::Factor(ADA, EnrolKind::Finger), start);
    desk.on(Event::ChooseFinger(Finger::RightIndex));
    assert_eq!(desk.notices(), [Notice::FingerInUse]);
}

#[test]
fn leaving_stops_a_reader_that_waits_for_a_finger() {
    for chosen in [false, true] {
        let mut desk = Desk::factor(EnrolKind::Finger);
        if chosen {
            desk.on(Event::ChooseFinger(Finger::RightIndex));
        }
        desk.on(Event::Cancel);
        let stopped = desk.wanted.contains(&Effect::Finger(FingerCommand::Stop));
        assert_eq!(stopped, chosen, "there is nothing to stop before a finger was chosen");
        assert!(matches!(desk.wizard.step(), Step::Over));
    }
}

#[test]
fn an_added_person_goes_straight_on_to_their_badge() {
    let mut desk = Desk::of(Goal::Person { new: new_person(), vouched: false });
    assert_eq!(desk.asked().0, [Administration::AddPerson(new_person(), None)]);
    desk.answer(Ok(Administered::Added(OperatorId(77))));
    assert_eq!(desk.notices(), [Notice::PersonAdded]);
    desk.tap(1).tap(1).on(Event::IssueCode);
    let enrol = Administration::EnrolBadge(OperatorId(77), badge(1), NewPin::OneTimeCode);
    assert_eq!(desk.asked().0.last(), Some(&enrol));
}

#[test]
fn what_the_store_refuses_leads_back_to_where_it_can_be_mended() {
    use AdministrationFault as F;
    type At = fn(&Step) -> bool;
    let over: At = |step| matches!(step, Step::Over);
    let badge_again: At = |step| matches!(step, Step::Badge(None));
    let pin_again: At = |step| matches!(step, Step::Pin(Some(_)));
    for (fault, notice, at) in [
        (F::TokenInUse, Some(Notice::TokenInUse), badge_again),
        (F::TokenRandom, Some(Notice::BadgeRandom), badge_again),
        (F::PinGuessable(Weakness::Date), Some(Notice::PinGuessable(Weakness::Date)), pin_again),
        (F::Store(StoreFault::Full), Some(Notice::NotWritten), badge_again),
        (F::TooMany, Some(Notice::TooMany), over),
        (F::NotAllowed, Some(Notice::NotAllowed), over),
        (F::Unknown, None, over),
    ] {
        let mut desk = Desk::factor(EnrolKind::Badge);
        desk.tap(1).tap(1).on(Event::Pin(pin(RIGHT))).on(Event::Pin(pin(RIGHT)));
        desk.answer(Err(fault));
        assert_eq!(desk.notices(), Vec::from_iter(notice), "{fault:?}");
        assert!(at(desk.wizard.step()), "{fault:?} led to {:?}", desk.wizard.step());
        assert_eq!(desk.wanted.contains(&Effect::Refresh), fault == F::Unknown);
    }
}
