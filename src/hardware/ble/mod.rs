//! Bluetooth Low Energy driver: finds the devices that Wardkeep can use and keeps links to wanted ones.
//!
//! Sends [`Event`]s, obeys [`Command`]s, decodes nothing. BlueZ is reached through btleplug; what
//! btleplug does not tell (the daemon's death, a removed adapter) comes from D-Bus directly.
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
mod bus;
mod life;
mod link;
mod links;
mod outbox;
mod sightings;
mod supervisor;
mod timing;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use outbox::Outbox;
use wardkeep_model::ports::{Command, Event};

pub use timing::Timing;

/// Commands that may wait for the driver; a burst is a handful of devices.
const COMMANDS_MAX: usize = 64;

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

/// Starts the driver on `runtime`; what it sees goes to `events`.
///
/// The task ends, with everything it started, after the handle or the receiver of `events` is dropped.
pub fn spawn(
    runtime: &Handle,
    events: mpsc::Sender<Event>,
    timing: Timing,
) -> (BleHandle, JoinHandle<()>) {
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let task = runtime.spawn(supervisor::run(inbox, Outbox::new(events), timing));
    (BleHandle { commands }, task)
}
