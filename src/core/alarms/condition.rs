//! What can be wrong: the identity of a condition, and what follows from it.

use wardkeep_model::alarm::Kind;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::parameter::Parameter;

use crate::alarms::limits::Side;

/// Identity of a condition: the same one cannot be present twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// A parameter is below its limit.
    Low(Parameter),
    /// A parameter is above its limit.
    High(Parameter),
    /// What a living patient has is gone.
    Gone(LifeSign),
    /// An assigned device is out of reach.
    LinkLost(DeviceId),
    /// An assigned device was never linked since it was assigned.
    NeverLinked(DeviceId),
    /// An assigned device gives no value.
    ValueLost(DeviceId),
    /// A device's battery is low.
    Battery(DeviceId),
    /// Something has to be done about a device.
    Upkeep(DeviceId),
    /// A driver does not take what it was told to do.
    CommandRefused(DeviceId),
    /// Alarms cannot be heard.
    NoSound,
    /// An assignment runs out soon.
    AssignmentEnds(DeviceId),
    /// An assignment ran out.
    AssignmentEnded(DeviceId),
    /// Observations are not being kept.
    NotRecording,
    /// Waveforms are not being kept.
    NoWaveforms,
    /// Observations or events were lost.
    RecordsLost,
    /// Nothing was watched for a while.
    Unwatched,
    /// The wall clock was never set.
    ClockUnset,
    /// Monitoring without records has ended by itself.
    WatchEnded,
    /// A badge or card lies in its reader and nobody is there.
    TokenLeftBehind,
}

/// What a living patient has, and what is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LifeSign {
    /// An oximeter on the patient sees a pulse, and its wave is not flat.
    Pulse,
    /// Breathing is measured, and there is some.
    Breath,
}

/// What a condition is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// One end of a parameter.
    Limit(Parameter, Side),
    /// What a living patient has.
    Life(LifeSign),
    /// A device.
    Device(DeviceId),
    /// The cart.
    Cart,
}

impl Condition {
    /// What it is of.
    pub(super) fn origin(self) -> Origin {
        match self {
            Self::Low(parameter) => Origin::Limit(parameter, Side::Low),
            Self::High(parameter) => Origin::Limit(parameter, Side::High),
            Self::Gone(sign) => Origin::Life(sign),
            Self::LinkLost(device)
            | Self::NeverLinked(device)
            | Self::ValueLost(device)
            | Self::Battery(device)
            | Self::Upkeep(device)
            | Self::CommandRefused(device)
            | Self::AssignmentEnds(device)
            | Self::AssignmentEnded(device) => Origin::Device(device),
            Self::NoSound
            | Self::NotRecording
            | Self::NoWaveforms
            | Self::RecordsLost
            | Self::Unwatched
            | Self::ClockUnset
            | Self::WatchEnded
            | Self::TokenLeftBehind => Origin::Cart,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Low(_) => "low",
            Self::High(_) => "high",
            Self::Gone(LifeSign::Pulse) => "no-pulse",
            Self::Gone(LifeSign::Breath) => "apnoea",
            Self::LinkLost(_) => "link-lost",
            Self::NeverLinked(_) => "never-linked",
            Self::ValueLost(_) => "value-lost",
            Self::Battery(_) => "battery",
            Self::Upkeep(_) => "upkeep",
            Self::CommandRefused(_) => "command-refused",
            Self::AssignmentEnds(_) => "assignment-ends",
            Self::AssignmentEnded(_) => "assignment-ended",
            Self::NoSound => "no-sound",
            Self::NotRecording => "not-recording",
            Self::NoWaveforms => "no-waveforms",
            Self::RecordsLost => "records-lost",
            Self::Unwatched => "unwatched",
            Self::ClockUnset => "clock-unset",
            Self::WatchEnded => "watch-ended",
            Self::TokenLeftBehind => "token-left-behind",
        }
    }

    /// Whether the patient is concerned, or what monitors them.
    pub fn kind(self) -> Kind {
        match self.origin() {
            Origin::Limit(..) | Origin::Life(_) => Kind::Physiological,
            Origin::Device(_) | Origin::Cart => Kind::Technical,
        }
    }

    /// The device that it is of.
    pub fn device(self) -> Option<DeviceId> {
        match self.origin() {
            Origin::Device(device) => Some(device),
            Origin::Limit(..) | Origin::Life(_) | Origin::Cart => None,
        }
    }

    /// Its name in logs and on the command line: `low:spo2`, `value-lost:NAME`.
    pub fn id(self, name: impl Fn(DeviceId) -> String) -> String {
        let word = self.word();
        match self.origin() {
            Origin::Limit(parameter, _) => format!("{word}:{}", parameter.row().name),
            Origin::Device(device) => format!("{word}:{}", name(device)),
            Origin::Life(_) | Origin::Cart => word.to_owned(),
        }
    }
}
