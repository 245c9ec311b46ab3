//! IT's desk on the command line: the store, opened with the same two factors as at the screen.
//!
//! It takes the state directory for itself, so it works on a cart whose kiosk is stopped, and says so
//! otherwise. Nothing secret is taken from the command line's words: PINs and recovery words come from
//! the terminal, unseen, or from standard input.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::ctl::people::readers::{Readers, Seen};
use crate::ctl::terminal;
use wardkeep_core::config::Config;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Evidence, Pin, Token};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, Command, Found, Identified, Outcome,
    Refusal, StoreFault,
};
use wardkeep_model::moment::Moment;
use wardkeep_store::{self as store, StoreHandle};

/// The store answers within this, a rotation of its keys included.
const ANSWER_MAX: Duration = Duration::from_secs(600);
const OUTCOMES_MAX: usize = 64;

/// Why the desk cannot work.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The store could not be started.
    #[error("The store does not start: {0}.")]
    Start(#[from] std::io::Error),
    /// There is no store.
    #[error("There is no store in {0}. Start the kiosk once and follow its first steps.")]
    NoStore(PathBuf),
    /// The kiosk runs.
    #[error(
        "The kiosk on this cart is running and holds the store. Stop it first (systemctl stop \
         wardkeep), or do this at its screen."
    )]
    InUse,
    /// The store cannot be used.
    #[error("The store cannot be used: {0}.")]
    Fault(StoreFault),
    /// It did not answer.
    #[error("The store did not answer.")]
    Silent,
    /// A reader failed, or nothing was presented.
    #[error(transparent)]
    Reader(#[from] crate::ctl::people::readers::ReaderError),
    /// Standard input ended, or is not digits.
    #[error(transparent)]
    Input(#[from] terminal::InputError),
    /// The factors were refused.
    #[error("{0}")]
    Refused(&'static str),
    /// The two entries differ.
    #[error("The two PINs differ. Nothing was changed.")]
    PinsDiffer,
    /// It was not done.
    #[error("It was not done: {0}.")]
    NotDone(#[from] AdministrationFault),
}

/// The store, running for this command alone.
pub struct Desk {
    store: StoreHandle,
    outcomes: mpsc::Receiver<Outcome>,
    thread: std::thread::JoinHandle<()>,
    timer: tokio::runtime::Runtime,
    attempts: u64,
}

impl Desk {
    /// Opens the locked part of the store.
    ///
    /// # Errors
    /// There is none, the kiosk holds it, or it cannot be used.
    pub fn open(state: PathBuf, config: &Config) -> Result<Self, DeskError> {
        let (sender, outcomes) = mpsc::channel(OUTCOMES_MAX);
        let options = store::Options::new(&state).with_policy(config.policy);
        let (store, thread) = store::spawn(options, sender)?;
        let timer = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut desk = Self { store, outcomes, thread, timer, attempts: 0 };
        let answer = desk.answer()?;
        if let Outcome::Fault(fault) = answer {
            return Err(match fault {
                StoreFault::InUse => DeskError::InUse,
                StoreFault::ReadOnly
                | StoreFault::Foreign
                | StoreFault::WrongDeviceSecret
                | StoreFault::Damaged
                | StoreFault::Later
                | StoreFault::Full
                | StoreFault::Io
                | StoreFault::NoCipher => DeskError::Fault(fault),
            });
        }
        let Outcome::Found(found) = answer else { return Err(DeskError::Silent) };
        match found {
            Found::Store(_) => Ok(desk),
            Found::Nothing => Err(DeskError::NoStore(state)),
            Found::Broken(fault, _) => Err(DeskError::Fault(fault)),
        }
    }

    /// Asks for two factors and opens the vault with them.
    ///
    /// # Errors
    /// Nothing was presented, or the factors are wrong.
    pub fn log_in(&mut self, readers: &mut Readers) -> Result<(), DeskError> {
        terminal::complain("Tap your badge, or insert your card.");
        let token = match readers.present()? {
            Seen::Badge(badge) => Token::Badge(badge),
            Seen::Card(seen) => Token::Card(seen.card),
        };
        let attempt = self.next();
        self.send(Command::Identify(attempt, token.clone(), Moment::read()))?;
        let identified = self.until(|outcome| {
            let Outcome::Identified(answered, identified) = outcome else { return None };
            (answered == attempt).then_some(identified)
        })?;
        admitted(identified.admission)?;
        let evidence = self.evidence(readers, token, identified)?;
        let attempt = self.next();
        self.send(Command::Unlock(attempt, evidence, Moment::read()))?;
        let refusal = self.until(|outcome| {
            if let Outcome::Refused(answered, refusal) = outcome {
                return (answered == attempt).then_some(Some(refusal));
            }
            matches!(outcome, Outcome::Unlocked(answered, _) if answered == attempt).then_some(None)
        })?;
        refusal.map_or(Ok(()), |refusal| Err(refused(refusal)))
    }

    fn evidence(
        &mut self,
        readers: &mut Readers,
        token: Token,
        identified: Identified,
    ) -> Result<Evidence, DeskError> {
        let pin = pin("Your PIN: ")?;
        match token {
            Token::Badge(badge) => Ok(Evidence::BadgePin(badge, pin)),
            Token::Card(card) => {
                let peer = identified.peer.ok_or(WRONG)?;
                let secret = readers.prove(self.next(), card, pin, peer)?;
                Ok(Evidence::Card(card, secret))
            }
        }
    }

    /// Has the store do something.
    ///
    /// # Errors
    /// It was not done; nothing has changed then.
    pub fn administer(&mut self, what: Administration) -> Result<Administered, DeskError> {
        let attempt = self.next();
        self.send(Command::Administer(attempt, Box::new(what), Moment::read()))?;
        let done = self.until(|outcome| {
            let Outcome::Administered(answered, done) = outcome else { return None };
            (answered == attempt).then_some(done)
        })?;
        Ok(done?)
    }

    /// Closes the vault and ends the store.
    ///
    /// # Errors
    /// The store did not close.
    pub fn close(mut self) -> Result<(), DeskError> {
        self.send(Command::Close(None, Moment::read()))?;
        self.until(|outcome| matches!(outcome, Outcome::Closed).then_some(()))?;
        let Self { store, mut outcomes, thread, .. } = self;
        drop(store);
        while outcomes.blocking_recv().is_some() {}
        thread.join().map_err(|_| DeskError::Silent)
    }

    /// A number for the next question.
    pub fn next(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt(self.attempts)
    }

    fn send(&self, command: Command) -> Result<(), DeskError> {
        self.store.try_send(command).map_err(|_| DeskError::Silent)
    }

    fn answer(&mut self) -> Result<Outcome, DeskError> {
        let outcomes = &mut self.outcomes;
        let received =
            self.timer.block_on(async { tokio::time::timeout(ANSWER_MAX, outcomes.recv()).await });
        received.ok().flatten().ok_or(DeskError::Silent)
    }

    fn until<T>(&mut self, mut wanted: impl FnMut(Outcome) -> Option<T>) -> Result<T, DeskError> {
        loop {
            let outcome = self.answer()?;
            if let Outcome::Fault(fault) = outcome {
                return Err(DeskError::Fault(fault));
            }
            if let Some(found) = wanted(outcome) {
                return Ok(found);
            }
        }
    }
}

const WRONG: DeskError =
    DeskError::Refused("The badge or card is not enrolled, or the PIN is wrong.");

/// Whether a second factor may be tried.
///
/// # Errors
/// Why not.
pub fn admitted(admission: Admission) -> Result<(), DeskError> {
    match admission {
        Admission::Try { .. } => Ok(()),
        Admission::Wait(_) => {
            Err(DeskError::Refused("A delay runs after wrong PINs. Try again in a few minutes."))
        }
        Admission::Exhausted => Err(DeskError::Refused(
            "All tries are used up. Another IT person, or the recovery words, can give a new PIN.",
        )),
    }
}

/// A refusal as an error.
pub fn refused(refusal: Refusal) -> DeskError {
    match refusal {
        Refusal::WrongFactors(_) => WRONG,
        Refusal::NotAdmitted(admission) => admitted(admission).err().unwrap_or(WRONG),
        Refusal::Expired => {
            DeskError::Refused("Your time on this cart is over. Ask another IT person.")
        }
        Refusal::ShiftOver | Refusal::NotTaken => {
            DeskError::Refused("These factors are not taken on this cart.")
        }
        Refusal::Damaged(fault) => DeskError::Fault(fault),
    }
}

/// Asks for a PIN.
///
/// # Errors
/// What was typed is not six to eight digits.
pub fn pin(prompt: &str) -> Result<Pin, terminal::InputError> {
    let typed = terminal::secret(prompt)?;
    let digits = typed.expose();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(terminal::InputError::NotAPin);
    }
    let pin: Pin = digits.bytes().map(|byte| byte - b'0').collect();
    if pin.is_complete() && pin.len() == digits.len() {
        Ok(pin)
    } else {
        Err(terminal::InputError::NotAPin)
    }
}
