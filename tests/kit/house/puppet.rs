//! The kiosk on strings: the program as `main.rs` starts it, pressed and read over standard input.
//!
//! One command a line, words separated by tabs; one answer a line: `ok`, `ok<TAB>value`, or `none`.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use i_slint_backend_testing::{AccessibleRole, ElementHandle};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, Weak};
use wardkeep::app::start::{Options, start};
use wardkeep::bridge::AppWindow;
use wardkeep_model::moment::Moment;
use wardkeep_sim::SimHandle;
use wardkeep_sim::ward::{IT_BADGE, Knob, NURSE_BADGE};

/// Longest wait for the main thread or the simulator; reached only by one that is dead.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a press lasts, and how long a held one.
const PRESS: (Duration, Duration) = (Duration::from_millis(30), Duration::from_millis(1_300));

/// Two presses nearer than this, in pixels, and sooner than this are one place and one look.
const NEAR: f32 = 64.0;
const LOOK: Duration = Duration::from_millis(600);

/// Names the state directory in the puppet's environment.
pub const STATE: &str = "WARDKEEP_PUPPET_STATE";
/// Puts the puppet on the simulated bedside.
pub const SIMULATED: &str = "WARDKEEP_PUPPET_SIMULATED";

/// Names the puppet's configuration file, if it has one.
pub const CONFIG: &str = "WARDKEEP_PUPPET_CONFIG";

/// When and where the glass was touched last.
#[derive(Clone, Copy)]
struct Pressed {
    at: Moment,
    place: LogicalPosition,
}

/// This process was started as a puppet.
pub fn is_wanted() -> bool {
    std::env::var_os(STATE).is_some()
}

/// Runs the program until it is closed or told to quit.
pub fn run() {
    wardkeep_model::telemetry::start();
    let state = PathBuf::from(std::env::var_os(STATE).expect("asked for by `is_wanted`"));
    let simulate = std::env::var_os(SIMULATED).is_some();
    let config = std::env::var_os(CONFIG).map(PathBuf::from);
    let options = Options { state, config, windowed: true, simulate, quick_keys: false };
    let running = start(&options).expect("the program starts");
    let window = running.window.as_weak();
    let simulator = running.simulator.clone();
    std::thread::Builder::new()
        .name("strings".into())
        .spawn(move || obey(&window, simulator.as_ref()))
        .expect("a thread");
    running.run().expect("the program ends in order");
}

fn obey(window: &Weak<AppWindow>, simulator: Option<&SimHandle>) {
    let mut pressed = Pressed { at: Moment::read(), place: LogicalPosition::default() };
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("the house writes lines");
        let words: Vec<&str> = line.split('\t').collect();
        let answer = match words.as_slice() {
            ["value", label] => value(window, label),
            ["press", label] => press(window, label, PRESS.0, &mut pressed),
            ["hold", label] => press(window, label, PRESS.1, &mut pressed),
            ["pressed"] => Some(pressed.at.boot.0.as_nanos().to_string()),
            ["type", text] => type_text(window, text),
            ["picture", path] => picture(window, path),
            ["tap", whose] => simulator.map(|simulator| tap(simulator, whose)),
            ["stalls", longest_s] => Some(stalls(window, longest_s)),
            ["quit"] => Some(quit()),
            ["close"] => Some(close(window)),
            ["lose-screen"] => Some(lose_screen()),
            other => panic!("unknown command {other:?}"),
        };
        let text = answer.map_or_else(|| "none".to_owned(), |value| format!("ok\t{value}"));
        let mut out = std::io::stdout().lock();
        out.write_all(format!("{text}\n").as_bytes()).expect("the house listens");
        out.flush().expect("the house listens");
    }
}

/// Runs `act` on the main thread and brings back what it says.
fn on_screen<T: Send + 'static>(
    window: &Weak<AppWindow>,
    act: impl FnOnce(&AppWindow) -> T + Send + 'static,
) -> T {
    let (answer, answered) = mpsc::sync_channel(1);
    window
        .upgrade_in_event_loop(move |window| answer.send(act(&window)).expect("somebody waits"))
        .expect("the event loop runs");
    answered.recv_timeout(PATIENCE).expect("the main thread answers")
}

/// The value of the first element with this label; its label where it has no value.
fn value(window: &Weak<AppWindow>, label: &str) -> Option<String> {
    let label = label.to_owned();
    on_screen(window, move |window| {
        let found = ElementHandle::find_by_accessible_label(window, &label);
        let values: Vec<String> = found
            .map(|element| element.accessible_value().unwrap_or_default().to_string())
            .collect();
        let told = values.iter().find(|value| !value.is_empty());
        told.cloned().or_else(|| (!values.is_empty()).then_some(label))
    })
}

/// Leaves in `pressed` when the finger touched the glass, and where.
fn press(
    window: &Weak<AppWindow>,
    label: &str,
    length: Duration,
    pressed: &mut Pressed,
) -> Option<String> {
    let button = PointerEventButton::Left;
    // What has just appeared below the finger is not pressed: a person would see it first.
    let wanted = label.to_owned();
    let near = on_screen(window, move |window| middle(window, &wanted))?;
    let is_near = (near.x - pressed.place.x).abs().max((near.y - pressed.place.y).abs()) < NEAR;
    let since = Moment::read().boot.since(pressed.at.boot);
    if is_near && since < LOOK {
        std::thread::sleep(LOOK.saturating_sub(since));
    }
    let wanted = label.to_owned();
    // In one turn of the event loop, so that nothing moves between looking and touching.
    *pressed = on_screen(window, move |window| {
        let place = middle(window, &wanted)?;
        window.window().dispatch_event(WindowEvent::PointerMoved { position: place });
        let at = Moment::read();
        window.window().dispatch_event(WindowEvent::PointerPressed { position: place, button });
        Some(Pressed { at, place })
    })?;
    let position = pressed.place;
    std::thread::sleep(length);
    on_screen(window, move |window| {
        window.window().dispatch_event(WindowEvent::PointerReleased { position, button });
    });
    Some(String::new())
}

/// The middle of the control with this label, if it can be pressed.
fn middle(window: &AppWindow, label: &str) -> Option<LogicalPosition> {
    let mut found = ElementHandle::find_by_accessible_label(window, label);
    let pressable = |role| {
        matches!(role, AccessibleRole::Button | AccessibleRole::Tab | AccessibleRole::TextInput)
    };
    let element = found.find(|element| element.accessible_role().is_some_and(pressable))?;
    let (at, size) = (element.absolute_position(), element.size());
    let place = LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0);
    (element.accessible_enabled() != Some(false)).then_some(place)
}

/// Taps a badge on the simulated bedside, once the one before was taken away.
fn tap(simulator: &SimHandle, whose: &str) -> String {
    let badge = if whose == "it" { IT_BADGE } else { NURSE_BADGE };
    let since = Moment::read().boot;
    while simulator.scene().badge.is_some() {
        assert!(Moment::read().boot.since(since) < PATIENCE, "the badge stays on the reader");
        std::thread::sleep(Duration::from_millis(5));
    }
    simulator.turn(Knob::TapBadge(badge)).expect("the simulator runs");
    String::new()
}

/// Types on a keyboard that is plugged in, a word in no less time than a look takes.
fn type_text(window: &Weak<AppWindow>, text: &str) -> Option<String> {
    for letter in text.chars() {
        on_screen(window, move |window| {
            let text = slint::SharedString::from(letter.to_string());
            window.window().dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
            window.window().dispatch_event(WindowEvent::KeyReleased { text });
        });
    }
    std::thread::sleep(LOOK);
    Some(String::new())
}

/// How long the main thread took to begin what it was asked, from now until records of the locked time
/// have been taken over; asked again every two milliseconds.
fn stalls(window: &Weak<AppWindow>, longest_s: &str) -> String {
    let longest = Duration::from_secs(longest_s.parse().expect("seconds"));
    let (begun, mut waits, mut was_shown) = (Moment::read(), Vec::new(), false);
    let gone = || Moment::read().boot.since(begun.boot);
    // A short import is over before its progress is shown.
    while gone() < longest {
        let asked = Moment::read();
        let (heard, shown) = on_screen(window, |window| {
            (Moment::read(), window.global::<wardkeep_ui::Frame>().get_taking_over().shown)
        });
        waits.push(heard.boot.since(asked.boot));
        if was_shown && !shown || !was_shown && gone() > Duration::from_secs(20) {
            break;
        }
        was_shown |= shown;
        std::thread::sleep(Duration::from_millis(2));
    }
    waits.sort();
    let at = |share: usize| waits[(waits.len() - 1) * share / 1000].as_secs_f64() * 1e3;
    format!(
        "longest wait {:.1} ms, p99.9 {:.1} ms, p99 {:.1} ms of {} in {:.1} s, progress {}",
        at(1000),
        at(999),
        at(990),
        waits.len(),
        gone().as_secs_f64(),
        if was_shown { "shown" } else { "not shown" }
    )
}

fn picture(window: &Weak<AppWindow>, path: &str) -> Option<String> {
    let pixels = on_screen(window, |window| window.window().take_snapshot().ok())?;
    let file = std::fs::File::create(path).expect("a picture file");
    let mut encoder = png::Encoder::new(file, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().expect("a picture header");
    writer.write_image_data(pixels.as_bytes()).expect("a picture");
    Some(String::new())
}

/// As the system's service manager asks.
fn quit() -> String {
    let own = rustix::process::getpid();
    rustix::process::kill_process(own, rustix::process::Signal::TERM).expect("our own process");
    String::new()
}

/// As a window manager, or a key that it knows, asks.
fn close(window: &Weak<AppWindow>) -> String {
    let close = |window: AppWindow| window.window().dispatch_event(WindowEvent::CloseRequested);
    window.upgrade_in_event_loop(close).expect("the event loop runs");
    String::new()
}

/// What is left when the display server has gone: an event loop that has ended.
fn lose_screen() -> String {
    slint::quit_event_loop().expect("the event loop runs");
    String::new()
}
