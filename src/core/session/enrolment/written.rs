//! What the store makes of an enrolment, and where it goes on after a refusal.

use crate::session::enrolment::EnrolKind;
use crate::session::enrolment::{Effect, Enrolment, Goal, Step};
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::Badge;
use wardkeep_model::keeping::{Administered, AdministrationFault};
use wardkeep_model::notice::Notice;

impl Enrolment {
    pub(super) fn answered(
        &mut self,
        answered: Attempt,
        answer: Result<Administered, AdministrationFault>,
    ) -> Vec<Effect> {
        let Step::Writing(attempt, badge) = &self.step else { return vec![] };
        if *attempt != answered {
            return vec![];
        }
        let badge = badge.clone();
        match answer {
            Ok(Administered::Added(person)) => match self.goal {
                Goal::Person { .. } => {
                    self.goal = Goal::Factor(person, EnrolKind::Badge);
                    let mut effects = vec![
                        Effect::Added(person),
                        Effect::Refresh,
                        Effect::Notify(Notice::PersonAdded),
                    ];
                    effects.extend(self.first_step());
                    effects
                }
                Goal::Factor(..) | Goal::OwnPin => self.go(Step::Over),
            },
            Ok(Administered::Enrolled(code)) => self.enrolled(code),
            // No answer to anything that was asked here.
            Ok(
                Administered::People(_)
                | Administered::Revoked
                | Administered::Audit(_)
                | Administered::BackedUp(_)
                | Administered::Shredded(_)
                | Administered::AuditExport(_)
                | Administered::Checkpoint(_)
                | Administered::AuditKey(_),
            ) => self.go(Step::Over),
            Err(fault) => self.not_written(fault, badge),
        }
    }

    fn enrolled(
        &mut self,
        code: Option<wardkeep_model::confidential::Secret<String>>,
    ) -> Vec<Effect> {
        match (&self.goal, code) {
            (Goal::OwnPin, _) => {
                self.start.count += 1;
                self.step = Step::Over;
                vec![Effect::Notify(Notice::PinChanged)]
            }
            (Goal::Factor(..) | Goal::Person { .. }, code) => {
                self.start.count += 1;
                self.step = code.map_or(Step::Done, Step::Code);
                vec![Effect::Refresh]
            }
        }
    }

    fn not_written(&mut self, fault: AdministrationFault, badge: Option<Badge>) -> Vec<Effect> {
        if matches!(self.goal, Goal::Factor(_, EnrolKind::Finger)) {
            self.forget_finger();
        }
        match fault {
            AdministrationFault::TokenInUse => self.again(Notice::TokenInUse),
            AdministrationFault::TokenRandom => self.again(Notice::BadgeNotUsable),
            AdministrationFault::PinGuessable => {
                self.go_with(Step::Pin(badge), Notice::PinGuessable)
            }
            AdministrationFault::VoucherNeeded | AdministrationFault::VoucherWrong => {
                self.vouch_again(fault)
            }
            AdministrationFault::Store(_)
            | AdministrationFault::Exists
            | AdministrationFault::NoPatient
            | AdministrationFault::SeveralPatients => self.again(Notice::NotWritten),
            AdministrationFault::NameIncomplete => self.go_with(Step::Over, Notice::NameIncomplete),
            AdministrationFault::LastAdministrator => {
                self.go_with(Step::Over, Notice::LastAdministrator)
            }
            AdministrationFault::TooMany => self.go_with(Step::Over, Notice::TooMany),
            AdministrationFault::NotAllowed => self.go_with(Step::Over, Notice::NotAllowed),
            AdministrationFault::Unknown => {
                self.start.count += 1;
                self.step = Step::Over;
                vec![Effect::Refresh]
            }
        }
    }

    /// Back to the first step, for another badge, card or finger; a person's form is on the list.
    fn again(&mut self, notice: Notice) -> Vec<Effect> {
        self.start.inserted = None;
        let mut effects = vec![Effect::Notify(notice)];
        match self.goal {
            Goal::Person { .. } => effects.extend(self.go(Step::Over)),
            Goal::Factor(..) | Goal::OwnPin => effects.extend(self.first_step()),
        }
        effects
    }

    fn vouch_again(&mut self, fault: AdministrationFault) -> Vec<Effect> {
        match &mut self.goal {
            Goal::Person { vouched, .. } => *vouched = true,
            Goal::Factor(..) | Goal::OwnPin => return self.go(Step::Over),
        }
        if fault == AdministrationFault::VoucherWrong {
            self.go_with(Step::SecondPerson, Notice::VoucherWrong)
        } else {
            self.go(Step::SecondPerson)
        }
    }
}
