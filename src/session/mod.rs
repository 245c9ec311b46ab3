//! Operator session: who may see patient data on this screen, and for how long.
//!
//! The machine is pure. It reads no clock, opens no reader and touches no widget: the kiosk feeds it
//! an [`Event`] with the time it happened and performs every [`Effect`] it returns, in order.
//!
//! ```text
//!            .------------------ wrong PIN, shift over ------------------.
//!            v                                                           |
//!  Locked --token--> Partial --PIN of a card--> Proving --proof--> Unlocking --> Open
//!    |  ^               |                                            ^   |       ^
//!    |  |               '-- PIN of a badge, finger, or a tap alone --'   |       |
//!    |  |                                     one-time code: ChoosingPin-'-------'
//!    |  '-- lock, cancel, token taken away, too late, any fault: from every state
//!    '--asked for--> Emergency: token, reason, 15 minutes
//! ```
//!
//! S-1: patient data is visible only in `Open`, and of one patient in the last step of `Emergency`.
//! Anything unexpected lands in `Locked`.
//! Locking hides data; it never stops acquisition or alarms (S-2): this machine knows nothing of them.

pub mod emergency;
pub mod enrolment;
pub mod factor;
pub mod lockout;
mod machine;
pub mod naming;
pub mod policy;
pub mod setup;

pub use machine::{
    Choosing, Effect, Emergency, Event, FINGER_MISSES_MAX, IDLE_DEFAULT, PARTIAL_IDLE_MAX,
    PARTIAL_MAX, PLACED_AFTER, PROVING_MAX, Prompt, REPEAT_TAP_MAX, SESSION_MAX, Session, State,
    UNLOCKING_MAX, Watch,
};

use serde::{Deserialize, Serialize};

use crate::confidential::Phi;

/// Opaque, random identity of a person who may unlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperatorId(pub u128);

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees and assigns patients.
    Nurse,
    /// As a nurse, at home.
    Caregiver,
    /// Enrols people and devices.
    It,
    /// Reads the audit log.
    Auditor,
}

/// A person who may unlock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Opaque identity.
    pub id: OperatorId,
    /// Two or three letters for the operator chip.
    pub initials: String,
    /// Full name (personal data of staff: in the vault only).
    pub name: Phi<String>,
    /// What they may do.
    pub role: Role,
}
