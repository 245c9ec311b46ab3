//! What the store's thread does when nobody asks it anything: packing trends, deleting what expired.
//!
//! One small step at a time, only while the vault is open, the inbox is imported and no command waits. When
//! nothing is left to do the thread sleeps as before.

use std::time::Duration;

use crate::open::opened::Open;
use crate::vault::retention::{self, AgeMark};
use wardkeep_model::keeping::{Retention, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

/// Between two looks for something to do. Each packs what was recorded meanwhile, and a trend that is
/// asked for in between reads it row by row.
const EVERY: Duration = Duration::from_secs(120);

/// What is remembered between two steps; it outlives a lock.
#[derive(Debug, Default)]
pub struct Upkeep {
    age: Option<AgeMark>,
    due: Option<BootTime>,
}

impl Upkeep {
    /// When there is something to do.
    pub fn due(&self) -> BootTime {
        self.due.unwrap_or_default()
    }

    /// Does the next step.
    ///
    /// # Errors
    /// As writing the vault; it is tried again later.
    pub fn step(
        &mut self,
        open: &mut Open,
        retention: &Retention,
        now: Moment,
    ) -> Result<(), StoreFault> {
        let done = retention::keep_up(open.vault_mut(), &mut self.age, now, retention);
        self.due = match done {
            Ok(true) => None,
            Ok(false) | Err(_) => Some(now.boot + EVERY),
        };
        Ok(done.map(drop)?)
    }

    /// The vault is open anew: there may be something to do.
    pub fn resume(&mut self) {
        self.due = None;
    }
}
