//! PC/SC badge reader driver: one thread, one status wait always open.
//!
//! ```text
//!  pcscd --status--> thread "smartcard" --> Field --> Outlet --Event--> core
//!                        |      ^
//!                        '-card-'  thread "badge-read", one per card, own connection, 2 s at most
//! ```
//!
//! - The wait costs nothing while nothing happens, and pcscd does not exit while it is open.
//! - A card is read on a thread of its own: a silent card keeps pcscd's answer back for as long as it
//!   lies there, and must hold up neither the other readers nor the end of the program.
//! - pcscd looks every 400 ms. A badge that is gone when it is connected to has left too soon; that is
//!   not an error. A dead pcscd is reported and waited for, for ever.
//! - Which class a reader belongs to, PC/SC does not say. `ICC` or `Contact` in its name makes it a
//!   smart-card reader; an answer to reset that is not in the contactless form makes any reader one
//!   whose name does not say contactless; the rest are badge readers. `SAM` sockets are left alone.
//! - A number is taken only from a card in the contactless form ([`crate::hardware::apdu::is_contactless`]): a contact
//!   card answers for itself and could claim any badge's number.
//!
//! S-10: nothing about a number is logged. S-11: see [`Outlet`].

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pcsc::{Context, Error, PNP_NOTIFICATION, ReaderState, Scope, State};
use tokio::sync::mpsc::Sender;

use crate::hardware::field::{Field, Slot};
use crate::hardware::outlet::{Closed, Outlet};
use crate::hardware::reader::{Change, Reader};
use crate::hardware::{BadgeFault, Event, ReaderHealth, ReaderKind};
use crate::moment::{BootTime, Moment};

/// The classes of reader this driver reports.
const KINDS: [ReaderKind; 2] = [ReaderKind::Badge, ReaderKind::SmartCard];
/// First and longest wait before pcscd is tried again.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// While a card is being read or the core's queue is full, the wait ends this often.
const TICK: Duration = Duration::from_millis(10);
/// Otherwise it is renewed this often: a reader plugged in just before it began is not announced.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long dropping the handle waits for the thread.
const END_MAX: Duration = Duration::from_secs(1);

/// Where the status wait in progress can be cancelled from.
#[derive(Clone, Default)]
struct Wait(Arc<Mutex<Option<Context>>>);

impl Wait {
    fn set(&self, context: Option<Context>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = context;
    }

    fn cancel(&self) {
        let context = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(Err(error)) = context.map(|context| context.cancel()) {
            tracing::debug!(%error, "status wait could not be cancelled");
        }
    }
}

/// The running driver. Dropping it ends the thread, within a second.
pub struct SmartcardHandle {
    stop: Option<SyncSender<()>>,
    wait: Wait,
    thread: Option<JoinHandle<()>>,
}

/// Starts the driver.
///
/// It reports the health of both classes of reader at once and whenever it changes.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(events: Sender<Event>) -> std::io::Result<SmartcardHandle> {
    let (stop, stopped) = sync_channel(1);
    let wait = Wait::default();
    let driver = Driver { stopped, wait: wait.clone(), outlet: Outlet::new("smartcard", events) };
    let thread = thread::Builder::new().name("smartcard".into()).spawn(move || driver.run())?;
    Ok(SmartcardHandle { stop: Some(stop), wait, thread: Some(thread) })
}

impl Drop for SmartcardHandle {
    fn drop(&mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else { return };
        let started = Moment::read().boot;
        // A cancel that comes just before the wait begins is lost, so it is repeated.
        while !thread.is_finished() {
            if Moment::read().boot.since(started) >= END_MAX {
                tracing::error!("badge reader thread is held by the reader service; left behind");
                return;
            }
            self.wait.cancel();
            thread::sleep(TICK);
        }
        if thread.join().is_err() {
            tracing::error!("badge reader thread panicked");
        }
    }
}

/// Why a watch over the readers ended.
enum End {
    /// The handle was dropped or nobody receives events.
    Stopped,
    /// pcscd does not answer.
    ServiceDown,
    /// pcscd answers, but not this account.
    Refused,
}

impl From<Closed> for End {
    fn from(Closed: Closed) -> Self {
        End::Stopped
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        if matches!(error, Error::SecurityViolation | Error::NoAccess) {
            End::Refused
        } else {
            End::ServiceDown
        }
    }
}

struct Driver {
    stopped: Receiver<()>,
    wait: Wait,
    outlet: Outlet,
}

impl Driver {
    fn run(mut self) {
        let mut back_off = BACK_OFF.0;
        loop {
            let mut served = false;
            let mut field = Field::default();
            // A card or a daemon must not be able to end the driver, whatever it makes a library do.
            let end = catch_unwind(AssertUnwindSafe(|| self.watch(&mut field, &mut served)))
                .unwrap_or(Err(End::ServiceDown));
            self.wait.set(None);
            let health = match end {
                Ok(never) => match never {},
                Err(End::Stopped) => return,
                Err(End::ServiceDown) => ReaderHealth::ServiceDown,
                // libpcsclite also says so when the daemon dies in the middle of a wait.
                Err(End::Refused) if served => ReaderHealth::ServiceDown,
                Err(End::Refused) => ReaderHealth::Refused,
            };
            if self.report_down(&mut field, health).is_err() {
                return;
            }
            back_off = if served { BACK_OFF.0 } else { (back_off * 2).min(BACK_OFF.1) };
            match self.stopped.recv_timeout(back_off) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn report_down(&mut self, field: &mut Field, health: ReaderHealth) -> Result<(), Closed> {
        let now = Moment::read().boot;
        field.clear();
        self.outlet.send(now, field.settle())?;
        for kind in KINDS {
            self.outlet.health(now, kind, health)?;
        }
        Ok(())
    }

    /// Watches the readers over one connection until it breaks. `served` says that it ever worked.
    fn watch(&mut self, field: &mut Field, served: &mut bool) -> Result<Infallible, End> {
        let context = Context::establish(Scope::System)?;
        self.wait.set(Some(context.clone()));
        let mut bench = Bench::default();
        loop {
            if self.stopped.try_recv() != Err(TryRecvError::Empty) {
                return Err(End::Stopped);
            }
            bench.list(&context, field)?;
            let busy = self.outlet.is_behind() || bench.readers.iter().any(Reader::is_busy);
            let patience = if busy { TICK } else { WAIT_MAX };
            match context.get_status_change(patience, &mut bench.states) {
                // A reader that was unplugged meanwhile is dropped at the next listing.
                Ok(())
                | Err(
                    Error::Timeout
                    | Error::Cancelled
                    | Error::UnknownReader
                    | Error::ReaderUnavailable,
                ) => {}
                Err(error) => return Err(error.into()),
            }
            *served = true;
            let now = Moment::read().boot;
            self.outlet.send(now, bench.look(now, field))?;
            for kind in KINDS {
                self.outlet.health(now, kind, bench.health(kind))?;
            }
        }
    }
}

/// The readers that are plugged in.
#[derive(Default)]
struct Bench {
    readers: Vec<Reader>,
    /// What pcscd reported last: one entry per reader and one that announces readers.
    states: Vec<ReaderState>,
    slots_used: u32,
}

impl Bench {
    /// Brings the readers into agreement with pcscd's list.
    fn list(&mut self, context: &Context, field: &mut Field) -> Result<(), Error> {
        let names = match context.list_readers_owned() {
            // The list grew between asking for its length and asking for it: next time, then.
            Err(Error::InsufficientBuffer) => return Ok(()),
            names => names?,
        };
        for reader in self.readers.extract_if(.., |reader| !names.contains(&reader.name)) {
            field.lift(reader.slot);
        }
        self.states.retain(|state| names.iter().any(|name| name.as_c_str() == state.name()));
        for name in names {
            if self.states.iter().any(|state| state.name() == name.as_c_str()) {
                continue;
            }
            if let Some(reader) = Reader::new(Slot(self.slots_used), name.clone()) {
                self.slots_used = self.slots_used.wrapping_add(1);
                self.readers.push(reader);
                self.states.push(ReaderState::new(name, State::UNAWARE));
            }
        }
        self.states.push(ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE));
        Ok(())
    }

    /// Takes in what pcscd reported and what readings have brought.
    fn look(&mut self, now: BootTime, field: &mut Field) -> Vec<Event> {
        let mut events = Vec::new();
        for state in &mut self.states {
            let name = state.name();
            if let Some(reader) = self.readers.iter_mut().find(|r| r.name.as_c_str() == name) {
                match reader.observe(now, state) {
                    Change::None => {}
                    Change::Laid => field.lay(reader.slot),
                    Change::Lifted => field.lift(reader.slot),
                    Change::ContactCard => {
                        events.push(Event::BadgeUnreadable(BadgeFault::Unreadable));
                    }
                }
                state.sync_current_state();
            }
        }
        for reader in &mut self.readers {
            if let Some(badge) = reader.tick(now) {
                field.name(reader.slot, badge);
            }
        }
        events.extend(field.settle());
        events
    }

    fn health(&self, kind: ReaderKind) -> ReaderHealth {
        let mut of_kind = self.readers.iter().filter(|reader| reader.kind == kind && reader.usable);
        let Some(first) = of_kind.next() else { return ReaderHealth::NotFitted };
        if first.refused || of_kind.any(|reader| reader.refused) {
            ReaderHealth::Refused
        } else {
            ReaderHealth::Ready
        }
    }
}
