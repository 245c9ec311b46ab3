//! The vault alone, without people, inbox and thread: what benchmarks compare with a plain database, and fill as a
//! long time of use would.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use jiff::Timestamp;

use crate::disk::durable::StateDir;
use crate::disk::layout::VAULT;
use crate::keys::recovery;
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::VaultKeys;
use crate::log::file::{Flaw, Verified};
use crate::open::options::Options;
use crate::record::entry::Entry;
use crate::vault::made::{self, PackedDay, Size};
use crate::vault::{Vault, audit, entries};
use wardkeep_model::keeping::{AuditEntry, RecoveryPhrase, StoreFault};
use wardkeep_model::vitals::Observation;

/// A vault whose keys nobody keeps, or one of a store on which no kiosk runs.
pub struct BareVault {
    vault: Vault,
    keys: VaultKeys,
    _state: Option<StateDir>,
}

impl BareVault {
    /// Makes a vault where there is none.
    ///
    /// # Errors
    /// As writing a file.
    pub fn create(path: &Path) -> Result<Self, StoreFault> {
        let keys = VaultKeys::generate()?;
        Ok(Self { vault: Vault::create(path, &keys)?, keys, _state: None })
    }

    /// Opens the vault of a store with its recovery words.
    ///
    /// # Errors
    /// `Damaged` if they are not this store's; otherwise as opening it.
    pub fn open(options: &Options, phrase: &RecoveryPhrase) -> Result<Self, StoreFault> {
        let private = recovery::private_key(phrase).map_err(|_| StoreFault::Damaged)?;
        let state = StateDir::take(options.state_dir())?;
        let opened = Keyring::opened_by(&state.store(), Recipient::Recovery, &private)?;
        let (_, keys) = opened.ok_or(StoreFault::Damaged)?;
        let vault = Vault::open(&state.store().join(VAULT), &keys)?;
        Ok(Self { vault, keys, _state: Some(state) })
    }

    /// Keeps observations in one transaction, as the store's thread does; gives back how many were
    /// refused.
    ///
    /// # Errors
    /// As writing a file.
    pub fn append(&mut self, observations: Vec<Observation>) -> Result<u64, StoreFault> {
        let kept = observations.into_iter().map(|one| Entry::Observation(Box::new(one)));
        Ok(entries::append(&mut self.vault, &kept.collect::<Vec<_>>())?)
    }

    /// Keeps audit entries, and signs the log after every `session` of them, as each lock does.
    ///
    /// # Errors
    /// As writing a file.
    pub fn log(&mut self, entries: &[AuditEntry], session: usize) -> Result<(), StoreFault> {
        Ok(audit::append_sessions(&mut self.vault, &self.keys, entries.chunks(session))?)
    }

    /// Writes the audit log into a file; how many entries it has.
    ///
    /// # Errors
    /// As writing a file.
    pub fn export_log(&mut self, out: &Path) -> Result<u64, StoreFault> {
        let file = BufWriter::new(File::create(out)?);
        Ok(audit::export(&mut self.vault, &self.keys, file)?)
    }

    /// Compares the audit log's tables with what was signed.
    ///
    /// # Errors
    /// As reading a file.
    pub fn check_log(&self) -> Result<Result<Verified, Flaw>, StoreFault> {
        Ok(audit::check(&self.vault, &self.keys)?)
    }

    /// What verifies the audit log.
    ///
    /// # Errors
    /// As reading a file.
    pub fn log_key(&self) -> Result<String, StoreFault> {
        Ok(audit::key(&self.vault, &self.keys)?)
    }

    /// Keeps a day: its rows, and what of it is packed, at this age of the store and time of the wall clock.
    ///
    /// # Errors
    /// As writing a file.
    pub fn keep_day(
        &mut self,
        (observations, audit): (Vec<Observation>, Vec<AuditEntry>),
        packed: &[PackedDay<'_>],
        at: (i64, Timestamp),
    ) -> Result<u64, StoreFault> {
        let rows = observations.into_iter().map(|one| Entry::Observation(Box::new(one)));
        let rows = rows.chain(audit.into_iter().map(|entry| Entry::Audit(Box::new(entry))));
        Ok(made::keep_day(&mut self.vault, &rows.collect::<Vec<_>>(), packed, at)?)
    }

    /// Leaves the rows that are not packed as a program before version 7 of the schema did, which summed none.
    ///
    /// # Errors
    /// As writing a file.
    pub fn forget_sums(&mut self) -> Result<(), StoreFault> {
        Ok(made::forget_sums(&mut self.vault)?)
    }

    /// How large the vault is.
    ///
    /// # Errors
    /// As reading the database.
    pub fn size(&self) -> Result<Size, StoreFault> {
        Ok(made::size(&self.vault)?)
    }

    /// Closes it.
    ///
    /// # Errors
    /// As writing a file.
    pub fn close(self) -> Result<(), StoreFault> {
        Ok(self.vault.close()?)
    }
}
