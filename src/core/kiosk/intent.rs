//! What a person did on the screen.

use wardkeep_model::access::factor::{Finger, Pin};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{PatientForm, SubjectId};
use wardkeep_model::keeping::FactorId;
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::vitals::DeviceId;

use crate::config::Language;
use crate::kiosk::page::Page;
use crate::session::enrolment::EnrolKind;

/// The form for a new person, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonForm {
    /// Full name; required.
    pub name: Phi<String>,
    /// Two or three letters; made from the name when empty.
    pub initials: String,
    /// What they may do.
    pub role: Role,
    /// Last day, as `YYYY-MM-DD` or `DD.MM.YYYY`; empty for no end.
    pub valid_until: String,
}

/// What a person did on the screen. Digits of a PIN stay in the bridge until it is submitted.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Touched anything: keeps the session or the PIN prompt open.
    Activity,
    /// Submitted the PIN pad.
    SubmitPin(Pin),
    /// Left the prompt or form without doing anything.
    Cancel,
    /// Pressed lock.
    Lock,
    /// Chose a page.
    Open(Page),
    /// Acknowledged the present alarm conditions.
    AcknowledgeAlarms,
    /// Paused the alarm sound, for a bounded time.
    PauseAudio,
    /// Chose the language.
    SetLanguage(Language),
    /// Connect this device and keep it linked.
    Connect(DeviceId),
    /// Assign this device to the patient at this bed.
    Assign(DeviceId),
    /// End the assignment and the link.
    Release(DeviceId),
    /// Put this patient at this bed.
    ChoosePatient(SubjectId),
    /// Add a patient and put them at this bed.
    AddPatient(PatientForm),
    /// First start: go on from the welcome screen.
    BeginSetup,
    /// First start: name and initials of the first IT admin.
    NameAdmin {
        /// Full name.
        name: Phi<String>,
        /// Two or three letters.
        initials: String,
    },
    /// First start: the recovery words were written down.
    RecoveryWritten,
    /// Lock screen: one factor and a reason instead of two factors.
    BeginEmergency,
    /// The reason for the emergency view.
    ChooseReason(EmergencyReason),
    /// The patient form was changed; kept as a draft until it is saved or cancelled.
    DraftPatient(PatientForm),
    /// Searched for people.
    SearchPeople(Phi<String>),
    /// Opened one person's page.
    OpenPerson(OperatorId),
    /// Add a person, and go on with enrolling their badge.
    AddPerson(PersonForm),
    /// Enrol a factor of the person whose page is open.
    Enrol(EnrolKind),
    /// Enrol this finger.
    ChooseFinger(Finger),
    /// A one-time code instead of a typed PIN.
    IssueCode,
    /// Go on: the code was handed over, or nothing else is to be enrolled.
    EnrolmentDone,
    /// Take this factor of the person whose page is open away.
    RevokeFactor(FactorId),
    /// Take the person whose page is open away.
    RevokePerson,
    /// Change one's own PIN.
    ChangeOwnPin,
    /// Dismissed the notice.
    DismissNotice,
    /// Read what was found wrong with the store.
    DismissFinding,
    /// Show the signed checkpoint of the audit log.
    ShowCheckpoint,
    /// Trouble screen: monitor whoever is there without records.
    BeginWatch,
    /// Trouble screen: end that.
    EndWatch,
}
