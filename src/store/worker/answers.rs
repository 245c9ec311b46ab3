//! The way out: what the store answers and tells.

use tokio::sync::mpsc;

use crate::crypto::wipe_deep_stack;
use wardkeep_model::keeping::Outcome;

/// Gives outcomes to whoever holds the store.
pub struct Answers(mpsc::Sender<Outcome>);

impl Answers {
    /// Into this channel.
    pub fn to(outcomes: mpsc::Sender<Outcome>) -> Self {
        Self(outcomes)
    }

    /// Gives one.
    pub fn give(&self, outcome: Outcome) {
        // Whoever has the answer finds nothing of what it was made from.
        wipe_deep_stack();
        if self.0.blocking_send(outcome).is_err() {
            tracing::debug!("nobody receives the store's outcomes any more");
        }
    }
}
