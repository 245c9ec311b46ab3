//! The bench window as a person or a screen reader uses it, without a display: every control is
//! found by its label and does what it says.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for the events it names")]

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use i_slint_backend_testing::{
    AccessibleRole, ElementHandle, ElementRoot, TestingBackend, TestingBackendOptions,
    mock_elapsed_time,
};
use kit::clock::Clock;
use slint::ComponentHandle;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use wardkeep::bench::{Acts, Drawn, open, render_bench};
use wardkeep::bridge::{self, Words};
use wardkeep_bench::BenchWindow;
use wardkeep_core::config::Language;
use wardkeep_model::ports::{Command, Event, FactorEvent, ReaderHealth, ReaderKind, Want};
use wardkeep_model::vitals::{DeviceId, DeviceKind};
use wardkeep_sim::physiology::State;
use wardkeep_sim::ward::{
    BADGES, CUFF, IT_BADGE, Knob, METER, OXIMETER_A, OXIMETER_B, PATCH, SCALE, STRAP, Scene,
    THERMOMETER, Ward,
};
use wardkeep_sim::{SimHandle, spawn};

/// Far longer than anything here takes; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// The bench as it opens, on a screen of 800 px.
const SIZE: slint::PhysicalSize = slint::PhysicalSize { width: 620, height: 800 };

/// A bench over a running simulator.
struct Fixture {
    window: BenchWindow,
    handle: SimHandle,
    words: Words,
    events: mpsc::Receiver<Event>,
    power_cuts: Rc<Cell<u32>>,
    /// What was asked for last: an empty store, or a ready ward.
    started_over: Rc<Cell<Option<bool>>>,
    _runtime: Runtime,
}

impl Fixture {
    fn new() -> Self {
        Self::over(false)
    }

    /// A bench over a ready ward, or where nobody is enrolled.
    fn over(empty: bool) -> Self {
        headless();
        let runtime = Runtime::new().expect("a runtime");
        let (sender, events) = mpsc::channel(256);
        let (handle, _task) = spawn(runtime.handle(), sender);
        let power_cuts = Rc::new(Cell::new(0));
        let started_over = Rc::new(Cell::new(None));
        let (counter, chosen) = (power_cuts.clone(), started_over.clone());
        let acts = Acts {
            cut_power: Box::new(move || counter.set(counter.get() + 1)),
            start_over: Box::new(move |empty| chosen.set(Some(empty))),
        };
        let words = bridge::speak(Language::English).expect("a platform");
        let window = open(handle.clone(), words.clone(), empty, acts).expect("a bench");
        // What is scrolled out of sight cannot be found: everything has to fit.
        window.window().set_size(SIZE);
        Self { window, handle, words, events, power_cuts, started_over, _runtime: runtime }
    }

    /// The one control of that label.
    fn control(&self, label: &str) -> ElementHandle {
        let mut found = ElementHandle::find_by_accessible_label(&self.window, label)
            .filter(|e| !matches!(e.accessible_role(), None | Some(AccessibleRole::Text)));
        let control = found.next().unwrap_or_else(|| panic!("no control {label:?}"));
        assert!(found.next().is_none(), "two controls {label:?}");
        control
    }

    fn press(&self, label: &str) {
        self.control(label).invoke_accessible_default_action();
    }

    /// Events until `wanted` comes, that one included.
    fn events_until(&mut self, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        patiently("the event", || {
            while let Ok(event) = self.events.try_recv() {
                let done = wanted(&event);
                events.push(event);
                if done {
                    return true;
                }
            }
            false
        });
        events
    }

    /// Waits until the simulator's scene is as wanted and the window has shown it.
    fn scene_until(&self, wanted: impl Fn(&Scene) -> bool) {
        patiently("the scene", || wanted(&self.handle.scene()));
        mock_elapsed_time(Duration::from_millis(150));
    }
}

fn headless() {
    let backend = TestingBackend::new(TestingBackendOptions {
        mock_time: true,
        threading: false,
        renderer_name: Some("software".into()),
    });
    slint::platform::set_platform(Box::new(backend)).expect("one platform per thread");
}

#[expect(clippy::disallowed_methods, reason = "the simulator runs on the real clock")]
fn patiently(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn tapping_a_badge_presents_it_and_takes_it_away() {
    let mut bench = Fixture::new();
    bench.press("Tap the badge of Amara Kone");
    let events = bench.events_until(|event| matches!(event, Event::BadgeRemoved));
    let presented: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::BadgePresented(badge) => Some(badge.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(presented, [BADGES[1].badge()]);
}

#[test]
fn a_badge_is_laid_on_the_reader_and_taken_off_again() {
    let mut bench = Fixture::new();
    bench.press("Lay the badge of Ines Kaya on the reader");
    bench.scene_until(|scene| scene.badge == Some(IT_BADGE) && scene.badge_rests);
    assert_eq!(bench.control("Tap the badge of Ines Kaya").accessible_enabled(), Some(false));
    bench.press("Take the badge of Ines Kaya off the reader");
    bench.events_until(|event| matches!(event, Event::BadgeRemoved));
    bench.scene_until(|scene| scene.badge.is_none());
    bench.control("Lay the badge of Ines Kaya on the reader");
}

#[test]
fn a_device_is_carried_by_tap_and_by_drag() {
    let bench = Fixture::new();
    let near = |scene: &Scene| scene.devices.iter().any(|d| d.id == OXIMETER_B && d.near);
    let lane = || bench.control("FingerOx 3 00:22 on the cart");
    assert_eq!(lane().accessible_checked(), Some(false));
    lane().invoke_accessible_default_action();
    bench.scene_until(near);
    assert_eq!(lane().accessible_checked(), Some(true));
    lane().mock_single_click(slint::platform::PointerEventButton::Left);
    bench.scene_until(|scene| !near(scene));

    let drag = |by: f32| {
        let (place, size) = (lane().absolute_position(), lane().size());
        let middle = slint::LogicalPosition::new(place.x + size.width / 2.0, place.y + 20.0);
        let target = slint::LogicalPosition::new(middle.x + by, middle.y);
        lane().mock_drag(target, slint::platform::PointerEventButton::Left);
    };
    drag(180.0);
    bench.scene_until(near);
    // Not far enough to leave the cart: it slides back, and then all the way to the shelf.
    drag(-60.0);
    drag(180.0);
    // Knobs turn in order: once the later one has, the earlier ones have.
    bench.press("Fever");
    bench.scene_until(|scene| scene.state == State::Fever);
    assert_eq!(lane().accessible_checked(), Some(true));
    drag(-180.0);
    bench.scene_until(|scene| !near(scene));
}

#[test]
fn cards_and_fingers_are_used_by_label() {
    let mut bench = Fixture::new();
    bench.press("Insert the card of Amara Kone");
    bench.events_until(|event| {
        matches!(event, Event::Factor(FactorEvent::CardPresented(seen))
            if seen.subject.reveal().contains("Amara Kone"))
    });
    bench.scene_until(|scene| scene.card == Some(0));
    bench.press("Pull the card of Amara Kone");
    bench.events_until(|event| matches!(event, Event::Factor(FactorEvent::CardRemoved)));
    let finger = "Touch with the finger of Amara Kone";
    assert_eq!(bench.control(finger).accessible_enabled(), Some(false), "nobody asks for a finger");
}

#[test]
fn every_fault_can_be_made_and_mended_by_label() {
    let mut bench = Fixture::new();
    bench.press("Reader pulled");
    bench.events_until(|event| {
        matches!(event, Event::Reader(ReaderKind::Badge, ReaderHealth::NotFitted))
    });
    bench.scene_until(|scene| scene.reader_unplugged);
    bench.press("Reader pulled");
    bench.scene_until(|scene| !scene.reader_unplugged);

    bench.press("Bluetooth off");
    bench.scene_until(|scene| scene.bluetooth_off);
    let finger_out = "Finger out: FingerOx 3 00:21";
    let malformed = "Malformed frames: FingerOx 3 00:21";
    assert_eq!(bench.control(finger_out).accessible_checked(), Some(false));
    bench.press(finger_out);
    bench.press("Strap off: CardioStrap 7 5A:01");
    bench.press("Oxygen falls");
    bench.press("Device faults");
    assert_eq!(bench.control(malformed).accessible_checked(), Some(false));
    bench.press(malformed);
    bench.control("Battery: CardioStrap 7 5A:01").set_accessible_value("15");
    bench.control("Radio signal: FingerOx 3 00:21").invoke_accessible_decrement_action();
    bench.scene_until(|scene| {
        scene.state == State::Desaturation
            && scene.devices.iter().any(|d| d.id == STRAP && !d.worn && d.battery_percent == 15)
            && scene
                .devices
                .iter()
                .any(|d| d.id == OXIMETER_A && !d.worn && d.malformed && d.signal_percent == 90)
    });
    assert_eq!(bench.control(malformed).accessible_checked(), Some(true));
    bench.press("Device faults");
    assert_eq!(bench.control(finger_out).accessible_checked(), Some(true));
    assert_eq!(bench.control("Oxygen falls").accessible_checked(), Some(true));

    assert_eq!(bench.power_cuts.get(), 0);
    bench.press("Power cut: stop the kiosk without a farewell");
    assert_eq!(bench.power_cuts.get(), 1);
}

/// Checks who is who on the bench, and presses what starts over.
fn who_is_who(empty: bool, over: &str) {
    let bench = Fixture::over(empty);
    let said = |text: &str| ElementHandle::find_by_accessible_label(&bench.window, text).count();
    for badge in BADGES {
        assert_eq!(said(badge.name), 1, "{}", badge.name);
        if let Some(pin) = badge.pin {
            assert_eq!(said(&format!("PIN {pin}")), usize::from(!empty), "{}", badge.name);
        }
    }
    for role in ["Nurse", "Caregiver", "IT", "Stranger"] {
        assert_eq!(said(role), 1, "{role}");
    }
    assert_eq!(said("choose a PIN"), if empty { BADGES.len() } else { 1 });
    bench.press(over);
    assert_eq!(bench.started_over.get(), Some(!empty));
}

/// A newcomer needs nothing but the bench: who is who, and which PIN opens.
#[test]
fn badges_of_a_ready_ward_say_name_role_and_pin() {
    who_is_who(false, "Start empty: the first start of a new cart");
}

#[test]
fn badges_of_an_empty_cart_say_that_nobody_is_enrolled() {
    who_is_who(true, "Start again on a ready ward");
}

/// Everything is inside the window at 800 px, in either language, covers nothing else, and is large
/// enough to press.
#[test]
fn the_bench_fits_into_800_px() {
    let bench = Fixture::new();
    for language in Language::ALL {
        bench.words.speak(language);
        mock_elapsed_time(Duration::from_millis(150));
        let mut places = Vec::new();
        for control in bench.window.root_element().query_descendants().find_all() {
            let pressed = matches!(
                control.accessible_role(),
                Some(AccessibleRole::Button | AccessibleRole::Switch | AccessibleRole::RadioButton)
            );
            if !pressed {
                continue;
            }
            let (at, size) = (control.absolute_position(), control.size());
            let label = control.accessible_label().unwrap_or_default();
            let (right, bottom) = (at.x + size.width, at.y + size.height);
            assert!(at.x >= 0.0 && right <= 620.0, "{label} is cut at the side");
            assert!(at.y >= 0.0 && bottom <= 800.0, "{label} is cut below");
            assert!(size.height >= 46.0 && size.width >= 70.0, "{label} is small: {size:?}");
            for (other, x, y, to_x, to_y) in &places {
                let apart = at.x >= *to_x || right <= *x || at.y >= *to_y || bottom <= *y;
                assert!(apart, "{label} covers {other}");
            }
            places.push((label, at.x, at.y, right, bottom));
        }
        assert_eq!(places.len(), 28);
    }
}

#[test]
fn the_other_devices_are_measured_with_and_fail_by_label() {
    let bench = Fixture::new();
    bench.press("Other devices");
    bench.press("ArmCuff 2 03:03 on the cart");
    bench.press("Measure: ArmCuff 2 03:03");
    bench.press("Fails: EarTherm 1 05:05");
    bench.press("Clock lost: GlucoStrip 4 04:04");
    bench.press("Torn off: ChestPatch 2 02:02");
    bench.press("Battery out: StandScale 01:01");
    let of = |scene: &Scene, id: DeviceId| {
        scene.devices.iter().find(|device| device.id == id).cloned().expect("a device")
    };
    bench.scene_until(|scene| {
        let spot = |id| of(scene, id).spot.expect("it measures when asked");
        of(scene, CUFF).near
            && spot(CUFF).is_measuring()
            && spot(THERMOMETER).fails
            && spot(METER).has_lost_clock()
            && !of(scene, PATCH).worn
            && of(scene, SCALE).battery_percent == 0
    });
    assert_eq!(bench.control("Measure: ArmCuff 2 03:03").accessible_enabled(), Some(false));
}

#[test]
fn it_shows_what_is_true_of_the_patient() {
    let bench = Fixture::new();
    let shown = |label: &str| {
        ElementHandle::find_by_accessible_label(&bench.window, label)
            .find_map(|element| element.accessible_value())
            .and_then(|value| value.parse::<f64>().ok())
            .unwrap_or_else(|| panic!("no number {label:?}"))
    };
    // The patient lives on between two looks.
    patiently("the truth", || {
        mock_elapsed_time(Duration::from_millis(150));
        let truth = bench.handle.scene().truth;
        (shown("Heart") - truth.heart_rate_per_min).abs() < 3.0
            && (shown("Oxygen") - truth.spo2_percent).abs() < 2.0
            && (shown("Warmth") - truth.temperature_celsius).abs() < 0.3
    });
}

#[test]
fn it_says_when_the_simulator_has_ended() {
    let mut bench = Fixture::new();
    let says_so = |window: &BenchWindow| {
        let ended = "The simulator has ended. Close this window and start again.";
        ElementHandle::find_by_accessible_label(window, ended).next().is_some()
    };
    bench.events.close();
    patiently("the end", || bench.handle.is_stopped());
    assert!(!says_so(&bench.window), "nobody has asked yet");
    // A hand on a knob learns of it at once, ...
    bench.press("Fever");
    assert!(says_so(&bench.window));
    // ... and one that only looks with the next refresh.
    bench.window.global::<wardkeep_bench::Bench>().set_stopped(false);
    mock_elapsed_time(Duration::from_millis(150));
    assert!(says_so(&bench.window));
}

/// Draws the bench into the test's own directory, for people to look at, and checks that it is a
/// picture of something: as it opens, and with everything gone wrong, in either language.
#[test]
fn the_bench_can_be_drawn() {
    headless();
    let mut ward = Ward::new(1);
    let start = Clock::running_for(Duration::from_secs(1)).now();
    ward.step(start);
    let opened = ward.scene();
    ward.handle(Command::Connect(STRAP, Want::of(DeviceKind::HeartRate)));
    for knob in [
        Knob::HoldBadge(IT_BADGE),
        Knob::SetState(State::Desaturation),
        Knob::SetWorn(OXIMETER_A, false),
        Knob::SetBattery(OXIMETER_B, 0),
        Knob::ReaderUnplugged(true),
    ] {
        ward.turn(start, knob);
    }
    for tick in 0..600 {
        ward.step(start + Duration::from_millis(50) * tick);
    }
    ward.turn(start, Knob::BluetoothOff(true));
    ward.step(start + Duration::from_secs(31));
    let troubled = ward.scene();

    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let drawn = |scene, empty, faults| Drawn { scene, empty, faults, others: false };
    for language in Language::ALL {
        let words = bridge::speak(language).expect("a platform");
        for (name, drawn) in [
            ("opened", drawn(&opened, false, false)),
            ("empty", drawn(&opened, true, false)),
            ("troubled", drawn(&troubled, false, false)),
            ("faults", drawn(&troubled, false, true)),
            ("others", Drawn { others: true, ..drawn(&troubled, false, false) }),
        ] {
            let out = directory.join(format!("bench-{name}-{}.png", language.tag()));
            render_bench(&out, words.clone(), &drawn, (SIZE.width, SIZE.height))
                .expect("a picture");
            assert!(std::fs::metadata(&out).expect("a file").len() > 20_000, "{out:?} is blank");
        }
    }
}
