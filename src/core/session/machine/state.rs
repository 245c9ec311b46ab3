//! Where a session stands, what happens to it and what it wants done.

use crate::session::machine::{Choosing, Emergency, Prompt, SESSION_MAX};
use wardkeep_model::access::Operator;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Evidence, Pin, Sensor, Token};
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{AdministrationFault, EmergencyRefusal, Identified, Refusal};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{
    CardCommand, CardRefusal, FingerAdvice, FingerCommand, FingerEvent, Proof,
};

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

/// What happens to a session.
#[derive(Clone, Debug)]
pub enum Event {
    /// A badge entered the field, or a card was inserted and read.
    Presented(Token),
    /// No badge is in the field.
    BadgeRemoved,
    /// No card is in its reader, or the reader cannot be used any more.
    CardRemoved,
    /// A PIN was typed.
    PinSubmitted(Pin),
    /// The prompt was cancelled.
    Cancelled,
    /// The lock button was pressed.
    LockPressed,
    /// The emergency view was asked for.
    EmergencyAsked,
    /// A reason for the emergency view was chosen.
    ReasonChosen(EmergencyReason),
    /// Somebody touched the screen.
    Activity,
    /// The store's answer to `Identify`.
    Identified(Attempt, Identified),
    /// The store's answer to `Unlock`: the vault is open.
    Unlocked {
        /// To which question.
        attempt: Attempt,
        /// Who opened it.
        operator: Operator,
        /// They have to choose a PIN before anything else.
        must_choose_pin: bool,
    },
    /// The store's answer to `Unlock`: refused.
    Refused(Attempt, Refusal),
    /// The store's answer to `ChoosePin`.
    PinChosen(Attempt, Result<(), AdministrationFault>),
    /// The store's answer to `OpenEmergency`: the emergency card is open.
    EmergencyOpened(Attempt),
    /// The store's answer to `OpenEmergency`: refused.
    EmergencyRefused(Attempt, EmergencyRefusal),
    /// The card's proof.
    CardProved(Attempt, Proof),
    /// The card gave none.
    CardRefused(Attempt, CardRefusal),
    /// The fingerprint reader's answer.
    Finger(FingerEvent),
    /// The fingerprint reader was plugged in, changed or unplugged.
    Sensor(Option<Sensor>),
    /// Time passed.
    Tick,
}

/// What the session wants done.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask the store which second factors this token may try.
    Identify(Attempt, Token),
    /// Have the store derive the key.
    Unlock(Attempt, Evidence),
    /// Ask the card.
    Card(CardCommand),
    /// Ask the fingerprint reader.
    Finger(FingerCommand),
    /// Have the store count a finger that matched nobody.
    FingerMissed(Token),
    /// Have the store take the new PIN of the person who is unlocking.
    ChoosePin(Attempt, Pin),
    /// Have the store open the emergency card.
    OpenEmergency(Attempt, Token, EmergencyReason),
    /// Show to this person what their role may see.
    Reveal(Operator),
    /// Show the emergency view.
    RevealEmergency,
    /// Hide patient data and close the vault.
    Conceal,
    /// Tell the operator.
    Notify(Notice),
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
