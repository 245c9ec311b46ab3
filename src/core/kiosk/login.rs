//! Logging in and out: hands what people and readers do to the session machine, and performs what it
//! wants.
//!
//! S-1: patient data enters the core with [`session::Effect::Reveal`] or
//! [`session::Effect::RevealEmergency`], and leaves it with [`session::Effect::Conceal`] in the same
//! step.

use wardkeep_model::access::factor::{Attempt, Pin, Token};
use wardkeep_model::access::policy::Permission;
use wardkeep_model::access::{Operator, OperatorId, Role};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{
    Administration, AuditAct, AuditEntry, Command as StoreCommand, Unlocked,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{
    BadgeFault, CardFault, CardSeen, Command as HardwareCommand, FactorEvent, ReaderHealth,
    ReaderKind,
};
use wardkeep_model::vitals::DeviceId;

use crate::kiosk::held::Arrival;
use crate::kiosk::page::Page;
use crate::kiosk::{Effect, Kiosk, Phase};
use crate::session::setup::{self, Step};
use crate::session::{self, Emergency, State};

/// Who saw something until now, for the audit log.
enum Seen {
    Nothing,
    Session(OperatorId, Role),
    Emergency,
}

impl Kiosk {
    /// A badge entered the field, or a card was inserted and read.
    pub(super) fn on_token(&mut self, now: Moment, token: Token) -> Vec<Effect> {
        if self.unusable().is_some() {
            self.notify(now, Notice::StoreBroken);
            return vec![];
        }
        match (&self.phase, token) {
            (Phase::FirstStart(_), Token::Badge(badge)) => {
                self.in_setup(now, setup::Event::Badge(badge))
            }
            // The first person begins with a badge and a PIN; a card can be enrolled afterwards.
            (Phase::FirstStart(_), Token::Card(_)) => vec![],
            (Phase::Starting | Phase::Running | Phase::Trouble(..), token) => {
                self.in_session(now, session::Event::Presented(token))
            }
        }
    }

    pub(super) fn on_unreadable_badge(&mut self, now: Moment, fault: BadgeFault) {
        let notice = match fault {
            BadgeFault::LeftTooSoon => Notice::BadgeLeftTooSoon,
            BadgeFault::Two => Notice::TwoBadges,
            BadgeFault::Unreadable => Notice::BadgeUnreadable,
        };
        self.notify(now, notice);
    }

    /// Cards and fingers.
    pub(super) fn on_factor(&mut self, now: Moment, event: FactorEvent) -> Vec<Effect> {
        let event = match event {
            FactorEvent::CardPresented(CardSeen { card, subject: _, valid_until: _ }) => {
                return self.on_token(now, Token::Card(card));
            }
            FactorEvent::CardUnreadable(fault) => {
                // Whatever was in the reader is not there any more.
                let effects = self.in_session(now, session::Event::CardRemoved);
                self.notify(
                    now,
                    match fault {
                        CardFault::LeftTooSoon => Notice::CardLeftTooSoon,
                        CardFault::NotPiv => Notice::CardNotPiv,
                        CardFault::Unreadable => Notice::CardUnreadable,
                    },
                );
                return effects;
            }
            FactorEvent::CardRemoved => session::Event::CardRemoved,
            FactorEvent::CardProved(attempt, proof) => session::Event::CardProved(attempt, proof),
            FactorEvent::CardRefused(attempt, why) => session::Event::CardRefused(attempt, why),
            FactorEvent::Sensor(sensor) => session::Event::Sensor(sensor),
            FactorEvent::Finger(event) => session::Event::Finger(event),
            // Nobody asked for an enrolment.
            FactorEvent::CardEnrolled(..) => return vec![],
        };
        self.in_session(now, event)
    }

    /// A reader appeared, vanished or failed. A card in a reader that cannot be used is as good as
    /// pulled. Badges have readers of several kinds, so their drivers say themselves which badge is gone.
    pub(super) fn on_reader(
        &mut self,
        now: Moment,
        kind: ReaderKind,
        health: ReaderHealth,
    ) -> Vec<Effect> {
        self.readers.insert(kind, health);
        match kind {
            ReaderKind::SmartCard if health != ReaderHealth::Ready => {
                self.in_session(now, session::Event::CardRemoved)
            }
            ReaderKind::SmartCard | ReaderKind::Badge | ReaderKind::Finger => vec![],
        }
    }

    pub(super) fn submit_pin(&mut self, now: Moment, pin: Pin) -> Vec<Effect> {
        match self.phase {
            Phase::FirstStart(_) => self.in_setup(now, setup::Event::Pin(pin)),
            Phase::Starting | Phase::Running | Phase::Trouble(..) => {
                self.notice = None;
                self.in_session(now, session::Event::PinSubmitted(pin))
            }
        }
    }

    pub(super) fn cancel(&mut self, now: Moment) -> Vec<Effect> {
        match self.phase {
            Phase::FirstStart(_) => self.in_setup(now, setup::Event::Cancel),
            Phase::Starting | Phase::Running | Phase::Trouble(..) => {
                self.notice = None;
                self.in_session(now, session::Event::Cancelled)
            }
        }
    }

    /// The vault is open. What came with it is kept only if this is the answer that is waited for.
    pub(super) fn unlocked(
        &mut self,
        now: Moment,
        attempt: Attempt,
        unlocked: Unlocked,
    ) -> Vec<Effect> {
        let Unlocked { operator, patient, draft, must_choose_pin } = unlocked;
        if self.session.awaits(attempt) {
            self.arrival = Arrival { patient, draft };
        }
        self.in_session(now, session::Event::Unlocked { attempt, operator, must_choose_pin })
    }

    pub(super) fn in_session(&mut self, now: Moment, event: session::Event) -> Vec<Effect> {
        // Which fingerprint reader is there is told once, mostly before the store has answered.
        let is_news_of_the_sensor = matches!(event, session::Event::Sensor(_));
        let usable = matches!(self.phase, Phase::Running) && !self.records.is_broken();
        if !usable && !is_news_of_the_sensor {
            return vec![];
        }
        let seen = match self.session.state() {
            State::Open { operator, .. } => Seen::Session(operator.id, operator.role),
            State::Emergency(Emergency::Open { .. }) => Seen::Emergency,
            State::Locked
            | State::Partial(_)
            | State::Proving { .. }
            | State::Unlocking { .. }
            | State::ChoosingPin(_)
            | State::Emergency(
                Emergency::Token { .. } | Emergency::Reason { .. } | Emergency::Opening { .. },
            ) => Seen::Nothing,
        };
        let mut effects = Vec::new();
        for effect in self.session.handle(now.boot, event) {
            effects.extend(self.perform(now, effect, &seen));
        }
        effects
    }

    fn perform(&mut self, now: Moment, effect: session::Effect, seen: &Seen) -> Vec<Effect> {
        vec![match effect {
            session::Effect::Identify(attempt, token) => {
                Effect::Store(StoreCommand::Identify(attempt, token, now))
            }
            session::Effect::Unlock(attempt, evidence) => {
                Effect::Store(StoreCommand::Unlock(attempt, evidence, now))
            }
            session::Effect::Card(command) => Effect::Hardware(HardwareCommand::Card(command)),
            session::Effect::Finger(command) => Effect::Hardware(HardwareCommand::Finger(command)),
            session::Effect::FingerMissed(token) => {
                Effect::Store(StoreCommand::FingerMissed(token))
            }
            session::Effect::ChoosePin(attempt, pin) => {
                let change = Box::new(Administration::ChangeOwnPin(pin));
                Effect::Store(StoreCommand::Administer(attempt, change, now))
            }
            session::Effect::OpenEmergency(attempt, token, reason) => {
                Effect::Store(StoreCommand::OpenEmergency(attempt, token, reason, now))
            }
            session::Effect::Reveal(operator) => return self.reveal(now, &operator),
            session::Effect::RevealEmergency => {
                self.notice = None;
                return vec![];
            }
            session::Effect::Conceal => return self.conceal(now, seen),
            session::Effect::Notify(notice) => {
                self.notify(now, notice);
                return vec![];
            }
        }]
    }

    /// Shows what this person's role may see: the patient to those who care, nothing of them to others.
    fn reveal(&mut self, now: Moment, operator: &Operator) -> Vec<Effect> {
        self.notice = None;
        let Arrival { patient, draft } = std::mem::take(&mut self.arrival);
        if operator.role.may(Permission::SeePatients) {
            self.patient = patient.filter(|patient| Some(patient.id) == self.subject);
            self.restore_draft(draft);
        }
        let unlocked = AuditEntry {
            operator: Some(operator.id),
            subject: self.subject_seen_by(operator.role),
            pair: self.session.pair(),
            ..AuditEntry::of(AuditAct::Unlocked, now.wall)
        };
        let mut effects = vec![Effect::Store(StoreCommand::Audit(Box::new(unlocked)))];
        let page = if self.has_draft() { Page::Patients } else { self.start_page(operator.role) };
        effects.extend(self.open_page(now, page));
        effects
    }

    /// Forgets everything that a session or an emergency view showed, and has the vault closed.
    fn conceal(&mut self, now: Moment, seen: &Seen) -> Vec<Effect> {
        self.arrival = Arrival::default();
        self.patient = None;
        self.patients = None;
        self.emergency = None;
        self.records.conceal();
        let left = self.forget_people(now);
        let ended = |act, operator, subject| {
            let entry = AuditEntry { operator, subject, ..AuditEntry::of(act, now.wall) };
            Effect::Store(StoreCommand::Audit(Box::new(entry)))
        };
        let entry = match seen {
            Seen::Nothing => None,
            Seen::Session(operator, role) => {
                Some(ended(AuditAct::Locked, Some(*operator), self.subject_seen_by(*role)))
            }
            Seen::Emergency => Some(ended(AuditAct::EmergencyEnded, None, self.subject)),
        };
        let close = StoreCommand::Close(self.take_draft(), now);
        left.into_iter().chain(entry).chain([Effect::Store(close)]).collect()
    }

    pub(super) fn in_setup(&mut self, now: Moment, event: setup::Event) -> Vec<Effect> {
        let Phase::FirstStart(wizard) = &mut self.phase else { return vec![] };
        let effect = wizard.handle(event);
        let done = matches!(wizard.step(), Step::Done);
        let mut effects = Vec::new();
        match effect {
            Some(setup::Effect::Initialise(new)) => {
                effects.push(Effect::Store(StoreCommand::Initialise(new, now)));
            }
            Some(setup::Effect::Notify(notice)) => self.notify(now, notice),
            None => self.notice = None,
        }
        if done {
            self.phase = Phase::Running;
            effects.push(self.save_cart());
        }
        effects
    }

    /// An entry for the audit log by whoever is logged in.
    pub(super) fn audit(&self, now: Moment, act: AuditAct, device: Option<DeviceId>) -> Effect {
        let operator = self.session.operator().map(|operator| operator.id);
        let entry = AuditEntry::of(act, now.wall);
        let entry = AuditEntry { operator, subject: self.subject, device, ..entry };
        Effect::Store(StoreCommand::Audit(Box::new(entry)))
    }

    /// Whom a session of this role shows.
    fn subject_seen_by(&self, role: Role) -> Option<SubjectId> {
        self.subject.filter(|_| role.may(Permission::SeePatients))
    }

    /// Where a session of this role begins.
    fn start_page(&self, role: Role) -> Page {
        match role {
            Role::Nurse | Role::Caregiver if self.subject.is_some() => Page::Bedside,
            Role::Nurse | Role::Caregiver => Page::Patients,
            Role::It => Page::People,
            Role::Auditor => Page::Audit,
        }
    }
}
