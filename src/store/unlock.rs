//! Trying two factors: counted first, tested after, the same for known and unknown badges.
//!
//! S-5: a try is durable in the cart compartment before the PIN is tested. Typing the same wrong PIN
//! again tests nothing and costs nothing; that is remembered as a keyed tag, in memory only.
//! S-4: nothing is compared; the slot opens or it does not.

use std::collections::VecDeque;
use std::fs;

use super::cart::Counter;
use super::keep::Opened;
use super::keyring::Recipient;
use super::keyslot::{self, Slot, SlotInfo};
use super::primitives::{KdfCost, Key, mac, random};
use super::setup::Store;
use super::vault::Vault;
use super::{Admission, Identified, Refusal, StoreFault, Unlocked};
use crate::moment::BootTime;
use crate::session::factor::{Evidence, Pin, Token};
use crate::session::lockout::{BootId, Tally};
use crate::session::policy::Pair;
use crate::session::{Operator, OperatorId};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const WRONG_MAX: usize = 1024;

/// What the tries need beside the cart compartment; nothing of it is ever written.
pub(super) struct Gate {
    cost: KdfCost,
    boot: BootId,
    tag_key: Key,
    wrong: VecDeque<([u8; 32], [u8; 32])>,
}

impl Gate {
    pub(super) fn new(cost: KdfCost) -> Result<Self, StoreFault> {
        let boot = match boot_id() {
            Some(boot) => boot,
            // An unknown start of the machine counts as another one: delays restart in full.
            None => BootId(u128::from_be_bytes(random()?)),
        };
        Ok(Self { cost, boot, tag_key: Key::random()?, wrong: VecDeque::new() })
    }

    fn tag(&self, badge: &[u8; 32], pin: &Pin) -> ([u8; 32], [u8; 32]) {
        (*badge, mac(&self.tag_key, &[badge, pin.ascii()]))
    }

    fn remember_wrong(&mut self, tag: ([u8; 32], [u8; 32])) {
        if self.wrong.len() >= WRONG_MAX {
            self.wrong.pop_front();
        }
        self.wrong.push_back(tag);
    }
}

fn boot_id() -> Option<BootId> {
    let text = fs::read_to_string(BOOT_ID).ok()?;
    u128::from_str_radix(&text.trim().replace('-', ""), 16).ok().map(BootId)
}

impl Store {
    /// Whether this badge may try a PIN.
    ///
    /// # Errors
    /// The restarted delay could not be stored.
    pub(super) fn identify(
        &mut self,
        token: &Token,
        now: BootTime,
    ) -> Result<Identified, StoreFault> {
        let index = self.keys.token_index(token);
        let admission = self.rebased_tally(self.cart.counter(&index), now)?.admission(now);
        Ok(Identified { admission, peer: None, shift: None })
    }

    fn rebased_tally(&mut self, counter: Counter, now: BootTime) -> Result<Tally, StoreFault> {
        let (tally, changed) = self.cart.rebased(counter, now, self.gate.boot);
        if changed {
            self.cart.set_tally(counter, tally);
            self.save_cart()?;
        }
        Ok(tally)
    }

    /// Tries badge and PIN, and opens the vault if they are right.
    pub(super) fn unlock(
        &mut self,
        evidence: &Evidence,
        now: BootTime,
    ) -> Result<Unlocked, Refusal> {
        let Evidence::BadgePin(badge, pin) = evidence else {
            return Err(Refusal::NotTaken);
        };
        let index = self.keys.badge_index(badge);
        let person = self.cart.token(&index).map(|(person, token)| (person.clone(), token.clone()));
        let counter = self.cart.counter(&index);
        let mut tally = self.rebased_tally(counter, now).map_err(Refusal::Damaged)?;
        let admission = tally.admission(now);
        if !matches!(admission, Admission::Try { .. }) {
            return Err(Refusal::NotAdmitted(admission));
        }
        let (owner, slot) = match &person {
            Some((person, token)) => (self.owner(person.id), token.slot.clone()),
            None => (self.owner(OperatorId(0)), self.stranger(&index)),
        };
        // A damaged slot is found before the try is counted: no PIN can be tested against it.
        let file = match &person {
            Some(_) => Slot::read(&self.slots(), &self.keys, &owner, &slot).map(Some),
            None => Ok(None),
        };
        let file = file.map_err(Refusal::Damaged)?;

        let tag = self.gate.tag(&index, pin);
        let repeated = self.gate.wrong.contains(&tag);
        if !repeated {
            tally.count(now, self.gate.boot);
            self.cart.set_tally(counter, tally);
            self.save_cart().map_err(Refusal::Damaged)?;
        }
        let kek = keyslot::kek(&self.keys, (badge, pin), &owner, &slot, self.gate.cost);
        let kek = kek.map_err(Refusal::Damaged)?;
        let private = file.filter(|_| !repeated).and_then(|file| file.open(&kek));
        let (Some(private), Some((person, _))) = (private, person) else {
            if !repeated {
                self.gate.remember_wrong(tag);
            }
            return Err(Refusal::WrongFactors(tally.admission(now)));
        };

        tally.clear();
        self.gate.wrong.retain(|(wrong, _)| *wrong != index);
        self.cart.set_tally(counter, tally);
        if let Err(fault) = self.save_cart() {
            // The try stays counted on disk, which only errs on the strict side.
            tracing::warn!(%fault, "tries could not be reset");
        }
        let keys = self.ring.open(Recipient::Operator(person.id), &private);
        let keys = keys.ok_or(Refusal::Damaged(StoreFault::Damaged))?;
        let vault = Vault::open(&self.vault_path(), &keys.database()).map_err(Refusal::Damaged)?;
        let unlocked = self.welcome(&vault, (person.id, person.initials, person.role));
        let unlocked = unlocked.map_err(Refusal::Damaged)?;
        self.open = Some(Opened::new(vault, keys));
        Ok(unlocked)
    }

    fn stranger(&self, index: &[u8; 32]) -> SlotInfo {
        let salt = self.keys.stranger_salt(index);
        SlotInfo { id: [0; 16], pair: Pair::BadgePin, salt }
    }

    fn welcome(
        &self,
        vault: &Vault,
        (id, initials, role): (OperatorId, String, crate::session::Role),
    ) -> Result<Unlocked, StoreFault> {
        let operator = Operator { id, initials, name: vault.operator_name(id)?, role };
        let patient = match self.cart.state.subject {
            Some(subject) => vault.patient(subject)?,
            None => None,
        };
        Ok(Unlocked { operator, patient, draft: None, must_choose_pin: false })
    }
}
