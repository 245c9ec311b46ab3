//! A store whose vault is open: it exists from unlock to close, and the vault's keys with it.
//!
//! What needs the open vault takes an [`Open`], so nothing can be asked of a vault that is closed.

use crate::disk::durable;
use crate::disk::layout::CHECKPOINT;
use crate::keys::vault_keys::VaultKeys;
use crate::open::locked::Locked;
use crate::record::entry::Entry;
use crate::vault::{Vault, audit, entries};
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{AuditAct, AuditEntry, StoreFault};
use wardkeep_model::moment::Moment;

/// A store, locked or open.
pub enum Store {
    /// Nobody has the vault open.
    Locked(Box<Locked>),
    /// Somebody has.
    Open(Box<Open>),
}

/// Who has a vault open.
#[derive(Clone, Copy, Debug)]
pub struct Opener {
    /// Nobody where the recovery words did.
    operator: Option<OperatorId>,
    /// They took themselves away, or something of theirs: the session ends when that is done.
    is_out: bool,
}

/// A store whose vault is open.
pub struct Open {
    locked: Box<Locked>,
    vault: Vault,
    keys: VaultKeys,
    opener: Opener,
    imported: bool,
}

impl Open {
    /// A vault that this person opened; nobody where the recovery words did.
    pub fn new(
        locked: Box<Locked>,
        (vault, keys): (Vault, VaultKeys),
        operator: Option<OperatorId>,
    ) -> Self {
        let opener = Opener { operator, is_out: false };
        Self { locked, vault, keys, opener, imported: false }
    }

    /// The same where nothing waits to be imported: that was done before, or is done by other means.
    pub fn renewed(
        locked: Box<Locked>,
        opened: (Vault, VaultKeys),
        operator: Option<OperatorId>,
    ) -> Self {
        Self { imported: true, ..Self::new(locked, opened, operator) }
    }

    /// What [`Open::split`] gave, put together.
    pub fn joined(locked: Box<Locked>, (vault, keys): (Vault, VaultKeys), opener: Opener) -> Self {
        Self { locked, vault, keys, opener, imported: true }
    }

    /// The locked part.
    pub fn locked(&self) -> &Locked {
        &self.locked
    }

    /// The locked part.
    pub fn locked_mut(&mut self) -> &mut Locked {
        &mut self.locked
    }

    /// The vault, for reading.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The vault.
    pub fn vault_mut(&mut self) -> &mut Vault {
        &mut self.vault
    }

    /// Keys of the vault.
    pub fn keys(&self) -> &VaultKeys {
        &self.keys
    }

    /// Vault, keys and locked part at once.
    pub fn parts(&mut self) -> (&mut Vault, &VaultKeys, &mut Locked) {
        (&mut self.vault, &self.keys, &mut self.locked)
    }

    /// Who has it open; nobody where the recovery words did.
    pub fn operator(&self) -> Option<OperatorId> {
        self.opener.operator
    }

    /// Whoever has it open was taken away, or something of theirs was.
    pub fn is_out(&self) -> bool {
        self.opener.is_out
    }

    /// Somebody is taken away, or something of theirs.
    pub fn takes_away(&mut self, operator: OperatorId) {
        self.opener.is_out |= self.opener.operator == Some(operator);
    }

    /// Whether all that was sealed while locked is in the vault.
    pub fn is_imported(&self) -> bool {
        self.imported
    }

    /// All that was sealed while locked is in the vault.
    pub fn set_imported(&mut self) {
        self.imported = true;
    }

    /// Something waits in the inbox again.
    pub fn wait_for_import(&mut self) {
        self.imported = false;
    }

    /// An entry about a person, by whoever has the vault open.
    pub fn entry(&self, act: AuditAct, person: OperatorId, now: Moment) -> AuditEntry {
        let operator = self.operator();
        AuditEntry { operator, person: Some(person), ..AuditEntry::of(act, now.wall) }
    }

    /// Writes an entry before the act's commit.
    ///
    /// # Errors
    /// As writing the vault.
    pub fn audit(&mut self, mut entry: AuditEntry, now: Moment) -> Result<(), StoreFault> {
        self.locked.stamp(&mut entry, now);
        entries::append(&mut self.vault, &[Entry::Audit(Box::new(entry))])?;
        Ok(())
    }

    /// Signs the log if it has grown, and leaves the newest checkpoint beside the vault: readable and not
    /// secret, so that whatever copies the directory, or looks at it, takes a witness along.
    ///
    /// # Errors
    /// As writing files.
    pub fn seal_log(&mut self) -> Result<(), StoreFault> {
        let note = audit::seal(&mut self.vault, &self.keys)?;
        durable::replace(&self.locked.dir(), CHECKPOINT, note.as_bytes())
    }

    /// Closes the vault and wipes its keys. The inbox remembers the closed vault, and seals into chains that
    /// only the vault can verify.
    ///
    /// # Errors
    /// As writing files, beside the store, which is locked in any case.
    pub fn close(self) -> (Box<Locked>, Result<(), StoreFault>) {
        let Self { mut locked, mut vault, keys, .. } = self;
        let inbox = locked.inbox_mut();
        let expected = entries::cursor(&vault).unwrap_or_default();
        // A fault comes again from the close below.
        let settled = vault.settle().map(|seen| inbox.remember_vault(seen));
        let chained = inbox.start_chain(&keys, expected);
        drop(keys);
        let remembered = match settled.map_err(StoreFault::from).and(chained) {
            Ok(()) if inbox.pending() == 0 => vault.remembered(),
            Ok(()) | Err(_) => Ok(()),
        };
        let closed = vault.close_for_now();
        let closed = remembered.and(closed).map_err(StoreFault::from);
        let closed = closed.map(|comparison| locked.compared = Some(comparison));
        (locked, chained.and(closed))
    }

    /// Wipes the keys and closes the database; the inbox is told nothing.
    ///
    /// # Errors
    /// As writing a file, beside the store, which is locked in any case.
    pub fn shut(self) -> (Box<Locked>, Result<(), StoreFault>) {
        let Self { mut locked, vault, keys, .. } = self;
        drop(keys);
        let closed = vault.close_for_now().map_err(StoreFault::from);
        let closed = closed.map(|comparison| locked.compared = Some(comparison));
        (locked, closed)
    }

    /// The locked part, the vault with its keys, and who has it open, each by itself.
    pub fn split(self) -> (Box<Locked>, (Vault, VaultKeys), Opener) {
        (self.locked, (self.vault, self.keys), self.opener)
    }

    /// Wipes the keys and lets go of a database that is not to be written any more.
    pub fn give_up(self) -> Box<Locked> {
        self.locked
    }
}
