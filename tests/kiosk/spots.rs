//! Spot readings: a cuff, a thermometer, a meter and a scale measure, and a person says whose it is.

mod said;

use std::time::Duration;

use jiff::SignedDuration;
use kit::kiosk::{Bedside, OXIMETER, STRAP};
use wardkeep_core::alarms::{Condition, Shown};
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::readings::Intent;
use wardkeep_core::kiosk::pages::{devices, patients};
use wardkeep_core::kiosk::view::readings::{AskedReading, Because, SpotTime, Tray};
use wardkeep_core::kiosk::view::time::TimeOfDay;
use wardkeep_core::kiosk::view::{Screen, TileState};
use wardkeep_model::access::Role;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{PatientForm, SubjectId};
use wardkeep_model::keeping::{AuditAct, CartState};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{self, Link};
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::{Characteristic, ClockConfidence, DeviceId, DeviceKind};

const CUFF: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x41]);
const OTHER_CUFF: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x42]);
const METER: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x43]);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// 2A35 in mmHg, without a stamp.
fn pressure(systolic: u8, diastolic: u8, mean: u8) -> Vec<u8> {
    vec![0x00, systolic, 0, diastolic, 0, mean, 0]
}

/// The same, stamped on the day of the test.
fn stamped(systolic: u8, hour: u8, minute: u8) -> Vec<u8> {
    let mut frame = pressure(systolic, 76, 90);
    frame[0] = 0x02;
    frame.extend([0xEA, 0x07, 11, 22, hour, minute, 0]);
    frame
}

/// 2A18 of capillary plasma, mmol/L.
fn glucose(sequence: u16, tenths: u8, hour: u8) -> Vec<u8> {
    let [low, high] = sequence.to_le_bytes();
    // mol/L: tenths of a mmol are 10^-4.
    vec![0x06, low, high, 0xEA, 0x07, 11, 22, hour, 5, 0, tenths, 0xC0, 0x12]
}

/// 2A2B.
fn clock(hour: u8, minute: u8) -> Vec<u8> {
    vec![0xEA, 0x07, 11, 22, hour, minute, 0, 7, 0, 0]
}

fn with(device: DeviceId, kind: DeviceKind) -> Bedside {
    let mut bedside = Bedside::monitoring();
    link(&mut bedside, device, kind);
    bedside
}

fn link(bedside: &mut Bedside, device: DeviceId, kind: DeviceKind) {
    bedside.advertise(device, kind);
    bedside.intent(devices::Intent::Connect(device));
    bedside.hardware(ports::Event::Link(device, Link::Live));
}

fn send(bedside: &mut Bedside, device: DeviceId, characteristic: u16, payload: Vec<u8>) {
    let (characteristic, received) = (Characteristic(characteristic), bedside.now());
    bedside.hardware(ports::Event::Frame { device, characteristic, payload, received });
}

fn asked(bedside: &Bedside) -> Option<AskedReading> {
    let Screen::Reading(asked) = bedside.view().screen else { return None };
    Some(*asked)
}

fn tray(bedside: &mut Bedside) -> Tray {
    bedside.intent(frame::Intent::Open(Page::Readings));
    let Screen::Tray(tray) = bedside.view().screen else { panic!("no tray") };
    *tray
}

fn acts(bedside: &Bedside) -> Vec<AuditAct> {
    let acts = bedside.store.audit.iter().map(|entry| entry.act);
    let ours = [
        AuditAct::ReadingFiled,
        AuditAct::ReadingRefused,
        AuditAct::ReadingPutBack,
        AuditAct::ReadingDiscarded,
        AuditAct::ReadingExpired,
    ];
    acts.filter(|act| ours.contains(act)).collect()
}

fn filed(bedside: &Bedside) -> Vec<SubjectId> {
    bedside.store.spots.iter().filter_map(|one| one.filed.map(|(whose, _)| whose)).collect()
}

/// Digits and state of a tile.
fn shown(bedside: &Bedside, parameter: Parameter) -> Option<(Option<String>, TileState)> {
    let tile = bedside.tiles().into_iter().find(|tile| tile.parameter == parameter)?;
    Some((tile.value.map(|value| value.reveal().clone()), tile.state))
}

/// Answers yes to what is asked.
fn confirm(bedside: &mut Bedside) -> AskedReading {
    let asked = asked(bedside).expect("a question");
    bedside.intent(Intent::File(asked.record, asked.subject));
    asked
}

#[test]
fn s6_a_cuffs_reading_is_filed_by_one_touch_that_names_patient_device_and_value() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    let row = |bedside: &mut Bedside| {
        bedside.intent(frame::Intent::Open(Page::Devices));
        let Screen::Devices(page) = bedside.view().screen else { panic!("no devices") };
        page.rows.into_iter().find(|row| row.id == CUFF).expect("the cuff")
    };
    assert!(!row(&mut bedside).can_assign, "it goes from bed to bed");
    bedside.intent(frame::Intent::Open(Page::Bedside));
    let before = bedside.store.records.len();
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    assert_eq!(bedside.store.records.len(), before, "no value of anybody's");
    assert!(filed(&bedside).is_empty(), "nothing files itself");
    let asked = confirm(&mut bedside);
    let digits: Vec<&str> = asked.lines.iter().map(|line| line.digits.reveal().as_str()).collect();
    assert_eq!(digits, ["118/76", "90"]);
    assert_eq!(asked.patient.family.reveal(), "Okonkwo-Brandt");
    assert_eq!(asked.device, bedside.store.spots[0].reading.name);
    assert!(matches!(asked.time, SpotTime::Live(..)));
    assert_eq!(filed(&bedside), [asked.subject]);
    assert_eq!(
        shown(&bedside, Parameter::Systolic),
        Some((Some("118".into()), TileState::Current))
    );
    bedside.wait(16 * MINUTE);
    bedside.unlock();
    let (value, state) = shown(&bedside, Parameter::Systolic).expect("its tile stays");
    assert_eq!((value, state), (None, TileState::Stale), "no number of now");
    assert_eq!(acts(&bedside), [AuditAct::ReadingFiled]);
}

#[test]
fn a_bed_with_nothing_but_a_cuff_shows_what_was_filed() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    for device in [STRAP, OXIMETER] {
        bedside.intent(devices::Intent::Release(device));
    }
    bedside.intent(frame::Intent::Open(Page::Bedside));
    let has_something = |bedside: &Bedside| {
        let Screen::Bedside(page) = bedside.view().screen else { panic!("no bedside") };
        page.has_device
    };
    assert!(!has_something(&bedside));
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    confirm(&mut bedside);
    assert!(has_something(&bedside));
}

#[test]
fn s6_a_double_tap_files_one_reading_and_never_the_next() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    send(&mut bedside, CUFF, 0x2A35, pressure(142, 88, 106));
    let first = confirm(&mut bedside);
    assert_eq!(first.others, 1);
    bedside.intent(Intent::File(first.record, first.subject));
    // The other one is on the screen already; the finger is still on its way.
    let second = asked(&bedside).expect("the next question");
    assert!(second.is_resting && second.record != first.record);
    bedside.wait(SECOND);
    confirm(&mut bedside);
    bedside.intent(Intent::Refuse(second.record));
    assert_eq!(filed(&bedside), [first.subject], "one");
    bedside.wait(SECOND);
    assert!(!asked(&bedside).expect("still asked").is_resting);
    confirm(&mut bedside);
    assert_eq!(filed(&bedside).len(), 2);
}

#[test]
fn s6_a_button_of_before_files_nothing_for_whoever_is_there_now() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    let shown_before = asked(&bedside).expect("a question");
    bedside.wait(SECOND);
    bedside.intent(frame::Intent::Open(Page::Patients));
    bedside.intent(patients::Intent::Add(PatientForm {
        family: Phi::new("Abadi".to_owned()),
        given: Phi::new("Soraya".to_owned()),
        mrn: Phi::new("4502".to_owned()),
        ..Default::default()
    }));
    bedside.intent(Intent::File(shown_before.record, shown_before.subject));
    assert!(filed(&bedside).is_empty());
    // It was measured before she was here: it is not offered to her, and waits where it says so.
    bedside.intent(frame::Intent::Open(Page::Bedside));
    bedside.wait(MINUTE);
    assert!(asked(&bedside).is_none());
    let tray = tray(&mut bedside);
    assert_eq!(tray.rows[0].because, Because::Before);
    let (now_there, _) = tray.patient.expect("somebody");
    bedside.intent(Intent::File(tray.rows[0].record, now_there));
    assert_eq!(filed(&bedside), [now_there], "somebody said so");
}

#[test]
fn s6_undo_within_ten_seconds_puts_it_back_and_takes_it_from_the_screen() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    let record = confirm(&mut bedside).record;
    let offered = |bedside: &Bedside| bedside.view().open.and_then(|open| open.just_filed);
    assert_eq!(offered(&bedside).map(|one| one.record), Some(record));
    bedside.wait(9 * SECOND);
    bedside.intent(Intent::Undo(record));
    bedside.intent(Intent::Undo(record));
    assert!(filed(&bedside).is_empty() && offered(&bedside).is_none());
    assert_eq!(shown(&bedside, Parameter::Systolic), None, "it is not this patient's");
    assert_eq!(bedside.notice(), Some(Notice::ReadingPutBack));
    assert!(asked(&bedside).is_none(), "whoever took it back is not asked again at once");
    assert_eq!(tray(&mut bedside).rows.len(), 1);
    bedside.intent(frame::Intent::Open(Page::Bedside));
    send(&mut bedside, CUFF, 0x2A35, pressure(119, 77, 91));
    bedside.wait(2 * SECOND);
    let record = confirm(&mut bedside).record;
    bedside.wait(10 * SECOND);
    bedside.intent(Intent::Undo(record));
    assert_eq!(filed(&bedside).len(), 1, "too late");
    assert_eq!(acts(&bedside).len(), 3);
}

#[test]
fn s6_a_reading_of_somebody_else_is_taken_back_later_and_filed_to_whose_it_is() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    let of = confirm(&mut bedside);
    bedside.wait(MINUTE);
    bedside.intent(Intent::Undo(of.record));
    assert_eq!(filed(&bedside), [of.subject], "its ten seconds are over");
    let row = tray(&mut bedside).rows.into_iter().find(|row| row.record == of.record);
    assert_eq!(row.map(|row| row.because), Some(Because::Filed));

    bedside.intent(Intent::TakeBack(of.record));
    bedside.intent(Intent::TakeBack(of.record));
    assert_eq!(bedside.notice(), Some(Notice::ReadingPutBack));
    assert!(filed(&bedside).is_empty());
    bedside.intent(frame::Intent::Open(Page::Bedside));
    assert_eq!(shown(&bedside, Parameter::Systolic), None, "nor is it on the screen");
    let told = [AuditAct::ReadingFiled, AuditAct::ReadingPutBack, AuditAct::ReadingRefused];
    assert_eq!(acts(&bedside), told);
    assert!(asked(&bedside).is_none(), "nobody is asked the same again");

    bedside.admit();
    assert!(asked(&bedside).is_none(), "it was not measured of whoever is here");
    bedside.intent(Intent::TakeBack(of.record));
    let now = bedside.store.patients.len() - 1;
    let other = bedside.store.patients[now].id;
    bedside.intent(Intent::File(of.record, other));
    assert_eq!(filed(&bedside), [other]);
    assert_eq!(acts(&bedside).len(), 4);
}

#[test]
fn s6_a_discharge_ends_what_is_measured_of_anybody_and_a_touch_for_somebody_else_does_nothing() {
    let mut bedside = Bedside::monitoring();
    let subject = bedside.store.cart.as_ref().and_then(|cart| cart.subject).expect("somebody");
    bedside.intent(patients::Intent::Discharge(SubjectId(subject.0 + 1)));
    let now_at_bed = |bedside: &Bedside| bedside.store.cart.as_ref().and_then(|cart| cart.subject);
    assert_eq!(now_at_bed(&bedside), Some(subject));
    bedside.intent(patients::Intent::Discharge(subject));
    bedside.intent(patients::Intent::Discharge(subject));
    assert_eq!((now_at_bed(&bedside), bedside.notice()), (None, Some(Notice::PatientLeft)));
    let cart = bedside.store.cart.clone().expect("a cart");
    assert!(cart.devices.iter().all(|device| device.assignment.is_none()));
    assert_eq!(cart.devices.len(), 2, "they stay linked");
    let told: Vec<_> = bedside.store.audit.iter().map(|one| (one.act, one.subject)).collect();
    let left: Vec<_> = told.iter().filter(|(act, _)| *act == AuditAct::PatientDischarged).collect();
    assert_eq!(left, [&(AuditAct::PatientDischarged, Some(subject))]);
    let before = bedside.store.records.len();
    bedside.frame(STRAP, kit::kiosk::heart_rate(72));
    let owners: Vec<_> = bedside.store.records[before..].iter().map(|one| one.subject).collect();
    assert_eq!(owners, [None], "nobody's");
    bedside.intent(frame::Intent::Open(Page::Bedside));
    let Screen::Bedside(page) = bedside.view().screen else { panic!("no bedside") };
    assert!(!page.has_patient && bedside.view().open.expect("open").patient.is_none());
}

#[test]
fn s6_at_another_bed_nothing_is_filed_to_whoever_was_at_the_last_one() {
    let cart = Bedside::monitoring().store.cart.expect("a cart");
    assert_eq!(cart.bed, "Bed 12");
    let here = Bedside::resumed(cart.clone());
    assert!(here.store.cart.is_none(), "it goes on as it was");
    let moved = CartState { bed: "Bed 7".into(), ..cart };
    let there = Bedside::resumed(moved);
    let kept = there.store.cart.clone().expect("what it is now");
    assert_eq!((kept.subject, kept.bed.as_str()), (None, "Bed 12"));
    assert!(kept.devices.len() == 2 && kept.devices.iter().all(|one| one.assignment.is_none()));
    let acts: Vec<_> = there.store.audit.iter().map(|entry| entry.act).collect();
    assert!(acts.contains(&AuditAct::CartMoved), "{acts:?}");
    let alarms = there.kiosk.alarms().ranked();
    let ended = |(shown, _): &(Shown, _)| shown.condition == Condition::WatchEnded;
    assert!(alarms.iter().any(ended), "that it measured somebody has to be seen");
}

/// The cart says who is at the bed and whom each device measures. Where these are two people, one of them is wrong.
#[test]
fn s6_a_device_of_somebody_else_than_who_is_here_measures_nobody() {
    let mut torn = Bedside::monitoring().store.cart.expect("a cart");
    let here = torn.subject.expect("somebody");
    let assignment = torn.devices[0].assignment.as_mut().expect("assigned");
    assignment.subject = SubjectId(here.0 ^ 1);
    let device = torn.devices[0].id;
    for subject in [Some(here), None] {
        let there = Bedside::resumed(CartState { subject, ..torn.clone() });
        let kept = there.store.cart.clone().expect("what it is now");
        let whose = |id| kept.devices.iter().find(|one| one.id == id).expect("kept").assignment;
        assert_eq!((kept.subject, whose(device)), (subject, None), "it stays linked");
        let other = kept.devices.iter().find(|one| one.id != device).expect("another").assignment;
        assert_eq!(other.map(|one| one.subject), subject, "what agrees goes on");
        let acts: Vec<_> = there.store.audit.iter().map(|entry| entry.act).collect();
        assert!(acts.contains(&AuditAct::AssignmentConflict), "{acts:?}");
        let alarms = there.kiosk.alarms().ranked();
        let ended = |(shown, _): &(Shown, _)| shown.condition == Condition::WatchEnded;
        assert!(alarms.iter().any(ended), "that it measured somebody has to be seen");
    }
}

#[test]
fn a_meters_and_a_scales_values_are_on_the_bedside_with_their_age() {
    let mut bedside = with(METER, DeviceKind::GlucoseMeter);
    send(&mut bedside, METER, 0x2A2B, clock(14, 32));
    send(&mut bedside, METER, 0x2A18, glucose(7, 78, 14));
    // It was measured before she was at this bed: somebody says that it is hers.
    let tray = tray(&mut bedside);
    bedside.intent(Intent::File(tray.rows[0].record, tray.patient.expect("somebody").0));
    bedside.intent(frame::Intent::Open(Page::Bedside));
    let tile = bedside.tiles().into_iter().find(|tile| tile.parameter == Parameter::Glucose);
    let tile = tile.expect("its tile");
    assert_eq!(tile.value.map(|value| value.reveal().clone()).as_deref(), Some("7.8"));
    let bounds = (tile.limit_low.as_deref(), tile.limit_high.as_deref());
    assert_eq!((tile.unit, bounds), ("mmol/L", (Some("3.9"), Some("13.9"))));
    assert!(tile.age.is_some_and(|age| age >= 20 * MINUTE), "{:?}", tile.age);
}

#[test]
fn s6_what_is_not_this_patients_waits_says_why_and_expires_by_a_clock_nobody_can_set() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    let record = asked(&bedside).expect("a question").record;
    bedside.intent(Intent::Refuse(record));
    assert_eq!(bedside.notice(), Some(Notice::ReadingWaits));
    assert!(asked(&bedside).is_none());
    let row = tray(&mut bedside).rows.remove(0);
    assert!(matches!(row.because, Because::Refused(_)), "{:?}", row.because);
    assert_eq!(row.left_percent, 100);
    // The clock on the wall is set ahead by two days: nothing expires by that.
    bedside.set_wall(SignedDuration::from_hours(48));
    bedside.wait(SECOND);
    assert_eq!(tray(&mut bedside).rows.len(), 1);
    for _ in 0..14 {
        bedside.wait(55 * MINUTE);
        bedside.unlock();
    }
    bedside.wait(SECOND);
    assert!(tray(&mut bedside).rows.is_empty());
    assert_eq!(acts(&bedside), [AuditAct::ReadingRefused, AuditAct::ReadingExpired]);
    assert!(filed(&bedside).is_empty());
}

#[test]
fn s1_s2_what_is_measured_while_locked_is_kept_and_asked_about_after_the_login() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    bedside.intent(frame::Intent::Lock);
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    assert!(bedside.is_lock_screen() && bedside.view().open.is_none());
    assert_eq!(bedside.store.spots.len(), 1, "it is durable before anybody comes");
    bedside.wait(5 * MINUTE);
    bedside.unlock();
    let asked = asked(&bedside).expect("a question");
    let SpotTime::Live(at, ago) = asked.time else { panic!("{:?}", asked.time) };
    assert_eq!((at, ago.as_secs()), (TimeOfDay::at(14, 32), 300), "when it was, not now");
    bedside.intent(frame::Intent::Lock);
    assert!(format!("{:?}", bedside.view()).find("118").is_none());
}

#[test]
fn s7_a_meter_with_a_wrong_clock_is_corrected_or_has_no_time() {
    let mut bedside = with(METER, DeviceKind::GlucoseMeter);
    // Nobody has read its clock: 12:05 is no time.
    send(&mut bedside, METER, 0x2A18, glucose(1, 78, 12));
    // Its clock is an hour behind: what it stamped 12:05 was at 13:05.
    send(&mut bedside, METER, 0x2A2B, clock(13, 32));
    send(&mut bedside, METER, 0x2A18, glucose(2, 79, 12));
    // Stamped ahead of its own clock.
    send(&mut bedside, METER, 0x2A18, glucose(3, 80, 23));
    let times: Vec<_> = bedside.store.spots.iter().map(|one| one.reading.times).collect();
    let grades: Vec<_> = times.iter().map(|one| one.clock).collect();
    use ClockConfidence::{Corrected, Unknown};
    assert_eq!(grades, [Unknown, Corrected, Unknown]);
    let effective = times[1].effective.map(|at| at.to_string());
    assert_eq!(effective.as_deref(), Some("2026-11-22T13:05:00Z"));
    assert_eq!((times[0].effective, times[2].effective), (None, None), "never silently now");
    assert_eq!((times[0].offset_s, times[1].offset_s), (None, Some(-3600)));
    assert!(asked(&bedside).is_none(), "none of this patient's time at this bed");
    let because: Vec<_> = tray(&mut bedside).rows.into_iter().map(|row| row.because).collect();
    assert_eq!(because, [Because::NoTime, Because::Before, Because::NoTime]);
    // A new connection is a new clock.
    bedside.hardware(ports::Event::Link(METER, Link::Lost));
    bedside.hardware(ports::Event::Link(METER, Link::Live));
    send(&mut bedside, METER, 0x2A18, glucose(4, 81, 12));
    assert_eq!(bedside.store.spots[3].reading.times.offset_s, None);
}

#[test]
fn s8_fifty_stored_records_handed_over_three_times_are_fifty() {
    let mut bedside = with(METER, DeviceKind::GlucoseMeter);
    for cut in [17, 33, 50] {
        for sequence in 1..=cut {
            send(&mut bedside, METER, 0x2A18, glucose(sequence, 78, 12));
        }
        bedside.hardware(ports::Event::Link(METER, Link::Lost));
        bedside.hardware(ports::Event::Link(METER, Link::Live));
    }
    assert_eq!(bedside.store.spots.len(), 50);
    let sequences: Vec<_> = bedside.store.spots.iter().map(|one| one.reading.sequence).collect();
    assert_eq!(sequences, (1..=50).map(Some).collect::<Vec<_>>());
}

#[test]
fn s6_two_cuffs_of_one_name_are_told_apart() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    link(&mut bedside, OTHER_CUFF, DeviceKind::Cuff);
    bedside.intent(frame::Intent::Open(Page::Bedside));
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    let asked = confirm(&mut bedside);
    assert!(asked.has_twins);
    bedside.wait(2 * SECOND);
    send(&mut bedside, OTHER_CUFF, 0x2A35, pressure(120, 76, 90));
    let other = confirm(&mut bedside);
    assert_ne!(asked.device, other.device);
    let (before, _) = other.before.expect("the last one of this patient");
    assert_eq!(before[0].digits.reveal(), "118/76");
}

#[test]
fn s7_what_is_no_value_becomes_a_sentence_with_the_next_step() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    send(&mut bedside, CUFF, 0x2A35, vec![0x00, 0xFF, 0x07, 0xFF, 0x07, 0xFF, 0x07]);
    assert_eq!(bedside.notice(), Some(Notice::MeasurementFailed));
    send(&mut bedside, CUFF, 0x2A35, pressure(1, 250, 90));
    assert!(bedside.store.spots.iter().all(|one| one.reading.values.reveal().len() < 3));
    link(&mut bedside, METER, DeviceKind::GlucoseMeter);
    let mut control = glucose(1, 78, 14);
    control[12] = 0x1A;
    bedside.store.spots.clear();
    send(&mut bedside, METER, 0x2A18, control);
    assert_eq!(bedside.notice(), Some(Notice::ControlSolution));
    assert!(bedside.store.spots.is_empty(), "nobody's value");
}

#[test]
fn s6_only_those_who_care_say_whose_it_is() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    send(&mut bedside, CUFF, 0x2A35, pressure(118, 76, 90));
    let asked = asked(&bedside).expect("a question");
    for role in [Role::It, Role::Auditor] {
        bedside.intent(frame::Intent::Lock);
        bedside.store.role = role;
        bedside.unlock();
        for intent in [
            Intent::File(asked.record, asked.subject),
            Intent::Refuse(asked.record),
            Intent::Discard(asked.record),
            Intent::Undo(asked.record),
        ] {
            bedside.intent(intent);
        }
        bedside.intent(frame::Intent::Open(Page::Readings));
        assert!(!matches!(bedside.view().screen, Screen::Reading(_) | Screen::Tray(_)), "{role:?}");
        assert!(!format!("{:?}", bedside.view()).contains("118"), "{role:?}");
    }
    assert!(acts(&bedside).is_empty() && filed(&bedside).is_empty());
}

#[test]
fn s6_a_stamped_reading_of_an_unassigned_cuff_says_how_sure_its_time_is() {
    let mut bedside = with(CUFF, DeviceKind::Cuff);
    bedside.wait(4 * MINUTE);
    bedside.unlock();
    send(&mut bedside, CUFF, 0x2A2B, clock(14, 36));
    send(&mut bedside, CUFF, 0x2A35, stamped(118, 14, 34));
    let asked = asked(&bedside).expect("a question");
    let SpotTime::Sure(at, ago) = asked.time else { panic!("{:?}", asked.time) };
    assert_eq!((at, ago.as_secs()), (TimeOfDay::at(14, 34), 120));
}
