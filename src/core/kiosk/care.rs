//! Patients, devices and their values: what an open session may do, and what frames become.

use jiff::civil::{Date, DateTime};

use wardkeep_model::access::policy::Permission;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{FormError, Patient, PatientForm, SubjectId};
use wardkeep_model::keeping::{AuditAct, Command as StoreCommand};
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;
use wardkeep_model::vitals::gatt::{self, Charted, Withheld};
use wardkeep_model::vitals::nomenclature::{Mdc, Status, Unit};
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::{
    Characteristic, ClockConfidence, DeviceId, Observation, Provenance, RecordId, Value,
};

use crate::kiosk::held::WaveSource;
use crate::kiosk::intent::Intent;
use crate::kiosk::page::Page;
use crate::kiosk::{Effect, Kiosk};

impl Kiosk {
    /// Acts of care; the gate has let them pass.
    pub(super) fn on_care(&mut self, now: Moment, intent: Intent) -> Vec<Effect> {
        match intent {
            Intent::Connect(id) => {
                let command = self.pairing.connect(id).map(Effect::Hardware);
                let saved = command.is_some().then(|| self.save_cart());
                command.into_iter().chain(saved).collect()
            }
            Intent::Assign(id) => self.assign(now, id),
            Intent::Release(id) => self.release(now, id),
            Intent::ChoosePatient(id) => {
                let listed = self.patients.iter().flatten().find(|patient| patient.id == id);
                listed.cloned().map_or_else(Vec::new, |patient| self.choose(now, patient))
            }
            Intent::AddPatient(form) => self.add_patient(now, &form),
            Intent::Activity
            | Intent::Open(_)
            | Intent::SubmitPin(_)
            | Intent::Cancel
            | Intent::Lock
            | Intent::AcknowledgeAlarms
            | Intent::PauseAudio
            | Intent::SetLanguage(_)
            | Intent::BeginSetup
            | Intent::NameAdmin { .. }
            | Intent::RecoveryWritten
            | Intent::BeginEmergency
            | Intent::ChooseReason(_)
            | Intent::DraftPatient(_)
            | Intent::SearchPeople(_)
            | Intent::OpenPerson(_)
            | Intent::AddPerson(_)
            | Intent::Enrol(_)
            | Intent::ChooseFinger(_)
            | Intent::IssueCode
            | Intent::EnrolmentDone
            | Intent::RevokeFactor(_)
            | Intent::RevokePerson
            | Intent::ChangeOwnPin
            | Intent::DismissNotice
            | Intent::DismissFinding
            | Intent::ShowCheckpoint
            | Intent::BeginWatch
            | Intent::EndWatch => vec![],
        }
    }

    fn assign(&mut self, now: Moment, id: DeviceId) -> Vec<Effect> {
        let Some(subject) = self.subject else { return vec![] };
        if self.pairing.assign(id, subject, now, self.around.config.assignment).is_err() {
            // The row offers the button only where it works; a tap that came too late does nothing.
            return vec![];
        }
        vec![self.save_cart(), self.audit(now, AuditAct::DeviceAssigned, Some(id))]
    }

    fn release(&mut self, now: Moment, id: DeviceId) -> Vec<Effect> {
        let Some((command, assigned)) = self.pairing.release(id) else { return vec![] };
        self.live.end(id);
        self.readings.remove(&id);
        let mut effects = vec![Effect::Hardware(command), self.save_cart()];
        if assigned {
            effects.push(self.audit(now, AuditAct::DeviceReleased, Some(id)));
        }
        effects
    }

    /// Puts a patient at this bed. Another patient's devices are unassigned first: nothing that they
    /// measure may be filed to the newcomer without a fresh assignment (S-6).
    fn choose(&mut self, now: Moment, patient: Patient) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.subject != Some(patient.id) {
            for id in self.pairing.unassign_all() {
                effects.push(self.audit(now, AuditAct::DeviceReleased, Some(id)));
            }
            self.live.clear();
            self.subject = Some(patient.id);
            effects.push(self.save_cart());
            effects.push(self.audit(now, AuditAct::PatientChosen, None));
        }
        self.patient = Some(patient);
        self.page = Page::Bedside;
        effects
    }

    fn add_patient(&mut self, now: Moment, form: &PatientForm) -> Vec<Effect> {
        let id = SubjectId((self.around.identities)());
        match Patient::from_form(id, form, self.today(now)) {
            Ok(patient) => vec![Effect::Store(StoreCommand::AddPatient(Box::new(patient)))],
            Err(FormError::Incomplete) => {
                self.notify(now, Notice::PatientIncomplete);
                vec![]
            }
            Err(FormError::BirthDate) => {
                self.notify(now, Notice::BirthDateWrong);
                vec![]
            }
        }
    }

    pub(super) fn patient_added(&mut self, now: Moment, patient: Patient) -> Vec<Effect> {
        if !self.may(Permission::Care) {
            return vec![];
        }
        self.forms_saved += 1;
        self.drop_draft();
        let mut effects = vec![self.audit(now, AuditAct::PatientCreated, None)];
        effects.extend(self.choose(now, patient));
        effects
    }

    pub(super) fn today(&self, now: Moment) -> Date {
        now.wall.to_zoned(self.around.zone.clone()).date()
    }

    pub(super) fn on_frame(
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
        self.seq += 1;
        let Source { device, received, stamp } = *source;
        // A value from the device's memory may be older than the assignment: it stays unclaimed (S-6).
        let subject = if content.live { self.pairing.owner(device, received.wall) } else { None };
        let simulated = self.around.simulated;
        Effect::Store(StoreCommand::Record(Box::new(Observation {
            record: RecordId { run: self.around.run, seq: self.seq },
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
            provenance: if simulated { Provenance::Simulated } else { Provenance::Device },
        })))
    }

    pub(super) fn on_wave(
        &mut self,
        now: Moment,
        device: DeviceId,
        rate_hz: u16,
        samples: Vec<f32>,
    ) -> Vec<Effect> {
        let Some(subject) = self.pairing.owner(device, now.wall) else { return vec![] };
        let mut effects = self.gather(now, WaveSource { device, subject, rate_hz }, &samples);
        if self.subject != Some(subject) {
            return effects;
        }
        self.wave_at = Some(now.boot);
        if self.may(Permission::SeePatients) && self.page == Page::Bedside {
            effects.push(Effect::Wave { rate_hz, samples });
        }
        effects
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
