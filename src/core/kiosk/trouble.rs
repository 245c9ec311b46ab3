//! The screen while the store cannot be opened, and monitoring without records from there: while no
//! device is assigned, anybody may connect devices by touch and see their values, with alarms, under
//! "unknown patient".
//!
//! S-6: none of these values becomes a record, so none can be filed to anybody. S-1: nothing on the
//! screen or in memory says whose they are. It ends by touch, and by itself when the store is back.

use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::DeviceId;

use crate::kiosk::Effect;
use crate::kiosk::clerk::{Clerk, Phase};
use crate::kiosk::desk::Scene;
use crate::kiosk::pages::{bedside, devices};
use crate::kiosk::view::records::{Trouble, Watch};
use crate::kiosk::view::{DeviceRow, Owner};
use crate::monitor::Monitor;

/// What people do while nobody can log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Monitor whoever is there without records.
    BeginWatch,
    /// End that.
    EndWatch,
    /// Connect this device and show its values.
    Connect(DeviceId),
    /// End the link.
    Release(DeviceId),
}

pub(super) fn handle(intent: Intent, clerk: &Clerk, monitor: &mut Monitor) -> Vec<Effect> {
    match intent {
        Intent::BeginWatch => {
            if is_offered(clerk, monitor) {
                monitor.begin_watch();
            }
            vec![]
        }
        Intent::EndWatch => monitor.end_watch(),
        Intent::Connect(id) => monitor.watch(id),
        Intent::Release(id) => monitor.unwatch(id),
    }
}

/// Nobody can log in, and no patient is monitored whose values could be mistaken.
fn is_offered(clerk: &Clerk, monitor: &Monitor) -> bool {
    match &clerk.phase {
        // The other instance has the radio.
        Phase::Trouble(fault, _) => *fault != StoreFault::InUse,
        Phase::Running => clerk.is_broken() && !monitor.has_assignment(),
        Phase::Starting | Phase::FirstStart(_) => false,
    }
}

/// The screen, if nobody can log in.
pub(super) fn view(scene: Scene<'_>, clerk: &Clerk) -> Option<Trouble> {
    let fault = clerk.unusable()?;
    Some(Trouble { fault, records: clerk.records(), watch: watch(scene, clerk) })
}

fn watch(scene: Scene<'_>, clerk: &Clerk) -> Watch {
    if scene.monitor.is_watching() {
        let tiles = if scene.monitor.watches_any() { bedside::tiles(scene) } else { vec![] };
        let devices = devices::view(scene, 0);
        let rows = devices.rows.into_iter().map(|row| watched(scene, row)).collect();
        return Watch::Unknown { tiles, rows, radio: devices.radio };
    }
    if scene.monitor.has_assignment() {
        Watch::Bed(bedside::tiles(scene))
    } else {
        Watch::Nothing { offered: is_offered(clerk, scene.monitor) }
    }
}

/// A device's row, as whoever watches may use it.
fn watched(scene: Scene<'_>, row: DeviceRow) -> DeviceRow {
    let is_watched = scene.monitor.is_watched(row.id);
    let reading = scene.monitor.reading(scene.now.boot, row.id).filter(|_| is_watched);
    DeviceRow {
        owner: if is_watched { Owner::Unknown } else { Owner::Nobody },
        can_connect: !is_watched && scene.monitor.source(row.kind).is_none(),
        can_assign: false,
        can_pair: false,
        can_release: is_watched,
        reading: Phi::new(reading.unwrap_or_default()),
        pairing: None,
        ..row
    }
}
