//! What a person has typed and not saved: handed to the store when their session ends, which seals it
//! to them alone (S-1: nothing of it stays here).

use super::Kiosk;
use crate::bridge::intent::PatientForm;
use crate::store::Draft;

impl Kiosk {
    /// Holds what the logged-in person typed last.
    pub(super) fn keep_draft(&mut self, form: PatientForm) {
        let operator = self.session.operator().map(|operator| operator.id);
        self.draft = operator.map(|operator| Box::new(Draft { operator, form }));
    }

    /// Takes up what the person had typed when their last session ended.
    pub(super) fn restore_draft(&mut self, draft: Option<Draft>) {
        self.draft = draft.map(Box::new);
    }

    /// Gives up what is held.
    pub(super) fn take_draft(&mut self) -> Option<Box<Draft>> {
        self.draft.take()
    }
}
