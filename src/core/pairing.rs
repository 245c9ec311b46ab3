//! Devices near this bed: which are linked, and on whose behalf.
//!
//! S-6: [`Pairing::owner`] is the only way to a subject for a value, and it answers only for an
//! explicit assignment that had begun and had not run out when the measurement was made. That runs on
//! boot time: a clock that is set changes nothing. Wall time is what the cart compartment remembers, and
//! says after a restart how much of an assignment is left. At most one device of a kind is assigned at a
//! time, so a tile never has to guess between two sources.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{Assignment, KnownDevice};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{Command, Link};
use wardkeep_model::untrusted;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

/// Most devices remembered at once; of those that nobody connected the weakest gives way (S-11).
const DEVICES_MAX: usize = 64;
/// That devices were left out is said for so long.
const CROWDED_FOR: Duration = Duration::from_secs(60);
/// Most characters kept of an advertised name.
const NAME_CHARS_MAX: usize = 40;
/// Lowest battery level that raises no alarm, in percent.
pub(crate) const BATTERY_LOW_PERCENT: u8 = 20;

/// One device.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// What it measures.
    pub kind: DeviceKind,
    /// Cleaned name.
    pub name: String,
    /// Last signal strength in dBm.
    pub rssi: Option<i16>,
    /// When it was last heard.
    pub heard: Option<BootTime>,
    /// State of the link; `Down` unless wanted.
    pub link: Link,
    /// This cart keeps a link to it.
    pub known: bool,
    /// It has been live since it was wanted: losing it is then an alarm.
    pub was_live: bool,
    /// Whose values it sends, or sent until that ran out.
    pub assignment: Option<Assignment>,
    /// From when until when the assignment counts.
    term: (BootTime, BootTime),
    /// Battery in percent.
    pub battery_percent: Option<u8>,
    /// A driver does not take what it was told to do with it.
    pub is_refused: bool,
    /// How far its clock is from ours, as it was read at this connection.
    pub ahead: Option<SignedDuration>,
}

impl Device {
    /// When its assignment ends, or ended.
    pub(crate) fn ends_at(&self) -> BootTime {
        self.term.1
    }
}

/// Why a device cannot be assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssignError {
    /// Nobody has connected it to this cart. A device that is connected counts even while its link is
    /// not live: still connecting, or out of reach.
    #[error("device is not linked")]
    NotLinked,
    /// Another device of its kind is assigned.
    #[error("another device of this kind is assigned")]
    KindTaken,
}

/// What an advertisement says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Advertisement<'a> {
    /// Name as received; untrusted text.
    pub name: &'a str,
    /// What the device measures.
    pub kind: DeviceKind,
    /// Signal strength in dBm.
    pub rssi: i16,
}

/// All devices.
#[derive(Debug, Default)]
pub(crate) struct Pairing {
    devices: BTreeMap<DeviceId, Device>,
    /// When a device was left out last.
    crowded: Option<BootTime>,
}

impl Pairing {
    /// Takes up where the cart compartment left off; the commands reconnect every known device. By a clock
    /// that stands before its beginning an assignment has run out: how much is left is not known.
    pub(crate) fn resume(known: &[KnownDevice], now: Moment) -> (Self, Vec<Command>) {
        let mut pairing = Self::default();
        let mut commands = Vec::new();
        for device in known.iter().take(DEVICES_MAX) {
            let left = device.assignment.filter(|one| now.wall >= one.since).map(|one| {
                let most = one.until.duration_since(one.since).unsigned_abs();
                Duration::try_from(one.until.duration_since(now.wall)).unwrap_or_default().min(most)
            });
            let resumed = Device {
                kind: device.kind,
                name: clean(&device.name),
                rssi: None,
                heard: None,
                link: Link::Connecting,
                known: true,
                // An assigned device that never comes back after a restart has to be missed, too.
                was_live: device.assignment.is_some(),
                assignment: device.assignment,
                term: (now.boot, now.boot + left.unwrap_or_default()),
                battery_percent: None,
                is_refused: false,
                ahead: None,
            };
            pairing.devices.insert(device.id, resumed);
            commands.push(Command::Connect(device.id, device.kind));
        }
        (pairing, commands)
    }

    /// What the cart compartment has to remember.
    pub(crate) fn known(&self) -> Vec<KnownDevice> {
        let known = self.devices.iter().filter(|(_, device)| device.known);
        known
            .map(|(id, device)| KnownDevice {
                id: *id,
                kind: device.kind,
                name: device.name.clone(),
                assignment: device.assignment,
            })
            .collect()
    }

    /// Every device, by address.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (DeviceId, &Device)> {
        self.devices.iter().map(|(id, device)| (*id, device))
    }

    /// One device.
    pub(crate) fn get(&self, id: DeviceId) -> Option<&Device> {
        self.devices.get(&id)
    }

    /// What people call the device: its name, and the end of its address where another device that
    /// is known or near has the same name. Without a name it is its address.
    pub(crate) fn name(&self, id: DeviceId) -> String {
        let Some(device) = self.get(id).filter(|device| !device.name.is_empty()) else {
            return id.to_string();
        };
        let twin = |(other, twin): (DeviceId, &Device)| other != id && twin.name == device.name;
        if !self.iter().any(twin) {
            return device.name.clone();
        }
        let [.., high, low] = id.0;
        format!("{} {high:02X}:{low:02X}", device.name)
    }

    /// An advertisement was heard.
    pub(crate) fn seen(&mut self, now: BootTime, id: DeviceId, heard: Advertisement<'_>) {
        let Advertisement { name, kind, rssi } = heard;
        if !self.devices.contains_key(&id) && self.devices.len() >= DEVICES_MAX {
            self.crowded = Some(now);
            let unknown = self.devices.iter().filter(|(_, device)| !device.known);
            let weakest = unknown.min_by_key(|(_, device)| (device.rssi, device.heard));
            // What lies on the cart is heard best, whoever came first.
            let weaker = weakest.filter(|(_, device)| device.rssi < Some(rssi));
            let Some(weaker) = weaker.map(|(id, _)| *id) else { return };
            self.devices.remove(&weaker);
        }
        let device = self.devices.entry(id).or_insert_with(|| Device {
            kind,
            name: String::new(),
            rssi: None,
            heard: None,
            link: Link::Down,
            known: false,
            was_live: false,
            assignment: None,
            term: Default::default(),
            battery_percent: None,
            is_refused: false,
            ahead: None,
        });
        let name = clean(name);
        if !name.is_empty() {
            device.name = name;
        }
        device.rssi = Some(rssi);
        device.heard = Some(now);
    }

    /// More devices are near than can be listed.
    pub(crate) fn crowded(&mut self, now: BootTime) {
        self.crowded = Some(now);
    }

    /// Devices were left out lately.
    pub(crate) fn is_crowded(&self, now: BootTime) -> bool {
        self.crowded.is_some_and(|at| now.since(at) < CROWDED_FOR)
    }

    /// A device was not heard for a while.
    pub(crate) fn gone(&mut self, id: DeviceId) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.rssi = None;
            device.heard = None;
            if !device.known {
                self.devices.remove(&id);
            }
        }
    }

    /// A link changed. States of a device that is not wanted are late news and are dropped.
    pub(crate) fn link(&mut self, id: DeviceId, link: Link) {
        if let Some(device) = self.devices.get_mut(&id).filter(|device| device.known) {
            device.was_live |= link == Link::Live;
            device.link = link;
            if link != Link::Live {
                // By the next connection its battery may have been changed.
                device.ahead = None;
            }
        }
    }

    /// A battery level was read.
    pub(crate) fn battery(&mut self, id: DeviceId, percent: u8) {
        if let Some(device) = self.devices.get_mut(&id).filter(|device| device.known) {
            device.battery_percent = Some(percent.min(100));
        }
    }

    /// Its clock was read, and is so far ahead of ours.
    pub(crate) fn clock(&mut self, id: DeviceId, ahead: SignedDuration) {
        if let Some(device) = self.devices.get_mut(&id).filter(|device| device.known) {
            device.ahead = Some(ahead);
        }
    }

    /// A driver does not take what it was told to do with a device, or takes it at last.
    pub(crate) fn refused(&mut self, id: DeviceId, is_refused: bool) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.is_refused = is_refused;
        }
    }

    /// Keeps a link to the device from now on.
    pub(crate) fn connect(&mut self, id: DeviceId) -> Option<Command> {
        let device = self.devices.get_mut(&id).filter(|device| !device.known)?;
        device.known = true;
        device.link = Link::Connecting;
        Some(Command::Connect(id, device.kind))
    }

    /// Assigns a device that this cart keeps a link to, live or not, to `subject` for this long.
    ///
    /// # Errors
    /// This cart keeps no link to the device, or another of its kind is assigned already.
    pub(crate) fn assign(
        &mut self,
        id: DeviceId,
        subject: SubjectId,
        now: Moment,
        length: Duration,
    ) -> Result<(), AssignError> {
        let kind = self.get(id).filter(|device| device.known).ok_or(AssignError::NotLinked)?.kind;
        let taken = self.iter().any(|(other, device)| {
            other != id && device.kind == kind && device.assignment.is_some()
        });
        if taken {
            return Err(AssignError::KindTaken);
        }
        let until = now.wall.checked_add(length).unwrap_or(Timestamp::MAX);
        if let Some(device) = self.devices.get_mut(&id) {
            device.assignment = Some(Assignment { subject, since: now.wall, until });
            device.term = (now.boot, now.boot + length);
        }
        Ok(())
    }

    /// Ends assignment and link; true if it had an assignment.
    pub(crate) fn release(&mut self, id: DeviceId) -> Option<(Command, bool)> {
        let device = self.devices.get_mut(&id).filter(|device| device.known)?;
        let assigned = device.assignment.take().is_some();
        device.known = false;
        device.was_live = false;
        device.link = Link::Down;
        device.battery_percent = None;
        if device.heard.is_none() {
            self.devices.remove(&id);
        }
        Some((Command::Disconnect(id), assigned))
    }

    /// Ends every assignment, keeping the links: the patient at this bed changed.
    pub(crate) fn unassign_all(&mut self) {
        for device in self.devices.values_mut() {
            device.assignment = None;
        }
    }

    /// Whose value it is that `id` measured at `when`, if anybody's (S-6).
    pub(crate) fn owner(&self, id: DeviceId, when: BootTime) -> Option<SubjectId> {
        let device = self.get(id)?;
        let (since, until) = device.term;
        device.assignment.filter(|_| since <= when && when < until).map(|one| one.subject)
    }

    /// Whom it was assigned to last, even if that ran out: whose alarms its values are (S-2).
    pub(crate) fn patient(&self, id: DeviceId) -> Option<SubjectId> {
        Some(self.get(id)?.assignment?.subject)
    }

    /// The device whose values stand for `kind` at this bed.
    pub(crate) fn source(&self, kind: DeviceKind) -> Option<(DeviceId, &Device)> {
        self.iter().find(|(_, device)| device.kind == kind && device.assignment.is_some())
    }
}

/// A name from the air or out of the cart compartment, without blanks around it.
fn clean(name: &str) -> String {
    untrusted::clean(name, NAME_CHARS_MAX).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRAP: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 1]);
    const OTHER: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 2]);
    const ADA: SubjectId = SubjectId(7);

    fn at(second: i64) -> Moment {
        Moment {
            boot: BootTime(Duration::from_secs(second.unsigned_abs())),
            wall: Timestamp::from_second(1_800_000_000 + second).expect("in range"),
        }
    }

    fn linked() -> Pairing {
        let mut pairing = Pairing::default();
        for id in [STRAP, OTHER] {
            let name = "HR strap";
            let heard = Advertisement { name, kind: DeviceKind::HeartRate, rssi: -60 };
            pairing.seen(at(0).boot, id, heard);
            assert!(pairing.connect(id).is_some());
            pairing.link(id, Link::Live);
        }
        pairing
    }

    fn later(second: u64) -> BootTime {
        BootTime(Duration::from_secs(second))
    }

    #[test]
    fn s6_a_value_has_an_owner_only_inside_the_assignment() {
        let mut pairing = linked();
        assert_eq!(pairing.owner(STRAP, later(5)), None);
        assert_eq!(pairing.assign(STRAP, ADA, at(10), Duration::from_secs(60)), Ok(()));
        for (second, owner) in [(9, None), (10, Some(ADA)), (69, Some(ADA)), (70, None)] {
            assert_eq!(pairing.owner(STRAP, later(second)), owner, "second {second}");
        }
        assert_eq!(pairing.owner(OTHER, later(20)), None);
        assert!(pairing.release(STRAP).is_some_and(|(_, assigned)| assigned));
        assert_eq!(pairing.owner(STRAP, later(20)), None);
    }

    #[test]
    fn s6_two_devices_of_a_kind_cannot_both_speak_for_a_patient() {
        let mut pairing = linked();
        assert_eq!(pairing.assign(STRAP, ADA, at(1), Duration::from_secs(60)), Ok(()));
        let second = pairing.assign(OTHER, ADA, at(1), Duration::from_secs(60));
        assert_eq!(second, Err(AssignError::KindTaken));
    }

    #[test]
    fn s6_devices_of_the_same_name_are_told_apart() {
        let mut pairing = linked();
        assert_eq!(pairing.name(STRAP), "HR strap 00:01");
        assert_eq!(pairing.name(OTHER), "HR strap 00:02");
        assert!(pairing.release(OTHER).is_some());
        pairing.gone(OTHER);
        assert_eq!(pairing.name(STRAP), "HR strap");
        assert_eq!(pairing.name(OTHER), "C0:00:00:00:00:02");
    }

    #[test]
    fn resumes_links_and_assignments_after_a_restart() {
        let mut before = linked();
        assert_eq!(before.assign(STRAP, ADA, at(1), Duration::from_secs(60)), Ok(()));
        for (second, left) in [(11, 50_u64), (59, 2), (61, 0), (-30, 0)] {
            let now = Moment { boot: later(3), wall: at(second).wall };
            let (after, commands) = Pairing::resume(&before.known(), now);
            assert_eq!(commands.len(), 2);
            let owner = |after_s| after.owner(STRAP, later(3 + after_s));
            assert_eq!(owner(left), None, "at {second}");
            assert_eq!(left > 0, owner(left.saturating_sub(1)) == Some(ADA), "at {second}");
            assert_eq!(after.patient(STRAP), Some(ADA));
            assert_eq!(after.known(), before.known());
        }
    }

    #[test]
    fn names_from_the_air_are_cleaned_and_cut() {
        let hostile = format!("\u{202e}HR\u{7}\n\u{0}strap{}", "x".repeat(248));
        let name = clean(&hostile);
        let start = "\u{fffd}HR\u{fffd} \u{fffd}strapxxx";
        assert!(name.starts_with(start) && name.chars().count() == NAME_CHARS_MAX, "{name}");
        assert_eq!(clean(" \u{a0}HR\tstrap\n"), "HR strap");
    }

    #[test]
    fn ble_1_a_device_on_the_cart_is_listed_however_many_others_there_are() {
        let mut pairing = Pairing::default();
        let heard = |rssi| Advertisement { name: "flood", kind: DeviceKind::HeartRate, rssi };
        for n in 0..300_u16 {
            let [high, low] = n.to_be_bytes();
            pairing.seen(at(1).boot, DeviceId([1, 1, 1, 1, high, low]), heard(-85));
        }
        assert!(pairing.is_crowded(at(2).boot) && !pairing.is_crowded(at(200).boot));
        pairing.seen(at(2).boot, STRAP, heard(-50));
        assert!(pairing.get(STRAP).is_some());
        for n in 0..300_u16 {
            let [high, low] = n.to_be_bytes();
            pairing.seen(at(3).boot, DeviceId([2, 1, 1, 1, high, low]), heard(-85));
        }
        assert!(pairing.get(STRAP).is_some());
    }

    #[test]
    fn s11_a_flood_of_strangers_never_displaces_a_known_device() {
        let mut pairing = linked();
        for n in 0..1000_u16 {
            let [high, low] = n.to_be_bytes();
            let stranger = DeviceId([1, 1, 1, 1, high, low]);
            let kind = DeviceKind::PulseOximeter;
            pairing.seen(at(1).boot, stranger, Advertisement { name: "flood", kind, rssi: -90 });
        }
        assert!(pairing.iter().count() <= DEVICES_MAX);
        assert!(pairing.get(STRAP).is_some() && pairing.get(OTHER).is_some());
    }
}
