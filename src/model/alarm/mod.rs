//! What is said of alarms outside the machine that raises them: how urgent, what is to be heard, which limits
//! are in force, and what is kept of an alarm's life.

pub mod limits;
mod record;

pub use self::record::{AlarmChange, AlarmRecord, AlarmState, Happened, LimitReason};

use serde::{Deserialize, Serialize};

/// Alarm priority (IEC 60601-1-8). Ordered: low < medium < high.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// Cyan, one mark.
    Low,
    /// Yellow, two marks.
    Medium,
    /// Red, three marks.
    High,
}

impl Priority {
    /// Its word in logs and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Priority::Low => "low",
            Priority::Medium => "medium",
            Priority::High => "high",
        }
    }
}

/// What a condition is of (IEC 60601-1-8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The patient.
    Physiological,
    /// What monitors them.
    Technical,
}

/// An alarm signal for the ear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Which burst.
    pub priority: Priority,
    /// Counts onsets: a new number means that something began and has to be heard at once.
    pub onset: u64,
    /// One burst, which reminds of what was seen and is still there.
    pub is_reminder: bool,
}
