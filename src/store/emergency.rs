//! The emergency card.

use super::worker::Worker;
use super::{Attempt, EmergencyRefusal, Outcome};
use crate::moment::Moment;
use crate::session::emergency::EmergencyReason;
use crate::session::factor::Token;

impl Worker {
    /// Opens the emergency card with one enrolled token.
    pub(super) fn open_emergency(
        &mut self,
        attempt: Attempt,
        (_token, _reason): (&Token, EmergencyReason),
        _now: Moment,
    ) {
        self.answer(Outcome::Emergency(attempt, Err(EmergencyRefusal::Off)));
    }

    /// Writes the emergency card anew from the open vault, or removes it.
    pub(super) fn renew_emergency_card(&mut self, _now: Moment) {}
}
