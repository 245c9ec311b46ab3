//! What the store is asked ([`Command`]) and what it answers ([`Outcome`]). Data only: the core writes
//! the questions, the store's thread answers them, and neither has to know the other.

mod acts;
mod backup;
pub mod emergency;
mod fault;
mod finding;
pub mod inventory;
mod people;
mod spots;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::factor::{Attempt, Badge, Evidence, Pin, Token};
use crate::access::lockout::Admission;
use crate::access::{Operator, Role};
use crate::alarm::AlarmRecord;
use crate::alarm::limits::{AgeGroup, Limits};
use crate::confidential::{Phi, Secret};
use crate::encounter::{Patient, SubjectId};
use crate::keeping::emergency::{EmergencyCard, EmergencyReason, PastNumeric};
use crate::moment::Moment;
use crate::vitals::nomenclature::{Mdc, Unit};
use crate::vitals::spot::SpotReading;
use crate::vitals::wave::WaveSegment;
use crate::vitals::{DeviceId, DeviceKind, Observation};

pub use self::acts::{AuditAct, AuditEntry, AuditResult};
pub use self::backup::{BackupDone, BackupOrder, BackupPart};
pub use self::fault::{Cause, StoreFault, Unfit};
pub use self::finding::{Finding, FindingKind, OpenFinding};
pub use self::inventory::InventoryEntry;
pub use self::people::{
    Administered, Administration, AdministrationFault, AuditExported, AuditRow, Draft,
    EmergencyRefusal, FactorId, FactorKind, FactorRow, Identified, NewPerson, NewPin, PersonRow,
    Shift,
};
pub use self::spots::{FiledSpot, SpotAct, Spots, WaitingSpot};

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
    /// Its bond with this cart, if it has one.
    #[serde(default)]
    pub bond: Option<KnownBond>,
}

/// A bond, and by what the device is known that was paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBond {
    /// What it offers, in short; nothing before its first link.
    pub table: Option<[u8; 32]>,
    /// It has offered something else since: nothing of it counts until it is paired again.
    pub is_changed: bool,
    /// Its address before it was paired, where that was another.
    #[serde(default)]
    pub first_known: Option<DeviceId>,
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
    /// The alarm limits in force; those of the ward where there are none.
    #[serde(default)]
    pub limits: Option<BedLimits>,
    /// When somebody at this bed was last known to be watched, if anybody was.
    #[serde(default)]
    pub alive: Option<Timestamp>,
    /// What is known of the devices of this cart.
    #[serde(default)]
    pub inventory: Vec<InventoryEntry>,
    /// What stood above the bed that the cart was at; empty where nobody wrote it down.
    #[serde(default)]
    pub bed: String,
}

/// The alarm limits in force at this bed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BedLimits {
    /// Whose they are by age.
    pub group: AgeGroup,
    /// All of them.
    pub limits: Limits,
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
    /// Keep a stretch of a waveform, by the same rule; given up first where space is short.
    RecordWave(Box<WaveSegment>),
    /// Keep a spot reading, by the same rule. One that its device had handed over before changes nothing.
    KeepSpot(Box<SpotReading>),
    /// Say whose a spot reading is, or that it is nobody's; with its audit entry, both or neither. Answered
    /// only while open.
    Spot(SpotAct, Moment),
    /// Keep one audit entry, by the same rule.
    Audit(Box<AuditEntry>),
    /// Keep one line of the alarm log, by the same rule.
    RecordAlarm(Box<AlarmRecord>),
    /// Replace the cart compartment's monitoring part, durably.
    SaveCart(Box<CartState>),
    /// List the patients. Answered only while open.
    ListPatients,
    /// Add a patient, and the audit entry of whoever has the vault open with them: both or neither. Done
    /// again, it changes nothing. Answered only while open.
    AddPatient(Box<Patient>, Moment),
    /// What a patient's values were over a time. Answered only while open.
    Trend(TrendQuery),
    /// A patient's alarm log and single values of a time. Answered only while open.
    History(HistoryQuery),
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
    /// A store that cannot be opened for this reason, while its cart compartment was: monitoring goes
    /// on. Where only the vault is damaged, records are sealed in the inbox; else [`Outcome::Fault`]
    /// follows, and they are kept in memory as far as they fit.
    Broken(StoreFault, Box<CartState>),
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
    /// Something outside the store speaks against it.
    Suspected(Suspicion),
    /// The factors were right, but the vault could not be opened.
    Damaged(StoreFault),
}

/// What speaks against a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// A later one was seen: nobody logs in until IT has accepted it with the recovery words.
    StoreOlder,
    /// The counter outside the disk does not answer, so tries of a PIN cannot be counted where nobody can take
    /// them back. Cards count their own.
    CounterSilent,
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

/// How far the import of what was sealed while locked has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Records moved into the vault.
    pub imported: u64,
    /// Records that waited when the import began.
    pub total: u64,
}

/// Which values a trend is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrendQuery {
    /// Of whom.
    pub subject: SubjectId,
    /// What was measured.
    pub code: Mdc,
    /// Values in other units are left out: they are never mixed, and never converted.
    pub unit: Unit,
    /// Not before this.
    pub since: Timestamp,
    /// Before this.
    pub until: Timestamp,
    /// Columns of the picture, 1..=4096.
    pub columns: u16,
}

/// Of whom and of which time the alarm log is asked for, and the values beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Number of the question.
    pub attempt: Attempt,
    /// Of whom.
    pub subject: SubjectId,
    /// Not before this.
    pub since: Timestamp,
    /// Before this.
    pub until: Timestamp,
    /// The values, too.
    pub with_values: bool,
}

/// A patient's alarm log, and what was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Oldest first.
    pub alarms: Vec<AlarmRecord>,
    /// Oldest first; empty unless they were asked for.
    pub values: Vec<PastNumeric>,
}

/// A trend's column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrendColumn {
    /// Values in it; the other fields mean nothing if there is none.
    pub count: u32,
    /// Least.
    pub min: f32,
    /// Greatest.
    pub max: f32,
    /// Arithmetic mean.
    pub mean: f32,
}

/// What a patient's values were over a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    /// As many as were asked for, oldest first.
    pub columns: Vec<TrendColumn>,
    /// So many values, of any patient, that an earlier program left are not in it yet. Where there are some, the
    /// same trend is answered once more when there are none.
    pub unread: u64,
}

/// How much room there is for records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Space {
    /// Enough.
    #[default]
    Enough,
    /// Waveforms are not recorded any more, so that values have the room.
    NoWaveforms,
    /// Nothing can be recorded.
    Full,
}

/// How long what was recorded is kept, counted in time that the store lives through: no setting of the wall
/// clock makes anything older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Waveforms.
    pub waveforms: Duration,
    /// Single values.
    pub numerics: Duration,
    /// Least, greatest and mean value of each minute and of each hour.
    pub minutes: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        Self { waveforms: days(1), numerics: days(30), minutes: days(365) }
    }
}

/// Why a patient was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdded {
    /// Another patient has this number.
    NumberTaken,
    /// It could not be written.
    Fault(StoreFault),
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
    /// After an unlock, while the inbox is read; at most ten times a second.
    Importing(Import),
    /// After an unlock, once the inbox was read.
    Imported(Import),
    /// While the vault is written anew under other keys, after somebody or something was taken away; at most ten
    /// times a second. `None` when that is over. Recording goes on.
    Rekeying(Option<Rekeying>),
    /// Something is not as it was acknowledged. The store has audited it.
    Findings(Vec<Finding>),
    /// What was found and nobody has acknowledged yet: all of it, at start and whenever it changes.
    OpenFindings(Vec<OpenFinding>),
    /// There is more or less room than before.
    Space(Space),
    /// To [`Command::Trend`].
    Trend(TrendQuery, Trend),
    /// To [`Command::History`].
    History(HistoryQuery, Box<History>),
    /// To [`Command::ListPatients`], by family name.
    Patients(Vec<Patient>),
    /// After an unlock, once the inbox was read, and whenever it changes: which spot readings are in nobody's
    /// record, and the last ones of the patient at this bed. To those who see patients.
    Spots(Box<Spots>),
    /// To [`Command::Spot`]; nothing has changed.
    SpotNotDone(SpotAct, StoreFault),
    /// To [`Command::AddPatient`].
    PatientAdded(Box<Patient>),
    /// To [`Command::AddPatient`]; nothing has changed.
    PatientNotAdded(SubjectId, NotAdded),
    /// The store works again after a fault.
    Recovered,
    /// It does not work; records are kept in memory as far as they fit.
    Fault(StoreFault),
    /// This many records could not be kept (S-8, S-11).
    Lost(u64),
}

/// How far a vault is written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rekeying {
    /// Bytes that are written.
    pub done: u64,
    /// Bytes that there are to write, about.
    pub total: u64,
}

/// How well the device secret is kept from a thief of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// A file beside the store: whoever copies the disk has it.
    Reduced,
    /// A credential that the service manager decrypted.
    Full,
}
