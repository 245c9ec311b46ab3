//! What each role may do: every intent against every role, and what each sees.

use std::time::Duration;

use kit::kiosk::{Bedside, OXIMETER, PIN, STRAP, heart_rate, pin};
use wardkeep_core::alarms::{Condition, Shown};
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::inventory::DeviceForm;
use wardkeep_core::kiosk::pages::people::PersonForm;
use wardkeep_core::kiosk::pages::{account, audit, devices, inventory, pairing, patients, people};
use wardkeep_core::kiosk::view::{Owner, Screen};
use wardkeep_core::kiosk::{alarm, enrolling, first_start, frame, login, trouble};
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::factor::Finger;
use wardkeep_model::access::policy::Permission as P;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{AuditAct, FactorId};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{Event, Link};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

const ROLES: [Role; 4] = [Role::Nurse, Role::Caregiver, Role::It, Role::Auditor];
const SPARE: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x03]);

/// A monitored bed, at which somebody with this role has logged in.
fn bedside_of(role: Role) -> Bedside {
    let mut bedside = Bedside::monitoring();
    bedside.frame(STRAP, heart_rate(72));
    bedside.intent(devices::Intent::Connect(SPARE));
    bedside.intent(frame::Intent::Lock);
    bedside.store.role = role;
    bedside.unlock();
    bedside
}

fn person_form() -> PersonForm {
    let name = Phi::new("Cara Novak".into());
    PersonForm { name, initials: "CN".into(), role: Role::Nurse, valid_until: String::new() }
}

/// What every intent needs; `None` is open to everybody.
fn intents() -> Vec<(Intent, Option<P>)> {
    let factor = FactorId(1);
    let shown = Shown { condition: Condition::NoSound, number: 1 };
    let name = || Phi::new("Cara".to_owned());
    vec![
        (Intent::Frame(frame::Intent::Activity), None),
        (Intent::Frame(frame::Intent::DismissNotice), None),
        (Intent::Frame(frame::Intent::DismissFinding), None),
        (Intent::Trouble(trouble::Intent::BeginWatch), None),
        (Intent::Trouble(trouble::Intent::EndWatch), None),
        (Intent::Audit(audit::Intent::ShowCheckpoint), Some(P::ReadAudit)),
        (Intent::Frame(frame::Intent::SetLanguage(Language::German)), None),
        (Intent::Frame(frame::Intent::Cancel), None),
        (Intent::Login(login::Intent::SubmitPin(pin(PIN))), None),
        (Intent::FirstStart(first_start::Intent::Begin), None),
        (
            Intent::FirstStart(first_start::Intent::NameAdmin {
                name: name(),
                initials: "CN".into(),
            }),
            None,
        ),
        (Intent::FirstStart(first_start::Intent::RecoveryWritten), None),
        (Intent::Login(login::Intent::BeginEmergency), None),
        (Intent::Login(login::Intent::ChooseReason(EmergencyReason::FactorFailed)), None),
        (Intent::Account(account::Intent::ChangePin), None),
        (Intent::Frame(frame::Intent::Open(Page::Account)), None),
        (Intent::Frame(frame::Intent::Open(Page::Bedside)), Some(P::SeePatients)),
        (Intent::Frame(frame::Intent::Open(Page::Patients)), Some(P::SeePatients)),
        (Intent::Frame(frame::Intent::Open(Page::Devices)), Some(P::ConnectDevices)),
        (Intent::Frame(frame::Intent::Open(Page::Inventory)), Some(P::ConnectDevices)),
        (Intent::Inventory(inventory::Intent::Open(OXIMETER)), Some(P::ConnectDevices)),
        (Intent::Inventory(inventory::Intent::Find("21".into())), Some(P::ConnectDevices)),
        (Intent::Inventory(inventory::Intent::Blink(OXIMETER)), Some(P::ConnectDevices)),
        (
            Intent::Inventory(inventory::Intent::Describe(OXIMETER, DeviceForm::default())),
            Some(P::MaintainDevices),
        ),
        (Intent::Pairing(pairing::Intent::Forget(SPARE)), Some(P::MaintainDevices)),
        (Intent::Frame(frame::Intent::Open(Page::People)), Some(P::ManagePeople)),
        (Intent::Frame(frame::Intent::Open(Page::Audit)), Some(P::ReadAudit)),
        (Intent::Frame(frame::Intent::Open(Page::Cart)), Some(P::SeeCart)),
        (Intent::Alarm(alarm::Intent::Acknowledge(shown)), Some(P::HandleAlarms)),
        (Intent::Alarm(alarm::Intent::PauseAudio), Some(P::HandleAlarms)),
        (Intent::Devices(devices::Intent::Connect(SPARE)), Some(P::ConnectDevices)),
        (Intent::Devices(devices::Intent::Release(SPARE)), Some(P::ConnectDevices)),
        (Intent::Devices(devices::Intent::Release(STRAP)), Some(P::Care)),
        (Intent::Devices(devices::Intent::Assign(OXIMETER)), Some(P::Care)),
        (Intent::Patients(patients::Intent::Search(name())), Some(P::Care)),
        (Intent::Patients(patients::Intent::Choose(SubjectId(1))), Some(P::Care)),
        (Intent::Patients(patients::Intent::Discharge(SubjectId(1))), Some(P::Care)),
        (Intent::Patients(patients::Intent::Add(PatientForm::default())), Some(P::Care)),
        (Intent::Patients(patients::Intent::Draft(PatientForm::default())), Some(P::Care)),
        (Intent::People(people::Intent::Search(name())), Some(P::ManagePeople)),
        (Intent::People(people::Intent::Open(OperatorId(9))), Some(P::ManagePeople)),
        (Intent::People(people::Intent::Add(person_form())), Some(P::ManagePeople)),
        (Intent::People(people::Intent::Enrol(EnrolKind::Badge)), Some(P::ManagePeople)),
        (
            Intent::Enrolling(enrolling::Intent::ChooseFinger(Finger::RightIndex)),
            Some(P::ManagePeople),
        ),
        (Intent::Enrolling(enrolling::Intent::IssueCode), Some(P::ManagePeople)),
        (Intent::Enrolling(enrolling::Intent::Done), Some(P::ManagePeople)),
        (Intent::People(people::Intent::RevokeFactor(factor)), Some(P::ManagePeople)),
        (Intent::People(people::Intent::RevokePerson), Some(P::ManagePeople)),
    ]
}

#[test]
fn every_intent_is_checked_against_the_role_before_it_acts() {
    for role in ROLES {
        for (intent, needed) in intents() {
            let mut bedside = bedside_of(role);
            let before =
                (bedside.store.cart.clone(), bedside.store.audit.len(), bedside.radio.len());
            let shown = bedside.view().screen;
            bedside.intent(intent.clone());
            let refused = bedside.view().notice == Some(Notice::NotAllowed);
            let may = needed.is_none_or(|permission| role.may(permission));
            assert_eq!(refused, !may, "{role:?}: {intent:?}");
            if refused {
                let after =
                    (bedside.store.cart.clone(), bedside.store.audit.len(), bedside.radio.len());
                assert_eq!(after, before, "{role:?}: {intent:?}");
                assert_eq!(bedside.kiosk.view(bedside.now()).screen, shown, "{role:?}: {intent:?}");
            }
        }
    }
}

#[test]
fn s1_without_a_session_nothing_happens_that_needs_one() {
    for (intent, needed) in intents() {
        let mut bedside = bedside_of(Role::Nurse);
        bedside.intent(frame::Intent::Lock);
        let before = (bedside.store.cart.clone(), bedside.store.audit.len(), bedside.radio.len());
        bedside.intent(intent.clone());
        if needed.is_some_and(|permission| permission != P::HandleAlarms) {
            let after =
                (bedside.store.cart.clone(), bedside.store.audit.len(), bedside.radio.len());
            assert_eq!(after, before, "{intent:?}");
            assert!(bedside.is_lock_screen(), "{intent:?}");
        }
        assert_ne!(bedside.view().notice, Some(Notice::NotAllowed), "{intent:?}");
    }
}

#[test]
fn each_role_begins_on_its_own_page_and_has_its_own_rail() {
    use Page::{Alarms, Audit, Bedside as Live, Cart, Devices, Patients, People};
    for (role, first, rail) in [
        (Role::Nurse, Live, vec![Live, Alarms, Patients, Devices]),
        (Role::Caregiver, Live, vec![Live, Alarms, Patients, Devices]),
        (Role::It, People, vec![Alarms, Devices, People, Audit, Cart]),
        (Role::Auditor, Audit, vec![Audit, Cart]),
    ] {
        let bedside = bedside_of(role);
        assert_eq!(bedside.view().open.map(|open| open.pages), Some(rail.clone()), "{role:?}");
        assert!(rail.contains(&first));
        let is_bedside = matches!(bedside.view().screen, Screen::Bedside(_));
        assert_eq!(is_bedside, first == Live, "{role:?}");
        let mut new_bed = Bedside::unlocked_as(role);
        let chooses = matches!(new_bed.view().screen, Screen::Patients(_));
        assert_eq!(chooses, first == Live, "{role:?}: without a patient, one is chosen first");
        new_bed.intent(frame::Intent::Open(Page::Bedside));
        assert_eq!(matches!(new_bed.view().screen, Screen::Bedside(_)), first == Live, "{role:?}");
    }
}

#[test]
fn s1_a_role_that_may_not_see_patients_sees_nothing_of_them() {
    for role in [Role::It, Role::Auditor] {
        let mut bedside = bedside_of(role);
        bedside.frame(STRAP, heart_rate(72));
        assert_eq!(bedside.view().open.and_then(|open| open.patient), None);
        bedside.intent(frame::Intent::Open(Page::Devices));
        if let Screen::Devices(page) = bedside.view().screen {
            assert_eq!(role, Role::It);
            let strap = page.rows.iter().find(|row| row.id == STRAP).expect("the strap");
            assert_eq!(strap.reading.reveal(), "", "no live value");
            assert!(!strap.can_assign && !strap.can_release, "it measures a patient");
            assert!(matches!(strap.owner, Owner::ThisPatient(..)));
            let spare = page.rows.iter().find(|row| row.id == SPARE);
            assert!(spare.is_none_or(|spare| spare.can_release && !spare.can_assign));
        }
        let wave = Event::Wave { device: OXIMETER, rate_hz: 125, samples: vec![0.5; 6] };
        bedside.hardware(wave);
        assert_eq!(bedside.waves, 0);
        let listed = wardkeep_model::keeping::Outcome::Patients(bedside.store.patients.clone());
        bedside.event(wardkeep_core::kiosk::Event::Store(listed));
        assert!(!format!("{:?}", bedside.view().screen).contains("PatientRow"));
        bedside.intent(frame::Intent::Lock);
        let log = bedside.store.audit.iter().rev();
        let mine: Vec<_> = log.take_while(|entry| entry.act != AuditAct::Unlocked).collect();
        let said = mine.iter().find(|entry| entry.act == AuditAct::Locked);
        assert!(said.is_some_and(|entry| entry.subject.is_none()), "the log says so as well");
    }
    let bedside = bedside_of(Role::Nurse);
    assert!(bedside.view().open.is_some_and(|open| open.patient.is_some()));
}

#[test]
fn an_alarm_waits_for_nobodys_login() {
    let mut bedside = bedside_of(Role::Nurse);
    bedside.hardware(Event::Link(STRAP, Link::Lost));
    bedside.wait(Duration::from_secs(4));
    bedside.intent(frame::Intent::Lock);
    bedside.acknowledge();
    assert!(bedside.view().alarm.is_some_and(|strip| strip.acknowledged));
    bedside.advertise(SPARE, DeviceKind::HeartRate);
    for role in ROLES {
        bedside.store.role = role;
        bedside.unlock();
        assert!(bedside.view().alarm.is_some(), "{role:?} sees the strip as well");
        bedside.intent(frame::Intent::Lock);
    }
}
