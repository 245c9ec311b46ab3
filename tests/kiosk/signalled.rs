//! S-9 over whole shifts: a desaturation is on the strip and to be heard within a second after its delay, until
//! somebody has seen it or it is over; whatever people, sensors and both clocks do meanwhile.
//!
//! What should be signalled is reckoned here from what was done to the bed alone, not from the core's own
//! alarms.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::SignedDuration;
use kit::kiosk::{Bedside, OXIMETER, STRAP, heart_rate, oximetry};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use wardkeep_core::alarms::AlarmText;
use wardkeep_core::kiosk::view::AlarmStrip;
use wardkeep_core::kiosk::{Event, alarm, frame};
use wardkeep_model::alarm::{AlarmChange, Happened, Priority};
use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::{self, Link};

const SECOND: Duration = Duration::from_secs(1);
/// A desaturation counts after three seconds, and is signalled within one more.
const SIGNALLED_AFTER: Duration = Duration::from_secs(4);
/// A value that is not current any more, at the latest.
const STALE_AFTER: Duration = Duration::from_secs(4);
/// Well for so long, a desaturation may be over: it is after three seconds, by the core's own steps.
const CLEARLY_OVER: Duration = Duration::from_secs(2);
/// A value that was lost for so long and comes back low has to be seen again.
const FOUND_AGAIN: Duration = Duration::from_secs(14);
/// A pause may be repeated; of ten minutes no more than this may be silent.
const SILENT_MAX: usize = 240;
const SHIFTS: usize = 300;
/// How many others are run instead, where somebody has the time.
const SHIFTS_WANTED: &str = "WARDKEEP_SHIFTS";

/// What is done to the bed.
#[derive(Clone, Debug)]
enum Op {
    /// The finger gives this saturation for so many seconds.
    Saturation(u8, u32),
    /// The sensor is off the finger.
    Off(u32),
    /// The link is lost, and comes back.
    LinkLost(u32),
    /// The battery of the strap is low.
    BatteryLow,
    /// Records were lost.
    Lose,
    Acknowledge,
    Pause,
    /// Somebody pauses again and again through ten minutes of desaturation.
    PauseOnAndOn,
    Lock,
    /// The wall clock is set.
    SetWall(i64),
    /// The machine slept, with or without a clock that goes on.
    Sleep(u32, bool),
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (60_u8..80, 1_u32..20).prop_map(|(low, s)| Op::Saturation(low, s)),
        3 => (92_u8..100, 1_u32..20).prop_map(|(well, s)| Op::Saturation(well, s)),
        2 => (1_u32..12).prop_map(Op::Off),
        1 => (1_u32..12).prop_map(Op::LinkLost),
        2 => Just(Op::BatteryLow),
        2 => Just(Op::Lose),
        4 => Just(Op::Acknowledge),
        2 => Just(Op::Pause),
        1 => Just(Op::PauseOnAndOn),
        1 => Just(Op::Lock),
        1 => prop_oneof![-7_200_i64..7_200, -172_800_i64..172_800].prop_map(Op::SetWall),
        1 => (1_u32..100_000, any::<bool>()).prop_map(|(s, both)| Op::Sleep(s, both)),
    ]
}

/// What holds of the patient, as this test knows it.
struct Truth {
    /// Since when values are a desaturation, and have not been well for long.
    low_since: Option<BootTime>,
    /// Since when every value was well.
    well_since: Option<BootTime>,
    /// When the last value came, and that it is not current any more.
    last: Option<BootTime>,
    gone: bool,
    /// It was signalled, and then seen by somebody.
    signalled: bool,
    seen: bool,
    /// What is lost, and that it stood on the strip once.
    lost: Option<bool>,
    paused_at: Option<BootTime>,
    /// Seconds of this desaturation that nobody has seen and nobody could hear.
    silent: Vec<BootTime>,
    /// How the promise broke first.
    broken: Option<&'static str>,
}

impl Truth {
    fn new() -> Self {
        Self {
            low_since: None,
            well_since: None,
            last: None,
            gone: false,
            signalled: false,
            seen: false,
            lost: None,
            paused_at: None,
            silent: vec![],
            broken: None,
        }
    }

    /// The patient is well again and everything was seen: every condition has begun and ended as often in the
    /// log, and none has ended before it began.
    fn log(&mut self, bedside: &mut Bedside) {
        for _ in 0..30 {
            bedside.hardware(ports::Event::Link(OXIMETER, Link::Live));
            bedside.frame(STRAP, heart_rate(72));
            bedside.frame(OXIMETER, oximetry(97, 72));
            bedside.acknowledge();
            bedside.wait(SECOND);
        }
        let mut open: BTreeMap<&str, i32> = BTreeMap::new();
        for record in &bedside.store.alarms {
            let Happened::Condition { id, change, .. } = &record.happened else { continue };
            let count = open.entry(id.as_str()).or_default();
            *count += match change {
                AlarmChange::Began => 1,
                AlarmChange::Ended => -1,
                AlarmChange::Became
                | AlarmChange::Moved(_)
                | AlarmChange::Acknowledged
                | AlarmChange::Escalated => 0,
            };
            if !(0..=1).contains(count) {
                return self.breaks("the log begins and ends a condition out of turn");
            }
        }
        let physiological = open.iter().filter(|(id, _)| id.starts_with("low:"));
        if physiological.map(|(_, count)| count).sum::<i32>() != 0 {
            self.breaks("a condition is over and its log has no end");
        }
    }

    fn breaks(&mut self, how: &'static str) {
        self.broken.get_or_insert(how);
    }

    /// A value came.
    fn value(&mut self, now: BootTime, saturation: u8) {
        let is_low = saturation < 80;
        let lost_for = self.last.map_or(Duration::MAX, |last| now.since(last));
        if is_low {
            self.well_since = None;
        } else {
            let well = *self.well_since.get_or_insert(now);
            if now.since(well) >= CLEARLY_OVER || !self.signalled {
                (self.low_since, self.signalled, self.seen) = (None, false, false);
                self.silent.clear();
            }
        }
        // Whoever saw it before nobody could know of it has to see it again.
        self.seen &= lost_for < FOUND_AGAIN;
        if self.low_since.is_none() || lost_for >= STALE_AFTER && !self.signalled {
            self.low_since = is_low.then_some(now);
        }
        (self.last, self.gone) = (Some(now), false);
    }

    /// The last value is not current any more.
    fn is_gone(&self, now: BootTime) -> bool {
        self.gone || self.last.is_none_or(|last| now.since(last) >= STALE_AFTER)
    }

    fn look(&mut self, bedside: &Bedside) {
        let (now, strip) = (bedside.now(), bedside.view().alarm);
        if let (Some(shown), Some(strip)) = (&mut self.lost, &strip) {
            *shown |= matches!(strip.text, AlarmText::RecordsLost { .. });
        }
        let Some(since) = self.low_since else { return };
        let is_high = strip.as_ref().is_some_and(is_desaturation);
        let current = !self.is_gone(now.boot);
        let is_low = current && self.well_since.is_none();
        if is_low && now.boot.since(since) >= SIGNALLED_AFTER && !is_high {
            self.breaks("a desaturation is not on the strip");
        }
        self.signalled |= is_high;
        if !self.signalled || self.seen {
            return;
        }
        if !current && !is_high {
            self.breaks("a desaturation whose value is lost is gone before anybody saw it");
        }
        let heard = bedside.kiosk.sound(now).map(|sound| sound.priority);
        let paused = self.paused_at.is_some_and(|at| now.boot.since(at) < Duration::from_secs(120));
        if heard != Some(Priority::High) && !paused && is_high {
            self.breaks("a desaturation on the strip is not to be heard");
        }
        if heard != Some(Priority::High) {
            self.silent.push(now.boot);
        }
        let ago = now.boot - Duration::from_secs(600);
        let window = self.silent.iter().filter(|silent| **silent > ago).count();
        if window > SILENT_MAX {
            self.breaks("pauses in a row keep a desaturation silent");
        }
    }

    /// Somebody acknowledged what the strip offered.
    fn acknowledged(&mut self, what: &AlarmText, bedside: &Bedside) {
        self.seen |= self.signalled;
        if self.is_gone(bedside.now().boot) && matches!(what, AlarmText::Low(_)) {
            // It is over by that; if it comes back, it is new.
            (self.low_since, self.signalled, self.seen) = (None, false, false);
        }
        let strip = bedside.view().alarm;
        let still = strip.is_some_and(|strip| {
            strip.others > 0 || matches!(strip.text, AlarmText::RecordsLost { .. })
        });
        if matches!(what, AlarmText::RecordsLost { .. }) {
            self.lost = None;
        } else if self.lost.is_some() && !still {
            self.breaks("what was lost is acknowledged with what was shown");
        }
    }
}

fn is_desaturation(strip: &AlarmStrip) -> bool {
    strip.priority == Priority::High
}

/// A second in which this saturation came, or none.
fn second(bedside: &mut Bedside, truth: &mut Truth, saturation: Option<u8>) {
    bedside.frame(STRAP, heart_rate(72));
    if let Some(saturation) = saturation {
        bedside.frame(OXIMETER, oximetry(saturation, 72));
        truth.value(bedside.now().boot, saturation);
    }
    bedside.wait(SECOND);
    truth.look(bedside);
}

fn run(op: &Op, bedside: &mut Bedside, truth: &mut Truth) {
    match *op {
        Op::Saturation(saturation, seconds) => {
            for _ in 0..seconds {
                second(bedside, truth, Some(saturation));
            }
        }
        Op::Off(seconds) => {
            for _ in 0..seconds {
                // Both values are "not a number".
                bedside.frame(OXIMETER, vec![0x00, 0xFF, 0x07, 0xFF, 0x07]);
                truth.gone = true;
                second(bedside, truth, None);
            }
        }
        Op::LinkLost(seconds) => {
            bedside.hardware(ports::Event::Link(OXIMETER, Link::Lost));
            truth.gone = true;
            for _ in 0..seconds {
                second(bedside, truth, None);
            }
            bedside.hardware(ports::Event::Link(OXIMETER, Link::Live));
        }
        Op::BatteryLow => bedside.hardware(ports::Event::Frame {
            device: STRAP,
            characteristic: wardkeep_model::vitals::Characteristic(0x2A19),
            payload: vec![5],
            received: bedside.now(),
        }),
        Op::Lose => {
            bedside.event(Event::RecordsLost(1));
            truth.lost.get_or_insert(false);
            truth.look(bedside);
        }
        Op::Acknowledge => {
            truth.look(bedside);
            let offered = bedside.view().alarm.and_then(|strip| strip.unseen);
            bedside.acknowledge();
            if let Some(offered) = offered {
                truth.acknowledged(&offered.text, bedside);
            }
        }
        Op::Pause => pause(bedside, truth),
        Op::PauseOnAndOn => {
            for n in 0..600 {
                if n % 119 == 10 {
                    pause(bedside, truth);
                }
                second(bedside, truth, Some(70));
            }
        }
        Op::Lock => bedside.intent(frame::Intent::Lock),
        Op::SetWall(seconds) => bedside.set_wall(SignedDuration::from_secs(seconds)),
        Op::Sleep(seconds, both) => {
            let length = Duration::from_secs(seconds.into());
            if both {
                bedside.suspend(length);
            } else {
                bedside.clock.step_boot(length);
            }
            truth.gone |= length >= STALE_AFTER;
            bedside.event(Event::Tick);
        }
    }
}

fn pause(bedside: &mut Bedside, truth: &mut Truth) {
    bedside.intent(alarm::Intent::PauseAudio);
    truth.paused_at = Some(bedside.now().boot);
}

#[test]
fn s9_a_desaturation_is_signalled_until_it_is_seen_or_over() {
    let wanted = std::env::var(SHIFTS_WANTED).ok().and_then(|count| count.parse().ok());
    let (mut runner, count) = (TestRunner::deterministic(), wanted.unwrap_or(SHIFTS));
    let shifts = prop::collection::vec(any_op(), 4..24);
    let mut broken: BTreeMap<&str, Vec<Vec<Op>>> = BTreeMap::new();
    for _ in 0..count {
        let ops = shifts.new_tree(&mut runner).expect("a shift").current();
        let mut bedside = Bedside::monitoring();
        let mut truth = Truth::new();
        let first = ops.iter().position(|op| {
            run(op, &mut bedside, &mut truth);
            truth.broken.is_some()
        });
        if truth.broken.is_none() {
            truth.log(&mut bedside);
        }
        let first = first.or_else(|| truth.broken.map(|_| ops.len() - 1));
        if let Some((how, first)) = truth.broken.zip(first) {
            broken.entry(how).or_default().push(ops[..=first].to_vec());
        }
    }
    let mut wrong = String::new();
    for (how, shifts) in &broken {
        let shortest = shifts.iter().min_by_key(|ops| ops.len());
        writeln!(wrong, "{how}: {} shifts; {shortest:?}", shifts.len()).expect("");
    }
    assert!(wrong.is_empty(), "of {count} shifts:\n{wrong}");
}
