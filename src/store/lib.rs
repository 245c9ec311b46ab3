//! The encrypted store: what it is asked ([`Command`]) and what it answers ([`Outcome`]).
//!
//! ```text
//!  vault (SQLCipher)   opened by a person's two factors      patients, observations, audit
//!  inbox (sealed)      written by anyone, opened with vault  what is recorded while locked
//!  cart  (AEAD file)   opened by the device secret alone     what monitoring needs after a power cut
//! ```
//!
//! One thread owns every file and every key ([`spawn`]). S-3, S-4, S-5 and S-8 live here.
//!
//! The keys: `device_secret` (this machine), `keyslot` (two factors), `keyring` (the vault's master
//! key), `recovery` (24 words).

#![warn(clippy::indexing_slicing)]

mod backup;
mod cart;
mod crypto;
mod disk;
mod freshness;
mod import;
mod inbox;
mod keys;
pub mod log;
pub mod machine;
mod open;
mod record;
mod staff;
mod tools;
mod vault;
mod worker;

pub use backup::file::{BackupFault, Header as BackupHeader, front as read_backup_front};
pub use backup::restore::{
    Restored, RestoredPerson, restore_with_recovery, verify_backup_with_recovery,
};
pub use disk::set_aside::set_aside;
#[doc(hidden)]
pub use import::opener::authentic_records;
pub use machine::anchor::{Anchor, NoAnchor, TpmAnchor, of_this_machine as anchor_of_this_machine};
pub use machine::memory::{MemoryFacts, memory_facts, protect_memory};
pub use open::options::Options;
pub use open::setup::{RecoveredVault, open_with_recovery};
#[doc(hidden)]
pub use tools::bare::BareVault;
pub use tools::check::{Check, CheckFault, LockedStore, check_with_recovery};
pub use tools::inspect::{Facts, inspect};
pub use tools::rescue::administer_with_recovery;
pub use vault::{CipherFacts, cipher_facts};
pub use worker::handle::{Full, QUEUE_MAX, StoreHandle, spawn};

#[cfg(test)]
mod tests;
