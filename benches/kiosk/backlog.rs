//! Whether the screen goes on while twelve hours of sealed records are taken over: how long the main
//! thread was busy at most, and the times between two pictures of the waveform, during and after it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{CartState, Command, Found, Outcome};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, PULSE_RATE_OXIMETER, SPO2, Unit};
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, RecordId, Value};
use wardkeep_store::{Options, spawn};

use crate::meter::Screen;
use crate::{PIN, admit_simulated, first_start, login, say};
use kit::house::{House, Kiosk};

/// Twelve hours of one value a second of each of three parameters.
const SECONDS: u64 = 12 * 3600;
/// By then both devices are connected again and send.
const CONNECTED: Duration = Duration::from_secs(10);
/// How long the pictures after the import are watched.
const QUIET: Duration = Duration::from_secs(8);
/// Longest import that is waited for; a build without optimisation takes minutes.
const IMPORT_MAX: Duration = Duration::from_secs(900);

/// Makes a cart, seals a backlog into it, and measures the unlock after that.
pub fn measure(house: &House) {
    let state = house.state.with_file_name("backlog");
    let mut kiosk = house.start_at(&state, true);
    first_start(&mut kiosk, |kiosk| kiosk.tap_simulated("it"));
    kiosk.tap_simulated("it");
    kiosk.sees("Enter your PIN");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    login::enrol(&mut kiosk, "Nurse Bench", |kiosk| kiosk.tap_simulated("nurse"));
    kiosk.press("That is all");
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
    admit_simulated(&mut kiosk);
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
    kiosk.end();

    let begun = Moment::read();
    let sealed = seal(&state);
    let took = Moment::read().boot.since(begun.boot).as_secs_f64();
    say(&format!("backlog of 12 h at 1 Hz x 3: {sealed} records sealed in {took:.1} s"));

    let mut kiosk = house.start_at(&state, true);
    std::thread::sleep(CONNECTED);
    kiosk.tap_simulated("nurse");
    kiosk.sees("Enter your PIN");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    kiosk.sees("Pleth");
    unstalled(house, &mut kiosk);
    kiosk.end();
}

fn unstalled(house: &House, kiosk: &mut Kiosk) {
    let watcher = Watcher::start(house);
    let stalls = kiosk.ask(&["stalls", &IMPORT_MAX.as_secs().to_string()]).expect("figures");
    let during = watcher.end();
    let watcher = Watcher::start(house);
    std::thread::sleep(QUIET);
    let after = watcher.end();
    say(&format!("main thread while the backlog is taken over: {stalls}"));
    say(&format!(
        "between two pictures of the waveform (30 a second): {during}; after it: {after}"
    ));
}

/// Looks at the waveform's pixels on a thread of its own.
struct Watcher {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Watcher {
    fn start(house: &House) -> Self {
        let screen = Screen::open(&house.frame_buffer());
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let thread = std::thread::Builder::new()
            .name("watcher".into())
            .spawn(move || gaps(&screen, &ended))
            .expect("a thread");
        Self { over, thread }
    }

    fn end(self) -> String {
        self.over.store(true, Ordering::SeqCst);
        let mut gaps = self.thread.join().expect("our own thread");
        gaps.sort();
        let at = |share: usize| gaps[(gaps.len() - 1) * share / 100].as_secs_f64() * 1e3;
        let pictures = gaps.len();
        format!(
            "median {:.1} ms, p99 {:.1} ms, longest {:.1} ms of {pictures}",
            at(50),
            at(99),
            at(100)
        )
    }
}

/// The times between two changes of any pixel of the waveform.
fn gaps(screen: &Screen, over: &AtomicBool) -> Vec<Duration> {
    // The pleth lane, below its name.
    let lane = || screen.rows(172, 376);
    let (mut shown, mut last, mut gaps) = (lane(), None, Vec::new());
    while !over.load(Ordering::SeqCst) {
        let now = lane();
        if now != shown {
            let at = Moment::read().boot;
            gaps.extend(last.map(|last| at.since(last)));
            (shown, last) = (now, Some(at));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    gaps
}

/// Seals records as a locked cart would have in twelve hours.
fn seal(state: &Path) -> u64 {
    let (sender, mut outcomes) = mpsc::channel(4096);
    let (handle, thread) =
        spawn(Options::new(state).on_any_disk(), sender).expect("the store starts");
    let cart = loop {
        let outcome = outcomes.blocking_recv().expect("the store answers");
        if let Outcome::Found(Found::Store(cart)) = outcome {
            break cart;
        }
    };
    let end = Moment::read().wall;
    let send = |command: &Command| {
        // The queue is for minutes of a real cart; hours come faster here.
        while handle.try_send(command.clone()).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let mut seq = 0;
    for second in (0..SECONDS).rev() {
        let at = end - Duration::from_secs(second);
        for parameter in 0..3 {
            seq += 1;
            send(&Command::Record(Box::new(observation(&cart, seq, parameter, at))));
        }
        // Each second is written by itself, as when time passes: what is written at once is sealed at once.
        send(&Command::Retry);
    }
    drop(handle);
    while let Some(outcome) = outcomes.blocking_recv() {
        assert!(!matches!(outcome, Outcome::Lost(_)), "{outcome:?}");
    }
    thread.join().expect("the store ends");
    seq
}

fn observation(cart: &CartState, seq: u64, parameter: usize, at: Timestamp) -> Observation {
    let code = [HEART_RATE, SPO2, PULSE_RATE_OXIMETER][parameter];
    let place = usize::from(parameter > 0).min(cart.devices.len() - 1);
    let value = Decimal::new(60 + i64::try_from(seq % 38).expect("small"), 0);
    Observation {
        record: RecordId { run: 7, seq },
        code,
        value: Phi::new(Value::Measured(value)),
        unit: if code == SPO2 { Unit::Percent } else { Unit::PerMinute },
        effective: at,
        received: at,
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![],
        device: cart.devices[place].id,
        subject: cart.subject,
        provenance: Provenance::Simulated,
    }
}
