//! While a card works on its PIN.

use wardkeep_model::access::factor::{Attempt, Evidence, Token};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardRefusal, Proof};

use crate::session::card;
use crate::session::machine::event::Event;
use crate::session::machine::prompt::{self, Again};
use crate::session::machine::site::Site;
use crate::session::machine::state::{Prompt, State, Step, locked};

pub(super) fn handle(
    (prompt, attempt, deadline): (Prompt, Attempt, BootTime),
    now: BootTime,
    event: Event,
    site: &mut Site,
) -> Step {
    match event {
        Event::CardProved(answered, Proof(secret)) if answered == attempt => match prompt.token {
            Token::Card(card) => prompt::unlock(prompt, Evidence::Card(card, secret), now, site),
            Token::Badge(_) => locked(Notice::CardChanged),
        },
        Event::CardRefused(answered, refusal) if answered == attempt => match refusal {
            CardRefusal::WrongPin { tries_left } => {
                let again = Again { tries_left: Some(tries_left), from: now, refused: true };
                prompt::again(prompt, again, Notice::CardPinWrong, site)
            }
            CardRefusal::LastTry
            | CardRefusal::Blocked
            | CardRefusal::NotTrusted(_)
            | CardRefusal::NoKey
            | CardRefusal::Changed
            | CardRefusal::Gone
            | CardRefusal::Broken => locked(card::notice(refusal)),
        },
        // Between its PIN and its proof it is another card.
        Event::Presented(Token::Card(other)) if prompt.token != Token::Card(other) => {
            locked(Notice::CardChanged)
        }
        Event::Presented(other) if other != prompt.token => prompt::begin(other, now, site),
        Event::Cancelled => (State::Locked, vec![]),
        Event::Presented(_)
        | Event::BadgeRemoved
        | Event::SecondBadge
        | Event::CardRemoved
        | Event::PinSubmitted(_)
        | Event::LockPressed
        | Event::EmergencyAsked
        | Event::ReasonChosen(_)
        | Event::Activity
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
        | Event::Tick => (State::Proving { prompt, attempt, deadline }, vec![]),
    }
}
