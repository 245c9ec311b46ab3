//! The USB badge reader driver through the real libusb, with recorded devices.

use std::time::Duration;

use tokio::sync::mpsc::{Receiver, channel};
use wardkeep_hardware::usb_badge::pcprox::USB_ID as PCPROX;
use wardkeep_hardware::usb_badge::{Found, HidReaderHandle, Site, probe, spawn};
use wardkeep_model::access::factor::{Badge, ReaderFamily};
use wardkeep_model::access::readers::AllowedReaders;
use wardkeep_model::ports::{Event, ReaderHealth, ReaderKind};

use kit::readers::umockdev::{Recording, with_devices};

/// Longest wait for an event that must come; reached only by a driver that is dead.
const SOON: Duration = Duration::from_secs(60);
/// A keyboard reader of no maker in particular.
const KEYBOARD: (u16, u16) = (0xffff, 0x0035);
const SET_REPORT: [u8; 8] = [0x21, 0x09, 0x00, 0x03, 0, 0, 8, 0];
const GET_REPORT: [u8; 8] = [0xa1, 0x01, 0x00, 0x03, 0, 0, 8, 0];
const BOOT_REPORTS: [u8; 8] = [0x21, 0x0b, 0, 0, 0, 0, 0, 0];

/// The driver under test and what it says.
struct Bench {
    driver: HidReaderHandle,
    events: Receiver<Event>,
    clock: tokio::runtime::Runtime,
}

impl Bench {
    fn new(keyboard_badge: Option<(u16, u16)>) -> Self {
        Self::at(Site { keyboard_badge, ..Site::default() })
    }

    fn at(site: Site) -> Self {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let (sender, events) = channel(256);
        let driver = spawn(sender, site).expect("a thread");
        Self { driver, events, clock: clock.expect("a runtime") }
    }

    /// The next event in a few words.
    fn next(&mut self) -> String {
        let next = async { tokio::time::timeout(SOON, self.events.recv()).await };
        match self.clock.block_on(next).ok().flatten() {
            Some(Event::BadgePresented(badge)) => word(&badge),
            Some(Event::Reader(ReaderKind::Badge, health)) => format!("{health:?}"),
            Some(Event::ReaderRefused { reader, what }) => format!("{reader}: {what:?}"),
            other => format!("{other:?}"),
        }
    }

    fn expect(&mut self, words: &[&str]) {
        for word in words {
            assert_eq!(self.next(), *word);
        }
    }
}

fn word(badge: &Badge) -> String {
    match badge.family {
        ReaderFamily::Keyboard => String::from_utf8_lossy(badge.uid()).into_owned(),
        ReaderFamily::PcProx | ReaderFamily::PcscUid => {
            badge.uid().iter().map(|byte| format!("{byte:02X}")).collect()
        }
    }
}

/// What a pcProx is asked and answers, in order.
struct PcProx(Recording);

impl PcProx {
    /// A reader that types, and lets itself be told not to.
    fn connected() -> Self {
        Self::told_to_be_silent(0xa6)
    }

    /// A reader that types and is told not to; with what flags it answers then.
    fn told_to_be_silent(flags: u8) -> Self {
        let mut reader = Self(Recording::of(PCPROX));
        let page = |flags| [3, 5, 0x11, 0x10, 0x1a, 0x36, 0x28, flags];
        reader.asked(0x8a, &[0, 0, 0x30, 7, 0, 1, 0, 0]);
        reader.asked(0x80, &page(0x26));
        for report in [[0x80, 0, 0, 0, 0, 0, 0, 0], page(0xa6), [0x90, 0, 0, 0, 0, 0, 0, 0]] {
            reader.0.takes(SET_REPORT, &report);
        }
        reader.asked(0x80, &page(flags));
        reader
    }

    fn asked(&mut self, code: u8, answer: &[u8; 8]) {
        self.0.takes(SET_REPORT, &[code, 0, 0, 0, 0, 0, 0, 0]);
        self.0.answers(GET_REPORT, answer);
    }

    /// One look at a badge.
    fn shows(&mut self, bits: [u8; 8], count: u8) {
        self.asked(0x8f, &bits);
        self.asked(0x8e, &[count, count, 0, 0, 0, 0, 0, 0]);
        self.asked(0x8f, &bits);
    }

    /// One look at nothing.
    fn is_empty(&mut self) {
        self.asked(0x8f, &[0; 8]);
    }
}

#[test]
fn a_pcprox_is_silenced_and_asked_and_a_badge_that_stays_is_one_tap() {
    let mut reader = PcProx::connected();
    reader.is_empty();
    for bits in [[0x39, 0x30, 0x7b, 0, 0, 0, 0, 0], [0x40, 0x30, 0x7b, 0, 0, 0, 0, 0]] {
        for _ in 0..3 {
            reader.shows(bits, 24);
        }
        reader.is_empty();
        reader.shows(bits, 24);
        reader.is_empty();
        reader.is_empty();
    }
    let test = "hid::a_pcprox_is_silenced_and_asked_and_a_badge_that_stays_is_one_tap";
    with_devices(test, &[reader.0], || {
        let found = Found { name: "pcProx", id: PCPROX, may_open: true };
        assert_eq!(probe(None), [found]);
        let mut bench = Bench::new(None);
        bench.expect(&["Ready", "187B3039", "Some(BadgeRemoved)"]);
        bench.expect(&["187B3040", "Some(BadgeRemoved)"]);
        drop(bench.driver);
    });
}

/// A keyboard reader that types these lines.
fn keyboard(lines: &[&str]) -> Recording {
    let mut reader = Recording::of(KEYBOARD);
    reader.takes(BOOT_REPORTS, &[]);
    for line in lines {
        for digit in line.bytes().chain([b'\n']) {
            let key = match digit {
                b'\n' => 0x28,
                b'0' => 0x27,
                digit => digit - b'1' + 0x1e,
            };
            reader.reports(&[0, 0, key, 0, 0, 0, 0, 0]);
            reader.reports(&[0; 8]);
        }
    }
    reader
}

#[test]
fn a_keyboard_reader_that_the_site_names_is_claimed_and_read() {
    let test = "hid::a_keyboard_reader_that_the_site_names_is_claimed_and_read";
    with_devices(test, &[keyboard(&["0012345678", "12", "99887766"])], || {
        let found = Found { name: "keyboard reader", id: KEYBOARD, may_open: true };
        assert_eq!(probe(Some(KEYBOARD)), [found]);
        let mut bench = Bench::new(Some(KEYBOARD));
        bench.expect(&["Ready", "0012345678", "Some(BadgeRemoved)"]);
        bench.expect(&["Some(BadgeUnreadable(Unreadable))", "Some(BadgeRemoved)"]);
        bench.expect(&["keyboard reader ffff:0035: NoNumber"]);
        bench.expect(&["99887766", "Some(BadgeRemoved)"]);
    });
}

#[test]
fn a_keyboard_that_nobody_named_is_left_alone() {
    let test = "hid::a_keyboard_that_nobody_named_is_left_alone";
    with_devices(test, &[keyboard(&[])], || {
        assert_eq!(probe(None), []);
        let mut bench = Bench::new(None);
        bench.expect(&[&format!("{:?}", ReaderHealth::NotFitted)]);
    });
}

/// A reader in a mode that it cannot be brought out of is used, and said to be.
#[test]
fn a_reader_that_goes_on_typing_is_told_of() {
    let mut reader = PcProx::told_to_be_silent(0x26);
    for _ in 0..3 {
        reader.is_empty();
    }
    with_devices("hid::a_reader_that_goes_on_typing_is_told_of", &[reader.0], || {
        let mut bench = Bench::new(None);
        bench.expect(&["pcProx 0c27:3bfa: ReaderTypes", "Ready"]);
        drop(bench.driver);
    });
}

#[test]
fn a_usb_reader_that_is_not_allowed_is_taken_and_reads_nothing() {
    let mut reader = PcProx::connected();
    for _ in 0..3 {
        reader.shows([0x39, 0x30, 0x7b, 0, 0, 0, 0, 0], 24);
    }
    let test = "hid::a_usb_reader_that_is_not_allowed_is_taken_and_reads_nothing";
    with_devices(test, &[reader.0], || {
        let allowed = AllowedReaders(vec!["ACS".into()]);
        let mut bench = Bench::at(Site { allowed, ..Site::default() });
        bench.expect(&["pcProx 0c27:3bfa: ReaderNotAllowed", "NotFitted"]);
        drop(bench.driver);
    });
}
