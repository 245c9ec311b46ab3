//! What presses nothing: a button that has just appeared, a drag, a second finger, a resting hand.

use std::time::Duration;

use i_slint_backend_testing::{ElementHandle, mock_elapsed_time};
use i_slint_core::input::TouchPhase;
use i_slint_core::platform::InternalEvent;
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition};
use wardkeep::tour::samples::{self, concealed, open};
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::view::{Screen, View};

use kit::screens::{Desk, LANDSCAPE};

fn bedside() -> View {
    open(Screen::Bedside(samples::bedside()))
}

/// A finger down and up at this place, `after` the one before.
fn press(desk: &Desk, position: LogicalPosition, after: Duration) {
    mock_elapsed_time(after);
    let (window, button) = (desk.window.window(), PointerEventButton::Left);
    window.dispatch_event(WindowEvent::PointerMoved { position });
    window.dispatch_event(WindowEvent::PointerPressed { position, button });
    mock_elapsed_time(Duration::from_millis(40));
    window.dispatch_event(WindowEvent::PointerReleased { position, button });
}

fn acts(desk: &mut Desk) -> Vec<Intent> {
    let mut sent = desk.everything_sent();
    sent.retain(|intent| *intent != Intent::Frame(frame::Intent::Activity));
    sent
}

/// Where the controls of a screen are and what they are called, small letters.
struct Controls(Vec<([f32; 4], String)>);

impl Controls {
    fn of(desk: &Desk) -> Controls {
        let place = |control: ElementHandle| {
            let (at, size) = (control.absolute_position(), control.size());
            let label = control.accessible_label().unwrap_or_default().to_lowercase();
            ([at.x, at.y, at.x + size.width, at.y + size.height], label)
        };
        let mut places: Vec<_> = desk.controls().into_iter().map(place).collect();
        places.dedup();
        Controls(places)
    }

    fn at(&self, at: LogicalPosition) -> Vec<&str> {
        let covers = |[left, top, right, bottom]: [f32; 4]| {
            (left..right).contains(&at.x) && (top..bottom).contains(&at.y)
        };
        let here = self.0.iter().filter(|(place, _)| covers(*place));
        here.map(|(_, label)| label.as_str()).collect()
    }

    fn middles(&self) -> Vec<LogicalPosition> {
        let middle = |[left, top, right, bottom]: [f32; 4]| {
            LogicalPosition::new(f32::midpoint(left, right), f32::midpoint(top, bottom))
        };
        let mut middles: Vec<_> = self.0.iter().map(|(place, _)| middle(*place)).collect();
        middles.retain(|at| (0.0..1280.0).contains(&at.x) && (0.0..800.0).contains(&at.y));
        middles
    }
}

/// Over all neighbours in the tour: what appears where something was pressed is not pressed with it.
#[test]
fn nothing_is_pressed_that_has_just_appeared_below_the_finger() {
    let mut desk = Desk::new(LANDSCAPE);
    let stops = wardkeep::tour::stops::all();
    let mut tried = 0;
    for pair in stops.windows(2) {
        let [first, second] = pair else { continue };
        desk.show(&second.view);
        let after = Controls::of(&desk);
        desk.show(&first.view);
        let before = Controls::of(&desk);
        let other = |at: &LogicalPosition| {
            let (was, is) = (before.at(*at), after.at(*at));
            !is.is_empty() && !is.iter().any(|label| was.contains(label))
        };
        for at in before.middles().into_iter().filter(other).take(6) {
            desk.show(&first.view);
            press(&desk, at, Duration::ZERO);
            desk.bridge.apply(&second.view);
            acts(&mut desk);
            press(&desk, at, Duration::from_millis(200));
            let sent = acts(&mut desk);
            let (names, labels) = ((first.name, second.name), (before.at(at), after.at(at)));
            assert!(sent.is_empty(), "{names:?} {labels:?}: {sent:?}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried} places where something else had appeared");
}

#[test]
fn a_press_that_is_drawn_away_presses_nothing() {
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&bedside());
    let lock = desk.the("Lock");
    let (at, size) = (lock.absolute_position(), lock.size());
    let middle = LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0);
    let (window, button) = (desk.window.window(), PointerEventButton::Left);
    window.dispatch_event(WindowEvent::PointerMoved { position: middle });
    window.dispatch_event(WindowEvent::PointerPressed { position: middle, button });
    let position = LogicalPosition::new(middle.x - 26.0, middle.y);
    window.dispatch_event(WindowEvent::PointerMoved { position });
    window.dispatch_event(WindowEvent::PointerReleased { position, button });
    assert_eq!(acts(&mut desk), []);
    desk.settle();
    press(&desk, middle, Duration::ZERO);
    assert_eq!(acts(&mut desk), [Intent::Frame(frame::Intent::Lock)]);
}

/// A finger on glass, as the window system tells of it.
fn finger(desk: &Desk, id: i32, at: LogicalPosition, phase: TouchPhase) {
    mock_elapsed_time(Duration::from_millis(60));
    let position = i_slint_core::lengths::LogicalPoint::new(at.x, at.y);
    desk.window.window().dispatch_event(WindowEvent::internal(InternalEvent::Touch {
        id,
        position,
        phase,
    }));
}

fn middle(desk: &Desk, label: &str) -> LogicalPosition {
    let control = desk.the(label);
    let (at, size) = (control.absolute_position(), control.size());
    LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0)
}

#[test]
fn a_second_finger_and_a_resting_hand_press_nothing() {
    use TouchPhase::{Ended, Started};
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&bedside());
    let (lock, devices) = (middle(&desk, "Lock"), middle(&desk, "Devices"));
    let one = |desk: &Desk, id, at| {
        finger(desk, id, at, Started);
        finger(desk, id, at, Ended);
    };
    // Either of them may be lifted first, and be on either button.
    for (first, second, lifted) in
        [(lock, devices, 0), (lock, devices, 1), (devices, lock, 0), (devices, lock, 1)]
    {
        let places = [first, second];
        finger(&desk, 0, first, Started);
        finger(&desk, 1, second, Started);
        finger(&desk, lifted, places[usize::try_from(lifted).unwrap()], Ended);
        finger(&desk, 1 - lifted, places[usize::try_from(1 - lifted).unwrap()], Ended);
        assert_eq!(acts(&mut desk), [], "{first:?} {second:?}, {lifted} first");
    }
    // One that stays for seconds is a hand that lies there.
    finger(&desk, 0, lock, Started);
    mock_elapsed_time(Duration::from_secs(4));
    finger(&desk, 0, lock, Ended);
    assert_eq!(acts(&mut desk), []);
    // And a finger by itself presses again at once.
    one(&desk, 0, devices);
    assert_eq!(acts(&mut desk), [Intent::Frame(frame::Intent::Open(Page::Devices))]);
    desk.settle();
    one(&desk, 0, lock);
    assert_eq!(acts(&mut desk), [Intent::Frame(frame::Intent::Lock)]);
}

#[test]
fn a_second_finger_holds_nothing() {
    use TouchPhase::{Ended, Started};
    let mut desk = Desk::new(LANDSCAPE);
    desk.show(&open(Screen::Devices(samples::devices())));
    let (release, lock) = (middle(&desk, "Release Oximeter 21"), middle(&desk, "Lock"));
    finger(&desk, 0, lock, Started);
    finger(&desk, 1, release, Started);
    finger(&desk, 0, lock, Ended);
    mock_elapsed_time(Duration::from_secs(2));
    finger(&desk, 1, release, Ended);
    assert_eq!(acts(&mut desk), []);
}

/// Two thumbs on a keyboard overlap.
#[test]
fn keys_that_overlap_are_typed_once_each() {
    use TouchPhase::{Ended, Started};
    let desk = Desk::new(LANDSCAPE);
    desk.show(&open(Screen::Patients(samples::patients())));
    desk.tap("New patient");
    let (k, a) = (middle(&desk, "Key K"), middle(&desk, "Key A"));
    finger(&desk, 0, k, Started);
    finger(&desk, 1, a, Started);
    finger(&desk, 0, k, Ended);
    finger(&desk, 1, a, Ended);
    assert_eq!(desk.the("Family name").accessible_value().unwrap(), "Ka");
    desk.show(&concealed(Screen::Pin(samples::pin())));
    let (four, seven) = (middle(&desk, "Digit 4"), middle(&desk, "Digit 7"));
    finger(&desk, 0, four, Started);
    finger(&desk, 1, seven, Started);
    finger(&desk, 0, four, Ended);
    finger(&desk, 1, seven, Ended);
    assert_eq!(desk.the("PIN").accessible_value().unwrap(), "2 digits entered");
}
