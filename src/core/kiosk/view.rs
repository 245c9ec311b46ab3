//! What the screen shows, as plain values. The core computes it; `.slint` decides nothing.
//!
//! S-1: [`View::open`] is the only place for patient data, and it is `None` unless a session is open.
//! S-7: a tile without a current value carries no number, only how long ago the last one was.

pub mod access;
pub mod alarms;
pub mod inventory;
pub mod pairing;
mod parts;
pub mod readings;
pub mod records;
pub mod time;

use std::sync::Arc;

use wardkeep_model::access::Role;
use wardkeep_model::access::policy::Level;
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::encounter::{PatientForm, SubjectId};
use wardkeep_model::keeping::Rekeying;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{RadioHealth, ReaderHealth, ReaderKind};
use wardkeep_model::vitals::wave::WaveKind;

use crate::alarms::{AlarmText, Shown};
use crate::config::Language;
use crate::kiosk::page::Page;
use crate::kiosk::view::time::TimeOfDay;
use wardkeep_model::moment::ClockState;

pub use self::parts::{
    DeviceRow, DeviceState, OneOf, Owner, PatientBanner, PinPrompt, PinPurpose, Tile, TileState,
};

/// Local wall-clock time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// 0..=23
    pub hour: i8,
    /// 0..=59
    pub minute: i8,
    /// 1 = Monday ..= 7 = Sunday
    pub weekday: i8,
    /// 1..=31
    pub day: i8,
    /// 1..=12
    pub month: i8,
}

/// The strip along the top edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmStrip {
    /// Of the condition shown.
    pub priority: Priority,
    /// The condition shown: the highest, then the newest.
    pub text: AlarmText,
    /// Hour and minute of its onset, local.
    pub since: TimeOfDay,
    /// It was acknowledged: steady, silent.
    pub acknowledged: bool,
    /// Nobody has seen it for too long: somebody else is called.
    pub escalated: bool,
    /// The first that nobody has acknowledged: the one shown, or a lesser one that is named beside it.
    pub unseen: Option<Unseen>,
    /// How many other conditions are present.
    pub others: usize,
    /// Seconds until the sound comes back, when paused.
    pub audio_paused_s: Option<u64>,
}

/// A condition that nobody has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// What a touch of the button acknowledges.
    pub shown: Shown,
    /// How urgent.
    pub priority: Priority,
    /// What it says.
    pub text: AlarmText,
}

/// The chip at the banner's right end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorChip {
    /// Two or three letters.
    pub initials: String,
    /// Their role.
    pub role: Role,
    /// What the login proved.
    pub level: Level,
    /// Hour and minute of the login, local.
    pub since: TimeOfDay,
    /// Minutes until the session locks by itself, rounded up.
    pub minutes_left: u64,
}

/// Frame of an open session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFrame {
    /// Who is logged in.
    pub operator: OperatorChip,
    /// The patient at this bed; only for a role that may see patients.
    pub patient: Option<PatientBanner>,
    /// Pages this role may open, in the order of the rail.
    pub pages: Vec<Page>,
    /// Name of the person whose factor is being enrolled, so that none goes to somebody else.
    pub enrolling: Option<Phi<String>>,
    /// Records of the locked time are being taken over, and have been for a while.
    pub taking_over: Option<records::TakingOver>,
    /// The vault is being written anew under other keys, and has been for a while.
    pub encrypting: Option<Rekeying>,
    /// Something in the store was not as it should be, and nobody has read that yet.
    pub finding: Option<records::FindingNotice>,
    /// Spot readings that are nobody's, where this role may say whose they are.
    pub waiting: usize,
    /// A spot reading was filed a moment ago, and can be put back.
    pub just_filed: Option<readings::JustFiled>,
}

/// Everything on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Time of day.
    pub clock: Clock,
    /// Whether that can be right.
    pub clock_state: ClockState,
    /// Bed label.
    pub bed: String,
    /// Ward or cart label; may be empty.
    pub ward: String,
    /// Language.
    pub language: Language,
    /// Values are simulated: hatched band and the word on every screen.
    pub simulated: bool,
    /// The alarm strip; `None` when silent.
    pub alarm: Option<AlarmStrip>,
    /// Banner and chip; `None` unless a session is open (S-1).
    pub open: Option<OpenFrame>,
    /// A sentence for the operator.
    pub notice: Option<Notice>,
    /// What fills the rest.
    pub screen: Screen,
}

impl View {
    /// Whether nothing but the time of day differs.
    pub fn is_but_for_the_clock(&self, other: &View) -> bool {
        let View {
            clock: _,
            clock_state,
            bed,
            ward,
            language,
            simulated,
            alarm,
            open,
            notice,
            screen,
        } = self;
        clock_state == &other.clock_state
            && (language, simulated, notice) == (&other.language, &other.simulated, &other.notice)
            && (bed, ward, alarm) == (&other.bed, &other.ward, &other.alarm)
            && (open, screen) == (&other.open, &other.screen)
    }
}

/// The content below the frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Screen {
    /// The program has just started and does not know its store yet.
    Starting,
    /// First start wizard.
    FirstStart(FirstStart),
    /// Nobody is logged in.
    Lock(Lock),
    /// A token was presented; the second factor is wanted.
    Pin(PinPrompt),
    /// One factor and a reason instead of two factors.
    Emergency(access::Emergency),
    /// Everybody who may log in.
    People(access::People),
    /// One of them.
    Person(Box<access::PersonPage>),
    /// A factor is being enrolled.
    Enrolment(access::Enrolment),
    /// Every alarm condition.
    Alarms(alarms::Alarms),
    /// Alarm limits of the patient at this bed.
    Limits(Box<alarms::Limits>),
    /// The audit log.
    Audit(access::Audit),
    /// How this cart is set up and protected.
    Cart(access::Cart),
    /// The logged-in person's own page.
    Account(access::Account),
    /// Live values.
    Bedside(Bedside),
    /// Devices near this bed.
    Devices(Devices),
    /// All devices of this cart.
    Inventory(Box<inventory::Inventory>),
    /// One of them.
    Device(Box<inventory::DevicePage>),
    /// A device is being paired.
    Pairing(Box<pairing::PairingPage>),
    /// A spot reading has come in: whose is it?
    Reading(Box<readings::AskedReading>),
    /// Spot readings that are nobody's.
    Tray(Box<readings::Tray>),
    /// Choose or add a patient.
    Patients(Patients),
    /// The store cannot be used.
    Trouble(records::Trouble),
}

/// A step of the first start.
#[derive(Clone, Debug)]
pub enum FirstStart {
    /// What will happen.
    Welcome {
        /// A badge reader is ready.
        badge_reader: ReaderHealth,
    },
    /// Name and initials of the first IT admin.
    Name,
    /// Tap the badge.
    Badge {
        /// State of the reader.
        badge_reader: ReaderHealth,
    },
    /// Type a new PIN.
    Pin(PinPrompt),
    /// Keys and vault are being made.
    Working,
    /// The recovery key, shown once.
    Recovery(Secret<String>),
}

impl PartialEq for FirstStart {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Welcome { badge_reader: a }, Self::Welcome { badge_reader: b })
            | (Self::Badge { badge_reader: a }, Self::Badge { badge_reader: b }) => a == b,
            (Self::Pin(a), Self::Pin(b)) => a == b,
            (Self::Recovery(a), Self::Recovery(b)) => a.expose() == b.expose(),
            (Self::Name, Self::Name) | (Self::Working, Self::Working) => true,
            _ => false,
        }
    }
}

/// The lock screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Each reader, in the order badge, card, finger.
    pub readers: Vec<(ReaderKind, ReaderHealth)>,
    /// What is offered besides the badge.
    pub ways: access::Ways,
    /// The Bluetooth controller.
    pub radio: RadioHealth,
    /// Devices with a live link.
    pub devices_live: usize,
    /// Devices this cart keeps linked.
    pub devices_known: usize,
}

/// The bedside screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bedside {
    /// Heart rate, SpO2, pulse rate.
    pub tiles: Vec<Tile>,
    /// Waveform lanes that are fed.
    pub waves: Vec<WaveKind>,
    /// A patient was chosen.
    pub has_patient: bool,
    /// At least one device is assigned, or measured this patient.
    pub has_device: bool,
}

/// The devices screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    /// Devices that are near were left out: there are too many.
    pub is_crowded: bool,
    /// Linked ones first, then by signal strength.
    pub rows: Vec<DeviceRow>,
    /// The controller.
    pub radio: RadioHealth,
    /// A patient was chosen: devices can be assigned.
    pub has_patient: bool,
    /// Spot readings that are nobody's.
    pub waiting: usize,
    /// The page of readings is for this role, and has a patient.
    pub has_readings: bool,
}

/// One patient to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientRow {
    /// Opaque identity.
    pub id: SubjectId,
    /// As in the banner.
    pub banner: PatientBanner,
    /// This one is at this bed.
    pub here: bool,
}

/// The patient chooser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patients {
    /// Those that the search leaves, by family name. Shared: a view of the next second has the same list.
    pub rows: Arc<[PatientRow]>,
    /// How many there are before the search.
    pub total: usize,
    /// What was searched for.
    pub search: Phi<String>,
    /// The list is being read.
    pub loading: bool,
    /// Counts accepted forms: when it changes, the form is emptied and closed.
    pub saved: u64,
    /// A form that was typed and not saved when this person's last session ended, to go on with.
    pub draft: Option<PatientForm>,
}
