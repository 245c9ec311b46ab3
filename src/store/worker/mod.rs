//! The store's thread: one command at a time, a flush at least every second, the import in between.
//!
//! Any fault leaves a thread that still answers. What may pass by itself (another instance that is
//! ending, a full disk) is tried again every second, everything at [`Command::Retry`].

pub(crate) mod handle;
pub(crate) mod record;
pub(crate) mod space;
pub(crate) mod upkeep;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::crypto::{wipe_deep_stack, wipe_stack};
use crate::disk::durable::StateDir;
use crate::import::ImportRun;
use crate::import::opener::Delivery;
use crate::open::emergency::Unknowns;
use crate::open::options::Options;
use crate::open::setup::{self, Loaded, Store};
use crate::open::shift::Clocks;
use crate::record::entry::Entry;
use crate::vault::{Vault, cipher_facts, patients, trends};
use crate::worker::record::FLUSH_EVERY;
use crate::worker::space::Room;
use crate::worker::upkeep::Upkeep;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Evidence, Token};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::keeping::{
    Administration, CartState, Command, Found, NewOperator, Outcome, Refusal, StoreFault,
};
use wardkeep_model::moment::{BootTime, Moment};

pub(crate) enum Phase {
    /// The directory cannot be used; `Retry` looks again.
    Stopped(StoreFault),
    /// The directory can be used, and there is no store.
    Empty(StateDir),
    /// A store, locked or open.
    Ready(Box<Store>),
}

/// Everything the thread owns.
pub(crate) struct Worker {
    pub(crate) options: Options,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) outcomes: mpsc::Sender<Outcome>,
    pub(crate) phase: Phase,
    /// Entries for the vault, or for a store that is not ready.
    pub(crate) waiting: Vec<Entry>,
    pub(crate) lost: u64,
    pub(crate) cart_unsaved: bool,
    pub(crate) fault: Option<StoreFault>,
    pub(crate) flush_at: Option<BootTime>,
    /// Waits for the import to end.
    pub(crate) revocation: Option<(Attempt, Administration, Moment)>,
    pub(crate) unknowns: Unknowns,
    pub(crate) upkeep: Upkeep,
    /// When the store was last anchored outside the disk.
    pub(crate) anchored: Option<BootTime>,
    pub(crate) room: Room,
}

enum Next {
    Command(Command),
    /// The import has opened something.
    Opened(Option<Delivery>),
    Due,
    Ended,
}

impl Worker {
    pub(crate) fn new(
        options: Options,
        commands: mpsc::Receiver<Command>,
        outcomes: mpsc::Sender<Outcome>,
    ) -> Self {
        Self {
            options,
            commands,
            outcomes,
            phase: Phase::Stopped(StoreFault::Io),
            waiting: Vec::new(),
            lost: 0,
            cart_unsaved: false,
            fault: None,
            flush_at: None,
            revocation: None,
            unknowns: Unknowns::default(),
            upkeep: Upkeep::default(),
            anchored: None,
            room: Room::default(),
        }
    }

    pub(crate) fn run(mut self, timer: &Runtime) {
        self.start();
        loop {
            match self.next(timer) {
                Next::Command(command) => {
                    self.handle(command);
                    // Sealing works on copies of what was recorded.
                    wipe_stack();
                }
                Next::Opened(opened) => {
                    self.import_some(opened);
                    wipe_deep_stack();
                }
                Next::Due => {
                    self.keep_up_some();
                    wipe_deep_stack();
                }
                Next::Ended => break,
            }
            if self.flush_at.is_some_and(|at| Moment::read().boot >= at) {
                self.flush_at = None;
                match self.phase {
                    Phase::Stopped(_) => self.start(),
                    Phase::Empty(_) | Phase::Ready(_) => self.flush(),
                }
                self.report_lost();
            }
            self.end_old_shifts();
            self.compare_some();
            self.revoke_after_import();
        }
        self.end();
    }

    fn next(&mut self, timer: &Runtime) -> Next {
        let now = Moment::read().boot;
        let comparing = self.is_comparing().then_some(now);
        let due = [self.flush_at, self.shifts_check_at(), self.upkeep_at(), comparing];
        let wait = due.into_iter().flatten().min().map(|at| at.since(now));
        let import = self.is_importing().then(|| Self::import(&mut self.phase)).flatten();
        timer.block_on(async {
            tokio::select! {
                // Whoever asks is answered before the import goes on, and the import before upkeep.
                biased;
                command = self.commands.recv() => command.map_or(Next::Ended, Next::Command),
                opened = next_of(import) => Next::Opened(opened),
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => Next::Due,
            }
        })
    }

    pub(crate) fn answer(&self, outcome: Outcome) {
        // Whoever has the answer finds nothing of what it was made from.
        wipe_deep_stack();
        if self.outcomes.blocking_send(outcome).is_err() {
            tracing::debug!("nobody receives the store's outcomes any more");
        }
    }

    pub(crate) fn start(&mut self) {
        // Given up first, so that this instance never finds itself in the way.
        self.phase = Phase::Stopped(StoreFault::Io);
        let loaded = cipher_facts()
            .and_then(|_| StateDir::take(&self.options.state_dir))
            .and_then(|state| Store::load(state, &self.options));
        match loaded {
            Ok(Loaded::Nothing(state)) => {
                self.phase = Phase::Empty(state);
                self.recovered();
                self.answer(Outcome::Found(Found::Nothing));
            }
            Ok(Loaded::Store(store)) => self.ready(store),
            Err(fault) => {
                self.phase = Phase::Stopped(fault);
                self.broken(fault);
                self.faulted(fault);
            }
        }
    }

    /// A store that does not open must not end monitoring: what it was doing is in the cart
    /// compartment. Another instance that runs is doing it.
    fn broken(&self, fault: StoreFault) {
        if fault == StoreFault::InUse || self.fault == Some(fault) {
            return;
        }
        if let Some(cart) = setup::glance(&self.options) {
            self.answer(Outcome::Found(Found::Broken(fault, Box::new(cart))));
        }
    }

    fn ready(&mut self, mut store: Box<Store>) {
        let cart = Box::new(store.cart.state.clone());
        let mut findings = std::mem::take(&mut store.findings);
        findings.extend(store.inbox_older());
        let found = match store.vault_fault() {
            Ok(()) => Found::Store(cart),
            // It records into the inbox, and nobody can open it.
            Err(fault) => Found::Broken(fault, cart),
        };
        self.phase = Phase::Ready(store);
        self.recovered();
        self.answer(Outcome::Found(found));
        for entry in std::mem::take(&mut self.waiting) {
            self.record(entry);
        }
        self.report(findings);
        self.check_anchor();
        self.look_at_room(false);
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Initialise(first, now) => self.initialise(first, now),
            Command::Identify(attempt, token, now) => self.identify(attempt, token, now),
            Command::Unlock(attempt, evidence, now) => self.unlock(attempt, evidence, now),
            Command::FingerMissed(token) => self.finger_missed(&token),
            Command::Close(draft, now) => {
                self.keep_draft(draft.as_deref());
                self.renew_emergency_card(now);
                self.close();
                self.answer(Outcome::Closed);
                self.anchor();
            }
            Command::OpenEmergency(attempt, token, reason, now) => {
                self.open_emergency(attempt, (&token, reason), now);
            }
            Command::Administer(attempt, what, now) => self.administer(attempt, *what, now),
            Command::Record(observation) => self.record(Entry::Observation(observation)),
            Command::RecordWave(wave) => self.record(Entry::Wave(wave)),
            Command::Audit(entry) => self.record(Entry::Audit(entry)),
            Command::SaveCart(state) => self.save_cart(*state),
            Command::ListPatients => {
                self.ask_vault(|vault| Ok(patients::all(vault).map(Outcome::Patients)?));
            }
            Command::AddPatient(patient) => self.ask_vault(|vault| {
                patients::add(vault, &patient)?;
                Ok(Outcome::PatientAdded(patient))
            }),
            Command::Trend(query) => {
                // A trend is complete: what waits to be written belongs to it.
                self.flush();
                self.ask_vault(|vault| Ok(Outcome::Trend(query, trends::trend(vault, query)?)));
            }
            Command::Retry => match self.phase {
                Phase::Stopped(_) => self.start(),
                Phase::Empty(_) | Phase::Ready(_) => self.flush(),
            },
        }
    }

    fn initialise(&mut self, first: Box<NewOperator>, now: Moment) {
        let made = match &self.phase {
            Phase::Empty(state) => setup::initialise(state, &self.options, &first, now),
            Phase::Stopped(fault) => Err(*fault),
            Phase::Ready(_) => Err(StoreFault::Foreign),
        };
        drop(first);
        match made {
            Ok(phrase) => {
                self.answer(Outcome::Initialised(phrase));
                self.start();
            }
            Err(fault) => self.faulted(fault),
        }
    }

    // What was shown or typed is wiped before the answer: whoever has the answer finds it gone.

    fn identify(&mut self, attempt: Attempt, token: Token, now: Moment) {
        let Phase::Ready(store) = &mut self.phase else {
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
                self.answer(Outcome::Identified(attempt, identified));
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
        let Phase::Ready(store) = &mut self.phase else {
            let refusal = Refusal::Damaged(self.fault.unwrap_or(StoreFault::Damaged));
            return self.answer(Outcome::Refused(attempt, refusal));
        };
        let answer = store.unlock(&evidence, Clocks::at(now));
        let findings = match &answer {
            Ok(_) => Vec::new(),
            Err(_) => std::mem::take(&mut store.findings),
        };
        let refused = answer.as_ref().err().map(|refusal| {
            store.unlock_refused((&evidence.token(), Some(evidence.pair())), *refusal, now)
        });
        drop(evidence);
        match answer {
            Ok((mut unlocked, private)) => {
                unlocked.draft = self.draft_of(unlocked.operator.id, &private);
                drop(private);
                self.answer(Outcome::Unlocked(attempt, Box::new(unlocked)));
                self.resume_upkeep();
                // Makes the inbox durable and then plans its import.
                self.flush();
                self.anchor();
            }
            Err(refusal) => {
                self.answer(Outcome::Refused(attempt, refusal));
                self.report(findings);
                refused.into_iter().for_each(|entry| self.record(Entry::Audit(Box::new(entry))));
            }
        }
    }

    fn ask_vault(&mut self, ask: impl FnOnce(&mut Vault) -> Result<Outcome, StoreFault>) {
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(opened) = &mut store.open else {
            tracing::debug!("a question to the closed vault was not answered");
            return;
        };
        match ask(opened.vault()) {
            Ok(outcome) => self.answer(outcome),
            Err(fault) => self.faulted(fault),
        }
    }

    fn save_cart(&mut self, state: CartState) {
        let Phase::Ready(store) = &mut self.phase else {
            return self.faulted_again();
        };
        let moved = store.cart.state.subject != state.subject;
        store.cart.state = state;
        self.cart_unsaved = true;
        if moved {
            self.forget_emergency_card();
        }
        self.flush();
    }

    fn present_fault(&self) -> StoreFault {
        match &self.phase {
            Phase::Stopped(fault) => *fault,
            // Records without a store cannot be kept; the first start is still to come.
            Phase::Empty(_) => StoreFault::Io,
            Phase::Ready(_) => self.fault.unwrap_or(StoreFault::Io),
        }
    }

    fn faulted_again(&mut self) {
        let fault = self.present_fault();
        self.fault = None;
        self.faulted(fault);
    }

    pub(crate) fn faulted(&mut self, fault: StoreFault) {
        if may_pass(fault) && self.flush_at.is_none() {
            self.flush_at = Some(Moment::read().boot + FLUSH_EVERY);
        }
        if self.fault != Some(fault) {
            self.fault = Some(fault);
            tracing::warn!(%fault, "store does not work");
            self.answer(Outcome::Fault(fault));
        }
    }

    pub(crate) fn recovered(&mut self) {
        if self.fault.take().is_some() {
            self.answer(Outcome::Recovered);
        }
    }
}

/// What the import has opened; waits for ever without one.
async fn next_of(import: Option<&mut ImportRun>) -> Option<Delivery> {
    match import {
        Some(run) => run.opened().await,
        None => std::future::pending().await,
    }
}

/// Whether waiting may help, without anybody repairing anything.
fn may_pass(fault: StoreFault) -> bool {
    match fault {
        StoreFault::InUse | StoreFault::ReadOnly | StoreFault::Full | StoreFault::Io => true,
        StoreFault::Foreign
        | StoreFault::WrongDeviceSecret
        | StoreFault::Damaged
        | StoreFault::Later
        | StoreFault::NoCipher => false,
    }
}
