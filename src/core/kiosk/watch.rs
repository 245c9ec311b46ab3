//! Monitoring without records: while the store cannot be opened and no device is assigned, anybody may
//! connect devices by touch and see their values, with alarms, under "unknown patient".
//!
//! S-6: none of these values becomes a record, so none can be filed to anybody. S-1: nothing on the
//! screen or in memory says whose they are. It ends by touch, and by itself when the store is back.

use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

use crate::kiosk::held::Watch;
use crate::kiosk::view::records::Watch as WatchPage;
use crate::kiosk::view::{DeviceRow, Owner, Tile};
use crate::kiosk::{Effect, Kiosk, Phase};
use crate::pairing::Device;

impl Kiosk {
    /// Nobody can log in, and no patient is monitored whose values could be mistaken.
    fn is_watch_offered(&self) -> bool {
        let unassigned = || self.pairing.iter().all(|(_, device)| device.assignment.is_none());
        match &self.phase {
            // The other instance has the radio.
            Phase::Trouble(fault, _) => *fault != StoreFault::InUse,
            Phase::Running => self.records.is_broken() && unassigned(),
            Phase::Starting | Phase::FirstStart(_) => false,
        }
    }

    pub(super) fn is_watching(&self) -> bool {
        self.watch.is_some()
    }

    pub(super) fn begin_watch(&mut self) -> Vec<Effect> {
        if self.is_watch_offered() && self.watch.is_none() {
            self.live.clear();
            self.watch = Some(Watch::default());
        }
        vec![]
    }

    /// Ends it by touch.
    pub(super) fn end_watch(&mut self) -> Vec<Effect> {
        let Some(watch) = self.watch.take() else { return vec![] };
        self.live.clear();
        let mut effects = Vec::new();
        for (id, linked) in watch.devices {
            self.forget_readings(id);
            let released = if linked { self.pairing.release(id) } else { None };
            effects.extend(released.map(|(command, _)| Effect::Hardware(command)));
        }
        effects
    }

    /// Ends it because the store is back: whoever was watched is not any more, which has to be seen.
    pub(super) fn leave_watch(&mut self) -> Vec<Effect> {
        let watched = self.watch.as_ref().is_some_and(|watch| !watch.devices.is_empty());
        if watched {
            self.records.watch_ended();
        }
        self.end_watch()
    }

    /// Links a device and takes its values for the unknown patient's.
    pub(super) fn watch_device(&mut self, id: DeviceId) -> Vec<Effect> {
        let Some(kind) = self.pairing.get(id).map(|device| device.kind) else { return vec![] };
        if self.source(kind).is_some() {
            return vec![];
        }
        let command = self.pairing.connect(id);
        if let Some(watch) = &mut self.watch {
            watch.devices.insert(id, command.is_some());
        }
        command.map(Effect::Hardware).into_iter().collect()
    }

    pub(super) fn unwatch_device(&mut self, id: DeviceId) -> Vec<Effect> {
        let Some(linked) = self.watch.as_mut().and_then(|watch| watch.devices.remove(&id)) else {
            return vec![];
        };
        self.live.end(id);
        self.forget_readings(id);
        let released = if linked { self.pairing.release(id) } else { None };
        released.map(|(command, _)| Effect::Hardware(command)).into_iter().collect()
    }

    /// Its values are shown and never recorded.
    pub(super) fn is_watched(&self, id: DeviceId) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.devices.contains_key(&id))
    }

    /// The device whose values stand for `kind` on the screen.
    pub(super) fn source(&self, kind: DeviceKind) -> Option<(DeviceId, &Device)> {
        match &self.watch {
            Some(_) => {
                self.pairing.iter().find(|(id, device)| device.kind == kind && self.is_watched(*id))
            }
            None => self.pairing.source(kind),
        }
    }

    fn forget_readings(&mut self, id: DeviceId) {
        self.readings.remove(&id);
        self.absences.retain(|(of, _), _| *of != id);
    }

    pub(super) fn tiles(&self, now: Moment) -> Vec<Tile> {
        Parameter::all().map(|parameter| self.tile(now, parameter)).collect()
    }

    pub(super) fn watch_page(&self, now: Moment) -> WatchPage {
        if let Some(watch) = &self.watch {
            let tiles = if watch.devices.is_empty() { vec![] } else { self.tiles(now) };
            let mut devices = self.devices(now);
            for row in &mut devices.rows {
                self.show_watched(now, row);
            }
            return WatchPage::Unknown { tiles, rows: devices.rows, radio: devices.radio };
        }
        if self.pairing.iter().any(|(_, device)| device.assignment.is_some()) {
            WatchPage::Bed(self.tiles(now))
        } else {
            WatchPage::Nothing { offered: self.is_watch_offered() }
        }
    }

    fn show_watched(&self, now: Moment, row: &mut DeviceRow) {
        let is_watched = self.is_watched(row.id);
        row.owner = if is_watched { Owner::Unknown } else { Owner::Nobody };
        row.can_connect = !is_watched && self.source(row.kind).is_none();
        (row.can_assign, row.can_release) = (false, is_watched);
        let fresh =
            self.readings.get(&row.id).filter(|(_, _, until)| is_watched && now.boot < *until);
        let reading = fresh.map(|(value, unit, _)| format!("{value} {}", unit.ucum()));
        row.reading = Phi::new(reading.unwrap_or_default());
    }
}
