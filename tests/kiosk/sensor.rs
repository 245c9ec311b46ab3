//! A glucose sensor: worn like a strap, and heard every few minutes only, with or without a link in between.

use std::time::Duration;

use kit::kiosk::Bedside;
use wardkeep_core::alarms::{Condition, Shown};
use wardkeep_core::kiosk::pages::devices;
use wardkeep_core::kiosk::view::{Tile, TileState};
use wardkeep_model::alarm::Priority;
use wardkeep_model::keeping::CartState;
use wardkeep_model::ports::{self, Link};
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::{Characteristic, ClockConfidence, DeviceId, DeviceKind, Value};

const SENSOR: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x51]);
const MINUTE: Duration = Duration::from_secs(60);

/// One record of 2AA7: mg/dL, and minutes since the session began.
fn record(level: u8, minutes: u8) -> Vec<u8> {
    vec![6, 0, level, 0, minutes, 0]
}

fn worn() -> Bedside {
    let mut bedside = Bedside::monitoring();
    bedside.advertise(SENSOR, DeviceKind::GlucoseSensor);
    bedside.intent(devices::Intent::Connect(SENSOR));
    link(&mut bedside, Link::Live);
    bedside.intent(devices::Intent::Assign(SENSOR));
    bedside
}

fn link(bedside: &mut Bedside, link: Link) {
    bedside.hardware(ports::Event::Link(SENSOR, link));
}

fn send(bedside: &mut Bedside, payload: Vec<u8>) {
    let (characteristic, received) = (Characteristic(0x2AA7), bedside.now());
    let device = SENSOR;
    bedside.hardware(ports::Event::Frame { device, characteristic, payload, received });
}

fn tile(bedside: &mut Bedside) -> Tile {
    bedside.unlock();
    let mut tiles = bedside.tiles().into_iter();
    tiles.find(|tile| tile.parameter == Parameter::Glucose).expect("its tile")
}

fn value(tile: &Tile) -> Option<&str> {
    tile.value.as_ref().map(|digits| digits.reveal().as_str())
}

fn alarms(bedside: &Bedside) -> Vec<(Condition, Priority)> {
    let ranked = bedside.kiosk.alarms().ranked().into_iter();
    let of_sensor = |(shown, _): &(Shown, _)| {
        matches!(
            shown.condition,
            Condition::LinkLost(SENSOR)
                | Condition::ValueLost(SENSOR)
                | Condition::NeverLinked(SENSOR)
        ) || format!("{:?}", shown.condition).contains("Glucose")
    };
    ranked.filter(of_sensor).map(|(shown, one)| (shown.condition, one.priority)).collect()
}

#[test]
fn s7_a_sensors_value_is_current_for_two_of_its_paces_with_or_without_a_link() {
    let mut bedside = worn();
    assert_eq!(tile(&mut bedside).state, TileState::Stale, "nothing came yet");
    bedside.wait(4 * MINUTE);
    assert_eq!(alarms(&bedside), [], "its first value takes as long as the others");
    send(&mut bedside, record(120, 5));
    let shown = tile(&mut bedside);
    assert_eq!((value(&shown), shown.unit), (Some("120"), "mg/dL"));
    let bounds = (shown.limit_low.as_deref(), shown.limit_high.as_deref());
    assert_eq!(bounds, (Some("70"), Some("250")), "in the unit of the value beside them");
    // It sleeps until the next one.
    link(&mut bedside, Link::Lost);
    bedside.wait(5 * MINUTE);
    assert_eq!(value(&tile(&mut bedside)), Some("120"));
    assert_eq!(alarms(&bedside), []);
    link(&mut bedside, Link::Live);
    send(&mut bedside, record(118, 10));
    assert_eq!(value(&tile(&mut bedside)), Some("118"));
    // And does not wake up again.
    link(&mut bedside, Link::Lost);
    bedside.wait(10 * MINUTE + 59 * Duration::from_secs(1));
    assert_eq!(value(&tile(&mut bedside)), Some("118"));
    bedside.wait(2 * Duration::from_secs(1));
    let shown = tile(&mut bedside);
    assert_eq!((value(&shown), shown.state), (None, TileState::LinkLost));
    let lost = alarms(&bedside);
    assert!(matches!(lost[..], [(Condition::LinkLost(SENSOR), Priority::Medium)]), "{lost:?}");
}

#[test]
fn s9_a_sensor_that_is_linked_and_silent_is_missed() {
    let mut bedside = worn();
    bedside.wait(6 * MINUTE);
    let lost = alarms(&bedside);
    assert!(matches!(lost[..], [(Condition::ValueLost(SENSOR), _)]), "{lost:?}");
}

#[test]
fn s9_what_a_sensor_finds_too_low_is_an_alarm_and_far_too_low_an_urgent_one() {
    let mut bedside = worn();
    send(&mut bedside, record(70, 5));
    assert_eq!(alarms(&bedside), [], "3.9 mmol/L is a limit, and inside");
    for (level, minutes, priority) in [(65, 10, Priority::Medium), (50, 15, Priority::High)] {
        bedside.wait(5 * MINUTE);
        send(&mut bedside, record(level, minutes));
        let alarms = alarms(&bedside);
        let priorities: Vec<_> = alarms.iter().map(|(_, priority)| *priority).collect();
        assert_eq!(priorities, [priority], "{level} mg/dL: {alarms:?}");
    }
    bedside.wait(5 * MINUTE);
    send(&mut bedside, record(110, 20));
    bedside.wait(MINUTE);
    assert_eq!(alarms(&bedside), [], "well inside for a while");
}

#[test]
fn s7_values_that_come_together_are_each_of_their_own_time() {
    let mut bedside = worn();
    bedside.wait(20 * MINUTE);
    let now = bedside.now().wall;
    let together = [record(120, 10), record(125, 15), record(131, 20)].concat();
    send(&mut bedside, together);
    assert_eq!(value(&tile(&mut bedside)), Some("131"));
    let kept = bedside.store.records.iter().filter(|one| one.device == SENSOR);
    let kept: Vec<_> = kept
        .map(|one| {
            let Value::Measured(level) = one.value.reveal() else { panic!("a value") };
            let ago = now.duration_since(one.effective).as_secs() / 60;
            (level.to_string(), ago, one.clock, one.subject.is_some())
        })
        .collect();
    use ClockConfidence::{Corrected, Live};
    let expected = [("120", 10, Corrected), ("125", 5, Corrected), ("131", 0, Live)];
    let expected = expected.map(|(level, ago, clock)| (level.to_owned(), ago, clock, true));
    assert_eq!(kept, expected);
    // What was measured before it was this patient's is nobody's by itself (S-6).
    send(&mut bedside, [record(99, 0), record(133, 25)].concat());
    let whose: Vec<_> =
        bedside.store.records.iter().rev().take(2).map(|one| one.subject.is_some()).collect();
    assert_eq!(whose, [true, false]);
}

/// S-9: limits that an earlier program kept at the bed had none for glucose.
#[test]
fn s9_a_bed_whose_limits_are_of_an_earlier_program_has_limits_for_glucose() {
    let cart = worn().store.cart.expect("a cart");
    let mut old = serde_json::to_value(&cart).expect("plain");
    let limits = &mut old["limits"]["limits"];
    assert!(
        limits.as_object_mut().is_some_and(|limits| limits.remove("glucose").is_some()),
        "{old}"
    );
    let read: CartState = serde_json::from_value(old).expect("as an earlier program wrote it");
    assert_eq!(read.limits, cart.limits);
}
