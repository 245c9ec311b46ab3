//! Codes and units: MDC (ISO/IEEE 11073-10101), LOINC and UCUM; absence reasons and device statuses.
//!
//! Every measured value carries a code and a unit from here and from nowhere else, so that a number
//! without a meaning cannot be charted. The words live in `vitals::words`.

use serde::{Deserialize, Serialize};

use crate::vitals::decimal::Decimal;
pub use crate::vitals::words::{Absent, Status};

/// A metric code of the 11073-10101 nomenclature, context-free (`partition x 65536 + term`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mdc(pub u32);

/// `MDC_ECG_HEART_RATE`.
pub const HEART_RATE: Mdc = Mdc(147_842);
/// `MDC_ECG_TIME_PD_RR_GL`.
pub const RR_INTERVAL: Mdc = Mdc(147_240);
/// `MDC_PULS_OXIM_PULS_RATE`.
pub const PULSE_RATE_OXIMETER: Mdc = Mdc(149_530);
/// `MDC_PULS_RATE_NON_INV`.
pub const PULSE_RATE_CUFF: Mdc = Mdc(149_546);
/// `MDC_RESP_RATE`.
pub const RESPIRATION: Mdc = Mdc(151_562);
/// `MDC_PRESS_BLD_NONINV_SYS`.
pub const SYSTOLIC: Mdc = Mdc(150_021);
/// `MDC_PRESS_BLD_NONINV_DIA`.
pub const DIASTOLIC: Mdc = Mdc(150_022);
/// `MDC_PRESS_BLD_NONINV_MEAN`.
pub const MEAN_PRESSURE: Mdc = Mdc(150_023);
/// `MDC_TEMP_BODY`.
pub const BODY_TEMPERATURE: Mdc = Mdc(150_364);
/// `MDC_TEMP_TYMP`.
pub const TEMPERATURE_TYMPANIC: Mdc = Mdc(150_392);
/// `MDC_TEMP_RECT`.
pub const TEMPERATURE_RECTAL: Mdc = Mdc(188_420);
/// `MDC_TEMP_ORAL`.
pub const TEMPERATURE_ORAL: Mdc = Mdc(188_424);
/// `MDC_TEMP_EAR`.
pub const TEMPERATURE_EAR: Mdc = Mdc(188_428);
/// `MDC_TEMP_FINGER`.
pub const TEMPERATURE_FINGER: Mdc = Mdc(188_432);
/// `MDC_TEMP_TOE`.
pub const TEMPERATURE_TOE: Mdc = Mdc(188_448);
/// `MDC_TEMP_AXILLA`.
pub const TEMPERATURE_AXILLA: Mdc = Mdc(188_452);
/// `MDC_TEMP_GIT`.
pub const TEMPERATURE_GUT: Mdc = Mdc(188_456);
/// `MDC_PULS_OXIM_SAT_O2`.
pub const SPO2: Mdc = Mdc(150_456);
/// `MDC_ECG_ELEC_POTL_II`: the heart's electricity, lead II.
pub const ECG_LEAD_II: Mdc = Mdc(131_330);
/// `MDC_PULS_OXIM_PLETH`: the pulse wave.
pub const PLETH: Mdc = Mdc(150_452);
/// `MDC_BLD_PERF_INDEX`.
pub const PERFUSION_INDEX: Mdc = Mdc(150_488);
/// `MDC_CONC_GLU_GEN`: a specimen that the nomenclature of the profile does not name.
pub const GLUCOSE: Mdc = Mdc(160_020);
/// `MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD`.
pub const GLUCOSE_CAPILLARY_BLOOD: Mdc = Mdc(160_184);
/// `MDC_CONC_GLU_CAPILLARY_PLASMA`.
pub const GLUCOSE_CAPILLARY_PLASMA: Mdc = Mdc(160_188);
/// `MDC_CONC_GLU_VENOUS_WHOLEBLOOD`.
pub const GLUCOSE_VENOUS_BLOOD: Mdc = Mdc(160_192);
/// `MDC_CONC_GLU_VENOUS_PLASMA`.
pub const GLUCOSE_VENOUS_PLASMA: Mdc = Mdc(160_196);
/// `MDC_CONC_GLU_ARTERIAL_WHOLEBLOOD`.
pub const GLUCOSE_ARTERIAL_BLOOD: Mdc = Mdc(160_200);
/// `MDC_CONC_GLU_ARTERIAL_PLASMA`.
pub const GLUCOSE_ARTERIAL_PLASMA: Mdc = Mdc(160_204);
/// `MDC_CONC_GLU_CONTROL`: never a patient's result.
pub const GLUCOSE_CONTROL: Mdc = Mdc(160_208);
/// `MDC_CONC_GLU_ISF`: interstitial fluid.
pub const GLUCOSE_INTERSTITIAL: Mdc = Mdc(160_212);
/// `MDC_CONC_GLU_UNDETERMINED_WHOLEBLOOD`.
pub const GLUCOSE_UNDETERMINED_BLOOD: Mdc = Mdc(160_364);
/// `MDC_CONC_GLU_UNDETERMINED_PLASMA`.
pub const GLUCOSE_UNDETERMINED_PLASMA: Mdc = Mdc(160_368);
/// `MDC_MASS_BODY_ACTUAL`.
pub const BODY_WEIGHT: Mdc = Mdc(188_736);
/// `MDC_LEN_BODY_ACTUAL`.
pub const BODY_HEIGHT: Mdc = Mdc(188_740);
/// `MDC_BODY_FAT`.
pub const BODY_FAT: Mdc = Mdc(188_748);
/// `MDC_RATIO_MASS_BODY_LEN_SQ`.
pub const BODY_MASS_INDEX: Mdc = Mdc(188_752);
/// `MDC_MASS_BODY_FAT_FREE`.
pub const FAT_FREE_MASS: Mdc = Mdc(188_756);
/// `MDC_MASS_BODY_SOFT_LEAN`.
pub const SOFT_LEAN_MASS: Mdc = Mdc(188_760);
/// `MDC_BODY_WATER`.
pub const BODY_WATER: Mdc = Mdc(188_764);

/// A LOINC code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Loinc(pub &'static str);

impl Mdc {
    /// The LOINC code of this metric in this unit, where one says the same thing. Glucose has one code
    /// for mass and another for amount of substance.
    pub fn loinc(self, unit: Unit) -> Option<Loinc> {
        let code = match self {
            HEART_RATE | PULSE_RATE_CUFF => "8867-4",
            PULSE_RATE_OXIMETER => "8889-8",
            RR_INTERVAL => "8637-1",
            SPO2 => "59408-5",
            PERFUSION_INDEX => "61006-3",
            RESPIRATION => "9279-1",
            SYSTOLIC => "8480-6",
            DIASTOLIC => "8462-4",
            MEAN_PRESSURE => "8478-0",
            BODY_TEMPERATURE => "8310-5",
            TEMPERATURE_ORAL => "8331-1",
            TEMPERATURE_RECTAL => "8332-9",
            TEMPERATURE_AXILLA => "8328-7",
            TEMPERATURE_TYMPANIC => "8333-7",
            BODY_WEIGHT => "29463-7",
            BODY_HEIGHT => "8302-2",
            BODY_MASS_INDEX => "39156-5",
            BODY_FAT => "41982-0",
            _ => return self.glucose_loinc(unit),
        };
        Some(Loinc(code))
    }

    /// A concentration of glucose in whatever was sampled of a person.
    pub fn is_glucose(self) -> bool {
        [
            GLUCOSE,
            GLUCOSE_CAPILLARY_BLOOD,
            GLUCOSE_CAPILLARY_PLASMA,
            GLUCOSE_VENOUS_BLOOD,
            GLUCOSE_VENOUS_PLASMA,
            GLUCOSE_ARTERIAL_BLOOD,
            GLUCOSE_ARTERIAL_PLASMA,
            GLUCOSE_INTERSTITIAL,
            GLUCOSE_UNDETERMINED_BLOOD,
            GLUCOSE_UNDETERMINED_PLASMA,
        ]
        .contains(&self)
    }

    fn glucose_loinc(self, unit: Unit) -> Option<Loinc> {
        let (mass, substance) = match self {
            GLUCOSE_CAPILLARY_BLOOD
            | GLUCOSE_VENOUS_BLOOD
            | GLUCOSE_ARTERIAL_BLOOD
            | GLUCOSE_UNDETERMINED_BLOOD => ("2339-0", "15074-8"),
            GLUCOSE_CAPILLARY_PLASMA | GLUCOSE_UNDETERMINED_PLASMA => ("41653-7", "14743-9"),
            GLUCOSE_VENOUS_PLASMA | GLUCOSE_ARTERIAL_PLASMA => ("2345-7", "14749-6"),
            GLUCOSE_INTERSTITIAL => ("99504-3", "105272-9"),
            _ => return None,
        };
        if unit == Unit::MilligramPerDecilitre {
            Some(Loinc(mass))
        } else if unit == Unit::MillimolePerLitre {
            Some(Loinc(substance))
        } else {
            None
        }
    }
}

/// A unit of measure; the device's own, never converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// `/min`
    PerMinute,
    /// `%`
    Percent,
    /// `ms`
    Millisecond,
    /// `s`
    Second,
    /// `min`
    Minute,
    /// `mmHg`
    MillimetreMercury,
    /// `kPa`
    Kilopascal,
    /// `Cel`
    Celsius,
    /// `[degF]`
    Fahrenheit,
    /// `mg/dL`
    MilligramPerDecilitre,
    /// `mmol/L`
    MillimolePerLitre,
    /// `mg/dL/min`
    MilligramPerDecilitreMinute,
    /// `kg`
    Kilogram,
    /// `[lb_av]`
    Pound,
    /// `L`
    Litre,
    /// `m`
    Metre,
    /// `dm`
    Decimetre,
    /// `cm`
    Centimetre,
    /// `[in_i]`
    Inch,
    /// `kg/m2`
    KilogramPerSquareMetre,
    /// `kJ`
    Kilojoule,
    /// `Ohm`
    Ohm,
    /// `m/s`
    MetrePerSecond,
    /// `h`
    Hour,
    /// `Pa`
    Pascal,
    /// `[iU]`
    InternationalUnit,
}

/// Milligrams of glucose per decilitre in a millimole per litre: a tenth of its molar mass, 180.156 g/mol.
const GLUCOSE_MG_PER_MMOL: f64 = 18.015_6;

impl Unit {
    /// All of them.
    pub const ALL: [Unit; 26] = [
        Unit::PerMinute,
        Unit::Percent,
        Unit::Millisecond,
        Unit::Second,
        Unit::Minute,
        Unit::MillimetreMercury,
        Unit::Kilopascal,
        Unit::Celsius,
        Unit::Fahrenheit,
        Unit::MilligramPerDecilitre,
        Unit::MillimolePerLitre,
        Unit::MilligramPerDecilitreMinute,
        Unit::Kilogram,
        Unit::Pound,
        Unit::Litre,
        Unit::Metre,
        Unit::Decimetre,
        Unit::Centimetre,
        Unit::Inch,
        Unit::KilogramPerSquareMetre,
        Unit::Kilojoule,
        Unit::Ohm,
        Unit::MetrePerSecond,
        Unit::Hour,
        Unit::Pascal,
        Unit::InternationalUnit,
    ];

    /// The UCUM code.
    pub fn ucum(self) -> &'static str {
        match self {
            Unit::PerMinute => "/min",
            Unit::Percent => "%",
            Unit::Millisecond => "ms",
            Unit::Second => "s",
            Unit::Minute => "min",
            Unit::MillimetreMercury => "mm[Hg]",
            Unit::Kilopascal => "kPa",
            Unit::Celsius => "Cel",
            Unit::Fahrenheit => "[degF]",
            Unit::MilligramPerDecilitre => "mg/dL",
            Unit::MillimolePerLitre => "mmol/L",
            Unit::MilligramPerDecilitreMinute => "mg/dL/min",
            Unit::Kilogram => "kg",
            Unit::Pound => "[lb_av]",
            Unit::Litre => "L",
            Unit::Metre => "m",
            Unit::Decimetre => "dm",
            Unit::Centimetre => "cm",
            Unit::Inch => "[in_i]",
            Unit::KilogramPerSquareMetre => "kg/m2",
            Unit::Kilojoule => "kJ",
            Unit::Ohm => "Ohm",
            Unit::MetrePerSecond => "m/s",
            Unit::Hour => "h",
            Unit::Pascal => "Pa",
            Unit::InternationalUnit => "[iU]",
        }
    }
}

impl Unit {
    /// How people write it (SI brochure, and what is printed on devices).
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::MillimetreMercury => "mmHg",
            Unit::Celsius => "°C",
            Unit::Fahrenheit => "°F",
            Unit::Pound => "lb",
            Unit::Inch => "in",
            Unit::KilogramPerSquareMetre => "kg/m²",
            Unit::Ohm => "Ω",
            Unit::InternationalUnit => "IU",
            Unit::PerMinute
            | Unit::Percent
            | Unit::Millisecond
            | Unit::Second
            | Unit::Minute
            | Unit::Kilopascal
            | Unit::MilligramPerDecilitre
            | Unit::MillimolePerLitre
            | Unit::MilligramPerDecilitreMinute
            | Unit::Kilogram
            | Unit::Litre
            | Unit::Metre
            | Unit::Decimetre
            | Unit::Centimetre
            | Unit::Kilojoule
            | Unit::MetrePerSecond
            | Unit::Hour
            | Unit::Pascal => self.ucum(),
        }
    }

    /// The unit of a UCUM code.
    pub fn from_ucum(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.ucum() == code)
    }

    /// What a value in this unit is in another one, to hold it against a limit; `None` where the two
    /// measure different things. What is recorded and shown keeps its own unit.
    pub fn reckon(self, value: Decimal, wanted: Unit) -> Option<Decimal> {
        if self == wanted {
            Some(value)
        } else if (self, wanted) == (Unit::Fahrenheit, Unit::Celsius) {
            Decimal::nearest((value.to_f64() - 32.0) / 1.8, -1)
        } else if (self, wanted) == (Unit::Kilopascal, Unit::MillimetreMercury) {
            Decimal::nearest(value.to_f64() * 7.500_62, 0)
        } else if (self, wanted) == (Unit::MilligramPerDecilitre, Unit::MillimolePerLitre) {
            Decimal::nearest(value.to_f64() / GLUCOSE_MG_PER_MMOL, -1)
        } else if (self, wanted) == (Unit::Celsius, Unit::Fahrenheit) {
            Decimal::nearest(value.to_f64() * 1.8 + 32.0, -1)
        } else if (self, wanted) == (Unit::MillimetreMercury, Unit::Kilopascal) {
            Decimal::nearest(value.to_f64() / 7.500_62, -1)
        } else if (self, wanted) == (Unit::MillimolePerLitre, Unit::MilligramPerDecilitre) {
            Decimal::nearest(value.to_f64() * GLUCOSE_MG_PER_MMOL, 0)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_held_against_limits_of_another_unit() {
        let of = |text: &str| text.parse::<Decimal>().expect("a decimal");
        let reckoned = |text, unit: Unit, wanted| unit.reckon(of(text), wanted);
        let celsius = reckoned("104.0", Unit::Fahrenheit, Unit::Celsius);
        assert_eq!(celsius, Some(of("40.0")));
        let pressure = reckoned("16.0", Unit::Kilopascal, Unit::MillimetreMercury);
        assert_eq!(pressure, Some(of("120")));
        let sugar = |text, unit, wanted| reckoned(text, unit, wanted).map(|one| one.to_string());
        let (per_decilitre, per_litre) = (Unit::MilligramPerDecilitre, Unit::MillimolePerLitre);
        assert_eq!(sugar("70", per_decilitre, per_litre).as_deref(), Some("3.9"));
        assert_eq!(sugar("13.9", per_litre, per_decilitre).as_deref(), Some("250"));
        assert_eq!(sugar("38.5", Unit::Celsius, Unit::Fahrenheit).as_deref(), Some("101.3"));
        assert_eq!(
            sugar("120", Unit::MillimetreMercury, Unit::Kilopascal).as_deref(),
            Some("16.0")
        );
        assert_eq!(reckoned("97", Unit::Percent, Unit::Percent), Some(of("97")));
        assert_eq!(reckoned("97", Unit::Percent, Unit::PerMinute), None);
        for unit in Unit::ALL {
            assert_eq!(Unit::from_ucum(unit.ucum()), Some(unit));
            assert!(!unit.symbol().contains(['[', ']']), "{unit:?}: for machines");
        }
    }

    #[test]
    fn glucose_codes_follow_specimen_and_unit() {
        let loinc = |code: Mdc, unit| code.loinc(unit).map(|loinc| loinc.0);
        assert_eq!(loinc(GLUCOSE_CAPILLARY_BLOOD, Unit::MilligramPerDecilitre), Some("2339-0"));
        assert_eq!(loinc(GLUCOSE_CAPILLARY_BLOOD, Unit::MillimolePerLitre), Some("15074-8"));
        assert_eq!(loinc(GLUCOSE_INTERSTITIAL, Unit::MilligramPerDecilitre), Some("99504-3"));
        assert_eq!(loinc(GLUCOSE_INTERSTITIAL, Unit::Kilogram), None);
        assert_eq!(loinc(GLUCOSE_CONTROL, Unit::MilligramPerDecilitre), None);
    }

    #[test]
    fn codes_without_an_equal_in_loinc_have_none() {
        for code in [TEMPERATURE_EAR, TEMPERATURE_FINGER, TEMPERATURE_TOE, TEMPERATURE_GUT] {
            assert_eq!(code.loinc(Unit::Celsius), None);
        }
        assert_eq!(PULSE_RATE_OXIMETER.loinc(Unit::PerMinute), Some(Loinc("8889-8")));
    }
}
