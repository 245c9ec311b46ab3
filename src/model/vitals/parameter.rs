//! The parameters that have a tile: one row each, and everything that depends on which parameter it is
//! follows from its row. What can be plausible is by code and unit, in [`crate::vitals::plausible`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::vitals::DeviceKind;
use crate::vitals::decimal::Decimal;
use crate::vitals::nomenclature::*;

/// A parameter with a tile, in the order of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parameter {
    /// Of the heart's electrical activity.
    HeartRate,
    /// From an oximeter.
    SpO2,
    /// From an oximeter.
    PulseRate,
    /// Breaths.
    Respiration,
    /// Blood pressure by a cuff.
    Systolic,
    /// Blood pressure by a cuff.
    Diastolic,
    /// Blood pressure by a cuff.
    MeanPressure,
    /// Of the body, wherever it is taken.
    Temperature,
    /// Glucose in blood or tissue.
    Glucose,
    /// Of the body.
    Weight,
}

/// What belongs together, and has one colour on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Of the heart's electrical activity.
    Heart,
    /// Of the blood's oxygen, and what the same sensor measures.
    Oxygen,
    /// Of breathing.
    Breath,
    /// Of the blood's pressure.
    Pressure,
    /// Of the body's warmth.
    Warmth,
    /// Of the blood's sugar.
    Sugar,
    /// No colour of its own.
    Plain,
}

/// Which of the alarm limits a parameter is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitKey {
    /// Beats per minute, whoever counts them.
    Rate,
    /// Oxygen saturation, percent.
    Saturation,
    /// Breaths per minute.
    Respiration,
    /// Systolic pressure, mmHg.
    Systolic,
    /// Diastolic pressure, mmHg.
    Diastolic,
    /// Mean pressure, mmHg.
    Mean,
    /// Body temperature, Cel.
    Temperature,
    /// Glucose in blood or tissue, mmol/L.
    Glucose,
}

impl LimitKey {
    /// All of them, in the order of the screen.
    pub const ALL: [LimitKey; 8] = [
        LimitKey::Rate,
        LimitKey::Saturation,
        LimitKey::Respiration,
        LimitKey::Systolic,
        LimitKey::Diastolic,
        LimitKey::Mean,
        LimitKey::Temperature,
        LimitKey::Glucose,
    ];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            LimitKey::Rate => "heart_rate",
            LimitKey::Saturation => "spo2",
            LimitKey::Respiration => "respiration",
            LimitKey::Systolic => "systolic",
            LimitKey::Diastolic => "diastolic",
            LimitKey::Mean => "mean",
            LimitKey::Temperature => "temperature",
            LimitKey::Glucose => "glucose",
        }
    }

    /// Its limits follow what is measured where somebody wants that. A saturation's and a glucose level's stay: what is too
    /// low is too low for everybody.
    pub fn follows(self) -> bool {
        self != LimitKey::Saturation && self != LimitKey::Glucose
    }

    /// The smallest difference between two settings.
    pub fn step(self) -> Decimal {
        match self {
            LimitKey::Rate | LimitKey::Systolic | LimitKey::Diastolic | LimitKey::Mean => {
                Decimal::new(5, 0)
            }
            LimitKey::Saturation | LimitKey::Respiration => Decimal::new(1, 0),
            LimitKey::Temperature | LimitKey::Glucose => Decimal::new(1, -1),
        }
    }
}

/// What follows from which parameter it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The parameter.
    pub parameter: Parameter,
    /// Its name in logs and on the command line.
    pub name: &'static str,
    /// The metrics that are it (ISO/IEEE 11073-10101).
    pub codes: &'static [Mdc],
    /// The unit in which its limits are given, and it is usually shown.
    pub unit: Unit,
    /// The kinds of device that measure it. Where several are assigned, the first one's values count.
    pub sources: &'static [DeviceKind],
    /// Kinds of device that are worn for it: without it they give no value.
    pub leads: &'static [DeviceKind],
    /// It has a tile also while nothing measures it.
    pub is_basic: bool,
    /// A value this old is not current (S-7). Devices that measure all the time send every second.
    pub fresh: Duration,
    /// Its colour.
    pub family: Family,
    /// Its alarm limits; `None` where none are set at a bed.
    pub limits: Option<LimitKey>,
    /// How long it has to stay outside its limits before it is a condition.
    pub limit_delay: Duration,
    /// How long beyond an extreme.
    pub extreme_delay: Duration,
    /// Inside its limits by this much, in its unit, it is clearly back.
    pub margin: Decimal,
}

const TEMPERATURES: &[Mdc] = &[
    BODY_TEMPERATURE,
    TEMPERATURE_TYMPANIC,
    TEMPERATURE_RECTAL,
    TEMPERATURE_ORAL,
    TEMPERATURE_EAR,
    TEMPERATURE_AXILLA,
    TEMPERATURE_GUT,
];
const GLUCOSES: &[Mdc] = &[
    GLUCOSE_CAPILLARY_BLOOD,
    GLUCOSE_CAPILLARY_PLASMA,
    GLUCOSE_VENOUS_BLOOD,
    GLUCOSE_VENOUS_PLASMA,
    GLUCOSE_ARTERIAL_BLOOD,
    GLUCOSE_ARTERIAL_PLASMA,
    GLUCOSE_INTERSTITIAL,
    GLUCOSE_UNDETERMINED_BLOOD,
    GLUCOSE_UNDETERMINED_PLASMA,
];
const STREAM: Duration = Duration::from_secs(4);
const MINUTE: Duration = Duration::from_secs(60);
/// A value of what is worn is not current after this, whatever it is.
const WORN: Duration = Duration::from_secs(11 * MINUTE.as_secs());

/// Every parameter, in the order of the screen.
pub const ROWS: [Row; 10] = [
    Row {
        parameter: Parameter::HeartRate,
        name: "heart-rate",
        codes: &[HEART_RATE],
        unit: Unit::PerMinute,
        sources: &[DeviceKind::HeartRate, DeviceKind::Patch],
        leads: &[DeviceKind::HeartRate, DeviceKind::Patch],
        is_basic: true,
        fresh: STREAM,
        family: Family::Heart,
        limits: Some(LimitKey::Rate),
        limit_delay: Duration::from_secs(3),
        extreme_delay: Duration::from_secs(3),
        margin: Decimal::new(3, 0),
    },
    Row {
        parameter: Parameter::SpO2,
        name: "spo2",
        codes: &[SPO2],
        unit: Unit::Percent,
        sources: &[DeviceKind::PulseOximeter],
        leads: &[DeviceKind::PulseOximeter],
        is_basic: true,
        fresh: STREAM,
        family: Family::Oxygen,
        limits: Some(LimitKey::Saturation),
        limit_delay: Duration::from_secs(10),
        extreme_delay: Duration::from_secs(3),
        margin: Decimal::new(2, 0),
    },
    Row {
        parameter: Parameter::PulseRate,
        name: "pulse-rate",
        codes: &[PULSE_RATE_OXIMETER],
        unit: Unit::PerMinute,
        sources: &[DeviceKind::PulseOximeter],
        leads: &[],
        is_basic: true,
        fresh: STREAM,
        family: Family::Oxygen,
        limits: Some(LimitKey::Rate),
        limit_delay: Duration::from_secs(3),
        extreme_delay: Duration::from_secs(3),
        margin: Decimal::new(3, 0),
    },
    Row {
        parameter: Parameter::Respiration,
        name: "respiration",
        codes: &[RESPIRATION],
        unit: Unit::PerMinute,
        sources: &[DeviceKind::Patch],
        leads: &[],
        is_basic: false,
        fresh: Duration::from_secs(10),
        family: Family::Breath,
        limits: Some(LimitKey::Respiration),
        limit_delay: Duration::from_secs(10),
        extreme_delay: Duration::from_secs(5),
        margin: Decimal::new(2, 0),
    },
    Row {
        parameter: Parameter::Systolic,
        name: "systolic",
        codes: &[SYSTOLIC],
        unit: Unit::MillimetreMercury,
        sources: &[DeviceKind::Cuff],
        leads: &[DeviceKind::Cuff],
        is_basic: false,
        fresh: Duration::from_secs(15 * MINUTE.as_secs()),
        family: Family::Pressure,
        limits: Some(LimitKey::Systolic),
        limit_delay: Duration::ZERO,
        extreme_delay: Duration::ZERO,
        margin: Decimal::new(5, 0),
    },
    Row {
        parameter: Parameter::Diastolic,
        name: "diastolic",
        codes: &[DIASTOLIC],
        unit: Unit::MillimetreMercury,
        sources: &[DeviceKind::Cuff],
        leads: &[],
        is_basic: false,
        fresh: Duration::from_secs(15 * MINUTE.as_secs()),
        family: Family::Pressure,
        limits: Some(LimitKey::Diastolic),
        limit_delay: Duration::ZERO,
        extreme_delay: Duration::ZERO,
        margin: Decimal::new(5, 0),
    },
    Row {
        parameter: Parameter::MeanPressure,
        name: "mean-pressure",
        codes: &[MEAN_PRESSURE],
        unit: Unit::MillimetreMercury,
        sources: &[DeviceKind::Cuff],
        leads: &[],
        is_basic: false,
        fresh: Duration::from_secs(15 * MINUTE.as_secs()),
        family: Family::Pressure,
        limits: Some(LimitKey::Mean),
        limit_delay: Duration::ZERO,
        extreme_delay: Duration::ZERO,
        margin: Decimal::new(5, 0),
    },
    Row {
        parameter: Parameter::Temperature,
        name: "temperature",
        codes: TEMPERATURES,
        unit: Unit::Celsius,
        sources: &[DeviceKind::Thermometer, DeviceKind::Patch],
        leads: &[DeviceKind::Thermometer],
        is_basic: false,
        fresh: Duration::from_secs(60 * MINUTE.as_secs()),
        family: Family::Warmth,
        limits: Some(LimitKey::Temperature),
        limit_delay: Duration::ZERO,
        extreme_delay: Duration::ZERO,
        margin: Decimal::new(3, -1),
    },
    Row {
        parameter: Parameter::Glucose,
        name: "glucose",
        codes: GLUCOSES,
        unit: Unit::MillimolePerLitre,
        sources: &[DeviceKind::GlucoseMeter, DeviceKind::GlucoseSensor],
        leads: &[DeviceKind::GlucoseMeter, DeviceKind::GlucoseSensor],
        is_basic: false,
        fresh: Duration::from_secs(60 * MINUTE.as_secs()),
        family: Family::Sugar,
        limits: Some(LimitKey::Glucose),
        limit_delay: Duration::ZERO,
        extreme_delay: Duration::ZERO,
        margin: Decimal::new(2, -1),
    },
    Row {
        parameter: Parameter::Weight,
        name: "weight",
        codes: &[BODY_WEIGHT],
        unit: Unit::Kilogram,
        sources: &[DeviceKind::Scale],
        leads: &[DeviceKind::Scale],
        is_basic: false,
        fresh: Duration::from_secs(24 * 60 * MINUTE.as_secs()),
        family: Family::Plain,
        limits: None,
        limit_delay: Duration::ZERO,
        extreme_delay: Duration::ZERO,
        margin: Decimal::new(0, 0),
    },
];

// A row stands where its parameter says, so that finding it cannot fail.
#[expect(clippy::indexing_slicing, reason = "an index out of range does not compile here")]
const _: () = {
    let mut place = 0;
    while place < ROWS.len() {
        assert!(ROWS[place].parameter as usize == place, "rows follow the enum's order");
        place += 1;
    }
};

impl Parameter {
    /// What follows from it.
    #[expect(
        clippy::indexing_slicing,
        reason = "the assertion above says that there is a row for each"
    )]
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// All of them, in the order of the screen.
    pub fn all() -> impl Iterator<Item = Parameter> {
        ROWS.iter().map(|row| row.parameter)
    }

    /// The parameter of a metric code, if it has a tile.
    pub fn of(code: Mdc) -> Option<Self> {
        ROWS.iter().find(|row| row.codes.contains(&code)).map(|row| row.parameter)
    }

    /// What a kind of device is worn for.
    pub fn led_by(kind: DeviceKind) -> Option<Self> {
        ROWS.iter().find(|row| row.leads.contains(&kind)).map(|row| row.parameter)
    }
}

impl Row {
    /// A value this old is not current: of what is worn two that a sensor sends five minutes apart may be missing, of
    /// what was measured once it is [`Row::fresh`].
    pub fn fresh_of(&self, is_spot: bool) -> Duration {
        if is_spot { self.fresh } else { self.fresh.min(WORN) }
    }

    /// A device of this kind measures it.
    pub fn is_of(&self, kind: DeviceKind) -> bool {
        self.sources.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vitals::plausible;

    #[test]
    fn every_row_is_of_its_own_metrics_and_can_be_charted() {
        for row in &ROWS {
            for code in row.codes {
                assert_eq!(Parameter::of(*code), Some(row.parameter));
                let limits = plausible::limits(*code, row.unit);
                assert!(limits.is_some(), "{:?} {code:?}", row.parameter);
            }
        }
    }

    #[test]
    fn every_kind_of_device_is_worn_for_one_parameter_that_it_measures() {
        for kind in DeviceKind::ALL {
            let led: Vec<_> = ROWS.iter().filter(|row| row.leads.contains(&kind)).collect();
            assert_eq!(led.len(), 1, "{kind:?}");
            assert!(led.iter().all(|row| row.is_of(kind)), "{kind:?}");
        }
    }
}
