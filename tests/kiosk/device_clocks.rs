//! The clocks of devices: read, set, and looked at again; and what they stamped before they were set.

use std::time::Duration;

use kit::kiosk::Bedside;
use wardkeep_core::kiosk::pages::devices;
use wardkeep_model::keeping::{AuditAct, AuditResult};
use wardkeep_model::ports::{Command, Event, Link, WriteFault};
use wardkeep_model::vitals::spot::SpotTimes;
use wardkeep_model::vitals::{Characteristic, ClockConfidence, DeviceId, DeviceKind};

const CUFF: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x51]);
const CLOCK: Characteristic = Characteristic(0x2A2B);
const SECOND: Duration = Duration::from_secs(1);

/// A cuff at a bed where it is 14:32.
fn cuff() -> Bedside {
    let mut bedside = Bedside::monitoring();
    bedside.advertise(CUFF, DeviceKind::Cuff);
    bedside.intent(devices::Intent::Connect(CUFF));
    bedside.hardware(Event::Link(CUFF, Link::Live));
    bedside.radio.clear();
    bedside
}

fn send(bedside: &mut Bedside, characteristic: Characteristic, payload: Vec<u8>) {
    let received = bedside.now();
    bedside.hardware(Event::Frame { device: CUFF, characteristic, payload, received });
}

fn shows(bedside: &mut Bedside, hour: u8, minute: u8) {
    send(bedside, CLOCK, vec![0xEA, 0x07, 11, 22, hour, minute, 0, 7, 0, 0]);
}

/// A reading that is stamped so, and its times.
fn measures(bedside: &mut Bedside, hour: u8, minute: u8) -> SpotTimes {
    let stamp = [0xEA, 0x07, 11, 22, hour, minute, 0];
    send(bedside, Characteristic(0x2A35), [&[0x02, 118, 0, 76, 0, 90, 0][..], &stamp].concat());
    bedside.store.spots.last().expect("kept").reading.times
}

/// How often the clock was set, by what was written.
fn set(bedside: &Bedside) -> usize {
    let sets = |command: &&Command| matches!(command, Command::Write(CUFF, CLOCK, _));
    bedside.radio.iter().filter(sets).count()
}

fn told(bedside: &Bedside) -> Vec<AuditResult> {
    let entries = bedside.store.audit.iter().filter(|one| one.act == AuditAct::DeviceClockSet);
    entries.inspect(|one| assert_eq!(one.device, Some(CUFF))).map(|one| one.result).collect()
}

fn reconnect(bedside: &mut Bedside) {
    bedside.hardware(Event::Link(CUFF, Link::Lost));
    bedside.hardware(Event::Link(CUFF, Link::Live));
}

#[test]
fn a_clock_that_was_set_is_looked_at_and_counts_from_then_on() {
    let mut bedside = cuff();
    shows(&mut bedside, 13, 32);
    bedside.wait(SECOND);
    assert_eq!((set(&bedside), told(&bedside)), (1, vec![]), "nobody knows yet");
    bedside.hardware(Event::Wrote(CUFF, CLOCK, Ok(())));
    shows(&mut bedside, 14, 32);
    assert_eq!(told(&bedside), [AuditResult::Done]);
    bedside.wait(10 * SECOND);
    assert_eq!(set(&bedside), 1);
    // By its new time, and by the one of before.
    let times = measures(&mut bedside, 14, 32);
    assert_eq!((times.clock, times.offset_s), (ClockConfidence::Corrected, Some(-1)));
    let times = measures(&mut bedside, 13, 2);
    assert_eq!((times.clock, times.offset_s), (ClockConfidence::Corrected, Some(-3600)));
    let at = times.effective.map(|at| at.to_string());
    assert_eq!(at.as_deref(), Some("2026-11-22T14:02:00Z"));
}

#[test]
fn a_clock_that_does_not_take_the_time_is_told_once_and_goes_on_by_its_own() {
    let mut bedside = cuff();
    for connection in 1..=3 {
        shows(&mut bedside, 13, 32);
        bedside.wait(SECOND);
        assert_eq!(set(&bedside), connection, "once at each connection");
        bedside.hardware(Event::Wrote(CUFF, CLOCK, Ok(())));
        shows(&mut bedside, 13, 32);
        bedside.wait(2 * SECOND);
        assert_eq!(told(&bedside), [AuditResult::Failed]);
        let times = measures(&mut bedside, 13, 20);
        assert_eq!((times.clock, times.offset_s.is_some()), (ClockConfidence::Corrected, true));
        reconnect(&mut bedside);
    }
    // Somebody has changed its batteries.
    shows(&mut bedside, 12, 0);
    bedside.wait(SECOND);
    shows(&mut bedside, 14, 32);
    assert_eq!(told(&bedside), [AuditResult::Failed, AuditResult::Done]);
}

#[test]
fn what_cannot_be_read_back_is_looked_at_when_it_is_linked_again() {
    for (hour, result) in [(14, AuditResult::Done), (13, AuditResult::Failed)] {
        let mut bedside = cuff();
        shows(&mut bedside, 13, 32);
        bedside.wait(SECOND);
        bedside.hardware(Event::Wrote(CUFF, CLOCK, Err(WriteFault::Att(0x80))));
        reconnect(&mut bedside);
        assert_eq!(told(&bedside), [], "what it ignores may be the fractions");
        shows(&mut bedside, hour, 32);
        assert_eq!(told(&bedside), [result]);
    }
}

#[test]
fn a_device_that_refuses_is_told_and_a_link_that_was_cut_is_not() {
    let mut bedside = cuff();
    for (answer, failed) in [
        (WriteFault::NotLinked, 0),
        (WriteFault::TimedOut, 0),
        (WriteFault::NotPermitted, 1),
        (WriteFault::Att(0x81), 1),
    ] {
        shows(&mut bedside, 13, 32);
        bedside.wait(SECOND);
        bedside.hardware(Event::Wrote(CUFF, CLOCK, Err(answer)));
        assert_eq!(told(&bedside).len(), failed, "{answer:?}");
        let times = measures(&mut bedside, 13, 20);
        assert_eq!(times.offset_s, Some(-3600), "{answer:?}: it goes on as before");
        reconnect(&mut bedside);
    }
}
