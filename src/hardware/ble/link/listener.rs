//! What a linked device notifies, as frames: of its profile, or of its vendor's own protocol; and what that
//! protocol wants to be asked.

use std::future::pending;

use btleplug::api::{CharPropFlags, Peripheral as _, ValueNotification, WriteType};
use btleplug::platform::Peripheral;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::ble::link::LinkError;
use crate::ble::link::gatt::{characteristic, within};
use crate::ble::profile::{self, Way, uuid};
use crate::ble::shared::VALUE_MAX;
use crate::ble::timing::Timing;
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::Event;
use wardkeep_model::vitals::vendor::{Assembler, Known};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

/// Makes frames of one device's notifications, for as long as its link lasts.
#[derive(Debug)]
pub(super) struct Listener {
    device: DeviceId,
    kind: DeviceKind,
    vendor: Option<(&'static Known, Assembler)>,
}

impl Listener {
    pub(super) fn new(device: DeviceId, kind: DeviceKind, way: Way) -> Self {
        let vendor = match way {
            Way::Profile => None,
            Way::Vendor(known) => Some((known, Assembler::new(known.protocol))),
        };
        Self { device, kind, vendor }
    }

    /// The frames that a notification completes; and whether it is what the device is there for.
    pub(super) fn take(&mut self, notified: ValueNotification) -> (Vec<Event>, bool) {
        let ValueNotification { uuid: of, service_uuid: service, value: mut payload, .. } =
            notified;
        let (received, device) = (Moment::read(), self.device);
        if let Some((known, assembler)) = &mut self.vendor
            && profile::is_of(known, service, of)
        {
            let protocol = known.protocol;
            let whole = assembler.take(received.boot, &payload).into_iter();
            let event = |payload| Event::VendorFrame { device, protocol, payload, received };
            return (whole.map(event).collect(), true);
        }
        let Some(characteristic) = profile::notified(self.kind, service, of) else {
            return (vec![], false);
        };
        payload.truncate(VALUE_MAX);
        let frame = Event::Frame { device, characteristic, payload, received };
        (vec![frame], characteristic.0 != profile::BATTERY.1)
    }
}

/// Asks what the device has to be asked, for as long as the link lasts; `answered` ends the wait for an
/// answer. A device that answers nothing is asked on, and is live without a value. Returns when a question
/// cannot be written: then there is no link.
pub(super) async fn ask(
    peripheral: &Peripheral,
    way: Way,
    answered: &Notify,
    timing: &Timing,
) -> LinkError {
    let Way::Vendor(known) = way else { return pending().await };
    let (service, write) = (known.endpoint().service, known.endpoint().write);
    let place = uuid(service).zip(write.first().and_then(|one| uuid(one)));
    let place = place.and_then(|(service, write)| characteristic(peripheral, service, write));
    let Some(place) = place.filter(|_| !known.asks.questions.is_empty()) else {
        return pending().await;
    };
    let how = if place.properties.contains(CharPropFlags::WRITE) {
        WriteType::WithResponse
    } else {
        WriteType::WithoutResponse
    };
    loop {
        for question in known.asks.questions {
            let written = peripheral.write(&place, question, how);
            if let Err(error) = within(timing.setup, "ask", written).await {
                return error;
            }
            if timeout(timing.answer, answered.notified()).await.is_err() {
                tracing::debug!(protocol = known.protocol.word(), "not answered");
            }
        }
        match known.asks.again {
            Some(again) => sleep(again).await,
            None => return pending().await,
        }
    }
}
