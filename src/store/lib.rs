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

mod anchor;
mod aside;
mod audit;
pub mod audit_file;
mod backup;
mod backup_file;
mod bare;
mod body;
mod cart;
mod chain;
mod changes;
mod check;
mod checkpoint;
mod codes;
pub mod device_secret;
mod draft;
mod durable;
mod emergency;
mod enrol;
mod entry;
mod fault;
mod freshness;
mod handle;
mod head;
mod import;
mod inbox;
mod inspect;
mod integrity;
mod keep;
mod keyring;
mod keyslot;
mod lane;
mod ledger;
mod line;
mod mark;
mod memory;
mod merkle;
mod opener;
mod oversight;
mod pages;
mod patient_keys;
mod patients;
mod people;
mod primitives;
mod recovery;
mod rescue;
mod restore;
mod retention;
mod rotation;
mod rows;
mod schema;
mod segment;
mod setup;
mod shift;
mod space;
mod staff;
pub mod tpm;
mod trends;
mod twins;
mod unlock;
mod upkeep;
mod vault;
mod wal;
mod waves;
mod worker;

pub use anchor::{Anchor, NoAnchor, TpmAnchor, of_this_machine as anchor_of_this_machine};
pub use aside::set_aside;
pub use backup_file::{BackupFault, Header as BackupHeader, front as read_backup_front};
#[doc(hidden)]
pub use bare::BareVault;
pub use check::{Check, CheckFault, LockedStore, check_with_recovery};
pub use handle::{Full, Options, QUEUE_MAX, StoreHandle, spawn};
pub use inspect::{Facts, inspect};
pub use memory::{MemoryFacts, memory_facts, protect_memory};
#[doc(hidden)]
pub use opener::authentic_records;
pub use rescue::administer_with_recovery;
pub use restore::{Restored, RestoredPerson, restore_with_recovery, verify_backup_with_recovery};
pub use setup::{RecoveredVault, open_with_recovery};
pub use vault::{CipherFacts, cipher_facts};

#[cfg(test)]
mod tests;
