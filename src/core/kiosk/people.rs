//! People: the list, one person's page, enrolment, revocation; and the pages about the cart, the audit
//! log and oneself.
//!
//! The gate has let every intent here pass, and the store checks the role again. Names of staff are
//! held only while a page that shows them is open, and go with the session (S-1, S-10). While somebody
//! is enrolled, badges, cards and fingers belong to the wizard: they neither switch nor lock the
//! session, but the lock button, the idle time and the operator's own badge or card still do.

mod answers;
mod form;
mod pages;
mod readers;
mod revocation;
mod search;

use wardkeep_model::access::factor::{Attempt, Finger, Token};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{Administration, Command as StoreCommand, FactorKind, PersonRow};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::Command as HardwareCommand;

use crate::kiosk::held::People;
use crate::kiosk::intent::{Intent, PersonForm};
use crate::kiosk::page::Page;
use crate::kiosk::view::records::Checkpoint;
use crate::kiosk::{Effect, Kiosk};
use crate::session::State;
use crate::session::enrolment::{self, EnrolKind, Enrolment, Goal, Start, Step};

/// Entries of the audit log that the screen shows.
const AUDIT_ROWS_MAX: u32 = 200;

impl Kiosk {
    /// Acts on people; the gate has let them pass.
    pub(super) fn on_people(&mut self, now: Moment, intent: Intent) -> Vec<Effect> {
        match intent {
            Intent::SearchPeople(text) => {
                self.people.search = text;
                vec![]
            }
            Intent::OpenPerson(id) => self.open_person(now, id),
            Intent::AddPerson(form) => self.add_person(now, &form),
            Intent::Enrol(kind) => self.enrol(now, kind),
            Intent::ChooseFinger(finger) => {
                self.in_enrolment(now, enrolment::Event::ChooseFinger(finger))
            }
            Intent::IssueCode => self.in_enrolment(now, enrolment::Event::IssueCode),
            Intent::EnrolmentDone => self.in_enrolment(now, enrolment::Event::Finish),
            Intent::RevokeFactor(factor) => self.revoke_factor(now, factor),
            Intent::RevokePerson => self.revoke_person(now),
            Intent::ChangeOwnPin => self.change_own_pin(now),
            Intent::ShowCheckpoint => self.ask_checkpoint(now),
            Intent::Activity
            | Intent::SubmitPin(_)
            | Intent::Cancel
            | Intent::Lock
            | Intent::Open(_)
            | Intent::AcknowledgeAlarms
            | Intent::PauseAudio
            | Intent::SetLanguage(_)
            | Intent::Connect(_)
            | Intent::Assign(_)
            | Intent::Release(_)
            | Intent::ChoosePatient(_)
            | Intent::AddPatient(_)
            | Intent::BeginSetup
            | Intent::NameAdmin { .. }
            | Intent::RecoveryWritten
            | Intent::BeginEmergency
            | Intent::ChooseReason(_)
            | Intent::DraftPatient(_)
            | Intent::DismissNotice
            | Intent::DismissFinding
            | Intent::BeginWatch
            | Intent::EndWatch => vec![],
        }
    }

    /// A page was chosen: whatever went on is left, and what the page needs is asked for. Lists do not
    /// outlive the page that shows them.
    pub(super) fn leave_for(&mut self, now: Moment, page: Page) -> Vec<Effect> {
        let mut effects = self.in_enrolment(now, enrolment::Event::Cancel);
        let people = &mut self.people;
        people.opened = None;
        people.search = Phi::default();
        if page != Page::People {
            people.rows = None;
        }
        people.audit = None;
        people.checkpoint = Checkpoint::Hidden;
        people.asked.list = None;
        people.asked.audit = None;
        people.asked.checkpoint = None;
        match page {
            Page::People => effects.extend(self.list_people(now)),
            Page::Audit => {
                let attempt = self.people.next_attempt();
                self.people.asked.audit = Some(attempt);
                let what = Administration::ReadAudit(AUDIT_ROWS_MAX);
                effects.push(ask(attempt, what, now));
            }
            Page::Bedside | Page::Devices | Page::Patients | Page::Cart | Page::Account => {}
        }
        effects
    }

    /// Leaves what is in the foreground of an open session: the wizard, a person's page, the patient
    /// form.
    pub(super) fn step_back(&mut self, now: Moment) -> Vec<Effect> {
        self.notice = None;
        if self.is_enrolling() {
            return self.in_enrolment(now, enrolment::Event::Cancel);
        }
        match self.page {
            Page::People => self.people.opened = None,
            Page::Patients => self.drop_draft(),
            Page::Audit => self.people.hide_checkpoint(),
            Page::Bedside | Page::Devices | Page::Cart | Page::Account => {}
        }
        vec![]
    }

    /// Forgets everything, at lock: names, codes, PINs, what was tapped. An enrolment that waits for a
    /// finger stops the reader.
    pub(super) fn forget_people(&mut self, now: Moment) -> Vec<Effect> {
        let effects = self.in_enrolment(now, enrolment::Event::Cancel);
        let people = std::mem::take(&mut self.people);
        self.people = People {
            saved: people.saved,
            count: people.count,
            asked_count: people.asked_count,
            sensor: people.sensor,
            ..People::default()
        };
        effects
    }

    /// A wizard runs: PINs, badges, cards and fingers are its own.
    pub(super) fn is_enrolling(&self) -> bool {
        self.people.wizard.is_some()
    }

    /// The store signs what the audit log says up to now, and audits that.
    fn ask_checkpoint(&mut self, now: Moment) -> Vec<Effect> {
        if self.page != Page::Audit || self.people.asked.checkpoint.is_some() {
            return vec![];
        }
        let attempt = self.people.next_attempt();
        self.people.asked.checkpoint = Some(attempt);
        self.people.checkpoint = Checkpoint::Asked;
        vec![ask(attempt, Administration::Checkpoint, now)]
    }

    fn list_people(&mut self, now: Moment) -> Vec<Effect> {
        let attempt = self.people.next_attempt();
        self.people.asked.list = Some(attempt);
        vec![ask(attempt, Administration::ListPeople, now)]
    }

    /// The list again, if it is on the screen.
    fn refresh(&mut self, now: Moment) -> Vec<Effect> {
        if self.page == Page::People && self.session.is_open() {
            self.list_people(now)
        } else {
            vec![]
        }
    }

    fn open_person(&mut self, now: Moment, id: OperatorId) -> Vec<Effect> {
        if self.page != Page::People || self.people.person(id).is_none() {
            return vec![];
        }
        let effects = self.in_enrolment(now, enrolment::Event::Cancel);
        self.people.opened = Some(id);
        effects
    }

    fn add_person(&mut self, now: Moment, form: &PersonForm) -> Vec<Effect> {
        if self.page != Page::People || self.is_enrolling() {
            return vec![];
        }
        match form::new_person(form, self.today(now)) {
            Ok(new) => {
                let vouched = new.role == Role::It && self.around.config.policy.two_person;
                self.begin(now, Goal::Person { new, vouched }, vec![])
            }
            Err(notice) => {
                self.notify(now, notice);
                vec![]
            }
        }
    }

    fn enrol(&mut self, now: Moment, kind: EnrolKind) -> Vec<Effect> {
        if self.is_enrolling() {
            return self.in_enrolment(now, enrolment::Event::Next(kind));
        }
        if self.page != Page::People || self.people.asked.revocation.is_some() {
            return vec![];
        }
        let Some(person) = self.people.opened() else { return vec![] };
        let (id, fingers) = (person.id, fingers(person));
        self.begin(now, Goal::Factor(id, kind), fingers)
    }

    fn change_own_pin(&mut self, now: Moment) -> Vec<Effect> {
        if self.page != Page::Account || self.is_enrolling() || !self.has_own_pin() {
            return vec![];
        }
        self.begin(now, Goal::OwnPin, vec![])
    }

    /// They came with a badge, so there is a PIN for it.
    fn has_own_pin(&self) -> bool {
        matches!(self.own_token(), Some(Token::Badge(_)))
    }

    fn own_token(&self) -> Option<&Token> {
        match self.session.state() {
            State::Open { token, .. } => Some(token),
            State::Locked
            | State::Partial(_)
            | State::Proving { .. }
            | State::Unlocking { .. }
            | State::ChoosingPin(_)
            | State::Emergency(_) => None,
        }
    }

    fn begin(&mut self, now: Moment, goal: Goal, fingers: Vec<Finger>) -> Vec<Effect> {
        let own = self.own_token().cloned();
        let inserted = self.people.guest_card.clone();
        let start = Start { own, fingers, count: self.people.count, inserted };
        let (wizard, wanted) = Enrolment::begin(goal, start);
        self.notice = None;
        self.people.wizard = Some(wizard);
        self.perform_enrolment(now, wanted)
    }

    /// Hands an event to the wizard, if there is one.
    pub(super) fn in_enrolment(&mut self, now: Moment, event: enrolment::Event) -> Vec<Effect> {
        let Some(wizard) = &mut self.people.wizard else { return vec![] };
        let before = wizard.count();
        let wanted = wizard.handle(now.boot, event);
        if wizard.count() != before {
            // A step further: what was said about the last one is over.
            self.notice = None;
        }
        self.perform_enrolment(now, wanted)
    }

    fn perform_enrolment(&mut self, now: Moment, wanted: Vec<enrolment::Effect>) -> Vec<Effect> {
        if let Some(wizard) = &self.people.wizard {
            self.people.count = wizard.count();
            if matches!(wizard.step(), Step::Over) {
                self.people.wizard = None;
            }
        }
        let mut effects = Vec::new();
        for effect in wanted {
            match effect {
                enrolment::Effect::Administer(attempt, what) => {
                    effects.push(Effect::Store(StoreCommand::Administer(attempt, what, now)));
                }
                enrolment::Effect::Identify(attempt, token) => {
                    effects.push(Effect::Store(StoreCommand::Identify(attempt, token, now)));
                }
                enrolment::Effect::Card(command) => {
                    effects.push(Effect::Hardware(HardwareCommand::Card(command)));
                }
                enrolment::Effect::Finger(command) => {
                    effects.push(Effect::Hardware(HardwareCommand::Finger(command)));
                }
                enrolment::Effect::Notify(notice) => self.notify(now, notice),
                enrolment::Effect::Added(person) => {
                    self.people.saved += 1;
                    self.people.opened = Some(person);
                }
                enrolment::Effect::Refresh => effects.extend(self.refresh(now)),
            }
        }
        effects
    }
}

fn ask(attempt: Attempt, what: Administration, now: Moment) -> Effect {
    Effect::Store(StoreCommand::Administer(attempt, Box::new(what), now))
}

fn fingers(person: &PersonRow) -> Vec<Finger> {
    let finger = |kind: &FactorKind| match kind {
        FactorKind::Finger(finger) => Some(*finger),
        FactorKind::Badge | FactorKind::Card(_) => None,
    };
    person.factors.iter().filter_map(|row| finger(&row.kind)).collect()
}
