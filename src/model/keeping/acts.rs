//! What the audit log says: acts, how they ended, and what was found wrong.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::OperatorId;
use crate::access::lockout::BootId;
use crate::access::policy::Pair;
use crate::access::refusal::ReaderRefusal;
use crate::encounter::SubjectId;
use crate::keeping::emergency::EmergencyReason;
use crate::keeping::finding::Finding;
use crate::moment::BootTime;
use crate::vitals::DeviceId;

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
    /// Somebody was shown the patients of this cart.
    PatientsListed,
    /// Somebody was shown the patient at this bed: name, allergies, live values.
    ChartOpened,
    /// Somebody was shown what the alarms of a patient were.
    HistoryRead,
    /// Somebody was shown a trend of a patient's values.
    TrendRead,
    /// More values of a device came than are recorded; the least and greatest were.
    ValuesThinned,
    /// A patient was put at this bed.
    PatientChosen,
    /// The patient at this bed has left it.
    PatientDischarged,
    /// The cart stands at another bed: whoever was at the last one is not at this one.
    CartMoved,
    /// A device was assigned to the patient at this bed.
    DeviceAssigned,
    /// A device was released.
    DeviceReleased,
    /// Of several devices that measure the same, this one is shown from now on.
    DeviceShown,
    /// Somebody opened a window in which a device is paired.
    DevicePairing,
    /// The bond with a device was dropped, and what was known of it.
    DeviceForgotten,
    /// A device's own clock was set; where that failed, it did not take the time.
    DeviceClockSet,
    /// A device was given a label, or a day by which it has to be calibrated.
    DeviceDescribed,
    /// A spot reading was filed to a patient.
    ReadingFiled,
    /// A spot reading that was filed to another patient by mistake is this one's.
    ReadingMoved,
    /// A spot reading is not that of the patient who was there.
    ReadingRefused,
    /// A spot reading that was filed by mistake waits again.
    ReadingPutBack,
    /// A spot reading is nobody's.
    ReadingDiscarded,
    /// Nobody said in time whose a spot reading is.
    ReadingExpired,
    /// An alarm was acknowledged.
    AlarmAcknowledged,
    /// Alarm sound was paused.
    AudioPaused,
    /// Somebody else was called to an alarm that nobody had seen.
    AlarmEscalated,
    /// Alarm limits of a patient were changed.
    LimitsChanged,
    /// Nothing was watched or recorded for a while.
    MonitoringInterrupted,
    /// The wall clock was set.
    ClockStepped,
    /// The store was created.
    StoreCreated,
    /// Something in the store is not as it was acknowledged; [`AuditEntry::finding`] says what.
    #[serde(alias = "backlog-damaged", alias = "cart-rolled-back")]
    StoreFinding,
    /// What was found wrong with the store was looked into.
    FindingsAcknowledged,
    /// A store that something outside it speaks against was accepted with the recovery words.
    StoreAccepted,
    /// A patient's data key was destroyed.
    PatientShredded,
    /// A backup was written.
    BackupWritten,
    /// The store was made from a backup.
    BackupRestored,
    /// The store was made of what could be read of a damaged one; the detail says of which. An entry
    /// [`AuditAct::StoreFinding`] follows for every table of which something is gone.
    StoreSalvaged,
    /// A signed checkpoint of this log left the machine.
    CheckpointExported,
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
    /// Somebody asked to be shown what their role does not allow.
    AccessRefused,
    /// Something was refused at a reader; [`AuditEntry::refusal`] says what, the detail at which one.
    ReaderRefused,
}

/// How an act ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditResult {
    /// It was done.
    #[default]
    Done,
    /// It was not allowed.
    Refused,
    /// It was allowed and could not be done.
    Failed,
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
    /// How it ended.
    #[serde(default)]
    pub result: AuditResult,
    /// What was found, for [`AuditAct::StoreFinding`].
    #[serde(default)]
    pub finding: Option<Finding>,
    /// What was refused, for [`AuditAct::ReaderRefused`].
    #[serde(default)]
    pub refusal: Option<ReaderRefusal>,
    /// How often, where the entry stands for more than one.
    #[serde(default)]
    pub times: Option<u64>,
    /// When the first of them was; `at` is that of the last.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Text from outside, such as an advertised name: never trusted, escaped wherever it is shown.
    #[serde(default)]
    pub detail: Option<String>,
    /// Which start of the machine `since_boot` counts from. The store fills both clocks in.
    #[serde(default)]
    pub boot: Option<BootId>,
    /// When, on the clock that nobody can set.
    #[serde(default)]
    pub since_boot: Option<BootTime>,
    /// When, on the wall clock.
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
            result: AuditResult::Done,
            finding: None,
            refusal: None,
            times: None,
            since: None,
            detail: None,
            boot: None,
            since_boot: None,
            at,
        }
    }
}
