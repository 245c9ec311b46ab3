//! The simulated ward behaves as readers, radio and devices do: links come, break and come back,
//! badges are seen as they are held, and one seed gives one story.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for the events it names")]

use std::time::Duration;

use kit::clock::Clock;
use wardkeep_model::ports::{
    BadgeFault, Command, Event, FactorEvent, Link, PairingAnswer, PairingFault, PairingStep,
    Passkey, RadioHealth, ReaderHealth, ReaderKind, Want, WriteFault,
};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};
use wardkeep_sim::physiology::State;
use wardkeep_sim::ward::{BADGES, Knob, OXIMETER_A, OXIMETER_B, STRAP, TAP, Ward};

/// A ward and its clock, stepped as the driver does.
struct Bench {
    ward: Ward,
    clock: Clock,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::running_for(Duration::from_secs(100));
        Self { ward: Ward::new(42), clock }
    }

    fn run(&mut self, length: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..length.as_millis() / 50 {
            self.clock.wait(Duration::from_millis(50));
            events.extend(self.ward.step(self.clock.now()));
        }
        events
    }

    fn seconds(&mut self, seconds: u64) -> Vec<Event> {
        self.run(Duration::from_secs(seconds))
    }

    fn turn(&mut self, knob: Knob) {
        self.ward.turn(self.clock.now(), knob);
    }

    fn connect(&mut self, id: DeviceId) {
        let kind = if id == STRAP { DeviceKind::HeartRate } else { DeviceKind::PulseOximeter };
        self.ward.handle(Command::Connect(id, Want::of(kind)));
    }
}

fn links(events: &[Event], id: DeviceId) -> Vec<Link> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Link(device, link) if *device == id => Some(*link),
            _ => None,
        })
        .collect()
}

fn frames(events: &[Event], id: DeviceId, number: u16) -> Vec<Vec<u8>> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Frame { device, characteristic, payload, .. }
                if *device == id && characteristic.0 == number =>
            {
                Some(payload.clone())
            }
            _ => None,
        })
        .collect()
}

fn seen(events: &[Event], id: DeviceId) -> Vec<(String, DeviceKind, i16)> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Seen { device, name, kind, rssi } if *device == id => {
                Some((name.clone(), *kind, *rssi))
            }
            _ => None,
        })
        .collect()
}

/// What the badge reader said, in short words.
fn reader(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::BadgePresented(badge) => {
                let owner = BADGES.iter().position(|card| card.badge() == *badge);
                Some(format!("badge {}", owner.expect("a badge of the bench")))
            }
            Event::BadgeRemoved => Some("removed".into()),
            Event::BadgeUnreadable(BadgeFault::Two) => Some("two".into()),
            Event::BadgeUnreadable(BadgeFault::LeftTooSoon) => Some("too soon".into()),
            Event::Reader(ReaderKind::Badge, ReaderHealth::Ready) => Some("ready".into()),
            Event::Reader(ReaderKind::Badge, ReaderHealth::NotFitted) => Some("not fitted".into()),
            _ => None,
        })
        .collect()
}

#[test]
fn it_starts_with_a_health_report_and_the_devices_on_the_cart() {
    let mut bench = Bench::new();
    let events = bench.seconds(5);
    assert_eq!(reader(&events), ["ready"]);
    let readers = [ReaderKind::Badge, ReaderKind::SmartCard, ReaderKind::Finger];
    for (event, kind) in events.iter().zip(readers) {
        assert!(matches!(event, Event::Reader(told, ReaderHealth::Ready) if *told == kind));
    }
    assert!(matches!(events.get(3), Some(Event::Factor(FactorEvent::Sensor(Some(_))))));
    assert!(matches!(events.get(4), Some(Event::Radio(RadioHealth::Ready))));
    for (id, advertisements) in [(STRAP, 5), (OXIMETER_A, 5), (OXIMETER_B, 0)] {
        assert_eq!(seen(&events, id).len(), advertisements, "{id}");
    }
    assert!(seen(&events, STRAP).iter().all(|(_, _, rssi)| (-60..=-40).contains(rssi)));
}

#[test]
fn a_wanted_device_goes_live_and_sends_every_second() {
    let mut bench = Bench::new();
    bench.seconds(1);
    bench.connect(OXIMETER_A);
    bench.connect(OXIMETER_A);
    let events = bench.seconds(11);
    assert_eq!(links(&events, OXIMETER_A), [Link::Connecting, Link::Live]);
    assert_eq!(frames(&events, OXIMETER_A, 0x2A19), [[86]]);
    assert!((9..=11).contains(&frames(&events, OXIMETER_A, 0x2A5F).len()));
    let samples: usize = events
        .iter()
        .map(|event| match event {
            Event::Wave { device, rate_hz: 125, samples } if *device == OXIMETER_A => samples.len(),
            _ => 0,
        })
        .sum();
    assert!((1_200..=1_300).contains(&samples), "{samples}");
    // A linked device does not advertise; nobody asked for the strap.
    assert!(seen(&events, OXIMETER_A).len() <= 2);
    assert!(frames(&events, STRAP, 0x2A37).is_empty());
}

#[test]
fn a_device_carried_away_is_lost_gone_and_comes_back_by_itself() {
    let mut bench = Bench::new();
    bench.connect(STRAP);
    bench.seconds(3);
    bench.turn(Knob::MoveFar(STRAP));
    let silence = bench.run(Duration::from_millis(1_900));
    assert!(links(&silence, STRAP).is_empty(), "the loss is not noticed at once");
    assert!(frames(&silence, STRAP, 0x2A37).is_empty(), "but nothing is received");
    let away = bench.seconds(15);
    assert_eq!(links(&away, STRAP), [Link::Lost]);
    assert_eq!(away.iter().filter(|e| matches!(e, Event::Gone(id) if *id == STRAP)).count(), 1);

    bench.turn(Knob::MoveNear(STRAP));
    let back = bench.seconds(5);
    assert_eq!(links(&back, STRAP), [Link::Connecting, Link::Live]);
    assert!(!frames(&back, STRAP, 0x2A37).is_empty());
    assert_eq!(frames(&back, STRAP, 0x2A19).len(), 1, "the battery is read again");
}

#[test]
fn bluetooth_off_breaks_every_link_at_once_and_on_restores_them() {
    let mut bench = Bench::new();
    bench.connect(STRAP);
    bench.connect(OXIMETER_A);
    bench.seconds(3);
    bench.turn(Knob::BluetoothOff(true));
    bench.turn(Knob::BluetoothOff(true));
    let off = bench.run(Duration::from_millis(100));
    assert!(matches!(off.first(), Some(Event::Radio(RadioHealth::Off))));
    assert_eq!(off.iter().filter(|event| matches!(event, Event::Radio(_))).count(), 1);
    for id in [STRAP, OXIMETER_A] {
        assert_eq!(links(&off, id), [Link::Lost]);
    }
    assert!(bench.seconds(5).iter().all(|event| !matches!(event, Event::Seen { .. })));
    bench.turn(Knob::BluetoothOff(false));
    let on = bench.seconds(3);
    for id in [STRAP, OXIMETER_A] {
        assert_eq!(links(&on, id), [Link::Connecting, Link::Live]);
    }
}

#[test]
fn a_device_wanted_on_the_shelf_stays_connecting_until_told_to_stop() {
    let mut bench = Bench::new();
    bench.connect(OXIMETER_B);
    assert_eq!(links(&bench.seconds(30), OXIMETER_B), [Link::Connecting]);
    bench.ward.handle(Command::Disconnect(OXIMETER_B));
    bench.turn(Knob::MoveNear(OXIMETER_B));
    let events = bench.seconds(5);
    assert_eq!(links(&events, OXIMETER_B), [Link::Down]);
    assert_eq!(seen(&events, OXIMETER_B).len(), 5);
}

#[test]
fn an_unknown_address_or_the_wrong_kind_never_goes_live() {
    let mut bench = Bench::new();
    let stranger = DeviceId([1, 2, 3, 4, 5, 6]);
    bench.ward.handle(Command::Connect(stranger, Want::of(DeviceKind::HeartRate)));
    bench.ward.handle(Command::Connect(STRAP, Want::of(DeviceKind::PulseOximeter)));
    let events = bench.seconds(10);
    assert_eq!(links(&events, stranger), [Link::Connecting]);
    assert_eq!(links(&events, STRAP), [Link::Connecting]);
    bench.ward.handle(Command::Disconnect(stranger));
    assert_eq!(links(&bench.seconds(1), stranger), [Link::Down]);
}

#[test]
fn an_empty_battery_silences_a_device() {
    let mut bench = Bench::new();
    bench.connect(STRAP);
    bench.seconds(3);
    bench.turn(Knob::SetBattery(STRAP, 9));
    assert_eq!(frames(&bench.seconds(2), STRAP, 0x2A19), [[9]]);
    bench.turn(Knob::SetBattery(STRAP, 0));
    assert_eq!(links(&bench.seconds(4), STRAP), [Link::Lost]);
    bench.turn(Knob::SetBattery(STRAP, 100));
    assert_eq!(links(&bench.seconds(3), STRAP), [Link::Connecting, Link::Live]);
}

#[test]
fn a_weak_signal_loses_some_frames_and_no_signal_loses_all() {
    let count = |signal| {
        let mut bench = Bench::new();
        bench.connect(OXIMETER_A);
        bench.seconds(3);
        bench.turn(Knob::SetSignal(OXIMETER_A, signal));
        frames(&bench.seconds(60), OXIMETER_A, 0x2A5F).len()
    };
    assert!(count(100) >= 57);
    assert!((20..=45).contains(&count(30)), "{}", count(30));
    assert_eq!(count(0), 0);
}

#[test]
fn two_oximeters_of_one_model_differ_only_by_address() {
    let mut bench = Bench::new();
    bench.turn(Knob::MoveNear(OXIMETER_B));
    let near = bench.seconds(4);
    let names = |id| seen(&near, id).into_iter().map(|(n, k, _)| (n, k)).collect::<Vec<_>>();
    assert_eq!(names(OXIMETER_A), names(OXIMETER_B));
    assert!(!names(OXIMETER_A).is_empty());
    bench.connect(OXIMETER_A);
    bench.connect(OXIMETER_B);
    bench.seconds(3);
    let both = bench.seconds(10);
    for number in [0x2A5F, 0x2A19] {
        assert_eq!(frames(&both, OXIMETER_A, number), frames(&both, OXIMETER_B, number));
    }
    assert!(frames(&both, OXIMETER_A, 0x2A5F).len() >= 9);
}

fn steps(bench: &mut Bench, id: DeviceId, command: Command) -> Vec<PairingStep> {
    bench.ward.handle(command);
    let events = bench.run(Duration::from_millis(50));
    let steps = events.iter().filter_map(|event| match event {
        Event::Pairing(device, step) if *device == id => Some(*step),
        _ => None,
    });
    steps.collect()
}

#[test]
fn an_oximeter_is_paired_by_comparing_and_a_strap_just_works() {
    let mut bench = Bench::new();
    let bonded = PairingStep::Bonded;
    assert_eq!(
        steps(&mut bench, STRAP, Command::Pair(STRAP)),
        [PairingStep::Started, bonded(STRAP)]
    );
    for (said, step) in [
        (PairingAnswer::Confirm(false), PairingStep::Failed(PairingFault::NumbersDiffer)),
        (PairingAnswer::Cancel, PairingStep::Failed(PairingFault::Cancelled)),
        (PairingAnswer::Confirm(true), bonded(OXIMETER_A)),
    ] {
        let asked = steps(&mut bench, OXIMETER_A, Command::Pair(OXIMETER_A));
        assert!(matches!(asked[..], [PairingStep::Started, PairingStep::CompareNumber(_)]));
        let passkey = PairingAnswer::Passkey(Passkey::new(1).expect("six digits"));
        let other = Command::AnswerPairing(OXIMETER_A, passkey);
        assert_eq!(steps(&mut bench, OXIMETER_A, other), [], "it did not ask for one");
        let answer = Command::AnswerPairing(OXIMETER_A, said);
        assert_eq!(steps(&mut bench, OXIMETER_A, answer.clone()), [step]);
        assert_eq!(steps(&mut bench, OXIMETER_A, answer), [], "it asks no more");
    }
    // The second oximeter is on the shelf.
    let out_of_reach = PairingStep::Failed(PairingFault::OutOfReach);
    assert_eq!(
        steps(&mut bench, OXIMETER_B, Command::Pair(OXIMETER_B)),
        [PairingStep::Started, out_of_reach]
    );
    assert_eq!(steps(&mut bench, STRAP, Command::Forget(STRAP)), [PairingStep::Forgotten]);
    let what = Characteristic(0x2A52);
    bench.ward.handle(Command::Write(STRAP, what, vec![1, 1]));
    let refused = |event: &Event| {
        matches!(event, Event::Wrote(STRAP, number, Err(WriteFault::NoSuchCharacteristic))
            if *number == what)
    };
    assert!(bench.run(Duration::from_millis(50)).iter().any(refused));
}

#[test]
fn badges_are_seen_as_they_are_held() {
    let mut bench = Bench::new();
    bench.seconds(1);
    for (knobs, expected) in [
        (vec![Knob::TapBadge(0)], vec!["badge 0", "removed"]),
        (vec![Knob::HoldBadge(1)], vec!["badge 1"]),
        (vec![Knob::HoldBadge(1), Knob::TapBadge(1)], vec![]),
        (vec![Knob::TapBadge(2)], vec!["two"]),
        (vec![Knob::PullBadge, Knob::PullBadge], vec!["removed"]),
        (vec![Knob::TapBadge(2)], vec!["badge 2", "removed"]),
        (
            vec![Knob::TapBadge(0), Knob::TapBadge(0)],
            vec!["badge 0", "removed", "badge 0", "removed"],
        ),
        (vec![Knob::BrushBadge(1)], vec!["too soon"]),
        (vec![Knob::TapBadge(3)], vec!["badge 3", "removed"]),
        (vec![Knob::TapBadge(4), Knob::HoldBadge(99), Knob::BrushBadge(7)], vec![]),
    ] {
        for knob in &knobs {
            bench.turn(*knob);
        }
        assert_eq!(reader(&bench.seconds(1)), expected, "{knobs:?}");
    }
    bench.turn(Knob::TapBadge(0));
    assert_eq!(reader(&bench.run(TAP - Duration::from_millis(50))), ["badge 0"]);
    assert_eq!(reader(&bench.run(Duration::from_millis(100))), ["removed"]);
}

#[test]
fn an_unplugged_reader_says_nothing_and_sees_a_resting_badge_when_it_is_back() {
    let mut bench = Bench::new();
    bench.seconds(1);
    bench.turn(Knob::HoldBadge(0));
    bench.turn(Knob::ReaderUnplugged(true));
    assert_eq!(reader(&bench.seconds(1)), ["badge 0", "not fitted", "removed"]);
    bench.turn(Knob::PullBadge);
    bench.turn(Knob::TapBadge(1));
    assert!(reader(&bench.seconds(2)).is_empty());
    bench.turn(Knob::HoldBadge(2));
    bench.turn(Knob::ReaderUnplugged(false));
    assert_eq!(reader(&bench.seconds(1)), ["ready", "badge 2"]);
}

#[test]
fn the_same_seed_and_script_give_the_same_events() {
    let story = |seed| {
        let mut bench = Bench { ward: Ward::new(seed), ..Bench::new() };
        let mut events = Vec::new();
        for (second, knob) in [
            Knob::TapBadge(1),
            Knob::SetSignal(OXIMETER_A, 40),
            Knob::SetState(State::Desaturation),
            Knob::Malformed(STRAP, true),
            Knob::MoveFar(STRAP),
            Knob::SetWorn(OXIMETER_A, false),
        ]
        .into_iter()
        .enumerate()
        {
            if second == 1 {
                bench.connect(STRAP);
                bench.connect(OXIMETER_A);
            }
            bench.turn(knob);
            events.extend(bench.seconds(3));
        }
        format!("{events:?}")
    };
    assert_eq!(story(1), story(1));
    assert_ne!(story(1), story(2));
}

#[test]
fn s10_no_badge_number_in_the_debug_form_of_an_event() {
    let mut bench = Bench::new();
    bench.turn(Knob::TapBadge(0));
    let said = format!("{:?}", bench.seconds(1));
    assert!(said.contains("BadgePresented") && said.contains("[secret]"), "{said}");
}
