//! Ways in which the alarm system of this and other monitors was seen to fall silent, each by the number under
//! which it was found.

use std::time::Duration;

use jiff::SignedDuration;
use kit::kiosk::{Bedside, OXIMETER, STRAP, heart_rate, oximetry};
use wardkeep_core::alarms::{AlarmText, Standing};
use wardkeep_core::kiosk::view::AlarmStrip;
use wardkeep_core::kiosk::{Event, alarm, frame};
use wardkeep_model::alarm::Priority;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{self, Link};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const SPARE: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 9]);

/// Some seconds in which the patient's saturation and rate are these.
pub fn measured(bedside: &mut Bedside, seconds: u32, saturation: u8, rate: u8) {
    for _ in 0..seconds {
        bedside.frame(STRAP, heart_rate(rate));
        bedside.frame(OXIMETER, oximetry(saturation, rate));
        bedside.wait(SECOND);
    }
}

/// Some seconds in which the strap measures and the finger is out of the oximeter.
fn finger_out(bedside: &mut Bedside, seconds: u32) {
    for _ in 0..seconds {
        bedside.frame(STRAP, heart_rate(72));
        bedside.frame(OXIMETER, vec![0x00, 0xFF, 0x07, 0xFF, 0x07]);
        bedside.wait(SECOND);
    }
}

pub fn strip(bedside: &Bedside) -> AlarmStrip {
    bedside.view().alarm.expect("an alarm")
}

pub fn heard(bedside: &Bedside) -> Option<Priority> {
    bedside.kiosk.sound(bedside.now()).map(|sound| sound.priority)
}

fn battery_low(bedside: &mut Bedside) {
    bedside.hardware(ports::Event::Frame {
        device: STRAP,
        characteristic: Characteristic(0x2A19),
        payload: vec![12],
        received: bedside.now(),
    });
}

fn is_low(strip: &AlarmStrip, was: Standing) -> bool {
    matches!(&strip.text, AlarmText::Low(one) if one.standing == was)
}

#[test]
fn r1_a_value_that_vanishes_keeps_its_alarm() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 5, 70, 72);
    assert_eq!(heard(&bedside), Some(Priority::High));
    for _ in 0..120 {
        finger_out(&mut bedside, 1);
        assert!(is_low(&strip(&bedside), Standing::ValueLost), "{:?}", strip(&bedside));
        assert_eq!(
            (strip(&bedside).priority, heard(&bedside)),
            (Priority::High, Some(Priority::High))
        );
    }
    bedside.acknowledge();
    assert!(!is_low(&strip(&bedside), Standing::ValueLost), "somebody has seen it");
    assert!(
        matches!(strip(&bedside).text, AlarmText::ValueLost { .. }),
        "and has still to see to the sensor"
    );
}

#[test]
fn r1_so_does_one_whose_link_is_lost() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 5, 70, 72);
    bedside.hardware(ports::Event::Link(OXIMETER, Link::Lost));
    bedside.wait(120 * SECOND);
    assert!(is_low(&strip(&bedside), Standing::ValueLost));
    assert_eq!(heard(&bedside), Some(Priority::High));
    bedside.hardware(ports::Event::Link(OXIMETER, Link::Live));
    measured(&mut bedside, 15, 97, 72);
    assert!(bedside.view().alarm.is_none(), "it is clearly over");
}

#[test]
fn r1_an_acknowledged_alarm_whose_value_vanishes_is_heard_as_urgently() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 5, 70, 72);
    bedside.acknowledge();
    assert_eq!(heard(&bedside), None);
    finger_out(&mut bedside, 15);
    assert_eq!(heard(&bedside), Some(Priority::High), "not the low one of a sensor that is off");
}

#[test]
fn r2_the_wall_clock_ends_no_alarm() {
    for hours in [-48, -1, 1, 48] {
        let mut bedside = Bedside::monitoring();
        measured(&mut bedside, 5, 97, 72);
        bedside.set_wall(SignedDuration::from_hours(hours));
        measured(&mut bedside, 5, 70, 72);
        assert_eq!(heard(&bedside), Some(Priority::High), "{hours} h");
        assert!(bedside.store.records.iter().all(|record| record.subject.is_some()), "{hours} h");
    }
}

#[test]
fn r3_an_assignment_that_ends_ends_no_alarm() {
    let mut bedside = Bedside::monitoring();
    bedside.wait(24 * HOUR - 10 * SECOND);
    measured(&mut bedside, 9, 70, 72);
    let filed = bedside.store.records.len();
    measured(&mut bedside, 60, 70, 72);
    assert!(is_low(&strip(&bedside), Standing::Is), "{:?}", strip(&bedside));
    assert_eq!(heard(&bedside), Some(Priority::High));
    assert!(strip(&bedside).others >= 2, "it is asked for again");
    bedside.unlock();
    // S-6: nobody has confirmed whose they are.
    let last = &bedside.store.records[filed + 8..];
    assert!(!last.is_empty() && last.iter().all(|record| record.subject.is_none()));
    assert!(bedside.numbers().iter().all(Option::is_some), "and they are shown");
}

#[test]
fn r4_a_press_acknowledges_what_was_shown_and_nothing_else() {
    let mut bedside = Bedside::monitoring();
    bedside.event(Event::RecordsLost(3));
    measured(&mut bedside, 5, 70, 72);
    bedside.intent(frame::Intent::Lock);
    assert!(is_low(&strip(&bedside), Standing::Is));
    bedside.acknowledge();
    let offered = strip(&bedside).unseen.expect("what was lost");
    assert_eq!(offered.text, AlarmText::RecordsLost { count: 3 });
    assert_eq!(heard(&bedside), Some(Priority::Low));
    bedside.acknowledge();
    assert!(strip(&bedside).unseen.is_none());
}

#[test]
fn r4_a_press_that_comes_too_late_acknowledges_nothing_new() {
    let mut bedside = Bedside::monitoring();
    bedside.event(Event::RecordsLost(3));
    let offered = strip(&bedside).unseen.expect("what was lost").shown;
    bedside.event(Event::RecordsLost(1));
    bedside.intent(alarm::Intent::Acknowledge(offered));
    let still = strip(&bedside).unseen.expect("nobody has seen four");
    assert_eq!(still.text, AlarmText::RecordsLost { count: 4 });
}

#[test]
fn r5_a_lesser_condition_never_hides_a_greater_one() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 5, 70, 72);
    bedside.acknowledge();
    battery_low(&mut bedside);
    measured(&mut bedside, 5, 70, 72);
    let strip = strip(&bedside);
    assert!(is_low(&strip, Standing::Is) && strip.acknowledged && strip.others == 1);
    assert!(matches!(strip.unseen.expect("unseen").text, AlarmText::BatteryLow { .. }));
    assert_eq!(heard(&bedside), Some(Priority::Low));
}

#[test]
fn r6_a_device_that_is_never_linked_is_missed() {
    let mut bedside = Bedside::monitoring();
    bedside.intent(wardkeep_core::kiosk::pages::devices::Intent::Release(STRAP));
    bedside.advertise(SPARE, DeviceKind::HeartRate);
    bedside.intent(wardkeep_core::kiosk::pages::devices::Intent::Connect(SPARE));
    bedside.intent(wardkeep_core::kiosk::pages::devices::Intent::Assign(SPARE));
    for second in 0..40 {
        bedside.frame(OXIMETER, oximetry(97, 72));
        bedside.wait(SECOND);
        assert_eq!(bedside.view().alarm.is_some(), second >= 29, "second {second}");
    }
    assert!(matches!(strip(&bedside).text, AlarmText::NeverLinked { .. }));
}

#[test]
fn r7_pauses_in_a_row_do_not_keep_an_alarm_silent() {
    let mut bedside = Bedside::monitoring();
    let (mut silent, mut told) = (0, false);
    for second in 0..600 {
        if second % 119 == 10 {
            bedside.intent(alarm::Intent::PauseAudio);
            told |= bedside.notice() == Some(Notice::PauseUsedUp);
        }
        measured(&mut bedside, 1, 70, 72);
        silent += u32::from(second >= 5 && heard(&bedside).is_none());
    }
    assert!(silent <= 240 && told, "{silent} s, told: {told}");
}

#[test]
fn r8_a_rate_that_wavers_about_its_limit_is_one_alarm() {
    let mut bedside = Bedside::monitoring();
    let (mut onsets, mut last) = (0, None);
    // Beats of a made-up heart around 120.
    for second in 0_u32..120 {
        let rate = 117 + u8::try_from(second * 7 % 11 % 8).expect("small");
        measured(&mut bedside, 1, 97, rate);
        let now = bedside.kiosk.sound(bedside.now()).map(|sound| sound.onset);
        onsets += u32::from(now > last);
        last = now.max(last);
    }
    // The strap and the oximeter count the same beats.
    assert!((1..=2).contains(&onsets), "{onsets} onsets");
}

#[test]
fn r8_a_saturation_that_alternates_about_its_limit_is_an_alarm() {
    let mut bedside = Bedside::monitoring();
    for second in 0..60 {
        measured(&mut bedside, 1, 89 + second % 2, 72);
    }
    assert_eq!(heard(&bedside), Some(Priority::Medium));
}

#[test]
fn r9_what_arrives_after_its_link_is_gone_is_not_current() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 2, 97, 72);
    bedside.hardware(ports::Event::Link(OXIMETER, Link::Lost));
    let recorded = bedside.store.records.len();
    bedside.frame(OXIMETER, oximetry(96, 71));
    assert_eq!(bedside.numbers(), [Some("72".to_owned()), None, None]);
    assert!(bedside.store.records.len() > recorded, "it is recorded all the same");
}

#[test]
fn extremes_are_of_the_highest_priority() {
    for (rate, saturation, priority) in [
        (29, 97, Priority::High),
        (45, 97, Priority::Medium),
        (125, 97, Priority::Medium),
        (181, 97, Priority::High),
        (72, 79, Priority::High),
        (72, 88, Priority::Medium),
    ] {
        let mut bedside = Bedside::monitoring();
        measured(&mut bedside, 12, saturation, rate);
        assert_eq!(heard(&bedside), Some(priority), "{rate} /min, {saturation} %");
    }
}

#[test]
fn what_was_wrong_with_the_last_patient_is_not_the_next_one_s() {
    let mut bedside = Bedside::monitoring();
    measured(&mut bedside, 5, 70, 72);
    bedside.admit();
    measured(&mut bedside, 2, 97, 72);
    assert!(bedside.view().alarm.is_none_or(|strip| strip.priority < Priority::High));
}
