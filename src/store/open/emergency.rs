//! The emergency card: what the last lock left of the patient at this bed, for one enrolled token.
//!
//! ```text
//!  token    key pair, made at enrolment; private key = AEAD(HKDF(share, "emergency"), ..) in the cart
//!           share of a badge HMAC(DS, family || uid), of a card HMAC(DS, "piv" || card id)
//!  file   = state file under HKDF(DS, "emergency"): keys | AEAD(k, card)      k random, at every lock
//!  keys   = HPKE(public key of each token, k)
//! ```
//!
//! The price is stated openly: this machine, its device secret and one enrolled token show one
//! patient. So it is one patient, the one at this bed, and four hours; it is written anew at each
//! lock, removed with the patient or the token, and every look is audited with its reason. Opening it
//! gives no key of the vault.
//!
//! S-3: without a token the locked machine cannot read it. It is sealed to those alone whose role sees
//! patients. Strangers who try token after token have to wait; whoever belongs here never waits for them.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::Duration;

use crate::cart::{Cart, EmergencyKey, Person};
use crate::crypto::{Key, derive, key_pair, open, open_with, seal, seal_to};
use crate::disk::durable;
use crate::disk::layout::EMERGENCY;
use crate::disk::state_file::{Kind, StateFile};
use crate::inbox::segment::{frame, framed};
use crate::keys::ring::Keyring;
use crate::machine::device_secret::DeviceKeys;
use crate::open::locked::Locked;
use crate::open::opened::Open;
use crate::vault::Vault;
use crate::vault::recipients::{self, Holder, Recipients};
use crate::vault::{patients, rows};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::Token;
use wardkeep_model::access::policy::{Permission, Policy};
use wardkeep_model::keeping::emergency::{EmergencyCard, NUMERICS_MAX, PastNumeric};
use wardkeep_model::keeping::{EmergencyRefusal, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

const KEYS_LEN_MAX: usize = 8 * 1024 * 1024;
const SEAL_INFO: &[u8] = b"wardkeep emergency v1";
/// Unknown tokens within [`UNKNOWN_WITHIN`] until further ones have to wait.
const UNKNOWN_MAX: usize = 3;
const UNKNOWN_WITHIN: Duration = Duration::from_secs(5 * 60);
const WAIT: Duration = Duration::from_secs(60);

/// Tokens that nobody enrolled and that asked for the emergency card; in memory, on boot time.
#[derive(Debug, Default)]
pub struct Unknowns {
    seen: VecDeque<BootTime>,
    wait_until: BootTime,
}

impl Unknowns {
    fn wait(&self, now: BootTime) -> Option<Duration> {
        let left = self.wait_until.since(now);
        (!left.is_zero()).then_some(left)
    }

    fn count(&mut self, now: BootTime) {
        self.seen.retain(|at| now.since(*at) < UNKNOWN_WITHIN);
        self.seen.push_back(now);
        if self.seen.len() >= UNKNOWN_MAX {
            self.seen.clear();
            self.wait_until = now + WAIT;
        }
    }
}

/// Makes the emergency key of a token that is being enrolled.
pub fn new_key(
    keys: &DeviceKeys,
    device: &[u8; 16],
    token: &Token,
) -> Result<EmergencyKey, StoreFault> {
    let index = keys.token_index(token);
    let (private, public) = key_pair(&Key::random()?);
    let wrap = wrapping_key(keys, token);
    let sealed = seal(&wrap, &context(device, &index), private.as_slice())?;
    Ok(EmergencyKey { index, public, sealed })
}

fn wrapping_key(keys: &DeviceKeys, token: &Token) -> Key {
    derive(b"", keys.token_share(token).as_slice(), &[b"emergency"])
}

fn context(device: &[u8; 16], part: &[u8]) -> Vec<u8> {
    [&device[..], part].concat()
}

/// The card's file.
fn file<'a>(key: &'a Key, place: &'a [u8]) -> StateFile<'a> {
    StateFile { kind: Kind::EmergencyCard, key, place }
}

/// What to write into the file of the emergency card: nothing where there is none to be.
pub fn seal_card(
    keys: &DeviceKeys,
    ring: &Keyring,
    (cart, known): (&Cart, &Recipients),
    card: Option<&EmergencyCard>,
) -> Result<Vec<u8>, StoreFault> {
    let Some(card) = card else { return Ok(Vec::new()) };
    let context = context(&ring.device, &ring.epoch.to_be_bytes());
    let fresh = Key::random()?;
    let mut sealed_keys: Vec<([u8; 32], Vec<u8>)> = Vec::new();
    let sees = |index: &[u8; 32]| {
        cart.token(index).is_some_and(|(owner, _)| owner.role.may(Permission::SeePatients))
    };
    // A key that the vault does not know was slipped in by somebody with the disk.
    let is_known = |key: &&EmergencyKey| known.get(&Holder::Token(key.index)) == Some(&key.public);
    let kept = cart.emergency.iter().filter(|key| sees(&key.index)).filter(is_known);
    for EmergencyKey { index, public, .. } in kept {
        sealed_keys.push((*index, seal_to(public, SEAL_INFO, &context, fresh.as_slice())?));
    }
    let sealed_keys = serde_json::to_vec(&sealed_keys)
        .map_err(StoreFault::Io.because("writing an emergency card"))?;
    let card =
        serde_json::to_vec(card).map_err(StoreFault::Io.because("writing an emergency card"))?;
    let card = seal(&fresh, &context, &zeroize::Zeroizing::new(card))?;
    file(&keys.emergency(), &context).seal(&[framed(&sealed_keys), card].concat())
}

/// The emergency card of the patient at this bed as the vault knows them; `None` if there is nobody.
pub fn card(
    vault: &Vault,
    cart: &Cart,
    policy: &Policy,
    now: Moment,
) -> Result<Option<EmergencyCard>, StoreFault> {
    let Some(subject) = cart.state.subject.filter(|_| policy.emergency) else { return Ok(None) };
    let Some(patient) = patients::one(vault, subject)? else { return Ok(None) };
    let since = now.wall.checked_sub(NUMERICS_MAX).unwrap_or(now.wall);
    let numerics = thinned(rows::numerics(vault, subject, (since, now.wall))?);
    Ok(Some(EmergencyCard { patient, numerics, written: now.wall }))
}

/// The last value of every minute and code, oldest first.
fn thinned(numerics: Vec<PastNumeric>) -> Vec<PastNumeric> {
    let mut last = BTreeMap::new();
    for numeric in numerics {
        last.insert((numeric.at.as_second().div_euclid(60), numeric.mdc), numeric);
    }
    let mut kept: Vec<PastNumeric> = last.into_values().collect();
    kept.sort_by_key(|numeric| numeric.at);
    kept
}

/// Removes the emergency card.
pub fn remove(store_dir: &Path) -> Result<(), StoreFault> {
    durable::remove(&store_dir.join(EMERGENCY))?;
    durable::sync_dir(store_dir)
}

/// Whether there is an emergency card; its outer layer is opened.
///
/// # Errors
/// `Damaged` if that does not open.
pub fn is_intact(locked: &Locked) -> Result<bool, StoreFault> {
    let content = durable::read(&locked.dir().join(EMERGENCY), Kind::EmergencyCard.len_max())?;
    let Some(content) = content.filter(|content| !content.is_empty()) else { return Ok(false) };
    let context = context(&locked.ring().device, &locked.ring().epoch.to_be_bytes());
    Ok(file(&locked.keys().emergency(), &context).open(&content).map(|_| true)?)
}

/// Writes the emergency card from the open vault, or removes it.
///
/// # Errors
/// As reading the vault or writing a file.
pub fn renew(open: &Open, now: Moment) -> Result<(), StoreFault> {
    let locked = open.locked();
    let card = card(open.vault(), locked.cart(), locked.policy(), now)?;
    let known = recipients::all(open.vault())?;
    let of = (locked.cart(), &known);
    let content = seal_card(locked.keys(), locked.ring(), of, card.as_ref())?;
    if content.is_empty() {
        return remove(&locked.dir());
    }
    durable::replace(&locked.dir(), EMERGENCY, &content)
}

/// Opens the emergency card with one token; whose it is, as far as they may still log in.
///
/// # Errors
/// Why it is not shown. Tokens that nobody enrolled are counted, and then such tokens have to wait.
pub fn look(
    locked: &Locked,
    unknowns: &mut Unknowns,
    token: &Token,
    now: Moment,
) -> (Option<OperatorId>, Result<Box<EmergencyCard>, EmergencyRefusal>) {
    if !locked.policy().emergency {
        return (None, Err(EmergencyRefusal::Off));
    }
    if locked.cart().suspected.is_some() {
        // A token that was revoked since would open an older one.
        return (None, Err(EmergencyRefusal::Suspected));
    }
    let Some(person) = owner_of(locked, token, now) else {
        // A stranger's badges close it for strangers, and for nobody who belongs here.
        if let Some(left) = unknowns.wait(now.boot) {
            return (None, Err(EmergencyRefusal::Wait(left)));
        }
        unknowns.count(now.boot);
        return (None, Err(EmergencyRefusal::Unknown));
    };
    if !person.role.may(Permission::SeePatients) {
        return (Some(person.id), Err(EmergencyRefusal::NotAllowed));
    }
    (Some(person.id), read(locked, token).map(Box::new))
}

/// Opens the emergency card with a token of somebody who may still log in.
fn read(locked: &Locked, token: &Token) -> Result<EmergencyCard, EmergencyRefusal> {
    let damaged = EmergencyRefusal::Damaged;
    let content = durable::read(&locked.dir().join(EMERGENCY), Kind::EmergencyCard.len_max())
        .map_err(damaged)?;
    // An empty file is what a revocation leaves where there is no card to write.
    let content = content.filter(|content| !content.is_empty());
    let content = content.ok_or(EmergencyRefusal::Nothing)?;
    let card = open_card(locked, &content, token).ok_or(damaged(StoreFault::Damaged))?;
    // Somebody else came to this bed after it was written.
    if locked.cart().state.subject != Some(card.patient.id) {
        return Err(EmergencyRefusal::Nothing);
    }
    Ok(card)
}

fn open_card(locked: &Locked, content: &[u8], token: &Token) -> Option<EmergencyCard> {
    let keys = locked.keys();
    let index = keys.token_index(token);
    let own = locked.cart().emergency.iter().find(|key| key.index == index)?;
    let device = &locked.ring().device;
    let wrap = wrapping_key(keys, token);
    let private = Key::from_slice(&open(&wrap, &context(device, &index), &own.sealed)?)?;
    let context = context(device, &locked.ring().epoch.to_be_bytes());
    let plain = file(&keys.emergency(), &context).open(content).ok()?;
    let (sealed_keys, card) = frame(&plain, KEYS_LEN_MAX)?;
    let sealed_keys: Vec<([u8; 32], Vec<u8>)> = serde_json::from_slice(sealed_keys).ok()?;
    let (_, sealed) = sealed_keys.iter().find(|(sealed_to, _)| *sealed_to == index)?;
    let fresh = Key::from_slice(&open_with(&private, SEAL_INFO, &context, sealed)?)?;
    serde_json::from_slice(&open(&fresh, &context, card)?).ok()
}

/// Whose token this is, if they may still log in with it.
fn owner_of<'a>(locked: &'a Locked, token: &Token, now: Moment) -> Option<&'a Person> {
    let (person, _) = locked.cart().token(&locked.keys().token_index(token))?;
    (locked.is_valid(person, now) && locked.policy().takes(token.kind())).then_some(person)
}
