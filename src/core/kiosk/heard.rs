//! What drivers tell of devices: which are near, how their links and bonds stand, what they send.

use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{Event, PairingStep};
use wardkeep_model::vitals::{Characteristic, Format};

use crate::effect::Effect;
use crate::kiosk::held::Held;
use crate::kiosk::pages::{inventory, readings};
use crate::monitor::Monitor;
use crate::pairing::Advertisement;

/// What comes of it.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) effects: Vec<Effect>,
    /// The cart has to remember something of it.
    pub(super) is_news: bool,
    pub(super) notice: Option<Notice>,
}

/// Takes it.
pub(super) fn of_device(
    (monitor, held): (&mut Monitor, &mut Held),
    now: Moment,
    event: Event,
) -> Heard {
    let mut heard = Heard::default();
    match event {
        Event::Seen { device, name, kind, rssi } => {
            monitor.seen(now.boot, device, Advertisement { name: &name, kind, rssi });
        }
        Event::Frame { device, characteristic, payload, received } => {
            let format = Format::Profile(characteristic);
            heard.effects = monitor.frame(device, format, &payload, received);
            heard.notice = monitor.take_failed().map(readings::failure);
        }
        Event::VendorFrame { device, protocol, payload, received } => {
            let format = Format::Vendor(protocol);
            heard.effects = monitor.frame(device, format, &payload, received);
            heard.notice = monitor.take_failed().map(readings::failure);
        }
        Event::Measured { device, decoded, received } => {
            heard.effects = monitor.measured(device, &decoded, received);
        }
        Event::Crowded => monitor.crowded(now.boot),
        Event::Gone(device) => monitor.gone(device),
        Event::Link(device, link) => heard.effects.extend(monitor.link(now, device, link)),
        Event::NoRoom(device, no_room) => monitor.no_room(device, no_room),
        Event::Table(device, table) => heard.is_news = monitor.offers(device, table),
        Event::Pairing(device, step) => {
            held.paired(device, step);
            heard.is_news = matches!(step, PairingStep::Bonded(_) | PairingStep::Forgotten);
            heard.effects = monitor.paired(device, step);
        }
        Event::Wrote(_, Characteristic::ALERT_LEVEL, done) => {
            heard.notice = inventory::answered(done);
        }
        Event::Wrote(device, what, done) => {
            heard.effects.extend(monitor.wrote(now, device, what, done));
        }
        Event::Refused(device, is_refused) => monitor.refused(device, is_refused),
        // Of readers, of this machine, or a waveform.
        Event::Reader(..)
        | Event::BadgePresented(_)
        | Event::BadgeUnreadable(_)
        | Event::BadgeRemoved
        | Event::ReaderRefused { .. }
        | Event::Factor(_)
        | Event::Radio(_)
        | Event::Speaker(_)
        | Event::Wave { .. }
        | Event::Overrun { .. } => {}
    }
    heard
}
