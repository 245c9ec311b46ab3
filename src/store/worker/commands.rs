//! What each command does.

use crate::crypto::Key;
use crate::open::locked::Locked;
use crate::open::opened::Open;
use crate::open::shift::Clocks;
use crate::open::unlock::LogIn;
use crate::open::{emergency, first_start};
use crate::record::entry::Entry;
use crate::staff::acts::{administer, not_done};
use crate::staff::desk::Desk;
use crate::staff::rotate;
use crate::vault::{Vault, alarms, patients, rows, spots, trends};
use crate::worker::importing::Importing;
use crate::worker::phase::{Phase, Session};
use crate::worker::rekeying::needs_vault;
use crate::worker::thread::Worker;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Attempt, Evidence, Token, TokenKind};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::policy::{Pair, Permission};
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, AuditAct, AuditEntry, CartState,
    Command, Draft, EmergencyRefusal, Finding, FindingKind, History, HistoryQuery, NewOperator,
    NotAdded, Outcome, Refusal, SpotAct, Spots, StoreFault, TrendQuery,
};
use wardkeep_model::moment::Moment;

/// A patient of this identity is in the vault.
fn has(open: &Open, id: SubjectId) -> bool {
    patients::one(open.vault(), id).is_ok_and(|patient| patient.is_some())
}

/// Whether whoever has the vault open may do this.
fn may(open: &Open, permission: Permission) -> bool {
    let person = open.operator().and_then(|id| open.locked().cart().person(id));
    person.is_some_and(|person| person.role.may(permission))
}

impl Worker {
    /// Does one command.
    pub fn handle(&mut self, command: Command) {
        let command = match &mut self.phase {
            Phase::Rekeying(rekeying) if needs_vault(&command) => match rekeying.hold(command) {
                None => return,
                Some(command) => return self.refuse_to_wait(command),
            },
            Phase::Stopped(_)
            | Phase::Empty(_)
            | Phase::Locked(_)
            | Phase::Open(_)
            | Phase::Rekeying(_) => command,
        };
        match command {
            Command::Initialise(first, now) => self.initialise(first, now),
            Command::Identify(attempt, token, now) => self.identify(attempt, token, now),
            Command::Unlock(attempt, evidence, now) => self.unlock(attempt, evidence, now),
            Command::FingerMissed(token) => self.finger_missed(&token),
            Command::Close(draft, now) => {
                self.stop_changing_keys();
                self.keep_draft(draft.as_deref());
                self.renew_emergency_card(now);
                self.close();
                self.answers.give(Outcome::Closed);
                self.look_again();
                self.anchor();
            }
            Command::OpenEmergency(attempt, token, reason, now) => {
                self.open_emergency(attempt, (&token, reason), now);
            }
            Command::Administer(attempt, what, now) => self.administer(attempt, *what, now),
            Command::Record(observation) => self.record(Entry::Observation(observation)),
            Command::RecordWave(wave) => self.record(Entry::Wave(wave)),
            Command::KeepSpot(reading) => {
                self.record(Entry::Spot(reading));
                if self.phase.session().is_some() {
                    // Whoever measures waits for it on the screen.
                    self.flush();
                    self.tell_spots();
                }
            }
            Command::Spot(act, now) => self.spot(act, now),
            Command::Audit(entry) => self.record(Entry::Audit(entry)),
            Command::RecordAlarm(record) => self.record(Entry::Alarm(record)),
            Command::History(query) => self.history(query),
            Command::SaveCart(state) => self.save_cart(*state),
            Command::ListPatients => {
                self.ask_vault(|vault| Ok(patients::all(vault).map(Outcome::Patients)?));
                self.was_shown(AuditAct::PatientsListed, None);
            }
            Command::AddPatient(patient, now) => self.add_patient(patient, now),
            Command::Trend(query) => {
                // A trend is complete: what waits to be written belongs to it.
                self.flush();
                self.trend(query);
                self.was_shown(AuditAct::TrendRead, Some(query.subject));
            }
            Command::Retry => match self.phase {
                Phase::Stopped(_) => self.start(),
                Phase::Empty(_) | Phase::Locked(_) | Phase::Open(_) | Phase::Rekeying(_) => {
                    self.flush();
                }
            },
        }
    }

    /// Answers with a trend, and once more later if it did not have every row.
    pub(super) fn trend(&mut self, query: TrendQuery) {
        let mut unread = 0;
        self.ask_vault(|vault| {
            let trend = trends::trend(vault, query)?;
            unread = trend.unread;
            Ok(Outcome::Trend(query, trend))
        });
        if unread > 0 {
            self.upkeep.answer_again(query);
        }
    }

    /// Answers with what the alarms of a patient were, and their single values if these are asked for.
    fn history(&mut self, query: HistoryQuery) {
        // What waits to be written belongs to it.
        self.flush();
        self.ask_vault(|vault| {
            let HistoryQuery { subject, since, until, with_values, .. } = query;
            let alarms = alarms::read(vault, subject, (since, until))?;
            let values = match with_values {
                true => {
                    let values = rows::numerics(vault, subject, (since, until))?;
                    spots::among(vault, subject, (since, until), values)?
                }
                false => vec![],
            };
            Ok(Outcome::History(query, Box::new(History { alarms, values })))
        });
        self.was_shown(AuditAct::HistoryRead, Some(query.subject));
    }

    fn initialise(&mut self, first: Box<NewOperator>, now: Moment) {
        // The directory is not let go between: nobody else finds the new store without its kiosk.
        match std::mem::replace(&mut self.phase, Phase::Stopped(StoreFault::Io)) {
            Phase::Empty(state) => {
                let made = first_start::initialise(&state, &self.options, &first, now);
                drop(first);
                match made {
                    Ok(phrase) => {
                        self.answers.give(Outcome::Initialised(phrase));
                        self.load(state);
                    }
                    Err(fault) => {
                        self.phase = Phase::Empty(state);
                        self.faulted(fault);
                    }
                }
            }
            stopped @ Phase::Stopped(fault) => {
                self.phase = stopped;
                self.faulted(fault);
            }
            running @ (Phase::Locked(_) | Phase::Open(_) | Phase::Rekeying(_)) => {
                self.phase = running;
                self.faulted(StoreFault::Foreign);
            }
        }
    }

    // What was shown or typed is wiped before the answer: whoever has the answer finds it gone.

    fn identify(&mut self, attempt: Attempt, token: Token, now: Moment) {
        let Some(store) = self.phase.locked_mut() else {
            return self.faulted_again();
        };
        let identified = store.identify(&token, Clocks::at(now));
        // The attempt ends here: no unlock will follow whose refusal could be audited.
        let refusal = Refusal::NotAdmitted(Admission::Exhausted);
        let exhausted = store.unlock_refused((&token, None), refusal, now);
        drop(token);
        match identified {
            Ok(identified) => {
                let is_exhausted = identified.admission == Admission::Exhausted;
                self.answers.give(Outcome::Identified(attempt, identified));
                if is_exhausted {
                    self.record(Entry::Audit(Box::new(exhausted)));
                }
            }
            Err(fault) => self.faulted(fault),
        }
    }

    fn unlock(&mut self, attempt: Attempt, evidence: Evidence, now: Moment) {
        // Fail closed: whoever tries to unlock an open vault is not whoever opened it.
        self.close();
        self.look_again();
        let Some(locked) = self.phase.take_locked() else {
            let refusal = Refusal::Damaged(self.fault.unwrap_or(StoreFault::Damaged));
            return self.answers.give(Outcome::Refused(attempt, refusal));
        };
        match locked.unlock(&evidence, Clocks::at(now)) {
            Ok(LogIn { open, mut unlocked, private }) => {
                self.phase = Phase::Open(Session { open, import: Importing::default() });
                self.keys_wait = false;
                drop(evidence);
                unlocked.draft = self.draft_of(unlocked.operator.id, &private);
                drop(private);
                let chart = unlocked.patient.as_ref().map(|patient| patient.id);
                let sees = unlocked.operator.role.may(Permission::SeePatients);
                self.answers.give(Outcome::Unlocked(attempt, Box::new(unlocked)));
                self.upkeep.resume();
                let findings = self.phase.locked_mut().map(Locked::take_findings);
                self.report(findings.unwrap_or_default());
                if let Some(subject) = chart.filter(|_| sees) {
                    self.was_shown(AuditAct::ChartOpened, Some(subject));
                }
                // Makes the inbox durable and then plans its import.
                self.flush();
                self.anchor();
            }
            Err((mut locked, refusal)) => {
                let findings = locked.take_findings();
                let pair = Some(evidence.pair());
                let entry = locked.unlock_refused((&evidence.token(), pair), refusal, now);
                self.phase = Phase::Locked(locked);
                drop(evidence);
                self.answers.give(Outcome::Refused(attempt, refusal));
                self.report(findings);
                self.record(Entry::Audit(Box::new(entry)));
            }
        }
    }

    /// Counts a miss against the shift share of this token's owner.
    fn finger_missed(&mut self, token: &Token) {
        if let Some(locked) = self.phase.locked_mut() {
            let index = locked.keys().token_index(token);
            locked.shifts().missed(&index);
        }
    }

    /// Seals what a person had typed and not saved to that person.
    fn keep_draft(&mut self, draft: Option<&Draft>) {
        let (Some(draft), Some(locked)) = (draft, self.phase.locked()) else { return };
        // Saved in the same moment as the session ended: the answer has found nobody.
        if self.phase.session().is_some_and(|session| has(&session.open, draft.id)) {
            return;
        }
        if let Err(fault) = locked.drafts().keep(draft) {
            tracing::warn!(%fault, "a draft could not be kept");
        }
    }

    /// What this person, who has just opened the vault with their private key, had typed and not
    /// saved last time. One that was damaged is reported (S-8).
    fn draft_of(&mut self, operator: OperatorId, private: &Key) -> Option<Draft> {
        match self.phase.locked()?.drafts().take(operator, private) {
            Ok(draft) => draft,
            Err(fault) => {
                tracing::warn!(%fault, "a draft could not be read");
                if fault == StoreFault::Damaged {
                    self.report(vec![Finding::of(FindingKind::RecordsForged, 1)]);
                }
                None
            }
        }
    }

    fn add_patient(&mut self, patient: Box<Patient>, now: Moment) {
        let Some(session) = self.phase.session_mut() else {
            tracing::debug!("a patient for the closed vault stays a draft");
            return;
        };
        let operator = session.open.operator();
        let entry = AuditEntry::of(AuditAct::PatientCreated, now.wall);
        let entry = AuditEntry { operator, subject: Some(patient.id), ..entry };
        let id = patient.id;
        match patients::add(session.open.vault_mut(), &patient, &entry) {
            Ok(true) => self.answers.give(Outcome::PatientAdded(patient)),
            Ok(false) => {
                self.answers.give(Outcome::PatientNotAdded(id, NotAdded::NumberTaken));
            }
            Err(fault) => {
                let fault = StoreFault::from(fault);
                self.answers.give(Outcome::PatientNotAdded(id, NotAdded::Fault(fault)));
                self.faulted(fault);
            }
        }
    }

    /// Says whose a reading is, for somebody who may care for patients.
    fn spot(&mut self, act: SpotAct, now: Moment) {
        // What waits to be written may be that reading.
        self.flush();
        let Some(session) = self.phase.session_mut().filter(|one| may(&one.open, Permission::Care))
        else {
            return self.answers.give(Outcome::SpotNotDone(act, StoreFault::InUse));
        };
        // What it is called follows from what the reading was.
        let entry = AuditEntry::of(AuditAct::ReadingFiled, now.wall);
        let mut entry = AuditEntry { operator: session.open.operator(), ..entry };
        session.open.locked().stamp(&mut entry, now);
        match spots::act(session.open.vault_mut(), act, entry) {
            Ok(_) => self.tell_spots(),
            Err(fault) => {
                let fault = StoreFault::from(fault);
                self.answers.give(Outcome::SpotNotDone(act, fault));
                self.faulted(fault);
            }
        }
    }

    /// Tells which readings wait, and the last ones of the patient at this bed, to whoever sees patients.
    pub(super) fn tell_spots(&mut self) {
        let Some(session) = self
            .phase
            .session_mut()
            .filter(|one| one.open.is_imported() && may(&one.open, Permission::SeePatients))
        else {
            return;
        };
        let subject = session.open.locked().cart().state.subject;
        let vault = session.open.vault_mut();
        let told = spots::waiting(vault).and_then(|waiting| {
            let filed = subject.map(|subject| spots::latest(vault, subject)).transpose()?;
            Ok(Spots { waiting, filed: filed.unwrap_or_default() })
        });
        match told {
            Ok(told) => self.answers.give(Outcome::Spots(Box::new(told))),
            Err(fault) => self.faulted(fault.into()),
        }
    }

    /// Something of patients was shown to whoever has the vault open.
    fn was_shown(&mut self, act: AuditAct, subject: Option<SubjectId>) {
        let Some(session) = self.phase.session() else { return };
        let operator = session.open.operator();
        let entry = AuditEntry { operator, subject, ..AuditEntry::of(act, self.now.wall) };
        self.record(Entry::Audit(Box::new(entry)));
    }

    fn ask_vault(&mut self, ask: impl FnOnce(&mut Vault) -> Result<Outcome, StoreFault>) {
        let Some(session) = self.phase.session_mut() else {
            tracing::debug!("a question to the closed vault was not answered");
            return;
        };
        match ask(session.open.vault_mut()) {
            Ok(outcome) => self.answers.give(outcome),
            Err(fault) => self.faulted(fault),
        }
    }

    fn save_cart(&mut self, state: CartState) {
        let Some(locked) = self.phase.locked_mut() else {
            return self.faulted_again();
        };
        let moved = locked.cart().state.subject != state.subject;
        locked.cart_mut().state = state;
        self.cart_unsaved = true;
        if moved {
            self.forget_emergency_card();
        }
        self.flush();
        if moved {
            self.tell_spots();
        }
    }

    /// Opens the emergency card with one enrolled token, and audits it.
    fn open_emergency(
        &mut self,
        attempt: Attempt,
        (token, reason): (&Token, EmergencyReason),
        now: Moment,
    ) {
        let (operator, answer) = match self.phase.locked() {
            Some(locked) => emergency::look(locked, &mut self.unknowns, token, now),
            None => {
                let fault = self.fault.unwrap_or(StoreFault::Damaged);
                (None, Err(EmergencyRefusal::Damaged(fault)))
            }
        };
        let act = match &answer {
            Ok(_) => AuditAct::EmergencyOpened,
            Err(_) => AuditAct::EmergencyRefused,
        };
        let subject = answer.as_ref().ok().map(|card| card.patient.id);
        let pair = Some(match token.kind() {
            TokenKind::Badge => Pair::BadgeAlone,
            TokenKind::Card => Pair::CardAlone,
        });
        let reason = Some(reason);
        let entry = AuditEntry { operator, subject, pair, reason, ..AuditEntry::of(act, now.wall) };
        self.record(Entry::Audit(Box::new(entry)));
        // Written before anything is seen, as far as it can be written.
        self.flush();
        self.answers.give(Outcome::Emergency(attempt, answer));
    }

    /// Writes the emergency card anew from the open vault, or removes it.
    fn renew_emergency_card(&mut self, now: Moment) {
        self.flush();
        let Some(session) = self.phase.session() else { return };
        if let Err(fault) = emergency::renew(&session.open, now) {
            tracing::warn!(%fault, "emergency card could not be written");
        }
    }

    /// Another patient is at this bed, or nobody.
    fn forget_emergency_card(&mut self) {
        let Some(locked) = self.phase.locked() else { return };
        if let Err(fault) = emergency::remove(&locked.dir()) {
            // It is not shown: it names a patient who is not at this bed.
            tracing::warn!(%fault, "emergency card could not be removed");
        }
    }

    /// Does what IT or an auditor asks, if their role allows it. A revocation waits until what was
    /// recorded while locked is in the vault.
    fn administer(&mut self, attempt: Attempt, what: Administration, now: Moment) {
        self.flush();
        if what.waits_for_import() && self.is_importing() {
            match &self.postponed {
                Some(_) => self.refuse(attempt, Fault::Store(StoreFault::InUse)),
                None => self.postponed = Some((attempt, what, now)),
            }
            return;
        }
        if let Some(fault) = self.fault.filter(|_| !what.reads()) {
            return self.refuse(attempt, Fault::Store(fault));
        }
        let act = what.act();
        let Some(session) = self.phase.session_mut() else {
            if self.phase.locked().is_some() {
                let entry = not_done(None, act, Fault::NotAllowed, now);
                self.record(Entry::Audit(Box::new(entry)));
            }
            return self.refuse(attempt, Fault::NotAllowed);
        };
        let done = administer(&mut session.open, Desk { options: &self.options, now }, what);
        if matches!(done, Ok(Administered::Revoked)) && rotate::is_due(session.open.locked()) {
            // Whoever was revoked is refused by a store of before as well, from here on.
            self.anchor();
            return self.change_keys(Some((attempt, act)));
        }
        if let Err(fault) = done {
            let entry = not_done(session.open.operator(), act, fault, now);
            self.record(Entry::Audit(Box::new(entry)));
        }
        let is_acknowledged = matches!(done, Ok(Administered::FindingsAcknowledged(_)));
        self.answers.give(Outcome::Administered(attempt, done));
        if is_acknowledged {
            self.tell_open_findings();
        }
    }

    /// As many commands wait for the vault as may.
    fn refuse_to_wait(&mut self, command: Command) {
        let busy = StoreFault::InUse;
        if let Command::Administer(attempt, ..) = command {
            self.refuse(attempt, Fault::Store(busy));
        } else if let Command::AddPatient(patient, _) = command {
            let why = NotAdded::Fault(busy);
            self.answers.give(Outcome::PatientNotAdded(patient.id, why));
        } else if let Command::Spot(act, _) = command {
            self.answers.give(Outcome::SpotNotDone(act, busy));
        } else {
            // There are fewer kinds of them than may wait, and of each one waits.
            tracing::error!("a question to a vault that is away is dropped");
        }
    }

    fn refuse(&self, attempt: Attempt, fault: Fault) {
        self.answers.give(Outcome::Administered(attempt, Err(fault)));
    }

    /// Does what waited for the import.
    pub(super) fn administer_after_import(&mut self) {
        if !self.is_importing()
            && let Some((attempt, what, now)) = self.postponed.take()
        {
            self.administer(attempt, what, now);
        }
    }

    /// The vault closes before the turn of what waited for the import came.
    pub(super) fn refuse_postponed(&mut self) {
        if let Some((attempt, _, _)) = self.postponed.take() {
            self.refuse(attempt, Fault::NotAllowed);
        }
    }
}
