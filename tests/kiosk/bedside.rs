//! A bedside without hardware: the real core, a settable clock and a store that answers in memory.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wardkeep::bridge::intent::{Intent, PatientForm};
use wardkeep::bridge::view::{Screen, Tile, View};
use wardkeep::confidential::{Phi, Secret};
use wardkeep::config::Config;
use wardkeep::encounter::{Patient, Sex};
use wardkeep::hardware::{self, Characteristic, DeviceId, DeviceKind, Link};
use wardkeep::kiosk::{Effect, Event, Kiosk, Surroundings};
use wardkeep::moment::{BootTime, Moment};
use wardkeep::session::factor::{Badge, Pin, ReaderFamily};
use wardkeep::session::{Operator, OperatorId, Role};
use wardkeep::store::{Admission, CartState, Command, Found, Outcome, Refusal, Unlocked};
use wardkeep::vitals::Observation;

pub const STRAP: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x01]);
pub const OXIMETER: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x02]);
pub const PIN: [u8; 6] = [4, 7, 1, 1, 0, 8];

pub fn badge(last: u8) -> Badge {
    Badge::new(ReaderFamily::PcscUid, &[4, 0xA1, 0xB2, last]).expect("a UID of four bytes")
}

pub fn pin(digits: [u8; 6]) -> Pin {
    digits.into_iter().collect()
}

/// 2A37 with skin contact.
pub fn heart_rate(rate: u8) -> Vec<u8> {
    vec![0x06, rate]
}

/// 2A5F without optional fields.
pub fn oximetry(spo2: u8, pulse: u8) -> Vec<u8> {
    vec![0x00, spo2, 0x00, pulse, 0x00]
}

/// The core with everything around it.
pub struct Bedside {
    pub kiosk: Kiosk,
    pub now: Moment,
    pub vault_open: bool,
    pub records: Vec<Observation>,
    pub radio: Vec<hardware::Command>,
    pub cart: Option<CartState>,
    pub waves: usize,
    patients: Vec<Patient>,
    tries_left: u8,
    /// Answers of the store that have not been delivered yet.
    pub answers: Vec<Outcome>,
    /// Deliver answers at once (else the test calls [`Bedside::deliver`]).
    pub prompt_store: bool,
}

pub fn start() -> Moment {
    let wall: Timestamp = "2026-11-22T14:32:00Z".parse().expect("a timestamp");
    Moment { boot: BootTime(Duration::from_secs(1000)), wall }
}

impl Bedside {
    /// A core that found `cart` in its store.
    pub fn resumed(cart: CartState) -> Self {
        Self::finding(Found::Store(Box::new(cart)))
    }

    /// A core on a machine without a store.
    pub fn on_a_new_machine() -> Self {
        Self::finding(Found::Nothing)
    }

    fn finding(found: Found) -> Self {
        let mut next = 100_u128;
        let around = Surroundings {
            config: Config { bed: "Bed 12".into(), ..Config::default() },
            config_ignored: false,
            zone: TimeZone::UTC,
            run: 1,
            identities: Box::new(move || {
                next += 1;
                next
            }),
            simulated: false,
        };
        let now = start();
        let mut bedside = Self {
            kiosk: Kiosk::new(around, now),
            now,
            vault_open: false,
            records: vec![],
            radio: vec![],
            cart: None,
            waves: 0,
            patients: vec![],
            tries_left: 10,
            answers: vec![],
            prompt_store: true,
        };
        bedside.event(Event::Store(Outcome::Found(found)));
        bedside
    }

    pub fn locked() -> Self {
        Self::resumed(CartState::default())
    }

    /// Badge and PIN.
    pub fn unlocked() -> Self {
        let mut bedside = Self::locked();
        bedside.unlock();
        bedside
    }

    /// Unlocked, with a patient and both devices live and assigned.
    pub fn monitoring() -> Self {
        let mut bedside = Self::unlocked();
        bedside.intent(Intent::AddPatient(PatientForm {
            family: Phi::new("Okonkwo-Brandt".into()),
            given: Phi::new("Margaret".into()),
            born: Phi::new("1944-03-02".into()),
            sex: Phi::new(Sex::Female),
            mrn: Phi::new("4471".into()),
        }));
        for (id, kind) in [(STRAP, DeviceKind::HeartRate), (OXIMETER, DeviceKind::PulseOximeter)] {
            bedside.advertise(id, kind);
            bedside.intent(Intent::Connect(id));
            bedside.hardware(hardware::Event::Link(id, Link::Live));
            bedside.intent(Intent::Assign(id));
        }
        bedside
    }

    pub fn unlock(&mut self) {
        self.hardware(hardware::Event::BadgePresented(badge(1)));
        self.hardware(hardware::Event::BadgeRemoved);
        self.intent(Intent::SubmitPin(pin(PIN)));
    }

    pub fn advertise(&mut self, device: DeviceId, kind: DeviceKind) {
        let name = format!("{kind:?}");
        self.hardware(hardware::Event::Seen { device, name, kind, rssi: -55 });
    }

    pub fn frame(&mut self, device: DeviceId, payload: Vec<u8>) {
        let characteristic = Characteristic(if device == STRAP { 0x2A37 } else { 0x2A5F });
        let received = self.now;
        self.hardware(hardware::Event::Frame { device, characteristic, payload, received });
    }

    pub fn hardware(&mut self, event: hardware::Event) {
        self.event(Event::Hardware(event));
    }

    pub fn intent(&mut self, intent: Intent) {
        self.event(Event::Intent(intent));
    }

    /// Lets time pass in steps no longer than the core asks for.
    pub fn wait(&mut self, length: Duration) {
        let end = self.now + length;
        while self.now.boot < end.boot {
            let due = self.kiosk.next_deadline(self.now).min(end.boot);
            let step = due.since(self.now.boot).max(Duration::from_millis(1));
            self.now = self.now + step;
            self.event(Event::Tick);
        }
    }

    pub fn event(&mut self, event: Event) {
        let effects = self.kiosk.handle(self.now, event);
        for effect in effects {
            match effect {
                Effect::Store(command) => self.answer(command),
                Effect::Hardware(command) => self.radio.push(command),
                Effect::Wave { .. } => self.waves += 1,
            }
        }
        if self.prompt_store {
            self.deliver();
        }
    }

    pub fn deliver(&mut self) {
        while !self.answers.is_empty() {
            let outcome = self.answers.remove(0);
            self.event(Event::Store(outcome));
        }
    }

    /// The store finds no patient any more.
    pub fn forget_patients(&mut self) {
        self.patients.clear();
    }

    fn admission(&self) -> Admission {
        match self.tries_left {
            0 => Admission::Exhausted,
            tries_left => Admission::Try { tries_left },
        }
    }

    fn answer(&mut self, command: Command) {
        match command {
            Command::Initialise(..) => {
                self.answers.push(Outcome::Initialised(Secret::new("abandon ability able".into())));
                self.answers.push(Outcome::Found(Found::Store(Box::default())));
            }
            Command::Identify(attempt, ..) => {
                self.answers.push(Outcome::Identified(attempt, self.admission()));
            }
            Command::Unlock(attempt, tapped, typed, _) => {
                if tapped == badge(1) && typed == pin(PIN) {
                    self.vault_open = true;
                    self.tries_left = 10;
                    let subject = self.cart.as_ref().and_then(|cart| cart.subject);
                    let patient = self.patients.iter().find(|p| Some(p.id) == subject).cloned();
                    let operator = Operator {
                        id: OperatorId(9),
                        initials: "AK".into(),
                        name: Phi::new("Ada Kern".into()),
                        role: Role::Nurse,
                    };
                    let unlocked = Box::new(Unlocked { operator, patient });
                    self.answers.push(Outcome::Unlocked(attempt, unlocked));
                } else {
                    self.tries_left = self.tries_left.saturating_sub(1);
                    let refusal = Refusal::WrongFactors(self.admission());
                    self.answers.push(Outcome::Refused(attempt, refusal));
                }
            }
            Command::Close => {
                self.vault_open = false;
                self.answers.push(Outcome::Closed);
            }
            Command::Record(observation) => self.records.push(*observation),
            Command::SaveCart(cart) => self.cart = Some(*cart),
            Command::ListPatients => self.answers.push(Outcome::Patients(self.patients.clone())),
            Command::AddPatient(patient) => {
                self.patients.push((*patient).clone());
                self.answers.push(Outcome::PatientAdded(patient));
            }
            Command::Audit(_) | Command::Retry => {}
        }
    }

    pub fn view(&self) -> View {
        self.kiosk.view(self.now)
    }

    pub fn is_lock_screen(&self) -> bool {
        matches!(self.view().screen, Screen::Lock(_))
    }

    /// The tiles of the bedside page: heart rate, SpO2, pulse rate.
    pub fn tiles(&self) -> Vec<Tile> {
        let Screen::Bedside(page) = self.view().screen else {
            panic!("expected the bedside page");
        };
        page.tiles
    }

    /// The numbers of the tiles as shown.
    pub fn numbers(&self) -> Vec<Option<String>> {
        self.tiles().iter().map(|tile| tile.value.as_ref().map(|v| v.reveal().clone())).collect()
    }
}
