//! Where a session stands: its states and what each of them holds.

use wardkeep_model::access::Operator;
use wardkeep_model::access::factor::{Attempt, CardPeer, Pin, Token};
use wardkeep_model::access::policy::Pair;
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::FingerAdvice;

use crate::session::machine::event::Effect;
use crate::session::machine::limits::SESSION_MAX;

/// Where a transition leads, and what is to be done.
pub(super) type Step = (State, Vec<Effect>);

/// Where the session stands. States hold evidence and deadlines, never a PIN; the one exception is a
/// PIN that is being chosen, until it was typed again.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nobody is logged in.
    Locked,
    /// A token was presented; its second factor is wanted.
    Partial(Prompt),
    /// The card proves itself with its PIN.
    Proving {
        /// To go back to, should the PIN be wrong.
        prompt: Prompt,
        /// What the card was asked.
        attempt: Attempt,
        /// The card has to answer before this.
        deadline: BootTime,
    },
    /// Both factors are with the store.
    Unlocking {
        /// To go back to, should they be refused.
        prompt: Prompt,
        /// What the store was asked.
        attempt: Attempt,
        /// With which factors.
        pair: Pair,
        /// The store has to answer before this.
        deadline: BootTime,
    },
    /// The vault is open, but nothing is shown before the person has a PIN of their own.
    ChoosingPin(Choosing),
    /// Patient data is visible.
    Open {
        /// Who.
        operator: Operator,
        /// What they have: the badge or card that opened it.
        token: Token,
        /// With which factors.
        pair: Pair,
        /// Since when.
        since: BootTime,
        /// When this token was last presented.
        tapped: BootTime,
        /// Locks at this time unless touched.
        idle_deadline: BootTime,
    },
    /// One factor and a reason instead of two factors.
    Emergency(Emergency),
}

impl State {
    /// When it ends by itself.
    pub fn deadline(&self) -> Option<BootTime> {
        match self {
            State::Locked => None,
            State::Partial(prompt) => Some(prompt.idle_deadline.min(prompt.deadline)),
            State::Proving { deadline, .. } | State::Unlocking { deadline, .. } => Some(*deadline),
            State::ChoosingPin(choosing) => Some(choosing.idle_deadline.min(choosing.deadline)),
            State::Open { idle_deadline, since, .. } => {
                Some(*idle_deadline.min(&(*since + SESSION_MAX)))
            }
            State::Emergency(emergency) => Some(emergency.deadline()),
        }
    }

    /// The token it rests on.
    pub(super) fn token(&self) -> Option<&Token> {
        match self {
            State::Locked => None,
            State::Partial(prompt)
            | State::Proving { prompt, .. }
            | State::Unlocking { prompt, .. } => Some(&prompt.token),
            State::ChoosingPin(choosing) => Some(&choosing.token),
            State::Open { token, .. } => Some(token),
            State::Emergency(emergency) => emergency.token(),
        }
    }

    /// A token is known, and something is wanted of its owner before anything opens.
    pub(super) fn prompts(&self) -> bool {
        match self {
            State::Partial(_) | State::Emergency(Emergency::Reason { .. }) => true,
            State::Locked
            | State::Proving { .. }
            | State::Unlocking { .. }
            | State::ChoosingPin(_)
            | State::Open { .. }
            | State::Emergency(
                Emergency::Token { .. } | Emergency::Opening { .. } | Emergency::Open { .. },
            ) => false,
        }
    }

    /// The store may hold something open for it, so leaving it conceals.
    pub(super) fn holds(&self) -> bool {
        match self {
            State::Locked | State::Partial(_) | State::Proving { .. } => false,
            State::Unlocking { .. } | State::ChoosingPin(_) | State::Open { .. } => true,
            State::Emergency(emergency) => emergency.holds(),
        }
    }

    /// The question to the fingerprint reader that it waits on.
    pub(super) fn watched(&self) -> Option<Attempt> {
        match self {
            State::Partial(prompt) => prompt.finger.attempt,
            State::Locked
            | State::Proving { .. }
            | State::Unlocking { .. }
            | State::ChoosingPin(_)
            | State::Open { .. }
            | State::Emergency(_) => None,
        }
    }
}

/// What was presented, and how its prompt stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// What was presented.
    pub token: Token,
    /// The store's question about it.
    pub attempt: Attempt,
    /// What a card has to agree on a key with; `None` until the store has answered.
    pub peer: Option<CardPeer>,
    /// Tries left: the store's count for a badge, the card's own for a card; `None` until told.
    pub tries_left: Option<u8>,
    /// A PIN may be tried from here on.
    pub admitted_from: BootTime,
    /// The last PIN was refused.
    pub refused: bool,
    /// How the finger stands.
    pub finger: Watch,
    /// Nobody touched the prompt since `idle_deadline - PARTIAL_IDLE_MAX`.
    pub idle_deadline: BootTime,
    /// End of the prompt whatever happens.
    pub deadline: BootTime,
}

/// How the finger stands beside the PIN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// The question that the fingerprint reader works on.
    pub attempt: Option<Attempt>,
    /// Fingers in a row that matched nobody.
    pub misses: u8,
    /// What the screen says; `None` where no finger is wanted.
    pub shown: Option<FingerPrompt>,
}

impl Watch {
    /// Too many misses, or no reader any more: the PIN it is.
    pub(super) fn off(&mut self) {
        self.attempt = None;
        self.shown = Some(FingerPrompt::Off);
    }

    /// A finger was wanted, and the reader still worked.
    pub(super) fn is_on(&self) -> bool {
        match self.shown {
            Some(FingerPrompt::Waiting | FingerPrompt::NotMatched | FingerPrompt::Retry(_)) => true,
            Some(FingerPrompt::Off) | None => false,
        }
    }
}

/// The finger prompt beside the PIN pad, while a shift share is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingerPrompt {
    /// Waiting for a finger.
    Waiting,
    /// The last one did not match.
    NotMatched,
    /// Not read well.
    Retry(FingerAdvice),
    /// After too many misses, or another reader than at enrolment: the PIN it is.
    Off,
}

/// A person who came with a one-time code chooses a PIN. The vault is open, nothing is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Choosing {
    /// Who.
    pub operator: Operator,
    /// What they have.
    pub token: Token,
    /// With which factors they came.
    pub pair: Pair,
    /// What they typed first; it has to be typed again.
    pub first: Option<Pin>,
    /// The store is writing it.
    pub sent: Option<Attempt>,
    /// Ends at this time unless touched.
    pub idle_deadline: BootTime,
    /// Ends at this time whatever happens.
    pub deadline: BootTime,
}

/// A step of the emergency view, named by what it waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Emergency {
    /// For a token.
    Token {
        /// Ends at this time.
        deadline: BootTime,
    },
    /// For a reason.
    Reason {
        /// What was presented, and when.
        token: (Token, BootTime),
        /// Ends at this time unless touched.
        idle_deadline: BootTime,
        /// Ends at this time whatever happens.
        deadline: BootTime,
    },
    /// For the store.
    Opening {
        /// What was presented, and when.
        token: (Token, BootTime),
        /// What the store was asked.
        attempt: Attempt,
        /// The store has to answer before this.
        deadline: BootTime,
    },
    /// For the end: the patient at this bed is visible.
    Open {
        /// What was presented, and when.
        token: (Token, BootTime),
        /// Ends at this time, touched or not.
        until: BootTime,
    },
}

impl Emergency {
    pub(super) fn deadline(&self) -> BootTime {
        match self {
            Emergency::Token { deadline } | Emergency::Opening { deadline, .. } => *deadline,
            Emergency::Reason { idle_deadline, deadline, .. } => *idle_deadline.min(deadline),
            Emergency::Open { until, .. } => *until,
        }
    }

    pub(super) fn token(&self) -> Option<&Token> {
        match self {
            Emergency::Token { .. } => None,
            Emergency::Reason { token: (token, _), .. }
            | Emergency::Opening { token: (token, _), .. }
            | Emergency::Open { token: (token, _), .. } => Some(token),
        }
    }

    pub(super) fn holds(&self) -> bool {
        match self {
            Emergency::Token { .. } | Emergency::Reason { .. } => false,
            Emergency::Opening { .. } | Emergency::Open { .. } => true,
        }
    }

    pub(super) fn awaits(&self, answered: Attempt) -> bool {
        matches!(self, Emergency::Opening { attempt, .. } if *attempt == answered)
    }

    pub(super) fn expired(&self) -> Notice {
        match self {
            Emergency::Opening { .. } => Notice::VaultDamaged,
            Emergency::Token { .. } | Emergency::Reason { .. } | Emergency::Open { .. } => {
                Notice::EmergencyOver
            }
        }
    }
}

/// Locked, and why.
pub(super) fn locked(notice: Notice) -> Step {
    (State::Locked, vec![Effect::Notify(notice)])
}
