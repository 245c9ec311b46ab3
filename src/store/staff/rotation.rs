//! Taking a person or a token away: the vault's keys change, and nobody else has to be there.
//!
//! ```text
//!  prepare   epoch-<e+1>/   slots     outer layer of epoch e+1, inside as they were
//!                           vault.db  everything, under the new K_db
//!                           head      first key of a chain that the new master key gives
//!                           cart      without the person or the token
//!                           emergency, drafts, keyring
//!  commit    epoch-<e+1>/keyring -> keyring                            one rename
//!  finish    the other files take their places, epoch-<e+1>/ is removed
//! ```
//!
//! Keyring and cart compartment have a second copy each, which waits and moves with them. A keyring that
//! is damaged between commit and finish is read from the copy that waits; the copy of the epoch before
//! never rules where a keyring has left its `epoch-<e+1>/`.
//!
//! Before the commit a kill leaves a directory of an epoch that the keyring does not have: the next
//! start removes it. After it, the next start finishes; that needs no key of anybody. In between
//! nothing is ever half new, because a file of the next epoch is of no use in this one.
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
//! It runs in the store's thread. Records wait meanwhile in its queue ([`crate::QUEUE_MAX`] commands).

use std::fs;
use std::path::{Path, PathBuf};

use crate::cart::Cart;
use crate::crypto::{Key, PublicKey, key_pair};
use crate::disk::durable;
use crate::disk::layout::{
    self, BESIDE_VAULT, CART, DRAFTS, EMERGENCY, INBOX, INBOX_STATE, KEYRING, SLOTS, VAULT,
};
use crate::keys::keyslot::{self, Slot, SlotOwner};
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::open::setup::Store;
use crate::open::{draft, emergency};
use crate::vault::{TokenRow, Vault};
use crate::vault::{audit, entries, export, people};
use crate::worker::record::Opened;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::policy::Policy;
use wardkeep_model::keeping::{AuditEntry, StoreFault};
use wardkeep_model::moment::Moment;

/// Who or what is taken away.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Taken {
    /// A person with everything they have.
    Person(OperatorId),
    /// One token of a person, by its slot.
    Token(OperatorId, [u8; 16]),
}

impl Taken {
    pub(crate) fn operator(self) -> OperatorId {
        match self {
            Taken::Person(operator) | Taken::Token(operator, _) => operator,
        }
    }

    /// The cart compartment without it.
    pub(crate) fn leave_out(self, cart: &mut Cart) {
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

/// Why the keys were not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing has changed.
    Undone(StoreFault),
    /// Only the disk knows; the store has to be opened anew.
    Unclear(StoreFault),
}

/// The key pair that a person gets who loses a token.
pub(crate) struct Renewed {
    operator: OperatorId,
    private: Key,
    public: PublicKey,
}

/// Everything of the next epoch, on disk and not live.
struct Next {
    dir: PathBuf,
    keys: VaultKeys,
}

/// Where the files of an epoch wait for their commit.
fn directory(store_dir: &Path, epoch: u64) -> PathBuf {
    store_dir.join(layout::epoch(epoch))
}

impl Store {
    /// Takes somebody or something away under new keys. The vault stays open for whoever has it open,
    /// unless it is they who are taken away.
    ///
    /// # Errors
    /// [`Failure::Unclear`] leaves the vault closed.
    pub(crate) fn rotate(
        &mut self,
        policy: &Policy,
        (taken, entries): (Taken, Vec<AuditEntry>),
        now: Moment,
    ) -> Result<(), Failure> {
        let operator = self.open.as_ref().and_then(Opened::operator);
        let next = self.prepare(policy, (taken, entries), now).map_err(|fault| {
            let dir = directory(&self.state.store(), self.ring.epoch + 1);
            if let Err(fault) = durable::remove_dir(&dir) {
                // The next start removes it.
                tracing::warn!(%fault, "an unfinished change of keys could not be removed");
            }
            Failure::Undone(fault)
        })?;
        let done = self.commit(next, operator.filter(|operator| *operator != taken.operator()));
        if done.is_err() {
            self.open = None;
        }
        self.end_shift(taken.operator());
        done.map_err(Failure::Unclear)
    }

    fn commit(&mut self, next: Next, stays: Option<OperatorId>) -> Result<(), StoreFault> {
        let recovered = self.open.as_ref().is_some_and(|opened| opened.operator().is_none());
        let dir = self.state.store();
        durable::rename(&next.dir.join(KEYRING.first), &dir.join(KEYRING.first))?;
        durable::sync_dir(&dir)?;
        if let Some(old) = self.open.take()
            && let Err(fault) = old.close()
        {
            // Its content is in the new vault.
            tracing::warn!(%fault, "the vault of the last epoch could not be closed");
        }
        self.reload()?;
        if stays.is_some() || recovered {
            let vault = self.vault_file(&next.keys)?;
            self.open = Some(Opened::renewed(vault, next.keys, stays));
        }
        Ok(())
    }

    fn prepare(
        &mut self,
        policy: &Policy,
        (taken, mut entries): (Taken, Vec<AuditEntry>),
        now: Moment,
    ) -> Result<Next, StoreFault> {
        let epoch = self.ring.epoch + 1;
        let dir = directory(&self.state.store(), epoch);
        durable::remove_dir(&dir)?;
        durable::make_dir(&dir.join(SLOTS))?;

        let mut cart = self.cart.clone();
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
        let ring = self.next_ring(&cart, &keys, renewed.as_ref())?;
        cart.keyring = ring.generation;
        self.next_slots(&dir, &cart, renewed.as_ref())?;
        self.next_draft(&dir, renewed.as_ref())?;

        let opened = self.open.as_mut().filter(|opened| opened.is_imported());
        let vault = opened.ok_or(StoreFault::Io)?.vault();
        let head = self.inbox.next_state(&keys, entries::cursor(vault)?, &cart)?;
        let card = emergency::card(vault, &cart, policy, now)?;
        let card = emergency::seal_card(&self.keys, &ring, &cart, card.as_ref())?;
        export::export(vault, &dir.join(VAULT), &keys)?;
        entries.push(AuditEntry {
            operator: entries.first().and_then(|entry| entry.operator),
            ..AuditEntry::of(wardkeep_model::keeping::AuditAct::KeysRotated, now.wall)
        });
        entries.iter_mut().for_each(|entry| self.stamp(entry, now));
        let (_, old) = self.open.as_mut().ok_or(StoreFault::Io)?.parts();
        amend(&dir.join(VAULT), (old, &keys), (Some(taken), &cart, renewed.as_ref()), &entries)?;

        durable::replace(&dir, INBOX_STATE, &head)?;
        cart.write(&dir, &self.keys)?;
        durable::replace(&dir, EMERGENCY, &card)?;
        ring.save(&dir)?;
        durable::sync_dir(&self.state.store())?;
        Ok(Next { dir, keys })
    }

    fn next_ring(
        &self,
        cart: &Cart,
        keys: &VaultKeys,
        renewed: Option<&Renewed>,
    ) -> Result<Keyring, StoreFault> {
        let people = cart.people.iter().map(|person| Recipient::Operator(person.id));
        let mut recipients = Vec::new();
        for recipient in std::iter::once(Recipient::Recovery).chain(people) {
            let renewed =
                renewed.filter(|renewed| recipient == Recipient::Operator(renewed.operator));
            let public = match renewed {
                Some(renewed) => renewed.public,
                None => self.ring.public(recipient).ok_or(StoreFault::Damaged)?,
            };
            recipients.push((recipient, public));
        }
        self.ring.next(&self.keys, keys, &recipients)
    }

    fn next_slots(
        &mut self,
        dir: &Path,
        cart: &Cart,
        renewed: Option<&Renewed>,
    ) -> Result<(), StoreFault> {
        let (from, to) = (self.slots(), dir.join(SLOTS));
        for person in &cart.people {
            let owner = self.owner(person.id);
            let next = SlotOwner { epoch: cart.epoch, ..owner };
            let renewed = renewed.filter(|renewed| renewed.operator == person.id);
            for token in &person.tokens {
                let slot = &token.slot;
                let kept = match renewed {
                    Some(_) => Err(StoreFault::Damaged),
                    None => Slot::read(&from, &self.keys, &owner, slot),
                };
                match kept {
                    Ok(kept) => kept.rewrap(&to, &self.keys, &next, slot)?,
                    // Made anew from the vault: for another key pair, or because it is damaged, which
                    // must not keep anybody else's token valid.
                    Err(StoreFault::Damaged) => {
                        let opened = self.open.as_mut().ok_or(StoreFault::Io)?;
                        let (vault, keys) = opened.parts();
                        let rows = people::tokens(vault, person.id)?;
                        let row = rows.iter().find(|row| row.slot == slot.id);
                        let row = row.ok_or(StoreFault::Damaged)?;
                        let kek = keys.held(Held::Kek(slot.id), &row.kek)?;
                        let private = match renewed {
                            Some(renewed) => renewed.private.clone(),
                            None => people::private_key(vault, keys, person.id)?,
                        };
                        keyslot::write(&to, &self.keys, &next, slot, (&kek, &private))?;
                    }
                    Err(fault) => return Err(fault),
                }
            }
        }
        Ok(())
    }

    fn next_draft(&mut self, dir: &Path, renewed: Option<&Renewed>) -> Result<(), StoreFault> {
        let (Some(renewed), Some(opened)) = (renewed, &mut self.open) else { return Ok(()) };
        let (vault, keys) = opened.parts();
        let private = people::private_key(vault, keys, renewed.operator)?;
        let here = (self.state.store(), &self.keys, &self.ring);
        let here = (here.0.as_path(), here.1, here.2);
        let resealed = draft::resealed(here, renewed.operator, &private, &renewed.public)?;
        let Some((name, sealed)) = resealed else { return Ok(()) };
        durable::make_dir(&dir.join(DRAFTS))?;
        durable::replace(&dir.join(DRAFTS), &name, &sealed)
    }
}

/// Leaves out of the new vault what is taken away, seals the keys in it anew, and adds the audit
/// entries.
pub(crate) fn amend(
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
    if let Some(Taken::Person(operator)) = taken {
        people::remove_templates(&mut vault, operator, None)?;
    }
    audit::hand_over(&mut vault, (old, new), entries.to_vec())?;
    vault.close()?;
    durable::sync_file(path)
}

fn reseal(row: TokenRow, old: &VaultKeys, new: &VaultKeys) -> Result<TokenRow, StoreFault> {
    let again = |which, sealed| new.hold(which, &old.held(which, sealed)?);
    let share = row.share.as_ref().map(|share| again(Held::Share(row.slot), share)).transpose()?;
    let kek = again(Held::Kek(row.slot), &row.kek)?;
    Ok(TokenRow { share, kek, ..row })
}

/// Finishes a change of keys that was committed, and removes one that was not. Needs no key; `epoch`
/// is the keyring's.
///
/// # Errors
/// As moving files; to be tried again, and nothing else may be read before it succeeds.
pub(crate) fn settle(store_dir: &Path, epoch: u64) -> Result<(), StoreFault> {
    let live = directory(store_dir, epoch);
    if live.try_exists()? {
        // The keyring's rename may have been seen and not be durable.
        durable::sync_dir(store_dir)?;
        finish(store_dir, &live)?;
    }
    for entry in fs::read_dir(store_dir)? {
        let path = entry?.path();
        if path.file_name().is_some_and(layout::is_epoch) {
            durable::remove_dir(&path)?;
        }
    }
    Ok(())
}

/// Where second copies of keyrings wait that a committed change of keys has not moved yet.
pub(crate) fn waiting_keyrings(store_dir: &Path) -> Result<Vec<PathBuf>, StoreFault> {
    let mut found = Vec::new();
    for entry in fs::read_dir(store_dir)? {
        let entry = entry?;
        let of_an_epoch = layout::is_epoch(&entry.file_name());
        // The commit takes the first copy away.
        if of_an_epoch && !entry.path().join(KEYRING.first).try_exists()? {
            found.push(entry.path().join(KEYRING.second));
        }
    }
    Ok(found)
}

/// Every move may have been made before a kill.
fn finish(store_dir: &Path, next: &Path) -> Result<(), StoreFault> {
    move_all(&next.join(SLOTS), &store_dir.join(SLOTS))?;
    move_all(&next.join(DRAFTS), &store_dir.join(DRAFTS))?;
    move_one(&next.join(INBOX_STATE), &store_dir.join(INBOX).join(INBOX_STATE))?;
    for name in [KEYRING.second, CART.first, CART.second, EMERGENCY] {
        move_one(&next.join(name), &store_dir.join(name))?;
    }
    if next.join(VAULT).try_exists()? {
        // The old vault's log, which must never be replayed into the new one.
        for suffix in layout::SQLITE_SUFFIXES {
            durable::remove(&layout::with(&store_dir.join(VAULT), suffix))?;
        }
        for extension in BESIDE_VAULT {
            let name = Path::new(VAULT).with_extension(extension);
            move_one(&next.join(&name), &store_dir.join(&name))?;
        }
        move_one(&next.join(VAULT), &store_dir.join(VAULT))?;
    }
    durable::sync_dir(&store_dir.join(SLOTS))?;
    durable::sync_dir(&store_dir.join(INBOX))?;
    durable::sync_dir(store_dir)
}

fn move_one(from: &Path, to: &Path) -> Result<(), StoreFault> {
    if from.try_exists()? { durable::rename(from, to) } else { Ok(()) }
}

fn move_all(from: &Path, to: &Path) -> Result<(), StoreFault> {
    if !from.try_exists()? {
        return Ok(());
    }
    durable::make_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        durable::rename(&entry.path(), &to.join(entry.file_name()))?;
    }
    durable::sync_dir(to)
}

#[cfg(test)]
mod tests;
