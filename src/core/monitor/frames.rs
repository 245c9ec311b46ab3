//! Frames and samples: what they become on the screen, and what is recorded of them.
//!
//! A stretch of a waveform ends when it is long enough, at a gap, when its rate or its owner changes, and
//! when the program ends; never because the screen locks. A kill loses at most the stretch that is
//! gathered. S-6: a sample without an owner at its arrival is not kept, and no stretch holds samples of
//! two owners.

use std::time::Duration;

use jiff::civil::DateTime;

use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::Command as StoreCommand;
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{Command, Link, WriteFault};
use wardkeep_model::vitals::gatt::join::{Joins, Whole};
use wardkeep_model::vitals::gatt::{Charted, Decoded, Event, Topic, Withheld, cgm};
use wardkeep_model::vitals::nomenclature::{Mdc, PLETH, Status, Unit};
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::plausible;
use wardkeep_model::vitals::vendor;
use wardkeep_model::vitals::wave::{WaveKind, WaveSegment};
use wardkeep_model::vitals::{
    Characteristic, ClockConfidence, DeviceId, Format, Observation, Provenance, RecordId, Value,
};

use crate::effect::Effect;
use crate::monitor::halves::Half;
use crate::monitor::stored::{Answered, RECORD_ACCESS, Transfer, asked};
use crate::monitor::waves::{Stretch, WaveSource};
use crate::monitor::{Monitor, spot};
use crate::pairing::Device;

/// Spot readings of which it is remembered when they came.
const CAME_MAX: usize = 1_024;
/// CGM Measurement.
const CGM_MEASUREMENT: Characteristic = Characteristic(0x2AA7);

impl Monitor {
    /// A device sent a frame.
    pub(crate) fn frame(
        &mut self,
        device: DeviceId,
        format: Format,
        payload: &[u8],
        received: Moment,
    ) -> Vec<Effect> {
        // A frame that does not decode charts nothing; the number it should have brought grows old.
        let read = format.decode(&self.told(device), payload);
        // What is not the device that was paired says nothing of it.
        if self.device(device).is_some_and(|one| one.known && one.bonding.is_sound()) {
            let frame = (device, format, payload);
            self.inventory.frame(received, frame, &read, &self.rules.zone);
        }
        let Ok(decoded) = read else { return vec![] };
        if decoded.is_clock
            && let Some(shown) = decoded.time
        {
            // Vendors' clocks are read alone.
            let can_be_set = matches!(format, Format::Profile(_));
            let ahead = spot::ahead(shown, received, &self.rules.zone);
            self.inventory.clock(received, device, ahead);
            let took = self.pairing.clock(received.boot, device, ahead, can_be_set);
            let told = took.map(|took| spot::clock_set(device, took, received.wall));
            return told.into_iter().collect();
        }
        if format == Format::Profile(CGM_MEASUREMENT) {
            return self.sensed(device, payload, received);
        }
        if Joins::<Half>::concerns(format) {
            let whole = self.halves.take(device, (format, payload), decoded, received);
            return whole.into_iter().flat_map(|one| self.whole(device, &one)).collect();
        }
        let mut effects = Vec::new();
        if format == Format::Profile(RECORD_ACCESS) {
            // What it has not completed by now it does not complete.
            let given = self.halves.end(device);
            effects.extend(given.iter().flat_map(|(of, one)| self.whole(*of, one)));
            self.records_answered(device, &decoded, received);
        }
        let answer = Answer { decoded: &decoded, frame: (format, payload), second: None, received };
        effects.extend(self.answered(device, answer));
        effects
    }

    /// A sensor sends several values at once where it could not send them before: each is as much older than the last
    /// as its session time says.
    fn sensed(&mut self, device: DeviceId, payload: &[u8], received: Moment) -> Vec<Effect> {
        let told = self.told(device);
        let read = |record| Format::Profile(CGM_MEASUREMENT).decode(&told, record).ok();
        let records: Vec<Decoded> = cgm::records(payload).filter_map(read).collect();
        let latest = records.iter().filter_map(cgm::session_minutes).max();
        let measured = records.iter().flat_map(|record| {
            let before = latest.zip(cgm::session_minutes(record)).map(|(last, it)| last - it);
            let ago = before.filter(|minutes| *minutes > 0);
            let ago = ago.map(|minutes| Duration::from_secs(60 * u64::from(minutes)));
            self.measured_ago(device, record, received, ago)
        });
        measured.collect()
    }

    fn whole(&mut self, device: DeviceId, whole: &Whole<Half>) -> Vec<Effect> {
        let (first, second) = (&whole.first, &whole.second);
        let answer = Answer {
            decoded: &whole.decoded,
            frame: first.bytes(),
            second: second.as_ref().map(Half::bytes),
            received: first.received,
        };
        self.answered(device, answer)
    }

    fn answered(&mut self, device: DeviceId, answer: Answer<'_>) -> Vec<Effect> {
        match self.spot(device, &answer) {
            Some(effects) => effects,
            None => self.measured(device, answer.decoded, answer.received),
        }
    }

    /// What some protocols have to know of a device: its address, and the model that its name says.
    pub(crate) fn told(&self, device: DeviceId) -> vendor::Device {
        let model = self.pairing.get(device).map(|one| one.name.clone());
        vendor::Device { model, mac: Some(device), bind_key: None }
    }

    /// A device has answered a request for records.
    fn records_answered(&mut self, device: DeviceId, decoded: &Decoded, received: Moment) {
        let Some(transfer) = self.transfers.get_mut(&device) else { return };
        for event in &decoded.events {
            if let Event::Label { what: Topic::RecordAccess, label } = event {
                let has_none = *label == "no-records-found";
                transfer.answered(received.boot, Answered::of(label), has_none);
            }
        }
    }

    /// A device has answered what was written to it.
    pub(crate) fn wrote(
        &mut self,
        now: Moment,
        id: DeviceId,
        what: Characteristic,
        answer: Result<(), WriteFault>,
    ) -> Option<Effect> {
        match answer {
            // Another protocol's meter.
            Err(WriteFault::NoSuchCharacteristic) if what == RECORD_ACCESS => {
                self.transfers.remove(&id);
            }
            Err(_) if what == RECORD_ACCESS => {
                self.transfers.get_mut(&id).into_iter().for_each(|one| one.not_taken(now.boot));
            }
            Ok(()) | Err(_) => {}
        }
        if what != spot::CURRENT_TIME || spot::is_clock_taken(answer) {
            return None;
        }
        self.inventory.clock_was_not_set(now.boot, id);
        let is_news = self.pairing.clock_was_not_set(id, spot::refuses_clock(answer));
        is_news.then(|| spot::clock_set(id, false, now.wall))
    }

    /// What is due of transfers and clocks. A clock is set when everything that was stamped by it is here.
    pub(crate) fn tick(&mut self, now: Moment) -> Vec<Effect> {
        let pairing = &self.pairing;
        let is_live = |id: DeviceId| pairing.get(id).is_some_and(|one| one.link == Link::Live);
        let due = self.transfers.iter_mut().filter(|(id, _)| is_live(**id));
        let mut effects: Vec<Effect> = due
            .filter_map(|(id, transfer)| transfer.tick(now.boot).map(|request| asked(*id, request)))
            .collect();
        let given = self.halves.due(now.boot);
        effects.extend(given.iter().flat_map(|(id, one)| self.whole(*id, one)));
        let busy = |id: DeviceId| self.transfers.get(&id).is_some_and(Transfer::is_running);
        let wrong: Vec<DeviceId> = self.pairing.wrong_clocks().filter(|id| !busy(*id)).collect();
        for id in wrong {
            self.pairing.clock_was_set(now.boot, id);
            self.inventory.clock_was_set(now.boot, id);
            if let Some(shown) = spot::clock(now, &self.rules.zone) {
                effects.push(Effect::Hardware(Command::Write(id, spot::CURRENT_TIME, shown)));
            }
        }
        effects
    }

    /// What somebody has to claim; `None` if the frame is something else, or of a device that an assignment
    /// speaks for.
    fn spot(&mut self, device: DeviceId, answer: &Answer<'_>) -> Option<Vec<Effect>> {
        let Answer { decoded, frame, second, received } = *answer;
        let counts = |device: &&Device| device.known && device.bonding.is_sound();
        let known = self.pairing.get(device).filter(counts)?;
        if self.is_watched(device) || !spot::is_spot(known.kind, frame.0) {
            return None;
        }
        if !decoded.observations.iter().any(|one| spot::is_settled(&one.status)) {
            self.failed = decoded.withheld.first().map(|withheld| withheld.reason);
            return None;
        }
        let stored =
            decoded.observations.iter().any(|one| one.status.contains(&Status::FromStorage));
        let is_undatable = decoded.is_undatable || (stored && decoded.time.is_none());
        let stamp = (decoded.time, is_undatable);
        let clock = known.clock.ahead(received.boot);
        let times = spot::times(stamp, received, &self.rules.zone, clock);
        // It was explicitly given to somebody, and measured just now.
        let ago = times.effective.map(|at| received.wall.duration_since(at));
        let is_fresh = !stored && ago.is_some_and(|ago| ago <= spot::CLOCKS_AGREE);
        if is_fresh && self.pairing.owner(device, received.boot).is_some() {
            return None;
        }
        let first = decoded.observations.first()?;
        let of = ((device, first.code), Value::Measured(first.value), decoded.time.is_some());
        if !self.flood.takes(received, of.0, (&of.1, of.2)) {
            return Some(self.flood_told(received.boot, false).collect());
        }
        let (kind, name) = (known.kind, self.name(device));
        let first_known = known.bonding.first_known();
        let (record, provenance) = (self.next_record(), self.provenance());
        self.came.insert(record.seq, received.boot);
        if self.came.len() > CAME_MAX {
            self.came.pop_first();
        }
        let from =
            spot::From { record, device, first_known, kind, name, provenance, frame, second };
        let reading = spot::reading(from, decoded, times);
        if let Some((transfer, sequence)) = self.transfers.get_mut(&device).zip(reading.sequence) {
            transfer.record(received.boot, sequence);
        }
        Some(vec![Effect::Store(StoreCommand::KeepSpot(Box::new(reading)))])
    }

    /// A device has measured.
    pub(crate) fn measured(
        &mut self,
        device: DeviceId,
        decoded: &Decoded,
        received: Moment,
    ) -> Vec<Effect> {
        self.measured_ago(device, decoded, received, None)
    }

    /// The same; so long before it was received, where that is known of a frame without a stamp.
    fn measured_ago(
        &mut self,
        device: DeviceId,
        decoded: &Decoded,
        received: Moment,
        ago: Option<Duration>,
    ) -> Vec<Effect> {
        // What is not the device that was paired measures nobody.
        let counts = |device: &&Device| device.known && device.bonding.is_sound();
        let Some(known) = self.pairing.get(device).filter(counts) else { return vec![] };
        // What arrives after its link is gone is recorded, and is no current number (S-7).
        let is_linked = known.link == Link::Live || !known.kind.streams();
        let is_spot = !known.kind.is_continuous();
        if let Some(percent) = decoded.battery_percent {
            self.pairing.battery(device, percent);
        }
        self.pulses.entry(device).or_default().frame(received.boot, decoded.is_pulseless);
        let source = Source {
            device,
            received,
            stamp: decoded.time,
            age: ago.or_else(|| self.age(decoded, received)),
            is_undatable: decoded.is_undatable,
        };
        // S-2: whose alarms it is does not end with the assignment; whose record it is does (S-6).
        let mine = self.pairing.patient(device);
        // S-6: what is watched without records is shown and becomes no observation.
        let is_watched = self.is_watched(device);
        let at_bed = is_watched || (mine.is_some() && mine == self.subject);
        let mut effects = Vec::new();
        for charted in &decoded.observations {
            self.absences.remove(&(device, charted.code));
            let clock = source.clock(charted);
            let current = clock != ClockConfidence::Unknown && is_linked && ago.is_none();
            if let Some(parameter) = Parameter::of(charted.code).filter(|_| current) {
                let row = parameter.row();
                let is_leading =
                    self.device(device).is_some_and(|one| row.leads.contains(&one.kind));
                if is_leading {
                    let fresh = row.fresh_of(is_spot);
                    let until = received.boot + fresh;
                    self.readings.insert(device, (charted.value, charted.unit, until));
                    let (now, readings) = (received.boot, &self.readings);
                    let is_valued = |id| readings.get(&id).is_some_and(|(.., until)| now < *until);
                    self.pairing.has_value((device, now), fresh, is_valued);
                }
                let is_source = self.source_of(parameter).is_some_and(|(id, _)| id == device);
                if at_bed && is_source {
                    self.live.take(received.boot, device, charted);
                }
            }
            let content = Content::of(charted, clock);
            let of = (device, charted.code);
            let is_stamped = decoded.time.is_some();
            if !is_watched && self.flood.takes(received, of, (&content.value, is_stamped)) {
                effects.push(self.record(&source, charted.code, content));
            }
        }
        for withheld in &decoded.withheld {
            // What is not shown takes no value off the screen.
            let speaks = |parameter| self.source_of(parameter).is_some_and(|(id, _)| id == device);
            if at_bed && Parameter::of(withheld.code).is_some_and(speaks) {
                self.live.withhold(received.boot, withheld);
            }
            self.readings.remove(&device);
            let before = self.absences.insert((device, withheld.code), withheld.reason);
            if before != Some(withheld.reason) && !is_watched {
                let content = Content::absent(withheld);
                effects.extend(content.map(|one| self.record(&source, withheld.code, one)));
            }
        }
        effects.extend(self.flood_told(received.boot, false));
        effects
    }

    /// What the log is to say of values that were not recorded.
    fn flood_told(&mut self, now: BootTime, everything: bool) -> impl Iterator<Item = Effect> {
        let told = self.flood.told(now, everything).into_iter();
        told.map(|entry| Effect::Store(StoreCommand::Audit(Box::new(entry))))
    }

    /// How long before it was received a stamped frame was measured, by clocks that agree.
    fn age(&self, decoded: &Decoded, received: Moment) -> Option<Duration> {
        let here = received.wall.to_zoned(self.rules.zone.clone()).datetime();
        let ago = here.duration_since(decoded.time?);
        let agrees = ago.abs() <= spot::CLOCKS_AGREE;
        agrees.then(|| Duration::try_from(ago).unwrap_or_default())
    }

    fn record(&mut self, source: &Source, code: Mdc, content: Content) -> Effect {
        let Source { device, received, stamp, age, .. } = *source;
        // A value from the device's memory may be older than the assignment: it stays unclaimed (S-6).
        let measured = received.boot - age.unwrap_or_default();
        let is_known = content.clock != ClockConfidence::Unknown;
        let subject = self.pairing.owner(device, measured).filter(|_| is_known);
        let provenance = self.provenance();
        Effect::Store(StoreCommand::Record(Box::new(Observation {
            record: self.next_record(),
            code,
            value: Phi::new(content.value),
            unit: content.unit,
            effective: received.wall.checked_sub(age.unwrap_or_default()).unwrap_or(received.wall),
            received: received.wall,
            device_time: stamp,
            clock: content.clock,
            status: content.status,
            device,
            subject,
            provenance,
        })))
    }

    /// A device sent samples. They are kept if they are somebody's; if that is whoever is at this bed, they are shown
    /// as this.
    pub(crate) fn wave(
        &mut self,
        now: Moment,
        device: DeviceId,
        rate_hz: u16,
        samples: &[f32],
    ) -> (Vec<Effect>, Option<WaveKind>) {
        self.pulses.entry(device).or_default().wave(now.boot, samples);
        let Some(subject) = self.pairing.owner(device, now.boot) else { return (vec![], None) };
        let ended = match rate_hz {
            0 => vec![],
            _ => self.waves.take(now, WaveSource { device, subject, rate_hz }, samples),
        };
        let is_source = |kind| self.source(kind).is_some_and(|(id, _)| id == device);
        let kind = self.device(device).map(|one| one.kind).filter(|kind| is_source(*kind));
        let shown = kind.filter(|_| self.subject == Some(subject)).map(WaveKind::of);
        if let Some(kind) = shown {
            self.waved.insert(kind, now.boot);
        }
        (self.record_waves(ended), shown)
    }

    /// Ends every stretch that nothing will be added to.
    pub(crate) fn end_waves(&mut self, now: Moment) -> Vec<Effect> {
        let pairing = &self.pairing;
        let ended = self.waves.end(now, |device| pairing.owner(device, now.boot));
        self.record_waves(ended)
    }

    /// The program ends: what was gathered is recorded.
    pub(crate) fn end(&mut self) -> Vec<Effect> {
        let given = self.halves.end_all();
        let mut effects: Vec<Effect> =
            given.iter().flat_map(|(id, one)| self.whole(*id, one)).collect();
        let ended = self.waves.end_all();
        effects.extend(self.record_waves(ended));
        effects.extend(self.flood_told(BootTime::default(), true));
        effects
    }

    fn record_waves(&mut self, ended: Vec<Stretch>) -> Vec<Effect> {
        let provenance = self.provenance();
        let record = |Stretch { source, start, samples }| {
            Effect::Store(StoreCommand::RecordWave(Box::new(WaveSegment {
                record: self.next_record(),
                code: self.device(source.device).map_or(PLETH, |one| WaveKind::of(one.kind).code()),
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

/// What a device has answered: a frame, or two that are one answer.
struct Answer<'a> {
    decoded: &'a Decoded,
    frame: (Format, &'a [u8]),
    second: Option<(Format, &'a [u8])>,
    received: Moment,
}

/// Where a frame came from.
struct Source {
    device: DeviceId,
    received: Moment,
    /// The frame's own time stamp.
    stamp: Option<DateTime>,
    /// How long ago that was, where the device's clock agrees with ours.
    age: Option<Duration>,
    /// Its stamp cannot be held against a clock.
    is_undatable: bool,
}

impl Source {
    /// Whether the value is of this moment: not from the device's memory, and stamped by no clock that
    /// says otherwise.
    fn clock(&self, charted: &Charted) -> ClockConfidence {
        match (self.stamp, self.age) {
            _ if self.is_undatable || charted.status.contains(&Status::FromStorage) => {
                ClockConfidence::Unknown
            }
            (None, None) => ClockConfidence::Live,
            (None | Some(_), Some(_)) => ClockConfidence::Corrected,
            (Some(_), None) => ClockConfidence::Unknown,
        }
    }
}

/// What an observation says.
struct Content {
    value: Value,
    unit: Unit,
    status: Vec<Status>,
    clock: ClockConfidence,
}

impl Content {
    fn of(charted: &Charted, clock: ClockConfidence) -> Self {
        let (unit, status) = (charted.unit, charted.status.clone());
        Self { value: Value::Measured(charted.value), unit, status, clock }
    }

    /// Nothing of what could not be charted if it were there.
    fn absent(withheld: &Withheld) -> Option<Self> {
        let unit = plausible::usual_unit(withheld.code)?;
        let (value, clock) = (Value::Absent(withheld.reason), ClockConfidence::Live);
        Some(Self { value, unit, status: vec![], clock })
    }
}
