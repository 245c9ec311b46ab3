//! Puts a view on the screen: one adapter a screen, which connects it, shows it and forgets it.
//!
//! Properties compare before they notify and rows change in place, so only what differs is painted.
//!
//! S-1: for each view every adapter either shows its own screen or forgets whatever it has shown. A screen
//! that needs a session without one, or none with one, is shown as the lock screen.

mod account;
mod alarms;
mod audit;
mod bedside;
mod cart;
mod devices;
mod emergency;
mod enrolment;
mod first_start;
mod frame;
mod inventory;
mod limits;
mod lock;
mod pairing;
mod patients;
mod people;
mod person;
mod pin;
mod reading;
mod trouble;

use std::cell::Cell;
use std::rc::Rc;

use slint::{Color, ComponentHandle};

use wardkeep_core::kiosk::view::access::{Emergency, Enrolment, Ways};
use wardkeep_core::kiosk::view::{FirstStart, Lock, Screen, View};
use wardkeep_model::ports::{RadioHealth, ReaderHealth, ReaderKind};
use wardkeep_model::vitals::wave::WaveKind;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lane::Lanes;
use crate::bridge::places;
use crate::bridge::port::Port;
use crate::bridge::words::Words;

/// The Rust side of one screen. It is connected when it is made.
trait Adapter {
    /// Fills the screen, if `screen` is its own; whether it is.
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool;

    /// S-1, S-3: forgets whatever was shown and typed.
    fn leave(&self, window: &AppWindow);
}

/// Every screen.
pub(super) struct Screens {
    words: Words,
    /// Kind of the screen that is shown.
    kind: Cell<Option<ui::ScreenKind>>,
    frame: frame::Frame,
    adapters: Vec<Box<dyn Adapter>>,
    lanes: Rc<Lanes>,
}

impl Screens {
    /// Connects every screen.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow, words: Words) -> Self {
        places::connect(window);
        let wave = window.global::<ui::Wave>();
        let lanes = Lanes::new(|kind| ink(kind, &wave), wave.get_paper());
        let lanes = Rc::new(lanes);
        Self {
            words,
            kind: Cell::new(None),
            frame: frame::Frame::connect(port, window),
            adapters: vec![
                Box::new(pin::Pin::connect(port, window)),
                Box::new(first_start::FirstStart::connect(port, window)),
                Box::new(lock::Lock::connect(port, window)),
                Box::new(trouble::Trouble::connect(port, window)),
                Box::new(emergency::Emergency::connect(port, window)),
                Box::new(bedside::Bedside::connect(window, &lanes)),
                Box::new(alarms::Alarms::connect(port, window)),
                Box::new(limits::Limits::connect(port, window)),
                Box::new(devices::Devices::connect(port, window)),
                Box::new(inventory::Inventory::connect(port, window)),
                Box::new(inventory::Device::connect(port, window)),
                Box::new(pairing::Pairing::connect(port, window)),
                Box::new(reading::Reading::connect(port, window)),
                Box::new(reading::Tray::connect(port, window)),
                Box::new(patients::Patients::connect(port, window)),
                Box::new(people::People::connect(port, window)),
                Box::new(person::Person::connect(port, window)),
                Box::new(enrolment::Enrolment::connect(port, window)),
                Box::new(audit::Audit::connect(port, window)),
                Box::new(cart::Cart::connect(window)),
                Box::new(account::Account::connect(port, window)),
            ],
            lanes,
        }
    }

    /// The language, and sentences in it.
    #[cfg(feature = "sim")]
    pub(super) fn words(&self) -> Words {
        self.words.clone()
    }

    /// Waveforms of the bedside.
    pub(super) fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// Shows `view`.
    pub(super) fn show(&self, window: &AppWindow, view: &View) {
        let is_open = view.open.is_some();
        let lock = stand_in();
        let screen = if may_show(&view.screen, is_open) { &view.screen } else { &lock };
        let kind = kind(screen);
        if self.kind.replace(Some(kind)) != Some(kind) {
            // S-3: before the fields of the new screen take the focus.
            window.invoke_forget_typed();
        }
        self.words.speak(view.language);
        self.frame.show(window, view, kind, &self.words);
        for adapter in &self.adapters {
            if !adapter.show(window, screen, &self.words) {
                adapter.leave(window);
            }
        }
    }
}

/// What a waveform is drawn in.
pub(super) fn ink(kind: WaveKind, wave: &ui::Wave<'_>) -> Color {
    match kind {
        WaveKind::Ecg => wave.get_heart_ink(),
        WaveKind::Pleth => wave.get_ink(),
    }
}

/// Whether a screen belongs to a view with an open session, or to one without.
fn may_show(screen: &Screen, is_open: bool) -> bool {
    match screen {
        // The list without a past stands before the lock screen, too.
        Screen::Alarms(page) => is_open || page.past.is_none(),
        Screen::Bedside(_)
        | Screen::Limits(_)
        | Screen::Devices(_)
        | Screen::Inventory(_)
        | Screen::Device(_)
        | Screen::Pairing(_)
        | Screen::Reading(_)
        | Screen::Tray(_)
        | Screen::Patients(_)
        | Screen::People(_)
        | Screen::Person(_)
        | Screen::Enrolment(_)
        | Screen::Audit(_)
        | Screen::Cart(_)
        | Screen::Account(_) => is_open,
        // What they show of a patient is shown because nobody is logged in.
        Screen::Emergency(_) | Screen::Trouble(_) => !is_open,
        Screen::Starting | Screen::FirstStart(_) | Screen::Lock(_) | Screen::Pin(_) => true,
    }
}

/// A lock screen that says what to do, and nothing about this cart.
fn stand_in() -> Screen {
    Screen::Lock(Lock {
        readers: vec![(ReaderKind::Badge, ReaderHealth::Ready)],
        ways: Ways::default(),
        radio: RadioHealth::Ready,
        devices_live: 0,
        devices_known: 0,
    })
}

/// Which screen fills the frame.
fn kind(screen: &Screen) -> ui::ScreenKind {
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
        Screen::Enrolment(
            Enrolment::Badge { .. }
            | Enrolment::Code(_)
            | Enrolment::Card { .. }
            | Enrolment::FingerChoice { .. }
            | Enrolment::Finger { .. }
            | Enrolment::SecondPerson { .. }
            | Enrolment::Working
            | Enrolment::Done { .. },
        ) => ui::ScreenKind::Enrolment,
        Screen::Audit(_) => ui::ScreenKind::Audit,
        Screen::Cart(_) => ui::ScreenKind::Cart,
        Screen::Account(_) => ui::ScreenKind::Account,
        Screen::Alarms(_) => ui::ScreenKind::Alarms,
        Screen::Limits(_) => ui::ScreenKind::Limits,
        Screen::Bedside(_) => ui::ScreenKind::Bedside,
        Screen::Devices(_) => ui::ScreenKind::Devices,
        Screen::Inventory(_) => ui::ScreenKind::Inventory,
        Screen::Device(_) => ui::ScreenKind::Device,
        Screen::Pairing(_) => ui::ScreenKind::Pairing,
        Screen::Reading(_) => ui::ScreenKind::Reading,
        Screen::Tray(_) => ui::ScreenKind::Tray,
        Screen::Patients(_) => ui::ScreenKind::Patients,
        Screen::Trouble(_) => ui::ScreenKind::Trouble,
    }
}
