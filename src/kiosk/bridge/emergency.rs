//! The emergency view: shown, listened to, forgotten.
//!
//! S-1: it is the one page with patient data and no session; whatever screen follows, [`leave`] empties
//! it.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use crate::bridge::lines;
use crate::bridge::vocabulary::{self, access};
use crate::bridge::window::Inner;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::view::access::{Emergency, EmergencyPage, PastRow};
use wardkeep_ui::{self as ui, AppWindow};

/// Rows of the emergency screens.
#[derive(Default)]
pub struct Models {
    /// To choose from.
    pub reasons: Rc<VecModel<ui::ReasonWord>>,
    /// Live values.
    pub vitals: Rc<VecModel<ui::VitalLine>>,
    /// The last hours before the lock.
    pub past: Rc<VecModel<ui::PastLine>>,
}

impl Models {
    /// Gives the screen its rows.
    pub fn hand_to(&self, window: &AppWindow) {
        let global = window.global::<ui::Emergency>();
        global.set_reasons(ModelRc::from(Rc::clone(&self.reasons)));
        global.set_vitals(ModelRc::from(Rc::clone(&self.vitals)));
        global.set_past(ModelRc::from(Rc::clone(&self.past)));
    }
}

/// Shows a step of the emergency view.
pub fn show(inner: &Inner, window: &AppWindow, emergency: &Emergency) {
    let global = window.global::<ui::Emergency>();
    match emergency {
        Emergency::Token { badge_reader, card_reader } => {
            leave(inner, window);
            global.set_badge_reader(vocabulary::health(*badge_reader));
            global.set_card_reader(vocabulary::health(*card_reader));
        }
        Emergency::Reason { reasons, busy } => {
            leave(inner, window);
            global.set_busy(*busy);
            let words = reasons.iter().map(|reason| access::reason(*reason)).collect();
            lines::sync(&inner.models.emergency.reasons, words);
        }
        Emergency::Open(page) => open(inner, window, page),
    }
}

/// S-1: forgets the patient.
pub fn leave(inner: &Inner, window: &AppWindow) {
    let global = window.global::<ui::Emergency>();
    global.set_patient(ui::PatientLine::default());
    global.set_allergies(SharedString::default());
    global.set_left(SharedString::default());
    lines::sync(&inner.models.emergency.vitals, Vec::new());
    lines::sync(&inner.models.emergency.past, Vec::new());
}

/// Connects the screen, and the button that leads to it.
pub fn connect(inner: &Rc<Inner>, window: &AppWindow) {
    let here = Rc::clone(inner);
    window.global::<ui::Lock>().on_begin_emergency(move || here.send(Intent::BeginEmergency));
    let here = Rc::clone(inner);
    window.global::<ui::Emergency>().on_choose(move |word| {
        if let Some(reason) = access::chosen_reason(word) {
            here.send(Intent::ChooseReason(reason));
        }
    });
}

fn open(inner: &Inner, window: &AppWindow, page: &EmergencyPage) {
    let global = window.global::<ui::Emergency>();
    global.set_patient(lines::patient(&page.patient));
    global.set_allergies(page.allergies.reveal().trim().into());
    global.set_left(lines::countdown(page.seconds_left));
    let models = &inner.models.emergency;
    lines::sync(&models.vitals, page.tiles.iter().map(lines::tile).collect());
    lines::sync(&models.past, page.past.iter().map(past).collect());
}

fn past(row: &PastRow) -> ui::PastLine {
    ui::PastLine {
        at: lines::time_of_day(row.at.0, row.at.1),
        rate: row.rate.reveal().into(),
        spo2: row.spo2.reveal().into(),
    }
}
