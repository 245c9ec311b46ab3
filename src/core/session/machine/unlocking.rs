//! While the store works on both factors.

use wardkeep_model::access::factor::{Attempt, TokenKind};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::{Refusal, Suspicion};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;

use crate::session::machine::event::Event;
use crate::session::machine::prompt::{self, Again};
use crate::session::machine::site::Site;
use crate::session::machine::state::{Prompt, State, Step, locked};
use crate::session::machine::{choosing, open};

pub(super) fn handle(
    (prompt, attempt, pair, deadline): (Prompt, Attempt, Pair, BootTime),
    now: BootTime,
    event: Event,
    site: &mut Site,
) -> Step {
    match event {
        Event::Unlocked { attempt: answered, operator, must_choose_pin } if answered == attempt => {
            if must_choose_pin {
                choosing::begin((operator, prompt.token, pair), now, site)
            } else {
                open::begin((operator, prompt.token, pair), now, site)
            }
        }
        Event::Refused(answered, refusal) if answered == attempt => {
            refused(prompt, (pair, refusal), now, site)
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
        | Event::Tick => (State::Unlocking { prompt, attempt, pair, deadline }, vec![]),
    }
}

fn refused(
    prompt: Prompt,
    (pair, refusal): (Pair, Refusal),
    now: BootTime,
    site: &mut Site,
) -> Step {
    let (admission, wrong) = match refusal {
        Refusal::Damaged(_) => return locked(Notice::VaultDamaged),
        Refusal::Suspected(Suspicion::StoreOlder) => return locked(Notice::StoreSuspected),
        Refusal::Suspected(Suspicion::CounterSilent) => return locked(Notice::CounterSilent),
        Refusal::Expired => return locked(Notice::PersonExpired),
        Refusal::NotTaken => return locked(Notice::CardWanted),
        Refusal::ShiftOver => return prompt::without_shift(prompt, now, site),
        Refusal::WrongFactors(admission) => (admission, true),
        Refusal::NotAdmitted(admission) => (admission, false),
    };
    let (tries_left, from) = match admission {
        Admission::Exhausted => return locked(Notice::TriesExhausted),
        Admission::Try { tries_left } => (Some(tries_left), now),
        Admission::Wait(delay) => (None, now + delay),
    };
    match pair {
        // The card took its PIN: what it agreed on opens nothing here, and no other PIN will help.
        Pair::CardPin if wrong => return locked(Notice::CardNoKey),
        // Nothing was typed that could be wrong: what was alive is not any more.
        Pair::CardFinger | Pair::BadgeFinger | Pair::CardAlone | Pair::BadgeAlone if wrong => {
            return prompt::without_shift(Prompt { admitted_from: from, ..prompt }, now, site);
        }
        Pair::CardPin
        | Pair::BadgePin
        | Pair::CardFinger
        | Pair::BadgeFinger
        | Pair::CardAlone
        | Pair::BadgeAlone => {}
    }
    let tries_left = tries_left.filter(|_| prompt.token.kind() == TokenKind::Badge);
    let notice = if wrong { Notice::BadgeOrPinWrong } else { Notice::TryLater };
    prompt::again(prompt, Again { tries_left, from, refused: wrong }, notice, site)
}
