//! What the alarm strip says of a condition, before it is put into a language.

use wardkeep_model::vitals::parameter::Parameter;

/// The condition named on the alarm strip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlarmText {
    /// A value crossed its lower limit.
    Low {
        /// Which.
        parameter: Parameter,
        /// The value, as its digits.
        value: String,
        /// The limit, as its digits.
        limit: String,
    },
    /// A value crossed its upper limit.
    High {
        /// Which.
        parameter: Parameter,
        /// The value, as its digits.
        value: String,
        /// The limit, as its digits.
        limit: String,
    },
    /// An assigned device is out of reach.
    LinkLost {
        /// Its name.
        device: String,
    },
    /// An assigned device's sensor gives no value.
    NoValue {
        /// Its name.
        device: String,
    },
    /// A device's battery is low.
    BatteryLow {
        /// Its name.
        device: String,
        /// Charge in percent.
        percent: u8,
    },
    /// An assignment ran out: the device's values are not filed any more.
    AssignmentEnded {
        /// Its name.
        device: String,
    },
    /// Alarms cannot be heard.
    NoSound,
    /// Observations are not being kept.
    NotRecording,
    /// Waveforms are not being kept, so that values have the room.
    NoWaveforms,
    /// Observations or events were lost.
    RecordsLost {
        /// How many; zero if nobody can know.
        count: u64,
    },
    /// The store can be used again, so that monitoring without records has ended.
    WatchEnded,
    /// A badge or card lies in its reader and nobody has touched the screen for a while.
    TokenLeftBehind,
}
