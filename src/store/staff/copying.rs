//! The copy of the vault that a change of keys makes, on a thread of its own: meanwhile the store has its locked
//! part, and records into the inbox.
//!
//! S-3: the vault and its keys are in that thread alone until they come back. It is given up within moments
//! when the session ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::InterruptHandle;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use crate::crypto::wipe_deep_stack;
use crate::keys::vault_keys::VaultKeys;
use crate::open::locked::Locked;
use crate::open::opened::{Open, Opener};
use crate::staff::rotate::{self, Begun};
use crate::vault::{Vault, entries};
use wardkeep_model::keeping::{Rekeying, StoreFault};

/// Between two looks whether the thread has let go.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What goes there and comes back.
struct Loan {
    vault: Vault,
    keys: VaultKeys,
    begun: Begun,
}

/// What the thread gives back.
pub struct Back {
    loan: Loan,
    copied: Result<(), StoreFault>,
}

/// A thread that waits for the vault: what of the next epoch there is, the way there and back, and how it is told to
/// give up.
type Waiting = (Begun, oneshot::Sender<Loan>, oneshot::Receiver<Box<Back>>, Arc<AtomicBool>);

/// A copy that is being made.
pub struct Copying {
    locked: Box<Locked>,
    opener: Opener,
    back: oneshot::Receiver<Box<Back>>,
    interrupter: InterruptHandle,
    given_up: Arc<AtomicBool>,
    from: PathBuf,
    to: PathBuf,
}

/// A store that has its vault back.
pub struct Returned {
    /// The store. It says that nothing waits in the inbox.
    pub open: Box<Open>,
    /// The copy, or why there is none.
    pub copied: Result<Begun, StoreFault>,
}

impl Copying {
    /// Begins.
    ///
    /// # Errors
    /// As writing files, or `Io` if there can be no thread; beside the store as it was.
    pub fn start(mut open: Box<Open>) -> Result<Self, (Box<Open>, StoreFault)> {
        match Self::prepared(&mut open) {
            Ok((begun, to_thread, back, given_up)) => {
                let (locked, (vault, keys), opener) = open.split();
                let (interrupter, from) = (vault.interrupter(), locked.vault_path());
                let to = begun.vault();
                if to_thread.send(Loan { vault, keys, begun }).is_err() {
                    // It ends only with what it waits for; the caller finds its way back closed.
                    tracing::warn!("the thread that changes keys has ended");
                }
                Ok(Self { locked, opener, back, interrupter, given_up, from, to })
            }
            Err(fault) => {
                rotate::remove(open.locked());
                Err((open, fault))
            }
        }
    }

    /// A thread that waits for the vault.
    fn prepared(open: &mut Open) -> Result<Waiting, StoreFault> {
        let begun = Begun::new(open.locked())?;
        let (vault, keys, locked) = open.parts();
        // As at a lock: what is sealed from here on only the vault can verify.
        locked.inbox_mut().start_chain(keys, entries::cursor(vault)?)?;
        let (to_thread, loan) = oneshot::channel::<Loan>();
        let (give_back, back) = oneshot::channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let is_given_up = given_up.clone();
        let work = move || {
            let Ok(mut loan) = loan.blocking_recv() else { return };
            let copied = loan.begun.copy(&mut loan.vault, &is_given_up);
            wipe_deep_stack();
            // Nobody waits for it where the program ends: it is dropped, and its keys are wiped.
            drop(give_back.send(Box::new(Back { loan, copied })));
        };
        thread::Builder::new().name("rekey".into()).spawn(work)?;
        Ok((begun, to_thread, back, given_up))
    }

    /// The locked part.
    pub fn locked(&self) -> &Locked {
        &self.locked
    }

    /// The locked part.
    pub fn locked_mut(&mut self) -> &mut Locked {
        &mut self.locked
    }

    /// How far it is.
    pub fn progress(&self) -> Rekeying {
        let length = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        let total = length(&self.from);
        Rekeying { done: length(&self.to).min(total), total }
    }

    /// Waits for the vault; `None` if the thread has failed. It may be dropped while it waits.
    pub async fn back(&mut self) -> Option<Box<Back>> {
        (&mut self.back).await.ok()
    }

    /// Ends it, wherever it is, and waits until the vault is back.
    pub fn stop(mut self) -> Result<Returned, Box<Locked>> {
        self.given_up.store(true, Ordering::Relaxed);
        let back = loop {
            match self.back.try_recv() {
                Ok(back) => break Some(back),
                Err(TryRecvError::Closed) => break None,
                Err(TryRecvError::Empty) => {
                    self.interrupter.interrupt();
                    thread::sleep(LOOK_EVERY);
                }
            }
        };
        self.returned(back)
    }

    /// The store with its vault.
    ///
    /// # Errors
    /// The locked part alone, where the thread has failed: its vault and keys are gone with it.
    pub fn returned(self, back: Option<Box<Back>>) -> Result<Returned, Box<Locked>> {
        let Some(back) = back else { return Err(self.locked) };
        let Back { loan: Loan { vault, keys, begun }, copied } = *back;
        let open = Box::new(Open::joined(self.locked, (vault, keys), self.opener));
        Ok(Returned { open, copied: copied.map(|()| begun) })
    }
}
