//! The store as the core knows it: what it found wrong, how far it has come, what is gone.

use std::time::Duration;

use wardkeep_model::keeping::{Import, Space, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

use crate::kiosk::view::records::{FindingNotice, TakingOver};

/// An import that ends within this shows no progress.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// What is known of the store.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// It does not work.
    pub(crate) fault: Option<StoreFault>,
    /// It could not be opened at start, while its cart compartment was; and when it is tried again.
    pub(crate) broken: Option<(StoreFault, BootTime)>,
    pub(crate) space: Space,
    /// The import after an unlock, and when it was heard of first.
    import: Option<(Import, BootTime)>,
    /// What nobody has read yet, at most one of each group.
    found: Vec<FindingNotice>,
    /// Records and events that are gone.
    pub(crate) lost: u64,
    /// So are others that nobody can count.
    pub(crate) uncounted: bool,
    /// Monitoring without records ended because the store can be used again.
    pub(crate) watch_ended: bool,
}

impl Records {
    /// So many are gone.
    pub(crate) fn lose(&mut self, count: u64) {
        self.lost = self.lost.saturating_add(count);
    }

    /// Somebody has seen what is gone; it stays in the audit log.
    pub(crate) fn acknowledge(&mut self) {
        (self.lost, self.uncounted, self.watch_ended) = (0, false, false);
    }

    /// The session ended: whoever comes next sees no progress of another's import.
    pub(crate) fn conceal(&mut self) {
        self.import = None;
    }

    /// When the store is to be tried again, or progress begins to be shown.
    pub(crate) fn next_deadline(&self, now: BootTime) -> Option<BootTime> {
        let retry = self.broken.map(|(_, at)| at);
        let shown = self.import.map(|(_, since)| since + SHOWN_AFTER).filter(|at| *at > now);
        retry.into_iter().chain(shown).min()
    }

    pub(crate) fn watch_ended(&mut self) {
        self.watch_ended = true;
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    pub(crate) fn fault(&mut self, fault: Option<StoreFault>) {
        self.fault = fault;
    }

    pub(crate) fn space(&mut self, space: Space) {
        self.space = space;
    }

    pub(crate) fn import(&mut self, now: Moment, import: Option<Import>) {
        let since = self.import.map_or(now.boot, |(_, since)| since);
        self.import = import.map(|import| (import, since));
    }

    /// What was read; the next one comes up.
    pub(crate) fn dismiss(&mut self) {
        if !self.found.is_empty() {
            self.found.remove(0);
        }
    }

    pub(crate) fn finding(&self) -> Option<FindingNotice> {
        self.found.first().copied()
    }

    pub(crate) fn taking_over(&self, now: BootTime) -> Option<TakingOver> {
        let (Import { imported, total }, since) = self.import?;
        let shown = now.since(since) >= SHOWN_AFTER && total > 0;
        shown.then_some(TakingOver { done: imported.min(total), total })
    }

    /// Joins what is of one group, so that a damaged disk is told in a few sentences.
    pub(crate) fn add(&mut self, notice: FindingNotice) {
        match self.found.iter_mut().find(|told| told.group == notice.group) {
            Some(told) => {
                told.count = told.count.saturating_add(notice.count);
                told.span = match (told.span, notice.span) {
                    (Some((from, to)), Some((since, until))) => {
                        Some((from.min(since), to.max(until)))
                    }
                    // What has no time may have been at any.
                    (None, _) | (_, None) => None,
                };
            }
            None => self.found.push(notice),
        }
    }
}
