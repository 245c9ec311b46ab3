//! One person's page: what they log in with, what can be enrolled, and taking it away.
//!
//! S-1: the name leaves every property and model when the page is left and at lock.

use std::rc::Rc;

use slint::{ComponentHandle, Image, ModelRc, SharedString, VecModel};

use wardkeep_core::kiosk::pages::people;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::access::{FactorLine, FactorWord, PersonPage, PersonState};
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::keeping::FactorId;
use wardkeep_model::ports::ReaderHealth;
use wardkeep_ui::{self as ui, AppWindow};

use crate::bridge::lines;
use crate::bridge::port::Port;
use crate::bridge::screens::{Adapter, enrolment};
use crate::bridge::words::{Words, factors, readers};

/// Rows of the page.
#[derive(Default)]
pub(super) struct Person {
    /// What the person has enrolled.
    factors: Rc<VecModel<ui::FactorEntry>>,
}

impl Person {
    /// Connects the page.
    pub(super) fn connect(port: &Rc<Port>, window: &AppWindow) -> Self {
        let (global, page) = (window.global::<ui::Person>(), Self::default());
        global.set_factors(ModelRc::from(Rc::clone(&page.factors)));
        let here = Rc::clone(port);
        global.on_enrol(move |factor| {
            if let Some(kind) = enrolment::chosen_factor(factor) {
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
        page
    }
}

impl Adapter for Person {
    fn show(&self, window: &AppWindow, screen: &Screen, words: &Words) -> bool {
        let Screen::Person(page) = screen else { return false };
        let (global, icons) = (window.global::<ui::Person>(), window.global::<ui::Icons>());
        global.set_person(lines::person(&page.person, words));
        global.set_is_self(page.is_self);
        global.set_busy(page.busy);
        let obstacle = |wanted| readers::obstacle(words, health(page, wanted));
        global.set_badge_obstacle(obstacle(EnrolKind::Badge));
        global.set_card_obstacle(obstacle(EnrolKind::Card));
        global.set_finger_obstacle(obstacle(EnrolKind::Finger));
        global.set_has_badge(page.person.counts.0 > 0);
        global.set_suggested(suggested(page));
        let factors = page.factors.iter().map(|line| factor(line, words, &icons));
        lines::sync(&self.factors, factors.collect());
        true
    }

    /// Forgets the person.
    fn leave(&self, window: &AppWindow) {
        window.global::<ui::Person>().set_person(ui::PersonEntry::default());
        lines::sync(&self.factors, Vec::new());
    }
}

/// How the reader stands that this kind of factor is enrolled with.
fn health(page: &PersonPage, wanted: EnrolKind) -> ReaderHealth {
    let reader = page.readers.iter().find(|(kind, _)| *kind == wanted);
    reader.map_or(ReaderHealth::NotFitted, |(_, health)| *health)
}

/// What should be enrolled next, so that the person can log in at all.
fn suggested(page: &PersonPage) -> ui::Factor {
    let ready = |wanted| health(page, wanted) == ReaderHealth::Ready;
    match page.person.state {
        PersonState::Ready | PersonState::Code | PersonState::Expired => ui::Factor::None,
        PersonState::Exhausted => ui::Factor::Pin,
        PersonState::NoFactors if ready(EnrolKind::Badge) => ui::Factor::Badge,
        PersonState::NoFactors if ready(EnrolKind::Card) => ui::Factor::Card,
        PersonState::NoFactors => ui::Factor::None,
    }
}

fn factor(line: &FactorLine, words: &Words, icons: &ui::Icons<'_>) -> ui::FactorEntry {
    let (name, take_away) = factors::factor(words, &line.word);
    let subject = match &line.word {
        FactorWord::Card(subject) => subject.reveal().into(),
        FactorWord::Badge | FactorWord::Finger(_) => SharedString::default(),
    };
    ui::FactorEntry {
        id: slint::format!("{:032x}", line.id.0),
        icon: picture(&line.word, icons),
        name,
        subject,
        since: (&line.since).into(),
        take_away,
    }
}

fn picture(factor: &FactorWord, icons: &ui::Icons<'_>) -> Image {
    match factor {
        FactorWord::Badge => icons.get_badge(),
        FactorWord::Card(_) => icons.get_card(),
        FactorWord::Finger(_) => icons.get_finger(),
    }
}
