//! What a frame says besides vitals: cuff pressure, battery, sequence numbers, remarks on its time.
//!
//! S-7: nothing in here is a charted value. An event may carry a number for people to read, never for
//! a trend.

use std::fmt;

use crate::vitals::gatt::remark::Remark;
use crate::vitals::nomenclature::Unit;
use crate::vitals::sfloat::Reading;

/// Words of one kind: the enum and the stable word of each of its members, from one list.
macro_rules! words {
    ($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $name:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind {
            $($(#[$doc])* $name,)+
        }

        impl $kind {
            #[cfg(test)]
            const ALL: &[Self] = &[$($kind::$name,)+];

            fn word(self) -> &'static str {
                match self {
                    $($kind::$name => $word,)+
                }
            }
        }
    };
}

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

words! {
    /// A remark without a number.
    Note {
        /// Bytes follow the last field that the flags announce.
        TrailingBytes = "trailing-bytes",
        /// The frame ends before an optional field that the flags announce.
        PartMissing = "part-missing",
        /// The device does not know its year, month or day.
        TimeUnknown = "time-unknown",
        /// The device's stamp is no possible date or time.
        TimeImpossible = "time-impossible",
        /// The device says that its clock was never set.
        ClockNotSet = "clock-not-set",
        /// The user's offset to the base time is larger than the field can hold.
        TimeOffsetOverrun = "time-offset-overrun",
        /// The user's offset to the base time is smaller than the field can hold.
        TimeOffsetUnderrun = "time-offset-underrun",
        /// The cuff or scale could not complete its measurement.
        MeasurementFailed = "measurement-failed",
        /// The device does not know who is measured.
        UserUnknown = "user-unknown",
        /// Fast-response SpO2 and pulse are in the frame; they are not charted.
        FastValuesNotCharted = "fast-values-not-charted",
        /// Slow-response SpO2 and pulse are in the frame; they are not charted.
        SlowValuesNotCharted = "slow-values-not-charted",
        /// Another frame with the context of this record follows.
        ContextFollows = "context-follows",
        /// The record carries no concentration.
        NoConcentration = "no-concentration",
        /// A second frame completes this one.
        MultiplePackets = "multiple-packets",
        /// The battery level is no percentage.
        BatteryLevelInvalid = "battery-level-invalid",
        /// The pulse would be possible with its two bytes exchanged: this cuff may need a quirk.
        PulseByteOrderSuspect = "pulse-byte-order-suspect",
        /// The person is running.
        Running = "running",
        /// The person is walking.
        Walking = "walking",
        /// The frame is one segment of several: nothing of it may be taken for the whole.
        Segment = "segment",
        /// The stamp is of UTC, and the frame does not say how far the device's place is from it.
        TimeIsUtc = "time-is-utc",
        /// The stamp counts ticks of a clock that knows no date.
        TickCounter = "tick-counter",
        /// The stamp is of a time before the device's clock was last set.
        OtherTimeline = "other-timeline",
        /// A member of a bundle is of another time than the members before it; it is not charted.
        MemberOfAnotherTime = "member-of-another-time",
        /// The device asks for its clock to be set.
        ClockNeedsSetting = "clock-needs-setting",
        /// The insulin pump has no reservoir.
        NoReservoir = "no-reservoir",
    }
}

words! {
    /// A quantity that is shown at most, never charted.
    Quantity {
        /// The cuff while it inflates or deflates.
        CuffPressure = "cuff-pressure",
        /// Energy expended since the last reset.
        EnergyExpended = "energy-expended",
        /// Battery charge.
        BatteryLevel = "battery-level",
        /// Rate of change of glucose.
        GlucoseTrend = "glucose-trend",
        /// Quality of a glucose value, by the sensor's own judgement.
        GlucoseQuality = "glucose-quality",
        /// Time since a sensor's session began.
        SessionTime = "session-time",
        /// Speed.
        Speed = "speed",
        /// Steps per minute.
        Cadence = "cadence",
        /// Length of a stride.
        StrideLength = "stride-length",
        /// Distance since the sensor was reset.
        Distance = "distance",
        /// Carbohydrate eaten.
        Carbohydrate = "carbohydrate",
        /// Duration of exercise.
        ExerciseDuration = "exercise-duration",
        /// Intensity of exercise.
        ExerciseIntensity = "exercise-intensity",
        /// Dose of a medication.
        MedicationDose = "medication-dose",
        /// Glycated haemoglobin, as entered into the meter.
        Hba1c = "hba1c",
        /// Energy spent at rest per day.
        BasalMetabolism = "basal-metabolism",
        /// Part of the body that is muscle.
        MusclePercentage = "muscle-percentage",
        /// Mass of muscle.
        MuscleMass = "muscle-mass",
        /// Electrical impedance of the body.
        Impedance = "impedance",
        /// Of the air around the sensor, never of a body.
        RoomTemperature = "room-temperature",
        /// Of the air around the sensor.
        RoomHumidity = "room-humidity",
        /// Of the air around the sensor, never in a vessel.
        RoomPressure = "room-pressure",
        /// Insulin left in a pump.
        InsulinReservoir = "insulin-reservoir",
        /// What local time is ahead of UTC, without daylight saving.
        TimeZone = "time-zone",
        /// What daylight saving adds.
        DaylightSaving = "daylight-saving",
        /// How long a sensor's session is expected to run.
        SessionRunTime = "session-run-time",
        /// Between two values of a sensor.
        CommunicationInterval = "communication-interval",
        /// The glucose value that a sensor was calibrated with.
        CalibrationGlucose = "calibration-glucose",
        /// When it was, from the start of the session.
        CalibrationTime = "calibration-time",
        /// When the next one is due, from the start of the session.
        NextCalibration = "next-calibration",
        /// The sensor's alert for this patient, high.
        PatientHighLevel = "patient-high-level",
        /// The sensor's alert for this patient, low.
        PatientLowLevel = "patient-low-level",
        /// The sensor's alert for hypoglycaemia.
        HypoLevel = "hypo-level",
        /// The sensor's alert for hyperglycaemia.
        HyperLevel = "hyper-level",
        /// The sensor's alert for glucose that falls.
        FallingLevel = "falling-level",
        /// The sensor's alert for glucose that rises.
        RisingLevel = "rising-level",
        /// How long a measurement took.
        MeasurementDuration = "measurement-duration",
        /// Since an activity session began.
        ActivityTime = "activity-time",
        /// How long an activity monitor was worn.
        WornDuration = "worn-duration",
    }
}

words! {
    /// What a plain number counts.
    Counter {
        /// Index of the user in the device.
        User = "user",
        /// Number of the record in the device.
        Sequence = "sequence",
        /// Records that match a request.
        Records = "records",
        /// Of an activity monitor.
        Session = "session",
        /// Of a session of an activity monitor.
        SubSession = "sub-session",
        /// Steps at a normal pace.
        WalkingSteps = "walking-steps",
        /// Steps at a brisk pace.
        IntensitySteps = "intensity-steps",
        /// Steps of stairs.
        FloorSteps = "floor-steps",
        /// MDC code of something observed that cannot be charted.
        Metric = "metric",
        /// MDC code of what was observed, where the observation is a choice or an occurrence.
        Finding = "finding",
        /// MDC code of a unit that is not known here, in its partition.
        UnitCode = "unit-code",
        /// Samples of a waveform.
        Samples = "samples",
        /// Number of a calibration in a sensor.
        CalibrationRecord = "calibration-record",
    }
}

words! {
    /// What a choice is about.
    Topic {
        /// Which meal was eaten.
        CarbohydrateSource = "carbohydrate-source",
        /// How the sample relates to a meal.
        Meal = "meal",
        /// Who tested.
        Tester = "tester",
        /// State of health.
        Health = "health",
        /// Kind of medication.
        Medication = "medication",
        /// Answer to a request for records.
        RecordAccess = "record-access",
        /// What a device can do.
        Feature = "feature",
        /// What has changed in an insulin pump.
        Changed = "changed",
        /// Whether an insulin pump gives insulin.
        TherapyControl = "therapy-control",
        /// What an insulin pump is doing.
        OperationalState = "operational-state",
        /// What a glucose sensor says of itself.
        SensorStatus = "sensor-status",
        /// Answer to a request to a glucose sensor.
        SensorControl = "sensor-control",
        /// What became of a calibration.
        Calibration = "calibration",
        /// What a glucose sensor measures in.
        SampleType = "sample-type",
        /// Where a glucose sensor measures.
        SampleLocation = "sample-location",
        /// Where a heart rate sensor is worn.
        SensorLocation = "sensor-location",
        /// Where a thermometer measures.
        TemperatureSite = "temperature-site",
        /// What local time is ahead of UTC, where it is no number.
        Zone = "time-zone",
        /// What daylight saving adds, where it is no number.
        Daylight = "daylight-saving",
        /// Who set the device's clock.
        TimeSource = "time-source",
        /// Between two values of a sensor, where it is no number.
        Interval = "communication-interval",
        /// What kind of observation it is that cannot be charted.
        ObservationClass = "observation-class",
    }
}

/// The word of a choice in a list that starts at 1; zero and what lies beyond are reserved.
pub(super) fn from_one(list: &[&'static str], number: u8) -> &'static str {
    let index = usize::from(number).checked_sub(1);
    index.and_then(|index| list.get(index).copied()).unwrap_or("reserved")
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

    /// A word is what other programs know an event by.
    #[test]
    fn each_word_is_one_thing_and_well_formed() {
        let notes: Vec<_> = Note::ALL.iter().map(|one| one.word()).collect();
        let quantities: Vec<_> = Quantity::ALL.iter().map(|one| one.word()).collect();
        let counters: Vec<_> = Counter::ALL.iter().map(|one| one.word()).collect();
        let topics: Vec<_> = Topic::ALL.iter().map(|one| one.word()).collect();
        for words in [notes, quantities, counters, topics] {
            for (index, word) in words.iter().enumerate() {
                assert!(!words[..index].contains(word), "{word} is there twice");
                let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                assert!(word.chars().all(fits), "{word}");
            }
        }
    }
}
