//! The session's transitions. S-1: every path that is not written out ends in `Locked`.
//!
//! Two things no transition has to think of, because they follow from the states alone: whoever leaves
//! a state in which something may be open conceals it first (`State::holds`), and whoever leaves a
//! prompt that waits for a finger stops the fingerprint reader first (`State::watched`).

mod emergency;
mod locked;
mod open;
mod partial;
mod state;
mod unlocking;

pub use emergency::Emergency;
pub use partial::{Prompt, Watch};
pub use state::{Effect, Event, FingerPrompt, State};
pub use unlocking::Choosing;

use std::time::Duration;

use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Badge, Sensor, Token};
use wardkeep_model::access::policy::{Pair, Policy, SHIFT_MAX};
use wardkeep_model::access::{Operator, Role};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::FingerCommand;

/// A prompt that nobody touches ends after this.
pub const PARTIAL_IDLE_MAX: Duration = Duration::from_secs(30);
/// A prompt ends after this even if somebody keeps touching it.
pub const PARTIAL_MAX: Duration = Duration::from_secs(120);
/// The store has this long to answer.
pub const UNLOCKING_MAX: Duration = Duration::from_secs(10);
/// The card has this long to prove itself.
pub const PROVING_MAX: Duration = Duration::from_secs(10);
/// Presenting the same token again within this time is one tap.
pub const REPEAT_TAP_MAX: Duration = Duration::from_secs(3);
/// A badge that stays in the field this long was laid down, not tapped: taking it away locks.
pub const PLACED_AFTER: Duration = Duration::from_secs(3);
/// Default time without a touch until an open session locks.
pub const IDLE_DEFAULT: Duration = Duration::from_secs(120);
/// A session ends after this even if somebody keeps touching it (SP 800-63B: 12 h over all).
pub const SESSION_MAX: Duration = SHIFT_MAX;
/// Fingers in a row that match nobody, until the finger counts no more (SP 800-63B: 5).
pub const FINGER_MISSES_MAX: u8 = 5;

/// Where a transition leads, and what is to be done.
type Step = (State, Vec<Effect>);

/// The machine.
#[derive(Debug)]
pub struct Session {
    state: State,
    attempts: u64,
    prompts: u64,
    idle: Duration,
    policy: Policy,
    sensor: Option<Sensor>,
    /// The badge in the field, and since when.
    badge: Option<(Badge, BootTime)>,
    /// Since when a card has been in its reader.
    card: Option<BootTime>,
    /// When the screen was last touched.
    touched: BootTime,
    /// What locked the session by being presented again, and when: the same tap may bounce, and where a
    /// tap alone opens it would open what it has just closed.
    tapped_out: Option<(Token, BootTime)>,
}

impl Session {
    /// A locked session that takes what `policy` allows and locks after `idle` without a touch.
    pub fn new(idle: Duration, policy: Policy) -> Self {
        Self {
            state: State::Locked,
            attempts: 0,
            prompts: 0,
            idle,
            policy,
            sensor: None,
            badge: None,
            card: None,
            touched: BootTime::default(),
            tapped_out: None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What a logged-in person's role may see is shown.
    pub fn is_open(&self) -> bool {
        self.operator().is_some()
    }

    /// Who is logged in.
    pub fn operator(&self) -> Option<&Operator> {
        self.opened().map(|(operator, ..)| operator)
    }

    /// What the logged-in person may see and do.
    pub fn role(&self) -> Option<Role> {
        self.operator().map(|operator| operator.role)
    }

    /// With which factors they logged in.
    pub fn pair(&self) -> Option<Pair> {
        self.opened().map(|(_, pair, _)| pair)
    }

    /// Since when they are logged in.
    pub fn since(&self) -> Option<BootTime> {
        self.opened().map(|(.., since)| since)
    }

    fn opened(&self) -> Option<(&Operator, Pair, BootTime)> {
        match &self.state {
            State::Open { operator, pair, since, .. } => Some((operator, *pair, *since)),
            State::Locked
            | State::Partial(_)
            | State::Proving { .. }
            | State::Unlocking { .. }
            | State::ChoosingPin(_)
            | State::Emergency(_) => None,
        }
    }

    /// Counts prompts: a new number means that whatever was typed is to be forgotten.
    pub fn prompt(&self) -> u64 {
        self.prompts
    }

    /// The store's answer to this attempt would open something; any other is discarded.
    pub fn awaits(&self, answered: Attempt) -> bool {
        match &self.state {
            State::Unlocking { attempt, .. } => *attempt == answered,
            State::Emergency(emergency) => emergency.awaits(answered),
            State::Locked
            | State::Partial(_)
            | State::Proving { .. }
            | State::ChoosingPin(_)
            | State::Open { .. } => false,
        }
    }

    /// The store's answer to this attempt is about the PIN that is being chosen.
    pub fn awaits_pin(&self, answered: Attempt) -> bool {
        matches!(&self.state, State::ChoosingPin(choosing) if choosing.sent == Some(answered))
    }

    /// When [`Event::Tick`] is due at the latest.
    pub fn next_deadline(&self) -> Option<BootTime> {
        self.state.deadline()
    }

    /// When the token that lies in its reader counts as left behind, unless somebody touches the
    /// screen or takes it; `None` while no token lies there.
    pub fn left_behind_at(&self) -> Option<BootTime> {
        let badge = self.badge.as_ref().map(|(_, since)| *since);
        let laid = badge.into_iter().chain(self.card).min()?;
        Some(laid.max(self.touched) + self.policy.left_behind)
    }

    /// A token lies in its reader and nobody has touched the screen for as long as the site allows.
    pub fn is_left_behind(&self, now: BootTime) -> bool {
        self.left_behind_at().is_some_and(|at| now >= at)
    }

    /// Advances the machine by one event.
    pub fn handle(&mut self, now: BootTime, event: Event) -> Vec<Effect> {
        let mut effects = vec![];
        if self.next_deadline().is_some_and(|deadline| now >= deadline) {
            effects = self.step(|_, current| (State::Locked, vec![expired(&current, now)]));
        }
        // Told again which reader is there: the finger that it waits for still counts.
        let is_told_again = matches!(&event, Event::Sensor(sensor) if *sensor == self.sensor);
        let event = if is_told_again { Event::Tick } else { event };
        self.tapped_out.take_if(|(_, at)| now.since(*at) >= REPEAT_TAP_MAX);
        let taken = self.taken_away(now, &event);
        self.look(now, &event);
        effects.extend(self.step(|session, current| match taken {
            Some(notice) => locked(notice),
            None => session.transition(current, now, event),
        }));
        effects
    }

    /// Makes one step. What follows from leaving a state alone comes before all else.
    fn step(&mut self, transition: impl FnOnce(&mut Self, State) -> Step) -> Vec<Effect> {
        let (watched, held) = (self.state.watched(), self.state.holds());
        // Fail closed: a panic below leaves the session locked.
        let current = std::mem::replace(&mut self.state, State::Locked);
        let (next, more) = transition(self, current);
        self.state = next;
        let mut effects = Vec::new();
        if watched.is_some() && self.state.watched() != watched {
            effects.push(Effect::Finger(FingerCommand::Stop));
        }
        if held && !self.state.holds() {
            effects.push(Effect::Conceal);
        }
        effects.extend(more);
        effects
    }

    fn transition(&mut self, current: State, now: BootTime, event: Event) -> Step {
        if matches!(event, Event::LockPressed) {
            return (State::Locked, vec![]);
        }
        match current {
            State::Locked => self.while_locked(now, event),
            State::Partial(prompt) => self.while_partial(prompt, now, event),
            State::Proving { prompt, attempt, deadline } => {
                self.while_proving((prompt, attempt, deadline), now, event)
            }
            State::Unlocking { prompt, attempt, pair, deadline } => {
                self.while_unlocking((prompt, attempt, pair, deadline), now, event)
            }
            State::ChoosingPin(choosing) => self.while_choosing(choosing, now, event),
            State::Open { .. } => self.while_open(current, now, event),
            State::Emergency(emergency) => self.while_emergency(emergency, now, event),
        }
    }

    /// The token that the session rests on was taken away: a card that was pulled, or a badge that
    /// had been laid down.
    fn taken_away(&self, now: BootTime, event: &Event) -> Option<Notice> {
        match self.state.token()? {
            Token::Card(_) => matches!(event, Event::CardRemoved).then_some(Notice::CardPulled),
            Token::Badge(own) => {
                let placed = self
                    .badge
                    .as_ref()
                    .is_some_and(|(laid, since)| laid == own && now.since(*since) >= PLACED_AFTER);
                let pulled = placed && matches!(event, Event::BadgeRemoved);
                pulled.then_some(Notice::BadgePulled)
            }
        }
    }

    /// Keeps in mind what lies in the readers and when the screen was touched.
    fn look(&mut self, now: BootTime, event: &Event) {
        match event {
            Event::Presented(Token::Badge(badge)) => self.badge = Some((badge.clone(), now)),
            Event::Presented(Token::Card(_)) => self.card = Some(now),
            Event::BadgeRemoved => self.badge = None,
            Event::CardRemoved => self.card = None,
            Event::Activity => self.touched = now,
            Event::Sensor(sensor) => self.sensor = sensor.clone(),
            Event::PinSubmitted(_)
            | Event::Cancelled
            | Event::LockPressed
            | Event::EmergencyAsked
            | Event::ReasonChosen(_)
            | Event::Identified(..)
            | Event::Unlocked { .. }
            | Event::Refused(..)
            | Event::PinChosen(..)
            | Event::EmergencyOpened(_)
            | Event::EmergencyRefused(..)
            | Event::CardProved(..)
            | Event::CardRefused(..)
            | Event::Finger(_)
            | Event::Tick => {}
        }
    }

    fn next_attempt(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt(self.attempts)
    }
}

/// Locked, and why.
fn locked(notice: Notice) -> Step {
    (State::Locked, vec![Effect::Notify(notice)])
}

/// What is said when a deadline has passed.
fn expired(state: &State, now: BootTime) -> Effect {
    Effect::Notify(match state {
        State::Locked | State::Partial(_) => Notice::PinTimedOut,
        State::Proving { .. } => Notice::CardUnreadable,
        State::Unlocking { .. } => Notice::VaultDamaged,
        State::ChoosingPin(Choosing { sent: None, .. }) => Notice::PinTimedOut,
        State::ChoosingPin(Choosing { sent: Some(_), .. }) => Notice::NotWritten,
        State::Open { since, .. } if now.since(*since) >= SESSION_MAX => Notice::ShiftOver,
        State::Open { .. } => Notice::LockedIdle,
        State::Emergency(emergency) => emergency.expired(),
    })
}
