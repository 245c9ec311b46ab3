//! The core: composes a few machines and routes events to them.
//!
//! | machine | what it knows |
//! |---|---|
//! | `monitor` | devices, numbers, waveforms, whose they are (S-2: nothing of sessions) |
//! | `alarms` | which conditions are present, what is kept of them, how the clocks stand |
//! | `clerk` | what the store is doing |
//! | `session` | who may see something |
//! | `held` | what they see; concealing is dropping it (S-1) |
//!
//! Events and the time go in, effects come out; nothing here performs I/O, reads a clock or draws a
//! random number (identities come from a generator that the shell hands in).

pub mod alarm;
mod clerk;
mod clock;
mod desk;
mod emergency;
pub mod enrolling;
mod event;
pub mod first_start;
mod foreground;
pub mod frame;
mod gate;
mod health;
mod heard;
mod held;
pub mod intent;
pub mod login;
mod notices;
mod open;
mod pad;
pub mod page;
pub mod pages;
mod project;
mod refusals;
mod resuming;
mod site;
pub mod trouble;
pub mod view;

use wardkeep_model::access::factor::Attempt;
use wardkeep_model::alarm::limits::AgeGroup;
use wardkeep_model::keeping::{Administered, AdministrationFault, AuditAct, Outcome, StoreFault};
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports;

use self::alarm::AlarmSystem;
use self::clerk::{Clerk, Phase};
use self::desk::{Counts, Desk};
use self::gate::Verdict;
use self::health::Health;
use self::held::Held;
use self::intent::Intent;
use self::notices::Notices;
use self::open::Open;
use self::page::Page;
use self::pages::{
    Front, account, audit, devices, inventory, limits, pairing, patients, people, readings,
};
use crate::alarms::Shown;
use crate::config::Language;
use crate::monitor::{Monitor, Rules};
use crate::session::{self, Session, setup};

pub use self::event::Event;
pub use self::site::Surroundings;
pub use crate::effect::Effect;

/// The core.
pub struct Kiosk {
    site: Surroundings,
    health: Health,
    monitor: Monitor,
    alarms: AlarmSystem,
    clerk: Clerk,
    session: Session,
    held: Held,
    notices: Notices,
    counts: Counts,
    language: Language,
}

impl Kiosk {
    /// A core that waits for its store.
    pub fn new(site: Surroundings, now: Moment) -> Self {
        let mut notices = Notices::default();
        if site.config_ignored {
            notices.tell(now, Notice::ConfigIgnored);
        }
        let rules = Rules {
            run: site.run,
            simulated: site.simulated,
            bed: site.config.bed.clone(),
            assignment: site.config.assignment,
            zone: site.zone.clone(),
        };
        let mut monitor = Monitor::new(rules);
        monitor.set_limits(site.config.alarms.sets.of_ward(AgeGroup::default()));
        Self {
            health: Health::default(),
            monitor,
            alarms: AlarmSystem::new(site.config.alarms, site.run),
            clerk: Clerk::default(),
            session: Session::new(site.config.idle, site.config.policy, site.places()),
            held: Held::Nothing,
            notices,
            counts: Counts::default(),
            language: site.config.language,
            site,
        }
    }

    /// Advances the core by one event.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        let patient = self.monitor.subject();
        let mut effects = self.look_at_clocks(now);
        effects.extend(match event {
            Event::Hardware(event) => self.on_hardware(now, event),
            Event::Store(outcome) => self.on_store(now, outcome),
            Event::Intent(intent) => self.on_intent(now, intent),
            Event::RecordsLost(count) => {
                self.clerk.lose(count);
                vec![]
            }
            Event::Tick => vec![],
        });
        effects.extend(self.in_session(now, session::Event::Tick));
        if !self.session.is_open() {
            effects.extend(self.monitor.cancel_pairings());
        }
        effects.extend(self.clerk.retry(now));
        if self.clerk.records() {
            effects.extend(self.health.refusals.due(now).into_iter().map(Effect::Store));
        }
        effects.extend(self.monitor.end_waves(now));
        effects.extend(self.monitor.tick(now));
        effects.extend(self.in_open(now, |open, desk| readings::expire(open, desk)));
        self.notices.expire(now);
        if self.monitor.subject() != patient {
            effects.extend(self.alarms.part_with(now, patient, &self.monitor, &self.session));
        }
        let facts = self.facts(now);
        effects.extend(self.alarms.update(now, &self.monitor, &self.session, facts));
        let runs = matches!(self.clerk.phase, Phase::Running);
        let has_news = self.monitor.inventory_mut().take_due(now.boot);
        if runs && (self.alarms.says_alive(now, &self.monitor) || has_news) {
            effects.push(desk::save_cart(now, &self.monitor, self.language));
        }
        if self.clerk.records() {
            effects.extend(self.alarms.limits(now, &mut self.monitor, &self.session));
        }
        effects
    }

    /// A step of the wall clock changes nothing at the bed and is told. After a stretch in which nobody was
    /// watched nobody knows who stands at the screen.
    fn look_at_clocks(&mut self, now: Moment) -> Vec<Effect> {
        let (noticed, mut effects) = self.alarms.look_at_clocks(now, &self.monitor);
        if noticed.step.is_some() {
            self.notices.tell(now, Notice::ClockSet);
        }
        if noticed.unwatched.is_some() {
            effects.extend(self.in_session(now, session::Event::LockPressed));
        }
        effects
    }

    /// The program ends: what was gathered of waveforms is recorded.
    pub fn end(&mut self, now: Moment) -> Vec<Effect> {
        let mut effects = self.monitor.end();
        effects.extend(self.health.refusals.end(now).into_iter().map(Effect::Store));
        effects
    }

    fn on_hardware(&mut self, now: Moment, event: ports::Event) -> Vec<Effect> {
        match event {
            ports::Event::Reader(kind, health) => return self.on_reader(now, kind, health),
            ports::Event::BadgePresented(badge) => return self.on_badge(now, badge),
            ports::Event::BadgeRemoved => return self.on_badge_removed(now),
            ports::Event::BadgeUnreadable(fault) => return self.on_unreadable_badge(now, fault),
            ports::Event::ReaderRefused { reader, what } => {
                self.health.refusals.refused(reader, what);
            }
            ports::Event::Factor(event) => return self.on_factor(now, event),
            ports::Event::Wave { device, rate_hz, samples } => {
                let (mut effects, shown) = self.monitor.wave(now, device, rate_hz, &samples);
                if let Some(kind) = shown.filter(|_| self.draws_waves()) {
                    effects.push(Effect::Wave { kind, rate_hz, samples });
                }
                return effects;
            }
            ports::Event::Radio(health) => self.health.radio = health,
            ports::Event::Speaker(health) => self.health.speaker = health,
            event @ (ports::Event::Frame { .. }
            | ports::Event::VendorFrame { .. }
            | ports::Event::Measured { .. }
            | ports::Event::Seen { .. }
            | ports::Event::Crowded
            | ports::Event::Gone(_)
            | ports::Event::Link(..)
            | ports::Event::NoRoom(..)
            | ports::Event::Table(..)
            | ports::Event::Pairing(..)
            | ports::Event::Wrote(..)
            | ports::Event::Refused(..)) => {
                let parties = (&mut self.monitor, &mut self.held);
                let heard::Heard { mut effects, is_news, notice } =
                    heard::of_device(parties, now, event);
                notice.into_iter().for_each(|notice| self.notices.tell(now, notice));
                if is_news && matches!(self.clerk.phase, Phase::Running) {
                    effects.push(desk::save_cart(now, &self.monitor, self.language));
                }
                return effects;
            }
            ports::Event::Overrun { source: _, lost } => self.clerk.lose(lost),
        }
        vec![]
    }

    fn on_intent(&mut self, now: Moment, intent: Intent) -> Vec<Effect> {
        let mut effects = self.in_session(now, session::Event::Activity);
        match intent.need(&self.monitor).verdict(self.session.role()) {
            Verdict::Allowed => effects.extend(self.act(now, intent)),
            Verdict::Ignored => {}
            Verdict::Refused => self.notices.tell(now, Notice::NotAllowed),
        }
        effects
    }

    /// Does what the gate has let pass.
    fn act(&mut self, now: Moment, intent: Intent) -> Vec<Effect> {
        match intent {
            Intent::Frame(intent) => self.on_frame(now, intent),
            Intent::Login(intent) => self.on_login(now, intent),
            Intent::FirstStart(intent) => self.in_setup(now, intent.into()),
            Intent::Alarm(alarm::Intent::Acknowledge(shown)) => self.acknowledge(now, shown),
            Intent::Alarm(alarm::Intent::PauseAudio) => self.pause_audio(now),
            Intent::Alarm(alarm::Intent::List(is_wanted)) => self.list_alarms(now, is_wanted),
            Intent::Alarm(alarm::Intent::TestSound) => {
                self.alarms.test_sound(now);
                self.notices.tell(now, Notice::SoundTested);
                vec![]
            }
            Intent::Limits(intent) => {
                self.in_open(now, |open, desk| limits::handle(open, desk, intent))
            }
            Intent::Trouble(intent) => trouble::handle(intent, &self.clerk, &mut self.monitor),
            Intent::Devices(intent) => self.in_open(now, |_, desk| devices::handle(desk, intent)),
            Intent::Pairing(intent) => {
                self.in_open(now, |open, desk| pairing::handle(open, desk, intent))
            }
            Intent::Readings(intent) => {
                self.in_open(now, |open, desk| readings::handle(open, desk, intent))
            }
            Intent::Inventory(intent) => {
                self.in_open(now, |open, desk| inventory::handle(open, desk, intent))
            }
            Intent::Patients(intent) => {
                self.in_open(now, |open, desk| patients::handle(open, desk, intent))
            }
            Intent::People(intent) => {
                self.in_open(now, |open, desk| people::handle(open, desk, intent))
            }
            Intent::Enrolling(intent) => {
                self.in_open(now, |open, desk| open.in_enrolment(desk, intent.into()))
            }
            Intent::Audit(intent) => {
                self.in_open(now, |open, desk| audit::handle(open, desk, intent))
            }
            Intent::Account(intent) => {
                self.in_open(now, |open, desk| account::handle(open, desk, intent))
            }
        }
    }

    fn on_frame(&mut self, now: Moment, intent: frame::Intent) -> Vec<Effect> {
        match intent {
            // It counted before anything else did.
            frame::Intent::Activity => {
                self.alarms.keep_listed(now);
            }
            frame::Intent::Cancel => return self.cancel(now),
            frame::Intent::Lock => return self.in_session(now, session::Event::LockPressed),
            frame::Intent::Open(page) => {
                return self.in_open(now, |open, desk| open.show(desk, page));
            }
            frame::Intent::SetLanguage(language) => {
                self.language = language;
                if matches!(self.clerk.phase, Phase::Running) {
                    return vec![desk::save_cart(now, &self.monitor, language)];
                }
            }
            frame::Intent::DismissNotice => self.notices.clear(),
            frame::Intent::DismissFinding => self.clerk.dismiss(),
        }
        vec![]
    }

    /// Does something in the open session, if there is one, which locks if that takes away what it rests on.
    fn in_open(
        &mut self,
        now: Moment,
        act: impl FnOnce(&mut Open, &mut Desk<'_>) -> Vec<Effect>,
    ) -> Vec<Effect> {
        let (held, mut desk) = self.desk(now);
        let Some(open) = held.open_mut() else { return vec![] };
        let mut effects = act(open, &mut desk);
        if desk.locks {
            effects.extend(self.in_session(now, session::Event::LockPressed));
        }
        effects
    }

    /// What is held, and what its pages work with.
    fn desk(&mut self, now: Moment) -> (&mut Held, Desk<'_>) {
        let desk = Desk {
            now,
            site: &mut self.site,
            monitor: &mut self.monitor,
            session: &self.session,
            notices: &mut self.notices,
            counts: &mut self.counts,
            language: self.language,
            locks: false,
        };
        (&mut self.held, desk)
    }

    /// Somebody has seen this condition, and no other.
    fn acknowledge(&mut self, now: Moment, shown: Shown) -> Vec<Effect> {
        if !self.alarms.acknowledge(now, shown, &self.session) {
            return vec![];
        }
        self.clerk.acknowledge(shown.condition);
        vec![self.audit(now, AuditAct::AlarmAcknowledged)]
    }

    /// The list of alarms, on its page or before the lock screen, for a while.
    fn list_alarms(&mut self, now: Moment, is_wanted: bool) -> Vec<Effect> {
        if self.session.is_open() {
            let page = if is_wanted { Page::Alarms } else { Page::Bedside };
            return self.in_open(now, |open, desk| open.show(desk, page));
        }
        self.alarms.list(now, is_wanted);
        vec![]
    }

    fn pause_audio(&mut self, now: Moment) -> Vec<Effect> {
        let sounds = self.sound(now).is_some();
        if self.alarms.pause_audio(now).is_some() {
            return vec![self.audit(now, AuditAct::AudioPaused)];
        }
        if sounds {
            self.notices.tell(now, Notice::PauseUsedUp);
        }
        vec![]
    }

    fn audit(&self, now: Moment, act: AuditAct) -> Effect {
        desk::audit(now, &self.session, &self.monitor, act, None)
    }

    /// What the store answers. S-8: everything it could not keep or could not find again is counted and
    /// stays on the alarm strip until somebody has seen it.
    fn on_store(&mut self, now: Moment, outcome: Outcome) -> Vec<Effect> {
        match outcome {
            Outcome::Found(found) if self.clerk.waits() => {
                return resuming::found(self, now, found);
            }
            Outcome::Initialised(words) => return self.in_setup(now, setup::Event::Made(words)),
            Outcome::Identified(attempt, identified) => {
                return self.identified(now, attempt, identified);
            }
            Outcome::Unlocked(attempt, unlocked) => return self.unlocked(now, attempt, *unlocked),
            Outcome::Refused(attempt, refusal) => {
                return self.in_session(now, session::Event::Refused(attempt, refusal));
            }
            Outcome::Emergency(attempt, answer) => {
                return self.emergency_answered(now, attempt, answer);
            }
            Outcome::Administered(attempt, answer) => {
                return self.administered(now, attempt, answer);
            }
            // Nobody asked for it: what the session rests on was taken away (S-1).
            Outcome::Closed if self.session.is_open() => {
                return self.in_session(now, session::Event::LockPressed);
            }
            Outcome::Patients(patients) => {
                if let Some(Front::Patients(list)) =
                    self.held.open_mut().map(|open| &mut open.front)
                {
                    list.told(patients);
                }
            }
            Outcome::Spots(spots) => {
                self.monitor.filed(now, &spots.filed);
                self.in_open(now, |open, _| open.readings.told(*spots));
            }
            Outcome::SpotNotDone(..) => self.notices.tell(now, Notice::ReadingNotFiled),
            Outcome::PatientAdded(patient) => {
                return self.in_open(now, |open, desk| patients::added(open, desk, *patient));
            }
            Outcome::PatientNotAdded(_, why) => {
                if self.held.open().is_some() {
                    patients::not_added(&mut self.desk(now).1, why);
                }
            }
            Outcome::Importing(import) => self.clerk.import(now, Some(import)),
            Outcome::Rekeying(far) => self.clerk.rekeying(now, far),
            Outcome::History(query, history) => {
                return self.in_open(now, |open, desk| {
                    open.told(desk, query, *history);
                    vec![]
                });
            }
            Outcome::Imported(_) => self.clerk.import(now, None),
            Outcome::Space(space) => self.clerk.space(space),
            Outcome::Findings(findings) => self.clerk.found_wrong(&findings, &self.site),
            Outcome::OpenFindings(open) => self.clerk.still_open(open),
            Outcome::Recovered => self.clerk.fault(None),
            Outcome::Fault(fault) => return self.on_fault(now, fault),
            Outcome::Lost(count) => self.clerk.lose(count),
            Outcome::Found(_) | Outcome::Closed | Outcome::Trend(..) => {}
        }
        vec![]
    }

    fn administered(
        &mut self,
        now: Moment,
        attempt: Attempt,
        answer: Result<Administered, AdministrationFault>,
    ) -> Vec<Effect> {
        if self.session.awaits_pin(attempt) {
            let written = answer.map(|_| ());
            return self.in_session(now, session::Event::PinChosen(attempt, written));
        }
        self.in_open(now, |open, desk| open.answered(desk, attempt, answer))
    }

    fn on_fault(&mut self, now: Moment, fault: StoreFault) -> Vec<Effect> {
        match &self.clerk.phase {
            Phase::Starting | Phase::Trouble(..) => self.clerk.trouble(now, fault),
            Phase::FirstStart(_) => return self.in_setup(now, setup::Event::NotMade),
            Phase::Running => self.clerk.fault(Some(fault)),
        }
        vec![]
    }
}
