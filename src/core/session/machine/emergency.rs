//! The emergency view: one enrolled token and a reason, for a quarter of an hour that nothing extends.

use wardkeep_model::access::factor::Token;
use wardkeep_model::keeping::EmergencyRefusal;
use wardkeep_model::keeping::emergency::{EMERGENCY_MAX, EmergencyReason};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;

use crate::session::machine::event::{Effect, Event};
use crate::session::machine::limits::{
    PARTIAL_IDLE_MAX, PARTIAL_MAX, REPEAT_TAP_MAX, TOKEN_MAX, UNLOCKING_MAX,
};
use crate::session::machine::prompt;
use crate::session::machine::site::Site;
use crate::session::machine::state::{Emergency, State, Step, locked};

pub(super) fn begin(now: BootTime, site: &mut Site) -> Step {
    if !site.policy.emergency {
        return locked(Notice::NotAllowed);
    }
    (State::Emergency(Emergency::Token { deadline: now + TOKEN_MAX }), vec![])
}

pub(super) fn handle(emergency: Emergency, now: BootTime, event: Event, site: &mut Site) -> Step {
    match event {
        Event::Presented(token) => presented_in_emergency(emergency, token, now, site),
        Event::ReasonChosen(reason) => reason_chosen(emergency, reason, now, site),
        Event::EmergencyOpened(attempt) if emergency.awaits(attempt) => match emergency {
            Emergency::Opening { token, .. } => {
                let until = now + EMERGENCY_MAX;
                let open = Emergency::Open { token, until };
                (State::Emergency(open), vec![Effect::RevealEmergency])
            }
            Emergency::Token { .. } | Emergency::Reason { .. } | Emergency::Open { .. } => {
                (State::Locked, vec![])
            }
        },
        Event::EmergencyRefused(attempt, refusal) if emergency.awaits(attempt) => {
            locked(match refusal {
                EmergencyRefusal::Off | EmergencyRefusal::NotAllowed => Notice::NotAllowed,
                EmergencyRefusal::Unknown => Notice::EmergencyUnknown,
                EmergencyRefusal::Nothing => Notice::EmergencyNothing,
                EmergencyRefusal::Wait(_) => Notice::TryLater,
                EmergencyRefusal::Damaged(_) => Notice::VaultDamaged,
                EmergencyRefusal::Suspected => Notice::StoreSuspected,
            })
        }
        Event::Cancelled => (State::Locked, vec![]),
        Event::Activity => (State::Emergency(touched(emergency, now)), vec![]),
        Event::BadgeRemoved
        | Event::SecondBadge
        | Event::CardRemoved
        | Event::PinSubmitted(_)
        | Event::LockPressed
        | Event::EmergencyAsked
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
        | Event::Tick => (State::Emergency(emergency), vec![]),
    }
}

/// The first token is the emergency's; any other, and the same one later, begins a login.
fn presented_in_emergency(
    emergency: Emergency,
    presented: Token,
    now: BootTime,
    site: &mut Site,
) -> Step {
    match emergency {
        Emergency::Token { .. } if !site.policy.takes(presented.kind()) => {
            (State::Emergency(emergency), vec![Effect::Notify(Notice::CardWanted)])
        }
        Emergency::Token { .. } => {
            let reason = Emergency::Reason {
                token: (presented, now),
                idle_deadline: now + PARTIAL_IDLE_MAX,
                deadline: now + PARTIAL_MAX,
            };
            (State::Emergency(reason), vec![])
        }
        Emergency::Reason { token: (ref token, at), .. }
        | Emergency::Opening { token: (ref token, at), .. }
        | Emergency::Open { token: (ref token, at), .. } => {
            if *token == presented && now.since(at) < REPEAT_TAP_MAX {
                (State::Emergency(emergency), vec![])
            } else {
                prompt::begin(presented, now, site)
            }
        }
    }
}

fn reason_chosen(
    emergency: Emergency,
    reason: EmergencyReason,
    now: BootTime,
    site: &mut Site,
) -> Step {
    match emergency {
        Emergency::Reason { token, .. } => {
            let attempt = site.next_attempt();
            let ask = Effect::OpenEmergency(attempt, token.0.clone(), reason);
            let deadline = now + UNLOCKING_MAX;
            let opening = Emergency::Opening { token, attempt, deadline };
            (State::Emergency(opening), vec![ask])
        }
        Emergency::Token { .. } | Emergency::Opening { .. } | Emergency::Open { .. } => {
            (State::Emergency(emergency), vec![])
        }
    }
}

/// Somebody is choosing a reason. An open view is not extended.
fn touched(emergency: Emergency, now: BootTime) -> Emergency {
    match emergency {
        Emergency::Reason { token, deadline, idle_deadline: _ } => {
            Emergency::Reason { token, deadline, idle_deadline: now + PARTIAL_IDLE_MAX }
        }
        Emergency::Token { .. } | Emergency::Opening { .. } | Emergency::Open { .. } => emergency,
    }
}
