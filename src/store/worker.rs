//! The store's thread: one command at a time, a flush at least every second, the import in between.
//!
//! S-2: recording never depends on the vault being open. S-8, S-11: what cannot be written waits in a
//! bounded queue and is tried again every second; what does not fit is counted and reported as
//! [`Outcome::Lost`].

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::durable::StateDir;
use super::handle::Options;
use super::import::{ImportRun, Step};
use super::keyring::VaultKeys;
use super::segment::Entry;
use super::setup::{self, Loaded, Store};
use super::vault::{Vault, cipher_facts};
use super::{
    Attempt, AuditAct, AuditEntry, CartState, Command, Found, NewOperator, Outcome, Refusal,
    StoreFault,
};
use crate::moment::{BootTime, Moment};
use crate::session::factor::{Badge, Pin};

/// At most this long until a record is durable, and between two tries after a fault.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Records that make one transaction.
const BATCH_MAX: usize = 256;
/// Records kept in memory while they cannot be written.
const WAITING_MAX: usize = 4096;

/// An open vault: it exists from unlock to close, and its keys with it.
pub(super) struct Opened {
    vault: Vault,
    keys: VaultKeys,
    import: Option<ImportRun>,
}

impl Opened {
    pub(super) fn new(vault: Vault, keys: VaultKeys) -> Self {
        Self { vault, keys, import: None }
    }

    #[cfg(test)]
    pub(super) fn into_parts(self) -> (Vault, VaultKeys) {
        (self.vault, self.keys)
    }
}

enum Phase {
    /// The directory cannot be used; `Retry` looks again.
    Stopped(StoreFault),
    /// The directory can be used, and there is no store.
    Empty(StateDir),
    /// A store, locked or open.
    Ready(Box<Store>),
}

/// Everything the thread owns.
pub(super) struct Worker {
    options: Options,
    commands: mpsc::Receiver<Command>,
    outcomes: mpsc::Sender<Outcome>,
    phase: Phase,
    /// Entries for the vault, or for a store that is not ready.
    waiting: Vec<Entry>,
    lost: u64,
    cart_unsaved: bool,
    fault: Option<StoreFault>,
    flush_at: Option<BootTime>,
}

enum Next {
    Command(Command),
    Due,
    Ended,
}

impl Worker {
    pub(super) fn new(
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
        }
    }

    pub(super) fn run(mut self, timer: &Runtime) {
        self.start();
        loop {
            match self.next(timer) {
                Next::Command(command) => self.handle(command),
                Next::Due => {}
                Next::Ended => break,
            }
            if self.flush_at.is_some_and(|at| Moment::read().boot >= at) {
                self.flush();
            }
            self.import_some();
        }
        self.end();
    }

    fn next(&mut self, timer: &Runtime) -> Next {
        if self.is_importing() {
            return match self.commands.try_recv() {
                Ok(command) => Next::Command(command),
                Err(TryRecvError::Empty) => Next::Due,
                Err(TryRecvError::Disconnected) => Next::Ended,
            };
        }
        let wait = self.flush_at.map(|at| at.since(Moment::read().boot));
        let received = timer.block_on(async {
            match wait {
                Some(wait) => tokio::time::timeout(wait, self.commands.recv()).await,
                None => Ok(self.commands.recv().await),
            }
        });
        match received {
            Ok(Some(command)) => Next::Command(command),
            Ok(None) => Next::Ended,
            Err(_elapsed) => Next::Due,
        }
    }

    fn answer(&self, outcome: Outcome) {
        if self.outcomes.blocking_send(outcome).is_err() {
            tracing::debug!("nobody receives the store's outcomes any more");
        }
    }

    fn start(&mut self) {
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
                self.faulted(fault);
            }
        }
    }

    fn ready(&mut self, store: Box<Store>) {
        let cart = store.cart.state.clone();
        let rolled_back = store.rolled_back;
        self.phase = Phase::Ready(store);
        self.recovered();
        self.answer(Outcome::Found(Found::Store(Box::new(cart))));
        for entry in std::mem::take(&mut self.waiting) {
            self.record(entry);
        }
        if rolled_back {
            self.record(own_entry(AuditAct::CartRolledBack));
        }
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Initialise(first, _) => self.initialise(&first),
            Command::Identify(attempt, badge, now) => self.identify(attempt, &badge, now),
            Command::Unlock(attempt, badge, pin, now) => self.unlock(attempt, (&badge, &pin), now),
            Command::Close => {
                self.close();
                self.answer(Outcome::Closed);
            }
            Command::Record(observation) => self.record(Entry::Observation(observation)),
            Command::Audit(entry) => self.record(Entry::Audit(entry)),
            Command::SaveCart(state) => self.save_cart(*state),
            Command::ListPatients => {
                self.ask_vault(|vault| vault.patients().map(Outcome::Patients));
            }
            Command::AddPatient(patient) => self.ask_vault(|vault| {
                vault.add_patient(&patient)?;
                Ok(Outcome::PatientAdded(patient))
            }),
            Command::Retry => match self.phase {
                Phase::Stopped(_) => self.start(),
                Phase::Empty(_) | Phase::Ready(_) => self.flush(),
            },
        }
    }

    fn initialise(&mut self, first: &NewOperator) {
        let made = match &self.phase {
            Phase::Empty(state) => setup::initialise(state, &self.options, first),
            Phase::Stopped(fault) => Err(*fault),
            Phase::Ready(_) => Err(StoreFault::Foreign),
        };
        match made {
            Ok(phrase) => {
                self.answer(Outcome::Initialised(phrase));
                self.start();
            }
            Err(fault) => self.faulted(fault),
        }
    }

    fn identify(&mut self, attempt: Attempt, badge: &Badge, now: Moment) {
        let Phase::Ready(store) = &mut self.phase else {
            return self.faulted_again();
        };
        match store.identify(badge, now.boot) {
            Ok(admission) => self.answer(Outcome::Identified(attempt, admission)),
            Err(fault) => self.faulted(fault),
        }
    }

    fn unlock(&mut self, attempt: Attempt, factors: (&Badge, &Pin), now: Moment) {
        // Fail closed: whoever tries to unlock an open vault is not whoever opened it.
        self.close();
        let Phase::Ready(store) = &mut self.phase else {
            let refusal = Refusal::Damaged(self.fault.unwrap_or(StoreFault::Damaged));
            return self.answer(Outcome::Refused(attempt, refusal));
        };
        match store.unlock(factors, now.boot) {
            Ok(unlocked) => {
                self.answer(Outcome::Unlocked(attempt, Box::new(unlocked)));
                self.plan_import();
            }
            Err(refusal) => self.answer(Outcome::Refused(attempt, refusal)),
        }
    }

    fn ask_vault(&mut self, ask: impl FnOnce(&mut Vault) -> Result<Outcome, StoreFault>) {
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(opened) = &mut store.open else {
            tracing::debug!("a question to the closed vault was not answered");
            return;
        };
        match ask(&mut opened.vault) {
            Ok(outcome) => self.answer(outcome),
            Err(fault) => self.faulted(fault),
        }
    }

    fn save_cart(&mut self, state: CartState) {
        let Phase::Ready(store) = &mut self.phase else {
            return self.faulted_again();
        };
        store.cart.state = state;
        self.cart_unsaved = true;
        self.flush();
    }

    /// Keeps one entry: for the vault when open, sealed at once when locked.
    fn record(&mut self, entry: Entry) {
        let locked = match &mut self.phase {
            Phase::Ready(store) if store.open.is_none() => Some(store),
            Phase::Ready(_) | Phase::Empty(_) | Phase::Stopped(_) => None,
        };
        let full = match locked {
            Some(store) => {
                let pushed = store.inbox.push(&entry);
                if pushed.is_err() {
                    self.lost += 1;
                }
                store.inbox.pending() >= BATCH_MAX
            }
            None if self.waiting.len() < WAITING_MAX => {
                self.waiting.push(entry);
                self.waiting.len() >= BATCH_MAX
            }
            None => {
                self.lost += 1;
                true
            }
        };
        let now = Moment::read().boot;
        // After a fault the next try comes when it is due, not with every record.
        if full && self.fault.is_none() {
            self.flush();
        } else if self.flush_at.is_none() {
            self.flush_at = Some(now + FLUSH_EVERY);
        }
    }

    /// Makes everything durable that waits.
    fn flush(&mut self) {
        self.flush_at = None;
        let now = Moment::read().boot;
        match self.write_waiting(now) {
            Ok(()) => self.recovered(),
            Err(fault) => {
                self.faulted(fault);
                self.flush_at = Some(now + FLUSH_EVERY);
            }
        }
        if self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            self.answer(Outcome::Lost(lost));
        }
    }

    fn write_waiting(&mut self, now: BootTime) -> Result<(), StoreFault> {
        let store = match &mut self.phase {
            Phase::Ready(store) => store,
            // Entries wait for the first start.
            Phase::Empty(_) => return Ok(()),
            Phase::Stopped(fault) => return Err(*fault),
        };
        if let Some(opened) = &mut store.open
            && !self.waiting.is_empty()
        {
            self.lost += opened.vault.append(&self.waiting)?;
            self.waiting.clear();
        }
        store.inbox.flush(now)?;
        if self.cart_unsaved {
            store.save_cart()?;
            self.cart_unsaved = false;
        }
        Ok(())
    }

    fn is_importing(&self) -> bool {
        match &self.phase {
            Phase::Ready(store) => {
                // After a fault the import waits with everything else until it is due.
                self.fault.is_none()
                    && store.open.as_ref().is_some_and(|opened| opened.import.is_some())
            }
            Phase::Empty(_) | Phase::Stopped(_) => false,
        }
    }

    fn plan_import(&mut self) {
        self.flush();
        let Phase::Ready(store) = &mut self.phase else { return };
        let (dir, seq) = (store.inbox_dir(), store.inbox.durable_seq());
        // The head must know the last number before the segments that show it are deleted.
        let rolled = store.inbox.roll();
        let end = store.inbox.next_segment();
        let Some(opened) = &mut store.open else { return };
        match rolled.and_then(|()| ImportRun::plan(&dir, &opened.vault, end, seq)) {
            Ok(run) => opened.import = Some(run),
            // What is there stays there until the next unlock.
            Err(fault) => self.faulted(fault),
        }
    }

    fn import_some(&mut self) {
        if !self.is_importing() {
            return;
        }
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(opened) = &mut store.open else { return };
        let Some(run) = &mut opened.import else { return };
        match run.step(&store.keys, &opened.keys, &mut opened.vault) {
            Ok(Step::More) => {}
            Ok(Step::Done(found)) => {
                let suspicious = run.is_suspicious();
                opened.import = None;
                let counted = store.inbox.recount();
                self.answer(Outcome::Imported(found));
                if suspicious {
                    self.record(own_entry(AuditAct::BacklogDamaged));
                }
                if let Err(fault) = counted {
                    self.faulted(fault);
                }
            }
            Err(fault) => {
                self.faulted(fault);
                self.flush_at = Some(Moment::read().boot + FLUSH_EVERY);
            }
        }
    }

    /// Closes the vault and wipes its keys; what could not be written goes to the inbox.
    fn close(&mut self) {
        self.flush();
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(Opened { vault, keys, import }) = store.open.take() else { return };
        let chained = store.inbox.start_chain(&keys);
        drop(keys);
        let closed = vault.close();
        if let Some(run) = import {
            self.answer(Outcome::Imported(run.found()));
            if run.is_suspicious() {
                self.record(own_entry(AuditAct::BacklogDamaged));
            }
        }
        for entry in std::mem::take(&mut self.waiting) {
            self.record(entry);
        }
        if let Err(fault) = chained.and(closed) {
            self.faulted(fault);
            self.flush_at = Some(Moment::read().boot + FLUSH_EVERY);
        }
    }

    fn end(mut self) {
        self.close();
        self.flush();
        let mut lost = u64::try_from(self.waiting.len()).unwrap_or(u64::MAX);
        if let Phase::Ready(store) = &mut self.phase {
            lost += u64::try_from(store.inbox.pending()).unwrap_or(u64::MAX);
            if let Err(fault) = store.inbox.roll() {
                self.faulted(fault);
            }
        }
        if lost > 0 {
            self.answer(Outcome::Lost(lost));
        }
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

    fn faulted(&mut self, fault: StoreFault) {
        if self.fault != Some(fault) {
            self.fault = Some(fault);
            tracing::warn!(%fault, "store does not work");
            self.answer(Outcome::Fault(fault));
        }
    }

    fn recovered(&mut self) {
        if self.fault.take().is_some() {
            self.answer(Outcome::Recovered);
        }
    }
}

fn own_entry(act: AuditAct) -> Entry {
    let at = Moment::read().wall;
    Entry::Audit(AuditEntry { act, operator: None, subject: None, device: None, at })
}
