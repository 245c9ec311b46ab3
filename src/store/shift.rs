//! Shift shares.

use super::worker::Worker;
use crate::session::factor::Token;

impl Worker {
    /// Counts a miss against the shift share of this token's owner.
    pub(super) fn finger_missed(&mut self, _token: &Token) {}
}
