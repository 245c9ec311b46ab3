//! The USB badge readers that are plugged in, claimed as they come.

use std::time::Duration;

use rusb::{Context, UsbContext};

use crate::presence::badges::{Field, Slot};
use crate::usb_badge::station::{Model, Station};
use crate::usb_badge::usb::{Claimed, UsbError, UsbId};
use wardkeep_model::access::readers::AllowedReaders;
use wardkeep_model::access::refusal::ReaderRefusal;
use wardkeep_model::moment::BootTime;
use wardkeep_model::ports::{Event, ReaderHealth};

/// How often a reader without interrupts is asked.
const POLL: Duration = Duration::from_millis(100);
/// How often the list of devices is looked through.
const LIST: Duration = Duration::from_secs(1);

/// What one look at the machine finds, for `wardkeepctl doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the reader is called.
    pub name: &'static str,
    /// Its USB number.
    pub id: UsbId,
    /// Its node may be opened, so that it could be claimed.
    pub may_open: bool,
}

/// What the site says of USB readers.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Vendor and product of a reader that behaves as a keyboard.
    pub keyboard_badge: Option<UsbId>,
    /// At which readers anything is read.
    pub allowed: AllowedReaders,
}

/// Looks for readers without claiming one.
pub fn probe(keyboard_badge: Option<UsbId>) -> Vec<Found> {
    let devices = Context::new().and_then(|context| context.devices());
    let Ok(devices) = devices else { return Vec::new() };
    let found = devices.iter().filter_map(|device| {
        let descriptor = device.device_descriptor().ok()?;
        let id = (descriptor.vendor_id(), descriptor.product_id());
        let name = Model::of(id, keyboard_badge)?.name();
        // Something else may hold it; that shows only when it is claimed.
        let may_open = !matches!(device.open(), Err(rusb::Error::Access));
        Some(Found { name, id, may_open })
    });
    found.collect()
}

/// The readers that are plugged in.
#[derive(Default)]
pub(super) struct Stations {
    context: Option<Context>,
    stations: Vec<Station>,
    field: Field,
    slots_used: u32,
    /// A reader is there that could not be claimed.
    refused: bool,
    /// Readers that were told of because they are not used, by bus and address.
    told: Vec<(u8, u8)>,
    /// What was refused, for the audit log, and at which reader.
    refusals: Vec<(String, ReaderRefusal)>,
    list_at: BootTime,
}

impl Stations {
    /// Looks through the list of devices when it is time to.
    pub(super) fn list_when_due(&mut self, now: BootTime, site: &Site) {
        if now >= self.list_at {
            self.list(now, site);
        }
    }

    /// Brings the readers into agreement with what is plugged in.
    fn list(&mut self, now: BootTime, site: &Site) {
        self.list_at = now + LIST;
        self.refused = false;
        let context = match &self.context {
            Some(context) => context.clone(),
            None => match Context::new() {
                Ok(context) => self.context.insert(context).clone(),
                Err(error) => {
                    tracing::warn!(%error, "USB cannot be used");
                    return;
                }
            },
        };
        let Ok(devices) = context.devices() else { return };
        let mut plugged = Vec::new();
        for device in devices.iter() {
            let Ok(descriptor) = device.device_descriptor() else { continue };
            let id = (descriptor.vendor_id(), descriptor.product_id());
            let Some(model) = Model::of(id, site.keyboard_badge) else { continue };
            let place = (device.bus_number(), device.address());
            plugged.push(place);
            if self.stations.iter().any(|station| station.place() == place) {
                continue;
            }
            // Claimed all the same: a reader that is not allowed must not type into the screen.
            let allowed = site.allowed.allows_usb(model.name(), id);
            let slot = Slot(self.slots_used);
            let opened = Claimed::claim(&device)
                .and_then(|claimed| Station::connect(place, slot, (model, id), allowed, claimed));
            match opened {
                Ok(station) => {
                    self.slots_used = self.slots_used.wrapping_add(1);
                    let types = station.types().then_some(ReaderRefusal::ReaderTypes);
                    let barred = (!allowed).then_some(ReaderRefusal::ReaderNotAllowed);
                    for what in [types, barred].into_iter().flatten() {
                        self.refusals.push((station.name().to_owned(), what));
                    }
                    self.stations.push(station);
                }
                Err(UsbError::Gone) => {}
                Err(error @ (UsbError::Refused | UsbError::Fault(_))) => {
                    self.refused = true;
                    tracing::debug!(%error, "a badge reader could not be claimed");
                    if !self.told.contains(&place) {
                        self.told.push(place);
                        self.refusals.push((model.shown(id), ReaderRefusal::ReaderNotOurs));
                    }
                }
            }
        }
        self.told.retain(|place| plugged.contains(place));
        for gone in self.stations.extract_if(.., |station| !plugged.contains(&station.place())) {
            self.field.lift(gone.slot());
        }
    }

    /// Looks at every reader; returns what the core is to be told.
    pub(super) fn attend(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let patience = POLL / u32::try_from(self.stations.len().max(1)).unwrap_or(u32::MAX);
        let field = &mut self.field;
        self.stations.retain_mut(|station| {
            let kept = station.attend(patience, field, &mut events);
            if !kept {
                field.lift(station.slot());
            }
            kept
        });
        events.extend(field.settle());
        let named = field.refused().into_iter().filter_map(|(slot, what)| {
            let station = self.stations.iter().find(|station| station.slot() == slot)?;
            Some((station.name().to_owned(), what))
        });
        let refused = self.refusals.drain(..).chain(named);
        events.extend(refused.map(|(reader, what)| Event::ReaderRefused { reader, what }));
        events
    }

    /// Whether badges can be read.
    pub(super) fn health(&self) -> ReaderHealth {
        match (!self.stations.iter().any(Station::is_allowed), self.refused) {
            (false, _) => ReaderHealth::Ready,
            (true, true) => ReaderHealth::Refused,
            (true, false) => ReaderHealth::NotFitted,
        }
    }

    /// How long to rest until the next look; reading a keyboard is rest enough.
    pub(super) fn patience(&self) -> Duration {
        if self.stations.iter().any(Station::waits) { Duration::ZERO } else { POLL }
    }

    /// Lets go of everything.
    pub(super) fn forget(&mut self, now: BootTime) {
        self.stations.clear();
        self.field.clear();
        self.context = None;
        self.list_at = now + LIST;
    }
}
