//! Enrolling a finger: chosen, laid on until the reader has every stage, then stored.

use crate::session::enrolment::EnrolKind;
use crate::session::enrolment::{Effect, Enrolment, Goal, Stages, Step};
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Finger, Template};
use wardkeep_model::keeping::Administration;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{FingerCommand, FingerEvent, FingerFault};

impl Enrolment {
    /// Fingers that are not enrolled yet, suggested ones first.
    pub fn free_fingers(&self) -> Vec<Finger> {
        let taken = self.fingers();
        Finger::ALL.into_iter().filter(|finger| !taken.contains(finger)).collect()
    }

    /// One finger is enrolled: a second one helps on the day the first is hurt or wet.
    pub fn suggests_another_finger(&self) -> bool {
        let is_finger = matches!(self.goal, Goal::Factor(_, EnrolKind::Finger));
        is_finger && self.fingers().len() == 1
    }

    pub(super) fn choose_finger(&mut self, finger: Finger) -> Vec<Effect> {
        if !matches!(self.step, Step::FingerChoice) {
            return vec![];
        }
        if self.fingers().contains(&finger) {
            return vec![Effect::Notify(Notice::FingerInUse)];
        }
        let attempt = self.attempt();
        self.step = Step::Finger(Stages { attempt, finger, done: 0, total: 0, advice: None });
        vec![Effect::Finger(FingerCommand::Enrol { attempt, finger })]
    }

    pub(super) fn finger(&mut self, event: FingerEvent) -> Vec<Effect> {
        match event {
            FingerEvent::Stage(attempt, done, total) => {
                if let Some(stages) = self.stages(attempt) {
                    *stages = Stages { done: done.min(total), total, advice: None, ..*stages };
                }
                vec![]
            }
            FingerEvent::Retry(attempt, advice) => {
                if let Some(stages) = self.stages(attempt) {
                    stages.advice = Some(advice);
                }
                vec![]
            }
            FingerEvent::Enrolled(attempt, template) => self.taken(attempt, template),
            FingerEvent::Failed(attempt, fault) => {
                if self.stages(attempt).is_none() {
                    return vec![];
                }
                self.go_with(
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

    fn taken(&mut self, attempt: Attempt, template: Template) -> Vec<Effect> {
        let Some(stages) = self.stages(attempt) else { return vec![] };
        let wanted = stages.finger;
        let Goal::Factor(person, EnrolKind::Finger) = self.goal else {
            return self.go(Step::Over);
        };
        if template.finger != wanted {
            return self.go_with(Step::FingerChoice, Notice::FingerNotTaken);
        }
        self.start.fingers.push(wanted);
        self.administer(Administration::EnrolFinger(person, template), None)
    }

    /// The store did not keep the last finger.
    pub(super) fn forget_finger(&mut self) {
        self.start.fingers.pop();
    }

    fn stages(&mut self, answered: Attempt) -> Option<&mut Stages> {
        if let Step::Finger(stages) = &mut self.step
            && stages.attempt == answered
        {
            Some(stages)
        } else {
            None
        }
    }
}
