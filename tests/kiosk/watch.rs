//! A store that cannot be opened at start: never a dead monitor, and nothing of it is filed.

use std::time::Duration;

use kit::kiosk::{Bedside, OXIMETER, STRAP, badge, heart_rate, numbers, oximetry};
use proptest::prelude::*;
use wardkeep_core::alarms::AlarmText;
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::devices;
use wardkeep_core::kiosk::view::records::{Trouble, Watch};
use wardkeep_core::kiosk::view::{DeviceRow, Owner, Screen, Tile};
use wardkeep_core::kiosk::{frame, login, trouble};
use wardkeep_model::alarm::Priority;
use wardkeep_model::keeping::{CartState, Found, Outcome, StoreFault};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{Command, Event, Link};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

const SECOND: Duration = Duration::from_secs(1);
const SPARE: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x03]);

fn trouble(bedside: &Bedside) -> Trouble {
    let screen = bedside.view().screen;
    let Screen::Trouble(trouble) = screen else { panic!("expected trouble, got {screen:?}") };
    trouble
}

fn watched(bedside: &Bedside) -> (Vec<Tile>, Vec<DeviceRow>) {
    let watch = trouble(bedside).watch;
    let Watch::Unknown { tiles, rows, .. } = watch else { panic!("nobody is watched: {watch:?}") };
    (tiles, rows)
}

fn has_alarm(bedside: &Bedside, wanted: &AlarmText) -> bool {
    bedside.view().alarm.is_some_and(|strip| strip.text == *wanted)
}

/// The cart of a bed that was monitored, and the core that finds only that.
fn broken() -> Bedside {
    let cart = Bedside::monitoring().store.cart.expect("a saved cart");
    let found = Found::Broken(StoreFault::Damaged, Box::new(cart));
    let mut bedside = Bedside::answering(Outcome::Found(found));
    bedside.told(Outcome::Fault(StoreFault::Damaged));
    for id in [STRAP, OXIMETER] {
        bedside.hardware(Event::Link(id, Link::Live));
    }
    bedside
}

/// Nothing opens; one oximeter is near.
fn worst() -> Bedside {
    let mut bedside = Bedside::answering(Outcome::Fault(StoreFault::Damaged));
    bedside.advertise(OXIMETER, DeviceKind::PulseOximeter);
    bedside
}

fn watching() -> Bedside {
    let mut bedside = worst();
    bedside.intent(trouble::Intent::BeginWatch);
    bedside.intent(trouble::Intent::Connect(OXIMETER));
    bedside.hardware(Event::Link(OXIMETER, Link::Live));
    bedside.frame(OXIMETER, oximetry(97, 71));
    bedside
}

#[test]
fn s2_a_broken_store_leaves_links_values_limits_and_alarms_as_they_were() {
    let mut bedside = broken();
    assert_eq!(bedside.radio.len(), 2, "both devices are connected again");
    bedside.frame(STRAP, heart_rate(72));
    bedside.frame(OXIMETER, oximetry(97, 71));
    let page = trouble(&bedside);
    assert_eq!(page.fault, StoreFault::Damaged);
    let Watch::Bed(tiles) = page.watch else { panic!("the bed is not shown") };
    assert_eq!(numbers(&tiles), ["72", "97", "71"].map(|digits| Some(digits.to_owned())));
    assert!(has_alarm(&bedside, &AlarmText::NotRecording));
    assert!(bedside.kiosk.sound(bedside.now()).is_some_and(|s| s.priority == Priority::Medium));
    bedside.acknowledge();
    for _ in 0..12 {
        bedside.frame(OXIMETER, oximetry(79, 71));
        bedside.wait(SECOND);
    }
    let strip = bedside.view().alarm.expect("an alarm");
    assert_eq!(strip.priority, Priority::High);
    assert!(matches!(strip.text, AlarmText::Low(one) if one.value == "79"));
    // What is measured goes to the store, which keeps as much of it as it can, still assigned (S-6).
    assert!(bedside.store.records.iter().all(|record| record.subject.is_some()));
    assert!(!bedside.store.records.is_empty());
}

#[test]
fn s2_a_vault_that_alone_does_not_open_leaves_recording_as_it_was() {
    let cart = Bedside::monitoring().store.cart.expect("a saved cart");
    let found = Found::Broken(StoreFault::Damaged, Box::new(cart));
    let mut bedside = Bedside::answering(Outcome::Found(found));
    for id in [STRAP, OXIMETER] {
        bedside.hardware(Event::Link(id, Link::Live));
    }
    bedside.frame(STRAP, heart_rate(72));
    bedside.frame(OXIMETER, oximetry(97, 71));
    assert!(trouble(&bedside).records && bedside.view().alarm.is_none());
    bedside.told(Outcome::Fault(StoreFault::Full));
    assert!(!trouble(&bedside).records && has_alarm(&bedside, &AlarmText::NotRecording));
    bedside.told(Outcome::Recovered);
    assert!(trouble(&bedside).records && bedside.view().alarm.is_none());
}

#[test]
fn s1_nobody_gets_in_while_the_store_is_broken_and_everybody_is_told() {
    for mut bedside in [broken(), worst(), watching()] {
        bedside.hardware(Event::BadgePresented(badge(1)));
        assert_eq!(bedside.notice(), Some(Notice::StoreBroken));
        bedside.type_pin(kit::kiosk::PIN);
        bedside.intent(login::Intent::BeginEmergency);
        bedside.intent(frame::Intent::Open(Page::Bedside));
        trouble(&bedside);
        assert!(bedside.view().open.is_none() && !bedside.store.vault_open);
        bedside.insert(1);
        assert_eq!(bedside.notice(), Some(Notice::StoreBroken));
    }
}

#[test]
fn s2_a_broken_store_that_opens_again_changes_nothing_at_the_bed() {
    let mut bedside = broken();
    bedside.frame(STRAP, heart_rate(72));
    let cart = Bedside::monitoring().store.cart.expect("a saved cart");
    let commanded = bedside.radio.len();
    bedside.told(Outcome::Found(Found::Broken(StoreFault::Io, Box::new(cart.clone()))));
    assert_eq!(trouble(&bedside).fault, StoreFault::Io);
    bedside.told(Outcome::Recovered);
    bedside.told(Outcome::Found(Found::Store(Box::new(cart))));
    assert!(bedside.is_lock_screen() && bedside.view().alarm.is_none());
    assert_eq!(bedside.notice(), Some(Notice::StoreBack));
    assert_eq!(bedside.radio.len(), commanded, "no link was touched");
    bedside.unlock();
    assert_eq!(bedside.numbers()[0], Some("72".to_owned()));
}

#[test]
fn s6_a_store_of_another_time_that_takes_its_place_takes_its_devices_and_no_values() {
    let mut bedside = broken();
    bedside.frame(STRAP, heart_rate(72));
    bedside.told(Outcome::Found(Found::Store(Box::default())));
    assert!(bedside.is_lock_screen());
    for id in [STRAP, OXIMETER] {
        assert!(bedside.radio.contains(&Command::Disconnect(id)));
    }
    let recorded = bedside.store.records.len();
    bedside.frame(STRAP, heart_rate(73));
    assert!(bedside.store.records[recorded..].iter().all(|record| record.subject.is_none()));
}

#[test]
fn s2_a_store_that_is_put_aside_begins_anew_with_the_bed_still_monitored() {
    let mut bedside = broken();
    bedside.told(Outcome::Found(Found::Nothing));
    assert!(matches!(bedside.view().screen, Screen::FirstStart(_)));
    for _ in 0..12 {
        bedside.frame(OXIMETER, oximetry(79, 71));
        bedside.wait(SECOND);
    }
    assert!(bedside.view().alarm.is_some_and(|strip| strip.priority == Priority::High));
}

#[test]
fn the_store_is_asked_to_look_again_every_few_seconds() {
    for mut bedside in [broken(), worst()] {
        let before = bedside.store.retries;
        bedside.wait(16 * SECOND);
        assert_eq!(bedside.store.retries - before, 3);
    }
}

#[test]
fn monitoring_without_records_is_offered_only_where_nobody_could_be_mistaken() {
    let offered = |bedside: &Bedside| trouble(bedside).watch == Watch::Nothing { offered: true };
    assert!(offered(&worst()));
    let nobody = Found::Broken(StoreFault::Damaged, Box::default());
    assert!(offered(&Bedside::answering(Outcome::Found(nobody))));
    // The other instance has the radio, and the bed that is monitored is somebody's.
    for mut bedside in [Bedside::answering(Outcome::Fault(StoreFault::InUse)), broken()] {
        assert!(!offered(&bedside));
        let before = bedside.view().screen;
        bedside.intent(trouble::Intent::BeginWatch);
        assert_eq!(bedside.view().screen, before);
    }
    for mut bedside in [Bedside::locked(), Bedside::monitoring(), Bedside::on_a_new_machine()] {
        let before = bedside.view();
        bedside.intent(trouble::Intent::BeginWatch);
        assert_eq!(bedside.view(), before);
    }
}

#[test]
fn s6_watched_values_are_shown_with_alarms_and_nothing_is_recorded() {
    let mut bedside = watching();
    let (tiles, rows) = watched(&bedside);
    assert_eq!(numbers(&tiles), [None, Some("97".into()), Some("71".into())]);
    let row = rows.first().expect("its row");
    assert_eq!((row.owner, row.can_release, row.can_assign), (Owner::Unknown, true, false));
    assert_eq!(row.reading.reveal(), "97 %");
    for _ in 0..12 {
        bedside.frame(OXIMETER, oximetry(79, 71));
        bedside.wait(SECOND);
    }
    assert!(bedside.view().alarm.is_some_and(|strip| strip.priority == Priority::High));
    // Finger out, and the link lost.
    bedside.frame(OXIMETER, vec![0x00, 0xFF, 0x07, 0xFF, 0x07]);
    assert_eq!(numbers(&watched(&bedside).0), [None, None, None]);
    bedside.hardware(Event::Link(OXIMETER, Link::Lost));
    bedside.acknowledge();
    bedside.wait(4 * SECOND);
    assert!(bedside.view().alarm.is_some_and(|s| matches!(s.text, AlarmText::LinkLost { .. })));
    assert!(bedside.store.records.is_empty() && bedside.store.cart.is_none());
    assert_eq!(bedside.waves, 0);
}

#[test]
fn one_device_of_a_kind_is_watched_and_can_be_let_go() {
    let mut bedside = watching();
    bedside.advertise(SPARE, DeviceKind::PulseOximeter);
    let spare = |bedside: &Bedside| {
        watched(bedside).1.into_iter().find(|row| row.id == SPARE).expect("its row")
    };
    assert!(!spare(&bedside).can_connect);
    bedside.intent(trouble::Intent::Connect(SPARE));
    assert!(!bedside.radio.iter().any(|c| matches!(c, Command::Connect(SPARE, _))));
    bedside.intent(trouble::Intent::Release(OXIMETER));
    assert!(bedside.radio.contains(&Command::Disconnect(OXIMETER)));
    assert!(watched(&bedside).0.is_empty());
    assert!(spare(&bedside).can_connect);
    bedside.intent(trouble::Intent::Connect(SPARE));
    assert!(bedside.radio.iter().any(|c| matches!(c, Command::Connect(SPARE, _))));
}

#[test]
fn leaving_the_watch_lets_every_device_go_and_shows_nothing_any_more() {
    let mut bedside = watching();
    bedside.intent(trouble::Intent::EndWatch);
    assert_eq!(trouble(&bedside).watch, Watch::Nothing { offered: true });
    assert!(bedside.radio.contains(&Command::Disconnect(OXIMETER)));
    bedside.acknowledge();
    bedside.wait(30 * SECOND);
    assert!(bedside.view().alarm.is_some_and(|strip| strip.text == AlarmText::NotRecording));
    bedside.intent(trouble::Intent::BeginWatch);
    assert!(watched(&bedside).0.is_empty(), "nothing is left of the last one");
}

#[test]
fn s9_a_watch_that_the_stores_return_ends_is_called_out() {
    let ends: [Found; 3] = [
        Found::Store(Box::default()),
        Found::Nothing,
        Found::Broken(StoreFault::Damaged, Box::default()),
    ];
    for found in ends {
        let mut bedside = watching();
        bedside.acknowledge();
        bedside.told(Outcome::Found(found.clone()));
        let screen = bedside.view().screen;
        assert!(!matches!(&screen, Screen::Trouble(Trouble { watch: Watch::Unknown { .. }, .. })));
        assert!(bedside.radio.contains(&Command::Disconnect(OXIMETER)), "{found:?}");
        assert!(has_alarm(&bedside, &AlarmText::WatchEnded), "{found:?}");
        bedside.wait(60 * SECOND);
        assert!(has_alarm(&bedside, &AlarmText::WatchEnded), "{found:?}: until it is seen");
        bedside.acknowledge();
        bedside.wait(SECOND);
        assert!(!has_alarm(&bedside, &AlarmText::WatchEnded), "{found:?}");
        bedside.frame(OXIMETER, oximetry(96, 70));
        assert!(bedside.store.records.iter().all(|record| record.subject.is_none()));
    }
}

#[test]
fn s6_a_store_that_is_found_late_keeps_its_own_cart() {
    let mut bedside = watching();
    bedside.intent(frame::Intent::SetLanguage(Language::German));
    assert_eq!(bedside.store.cart, None, "an empty cart would have taken the kept one's place");
    let cart = CartState { language: "en".into(), ..CartState::default() };
    bedside.told(Outcome::Found(Found::Store(Box::new(cart))));
    assert_eq!(bedside.view().language, Language::English);
    assert_eq!(bedside.store.cart, None);
}

/// Whatever can happen around a store that does not open.
#[derive(Clone, Debug)]
enum Op {
    Begin,
    End,
    Connect(bool),
    Release(bool),
    Assign(bool),
    Link(bool, bool),
    Heart(u8),
    Oximetry(u8),
    Wave,
    Tap,
    Pin,
    Emergency,
    Open,
    Acknowledge,
    Again(bool),
    Wait(u16),
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => Just(Op::Begin),
        1 => Just(Op::End),
        4 => any::<bool>().prop_map(Op::Connect),
        1 => any::<bool>().prop_map(Op::Release),
        1 => any::<bool>().prop_map(Op::Assign),
        3 => (any::<bool>(), any::<bool>()).prop_map(|(strap, live)| Op::Link(strap, live)),
        3 => (30_u8..200).prop_map(Op::Heart),
        3 => (60_u8..101).prop_map(Op::Oximetry),
        1 => Just(Op::Wave),
        1 => Just(Op::Tap),
        1 => Just(Op::Pin),
        1 => Just(Op::Emergency),
        1 => Just(Op::Open),
        1 => Just(Op::Acknowledge),
        1 => any::<bool>().prop_map(Op::Again),
        2 => (0_u16..9000).prop_map(Op::Wait),
    ]
}

fn apply(bedside: &mut Bedside, op: &Op) {
    let device = |strap: &bool| if *strap { STRAP } else { OXIMETER };
    match op {
        Op::Begin => bedside.intent(trouble::Intent::BeginWatch),
        Op::End => bedside.intent(trouble::Intent::EndWatch),
        Op::Connect(strap) => {
            let kind = if *strap { DeviceKind::HeartRate } else { DeviceKind::PulseOximeter };
            bedside.advertise(device(strap), kind);
            bedside.intent(trouble::Intent::Connect(device(strap)));
        }
        Op::Release(strap) => bedside.intent(trouble::Intent::Release(device(strap))),
        Op::Assign(strap) => bedside.intent(devices::Intent::Assign(device(strap))),
        Op::Link(strap, live) => {
            let link = if *live { Link::Live } else { Link::Lost };
            bedside.hardware(Event::Link(device(strap), link));
        }
        Op::Heart(rate) => bedside.frame(STRAP, heart_rate(*rate)),
        Op::Oximetry(spo2) => bedside.frame(OXIMETER, oximetry(*spo2, 70)),
        Op::Wave => {
            let (rate_hz, samples) = (125, vec![0.5; 6]);
            bedside.hardware(Event::Wave { device: OXIMETER, rate_hz, samples });
        }
        Op::Tap => bedside.tap(1),
        Op::Pin => bedside.type_pin(kit::kiosk::PIN),
        Op::Emergency => bedside.intent(login::Intent::BeginEmergency),
        Op::Open => bedside.intent(frame::Intent::Open(Page::Bedside)),
        Op::Acknowledge => bedside.acknowledge(),
        Op::Again(full) => {
            let fault = if *full { StoreFault::Full } else { StoreFault::Damaged };
            bedside.told(Outcome::Fault(fault));
        }
        Op::Wait(ms) => bedside.wait(Duration::from_millis((*ms).into())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// S-1 and S-6 while nothing opens: nobody gets in, nobody's cart is written, nothing is filed.
    #[test]
    fn s1_s6_s7_hold_while_no_store_opens(ops in prop::collection::vec(any_op(), 1..60)) {
        let mut bedside = worst();
        for op in ops {
            apply(&mut bedside, &op);
            let view = bedside.view();
            prop_assert!(view.open.is_none());
            let Screen::Trouble(page) = &view.screen else { panic!("{:?}", view.screen) };
            prop_assert!(bedside.store.cart.is_none() && !bedside.store.vault_open);
            prop_assert!(bedside.store.records.iter().all(|record| record.subject.is_none()));
            prop_assert_eq!(bedside.waves, 0);
            if let Watch::Unknown { tiles, .. } = &page.watch {
                for tile in tiles.iter().filter(|tile| tile.value.is_some()) {
                    prop_assert!(tile.age.is_some_and(|age| age < Duration::from_secs(4)));
                    prop_assert!(!tile.source.is_empty());
                }
            } else {
                let nothing = matches!(page.watch, Watch::Nothing { .. });
                prop_assert!(nothing);
            }
            prop_assert!(bedside.kiosk.next_deadline(bedside.now()) > bedside.now().boot);
        }
    }
}
