//! While somebody is logged in.

use wardkeep_model::access::Operator;
use wardkeep_model::access::factor::Token;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;

use crate::session::machine::event::{Effect, Event};
use crate::session::machine::limits::REPEAT_TAP_MAX;
use crate::session::machine::prompt;
use crate::session::machine::site::Site;
use crate::session::machine::state::{State, Step, locked};

pub(super) fn begin(
    (operator, token, pair): (Operator, Token, Pair),
    now: BootTime,
    site: &mut Site,
) -> Step {
    let effects = vec![Effect::Reveal(operator.clone())];
    let idle_deadline = now + site.idle;
    let open = State::Open { operator, token, pair, since: now, tapped: now, idle_deadline };
    (open, effects)
}

pub(super) fn handle(current: State, now: BootTime, event: Event, site: &mut Site) -> Step {
    let State::Open { operator, token, pair, since, mut tapped, mut idle_deadline } = current
    else {
        return (State::Locked, vec![]);
    };
    match event {
        Event::Presented(other) if other != token => {
            let (state, asked) = prompt::begin(other, now, site);
            let mut effects = vec![];
            if state != State::Locked {
                effects.push(Effect::Notify(Notice::LockedForOther));
            }
            effects.extend(asked);
            return (state, effects);
        }
        Event::Presented(_) if now.since(tapped) < REPEAT_TAP_MAX => tapped = now,
        Event::Presented(own) => {
            if site.opens_alone(&own) {
                site.tapped_out = Some((own, now));
            }
            return locked(Notice::LockedByBadge);
        }
        Event::Activity => idle_deadline = now + site.idle,
        Event::BadgeRemoved
        | Event::SecondBadge
        | Event::CardRemoved
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
        | Event::Sensor(_)
        | Event::Tick => {}
    }
    (State::Open { operator, token, pair, since, tapped, idle_deadline }, vec![])
}
