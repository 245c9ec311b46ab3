//! While nobody is logged in.

use wardkeep_model::access::factor::Token;
use wardkeep_model::moment::BootTime;

use crate::session::machine::event::Event;
use crate::session::machine::site::Site;
use crate::session::machine::state::{State, Step};
use crate::session::machine::{emergency, prompt};

pub(super) fn handle(now: BootTime, event: Event, site: &mut Site) -> Step {
    match event {
        Event::Presented(token) if bounces(&token, now, site) => (State::Locked, vec![]),
        Event::Presented(token) => prompt::begin(token, now, site),
        Event::EmergencyAsked => emergency::begin(now, site),
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
        | Event::SecondBadge
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
fn bounces(token: &Token, now: BootTime, site: &mut Site) -> bool {
    let out = site.tapped_out.as_mut().filter(|(tapped, _)| tapped == token);
    let bounces = out.is_some();
    if let Some((_, at)) = out {
        *at = now;
    }
    bounces
}
