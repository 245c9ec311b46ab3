//! The files of an epoch: how a change of keys is laid out on the disk, committed and finished.
//!
//! ```text
//!  prepare   epoch-<e+1>/   slots     outer layer of epoch e+1, inside as they were
//!                           vault.db  everything, under the new K_db
//!                           head      first key of a chain that the new master key gives
//!                           cart      without the person or the token
//!                           emergency, drafts, keyring
//!  commit    epoch-<e+1>/keyring -> keyring                            one rename
//!  finish    the other files take their places, epoch-<e+1>/ is removed
//! ```
//!
//! Keyring and cart compartment have a second copy each, which waits and moves with them. A keyring that
//! is damaged between commit and finish is read from the copy that waits; the copy of the epoch before
//! never rules where a keyring has left its `epoch-<e+1>/`.
//!
//! Before the commit a kill leaves a directory of an epoch that the keyring does not have: the next
//! start removes it. After it, the next start finishes; that needs no key of anybody. In between
//! nothing is ever half new, because a file of the next epoch is of no use in this one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::durable;
use crate::disk::layout::{
    self, BESIDE_VAULT, CART, DRAFTS, EMERGENCY, INBOX, INBOX_STATE, KEYRING, SLOTS, VAULT,
};
use wardkeep_model::keeping::StoreFault;

/// Where the files of an epoch wait for their commit.
pub fn directory(store_dir: &Path, epoch: u64) -> PathBuf {
    store_dir.join(layout::epoch(epoch))
}

/// Makes the epoch that waits in a directory the live one; [`settle`] moves the rest.
///
/// # Errors
/// As moving a file; then only the disk knows.
pub fn commit(store_dir: &Path, next: &Path) -> Result<(), StoreFault> {
    durable::rename(&next.join(KEYRING.first), &store_dir.join(KEYRING.first))?;
    durable::sync_dir(store_dir)
}

/// Finishes a change of keys that was committed, and removes one that was not. Needs no key; `epoch`
/// is the keyring's.
///
/// # Errors
/// As moving files; to be tried again, and nothing else may be read before it succeeds.
pub fn settle(store_dir: &Path, epoch: u64) -> Result<(), StoreFault> {
    let live = directory(store_dir, epoch);
    if live.try_exists()? {
        // The keyring's rename may have been seen and not be durable.
        durable::sync_dir(store_dir)?;
        finish(store_dir, &live)?;
    }
    for entry in fs::read_dir(store_dir)? {
        let path = entry?.path();
        if path.file_name().is_some_and(layout::is_epoch) {
            durable::remove_dir(&path)?;
        }
    }
    Ok(())
}

/// Where second copies of keyrings wait that a committed change of keys has not moved yet.
pub(crate) fn waiting_keyrings(store_dir: &Path) -> Result<Vec<PathBuf>, StoreFault> {
    let mut found = Vec::new();
    for entry in fs::read_dir(store_dir)? {
        let entry = entry?;
        let of_an_epoch = layout::is_epoch(&entry.file_name());
        // The commit takes the first copy away.
        if of_an_epoch && !entry.path().join(KEYRING.first).try_exists()? {
            found.push(entry.path().join(KEYRING.second));
        }
    }
    Ok(found)
}

/// Every move may have been made before a kill.
fn finish(store_dir: &Path, next: &Path) -> Result<(), StoreFault> {
    move_all(&next.join(SLOTS), &store_dir.join(SLOTS))?;
    move_all(&next.join(DRAFTS), &store_dir.join(DRAFTS))?;
    move_one(&next.join(INBOX_STATE), &store_dir.join(INBOX).join(INBOX_STATE))?;
    for name in [KEYRING.second, CART.first, CART.second, EMERGENCY] {
        move_one(&next.join(name), &store_dir.join(name))?;
    }
    if next.join(VAULT).try_exists()? {
        // The old vault's log, which must never be replayed into the new one.
        for suffix in layout::SQLITE_SUFFIXES {
            durable::remove(&layout::with(&store_dir.join(VAULT), suffix))?;
        }
        for extension in BESIDE_VAULT {
            let name = Path::new(VAULT).with_extension(extension);
            move_one(&next.join(&name), &store_dir.join(&name))?;
        }
        move_one(&next.join(VAULT), &store_dir.join(VAULT))?;
    }
    durable::sync_dir(&store_dir.join(SLOTS))?;
    durable::sync_dir(&store_dir.join(INBOX))?;
    durable::sync_dir(store_dir)
}

fn move_one(from: &Path, to: &Path) -> Result<(), StoreFault> {
    if from.try_exists()? { durable::rename(from, to) } else { Ok(()) }
}

fn move_all(from: &Path, to: &Path) -> Result<(), StoreFault> {
    if !from.try_exists()? {
        return Ok(());
    }
    durable::make_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        durable::rename(&entry.path(), &to.join(entry.file_name()))?;
    }
    durable::sync_dir(to)
}
