//! The thread that talks to one card: its badge number, its identity, or a proof.
//!
//! A card may keep its answer back for as long as it lies there, and PC/SC cannot be told to stop
//! waiting. So every card has a thread and a connection of its own, and whoever waits for the thread
//! gives up instead: after [`SILENCE_MAX`] without an answer to any command, or [`WORK_MAX`] in all.
//! A thread that was given up sends its card nothing more.
//!
//! What needs the card's PIN runs inside one PC/SC transaction that ends with a reset of the card: no
//! other program can use the PIN, and none stays verified. What libpcsclite and pcscd keep of a PIN in
//! their own buffers is beyond our reach.

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pcsc::{Card, Context, Disposition, Error, Protocols, Scope, ShareMode, Transaction};
use zeroize::Zeroizing;

use crate::card::apdu::{self, UidError};
use crate::card::proof::{self, Claim, Ended, Look};
use crate::trust::Trust;
use wardkeep_model::access::factor::Badge;
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::ports::{CardCommand, CardFault, CardRefusal, FactorEvent};

/// A card that has answered nothing for so long is given up.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(2);
/// A card that answers, but is not done by then, is given up, too. Slow RSA cards need three seconds.
pub(super) const WORK_MAX: Duration = Duration::from_secs(6);

/// "No information is given" (ISO/IEC 7816-4; PC/SC part 3, 3.2.2.1.3): what readers answer for a badge that
/// is still powering up.
const NO_INFORMATION: u16 = 0x6300;

/// The site's issuers, read again when their files change. Held for a judgement, never while a card is
/// asked: a silent card would keep all others from being judged.
pub(super) type SharedTrust = Arc<Mutex<Trust>>;

/// How talking to a card can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadingFault {
    /// The card was not there any more, or something reset it: worth another try while it lies there.
    Gone,
    /// It has just come and gives no number yet (`63 00`).
    Unsettled,
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

/// What a thread does with its card.
#[derive(Debug)]
pub(super) enum Task {
    /// Read a badge's number.
    Badge,
    /// Read who a smart card says it is.
    Look,
    /// Do what the core wants of the smart card that looked like this.
    Order(CardCommand, Box<Look>),
}

/// What has come of it.
#[derive(Debug)]
pub(super) enum Report {
    /// Of [`Task::Badge`].
    Badge(Result<Badge, ReadingFault>),
    /// Of [`Task::Look`].
    Look(Result<Box<Look>, Ended<ReadingFault, CardFault>>),
    /// Of [`Task::Order`].
    Order(Result<FactorEvent, Ended<ReadingFault, CardRefusal>>),
}

/// What the thread and whoever waits for it know of each other.
#[derive(Debug, Default)]
struct Line {
    /// The card's answers so far.
    answers: AtomicU32,
    /// Nobody waits any more.
    abandoned: AtomicBool,
}

/// The thread that talks to one card. Dropping this abandons it.
#[derive(Debug)]
pub(super) struct CardThread {
    line: Arc<Line>,
    reports: Receiver<Report>,
    until: BootTime,
    /// When an answer of the card was last noticed, and how many there had been.
    heard: (BootTime, u32),
}

/// How far a [`CardThread`] is.
#[derive(Debug)]
pub(super) enum Progress {
    /// The thread still waits for its card.
    Running,
    /// The card kept silent for too long. The thread stays until it answers or leaves.
    Overdue,
    /// The thread has ended; without a report if it panicked.
    Ended(Option<Report>),
}

impl CardThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives none.
    pub(super) fn start(
        now: BootTime,
        reader: &CStr,
        task: Task,
        trust: &SharedTrust,
    ) -> std::io::Result<Self> {
        let name = match task {
            Task::Badge => "badge-read",
            Task::Look => "card-read",
            Task::Order(..) => "card-prove",
        };
        let (sender, reports) = sync_channel(1);
        let line = Arc::new(Line::default());
        let talk = CardTalk { reader: reader.to_owned(), line: line.clone(), trust: trust.clone() };
        thread::Builder::new().name(name.into()).spawn(move || {
            if sender.send(talk.perform(task)).is_err() {
                tracing::debug!("a card's answer came after its reader was unplugged");
            }
        })?;
        Ok(Self { line, reports, until: now + WORK_MAX, heard: (now, 0) })
    }

    /// The card is sent nothing more.
    pub(super) fn abandon(&self) {
        self.line.abandoned.store(true, Ordering::Release);
    }

    /// Looks what has become of it.
    pub(super) fn progress(&mut self, now: BootTime) -> Progress {
        match self.reports.try_recv() {
            Ok(report) => return Progress::Ended(Some(report)),
            Err(TryRecvError::Disconnected) => return Progress::Ended(None),
            Err(TryRecvError::Empty) => {}
        }
        let answers = self.line.answers.load(Ordering::Acquire);
        if answers != self.heard.1 {
            self.heard = (now, answers);
        }
        if now >= self.until || now.since(self.heard.0) >= SILENCE_MAX {
            self.abandon();
            return Progress::Overdue;
        }
        Progress::Running
    }
}

impl Drop for CardThread {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// The thread's side: which reader the card is in, and who waits.
struct CardTalk {
    reader: CString,
    line: Arc<Line>,
    trust: SharedTrust,
}

impl CardTalk {
    fn perform(&self, task: Task) -> Report {
        match task {
            Task::Badge => Report::Badge(self.badge()),
            Task::Look => Report::Look(self.look()),
            Task::Order(command, look) => Report::Order(self.order(&command, &look)),
        }
    }

    /// One command to the card, unless nobody waits for its answer any more.
    fn transmit(&self, card: &Card, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReadingFault> {
        if self.line.abandoned.load(Ordering::Acquire) {
            return Err(ReadingFault::Gone);
        }
        let mut buffer = Zeroizing::new([0_u8; apdu::ANSWER_MAX]);
        let answer = card.transmit(command, buffer.as_mut_slice())?;
        self.line.answers.fetch_add(1, Ordering::AcqRel);
        Ok(Zeroizing::new(answer.to_vec()))
    }

    /// The same for a smart card. One that is pulled meanwhile may show as an empty answer.
    fn ask(&self, card: &Card, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReadingFault> {
        let answer = self.transmit(card, command)?;
        if answer.is_empty() { Err(ReadingFault::Gone) } else { Ok(answer) }
    }

    fn connect(&self) -> Result<Card, Error> {
        Context::establish(Scope::System)?.connect(&self.reader, ShareMode::Shared, Protocols::ANY)
    }

    fn badge(&self) -> Result<Badge, ReadingFault> {
        let card = self.connect()?;
        let badge = apdu::read_badge(|command| self.transmit(&card, command));
        disconnect(card, Disposition::LeaveCard);
        badge.map_err(|error| match error {
            UidError::Transmit(fault) => fault,
            UidError::Refused(NO_INFORMATION) => ReadingFault::Unsettled,
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

    fn look(&self) -> Result<Box<Look>, Ended<ReadingFault, CardFault>> {
        // A list of revoked cards that came meanwhile counts from this card on.
        if self.trust.lock().unwrap_or_else(PoisonError::into_inner).refresh() {
            tracing::info!("the site's issuers and revocation lists were read again");
        }
        let mut card = self.connect().map_err(lost)?;
        let transaction = card.transaction().map_err(lost)?;
        let look = proof::look(|command| self.ask(&transaction, command));
        end(transaction, Disposition::LeaveCard);
        disconnect(card, Disposition::LeaveCard);
        look.map(Box::new)
    }

    fn order(
        &self,
        command: &CardCommand,
        look: &Look,
    ) -> Result<FactorEvent, Ended<ReadingFault, CardRefusal>> {
        let mut card = self.connect().map_err(lost)?;
        let transaction = card.transaction().map_err(lost)?;
        let event = self.obey(command, look, &transaction);
        end(transaction, Disposition::ResetCard);
        disconnect(card, Disposition::ResetCard);
        event
    }

    fn obey(
        &self,
        command: &CardCommand,
        look: &Look,
        card: &Card,
    ) -> Result<FactorEvent, Ended<ReadingFault, CardRefusal>> {
        let judge = |certificate: &[u8]| {
            let mut trust = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
            // A card that stays in its reader must not be judged by the lists of its insertion.
            trust.refresh();
            trust.judge(certificate, Moment::read().wall)
        };
        let transmit = |command: &[u8]| self.ask(card, command);
        match command {
            CardCommand::Prove { attempt, pin, peer, .. } => {
                let claim = Claim { look, pin, judge: &judge };
                let proof = proof::prove(transmit, &claim, peer)?;
                Ok(FactorEvent::CardProved(*attempt, proof))
            }
            CardCommand::Enrol { attempt, pin, .. } => {
                let claim = Claim { look, pin, judge: &judge };
                let enrolment = proof::enrol(transmit, &claim)?;
                Ok(FactorEvent::CardEnrolled(*attempt, enrolment))
            }
        }
    }
}

fn lost<R>(error: Error) -> Ended<ReadingFault, R> {
    Ended::Lost(error.into())
}

fn end(transaction: Transaction, disposition: Disposition) {
    // Dropping what comes back ends the transaction, too.
    if let Err((_, error)) = transaction.end(disposition) {
        tracing::debug!(%error, "transaction with the card could not be ended");
    }
}

fn disconnect(card: Card, disposition: Disposition) {
    if let Err((_, error)) = card.disconnect(disposition) {
        tracing::debug!(%error, "card could not be disconnected");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
