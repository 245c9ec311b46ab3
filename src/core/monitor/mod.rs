//! Monitoring: which devices are linked, what they measure now, whom it is filed to, and what holds that
//! may be an alarm.
//!
//! S-2: nothing here asks whether a session is open, and nothing can: this room names no operator, no
//! page and nothing of a patient but an opaque identity.
//! S-6, S-7: a frame is decoded here, its owner looked up by the time it was received, and only then
//! does it become an observation and a numeric.
//!
//! While the store cannot be opened and no device is assigned, devices are *watched* without records:
//! their values are shown with alarms, and none of them becomes a record, so none can be filed to
//! anybody.

mod facts;
mod flood;
mod frames;
mod halves;
mod pulse;
mod spot;
mod stored;
mod waves;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;

use wardkeep_model::alarm::LimitReason;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{BedLimits, CartState, FiledSpot, KnownDevice};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{Command, Link, PairingStep, TableDigest};
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::gatt::Charted;
use wardkeep_model::vitals::live::{Live, Measured};
use wardkeep_model::vitals::nomenclature::{Absent, Mdc, Unit};
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::wave::WaveKind;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use self::flood::Flood;
use self::halves::Halves;
use self::pulse::Pulse;
use self::stored::{Transfer, asked};
use self::waves::Waves;
use crate::effect::Effect;
use crate::inventory::Inventory;
use crate::pairing::{Advertisement, Device, Pairing};

/// What monitoring goes by.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Random number of this start of the program.
    pub(crate) run: u64,
    /// Every value is simulated.
    pub(crate) simulated: bool,
    /// What stands above this bed.
    pub(crate) bed: String,
    /// How long an assignment holds.
    pub(crate) assignment: Duration,
    /// The zone of the bed: devices stamp local time.
    pub(crate) zone: TimeZone,
}

/// Everything about the devices of this bed.
pub(crate) struct Monitor {
    rules: Rules,
    pairing: Pairing,
    inventory: Inventory,
    live: Live,
    /// Who is at this bed.
    subject: Option<SubjectId>,
    /// Last number of every linked device, assigned or not.
    readings: BTreeMap<DeviceId, (Decimal, Unit, BootTime)>,
    /// Whether there is a pulse, by each oximeter.
    pulses: BTreeMap<DeviceId, Pulse>,
    /// The alarm limits in force.
    limits: BedLimits,
    /// Why somebody has just changed them.
    reason: Option<LimitReason>,
    /// Absences already recorded, so that a sensor that stays off is one record.
    absences: BTreeMap<(DeviceId, Mdc), Absent>,
    /// When samples of whoever is at this bed came last.
    waved: BTreeMap<WaveKind, BootTime>,
    /// What is not recorded of a device that sends too much.
    flood: Flood,
    /// Waveforms on their way to the store.
    waves: Waves,
    /// Why the last spot measurement gave no value, until somebody is told.
    failed: Option<Absent>,
    /// When spot readings of this run came, by their numbers.
    came: BTreeMap<u64, BootTime>,
    /// Since when whoever is at this bed is there, where that began in this run.
    at_bed: Option<BootTime>,
    /// What meters hand over of what they have stored.
    transfers: BTreeMap<DeviceId, Transfer>,
    /// Frames that wait for their other halves.
    halves: Halves,
    /// Number of the last record.
    seq: u64,
    /// The devices that are watched without records, at most one of a kind, and whether the watch
    /// itself linked them; `None` unless a watch is under way.
    watch: Option<BTreeMap<DeviceId, bool>>,
}

impl Monitor {
    /// Nothing is linked yet.
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            pairing: Pairing::default(),
            inventory: Inventory::default(),
            live: Live::default(),
            subject: None,
            readings: BTreeMap::new(),
            pulses: BTreeMap::new(),
            limits: BedLimits::default(),
            reason: None,
            absences: BTreeMap::new(),
            waved: BTreeMap::new(),
            flood: Flood::default(),
            waves: Waves::default(),
            failed: None,
            came: BTreeMap::new(),
            at_bed: None,
            transfers: BTreeMap::new(),
            halves: Halves::default(),
            seq: 0,
            watch: None,
        }
    }

    /// Who is at this bed.
    pub(crate) fn subject(&self) -> Option<SubjectId> {
        self.subject
    }

    /// Current numerics.
    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    /// Every device, by address.
    pub(crate) fn devices(&self) -> impl Iterator<Item = (DeviceId, &Device)> {
        self.pairing.iter()
    }

    /// One device.
    pub(crate) fn device(&self, id: DeviceId) -> Option<&Device> {
        self.pairing.get(id)
    }

    /// What people call a device.
    pub(crate) fn name(&self, id: DeviceId) -> String {
        self.inventory.label(id).map_or_else(|| self.pairing.name(id), str::to_owned)
    }

    /// What is known of the devices of this cart.
    pub(crate) fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The same, to be changed.
    pub(crate) fn inventory_mut(&mut self) -> &mut Inventory {
        &mut self.inventory
    }

    /// The device whose values stand for `kind` on the screen.
    pub(crate) fn source(&self, kind: DeviceKind) -> Option<(DeviceId, &Device)> {
        match &self.watch {
            Some(_) => {
                self.pairing.iter().find(|(id, device)| device.kind == kind && self.is_watched(*id))
            }
            None => self.pairing.source(kind),
        }
    }

    /// The device whose values of this parameter are the patient's.
    pub(crate) fn source_of(&self, parameter: Parameter) -> Option<(DeviceId, &Device)> {
        parameter.row().sources.iter().find_map(|kind| self.source(*kind))
    }

    /// The alarm limits in force.
    pub(crate) fn limits(&self) -> BedLimits {
        self.limits
    }

    /// Other limits are in force from now on.
    pub(crate) fn set_limits(&mut self, limits: BedLimits) {
        self.limits = limits;
    }

    /// Somebody has changed the limits, and why.
    pub(crate) fn change_limits(&mut self, limits: BedLimits, why: LimitReason) {
        (self.limits, self.reason) = (limits, Some(why));
    }

    /// Why they were changed, if somebody did.
    pub(crate) fn take_reason(&mut self) -> Option<LimitReason> {
        self.reason.take()
    }

    /// A driver does not take what it was told to do with a device, or takes it at last.
    pub(crate) fn refused(&mut self, id: DeviceId, is_refused: bool) {
        self.pairing.refused(id, is_refused);
    }

    /// Why a spot measurement has just given no value.
    pub(crate) fn take_failed(&mut self) -> Option<Absent> {
        self.failed.take()
    }

    /// These are the last readings that were filed to whoever is at this bed; what was shown of others before is
    /// not theirs.
    pub(crate) fn filed(&mut self, now: Moment, filed: &[FiledSpot]) {
        let theirs = filed.iter().filter(|one| Some(one.subject) == self.subject);
        let readings = theirs.filter_map(|one| {
            let ago = Duration::try_from(now.wall.duration_since(one.reading.times.effective?));
            let measured = Measured::ago(now.boot, ago.unwrap_or_default());
            let values = one.reading.values.reveal().iter().map(Charted::from).collect();
            Some((measured, one.reading.device, values))
        });
        let readings: Vec<(Measured, DeviceId, Vec<Charted>)> = readings.collect();
        self.live.take_spots(&readings);
    }

    /// A device is assigned, to whomever.
    pub(crate) fn has_assignment(&self) -> bool {
        self.pairing.iter().any(|(_, device)| device.assignment.is_some())
    }

    /// What the cart compartment has to remember.
    pub(crate) fn known(&self) -> Vec<KnownDevice> {
        self.pairing.known()
    }

    /// When a current number grows old, a transfer has stopped, or the other half of an answer does not come.
    pub(crate) fn next_deadline(&self, now: BootTime) -> Option<BootTime> {
        let transfers = self.transfers.values().filter_map(Transfer::due).filter(|due| *due > now);
        let news = self.inventory.next_deadline();
        let halves = self.halves.next_deadline();
        self.live.next_deadline(now).into_iter().chain(transfers).chain(news).chain(halves).min()
    }

    /// An advertisement was heard.
    pub(crate) fn seen(&mut self, now: BootTime, id: DeviceId, heard: Advertisement<'_>) {
        self.pairing.seen(now, id, heard);
    }

    /// More devices are near than can be listed.
    pub(crate) fn crowded(&mut self, now: BootTime) {
        self.pairing.crowded(now);
    }

    /// Devices were left out lately.
    pub(crate) fn is_crowded(&self, now: BootTime) -> bool {
        self.pairing.is_crowded(now)
    }

    /// A device was not heard for a while.
    pub(crate) fn gone(&mut self, id: DeviceId) {
        self.pairing.gone(id);
    }

    /// A link changed. What came before it stood is not current any more; a meter is asked for what it has stored.
    pub(crate) fn link(&mut self, now: Moment, id: DeviceId, link: Link) -> Option<Effect> {
        let was_live = self.device(id).is_some_and(|device| device.link == Link::Live);
        self.pairing.link(id, link);
        if let Some(device) = self.pairing.get(id).filter(|device| device.known) {
            self.inventory.link(now, (id, device.kind, &device.name), link);
        }
        // What was measured once, or a few minutes ago, stays what it was when the device has let its link go.
        let streams = self.device(id).is_some_and(|device| device.kind.streams());
        if link != Link::Live && streams {
            self.live.end(id);
            self.forget_readings(id);
        }
        let device = self.device(id).filter(|device| device.link == Link::Live && !was_live)?;
        if device.kind != DeviceKind::GlucoseMeter {
            return None;
        }
        let (transfer, request) = Transfer::begin(now.boot, self.transfers.get(&id));
        self.transfers.insert(id, transfer);
        Some(asked(id, request))
    }

    /// A driver tells how far the pairing of a device has come.
    pub(crate) fn paired(&mut self, id: DeviceId, step: PairingStep) -> Vec<Effect> {
        let command = self.pairing.paired(id, step);
        self.forget_unless_sound(id);
        let commands = match step.identity().filter(|identity| *identity != id) {
            Some(identity) => self.moves(id, identity),
            None => command.into_iter().collect(),
        };
        commands.into_iter().map(Effect::Hardware).collect()
    }

    /// A device has another address from now on. Its link is made anew, so no number of it is current.
    fn moves(&mut self, from: DeviceId, to: DeviceId) -> Vec<Command> {
        self.live.end(from);
        self.forget_readings(from);
        self.pulses.remove(&from);
        self.inventory.moves(from, to);
        self.halves.moves(from, to);
        if let Some(transfer) = self.transfers.remove(&from) {
            self.transfers.insert(to, transfer);
        }
        if let Some(devices) = &mut self.watch
            && let Some(linked) = devices.remove(&from)
        {
            devices.insert(to, linked);
        }
        self.pairing.moves(from, to)
    }

    /// What something measured that is not the device that was paired is nobody's (S-7).
    fn forget_unless_sound(&mut self, id: DeviceId) {
        if self.device(id).is_some_and(|device| !device.bonding.is_sound()) {
            self.live.end(id);
            self.forget_readings(id);
        }
    }

    /// Nobody is signed in: ends every pairing that is under way, because it was of whoever opened it.
    pub(crate) fn cancel_pairings(&mut self) -> impl Iterator<Item = Effect> + use<> {
        self.pairing.cancel_pairings().into_iter().map(Effect::Hardware)
    }

    /// A device was linked and offers this; true if the cart has to remember something of it.
    pub(crate) fn offers(&mut self, id: DeviceId, table: TableDigest) -> bool {
        let is_news = self.pairing.offers(id, table);
        self.forget_unless_sound(id);
        is_news
    }

    /// Opens a window in which this device is paired.
    pub(crate) fn pair(&mut self, id: DeviceId) -> Effect {
        Effect::Hardware(self.pairing.pair(id))
    }

    /// Ends the pairing of this device, if one is under way.
    pub(crate) fn cancel_pairing(&mut self, id: DeviceId) -> Option<Effect> {
        self.pairing.cancel_pairing(id).map(Effect::Hardware)
    }

    /// The link of a device waits for a place on the controller, or has one at last.
    pub(crate) fn no_room(&mut self, id: DeviceId, has_no_room: bool) {
        self.pairing.no_room(id, has_no_room);
    }

    /// Keeps a link to the device from now on; `None` if it is kept already.
    pub(crate) fn connect(&mut self, id: DeviceId) -> Option<Effect> {
        self.pairing.connect(id).map(Effect::Hardware)
    }

    /// Assigns a device to whoever is at this bed; `false` where that cannot be.
    pub(crate) fn assign(&mut self, now: Moment, id: DeviceId) -> bool {
        self.subject.is_some_and(|subject| {
            self.pairing.assign(id, subject, now, self.rules.assignment).is_ok()
        })
    }

    /// Shows this one of several devices of a kind.
    pub(crate) fn show(&mut self, now: BootTime, id: DeviceId) -> bool {
        self.pairing.show(id, now)
    }

    /// Ends assignment and link; true if it had an assignment.
    pub(crate) fn release(&mut self, id: DeviceId) -> Option<(Effect, bool)> {
        let (command, assigned) = self.pairing.release(id)?;
        self.live.end(id);
        self.readings.remove(&id);
        self.pulses.remove(&id);
        Some((Effect::Hardware(command), assigned))
    }

    /// Ends its link, and forgets what is known of it.
    pub(crate) fn forget(&mut self, id: DeviceId) -> Option<Effect> {
        let released = self.release(id).map(|(effect, _)| effect);
        self.inventory.forget(id);
        released
    }

    /// Somebody else is at this bed now. Another patient's devices are unassigned first: nothing that
    /// they measure may be filed to the newcomer without a fresh assignment (S-6).
    pub(crate) fn put(&mut self, now: Moment, subject: SubjectId, limits: BedLimits) {
        self.vacate(limits);
        (self.subject, self.at_bed) = (Some(subject), Some(now.boot));
    }

    /// Nobody is at this bed any more.
    pub(crate) fn vacate(&mut self, limits: BedLimits) {
        self.pairing.unassign_all();
        self.live.clear();
        self.pulses.clear();
        self.inventory.forget_frames();
        (self.subject, self.at_bed) = (None, None);
        self.limits = limits;
    }

    /// What stands above this bed.
    pub(crate) fn bed(&self) -> &str {
        &self.rules.bed
    }

    /// It goes on as the cart compartment has it.
    pub(crate) fn agrees_with(&self, cart: &CartState) -> bool {
        let limits = cart.limits.is_none_or(|limits| limits == self.limits);
        self.subject == cart.subject && self.pairing.known() == cart.devices && limits
    }

    /// Links and assignments as the cart compartment has them. Nothing that was measured before belongs
    /// to them.
    pub(crate) fn resume(&mut self, now: Moment, cart: &CartState) -> Vec<Effect> {
        if self.subject != cart.subject {
            self.at_bed = None;
        }
        self.subject = cart.subject;
        self.inventory = Inventory::resume(&cart.inventory);
        self.limits = cart.limits.unwrap_or(self.limits);
        let held = self.pairing.known();
        let let_go = held.iter().filter(|held| cart.devices.iter().all(|kept| kept.id != held.id));
        let let_go: Vec<_> = let_go.filter_map(|held| self.pairing.release(held.id)).collect();
        let (pairing, links) = Pairing::resume(&cart.devices, now);
        self.pairing = pairing;
        self.live.clear();
        let commands = let_go.into_iter().map(|(command, _)| command).chain(links);
        commands.map(Effect::Hardware).collect()
    }

    /// Begins to watch, if it has not begun.
    pub(crate) fn begin_watch(&mut self) {
        if self.watch.is_none() {
            self.live.clear();
            self.watch = Some(BTreeMap::new());
        }
    }

    /// Ends the watch, with the links that it made.
    pub(crate) fn end_watch(&mut self) -> Vec<Effect> {
        let Some(devices) = self.watch.take() else { return vec![] };
        self.live.clear();
        devices.into_iter().filter_map(|(id, linked)| self.let_go(id, linked)).collect()
    }

    /// Links a device and takes its values for the unknown patient's. One of a kind.
    pub(crate) fn watch(&mut self, id: DeviceId) -> Vec<Effect> {
        let kind = self.device(id).map(|device| device.kind);
        if kind.is_none_or(|kind| self.source(kind).is_some()) || self.watch.is_none() {
            return vec![];
        }
        let command = self.connect(id);
        if let Some(devices) = &mut self.watch {
            devices.insert(id, command.is_some());
        }
        command.into_iter().collect()
    }

    /// Ends the watch of one device.
    pub(crate) fn unwatch(&mut self, id: DeviceId) -> Vec<Effect> {
        let Some(linked) = self.watch.as_mut().and_then(|devices| devices.remove(&id)) else {
            return vec![];
        };
        self.live.end(id);
        self.let_go(id, linked).into_iter().collect()
    }

    fn let_go(&mut self, id: DeviceId, linked: bool) -> Option<Effect> {
        self.forget_readings(id);
        let (command, _) = linked.then(|| self.pairing.release(id)).flatten()?;
        Some(Effect::Hardware(command))
    }

    fn forget_readings(&mut self, id: DeviceId) {
        self.readings.remove(&id);
        self.absences.retain(|(of, _), _| *of != id);
    }
}
