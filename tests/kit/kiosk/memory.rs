//! A store that answers in memory, with two people, their badges, cards and fingers.

use super::register::Register;
use jiff::Timestamp;
use wardkeep_model::access::factor::{
    Badge, CardId, CardPeer, Evidence, Finger, Pin, ReaderFamily, Sensor, Template, TemplateId,
    Token,
};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::access::{Operator, OperatorId, Role};
use wardkeep_model::alarm::AlarmRecord;
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::emergency::{EmergencyCard, PastNumeric};
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, AuditAct, AuditEntry, CartState, Command,
    Draft, EmergencyRefusal, FiledSpot, Found, History, HistoryQuery, Identified, NotAdded,
    Outcome, Refusal, Shift, SpotAct, Spots, StoreFault, Unlocked, WaitingSpot,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::untrusted;
use wardkeep_model::vitals::spot::SpotReading;
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{Observation, Value};

/// Everybody's PIN.
pub const PIN: [u8; 6] = [4, 7, 1, 1, 0, 8];
/// Nobody's PIN.
pub const WRONG: [u8; 6] = [9, 9, 1, 2, 3, 4];

/// The badge of this person.
pub fn badge(last: u8) -> Badge {
    Badge::new(ReaderFamily::PcscUid, &[4, 0xA1, 0xB2, last]).expect("a UID of four bytes")
}

/// The card of this person.
pub fn card(number: u8) -> CardId {
    CardId([number; 32])
}

/// A PIN as it is typed.
pub fn pin(digits: [u8; 6]) -> Pin {
    digits.into_iter().collect()
}

/// A fingerprint reader with this serial number.
pub fn sensor(serial: &str) -> Sensor {
    Sensor { driver: "synaptics".into(), device: "bd".into(), serial: serial.into() }
}

/// A template of this person, taken on the reader with this serial number.
pub fn template(person: u8, serial: &str) -> Template {
    Template {
        id: TemplateId(person.into()),
        finger: Finger::RightIndex,
        sensor: sensor(serial),
        print: Secret::new(vec![person; 16]),
    }
}

/// Whose token it is: persons 1 and 2 are enrolled, with badge and card of their number.
fn owner(token: &Token) -> Option<u8> {
    (1..=2).find(|person| match token {
        Token::Badge(tapped) => *tapped == badge(*person),
        Token::Card(inserted) => *inserted == card(*person),
    })
}

/// A spot reading as it is kept.
#[derive(Clone, Debug)]
pub struct Spot {
    /// The reading.
    pub reading: SpotReading,
    /// Whose it is, and when somebody said so.
    pub filed: Option<(SubjectId, Timestamp)>,
    /// When somebody said that it is not that of the patient who was there.
    pub refused: Option<Timestamp>,
    /// It is nobody's, or nobody said in time whose.
    pub is_over: bool,
}

/// The store.
pub struct MemoryStore {
    /// A session holds the vault open.
    pub vault_open: bool,
    /// Who opened it last.
    opened_by: Option<OperatorId>,
    /// Values that were recorded, oldest first.
    pub records: Vec<Observation>,
    /// Spot readings, oldest first.
    pub spots: Vec<Spot>,
    /// Waveforms that were recorded, oldest first.
    pub waves: Vec<WaveSegment>,
    /// The alarm log, oldest first.
    pub alarms: Vec<AlarmRecord>,
    /// What the core had written into the audit log.
    pub audit: Vec<AuditEntry>,
    /// The cart's state as it was saved last.
    pub cart: Option<CartState>,
    /// Everybody who was admitted.
    pub patients: Vec<Patient>,
    /// What was typed and not saved.
    pub drafts: Vec<Draft>,
    /// What everybody may do.
    pub role: Role,
    /// The PIN of everybody's badges.
    pub pin: Pin,
    /// That PIN is a one-time code.
    pub is_code: bool,
    /// Cards are asked for a new PIN as well, which no real store does.
    pub code_for_cards: bool,
    /// The shift share of everybody.
    pub shift: Option<Shift>,
    /// Every unlock is refused like this.
    pub refusal: Option<Refusal>,
    /// Tries of everybody before the next is refused for good.
    pub tries_left: u8,
    /// Fingers that fitted nobody.
    pub misses: u32,
    /// How often it was asked to look at its directory again.
    pub retries: u32,
    /// The emergency card, or why there is none.
    pub emergency: Result<EmergencyCard, EmergencyRefusal>,
    /// Every administration is refused like this.
    pub administration: Option<AdministrationFault>,
    /// Everybody who may log in.
    pub register: Register,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            opened_by: None,
            vault_open: false,
            records: vec![],
            spots: vec![],
            waves: vec![],
            alarms: vec![],
            audit: vec![],
            cart: None,
            patients: vec![],
            drafts: vec![],
            role: Role::Nurse,
            pin: pin(PIN),
            is_code: false,
            code_for_cards: false,
            shift: None,
            refusal: None,
            tries_left: 10,
            misses: 0,
            retries: 0,
            emergency: Err(EmergencyRefusal::Nothing),
            administration: None,
            register: Register::default(),
        }
    }
}

impl MemoryStore {
    fn admission(&self) -> Admission {
        match self.tries_left {
            0 => Admission::Exhausted,
            tries_left => Admission::Try { tries_left },
        }
    }

    fn identified(&self, token: &Token) -> Identified {
        let peer = match token {
            Token::Badge(_) => None,
            Token::Card(card) => Some(CardPeer(card.0.to_vec())),
        };
        let shift = self.shift.clone().filter(|_| owner(token).is_some());
        Identified { admission: self.admission(), peer, shift }
    }

    fn opens(&self, evidence: &Evidence) -> Option<u8> {
        let person = owner(&evidence.token())?;
        let fits = match evidence {
            Evidence::BadgePin(_, typed) => *typed == self.pin,
            Evidence::Card(card, secret) => *secret.expose() == card.0,
            Evidence::Finger(_, template) => {
                self.shift.is_some() && template.0 == u128::from(person)
            }
            Evidence::Tap(_) => self.shift.as_ref().is_some_and(|shift| shift.tap),
        };
        fits.then_some(person)
    }

    fn unlock(&mut self, evidence: &Evidence) -> Result<Unlocked, Refusal> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        let Some(person) = self.opens(evidence) else {
            self.tries_left = self.tries_left.saturating_sub(1);
            return Err(Refusal::WrongFactors(self.admission()));
        };
        self.vault_open = true;
        self.tries_left = 10;
        let subject = self.cart.as_ref().and_then(|cart| cart.subject);
        let id = OperatorId(u128::from(person) + 8);
        self.opened_by = Some(id);
        let (initials, name) = if person == 1 { ("AK", "Ada Kern") } else { ("BL", "Bea Lund") };
        let mine = self.drafts.iter().position(|draft| draft.operator == id);
        Ok(Unlocked {
            operator: Operator {
                id,
                initials: initials.into(),
                name: Phi::new(name.into()),
                role: self.role,
            },
            patient: self.patients.iter().find(|p| Some(p.id) == subject).cloned(),
            draft: mine.map(|place| self.drafts.remove(place)),
            must_choose_pin: self.is_code
                && (self.code_for_cards || matches!(evidence, Evidence::BadgePin(..))),
        })
    }

    fn administer(&mut self, what: Administration) -> Result<Administered, AdministrationFault> {
        if let Some(fault) = self.administration {
            return Err(fault);
        }
        if !self.vault_open {
            return Err(AdministrationFault::NotAllowed);
        }
        if let Administration::ChangeOwnPin(pin) = what {
            self.pin = pin;
            self.is_code = false;
            return Ok(Administered::Enrolled(None));
        }
        self.register.administer(what)
    }

    fn numerics(&self, query: HistoryQuery) -> Vec<PastNumeric> {
        let mine = self.records.iter().filter(|record| {
            record.subject == Some(query.subject)
                && (query.since..query.until).contains(&record.effective)
        });
        let numeric = |record: &Observation| match record.value.reveal() {
            Value::Measured(value) => Some(PastNumeric {
                mdc: record.code,
                value: Phi::new(*value),
                unit: record.unit,
                at: record.effective,
            }),
            Value::Absent(_) => None,
        };
        mine.filter_map(numeric).collect()
    }

    /// By the rules of the real store: once, under a number of their own, with an audit entry.
    fn add_patient(&mut self, patient: Box<Patient>, now: Moment) -> Outcome {
        let mrn = untrusted::comparable(patient.mrn.reveal());
        let has_it = |one: &Patient| untrusted::comparable(one.mrn.reveal()) == mrn;
        if self.patients.iter().any(|one| one.id == patient.id) {
            return Outcome::PatientAdded(patient);
        }
        if !mrn.is_empty() && self.patients.iter().any(has_it) {
            return Outcome::PatientNotAdded(patient.id, NotAdded::NumberTaken);
        }
        self.patients.push((*patient).clone());
        let entry = AuditEntry::of(AuditAct::PatientCreated, now.wall);
        let (operator, subject) = (self.opened_by, Some(patient.id));
        self.audit.push(AuditEntry { operator, subject, ..entry });
        Outcome::PatientAdded(patient)
    }

    /// By the rules of the real store: a reading is in one place, and one that its device hands over again is
    /// known.
    fn keep_spot(&mut self, reading: SpotReading) -> Vec<Outcome> {
        let is_known = self.spots.iter().any(|one| {
            reading.is_numbered()
                && one.reading.device == reading.device
                && one.reading.frame == reading.frame
        });
        if !is_known {
            self.spots.push(Spot { reading, filed: None, refused: None, is_over: false });
        }
        self.told_spots()
    }

    fn act_on_spot(&mut self, act: SpotAct, now: Moment) -> Vec<Outcome> {
        if !self.vault_open {
            return vec![Outcome::SpotNotDone(act, StoreFault::InUse)];
        }
        let found = self.spots.iter_mut().find(|one| one.reading.record == act.record());
        let Some(spot) = found else { return self.told_spots() };
        let waits = spot.filed.is_none() && !spot.is_over;
        let told = match act {
            SpotAct::File(_, subject) if waits => {
                spot.filed = Some((subject, now.wall));
                Some((AuditAct::ReadingFiled, Some(subject)))
            }
            SpotAct::PutBack(_) if spot.filed.is_some() => {
                let whose = spot.filed.take().map(|(subject, _)| subject);
                Some((AuditAct::ReadingPutBack, whose))
            }
            SpotAct::Refuse(_) if waits => {
                spot.refused = Some(now.wall);
                Some((AuditAct::ReadingRefused, None))
            }
            SpotAct::Discard(_) if waits => {
                spot.is_over = true;
                Some((AuditAct::ReadingDiscarded, None))
            }
            SpotAct::Expire(_) if waits => {
                spot.is_over = true;
                Some((AuditAct::ReadingExpired, None))
            }
            SpotAct::File(..)
            | SpotAct::PutBack(_)
            | SpotAct::Refuse(_)
            | SpotAct::Discard(_)
            | SpotAct::Expire(_) => None,
        };
        let device = Some(spot.reading.device);
        if let Some((act, subject)) = told {
            let entry = AuditEntry::of(act, now.wall);
            self.audit.push(AuditEntry { operator: self.opened_by, subject, device, ..entry });
        }
        self.told_spots()
    }

    /// What the real store tells after an unlock and whenever it changes.
    pub fn told_spots(&self) -> Vec<Outcome> {
        if !self.vault_open || !self.role.may(Permission::SeePatients) {
            return vec![];
        }
        let waits = |one: &&Spot| one.filed.is_none() && !one.is_over;
        let waiting = self.spots.iter().filter(waits).map(|one| WaitingSpot {
            reading: one.reading.clone(),
            refused: one.refused.map(|at| (Phi::new("Bea Lund".into()), at)),
        });
        let subject = self.cart.as_ref().and_then(|cart| cart.subject);
        let mine = self.spots.iter().rev().filter_map(|one| {
            let (whose, at) = one.filed.filter(|(whose, _)| Some(*whose) == subject)?;
            let reading = one.reading.clone();
            Some(FiledSpot { reading, subject: whose, by: self.opened_by, at })
        });
        let spots = Spots { waiting: waiting.collect(), filed: mine.collect() };
        vec![Outcome::Spots(Box::new(spots))]
    }

    fn save_cart(&mut self, cart: CartState) -> Vec<Outcome> {
        let before = self.cart.as_ref().and_then(|cart| cart.subject);
        let moved = before != cart.subject;
        self.cart = Some(cart);
        if moved { self.told_spots() } else { vec![] }
    }

    fn history(&self, query: HistoryQuery) -> Outcome {
        let is_asked = |record: &&AlarmRecord| {
            record.subject == Some(query.subject) && (query.since..query.until).contains(&record.at)
        };
        let alarms = self.alarms.iter().filter(is_asked).cloned().collect();
        let values = if query.with_values { self.numerics(query) } else { vec![] };
        Outcome::History(query, Box::new(History { alarms, values }))
    }

    /// Answers a command of the core.
    pub fn answer(&mut self, command: Command) -> Vec<Outcome> {
        match command {
            Command::Initialise(..) => vec![
                Outcome::Initialised(Secret::new("abandon ability able".into())),
                Outcome::Found(Found::Store(Box::default())),
            ],
            Command::Identify(attempt, token, _) => {
                vec![Outcome::Identified(attempt, self.identified(&token))]
            }
            Command::Unlock(attempt, evidence, _) => match self.unlock(&evidence) {
                Ok(unlocked) => {
                    let mut told = vec![Outcome::Unlocked(attempt, Box::new(unlocked))];
                    told.extend(self.told_spots());
                    told
                }
                Err(refusal) => vec![Outcome::Refused(attempt, refusal)],
            },
            Command::KeepSpot(reading) => self.keep_spot(*reading),
            Command::Spot(act, now) => self.act_on_spot(act, now),
            Command::FingerMissed(_) => {
                self.misses += 1;
                vec![]
            }
            Command::Close(draft, _) => {
                self.vault_open = false;
                let is_added = |draft: &Draft| self.patients.iter().any(|one| one.id == draft.id);
                let draft = draft.filter(|draft| !is_added(draft));
                self.drafts.extend(draft.map(|draft| *draft));
                vec![Outcome::Closed]
            }
            Command::OpenEmergency(attempt, token, ..) => {
                let known = owner(&token).ok_or(EmergencyRefusal::Unknown);
                let card = known.and_then(|_| self.emergency.clone()).map(Box::new);
                vec![Outcome::Emergency(attempt, card)]
            }
            Command::Administer(attempt, what, _) => {
                vec![Outcome::Administered(attempt, self.administer(*what))]
            }
            Command::Record(observation) => {
                self.records.push(*observation);
                vec![]
            }
            Command::SaveCart(cart) => self.save_cart(*cart),
            Command::ListPatients => vec![Outcome::Patients(self.patients.clone())],
            Command::AddPatient(patient, now) => vec![self.add_patient(patient, now)],
            Command::Audit(entry) => {
                self.audit.push(*entry);
                vec![]
            }
            Command::RecordWave(wave) => {
                self.waves.push(*wave);
                vec![]
            }
            Command::Retry => {
                self.retries += 1;
                vec![]
            }
            Command::RecordAlarm(record) => {
                self.alarms.push(*record);
                vec![]
            }
            Command::History(query) => vec![self.history(query)],
            Command::Trend(_) => vec![],
        }
    }

    /// Writes the emergency card of the patient at this bed, as the last lock would have.
    pub fn write_emergency_card(&mut self, written: Timestamp) {
        let subject = self.cart.as_ref().and_then(|cart| cart.subject);
        let patient = self.patients.iter().find(|patient| Some(patient.id) == subject);
        self.emergency = match patient.cloned() {
            Some(patient) => Ok(EmergencyCard { patient, numerics: vec![], written }),
            None => Err(EmergencyRefusal::Nothing),
        };
    }
}
