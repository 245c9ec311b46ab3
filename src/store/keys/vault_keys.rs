//! The keys of an open vault, each derived from its master key for one use.

use zeroize::Zeroizing;

use crate::crypto::{Key, PublicKey, derive, key_pair, open, seal};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::TemplateId;
use wardkeep_model::keeping::StoreFault;

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

    /// The keys of a master key that the keyring or a backup held.
    pub fn of_master(master: Key) -> Self {
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

/// A key as a row of the vault holds it: sealed under the master key, because the database's own memory
/// is not wiped (S-3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey(pub Vec<u8>);

#[cfg(test)]
mod tests {
    use super::*;

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
