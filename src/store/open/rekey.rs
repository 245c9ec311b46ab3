//! A vault's copy under the next master key: what is taken away is left out, and every key is sealed anew.

use std::path::Path;

use crate::cart::Cart;
use crate::crypto::{Key, PublicKey};
use crate::disk::durable;
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::vault::recipients::{self, Holder, Recipients};
use crate::vault::{TokenRow, Vault, audit, people};
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{AuditEntry, StoreFault};

/// Who or what is taken away.
#[derive(Clone, Copy, Debug)]
pub enum Taken {
    /// A person with everything they have.
    Person(OperatorId),
    /// One token of a person, by its slot.
    Token(OperatorId, [u8; 16]),
}

impl Taken {
    /// Whose it is, or who.
    pub fn operator(self) -> OperatorId {
        match self {
            Taken::Person(operator) | Taken::Token(operator, _) => operator,
        }
    }

    /// The cart compartment without it.
    pub fn leave_out(self, cart: &mut Cart) {
        cart.forget_tries(self.operator());
        match self {
            Taken::Person(operator) => cart.people.retain(|person| person.id != operator),
            Taken::Token(operator, slot) => {
                for person in cart.people.iter_mut().filter(|person| person.id == operator) {
                    person.tokens.retain(|token| token.slot.id != slot);
                }
            }
        }
        let left: Vec<[u8; 32]> = cart.tokens().map(|token| token.index).collect();
        cart.emergency.retain(|key| left.contains(&key.index));
    }
}

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
    (taken, cart, renewed): (Option<Taken>, &Cart, Option<&Renewed>),
    entries: &[AuditEntry],
) -> Result<(), StoreFault> {
    let mut vault = Vault::open(path, new)?;
    people::reseal(&mut vault, old)?;
    // Whoever leaves stays in the list without a key.
    let mut privates: Vec<_> = taken.iter().map(|taken| (taken.operator(), None)).collect();
    let mut tokens = Vec::new();
    for person in &cart.people {
        let renewed = renewed.filter(|renewed| renewed.operator == person.id);
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
    if let Some(Taken::Person(operator)) = taken {
        people::remove_templates(&mut vault, operator, None)?;
    }
    audit::hand_over(&mut vault, (old, new), entries.to_vec())?;
    vault.close()?;
    durable::sync_file(path)
}

/// The keys of whoever stays, with the new one of somebody who loses a token.
pub fn left(known: Recipients, cart: &Cart, renewed: Option<&Renewed>) -> Recipients {
    let stays = |holder: &Holder| match holder {
        Holder::Recovery => true,
        Holder::Operator(operator) => cart.person(*operator).is_some(),
        Holder::Token(index) => cart.token(index).is_some(),
    };
    let mut left: Recipients = known.into_iter().filter(|(holder, _)| stays(holder)).collect();
    left.extend(renewed.map(|renewed| (Holder::Operator(renewed.operator), renewed.public)));
    left
}

fn reseal(row: TokenRow, old: &VaultKeys, new: &VaultKeys) -> Result<TokenRow, StoreFault> {
    let again = |which, sealed| new.hold(which, &old.held(which, sealed)?);
    let share = row.share.as_ref().map(|share| again(Held::Share(row.slot), share)).transpose()?;
    let kek = again(Held::Kek(row.slot), &row.kek)?;
    Ok(TokenRow { share, kek, ..row })
}
