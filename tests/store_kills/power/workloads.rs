//! What the recorded process does with a real store: one short story each, and what it says of what was
//! acknowledged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use super::promises::{Must, Promises, WAVES, told, wave};
use kit::store::desk::*;
use kit::store::tree::{Tree, tree};
use kit::store::*;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::Token;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::{
    Administered, Administration, CartState, Command, Draft, FactorId, FactorKind, Outcome,
};

/// Run number of the records that the process makes.
const RUN: u64 = 50;
/// Records that the store holds before.
const BEFORE: u64 = 25;

type Story = fn(&mut Teller);

/// The stories by name. `first` begins in an empty directory, every other with [`base`].
pub const STORIES: [(&str, Story); 11] = [
    ("first", first),
    ("locked", locked),
    ("import", import),
    ("open", open),
    ("checkpoint", checkpoint),
    ("cart", cart),
    ("tries", tries),
    ("enrol", enrol),
    ("revoke", revoke),
    ("token", token_taken),
    ("shred", shred),
];

/// The store that the stories begin with, and what it promised.
pub struct Base {
    pub tree: Tree,
    pub promises: Promises,
    /// Whom the story takes away.
    pub leaver: OperatorId,
}

/// A store with three people, a patient at the bed, rows in the vault and records in the inbox.
pub fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let (mut rig, phrase) = Rig::first_start(dir.path());
        rig.log_in(it());
        let leaver = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
        rig.enrol("Otto Berg", Role::Nurse, 2, PIN);
        rig.send(Command::AddPatient(Box::new(patient("Base")), at(0)));
        rig.next();
        rig.send(Command::SaveCart(Box::new(cart_state(1))));
        rig.record(1, 1..=20);
        rig.close();
        rig.record(1, 21..=BEFORE);
        rig.stop();
        let promises = Promises {
            phrase: Some(phrase.expose().clone()),
            records: BTreeMap::from([(1, (BEFORE, BEFORE))]),
            cart: (1, 1),
            patients: BTreeMap::from([("Base".into(), Must::Be)]),
            ..Promises::default()
        };
        Base { tree: tree(dir.path()), promises, leaver }
    })
}

fn cart_state(number: u64) -> CartState {
    let subject = Some(SubjectId(patient("Base").id.0));
    CartState { subject, language: format!("x-{number}"), ..CartState::default() }
}

/// Says something into the recording.
fn say(line: &str) {
    let said = std::fs::File::open(format!("/said/{line}"));
    assert!(said.is_err(), "the recorder is not loaded");
}

/// The process, its store and how far it has come.
pub struct Teller {
    rig: Rig,
    leaver: OperatorId,
    records: u64,
    waves: u64,
    cart: u64,
    audits: u64,
}

/// Tells one story; the whole work of the recorded process.
pub fn tell(name: &str, dir: &Path, leaver: OperatorId) {
    let (rig, outcome) = Rig::start(options(dir));
    assert!(matches!(outcome, Outcome::Found(_)), "{outcome:?}");
    let mut teller = Teller { rig, leaver, records: 0, waves: 0, cart: 1, audits: 0 };
    let (_, story) = STORIES.iter().find(|(known, _)| *known == name).unwrap();
    story(&mut teller);
    assert!(teller.rig.findings.is_empty(), "{:?}", teller.rig.findings);
    let rest = teller.rig.stop();
    assert!(!rest.iter().any(|outcome| matches!(outcome, Outcome::Fault(_) | Outcome::Lost(_))));
}

impl Teller {
    /// Records so many; not acknowledged yet.
    fn record(&mut self, count: u64) {
        say(&format!("sent {RUN} {}", self.records + count));
        self.rig.record(RUN, self.records + 1..=self.records + count);
        self.records += count;
    }

    /// The store has flushed when it answers: everything before is acknowledged.
    fn flushed(&mut self) {
        self.rig.send(Command::Retry);
        self.rig.send(Command::Identify(Attempt(8), Token::Badge(badge()), at(50)));
        let outcome = self.rig.next();
        assert!(matches!(outcome, Outcome::Identified(..)), "{outcome:?}");
        self.acknowledged();
    }

    fn acknowledged(&self) {
        say(&format!("kept {RUN} {}", self.records));
        say(&format!("waves-kept {}", self.waves));
        say(&format!("cart-kept {}", self.cart));
        say(&format!("audits {}", self.audits));
    }

    fn keep(&mut self, count: u64) {
        self.record(count);
        self.flushed();
    }

    fn save_cart(&mut self) {
        self.cart += 1;
        say(&format!("cart-sent {}", self.cart));
        self.rig.send(Command::SaveCart(Box::new(cart_state(self.cart))));
    }

    fn wave(&mut self) {
        self.waves += 1;
        say(&format!("waves-sent {}", self.waves));
        self.rig.send(Command::RecordWave(Box::new(wave(WAVES, self.waves))));
    }

    fn add_patient(&mut self, family: &str) {
        self.rig.send(Command::AddPatient(Box::new(patient(family)), at(0)));
        let outcome = self.rig.next();
        assert!(matches!(outcome, Outcome::PatientAdded(_)), "{outcome:?}");
        say(&format!("patient {family}"));
    }

    fn audit(&mut self) {
        self.audits += 1;
        self.rig.send(Command::Audit(Box::new(told())));
    }

    fn unlock(&mut self) {
        say("right-pin");
        self.rig.log_in(it());
        self.acknowledged();
    }

    fn close(&mut self) {
        self.rig.close();
        self.acknowledged();
    }
}

fn first(teller: &mut Teller) {
    say("cart-sent 1");
    let phrase = teller.rig.initialise();
    say(&format!("phrase {}", phrase.expose()));
    teller.cart = 0;
    teller.keep(3);
    teller.unlock();
    teller.keep(3);
    teller.close();
}

fn locked(teller: &mut Teller) {
    for count in [1, 3, 5, 2] {
        teller.wave();
        teller.keep(count);
    }
    teller.audit();
    teller.save_cart();
    teller.flushed();
    // More than a segment holds.
    teller.keep(300);
    teller.keep(1);
}

fn import(teller: &mut Teller) {
    teller.keep(30);
    teller.wave();
    teller.wave();
    teller.keep(1);
    teller.audit();
    teller.unlock();
    teller.keep(4);
    teller.close();
    teller.keep(3);
    teller.unlock();
    teller.close();
}

fn open(teller: &mut Teller) {
    teller.unlock();
    for count in [1, 4, 9] {
        teller.wave();
        teller.keep(count);
        teller.audit();
    }
    for family in ["Abel", "Wald"] {
        teller.add_patient(family);
    }
    teller.keep(260);
    teller.record(2);
    let form = PatientForm { family: Phi::new("Half typed".into()), ..PatientForm::default() };
    let operator = teller.operator();
    teller
        .rig
        .send(Command::Close(Some(Box::new(Draft { operator, id: SubjectId(77), form })), at(95)));
    let outcome = teller.rig.next();
    assert!(matches!(outcome, Outcome::Closed), "{outcome:?}");
    teller.acknowledged();
    say("draft Half typed");
    teller.keep(2);
    say("draft-shown");
    teller.unlock();
}

impl Teller {
    /// Who the base's IT person is.
    fn operator(&mut self) -> OperatorId {
        let people = self.rig.people();
        people.iter().find(|person| person.role == Role::It).unwrap().id
    }

    /// The leaver's only badge.
    fn badge(&mut self) -> FactorId {
        let people = self.rig.people();
        let person = people.iter().find(|person| person.id == self.leaver).unwrap();
        person.factors.iter().find(|factor| factor.kind == FactorKind::Badge).unwrap().id
    }
}

fn checkpoint(teller: &mut Teller) {
    teller.unlock();
    for _ in 0..240 {
        teller.keep(1);
    }
    teller.close();
    teller.keep(2);
}

fn cart(teller: &mut Teller) {
    for _ in 0..4 {
        teller.save_cart();
        teller.keep(1);
    }
    teller.unlock();
    for _ in 0..3 {
        teller.save_cart();
        teller.flushed();
    }
}

fn tries(teller: &mut Teller) {
    for number in 1..=4 {
        let refusal =
            teller.rig.unlock_at((badge(), &wrong(number)), at(10_000 * u64::from(number)));
        assert!(refusal.is_err());
        // The badge is let in with ten tries at most.
        say(&format!("tries {}", 10 - number));
        teller.keep(1);
    }
    say("right-pin");
    teller.rig.show(it(), at(100_000)).unwrap();
    let outcome = teller.rig.next();
    assert!(matches!(outcome, Outcome::Imported(_)), "{outcome:?}");
    teller.acknowledged();
    teller.close();
}

/// A wrong PIN, never the same: a repeated one is not counted.
fn wrong(number: u8) -> [u8; 6] {
    [9, 9, 9, 9, 9, number]
}

fn enrol(teller: &mut Teller) {
    teller.unlock();
    say("badge 4 may");
    teller.rig.enrol("Paula Roth", Role::Nurse, 4, PIN);
    say("badge 4 opens");
    teller.keep(2);
    say("badge 5 may");
    teller.rig.enrol_badge(teller.leaver, 5, PIN).unwrap();
    say("badge 5 opens");
    teller.close();
}

fn revoke(teller: &mut Teller) {
    teller.keep(3);
    teller.unlock();
    teller.keep(3);
    say("badge 1 may");
    say("badge 2 opens");
    teller.rig.revoke(teller.leaver).unwrap();
    say("badge 1 is-refused");
    teller.keep(3);
    teller.close();
    teller.keep(2);
}

fn token_taken(teller: &mut Teller) {
    teller.unlock();
    let card = card_enrolment(6);
    teller.rig.administer(Administration::EnrolCard(teller.leaver, card)).unwrap();
    say("card 6 opens");
    let badge = teller.badge();
    say("badge 1 may");
    teller.rig.administer(Administration::RevokeFactor(teller.leaver, badge)).unwrap();
    say("badge 1 is-refused");
    teller.keep(2);
}

fn shred(teller: &mut Teller) {
    teller.unlock();
    teller.add_patient("Leaves");
    teller.add_patient("Stays");
    teller.keep(2);
    say("patient-shredding Leaves");
    let Patient { id, mrn, .. } = patient("Leaves");
    let done = teller.rig.administer(Administration::Shred(mrn)).unwrap();
    assert!(matches!(done, Administered::Shredded(shredded) if shredded == id), "{done:?}");
    say("patient-shredded Leaves");
    teller.keep(2);
    teller.close();
}
