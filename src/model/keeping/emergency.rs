//! Emergency view: one enrolled factor, a reason, and what the emergency card holds about the patient
//! at this bed, for a quarter of an hour.
//!
//! The price is stated openly: whoever has one enrolled badge can see one patient. It is loud, bounded
//! to this bed, audited, and a site can switch it off.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::confidential::Phi;
use crate::encounter::Patient;
use crate::vitals::decimal::Decimal;
use crate::vitals::nomenclature::{Mdc, Unit};

/// How long an emergency view stays open.
pub const EMERGENCY_MAX: Duration = Duration::from_secs(15 * 60);
/// How far back its numerics reach.
pub const NUMERICS_MAX: Duration = Duration::from_secs(4 * 3600);

/// Why somebody opened the emergency view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmergencyReason {
    /// Resuscitation, or a life-threatening change.
    LifeThreatening,
    /// The second factor does not work: PIN forgotten, reader broken.
    FactorFailed,
    /// Nobody who may log in can be reached.
    NobodyAvailable,
}

impl EmergencyReason {
    /// All, in the order of the screen.
    pub const ALL: [EmergencyReason; 3] = [
        EmergencyReason::LifeThreatening,
        EmergencyReason::FactorFailed,
        EmergencyReason::NobodyAvailable,
    ];
}

/// One past value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastNumeric {
    /// What.
    pub mdc: Mdc,
    /// The digits as the device sent them.
    pub value: Phi<Decimal>,
    /// In this unit.
    pub unit: Unit,
    /// When.
    pub at: Timestamp,
}

/// The emergency card: what the last lock left of the patient at this bed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyCard {
    /// Identity and allergies.
    pub patient: Patient,
    /// Numerics of the last four hours before the lock, oldest first, thinned to one a minute.
    pub numerics: Vec<PastNumeric>,
    /// When the card was written.
    pub written: Timestamp,
}
