//! The emergency view: one factor, a reason, this bed, a quarter of an hour.

use std::time::Duration;

use kit::kiosk::{Bedside, OXIMETER, STRAP, badge, heart_rate, numbers, oximetry};
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::{account, devices, patients};
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::access::{Emergency, EmergencyPage};
use wardkeep_core::kiosk::{frame, login};
use wardkeep_model::access::policy::Policy;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::emergency::{EMERGENCY_MAX, EmergencyReason, PastNumeric};
use wardkeep_model::keeping::{AuditAct, EmergencyRefusal, StoreFault};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::Event;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, Mdc, PULSE_RATE_OXIMETER, SPO2, Unit};

const SECOND: Duration = Duration::from_secs(1);

/// Locked, with a monitored patient at the bed and an emergency card.
fn locked_at_the_bed() -> Bedside {
    let mut bedside = Bedside::monitoring();
    bedside.intent(frame::Intent::Lock);
    bedside.store.write_emergency_card(bedside.now().wall);
    bedside
}

fn opened() -> Bedside {
    let mut bedside = locked_at_the_bed();
    bedside.intent(login::Intent::BeginEmergency);
    bedside.tap(1);
    bedside.choose_reason();
    bedside
}

fn step(bedside: &Bedside) -> Option<Emergency> {
    let Screen::Emergency(step) = bedside.view().screen else { return None };
    Some(step)
}

fn page(bedside: &Bedside) -> EmergencyPage {
    match step(bedside) {
        Some(Emergency::Open(page)) => *page,
        other => panic!("expected the open emergency view, got {other:?}"),
    }
}

fn is_open(bedside: &Bedside) -> bool {
    matches!(step(bedside), Some(Emergency::Open(_)))
}

fn ended(bedside: &Bedside) -> usize {
    let ends = |act| act == AuditAct::EmergencyEnded;
    bedside.store.audit.iter().filter(|entry| ends(entry.act)).count()
}

#[test]
fn one_factor_and_a_reason_show_the_patient_at_this_bed() {
    let mut bedside = locked_at_the_bed();
    bedside.intent(login::Intent::BeginEmergency);
    assert!(matches!(step(&bedside), Some(Emergency::Token { .. })));
    bedside.tap(1);
    bedside.prompt_store = false;
    let reasons = EmergencyReason::ALL.to_vec();
    let waiting = Emergency::Reason { reasons: reasons.clone(), busy: false };
    assert_eq!(step(&bedside), Some(waiting));
    bedside.choose_reason();
    assert_eq!(step(&bedside), Some(Emergency::Reason { reasons, busy: true }));
    bedside.prompt_store = true;
    bedside.deliver();
    bedside.frame(STRAP, heart_rate(141));
    bedside.frame(OXIMETER, oximetry(84, 140));
    let page = page(&bedside);
    assert_eq!(page.patient.family.reveal(), "Okonkwo-Brandt");
    assert_eq!(page.allergies.reveal(), "Penicillin");
    assert_eq!(numbers(&page.tiles), ["141", "84", "140"].map(|digits| Some(digits.to_owned())));
    assert_eq!(page.seconds_left, 900);
    assert!(bedside.view().open.is_none() && !bedside.store.vault_open, "nobody is logged in");
}

#[test]
fn past_values_are_one_row_a_minute_newest_first() {
    let mut bedside = locked_at_the_bed();
    let numeric = |mdc: Mdc, value: i64, unit, at: &str| PastNumeric {
        mdc,
        value: Phi::new(value.into()),
        unit,
        at: at.parse().expect("a timestamp"),
    };
    let card = bedside.store.emergency.as_mut().expect("an emergency card");
    card.numerics = vec![
        numeric(PULSE_RATE_OXIMETER, 88, Unit::PerMinute, "2026-11-22T14:10:02Z"),
        numeric(SPO2, 95, Unit::Percent, "2026-11-22T14:10:40Z"),
        numeric(PULSE_RATE_OXIMETER, 90, Unit::PerMinute, "2026-11-22T14:11:01Z"),
        numeric(HEART_RATE, 91, Unit::PerMinute, "2026-11-22T14:11:01Z"),
        numeric(Mdc(1), 5, Unit::Percent, "2026-11-22T14:11:01Z"),
        numeric(SPO2, 93, Unit::Percent, "2026-11-22T14:31:59Z"),
    ];
    bedside.intent(login::Intent::BeginEmergency);
    bedside.tap(1);
    bedside.choose_reason();
    let rows = page(&bedside).past;
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row.at.to_string(), row.rate.reveal().as_str(), row.spo2.reveal().as_str()))
        .collect();
    assert_eq!(
        shown,
        [("14:31".into(), "", "93"), ("14:11".into(), "91", ""), ("14:10".into(), "88", "95")]
    );
}

#[test]
fn s1_the_emergency_view_closes_after_a_quarter_of_an_hour_however_often_it_is_touched() {
    let mut bedside = opened();
    let end = bedside.now().boot + EMERGENCY_MAX;
    while bedside.now().boot < end {
        assert!(is_open(&bedside));
        assert_eq!(page(&bedside).seconds_left, end.since(bedside.now().boot).as_secs());
        bedside.wait(10 * SECOND);
        bedside.intent(frame::Intent::Activity);
    }
    assert!(bedside.is_lock_screen());
    assert_eq!(bedside.view().notice, Some(Notice::EmergencyOver));
    assert_eq!(ended(&bedside), 1);
    assert!(!format!("{:?}", bedside.view()).contains("Emergency("));
}

#[test]
fn s1_every_way_out_of_the_emergency_view_hides_the_patient_and_is_logged() {
    type Act = fn(&mut Bedside);
    let leave: [(&str, Act, bool); 6] = [
        ("lock", |b| b.intent(frame::Intent::Lock), false),
        ("cancel", |b| b.intent(frame::Intent::Cancel), false),
        ("another badge", |b| b.tap(2), true),
        (
            "the same badge later",
            |b| {
                b.wait(4 * SECOND);
                b.tap(1);
            },
            true,
        ),
        ("a card", |b| b.insert(1), true),
        (
            "the badge that was laid down is taken",
            |b| {
                b.intent(frame::Intent::Cancel);
                b.intent(login::Intent::BeginEmergency);
                b.hardware(Event::BadgePresented(badge(1)));
                b.choose_reason();
                assert!(is_open(b));
                b.wait(4 * SECOND);
                b.hardware(Event::BadgeRemoved);
            },
            false,
        ),
    ];
    for (how, act, prompts) in leave {
        let mut bedside = opened();
        assert!(is_open(&bedside), "{how}");
        act(&mut bedside);
        let view = bedside.view();
        assert_eq!(matches!(view.screen, Screen::Pin(_)), prompts, "{how}");
        assert_eq!(bedside.is_lock_screen(), !prompts, "{how}");
        assert!(ended(&bedside) >= 1, "{how}");
        if prompts {
            bedside.type_pin(kit::kiosk::PIN);
            assert!(bedside.view().open.is_some(), "{how}: a login goes on from there");
        }
    }
}

#[test]
fn a_tap_that_bounces_does_not_end_it() {
    let mut bedside = opened();
    bedside.wait(SECOND);
    bedside.tap(1);
    assert!(is_open(&bedside));
}

#[test]
fn s1_nothing_but_looking_is_possible_in_the_emergency_view() {
    let mut bedside = opened();
    let (cart, audited) = (bedside.store.cart.clone(), bedside.store.audit.len());
    for intent in [
        Intent::Frame(frame::Intent::Open(Page::Bedside)),
        Intent::Frame(frame::Intent::Open(Page::Patients)),
        Intent::Frame(frame::Intent::Open(Page::Devices)),
        Intent::Frame(frame::Intent::Open(Page::People)),
        Intent::Frame(frame::Intent::Open(Page::Audit)),
        Intent::Frame(frame::Intent::Open(Page::Account)),
        Intent::Devices(devices::Intent::Release(STRAP)),
        Intent::Devices(devices::Intent::Assign(STRAP)),
        Intent::Devices(devices::Intent::Connect(STRAP)),
        Intent::Patients(patients::Intent::Add(PatientForm {
            family: Phi::new("Aydin".into()),
            given: Phi::new("Cem".into()),
            ..PatientForm::default()
        })),
        Intent::Patients(patients::Intent::Choose(SubjectId(1))),
        Intent::Account(account::Intent::ChangePin),
        Intent::Login(login::Intent::BeginEmergency),
        Intent::Login(login::Intent::ChooseReason(EmergencyReason::FactorFailed)),
    ] {
        bedside.intent(intent.clone());
        assert!(is_open(&bedside), "{intent:?}");
    }
    assert_eq!(bedside.store.cart, cart);
    assert_eq!(bedside.store.audit.len(), audited);
    assert!(bedside.store.patients.len() == 1 && !bedside.store.vault_open);
}

#[test]
fn s6_a_card_of_another_patient_is_never_shown() {
    let mut bedside = locked_at_the_bed();
    let card = bedside.store.emergency.as_mut().expect("an emergency card");
    card.patient.id = SubjectId(77);
    bedside.intent(login::Intent::BeginEmergency);
    bedside.tap(1);
    bedside.choose_reason();
    assert!(bedside.is_lock_screen());
    assert_eq!(bedside.view().notice, Some(Notice::EmergencyNothing));
    assert_eq!(ended(&bedside), 1, "the store logged that it was opened");
}

#[test]
fn s1_a_card_that_comes_too_late_is_shown_to_nobody() {
    let mut bedside = locked_at_the_bed();
    bedside.intent(login::Intent::BeginEmergency);
    bedside.tap(1);
    bedside.prompt_store = false;
    bedside.choose_reason();
    bedside.intent(frame::Intent::Cancel);
    bedside.intent(login::Intent::BeginEmergency);
    bedside.tap(1);
    bedside.choose_reason();
    let late = bedside.answers.remove(0);
    bedside.event(wardkeep_core::kiosk::Event::Store(late));
    assert!(!is_open(&bedside), "it answers the question that was abandoned");
    assert_eq!(ended(&bedside), 1);
    bedside.prompt_store = true;
    bedside.deliver();
    assert!(is_open(&bedside), "and this one the question that was asked");
}

#[test]
fn refusals_of_the_emergency_view_say_why() {
    for (refusal, said) in [
        (EmergencyRefusal::Off, Notice::NotAllowed),
        (EmergencyRefusal::NotAllowed, Notice::NotAllowed),
        (EmergencyRefusal::Unknown, Notice::EmergencyUnknown),
        (EmergencyRefusal::Nothing, Notice::EmergencyNothing),
        (EmergencyRefusal::Wait(60 * SECOND), Notice::TryLater),
        (EmergencyRefusal::Damaged(StoreFault::Io), Notice::VaultDamaged),
    ] {
        let mut bedside = locked_at_the_bed();
        bedside.store.emergency = Err(refusal);
        bedside.intent(login::Intent::BeginEmergency);
        bedside.tap(1);
        bedside.choose_reason();
        assert!(bedside.is_lock_screen(), "{refusal:?}");
        assert_eq!(bedside.view().notice, Some(said));
        assert_eq!(ended(&bedside), 0);
    }
}

#[test]
fn the_steps_before_it_are_bounded_as_well() {
    let mut bedside = locked_at_the_bed();
    bedside.intent(login::Intent::BeginEmergency);
    for _ in 0..6 {
        bedside.wait(4 * SECOND);
        bedside.intent(frame::Intent::Activity);
    }
    assert!(step(&bedside).is_some());
    bedside.wait(6 * SECOND);
    assert!(bedside.is_lock_screen(), "30 s for a token");
    assert_eq!(bedside.view().notice, Some(Notice::EmergencyOver));
    bedside.intent(login::Intent::BeginEmergency);
    bedside.tap(1);
    bedside.wait(30 * SECOND);
    assert!(bedside.is_lock_screen(), "30 s for a reason");
}

#[test]
fn a_site_can_switch_it_off_and_an_open_session_has_no_use_for_it() {
    let mut off = Bedside::under(Policy { emergency: false, ..Policy::default() });
    off.intent(login::Intent::BeginEmergency);
    assert!(off.is_lock_screen());
    assert_eq!(off.view().notice, Some(Notice::NotAllowed));
    let mut open = Bedside::monitoring();
    open.intent(login::Intent::BeginEmergency);
    assert!(open.view().open.is_some() && step(&open).is_none());
    let mut cards_only = Bedside::under(Policy { badge_pin: false, ..Policy::default() });
    cards_only.intent(login::Intent::BeginEmergency);
    cards_only.tap(1);
    assert!(matches!(step(&cards_only), Some(Emergency::Token { .. })));
    assert_eq!(cards_only.view().notice, Some(Notice::CardWanted));
}
