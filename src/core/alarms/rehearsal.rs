//! What would have sounded with other limits: a patient's own values, held against both.

use std::time::Duration;

use jiff::Timestamp;

use wardkeep_model::alarm::limits::Limits;
use wardkeep_model::moment::BootTime;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::parameter::Parameter;

use crate::alarms::burden::Load;
use crate::alarms::gauge::Crossing;
use crate::alarms::limits::{Side, levels};

/// Values of a parameter in its unit, oldest first.
pub type Series = Vec<(Timestamp, Decimal)>;

/// An alarm that there would have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Of what.
    pub parameter: Parameter,
    /// Which end.
    pub side: Side,
    /// When it would have begun.
    pub from: Timestamp,
    /// How long it would have lasted.
    pub length: Duration,
    /// The value farthest beyond the limit.
    pub value: Decimal,
}

/// Alarms of a parameter with limits as they are, and as they would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// With the limits in force.
    pub in_force: Vec<Alarm>,
    /// With the others.
    pub drafted: Vec<Alarm>,
}

impl Rehearsal {
    /// Holds the values of a parameter against both.
    pub fn of(parameter: Parameter, series: &Series, in_force: &Limits, drafted: &Limits) -> Self {
        let alarms = |limits| {
            let both =
                Side::ALL.into_iter().flat_map(|side| alarms(parameter, side, series, limits));
            both.collect()
        };
        Self { in_force: alarms(in_force), drafted: alarms(drafted) }
    }

    /// Alarms that would not have been there.
    pub fn silent(&self) -> impl Iterator<Item = &Alarm> {
        self.in_force.iter().filter(|alarm| !self.drafted.iter().any(|one| overlap(one, alarm)))
    }

    /// Alarms that would have come so much later.
    pub fn later(&self) -> impl Iterator<Item = (&Alarm, Duration)> {
        self.in_force.iter().filter_map(|alarm| {
            let met = self.drafted.iter().find(|one| overlap(one, alarm))?;
            let later = Duration::try_from(met.from.duration_since(alarm.from)).ok()?;
            (!later.is_zero()).then_some((alarm, later))
        })
    }
}

/// How often and how long.
pub fn load(alarms: &[Alarm]) -> Load {
    Load { count: alarms.len(), length: alarms.iter().map(|alarm| alarm.length).sum() }
}

fn overlap(one: &Alarm, other: &Alarm) -> bool {
    let end = |alarm: &Alarm| alarm.from + alarm.length;
    one.side == other.side && one.from <= end(other) && other.from <= end(one)
}

fn alarms(parameter: Parameter, side: Side, series: &Series, limits: &Limits) -> Vec<Alarm> {
    let levels = levels(limits, parameter, side);
    let fresh = parameter.row().fresh;
    let mut crossings = [Crossing::default(); 2];
    let mut found: Vec<Alarm> = Vec::new();
    let (mut sounds, mut last) = (false, None);
    for (at, value) in series {
        // Seconds since 1970 are as good a clock as any that goes on.
        let now = BootTime(
            Duration::try_from(at.duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default(),
        );
        let gap = last.is_some_and(|before: BootTime| now.since(before) > fresh);
        for (crossing, level) in crossings.iter_mut().zip(levels) {
            let Some(level) = level else { continue };
            if let Some(before) = last.filter(|_| gap) {
                crossing.no_value(before + fresh, level.delay, level.is_extreme);
                crossing.no_value(now, level.delay, level.is_extreme);
            }
            crossing.value(now, level.place(*value), level.delay);
        }
        last = Some(now);
        let is_crossed = crossings.iter().any(|crossing| crossing.is_crossed());
        if is_crossed && !sounds {
            let (from, length, value) = (*at, Duration::ZERO, *value);
            found.push(Alarm { parameter, side, from, length, value });
        } else if sounds && let Some(alarm) = found.last_mut() {
            alarm.length = Duration::try_from(at.duration_since(alarm.from)).unwrap_or_default();
            let is_worse = match side {
                Side::Low => *value < alarm.value,
                Side::High => *value > alarm.value,
            };
            if is_worse {
                alarm.value = *value;
            }
        }
        sounds = is_crossed;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn spo2(values: impl IntoIterator<Item = (std::ops::Range<i64>, i64)>) -> Series {
        let flat = |(seconds, value): (std::ops::Range<i64>, i64)| {
            seconds.map(move |second| (at(second), Decimal::from(value)))
        };
        values.into_iter().flat_map(flat).collect()
    }

    #[test]
    fn what_would_have_stayed_silent_and_what_would_have_come_later_is_named() {
        let series = spo2([
            (0..60, 97),
            (60..120, 89),
            (120..300, 97),
            (300..360, 89),
            (360..420, 86),
            (420..500, 97),
        ]);
        let (in_force, mut drafted) = (Limits::default(), Limits::default());
        drafted.saturation.low = Some(Decimal::from(88));
        let rehearsal = Rehearsal::of(Parameter::SpO2, &series, &in_force, &drafted);
        let counts = (rehearsal.in_force.len(), rehearsal.drafted.len());
        assert_eq!(counts, (2, 1));
        let silent: Vec<_> = rehearsal.silent().map(|one| (one.from, one.value)).collect();
        assert_eq!(silent, [(at(70), Decimal::from(89))]);
        let later: Vec<_> = rehearsal.later().map(|(one, by)| (one.from, by.as_secs())).collect();
        assert_eq!(later, [(at(310), 60)]);
        assert_eq!(load(&rehearsal.in_force).length, Duration::from_secs(53 + 113));
    }

    #[test]
    fn a_gap_ends_nothing_and_begins_nothing() {
        let series = spo2([(0..5, 85), (50..53, 85), (100..130, 97)]);
        let limits = Limits::default();
        let rehearsal = Rehearsal::of(Parameter::SpO2, &series, &limits, &limits);
        assert_eq!(rehearsal.in_force, []);
    }
}
