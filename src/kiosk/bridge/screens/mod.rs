//! Puts a view on the screen: one adapter a screen, which connects it, shows it and forgets it.
//!
//! Properties compare before they notify and rows change in place, so only what differs is painted.
//!
//! S-1: [`Screens::conceal`] empties everything that holds patient data, and runs for every view without
//! an open session; a view that shows a patient's screen without one is shown as the lock screen.

mod bedside;
mod devices;
mod emergency;
mod enrolment;
mod first_start;
mod frame;
mod lock;
mod oversight;
mod patients;
mod people;
mod pin;
mod trouble;

use std::cell::Cell;
use std::rc::Rc;

use wardkeep_core::kiosk::view::{Screen, View};
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lane::Lane;
use crate::bridge::places;
use crate::bridge::port::Port;
use crate::bridge::vocabulary;
use crate::bridge::words::Words;

/// Every screen.
pub(super) struct Screens {
    words: Words,
    /// Kind of the screen that is shown.
    kind: Cell<Option<ui::ScreenKind>>,
    frame: frame::Frame,
    pin: pin::Pin,
    first_start: first_start::FirstStart,
    lock: lock::Lock,
    trouble: trouble::Trouble,
    emergency: emergency::Emergency,
    bedside: bedside::Bedside,
    devices: devices::Devices,
    patients: patients::Patients,
    people: people::People,
    enrolment: enrolment::Enrolment,
    oversight: oversight::Oversight,
}

impl Screens {
    /// Connects every screen.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow, words: Words) -> Self {
        places::connect(window);
        Self {
            words,
            kind: Cell::new(None),
            frame: frame::Frame::connect(port, window),
            pin: pin::Pin::connect(port, window),
            first_start: first_start::FirstStart::connect(port, window),
            lock: lock::Lock::connect(port, window),
            trouble: trouble::Trouble::connect(port, window),
            emergency: emergency::Emergency::connect(port, window),
            bedside: bedside::Bedside::connect(window),
            devices: devices::Devices::connect(port, window),
            patients: patients::Patients::connect(port, window),
            people: people::People::connect(port, window),
            enrolment: enrolment::Enrolment::connect(port, window),
            oversight: oversight::Oversight::connect(port, window),
        }
    }

    /// Waveform of the bedside.
    pub(super) fn lane(&self) -> &Lane {
        self.bedside.lane()
    }

    /// Shows `view`.
    pub(super) fn show(&self, window: &AppWindow, view: &View) {
        let screen = &view.screen;
        let is_stood_in_for = view.open.is_none() && needs_session(screen);
        let kind = if is_stood_in_for { ui::ScreenKind::Lock } else { vocabulary::screen(screen) };
        if self.kind.replace(Some(kind)) != Some(kind) {
            // S-3: before the fields of the new screen take the focus.
            window.invoke_forget_typed();
        }
        self.words.speak(view.language);
        self.frame.show(window, view, kind, &self.words);
        match pin::pad_of(screen).filter(|_| !is_stood_in_for) {
            Some(pad) => self.pin.show(window, &pad, &self.words),
            None => self.pin.leave(window),
        }
        self.first_start.show(window, screen);
        if let (Screen::Trouble(trouble), None) = (screen, &view.open) {
            self.trouble.show(window, trouble, &self.words);
        } else {
            self.trouble.leave();
        }
        if let Screen::Lock(lock) = screen {
            self.lock.show(window, lock);
        }
        // S-1: the one page with patient data and no session; every other screen empties it.
        if let (Screen::Emergency(step), None) = (screen, &view.open) {
            self.emergency.show(window, step, &self.words);
        } else {
            self.emergency.leave(window);
        }
        if view.open.is_some() {
            self.leave_others(window, screen);
            self.show_open(window, screen);
        } else {
            self.conceal(window);
        }
    }

    /// Pages of an open session.
    fn show_open(&self, window: &AppWindow, screen: &Screen) {
        let words = &self.words;
        match screen {
            Screen::Bedside(bedside) => self.bedside.show(window, bedside, words),
            Screen::Devices(devices) => self.devices.show(window, devices, words),
            Screen::Patients(patients) => self.patients.show(window, patients),
            Screen::People(list) => self.people.show_list(window, list),
            Screen::Person(page) => self.people.show_person(window, page),
            Screen::Enrolment(step) => self.enrolment.show(window, step),
            Screen::Audit(audit) => self.oversight.show_audit(window, audit),
            Screen::Cart(cart) => self.oversight.show_cart(window, cart),
            Screen::Account(account) => oversight::show_account(window, account),
            Screen::Starting
            | Screen::FirstStart(_)
            | Screen::Lock(_)
            | Screen::Pin(_)
            | Screen::Emergency(_)
            | Screen::Trouble(_) => {}
        }
    }

    /// Empties every page of an open session but the one that is shown.
    fn leave_others(&self, window: &AppWindow, screen: &Screen) {
        if !matches!(screen, Screen::Bedside(_)) {
            self.bedside.leave();
        }
        if !matches!(screen, Screen::Devices(_)) {
            self.devices.leave();
        }
        if !matches!(screen, Screen::Patients(_)) {
            self.patients.leave(window);
        }
        if !matches!(screen, Screen::People(_)) {
            self.people.leave_list(window);
        }
        if !matches!(screen, Screen::Person(_)) {
            self.people.leave_person(window);
        }
        if !matches!(screen, Screen::Enrolment(_)) {
            self.enrolment.leave(window);
        }
        if !matches!(screen, Screen::Audit(_)) {
            self.oversight.leave_audit(window);
        }
        if !matches!(screen, Screen::Account(_)) {
            oversight::leave_account(window);
        }
    }

    /// S-1: forgets every patient text, row and sample, and every name of staff.
    fn conceal(&self, window: &AppWindow) {
        frame::Frame::conceal(window);
        self.bedside.leave();
        self.devices.leave();
        self.patients.leave(window);
        self.people.leave_list(window);
        self.people.leave_person(window);
        self.enrolment.leave(window);
        self.oversight.leave_audit(window);
        oversight::leave_account(window);
    }
}

/// Whether a screen belongs to an open session, so that without one the lock screen stands in for it.
fn needs_session(screen: &Screen) -> bool {
    match screen {
        Screen::Bedside(_)
        | Screen::Devices(_)
        | Screen::Patients(_)
        | Screen::People(_)
        | Screen::Person(_)
        | Screen::Enrolment(_)
        | Screen::Audit(_)
        | Screen::Cart(_)
        | Screen::Account(_) => true,
        Screen::Starting
        | Screen::FirstStart(_)
        | Screen::Lock(_)
        | Screen::Pin(_)
        | Screen::Emergency(_)
        | Screen::Trouble(_) => false,
    }
}
