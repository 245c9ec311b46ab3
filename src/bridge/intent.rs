//! What a person did on the screen.

use crate::confidential::Phi;
use crate::encounter::{Sex, SubjectId};
use crate::hardware::DeviceId;
use crate::session::factor::Pin;

/// A page that an open session can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// Live values of the patient at this bed.
    Bedside,
    /// Devices near this bed.
    Devices,
    /// Choose or add the patient at this bed.
    Patients,
}

/// Language of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// `en`
    #[default]
    English,
    /// `de`
    German,
}

impl Language {
    /// IETF language tag; also the folder of the translation.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
        }
    }

    /// The language of a tag; English for any other.
    pub fn from_tag(tag: &str) -> Self {
        if tag == "de" { Language::German } else { Language::English }
    }
}

/// The patient form as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatientForm {
    /// Family name; required.
    pub family: Phi<String>,
    /// Given names; required.
    pub given: Phi<String>,
    /// Date of birth as `YYYY-MM-DD` or `DD.MM.YYYY`; may be empty.
    pub born: Phi<String>,
    /// Administrative sex.
    pub sex: Phi<Sex>,
    /// Patient number; may be empty.
    pub mrn: Phi<String>,
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
    /// Dismissed the notice.
    DismissNotice,
}
