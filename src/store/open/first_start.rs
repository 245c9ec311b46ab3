//! Makes a store at first start.
//!
//! It happens in a directory that becomes the store by one rename at its end: a power cut leaves no store or
//! a whole one.

use crate::cart::{Cart, Person, TokenSlot};
use crate::crypto::{Key, key_pair, random};
use crate::disk::durable::{self, StateDir};
use crate::disk::layout::{INBOX, SLOTS, VAULT};
use crate::inbox::Inbox;
use crate::keys::keyslot::{self, SlotInfo, SlotOwner};
use crate::keys::recovery;
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::machine::device_secret::DeviceKeys;
use crate::open::emergency;
use crate::open::options::Options;
use crate::vault::recipients::{self, Holder, Recipients};
use crate::vault::{TokenRow, Vault, people};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Token, TokenKind};
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::{NewOperator, RecoveryPhrase, StoreFault};
use wardkeep_model::moment::Moment;

/// Makes the store, the first person and the recovery key.
///
/// # Errors
/// `NoCipher` without SQLCipher; otherwise as writing files; then there is still no store.
pub fn initialise(
    state: &StateDir,
    options: &Options,
    first: &NewOperator,
    now: Moment,
) -> Result<RecoveryPhrase, StoreFault> {
    let secret = match options.device_secret().load()? {
        Some(secret) => secret,
        None => options.device_secret().create()?,
    };
    let keys = DeviceKeys::new(secret);
    let dir = state.begin()?;
    durable::make_dir(&dir.join(SLOTS))?;
    let vault_keys = VaultKeys::generate()?;
    let mut ring = Keyring::new(&keys, &vault_keys)?;
    let (phrase, recovery_key) = recovery::generate()?;
    ring.add(&keys, &vault_keys, Recipient::Recovery, recovery_key)?;

    let id = OperatorId(u128::from_be_bytes(random()?));
    let (private, public) = key_pair(&Key::random()?);
    ring.add(&keys, &vault_keys, Recipient::Operator(id), public)?;
    let slot = SlotInfo::new(Pair::BadgePin)?;
    let owner = SlotOwner { device: ring.device, operator: id, epoch: ring.epoch };
    let factors = (&first.badge, &first.pin);
    let kek = keyslot::kek(&keys, factors, &owner, &slot, options.cost)?;
    keyslot::write(&dir.join(SLOTS), &keys, &owner, &slot, (&kek, &private))?;

    let mut vault = Vault::create(&dir.join(VAULT), &vault_keys)?;
    people::add_operator(
        &mut vault,
        id,
        &first.name,
        &vault_keys.hold(Held::Private(id), &private)?,
    )?;
    let share = vault_keys.hold(Held::Share(slot.id), &keys.badge_share(&first.badge))?;
    let kek = vault_keys.hold(Held::Kek(slot.id), &kek)?;
    let (kind, share) = (TokenKind::Badge, Some(share));
    people::add_tokens(
        &mut vault,
        id,
        &[TokenRow { slot: slot.id, kind, subject: None, share, kek }],
    )?;
    let token = Token::Badge(first.badge.clone());
    let emergency = emergency::new_key(&keys, &ring.device, &token)?;
    let known = Recipients::from([
        (Holder::Recovery, recovery_key),
        (Holder::Operator(id), public),
        (Holder::Token(emergency.index), emergency.public),
    ]);
    recipients::replace(&mut vault, &known)?;
    vault.close()?;
    Inbox::create(&dir.join(INBOX), &keys, &ring, &vault_keys)?;
    ring.save(&dir)?;
    let mut cart = Cart::default();
    cart.epoch = ring.epoch;
    cart.keyring = ring.generation;
    cart.emergency.push(emergency);
    cart.people.push(Person {
        id,
        initials: first.initials.clone(),
        role: first.role,
        valid_until: None,
        code_since: None,
        code_used: false,
        over_at_us: None,
        code_over_at_us: None,
        tokens: vec![TokenSlot {
            index: keys.token_index(&token),
            slot,
            peer: None,
            since: now.wall,
        }],
    });
    cart.save(&dir, &keys)?;
    state.finish()?;
    Ok(phrase)
}
