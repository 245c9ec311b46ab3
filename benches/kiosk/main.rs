//! What a person waits for, measured from outside on the real stack: pixels in the X server's frame
//! buffer, D-Bus notifications, the process's own accounting.
//!
//! `cargo bench --features sim --bench kiosk` prints medians (and more where a bar asks for it);
//! with `WARDKEEP_BENCH=backlog` only what a person sees while a backlog is taken over, with `alarm` no more than
//! what comes before that.

mod alarm;
mod backlog;
mod login;
mod meter;

use std::io::{ErrorKind, Write};
use std::time::Duration;

use kit::house::{self, House, Kiosk, puppet, until};
use kit::readers::piv_card;
use kit::{namespace, process};
use meter::Screen;
use wardkeep_model::moment::Moment;

/// `action` and `heart` of the night theme as the frame buffer holds them: B, G, R.
const ACTION: [u8; 3] = [0xFF, 0xA8, 0x8F];
const HEART: [u8; 3] = [0xA0, 0xD9, 0x66];
const IT: [u8; 7] = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80];
const NURSE: [u8; 7] = [0x04, 0xB7, 0x5E, 0x21, 0x90, 0x66, 0x81];
const PIN: &str = "471108";
/// On the simulated bedside, near at start.
const SIMULATED_DEVICES: [&str; 2] = ["CardioStrap 7", "FingerOx 3"];

fn main() {
    if puppet::is_wanted() {
        return puppet::run();
    }
    // Built before the namespaces are entered: inside there is no network.
    piv_card::program();
    namespace::isolated("kiosk", || house::enter(measure));
    if !process::is_inside() {
        print_figures();
    }
}

/// Where the figures of one run stand: the isolation keeps the standard output of a run to itself.
const FIGURES: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/kiosk-figures.txt");

fn say(line: &str) {
    let mut file =
        std::fs::OpenOptions::new().create(true).append(true).open(FIGURES).expect("a file");
    file.write_all(format!("{line}\n").as_bytes()).expect("room for a line");
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print_figures() {
    match std::fs::read_to_string(FIGURES) {
        Ok(figures) => print!("{figures}"),
        // Skipped, which was said with its reason.
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => panic!("the figures of this run cannot be read: {error}"),
    }
    std::fs::remove_file(FIGURES).expect("our own file");
}

fn measure(house: &mut House) {
    let only = std::env::var("WARDKEEP_BENCH").unwrap_or_default();
    if only == "backlog" {
        return backlog::measure(house);
    }
    let mut kiosk = house.power_on();
    first_start(&mut kiosk, |_| house.tap(&IT));
    log_in(house, &mut kiosk, &IT);
    login::enrol(&mut kiosk, "Nurse Bench", |_| house.tap(&NURSE));
    kiosk.press("That is all");
    lock(&mut kiosk);
    unlock_times(house, &mut kiosk);
    notification_to_pixel(house, &mut kiosk);
    alarm::measure(house);
    if only == "alarm" {
        return kiosk.end();
    }
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
    kiosk.end();
    start_to_lock_screen(house);
    login::measure(house);
    load(house);
    backlog::measure(house);
}

fn log_in(house: &House, kiosk: &mut Kiosk, badge: &[u8]) {
    house.tap(badge);
    kiosk.sees("Enter your PIN");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    kiosk.sees("Operator");
}

fn lock(kiosk: &mut Kiosk) {
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
    // pcscd has to see that the last badge was taken away.
    std::thread::sleep(Duration::from_millis(900));
}

fn first_start(kiosk: &mut Kiosk, tap: impl Fn(&mut Kiosk)) {
    kiosk.press("Begin");
    kiosk.fill("Full name", "Bench Bench");
    kiosk.press("Continue");
    kiosk.sees("Tap your badge");
    tap(kiosk);
    for _ in 0..2 {
        kiosk.sees("PIN");
        kiosk.pin(PIN);
        kiosk.press("Continue");
    }
    kiosk.sees("Word 24");
    kiosk.hold("I have written it down");
    kiosk.sees("Tap your badge");
}

/// Last touch of the PIN to the first pixel of the bedside, and the lock button to the lock screen.
fn unlock_times(house: &House, kiosk: &mut Kiosk) {
    let screen = Screen::open(&house.frame_buffer());
    let (mut unlocks, mut locks) = (vec![], vec![]);
    for round in 0..8 {
        house.tap(&NURSE);
        kiosk.sees("Enter your PIN");
        kiosk.pin(PIN);
        if round == 0 {
            kiosk.press("Unlock");
            kiosk.sees("There are no patients yet");
            kiosk.press("New patient");
            kiosk.fill("Family name", "Bench");
            kiosk.fill("Given name", "Mark");
            kiosk.press("Save");
            kiosk.sees("Patient");
            devices(house, kiosk);
        } else {
            let pressed = kiosk.press_at("Unlock");
            unlocks.push(screen.time(pressed, |screen| screen.holds(HEART)));
        }
        std::thread::sleep(Duration::from_millis(400));
        let pressed = kiosk.press_at("Lock");
        locks.push(screen.time(pressed, |screen| !screen.holds(HEART)));
    }
    report("last touch of the PIN to the first bedside frame", &mut unlocks);
    report("lock button to the lock screen", &mut locks);
}

fn devices(house: &House, kiosk: &mut Kiosk) {
    house.bluez.add_device(house.strap.clone());
    house.bluez.add_device(house.clip.clone());
    kiosk.press("Devices");
    for name in ["Heart strap 07", "Oximeter 21"] {
        kiosk.press(&format!("Connect {name}"));
        kiosk.press(&format!("Assign {name}"));
    }
    until("both devices are heard", || house.is_heard());
    kiosk.press("Bedside");
}

fn notification_to_pixel(house: &House, kiosk: &mut Kiosk) {
    house.tap(&NURSE);
    kiosk.sees("Enter your PIN");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    kiosk.sees("Heart rate");
    let screen = Screen::open(&house.frame_buffer());
    // The strap's numeral: the left third below the strip and the banner.
    let numeral = |screen: &Screen| -> Vec<u8> {
        let rows = screen.rows(200, 720);
        rows.chunks_exact(screen.stride).flat_map(|row| row[480..480 + 1200].to_vec()).collect()
    };
    let mut times = vec![];
    for round in 0..120_u8 {
        let value = if round % 2 == 0 { 72 } else { 98 };
        // Out of step with anything periodic.
        std::thread::sleep(Duration::from_millis(150 + u64::from(round) * 7 % 101));
        let before = numeral(&screen);
        let sent = Moment::read();
        house.runtime.block_on(async {
            assert!(house.bluez.notify(house.strap.device, 0x2A37, &[0x06, value]).await);
        });
        times.push(screen.time(sent, |screen| numeral(screen) != before));
    }
    report("notification on D-Bus to pixel", &mut times);
}

/// The shipped binary, from its start to the first frame of the lock screen.
fn start_to_lock_screen(house: &House) {
    let screen = Screen::open(&house.frame_buffer());
    let state = house.state.to_str().expect("a path in plain letters");
    let mut times = vec![];
    for _ in 0..9 {
        until("an empty screen", || !screen.holds(ACTION));
        let started = Moment::read();
        let mut program =
            house.start_program(env!("CARGO_BIN_EXE_wardkeep"), &["--windowed", "--state", state]);
        times.push(screen.time(started, |screen| screen.holds(ACTION)));
        program.kill().expect("our own child");
        program.wait().expect("our own child");
        std::thread::sleep(Duration::from_millis(500));
    }
    report("start to the first frame of the lock screen", &mut times);
}

/// Two devices and one waveform at 30 frames a second, for 20 s.
fn load(house: &House) {
    let state = house.state.with_file_name("simulated");
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
    std::thread::sleep(Duration::from_secs(3));
    let (before, clock) = (cpu_seconds(kiosk.pid()), Moment::read());
    std::thread::sleep(Duration::from_secs(20));
    let used = cpu_seconds(kiosk.pid()) - before;
    let share = used / Moment::read().boot.since(clock.boot).as_secs_f64() * 100.0;
    say(&format!("two devices and a waveform, 20 s: CPU {share:.1} % of one core"));
    say(&format!("two devices and a waveform: RSS {} MiB", resident_mib(kiosk.pid())));
    kiosk.end();
}

/// The nurse logs in, adds a patient and assigns the simulated devices.
fn admit_simulated(kiosk: &mut Kiosk) {
    kiosk.tap_simulated("nurse");
    kiosk.sees("Enter your PIN");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    kiosk.sees("There are no patients yet");
    kiosk.press("New patient");
    kiosk.fill("Family name", "Bench");
    kiosk.fill("Given name", "Mark");
    kiosk.press("Save");
    kiosk.sees("Patient");
    kiosk.press("Devices");
    for name in SIMULATED_DEVICES {
        kiosk.press(&format!("Connect {name}"));
        kiosk.press(&format!("Assign {name}"));
    }
    kiosk.press("Bedside");
    kiosk.sees("Pleth");
}

fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("our own child");
    let fields: Vec<&str> =
        stat.rsplit(") ").next().expect("fields after the name").split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}

fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("our own child");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
    let kib: u64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("KiB");
    kib / 1024
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    let n = times.len();
    say(&format!(
        "{what}: median {:.1} ms, p95 {:.1} ms, longest {:.1} ms of {n}",
        at(50),
        at(95),
        at(100)
    ));
}
