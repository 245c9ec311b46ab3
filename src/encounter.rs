//! The patient at this bed, as the rest of the program names them.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::confidential::Phi;

/// Opaque, random identity of a patient inside this store. Not derived from any personal data, so it
/// may stand in the cart compartment and in sealed records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubjectId(pub u128);

impl fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell two apart in a log, too little to link exports.
        write!(f, "subject-{:04x}", self.0 & 0xffff)
    }
}

/// Administrative sex as FHIR `administrative-gender` words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// FHIR `female`.
    Female,
    /// FHIR `male`.
    Male,
    /// FHIR `other`.
    Other,
    /// FHIR `unknown`.
    #[default]
    Unknown,
}

/// A patient as the banner and the chooser show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// Opaque identity.
    pub id: SubjectId,
    /// Family name, up to 80 characters.
    pub family: Phi<String>,
    /// Given names, up to 80 characters.
    pub given: Phi<String>,
    /// Date of birth, if known.
    pub born: Phi<Option<Date>>,
    /// Administrative sex.
    pub sex: Phi<Sex>,
    /// The hospital's patient number, up to 40 characters; may be empty at home.
    pub mrn: Phi<String>,
}
