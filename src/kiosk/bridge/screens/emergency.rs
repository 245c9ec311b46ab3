//! The emergency view: shown, listened to, forgotten.
//!
//! S-1: it is the one page with patient data and no session; whatever screen follows,
//! [`Emergency::leave`] empties it.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::login;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::access::{self as view, EmergencyPage, PastRow};
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::ports::ReaderHealth;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, emergency as said};
use crate::bridge::{lines, times};
use crate::glyphs;

/// Rows of the emergency screens.
#[derive(Default)]
pub(super) struct Emergency {
    /// To choose from.
    reasons: Rc<VecModel<ui::ReasonLine>>,
    /// Live values.
    vitals: Rc<VecModel<ui::VitalLine>>,
    /// The last hours before the lock.
    past: Rc<VecModel<ui::PastLine>>,
}

impl Emergency {
    /// Connects the screens.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, rows) = (window.global::<ui::Emergency>(), Self::default());
        global.set_reasons(ModelRc::from(Rc::clone(&rows.reasons)));
        global.set_vitals(ModelRc::from(Rc::clone(&rows.vitals)));
        global.set_past(ModelRc::from(Rc::clone(&rows.past)));
        let here = Rc::clone(port);
        global.on_choose(move |place| {
            if let Some(reason) = lines::at(&EmergencyReason::ALL, place) {
                here.send(login::Intent::ChooseReason(reason));
            }
        });
        rows
    }

    fn open(&self, window: &AppWindow, page: &EmergencyPage, words: &Words) {
        let global = window.global::<ui::Emergency>();
        global.set_patient(lines::patient(&page.patient, words));
        global.set_allergies(glyphs::drawable(page.allergies.reveal().trim()));
        global.set_left(times::countdown(page.seconds_left));
        lines::sync(&self.vitals, page.tiles.iter().map(|tile| lines::tile(tile, words)).collect());
        lines::sync(&self.past, page.past.iter().map(past).collect());
    }
}

impl Adapter for Emergency {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Emergency(emergency) = screen else { return false };
        let global = window.global::<ui::Emergency>();
        match emergency {
            view::Emergency::Token { badge_reader, card_reader } => {
                self.leave(window);
                let card = *card_reader == ReaderHealth::Ready;
                global.set_wanted(lines::wanted(*badge_reader, card, words));
            }
            view::Emergency::Reason { reasons, busy } => {
                self.leave(window);
                global.set_busy(*busy);
                let reasons = reasons.iter().map(|reason| line(*reason, words));
                lines::sync(&self.reasons, reasons.collect());
            }
            view::Emergency::Open(page) => self.open(window, page, words),
        }
        true
    }

    /// Forgets the patient.
    fn leave(&self, window: &AppWindow) {
        let global = window.global::<ui::Emergency>();
        global.set_patient(ui::PatientLine::default());
        global.set_allergies(SharedString::default());
        global.set_left(SharedString::default());
        lines::sync(&self.vitals, Vec::new());
        lines::sync(&self.past, Vec::new());
    }
}

/// A reason to choose, by its place in [`EmergencyReason::ALL`].
fn line(reason: EmergencyReason, words: &Words) -> ui::ReasonLine {
    let place = lines::place(&EmergencyReason::ALL, reason);
    let told = said::reason(words, reason);
    ui::ReasonLine { place, text: told.fact, detail: told.advice }
}

fn past(row: &PastRow) -> ui::PastLine {
    ui::PastLine {
        at: times::of_day(row.at),
        rate: row.rate.reveal().into(),
        spo2: row.spo2.reveal().into(),
    }
}
