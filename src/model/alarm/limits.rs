//! Alarm limits: of one parameter, of all of them, by age.
//!
//! Sources of the defaults: adult rate and saturation as common monitors ship them (Contec CMS8000, Mindray
//! TM80), pressures of the TM80, neonates as GE V100, respiration 8 to 30 and 30 to 100 as is usual. Extremes
//! are 10 below the saturation's limit, 5 for neonates (Philips VS30). Glucose: the two levels of hypoglycaemia and the
//! second of hyperglycaemia (Battelino 2019), a neonate's operational threshold of 2.6 mmol/L.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::vitals::decimal::Decimal;
use crate::vitals::parameter::LimitKey;

/// Which of the four limits of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// Somebody may die below it.
    ExtremeLow,
    /// Below it is too low.
    Low,
    /// Above it is too high.
    High,
    /// Somebody may die above it.
    ExtremeHigh,
}

impl Bound {
    /// From the lowest up.
    pub const ALL: [Bound; 4] = [Bound::ExtremeLow, Bound::Low, Bound::High, Bound::ExtremeHigh];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Bound::ExtremeLow => "extreme_low",
            Bound::Low => "low",
            Bound::High => "high",
            Bound::ExtremeHigh => "extreme_high",
        }
    }
}

/// Limits of one parameter, in its unit; each is optional. A value equal to a limit is inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Values below are soon of the highest priority.
    pub extreme_low: Option<Decimal>,
    /// Values below raise "low".
    pub low: Option<Decimal>,
    /// Values above raise "high".
    pub high: Option<Decimal>,
    /// Values above are soon of the highest priority.
    pub extreme_high: Option<Decimal>,
}

impl Limit {
    const fn new(bounds: [Option<i64>; 4], exponent: i8) -> Self {
        const fn at(bound: Option<i64>, exponent: i8) -> Option<Decimal> {
            match bound {
                Some(mantissa) => Some(Decimal::new(mantissa, exponent)),
                None => None,
            }
        }
        let [extreme_low, low, high, extreme_high] = bounds;
        Self {
            extreme_low: at(extreme_low, exponent),
            low: at(low, exponent),
            high: at(high, exponent),
            extreme_high: at(extreme_high, exponent),
        }
    }

    /// One of the four.
    pub fn of(&self, bound: Bound) -> Option<Decimal> {
        match bound {
            Bound::ExtremeLow => self.extreme_low,
            Bound::Low => self.low,
            Bound::High => self.high,
            Bound::ExtremeHigh => self.extreme_high,
        }
    }

    /// Changes one of the four.
    pub fn set(&mut self, bound: Bound, to: Option<Decimal>) {
        match bound {
            Bound::ExtremeLow => self.extreme_low = to,
            Bound::Low => self.low = to,
            Bound::High => self.high = to,
            Bound::ExtremeHigh => self.extreme_high = to,
        }
    }

    /// The first two neighbours that are not in order, if any: an alarm always, or never.
    pub fn crossed(&self) -> Option<(Bound, Bound)> {
        let given = Bound::ALL.into_iter().filter_map(|bound| Some((bound, self.of(bound)?)));
        let given: Vec<_> = given.collect();
        let pairs = given.iter().zip(given.iter().skip(1));
        pairs.filter(|((_, lower), (_, upper))| lower >= upper).map(|(a, b)| (a.0, b.0)).next()
    }
}

/// Limits of every parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Heart rate and pulse rate, per minute.
    pub rate: Limit,
    /// SpO2, percent. Below the extreme it is a desaturation.
    pub saturation: Limit,
    /// Breaths per minute.
    pub respiration: Limit,
    /// mmHg.
    pub systolic: Limit,
    /// mmHg.
    pub diastolic: Limit,
    /// mmHg.
    pub mean: Limit,
    /// Cel.
    pub temperature: Limit,
    /// mmol/L. What an earlier program wrote has none; nobody's is without one.
    #[serde(default = "adult_glucose")]
    pub glucose: Limit,
}

const fn adult_glucose() -> Limit {
    Limit::new([Some(30), Some(39), Some(139), Some(222)], -1)
}

impl Default for Limits {
    fn default() -> Self {
        Self::usual(AgeGroup::Adult)
    }
}

impl Limits {
    /// Limits that a site starts from.
    pub const fn usual(group: AgeGroup) -> Self {
        const fn whole(bounds: [Option<i64>; 4]) -> Limit {
            Limit::new(bounds, 0)
        }
        match group {
            AgeGroup::Adult => Self {
                rate: whole([Some(30), Some(50), Some(120), Some(180)]),
                saturation: whole([Some(80), Some(90), None, None]),
                respiration: whole([Some(4), Some(8), Some(30), Some(45)]),
                systolic: whole([Some(70), Some(90), Some(160), Some(220)]),
                diastolic: whole([None, Some(50), Some(90), None]),
                mean: whole([Some(50), Some(60), Some(110), None]),
                temperature: Limit::new([Some(320), Some(350), Some(385), Some(410)], -1),
                glucose: adult_glucose(),
            },
            AgeGroup::Paediatric => Self {
                rate: whole([Some(50), Some(75), Some(160), Some(200)]),
                saturation: whole([Some(80), Some(90), None, None]),
                respiration: whole([Some(8), Some(14), Some(40), Some(60)]),
                systolic: whole([Some(55), Some(70), Some(120), Some(160)]),
                diastolic: whole([None, Some(40), Some(70), None]),
                mean: whole([Some(40), Some(50), Some(90), None]),
                temperature: Limit::new([Some(330), Some(355), Some(385), Some(410)], -1),
                glucose: adult_glucose(),
            },
            AgeGroup::Neonate => Self {
                rate: whole([Some(70), Some(100), Some(200), Some(220)]),
                saturation: whole([Some(85), Some(90), None, None]),
                respiration: whole([Some(20), Some(30), Some(100), Some(120)]),
                systolic: whole([Some(30), Some(40), Some(100), Some(120)]),
                diastolic: whole([None, Some(20), Some(60), None]),
                mean: whole([Some(22), Some(30), Some(70), None]),
                temperature: Limit::new([Some(340), Some(360), Some(380), Some(400)], -1),
                glucose: Limit::new([Some(20), Some(26), Some(100), Some(150)], -1),
            },
        }
    }

    /// The limits of one parameter.
    pub fn of(&self, key: LimitKey) -> &Limit {
        match key {
            LimitKey::Rate => &self.rate,
            LimitKey::Saturation => &self.saturation,
            LimitKey::Respiration => &self.respiration,
            LimitKey::Systolic => &self.systolic,
            LimitKey::Diastolic => &self.diastolic,
            LimitKey::Mean => &self.mean,
            LimitKey::Temperature => &self.temperature,
            LimitKey::Glucose => &self.glucose,
        }
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, key: LimitKey) -> &mut Limit {
        match key {
            LimitKey::Rate => &mut self.rate,
            LimitKey::Saturation => &mut self.saturation,
            LimitKey::Respiration => &mut self.respiration,
            LimitKey::Systolic => &mut self.systolic,
            LimitKey::Diastolic => &mut self.diastolic,
            LimitKey::Mean => &mut self.mean,
            LimitKey::Temperature => &mut self.temperature,
            LimitKey::Glucose => &mut self.glucose,
        }
    }
}

/// Whose limits are usual.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum AgeGroup {
    /// Up to 28 days.
    Neonate,
    /// Up to 15 years.
    Paediatric,
    /// From 16 years on, and where nobody knows.
    #[default]
    Adult,
}

impl AgeGroup {
    /// All of them.
    pub const ALL: [AgeGroup; 3] = [AgeGroup::Neonate, AgeGroup::Paediatric, AgeGroup::Adult];

    /// Its name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            AgeGroup::Neonate => "neonate",
            AgeGroup::Paediatric => "paediatric",
            AgeGroup::Adult => "adult",
        }
    }

    /// The group of somebody who was born on this day.
    pub fn of(born: Option<Date>, today: Date) -> Self {
        let Some(born) = born.filter(|born| *born <= today) else { return AgeGroup::Adult };
        let sixteen =
            (i32::from(today.year()) - i32::from(born.year()), (born.month(), born.day()));
        let years = sixteen.0 - i32::from((today.month(), today.day()) < sixteen.1);
        let days = today.since(born).map_or(i32::MAX, |span| span.get_days());
        if days <= 28 {
            AgeGroup::Neonate
        } else if years < 16 {
            AgeGroup::Paediatric
        } else {
            AgeGroup::Adult
        }
    }
}

/// From where to where the hospital lets somebody change a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Not below this.
    pub least: Decimal,
    /// Not above this.
    pub most: Decimal,
}

impl Span {
    /// The nearest value that is allowed.
    pub fn clamp(&self, value: Decimal) -> Decimal {
        value.clamp(self.least, self.most)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\u{2013}{}", self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_usual_limits_are_in_order_and_every_deadly_one_has_an_extreme() {
        for group in AgeGroup::ALL {
            let limits = Limits::usual(group);
            for key in LimitKey::ALL {
                assert_eq!(limits.of(key).crossed(), None, "{group:?} {key:?}");
            }
            for key in [LimitKey::Rate, LimitKey::Respiration, LimitKey::Systolic] {
                let Limit { extreme_low, extreme_high, .. } = limits.of(key);
                assert!(extreme_low.is_some() && extreme_high.is_some(), "{group:?} {key:?}");
            }
            assert!(limits.saturation.extreme_low.is_some());
        }
    }

    #[test]
    fn a_limit_that_crosses_another_is_found() {
        let mut limit = Limits::default().rate;
        limit.high = Some(Decimal::from(50));
        assert_eq!(limit.crossed(), Some((Bound::Low, Bound::High)));
        limit.low = None;
        assert_eq!(limit.crossed(), None);
    }

    #[test]
    fn the_age_group_follows_the_birthday() {
        let today = date(2026, 11, 30);
        for (born, group) in [
            (Some(date(2026, 11, 30)), AgeGroup::Neonate),
            (Some(date(2026, 11, 2)), AgeGroup::Neonate),
            (Some(date(2026, 11, 1)), AgeGroup::Paediatric),
            (Some(date(2010, 12, 1)), AgeGroup::Paediatric),
            (Some(date(2010, 11, 30)), AgeGroup::Adult),
            (Some(date(1944, 3, 2)), AgeGroup::Adult),
            (Some(date(2027, 1, 1)), AgeGroup::Adult),
            (None, AgeGroup::Adult),
        ] {
            assert_eq!(AgeGroup::of(born, today), group, "{born:?}");
        }
    }
}
