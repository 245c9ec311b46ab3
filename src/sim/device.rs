//! One simulated Bluetooth device on the bench: its link, its battery and what it sends.
//!
//! ```text
//!   Idle --Connect--> Searching --in reach--> Opening --0.8 s--> Live
//!    ^                    ^ <---out of reach-----'                |
//!    '----Disconnect------'<---- silence for 2 s, or no radio ----'
//! ```
//!
//! It behaves as a real device and a real driver do together: it stops sending the moment it is
//! carried away, but the loss is noticed only after the supervision timeout; it does not advertise
//! while linked; and a wanted link comes back by itself. What measures when asked ([`crate::spot`]) sleeps in between.

use std::time::Duration;

use jiff::civil::DateTime;

use crate::frames::{
    self, BATTERY_LEVEL, HEART_RATE, INFORMATION, OBSERVATION, OximeterReport, PLX_CONTINUOUS,
    StrapReport, TEMPERATURE, measurement, sensor,
};
use crate::physiology::{Dice, PLETH_RATE_HZ, Patient, Stretch};
use crate::spot::{Sent, Spot};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{
    Event, Link, PairingAnswer, PairingFault, PairingStep, Passkey, WriteFault,
};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

/// Between two advertisements, and between two measurements.
const EVERY: Duration = Duration::from_secs(1);
/// From "in reach" to "subscribed".
const OPENING: Duration = Duration::from_millis(800);
/// A linked device that is silent for this long is lost (LL connection supervision timeout).
const SUPERVISION: Duration = Duration::from_secs(2);
/// Not heard for this long and not linked: gone.
const GONE_AFTER: Duration = Duration::from_secs(10);
/// An oximeter needs this long on a finger before it has a value.
const SETTLING: Duration = Duration::from_secs(2);
/// The number that a device with a display shows while it is paired.
const SHOWN: u32 = 271_828;
/// A device that was asked to shows itself for so long.
const SHOWS_ITSELF: Duration = Duration::from_secs(10);
/// Below this signal, packets begin to be lost.
const SIGNAL_SOUND_PERCENT: u8 = 60;

/// Everything about one device that the bench shows and turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its Bluetooth address.
    pub id: DeviceId,
    /// The name it advertises; two devices of one model share it.
    pub name: &'static str,
    /// What it measures.
    pub kind: DeviceKind,
    /// On the cart, not on the shelf out of reach.
    pub near: bool,
    /// On the patient's finger or chest.
    pub worn: bool,
    /// 0..=100; an empty one is silent.
    pub battery_percent: u8,
    /// Quality of the radio path, 0..=100; below 60 packets are lost, at 0 all of them.
    pub signal_percent: u8,
    /// Sends frames that break the rules.
    pub malformed: bool,
    hold: Hold,
    heard: Option<BootTime>,
    next_advert: Option<BootTime>,
    next_frame: BootTime,
    settled: Option<BootTime>,
    battery_told: Option<u8>,
    rr: Vec<u16>,
    malformed_turn: usize,
    /// It shows a number and waits for somebody to compare or type it.
    is_asking: bool,
    /// What it has that measures when asked.
    pub spot: Option<Spot>,
    /// It blinks until then, because somebody wants to know which one it is.
    blinks_until: Option<BootTime>,
    /// It has said over this link who it is.
    is_introduced: bool,
}

/// How far the link has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Idle,
    Searching { lost: bool },
    Opening { live_at: BootTime },
    Live,
}

/// What surrounds the devices in one step.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The time.
    pub now: Moment,
    /// The same, as a clock at the bed shows it.
    pub local: DateTime,
    /// The kiosk's controller is on.
    pub radio_on: bool,
    /// Who wears the devices.
    pub patient: &'a Patient,
    /// What the body did since the last step.
    pub stretch: &'a Stretch,
}

impl Device {
    /// A charged device on the patient, on the cart or on the shelf.
    pub fn new(id: DeviceId, name: &'static str, kind: DeviceKind, near: bool) -> Self {
        Self {
            id,
            name,
            kind,
            near,
            worn: true,
            battery_percent: 86,
            signal_percent: 100,
            malformed: false,
            hold: Hold::Idle,
            heard: None,
            next_advert: None,
            next_frame: BootTime::default(),
            settled: None,
            battery_told: None,
            rr: Vec::new(),
            malformed_turn: 0,
            is_asking: false,
            spot: (!kind.is_continuous()).then(Spot::default),
            blinks_until: None,
            is_introduced: false,
        }
    }

    /// The link as the kiosk was last told it; `Down` before the first connect.
    pub fn link(&self) -> Link {
        match self.hold {
            Hold::Idle => Link::Down,
            Hold::Searching { lost: true } => Link::Lost,
            Hold::Searching { lost: false } | Hold::Opening { .. } => Link::Connecting,
            Hold::Live => Link::Live,
        }
    }

    /// The kiosk's controller has heard it and it is not gone since.
    pub fn is_heard(&self) -> bool {
        self.heard.is_some()
    }

    /// The kiosk wants a link from here on. A second wish changes nothing.
    pub fn connect(&mut self, out: &mut Vec<Event>) {
        if self.hold == Hold::Idle {
            self.hold = Hold::Searching { lost: false };
            out.push(Event::Link(self.id, Link::Connecting));
        }
    }

    /// The kiosk wants no link any more.
    pub fn disconnect(&mut self, out: &mut Vec<Event>) {
        self.hold = Hold::Idle;
        out.push(Event::Link(self.id, Link::Down));
    }

    /// The number that it shows while it is paired.
    pub fn shown_number(&self) -> Option<u32> {
        self.is_asking.then_some(SHOWN)
    }

    /// It blinks.
    pub fn is_blinking(&self) -> bool {
        self.blinks_until.is_some()
    }

    /// The kiosk writes to it.
    ///
    /// # Errors
    /// There is no link, or it has no such characteristic.
    pub fn write(
        &mut self,
        now: BootTime,
        what: Characteristic,
        bytes: &[u8],
    ) -> Result<(), WriteFault> {
        let shows = self.kind == DeviceKind::PulseOximeter || self.kind == DeviceKind::Patch;
        if what == Characteristic::ALERT_LEVEL && shows {
            if self.hold != Hold::Live {
                return Err(WriteFault::NotLinked);
            }
            self.blinks_until = (bytes != [0]).then_some(now + SHOWS_ITSELF);
            return Ok(());
        }
        let spot = self.spot.as_mut().ok_or(WriteFault::NoSuchCharacteristic)?;
        if self.hold != Hold::Live {
            return Err(WriteFault::NotLinked);
        }
        spot.write(self.kind, what, bytes).then_some(()).ok_or(WriteFault::NoSuchCharacteristic)
    }

    /// The kiosk pairs it: an oximeter and a meter show a number that has to be compared, a cuff one that has to be
    /// typed, and all else just works.
    pub fn pair(&mut self) -> Option<PairingStep> {
        if !self.near || self.battery_percent == 0 {
            return Some(PairingStep::Failed(PairingFault::OutOfReach));
        }
        match self.kind {
            DeviceKind::PulseOximeter | DeviceKind::GlucoseMeter => {
                self.is_asking = true;
                Passkey::new(SHOWN).map(PairingStep::CompareNumber)
            }
            DeviceKind::Cuff => {
                self.is_asking = true;
                Some(PairingStep::TypePasskey)
            }
            DeviceKind::HeartRate
            | DeviceKind::Thermometer
            | DeviceKind::GlucoseSensor
            | DeviceKind::Scale
            | DeviceKind::Patch => Some(PairingStep::Bonded(self.id)),
        }
    }

    /// Somebody answers while it is paired.
    pub fn answer(&mut self, answer: PairingAnswer) -> Option<PairingStep> {
        if !std::mem::take(&mut self.is_asking) {
            return None;
        }
        match answer {
            PairingAnswer::Confirm(true) => Some(PairingStep::Bonded(self.id)),
            PairingAnswer::Confirm(false) => Some(PairingStep::Failed(PairingFault::NumbersDiffer)),
            PairingAnswer::Cancel => Some(PairingStep::Failed(PairingFault::Cancelled)),
            PairingAnswer::Passkey(typed) if self.kind == DeviceKind::Cuff => {
                let fault = PairingFault::WrongPasskey;
                let is_right = typed.number() == SHOWN;
                Some(if is_right {
                    PairingStep::Bonded(self.id)
                } else {
                    PairingStep::Failed(fault)
                })
            }
            // It did not ask for one.
            PairingAnswer::Passkey(_) => {
                self.is_asking = true;
                None
            }
        }
    }

    /// Advances by one step and says what the kiosk's driver would notice.
    pub fn step(&mut self, around: &Surroundings<'_>, dice: &mut Dice, out: &mut Vec<Event>) {
        self.live_on(around);
        let is_awake = self.spot.as_ref().is_none_or(|spot| spot.is_awake(around.now.boot));
        let audible = around.radio_on
            && is_awake
            && self.near
            && self.battery_percent > 0
            && dice.roll() < self.share_received();
        self.step_link(around, audible, out);
        if audible {
            self.heard = Some(around.now.boot);
        }
        match self.hold {
            Hold::Live => {
                // What is sent while nobody hears it is lost, not late.
                let sent = self.send(around);
                if audible {
                    out.extend(sent);
                }
            }
            Hold::Idle | Hold::Searching { .. } | Hold::Opening { .. } => {
                self.advertise(around.now.boot, audible, dice, out);
            }
        }
    }

    /// What goes on inside the device whether anybody listens or not.
    fn live_on(&mut self, around: &Surroundings<'_>) {
        self.blinks_until.take_if(|until| around.now.boot >= *until);
        if let Some(spot) = self.spot.as_mut().filter(|_| self.battery_percent > 0) {
            spot.step(self.kind, around.now.boot, around.local, around.patient);
        }
        if !self.worn {
            self.settled = None;
            self.rr.clear();
            return;
        }
        self.settled.get_or_insert(around.now.boot + SETTLING);
        // RR intervals travel in 1/1024 s (HRS 1.0, 3.1.1.4).
        self.rr.extend(around.stretch.beats_s.iter().map(|s| frames::whole(s * 1024.0)));
        let surplus = self.rr.len().saturating_sub(frames::RR_MAX);
        self.rr.drain(..surplus);
    }

    fn share_received(&self) -> f64 {
        f64::from(self.signal_percent) / f64::from(SIGNAL_SOUND_PERCENT)
    }

    fn step_link(&mut self, around: &Surroundings<'_>, audible: bool, out: &mut Vec<Event>) {
        let now = around.now.boot;
        let silent = self.heard.is_none_or(|heard| now.since(heard) >= SUPERVISION);
        let next = match self.hold {
            Hold::Searching { .. } if audible => Hold::Opening { live_at: now + OPENING },
            Hold::Opening { .. } if silent && !audible => Hold::Searching { lost: false },
            Hold::Opening { live_at } if audible && now >= live_at => Hold::Live,
            Hold::Live if !around.radio_on || (silent && !audible) => {
                // Nobody misses what has measured and sleeps.
                Hold::Searching { lost: self.kind.is_continuous() }
            }
            same @ (Hold::Idle | Hold::Searching { .. } | Hold::Opening { .. } | Hold::Live) => {
                same
            }
        };
        let told = self.link();
        self.hold = next;
        if next == Hold::Live && told != Link::Live {
            // A fresh subscription reads the battery and waits for the next measurement.
            self.battery_told = None;
            self.is_introduced = false;
            self.next_frame = now + EVERY / 4;
        }
        if self.link() != told {
            out.push(Event::Link(self.id, self.link()));
        }
    }

    fn advertise(&mut self, now: BootTime, audible: bool, dice: &mut Dice, out: &mut Vec<Event>) {
        if audible {
            if self.next_advert.is_none_or(|due| now >= due) {
                self.next_advert = Some(now + EVERY);
                out.push(Event::Seen {
                    device: self.id,
                    name: self.name.to_owned(),
                    kind: self.kind,
                    rssi: self.rssi(dice),
                });
            }
        } else if self.heard.is_some_and(|heard| now.since(heard) >= GONE_AFTER) {
            self.heard = None;
            out.push(Event::Gone(self.id));
        }
    }

    /// -90 dBm at the edge of reach, about -46 dBm beside the antenna, never quite still.
    fn rssi(&self, dice: &mut Dice) -> i16 {
        let level = f64::from(self.signal_percent) * 0.44 + dice.roll() * 5.0;
        -90 + i16::try_from(frames::whole(level)).unwrap_or(0)
    }

    fn send(&mut self, around: &Surroundings<'_>) -> Vec<Event> {
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.is_introduced, true) {
            out.extend(self.introduce(around));
        }
        if self.battery_told != Some(self.battery_percent) {
            self.battery_told = Some(self.battery_percent);
            let payload = frames::battery_level(self.battery_percent);
            out.push(self.frame(around.now, BATTERY_LEVEL, payload));
        }
        if around.now.boot >= self.next_frame {
            self.next_frame = around.now.boot + EVERY;
            for (characteristic, sound) in self.measured(around) {
                let payload = if self.malformed {
                    self.malformed_turn = self.malformed_turn.wrapping_add(1);
                    frames::malformed(self.kind, self.malformed_turn)
                } else {
                    sound
                };
                out.push(self.frame(around.now, characteristic, payload));
            }
        }
        let wave = match self.kind {
            DeviceKind::PulseOximeter => &around.stretch.pleth,
            DeviceKind::Patch => &around.stretch.ecg,
            DeviceKind::HeartRate
            | DeviceKind::Cuff
            | DeviceKind::Thermometer
            | DeviceKind::GlucoseMeter
            | DeviceKind::GlucoseSensor
            | DeviceKind::Scale => return out,
        };
        if !wave.is_empty() {
            let samples = if self.worn { wave.clone() } else { vec![0.0; wave.len()] };
            out.push(Event::Wave { device: self.id, rate_hz: PLETH_RATE_HZ, samples });
        }
        out
    }

    /// What it says of itself over a new link, and what its clock shows.
    fn introduce(&self, around: &Surroundings<'_>) -> Vec<Event> {
        let [.., high, low] = self.id.0;
        let serial = format!("{high:02X}{low:02X}");
        let said = [self.name, serial.as_str(), "1.0.3", "Simulated"];
        let about = INFORMATION.into_iter().zip(said);
        let about = about.map(|(what, said)| (what, said.as_bytes().to_vec()));
        let clock = self.spot.as_ref().map(|spot| spot.greets(around.local));
        let all = clock.into_iter().chain(about);
        all.map(|(what, payload)| self.frame(around.now, what, payload)).collect()
    }

    /// What it has measured since the last time.
    fn measured(&mut self, around: &Surroundings<'_>) -> Vec<Sent> {
        if let Some(spot) = &mut self.spot {
            return spot.next_frame(around.now.boot).into_iter().collect();
        }
        match self.kind {
            DeviceKind::HeartRate => vec![(HEART_RATE, self.strap_frame(around.patient))],
            DeviceKind::PulseOximeter => vec![(PLX_CONTINUOUS, self.oximeter_frame(around))],
            DeviceKind::Patch => {
                let truth = around.patient.truth();
                let breaths = self.worn.then_some(truth.breaths_per_min);
                let celsius = self.worn.then_some(truth.temperature_celsius);
                vec![
                    (HEART_RATE, self.strap_frame(around.patient)),
                    (OBSERVATION, frames::respiration(breaths)),
                    (TEMPERATURE, frames::skin_temperature(celsius)),
                ]
            }
            DeviceKind::Cuff
            | DeviceKind::Thermometer
            | DeviceKind::GlucoseMeter
            | DeviceKind::GlucoseSensor
            | DeviceKind::Scale => vec![],
        }
    }

    fn frame(&self, now: Moment, characteristic: Characteristic, payload: Vec<u8>) -> Event {
        Event::Frame { device: self.id, characteristic, payload, received: now }
    }

    fn strap_frame(&mut self, patient: &Patient) -> Vec<u8> {
        let rate = if self.worn && patient.is_beating() {
            frames::whole(patient.truth().heart_rate_per_min)
        } else {
            0
        };
        let rr = std::mem::take(&mut self.rr);
        frames::heart_rate(&StrapReport { rate_per_min: rate, contact: self.worn, rr })
    }

    fn oximeter_frame(&self, around: &Surroundings<'_>) -> Vec<u8> {
        frames::plx_continuous(&self.oximetry(around))
    }

    fn oximetry(&self, around: &Surroundings<'_>) -> OximeterReport {
        let without_value = |measurement, sensor| OximeterReport {
            spo2: frames::SFLOAT_NAN,
            pulse_rate: frames::SFLOAT_NAN,
            measurement,
            sensor,
            pulse_amplitude: frames::SFLOAT_NAN,
        };
        let truth = around.patient.truth();
        if !self.worn {
            without_value(measurement::UNAVAILABLE, sensor::NOT_ON_USER)
        } else if self.settled.is_none_or(|settled| around.now.boot < settled) {
            without_value(measurement::ONGOING | measurement::CALIBRATING, 0)
        } else if !around.patient.is_beating() || truth.perfusion < 0.04 {
            without_value(
                measurement::ONGOING | measurement::INVALID,
                sensor::INADEQUATE | sensor::LOW_PERFUSION | sensor::NON_PULSATILE,
            )
        } else {
            let sensor = match truth.perfusion {
                strong if strong >= 0.3 => 0,
                weak if weak >= 0.15 => sensor::LOW_PERFUSION,
                _ => sensor::LOW_PERFUSION | sensor::POOR,
            };
            OximeterReport {
                spo2: frames::sfloat_whole(truth.spo2_percent),
                pulse_rate: frames::sfloat_whole(truth.heart_rate_per_min),
                measurement: measurement::ONGOING | measurement::FULLY_QUALIFIED,
                sensor,
                pulse_amplitude: frames::sfloat_tenths(truth.perfusion * 8.0),
            }
        }
    }
}
