//! Errands beside a pairing: forgetting, writing, letting go.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::ble::bluez::{Controller, Daemon, Refusal};
use crate::ble::bond::fault;
use crate::ble::bond::window::Course;
use crate::ble::profile::sig;
use crate::ble::profile::{CLOCK, writable};
use crate::ble::shared::{Shared, VALUE_MAX};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{Event, Link, PairingFault, PairingStep, WriteFault};
use wardkeep_model::vitals::{Characteristic, DeviceId};

/// Drops a bond.
pub(super) async fn forget(shared: Shared, device: DeviceId) {
    let step = match shared.controller() {
        None => PairingStep::Failed(PairingFault::NoAdapter),
        Some(controller) => {
            match timeout(shared.timing.setup, drop_bond(&controller, device)).await {
                Ok(Ok(())) => PairingStep::Forgotten,
                Ok(Err(refusal)) => {
                    tracing::warn!(?device, ?refusal, "not forgotten");
                    PairingStep::Failed(fault::of_pairing(&refusal, Course::default()))
                }
                Err(_) => PairingStep::Failed(PairingFault::TimedOut),
            }
        }
    };
    shared.outbox.pairing(device, step);
}

/// Writes to a live device. A clock that was set is read: what it shows says whether it took the time.
pub(super) async fn write(shared: Shared, device: DeviceId, what: Characteristic, bytes: Vec<u8>) {
    let place = timeout(shared.timing.setup, place_of(&shared, device, what)).await;
    let place = place.unwrap_or(Err(WriteFault::TimedOut));
    let written = match &place {
        Ok((daemon, path)) => {
            let written = timeout(shared.timing.write, daemon.write(path, &bytes)).await;
            let refused = |refusal| refused(device, what, &refusal);
            written.map_or(Err(WriteFault::TimedOut), |it| it.map_err(refused))
        }
        Err(fault) => Err(*fault),
    };
    shared.places.used(device, Moment::read().boot);
    shared.outbox.post(Event::Wrote(device, what, written));
    if let Ok((daemon, path)) = place
        && what.0 == CLOCK.1
        && let Ok(Ok(mut payload)) = timeout(shared.timing.write, daemon.read(&path)).await
    {
        payload.truncate(VALUE_MAX);
        let received = Moment::read();
        shared.outbox.post(Event::Frame { device, characteristic: what, payload, received });
    }
}

/// Where a characteristic of a live device that may be written stands.
async fn place_of(
    shared: &Shared,
    device: DeviceId,
    what: Characteristic,
) -> Result<(Daemon, String), WriteFault> {
    let kind = shared.wanted(device).map(|want| want.kind);
    let live = shared.outbox.last(device) == Link::Live;
    let (kind, controller) =
        kind.filter(|_| live).zip(shared.controller()).ok_or(WriteFault::NotLinked)?;
    shared.places.used(device, Moment::read().boot);
    let refused = |refusal| refused(device, what, &refusal);
    let daemon = &controller.daemon;
    let known = daemon.find(&controller.path, device).await.map_err(refused)?;
    let path = known.ok_or(WriteFault::NotLinked)?.path;
    let table = daemon.table(path.as_str()).await.map_err(refused)?;
    let place = table.place(&writable(kind), sig(what.0));
    let place = place.ok_or(WriteFault::NoSuchCharacteristic)?;
    Ok((daemon.clone(), format!("{path}/{place}")))
}

fn refused(device: DeviceId, what: Characteristic, refusal: &Refusal) -> WriteFault {
    tracing::info!(?device, ?what, ?refusal, "not written");
    fault::of_writing(refusal)
}

/// Lets a device go that was paired and that nobody wants a link to, so that it can sleep.
pub(super) async fn let_go_unless_wanted(shared: Shared, device: DeviceId) {
    sleep(shared.timing.hand_over).await;
    if shared.wanted(device).is_some() {
        return;
    }
    if let Some(controller) = shared.controller() {
        disconnect(&controller, device, shared.timing.release).await;
    }
}

/// Drops a device's bond, if there is one.
async fn drop_bond(controller: &Controller, device: DeviceId) -> Result<(), Refusal> {
    match controller.daemon.find(&controller.path, device).await? {
        Some(known) => controller.daemon.forget(known.path.as_str()).await,
        None => Ok(()),
    }
}

async fn disconnect(controller: &Controller, device: DeviceId, limit: Duration) {
    let disconnected = async {
        match controller.daemon.find(&controller.path, device).await? {
            Some(known) => controller.daemon.disconnect(known.path.as_str()).await,
            None => Ok(()),
        }
    };
    match timeout(limit, disconnected).await {
        Ok(Ok(())) => {}
        Ok(Err(refusal)) => tracing::debug!(?device, ?refusal, "not disconnected"),
        Err(_) => tracing::warn!(?device, "not disconnected in time"),
    }
}
