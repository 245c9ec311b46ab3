//! The simulated ward: three readers with badges, cards and fingers, three devices and one patient.
//!
//! It stands where the drivers stand: it obeys [`Command`] and answers with [`Event`], measurements
//! as the bytes a real device sends. A [`Knob`] is what a person at the bench does. Pure: the time
//! comes in, events come out, the seed decides all chance, so a demonstration can be repeated.
//!
//! One patient wears everything that is worn. Both oximeters share model and name, as on a real
//! ward, and differ only by address: choosing the right one is the kiosk's task, not ours to ease.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::device::{Device, Surroundings};
use crate::factors::{self, CAREGIVER_PIN, CardReader, FingerReader, NURSE_PIN};
use crate::physiology::{Dice, Patient, State, Truth};
use crate::spot::Spot;
use wardkeep_model::access::factor::{Badge, ReaderFamily};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{
    BadgeFault, Command, Event, FactorEvent, Link, PairingFault, PairingStep, RadioHealth,
    ReaderHealth, ReaderKind, WriteFault,
};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

/// The heart-rate strap.
pub const STRAP: DeviceId = DeviceId([0xC4, 0x64, 0xE3, 0x07, 0x5A, 0x01]);
/// The first of two oximeters of one model.
pub const OXIMETER_A: DeviceId = DeviceId([0xD8, 0x71, 0x4D, 0x32, 0x00, 0x21]);
/// The second of two oximeters of one model.
pub const OXIMETER_B: DeviceId = DeviceId([0xD8, 0x71, 0x4D, 0x32, 0x00, 0x22]);

/// The cuff.
pub const CUFF: DeviceId = DeviceId([0xE2, 0x1B, 0x7C, 0x44, 0x03, 0x03]);
/// The thermometer.
pub const THERMOMETER: DeviceId = DeviceId([0xE2, 0x1B, 0x7C, 0x44, 0x05, 0x05]);
/// The glucose meter.
pub const METER: DeviceId = DeviceId([0xE2, 0x1B, 0x7C, 0x44, 0x04, 0x04]);
/// The scale.
pub const SCALE: DeviceId = DeviceId([0xE2, 0x1B, 0x7C, 0x44, 0x01, 0x01]);
/// The chest patch.
pub const PATCH: DeviceId = DeviceId([0xE2, 0x1B, 0x7C, 0x44, 0x02, 0x02]);

/// How long a tapped badge stays in the field.
pub const TAP: Duration = Duration::from_millis(600);

/// Whose badge it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Enrols people and devices.
    It,
    /// Cares for patients.
    Nurse,
    /// As a nurse, at home.
    Caregiver,
    /// Has no business here.
    Stranger,
}

/// A badge on the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BenchBadge {
    /// Name printed on it; invented.
    pub name: &'static str,
    /// Whose it is.
    pub holder: Holder,
    /// The PIN of a ready ward, for their badge and card alike; `None` for whom nobody enrols.
    pub pin: Option<&'static str>,
    /// Number in its chip; invented.
    uid: [u8; 7],
}

/// The badges on the bench: three to enrol, and one that belongs to nobody here.
pub const BADGES: [BenchBadge; 4] = [
    BenchBadge {
        name: "Ines Kaya",
        holder: Holder::It,
        pin: Some("161803"),
        uid: [0x04, 0x1A, 0x52, 0x6B, 0x90, 0x5C, 0x80],
    },
    BenchBadge {
        name: "Amara Kone",
        holder: Holder::Nurse,
        pin: Some(NURSE_PIN),
        uid: [0x04, 0x77, 0x0E, 0x31, 0xA8, 0x5C, 0x81],
    },
    BenchBadge {
        name: "Tom Elsewhere",
        holder: Holder::Stranger,
        pin: None,
        uid: [0x04, 0xE9, 0x44, 0x0D, 0x13, 0x5C, 0x82],
    },
    BenchBadge {
        name: "Jörg Weißmüller",
        holder: Holder::Caregiver,
        pin: Some(CAREGIVER_PIN),
        uid: [0x04, 0x3B, 0xC6, 0x58, 0x27, 0x5C, 0x83],
    },
];

/// Place in [`BADGES`] of the badge of IT.
pub const IT_BADGE: usize = 0;
/// Place in [`BADGES`] of the nurse's badge.
pub const NURSE_BADGE: usize = 1;
/// Place in [`BADGES`] of the badge that nobody enrols.
pub const STRANGER_BADGE: usize = 2;
/// Place in [`BADGES`] of the caregiver's badge.
pub const CAREGIVER_BADGE: usize = 3;

impl BenchBadge {
    /// What the reader reads from it.
    pub fn badge(&self) -> Badge {
        Badge::new(ReaderFamily::PcscUid, &self.uid).expect("seven bytes are a badge number")
    }
}

/// Something a person does at the bench. Numbers count [`BADGES`] from 0; a badge or device that
/// does not exist is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knob {
    /// Hold a badge to the reader for a moment.
    TapBadge(usize),
    /// Pull a badge past the reader too fast to be read.
    BrushBadge(usize),
    /// Lay a badge on the reader and leave it there.
    HoldBadge(usize),
    /// Take away whatever lies on the reader.
    PullBadge,
    /// Put a smart card in its reader; numbers count [`factors::CARDS`].
    InsertCard(usize),
    /// Take the smart card out.
    PullCard,
    /// Lay a finger on the reader; numbers count [`factors::FINGERS`].
    TouchFinger(usize),
    /// Carry a device to the cart.
    MoveNear(DeviceId),
    /// Carry a device out of reach.
    MoveFar(DeviceId),
    /// Put a device on the patient (finger, chest) or take it off.
    SetWorn(DeviceId, bool),
    /// Charge of a device, 0..=100 percent; 0 silences it.
    SetBattery(DeviceId, u8),
    /// Quality of the radio path, 0..=100 percent; packets are lost below 60, all of them at 0.
    SetSignal(DeviceId, u8),
    /// Let a device send frames that break the rules, or stop that.
    Malformed(DeviceId, bool),
    /// Measure with a device that does so when it is asked.
    Measure(DeviceId),
    /// Let its measurements fail, or stop that.
    Fails(DeviceId, bool),
    /// Take its battery out, so that it does not know the time; or set its clock by hand.
    LoseClock(DeviceId, bool),
    /// What the patient goes through.
    SetState(State),
    /// Unplug the badge reader, or plug it in.
    ReaderUnplugged(bool),
    /// Switch Bluetooth off, or on.
    BluetoothOff(bool),
}

/// Where a badge is in relation to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Empty,
    Tapped { badge: usize, until: BootTime },
    Resting { badge: usize },
}

/// Everything the bench shows, at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// What is true of the patient.
    pub truth: Truth,
    /// What the patient is heading for.
    pub state: State,
    /// Which of [`BADGES`] is at the reader.
    pub badge: Option<usize>,
    /// The badge at the reader lies there until it is taken away.
    pub badge_rests: bool,
    /// Which of [`factors::CARDS`] is in the card reader.
    pub card: Option<usize>,
    /// The fingerprint reader waits for a finger.
    pub finger_wanted: bool,
    /// The badge reader is unplugged.
    pub reader_unplugged: bool,
    /// Bluetooth is switched off.
    pub bluetooth_off: bool,
    /// The devices, always in the same order.
    pub devices: Vec<Device>,
}

/// The simulated ward.
#[derive(Clone, Debug)]
pub struct Ward {
    patient: Patient,
    devices: [Device; 8],
    zone: TimeZone,
    field: Field,
    card_reader: CardReader,
    finger_reader: FingerReader,
    reader_unplugged: bool,
    bluetooth_off: bool,
    dice: Dice,
    /// When it lived last.
    now: BootTime,
    pending: Vec<Event>,
}

impl Ward {
    /// A calm patient who wears everything; strap and first oximeter near, all else on the shelf. The bed is in UTC.
    pub fn new(seed: u64) -> Self {
        Self::in_zone(seed, TimeZone::UTC)
    }

    /// The same at a bed in this zone, which is what people set devices' clocks by.
    pub fn in_zone(seed: u64, zone: TimeZone) -> Self {
        let health = |kind, health| Event::Reader(kind, health);
        Self {
            patient: Patient::new(seed),
            devices: [
                Device::new(STRAP, "CardioStrap 7", DeviceKind::HeartRate, true),
                Device::new(OXIMETER_A, "FingerOx 3", DeviceKind::PulseOximeter, true),
                Device::new(OXIMETER_B, "FingerOx 3", DeviceKind::PulseOximeter, false),
                Device::new(CUFF, "ArmCuff 2", DeviceKind::Cuff, false),
                Device::new(THERMOMETER, "EarTherm 1", DeviceKind::Thermometer, false),
                Device::new(METER, "GlucoStrip 4", DeviceKind::GlucoseMeter, false),
                Device::new(SCALE, "StandScale", DeviceKind::Scale, false),
                Device::new(PATCH, "ChestPatch 2", DeviceKind::Patch, false),
            ],
            zone,
            now: BootTime::default(),
            field: Field::Empty,
            card_reader: CardReader::default(),
            finger_reader: FingerReader::default(),
            reader_unplugged: false,
            bluetooth_off: false,
            dice: Dice::new(seed.rotate_left(32)),
            pending: vec![
                health(ReaderKind::Badge, ReaderHealth::Ready),
                health(ReaderKind::SmartCard, ReaderHealth::Ready),
                health(ReaderKind::Finger, ReaderHealth::Ready),
                Event::Factor(FactorEvent::Sensor(Some(factors::sensor()))),
                Event::Radio(RadioHealth::Ready),
            ],
        }
    }

    /// What the bench shows.
    pub fn scene(&self) -> Scene {
        let (badge, badge_rests) = match self.field {
            Field::Empty => (None, false),
            Field::Tapped { badge, .. } => (Some(badge), false),
            Field::Resting { badge } => (Some(badge), true),
        };
        Scene {
            truth: self.patient.truth(),
            state: self.patient.state(),
            badge,
            badge_rests,
            card: self.card_reader.inserted(),
            finger_wanted: self.finger_reader.is_waiting(),
            reader_unplugged: self.reader_unplugged,
            bluetooth_off: self.bluetooth_off,
            devices: self.devices.to_vec(),
        }
    }

    /// Obeys the core; what follows is told by the next [`step`](Self::step).
    pub fn handle(&mut self, command: Command) {
        match command {
            Command::Connect(id, want) => {
                let is_it = |device: &&mut Device| device.id == id && device.kind == want.kind;
                match self.devices.iter_mut().find(is_it) {
                    Some(device) => device.connect(&mut self.pending),
                    // Nobody of that address is here: a driver would search for ever.
                    None => self.pending.push(Event::Link(id, Link::Connecting)),
                }
            }
            Command::Disconnect(id) => {
                match self.devices.iter_mut().find(|device| device.id == id) {
                    Some(device) => device.disconnect(&mut self.pending),
                    None => self.pending.push(Event::Link(id, Link::Down)),
                }
            }
            Command::Pair(id) => {
                self.pending.push(Event::Pairing(id, PairingStep::Started));
                self.bond(id, Device::pair);
            }
            Command::AnswerPairing(id, answer) => self.bond(id, |device| device.answer(answer)),
            Command::Forget(id) => self.bond(id, |_| Some(PairingStep::Forgotten)),
            Command::Write(id, what, bytes) => {
                let now = self.now;
                let device = self.devices.iter_mut().find(|device| device.id == id);
                let done = device
                    .map_or(Err(WriteFault::NotLinked), |device| device.write(now, what, &bytes));
                self.pending.push(Event::Wrote(id, what, done));
            }
            Command::Card(command) => self.pending.push(self.card_reader.handle(command)),
            Command::Finger(command) => self.pending.extend(self.finger_reader.handle(command)),
        }
    }

    /// Does what a person does at the bench; what follows is told by the next [`step`](Self::step).
    pub fn turn(&mut self, now: Moment, knob: Knob) {
        match knob {
            Knob::TapBadge(badge) => {
                self.present(badge, Field::Tapped { badge, until: now.boot + TAP });
            }
            Knob::HoldBadge(badge) => self.present(badge, Field::Resting { badge }),
            Knob::BrushBadge(badge) => {
                if BADGES.get(badge).is_some() && self.field == Field::Empty {
                    self.reader_says(Event::BadgeUnreadable(BadgeFault::LeftTooSoon));
                }
            }
            Knob::PullBadge => self.clear_field(),
            Knob::InsertCard(card) => self.pending.extend(self.card_reader.insert(card)),
            Knob::PullCard => self.pending.extend(self.card_reader.pull()),
            Knob::TouchFinger(finger) => self.pending.extend(self.finger_reader.touch(finger)),
            Knob::MoveNear(id) => self.with(id, |device| device.near = true),
            Knob::MoveFar(id) => self.with(id, |device| device.near = false),
            Knob::SetWorn(id, worn) => self.with(id, |device| device.worn = worn),
            Knob::SetBattery(id, percent) => {
                self.with(id, |device| device.battery_percent = percent.min(100));
            }
            Knob::SetSignal(id, percent) => {
                self.with(id, |device| device.signal_percent = percent.min(100));
            }
            Knob::Measure(id) => self.with_spot(id, |spot| spot.measure(now.boot)),
            Knob::Fails(id, fails) => self.with_spot(id, |spot| spot.fails = fails),
            Knob::LoseClock(id, lost) => {
                let local = self.local(now);
                self.with_spot(id, |spot| spot.lose_clock(lost, local));
            }
            Knob::Malformed(id, malformed) => self.with(id, |device| device.malformed = malformed),
            Knob::SetState(state) => self.patient.set_state(state),
            Knob::ReaderUnplugged(unplugged) => self.plug_reader(unplugged),
            Knob::BluetoothOff(off) => {
                if self.bluetooth_off != off {
                    self.bluetooth_off = off;
                    let health = if off { RadioHealth::Off } else { RadioHealth::Ready };
                    self.pending.push(Event::Radio(health));
                }
            }
        }
    }

    /// Lives on until `now` and tells what drivers would have told.
    pub fn step(&mut self, now: Moment) -> Vec<Event> {
        if let Field::Tapped { until, .. } = self.field
            && now.boot >= until
        {
            self.clear_field();
        }
        let mut events = std::mem::take(&mut self.pending);
        let stretch = self.patient.advance(now.boot);
        self.now = now.boot;
        let local = self.local(now);
        let around = Surroundings {
            now,
            local,
            radio_on: !self.bluetooth_off,
            patient: &self.patient,
            stretch: &stretch,
        };
        for device in &mut self.devices {
            device.step(&around, &mut self.dice, &mut events);
        }
        events
    }

    /// Tells what becomes of a bond with a device.
    fn bond(&mut self, id: DeviceId, act: impl FnOnce(&mut Device) -> Option<PairingStep>) {
        let device = self.devices.iter_mut().find(|device| device.id == id);
        let out_of_reach = PairingStep::Failed(PairingFault::OutOfReach);
        let step = device.map_or(Some(out_of_reach), act);
        self.pending.extend(step.map(|step| Event::Pairing(id, step)));
    }

    /// What a clock at the bed shows.
    fn local(&self, now: Moment) -> DateTime {
        now.wall.to_zoned(self.zone.clone()).datetime()
    }

    fn with_spot(&mut self, id: DeviceId, change: impl FnOnce(&mut Spot)) {
        self.with(id, |device| {
            if let Some(spot) = &mut device.spot {
                change(spot);
            }
        });
    }

    fn with(&mut self, id: DeviceId, change: impl FnOnce(&mut Device)) {
        if let Some(device) = self.devices.iter_mut().find(|device| device.id == id) {
            change(device);
        }
    }

    /// A reader that is unplugged says nothing.
    fn reader_says(&mut self, event: Event) {
        if !self.reader_unplugged {
            self.pending.push(event);
        }
    }

    fn present(&mut self, badge: usize, place: Field) {
        let Some(card) = BADGES.get(badge) else { return };
        match self.field {
            // It lies there already.
            Field::Resting { badge: resting } if resting == badge => return,
            Field::Resting { .. } => {
                self.reader_says(Event::BadgeUnreadable(BadgeFault::Two));
                return;
            }
            Field::Tapped { .. } => self.clear_field(),
            Field::Empty => {}
        }
        self.field = place;
        self.reader_says(Event::BadgePresented(card.badge()));
    }

    fn clear_field(&mut self) {
        if self.field != Field::Empty {
            self.field = Field::Empty;
            self.reader_says(Event::BadgeRemoved);
        }
    }

    fn plug_reader(&mut self, unplugged: bool) {
        if self.reader_unplugged == unplugged {
            return;
        }
        self.reader_unplugged = unplugged;
        if unplugged {
            self.pending.push(Event::Reader(ReaderKind::Badge, ReaderHealth::NotFitted));
            if self.field != Field::Empty {
                self.pending.push(Event::BadgeRemoved);
            }
        } else {
            self.pending.push(Event::Reader(ReaderKind::Badge, ReaderHealth::Ready));
            // A badge that was left on the reader is seen as soon as the reader is.
            if let Field::Resting { badge } = self.field
                && let Some(card) = BADGES.get(badge)
            {
                self.pending.push(Event::BadgePresented(card.badge()));
            }
        }
    }
}
