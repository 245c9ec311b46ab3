//! Whom the vault knows: the public keys that its master key, a backup or the emergency card may be sealed to.
//!
//! Keyring and cart compartment hold the same keys for whoever has no key of the vault yet, under the device
//! secret alone: where that is a file on the same disk, its MAC proves nothing. These rows can be written by
//! an open vault only. So they decide: a key that they do not have is never sealed to.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};

use crate::crypto::PublicKey;
use crate::keys::ring::Recipient;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::StoreFault;

/// Table of the keys.
pub(super) const TABLE: &str = "
    CREATE TABLE recipients (recipient BLOB PRIMARY KEY, public BLOB NOT NULL) STRICT, WITHOUT ROWID;
";

/// Who holds the private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// The recovery words.
    Recovery,
    /// A person.
    Operator(OperatorId),
    /// A token, by its keyed index: of the emergency card.
    Token([u8; 32]),
}

impl From<Recipient> for Holder {
    fn from(recipient: Recipient) -> Self {
        match recipient {
            Recipient::Recovery => Holder::Recovery,
            Recipient::Operator(operator) => Holder::Operator(operator),
        }
    }
}

impl Holder {
    fn encode(self) -> Vec<u8> {
        match self {
            Holder::Recovery => vec![0],
            Holder::Operator(operator) => [&[1][..], &operator.0.to_be_bytes()].concat(),
            Holder::Token(index) => [&[2][..], &index].concat(),
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (0, []) => Some(Holder::Recovery),
            (1, id) => Some(Holder::Operator(OperatorId(u128::from_be_bytes(id.try_into().ok()?)))),
            (2, index) => Some(Holder::Token(index.try_into().ok()?)),
            _ => None,
        }
    }
}

/// The keys by their holders.
pub type Recipients = BTreeMap<Holder, PublicKey>;

/// All of them; none in a vault of an earlier program.
///
/// # Errors
/// `Damaged` if a row is none; otherwise as reading the database.
pub fn all(vault: &Vault) -> Result<Recipients, VaultFault> {
    let mut statement =
        vault.connection.prepare_cached("SELECT recipient, public FROM recipients")?;
    let mut rows = statement.query([])?;
    let mut all = Recipients::new();
    while let Some(row) = rows.next()? {
        let holder: Vec<u8> = row.get(0)?;
        let holder = Holder::decode(&holder).ok_or(StoreFault::Damaged)?;
        all.insert(holder, row.get(1)?);
    }
    Ok(all)
}

/// Adds a key, or gives its holder another one.
///
/// # Errors
/// As writing a file.
pub fn add(vault: &mut Vault, holder: Holder, public: PublicKey) -> Result<(), VaultFault> {
    vault.write(|transaction, _| insert(transaction, holder, &public))
}

/// Replaces all of them, in one transaction.
///
/// # Errors
/// As writing a file; then nothing was replaced.
pub fn replace(vault: &mut Vault, recipients: &Recipients) -> Result<(), VaultFault> {
    vault.write(|transaction, _| {
        transaction.execute("DELETE FROM recipients", [])?;
        recipients.iter().try_for_each(|(holder, public)| insert(transaction, *holder, public))
    })
}

fn insert(
    transaction: &Transaction<'_>,
    holder: Holder,
    public: &PublicKey,
) -> Result<(), VaultFault> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO recipients (recipient, public) VALUES (?1, ?2)")?
        .execute(params![holder.encode(), public])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::vault_keys::VaultKeys;
    use proptest::prelude::*;

    #[test]
    fn holders_keep_their_keys_apart() {
        let dir = tempfile::tempdir().unwrap();
        let keys = VaultKeys::generate().unwrap();
        let mut vault = Vault::create(&dir.path().join("v"), &keys).unwrap();
        assert_eq!(all(&vault).unwrap(), Recipients::new());
        let nurse = Holder::Operator(OperatorId(7));
        let token = Holder::Token([7; 32]);
        for (holder, public) in [(Holder::Recovery, 1), (nurse, 2), (token, 3), (nurse, 4)] {
            add(&mut vault, holder, [public; 32]).unwrap();
        }
        let expected =
            Recipients::from([(Holder::Recovery, [1; 32]), (nurse, [4; 32]), (token, [3; 32])]);
        assert_eq!(all(&vault).unwrap(), expected);
        let fewer = Recipients::from([(nurse, [5; 32])]);
        replace(&mut vault, &fewer).unwrap();
        assert_eq!(all(&vault).unwrap(), fewer);
    }

    proptest! {
        #[test]
        fn a_holder_reads_back_and_any_bytes_are_one_or_none(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(holder) = Holder::decode(&bytes) {
                prop_assert_eq!(holder.encode(), bytes);
            }
        }
    }
}
