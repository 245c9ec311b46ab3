//! Adding a person, and giving a person tokens, fingers and PINs.
//!
//! Each act writes the vault first, then the cart compartment, whose rename is its commit point: what a
//! kill in between leaves in the vault means nothing, and slot files that belong to no token are
//! removed at the next start. A PIN is never stored; what is stored is a slot that it opens.
//!
//! S-4: a person's badges share one PIN. Another PIN means another slot for each of them.

use crate::cart::{Cart, Counter, Person, TokenSlot};
use crate::crypto::{Key, key_pair, random};
use crate::keys::keyslot::{self, Slot, SlotInfo};
use crate::keys::ring::Recipient;
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::open::emergency;
use crate::open::setup::Store;
use crate::open::shift::Clocks;
use crate::staff::people::Desk;
use crate::vault::people;
use crate::vault::{TemplateRow, TokenRow};
use wardkeep_model::access::factor::CardEnrolment;
use wardkeep_model::access::factor::{
    Badge, Evidence, PIN_DIGITS_MAX, Pin, Template, Token, TokenKind,
};
use wardkeep_model::access::naming::checked_name;
use wardkeep_model::access::policy::{Pair, Permission};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::{
    Administered, AdministrationFault as Fault, AuditAct, AuditEntry, AuditResult, NewPerson,
    NewPin, Refusal, StoreFault,
};

/// Most people on one cart.
const PEOPLE_MAX: usize = 500;
/// Most badges and cards of a person.
const TOKENS_MAX: usize = 4;
/// Most fingers of a person.
const FINGERS_MAX: usize = 10;
/// Longest template that is kept.
const PRINT_LEN_MAX: usize = 256 * 1024;
const SUBJECT_CHARS_MAX: usize = 200;

/// A token's new slot: for the cart compartment, and for the vault.
type Slotted = (TokenSlot, TokenRow);

impl Store {
    pub(crate) fn add_person(
        &mut self,
        desk: Desk<'_>,
        new: NewPerson,
        voucher: Option<Evidence>,
    ) -> Result<Administered, Fault> {
        let checked = checked_name(&new.name, &new.initials);
        let (name, initials) = checked.map_err(|_| Fault::NameIncomplete)?;
        if self.cart.people.len() >= PEOPLE_MAX {
            return Err(Fault::TooMany);
        }
        let pair = voucher.as_ref().map(Evidence::pair);
        let vouched = match self.vouched(desk, new.role, voucher) {
            Err(Fault::VoucherWrong) => {
                let operator = self.open.as_ref().and_then(|opened| opened.operator());
                let refused = AuditEntry::of(AuditAct::UnlockRefused, desk.now.wall);
                let result = AuditResult::Refused;
                self.audit(AuditEntry { operator, pair, result, ..refused })?;
                return Err(Fault::VoucherWrong);
            }
            vouched => vouched?,
        };
        let id = OperatorId(u128::from_be_bytes(random()?));
        let (private, public) = key_pair(&Key::random()?);
        let (vault, keys) = self.open.as_mut().ok_or(Fault::NotAllowed)?.parts();
        people::add_operator(vault, id, &name, &keys.hold(Held::Private(id), &private)?)?;
        if let Some(operator) = vouched {
            let entry = self.entry(AuditAct::Vouched, id, desk.now);
            self.audit(AuditEntry { operator: Some(operator), pair, ..entry })?;
        }
        let entry = self.entry(AuditAct::PersonAdded, id, desk.now);
        self.audit(entry)?;

        let mut ring = self.ring.clone();
        let opened = self.open.as_ref().ok_or(Fault::NotAllowed)?;
        ring.add(&self.keys, opened.keys(), Recipient::Operator(id), public)?;
        // An entry for somebody who is not in the cart compartment yet opens nothing to anybody.
        ring.save(&self.state.store())?;
        self.ring = ring;
        let mut cart = self.cart.clone();
        let (role, valid_until, tokens) = (new.role, new.valid_until, Vec::new());
        let (code_since, code_used) = (None, false);
        cart.people.push(Person { id, initials, role, valid_until, code_since, code_used, tokens });
        self.commit_cart(cart)?;
        Ok(Administered::Added(id))
    }

    /// Whoever vouched, where somebody has to. The recovery words need nobody: they are what is left
    /// when there is no second IT person.
    fn vouched(
        &mut self,
        desk: Desk<'_>,
        role: Role,
        voucher: Option<Evidence>,
    ) -> Result<Option<OperatorId>, Fault> {
        let opener = self.open.as_ref().ok_or(Fault::NotAllowed)?.operator();
        let Some(opener) = opener else { return Ok(None) };
        if !desk.policy().two_person || !role.may(Permission::ManagePeople) {
            return Ok(None);
        }
        let evidence = voucher.ok_or(Fault::VoucherNeeded)?;
        let voucher =
            self.verify(&evidence, Clocks::at(desk.now)).map_err(|refusal| match refusal {
                Refusal::Damaged(fault) => Fault::Store(fault),
                Refusal::WrongFactors(_)
                | Refusal::NotAdmitted(_)
                | Refusal::Expired
                | Refusal::ShiftOver
                | Refusal::NotTaken => Fault::VoucherWrong,
            })?;
        let may_vouch = self
            .cart
            .person(voucher)
            .is_some_and(|person| person.role.may(Permission::ManagePeople));
        if voucher == opener || !may_vouch {
            return Err(Fault::VoucherWrong);
        }
        Ok(Some(voucher))
    }

    pub(crate) fn enrol_badge(
        &mut self,
        desk: Desk<'_>,
        operator: OperatorId,
        (badge, pin): (Badge, NewPin),
    ) -> Result<Administered, Fault> {
        self.known(operator)?;
        if badge.is_random() {
            return Err(Fault::TokenRandom);
        }
        self.room_for(operator, &self.keys.badge_index(&badge))?;
        let given = Given::of(pin)?;
        self.give_pin(desk, operator, (Some(&badge), &given), AuditAct::BadgeEnrolled)
    }

    pub(crate) fn set_pin(
        &mut self,
        desk: Desk<'_>,
        operator: OperatorId,
        pin: NewPin,
    ) -> Result<Administered, Fault> {
        if !self.known(operator)?.has_badge() {
            return Err(Fault::Unknown);
        }
        let given = Given::of(pin)?;
        let act = if given.is_code { AuditAct::CodeIssued } else { AuditAct::PinSet };
        self.give_pin(desk, operator, (None, &given), act)
    }

    pub(crate) fn change_own_pin(
        &mut self,
        desk: Desk<'_>,
        pin: &Pin,
    ) -> Result<Administered, Fault> {
        let operator = self.open.as_ref().and_then(|opened| opened.operator());
        let operator = operator.ok_or(Fault::NotAllowed)?;
        let person = self.known(operator)?.clone();
        if !person.has_badge() {
            return Err(Fault::Unknown);
        }
        let given = Given::of(NewPin::Chosen(pin.clone()))?;
        if person.code_since.is_some() && self.opens_with(desk, &person, pin)? {
            // The code was read out to them: it is no PIN of their own.
            return Err(Fault::PinGuessable);
        }
        self.give_pin(desk, operator, (None, &given), AuditAct::PinSet)
    }

    pub(crate) fn enrol_card(
        &mut self,
        desk: Desk<'_>,
        operator: OperatorId,
        enrolment: CardEnrolment,
    ) -> Result<Administered, Fault> {
        self.known(operator)?;
        let token = Token::Card(enrolment.card);
        let index = self.keys.token_index(&token);
        self.room_for(operator, &index)?;
        let private = self.private_key(operator)?;
        let slot = SlotInfo::new(Pair::CardPin)?;
        let owner = self.owner(operator);
        let kek = keyslot::card_kek(&enrolment.secret, &owner, &slot);
        keyslot::write(&self.slots(), &self.keys, &owner, &slot, (&kek, &private))?;
        let subject: String = enrolment.subject.reveal().chars().take(SUBJECT_CHARS_MAX).collect();
        let row = TokenRow {
            slot: slot.id,
            kind: TokenKind::Card,
            subject: Some(Phi::new(subject)),
            share: None,
            kek: self.vault_keys()?.hold(Held::Kek(slot.id), &kek)?,
        };
        let slotted = TokenSlot { index, slot, peer: Some(enrolment.peer), since: desk.now.wall };
        let mut cart = self.cart.clone();
        cart.forget_token(&index);
        cart.emergency.push(emergency::new_key(&self.keys, &self.ring.device, &token)?);
        self.keep_tokens(
            desk,
            (&mut cart, operator),
            vec![(slotted, row)],
            AuditAct::CardEnrolled,
        )?;
        // Tried before as a stranger's.
        self.gate.forget_wrong(Counter::Token(index));
        Ok(Administered::Enrolled(None))
    }

    pub(crate) fn enrol_finger(
        &mut self,
        desk: Desk<'_>,
        operator: OperatorId,
        template: Template,
    ) -> Result<Administered, Fault> {
        self.known(operator)?;
        let vault = self.vault()?;
        let there = people::template_rows(vault, operator)?;
        if there.len() >= FINGERS_MAX || template.print.expose().len() > PRINT_LEN_MAX {
            return Err(Fault::TooMany);
        }
        let entry = self.entry(AuditAct::FingerEnrolled, operator, desk.now);
        self.audit(entry)?;
        people::add_template(
            self.vault()?,
            operator,
            &TemplateRow { template, since: desk.now.wall },
        )?;
        // A live share holds the fingers of its login.
        self.end_shift(operator);
        Ok(Administered::Enrolled(None))
    }

    fn room_for(&self, operator: OperatorId, index: &[u8; 32]) -> Result<(), Fault> {
        if self.cart.token(index).is_some() {
            return Err(Fault::TokenInUse);
        }
        if self.known(operator)?.tokens.len() >= TOKENS_MAX {
            return Err(Fault::TooMany);
        }
        Ok(())
    }

    fn private_key(&mut self, operator: OperatorId) -> Result<Key, Fault> {
        let (vault, keys) = self.open.as_mut().ok_or(Fault::NotAllowed)?.parts();
        Ok(people::private_key(vault, keys, operator)?)
    }

    fn vault_keys(&self) -> Result<&VaultKeys, Fault> {
        Ok(self.open.as_ref().ok_or(Fault::NotAllowed)?.keys())
    }

    fn share(&self, rows: &[TokenRow], slot: [u8; 16]) -> Result<Key, Fault> {
        let row = rows.iter().find(|row| row.slot == slot);
        let sealed = row.and_then(|row| row.share.as_ref()).ok_or(StoreFault::Damaged)?;
        Ok(self.vault_keys()?.held(Held::Share(slot), sealed)?)
    }

    /// Whether a PIN opens one of a person's badge slots as it is.
    fn opens_with(&mut self, desk: Desk<'_>, person: &Person, pin: &Pin) -> Result<bool, Fault> {
        let rows = people::tokens(self.vault()?, person.id)?;
        let owner = self.owner(person.id);
        let Some(token) = person.tokens.iter().find(|token| token.peer.is_none()) else {
            return Ok(false);
        };
        let share = self.share(&rows, token.slot.id)?;
        let (cost, index) = (desk.options.cost, &token.slot);
        let kek = keyslot::kek_of_share((&share, pin), &owner, index, cost)?;
        let slot = Slot::read(&self.slots(), &self.keys, &owner, &token.slot)?;
        Ok(slot.open(&kek).is_some())
    }

    /// Gives all badges of a person, and one more, a PIN.
    fn give_pin(
        &mut self,
        desk: Desk<'_>,
        operator: OperatorId,
        (added, given): (Option<&Badge>, &Given),
        act: AuditAct,
    ) -> Result<Administered, Fault> {
        let badges = self.known(operator)?.clone();
        let rows = people::tokens(self.vault()?, operator)?;
        let mut shares = Vec::new();
        for token in badges.tokens.iter().filter(|token| token.peer.is_none()) {
            shares.push((token.index, self.share(&rows, token.slot.id)?, token.since));
        }
        let mut cart = self.cart.clone();
        if let Some(badge) = added {
            let token = Token::Badge(badge.clone());
            let index = self.keys.token_index(&token);
            shares.push((index, self.keys.badge_share(badge), desk.now.wall));
            cart.forget_token(&index);
            cart.emergency.push(emergency::new_key(&self.keys, &self.ring.device, &token)?);
        }
        let private = self.private_key(operator)?;
        let owner = self.owner(operator);
        let mut slotted = Vec::new();
        for (index, share, since) in shares {
            let slot = SlotInfo::new(Pair::BadgePin)?;
            let factors = (&share, &given.pin);
            let kek = keyslot::kek_of_share(factors, &owner, &slot, desk.options.cost)?;
            keyslot::write(&self.slots(), &self.keys, &owner, &slot, (&kek, &private))?;
            let (kind, subject) = (TokenKind::Badge, None);
            let held = self.vault_keys()?;
            let share = Some(held.hold(Held::Share(slot.id), &share)?);
            let kek = held.hold(Held::Kek(slot.id), &kek)?;
            let row = TokenRow { slot: slot.id, kind, subject, share, kek };
            slotted.push((TokenSlot { index, slot, peer: None, since }, row));
        }
        cart.forget_tries(operator);
        for person in cart.people.iter_mut().filter(|person| person.id == operator) {
            person.code_since = given.is_code.then_some(desk.now.wall);
            person.code_used = false;
        }
        self.keep_tokens(desk, (&mut cart, operator), slotted, act)?;
        self.end_shift(operator);
        Ok(Administered::Enrolled(given.code()))
    }

    /// Commits new slots: those of tokens that had one replace it.
    fn keep_tokens(
        &mut self,
        desk: Desk<'_>,
        (cart, operator): (&mut Cart, OperatorId),
        slotted: Vec<Slotted>,
        act: AuditAct,
    ) -> Result<(), Fault> {
        let (tokens, rows): (Vec<TokenSlot>, Vec<TokenRow>) = slotted.into_iter().unzip();
        let entry = self.entry(act, operator, desk.now);
        let vault = self.vault()?;
        people::add_tokens(vault, operator, &rows)?;
        self.audit(entry)?;
        let mut kept = Vec::new();
        for person in cart.people.iter_mut().filter(|person| person.id == operator) {
            person.tokens.retain(|old| !tokens.iter().any(|new| new.index == old.index));
            person.tokens.extend(tokens.iter().cloned());
            person.tokens.sort_by_key(|token| token.since);
            kept.extend(person.tokens.iter().map(|token| token.slot.id));
        }
        self.commit_cart(cart.clone())?;
        let swept =
            people::keep_tokens(self.vault()?, operator, &kept).and_then(|()| Ok(self.sweep()?));
        if let Err(fault) = swept {
            // Slots and rows of no token: the next start and the next act remove them.
            tracing::warn!(%fault, "old slots could not be removed");
        }
        Ok(())
    }

    /// Makes a cart compartment the live one.
    pub(crate) fn commit_cart(&mut self, cart: Cart) -> Result<(), Fault> {
        let old = std::mem::replace(&mut self.cart, cart);
        if let Err(fault) = self.save_cart() {
            let failed = std::mem::replace(&mut self.cart, old);
            // It may have reached the disk all the same.
            self.cart.generation = failed.generation;
            return Err(fault.into());
        }
        Ok(())
    }
}

/// A PIN to be given.
struct Given {
    pin: Pin,
    is_code: bool,
}

impl Given {
    fn of(pin: NewPin) -> Result<Self, Fault> {
        match pin {
            NewPin::OneTimeCode => Ok(Self { pin: draw_code()?, is_code: true }),
            NewPin::Chosen(pin) if pin.is_complete() && !pin.is_guessable() => {
                Ok(Self { pin, is_code: false })
            }
            NewPin::Chosen(_) => Err(Fault::PinGuessable),
        }
    }

    fn code(&self) -> Option<Secret<String>> {
        let digits = self.is_code.then(|| self.pin.ascii().to_vec())?;
        String::from_utf8(digits).ok().map(Secret::new)
    }
}

/// Eight digits, each as likely as any other.
fn draw_code() -> Result<Pin, StoreFault> {
    loop {
        let mut pin = Pin::default();
        while pin.len() < PIN_DIGITS_MAX {
            let [byte] = random::<1>()?;
            // 250 is the last multiple of ten that a byte reaches.
            if byte < 250 {
                pin.push(byte % 10);
            }
        }
        if !pin.is_guessable() {
            return Ok(pin);
        }
    }
}
