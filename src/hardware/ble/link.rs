//! The link to one wanted device: connect, discover, subscribe, pass frames on, notice the end, again.
//!
//! Nothing in BlueZ can be trusted to tell that a link died, so three things are watched: the
//! disconnection signal, the removal of the device, and silence, after which BlueZ is asked. A link
//! that is silent but connected stays live; that its numbers are old is for the core to say (S-7).
//!
//! A device that was bonded is heard over its bond or not at all: where BlueZ keeps no keys for it any
//! more, or its encryption fails, nothing is subscribed to, that is told, and the link waits until it is
//! paired again.

mod gatt;
mod listener;
mod waits;

use std::future::pending;
use std::time::Duration;

use btleplug::api::Peripheral as _;
use btleplug::platform::Peripheral;
use futures_util::{StreamExt, stream};
use tokio::sync::{Notify, broadcast, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use self::gatt::{Frames, characteristic, find, read, subscribe, within};
use self::listener::{Listener, ask};
use self::waits::Waits;
use crate::ble::bluez::{Controller, Refusal, device_of, gone};
use crate::ble::claims::LinkClaim;
use crate::ble::places::Place;
use crate::ble::profile::{self, Way};
use crate::ble::shared::{Shared, Tiding, VALUE_MAX};
use crate::ble::timing::Timing;
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{Event, Link, TableDigest, Want};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

/// How often BlueZ is asked whether it has let a device go.
const LETS_GO_POLL: Duration = Duration::from_millis(50);

/// Why a link could not be made or ended.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("not known to the controller yet")]
    NotKnown,
    #[error("took too long: {0}")]
    TookTooLong(&'static str),
    #[error("offers nothing to measure")]
    NothingToMeasure,
    #[error("disconnected")]
    Dropped,
    #[error("silent and not connected")]
    Silent,
    #[error("its bond does not hold")]
    LostBond,
    #[error("gives nothing without a bond")]
    NotPaired,
    #[error("gives its place to another")]
    GaveWay,
    #[error("has measured and may sleep")]
    Idle,
    #[error("is being paired")]
    Paired,
    #[error("the controller is gone")]
    NoAdapter,
    #[error("bluetooth failure")]
    Bluetooth(#[from] btleplug::Error),
    #[error("bluetooth daemon")]
    Daemon(#[from] Refusal),
}

/// One link and all it needs.
#[derive(Debug)]
pub(super) struct LinkTask {
    device: DeviceId,
    kind: DeviceKind,
    /// What it shares with the other links.
    shared: Shared,
    controller: watch::Receiver<Option<Controller>>,
    tidings: broadcast::Receiver<Tiding>,
    /// What the last try got hold of: it has to be let go at the end.
    peripheral: Option<Peripheral>,
    /// Nobody pairs it meanwhile.
    claim: Option<LinkClaim>,
    /// Its place on the controller, until it has been let go.
    place: Option<Place>,
    /// The address that its path goes on saying: of a device that was paired by a private one, that.
    path: Option<DeviceId>,
    /// When it was heard last, as far as the link listened.
    heard: Option<Instant>,
    /// BlueZ said that its encryption failed, since it was live last.
    failed_encryption: bool,
}

impl LinkTask {
    /// The link to a device of which this is wanted.
    pub(super) fn new(device: DeviceId, want: Want, shared: &Shared) -> Self {
        Self {
            device,
            kind: want.kind,
            shared: shared.clone(),
            controller: shared.controller.clone(),
            tidings: shared.tidings.subscribe(),
            peripheral: None,
            claim: None,
            place: None,
            path: None,
            heard: None,
            failed_encryption: false,
        }
    }

    fn timing(&self) -> &Timing {
        &self.shared.timing
    }

    /// It was bonded. That may be said while it is linked: after it was paired.
    fn is_bonded(&self) -> bool {
        self.shared.wanted(self.device).is_some_and(|want| want.is_bonded)
    }

    /// Keeps the link until released, then lets it go.
    pub(super) async fn run(mut self, release: oneshot::Receiver<()>) {
        tokio::select! {
            biased;
            // An error means that whoever could release is gone, which is a release as well.
            _released = release => {}
            () = self.keep() => {}
        }
        self.end().await;
    }

    /// Connects again and again. Ends when the life that it belongs to is over.
    async fn keep(&mut self) {
        let mut waits = Waits::new(self.timing());
        loop {
            let Ok(controller) =
                self.controller.wait_for(Option::is_some).await.map(|it| it.clone())
            else {
                return;
            };
            if !self.has_turn(&waits) {
                self.wait_for_room(&mut waits).await;
                continue;
            }
            self.claim = Some(self.shared.claims.link(self.device).await);
            let error = match self.establish(controller).await {
                Ok((peripheral, frames, way)) => {
                    waits.worked(&self.shared.places);
                    self.live(&peripheral, (frames, way), &mut waits).await
                }
                Err(error) => error,
            };
            // The debug form: D-Bus errors print their name only there, and some have no message.
            tracing::info!(device = ?self.device, ?error, "no bluetooth link");
            self.end().await;
            self.wait_after(&error, &mut waits).await;
        }
    }

    /// Is live until the link ends; returns why it ended.
    async fn live(
        &mut self,
        peripheral: &Peripheral,
        (frames, way): (Frames, Way),
        waits: &mut Waits,
    ) -> LinkError {
        let started = Moment::read().boot;
        self.shared.outbox.link(self.device, Link::Live);
        self.shared.outbox.no_room(self.device, false);
        self.failed_encryption = false;
        let error = self.pass_on(peripheral, frames, way).await;
        if self.shared.places.last_used(self.device) > Some(started) {
            waits.was_of_use();
        }
        self.shared.outbox.link(self.device, Link::Lost);
        error
    }

    /// Lets the device go, and only then its place and the device itself to others.
    async fn end(&mut self) {
        self.let_go().await;
        self.place = None;
        self.claim = None;
    }

    /// Connects, discovers and subscribes, giving up as soon as the controller goes or the device is to
    /// be paired.
    async fn establish(
        &mut self,
        controller: Option<Controller>,
    ) -> Result<(Peripheral, Frames, Way), LinkError> {
        let controller = controller.ok_or(LinkError::NoAdapter)?;
        self.tidings = self.tidings.resubscribe();
        let (device, timing) = (self.device, self.timing().clone());
        let peripheral = within(timing.setup, "find", find(&controller.adapter, device)).await?;
        let peripheral = peripheral.ok_or(LinkError::NotKnown)?;
        self.path = device_of(&peripheral.id().to_string());
        self.peripheral = Some(peripheral.clone());
        let (shared, ours) = (self.shared.clone(), [Some(device), self.path]);
        let told = shared.tidings.subscribe();
        let mut leaving = self.controller.clone();
        let (frames, way, tidings) = tokio::select! {
            prepared = self.prepare(&controller, &peripheral) => prepared?,
            () = refused(told, ours) => return Err(LinkError::NotPaired),
            () = gone(&mut leaving) => return Err(LinkError::NoAdapter),
            () = shared.claims.wanted_for_pairing(device) => return Err(LinkError::Paired),
        };
        self.tidings = tidings;
        Ok((peripheral, frames, way))
    }

    /// Connects; says what the device offers; reads what has to be known first; subscribes. The stream is
    /// opened early: a device may send what it has stored as soon as it is subscribed to.
    async fn prepare(
        &mut self,
        controller: &Controller,
        peripheral: &Peripheral,
    ) -> Result<(Frames, Way, broadcast::Receiver<Tiding>), LinkError> {
        let timing = self.timing().clone();
        within(timing.connect, "connect", peripheral.connect()).await?;
        self.place = Some(self.shared.places.take(self.device, Moment::read().boot));
        let timing = &timing;
        // That an earlier connection ended may be told late, and says nothing of this one.
        let tidings = self.shared.tidings.subscribe();
        let frames = within(timing.setup, "listen", peripheral.notifications()).await?;
        within(timing.setup, "discover", peripheral.discover_services()).await?;
        let look = self.look(controller, peripheral);
        let table = timeout(timing.setup, look).await;
        let table = table.map_err(|_| LinkError::TookTooLong("look"))??;
        self.shared.outbox.post(Event::Table(self.device, table));
        let has = |service, uuid| characteristic(peripheral, service, uuid).is_some();
        let way = profile::way(self.kind, has).ok_or(LinkError::NothingToMeasure)?;
        for (service, number) in profile::read_first(self.kind) {
            if let Some(value) = read(peripheral, service, number, timing).await {
                self.post(Characteristic(number), value);
            }
        }
        subscribe(peripheral, (self.kind, way), timing).await?;
        Ok((frames, way, tidings))
    }

    /// What the device offers, once it is sure that what was bonded still is.
    async fn look(
        &self,
        controller: &Controller,
        peripheral: &Peripheral,
    ) -> Result<TableDigest, LinkError> {
        let path = format!("/org/bluez/{}", peripheral.id());
        let known = controller.daemon.known(&path).await?;
        if self.is_bonded() && !known.is_bonded {
            return Err(LinkError::LostBond);
        }
        let table = controller.daemon.table(&path).await?;
        if table.is_empty() { Err(LinkError::Dropped) } else { Ok(table.digest()) }
    }

    /// Passes frames on until the link ends; returns why it ended.
    async fn pass_on(
        &mut self,
        peripheral: &Peripheral,
        mut frames: Frames,
        way: Way,
    ) -> LinkError {
        let timing = self.timing().clone();
        let mut listener = Listener::new(self.device, self.kind, way);
        let answered = Notify::new();
        let asking = ask(peripheral, way, &answered, &timing);
        tokio::pin!(asking);
        let reading = stream::iter(profile::read_later()).filter_map(|(service, number)| {
            let timing = &timing;
            async move {
                let value = read(peripheral, service, number, timing).await?;
                Some((Characteristic(number), value))
            }
        });
        tokio::pin!(reading);
        let mut is_reading = true;
        let silence = sleep(timing.silence);
        tokio::pin!(silence);
        let idle = sleep(timing.idle_unused);
        tokio::pin!(idle);
        let claims = self.shared.claims.clone();
        let paired = claims.wanted_for_pairing(self.device);
        tokio::pin!(paired);
        loop {
            tokio::select! {
                frame = frames.next() => {
                    let Some(frame) = frame else { return LinkError::Dropped };
                    silence.as_mut().reset(Instant::now() + timing.silence);
                    let (frames, measures) = listener.take(frame);
                    if self.pass(frames, measures) {
                        answered.notify_one();
                        idle.as_mut().reset(Instant::now() + timing.idle);
                    }
                }
                error = &mut asking => return error,
                value = reading.next(), if is_reading => match value {
                    Some((characteristic, value)) => self.post(characteristic, value),
                    None => is_reading = false,
                },
                () = &mut silence => {
                    if !self.is_connected(peripheral).await {
                        return LinkError::Silent;
                    }
                    silence.as_mut().reset(Instant::now() + timing.silence);
                }
                () = &mut idle => match self.rest_of_idleness() {
                    Some(rest) => idle.as_mut().reset(Instant::now() + rest),
                    None => return LinkError::Idle,
                },
                tiding = self.tidings.recv() => {
                    if let Some(error) = self.take(tiding, peripheral).await {
                        return error;
                    }
                }
                () = &mut paired => return LinkError::Paired,
                () = gone(&mut self.controller) => return LinkError::NoAdapter,
            }
        }
    }

    /// Passes on what a notification brought; true if it is what the device is there for.
    fn pass(&self, frames: Vec<Event>, measures: bool) -> bool {
        frames.into_iter().for_each(|frame| self.shared.outbox.post(frame));
        if measures {
            self.shared.places.used(self.device, Moment::read().boot);
        }
        measures
    }

    /// How much longer the link is kept although nothing comes; `None` if it is given up.
    fn rest_of_idleness(&self) -> Option<Duration> {
        let idle = self.timing().idle;
        let releases = self.shared.wanted(self.device).is_some_and(|want| want.releases);
        let used = self.shared.places.last_used(self.device)?;
        let unused = Moment::read().boot.since(used);
        if !releases {
            return Some(idle);
        }
        // Something may have been written meanwhile.
        idle.checked_sub(unused).filter(|rest| !rest.is_zero())
    }

    /// Why what was told ends the link, if it does.
    async fn take(
        &mut self,
        tiding: Result<Tiding, broadcast::error::RecvError>,
        peripheral: &Peripheral,
    ) -> Option<LinkError> {
        match tiding {
            Ok(Tiding::Dropped(device)) => self.is_ours(device).then_some(LinkError::Dropped),
            Ok(Tiding::AuthenticationFailed(device)) if self.is_ours(device) => {
                self.failed_encryption = true;
                Some(LinkError::Dropped)
            }
            Ok(Tiding::GiveWay(device)) => self.is_ours(device).then_some(LinkError::GaveWay),
            Ok(
                Tiding::AuthenticationFailed(_)
                | Tiding::Heard(_)
                | Tiding::Refused(_)
                | Tiding::Bonded(_),
            ) => None,
            // Something was missed; it may have been ours.
            Err(broadcast::error::RecvError::Lagged(_)) => {
                (!self.is_connected(peripheral).await).then_some(LinkError::Dropped)
            }
            Err(broadcast::error::RecvError::Closed) => Some(LinkError::NoAdapter),
        }
    }

    fn is_ours(&self, device: DeviceId) -> bool {
        device == self.device || self.path == Some(device)
    }

    fn post(&self, characteristic: Characteristic, mut payload: Vec<u8>) {
        payload.truncate(VALUE_MAX);
        let received = Moment::read();
        let device = self.device;
        self.shared.outbox.post(Event::Frame { device, characteristic, payload, received });
    }

    /// Asks BlueZ; no answer in time, or an error, is a no.
    async fn is_connected(&self, peripheral: &Peripheral) -> bool {
        matches!(timeout(self.timing().question, peripheral.is_connected()).await, Ok(Ok(true)))
    }

    /// Disconnects, and waits until BlueZ has done it, but not for ever. For a connection that is still
    /// being made this is BlueZ's way to cancel it.
    async fn let_go(&mut self) {
        let Some(peripheral) = self.peripheral.take() else { return };
        let let_go = async {
            if let Err(error) = peripheral.disconnect().await {
                tracing::debug!(device = ?self.device, ?error, "not disconnected");
            }
            while self.is_connected(&peripheral).await {
                sleep(LETS_GO_POLL).await;
            }
        };
        if timeout(self.timing().release, let_go).await.is_err() {
            tracing::warn!(device = ?self.device, "not let go in time");
        }
    }
}

/// Ends when the device of one of these addresses wants to be paired and may not be.
async fn refused(mut tidings: broadcast::Receiver<Tiding>, ours: [Option<DeviceId>; 2]) {
    loop {
        match tidings.recv().await {
            Ok(Tiding::Refused(device)) if ours.contains(&Some(device)) => return,
            Ok(_other) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => pending().await,
        }
    }
}
