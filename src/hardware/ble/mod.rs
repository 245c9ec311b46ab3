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

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use outbox::Outbox;
use wardkeep_model::ports::{Command, Event};

/// Commands that may wait for the driver; a burst is a handful of devices.
const COMMANDS_MAX: usize = 64;
/// Links kept at once; BlueZ and common controllers carry fewer.
const LINKS_MAX: usize = 32;

/// Every time constant of the driver.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Shortest time between two `Seen` of one device.
    pub seen_every: Duration,
    /// A device unheard for this long is `Gone`.
    pub gone_after: Duration,
    /// A live link without a frame for this long is asked whether it still is one.
    pub silence: Duration,
    /// Longest wait for the answer to a short question to BlueZ. With `silence` it stays below 5 s.
    pub question: Duration,
    /// Longest wait for a connection with its services resolved.
    pub connect: Duration,
    /// Longest wait for each step of discovery and subscription.
    pub setup: Duration,
    /// Longest wait for BlueZ to let a connection go (it takes 2 s itself).
    pub release: Duration,
    /// First wait after a failure; doubles up to `retry_max`.
    pub retry_first: Duration,
    /// Longest wait after a failure.
    pub retry_max: Duration,
    /// Scanning without any advertisement for this long restarts the scan.
    pub scan_watchdog: Duration,
    /// How often ages are checked.
    pub tick: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            seen_every: Duration::from_secs(1),
            gone_after: Duration::from_secs(10),
            silence: Duration::from_secs(4),
            question: Duration::from_millis(900),
            connect: Duration::from_secs(25),
            setup: Duration::from_secs(10),
            release: Duration::from_secs(3),
            retry_first: Duration::from_millis(500),
            retry_max: Duration::from_secs(4),
            scan_watchdog: Duration::from_secs(30),
            tick: Duration::from_millis(500),
        }
    }
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
