//! All devices of this cart: how each stands, what somebody has to do about it, and a page of each.

use std::time::Duration;

use wardkeep_model::access::policy::Permission;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter;
use wardkeep_model::keeping::{AuditAct, InventoryEntry};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{Command, Link, WriteFault};
use wardkeep_model::vitals::gatt::Charted;
use wardkeep_model::vitals::{Characteristic, DeviceId};

use crate::inventory::{LabelFault, LastFrame, Task, tasks};
use crate::kiosk::Effect;
use crate::kiosk::desk::{Desk, Scene};
use crate::kiosk::gate::Need;
use crate::kiosk::open::Open;
use crate::kiosk::pages::{Front, devices};
use crate::kiosk::view::inventory::{
    DeviceClock, DeviceFacts, DevicePage, FrameLine, Inventory, InventoryRow, LastSeen, TaskLine,
};
use crate::kiosk::view::{Owner, Screen};

/// Alert Level, Mild Alert: it shows itself without frightening anybody (Immediate Alert Service 3.1).
const SHOW_YOURSELF: u8 = 1;

/// What people do with the devices of this cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Look at this device.
    Open(DeviceId),
    /// Look at the device whose label or serial number was scanned or typed.
    Find(String),
    /// It is to show itself: it blinks, beeps or shakes.
    Blink(DeviceId),
    /// What is printed on its label, and by when it has to be calibrated, as typed.
    Describe(DeviceId, DeviceForm),
}

/// What is written about a device, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceForm {
    /// On its label.
    pub label: String,
    /// As `YYYY-MM-DD` or `DD.MM.YYYY`; empty for no day.
    pub calibration_due: String,
}

pub(in crate::kiosk) fn need(intent: &Intent) -> Need {
    Need::Role(match intent {
        Intent::Open(_) | Intent::Find(_) | Intent::Blink(_) => Permission::ConnectDevices,
        Intent::Describe(..) => Permission::MaintainDevices,
    })
}

/// What the page holds.
#[derive(Default)]
pub(in crate::kiosk) struct Looking {
    /// The device that is looked at.
    at: Option<DeviceId>,
    /// Counts what was written.
    written: u64,
}

impl Looking {
    /// Back to the list.
    pub(in crate::kiosk) fn step_back(&mut self) {
        self.at = None;
    }
}

pub(in crate::kiosk) fn handle(
    open: &mut Open,
    desk: &mut Desk<'_>,
    intent: Intent,
) -> Vec<Effect> {
    match intent {
        Intent::Open(id) => look(open, desk, id),
        Intent::Find(scanned) => match desk.monitor.inventory().find(&scanned) {
            Some(id) => look(open, desk, id),
            None => {
                desk.notify(Notice::DeviceNotFound);
                vec![]
            }
        },
        Intent::Blink(id) if is_live(desk, id) => {
            let show = vec![SHOW_YOURSELF];
            vec![Effect::Hardware(Command::Write(id, Characteristic::ALERT_LEVEL, show))]
        }
        Intent::Blink(_) => vec![],
        Intent::Describe(id, form) => describe(open, desk, id, &form),
    }
}

fn is_live(desk: &Desk<'_>, id: DeviceId) -> bool {
    desk.monitor.device(id).is_some_and(|device| device.link == Link::Live)
}

/// Shows the page of a device, whatever page is open.
fn look(open: &mut Open, desk: &mut Desk<'_>, id: DeviceId) -> Vec<Effect> {
    if desk.monitor.inventory().get(id).is_none() {
        return vec![];
    }
    let effects = open.leave_pairing(desk);
    open.front = Front::Inventory(Looking { at: Some(id), written: 0 });
    effects.into_iter().collect()
}

fn describe(open: &mut Open, desk: &mut Desk<'_>, id: DeviceId, form: &DeviceForm) -> Vec<Effect> {
    let due = match form.calibration_due.trim() {
        "" => None,
        text => match encounter::day(text) {
            Some(day) => Some(day),
            None => {
                desk.notify(Notice::DayWrong);
                return vec![];
            }
        },
    };
    match desk.monitor.inventory_mut().describe(id, &form.label, due) {
        Ok(()) => {
            if let Front::Inventory(looking) = &mut open.front {
                looking.written += 1;
            }
            desk.notify(Notice::DeviceDescribed);
            vec![desk.save_cart(), desk.audit(AuditAct::DeviceDescribed, Some(id))]
        }
        Err(fault) => {
            desk.notify(match fault {
                LabelFault::NoLabel => Notice::LabelWrong,
                LabelFault::Taken => Notice::LabelTaken,
            });
            vec![]
        }
    }
}

/// What is said when a device was asked to show itself.
pub(in crate::kiosk) fn answered(done: Result<(), WriteFault>) -> Option<Notice> {
    Some(if done.is_ok() { Notice::DeviceBlinks } else { Notice::DeviceCannotBlink })
}

impl Looking {
    /// The list, or the device that is looked at.
    pub(in crate::kiosk) fn view(&self, scene: Scene<'_>) -> Screen {
        let entry = self.at.and_then(|id| scene.monitor.inventory().get(id));
        match entry {
            Some(entry) => Screen::Device(Box::new(self.page(scene, entry))),
            None => Screen::Inventory(Box::new(list(scene))),
        }
    }

    fn page(&self, scene: Scene<'_>, entry: &InventoryEntry) -> DevicePage {
        let id = entry.id;
        let device = scene.monitor.device(id);
        let bonding = device.map(|device| device.bonding);
        let owner = device.map_or(Owner::Nobody, |device| devices::owner(scene, device));
        let is_kept = device.is_some_and(|device| device.known);
        let may_maintain = scene.may(Permission::MaintainDevices);
        DevicePage {
            facts: facts(scene, entry),
            label: entry.label.clone(),
            since: scene.site.local(entry.since),
            state: devices::state(device),
            is_bonded: bonding.is_some_and(|bonding| bonding.is_bonded()),
            pairing: bonding.and_then(|bonding| bonding.step()),
            is_changed: bonding.is_some_and(|bonding| bonding.is_changed()),
            owner,
            battery: entry.battery.clone(),
            counts: entry.counts,
            tasks: of(scene, entry),
            frames: frames(scene, id, owner),
            can_blink: device.is_some_and(|device| device.link == Link::Live),
            can_pair: device.is_some_and(devices::can_pair),
            can_release: is_kept && scene.may(devices::release_permission(scene.monitor, id)),
            can_forget: may_maintain && owner == Owner::Nobody,
            may_maintain,
            written: self.written,
        }
    }
}

fn list(scene: Scene<'_>) -> Inventory {
    let mut entries: Vec<(&InventoryEntry, String)> =
        scene.monitor.inventory().iter().map(|one| (one, scene.monitor.name(one.id))).collect();
    entries.sort_by(|(one, name), (other, other_name)| {
        (one.kind, name, one.id).cmp(&(other.kind, other_name, other.id))
    });
    let mut found: Vec<TaskLine> = Vec::new();
    for (entry, name) in &entries {
        let line = |task| TaskLine { number: 0, id: entry.id, name: name.clone(), task };
        found.extend(of(scene, entry).into_iter().map(line));
    }
    found.sort_by_key(|line| urgency(&line.task));
    for (place, line) in found.iter_mut().enumerate() {
        line.number = place + 1;
    }
    let row = |(entry, _): &(&InventoryEntry, String)| InventoryRow {
        facts: facts(scene, entry),
        tasks: found.iter().filter(|line| line.id == entry.id).map(|line| line.number).collect(),
    };
    let rows = entries.iter().map(row).collect();
    Inventory { rows, tasks: found, may_maintain: scene.may(Permission::MaintainDevices) }
}

/// What has to be done about a device.
fn of(scene: Scene<'_>, entry: &InventoryEntry) -> Vec<Task> {
    tasks(entry, &scene.site.config.upkeep, scene.now, &scene.site.zone)
}

/// What cannot measure comes before what will not.
fn urgency(task: &Task) -> u8 {
    match task {
        Task::Broken(_) => 0,
        Task::CalibrationOver(_) => 1,
        Task::ClockWrong(_) => 2,
        Task::BatteryEnds { .. } => 3,
        Task::CalibrationDue(_) => 4,
        Task::FirmwareOld(_) => 5,
        Task::Unseen(_) => 6,
    }
}

fn facts(scene: Scene<'_>, entry: &InventoryEntry) -> DeviceFacts {
    let today = scene.today();
    let is_live = scene.monitor.device(entry.id).is_some_and(|device| device.link == Link::Live);
    let ago = Duration::try_from(scene.now.wall.duration_since(entry.seen));
    DeviceFacts {
        id: entry.id,
        name: scene.monitor.name(entry.id),
        kind: entry.kind,
        identity: entry.identity.clone(),
        battery: entry.battery.last().map(|last| (last.percent, entry.battery_days(today))),
        seen: if is_live { LastSeen::Now } else { LastSeen::Ago(ago.unwrap_or_default()) },
        clock: match entry.clock {
            None => DeviceClock::Unread,
            Some(clock) if clock.is_set => DeviceClock::Set(clock.ahead_s),
            Some(clock) => DeviceClock::Ahead(clock.ahead_s),
        },
        check: entry.check.map(|check| check.fault),
        calibration_due: entry.calibration_due,
    }
}

/// What a device sent last: of this patient for those who care, of nobody for everybody who has this page.
fn frames(scene: Scene<'_>, id: DeviceId, owner: Owner) -> Vec<FrameLine> {
    let may_see = match owner {
        Owner::Nobody => true,
        Owner::ThisPatient(_) => scene.may(Permission::SeePatients),
        Owner::AnotherPatient | Owner::Unknown => false,
    };
    let shown = scene.monitor.inventory().last_frames(id).filter(|_| may_see);
    shown.map(|frame| frame_line(scene, id, frame)).collect()
}

fn frame_line(scene: Scene<'_>, id: DeviceId, frame: &LastFrame) -> FrameLine {
    let bytes = frame.bytes.reveal();
    let hexadecimal: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let number = |one: &Charted| format!("{} {}", one.value, one.unit.symbol());
    let read = match frame.what.decode(&scene.monitor.told(id), bytes) {
        Ok(decoded) => {
            let mut parts: Vec<String> = decoded.observations.iter().map(number).collect();
            parts.extend(decoded.withheld.iter().map(|one| one.reason.word().to_owned()));
            parts.extend(decoded.battery_percent.map(|percent| format!("{percent} %")));
            parts.join("  ")
        }
        Err(error) => error.kind().to_owned(),
    };
    FrameLine {
        at: scene.site.local(frame.at),
        what: frame.what,
        bytes: Phi::new(hexadecimal.join(" ")),
        read: Phi::new(read),
    }
}
