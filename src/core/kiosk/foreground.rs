//! What is in front in an open session: which page, what the store answers it, what is shown.

use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::access::{Operator, Role};
use wardkeep_model::keeping::{
    Administered, AdministrationFault, Command as StoreCommand, Draft, History, HistoryQuery,
};
use wardkeep_model::notice::Notice;

use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::enrolling::Wizard;
use crate::kiosk::open::{Arrival, Drafts, Open};
use crate::kiosk::page::Page;
use crate::kiosk::pages::{
    Front, account, alarms, audit, bedside, cart, devices, inventory, limits, patients, people,
    readings,
};
use crate::kiosk::view::{PatientBanner, Screen};
use crate::session::enrolment;

impl Open {
    /// Shows what this person's role may see: the patient to those who care, nothing of them to others.
    pub(super) fn begin(
        desk: &mut Desk<'_>,
        operator: &Operator,
        arrival: Arrival,
    ) -> (Self, Vec<Effect>) {
        let sees = operator.role.may(Permission::SeePatients);
        let Arrival { patient, draft } = if sees { arrival } else { Arrival::default() };
        let subject = desk.monitor.subject();
        let mut open = Self {
            patient: patient.filter(|patient| Some(patient.id) == subject),
            drafts: Drafts { typed: draft.map(Box::new), shown: None },
            readings: readings::Known::default(),
            front: Front::Bedside,
            wizard: Wizard::default(),
            revocation: None,
        };
        let page = if open.drafts.typed.is_some() {
            Page::Patients
        } else {
            start_page(operator.role, subject.is_some())
        };
        let effects = open.show(desk, page);
        (open, effects)
    }

    /// Shows a page: whatever went on is left, and what the page needs is asked for. Lists do not
    /// outlive the page that shows them.
    pub(super) fn show(&mut self, desk: &mut Desk<'_>, page: Page) -> Vec<Effect> {
        let mut effects = self.in_enrolment(desk, enrolment::Event::Cancel);
        effects.extend(self.leave_pairing(desk));
        let (front, asked) = match page {
            Page::Bedside => (Front::Bedside, None),
            Page::Alarms => {
                let (days, asked) = alarms::Days::begin(desk);
                (Front::Alarms(days), asked)
            }
            Page::Limits => {
                let (draft, asked) = limits::Draft::begin(desk);
                (Front::Limits(Box::new(draft)), asked)
            }
            Page::Devices => (Front::Devices, None),
            Page::Inventory => (Front::Inventory(inventory::Looking::default()), None),
            Page::Readings => (Front::Readings, None),
            Page::Patients => {
                self.drafts.shown = self.drafts.typed.as_ref().map(|draft| draft.form.clone());
                let list = Effect::Store(StoreCommand::ListPatients);
                (Front::Patients(patients::List::default()), Some(list))
            }
            Page::People => {
                let (staff, asked) = people::Staff::begin(desk, &mut self.front);
                (Front::People(staff), Some(asked))
            }
            Page::Audit => {
                let (log, asked) = audit::Log::begin(desk);
                (Front::Audit(log), Some(asked))
            }
            Page::Cart => (Front::Cart, None),
            Page::Account => (Front::Account, None),
        };
        self.front = front;
        effects.extend(asked);
        effects
    }

    /// A pairing goes with the page on which it is answered.
    pub(super) fn leave_pairing(&self, desk: &mut Desk<'_>) -> Option<Effect> {
        let Front::Pairing(window) = &self.front else { return None };
        desk.monitor.cancel_pairing(window.device())
    }

    /// Leaves what is in the foreground: the wizard, a person's page, the patient form.
    pub(super) fn step_back(&mut self, desk: &mut Desk<'_>) -> Vec<Effect> {
        desk.notices.clear();
        if self.wizard.is_running() {
            return self.in_enrolment(desk, enrolment::Event::Cancel);
        }
        match &mut self.front {
            Front::People(staff) => staff.leave_person(),
            Front::Patients(_) => self.drafts = Drafts::default(),
            Front::Audit(log) => log.hide_checkpoint(),
            Front::Limits(draft) => draft.step_back(),
            Front::Inventory(looking) => looking.step_back(),
            Front::Bedside
            | Front::Alarms(_)
            | Front::Devices
            | Front::Readings
            | Front::Pairing(_)
            | Front::Cart
            | Front::Account => {}
        }
        vec![]
    }

    /// The session ends: an enrolment that waits for a finger stops the reader, and what was typed into
    /// the patient form is the store's. All else is dropped.
    pub(super) fn close(mut self, desk: &mut Desk<'_>) -> (Vec<Effect>, Option<Box<Draft>>) {
        let effects = self.in_enrolment(desk, enrolment::Event::Cancel);
        (effects, self.drafts.typed)
    }

    /// What the store answers about people. An answer counts only for the question that is still waited
    /// for; a change that nobody waits for any more only makes the list be read again.
    pub(super) fn answered(
        &mut self,
        desk: &mut Desk<'_>,
        attempt: Attempt,
        answer: Result<Administered, AdministrationFault>,
    ) -> Vec<Effect> {
        if let Some((_, whom)) = self.revocation.take_if(|(asked, _)| *asked == attempt) {
            return match answer {
                Ok(_) => people::revoked(self, desk, whom, Ok(())),
                // They are out all the same.
                Err(AdministrationFault::KeysUnchanged(fault)) => {
                    people::revoked(self, desk, whom, Err(fault))
                }
                Err(fault) => self.not_administered(desk, fault),
            };
        }
        let fault = if let Front::People(staff) = &mut self.front
            && staff.awaits(attempt)
        {
            staff.listed(answer).err()
        } else if let Front::Audit(log) = &mut self.front
            && log.awaits(attempt)
        {
            log.answered(attempt, answer).err()
        } else {
            return self.changed(desk, attempt, answer);
        };
        fault.map_or_else(Vec::new, |fault| self.not_administered(desk, fault))
    }

    /// The store has told of the last day.
    pub(super) fn told(&mut self, desk: &mut Desk<'_>, query: HistoryQuery, history: History) {
        match &mut self.front {
            Front::Alarms(days) => days.told(query, history),
            Front::Limits(draft) => draft.told(query, history, desk.monitor.limits()),
            Front::Bedside
            | Front::Devices
            | Front::Inventory(_)
            | Front::Readings
            | Front::Pairing(_)
            | Front::Patients(_)
            | Front::People(_)
            | Front::Audit(_)
            | Front::Cart
            | Front::Account => {}
        }
    }

    /// What the wizard asked for, or nobody any more.
    fn changed(
        &mut self,
        desk: &mut Desk<'_>,
        attempt: Attempt,
        answer: Result<Administered, AdministrationFault>,
    ) -> Vec<Effect> {
        if self.wizard.awaits(attempt) {
            return self.in_enrolment(desk, enrolment::Event::Administered(attempt, answer));
        }
        match answer {
            Ok(Administered::Added(_) | Administered::Enrolled(_) | Administered::Revoked) => {
                self.refresh(desk)
            }
            Ok(_) | Err(_) => vec![],
        }
    }

    /// Tells why the store did not do what was asked.
    fn not_administered(&mut self, desk: &mut Desk<'_>, fault: AdministrationFault) -> Vec<Effect> {
        desk.notify(match fault {
            // The list on the screen is out of date.
            AdministrationFault::Unknown => return self.refresh(desk),
            AdministrationFault::NotAllowed => Notice::NotAllowed,
            AdministrationFault::TokenInUse => Notice::TokenInUse,
            AdministrationFault::TokenRandom => Notice::BadgeRandom,
            AdministrationFault::PinGuessable(why) => Notice::PinGuessable(why),
            AdministrationFault::NameIncomplete => Notice::NameIncomplete,
            AdministrationFault::NameDeceptive => Notice::NameDeceptive,
            AdministrationFault::NoBadge => Notice::NoToken,
            AdministrationFault::LastAdministrator => Notice::LastAdministrator,
            AdministrationFault::VoucherNeeded | AdministrationFault::VoucherWrong => {
                Notice::VoucherWrong
            }
            AdministrationFault::TooMany => Notice::TooMany,
            AdministrationFault::KeysUnchanged(_) => Notice::KeysUnchanged,
            AdministrationFault::Store(_)
            | AdministrationFault::Exists
            | AdministrationFault::NoPatient
            | AdministrationFault::SeveralPatients => Notice::NotWritten,
        });
        vec![]
    }

    /// The patient banner, for a role that may see it.
    pub(super) fn banner(&self, scene: Scene<'_>) -> Option<PatientBanner> {
        let patient = self.patient.as_ref().filter(|_| scene.may(Permission::SeePatients));
        patient.map(|patient| patients::banner(scene, patient))
    }

    /// What is in front.
    pub(super) fn view(&self, scene: Scene<'_>) -> Screen {
        if let Some(step) = self.wizard.view(scene) {
            return Screen::Enrolment(step);
        }
        match &self.front {
            Front::Bedside => match readings::asked(self, scene) {
                Some(asked) => Screen::Reading(Box::new(asked)),
                None => Screen::Bedside(bedside::view(scene)),
            },
            Front::Alarms(days) => Screen::Alarms(days.view(scene)),
            Front::Limits(draft) => Screen::Limits(Box::new(draft.view(scene))),
            Front::Devices => Screen::Devices(devices::view(scene, self.readings.count())),
            Front::Inventory(looking) => looking.view(scene),
            Front::Pairing(window) => window.view(scene).map_or_else(
                || Screen::Devices(devices::view(scene, self.readings.count())),
                |page| Screen::Pairing(Box::new(page)),
            ),
            Front::Readings => Screen::Tray(Box::new(readings::view(self, scene))),
            Front::Patients(list) => Screen::Patients(list.view(scene, self.drafts.shown.as_ref())),
            Front::People(staff) => staff.view(scene, self.revocation.is_some()),
            Front::Audit(log) => Screen::Audit(log.view(scene)),
            Front::Cart => Screen::Cart(cart::view(scene)),
            Front::Account => account::view(scene)
                .map_or_else(|| Screen::Bedside(bedside::view(scene)), Screen::Account),
        }
    }
}

/// Where a session of this role begins.
fn start_page(role: Role, has_patient: bool) -> Page {
    match role {
        Role::Nurse | Role::Caregiver if has_patient => Page::Bedside,
        Role::Nurse | Role::Caregiver => Page::Patients,
        Role::It => Page::People,
        Role::Auditor => Page::Audit,
    }
}
