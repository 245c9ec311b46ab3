//! What a device that measures when somebody asks it has beside its link: a clock of its own, a memory, and sleep.
//!
//! A cuff, a thermometer and a scale hand a reading over as soon as they are linked; a meter keeps its records until it
//! is asked for them (Glucose Profile 1.0, 5.4). All of them sleep when nothing has happened for a while.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

use crate::frames::{
    self, BLOOD_PRESSURE, CURRENT_TIME, GLUCOSE, RECORD_ACCESS, TEMPERATURE, WEIGHT,
};
use crate::physiology::Patient;
use wardkeep_model::moment::BootTime;
use wardkeep_model::vitals::{Characteristic, DeviceKind};

/// How long a measurement takes.
const MEASURES: Duration = Duration::from_secs(3);
/// A device that has nothing to do sleeps after this.
const AWAKE: Duration = Duration::from_secs(30);
/// Records that a meter keeps.
const RECORDS_MAX: usize = 500;
/// The patient weighs this much, in kilograms.
const WEIGHT_KG: f64 = 71.4;

/// Report Stored Records, and Response Code, of the Record Access Control Point.
const REPORT: u8 = 1;
const RESPONSE: u8 = 6;
/// Greater than or equal to, and its filter by sequence number.
const FROM: u8 = 3;
const BY_NUMBER: u8 = 1;

/// A frame on its way.
pub type Sent = (Characteristic, Vec<u8>);

/// A device that measures when it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// Its measurements do not succeed: the cuff is too loose, the strip too small, nobody stands still.
    pub fails: bool,
    /// How far its clock is from the bed's.
    ahead: SignedDuration,
    /// When the measurement that goes on is done.
    done_at: Option<BootTime>,
    awake_until: Option<BootTime>,
    unsent: VecDeque<Sent>,
    /// Numbers and frames of a meter's records, oldest first.
    records: Vec<(u16, Vec<u8>)>,
    numbered: u16,
}

impl Spot {
    /// Somebody begins to measure with it.
    pub fn measure(&mut self, now: BootTime) {
        self.done_at.get_or_insert(now + MEASURES);
        self.wake(now);
    }

    /// It measures at this moment.
    pub fn is_measuring(&self) -> bool {
        self.done_at.is_some()
    }

    /// Its battery was out, or is back and its clock is set by hand.
    pub fn lose_clock(&mut self, lost: bool, local: DateTime) {
        let reset = date(2000, 1, 1).at(0, 0, 0, 0);
        self.ahead = if lost { reset.duration_since(local) } else { SignedDuration::ZERO };
    }

    /// Its clock is not set.
    pub fn has_lost_clock(&self) -> bool {
        self.ahead != SignedDuration::ZERO
    }

    /// It has been used and has not gone to sleep.
    pub fn is_in_use(&self) -> bool {
        self.awake_until.is_some()
    }

    /// It neither sleeps nor is switched off.
    pub fn is_awake(&self, now: BootTime) -> bool {
        self.awake_until.is_some_and(|until| now < until)
    }

    fn wake(&mut self, now: BootTime) {
        self.awake_until = Some(now + AWAKE);
    }

    /// What it shows as the time.
    fn shows(&self, local: DateTime) -> DateTime {
        local.checked_add(self.ahead).unwrap_or(local)
    }

    /// Goes on with what it does.
    pub fn step(&mut self, kind: DeviceKind, now: BootTime, local: DateTime, patient: &Patient) {
        self.awake_until.take_if(|until| now >= *until);
        if self.done_at.take_if(|done| now >= *done).is_none() {
            return;
        }
        self.wake(now);
        let (stamp, truth) = (self.shows(local), patient.truth());
        let fails = self.fails || !patient.is_beating();
        match kind {
            DeviceKind::Cuff => {
                // Harder, the faster the heart: near enough for a demonstration.
                let systolic = 100.0 + truth.heart_rate_per_min * 0.25;
                let pressures = (!fails).then_some((systolic, systolic * 0.64));
                let frame = frames::blood_pressure(pressures, truth.heart_rate_per_min, stamp);
                self.unsent.push_back((BLOOD_PRESSURE, frame));
            }
            DeviceKind::Thermometer => {
                let celsius = (!self.fails).then_some(truth.temperature_celsius);
                self.unsent.push_back((TEMPERATURE, frames::temperature(celsius, stamp)));
            }
            DeviceKind::Scale => {
                let kilograms = (!self.fails).then_some(WEIGHT_KG);
                self.unsent.push_back((WEIGHT, frames::weight(kilograms, stamp)));
            }
            DeviceKind::GlucoseMeter => {
                self.numbered = self.numbered.wrapping_add(1);
                let concentration = 5.4 + (truth.temperature_celsius - 36.8) * 0.9;
                let frame = frames::glucose(self.numbered, concentration, self.fails, stamp);
                self.records.push((self.numbered, frame));
                let spare = self.records.len().saturating_sub(RECORDS_MAX);
                self.records.drain(..spare);
            }
            DeviceKind::HeartRate
            | DeviceKind::PulseOximeter
            | DeviceKind::GlucoseSensor
            | DeviceKind::Patch => {}
        }
    }

    /// What is said first over a new link: the time, as it shows it.
    pub fn greets(&self, local: DateTime) -> Sent {
        (CURRENT_TIME, frames::current_time(self.shows(local)))
    }

    /// The next frame of what it has to hand over.
    pub fn next_frame(&mut self, now: BootTime) -> Option<Sent> {
        let sent = self.unsent.pop_front();
        if sent.is_some() {
            self.wake(now);
        }
        sent
    }

    /// Takes what is written to it; `false` if it has no such characteristic.
    pub fn write(&mut self, kind: DeviceKind, what: Characteristic, bytes: &[u8]) -> bool {
        match what {
            CURRENT_TIME => self.ahead = SignedDuration::ZERO,
            RECORD_ACCESS if kind == DeviceKind::GlucoseMeter => self.hand_over(bytes),
            _ => return false,
        }
        true
    }

    fn hand_over(&mut self, request: &[u8]) {
        let from = match request {
            [REPORT, FROM, BY_NUMBER, low, high] => Some(u16::from_le_bytes([*low, *high])),
            [REPORT, ..] => None,
            _ => {
                // An opcode that it does not know.
                let opcode = request.first().copied().unwrap_or_default();
                return self.unsent.push_back((RECORD_ACCESS, vec![RESPONSE, 0, opcode, 2]));
            }
        };
        let wanted =
            self.records.iter().filter(|(number, _)| from.is_none_or(|from| *number >= from));
        let frames: Vec<Sent> = wanted.map(|(_, frame)| (GLUCOSE, frame.clone())).collect();
        // No records found, or success.
        let outcome = if frames.is_empty() { 6 } else { 1 };
        self.unsent.extend(frames);
        self.unsent.push_back((RECORD_ACCESS, vec![RESPONSE, 0, REPORT, outcome]));
    }
}
