//! Enrolling a badge: the same number at two separate taps, then a PIN typed twice or a one-time code.
//!
//! The second tap finds badges that give another number each time, and numbers that were misread.

use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Badge, Pin, Token};
use wardkeep_model::access::guessable::{self, Known};
use wardkeep_model::keeping::{Administration, NewPin};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;

use crate::session::enrolment::progress::Progress;
use crate::session::enrolment::second;
use crate::session::enrolment::step::{Effect, EnrolKind, Goal, Step, Tap};

pub(super) fn tapped(so_far: &mut Progress, now: BootTime, badge: Badge) -> Vec<Effect> {
    if matches!(so_far.step, Step::SecondPerson) {
        return second::badge(so_far, badge);
    }
    let Step::Badge(first) = &so_far.step else { return vec![] };
    if badge.is_random() {
        return so_far.go_with(Step::Badge(None), Notice::BadgeRandom);
    }
    if so_far.start.own == Some(Token::Badge(badge.clone())) {
        return so_far.go_with(Step::Badge(None), Notice::TokenInUse);
    }
    match first {
        None => so_far.go(Step::Badge(Some(Tap { badge, at: now, is_lifted: false }))),
        Some(tap) if tap.badge != badge => so_far.go_with(Step::Badge(None), Notice::BadgesDiffer),
        Some(tap) if tap.is_over(now) => so_far.go(Step::Pin(Some(badge))),
        Some(_) => vec![],
    }
}

pub(super) fn lifted(so_far: &mut Progress) -> Vec<Effect> {
    if let Step::Badge(Some(tap)) = &mut so_far.step {
        tap.is_lifted = true;
    }
    vec![]
}

pub(super) fn chosen(so_far: &mut Progress, badge: Option<Badge>, pin: Pin) -> Vec<Effect> {
    let own = match (&badge, &so_far.goal, &so_far.start.own) {
        (None, Goal::OwnPin, Some(Token::Badge(own))) => Some(own),
        (badge, ..) => badge.as_ref(),
    };
    let known = Known { badge: own, places: &so_far.start.places };
    if let Some(why) = guessable::weakness(&pin, known) {
        return so_far.go_with(Step::Pin(badge), Notice::PinGuessable(why));
    }
    so_far.go(Step::Repeat(badge, pin))
}

pub(super) fn repeated(
    so_far: &mut Progress,
    badge: Option<Badge>,
    first: &Pin,
    pin: Pin,
) -> Vec<Effect> {
    if *first != pin {
        return so_far.go_with(Step::Pin(badge), Notice::PinsDiffer);
    }
    match so_far.goal {
        Goal::OwnPin => so_far.administer(Administration::ChangeOwnPin(pin), None),
        Goal::Factor(person, _) => give_pin(so_far, person, badge, NewPin::Chosen(pin)),
        Goal::Person { .. } => so_far.go(Step::Over),
    }
}

pub(super) fn code_instead(so_far: &mut Progress) -> Vec<Effect> {
    let (Step::Pin(badge), Goal::Factor(person, _)) = (&so_far.step, &so_far.goal) else {
        return vec![];
    };
    let (badge, person) = (badge.clone(), *person);
    give_pin(so_far, person, badge, NewPin::OneTimeCode)
}

fn give_pin(
    so_far: &mut Progress,
    person: OperatorId,
    badge: Option<Badge>,
    pin: NewPin,
) -> Vec<Effect> {
    match (&so_far.goal, badge) {
        (Goal::Factor(_, EnrolKind::Badge), Some(badge)) => {
            let what = Administration::EnrolBadge(person, badge.clone(), pin);
            so_far.administer(what, Some(badge))
        }
        (Goal::Factor(_, EnrolKind::Pin), None) => {
            so_far.administer(Administration::SetPin(person, pin), None)
        }
        // No step leads here: a PIN belongs to the badge that was tapped, or to those that are there.
        (Goal::Factor(..) | Goal::Person { .. } | Goal::OwnPin, _) => so_far.go(Step::Over),
    }
}
