//! Codes and words: MDC (ISO/IEEE 11073-10101), LOINC, UCUM, absence reasons and device statuses.

use serde::{Deserialize, Serialize};

/// A metric code of the 11073-10101 nomenclature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mdc(pub u32);

/// `MDC_ECG_HEART_RATE`.
pub const HEART_RATE: Mdc = Mdc(147_842);
/// `MDC_PULS_OXIM_PULS_RATE`.
pub const PULSE_RATE_OXIMETER: Mdc = Mdc(149_530);
/// `MDC_PULS_OXIM_SAT_O2`.
pub const SPO2: Mdc = Mdc(150_456);
/// `MDC_ECG_TIME_PD_RR_GL`.
pub const RR_INTERVAL: Mdc = Mdc(147_240);
/// `MDC_BLD_PERF_INDEX`.
pub const PERFUSION_INDEX: Mdc = Mdc(150_488);

/// A unit of measure; the device's own, never converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// `/min`
    PerMinute,
    /// `%`
    Percent,
    /// `ms`
    Millisecond,
}

impl Unit {
    /// The UCUM code.
    pub fn ucum(self) -> &'static str {
        match self {
            Unit::PerMinute => "/min",
            Unit::Percent => "%",
            Unit::Millisecond => "ms",
        }
    }
}

/// Why there is no value that may be charted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Absent {
    /// SFLOAT/FLOAT NaN.
    NotANumber,
    /// The sensor does not touch the patient.
    NoContact,
}

/// What the device said about the quality of a value that may still be charted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Skin contact is reported.
    ContactDetected,
    /// Perfusion is low.
    LowPerfusion,
}

impl Status {
    /// The device calls the signal weak or poor.
    pub fn is_weak_signal(self) -> bool {
        match self {
            Status::LowPerfusion => true,
            Status::ContactDetected => false,
        }
    }
}
