//! IT at the desk of a bedside, and what its pages show.

use wardkeep_core::kiosk::pages::people;
use wardkeep_core::kiosk::pages::people::PersonForm;
use wardkeep_core::kiosk::view::Screen;
use wardkeep_core::kiosk::view::access::{Enrolment, People, PersonPage};
use wardkeep_core::session::enrolment::EnrolKind;
use wardkeep_model::access::Role;
use wardkeep_model::access::policy::Policy;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::keeping::Administration;
use wardkeep_model::ports::{FactorEvent, FingerEvent};

use super::Bedside;
use super::register::BEA;

/// What is typed to add somebody.
pub fn form(name: &str, role: Role) -> PersonForm {
    PersonForm {
        name: Phi::new(name.into()),
        initials: String::new(),
        role,
        valid_until: String::new(),
    }
}

impl Bedside {
    /// Ada, who is IT, is logged in and looks at the people of this cart.
    pub fn at_the_desk() -> Self {
        Self::desk_under(Policy::default())
    }

    /// The same at a site with this policy.
    pub fn desk_under(policy: Policy) -> Self {
        let mut bedside = Self::under(policy);
        bedside.store.role = Role::It;
        bedside.store.register.two_person = policy.two_person;
        bedside.unlock();
        bedside
    }

    /// Ada enrols something of Bea's.
    pub fn enrolling(kind: EnrolKind) -> Self {
        let mut bedside = Self::at_the_desk();
        bedside.intent(people::Intent::Open(BEA));
        bedside.intent(people::Intent::Enrol(kind));
        bedside
    }

    /// The list of people.
    pub fn people(&self) -> People {
        let screen = self.view().screen;
        let Screen::People(page) = screen else { panic!("expected the people, not {screen:?}") };
        page
    }

    /// The names on that list.
    pub fn names(&self) -> Vec<String> {
        self.people().rows.iter().map(|row| row.name.reveal().clone()).collect()
    }

    /// The page of one person.
    pub fn person(&self) -> PersonPage {
        let screen = self.view().screen;
        let Screen::Person(page) = screen else { panic!("expected a person, not {screen:?}") };
        *page
    }

    /// The step of an enrolment.
    pub fn step(&self) -> Enrolment {
        let screen = self.view().screen;
        let Screen::Enrolment(step) = screen else {
            panic!("expected an enrolment, not {screen:?}")
        };
        step
    }

    /// What the register was asked, oldest first.
    pub fn asked(&self) -> &[Administration] {
        &self.store.register.asked
    }

    /// The fingerprint reader says something.
    pub fn finger(&mut self, event: FingerEvent) {
        self.factor(FactorEvent::Finger(event));
    }

    /// What is typed of a new patient.
    pub fn shown_form(&self) -> Option<PatientForm> {
        let screen = self.view().screen;
        let Screen::Patients(page) = screen else {
            panic!("expected the patients, not {screen:?}")
        };
        page.draft
    }
}
