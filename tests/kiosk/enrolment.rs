//! Enrolment through the whole core: badges, cards and fingers reach the wizard and nobody else, and
//! whatever locks the session ends it.

use std::time::Duration;

use kit::kiosk::desk::form;
use kit::kiosk::register::{ADA, BEA, CODE};
use kit::kiosk::{Bedside, PIN, WRONG, badge, card, pin, template};
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::people;
use wardkeep_core::kiosk::view::access::{Enrolment, PersonState};
use wardkeep_core::kiosk::view::{PinPurpose, Screen};
use wardkeep_core::kiosk::{enrolling, frame, login};
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Evidence, Finger, TokenKind};
use wardkeep_model::access::policy::Policy;
use wardkeep_model::keeping::{Administration, NewPin};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{
    CardRefusal, Event, FactorEvent, FingerAdvice, FingerEvent, FingerFault, ReaderHealth,
    ReaderKind,
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_nurse_is_enrolled_with_badge_and_pin_in_eight_touches() {
    let mut bedside = Bedside::at_the_desk();
    bedside.intent(frame::Intent::Open(Page::Cart));
    let mut touches = 0;
    let mut touch = |bedside: &mut Bedside, intent: Option<Intent>| {
        touches += 1;
        if let Some(intent) = intent {
            bedside.intent(intent);
        }
    };
    touch(&mut bedside, Some(Intent::Frame(frame::Intent::Open(Page::People))));
    touch(&mut bedside, None); // "Add a person" opens the form on the screen.
    touch(
        &mut bedside,
        Some(Intent::People(people::Intent::Add(form("\u{d6}zlem Kaya", Role::Nurse)))),
    );
    assert_eq!(bedside.notice(), Some(Notice::PersonAdded));
    assert!(matches!(bedside.step(), Enrolment::Badge { again: false, .. }));
    touch(&mut bedside, None);
    bedside.tap(7);
    assert!(matches!(bedside.step(), Enrolment::Badge { again: true, .. }));
    touch(&mut bedside, None);
    bedside.tap(7);
    let Enrolment::Pin { prompt, code_offered: true } = bedside.step() else {
        panic!("expected the PIN")
    };
    assert_eq!(prompt.purpose, PinPurpose::Choose);
    touch(&mut bedside, Some(Intent::Login(login::Intent::SubmitPin(pin(PIN)))));
    let Enrolment::Pin { prompt: again, code_offered: false } = bedside.step() else {
        panic!("expected the PIN again")
    };
    assert!(again.purpose == PinPurpose::Repeat && again.prompt != prompt.prompt);
    touch(&mut bedside, Some(Intent::Login(login::Intent::SubmitPin(pin(PIN)))));
    let done = Enrolment::Done { kind: EnrolKind::Badge, another_finger: false };
    assert_eq!(bedside.step(), done);
    touch(&mut bedside, Some(Intent::Enrolling(enrolling::Intent::Done)));
    assert!(touches <= 8, "{touches} touches");

    let page = bedside.person();
    assert_eq!((page.person.initials.as_str(), page.person.state), ("\u{d6}K", PersonState::Ready));
    let id = page.person.id;
    let enrol = Administration::EnrolBadge(id, badge(7), NewPin::Chosen(pin(PIN)));
    assert_eq!(bedside.asked().last(), Some(&enrol));
    bedside.intent(frame::Intent::Open(Page::People));
    assert_eq!((bedside.people().saved, bedside.people().total), (1, 3));
}

#[test]
fn s10_a_one_time_code_is_shown_once() {
    let mut bedside = Bedside::enrolling(EnrolKind::Badge);
    bedside.tap(7);
    bedside.tap(7);
    bedside.intent(enrolling::Intent::IssueCode);
    assert!(matches!(bedside.step(), Enrolment::Code(code) if code.expose() == CODE));
    bedside.intent(enrolling::Intent::Done);
    assert!(matches!(bedside.step(), Enrolment::Done { .. }));
    bedside.intent(enrolling::Intent::Done);
    assert_eq!(bedside.person().person.state, PersonState::Code);

    bedside.intent(people::Intent::Enrol(EnrolKind::Pin));
    bedside.intent(enrolling::Intent::IssueCode);
    bedside.intent(frame::Intent::Open(Page::People));
    assert!(!format!("{:?}", bedside.view()).contains(CODE));
    assert!(matches!(bedside.view().screen, Screen::People(_)), "the code went with its page");
}

#[test]
fn a_card_is_enrolled_with_its_own_pin() {
    let mut bedside = Bedside::enrolling(EnrolKind::Card);
    bedside.hardware(Event::Reader(ReaderKind::SmartCard, ReaderHealth::Ready));
    assert!(matches!(bedside.step(), Enrolment::Card { reader: ReaderHealth::Ready }));
    bedside.insert(5);
    let Enrolment::CardPin { subject, prompt } = bedside.step() else { panic!("expected its PIN") };
    assert_eq!(subject.reveal(), "CN=Kern");
    assert!(prompt.purpose == PinPurpose::SignTest && prompt.token == TokenKind::Card);
    bedside.type_pin(WRONG);
    assert_eq!(bedside.notice(), Some(Notice::CardPinWrong));
    assert!(
        matches!(bedside.step(), Enrolment::CardPin { prompt, .. } if prompt.refused && prompt.tries_left == Some(2))
    );
    bedside.type_pin(PIN);
    let done = Enrolment::Done { kind: EnrolKind::Card, another_finger: false };
    assert_eq!(bedside.step(), done);
    assert!(
        matches!(bedside.asked(), [Administration::EnrolCard(BEA, proven)] if proven.card == card(5))
    );
    bedside.intent(enrolling::Intent::Done);
    bedside.pull();
    assert_eq!(bedside.person().person.counts, (1, 1, 0));
}

#[test]
fn a_card_pulled_in_the_middle_begins_again_and_enrols_nothing() {
    let mut bedside = Bedside::enrolling(EnrolKind::Card);
    bedside.prompt_card = false;
    bedside.insert(5);
    bedside.type_pin(PIN);
    assert!(matches!(bedside.step(), Enrolment::CardPin { prompt, .. } if prompt.busy));
    bedside.pull();
    assert_eq!(bedside.notice(), Some(Notice::CardPulled));
    bedside.card_answers();
    assert!(matches!(bedside.step(), Enrolment::Card { .. }) && bedside.asked().is_empty());
    bedside.insert(5);
    bedside.hardware(Event::Reader(ReaderKind::SmartCard, ReaderHealth::NotFitted));
    assert!(matches!(bedside.step(), Enrolment::Card { reader: ReaderHealth::NotFitted }));
}

#[test]
fn a_finger_is_enrolled_in_five_stages_and_a_second_one_suggested() {
    let mut bedside = Bedside::enrolling(EnrolKind::Finger);
    let Enrolment::FingerChoice { fingers } = bedside.step() else { panic!("expected a choice") };
    assert_eq!(fingers, Finger::ALL);
    bedside.intent(enrolling::Intent::ChooseFinger(Finger::RightIndex));
    let (attempt, finger) = bedside.enrolling.expect("the reader was asked");
    for stage in 1..=5 {
        bedside.finger(FingerEvent::Retry(attempt, FingerAdvice::Lift));
        assert!(matches!(
            bedside.step(),
            Enrolment::Finger { advice: Some(FingerAdvice::Lift), .. }
        ));
        bedside.finger(FingerEvent::Stage(attempt, stage, 5));
        let shown = Enrolment::Finger { finger, done: stage, total: 5, advice: None };
        assert_eq!(bedside.step(), shown);
    }
    bedside.enrolling = None;
    bedside.finger(FingerEvent::Enrolled(attempt, template(2, "A")));
    let done = Enrolment::Done { kind: EnrolKind::Finger, another_finger: true };
    assert_eq!(bedside.step(), done);
    assert_eq!(bedside.asked(), [Administration::EnrolFinger(BEA, template(2, "A"))]);
    bedside.intent(people::Intent::Enrol(EnrolKind::Finger));
    assert!(
        matches!(bedside.step(), Enrolment::FingerChoice { fingers } if fingers[0] == Finger::LeftIndex)
    );
    bedside.intent(enrolling::Intent::ChooseFinger(Finger::LeftIndex));
    let (attempt, _) = bedside.enrolling.take().expect("the reader was asked");
    bedside.finger(FingerEvent::Failed(attempt, FingerFault::Duplicate));
    assert_eq!(bedside.notice(), Some(Notice::FingerInUse));
    bedside.intent(frame::Intent::Cancel);
    assert_eq!(bedside.person().person.counts, (1, 0, 1));
}

#[test]
fn two_it_people_make_a_third_where_the_site_wants_it() {
    let policy = Policy { two_person: true, ..Policy::default() };
    let mut bedside = Bedside::desk_under(policy);
    assert!(bedside.people().two_person);
    bedside.intent(people::Intent::Add(form("Cem Aydin", Role::It)));
    assert!(matches!(bedside.step(), Enrolment::SecondPerson { .. }));
    bedside.tap(1);
    assert_eq!(bedside.notice(), Some(Notice::VoucherWrong), "Ada does not vouch for herself");
    bedside.tap(2);
    assert!(matches!(bedside.step(), Enrolment::SecondPin(p) if p.purpose == PinPurpose::Vouch));
    bedside.type_pin(WRONG);
    assert_eq!(bedside.notice(), Some(Notice::VoucherWrong));
    bedside.tap(2);
    bedside.type_pin(PIN);
    assert!(matches!(bedside.step(), Enrolment::Badge { .. }));
    let evidence = Some(Evidence::BadgePin(badge(2), pin(PIN)));
    assert!(
        matches!(bedside.asked().last(), Some(Administration::AddPerson(_, by)) if *by == evidence)
    );
    bedside.intent(frame::Intent::Cancel);

    bedside.intent(frame::Intent::Open(Page::People));
    bedside.intent(people::Intent::Add(form("Dora Eng", Role::Nurse)));
    assert!(matches!(bedside.step(), Enrolment::Badge { .. }), "a nurse needs no voucher");
}

#[test]
fn a_second_person_vouches_with_a_card() {
    let mut bedside = Bedside::desk_under(Policy { two_person: true, ..Policy::default() });
    bedside.intent(people::Intent::Add(form("Cem Aydin", Role::It)));
    bedside.insert(2);
    assert!(matches!(bedside.step(), Enrolment::SecondPin(p) if p.token == TokenKind::Card));
    bedside.type_pin(PIN);
    assert_eq!(bedside.notice(), Some(Notice::PersonAdded));
    bedside.pull();
    assert!(matches!(bedside.step(), Enrolment::Badge { .. }));
    assert!(bedside.kiosk.is_open(), "their card was never the session's");
}

#[test]
fn badges_and_cards_neither_switch_nor_lock_the_session_meanwhile() {
    let mut bedside = Bedside::enrolling(EnrolKind::Badge);
    bedside.wait(10 * SECOND);
    bedside.tap(1);
    assert_eq!(bedside.notice(), Some(Notice::TokenInUse), "Ada's own badge");
    bedside.tap(2);
    bedside.tap(2);
    bedside.insert(4);
    bedside.pull();
    assert!(matches!(bedside.step(), Enrolment::Pin { .. }));
    bedside.intent(enrolling::Intent::IssueCode);
    assert_eq!(bedside.notice(), Some(Notice::TokenInUse), "the store knows that badge");
    assert!(matches!(bedside.step(), Enrolment::Badge { again: false, .. }));
    // A guest's badge that lies on the reader is taken away after the wizard has ended.
    bedside.hardware(Event::BadgePresented(badge(9)));
    bedside.wait(5 * SECOND);
    bedside.intent(frame::Intent::Cancel);
    bedside.hardware(Event::BadgeRemoved);
    assert!(bedside.kiosk.is_open());
    bedside.tap(2);
    assert!(!bedside.kiosk.is_open(), "outside of an enrolment a badge switches as ever");
}

#[test]
fn somebody_who_taps_or_lays_a_finger_on_keeps_the_session_open() {
    let mut bedside = Bedside::enrolling(EnrolKind::Badge);
    for number in 5..8 {
        bedside.wait(90 * SECOND);
        bedside.tap(number);
    }
    assert!(matches!(bedside.step(), Enrolment::Badge { .. }));
    bedside.tap(7);
    bedside.wait(90 * SECOND);
    bedside.tap(8);
    bedside.wait(90 * SECOND);
    assert!(bedside.is_lock_screen(), "a badge that nobody waits for is no sign of life");
}

/// A way out of a session.
type Leave = fn(&mut Bedside);

#[test]
fn s1_whatever_locks_ends_the_enrolment_and_stops_the_reader() {
    let leave: [(&str, Leave); 3] = [
        ("lock button", |b| b.intent(frame::Intent::Lock)),
        ("nobody touches anything", |b| b.wait(121 * SECOND)),
        ("the own badge is pulled", |b| b.hardware(Event::BadgeRemoved)),
    ];
    for (how, act) in leave {
        for kind in [EnrolKind::Finger, EnrolKind::Badge, EnrolKind::Card, EnrolKind::Pin] {
            let mut bedside = Bedside::locked();
            bedside.store.role = Role::It;
            bedside.hardware(Event::BadgePresented(badge(1)));
            bedside.type_pin(PIN);
            bedside.intent(people::Intent::Open(BEA));
            bedside.wait(4 * SECOND);
            bedside.intent(people::Intent::Enrol(kind));
            bedside.intent(enrolling::Intent::ChooseFinger(Finger::LeftThumb));
            assert_eq!(bedside.enrolling.is_some(), kind == EnrolKind::Finger);
            act(&mut bedside);
            assert!(bedside.is_lock_screen() && !bedside.store.vault_open, "{how}, {kind:?}");
            assert!(bedside.enrolling.is_none(), "{how}: the reader was stopped");
            bedside.unlock();
            assert_eq!(bedside.people().total, 2, "{how}: nothing of it is left");
            assert!(bedside.asked().is_empty());
        }
    }
}

#[test]
fn s1_the_own_card_pulled_locks_and_a_guests_card_does_not() {
    let mut bedside = Bedside::locked();
    bedside.store.role = Role::It;
    bedside.insert(1);
    bedside.type_pin(PIN);
    bedside.intent(people::Intent::Open(BEA));
    bedside.intent(people::Intent::Enrol(EnrolKind::Card));
    bedside.insert(5);
    bedside.pull();
    assert!(bedside.kiosk.is_open(), "a card in a second reader came and went");
    bedside.pull();
    assert!(bedside.is_lock_screen());
    assert_eq!(bedside.notice(), Some(Notice::CardPulled));
}

#[test]
fn a_page_that_is_opened_leaves_the_enrolment() {
    let mut bedside = Bedside::enrolling(EnrolKind::Finger);
    bedside.intent(enrolling::Intent::ChooseFinger(Finger::RightIndex));
    let (attempt, _) = bedside.enrolling.expect("the reader was asked");
    bedside.intent(frame::Intent::Open(Page::Audit));
    assert!(bedside.enrolling.is_none());
    bedside.finger(FingerEvent::Enrolled(attempt, template(2, "A")));
    assert!(bedside.asked().is_empty() && matches!(bedside.view().screen, Screen::Audit(_)));
}

#[test]
fn a_late_answer_to_an_abandoned_enrolment_only_refreshes_the_list() {
    let mut bedside = Bedside::enrolling(EnrolKind::Pin);
    bedside.prompt_store = false;
    bedside.intent(enrolling::Intent::IssueCode);
    assert_eq!(bedside.step(), Enrolment::Working);
    bedside.intent(frame::Intent::Cancel);
    bedside.intent(people::Intent::Enrol(EnrolKind::Badge));
    bedside.prompt_store = true;
    bedside.deliver();
    assert!(matches!(bedside.step(), Enrolment::Badge { .. }), "its answer is not taken for ours");
    bedside.intent(frame::Intent::Cancel);
    assert_eq!(bedside.person().person.state, PersonState::Code);
    assert_eq!(bedside.store.register.person(ADA).factors.len(), 1);
}

#[test]
fn cards_answers_to_others_do_not_count() {
    let mut bedside = Bedside::enrolling(EnrolKind::Card);
    bedside.prompt_card = false;
    bedside.insert(5);
    bedside.type_pin(PIN);
    let stale = wardkeep_model::access::factor::Attempt(3);
    bedside.factor(FactorEvent::CardRefused(stale, CardRefusal::Blocked));
    assert!(matches!(bedside.step(), Enrolment::CardPin { prompt, .. } if prompt.busy));
}
