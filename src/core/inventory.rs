//! The devices of this cart for those who look after them: what is known of each, and what has to be done.
//!
//! An entry begins with a device's first live link and outlives its release, so that a battery is reckoned over
//! weeks whoever wore the device meanwhile. It ends when somebody forgets the device.

mod task;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::InventoryEntry;
use wardkeep_model::keeping::inventory::{INVENTORY_MAX, LABEL_CHARS_MAX};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::Link;
use wardkeep_model::untrusted;
use wardkeep_model::vitals::gatt::{DecodeError, Decoded};
use wardkeep_model::vitals::{DeviceId, DeviceKind, Format};

pub(crate) use self::task::{BATTERY_LOW_PERCENT, alarming};
pub use self::task::{LeastFirmware, Task, UpkeepRules, tasks};

/// News are written down together, so that a device that says much costs few writes.
const GATHERED_FOR: Duration = Duration::from_secs(20);

/// Frames that are shown of a device, the last ones, and bytes of each.
const FRAMES_MAX: usize = 6;
const FRAME_MAX: usize = 40;

/// A frame as it came, for whoever looks into what a device sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastFrame {
    /// When.
    pub(crate) at: Timestamp,
    /// What.
    pub(crate) what: Format,
    /// Its first [`FRAME_MAX`] bytes.
    pub(crate) bytes: Phi<Vec<u8>>,
}

/// Why a label is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LabelFault {
    /// Too long, or with characters that deceive.
    NoLabel,
    /// Another device has it.
    Taken,
}

/// All entries.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    entries: BTreeMap<DeviceId, InventoryEntry>,
    /// The last frames of each, newest last.
    frames: BTreeMap<DeviceId, VecDeque<LastFrame>>,
    /// Links that were cut, and when.
    cut: BTreeMap<DeviceId, BootTime>,
    /// When news have to be written down.
    due: Option<BootTime>,
}

impl Inventory {
    /// As the cart compartment has it.
    pub(crate) fn resume(known: &[InventoryEntry]) -> Self {
        let entries = known.iter().take(INVENTORY_MAX).map(|entry| (entry.id, entry.clone()));
        Self { entries: entries.collect(), ..Self::default() }
    }

    /// What the cart compartment has to remember.
    pub(crate) fn known(&self) -> Vec<InventoryEntry> {
        self.entries.values().cloned().collect()
    }

    /// By address.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &InventoryEntry> {
        self.entries.values()
    }

    /// One device.
    pub(crate) fn get(&self, id: DeviceId) -> Option<&InventoryEntry> {
        self.entries.get(&id)
    }

    /// What is printed on its label, if anything is.
    pub(crate) fn label(&self, id: DeviceId) -> Option<&str> {
        self.get(id).map(|entry| entry.label.as_str()).filter(|label| !label.is_empty())
    }

    /// News are to be written down now.
    pub(crate) fn take_due(&mut self, now: BootTime) -> bool {
        self.due.take_if(|due| now >= *due).is_some()
    }

    /// When they are.
    pub(crate) fn next_deadline(&self) -> Option<BootTime> {
        self.due
    }

    fn note(&mut self, now: BootTime, is_news: bool) {
        if is_news {
            self.due.get_or_insert(now + GATHERED_FOR);
        }
    }

    /// A link changed. An entry begins with the first that is live.
    pub(crate) fn link(
        &mut self,
        now: Moment,
        (id, kind, name): (DeviceId, DeviceKind, &str),
        link: Link,
    ) {
        if link != Link::Live {
            if link == Link::Lost && self.entries.contains_key(&id) {
                self.cut.entry(id).or_insert(now.boot);
            }
            return;
        }
        let is_new = !self.entries.contains_key(&id);
        if is_new {
            self.make_room();
        }
        let made = || InventoryEntry::new(id, kind, name, now.wall);
        let entry = self.entries.entry(id).or_insert_with(made);
        entry.seen = now.wall;
        if !name.is_empty() {
            name.clone_into(&mut entry.name);
        }
        if let Some(since) = self.cut.remove(&id).filter(|_| kind.is_continuous()) {
            entry.counts.cuts += 1;
            let length = now.boot.since(since).as_secs();
            entry.counts.longest_cut_s = entry.counts.longest_cut_s.max(length);
        }
        self.note(now.boot, true);
    }

    /// The one without a label that was linked longest ago goes first.
    fn make_room(&mut self) {
        if self.entries.len() < INVENTORY_MAX {
            return;
        }
        let oldest =
            self.entries.values().min_by_key(|entry| (!entry.label.is_empty(), entry.seen));
        if let Some(id) = oldest.map(|entry| entry.id) {
            self.entries.remove(&id);
        }
    }

    /// A frame came, and was read or not.
    pub(crate) fn frame(
        &mut self,
        now: Moment,
        (id, what, payload): (DeviceId, Format, &[u8]),
        read: &Result<Decoded, DecodeError>,
        zone: &TimeZone,
    ) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.seen = now.wall;
        if let Format::Profile(characteristic) = what
            && entry.describes(characteristic, payload)
        {
            return self.note(now.boot, true);
        }
        let frames = self.frames.entry(id).or_default();
        if frames.len() >= FRAMES_MAX {
            frames.pop_front();
        }
        let bytes = Phi::new(payload.iter().copied().take(FRAME_MAX).collect());
        frames.push_back(LastFrame { at: now.wall, what, bytes });
        entry.counts.frames += 1;
        let is_news = match read {
            Ok(decoded) => looked_at(entry, now.wall, decoded, zone),
            // What no decoder is meant for is not unreadable.
            Err(DecodeError::Unsupported) => false,
            Err(_) => {
                entry.counts.unreadable += 1;
                false
            }
        };
        self.note(now.boot, is_news);
    }

    /// The last frames of a device, newest first.
    pub(crate) fn last_frames(&self, id: DeviceId) -> impl Iterator<Item = &LastFrame> {
        self.frames.get(&id).into_iter().flatten().rev()
    }

    /// Somebody else is at this bed: what was measured of others is not theirs to see.
    pub(crate) fn forget_frames(&mut self) {
        self.frames.clear();
    }

    /// Its clock was read.
    pub(crate) fn clock(&mut self, now: Moment, id: DeviceId, ahead: SignedDuration) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.clock(now.wall, ahead);
            self.note(now.boot, true);
        }
    }

    /// Its clock was set.
    pub(crate) fn clock_was_set(&mut self, now: BootTime, id: DeviceId) {
        if let Some(clock) = self.entries.get_mut(&id).and_then(|entry| entry.clock.as_mut()) {
            clock.is_set = true;
            self.note(now, true);
        }
    }

    /// It was not, after all.
    pub(crate) fn clock_was_not_set(&mut self, now: BootTime, id: DeviceId) {
        if let Some(clock) = self.entries.get_mut(&id).and_then(|entry| entry.clock.as_mut()) {
            clock.is_set = false;
            self.note(now, true);
        }
    }

    /// A device has another address from now on. What was known of it by that one before goes on.
    pub(crate) fn moves(&mut self, from: DeviceId, to: DeviceId) {
        if let Some(entry) = self.entries.remove(&from) {
            self.entries.entry(to).or_insert(InventoryEntry { id: to, ..entry });
        }
        if let Some(frames) = self.frames.remove(&from) {
            self.frames.insert(to, frames);
        }
        if let Some(cut) = self.cut.remove(&from) {
            self.cut.entry(to).or_insert(cut);
        }
    }

    /// Somebody has said what is printed on its label, and when its calibration is due.
    pub(crate) fn describe(
        &mut self,
        id: DeviceId,
        label: &str,
        calibration_due: Option<Date>,
    ) -> Result<(), LabelFault> {
        let label = untrusted::named(label, LABEL_CHARS_MAX).ok_or(LabelFault::NoLabel)?;
        if !label.is_empty() && self.labelled(&label).is_some_and(|other| other != id) {
            return Err(LabelFault::Taken);
        }
        if let Some(entry) = self.entries.get_mut(&id) {
            (entry.label, entry.calibration_due) = (label, calibration_due);
        }
        Ok(())
    }

    /// The device with this label, however it is written.
    fn labelled(&self, label: &str) -> Option<DeviceId> {
        let wanted = untrusted::comparable(label);
        let is_it = |entry: &&InventoryEntry| untrusted::comparable(&entry.label) == wanted;
        self.entries.values().find(is_it).map(|entry| entry.id)
    }

    /// The one device that a scanned label, or a serial number, names.
    pub(crate) fn find(&self, scanned: &str) -> Option<DeviceId> {
        let wanted = untrusted::comparable(scanned);
        if wanted.is_empty() {
            return None;
        }
        let by_serial = || {
            let is_it =
                |entry: &&InventoryEntry| untrusted::comparable(&entry.identity.serial) == wanted;
            let mut found = self.entries.values().filter(is_it);
            let first = found.next()?;
            found.next().is_none().then_some(first.id)
        };
        self.labelled(scanned).or_else(by_serial)
    }

    /// It is no device of this cart any more.
    pub(crate) fn forget(&mut self, id: DeviceId) {
        self.entries.remove(&id);
        self.frames.remove(&id);
        self.cut.remove(&id);
    }
}

/// What a frame says of its device; true if that is news.
fn looked_at(
    entry: &mut InventoryEntry,
    now: Timestamp,
    decoded: &Decoded,
    zone: &TimeZone,
) -> bool {
    let mut is_news = false;
    if let Some(percent) = decoded.battery_percent {
        is_news = entry.battery(now.to_zoned(zone.clone()).date(), percent);
    }
    if decoded.observations.is_empty() && !decoded.withheld.is_empty() {
        entry.counts.failed += 1;
    }
    let fault = decoded.withheld.iter().map(|one| one.reason).find(|reason| reason.is_broken());
    let has_measured = !decoded.observations.is_empty() || fault.is_some();
    (has_measured && entry.checked(now, fault)) || is_news
}

#[cfg(test)]
mod tests;
