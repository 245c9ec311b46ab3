//! What is said of a condition, before it is put into a language.

use std::time::Duration;

use wardkeep_model::vitals::parameter::Parameter;

use crate::alarms::condition::LifeSign;
use crate::inventory::Task;

/// How it stands with what was found wrong with the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It holds.
    Is,
    /// It is over, or back and not yet for good.
    Was,
    /// There is no value any more.
    ValueLost,
}

/// The condition named on the alarm strip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlarmText {
    /// A value crossed its lower limit.
    Low(Crossed),
    /// A value crossed its upper limit.
    High(Crossed),
    /// What a living patient has is gone.
    Gone(LifeSign, Standing),
    /// An assigned device is out of reach.
    LinkLost {
        /// Its name.
        device: String,
    },
    /// An assigned device was never linked.
    NeverLinked {
        /// Its name.
        device: String,
    },
    /// An assigned device gives no value.
    ValueLost {
        /// Its name.
        device: String,
        /// It says that its sensor is not on the patient.
        sensor_off: bool,
    },
    /// A device's battery is low.
    BatteryLow {
        /// Its name.
        device: String,
        /// Charge in percent.
        percent: u8,
    },
    /// Something has to be done about a device.
    Upkeep {
        /// Its name.
        device: String,
        /// What.
        task: Task,
    },
    /// The driver does not connect a device, or does not let go of it.
    CommandRefused {
        /// Its name.
        device: String,
    },
    /// An assignment runs out soon.
    AssignmentEnds {
        /// Its name.
        device: String,
        /// In so many minutes.
        minutes: u64,
    },
    /// An assignment ran out: the device's values are not filed any more.
    AssignmentEnded {
        /// Its name.
        device: String,
    },
    /// Alarms cannot be heard.
    NoSound,
    /// Somebody has turned the sound of the machine off, or down to nothing.
    SoundMuted,
    /// Observations are not being kept.
    NotRecording,
    /// Waveforms are not being kept, so that values have the room.
    NoWaveforms,
    /// Observations or events were lost.
    RecordsLost {
        /// How many; zero if nobody can know.
        count: u64,
    },
    /// Nothing was watched for a while.
    Unwatched {
        /// How long.
        length: Duration,
    },
    /// The wall clock was never set.
    ClockUnset,
    /// The store can be used again, so that monitoring without records has ended.
    WatchEnded,
    /// A badge or card lies in its reader and nobody has touched the screen for a while.
    TokenLeftBehind,
}

/// A value and the limit that it crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// Of what.
    pub parameter: Parameter,
    /// The last value that was beyond, as its digits.
    pub value: String,
    /// The limit, as its digits.
    pub limit: String,
    /// Whether it still is.
    pub standing: Standing,
}

impl AlarmText {
    /// The value that crossed a limit, if that is what it is.
    pub fn crossed(&self) -> Option<&Crossed> {
        if let AlarmText::Low(crossed) | AlarmText::High(crossed) = self {
            Some(crossed)
        } else {
            None
        }
    }
}
