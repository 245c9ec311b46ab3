//! Views reach the pixels in time: one event loop, one runtime, real clocks. One test, because a
//! process has one event loop.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::sync::{Arc, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use i_slint_backend_testing::{TestingBackend, TestingBackendOptions};
use slint::ComponentHandle;
use tokio::sync::{mpsc, watch};
use wardkeep::bridge::{AppWindow, open_window};
use wardkeep::tour::samples::{self, concealed, open};
use wardkeep_core::kiosk::view::{Clock, Screen, View};
use wardkeep_model::alarm::Priority;
use wardkeep_ui as ui;

type Probe<T> = fn(&AppWindow) -> T;

/// Longest wait for anything on the screen; reached only by one that is dead.
const PATIENCE: Duration = Duration::from_secs(60);

/// The middle one: a busy machine delays any single one.
fn usual(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Asks the screen on its own thread until it says what is wanted; the time that took.
#[expect(clippy::disallowed_methods, reason = "this test measures real time")]
fn until<T: Send + PartialEq + 'static>(
    window: &slint::Weak<AppWindow>,
    probe: Probe<T>,
    wanted: &T,
) -> Duration {
    let begun = Instant::now();
    loop {
        let (tell, told) = std_mpsc::sync_channel(1);
        window.upgrade_in_event_loop(move |window| tell.send(probe(&window)).unwrap()).unwrap();
        if told.recv().unwrap() == *wanted {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < PATIENCE, "it is never shown");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn watch_from_outside(views: &watch::Sender<Arc<View>>, window: &slint::Weak<AppWindow>) {
    let kind: Probe<ui::ScreenKind> = |window| window.global::<ui::Frame>().get_screen();
    let digits: Probe<Option<slint::SharedString>> = |window| {
        slint::Model::row_data(&window.global::<ui::Bedside>().get_vitals(), 0).map(|row| row.value)
    };
    until(window, kind, &ui::ScreenKind::Starting);

    views.send_replace(Arc::new(open(Screen::Bedside(samples::bedside()))));
    until(window, kind, &ui::ScreenKind::Bedside);

    // Values: every one of these arrives while the one before has hardly been shown.
    let mut shown = Vec::new();
    for value in 60..90 {
        let mut bedside = samples::bedside();
        bedside.tiles[0] = samples::tile(bedside.tiles[0].parameter, &value.to_string());
        views.send_replace(Arc::new(open(Screen::Bedside(bedside))));
        let wanted = Some(value.to_string().into());
        shown.push(until(window, digits, &wanted));
    }
    let value = usual(shown);
    assert!(value < Duration::from_millis(150), "a value took {value:?}");

    // Newest wins: of a burst only the last one has to be seen.
    for minute in 0..50 {
        let mut view = open(Screen::Bedside(samples::bedside()));
        view.clock = Clock { minute, ..view.clock };
        views.send_replace(Arc::new(view));
    }
    let time: Probe<slint::SharedString> = |window| window.global::<ui::Frame>().get_time();
    until(window, time, &"14:49".into());

    let calm = open(Screen::Bedside(samples::bedside()));
    let alarm = Some(samples::alarm(Priority::High, samples::low_oxygen("79")));
    let ringing: Probe<bool> = |window| window.global::<ui::Frame>().get_alarm().present;
    let (mut alarmed, mut locked) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        views.send_replace(Arc::new(View { alarm: alarm.clone(), ..calm.clone() }));
        alarmed.push(until(window, ringing, &true));
        views.send_replace(Arc::new(concealed(Screen::Lock(samples::lock()))));
        locked.push(until(window, kind, &ui::ScreenKind::Lock));
        views.send_replace(Arc::new(calm.clone()));
        until(window, kind, &ui::ScreenKind::Bedside);
        until(window, ringing, &false);
    }
    let (alarmed, locked) = (usual(alarmed), usual(locked));
    assert!(alarmed < Duration::from_millis(150), "an alarm took {alarmed:?}");
    assert!(locked < Duration::from_millis(150), "locking took {locked:?}");
}

#[test]
fn the_newest_view_is_shown_and_locking_takes_less_than_150_ms() {
    let backend = TestingBackend::new(TestingBackendOptions {
        mock_time: false,
        threading: true,
        renderer_name: Some("software".into()),
    });
    slint::platform::set_platform(Box::new(backend)).unwrap();
    let (intents, _taken) = mpsc::channel(32);
    let (window, bridge) = open_window(intents).unwrap();
    let (views, watched) = watch::channel(Arc::new(concealed(Screen::Starting)));
    let (_waves, samples) = mpsc::channel(4);
    let pump = bridge.connect(watched, samples);
    window.show().unwrap();

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    runtime.spawn(pump.run());
    let weak = window.as_weak();
    let outside = std::thread::Builder::new()
        .name("outside".into())
        .spawn(move || {
            let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                watch_from_outside(&views, &weak);
            }));
            slint::quit_event_loop().unwrap();
            if let Err(cause) = seen {
                std::panic::resume_unwind(cause);
            }
        })
        .unwrap();
    slint::run_event_loop_until_quit().unwrap();
    outside.join().unwrap();
}
