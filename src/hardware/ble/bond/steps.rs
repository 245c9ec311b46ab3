//! The steps of a pairing, and how one that did not work is ended.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::ble::backoff::Backoff;
use crate::ble::bluez::{Controller, Known, Refusal};
use crate::ble::bond::fault;
use crate::ble::timing::Timing;
use wardkeep_model::vitals::DeviceId;

/// Tries of a `Pair` that BlueZ is too busy for.
const BUSY_MAX: u32 = 8;

/// Why a device could not be bonded.
#[derive(Debug, thiserror::Error)]
pub(super) enum BondError {
    #[error("not heard")]
    NotHeard,
    #[error("paired, but no keys were kept")]
    NotKept,
    #[error("bluez")]
    Refused(#[from] Refusal),
}

/// Bonds a device; returns its identity. An old bond is dropped first: nobody here knows what it is
/// worth. `admitted` is given the object's path when BlueZ may ask.
pub(super) async fn bond(
    controller: &Controller,
    device: DeviceId,
    timing: &Timing,
    admitted: &OnceLock<String>,
) -> Result<DeviceId, BondError> {
    let daemon = &controller.daemon;
    let old = daemon.find(&controller.path, device).await?.filter(|known| known.is_bonded);
    if let Some(old) = old {
        daemon.forget(old.path.as_str()).await?;
    }
    let known = heard(controller, device, timing).await?;
    let path = admitted.get_or_init(|| known.path.as_str().to_owned());
    let mut backoff = Backoff::new(timing);
    let mut tries = 0;
    loop {
        match daemon.pair(path).await {
            Ok(()) => break,
            Err(refusal) if fault::is_busy(&refusal) && tries < BUSY_MAX => {
                tries += 1;
                sleep(backoff.failed()).await;
            }
            Err(refusal) => return Err(refusal.into()),
        }
    }
    if let Err(refusal) = daemon.trust(path).await {
        tracing::warn!(?device, ?refusal, "bonded, but not trusted");
    }
    let after = daemon.known(path).await?;
    if after.is_bonded { Ok(after.address) } else { Err(BondError::NotKept) }
}

/// Waits until BlueZ knows the device.
async fn heard(
    controller: &Controller,
    device: DeviceId,
    timing: &Timing,
) -> Result<Known, BondError> {
    let until = Instant::now() + timing.reach;
    loop {
        if let Some(known) = controller.daemon.find(&controller.path, device).await? {
            return Ok(known);
        }
        if Instant::now() >= until {
            return Err(BondError::NotHeard);
        }
        sleep_until((Instant::now() + timing.tick).min(until)).await;
    }
}

/// Ends what is left of a pairing that did not work.
pub(super) async fn end(controller: &Controller, path: &str, is_pairing: bool, limit: Duration) {
    let ended = async {
        if is_pairing && let Err(refusal) = controller.daemon.cancel_pairing(path).await {
            tracing::debug!(?refusal, "the pairing was not cancelled");
        }
        if let Err(refusal) = controller.daemon.disconnect(path).await {
            tracing::debug!(?refusal, "not disconnected");
        }
        // BlueZ no longer says what such a device measures, until it has heard it as a new one.
        if let Err(refusal) = controller.daemon.forget(path).await {
            tracing::debug!(?refusal, "not forgotten");
        }
    };
    if timeout(limit, ended).await.is_err() {
        tracing::warn!("a pairing did not end in time");
    }
}
