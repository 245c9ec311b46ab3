//! What the store's thread does when nobody asks it anything: packing trends, deleting what expired.
//!
//! One small step at a time, only while the vault is open, the inbox is imported and no command waits. When
//! nothing is left to do the thread sleeps as before. Where many rows come at once they are packed between two
//! steps of the import as well, and a trend that is asked for meanwhile waits for that: recording does not.

use std::time::Duration;

use crate::open::opened::Open;
use crate::vault::retention::{self, AgeMark};
use crate::vault::trends;
use wardkeep_model::keeping::{Retention, StoreFault, TrendQuery};
use wardkeep_model::moment::{BootTime, Moment};

/// Between two looks for something to do. Each packs what was recorded meanwhile, and a trend that is
/// asked for in between reads it row by row.
const EVERY: Duration = Duration::from_secs(120);

/// Trends that wait; of more, the oldest are not wanted any more.
const POSTPONED_MAX: usize = 16;

/// What is remembered between two steps; it outlives a lock.
#[derive(Debug, Default)]
pub struct Upkeep {
    age: Option<AgeMark>,
    due: Option<BootTime>,
    /// Many rows wait to be packed.
    crowded: bool,
    /// Until then packing is not tried again after a fault.
    stuck_until: Option<BootTime>,
    /// Trends that wait for that.
    postponed: Vec<TrendQuery>,
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
        self.crowded = false;
        self.postponed.clear();
    }

    /// Looks whether many rows wait to be packed, after some were kept.
    ///
    /// # Errors
    /// As reading the vault.
    pub fn look(&mut self, open: &Open, now: Moment) -> Result<(), StoreFault> {
        let is_stuck = self.stuck_until.is_some_and(|until| now.boot < until);
        self.crowded = !is_stuck && trends::is_crowded(open.vault())?;
        Ok(())
    }

    /// Whether many rows wait to be packed.
    pub fn is_crowded(&self) -> bool {
        self.crowded
    }

    /// Packs some of them.
    ///
    /// # Errors
    /// As writing the vault; it is tried again later, and trends read rows until then.
    pub fn pack(&mut self, open: &mut Open, now: Moment) -> Result<(), StoreFault> {
        let packed = retention::pack_some(open.vault_mut(), &mut self.age, now);
        self.stuck_until = packed.is_err().then(|| now.boot + EVERY);
        self.look(open, now)?;
        Ok(packed?)
    }

    /// A trend waits until they are packed.
    pub fn postpone(&mut self, query: TrendQuery) {
        if self.postponed.len() >= POSTPONED_MAX {
            self.postponed.remove(0);
        }
        self.postponed.push(query);
    }

    /// The trends that wait, once they need not.
    pub fn take_postponed(&mut self) -> Vec<TrendQuery> {
        if self.crowded { Vec::new() } else { std::mem::take(&mut self.postponed) }
    }
}
