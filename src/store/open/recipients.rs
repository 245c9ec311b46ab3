//! Whether the keys that this machine seals to are the vault's own, each time that it is opened.
//!
//! A key that the vault does not know was slipped in by somebody with the disk: it is taken away, the right one
//! is put back, and both are told. What was sealed to a foreign key of the inbox meanwhile is gone, and its
//! numbers are named; nothing of the vault was ever sealed to a foreign key of a person, because keys of
//! people come from the vault.

use crate::crypto::PublicKey;
use crate::inbox::segment::Lane;
use crate::keys::ring::Recipient;
use crate::keys::vault_keys::VaultKeys;
use crate::open::locked::Locked;
use crate::vault::recipients::{self, Holder, Recipients};
use crate::vault::{Vault, entries};
use wardkeep_model::keeping::{Finding, FindingKind, StoreFault};

/// The keys that keyring and cart compartment hold.
pub fn held(locked: &Locked) -> Recipients {
    let ring = locked.ring().publics().map(|(recipient, public)| (recipient.into(), public));
    let tokens = locked.cart().emergency.iter();
    ring.chain(tokens.map(|key| (Holder::Token(key.index), key.public))).collect()
}

/// Compares what this machine seals to with what the vault knows, and mends it; what was wrong.
///
/// # Errors
/// As reading the vault or writing files.
pub fn check(
    locked: &mut Locked,
    vault: &mut Vault,
    keys: &VaultKeys,
) -> Result<Vec<Finding>, StoreFault> {
    let known = recipients::all(vault)?;
    if known.is_empty() {
        // A store of an earlier program: from now on it knows them.
        recipients::replace(vault, &held(locked))?;
        return Ok(Vec::new());
    }
    let findings = compared(locked, vault, keys)?;
    if !findings.is_empty() {
        mend(locked, keys, &known)?;
    }
    Ok(findings)
}

/// What of that which this machine seals to the vault does not know; nothing where it knows none at all yet.
///
/// # Errors
/// As reading the vault.
pub(crate) fn compared(
    locked: &Locked,
    vault: &Vault,
    keys: &VaultKeys,
) -> Result<Vec<Finding>, StoreFault> {
    let known = recipients::all(vault)?;
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    let (_, inbox) = keys.inbox();
    if locked.ring().inbox != inbox {
        let first = entries::cursor(vault)?.next_seq;
        let end = locked.inbox().ends().of(Lane::Values).seq;
        let (found, expected) = (Some(first), Some(end));
        let finding = Finding::of(FindingKind::RecipientReplaced, end.saturating_sub(first).max(1));
        findings.push(Finding { found, expected, ..finding });
    }
    let foreign = held(locked).into_iter().filter(|held| !is_known(&known, *held)).count();
    let missing = wanted(locked, &known).iter().filter(|of| !has(locked, **of)).count();
    if foreign + missing > 0 {
        let count = u64::try_from(foreign + missing).unwrap_or(u64::MAX);
        findings.push(Finding::of(FindingKind::RecipientReplaced, count));
    }
    Ok(findings)
}

fn is_known(known: &Recipients, (holder, public): (Holder, PublicKey)) -> bool {
    known.get(&holder) == Some(&public)
}

/// Whoever has to be in the keyring: the recovery words, and everybody who may log in.
fn wanted(locked: &Locked, known: &Recipients) -> Vec<(Recipient, PublicKey)> {
    let people = locked.cart().people.iter().map(|person| Recipient::Operator(person.id));
    let all = std::iter::once(Recipient::Recovery).chain(people);
    all.filter_map(|recipient| Some((recipient, *known.get(&recipient.into())?))).collect()
}

fn has(locked: &Locked, (recipient, public): (Recipient, PublicKey)) -> bool {
    locked.ring().public(recipient) == Some(public)
}

fn mend(locked: &mut Locked, keys: &VaultKeys, known: &Recipients) -> Result<(), StoreFault> {
    let wanted = wanted(locked, known);
    let ring = locked.ring().mended(locked.keys(), keys, &wanted)?;
    locked.inbox_mut().seal_to(ring.inbox);
    locked.replace_ring(ring)?;
    let mut cart = locked.cart().clone();
    cart.emergency.retain(|key| is_known(known, (Holder::Token(key.index), key.public)));
    locked.commit_cart(cart)
}
