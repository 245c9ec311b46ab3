//! Logging in and out: hands what people and readers do to the session machine, and performs what it
//! wants. A wizard in front hears the readers first.
//!
//! S-1: patient data enters the core with [`session::Effect::Reveal`] or
//! [`session::Effect::RevealEmergency`], and leaves it with [`session::Effect::Conceal`] in the same
//! step.

use wardkeep_model::access::factor::{Attempt, Badge, Pin, Token};
use wardkeep_model::access::policy::Permission;
use wardkeep_model::access::{Operator, OperatorId, Role};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::emergency::{EmergencyCard, EmergencyReason};
use wardkeep_model::keeping::{
    Administration, AuditAct, AuditEntry, Command as StoreCommand, EmergencyRefusal, Identified,
    Unlocked,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{
    BadgeFault, CardFault, CardSeen, Command as HardwareCommand, FactorEvent, FingerEvent,
    ReaderHealth, ReaderKind,
};

use crate::kiosk::clerk::Phase;
use crate::kiosk::enrolling::is_wizards;
use crate::kiosk::held::Held;
use crate::kiosk::open::{Arrival, Open};
use crate::kiosk::{Effect, Kiosk, desk};
use crate::session::setup::{self, Step};
use crate::session::{self, Emergency, State, enrolment};

/// What people do to log in, and wherever a PIN is typed.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Submitted the PIN pad.
    SubmitPin(Pin),
    /// Lock screen: one factor and a reason instead of two factors.
    BeginEmergency,
    /// The reason for the emergency view.
    ChooseReason(EmergencyReason),
}

/// Who saw something until now, for the audit log.
enum Seen {
    Nothing,
    Session(OperatorId, Role),
    Emergency,
}

impl Kiosk {
    pub(super) fn on_login(&mut self, now: Moment, intent: Intent) -> Vec<Effect> {
        match intent {
            Intent::SubmitPin(pin) => self.submit_pin(now, pin),
            Intent::BeginEmergency => self.in_session(now, session::Event::EmergencyAsked),
            Intent::ChooseReason(reason) => {
                self.in_session(now, session::Event::ReasonChosen(reason))
            }
        }
    }

    /// A badge entered the field.
    pub(super) fn on_badge(&mut self, now: Moment, badge: Badge) -> Vec<Effect> {
        if let Some(open) = self.held.open_mut() {
            open.wizard.has_guest_badge = open.wizard.is_running();
        }
        if self.is_enrolling() {
            return self.touched_in_enrolment(now, enrolment::Event::Badge(badge));
        }
        self.on_token(now, Token::Badge(badge))
    }

    /// The badge left.
    pub(super) fn on_badge_removed(&mut self, now: Moment) -> Vec<Effect> {
        let guest = self.held.open_mut().map(|open| &mut open.wizard.has_guest_badge);
        if guest.is_some_and(std::mem::take) {
            return self.in_enrolment(now, enrolment::Event::BadgeLifted);
        }
        self.in_session(now, session::Event::BadgeRemoved)
    }

    pub(super) fn on_unreadable_badge(&mut self, now: Moment, fault: BadgeFault) -> Vec<Effect> {
        let (notice, ends) = match fault {
            BadgeFault::LeftTooSoon => (Notice::BadgeLeftTooSoon, false),
            BadgeFault::Two => (Notice::TwoBadges, true),
            BadgeFault::Unreadable => (Notice::BadgeUnreadable, false),
        };
        self.notices.tell(now, notice);
        if ends { self.in_session(now, session::Event::SecondBadge) } else { vec![] }
    }

    /// Cards and fingers.
    pub(super) fn on_factor(&mut self, now: Moment, event: FactorEvent) -> Vec<Effect> {
        let to_wizard = |event: FactorEvent| enrolment::Event::Factor(event);
        match event {
            FactorEvent::CardPresented(seen) => {
                if let Some(open) = self.held.open_mut() {
                    open.wizard.guest_card = open.wizard.is_running().then(|| seen.clone());
                }
                if self.is_enrolling() {
                    let event = to_wizard(FactorEvent::CardPresented(seen));
                    return self.touched_in_enrolment(now, event);
                }
                let CardSeen { card, subject: _, valid_until: _ } = seen;
                self.on_token(now, Token::Card(card))
            }
            FactorEvent::CardUnreadable(fault) => self.on_unreadable_card(now, fault),
            FactorEvent::CardRemoved => {
                if self.take_guest_card() {
                    return self.in_enrolment(now, to_wizard(FactorEvent::CardRemoved));
                }
                self.in_session(now, session::Event::CardRemoved)
            }
            FactorEvent::CardProved(attempt, _)
            | FactorEvent::CardRefused(attempt, _)
            | FactorEvent::CardEnrolled(attempt, _)
                if is_wizards(attempt) =>
            {
                self.in_enrolment(now, to_wizard(event))
            }
            FactorEvent::CardProved(attempt, proof) => {
                self.in_session(now, session::Event::CardProved(attempt, proof))
            }
            FactorEvent::CardRefused(attempt, why) => {
                self.in_session(now, session::Event::CardRefused(attempt, why))
            }
            // Nobody asked for an enrolment.
            FactorEvent::CardEnrolled(..) => vec![],
            FactorEvent::Sensor(sensor) => {
                self.health.set_sensor(sensor.as_ref());
                self.in_session(now, session::Event::Sensor(sensor))
            }
            FactorEvent::Finger(finger) if is_wizards(asked(&finger)) => {
                self.touched_in_enrolment(now, to_wizard(FactorEvent::Finger(finger)))
            }
            FactorEvent::Finger(finger) => self.in_session(now, session::Event::Finger(finger)),
        }
    }

    fn on_unreadable_card(&mut self, now: Moment, fault: CardFault) -> Vec<Effect> {
        let was_guest = self.take_guest_card();
        // Without a guest it may be the operator's own card that cannot be read any more.
        let is_own = !was_guest && matches!(self.session.token(), Some(Token::Card(_)));
        if self.is_enrolling() && !is_own {
            let event = enrolment::Event::Factor(FactorEvent::CardUnreadable(fault));
            return self.touched_in_enrolment(now, event);
        }
        // Whatever was in the reader is not there any more.
        let effects = self.in_session(now, session::Event::CardRemoved);
        let notice = match fault {
            CardFault::LeftTooSoon => Notice::CardLeftTooSoon,
            CardFault::NotPiv => Notice::CardNotPiv,
            CardFault::Unreadable => Notice::CardUnreadable,
        };
        self.notices.tell(now, notice);
        effects
    }

    /// A reader appeared, vanished or failed. A card in a reader that cannot be used is as good as
    /// pulled, a guest's as well as the operator's own. Badges have readers of several kinds, so their
    /// drivers say themselves which badge is gone.
    pub(super) fn on_reader(
        &mut self,
        now: Moment,
        kind: ReaderKind,
        health: ReaderHealth,
    ) -> Vec<Effect> {
        self.health.set_reader(kind, health);
        match kind {
            ReaderKind::SmartCard if health != ReaderHealth::Ready => {
                let mut effects = Vec::new();
                if self.take_guest_card() {
                    let gone = enrolment::Event::Factor(FactorEvent::CardRemoved);
                    effects.extend(self.in_enrolment(now, gone));
                }
                effects.extend(self.in_session(now, session::Event::CardRemoved));
                effects
            }
            ReaderKind::SmartCard | ReaderKind::Badge | ReaderKind::Finger => vec![],
        }
    }

    /// A badge that is no guest's, or a card.
    fn on_token(&mut self, now: Moment, token: Token) -> Vec<Effect> {
        if self.clerk.unusable().is_some() {
            self.notices.tell(now, Notice::StoreBroken);
            return vec![];
        }
        match (&self.clerk.phase, token) {
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

    fn submit_pin(&mut self, now: Moment, pin: Pin) -> Vec<Effect> {
        if self.is_enrolling() {
            return self.in_enrolment(now, enrolment::Event::Pin(pin));
        }
        match self.clerk.phase {
            Phase::FirstStart(_) => self.in_setup(now, setup::Event::Pin(pin)),
            Phase::Starting | Phase::Running | Phase::Trouble(..) => {
                self.notices.clear();
                self.in_session(now, session::Event::PinSubmitted(pin))
            }
        }
    }

    /// Leaves what is in front: in a session the page's form or wizard, else the prompt.
    pub(super) fn cancel(&mut self, now: Moment) -> Vec<Effect> {
        if self.held.open().is_some() {
            return self.in_open(now, Open::step_back);
        }
        match self.clerk.phase {
            Phase::FirstStart(_) => self.in_setup(now, setup::Event::Cancel),
            Phase::Starting | Phase::Running | Phase::Trouble(..) => {
                self.notices.clear();
                self.in_session(now, session::Event::Cancelled)
            }
        }
    }

    fn is_enrolling(&self) -> bool {
        self.held.open().is_some_and(|open| open.wizard.is_running())
    }

    fn take_guest_card(&mut self) -> bool {
        self.held.open_mut().is_some_and(|open| open.wizard.guest_card.take().is_some())
    }

    fn in_enrolment(&mut self, now: Moment, event: enrolment::Event) -> Vec<Effect> {
        self.in_open(now, |open, desk| open.in_enrolment(desk, event))
    }

    /// Somebody who presents the badge, card or finger that is waited for is there: the session does
    /// not fall idle.
    fn touched_in_enrolment(&mut self, now: Moment, event: enrolment::Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.held.open().and_then(|open| open.wizard.waits_for_reader()) == Some(true) {
            effects.extend(self.in_session(now, session::Event::Activity));
        }
        effects.extend(self.in_enrolment(now, event));
        effects
    }

    /// The store knows whose token it is, or that it is nobody's.
    pub(super) fn identified(
        &mut self,
        now: Moment,
        attempt: Attempt,
        identified: Identified,
    ) -> Vec<Effect> {
        if is_wizards(attempt) {
            return self.in_enrolment(now, enrolment::Event::Identified(attempt, identified));
        }
        self.in_session(now, session::Event::Identified(attempt, identified))
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
            self.held = Held::Arrived(Box::new(Arrival { patient, draft }));
            if operator.role.may(Permission::ReadAudit) {
                self.clerk.recall(&self.site);
            }
        }
        self.in_session(now, session::Event::Unlocked { attempt, operator, must_choose_pin })
    }

    /// The store's answer. S-6: a card of another patient than the one at this bed is never shown.
    pub(super) fn emergency_answered(
        &mut self,
        now: Moment,
        attempt: Attempt,
        answer: Result<Box<EmergencyCard>, EmergencyRefusal>,
    ) -> Vec<Effect> {
        let is_here = |card: &EmergencyCard| Some(card.patient.id) == self.monitor.subject();
        let event = match answer {
            Ok(card) if self.session.awaits(attempt) && is_here(&card) => {
                self.held = Held::Emergency(card);
                session::Event::EmergencyOpened(attempt)
            }
            Ok(_) => {
                let nothing = EmergencyRefusal::Nothing;
                let refused = session::Event::EmergencyRefused(attempt, nothing);
                let mut effects = self.in_session(now, refused);
                // The log says that it was opened; it has to say as well that nobody sees it.
                effects.push(self.audit(now, AuditAct::EmergencyEnded));
                return effects;
            }
            Err(refusal) => session::Event::EmergencyRefused(attempt, refusal),
        };
        self.in_session(now, event)
    }

    pub(super) fn in_session(&mut self, now: Moment, event: session::Event) -> Vec<Effect> {
        // Which fingerprint reader is there is told once, mostly before the store has answered.
        let is_news_of_the_sensor = matches!(event, session::Event::Sensor(_));
        if !self.clerk.is_usable() && !is_news_of_the_sensor {
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
                self.notices.clear();
                return vec![];
            }
            session::Effect::Conceal => return self.conceal(now, seen),
            session::Effect::Notify(notice) => {
                self.notices.tell(now, notice);
                return vec![];
            }
        }]
    }

    /// Shows what this person's role may see.
    fn reveal(&mut self, now: Moment, operator: &Operator) -> Vec<Effect> {
        self.notices.clear();
        let arrival = self.held.take_arrival();
        let unlocked = AuditEntry {
            operator: Some(operator.id),
            subject: self.subject_seen_by(operator.role),
            pair: self.session.pair(),
            ..AuditEntry::of(AuditAct::Unlocked, now.wall)
        };
        let mut effects = vec![Effect::Store(StoreCommand::Audit(Box::new(unlocked)))];
        let (open, asked) = Open::begin(&mut self.desk(now).1, operator, arrival);
        self.held = Held::Session(Box::new(open));
        effects.extend(asked);
        effects
    }

    /// Forgets everything that a session or an emergency view showed, and has the vault closed.
    fn conceal(&mut self, now: Moment, seen: &Seen) -> Vec<Effect> {
        self.clerk.conceal();
        let held = std::mem::take(&mut self.held);
        let (left, draft) = match held {
            Held::Session(open) => open.close(&mut self.desk(now).1),
            Held::Nothing | Held::Arrived(_) | Held::Emergency(_) => (vec![], None),
        };
        let ended = |act, operator, subject| {
            let entry = AuditEntry { operator, subject, ..AuditEntry::of(act, now.wall) };
            Effect::Store(StoreCommand::Audit(Box::new(entry)))
        };
        let entry = match seen {
            Seen::Nothing => None,
            Seen::Session(operator, role) => {
                Some(ended(AuditAct::Locked, Some(*operator), self.subject_seen_by(*role)))
            }
            Seen::Emergency => Some(ended(AuditAct::EmergencyEnded, None, self.monitor.subject())),
        };
        let close = Effect::Store(StoreCommand::Close(draft, now));
        left.into_iter().chain(entry).chain([close]).collect()
    }

    pub(super) fn in_setup(&mut self, now: Moment, event: setup::Event) -> Vec<Effect> {
        let Phase::FirstStart(wizard) = &mut self.clerk.phase else { return vec![] };
        let effect = wizard.handle(event, &self.site.places());
        let done = matches!(wizard.step(), Step::Done);
        let mut effects = Vec::new();
        match effect {
            Some(setup::Effect::Initialise(new)) => {
                effects.push(Effect::Store(StoreCommand::Initialise(new, now)));
            }
            Some(setup::Effect::Notify(notice)) => self.notices.tell(now, notice),
            None => self.notices.clear(),
        }
        if done {
            self.clerk.phase = Phase::Running;
            effects.push(desk::save_cart(now, &self.monitor, self.language));
        }
        effects
    }

    /// Whom a session of this role shows.
    fn subject_seen_by(&self, role: Role) -> Option<SubjectId> {
        self.monitor.subject().filter(|_| role.may(Permission::SeePatients))
    }
}

/// What the fingerprint reader was asked.
fn asked(finger: &FingerEvent) -> Attempt {
    match finger {
        FingerEvent::Matched(attempt, _)
        | FingerEvent::NotMatched(attempt)
        | FingerEvent::Retry(attempt, _)
        | FingerEvent::Stage(attempt, ..)
        | FingerEvent::Enrolled(attempt, _)
        | FingerEvent::Failed(attempt, _) => *attempt,
    }
}
