//! What drivers tell of devices: which are near, how their links and bonds stand, what they send.

use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{Event, PairingStep};
use wardkeep_model::vitals::Format;

use crate::effect::Effect;
use crate::monitor::Monitor;
use crate::pairing::Advertisement;

/// Takes it; and says whether the cart has to remember something of it.
pub(super) fn of_device(monitor: &mut Monitor, now: Moment, event: Event) -> (Vec<Effect>, bool) {
    match event {
        Event::Seen { device, name, kind, rssi } => {
            monitor.seen(now.boot, device, Advertisement { name: &name, kind, rssi });
        }
        Event::Frame { device, characteristic, payload, received } => {
            let format = Format::Profile(characteristic);
            return (monitor.frame(device, format, &payload, received), false);
        }
        Event::VendorFrame { device, protocol, payload, received } => {
            let format = Format::Vendor(protocol);
            return (monitor.frame(device, format, &payload, received), false);
        }
        Event::Measured { device, decoded, received } => {
            return (monitor.measured(device, &decoded, received), false);
        }
        Event::Crowded => monitor.crowded(now.boot),
        Event::Gone(device) => monitor.gone(device),
        Event::Link(device, link) => {
            return (monitor.link(now.boot, device, link).into_iter().collect(), false);
        }
        Event::NoRoom(device, no_room) => monitor.no_room(device, no_room),
        Event::Table(device, table) => return (vec![], monitor.offers(device, table)),
        Event::Pairing(device, step) => {
            let is_news = matches!(step, PairingStep::Bonded(_) | PairingStep::Forgotten);
            return (monitor.paired(device, step), is_news);
        }
        Event::Wrote(device, what, done) => monitor.wrote(now.boot, device, what, done),
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
    (vec![], false)
}
