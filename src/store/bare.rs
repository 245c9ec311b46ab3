//! The vault alone, without people, inbox and thread: what benchmarks compare with a plain database.

use std::path::Path;

use super::StoreFault;
use super::keyring::VaultKeys;
use super::segment::Entry;
use super::vault::Vault;
use crate::vitals::Observation;

/// A vault under a key that nobody keeps.
#[derive(Debug)]
pub struct BareVault(Vault);

impl BareVault {
    /// Makes a vault where there is none.
    ///
    /// # Errors
    /// As writing a file.
    pub fn create(path: &Path) -> Result<Self, StoreFault> {
        Vault::create(path, &VaultKeys::generate()?).map(Self)
    }

    /// Keeps observations in one transaction, as the store's thread does; gives back how many were
    /// refused.
    ///
    /// # Errors
    /// As writing a file.
    pub fn append(&mut self, observations: Vec<Observation>) -> Result<u64, StoreFault> {
        let entries = observations.into_iter().map(|one| Entry::Observation(Box::new(one)));
        self.0.append(&entries.collect::<Vec<_>>())
    }
}
