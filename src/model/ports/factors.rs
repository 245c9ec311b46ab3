//! What the drivers of cards and fingers are asked and what they answer.
//!
//! A command that carries an [`Attempt`] is answered exactly once with that attempt, unless it is
//! cancelled; the core discards answers to attempts it has abandoned.

use jiff::Timestamp;

use crate::access::factor::{
    Attempt, CardEnrolment, CardId, CardPeer, CardSecret, Finger, Pin, Sensor, Template, TemplateId,
};
use crate::access::refusal::{Distrust, ReaderRefusal};
use crate::confidential::Phi;

/// What the core wants of a smart card.
#[derive(Clone, Debug, PartialEq)]
pub enum CardCommand {
    /// Verify the PIN, have 9A sign a fresh challenge, judge the certificate, agree with 9D.
    Prove {
        /// For the answer.
        attempt: Attempt,
        /// The card that was presented; another one in the reader is [`CardRefusal::Changed`].
        card: CardId,
        /// Its PIN.
        pin: Pin,
        /// What its slot agrees with.
        peer: CardPeer,
    },
    /// The same with a new peer: the sign test of an enrolment.
    Enrol {
        /// For the answer.
        attempt: Attempt,
        /// The card that was presented.
        card: CardId,
        /// Its PIN.
        pin: Pin,
    },
}

impl CardCommand {
    /// For the answer to it.
    pub fn attempt(&self) -> Attempt {
        match self {
            CardCommand::Prove { attempt, .. } | CardCommand::Enrol { attempt, .. } => *attempt,
        }
    }

    /// The card that it is for.
    pub fn card(&self) -> CardId {
        match self {
            CardCommand::Prove { card, .. } | CardCommand::Enrol { card, .. } => *card,
        }
    }
}

/// A card in a contact reader, read without its PIN.
#[derive(Clone, Debug, PartialEq)]
pub struct CardSeen {
    /// Its identity. Public data: it proves nothing yet.
    pub card: CardId,
    /// Subject of its authentication certificate. Shown at enrolment only.
    pub subject: Phi<String>,
    /// Until when the certificate is valid.
    pub valid_until: Option<Timestamp>,
}

/// Why a card gave no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardFault {
    /// It left before it could be read.
    LeftTooSoon,
    /// It is not a PIV card, or has no authentication certificate.
    NotPiv,
    /// It answers, but not as a PIV card has to.
    Unreadable,
}

impl CardFault {
    /// As it is kept in the audit log; `None` for a card that only left.
    pub fn kept(self) -> Option<ReaderRefusal> {
        match self {
            CardFault::LeftTooSoon => None,
            CardFault::NotPiv => Some(ReaderRefusal::NotPiv),
            CardFault::Unreadable => Some(ReaderRefusal::CardUnreadable),
        }
    }
}

/// Why a card did not prove itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardRefusal {
    /// The PIN is wrong; the card counts.
    WrongPin {
        /// Tries left on the card.
        tries_left: u8,
    },
    /// One try is left on the card: it was not used, so that a mistake here never blocks a card.
    LastTry,
    /// The card has blocked its PIN.
    Blocked,
    /// Its certificate is not trusted.
    NotTrusted(Distrust),
    /// It has no key for key agreement (slot 9D), or of a kind that is not supported.
    NoKey,
    /// Another card is in the reader.
    Changed,
    /// It left.
    Gone,
    /// Its answers make no sense, or its signature is wrong.
    Broken,
}

impl CardRefusal {
    /// As it is kept in the audit log; `None` for a card that only left.
    pub fn kept(self) -> Option<ReaderRefusal> {
        Some(match self {
            CardRefusal::WrongPin { .. } => ReaderRefusal::WrongCardPin,
            CardRefusal::LastTry => ReaderRefusal::LastCardTry,
            CardRefusal::Blocked => ReaderRefusal::CardBlocked,
            CardRefusal::NotTrusted(why) => ReaderRefusal::NotTrusted(why),
            CardRefusal::NoKey => ReaderRefusal::NoCardKey,
            CardRefusal::Changed => ReaderRefusal::CardChanged,
            CardRefusal::Gone => return None,
            CardRefusal::Broken => ReaderRefusal::NoProof,
        })
    }
}

/// What the core wants of the fingerprint reader. At most one of these runs; a new one, or `Stop`,
/// cancels the one before.
#[derive(Clone, Debug, PartialEq)]
pub enum FingerCommand {
    /// Wait for one of these fingers.
    Identify {
        /// For the answers.
        attempt: Attempt,
        /// One person's templates.
        templates: Vec<Template>,
    },
    /// Take a new template.
    Enrol {
        /// For the answers.
        attempt: Attempt,
        /// Which finger is to be taken.
        finger: Finger,
    },
    /// Neither any more.
    Stop,
}

/// How a finger should be laid on better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FingerAdvice {
    /// Not read; once more.
    Again,
    /// Too short a touch or swipe.
    Longer,
    /// In the middle of the reader.
    Centre,
    /// Lift it and lay it on anew.
    Lift,
}

/// What the fingerprint reader reports of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum FingerEvent {
    /// One of the fingers.
    Matched(Attempt, TemplateId),
    /// A finger, but none of these. The reader waits for the next one.
    NotMatched(Attempt),
    /// Not read well; the reader waits.
    Retry(Attempt, FingerAdvice),
    /// This many of the stages of an enrolment are done.
    Stage(Attempt, u8, u8),
    /// The template is taken.
    Enrolled(Attempt, Template),
    /// It cannot be done.
    Failed(Attempt, FingerFault),
}

/// Why a fingerprint reader could not do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingerFault {
    /// No reader, or libfprint is not installed.
    NotFitted,
    /// The templates were taken on another reader than the one that is plugged in.
    OtherSensor,
    /// This finger is enrolled already, for this person or another.
    Duplicate,
    /// The reader failed or was unplugged.
    Broken,
}

/// What the drivers of cards and fingers tell the core.
#[derive(Clone, Debug, PartialEq)]
pub enum FactorEvent {
    /// A card was inserted and read.
    CardPresented(CardSeen),
    /// A card was inserted and could not be read.
    CardUnreadable(CardFault),
    /// The card was pulled.
    CardRemoved,
    /// To [`CardCommand::Prove`].
    CardProved(Attempt, Proof),
    /// To [`CardCommand::Enrol`].
    CardEnrolled(Attempt, CardEnrolment),
    /// To either.
    CardRefused(Attempt, CardRefusal),
    /// The fingerprint reader was plugged in, changed or unplugged.
    Sensor(Option<Sensor>),
    /// The fingerprint reader's work.
    Finger(FingerEvent),
}

/// What a card agreed on with its slot.
#[derive(Clone, Debug)]
pub struct Proof(pub CardSecret);

impl PartialEq for Proof {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}
