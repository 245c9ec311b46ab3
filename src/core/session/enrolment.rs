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
mod second;
#[cfg(test)]
mod tests;
mod written;

use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Badge, CardId, CardPeer, Finger, Pin, Token, TokenKind};
use wardkeep_model::confidential::Secret;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, Identified, NewPerson,
};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardCommand, CardSeen, FactorEvent, FingerAdvice, FingerCommand};

pub use badge::Tap;

/// A kind of factor that can be enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnrolKind {
    /// A badge, and the PIN for all badges.
    Badge,
    /// A smart card.
    Card,
    /// A finger.
    Finger,
    /// Another PIN, or a one-time code, for the badges that are there.
    Pin,
}

/// What an enrolment is for. It never changes to another person than the one it began with.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// A new person; once the store has added them, their first badge.
    Person {
        /// The person.
        new: NewPerson,
        /// Another IT person has to vouch before the store is asked.
        vouched: bool,
    },
    /// A factor of this person.
    Factor(OperatorId, EnrolKind),
    /// The logged-in person's own PIN.
    OwnPin,
}

/// What the wizard has to know when it begins.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The logged-in person's own badge or card: never another person's factor.
    pub own: Option<Token>,
    /// Fingers of the person that are enrolled already.
    pub fingers: Vec<Finger>,
    /// Last number given to an attempt or a PIN prompt; the wizard counts on from there.
    pub count: u64,
    /// A card of somebody else that is in the reader.
    pub inserted: Option<CardSeen>,
}

/// A step, named by what it waits for.
#[derive(Clone, Debug)]
pub enum Step {
    /// For the badge, and for the same badge again.
    Badge(Option<Tap>),
    /// For a PIN for this badge, or for those the person has.
    Pin(Option<Badge>),
    /// For the same PIN again.
    Repeat(Option<Badge>, Pin),
    /// For a card.
    Card,
    /// For the card's PIN.
    CardPin(Prompted),
    /// For the card to sign and to agree on a key.
    CardTest(Prompted, Attempt),
    /// For the finger to be chosen.
    FingerChoice,
    /// For the finger.
    Finger(Stages),
    /// For another IT person's badge or card.
    SecondPerson,
    /// For the store to say what their card has to agree with.
    SecondKnown(CardId, Attempt),
    /// For their PIN.
    SecondPin(Voucher),
    /// For their card to prove itself.
    SecondTest(Voucher, Attempt),
    /// For the store.
    Writing(Attempt, Option<Badge>),
    /// For the one-time code to be handed over.
    Code(Secret<String>),
    /// For the next thing to enrol, or the end.
    Done,
    /// For nothing: the wizard is to be dropped.
    Over,
}

/// A card whose PIN is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompted {
    /// The card.
    pub seen: CardSeen,
    /// Tries left on the card, after a wrong PIN.
    pub tries_left: Option<u8>,
}

/// A finger being taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    /// For the reader's answers.
    pub attempt: Attempt,
    /// Which finger.
    pub finger: Finger,
    /// Stages done.
    pub done: u8,
    /// Stages in all; zero until the reader has told.
    pub total: u8,
    /// How to do it better.
    pub advice: Option<FingerAdvice>,
}

/// Another IT person's first factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Voucher {
    /// What they have.
    pub token: VoucherToken,
    /// Tries left on a card, after a wrong PIN.
    pub tries_left: Option<u8>,
}

/// A badge, or a card with what it has to agree a key with.
#[derive(Clone, Debug, PartialEq)]
pub enum VoucherToken {
    /// A badge.
    Badge(Badge),
    /// A card.
    Card(CardId, CardPeer),
}

impl VoucherToken {
    /// What kind of thing it is.
    pub fn kind(&self) -> TokenKind {
        match self {
            VoucherToken::Badge(_) => TokenKind::Badge,
            VoucherToken::Card(..) => TokenKind::Card,
        }
    }
}

/// What happens during an enrolment.
#[derive(Clone, Debug)]
pub enum Event {
    /// A badge was tapped.
    Badge(Badge),
    /// The badge left the field.
    BadgeLifted,
    /// Cards and fingers.
    Factor(FactorEvent),
    /// A PIN was typed.
    Pin(Pin),
    /// A one-time code instead of a PIN.
    IssueCode,
    /// This finger is to be taken.
    ChooseFinger(Finger),
    /// The next factor of the same person.
    Next(EnrolKind),
    /// The code was handed over, or nothing else is to be enrolled.
    Finish,
    /// Left without finishing, or the session ended.
    Cancel,
    /// The store's answer about a second person's card.
    Identified(Attempt, Identified),
    /// The store's answer.
    Administered(Attempt, Result<Administered, AdministrationFault>),
}

/// What the wizard wants done.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask the store.
    Administer(Attempt, Box<Administration>),
    /// Ask the store what this card has to agree a key with.
    Identify(Attempt, Token),
    /// Ask the card.
    Card(CardCommand),
    /// Ask the fingerprint reader.
    Finger(FingerCommand),
    /// Tell the operator.
    Notify(Notice),
    /// The person was added: the form is done with.
    Added(OperatorId),
    /// The list of people is out of date.
    Refresh,
}

/// The wizard.
#[derive(Debug)]
pub struct Enrolment {
    goal: Goal,
    step: Step,
    start: Start,
}

impl Enrolment {
    /// Begins.
    pub fn begin(goal: Goal, start: Start) -> (Self, Vec<Effect>) {
        let mut wizard = Self { goal, step: Step::Over, start };
        let effects = wizard.first_step();
        (wizard, effects)
    }

    /// What it is for.
    pub fn goal(&self) -> &Goal {
        &self.goal
    }

    /// What it waits for.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// A badge, a card or a finger is what it waits for.
    pub fn waits_for_reader(&self) -> bool {
        matches!(self.step, Step::Badge(_) | Step::Card | Step::Finger(_) | Step::SecondPerson)
    }

    /// Fingers of the person that are enrolled.
    pub fn fingers(&self) -> &[Finger] {
        &self.start.fingers
    }

    /// Counts PIN prompts and attempts.
    pub fn count(&self) -> u64 {
        self.start.count
    }

    /// Advances the wizard; an event that does not fit the step changes nothing.
    pub fn handle(&mut self, now: BootTime, event: Event) -> Vec<Effect> {
        match event {
            Event::Badge(badge) => self.tapped(now, badge),
            Event::BadgeLifted => self.lifted(),
            Event::Factor(event) => self.factor(event),
            Event::Pin(pin) => self.typed(pin),
            Event::IssueCode => self.code_instead(),
            Event::ChooseFinger(finger) => self.choose_finger(finger),
            Event::Next(kind) => self.next(kind),
            Event::Finish => self.finish(),
            Event::Cancel => self.cancel(),
            Event::Identified(attempt, identified) => self.second_known(attempt, identified),
            Event::Administered(attempt, answer) => self.answered(attempt, answer),
        }
    }

    fn factor(&mut self, event: FactorEvent) -> Vec<Effect> {
        match event {
            FactorEvent::CardPresented(seen) => self.card_presented(seen),
            FactorEvent::CardUnreadable(fault) => self.card_unreadable(fault),
            FactorEvent::CardRemoved => self.card_removed(),
            FactorEvent::CardProved(attempt, proof) => self.second_proved(attempt, proof),
            FactorEvent::CardEnrolled(attempt, enrolment) => self.card_tested(attempt, enrolment),
            FactorEvent::CardRefused(attempt, refusal) => self.card_refused(attempt, refusal),
            FactorEvent::Finger(event) => self.finger(event),
            FactorEvent::Sensor(_) => vec![],
        }
    }

    fn typed(&mut self, pin: Pin) -> Vec<Effect> {
        match std::mem::replace(&mut self.step, Step::Over) {
            Step::Pin(badge) => self.chosen(badge, pin),
            Step::Repeat(badge, first) => self.repeated(badge, &first, pin),
            Step::CardPin(prompted) => self.test_card(prompted, pin),
            Step::SecondPin(voucher) => self.vouch(voucher, pin),
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
                self.step = other;
                vec![]
            }
        }
    }

    fn next(&mut self, kind: EnrolKind) -> Vec<Effect> {
        let (Step::Done, Goal::Factor(person, _)) = (&self.step, &self.goal) else {
            return vec![];
        };
        self.goal = Goal::Factor(*person, kind);
        self.first_step()
    }

    fn finish(&mut self) -> Vec<Effect> {
        if matches!(self.step, Step::Code(_)) {
            return self.go(Step::Done);
        }
        if matches!(self.step, Step::Done) { self.go(Step::Over) } else { vec![] }
    }

    /// Leaves everything. What the store was asked already cannot be called back; its answer finds
    /// nobody.
    fn cancel(&mut self) -> Vec<Effect> {
        let is_reader_asked = matches!(self.step, Step::Finger(_));
        self.step = Step::Over;
        if is_reader_asked { vec![Effect::Finger(FingerCommand::Stop)] } else { vec![] }
    }

    /// The first step on the way to the goal, also after something went wrong.
    fn first_step(&mut self) -> Vec<Effect> {
        match &self.goal {
            Goal::Person { new, vouched: false } => {
                let add = Administration::AddPerson(new.clone(), None);
                self.administer(add, None)
            }
            Goal::Person { vouched: true, .. } => self.go(Step::SecondPerson),
            Goal::Factor(_, EnrolKind::Badge) => self.go(Step::Badge(None)),
            Goal::Factor(_, EnrolKind::Card) => match self.start.inserted.clone() {
                Some(seen) => self.ask_card_pin(seen),
                None => self.go(Step::Card),
            },
            Goal::Factor(_, EnrolKind::Finger) => self.go(Step::FingerChoice),
            Goal::Factor(_, EnrolKind::Pin) | Goal::OwnPin => self.go(Step::Pin(None)),
        }
    }

    fn administer(&mut self, what: Administration, badge: Option<Badge>) -> Vec<Effect> {
        let attempt = self.attempt();
        self.step = Step::Writing(attempt, badge);
        vec![Effect::Administer(attempt, Box::new(what))]
    }

    fn attempt(&mut self) -> Attempt {
        self.start.count += 1;
        Attempt(self.start.count)
    }

    /// Every step is another PIN prompt, so that digits typed for one never count for the next.
    fn go(&mut self, step: Step) -> Vec<Effect> {
        self.start.count += 1;
        self.step = step;
        vec![]
    }

    fn go_with(&mut self, step: Step, notice: Notice) -> Vec<Effect> {
        self.start.count += 1;
        self.step = step;
        vec![Effect::Notify(notice)]
    }
}
