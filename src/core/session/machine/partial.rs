//! While a token is known and its second factor is wanted: PIN and finger side by side.
//!
//! Whichever comes first counts. A finger opens only inside a shift, and only on a reader that the
//! templates were taken on; the PIN is always there.

use wardkeep_model::access::factor::{Evidence, Pin, Template, Token, TokenKind};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::keeping::{Identified, Shift};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardCommand, FingerCommand, FingerEvent, FingerFault};

use crate::session::machine::event::{Effect, Event};
use crate::session::machine::limits::{FINGER_MISSES_MAX, PARTIAL_IDLE_MAX, PROVING_MAX};
use crate::session::machine::prompt;
use crate::session::machine::site::{Site, shift_pairs};
use crate::session::machine::state::{FingerPrompt, Prompt, State, Step, locked};

pub(super) fn handle(mut prompt: Prompt, now: BootTime, event: Event, site: &mut Site) -> Step {
    match event {
        Event::Presented(other) if other != prompt.token => return prompt::begin(other, now, site),
        Event::PinSubmitted(pin) if pin.is_complete() && now >= prompt.admitted_from => {
            return pin_typed(prompt, pin, now, site);
        }
        Event::Identified(answered, identified) if answered == prompt.attempt => {
            return told(prompt, identified, now, site);
        }
        Event::Finger(event) => return fingered(prompt, event, now, site),
        Event::Sensor(_) if prompt.finger.attempt.is_some() => prompt.finger.off(),
        Event::Cancelled => return (State::Locked, vec![]),
        Event::Activity => prompt.idle_deadline = now + PARTIAL_IDLE_MAX,
        Event::Presented(_)
        | Event::BadgeRemoved
        | Event::SecondBadge
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

fn pin_typed(prompt: Prompt, pin: Pin, now: BootTime, site: &mut Site) -> Step {
    match &prompt.token {
        Token::Badge(badge) => {
            let evidence = Evidence::BadgePin(badge.clone(), pin);
            prompt::unlock(prompt, evidence, now, site)
        }
        Token::Card(card) => {
            // Without the store's answer there is nothing that the card could agree with.
            let Some(peer) = prompt.peer.clone() else {
                return (State::Partial(prompt), vec![]);
            };
            site.next_prompt();
            let attempt = site.next_attempt();
            let prove = CardCommand::Prove { attempt, card: *card, pin, peer };
            let deadline = now + PROVING_MAX;
            (State::Proving { prompt, attempt, deadline }, vec![Effect::Card(prove)])
        }
    }
}

fn told(mut prompt: Prompt, identified: Identified, now: BootTime, site: &mut Site) -> Step {
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
        Some(shift) => in_shift(prompt, shift, now, site),
    }
}

/// A shift share is alive: the token alone opens, or a finger does as well as the PIN.
fn in_shift(mut prompt: Prompt, shift: Shift, now: BootTime, site: &mut Site) -> Step {
    let (finger, _) = shift_pairs(&prompt.token);
    if shift.tap && site.opens_alone(&prompt.token) {
        let evidence = Evidence::Tap(prompt.token.clone());
        return prompt::unlock(prompt, evidence, now, site);
    }
    let Some(sensor) = &site.sensor else { return (State::Partial(prompt), vec![]) };
    if shift.templates.is_empty() || !site.policy.allows(finger) {
        return (State::Partial(prompt), vec![]);
    }
    let templates: Vec<Template> =
        shift.templates.into_iter().filter(|template| template.sensor == *sensor).collect();
    if templates.is_empty() || prompt.finger.misses >= FINGER_MISSES_MAX {
        prompt.finger.off();
        return (State::Partial(prompt), vec![]);
    }
    let attempt = site.next_attempt();
    prompt.finger.attempt = Some(attempt);
    prompt.finger.shown = Some(FingerPrompt::Waiting);
    let identify = Effect::Finger(FingerCommand::Identify { attempt, templates });
    (State::Partial(prompt), vec![identify])
}

fn fingered(mut prompt: Prompt, event: FingerEvent, now: BootTime, site: &mut Site) -> Step {
    let running = prompt.finger.attempt;
    let mut effects = vec![];
    match event {
        FingerEvent::Matched(answered, template) if running == Some(answered) => {
            let evidence = Evidence::Finger(prompt.token.clone(), template);
            return prompt::unlock(prompt, evidence, now, site);
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
