//! What the tasks of one life share.

use tokio::sync::{broadcast, watch};

use crate::ble::bluez::Controller;
use crate::ble::claims::Claims;
use crate::ble::links::Orders;
use crate::ble::outbox::Outbox;
use crate::ble::places::Places;
use crate::ble::timing::Timing;
use wardkeep_model::ports::Want;
use wardkeep_model::vitals::DeviceId;

/// Longest attribute value (Core Specification Vol 3 Part F 3.2.9).
pub(super) const VALUE_MAX: usize = 512;

/// What is told to links about single devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tiding {
    /// It advertised.
    Heard(DeviceId),
    /// BlueZ reported it disconnected or removed it.
    Dropped(DeviceId),
    /// Its connection ended because its encryption failed.
    AuthenticationFailed(DeviceId),
    /// BlueZ asked whether it may be paired, and it may not.
    Refused(DeviceId),
    /// It was paired.
    Bonded(DeviceId),
    /// It has to give its place to another.
    GiveWay(DeviceId),
}

/// What the tasks of one life share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    /// The controller, while it is usable.
    pub(super) controller: watch::Receiver<Option<Controller>>,
    pub(super) orders: watch::Receiver<Orders>,
    pub(super) tidings: broadcast::Sender<Tiding>,
    pub(super) claims: Claims,
    pub(super) places: Places,
    pub(super) outbox: Outbox,
    pub(super) timing: Timing,
}

impl Shared {
    /// The controller, if one is usable.
    pub(super) fn controller(&self) -> Option<Controller> {
        self.controller.borrow().clone()
    }

    /// What is wanted of a device.
    pub(super) fn wanted(&self, device: DeviceId) -> Option<Want> {
        self.orders.borrow().wanted.get(&device).map(|wanted| wanted.what)
    }

    /// Tells every link.
    pub(super) fn tell(&self, tiding: Tiding) {
        // An error means that no link is listening, so there is nobody to tell.
        if self.tidings.send(tiding).is_err() {
            tracing::trace!(?tiding, "no link listens");
        }
    }
}
