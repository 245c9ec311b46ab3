//! Enrolment: a person's badge, card, finger or PIN, one step at a time.
//!
//! The machine is pure: events and the time go in, [`Effect`]s come out. One value of it belongs to one
//! [`Goal`]; nothing is asked of the store before the evidence is complete, so leaving at any step
//! leaves nothing half enrolled.
//!
//! ```text
//!  Badge: tap, tap --> PIN --> repeat ----------------.
//!                       `--> one-time code instead -. |
//!  Card: insert --> its PIN --> sign test ----------+-+-> Writing --> Code --> Done
//!  Finger: choose --> stages -----------------------'               `-------'
//!  Person: (another IT person's two factors) --> Writing --> Badge
//! ```
//!
//! S-4: a badge counts only after two equal taps, a PIN only after it was typed twice; a card only after
//! its key answered. Everything typed or tapped is wiped when the wizard is dropped (S-10).

mod badge;
mod card;
mod finger;
mod first;
mod progress;
mod second;
mod step;
#[cfg(test)]
mod tests;
mod written;

use wardkeep_model::access::factor::{Finger, Pin};
use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::{FactorEvent, FingerCommand};

use self::progress::Progress;

pub use self::step::{
    Effect, EnrolKind, Event, Goal, Prompted, Stages, Start, Step, Tap, Voucher, VoucherToken,
};

/// The wizard.
#[derive(Debug)]
pub struct Enrolment {
    so_far: Progress,
}

impl Enrolment {
    /// Begins.
    pub fn begin(goal: Goal, start: Start) -> (Self, Vec<Effect>) {
        let mut so_far = Progress { goal, step: Step::Over, start };
        let effects = first::step(&mut so_far);
        (Self { so_far }, effects)
    }

    /// What it is for.
    pub fn goal(&self) -> &Goal {
        &self.so_far.goal
    }

    /// What it waits for.
    pub fn step(&self) -> &Step {
        &self.so_far.step
    }

    /// A badge, a card or a finger is what it waits for.
    pub fn waits_for_reader(&self) -> bool {
        matches!(
            self.so_far.step,
            Step::Badge(_) | Step::Card | Step::Finger(_) | Step::SecondPerson
        )
    }

    /// Fingers of the person that are enrolled.
    pub fn fingers(&self) -> &[Finger] {
        &self.so_far.start.fingers
    }

    /// Fingers that are not enrolled yet, suggested ones first.
    pub fn free_fingers(&self) -> Vec<Finger> {
        let taken = self.fingers();
        Finger::ALL.into_iter().filter(|finger| !taken.contains(finger)).collect()
    }

    /// One finger is enrolled: a second one helps on the day the first is hurt or wet.
    pub fn suggests_another_finger(&self) -> bool {
        let is_finger = matches!(self.so_far.goal, Goal::Factor(_, EnrolKind::Finger));
        is_finger && self.fingers().len() == 1
    }

    /// Counts PIN prompts and attempts.
    pub fn count(&self) -> u64 {
        self.so_far.start.count
    }

    /// Advances the wizard; an event that does not fit the step changes nothing.
    pub fn handle(&mut self, now: BootTime, event: Event) -> Vec<Effect> {
        match event {
            Event::Badge(badge) => badge::tapped(&mut self.so_far, now, badge),
            Event::BadgeLifted => badge::lifted(&mut self.so_far),
            Event::Factor(event) => self.factor(event),
            Event::Pin(pin) => self.typed(pin),
            Event::IssueCode => badge::code_instead(&mut self.so_far),
            Event::ChooseFinger(finger) => finger::choose(&mut self.so_far, finger),
            Event::Next(kind) => self.next(kind),
            Event::Finish => self.finish(),
            Event::Cancel => self.cancel(),
            Event::Identified(attempt, identified) => {
                second::known(&mut self.so_far, attempt, identified)
            }
            Event::Administered(attempt, answer) => {
                written::answered(&mut self.so_far, attempt, answer)
            }
        }
    }

    fn factor(&mut self, event: FactorEvent) -> Vec<Effect> {
        match event {
            FactorEvent::CardPresented(seen) => card::presented(&mut self.so_far, seen),
            FactorEvent::CardUnreadable(fault) => card::unreadable(fault),
            FactorEvent::CardRemoved => card::removed(&mut self.so_far),
            FactorEvent::CardProved(attempt, proof) => {
                second::proved(&mut self.so_far, attempt, proof)
            }
            FactorEvent::CardEnrolled(attempt, enrolment) => {
                card::tested(&mut self.so_far, attempt, enrolment)
            }
            FactorEvent::CardRefused(attempt, refusal) => {
                card::refused(&mut self.so_far, attempt, refusal)
            }
            FactorEvent::Finger(event) => finger::handle(&mut self.so_far, event),
            FactorEvent::Sensor(_) => vec![],
        }
    }

    fn typed(&mut self, pin: Pin) -> Vec<Effect> {
        match std::mem::replace(&mut self.so_far.step, Step::Over) {
            Step::Pin(badge) => badge::chosen(&mut self.so_far, badge, pin),
            Step::Repeat(badge, first) => badge::repeated(&mut self.so_far, badge, &first, pin),
            Step::CardPin(prompted) => card::test(&mut self.so_far, prompted, pin),
            Step::SecondPin(voucher) => second::vouch(&mut self.so_far, voucher, pin),
            other @ (Step::Badge(_)
            | Step::Card
            | Step::CardTest(..)
            | Step::FingerChoice
            | Step::Finger(_)
            | Step::SecondPerson
            | Step::SecondKnown(..)
            | Step::SecondTest(..)
            | Step::Writing(..)
            | Step::Code(_)
            | Step::Done
            | Step::Over) => {
                self.so_far.step = other;
                vec![]
            }
        }
    }

    fn next(&mut self, kind: EnrolKind) -> Vec<Effect> {
        let (Step::Done, Goal::Factor(person, _)) = (&self.so_far.step, &self.so_far.goal) else {
            return vec![];
        };
        self.so_far.goal = Goal::Factor(*person, kind);
        first::step(&mut self.so_far)
    }

    fn finish(&mut self) -> Vec<Effect> {
        if matches!(self.so_far.step, Step::Code(_)) {
            return self.so_far.go(Step::Done);
        }
        if matches!(self.so_far.step, Step::Done) { self.so_far.go(Step::Over) } else { vec![] }
    }

    /// Leaves everything. What the store was asked already cannot be called back; its answer finds
    /// nobody.
    fn cancel(&mut self) -> Vec<Effect> {
        let is_reader_asked = matches!(self.so_far.step, Step::Finger(_));
        self.so_far.step = Step::Over;
        if is_reader_asked { vec![Effect::Finger(FingerCommand::Stop)] } else { vec![] }
    }
}
