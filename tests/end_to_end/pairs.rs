//! Every pair of factors on the real stack: a badge and an independent PIV card in virtual readers of a
//! real pcscd, and a finger on the virtual reader of a real libfprint.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::story::{first_start, log_in_as_it};
use kit::house::{House, Kiosk, until};
use kit::readers::pcscd::PORTS;
use kit::readers::piv_card::{self, Desk, Inserted, PivCard};

const BADGE: [u8; 7] = [0x04, 0xC8, 0x17, 0x6A, 0x33, 0x90, 0x82];
const PIN: &str = "602214";
const NURSE: &str = "Yara Nightingale";
const INITIALS: &str = "YN";
const FAMILY: &str = "Brückner";
/// Touches that make a template on libfprint's virtual reader.
const STAGES: usize = 5;
/// A contact card is read before it is told: pcscd's 400 ms, and the reading.
const INSERTED: Duration = Duration::from_millis(900);

/// What keeps this story from being told here, if anything.
pub fn missing() -> Option<&'static str> {
    let has_libfprint = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
        .iter()
        .any(|dir| Path::new(dir).join("libfprint-2.so.2").exists());
    if has_libfprint { piv_card::missing() } else { Some("libfprint-2-2 is not installed") }
}

pub fn tell(house: &mut House) {
    let desk = Desk::open();
    let card = desk.card(NURSE);
    let state = house.scratch.path().join("pairs");
    let config = house.scratch.path().join("pairs.toml");
    let trust = desk.cards().trust;
    std::fs::write(&config, format!("[cards]\ntrust = \"{}\"\n", trust.display())).expect("a file");
    let finger = house.scratch.path().join("finger");
    let mut kiosk = house.start_with(&state, &config, &finger);

    let _words = first_start(house, &mut kiosk);
    enrol(house, &mut kiosk, &card, &finger);
    code_then_pin(house, &mut kiosk);
    badge_and_pin(house, &mut kiosk);
    badge_and_finger(house, &mut kiosk, &finger);
    card_and_pin(&mut kiosk, &card);
    card_and_finger(&mut kiosk, &card, &finger);
    wrong_fingers(house, &mut kiosk, &finger);
    emergency(house, &mut kiosk);
    desk.revoke(&card);
    revoked_by_its_issuer(&mut kiosk, &card);
    revoked_here(house, &mut kiosk);
    kiosk.end();
}

/// One nurse with a badge and a one-time code, a card with its sign test, and a finger.
fn enrol(house: &House, kiosk: &mut Kiosk, card: &PivCard, finger: &Path) {
    log_in_as_it(house, kiosk);
    kiosk.press("Add a person");
    kiosk.fill("Full name", NURSE);
    kiosk.press("Continue");
    kiosk.sees("Badge: tap 1 of 2");
    house.tap_twice(&BADGE, || kiosk.sees("Badge: tap 2 of 2"));
    kiosk.sees("Choose a PIN");
    kiosk.press("Give a one-time code instead");
    kiosk.sees("Code");
    let code = kiosk.value("Code").expect("the code is shown");
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(digits.len(), 8, "a one-time code");
    std::fs::write(code_file(house), &digits).expect("a slip of paper");
    kiosk.hold("I have handed it over");

    kiosk.press("Enrol a card too");
    kiosk.sees("Card: insert it");
    let inserted = insert(card);
    kiosk.sees("Enter the card's PIN");
    kiosk.pin(piv_card::PIN);
    kiosk.press("Continue");
    kiosk.press("Enrol a finger too");
    inserted.pull();
    kiosk.press("Right index finger");
    for _ in 0..STAGES {
        touch(kiosk, finger, "right");
    }
    kiosk.press("That is all");
    lock(kiosk);
}

/// Stands for the slip of paper that the code is written on.
fn code_file(house: &House) -> PathBuf {
    house.scratch.path().join("slip")
}

/// The first login with the code ends with a PIN of their own; the code is good for nothing after.
fn code_then_pin(house: &House, kiosk: &mut Kiosk) {
    let code = std::fs::read_to_string(code_file(house)).expect("the slip of paper");
    std::fs::remove_file(code_file(house)).expect("torn up");
    house.tap(&BADGE);
    kiosk.sees("Enter your PIN");
    kiosk.pin(&code);
    kiosk.press("Unlock");
    choose_own(kiosk);
    kiosk.shows("Operator", INITIALS);
    kiosk.press("New patient");
    kiosk.fill("Family name", FAMILY);
    kiosk.fill("Given name", "Ernst");
    kiosk.press("Save");
    kiosk.shows("Patient", "BRÜCKNER, Ernst");
    lock(kiosk);
    house.tap(&BADGE);
    kiosk.sees("Enter your PIN");
    kiosk.pin(&code);
    kiosk.press("Unlock");
    kiosk.sees("Notice");
    kiosk.press("Cancel");
    kiosk.sees("Tap your badge");
}

fn choose_own(kiosk: &mut Kiosk) {
    kiosk.sees("Choose your PIN");
    kiosk.pin(PIN);
    kiosk.press("Continue");
    kiosk.sees("Type the PIN again");
    kiosk.pin(PIN);
    kiosk.press("Continue");
}

fn badge_and_pin(house: &House, kiosk: &mut Kiosk) {
    house.tap(&BADGE);
    kiosk.sees("Enter your PIN");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    opens(kiosk);
    lock(kiosk);
}

/// Inside the shift the finger stands beside the pad, and whichever comes first counts.
fn badge_and_finger(house: &House, kiosk: &mut Kiosk, finger: &Path) {
    house.tap(&BADGE);
    kiosk.sees("Or use your finger");
    touch(kiosk, finger, "right");
    opens(kiosk);
    lock(kiosk);
    house.tap(&BADGE);
    kiosk.sees("Or use your finger");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    opens(kiosk);
    lock(kiosk);
}

fn card_and_pin(kiosk: &mut Kiosk, card: &PivCard) {
    let inserted = insert(card);
    kiosk.sees("Enter your card's PIN");
    kiosk.pin(piv_card::PIN);
    kiosk.press("Unlock");
    opens(kiosk);
    inserted.pull();
    kiosk.sees("Tap your badge");
    assert_eq!(kiosk.value("Patient"), None, "a pulled card conceals");
}

fn card_and_finger(kiosk: &mut Kiosk, card: &PivCard, finger: &Path) {
    let inserted = insert(card);
    kiosk.sees("Or use your finger");
    touch(kiosk, finger, "right");
    opens(kiosk);
    inserted.pull();
    kiosk.sees("Tap your badge");
}

/// Five fingers that do not match end the shift: from then on it takes the PIN.
fn wrong_fingers(house: &House, kiosk: &mut Kiosk, finger: &Path) {
    house.tap(&BADGE);
    kiosk.sees("Or use your finger");
    for _ in 0..5 {
        touch(kiosk, finger, "stranger");
    }
    kiosk.sees("PIN only");
    kiosk.press("Cancel");
    kiosk.sees("Tap your badge");
    house.tap(&BADGE);
    kiosk.sees("Enter your PIN");
    assert_eq!(kiosk.value("Or use your finger"), None, "the shift is over");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    opens(kiosk);
    lock(kiosk);
}

/// One enrolled badge and a reason show the patient at this bed, and nothing else can be reached.
fn emergency(house: &House, kiosk: &mut Kiosk) {
    kiosk.press("Emergency view");
    house.tap(&BADGE);
    kiosk.press("A life is in danger");
    kiosk.sees("EMERGENCY VIEW");
    kiosk.shows("Patient", "BRÜCKNER, Ernst");
    for page in ["Patients", "Devices", "Bedside", "People"] {
        assert_eq!(kiosk.ask(&["press", page]), None, "{page} in the emergency view");
    }
    kiosk.press("Close the emergency view");
    kiosk.sees("Tap your badge");
    assert_eq!(kiosk.value("Patient"), None);
}

/// The issuer's new list counts at the next insertion, without a restart.
fn revoked_by_its_issuer(kiosk: &mut Kiosk, card: &PivCard) {
    let inserted = insert(card);
    kiosk.sees("Enter your card's PIN");
    kiosk.pin(piv_card::PIN);
    kiosk.press("Unlock");
    kiosk.sees("Tap your badge");
    assert_eq!(kiosk.value("Operator"), None);
    inserted.pull();
}

/// A person whom IT takes away cannot log in again, shift or no shift.
fn revoked_here(house: &House, kiosk: &mut Kiosk) {
    log_in_as_it(house, kiosk);
    kiosk.press(NURSE);
    kiosk.hold("Take this person away");
    until("the person is gone from the list", || {
        kiosk.value("Add a person").is_some() && kiosk.value(NURSE).is_none()
    });
    lock(kiosk);
    house.tap(&BADGE);
    kiosk.sees("Enter your PIN");
    kiosk.pin(PIN);
    kiosk.press("Unlock");
    kiosk.sees("Notice");
    assert_eq!(kiosk.value("Operator"), None);
    kiosk.press("Cancel");
    kiosk.sees("Tap your badge");
}

fn opens(kiosk: &mut Kiosk) {
    kiosk.shows("Operator", INITIALS);
    kiosk.shows("Patient", "BRÜCKNER, Ernst");
}

fn lock(kiosk: &mut Kiosk) {
    kiosk.press("Lock");
    kiosk.sees("Tap your badge");
    // pcscd has to see that the last badge was taken away.
    std::thread::sleep(INSERTED);
}

fn insert(card: &PivCard) -> Inserted {
    let inserted = card.insert(PORTS[1]);
    std::thread::sleep(INSERTED);
    inserted
}

/// Lays a finger on the reader, as soon as the kiosk waits for one.
fn touch(kiosk: &Kiosk, reader: &Path, finger: &str) {
    // What comes while the reader is being claimed is lost.
    std::thread::sleep(Duration::from_millis(300));
    until("the fingerprint reader waits", || {
        if !kiosk.is_asleep("fingerprint") {
            return false;
        }
        let Ok(mut reader) = UnixStream::connect(reader) else { return false };
        reader.write_all(format!("SCAN {finger}").as_bytes()).is_ok()
    });
}
