//! Bluetooth Low Energy driver: finds the devices that Wardkeep can use and keeps links to wanted ones.
//!
//! Sends [`Event`]s, obeys [`Command`]s, decodes nothing: which bytes are a frame of a vendor's protocol is
//! known to the model. BlueZ is reached through btleplug; what
//! btleplug does not tell (the daemon's death, a removed adapter) or cannot do (pairing, `bond`) goes
//! over D-Bus directly.
//!
//! | file | what it does |
//! |---|---|
//! | `supervisor`, `life` | one life after another; controller, scan, advertisements |
//! | `links`, `link` | the set of wanted links; one of them from connecting to its end, and what it notifies as frames |
//! | `bond` | pairs, forgets, writes; BlueZ's agent |
//! | `shared`, `claims`, `places` | what the tasks share: who uses a device; who has a place on the controller, and who is next |
//! | `profile`, `sightings`, `diagnosis`, `watchdog`, `table`, `backoff` | decisions without I/O |
//! | `bluez`, `bus` | D-Bus calls and signals beside btleplug |
//! | `outbox` | the bounded way to the core |
//! | `report` | without the driver: what a device offers that nobody has a decoder for |
//!
//! The driver is a supervisor on the caller's runtime and, below it, one *life* at a time: everything
//! that hangs on one incarnation of bluetoothd. A life runs on a runtime of its own, because
//! btleplug's D-Bus connection is a detached task that only ends with its runtime; so whatever goes
//! wrong, ending the life ends every task and socket of it, and the next life starts clean.
//!
//! Property: every break of a wanted link is reported within 5 s of its cause being visible in BlueZ,
//! and the driver keeps trying for as long as the device is wanted. Nothing is dropped silently (S-11):
//! see `outbox`.

mod backoff;
mod bluez;
mod bond;
mod bus;
mod claims;
mod diagnosis;
mod life;
mod link;
mod links;
mod outbox;
mod places;
mod profile;
mod report;
mod shared;
mod sightings;
mod supervisor;
mod table;
mod timing;
mod watchdog;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use outbox::Outbox;
use wardkeep_model::ports::{Command, Event};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

pub use report::{
    DeviceReport, ReportFault, ReportOrder, ReportedCharacteristic, ReportedService, Spoken, report,
};
pub use timing::Timing;

/// Commands that may wait for the driver; a burst is a handful of devices.
const COMMANDS_MAX: usize = 64;

/// What a driver is started with.
#[derive(Clone, Debug)]
struct Site {
    timing: Timing,
    /// The only controller to use.
    adapter: Option<DeviceId>,
}

/// The driver's command queue has no room, or the driver has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Bluetooth driver takes no command")]
pub struct Full;

/// The way to command the driver. Dropping it disconnects every device and ends the driver.
#[derive(Debug)]
pub struct BleHandle {
    commands: mpsc::Sender<Command>,
}

impl BleHandle {
    /// Queues a command without waiting.
    ///
    /// # Errors
    /// [`Full`] when the command was not taken.
    pub fn try_send(&self, command: Command) -> Result<(), Full> {
        self.commands.try_send(command).map_err(|_| Full)
    }
}

/// The profiles that a link is made for: the kind of device, the number of the service that makes it one, and those
/// of the characteristics that carry its measurements. Vendors' devices are
/// [`wardkeep_model::vitals::vendor::KNOWN`].
pub fn profiles() -> impl Iterator<Item = (DeviceKind, u16, &'static [u16])> {
    let each =
        |kind| profile::measurements(kind).iter().map(move |(of, those)| (kind, *of, *those));
    DeviceKind::ALL.into_iter().flat_map(each)
}

/// Starts the driver on `runtime`; what it sees goes to `events`. With `adapter` only the controller of
/// that address is used, without it the one with the lowest number.
///
/// The task ends, with everything it started, after the handle or the receiver of `events` is dropped.
pub fn spawn(
    runtime: &Handle,
    events: mpsc::Sender<Event>,
    timing: Timing,
    adapter: Option<DeviceId>,
) -> (BleHandle, JoinHandle<()>) {
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let site = Site { timing, adapter };
    let task = runtime.spawn(supervisor::run(inbox, Outbox::new(events), site));
    (BleHandle { commands }, task)
}
