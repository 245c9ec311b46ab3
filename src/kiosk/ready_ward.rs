//! A ready ward in an empty state directory: people with badges, cards and PINs, a patient at the bed,
//! and two devices that measure them (feature `sim`).
//!
//! It goes the way that people go, through the store's own commands: the first start, IT at the desk, a
//! nurse who adds the patient. What is left out is the screen. Keys are derived quickly, as in tests:
//! whoever starts on such a store has to say so as well.

use std::path::Path;

use anyhow::{Context, bail};
use jiff::civil::date;
use tokio::sync::mpsc;

use wardkeep_model::access::factor::{
    Attempt, CardEnrolment, Evidence, Finger, Pin, Template, TemplateId,
};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Patient, Sex, SubjectId};
use wardkeep_model::keeping::{
    Administered, Administration, Assignment, CartState, Command, Found, KnownDevice, NewOperator,
    NewPerson, NewPin, Outcome,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{CardCommand, Event, FactorEvent, FingerCommand, FingerEvent};
use wardkeep_model::vitals::{DeviceId, DeviceKind};
use wardkeep_sim::factors::{CARDS, CardReader, FINGERS, FingerReader};
use wardkeep_sim::ward::{
    BADGES, BenchBadge, CAREGIVER_BADGE, Holder, IT_BADGE, NURSE_BADGE, OXIMETER_A, STRAP,
};
use wardkeep_store as store;

/// Room for what the store answers while nobody listens.
const OUTCOMES_MAX: usize = 64;
/// For how long the devices are given to the patient.
const ASSIGNED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// More touches than any template takes.
const TOUCHES_MAX: u8 = 20;

/// Makes a ready ward in `state`; where a store is already, nothing changes. True if it was made.
///
/// # Errors
/// The store cannot be written or refuses a step.
pub fn prepare(state: &Path) -> anyhow::Result<bool> {
    let (outcomes, answers) = mpsc::channel(OUTCOMES_MAX);
    let options = store::Options::new(state).with_cost_for_tests();
    let (store, thread) = store::spawn(options, outcomes).context("the store does not start")?;
    let mut desk = Desk { store, answers, attempt: 0 };
    let made = desk.furnish();
    let Desk { store, mut answers, .. } = desk;
    drop(store);
    // The store waits for room: it is heard out.
    while answers.blocking_recv().is_some() {}
    thread.join().map_err(|_| anyhow::anyhow!("the store failed"))?;
    made.context("the ward was not made ready")
}

/// A place at the store, without a screen.
struct Desk {
    store: store::StoreHandle,
    answers: mpsc::Receiver<Outcome>,
    attempt: u64,
}

impl Desk {
    fn furnish(&mut self) -> anyhow::Result<bool> {
        let found =
            self.until(
                |outcome| if let Outcome::Found(found) = outcome { Some(found) } else { None },
            )?;
        if found != Found::Nothing {
            return Ok(false);
        }
        self.first_start()?;
        self.log_in(bench_badge(IT_BADGE)?)?;
        self.enrol_by_it()?;
        self.log_out()?;
        self.log_in(bench_badge(NURSE_BADGE)?)?;
        self.admit()?;
        self.log_out()?;
        Ok(true)
    }

    /// IT's badge opens the store from now on. Nobody needs the recovery words of a simulated ward.
    fn first_start(&mut self) -> anyhow::Result<()> {
        let badge = bench_badge(IT_BADGE)?;
        let first = NewOperator {
            initials: initials(badge.name),
            name: Phi::new(badge.name.to_owned()),
            role: role(badge)?,
            badge: badge.badge(),
            pin: pin_of(badge)?,
        };
        self.send(Command::Initialise(Box::new(first), Moment::read()))?;
        self.until(|outcome| if let Outcome::Initialised(_) = outcome { Some(()) } else { None })
    }

    fn enrol_by_it(&mut self) -> anyhow::Result<()> {
        for index in [NURSE_BADGE, CAREGIVER_BADGE] {
            let badge = bench_badge(index)?;
            let person = NewPerson {
                name: Phi::new(badge.name.to_owned()),
                initials: initials(badge.name),
                role: role(badge)?,
                valid_until: None,
            };
            let Administered::Added(id) = self.ask(Administration::AddPerson(person, None))? else {
                bail!("the store added nobody");
            };
            let pin = NewPin::Chosen(pin_of(badge)?);
            self.ask(Administration::EnrolBadge(id, badge.badge(), pin))?;
            self.enrol_more(id, badge)?;
        }
        Ok(())
    }

    /// Card and finger, of whoever has them on the bench.
    fn enrol_more(&mut self, id: OperatorId, badge: &BenchBadge) -> anyhow::Result<()> {
        if let Some(card) = CARDS.iter().position(|card| card.name == badge.name) {
            let enrolment = card_enrolment(card, pin_of(badge)?)?;
            self.ask(Administration::EnrolCard(id, enrolment))?;
        }
        if let Some(finger) = FINGERS.iter().position(|owner| *owner == badge.name) {
            let template = template(finger)?;
            self.ask(Administration::EnrolFinger(id, template))?;
        }
        Ok(())
    }

    /// A patient at this bed whose strap and oximeter are linked and assigned.
    fn admit(&mut self) -> anyhow::Result<()> {
        let mut identity = [0_u8; 16];
        getrandom::fill(&mut identity).context("the system gives no random numbers")?;
        let subject = SubjectId(u128::from_le_bytes(identity));
        let patient = Patient {
            id: subject,
            family: Phi::new("Okonkwo-Brandt".to_owned()),
            given: Phi::new("Margaret".to_owned()),
            born: Phi::new(Some(date(1944, 3, 2))),
            sex: Phi::new(Sex::Female),
            mrn: Phi::new("4471".to_owned()),
            allergies: Phi::new("Penicillin".to_owned()),
        };
        self.send(Command::AddPatient(Box::new(patient), Moment::read()))?;
        self.until(|outcome| if let Outcome::PatientAdded(_) = outcome { Some(()) } else { None })?;
        let since = Moment::read().wall;
        let until = since.checked_add(ASSIGNED).context("the clock is at its end")?;
        let assignment = Assignment { subject, since, until };
        let device = |id: DeviceId, kind, name: &str| KnownDevice {
            id,
            kind,
            name: name.to_owned(),
            assignment: Some(assignment),
            bond: None,
        };
        let cart = CartState {
            subject: Some(subject),
            devices: vec![
                device(STRAP, DeviceKind::HeartRate, "CardioStrap 7"),
                device(OXIMETER_A, DeviceKind::PulseOximeter, "FingerOx 3"),
            ],
            language: "en".to_owned(),
            limits: None,
            alive: None,
            inventory: vec![],
            bed: String::new(),
        };
        self.send(Command::SaveCart(Box::new(cart)))
    }

    fn log_in(&mut self, badge: &BenchBadge) -> anyhow::Result<()> {
        let evidence = Evidence::BadgePin(badge.badge(), pin_of(badge)?);
        let attempt = self.next_attempt();
        self.send(Command::Unlock(attempt, evidence, Moment::read()))?;
        self.until(|outcome| if let Outcome::Imported(_) = outcome { Some(()) } else { None })
    }

    fn log_out(&mut self) -> anyhow::Result<()> {
        self.send(Command::Close(None, Moment::read()))?;
        self.until(|outcome| if let Outcome::Closed = outcome { Some(()) } else { None })
    }

    fn ask(&mut self, what: Administration) -> anyhow::Result<Administered> {
        let attempt = self.next_attempt();
        self.send(Command::Administer(attempt, Box::new(what), Moment::read()))?;
        let answer = self.until(|outcome| {
            if let Outcome::Administered(_, answer) = outcome { Some(answer) } else { None }
        })?;
        Ok(answer?)
    }

    fn next_attempt(&mut self) -> Attempt {
        self.attempt += 1;
        Attempt(self.attempt)
    }

    fn send(&self, command: Command) -> anyhow::Result<()> {
        Ok(self.store.try_send(command)?)
    }

    /// The first answer that `told` takes; a refusal or a fault before it ends the matter.
    fn until<T>(&mut self, told: impl Fn(Outcome) -> Option<T>) -> anyhow::Result<T> {
        loop {
            let outcome = self.answers.blocking_recv().context("the store has ended")?;
            if let Outcome::Fault(fault) = outcome {
                return Err(fault.into());
            }
            if let Outcome::Refused(_, refusal) = outcome {
                bail!("the store refused the factors: {refusal:?}");
            }
            if let Some(answer) = told(outcome) {
                return Ok(answer);
            }
        }
    }
}

fn bench_badge(index: usize) -> anyhow::Result<&'static BenchBadge> {
    BADGES.get(index).context("no such badge on the bench")
}

fn role(badge: &BenchBadge) -> anyhow::Result<Role> {
    match badge.holder {
        Holder::It => Ok(Role::It),
        Holder::Nurse => Ok(Role::Nurse),
        Holder::Caregiver => Ok(Role::Caregiver),
        Holder::Stranger => bail!("nobody enrols a stranger"),
    }
}

fn pin_of(badge: &BenchBadge) -> anyhow::Result<Pin> {
    let digits = badge.pin.context("a badge without a PIN")?;
    Ok(digits.bytes().map(|digit| digit.wrapping_sub(b'0')).collect())
}

/// First letters of the name's words.
pub fn initials(name: &str) -> String {
    name.split(' ').filter_map(|word| word.chars().next()).collect()
}

/// What a card on the bench gives when it is enrolled.
fn card_enrolment(card: usize, pin: Pin) -> anyhow::Result<CardEnrolment> {
    let mut reader = CardReader::default();
    let seen = reader.insert(card).into_iter().find_map(|event| {
        let Event::Factor(FactorEvent::CardPresented(seen)) = event else { return None };
        Some(seen.card)
    });
    let card = seen.context("no such card on the bench")?;
    let attempt = Attempt(1);
    let answer = reader.handle(CardCommand::Enrol { attempt, card, pin });
    let Event::Factor(FactorEvent::CardEnrolled(_, enrolment)) = answer else {
        bail!("the card on the bench was not enrolled");
    };
    Ok(enrolment)
}

/// What a finger on the bench leaves when it is enrolled.
fn template(finger: usize) -> anyhow::Result<Template> {
    let mut reader = FingerReader::default();
    let attempt = Attempt(1);
    drop(reader.handle(FingerCommand::Enrol { attempt, finger: Finger::RightIndex }));
    let mut events = (0..TOUCHES_MAX).flat_map(|_| reader.touch(finger));
    let template = events.find_map(|event| {
        let Event::Factor(FactorEvent::Finger(told)) = event else { return None };
        if let FingerEvent::Enrolled(_, template) = told { Some(template) } else { None }
    });
    let template = template.context("the finger on the bench was not enrolled")?;
    // The running reader counts its templates from one, too.
    let id = TemplateId(u128::MAX - finger as u128);
    Ok(Template { id, ..template })
}
