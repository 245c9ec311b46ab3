//! The bed of a replay: the kiosk's core, a store that answers, and whoever does something there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Write};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value as Json, json};

use crate::ctl::alarm::line::Happening;
use wardkeep_core::alarms::{Condition, Shown};
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::pages::{devices, patients};
use wardkeep_core::kiosk::{Effect, Event, Kiosk, Surroundings, alarm, frame, login};
use wardkeep_model::access::factor::{Badge, Pin, ReaderFamily};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::{Operator, OperatorId, Role};
use wardkeep_model::alarm::limits::AgeGroup;
use wardkeep_model::alarm::{AlarmRecord, Happened};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::keeping::{CartState, Command, Found, Identified, Outcome, Unlocked};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{self, Link};
use wardkeep_model::vitals::gatt::{Decoded, Withheld};
use wardkeep_model::vitals::{DeviceId, DeviceKind};

/// At least so often time goes by.
const STEP: Duration = Duration::from_secs(1);
/// The machine has run for this long when a replay begins.
const RAN_BEFORE: Duration = Duration::from_secs(1_000);

/// A bed, and everybody around it.
pub(super) struct Bed {
    kiosk: Kiosk,
    boot: BootTime,
    wall: Timestamp,
    answers: VecDeque<Outcome>,
    devices: BTreeMap<String, DeviceId>,
    /// Devices whose link somebody spoke of.
    spoken_of: BTreeSet<DeviceId>,
    shown: Json,
    pub(super) log: Vec<Json>,
}

impl Bed {
    pub(super) fn new(surroundings: Surroundings, wall: Timestamp, group: AgeGroup) -> Self {
        let boot = BootTime(RAN_BEFORE);
        let kiosk = Kiosk::new(surroundings, Moment { boot, wall });
        let mut bed = Self {
            kiosk,
            boot,
            wall,
            answers: VecDeque::new(),
            devices: BTreeMap::new(),
            spoken_of: BTreeSet::new(),
            shown: picture(&[], None, None, 0),
            log: Vec::new(),
        };
        bed.event(Event::Store(Outcome::Found(Found::Store(Box::<CartState>::default()))));
        bed.log_in();
        bed.admit(group);
        bed
    }

    fn now(&self) -> Moment {
        Moment { boot: self.boot, wall: self.wall }
    }

    /// Since the begin of the replay.
    pub(super) fn t(&self) -> Duration {
        self.boot.0.saturating_sub(RAN_BEFORE)
    }

    /// Something happens, and the store answers what it is asked.
    fn event(&mut self, event: Event) {
        let now = self.now();
        let effects = self.kiosk.handle(now, event);
        self.perform(effects);
        while let Some(outcome) = self.answers.pop_front() {
            let effects = self.kiosk.handle(now, Event::Store(outcome));
            self.perform(effects);
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store(Command::RecordAlarm(record)) => {
                    let row = self.row(&record);
                    self.log.push(row);
                }
                Effect::Store(command) => self.answers.extend(answer(command)),
                Effect::Hardware(_) | Effect::Wave { .. } => {}
            }
        }
    }

    fn intent(&mut self, intent: impl Into<Intent>) {
        self.event(Event::Intent(intent.into()));
    }

    fn hardware(&mut self, event: ports::Event) {
        self.event(Event::Hardware(event));
    }

    fn log_in(&mut self) {
        if self.kiosk.is_open() {
            return;
        }
        if let Ok(badge) = Badge::new(ReaderFamily::PcscUid, &[4, 0xA1, 0xB2, 0xC3]) {
            self.hardware(ports::Event::BadgePresented(badge));
            self.hardware(ports::Event::BadgeRemoved);
            self.intent(login::Intent::SubmitPin([4, 7, 1, 1, 0, 8].into_iter().collect::<Pin>()));
        }
    }

    fn admit(&mut self, group: AgeGroup) {
        let years: i64 = match group {
            AgeGroup::Neonate => 0,
            AgeGroup::Paediatric => 8,
            AgeGroup::Adult => 50,
        };
        let today = self.wall.to_zoned(TimeZone::UTC).date();
        let born = today.checked_sub(years.years()).unwrap_or(today);
        self.intent(patients::Intent::Add(PatientForm {
            family: Phi::new("Replay".into()),
            given: Phi::new("Nobody".into()),
            born: Phi::new(born.to_string()),
            ..PatientForm::default()
        }));
    }

    /// Lets time go by, in steps no longer than the core asks for.
    pub(super) fn wait_until(&mut self, t: Duration, output: &mut impl Write) -> io::Result<()> {
        while self.t() < t {
            let whole = Duration::from_secs(self.t().as_secs() + 1);
            let due = self.kiosk.next_deadline(self.now()).0.saturating_sub(RAN_BEFORE);
            let next = t.min(whole).min(due.max(self.t() + Duration::from_millis(1)));
            let passed = next.saturating_sub(self.t()).min(STEP);
            self.boot = self.boot + passed;
            self.wall = self.wall.checked_add(passed).unwrap_or(Timestamp::MAX);
            self.event(Event::Tick);
            self.tell(output)?;
        }
        Ok(())
    }

    fn device(&mut self, name: &str) -> DeviceId {
        let number = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        *self.devices.entry(name.to_owned()).or_insert_with(|| {
            let [a, b, c, d] = number.to_be_bytes();
            DeviceId([0xC0, 0, a, b, c, d])
        })
    }

    pub(super) fn do_it(&mut self, happening: Happening) -> Result<(), String> {
        match happening {
            Happening::Nothing => {}
            Happening::Value { device, code, unit, value } => {
                let mut decoded = Decoded::default();
                decoded.offer_number(code, unit, value);
                self.measured(&device, decoded);
            }
            Happening::Absent { device, code, reason } => {
                let withheld = vec![Withheld { code, reason }];
                self.measured(&device, Decoded { withheld, ..Decoded::default() });
            }
            Happening::Battery { device, percent } => {
                let battery_percent = Some(percent);
                self.measured(&device, Decoded { battery_percent, ..Decoded::default() });
            }
            Happening::Link { device, link } => {
                let device = self.device(&device);
                self.spoken_of.insert(device);
                self.hardware(ports::Event::Link(device, link));
            }
            Happening::Assign { device, kind } => return self.assign(&device, kind),
            Happening::Release { device } => {
                let id = self.device(&device);
                self.while_open(|bed| bed.intent(devices::Intent::Release(id)));
                self.spoken_of.remove(&id);
            }
            Happening::Acknowledge { condition } => {
                if let Some(shown) = self.shown_as(condition.as_deref()) {
                    self.intent(alarm::Intent::Acknowledge(shown));
                }
            }
            Happening::PauseSound => self.intent(alarm::Intent::PauseAudio),
            Happening::Lock => self.intent(frame::Intent::Lock),
            Happening::Unlock => self.log_in(),
            Happening::Wall(wall) => {
                self.wall = wall;
                self.event(Event::Tick);
            }
            Happening::LostRecords(count) => self.event(Event::RecordsLost(count)),
        }
        Ok(())
    }

    fn measured(&mut self, name: &str, decoded: Decoded) {
        let device = self.device(name);
        if self.spoken_of.insert(device) {
            self.hardware(ports::Event::Link(device, Link::Live));
        }
        let received = self.now();
        self.hardware(ports::Event::Measured { device, decoded: Box::new(decoded), received });
    }

    fn assign(&mut self, name: &str, kind: DeviceKind) -> Result<(), String> {
        let device = self.device(name);
        let (name, rssi) = (name.to_owned(), -50);
        self.hardware(ports::Event::Seen { device, name: name.clone(), kind, rssi });
        self.while_open(|bed| {
            bed.intent(devices::Intent::Connect(device));
            bed.intent(devices::Intent::Assign(device));
        });
        // A link that stood before somebody wanted it.
        let is_assigned = self.kiosk.is_assigned(device);
        if is_assigned { Ok(()) } else { Err(format!("{name} cannot be assigned beside another")) }
    }

    /// Does what takes a session, also where nobody is logged in at the moment.
    fn while_open(&mut self, act: impl FnOnce(&mut Self)) {
        let was_open = self.kiosk.is_open();
        self.log_in();
        act(self);
        if !was_open {
            self.intent(frame::Intent::Lock);
        }
    }

    /// What somebody at the screen acknowledges: this condition, or what the strip offers.
    fn shown_as(&self, id: Option<&str>) -> Option<Shown> {
        match id {
            Some(id) => {
                let ranked = self.kiosk.alarms().ranked();
                let mut found = ranked.into_iter().map(|(shown, _)| shown);
                found.find(|shown| self.id(shown.condition) == id)
            }
            None => self.kiosk.view(self.now()).alarm?.unseen.map(|unseen| unseen.shown),
        }
    }

    fn name(&self, device: DeviceId) -> String {
        let found = self.devices.iter().find(|(_, id)| **id == device);
        found.map_or_else(|| device.to_string(), |(name, _)| name.clone())
    }

    fn id(&self, condition: Condition) -> String {
        condition.id(|device| self.name(device))
    }

    /// Writes the picture, if it is another one.
    pub(super) fn tell(&mut self, output: &mut impl Write) -> io::Result<()> {
        let now = self.now();
        let ranked = self.kiosk.alarms().ranked();
        let conditions: Vec<Json> = ranked
            .iter()
            .map(|(shown, present)| {
                json!({
                    "id": self.id(shown.condition),
                    "priority": present.priority.word(),
                    "kind": shown.condition.kind(),
                    "state": present.state.word(),
                    "acknowledged": present.is_acknowledged(),
                    "escalated": present.escalated,
                    "since": number_of(present.onset.boot.0.saturating_sub(RAN_BEFORE)),
                })
            })
            .collect();
        let strip = ranked.first().map(|(shown, _)| self.id(shown.condition));
        let sound = self.kiosk.sound(now).filter(|sound| !sound.is_reminder);
        let paused = self.kiosk.alarms().audio_paused(now.boot).unwrap_or_default();
        let paused_s = paused.as_millis().div_ceil(1_000);
        let sounding = sound.map(|sound| sound.priority.word());
        let picture = picture(&conditions, strip, sounding, paused_s);
        if picture != self.shown {
            let mut line = picture.clone();
            if let Json::Object(line) = &mut line {
                line.insert("t".to_owned(), number_of(self.t()));
            }
            writeln!(output, "{line}")?;
            self.shown = picture;
        }
        Ok(())
    }

    /// A line of the alarm log.
    fn row(&self, record: &AlarmRecord) -> Json {
        let t = number_of(record.since_boot.0.saturating_sub(RAN_BEFORE));
        let mut row = json!({ "t": t, "wall": record.at.to_string() });
        let said = match &record.happened {
            Happened::Condition { id, kind, change, priority, crossed } => {
                let word = id.split(':').next().unwrap_or(id);
                let named = record.device.map(|device| format!("{word}:{}", self.name(device)));
                let crossed = crossed.as_ref().map(|crossed| crossed.reveal().clone());
                json!({
                    "id": named.unwrap_or_else(|| id.clone()),
                    "kind": kind,
                    "change": change.word(),
                    "priority": priority.word(),
                    "value": crossed.as_ref().map(|(value, _)| value),
                    "limit": crossed.as_ref().map(|(_, limit)| limit),
                })
            }
            Happened::Paused(length) => json!({ "change": "paused", "s": length.as_secs() }),
            Happened::Resumed => json!({ "change": "resumed" }),
            Happened::Unwatched(length) => json!({ "change": "unwatched", "s": length.as_secs() }),
            Happened::Limits { group, limits, .. } => {
                json!({ "change": "limits", "set": group.name(), "limits": limits })
            }
        };
        if let (Json::Object(row), Json::Object(said)) = (&mut row, said) {
            row.extend(said);
        }
        row
    }
}

/// What the store answers to what a replay can ask of it.
fn answer(command: Command) -> Option<Outcome> {
    match command {
        Command::Identify(attempt, ..) => {
            let admission = Admission::Try { tries_left: 10 };
            let identified = Identified { admission, peer: None, shift: None };
            Some(Outcome::Identified(attempt, identified))
        }
        Command::Unlock(attempt, ..) => Some(Outcome::Unlocked(
            attempt,
            Box::new(Unlocked {
                operator: Operator {
                    id: OperatorId(1),
                    initials: "R".into(),
                    name: Phi::new("Replay".into()),
                    role: Role::Nurse,
                },
                patient: None,
                draft: None,
                must_choose_pin: false,
            }),
        )),
        Command::AddPatient(patient, _) => Some(Outcome::PatientAdded(patient)),
        Command::Close(..) => Some(Outcome::Closed),
        Command::Initialise(..)
        | Command::FingerMissed(_)
        | Command::OpenEmergency(..)
        | Command::Administer(..)
        | Command::Record(_)
        | Command::RecordWave(_)
        | Command::Audit(_)
        | Command::RecordAlarm(_)
        | Command::KeepSpot(_)
        | Command::Spot(..)
        | Command::SaveCart(_)
        | Command::ListPatients
        | Command::Trend(_)
        | Command::History(_)
        | Command::Retry => None,
    }
}

fn picture(
    conditions: &[Json],
    strip: Option<String>,
    sounding: Option<&'static str>,
    paused_s: u128,
) -> Json {
    json!({
        "conditions": conditions,
        "strip": strip,
        "sounding": sounding,
        "paused_s": u64::try_from(paused_s).unwrap_or(u64::MAX),
    })
}

/// Seconds, whole where they are.
pub(super) fn number_of(t: Duration) -> Json {
    if t.subsec_millis() == 0 { json!(t.as_secs()) } else { json!(t.as_secs_f64()) }
}
