//! The view: what the screen shows now. S-1 and S-7 are visible here in two places: patient data only
//! enters through `open_frame` and the pages of an open session, and a tile takes its number only
//! from [`Live::current`](wardkeep_model::vitals::live::Live::current).

use std::time::Duration;

use jiff::Timestamp;

use wardkeep_model::access::factor::TokenKind;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::Patient;
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{Link, ReaderHealth, ReaderKind};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::parameter::Parameter;

use crate::kiosk::page::Page;
use crate::kiosk::view::access::Ways;
use crate::kiosk::view::{
    AlarmStrip, Bedside, Clock, DeviceRow, DeviceState, Devices, FirstStart, Lock, OpenFrame,
    OperatorChip, Owner, PatientBanner, PatientRow, Patients, PinPrompt, PinPurpose, Screen, Tile,
    TileState, View,
};
use crate::kiosk::{Kiosk, Phase, gate};
use crate::pairing::Device;
use crate::session::setup::{Setup, Step};
use crate::session::{Choosing, Prompt, State};

/// Failures of a badge that are shown from the third on: ten tries, so seven left.
const TRIES_LEFT_SHOWN: u8 = 7;
/// A waveform lane without samples for this long is not fed.
const WAVE_FRESH: Duration = Duration::from_secs(2);

impl Kiosk {
    /// Projects the present state.
    pub fn view(&self, now: Moment) -> View {
        View {
            clock: self.clock(now.wall),
            bed: self.around.config.bed.clone(),
            ward: self.around.config.ward.clone(),
            language: self.language,
            simulated: self.around.simulated,
            alarm: self.strip(now),
            open: self.open_frame(now),
            notice: self.notice.map(|(notice, _)| notice),
            screen: self.screen(now),
        }
    }

    fn clock(&self, at: Timestamp) -> Clock {
        let local = at.to_zoned(self.around.zone.clone());
        Clock {
            hour: local.hour(),
            minute: local.minute(),
            weekday: local.weekday().to_monday_one_offset(),
            day: local.day(),
            month: local.month(),
        }
    }

    pub(super) fn hour_minute(&self, at: Timestamp) -> (i8, i8) {
        let clock = self.clock(at);
        (clock.hour, clock.minute)
    }

    fn strip(&self, now: Moment) -> Option<AlarmStrip> {
        let (present, others) = self.alarms.foremost()?;
        Some(AlarmStrip {
            priority: present.priority,
            text: present.text.clone(),
            since: self.hour_minute(present.onset.wall),
            acknowledged: present.acknowledged,
            others,
            audio_paused_s: self.alarms.audio_paused(now.boot).map(ceil_seconds),
        })
    }

    fn open_frame(&self, now: Moment) -> Option<OpenFrame> {
        let State::Open { operator, pair, since, idle_deadline, .. } = self.session.state() else {
            return None;
        };
        let role = operator.role;
        let operator = OperatorChip {
            initials: operator.initials.clone(),
            role,
            level: pair.level(),
            since: self.hour_minute(wall_of(now, *since)),
            minutes_left: ceil_seconds(idle_deadline.since(now.boot)).div_ceil(60),
        };
        let sees = role.may(Permission::SeePatients);
        let patient = self.patient.as_ref().filter(|_| sees);
        let patient = patient.map(|patient| self.banner(now, patient));
        let pages = gate::pages(role);
        Some(OpenFrame {
            operator,
            patient,
            pages,
            enrolling: self.enrolling(),
            taking_over: self.records.taking_over(now.boot),
            finding: self.records.finding(),
        })
    }

    pub(super) fn banner(&self, now: Moment, patient: &Patient) -> PatientBanner {
        let age = patient.age_years(self.today(now));
        PatientBanner {
            family: patient.family.clone(),
            given: patient.given.clone(),
            age_years: age.map(Phi::new),
            sex: patient.sex.clone(),
            born: patient.born.reveal().map(|born| Phi::new(born.to_string())),
            mrn: patient.mrn.clone(),
        }
    }

    fn screen(&self, now: Moment) -> Screen {
        if let Some(trouble) = self.trouble_screen(now) {
            return trouble;
        }
        match &self.phase {
            // Trouble has its own screen.
            Phase::Starting | Phase::Trouble(..) => Screen::Starting,
            Phase::FirstStart(setup) => Screen::FirstStart(self.setup_page(setup)),
            Phase::Running => match self.session.state() {
                State::Locked => Screen::Lock(self.lock_page()),
                State::Partial(prompt) => Screen::Pin(self.prompt_page(now, prompt)),
                State::Proving { prompt, .. } | State::Unlocking { prompt, .. } => {
                    Screen::Pin(self.pad(PinPurpose::Unlock, prompt.token.kind(), true))
                }
                State::ChoosingPin(Choosing { token, first, sent, .. }) => {
                    let purpose =
                        if first.is_some() { PinPurpose::Repeat } else { PinPurpose::Choose };
                    Screen::Pin(self.pad(purpose, token.kind(), sent.is_some()))
                }
                State::Emergency(emergency) => self.emergency_page(now, emergency),
                State::Open { .. } => self.opened_screen(now),
            },
        }
    }

    fn opened_screen(&self, now: Moment) -> Screen {
        if let Some(step) = self.enrolment_page() {
            return Screen::Enrolment(step);
        }
        match self.page {
            Page::Bedside => Screen::Bedside(self.bedside(now)),
            Page::Devices => Screen::Devices(self.devices(now)),
            Page::Patients => Screen::Patients(self.patients(now)),
            Page::People => self.people_screen(now),
            Page::Audit => Screen::Audit(self.audit_page()),
            Page::Cart => Screen::Cart(self.cart_page()),
            Page::Account => self
                .account_page(now)
                .map_or_else(|| Screen::Lock(self.lock_page()), Screen::Account),
        }
    }

    pub(super) fn reader(&self, kind: ReaderKind) -> ReaderHealth {
        self.readers.get(&kind).copied().unwrap_or(ReaderHealth::NotFitted)
    }

    fn prompt_page(&self, now: Moment, prompt: &Prompt) -> PinPrompt {
        let wait = prompt.admitted_from.since(now.boot);
        let tries_left = match prompt.token.kind() {
            TokenKind::Badge => prompt.tries_left.filter(|left| *left <= TRIES_LEFT_SHOWN),
            // A card has few tries and nobody here can give them back.
            TokenKind::Card => prompt.tries_left,
        };
        PinPrompt {
            finger: prompt.finger.shown,
            refused: prompt.refused,
            tries_left,
            wait_s: (!wait.is_zero()).then(|| ceil_seconds(wait)),
            ..self.pad(PinPurpose::Unlock, prompt.token.kind(), false)
        }
    }

    fn pad(&self, purpose: PinPurpose, token: TokenKind, busy: bool) -> PinPrompt {
        PinPrompt { token, ..pin_prompt(purpose, self.session.prompt(), busy) }
    }

    fn setup_page(&self, setup: &Setup) -> FirstStart {
        let badge_reader = self.reader(ReaderKind::Badge);
        match setup.step() {
            Step::Welcome => FirstStart::Welcome { badge_reader },
            Step::Name => FirstStart::Name,
            Step::Badge => FirstStart::Badge { badge_reader },
            Step::Pin => FirstStart::Pin(pin_prompt(PinPurpose::Choose, setup.prompt(), false)),
            Step::Repeat => FirstStart::Pin(pin_prompt(PinPurpose::Repeat, setup.prompt(), false)),
            Step::Working | Step::Done => FirstStart::Working,
            Step::Recovery(words) => FirstStart::Recovery(words.clone()),
        }
    }

    fn lock_page(&self) -> Lock {
        let known = || self.pairing.iter().filter(|(_, device)| device.known);
        Lock {
            readers: self.readers.iter().map(|(kind, health)| (*kind, *health)).collect(),
            ways: Ways {
                card: self.reader(ReaderKind::SmartCard) == ReaderHealth::Ready,
                emergency: self.around.config.policy.emergency,
            },
            radio: self.radio,
            devices_live: known().filter(|(_, device)| device.link == Link::Live).count(),
            devices_known: known().count(),
        }
    }

    fn bedside(&self, now: Moment) -> Bedside {
        Bedside {
            tiles: self.tiles(now),
            wave: self.wave_at.is_some_and(|at| now.boot.since(at) < WAVE_FRESH),
            has_patient: self.subject.is_some(),
            has_device: self.pairing.iter().any(|(_, device)| device.assignment.is_some()),
        }
    }

    pub(super) fn tile(&self, now: Moment, parameter: Parameter) -> Tile {
        let row = parameter.row();
        let source = self.source(row.source);
        let current = self.live.current(now.boot, parameter);
        let last = self.live.last(parameter);
        let limit = self.around.config.limits.of(parameter);
        let digits = |value: Option<&wardkeep_model::vitals::live::Numeric>| {
            value.map(|numeric| Phi::new(numeric.value.to_string()))
        };
        Tile {
            parameter,
            value: digits(current),
            unit: row.unit.ucum(),
            limit_low: limit.low.map(|low| low.to_string()),
            limit_high: limit.high.map(|high| high.to_string()),
            source: source.map(|(id, _)| self.pairing.name(id)).unwrap_or_default(),
            age: current.or(last).map(|numeric| now.boot.since(numeric.at)),
            last: if current.is_none() { digits(last) } else { None },
            state: match source {
                None => TileState::NoDevice,
                Some(_) if current.is_some() => TileState::Current,
                Some((_, device)) => self.silent_state(now.boot, parameter, device),
            },
            weak_signal: current
                .is_some_and(|numeric| numeric.status.iter().any(|status| status.is_weak_signal())),
            alarm: self.alarms.on(parameter),
        }
    }

    fn silent_state(&self, now: BootTime, parameter: Parameter, device: &Device) -> TileState {
        match device.link {
            Link::Live if self.live.is_withheld(now, parameter) => TileState::NoValue,
            Link::Live => TileState::Stale,
            Link::Connecting if !device.was_live => TileState::Connecting,
            Link::Connecting | Link::Lost | Link::Down => TileState::LinkLost,
        }
    }

    pub(super) fn devices(&self, now: Moment) -> Devices {
        let mut rows: Vec<(bool, i16, DeviceRow)> = self
            .pairing
            .iter()
            .map(|(id, device)| {
                let near = device.rssi.unwrap_or(i16::MIN);
                (!device.known, near.saturating_neg(), self.device_row(now, id, device))
            })
            .collect();
        rows.sort_by_key(|(strange, far, row)| (*strange, *far, row.id));
        Devices {
            rows: rows.into_iter().map(|(.., row)| row).collect(),
            radio: self.radio,
            has_patient: self.subject.is_some(),
        }
    }

    fn device_row(&self, now: Moment, id: DeviceId, device: &Device) -> DeviceRow {
        let state = match device.link {
            Link::Live => DeviceState::Live,
            Link::Lost => DeviceState::Lost,
            Link::Connecting if device.was_live => DeviceState::Lost,
            Link::Connecting => DeviceState::Connecting,
            Link::Down if device.heard.is_some() => DeviceState::Near,
            Link::Down => DeviceState::Away,
        };
        let owner = match device.assignment {
            None => Owner::Nobody,
            Some(assignment) if Some(assignment.subject) == self.subject => {
                let (hour, minute) = self.hour_minute(assignment.since);
                Owner::ThisPatient(hour, minute)
            }
            Some(_) => Owner::AnotherPatient,
        };
        let sees = self.may(Permission::SeePatients);
        let fresh = self.readings.get(&id).filter(|(_, _, until)| sees && now.boot < *until);
        let reading = fresh.map(|(value, unit, _)| format!("{value} {}", unit.ucum()));
        let free = self.pairing.source(device.kind).is_none();
        DeviceRow {
            id,
            name: self.pairing.name(id),
            kind: device.kind,
            state,
            owner,
            reading: Phi::new(reading.unwrap_or_default()),
            battery_percent: device.battery_percent,
            can_connect: !device.known,
            can_assign: device.known
                && free
                && self.subject.is_some()
                && self.may(Permission::Care),
            can_release: device.known && self.may(self.release_permission(id)),
        }
    }

    fn patients(&self, now: Moment) -> Patients {
        let row = |patient: &Patient| PatientRow {
            id: patient.id,
            banner: self.banner(now, patient),
            here: Some(patient.id) == self.subject,
        };
        Patients {
            rows: self.patients.iter().flatten().map(row).collect(),
            loading: self.patients.is_none(),
            saved: self.forms_saved,
            draft: self.shown_draft().cloned(),
        }
    }
}

pub(super) fn pin_prompt(purpose: PinPurpose, prompt: u64, busy: bool) -> PinPrompt {
    let (token, finger) = (TokenKind::Badge, None);
    PinPrompt {
        purpose,
        token,
        finger,
        prompt,
        refused: false,
        tries_left: None,
        wait_s: None,
        busy,
    }
}

/// The wall-clock time of an earlier instant, as the clock stands now.
pub(super) fn wall_of(now: Moment, earlier: BootTime) -> Timestamp {
    now.wall.checked_sub(now.boot.since(earlier)).unwrap_or(Timestamp::MIN)
}

pub(super) fn ceil_seconds(length: Duration) -> u64 {
    length.as_secs() + u64::from(length.subsec_nanos() > 0)
}
