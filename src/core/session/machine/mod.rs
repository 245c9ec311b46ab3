//! The session's transitions. S-1: every path that is not written out ends in `Locked`.
//!
//! Two things no transition has to think of, because they follow from the states alone: whoever leaves
//! a state in which something may be open conceals it first (`State::holds`), and whoever leaves a
//! prompt that waits for a finger stops the fingerprint reader first (`State::watched`).

mod choosing;
mod emergency;
mod event;
mod limits;
mod locked;
mod open;
mod partial;
mod prompt;
mod proving;
mod site;
mod state;
mod unlocking;

use std::time::Duration;

use wardkeep_model::access::factor::{Attempt, Badge, Token};
use wardkeep_model::access::policy::{Pair, Policy};
use wardkeep_model::access::{Operator, Role};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::FingerCommand;

use self::site::Site;
use self::state::Step;

pub use self::event::{Effect, Event};
pub use self::limits::{
    FINGER_MISSES_MAX, IDLE_DEFAULT, PARTIAL_IDLE_MAX, PARTIAL_MAX, PLACED_AFTER, PROVING_MAX,
    REPEAT_TAP_MAX, SESSION_MAX, UNLOCKING_MAX,
};
pub use self::state::{Choosing, Emergency, FingerPrompt, Prompt, State, Watch};

/// The machine.
#[derive(Debug)]
pub struct Session {
    state: State,
    site: Site,
    /// The badge in the field, and since when.
    badge: Option<(Badge, BootTime)>,
    /// Since when a card has been in its reader.
    card: Option<BootTime>,
    /// When the screen was last touched.
    touched: BootTime,
}

impl Session {
    /// A locked session that takes what `policy` allows and locks after `idle` without a touch.
    pub fn new(idle: Duration, policy: Policy, places: Vec<String>) -> Self {
        Self {
            state: State::Locked,
            site: Site::new(idle, policy, places),
            badge: None,
            card: None,
            touched: BootTime::default(),
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

    /// Nobody is logged in, and nobody is on the way.
    pub fn is_locked(&self) -> bool {
        matches!(self.state, State::Locked)
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

    /// The badge or card they logged in with.
    pub fn token(&self) -> Option<&Token> {
        match &self.state {
            State::Open { token, .. } => Some(token),
            State::Locked
            | State::Partial(_)
            | State::Proving { .. }
            | State::Unlocking { .. }
            | State::ChoosingPin(_)
            | State::Emergency(_) => None,
        }
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
        self.site.prompt()
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
        Some(laid.max(self.touched) + self.site.policy.left_behind)
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
        let is_told_again = matches!(&event, Event::Sensor(sensor) if *sensor == self.site.sensor);
        let event = if is_told_again { Event::Tick } else { event };
        self.site.tapped_out.take_if(|(_, at)| now.since(*at) >= REPEAT_TAP_MAX);
        let taken = self.taken_away(now, &event);
        self.look(now, &event);
        effects.extend(self.step(|site, current| match taken {
            Some(notice) => state::locked(notice),
            None => transition(current, now, event, site),
        }));
        effects
    }

    /// Makes one step. What follows from leaving a state alone comes before all else.
    fn step(&mut self, transition: impl FnOnce(&mut Site, State) -> Step) -> Vec<Effect> {
        let (watched, held) = (self.state.watched(), self.state.holds());
        // Fail closed: a panic below leaves the session locked.
        let current = std::mem::replace(&mut self.state, State::Locked);
        let (next, more) = transition(&mut self.site, current);
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

    /// The token that the session rests on was taken away: a card that was pulled, or a badge that
    /// had been laid down.
    fn taken_away(&self, now: BootTime, event: &Event) -> Option<Notice> {
        match self.state.token()? {
            Token::Card(_) => matches!(event, Event::CardRemoved).then_some(Notice::CardPulled),
            // Nobody can say whose prompt it is.
            Token::Badge(_) if matches!(event, Event::SecondBadge) && self.state.prompts() => {
                Some(Notice::TwoBadges)
            }
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
            Event::Sensor(sensor) => self.site.sensor = sensor.clone(),
            Event::SecondBadge
            | Event::PinSubmitted(_)
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
}

fn transition(current: State, now: BootTime, event: Event, site: &mut Site) -> Step {
    if matches!(event, Event::LockPressed) {
        return (State::Locked, vec![]);
    }
    match current {
        State::Locked => locked::handle(now, event, site),
        State::Partial(prompt) => partial::handle(prompt, now, event, site),
        State::Proving { prompt, attempt, deadline } => {
            proving::handle((prompt, attempt, deadline), now, event, site)
        }
        State::Unlocking { prompt, attempt, pair, deadline } => {
            unlocking::handle((prompt, attempt, pair, deadline), now, event, site)
        }
        State::ChoosingPin(choosing) => choosing::handle(choosing, now, event, site),
        State::Open { .. } => open::handle(current, now, event, site),
        State::Emergency(emergency) => emergency::handle(emergency, now, event, site),
    }
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
