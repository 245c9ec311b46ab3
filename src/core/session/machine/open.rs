//! While somebody is logged in.

use crate::session::machine::{Effect, Event, REPEAT_TAP_MAX, Session, State, Step, locked};
use wardkeep_model::access::Operator;
use wardkeep_model::access::factor::Token;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;

impl Session {
    pub(super) fn open(
        &mut self,
        (operator, token, pair): (Operator, Token, Pair),
        now: BootTime,
    ) -> Step {
        let effects = vec![Effect::Reveal(operator.clone())];
        let idle_deadline = now + self.idle;
        let open = State::Open { operator, token, pair, since: now, tapped: now, idle_deadline };
        (open, effects)
    }

    pub(super) fn while_open(&mut self, current: State, now: BootTime, event: Event) -> Step {
        let State::Open { operator, token, pair, since, mut tapped, mut idle_deadline } = current
        else {
            return (State::Locked, vec![]);
        };
        match event {
            Event::Presented(other) if other != token => {
                let (state, asked) = self.prompt_for(other, now);
                let mut effects = vec![];
                if state != State::Locked {
                    effects.push(Effect::Notify(Notice::LockedForOther));
                }
                effects.extend(asked);
                return (state, effects);
            }
            Event::Presented(_) if now.since(tapped) < REPEAT_TAP_MAX => tapped = now,
            Event::Presented(own) => {
                if self.opens_alone(&own) {
                    self.tapped_out = Some((own, now));
                }
                return locked(Notice::LockedByBadge);
            }
            Event::Activity => idle_deadline = now + self.idle,
            Event::BadgeRemoved
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
}
