//! USB badge reader driver: one thread that claims readers, so that nothing they send is ever typed.
//!
//! ```text
//!  USB --feature reports--> pcProx:   asked ten times a second --> Hold ---.
//!      --interrupt reports-> keyboard: read as they come -------> Typing --+--> Field --> Outlet --> core
//! ```
//!
//! - pcProx readers are found by their USB number and read as [`pcprox`] describes. Another reader
//!   that behaves as a keyboard is the second choice: the site names its USB number
//!   (`readers.keyboard_badge`), and what it types up to Enter is the badge's number
//!   ([`keyboard_badge`]). Of such a reader a tap is a badge that comes and leaves at once.
//! - Every HID interface of a reader is claimed, which takes it away from the kernel's keyboard driver.
//!   A reader that cannot be claimed would type into the PIN pad's screen: it is reported as refused.
//! - Readers come and go; the list of devices is looked through every second. libusb says `NoDevice`
//!   or `Io` when a reader is pulled in the middle of a transfer: both mean that it is gone, and one
//!   that is not gone is claimed anew.
//! - What lies on several readers follows the same rules as in the PC/SC driver
//!   (`presence::badges`). Two badges at once are noticed among this driver's readers only, not
//!   between this driver and PC/SC.
//!
//! S-10: nothing about a number is logged. libusb copies transfers through memory that it does not
//! wipe; the next empty answer of the reader, a tenth of a second later, overwrites it in practice.
//! S-11: see `outlet`.

pub mod keyboard_badge;
pub mod pcprox;
mod station;
mod stations;
mod usb;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc::Sender;

use crate::outlet::{Closed, Outlet};
use crate::thread::StoppableThread;
use stations::Stations;
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{Event, ReaderKind};

pub use stations::{Found, Site, probe};
pub use usb::UsbId;

/// How long dropping the handle waits for the thread.
const END_MAX: Duration = Duration::from_secs(2);
/// How soon a full queue is tried again.
const TICK: Duration = Duration::from_millis(10);

/// The running driver. Dropping it ends the thread and gives the readers back.
pub struct HidReaderHandle {
    #[expect(dead_code, reason = "ends the thread when it is dropped")]
    thread: StoppableThread,
}

/// Starts the driver. It reports the health of badge readers at once and whenever it changes: ready
/// only if it has claimed one.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(events: Sender<Event>, site: Site) -> std::io::Result<HidReaderHandle> {
    let (stop, stopped) = sync_channel(1);
    let driver = UsbBadgeDriver {
        stopped,
        site,
        outlet: Outlet::new("hid-reader", events),
        stations: Stations::default(),
    };
    let mut stop = Some(stop);
    let signal = move || drop(stop.take());
    let thread = StoppableThread::spawn("hid-reader", END_MAX, signal, move || driver.run())?;
    Ok(HidReaderHandle { thread })
}

/// The thread's work: one look at every reader after another.
struct UsbBadgeDriver {
    stopped: Receiver<()>,
    site: Site,
    outlet: Outlet,
    stations: Stations,
}

impl UsbBadgeDriver {
    fn run(mut self) {
        // A reader must not be able to end the driver, whatever it makes a library do.
        while catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            self.stations.forget(Moment::read().boot);
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
        self.stations.list_when_due(now, &self.site);
        let events = self.stations.attend();
        let now = Moment::read().boot;
        self.outlet.send(now, events)?;
        self.outlet.health(now, ReaderKind::Badge, self.stations.health())?;
        let patience = if self.outlet.is_behind() { TICK } else { self.stations.patience() };
        match self.stopped.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Err(Closed),
        }
    }
}
