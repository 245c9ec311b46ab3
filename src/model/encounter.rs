//! The patient at this bed, as the rest of the program names them.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::confidential::Phi;
use crate::untrusted;

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

impl Sex {
    /// All, in the order of the form.
    pub const ALL: [Sex; 4] = [Sex::Female, Sex::Male, Sex::Other, Sex::Unknown];
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
    /// Known allergies in free words, up to 200 characters; may be empty.
    #[serde(default)]
    pub allergies: Phi<String>,
}

/// The patient form as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientForm {
    /// Family name; required.
    pub family: Phi<String>,
    /// Given names; required.
    pub given: Phi<String>,
    /// Date of birth as `YYYY-MM-DD` or `DD.MM.YYYY`; may be empty.
    pub born: Phi<String>,
    /// Administrative sex.
    pub sex: Phi<Sex>,
    /// Patient number; may be empty.
    pub mrn: Phi<String>,
    /// Known allergies; may be empty.
    pub allergies: Phi<String>,
}

/// Most characters of a name.
const NAME_CHARS_MAX: usize = 80;
/// Most characters of a patient number.
const MRN_CHARS_MAX: usize = 40;
/// Most characters of the allergies.
const ALLERGIES_CHARS_MAX: usize = 200;

/// Why a patient form cannot be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// A name is missing, or a field is too long or holds characters that hide or reorder text.
    #[error("a name is missing or a field is too long")]
    Incomplete,
    /// The date of birth is no date, lies in the future or more than 130 years back.
    #[error("the date of birth is not possible")]
    BirthDate,
}

impl Patient {
    /// Accepts a form as typed.
    ///
    /// # Errors
    /// A required field is missing, a field too long, or the date of birth impossible.
    pub fn from_form(id: SubjectId, form: &PatientForm, today: Date) -> Result<Self, FormError> {
        let family = field(&form.family, NAME_CHARS_MAX).filter(|text| !text.is_empty());
        let given = field(&form.given, NAME_CHARS_MAX).filter(|text| !text.is_empty());
        let mrn = field(&form.mrn, MRN_CHARS_MAX);
        let allergies = field(&form.allergies, ALLERGIES_CHARS_MAX);
        let (Some(family), Some(given), Some(mrn), Some(allergies)) =
            (family, given, mrn, allergies)
        else {
            return Err(FormError::Incomplete);
        };
        let born = match form.born.reveal().trim() {
            "" => None,
            text => Some(birth_date(text, today).ok_or(FormError::BirthDate)?),
        };
        Ok(Self {
            id,
            family: Phi::new(family),
            given: Phi::new(given),
            born: Phi::new(born),
            sex: form.sex.clone(),
            mrn: Phi::new(mrn),
            allergies: Phi::new(allergies),
        })
    }

    /// Age in whole years.
    pub fn age_years(&self, today: Date) -> Option<i16> {
        let born = (*self.born.reveal())?;
        let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
        Some(today.year() - born.year() - i16::from(!had_birthday))
    }
}

fn field(typed: &Phi<String>, chars_max: usize) -> Option<String> {
    untrusted::named(typed.reveal(), chars_max)
}

fn birth_date(text: &str, today: Date) -> Option<Date> {
    let date = day(text)?;
    (date <= today && today.year() - date.year() <= 130).then_some(date)
}

/// A day as people type it: `YYYY-MM-DD` or `DD.MM.YYYY`.
pub fn day(text: &str) -> Option<Date> {
    let dotted = || {
        let mut parts = text.split('.').map(|part| part.trim().parse::<i16>().ok());
        let (day, month, year) = (parts.next()??, parts.next()??, parts.next()??);
        let (day, month) = (i8::try_from(day).ok()?, i8::try_from(month).ok()?);
        if parts.next().is_some() { None } else { Date::new(year, month, day).ok() }
    };
    text.parse::<Date>().ok().or_else(dotted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(family: &str, born: &str) -> PatientForm {
        PatientForm {
            family: Phi::new(family.to_owned()),
            given: Phi::new("Mae".to_owned()),
            born: Phi::new(born.to_owned()),
            sex: Phi::new(Sex::Female),
            mrn: Phi::default(),
            allergies: Phi::default(),
        }
    }

    #[test]
    fn forms_are_accepted_or_refused_by_field() {
        let today: Date = "2026-11-22".parse().expect("a date");
        for (family, born, expected) in [
            ("Brandt", "", Ok(None)),
            (" Brandt ", "1944-03-02", Ok(Some(82))),
            ("Brandt", "02.03.1944", Ok(Some(82))),
            ("Brandt", "22.11.2026", Ok(Some(0))),
            ("Brandt", "23.11.1944", Ok(Some(81))),
            ("Brandt", "2027-01-01", Err(FormError::BirthDate)),
            ("Brandt", "31.02.1990", Err(FormError::BirthDate)),
            ("Brandt", "1.2.3.4", Err(FormError::BirthDate)),
            ("Brandt", "99999.1.1", Err(FormError::BirthDate)),
            ("", "", Err(FormError::Incomplete)),
            ("Bra\u{7}ndt", "", Err(FormError::Incomplete)),
            ("\u{202E}tdnarB", "", Err(FormError::Incomplete)),
        ] {
            let patient = Patient::from_form(SubjectId(1), &form(family, born), today);
            assert_eq!(patient.map(|p| p.age_years(today)), expected, "{family} {born}");
        }
        let long = "x".repeat(81);
        let patient = Patient::from_form(SubjectId(1), &form(&long, ""), today);
        assert_eq!(patient.map(|p| p.id), Err(FormError::Incomplete));
    }
}
