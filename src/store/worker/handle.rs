//! The store's thread as the rest of the program holds it: a bounded queue in, outcomes out.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;

use crate::crypto::KdfCost;
use crate::machine::device_secret::{DeviceSecret, from_environment};
use crate::worker::Worker;
use crate::{Anchor, NoAnchor};
use wardkeep_model::access::policy::Policy;
use wardkeep_model::keeping::{Command, Outcome, Retention};

/// Commands that may wait. An unlock takes up to a second; at three values a second this is minutes.
pub const QUEUE_MAX: usize = 1024;

/// How a store is run.
#[derive(Debug)]
pub struct Options {
    pub(crate) state_dir: PathBuf,
    pub(crate) device_secret: Box<dyn DeviceSecret>,
    pub(crate) cost: KdfCost,
    pub(crate) policy: Policy,
    pub(crate) retention: Retention,
    pub(crate) anchor: Box<dyn Anchor>,
}

impl Options {
    /// A store in this directory, with the device secret that the service manager gave or, without
    /// one, a file beside the store.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        let state_dir = state_dir.into();
        let device_secret = from_environment(&state_dir);
        let (cost, policy, anchor) = (KdfCost::FULL, Policy::default(), Box::new(NoAnchor));
        let retention = Retention::default();
        Self { state_dir, device_secret, cost, policy, anchor, retention }
    }

    /// The same with another source of the device secret.
    #[must_use]
    pub fn with_device_secret(self, source: impl DeviceSecret + 'static) -> Self {
        Self { device_secret: Box::new(source), ..self }
    }

    /// The same with a counter outside the disk.
    #[must_use]
    pub fn with_anchor(self, anchor: Box<dyn Anchor>) -> Self {
        Self { anchor, ..self }
    }

    /// The same under another policy of the site; the store enforces it by itself.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The same with other times for which the site keeps what was recorded.
    #[must_use]
    pub fn with_retention(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }

    /// The same with a key derivation that is fast and protects nothing. **Only for tests and the
    /// simulated bedside**: a store made with it opens only with it.
    #[doc(hidden)]
    #[must_use]
    pub fn with_cost_for_tests(self) -> Self {
        Self { cost: KdfCost::FOR_TESTS, ..self }
    }
}

/// The queue did not take a command, because it is full or the store has ended. The caller counts
/// what is lost (S-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("store did not take the command")]
pub struct Full;

/// Sends commands to the store. Dropping the last one flushes, seals and ends the thread.
#[derive(Clone)]
pub struct StoreHandle {
    commands: mpsc::Sender<Command>,
}

impl StoreHandle {
    /// Queues a command; never waits.
    ///
    /// # Errors
    /// [`Full`] if the command was not taken.
    pub fn try_send(&self, command: Command) -> Result<(), Full> {
        self.commands.try_send(command).map_err(|_| Full)
    }
}

impl fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreHandle")
    }
}

/// Starts the store's thread. It answers at once with [`Outcome::Found`] or [`Outcome::Fault`].
///
/// The outcomes have to be received until the channel closes: the thread waits for room.
///
/// # Errors
/// The thread or its timer could not be made.
pub fn spawn(
    options: Options,
    outcomes: mpsc::Sender<Outcome>,
) -> io::Result<(StoreHandle, JoinHandle<()>)> {
    let (commands, inbox) = mpsc::channel(QUEUE_MAX);
    // Only for a receive that ends at a deadline; nothing else runs on it.
    let timer = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let worker = Worker::new(options, inbox, outcomes);
    let thread = thread::Builder::new().name("store".into()).spawn(move || worker.run(&timer))?;
    Ok((StoreHandle { commands }, thread))
}
