//! What the store makes of an enrolment, and where it goes on after a refusal.

use wardkeep_model::access::factor::{Attempt, Badge};
use wardkeep_model::confidential::Secret;
use wardkeep_model::keeping::{Administered, AdministrationFault};
use wardkeep_model::notice::Notice;

use crate::session::enrolment::progress::Progress;
use crate::session::enrolment::step::{Effect, EnrolKind, Goal, Step};
use crate::session::enrolment::{finger, first};

pub(super) fn answered(
    so_far: &mut Progress,
    answered: Attempt,
    answer: Result<Administered, AdministrationFault>,
) -> Vec<Effect> {
    let Step::Writing(attempt, badge) = &so_far.step else { return vec![] };
    if *attempt != answered {
        return vec![];
    }
    let badge = badge.clone();
    match answer {
        Ok(Administered::Added(person)) => match so_far.goal {
            Goal::Person { .. } => {
                so_far.goal = Goal::Factor(person, EnrolKind::Badge);
                let mut effects = vec![
                    Effect::Added(person),
                    Effect::Refresh,
                    Effect::Notify(Notice::PersonAdded),
                ];
                effects.extend(first::step(so_far));
                effects
            }
            Goal::Factor(..) | Goal::OwnPin => so_far.go(Step::Over),
        },
        Ok(Administered::Enrolled(code)) => enrolled(so_far, code),
        // No answer to anything that was asked here.
        Ok(
            Administered::People(_)
            | Administered::Revoked
            | Administered::Audit(_)
            | Administered::BackedUp(_)
            | Administered::Shredded(_)
            | Administered::AuditExported(_)
            | Administered::Checkpoint(_)
            | Administered::AuditKey(_)
            | Administered::FindingsAcknowledged(_),
        ) => so_far.go(Step::Over),
        Err(fault) => not_written(so_far, fault, badge),
    }
}

fn enrolled(so_far: &mut Progress, code: Option<Secret<String>>) -> Vec<Effect> {
    match (&so_far.goal, code) {
        (Goal::OwnPin, _) => {
            so_far.start.count += 1;
            so_far.step = Step::Over;
            vec![Effect::Notify(Notice::PinChanged)]
        }
        (Goal::Factor(..) | Goal::Person { .. }, code) => {
            so_far.start.count += 1;
            so_far.step = code.map_or(Step::Done, Step::Code);
            vec![Effect::Refresh]
        }
    }
}

fn not_written(
    so_far: &mut Progress,
    fault: AdministrationFault,
    badge: Option<Badge>,
) -> Vec<Effect> {
    if matches!(so_far.goal, Goal::Factor(_, EnrolKind::Finger)) {
        finger::forget(so_far);
    }
    match fault {
        AdministrationFault::TokenInUse => again(so_far, Notice::TokenInUse),
        AdministrationFault::TokenRandom => again(so_far, Notice::BadgeRandom),
        AdministrationFault::PinGuessable(why) => {
            so_far.go_with(Step::Pin(badge), Notice::PinGuessable(why))
        }
        AdministrationFault::VoucherNeeded | AdministrationFault::VoucherWrong => {
            vouch_again(so_far, fault)
        }
        AdministrationFault::Store(_)
        | AdministrationFault::KeysUnchanged(_)
        | AdministrationFault::Exists
        | AdministrationFault::NoPatient
        | AdministrationFault::SeveralPatients => again(so_far, Notice::NotWritten),
        AdministrationFault::NameIncomplete => so_far.go_with(Step::Over, Notice::NameIncomplete),
        AdministrationFault::NameDeceptive => so_far.go_with(Step::Over, Notice::NameDeceptive),
        AdministrationFault::NoBadge => so_far.go_with(Step::Over, Notice::NoToken),
        AdministrationFault::LastAdministrator => {
            so_far.go_with(Step::Over, Notice::LastAdministrator)
        }
        AdministrationFault::TooMany => so_far.go_with(Step::Over, Notice::TooMany),
        AdministrationFault::NotAllowed => so_far.go_with(Step::Over, Notice::NotAllowed),
        AdministrationFault::Unknown => {
            so_far.start.count += 1;
            so_far.step = Step::Over;
            vec![Effect::Refresh]
        }
    }
}

/// Back to the first step, for another badge, card or finger; a person's form is on the list.
fn again(so_far: &mut Progress, notice: Notice) -> Vec<Effect> {
    so_far.start.inserted = None;
    let mut effects = vec![Effect::Notify(notice)];
    match so_far.goal {
        Goal::Person { .. } => effects.extend(so_far.go(Step::Over)),
        Goal::Factor(..) | Goal::OwnPin => effects.extend(first::step(so_far)),
    }
    effects
}

fn vouch_again(so_far: &mut Progress, fault: AdministrationFault) -> Vec<Effect> {
    match &mut so_far.goal {
        Goal::Person { vouched, .. } => *vouched = true,
        Goal::Factor(..) | Goal::OwnPin => return so_far.go(Step::Over),
    }
    if fault == AdministrationFault::VoucherWrong {
        so_far.go_with(Step::SecondPerson, Notice::VoucherWrong)
    } else {
        so_far.go(Step::SecondPerson)
    }
}
