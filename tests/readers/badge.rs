//! The badge driver against a real pcscd with virtual readers and scripted badges.
//!
//! Each test has its own pcscd in its own namespaces. Taps last 600 ms or more unless a short one is
//! the point: pcscd looks every 400 ms.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, channel};
use wardkeep_hardware::pcsc::{SmartcardHandle, spawn};
use wardkeep_hardware::trust::Trust;
use wardkeep_model::access::cards::Cards;
use wardkeep_model::access::readers::AllowedReaders;
use wardkeep_model::access::refusal::ReaderRefusal;
use wardkeep_model::ports::BadgeFault::{LeftTooSoon, Two, Unreadable};
use wardkeep_model::ports::ReaderHealth::{NotFitted, Ready, ServiceDown};
use wardkeep_model::ports::ReaderKind::{Badge as BadgeReader, SmartCard};
use wardkeep_model::ports::{Event, ReaderHealth};

use kit::namespace::{isolated, skipped};
use kit::readers::pcscd::{PORTS, Pcscd, until_empty, until_present};
use kit::readers::vpcd::{CONTACT_ATR, Script, VirtualBadge};

const TAP: Duration = Duration::from_millis(600);
/// Longest wait for an event that must come; reached only by a driver that is dead.
const SOON: Duration = Duration::from_secs(60);
/// A silent badge is given up after two seconds, any other after six; pcscd and a loaded machine may add
/// to the two.
const GIVEN_UP: Duration = Duration::from_millis(5_500);
/// The handle waits a second for its thread, which by itself would end after five; a loaded machine may
/// add to the one.
const ENDED: Duration = Duration::from_secs(3);
/// Longer than pcscd needs to notice anything.
const QUIET: Duration = Duration::from_millis(1_200);
const A: u16 = PORTS[0];
const B: u16 = PORTS[1];

/// The driver under test and what it says.
struct Bench {
    driver: SmartcardHandle,
    events: Receiver<Event>,
    clock: tokio::runtime::Runtime,
    refused: Vec<(String, ReaderRefusal)>,
}

impl Bench {
    fn new() -> Self {
        Self::allowing(&[])
    }

    /// A driver for a site that allows readers whose names begin like this.
    fn allowing(names: &[&str]) -> Self {
        let allowed = AllowedReaders(names.iter().map(|name| (*name).to_owned()).collect());
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let (sender, events) = channel(256);
        let driver = spawn(sender, Trust::load(&Cards::default()), allowed).expect("a thread");
        Self { driver, events, clock: clock.expect("a runtime"), refused: vec![] }
    }

    /// A driver that has reported `health` of badge readers at start.
    fn reporting(health: ReaderHealth) -> Self {
        let mut bench = Self::new();
        bench.expect(&word(&Event::Reader(BadgeReader, health)));
        let other = if health == Ready { NotFitted } else { health };
        bench.expect(&word(&Event::Reader(SmartCard, other)));
        bench
    }

    /// The next event in a word; what is for the log alone is kept aside.
    fn next(&mut self, patience: Duration) -> Option<String> {
        loop {
            let next = async { tokio::time::timeout(patience, self.events.recv()).await };
            match self.clock.block_on(next).ok().flatten() {
                Some(Event::ReaderRefused { reader, what }) => self.refused.push((reader, what)),
                event => return event.map(|event| word(&event)),
            }
        }
    }

    fn expect(&mut self, expected: &str) {
        assert_eq!(self.next(SOON).as_deref(), Some(expected));
    }

    fn expect_nothing(&mut self) {
        assert_eq!(self.next(QUIET), None);
    }

    /// This is what comes of a tap too short to read. Caught by one of pcscd's looks, the badge may
    /// also have been read in time.
    fn expect_short_tap(&mut self, first: &str) {
        if first == "01020304" {
            self.expect("BadgeRemoved");
        } else {
            assert_eq!(first, unreadable(LeftTooSoon));
        }
    }
}

/// An event in one word; a badge by its number.
fn word(event: &Event) -> String {
    if let Event::BadgePresented(badge) = event {
        return badge.uid().iter().map(|byte| format!("{byte:02X}")).collect();
    }
    format!("{event:?}")
}

fn unreadable(fault: wardkeep_model::ports::BadgeFault) -> String {
    word(&Event::BadgeUnreadable(fault))
}

/// Runs `body` in namespaces where a pcscd can be started, or says why not.
fn with_stack(test: &str, body: impl FnOnce()) {
    match Pcscd::missing() {
        Some(reason) => skipped(test, reason),
        None => isolated(&format!("badge::{test}"), body),
    }
}

fn uid(bytes: &[u8]) -> Script {
    Script::Uid(bytes.to_vec())
}

#[test]
fn badge_2_numbers_of_4_7_8_and_10_bytes_are_read() {
    with_stack("badge_2_numbers_of_4_7_8_and_10_bytes_are_read", || {
        let _pcscd = Pcscd::start();
        let mut bench = Bench::reporting(Ready);
        for (number, shown) in [
            (&[0x04, 0xA1, 0xB2, 0xC3][..], "04A1B2C3"),
            (&[0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80], "04A1B2C3D4E580"),
            // ISO/IEC 15693.
            (&[0xE0, 0x04, 0x01, 0x50, 0xA1, 0xB2, 0xC3, 0xD4], "E0040150A1B2C3D4"),
            (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "0102030405060708090A"),
        ] {
            let badge = VirtualBadge::lay(A, uid(number));
            bench.expect(shown);
            thread::sleep(TAP);
            badge.lift();
            bench.expect("BadgeRemoved");
        }
        bench.expect_nothing();
    });
}

/// A security module in a slot of its own, as dual readers have it; there before, or plugged in while the
/// kiosk runs.
const MODULE_ATR: [u8; 27] = [
    0x3B, 0xDF, 0x18, 0xFF, 0x81, 0xF1, 0xFE, 0x43, 0x00, 0x3F, 0x03, 0x83, 0x4D, 0x49, 0x46, 0x41,
    0x52, 0x45, 0x20, 0x50, 0x6C, 0x75, 0x73, 0x20, 0x53, 0x41, 0x4D,
];

#[test]
fn badge_1_a_slot_that_always_holds_a_security_module_takes_nobody_s_place() {
    let test = "badge_1_a_slot_that_always_holds_a_security_module_takes_nobody_s_place";
    with_stack(test, || {
        let mut pcscd = Pcscd::named(&[(A, "ACS ACR1252 1S CL Reader".to_owned())]);
        pcscd.restart();
        let module = VirtualBadge::lay_card(A + 1, &MODULE_ATR, Script::Silence);
        until_present(1);
        let mut bench = Bench::reporting(Ready);
        bench.expect_nothing();
        for _ in 0..2 {
            let badge = VirtualBadge::lay(A, uid(&[0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80]));
            bench.expect("04A1B2C3D4E580");
            thread::sleep(TAP);
            badge.lift();
            bench.expect("BadgeRemoved");
        }
        // Its slot loses it and has it again, as after a fault of the reader.
        drop(module);
        thread::sleep(QUIET);
        let _module = VirtualBadge::lay_card(A + 1, &MODULE_ATR, Script::Silence);
        bench.expect(&unreadable(Unreadable));
        let badge = VirtualBadge::lay(A, uid(&[1, 2, 3, 4]));
        bench.expect("01020304");
        badge.lift();
        bench.expect("BadgeRemoved");
    });
}

#[test]
fn badge_3_a_badge_that_is_still_settling_is_asked_again() {
    with_stack("badge_3_a_badge_that_is_still_settling_is_asked_again", || {
        let _pcscd = Pcscd::start();
        let mut bench = Bench::reporting(Ready);
        let mut asked = 0;
        let settling = move |command: &[u8]| {
            if command.first() != Some(&0xFF) {
                return None;
            }
            asked += 1;
            let number = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80, 0x90, 0x00];
            Some(if asked == 1 { vec![0x63, 0x00] } else { number.to_vec() })
        };
        let badge = VirtualBadge::lay(A, Script::Card(Arc::new(Mutex::new(settling))));
        bench.expect("04A1B2C3D4E580");
        badge.lift();
        bench.expect("BadgeRemoved");
        // One that never settles is told of, once.
        let badge = VirtualBadge::lay(A, Script::Bytes(vec![0x63, 0x00]));
        bench.expect(&unreadable(Unreadable));
        bench.expect_nothing();
        badge.lift();
        bench.expect("BadgeRemoved");
    });
}

#[test]
fn a_tap_too_short_to_read_is_never_mistaken() {
    with_stack("a_tap_too_short_to_read_is_never_mistaken", || {
        let _pcscd = Pcscd::start();
        let mut bench = Bench::reporting(Ready);
        for _ in 0..8 {
            let badge = VirtualBadge::lay(A, uid(&[1, 2, 3, 4]));
            thread::sleep(Duration::from_millis(50));
            badge.lift();
            if let Some(first) = bench.next(QUIET) {
                bench.expect_short_tap(&first);
            }
            thread::sleep(Duration::from_millis(37));
        }
        let badge = VirtualBadge::lay(A, uid(&[5, 6, 7, 8]));
        loop {
            match bench.next(SOON).expect("the badge is read").as_str() {
                "05060708" => break,
                late => bench.expect_short_tap(late),
            }
        }
        badge.lift();
        bench.expect("BadgeRemoved");
    });
}

#[test]
fn two_badges_are_a_fault_until_one_leaves() {
    with_stack("two_badges_are_a_fault_until_one_leaves", || {
        let _pcscd = Pcscd::start();
        let mut bench = Bench::reporting(Ready);
        let first = VirtualBadge::lay(A, uid(&[0xAA; 4]));
        bench.expect("AAAAAAAA");
        let second = VirtualBadge::lay(B, uid(&[0xBB; 7]));
        bench.expect(&unreadable(Two));
        bench.expect_nothing();
        first.lift();
        bench.expect("BadgeRemoved");
        bench.expect("BBBBBBBBBBBBBB");
        second.lift();
        bench.expect("BadgeRemoved");
        bench.expect_nothing();
    });
}

#[test]
fn one_reader_with_two_slots_can_see_two_badges() {
    with_stack("one_reader_with_two_slots_can_see_two_badges", || {
        let _pcscd = Pcscd::start();
        let mut bench = Bench::reporting(Ready);
        let first = VirtualBadge::lay(A, uid(&[0xAA; 4]));
        bench.expect("AAAAAAAA");
        let second = VirtualBadge::lay(A + 1, uid(&[0xBB; 4]));
        bench.expect(&unreadable(Two));
        second.lift();
        bench.expect_nothing();
        first.lift();
        bench.expect("BadgeRemoved");
    });
}

#[test]
fn answers_of_any_length_are_refused() {
    with_stack("answers_of_any_length_are_refused", || {
        let _pcscd = Pcscd::start();
        let mut bench = Bench::reporting(Ready);
        for length in [0, 1, 2, 5, 8, 14, 255, 300, 65_536] {
            let badge = VirtualBadge::lay(A, Script::Bytes(vec![0x90; length]));
            bench.expect(&unreadable(Unreadable));
            badge.lift();
            bench.expect("BadgeRemoved");
        }
        let badge = VirtualBadge::lay(A, Script::DropHalfway);
        bench.expect(&unreadable(Unreadable));
        bench.expect("BadgeRemoved");
        drop(badge);
        let badge = VirtualBadge::lay(A, uid(&[1, 2, 3, 4]));
        bench.expect("01020304");
        badge.lift();
        bench.expect("BadgeRemoved");
    });
}

#[test]
fn s4_a_contact_card_cannot_claim_a_badge_number() {
    with_stack("s4_a_contact_card_cannot_claim_a_badge_number", || {
        let _pcscd = Pcscd::start();
        let mut bench = Bench::reporting(Ready);
        let card = VirtualBadge::lay_card(A, &CONTACT_ATR, uid(&[1, 2, 3, 4]));
        // Its reader's name says nothing, so the card decides what kind of reader it is.
        bench.expect(&word(&Event::Reader(SmartCard, Ready)));
        bench.expect("Factor(CardUnreadable(NotPiv))");
        bench.expect_nothing();
        drop(card);
        bench.expect("Factor(CardRemoved)");
    });
}

#[test]
fn a_silent_card_holds_nothing_up() {
    with_stack("a_silent_card_holds_nothing_up", || {
        let _pcscd = Pcscd::start();
        let mut bench = Bench::reporting(Ready);
        let silent = VirtualBadge::lay(A, Script::Silence);
        assert_eq!(bench.next(GIVEN_UP), Some(unreadable(Unreadable)));
        let second = VirtualBadge::lay(B, uid(&[1, 2, 3, 4]));
        bench.expect("01020304");
        second.lift();
        bench.expect("BadgeRemoved");
        thread::sleep(QUIET);
        silent.lift();
        bench.expect_nothing();
        for port in [A, B] {
            let badge = VirtualBadge::lay(port, uid(&[1, 2, 3, 4]));
            bench.expect("01020304");
            badge.lift();
            bench.expect("BadgeRemoved");
        }
    });
}

#[test]
fn s1_a_dead_pcscd_ends_the_presence_of_a_badge_and_comes_back() {
    with_stack("s1_a_dead_pcscd_ends_the_presence_of_a_badge_and_comes_back", || {
        let mut pcscd = Pcscd::start();
        let mut bench = Bench::reporting(Ready);
        for number in 0..2_u8 {
            let badge = VirtualBadge::lay(A, uid(&[number; 4]));
            bench.expect(&format!("{number:02X}").repeat(4));
            if number == 0 {
                pcscd.kill();
            } else {
                pcscd.stop();
            }
            badge.lift();
            bench.expect("BadgeRemoved");
            bench.expect(&word(&Event::Reader(BadgeReader, ServiceDown)));
            bench.expect(&word(&Event::Reader(SmartCard, ServiceDown)));
            bench.expect_nothing();
            pcscd.restart();
            bench.expect(&word(&Event::Reader(BadgeReader, Ready)));
            bench.expect(&word(&Event::Reader(SmartCard, NotFitted)));
        }
        let badge = VirtualBadge::lay(A, uid(&[9; 4]));
        bench.expect("09090909");
        drop(badge);
    });
}

#[test]
fn a_pcscd_that_starts_late_is_found() {
    with_stack("a_pcscd_that_starts_late_is_found", || {
        let mut pcscd = Pcscd::prepared(&PORTS);
        let mut bench = Bench::reporting(ServiceDown);
        bench.expect_nothing();
        pcscd.restart();
        bench.expect(&word(&Event::Reader(BadgeReader, Ready)));
        bench.expect(&word(&Event::Reader(SmartCard, NotFitted)));
        let badge = VirtualBadge::lay(B, uid(&[7; 7]));
        bench.expect("07070707070707");
        drop(badge);
    });
}

#[test]
fn no_reader_is_said_and_is_no_failure() {
    with_stack("no_reader_is_said_and_is_no_failure", || {
        let mut pcscd = Pcscd::prepared(&[]);
        pcscd.restart();
        let mut bench = Bench::reporting(NotFitted);
        bench.expect_nothing();
    });
}

#[test]
fn dropping_the_handle_ends_the_thread() {
    with_stack("dropping_the_handle_ends_the_thread", || {
        let pcscd = Pcscd::start();
        for script in [None, Some(uid(&[1, 2, 3, 4])), Some(Script::Silence)] {
            let mut bench = Bench::reporting(Ready);
            let badge = script.map(|script| VirtualBadge::lay(A, script));
            if badge.is_some() {
                assert!(bench.next(SOON).is_some());
            }
            drop_in_time(bench);
            drop(badge);
            until_empty(0);
        }
        drop(pcscd);
        drop_in_time(Bench::reporting(ServiceDown));
    });
}

/// The thread is gone when the channel's last sender is.
fn drop_in_time(bench: Bench) {
    let Bench { driver, mut events, clock, refused: _ } = bench;
    let ended = async { while events.recv().await.is_some() {} };
    let ended = clock.block_on(async {
        drop(driver);
        tokio::time::timeout(ENDED, ended).await
    });
    assert!(ended.is_ok(), "the thread goes on");
}

/// What lies there for ever is told once, by its reader's name, and so are two badges.
#[test]
fn every_refusal_has_the_name_of_its_reader() {
    with_stack("every_refusal_has_the_name_of_its_reader", || {
        let _pcscd = Pcscd::start();
        let mut bench = Bench::reporting(Ready);
        let nothing = VirtualBadge::lay(A, uid(&[1, 2, 3]));
        bench.expect(&unreadable(Unreadable));
        drop(nothing);
        bench.expect("BadgeRemoved");
        let one = VirtualBadge::lay(A, uid(&[1, 2, 3, 4]));
        bench.expect("01020304");
        let _two = VirtualBadge::lay(B, uid(&[5, 6, 7, 8]));
        bench.expect(&unreadable(Two));
        drop(one);
        bench.expect("BadgeRemoved");
        bench.expect("05060708");
        let names: Vec<&str> = bench.refused.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Virtual Reader 0 00 00", "Virtual Reader 1 00 00"]);
        let what: Vec<ReaderRefusal> = bench.refused.iter().map(|(_, what)| *what).collect();
        assert_eq!(what, [ReaderRefusal::NoNumber, ReaderRefusal::TwoBadges]);
    });
}

#[test]
fn a_reader_that_the_site_does_not_allow_reads_nothing() {
    with_stack("a_reader_that_the_site_does_not_allow_reads_nothing", || {
        let _pcscd = Pcscd::start();
        let mut bench = Bench::allowing(&["Virtual Reader 1"]);
        bench.expect(&word(&Event::Reader(BadgeReader, Ready)));
        bench.expect(&word(&Event::Reader(SmartCard, NotFitted)));
        let _barred = VirtualBadge::lay(A, uid(&[1, 2, 3, 4]));
        bench.expect_nothing();
        let _allowed = VirtualBadge::lay(B, uid(&[5, 6, 7, 8]));
        bench.expect("05060708");
        let barred =
            |slot| (format!("Virtual Reader 0 00 0{slot}"), ReaderRefusal::ReaderNotAllowed);
        assert_eq!(bench.refused, [barred(0), barred(1)]);
    });
}
