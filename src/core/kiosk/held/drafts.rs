//! What a person has typed into the patient form and not saved.

use wardkeep_model::encounter::PatientForm;
use wardkeep_model::keeping::Draft;

/// A patient form under way.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    /// As typed last.
    pub(crate) typed: Option<Box<Draft>>,
    /// As it was when the page was opened: the screen fills its form with it once.
    pub(crate) shown: Option<PatientForm>,
}
