//! What a person has typed into the patient form and not saved: handed to the store when their session
//! ends, which seals it to them alone (S-1: nothing of it stays here).

use wardkeep_model::encounter::PatientForm;
use wardkeep_model::keeping::Draft;

use crate::kiosk::Kiosk;
use crate::kiosk::held::Drafts;

impl Kiosk {
    /// Holds what the logged-in person typed last.
    pub(super) fn keep_draft(&mut self, form: PatientForm) {
        let operator = self.session.operator().map(|operator| operator.id);
        let is_empty = form == PatientForm::default();
        self.drafts.typed =
            operator.filter(|_| !is_empty).map(|operator| Box::new(Draft { operator, form }));
    }

    /// Takes up what the person had typed when their last session ended.
    pub(super) fn restore_draft(&mut self, draft: Option<Draft>) {
        self.drafts = Drafts { typed: draft.map(Box::new), shown: None };
    }

    /// A form is to be gone on with.
    pub(super) fn has_draft(&self) -> bool {
        self.drafts.typed.is_some()
    }

    /// The page with the form was opened.
    pub(super) fn show_draft(&mut self) {
        self.drafts.shown = self.drafts.typed.as_ref().map(|draft| draft.form.clone());
    }

    /// What the form is filled with.
    pub(super) fn shown_draft(&self) -> Option<&PatientForm> {
        self.drafts.shown.as_ref()
    }

    /// The form was saved or cancelled.
    pub(super) fn drop_draft(&mut self) {
        self.drafts = Drafts::default();
    }

    /// Gives up what is held.
    pub(super) fn take_draft(&mut self) -> Option<Box<Draft>> {
        std::mem::take(&mut self.drafts).typed
    }
}
