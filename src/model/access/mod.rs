//! Who may log in, with which factors, and what they may then see and do. Data and tables; no state.

pub mod cards;
pub mod factor;
pub mod guessable;
pub mod lockout;
pub mod naming;
mod pair;
pub mod policy;
pub mod readers;
pub mod refusal;

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

impl Role {
    /// All, in the order of the form.
    pub const ALL: [Role; 4] = [Role::Nurse, Role::Caregiver, Role::It, Role::Auditor];
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
