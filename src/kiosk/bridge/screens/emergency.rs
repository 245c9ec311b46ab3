//! The emergency view: shown, listened to, forgotten.
//!
//! S-1: it is the one page with patient data and no session; whatever screen follows,
//! [`Emergency::leave`] empties it.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::login;
use wardkeep_core::kiosk::view::access::{self as view, EmergencyPage, PastRow};
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::vocabulary::{self, access};
use crate::bridge::words::Words;

/// Rows of the emergency screens.
#[derive(Default)]
pub(super) struct Emergency {
    /// To choose from.
    reasons: Rc<VecModel<ui::ReasonWord>>,
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
        global.on_choose(move |word| {
            if let Some(reason) = access::chosen_reason(word) {
                here.send(login::Intent::ChooseReason(reason));
            }
        });
        rows
    }

    /// Shows a step of the emergency view.
    pub(super) fn show(&self, window: &AppWindow, emergency: &view::Emergency, words: &Words) {
        let global = window.global::<ui::Emergency>();
        match emergency {
            view::Emergency::Token { badge_reader, card_reader } => {
                self.leave(window);
                global.set_badge_reader(vocabulary::health(*badge_reader));
                global.set_card_reader(vocabulary::health(*card_reader));
            }
            view::Emergency::Reason { reasons, busy } => {
                self.leave(window);
                global.set_busy(*busy);
                let words = reasons.iter().map(|reason| access::reason(*reason)).collect();
                lines::sync(&self.reasons, words);
            }
            view::Emergency::Open(page) => self.open(window, page, words),
        }
    }

    /// S-1: forgets the patient.
    pub(super) fn leave(&self, window: &AppWindow) {
        let global = window.global::<ui::Emergency>();
        global.set_patient(ui::PatientLine::default());
        global.set_allergies(SharedString::default());
        global.set_left(SharedString::default());
        lines::sync(&self.vitals, Vec::new());
        lines::sync(&self.past, Vec::new());
    }

    fn open(&self, window: &AppWindow, page: &EmergencyPage, words: &Words) {
        let global = window.global::<ui::Emergency>();
        global.set_patient(lines::patient(&page.patient));
        global.set_allergies(page.allergies.reveal().trim().into());
        global.set_left(lines::countdown(page.seconds_left));
        lines::sync(&self.vitals, page.tiles.iter().map(|tile| lines::tile(tile, words)).collect());
        lines::sync(&self.past, page.past.iter().map(past).collect());
    }
}

fn past(row: &PastRow) -> ui::PastLine {
    ui::PastLine {
        at: lines::time_of_day(row.at.0, row.at.1),
        rate: row.rate.reveal().into(),
        spo2: row.spo2.reveal().into(),
    }
}
