//! From a person's two factors to the vault's master key.

pub(crate) mod keyslot;
pub(crate) mod recovery;
pub(crate) mod ring;
pub(crate) mod vault_keys;
