//! Badges, cards and fingers while somebody is enrolled: they are the wizard's, not the session's.
//!
//! What came as a guest also leaves as a guest, even after the wizard has ended: only the operator's
//! own badge or card that was there before locks the session when it is taken away.

use wardkeep_model::access::factor::{Attempt, Sensor, Token};
use wardkeep_model::keeping::Identified;
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{self, FactorEvent, FingerEvent, ReaderHealth, ReaderKind};

use crate::kiosk::held::WIZARD_FROM;
use crate::kiosk::{Effect, Kiosk};
use crate::session::{self, enrolment};

impl Kiosk {
    /// Takes what a reader reports if it belongs to an enrolment; `None` leaves it to the session.
    pub(in crate::kiosk) fn heard_in_enrolment(
        &mut self,
        now: Moment,
        event: &ports::Event,
    ) -> Option<Vec<Effect>> {
        match event {
            ports::Event::BadgePresented(badge) => {
                self.people.has_guest_badge = self.is_enrolling();
                self.touched_in_enrolment(now, enrolment::Event::Badge(badge.clone()))
            }
            ports::Event::BadgeRemoved => std::mem::take(&mut self.people.has_guest_badge)
                .then(|| self.in_enrolment(now, enrolment::Event::BadgeLifted)),
            ports::Event::Factor(event) => self.factor_in_enrolment(now, event),
            ports::Event::Reader(ReaderKind::SmartCard, health)
                if *health != ReaderHealth::Ready =>
            {
                // The session hears of it, too: its own card is as good as pulled.
                let was_there = self.people.guest_card.take().is_some();
                let gone = enrolment::Event::Factor(FactorEvent::CardRemoved);
                let mut effects = was_there.then(|| self.in_enrolment(now, gone))?;
                effects.extend(self.on_reader(now, ReaderKind::SmartCard, *health));
                Some(effects)
            }
            ports::Event::Reader(..)
            | ports::Event::BadgeUnreadable(_)
            | ports::Event::Radio(_)
            | ports::Event::Speaker(_)
            | ports::Event::Seen { .. }
            | ports::Event::Gone(_)
            | ports::Event::Link(..)
            | ports::Event::Frame { .. }
            | ports::Event::Wave { .. }
            | ports::Event::Overrun { .. } => None,
        }
    }

    fn factor_in_enrolment(&mut self, now: Moment, event: &FactorEvent) -> Option<Vec<Effect>> {
        let to_wizard = || enrolment::Event::Factor(event.clone());
        match event {
            FactorEvent::CardPresented(seen) => {
                self.people.guest_card = self.is_enrolling().then(|| seen.clone());
                self.touched_in_enrolment(now, to_wizard())
            }
            FactorEvent::CardUnreadable(_) => {
                let was_there = self.people.guest_card.take().is_some();
                // Without a guest it may be the operator's own card that cannot be read any more.
                let is_own = !was_there && matches!(self.own_token(), Some(Token::Card(_)));
                if is_own { None } else { self.touched_in_enrolment(now, to_wizard()) }
            }
            FactorEvent::CardRemoved => {
                self.people.guest_card.take().map(|_| self.in_enrolment(now, to_wizard()))
            }
            FactorEvent::CardProved(attempt, _)
            | FactorEvent::CardRefused(attempt, _)
            | FactorEvent::CardEnrolled(attempt, _) => {
                is_wizards(*attempt).then(|| self.in_enrolment(now, to_wizard()))
            }
            FactorEvent::Finger(finger) => {
                let attempt = match finger {
                    FingerEvent::Matched(attempt, _)
                    | FingerEvent::NotMatched(attempt)
                    | FingerEvent::Retry(attempt, _)
                    | FingerEvent::Stage(attempt, ..)
                    | FingerEvent::Enrolled(attempt, _)
                    | FingerEvent::Failed(attempt, _) => *attempt,
                };
                if !is_wizards(attempt) {
                    return None;
                }
                Some(self.touched_in_enrolment(now, to_wizard()).unwrap_or_default())
            }
            FactorEvent::Sensor(sensor) => {
                self.people.sensor = sensor.as_ref().map(name_of).unwrap_or_default();
                None
            }
        }
    }

    /// The store's answer about the card of a second person.
    pub(in crate::kiosk) fn identified_in_enrolment(
        &mut self,
        now: Moment,
        attempt: Attempt,
        identified: &Identified,
    ) -> Option<Vec<Effect>> {
        is_wizards(attempt).then(|| {
            let event = enrolment::Event::Identified(attempt, identified.clone());
            self.in_enrolment(now, event)
        })
    }

    /// Somebody who presents the badge, card or finger that is waited for is there: the session does
    /// not fall idle.
    fn touched_in_enrolment(
        &mut self,
        now: Moment,
        event: enrolment::Event,
    ) -> Option<Vec<Effect>> {
        let is_wanted = self.people.wizard.as_ref()?.waits_for_reader();
        let mut effects = Vec::new();
        if is_wanted {
            effects.extend(self.in_session(now, session::Event::Activity));
        }
        effects.extend(self.in_enrolment(now, event));
        Some(effects)
    }
}

fn is_wizards(attempt: Attempt) -> bool {
    attempt.0 > WIZARD_FROM
}

fn name_of(sensor: &Sensor) -> String {
    format!("{} {}", sensor.driver, sensor.serial).trim().to_owned()
}
