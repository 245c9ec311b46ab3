//! Starts the driver's lives one after another and hands them the core's commands.

use std::collections::btree_map::Entry;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::ble::Site;
use crate::ble::backoff::Backoff;
use crate::ble::bond::Errand;
use crate::ble::life::{self, LifeError};
use crate::ble::links::{Orders, Wanted};
use crate::ble::outbox::Outbox;
use wardkeep_model::ports::{Command, Event, Link, RadioHealth, Want};
use wardkeep_model::vitals::DeviceId;

/// Links kept at once; BlueZ and common controllers carry fewer.
const LINKS_MAX: usize = 32;
/// Errands that may wait, for a life to do them.
const ERRANDS_MAX: usize = 16;

/// Runs the driver until its handle or the core's receiver is dropped.
pub(super) async fn run(mut inbox: mpsc::Receiver<Command>, outbox: Outbox, site: Site) {
    let deliver = async {
        outbox.deliver().await;
        pending::<()>().await;
    };
    tokio::select! {
        () = drive(&mut inbox, &outbox, &site) => {}
        () = deliver => {}
    }
}

async fn drive(inbox: &mut mpsc::Receiver<Command>, outbox: &Outbox, site: &Site) {
    let timing = &site.timing;
    let orders = watch::Sender::new(Orders::default());
    let (errands, waiting) = mpsc::channel(ERRANDS_MAX);
    // What one life did not come to is for the next.
    let waiting = Arc::new(Mutex::new(waiting));
    let mut dispatcher =
        Dispatcher { inbox, outbox, orders: &orders, errands: &errands, generation: 0 };
    let mut backoff = Backoff::new(timing);
    loop {
        let charge = life::Charge { orders: orders.subscribe(), errands: waiting.clone() };
        match Life::start(charge, outbox.clone(), site.clone()) {
            Ok(mut life) => {
                let ended = tokio::select! {
                    () = dispatcher.obey() => None,
                    error = life.ended() => Some(error),
                };
                let Some(error) = ended else {
                    orders.send_modify(|orders| orders.stop = true);
                    life.stop(timing.release * 3).await;
                    return;
                };
                tracing::warn!(?error, "bluetooth starts over");
                if outbox.was_ready() {
                    backoff.worked();
                }
                if !matches!(error, Some(LifeError::Deaf | LifeError::Slept(_))) {
                    outbox.radio(RadioHealth::ServiceDown);
                }
            }
            Err(error) => {
                tracing::error!(?error, "no thread for the bluetooth driver");
                outbox.radio(RadioHealth::ServiceDown);
            }
        }
        settle(outbox, &orders);
        tokio::select! {
            () = dispatcher.obey() => return settle_all(outbox),
            () = sleep(backoff.failed()) => {}
        }
    }
}

/// After a life that could not tidy up (a panic), no link may look alive, and no pairing.
fn settle(outbox: &Outbox, orders: &watch::Sender<Orders>) {
    outbox.end_pairing();
    let orders = orders.borrow();
    for device in outbox.open_links() {
        let wanted = orders.wanted.contains_key(&device);
        outbox.link(device, if wanted { Link::Lost } else { Link::Down });
    }
}

fn settle_all(outbox: &Outbox) {
    for device in outbox.open_links() {
        outbox.link(device, Link::Down);
    }
}

/// Turns commands into orders.
struct Dispatcher<'a> {
    inbox: &'a mut mpsc::Receiver<Command>,
    outbox: &'a Outbox,
    orders: &'a watch::Sender<Orders>,
    errands: &'a mpsc::Sender<Errand>,
    generation: u64,
}

impl Dispatcher<'_> {
    /// Obeys until there is nobody left to obey. May be dropped and called again at any time.
    async fn obey(&mut self) {
        loop {
            tokio::select! {
                command = self.inbox.recv() => match command {
                    Some(command) => self.order(command),
                    None => return,
                },
                () = self.outbox.closed() => return,
            }
        }
    }

    fn order(&mut self, command: Command) {
        match command {
            Command::Connect(device, what) => self.want(device, what),
            Command::Disconnect(device) => self.orders.send_modify(|orders| {
                if orders.wanted.remove(&device).is_none() {
                    tracing::debug!(?device, "was not wanted");
                }
            }),
            Command::Pair(device) => self.send(Errand::Pair(device)),
            Command::AnswerPairing(device, answer) => self.send(Errand::Answer(device, answer)),
            Command::Forget(device) => self.send(Errand::Forget(device)),
            Command::Write(device, what, bytes) => self.send(Errand::Write(device, what, bytes)),
            // Not for the radio.
            Command::Card(_) | Command::Finger(_) => {}
        }
    }

    fn want(&mut self, device: DeviceId, what: Want) {
        self.generation = self.generation.wrapping_add(1);
        let anew = Wanted { what, generation: self.generation };
        self.orders.send_modify(|orders| {
            let full = orders.wanted.len() >= LINKS_MAX;
            match orders.wanted.entry(device) {
                Entry::Occupied(mut wanted) => {
                    if wanted.get().what.kind == what.kind {
                        wanted.get_mut().what = what;
                    } else {
                        wanted.insert(anew);
                    }
                }
                Entry::Vacant(_) if full => {
                    tracing::error!(?device, "too many bluetooth links are wanted");
                    self.outbox.post(Event::Link(device, Link::Down));
                }
                Entry::Vacant(wanted) => {
                    wanted.insert(anew);
                }
            }
        });
    }

    fn send(&self, errand: Errand) {
        match self.errands.try_send(errand) {
            Ok(()) => {}
            Err(
                mpsc::error::TrySendError::Full(errand) | mpsc::error::TrySendError::Closed(errand),
            ) => errand.refuse(self.outbox),
        }
    }
}

/// A life on a runtime of its own.
struct Life {
    /// `None` only while being dropped.
    runtime: Option<Runtime>,
    task: JoinHandle<Result<(), LifeError>>,
}

impl Life {
    fn start(charge: life::Charge, outbox: Outbox, site: Site) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("ble")
            .enable_all()
            .build()?;
        let task = runtime.spawn(life::run(charge, outbox, site));
        Ok(Self { runtime: Some(runtime), task })
    }

    /// Waits for the life to end by itself; `None` if it panicked.
    async fn ended(&mut self) -> Option<LifeError> {
        match (&mut self.task).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(error) => {
                tracing::error!(?error, "the bluetooth driver panicked");
                None
            }
        }
    }

    /// Waits for a life that was told to stop.
    async fn stop(mut self, limit: Duration) {
        if timeout(limit, self.ended()).await.is_err() {
            tracing::warn!("bluetooth did not stop in time");
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
