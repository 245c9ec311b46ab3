//! The thread itself: one command at a time, a flush at least every second, the import in between.
//!
//! Any fault leaves a thread that still answers. What may pass by itself (another instance that is
//! ending, a full disk) is tried again every second, everything at [`Command::Retry`].

use std::fs;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::crypto::{wipe_deep_stack, wipe_stack};
use crate::disk::durable::StateDir;
use crate::import::ImportRun;
use crate::import::opener::Delivery;
use crate::open::emergency::Unknowns;
use crate::open::locked::{self, Loaded, Locked};
use crate::open::opened::Store;
use crate::open::options::Options;
use crate::open::shift::Clocks;
use crate::record::entry::Entry;
use crate::staff::acts::not_done;
use crate::staff::copying::{Back, Copying, Returned};
use crate::staff::rotate::{self, Failure};
use crate::vault::cipher_facts;
use crate::worker::answers::Answers;
use crate::worker::background::Background;
use crate::worker::backlog::Backlog;
use crate::worker::bursts::Bursts;
use crate::worker::importing::Importing;
use crate::worker::phase::{Phase, Session};
use crate::worker::rekeying::{Asked, Rekeying, TELL_EVERY};
use crate::worker::space::Room;
use crate::worker::upkeep::Upkeep;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, Command, Found, Outcome, StoreFault,
};
use wardkeep_model::moment::{BootTime, Moment};

/// A vault below this length is written anew within seconds: anybody's session can wait for it.
const SMALL_VAULT: u64 = 128 * 1024 * 1024;

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
    /// A change of keys that was not finished waits for the next unlock.
    pub(super) keys_wait: bool,
}

enum Next {
    Command(Command),
    /// The import has opened something.
    Opened(Option<Delivery>),
    /// The vault is back from its copying.
    Back(Option<Box<Back>>),
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
            keys_wait: false,
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
                Next::Back(back) => {
                    self.copied(back);
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
                    Phase::Empty(_) | Phase::Locked(_) | Phase::Open(_) | Phase::Rekeying(_) => {
                        self.flush();
                    }
                }
                self.report_lost();
            }
            self.end_old_shifts();
            self.write_bursts(false);
            self.compare_some();
            self.administer_after_import();
            self.go_on_changing_keys();
            self.tell_of_keys();
            self.note();
        }
        self.end();
    }

    fn next(&mut self, timer: &Runtime) -> Next {
        let now = self.now.boot;
        let comparing = self.is_comparing().then_some(now);
        let due = [
            self.flush_at,
            self.phase.locked().and_then(Locked::shifts_check_at),
            self.upkeep_at(),
            comparing,
            self.background.again().filter(|_| self.phase.session().is_some()),
            self.bursts.due(),
            self.rekeying().map(|rekeying| rekeying.tell_at),
        ];
        let wait = due.into_iter().flatten().min().map(|at| at.since(now));
        let is_importing = self.is_importing();
        let (import, copy) = match &mut self.phase {
            Phase::Open(session) if is_importing => (session.import.run_mut(), None),
            Phase::Rekeying(rekeying) => (None, Some(&mut rekeying.copy)),
            Phase::Stopped(_) | Phase::Empty(_) | Phase::Locked(_) | Phase::Open(_) => (None, None),
        };
        let next = timer.block_on(async {
            tokio::select! {
                // Whoever asks is answered before the import goes on, and the import before upkeep.
                biased;
                command = self.commands.recv() => command.map_or(Next::Ended, Next::Command),
                opened = next_of(import) => Next::Opened(opened),
                back = back_of(copy) => Next::Back(back),
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
            Phase::Rekeying(rekeying) => rekeying.copy.locked_mut().note(None, self.now),
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
        let taken = fit.and_then(|()| StateDir::take(self.options.state_dir()));
        // It waits for whoever is about to let go; the next try is as long after it as after any other.
        self.now = Moment::read();
        match taken {
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

    fn rekeying(&self) -> Option<&Rekeying> {
        match &self.phase {
            Phase::Rekeying(rekeying) => Some(rekeying),
            Phase::Stopped(_) | Phase::Empty(_) | Phase::Locked(_) | Phase::Open(_) => None,
        }
    }

    /// Goes on with a change of keys that an earlier session left, if whoever opened the vault can wait for it.
    fn go_on_changing_keys(&mut self) {
        let Some(session) = self.phase.session().filter(|session| session.open.is_imported())
        else {
            return;
        };
        let locked = session.open.locked();
        let person = session.open.operator().and_then(|id| locked.cart().person(id));
        let has_time = person.is_some_and(|person| person.role.may(Permission::ManagePeople))
            || fs::metadata(locked.vault_path()).is_ok_and(|file| file.len() < SMALL_VAULT);
        if rotate::is_due(locked) && has_time && !self.keys_wait && self.fault.is_none() {
            self.change_keys(None);
        }
    }

    /// Begins to change the keys: for whoever asked, or as an earlier session left it.
    pub(super) fn change_keys(&mut self, asked: Option<Asked>) {
        // What waits to be written belongs into the copy.
        self.flush();
        let Some(Session { open, import }) = self.phase.take_session() else {
            if let Some((attempt, _)) = asked {
                // The session ended meanwhile. They are refused, and the next one changes the keys.
                self.answers.give(Outcome::Administered(attempt, Ok(Administered::Revoked)));
            }
            return;
        };
        let mut waiting = Vec::new();
        match Copying::start(open) {
            Ok(copy) => {
                let tell_at = BootTime::default();
                let rekeying = Rekeying { copy, import, asked, waiting, tell_at };
                self.phase = Phase::Rekeying(Box::new(rekeying));
                for entry in self.backlog.take() {
                    self.record(entry);
                }
            }
            Err((open, fault)) => {
                self.keys_settled(rotate::undone(open, fault), import, (asked, &mut waiting));
            }
        }
    }

    /// The vault is back: what was sealed meanwhile, and then the commit.
    fn copied(&mut self, back: Option<Box<Back>>) {
        let Some(rekeying) = self.phase.take_rekeying() else { return };
        let Rekeying { copy, import, asked, mut waiting, .. } = *rekeying;
        let Returned { open, copied } = match copy.returned(back) {
            Ok(returned) => returned,
            Err(locked) => {
                let lost = (Store::Locked(locked), Err(Failure::Undone(StoreFault::Io)));
                return self.keys_settled(lost, import, (asked, &mut waiting));
            }
        };
        let (now, mut found) = (self.now, Vec::new());
        let (mut store, done) = match copied {
            Ok(begun) => rotate::finish(open, begun, (Some(&mut found), now)),
            Err(fault) => rotate::undone(open, fault),
        };
        let mut import = import;
        if let (Store::Open(open), Err(_)) = (&mut store, &done) {
            // What was sealed meanwhile goes the usual way.
            open.wait_for_import();
            import = Importing::default();
        }
        self.keys_settled((store, done), import, (asked, &mut waiting));
        self.report(found);
    }

    /// Tells what came of a change of keys, and does what waited for it.
    fn keys_settled(
        &mut self,
        (store, done): (Store, Result<(), Failure>),
        import: Importing,
        (asked, waiting): (Option<Asked>, &mut Vec<Command>),
    ) {
        let (is_closed, operator) = match &store {
            Store::Open(open) => (false, open.operator()),
            Store::Locked(_) => (true, None),
        };
        self.phase = Phase::after(store, import);
        self.keys_wait = done.is_err();
        let mut done = done.map_err(|failure| match failure {
            Failure::Undone(fault) => fault,
            Failure::Unclear(fault) => {
                self.start();
                fault
            }
        });
        // Where only the disk knew, it has said so by now.
        if self.phase.locked().is_some_and(|locked| !rotate::is_due(locked)) {
            done = Ok(());
        }
        if let Err(fault) = done {
            tracing::warn!(%fault, "the keys could not be changed yet");
        }
        for entry in self.backlog.take() {
            self.record(entry);
        }
        if done.is_ok() {
            // Before it is answered: a store of before is refused from here on.
            self.anchor();
        }
        self.answers.give(Outcome::Rekeying(None));
        if let Some((attempt, act)) = asked {
            let answer = done.map(|()| Administered::Revoked).map_err(Fault::KeysUnchanged);
            if let Err(fault) = answer {
                let entry = not_done(operator, act, fault, self.now);
                self.record(Entry::Audit(Box::new(entry)));
            }
            self.answers.give(Outcome::Administered(attempt, answer));
        }
        if is_closed {
            self.answers.give(Outcome::Closed);
        }
        for command in waiting.drain(..) {
            self.handle(command);
        }
    }

    /// The session ends: the copy is given up, and goes on with the next unlock.
    pub(super) fn stop_changing_keys(&mut self) {
        while let Some(rekeying) = self.phase.take_rekeying() {
            let Rekeying { copy, import, asked, waiting, .. } = *rekeying;
            self.phase = match copy.stop() {
                Ok(Returned { open, .. }) => {
                    rotate::remove(open.locked());
                    Phase::Open(Session { open, import })
                }
                Err(locked) => Phase::Locked(locked),
            };
            self.keys_wait = true;
            self.answers.give(Outcome::Rekeying(None));
            if let Some((attempt, _)) = asked {
                // They are refused from here on, and so it stays.
                let answer = Ok(Administered::Revoked);
                self.answers.give(Outcome::Administered(attempt, answer));
            }
            for command in waiting {
                self.handle(command);
            }
        }
    }

    /// Tells how far the change of keys is, if that is due.
    fn tell_of_keys(&mut self) {
        let now = self.now.boot;
        let Phase::Rekeying(rekeying) = &mut self.phase else { return };
        if now >= rekeying.tell_at {
            rekeying.tell_at = now + TELL_EVERY;
            let far = rekeying.copy.progress();
            self.answers.give(Outcome::Rekeying(Some(far)));
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

/// The vault that was lent; waits for ever where none was.
async fn back_of(copy: Option<&mut Copying>) -> Option<Box<Back>> {
    match copy {
        Some(copy) => copy.back().await,
        None => std::future::pending().await,
    }
}
