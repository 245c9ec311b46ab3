//! The keyring: the vault's master key, sealed to every person and to the recovery key.
//!
//! Whoever has one of the private keys gets the master key back; nobody else has to be present when a
//! person is added or removed. Taking somebody away makes a keyring of the next epoch with another
//! master key ([`crate::staff::rotation`]): an entry alone is never just left out. The file is not secret: public keys, and what is sealed to them. It is
//! apart from the cart compartment because it must still be readable, with the recovery words, when
//! the device secret is lost. It lies there twice ([`crate::disk::two_copies`]); a change of keys that was
//! committed rules over a second copy of the epoch before ([`crate::staff::rotation`]).
//!
//! S-4: every entry is authenticated under the device secret, so that a public key slipped in by
//! somebody with the disk is refused and nothing is ever sealed to it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::{
    Key, PublicKey, derive, key_pair, mac, mac_fits, open, open_with, random, seal, seal_to,
};
use crate::disk::layout::KEYRING;
use crate::disk::two_copies::{self, Format, Newer};
use crate::machine::device_secret::DeviceKeys;
use crate::vault::SealedKey;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::TemplateId;
use wardkeep_model::keeping::{FindingKind, StoreFault};

const FILE_MAX: u64 = 4 * 1024 * 1024;
const FORMAT: u32 = 1;
const SEAL_INFO: &[u8] = b"wardkeep vmk v1";

/// Keys derived from the vault's master key: they exist only while the vault is open.
pub struct VaultKeys {
    master: Key,
}

impl VaultKeys {
    /// Keys of a vault that is being made.
    pub fn generate() -> Result<Self, StoreFault> {
        Ok(Self { master: Key::random()? })
    }

    fn key(&self, info: &[&[u8]]) -> Key {
        derive(b"", self.master.as_slice(), info)
    }

    /// Raw key of the database (`K_db`).
    pub fn database(&self) -> Key {
        self.key(&[b"K_db"])
    }

    /// Wraps every patient's data key (`K_pat`).
    pub fn patients(&self) -> Key {
        self.key(&[b"K_pat"])
    }

    /// Authenticates the vault's head and its table of pages (`K_head`).
    pub fn head(&self) -> Key {
        self.key(&[b"K_head"])
    }

    /// Seed of the ed25519 key that signs audit checkpoints (`K_aud`).
    pub fn audit(&self) -> Key {
        self.key(&[b"K_aud"])
    }

    /// Key pair of the inbox (`SK_inbox`).
    pub fn inbox(&self) -> (Key, PublicKey) {
        key_pair(&self.key(&[b"SK_inbox"]))
    }

    /// Keys of a vault that cannot exist: nobody draws this key.
    pub fn for_fuzzing() -> Self {
        Self { master: derive(b"", b"", &[b"no vault"]) }
    }

    /// What opens the inbox, and nothing else of the vault.
    pub fn inbox_keys(&self) -> InboxKeys {
        let (secret, _) = self.inbox();
        InboxKeys { secret, chains: self.key(&[b"inbox chains v2"]) }
    }

    /// What is known of the people who work here (`K_people`).
    pub fn people(&self) -> PeopleKey {
        PeopleKey(self.key(&[b"K_people"]))
    }

    /// Seals a key for a row of the vault.
    pub fn hold(&self, which: Held, key: &Key) -> Result<SealedKey, StoreFault> {
        self.people().hold(which, key.as_slice()).map(SealedKey)
    }

    /// Opens a key out of a row of the vault.
    ///
    /// # Errors
    /// `Damaged` if it was sealed for another row or under another master key.
    pub fn held(&self, which: Held, sealed: &SealedKey) -> Result<Key, StoreFault> {
        let opened = self.people().held(which, &sealed.0)?;
        Key::from_slice(&opened).ok_or(StoreFault::Damaged)
    }

    /// The master key itself, for a backup.
    pub fn master(&self) -> &Key {
        &self.master
    }

    /// The keys of a master key that a backup held.
    pub fn of_backup(master: Key) -> Self {
        Self { master }
    }

    #[cfg(test)]
    pub fn master_for_tests(&self) -> &Key {
        &self.master
    }

    #[cfg(test)]
    pub fn with_master_for_tests(master: &Key) -> Self {
        Self { master: master.clone() }
    }
}

/// Opens sealed records and verifies their chains; wiped on drop.
pub struct InboxKeys {
    secret: Key,
    chains: Key,
}

impl InboxKeys {
    /// `SK_inbox`.
    pub fn secret(&self) -> &Key {
        &self.secret
    }

    /// First key of a chain.
    pub fn chain(&self, chain: &[u8; 16]) -> Key {
        derive(b"", self.chains.as_slice(), &[b"inbox chain v2", chain])
    }
}

/// Seals what rows of the vault say of the people who work here.
pub struct PeopleKey(Key);

impl PeopleKey {
    /// Seals bytes for a row.
    ///
    /// # Errors
    /// `Io` without random numbers.
    pub fn hold(&self, which: Held, plain: &[u8]) -> Result<Vec<u8>, StoreFault> {
        seal(&self.0, &which.context(), plain)
    }

    /// Opens bytes out of a row.
    ///
    /// # Errors
    /// `Damaged` if they were sealed for another row or under another master key.
    pub fn held(&self, which: Held, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreFault> {
        open(&self.0, &which.context(), sealed).ok_or(StoreFault::Damaged)
    }
}

/// What a row of the vault holds.
#[derive(Clone, Copy, Debug)]
pub enum Held {
    /// A person's private key.
    Private(OperatorId),
    /// A badge's share, by its slot.
    Share([u8; 16]),
    /// A slot's key-encryption key.
    Kek([u8; 16]),
    /// A person's name.
    Name(OperatorId),
    /// The subject of a card's certificate, by the card's slot.
    CardSubject([u8; 16]),
    /// A fingerprint template.
    Print(TemplateId),
}

impl Held {
    fn context(self) -> Vec<u8> {
        let (word, id) = match self {
            Held::Private(operator) => ("private", operator.0.to_be_bytes()),
            Held::Share(slot) => ("share", slot),
            Held::Kek(slot) => ("kek", slot),
            Held::Name(operator) => ("name", operator.0.to_be_bytes()),
            Held::CardSubject(slot) => ("card subject", slot),
            Held::Print(template) => ("print", template.0.to_be_bytes()),
        };
        [word.as_bytes(), &id].concat()
    }
}

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
        let sealed = seal_to(&public, SEAL_INFO, &context, vault.master.as_slice())?;
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
        Some(VaultKeys { master: Key::from_slice(&master)? })
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
            ring.filter(|ring| ring.format == FORMAT && accept(ring))
        };
        let older = FindingKind::KeyringOlder;
        let number = |ring: &Self| ring.generation;
        let format = Format { max: FILE_MAX, parse: &parse, number, older };
        let seconds = [&[dir.join(KEYRING.second)], waiting].concat();
        two_copies::read(&dir.join(KEYRING.first), &seconds, &format)
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

    /// Replaces both copies; durable when it returns.
    ///
    /// # Errors
    /// As writing a file.
    pub fn save(&self, dir: &Path) -> Result<(), StoreFault> {
        let content = serde_json::to_vec(self).map_err(|_| StoreFault::Io)?;
        two_copies::write(dir, KEYRING, &content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn derived_keys_differ() {
        let vault = VaultKeys::generate().unwrap();
        let inbox = vault.inbox_keys();
        let keys = [*vault.database(), *inbox.secret, *inbox.chains, *inbox.chain(&[0; 16])];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(key));
        }
    }
}
