//! USB badge reader driver: one thread that claims readers, so that nothing they send is ever typed.
//!
//! ```text
//!  USB --feature reports--> pcProx:   asked ten times a second --> Hold ---.
//!      --interrupt reports-> keyboard: read as they come -------> Typing --+--> Field --> Outlet --> core
//! ```
//!
//! - pcProx readers are found by their USB number and read as [`pcprox`](crate::usb_badge::pcprox) describes. Another reader that
//!   behaves as a keyboard is the second choice: the site names its USB number
//!   (`readers.keyboard_badge`), and what it types up to Enter is the badge's number
//!   ([`keyboard_badge`](crate::usb_badge::keyboard_badge)). Of such a reader a tap is a badge that
//!   comes and leaves at once.
//! - Every HID interface of a reader is claimed, which takes it away from the kernel's keyboard driver.
//!   A reader that cannot be claimed would type into the PIN pad's screen: it is reported as refused.
//! - Readers come and go; the list of devices is looked through every second. libusb says `NoDevice`
//!   or `Io` when a reader is pulled in the middle of a transfer: both mean that it is gone, and one
//!   that is not gone is claimed anew.
//! - What lies on several readers follows the same rules as in the PC/SC driver ([`Field`]). Two badges
//!   at once are noticed among this driver's readers only, not between this driver and PC/SC.
//!
//! S-10: nothing about a number is logged. libusb copies transfers through memory that it does not
//! wipe; the next empty answer of the reader, a tenth of a second later, overwrites it in practice.
//! S-11: see [`Outlet`].

pub mod keyboard_badge;
pub mod pcprox;
mod station;
mod usb;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusb::{Context, UsbContext};
use tokio::sync::mpsc::Sender;

use crate::outlet::{Closed, Outlet};
use crate::presence::badges::{Field, Slot};

use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{Event, ReaderHealth, ReaderKind};

use station::{Model, Station};
use usb::{Claimed, UsbError};

/// USB vendor and product number.
pub type UsbId = (u16, u16);

/// How often a reader without interrupts is asked.
const POLL: Duration = Duration::from_millis(100);
/// How often the list of devices is looked through.
const LIST: Duration = Duration::from_secs(1);
/// How long dropping the handle waits for the thread.
const END_MAX: Duration = Duration::from_secs(2);
/// How often it looks meanwhile, and how soon a full queue is tried again.
const TICK: Duration = Duration::from_millis(10);

/// The running driver. Dropping it ends the thread and gives the readers back.
pub struct HidReaderHandle {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts the driver. It reports the health of badge readers at once and whenever it changes: ready
/// only if it has claimed one.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(
    events: Sender<Event>,
    keyboard_badge: Option<UsbId>,
) -> std::io::Result<HidReaderHandle> {
    let (stop, stopped) = sync_channel(1);
    let driver = Driver {
        stopped,
        keyboard_badge,
        outlet: Outlet::new("hid-reader", events),
        bench: Bench::default(),
    };
    let thread = thread::Builder::new().name("hid-reader".into()).spawn(move || driver.run())?;
    Ok(HidReaderHandle { stop: Some(stop), thread: Some(thread) })
}

impl Drop for HidReaderHandle {
    fn drop(&mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else { return };
        let started = Moment::read().boot;
        while !thread.is_finished() {
            if Moment::read().boot.since(started) >= END_MAX {
                tracing::error!("USB badge reader thread is held by its reader; left behind");
                return;
            }
            thread::sleep(TICK);
        }
        if thread.join().is_err() {
            tracing::error!("USB badge reader thread panicked");
        }
    }
}

/// What one look at the machine finds, for `wardkeepctl doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the reader is called.
    pub name: &'static str,
    /// Its USB number.
    pub id: UsbId,
    /// Its node may be opened, so that it could be claimed.
    pub may_open: bool,
}

/// Looks for readers without claiming one.
pub fn probe(keyboard_badge: Option<UsbId>) -> Vec<Found> {
    let devices = Context::new().and_then(|context| context.devices());
    let Ok(devices) = devices else { return Vec::new() };
    let found = devices.iter().filter_map(|device| {
        let descriptor = device.device_descriptor().ok()?;
        let id = (descriptor.vendor_id(), descriptor.product_id());
        let name = Model::of(id, keyboard_badge)?.name();
        // Something else may hold it; that shows only when it is claimed.
        let may_open = !matches!(device.open(), Err(rusb::Error::Access));
        Some(Found { name, id, may_open })
    });
    found.collect()
}

struct Driver {
    stopped: Receiver<()>,
    keyboard_badge: Option<UsbId>,
    outlet: Outlet,
    bench: Bench,
}

impl Driver {
    fn run(mut self) {
        // A reader must not be able to end the driver, whatever it makes a library do.
        while catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            self.bench.forget();
        }
    }

    /// Until nobody listens, or the handle is dropped.
    fn serve(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.turn() {
                return closed;
            }
        }
    }

    fn turn(&mut self) -> Result<(), Closed> {
        let now = Moment::read().boot;
        if now >= self.bench.list_at {
            self.bench.list(now, self.keyboard_badge);
        }
        let events = self.bench.attend();
        let now = Moment::read().boot;
        self.outlet.send(now, events)?;
        self.outlet.health(now, ReaderKind::Badge, self.bench.health())?;
        let patience = if self.outlet.is_behind() { TICK } else { self.bench.patience() };
        match self.stopped.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Err(Closed),
        }
    }
}

/// The readers that are plugged in.
#[derive(Default)]
struct Bench {
    context: Option<Context>,
    stations: Vec<Station>,
    field: Field,
    slots_used: u32,
    /// A reader is there that could not be claimed.
    refused: bool,
    list_at: BootTime,
}

impl Bench {
    /// Brings the readers into agreement with what is plugged in.
    fn list(&mut self, now: BootTime, keyboard_badge: Option<UsbId>) {
        self.list_at = now + LIST;
        self.refused = false;
        let context = match &self.context {
            Some(context) => context.clone(),
            None => match Context::new() {
                Ok(context) => self.context.insert(context).clone(),
                Err(error) => {
                    tracing::warn!(%error, "USB cannot be used");
                    return;
                }
            },
        };
        let Ok(devices) = context.devices() else { return };
        let mut plugged = Vec::new();
        for device in devices.iter() {
            let Ok(descriptor) = device.device_descriptor() else { continue };
            let id = (descriptor.vendor_id(), descriptor.product_id());
            let Some(model) = Model::of(id, keyboard_badge) else { continue };
            let place = (device.bus_number(), device.address());
            plugged.push(place);
            if self.stations.iter().any(|station| station.place == place) {
                continue;
            }
            let slot = Slot(self.slots_used);
            let opened = Claimed::claim(&device)
                .and_then(|claimed| Station::connect(place, slot, model, claimed));
            match opened {
                Ok(station) => {
                    self.slots_used = self.slots_used.wrapping_add(1);
                    self.stations.push(station);
                }
                Err(UsbError::Gone) => {}
                Err(error @ (UsbError::Refused | UsbError::Fault(_))) => {
                    self.refused = true;
                    tracing::debug!(%error, "a badge reader could not be claimed");
                }
            }
        }
        for gone in self.stations.extract_if(.., |station| !plugged.contains(&station.place)) {
            self.field.lift(gone.slot);
        }
    }

    /// Looks at every reader; returns what the core is to be told.
    fn attend(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let patience = POLL / u32::try_from(self.stations.len().max(1)).unwrap_or(u32::MAX);
        let field = &mut self.field;
        self.stations.retain_mut(|station| {
            let kept = station.attend(patience, field, &mut events);
            if !kept {
                field.lift(station.slot);
            }
            kept
        });
        events.extend(field.settle());
        events
    }

    fn health(&self) -> ReaderHealth {
        match (self.stations.is_empty(), self.refused) {
            (false, _) => ReaderHealth::Ready,
            (true, true) => ReaderHealth::Refused,
            (true, false) => ReaderHealth::NotFitted,
        }
    }

    /// How long to rest until the next look; reading a keyboard is rest enough.
    fn patience(&self) -> Duration {
        if self.stations.iter().any(Station::waits) { Duration::ZERO } else { POLL }
    }

    /// Lets go of everything.
    fn forget(&mut self) {
        self.stations.clear();
        self.field.clear();
        self.context = None;
        self.list_at = Moment::read().boot + LIST;
    }
}
