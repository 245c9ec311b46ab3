//! Frames and samples: what they become on the screen, and what is recorded of them.
//!
//! A stretch of a waveform ends when it is long enough, at a gap, when its rate or its owner changes, and
//! when the program ends; never because the screen locks. A kill loses at most the stretch that is
//! gathered. S-6: a sample without an owner at its arrival is not kept, and no stretch holds samples of
//! two owners.

use jiff::civil::DateTime;

use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::Command as StoreCommand;
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::gatt::{self, Charted, Withheld};
use wardkeep_model::vitals::nomenclature::{Mdc, PLETH, Status, Unit};
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{
    Characteristic, ClockConfidence, DeviceId, Observation, Provenance, RecordId, Value,
};

use crate::effect::Effect;
use crate::monitor::Monitor;
use crate::monitor::waves::{Stretch, WaveSource};

impl Monitor {
    /// A device sent a frame.
    pub(crate) fn frame(
        &mut self,
        device: DeviceId,
        characteristic: Characteristic,
        payload: &[u8],
        received: Moment,
    ) -> Vec<Effect> {
        if self.pairing.get(device).is_none_or(|device| !device.known) {
            return vec![];
        }
        // A frame that does not decode charts nothing; the number it should have brought grows old.
        let Ok(decoded) = gatt::decode(characteristic, payload) else { return vec![] };
        if let Some(percent) = decoded.battery_percent {
            self.pairing.battery(device, percent);
        }
        let source = Source { device, received, stamp: decoded.time };
        let mine = self.pairing.owner(device, received.wall);
        // S-6: what is watched without records is shown and becomes no observation.
        let is_watched = self.is_watched(device);
        let at_bed = is_watched || (mine.is_some() && mine == self.subject);
        let mut effects = Vec::new();
        for charted in &decoded.observations {
            self.absences.remove(&(device, charted.code));
            let live = source.is_live(charted);
            let leading = Parameter::of(charted.code).map(Parameter::row).filter(|row| row.leads);
            if let Some(row) = leading.filter(|_| live) {
                let until = received.boot + row.fresh;
                self.readings.insert(device, (charted.value, charted.unit, until));
            }
            if live && at_bed {
                self.live.take(received.boot, device, charted);
            }
            if !is_watched {
                effects.push(self.record(&source, charted.code, Content::of(charted, live)));
            }
        }
        for withheld in &decoded.withheld {
            if at_bed {
                self.live.withhold(received.boot, withheld);
            }
            self.readings.remove(&device);
            let before = self.absences.insert((device, withheld.code), withheld.reason);
            if before != Some(withheld.reason) && !is_watched {
                effects.push(self.record(&source, withheld.code, Content::absent(withheld)));
            }
        }
        effects
    }

    fn record(&mut self, source: &Source, code: Mdc, content: Content) -> Effect {
        let Source { device, received, stamp } = *source;
        // A value from the device's memory may be older than the assignment: it stays unclaimed (S-6).
        let subject = if content.live { self.pairing.owner(device, received.wall) } else { None };
        let provenance = self.provenance();
        Effect::Store(StoreCommand::Record(Box::new(Observation {
            record: self.next_record(),
            code,
            value: Phi::new(content.value),
            unit: content.unit,
            effective: received.wall,
            received: received.wall,
            device_time: stamp,
            clock: if content.live { ClockConfidence::Live } else { ClockConfidence::Unknown },
            status: content.status,
            device,
            subject,
            provenance,
        })))
    }

    /// A device sent samples. They are kept if they are somebody's, and `true` says that whoever is at
    /// this bed is whose they are.
    pub(crate) fn wave(
        &mut self,
        now: Moment,
        device: DeviceId,
        rate_hz: u16,
        samples: &[f32],
    ) -> (Vec<Effect>, bool) {
        let Some(subject) = self.pairing.owner(device, now.wall) else { return (vec![], false) };
        let ended = match rate_hz {
            0 => vec![],
            _ => self.waves.take(now, WaveSource { device, subject, rate_hz }, samples),
        };
        let is_here = self.subject == Some(subject);
        if is_here {
            self.wave_at = Some(now.boot);
        }
        (self.record_waves(ended), is_here)
    }

    /// Ends every stretch that nothing will be added to.
    pub(crate) fn end_waves(&mut self, now: Moment) -> Vec<Effect> {
        let pairing = &self.pairing;
        let ended = self.waves.end(now, |device| pairing.owner(device, now.wall));
        self.record_waves(ended)
    }

    /// The program ends: what was gathered is recorded.
    pub(crate) fn end(&mut self) -> Vec<Effect> {
        let ended = self.waves.end_all();
        self.record_waves(ended)
    }

    fn record_waves(&mut self, ended: Vec<Stretch>) -> Vec<Effect> {
        let provenance = self.provenance();
        let record = |Stretch { source, start, samples }| {
            Effect::Store(StoreCommand::RecordWave(Box::new(WaveSegment {
                record: self.next_record(),
                code: PLETH,
                rate_hz: source.rate_hz,
                start: start.wall,
                samples: Phi::new(samples),
                device: source.device,
                subject: Some(source.subject),
                provenance,
            })))
        };
        ended.into_iter().map(record).collect()
    }

    fn next_record(&mut self) -> RecordId {
        self.seq += 1;
        RecordId { run: self.rules.run, seq: self.seq }
    }

    fn provenance(&self) -> Provenance {
        if self.rules.simulated { Provenance::Simulated } else { Provenance::Device }
    }
}

/// Where a frame came from.
struct Source {
    device: DeviceId,
    received: Moment,
    /// The frame's own time stamp.
    stamp: Option<DateTime>,
}

impl Source {
    /// The value is of this moment: neither stamped by the device nor marked as from its memory.
    fn is_live(&self, charted: &Charted) -> bool {
        self.stamp.is_none() && !charted.status.contains(&Status::FromStorage)
    }
}

/// What an observation says.
struct Content {
    value: Value,
    unit: Unit,
    status: Vec<Status>,
    live: bool,
}

impl Content {
    fn of(charted: &Charted, live: bool) -> Self {
        let (unit, status) = (charted.unit, charted.status.clone());
        Self { value: Value::Measured(charted.value), unit, status, live }
    }

    fn absent(withheld: &Withheld) -> Self {
        let parameter = Parameter::of(withheld.code);
        let unit = parameter.map_or(Unit::PerMinute, |parameter| parameter.row().unit);
        Self { value: Value::Absent(withheld.reason), unit, status: vec![], live: true }
    }
}
