//! The steps of making a link, each bounded: find the device, subscribe, read.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use btleplug::api::{Central, CharPropFlags, Characteristic, Peripheral as _, ValueNotification};
use btleplug::platform::{Adapter, Peripheral};
use futures_util::Stream;
use tokio::time::timeout;
use uuid::Uuid;

use crate::ble::link::LinkError;
use crate::ble::profile::{self, Way, sig};
use crate::ble::timing::Timing;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

/// What a device notifies.
pub(super) type Frames = Pin<Box<dyn Stream<Item = ValueNotification> + Send>>;

/// The device of this address, if the controller knows it.
pub(super) async fn find(
    adapter: &Adapter,
    device: DeviceId,
) -> btleplug::Result<Option<Peripheral>> {
    let mut known = adapter.peripherals().await?.into_iter();
    Ok(known.find(|peripheral| peripheral.address().into_inner() == device.0))
}

/// Subscribes to what the control points answer, and then to everything that measures. A device whose
/// control points refuse still measures.
pub(super) async fn subscribe(
    peripheral: &Peripheral,
    (kind, way): (DeviceKind, Way),
    timing: &Timing,
) -> Result<(), LinkError> {
    let services = profile::services_of(kind).filter(|_| way == Way::Profile);
    for (service, number) in services.flat_map(|it| profile::control_points().map(move |n| (it, n)))
    {
        if let Some(found) = characteristic(peripheral, service, sig(number))
            && let Err(error) =
                within(timing.setup, "subscribe", peripheral.subscribe(&found)).await
        {
            tracing::warn!(number, ?error, "a control point was not subscribed to");
        }
    }
    let mut failure = None;
    let mut subscribed = 0_usize;
    for (service, uuid) in measurements(kind, way) {
        let better = profile::better(uuid);
        if better.is_some_and(|it| characteristic(peripheral, service, it).is_some()) {
            continue;
        }
        let Some(found) = characteristic(peripheral, service, uuid) else { continue };
        match within(timing.setup, "subscribe", peripheral.subscribe(&found)).await {
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
            Ok(())
        }
    }
}

/// What carries a device's measurements, each with its service.
fn measurements(kind: DeviceKind, way: Way) -> Vec<(Uuid, Uuid)> {
    match way {
        Way::Profile => profile::measuring(kind).collect(),
        Way::Vendor(known) => profile::vendor_notifies(known).collect(),
    }
}

/// A characteristic of a service, if the device has it.
pub(super) fn characteristic(
    peripheral: &Peripheral,
    service: Uuid,
    uuid: Uuid,
) -> Option<Characteristic> {
    let services = peripheral.services();
    let service = services.iter().find(|found| found.uuid == service)?;
    service.characteristics.iter().find(|found| found.uuid == uuid).cloned()
}

/// Reads a value once, and subscribes to it where it can change. A device without it, or one that
/// refuses, is as good as any.
pub(super) async fn read(
    peripheral: &Peripheral,
    service: Uuid,
    number: u16,
    timing: &Timing,
) -> Option<Vec<u8>> {
    let found = characteristic(peripheral, service, sig(number))?;
    let is_battery = number == profile::BATTERY.1;
    if is_battery
        && found.properties.intersects(CharPropFlags::NOTIFY | CharPropFlags::INDICATE)
        && let Err(error) = within(timing.setup, "subscribe", peripheral.subscribe(&found)).await
    {
        tracing::debug!(number, ?error, "not subscribed to");
    }
    match within(timing.setup, "read", peripheral.read(&found)).await {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::debug!(number, ?error, "not read");
            None
        }
    }
}

/// Bounds a step: btleplug's own limit for a call is 30 s.
pub(super) async fn within<T>(
    limit: Duration,
    step: &'static str,
    work: impl Future<Output = btleplug::Result<T>>,
) -> Result<T, LinkError> {
    let done = timeout(limit, work).await.map_err(|_| LinkError::TookTooLong(step))?;
    Ok(done?)
}
