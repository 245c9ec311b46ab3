//! The driver of smart cards against a real pcscd and a PIV card that others wrote.
//!
//! Each test has its own pcscd in its own namespaces, its own issuing desk and its own cards.

use std::ffi::CString;
use std::path::PathBuf;
use std::time::Duration;

use pcsc::{Context, Disposition, Protocols, Scope, ShareMode};
use tokio::sync::mpsc::{Receiver, channel};
use wardkeep_hardware::pcsc::{SmartcardHandle, spawn};
use wardkeep_hardware::trust::Trust;
use wardkeep_model::access::factor::{Attempt, CardEnrolment};
use wardkeep_model::access::factor::{CardId, CardPeer};
use wardkeep_model::access::readers::AllowedReaders;
use wardkeep_model::access::refusal::{Distrust, ReaderRefusal};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::CardRefusal::{
    self, Blocked, Changed, Gone, LastTry, NotTrusted, WrongPin,
};
use wardkeep_model::ports::{
    CardCommand, CardSeen, Event, FactorEvent, Proof, ReaderHealth, ReaderKind,
};

use kit::namespace::{isolated, say, skipped};
use kit::process::is_inside;
use kit::readers::issuers::{days, valid};
use kit::readers::pcscd::{PORTS, Pcscd};
use kit::readers::piv_card::{self, Desk, Key, PIN, PivCard, pin};

const A: u16 = PORTS[0];
const B: u16 = PORTS[1];
/// Longest wait for an event that must come; reached only by a driver that is dead.
const SOON: Duration = Duration::from_secs(60);
/// Longer than pcscd takes between two looks at a reader. It learns of a card that is pulled from under
/// an order at our reset, and then misses one that comes before its next look.
const LOOK: Duration = Duration::from_millis(1_200);
const NAME: &str = "Jörg Müller";

/// The driver under test, and what it says.
struct Bench {
    desk: Desk,
    driver: SmartcardHandle,
    events: Receiver<Event>,
    clock: tokio::runtime::Runtime,
    attempt: u64,
    /// What was refused, for the log.
    refused: Vec<ReaderRefusal>,
    _pcscd: Pcscd,
}

impl Bench {
    fn new() -> Self {
        let desk = Desk::open();
        let pcscd = Pcscd::start();
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let (sender, events) = channel(256);
        let driver =
            spawn(sender, Trust::load(&desk.cards()), AllowedReaders::default()).expect("a thread");
        let clock = clock.expect("a runtime");
        Self { desk, driver, events, clock, attempt: 0, refused: vec![], _pcscd: pcscd }
    }

    /// The next event about a card.
    fn next(&mut self) -> FactorEvent {
        loop {
            let next = async { tokio::time::timeout(SOON, self.events.recv()).await };
            match self.clock.block_on(next) {
                Ok(Some(Event::Factor(event))) => return event,
                Ok(Some(Event::ReaderRefused { reader, what })) => {
                    assert!(reader.starts_with("Virtual Reader"), "{reader}");
                    self.refused.push(what);
                }
                Ok(Some(Event::Reader(ReaderKind::Badge | ReaderKind::SmartCard, health))) => {
                    assert!(matches!(health, ReaderHealth::Ready | ReaderHealth::NotFitted));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn presented(&mut self) -> CardSeen {
        let event = self.next();
        let FactorEvent::CardPresented(seen) = event else { panic!("{event:?}") };
        seen
    }

    fn removed(&mut self) {
        assert_eq!(self.next(), FactorEvent::CardRemoved);
    }

    /// Takes in what the driver says after its answer.
    fn settle(&mut self) {
        let next =
            async { tokio::time::timeout(Duration::from_millis(200), self.events.recv()).await };
        match self.clock.block_on(next) {
            Ok(Some(Event::ReaderRefused { what, .. })) => self.refused.push(what),
            Err(_) => {}
            other => panic!("{other:?}"),
        }
    }

    fn attempt(&mut self) -> Attempt {
        self.attempt += 1;
        Attempt(self.attempt)
    }

    fn enrol(&mut self, card: &PivCard, digits: &str) -> Result<CardEnrolment, CardRefusal> {
        let attempt = self.attempt();
        let command = CardCommand::Enrol { attempt, card: card.id(), pin: pin(digits) };
        self.driver.try_send(command).expect("the driver listens");
        let event = self.next();
        if let FactorEvent::CardEnrolled(answered, enrolment) = event {
            assert_eq!(answered, attempt);
            return Ok(enrolment);
        }
        Err(refusal(&event, attempt))
    }

    fn ask(&mut self, card: CardId, digits: &str, peer: &CardPeer) -> Attempt {
        let attempt = self.attempt();
        let command = CardCommand::Prove { attempt, card, pin: pin(digits), peer: peer.clone() };
        self.driver.try_send(command).expect("the driver listens");
        attempt
    }

    fn answer(&mut self, attempt: Attempt) -> Result<Vec<u8>, CardRefusal> {
        let event = self.next();
        if let FactorEvent::CardProved(answered, Proof(secret)) = &event {
            assert_eq!(*answered, attempt);
            return Ok(secret.expose().clone());
        }
        Err(refusal(&event, attempt))
    }

    fn prove(
        &mut self,
        card: &PivCard,
        digits: &str,
        peer: &CardPeer,
    ) -> Result<Vec<u8>, CardRefusal> {
        let attempt = self.ask(card.id(), digits, peer);
        self.answer(attempt)
    }
}

/// Why an attempt was refused. Any other event is none that may come.
fn refusal(event: &FactorEvent, attempt: Attempt) -> CardRefusal {
    let FactorEvent::CardRefused(answered, refusal) = event else { panic!("{event:?}") };
    assert_eq!(*answered, attempt);
    *refusal
}

/// Runs `body` in namespaces where a pcscd can be started, or says why not.
fn with_stack(test: &str, body: impl FnOnce(Bench)) {
    match Pcscd::missing().or_else(piv_card::missing) {
        Some(reason) => skipped(test, reason),
        None => {
            piv_card::program();
            isolated(&format!("piv::{test}"), || body(Bench::new()));
        }
    }
}

#[test]
fn a_card_is_enrolled_and_agrees_on_the_same_secret_ever_after() {
    with_stack("a_card_is_enrolled_and_agrees_on_the_same_secret_ever_after", |mut bench| {
        for (kinds, length) in [
            ([Key::P256, Key::P256], 32),
            ([Key::P384, Key::P384], 48),
            ([Key::Rsa2048, Key::P256], 32),
        ] {
            let card = bench.desk.card_of(NAME, kinds, |_| ());
            let inserted = card.insert(A);
            let seen = bench.presented();
            assert_eq!(seen.card, card.id());
            assert_eq!(seen.subject.reveal(), "O=Klinikum,CN=Jörg Müller");
            assert_eq!(seen.valid_until, Some(days(Moment::read().wall, 365)));
            let enrolment = bench.enrol(&card, PIN).expect("enrolled");
            assert_eq!((enrolment.card, &enrolment.subject), (card.id(), &seen.subject));
            assert_eq!(enrolment.secret.expose().len(), length);
            let secret = Ok(enrolment.secret.expose().clone());
            assert_eq!(bench.prove(&card, PIN, &enrolment.peer), secret);
            // A second slot of the same card has another peer and another secret.
            let other = bench.enrol(&card, PIN).expect("enrolled");
            assert_ne!(other.peer, enrolment.peer);
            assert_ne!(Ok(other.secret.expose().clone()), secret);
            inserted.pull();
            bench.removed();
            // On another day, in another reader.
            let inserted = card.insert(B);
            assert_eq!(bench.presented(), seen);
            assert_eq!(bench.prove(&card, PIN, &enrolment.peer), secret);
            inserted.pull();
            bench.removed();
        }
    });
}

#[test]
fn the_last_try_of_a_card_is_left_to_its_owner() {
    with_stack("the_last_try_of_a_card_is_left_to_its_owner", |mut bench| {
        let card = bench.desk.card(NAME);
        let _inserted = card.insert(A);
        bench.presented();
        let peer = bench.enrol(&card, PIN).expect("enrolled").peer;
        for (digits, refusal) in [
            ("135791", WrongPin { tries_left: 2 }),
            ("1357", WrongPin { tries_left: 2 }), // not even shown to the card
            ("123456", WrongPin { tries_left: 1 }),
            ("135791", LastTry),
            (PIN, LastTry),
        ] {
            assert_eq!(bench.prove(&card, digits, &peer), Err(refusal), "{digits}");
        }
        assert_eq!(tries(), [0x63, 0xC1]);
        // At a desk that asks before the last try, or at another machine, the right PIN still counts.
        assert_eq!(verify(PIN), [0x90, 0x00]);
        assert_eq!(tries(), [0x63, 0xC3], "a reset card has forgotten its PIN");
        assert!(bench.prove(&card, PIN, &peer).is_ok());
        for _ in 0..3 {
            verify("999999");
        }
        assert_eq!(bench.prove(&card, PIN, &peer), Err(Blocked));
    });
}

#[test]
fn no_pin_stays_verified_after_a_proof() {
    with_stack("no_pin_stays_verified_after_a_proof", |mut bench| {
        let card = bench.desk.card(NAME);
        let _inserted = card.insert(A);
        bench.presented();
        let peer = bench.enrol(&card, PIN).expect("enrolled").peer;
        assert_eq!(tries(), [0x63, 0xC3]);
        assert!(bench.prove(&card, PIN, &peer).is_ok());
        assert_eq!(tries(), [0x63, 0xC3]);
        // An agreement without the PIN is what a thief of an open card would want.
        let ask =
            [&[0x00, 0x87, 0x11, 0x9D, 0x47, 0x7C, 0x45, 0x82, 0x00, 0x85, 0x41][..], &peer.0];
        assert_eq!(transmit(&[&ask.concat()]), [0x69, 0x82]);
    });
}

#[test]
fn a_card_that_is_pulled_midway_is_gone() {
    with_stack("a_card_that_is_pulled_midway_is_gone", |mut bench| {
        let card = bench.desk.card(NAME);
        let inserted = card.insert(A);
        bench.presented();
        let peer = bench.enrol(&card, PIN).expect("enrolled").peer;
        inserted.freeze();
        let attempt = bench.ask(card.id(), PIN, &peer);
        std::thread::sleep(Duration::from_millis(300));
        inserted.pull();
        assert_eq!(bench.answer(attempt), Err(Gone));
        bench.removed();
        // With no card there is nobody to ask.
        assert_eq!(bench.prove(&card, PIN, &peer), Err(Gone));
        std::thread::sleep(LOOK);
        let _inserted = card.insert(A);
        bench.presented();
        assert!(bench.prove(&card, PIN, &peer).is_ok());
    });
}

#[test]
fn another_card_in_the_reader_is_shown_no_pin() {
    with_stack("another_card_in_the_reader_is_shown_no_pin", |mut bench| {
        let (card, other) = (bench.desk.card(NAME), bench.desk.card("Ayşe Çelik"));
        assert_ne!(card.id(), other.id());
        let inserted = card.insert(A);
        bench.presented();
        let peer = bench.enrol(&card, PIN).expect("enrolled").peer;
        inserted.pull();
        bench.removed();
        let _inserted = other.insert(A);
        assert_eq!(bench.presented().card, other.id());
        // The PIN pad was still open for the first.
        assert_eq!(bench.prove(&card, PIN, &peer), Err(Changed));
        assert_eq!(bench.prove(&card, "999999", &peer), Err(Changed));
        assert_eq!(tries(), [0x63, 0xC3]);
        // The second card agrees with the first one's peer, but on something else.
        let secret = bench.prove(&other, PIN, &peer).expect("a proof of its own");
        assert_eq!(bench.prove(&other, PIN, &peer), Ok(secret));
    });
}

#[test]
fn a_card_that_is_not_trusted_is_shown_no_pin() {
    with_stack("a_card_that_is_not_trusted_is_shown_no_pin", |mut bench| {
        let card = bench.desk.card(NAME);
        let inserted = card.insert(A);
        bench.presented();
        let peer = bench.enrol(&card, PIN).expect("enrolled").peer;
        inserted.pull();
        bench.removed();
        // What is published counts from the next insertion on, without a restart.
        bench.desk.trust().remove("crls/cards.crl");
        let inserted = card.insert(A);
        bench.presented();
        let refusal = Err(NotTrusted(Distrust::ListMissing));
        assert_eq!(bench.prove(&card, "999999", &peer), refusal);
        inserted.pull();
        bench.removed();
        bench.desk.revoke(&card);
        let inserted = card.insert(A);
        bench.presented();
        let refusal = Err(NotTrusted(Distrust::Revoked));
        assert_eq!(bench.prove(&card, "999999", &peer), refusal);
        let kept = [Distrust::ListMissing, Distrust::Revoked].map(ReaderRefusal::NotTrusted);
        bench.settle();
        assert_eq!(bench.refused, kept, "for the log");
        assert_eq!(tries(), [0x63, 0xC3]);
        inserted.pull();
        bench.removed();
        let wall = Moment::read().wall;
        let old = bench.desk.card_of(NAME, [Key::P256; 2], |params| {
            valid(params, days(wall, -9), days(wall, -1));
        });
        let inserted = old.insert(A);
        assert_eq!(bench.presented().valid_until, Some(days(wall, -1)));
        let refusal = NotTrusted(Distrust::Expired);
        assert_eq!(bench.enrol(&old, "999999").err(), Some(refusal));
        assert_eq!(tries(), [0x63, 0xC3]);
        inserted.pull();
        bench.removed();
        let elsewhere = Desk::open();
        let foreign = elsewhere.card(NAME);
        let _inserted = foreign.insert(A);
        bench.presented();
        let refusal = NotTrusted(Distrust::UnknownIssuer);
        assert_eq!(bench.enrol(&foreign, "999999").err(), Some(refusal));
    });
}

/// What a person waits for. Printed, and held to what the driver promises for a good card.
#[test]
fn from_insertion_to_proof_takes_less_than_two_seconds() {
    const TEST: &str = "from_insertion_to_proof_takes_less_than_two_seconds";
    let figures = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("piv_figures.txt");
    with_stack(TEST, |mut bench| {
        let card = bench.desk.card(NAME);
        let mut peer = None;
        let (mut seen, mut proved) = (Vec::new(), Vec::new());
        for _ in 0..7 {
            let start = Moment::read().boot;
            let inserted = card.insert(A);
            bench.presented();
            let read = Moment::read().boot;
            match &peer {
                None => peer = bench.enrol(&card, PIN).ok().map(|enrolment| enrolment.peer),
                Some(peer) => {
                    bench.prove(&card, PIN, peer).expect("a proof");
                    seen.push(read.since(start));
                    proved.push(Moment::read().boot.since(read));
                }
            }
            inserted.pull();
            bench.removed();
        }
        let line = format!(
            "smart card: insertion to reading {}, PIN to proof {} (median, longest of {}, in ms)",
            spread(&mut seen),
            spread(&mut proved),
            proved.len()
        );
        std::fs::write(&figures, line).expect("a file for the figures");
        // The middle one: a busy machine delays any single one.
        let usual = seen[seen.len() / 2] + proved[proved.len() / 2];
        assert!(usual < Duration::from_secs(2), "{usual:?}");
    });
    if !is_inside()
        && let Ok(line) = std::fs::read_to_string(&figures)
    {
        say(&line);
    }
}

/// Sorts, and says the middle and the last.
fn spread(times: &mut [Duration]) -> String {
    times.sort();
    format!("{}, {}", times[times.len() / 2].as_millis(), times[times.len() - 1].as_millis())
}

/// How many tries the card at port A has left, by its own word: VERIFY without a PIN.
fn tries() -> [u8; 2] {
    transmit(&[&[0x00, 0x20, 0x00, 0x80]])
}

/// Shows the card a PIN past the driver, as another machine would.
fn verify(digits: &str) -> [u8; 2] {
    let padding = vec![0xFF; 8 - digits.len()];
    let command = [&[0x00, 0x20, 0x00, 0x80, 0x08], digits.as_bytes(), &padding].concat();
    transmit(&[&command])
}

/// Selects the applet on the card at port A and sends commands; the status words of the last answer.
fn transmit(commands: &[&[u8]]) -> [u8; 2] {
    let select = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00];
    let context = Context::establish(Scope::User).expect("a running pcscd");
    let reader = CString::new("Virtual Reader 0 00 00").expect("a name");
    let mut card =
        context.connect(&reader, ShareMode::Shared, Protocols::ANY).expect("a card at port A");
    let transaction = card.transaction().expect("the card is free");
    let mut buffer = [0; 512];
    let mut status = [0; 2];
    for command in [&select[..]].iter().chain(commands) {
        let answer = transaction.transmit(command, &mut buffer).expect("an answer");
        status = answer[answer.len() - 2..].try_into().expect("two bytes");
    }
    transaction.end(Disposition::ResetCard).map_err(|(_, error)| error).expect("the end");
    status
}
