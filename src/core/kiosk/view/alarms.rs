//! The alarms page and the limits page.
//!
//! S-1: without a session there are conditions and nobody's name, and nothing of the past.

use std::sync::Arc;
use std::time::Duration;

use wardkeep_model::alarm::{AlarmState, Kind, LimitReason, Priority};
use wardkeep_model::confidential::Phi;
use wardkeep_model::vitals::parameter::{LimitKey, Parameter};

use crate::alarms::burden::Load;
use crate::alarms::limits::Side;
use crate::alarms::{AlarmText, Shown};
use crate::kiosk::view::time::TimeOfDay;

/// Every condition, and what was.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarms {
    /// The patient's first; of those the most urgent first.
    pub now: Vec<AlarmRow>,
    /// Of the last day; nothing for whoever does not see patients.
    pub past: Option<Past>,
}

/// A condition that is present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRow {
    /// What a touch of its button acknowledges.
    pub shown: Shown,
    /// What it is of.
    pub kind: Kind,
    /// How urgent.
    pub priority: Priority,
    /// What it says.
    pub text: AlarmText,
    /// Where in its life.
    pub state: AlarmState,
    /// Hour and minute of its onset, local.
    pub since: TimeOfDay,
    /// How long it has lasted.
    pub lasts: Duration,
    /// When somebody acknowledged it, and their initials, which are empty without a session.
    pub seen: Option<(TimeOfDay, String)>,
    /// Somebody else was called.
    pub escalated: bool,
}

/// The last day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// The store has not answered yet.
    pub loading: bool,
    /// Newest first.
    pub rows: Arc<[PastAlarm]>,
    /// How much it was.
    pub burden: BurdenView,
    /// Limits may be changed.
    pub can_change: bool,
}

/// A condition of the last day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAlarm {
    /// Which, as the log names it.
    pub id: String,
    /// Name of the device that it is of, as it is called now.
    pub device: Option<String>,
    /// What it is of.
    pub kind: Kind,
    /// How urgent it became.
    pub priority: Priority,
    /// The value that crossed its limit, and the limit.
    pub crossed: Option<Phi<(String, String)>>,
    /// Hour and minute of its begin, local.
    pub from: TimeOfDay,
    /// How long it lasted.
    pub length: Duration,
    /// It is not over.
    pub is_present: bool,
    /// Initials of who acknowledged it; nobody did where there is nothing.
    pub seen: Option<String>,
}

/// How much of it there was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BurdenView {
    /// About the patient, in the last day.
    pub whole: Load,
    /// In its last two hours.
    pub late: Load,
    /// Of each parameter that was ever wrong, and of the equipment.
    pub lines: Vec<BurdenOf>,
    /// The limit that was crossed most often, and where it stands now.
    pub noisiest: Option<(Parameter, Side, String)>,
    /// How long something about the patient waited for somebody at most.
    pub unanswered: Duration,
}

/// How much of it came from one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct BurdenOf {
    /// Which; the equipment has none.
    pub parameter: Option<Parameter>,
    /// In the last day.
    pub load: Load,
    /// Begin and end of each, as parts of the day.
    pub spans: Vec<(f32, f32)>,
}

/// Limits of the patient at this bed.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// In the order of the screen.
    pub rows: Vec<LimitRow>,
    /// Somebody has changed something that is not in force yet.
    pub is_drafted: bool,
    /// It is asked why.
    pub asks_why: bool,
    /// What would have sounded.
    pub rehearsal: RehearsalView,
    /// A value that limits can be suggested from is there.
    pub can_suggest: bool,
}

/// Limits of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRow {
    /// Which.
    pub key: LimitKey,
    /// What stands for it on the screen.
    pub parameter: Parameter,
    /// Its value now, with its unit; empty without one.
    pub now: Phi<String>,
    /// The lower limit.
    pub low: Option<Stepper>,
    /// The upper limit.
    pub high: Option<Stepper>,
    /// Who changed them last, when and why.
    pub changed: Option<Changed>,
}

/// One limit, as it is or is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stepper {
    /// Its digits.
    pub value: String,
    /// What is in force, where that is something else.
    pub in_force: Option<String>,
    /// From where to where it may go.
    pub range: String,
    /// What is usual on the ward.
    pub ward: String,
    /// It may be lower.
    pub can_less: bool,
    /// It may be higher.
    pub can_more: bool,
}

/// Who changed a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Their initials.
    pub by: String,
    /// Day and time, local.
    pub at: String,
    /// Why.
    pub why: LimitReason,
}

/// What would have sounded in the last day, with the limits in force and with those that are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RehearsalView {
    /// The store has not answered yet.
    pub loading: bool,
    /// Of each parameter that would have sounded: in force, wanted.
    pub lines: Vec<(Parameter, Load, Load)>,
    /// Together.
    pub whole: (Load, Load),
    /// What would have stayed silent, with its length.
    pub silent: Vec<Rehearsed>,
    /// What would have come later, with by how much.
    pub later: Vec<Rehearsed>,
}

/// One alarm that would have been another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsed {
    /// Hour and minute of its begin, local.
    pub at: TimeOfDay,
    /// Which.
    pub parameter: Parameter,
    /// The worst value, with its unit.
    pub value: Phi<String>,
    /// Its length, or how much later it would have come.
    pub length: Duration,
}
