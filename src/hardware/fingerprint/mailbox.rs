//! The mailbox of the fingerprint thread: commands in, events out, and what a newer command cancels.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::Sender;

use crate::fingerprint::libfprint::{Cancel, Library};
use crate::outlet::{Closed, Outlet};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{
    Event, FactorEvent, FingerCommand, FingerEvent, ReaderHealth, ReaderKind,
};

/// Commands that may wait; each makes those before it void.
const COMMANDS_MAX: usize = 8;
/// While the core's queue is full it is tried again this often.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// What runs and can be cancelled.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<Option<Arc<Cancel>>>>);

impl Running {
    fn set(&self, cancel: Option<Arc<Cancel>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cancel;
    }

    /// Cancels it.
    pub(super) fn cancel(&self) {
        self.cancel_after(|| {});
    }

    /// Does something and then cancels what ran before it, but never what it has begun: the thread
    /// cannot go on to its next operation in between.
    pub(super) fn cancel_after<T>(&self, act: impl FnOnce() -> T) -> T {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act();
        if let Some(cancel) = running.as_ref() {
            cancel.cancel();
        }
        result
    }
}

/// Where commands come in and events go out.
pub(super) struct Mailbox {
    inbox: Receiver<FingerCommand>,
    /// The newest command, not begun yet.
    waiting: Option<FingerCommand>,
    running: Running,
    outlet: Outlet,
}

impl Mailbox {
    /// A mailbox with its slot for commands.
    pub(super) fn new(
        running: Running,
        events: Sender<Event>,
    ) -> (SyncSender<FingerCommand>, Self) {
        let (commands, inbox) = sync_channel(COMMANDS_MAX);
        let outlet = Outlet::new("fingerprint", events);
        (commands, Self { inbox, waiting: None, running, outlet })
    }

    /// Tells the core of a command's work.
    pub(super) fn tell(&mut self, event: FingerEvent) -> Result<(), Closed> {
        self.send(Moment::read().boot, FactorEvent::Finger(event))
    }

    /// Tells the core anything else.
    pub(super) fn send(&mut self, now: BootTime, event: FactorEvent) -> Result<(), Closed> {
        self.outlet.send(now, vec![Event::Factor(event)])
    }

    /// Tells the core whether there is a reader, if that has changed.
    pub(super) fn health(&mut self, now: BootTime, health: ReaderHealth) -> Result<(), Closed> {
        self.outlet.health(now, ReaderKind::Finger, health)
    }

    /// Sends what waits; true if some of it found no room.
    pub(super) fn flush(&mut self, now: BootTime) -> Result<bool, Closed> {
        self.outlet.flush(now)?;
        Ok(self.outlet.is_behind())
    }

    /// Waits for a command; the newest counts. `None`: nothing came.
    pub(super) fn next(&mut self, patience: Duration) -> Result<Option<FingerCommand>, Closed> {
        if self.waiting.is_none() {
            match self.inbox.recv_timeout(patience) {
                Ok(command) => self.waiting = Some(command),
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Err(Closed),
            }
        }
        self.is_called_off();
        Ok(self.waiting.take())
    }

    /// A newer command waits, or nobody gives commands any more.
    pub(super) fn is_called_off(&mut self) -> bool {
        loop {
            match self.inbox.try_recv() {
                Ok(command) => self.waiting = Some(command),
                Err(TryRecvError::Empty) => return self.waiting.is_some(),
                Err(TryRecvError::Disconnected) => return true,
            }
        }
    }

    /// Lets this much time pass; true if it was called off meanwhile.
    pub(super) fn pause(&mut self, length: Duration) -> bool {
        if self.is_called_off() {
            return true;
        }
        match self.inbox.recv_timeout(length) {
            Ok(command) => {
                self.waiting = Some(command);
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        }
    }

    /// Sends what waits before a finger is waited for; true if it was called off meanwhile.
    pub(super) fn settle(&mut self) -> Result<bool, Closed> {
        while self.flush(Moment::read().boot)? {
            if self.pause(TICK) {
                return Ok(true);
            }
        }
        Ok(self.is_called_off())
    }

    /// Something to cancel the next operation with; `None` if it was called off already.
    pub(super) fn arm(&mut self, library: &Library) -> Option<Arc<Cancel>> {
        let cancel = Arc::new(library.cancel());
        self.running.set(Some(Arc::clone(&cancel)));
        // Looked at after it can be cancelled: a command that comes later cancels it.
        if self.is_called_off() {
            self.running.set(None);
            return None;
        }
        Some(cancel)
    }

    /// What ran has ended: there is nothing to cancel.
    pub(super) fn disarm(&self) {
        self.running.set(None);
    }
}
