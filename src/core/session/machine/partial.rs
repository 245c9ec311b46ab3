//! While a token is known and its second factor is wanted: PIN and finger side by side.
//!
//! Whichever comes first counts. A finger opens only inside a shift, and only on a reader that the
//! templates were taken on; the PIN is always there.

use crate::session::FingerPrompt;
use crate::session::machine::{
    Effect, Event, FINGER_MISSES_MAX, PARTIAL_IDLE_MAX, PROVING_MAX, Session, State, Step,
    UNLOCKING_MAX, locked,
};
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{CardPeer, Evidence, Pin, Template, Token, TokenKind};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::{Identified, Shift};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardCommand, FingerCommand, FingerEvent, FingerFault};

/// What was presented, and how its prompt stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// What was presented.
    pub token: Token,
    /// The store's question about it.
    pub attempt: Attempt,
    /// What a card has to agree on a key with; `None` until the store has answered.
    pub peer: Option<CardPeer>,
    /// Tries left: the store's count for a badge, the card's own for a card; `None` until told.
    pub tries_left: Option<u8>,
    /// A PIN may be tried from here on.
    pub admitted_from: BootTime,
    /// The last PIN was refused.
    pub refused: bool,
    /// How the finger stands.
    pub finger: Watch,
    /// Nobody touched the prompt since `idle_deadline - PARTIAL_IDLE_MAX`.
    pub idle_deadline: BootTime,
    /// End of the prompt whatever happens.
    pub deadline: BootTime,
}

/// How the finger stands beside the PIN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// The question that the fingerprint reader works on.
    pub attempt: Option<Attempt>,
    /// Fingers in a row that matched nobody.
    pub misses: u8,
    /// What the screen says; `None` where no finger is wanted.
    pub shown: Option<FingerPrompt>,
}

impl Watch {
    fn off(&mut self) {
        self.attempt = None;
        self.shown = Some(FingerPrompt::Off);
    }

    /// A finger was wanted, and the reader still worked.
    pub(super) fn is_on(&self) -> bool {
        match self.shown {
            Some(FingerPrompt::Waiting | FingerPrompt::NotMatched | FingerPrompt::Retry(_)) => true,
            Some(FingerPrompt::Off) | None => false,
        }
    }
}

/// The pair that this token makes with a finger, and alone.
fn shift_pairs(token: &Token) -> (Pair, Pair) {
    match token.kind() {
        TokenKind::Badge => (Pair::BadgeFinger, Pair::BadgeAlone),
        TokenKind::Card => (Pair::CardFinger, Pair::CardAlone),
    }
}

impl Session {
    /// Inside a shift this token needs nothing beside it here.
    pub(super) fn opens_alone(&self, token: &Token) -> bool {
        self.policy.allows(shift_pairs(token).1)
    }

    pub(super) fn while_partial(
        &mut self,
        mut prompt: Prompt,
        now: BootTime,
        event: Event,
    ) -> Step {
        match event {
            Event::Presented(other) if other != prompt.token => return self.prompt_for(other, now),
            Event::PinSubmitted(pin) if pin.is_complete() && now >= prompt.admitted_from => {
                return self.pin_typed(prompt, pin, now);
            }
            Event::Identified(answered, identified) if answered == prompt.attempt => {
                return self.identified(prompt, identified, now);
            }
            Event::Finger(event) => return self.fingered(prompt, event, now),
            Event::Sensor(_) if prompt.finger.attempt.is_some() => prompt.finger.off(),
            Event::Cancelled => return (State::Locked, vec![]),
            Event::Activity => prompt.idle_deadline = now + PARTIAL_IDLE_MAX,
            Event::Presented(_)
            | Event::BadgeRemoved
            | Event::CardRemoved
            | Event::PinSubmitted(_)
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
            | Event::Sensor(_)
            | Event::Tick => {}
        }
        (State::Partial(prompt), vec![])
    }

    fn pin_typed(&mut self, prompt: Prompt, pin: Pin, now: BootTime) -> Step {
        match &prompt.token {
            Token::Badge(badge) => {
                let evidence = Evidence::BadgePin(badge.clone(), pin);
                self.unlock(prompt, evidence, now)
            }
            Token::Card(card) => {
                // Without the store's answer there is nothing that the card could agree with.
                let Some(peer) = prompt.peer.clone() else {
                    return (State::Partial(prompt), vec![]);
                };
                self.prompts += 1;
                let attempt = self.next_attempt();
                let prove = CardCommand::Prove { attempt, card: *card, pin, peer };
                let deadline = now + PROVING_MAX;
                (State::Proving { prompt, attempt, deadline }, vec![Effect::Card(prove)])
            }
        }
    }

    fn identified(&mut self, mut prompt: Prompt, identified: Identified, now: BootTime) -> Step {
        let Identified { admission, peer, shift } = identified;
        match admission {
            Admission::Exhausted => return locked(Notice::TriesExhausted),
            Admission::Wait(delay) => prompt.admitted_from = now + delay,
            Admission::Try { tries_left } => match prompt.token.kind() {
                TokenKind::Badge => prompt.tries_left = Some(tries_left),
                // A card counts for itself, and says so when its PIN is wrong.
                TokenKind::Card => {}
            },
        }
        prompt.peer = peer;
        if prompt.token.kind() == TokenKind::Card && prompt.peer.is_none() {
            return locked(Notice::CardNoKey);
        }
        match shift {
            None => (State::Partial(prompt), vec![]),
            Some(shift) => self.in_shift(prompt, shift, now),
        }
    }

    /// A shift share is alive: the token alone opens, or a finger does as well as the PIN.
    fn in_shift(&mut self, mut prompt: Prompt, shift: Shift, now: BootTime) -> Step {
        let (finger, _) = shift_pairs(&prompt.token);
        if shift.tap && self.opens_alone(&prompt.token) {
            let evidence = Evidence::Tap(prompt.token.clone());
            return self.unlock(prompt, evidence, now);
        }
        let Some(sensor) = &self.sensor else { return (State::Partial(prompt), vec![]) };
        if shift.templates.is_empty() || !self.policy.allows(finger) {
            return (State::Partial(prompt), vec![]);
        }
        let templates: Vec<Template> =
            shift.templates.into_iter().filter(|template| template.sensor == *sensor).collect();
        if templates.is_empty() || prompt.finger.misses >= FINGER_MISSES_MAX {
            prompt.finger.off();
            return (State::Partial(prompt), vec![]);
        }
        let attempt = self.next_attempt();
        prompt.finger.attempt = Some(attempt);
        prompt.finger.shown = Some(FingerPrompt::Waiting);
        let identify = Effect::Finger(FingerCommand::Identify { attempt, templates });
        (State::Partial(prompt), vec![identify])
    }

    fn fingered(&mut self, mut prompt: Prompt, event: FingerEvent, now: BootTime) -> Step {
        let running = prompt.finger.attempt;
        let mut effects = vec![];
        match event {
            FingerEvent::Matched(answered, template) if running == Some(answered) => {
                let evidence = Evidence::Finger(prompt.token.clone(), template);
                return self.unlock(prompt, evidence, now);
            }
            FingerEvent::NotMatched(answered) if running == Some(answered) => {
                effects.push(Effect::FingerMissed(prompt.token.clone()));
                prompt.idle_deadline = now + PARTIAL_IDLE_MAX;
                prompt.finger.misses = prompt.finger.misses.saturating_add(1);
                prompt.finger.shown = Some(FingerPrompt::NotMatched);
                if prompt.finger.misses >= FINGER_MISSES_MAX {
                    prompt.finger.off();
                    effects.push(Effect::Notify(Notice::FingerOff));
                }
            }
            FingerEvent::Retry(answered, advice) if running == Some(answered) => {
                prompt.idle_deadline = now + PARTIAL_IDLE_MAX;
                prompt.finger.shown = Some(FingerPrompt::Retry(advice));
            }
            FingerEvent::Failed(answered, fault) if running == Some(answered) => {
                prompt.finger.off();
                effects.push(Effect::Notify(match fault {
                    FingerFault::OtherSensor | FingerFault::Duplicate => Notice::FingerOff,
                    FingerFault::NotFitted | FingerFault::Broken => Notice::FingerNotFitted,
                }));
            }
            // Of an attempt that was abandoned, or of an enrolment.
            FingerEvent::Matched(..)
            | FingerEvent::NotMatched(_)
            | FingerEvent::Retry(..)
            | FingerEvent::Failed(..)
            | FingerEvent::Stage(..)
            | FingerEvent::Enrolled(..) => {}
        }
        (State::Partial(prompt), effects)
    }

    /// Hands both factors to the store. S-4: which pairs may is the policy's to say.
    pub(super) fn unlock(&mut self, prompt: Prompt, evidence: Evidence, now: BootTime) -> Step {
        let pair = evidence.pair();
        if !self.policy.allows(pair) {
            return locked(Notice::CardWanted);
        }
        self.prompts += 1;
        let attempt = self.next_attempt();
        let deadline = now + UNLOCKING_MAX;
        let unlocking = State::Unlocking { prompt, attempt, pair, deadline };
        (unlocking, vec![Effect::Unlock(attempt, evidence)])
    }
}
