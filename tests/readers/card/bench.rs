//! The driver under test, the cards, and what is said.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, channel};
use wardkeep_hardware::pcsc::{SmartcardHandle, spawn};
use wardkeep_model::access::factor::{Attempt, CardEnrolment};
use wardkeep_model::access::factor::{CardId, CardPeer};
use wardkeep_model::access::readers::AllowedReaders;
use wardkeep_model::access::refusal::ReaderRefusal;
use wardkeep_model::ports::{CardCommand, CardRefusal, CardSeen, Event, FactorEvent, ReaderHealth};

use kit::namespace::{isolated, skipped};
use kit::readers::pcscd::Pcscd;
use kit::readers::piv_model::{Model, PIN, Site, pin};
use kit::readers::vpcd::{CONTACT_ATR, Script, VirtualBadge};

/// Longest wait for an event that must come; reached only by a driver that is dead.
pub const SOON: Duration = Duration::from_secs(60);
/// Longer than pcscd needs to notice anything.
pub const QUIET: Duration = Duration::from_millis(1_200);
/// vpcd's control code for a reset.
const RESET: u8 = 2;

/// A model that a test can change while it is inserted.
#[derive(Clone)]
pub struct Card(Arc<Mutex<Model>>);

impl Card {
    /// Issued by this hospital.
    pub fn of(site: &mut Site) -> Self {
        Self(Arc::new(Mutex::new(site.issue())))
    }

    /// The card itself.
    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Inserts it into the reader at this port.
    pub fn insert(&self, port: u16) -> VirtualBadge {
        let card = self.clone();
        insert(port, move |command| Some(card.model().answer(command)))
    }

    /// The same, counting resets.
    pub fn insert_counted(&self, port: u16, resets: &Arc<AtomicU32>) -> VirtualBadge {
        let (card, resets) = (self.clone(), resets.clone());
        let answer = move |frame: &[u8]| match frame {
            [RESET] => {
                resets.fetch_add(1, Ordering::Relaxed);
                None
            }
            [_] | [] => None,
            command => Some(card.model().answer(command)),
        };
        VirtualBadge::lay_card(port, &CONTACT_ATR, Script::Card(Arc::new(Mutex::new(answer))))
    }
}

/// Inserts a card that answers commands, and is not told of resets.
pub fn insert(
    port: u16,
    mut answer: impl FnMut(&[u8]) -> Option<Vec<u8>> + Send + 'static,
) -> VirtualBadge {
    let commands = move |frame: &[u8]| if frame.len() > 1 { answer(frame) } else { None };
    VirtualBadge::lay_card(port, &CONTACT_ATR, Script::Card(Arc::new(Mutex::new(commands))))
}

/// The driver under test and what it says of cards.
pub struct Bench {
    driver: SmartcardHandle,
    events: Receiver<Event>,
    clock: tokio::runtime::Runtime,
    attempts: u64,
    /// What was refused, for the log.
    pub refused: Vec<ReaderRefusal>,
}

impl Bench {
    /// A driver that trusts this hospital, and has reported its readers.
    pub fn new(site: &Site) -> Self {
        let clock = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let (sender, events) = channel(256);
        let driver = spawn(sender, site.trust(), AllowedReaders::default()).expect("a thread");
        let mut bench =
            Self { driver, events, clock: clock.expect("a runtime"), attempts: 0, refused: vec![] };
        for _ in 0..2 {
            assert!(matches!(bench.any(SOON), Some(Event::Reader(..))), "both kinds at start");
        }
        bench
    }

    /// The next event.
    pub fn any(&mut self, patience: Duration) -> Option<Event> {
        let next = async { tokio::time::timeout(patience, self.events.recv()).await };
        self.clock.block_on(next).ok().flatten()
    }

    /// The next event, unless it only says that a reader is of the other kind.
    pub fn next(&mut self, patience: Duration) -> Option<Event> {
        loop {
            match self.any(patience) {
                Some(Event::Reader(_, ReaderHealth::Ready | ReaderHealth::NotFitted)) => {}
                Some(Event::ReaderRefused { what, .. }) => self.refused.push(what),
                event => return event,
            }
        }
    }

    /// The next event is this one.
    pub fn expect(&mut self, expected: &str) {
        assert_eq!(self.next(SOON).map(|event| word(&event)).as_deref(), Some(expected));
    }

    /// No event comes.
    pub fn expect_nothing(&mut self) {
        assert_eq!(self.next(QUIET).map(|event| word(&event)), None);
    }

    /// A card is presented.
    pub fn presented(&mut self) -> CardSeen {
        match self.next(SOON) {
            Some(Event::Factor(FactorEvent::CardPresented(seen))) => seen,
            other => panic!("no card but {other:?}"),
        }
    }

    /// Asks something of the card.
    pub fn order(&mut self, order: impl FnOnce(Attempt) -> CardCommand) {
        self.attempts += 1;
        self.driver.try_send(order(Attempt(self.attempts))).expect("room for an order");
    }

    /// Enrols the card.
    pub fn enrol(&mut self, card: CardId) -> CardEnrolment {
        self.order(|attempt| CardCommand::Enrol { attempt, card, pin: pin(&PIN) });
        match self.next(SOON) {
            Some(Event::Factor(FactorEvent::CardEnrolled(_, enrolment))) => enrolment,
            other => panic!("no enrolment but {other:?}"),
        }
    }

    /// Has the card prove itself.
    pub fn prove(&mut self, card: CardId, peer: &CardPeer, digits: &[u8]) {
        let (peer, pin) = (peer.clone(), pin(digits));
        self.order(|attempt| CardCommand::Prove { attempt, card, pin, peer });
    }

    /// What refuses the last order.
    pub fn refused(&self, refusal: CardRefusal) -> String {
        word(&Event::Factor(FactorEvent::CardRefused(Attempt(self.attempts), refusal)))
    }
}

/// An event in one word.
pub fn word(event: &Event) -> String {
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
pub fn with_stack(test: &str, body: impl FnOnce()) {
    match Pcscd::missing() {
        Some(reason) => skipped(test, reason),
        None => isolated(&format!("card::{test}"), body),
    }
}
