//! What the store's thread does when nobody asks it anything: packing trends, deleting what expired.
//!
//! One small step at a time, only while the vault is open, the inbox is imported and no command waits. When
//! nothing is left to do the thread sleeps as before. No trend waits for it; one that could not have every row that
//! an earlier program left is answered again when it can.

use std::time::Duration;

use crate::open::opened::Open;
use crate::vault::retention::{self, AgeMark};
use crate::vault::trends;
use wardkeep_model::keeping::{Retention, StoreFault, TrendQuery};
use wardkeep_model::moment::{BootTime, Moment};

/// Between two looks for something to do. Each packs what was recorded meanwhile.
const EVERY: Duration = Duration::from_secs(120);

/// Trends that are answered again; of more, the oldest are not wanted any more.
const AGAIN_MAX: usize = 16;

/// What is remembered between two steps; it outlives a lock.
#[derive(Debug, Default)]
pub struct Upkeep {
    age: Option<AgeMark>,
    due: Option<BootTime>,
    /// Trends that did not have every row yet.
    again: Vec<TrendQuery>,
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
        self.again.clear();
    }

    /// A trend did not have every row.
    pub fn answer_again(&mut self, query: TrendQuery) {
        self.again.retain(|other| *other != query);
        if self.again.len() >= AGAIN_MAX {
            self.again.remove(0);
        }
        self.again.push(query);
    }

    /// The trends that did not have every row, once that is otherwise.
    ///
    /// # Errors
    /// As reading the vault.
    pub fn take_again(&mut self, open: &Open) -> Result<Vec<TrendQuery>, StoreFault> {
        if self.again.is_empty() || trends::has_unread(open.vault())? {
            return Ok(Vec::new());
        }
        Ok(std::mem::take(&mut self.again))
    }
}
