//! The store as the core knows it: whether there is one, whether it records, what it found wrong, how far
//! it has taken over what was sealed while locked.
//!
//! S-8: what is gone stays on the alarm strip until somebody acknowledges it, and what else was found
//! stays on the screen of whoever is logged in until somebody has read it. S-2: a store that does not
//! work never ends monitoring.

use std::time::Duration;

use wardkeep_model::alarm::Priority;
use wardkeep_model::keeping::{
    Command as StoreCommand, Finding, FindingKind, Import, OpenFinding, Rekeying, Space, StoreFault,
};
use wardkeep_model::moment::{BootTime, Moment};

use crate::alarms::{AlarmText, Condition, Fact};
use crate::kiosk::Effect;
use crate::kiosk::site::Surroundings;
use crate::kiosk::view::records::{FindingGroup, FindingNotice, TakingOver};
use crate::session::setup::Setup;

/// How often a store that could not be opened is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(5);
/// Another instance that is ending gives the store free within this.
const ENDING_MAX: Duration = Duration::from_secs(10);
/// An import that ends within this shows no progress.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// What the program waits for.
#[derive(Debug)]
pub(super) enum Phase {
    /// The store has not answered yet.
    Starting,
    /// There is no store yet.
    FirstStart(Setup),
    /// The normal state.
    Running,
    /// The store cannot be used; tried again at this time.
    Trouble(StoreFault, BootTime),
}

/// What is known of the store.
#[derive(Debug)]
pub(super) struct Clerk {
    pub(super) phase: Phase,
    /// It does not work.
    fault: Option<StoreFault>,
    /// It could not be opened at start, while its cart compartment was; and when it is tried again.
    broken: Option<(StoreFault, BootTime)>,
    space: Space,
    /// The import after an unlock, and when it was heard of first.
    import: Option<(Import, BootTime)>,
    /// The vault is written anew under other keys, and since when that is heard of.
    rekeying: Option<(Rekeying, BootTime)>,
    /// What nobody has read yet, at most one of each group.
    found: Vec<FindingNotice>,
    /// What was found and nobody has acknowledged, whoever has read it.
    open: Vec<OpenFinding>,
    /// Records and events that are gone.
    lost: u64,
    /// So are others that nobody can count.
    uncounted: bool,
    /// Monitoring without records ended because the store can be used again.
    watch_ended: bool,
}

impl Default for Clerk {
    fn default() -> Self {
        Self {
            phase: Phase::Starting,
            fault: None,
            broken: None,
            space: Space::default(),
            import: None,
            rekeying: None,
            found: vec![],
            open: vec![],
            lost: 0,
            uncounted: false,
            watch_ended: false,
        }
    }
}

impl Clerk {
    /// The store works, as far as anybody knows: people can log in.
    pub(super) fn is_usable(&self) -> bool {
        matches!(self.phase, Phase::Running) && self.broken.is_none()
    }

    /// It runs from the cart compartment alone.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Only a core that waits for a look at the directory takes it up: after the first start the wizard
    /// goes on, and a store that recovers finds the core running.
    pub(super) fn waits(&self) -> bool {
        match &self.phase {
            Phase::Starting | Phase::Trouble(..) => true,
            Phase::Running => self.is_broken(),
            Phase::FirstStart(_) => false,
        }
    }

    /// Why nobody can log in, if nobody can.
    pub(super) fn unusable(&self) -> Option<StoreFault> {
        match &self.phase {
            Phase::Trouble(fault, _) => Some(*fault),
            Phase::Running => self.broken.map(|(fault, _)| fault),
            Phase::Starting | Phase::FirstStart(_) => None,
        }
    }

    /// What is measured is recorded, whether or not what was stored can be opened.
    pub(super) fn records(&self) -> bool {
        matches!(self.phase, Phase::Running) && self.fault.is_none()
    }

    /// The store can be used.
    pub(super) fn opened(&mut self) {
        (self.phase, self.broken, self.fault) = (Phase::Running, None, None);
    }

    /// The store cannot be opened, but monitoring goes on from its cart compartment.
    pub(super) fn broke(&mut self, now: Moment, fault: StoreFault) {
        (self.phase, self.broken) = (Phase::Running, Some((fault, now.boot + RETRY_EVERY)));
    }

    /// There is no store any more, or none yet.
    pub(super) fn missing(&mut self) {
        self.phase = Phase::FirstStart(Setup::default());
        (self.broken, self.fault) = (None, None);
    }

    /// Nothing of the store can be used.
    pub(super) fn trouble(&mut self, now: Moment, fault: StoreFault) {
        self.phase = Phase::Trouble(fault, now.boot + RETRY_EVERY);
    }

    /// It does not work, or works again.
    pub(super) fn fault(&mut self, fault: Option<StoreFault>) {
        self.fault = fault;
    }

    pub(super) fn space(&mut self, space: Space) {
        self.space = space;
    }

    pub(super) fn import(&mut self, now: Moment, import: Option<Import>) {
        let since = self.import.map_or(now.boot, |(_, since)| since);
        self.import = import.map(|import| (import, since));
    }

    pub(super) fn rekeying(&mut self, now: Moment, far: Option<Rekeying>) {
        let since = self.rekeying.map_or(now.boot, |(_, since)| since);
        self.rekeying = far.map(|far| (far, since));
    }

    /// So many records are gone.
    pub(super) fn lose(&mut self, count: u64) {
        self.lost = self.lost.saturating_add(count);
    }

    /// Whoever was watched without records is not any more, which has to be seen.
    pub(super) fn watch_ended(&mut self) {
        self.watch_ended = true;
    }

    /// Somebody has seen this condition. What is gone stays in the audit log.
    pub(super) fn acknowledge(&mut self, condition: Condition) {
        if condition == Condition::RecordsLost {
            (self.lost, self.uncounted) = (0, false);
        } else if condition == Condition::WatchEnded {
            self.watch_ended = false;
        }
    }

    /// The session ended: whoever comes next sees no progress of what was done in another's.
    pub(super) fn conceal(&mut self) {
        (self.import, self.rekeying) = (None, None);
    }

    /// What was read; the next one comes up.
    pub(super) fn dismiss(&mut self) {
        if !self.found.is_empty() {
            self.found.remove(0);
        }
    }

    /// What nobody has acknowledged yet, as the store says.
    pub(super) fn still_open(&mut self, open: Vec<OpenFinding>) {
        self.open = open;
    }

    pub(super) fn open_findings(&self) -> &[OpenFinding] {
        &self.open
    }

    /// Tells everything that nobody has acknowledged once more, to somebody who looks into such things.
    pub(super) fn recall(&mut self, site: &Surroundings) {
        for OpenFinding { finding, .. } in self.open.clone() {
            let notice = notice(&finding, site);
            if self.found.iter().all(|told| told.group != notice.group) {
                self.found.push(notice);
            }
        }
    }

    pub(super) fn finding(&self) -> Option<FindingNotice> {
        self.found.first().copied()
    }

    pub(super) fn taking_over(&self, now: BootTime) -> Option<TakingOver> {
        let (Import { imported, total }, since) = self.import?;
        let shown = now.since(since) >= SHOWN_AFTER && total > 0;
        shown.then_some(TakingOver { done: imported.min(total), total })
    }

    /// How far the vault is written anew, once that has lasted a while.
    pub(super) fn encrypting(&self, now: BootTime) -> Option<Rekeying> {
        let (Rekeying { done, total }, since) = self.rekeying?;
        let shown = now.since(since) >= SHOWN_AFTER && total > 0;
        shown.then_some(Rekeying { done: done.min(total), total })
    }

    /// When the store is to be tried again, or progress begins to be shown.
    pub(super) fn next_deadline(&self, now: BootTime) -> Option<BootTime> {
        let import = self.import.map(|(_, since)| since);
        let begun = import.into_iter().chain(self.rekeying.map(|(_, since)| since));
        let shown = begun.map(|since| since + SHOWN_AFTER).filter(|at| *at > now);
        self.retry_at().into_iter().chain(shown).min()
    }

    /// Asks a store that could not be opened to look again.
    pub(super) fn retry(&mut self, now: Moment) -> Option<Effect> {
        self.retry_at().filter(|at| now.boot >= *at)?;
        let next = now.boot + RETRY_EVERY;
        if let Phase::Trouble(_, at) = &mut self.phase {
            *at = next;
        } else if let Some((_, at)) = &mut self.broken {
            *at = next;
        }
        Some(Effect::Store(StoreCommand::Retry))
    }

    fn retry_at(&self) -> Option<BootTime> {
        match &self.phase {
            Phase::Trouble(_, at) => Some(*at),
            Phase::Running => self.broken.map(|(_, at)| at),
            Phase::Starting | Phase::FirstStart(_) => None,
        }
    }

    /// Something is not as it was acknowledged. What is gone raises a technical alarm; everything is
    /// told once, and the store has audited it.
    pub(super) fn found_wrong(&mut self, findings: &[Finding], site: &Surroundings) {
        for finding in findings {
            match finding.kind {
                FindingKind::RecordsMissing | FindingKind::VaultOlder => self.lose(finding.count),
                FindingKind::StoreOlder => self.uncounted = true,
                FindingKind::RecordsForged
                | FindingKind::RecordsRepeated
                | FindingKind::RecordsMoved
                | FindingKind::WaveformsGivenUp
                | FindingKind::BacklogRestarted
                | FindingKind::PagesReplaced
                | FindingKind::HeadOlder
                | FindingKind::SlotOlder
                | FindingKind::CartOlder
                | FindingKind::KeyringOlder
                | FindingKind::InboxOlder
                | FindingKind::AnchorReset
                | FindingKind::AnchorSilent
                | FindingKind::MemoryOlder
                | FindingKind::RecipientReplaced
                | FindingKind::CopyUsed
                | FindingKind::OpenToOthers => {}
            }
            self.add(notice(finding, site));
        }
    }

    /// Joins what is of one group, so that a damaged disk is told in a few sentences.
    fn add(&mut self, notice: FindingNotice) {
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

    /// What holds of the store that may be an alarm condition.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut state = |holds: bool, condition, priority, text, delay, amount| {
            if holds {
                let fact = Fact::at_once(condition, priority, text);
                facts.push(Fact { delay, amount, ..fact });
            }
        };
        let (trouble, delay) = match self.phase {
            Phase::Trouble(StoreFault::InUse, _) => (true, ENDING_MAX),
            Phase::Trouble(..) => (true, Duration::ZERO),
            Phase::Starting | Phase::FirstStart(_) | Phase::Running => (false, Duration::ZERO),
        };
        let full = self.space == Space::Full;
        // A store whose vault alone does not open goes on recording.
        let none = trouble || full || self.fault.is_some();
        let (medium, low, at_once) = (Priority::Medium, Priority::Low, Duration::ZERO);
        state(none, Condition::NotRecording, medium, AlarmText::NotRecording, delay, 0);
        let no_waves = self.space == Space::NoWaveforms && !none;
        state(no_waves, Condition::NoWaveforms, low, AlarmText::NoWaveforms, at_once, 0);
        let lost = AlarmText::RecordsLost { count: if self.uncounted { 0 } else { self.lost } };
        let any_lost = self.lost > 0 || self.uncounted;
        let amount = self.lost.saturating_add(self.uncounted.into());
        state(any_lost, Condition::RecordsLost, low, lost, at_once, amount);
        let ended = AlarmText::WatchEnded;
        state(self.watch_ended, Condition::WatchEnded, medium, ended, at_once, 0);
        facts
    }
}

fn notice(finding: &Finding, site: &Surroundings) -> FindingNotice {
    let span = finding.span.map(|(from, to)| (site.local(from), site.local(to)));
    FindingNotice { group: group(finding.kind), count: finding.count, span }
}

/// The sentence that tells a finding.
fn group(kind: FindingKind) -> FindingGroup {
    match kind {
        FindingKind::RecordsMissing => FindingGroup::Missing,
        FindingKind::VaultOlder => FindingGroup::Older,
        FindingKind::StoreOlder => FindingGroup::OlderStore,
        FindingKind::PagesReplaced => FindingGroup::Replaced,
        FindingKind::RecordsForged => FindingGroup::Altered,
        FindingKind::BacklogRestarted => FindingGroup::Restarted,
        FindingKind::HeadOlder
        | FindingKind::SlotOlder
        | FindingKind::CartOlder
        | FindingKind::KeyringOlder
        | FindingKind::MemoryOlder
        | FindingKind::InboxOlder => FindingGroup::OlderFiles,
        FindingKind::RecipientReplaced => FindingGroup::ForeignKeys,
        FindingKind::RecordsRepeated | FindingKind::RecordsMoved => FindingGroup::Misplaced,
        FindingKind::WaveformsGivenUp => FindingGroup::WavesGivenUp,
        FindingKind::AnchorReset => FindingGroup::CounterReset,
        FindingKind::AnchorSilent => FindingGroup::CounterSilent,
        FindingKind::CopyUsed => FindingGroup::Mended,
        FindingKind::OpenToOthers => FindingGroup::OpenToOthers,
    }
}
