//! The encrypted store: what it is asked ([`Command`]) and what it answers ([`Outcome`]).
//!
//! ```text
//!  vault (SQLCipher)   opened by a person's two factors      patients, observations, audit
//!  inbox (sealed)      written by anyone, opened with vault  what is recorded while locked
//!  cart  (AEAD file)   opened by the device secret alone     what monitoring needs after a power cut
//! ```
//!
//! One thread owns every file and every key ([`spawn`]). S-3, S-4, S-5 and S-8 live here.
//!
//! The keys: `device_secret` (this machine), `keyslot` (two factors), `keyring` (the vault's master
//! key), `recovery` (24 words). Everything but the database itself builds without the
//! feature `store`; then the only answer is [`StoreFault::NoCipher`].

#[cfg(feature = "store")]
mod audit;
mod cart;
pub mod device_secret;
mod draft;
mod durable;
mod emergency;
mod enrol;
mod handle;
mod identity;
mod import;
mod inbox;
mod inspect;
mod keep;
mod keyring;
mod keyslot;
mod people;
mod primitives;
mod recovery;
mod rescue;
mod rotation;
#[cfg(feature = "store")]
mod rows;
#[cfg(feature = "store")]
mod schema;
mod segment;
mod setup;
mod shift;
#[cfg(feature = "store")]
mod staff;
mod unlock;
mod vault;
mod worker;

pub use handle::{Full, Options, QUEUE_MAX, StoreHandle, spawn};
pub use identity::{
    Administered, Administration, AdministrationFault, AuditRow, CardEnrolment, Draft,
    EmergencyRefusal, FactorId, FactorKind, FactorRow, Identified, NewPerson, NewPin, PersonRow,
    Shift,
};
pub use inspect::{Facts, inspect};
pub use rescue::administer_with_recovery;
pub use setup::{RecoveredVault, open_with_recovery};
pub use vault::{CipherFacts, cipher_facts};

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::confidential::{Phi, Secret};
use crate::encounter::{Patient, SubjectId};
use crate::hardware::{DeviceId, DeviceKind};
use crate::moment::Moment;
use crate::session::emergency::{EmergencyCard, EmergencyReason};
use crate::session::factor::{Badge, Evidence, Pin, Token};
use crate::session::policy::Pair;
use crate::session::{Operator, OperatorId, Role};
use crate::vitals::Observation;

/// A device's claim on a patient's behalf: who, from when, until when (S-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Whose values they are.
    pub subject: SubjectId,
    /// Readings that began earlier are not filed.
    pub since: Timestamp,
    /// Readings that begin at or after this are not filed.
    pub until: Timestamp,
}

/// A device this cart keeps a link to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownDevice {
    /// Its address.
    pub id: DeviceId,
    /// What it measures.
    pub kind: DeviceKind,
    /// Its advertised name, cleaned.
    pub name: String,
    /// Whose values it sends, if anybody's.
    pub assignment: Option<Assignment>,
}

/// The cart compartment's monitoring part: everything a restart with nobody there needs. No patient data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartState {
    /// The patient at this bed, by opaque identity.
    pub subject: Option<SubjectId>,
    /// Devices to keep linked.
    pub devices: Vec<KnownDevice>,
    /// Language of the screen, as an IETF tag (`en`, `de`).
    pub language: String,
}

/// A person to enrol with badge and PIN.
#[derive(Clone, Debug)]
pub struct NewOperator {
    /// Two or three letters.
    pub initials: String,
    /// Full name.
    pub name: Phi<String>,
    /// What they may do.
    pub role: Role,
    /// The badge they tapped.
    pub badge: Badge,
    /// The PIN they typed twice.
    pub pin: Pin,
}

/// Something for the audit log. The store adds sequence, operator and both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditAct {
    /// A session opened.
    Unlocked,
    /// A session ended.
    Locked,
    /// An unlock was refused.
    UnlockRefused,
    /// A patient was created.
    PatientCreated,
    /// A patient was put at this bed.
    PatientChosen,
    /// A device was assigned to the patient at this bed.
    DeviceAssigned,
    /// A device was released.
    DeviceReleased,
    /// An alarm was acknowledged.
    AlarmAcknowledged,
    /// Alarm sound was paused.
    AudioPaused,
    /// The store was created.
    StoreCreated,
    /// Records sealed while locked were missing, forged, or in a chain that began without the vault.
    BacklogDamaged,
    /// The cart compartment is older than the inbox remembers: somebody put a copy back.
    CartRolledBack,
    /// A person was added.
    PersonAdded,
    /// A person was revoked.
    PersonRevoked,
    /// A badge was enrolled.
    BadgeEnrolled,
    /// A smart card was enrolled.
    CardEnrolled,
    /// A finger was enrolled.
    FingerEnrolled,
    /// One factor was revoked.
    FactorRevoked,
    /// A person got a new PIN, typed by themselves.
    PinSet,
    /// A person got a one-time code, and their failed tries were forgotten.
    CodeIssued,
    /// The vault's keys were changed.
    KeysRotated,
    /// Another IT person vouched.
    Vouched,
    /// The emergency view was opened.
    EmergencyOpened,
    /// The emergency view was refused.
    EmergencyRefused,
    /// The emergency view ended.
    EmergencyEnded,
    /// The recovery words opened the vault.
    RecoveryUsed,
}

/// One audit entry as the core reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// What happened.
    pub act: AuditAct,
    /// Who did it, if a session is or was open.
    pub operator: Option<OperatorId>,
    /// Whom it concerns.
    pub subject: Option<SubjectId>,
    /// Which device it concerns.
    pub device: Option<DeviceId>,
    /// Whom of the staff it concerns.
    #[serde(default)]
    pub person: Option<OperatorId>,
    /// Which factors were used.
    #[serde(default)]
    pub pair: Option<Pair>,
    /// Why the emergency view was opened.
    #[serde(default)]
    pub reason: Option<EmergencyReason>,
    /// When.
    pub at: Timestamp,
}

impl AuditEntry {
    /// An act that concerns nobody; the rest is filled in by struct update.
    pub fn of(act: AuditAct, at: Timestamp) -> Self {
        Self {
            act,
            operator: None,
            subject: None,
            device: None,
            person: None,
            pair: None,
            reason: None,
            at,
        }
    }
}

/// Which unlock attempt an answer belongs to; answers to abandoned attempts are discarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt(pub u64);

/// What the core asks of the store.
#[derive(Clone, Debug)]
pub enum Command {
    /// First start: make the vault, the first IT admin and the recovery key.
    Initialise(Box<NewOperator>, Moment),
    /// May this token try a second factor now, and which?
    Identify(Attempt, Token, Moment),
    /// Derive the key from the factors and open the vault.
    Unlock(Attempt, Evidence, Moment),
    /// A finger did not match this token's owner; after five in a row their shift share is wiped.
    FingerMissed(Token),
    /// Seal the draft to its writer, close the vault and wipe its keys. Recording goes on into the
    /// inbox; the emergency card is written anew.
    Close(Option<Box<Draft>>, Moment),
    /// Open the emergency card with one enrolled token.
    OpenEmergency(Attempt, Token, EmergencyReason, Moment),
    /// Manage people or read the audit log. Answered only while open.
    Administer(Attempt, Box<Administration>, Moment),
    /// Keep one observation: in the vault when open, else sealed in the inbox.
    Record(Box<Observation>),
    /// Keep one audit entry, by the same rule.
    Audit(AuditEntry),
    /// Replace the cart compartment's monitoring part, durably.
    SaveCart(Box<CartState>),
    /// List the patients. Answered only while open.
    ListPatients,
    /// Add a patient. Answered only while open.
    AddPatient(Box<Patient>),
    /// Look at the state directory again after [`Outcome::Fault`] at start.
    Retry,
}

/// The recovery key: 24 words that open the vault when every badge is lost. Shown once.
pub type RecoveryPhrase = Secret<String>;

/// What the store found at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No store here yet.
    Nothing,
    /// A store; its cart compartment was opened.
    Store(Box<CartState>),
}

/// Whether a badge may try a PIN. The same answers for known and unknown badges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes; this many tries are left before IT has to help.
    Try {
        /// 1..=10.
        tries_left: u8,
    },
    /// After this long.
    Wait(Duration),
    /// Not until IT resets it.
    Exhausted,
}

/// Why an unlock failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The badge is not enrolled or the PIN is wrong: indistinguishable on purpose.
    WrongFactors(Admission),
    /// The delay has not passed or the tries are used up.
    NotAdmitted(Admission),
    /// The factors were right, but the person's time is over.
    Expired,
    /// No shift share that fits is alive any more: the second factor has to be a PIN.
    ShiftOver,
    /// The site's policy does not take this pair.
    NotTaken,
    /// The factors were right, but the vault could not be opened.
    Damaged(StoreFault),
}

/// An open vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlocked {
    /// Who opened it.
    pub operator: Operator,
    /// The patient at this bed, if one was chosen.
    pub patient: Option<Patient>,
    /// What this person had typed and not saved last time.
    pub draft: Option<Draft>,
    /// They came with a one-time code and have to choose a PIN before anything else.
    pub must_choose_pin: bool,
}

/// What the inbox import found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Records moved into the vault.
    pub imported: u64,
    /// Records that were sealed and are not there any more.
    pub missing: u64,
    /// Records that do not authenticate where they lie: altered, made up, repeated or moved.
    pub forged: u64,
}

/// Why the store cannot do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// Another instance holds the state directory.
    #[error("state directory is in use by another instance")]
    InUse,
    /// The state directory cannot be written.
    #[error("state directory is not writable")]
    ReadOnly,
    /// The directory holds something that is not a Wardkeep store.
    #[error("state directory holds foreign files")]
    Foreign,
    /// The device secret does not open the cart compartment (another machine's disk, or a lost key).
    #[error("device secret does not fit this store")]
    WrongDeviceSecret,
    /// The vault or a compartment does not authenticate or parse.
    #[error("store is damaged")]
    Damaged,
    /// No space is left.
    #[error("disk is full")]
    Full,
    /// The system refused a read or a write.
    #[error("input or output failed")]
    Io,
    /// The program was built without SQLCipher.
    #[error("cipher is missing")]
    NoCipher,
}

/// What the store answers.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// At start.
    Found(Found),
    /// To [`Command::Initialise`].
    Initialised(RecoveryPhrase),
    /// To [`Command::Identify`].
    Identified(Attempt, Identified),
    /// To [`Command::Unlock`].
    Unlocked(Attempt, Box<Unlocked>),
    /// To [`Command::Unlock`].
    Refused(Attempt, Refusal),
    /// To [`Command::Close`].
    Closed,
    /// To [`Command::OpenEmergency`].
    Emergency(Attempt, Result<Box<EmergencyCard>, EmergencyRefusal>),
    /// To [`Command::Administer`].
    Administered(Attempt, Result<Administered, AdministrationFault>),
    /// After an unlock, once the inbox was read.
    Imported(Import),
    /// To [`Command::ListPatients`], by family name.
    Patients(Vec<Patient>),
    /// To [`Command::AddPatient`].
    PatientAdded(Box<Patient>),
    /// The store works again after a fault.
    Recovered,
    /// It does not work; records are kept in memory as far as they fit.
    Fault(StoreFault),
    /// This many records could not be kept (S-8, S-11).
    Lost(u64),
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {}", self.0)
    }
}

#[cfg(test)]
#[cfg(feature = "store")]
mod tests;
