//! The store's thread as the rest of the program holds it: a bounded queue in, outcomes out.

use std::fmt;
use std::io;
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;

use crate::open::options::Options;
use crate::worker::thread::Worker;
use wardkeep_model::keeping::{Command, Outcome};

/// Commands that may wait. An unlock takes up to a second; at three values a second this is minutes.
pub const QUEUE_MAX: usize = 1024;

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
