//! Adding a person, and giving a person tokens, fingers and PINs.
//!
//! Each act writes the vault first, then the cart compartment, whose rename is its commit point: what a
//! kill in between leaves in the vault means nothing, and slot files that belong to no token are
//! removed at the next start. A PIN is never stored; what is stored is a slot that it opens.
//!
//! S-4: a person's badges share one PIN. Another PIN means another slot for each of them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cart::{Cart, EmergencyKey, Person, TokenSlot};
use crate::crypto::{Key, key_pair, random};
use crate::keys::keyslot::{self, Slot, SlotInfo};
use crate::keys::ring::Recipient;
use crate::keys::vault_keys::Held;
use crate::open::emergency;
use crate::open::opened::Open;
use crate::open::shift::Clocks;
use crate::open::unlock::CODE_MAX;
use crate::staff::desk::Desk;
use crate::staff::people::known;
use crate::vault::people;
use crate::vault::people::private_key;
use crate::vault::recipients::{self, Holder};
use crate::vault::{TemplateRow, TokenRow};
use wardkeep_model::access::factor::CardEnrolment;
use wardkeep_model::access::factor::{
    Badge, Evidence, PIN_DIGITS_MAX, Pin, Template, Token, TokenKind,
};
use wardkeep_model::access::guessable::{self, Known, Weakness};
use wardkeep_model::access::naming::{NameFault, checked_name};
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

/// Adds a person, without any token yet.
///
/// # Errors
/// See [`Fault`].
pub(super) fn add_person(
    open: &mut Open,
    desk: Desk<'_>,
    new: NewPerson,
    voucher: Option<Evidence>,
) -> Result<Administered, Fault> {
    let checked = checked_name(&new.name, &new.initials);
    let (name, initials) = checked.map_err(|fault| match fault {
        NameFault::Deceptive => Fault::NameDeceptive,
        NameFault::Name | NameFault::Initials => Fault::NameIncomplete,
    })?;
    if open.locked().cart().people.len() >= PEOPLE_MAX {
        return Err(Fault::TooMany);
    }
    let pair = voucher.as_ref().map(Evidence::pair);
    let vouched = match vouched(open, desk, new.role, voucher) {
        Err(Fault::VoucherWrong) => {
            let operator = open.operator();
            let refused = AuditEntry::of(AuditAct::UnlockRefused, desk.now.wall);
            let result = AuditResult::Refused;
            open.audit(AuditEntry { operator, pair, result, ..refused }, desk.now)?;
            return Err(Fault::VoucherWrong);
        }
        vouched => vouched?,
    };
    let id = OperatorId(u128::from_be_bytes(random()?));
    let (private, public) = key_pair(&Key::random()?);
    let (vault, keys, _) = open.parts();
    people::add_operator(vault, id, &name, &keys.hold(Held::Private(id), &private)?)?;
    recipients::add(open.vault_mut(), Holder::Operator(id), public)?;
    if let Some(operator) = vouched {
        let entry = open.entry(AuditAct::Vouched, id, desk.now);
        open.audit(AuditEntry { operator: Some(operator), pair, ..entry }, desk.now)?;
    }
    let entry = open.entry(AuditAct::PersonAdded, id, desk.now);
    open.audit(entry, desk.now)?;

    let mut ring = open.locked().ring().clone();
    ring.add(open.locked().keys(), open.keys(), Recipient::Operator(id), public)?;
    // An entry for somebody who is not in the cart compartment yet opens nothing to anybody.
    open.locked_mut().replace_ring(ring)?;
    let mut cart = open.locked().cart().clone();
    let (role, valid_until, tokens) = (new.role, new.valid_until, Vec::new());
    let (code_since, code_used, code_over_at_us) = (None, false, None);
    let end = valid_until.and_then(|last| last.tomorrow().ok()?.to_zoned(TimeZone::system()).ok());
    let over_at_us = end.map(|end| open.locked().age().until(end.timestamp(), desk.now));
    cart.people.push(Person {
        id,
        initials,
        role,
        valid_until,
        code_since,
        code_used,
        tokens,
        over_at_us,
        code_over_at_us,
    });
    open.locked_mut().commit_cart(cart)?;
    Ok(Administered::Added(id))
}

/// Whoever vouched, where somebody has to. The recovery words need nobody: they are what is left
/// when there is no second IT person.
fn vouched(
    open: &mut Open,
    desk: Desk<'_>,
    role: Role,
    voucher: Option<Evidence>,
) -> Result<Option<OperatorId>, Fault> {
    let Some(opener) = open.operator() else { return Ok(None) };
    if !open.locked().policy().two_person || !role.may(Permission::ManagePeople) {
        return Ok(None);
    }
    let evidence = voucher.ok_or(Fault::VoucherNeeded)?;
    let voucher =
        open.locked_mut().verify(&evidence, Clocks::at(desk.now)).map_err(
            |refusal| match refusal {
                Refusal::Damaged(fault) => Fault::Store(fault),
                Refusal::WrongFactors(_)
                | Refusal::NotAdmitted(_)
                | Refusal::Expired
                | Refusal::ShiftOver
                | Refusal::Suspected(_)
                | Refusal::NotTaken => Fault::VoucherWrong,
            },
        )?;
    let may_vouch = open
        .locked()
        .cart()
        .person(voucher)
        .is_some_and(|person| person.role.may(Permission::ManagePeople));
    if voucher == opener || !may_vouch {
        return Err(Fault::VoucherWrong);
    }
    Ok(Some(voucher))
}

/// Gives a person a badge, and all their badges this PIN.
///
/// # Errors
/// See [`Fault`].
pub fn badge(
    open: &mut Open,
    desk: Desk<'_>,
    operator: OperatorId,
    (badge, pin): (Badge, NewPin),
) -> Result<Administered, Fault> {
    known(open, operator)?;
    if badge.is_random() {
        return Err(Fault::TokenRandom);
    }
    room_for(open, operator, &open.locked().keys().badge_index(&badge))?;
    let given = Given::of(pin, Known { badge: Some(&badge), places: &[] })?;
    give_pin(open, desk, operator, (Some(&badge), &given), AuditAct::BadgeEnrolled)
}

/// Gives all badges of a person another PIN.
///
/// # Errors
/// See [`Fault`].
pub fn set_pin(
    open: &mut Open,
    desk: Desk<'_>,
    operator: OperatorId,
    pin: NewPin,
) -> Result<Administered, Fault> {
    if !known(open, operator)?.has_badge() {
        return Err(Fault::NoBadge);
    }
    let given = Given::of(pin, Known::default())?;
    let act = if given.is_code { AuditAct::CodeIssued } else { AuditAct::PinSet };
    give_pin(open, desk, operator, (None, &given), act)
}

/// Gives the badges of whoever has the vault open another PIN.
///
/// # Errors
/// See [`Fault`].
pub(super) fn change_own_pin(
    open: &mut Open,
    desk: Desk<'_>,
    pin: &Pin,
) -> Result<Administered, Fault> {
    let operator = open.operator().ok_or(Fault::NotAllowed)?;
    let person = known(open, operator)?.clone();
    if !person.has_badge() {
        return Err(Fault::NoBadge);
    }
    let given = Given::of(NewPin::Chosen(pin.clone()), Known::default())?;
    if person.code_since.is_some() && opens_with(open, desk, &person, pin)? {
        // The code was read out to them: it is no PIN of their own.
        return Err(Fault::PinGuessable(Weakness::Code));
    }
    give_pin(open, desk, operator, (None, &given), AuditAct::PinSet)
}

/// Gives a person a card.
///
/// # Errors
/// See [`Fault`].
pub fn card(
    open: &mut Open,
    desk: Desk<'_>,
    operator: OperatorId,
    enrolment: CardEnrolment,
) -> Result<Administered, Fault> {
    known(open, operator)?;
    let token = Token::Card(enrolment.card);
    let index = open.locked().keys().token_index(&token);
    room_for(open, operator, &index)?;
    let private = private_key(open.vault(), open.keys(), operator)?;
    let slot = SlotInfo::new(Pair::CardPin)?;
    let owner = open.locked().owner(operator);
    let kek = keyslot::card_kek(&enrolment.secret, &owner, &slot);
    keyslot::write(&open.locked().slots(), open.locked().keys(), &owner, &slot, (&kek, &private))?;
    let subject: String = enrolment.subject.reveal().chars().take(SUBJECT_CHARS_MAX).collect();
    let row = TokenRow {
        slot: slot.id,
        kind: TokenKind::Card,
        subject: Some(Phi::new(subject)),
        share: None,
        kek: open.keys().hold(Held::Kek(slot.id), &kek)?,
    };
    let slotted = TokenSlot { index, slot, peer: Some(enrolment.peer), since: desk.now.wall };
    let mut cart = open.locked().cart().clone();
    cart.forget_token(&index);
    cart.emergency.push(emergency_key(open, &token)?);
    keep_tokens(open, desk, (&mut cart, operator), vec![(slotted, row)], AuditAct::CardEnrolled)?;
    // Tried before as a stranger's.
    open.locked_mut().forget_wrong_token(&index);
    Ok(Administered::Enrolled(None))
}

/// Gives a person a finger.
///
/// # Errors
/// See [`Fault`].
pub fn finger(
    open: &mut Open,
    desk: Desk<'_>,
    operator: OperatorId,
    template: Template,
) -> Result<Administered, Fault> {
    known(open, operator)?;
    let there = people::template_rows(open.vault(), operator)?;
    if there.len() >= FINGERS_MAX || template.print.expose().len() > PRINT_LEN_MAX {
        return Err(Fault::TooMany);
    }
    let entry = open.entry(AuditAct::FingerEnrolled, operator, desk.now);
    open.audit(entry, desk.now)?;
    people::add_template(
        open.vault_mut(),
        operator,
        &TemplateRow { template, since: desk.now.wall },
    )?;
    // A live share holds the fingers of its login.
    open.locked_mut().end_shift(operator);
    Ok(Administered::Enrolled(None))
}

fn room_for(open: &Open, operator: OperatorId, index: &[u8; 32]) -> Result<(), Fault> {
    if open.locked().cart().token(index).is_some() {
        return Err(Fault::TokenInUse);
    }
    if known(open, operator)?.tokens.len() >= TOKENS_MAX {
        return Err(Fault::TooMany);
    }
    Ok(())
}

fn share(open: &Open, rows: &[TokenRow], slot: [u8; 16]) -> Result<Key, Fault> {
    let row = rows.iter().find(|row| row.slot == slot);
    let sealed = row.and_then(|row| row.share.as_ref()).ok_or(StoreFault::Damaged)?;
    Ok(open.keys().held(Held::Share(slot), sealed)?)
}

/// Whether a PIN opens one of a person's badge slots as it is.
fn opens_with(open: &mut Open, desk: Desk<'_>, person: &Person, pin: &Pin) -> Result<bool, Fault> {
    let rows = people::tokens(open.vault(), person.id)?;
    let owner = open.locked().owner(person.id);
    let Some(token) = person.tokens.iter().find(|token| token.peer.is_none()) else {
        return Ok(false);
    };
    let share = share(open, &rows, token.slot.id)?;
    let (cost, index) = (desk.options.cost(), &token.slot);
    let kek = keyslot::kek_of_share((&share, pin), &owner, index, cost)?;
    let slot = Slot::read(&open.locked().slots(), open.locked().keys(), &owner, &token.slot)?;
    Ok(slot.open(&kek).is_some())
}

/// Gives all badges of a person, and one more, a PIN.
fn give_pin(
    open: &mut Open,
    desk: Desk<'_>,
    operator: OperatorId,
    (added, given): (Option<&Badge>, &Given),
    act: AuditAct,
) -> Result<Administered, Fault> {
    let badges = known(open, operator)?.clone();
    let rows = people::tokens(open.vault(), operator)?;
    let mut shares = Vec::new();
    for token in badges.tokens.iter().filter(|token| token.peer.is_none()) {
        shares.push((token.index, share(open, &rows, token.slot.id)?, token.since));
    }
    let mut cart = open.locked().cart().clone();
    if let Some(badge) = added {
        let token = Token::Badge(badge.clone());
        let index = open.locked().keys().token_index(&token);
        shares.push((index, open.locked().keys().badge_share(badge), desk.now.wall));
        cart.forget_token(&index);
        cart.emergency.push(emergency_key(open, &token)?);
    }
    let private = private_key(open.vault(), open.keys(), operator)?;
    let owner = open.locked().owner(operator);
    let mut slotted = Vec::new();
    for (index, share, since) in shares {
        let slot = SlotInfo::new(Pair::BadgePin)?;
        let factors = (&share, &given.pin);
        let kek = keyslot::kek_of_share(factors, &owner, &slot, desk.options.cost())?;
        keyslot::write(
            &open.locked().slots(),
            open.locked().keys(),
            &owner,
            &slot,
            (&kek, &private),
        )?;
        let (kind, subject) = (TokenKind::Badge, None);
        let held = open.keys();
        let share = Some(held.hold(Held::Share(slot.id), &share)?);
        let kek = held.hold(Held::Kek(slot.id), &kek)?;
        let row = TokenRow { slot: slot.id, kind, subject, share, kek };
        slotted.push((TokenSlot { index, slot, peer: None, since }, row));
    }
    cart.forget_tries(operator);
    let code_end = desk.now.wall.checked_add(CODE_MAX).unwrap_or(Timestamp::MAX);
    let code_over_at_us = open.locked().age().until(code_end, desk.now);
    for person in cart.people.iter_mut().filter(|person| person.id == operator) {
        person.code_since = given.is_code.then_some(desk.now.wall);
        person.code_used = false;
        person.code_over_at_us = given.is_code.then_some(code_over_at_us);
    }
    keep_tokens(open, desk, (&mut cart, operator), slotted, act)?;
    open.locked_mut().end_shift(operator);
    Ok(Administered::Enrolled(given.code()))
}

/// Commits new slots: those of tokens that had one replace it.
fn keep_tokens(
    open: &mut Open,
    desk: Desk<'_>,
    (cart, operator): (&mut Cart, OperatorId),
    slotted: Vec<Slotted>,
    act: AuditAct,
) -> Result<(), Fault> {
    let (tokens, rows): (Vec<TokenSlot>, Vec<TokenRow>) = slotted.into_iter().unzip();
    let entry = open.entry(act, operator, desk.now);
    people::add_tokens(open.vault_mut(), operator, &rows)?;
    open.audit(entry, desk.now)?;
    let mut kept = Vec::new();
    for person in cart.people.iter_mut().filter(|person| person.id == operator) {
        person.tokens.retain(|old| !tokens.iter().any(|new| new.index == old.index));
        person.tokens.extend(tokens.iter().cloned());
        person.tokens.sort_by_key(|token| token.since);
        kept.extend(person.tokens.iter().map(|token| token.slot.id));
    }
    open.locked_mut().commit_cart(cart.clone())?;
    let swept = people::keep_tokens(open.vault_mut(), operator, &kept)
        .and_then(|()| Ok(open.locked().sweep()?));
    if let Err(fault) = swept {
        // Slots and rows of no token: the next start and the next act remove them.
        tracing::warn!(%fault, "old slots could not be removed");
    }
    Ok(())
}

/// The emergency key of a token that is being enrolled.
fn emergency_key(open: &mut Open, token: &Token) -> Result<EmergencyKey, StoreFault> {
    let locked = open.locked();
    let key = emergency::new_key(locked.keys(), &locked.ring().device, token)?;
    recipients::add(open.vault_mut(), Holder::Token(key.index), key.public)?;
    Ok(key)
}

/// A PIN to be given.
struct Given {
    pin: Pin,
    is_code: bool,
}

impl Given {
    fn of(pin: NewPin, known: Known<'_>) -> Result<Self, Fault> {
        match pin {
            NewPin::OneTimeCode => Ok(Self { pin: draw_code()?, is_code: true }),
            NewPin::Chosen(pin) => match guessable::weakness(&pin, known) {
                None => Ok(Self { pin, is_code: false }),
                Some(weakness) => Err(Fault::PinGuessable(weakness)),
            },
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
        if guessable::weakness(&pin, Known::default()).is_none() {
            return Ok(pin);
        }
    }
}
