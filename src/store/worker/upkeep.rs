//! What the store's thread does when nobody asks it anything: packing trends, deleting what expired.
//!
//! One small step at a time, only while the vault is open, the inbox is imported and no command waits. When
//! nothing is left to do the thread sleeps as before.

use std::time::Duration;

use crate::vault::retention::{self, AgeMark};
use crate::worker::{Phase, Worker};
use wardkeep_model::moment::{BootTime, Moment};

/// Between two looks for something to do. Each packs what was recorded meanwhile, and a trend that is
/// asked for in between reads it row by row.
const EVERY: Duration = Duration::from_secs(120);

/// What is remembered between two steps; it outlives a lock.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    age: Option<AgeMark>,
    due: Option<BootTime>,
}

impl Worker {
    /// When there is something to do, if ever.
    pub(crate) fn upkeep_at(&self) -> Option<BootTime> {
        let Phase::Ready(store) = &self.phase else { return None };
        let ready = store.open.as_ref().is_some_and(|opened| opened.is_imported());
        (ready && self.fault.is_none()).then(|| self.upkeep.due.unwrap_or_default())
    }

    /// Does the next step if it is due.
    pub(crate) fn keep_up_some(&mut self) {
        let now = Moment::read();
        if self.upkeep_at().is_none_or(|at| at > now.boot) {
            return;
        }
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(opened) = &mut store.open else { return };
        let Upkeep { age, due } = &mut self.upkeep;
        match retention::keep_up(opened.vault(), age, now, &self.options.retention) {
            Ok(true) => *due = None,
            Ok(false) => *due = Some(now.boot + EVERY),
            Err(fault) => {
                *due = Some(now.boot + EVERY);
                self.faulted(fault.into());
            }
        }
    }

    /// The vault is open anew: there may be something to do.
    pub(crate) fn resume_upkeep(&mut self) {
        self.upkeep.due = None;
    }
}
