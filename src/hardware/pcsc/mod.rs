//! PC/SC driver for badges and smart cards: one thread, one status wait always open.
//!
//! ```text
//!  pcscd --status--> thread "smartcard" --> Field, Inserted --> Outlet --Event--> core
//!                     |      ^      ^
//!                     '-card-'      '-- thread "card-wake" <--CardCommand-- core
//!         threads "badge-read", "card-read", "card-prove": one per card, own connection
//! ```
//!
//! - The wait costs nothing while nothing happens, and pcscd does not exit while it is open.
//! - A card is talked to on a thread of its own (`card_thread.rs`): a silent card keeps pcscd's answer
//!   back for as long as it lies there, and must hold up neither the other readers nor the end of the
//!   program.
//! - pcscd looks every 400 ms. A badge or card that is gone when it is connected to has left too soon;
//!   that is not an error. A dead pcscd is reported and waited for, for ever.
//! - Which class a reader belongs to, PC/SC does not say. `ICC` or `Contact` in its name makes it a
//!   smart-card reader; an answer to reset that is not in the contactless form makes any reader one
//!   whose name does not say contactless; the rest are badge readers. `SAM` sockets are left alone.
//! - A number is taken only from a card in the contactless form (`apdu::is_contactless`) that is not
//!   in a smart-card reader: a contact card answers for itself and could claim any badge's number.
//! - PIV is spoken only to the others. So a card on an antenna never sees a PIN, and a PIV card that
//!   is tapped is a badge by its number, no better than any other.
//! - Several badges: `presence::badges`. Several smart cards: `presence::cards`.
//! - An order for a card is answered once. A newer one ends the one before at its next command.
//!
//! S-10: nothing about a number, a PIN or a card's holder is logged. S-11: see `outlet`; orders wait
//! in a queue of [`ORDERS_MAX`].

mod card_thread;
mod class;
mod reader;
mod readers;
mod slots;

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pcsc::{Context, Error, Scope};
use tokio::sync::mpsc::Sender;

use crate::outlet::{Closed, Outlet};
use crate::pcsc::card_thread::SharedTrust;
use crate::pcsc::readers::Readers;
use crate::thread::StoppableThread;
use crate::trust::Trust;
use wardkeep_model::access::readers::AllowedReaders;
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{CardCommand, Event, ReaderHealth, ReaderKind};

pub use crate::pcsc::class::takes_cards;
pub use crate::pcsc::slots::{SlotFacts, slots};

/// Orders for cards that wait to be taken.
pub const ORDERS_MAX: usize = 4;
/// The classes of reader this driver reports.
const KINDS: [ReaderKind; 2] = [ReaderKind::Badge, ReaderKind::SmartCard];
/// First and longest wait before pcscd is tried again.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// While a card is being talked to or the core's queue is full, the wait ends this often.
const TICK: Duration = Duration::from_millis(10);
/// Otherwise it is renewed this often: a reader plugged in just before it began is not announced.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long dropping the handle waits for the driver's thread, and then for the one that wakes it.
const END_MAX: Duration = Duration::from_secs(1);
const WAKER_END_MAX: Duration = Duration::from_millis(200);

/// Where the status wait in progress can be cancelled from.
#[derive(Clone, Default)]
struct Wait(Arc<Mutex<Option<Context>>>);

/// Orders on their way to the driver's thread, and how many it has not taken.
struct OrderQueue {
    inbox: Receiver<CardCommand>,
    left: Arc<AtomicUsize>,
}

impl OrderQueue {
    fn take(&self) -> Option<CardCommand> {
        let command = self.inbox.try_recv().ok()?;
        self.left.fetch_sub(1, Ordering::AcqRel);
        Some(command)
    }
}

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

/// The card's order could not be taken; it will not be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the driver takes no more orders")]
pub struct Refused;

/// The running driver. Dropping it ends its threads; what pcscd or a card holds is left
/// behind after little more than a second.
pub struct SmartcardHandle {
    // Dropped in this order: the waker ends when nobody sends orders and the driver's thread is gone.
    orders: SyncSender<CardCommand>,
    #[expect(dead_code, reason = "ends the driver's thread when it is dropped")]
    driver: StoppableThread,
    #[expect(dead_code, reason = "ends the thread that wakes it when it is dropped")]
    waker: StoppableThread,
}

impl SmartcardHandle {
    /// Asks something of the card in the contact reader. Never blocks.
    ///
    /// # Errors
    /// [`ORDERS_MAX`] orders wait already, or the driver has ended.
    pub fn try_send(&self, command: CardCommand) -> Result<(), Refused> {
        self.orders.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Refused,
        })
    }
}

/// Starts the driver; `trust` says which cards are believed, `allowed` at which readers anything is read.
///
/// It reports the health of both classes of reader at once and whenever it changes.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(
    events: Sender<Event>,
    trust: Trust,
    allowed: AllowedReaders,
) -> std::io::Result<SmartcardHandle> {
    let (stop, stopped) = sync_channel(1);
    let (orders, asked) = sync_channel(ORDERS_MAX);
    let (forward, inbox) = sync_channel(1);
    let wait = Wait::default();
    let left = Arc::new(AtomicUsize::new(0));
    let driver = PcscDriver {
        stopped,
        orders: OrderQueue { inbox, left: left.clone() },
        wait: wait.clone(),
        outlet: Outlet::new("smartcard", events),
        trust: Arc::new(Mutex::new(trust)),
        allowed,
    };
    let (mut stop, cancelled) = (Some(stop), wait.clone());
    let signal = move || {
        drop(stop.take());
        cancelled.cancel();
    };
    let driver = StoppableThread::spawn("smartcard", END_MAX, signal, move || driver.run())?;
    let waker = move || wake(&asked, &forward, &left, &wait);
    let waker = StoppableThread::spawn("card-wake", WAKER_END_MAX, || {}, waker)?;
    Ok(SmartcardHandle { orders, driver, waker })
}

/// Hands orders on and ends the status wait until they are taken: a cancel that comes just before the
/// wait begins is lost, so it is repeated. Ends with the handle.
fn wake(
    asked: &Receiver<CardCommand>,
    forward: &SyncSender<CardCommand>,
    left: &Arc<AtomicUsize>,
    wait: &Wait,
) {
    while let Ok(command) = asked.recv() {
        left.fetch_add(1, Ordering::AcqRel);
        if forward.send(command).is_err() {
            return;
        }
        // Alone with the counter, it waits for nobody.
        while left.load(Ordering::Acquire) > 0 && Arc::strong_count(left) > 1 {
            wait.cancel();
            thread::sleep(TICK);
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

/// The thread's work: one connection to pcscd after another, watched until it breaks.
struct PcscDriver {
    stopped: Receiver<()>,
    orders: OrderQueue,
    wait: Wait,
    outlet: Outlet,
    trust: SharedTrust,
    allowed: AllowedReaders,
}

impl PcscDriver {
    fn run(mut self) {
        let mut back_off = BACK_OFF.0;
        loop {
            let mut served = false;
            let mut readers = Readers::new(self.trust.clone(), self.allowed.clone());
            // A card or a daemon must not be able to end the driver, whatever it makes a library do.
            let end = catch_unwind(AssertUnwindSafe(|| self.watch(&mut readers, &mut served)))
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
            if self.report_down(readers, health).is_err() {
                return;
            }
            back_off = if served { BACK_OFF.0 } else { (back_off * 2).min(BACK_OFF.1) };
            match self.stopped.recv_timeout(back_off) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn report_down(&mut self, mut readers: Readers, health: ReaderHealth) -> Result<(), Closed> {
        let now = Moment::read().boot;
        while let Some(command) = self.orders.take() {
            readers.order(now, command);
        }
        self.outlet.send(now, readers.unplugged())?;
        for kind in KINDS {
            self.outlet.health(now, kind, health)?;
        }
        Ok(())
    }

    /// Watches the readers over one connection until it breaks. `served` says that it ever worked.
    fn watch(&mut self, readers: &mut Readers, served: &mut bool) -> Result<Infallible, End> {
        let context = Context::establish(Scope::System)?;
        self.wait.set(Some(context.clone()));
        loop {
            if self.stopped.try_recv() != Err(TryRecvError::Empty) {
                return Err(End::Stopped);
            }
            readers.list(&context)?;
            let busy = self.outlet.is_behind() || readers.is_busy();
            let patience = if busy { TICK } else { WAIT_MAX };
            match context.get_status_change(patience, readers.states()) {
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
            while let Some(command) = self.orders.take() {
                readers.order(now, command);
            }
            self.outlet.send(now, readers.look(now))?;
            for kind in KINDS {
                self.outlet.health(now, kind, readers.health(kind))?;
            }
        }
    }
}
