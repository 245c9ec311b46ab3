//! Room on the disk: what is given up, and in what order, as it runs out.
//!
//! ```text
//!  enough room        everything is recorded; a reserve file is held back
//!  short of room      waveforms are not taken any more                    Space(NoWaveforms)
//!  none left          the reserve is released to values, and waveforms that lie in the inbox are
//!                     given up, oldest first
//!  none left again    values stop: they wait in memory as far as they fit Space(Full), Fault(Full)
//! ```
//!
//! It is looked at with every flush, and every second while room is short, so recording goes on by
//! itself as soon as there is room, and the reserve is made anew.
//!
//! S-8, S-11: what is given up is counted, told and audited as a finding before it is deleted; values
//! that do not fit are counted as lost.

use std::path::Path;

use jiff::Timestamp;

use crate::disk::durable;
use crate::disk::layout::RESERVE;
use crate::inbox::segment::Lane;
use crate::inbox::{GivenUp, Inbox};
use crate::open::locked::Locked;
use crate::record::entry::Entry;
use crate::worker::answers::Answers;
use wardkeep_model::keeping::{
    AuditAct, AuditEntry, Finding, FindingKind, Outcome, Space, StoreFault,
};
use wardkeep_model::moment::Moment;

const MIB: u64 = 1024 * 1024;

/// How much room there has to be, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    /// Below this waveforms are not taken.
    waves_min: u64,
    /// From here on they are taken again.
    enough: u64,
    /// What is held back for values.
    reserve: u64,
}

impl Limits {
    /// Of a file system of so many bytes.
    fn of(total: u64) -> Self {
        let waves_min = (total / 16).min(64 * MIB);
        let reserve = (total / 64).min(4 * MIB);
        Self { waves_min, enough: waves_min + waves_min / 4 + reserve, reserve }
    }

    fn judge(self, free: u64, before: Space, waves_fit: bool) -> Space {
        let is_short = free < self.waves_min || !waves_fit;
        let is_back = free >= self.enough;
        match before {
            Space::Enough if !is_short => Space::Enough,
            Space::NoWaveforms | Space::Full if is_back && waves_fit => Space::Enough,
            Space::Enough | Space::NoWaveforms | Space::Full => Space::NoWaveforms,
        }
    }
}

/// What is known about the room.
#[derive(Default)]
pub struct Room {
    space: Space,
    /// The last flush found no room for waveforms.
    waves_stuck: bool,
    /// The reserve was released since the last look.
    released: bool,
    refused: Option<(u64, Timestamp, Timestamp)>,
    /// Waveforms whose end is on record, or soon will be, and that are still there.
    given_up: Option<GivenUp>,
}

impl Room {
    /// Whether there is no room for this entry by policy; then it is counted.
    pub(super) fn is_refused(&mut self, entry: &Entry, now: Timestamp) -> bool {
        if Lane::of(entry) != Lane::Waves || self.space == Space::Enough {
            return false;
        }
        let (count, since, _) = self.refused.unwrap_or((0, now, now));
        self.refused = Some((count + 1, since, now));
        true
    }

    /// Writes waveforms that wait; where there is no room for them everything else goes on.
    ///
    /// # Errors
    /// As writing a file, but for the lack of room.
    pub(super) fn flush_waves(&mut self, inbox: &mut Inbox, now: Moment) -> Result<(), StoreFault> {
        let flushed = inbox.flush(Lane::Waves, now);
        self.waves_stuck = flushed == Err(StoreFault::Full);
        if self.waves_stuck { Ok(()) } else { flushed }
    }

    /// Releases the reserve to values; false if there is none.
    pub(super) fn release_reserve(&mut self, inbox: &Inbox) -> bool {
        let path = inbox.dir().join(RESERVE);
        let released = path.exists() && durable::remove(&path).is_ok();
        self.released |= released;
        released
    }

    /// Looks at the room, after a flush that found none left for values if `is_full`, and tells what has
    /// changed; `None` if nothing is known.
    pub fn look(&mut self, inbox: &mut Inbox, is_full: bool, answers: &Answers) -> Option<Space> {
        let dir = inbox.dir().to_owned();
        let (free, limits) = match room(&dir) {
            Ok(room) => room,
            Err(fault) => {
                tracing::warn!(%fault, "the room on the disk is not known");
                return None;
            }
        };
        let space =
            if is_full { Space::Full } else { limits.judge(free, self.space, !self.waves_stuck) };
        if space == Space::Enough && !dir.join(RESERVE).exists() {
            hold_back(&dir, limits.reserve);
        }
        if space != self.space {
            self.space = space;
            inbox.end_waves();
            tracing::warn!(?space, "room on the disk");
            answers.give(Outcome::Space(space));
        }
        Some(space)
    }

    /// Whether the reserve was released since this was asked last.
    pub(super) fn take_released(&mut self) -> bool {
        std::mem::take(&mut self.released)
    }

    /// How many waveforms were not taken, to be told and audited; `None` if none.
    pub(super) fn take_refused(&mut self) -> Option<Finding> {
        let (count, since, until) = self.refused.take()?;
        let span = Some((since.min(until), since.max(until)));
        Some(Finding { span, ..Finding::of(FindingKind::WaveformsGivenUp, count) })
    }

    /// Gives up the oldest waveforms where the inbox is near its bound, or in an emergency. They are
    /// deleted once the entry that says so is durable.
    ///
    /// # Errors
    /// As writing the inbox; what could not be done is done the next time.
    pub(super) fn give_up_waves(
        &mut self,
        locked: &mut Locked,
        (is_emergency, now): (bool, Moment),
        answers: &Answers,
    ) -> Result<(), StoreFault> {
        let mut told = None;
        if self.given_up.is_none() {
            let Some(given_up) = locked.inbox().to_give_up(is_emergency)? else { return Ok(()) };
            let finding = Some(given_up.finding);
            let entry = AuditEntry { finding, ..AuditEntry::of(AuditAct::StoreFinding, now.wall) };
            locked.seal(&Entry::Audit(Box::new(entry)), now)?;
            self.given_up = Some(given_up);
            told = finding;
        }
        let flushed = locked.inbox_mut().flush(Lane::Values, now);
        if let Some(finding) = told {
            answers.give(Outcome::Findings(vec![finding]));
        }
        flushed?;
        match self.given_up.take() {
            Some(given_up) => locked.inbox_mut().delete(given_up),
            None => Ok(()),
        }
    }
}

fn room(dir: &Path) -> Result<(u64, Limits), StoreFault> {
    let facts = rustix::fs::statvfs(dir).map_err(std::io::Error::from)?;
    let bytes = |blocks: u64| blocks.saturating_mul(facts.f_frsize);
    Ok((bytes(facts.f_bavail), Limits::of(bytes(facts.f_blocks))))
}

fn hold_back(dir: &Path, len: u64) {
    let path = dir.join(RESERVE);
    let made = durable::create_new(&path)
        .and_then(|file| durable::allocate(&file, len))
        .and_then(|()| durable::sync_dir(dir));
    if let Err(fault) = made {
        tracing::warn!(%fault, "no reserve could be held back");
        if let Err(fault) = durable::remove(&path) {
            tracing::warn!(%fault, "half a reserve could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waveforms_stop_early_and_come_back_late() {
        let limits = Limits::of(1024 * 1024 * MIB);
        let (min, enough) = (limits.waves_min, limits.enough);
        assert_eq!((min, limits.reserve, enough), (64 * MIB, 4 * MIB, 84 * MIB));
        for (free, before, fit, after) in [
            (enough, Space::Enough, true, Space::Enough),
            (min, Space::Enough, true, Space::Enough),
            (min - 1, Space::Enough, true, Space::NoWaveforms),
            (enough, Space::Enough, false, Space::NoWaveforms),
            (enough - 1, Space::NoWaveforms, true, Space::NoWaveforms),
            (enough, Space::NoWaveforms, true, Space::Enough),
            (enough, Space::NoWaveforms, false, Space::NoWaveforms),
            (min, Space::Full, true, Space::NoWaveforms),
            (enough, Space::Full, true, Space::Enough),
            (0, Space::Full, true, Space::NoWaveforms),
        ] {
            assert_eq!(limits.judge(free, before, fit), after, "{free} {before:?} {fit}");
        }
        assert!(Limits::of(4 * MIB).reserve >= 64 * 1024);
    }
}
