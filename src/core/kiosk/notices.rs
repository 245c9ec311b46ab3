//! The sentence for the operator: one at a time, for a while.

use std::time::Duration;

use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::notice::Notice;

/// How long a notice stays on the screen.
const NOTICE_MAX: Duration = Duration::from_secs(12);

/// What is told now.
#[derive(Default)]
pub(super) struct Notices {
    told: Option<(Notice, BootTime)>,
}

impl Notices {
    pub(super) fn tell(&mut self, now: Moment, notice: Notice) {
        self.told = Some((notice, now.boot + NOTICE_MAX));
    }

    /// What was told is over.
    pub(super) fn clear(&mut self) {
        self.told = None;
    }

    pub(super) fn expire(&mut self, now: Moment) {
        self.told.take_if(|(_, until)| now.boot >= *until);
    }

    pub(super) fn current(&self) -> Option<Notice> {
        self.told.map(|(notice, _)| notice)
    }

    pub(super) fn deadline(&self) -> Option<BootTime> {
        self.told.map(|(_, until)| until)
    }
}
