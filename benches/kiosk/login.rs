//! What a person waits for at login: from the token that is laid down to the first frame.
//!
//! Badge and card lie in virtual readers of a real pcscd, which looks every 400 ms; that wait is in the
//! figures, as it is with most real readers.

use std::time::Duration;

use wardkeep_model::moment::Moment;

use crate::meter::Screen;
use crate::{HEART, PIN, devices, first_start, lock, log_in, report};
use kit::house::{House, Kiosk};
use kit::readers::pcscd::PORTS;
use kit::readers::piv_card::{self, Desk};
use kit::readers::vpcd::{Script, VirtualBadge};

const IT: [u8; 7] = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80];
const NURSE: [u8; 7] = [0x04, 0xB7, 0x5E, 0x21, 0x90, 0x66, 0x81];
const OTHER: [u8; 7] = [0x04, 0xC8, 0x17, 0x6A, 0x33, 0x90, 0x82];
const ROUNDS: usize = 8;
/// pcscd has to see that something was taken away.
const AWAY: Duration = Duration::from_millis(900);

/// IT adds a nurse with this badge.
pub fn enrol(kiosk: &mut Kiosk, name: &str, tap: impl Fn(&mut Kiosk)) {
    kiosk.press("Add a person");
    kiosk.fill("Full name", name);
    kiosk.press("Continue");
    kiosk.sees("Badge: tap 1 of 2");
    tap(kiosk);
    kiosk.sees("Badge: tap 2 of 2");
    std::thread::sleep(AWAY);
    tap(kiosk);
    for heading in ["Choose a PIN", "Type the PIN again"] {
        kiosk.sees(heading);
        kiosk.pin(PIN);
        kiosk.press("Continue");
    }
}

/// Every way in, on a cart where the site lets a tap alone open inside a shift.
pub fn measure(house: &House) {
    let desk = Desk::open();
    let card = desk.card("Bench Mark");
    let state = house.scratch.path().join("login");
    let config = house.scratch.path().join("login.toml");
    let trust = desk.cards().trust;
    let settings = |tap: bool| {
        let text =
            format!("[login]\ntap_alone = {tap}\n[cards]\ntrust = \"{}\"\n", trust.display());
        std::fs::write(&config, text).expect("a file");
    };
    let finger = house.scratch.path().join("finger");

    settings(false);
    let mut kiosk = house.start_with(&state, &config, &finger);
    first_start(&mut kiosk, |_| house.tap(&IT));
    log_in(house, &mut kiosk, &IT);
    enrol(&mut kiosk, "Bench Mark", |_| house.tap(&NURSE));
    kiosk.press("Enrol a card too");
    let inserted = card.insert(PORTS[1]);
    kiosk.sees("Enter the card's PIN");
    kiosk.pin(piv_card::PIN);
    kiosk.press("Continue");
    kiosk.press("That is all");
    inserted.pull();
    kiosk.press("People");
    enrol(&mut kiosk, "Other Person", |_| house.tap(&OTHER));
    kiosk.press("That is all");
    lock(&mut kiosk);
    log_in(house, &mut kiosk, &NURSE);
    kiosk.press("New patient");
    kiosk.fill("Family name", "Bench");
    kiosk.fill("Given name", "Mark");
    kiosk.press("Save");
    kiosk.sees("Patient");
    devices(house, &mut kiosk);
    lock(&mut kiosk);

    let screen = Screen::open(&house.frame_buffer());
    prompts(&mut kiosk);
    cards(&mut kiosk, &screen, &card);
    switches(house, &mut kiosk, &screen);
    kiosk.end();

    settings(true);
    let mut kiosk = house.start_with(&state, &config, &finger);
    log_in(house, &mut kiosk, &NURSE);
    kiosk.sees("Heart rate");
    lock(&mut kiosk);
    taps(&mut kiosk, &screen);
    kiosk.end();
}

fn lay(uid: [u8; 7]) -> (VirtualBadge, Moment) {
    let laid = Moment::read();
    (VirtualBadge::lay(PORTS[0], Script::Uid(uid.to_vec())), laid)
}

fn since(laid: Moment) -> Duration {
    Moment::read().boot.since(laid.boot)
}

fn prompts(kiosk: &mut Kiosk) {
    let mut times = vec![];
    for _ in 0..ROUNDS {
        std::thread::sleep(AWAY);
        let (badge, laid) = lay(NURSE);
        kiosk.sees_at_once("Enter your PIN");
        times.push(since(laid));
        badge.lift();
        kiosk.press("Cancel");
        kiosk.sees("Tap your badge");
    }
    report("badge laid down to the PIN pad (pcscd's 400 ms included)", &mut times);
}

fn cards(kiosk: &mut Kiosk, screen: &Screen, card: &piv_card::PivCard) {
    let (mut prompts, mut opens, mut locks) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        std::thread::sleep(AWAY);
        let laid = Moment::read();
        let inserted = card.insert(PORTS[1]);
        kiosk.sees_at_once("Enter your card's PIN");
        prompts.push(since(laid));
        kiosk.pin(piv_card::PIN);
        let pressed = kiosk.press_at("Unlock");
        opens.push(screen.time(pressed, |screen| screen.holds(HEART)));
        std::thread::sleep(Duration::from_millis(400));
        let pulled = Moment::read();
        inserted.pull();
        locks.push(screen.time(pulled, |screen| !screen.holds(HEART)));
    }
    report("card inserted to its PIN pad (pcscd's 400 ms included)", &mut prompts);
    report("last touch of the card's PIN to the first bedside frame", &mut opens);
    report("card pulled to the lock screen (pcscd's 400 ms included)", &mut locks);
}

fn switches(house: &House, kiosk: &mut Kiosk, screen: &Screen) {
    let (mut prompts, mut opens) = (vec![], vec![]);
    log_in(house, kiosk, &NURSE);
    for round in 0..ROUNDS {
        std::thread::sleep(AWAY);
        let (badge, laid) = lay(if round % 2 == 0 { OTHER } else { NURSE });
        prompts.push(screen.time(laid, |screen| !screen.holds(HEART)));
        kiosk.sees_at_once("Enter your PIN");
        badge.lift();
        kiosk.pin(PIN);
        let pressed = kiosk.press_at("Unlock");
        opens.push(screen.time(pressed, |screen| screen.holds(HEART)));
    }
    lock(kiosk);
    report("another badge laid down to the first one's data gone", &mut prompts);
    report("last touch of the other's PIN to their first bedside frame", &mut opens);
}

fn taps(kiosk: &mut Kiosk, screen: &Screen) {
    let mut times = vec![];
    for _ in 0..ROUNDS {
        std::thread::sleep(AWAY);
        let (badge, laid) = lay(NURSE);
        times.push(screen.time(laid, |screen| screen.holds(HEART)));
        badge.lift();
        lock(kiosk);
    }
    report("repeat tap inside a shift to the first bedside frame (400 ms included)", &mut times);
}
