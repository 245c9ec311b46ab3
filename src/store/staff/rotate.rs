//! Taking a person or a token away: the vault's keys change, and nobody else has to be there.
//!
//! How it is laid out on the disk is in [`crate::open::epoch`].
//!
//! The new master key is sealed to the public keys of those who stay and to the recovery key. A person
//! who loses one of several tokens gets a new key pair, whose private key the vault puts into their
//! other slots: the lost token's slot, wherever a copy of it lies, gives a key that opens nothing.
//! What was sealed in the inbox is imported first, so that no record needs the old keys.
//!
//! What this cannot do without a TPM: a whole old store that is put back, with its keyring, its vault
//! and its slots, is an old store that works, and shows what it held then. A part of one does not: the
//! cart compartment names its epoch and an older keyring beside it is refused; an older slot is of
//! another epoch; an older keyring, cart and slots together give the old master key, which does not
//! open the vault. Whoever had the vault open may have copied its keys; the next records are safe from
//! them, those of before are not.
//!
//! It runs in the store's thread. Records wait meanwhile in its queue.

use std::path::{Path, PathBuf};

use crate::cart::Cart;
use crate::crypto::{Key, key_pair};
use crate::disk::durable;
use crate::disk::layout::{DRAFTS, EMERGENCY, INBOX_STATE, SLOTS, VAULT};
use crate::keys::keyslot::{self, Slot, SlotOwner};
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::open::locked::Locked;
use crate::open::opened::{Open, Store};
use crate::open::rekey::{self, Renewed, Taken};
use crate::open::{emergency, epoch};
use crate::vault::recipients::{self, Recipients};
use crate::vault::{entries, export, people};
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{AuditAct, AuditEntry, StoreFault};
use wardkeep_model::moment::Moment;

/// Why the keys were not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing has changed.
    Undone(StoreFault),
    /// Only the disk knows; the store has to be opened anew.
    Unclear(StoreFault),
}

/// Everything of the next epoch, on disk and not live.
struct Next {
    dir: PathBuf,
    keys: VaultKeys,
}

/// Takes somebody or something away under new keys. The vault stays open for whoever has it open,
/// unless it is they who are taken away.
///
/// # Errors
/// [`Failure::Unclear`] comes with a locked store.
pub(super) fn rotate(
    mut open: Box<Open>,
    (taken, entries): (Taken, Vec<AuditEntry>),
    now: Moment,
) -> (Store, Result<(), Failure>) {
    let next = match prepare(&mut open, (taken, entries), now) {
        Ok(next) => next,
        Err(fault) => {
            let locked = open.locked();
            let dir = epoch::directory(&locked.dir(), locked.ring().epoch + 1);
            if let Err(fault) = durable::remove_dir(&dir) {
                // The next start removes it.
                tracing::warn!(%fault, "an unfinished change of keys could not be removed");
            }
            return (Store::Open(open), Err(Failure::Undone(fault)));
        }
    };
    let (mut store, done) = commit(open, next, taken.operator(), now);
    store.locked_mut().end_shift(taken.operator());
    (store, done.map_err(Failure::Unclear))
}

fn commit(
    open: Box<Open>,
    next: Next,
    leaves: OperatorId,
    now: Moment,
) -> (Store, Result<(), StoreFault>) {
    let operator = open.operator();
    if let Err(fault) = epoch::commit(&open.locked().dir(), &next.dir) {
        return (Store::Locked(open.give_up()), Err(fault));
    }
    let (mut locked, closed) = open.shut();
    if let Err(fault) = closed {
        // Its content is in the new vault.
        tracing::warn!(%fault, "the vault of the last epoch could not be closed");
    }
    if let Err(fault) = locked.reload(now) {
        return (Store::Locked(locked), Err(fault));
    }
    if operator == Some(leaves) {
        return (Store::Locked(locked), Ok(()));
    }
    match locked.vault_file(&next.keys) {
        Ok(vault) => {
            let open = Open::renewed(locked, (vault, next.keys), operator);
            (Store::Open(Box::new(open)), Ok(()))
        }
        Err(fault) => (Store::Locked(locked), Err(fault)),
    }
}

fn prepare(
    open: &mut Open,
    (taken, mut entries): (Taken, Vec<AuditEntry>),
    now: Moment,
) -> Result<Next, StoreFault> {
    // The copy takes over what is there: pages that were put back have to be found before.
    while open.vault().compares() {
        open.vault_mut().compare_some()?;
    }
    let epoch = open.locked().ring().epoch + 1;
    let dir = epoch::directory(&open.locked().dir(), epoch);
    durable::remove_dir(&dir)?;
    durable::make_dir(&dir.join(SLOTS))?;

    let mut cart = open.locked().cart().clone();
    taken.leave_out(&mut cart);
    cart.epoch = epoch;
    cart.generation += 1;
    let renewed = match taken {
        Taken::Person(_) => None,
        Taken::Token(operator, _) => {
            let (private, public) = key_pair(&Key::random()?);
            Some(Renewed { operator, private, public })
        }
    };
    let keys = VaultKeys::generate()?;
    let known = rekey::left(recipients::all(open.vault())?, &cart, renewed.as_ref());
    let ring = next_ring(open.locked(), (&cart, &known), &keys)?;
    cart.keyring = ring.generation;
    next_slots(open, &dir, &cart, renewed.as_ref())?;
    next_draft(open, &dir, renewed.as_ref())?;

    if !open.is_imported() {
        return Err(StoreFault::Io);
    }
    let (vault, locked) = (open.vault(), open.locked());
    let head = locked.inbox().next_state(&keys, entries::cursor(vault)?, &cart)?;
    let card = emergency::card(vault, &cart, locked.policy(), now)?;
    let card = emergency::seal_card(locked.keys(), &ring, (&cart, &known), card.as_ref())?;
    export::export(vault, &dir.join(VAULT), &keys)?;
    entries.push(AuditEntry {
        operator: entries.first().and_then(|entry| entry.operator),
        ..AuditEntry::of(AuditAct::KeysRotated, now.wall)
    });
    entries.iter_mut().for_each(|entry| locked.stamp(entry, now));
    let changes = (Some(taken), &cart, renewed.as_ref());
    rekey::amend(&dir.join(VAULT), (open.keys(), &keys), changes, &entries)?;

    durable::replace(&dir, INBOX_STATE, &head)?;
    cart.write(&dir, locked.keys())?;
    durable::replace(&dir, EMERGENCY, &card)?;
    ring.save(&dir)?;
    durable::sync_dir(&locked.dir())?;
    Ok(Next { dir, keys })
}

/// The keyring of the next epoch, for recipients that the vault knows: what the present one says of them is not
/// believed.
fn next_ring(
    locked: &Locked,
    (cart, known): (&Cart, &Recipients),
    keys: &VaultKeys,
) -> Result<Keyring, StoreFault> {
    let people = cart.people.iter().map(|person| Recipient::Operator(person.id));
    let mut recipients = Vec::new();
    for recipient in std::iter::once(Recipient::Recovery).chain(people) {
        let public = known.get(&recipient.into()).ok_or(StoreFault::Damaged)?;
        recipients.push((recipient, *public));
    }
    locked.ring().next(locked.keys(), keys, &recipients)
}

fn next_slots(
    open: &Open,
    dir: &Path,
    cart: &Cart,
    renewed: Option<&Renewed>,
) -> Result<(), StoreFault> {
    let locked = open.locked();
    let (from, to) = (locked.slots(), dir.join(SLOTS));
    for person in &cart.people {
        let owner = locked.owner(person.id);
        let next = SlotOwner { epoch: cart.epoch, ..owner };
        let renewed = renewed.filter(|renewed| renewed.operator == person.id);
        for token in &person.tokens {
            let slot = &token.slot;
            let kept = match renewed {
                Some(_) => Err(StoreFault::Damaged),
                None => Slot::read(&from, locked.keys(), &owner, slot),
            };
            match kept {
                Ok(kept) => kept.rewrap(&to, locked.keys(), &next, slot)?,
                // Made anew from the vault: for another key pair, or because it is damaged, which
                // must not keep anybody else's token valid.
                Err(StoreFault::Damaged) => {
                    let (vault, keys) = (open.vault(), open.keys());
                    let rows = people::tokens(vault, person.id)?;
                    let row = rows.iter().find(|row| row.slot == slot.id);
                    let row = row.ok_or(StoreFault::Damaged)?;
                    let kek = keys.held(Held::Kek(slot.id), &row.kek)?;
                    let private = match renewed {
                        Some(renewed) => renewed.private.clone(),
                        None => people::private_key(vault, keys, person.id)?,
                    };
                    keyslot::write(&to, locked.keys(), &next, slot, (&kek, &private))?;
                }
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(())
}

fn next_draft(open: &Open, dir: &Path, renewed: Option<&Renewed>) -> Result<(), StoreFault> {
    let Some(renewed) = renewed else { return Ok(()) };
    let private = people::private_key(open.vault(), open.keys(), renewed.operator)?;
    let (dir_of_drafts, drafts) = (dir.join(DRAFTS), open.locked().drafts());
    let resealed = drafts.resealed(renewed.operator, &private, &renewed.public)?;
    let Some((name, sealed)) = resealed else { return Ok(()) };
    durable::make_dir(&dir_of_drafts)?;
    durable::replace(&dir_of_drafts, &name, &sealed)
}

#[cfg(test)]
mod tests;
