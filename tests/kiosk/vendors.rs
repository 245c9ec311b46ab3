//! Frames of vendors' own protocols in the core: a number on a tile, a reading that somebody files, and when it
//! was measured.

use std::time::Duration;

use jiff::civil::{DateTime, date};
use kit::kiosk::{Bedside, OXIMETER, STRAP, numbers};
use kit::vendors::{Script, bytes, script};
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::{devices, readings};
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::readings::Because;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{self, Command, Link, WriteFault};
use wardkeep_model::vitals::nomenclature::PULSE_RATE_CUFF;
use wardkeep_model::vitals::vendor::{Assembler, KNOWN, Known, Protocol};
use wardkeep_model::vitals::{Characteristic, ClockConfidence, DeviceId, DeviceKind, Format};

const DEVICE: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x51]);
const MINUTE: Duration = Duration::from_secs(60);

fn at(hour: i8, minute: i8) -> DateTime {
    date(2026, 11, 22).at(hour, minute, 0, 0)
}

/// The script of the first row of this protocol and kind.
fn of(protocol: Protocol, kind: DeviceKind, clock: DateTime) -> Script {
    let is_it = |row: &&'static Known| (row.protocol, row.kind) == (protocol, kind);
    script(KNOWN.iter().find(is_it).expect("a row"), clock)
}

/// A bed at which only this device is linked.
fn with(script: &Script) -> Bedside {
    let mut bedside = Bedside::monitoring();
    for device in [STRAP, OXIMETER] {
        bedside.intent(devices::Intent::Release(device));
    }
    let (name, kind) = (script.name.to_owned(), script.known.kind);
    bedside.hardware(ports::Event::Seen { device: DEVICE, name, kind, rssi: -55 });
    bedside.intent(devices::Intent::Connect(DEVICE));
    bedside.hardware(ports::Event::Link(DEVICE, Link::Live));
    if kind.is_continuous() {
        bedside.intent(devices::Intent::Assign(DEVICE));
    }
    bedside.intent(frame::Intent::Open(Page::Bedside));
    bedside
}

fn send(bedside: &mut Bedside, protocol: Protocol, payload: Vec<u8>) {
    let received = bedside.now();
    bedside.hardware(ports::Event::VendorFrame { device: DEVICE, protocol, payload, received });
}

/// Everything that the device sends and answers, once.
fn speak(bedside: &mut Bedside, script: &Script) {
    let protocol = script.known.protocol;
    let mut assembler = Assembler::new(protocol);
    let answers = script.answers.iter().flat_map(|(_, said)| said);
    for packet in script.sends.iter().chain(answers) {
        for frame in assembler.take(bedside.now().boot, packet) {
            send(bedside, protocol, frame);
        }
    }
}

#[test]
fn s7_an_oximeters_numbers_are_on_the_tiles_grow_old_and_end_with_the_finger() {
    let ring = of(Protocol::O2ring, DeviceKind::PulseOximeter, at(14, 32));
    let mut bedside = with(&ring);
    speak(&mut bedside, &ring);
    let shown = |bedside: &Bedside| numbers(&bedside.tiles())[1..].to_vec();
    assert_eq!(shown(&bedside), [Some("97".to_owned()), Some("72".to_owned())]);
    // Off the finger: dashes at once.
    let off = "55 00 ff 00 00 0d 00 ff ff ff 00 00 00 00 60 00 05 00 00 00 43";
    send(&mut bedside, Protocol::O2ring, bytes(off));
    assert_eq!(shown(&bedside), [None, None]);
    speak(&mut bedside, &ring);
    assert!(shown(&bedside).iter().all(Option::is_some));
    // A checksum that does not fit says nothing, and what was said grows old.
    let wrong = "55 00 ff 00 00 0d 00 61 48 00 00 00 00 00 61 00 02 0a 01 00 9f";
    for _ in 0..60 {
        bedside.wait(Duration::from_secs(1));
        send(&mut bedside, Protocol::O2ring, bytes(wrong));
    }
    assert_eq!(shown(&bedside), [None, None]);
}

#[test]
fn s6_a_meters_record_is_asked_about_by_its_own_clock_and_is_one_however_often_it_comes() {
    // Its clock is an hour ahead: what it stamped 15:32 was just now.
    let cuff = of(Protocol::Taidoc, DeviceKind::Cuff, at(15, 32));
    let mut bedside = with(&cuff);
    for _ in 0..3 {
        speak(&mut bedside, &cuff);
        bedside.hardware(ports::Event::Link(DEVICE, Link::Lost));
        bedside.hardware(ports::Event::Link(DEVICE, Link::Live));
    }
    let spots = &bedside.store.spots;
    assert_eq!(spots.len(), 1);
    let reading = &spots[0].reading;
    assert_eq!(reading.times.clock, ClockConfidence::Corrected);
    assert_eq!(reading.times.offset_s, Some(3600));
    let effective = reading.times.effective.map(|at| at.to_string());
    assert_eq!(effective.as_deref(), Some("2026-11-22T14:32:00Z"));
    assert_eq!(reading.frame.reveal().format, Format::Vendor(Protocol::Taidoc));
    let Screen::Reading(asked) = bedside.view().screen else { panic!("nobody is asked") };
    let digits: Vec<&str> = asked.lines.iter().map(|line| line.digits.reveal().as_str()).collect();
    assert_eq!(digits, ["118/76", "66"]);
    bedside.intent(readings::Intent::File(asked.record, asked.subject));
    assert!(bedside.store.spots[0].filed.is_some());
    // Nothing is written to a clock that is only known to be read.
    let is_write = |command: &Command| matches!(command, Command::Write(DEVICE, ..));
    bedside.wait(MINUTE);
    assert!(!bedside.radio.iter().any(is_write), "{:?}", bedside.radio);
}

#[test]
fn s7_a_record_of_a_clock_that_nobody_has_read_has_no_time() {
    let mut thermometer = of(Protocol::Taidoc, DeviceKind::Thermometer, at(9, 5));
    thermometer.answers.remove(0);
    let mut bedside = with(&thermometer);
    speak(&mut bedside, &thermometer);
    assert_eq!(bedside.store.spots[0].reading.times.effective, None, "never silently now");
    assert!(!matches!(bedside.view().screen, Screen::Reading(_)));
    bedside.intent(frame::Intent::Open(Page::Readings));
    let Screen::Tray(tray) = bedside.view().screen else { panic!("no tray") };
    assert_eq!(tray.rows[0].because, Because::NoTime);
}

#[test]
fn s7_a_cuff_that_gave_up_says_so_and_is_no_reading() {
    let cuff = of(Protocol::YonkerBp, DeviceKind::Cuff, at(14, 32));
    let mut bedside = with(&cuff);
    let failed = bytes("81 00 00 00 00 00 16 0b 1a 0e 20 00 00 00 00");
    send(&mut bedside, Protocol::YonkerBp, failed);
    assert_eq!(bedside.notice(), Some(Notice::MeasurementFailed));
    // What comes while it inflates is not even that.
    send(&mut bedside, Protocol::YonkerBp, bytes("80 00 42"));
    assert!(bedside.store.spots.is_empty());
    speak(&mut bedside, &cuff);
    assert!(matches!(bedside.view().screen, Screen::Reading(_)));
}

/// Another protocol's meter has no Record Access Control Point: it is asked for nothing by it.
#[test]
fn a_meter_without_record_access_is_asked_once_and_left_alone() {
    let meter = of(Protocol::Taidoc, DeviceKind::GlucoseMeter, at(14, 32));
    let mut bedside = with(&meter);
    let requests = |bedside: &Bedside| {
        let to_meter = |command: &&Command| matches!(command, Command::Write(DEVICE, ..));
        bedside.radio.iter().filter(to_meter).count()
    };
    assert_eq!(requests(&bedside), 1);
    let none = Err(WriteFault::NoSuchCharacteristic);
    bedside.hardware(ports::Event::Wrote(DEVICE, Characteristic(0x2A52), none));
    bedside.wait(5 * MINUTE);
    assert_eq!(requests(&bedside), 1);
    let meter = of(Protocol::Taidoc, DeviceKind::GlucoseMeter, at(14, 37));
    speak(&mut bedside, &meter);
    assert_eq!(bedside.store.spots.len(), 1);
}

/// S-6: a frame of a device that nobody connected, or of which nothing is known, is nobody's and nothing.
#[test]
fn s6_a_stranger_that_speaks_a_vendors_protocol_is_not_heard() {
    let ring = of(Protocol::O2ring, DeviceKind::PulseOximeter, at(14, 32));
    let mut bedside = Bedside::monitoring();
    let before = bedside.store.records.len();
    speak(&mut bedside, &ring);
    assert_eq!(bedside.store.records.len(), before);
    let (name, kind) = (ring.name.to_owned(), ring.known.kind);
    bedside.hardware(ports::Event::Seen { device: DEVICE, name, kind, rssi: -55 });
    speak(&mut bedside, &ring);
    assert_eq!(bedside.store.records.len(), before);
}

/// Recorded from a Beurer BM85, which sends what follows the stamp the other way round.
#[test]
fn s7_a_cuff_that_deviates_from_its_profile_is_known_by_its_name() {
    let frame = bytes("56 76 00 50 00 00 00 ea 07 08 0b 14 1b 00 00 3c 00 00 04");
    for (name, pulse) in [("BM85", Some(60)), ("BM58", None)] {
        let mut bedside = Bedside::monitoring();
        let (name, kind) = (name.to_owned(), DeviceKind::Cuff);
        bedside.hardware(ports::Event::Seen { device: DEVICE, name, kind, rssi: -55 });
        bedside.intent(devices::Intent::Connect(DEVICE));
        bedside.hardware(ports::Event::Link(DEVICE, Link::Live));
        let (payload, received) = (frame.clone(), bedside.now());
        let characteristic = Characteristic(0x2A35);
        bedside.hardware(ports::Event::Frame { device: DEVICE, characteristic, payload, received });
        let values = bedside.store.spots[0].reading.values.reveal();
        let found = values.iter().find(|value| value.code == PULSE_RATE_CUFF);
        let found = found.map(|value| value.value.to_string());
        assert_eq!(found, pulse.map(|pulse: u32| pulse.to_string()));
    }
}
