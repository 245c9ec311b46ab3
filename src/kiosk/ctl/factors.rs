//! Two factors at the terminal: a badge or a card, and a PIN, by the kiosk's own drivers.
//!
//! The store judges them, as at the screen. PINs come from the terminal, unseen, or from standard
//! input, and never from the command line's words.

pub mod readers;

use std::time::Duration;

use tokio::sync::mpsc;

use self::readers::{Readers, Seen};
use crate::ctl::access::options;
use crate::ctl::args::Places;
use crate::ctl::failure::Failure;
use crate::ctl::{progress, terminal};
use wardkeep_core::config::Config;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Evidence, Pin, Token};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::keeping::{
    Administered, Administration, Command, Found, Identified, Outcome, Refusal, Suspicion,
};
use wardkeep_model::moment::Moment;
use wardkeep_store::{self as store, StoreHandle};

/// The store answers within this, a rotation of its keys included.
const ANSWER_MAX: Duration = Duration::from_secs(600);
const OUTCOMES_MAX: usize = 64;

/// Waits for a token that the store knows, and for what proves that its owner holds it.
///
/// # Errors
/// Nothing was presented, or the token may not be tried.
pub fn present(
    readers: &mut Readers,
    identify: impl FnOnce(Token) -> Result<Identified, Failure>,
) -> Result<Evidence, Failure> {
    let token = token(readers)?;
    let identified = identify(token.clone())?;
    admitted(identified.admission)?;
    let pin = pin("Your PIN: ")?;
    match token {
        Token::Badge(badge) => Ok(Evidence::BadgePin(badge, pin)),
        Token::Card(card) => {
            let peer = identified.peer.ok_or(WRONG)?;
            let secret = readers.prove(card, pin, peer)?;
            Ok(Evidence::Card(card, secret))
        }
    }
}

/// Waits for a badge or a card.
///
/// # Errors
/// Nothing was presented.
pub fn token(readers: &mut Readers) -> Result<Token, Failure> {
    terminal::complain("Tap your badge, or insert your card.");
    Ok(match readers.present()? {
        Seen::Badge(badge) => Token::Badge(badge),
        Seen::Card(seen) => Token::Card(seen.card),
    })
}

/// The store, running for this command alone and open to whoever logged in.
pub struct Desk {
    readers: Readers,
    running: Running,
}

struct Running {
    store: StoreHandle,
    outcomes: mpsc::Receiver<Outcome>,
    thread: std::thread::JoinHandle<()>,
    timer: tokio::runtime::Runtime,
    attempts: u64,
}

impl Desk {
    /// Asks for two factors and opens the vault with them.
    ///
    /// # Errors
    /// The kiosk holds the store, it cannot be used, nothing was presented, or the factors are wrong.
    pub fn log_in(places: &Places, config: &Config) -> Result<Self, Failure> {
        let mut running = Running::start(places, config)?;
        let mut readers = Readers::start(config)?;
        let evidence = present(&mut readers, |token| running.identify(token))?;
        progress::begins("Opening the store");
        running.unlock(evidence)?;
        Ok(Self { readers, running })
    }

    /// The readers, for what is to be enrolled.
    pub fn readers(&mut self) -> &mut Readers {
        &mut self.readers
    }

    /// Has the store do something.
    ///
    /// # Errors
    /// It was not done; nothing has changed then.
    pub fn administer(&mut self, what: Administration) -> Result<Administered, Failure> {
        let running = &mut self.running;
        let attempt = running.next();
        running.send(Command::Administer(attempt, Box::new(what), Moment::read()))?;
        let done = running.until(|outcome| {
            let Outcome::Administered(answered, done) = outcome else { return None };
            (answered == attempt).then_some(done)
        })?;
        Ok(done?)
    }

    /// Closes the vault and ends the store.
    ///
    /// # Errors
    /// The store did not close.
    pub fn close(self) -> Result<(), Failure> {
        let mut running = self.running;
        running.send(Command::Close(None, Moment::read()))?;
        running.until(|outcome| matches!(outcome, Outcome::Closed).then_some(()))?;
        let Running { store, mut outcomes, thread, .. } = running;
        drop(store);
        while outcomes.blocking_recv().is_some() {}
        thread.join().map_err(|_| Failure::Silent)
    }
}

impl Running {
    /// Opens the locked part of the store.
    fn start(places: &Places, config: &Config) -> Result<Self, Failure> {
        let (sender, outcomes) = mpsc::channel(OUTCOMES_MAX);
        let spawned = store::spawn(options(places, config), sender);
        let (store, thread) = spawned.map_err(Failure::Start)?;
        let timer = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let timer = timer.map_err(Failure::Start)?;
        let mut running = Self { store, outcomes, thread, timer, attempts: 0 };
        match running.until(|outcome| {
            let Outcome::Found(found) = outcome else { return Some(Err(Failure::Silent)) };
            Some(Ok(found))
        })?? {
            Found::Store(_) => Ok(running),
            Found::Nothing => Err(Failure::NoStore(places.state())),
            Found::Broken(fault, _) => Err(fault.into()),
        }
    }

    fn identify(&mut self, token: Token) -> Result<Identified, Failure> {
        let attempt = self.next();
        self.send(Command::Identify(attempt, token, Moment::read()))?;
        self.until(|outcome| {
            let Outcome::Identified(answered, identified) = outcome else { return None };
            (answered == attempt).then_some(identified)
        })
    }

    fn unlock(&mut self, evidence: Evidence) -> Result<(), Failure> {
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

    /// A number for the next question.
    fn next(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt(self.attempts)
    }

    fn send(&self, command: Command) -> Result<(), Failure> {
        self.store.try_send(command).map_err(|_| Failure::Silent)
    }

    fn answer(&mut self) -> Result<Outcome, Failure> {
        let outcomes = &mut self.outcomes;
        let received =
            self.timer.block_on(async { tokio::time::timeout(ANSWER_MAX, outcomes.recv()).await });
        received.ok().flatten().ok_or(Failure::Silent)
    }

    fn until<T>(&mut self, mut wanted: impl FnMut(Outcome) -> Option<T>) -> Result<T, Failure> {
        loop {
            let outcome = self.answer()?;
            if let Outcome::Fault(fault) = outcome {
                return Err(fault.into());
            }
            if let Some(found) = wanted(outcome) {
                return Ok(found);
            }
        }
    }
}

const WRONG: Failure = Failure::Refused("The badge or card is not enrolled, or the PIN is wrong.");

/// Whether a second factor may be tried.
///
/// # Errors
/// Why not.
fn admitted(admission: Admission) -> Result<(), Failure> {
    match admission {
        Admission::Try { .. } => Ok(()),
        Admission::Wait(_) => {
            Err(Failure::Refused("A delay runs after wrong PINs. Try again in a few minutes."))
        }
        Admission::Exhausted => Err(Failure::Refused(
            "All tries are used up. Another IT person, or the recovery words, can give a new PIN.",
        )),
    }
}

/// A refusal as an error.
pub fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::WrongFactors(_) => WRONG,
        Refusal::NotAdmitted(admission) => admitted(admission).err().unwrap_or(WRONG),
        Refusal::Expired => {
            Failure::Refused("Your time on this cart is over. Ask another IT person.")
        }
        Refusal::ShiftOver | Refusal::NotTaken => {
            Failure::Refused("These factors are not taken on this cart.")
        }
        Refusal::Suspected(Suspicion::StoreOlder) => Failure::Refused(
            "Something outside this cart's disk knows a later store. Find out why, then accept this one: `wardkeepctl store accept`.",
        ),
        Refusal::Suspected(Suspicion::CounterSilent) => Failure::Refused(
            "The counter outside the disk does not answer, so no PIN of a badge is tested. Use a card, mend the counter (`wardkeepctl doctor`), or accept the store without it: `wardkeepctl store accept`.",
        ),
        Refusal::Damaged(fault) => fault.into(),
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
