//! The link to one wanted device: connect, discover, subscribe, pass frames on, notice the end, again.
//!
//! Nothing in BlueZ can be trusted to tell that a link died, so three things are watched: the
//! disconnection signal, the removal of the device, and silence, after which BlueZ is asked. A link
//! that is silent but connected stays live; that its numbers are old is for the core to say (S-7).

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use btleplug::api::{Central, CharPropFlags, Peripheral as _, ValueNotification};
use btleplug::platform::{Adapter, Peripheral};
use futures_util::{Stream, StreamExt};
use tokio::sync::{broadcast, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::ble::backoff::Backoff;
use crate::ble::outbox::Outbox;
use crate::ble::sightings::{service_of, sig};
use crate::ble::timing::Timing;
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{Event, Link};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

/// Longest attribute value (Core Specification Vol 3 Part F 3.2.9).
const VALUE_MAX: usize = 512;
/// Battery Service and Battery Level.
const BATTERY: (u16, u16) = (0x180F, 0x2A19);

/// What the radio tells the links about single devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tiding {
    /// It advertised.
    Heard(DeviceId),
    /// BlueZ reported it disconnected or removed it.
    Dropped(DeviceId),
}

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
    #[error("the controller is gone")]
    NoAdapter,
    #[error("bluetooth failure")]
    Bluetooth(#[from] btleplug::Error),
}

type Frames = Pin<Box<dyn Stream<Item = ValueNotification> + Send>>;

/// One link and all it needs.
#[derive(Debug)]
pub(super) struct LinkTask {
    pub(super) device: DeviceId,
    pub(super) kind: DeviceKind,
    /// The controller, while it is usable.
    pub(super) adapter: watch::Receiver<Option<Adapter>>,
    pub(super) tidings: broadcast::Receiver<Tiding>,
    pub(super) outbox: Outbox,
    pub(super) timing: Timing,
    /// What the last try got hold of: it has to be let go at the end.
    pub(super) peripheral: Option<Peripheral>,
}

impl LinkTask {
    /// Keeps the link until released, then lets it go.
    pub(super) async fn run(mut self, release: oneshot::Receiver<()>) {
        tokio::select! {
            biased;
            // An error means that whoever could release is gone, which is a release as well.
            _released = release => {}
            () = self.keep() => {}
        }
        self.let_go().await;
    }

    /// Connects again and again. Ends when the life that it belongs to is over.
    async fn keep(&mut self) {
        let mut backoff = Backoff::new(&self.timing);
        loop {
            let Ok(adapter) = self.adapter.wait_for(Option::is_some).await.map(|it| it.clone())
            else {
                return;
            };
            let error = match self.establish(adapter).await {
                Ok((peripheral, frames)) => {
                    backoff.worked();
                    self.outbox.link(self.device, Link::Live);
                    let error = self.pass_on(&peripheral, frames).await;
                    self.outbox.link(self.device, Link::Lost);
                    error
                }
                Err(error) => error,
            };
            // The debug form: D-Bus errors print their name only there, and some have no message.
            tracing::info!(device = ?self.device, ?error, "no bluetooth link");
            self.let_go().await;
            let at_once = matches!(error, LinkError::NotKnown);
            self.pause(backoff.failed(), at_once).await;
        }
    }

    /// Connects, discovers and subscribes, giving up as soon as the controller goes.
    async fn establish(
        &mut self,
        adapter: Option<Adapter>,
    ) -> Result<(Peripheral, Frames), LinkError> {
        let adapter = adapter.ok_or(LinkError::NoAdapter)?;
        // What was heard of an earlier connection says nothing about the next one.
        self.tidings = self.tidings.resubscribe();
        let (device, kind, timing) = (self.device, self.kind, self.timing.clone());
        let peripheral = within(timing.setup, "find", find(&adapter, device)).await?;
        let peripheral = peripheral.ok_or(LinkError::NotKnown)?;
        self.peripheral = Some(peripheral.clone());
        tokio::select! {
            frames = subscribe(&peripheral, kind, &timing) => Ok((peripheral.clone(), frames?)),
            () = gone(&mut self.adapter) => Err(LinkError::NoAdapter),
        }
    }

    /// Passes frames on until the link ends; returns why it ended.
    async fn pass_on(&mut self, peripheral: &Peripheral, mut frames: Frames) -> LinkError {
        let battery = read_battery(peripheral, &self.timing);
        tokio::pin!(battery);
        let mut battery_pending = true;
        let silence = sleep(self.timing.silence);
        tokio::pin!(silence);
        loop {
            tokio::select! {
                frame = frames.next() => {
                    let Some(frame) = frame else { return LinkError::Dropped };
                    silence.as_mut().reset(Instant::now() + self.timing.silence);
                    if let Some(characteristic) = measured(self.kind, &frame) {
                        self.post(characteristic, frame.value);
                    }
                }
                level = &mut battery, if battery_pending => {
                    battery_pending = false;
                    if let Some(level) = level {
                        self.post(Characteristic(BATTERY.1), level);
                    }
                }
                () = &mut silence => {
                    if !self.is_connected(peripheral).await {
                        return LinkError::Silent;
                    }
                    silence.as_mut().reset(Instant::now() + self.timing.silence);
                }
                tiding = self.tidings.recv() => match tiding {
                    Ok(Tiding::Dropped(device)) if device == self.device => {
                        return LinkError::Dropped;
                    }
                    Ok(Tiding::Dropped(_) | Tiding::Heard(_)) => {}
                    // Something was missed; it may have been ours.
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        if !self.is_connected(peripheral).await {
                            return LinkError::Dropped;
                        }
                    }
                    Err(broadcast::error::RecvError::Closed) => return LinkError::NoAdapter,
                },
                () = gone(&mut self.adapter) => return LinkError::NoAdapter,
            }
        }
    }

    fn post(&self, characteristic: Characteristic, mut payload: Vec<u8>) {
        payload.truncate(VALUE_MAX);
        let received = Moment::read();
        self.outbox.post(Event::Frame { device: self.device, characteristic, payload, received });
    }

    /// Asks BlueZ; no answer in time, or an error, is a no.
    async fn is_connected(&self, peripheral: &Peripheral) -> bool {
        matches!(timeout(self.timing.question, peripheral.is_connected()).await, Ok(Ok(true)))
    }

    /// Disconnects. For a connection that is still being made this is BlueZ's way to cancel it.
    async fn let_go(&mut self) {
        let Some(peripheral) = self.peripheral.take() else { return };
        let release = within(self.timing.release, "disconnect", peripheral.disconnect());
        if let Err(error) = release.await {
            tracing::debug!(device = ?self.device, ?error, "not disconnected");
        }
    }

    /// Waits before the next try; an advertisement ends the wait early, but never makes tries follow
    /// each other without any pause, unless nothing was tried.
    async fn pause(&mut self, wait: Duration, at_once: bool) {
        let floor = if at_once { Duration::ZERO } else { self.timing.retry_first / 2 };
        sleep(floor.min(wait)).await;
        let rest = sleep(wait.saturating_sub(floor));
        tokio::pin!(rest);
        loop {
            tokio::select! {
                () = &mut rest => return,
                tiding = self.tidings.recv() => match tiding {
                    Ok(Tiding::Heard(device)) if device == self.device => return,
                    Ok(Tiding::Heard(_) | Tiding::Dropped(_)) => {}
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    // The life is ending; so is this task.
                    Err(broadcast::error::RecvError::Closed) => return,
                },
            }
        }
    }
}

/// Ends when the controller cannot be used any more.
async fn gone(adapter: &mut watch::Receiver<Option<Adapter>>) {
    if adapter.wait_for(Option::is_none).await.is_err() {
        tracing::trace!("the bluetooth life is over");
    }
}

/// The characteristics that carry a kind's measurements, all in the kind's service.
fn measurements(kind: DeviceKind) -> &'static [u16] {
    match kind {
        // Heart Rate Measurement.
        DeviceKind::HeartRate => &[0x2A37],
        // PLX Continuous and PLX Spot-Check Measurement.
        DeviceKind::PulseOximeter => &[0x2A5F, 0x2A5E],
        // Blood Pressure Measurement; the pressure of a cuff that still inflates is none.
        DeviceKind::Cuff => &[0x2A35],
        // Temperature Measurement; an intermediate one is none.
        DeviceKind::Thermometer => &[0x2A1C],
        // Glucose Measurement, and its context.
        DeviceKind::GlucoseMeter => &[0x2A18, 0x2A34],
        // Weight Measurement.
        DeviceKind::Scale => &[0x2A9D],
        DeviceKind::Patch => &[],
    }
}

/// Which characteristic of interest a notification belongs to.
fn measured(kind: DeviceKind, frame: &ValueNotification) -> Option<Characteristic> {
    if frame.service_uuid == sig(BATTERY.0) && frame.uuid == sig(BATTERY.1) {
        return Some(Characteristic(BATTERY.1));
    }
    if Some(frame.service_uuid) != service_of(kind) {
        return None;
    }
    let mut wanted = measurements(kind).iter().copied();
    wanted.find(|number| frame.uuid == sig(*number)).map(Characteristic)
}

async fn find(adapter: &Adapter, device: DeviceId) -> btleplug::Result<Option<Peripheral>> {
    let mut known = adapter.peripherals().await?.into_iter();
    Ok(known.find(|peripheral| peripheral.address().into_inner() == device.0))
}

/// Connects and subscribes to everything that measures. The stream is opened first: a device may
/// send what it has stored as soon as it is subscribed to.
async fn subscribe(
    peripheral: &Peripheral,
    kind: DeviceKind,
    timing: &Timing,
) -> Result<Frames, LinkError> {
    within(timing.connect, "connect", peripheral.connect()).await?;
    let frames = within(timing.setup, "listen", peripheral.notifications()).await?;
    within(timing.setup, "discover", peripheral.discover_services()).await?;
    let service = service_of(kind).ok_or(LinkError::NothingToMeasure)?;
    let mut failure = None;
    let mut subscribed = 0_usize;
    for number in measurements(kind) {
        let Some(characteristic) = characteristic(peripheral, service, *number) else { continue };
        match within(timing.setup, "subscribe", peripheral.subscribe(&characteristic)).await {
            Ok(()) => subscribed += 1,
            Err(error) => failure = Some(error),
        }
    }
    match (subscribed, failure) {
        (0, Some(error)) => Err(error),
        (0, None) => Err(LinkError::NothingToMeasure),
        (_, failure) => {
            if let Some(error) = failure {
                tracing::warn!(?error, "a characteristic was not subscribed to");
            }
            Ok(frames)
        }
    }
}

fn characteristic(
    peripheral: &Peripheral,
    service: uuid::Uuid,
    number: u16,
) -> Option<btleplug::api::Characteristic> {
    let services = peripheral.services();
    let service = services.iter().find(|found| found.uuid == service)?;
    service.characteristics.iter().find(|found| found.uuid == sig(number)).cloned()
}

/// Subscribes to the battery level and reads it once. A device without one, or one that refuses, is
/// as good as any.
async fn read_battery(peripheral: &Peripheral, timing: &Timing) -> Option<Vec<u8>> {
    let level = characteristic(peripheral, sig(BATTERY.0), BATTERY.1)?;
    if level.properties.intersects(CharPropFlags::NOTIFY | CharPropFlags::INDICATE)
        && let Err(error) = within(timing.setup, "battery", peripheral.subscribe(&level)).await
    {
        tracing::debug!(?error, "battery not subscribed to");
    }
    match within(timing.setup, "battery", peripheral.read(&level)).await {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::debug!(?error, "battery not read");
            None
        }
    }
}

/// Bounds a step: btleplug's own limit for a call is 30 s.
async fn within<T>(
    limit: Duration,
    step: &'static str,
    work: impl Future<Output = btleplug::Result<T>>,
) -> Result<T, LinkError> {
    let done = timeout(limit, work).await.map_err(|_| LinkError::TookTooLong(step))?;
    Ok(done?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_profile_s_own_characteristics_are_passed_on() {
        let frame = |service: u16, number: u16| ValueNotification {
            uuid: sig(number),
            service_uuid: sig(service),
            value: vec![],
        };
        for (kind, service, number, passed) in [
            (DeviceKind::HeartRate, 0x180D, 0x2A37, true),
            (DeviceKind::HeartRate, 0x180D, 0x2A38, false),
            (DeviceKind::HeartRate, 0x1822, 0x2A37, false),
            (DeviceKind::HeartRate, 0x1822, 0x2A5F, false),
            (DeviceKind::HeartRate, 0x180F, 0x2A19, true),
            (DeviceKind::PulseOximeter, 0x1822, 0x2A5F, true),
            (DeviceKind::PulseOximeter, 0x1822, 0x2A5E, true),
            (DeviceKind::PulseOximeter, 0x180D, 0x2A37, false),
            (DeviceKind::PulseOximeter, 0x180F, 0x2A19, true),
            (DeviceKind::Cuff, 0x1810, 0x2A35, true),
            (DeviceKind::Cuff, 0x1810, 0x2A36, false),
            (DeviceKind::Thermometer, 0x1809, 0x2A1C, true),
            (DeviceKind::GlucoseMeter, 0x1808, 0x2A18, true),
            (DeviceKind::Scale, 0x181D, 0x2A9D, true),
            (DeviceKind::Patch, 0x180D, 0x2A37, false),
        ] {
            let expected = passed.then_some(Characteristic(number));
            assert_eq!(measured(kind, &frame(service, number)), expected, "{kind:?} {number:04x}");
        }
    }
}
