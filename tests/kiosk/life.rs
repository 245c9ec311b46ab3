//! What becomes of an alarm: who is called, who has seen it, what is kept of it; and what is told of the clock
//! and of time in which nobody watched.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kit::kiosk::register::ADA;
use kit::kiosk::{Bedside, start};
use wardkeep_core::alarms::AlarmText;
use wardkeep_core::alarms::limits::Side;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::{devices, limits};
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::alarms::AlarmRow;
use wardkeep_core::kiosk::view::time::TimeOfDay;
use wardkeep_core::kiosk::{alarm, frame};
use wardkeep_model::alarm::{AlarmChange, Happened, LimitReason, Priority};
use wardkeep_model::keeping::AuditAct;
use wardkeep_model::moment::ClockState;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{self, Link, SpeakerHealth};
use wardkeep_model::vitals::parameter::{LimitKey, Parameter};
use wardkeep_model::vitals::{Characteristic, ClockConfidence, DeviceId, DeviceKind};

use crate::alarms::{heard, measured, strip};

const SECOND: Duration = Duration::from_secs(1);
const THERMOMETER: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x31]);

fn acts(bedside: &Bedside, act: AuditAct) -> usize {
    bedside.store.audit.iter().filter(|entry| entry.act == act).count()
}

/// What the log says of the saturation, each with whose initials.
fn log(bedside: &Bedside) -> Vec<(&'static str, String)> {
    let mine = bedside.store.alarms.iter().filter_map(|record| {
        let Happened::Condition { id, change, .. } = &record.happened else { return None };
        (id == "low:spo2").then(|| (change.word(), record.initials.clone()))
    });
    mine.collect()
}

#[test]
fn what_nobody_sees_calls_a_second_person_once() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 5, 70, 72);
    assert!(!strip(&bedside).escalated);
    measured(&mut bedside, 185, 70, 72);
    assert!(strip(&bedside).escalated);
    measured(&mut bedside, 60, 70, 72);
    assert_eq!(acts(&bedside, AuditAct::AlarmEscalated), 1);
    bedside.acknowledge();
    assert!(!strip(&bedside).escalated, "somebody has come");
    let escalated = AlarmChange::Escalated.word();
    assert_eq!(log(&bedside).iter().filter(|(change, _)| *change == escalated).count(), 1);
}

#[test]
fn what_was_seen_and_goes_on_is_reminded_of() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 5, 70, 72);
    bedside.acknowledge();
    measured(&mut bedside, 590, 70, 72);
    assert_eq!(heard(&bedside), None);
    let mut reminders = vec![];
    for _ in 0..60 {
        measured(&mut bedside, 1, 70, 72);
        reminders.extend(bedside.kiosk.sound(bedside.now()));
    }
    assert!(!reminders.is_empty() && reminders.iter().all(|sound| sound.is_reminder));
    reminders.dedup_by_key(|sound| sound.onset);
    assert_eq!(reminders.len(), 1, "one burst, and not again for ten minutes");
}

#[test]
fn every_step_of_a_condition_is_kept_with_who_did_it() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 5, 70, 72);
    bedside.acknowledge();
    measured(&mut bedside, 20, 97, 72);
    bedside.intent(frame::Intent::Lock);
    measured(&mut bedside, 5, 70, 72);
    bedside.acknowledge();
    measured(&mut bedside, 20, 97, 72);
    let told: Vec<(&str, String)> = log(&bedside);
    let told: Vec<(&str, &str)> = told.iter().map(|(word, by)| (*word, by.as_str())).collect();
    assert_eq!(
        told,
        [
            ("began", ""),
            ("acknowledged", "AK"),
            ("ended", ""),
            ("began", ""),
            ("acknowledged", ""),
            ("ended", "")
        ]
    );
    let subject = bedside.store.cart.as_ref().and_then(|cart| cart.subject);
    assert!(bedside.store.alarms.iter().all(|record| record.subject == subject));
    assert_eq!(acts(&bedside, AuditAct::AlarmAcknowledged), 2, "a person acted");
    let mut numbers: Vec<u64> = bedside.store.alarms.iter().map(|one| one.record.seq).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), bedside.store.alarms.len(), "each line has its number");
}

fn listed(bedside: &Bedside) -> Option<Vec<AlarmRow>> {
    let Screen::Alarms(page) = bedside.view().screen else { return None };
    Some(page.now)
}

#[test]
fn s9_the_list_is_complete_while_locked_and_goes_by_itself() {
    let mut bedside = Bedside::monitoring();
    bedside.hardware(ports::Event::Frame {
        device: kit::kiosk::STRAP,
        characteristic: Characteristic(0x2A19),
        payload: vec![12],
        received: bedside.now(),
    });
    measured(&mut bedside, 5, 70, 140);
    bedside.intent(frame::Intent::Lock);
    let others = strip(&bedside).others;
    assert!(others >= 2, "{others}");
    bedside.intent(alarm::Intent::List(true));
    let rows = listed(&bedside).expect("the list before the lock screen");
    assert_eq!(rows.len(), others + 1);
    assert!(rows.iter().any(|row| row.priority == Priority::High));
    assert!(bedside.view().open.is_none(), "and nothing of the patient");
    measured(&mut bedside, 30, 70, 140);
    assert!(listed(&bedside).is_some());
    measured(&mut bedside, 35, 70, 140);
    assert!(listed(&bedside).is_none() && bedside.is_lock_screen());
}

fn low_of_saturation(bedside: &Bedside) -> Option<String> {
    let tiles = bedside.tiles();
    tiles.into_iter().find(|tile| tile.parameter == Parameter::SpO2).and_then(|tile| tile.limit_low)
}

#[test]
fn limits_are_in_force_once_somebody_has_said_why_and_end_with_the_patient() {
    let mut bedside = Bedside::monitoring();
    let usual = low_of_saturation(&bedside);
    bedside.intent(frame::Intent::Open(Page::Limits));
    for _ in 0..2 {
        bedside.intent(limits::Intent::Step(LimitKey::Saturation, Side::Low, false));
    }
    bedside.intent(frame::Intent::Open(Page::Bedside));
    assert_eq!(low_of_saturation(&bedside), usual, "what is wanted is not in force");
    bedside.intent(frame::Intent::Open(Page::Limits));
    for _ in 0..2 {
        bedside.intent(limits::Intent::Step(LimitKey::Saturation, Side::Low, false));
    }
    bedside.intent(limits::Intent::Use);
    bedside.intent(limits::Intent::Because(LimitReason::Usual));
    assert_eq!(bedside.notice(), Some(Notice::LimitsChanged));
    bedside.intent(frame::Intent::Open(Page::Bedside));
    let lower = low_of_saturation(&bedside);
    assert_ne!(lower, usual);
    measured(&mut bedside, 20, 89, 72);
    assert_eq!(heard(&bedside), None, "{lower:?}");
    let kept = bedside.store.alarms.iter().rev().find_map(|record| {
        let Happened::Limits { why, .. } = &record.happened else { return None };
        Some((*why, record.initials.clone(), record.operator))
    });
    assert_eq!(kept, Some((Some(LimitReason::Usual), "AK".into(), Some(ADA))));
    assert_eq!(acts(&bedside, AuditAct::LimitsChanged), 1);
    bedside.admit();
    assert_eq!(low_of_saturation(&bedside), usual, "the next patient has the ward's");
    measured(&mut bedside, 20, 89, 72);
    assert_eq!(heard(&bedside), Some(Priority::Medium));
}

#[test]
fn time_1_a_step_of_the_clock_is_told_and_kept() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 5, 97, 72);
    bedside.set_wall(SignedDuration::from_hours(-1));
    measured(&mut bedside, 1, 97, 72);
    assert_eq!(bedside.notice(), Some(Notice::ClockSet));
    assert_eq!(bedside.view().clock_state, ClockState::Stepped);
    let kept = bedside.store.audit.iter().find(|entry| entry.act == AuditAct::ClockStepped);
    assert_eq!(kept.and_then(|entry| entry.detail.clone()).as_deref(), Some("-3600 s"));
    measured(&mut bedside, 4, 70, 140);
    assert_eq!(heard(&bedside), Some(Priority::High));
    let filed = bedside.store.records.iter().all(|record| record.subject.is_some());
    assert!(filed, "no time passed for the assignment");
}

#[test]
fn time_2_a_clock_that_was_never_set_is_told_and_never_reckoned_with() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 3, 97, 72);
    let banner = |bedside: &Bedside| bedside.view().open.and_then(|open| open.patient);
    assert!(banner(&bedside).is_some_and(|patient| patient.age_years.is_some()));
    let to_1970 = Timestamp::UNIX_EPOCH.duration_since(bedside.now().wall);
    bedside.set_wall(to_1970);
    measured(&mut bedside, 1, 97, 72);
    assert_eq!(bedside.view().clock_state, ClockState::NeverSet);
    assert!(banner(&bedside).is_some_and(|patient| patient.age_years.is_none()));
    let unset = |bedside: &Bedside| matches!(strip(bedside).text, AlarmText::ClockUnset);
    assert!(unset(&bedside), "whoever is logged in");
    bedside.intent(frame::Intent::Lock);
    assert!(unset(&bedside), "and whoever stands before the lock screen");
    measured(&mut bedside, 60, 70, 72);
    // It is set right; the alarm began a minute ago, whatever the clock showed then.
    let right = start().now().wall.duration_since(Timestamp::UNIX_EPOCH);
    bedside.set_wall(right);
    measured(&mut bedside, 2, 70, 72);
    let began = bedside.now().wall.checked_sub(SignedDuration::from_secs(59)).expect("in range");
    let began = began.to_zoned(jiff::tz::TimeZone::UTC);
    let low = strip(&bedside);
    assert_eq!(
        (low.priority, low.since),
        (Priority::High, TimeOfDay::at(began.hour(), began.minute()))
    );
}

fn unwatched(bedside: &Bedside) -> Vec<u64> {
    let mine = bedside.store.alarms.iter().filter_map(|record| {
        let Happened::Unwatched(length) = record.happened else { return None };
        Some(length.as_secs())
    });
    mine.collect()
}

#[test]
fn s1_after_a_stall_nobody_is_logged_in_and_the_gap_is_told() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 3, 97, 72);
    bedside.suspend(Duration::from_secs(60));
    measured(&mut bedside, 1, 97, 72);
    assert!(bedside.is_lock_screen());
    assert_eq!(unwatched(&bedside), [60]);
    assert_eq!(acts(&bedside, AuditAct::MonitoringInterrupted), 1);
    let told = strip(&bedside);
    assert!(matches!(told.text, AlarmText::Unwatched { length } if length.as_secs() == 60));
    assert_eq!(heard(&bedside), Some(Priority::Medium));
    bedside.acknowledge();
    measured(&mut bedside, 2, 97, 72);
    assert!(bedside.view().alarm.is_none(), "somebody knows of it");
}

#[test]
fn a_gap_in_watching_is_told_by_the_program_that_is_started_again() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 45, 97, 72);
    let mut cart = bedside.store.cart.clone().expect("a cart");
    let alive = cart.alive.expect("that somebody is watched is written down");
    assert!(bedside.now().wall.duration_since(alive).as_secs() <= 21, "every twenty seconds");
    cart.alive = start().now().wall.checked_sub(SignedDuration::from_secs(90)).ok();
    let again = Bedside::resumed(cart.clone());
    assert_eq!(unwatched(&again), [90]);
    assert_eq!(acts(&again, AuditAct::MonitoringInterrupted), 1);
    assert!(matches!(strip(&again).text, AlarmText::Unwatched { .. }), "{:?}", strip(&again));
    // Nobody was at the bed: nothing was missed.
    cart.devices.iter_mut().for_each(|device| device.assignment = None);
    assert_eq!(unwatched(&Bedside::resumed(cart)), [0; 0]);
}

#[test]
fn s9_a_speaker_that_is_turned_off_is_an_alarm_and_can_be_listened_to() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 3, 97, 72);
    bedside.hardware(ports::Event::Speaker(SpeakerHealth::Muted));
    assert!(matches!(strip(&bedside).text, AlarmText::SoundMuted));
    bedside.hardware(ports::Event::Speaker(SpeakerHealth::Ready));
    measured(&mut bedside, 3, 97, 72);
    assert_eq!(heard(&bedside), None);
    bedside.intent(alarm::Intent::TestSound);
    let sound = bedside.kiosk.sound(bedside.now()).expect("a burst");
    assert!(sound.is_reminder, "one burst");
    assert_eq!(bedside.notice(), Some(Notice::SoundTested));
    measured(&mut bedside, 4, 97, 72);
    assert_eq!(heard(&bedside), None);
    measured(&mut bedside, 4, 70, 72);
    bedside.intent(alarm::Intent::TestSound);
    assert_eq!(heard(&bedside), Some(Priority::High), "no test before an alarm");
}

/// A bedside with a thermometer at it.
fn with_thermometer() -> Bedside {
    let mut bedside = Bedside::monitoring();
    bedside.advertise(THERMOMETER, DeviceKind::Thermometer);
    bedside.intent(devices::Intent::Connect(THERMOMETER));
    bedside.hardware(ports::Event::Link(THERMOMETER, Link::Live));
    bedside.intent(devices::Intent::Assign(THERMOMETER));
    bedside
}

fn temperature(bedside: &Bedside) -> Option<String> {
    let mut tiles = bedside.tiles().into_iter();
    let warm = tiles.find(|tile| tile.parameter == Parameter::Temperature);
    warm.and_then(|tile| tile.value.map(|value| value.reveal().clone()))
}

fn frame(bedside: &mut Bedside, characteristic: u16, payload: Vec<u8>) {
    let (device, received) = (THERMOMETER, bedside.now());
    let characteristic = Characteristic(characteristic);
    bedside.hardware(ports::Event::Frame { device, characteristic, payload, received });
}

#[test]
fn r12_a_value_that_its_device_has_stamped_is_filed_and_shown() {
    let mut bedside = with_thermometer();
    let measure = |bedside: &mut Bedside, hour: u8, tenths: [u8; 2]| {
        // Flags: Celsius, stamped. 37.2 is 372 tenths.
        let [low, high] = tenths;
        let payload = vec![0x02, low, high, 0, 0xFF, 0xEA, 0x07, 11, 22, hour, 32, 1];
        frame(bedside, 0x2A1C, payload);
    };
    measure(&mut bedside, 14, [0x74, 0x01]);
    assert_eq!(temperature(&bedside).as_deref(), Some("37.2"));
    let filed = bedside.store.records.last().map(|record| record.subject.is_some());
    assert_eq!(filed, Some(true));
    // What it measured three hours ago is kept, and is no value of now.
    measure(&mut bedside, 11, [0x7E, 0x01]);
    assert_eq!(temperature(&bedside).as_deref(), Some("37.2"));
    bedside.wait(SECOND);
}

/// S-6, S-7: a stamp that says UTC may look like the time here and be hours old; so may one of a clock that
/// was set since.
#[test]
fn s6_s7_a_value_of_which_nobody_knows_how_old_it_is_is_filed_to_nobody_and_not_shown() {
    /// 2026-11-22T14:32:01, counted in seconds since 2000.
    const HERE: u64 = 848_673_121;
    let measure = |time_flags: u8| {
        let mut bedside = with_thermometer();
        // A generic health sensor's number, typed and stamped: 37.2 Cel.
        let mut payload = vec![0x03, 1, 24, 0, 0b11, 0, 0x5C, 0x4B, 0x02, 0, time_flags];
        payload.extend(&HERE.to_le_bytes()[..6]);
        payload.extend([0, 0, 0xA0, 0x17, 0x74, 0x01, 0, 0xFF]);
        frame(&mut bedside, 0x2B8B, payload);
        let filed = bedside.store.records.last().map(|record| record.subject.is_some());
        let waits = bedside.store.spots.iter().map(|spot| (spot.filed, spot.reading.times.clock));
        (filed, waits.collect::<Vec<_>>(), temperature(&bedside))
    };
    let (local, utc, current) = (0, 1 << 1, 1 << 5);
    assert_eq!(measure(local | current), (Some(true), vec![], Some("37.2".to_owned())));
    let in_the_tray = (None, vec![(None, ClockConfidence::Unknown)], None);
    assert_eq!(measure(utc | current), in_the_tray);
    assert_eq!(measure(local), in_the_tray, "of a clock that was set since");
}
