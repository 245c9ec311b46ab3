//! What can be told about a store without opening it, for `wardkeepctl doctor`. Reads only; no secret is shown.

use std::path::Path;

use crate::cart::Cart;
use crate::disk::layout::{self, INBOX, SLOTS, VAULT};
use crate::inbox::segment;
use crate::keys::keyslot;
use crate::keys::ring::Keyring;
use crate::machine::device_secret::{DeviceKeys, from_environment};
use wardkeep_model::keeping::{CartState, Protection, StoreFault};

/// Facts about a state directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// A store was made here.
    pub exists: bool,
    /// How the device secret is kept in this environment.
    pub protection: Protection,
    /// Key slots, one per person and pair of factors.
    pub slots: usize,
    /// Bytes that wait in the inbox for somebody to unlock.
    pub inbox_bytes: u64,
    /// Bytes of the vault; zero where its file is missing or not shown.
    pub vault_bytes: u64,
}

/// Whether a store was made by this machine: its keyring has to be authentic under this machine's secret.
/// Nothing of either is shown. Where that cannot be told, because this account may not read one of them or
/// the keyring is damaged, it says nothing.
///
/// # Errors
/// `WrongDeviceSecret` if another secret made it, or there is none any more.
pub fn belongs_here(state_dir: &Path) -> Result<(), StoreFault> {
    let secret = match from_environment(state_dir).load() {
        Ok(Some(secret)) => secret,
        Ok(None) => return Err(StoreFault::WrongDeviceSecret),
        Err(_) => return Ok(()),
    };
    let read = Keyring::load(&layout::store(state_dir), &DeviceKeys::new(secret), &[]);
    match read.map(drop) {
        Err(StoreFault::WrongDeviceSecret) => Err(StoreFault::WrongDeviceSecret),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What the kiosk remembers of its devices with nobody there, also while it runs: no patient data. `None` where there
/// is no store.
///
/// # Errors
/// `WrongDeviceSecret` if this machine has no secret, or another one made it; otherwise as reading the compartment.
pub fn cart_state(state_dir: &Path) -> Result<Option<CartState>, StoreFault> {
    let store = layout::store(state_dir);
    if !store.try_exists()? {
        return Ok(None);
    }
    let secret = from_environment(state_dir).load()?.ok_or(StoreFault::WrongDeviceSecret)?;
    Ok(Some(Cart::load(&store, &DeviceKeys::new(secret))?.content.state))
}

/// Looks at a state directory; a missing one is a store that does not exist.
///
/// # Errors
/// As reading a directory.
pub fn inspect(state_dir: &Path) -> Result<Facts, StoreFault> {
    let protection = from_environment(state_dir).protection();
    let store = layout::store(state_dir);
    if !store.try_exists()? {
        return Ok(Facts { exists: false, protection, slots: 0, inbox_bytes: 0, vault_bytes: 0 });
    }
    Ok(Facts {
        exists: true,
        protection,
        slots: keyslot::count(&store.join(SLOTS))?,
        inbox_bytes: segment::size(&store.join(INBOX))?,
        // Whether the vault is whole is not asked here: a damaged store has facts too.
        vault_bytes: store.join(VAULT).metadata().map_or(0, |file| file.len()),
    })
}
