//! The devices of this cart, for those who look after them; and one of them. No patient's name.

use std::time::Duration;

use jiff::civil::Date;

use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::inventory::{BatteryDay, Counts, Identity};
use wardkeep_model::ports::PairingStep;
use wardkeep_model::vitals::nomenclature::Absent;
use wardkeep_model::vitals::{DeviceId, DeviceKind, Format};

use crate::inventory::Task;
use crate::kiosk::view::time::LocalTime;
use crate::kiosk::view::{DeviceState, Owner};

/// When a device was linked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastSeen {
    /// It is.
    Now,
    /// So long ago.
    Ago(Duration),
}

/// How a device's clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceClock {
    /// It has none, or nobody has read it.
    Unread,
    /// So many seconds ahead of ours, as it was read.
    Ahead(i64),
    /// It was so many seconds ahead, and was set.
    Set(i64),
}

/// What is known of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceFacts {
    /// Its address.
    pub id: DeviceId,
    /// What people call it: its label, or the name that it gives itself.
    pub name: String,
    /// What it measures.
    pub kind: DeviceKind,
    /// Who it is.
    pub identity: Identity,
    /// What is left in percent, and for how many days.
    pub battery: Option<(u8, Option<u32>)>,
    /// When it was linked last.
    pub seen: LastSeen,
    /// Its clock.
    pub clock: DeviceClock,
    /// What it said was broken when it measured last; `None` inside where nothing was.
    pub check: Option<Option<Absent>>,
    /// By when it has to be calibrated, as the site has it.
    pub calibration_due: Option<Date>,
}

/// One device in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryRow {
    /// What is known of it.
    pub facts: DeviceFacts,
    /// Numbers of what has to be done about it.
    pub tasks: Vec<usize>,
}

/// Something that somebody has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskLine {
    /// From 1; the rows of the devices name it.
    pub number: usize,
    /// About which device.
    pub id: DeviceId,
    /// What people call it.
    pub name: String,
    /// What.
    pub task: Task,
}

/// The list of all devices of this cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// By kind, then by name.
    pub rows: Vec<InventoryRow>,
    /// The most urgent first.
    pub tasks: Vec<TaskLine>,
    /// This role may write labels.
    pub may_maintain: bool,
}

/// A frame as it came, and what was read out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameLine {
    /// When, local.
    pub at: LocalTime,
    /// What it is read as.
    pub what: Format,
    /// In hexadecimal.
    pub bytes: Phi<String>,
    /// `88 % 72 /min`, or why there is nothing.
    pub read: Phi<String>,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePage {
    /// What is known of it.
    pub facts: DeviceFacts,
    /// What is printed on its label.
    pub label: String,
    /// Since when it is here, local.
    pub since: LocalTime,
    /// Its link.
    pub state: DeviceState,
    /// It is bonded to this cart.
    pub is_bonded: bool,
    /// How far its pairing has come, or that its bond was lost.
    pub pairing: Option<PairingStep>,
    /// It offers something else since it was bonded.
    pub is_changed: bool,
    /// Whose it is.
    pub owner: Owner,
    /// The last days of its battery.
    pub battery: Vec<BatteryDay>,
    /// What went wrong how often.
    pub counts: Counts,
    /// What has to be done about it.
    pub tasks: Vec<Task>,
    /// Newest first; none where this role may not see whose values they are.
    pub frames: Vec<FrameLine>,
    /// It can be asked to show itself.
    pub can_blink: bool,
    /// Pairing is offered.
    pub can_pair: bool,
    /// It can be let go.
    pub can_release: bool,
    /// It can be forgotten: this role may, and it measures nobody.
    pub can_forget: bool,
    /// This role may write its label and when its calibration is due.
    pub may_maintain: bool,
    /// Counts what was written: when it changes, the form is closed.
    pub written: u64,
}
