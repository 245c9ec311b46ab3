//! The emergency view: one enrolled token and a reason, for a quarter of an hour that nothing extends.

use std::time::Duration;

use crate::session::machine::{
    Effect, Event, PARTIAL_IDLE_MAX, PARTIAL_MAX, REPEAT_TAP_MAX, Session, State, Step,
    UNLOCKING_MAX, locked,
};
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::Token;
use wardkeep_model::keeping::EmergencyRefusal;
use wardkeep_model::keeping::emergency::{EMERGENCY_MAX, EmergencyReason};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;

/// A token has to be presented within this time.
const TOKEN_MAX: Duration = Duration::from_secs(30);

/// A step of the emergency view, named by what it waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Emergency {
    /// For a token.
    Token {
        /// Ends at this time.
        deadline: BootTime,
    },
    /// For a reason.
    Reason {
        /// What was presented, and when.
        token: (Token, BootTime),
        /// Ends at this time unless touched.
        idle_deadline: BootTime,
        /// Ends at this time whatever happens.
        deadline: BootTime,
    },
    /// For the store.
    Opening {
        /// What was presented, and when.
        token: (Token, BootTime),
        /// What the store was asked.
        attempt: Attempt,
        /// The store has to answer before this.
        deadline: BootTime,
    },
    /// For the end: the patient at this bed is visible.
    Open {
        /// What was presented, and when.
        token: (Token, BootTime),
        /// Ends at this time, touched or not.
        until: BootTime,
    },
}

impl Emergency {
    pub(super) fn deadline(&self) -> BootTime {
        match self {
            Emergency::Token { deadline } | Emergency::Opening { deadline, .. } => *deadline,
            Emergency::Reason { idle_deadline, deadline, .. } => *idle_deadline.min(deadline),
            Emergency::Open { until, .. } => *until,
        }
    }

    pub(super) fn token(&self) -> Option<&Token> {
        match self {
            Emergency::Token { .. } => None,
            Emergency::Reason { token: (token, _), .. }
            | Emergency::Opening { token: (token, _), .. }
            | Emergency::Open { token: (token, _), .. } => Some(token),
        }
    }

    pub(super) fn holds(&self) -> bool {
        match self {
            Emergency::Token { .. } | Emergency::Reason { .. } => false,
            Emergency::Opening { .. } | Emergency::Open { .. } => true,
        }
    }

    pub(super) fn awaits(&self, answered: Attempt) -> bool {
        matches!(self, Emergency::Opening { attempt, .. } if *attempt == answered)
    }

    pub(super) fn expired(&self) -> Notice {
        match self {
            Emergency::Opening { .. } => Notice::VaultDamaged,
            Emergency::Token { .. } | Emergency::Reason { .. } | Emergency::Open { .. } => {
                Notice::EmergencyOver
            }
        }
    }
}

impl Session {
    pub(super) fn begin_emergency(&mut self, now: BootTime) -> Step {
        if !self.policy.emergency {
            return locked(Notice::NotAllowed);
        }
        (State::Emergency(Emergency::Token { deadline: now + TOKEN_MAX }), vec![])
    }

    pub(super) fn while_emergency(
        &mut self,
        emergency: Emergency,
        now: BootTime,
        event: Event,
    ) -> Step {
        match event {
            Event::Presented(token) => self.presented_in_emergency(emergency, token, now),
            Event::ReasonChosen(reason) => self.reason_chosen(emergency, reason, now),
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
                    EmergencyRefusal::Off => Notice::NotAllowed,
                    EmergencyRefusal::Unknown => Notice::EmergencyUnknown,
                    EmergencyRefusal::Nothing => Notice::EmergencyNothing,
                    EmergencyRefusal::Wait(_) => Notice::TryLater,
                    EmergencyRefusal::Damaged(_) => Notice::VaultDamaged,
                })
            }
            Event::Cancelled => (State::Locked, vec![]),
            Event::Activity => (State::Emergency(touched(emergency, now)), vec![]),
            Event::BadgeRemoved
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
        &mut self,
        emergency: Emergency,
        presented: Token,
        now: BootTime,
    ) -> Step {
        match emergency {
            Emergency::Token { .. } if !self.policy.takes(presented.kind()) => {
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
                    self.prompt_for(presented, now)
                }
            }
        }
    }

    fn reason_chosen(
        &mut self,
        emergency: Emergency,
        reason: EmergencyReason,
        now: BootTime,
    ) -> Step {
        match emergency {
            Emergency::Reason { token, .. } => {
                let attempt = self.next_attempt();
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
