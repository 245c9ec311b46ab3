//! Trying two factors: counted first, tested after, the same for known and unknown tokens.
//!
//! S-5: a try is durable in the cart compartment before a secret is tested. Typing the same wrong PIN
//! again tests nothing and costs nothing; that is remembered as a keyed tag, in memory only. A
//! person's badges have one PIN and one tally; every card has its own.
//! S-4: nothing is compared; the slot opens or it does not. What opens inside a shift is in
//! [`crate::open::shift`]. Whether a person's time is over is told only to somebody with the right factors.

use std::time::Duration;

use jiff::Timestamp;

use crate::cart::{Counter, Person, TokenSlot};
use crate::crypto::Key;
use crate::keys::keyslot::{self, Slot, SlotInfo, SlotOwner};
use crate::keys::ring::Recipient;
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::open::locked::Locked;
use crate::open::opened::Open;
use crate::open::recipients;
use crate::open::shift::{Clocks, Grant, Reopened, ShiftOpener};
use crate::vault::Vault;
use crate::vault::{patients, people};
use wardkeep_model::access::factor::{Evidence, TemplateId, Token, TokenKind};
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::lockout::Tally;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::access::{Operator, OperatorId};
use wardkeep_model::keeping::{
    AuditAct, AuditEntry, AuditResult, Finding, FindingKind, Identified, Refusal, Shift,
    StoreFault, Unlocked,
};
use wardkeep_model::moment::{BootTime, Moment};

/// How long a one-time code may wait for its first login.
pub(crate) const CODE_MAX: Duration = Duration::from_secs(3 * 24 * 3600);
/// A clock may be this much behind the one that issued a code; more, and it was set back.
const CODE_EARLY_MAX: Duration = Duration::from_secs(5 * 60);

/// What the right factors lead to.
pub struct LogIn {
    /// The store, its vault open.
    pub open: Box<Open>,
    /// Who came in, and what they see first.
    pub unlocked: Unlocked,
    /// Their private key, for what is sealed to them.
    pub private: Key,
}

/// A vault that somebody's factors have opened.
struct Entered {
    vault: Vault,
    keys: VaultKeys,
    operator: OperatorId,
}

/// A person with the token that was shown.
type Known = (Person, TokenSlot);

impl Locked {
    /// Whether this token's PIN may be tried, and what else would do.
    ///
    /// # Errors
    /// The restarted delay could not be stored.
    pub fn identify(&mut self, token: &Token, clocks: Clocks) -> Result<Identified, StoreFault> {
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

    /// What the log says of a refused unlock; without a pair, the token alone was turned away.
    pub fn unlock_refused(
        &self,
        (token, pair): (&Token, Option<Pair>),
        refusal: Refusal,
        now: Moment,
    ) -> AuditEntry {
        let index = self.keys.token_index(token);
        let person = self.cart.token(&index).map(|(person, _)| person.id);
        let result = match refusal {
            Refusal::Damaged(_) => AuditResult::Failed,
            Refusal::WrongFactors(_)
            | Refusal::NotAdmitted(_)
            | Refusal::Expired
            | Refusal::ShiftOver
            | Refusal::Suspected(_)
            | Refusal::NotTaken => AuditResult::Refused,
        };
        let entry = AuditEntry::of(AuditAct::UnlockRefused, now.wall);
        AuditEntry { person, pair, result, detail: token.reader(), ..entry }
    }

    /// What a live share of this token's owner offers under the site's policy.
    fn shift(&mut self, token: &Token, clocks: Clocks) -> Option<Shift> {
        let (finger, tap) = in_shift(token.kind());
        let alone = self.gate.shifts.opens_alone(&self.keys, token);
        let tap = self.gate.policy.allows(tap) && alone;
        let mut templates = self.gate.shifts.templates(&self.keys, token, clocks)?;
        if !self.gate.policy.allows(finger) {
            templates.clear();
        }
        (tap || !templates.is_empty()).then_some(Shift { templates, tap })
    }

    /// Whose factors these are, counted like those of an unlock; nothing is opened.
    pub fn verify(&mut self, evidence: &Evidence, clocks: Clocks) -> Result<OperatorId, Refusal> {
        self.prove(evidence, clocks).map(|(person, _)| person.id)
    }

    /// As [`Locked::verify`], with the person's private key.
    pub fn prove(&mut self, evidence: &Evidence, clocks: Clocks) -> Result<(Person, Key), Refusal> {
        let pair = evidence.pair();
        if pair.needs_shift() || !self.gate.policy.allows(pair) {
            return Err(Refusal::NotTaken);
        }
        self.trusted_for(pair)?;
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

    /// Tries factors, and opens the vault if they are right.
    ///
    /// # Errors
    /// Why not; the store is as locked as before.
    pub fn unlock(
        mut self: Box<Self>,
        evidence: &Evidence,
        clocks: Clocks,
    ) -> Result<LogIn, (Box<Self>, Refusal)> {
        match self.enter(evidence, clocks) {
            Ok((entered, unlocked, private)) => {
                let Entered { vault, keys, operator } = entered;
                let open = Open::new(self, (vault, keys), Some(operator));
                Ok(LogIn { open: Box::new(open), unlocked, private })
            }
            Err(refusal) => Err((self, refusal)),
        }
    }

    fn enter(
        &mut self,
        evidence: &Evidence,
        clocks: Clocks,
    ) -> Result<(Entered, Unlocked, Key), Refusal> {
        if !self.gate.policy.allows(evidence.pair()) {
            return Err(Refusal::NotTaken);
        }
        self.trusted_for(evidence.pair())?;
        match evidence {
            Evidence::BadgePin(..) | Evidence::Card(..) => self.log_in(evidence, clocks),
            Evidence::Finger(token, finger) => self.reopen((token, Some(*finger)), clocks),
            Evidence::Tap(token) => self.reopen((token, None), clocks),
        }
    }

    /// Two factors that derive the key.
    fn log_in(
        &mut self,
        evidence: &Evidence,
        clocks: Clocks,
    ) -> Result<(Entered, Unlocked, Key), Refusal> {
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
        let (entered, unlocked) = self.open_vault(&person, &private)?;
        if !must_choose_pin
            && let Err(fault) = self.leave_share(evidence, (&entered, &private), clocks)
        {
            tracing::warn!(%fault, "no shift share is kept: the next unlock needs the PIN");
        }
        Ok((entered, Unlocked { must_choose_pin, ..unlocked }, private))
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
        let repeated = self.gate.was_wrong(counter, tag);
        if !repeated {
            tally.count(now, self.gate.boot);
            self.cart.set_tally(counter, tally);
            self.save_counted()?;
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

    /// Whether a slot that does not open is that of an earlier epoch, which somebody put back.
    fn look_for_older(&mut self, owner: &SlotOwner, slot: &SlotInfo) {
        let earlier = (1..owner.epoch).rev().find(|epoch| {
            let owner = SlotOwner { epoch: *epoch, ..*owner };
            Slot::read(&self.slots(), &self.keys, &owner, slot).is_ok()
        });
        if earlier.is_some() && self.gate.is_first_older(slot.id) {
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
    ) -> Result<(Entered, Unlocked, Key), Refusal> {
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
        let (entered, unlocked) = self.open_vault(&person, &private)?;
        Ok((entered, unlocked, private))
    }

    /// Whether somebody with the right factors may come in today.
    fn admit(&self, person: &Person, clocks: Clocks) -> Result<(), Refusal> {
        let (wall, age) = (clocks.now.wall, self.age().at(clocks.now.boot));
        // By the wall clock or by the store's age, whichever comes first: one can be set back.
        let stale = person.code_since.is_some_and(|since| {
            let is_old = person.code_over_at_us.is_some_and(|end| age >= end);
            person.code_used || is_old || !is_fresh(since, wall)
        });
        if !self.is_valid(person, clocks.now) || stale { Err(Refusal::Expired) } else { Ok(()) }
    }

    fn open_vault(
        &mut self,
        person: &Person,
        private: &Key,
    ) -> Result<(Entered, Unlocked), Refusal> {
        let keys = self.ring.open(Recipient::Operator(person.id), private);
        let keys = keys.ok_or(Refusal::Damaged(StoreFault::Damaged))?;
        let mut vault = self.vault_file(&keys).map_err(Refusal::Damaged)?;
        let seen = vault.check_remembered(self.inbox.remembered_vault());
        seen.map_err(|fault| Refusal::Damaged(fault.into()))?;
        let foreign = recipients::check(self, &mut vault, &keys).map_err(Refusal::Damaged)?;
        self.findings.extend(foreign);
        let unlocked = self.welcome(&vault, person).map_err(Refusal::Damaged)?;
        Ok((Entered { vault, keys, operator: person.id }, unlocked))
    }

    /// Leaves a shift share after a full login, where it would open anything.
    fn leave_share(
        &mut self,
        evidence: &Evidence,
        (entered, private): (&Entered, &Key),
        clocks: Clocks,
    ) -> Result<(), StoreFault> {
        let token = evidence.token();
        let policy = self.gate.policy;
        let (finger, tap) = in_shift(token.kind());
        let index = self.keys.token_index(&token);
        let Some((person, _)) = self.cart.token(&index) else { return Ok(()) };
        let operator = person.id;
        let templates = match policy.allows(finger) {
            true => people::templates(&entered.vault, operator)?,
            false => Vec::new(),
        };
        if templates.is_empty() && !policy.allows(tap) {
            return Ok(());
        }
        let mut openers = vec![ShiftOpener { index, share: self.keys.token_share(&token) }];
        openers.extend(others(person, &index, entered)?);
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
    entered: &Entered,
) -> Result<Vec<ShiftOpener>, StoreFault> {
    let Entered { vault, keys, .. } = entered;
    let mut openers = Vec::new();
    for row in people::tokens(vault, person.id)? {
        let token = person.tokens.iter().find(|token| token.slot.id == row.slot);
        if let (Some(token), Some(sealed)) = (token, &row.share)
            && token.index != *shown
        {
            let share = keys.held(Held::Share(row.slot), sealed)?;
            openers.push(ShiftOpener { index: token.index, share });
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
