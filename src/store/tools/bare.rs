//! The vault alone, without people, inbox and thread: what benchmarks measure.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use crate::keys::vault_keys::VaultKeys;
use crate::log::file::{Flaw, Verified};
use crate::record::entry::Entry;
use crate::vault::{Vault, audit, entries};
use wardkeep_model::keeping::{AuditEntry, StoreFault};
use wardkeep_model::vitals::Observation;

/// A vault whose keys nobody keeps.
pub struct BareVault {
    vault: Vault,
    keys: VaultKeys,
}

impl BareVault {
    /// Makes a vault where there is none.
    ///
    /// # Errors
    /// As writing a file.
    pub fn create(path: &Path) -> Result<Self, StoreFault> {
        let keys = VaultKeys::generate()?;
        Ok(Self { vault: Vault::create(path, &keys)?, keys })
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
}
