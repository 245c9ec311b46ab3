//! One PC/SC reader: its class, the card on it, and the reading of that card.
//!
//! Owned by the driver in [`crate::hardware::smartcard`], which explains the rules.

use std::ffi::{CStr, CString};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use pcsc::{Context, Disposition, Error, Protocols, ReaderState, Scope, ShareMode, State};
use zeroize::Zeroizing;

use crate::hardware::ReaderKind;
use crate::hardware::apdu::{self, UidError};
use crate::hardware::field::Slot;
use crate::moment::BootTime;
use crate::session::factor::Badge;

/// A card that has not given its number by then is called unreadable.
pub const READING_MAX: Duration = Duration::from_secs(2);
/// pcscd sees a badge leave up to 400 ms late: so long a vanished card gets the benefit of the doubt.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// Readings of one card, the first included.
const TRIES_MAX: u8 = 4;

/// How a card's reading can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadingFault {
    /// The card was not there any more, or something reset it: worth another try while it lies there.
    Gone,
    /// It is there and gives no number.
    Unreadable,
    /// The daemon refuses this account.
    Refused,
}

impl From<Error> for ReadingFault {
    fn from(error: Error) -> Self {
        if matches!(error, Error::SecurityViolation | Error::NoAccess) {
            ReadingFault::Refused
        } else if matches!(
            error,
            Error::SharingViolation | Error::InsufficientBuffer | Error::ProtoMismatch
        ) {
            ReadingFault::Unreadable
        } else {
            ReadingFault::Gone
        }
    }
}

/// What changed on a reader between two looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing that matters.
    None,
    /// A contactless card, or one that does not answer, was laid down; one that lay there before has left.
    Laid,
    /// It was taken away.
    Lifted,
    /// A contact card was inserted: not a badge.
    ContactCard,
}

/// A card being read on its own thread.
#[derive(Debug)]
struct Running {
    answer: Receiver<Result<Badge, ReadingFault>>,
    until: BootTime,
    /// The card it reads still lies there and its answer still counts.
    counts: bool,
}

/// One reader as the driver knows it.
#[derive(Debug)]
pub struct Reader {
    /// Its place in the field.
    pub slot: Slot,
    /// Its name in PC/SC.
    pub name: CString,
    /// What kind of reader it is taken for.
    pub kind: ReaderKind,
    /// It works.
    pub usable: bool,
    /// The daemon refused the last card to this account.
    pub refused: bool,
    kind_is_certain: bool,
    /// Event counter at which the card on it was laid down.
    card: Option<u32>,
    is_badge: bool,
    running: Option<Running>,
    due: Option<BootTime>,
    tries: u8,
}

impl Reader {
    /// A reader just found; `None` for a socket that holds no card of a person.
    pub fn new(slot: Slot, name: CString) -> Option<Self> {
        let (kind, kind_is_certain) = match class(&name.to_string_lossy()) {
            Class::Contactless => (ReaderKind::Badge, true),
            Class::Contact => (ReaderKind::SmartCard, true),
            Class::Unknown => (ReaderKind::Badge, false),
            Class::Internal => return None,
        };
        Some(Self {
            slot,
            name,
            kind,
            usable: true,
            refused: false,
            kind_is_certain,
            card: None,
            is_badge: false,
            running: None,
            due: None,
            tries: 0,
        })
    }

    /// Compares what pcscd reports with what was known.
    pub fn observe(&mut self, now: BootTime, state: &ReaderState) -> Change {
        let seen = state.event_state();
        self.usable = !seen.intersects(State::UNKNOWN | State::UNAVAILABLE);
        let card = (self.usable && seen.contains(State::PRESENT)).then(|| state.event_count());
        if card == self.card {
            return Change::None;
        }
        let was_badge = self.card.is_some() && self.is_badge;
        self.card = card;
        self.due = None;
        if let Some(running) = &mut self.running {
            running.counts = false;
        }
        if card.is_none() {
            return if was_badge { Change::Lifted } else { Change::None };
        }
        // A mute card has no answer to reset: two badges on one antenna look like that, too.
        self.is_badge = state.atr().is_empty() || apdu::is_contactless(state.atr());
        if !self.kind_is_certain && !state.atr().is_empty() {
            self.kind = if self.is_badge { ReaderKind::Badge } else { ReaderKind::SmartCard };
        }
        if self.is_badge {
            self.due = Some(now);
            self.tries = 0;
        }
        match (was_badge, self.is_badge) {
            (_, true) => Change::Laid,
            (true, false) => Change::Lifted,
            (false, false) => Change::ContactCard,
        }
    }

    /// A reading is going on or due: [`Reader::tick`] should be called soon.
    pub fn is_busy(&self) -> bool {
        self.due.is_some() || self.running.as_ref().is_some_and(|running| running.counts)
    }

    /// Starts a due reading and collects a finished one: the badge, or `None` inside if the card on
    /// the reader will not give a number.
    pub fn tick(&mut self, now: BootTime) -> Option<Option<Badge>> {
        let outcome = self.collect(now).and_then(|reading| self.judge(now, reading));
        if outcome.is_none() && self.running.is_none() && self.due.is_some_and(|due| due <= now) {
            self.due = None;
            self.tries += 1;
            return self.start(now);
        }
        outcome
    }

    /// The result of the running reading if it is there, or overdue, and still counts.
    fn collect(&mut self, now: BootTime) -> Option<Result<Badge, ReadingFault>> {
        let running = self.running.as_mut()?;
        let reading = match running.answer.try_recv() {
            Ok(reading) => reading,
            Err(TryRecvError::Disconnected) => Err(ReadingFault::Unreadable),
            Err(TryRecvError::Empty) => {
                // The thread stays until the card answers or leaves; no second one is started.
                let overdue = running.counts && now >= running.until;
                running.counts &= !overdue;
                return overdue.then_some(Err(ReadingFault::Unreadable));
            }
        };
        let counts = running.counts;
        self.running = None;
        counts.then_some(reading)
    }

    fn judge(
        &mut self,
        now: BootTime,
        reading: Result<Badge, ReadingFault>,
    ) -> Option<Option<Badge>> {
        self.refused = reading.as_ref().is_err_and(|fault| *fault == ReadingFault::Refused);
        match reading {
            Ok(badge) => Some(Some(badge)),
            Err(ReadingFault::Gone) if self.tries < TRIES_MAX => {
                self.due = Some(now + RETRY_AFTER);
                None
            }
            Err(ReadingFault::Gone | ReadingFault::Unreadable | ReadingFault::Refused) => {
                Some(None)
            }
        }
    }

    fn start(&mut self, now: BootTime) -> Option<Option<Badge>> {
        let (sender, answer) = sync_channel(1);
        let name = self.name.clone();
        let thread = thread::Builder::new().name("badge-read".into()).spawn(move || {
            if sender.send(read(&name)).is_err() {
                tracing::debug!("a card's answer came after its reader was unplugged");
            }
        });
        match thread {
            Ok(_) => {
                self.running = Some(Running { answer, until: now + READING_MAX, counts: true });
                None
            }
            Err(error) => {
                tracing::error!(%error, "no thread to read a badge");
                Some(None)
            }
        }
    }
}

/// Reads the card over a connection of its own, so that the status wait is not held up.
fn read(reader: &CStr) -> Result<Badge, ReadingFault> {
    let context = Context::establish(Scope::System)?;
    let card = context.connect(reader, ShareMode::Shared, Protocols::ANY)?;
    let mut buffer = Zeroizing::new([0_u8; apdu::ANSWER_MAX]);
    let badge = apdu::read_badge(|command| {
        card.transmit(command, buffer.as_mut_slice()).map(|answer| Zeroizing::new(answer.to_vec()))
    });
    if let Err((_, error)) = card.disconnect(Disposition::LeaveCard) {
        tracing::debug!(%error, "card could not be disconnected");
    }
    badge.map_err(|error| match error {
        UidError::Transmit(error) => ReadingFault::from(error),
        UidError::Truncated(_)
        | UidError::Refused(_)
        | UidError::TooLong
        | UidError::Endless
        | UidError::NotABadge(_) => {
            tracing::info!(%error, "badge gives no number");
            ReadingFault::Unreadable
        }
    })
}

/// What a reader's name says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Reads badges in its field.
    Contactless,
    /// Takes cards with contacts.
    Contact,
    /// Holds a security module, never a person's card.
    Internal,
    /// The name does not tell.
    Unknown,
}

fn class(name: &str) -> Class {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| {
        name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| words.contains(&word))
    };
    if has(&["sam"]) {
        Class::Internal
    } else if has(&["picc", "contactless", "cl", "nfc", "rfid"]) {
        Class::Contactless
    } else if has(&["icc", "contact"]) {
        Class::Contact
    } else {
        Class::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_class_where_it_can() {
        for (name, expected) in [
            ("ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader PICC] 01 00", Class::Contactless),
            ("ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader ICC] 00 00", Class::Contact),
            ("ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader SAM] 02 00", Class::Internal),
            (
                "Identiv uTrust 4701 F Dual Interface Reader [uTrust 4701 F CL Reader] 00 01",
                Class::Contactless,
            ),
            (
                "Identiv uTrust 4701 F Dual Interface Reader [uTrust 4701 F Contact Reader] 00 00",
                Class::Contact,
            ),
            ("Identive CLOUD 4700 F Contactless Reader 00 00", Class::Contactless),
            ("HID Global OMNIKEY 5022 Smart Card Reader 00 00", Class::Unknown),
            ("Samsung Reader 00 00", Class::Unknown),
            ("", Class::Unknown),
        ] {
            assert_eq!(class(name), expected, "{name}");
        }
    }

    #[test]
    fn a_badge_that_left_is_told_from_one_that_cannot_be_read() {
        for (error, fault) in [
            (Error::NoSmartcard, ReadingFault::Gone),
            (Error::RemovedCard, ReadingFault::Gone),
            (Error::NotTransacted, ReadingFault::Gone),
            (Error::ResetCard, ReadingFault::Gone),
            (Error::UnknownReader, ReadingFault::Gone),
            (Error::SharingViolation, ReadingFault::Unreadable),
            (Error::InsufficientBuffer, ReadingFault::Unreadable),
            (Error::SecurityViolation, ReadingFault::Refused),
        ] {
            assert_eq!(ReadingFault::from(error), fault, "{error:?}");
        }
    }
}
