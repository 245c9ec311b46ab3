//! Whatever happens at IT's desk, in any order: people are managed only in a session that may, and
//! nothing of it outlives the session.

use std::time::Duration;

use kit::kiosk::desk::form;
use kit::kiosk::register::{ADA, BEA};
use kit::kiosk::{Bedside, PIN, WRONG, badge, template};
use proptest::prelude::*;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::{account, people};
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::access::Enrolment;
use wardkeep_core::kiosk::{enrolling, frame};
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::factor::Finger;
use wardkeep_model::access::policy::{Permission, Policy};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::keeping::Administration;
use wardkeep_model::ports::{
    Event, FactorEvent, FingerEvent, FingerFault, ReaderHealth, ReaderKind,
};

/// Everything that can happen there.
#[derive(Clone, Debug)]
enum Op {
    Tap(u8),
    Lay(u8),
    Lift,
    Insert(u8),
    Pull,
    CardReader(bool),
    Pin(bool),
    Finger(u8),
    Open(u8),
    Person(bool),
    Add(bool),
    Enrol(u8),
    Choose(u8),
    Code,
    Done,
    RevokeFactor,
    RevokePerson,
    OwnPin,
    Cancel,
    Lock,
    Wait(u16),
    StoreStalls,
    StoreAnswers,
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (1_u8..6).prop_map(Op::Tap),
        1 => (1_u8..6).prop_map(Op::Lay),
        1 => Just(Op::Lift),
        2 => (1_u8..5).prop_map(Op::Insert),
        1 => Just(Op::Pull),
        1 => any::<bool>().prop_map(Op::CardReader),
        6 => prop::bool::weighted(0.9).prop_map(Op::Pin),
        3 => (0_u8..3).prop_map(Op::Finger),
        3 => (0_u8..6).prop_map(Op::Open),
        4 => any::<bool>().prop_map(Op::Person),
        2 => any::<bool>().prop_map(Op::Add),
        5 => (0_u8..4).prop_map(Op::Enrol),
        2 => (0_u8..3).prop_map(Op::Choose),
        1 => Just(Op::Code),
        3 => Just(Op::Done),
        1 => Just(Op::RevokeFactor),
        1 => Just(Op::RevokePerson),
        1 => Just(Op::OwnPin),
        1 => Just(Op::Cancel),
        1 => Just(Op::Lock),
        2 => (0_u16..9000).prop_map(Op::Wait),
        1 => Just(Op::StoreStalls),
        3 => Just(Op::StoreAnswers),
    ]
}

const PAGES: [Page; 6] =
    [Page::People, Page::Audit, Page::Cart, Page::Account, Page::Bedside, Page::Patients];
const KINDS: [EnrolKind; 4] =
    [EnrolKind::Badge, EnrolKind::Card, EnrolKind::Finger, EnrolKind::Pin];

fn apply(bedside: &mut Bedside, op: &Op) {
    match *op {
        Op::Tap(n) => bedside.tap(n),
        Op::Lay(n) => bedside.hardware(Event::BadgePresented(badge(n))),
        Op::Lift => bedside.hardware(Event::BadgeRemoved),
        Op::Insert(n) => bedside.insert(n),
        Op::Pull => bedside.pull(),
        Op::CardReader(ready) => {
            let health = if ready { ReaderHealth::Ready } else { ReaderHealth::NotFitted };
            bedside.hardware(Event::Reader(ReaderKind::SmartCard, health));
        }
        Op::Pin(right) => bedside.type_pin(if right { PIN } else { WRONG }),
        Op::Finger(what) => {
            if let Some((attempt, finger)) = bedside.enrolling {
                if what > 0 {
                    bedside.enrolling = None;
                }
                bedside.factor(FactorEvent::Finger(match what {
                    0 => FingerEvent::Stage(attempt, 2, 5),
                    1 => {
                        let taken =
                            wardkeep_model::access::factor::Template { finger, ..template(2, "A") };
                        FingerEvent::Enrolled(attempt, taken)
                    }
                    _ => FingerEvent::Failed(attempt, FingerFault::Broken),
                }));
            }
        }
        Op::Open(n) => bedside.intent(frame::Intent::Open(PAGES[usize::from(n)])),
        Op::Person(own) => bedside.intent(people::Intent::Open(if own { ADA } else { BEA })),
        Op::Add(it) => {
            let role = if it { Role::It } else { Role::Nurse };
            bedside.intent(people::Intent::Add(form("Cem Aydin", role)));
        }
        Op::Enrol(n) => bedside.intent(people::Intent::Enrol(KINDS[usize::from(n)])),
        Op::Choose(n) => {
            bedside.intent(enrolling::Intent::ChooseFinger(Finger::ALL[usize::from(n)]));
        }
        Op::Code => bedside.intent(enrolling::Intent::IssueCode),
        Op::Done => bedside.intent(enrolling::Intent::Done),
        Op::RevokeFactor => {
            if let Screen::Person(page) = bedside.view().screen
                && let Some(factor) = page.factors.first()
            {
                bedside.intent(people::Intent::RevokeFactor(factor.id));
            }
        }
        Op::RevokePerson => bedside.intent(people::Intent::RevokePerson),
        Op::OwnPin => bedside.intent(account::Intent::ChangePin),
        Op::Cancel => bedside.intent(frame::Intent::Cancel),
        Op::Lock => bedside.intent(frame::Intent::Lock),
        Op::Wait(ms) => bedside.wait(Duration::from_millis(ms.into())),
        Op::StoreStalls => bedside.prompt_store = false,
        Op::StoreAnswers => {
            bedside.prompt_store = true;
            bedside.deliver();
        }
    }
}

/// What a screen takes, if it is one of those about people.
fn needed(screen: &Screen) -> Option<Permission> {
    if matches!(screen, Screen::Audit(_)) {
        return Some(Permission::ReadAudit);
    }
    if matches!(screen, Screen::Cart(_)) {
        return Some(Permission::SeeCart);
    }
    let own_pin = matches!(screen, Screen::Enrolment(Enrolment::Pin { .. } | Enrolment::Working));
    let about_people =
        matches!(screen, Screen::People(_) | Screen::Person(_) | Screen::Enrolment(_));
    (about_people && !own_pin).then_some(Permission::ManagePeople)
}

fn whom(what: &Administration) -> Option<OperatorId> {
    match what {
        Administration::EnrolBadge(id, ..)
        | Administration::EnrolCard(id, _)
        | Administration::EnrolFinger(id, _)
        | Administration::SetPin(id, _)
        | Administration::RevokeFactor(id, _)
        | Administration::RevokePerson(id) => Some(*id),
        Administration::ListPeople
        | Administration::AddPerson(..)
        | Administration::ChangeOwnPin(_)
        | Administration::ReadAudit(_)
        | Administration::ExportAudit(_)
        | Administration::Checkpoint
        | Administration::AuditKey
        | Administration::AcknowledgeFindings
        | Administration::BackUp(_)
        | Administration::Shred(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn s1_people_are_managed_only_by_whom_and_while_they_may(
        role in prop_oneof![4 => Just(Role::It), 1 => Just(Role::Nurse), 1 => Just(Role::Auditor)],
        two_person in any::<bool>(),
        ops in prop::collection::vec(any_op(), 1..80),
    ) {
        let policy = Policy { two_person, ..Policy::default() };
        let mut bedside = Bedside::under(policy);
        bedside.store.role = role;
        bedside.store.register.two_person = two_person;
        bedside.unlock();
        for op in ops {
            let asked = bedside.store.register.asked.len();
            apply(&mut bedside, &op);
            let view = bedside.view();
            // S-1: these screens are a session's, and of a role that may see them.
            if let Some(permission) = needed(&view.screen) {
                prop_assert!(view.open.is_some() && role.may(permission), "{:?}", view.screen);
            }
            prop_assert!(view.open.is_none() || bedside.store.vault_open);
            // The reader takes no finger that nobody sees being taken.
            let shown = matches!(view.screen, Screen::Enrolment(Enrolment::Finger { .. }));
            prop_assert_eq!(bedside.enrolling.is_some(), shown);
            for what in &bedside.store.register.asked[asked..] {
                prop_assert!(role == Role::It, "{what:?} by {role:?}");
                // Nobody is touched whose page was not opened, or who was not added just before.
                let known = |id| id == ADA || id == BEA || id > OperatorId(500);
                prop_assert!(whom(what).is_none_or(known));
            }
            prop_assert!(bedside.kiosk.next_deadline(bedside.now()) > bedside.now().boot);
        }
    }
}
