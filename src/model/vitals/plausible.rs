//! The one table of what a living patient can have, unit by unit.
//!
//! S-7: a number outside its row is withheld as implausible, and a code without a row cannot be charted
//! at all. The limits are wide on purpose: they catch broken frames (a NaN read as 2047, a swapped
//! byte, a probe on the table), not sick patients, who are the alarms' business. A row is never
//! narrower than what approved monitors display.

use crate::vitals::decimal::Decimal;
use crate::vitals::nomenclature::*;

/// Inclusive limits of one metric in one unit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Which metrics.
    pub codes: &'static [Mdc],
    /// In which unit.
    pub unit: Unit,
    /// Smallest plausible value.
    pub min: Decimal,
    /// Largest plausible value.
    pub max: Decimal,
    /// Where the limits come from.
    pub source: &'static str,
}

const RATES: &[Mdc] = &[HEART_RATE, PULSE_RATE_OXIMETER, PULSE_RATE_CUFF];
const TEMPERATURES: &[Mdc] = &[
    BODY_TEMPERATURE,
    TEMPERATURE_TYMPANIC,
    TEMPERATURE_RECTAL,
    TEMPERATURE_ORAL,
    TEMPERATURE_EAR,
    TEMPERATURE_FINGER,
    TEMPERATURE_TOE,
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
const MASSES: &[Mdc] = &[BODY_WEIGHT, FAT_FREE_MASS, SOFT_LEAN_MASS, BODY_WATER];

const RATE_SOURCE: &str = "monitors display 15 to 300 /min, and 300 is where they stop; IEC 60601-2-27 asks for 30 to 200";
const CUFF_SOURCE: &str = "cuffs stop at 300 mm[Hg] (IEC 80601-2-30); 1 kPa is 7.50 mm[Hg]";
const TEMPERATURE_SOURCE: &str = "skin and core from deep hypothermia to heat stroke, 20 to 45 Cel";
const GLUCOSE_SOURCE: &str = "laboratory extremes of surviving patients, 10 to 1000 mg/dL";
const MASS_SOURCE: &str = "preterm infant to the heaviest scale in use";
const LENGTH_SOURCE: &str = "preterm infant to the tallest person measured";

/// The table, as published.
pub static LIMITS: &[Limits] = &[
    row(RATES, Unit::PerMinute, (15, 0), (299, 0), RATE_SOURCE),
    row(
        &[RESPIRATION],
        Unit::PerMinute,
        (0, 0),
        (150, 0),
        "0 is an apnoea; monitors display up to 150",
    ),
    row(&[RR_INTERVAL], Unit::Millisecond, (170, 0), (4000, 0), "350 to 15 beats a minute"),
    row(
        &[SPO2],
        Unit::Percent,
        (30, 0),
        (100, 0),
        "a saturation; far below an oximeter's calibrated range, nothing under 30 is credible",
    ),
    row(&[PERFUSION_INDEX], Unit::Percent, (0, 0), (100, 0), "a part of a whole"),
    row(&[SYSTOLIC], Unit::MillimetreMercury, (30, 0), (300, 0), CUFF_SOURCE),
    row(&[DIASTOLIC], Unit::MillimetreMercury, (10, 0), (250, 0), CUFF_SOURCE),
    row(&[MEAN_PRESSURE], Unit::MillimetreMercury, (15, 0), (280, 0), CUFF_SOURCE),
    row(&[SYSTOLIC], Unit::Kilopascal, (40, -1), (400, -1), CUFF_SOURCE),
    row(&[DIASTOLIC], Unit::Kilopascal, (13, -1), (333, -1), CUFF_SOURCE),
    row(&[MEAN_PRESSURE], Unit::Kilopascal, (20, -1), (373, -1), CUFF_SOURCE),
    row(TEMPERATURES, Unit::Celsius, (20, 0), (45, 0), TEMPERATURE_SOURCE),
    row(TEMPERATURES, Unit::Fahrenheit, (68, 0), (113, 0), TEMPERATURE_SOURCE),
    row(GLUCOSES, Unit::MilligramPerDecilitre, (10, 0), (1000, 0), GLUCOSE_SOURCE),
    row(GLUCOSES, Unit::MillimolePerLitre, (5, -1), (555, -1), GLUCOSE_SOURCE),
    row(MASSES, Unit::Kilogram, (2, -1), (650, 0), MASS_SOURCE),
    row(MASSES, Unit::Pound, (4, -1), (1433, 0), MASS_SOURCE),
    row(&[BODY_HEIGHT], Unit::Metre, (2, -1), (28, -1), LENGTH_SOURCE),
    row(&[BODY_HEIGHT], Unit::Centimetre, (20, 0), (280, 0), LENGTH_SOURCE),
    row(&[BODY_HEIGHT], Unit::Inch, (78, -1), (1103, -1), LENGTH_SOURCE),
    row(&[BODY_MASS_INDEX], Unit::KilogramPerSquareMetre, (5, 0), (220, 0), MASS_SOURCE),
    row(&[BODY_FAT], Unit::Percent, (1, 0), (85, 0), "essential fat to extreme obesity"),
];

const fn row(
    codes: &'static [Mdc],
    unit: Unit,
    min: (i64, i8),
    max: (i64, i8),
    source: &'static str,
) -> Limits {
    Limits { codes, unit, min: Decimal::new(min.0, min.1), max: Decimal::new(max.0, max.1), source }
}

/// The row of `code` in `unit`. `None` means that such a value can never be charted.
pub fn limits(code: Mdc, unit: Unit) -> Option<&'static Limits> {
    LIMITS.iter().find(|row| row.unit == unit && row.codes.contains(&code))
}

/// The unit in which a metric is usually measured, if it is one that can be charted.
pub fn usual_unit(code: Mdc) -> Option<Unit> {
    LIMITS.iter().find(|row| row.codes.contains(&code)).map(|row| row.unit)
}

/// Whether a living patient can have this value.
pub fn is_plausible(code: Mdc, unit: Unit, value: Decimal) -> bool {
    limits(code, unit).is_some_and(|row| row.min <= value && value <= row.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_ordered_and_unique() {
        for (index, row) in LIMITS.iter().enumerate() {
            assert!(row.min < row.max, "{:?} {}", row.codes, row.unit.ucum());
            for code in row.codes {
                let first = limits(*code, row.unit).expect("its own row");
                assert!(std::ptr::eq(first, &LIMITS[index]), "{code:?} has two rows");
            }
        }
    }

    #[test]
    fn s7_limits_are_inclusive_and_unit_specific() {
        let plausible =
            |code, unit, text: &str| is_plausible(code, unit, text.parse().expect("a decimal"));
        assert!(plausible(SPO2, Unit::Percent, "100"));
        assert!(!plausible(SPO2, Unit::Percent, "100.1"));
        assert!(!plausible(SPO2, Unit::Percent, "0"));
        assert!(plausible(BODY_TEMPERATURE, Unit::Fahrenheit, "98.6"));
        assert!(!plausible(BODY_TEMPERATURE, Unit::Celsius, "98.6"));
        assert!(!plausible(SYSTOLIC, Unit::Kilopascal, "121"));
        assert!(plausible(SYSTOLIC, Unit::Kilopascal, "16.1"));
    }

    #[test]
    fn s7_a_code_without_a_row_is_never_plausible() {
        assert!(!is_plausible(GLUCOSE_CONTROL, Unit::MilligramPerDecilitre, Decimal::from(100)));
        assert!(!is_plausible(HEART_RATE, Unit::Percent, Decimal::from(70)));
    }
}
