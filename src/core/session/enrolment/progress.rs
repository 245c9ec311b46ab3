//! How far an enrolment is, and the moves that every step makes.

use wardkeep_model::access::factor::{Attempt, Badge};
use wardkeep_model::keeping::Administration;
use wardkeep_model::notice::Notice;

use crate::session::enrolment::step::{Effect, Goal, Start, Step};

/// What it is for, what it waits for, and what it was told at the beginning.
#[derive(Debug)]
pub(super) struct Progress {
    /// What it is for.
    pub(super) goal: Goal,
    /// What it waits for.
    pub(super) step: Step,
    /// What it was told, kept up to date: fingers enrolled since, the card in the reader, the count.
    pub(super) start: Start,
}

impl Progress {
    /// Asks the store.
    pub(super) fn administer(&mut self, what: Administration, badge: Option<Badge>) -> Vec<Effect> {
        let attempt = self.attempt();
        self.step = Step::Writing(attempt, badge);
        vec![Effect::Administer(attempt, Box::new(what))]
    }

    /// The number of another question.
    pub(super) fn attempt(&mut self) -> Attempt {
        self.start.count += 1;
        Attempt(self.start.count)
    }

    /// Goes on. Every step is another PIN prompt, so that digits typed for one never count for the next.
    pub(super) fn go(&mut self, step: Step) -> Vec<Effect> {
        self.start.count += 1;
        self.step = step;
        vec![]
    }

    /// Goes on, and says why.
    pub(super) fn go_with(&mut self, step: Step, notice: Notice) -> Vec<Effect> {
        self.start.count += 1;
        self.step = step;
        vec![Effect::Notify(notice)]
    }
}
