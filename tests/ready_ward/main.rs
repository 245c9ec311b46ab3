//! The first minutes of a newcomer, from outside: `wardkeep --simulate` on a ready ward, without a display.
//!
//! Two processes. This one plays the newcomer; the puppet is the program as its `main` starts it, kiosk
//! and bench, and lets the newcomer press and read by accessible label. When the bench cuts the power or
//! starts over, the puppet becomes the same program again, as the real one does.

mod newcomer;
mod puppet;

use std::time::Duration;

use newcomer::{Newcomer, until};

/// The words of the bench.
const CUT: &str = "Power cut: stop the kiosk without a farewell";
const EMPTY: &str = "Start empty: the first start of a new cart";
const READY: &str = "Start again on a ready ward";
/// The lock screen while both devices are live.
const LIVE: &str = "2 of 2 devices live · no alarms";
const WRONG: &str = "935270";
/// What of the patient must not be seen while locked (S-1).
const OF_PATIENT: [&str; 6] = ["okonkwo", "margaret", "4471", "1944", "penicillin", "heart rate"];

fn main() {
    if puppet::is_wanted() {
        return puppet::run();
    }
    let arguments: Vec<String> = std::env::args().collect();
    let tests: [(&str, fn()); 4] = [
        ("s1_one_tap_and_a_pin_show_live_vitals", s1_one_tap_and_a_pin_show_live_vitals),
        ("a_power_cut_keeps_the_ward", a_power_cut_keeps_the_ward),
        ("start_empty_leads_to_the_first_start", start_empty_leads_to_the_first_start),
        ("a_named_directory_is_kept", a_named_directory_is_kept),
    ];
    report(&tests, &arguments);
}

#[expect(clippy::print_stdout, reason = "a test program without a harness reports by itself")]
fn report(tests: &[(&str, fn())], arguments: &[String]) {
    if arguments.iter().any(|argument| argument == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return;
    }
    let words: Vec<&String> = arguments.iter().skip(1).filter(|w| !w.starts_with("--")).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(*word));
    let mut passed = 0;
    for (name, test) in tests.iter().filter(|(name, _)| wanted(name)) {
        test();
        println!("test {name} ... ok");
        passed += 1;
    }
    println!("test result: ok. {passed} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}

/// S-1: monitoring goes on behind the lock screen and nothing of the patient is seen; a wrong PIN opens
/// nothing; the badge and the PIN that stands on it do.
fn s1_one_tap_and_a_pin_show_live_vitals() {
    let mut newcomer = Newcomer::arrives(&[]);
    newcomer.sees("kiosk", "Tap your badge");
    newcomer.tells_how_long("the lock screen");
    newcomer.shows("kiosk", "Devices", LIVE);
    newcomer.tells_how_long("both devices live");
    let texts = newcomer.texts("kiosk").to_lowercase();
    for word in OF_PATIENT {
        assert!(!texts.contains(word), "{word} on the lock screen: {texts}");
    }

    newcomer.press("bench", "Tap the badge of Amara Kone");
    newcomer.type_pin(WRONG);
    newcomer.sees("kiosk", "Notice");
    assert_eq!(newcomer.value("kiosk", "Operator"), None);
    assert_eq!(newcomer.value("kiosk", "Patient"), None);
    newcomer.press("kiosk", "Cancel");
    newcomer.sees("kiosk", "Tap your badge");

    newcomer.unlocks_as("Amara Kone");
    newcomer.tells_how_long("live vitals");
    newcomer.shows("kiosk", "Patient", "OKONKWO-BRANDT, Margaret");
    for (vital, unit) in [("Heart rate", "/min"), ("SpO2", "%"), ("Pulse rate", "/min")] {
        until(&format!("a live {vital}"), || {
            let value = newcomer.value("kiosk", vital).unwrap_or_default();
            let number = value.strip_suffix(unit).map(|digits| digits.trim().parse::<u32>());
            matches!(number, Some(Ok(1..)))
        });
    }
    newcomer.press("kiosk", "Lock");
    newcomer.sees("kiosk", "Tap your badge");
    assert_eq!(newcomer.value("kiosk", "Heart rate"), None);

    // The other people of the ward get in as well; a stranger has no PIN to type.
    for name in ["Ines Kaya", "Jörg Weißmüller"] {
        newcomer.unlocks_as(name);
        newcomer.press("kiosk", "Lock");
        newcomer.sees("kiosk", "Tap your badge");
    }
    assert_eq!(newcomer.pin_on_the_badge_of("Tom Elsewhere"), None);
    assert_eq!(newcomer.wards().len(), 1);
    newcomer.ends();
    assert!(newcomer.wards().is_empty(), "left behind: {:?}", newcomer.wards());
}

fn a_power_cut_keeps_the_ward() {
    let mut newcomer = Newcomer::arrives(&[]);
    newcomer.shows("kiosk", "Devices", LIVE);
    let ward = newcomer.wards();
    newcomer.leaves_by("bench", CUT);
    newcomer.shows("kiosk", "Devices", LIVE);
    assert_eq!(newcomer.wards(), ward);
    newcomer.unlocks_as("Amara Kone");
    newcomer.shows("kiosk", "Patient", "OKONKWO-BRANDT, Margaret");
    newcomer.ends();
    assert!(newcomer.wards().is_empty(), "left behind: {:?}", newcomer.wards());
}

fn start_empty_leads_to_the_first_start() {
    let mut newcomer = Newcomer::arrives(&[]);
    newcomer.sees("kiosk", "Tap your badge");
    let ward = newcomer.wards();
    newcomer.leaves_by("bench", EMPTY);
    newcomer.sees("kiosk", "Begin");
    let bench = newcomer.texts("bench");
    assert_eq!(bench.matches("choose a PIN").count(), 4, "{bench}");
    assert!(!bench.contains("PIN 2"), "{bench}");
    let second = newcomer.wards();
    assert_eq!(second.len(), 1);
    assert_ne!(second, ward, "the first ward is forgotten");
    newcomer.leaves_by("bench", READY);
    newcomer.shows("kiosk", "Devices", LIVE);
    newcomer.ends();
    assert!(newcomer.wards().is_empty(), "left behind: {:?}", newcomer.wards());
}

fn a_named_directory_is_kept() {
    let named = tempfile::tempdir().expect("a temporary directory");
    let state = named.path().join("ward");
    let words = ["--state", state.to_str().expect("a path in plain letters")];
    for _ in 0..2 {
        let mut newcomer = Newcomer::arrives(&words);
        newcomer.shows("kiosk", "Devices", LIVE);
        assert!(newcomer.wards().is_empty());
        newcomer.ends();
        assert!(state.join("store").exists(), "a named directory stays");
    }
    let mut newcomer = Newcomer::arrives(&["--keep"]);
    newcomer.sees("kiosk", "Tap your badge");
    std::thread::sleep(Duration::from_millis(100));
    newcomer.ends();
    assert_eq!(newcomer.wards().len(), 1, "asked to keep it");
}
