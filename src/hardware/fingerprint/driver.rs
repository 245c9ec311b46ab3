//! The fingerprint thread: takes the newest command, does it, and looks now and then what is plugged in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use crate::fingerprint::mailbox::{Mailbox, TICK};
use crate::fingerprint::perform::{self, Outcome};
use crate::fingerprint::reader::{Reader, Socket};
use crate::outlet::Closed;
use wardkeep_model::access::factor::{Attempt, Sensor};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{FactorEvent, FingerCommand, FingerEvent, FingerFault, ReaderHealth};

/// How the driver works; the default is right for everything but tests.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Directory that holds libfprint; `None` leaves it to the system.
    pub library: Option<PathBuf>,
    /// How often it looks whether a reader was plugged in or out.
    pub look: Duration,
    /// How long it waits after a reader's first failure; twice as long after each further one.
    pub error_wait: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self { library: None, look: Duration::from_secs(3), error_wait: Duration::from_secs(1) }
    }
}

/// The fingerprint thread's work: one command at a time, and a look at what is plugged in between.
pub(super) struct FingerDriver {
    mailbox: Mailbox,
    setup: Setup,
    socket: Socket,
    /// What the core was told last.
    announced: Option<Sensor>,
    health: Option<ReaderHealth>,
    look_at: BootTime,
}

impl FingerDriver {
    /// To be made on the thread that runs it: the library's objects must not leave it.
    pub(super) fn new(mailbox: Mailbox, setup: Setup) -> Self {
        Self {
            mailbox,
            setup,
            socket: Socket::default(),
            announced: None,
            health: None,
            look_at: BootTime::default(),
        }
    }

    /// Works until nobody listens or commands any more.
    pub(super) fn run(mut self) {
        // A reader must not be able to end the driver, whatever it makes a library do.
        while catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            self.mailbox.disarm();
            self.socket.reader = None;
            self.look_at = Moment::read().boot + self.setup.look;
        }
    }

    /// Until nobody listens or commands any more.
    fn serve(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.turn() {
                return closed;
            }
        }
    }

    fn turn(&mut self) -> Result<(), Closed> {
        let now = Moment::read().boot;
        if now >= self.look_at {
            self.look(now)?;
        }
        let behind = self.mailbox.flush(now)?;
        let patience = if behind { TICK } else { self.look_at.since(now) };
        match self.mailbox.next(patience)? {
            None | Some(FingerCommand::Stop) => Ok(()),
            Some(FingerCommand::Identify { attempt, templates }) => {
                let error_wait = self.setup.error_wait;
                self.with_reader(attempt, |mailbox, reader| {
                    perform::identify(mailbox, reader, error_wait, (attempt, templates))
                })
            }
            Some(FingerCommand::Enrol { attempt, finger }) => self
                .with_reader(attempt, |mailbox, reader| {
                    perform::enrol(mailbox, reader, attempt, finger)
                }),
        }
    }

    /// Does one command's work with the reader, if there is one.
    fn with_reader(
        &mut self,
        attempt: Attempt,
        work: impl FnOnce(&mut Mailbox, &Reader) -> Result<Outcome, Closed>,
    ) -> Result<(), Closed> {
        if self.socket.reader.is_none() {
            self.look(Moment::read().boot)?;
        }
        let Some(reader) = self.socket.reader.take() else {
            let is_there = self.health == Some(ReaderHealth::Refused);
            let fault = if is_there { FingerFault::Broken } else { FingerFault::NotFitted };
            return self.mailbox.tell(FingerEvent::Failed(attempt, fault));
        };
        let outcome = work(&mut self.mailbox, &reader);
        self.mailbox.disarm();
        reader.attend();
        match outcome? {
            Outcome::CalledOff => self.socket.reader = Some(reader),
            Outcome::Answer(event) => {
                self.socket.reader = Some(reader);
                self.mailbox.tell(event)?;
            }
            Outcome::Unplugged => {
                drop(reader);
                self.mailbox.tell(FingerEvent::Failed(attempt, FingerFault::Broken))?;
                let now = Moment::read().boot;
                self.look_at = now + self.setup.look;
                self.report(now, ReaderHealth::NotFitted)?;
            }
        }
        Ok(())
    }

    /// Looks which reader is plugged in, and tells the core if that has changed.
    fn look(&mut self, now: BootTime) -> Result<(), Closed> {
        self.look_at = now + self.setup.look;
        let health = self.socket.look(self.setup.library.as_deref());
        self.report(now, health)
    }

    fn report(&mut self, now: BootTime, health: ReaderHealth) -> Result<(), Closed> {
        let sensor = self.socket.reader.as_ref().map(|reader| reader.sensor.clone());
        if sensor != self.announced {
            self.announced.clone_from(&sensor);
            self.mailbox.send(now, FactorEvent::Sensor(sensor))?;
        }
        if self.health.replace(health) != Some(health) {
            tracing::info!(?health, "fingerprint reader");
        }
        self.mailbox.health(now, health)
    }
}
