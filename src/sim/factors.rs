//! Smart cards and fingers on the bench, as their drivers would speak of them.
//!
//! Pure. A bench card agrees on a secret by hashing: it shows what a login with a card looks like and
//! proves nothing about a real one. The real driver is proved against an independent card elsewhere.

use sha2::{Digest, Sha256};

use wardkeep_model::access::factor::{Attempt, CardEnrolment};
use wardkeep_model::access::factor::{
    CardId, CardPeer, CardSecret, Finger, Pin, Sensor, Template, TemplateId,
};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::ports::{
    CardCommand, CardRefusal, CardSeen, Event, FactorEvent, FingerCommand, FingerEvent,
    FingerFault, Proof,
};

/// Tries of a bench card's PIN until it blocks.
const CARD_TRIES: u8 = 3;
/// Touches that make a template, as libfprint's press sensors want them.
const STAGES: u8 = 5;

/// A smart card on the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BenchCard {
    /// Name printed on it; invented.
    pub name: &'static str,
    /// Its PIN, written on the bench for everybody to see.
    pub pin: &'static str,
}

/// PIN of the nurse's card, and of her badge on a ready ward.
pub const NURSE_PIN: &str = "271828";
/// PIN of the caregiver's card, and of his badge on a ready ward.
pub const CAREGIVER_PIN: &str = "314159";

/// The cards on the bench.
pub const CARDS: [BenchCard; 2] = [
    BenchCard { name: "Amara Kone", pin: NURSE_PIN },
    BenchCard { name: "Jörg Weißmüller", pin: CAREGIVER_PIN },
];

/// The fingers on the bench.
pub const FINGERS: [&str; 2] = ["Amara Kone", "Jörg Weißmüller"];

impl BenchCard {
    fn id(&self) -> CardId {
        CardId(Sha256::digest(self.name.as_bytes()).into())
    }

    fn seen(&self) -> CardSeen {
        let subject = Phi::new(format!("CN={}, O=Wardkeep bench", self.name));
        CardSeen { card: self.id(), subject, valid_until: None }
    }

    fn agree(&self, peer: &CardPeer) -> CardSecret {
        let share = Sha256::new().chain_update(self.id().0).chain_update(&peer.0).finalize();
        Secret::new(share.to_vec())
    }
}

/// The card reader and what is in it.
#[derive(Clone, Debug)]
pub struct CardReader {
    inserted: Option<usize>,
    tries_left: [u8; CARDS.len()],
    enrolments: u64,
}

impl Default for CardReader {
    fn default() -> Self {
        Self { inserted: None, tries_left: [CARD_TRIES; CARDS.len()], enrolments: 0 }
    }
}

impl CardReader {
    /// Which of [`CARDS`] is in it.
    pub fn inserted(&self) -> Option<usize> {
        self.inserted
    }

    /// Puts a card in; one that was there comes out first.
    pub fn insert(&mut self, card: usize) -> Vec<Event> {
        let Some(bench_card) = CARDS.get(card) else { return vec![] };
        if self.inserted == Some(card) {
            return vec![];
        }
        let mut events = self.pull();
        self.inserted = Some(card);
        events.push(Event::Factor(FactorEvent::CardPresented(bench_card.seen())));
        events
    }

    /// Takes the card out.
    pub fn pull(&mut self) -> Vec<Event> {
        let was = self.inserted.take();
        was.map(|_| Event::Factor(FactorEvent::CardRemoved)).into_iter().collect()
    }

    /// Obeys the core.
    pub fn handle(&mut self, command: CardCommand) -> Event {
        let (attempt, answer) = match command {
            CardCommand::Prove { attempt, card, pin, peer } => {
                let proved = |card: &BenchCard, _| {
                    FactorEvent::CardProved(attempt, Proof(card.agree(&peer)))
                };
                (attempt, self.verified(card, &pin, proved))
            }
            CardCommand::Enrol { attempt, card, pin } => {
                let enrolled = |card: &BenchCard, count: u64| {
                    let point = Sha256::digest(count.to_be_bytes());
                    let peer = CardPeer([&[4][..], &point, &point].concat());
                    let enrolment = CardEnrolment {
                        card: card.id(),
                        secret: card.agree(&peer),
                        peer,
                        subject: card.seen().subject,
                    };
                    FactorEvent::CardEnrolled(attempt, enrolment)
                };
                (attempt, self.verified(card, &pin, enrolled))
            }
        };
        Event::Factor(answer.unwrap_or_else(|refusal| FactorEvent::CardRefused(attempt, refusal)))
    }

    fn verified(
        &mut self,
        wanted: CardId,
        pin: &Pin,
        answer: impl FnOnce(&BenchCard, u64) -> FactorEvent,
    ) -> Result<FactorEvent, CardRefusal> {
        let index = self.inserted.ok_or(CardRefusal::Gone)?;
        let card = CARDS.get(index).ok_or(CardRefusal::Gone)?;
        let tries_left = self.tries_left.get_mut(index).ok_or(CardRefusal::Gone)?;
        if card.id() != wanted {
            return Err(CardRefusal::Changed);
        }
        match *tries_left {
            0 => return Err(CardRefusal::Blocked),
            1 => return Err(CardRefusal::LastTry),
            2.. => {}
        }
        if pin.ascii() != card.pin.as_bytes() {
            *tries_left -= 1;
            return Err(CardRefusal::WrongPin { tries_left: *tries_left });
        }
        *tries_left = CARD_TRIES;
        self.enrolments += 1;
        Ok(answer(card, self.enrolments))
    }
}

/// What the fingerprint reader waits for.
#[derive(Clone, Debug)]
enum Work {
    Nothing,
    Identify(Attempt, Vec<Template>),
    Enrol { attempt: Attempt, finger: Finger, done: u8 },
}

/// The fingerprint reader.
#[derive(Clone, Debug)]
pub struct FingerReader {
    work: Work,
    templates: u128,
}

impl Default for FingerReader {
    fn default() -> Self {
        Self { work: Work::Nothing, templates: 0 }
    }
}

/// The reader that bench templates are taken on.
pub fn sensor() -> Sensor {
    Sensor {
        driver: "bench".into(),
        device: "bench fingerprint reader".into(),
        serial: String::new(),
    }
}

impl FingerReader {
    /// The reader waits for a finger.
    pub fn is_waiting(&self) -> bool {
        !matches!(self.work, Work::Nothing)
    }

    /// Obeys the core.
    pub fn handle(&mut self, command: FingerCommand) -> Vec<Event> {
        match command {
            FingerCommand::Stop => {
                self.work = Work::Nothing;
                vec![]
            }
            FingerCommand::Enrol { attempt, finger } => {
                self.work = Work::Enrol { attempt, finger, done: 0 };
                told(FingerEvent::Stage(attempt, 0, STAGES))
            }
            FingerCommand::Identify { attempt, templates } => {
                let ours: Vec<Template> =
                    templates.into_iter().filter(|template| template.sensor == sensor()).collect();
                if ours.is_empty() {
                    self.work = Work::Nothing;
                    return told(FingerEvent::Failed(attempt, FingerFault::OtherSensor));
                }
                self.work = Work::Identify(attempt, ours);
                vec![]
            }
        }
    }

    /// One of [`FINGERS`] touches it.
    pub fn touch(&mut self, finger: usize) -> Vec<Event> {
        let Some(owner) = FINGERS.get(finger) else { return vec![] };
        match &mut self.work {
            Work::Nothing => vec![],
            Work::Identify(attempt, templates) => {
                let attempt = *attempt;
                let matched = templates
                    .iter()
                    .find(|one| one.print.expose() == owner.as_bytes())
                    .map(|one| one.id);
                let Some(id) = matched else { return told(FingerEvent::NotMatched(attempt)) };
                self.work = Work::Nothing;
                told(FingerEvent::Matched(attempt, id))
            }
            Work::Enrol { attempt, finger, done } => {
                *done += 1;
                let (attempt, finger, done) = (*attempt, *finger, *done);
                let mut events = told(FingerEvent::Stage(attempt, done, STAGES));
                if done >= STAGES {
                    self.work = Work::Nothing;
                    self.templates += 1;
                    let print = Secret::new(owner.as_bytes().to_vec());
                    let id = TemplateId(self.templates);
                    let template = Template { id, finger, sensor: sensor(), print };
                    events.extend(told(FingerEvent::Enrolled(attempt, template)));
                }
                events
            }
        }
    }
}

fn told(event: FingerEvent) -> Vec<Event> {
    vec![Event::Factor(FactorEvent::Finger(event))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(digits: &str) -> Pin {
        digits.bytes().map(|byte| byte - b'0').collect()
    }

    fn prove(reader: &mut CardReader, digits: &str, peer: &CardPeer) -> Event {
        let (attempt, card) = (Attempt(1), CARDS[0].id());
        reader.handle(CardCommand::Prove { attempt, card, pin: pin(digits), peer: peer.clone() })
    }

    fn refusal(event: Event) -> CardRefusal {
        let Event::Factor(FactorEvent::CardRefused(Attempt(1), refusal)) = event else {
            panic!("expected a refusal, got {event:?}");
        };
        refusal
    }

    #[test]
    fn a_card_agrees_on_what_its_enrolment_gave_and_spares_its_last_try() {
        let mut reader = CardReader::default();
        let (attempt, card) = (Attempt(1), CARDS[0].id());
        reader.insert(0);
        let enrol = CardCommand::Enrol { attempt, card, pin: pin(CARDS[0].pin) };
        let Event::Factor(FactorEvent::CardEnrolled(_, made)) = reader.handle(enrol) else {
            panic!("the card was not enrolled");
        };
        let proved = prove(&mut reader, CARDS[0].pin, &made.peer);
        let Event::Factor(FactorEvent::CardProved(_, proof)) = proved else {
            panic!("the card did not prove itself");
        };
        assert_eq!(proof.0.expose(), made.secret.expose());
        for (digits, expected) in [
            ("000000", CardRefusal::WrongPin { tries_left: 2 }),
            ("000000", CardRefusal::WrongPin { tries_left: 1 }),
            (CARDS[0].pin, CardRefusal::LastTry),
        ] {
            assert_eq!(refusal(prove(&mut reader, digits, &made.peer)), expected);
        }
        reader.insert(1);
        assert_eq!(refusal(prove(&mut reader, CARDS[1].pin, &made.peer)), CardRefusal::Changed);
        reader.pull();
        assert_eq!(refusal(prove(&mut reader, CARDS[0].pin, &made.peer)), CardRefusal::Gone);
    }

    #[test]
    fn only_the_finger_that_was_enrolled_matches() {
        let mut reader = FingerReader::default();
        let attempt = Attempt(4);
        reader.handle(FingerCommand::Enrol { attempt, finger: Finger::RightIndex });
        let events: Vec<Event> = (0..STAGES).flat_map(|_| reader.touch(0)).collect();
        let template = events.into_iter().find_map(|event| {
            let Event::Factor(FactorEvent::Finger(told)) = event else { return None };
            if let FingerEvent::Enrolled(_, template) = told { Some(template) } else { None }
        });
        let template = template.expect("five touches make a template");
        assert!(reader.touch(0).is_empty(), "nothing waits");
        let templates = vec![template.clone()];
        reader.handle(FingerCommand::Identify { attempt, templates });
        let wrong = reader.touch(1);
        assert!(matches!(
            wrong[..],
            [Event::Factor(FactorEvent::Finger(FingerEvent::NotMatched(Attempt(4))))]
        ));
        let right = reader.touch(0);
        assert!(matches!(
            right[..],
            [Event::Factor(FactorEvent::Finger(FingerEvent::Matched(Attempt(4), id)))] if id == template.id
        ));
        let other = Sensor { serial: "2".into(), ..sensor() };
        let elsewhere = vec![Template { sensor: other, ..template }];
        let refused = reader.handle(FingerCommand::Identify { attempt, templates: elsewhere });
        assert!(matches!(
            refused[..],
            [Event::Factor(FactorEvent::Finger(FingerEvent::Failed(_, FingerFault::OtherSensor)))]
        ));
    }
}
