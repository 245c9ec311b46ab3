//! What a site has decided about limits, and how a value lies in relation to them.

use std::time::Duration;

use wardkeep_model::alarm::Priority;
use wardkeep_model::alarm::limits::{AgeGroup, Bound, Limits, Span};
use wardkeep_model::keeping::BedLimits;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::parameter::{LimitKey, Parameter};

use crate::alarms::gauge::Place;

/// Limits of a ward for people of one age.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitSet {
    /// In force until somebody changes them for a patient.
    pub ward: Limits,
    /// How far somebody may change them: half and double of the way to the next bound, where the hospital says
    /// nothing else.
    hospital: [[Option<Span>; 2]; LimitKey::ALL.len()],
}

impl LimitSet {
    /// What a site starts from.
    pub const fn usual(group: AgeGroup) -> Self {
        Self { ward: Limits::usual(group), hospital: [[None; 2]; LimitKey::ALL.len()] }
    }

    /// The hospital's own range of a limit.
    pub fn set_range(&mut self, key: LimitKey, side: Side, span: Span) {
        let Some([low, high]) = self.hospital.get_mut(key as usize) else { return };
        *match side {
            Side::Low => low,
            Side::High => high,
        } = Some(span);
    }

    /// From where to where a limit may be changed. Never to or beyond the extreme; without a hospital's own
    /// range by a fifth of the ward's limit, ten steps at least.
    pub fn range(&self, key: LimitKey, side: Side) -> Option<Span> {
        let [low, high] = self.hospital.get(key as usize).copied().unwrap_or_default();
        let limit = self.ward.of(key);
        let (own, ward) = match side {
            Side::Low => (low, limit.low),
            Side::High => (high, limit.high),
        };
        let ward = ward?;
        let step = key.step();
        let around = (0..usual_steps(key)).try_fold((ward, ward), |(least, most), _| {
            Some((least.minus(step)?, most.plus(step)?))
        });
        let (least, most) = around.unwrap_or((ward, ward));
        let span = own.unwrap_or(Span { least, most });
        let above = limit.extreme_low.and_then(|extreme| extreme.plus(step));
        let below = limit.extreme_high.and_then(|extreme| extreme.minus(step));
        let least = above.map_or(span.least, |above| span.least.max(above));
        let most = below.map_or(span.most, |below| span.most.min(below));
        (least <= most).then_some(Span { least, most })
    }

    /// A limit as somebody wants it, if it may be so.
    pub fn is_allowed(&self, key: LimitKey, side: Side, wanted: Decimal) -> bool {
        self.range(key, side).is_some_and(|span| span.least <= wanted && wanted <= span.most)
    }

    /// Limits around what is measured now, inside the hospital's range: rates 0.8 to 1.25 of the value,
    /// respiration 0.5 to 1.5, pressures 0.68 of it and 10, 6 or 8 more to 0.86 of it and 38, 32 or 35 more,
    /// temperature half a degree around it (Mindray N series). A saturation's limit stays.
    pub fn suggested(
        &self,
        group: AgeGroup,
        key: LimitKey,
        value: Decimal,
    ) -> [Option<Decimal>; 2] {
        let neonate = group == AgeGroup::Neonate;
        let value = value.to_f64();
        let (low, high) = match (key, neonate) {
            (LimitKey::Saturation | LimitKey::Glucose, _) => return [None, None],
            (LimitKey::Rate, false) => ((0.8 * value).max(40.0), (1.25 * value).min(240.0)),
            (LimitKey::Rate, true) => ((value - 30.0).max(90.0), (value + 40.0).min(200.0)),
            (LimitKey::Respiration, false) => ((0.5 * value).max(6.0), (1.5 * value).min(30.0)),
            (LimitKey::Respiration, true) => ((value - 10.0).max(30.0), (value + 25.0).min(85.0)),
            (LimitKey::Systolic, false) => (0.68 * value + 10.0, 0.86 * value + 38.0),
            (LimitKey::Diastolic, false) => (0.68 * value + 6.0, 0.86 * value + 32.0),
            (LimitKey::Mean, false) => (0.68 * value + 8.0, 0.86 * value + 35.0),
            (LimitKey::Systolic, true) => ((value - 15.0).max(45.0), (value + 15.0).min(105.0)),
            (LimitKey::Diastolic, true) => ((value - 15.0).max(20.0), (value + 15.0).min(80.0)),
            (LimitKey::Mean, true) => ((value - 15.0).max(35.0), (value + 15.0).min(95.0)),
            (LimitKey::Temperature, _) => (value - 0.5, value + 0.5),
        };
        let (_, exponent) = key.step().parts();
        let allowed = |side, limit| {
            let span = self.range(key, side)?;
            Decimal::nearest(limit, exponent).map(|limit| span.clamp(limit))
        };
        [allowed(Side::Low, low), allowed(Side::High, high)]
    }
}

fn usual_steps(key: LimitKey) -> u8 {
    match key {
        LimitKey::Rate => 6,
        LimitKey::Saturation | LimitKey::Diastolic | LimitKey::Mean => 5,
        LimitKey::Respiration | LimitKey::Systolic => 8,
        LimitKey::Temperature => 15,
        LimitKey::Glucose => 20,
    }
}

/// The ward's limits for everybody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitSets {
    neonate: LimitSet,
    paediatric: LimitSet,
    adult: LimitSet,
}

impl Default for LimitSets {
    fn default() -> Self {
        Self {
            neonate: LimitSet::usual(AgeGroup::Neonate),
            paediatric: LimitSet::usual(AgeGroup::Paediatric),
            adult: LimitSet::usual(AgeGroup::Adult),
        }
    }
}

impl LimitSets {
    /// What a bed begins with for people of this age: the ward's.
    pub fn of_ward(&self, group: AgeGroup) -> BedLimits {
        BedLimits { group, limits: self.of(group).ward }
    }

    /// Those for people of this age.
    pub fn of(&self, group: AgeGroup) -> &LimitSet {
        match group {
            AgeGroup::Neonate => &self.neonate,
            AgeGroup::Paediatric => &self.paediatric,
            AgeGroup::Adult => &self.adult,
        }
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, group: AgeGroup) -> &mut LimitSet {
        match group {
            AgeGroup::Neonate => &mut self.neonate,
            AgeGroup::Paediatric => &mut self.paediatric,
            AgeGroup::Adult => &mut self.adult,
        }
    }
}

/// Which end of what is normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Below.
    Low,
    /// Above.
    High,
}

impl Side {
    /// Both.
    pub const ALL: [Side; 2] = [Side::Low, Side::High];

    /// The bound at this end that is set by people.
    pub fn bound(self) -> Bound {
        match self {
            Side::Low => Bound::Low,
            Side::High => Bound::High,
        }
    }
}

/// One of the limits at one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) priority: Priority,
    /// How long a value has to be outside first.
    pub(super) delay: Duration,
    pub(super) is_extreme: bool,
    side: Side,
    pub(super) limit: Decimal,
    margin: Decimal,
}

/// The extreme and the limit at one end, in this order.
pub(super) fn levels(limits: &Limits, parameter: Parameter, side: Side) -> [Option<Level>; 2] {
    let row = parameter.row();
    let limit = row.limits.map(|key| *limits.of(key)).unwrap_or_default();
    let margin = row.margin;
    let (extreme, usual) = match side {
        Side::Low => (limit.extreme_low, limit.low),
        Side::High => (limit.extreme_high, limit.high),
    };
    let level = |limit, priority, delay, is_extreme| Level {
        priority,
        delay,
        is_extreme,
        side,
        limit,
        margin,
    };
    [
        extreme.map(|limit| level(limit, Priority::High, row.extreme_delay, true)),
        usual.map(|limit| level(limit, Priority::Medium, row.limit_delay, false)),
    ]
}

impl Level {
    /// Where a value lies.
    pub(super) fn place(self, value: Decimal) -> Place {
        let Self { limit, margin, .. } = self;
        let (outside, inside) = match self.side {
            Side::Low => (value < limit, limit.plus(margin).is_some_and(|clear| value >= clear)),
            Side::High => (value > limit, limit.minus(margin).is_some_and(|clear| value <= clear)),
        };
        match (outside, inside) {
            (true, _) => Place::Outside,
            (false, true) => Place::Inside,
            (false, false) => Place::Near,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_the_limit_is_inside() {
        let limits = Limits::default();
        for (parameter, value, side, extreme, usual) in [
            (Parameter::SpO2, "90", Side::Low, Place::Inside, Place::Near),
            (Parameter::SpO2, "92", Side::Low, Place::Inside, Place::Inside),
            (Parameter::SpO2, "89", Side::Low, Place::Inside, Place::Outside),
            (Parameter::SpO2, "80", Side::Low, Place::Near, Place::Outside),
            (Parameter::SpO2, "79", Side::Low, Place::Outside, Place::Outside),
            (Parameter::HeartRate, "50", Side::Low, Place::Inside, Place::Near),
            (Parameter::HeartRate, "29", Side::Low, Place::Outside, Place::Outside),
            (Parameter::HeartRate, "120", Side::High, Place::Inside, Place::Near),
            (Parameter::PulseRate, "121", Side::High, Place::Inside, Place::Outside),
            (Parameter::PulseRate, "181", Side::High, Place::Outside, Place::Outside),
            (Parameter::Temperature, "38.5", Side::High, Place::Inside, Place::Near),
            (Parameter::Temperature, "38.6", Side::High, Place::Inside, Place::Outside),
            (Parameter::Temperature, "38.2", Side::High, Place::Inside, Place::Inside),
        ] {
            let value: Decimal = value.parse().unwrap();
            let places = levels(&limits, parameter, side).map(|level| level.unwrap().place(value));
            assert_eq!(places, [extreme, usual], "{parameter:?} {value}");
        }
        assert_eq!(levels(&limits, Parameter::SpO2, Side::High), [None, None]);
    }

    #[test]
    fn nobody_can_change_a_limit_to_or_beyond_an_extreme() {
        for group in AgeGroup::ALL {
            let set = LimitSet::usual(group);
            for key in LimitKey::ALL {
                let limit = set.ward.of(key);
                for side in Side::ALL {
                    let Some(span) = set.range(key, side) else { continue };
                    let ward = limit.of(side.bound()).unwrap();
                    assert!(set.is_allowed(key, side, ward), "{group:?} {key:?} {side:?} {span}");
                    assert!(limit.extreme_low.is_none_or(|extreme| extreme < span.least));
                    assert!(limit.extreme_high.is_none_or(|extreme| extreme > span.most));
                }
            }
        }
    }

    #[test]
    fn suggestions_stay_inside_the_hospital_s_range() {
        let set = LimitSet::usual(AgeGroup::Adult);
        let suggested = |key, value: &str| {
            let value = value.parse().unwrap();
            set.suggested(AgeGroup::Adult, key, value).map(|limit| limit.map(|l| l.to_string()))
        };
        let some = |low: &str, high: &str| [Some(low.to_owned()), Some(high.to_owned())];
        assert_eq!(suggested(LimitKey::Rate, "80"), some("64", "100"));
        assert_eq!(suggested(LimitKey::Rate, "190"), some("80", "150"), "the range ends there");
        assert_eq!(suggested(LimitKey::Systolic, "120"), some("92", "141"));
        assert_eq!(suggested(LimitKey::Temperature, "37.0"), some("36.5", "37.5"));
        assert_eq!(suggested(LimitKey::Saturation, "97"), [None, None]);
    }
}
