//! The first step on the way to a goal.

use wardkeep_model::keeping::Administration;

use crate::session::enrolment::card;
use crate::session::enrolment::progress::Progress;
use crate::session::enrolment::step::{Effect, EnrolKind, Goal, Step};

/// The first step on the way to the goal, also after something went wrong.
pub(super) fn step(so_far: &mut Progress) -> Vec<Effect> {
    match &so_far.goal {
        Goal::Person { new, vouched: false } => {
            let add = Administration::AddPerson(new.clone(), None);
            so_far.administer(add, None)
        }
        Goal::Person { vouched: true, .. } => so_far.go(Step::SecondPerson),
        Goal::Factor(_, EnrolKind::Badge) => so_far.go(Step::Badge(None)),
        Goal::Factor(_, EnrolKind::Card) => match so_far.start.inserted.clone() {
            Some(seen) => card::ask_pin(so_far, seen),
            None => so_far.go(Step::Card),
        },
        Goal::Factor(_, EnrolKind::Finger) => so_far.go(Step::FingerChoice),
        Goal::Factor(_, EnrolKind::Pin) | Goal::OwnPin => so_far.go(Step::Pin(None)),
    }
}
