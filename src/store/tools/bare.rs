//! The vault alone, without people, inbox and thread: what benchmarks compare with a plain database.

use std::path::Path;

use crate::keys::vault_keys::VaultKeys;
use crate::record::entry::Entry;
use crate::vault::{Vault, entries};
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::Observation;

/// A vault under a key that nobody keeps.
#[derive(Debug)]
pub struct BareVault(Vault);

impl BareVault {
    /// Makes a vault where there is none.
    ///
    /// # Errors
    /// As writing a file.
    pub fn create(path: &Path) -> Result<Self, StoreFault> {
        Ok(Self(Vault::create(path, &VaultKeys::generate()?)?))
    }

    /// Keeps observations in one transaction, as the store's thread does; gives back how many were
    /// refused.
    ///
    /// # Errors
    /// As writing a file.
    pub fn append(&mut self, observations: Vec<Observation>) -> Result<u64, StoreFault> {
        let kept = observations.into_iter().map(|one| Entry::Observation(Box::new(one)));
        Ok(entries::append(&mut self.0, &kept.collect::<Vec<_>>())?)
    }
}
