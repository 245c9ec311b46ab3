//! While a newcomer chooses a PIN.

use wardkeep_model::access::Operator;
use wardkeep_model::access::factor::{Pin, Token};
use wardkeep_model::access::guessable;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::AdministrationFault;
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;

use crate::session::machine::event::{Effect, Event};
use crate::session::machine::limits::{PARTIAL_IDLE_MAX, PARTIAL_MAX, UNLOCKING_MAX};
use crate::session::machine::site::Site;
use crate::session::machine::state::{Choosing, State, Step, locked};
use crate::session::machine::{open, prompt};

pub(super) fn begin(
    (operator, token, pair): (Operator, Token, Pair),
    now: BootTime,
    site: &mut Site,
) -> Step {
    site.next_prompt();
    let choosing = Choosing {
        operator,
        token,
        pair,
        first: None,
        sent: None,
        idle_deadline: now + PARTIAL_IDLE_MAX,
        deadline: now + PARTIAL_MAX,
    };
    (State::ChoosingPin(choosing), vec![])
}

pub(super) fn handle(mut choosing: Choosing, now: BootTime, event: Event, site: &mut Site) -> Step {
    match event {
        Event::PinSubmitted(pin) if choosing.sent.is_none() => {
            return pin_chosen(choosing, pin, now, site);
        }
        Event::PinChosen(answered, written) if choosing.sent == Some(answered) => {
            return pin_written(choosing, written, now, site);
        }
        Event::Presented(other) if other != choosing.token => {
            return prompt::begin(other, now, site);
        }
        Event::Cancelled => return (State::Locked, vec![]),
        Event::Activity => choosing.idle_deadline = now + PARTIAL_IDLE_MAX,
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
        | Event::Finger(_)
        | Event::Sensor(_)
        | Event::Tick => {}
    }
    (State::ChoosingPin(choosing), vec![])
}

fn pin_chosen(mut choosing: Choosing, pin: Pin, now: BootTime, site: &mut Site) -> Step {
    site.next_prompt();
    let mut effects = vec![];
    match choosing.first.take() {
        None => match guessable::weakness(&pin, site.known(&choosing.token)) {
            None => choosing.first = Some(pin),
            Some(why) => effects.push(Effect::Notify(Notice::PinGuessable(why))),
        },
        Some(first) if first != pin => effects.push(Effect::Notify(Notice::PinsDiffer)),
        Some(_) => {
            let attempt = site.next_attempt();
            choosing.sent = Some(attempt);
            choosing.deadline = now + UNLOCKING_MAX;
            effects.push(Effect::ChoosePin(attempt, pin));
        }
    }
    (State::ChoosingPin(choosing), effects)
}

fn pin_written(
    choosing: Choosing,
    written: Result<(), AdministrationFault>,
    now: BootTime,
    site: &mut Site,
) -> Step {
    let Choosing { operator, token, pair, .. } = choosing;
    match written {
        Ok(()) => {
            let (state, mut effects) = open::begin((operator, token, pair), now, site);
            effects.push(Effect::Notify(Notice::PinChanged));
            (state, effects)
        }
        Err(AdministrationFault::PinGuessable(why)) => {
            let (state, mut effects) = begin((operator, token, pair), now, site);
            effects.push(Effect::Notify(Notice::PinGuessable(why)));
            (state, effects)
        }
        Err(
            AdministrationFault::NotAllowed
            | AdministrationFault::Unknown
            | AdministrationFault::TokenInUse
            | AdministrationFault::TokenRandom
            | AdministrationFault::NameIncomplete
            | AdministrationFault::NameDeceptive
            | AdministrationFault::NoBadge
            | AdministrationFault::LastAdministrator
            | AdministrationFault::VoucherNeeded
            | AdministrationFault::VoucherWrong
            | AdministrationFault::TooMany
            | AdministrationFault::Exists
            | AdministrationFault::NoPatient
            | AdministrationFault::SeveralPatients
            | AdministrationFault::KeysUnchanged(_)
            | AdministrationFault::Store(_),
        ) => locked(Notice::NotWritten),
    }
}
