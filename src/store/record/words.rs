//! One byte for each word of a value: units, reasons, statuses, clocks, origins.
//!
//! A number that was given out is never given to another word, because rows that hold it exist. Zero
//! is none of them, so that a blank is never taken for a word.

use wardkeep_model::vitals::nomenclature::{Absent, Status, Unit};
use wardkeep_model::vitals::{ClockConfidence, Provenance};

/// A word that a row holds as one byte.
pub trait Code: Copy {
    /// Its number.
    fn code(self) -> u8;
    /// The word of a number; `None` if no word has it.
    fn of(code: u8) -> Option<Self>;
}

/// Both directions from one list: a word left out does not compile, and neither does a number that is
/// there twice.
macro_rules! codes {
    ($kind:ident { $($word:ident = $code:literal,)+ }) => {
        impl Code for $kind {
            fn code(self) -> u8 {
                match self { $($kind::$word => $code,)+ }
            }

            #[deny(unreachable_patterns)]
            fn of(code: u8) -> Option<Self> {
                match code { $($code => Some($kind::$word),)+ _ => None }
            }
        }
    };
}

codes!(ClockConfidence { Live = 1, Corrected = 2, Unknown = 3, });

codes!(Provenance { Device = 1, Simulated = 2, });

codes!(Unit {
    PerMinute = 1, Percent = 2, Millisecond = 3, Second = 4, Minute = 5, MillimetreMercury = 6,
    Kilopascal = 7, Celsius = 8, Fahrenheit = 9, MilligramPerDecilitre = 10, MillimolePerLitre = 11,
    MilligramPerDecilitreMinute = 12, Kilogram = 13, Pound = 14, Litre = 15, Metre = 16,
    Decimetre = 17, Centimetre = 18, Inch = 19, KilogramPerSquareMetre = 20, Kilojoule = 21, Ohm = 22,
    MetrePerSecond = 23, Hour = 24, Pascal = 25, InternationalUnit = 26,
});

codes!(Absent {
    NotANumber = 1, NotAtThisResolution = 2, PositiveInfinity = 3, NegativeInfinity = 4, Reserved = 5,
    MeasurementFailed = 6, Implausible = 7, ControlSolution = 8, Demo = 9, Test = 10,
    Questionable = 11, Invalid = 12, Unavailable = 13, Calibrating = 14, NoContact = 15,
    SensorFault = 16, SensorMalfunction = 17, Disconnected = 18, NotOnUser = 19,
    AboveDeviceRange = 20, BelowDeviceRange = 21, SessionStopped = 22,
});

codes!(Status {
    ContactDetected = 1, Intermediate = 2, MeasurementOngoing = 3, EarlyEstimate = 4, Validated = 5,
    FullyQualified = 6, FromStorage = 7, ExtendedDisplayUpdate = 8, SignalIrregularity = 9,
    InadequateSignal = 10, PoorSignal = 11, LowPerfusion = 12, ErraticSignal = 13, NonPulsatile = 14,
    QuestionablePulse = 15, SignalAnalysisOngoing = 16, SensorInterfaceDetected = 17,
    UnknownSensor = 18, SensorDisplaced = 19, BodyMovement = 20, CuffTooLoose = 21,
    IrregularPulse = 22, PulseAboveRange = 23, PulseBelowRange = 24, ImproperPosition = 25,
    LowBattery = 26, TimeFault = 27, Finger = 28, AlternateSite = 29, Earlobe = 30, SiteUnknown = 31,
    DeviceAlert = 32, TimeSyncRequired = 33, CalibrationNotAllowed = 34, CalibrationRecommended = 35,
    CalibrationRequired = 36, BelowPatientLow = 37, AbovePatientHigh = 38, BelowHypo = 39,
    AboveHyper = 40, FallingFast = 41, RisingFast = 42,
});

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::crypto::hash;

    /// All words with their numbers, one a line.
    fn listed<T: Code + Debug>() -> String {
        let known = (0..=u8::MAX).filter_map(|code| T::of(code).map(|word| (code, word)));
        known.fold(String::new(), |list, (code, word)| {
            assert_eq!(word.code(), code);
            format!("{list}{code} {word:?}\n")
        })
    }

    #[test]
    fn numbers_that_were_given_out_are_never_changed() {
        let lists = [
            (listed::<ClockConfidence>(), 3),
            (listed::<Provenance>(), 2),
            (listed::<Unit>(), 26),
            (listed::<Absent>(), 22),
            (listed::<Status>(), 42),
        ];
        let mut all = String::new();
        for (list, words) in lists {
            assert_eq!(list.lines().count(), words, "{list}");
            all.push_str(&list);
        }
        let [a, b, c, d, ..] = hash(&[all.as_bytes()]);
        assert_eq!(u32::from_be_bytes([a, b, c, d]), 3_175_352_282, "rows hold these:\n{all}");
    }
}
