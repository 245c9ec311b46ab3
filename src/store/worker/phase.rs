//! What the thread has of a store: nothing, its locked part, or an open vault.

use crate::disk::durable::StateDir;
use crate::open::locked::Locked;
use crate::open::opened::{Open, Store};
use crate::worker::importing::Importing;
use crate::worker::rekeying::Rekeying;
use wardkeep_model::keeping::StoreFault;

/// A vault that is open, and the import that runs since.
pub struct Session {
    /// The open store.
    pub open: Box<Open>,
    /// What was sealed while locked on its way into the vault.
    pub import: Importing,
}

/// What the thread has.
pub enum Phase {
    /// The directory cannot be used; `Retry` looks again.
    Stopped(StoreFault),
    /// The directory can be used, and there is no store.
    Empty(StateDir),
    /// A store that nobody has open.
    Locked(Box<Locked>),
    /// A store that somebody has open.
    Open(Session),
    /// The same, while its vault is written anew under other keys on another thread.
    Rekeying(Box<Rekeying>),
}

impl Phase {
    /// What an act left of a session.
    pub fn after(store: Store, import: Importing) -> Self {
        match store {
            Store::Locked(locked) => Phase::Locked(locked),
            Store::Open(open) => Phase::Open(Session { open, import }),
        }
    }

    /// The locked part, if there is a store.
    pub fn locked(&self) -> Option<&Locked> {
        match self {
            Phase::Stopped(_) | Phase::Empty(_) => None,
            Phase::Locked(locked) => Some(locked),
            Phase::Open(session) => Some(session.open.locked()),
            Phase::Rekeying(rekeying) => Some(rekeying.copy.locked()),
        }
    }

    /// The locked part, if there is a store.
    pub fn locked_mut(&mut self) -> Option<&mut Locked> {
        match self {
            Phase::Stopped(_) | Phase::Empty(_) => None,
            Phase::Locked(locked) => Some(locked),
            Phase::Open(session) => Some(session.open.locked_mut()),
            Phase::Rekeying(rekeying) => Some(rekeying.copy.locked_mut()),
        }
    }

    /// The session, if the vault is open.
    pub fn session(&self) -> Option<&Session> {
        match self {
            Phase::Stopped(_) | Phase::Empty(_) | Phase::Locked(_) | Phase::Rekeying(_) => None,
            Phase::Open(session) => Some(session),
        }
    }

    /// The session, if the vault is open.
    pub(super) fn session_mut(&mut self) -> Option<&mut Session> {
        match self {
            Phase::Stopped(_) | Phase::Empty(_) | Phase::Locked(_) | Phase::Rekeying(_) => None,
            Phase::Open(session) => Some(session),
        }
    }

    /// Takes a locked store out. **Whoever takes it puts a phase in its place**: until then the thread has
    /// nothing, which is the safe state.
    pub(super) fn take_locked(&mut self) -> Option<Box<Locked>> {
        match std::mem::replace(self, Phase::Stopped(StoreFault::Io)) {
            Phase::Locked(locked) => Some(locked),
            other @ (Phase::Stopped(_) | Phase::Empty(_) | Phase::Open(_) | Phase::Rekeying(_)) => {
                *self = other;
                None
            }
        }
    }

    /// Takes a session out, as [`Phase::take_locked`].
    pub(super) fn take_session(&mut self) -> Option<Session> {
        match std::mem::replace(self, Phase::Stopped(StoreFault::Io)) {
            Phase::Open(session) => Some(session),
            other @ (Phase::Stopped(_)
            | Phase::Empty(_)
            | Phase::Locked(_)
            | Phase::Rekeying(_)) => {
                *self = other;
                None
            }
        }
    }

    /// Takes a change of keys out, as [`Phase::take_locked`].
    pub(super) fn take_rekeying(&mut self) -> Option<Box<Rekeying>> {
        match std::mem::replace(self, Phase::Stopped(StoreFault::Io)) {
            Phase::Rekeying(rekeying) => Some(rekeying),
            other @ (Phase::Stopped(_) | Phase::Empty(_) | Phase::Locked(_) | Phase::Open(_)) => {
                *self = other;
                None
            }
        }
    }
}
