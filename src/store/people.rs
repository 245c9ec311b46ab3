//! Managing people and their factors in the open vault.

use super::worker::Worker;
use super::{Administration, AdministrationFault, Attempt, Outcome};
use crate::moment::Moment;

impl Worker {
    /// Does what IT or an auditor asks, if their role allows it.
    pub(super) fn administer(&mut self, attempt: Attempt, _what: Administration, _now: Moment) {
        self.answer(Outcome::Administered(attempt, Err(AdministrationFault::NotAllowed)));
    }
}
