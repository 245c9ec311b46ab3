//! S-3 for what the vault holds of patients and people: names, numbers, values, templates, data keys.

use jiff::Timestamp;

use super::*;
use crate::crypto::wipe_deep_stack;
use crate::vault::Vault;
use wardkeep_model::encounter::{Patient, Sex, SubjectId};
use wardkeep_model::keeping::{CartState, TrendQuery};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, Unit};
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, RecordId, Value};

const SUBJECT: SubjectId = SubjectId(0x5eed);
const DEVICE: DeviceId = DeviceId([6, 5, 4, 3, 2, 1]);

/// Letters that occur nowhere else, masked.
struct Word(Vec<u8>);

impl Word {
    fn random() -> Self {
        Self(random::<14>().unwrap().iter().map(|byte| (b'a' + byte % 26) ^ MASK).collect())
    }

    fn clear(&self) -> Phi<String> {
        let clear = self.0.iter().map(|byte| byte ^ MASK).collect();
        Phi::new(String::from_utf8(clear).unwrap())
    }
}

/// A value that occurs nowhere else, masked: twelve digits, a point, three digits.
struct Number(u64);

const NUMBER_MASK: u64 = u64::from_le_bytes([MASK; 8]);

impl Number {
    fn random() -> Self {
        let number = u64::from_le_bytes(random::<8>().unwrap());
        Self((number % 900_000_000_000_000 + 100_000_000_000_000) ^ NUMBER_MASK)
    }

    #[inline(never)]
    fn observation(&self, seq: u64, subject: Option<SubjectId>) -> Box<Observation> {
        let mantissa = (self.0 ^ NUMBER_MASK).cast_signed();
        let now = Moment::read().wall;
        Box::new(Observation {
            record: RecordId { run: 77, seq },
            code: HEART_RATE,
            value: Phi::new(Value::Measured(Decimal::new(mantissa, -3))),
            unit: Unit::PerMinute,
            effective: now,
            received: now,
            device_time: None,
            clock: ClockConfidence::Live,
            status: vec![],
            device: DEVICE,
            subject,
            provenance: Provenance::Device,
        })
    }

    /// As a number, and as its digits: in both the part that nothing else looks like.
    #[inline(never)]
    fn canaries(&self, name: &str) -> [Canary; 2] {
        let [number @ .., _, _] = self.0.to_le_bytes();
        let mut left = self.0 ^ NUMBER_MASK;
        let mut digits = Vec::new();
        while left > 0 {
            digits.push((b'0' + u8::try_from(left % 10).unwrap()) ^ MASK);
            left /= 10;
        }
        digits.reverse();
        digits.truncate(12);
        [
            Canary { name: format!("{name}, number"), masked: number.to_vec() },
            Canary { name: format!("{name}, digits"), masked: digits },
        ]
    }
}

/// Prints the data keys of a store, masked, in a process of its own; does nothing in an ordinary run.
#[test]
fn oracle_of_data_keys() {
    let Ok(told) = std::env::var(ORACLE) else { return };
    let Told { path, vault, .. } = Told::of(&told);
    let mut opened = Vault::open(&path, &vault).unwrap();
    let (connection, patients, _) = opened.parts_for_tests();
    for (name, subject) in [("data-key", Some(SUBJECT)), ("unclaimed-key", None)] {
        let key = patients.existing(connection, subject).unwrap();
        print(name, &key.unwrap());
    }
    print("K_pat", &vault.patients());
}

struct Ward {
    kiosk: Kiosk,
    words: [Word; 5],
    numbers: [Number; 3],
    print: Vec<u8>,
    canaries: Vec<Canary>,
    seq: u64,
}

const WORDS: [&str; 5] = ["family name", "given name", "MRN", "allergies", "operator's name"];
const NUMBERS: [&str; 3] = ["value recorded open", "value recorded locked", "unclaimed value"];

impl Ward {
    fn start(policy: Policy) -> Self {
        let kiosk = Kiosk::start(policy);
        let words = std::array::from_fn(|_| Word::random());
        let numbers = std::array::from_fn(|_| Number::random());
        // Masked as it is.
        let print = random::<64>().unwrap().to_vec();
        let mut canaries = kiosk.canaries();
        for (name, word) in WORDS.iter().zip(&words) {
            canaries.push(Canary { name: (*name).into(), masked: word.0.clone() });
        }
        for (name, number) in NUMBERS.iter().zip(&numbers) {
            canaries.extend(number.canaries(name));
        }
        canaries.push(Canary { name: "template".into(), masked: print[16..].to_vec() });
        Self { kiosk, words, numbers, print, canaries, seq: 0 }
    }

    /// Everything is entered once.
    fn enter(&mut self) {
        let Self { kiosk, words: [family, given, mrn, allergies, name], print, .. } = self;
        let operator = kiosk.unlock(kiosk.right());
        let patient = Patient {
            id: SUBJECT,
            family: family.clear(),
            given: given.clear(),
            born: Phi::new(None),
            sex: Phi::new(Sex::Female),
            mrn: mrn.clear(),
            allergies: allergies.clear(),
        };
        kiosk.send(Command::AddPatient(Box::new(patient), Moment::read()));
        kiosk.until(|outcome| matches!(outcome, Outcome::PatientAdded(_)));
        let state = CartState { subject: Some(SUBJECT), ..CartState::default() };
        kiosk.send(Command::SaveCart(Box::new(state)));
        let new = NewPerson {
            name: name.clear(),
            initials: "CD".into(),
            role: Role::Nurse,
            valid_until: None,
        };
        kiosk.administer(Administration::AddPerson(new, None));
        let print = Secret::new(print.iter().map(|byte| byte ^ MASK).collect());
        let sensor = Sensor { driver: "virtual".into(), device: "0".into(), serial: String::new() };
        let template = Template { id: TemplateId(7), finger: Finger::RightIndex, sensor, print };
        kiosk.administer(Administration::EnrolFinger(operator, template));
    }

    fn record(&mut self, which: usize, subject: Option<SubjectId>) {
        self.seq += 1;
        let observation = self.numbers[which].observation(self.seq, subject);
        self.kiosk.send(Command::Record(observation));
    }

    /// What a session asks for.
    fn work(&mut self) {
        self.record(0, Some(SUBJECT));
        self.record(2, None);
        let kiosk = &mut self.kiosk;
        kiosk.send(Command::ListPatients);
        let listed = kiosk.until(|outcome| matches!(outcome, Outcome::Patients(_)));
        drop(listed);
        drop(kiosk.administer(Administration::ListPeople));
        let (since, until) = (Timestamp::UNIX_EPOCH, Moment::read().wall);
        let (code, unit) = (HEART_RATE, Unit::PerMinute);
        let query = TrendQuery { subject: SUBJECT, code, unit, since, until, columns: 8 };
        kiosk.send(Command::Trend(query));
        kiosk.until(|outcome| matches!(outcome, Outcome::Trend(..)));
    }

    /// What was recorded open is durable, and every answer was taken.
    fn lock(&mut self) {
        self.kiosk.lock();
        // What this thread itself had in its hands.
        wipe_deep_stack();
    }

    fn learn_data_keys(&mut self) {
        let Kiosk { dir, factors, .. } = &self.kiosk;
        let keys = asked("tests::patients::oracle_of_data_keys", dir.path(), factors);
        assert_eq!(keys.len(), 3);
        self.canaries.extend(keys);
    }
}

fn is_there(found: &[(&str, usize)], name: &str) -> bool {
    found.iter().any(|(found, _)| *found == name)
}

fn every_lock(policy: Policy, evidence: impl Fn(&Kiosk, u32) -> Evidence) {
    let _alone = alone();
    let mut ward = Ward::start(policy);
    ward.enter();
    ward.work();
    ward.lock();
    ward.learn_data_keys();
    assert_eq!(found(&ward.canaries), [], "after the first lock");
    let locks = locks(3);
    for lock in 0..locks {
        ward.record(1, Some(SUBJECT));
        // Its answer comes after what was recorded before it, and is of more than that.
        let token = Token::Badge(ward.kiosk.factors.badge());
        ward.kiosk.send(Command::Identify(Attempt(2), token, Moment::read()));
        drop(ward.kiosk.until(|outcome| matches!(outcome, Outcome::Identified(..))));
        wipe_deep_stack();
        assert_eq!(found(&ward.canaries), [], "recorded while locked, lock {lock}");
        ward.kiosk.unlock(evidence(&ward.kiosk, lock));
        // What waits to be written can be found: so what is not found is not there. On a busy machine it may
        // have been written before this thread has looked.
        let is_found = (0..50).any(|_| {
            ward.record(0, Some(SUBJECT));
            let waiting = found(&ward.canaries);
            is_there(&waiting, "K_pat") && is_there(&waiting, "value recorded open, number")
        });
        assert!(is_found, "the open store holds nothing that is looked for");
        ward.work();
        ward.lock();
        assert_eq!(found(&ward.canaries), [], "lock {lock}");
    }
    let files = found_in_files(ward.kiosk.dir.path(), &ward.canaries);
    assert_eq!(files, Vec::<&str>::new(), "no file holds any of it");
    println!("S-3: {} locks, {} canaries, 0 hits", locks + 1, ward.canaries.len());
    ward.kiosk.stop();
}

#[test]
fn s3_nothing_of_patients_and_people_is_left_after_a_lock_with_grace_off() {
    every_lock(NO_GRACE, |kiosk, _| kiosk.right());
}

#[test]
fn s3_nothing_of_patients_and_people_is_left_after_a_lock_with_grace_on() {
    let policy = Policy { shift: Duration::from_secs(3600), tap_alone: true, ..NO_GRACE };
    every_lock(policy, |kiosk, lock| {
        let token = Token::Badge(kiosk.factors.badge());
        match lock % 3 {
            0 => kiosk.right(),
            1 => Evidence::Tap(token),
            _ => Evidence::Finger(token, TemplateId(7)),
        }
    });
}
