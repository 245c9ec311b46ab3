//! Operator session: who may see patient data on this screen, and for how long.
//!
//! The machine is pure. It reads no clock, opens no reader and touches no widget: the kiosk feeds it
//! an [`Event`] with the time it happened and performs every [`Effect`] it returns, in order.
//!
//! ```text
//!  Locked --badge--> Partial --PIN--> Unlocking --both factors right--> Open
//!    ^  <--timeout, cancel, pulled--'    |  ^ `--wrong--> Partial         |
//!    '-------- no answer, pulled --------'  '                             |
//!    '---- lock, same badge after 3 s, idle, placed badge pulled ---------'
//! ```
//!
//! S-1: patient data is visible only in `Open`. Anything unexpected lands in `Locked`.
//! Locking hides data; it never stops acquisition or alarms (S-2): this machine knows nothing of them.

pub mod emergency;
pub mod factor;
pub mod lockout;
mod machine;
pub mod naming;
pub mod policy;
pub mod setup;

pub use machine::{
    Effect, Event, IDLE_DEFAULT, PARTIAL_IDLE_MAX, PLACED_AFTER, REPEAT_TAP_MAX, Session, State,
    UNLOCKING_MAX,
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
