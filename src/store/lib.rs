//! The encrypted store: what it is asked ([`Command`](wardkeep_model::keeping::Command)) and what it answers
//! ([`Outcome`](wardkeep_model::keeping::Outcome)).
//!
//! ```text
//!  vault (SQLCipher)   opened by a person's two factors      patients, observations, audit
//!  inbox (sealed)      written by anyone, opened with vault  what is recorded while locked
//!  cart  (AEAD file)   opened by the device secret alone     what monitoring needs after a power cut
//! ```
//!
//! One thread owns every file and every key ([`spawn`]). S-3, S-4, S-5 and S-8 live here.
//!
//! Each room imports only rooms above it:
//!
//! | room | what belongs there |
//! |---|---|
//! | `crypto` | the few operations, and the key |
//! | `disk` | files that survive a kill, and their names |
//! | `machine` | what this machine gives: its secret, its counter, memory that is not written to disk |
//! | `keys` | from a person's two factors to the vault's keys |
//! | `record` | how one entry is written |
//! | `log` | the signed audit log, without a database |
//! | `cart` | what must be known with nobody there |
//! | `inbox` | what is recorded while locked |
//! | `freshness` | is this the vault that was acknowledged? |
//! | `vault` | the encrypted tables, each as functions over the open vault |
//! | `import` | what the inbox holds, on its way into the vault |
//! | `open` | the locked store, and opening it |
//! | `backup` | out, and in again |
//! | `staff` | what IT does in an open store |
//! | `worker` | the thread, and what it owns |
//! | `tools` | what is done without a kiosk |
//!
//! Where to start: `open/locked.rs` is what is there at every moment, `open/opened.rs` what a person's
//! factors add to it, and `worker/commands.rs` what is done with both. While the vault is open an observation
//! goes through `worker/keeping.rs`, `worker/backlog.rs`, `vault/entries.rs` and `vault/rows/insert.rs`; while it
//! is locked through `worker/keeping.rs` and `inbox/lane.rs`, and then `import` and `vault/entries.rs`.

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
pub use disk::place::{Place, look as look_at_place};
pub use disk::set_aside::set_aside;
#[doc(hidden)]
pub use import::opener::authentic_records;
pub use machine::anchor::{Anchor, NoAnchor, TpmAnchor, of_this_machine as anchor_of_this_machine};
pub use machine::memory::{MemoryFacts, memory_facts, protect_memory};
pub use open::options::Options;
pub use tools::accept::{AcceptFault, Suspected};
#[doc(hidden)]
pub use tools::bare::BareVault;
pub use tools::check::{Check, CheckFault, LockedStore, check_with_recovery};
pub use tools::inspect::{Facts, belongs_here, cart_state, inspect};
pub use tools::recovered::{RecoveredVault, open_with_recovery};
pub use tools::remains::{Remains, Shredded, remains, shred_set_aside};
pub use tools::rescue::administer_with_recovery;
pub use tools::salvage::{SalvageFault, Salvaged, Waiting, salvage_with_recovery};
pub use tools::words::sentence as finding_sentence;
#[doc(hidden)]
pub use vault::made::{PackedDay, Size};
pub use vault::raw::map::DamagedPage;
pub use vault::salvage::{LostRows, SalvagedRows, SalvagedTable};
pub use vault::{CipherFacts, cipher_facts};
pub use worker::handle::{Full, QUEUE_MAX, StoreHandle, spawn};

#[cfg(test)]
mod tests;
