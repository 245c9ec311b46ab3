//! What happens to a session, and what it wants done.

use wardkeep_model::access::Operator;
use wardkeep_model::access::factor::{Attempt, Evidence, Pin, Sensor, Token};
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{AdministrationFault, EmergencyRefusal, Identified, Refusal};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{CardCommand, CardRefusal, FingerCommand, FingerEvent, Proof};

/// What happens to a session.
#[derive(Clone, Debug)]
pub enum Event {
    /// A badge entered the field, or a card was inserted and read.
    Presented(Token),
    /// Another badge lies in the field beside the first.
    SecondBadge,
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
