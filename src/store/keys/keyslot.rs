//! Key slots: two factors of a person, and this machine, give back the person's private key.
//!
//! ```text
//!  F1  = HMAC(DS, family || uid)          F2 = argon2id(PIN, salt)
//!  KEK = HKDF(salt: slot id, ikm: F1 || F2, info: "kek v1" || device id || user id)
//!  slot file = AEAD(HKDF(DS, "outer" || epoch), AEAD(KEK, SK_u))
//!              both bound to device id || user id || pair, the outer one to the epoch too
//! ```
//!
//! Wrapped twice, so that a new epoch needs nobody to be there: the machine takes its own layer off
//! and puts the next one on, and a slot of an earlier epoch opens nothing.
//!
//! S-4: the slot is the only place where a PIN makes a difference, and it makes it by opening or not
//! opening an AEAD. Nothing stored can be compared with a PIN without the device secret.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::crypto::{KdfCost, Key, derive, open, random, seal, stretch};
use crate::disk::state_file::{Kind, StateFile};
use crate::disk::{durable, layout};
use crate::machine::device_secret::DeviceKeys;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Badge, CardSecret, Pin};
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::StoreFault;

/// Bytes that bind a slot to its pair of factors.
fn tag(pair: Pair) -> &'static [u8] {
    match pair {
        Pair::CardPin => b"card+pin",
        Pair::BadgePin => b"badge+pin",
        // These open no slot from nothing; their tags bind shift shares.
        Pair::CardFinger => b"card+finger",
        Pair::BadgeFinger => b"badge+finger",
        Pair::CardAlone => b"card",
        Pair::BadgeAlone => b"badge",
    }
}

/// Everything about a slot that is not secret; kept in the cart compartment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotInfo {
    /// Random name of the slot, its file and the KEK's salt.
    pub id: [u8; 16],
    /// Which factors it takes.
    pub pair: Pair,
    /// Salt of the PIN's derivation.
    pub salt: [u8; 16],
}

impl SlotInfo {
    /// A slot that does not exist yet.
    pub fn new(pair: Pair) -> Result<Self, StoreFault> {
        Ok(Self { id: random()?, pair, salt: random()? })
    }

    /// Name of its file.
    pub fn file(&self) -> String {
        layout::slot(self.id)
    }
}

/// Whose store and which person a slot belongs to.
#[derive(Clone, Copy, Debug)]
pub struct SlotOwner {
    /// Random identity of the store.
    pub device: [u8; 16],
    /// The person.
    pub operator: OperatorId,
    /// Rises with every revocation.
    pub epoch: u64,
}

impl SlotOwner {
    fn inner(&self, pair: Pair) -> Vec<u8> {
        [&self.device[..], &self.operator.0.to_be_bytes(), tag(pair)].concat()
    }

    fn outer(&self, pair: Pair) -> Vec<u8> {
        [&self.inner(pair)[..], &self.epoch.to_be_bytes()].concat()
    }
}

/// The key-encryption key of badge and PIN.
pub fn kek(
    keys: &DeviceKeys,
    (badge, pin): (&Badge, &Pin),
    owner: &SlotOwner,
    slot: &SlotInfo,
    cost: KdfCost,
) -> Result<Key, StoreFault> {
    kek_of_share((&keys.badge_share(badge), pin), owner, slot, cost)
}

/// The key-encryption key of a badge's share and a PIN, while the badge itself is elsewhere.
pub fn kek_of_share(
    (first, pin): (&Key, &Pin),
    owner: &SlotOwner,
    slot: &SlotInfo,
    cost: KdfCost,
) -> Result<Key, StoreFault> {
    let second = stretch(pin.ascii(), &slot.salt, cost)?;
    let ikm = zeroize::Zeroizing::new([first.as_slice(), second.as_slice()].concat());
    let operator = owner.operator.0.to_be_bytes();
    Ok(derive(&slot.id, &ikm, &[b"kek v1", &owner.device, &operator]))
}

/// The key-encryption key of a card: what it agreed on with the slot's peer, which it does only after
/// its own PIN. There is no second share.
pub fn card_kek(secret: &CardSecret, owner: &SlotOwner, slot: &SlotInfo) -> Key {
    let operator = owner.operator.0.to_be_bytes();
    derive(&slot.id, secret.expose(), &[b"kek v1", &owner.device, &operator])
}

/// Writes a slot that gives `secret` back for `kek`.
pub fn write(
    dir: &Path,
    keys: &DeviceKeys,
    owner: &SlotOwner,
    slot: &SlotInfo,
    (kek, secret): (&Key, &Key),
) -> Result<(), StoreFault> {
    let inner = seal(kek, &owner.inner(slot.pair), secret.as_slice())?;
    write_outer(dir, keys, owner, (slot, &inner))
}

fn write_outer(
    dir: &Path,
    keys: &DeviceKeys,
    owner: &SlotOwner,
    (slot, inner): (&SlotInfo, &[u8]),
) -> Result<(), StoreFault> {
    let (key, place) = (keys.outer(owner.epoch), owner.outer(slot.pair));
    durable::replace(dir, &slot.file(), &outer(&key, &place).seal(inner)?)
}

/// The machine's layer.
fn outer<'a>(key: &'a Key, place: &'a [u8]) -> StateFile<'a> {
    StateFile { kind: Kind::KeySlot, key, place }
}

/// Removes every slot file but these.
///
/// # Errors
/// As removing a file.
pub fn sweep(dir: &Path, kept: &[&SlotInfo]) -> Result<(), StoreFault> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if layout::is_slot(&path) && !kept.iter().any(|slot| name.as_deref() == Some(&slot.file()))
        {
            durable::remove(&path)?;
        }
    }
    Ok(())
}

/// A slot whose outer layer was opened: it is intact and belongs to this machine.
pub struct Slot {
    inner: zeroize::Zeroizing<Vec<u8>>,
    context: Vec<u8>,
}

impl Slot {
    /// Reads a slot and opens the machine's layer.
    ///
    /// # Errors
    /// `Damaged` if the file is missing, altered, of another epoch, person or machine, `Later` if a later
    /// program wrote it.
    pub fn read(
        dir: &Path,
        keys: &DeviceKeys,
        owner: &SlotOwner,
        slot: &SlotInfo,
    ) -> Result<Self, StoreFault> {
        let (key, place) = (keys.outer(owner.epoch), owner.outer(slot.pair));
        let inner = outer(&key, &place).read(&dir.join(slot.file()))?;
        Ok(Self { inner, context: owner.inner(slot.pair) })
    }

    /// Writes the slot for another epoch of its owner, as it is inside.
    ///
    /// # Errors
    /// As writing a file.
    pub fn rewrap(
        &self,
        dir: &Path,
        keys: &DeviceKeys,
        owner: &SlotOwner,
        slot: &SlotInfo,
    ) -> Result<(), StoreFault> {
        write_outer(dir, keys, owner, (slot, &self.inner))
    }

    /// Tries a key-encryption key; `None` if the factors were wrong.
    pub fn open(&self, kek: &Key) -> Option<Key> {
        open(kek, &self.context, &self.inner).and_then(|secret| Key::from_slice(&secret))
    }
}

/// How many slot files there are.
pub fn count(dir: &Path) -> Result<usize, StoreFault> {
    let mut slots = 0;
    for entry in std::fs::read_dir(dir)? {
        slots += usize::from(layout::is_slot(&entry?.path()));
    }
    Ok(slots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use wardkeep_model::access::factor::ReaderFamily;

    fn badge(uid: &[u8]) -> Badge {
        Badge::new(ReaderFamily::PcscUid, uid).unwrap()
    }

    fn pin(digits: &[u8]) -> Pin {
        digits.iter().copied().collect()
    }

    #[test]
    fn s4_a_slot_opens_only_with_both_factors_on_its_machine_and_epoch() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DeviceKeys::new(Key::random().unwrap());
        let other_machine = DeviceKeys::new(Key::random().unwrap());
        let slot = SlotInfo::new(Pair::BadgePin).unwrap();
        let owner = SlotOwner { device: [1; 16], operator: OperatorId(5), epoch: 1 };
        let secret = Key::random().unwrap();
        let cost = KdfCost::FOR_TESTS;
        let right = badge(&[1, 2, 3, 4]);
        let code = pin(&[4, 7, 1, 1, 8, 2]);
        let key = kek(&keys, (&right, &code), &owner, &slot, cost).unwrap();
        write(dir.path(), &keys, &owner, &slot, (&key, &secret)).unwrap();

        let opened = Slot::read(dir.path(), &keys, &owner, &slot).unwrap();
        assert_eq!(opened.open(&key).unwrap(), secret);
        for (wrong_badge, wrong_pin) in [
            (right.clone(), pin(&[4, 7, 1, 1, 8, 3])),
            (badge(&[1, 2, 3, 5]), code.clone()),
            (badge(&[1, 2, 3, 4, 0, 0, 0]), code.clone()),
            (right.clone(), pin(&[4, 7, 1, 1, 8, 2, 0])),
        ] {
            let key = kek(&keys, (&wrong_badge, &wrong_pin), &owner, &slot, cost).unwrap();
            assert!(opened.open(&key).is_none());
        }
        let stolen = kek(&other_machine, (&right, &code), &owner, &slot, cost).unwrap();
        assert!(opened.open(&stolen).is_none());

        let other_epoch = SlotOwner { epoch: 2, ..owner };
        let other_person = SlotOwner { operator: OperatorId(6), ..owner };
        let other_store = SlotOwner { device: [2; 16], ..owner };
        for wrong in [other_epoch, other_person, other_store] {
            assert!(Slot::read(dir.path(), &keys, &wrong, &slot).is_err());
        }
        assert!(Slot::read(dir.path(), &other_machine, &owner, &slot).is_err());
    }

    #[test]
    fn s4_every_altered_or_cut_slot_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DeviceKeys::new(Key::random().unwrap());
        let slot = SlotInfo::new(Pair::BadgePin).unwrap();
        let owner = SlotOwner { device: [1; 16], operator: OperatorId(5), epoch: 1 };
        let (key, secret) = (Key::random().unwrap(), Key::random().unwrap());
        write(dir.path(), &keys, &owner, &slot, (&key, &secret)).unwrap();
        let path = dir.path().join(slot.file());
        let whole = fs::read(&path).unwrap();
        for index in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[index] ^= 0x10;
            for content in [&flipped[..], &whole[..index]] {
                fs::write(&path, content).unwrap();
                let read = Slot::read(dir.path(), &keys, &owner, &slot);
                assert_eq!(read.err(), Some(StoreFault::Damaged), "byte {index}");
            }
        }
        fs::write(&path, &whole).unwrap();
        assert!(Slot::read(dir.path(), &keys, &owner, &slot).unwrap().open(&key).is_some());
        assert_eq!(count(dir.path()).unwrap(), 1);
    }
}
