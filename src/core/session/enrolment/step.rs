//! What an enrolment is for, the steps it takes, what happens to it and what it wants done.

use std::time::Duration;

use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{
    Attempt, Badge, CardId, CardPeer, Finger, Pin, ReaderFamily, Token, TokenKind,
};
use wardkeep_model::confidential::Secret;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, Identified, NewPerson,
};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardCommand, CardSeen, FactorEvent, FingerAdvice, FingerCommand};

/// A reader that cannot tell when a badge leaves: what comes this long after the first is another tap.
const SEPARATE_AFTER: Duration = Duration::from_secs(1);

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
    /// What the bed and the ward are called: no PINs.
    pub places: Vec<String>,
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

/// The first of the two taps.
#[derive(Clone, Debug)]
pub struct Tap {
    /// Its number.
    pub(super) badge: Badge,
    /// When.
    pub(super) at: BootTime,
    /// The badge has left the field since.
    pub(super) is_lifted: bool,
}

impl Tap {
    /// Another presentation of the badge at this time is a tap of its own: readers repeat what lies
    /// on them.
    pub(super) fn is_over(&self, now: BootTime) -> bool {
        let tells_removal = match self.badge.family {
            ReaderFamily::PcscUid | ReaderFamily::PcProx => true,
            ReaderFamily::Keyboard => false,
        };
        self.is_lifted || (!tells_removal && now.since(self.at) >= SEPARATE_AFTER)
    }
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
