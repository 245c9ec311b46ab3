//! The current numerics. Each grows old on its own clock and turns to dashes (S-7).
//!
//! A number is current while its device is linked and sent it lately enough for its parameter
//! ([`crate::vitals::parameter::Row::fresh`]). Anything
//! else - link lost, sensor off the patient, silence - leaves only "how long ago, and what it was".

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::moment::BootTime;
use crate::vitals::DeviceId;
use crate::vitals::decimal::Decimal;
use crate::vitals::gatt::{Charted, Withheld};
use crate::vitals::nomenclature::{Status, Unit};
use crate::vitals::parameter::Parameter;

/// When a number was measured: on the clock that nobody can set, which knows nothing of before the machine started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    at: BootTime,
    /// So long before the machine started, if it was.
    earlier: Duration,
}

impl Measured {
    /// As it came.
    pub fn at(at: BootTime) -> Self {
        Self { at, earlier: Duration::ZERO }
    }

    /// So long before `now`.
    pub fn ago(now: BootTime, ago: Duration) -> Self {
        let earlier = ago.saturating_sub(now.0);
        Self { at: BootTime(now.0.saturating_sub(ago)), earlier }
    }

    /// How long ago that is.
    pub fn age(self, now: BootTime) -> Duration {
        now.since(self.at).saturating_add(self.earlier)
    }

    fn is_before(self, other: Self) -> bool {
        (self.at, Reverse(self.earlier)) < (other.at, Reverse(other.earlier))
    }
}

/// The last number of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Numeric {
    /// Who sent it.
    pub device: DeviceId,
    /// The device's digits.
    pub value: Decimal,
    /// The device's unit.
    pub unit: Unit,
    /// When.
    pub measured: Measured,
    /// What the device said about it.
    pub status: Vec<Status>,
    /// It was measured once, and is whose somebody said it is.
    pub is_spot: bool,
}

impl Numeric {
    fn of(charted: &Charted, device: DeviceId, (measured, is_spot): (Measured, bool)) -> Self {
        let Charted { value, unit, status, .. } = charted.clone();
        Self { device, value, unit, measured, status, is_spot }
    }
}

#[derive(Debug, Default)]
struct Slot {
    last: Option<Numeric>,
    /// The device answered more recently that it has no value.
    withheld_at: Option<BootTime>,
    ended: bool,
}

/// Every numeric of the patient at this bed.
#[derive(Debug, Default)]
pub struct Live {
    slots: BTreeMap<Parameter, Slot>,
}

impl Live {
    /// Takes a charted value of an assigned device.
    pub fn take(&mut self, now: BootTime, device: DeviceId, charted: &Charted) {
        let Some(parameter) = Parameter::of(charted.code) else { return };
        let last = Some(Numeric::of(charted, device, (Measured::at(now), false)));
        self.slots.insert(parameter, Slot { last, withheld_at: None, ended: false });
    }

    /// Takes the last spot readings of the patient at this bed, each with when it was measured. What was shown of
    /// others is not theirs any more; of two values of a parameter the later one counts.
    pub fn take_spots(&mut self, readings: &[(Measured, DeviceId, Vec<Charted>)]) {
        self.slots.retain(|_, slot| slot.last.as_ref().is_none_or(|last| !last.is_spot));
        for (measured, device, values) in readings {
            for charted in values {
                let Some(parameter) = Parameter::of(charted.code) else { continue };
                let shown = self.slots.get(&parameter).and_then(|slot| slot.last.as_ref());
                if shown.is_none_or(|shown| shown.measured.is_before(*measured)) {
                    let last = Some(Numeric::of(charted, *device, (*measured, true)));
                    self.slots.insert(parameter, Slot { last, withheld_at: None, ended: false });
                }
            }
        }
    }

    /// The device said that it has no value.
    pub fn withhold(&mut self, now: BootTime, withheld: &Withheld) {
        if let Some(parameter) = Parameter::of(withheld.code) {
            self.slots.entry(parameter).or_default().withheld_at = Some(now);
        }
    }

    /// The link to a device that measures all the time is gone, or nobody's any more: none of its numbers is
    /// current, and none becomes so again.
    pub fn end(&mut self, device: DeviceId) {
        for slot in self.slots.values_mut() {
            if slot.last.as_ref().is_some_and(|last| last.device == device) {
                slot.ended = true;
            }
        }
    }

    /// Forgets everything: another patient, or none.
    pub fn clear(&mut self) {
        self.slots.clear();
    }

    /// The number that may be shown as current, if there is one (S-7).
    pub fn current(&self, now: BootTime, parameter: Parameter) -> Option<&Numeric> {
        let slot = self.slots.get(&parameter)?;
        let last = slot.last.as_ref()?;
        let current = !slot.ended
            && slot.withheld_at.is_none_or(|withheld| withheld < last.measured.at)
            && last.measured.age(now) < parameter.row().fresh_of(last.is_spot);
        current.then_some(last)
    }

    /// The last number, however old.
    pub fn last(&self, parameter: Parameter) -> Option<&Numeric> {
        self.slots.get(&parameter)?.last.as_ref()
    }

    /// The device is linked but said lately that it has no value.
    pub fn is_withheld(&self, now: BootTime, parameter: Parameter) -> bool {
        let withheld = self.slots.get(&parameter).and_then(|slot| slot.withheld_at);
        self.current(now, parameter).is_none()
            && withheld.is_some_and(|at| now.since(at) < parameter.row().fresh_of(false))
    }

    /// When the next current number stops being so.
    pub fn next_deadline(&self, now: BootTime) -> Option<BootTime> {
        let ends = |parameter: Parameter| {
            let Numeric { measured, is_spot, .. } = self.current(now, parameter)?;
            let fresh = parameter.row().fresh_of(*is_spot);
            Some(measured.at + fresh.saturating_sub(measured.earlier))
        };
        Parameter::all().filter_map(ends).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::vitals::nomenclature::{Absent, SPO2};

    const OXIMETER: DeviceId = DeviceId([1, 2, 3, 4, 5, 6]);

    fn at(ms: u64) -> BootTime {
        BootTime(Duration::from_millis(ms))
    }

    fn spo2(value: i64) -> Charted {
        Charted { code: SPO2, value: value.into(), unit: Unit::Percent, status: vec![] }
    }

    #[test]
    fn s7_a_number_ages_into_no_number() {
        let mut live = Live::default();
        live.take(at(0), OXIMETER, &spo2(97));
        assert!(live.current(at(3_999), Parameter::SpO2).is_some());
        assert_eq!(live.next_deadline(at(1)), Some(at(4_000)));
        assert!(live.current(at(4_000), Parameter::SpO2).is_none());
        assert_eq!(live.last(Parameter::SpO2).map(|n| n.value), Some(97.into()));
    }

    #[test]
    fn s7_a_lost_link_ends_the_number_at_once_and_for_good() {
        let mut live = Live::default();
        live.take(at(0), OXIMETER, &spo2(97));
        live.end(OXIMETER);
        assert!(live.current(at(1), Parameter::SpO2).is_none());
        live.take(at(2), OXIMETER, &spo2(96));
        assert!(live.current(at(3), Parameter::SpO2).is_some());
    }

    #[test]
    fn s6_a_spot_reading_that_was_moved_away_is_shown_no_more() {
        let mut live = Live::default();
        let cuff = |value: i64, at_ms| (Measured::at(at(at_ms)), OXIMETER, vec![spo2(value)]);
        live.take_spots(&[cuff(95, 10), cuff(99, 5)]);
        let shown = |live: &Live| live.current(at(20), Parameter::SpO2).map(|one| one.value);
        assert_eq!(shown(&live), Some(95.into()), "the later one");
        live.take_spots(&[]);
        assert_eq!(shown(&live), None);
        assert!(live.last(Parameter::SpO2).is_none());
        live.take(at(15), OXIMETER, &spo2(97));
        live.take_spots(&[cuff(95, 10)]);
        assert_eq!(shown(&live), Some(97.into()), "what is worn is later");
        live.take_spots(&[cuff(94, 16)]);
        assert_eq!(shown(&live), Some(94.into()));
    }

    #[test]
    fn s7_what_was_measured_before_the_machine_started_keeps_its_age() {
        let mut live = Live::default();
        let minutes = |number: u64| Duration::from_secs(60 * number);
        let now = BootTime(minutes(10));
        let cuff =
            |value: i64, ago| (Measured::ago(now, minutes(ago)), OXIMETER, vec![spo2(value)]);
        live.take_spots(&[cuff(93, 30), cuff(95, 25), cuff(94, 40)]);
        let last = live.last(Parameter::SpO2).expect("a number");
        assert_eq!((last.value, last.measured.age(now)), (95.into(), minutes(25)), "the latest");
        assert!(live.current(now, Parameter::SpO2).is_none());
        assert_eq!(last.measured.age(now + minutes(5)), minutes(30));
        live.take_spots(&[cuff(93, 30), cuff(96, 0)]);
        assert_eq!(live.next_deadline(now), Some(now + Parameter::SpO2.row().fresh));
    }

    #[test]
    fn s7_finger_out_replaces_the_number_at_once() {
        let mut live = Live::default();
        live.take(at(0), OXIMETER, &spo2(97));
        live.withhold(at(10), &Withheld { code: SPO2, reason: Absent::NotANumber });
        assert!(live.current(at(11), Parameter::SpO2).is_none());
        assert!(live.is_withheld(at(11), Parameter::SpO2));
    }
}
