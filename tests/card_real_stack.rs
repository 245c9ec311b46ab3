//! The smart-card driver against a real pcscd with virtual readers and pretended cards, honest and hostile.
//!
//! Each test has its own pcscd in its own namespaces. What the cards say is in `support/piv_model.rs`.

#[path = "support/namespace.rs"]
mod namespace;
#[path = "support/pcscd.rs"]
mod pcscd;
#[path = "support/piv_model.rs"]
mod piv_model;
#[path = "support/vpcd.rs"]
mod vpcd;

use std::sync::mpsc::channel as steps;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, channel};
use wardkeep::hardware::smartcard::{SmartcardHandle, spawn};
use wardkeep::hardware::{
    CardCommand, CardRefusal, CardSeen, Event, FactorEvent, ReaderHealth, ReaderKind,
};
use wardkeep::moment::Moment;
use wardkeep::session::factor::{CardId, CardPeer};
use wardkeep::store::{Attempt, CardEnrolment};

use crate::namespace::{isolated, skipped};
use crate::pcscd::{PORTS, Pcscd};
use crate::piv_model::{Model, PIN, Site, pin};
use crate::vpcd::{CONTACT_ATR, Script, VirtualBadge};

/// Longest wait for an event that must come.
const SOON: Duration = Duration::from_secs(10);
/// Longer than pcscd needs to notice anything.
const QUIET: Duration = Duration::from_millis(1_200);
/// Longer than pcscd takes between two looks at a reader.
const LOOK: Duration = Duration::from_millis(600);
/// A silent card is given up after two seconds; pcscd and a loaded machine may add to that.
const GIVEN_UP: Duration = Duration::from_millis(3_200);
const A: u16 = PORTS[0];
const B: u16 = PORTS[1];

/// A model that a test can change while it is inserted.
#[derive(Clone)]
struct Card(Arc<Mutex<Model>>);

impl Card {
    fn of(site: &mut Site) -> Self {
        Self(Arc::new(Mutex::new(site.issue())))
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, port: u16) -> VirtualBadge {
        let card = self.clone();
        insert(port, move |command| Some(card.model().answer(command)))
    }
}

fn insert(
    port: u16,
    answer: impl FnMut(&[u8]) -> Option<Vec<u8>> + Send + 'static,
) -> VirtualBadge {
    VirtualBadge::lay_card(port, &CONTACT_ATR, Script::Card(Arc::new(Mutex::new(answer))))
}

/// The driver under test and what it says of cards.
struct Bench {
    driver: SmartcardHandle,
    events: Receiver<Event>,
    clock: tokio::runtime::Runtime,
    attempts: u64,
}

impl Bench {
    fn new(site: &Site) -> Self {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let (sender, events) = channel(256);
        let driver = spawn(sender, site.trust()).expect("a thread");
        let mut bench = Self { driver, events, clock: clock.expect("a runtime"), attempts: 0 };
        for _ in 0..2 {
            assert!(matches!(bench.any(SOON), Some(Event::Reader(..))), "both kinds at start");
        }
        bench
    }

    fn any(&mut self, patience: Duration) -> Option<Event> {
        let next = async { tokio::time::timeout(patience, self.events.recv()).await };
        self.clock.block_on(next).ok().flatten()
    }

    /// The next event, unless it only says that a reader is of the other kind.
    fn next(&mut self, patience: Duration) -> Option<Event> {
        loop {
            match self.any(patience) {
                Some(Event::Reader(_, ReaderHealth::Ready | ReaderHealth::NotFitted)) => {}
                event => return event,
            }
        }
    }

    fn expect(&mut self, expected: &str) {
        assert_eq!(self.next(SOON).map(|event| word(&event)).as_deref(), Some(expected));
    }

    fn expect_nothing(&mut self) {
        assert_eq!(self.next(QUIET).map(|event| word(&event)), None);
    }

    fn presented(&mut self) -> CardSeen {
        match self.next(SOON) {
            Some(Event::Factor(FactorEvent::CardPresented(seen))) => seen,
            other => panic!("no card but {other:?}"),
        }
    }

    fn order(&mut self, order: impl FnOnce(Attempt) -> CardCommand) {
        self.attempts += 1;
        self.driver.try_send(order(Attempt(self.attempts))).expect("room for an order");
    }

    fn enrol(&mut self, card: CardId) -> CardEnrolment {
        self.order(|attempt| CardCommand::Enrol { attempt, card, pin: pin(&PIN) });
        match self.next(SOON) {
            Some(Event::Factor(FactorEvent::CardEnrolled(_, enrolment))) => enrolment,
            other => panic!("no enrolment but {other:?}"),
        }
    }

    fn prove(&mut self, card: CardId, peer: &CardPeer, digits: &[u8]) {
        let (peer, pin) = (peer.clone(), pin(digits));
        self.order(|attempt| CardCommand::Prove { attempt, card, pin, peer });
    }

    fn refused(&self, refusal: CardRefusal) -> String {
        word(&Event::Factor(FactorEvent::CardRefused(Attempt(self.attempts), refusal)))
    }
}

/// An event in one word.
fn word(event: &Event) -> String {
    if matches!(event, Event::BadgePresented(_)) {
        return "badge".to_owned();
    }
    let Event::Factor(event) = event else { return format!("{event:?}") };
    if matches!(event, FactorEvent::CardProved(..)) {
        return "proved".to_owned();
    }
    format!("{event:?}")
}

/// Runs `body` in namespaces where a pcscd can be started, or says why not.
fn with_stack(test: &str, body: impl FnOnce()) {
    match Pcscd::missing() {
        Some(reason) => skipped(test, reason),
        None => isolated(test, body),
    }
}

#[test]
fn a_card_is_read_enrolled_and_proved() {
    with_stack("a_card_is_read_enrolled_and_proved", || {
        let _pcscd = Pcscd::start();
        let mut site = Site::new();
        let (card, mut bench) = (Card::of(&mut site), Bench::new(&site));
        let inserted = card.insert(A);
        let seen = bench.presented();
        assert!(!card.model().saw_a_pin(), "the look needs no PIN");
        let enrolment = bench.enrol(seen.card);
        assert_eq!((enrolment.card, &enrolment.subject), (seen.card, &seen.subject));
        for _ in 0..3 {
            bench.prove(seen.card, &enrolment.peer, &[1, 2, 3, 4, 5, 7]);
            bench.expect(&bench.refused(CardRefusal::WrongPin { tries_left: 2 }));
            bench.prove(seen.card, &enrolment.peer, &PIN);
            let started = Moment::read().boot;
            match bench.next(SOON) {
                Some(Event::Factor(FactorEvent::CardProved(_, proof))) => {
                    assert_eq!(proof.0.expose(), enrolment.secret.expose());
                }
                other => panic!("no proof but {other:?}"),
            }
            namespace::say(&format!("proved in {:?}", Moment::read().boot.since(started)));
            assert!(!card.model().verified, "the PIN was taken back");
        }
        card.model().tries = 1;
        bench.prove(seen.card, &enrolment.peer, &PIN);
        bench.expect(&bench.refused(CardRefusal::LastTry));
        bench.expect_nothing();
        inserted.lift();
        bench.expect("CardRemoved");
        bench.prove(seen.card, &enrolment.peer, &PIN);
        bench.expect(&bench.refused(CardRefusal::Gone));
        bench.expect_nothing();
    });
}

#[test]
fn s1_a_card_pulled_at_any_step_is_gone() {
    with_stack("s1_a_card_pulled_at_any_step_is_gone", || {
        let _pcscd = Pcscd::start();
        let mut site = Site::new();
        let (card, mut bench) = (Card::of(&mut site), Bench::new(&site));
        let inserted = card.insert(A);
        let seen = bench.presented();
        let enrolment = bench.enrol(seen.card);
        card.model().asked.clear();
        bench.prove(seen.card, &enrolment.peer, &PIN);
        bench.expect("proved");
        let steps_of_a_proof = card.model().asked.len();
        inserted.lift();
        bench.expect("CardRemoved");
        for step in 0..steps_of_a_proof {
            let (reached, at_step) = steps();
            let (model, mut left) = (card.clone(), usize::MAX);
            let inserted = insert(A, move |command| {
                // SELECT begins every work; the first is the look.
                if command[1] == 0xA4 {
                    left = if left == usize::MAX { usize::MAX - 1 } else { step };
                }
                if left == 0 {
                    reached.send(()).expect("the test waits");
                    return None;
                }
                left -= usize::from(left < usize::MAX - 1);
                Some(model.model().answer(command))
            });
            bench.presented();
            bench.prove(seen.card, &enrolment.peer, &PIN);
            at_step.recv_timeout(SOON).expect("the step is reached");
            inserted.lift();
            bench.expect(&bench.refused(CardRefusal::Gone));
            bench.expect("CardRemoved");
            card.model().tries = 3;
            // pcscd learns of a pulled card at our reset, and then misses one that comes before its
            // next look.
            thread::sleep(LOOK);
        }
        bench.expect_nothing();
    });
}

#[test]
fn a_card_that_is_swapped_or_changes_is_noticed() {
    with_stack("a_card_that_is_swapped_or_changes_is_noticed", || {
        let _pcscd = Pcscd::start();
        let mut site = Site::new();
        let (card, other) = (Card::of(&mut site), Card::of(&mut site));
        let mut bench = Bench::new(&site);
        let inserted = card.insert(A);
        let seen = bench.presented();
        let enrolment = bench.enrol(seen.card);
        card.model().asked.clear();
        // Between two digits of the PIN, in sight of pcscd.
        inserted.lift();
        let inserted = other.insert(A);
        bench.expect("CardRemoved");
        let swapped = bench.presented();
        assert_ne!(swapped.card, seen.card);
        bench.prove(seen.card, &enrolment.peer, &PIN);
        bench.expect(&bench.refused(CardRefusal::Changed));
        // And behind its back: the card in the reader becomes another one.
        std::mem::swap(&mut *other.model(), &mut *card.model());
        bench.prove(swapped.card, &enrolment.peer, &PIN);
        bench.expect(&bench.refused(CardRefusal::Changed));
        std::mem::swap(&mut *other.model(), &mut *card.model());
        site.certify_again(&mut other.model());
        bench.prove(swapped.card, &enrolment.peer, &PIN);
        bench.expect(&bench.refused(CardRefusal::Broken));
        assert!(!other.model().saw_a_pin() && !card.model().saw_a_pin());
        drop(inserted);
        bench.expect("CardRemoved");
    });
}

#[test]
fn the_first_of_two_cards_counts() {
    with_stack("the_first_of_two_cards_counts", || {
        let _pcscd = Pcscd::start();
        let mut site = Site::new();
        let (first, second) = (Card::of(&mut site), Card::of(&mut site));
        let mut bench = Bench::new(&site);
        let in_a = first.insert(A);
        let seen = bench.presented();
        let in_b = second.insert(B);
        bench.expect_nothing();
        assert_eq!(bench.enrol(seen.card).card, seen.card);
        in_a.lift();
        bench.expect("CardRemoved");
        bench.expect_nothing();
        in_b.lift();
        bench.expect_nothing();
        let in_b = second.insert(B);
        assert_ne!(bench.presented().card, seen.card);
        in_b.lift();
        bench.expect("CardRemoved");
    });
}

#[test]
fn s11_a_silent_card_holds_nobody_up() {
    with_stack("s11_a_silent_card_holds_nobody_up", || {
        let _pcscd = Pcscd::start();
        let mut site = Site::new();
        let (card, mut bench) = (Card::of(&mut site), Bench::new(&site));
        // Silent from the beginning: the other reader works meanwhile.
        let silent = insert(A, |_| None);
        let badge = VirtualBadge::lay(B, Script::Uid(vec![1, 2, 3, 4]));
        let started = Moment::read().boot;
        bench.expect("badge");
        assert!(Moment::read().boot.since(started) < Duration::from_millis(1_500));
        assert_eq!(
            bench.next(GIVEN_UP).map(|event| word(&event)).as_deref(),
            Some("CardUnreadable(Unreadable)")
        );
        badge.lift();
        bench.expect("BadgeRemoved");
        let honest = card.insert(B);
        let seen = bench.presented();
        let enrolment = bench.enrol(seen.card);
        honest.lift();
        bench.expect("CardRemoved");
        silent.lift();
        bench.expect_nothing();
        // Silent from its PIN on.
        let model = card.clone();
        let falls_silent =
            insert(A, move |command| (command[1] != 0x20).then(|| model.model().answer(command)));
        bench.presented();
        bench.prove(seen.card, &enrolment.peer, &PIN);
        let answer = bench.next(GIVEN_UP).map(|event| word(&event));
        assert_eq!(answer, Some(bench.refused(CardRefusal::Broken)));
        // Asked again, the same thread still waits for it.
        bench.prove(seen.card, &enrolment.peer, &PIN);
        let answer = bench.next(GIVEN_UP).map(|event| word(&event));
        assert_eq!(answer, Some(bench.refused(CardRefusal::Broken)));
        falls_silent.lift();
        bench.expect("CardRemoved");
        let again = card.insert(A);
        assert_eq!(bench.presented().card, seen.card);
        drop(again);
    });
}

#[test]
fn cards_that_make_no_sense_are_named() {
    with_stack("cards_that_make_no_sense_are_named", || {
        let _pcscd = Pcscd::start();
        let site = Site::new();
        let mut bench = Bench::new(&site);
        for (answer, fault) in [
            (vec![0x6A, 0x82], "NotPiv"),
            (vec![0x90, 0x00], "NotPiv"),
            (vec![0x61, 0x00], "Unreadable"),
            (vec![0x6C, 0x00], "Unreadable"),
            (vec![0x90], "Unreadable"),
            (vec![0x61; 300], "Unreadable"),
            (vec![0x90; 65_535], "Unreadable"),
        ] {
            let inserted = insert(A, move |_| Some(answer.clone()));
            bench.expect(&format!("CardUnreadable({fault})"));
            inserted.lift();
            bench.expect("CardRemoved");
        }
        bench.expect_nothing();
    });
}

#[test]
fn s1_a_dead_pcscd_ends_the_presence_of_a_card() {
    with_stack("s1_a_dead_pcscd_ends_the_presence_of_a_card", || {
        let mut pcscd = Pcscd::start();
        let mut site = Site::new();
        let (card, mut bench) = (Card::of(&mut site), Bench::new(&site));
        let model = card.clone();
        let (reached, at_pin) = steps();
        let inserted = insert(A, move |command| {
            if command[1] == 0x20 {
                reached.send(()).expect("the test waits");
                return None;
            }
            Some(model.model().answer(command))
        });
        let seen = bench.presented();
        bench.prove(seen.card, &CardPeer([&[4][..], &[7; 64]].concat()), &PIN);
        at_pin.recv_timeout(SOON).expect("the PIN is asked for");
        pcscd.kill();
        bench.expect(&bench.refused(CardRefusal::Gone));
        bench.expect("CardRemoved");
        let down = |kind| word(&Event::Reader(kind, ReaderHealth::ServiceDown));
        bench.expect(&down(ReaderKind::Badge));
        bench.expect(&down(ReaderKind::SmartCard));
        drop(inserted);
        pcscd.restart();
        thread::sleep(QUIET);
        let inserted = card.insert(A);
        assert_eq!(bench.presented().card, seen.card);
        drop(inserted);
    });
}
