//! The keys that authenticate sealed records: each made from the one before, which is wiped.
//!
//! A chain starts when the vault closes: `c_0` comes from the vault's master key, so whoever opens the
//! vault can compute every `c_i`, and whoever breaks into the locked machine only those from then on.
//! A chain that had to start without the vault (its state was lost) carries its `c_0` sealed.

use serde::{Deserialize, Serialize};

use crate::crypto::{Key, PublicKey, derive, open_with, random, seal_to};
use crate::inbox::segment::{Header, INFO};
use crate::keys::vault_keys::{InboxKeys, VaultKeys};
use wardkeep_model::keeping::StoreFault;

/// Keys kept on the way, so that a number that lies back is not counted up to from the first again.
const KEPT_EVERY: u64 = 256;

/// Where a chain began and which key it has at its present end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Chain {
    /// Random name.
    pub id: [u8; 16],
    /// Number of its first record.
    pub first_seq: u64,
    /// Key of the record that comes next.
    #[serde(with = "crate::crypto::inside_a_seal")]
    pub key: Key,
    /// `c_0` sealed to `PK_inbox`, if the vault was not there to derive it.
    pub orphan: Option<Vec<u8>>,
}

impl Chain {
    /// A chain that only the vault can verify.
    pub fn of_vault(vault: &VaultKeys, first_seq: u64) -> Result<Self, StoreFault> {
        let id = random()?;
        Ok(Self { id, first_seq, key: vault.inbox_keys().chain(&id), orphan: None })
    }

    /// A chain that starts without the vault.
    pub fn orphan(inbox: &PublicKey, first_seq: u64) -> Result<Self, StoreFault> {
        let id: [u8; 16] = random()?;
        let key = Key::random()?;
        let orphan = Some(seal_to(inbox, INFO, &id, key.as_slice())?);
        Ok(Self { id, first_seq, key, orphan })
    }

    /// The key `steps` after the present one.
    pub(super) fn ahead(&self, steps: u64) -> Key {
        (0..steps).fold(self.key.clone(), |key, _| next_key(&key))
    }
}

/// The chain key after `key`.
pub fn next_key(key: &Key) -> Key {
    derive(b"", key.as_slice(), &[b"inbox chain step"])
}

/// Keys of one chain, found by stepping from its first.
pub struct Walk {
    chain: [u8; 16],
    first_seq: u64,
    /// Keys of the numbers `first_seq + KEPT_EVERY * index`.
    kept: Vec<Key>,
    at: (u64, Key),
}

impl Walk {
    /// The walk along a segment's chain, the present one if it is that; `None` if the chain's first
    /// key does not open.
    pub fn along<'a>(
        walk: &'a mut Option<Walk>,
        header: &Header,
        keys: &InboxKeys,
    ) -> Option<&'a mut Walk> {
        if walk.as_ref().is_none_or(|walk| walk.chain != header.chain) {
            let first = match &header.orphan {
                Some(sealed) => {
                    Key::from_slice(&open_with(keys.secret(), INFO, &header.chain, sealed)?)?
                }
                None => keys.chain(&header.chain),
            };
            let first_seq = header.chain_first_seq;
            let kept = vec![first.clone()];
            *walk = Some(Walk { chain: header.chain, first_seq, kept, at: (first_seq, first) });
        }
        walk.as_mut()
    }

    /// The key of a number; `None` if it lies before the chain.
    pub fn key(&mut self, seq: u64) -> Option<&Key> {
        let steps = seq.checked_sub(self.first_seq)?;
        if seq < self.at.0 {
            let index = usize::try_from(steps / KEPT_EVERY).ok()?;
            let key = self.kept.get(index)?.clone();
            self.at = (self.first_seq + steps / KEPT_EVERY * KEPT_EVERY, key);
        }
        while self.at.0 < seq {
            self.at = (self.at.0 + 1, next_key(&self.at.1));
            let steps = self.at.0 - self.first_seq;
            let is_end = steps / KEPT_EVERY == self.kept.len() as u64;
            if steps.is_multiple_of(KEPT_EVERY) && is_end {
                self.kept.push(self.at.1.clone());
            }
        }
        Some(&self.at.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_in_whatever_order_they_are_asked_for() {
        let vault = VaultKeys::generate().unwrap();
        let chain = Chain::of_vault(&vault, 100).unwrap();
        let header = Header {
            sealing: crate::inbox::segment::Sealing::Batch,
            lane: crate::inbox::segment::Lane::Values,
            after_fault: false,
            device: [0; 16],
            segment: 1,
            chain: chain.id,
            chain_first_seq: 100,
            first_seq: 100,
            since: jiff::Timestamp::UNIX_EPOCH,
            orphan: None,
        };
        let keys = vault.inbox_keys();
        let mut walk = None;
        let walk = Walk::along(&mut walk, &header, &keys).unwrap();
        for seq in [100, 101, 1000, 355, 356, 357, 100, 999, 2000, 1999, 612] {
            assert_eq!(walk.key(seq), Some(&chain.ahead(seq - 100)), "{seq}");
        }
        assert_eq!(walk.key(99), None);
    }
}
