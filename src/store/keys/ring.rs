//! The keyring: the vault's master key, sealed to every person and to the recovery key.
//!
//! Whoever has one of the private keys gets the master key back; nobody else has to be present when a
//! person is added or removed. Taking somebody away makes a keyring of the next epoch with another
//! master key: an entry alone is never just left out. The file is not secret: public keys, and what is
//! sealed to them. It is apart from the cart compartment because it must still be readable, with the
//! recovery words, when the device secret is lost. It lies there twice ([`crate::disk::two_copies`]); a change of keys that was
//! committed rules over a second copy of the epoch before.
//!
//! S-4: every entry is authenticated under the device secret. Where that is a file on the same disk this proves
//! nothing, so nothing is ever sealed to a public key of this file that the open vault does not know
//! ([`crate::vault::recipients`]).

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::crypto::{Key, PublicKey, mac, mac_fits, open_with, random, seal_to};
use crate::disk::durable;
use crate::disk::layout::KEYRING;
use crate::disk::state_file::Unread;
use crate::disk::two_copies::{self, Format, Newer};
use crate::keys::vault_keys::VaultKeys;
use crate::machine::device_secret::DeviceKeys;
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{FindingKind, StoreFault};

const FILE_MAX: u64 = 4 * 1024 * 1024;
const FORMAT: u32 = 1;
const SEAL_INFO: &[u8] = b"wardkeep vmk v1";

/// Who an entry of the keyring is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipient {
    /// A person, by their slots.
    Operator(OperatorId),
    /// The recovery words.
    Recovery,
}

impl Recipient {
    fn tag(self) -> [u8; 17] {
        let mut tag = [0_u8; 17];
        if let Recipient::Operator(operator) = self {
            let [kind, id @ ..] = &mut tag;
            *kind = 1;
            *id = operator.0.to_be_bytes();
        }
        tag
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    recipient: Recipient,
    public: PublicKey,
    sealed: Vec<u8>,
    tag: [u8; 32],
}

/// The keyring file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Keyring {
    format: u32,
    /// Random identity of the store.
    pub device: [u8; 16],
    /// Rises with every revocation.
    pub epoch: u64,
    /// Public key that locked-time records are sealed to.
    pub inbox: PublicKey,
    /// Rises with every write; zero in files of programs that did not count.
    #[serde(default)]
    pub generation: u64,
    /// Authenticates the number and that these are all entries.
    #[serde(default)]
    whole: [u8; 32],
    tag: [u8; 32],
    entries: Vec<Entry>,
}

impl Keyring {
    /// A keyring without recipients.
    pub fn new(keys: &DeviceKeys, vault: &VaultKeys) -> Result<Self, StoreFault> {
        Ok(Self::empty(keys, vault, (random()?, 1), 0))
    }

    fn empty(
        keys: &DeviceKeys,
        vault: &VaultKeys,
        (device, epoch): ([u8; 16], u64),
        generation: u64,
    ) -> Self {
        let (_, inbox) = vault.inbox();
        let (tag, whole, entries) = ([0; 32], [0; 32], Vec::new());
        let mut ring =
            Self { format: FORMAT, device, epoch, inbox, generation, whole, tag, entries };
        ring.tag = mac(&keys.public(), &ring.head().each_ref().map(Vec::as_slice));
        ring.whole = mac(&keys.public(), &[&ring.counted()]);
        ring
    }

    /// The keyring of the next epoch: another master key, for these recipients alone.
    ///
    /// # Errors
    /// A public key is none.
    pub fn next(
        &self,
        keys: &DeviceKeys,
        vault: &VaultKeys,
        recipients: &[(Recipient, PublicKey)],
    ) -> Result<Self, StoreFault> {
        let store = (self.device, self.epoch + 1);
        let mut ring = Self::empty(keys, vault, store, self.generation + 1);
        for (recipient, public) in recipients {
            ring.push(keys, vault, *recipient, *public)?;
        }
        Ok(ring)
    }

    /// The keyring of the same epoch for these recipients alone, under the vault's own key of the inbox.
    ///
    /// # Errors
    /// A public key is none.
    pub fn mended(
        &self,
        keys: &DeviceKeys,
        vault: &VaultKeys,
        recipients: &[(Recipient, PublicKey)],
    ) -> Result<Self, StoreFault> {
        let store = (self.device, self.epoch);
        let mut ring = Self::empty(keys, vault, store, self.generation + 1);
        for (recipient, public) in recipients {
            ring.push(keys, vault, *recipient, *public)?;
        }
        Ok(ring)
    }

    /// All recipients with their public keys.
    pub fn publics(&self) -> impl Iterator<Item = (Recipient, PublicKey)> {
        self.entries.iter().map(|entry| (entry.recipient, entry.public))
    }

    /// A recipient's public key.
    pub fn public(&self, recipient: Recipient) -> Option<PublicKey> {
        self.entries.iter().find(|entry| entry.recipient == recipient).map(|entry| entry.public)
    }

    /// How many recipients there are.
    pub fn recipients(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap_or(u64::MAX)
    }

    fn head(&self) -> [Vec<u8>; 3] {
        [self.context(), b"inbox".to_vec(), self.inbox.to_vec()]
    }

    fn context(&self) -> Vec<u8> {
        [&self.device[..], &self.epoch.to_be_bytes()].concat()
    }

    /// What says that the file is whole and how new it is.
    fn counted(&self) -> Vec<u8> {
        let tags: Vec<u8> = self.entries.iter().flat_map(|entry| entry.tag).collect();
        [&self.context()[..], b"whole", &self.generation.to_be_bytes(), &tags].concat()
    }

    /// Seals the master key to one more recipient.
    pub fn add(
        &mut self,
        keys: &DeviceKeys,
        vault: &VaultKeys,
        recipient: Recipient,
        public: PublicKey,
    ) -> Result<(), StoreFault> {
        self.generation += 1;
        self.push(keys, vault, recipient, public)
    }

    fn push(
        &mut self,
        keys: &DeviceKeys,
        vault: &VaultKeys,
        recipient: Recipient,
        public: PublicKey,
    ) -> Result<(), StoreFault> {
        let context = [&self.context()[..], &recipient.tag()].concat();
        let sealed = seal_to(&public, SEAL_INFO, &context, vault.master().as_slice())?;
        let tag = mac(&keys.public(), &[&context, &public, &sealed]);
        self.entries.push(Entry { recipient, public, sealed, tag });
        self.whole = mac(&keys.public(), &[&self.counted()]);
        Ok(())
    }

    /// The master key, for a recipient's private key; `None` if the key is not theirs.
    pub fn open(&self, recipient: Recipient, secret: &Key) -> Option<VaultKeys> {
        let entry = self.entries.iter().find(|entry| entry.recipient == recipient)?;
        let context = [&self.context()[..], &recipient.tag()].concat();
        let master = open_with(secret, SEAL_INFO, &context, &entry.sealed)?;
        Some(VaultKeys::of_master(Key::from_slice(&master)?))
    }

    /// Reads a keyring without checking who wrote it, and opens it: all that is left without the device
    /// secret. `None` if the private key is not the recipient's.
    ///
    /// # Errors
    /// `Damaged` if both copies are missing or do not parse.
    pub fn opened_by(
        dir: &Path,
        recipient: Recipient,
        secret: &Key,
    ) -> Result<Option<(Self, VaultKeys)>, StoreFault> {
        let opens = |ring: &Self| ring.open(recipient, secret).is_some();
        let ring = match Self::newer(dir, &[], &opens) {
            Err(StoreFault::Damaged) => Self::newer(dir, &[], &|_| true)?,
            ring => ring?,
        };
        let ring = ring.content;
        Ok(ring.open(recipient, secret).map(|keys| (ring, keys)))
    }

    /// Reads the newer of the copies that this machine wrote. `waiting` are places of copies that a
    /// committed change of keys has not moved yet.
    ///
    /// # Errors
    /// `WrongDeviceSecret` if there is one and this machine wrote none of them; `Damaged` if they are
    /// missing or altered.
    pub fn load(
        dir: &Path,
        keys: &DeviceKeys,
        waiting: &[PathBuf],
    ) -> Result<Newer<Self>, StoreFault> {
        let foreign = |dir: &Path| {
            Self::newer(dir, &[], &|_| true).is_ok_and(|ring| !ring.content.is_ours(keys))
        };
        let read = Self::newer(dir, waiting, &|ring| ring.is_intact(keys));
        match read.as_ref().err() {
            Some(StoreFault::Damaged) if foreign(dir) => Err(StoreFault::WrongDeviceSecret),
            Some(_) | None => read,
        }
    }

    fn newer(
        dir: &Path,
        waiting: &[PathBuf],
        accept: &dyn Fn(&Self) -> bool,
    ) -> Result<Newer<Self>, StoreFault> {
        let parse = |content: &[u8]| {
            let ring = serde_json::from_slice::<Self>(content).ok();
            ring.filter(|ring| ring.format == FORMAT && accept(ring)).ok_or(Unread::Damaged)
        };
        let older = FindingKind::KeyringOlder;
        let number = |ring: &Self| ring.generation;
        let format = Format { max: FILE_MAX, parse: &parse, number, older };
        let seconds = [&[dir.join(KEYRING.second)], waiting].concat();
        match two_copies::read(&dir.join(KEYRING.first), &seconds, &format) {
            Err(StoreFault::Damaged) if is_later(&dir.join(KEYRING.first)) => {
                Err(StoreFault::Later)
            }
            read => read,
        }
    }

    /// Whether the head was written with this device secret.
    pub fn is_ours(&self, keys: &DeviceKeys) -> bool {
        let head = self.head();
        mac_fits(&keys.public(), &head.each_ref().map(Vec::as_slice), &self.tag)
    }

    /// Whether every entry was written with this device secret.
    pub fn is_intact(&self, keys: &DeviceKeys) -> bool {
        let whole = mac_fits(&keys.public(), &[&self.counted()], &self.whole);
        // Programs that did not count vouched for each entry, not for all.
        let vouched = whole || self.generation == 0 && self.whole == [0; 32];
        self.is_ours(keys)
            && vouched
            && self.entries.iter().all(|entry| {
                let context = [&self.context()[..], &entry.recipient.tag()].concat();
                mac_fits(&keys.public(), &[&context, &entry.public, &entry.sealed], &entry.tag)
            })
    }

    /// As whoever has the disk and the device secret can write it: another key of the inbox, or of a recipient.
    #[cfg(test)]
    pub fn forged(
        &self,
        keys: &DeviceKeys,
        inbox: PublicKey,
        replaced: Option<(Recipient, PublicKey)>,
    ) -> Self {
        let mut ring = Self { inbox, generation: self.generation + 1, ..self.clone() };
        ring.tag = mac(&keys.public(), &ring.head().each_ref().map(Vec::as_slice));
        let context = ring.context();
        for entry in &mut ring.entries {
            if let Some((_, public)) = replaced.filter(|(of, _)| *of == entry.recipient) {
                let context = [&context[..], &entry.recipient.tag()].concat();
                entry.public = public;
                entry.tag = mac(&keys.public(), &[&context, &public, &entry.sealed]);
            }
        }
        ring.whole = mac(&keys.public(), &[&ring.counted()]);
        ring
    }

    /// Replaces both copies; durable when it returns.
    ///
    /// # Errors
    /// As writing a file.
    pub fn save(&self, dir: &Path) -> Result<(), StoreFault> {
        let content =
            serde_json::to_vec(self).map_err(StoreFault::Io.because("writing the keyring"))?;
        two_copies::write(dir, KEYRING, &content)
    }
}

/// Whether a keyring that this program cannot read says that a later one wrote it. Nothing vouches for that
/// number, so one copy that can be read outweighs it.
fn is_later(path: &Path) -> bool {
    #[derive(Deserialize)]
    struct Front {
        format: u32,
    }
    let content = durable::read(path, FILE_MAX).ok().flatten().unwrap_or_default();
    serde_json::from_slice::<Front>(&content).is_ok_and(|front| front.format > FORMAT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key_pair;

    #[test]
    fn s4_each_recipient_opens_and_a_swapped_public_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DeviceKeys::new(Key::random().unwrap());
        let vault = VaultKeys::generate().unwrap();
        let mut ring = Keyring::new(&keys, &vault).unwrap();
        let person = Recipient::Operator(OperatorId(9));
        let (secret, public) = key_pair(&Key::random().unwrap());
        let (recovery_secret, recovery_public) = key_pair(&Key::random().unwrap());
        ring.add(&keys, &vault, person, public).unwrap();
        ring.add(&keys, &vault, Recipient::Recovery, recovery_public).unwrap();
        ring.save(dir.path()).unwrap();

        let mut ring = Keyring::load(dir.path(), &keys, &[]).unwrap().content;
        assert!(ring.is_intact(&keys));
        let database = vault.database();
        assert_eq!(ring.open(person, &secret).unwrap().database(), database);
        let recovered = ring.open(Recipient::Recovery, &recovery_secret).unwrap();
        assert_eq!(recovered.database(), database);
        assert!(ring.open(person, &recovery_secret).is_none());
        assert!(!ring.is_ours(&DeviceKeys::new(Key::random().unwrap())));

        let (_, thief) = key_pair(&Key::random().unwrap());
        ring.entries[1].public = thief;
        assert!(!ring.is_intact(&keys), "swapped recipient key");
        ring.entries[1].public = recovery_public;
        assert!(ring.is_intact(&keys));
        ring.entries[0].recipient = Recipient::Operator(OperatorId(8));
        assert!(!ring.is_intact(&keys), "entry given to somebody else");
        ring.entries[0].recipient = person;
        let one = ring.entries.remove(0);
        assert!(!ring.is_intact(&keys), "an entry was left out");
        ring.entries.insert(0, one);
        ring.generation += 1;
        assert!(!ring.is_intact(&keys), "older than it says");
        ring.inbox = thief;
        assert!(!ring.is_ours(&keys), "swapped inbox key");
    }
}
