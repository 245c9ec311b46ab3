//! The people list, the form for a new person and one person's page: shown, listened to, forgotten.
//!
//! S-1: names of staff leave every property and model when their page is left and at lock.

use std::cell::Cell;
use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::pages::people;
use wardkeep_core::kiosk::pages::people::PersonForm;
use wardkeep_core::kiosk::view::access::{
    self as view, FactorLine, FactorWord, PersonLine, PersonPage, PersonState,
};
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::naming::{NameFault, checked_name};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::FactorId;
use wardkeep_model::ports::ReaderHealth;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::vocabulary::{self, access};

/// What the two pages about people remember.
#[derive(Default)]
pub(super) struct People {
    /// Those that the search leaves.
    people: Rc<VecModel<ui::PersonEntry>>,
    /// What the person has enrolled.
    factors: Rc<VecModel<ui::FactorEntry>>,
    /// The last count of accepted forms.
    saved: Cell<Option<u64>>,
}

impl People {
    /// Connects the two pages.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let pages = Self::default();
        window.global::<ui::People>().set_rows(ModelRc::from(Rc::clone(&pages.people)));
        window.global::<ui::Person>().set_factors(ModelRc::from(Rc::clone(&pages.factors)));
        connect_list(port, window);
        connect_person(port, window);
        pages
    }

    /// Shows the list. What is being typed stays, unless the form was accepted.
    pub(super) fn show_list(&self, window: &AppWindow, people: &view::People) {
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
        global.set_two_person(people.two_person);
        lines::sync(&self.people, people.rows.iter().map(entry).collect());
    }

    /// Forgets the list, the search and what was typed into the form.
    pub(super) fn leave_list(&self, window: &AppWindow) {
        if self.saved.take().is_some() {
            empty_form(window);
            let global = window.global::<ui::People>();
            global.set_search(SharedString::default());
            global.set_total(0);
        }
        lines::sync(&self.people, Vec::new());
    }

    /// Shows one person.
    pub(super) fn show_person(&self, window: &AppWindow, page: &PersonPage) {
        let global = window.global::<ui::Person>();
        global.set_person(entry(&page.person));
        global.set_is_self(page.is_self);
        global.set_busy(page.busy);
        let health = |wanted| page.readers.iter().find(|(kind, _)| *kind == wanted);
        let word = |wanted| {
            let health = health(wanted).map_or(ReaderHealth::NotFitted, |(_, health)| *health);
            vocabulary::health(health)
        };
        global.set_badge_reader(word(EnrolKind::Badge));
        global.set_card_reader(word(EnrolKind::Card));
        global.set_finger_reader(word(EnrolKind::Finger));
        global.set_suggested(suggested(page));
        lines::sync(&self.factors, page.factors.iter().map(factor).collect());
    }

    /// Forgets the person.
    pub(super) fn leave_person(&self, window: &AppWindow) {
        window.global::<ui::Person>().set_person(ui::PersonEntry::default());
        lines::sync(&self.factors, Vec::new());
    }
}

fn connect_list(port: &Rc<Port>, window: &AppWindow) {
    let global = window.global::<ui::People>();
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
        here.send(people::Intent::Add(PersonForm {
            name: Phi::new(form.get_name().trim().to_owned()),
            initials: form.get_initials().trim().to_uppercase(),
            role: access::chosen_role(form.get_role()),
            valid_until: form.get_until().trim().to_owned(),
        }));
    });
    global.on_acceptable(|name, initials| acceptable(&name, &initials));
    global.on_initials_of(|name| initials_of(&name));
}

fn connect_person(port: &Rc<Port>, window: &AppWindow) {
    let global = window.global::<ui::Person>();
    let here = Rc::clone(port);
    global.on_enrol(move |kind| {
        if let Some(kind) = access::chosen_factor(kind) {
            here.send(people::Intent::Enrol(kind));
        }
    });
    let here = Rc::clone(port);
    global.on_revoke(move |id| match u128::from_str_radix(&id, 16) {
        Ok(id) => here.send(people::Intent::RevokeFactor(FactorId(id))),
        Err(error) => tracing::error!(%error, "a factor's row without an identity"),
    });
    let here = Rc::clone(port);
    global.on_revoke_person(move || here.send(people::Intent::RevokePerson));
}

/// A name and initials that the core would take.
pub(super) fn acceptable(name: &str, initials: &str) -> bool {
    !initials.trim().is_empty() && checked_name(&Phi::new(name.to_owned()), initials).is_ok()
}

/// Initials proposed for a name; empty while there is none.
pub(super) fn initials_of(name: &str) -> SharedString {
    match checked_name(&Phi::new(name.to_owned()), "") {
        Ok((_, initials)) => initials.into(),
        Err(NameFault::Name | NameFault::Initials) => SharedString::default(),
    }
}

fn empty_form(window: &AppWindow) {
    let form = window.global::<ui::People>();
    form.set_adding(false);
    form.set_name(SharedString::default());
    form.set_initials(SharedString::default());
    form.set_own_initials(false);
    form.set_role(ui::RoleWord::Nurse);
    form.set_until(SharedString::default());
}

/// What should be enrolled next, so that the person can log in at all.
fn suggested(page: &PersonPage) -> ui::FactorWord {
    let ready = |wanted| {
        page.readers.iter().any(|(kind, health)| *kind == wanted && *health == ReaderHealth::Ready)
    };
    match page.person.state {
        PersonState::Ready | PersonState::Code | PersonState::Expired => ui::FactorWord::None,
        PersonState::Exhausted => ui::FactorWord::Pin,
        PersonState::NoFactors if ready(EnrolKind::Badge) => ui::FactorWord::Badge,
        PersonState::NoFactors if ready(EnrolKind::Card) => ui::FactorWord::Card,
        PersonState::NoFactors => ui::FactorWord::None,
    }
}

fn entry(line: &PersonLine) -> ui::PersonEntry {
    let (badges, cards, fingers) = line.counts;
    ui::PersonEntry {
        id: slint::format!("{:032x}", line.id.0),
        name: line.name.reveal().into(),
        initials: (&line.initials).into(),
        role: vocabulary::role(line.role),
        standing: access::standing(line.state),
        badges: lines::count(badges),
        cards: lines::count(cards),
        fingers: lines::count(fingers),
        until: (&line.valid_until).into(),
    }
}

fn factor(line: &FactorLine) -> ui::FactorEntry {
    let mut entry = ui::FactorEntry {
        id: slint::format!("{:032x}", line.id.0),
        since: (&line.since).into(),
        ..ui::FactorEntry::default()
    };
    match &line.word {
        FactorWord::Badge => entry.kind = ui::FactorWord::Badge,
        FactorWord::Card(subject) => {
            entry.kind = ui::FactorWord::Card;
            entry.subject = subject.reveal().into();
        }
        FactorWord::Finger(finger) => {
            entry.kind = ui::FactorWord::Finger;
            entry.finger = access::finger(*finger);
        }
    }
    entry
}
