//! One life of the driver: everything between bluetoothd's appearing and its going.
//!
//! Waits for the system bus, the daemon and a controller, keeps the controller on and scanning, and
//! tells the links what it hears. Whatever it cannot mend inside, it ends with an error, and the
//! supervisor starts the next life.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use btleplug::api::{
    Central, CentralEvent, CentralState, Manager as _, Peripheral as _, ScanFilter,
};
use btleplug::platform::{Adapter, Manager, PeripheralId};
use futures_util::StreamExt;
use tokio::sync::{Mutex, broadcast, mpsc, watch};
use tokio::time::{Instant, interval, sleep, timeout};

use crate::ble::Site;
use crate::ble::backoff::Backoff;
use crate::ble::bluez::{Controller, Daemon, Refusal, device_of};
use crate::ble::bond::{self, Errand};
use crate::ble::bus::{Bus, BusError, News};
use crate::ble::claims::Claims;
use crate::ble::link::LinkTask;
use crate::ble::links::{Links, Orders};
use crate::ble::outbox::Outbox;
use crate::ble::places::Places;
use crate::ble::profile::{kind_of, services};
use crate::ble::shared::{Shared, Tiding};
use crate::ble::sightings::Sightings;
use crate::ble::timing::Timing;
use crate::ble::watchdog::{Doubt, Wakefulness, Watchdog};
use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::{Event, Link, RadioHealth};
use wardkeep_model::untrusted;
use wardkeep_model::vitals::DeviceId;

/// Tidings that a link may be late for before it has to ask instead.
const TIDINGS_MAX: usize = 256;
/// Longest device name (Core Specification Vol 3 Part C 12.1: Device Name, 248 bytes).
const NAME_CHARS_MAX: usize = 248;
/// Scan restarts without any advertisement before the whole life is renewed.
const FRUITLESS_MAX: u32 = 40;

/// Why a life ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum LifeError {
    /// The bus failed after it had worked.
    #[error("system bus failure")]
    Bus(#[from] BusError),
    /// The bus, or bluetoothd, refused what has to work.
    #[error("D-Bus refusal")]
    Refused(#[from] Refusal),
    /// bluetoothd ended or was restarted.
    #[error("the bluetooth daemon is gone")]
    DaemonGone,
    /// bluetoothd does not answer.
    #[error("the bluetooth daemon does not answer: {0}")]
    NoAnswer(&'static str),
    /// bluetoothd answered with an error where none is expected.
    #[error("bluetooth failure")]
    Bluetooth(#[from] btleplug::Error),
    /// Nothing was heard for long; the connection to bluetoothd may have gone deaf.
    #[error("no advertisement for a long time")]
    Deaf,
    /// The machine was suspended for so long: no link is what it was.
    #[error("the machine has slept for {0:?}")]
    Slept(Duration),
}

/// What a life is to do.
pub(super) struct Charge {
    /// The links to keep.
    pub(super) orders: watch::Receiver<Orders>,
    /// What is done once; the life has it for as long as it lasts.
    pub(super) errands: Arc<Mutex<mpsc::Receiver<Errand>>>,
}

/// Runs until told to stop (`Ok`) or until nothing works any more.
pub(super) async fn run(charge: Charge, outbox: Outbox, site: Site) -> Result<(), LifeError> {
    let Charge { mut orders, errands } = charge;
    let timing = site.timing.clone();
    let (controller, controllers) = watch::channel(None);
    let (tidings, _) = broadcast::channel(TIDINGS_MAX);
    let sightings = Sightings::new(timing.seen_every, timing.gone_after);
    let shared = Shared {
        controller: controllers,
        orders: orders.clone(),
        tidings: tidings.clone(),
        claims: Claims::new(),
        places: Places::new(),
        outbox: outbox.clone(),
        timing: timing.clone(),
    };
    let of_links = shared.clone();
    let mut links = Links::new(outbox.clone(), timing.retry_max, move |device, want, release| {
        LinkTask::new(device, want, &of_links).run(release)
    });
    let patience = timing.release * 2;
    let mut radio = Radio { controller, tidings, sightings, outbox, site };
    let error = tokio::select! {
        () = links.follow(&mut orders) => None,
        Err(error) = radio.run() => Some(error),
        () = do_errands(shared, &errands) => None,
    };
    radio.outbox.end_pairing();
    let result = match error {
        None => {
            links.release_all(patience).await;
            Ok(())
        }
        Some(error) => {
            links.abandon().await;
            Err(error)
        }
    };
    radio.forget_all();
    result
}

async fn do_errands(shared: Shared, errands: &Mutex<mpsc::Receiver<Errand>>) {
    let mut errands = errands.lock().await;
    bond::run(shared, &mut errands).await;
}

/// The controller side of a life.
struct Radio {
    controller: watch::Sender<Option<Controller>>,
    tidings: broadcast::Sender<Tiding>,
    sightings: Sightings,
    outbox: Outbox,
    site: Site,
}

impl Radio {
    fn timing(&self) -> &Timing {
        &self.site.timing
    }

    async fn run(&mut self) -> Result<Infallible, LifeError> {
        let mut bus = self.bus().await;
        if !bus.daemon_is_up().await? {
            self.outbox.radio(RadioHealth::ServiceDown);
            bus.daemon_came_up().await?;
        }
        let manager = Manager::new().await?;
        let daemon = timeout(self.timing().setup, Daemon::open()).await;
        let daemon = daemon.map_err(|_| LifeError::NoAnswer("name"))??;
        // After a daemon that died, the kernel goes on with its scan for 10 s and starts no other.
        let first = self.timing().retry_first;
        let mut backoff = Backoff::between(first, first * 2);
        loop {
            match self.first_adapter(&manager).await? {
                Some((path, adapter)) => {
                    let controller = Controller { adapter, path, daemon: daemon.clone() };
                    self.use_controller(&controller, &mut bus, &mut backoff).await?;
                    self.controller.send_replace(None);
                    self.forget_all();
                }
                None => self.outbox.radio(RadioHealth::NoAdapter),
            }
            self.wait(backoff.failed(), &mut bus).await?;
        }
    }

    /// Opens the bus, however long it takes.
    async fn bus(&self) -> Bus {
        let mut backoff = Backoff::new(self.timing());
        loop {
            match timeout(self.timing().setup, Bus::open()).await {
                Ok(Ok(bus)) => return bus,
                Ok(Err(error)) => tracing::info!(?error, "no system bus"),
                Err(_) => tracing::info!("the system bus does not answer"),
            }
            self.outbox.radio(RadioHealth::ServiceDown);
            sleep(backoff.failed()).await;
        }
    }

    /// The controller that the site names, or the one with the lowest number, with its D-Bus path.
    async fn first_adapter(
        &self,
        manager: &Manager,
    ) -> Result<Option<(String, Adapter)>, LifeError> {
        let mut named = Vec::new();
        for adapter in self.ask("adapters", manager.adapters()).await? {
            let address = self.ask("adapter", adapter.adapter_address()).await;
            let address = address.ok().flatten().map(|address| DeviceId(address.into_inner()));
            if self.site.adapter.is_some_and(|wanted| address != Some(wanted)) {
                continue;
            }
            // A controller that is leaving has no name any more.
            if let Ok(info) = self.ask("adapter", adapter.adapter_info()).await
                && let Some(name) = info.split(' ').next()
            {
                named.push((format!("/org/bluez/{name}"), adapter));
            }
        }
        Ok(named.into_iter().min_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then(a.cmp(b))))
    }

    /// Waits before trying the controllers again; one that appears ends the wait.
    async fn wait(&self, wait: Duration, bus: &mut Bus) -> Result<(), LifeError> {
        let wait = sleep(wait);
        tokio::pin!(wait);
        loop {
            tokio::select! {
                () = &mut wait => return Ok(()),
                news = bus.next() => match news? {
                    News::DaemonGone => return Err(LifeError::DaemonGone),
                    News::Added => return Ok(()),
                    News::Removed(_) | News::AuthenticationFailed(_) => {}
                },
            }
        }
    }

    /// Scans until the controller is switched off or removed.
    async fn use_controller(
        &mut self,
        controller: &Controller,
        bus: &mut Bus,
        backoff: &mut Backoff,
    ) -> Result<(), LifeError> {
        let Controller { adapter, path, .. } = controller;
        let mut events = self.ask("events", adapter.events()).await?;
        if !self.start_scan(adapter).await {
            return Ok(());
        }
        backoff.worked();
        self.outbox.radio(RadioHealth::Ready);
        self.controller.send_replace(Some(controller.clone()));
        let mut watchdog = Watchdog::new(self.now());
        let mut wakefulness = Wakefulness::new(self.now(), Instant::now());
        let mut tick = interval(self.timing().tick);
        loop {
            tokio::select! {
                event = events.next() => {
                    let event = event.ok_or(LifeError::NoAnswer("events"))?;
                    if self.take_event(event, adapter, &mut watchdog).await.is_break() {
                        self.outbox.radio(RadioHealth::Off);
                        return Ok(());
                    }
                }
                news = bus.next() => match news? {
                    News::DaemonGone => return Err(LifeError::DaemonGone),
                    News::Removed(gone) if gone == *path => return Ok(()),
                    News::Removed(gone) => {
                        if let Some(device) = device_of(&gone) {
                            self.tell(Tiding::Dropped(device));
                        }
                    }
                    News::AuthenticationFailed(path) => {
                        if let Some(device) = device_of(&path) {
                            self.tell(Tiding::AuthenticationFailed(device));
                        }
                    }
                    News::Added => {}
                },
                _ = tick.tick() => {
                    if let Some(slept) = wakefulness.slept(self.now(), Instant::now()) {
                        return Err(LifeError::Slept(slept));
                    }
                    self.report_gone();
                    if !self.feed(&mut watchdog, controller).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Switches the controller on, if need be, and scans for what Wardkeep can use. False if that
    /// did not work, which is normal while BlueZ itself is switching the controller on (Busy).
    async fn start_scan(&self, adapter: &Adapter) -> bool {
        let scan = adapter.start_scan(ScanFilter { services: services() });
        // The debug form: some of BlueZ's refusals have a name but no message.
        match timeout(self.timing().setup, scan).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => tracing::warn!(?error, "bluetooth scan not started"),
            Err(_) => tracing::warn!("bluetooth scan not started in time"),
        }
        match self.ask("adapter state", adapter.adapter_state()).await {
            Ok(CentralState::PoweredOff) => self.outbox.radio(RadioHealth::Off),
            Ok(CentralState::PoweredOn | CentralState::Unknown) | Err(_) => {
                // A discovery of ours that BlueZ still holds would be refused for ever.
                self.stop_scan(adapter).await;
                self.outbox.radio(RadioHealth::ServiceDown);
            }
        }
        false
    }

    async fn stop_scan(&self, adapter: &Adapter) {
        if let Err(error) = self.ask("stop scan", adapter.stop_scan()).await {
            tracing::debug!(?error, "bluetooth scan not stopped");
        }
    }

    /// Acts on one event. Breaks when the controller was switched off.
    async fn take_event(
        &mut self,
        event: CentralEvent,
        adapter: &Adapter,
        watchdog: &mut Watchdog,
    ) -> std::ops::ControlFlow<()> {
        match event {
            CentralEvent::RssiUpdate { id, .. }
            | CentralEvent::ManufacturerDataAdvertisement { id, .. }
            | CentralEvent::ServiceDataAdvertisement { id, .. } => {
                watchdog.heard(self.now());
                self.take_advertisement(&id, adapter).await;
            }
            // Also replayed at the start for every device that BlueZ remembers; those have no RSSI.
            CentralEvent::DeviceDiscovered(id) => self.take_advertisement(&id, adapter).await,
            CentralEvent::DeviceDisconnected(id) => {
                if let Some(device) = device_of(&id.to_string()) {
                    self.tell(Tiding::Dropped(device));
                }
            }
            CentralEvent::StateUpdate(CentralState::PoweredOff) => {
                return std::ops::ControlFlow::Break(());
            }
            // Grows after each connection, so it is no sign of life; the rest says nothing of use.
            CentralEvent::ServicesAdvertisement { .. }
            | CentralEvent::DeviceConnected(_)
            | CentralEvent::DeviceUpdated(_)
            | CentralEvent::DeviceServicesModified(_)
            | CentralEvent::StateUpdate(CentralState::PoweredOn | CentralState::Unknown) => {}
        }
        std::ops::ControlFlow::Continue(())
    }

    /// Notes an advertisement and, at most once a second and device, reports it.
    async fn take_advertisement(&mut self, id: &PeripheralId, adapter: &Adapter) {
        let Some(device) = device_of(&id.to_string()) else { return };
        if !self.sightings.heard(device, self.now()) {
            return;
        }
        let look = async { adapter.peripheral(id).await?.properties().await };
        let properties = match self.ask("properties", look).await {
            Ok(Some(properties)) => properties,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(?device, ?error, "advertisement without a device");
                return;
            }
        };
        // The path of a device that was paired by a private address goes on saying that one.
        let device = DeviceId(properties.address.into_inner());
        // Without RSSI BlueZ only remembers the device.
        let Some(rssi) = properties.rssi else { return };
        if matches!(self.outbox.last(device), Link::Connecting | Link::Lost) {
            self.tell(Tiding::Heard(device));
        }
        let name = properties.local_name.unwrap_or_default();
        let Some(kind) = kind_of(&properties.services, &name) else { return };
        if !self.sightings.has_room(device) {
            return self.outbox.post(Event::Crowded);
        }
        self.sightings.heard(device, self.now());
        let name = untrusted::clean(&name, NAME_CHARS_MAX);
        self.sightings.reported(device);
        self.outbox.post(Event::Seen { device, name, kind, rssi });
    }

    fn report_gone(&mut self) {
        let (now, outbox) = (self.now(), &self.outbox);
        for device in self.sightings.gone(now, |device| outbox.last(device) == Link::Live) {
            outbox.post(Event::Gone(device));
        }
    }

    fn forget_all(&mut self) {
        for device in self.sightings.clear() {
            self.outbox.post(Event::Gone(device));
        }
    }

    /// Does what is due because nothing is heard. False if the scan does not start again.
    async fn feed(
        &mut self,
        watchdog: &mut Watchdog,
        controller: &Controller,
    ) -> Result<bool, LifeError> {
        let Controller { adapter, path, daemon } = controller;
        let links = self.outbox.open_links();
        let is_live = |device: &DeviceId| self.outbox.last(*device) == Link::Live;
        let hurried = links.is_empty() || !links.iter().all(is_live);
        match watchdog.due(self.now(), self.timing(), hurried) {
            Doubt::None => Ok(true),
            Doubt::Ask => {
                let levels = timeout(self.timing().question, daemon.levels(path)).await;
                let levels = levels.map_err(|_| LifeError::NoAnswer("levels"))??;
                if watchdog.told(levels) { Err(LifeError::Deaf) } else { Ok(true) }
            }
            Doubt::ScanAnew => {
                if watchdog.fruitless >= FRUITLESS_MAX && !links.iter().any(is_live) {
                    return Err(LifeError::Deaf);
                }
                tracing::debug!("no advertisement for long; the bluetooth scan is restarted");
                self.stop_scan(adapter).await;
                Ok(self.start_scan(adapter).await)
            }
        }
    }

    fn now(&self) -> BootTime {
        (self.timing().clock)().boot
    }

    fn tell(&self, tiding: Tiding) {
        // An error means that no link is listening, so there is nobody to tell.
        if self.tidings.send(tiding).is_err() {
            tracing::trace!(?tiding, "no link listens");
        }
    }

    /// Bounds a question to BlueZ.
    async fn ask<T>(
        &self,
        what: &'static str,
        question: impl Future<Output = btleplug::Result<T>>,
    ) -> Result<T, LifeError> {
        let answer = timeout(self.timing().question, question).await;
        Ok(answer.map_err(|_| LifeError::NoAnswer(what))??)
    }
}
