//! What is said of a patient besides the name.

use slint::SharedString;

use wardkeep_core::kiosk::view::PatientBanner;
use wardkeep_model::encounter::Sex;

use crate::bridge::words::{Words, joined, tr};

/// A sex to choose.
pub(in crate::bridge) fn sex(words: &Words, sex: Sex) -> SharedString {
    words.say(match sex {
        Sex::Female => tr("Female"),
        Sex::Male => tr("Male"),
        Sex::Other => tr("Other"),
        Sex::Unknown => tr("Unknown"),
    })
}

/// Age, sex, date of birth and number, as far as they are known.
pub(in crate::bridge) fn facts(words: &Words, patient: &PatientBanner) -> SharedString {
    let sex = words.say(match patient.sex.reveal() {
        Sex::Female => tr("f"),
        Sex::Male => tr("m"),
        Sex::Other => tr("other"),
        Sex::Unknown => tr("sex unknown"),
    });
    let years = patient.age_years.as_ref().map(|years| years.reveal().to_string());
    let years = years.map(|years| words.fill(tr("{} y"), &[&years])).unwrap_or_default();
    let born = patient.born.as_ref().map(|born| born.reveal().into()).unwrap_or_default();
    let number = match patient.mrn.reveal().as_str() {
        "" => SharedString::default(),
        number => words.fill(tr("ID {}"), &[number]),
    };
    joined(&[years, sex, born, number])
}
