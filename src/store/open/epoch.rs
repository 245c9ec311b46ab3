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

use crate::cart;
use crate::disk::durable;
use crate::disk::layout::{BESIDE, DRAFTS, EMERGENCY, INBOX, SLOTS, VAULT};
use crate::inbox;
use crate::keys::ring;
use wardkeep_model::keeping::StoreFault;

/// Front of the names of directories whose files wait for their commit.
pub const PREFIX: &str = "epoch-";

/// Where the files of an epoch wait for their commit.
pub fn directory(store_dir: &Path, epoch: u64) -> PathBuf {
    store_dir.join(format!("{PREFIX}{epoch:016x}"))
}

/// Makes the epoch that waits in a directory the live one; [`settle`] moves the rest.
///
/// # Errors
/// As moving a file; then only the disk knows.
pub fn commit(store_dir: &Path, next: &Path) -> Result<(), StoreFault> {
    durable::rename(&next.join(ring::FILE), &store_dir.join(ring::FILE))?;
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
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if name.is_some_and(|name| name.starts_with(PREFIX)) {
            durable::remove_dir(&path)?;
        }
    }
    Ok(())
}

/// Where second copies of keyrings wait that a committed change of keys has not moved yet.
pub(super) fn waiting_keyrings(store_dir: &Path) -> Result<Vec<PathBuf>, StoreFault> {
    let mut found = Vec::new();
    for entry in fs::read_dir(store_dir)? {
        let entry = entry?;
        let of_an_epoch = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // The commit takes the first copy away.
        if of_an_epoch && !entry.path().join(ring::FILE).try_exists()? {
            found.push(entry.path().join(ring::COPY));
        }
    }
    Ok(found)
}

/// Every move may have been made before a kill.
fn finish(store_dir: &Path, next: &Path) -> Result<(), StoreFault> {
    move_all(&next.join(SLOTS), &store_dir.join(SLOTS))?;
    move_all(&next.join(DRAFTS), &store_dir.join(DRAFTS))?;
    move_one(&next.join(inbox::HEAD), &store_dir.join(INBOX).join(inbox::HEAD))?;
    for name in [ring::COPY, cart::FILE, cart::COPY, EMERGENCY] {
        move_one(&next.join(name), &store_dir.join(name))?;
    }
    if next.join(VAULT).try_exists()? {
        // The old vault's log, which must never be replayed into the new one.
        for suffix in ["-wal", "-shm", "-journal"] {
            durable::remove(&store_dir.join(format!("{VAULT}{suffix}")))?;
        }
        for extension in BESIDE {
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
