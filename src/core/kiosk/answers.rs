//! What the store answers. S-8: everything it could not keep or could not find again is counted here
//! and stays on the alarm strip until somebody has seen it.

use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::keeping::{Administered, AdministrationFault, Found, Outcome, StoreFault};
use wardkeep_model::moment::Moment;

use crate::kiosk::records::RETRY_EVERY;
use crate::kiosk::{Effect, Kiosk, Phase};
use crate::session::{self, setup};

impl Kiosk {
    pub(super) fn on_store(&mut self, now: Moment, outcome: Outcome) -> Vec<Effect> {
        match outcome {
            Outcome::Found(found) => return self.found(now, found),
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
            Outcome::Importing(import) => self.records.import(now, Some(import)),
            Outcome::Imported(_) => self.records.import(now, None),
            Outcome::Space(space) => self.records.space(space),
            Outcome::Trend(..) => {}
            Outcome::Findings(findings) => self.found_wrong(&findings),
            Outcome::Patients(patients) => {
                self.patients = self.may(Permission::SeePatients).then_some(patients);
            }
            Outcome::PatientAdded(patient) => return self.patient_added(now, *patient),
            Outcome::Recovered => self.records.fault(None),
            Outcome::Fault(fault) => return self.on_fault(now, fault),
            Outcome::Lost(count) => self.records.lose(count),
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
                self.records.fault(Some(fault));
                vec![]
            }
        }
    }

    /// The store looked at its directory. Only a core that waits for that takes it up: after the first
    /// start the wizard goes on, and a store that recovers finds the core running.
    fn found(&mut self, now: Moment, found: Found) -> Vec<Effect> {
        let waits = match &self.phase {
            Phase::Starting | Phase::Trouble(..) => true,
            Phase::Running => self.records.is_broken(),
            Phase::FirstStart(_) => false,
        };
        match found {
            Found::Nothing if waits => self.store_missing(),
            Found::Store(cart) if waits => self.store_found(now, &cart),
            Found::Broken(fault, cart) if waits => self.store_broken(now, fault, &cart),
            Found::Nothing | Found::Store(_) | Found::Broken(..) => vec![],
        }
    }
}
