//! What the store answers. S-8: everything it could not keep or could not find again is counted here
//! and stays on the alarm strip until somebody has seen it.

use super::{Effect, Kiosk, Phase, RETRY_EVERY};
use crate::bridge::intent::Language;
use crate::moment::Moment;
use crate::notice::Notice;
use crate::pairing::Pairing;
use crate::session;
use crate::session::policy::Permission;
use crate::session::setup::{self, Setup};
use crate::store::{
    Administered, AdministrationFault, Attempt, CartState, Command as StoreCommand, Found, Outcome,
    StoreFault,
};

impl Kiosk {
    pub(super) fn on_store(&mut self, now: Moment, outcome: Outcome) -> Vec<Effect> {
        match outcome {
            Outcome::Found(found) => return self.found(found),
            Outcome::Initialised(words) => return self.in_setup(now, setup::Event::Made(words)),
            Outcome::Identified(attempt, identified) => {
                if let Some(effects) = self.identified_in_enrolment(now, attempt, &identified) {
                    return effects;
                }
                return self.in_session(now, session::Event::Identified(attempt, identified));
            }
            Outcome::Unlocked(attempt, unlocked) => return self.unlocked(now, attempt, *unlocked),
            Outcome::Refused(attempt, refusal) => {
                return self.in_session(now, session::Event::Refused(attempt, refusal));
            }
            Outcome::Emergency(attempt, answer) => {
                return self.emergency_answered(now, attempt, answer);
            }
            Outcome::Administered(attempt, answer) => {
                return self.administered(now, attempt, answer);
            }
            // Nobody asked for it: what the session rests on was taken away (S-1).
            Outcome::Closed if self.session.is_open() => {
                return self.in_session(now, session::Event::LockPressed);
            }
            Outcome::Closed => {}
            Outcome::Importing(_) | Outcome::Imported(_) | Outcome::Space(_) => {}
            Outcome::Trend(..) | Outcome::Shredded(_) => {}
            Outcome::Findings(findings) => {
                let count: u64 = findings.iter().map(|finding| finding.count).sum();
                self.lost = self.lost.saturating_add(count);
                self.notify(now, Notice::BacklogDamaged);
            }
            Outcome::Patients(patients) => {
                self.patients = self.may(Permission::SeePatients).then_some(patients);
            }
            Outcome::PatientAdded(patient) => return self.patient_added(now, *patient),
            Outcome::Recovered => self.store_fault = None,
            Outcome::Fault(fault) => return self.on_fault(now, fault),
            Outcome::Lost(count) => self.lost = self.lost.saturating_add(count),
        }
        vec![]
    }

    fn administered(
        &mut self,
        now: Moment,
        attempt: Attempt,
        answer: Result<Administered, AdministrationFault>,
    ) -> Vec<Effect> {
        if self.session.awaits_pin(attempt) {
            let written = answer.map(|_| ());
            return self.in_session(now, session::Event::PinChosen(attempt, written));
        }
        self.people_answered(now, attempt, answer)
    }

    fn on_fault(&mut self, now: Moment, fault: StoreFault) -> Vec<Effect> {
        match &self.phase {
            Phase::Starting | Phase::Trouble(..) => {
                self.phase = Phase::Trouble(fault, now.boot + RETRY_EVERY);
                vec![]
            }
            Phase::FirstStart(_) => self.in_setup(now, setup::Event::NotMade),
            Phase::Running => {
                self.store_fault = Some(fault);
                vec![]
            }
        }
    }

    pub(super) fn retry(&mut self, now: Moment) -> Vec<Effect> {
        if let Phase::Trouble(_, at) = &mut self.phase
            && now.boot >= *at
        {
            *at = now.boot + RETRY_EVERY;
            return vec![Effect::Store(StoreCommand::Retry)];
        }
        vec![]
    }

    /// The store looked at its directory. Only a core that waits for that takes it up: after the first
    /// start the wizard goes on, and a store that recovers finds the core running.
    fn found(&mut self, found: Found) -> Vec<Effect> {
        match (&self.phase, found) {
            (Phase::Starting | Phase::Trouble(..), Found::Nothing) => {
                self.phase = Phase::FirstStart(Setup::default());
                vec![]
            }
            (Phase::Starting | Phase::Trouble(..), Found::Store(cart)) => self.resume(&cart),
            (Phase::Starting | Phase::Trouble(..), Found::Broken(fault, cart)) => {
                self.store_fault = Some(fault);
                self.resume(&cart)
            }
            (
                Phase::FirstStart(_) | Phase::Running,
                Found::Nothing | Found::Store(_) | Found::Broken(..),
            ) => vec![],
        }
    }

    /// Takes up monitoring where the cart compartment left off: links, assignments, language.
    fn resume(&mut self, cart: &CartState) -> Vec<Effect> {
        self.phase = Phase::Running;
        self.store_fault = None;
        self.subject = cart.subject;
        if !cart.language.is_empty() {
            self.language = Language::from_tag(&cart.language);
        }
        let (pairing, commands) = Pairing::resume(&cart.devices);
        self.pairing = pairing;
        commands.into_iter().map(Effect::Hardware).collect()
    }
}
