//! Alarm limits of the physiological conditions, and what crosses them.

use std::time::Duration;

use wardkeep_model::alarm::Priority;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::parameter::{LimitKey, Parameter};

/// Limits of one parameter, in its unit; both optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Values below raise "low".
    pub low: Option<i64>,
    /// Values above raise "high".
    pub high: Option<i64>,
}

/// Limits of every parameter with a tile, plus desaturation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of heart rate and of pulse rate, per minute.
    pub heart_rate: Limit,
    /// Of SpO2, percent.
    pub spo2: Limit,
    /// SpO2 below this is a high-priority desaturation, percent.
    pub desaturation: i64,
}

impl Default for Limits {
    /// Adult defaults as common monitors ship them: 50-120 /min, SpO2 90 %, desaturation 80 %.
    fn default() -> Self {
        Self {
            heart_rate: Limit { low: Some(50), high: Some(120) },
            spo2: Limit { low: Some(90), high: None },
            desaturation: 80,
        }
    }
}

/// How long a desaturation has to last before it is a condition.
const DESATURATION_DELAY: Duration = Duration::from_secs(3);

/// A limit that a value crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The value lies below; otherwise above.
    pub low: bool,
    /// The limit, in the parameter's unit.
    pub limit: i64,
    /// How urgent.
    pub priority: Priority,
    /// How long it has to last first.
    pub delay: Duration,
}

impl Limits {
    /// The limits of `parameter`.
    pub fn of(&self, parameter: Parameter) -> Limit {
        match parameter.row().limits {
            LimitKey::Rate => self.heart_rate,
            LimitKey::Saturation => self.spo2,
        }
    }

    /// The limit that `value` crosses, if any. A value equal to a limit is inside.
    pub fn crossing(&self, parameter: Parameter, value: Decimal) -> Option<Crossing> {
        let (limit, row) = (self.of(parameter), parameter.row());
        if row.limits == LimitKey::Saturation && value < Decimal::from(self.desaturation) {
            let (limit, priority) = (self.desaturation, Priority::High);
            return Some(Crossing { low: true, limit, priority, delay: DESATURATION_DELAY });
        }
        let delay = row.limit_delay;
        let crossed = |low, limit| Crossing { low, limit, priority: Priority::Medium, delay };
        let low = limit.low.filter(|low| value < Decimal::from(*low));
        let high = limit.high.filter(|high| value > Decimal::from(*high));
        low.map(|low| crossed(true, low)).or(high.map(|high| crossed(false, high)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_the_limit_is_inside() {
        let limits = Limits::default();
        for (parameter, value, low, priority) in [
            (Parameter::SpO2, 90, None, Priority::Medium),
            (Parameter::SpO2, 89, Some(true), Priority::Medium),
            (Parameter::SpO2, 79, Some(true), Priority::High),
            (Parameter::HeartRate, 50, None, Priority::Medium),
            (Parameter::HeartRate, 49, Some(true), Priority::Medium),
            (Parameter::HeartRate, 120, None, Priority::Medium),
            (Parameter::PulseRate, 121, Some(false), Priority::Medium),
        ] {
            let crossing = limits.crossing(parameter, value.into());
            assert_eq!(crossing.map(|c| c.low), low, "{parameter:?} {value}");
            assert!(crossing.is_none_or(|c| c.priority == priority), "{parameter:?} {value}");
        }
    }
}
