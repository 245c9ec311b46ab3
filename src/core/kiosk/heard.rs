//! What drivers tell of devices beside what these measure: which are near, how their links and bonds stand.

use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{Event, PairingStep};

use crate::effect::Effect;
use crate::kiosk::held::Held;
use crate::monitor::Monitor;
use crate::pairing::Advertisement;

/// Takes it; and says whether the cart has to remember something of it.
pub(super) fn of_device(
    (monitor, held): (&mut Monitor, &mut Held),
    now: Moment,
    event: Event,
) -> (Vec<Effect>, bool) {
    match event {
        Event::Seen { device, name, kind, rssi } => {
            monitor.seen(now.boot, device, Advertisement { name: &name, kind, rssi });
        }
        Event::Crowded => monitor.crowded(now.boot),
        Event::Gone(device) => monitor.gone(device),
        Event::Link(device, link) => {
            return (monitor.link(now.boot, device, link).into_iter().collect(), false);
        }
        Event::NoRoom(device, no_room) => monitor.no_room(device, no_room),
        Event::Table(device, table) => return (vec![], monitor.offers(device, table)),
        Event::Pairing(device, step) => {
            held.paired(device, step);
            let is_news = matches!(step, PairingStep::Bonded(_) | PairingStep::Forgotten);
            return (monitor.paired(device, step), is_news);
        }
        Event::Wrote(device, what, done) => {
            return (monitor.wrote(now, device, what, done).into_iter().collect(), false);
        }
        Event::Refused(device, is_refused) => monitor.refused(device, is_refused),
        // Of readers, of this machine, or what is measured.
        Event::Reader(..)
        | Event::BadgePresented(_)
        | Event::BadgeUnreadable(_)
        | Event::BadgeRemoved
        | Event::ReaderRefused { .. }
        | Event::Factor(_)
        | Event::Radio(_)
        | Event::Speaker(_)
        | Event::Frame { .. }
        | Event::Measured { .. }
        | Event::Wave { .. }
        | Event::Overrun { .. } => {}
    }
    (vec![], false)
}
