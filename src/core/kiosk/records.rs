//! The store as the core knows it: whether it records, what it found wrong, how far it has taken over
//! what was sealed while locked, and whether it could be opened at all.
//!
//! S-8: what is gone stays on the alarm strip until somebody acknowledges it, and what else was found
//! stays on the screen of whoever is logged in until somebody has read it. S-2: a store that does not
//! work never ends monitoring.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;

use wardkeep_model::alarm::Priority;
use wardkeep_model::keeping::{
    CartState, Command as StoreCommand, Finding, FindingKind, Space, StoreFault,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;

use crate::alarms::{AlarmText, Condition, Fact};
use crate::config::Language;
use crate::kiosk::view::Screen;
use crate::kiosk::view::records::{FindingGroup, FindingNotice, Trouble};
use crate::kiosk::{Effect, Kiosk, Phase};
use crate::pairing::Pairing;
use crate::session::setup::Setup;

/// How often a store that could not be opened is tried again.
pub(super) const RETRY_EVERY: Duration = Duration::from_secs(5);
/// Another instance that is ending gives the store free within this.
const ENDING_MAX: Duration = Duration::from_secs(10);

impl Kiosk {
    /// Something is not as it was acknowledged. What is gone raises a technical alarm; everything is
    /// told once, and the store has audited it.
    pub(super) fn found_wrong(&mut self, findings: &[Finding]) {
        for finding in findings {
            match finding.kind {
                FindingKind::RecordsMissing | FindingKind::VaultOlder => {
                    self.records.lose(finding.count);
                }
                FindingKind::StoreOlder => self.records.uncounted = true,
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
                | FindingKind::CopyUsed => {}
            }
            let span = finding.span.map(|(from, to)| (self.local(from), self.local(to)));
            let (group, count) = (group(finding.kind), finding.count);
            self.records.add(FindingNotice { group, count, span });
        }
    }

    /// What holds of the store that may be an alarm condition.
    pub(super) fn record_facts(&self) -> Vec<Fact> {
        let records = &self.records;
        let mut facts = Vec::new();
        let mut state = |holds: bool, condition, priority, text, delay| {
            if holds {
                facts.push(Fact { condition, priority, text, delay });
            }
        };
        let (trouble, delay) = match self.phase {
            Phase::Trouble(StoreFault::InUse, _) => (true, ENDING_MAX),
            Phase::Trouble(..) => (true, Duration::ZERO),
            Phase::Starting | Phase::FirstStart(_) | Phase::Running => (false, Duration::ZERO),
        };
        let full = records.space == Space::Full;
        // A store whose vault alone does not open goes on recording.
        let none = trouble || full || records.fault.is_some();
        let (medium, low) = (Priority::Medium, Priority::Low);
        state(none, Condition::NotRecording, medium, AlarmText::NotRecording, delay);
        let no_waves = records.space == Space::NoWaveforms && !none;
        state(no_waves, Condition::NoWaveforms, low, AlarmText::NoWaveforms, Duration::ZERO);
        let lost =
            AlarmText::RecordsLost { count: if records.uncounted { 0 } else { records.lost } };
        let any_lost = records.lost > 0 || records.uncounted;
        state(any_lost, Condition::RecordsLost, low, lost, Duration::ZERO);
        let ended = (Condition::WatchEnded, AlarmText::WatchEnded);
        state(records.watch_ended, ended.0, medium, ended.1, Duration::ZERO);
        facts
    }

    /// Why nobody can log in, if nobody can.
    pub(super) fn unusable(&self) -> Option<StoreFault> {
        match &self.phase {
            Phase::Trouble(fault, _) => Some(*fault),
            Phase::Running => self.records.broken.map(|(fault, _)| fault),
            Phase::Starting | Phase::FirstStart(_) => None,
        }
    }

    /// The screen while nobody can log in.
    pub(super) fn trouble_screen(&self, now: Moment) -> Option<Screen> {
        let fault = self.unusable()?;
        let records = matches!(self.phase, Phase::Running) && self.records.fault.is_none();
        Some(Screen::Trouble(Trouble { fault, records, watch: self.watch_page(now) }))
    }

    /// Asks a store that could not be opened to look again.
    pub(super) fn retry(&mut self, now: Moment) -> Vec<Effect> {
        let due = match (&mut self.phase, &mut self.records.broken) {
            (Phase::Trouble(_, at), _) | (Phase::Running, Some((_, at))) => at,
            (Phase::Starting | Phase::FirstStart(_), _) | (Phase::Running, None) => return vec![],
        };
        if now.boot < *due {
            return vec![];
        }
        *due = now.boot + RETRY_EVERY;
        vec![Effect::Store(StoreCommand::Retry)]
    }

    /// The store was opened; takes up monitoring where its cart compartment left off.
    pub(super) fn store_found(&mut self, now: Moment, cart: &CartState) -> Vec<Effect> {
        let was_broken = self.records.is_broken();
        let mut effects = self.leave_watch();
        (self.records.broken, self.records.fault) = (None, None);
        if was_broken || matches!(self.phase, Phase::Trouble(..)) {
            self.notify(now, Notice::StoreBack);
        }
        if !was_broken || !self.agrees_with(cart) {
            effects.extend(self.resume(cart));
        }
        effects
    }

    /// The store cannot be opened, but monitoring goes on from its cart compartment.
    pub(super) fn store_broken(
        &mut self,
        now: Moment,
        fault: StoreFault,
        cart: &CartState,
    ) -> Vec<Effect> {
        let again = self.records.is_broken();
        let retry = now.boot + RETRY_EVERY;
        if again && self.agrees_with(cart) {
            self.records.broken = Some((fault, retry));
            return vec![];
        }
        let mut effects = self.leave_watch();
        effects.extend(self.resume(cart));
        self.records.broken = Some((fault, retry));
        effects
    }

    /// There is no store any more, or none yet. Whoever is monitored goes on being monitored.
    pub(super) fn store_missing(&mut self) -> Vec<Effect> {
        let effects = self.leave_watch();
        (self.records.broken, self.records.fault) = (None, None);
        self.phase = Phase::FirstStart(Setup::default());
        effects
    }

    fn agrees_with(&self, cart: &CartState) -> bool {
        self.subject == cart.subject && self.pairing.known() == cart.devices
    }

    /// Links, assignments and language as the cart compartment has them. Nothing that was measured
    /// before belongs to them.
    fn resume(&mut self, cart: &CartState) -> Vec<Effect> {
        self.phase = Phase::Running;
        self.subject = cart.subject;
        if !cart.language.is_empty() {
            self.language = Language::from_tag(&cart.language);
        }
        let held = self.pairing.known();
        let let_go = held.iter().filter(|held| cart.devices.iter().all(|kept| kept.id != held.id));
        let let_go: Vec<_> = let_go.filter_map(|held| self.pairing.release(held.id)).collect();
        let (pairing, links) = Pairing::resume(&cart.devices);
        self.pairing = pairing;
        self.live.clear();
        let commands = let_go.into_iter().map(|(command, _)| command).chain(links);
        commands.map(Effect::Hardware).collect()
    }

    pub(super) fn local(&self, at: Timestamp) -> DateTime {
        at.to_zoned(self.around.zone.clone()).datetime()
    }
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
        | FindingKind::InboxOlder => FindingGroup::OlderFiles,
        FindingKind::RecordsRepeated | FindingKind::RecordsMoved => FindingGroup::Misplaced,
        FindingKind::WaveformsGivenUp => FindingGroup::WavesGivenUp,
        FindingKind::AnchorReset => FindingGroup::CounterReset,
        FindingKind::CopyUsed => FindingGroup::Mended,
    }
}
