//! Devices near this bed: which are linked, and on whose behalf.
//!
//! S-6: [`Pairing::owner`] is the only way to a subject for a value, and it answers only for an
//! explicit assignment that had begun and had not run out when the measurement was made. That runs on
//! boot time: a clock that is set changes nothing. Wall time is what the cart compartment remembers, and
//! says after a restart how much of an assignment is left. Where several devices of a kind are assigned, one
//! of them is shown ([`sources`]).

mod bonding;
mod clock;
mod sources;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{Assignment, KnownDevice};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{Command, Link, PairingAnswer, PairingStep, TableDigest, Want};
use wardkeep_model::untrusted;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use self::bonding::Bonding;
pub(crate) use self::clock::Ahead;
use self::clock::DeviceClock;
pub(crate) use self::sources::Why;
use self::sources::{ALIKE_MAX, Speakers};

/// Most devices remembered at once; of those that nobody connected the weakest gives way (S-11).
const DEVICES_MAX: usize = 64;
/// That devices were left out is said for so long.
const CROWDED_FOR: Duration = Duration::from_secs(60);
/// Most characters kept of an advertised name.
const NAME_CHARS_MAX: usize = 40;

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
    /// Its clock.
    pub clock: DeviceClock,
    /// Its link waits for a place on the controller.
    pub has_no_room: bool,
    /// Its bond.
    pub bonding: Bonding,
}

impl Device {
    /// When its assignment ends, or ended.
    pub(crate) fn ends_at(&self) -> BootTime {
        self.term.1
    }

    /// What is wanted of its link.
    fn want(&self) -> Want {
        Want { is_bonded: self.bonding.is_bonded(), ..Want::of(self.kind) }
    }
}

/// Why a device cannot be assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssignError {
    /// Nobody has connected it to this cart. A device that is connected counts even while its link is
    /// not live: still connecting, or out of reach.
    #[error("device is not linked")]
    NotLinked,
    /// As many devices of its kind as may be are assigned.
    #[error("too many devices of this kind are assigned")]
    TooMany,
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
    /// Which of several is shown.
    speakers: Speakers,
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
                clock: DeviceClock::default(),
                has_no_room: false,
                bonding: Bonding::resumed(device.bond),
            };
            commands.push(Command::Connect(device.id, resumed.want()));
            pairing.devices.insert(device.id, resumed);
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
                bond: device.bonding.remembered(),
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
            clock: DeviceClock::default(),
            has_no_room: false,
            bonding: Bonding::default(),
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
            if link == Link::Live {
                device.was_live = true;
                device.bonding.is_linked();
            }
            device.link = link;
            if link != Link::Live {
                device.clock.is_unlinked();
            }
        }
    }

    /// A battery level was read.
    pub(crate) fn battery(&mut self, id: DeviceId, percent: u8) {
        if let Some(device) = self.devices.get_mut(&id).filter(|device| device.known) {
            device.battery_percent = Some(percent.min(100));
        }
    }

    /// Its clock was read, and is so far ahead of ours; and whether it can be set. If it was set before, whether that
    /// took.
    pub(crate) fn clock(
        &mut self,
        now: BootTime,
        id: DeviceId,
        ahead: SignedDuration,
        can_be_set: bool,
    ) -> Option<bool> {
        let device = self.devices.get_mut(&id).filter(|device| device.known)?;
        device.clock.read(now, ahead, can_be_set)
    }

    /// Devices whose clocks are to be set.
    pub(crate) fn wrong_clocks(&self) -> impl Iterator<Item = DeviceId> {
        let is_wrong = |device: &Device| device.clock.is_to_be_set() && device.link == Link::Live;
        self.iter().filter(move |(_, device)| is_wrong(device)).map(|(id, _)| id)
    }

    /// Its clock is being set.
    pub(crate) fn clock_was_set(&mut self, now: BootTime, id: DeviceId) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.clock.was_set(now);
        }
    }

    /// It has not taken the time, because of the device or not; true if that is news of the device.
    pub(crate) fn clock_was_not_set(&mut self, id: DeviceId, by_device: bool) -> bool {
        self.devices.get_mut(&id).is_some_and(|device| device.clock.was_not_set(by_device))
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
        Some(Command::Connect(id, device.want()))
    }

    /// A driver tells how far the pairing of a device has come. The link of one that is bonded is protected
    /// from then on.
    pub(crate) fn paired(&mut self, id: DeviceId, step: PairingStep) -> Option<Command> {
        let device = self.devices.get_mut(&id)?;
        let was_bonded = device.bonding.is_bonded();
        device.bonding.told(step);
        let changed = device.bonding.is_bonded() != was_bonded;
        (device.known && changed).then(|| Command::Connect(id, device.want()))
    }

    /// A device that was paired has another address from now on. What was known of it moves there; what was known
    /// of it there before, because it had been paired already, stays where this says nothing else.
    pub(crate) fn moves(&mut self, from: DeviceId, to: DeviceId) -> Vec<Command> {
        let Some(mut device) = self.devices.remove(&from) else { return vec![] };
        let known = self.devices.remove(&to).filter(|there| there.known);
        let was_wanted = device.known.then_some(Command::Disconnect(from));
        device.bonding.moves(from, known.as_ref().map(|there| there.bonding));
        if let Some(there) = known {
            if device.assignment.is_none() {
                (device.assignment, device.term) = (there.assignment, there.term);
            }
            (device.known, device.was_live) = (true, device.was_live || there.was_live);
            device.battery_percent = device.battery_percent.or(there.battery_percent);
        }
        device.clock = DeviceClock::default();
        device.has_no_room = false;
        let wanted = device.known.then(|| Command::Connect(to, device.want()));
        device.link = if device.known { Link::Connecting } else { Link::Down };
        self.speakers.moves(from, to);
        self.devices.insert(to, device);
        was_wanted.into_iter().chain(wanted).collect()
    }

    /// Opens a window in which this device is paired; an old bond is dropped first.
    pub(crate) fn pair(&mut self, id: DeviceId) -> Command {
        if let Some(device) = self.devices.get_mut(&id) {
            device.bonding.told(PairingStep::Started);
        }
        Command::Pair(id)
    }

    /// Ends the pairing of this device, if one is under way.
    pub(crate) fn cancel_pairing(&mut self, id: DeviceId) -> Option<Command> {
        let device = self.devices.get_mut(&id)?;
        device.bonding.cancel().then_some(Command::AnswerPairing(id, PairingAnswer::Cancel))
    }

    /// Nobody who could answer is there any more: ends every pairing that is under way.
    pub(crate) fn cancel_pairings(&mut self) -> Vec<Command> {
        let under_way = self.devices.iter_mut().filter_map(|(id, device)| {
            let cancels = device.bonding.cancel();
            cancels.then_some(Command::AnswerPairing(*id, PairingAnswer::Cancel))
        });
        under_way.collect()
    }

    /// A device was linked and offers this; true if the cart has to remember something of it.
    pub(crate) fn offers(&mut self, id: DeviceId, table: TableDigest) -> bool {
        self.devices.get_mut(&id).is_some_and(|device| {
            let before = device.bonding;
            device.bonding.offers(table);
            device.bonding.is_bonded() && device.bonding != before
        })
    }

    /// The link of a device waits for a place on the controller, or has one at last.
    pub(crate) fn no_room(&mut self, id: DeviceId, has_no_room: bool) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.has_no_room = has_no_room;
        }
    }

    /// As many of its kind as may be are assigned.
    pub(crate) fn is_full(&self, kind: DeviceKind) -> bool {
        self.assigned(kind).len() >= ALIKE_MAX
    }

    /// Assigns a device that this cart keeps a link to, live or not, to `subject` for this long.
    ///
    /// # Errors
    /// This cart keeps no link to the device, or too many of its kind are assigned already.
    pub(crate) fn assign(
        &mut self,
        id: DeviceId,
        subject: SubjectId,
        now: Moment,
        length: Duration,
    ) -> Result<(), AssignError> {
        let kind = self.get(id).filter(|device| device.known).ok_or(AssignError::NotLinked)?.kind;
        let others = self.assigned(kind).iter().filter(|(other, _)| *other != id).count();
        if others >= ALIKE_MAX {
            return Err(AssignError::TooMany);
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
        device.has_no_room = false;
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
}

/// A name from the air or out of the cart compartment, without blanks around it.
fn clean(name: &str) -> String {
    untrusted::clean(name, NAME_CHARS_MAX).trim().to_owned()
}

#[cfg(test)]
mod tests;
