//! Who gets in, and what IT sees of it: the emergency view, people, enrolment, audit, cart, account.
//!
//! Names of staff are shown only to a session that may manage people; patient data only inside
//! [`Emergency::Open`] (S-1: the bridge empties it with everything else at lock).

use std::sync::Arc;

use wardkeep_model::access::factor::Finger;
use wardkeep_model::access::policy::{Level, Pair};
use wardkeep_model::access::refusal::ReaderRefusal;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{AuditResult, FactorId, Protection};
use wardkeep_model::ports::{FingerAdvice, ReaderHealth};

use crate::kiosk::view::parts::{PatientBanner, PinPrompt, Tile};
use crate::kiosk::view::records::{Checkpoint, FindingLine, OpenFindingLine};
use crate::kiosk::view::time::TimeOfDay;
use crate::session::enrolment::EnrolKind;

/// The emergency view.
#[derive(Clone, Debug, PartialEq)]
pub enum Emergency {
    /// One enrolled factor is wanted.
    Token {
        /// State of the badge reader.
        badge_reader: ReaderHealth,
        /// State of the card reader.
        card_reader: ReaderHealth,
    },
    /// A reason is wanted.
    Reason {
        /// To choose from.
        reasons: Vec<EmergencyReason>,
        /// The card is being opened.
        busy: bool,
    },
    /// The patient at this bed, for a bounded time.
    Open(Box<EmergencyPage>),
}

/// What the emergency view shows.
#[derive(Clone, Debug, PartialEq)]
pub struct EmergencyPage {
    /// Identity.
    pub patient: PatientBanner,
    /// Known allergies; may be empty.
    pub allergies: Phi<String>,
    /// Live values with their limits, as at the bedside.
    pub tiles: Vec<Tile>,
    /// The last four hours before the lock, newest first.
    pub past: Vec<PastRow>,
    /// Seconds until it closes.
    pub seconds_left: u64,
}

/// Past values of one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRow {
    /// Hour and minute, local.
    pub at: TimeOfDay,
    /// Heart rate or pulse, digits; empty when there is none.
    pub rate: Phi<String>,
    /// SpO2, digits; empty when there is none.
    pub spo2: Phi<String>,
}

/// What a person's entry says about them at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonState {
    /// Can log in.
    Ready,
    /// Nothing is enrolled that could open the vault.
    NoFactors,
    /// Has a one-time code and no PIN of their own yet.
    Code,
    /// Their time is over.
    Expired,
    /// PIN tries are used up.
    Exhausted,
}

/// One person in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonLine {
    /// Opaque identity.
    pub id: OperatorId,
    /// Full name.
    pub name: Phi<String>,
    /// Two or three letters.
    pub initials: String,
    /// What they may do.
    pub role: Role,
    /// How they stand.
    pub state: PersonState,
    /// Badges, cards and fingers enrolled.
    pub counts: (usize, usize, usize),
    /// Last day on which they may log in, ISO 8601; empty for no end.
    pub valid_until: String,
}

/// The people screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// Those that the search leaves, by name; shared from view to view.
    pub rows: Arc<[PersonLine]>,
    /// How many there are in all.
    pub total: usize,
    /// What was searched for.
    pub search: Phi<String>,
    /// The list is being read.
    pub loading: bool,
    /// Another IT person has to vouch for a new one here.
    pub two_person: bool,
    /// Counts accepted forms: when it changes, the form is emptied and closed.
    pub saved: u64,
}

/// What an enrolled factor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorWord {
    /// A badge; its number can be copied.
    Badge,
    /// A smart card with the subject of its certificate.
    Card(Phi<String>),
    /// A finger.
    Finger(Finger),
}

/// One enrolled factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorLine {
    /// Opaque identity.
    pub id: FactorId,
    /// What.
    pub word: FactorWord,
    /// Day of enrolment, ISO 8601.
    pub since: String,
}

/// One person's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonPage {
    /// The person.
    pub person: PersonLine,
    /// What is enrolled, oldest first.
    pub factors: Vec<FactorLine>,
    /// What can be enrolled here and now; the rest is greyed with the reader's state.
    pub readers: [(EnrolKind, ReaderHealth); 3],
    /// They are the person who looks at it.
    pub is_self: bool,
    /// Something is being written.
    pub busy: bool,
}

/// A step of enrolling a factor.
#[derive(Clone, Debug)]
pub enum Enrolment {
    /// Tap the badge.
    Badge {
        /// State of the reader.
        reader: ReaderHealth,
        /// It was tapped once: tap it again.
        again: bool,
    },
    /// Type the PIN, or take a one-time code instead.
    Pin {
        /// The pad.
        prompt: PinPrompt,
        /// A one-time code is offered.
        code_offered: bool,
    },
    /// The one-time code, shown once.
    Code(Secret<String>),
    /// Insert the card.
    Card {
        /// State of the reader.
        reader: ReaderHealth,
    },
    /// The card's subject, and its PIN for the sign test.
    CardPin {
        /// Subject of the certificate.
        subject: Phi<String>,
        /// The pad.
        prompt: PinPrompt,
    },
    /// Choose a finger.
    FingerChoice {
        /// Those not enrolled yet, suggested ones first.
        fingers: Vec<Finger>,
    },
    /// Lay the finger on.
    Finger {
        /// Which.
        finger: Finger,
        /// Stages done.
        done: u8,
        /// Stages in all; zero until the reader has told.
        total: u8,
        /// How to do it better.
        advice: Option<FingerAdvice>,
    },
    /// Another IT person's badge or card.
    SecondPerson {
        /// State of the badge reader.
        badge_reader: ReaderHealth,
    },
    /// Their PIN.
    SecondPin(PinPrompt),
    /// It is being written.
    Working,
    /// Done; what else can be enrolled.
    Done {
        /// What was just enrolled.
        kind: EnrolKind,
        /// Two fingers are suggested and one is there.
        another_finger: bool,
    },
}

impl PartialEq for Enrolment {
    fn eq(&self, other: &Self) -> bool {
        // Codes are secret and have no equality; everything else prints what it holds.
        match (self, other) {
            (Self::Code(code), Self::Code(other)) => code.expose() == other.expose(),
            (
                Self::CardPin { subject, prompt },
                Self::CardPin { subject: other, prompt: shown },
            ) => subject == other && prompt == shown,
            (Self::Code(_) | Self::CardPin { .. }, _) => false,
            (one, other) => format!("{one:?}") == format!("{other:?}"),
        }
    }
}

/// One line of the audit log, worded by the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number.
    pub seq: u64,
    /// Day, ISO 8601, local.
    pub day: String,
    /// Hour and minute, local.
    pub at: TimeOfDay,
    /// What happened.
    pub act: wardkeep_model::keeping::AuditAct,
    /// Who; empty if nobody was logged in, or the person is not known any more.
    pub operator: Phi<String>,
    /// Whom of the staff it concerns; empty if nobody.
    pub person: Phi<String>,
    /// With which factors.
    pub pair: Option<Pair>,
    /// Why the emergency view was opened.
    pub reason: Option<EmergencyReason>,
    /// How it ended.
    pub result: AuditResult,
    /// What was found wrong.
    pub finding: Option<FindingLine>,
    /// What was refused at a reader, whose name is the detail.
    pub refusal: Option<ReaderRefusal>,
    /// How often, where the line stands for more than once.
    pub times: Option<u64>,
    /// Text from outside; empty without one. Never trusted: the screen escapes and shortens it.
    pub detail: Phi<String>,
}

/// The audit screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Newest first; shared from view to view.
    pub rows: Arc<[AuditLine]>,
    /// The log is being read.
    pub loading: bool,
    /// For a witness.
    pub checkpoint: Checkpoint,
    /// What was found wrong with the store and nobody has acknowledged.
    pub open: Vec<OpenFindingLine>,
    /// They are being acknowledged.
    pub acknowledging: bool,
}

/// How this cart is set up and protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    /// How the device secret is kept; `None` until known.
    pub protection: Option<Protection>,
    /// Minutes a full login leaves a shift share; zero: grace is off.
    pub shift_min: u64,
    /// Pairs that open here.
    pub pairs: Vec<Pair>,
    /// The emergency view is offered.
    pub emergency: bool,
    /// Two people make an IT person.
    pub two_person: bool,
    /// Days a revocation list counts.
    pub crl_days: u64,
    /// The fingerprint reader's name; empty without one.
    pub sensor: String,
}

/// The logged-in person's own page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Full name.
    pub name: Phi<String>,
    /// Their role.
    pub role: Role,
    /// With which factors.
    pub pair: Pair,
    /// What that proved.
    pub level: Level,
    /// Hour and minute of the login, local.
    pub since: TimeOfDay,
    /// Hour and minute at which the shift share ends; `None` without one.
    pub shift_until: Option<TimeOfDay>,
    /// They have a badge, so a PIN that can be changed here.
    pub can_change_pin: bool,
}

/// What the lock screen offers besides the badge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// A card reader is ready.
    pub card: bool,
    /// The emergency view is offered here.
    pub emergency: bool,
}
