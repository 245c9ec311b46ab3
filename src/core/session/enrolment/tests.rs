//! Each kind of enrolment step by step, and a property over everything that can happen in any order.

mod any_order;
mod second;
mod steps;

use std::time::Duration;

use wardkeep_model::access::factor::{
    Attempt, Badge, CardEnrolment, CardId, CardPeer, Finger, Pin, ReaderFamily, Sensor, Template,
    TemplateId, Token,
};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::{Administered, Administration, AdministrationFault, NewPerson};
use wardkeep_model::moment::BootTime;
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::CardSeen;

use crate::session::enrolment::{Effect, EnrolKind, Enrolment, Event, Goal, Start};

const ADA: OperatorId = OperatorId(9);
const RIGHT: [u8; 6] = [4, 7, 1, 1, 0, 8];
const OTHER: [u8; 6] = [4, 7, 1, 1, 0, 9];

fn badge(last: u8) -> Badge {
    Badge::new(ReaderFamily::PcscUid, &[4, 1, 2, last]).expect("a UID")
}

fn pin(digits: [u8; 6]) -> Pin {
    digits.into_iter().collect()
}

fn card(n: u8) -> CardSeen {
    CardSeen { card: CardId([n; 32]), subject: Phi::new("CN=Ada".into()), valid_until: None }
}

fn agreed(n: u8) -> CardEnrolment {
    CardEnrolment {
        card: CardId([n; 32]),
        peer: CardPeer(vec![4; 65]),
        secret: Secret::new(vec![n; 32]),
        subject: Phi::new("CN=Ada".into()),
    }
}

fn template(finger: Finger) -> Template {
    let sensor = Sensor { driver: "virtual".into(), device: "0".into(), serial: String::new() };
    Template { id: TemplateId(1), finger, sensor, print: Secret::new(vec![1, 2, 3]) }
}

fn new_person() -> NewPerson {
    NewPerson {
        name: Phi::new("Bo Lind".into()),
        initials: "BL".into(),
        role: Role::It,
        valid_until: None,
    }
}

/// A wizard, its clock, and everything it has wanted so far.
struct Desk {
    wizard: Enrolment,
    now: BootTime,
    wanted: Vec<Effect>,
}

impl Desk {
    fn of(goal: Goal) -> Self {
        let own = Some(Token::Badge(badge(99)));
        Self::with(goal, Start { own, count: 100, ..Start::default() })
    }

    fn factor(kind: EnrolKind) -> Self {
        Self::of(Goal::Factor(ADA, kind))
    }

    fn with(goal: Goal, start: Start) -> Self {
        let (wizard, wanted) = Enrolment::begin(goal, start);
        Self { wizard, now: BootTime(Duration::from_secs(50)), wanted }
    }

    fn on(&mut self, event: Event) -> &mut Self {
        self.now = self.now + Duration::from_millis(100);
        let effects = self.wizard.handle(self.now, event);
        self.wanted.extend(effects);
        self
    }

    /// Laid on the reader and lifted.
    fn tap(&mut self, last: u8) -> &mut Self {
        self.on(Event::Badge(badge(last))).on(Event::BadgeLifted)
    }

    fn notices(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        for effect in &self.wanted {
            if let Effect::Notify(notice) = effect {
                notices.push(*notice);
            }
        }
        notices
    }

    /// What the store was asked, and the last of its attempts.
    fn asked(&self) -> (Vec<Administration>, Attempt) {
        let mut last = Attempt(0);
        let mut asked = Vec::new();
        for effect in &self.wanted {
            if let Effect::Administer(attempt, what) = effect {
                last = *attempt;
                asked.push((**what).clone());
            }
        }
        (asked, last)
    }

    /// The store answers what it was asked last.
    fn answer(&mut self, answer: Result<Administered, AdministrationFault>) -> &mut Self {
        let (_, attempt) = self.asked();
        self.on(Event::Administered(attempt, answer))
    }
}
