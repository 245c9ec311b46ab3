//! Words for why a value is withheld ([`Absent`]) and for what a device said about a value that may
//! be charted ([`Status`]).
//!
//! S-7 rests on the difference: an [`Absent`] always keeps a number off the chart, a [`Status`] never
//! does. Both print as stable kebab-case words, which the command line and the store share.

use serde::{Deserialize, Serialize};

/// Why there is no value that may be charted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Absent {
    /// SFLOAT/FLOAT NaN.
    NotANumber,
    /// SFLOAT/FLOAT NRes.
    NotAtThisResolution,
    /// SFLOAT/FLOAT +INF.
    PositiveInfinity,
    /// SFLOAT/FLOAT -INF.
    NegativeInfinity,
    /// A reserved SFLOAT/FLOAT pattern, or a code the profile reserves for later.
    Reserved,
    /// The device says, or its frame shows, that the measurement did not succeed.
    MeasurementFailed,
    /// Outside what a living patient can have ([`crate::vitals::plausible`]).
    Implausible,
    /// The meter measured its control solution, not a patient.
    ControlSolution,
    /// The device is demonstrating itself.
    Demo,
    /// The device sends test data.
    Test,
    /// The device doubts the value.
    Questionable,
    /// The device calls the value invalid.
    Invalid,
    /// The device has no value, or does not supply this one.
    Unavailable,
    /// The device is calibrating itself.
    Calibrating,
    /// The sensor does not touch the patient.
    NoContact,
    /// The equipment reports a fault of its own.
    SensorFault,
    /// The oximeter's sensor malfunctions (PLX sensor status, bit 14).
    SensorMalfunction,
    /// The oximeter's sensor is unplugged (PLX sensor status, bit 15).
    Disconnected,
    /// The oximeter's sensor is not on the user (PLX sensor status, bit 11).
    NotOnUser,
    /// The result is higher than the device can measure.
    AboveDeviceRange,
    /// The result is lower than the device can measure.
    BelowDeviceRange,
    /// The sensor's session has ended; what it sends is not the present.
    SessionStopped,
}

impl Absent {
    /// Every reason.
    pub const ALL: [Absent; 22] = [
        Absent::NotANumber,
        Absent::NotAtThisResolution,
        Absent::PositiveInfinity,
        Absent::NegativeInfinity,
        Absent::Reserved,
        Absent::MeasurementFailed,
        Absent::Implausible,
        Absent::ControlSolution,
        Absent::Demo,
        Absent::Test,
        Absent::Questionable,
        Absent::Invalid,
        Absent::Unavailable,
        Absent::Calibrating,
        Absent::NoContact,
        Absent::SensorFault,
        Absent::SensorMalfunction,
        Absent::Disconnected,
        Absent::NotOnUser,
        Absent::AboveDeviceRange,
        Absent::BelowDeviceRange,
        Absent::SessionStopped,
    ];

    /// The sensor does not touch the patient: nothing is known of them.
    pub fn is_sensor_off(self) -> bool {
        matches!(self, Absent::NoContact | Absent::NotOnUser | Absent::Disconnected)
    }

    /// The device, or its sensor, is broken.
    pub fn is_broken(self) -> bool {
        matches!(self, Absent::SensorFault | Absent::SensorMalfunction)
    }

    /// The reason as a stable word.
    pub fn word(self) -> &'static str {
        match self {
            Absent::NotANumber => "not-a-number",
            Absent::NotAtThisResolution => "not-at-this-resolution",
            Absent::PositiveInfinity => "positive-infinity",
            Absent::NegativeInfinity => "negative-infinity",
            Absent::Reserved => "reserved",
            Absent::MeasurementFailed => "measurement-failed",
            Absent::Implausible => "implausible",
            Absent::ControlSolution => "control-solution",
            Absent::Demo => "demo",
            Absent::Test => "test",
            Absent::Questionable => "questionable",
            Absent::Invalid => "invalid",
            Absent::Unavailable => "unavailable",
            Absent::Calibrating => "calibrating",
            Absent::NoContact => "no-contact",
            Absent::SensorFault => "sensor-fault",
            Absent::SensorMalfunction => "sensor-malfunction",
            Absent::Disconnected => "disconnected",
            Absent::NotOnUser => "not-on-user",
            Absent::AboveDeviceRange => "above-device-range",
            Absent::BelowDeviceRange => "below-device-range",
            Absent::SessionStopped => "session-stopped",
        }
    }
}

/// What the device said about the quality of a value that may still be charted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Skin contact is reported.
    ContactDetected,
    /// Measured before the reading had settled (Intermediate Temperature).
    Intermediate,
    /// The measurement is still going on.
    MeasurementOngoing,
    /// An early estimate.
    EarlyEstimate,
    /// The device has validated the value.
    Validated,
    /// The device has fully qualified the value.
    FullyQualified,
    /// Comes from the device's memory, not from this moment.
    FromStorage,
    /// The oximeter shows it for longer than usual.
    ExtendedDisplayUpdate,
    /// The signal processing is irregular.
    SignalIrregularity,
    /// The signal is inadequate.
    InadequateSignal,
    /// The signal is poor.
    PoorSignal,
    /// Perfusion is low.
    LowPerfusion,
    /// The signal is erratic.
    ErraticSignal,
    /// The signal does not pulsate.
    NonPulsatile,
    /// The pulse is questionable.
    QuestionablePulse,
    /// The signal is being analysed.
    SignalAnalysisOngoing,
    /// The sensor interface is detected.
    SensorInterfaceDetected,
    /// The sensor is of an unknown kind.
    UnknownSensor,
    /// The sensor is displaced.
    SensorDisplaced,
    /// The patient moved.
    BodyMovement,
    /// The cuff is too loose.
    CuffTooLoose,
    /// The pulse is irregular.
    IrregularPulse,
    /// The pulse rate exceeds the cuff's upper limit.
    PulseAboveRange,
    /// The pulse rate is below the cuff's lower limit.
    PulseBelowRange,
    /// The arm is held wrongly.
    ImproperPosition,
    /// The device's battery is low.
    LowBattery,
    /// The device's clock had a fault.
    TimeFault,
    /// Taken from a finger.
    Finger,
    /// Taken from an alternative site.
    AlternateSite,
    /// Taken from an earlobe.
    Earlobe,
    /// The site is not known.
    SiteUnknown,
    /// A device-specific alert is present.
    DeviceAlert,
    /// The device wants its clock set.
    TimeSyncRequired,
    /// The device cannot be calibrated at present.
    CalibrationNotAllowed,
    /// Calibration is recommended.
    CalibrationRecommended,
    /// Calibration is required.
    CalibrationRequired,
    /// Below the low level set in the device.
    BelowPatientLow,
    /// Above the high level set in the device.
    AbovePatientHigh,
    /// Below the hypoglycaemia level set in the device.
    BelowHypo,
    /// Above the hyperglycaemia level set in the device.
    AboveHyper,
    /// Falling faster than the rate set in the device.
    FallingFast,
    /// Rising faster than the rate set in the device.
    RisingFast,
}

impl Status {
    /// The device calls the signal weak or doubtful: the tile says so beside the number.
    pub fn is_weak_signal(self) -> bool {
        const WEAK: [Status; 9] = [
            Status::SignalIrregularity,
            Status::InadequateSignal,
            Status::PoorSignal,
            Status::LowPerfusion,
            Status::ErraticSignal,
            Status::NonPulsatile,
            Status::QuestionablePulse,
            Status::SensorDisplaced,
            Status::BodyMovement,
        ];
        WEAK.contains(&self)
    }

    /// The status as a stable word.
    pub fn word(self) -> &'static str {
        match self {
            Status::ContactDetected => "contact-detected",
            Status::Intermediate => "intermediate",
            Status::MeasurementOngoing => "measurement-ongoing",
            Status::EarlyEstimate => "early-estimate",
            Status::Validated => "validated",
            Status::FullyQualified => "fully-qualified",
            Status::FromStorage => "from-storage",
            Status::ExtendedDisplayUpdate => "extended-display-update",
            Status::SignalIrregularity => "signal-irregularity",
            Status::InadequateSignal => "inadequate-signal",
            Status::PoorSignal => "poor-signal",
            Status::LowPerfusion => "low-perfusion",
            Status::ErraticSignal => "erratic-signal",
            Status::NonPulsatile => "non-pulsatile",
            Status::QuestionablePulse => "questionable-pulse",
            Status::SignalAnalysisOngoing => "signal-analysis-ongoing",
            Status::SensorInterfaceDetected => "sensor-interface-detected",
            Status::UnknownSensor => "unknown-sensor",
            Status::SensorDisplaced => "sensor-displaced",
            Status::BodyMovement => "body-movement",
            Status::CuffTooLoose => "cuff-too-loose",
            Status::IrregularPulse => "irregular-pulse",
            Status::PulseAboveRange => "pulse-above-range",
            Status::PulseBelowRange => "pulse-below-range",
            Status::ImproperPosition => "improper-position",
            Status::LowBattery => "low-battery",
            Status::TimeFault => "time-fault",
            Status::Finger => "finger",
            Status::AlternateSite => "alternate-site",
            Status::Earlobe => "earlobe",
            Status::SiteUnknown => "site-unknown",
            Status::DeviceAlert => "device-alert",
            Status::TimeSyncRequired => "time-sync-required",
            Status::CalibrationNotAllowed => "calibration-not-allowed",
            Status::CalibrationRecommended => "calibration-recommended",
            Status::CalibrationRequired => "calibration-required",
            Status::BelowPatientLow => "below-patient-low",
            Status::AbovePatientHigh => "above-patient-high",
            Status::BelowHypo => "below-hypo",
            Status::AboveHyper => "above-hyper",
            Status::FallingFast => "falling-fast",
            Status::RisingFast => "rising-fast",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The word on the command line is the word in the store.
    #[test]
    fn words_agree_with_the_stored_form() {
        for absent in [Absent::NotANumber, Absent::NotAtThisResolution, Absent::NotOnUser] {
            let stored = serde_json::to_string(&absent).expect("serialisable");
            assert_eq!(stored, format!("\"{}\"", absent.word()));
        }
        for status in [Status::ContactDetected, Status::BelowHypo, Status::TimeSyncRequired] {
            let stored = serde_json::to_string(&status).expect("serialisable");
            assert_eq!(stored, format!("\"{}\"", status.word()));
            let back: Status = serde_json::from_str(&stored).expect("its own form");
            assert_eq!(back, status);
        }
    }
}
