//! Whatever people, devices and the store do, in any order: the promises hold after every step.

use std::time::Duration;

use crate::bedside::{Bedside, OXIMETER, PIN, STRAP, WRONG, badge, heart_rate, oximetry, pin};
use proptest::prelude::*;
use wardkeep::bridge::intent::{Intent, Page};
use wardkeep::bridge::view::Screen;
use wardkeep::hardware::{DeviceId, DeviceKind, Event, Link};

/// Everything that can happen at a bedside.
#[derive(Clone, Debug)]
enum Op {
    Tap(u8),
    Lift,
    Pin(bool),
    Cancel,
    Lock,
    Wait(u16),
    Open(u8),
    Choose,
    Connect(bool),
    Assign(bool),
    Release(bool),
    Link(bool, u8),
    Heart(Vec<u8>),
    Oximetry(Vec<u8>),
    Acknowledge,
    StoreStalls,
    StoreAnswers,
}

fn any_op() -> impl Strategy<Value = Op> {
    let bytes = || {
        prop_oneof![
            (30_u8..200).prop_map(heart_rate),
            (60_u8..101, 30_u8..200).prop_map(|(s, p)| oximetry(s, p)),
            prop::collection::vec(any::<u8>(), 0..24),
        ]
    };
    prop_oneof![
        3 => (1_u8..3).prop_map(Op::Tap),
        1 => Just(Op::Lift),
        3 => any::<bool>().prop_map(Op::Pin),
        1 => Just(Op::Cancel),
        1 => Just(Op::Lock),
        3 => (0_u16..9000).prop_map(Op::Wait),
        1 => (0_u8..3).prop_map(Op::Open),
        2 => Just(Op::Choose),
        2 => any::<bool>().prop_map(Op::Connect),
        2 => any::<bool>().prop_map(Op::Assign),
        1 => any::<bool>().prop_map(Op::Release),
        2 => (any::<bool>(), 0_u8..3).prop_map(|(d, l)| Op::Link(d, l)),
        3 => bytes().prop_map(Op::Heart),
        3 => bytes().prop_map(Op::Oximetry),
        1 => Just(Op::Acknowledge),
        1 => Just(Op::StoreStalls),
        1 => Just(Op::StoreAnswers),
    ]
}

fn device(strap: bool) -> DeviceId {
    if strap { STRAP } else { OXIMETER }
}

fn apply(bedside: &mut Bedside, op: Op) {
    match op {
        Op::Tap(n) => bedside.hardware(Event::BadgePresented(badge(n))),
        Op::Lift => bedside.hardware(Event::BadgeRemoved),
        Op::Pin(right) => {
            let digits = if right { PIN } else { WRONG };
            bedside.intent(Intent::SubmitPin(pin(digits)));
        }
        Op::Cancel => bedside.intent(Intent::Cancel),
        Op::Lock => bedside.intent(Intent::Lock),
        Op::Wait(ms) => bedside.wait(Duration::from_millis(ms.into())),
        Op::Open(0) => bedside.intent(Intent::Open(Page::Bedside)),
        Op::Open(1) => bedside.intent(Intent::Open(Page::Devices)),
        Op::Open(_) => bedside.intent(Intent::Open(Page::Patients)),
        Op::Choose => {
            if let Screen::Patients(page) = bedside.view().screen
                && let Some(row) = page.rows.first()
            {
                bedside.intent(Intent::ChoosePatient(row.id));
            }
        }
        Op::Connect(strap) => {
            let kind = if strap { DeviceKind::HeartRate } else { DeviceKind::PulseOximeter };
            bedside.advertise(device(strap), kind);
            bedside.intent(Intent::Connect(device(strap)));
        }
        Op::Assign(strap) => bedside.intent(Intent::Assign(device(strap))),
        Op::Release(strap) => bedside.intent(Intent::Release(device(strap))),
        Op::Link(strap, state) => {
            let link = match state {
                0 => Link::Connecting,
                1 => Link::Live,
                _ => Link::Lost,
            };
            bedside.hardware(Event::Link(device(strap), link));
        }
        Op::Heart(bytes) => bedside.frame(STRAP, bytes),
        Op::Oximetry(bytes) => bedside.frame(OXIMETER, bytes),
        Op::Acknowledge => bedside.intent(Intent::AcknowledgeAlarms),
        Op::StoreStalls => bedside.prompt_store = false,
        Op::StoreAnswers => {
            bedside.prompt_store = true;
            bedside.deliver();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// S-1, S-6 and S-7 after every step of any shift.
    #[test]
    fn s1_s6_s7_hold_whatever_happens(ops in prop::collection::vec(any_op(), 1..80)) {
        let mut bedside = Bedside::monitoring();
        for op in ops {
            let recorded = bedside.store.records.len();
            let known = bedside.store.cart.clone().unwrap_or_default();
            apply(&mut bedside, op);
            let view = bedside.view();
            // S-1: patient data is on the screen only while the vault is open.
            prop_assert!(view.open.is_none() || bedside.store.vault_open);
            prop_assert_eq!(view.open.is_some(), bedside.kiosk.is_open());
            let locked = matches!(view.screen, Screen::Lock(_) | Screen::Pin(_));
            prop_assert_eq!(view.open.is_none(), locked);
            // S-6: whoever a value is filed to was assigned that device before the step began.
            for record in &bedside.store.records[recorded..] {
                if let Some(subject) = record.subject {
                    let assigned = known.devices.iter().any(|d| {
                        d.id == record.device
                            && d.assignment.is_some_and(|a| {
                                a.subject == subject
                                    && a.since <= record.received
                                    && record.received < a.until
                            })
                    });
                    prop_assert!(assigned, "{:?} was not assigned", record.device);
                }
            }
            // S-7: a number on the screen is young, and its device is assigned.
            if let Screen::Bedside(page) = &view.screen {
                for tile in &page.tiles {
                    if tile.value.is_some() {
                        prop_assert!(tile.age.is_some_and(|age| age < Duration::from_secs(4)));
                        prop_assert!(!tile.source.is_empty());
                    }
                }
            }
            // Deadlines never lie in the past, so the shell never spins.
            prop_assert!(bedside.kiosk.next_deadline(bedside.now) > bedside.now.boot);
        }
    }
}
