//! People and their factors, as the rest of the program asks the store about them.
//!
//! Every question here needs an open vault whose operator may manage people, or read the audit log;
//! the store checks the role itself and does not rely on the screen.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::access::factor::{Badge, CardEnrolment, CardPeer, Evidence, Finger, Pin, Template};
use crate::access::guessable::Weakness;
use crate::access::lockout::Admission;
use crate::access::policy::Permission;
use crate::access::{OperatorId, Role};
use crate::confidential::{Phi, Secret};
use crate::encounter::{PatientForm, SubjectId};
use crate::keeping::acts::{AuditAct, AuditEntry};
use crate::keeping::backup::{BackupDone, BackupOrder};
use crate::keeping::fault::StoreFault;

/// What the store says of a token before a second factor is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Identified {
    /// Whether a PIN may be tried.
    pub admission: Admission,
    /// What a card has to agree on a key with; a made-up one for a card that nobody enrolled.
    pub peer: Option<CardPeer>,
    /// A shift share of this token's owner is alive.
    pub shift: Option<Shift>,
}

/// What a live shift share allows beside the PIN.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// Fingers that reopen, on the readers they were taken on. Empty where the site wants none.
    pub templates: Vec<Template>,
    /// The token alone reopens.
    pub tap: bool,
}

/// A person to add; they cannot log in before a factor is enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPerson {
    /// Full name.
    pub name: Phi<String>,
    /// Two or three letters.
    pub initials: String,
    /// What they may do.
    pub role: Role,
    /// Last day on which they may log in (the cart's local date); `None` has no end.
    pub valid_until: Option<Date>,
}

/// How a person gets a PIN.
#[derive(Clone, Debug, PartialEq)]
pub enum NewPin {
    /// They typed it twice.
    Chosen(Pin),
    /// The store draws a one-time code of eight digits, good for one login within three days.
    OneTimeCode,
}

/// Opaque, random identity of one enrolled factor: a key slot or a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactorId(pub u128);

/// What IT or an auditor asks of the open vault.
#[derive(Clone, Debug, PartialEq)]
pub enum Administration {
    /// Everybody, by name.
    ListPeople,
    /// Add a person; for an IT person `voucher` may have to be another IT person's two factors.
    AddPerson(NewPerson, Option<Evidence>),
    /// Enrol a badge, and give the person a PIN for all their badges.
    EnrolBadge(OperatorId, Badge, NewPin),
    /// Enrol a smart card.
    EnrolCard(OperatorId, CardEnrolment),
    /// Enrol a finger.
    EnrolFinger(OperatorId, Template),
    /// Give the person another PIN for all their badges and forget their failed tries.
    SetPin(OperatorId, NewPin),
    /// The logged-in person's own new PIN.
    ChangeOwnPin(Pin),
    /// Take one factor away and change the vault's keys.
    RevokeFactor(OperatorId, FactorId),
    /// Take the person away and change the vault's keys.
    RevokePerson(OperatorId),
    /// The newest entries of the audit log, at most this many.
    ReadAudit(u32),
    /// Write a backup.
    BackUp(BackupOrder),
    /// Destroy the data key of the patient with this number. Their name is shown to nobody.
    Shred(Phi<String>),
    /// Write the whole audit log with its signed checkpoints into this file, which does not exist yet. It can be
    /// verified anywhere.
    ExportAudit(PathBuf),
    /// A signed checkpoint of the audit log for a witness.
    Checkpoint,
    /// What verifies the audit log's checkpoints.
    AuditKey,
    /// What was found wrong was looked into: it is open no more.
    AcknowledgeFindings,
}

impl Administration {
    /// What the audit log calls it, and whom it concerns.
    pub fn act(&self) -> (AuditAct, Option<OperatorId>) {
        match self {
            Administration::AddPerson(..) => (AuditAct::PersonAdded, None),
            Administration::EnrolBadge(person, ..) => (AuditAct::BadgeEnrolled, Some(*person)),
            Administration::EnrolCard(person, _) => (AuditAct::CardEnrolled, Some(*person)),
            Administration::EnrolFinger(person, _) => (AuditAct::FingerEnrolled, Some(*person)),
            Administration::SetPin(person, NewPin::Chosen(_)) => (AuditAct::PinSet, Some(*person)),
            Administration::SetPin(person, NewPin::OneTimeCode) => {
                (AuditAct::CodeIssued, Some(*person))
            }
            Administration::ChangeOwnPin(_) => (AuditAct::PinSet, None),
            Administration::RevokeFactor(person, _) => (AuditAct::FactorRevoked, Some(*person)),
            Administration::RevokePerson(person) => (AuditAct::PersonRevoked, Some(*person)),
            Administration::BackUp(_) => (AuditAct::BackupWritten, None),
            Administration::Shred(_) => (AuditAct::PatientShredded, None),
            Administration::ExportAudit(_) | Administration::Checkpoint => {
                (AuditAct::CheckpointExported, None)
            }
            Administration::AcknowledgeFindings => (AuditAct::FindingsAcknowledged, None),
            Administration::ListPeople
            | Administration::ReadAudit(_)
            | Administration::AuditKey => (AuditAct::AccessRefused, None),
        }
    }

    /// What the logged-in person has to be allowed; everybody may change their own PIN.
    pub fn permission(&self) -> Option<Permission> {
        match self {
            Administration::ListPeople
            | Administration::AddPerson(..)
            | Administration::EnrolBadge(..)
            | Administration::EnrolCard(..)
            | Administration::EnrolFinger(..)
            | Administration::SetPin(..)
            | Administration::RevokeFactor(..)
            | Administration::RevokePerson(_)
            // Neither shows anything: IT does them without seeing a patient.
            | Administration::BackUp(_)
            | Administration::Shred(_) => Some(Permission::ManagePeople),
            Administration::ReadAudit(_)
            | Administration::ExportAudit(_)
            | Administration::Checkpoint
            | Administration::AuditKey
            | Administration::AcknowledgeFindings => Some(Permission::ReadAudit),
            Administration::ChangeOwnPin(_) => None,
        }
    }

    /// Whether everything that was sealed while locked has to be in the vault before.
    pub fn waits_for_import(&self) -> bool {
        match self {
            Administration::RevokeFactor(..)
            | Administration::RevokePerson(_)
            | Administration::BackUp(_)
            | Administration::Shred(_) => true,
            Administration::ListPeople
            | Administration::AddPerson(..)
            | Administration::EnrolBadge(..)
            | Administration::EnrolCard(..)
            | Administration::EnrolFinger(..)
            | Administration::SetPin(..)
            | Administration::ChangeOwnPin(_)
            | Administration::ReadAudit(_)
            | Administration::ExportAudit(_)
            | Administration::Checkpoint
            | Administration::AuditKey
            | Administration::AcknowledgeFindings => false,
        }
    }

    /// Only looks.
    pub fn reads(&self) -> bool {
        matches!(
            self,
            Administration::ListPeople | Administration::ReadAudit(_) | Administration::AuditKey
        )
    }
}

/// What it answers.
#[derive(Clone, Debug)]
pub enum Administered {
    /// To `ListPeople`.
    People(Vec<PersonRow>),
    /// To `AddPerson`.
    Added(OperatorId),
    /// To the three enrolments, `SetPin` and `ChangeOwnPin`; a one-time code if one was asked for.
    /// The code is shown once and stored nowhere.
    Enrolled(Option<Secret<String>>),
    /// To the two revocations.
    Revoked,
    /// To `ReadAudit`, newest first.
    Audit(Vec<AuditRow>),
    /// To `BackUp`.
    BackedUp(Box<BackupDone>),
    /// To `Shred`.
    Shredded(SubjectId),
    /// To `ExportAudit`; what the file is, see `wardkeep_store::log::file`.
    AuditExported(AuditExported),
    /// To `Checkpoint`: a signed note of a few lines, short enough for a QR code. Not secret.
    Checkpoint(String),
    /// To `AcknowledgeFindings`: so many were open.
    FindingsAcknowledged(u64),
    /// To `AuditKey`: a verifier key as C2SP's signed notes write it. Not secret.
    AuditKey(String),
}

/// A copy of the audit log that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditExported {
    /// How many entries it has.
    pub entries: u64,
    /// Length of the file in bytes.
    pub bytes: u64,
}

/// Why it was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdministrationFault {
    /// The vault is locked, or its operator's role does not allow it.
    #[error("not allowed")]
    NotAllowed,
    /// There is no such person or factor any more.
    #[error("no such person or factor")]
    Unknown,
    /// The badge or card is enrolled already.
    #[error("badge or card is enrolled already")]
    TokenInUse,
    /// The badge gives another number at every tap.
    #[error("badge gives another number at every tap")]
    TokenRandom,
    /// Everybody tries this PIN first.
    #[error("PIN is too easy to guess")]
    PinGuessable(Weakness),
    /// A name, or initials, are missing or too long.
    #[error("name or initials are missing or too long")]
    NameIncomplete,
    /// A name has characters that hide or reorder text.
    #[error("name has characters that hide or reorder text")]
    NameDeceptive,
    /// A PIN or a code goes with a badge, and the person has none.
    #[error("this person has no badge yet: enrol one (`wardkeepctl enroll PERSON badge`)")]
    NoBadge,
    /// Nobody could manage people any more.
    #[error("the last IT person cannot be taken away")]
    LastAdministrator,
    /// The site wants another IT person to vouch.
    #[error("another IT person has to vouch")]
    VoucherNeeded,
    /// The voucher's factors are wrong, or they are the same person.
    #[error("the second person's factors are wrong")]
    VoucherWrong,
    /// As many people or factors as a cart holds.
    #[error("no more people or factors fit")]
    TooMany,
    /// There is a file of this name already.
    #[error("there is a file of this name already")]
    Exists,
    /// No patient has this number.
    #[error("no patient has this number")]
    NoPatient,
    /// More than one patient has this number.
    #[error("more than one patient has this number")]
    SeveralPatients,
    /// Whoever or whatever was to be taken away is refused from here on, and no copy of the vault under other
    /// keys could be written yet. It is tried again at the next login.
    #[error("taken away, but the vault's keys could not be changed yet: {0}")]
    KeysUnchanged(StoreFault),
    /// The files could not be written; nothing has changed.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// One person in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Opaque identity.
    pub id: OperatorId,
    /// Full name.
    pub name: Phi<String>,
    /// Two or three letters.
    pub initials: String,
    /// What they may do.
    pub role: Role,
    /// Last day on which they may log in.
    pub valid_until: Option<Date>,
    /// What is enrolled, oldest first.
    pub factors: Vec<FactorRow>,
    /// Tries left with badge and PIN.
    pub tries_left: u8,
    /// A one-time code is out: the person has no PIN of their own yet.
    pub has_code: bool,
}

/// One enrolled factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorRow {
    /// Opaque identity.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// When it was enrolled.
    pub since: Timestamp,
}

/// What a factor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// A badge.
    Badge,
    /// A smart card, with the subject of its certificate.
    Card(Phi<String>),
    /// A finger.
    Finger(Finger),
}

/// One entry of the audit log with the names it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number.
    pub seq: u64,
    /// The entry.
    pub entry: AuditEntry,
    /// Who did it, if the person is still known.
    pub operator: Option<Phi<String>>,
    /// Whom of the staff it concerns, if the person is still known.
    pub person: Option<Phi<String>>,
}

/// What a person had typed and not saved when the session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Who typed it.
    pub operator: OperatorId,
    /// Who the patient will be: saved once more, it is the same patient.
    pub id: SubjectId,
    /// The patient form.
    pub form: PatientForm,
}

/// Why the emergency view was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmergencyRefusal {
    /// The site has switched it off.
    Off,
    /// The token is not enrolled.
    Unknown,
    /// Its owner's role sees no patients, in an emergency neither.
    NotAllowed,
    /// There is no patient at this bed, or nothing was written since they came.
    Nothing,
    /// After so many refused tokens it has to wait.
    Wait(std::time::Duration),
    /// Something outside the store knows a later one.
    Suspected,
    /// The emergency card cannot be read.
    Damaged(StoreFault),
}
