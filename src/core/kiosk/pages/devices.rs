//! Devices near this bed: connecting, assigning, letting go.

use wardkeep_model::access::policy::Permission;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::AuditAct;
use wardkeep_model::ports::{Link, PairingStep};
use wardkeep_model::vitals::DeviceId;

use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::gate::Need;
use crate::kiosk::view::{DeviceRow, DeviceState, Devices, Owner};
use crate::monitor::Monitor;
use crate::pairing::Device;

/// What people do with devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Connect this device and keep it linked.
    Connect(DeviceId),
    /// Assign this device to the patient at this bed.
    Assign(DeviceId),
    /// Show this one of several devices that measure the same.
    Show(DeviceId),
    /// End the assignment and the link.
    Release(DeviceId),
}

pub(in crate::kiosk) fn need(intent: &Intent, monitor: &Monitor) -> Need {
    Need::Role(match intent {
        Intent::Connect(_) => Permission::ConnectDevices,
        Intent::Assign(_) | Intent::Show(_) => Permission::Care,
        Intent::Release(id) => release_permission(monitor, *id),
    })
}

/// Whoever connected a device may let go of it again, unless it measures a patient.
pub(in crate::kiosk) fn release_permission(monitor: &Monitor, id: DeviceId) -> Permission {
    match monitor.device(id).and_then(|device| device.assignment) {
        Some(_) => Permission::Care,
        None => Permission::ConnectDevices,
    }
}

/// A row offers a button only where it works; a tap that came too late does nothing.
pub(in crate::kiosk) fn handle(desk: &mut Desk<'_>, intent: Intent) -> Vec<Effect> {
    match intent {
        Intent::Connect(id) => match desk.monitor.connect(id) {
            Some(connect) => vec![connect, desk.save_cart()],
            None => vec![],
        },
        Intent::Assign(id) if desk.monitor.assign(desk.now, id) => {
            vec![desk.save_cart(), desk.audit(AuditAct::DeviceAssigned, Some(id))]
        }
        Intent::Assign(_) => vec![],
        Intent::Show(id) if desk.monitor.show(desk.now.boot, id) => {
            vec![desk.audit(AuditAct::DeviceShown, Some(id))]
        }
        Intent::Show(_) => vec![],
        Intent::Release(id) => {
            let Some((release, assigned)) = desk.monitor.release(id) else { return vec![] };
            let mut effects = vec![release, desk.save_cart()];
            if assigned {
                effects.push(desk.audit(AuditAct::DeviceReleased, Some(id)));
            }
            effects
        }
    }
}

/// The page.
pub(in crate::kiosk) fn view(scene: Scene<'_>, waiting: usize) -> Devices {
    let mut rows: Vec<(bool, i16, DeviceRow)> = scene
        .monitor
        .devices()
        .map(|(id, device)| {
            let near = device.rssi.unwrap_or(i16::MIN);
            (!device.known, near.saturating_neg(), row(scene, id, device))
        })
        .collect();
    rows.sort_by_key(|(strange, far, row)| (*strange, *far, row.id));
    Devices {
        rows: rows.into_iter().map(|(.., row)| row).collect(),
        radio: scene.health.radio,
        is_crowded: scene.monitor.is_crowded(scene.now.boot),
        has_patient: scene.monitor.subject().is_some(),
        waiting,
        has_readings: scene.monitor.subject().is_some() && scene.may(Permission::Care),
    }
}

/// What measures when asked is paired when it is connected; what measures all the time where it wants it, or where
/// its bond does not hold.
pub(in crate::kiosk) fn can_pair(device: &Device) -> bool {
    let bonding = &device.bonding;
    let is_heard = device.heard.is_some() || device.known;
    let wants = match bonding.step() {
        Some(PairingStep::Needed | PairingStep::Failed(_)) => true,
        None | Some(PairingStep::Forgotten) => !device.kind.is_continuous() && !bonding.is_bonded(),
        Some(
            PairingStep::Started
            | PairingStep::CompareNumber(_)
            | PairingStep::ShowPasskey { .. }
            | PairingStep::TypePasskey
            | PairingStep::Bonded(_),
        ) => false,
    };
    is_heard && (wants || bonding.is_changed())
}

/// How a device stands; one that nobody has heard since the program began is away.
pub(in crate::kiosk) fn state(device: Option<&Device>) -> DeviceState {
    let Some(device) = device else { return DeviceState::Away };
    match device.link {
        Link::Live => DeviceState::Live,
        Link::Lost => DeviceState::Lost,
        Link::Connecting if device.was_live => DeviceState::Lost,
        Link::Connecting => DeviceState::Connecting,
        Link::Down if device.heard.is_some() => DeviceState::Near,
        Link::Down => DeviceState::Away,
    }
}

/// Whose it is.
pub(in crate::kiosk) fn owner(scene: Scene<'_>, device: &Device) -> Owner {
    match device.assignment {
        None => Owner::Nobody,
        Some(assignment) if Some(assignment.subject) == scene.monitor.subject() => {
            Owner::ThisPatient(scene.site.time_of_day(assignment.since))
        }
        Some(_) => Owner::AnotherPatient,
    }
}

fn row(scene: Scene<'_>, id: DeviceId, device: &Device) -> DeviceRow {
    let monitor = scene.monitor;
    let identity = monitor.inventory().get(id).map(|entry| entry.identity.clone());
    let sees = scene.may(Permission::SeePatients);
    let reading = monitor.reading(scene.now.boot, id).filter(|_| sees);
    let is_own = device.assignment.is_some_and(|one| Some(one.subject) == monitor.subject());
    // Whoever is asked whether an assignment goes on says so by assigning again.
    let is_asked = is_own && monitor.asks_again(scene.now.boot, device);
    // What measures when asked goes from bed to bed: whose each reading is, is said of that reading.
    let stays = device.kind.is_continuous();
    let is_free = device.assignment.is_none() && !monitor.is_full(device.kind);
    let may_care = monitor.subject().is_some() && scene.may(Permission::Care);
    let is_source = || monitor.source(device.kind).is_some_and(|(shown, _)| shown == id);
    let is_one_of = is_own && monitor.why(device.kind).is_some();
    let is_shown = is_one_of.then(is_source);
    DeviceRow {
        id,
        name: monitor.name(id),
        kind: device.kind,
        state: state(Some(device)),
        owner: owner(scene, device),
        has_page: identity.is_some(),
        identity: identity.unwrap_or_default(),
        reading: Phi::new(reading.unwrap_or_default()),
        battery_percent: device.battery_percent,
        pairing: device.bonding.step(),
        is_changed: device.bonding.is_changed(),
        has_no_room: device.has_no_room,
        can_connect: !device.known && stays,
        can_pair: can_pair(device),
        is_shown,
        can_assign: device.known && stays && (is_free || is_asked) && may_care,
        can_show: is_shown == Some(false) && may_care,
        can_release: device.known && scene.may(release_permission(monitor, id)),
    }
}
