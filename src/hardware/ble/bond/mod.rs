//! Bonds: pairs one device at a time, forgets devices, and writes to them.
//!
//! ```text
//!  Pair --> link lets go --> old bond dropped --> heard --> Device1.Pair --> trusted, read back --> Bonded
//!                                                   |  ^
//!                                          agent asks  a person answers
//! ```
//!
//! The window is open from the command until that ends: with a bond, a fault, a cancel, a minute without
//! one, or the controller's end. `window` says what the agent may be asked in it; outside it everything
//! is refused. The device's link keeps away meanwhile (`claims`) and takes the connection over when the
//! window closes, because some devices talk only over the connection that they were paired by.

mod agent;
mod fault;
mod jobs;
mod steps;
mod window;

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use self::agent::{Agent, Said, Yes};
use self::steps::{BondError, bond, end};
use self::window::{Reply, Verdict, Window};
use crate::ble::bluez::{Controller, device_of, gone};
use crate::ble::outbox::Outbox;
use crate::ble::shared::{Shared, Tiding};
use wardkeep_model::ports::{Event, PairingAnswer, PairingFault, PairingStep, WriteFault};
use wardkeep_model::vitals::{Characteristic, DeviceId};

/// Messages of BlueZ to its agent that may wait; it asks one thing at a time.
const SAID_MAX: usize = 8;
/// Writes and forgettings under way at once.
const JOBS_MAX: usize = 16;

/// A command that is done once.
#[derive(Debug)]
pub(super) enum Errand {
    Pair(DeviceId),
    Answer(DeviceId, PairingAnswer),
    Forget(DeviceId),
    Write(DeviceId, Characteristic, Vec<u8>),
}

impl Errand {
    /// Tells that it is not taken, because too many wait.
    pub(super) fn refuse(self, outbox: &Outbox) {
        match self {
            Errand::Pair(device) | Errand::Forget(device) => {
                outbox.pairing(device, PairingStep::Failed(PairingFault::AdapterBusy));
            }
            Errand::Answer(device, _) => tracing::warn!(?device, "an answer found no room"),
            Errand::Write(device, what, _) => {
                outbox.post(Event::Wrote(device, what, Err(WriteFault::Busy)));
            }
        }
    }
}

/// Does errands for as long as the life lasts.
pub(super) async fn run(shared: Shared, errands: &mut mpsc::Receiver<Errand>) {
    let (to_us, said) = mpsc::channel(SAID_MAX);
    let mut desk = Desk { shared, errands, to_us, said, jobs: JoinSet::new() };
    desk.run().await;
}

/// Where errands, and what BlueZ says, come in.
struct Desk<'a> {
    shared: Shared,
    errands: &'a mut mpsc::Receiver<Errand>,
    to_us: mpsc::Sender<Said>,
    said: mpsc::Receiver<Said>,
    jobs: JoinSet<()>,
}

impl Desk<'_> {
    async fn run(&mut self) {
        self.register().await;
        loop {
            tokio::select! {
                errand = self.errands.recv() => match errand {
                    Some(Errand::Pair(device)) => self.pair(device).await,
                    Some(Errand::Answer(device, _)) => {
                        tracing::debug!(?device, "an answer without a window");
                    }
                    Some(Errand::Forget(device)) => self.start_forgetting(device),
                    Some(Errand::Write(device, what, bytes)) => {
                        self.start_writing(device, what, bytes);
                    }
                    None => return,
                },
                // No window is open: what is asked is dropped, which refuses it.
                Some(said) = self.said.recv() => {
                    if let Said::Asked { path, question, .. } = said {
                        tracing::info!(?question, "BlueZ asked outside a pairing window: refused");
                        self.tell_refused(&path);
                    }
                }
                changed = self.shared.controller.changed() => match changed {
                    Ok(()) => {
                        self.register().await;
                    }
                    Err(_) => return,
                },
                Some(done) = self.jobs.join_next() => note(done),
            }
        }
    }

    /// Makes our agent the one that BlueZ asks; false if that did not work. It is tried again when a device
    /// is paired.
    async fn register(&self) -> bool {
        let Some(Controller { daemon, .. }) = self.shared.controller() else { return false };
        let registered = async {
            let agent = Agent::new(self.to_us.clone(), daemon.owner().clone());
            daemon.connection().object_server().at(agent::PATH, agent).await?;
            daemon.register_agent(&agent::PATH).await
        };
        match timeout(self.shared.timing.setup, registered).await {
            Ok(Ok(())) => return true,
            Ok(Err(refusal)) => tracing::warn!(?refusal, "no bluetooth agent"),
            Err(_) => tracing::warn!("no bluetooth agent in time"),
        }
        false
    }

    /// BlueZ asks because a link wants what the device gives only over a bond, and goes on waiting for that
    /// after a no.
    fn tell_refused(&self, path: &str) {
        if let Some(device) = device_of(path) {
            self.shared.tell(Tiding::Refused(device));
        }
    }

    fn has_room(&mut self) -> bool {
        while let Some(done) = self.jobs.try_join_next() {
            note(done);
        }
        self.jobs.len() < JOBS_MAX
    }

    fn start_forgetting(&mut self, device: DeviceId) {
        if self.has_room() {
            self.jobs.spawn(jobs::forget(self.shared.clone(), device));
        } else {
            Errand::Forget(device).refuse(&self.shared.outbox);
        }
    }

    fn start_writing(&mut self, device: DeviceId, what: Characteristic, bytes: Vec<u8>) {
        if self.has_room() {
            self.jobs.spawn(jobs::write(self.shared.clone(), device, what, bytes));
        } else {
            Errand::Write(device, what, bytes).refuse(&self.shared.outbox);
        }
    }

    /// Opens a window, keeps it until it ends, and tells how it ended.
    async fn pair(&mut self, device: DeviceId) {
        tracing::info!(?device, "a pairing window is open");
        self.shared.outbox.pairing(device, PairingStep::Started);
        let patience = self.shared.timing.release * 2;
        let (step, forgets) = match self.shared.controller() {
            None => (PairingStep::Failed(PairingFault::NoAdapter), false),
            // Nobody could be asked anything.
            Some(_) if !self.register().await => {
                (PairingStep::Failed(PairingFault::Unexplained), false)
            }
            Some(controller) => {
                let claims = self.shared.claims.clone();
                match timeout(patience, claims.pair(device)).await {
                    // The claim is given back when the connection is settled.
                    Ok(_claim) => self.pair_at(&controller, device).await,
                    Err(_) => (PairingStep::Failed(PairingFault::AdapterBusy), false),
                }
            }
        };
        tracing::info!(?device, ?step, "the pairing window is closed");
        self.shared.outbox.pairing(device, step);
        if let PairingStep::Bonded(identity) = step {
            self.shared.tell(Tiding::Bonded(device));
            self.shared.tell(Tiding::Bonded(identity));
            self.jobs.spawn(jobs::let_go_unless_wanted(self.shared.clone(), identity));
        }
        if forgets {
            self.start_forgetting(device);
        }
    }

    /// Pairs. True if the device is to be forgotten after that.
    async fn pair_at(&mut self, controller: &Controller, device: DeviceId) -> (PairingStep, bool) {
        let admitted = Arc::new(OnceLock::new());
        let mut open = OpenWindow {
            device,
            admitted: admitted.clone(),
            window: Window::default(),
            held: None,
            forgets: false,
            is_pairing: true,
            is_void: false,
        };
        let step = match self.keep(controller, &mut open).await {
            Ok(identity) => PairingStep::Bonded(identity),
            Err(fault) => {
                if let Some(path) = admitted.get().filter(|_| fault != PairingFault::NoAdapter) {
                    end(controller, path, open.is_pairing, self.shared.timing.release).await;
                }
                PairingStep::Failed(fault)
            }
        };
        (step, open.forgets)
    }

    async fn keep(
        &mut self,
        controller: &Controller,
        open: &mut OpenWindow,
    ) -> Result<DeviceId, PairingFault> {
        let (timing, admitted) = (self.shared.timing.clone(), open.admitted.clone());
        let bonding = bond(controller, open.device, &timing, &admitted);
        tokio::pin!(bonding);
        let mut leaving = self.shared.controller.clone();
        let closes = sleep(timing.window);
        tokio::pin!(closes);
        loop {
            tokio::select! {
                bonded = &mut bonding => {
                    open.is_pairing = false;
                    return bonded.map_err(|error| open.why(&error));
                }
                Some(said) = self.said.recv() => {
                    match open.hear(said) {
                        Heard::Nothing => {}
                        Heard::Step(step) => self.shared.outbox.pairing(open.device, step),
                        Heard::Refused(path) => self.tell_refused(&path),
                    }
                    // BlueZ is about to say why; but nobody waits for that for long.
                    if open.is_void {
                        let soon = closes.deadline().min(Instant::now() + timing.release);
                        closes.as_mut().reset(soon);
                    }
                }
                errand = self.errands.recv() => match errand {
                    Some(errand) => {
                        if self.during(open, errand).is_break() {
                            return Err(PairingFault::Cancelled);
                        }
                    }
                    None => return Err(PairingFault::Cancelled),
                },
                () = &mut closes => return Err(open.why_closed()),
                () = gone(&mut leaving) => return Err(PairingFault::NoAdapter),
            }
        }
    }

    /// Does an errand that came while a window is open. Breaks if the window closes.
    fn during(&mut self, open: &mut OpenWindow, errand: Errand) -> ControlFlow<()> {
        match errand {
            Errand::Answer(device, answer) if device == open.device => return open.answer(answer),
            Errand::Answer(device, _) => tracing::debug!(?device, "an answer without a window"),
            // Its window is open already.
            Errand::Pair(device) if device == open.device => {}
            Errand::Pair(other) => Errand::Pair(other).refuse(&self.shared.outbox),
            Errand::Forget(device) if device == open.device => {
                open.forgets = true;
                return ControlFlow::Break(());
            }
            Errand::Forget(other) => self.start_forgetting(other),
            Errand::Write(device, what, bytes) => self.start_writing(device, what, bytes),
        }
        ControlFlow::Continue(())
    }
}

/// What comes of something that BlueZ said.
enum Heard {
    /// Nothing that concerns anybody else.
    Nothing,
    /// What people are to see.
    Step(PairingStep),
    /// The device at this path may not be paired.
    Refused(String),
}

/// An open window and what hangs on it.
struct OpenWindow {
    device: DeviceId,
    /// Its object, once BlueZ may ask about it.
    admitted: Arc<OnceLock<String>>,
    window: Window,
    /// BlueZ waits for this.
    held: Option<oneshot::Sender<Yes>>,
    forgets: bool,
    /// BlueZ is at it.
    is_pairing: bool,
    /// BlueZ has taken back what it asked, and has asked nothing since.
    is_void: bool,
}

impl OpenWindow {
    /// Takes what BlueZ says.
    fn hear(&mut self, said: Said) -> Heard {
        if let Some(path) = self.admitted.get() {
            self.window.admit(path);
        }
        self.is_void = matches!(said, Said::TookBack);
        match said {
            Said::Asked { path, question, answer } => match self.window.ask(&path, question) {
                Verdict::Refuse => Heard::Refused(path),
                Verdict::Accept => {
                    give(answer, Yes::Accepted);
                    Heard::Nothing
                }
                Verdict::Show(step) => {
                    give(answer, Yes::Accepted);
                    step.map_or(Heard::Nothing, Heard::Step)
                }
                Verdict::Put(step) => {
                    self.held = Some(answer);
                    Heard::Step(step)
                }
            },
            Said::TookBack => {
                self.held = None;
                // No number stands on the screen that means nothing any more.
                let was_shown = self.window.take_back();
                if was_shown { Heard::Step(PairingStep::Started) } else { Heard::Nothing }
            }
        }
    }

    fn answer(&mut self, answer: PairingAnswer) -> ControlFlow<()> {
        let yes = match self.window.answer(answer) {
            Reply::Yes => Yes::Accepted,
            Reply::Passkey(passkey) => Yes::Typed(passkey),
            // BlueZ hears the no and fails the pairing.
            Reply::No => {
                self.held = None;
                return ControlFlow::Continue(());
            }
            Reply::Close => return ControlFlow::Break(()),
            Reply::Ignored => return ControlFlow::Continue(()),
        };
        if let Some(held) = self.held.take() {
            give(held, yes);
        }
        ControlFlow::Continue(())
    }

    fn why_closed(&self) -> PairingFault {
        if self.is_void { PairingFault::Left } else { PairingFault::TimedOut }
    }

    fn why(&self, error: &BondError) -> PairingFault {
        // The debug form has the D-Bus name.
        tracing::info!(device = ?self.device, ?error, "not paired");
        match error {
            BondError::NotHeard => PairingFault::OutOfReach,
            BondError::NotKept => PairingFault::AuthenticationFailed,
            BondError::Refused(refusal) => fault::of_pairing(refusal, self.window.course()),
        }
    }
}

fn give(answer: oneshot::Sender<Yes>, yes: Yes) {
    if answer.send(yes).is_err() {
        tracing::debug!("BlueZ does not wait for its answer any more");
    }
}

fn note(done: Result<(), JoinError>) {
    if let Err(error) = done {
        tracing::error!(?error, "a bluetooth errand panicked");
    }
}
