//! What a person did on the screen: each intent belongs to the file that says what it takes and does it.

use crate::kiosk::gate::Need;
use crate::kiosk::pages::{
    account, audit, devices, inventory, limits, pairing, patients, people, readings,
};
use crate::kiosk::{alarm, enrolling, first_start, frame, login, trouble};
use crate::monitor::Monitor;

/// What a person did on the screen. Digits of a PIN stay in the bridge until it is submitted.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// On the frame around every screen.
    Frame(frame::Intent),
    /// To log in, or where a PIN is typed.
    Login(login::Intent),
    /// In the wizard of the first start.
    FirstStart(first_start::Intent),
    /// About alarms.
    Alarm(alarm::Intent),
    /// About alarm limits.
    Limits(limits::Intent),
    /// While the store cannot be opened.
    Trouble(trouble::Intent),
    /// About devices.
    Devices(devices::Intent),
    /// About all devices of this cart.
    Inventory(inventory::Intent),
    /// While a device is paired.
    Pairing(pairing::Intent),
    /// About spot readings.
    Readings(readings::Intent),
    /// About patients.
    Patients(patients::Intent),
    /// About people who may log in.
    People(people::Intent),
    /// In the wizard that enrols a factor.
    Enrolling(enrolling::Intent),
    /// On the audit page.
    Audit(audit::Intent),
    /// On one's own page.
    Account(account::Intent),
}

impl Intent {
    /// What it takes.
    pub(super) fn need(&self, monitor: &Monitor) -> Need {
        match self {
            Self::Frame(intent) => frame::need(intent),
            Self::Alarm(intent) => alarm::need(intent),
            Self::Limits(intent) => limits::need(intent),
            Self::Devices(intent) => devices::need(intent, monitor),
            Self::Inventory(intent) => inventory::need(intent),
            Self::Pairing(intent) => pairing::need(intent),
            Self::Readings(intent) => readings::need(intent),
            Self::Patients(intent) => patients::need(intent),
            Self::People(intent) => people::need(intent),
            Self::Enrolling(intent) => enrolling::need(intent),
            Self::Audit(intent) => audit::need(intent),
            Self::Account(intent) => account::need(intent),
            // Part of getting in, or of what is done while nobody can.
            Self::Login(_) | Self::FirstStart(_) | Self::Trouble(_) => Need::Nothing,
        }
    }
}

macro_rules! belongs {
    ($($module:ident: $variant:ident,)*) => {$(
        impl From<$module::Intent> for Intent {
            fn from(intent: $module::Intent) -> Self {
                Self::$variant(intent)
            }
        }
    )*};
}

belongs! {
    frame: Frame,
    login: Login,
    first_start: FirstStart,
    alarm: Alarm,
    limits: Limits,
    trouble: Trouble,
    devices: Devices,
    inventory: Inventory,
    pairing: Pairing,
    readings: Readings,
    patients: Patients,
    people: People,
    enrolling: Enrolling,
    audit: Audit,
    account: Account,
}
