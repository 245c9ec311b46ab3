//! A vault's copy under the next master key: what is taken away is left out, and every key is sealed anew.

use std::path::Path;

use crate::cart::{Cart, Taken};
use crate::crypto::{Key, PublicKey};
use crate::disk::durable;
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::vault::recipients::{self, Holder, Recipients};
use crate::vault::{TokenRow, Vault, audit, people};
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{AuditEntry, StoreFault};

/// The key pair that a person gets who loses a token.
pub struct Renewed {
    /// The person.
    pub operator: OperatorId,
    /// Their private key.
    pub private: Key,
    /// Their public key.
    pub public: PublicKey,
}

/// Leaves out of the new vault what is taken away, seals the keys in it anew, and adds the audit
/// entries.
pub fn amend(
    path: &Path,
    (old, new): (&VaultKeys, &VaultKeys),
    (taken, cart, renewed): (&[Taken], &Cart, &[Renewed]),
    entries: &[AuditEntry],
) -> Result<(), StoreFault> {
    let mut vault = Vault::open(path, new)?;
    people::reseal(&mut vault, old)?;
    // Whoever leaves stays in the list without a key.
    let mut privates: Vec<_> = taken.iter().map(|taken| (taken.operator(), None)).collect();
    let mut tokens = Vec::new();
    for person in &cart.people {
        let renewed = renewed.iter().find(|renewed| renewed.operator == person.id);
        let private = match renewed {
            Some(renewed) => renewed.private.clone(),
            None => people::private_key(&vault, old, person.id)?,
        };
        privates.push((person.id, Some(new.hold(Held::Private(person.id), &private)?)));
        let rows = people::tokens(&vault, person.id)?;
        for row in rows {
            if person.tokens.iter().any(|token| token.slot.id == row.slot) {
                tokens.push((person.id, reseal(row, old, new)?));
            }
        }
    }
    people::rewrite(&mut vault, &privates, &tokens)?;
    let known = recipients::all(&vault)?;
    recipients::replace(&mut vault, &left(known, cart, renewed))?;
    for taken in taken {
        if let Taken::Person(operator) = taken {
            people::remove_templates(&mut vault, *operator, None)?;
        }
    }
    audit::hand_over(&mut vault, (old, new), entries.to_vec())?;
    vault.close()?;
    durable::sync_file(path)
}

/// The keys of whoever stays, with the new ones of those who lose a token.
pub fn left(known: Recipients, cart: &Cart, renewed: &[Renewed]) -> Recipients {
    let stays = |holder: &Holder| match holder {
        Holder::Recovery => true,
        Holder::Operator(operator) => cart.person(*operator).is_some(),
        Holder::Token(index) => cart.token(index).is_some(),
    };
    let mut left: Recipients = known.into_iter().filter(|(holder, _)| stays(holder)).collect();
    left.extend(renewed.iter().map(|renewed| (Holder::Operator(renewed.operator), renewed.public)));
    left
}

fn reseal(row: TokenRow, old: &VaultKeys, new: &VaultKeys) -> Result<TokenRow, StoreFault> {
    let again = |which, sealed| new.hold(which, &old.held(which, sealed)?);
    let share = row.share.as_ref().map(|share| again(Held::Share(row.slot), share)).transpose()?;
    let kek = again(Held::Kek(row.slot), &row.kek)?;
    Ok(TokenRow { share, kek, ..row })
}
