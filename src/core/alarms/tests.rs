//! Lives of conditions, second by second.

use super::*;

use wardkeep_model::alarm::AlarmChange;
use wardkeep_model::alarm::AlarmState as State;
use wardkeep_model::vitals::DeviceId;

const OXIMETER: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 2]);
const SPO2: Condition = Condition::Low(Parameter::SpO2);

fn at(second: u64) -> Moment {
    Moment { boot: BootTime(Duration::from_secs(second)), wall: jiff::Timestamp::UNIX_EPOCH }
}

fn saturation(value: i64) -> [(Parameter, Reading); 1] {
    [(Parameter::SpO2, Reading::Value(value.into()))]
}

const LOST: [(Parameter, Reading); 1] = [(Parameter::SpO2, Reading::NoValue)];
const RELEASED: [(Parameter, Reading); 1] = [(Parameter::SpO2, Reading::NotMeasured)];

fn battery() -> Fact {
    let text = AlarmText::BatteryLow { device: "Oximeter".into(), percent: 4 };
    Fact::at_once(Condition::Battery(OXIMETER), Priority::Low, text)
}

fn records_lost(count: u64) -> Fact {
    let text = AlarmText::RecordsLost { count };
    let fact = Fact::at_once(Condition::RecordsLost, Priority::Low, text);
    Fact { amount: count, ..fact }
}

fn value_lost() -> Fact {
    let text = AlarmText::ValueLost { device: "Oximeter".into(), sensor_off: false };
    let fact = Fact::at_once(Condition::ValueLost(OXIMETER), Priority::Low, text);
    Fact { silences: Some(DeviceKind::PulseOximeter), ..fact }
}

impl Alarms {
    /// What is known at a second.
    fn told(&mut self, second: u64, reading: [(Parameter, Reading); 1], facts: Vec<Fact>) {
        let limits = Limits::default();
        let known = Known { limits, readings: reading.to_vec(), signs: vec![], facts };
        self.update(at(second), known);
    }

    /// Some seconds in which nothing changes.
    fn seconds(
        &mut self,
        seconds: std::ops::RangeInclusive<u64>,
        reading: [(Parameter, Reading); 1],
    ) {
        seconds.for_each(|second| self.told(second, reading, vec![]));
    }

    fn state(&self, condition: Condition) -> Option<(Priority, State, bool)> {
        let present = self.conditions.get(condition)?;
        Some((present.priority, present.state, present.is_acknowledged()))
    }

    fn press(&mut self, second: u64) -> bool {
        let unseen = self.ranked().into_iter().find(|(_, one)| !one.is_acknowledged());
        let shown = unseen.map(|(shown, _)| shown);
        shown.is_some_and(|shown| self.acknowledge(shown, seen(second)))
    }
}

fn seen(second: u64) -> Seen {
    Seen { at: at(second), by: None }
}

#[test]
fn s9_a_condition_is_present_exactly_when_its_delay_has_passed() {
    let mut alarms = Alarms::default();
    alarms.seconds(0..=9, saturation(88));
    assert_eq!(alarms.on(Parameter::SpO2), None);
    assert_eq!(alarms.next_deadline(at(9).boot), Some(at(10).boot));
    alarms.told(10, saturation(88), vec![]);
    assert_eq!(alarms.on(Parameter::SpO2), Some(Priority::Medium));
}

#[test]
fn s9_worsening_has_its_own_delay_and_undoes_the_acknowledgement() {
    let mut alarms = Alarms::default();
    alarms.seconds(0..=10, saturation(88));
    assert!(alarms.press(10));
    assert_eq!(alarms.sound(at(10).boot), None);
    alarms.seconds(11..=13, saturation(70));
    assert_eq!(alarms.state(SPO2), Some((Priority::Medium, State::Active, true)));
    alarms.told(14, saturation(70), vec![]);
    assert_eq!(alarms.state(SPO2), Some((Priority::High, State::Active, false)));
}

#[test]
fn s9_a_lost_value_keeps_its_alarm_until_somebody_has_seen_it() {
    let mut alarms = Alarms::default();
    alarms.seconds(0..=5, saturation(70));
    let number = alarms.sound(at(5).boot);
    assert_eq!(number.map(|sound| sound.priority), Some(Priority::High));
    alarms.seconds(6..=150, LOST);
    assert_eq!(alarms.state(SPO2), Some((Priority::High, State::ValueLost, false)));
    assert_eq!(alarms.sound(at(150).boot), number);
    alarms.seconds(151..=500, LOST);
    assert_eq!(alarms.sound(at(500).boot).map(|sound| sound.priority), Some(Priority::High));
    let text = &alarms.ranked()[0].1.text;
    let crossed = text.crossed().unwrap();
    assert_eq!((crossed.value.as_str(), crossed.standing), ("70", Standing::ValueLost));
    assert!(alarms.press(500));
    assert_eq!(alarms.state(SPO2), None);
    // Still so when the value comes back: a condition anew.
    alarms.seconds(501..=504, saturation(70));
    assert_eq!(alarms.state(SPO2), Some((Priority::High, State::Active, false)));
}

#[test]
fn s9_a_value_that_comes_back_well_ends_what_was_lost() {
    let mut alarms = Alarms::default();
    alarms.seconds(0..=5, saturation(70));
    alarms.seconds(6..=30, LOST);
    alarms.seconds(31..=33, saturation(97));
    assert!(alarms.state(SPO2).is_some());
    alarms.seconds(34..=35, saturation(97));
    assert_eq!(alarms.state(SPO2), None);
}

#[test]
fn s9_a_technical_condition_is_as_urgent_as_what_it_silences() {
    let mut alarms = Alarms::default();
    alarms.seconds(0..=5, saturation(70));
    assert!(alarms.press(5));
    alarms.told(6, LOST, vec![value_lost()]);
    let lost = Condition::ValueLost(OXIMETER);
    assert_eq!(alarms.state(lost), Some((Priority::High, State::Active, false)));
    assert_eq!(alarms.sound(at(6).boot).map(|sound| sound.priority), Some(Priority::High));
    assert!(alarms.press(7), "somebody has seen that, too");
    alarms.told(8, LOST, vec![value_lost()]);
    assert_eq!(alarms.sound(at(8).boot), None);
}

#[test]
fn s9_what_comes_back_after_its_value_was_lost_is_to_be_seen_again() {
    for (seconds, loud) in [(3, false), (15, true)] {
        let mut alarms = Alarms::default();
        alarms.seconds(0..=5, saturation(70));
        assert!(alarms.press(5));
        alarms.seconds(6..=5 + seconds, LOST);
        alarms.seconds(6 + seconds..=10 + seconds, saturation(70));
        assert_eq!(alarms.state(SPO2), Some((Priority::High, State::Active, !loud)), "{seconds} s");
    }
}

#[test]
fn s9_a_release_ends_only_what_was_seen() {
    for seen in [false, true] {
        let mut alarms = Alarms::default();
        alarms.seconds(0..=5, saturation(70));
        assert!(!seen || alarms.press(5));
        alarms.seconds(6..=30, RELEASED);
        assert_eq!(alarms.state(SPO2).is_some(), !seen);
        assert_eq!(alarms.press(31), !seen);
        alarms.seconds(32..=60, RELEASED);
        assert_eq!(alarms.state(SPO2), None);
    }
}

#[test]
fn what_was_wrong_with_one_patient_is_not_the_next_one_s() {
    let mut alarms = Alarms::new(Rules { latch: Some(Priority::Low), ..Rules::default() });
    alarms.seconds(0..=5, saturation(70));
    alarms.told(6, LOST, vec![battery()]);
    alarms.part_with_patient(at(7));
    alarms.told(7, RELEASED, vec![battery()]);
    let left: Vec<_> = alarms.ranked().iter().map(|(shown, _)| shown.condition).collect();
    assert_eq!(left, [Condition::Battery(OXIMETER)]);
}

#[test]
fn s9_only_what_was_shown_is_acknowledged() {
    let mut alarms = Alarms::default();
    alarms.told(0, saturation(97), vec![battery(), records_lost(3)]);
    let (first, _) = alarms.ranked()[0];
    // Something worse happens between the look and the press.
    for second in 1..=4 {
        alarms.told(second, saturation(70), vec![battery(), records_lost(3)]);
    }
    assert!(alarms.acknowledge(first, seen(4)));
    assert!(!alarms.acknowledge(first, seen(4)), "once");
    let unseen = alarms.ranked().iter().filter(|(_, present)| !present.is_acknowledged()).count();
    assert_eq!(unseen, 2);
    let (shown, _) = alarms.ranked()[0];
    assert_eq!(shown.condition, SPO2);
    // More of what was seen is new.
    let lost = alarms.ranked().into_iter().find(|(one, _)| one.condition == Condition::RecordsLost);
    let lost = lost.map(|(shown, _)| shown).unwrap();
    alarms.told(5, saturation(70), vec![battery(), records_lost(4)]);
    assert!(!alarms.acknowledge(lost, seen(5)), "it shows another number now");
}

#[test]
fn s9_the_strip_is_the_most_urgent_even_if_it_was_seen() {
    let mut alarms = Alarms::default();
    alarms.seconds(0..=5, saturation(70));
    assert!(alarms.press(5));
    alarms.told(6, saturation(70), vec![battery()]);
    let ranked = alarms.ranked();
    assert_eq!(ranked[0].0.condition, SPO2);
    assert!(ranked[0].1.is_acknowledged() && !ranked[1].1.is_acknowledged());
}

#[test]
fn a_condition_stays_until_it_was_seen_where_the_site_says_so() {
    for (latch, stays) in [(None, false), (Some(Priority::High), true)] {
        let mut alarms = Alarms::new(Rules { latch, ..Rules::default() });
        alarms.seconds(0..=5, saturation(70));
        alarms.seconds(6..=60, saturation(97));
        assert_eq!(alarms.state(SPO2).is_some(), stays);
        assert_eq!(alarms.press(61), stays);
        alarms.seconds(62..=70, saturation(97));
        assert_eq!(alarms.state(SPO2), None);
    }
}

#[test]
fn s9_pauses_are_bounded_in_sum_and_broken_by_a_new_condition() {
    let mut alarms = Alarms::default();
    assert_eq!(alarms.pause_audio(at(0)), None);
    alarms.told(0, saturation(97), vec![battery()]);
    assert_eq!(alarms.pause_audio(at(0)), Some(AUDIO_PAUSE_MAX));
    assert_eq!(alarms.sound(at(100).boot), None);
    assert_eq!(alarms.next_deadline(at(100).boot), Some(at(120).boot));
    for second in 101..=104 {
        alarms.told(second, saturation(70), vec![battery()]);
    }
    assert_eq!(alarms.sound(at(104).boot).map(|sound| sound.priority), Some(Priority::High));
    assert_eq!(alarms.pause_audio(at(104)), Some(AUDIO_PAUSE_MAX));
    assert_eq!(alarms.pause_audio(at(224)), Some(Duration::from_secs(16)));
    assert_eq!(alarms.pause_audio(at(240)), None);
}

#[test]
fn every_condition_ends_in_the_log() {
    let mut alarms = Alarms::default();
    alarms.seconds(0..=3, saturation(70));
    alarms.seconds(4..=9, LOST);
    assert!(alarms.press(9));
    let told = alarms.take_log().into_iter().filter_map(|entry| match entry.event {
        LogEvent::Condition { condition, change, priority, .. } => {
            Some((condition, change, priority))
        }
        LogEvent::Paused(_) | LogEvent::Resumed => None,
    });
    let high = Priority::High;
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (SPO2, AlarmChange::Began, high),
            (SPO2, AlarmChange::Moved(State::ValueLost), high),
            (SPO2, AlarmChange::Acknowledged, high),
            (SPO2, AlarmChange::Ended, high),
        ]
    );
}

#[test]
fn a_pause_begins_and_ends_in_the_log() {
    let mut alarms = Alarms::default();
    alarms.told(0, saturation(97), vec![battery()]);
    assert!(alarms.pause_audio(at(1)).is_some());
    for second in 2..200 {
        alarms.told(second, saturation(97), vec![battery()]);
    }
    let pauses: Vec<_> = alarms
        .take_log()
        .into_iter()
        .filter(|entry| matches!(entry.event, LogEvent::Paused(_) | LogEvent::Resumed))
        .map(|entry| (entry.at.boot, entry.event))
        .collect();
    let (begun, over) = (at(1).boot, at(121).boot);
    assert_eq!(pauses, [(begun, LogEvent::Paused(AUDIO_PAUSE_MAX)), (over, LogEvent::Resumed)]);
}

#[test]
fn s9_somebody_else_is_called_to_what_nobody_sees() {
    let mut alarms = Alarms::default();
    alarms.seconds(0..=3, saturation(70));
    let first = alarms.sound(at(3).boot).unwrap();
    alarms.seconds(4..=182, saturation(70));
    assert!(!alarms.ranked()[0].1.escalated);
    assert_eq!(alarms.next_deadline(at(182).boot), Some(at(183).boot));
    assert!(alarms.pause_audio(at(182)).is_some());
    alarms.seconds(183..=183, saturation(70));
    assert!(alarms.ranked()[0].1.escalated);
    let called = alarms.sound(at(183).boot).unwrap();
    assert!(called.onset > first.onset, "it is heard anew, and ends the pause");
    assert!(alarms.press(184));
    alarms.seconds(185..=500, saturation(70));
    assert_eq!(alarms.sound(at(500).boot), None);
}

#[test]
fn what_was_seen_and_goes_on_is_reminded_of() {
    let mut alarms = Alarms::default();
    alarms.seconds(0..=3, saturation(70));
    assert!(alarms.press(10));
    let mut heard = Vec::new();
    for second in 11..2_000 {
        alarms.told(second, saturation(70), vec![]);
        let sound = alarms.sound(at(second).boot);
        assert!(sound.is_none_or(|sound| sound.is_reminder && sound.priority == Priority::High));
        heard.extend(sound.map(|sound| (second, sound.onset)));
    }
    assert_eq!(heard, [(610, 1), (611, 1), (1_210, 2), (1_211, 2), (1_810, 3), (1_811, 3)]);
    let mut never = Alarms::new(Rules { remind: None, ..Rules::default() });
    never.seconds(0..=3, saturation(70));
    assert!(never.press(10));
    never.seconds(11..=2_000, saturation(70));
    assert_eq!(never.sound(at(2_000).boot), None);
}

const APNOEA: Condition = Condition::Gone(LifeSign::Breath);

fn no_breath(second: u64, alarms: &mut Alarms, is_gone: Option<bool>) {
    let delay = Duration::from_secs(20);
    let sign = Sign { of: LifeSign::Breath, delay, is_gone, is_measured: true };
    let (limits, readings) = (Limits::default(), vec![]);
    alarms.update(at(second), Known { limits, readings, signs: vec![sign], facts: vec![] });
}

#[test]
fn s12_no_breath_stays_an_alarm_when_breathing_is_not_measured_any_more() {
    let mut alarms = Alarms::default();
    (0..20).for_each(|second| no_breath(second, &mut alarms, Some(true)));
    assert_eq!(alarms.state(APNOEA), None);
    assert_eq!(alarms.next_deadline(at(19).boot), Some(at(20).boot));
    no_breath(20, &mut alarms, Some(true));
    assert_eq!(alarms.state(APNOEA), Some((Priority::High, State::Active, false)));
    (21..300).for_each(|second| no_breath(second, &mut alarms, None));
    assert_eq!(alarms.state(APNOEA), Some((Priority::High, State::ValueLost, false)));
    (300..304).for_each(|second| no_breath(second, &mut alarms, Some(false)));
    assert_eq!(alarms.state(APNOEA), None);
}
