//! Touches on the screens about who gets in: one touch, one intent; what takes something away is held.

use std::time::Duration;

use slint::ComponentHandle;
use wardkeep::tour::samples::staff::{self, open_it};
use wardkeep::tour::samples::{self, concealed, open};
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::people::PersonForm;
use wardkeep_core::kiosk::pages::{account, people};
use wardkeep_core::kiosk::view::access::{
    Emergency, Enrolment, People, PersonPage, PersonState, Ways,
};
use wardkeep_core::kiosk::view::{Lock, Patients, PinPrompt, PinPurpose, Screen, View};
use wardkeep_core::kiosk::{enrolling, frame, login};
use wardkeep_core::session::FingerPrompt;
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::factor::Finger;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::FactorId;
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{FingerAdvice, ReaderHealth, ReaderKind};
use wardkeep_ui as ui;

use kit::screens::{Desk, LANDSCAPE, PORTRAIT};

const LONG_ENOUGH: Duration = Duration::from_millis(1100);
const TOO_SHORT: Duration = Duration::from_millis(900);

fn step(step: Enrolment) -> View {
    open_it(Screen::Enrolment(step))
}

#[test]
fn the_lock_screen_offers_the_ways_there_are() {
    let mut desk = Desk::new(LANDSCAPE);
    let ways = |badge, ways| {
        let readers =
            vec![(ReaderKind::Badge, badge), (ReaderKind::Finger, ReaderHealth::NoLibrary)];
        concealed(Screen::Lock(Lock { readers, ways, ..samples::lock() }))
    };
    desk.show(&ways(ReaderHealth::Ready, Ways::default()));
    assert!(desk.labelled("Emergency view").is_empty());
    assert!(desk.labelled("or insert your card").is_empty());
    assert_eq!(desk.the("Finger").accessible_value().unwrap(), "not installed");
    desk.show(&ways(ReaderHealth::Ready, Ways { card: true, emergency: true }));
    assert_eq!(desk.labelled("or insert your card").len(), 1);
    desk.tap("Emergency view");
    assert_eq!(desk.sent(), [Intent::Login(login::Intent::BeginEmergency)]);
    desk.show(&ways(ReaderHealth::NotFitted, Ways { card: true, emergency: false }));
    assert_eq!(desk.labelled("Insert your card").len(), 1, "the card is the next step then");
}

#[test]
fn a_card_s_pin_is_asked_in_other_words_than_a_badge_s() {
    let desk = Desk::new(LANDSCAPE);
    let pad = |prompt| concealed(Screen::Pin(prompt));
    desk.show(&pad(samples::pin()));
    assert_eq!(desk.labelled("Enter your PIN").len(), 1);
    let refused = PinPrompt { refused: true, tries_left: Some(2), ..staff::card_pin() };
    desk.show(&pad(refused));
    assert_eq!(desk.labelled("Enter your card's PIN").len(), 1);
    assert_eq!(desk.labelled("2 tries are left on the card.").len(), 1);
    let notice = desk.the("Notice").accessible_value().unwrap();
    assert!(notice.starts_with("The card says that the PIN is wrong."), "{notice}");
    for (purpose, title) in [
        (PinPurpose::Choose, "Choose your PIN"),
        (PinPurpose::Repeat, "Type the PIN again"),
        (PinPurpose::SignTest, "Enter the card's PIN"),
        (PinPurpose::Vouch, "Second person: enter your card's PIN"),
    ] {
        desk.show(&pad(PinPrompt { purpose, ..staff::card_pin() }));
        assert_eq!(desk.labelled(title).len(), 1, "{title}");
    }
}

#[test]
fn the_finger_prompt_stands_beside_the_pad_and_takes_nothing_from_it() {
    let mut desk = Desk::new(PORTRAIT);
    for (hint, says) in [
        (FingerPrompt::Waiting, "Lay your finger on the reader."),
        (FingerPrompt::NotMatched, "Not recognised. Lay it on again."),
        (FingerPrompt::Retry(FingerAdvice::Lift), "Lift it, then lay it on again."),
        (FingerPrompt::Off, "The finger does not count for now: type the PIN."),
    ] {
        desk.show(&concealed(Screen::Pin(PinPrompt { finger: Some(hint), ..samples::pin() })));
        assert_eq!(desk.the("Finger").accessible_value().unwrap(), says);
    }
    for digit in ["4", "7", "1", "1", "0", "8"] {
        desk.tap(&format!("Digit {digit}"));
    }
    desk.tap("Unlock");
    assert_eq!(
        desk.sent(),
        [Intent::Login(login::Intent::SubmitPin([4, 7, 1, 1, 0, 8].into_iter().collect()))]
    );
    desk.show(&concealed(Screen::Pin(samples::pin())));
    assert!(desk.labelled("Finger").is_empty());
}

#[test]
fn the_emergency_view_takes_a_reason_and_offers_nothing_but_to_close() {
    let mut desk = Desk::new(LANDSCAPE);
    let shown = |step| concealed(Screen::Emergency(step));
    for size in [LANDSCAPE, PORTRAIT] {
        desk.turn(size);
        desk.show(&shown(staff::emergency_token()));
        desk.tap("Cancel");
        desk.show(&shown(staff::emergency_reason()));
        desk.tap("My PIN, card or reader does not work");
        let wanted = Intent::Login(login::Intent::ChooseReason(EmergencyReason::FactorFailed));
        assert_eq!(desk.sent(), [Intent::Frame(frame::Intent::Cancel), wanted]);
        let busy = Emergency::Reason { reasons: EmergencyReason::ALL.to_vec(), busy: true };
        desk.show(&shown(busy));
        desk.tap("A life is in danger");
        assert_eq!(desk.sent(), [], "it is being opened already");
        desk.show(&shown(Emergency::Open(Box::new(staff::emergency_page()))));
        let mut reachable: Vec<_> =
            desk.controls().iter().filter_map(|control| control.accessible_label()).collect();
        reachable.dedup();
        assert_eq!(reachable, ["Close the emergency view"]);
        desk.tap("Close the emergency view");
        assert_eq!(desk.sent(), [Intent::Frame(frame::Intent::Cancel)]);
    }
}

#[test]
fn the_rail_shows_the_pages_of_the_role_and_the_chip_leads_to_one_s_own() {
    let mut desk = Desk::new(LANDSCAPE);
    for size in [LANDSCAPE, PORTRAIT] {
        desk.turn(size);
        desk.show(&open_it(Screen::Cart(staff::cart())));
        assert!(desk.labelled("Bedside").is_empty() && desk.labelled("Patients").is_empty());
        for (label, page) in [
            ("People", Page::People),
            ("Audit", Page::Audit),
            ("Cart", Page::Cart),
            ("Devices", Page::Devices),
            ("Operator", Page::Account),
        ] {
            desk.tap(label);
            assert_eq!(desk.sent(), [Intent::Frame(frame::Intent::Open(page))], "{label}");
        }
        let chip = desk.the("Operator");
        assert_eq!(chip.accessible_value().unwrap(), "DT");
        let told = chip.accessible_description().unwrap();
        assert_eq!(told, "IT · card + PIN · since 14:05 · 6 min left");
        desk.show(&open(Screen::Account(staff::account())));
        desk.tap("Change my PIN");
        assert_eq!(desk.sent(), [Intent::Account(account::Intent::ChangePin)]);
    }
}

#[test]
fn a_person_is_added_with_a_name_and_two_touches() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&open_it(Screen::People(staff::people())));
    desk.tap("Add a person");
    desk.tap("Continue");
    assert_eq!(desk.sent(), [], "without a name there is nobody to add");
    for key in ["Key I", "Key d", "Key a", "Space", "Key V", "Key o"] {
        desk.tap(key);
    }
    assert_eq!(desk.the("Initials").accessible_value().unwrap(), "IV");
    desk.tap("Continue");
    let form = PersonForm {
        name: Phi::new("Ida Vo".into()),
        initials: "IV".into(),
        role: Role::Nurse,
        valid_until: String::new(),
    };
    assert_eq!(desk.sent(), [Intent::People(people::Intent::Add(form))]);
    desk.the("Initials").set_accessible_value("ivo");
    desk.the("Last day (may be empty)").set_accessible_value(" 31.03.2027 ");
    desk.tap("Auditor");
    desk.the("Full name").set_accessible_value("Ida Vorholt");
    desk.settle();
    assert_eq!(desk.the("Initials").accessible_value().unwrap(), "ivo", "one's own stay");
    desk.tap("Continue");
    let other = PersonForm {
        name: Phi::new("Ida Vorholt".into()),
        initials: "IVO".into(),
        role: Role::Auditor,
        valid_until: "31.03.2027".into(),
    };
    assert_eq!(desk.sent(), [Intent::People(people::Intent::Add(other))]);
    desk.show(&open_it(Screen::People(People { saved: 1, ..staff::people() })));
    assert!(desk.labelled("Full name").is_empty(), "an accepted form is closed");
    desk.tap("Add a person");
    assert_eq!(desk.the("Full name").accessible_value().unwrap(), "");
    desk.tap("Cancel");
    assert_eq!(desk.sent(), [Intent::Frame(frame::Intent::Cancel)]);
    assert_eq!(desk.labelled("Add a person").len(), 1);
}

#[test]
fn a_second_person_is_announced_only_for_a_new_it_person() {
    let desk = Desk::new(PORTRAIT);
    let hint = "Another IT person has to confirm it: ask them to come.";
    desk.show(&open_it(Screen::People(People { two_person: true, ..staff::people() })));
    desk.tap("Add a person");
    assert!(desk.labelled(hint).is_empty());
    desk.tap("IT");
    assert_eq!(desk.labelled(hint).len(), 1);
    desk.show(&View {
        notice: Some(Notice::NameIncomplete),
        ..open_it(Screen::People(People { two_person: true, ..staff::people() }))
    });
    assert_eq!(desk.labelled("Notice").len(), 1, "said once, where the form is");
}

#[test]
fn people_are_searched_and_opened() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&open_it(Screen::People(staff::people())));
    assert!(desk.labelled("Search by name").is_empty(), "six are seen at a glance");
    desk.tap("Chiara Santangelo");
    assert_eq!(desk.sent(), [Intent::People(people::Intent::Open(OperatorId(3)))]);
    assert_eq!(
        desk.the("Bernd Maier-Leibnitz").accessible_value().unwrap(),
        "Nurse · until 2027-06-30 · PIN tries used up · 1 badge"
    );
    desk.show(&open_it(Screen::People(staff::many_people())));
    desk.tap("Search by name");
    desk.tap("Key A");
    desk.tap("Key d");
    assert_eq!(
        desk.sent(),
        [
            Intent::People(people::Intent::Search(Phi::new("A".into()))),
            Intent::People(people::Intent::Search(Phi::new("Ad".into())))
        ]
    );
    let found = People { rows: [].into(), search: Phi::new("Ad".into()), ..staff::many_people() };
    desk.show(&open_it(Screen::People(found)));
    assert_eq!(desk.the("Search by name").accessible_value().unwrap(), "Ad");
    assert_eq!(desk.labelled("Nobody is found. Try fewer letters.").len(), 1);
}

#[test]
fn factors_and_people_are_taken_away_only_by_holding() {
    let mut desk = Desk::new(LANDSCAPE);
    let card = "Take this card away (Smart card, 2026-09-01)";
    for size in [LANDSCAPE, PORTRAIT] {
        desk.turn(size);
        desk.show(&open_it(Screen::Person(Box::new(staff::person_page()))));
        desk.tap(card);
        desk.hold(card, TOO_SHORT);
        desk.hold("Take this person away", TOO_SHORT);
        assert_eq!(desk.sent(), []);
        desk.hold(card, LONG_ENOUGH);
        desk.hold("Take this person away", LONG_ENOUGH);
        assert_eq!(
            desk.sent(),
            [
                Intent::People(people::Intent::RevokeFactor(FactorId(12))),
                Intent::People(people::Intent::RevokePerson)
            ]
        );
        let own = PersonPage { is_self: true, ..staff::person_page() };
        desk.show(&open_it(Screen::Person(Box::new(own))));
        assert!(desk.labelled("Take this person away").is_empty());
        desk.tap("Back to everybody");
        assert_eq!(desk.sent(), [Intent::Frame(frame::Intent::Open(Page::People))]);
    }
}

#[test]
fn what_cannot_be_enrolled_says_why_and_does_nothing() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&open_it(Screen::Person(Box::new(staff::person_page()))));
    desk.tap("Enrol a badge");
    desk.tap("Enrol a card");
    desk.tap("Enrol a finger");
    desk.tap("New PIN or code");
    let kinds = [EnrolKind::Badge, EnrolKind::Card, EnrolKind::Pin]
        .map(|kind| Intent::People(people::Intent::Enrol(kind)));
    assert_eq!(desk.sent(), kinds);
    assert_eq!(desk.labelled("Reader not installed").len(), 1);
    desk.show(&open_it(Screen::Person(Box::new(staff::newcomer()))));
    desk.tap("New PIN or code");
    assert_eq!(desk.labelled("Needs a badge first").len(), 1);
    let busy = PersonPage { busy: true, ..staff::person_page() };
    desk.show(&open_it(Screen::Person(Box::new(busy))));
    desk.tap("Enrol a badge");
    desk.hold("Take this person away", LONG_ENOUGH);
    assert_eq!(desk.sent(), []);
}

#[test]
fn enrolment_is_walked_step_by_step() {
    let mut desk = Desk::new(PORTRAIT);
    let ready = ReaderHealth::Ready;
    for (again, title) in [(false, "Badge: tap 1 of 2"), (true, "Badge: tap 2 of 2")] {
        desk.show(&step(Enrolment::Badge { reader: ready, again }));
        assert_eq!(desk.labelled(title).len(), 1);
        assert_eq!(desk.the("Enrolled for").accessible_value().unwrap(), staff::LONG_NAME);
    }
    let prompt = PinPrompt { purpose: PinPurpose::Choose, ..samples::pin() };
    desk.show(&step(Enrolment::Pin { prompt, code_offered: true }));
    desk.tap("Give a one-time code instead");
    desk.show(&step(Enrolment::Pin { prompt, code_offered: false }));
    assert!(desk.labelled("Give a one-time code instead").is_empty());
    desk.show(&step(Enrolment::Code(Secret::new("40718263".into()))));
    assert_eq!(desk.the("Code").accessible_value().unwrap(), "4071 8263");
    desk.tap("I have handed it over");
    desk.hold("I have handed it over", LONG_ENOUGH);
    desk.show(&step(Enrolment::FingerChoice {
        fingers: vec![Finger::LeftIndex, Finger::LeftThumb],
    }));
    assert!(desk.labelled("Right index finger").is_empty());
    desk.tap("Left thumb");
    let finger = Enrolment::Finger {
        finger: Finger::LeftThumb,
        done: 2,
        total: 5,
        advice: Some(FingerAdvice::Longer),
    };
    desk.show(&step(finger));
    assert_eq!(desk.the("Stages done").accessible_value().unwrap(), "2 / 5");
    desk.tap("Cancel");
    desk.show(&step(Enrolment::Done { kind: EnrolKind::Finger, another_finger: true }));
    desk.tap("Enrol another finger");
    desk.tap("Enrol a badge too");
    desk.tap("That is all");
    assert_eq!(
        desk.sent(),
        [
            Intent::Enrolling(enrolling::Intent::IssueCode),
            Intent::Enrolling(enrolling::Intent::Done),
            Intent::Enrolling(enrolling::Intent::ChooseFinger(Finger::LeftThumb)),
            Intent::Frame(frame::Intent::Cancel),
            Intent::People(people::Intent::Enrol(EnrolKind::Finger)),
            Intent::People(people::Intent::Enrol(EnrolKind::Badge)),
            Intent::Enrolling(enrolling::Intent::Done),
        ]
    );
}

#[test]
fn a_code_is_gone_with_the_next_step_of_the_same_enrolment() {
    let desk = Desk::new(LANDSCAPE);
    desk.show(&step(Enrolment::Code(Secret::new("40718263".into()))));
    desk.show(&step(Enrolment::Done { kind: EnrolKind::Badge, another_finger: false }));
    assert!(!desk.spoken().contains("4071"));
    assert_eq!(desk.window.global::<ui::Enrolment>().get_code(), "");
}

#[test]
fn an_unfinished_form_is_brought_back_once() {
    let mut desk = Desk::new(LANDSCAPE);
    let patients = Patients { draft: Some(staff::draft()), ..samples::patients() };
    let view = open(Screen::Patients(patients));
    desk.show(&view);
    assert_eq!(desk.labelled("You were typing this when the cart locked.").len(), 1);
    for (field, typed) in [
        ("Family name", "Abernathy"),
        ("Given name", "Zora"),
        ("Date of birth", "1951-"),
        ("Allergies", "Nuts"),
    ] {
        let control = desk.labelled(field).into_iter().find(|e| {
            e.accessible_role() == Some(i_slint_backend_testing::AccessibleRole::TextInput)
        });
        assert_eq!(control.unwrap().accessible_value().unwrap(), typed);
    }
    desk.the("Given name").set_accessible_value("Zara");
    desk.show(&view);
    assert_eq!(desk.the("Given name").accessible_value().unwrap(), "Zara", "typing goes on");
    desk.tap("Cancel");
    desk.show(&view);
    assert!(desk.labelled("Family name").is_empty(), "it was not wanted any more");
    let last = desk.sent().pop();
    assert_eq!(last, Some(Intent::Frame(frame::Intent::Cancel)));
}

#[test]
fn every_state_of_a_person_has_words_and_only_trouble_has_advice() {
    let desk = Desk::new(LANDSCAPE);
    for (state, says, advice) in [
        (PersonState::Ready, "ready", None),
        (PersonState::NoFactors, "nothing enrolled yet", Some("They cannot log in yet")),
        (PersonState::Code, "one-time code is out", Some("They choose their own PIN")),
        (PersonState::Expired, "access has ended", Some("They cannot log in any more")),
        (PersonState::Exhausted, "PIN tries used up", Some("They cannot log in with")),
    ] {
        let mut page = staff::person_page();
        page.person.state = state;
        desk.show(&open_it(Screen::Person(Box::new(page))));
        let spoken = desk.spoken();
        assert!(spoken.contains(&format!("Nurse · until 2027-03-31 · {says}")), "{says}");
        assert_eq!(spoken.contains("They c"), advice.is_some(), "{says}");
        assert!(advice.is_none_or(|advice| spoken.contains(advice)), "{says}");
    }
}
