//! Unsaved forms, sealed to their writer.

use super::Draft;
use super::primitives::Key;
use super::worker::Worker;
use crate::session::OperatorId;

impl Worker {
    /// Seals what a person had typed and not saved to that person.
    pub(super) fn keep_draft(&mut self, _draft: Option<&Draft>) {}

    /// What this person, who has just opened the vault with their private key, had typed and not
    /// saved last time.
    pub(super) fn draft_of(&mut self, _operator: OperatorId, _private: &Key) -> Option<Draft> {
        None
    }
}
