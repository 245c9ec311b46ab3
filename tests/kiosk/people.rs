//! IT at the desk: the list, adding, revoking, the audit log, the cart and one's own account.

use std::time::Duration;

use kit::kiosk::desk::form;
use kit::kiosk::register::{ADA, BEA};
use kit::kiosk::{Bedside, PIN};
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::people::PersonForm;
use wardkeep_core::kiosk::pages::{account, people};
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::access::{Account, Audit, Cart, FactorWord, PersonState};
use wardkeep_core::kiosk::view::time::TimeOfDay;
use wardkeep_core::kiosk::{enrolling, frame};
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::factor::Finger;
use wardkeep_model::access::policy::{Pair, Policy};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, AuditAct, AuditEntry, AuditRow, FactorId,
    Outcome, StoreFault,
};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{Event, FactorEvent, ReaderHealth, ReaderKind};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn everybody_is_listed_and_found_by_any_part_of_the_name() {
    let mut bedside = Bedside::under(Policy::default());
    bedside.store.register.insert(OperatorId(20), ("J\u{fc}rgen Wei\u{df}", "JW"), Role::Nurse);
    bedside.store.role = Role::It;
    bedside.unlock();
    assert_eq!(bedside.names(), ["Ada Kern", "Bea Lund", "J\u{fc}rgen Wei\u{df}"]);
    for (search, found) in [("JURG", 1), ("weiss", 1), ("l", 1), ("k", 1), ("e", 3), ("zz", 0)] {
        bedside.intent(people::Intent::Search(Phi::new(search.into())));
        assert_eq!((bedside.people().rows.len(), bedside.people().total), (found, 3), "{search}");
    }
}

#[test]
fn the_list_is_said_to_be_read_until_the_store_has_answered() {
    let mut bedside = Bedside::at_the_desk();
    bedside.prompt_store = false;
    bedside.intent(frame::Intent::Open(Page::People));
    assert_eq!(bedside.names().len(), 2, "what is on the screen stays until the answer");
    bedside.intent(frame::Intent::Open(Page::Cart));
    bedside.intent(frame::Intent::Open(Page::People));
    assert!(bedside.people().loading && bedside.people().rows.is_empty());
    bedside.prompt_store = true;
    bedside.deliver();
    assert!(!bedside.people().loading);
}

#[test]
fn s1_a_list_that_comes_after_its_page_was_left_is_not_held() {
    let mut bedside = Bedside::at_the_desk();
    bedside.intent(frame::Intent::Open(Page::Cart));
    bedside.prompt_store = false;
    bedside.intent(frame::Intent::Open(Page::People));
    bedside.intent(frame::Intent::Open(Page::Cart));
    bedside.prompt_store = true;
    bedside.deliver();
    bedside.prompt_store = false;
    bedside.intent(frame::Intent::Open(Page::People));
    assert!(bedside.people().loading && bedside.people().rows.is_empty());
}

#[test]
fn a_persons_page_shows_what_is_enrolled_and_which_readers_can_enrol() {
    let mut bedside = Bedside::at_the_desk();
    bedside.hardware(Event::Reader(ReaderKind::Badge, ReaderHealth::Ready));
    bedside.hardware(Event::Reader(ReaderKind::Finger, ReaderHealth::NoLibrary));
    bedside.intent(people::Intent::Open(BEA));
    let page = bedside.person();
    assert_eq!(page.person.name.reveal(), "Bea Lund");
    assert_eq!((page.person.counts, page.person.state), ((1, 0, 0), PersonState::Ready));
    assert!(!page.is_self && !page.busy);
    assert_eq!(page.factors[0].word, FactorWord::Badge);
    assert_eq!(page.factors[0].since, "2026-11-22");
    assert_eq!(
        page.readers,
        [
            (EnrolKind::Badge, ReaderHealth::Ready),
            (EnrolKind::Card, ReaderHealth::NotFitted),
            (EnrolKind::Finger, ReaderHealth::NoLibrary),
        ]
    );
    bedside.intent(frame::Intent::Cancel);
    assert_eq!(bedside.names().len(), 2);
    bedside.intent(people::Intent::Open(ADA));
    assert!(bedside.person().is_self);
    bedside.intent(people::Intent::Open(OperatorId(404)));
    assert!(bedside.person().is_self, "nobody else is there");
}

#[test]
fn how_people_stand_is_said_at_a_glance() {
    let mut bedside = Bedside::at_the_desk();
    let change = |bedside: &mut Bedside, change: fn(&mut wardkeep_model::keeping::PersonRow)| {
        let people = &mut bedside.store.register.people;
        change(people.iter_mut().find(|row| row.id == BEA).expect("Bea"));
        bedside.intent(frame::Intent::Open(Page::People));
        bedside.people().rows[1].state
    };
    assert_eq!(change(&mut bedside, |_| {}), PersonState::Ready);
    assert_eq!(change(&mut bedside, |row| row.has_code = true), PersonState::Code);
    assert_eq!(change(&mut bedside, |row| row.tries_left = 0), PersonState::Exhausted);
    assert_eq!(change(&mut bedside, |row| row.factors.clear()), PersonState::NoFactors);
    let today = |row: &mut wardkeep_model::keeping::PersonRow| {
        row.valid_until = Some("2026-11-22".parse().expect("a day"));
    };
    assert_eq!(change(&mut bedside, today), PersonState::NoFactors, "today still counts");
    let yesterday = |row: &mut wardkeep_model::keeping::PersonRow| {
        row.valid_until = Some("2026-11-21".parse().expect("a day"));
    };
    assert_eq!(change(&mut bedside, yesterday), PersonState::Expired);
}

#[test]
fn forms_that_cannot_be_accepted_are_refused_with_the_reason() {
    let mut bedside = Bedside::at_the_desk();
    bedside.intent(people::Intent::Add(form("  ", Role::Nurse)));
    assert_eq!(bedside.notice(), Some(Notice::NameIncomplete));
    let until = PersonForm { valid_until: "1.1.2020".into(), ..form("Cem Aydin", Role::Nurse) };
    bedside.intent(people::Intent::Add(until));
    assert_eq!(bedside.notice(), Some(Notice::DayWrong));
    assert!(bedside.store.register.asked.is_empty());
    assert_eq!(bedside.people().saved, 0, "the form stays as it was typed");
}

#[test]
fn a_factor_and_a_person_are_taken_away() {
    let mut bedside = Bedside::at_the_desk();
    bedside.intent(people::Intent::Open(BEA));
    let factor = bedside.person().factors[0].id;
    bedside.intent(people::Intent::RevokeFactor(FactorId(1)));
    assert!(bedside.store.register.asked.is_empty(), "there is no such factor");
    bedside.intent(people::Intent::RevokeFactor(factor));
    assert_eq!(bedside.notice(), Some(Notice::FactorRevoked));
    assert_eq!(bedside.person().person.state, PersonState::NoFactors, "the list was read again");
    bedside.intent(people::Intent::RevokePerson);
    assert_eq!(bedside.notice(), Some(Notice::PersonRevoked));
    assert_eq!(bedside.names(), ["Ada Kern"]);
    let asked = [Administration::RevokeFactor(BEA, factor), Administration::RevokePerson(BEA)];
    assert_eq!(bedside.store.register.asked, asked);
}

#[test]
fn whoever_is_out_under_the_old_keys_is_out_and_it_is_said() {
    let mut bedside = Bedside::at_the_desk();
    bedside.intent(people::Intent::Open(BEA));
    bedside.prompt_store = false;
    bedside.intent(people::Intent::RevokePerson);
    let attempt = bedside.answers.iter().find_map(|answer| {
        let Outcome::Administered(attempt, Ok(Administered::Revoked)) = answer else {
            return None;
        };
        Some(*attempt)
    });
    let fault = AdministrationFault::KeysUnchanged(StoreFault::Full);
    bedside.prompt_store = true;
    bedside.told(Outcome::Administered(attempt.unwrap(), Err(fault)));
    assert_eq!(bedside.notice(), Some(Notice::KeysUnchanged));
    assert_eq!(bedside.names(), ["Ada Kern"], "the list, read again");
}

#[test]
fn one_revocation_is_made_at_a_time() {
    let mut bedside = Bedside::at_the_desk();
    bedside.intent(people::Intent::Open(BEA));
    bedside.prompt_store = false;
    bedside.intent(people::Intent::RevokePerson);
    assert!(bedside.person().busy);
    bedside.intent(people::Intent::RevokePerson);
    bedside.intent(people::Intent::Enrol(EnrolKind::Badge));
    assert!(bedside.person().busy, "nothing else begins");
    assert_eq!(bedside.answers.len(), 1);
}

#[test]
fn s1_revoking_oneself_locks_at_once() {
    for whole in [true, false] {
        let mut bedside = Bedside::at_the_desk();
        bedside.intent(people::Intent::Open(ADA));
        if whole {
            bedside.intent(people::Intent::RevokePerson);
        } else {
            let factor = bedside.person().factors[0].id;
            bedside.intent(people::Intent::RevokeFactor(factor));
        }
        assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
        let notice = if whole { Notice::PersonRevoked } else { Notice::FactorRevoked };
        assert_eq!(bedside.notice(), Some(notice));
    }
}

#[test]
fn s1_a_vault_that_closes_by_itself_locks() {
    let mut bedside = Bedside::at_the_desk();
    bedside.event(wardkeep_core::kiosk::Event::Store(Outcome::Closed));
    assert!(bedside.is_lock_screen() && !bedside.store.vault_open);
}

#[test]
fn the_last_it_person_and_other_refusals_are_named() {
    use AdministrationFault as F;
    for (fault, notice) in [
        (F::LastAdministrator, Some(Notice::LastAdministrator)),
        (F::NotAllowed, Some(Notice::NotAllowed)),
        (F::Store(StoreFault::Full), Some(Notice::NotWritten)),
        (F::Unknown, None),
    ] {
        let mut bedside = Bedside::at_the_desk();
        bedside.intent(people::Intent::Open(BEA));
        bedside.prompt_store = false;
        bedside.intent(people::Intent::RevokePerson);
        let Some(Outcome::Administered(attempt, _)) = bedside.answers.pop() else {
            panic!("the store was asked");
        };
        bedside.prompt_store = true;
        let people = bedside.store.register.people.clone();
        assert_eq!(people.len(), 1, "Bea is gone from the register");
        bedside
            .event(wardkeep_core::kiosk::Event::Store(Outcome::Administered(attempt, Err(fault))));
        assert_eq!(bedside.notice(), notice);
        if fault == F::Unknown {
            assert_eq!(bedside.names(), ["Ada Kern"], "the list was read again");
        } else {
            assert!(!bedside.person().busy);
        }
    }
}

#[test]
fn s1_names_leave_the_core_with_the_session_even_if_the_list_comes_late() {
    let mut bedside = Bedside::at_the_desk();
    bedside.prompt_store = false;
    bedside.intent(frame::Intent::Open(Page::People));
    let list = bedside.answers.remove(0);
    assert!(matches!(&list, Outcome::Administered(_, Ok(Administered::People(_)))));
    bedside.intent(frame::Intent::Lock);
    bedside.prompt_store = true;
    bedside.deliver();
    bedside.event(wardkeep_core::kiosk::Event::Store(list.clone()));
    // The next session waits for its own list, and takes no other.
    bedside.tap(1);
    bedside.prompt_store = false;
    bedside.type_pin(PIN);
    let unlocked = bedside.answers.remove(0);
    bedside.event(wardkeep_core::kiosk::Event::Store(unlocked));
    assert!(bedside.people().loading && bedside.people().rows.is_empty());
    bedside.event(wardkeep_core::kiosk::Event::Store(list));
    assert!(bedside.people().loading && bedside.people().rows.is_empty());
    bedside.deliver();
    assert_eq!(bedside.names().len(), 2);
}

#[test]
fn a_nurse_reaches_none_of_it() {
    let mut bedside = Bedside::unlocked_as(Role::Nurse);
    let before = bedside.view().screen;
    for intent in [
        Intent::Frame(frame::Intent::Open(Page::People)),
        Intent::Frame(frame::Intent::Open(Page::Audit)),
        Intent::Frame(frame::Intent::Open(Page::Cart)),
        Intent::People(people::Intent::Search(Phi::new("a".into()))),
        Intent::People(people::Intent::Open(BEA)),
        Intent::People(people::Intent::Add(form("Cem Aydin", Role::It))),
        Intent::People(people::Intent::Enrol(EnrolKind::Badge)),
        Intent::Enrolling(enrolling::Intent::ChooseFinger(Finger::RightIndex)),
        Intent::Enrolling(enrolling::Intent::IssueCode),
        Intent::Enrolling(enrolling::Intent::Done),
        Intent::People(people::Intent::RevokeFactor(FactorId(1))),
        Intent::People(people::Intent::RevokePerson),
    ] {
        bedside.intent(frame::Intent::DismissNotice);
        bedside.intent(intent.clone());
        assert_eq!(bedside.notice(), Some(Notice::NotAllowed), "{intent:?}");
        assert_eq!(bedside.view().screen, before, "{intent:?}");
    }
    assert!(bedside.store.register.asked.is_empty());
}

#[test]
fn nothing_is_managed_on_a_locked_screen() {
    let mut bedside = Bedside::locked();
    bedside.intent(frame::Intent::Open(Page::People));
    bedside.intent(people::Intent::Add(form("Cem Aydin", Role::It)));
    bedside.intent(account::Intent::ChangePin);
    assert!(bedside.is_lock_screen() && bedside.store.register.asked.is_empty());
}

#[test]
fn the_audit_log_is_shown_newest_first_in_local_time() {
    let mut bedside = Bedside::at_the_desk();
    for (seq, act, at) in [
        (1, AuditAct::PersonAdded, "2026-11-21T23:59:00Z"),
        (2, AuditAct::EmergencyOpened, "2026-11-22T08:05:00Z"),
    ] {
        let entry = AuditEntry::of(act, at.parse().expect("a timestamp"));
        let entry = AuditEntry { pair: Some(Pair::BadgePin), ..entry };
        let operator = (seq == 1).then(|| Phi::new("Ada Kern".into()));
        bedside.store.register.audit.push(AuditRow { seq, entry, operator, person: None });
    }
    bedside.intent(frame::Intent::Open(Page::Audit));
    let Screen::Audit(Audit { rows, loading, .. }) = bedside.view().screen else {
        panic!("expected the audit log");
    };
    assert!(!loading);
    let shown: Vec<_> = rows.iter().map(|row| (row.seq, row.day.as_str(), row.at)).collect();
    assert_eq!(
        shown,
        [(2, "2026-11-22", TimeOfDay::at(8, 5)), (1, "2026-11-21", TimeOfDay::at(23, 59))]
    );
    assert_eq!(rows[1].operator.reveal(), "Ada Kern");
    assert!(rows[0].operator.reveal().is_empty());
}

#[test]
fn the_cart_page_says_how_this_cart_is_set_up() {
    let policy = Policy { two_person: true, shift: 30 * 60 * SECOND, ..Policy::default() };
    let mut bedside = Bedside::desk_under(policy);
    bedside.factor(FactorEvent::Sensor(Some(kit::kiosk::sensor("A1"))));
    bedside.intent(frame::Intent::Open(Page::Cart));
    let Screen::Cart(cart) = bedside.view().screen else { panic!("expected the cart") };
    let pairs = vec![Pair::CardPin, Pair::BadgePin, Pair::CardFinger, Pair::BadgeFinger];
    let expected = Cart {
        protection: None,
        shift_min: 30,
        pairs,
        emergency: true,
        two_person: true,
        crl_days: 7,
        sensor: "synaptics A1".into(),
    };
    assert_eq!(cart, expected);
}

#[test]
fn ones_own_pin_is_changed_on_the_account_page() {
    let mut bedside = Bedside::unlocked_as(Role::Nurse);
    bedside.intent(account::Intent::ChangePin);
    assert!(!matches!(bedside.view().screen, Screen::Enrolment(_)), "not from another page");
    bedside.intent(frame::Intent::Open(Page::Account));
    let account = |bedside: &Bedside| {
        let screen = bedside.view().screen;
        let Screen::Account(page) = screen else { panic!("expected the account, not {screen:?}") };
        page
    };
    let Account { since, shift_until, can_change_pin, pair, .. } = account(&bedside);
    assert_eq!((since, shift_until), (TimeOfDay::at(14, 32), Some(TimeOfDay::at(18, 32))));
    assert!(can_change_pin && pair == Pair::BadgePin);
    bedside.intent(account::Intent::ChangePin);
    let digits = [8, 3, 9, 2, 6, 1];
    bedside.type_pin(digits);
    bedside.type_pin(digits);
    assert_eq!(bedside.notice(), Some(Notice::PinChanged));
    assert_eq!(account(&bedside).pair, Pair::BadgePin);
    assert_eq!(bedside.store.pin, kit::kiosk::pin(digits));
}
