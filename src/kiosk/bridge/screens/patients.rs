//! The patient chooser: its list, its search and the form for a new patient.
//!
//! S-1: list, search and form are emptied when the page is left.

use std::cell::Cell;
use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::pages::patients;
use wardkeep_core::kiosk::view::{PatientRow, Screen};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{PatientForm, Sex, SubjectId};
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, patient as said};

/// What the chooser remembers.
#[derive(Default)]
pub(super) struct Patients {
    /// Those that the search leaves.
    list: Rc<VecModel<ui::PatientChoice>>,
    made: lines::Made<PatientRow>,
    /// [`Sex::ALL`], to choose from.
    sexes: Rc<VecModel<SharedString>>,
    /// The last count of accepted forms.
    saved: Cell<Option<u64>>,
    /// The draft of an earlier session was put into the form, or is out of date.
    draft_taken: Cell<bool>,
}

impl Patients {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, page) = (window.global::<ui::Patients>(), Self::default());
        global.set_rows(ModelRc::from(Rc::clone(&page.list)));
        global.set_sexes(ModelRc::from(Rc::clone(&page.sexes)));
        let here = Rc::clone(port);
        global.on_choose(move |id| match u128::from_str_radix(&id, 16) {
            Ok(id) => here.send(patients::Intent::Choose(SubjectId(id))),
            Err(error) => tracing::error!(%error, "a patient row without an identity"),
        });
        let here = Rc::clone(port);
        global.on_discharge(move |id| match u128::from_str_radix(&id, 16) {
            Ok(id) => here.send(patients::Intent::Discharge(SubjectId(id))),
            Err(error) => tracing::error!(%error, "a patient row without an identity"),
        });
        let here = Rc::clone(port);
        global.on_searched(move || {
            if let Some(window) = here.window() {
                let search = window.global::<ui::Patients>().get_search();
                here.send(patients::Intent::Search(Phi::new(search.trim().to_owned())));
            }
        });
        let here = Rc::clone(port);
        global.on_leave_form(move || {
            if let Some(window) = here.window() {
                empty_form(&window);
            }
            here.send(frame::Intent::Cancel);
        });
        let here = Rc::clone(port);
        global.on_drafted(move || {
            if let Some(window) = here.window() {
                here.send(patients::Intent::Draft(typed_form(&window)));
            }
        });
        let here = Rc::clone(port);
        global.on_save(move || {
            if let Some(window) = here.window() {
                here.send(patients::Intent::Add(typed_form(&window)));
            }
        });
        page
    }

    /// Opens the form with what was typed when the last session ended, once.
    fn resume_form(&self, window: &AppWindow, draft: &PatientForm) {
        let form = window.global::<ui::Patients>();
        if self.draft_taken.replace(true) || form.get_adding() {
            return;
        }
        form.set_family(draft.family.reveal().into());
        form.set_given(draft.given.reveal().into());
        form.set_born(draft.born.reveal().into());
        form.set_mrn(draft.mrn.reveal().into());
        form.set_allergies(draft.allergies.reveal().into());
        form.set_sex(lines::place(&Sex::ALL, *draft.sex.reveal()));
        form.set_resumed(true);
        form.set_adding(true);
    }
}

impl Adapter for Patients {
    /// What is being typed stays, unless the form was accepted.
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Patients(patients) = screen else { return false };
        let global = window.global::<ui::Patients>();
        global.set_loading(patients.loading);
        let last_saved = self.saved.replace(Some(patients.saved));
        if last_saved != Some(patients.saved) {
            empty_form(window);
        }
        if last_saved.is_none() {
            global.set_search(patients.search.reveal().into());
        }
        global.set_total(lines::count(patients.total));
        if let Some(draft) = &patients.draft {
            self.resume_form(window, draft);
        }
        lines::sync(&self.sexes, Sex::ALL.map(|sex| said::sex(words, sex)).to_vec());
        if self.made.is_out_of_date(&patients.rows, words) {
            let choices = patients.rows.iter().map(|row| choice(row, words));
            lines::sync(&self.list, choices.collect());
        }
        true
    }

    /// Forgets the list, the search and what was typed.
    fn leave(&self, window: &AppWindow) {
        self.draft_taken.set(false);
        if self.saved.take().is_some() {
            empty_form(window);
            let global = window.global::<ui::Patients>();
            global.set_search(SharedString::default());
            global.set_total(0);
        }
        self.made.forget();
        lines::sync(&self.list, Vec::new());
    }
}

/// One patient to choose.
fn choice(row: &PatientRow, words: &Words) -> ui::PatientChoice {
    ui::PatientChoice {
        id: slint::format!("{:032x}", row.id.0),
        patient: lines::patient(&row.banner, words),
        here: row.here,
    }
}

/// Empties and closes the form.
fn empty_form(window: &AppWindow) {
    let form = window.global::<ui::Patients>();
    form.set_adding(false);
    form.set_family(SharedString::default());
    form.set_given(SharedString::default());
    form.set_born(SharedString::default());
    form.set_mrn(SharedString::default());
    form.set_allergies(SharedString::default());
    form.set_sex(lines::place(&Sex::ALL, Sex::Unknown));
    form.set_resumed(false);
}

/// What stands in the form.
fn typed_form(window: &AppWindow) -> PatientForm {
    let form = window.global::<ui::Patients>();
    let typed = |text: SharedString| Phi::new(text.trim().to_owned());
    PatientForm {
        family: typed(form.get_family()),
        given: typed(form.get_given()),
        born: typed(form.get_born()),
        sex: Phi::new(lines::at(&Sex::ALL, form.get_sex()).unwrap_or_default()),
        mrn: typed(form.get_mrn()),
        allergies: typed(form.get_allergies()),
    }
}
