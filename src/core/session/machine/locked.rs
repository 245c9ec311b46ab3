//! While nobody is logged in.

use crate::session::machine::{
    Effect, Event, PARTIAL_IDLE_MAX, PARTIAL_MAX, Prompt, Session, State, Step, Watch, locked,
};
use wardkeep_model::access::factor::Token;
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;

impl Session {
    pub(super) fn while_locked(&mut self, now: BootTime, event: Event) -> Step {
        match event {
            Event::Presented(token) if self.bounces(&token, now) => (State::Locked, vec![]),
            Event::Presented(token) => self.prompt_for(token, now),
            Event::EmergencyAsked => self.begin_emergency(now),
            // A late answer to an attempt that was abandoned: what it opened was told to close already.
            Event::Identified(..)
            | Event::Unlocked { .. }
            | Event::Refused(..)
            | Event::PinChosen(..)
            | Event::EmergencyOpened(_)
            | Event::EmergencyRefused(..)
            | Event::CardProved(..)
            | Event::CardRefused(..)
            | Event::Finger(_)
            | Event::BadgeRemoved
            | Event::CardRemoved
            | Event::PinSubmitted(_)
            | Event::Cancelled
            | Event::LockPressed
            | Event::ReasonChosen(_)
            | Event::Activity
            | Event::Sensor(_)
            | Event::Tick => (State::Locked, vec![]),
        }
    }

    /// The tap that has just locked is still going on: it must not open again what it has closed.
    fn bounces(&mut self, token: &Token, now: BootTime) -> bool {
        let out = self.tapped_out.as_mut().filter(|(tapped, _)| tapped == token);
        let bounces = out.is_some();
        if let Some((_, at)) = out {
            *at = now;
        }
        bounces
    }

    /// Asks for this token's second factor. Never a list of people: the token says who.
    pub(super) fn prompt_for(&mut self, token: Token, now: BootTime) -> Step {
        if !self.policy.takes(token.kind()) {
            return locked(Notice::CardWanted);
        }
        self.prompts += 1;
        let attempt = self.next_attempt();
        let effects = vec![Effect::Identify(attempt, token.clone())];
        let prompt = Prompt {
            token,
            attempt,
            peer: None,
            tries_left: None,
            admitted_from: now,
            refused: false,
            finger: Watch::default(),
            idle_deadline: now + PARTIAL_IDLE_MAX,
            deadline: now + PARTIAL_MAX,
        };
        (State::Partial(prompt), effects)
    }
}
