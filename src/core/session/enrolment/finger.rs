//! Enrolling a finger: chosen, laid on until the reader has every stage, then stored.

use wardkeep_model::access::factor::{Attempt, Finger, Template};
use wardkeep_model::keeping::Administration;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{FingerCommand, FingerEvent, FingerFault};

use crate::session::enrolment::progress::Progress;
use crate::session::enrolment::step::{Effect, EnrolKind, Goal, Stages, Step};

pub(super) fn choose(so_far: &mut Progress, finger: Finger) -> Vec<Effect> {
    if !matches!(so_far.step, Step::FingerChoice) {
        return vec![];
    }
    if so_far.start.fingers.contains(&finger) {
        return vec![Effect::Notify(Notice::FingerInUse)];
    }
    let attempt = so_far.attempt();
    so_far.step = Step::Finger(Stages { attempt, finger, done: 0, total: 0, advice: None });
    vec![Effect::Finger(FingerCommand::Enrol { attempt, finger })]
}

pub(super) fn handle(so_far: &mut Progress, event: FingerEvent) -> Vec<Effect> {
    match event {
        FingerEvent::Stage(attempt, done, total) => {
            if let Some(stages) = stages(so_far, attempt) {
                *stages = Stages { done: done.min(total), total, advice: None, ..*stages };
            }
            vec![]
        }
        FingerEvent::Retry(attempt, advice) => {
            if let Some(stages) = stages(so_far, attempt) {
                stages.advice = Some(advice);
            }
            vec![]
        }
        FingerEvent::Enrolled(attempt, template) => taken(so_far, attempt, template),
        FingerEvent::Failed(attempt, fault) => {
            if stages(so_far, attempt).is_none() {
                return vec![];
            }
            so_far.go_with(
                Step::FingerChoice,
                match fault {
                    FingerFault::NotFitted => Notice::FingerNotFitted,
                    FingerFault::Duplicate => Notice::FingerInUse,
                    FingerFault::OtherSensor | FingerFault::Broken => Notice::FingerNotTaken,
                },
            )
        }
        // Answers to a login.
        FingerEvent::Matched(..) | FingerEvent::NotMatched(_) => vec![],
    }
}

fn taken(so_far: &mut Progress, attempt: Attempt, template: Template) -> Vec<Effect> {
    let Some(stages) = stages(so_far, attempt) else { return vec![] };
    let wanted = stages.finger;
    let Goal::Factor(person, EnrolKind::Finger) = so_far.goal else {
        return so_far.go(Step::Over);
    };
    if template.finger != wanted {
        return so_far.go_with(Step::FingerChoice, Notice::FingerNotTaken);
    }
    so_far.start.fingers.push(wanted);
    so_far.administer(Administration::EnrolFinger(person, template), None)
}

/// The store did not keep the last finger.
pub(super) fn forget(so_far: &mut Progress) {
    so_far.start.fingers.pop();
}

fn stages(so_far: &mut Progress, answered: Attempt) -> Option<&mut Stages> {
    if let Step::Finger(stages) = &mut so_far.step
        && stages.attempt == answered
    {
        Some(stages)
    } else {
        None
    }
}
