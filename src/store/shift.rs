//! Shift shares.

use super::setup::Store;
use super::worker::Worker;
use crate::session::OperatorId;
use crate::session::factor::Token;

impl Store {
    /// Ends a person's shift: after a revocation, a new PIN, or a taken finger.
    pub(super) fn end_shift(&mut self, _operator: OperatorId) {}
}

impl Worker {
    /// Counts a miss against the shift share of this token's owner.
    pub(super) fn finger_missed(&mut self, _token: &Token) {}
}
