//! Trying two factors: counted first, tested after, the same for known and unknown tokens.
//!
//! S-5: a try is durable in the cart compartment before a secret is tested. Typing the same wrong PIN
//! again tests nothing and costs nothing; that is remembered as a keyed tag, in memory only. A
//! person's badges have one PIN and one tally; every card has its own.
//! S-4: nothing is compared; the slot opens or it does not. What opens inside a shift is in
//! [`crate::open::shift`]. Whether a person's time is over is told only to somebody with the right factors.

use std::collections::VecDeque;
use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cart::{Counter, Person, TokenSlot};
use crate::crypto::{KdfCost, Key, mac, random};
use crate::keys::keyslot::{self, Slot, SlotInfo, SlotOwner};
use crate::keys::ring::Recipient;
use crate::keys::vault_keys::Held;
use crate::open::options::Options;
use crate::open::setup::Store;
use crate::open::shift::{Clocks, Grant, Opener, Reopened, Shifts};
use crate::vault::Vault;
use crate::vault::{patients, people};
use crate::worker::record::Opened;
use wardkeep_model::access::factor::{Evidence, TemplateId, Token, TokenKind};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::lockout::{BootId, Tally};
use wardkeep_model::access::policy::{Pair, Policy};
use wardkeep_model::access::{Operator, OperatorId};
use wardkeep_model::keeping::{
    Finding, FindingKind, Identified, Refusal, Shift, StoreFault, Unlocked,
};
use wardkeep_model::moment::BootTime;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const WRONG_MAX: usize = 1024;
/// How long a one-time code may wait for its first login.
const CODE_MAX: Duration = Duration::from_secs(3 * 24 * 3600);
/// A clock may be this much behind the one that issued a code; more, and it was set back.
const CODE_EARLY_MAX: Duration = Duration::from_secs(5 * 60);

/// What the tries need beside the cart compartment; nothing of it is ever written.
pub(crate) struct Gate {
    cost: KdfCost,
    pub(crate) policy: Policy,
    pub(crate) boot: BootId,
    tag_key: Key,
    wrong: VecDeque<(Counter, [u8; 32])>,
    pub(crate) shifts: Shifts,
    /// Slots that were found to be of an earlier epoch.
    older: Vec<[u8; 16]>,
}

impl Gate {
    pub(crate) fn new(options: &Options) -> Result<Self, StoreFault> {
        let boot = match boot_id() {
            Some(boot) => boot,
            // An unknown start of the machine counts as another one: delays restart in full.
            None => BootId(u128::from_be_bytes(random()?)),
        };
        let (cost, policy, tag_key) = (options.cost, options.policy, Key::random()?);
        Ok(Self {
            cost,
            policy,
            boot,
            tag_key,
            wrong: VecDeque::new(),
            shifts: Shifts::default(),
            older: Vec::new(),
        })
    }

    fn tag(&self, index: &[u8; 32], evidence: &Evidence) -> [u8; 32] {
        let secret: &[u8] = match evidence {
            Evidence::BadgePin(_, pin) => pin.ascii(),
            Evidence::Card(_, secret) => secret.expose(),
            Evidence::Finger(..) | Evidence::Tap(_) => &[],
        };
        mac(&self.tag_key, &[index, secret])
    }

    fn remember_wrong(&mut self, counter: Counter, tag: [u8; 32]) {
        if self.wrong.len() >= WRONG_MAX {
            self.wrong.pop_front();
        }
        self.wrong.push_back((counter, tag));
    }

    pub(crate) fn forget_wrong(&mut self, counter: Counter) {
        self.wrong.retain(|(wrong, _)| *wrong != counter);
    }
}

fn boot_id() -> Option<BootId> {
    let text = fs::read_to_string(BOOT_ID).ok()?;
    u128::from_str_radix(&text.trim().replace('-', ""), 16).ok().map(BootId)
}

/// A person with the token that was shown.
type Known = (Person, TokenSlot);

impl Store {
    /// Whether this token's PIN may be tried, and what else would do.
    ///
    /// # Errors
    /// The restarted delay could not be stored.
    pub(crate) fn identify(
        &mut self,
        token: &Token,
        clocks: Clocks,
    ) -> Result<Identified, StoreFault> {
        let index = self.keys.token_index(token);
        let counter = self.cart.counter(&index);
        let admission = self.rebased_tally(counter, clocks.now.boot)?.admission(clocks.now.boot);
        let peer = match token {
            Token::Badge(_) => None,
            Token::Card(_) => {
                // Made up for known cards too, so that both cost the same time.
                let made_up = self.keys.stranger_peer(&index);
                let known = self.cart.token(&index).and_then(|(_, token)| token.peer.clone());
                Some(known.unwrap_or(made_up))
            }
        };
        Ok(Identified { admission, peer, shift: self.shift(token, clocks) })
    }

    /// What a live share of this token's owner offers under the site's policy.
    fn shift(&mut self, token: &Token, clocks: Clocks) -> Option<Shift> {
        let (finger, tap) = in_shift(token.kind());
        let tap = self.gate.policy.allows(tap);
        let mut templates = self.gate.shifts.templates(&self.keys, token, clocks)?;
        if !self.gate.policy.allows(finger) {
            templates.clear();
        }
        (tap || !templates.is_empty()).then_some(Shift { templates, tap })
    }

    /// Whose factors these are, counted like those of an unlock; nothing is opened.
    pub(crate) fn verify(
        &mut self,
        evidence: &Evidence,
        clocks: Clocks,
    ) -> Result<OperatorId, Refusal> {
        self.prove(evidence, clocks).map(|(person, _)| person.id)
    }

    /// As [`Store::verify`], with the person's private key.
    pub(crate) fn prove(
        &mut self,
        evidence: &Evidence,
        clocks: Clocks,
    ) -> Result<(Person, Key), Refusal> {
        let pair = evidence.pair();
        if pair.needs_shift() || !self.gate.policy.allows(pair) {
            return Err(Refusal::NotTaken);
        }
        let (person, private) = self.try_factors(evidence, clocks)?;
        self.admit(&person, clocks)?;
        // A one-time code is for a first login alone.
        if pair == Pair::BadgePin && person.code_since.is_some() {
            return Err(Refusal::NotTaken);
        }
        Ok((person, private))
    }

    fn rebased_tally(&mut self, counter: Counter, now: BootTime) -> Result<Tally, StoreFault> {
        let (tally, changed) = self.cart.rebased(counter, now, self.gate.boot);
        if changed {
            self.cart.set_tally(counter, tally);
            self.save_cart()?;
        }
        Ok(tally)
    }

    /// Tries factors, and opens the vault if they are right. Gives the person's private key too, for
    /// what is sealed to them.
    pub(crate) fn unlock(
        &mut self,
        evidence: &Evidence,
        clocks: Clocks,
    ) -> Result<(Unlocked, Key), Refusal> {
        if !self.gate.policy.allows(evidence.pair()) {
            return Err(Refusal::NotTaken);
        }
        match evidence {
            Evidence::BadgePin(..) | Evidence::Card(..) => self.log_in(evidence, clocks),
            Evidence::Finger(token, finger) => self.reopen((token, Some(*finger)), clocks),
            Evidence::Tap(token) => self.reopen((token, None), clocks),
        }
    }

    /// Two factors that derive the key.
    fn log_in(&mut self, evidence: &Evidence, clocks: Clocks) -> Result<(Unlocked, Key), Refusal> {
        let (person, private) = self.try_factors(evidence, clocks)?;
        self.admit(&person, clocks)?;
        let must_choose_pin = evidence.pair() == Pair::BadgePin && person.code_since.is_some();
        if must_choose_pin {
            // Durable before anything opens: a code is good for one login.
            self.cart.people.iter_mut().filter(|other| other.id == person.id).for_each(|person| {
                person.code_used = true;
            });
            self.save_cart().map_err(Refusal::Damaged)?;
        }
        let unlocked = self.open_vault(&person, &private)?;
        if !must_choose_pin && let Err(fault) = self.leave_share(evidence, &private, clocks) {
            tracing::warn!(%fault, "no shift share is kept: the next unlock needs the PIN");
        }
        Ok((Unlocked { must_choose_pin, ..unlocked }, private))
    }

    /// Counts a try, and then tests it against the token's slot.
    fn try_factors(
        &mut self,
        evidence: &Evidence,
        clocks: Clocks,
    ) -> Result<(Person, Key), Refusal> {
        let now = clocks.now.boot;
        let index = self.keys.token_index(&evidence.token());
        let known: Option<Known> =
            self.cart.token(&index).map(|(person, token)| (person.clone(), token.clone()));
        let counter = self.cart.counter(&index);
        let mut tally = self.rebased_tally(counter, now).map_err(Refusal::Damaged)?;
        let admission = tally.admission(now);
        if !matches!(admission, Admission::Try { .. }) {
            return Err(Refusal::NotAdmitted(admission));
        }
        let (owner, slot) = match &known {
            Some((person, token)) => (self.owner(person.id), token.slot.clone()),
            None => (self.owner(OperatorId(0)), self.stranger(&index, evidence.pair())),
        };
        // A damaged slot is found before the try is counted: no PIN can be tested against it.
        let file = match &known {
            Some(_) if slot.pair != evidence.pair() => Err(StoreFault::Damaged),
            Some(_) => Slot::read(&self.slots(), &self.keys, &owner, &slot).map(Some),
            None => Ok(None),
        };
        let file = file.inspect_err(|_| self.look_for_older(&owner, &slot));
        let file = file.map_err(Refusal::Damaged)?;

        let tag = self.gate.tag(&index, evidence);
        let repeated = self.gate.wrong.contains(&(counter, tag));
        if !repeated {
            tally.count(now, self.gate.boot);
            self.cart.set_tally(counter, tally);
            self.save_cart().map_err(Refusal::Damaged)?;
        }
        tracing::debug!("a try is counted and now tested");
        let kek = self.kek(evidence, &owner, &slot).map_err(Refusal::Damaged)?;
        let private = file.filter(|_| !repeated).and_then(|file| file.open(&kek));
        let (Some(private), Some((person, _))) = (private, known) else {
            if !repeated {
                self.gate.remember_wrong(counter, tag);
            }
            return Err(Refusal::WrongFactors(tally.admission(now)));
        };
        tally.clear();
        self.gate.forget_wrong(counter);
        self.cart.set_tally(counter, tally);
        if let Err(fault) = self.save_cart() {
            // The try stays counted on disk, which only errs on the strict side.
            tracing::warn!(%fault, "tries could not be reset");
        }
        Ok((person, private))
    }

    /// Whether the inbox's state is older than the cart compartment that it should remember, as
    /// both were read at the start.
    pub(crate) fn inbox_older(&self) -> Option<Finding> {
        let (remembered, _) = self.inbox.remembered_cart();
        let (found, expected) = (Some(remembered), Some(self.cart.generation));
        // One write behind is what a kill leaves.
        let older = self.cart.generation > remembered.saturating_add(1);
        older.then(|| Finding { found, expected, ..Finding::of(FindingKind::InboxOlder, 1) })
    }

    /// Whether a slot that does not open is that of an earlier epoch, which somebody put back.
    fn look_for_older(&mut self, owner: &SlotOwner, slot: &SlotInfo) {
        let earlier = (1..owner.epoch).rev().find(|epoch| {
            let owner = SlotOwner { epoch: *epoch, ..*owner };
            Slot::read(&self.slots(), &self.keys, &owner, slot).is_ok()
        });
        if earlier.is_some() && !self.gate.older.contains(&slot.id) {
            self.gate.older.push(slot.id);
            let (found, expected) = (earlier, Some(owner.epoch));
            let finding = Finding::of(FindingKind::SlotOlder, 1);
            self.findings.push(Finding { found, expected, ..finding });
        }
    }

    fn kek(
        &self,
        evidence: &Evidence,
        owner: &SlotOwner,
        slot: &SlotInfo,
    ) -> Result<Key, StoreFault> {
        match evidence {
            Evidence::BadgePin(badge, pin) => {
                keyslot::kek(&self.keys, (badge, pin), owner, slot, self.gate.cost)
            }
            Evidence::Card(_, secret) => Ok(keyslot::card_kek(secret, owner, slot)),
            // They derive nothing; `unlock` never brings them here.
            Evidence::Finger(..) | Evidence::Tap(_) => Err(StoreFault::Damaged),
        }
    }

    /// Inside a shift: what an earlier full login left behind.
    fn reopen(
        &mut self,
        shown: (&Token, Option<TemplateId>),
        clocks: Clocks,
    ) -> Result<(Unlocked, Key), Refusal> {
        let reopened = self.gate.shifts.open(&self.keys, shown, clocks);
        let Reopened { operator, private } = reopened.ok_or(Refusal::ShiftOver)?;
        let index = self.keys.token_index(shown.0);
        let person = self.cart.token(&index).map(|(person, _)| person.clone());
        let Some(person) = person.filter(|person| person.id == operator) else {
            // The token is not this person's any more.
            self.gate.shifts.end(operator);
            return Err(Refusal::ShiftOver);
        };
        if let Err(refusal) = self.admit(&person, clocks) {
            self.gate.shifts.end(operator);
            return Err(refusal);
        }
        let unlocked = self.open_vault(&person, &private)?;
        Ok((unlocked, private))
    }

    /// Whether somebody with the right factors may come in today.
    fn admit(&self, person: &Person, clocks: Clocks) -> Result<(), Refusal> {
        let wall = clocks.now.wall;
        let today = wall.to_zoned(TimeZone::system()).date();
        let over = person.valid_until.is_some_and(|last| today > last);
        let stale =
            person.code_since.is_some_and(|since| person.code_used || !is_fresh(since, wall));
        if over || stale { Err(Refusal::Expired) } else { Ok(()) }
    }

    fn open_vault(&mut self, person: &Person, private: &Key) -> Result<Unlocked, Refusal> {
        let keys = self.ring.open(Recipient::Operator(person.id), private);
        let keys = keys.ok_or(Refusal::Damaged(StoreFault::Damaged))?;
        let mut vault = self.vault_file(&keys).map_err(Refusal::Damaged)?;
        let seen = vault.check_remembered(self.inbox.remembered_vault());
        seen.map_err(|fault| Refusal::Damaged(fault.into()))?;
        let unlocked = self.welcome(&vault, person).map_err(Refusal::Damaged)?;
        self.open = Some(Opened::new(vault, keys, Some(person.id)));
        Ok(unlocked)
    }

    /// Leaves a shift share after a full login, where it would open anything.
    fn leave_share(
        &mut self,
        evidence: &Evidence,
        private: &Key,
        clocks: Clocks,
    ) -> Result<(), StoreFault> {
        let Some(opened) = &mut self.open else { return Ok(()) };
        let token = evidence.token();
        let policy = self.gate.policy;
        let (finger, tap) = in_shift(token.kind());
        let index = self.keys.token_index(&token);
        let Some((person, _)) = self.cart.token(&index) else { return Ok(()) };
        let operator = person.id;
        let templates = match policy.allows(finger) {
            true => people::templates(opened.vault(), operator)?,
            false => Vec::new(),
        };
        if templates.is_empty() && !policy.allows(tap) {
            return Ok(());
        }
        let mut openers = vec![Opener { index, share: self.keys.token_share(&token) }];
        openers.extend(others(person, &index, opened)?);
        let grant = Grant { operator, openers, length: policy.shift };
        self.gate.shifts.keep(&grant, (private, &templates), clocks)
    }

    fn stranger(&self, index: &[u8; 32], pair: Pair) -> SlotInfo {
        SlotInfo { id: [0; 16], pair, salt: self.keys.stranger_salt(index) }
    }

    fn welcome(&self, vault: &Vault, person: &Person) -> Result<Unlocked, StoreFault> {
        let (id, initials, role) = (person.id, person.initials.clone(), person.role);
        let operator = Operator { id, initials, name: people::operator_name(vault, id)?, role };
        let patient = match self.cart.state.subject {
            Some(subject) => patients::one(vault, subject)?,
            None => None,
        };
        Ok(Unlocked { operator, patient, draft: None, must_choose_pin: false })
    }
}

/// The person's other tokens, as far as the vault knows their shares: badges, not cards.
fn others(
    person: &Person,
    shown: &[u8; 32],
    opened: &mut Opened,
) -> Result<Vec<Opener>, StoreFault> {
    let (vault, keys) = opened.parts();
    let mut openers = Vec::new();
    for row in people::tokens(vault, person.id)? {
        let token = person.tokens.iter().find(|token| token.slot.id == row.slot);
        if let (Some(token), Some(sealed)) = (token, &row.share)
            && token.index != *shown
        {
            let share = keys.held(Held::Share(row.slot), sealed)?;
            openers.push(Opener { index: token.index, share });
        }
    }
    Ok(openers)
}

/// The pairs that a share allows for a token: with a finger, and alone.
fn in_shift(kind: TokenKind) -> (Pair, Pair) {
    match kind {
        TokenKind::Badge => (Pair::BadgeFinger, Pair::BadgeAlone),
        TokenKind::Card => (Pair::CardFinger, Pair::CardAlone),
    }
}

/// Whether a code issued at `since` may still be used. A clock that was set back makes no code young.
fn is_fresh(since: Timestamp, now: Timestamp) -> bool {
    let early = since.checked_sub(CODE_EARLY_MAX).unwrap_or(Timestamp::MIN);
    let late = since.checked_add(CODE_MAX).unwrap_or(Timestamp::MAX);
    (early..late).contains(&now)
}

#[cfg(test)]
mod tests;
