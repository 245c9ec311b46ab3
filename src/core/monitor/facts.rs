//! What is measured, and what holds of the devices that may be an alarm condition. The machine in
//! [`crate::alarms`] does the rest.

use std::time::Duration;

use jiff::Timestamp;

use wardkeep_model::alarm::Priority;
use wardkeep_model::alarm::limits::AgeGroup;
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::Link;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::spot::SpotReading;
use wardkeep_model::vitals::wave::WaveKind;
use wardkeep_model::vitals::{DeviceId, DeviceKind, RecordId};

use crate::alarms::{AlarmText, Condition, Fact, LifeSign, Reading, Sign};
use crate::inventory::{BATTERY_LOW_PERCENT, alarming};
use crate::monitor::Monitor;
use crate::pairing::{Device, Why};

/// A waveform lane without samples for this long is not fed.
const WAVE_FRESH: Duration = Duration::from_secs(2);
/// A link that comes back within this raises no alarm (its numbers turn to dashes at once).
const LINK_DELAY: Duration = Duration::from_secs(3);
/// A device that was just assigned may take this long until it is linked.
const FIRST_LINK_DELAY: Duration = Duration::from_secs(30);
/// A sensor may be off the patient this long before it is missed.
const NO_VALUE_DELAY: Duration = Duration::from_secs(10);
/// A battery this low is about to end.
const BATTERY_ENDS_PERCENT: u8 = 5;
/// Somebody is asked so long before an assignment ends whether it is to go on.
const ASKED_BEFORE: Duration = Duration::from_secs(30 * 60);
/// A driver's queue may be full for so long.
const REFUSED_DELAY: Duration = Duration::from_secs(5);
/// A pulse that is gone for so long is.
const NO_PULSE_DELAY: Duration = Duration::from_secs(5);
/// A pause in breathing that long is an apnoea.
const APNOEA_DELAY: Duration = Duration::from_secs(20);
const APNOEA_DELAY_NEONATE: Duration = Duration::from_secs(15);

impl Monitor {
    /// A device's last number with its unit, unless it is too old.
    pub(crate) fn reading(&self, now: BootTime, id: DeviceId) -> Option<String> {
        let (value, unit, until) = self.readings.get(&id)?;
        (now < *until).then(|| format!("{value} {}", unit.symbol()))
    }

    /// Waveforms that are fed.
    pub(crate) fn waves(&self, now: BootTime) -> Vec<WaveKind> {
        let fed = self.waved.iter().filter(|(_, at)| now.since(**at) < WAVE_FRESH);
        fed.map(|(kind, _)| *kind).collect()
    }

    /// How long ago a spot reading came: on the clock that nobody can set, where it came in this run.
    pub(crate) fn spot_age(&self, now: Moment, reading: &SpotReading) -> Duration {
        let RecordId { run, seq } = reading.record;
        match self.came.get(&seq).filter(|_| run == self.rules.run) {
            Some(came) => now.boot.since(*came),
            None => {
                let ago = now.wall.duration_since(reading.times.received);
                Duration::try_from(ago).unwrap_or_default()
            }
        }
    }

    /// Since when whoever is at this bed is there, as far as this run knows.
    pub(crate) fn at_bed_since(&self, now: Moment) -> Option<Timestamp> {
        let since = now.boot.since(self.at_bed?);
        now.wall.checked_sub(since).ok()
    }

    /// Why this one of several devices of its kind is shown; `None` where it is the only one.
    pub(crate) fn why(&self, kind: DeviceKind) -> Option<Why> {
        self.pairing.why(kind).filter(|_| !self.is_watching())
    }

    /// No more devices of this kind can be assigned.
    pub(crate) fn is_full(&self, kind: DeviceKind) -> bool {
        self.pairing.is_full(kind)
    }

    /// What is known of each parameter, in its unit.
    pub(crate) fn readings(&self, now: BootTime) -> Vec<(Parameter, Reading)> {
        Parameter::all().map(|parameter| (parameter, self.reading_of(now, parameter))).collect()
    }

    fn reading_of(&self, now: BootTime, parameter: Parameter) -> Reading {
        let value = self.live.current(now, parameter);
        match value.and_then(|one| one.unit.reckon(one.value, parameter.row().unit)) {
            Some(value) => Reading::Value(value),
            None if self.source_of(parameter).is_some() => Reading::NoValue,
            None => Reading::NotMeasured,
        }
    }

    /// What devices say of the patient that is no number.
    pub(crate) fn signs(&self, now: BootTime) -> Vec<Sign> {
        let oximeter = self.source(DeviceKind::PulseOximeter);
        let pulse = oximeter.filter(|(_, device)| device.link == Link::Live);
        let is_gone =
            pulse.and_then(|(id, _)| self.pulses.get(&id)).is_some_and(|p| p.is_gone(now));
        let has_rate = self.live.current(now, Parameter::PulseRate).is_some();
        let breath = self.reading_of(now, Parameter::Respiration);
        let is_neonate = self.limits.group == AgeGroup::Neonate;
        vec![
            Sign {
                of: LifeSign::Pulse,
                delay: NO_PULSE_DELAY,
                is_gone: if is_gone { Some(true) } else { has_rate.then_some(false) },
                is_measured: oximeter.is_some(),
            },
            Sign {
                of: LifeSign::Breath,
                delay: if is_neonate { APNOEA_DELAY_NEONATE } else { APNOEA_DELAY },
                is_gone: match breath {
                    Reading::Value(rate) => Some(rate == Decimal::from(0)),
                    Reading::NoValue | Reading::NotMeasured => None,
                },
                is_measured: breath != Reading::NotMeasured,
            },
        ]
    }

    /// Everything technical that holds now.
    pub(crate) fn facts(&self, now: Moment) -> Vec<Fact> {
        self.devices().flat_map(|(id, device)| self.device_facts(now, id, device)).collect()
    }

    fn device_facts(&self, now: Moment, id: DeviceId, device: &Device) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut state = |condition, priority, text, delay, silences| {
            let fact = Fact::at_once(condition, priority, text);
            facts.push(Fact { delay, silences, ..fact });
        };
        let (low, medium, name) = (Priority::Low, Priority::Medium, || self.name(id));
        if device.is_refused {
            let text = AlarmText::CommandRefused { device: name() };
            state(Condition::CommandRefused(id), medium, text, REFUSED_DELAY, None);
        }
        let entry = self.inventory.get(id).filter(|_| device.known && self.subject.is_some());
        if let Some(task) = entry.and_then(|one| alarming(one, now, &self.rules.zone)) {
            let text = AlarmText::Upkeep { device: name(), task };
            state(Condition::Upkeep(id), low, text, Duration::ZERO, None);
        }
        if device.assignment.is_none() && !self.is_watched(id) {
            return facts;
        }
        let at_once = Duration::ZERO;
        if device.assignment.is_some() {
            let left = device.ends_at().since(now.boot);
            if self.pairing.owner(id, now.boot).is_none() {
                let text = AlarmText::AssignmentEnded { device: name() };
                state(Condition::AssignmentEnded(id), medium, text, at_once, None);
            } else if left <= ASKED_BEFORE {
                let minutes = left.as_secs().div_ceil(60);
                let text = AlarmText::AssignmentEnds { device: name(), minutes };
                state(Condition::AssignmentEnds(id), low, text, at_once, None);
            }
        }
        if let Some(percent) = device.battery_percent.filter(|p| *p < BATTERY_LOW_PERCENT) {
            let text = AlarmText::BatteryLow { device: name(), percent };
            let priority = if percent <= BATTERY_ENDS_PERCENT { medium } else { low };
            state(Condition::Battery(id), priority, text, at_once, None);
        }
        if !device.kind.is_continuous() {
            return facts;
        }
        // Where another one is shown, no value is missing because of this one.
        let is_shown = self.source(device.kind).is_some_and(|(shown, _)| shown == id);
        let kind = is_shown.then_some(device.kind);
        // A link that a sensor ends between two values is not lost.
        let pace = device.kind.pace();
        match (device.link, device.was_live) {
            (Link::Live, _) => {
                let main = Parameter::led_by(device.kind);
                if main.is_some_and(|main| !self.has_value(now.boot, id, main)) {
                    let sensor_off = self.is_sensor_off(id);
                    let text = AlarmText::ValueLost { device: name(), sensor_off };
                    state(Condition::ValueLost(id), low, text, NO_VALUE_DELAY + pace, kind);
                }
            }
            (Link::Lost | Link::Connecting | Link::Down, true) => {
                let text = AlarmText::LinkLost { device: name() };
                state(Condition::LinkLost(id), medium, text, LINK_DELAY + 2 * pace, kind);
            }
            (Link::Lost | Link::Connecting | Link::Down, false) => {
                let text = AlarmText::NeverLinked { device: name() };
                state(Condition::NeverLinked(id), medium, text, FIRST_LINK_DELAY + pace, kind);
            }
        }
        facts
    }

    /// It is asked whether this device's assignment goes on.
    pub(crate) fn asks_again(&self, now: BootTime, device: &Device) -> bool {
        device.assignment.is_some() && device.ends_at().since(now) <= ASKED_BEFORE
    }

    /// This device has a current value of what it is worn for.
    fn has_value(&self, now: BootTime, id: DeviceId, main: Parameter) -> bool {
        match self.source_of(main) {
            Some((shown, _)) if shown == id => self.live.current(now, main).is_some(),
            Some(_) | None => self.readings.get(&id).is_some_and(|(.., until)| now < *until),
        }
    }

    /// The device itself says so.
    fn is_sensor_off(&self, id: DeviceId) -> bool {
        self.absences.iter().any(|((device, _), reason)| *device == id && reason.is_sensor_off())
    }

    /// A device is assigned to whoever is at this bed.
    pub(crate) fn watches_over(&self) -> bool {
        let subject = self.subject;
        let is_theirs =
            |device: &Device| device.assignment.is_some_and(|one| Some(one.subject) == subject);
        subject.is_some() && self.devices().any(|(_, device)| is_theirs(device))
    }

    /// Devices are watched without records.
    pub(crate) fn is_watching(&self) -> bool {
        self.watch.is_some()
    }

    /// Devices are watched, and there is one.
    pub(crate) fn watches_any(&self) -> bool {
        self.watch.as_ref().is_some_and(|devices| !devices.is_empty())
    }

    /// Its values are shown and never recorded.
    pub(crate) fn is_watched(&self, id: DeviceId) -> bool {
        self.watch.as_ref().is_some_and(|devices| devices.contains_key(&id))
    }
}
