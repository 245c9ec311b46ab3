//! The people list and the form for a new person: shown, listened to, forgotten.
//!
//! S-1: names of staff leave every property and model when the page is left and at lock.

use std::cell::Cell;
use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::pages::people;
use wardkeep_core::kiosk::pages::people::PersonForm;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::access::PersonLine;
use wardkeep_model::access::naming::{NameFault, checked_name};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::Adapter;
use crate::bridge::words::{Words, people as said};

/// What the list remembers.
#[derive(Default)]
pub(super) struct People {
    /// Those that the search leaves.
    people: Rc<VecModel<ui::PersonEntry>>,
    made: lines::Made<PersonLine>,
    /// [`Role::ALL`], to choose from, and what to know before each.
    roles: Rc<VecModel<SharedString>>,
    remarks: Rc<VecModel<SharedString>>,
    /// The last count of accepted forms.
    saved: Cell<Option<u64>>,
}

impl People {
    /// Connects the list and the form.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, page) = (window.global::<ui::People>(), Self::default());
        global.set_rows(ModelRc::from(Rc::clone(&page.people)));
        global.set_roles(ModelRc::from(Rc::clone(&page.roles)));
        global.set_role_remarks(ModelRc::from(Rc::clone(&page.remarks)));
        let here = Rc::clone(port);
        global.on_open(move |id| match u128::from_str_radix(&id, 16) {
            Ok(id) => here.send(people::Intent::Open(OperatorId(id))),
            Err(error) => tracing::error!(%error, "a person's row without an identity"),
        });
        let here = Rc::clone(port);
        global.on_searched(move || {
            if let Some(window) = here.window() {
                let search = window.global::<ui::People>().get_search();
                here.send(people::Intent::Search(Phi::new(search.trim().to_owned())));
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
        global.on_save(move || {
            let Some(window) = here.window() else { return };
            let form = window.global::<ui::People>();
            let Some(role) = lines::at(&Role::ALL, form.get_role()) else { return };
            here.send(people::Intent::Add(PersonForm {
                name: Phi::new(form.get_name().trim().to_owned()),
                initials: form.get_initials().trim().to_uppercase(),
                role,
                valid_until: form.get_until().trim().to_owned(),
            }));
        });
        global.on_acceptable(|name, initials| acceptable(&name, &initials));
        global.on_initials_of(|name| initials_of(&name));
        page
    }
}

impl Adapter for People {
    /// What is being typed stays, unless the form was accepted.
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::People(people) = screen else { return false };
        let global = window.global::<ui::People>();
        let last_saved = self.saved.replace(Some(people.saved));
        if last_saved != Some(people.saved) {
            empty_form(window);
        }
        if last_saved.is_none() {
            global.set_search(people.search.reveal().into());
        }
        global.set_loading(people.loading);
        global.set_total(lines::count(people.total));
        let roles = Role::ALL.map(|role| said::role(words, role));
        let remarks = Role::ALL.map(|role| said::role_remark(words, role, people.two_person));
        lines::sync(&self.roles, roles.to_vec());
        lines::sync(&self.remarks, remarks.to_vec());
        if self.made.is_out_of_date(&people.rows, words) {
            let rows = people.rows.iter().map(|line| lines::person(line, words));
            lines::sync(&self.people, rows.collect());
        }
        true
    }

    /// Forgets the list, the search and what was typed into the form.
    fn leave(&self, window: &AppWindow) {
        if self.saved.take().is_some() {
            empty_form(window);
            let global = window.global::<ui::People>();
            global.set_search(SharedString::default());
            global.set_total(0);
        }
        self.made.forget();
        lines::sync(&self.people, Vec::new());
    }
}

/// A name and initials that the core would take.
pub(super) fn acceptable(name: &str, initials: &str) -> bool {
    !initials.trim().is_empty() && checked_name(&Phi::new(name.to_owned()), initials).is_ok()
}

/// Initials proposed for a name; empty while there is none.
pub(super) fn initials_of(name: &str) -> SharedString {
    match checked_name(&Phi::new(name.to_owned()), "") {
        Ok((_, initials)) => initials.into(),
        Err(NameFault::Name | NameFault::Deceptive | NameFault::Initials) => {
            SharedString::default()
        }
    }
}

/// Empties and closes the form.
fn empty_form(window: &AppWindow) {
    let form = window.global::<ui::People>();
    form.set_adding(false);
    form.set_name(SharedString::default());
    form.set_initials(SharedString::default());
    form.set_own_initials(false);
    form.set_role(lines::place(&Role::ALL, Role::Nurse));
    form.set_until(SharedString::default());
}
