//! What is kept of alarms: every change in a condition's life, every pause of the sound, every change of a
//! limit, and every stretch in which nobody watched.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::OperatorId;
use crate::alarm::limits::{AgeGroup, Limits};
use crate::alarm::{Kind, Priority};
use crate::confidential::Phi;
use crate::encounter::SubjectId;
use crate::moment::BootTime;
use crate::vitals::{DeviceId, RecordId};

/// Where a condition is in its life, after it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// It holds.
    Active,
    /// It held when the value was lost.
    ValueLost,
    /// It is over, and the site wants it seen.
    Latched,
}

impl AlarmState {
    /// Its word in logs and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            AlarmState::Active => "active",
            AlarmState::ValueLost => "value-lost",
            AlarmState::Latched => "latched",
        }
    }
}

/// What happened to a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmChange {
    /// It began.
    Began,
    /// It became more or less urgent.
    Became,
    /// Its value was lost, came back, or it is over and waits to be seen.
    Moved(AlarmState),
    /// Somebody has seen it.
    Acknowledged,
    /// Nobody has seen it for too long.
    Escalated,
    /// It is over.
    Ended,
}

impl AlarmChange {
    /// Its word in logs and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            AlarmChange::Began => "began",
            AlarmChange::Became => "became",
            AlarmChange::Moved(state) => state.word(),
            AlarmChange::Acknowledged => "acknowledged",
            AlarmChange::Escalated => "escalated",
            AlarmChange::Ended => "ended",
        }
    }
}

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happened {
    /// To a condition.
    Condition {
        /// Which, as a word and what it is of: `low:spo2`, `battery:C0:00:00:00:00:01`.
        id: String,
        /// What it is of.
        kind: Kind,
        /// What happened.
        change: AlarmChange,
        /// How urgent it is from then on.
        priority: Priority,
        /// The value that crossed its limit last, and the limit.
        crossed: Option<Phi<(String, String)>>,
    },
    /// The sound was paused for so long.
    Paused(Duration),
    /// The sound is back.
    Resumed,
    /// Nothing was watched for so long.
    Unwatched(Duration),
    /// These limits are in force from then on.
    Limits {
        /// Whose they are by age.
        group: AgeGroup,
        /// All of them.
        limits: Box<Limits>,
        /// Why they were changed; nothing where a rule did it.
        why: Option<LimitReason>,
    },
}

/// Why somebody changes a patient's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitReason {
    /// A doctor said so.
    Ordered,
    /// It is what this patient usually has.
    Usual,
    /// It is known, and is being treated.
    Treated,
    /// Something is done to the patient for a while.
    Procedure,
    /// Back to what is usual on the ward.
    Ward,
}

impl LimitReason {
    /// All of them, in the order of the screen.
    pub const ALL: [LimitReason; 5] = [
        LimitReason::Ordered,
        LimitReason::Usual,
        LimitReason::Treated,
        LimitReason::Procedure,
        LimitReason::Ward,
    ];
}

/// A line of the alarm log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRecord {
    /// Identity: alarm records of a run are counted by themselves.
    pub record: RecordId,
    /// When, on the wall clock.
    pub at: Timestamp,
    /// When, on the clock that nobody can set.
    pub since_boot: BootTime,
    /// Who was at this bed.
    pub subject: Option<SubjectId>,
    /// Who did it, if somebody did who was logged in.
    pub operator: Option<OperatorId>,
    /// Their initials; empty where nobody did it.
    #[serde(default)]
    pub initials: String,
    /// The device that it is of.
    pub device: Option<DeviceId>,
    /// What happened.
    pub happened: Happened,
}
