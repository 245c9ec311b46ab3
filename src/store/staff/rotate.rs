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
//! Whoever is taken away is refused from the moment at which the cart compartment says so (`leaving`), which
//! is durable before anything else begins; [`finish`] changes the keys of all of them. A change that was
//! killed or given up is begun anew by whoever opens the vault next.
//!
//! Nearly all of its time goes into the copy of the vault. In the kiosk that is made on a thread of its own
//! ([`crate::staff::copying`]) while recording goes on into the inbox. What was sealed meanwhile goes into both
//! vaults at the end: until the commit the old one is the store.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cart::{Cart, Taken};
use crate::crypto::{Key, key_pair};
use crate::disk::durable;
use crate::disk::layout::{DRAFTS, EMERGENCY, INBOX_STATE, SLOTS, VAULT};
use crate::import::{ImportRun, Step};
use crate::inbox::segment::Lane;
use crate::keys::keyslot::{self, Slot, SlotOwner};
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::open::locked::Locked;
use crate::open::opened::{Open, Store};
use crate::open::rekey::{self, Renewed};
use crate::open::{emergency, epoch};
use crate::vault::recipients::{self, Recipients};
use crate::vault::{Vault, entries, export, people};
use wardkeep_model::keeping::{AuditAct, AuditEntry, Finding, StoreFault};
use wardkeep_model::moment::Moment;

/// Why the keys were not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing has changed.
    Undone(StoreFault),
    /// Only the disk knows; the store has to be opened anew.
    Unclear(StoreFault),
}

/// A change of keys that has begun: what there is of the next epoch, not live.
pub struct Begun {
    dir: PathBuf,
    keys: VaultKeys,
}

impl Begun {
    /// Makes room for the next epoch, and draws its keys.
    ///
    /// # Errors
    /// As making a folder.
    pub fn new(locked: &Locked) -> Result<Self, StoreFault> {
        let dir = epoch::directory(&locked.dir(), locked.ring().epoch + 1);
        durable::remove_dir(&dir)?;
        durable::make_dir(&dir.join(SLOTS))?;
        Ok(Self { dir, keys: VaultKeys::generate()? })
    }

    /// Where the next vault lies.
    pub fn vault(&self) -> PathBuf {
        self.dir.join(VAULT)
    }

    /// Writes the vault under the next keys, unless it is given up. The copy takes over what is there: pages that
    /// were put back have to be found before.
    ///
    /// # Errors
    /// As reading and writing files, and `Io` where it was given up.
    pub fn copy(&self, vault: &mut Vault, given_up: &AtomicBool) -> Result<(), StoreFault> {
        while vault.compares() {
            if given_up.load(Ordering::Relaxed) {
                return Err(StoreFault::Io);
            }
            vault.compare_some()?;
        }
        Ok(export::export(vault, &self.vault(), &self.keys)?)
    }
}

/// Whether somebody or something was taken away whose keys are still those of the vault.
pub fn is_due(locked: &Locked) -> bool {
    !locked.cart().leaving.is_empty()
}

/// Changes the keys, all of it on this thread. The vault stays open for whoever has it open, unless they took
/// themselves away.
///
/// # Errors
/// [`Failure::Unclear`] comes with a locked store.
pub fn change(mut open: Box<Open>, now: Moment) -> (Store, Result<(), Failure>) {
    let copied = Begun::new(open.locked()).and_then(|begun| {
        begun.copy(open.vault_mut(), &AtomicBool::new(false))?;
        Ok(begun)
    });
    match copied {
        // Nothing was sealed meanwhile: records come through this thread.
        Ok(begun) => finish(open, begun, (None, now)),
        Err(fault) => undone(open, fault),
    }
}

/// Finishes a change of keys whose vault is written. What was sealed since then goes into both vaults if
/// `found` takes what is wrong with it.
///
/// # Errors
/// As [`change`].
pub fn finish(
    mut open: Box<Open>,
    begun: Begun,
    (found, now): (Option<&mut Vec<Finding>>, Moment),
) -> (Store, Result<(), Failure>) {
    match prepare(&mut open, &begun, (found, now)) {
        Ok(()) => {
            let (store, done) = commit(open, begun, now);
            (store, done.map_err(Failure::Unclear))
        }
        Err(fault) => undone(open, fault),
    }
}

/// The session goes on under the old keys, unless they took themselves away.
///
/// # Errors
/// [`Failure::Undone`], always.
pub fn undone(open: Box<Open>, fault: StoreFault) -> (Store, Result<(), Failure>) {
    remove(open.locked());
    if !open.is_out() {
        return (Store::Open(open), Err(Failure::Undone(fault)));
    }
    let (locked, closed) = open.close();
    if let Err(fault) = closed {
        tracing::warn!(%fault, "the vault could not be closed in order");
    }
    (Store::Locked(locked), Err(Failure::Undone(fault)))
}

/// Removes what was written of an epoch that will not be.
pub fn remove(locked: &Locked) {
    let dir = epoch::directory(&locked.dir(), locked.ring().epoch + 1);
    if let Err(fault) = durable::remove_dir(&dir) {
        // The next start removes it.
        tracing::warn!(%fault, "an unfinished change of keys could not be removed");
    }
}

/// Takes what was sealed while the copy was made into both vaults; what is wrong with it.
///
/// # Errors
/// As importing; then the copy is of no use.
fn catch_up(open: &mut Open, begun: &Begun, now: Moment) -> Result<Vec<Finding>, StoreFault> {
    let (vault, keys, locked) = open.parts();
    let inbox = locked.inbox_mut();
    for lane in Lane::ALL {
        inbox.flush(lane, now)?;
    }
    inbox.roll()?;
    let mut next = Vault::open(&begun.vault(), &begun.keys)?;
    let mut run = ImportRun::plan(inbox, vault, keys)?;
    loop {
        let opened = run.opened_blocking();
        let both = &mut [&mut next, &mut *vault];
        if let Step::Done(_) = run.step_into(opened, (inbox, keys), both, now.wall)? {
            break;
        }
    }
    next.close()?;
    inbox.recount()?;
    Ok(run.findings(now.wall))
}

fn commit(open: Box<Open>, next: Begun, now: Moment) -> (Store, Result<(), StoreFault>) {
    let (operator, is_out) = (open.operator(), open.is_out());
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
    if is_out {
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
    begun: &Begun,
    (found, now): (Option<&mut Vec<Finding>>, Moment),
) -> Result<(), StoreFault> {
    let Begun { dir, keys } = begun;
    let mut cart = open.locked().cart().clone();
    let taken = std::mem::take(&mut cart.leaving);
    cart.epoch = open.locked().ring().epoch + 1;
    cart.generation += 1;
    let renewed = renewed(&taken, &cart)?;
    let known = rekey::left(recipients::all(open.vault())?, &cart, &renewed);
    let ring = next_ring(open.locked(), (&cart, &known), keys)?;
    cart.keyring = ring.generation;
    next_slots(open, dir, &cart, &renewed)?;
    next_drafts(open, dir, &renewed)?;

    if !open.is_imported() {
        return Err(StoreFault::Io);
    }
    let operator = open.operator();
    let mut entries = Vec::new();
    let older = open.vault_mut().findings();
    let found = match found {
        // Whoever takes them has them written down.
        Some(found) => {
            found.extend(older);
            Some(found)
        }
        None => {
            let finding = |finding| AuditEntry {
                finding: Some(finding),
                ..AuditEntry::of(AuditAct::StoreFinding, now.wall)
            };
            entries.extend(older.into_iter().map(finding));
            None
        }
    };
    entries.push(AuditEntry { operator, ..AuditEntry::of(AuditAct::KeysRotated, now.wall) });
    entries.iter_mut().for_each(|entry| open.locked().stamp(entry, now));
    rekey::amend(&begun.vault(), (open.keys(), keys), (&taken, &cart, &renewed), &entries)?;
    if let Some(found) = found {
        // Only an amended vault takes records: until then its patients' keys are wrapped as before.
        found.extend(catch_up(open, begun, now)?);
    }

    let (vault, locked) = (open.vault(), open.locked());
    let head = locked.inbox().next_state(keys, entries::cursor(vault)?, &cart)?;
    let card = emergency::card(vault, &cart, locked.policy(), now)?;
    let card = emergency::seal_card(locked.keys(), &ring, (&cart, &known), card.as_ref())?;
    durable::replace(dir, INBOX_STATE, &head)?;
    cart.write(dir, locked.keys())?;
    durable::replace(dir, EMERGENCY, &card)?;
    ring.save(dir)?;
    durable::sync_dir(&locked.dir())
}

/// New key pairs for those who stay and lost a token.
fn renewed(taken: &[Taken], cart: &Cart) -> Result<Vec<Renewed>, StoreFault> {
    let mut renewed: Vec<Renewed> = Vec::new();
    for taken in taken {
        let Taken::Token(operator, _) = *taken else { continue };
        let is_new = !renewed.iter().any(|renewed| renewed.operator == operator);
        if is_new && cart.person(operator).is_some() {
            let (private, public) = key_pair(&Key::random()?);
            renewed.push(Renewed { operator, private, public });
        }
    }
    Ok(renewed)
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

fn next_slots(open: &Open, dir: &Path, cart: &Cart, renewed: &[Renewed]) -> Result<(), StoreFault> {
    let locked = open.locked();
    let (from, to) = (locked.slots(), dir.join(SLOTS));
    for person in &cart.people {
        let owner = locked.owner(person.id);
        let next = SlotOwner { epoch: cart.epoch, ..owner };
        let renewed = renewed.iter().find(|renewed| renewed.operator == person.id);
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

fn next_drafts(open: &Open, dir: &Path, renewed: &[Renewed]) -> Result<(), StoreFault> {
    let (dir_of_drafts, drafts) = (dir.join(DRAFTS), open.locked().drafts());
    for renewed in renewed {
        let private = people::private_key(open.vault(), open.keys(), renewed.operator)?;
        let resealed = drafts.resealed(renewed.operator, &private, &renewed.public)?;
        if let Some((name, sealed)) = resealed {
            durable::make_dir(&dir_of_drafts)?;
            durable::replace(&dir_of_drafts, &name, &sealed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
