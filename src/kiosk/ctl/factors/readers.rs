//! Waiting for a badge, a card or a finger at the command line, with the kiosk's own drivers.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::ctl::terminal;
use wardkeep_core::config::Config;
use wardkeep_hardware::trust::Trust;
use wardkeep_hardware::{fingerprint, pcsc, usb_badge};
use wardkeep_model::access::factor::{Attempt, CardEnrolment};
use wardkeep_model::access::factor::{Badge, CardId, CardPeer, CardSecret, Finger, Pin, Template};
use wardkeep_model::moment::Moment;
use wardkeep_model::ports::{
    BadgeFault, CardCommand, CardFault, CardRefusal, CardSeen, Event, FactorEvent, FingerAdvice,
    FingerCommand, FingerEvent, FingerFault,
};

/// A person has this long to present something.
const PRESENT_MAX: Duration = Duration::from_secs(60);
const EVENTS_MAX: usize = 256;

/// Why nothing came from a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// The system gives no thread.
    #[error("The readers do not start.")]
    Start,
    /// Nothing was presented in time.
    #[error("Nothing was presented within a minute. `wardkeepctl doctor` checks the readers.")]
    Nothing,
    /// A card did not prove itself.
    #[error("{}", card_sentence(*.0))]
    Card(CardRefusal),
    /// A finger could not be taken.
    #[error("{}", finger_sentence(*.0))]
    Finger(FingerFault),
    /// A driver takes no command.
    #[error("The reader is busy. Try again.")]
    Busy,
}

/// What was presented.
pub enum Seen {
    /// A badge.
    Badge(Badge),
    /// A card.
    Card(CardSeen),
}

/// The drivers of badges, cards and fingers, running for this command alone.
pub struct Readers {
    events: mpsc::Receiver<Event>,
    cards: pcsc::SmartcardHandle,
    fingers: Option<fingerprint::FingerprintHandle>,
    sender: mpsc::Sender<Event>,
    timer: tokio::runtime::Runtime,
    attempts: u64,
    _badges: usb_badge::HidReaderHandle,
}

impl Readers {
    /// Starts the drivers; the fingerprint reader only when it is needed.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(config: &Config) -> Result<Self, ReaderError> {
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let start = |_| ReaderError::Start;
        let trust = Trust::load(&config.cards);
        let usb = usb_badge::Site {
            keyboard_badge: config.keyboard_badge,
            allowed: config.readers.clone(),
        };
        let timer = tokio::runtime::Builder::new_current_thread().enable_time().build();
        Ok(Self {
            events,
            cards: pcsc::spawn(sender.clone(), trust, config.readers.clone()).map_err(start)?,
            fingers: None,
            timer: timer.map_err(start)?,
            attempts: 0,
            _badges: usb_badge::spawn(sender.clone(), usb).map_err(start)?,
            sender,
        })
    }

    /// Waits for a badge or a card.
    ///
    /// # Errors
    /// Nothing came.
    pub fn present(&mut self) -> Result<Seen, ReaderError> {
        self.until(|event| {
            if let Event::BadgePresented(badge) = event {
                return Some(Ok(Seen::Badge(badge)));
            }
            if let Event::Factor(FactorEvent::CardPresented(seen)) = event {
                return Some(Ok(Seen::Card(seen)));
            }
            advise(&event)
        })
    }

    /// Waits for a badge.
    ///
    /// # Errors
    /// Nothing came.
    pub fn badge(&mut self) -> Result<Badge, ReaderError> {
        self.until(|event| {
            if let Event::BadgePresented(badge) = event { Some(Ok(badge)) } else { advise(&event) }
        })
    }

    /// Waits for a card.
    ///
    /// # Errors
    /// Nothing came.
    pub fn card(&mut self) -> Result<CardSeen, ReaderError> {
        self.until(|event| {
            if let Event::Factor(FactorEvent::CardPresented(seen)) = event {
                return Some(Ok(seen));
            }
            advise(&event)
        })
    }

    /// Has the card prove itself to its slot.
    ///
    /// # Errors
    /// It did not.
    pub fn prove(
        &mut self,
        card: CardId,
        pin: Pin,
        peer: CardPeer,
    ) -> Result<CardSecret, ReaderError> {
        let attempt = self.next();
        let command = CardCommand::Prove { attempt, card, pin, peer };
        self.cards.try_send(command).map_err(|_| ReaderError::Busy)?;
        self.until(|event| {
            if let Event::Factor(FactorEvent::CardProved(answered, proof)) = event {
                return (answered == attempt).then_some(Ok(proof.0));
            }
            refusal(&event, attempt)
        })
    }

    /// Has the card agree with a new peer.
    ///
    /// # Errors
    /// It did not.
    pub fn enrol_card(&mut self, card: CardId, pin: Pin) -> Result<CardEnrolment, ReaderError> {
        let attempt = self.next();
        let command = CardCommand::Enrol { attempt, card, pin };
        self.cards.try_send(command).map_err(|_| ReaderError::Busy)?;
        self.until(|event| {
            if let Event::Factor(FactorEvent::CardEnrolled(answered, enrolment)) = event {
                return (answered == attempt).then_some(Ok(enrolment));
            }
            refusal(&event, attempt)
        })
    }

    /// Takes a template, with guidance on standard error.
    ///
    /// # Errors
    /// It was not taken.
    pub fn enrol_finger(&mut self, finger: Finger) -> Result<Template, ReaderError> {
        let attempt = self.next();
        if self.fingers.is_none() {
            let started = fingerprint::spawn(self.sender.clone());
            self.fingers = Some(started.map_err(|_| ReaderError::Start)?);
        }
        self.until(|event| {
            let Event::Factor(FactorEvent::Sensor(sensor)) = event else { return None };
            let none = ReaderError::Finger(FingerFault::NotFitted);
            Some(sensor.map(|_| ()).ok_or(none))
        })?;
        let Some(fingers) = &self.fingers else { return Err(ReaderError::Start) };
        let command = FingerCommand::Enrol { attempt, finger };
        fingers.try_send(command).map_err(|_| ReaderError::Busy)?;
        self.until(|event| {
            let Event::Factor(FactorEvent::Finger(told)) = event else { return None };
            match told {
                FingerEvent::Enrolled(answered, template) if answered == attempt => {
                    return Some(Ok(template));
                }
                FingerEvent::Failed(answered, fault) if answered == attempt => {
                    return Some(Err(ReaderError::Finger(fault)));
                }
                FingerEvent::Stage(_, done, of) => {
                    terminal::complain(&format!("{done} of {of}. Lay the finger on again."));
                }
                FingerEvent::Retry(_, advice) => terminal::complain(advice_sentence(advice)),
                FingerEvent::Enrolled(..)
                | FingerEvent::Failed(..)
                | FingerEvent::Matched(..)
                | FingerEvent::NotMatched(_) => {}
            }
            None
        })
    }

    /// A number for the next command to a driver.
    fn next(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt(self.attempts)
    }

    fn until<T>(
        &mut self,
        mut wanted: impl FnMut(Event) -> Option<Result<T, ReaderError>>,
    ) -> Result<T, ReaderError> {
        let deadline = Moment::read().boot + PRESENT_MAX;
        loop {
            let left = deadline.since(Moment::read().boot);
            let events = &mut self.events;
            let received =
                self.timer.block_on(async { tokio::time::timeout(left, events.recv()).await });
            let event = received.ok().flatten().ok_or(ReaderError::Nothing)?;
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    }
}

/// Says what a person can do better, and waits on.
fn advise<T>(event: &Event) -> Option<Result<T, ReaderError>> {
    if let Event::BadgeUnreadable(fault) = event {
        terminal::complain(match fault {
            BadgeFault::LeftTooSoon => "Hold the badge to the reader longer.",
            BadgeFault::Two => "There are two badges. Use one.",
            BadgeFault::Unreadable => "This badge gives no number.",
        });
    }
    if let Event::Factor(FactorEvent::CardUnreadable(fault)) = event {
        terminal::complain(match fault {
            CardFault::LeftTooSoon => "Leave the card in the reader.",
            CardFault::NotPiv => "This is not a PIV card.",
            CardFault::Unreadable => "This card cannot be read.",
        });
    }
    None
}

fn refusal<T>(event: &Event, attempt: Attempt) -> Option<Result<T, ReaderError>> {
    if let Event::Factor(FactorEvent::CardRefused(answered, refusal)) = event {
        return (*answered == attempt).then_some(Err(ReaderError::Card(*refusal)));
    }
    let gone = matches!(event, Event::Factor(FactorEvent::CardRemoved));
    gone.then_some(Err(ReaderError::Card(CardRefusal::Gone)))
}

fn card_sentence(refusal: CardRefusal) -> String {
    let text = match refusal {
        CardRefusal::WrongPin { tries_left } => {
            return format!("The PIN is wrong; the card has {tries_left} tries left.");
        }
        CardRefusal::NotTrusted(why) => return format!("The card is not trusted: {why}."),
        CardRefusal::LastTry => {
            "One try is left on this card and was not used. Use the right PIN elsewhere once first."
        }
        CardRefusal::Blocked => "The card has blocked its PIN. Whoever issued it can unblock it.",
        CardRefusal::NoKey => "The card has no key for key agreement that can be used here.",
        CardRefusal::Changed => "Another card is in the reader.",
        CardRefusal::Gone => "The card left.",
        CardRefusal::Broken => "The card's answers make no sense.",
    };
    text.to_owned()
}

fn finger_sentence(fault: FingerFault) -> &'static str {
    match fault {
        FingerFault::NotFitted => "There is no fingerprint reader. `wardkeepctl doctor` says why.",
        FingerFault::OtherSensor => "This is another fingerprint reader.",
        FingerFault::Duplicate => "This finger is enrolled already.",
        FingerFault::Broken => "The fingerprint reader failed.",
    }
}

fn advice_sentence(advice: FingerAdvice) -> &'static str {
    match advice {
        FingerAdvice::Again => "Not read. Once more.",
        FingerAdvice::Longer => "Hold it longer.",
        FingerAdvice::Centre => "Lay it in the middle of the reader.",
        FingerAdvice::Lift => "Lift it and lay it on again.",
    }
}
