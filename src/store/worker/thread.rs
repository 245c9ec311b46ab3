//! The thread itself: one command at a time, a flush at least every second, the import in between.
//!
//! Any fault leaves a thread that still answers. What may pass by itself (another instance that is
//! ending, a full disk) is tried again every second, everything at [`Command::Retry`].

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::crypto::{wipe_deep_stack, wipe_stack};
use crate::disk::durable::StateDir;
use crate::import::ImportRun;
use crate::import::opener::Delivery;
use crate::open::emergency::Unknowns;
use crate::open::locked::{self, Loaded, Locked};
use crate::open::options::Options;
use crate::open::shift::Clocks;
use crate::vault::cipher_facts;
use crate::worker::answers::Answers;
use crate::worker::background::Background;
use crate::worker::backlog::Backlog;
use crate::worker::bursts::Bursts;
use crate::worker::phase::Phase;
use crate::worker::space::Room;
use crate::worker::upkeep::Upkeep;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::keeping::{Administration, Command, Found, Outcome, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

/// Everything the thread owns.
pub struct Worker {
    pub(super) options: Options,
    commands: mpsc::Receiver<Command>,
    pub(super) answers: Answers,
    pub(super) phase: Phase,
    pub(super) backlog: Backlog,
    pub(super) bursts: Bursts,
    /// Import, comparison and upkeep.
    pub(super) background: Background,
    pub(super) cart_unsaved: bool,
    /// Flushes in a row that the open vault has failed.
    pub(super) vault_faults: u8,
    pub(super) fault: Option<StoreFault>,
    pub(super) flush_at: Option<BootTime>,
    /// Waits for the import to end.
    pub(super) postponed: Option<(Attempt, Administration, Moment)>,
    pub(super) unknowns: Unknowns,
    pub(super) upkeep: Upkeep,
    /// The time of this turn of the loop.
    pub(super) now: Moment,
    pub(super) room: Room,
}

enum Next {
    Command(Command),
    /// The import has opened something.
    Opened(Option<Delivery>),
    Due,
    Ended,
}

impl Worker {
    /// A thread that has not begun.
    pub fn new(
        options: Options,
        commands: mpsc::Receiver<Command>,
        outcomes: mpsc::Sender<Outcome>,
    ) -> Self {
        Self {
            options,
            commands,
            answers: Answers::to(outcomes),
            phase: Phase::Stopped(StoreFault::Io),
            backlog: Backlog::default(),
            bursts: Bursts::default(),
            background: Background::default(),
            cart_unsaved: false,
            vault_faults: 0,
            fault: None,
            flush_at: None,
            postponed: None,
            unknowns: Unknowns::default(),
            upkeep: Upkeep::default(),
            now: Moment::read(),
            room: Room::default(),
        }
    }

    /// Runs until nobody holds the store any more.
    pub fn run(mut self, timer: &Runtime) {
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
            self.now = Moment::read();
            if self.flush_at.is_some_and(|at| self.now.boot >= at) {
                self.flush_at = None;
                match self.phase {
                    Phase::Stopped(_) => self.start(),
                    Phase::Empty(_) | Phase::Locked(_) | Phase::Open(_) => self.flush(),
                }
                self.report_lost();
            }
            self.end_old_shifts();
            self.write_bursts(false);
            self.compare_some();
            self.administer_after_import();
            self.note();
        }
        self.end();
    }

    fn next(&mut self, timer: &Runtime) -> Next {
        let now = self.now.boot;
        let comparing = self.is_comparing().then_some(now);
        let packing = self.is_packing();
        let due = [
            self.flush_at,
            self.phase.locked().and_then(Locked::shifts_check_at),
            self.upkeep_at(),
            comparing,
            self.background.again().filter(|_| self.phase.session().is_some()),
            self.bursts.due(),
            packing.then_some(now),
        ];
        let wait = due.into_iter().flatten().min().map(|at| at.since(now));
        let import = (self.is_importing() && !packing).then(|| self.phase.session_mut()).flatten();
        let import = import.and_then(|session| session.import.run_mut());
        let next = timer.block_on(async {
            tokio::select! {
                // Whoever asks is answered before the import goes on, and the import before upkeep.
                biased;
                command = self.commands.recv() => command.map_or(Next::Ended, Next::Command),
                opened = next_of(import) => Next::Opened(opened),
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => Next::Due,
            }
        });
        self.now = Moment::read();
        next
    }

    /// Notes beside each part of the store where all of them are.
    fn note(&mut self) {
        match &mut self.phase {
            Phase::Stopped(_) | Phase::Empty(_) => {}
            Phase::Locked(locked) => locked.note(None, self.now),
            Phase::Open(session) => {
                let vault = session.open.vault().seen();
                session.open.locked_mut().note(Some(vault), self.now);
            }
        }
    }

    /// Whether no command waits.
    pub(super) fn is_idle(&self) -> bool {
        self.commands.is_empty()
    }

    /// Opens what is in the state directory.
    pub fn start(&mut self) {
        // Given up first, so that this instance never finds itself in the way.
        self.phase = Phase::Stopped(StoreFault::Io);
        let fit = cipher_facts().and_then(|_| self.options.fit());
        match fit.and_then(|()| StateDir::take(self.options.state_dir())) {
            Ok(state) => self.load(state),
            Err(fault) => self.stopped(fault),
        }
    }

    /// Takes up what is in the directory that it holds.
    pub fn load(&mut self, state: StateDir) {
        match Locked::load(state, &self.options, self.now) {
            Ok(Loaded::Nothing(state)) => {
                self.phase = Phase::Empty(state);
                self.recovered();
                self.answers.give(Outcome::Found(Found::Nothing));
            }
            Ok(Loaded::Store(store)) => self.ready(store),
            Err(fault) => self.stopped(fault),
        }
    }

    fn stopped(&mut self, fault: StoreFault) {
        self.phase = Phase::Stopped(fault);
        self.broken(fault);
        self.faulted(fault);
    }

    /// A store that does not open must not end monitoring: what it was doing is in the cart
    /// compartment. Another instance that runs is doing it.
    fn broken(&self, fault: StoreFault) {
        if fault == StoreFault::InUse || self.fault == Some(fault) {
            return;
        }
        if let Some(cart) = locked::glance(&self.options) {
            self.answers.give(Outcome::Found(Found::Broken(fault, Box::new(cart))));
        }
    }

    fn ready(&mut self, mut store: Box<Locked>) {
        let cart = Box::new(store.cart().state.clone());
        let findings = store.take_findings();
        let found = match store.vault_fault() {
            Ok(()) => Found::Store(cart),
            // It records into the inbox, and nobody can open it.
            Err(fault) => Found::Broken(fault, cart),
        };
        self.phase = Phase::Locked(store);
        self.recovered();
        self.answers.give(Outcome::Found(found));
        for entry in self.backlog.take() {
            self.record(entry);
        }
        self.report(findings);
        self.tell_open_findings();
        self.anchor();
        self.look_at_room(false);
    }

    /// Compares the store with the counter outside the disk and moves it on.
    pub(super) fn anchor(&mut self) {
        let Some(locked) = self.phase.locked_mut() else { return };
        let found = locked.anchor(self.now);
        let is_suspected = locked.cart().suspected.is_some();
        self.report(found);
        if is_suspected && self.phase.session().is_some() {
            // Whoever came in before the counter answered may have been revoked.
            self.close();
            self.answers.give(Outcome::Closed);
        }
    }

    /// Looks whether the files on the disk are still those that were written last, and tells what is not.
    pub(super) fn look_again(&mut self) {
        let Some(locked) = self.phase.locked_mut() else { return };
        match locked.look_again() {
            Ok(found) => self.report(found),
            Err(fault) => tracing::warn!(%fault, "the files could not be looked at again"),
        }
    }

    /// Ends shift shares whose time is over, though nobody asks for them.
    fn end_old_shifts(&mut self) {
        if let Some(locked) = self.phase.locked_mut()
            && let Some(due) = locked.shifts_check_at()
        {
            let now = self.now;
            if now.boot >= due {
                locked.shifts().end_over(Clocks::at(now));
            }
        }
    }

    /// When there is upkeep to do, if ever.
    fn upkeep_at(&self) -> Option<BootTime> {
        let ready = self.phase.session().is_some_and(|session| session.open.is_imported());
        let may = ready && self.fault.is_none() && self.background.may(self.now.boot);
        may.then(|| self.upkeep.due())
    }

    /// Whether rows that came in a crowd have to be packed before anything else is kept.
    fn is_packing(&self) -> bool {
        self.upkeep.is_crowded()
            && self.phase.session().is_some()
            && self.fault.is_none()
            && self.background.may(self.now.boot)
    }

    /// Looks whether rows have come in a crowd.
    pub(super) fn look_for_crowd(&mut self) {
        let Some(session) = self.phase.session() else { return };
        if let Err(fault) = self.upkeep.look(&session.open, self.now) {
            self.background_failed(fault);
        }
    }

    /// Packs some rows of a crowd; the trends that waited for the last of them are answered.
    fn pack_some(&mut self, now: Moment) {
        let Some(session) = self.phase.session_mut() else { return };
        if let Err(fault) = self.upkeep.pack(&mut session.open, now) {
            self.background_failed(fault);
        }
        for query in self.upkeep.take_postponed() {
            self.trend(query);
        }
    }

    /// Does the next step of the upkeep if it is due.
    fn keep_up_some(&mut self) {
        let now = self.now;
        if self.is_packing() {
            return self.pack_some(now);
        }
        if self.upkeep_at().is_none_or(|at| at > now.boot) {
            return;
        }
        let Some(session) = self.phase.session_mut() else { return };
        match self.upkeep.step(&mut session.open, self.options.retention(), now) {
            Ok(()) => self.background_done(),
            Err(fault) => self.background_failed(fault),
        }
    }

    fn end(mut self) {
        self.write_bursts(true);
        self.close();
        self.report_refused();
        self.flush();
        self.anchor();
        let mut lost = self.backlog.waiting();
        if let Some(locked) = self.phase.locked_mut() {
            lost += u64::try_from(locked.inbox().pending()).unwrap_or(u64::MAX);
            if let Err(fault) = locked.inbox_mut().roll() {
                self.faulted(fault);
            }
        }
        if lost > 0 {
            self.answers.give(Outcome::Lost(lost));
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
