//! The second person: who vouches, and with what.

use wardkeep_model::access::factor::Evidence;
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::keeping::{AdministrationFault, Identified};
use wardkeep_model::ports::{CardRefusal, FactorEvent, Proof};

use super::*;
use crate::session::enrolment::{Step, VoucherToken};

#[test]
fn a_second_person_vouches_with_badge_and_pin() {
    let mut desk = Desk::of(Goal::Person { new: new_person(), vouched: true });
    desk.on(Event::Badge(badge(99)));
    assert_eq!(desk.notices(), [Notice::VoucherWrong], "nobody vouches for themselves");
    desk.tap(3).on(Event::Pin(pin(RIGHT)));
    let evidence = Evidence::BadgePin(badge(3), pin(RIGHT));
    assert_eq!(desk.asked().0, [Administration::AddPerson(new_person(), Some(evidence))]);
    desk.answer(Err(AdministrationFault::VoucherWrong));
    assert!(matches!(desk.wizard.step(), Step::SecondPerson));
    assert_eq!(desk.notices(), [Notice::VoucherWrong, Notice::VoucherWrong]);
}

#[test]
fn a_second_person_vouches_with_a_card_that_proves_itself() {
    let mut desk = Desk::of(Goal::Person { new: new_person(), vouched: true });
    desk.on(Event::Factor(FactorEvent::CardPresented(card(5))));
    let attempt = Attempt(desk.wizard.count());
    let admission = Admission::Try { tries_left: 10 };
    let peer = Some(CardPeer(vec![4; 65]));
    let identified = Identified { admission, peer, shift: None };
    desk.on(Event::Identified(attempt, identified));
    assert!(
        matches!(desk.wizard.step(), Step::SecondPin(v) if matches!(v.token, VoucherToken::Card(..)))
    );
    desk.on(Event::Pin(pin(RIGHT)));
    let attempt = Attempt(desk.wizard.count());
    let refused = CardRefusal::WrongPin { tries_left: 4 };
    desk.on(Event::Factor(FactorEvent::CardRefused(attempt, refused)));
    assert!(matches!(desk.wizard.step(), Step::SecondPin(v) if v.tries_left == Some(4)));
    desk.on(Event::Pin(pin(RIGHT)));
    let attempt = Attempt(desk.wizard.count());
    desk.on(Event::Factor(FactorEvent::CardProved(attempt, Proof(Secret::new(vec![7; 32])))));
    let evidence = Evidence::Card(CardId([5; 32]), Secret::new(vec![7; 32]));
    assert_eq!(desk.asked().0, [Administration::AddPerson(new_person(), Some(evidence))]);
}

#[test]
fn a_store_that_wants_a_voucher_gets_one() {
    let mut desk = Desk::of(Goal::Person { new: new_person(), vouched: false });
    desk.answer(Err(AdministrationFault::VoucherNeeded));
    assert!(matches!(desk.wizard.step(), Step::SecondPerson));
}

#[test]
fn a_voucher_who_has_to_wait_or_is_not_known_is_told() {
    for (admission, peer, notice) in [
        (Admission::Wait(Duration::from_secs(30)), true, Notice::TryLater),
        (Admission::Exhausted, true, Notice::TriesExhausted),
        (Admission::Try { tries_left: 3 }, false, Notice::VoucherWrong),
    ] {
        let mut desk = Desk::of(Goal::Person { new: new_person(), vouched: true });
        desk.on(Event::Factor(FactorEvent::CardPresented(card(5))));
        let peer = peer.then(|| CardPeer(vec![4; 65]));
        let attempt = Attempt(desk.wizard.count());
        desk.on(Event::Identified(attempt, Identified { admission, peer, shift: None }));
        assert_eq!(desk.notices(), [notice]);
        assert!(matches!(desk.wizard.step(), Step::SecondPerson));
    }
}
