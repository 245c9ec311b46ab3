//! Enrolling a badge: the same number at two separate taps, then a PIN typed twice or a one-time code.
//!
//! The second tap finds badges that give another number each time, and numbers that were misread.

use std::time::Duration;

use crate::session::enrolment::EnrolKind;
use crate::session::enrolment::{Effect, Enrolment, Goal, Step};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Badge, Pin, ReaderFamily, Token};
use wardkeep_model::keeping::{Administration, NewPin};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;

/// A reader that cannot tell when a badge leaves: what comes this long after the first is another tap.
const SEPARATE_AFTER: Duration = Duration::from_secs(1);

/// The first of the two taps.
#[derive(Clone, Debug)]
pub struct Tap {
    badge: Badge,
    at: BootTime,
    /// The badge has left the field since.
    is_lifted: bool,
}

impl Tap {
    /// Another presentation of the badge at this time is a tap of its own: readers repeat what lies
    /// on them.
    fn is_over(&self, now: BootTime) -> bool {
        let tells_removal = match self.badge.family {
            ReaderFamily::PcscUid | ReaderFamily::PcProx => true,
            ReaderFamily::Keyboard => false,
        };
        self.is_lifted || (!tells_removal && now.since(self.at) >= SEPARATE_AFTER)
    }
}

impl Enrolment {
    pub(super) fn tapped(&mut self, now: BootTime, badge: Badge) -> Vec<Effect> {
        if matches!(self.step, Step::SecondPerson) {
            return self.second_badge(badge);
        }
        let Step::Badge(first) = &self.step else { return vec![] };
        if badge.is_random() {
            return self.go_with(Step::Badge(None), Notice::BadgeNotUsable);
        }
        if self.start.own == Some(Token::Badge(badge.clone())) {
            return self.go_with(Step::Badge(None), Notice::TokenInUse);
        }
        match first {
            None => self.go(Step::Badge(Some(Tap { badge, at: now, is_lifted: false }))),
            Some(tap) if tap.badge != badge => {
                self.go_with(Step::Badge(None), Notice::BadgesDiffer)
            }
            Some(tap) if tap.is_over(now) => self.go(Step::Pin(Some(badge))),
            Some(_) => vec![],
        }
    }

    pub(super) fn lifted(&mut self) -> Vec<Effect> {
        if let Step::Badge(Some(tap)) = &mut self.step {
            tap.is_lifted = true;
        }
        vec![]
    }

    pub(super) fn chosen(&mut self, badge: Option<Badge>, pin: Pin) -> Vec<Effect> {
        if pin.is_guessable() || !pin.is_complete() {
            return self.go_with(Step::Pin(badge), Notice::PinGuessable);
        }
        self.go(Step::Repeat(badge, pin))
    }

    pub(super) fn repeated(&mut self, badge: Option<Badge>, first: &Pin, pin: Pin) -> Vec<Effect> {
        if *first != pin {
            return self.go_with(Step::Pin(badge), Notice::PinsDiffer);
        }
        match self.goal {
            Goal::OwnPin => self.administer(Administration::ChangeOwnPin(pin), None),
            Goal::Factor(person, _) => self.give_pin(person, badge, NewPin::Chosen(pin)),
            Goal::Person { .. } => self.go(Step::Over),
        }
    }

    pub(super) fn code_instead(&mut self) -> Vec<Effect> {
        let (Step::Pin(badge), Goal::Factor(person, _)) = (&self.step, &self.goal) else {
            return vec![];
        };
        let (badge, person) = (badge.clone(), *person);
        self.give_pin(person, badge, NewPin::OneTimeCode)
    }

    fn give_pin(&mut self, person: OperatorId, badge: Option<Badge>, pin: NewPin) -> Vec<Effect> {
        match (&self.goal, badge) {
            (Goal::Factor(_, EnrolKind::Badge), Some(badge)) => {
                let what = Administration::EnrolBadge(person, badge.clone(), pin);
                self.administer(what, Some(badge))
            }
            (Goal::Factor(_, EnrolKind::Pin), None) => {
                self.administer(Administration::SetPin(person, pin), None)
            }
            // No step leads here: a PIN belongs to the badge that was tapped, or to those that are there.
            (Goal::Factor(..) | Goal::Person { .. } | Goal::OwnPin, _) => self.go(Step::Over),
        }
    }
}
