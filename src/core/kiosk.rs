//! The core: composes the machines, routes events to them, states alarm facts, projects the view.
//!
//! Events and the time go in, effects come out; nothing here performs I/O, reads a clock or draws a
//! random number (identities come from a generator that the shell hands in).
//!
//! S-2: nothing on the acquisition path asks whether a session is open.
//! S-6, S-7: a frame is decoded here, its owner looked up by the time it was received, and only then
//! does it become an observation and a numeric.

mod answers;
mod care;
mod drafts;
mod emergency;
mod facts;
mod gate;
mod held;
pub mod intent;
mod login;
pub mod page;
mod people;
mod project;
mod records;
pub mod view;
mod watch;
mod waves;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;

use wardkeep_model::access::factor::Token;
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::emergency::EmergencyCard;
use wardkeep_model::keeping::{
    AuditAct, CartState, Command as StoreCommand, Outcome, Protection, StoreFault,
};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{
    self, Command as HardwareCommand, Link, RadioHealth, ReaderHealth, ReaderKind, SpeakerHealth,
};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::live::Live;
use wardkeep_model::vitals::nomenclature::{Absent, Mdc, Unit};

use self::held::{Arrival, Drafts, People, Records, Watch, Waves};
use crate::alarms::{Alarms, Sound};
use crate::config::{Config, Language};
use crate::kiosk::intent::Intent;
use crate::kiosk::page::Page;
use crate::pairing::{Advertisement, Pairing};
use crate::session::setup::{self, Setup};
use crate::session::{self, Session, enrolment};

/// How long a notice stays on the screen.
const NOTICE_MAX: Duration = Duration::from_secs(12);
/// Ages on the screen move on this often.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Everything that can happen to the program.
#[derive(Clone, Debug)]
pub enum Event {
    /// A driver saw something.
    Hardware(ports::Event),
    /// The store answered.
    Store(Outcome),
    /// A person did something on the screen.
    Intent(Intent),
    /// The shell could not hand this many records to the store (S-11).
    RecordsLost(u64),
    /// Time passed.
    Tick,
}

/// Everything the core can want.
#[must_use]
#[derive(Clone, Debug)]
pub enum Effect {
    /// Ask the store.
    Store(StoreCommand),
    /// Ask the drivers.
    Hardware(HardwareCommand),
    /// Draw these pleth samples.
    Wave {
        /// Samples per second.
        rate_hz: u16,
        /// 0.0..=1.0, oldest first.
        samples: Vec<f32>,
    },
}

/// What the program waits for.
#[derive(Debug)]
enum Phase {
    /// The store has not answered yet.
    Starting,
    /// There is no store yet.
    FirstStart(Setup),
    /// The normal state.
    Running,
    /// The store cannot be used; tried again at this time.
    Trouble(StoreFault, BootTime),
}

/// What the core is told once, at start.
pub struct Surroundings {
    /// Site settings.
    pub config: Config,
    /// Some settings were not used.
    pub config_ignored: bool,
    /// Zone of the clock on the screen.
    pub zone: TimeZone,
    /// Random number of this start of the program.
    pub run: u64,
    /// Source of opaque identities.
    pub identities: Box<dyn FnMut() -> u128 + Send>,
    /// Every value is simulated.
    pub simulated: bool,
    /// How the device secret is kept, where that is known.
    pub protection: Option<Protection>,
}

/// The core.
pub struct Kiosk {
    around: Surroundings,
    phase: Phase,
    session: Session,
    pairing: Pairing,
    live: Live,
    alarms: Alarms,
    subject: Option<SubjectId>,
    /// What an unlock brought, until it may be shown.
    arrival: Arrival,
    /// What the emergency view shows; only while it is open (S-1).
    emergency: Option<Box<EmergencyCard>>,
    /// Details of the patient at this bed; only while a session is open (S-1).
    patient: Option<Patient>,
    /// The chooser's list; only while a session is open (S-1).
    patients: Option<Vec<Patient>>,
    page: Page,
    forms_saved: u64,
    /// What the logged-in person has typed into the patient form and not saved (S-1).
    drafts: Drafts,
    /// The pages about people; emptied at lock (S-1).
    people: People,
    language: Language,
    notice: Option<(Notice, BootTime)>,
    readers: BTreeMap<ReaderKind, ReaderHealth>,
    radio: RadioHealth,
    /// Last number of every linked device, assigned or not.
    readings: BTreeMap<DeviceId, (Decimal, Unit, BootTime)>,
    /// Absences already recorded, so that a sensor that stays off is one record.
    absences: BTreeMap<(DeviceId, Mdc), Absent>,
    wave_at: Option<BootTime>,
    /// Waveforms on their way to the store.
    waves: Waves,
    /// The speaker does not answer.
    is_mute: bool,
    seq: u64,
    records: Records,
    /// Monitoring without records is under way.
    watch: Option<Watch>,
}

impl Kiosk {
    /// A core that waits for its store.
    pub fn new(around: Surroundings, now: Moment) -> Self {
        let notice =
            around.config_ignored.then_some((Notice::ConfigIgnored, now.boot + NOTICE_MAX));
        let readers = [ReaderKind::Badge, ReaderKind::SmartCard, ReaderKind::Finger];
        Self {
            phase: Phase::Starting,
            session: Session::new(around.config.idle, around.config.policy),
            pairing: Pairing::default(),
            live: Live::default(),
            alarms: Alarms::default(),
            subject: None,
            arrival: Arrival::default(),
            emergency: None,
            patient: None,
            patients: None,
            page: Page::Bedside,
            forms_saved: 0,
            drafts: Drafts::default(),
            people: People::default(),
            language: around.config.language,
            notice,
            readers: readers.into_iter().map(|kind| (kind, ReaderHealth::NotFitted)).collect(),
            radio: RadioHealth::ServiceDown,
            readings: BTreeMap::new(),
            absences: BTreeMap::new(),
            wave_at: None,
            waves: Waves::default(),
            is_mute: false,
            seq: 0,
            records: Records::default(),
            watch: None,
            around,
        }
    }

    /// Advances the core by one event.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        let mut effects = match event {
            Event::Hardware(event) => self.on_hardware(now, event),
            Event::Store(outcome) => self.on_store(now, outcome),
            Event::Intent(intent) => self.on_intent(now, intent),
            Event::RecordsLost(count) => {
                self.records.lose(count);
                vec![]
            }
            Event::Tick => vec![],
        };
        effects.extend(self.in_session(now, session::Event::Tick));
        effects.extend(self.retry(now));
        effects.extend(self.end_waves(now));
        if self.notice.is_some_and(|(_, until)| now.boot >= until) {
            self.notice = None;
        }
        let facts = self.facts(now);
        self.alarms.update(now, facts);
        effects
    }

    /// When [`Event::Tick`] is due at the latest.
    pub fn next_deadline(&self, now: Moment) -> BootTime {
        let retry = match &self.phase {
            Phase::Trouble(_, at) => Some(*at),
            Phase::Starting | Phase::FirstStart(_) | Phase::Running => None,
        };
        let deadlines = [
            self.session.next_deadline(),
            self.session.left_behind_at().filter(|at| *at > now.boot),
            self.alarms.next_deadline(),
            self.live.next_deadline(now.boot),
            self.notice.map(|(_, until)| until),
            self.records.next_deadline(now.boot),
            retry,
        ];
        let heartbeat = now.boot + HEARTBEAT;
        deadlines.into_iter().flatten().fold(heartbeat, BootTime::min)
    }

    /// A session is open: patient data is on the screen.
    pub fn is_open(&self) -> bool {
        self.session.is_open()
    }

    /// What is to be heard now (S-9).
    pub fn sound(&self, now: Moment) -> Option<Sound> {
        self.alarms.sound(now.boot)
    }

    fn notify(&mut self, now: Moment, notice: Notice) {
        self.notice = Some((notice, now.boot + NOTICE_MAX));
    }

    fn on_hardware(&mut self, now: Moment, event: ports::Event) -> Vec<Effect> {
        if let Some(effects) = self.heard_in_enrolment(now, &event) {
            return effects;
        }
        match event {
            ports::Event::Reader(kind, health) => return self.on_reader(now, kind, health),
            ports::Event::Radio(health) => self.radio = health,
            ports::Event::Speaker(health) => self.is_mute = health == SpeakerHealth::NoDevice,
            ports::Event::BadgePresented(badge) => {
                return self.on_token(now, Token::Badge(badge));
            }
            ports::Event::BadgeUnreadable(fault) => self.on_unreadable_badge(now, fault),
            ports::Event::BadgeRemoved => {
                return self.in_session(now, session::Event::BadgeRemoved);
            }
            ports::Event::Factor(event) => return self.on_factor(now, event),
            ports::Event::Seen { device, name, kind, rssi } => {
                let heard = Advertisement { name: &name, kind, rssi };
                self.pairing.seen(now.boot, device, heard);
            }
            ports::Event::Gone(device) => self.pairing.gone(device),
            ports::Event::Link(device, link) => {
                self.pairing.link(device, link);
                if link != Link::Live {
                    self.live.end(device);
                    self.readings.remove(&device);
                    self.absences.retain(|(of, _), _| *of != device);
                }
            }
            ports::Event::Frame { device, characteristic, payload, received } => {
                return self.on_frame(device, characteristic, &payload, received);
            }
            ports::Event::Wave { device, rate_hz, samples } => {
                return self.on_wave(now, device, rate_hz, samples);
            }
            ports::Event::Overrun { source: _, lost } => self.records.lose(lost),
        }
        vec![]
    }

    fn on_intent(&mut self, now: Moment, intent: Intent) -> Vec<Effect> {
        let mut effects = self.in_session(now, session::Event::Activity);
        if !self.is_allowed(now, &intent) {
            return effects;
        }
        let more = match intent {
            Intent::Activity => vec![],
            Intent::SubmitPin(pin) if self.is_enrolling() => {
                self.in_enrolment(now, enrolment::Event::Pin(pin))
            }
            Intent::SubmitPin(pin) => self.submit_pin(now, pin),
            Intent::Cancel if self.session.is_open() => self.step_back(now),
            Intent::Cancel => self.cancel(now),
            Intent::Lock => self.in_session(now, session::Event::LockPressed),
            Intent::AcknowledgeAlarms => self.acknowledge(now),
            Intent::PauseAudio => self.pause_audio(now),
            Intent::SetLanguage(language) => self.set_language(language),
            Intent::BeginSetup => self.in_setup(now, setup::Event::Begin),
            Intent::NameAdmin { name, initials } => {
                self.in_setup(now, setup::Event::Named(name, initials))
            }
            Intent::RecoveryWritten => self.in_setup(now, setup::Event::WrittenDown),
            Intent::DismissNotice => {
                self.notice = None;
                vec![]
            }
            Intent::DismissFinding => {
                self.records.dismiss();
                vec![]
            }
            Intent::BeginWatch => self.begin_watch(),
            Intent::EndWatch => self.end_watch(),
            Intent::Connect(id) if self.is_watching() => self.watch_device(id),
            Intent::Release(id) if self.is_watching() => self.unwatch_device(id),
            Intent::Open(page) => self.open_page(now, page),
            Intent::Connect(_)
            | Intent::Assign(_)
            | Intent::Release(_)
            | Intent::ChoosePatient(_)
            | Intent::AddPatient(_) => self.on_care(now, intent),
            Intent::DraftPatient(form) => {
                self.keep_draft(form);
                vec![]
            }
            Intent::BeginEmergency => self.in_session(now, session::Event::EmergencyAsked),
            Intent::ChooseReason(reason) => {
                self.in_session(now, session::Event::ReasonChosen(reason))
            }
            Intent::SearchPeople(_)
            | Intent::OpenPerson(_)
            | Intent::AddPerson(_)
            | Intent::Enrol(_)
            | Intent::ChooseFinger(_)
            | Intent::IssueCode
            | Intent::EnrolmentDone
            | Intent::RevokeFactor(_)
            | Intent::RevokePerson
            | Intent::ChangeOwnPin
            | Intent::ShowCheckpoint => self.on_people(now, intent),
        };
        effects.extend(more);
        effects
    }

    fn pause_audio(&mut self, now: Moment) -> Vec<Effect> {
        let paused = self.alarms.pause_audio(now.boot);
        paused.then(|| self.audit(now, AuditAct::AudioPaused, None)).into_iter().collect()
    }

    fn set_language(&mut self, language: Language) -> Vec<Effect> {
        self.language = language;
        match self.phase {
            Phase::Running => vec![self.save_cart()],
            Phase::Starting | Phase::FirstStart(_) | Phase::Trouble(..) => vec![],
        }
    }

    /// Shows a page; the gate has let it pass.
    fn open_page(&mut self, now: Moment, page: Page) -> Vec<Effect> {
        self.page = page;
        let mut effects = self.leave_for(now, page);
        if page == Page::Patients {
            self.show_draft();
            effects.push(Effect::Store(StoreCommand::ListPatients));
        }
        effects
    }

    fn acknowledge(&mut self, now: Moment) -> Vec<Effect> {
        self.records.acknowledge();
        if self.alarms.acknowledge() {
            vec![self.audit(now, AuditAct::AlarmAcknowledged, None)]
        } else {
            vec![]
        }
    }

    fn save_cart(&self) -> Effect {
        let cart = CartState {
            subject: self.subject,
            devices: self.pairing.known(),
            language: self.language.tag().to_owned(),
        };
        Effect::Store(StoreCommand::SaveCart(Box::new(cart)))
    }
}
