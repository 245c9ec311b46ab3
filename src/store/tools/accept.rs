//! Accepting a store that something outside it speaks against: IT has found out why, and takes it as it is.
//!
//! It takes the recovery words and the badge or card of somebody who may manage people: in an older store a
//! badge of somebody who was revoked since is enrolled still, and in no store are the words of another. What is
//! accepted, with its numbers, is in the audit log before anybody can log in.

use crate::disk::durable::StateDir;
use crate::keys::recovery;
use crate::keys::ring::Recipient;
use crate::open::locked::{Loaded, Locked};
use crate::open::opened::Open;
use crate::open::options::Options;
use crate::vault::cipher_facts;
use wardkeep_model::access::factor::Token;
use wardkeep_model::access::policy::Permission;
use wardkeep_model::keeping::{AuditAct, AuditEntry, Finding, RecoveryPhrase, StoreFault};
use wardkeep_model::moment::Moment;

/// Why a store was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptFault {
    /// These are not the recovery words of this store.
    #[error("these are not the recovery words of this store")]
    Words,
    /// Nobody who may manage people has this badge or card.
    #[error("this badge or card is not that of an IT person")]
    NotAllowed,
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// A store that waits for the words.
pub struct Suspected {
    store: Box<Locked>,
    /// What speaks against it; nothing where it is not suspected.
    pub against: Vec<Finding>,
}

impl Suspected {
    /// Opens the locked part, as a start of the kiosk does, and asks what is outside the disk.
    ///
    /// # Errors
    /// `Foreign` if there is no store; otherwise as opening it.
    pub fn open(options: &Options, now: Moment) -> Result<Self, StoreFault> {
        cipher_facts()?;
        match Locked::load(StateDir::take(options.state_dir())?, options, now)? {
            Loaded::Store(mut store) => {
                let found = store.anchor(now);
                let suspected = store.cart().suspected;
                let silent = found.into_iter().filter(|found| Some(*found) != suspected);
                let against = suspected.into_iter().chain(silent).collect();
                Ok(Self { store, against })
            }
            Loaded::Nothing(_) => Err(StoreFault::Foreign),
        }
    }

    /// Accepts it: people may log in again, and what is outside the disk is begun with anew.
    ///
    /// # Errors
    /// See [`AcceptFault`]; then nothing was accepted.
    pub fn accept(
        self,
        phrase: &RecoveryPhrase,
        token: &Token,
        now: Moment,
    ) -> Result<(), AcceptFault> {
        let Self { store, against } = self;
        let private = recovery::private_key(phrase).map_err(|_| AcceptFault::Words)?;
        let keys = store.ring().open(Recipient::Recovery, &private).ok_or(AcceptFault::Words)?;
        let index = store.keys().token_index(token);
        let person = store.cart().token(&index).map(|(person, _)| person.clone());
        let person = person.filter(|person| person.role.may(Permission::ManagePeople));
        let person = person.ok_or(AcceptFault::NotAllowed)?;
        let vault = store.vault_file(&keys)?;
        let mut open = Open::renewed(store, (vault, keys), None);
        for finding in against {
            let entry = AuditEntry::of(AuditAct::StoreAccepted, now.wall);
            let finding = Some(finding);
            open.audit(AuditEntry { person: Some(person.id), finding, ..entry }, now)?;
        }
        let mut cart = open.locked().cart().clone();
        (cart.suspected, cart.anchored, cart.witnessed) = (None, None, None);
        open.locked_mut().commit_cart(cart)?;
        let (_, closed) = open.close();
        Ok(closed?)
    }
}
