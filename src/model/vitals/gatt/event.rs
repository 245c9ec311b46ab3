//! What a frame says besides vitals: cuff pressure, battery, sequence numbers, remarks on its time.
//!
//! S-7: nothing in here is a charted value. An event may carry a number for people to read, never for
//! a trend.

use std::fmt;

use crate::vitals::gatt::remark::Remark;
use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

/// Something a frame says that is no measurement of a patient's vital sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A remark.
    Note(Note),
    /// A quantity that is not charted.
    Quantity {
        /// Which.
        what: Quantity,
        /// The device's digits, or why there are none.
        reading: Reading,
        /// Its unit.
        unit: Unit,
    },
    /// A plain number.
    Count {
        /// Of what.
        what: Counter,
        /// The number.
        number: u32,
    },
    /// A choice from a profile's list.
    Label {
        /// What was chosen.
        what: Topic,
        /// The choice.
        label: &'static str,
    },
    /// What only a vendor's protocol says.
    Vendor(Remark),
}

/// A remark without a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// Bytes follow the last field that the flags announce.
    TrailingBytes,
    /// The frame ends before an optional field that the flags announce.
    PartMissing,
    /// The device does not know its year, month or day.
    TimeUnknown,
    /// The device's stamp is no possible date or time.
    TimeImpossible,
    /// The device says that its clock was never set.
    ClockNotSet,
    /// The user's offset to the base time is larger than the field can hold.
    TimeOffsetOverrun,
    /// The user's offset to the base time is smaller than the field can hold.
    TimeOffsetUnderrun,
    /// The cuff or scale could not complete its measurement.
    MeasurementFailed,
    /// The device does not know who is measured.
    UserUnknown,
    /// Fast-response SpO2 and pulse are in the frame; they are not charted.
    FastValuesNotCharted,
    /// Slow-response SpO2 and pulse are in the frame; they are not charted.
    SlowValuesNotCharted,
    /// Another frame with the context of this record follows.
    ContextFollows,
    /// The record carries no concentration.
    NoConcentration,
    /// A second frame completes this one.
    MultiplePackets,
    /// The battery level is no percentage.
    BatteryLevelInvalid,
    /// The pulse would be possible with its two bytes exchanged: this cuff may need a quirk.
    PulseByteOrderSuspect,
    /// The person is running.
    Running,
    /// The person is walking.
    Walking,
}

/// A quantity that is shown at most, never charted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The cuff while it inflates or deflates.
    CuffPressure,
    /// Energy expended since the last reset.
    EnergyExpended,
    /// Battery charge.
    BatteryLevel,
    /// Rate of change of glucose.
    GlucoseTrend,
    /// Quality of a glucose value, by the sensor's own judgement.
    GlucoseQuality,
    /// Time since a sensor's session began.
    SessionTime,
    /// Speed.
    Speed,
    /// Steps per minute.
    Cadence,
    /// Length of a stride.
    StrideLength,
    /// Distance since the sensor was reset.
    Distance,
    /// Carbohydrate eaten.
    Carbohydrate,
    /// Duration of exercise.
    ExerciseDuration,
    /// Intensity of exercise.
    ExerciseIntensity,
    /// Dose of a medication.
    MedicationDose,
    /// Glycated haemoglobin, as entered into the meter.
    Hba1c,
    /// Energy spent at rest per day.
    BasalMetabolism,
    /// Part of the body that is muscle.
    MusclePercentage,
    /// Mass of muscle.
    MuscleMass,
    /// Electrical impedance of the body.
    Impedance,
}

/// What a plain number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Index of the user in the device.
    User,
    /// Number of the record in the device.
    Sequence,
    /// Records that match a request.
    Records,
}

/// What a choice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Which meal was eaten.
    CarbohydrateSource,
    /// How the sample relates to a meal.
    Meal,
    /// Who tested.
    Tester,
    /// State of health.
    Health,
    /// Kind of medication.
    Medication,
    /// Answer to a request for records.
    RecordAccess,
}

impl Event {
    /// What it is about, as a stable word.
    pub fn word(self) -> &'static str {
        match self {
            Event::Note(note) => note.word(),
            Event::Quantity { what, .. } => what.word(),
            Event::Count { what, .. } => what.word(),
            Event::Label { what, .. } => what.word(),
            Event::Vendor(remark) => remark.word,
        }
    }
}

/// The word, then its number and UCUM unit or its choice, separated by single spaces.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Event::Note(_) => Ok(()),
            Event::Quantity { reading, unit, .. } => match reading.number() {
                Ok(number) => write!(f, " {number} {}", unit.ucum()),
                Err(absent) => write!(f, " {}", absent.word()),
            },
            Event::Count { number, .. } => write!(f, " {number}"),
            Event::Label { label, .. } => write!(f, " {label}"),
            Event::Vendor(remark) => write!(f, "{}", remark.said),
        }
    }
}

impl Note {
    fn word(self) -> &'static str {
        match self {
            Note::TrailingBytes => "trailing-bytes",
            Note::PartMissing => "part-missing",
            Note::TimeUnknown => "time-unknown",
            Note::TimeImpossible => "time-impossible",
            Note::ClockNotSet => "clock-not-set",
            Note::TimeOffsetOverrun => "time-offset-overrun",
            Note::TimeOffsetUnderrun => "time-offset-underrun",
            Note::MeasurementFailed => "measurement-failed",
            Note::UserUnknown => "user-unknown",
            Note::FastValuesNotCharted => "fast-values-not-charted",
            Note::SlowValuesNotCharted => "slow-values-not-charted",
            Note::ContextFollows => "context-follows",
            Note::NoConcentration => "no-concentration",
            Note::MultiplePackets => "multiple-packets",
            Note::BatteryLevelInvalid => "battery-level-invalid",
            Note::PulseByteOrderSuspect => "pulse-byte-order-suspect",
            Note::Running => "running",
            Note::Walking => "walking",
        }
    }
}

impl Quantity {
    fn word(self) -> &'static str {
        match self {
            Quantity::CuffPressure => "cuff-pressure",
            Quantity::EnergyExpended => "energy-expended",
            Quantity::BatteryLevel => "battery-level",
            Quantity::GlucoseTrend => "glucose-trend",
            Quantity::GlucoseQuality => "glucose-quality",
            Quantity::SessionTime => "session-time",
            Quantity::Speed => "speed",
            Quantity::Cadence => "cadence",
            Quantity::StrideLength => "stride-length",
            Quantity::Distance => "distance",
            Quantity::Carbohydrate => "carbohydrate",
            Quantity::ExerciseDuration => "exercise-duration",
            Quantity::ExerciseIntensity => "exercise-intensity",
            Quantity::MedicationDose => "medication-dose",
            Quantity::Hba1c => "hba1c",
            Quantity::BasalMetabolism => "basal-metabolism",
            Quantity::MusclePercentage => "muscle-percentage",
            Quantity::MuscleMass => "muscle-mass",
            Quantity::Impedance => "impedance",
        }
    }
}

impl Counter {
    fn word(self) -> &'static str {
        match self {
            Counter::User => "user",
            Counter::Sequence => "sequence",
            Counter::Records => "records",
        }
    }
}

impl Topic {
    fn word(self) -> &'static str {
        match self {
            Topic::CarbohydrateSource => "carbohydrate-source",
            Topic::Meal => "meal",
            Topic::Tester => "tester",
            Topic::Health => "health",
            Topic::Medication => "medication",
            Topic::RecordAccess => "record-access",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_read_as_words() {
        let pressure = |reading| Event::Quantity {
            what: Quantity::CuffPressure,
            reading,
            unit: Unit::MillimetreMercury,
        };
        assert_eq!(pressure(Reading::of(1205, -1)).to_string(), "cuff-pressure 120.5 mm[Hg]");
        assert_eq!(pressure(Reading::NotANumber).to_string(), "cuff-pressure not-a-number");
        let user = Event::Count { what: Counter::User, number: 2 };
        assert_eq!(user.to_string(), "user 2");
        let meal = Event::Label { what: Topic::Meal, label: "fasting" };
        assert_eq!((meal.word(), meal.to_string().as_str()), ("meal", "meal fasting"));
    }
}
