//! IT's desk in a test: acts on people, and what came of them.

use super::*;
use wardkeep_model::access::factor::{Attempt, CardEnrolment};
use wardkeep_model::access::factor::{
    Badge, CardId, CardPeer, Evidence, Finger, Pin, ReaderFamily, Sensor, Template, TemplateId,
    Token,
};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, Command, NewPerson, NewPin, Outcome,
    PersonRow,
};
use wardkeep_model::moment::Moment;

/// A PIN to choose.
pub const PIN: &[u8] = &[2, 9, 4, 0, 7, 3];
/// Another one.
pub const PIN_2: &[u8] = &[8, 3, 5, 0, 1, 6];

/// What comes of an act.
pub type Answer = Result<Administered, AdministrationFault>;

/// The n-th of many badges.
pub fn nth_badge(number: u8) -> Badge {
    Badge::new(ReaderFamily::PcscUid, &[0x04, 7, 7, 7, 7, 7, number]).unwrap()
}

/// The n-th badge and a PIN.
pub fn badge_pin(number: u8, digits: &[u8]) -> Evidence {
    Evidence::BadgePin(nth_badge(number), pin(digits))
}

/// What the first person, who is IT, logs in with.
pub fn it() -> Evidence {
    Evidence::BadgePin(badge(), pin(RIGHT_PIN))
}

/// A PIN that its owner chose.
pub fn chosen(digits: &[u8]) -> NewPin {
    NewPin::Chosen(pin(digits))
}

/// The n-th of many cards.
pub fn card(number: u8) -> Evidence {
    Evidence::Card(CardId([number; 32]), Secret::new(vec![number; 32]))
}

/// What is enrolled of the n-th card.
pub fn card_enrolment(number: u8) -> CardEnrolment {
    CardEnrolment {
        card: CardId([number; 32]),
        peer: CardPeer(vec![4; 65]),
        secret: Secret::new(vec![number; 32]),
        subject: Phi::new(format!("CN=Card {number}")),
    }
}

/// The n-th of many templates.
pub fn template(number: u128) -> Template {
    Template {
        id: TemplateId(number),
        finger: Finger::RightIndex,
        sensor: Sensor { driver: "virtual".into(), device: "0".into(), serial: String::new() },
        print: Secret::new(number.to_be_bytes().to_vec()),
    }
}

/// A person to add.
pub fn person(name: &str, role: Role) -> NewPerson {
    let initials = name.chars().take(2).collect();
    NewPerson { name: Phi::new(name.into()), initials, role, valid_until: None }
}

/// A one-time code as it is typed.
pub fn code_digits(code: &Secret<String>) -> Pin {
    code.expose().bytes().map(|digit| digit - b'0').collect()
}

impl Rig {
    /// Asks and waits for the answer; gives what else came before it.
    pub fn ask(&mut self, what: Administration, now: Moment) -> (Answer, Vec<Outcome>) {
        self.send(Command::Administer(Attempt(4_711), Box::new(what), now));
        let mut others = Vec::new();
        loop {
            match self.next() {
                Outcome::Administered(Attempt(4_711), answer) => return (answer, others),
                other => others.push(other),
            }
        }
    }

    /// Asks and waits for the answer.
    pub fn administer(&mut self, what: Administration) -> Answer {
        self.ask(what, at(100)).0
    }

    /// Adds a person without any factor.
    pub fn add(&mut self, name: &str, role: Role) -> OperatorId {
        let added = self.administer(Administration::AddPerson(person(name, role), None)).unwrap();
        let Administered::Added(id) = added else { panic!("{added:?}") };
        id
    }

    /// Adds a person with a badge and a PIN.
    pub fn enrol(&mut self, name: &str, role: Role, number: u8, digits: &[u8]) -> OperatorId {
        let id = self.add(name, role);
        self.enrol_badge(id, number, digits).unwrap();
        id
    }

    /// Gives a person a badge and a PIN.
    pub fn enrol_badge(&mut self, id: OperatorId, number: u8, digits: &[u8]) -> Answer {
        self.administer(Administration::EnrolBadge(id, nth_badge(number), chosen(digits)))
    }

    /// Revokes a person.
    pub fn revoke(&mut self, id: OperatorId) -> Answer {
        self.administer(Administration::RevokePerson(id))
    }

    /// Everybody on the list.
    pub fn people(&mut self) -> Vec<PersonRow> {
        let Administered::People(people) = self.administer(Administration::ListPeople).unwrap()
        else {
            panic!("no list")
        };
        people
    }

    /// Logs in as somebody, if they can, and out again.
    pub fn opens(&mut self, evidence: Evidence) -> bool {
        self.opens_at(evidence, at(200))
    }

    /// The same at some time.
    pub fn opens_at(&mut self, evidence: Evidence, now: Moment) -> bool {
        let opened = self.show(evidence, now).is_ok();
        if opened {
            let outcome = self.next();
            assert!(matches!(outcome, Outcome::Imported(_)), "{outcome:?}");
            self.close();
        }
        opened
    }

    /// Logs in, and waits for the import.
    pub fn log_in(&mut self, evidence: Evidence) {
        self.show(evidence, at(90)).unwrap();
        let outcome = self.next();
        assert!(matches!(outcome, Outcome::Imported(_)), "{outcome:?}");
    }
}

/// The token of some evidence.
pub fn token(evidence: &Evidence) -> Token {
    evidence.token()
}
