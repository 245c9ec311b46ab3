//! The core's enums in the screen's words, one arm for one case: screens, bedside, readers. Staff and
//! their factors are in [`access`], what the store says in [`records`]. Sentences are in
//! [`crate::bridge::words`].

pub(super) mod access;
pub(super) mod records;

use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::view::access::{Emergency, Enrolment};
use wardkeep_core::kiosk::view::{DeviceState, FirstStart, Owner, PinPurpose, Screen};
use wardkeep_model::access::Role;
use wardkeep_model::alarm::Priority;
use wardkeep_model::encounter::Sex;
use wardkeep_model::ports::{RadioHealth, ReaderHealth, ReaderKind};
use wardkeep_model::vitals::DeviceKind;
use wardkeep_model::vitals::parameter::Family;
use wardkeep_ui as ui;

/// Which screen fills the frame.
pub(super) fn screen(screen: &Screen) -> ui::ScreenKind {
    match screen {
        Screen::Starting => ui::ScreenKind::Starting,
        Screen::FirstStart(FirstStart::Welcome { .. }) => ui::ScreenKind::Welcome,
        Screen::FirstStart(FirstStart::Name) => ui::ScreenKind::Name,
        Screen::FirstStart(FirstStart::Badge { .. }) => ui::ScreenKind::Badge,
        Screen::FirstStart(FirstStart::Pin(_)) | Screen::Pin(_) => ui::ScreenKind::Pin,
        Screen::FirstStart(FirstStart::Working) => ui::ScreenKind::Working,
        Screen::FirstStart(FirstStart::Recovery(_)) => ui::ScreenKind::Recovery,
        Screen::Lock(_) => ui::ScreenKind::Lock,
        Screen::Emergency(Emergency::Token { .. }) => ui::ScreenKind::EmergencyToken,
        Screen::Emergency(Emergency::Reason { .. }) => ui::ScreenKind::EmergencyReason,
        Screen::Emergency(Emergency::Open(_)) => ui::ScreenKind::Emergency,
        Screen::People(_) => ui::ScreenKind::People,
        Screen::Person(_) => ui::ScreenKind::Person,
        Screen::Enrolment(
            Enrolment::Pin { .. } | Enrolment::CardPin { .. } | Enrolment::SecondPin(_),
        ) => ui::ScreenKind::Pin,
        Screen::Enrolment(_) => ui::ScreenKind::Enrolment,
        Screen::Audit(_) => ui::ScreenKind::Audit,
        Screen::Cart(_) => ui::ScreenKind::Cart,
        Screen::Account(_) => ui::ScreenKind::Account,
        Screen::Bedside(_) => ui::ScreenKind::Bedside,
        Screen::Devices(_) => ui::ScreenKind::Devices,
        Screen::Patients(_) => ui::ScreenKind::Patients,
        Screen::Trouble(_) => ui::ScreenKind::Trouble,
    }
}

/// The page a place on the rail stands for.
pub(super) fn page(page: ui::PageName) -> Page {
    match page {
        ui::PageName::Bedside => Page::Bedside,
        ui::PageName::Devices => Page::Devices,
        ui::PageName::Patients => Page::Patients,
        ui::PageName::People => Page::People,
        ui::PageName::Audit => Page::Audit,
        ui::PageName::Cart => Page::Cart,
        ui::PageName::Account => Page::Account,
    }
}

/// A page's place on the rail.
pub(super) fn place(page: Page) -> ui::PageName {
    match page {
        Page::Bedside => ui::PageName::Bedside,
        Page::Devices => ui::PageName::Devices,
        Page::Patients => ui::PageName::Patients,
        Page::People => ui::PageName::People,
        Page::Audit => ui::PageName::Audit,
        Page::Cart => ui::PageName::Cart,
        Page::Account => ui::PageName::Account,
    }
}

/// Priority of an alarm, or none.
pub(super) fn priority(priority: Option<Priority>) -> ui::AlarmPriority {
    match priority {
        None => ui::AlarmPriority::None,
        Some(Priority::Low) => ui::AlarmPriority::Low,
        Some(Priority::Medium) => ui::AlarmPriority::Medium,
        Some(Priority::High) => ui::AlarmPriority::High,
    }
}

/// What has one colour.
pub(super) fn family(family: Family) -> ui::Family {
    match family {
        Family::Heart => ui::Family::Heart,
        Family::Oxygen => ui::Family::Oxygen,
    }
}

/// Administrative sex, both ways.
pub(super) fn sex(sex: Sex) -> ui::SexWord {
    match sex {
        Sex::Female => ui::SexWord::Female,
        Sex::Male => ui::SexWord::Male,
        Sex::Other => ui::SexWord::Other,
        Sex::Unknown => ui::SexWord::Unknown,
    }
}

/// What was chosen in the form.
pub(super) fn chosen_sex(sex: ui::SexWord) -> Sex {
    match sex {
        ui::SexWord::Female => Sex::Female,
        ui::SexWord::Male => Sex::Male,
        ui::SexWord::Other => Sex::Other,
        ui::SexWord::Unknown => Sex::Unknown,
    }
}

/// An operator's role.
pub(super) fn role(role: Role) -> ui::RoleWord {
    match role {
        Role::Nurse => ui::RoleWord::Nurse,
        Role::Caregiver => ui::RoleWord::Caregiver,
        Role::It => ui::RoleWord::It,
        Role::Auditor => ui::RoleWord::Auditor,
    }
}

/// Class of a reader.
pub(super) fn reader(kind: ReaderKind) -> ui::ReaderWord {
    match kind {
        ReaderKind::Badge => ui::ReaderWord::Badge,
        ReaderKind::SmartCard => ui::ReaderWord::SmartCard,
        ReaderKind::Finger => ui::ReaderWord::Finger,
    }
}

/// Whether a reader can be used.
pub(super) fn health(health: ReaderHealth) -> ui::HealthWord {
    match health {
        ReaderHealth::Ready => ui::HealthWord::Ready,
        ReaderHealth::NotFitted => ui::HealthWord::NotFitted,
        ReaderHealth::ServiceDown => ui::HealthWord::ServiceDown,
        ReaderHealth::Refused => ui::HealthWord::Refused,
        ReaderHealth::NoLibrary => ui::HealthWord::NoLibrary,
    }
}

/// Whether Bluetooth can be used.
pub(super) fn radio(health: RadioHealth) -> ui::RadioWord {
    match health {
        RadioHealth::Ready => ui::RadioWord::Ready,
        RadioHealth::NoAdapter => ui::RadioWord::NoController,
        RadioHealth::Off => ui::RadioWord::Off,
        RadioHealth::ServiceDown => ui::RadioWord::ServiceDown,
    }
}

/// Why a PIN is asked.
pub(super) fn purpose(purpose: PinPurpose) -> ui::PurposeWord {
    match purpose {
        PinPurpose::Unlock => ui::PurposeWord::Unlock,
        PinPurpose::SignTest => ui::PurposeWord::SignTest,
        PinPurpose::Vouch => ui::PurposeWord::Vouch,
        PinPurpose::Choose => ui::PurposeWord::Choose,
        PinPurpose::Repeat => ui::PurposeWord::Repeat,
    }
}

/// Picture of a kind of device.
pub(super) fn icon(kind: DeviceKind) -> ui::DeviceIcon {
    match kind {
        DeviceKind::HeartRate => ui::DeviceIcon::Heart,
        DeviceKind::PulseOximeter => ui::DeviceIcon::Drop,
    }
}

/// How a device stands.
pub(super) fn link(state: DeviceState) -> ui::LinkWord {
    match state {
        DeviceState::Near => ui::LinkWord::Near,
        DeviceState::Away => ui::LinkWord::Away,
        DeviceState::Connecting => ui::LinkWord::Connecting,
        DeviceState::Live => ui::LinkWord::Live,
        DeviceState::Lost => ui::LinkWord::Lost,
    }
}

/// Whose a device is.
pub(super) fn owner(owner: Owner) -> ui::OwnerWord {
    match owner {
        Owner::Nobody => ui::OwnerWord::Nobody,
        Owner::ThisPatient(..) => ui::OwnerWord::ThisPatient,
        Owner::AnotherPatient => ui::OwnerWord::AnotherPatient,
        Owner::Unknown => ui::OwnerWord::Unknown,
    }
}
