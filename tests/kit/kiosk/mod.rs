//! A bedside without hardware: the real core, settable clocks and a store that answers in memory.

pub mod desk;
pub mod memory;
pub mod register;

use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use wardkeep_core::config::Config;
use wardkeep_core::kiosk::intent::Intent;
use wardkeep_core::kiosk::pages::{devices, patients};
use wardkeep_core::kiosk::view::{PinPrompt, Screen, Tile, View};
use wardkeep_core::kiosk::{Effect, Event, Kiosk, Surroundings};
use wardkeep_core::kiosk::{alarm, login};
use wardkeep_model::access::factor::{Attempt, CardEnrolment};
use wardkeep_model::access::factor::{CardId, CardPeer, Finger, Template};
use wardkeep_model::access::policy::{Level, Pair, Policy};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::encounter::Sex;
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{AuditAct, CartState, Found, Outcome};
use wardkeep_model::moment::Moment;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports;
use wardkeep_model::ports::{
    CardCommand, CardRefusal, CardSeen, FactorEvent, FingerCommand, FingerEvent, Link, Proof,
};
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};

use crate::clock::Clock;

pub use memory::{MemoryStore, PIN, WRONG, badge, card, pin, sensor, template};

/// A heart rate strap.
pub const STRAP: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x01]);
/// A pulse oximeter.
pub const OXIMETER: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 0x02]);

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
    /// The core.
    pub kiosk: Kiosk,
    /// Both clocks, which a test may step each by itself.
    pub clock: Clock,
    /// The store.
    pub store: MemoryStore,
    /// Commands to the radio.
    pub radio: Vec<ports::Command>,
    /// How often a waveform was drawn.
    pub waves: usize,
    /// Answers of the store that have not been delivered yet.
    pub answers: Vec<Outcome>,
    /// Deliver answers at once (else the test calls [`Bedside::deliver`]).
    pub prompt_store: bool,
    /// Tries left on every card.
    pub card_tries: u8,
    /// What the card in the reader is asked and has not answered yet.
    pub asked_card: Option<CardCommand>,
    /// Cards answer at once (else the test calls [`Bedside::card_answers`]).
    pub prompt_card: bool,
    /// What the fingerprint reader waits for.
    pub asked_finger: Option<(Attempt, Vec<Template>)>,
    /// The finger that it takes a new template of.
    pub enrolling: Option<(Attempt, Finger)>,
}

/// When every bedside begins.
pub fn start() -> Clock {
    Clock::running_for(Duration::from_secs(1000)).on("2026-11-22T14:32:00Z")
}

impl Bedside {
    /// A core that found `cart` in its store.
    pub fn resumed(cart: CartState) -> Self {
        Self::finding(Found::Store(Box::new(cart)), Policy::default())
    }

    /// A core on a machine without a store.
    pub fn on_a_new_machine() -> Self {
        Self::finding(Found::Nothing, Policy::default())
    }

    /// A core of a site with this policy.
    pub fn under(policy: Policy) -> Self {
        Self::finding(Found::Store(Box::default()), policy)
    }

    /// A core whose store answered this at start.
    pub fn answering(outcome: Outcome) -> Self {
        Self::with(outcome, Policy::default())
    }

    fn finding(found: Found, policy: Policy) -> Self {
        Self::with(Outcome::Found(found), policy)
    }

    fn with(outcome: Outcome, policy: Policy) -> Self {
        let mut next = 100_u128;
        let around = Surroundings {
            config: Config { bed: "Bed 12".into(), policy, ..Config::default() },
            config_ignored: false,
            zone: TimeZone::UTC,
            run: 1,
            identities: Box::new(move || {
                next += 1;
                next
            }),
            simulated: false,
            protection: None,
        };
        let clock = start();
        let mut bedside = Self {
            kiosk: Kiosk::new(around, clock.now()),
            clock,
            store: MemoryStore::default(),
            radio: vec![],
            waves: 0,
            answers: vec![],
            prompt_store: true,
            card_tries: 3,
            asked_card: None,
            prompt_card: true,
            asked_finger: None,
            enrolling: None,
        };
        bedside.event(Event::Store(outcome));
        bedside
    }

    /// A core with an empty store.
    pub fn locked() -> Self {
        Self::resumed(CartState::default())
    }

    /// Badge and PIN.
    pub fn unlocked() -> Self {
        let mut bedside = Self::locked();
        bedside.unlock();
        bedside
    }

    /// Badge and PIN of somebody with this role.
    pub fn unlocked_as(role: Role) -> Self {
        let mut bedside = Self::locked();
        bedside.store.role = role;
        bedside.unlock();
        bedside
    }

    /// Unlocked, with a patient and both devices live and assigned.
    pub fn monitoring() -> Self {
        Self::monitoring_under(Policy::default())
    }

    /// The same at a site with this policy.
    pub fn monitoring_under(policy: Policy) -> Self {
        let mut bedside = Self::under(policy);
        bedside.insert_or_tap(policy);
        bedside.type_pin(PIN);
        bedside.admit();
        bedside
    }

    fn insert_or_tap(&mut self, policy: Policy) {
        if policy.badge_pin { self.tap(1) } else { self.insert(1) }
    }

    /// Adds the patient, connects and assigns both devices.
    pub fn admit(&mut self) {
        // Nobody else has this number.
        let mrn = 4471 + self.store.patients.len();
        self.intent(patients::Intent::Add(PatientForm {
            family: Phi::new("Okonkwo-Brandt".into()),
            given: Phi::new("Margaret".into()),
            born: Phi::new("1944-03-02".into()),
            sex: Phi::new(Sex::Female),
            mrn: Phi::new(mrn.to_string()),
            allergies: Phi::new("Penicillin".into()),
        }));
        for (id, kind) in [(STRAP, DeviceKind::HeartRate), (OXIMETER, DeviceKind::PulseOximeter)] {
            self.advertise(id, kind);
            self.intent(devices::Intent::Connect(id));
            self.hardware(ports::Event::Link(id, Link::Live));
            self.intent(devices::Intent::Assign(id));
        }
    }

    /// Person 1 logs in with badge and PIN.
    pub fn unlock(&mut self) {
        self.tap(1);
        self.type_pin(PIN);
    }

    /// A badge comes and goes.
    pub fn tap(&mut self, number: u8) {
        self.hardware(ports::Event::BadgePresented(badge(number)));
        self.hardware(ports::Event::BadgeRemoved);
    }

    /// Somebody types a PIN.
    pub fn type_pin(&mut self, digits: [u8; 6]) {
        self.intent(login::Intent::SubmitPin(pin(digits)));
    }

    /// A card is inserted.
    pub fn insert(&mut self, number: u8) {
        self.factor(FactorEvent::CardPresented(CardSeen {
            card: card(number),
            subject: Phi::new("CN=Kern".into()),
            valid_until: None,
        }));
    }

    /// The card is pulled.
    pub fn pull(&mut self) {
        self.factor(FactorEvent::CardRemoved);
    }

    /// A card or fingerprint reader says something.
    pub fn factor(&mut self, event: FactorEvent) {
        self.hardware(ports::Event::Factor(event));
    }

    /// A shift share is alive; its templates were taken on the reader `A`, which is plugged in.
    pub fn in_shift(&mut self, shift: wardkeep_model::keeping::Shift) {
        self.store.shift = Some(shift);
        self.factor(FactorEvent::Sensor(Some(sensor("A"))));
    }

    /// Somebody says why it is an emergency.
    pub fn choose_reason(&mut self) {
        self.intent(login::Intent::ChooseReason(EmergencyReason::LifeThreatening));
    }

    /// Lays a finger on: one of those that the reader waits for, or another one.
    pub fn touch(&mut self, matching: bool) {
        let Some((attempt, templates)) = self.asked_finger.clone() else { return };
        let event = match templates.first() {
            Some(template) if matching => FingerEvent::Matched(attempt, template.id),
            Some(_) | None => FingerEvent::NotMatched(attempt),
        };
        self.factor(FactorEvent::Finger(event));
    }

    /// The card answers what it was asked last.
    pub fn card_answers(&mut self) {
        let (attempt, card, typed, peer) = match self.asked_card.take() {
            Some(CardCommand::Prove { attempt, card, pin, peer }) => {
                (attempt, card, pin, Some(peer))
            }
            Some(CardCommand::Enrol { attempt, card, pin }) => (attempt, card, pin, None),
            None => return,
        };
        if typed != pin(PIN) {
            self.card_tries = self.card_tries.saturating_sub(1);
            let refusal = match self.card_tries {
                0 => CardRefusal::Blocked,
                tries_left => CardRefusal::WrongPin { tries_left },
            };
            self.factor(FactorEvent::CardRefused(attempt, refusal));
            return;
        }
        self.card_tries = 3;
        let (CardId(key), secret) = (card, Secret::new(card.0.to_vec()));
        self.factor(match peer {
            Some(peer) => {
                assert_eq!(peer.0, key, "a card agrees with the peer of its own slot");
                FactorEvent::CardProved(attempt, Proof(secret))
            }
            None => {
                let (peer, subject) = (CardPeer(key.to_vec()), Phi::new("CN=Kern".into()));
                FactorEvent::CardEnrolled(attempt, CardEnrolment { card, peer, secret, subject })
            }
        });
    }

    /// A device of this kind is seen.
    pub fn advertise(&mut self, device: DeviceId, kind: DeviceKind) {
        let name = format!("{kind:?}");
        self.hardware(ports::Event::Seen { device, name, kind, rssi: -55 });
    }

    /// A device sends a frame of what it measures.
    pub fn frame(&mut self, device: DeviceId, payload: Vec<u8>) {
        let characteristic = Characteristic(if device == STRAP { 0x2A37 } else { 0x2A5F });
        let received = self.now();
        self.hardware(ports::Event::Frame { device, characteristic, payload, received });
    }

    /// A driver says something.
    pub fn hardware(&mut self, event: ports::Event) {
        self.event(Event::Hardware(event));
    }

    /// Somebody acknowledges what the strip offers.
    pub fn acknowledge(&mut self) {
        if let Some(unseen) = self.view().alarm.and_then(|strip| strip.unseen) {
            self.intent(alarm::Intent::Acknowledge(unseen.shown));
        }
    }

    /// Somebody touches the screen.
    pub fn intent(&mut self, intent: impl Into<Intent>) {
        self.event(Event::Intent(intent.into()));
    }

    /// What both clocks show.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Lets time pass in steps no longer than the core asks for.
    pub fn wait(&mut self, length: Duration) {
        let end = self.now().boot + length;
        while self.now().boot < end {
            let due = self.kiosk.next_deadline(self.now()).min(end);
            self.clock.wait(due.since(self.now().boot).max(Duration::from_millis(1)));
            self.event(Event::Tick);
        }
    }

    /// Somebody sets the wall clock, forwards or back; no time passes.
    pub fn set_wall(&mut self, by: SignedDuration) {
        self.clock.step_wall(by);
        self.event(Event::Tick);
    }

    /// The machine sleeps: time passes, and nothing happens before it wakes.
    pub fn suspend(&mut self, length: Duration) {
        self.clock.wait(length);
        self.event(Event::Tick);
    }

    /// Something happens, and everybody around does what comes of it.
    pub fn event(&mut self, event: Event) {
        let effects = self.kiosk.handle(self.now(), event);
        for effect in effects {
            match effect {
                Effect::Store(command) => self.answers.extend(self.store.answer(command)),
                Effect::Hardware(command) => self.ask(command),
                Effect::Wave { .. } => self.waves += 1,
            }
        }
        if self.prompt_store {
            self.deliver();
        }
        if self.prompt_card {
            self.card_answers();
        }
    }

    fn ask(&mut self, command: ports::Command) {
        match command {
            ports::Command::Card(command) => self.asked_card = Some(command),
            ports::Command::Finger(FingerCommand::Identify { attempt, templates }) => {
                assert!(self.asked_finger.is_none(), "the reader still works on another question");
                assert!(!templates.is_empty(), "nothing to compare with");
                self.asked_finger = Some((attempt, templates));
            }
            ports::Command::Finger(FingerCommand::Stop) => {
                let worked = self.asked_finger.take().is_some() | self.enrolling.take().is_some();
                assert!(worked, "nothing to stop");
            }
            ports::Command::Finger(FingerCommand::Enrol { attempt, finger }) => {
                self.enrolling = Some((attempt, finger));
            }
            ports::Command::Connect(..)
            | ports::Command::Disconnect(_)
            | ports::Command::Pair(_)
            | ports::Command::AnswerPairing(..)
            | ports::Command::Forget(_)
            | ports::Command::Write(..) => self.radio.push(command),
        }
    }

    /// The store says something that nobody asked for.
    pub fn told(&mut self, outcome: Outcome) {
        self.event(Event::Store(outcome));
    }

    /// Delivers all that the store has answered.
    pub fn deliver(&mut self) {
        while !self.answers.is_empty() {
            let outcome = self.answers.remove(0);
            self.event(Event::Store(outcome));
        }
    }

    /// What is on the screen.
    pub fn view(&self) -> View {
        self.kiosk.view(self.now())
    }

    /// The screen asks for a badge or a card.
    pub fn is_lock_screen(&self) -> bool {
        matches!(self.view().screen, Screen::Lock(_))
    }

    /// The PIN pad.
    pub fn prompt(&self) -> PinPrompt {
        let screen = self.view().screen;
        let Screen::Pin(prompt) = screen else { panic!("expected the PIN pad, got {screen:?}") };
        prompt
    }

    /// What the screen says about the last act.
    pub fn notice(&self) -> Option<Notice> {
        self.view().notice
    }

    /// What the login proved.
    pub fn level(&self) -> Option<Level> {
        self.view().open.map(|open| open.operator.level)
    }

    /// Who opened sessions and with which factors, as the audit log has it.
    pub fn pairs(&self) -> Vec<(Option<OperatorId>, Option<Pair>)> {
        let entries = self.store.audit.iter().filter(|entry| entry.act == AuditAct::Unlocked);
        entries.map(|entry| (entry.operator, entry.pair)).collect()
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
        numbers(&self.tiles())
    }
}

/// Values of heart rate, SpO2 and pulse rate, whatever else there are tiles for.
pub fn numbers(tiles: &[Tile]) -> Vec<Option<String>> {
    let value = |parameter| {
        let tile = tiles.iter().find(|tile| tile.parameter == parameter)?;
        tile.value.as_ref().map(|value| value.reveal().clone())
    };
    [Parameter::HeartRate, Parameter::SpO2, Parameter::PulseRate].map(value).to_vec()
}
