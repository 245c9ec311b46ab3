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
//! - Templates count only on the reader they were taken on (their sensor: driver, identity, serial
//!   number), so that a foreign reader cannot speak for a person.
//! - A finger is yes or no and yields no key; what it opens is the core's decision.
//! - A template reaches libfprint only out of an intact `frame`. What authenticates it is the vault
//!   that it is kept in.
//! - A reader that fails is tried again at most once a second, more and more slowly, and given up
//!   after five failures in a row.
//!
//! S-10: nothing about a template or a person is logged. S-11: see `outlet`.

mod driver;
mod frame;
mod libfprint;
mod mailbox;
mod perform;
mod reader;
mod serial;

use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::sync::mpsc::Sender;

use crate::thread::StoppableThread;
use driver::FingerDriver;
use mailbox::{Mailbox, Running};
use wardkeep_model::ports::{Event, FingerCommand};

pub use driver::Setup;
pub use reader::{Found, probe};

/// How long dropping the handle waits for the thread.
const END_MAX: Duration = Duration::from_secs(1);

/// Too many commands wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fingerprint driver is behind")]
pub struct Behind;

/// The running driver. Dropping it cancels what runs and ends the thread.
pub struct FingerprintHandle {
    // Dropped first: its end is what the thread ends with.
    commands: SyncSender<FingerCommand>,
    running: Running,
    #[expect(dead_code, reason = "ends the thread when it is dropped")]
    thread: StoppableThread,
}

impl FingerprintHandle {
    /// Gives the driver a command, which cancels the one before. Never blocks.
    ///
    /// # Errors
    /// [`Behind`] when the thread does not keep up; what runs is cancelled all the same.
    pub fn try_send(&self, command: FingerCommand) -> Result<(), Behind> {
        let send = || self.commands.try_send(command).is_ok();
        if self.running.cancel_after(send) { Ok(()) } else { Err(Behind) }
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
    let running = Running::default();
    let (commands, mailbox) = Mailbox::new(running.clone(), events);
    let cancelled = running.clone();
    let signal = move || cancelled.cancel();
    let drive = move || FingerDriver::new(mailbox, setup).run();
    let thread = StoppableThread::spawn("fingerprint", END_MAX, signal, drive)?;
    Ok(FingerprintHandle { commands, running, thread })
}
