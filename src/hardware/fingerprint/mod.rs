//! Fingerprint driver: libfprint, loaded at run time, on one thread of its own.
//!
//! ```text
//!  core --FingerCommand--> thread "fingerprint" --sync calls--> libfprint --USB--> reader
//!    ^          |                 |       ^
//!    '--Event--Outlet-------------'       '-- cancelled by every newer command
//! ```
//!
//! - At most one command runs; a newer one, or `Stop`, cancels it within the reader's own reaction
//!   time. The reader is claimed only while a command runs, and once when it is plugged in, to learn
//!   whether it may be opened and which one it is.
//! - Without libfprint the driver says so and looks again now and then; nothing else needs it.
//! - Templates count only on the reader they were taken on ([`Sensor`]: driver, identity, serial
//!   number), so that a foreign reader cannot speak for a person.
//! - A finger is yes or no and yields no key; what it opens is the core's decision.
//! - A template reaches libfprint only out of an intact [`frame`]. What authenticates it is the vault
//!   that it is kept in.
//! - A reader that fails is tried again at most once a second, more and more slowly, and given up
//!   after [`ERRORS_MAX`] failures in a row.
//!
//! S-10: nothing about a template or a person is logged. S-11: see [`Outlet`].

mod ffi;
pub mod frame;
mod serial;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc::Sender;

use crate::outlet::{Closed, Outlet};
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::Sensor;
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{
    Event, FactorEvent, FingerCommand, FingerEvent, FingerFault, ReaderHealth, ReaderKind,
};

use ffi::{Cancel, Context, Device, Failure, Library, LoadError};
use work::Outcome;

/// Failures in a row after which a reader is given up.
pub const ERRORS_MAX: u32 = 5;
/// Commands that may wait; each makes those before it void.
const COMMANDS_MAX: usize = 8;
/// While the core's queue is full it is tried again this often.
const TICK: Duration = Duration::from_millis(10);
/// How long dropping the handle waits for the thread.
const END_MAX: Duration = Duration::from_secs(1);

/// How the driver works; the default is right for everything but tests.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Directory that holds libfprint; `None` leaves it to the system.
    pub library: Option<PathBuf>,
    /// How often it looks whether a reader was plugged in or out.
    pub look: Duration,
    /// How long it waits after a reader's first failure; twice as long after each further one.
    pub error_wait: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self { library: None, look: Duration::from_secs(3), error_wait: Duration::from_secs(1) }
    }
}

/// Too many commands wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fingerprint driver is behind")]
pub struct Behind;

/// What runs and can be cancelled.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<Option<Arc<Cancel>>>>);

impl Running {
    fn set(&self, cancel: Option<Arc<Cancel>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cancel;
    }

    fn cancel(&self) {
        self.cancel_after(|| {});
    }

    /// Does something and then cancels what ran before it, but never what it has begun: the thread
    /// cannot go on to its next operation in between.
    fn cancel_after<T>(&self, act: impl FnOnce() -> T) -> T {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act();
        if let Some(cancel) = running.as_ref() {
            cancel.cancel();
        }
        result
    }
}

/// The running driver. Dropping it cancels what runs and ends the thread.
pub struct FingerprintHandle {
    commands: Option<SyncSender<FingerCommand>>,
    running: Running,
    thread: Option<JoinHandle<()>>,
}

impl FingerprintHandle {
    /// Gives the driver a command, which cancels the one before. Never blocks.
    ///
    /// # Errors
    /// [`Behind`] when the thread does not keep up; what runs is cancelled all the same.
    pub fn try_send(&self, command: FingerCommand) -> Result<(), Behind> {
        let send = || self.commands.as_ref().is_some_and(|queue| queue.try_send(command).is_ok());
        if self.running.cancel_after(send) { Ok(()) } else { Err(Behind) }
    }
}

impl Drop for FingerprintHandle {
    fn drop(&mut self) {
        drop(self.commands.take());
        let Some(thread) = self.thread.take() else { return };
        let started = Moment::read().boot;
        while !thread.is_finished() {
            if Moment::read().boot.since(started) >= END_MAX {
                tracing::error!("fingerprint thread is held by its reader; left behind");
                return;
            }
            self.running.cancel();
            thread::sleep(TICK);
        }
        if thread.join().is_err() {
            tracing::error!("fingerprint thread panicked");
        }
    }
}

/// Starts the driver. It reports the reader's health at once and whenever it changes.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(events: Sender<Event>) -> std::io::Result<FingerprintHandle> {
    spawn_with(events, Setup::default())
}

/// Starts the driver in a way of its own, for tests.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn_with(events: Sender<Event>, setup: Setup) -> std::io::Result<FingerprintHandle> {
    let (commands, inbox) = sync_channel(COMMANDS_MAX);
    let running = Running::default();
    let desk = Desk {
        inbox,
        waiting: None,
        running: running.clone(),
        outlet: Outlet::new("fingerprint", events),
    };
    // The library's objects must not leave the thread that made them.
    let drive = move || Driver { desk, setup, bench: Bench::default() }.run();
    let thread = thread::Builder::new().name("fingerprint".into()).spawn(drive)?;
    Ok(FingerprintHandle { commands: Some(commands), running, thread: Some(thread) })
}

/// What one look at the machine finds, for `wardkeepctl doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// libfprint is not installed.
    NoLibrary,
    /// It knows no reader here.
    NotFitted,
    /// There is one, with this driver, that this account may not open, or that something else holds.
    Refused(String),
    /// There is one that works.
    Ready(Sensor),
}

/// Looks for a reader, and whether it can be opened. Takes as long as the reader takes to wake.
pub fn probe() -> Found {
    let Ok(library) = Library::load(None) else { return Found::NoLibrary };
    let context = library.context();
    let Some(device) = context.reader() else { return Found::NotFitted };
    let driver = device.driver();
    match Reader::plugged(library, context, device) {
        Ok(Reader { sensor, .. }) => Found::Ready(sensor),
        Err(Failure::Removed) => Found::NotFitted,
        Err(Failure::Retry(_) | Failure::Cancelled | Failure::Duplicate | Failure::Device(_)) => {
            Found::Refused(driver)
        }
    }
}

/// The reader that is plugged in.
struct Reader {
    device: Device,
    sensor: Sensor,
    context: Context,
    library: Library,
}

impl Reader {
    /// Opens it once to learn which one it is.
    fn plugged(library: Library, context: Context, device: Device) -> Result<Self, Failure> {
        let before = serial::held();
        let open = device.open()?;
        let serial = serial::of_opened(&before, &serial::held());
        drop(open);
        context.attend();
        let sensor = Sensor { driver: device.driver(), device: device.identity(), serial };
        Ok(Self { device, sensor, context, library })
    }

    /// It is still there.
    fn is_plugged(&self) -> bool {
        self.context.attend();
        self.context.reader().as_ref() == Some(&self.device)
    }
}

/// Where commands come in and events go out.
struct Desk {
    inbox: Receiver<FingerCommand>,
    /// The newest command, not begun yet.
    waiting: Option<FingerCommand>,
    running: Running,
    outlet: Outlet,
}

impl Desk {
    fn tell(&mut self, event: FingerEvent) -> Result<(), Closed> {
        let now = Moment::read().boot;
        self.outlet.send(now, vec![Event::Factor(FactorEvent::Finger(event))])
    }

    /// Waits for a command; the newest counts. `None`: nothing came.
    fn next(&mut self, patience: Duration) -> Result<Option<FingerCommand>, Closed> {
        if self.waiting.is_none() {
            match self.inbox.recv_timeout(patience) {
                Ok(command) => self.waiting = Some(command),
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Err(Closed),
            }
        }
        self.is_called_off();
        Ok(self.waiting.take())
    }

    /// A newer command waits, or nobody gives commands any more.
    fn is_called_off(&mut self) -> bool {
        loop {
            match self.inbox.try_recv() {
                Ok(command) => self.waiting = Some(command),
                Err(TryRecvError::Empty) => return self.waiting.is_some(),
                Err(TryRecvError::Disconnected) => return true,
            }
        }
    }

    /// Lets this much time pass; true if it was called off meanwhile.
    fn pause(&mut self, length: Duration) -> bool {
        if self.is_called_off() {
            return true;
        }
        match self.inbox.recv_timeout(length) {
            Ok(command) => {
                self.waiting = Some(command);
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        }
    }

    /// Sends what waits before a finger is waited for; true if it was called off meanwhile.
    fn settle(&mut self) -> Result<bool, Closed> {
        self.outlet.flush(Moment::read().boot)?;
        while self.outlet.is_behind() {
            if self.pause(TICK) {
                return Ok(true);
            }
            self.outlet.flush(Moment::read().boot)?;
        }
        Ok(self.is_called_off())
    }

    /// Something to cancel the next operation with; `None` if it was called off already.
    fn arm(&mut self, library: &Library) -> Option<Arc<Cancel>> {
        let cancel = Arc::new(library.cancel());
        self.running.set(Some(Arc::clone(&cancel)));
        // Looked at after it can be cancelled: a command that comes later cancels it.
        if self.is_called_off() {
            self.running.set(None);
            return None;
        }
        Some(cancel)
    }
}

/// Which reader there is.
#[derive(Default)]
struct Bench {
    library: Option<Library>,
    reader: Option<Reader>,
    /// What the core was told last.
    announced: Option<Sensor>,
    health: Option<ReaderHealth>,
    look_at: BootTime,
}

struct Driver {
    desk: Desk,
    setup: Setup,
    bench: Bench,
}

impl Driver {
    fn run(mut self) {
        // A reader must not be able to end the driver, whatever it makes a library do.
        while catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            self.desk.running.set(None);
            self.bench.reader = None;
            self.bench.look_at = Moment::read().boot + self.setup.look;
        }
    }

    /// Until nobody listens or commands any more.
    fn serve(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.turn() {
                return closed;
            }
        }
    }

    fn turn(&mut self) -> Result<(), Closed> {
        let now = Moment::read().boot;
        if now >= self.bench.look_at {
            self.look(now)?;
        }
        self.desk.outlet.flush(now)?;
        let behind = self.desk.outlet.is_behind();
        let patience = if behind { TICK } else { self.bench.look_at.since(now) };
        match self.desk.next(patience)? {
            None | Some(FingerCommand::Stop) => Ok(()),
            Some(FingerCommand::Identify { attempt, templates }) => self
                .with_reader(attempt, |desk, reader, setup| {
                    work::identify(desk, reader, setup, (attempt, templates))
                }),
            Some(FingerCommand::Enrol { attempt, finger }) => self
                .with_reader(attempt, |desk, reader, _| work::enrol(desk, reader, attempt, finger)),
        }
    }

    /// Does one command's work with the reader, if there is one.
    fn with_reader(
        &mut self,
        attempt: Attempt,
        work: impl FnOnce(&mut Desk, &Reader, &Setup) -> Result<Outcome, Closed>,
    ) -> Result<(), Closed> {
        if self.bench.reader.is_none() {
            self.look(Moment::read().boot)?;
        }
        let Some(reader) = self.bench.reader.take() else {
            let is_there = self.bench.health == Some(ReaderHealth::Refused);
            let fault = if is_there { FingerFault::Broken } else { FingerFault::NotFitted };
            return self.desk.tell(FingerEvent::Failed(attempt, fault));
        };
        let outcome = work(&mut self.desk, &reader, &self.setup);
        self.desk.running.set(None);
        // What libfprint puts off until its main loop turns, the end of a claim for instance.
        reader.context.attend();
        match outcome? {
            Outcome::CalledOff => self.bench.reader = Some(reader),
            Outcome::Answer(event) => {
                self.bench.reader = Some(reader);
                self.desk.tell(event)?;
            }
            Outcome::Unplugged => {
                drop(reader);
                self.desk.tell(FingerEvent::Failed(attempt, FingerFault::Broken))?;
                let now = Moment::read().boot;
                self.bench.look_at = now + self.setup.look;
                self.report(now, ReaderHealth::NotFitted)?;
            }
        }
        Ok(())
    }

    /// Looks which reader is plugged in, and tells the core if that has changed.
    fn look(&mut self, now: BootTime) -> Result<(), Closed> {
        self.bench.look_at = now + self.setup.look;
        let health = self.find();
        self.report(now, health)
    }

    fn find(&mut self) -> ReaderHealth {
        let bench = &mut self.bench;
        if let Some(reader) = bench.reader.take() {
            if !reader.is_plugged() {
                return ReaderHealth::NotFitted;
            }
            bench.reader = Some(reader);
            return ReaderHealth::Ready;
        }
        let library = match &bench.library {
            Some(library) => library.clone(),
            None => match Library::load(self.setup.library.as_deref()) {
                Ok(library) => bench.library.insert(library).clone(),
                Err(LoadError::NoLibrary(error)) => {
                    tracing::debug!(%error, "no fingerprint reader can be used");
                    return ReaderHealth::NoLibrary;
                }
                Err(LoadError::InUse) => return ReaderHealth::ServiceDown,
            },
        };
        let context = library.context();
        let Some(device) = context.reader() else { return ReaderHealth::NotFitted };
        match Reader::plugged(library, context, device) {
            Ok(reader) => {
                bench.reader = Some(reader);
                ReaderHealth::Ready
            }
            Err(Failure::Removed) => ReaderHealth::NotFitted,
            Err(
                Failure::Retry(_) | Failure::Cancelled | Failure::Duplicate | Failure::Device(_),
            ) => ReaderHealth::Refused,
        }
    }

    fn report(&mut self, now: BootTime, health: ReaderHealth) -> Result<(), Closed> {
        let sensor = self.bench.reader.as_ref().map(|reader| reader.sensor.clone());
        if sensor != self.bench.announced {
            self.bench.announced.clone_from(&sensor);
            self.desk.outlet.send(now, vec![Event::Factor(FactorEvent::Sensor(sensor))])?;
        }
        if self.bench.health.replace(health) != Some(health) {
            tracing::info!(?health, "fingerprint reader");
        }
        self.desk.outlet.health(now, ReaderKind::Finger, health)
    }
}
