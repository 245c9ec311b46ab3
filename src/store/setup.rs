//! Makes a store at first start and opens its locked part at every start.
//!
//! A first start happens in a directory that becomes the store by one rename at its end: a power cut
//! leaves no store or a whole one.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::cart::{Cart, Person, TokenSlot};
use super::device_secret::DeviceKeys;
use super::durable::{self, StateDir};
use super::handle::Options;
use super::inbox::Inbox;
use super::keep::Opened;
use super::keyring::{Held, Keyring, Recipient, VaultKeys};
use super::keyslot::{self, SlotInfo, SlotOwner};
use super::primitives::{Key, key_pair, random};
use super::unlock::Gate;
use super::vault::{TokenRow, Vault};
use super::{AuditEntry, NewOperator, RecoveryPhrase, StoreFault, emergency, recovery, rotation};
use crate::encounter::{Patient, SubjectId};
use crate::moment::Moment;
use crate::session::OperatorId;
use crate::session::factor::{Token, TokenKind};
use crate::session::policy::Pair;
use crate::vitals::Observation;
use crate::vitals::nomenclature::Mdc;
use crate::vitals::wave::WaveSegment;

/// Directory of the key slots.
pub(super) const SLOTS: &str = "slots";
/// Directory of the inbox.
pub(super) const INBOX: &str = "inbox";
/// The vault's file.
pub(super) const VAULT: &str = "vault.db";

/// A store whose locked part is open: it can record, and try factors.
pub(super) struct Store {
    pub(super) state: StateDir,
    pub(super) keys: DeviceKeys,
    pub(super) ring: Keyring,
    pub(super) cart: Cart,
    pub(super) inbox: Inbox,
    pub(super) gate: Gate,
    pub(super) open: Option<Opened>,
    /// The cart compartment is older than the inbox remembers.
    pub(super) rolled_back: bool,
}

impl Store {
    /// Opens the locked part; `None` if there is no store here.
    ///
    /// # Errors
    /// `WrongDeviceSecret` if nothing here was written with this secret, `Damaged` if only some of it
    /// was.
    pub(super) fn load(state: StateDir, options: &Options) -> Result<Loaded, StoreFault> {
        let dir = state.store();
        if !dir.try_exists()? {
            return Ok(Loaded::Nothing(state));
        }
        let secret = options.device_secret.load()?.ok_or(StoreFault::WrongDeviceSecret)?;
        let keys = DeviceKeys::new(secret);
        let ring = Keyring::read(&dir)?;
        let cart = Cart::load(&dir, &keys);
        if !ring.is_intact(&keys) {
            let nothing_fits = cart.is_err() && !ring.is_ours(&keys);
            return Err(if nothing_fits {
                StoreFault::WrongDeviceSecret
            } else {
                StoreFault::Damaged
            });
        }
        rotation::settle(&dir, ring.epoch)?;
        let (mut cart, inbox) = beside(&dir, &keys, &ring)?;
        let (generation, counted) = inbox.witnessed();
        let rolled_back = generation > cart.generation;
        if rolled_back {
            cart.catch_up(generation, counted);
        }
        let gate = Gate::new(options)?;
        let store = Self { state, keys, ring, cart, inbox, gate, open: None, rolled_back };
        store.sweep()?;
        Ok(Loaded::Store(Box::new(store)))
    }

    /// Reads the locked part again, after the keys were changed.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub(super) fn reload(&mut self) -> Result<(), StoreFault> {
        let dir = self.state.store();
        let ring = Keyring::read(&dir)?;
        if !ring.is_intact(&self.keys) {
            return Err(StoreFault::Damaged);
        }
        rotation::settle(&dir, ring.epoch)?;
        (self.cart, self.inbox) = beside(&dir, &self.keys, &ring)?;
        self.ring = ring;
        self.sweep()
    }

    /// Removes what belongs to nobody: a kill left it, or a person left it behind. What is newer than
    /// a cart compartment that was put back is kept.
    pub(super) fn sweep(&self) -> Result<(), StoreFault> {
        if self.rolled_back {
            return Ok(());
        }
        let slots: Vec<&SlotInfo> = self.cart.tokens().map(|token| &token.slot).collect();
        keyslot::sweep(&self.slots(), &slots)?;
        self.sweep_drafts()
    }

    /// Writes the cart compartment and its second witness.
    pub(super) fn save_cart(&mut self) -> Result<(), StoreFault> {
        self.cart.save(&self.state.store(), &self.keys)?;
        self.inbox.witness_cart(&self.cart)
    }

    pub(super) fn owner(&self, operator: OperatorId) -> SlotOwner {
        SlotOwner { device: self.ring.device, operator, epoch: self.ring.epoch }
    }

    pub(super) fn slots(&self) -> PathBuf {
        self.state.store().join(SLOTS)
    }

    pub(super) fn vault_path(&self) -> PathBuf {
        self.state.store().join(VAULT)
    }
}

/// The files that have to be of the keyring's epoch.
fn beside(dir: &Path, keys: &DeviceKeys, ring: &Keyring) -> Result<(Cart, Inbox), StoreFault> {
    let cart = Cart::load(dir, keys)?;
    if cart.epoch.max(1) != ring.epoch {
        // One of them was put back. Records would be sealed to a key that somebody revoked may have.
        return Err(StoreFault::Damaged);
    }
    let mut inbox = Inbox::resume(&dir.join(INBOX), keys, ring)?;
    inbox.at_bed(cart.state.subject);
    Ok((cart, inbox))
}

/// What a state directory holds.
pub(super) enum Loaded {
    /// No store yet.
    Nothing(StateDir),
    /// A store.
    Store(Box<Store>),
}

/// Makes the store, the first person and the recovery key.
///
/// # Errors
/// `NoCipher` without SQLCipher; otherwise as writing files; then there is still no store.
pub(super) fn initialise(
    state: &StateDir,
    options: &Options,
    first: &NewOperator,
    now: Moment,
) -> Result<RecoveryPhrase, StoreFault> {
    let secret = match options.device_secret.load()? {
        Some(secret) => secret,
        None => options.device_secret.create()?,
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
    vault.add_operator(id, &first.name, &vault_keys.hold(Held::Private(id), &private)?)?;
    let share = vault_keys.hold(Held::Share(slot.id), &keys.badge_share(&first.badge))?;
    let kek = vault_keys.hold(Held::Kek(slot.id), &kek)?;
    let (kind, share) = (TokenKind::Badge, Some(share));
    vault.add_tokens(id, &[TokenRow { slot: slot.id, kind, subject: None, share, kek }])?;
    vault.close()?;
    Inbox::create(&dir.join(INBOX), &keys, &ring, &vault_keys)?;
    ring.save(&dir)?;
    let token = Token::Badge(first.badge.clone());
    let mut cart = Cart::default();
    cart.epoch = ring.epoch;
    cart.emergency.push(emergency::new_key(&keys, &ring.device, &token)?);
    cart.people.push(Person {
        id,
        initials: first.initials.clone(),
        role: first.role,
        valid_until: None,
        code_since: None,
        code_used: false,
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

/// A vault opened with the recovery words, for reading. It holds the state directory until dropped.
pub struct RecoveredVault {
    vault: Vault,
    _state: StateDir,
}

impl RecoveredVault {
    /// All patients by family name.
    ///
    /// # Errors
    /// As reading the database.
    pub fn patients(&self) -> Result<Vec<Patient>, StoreFault> {
        self.vault.patients()
    }

    /// All observations in the order in which they were kept.
    ///
    /// # Errors
    /// As reading the database.
    pub fn observations(&self) -> Result<Vec<Observation>, StoreFault> {
        self.vault.observations()
    }

    /// A patient's stretches of a waveform that have samples of this time, oldest first.
    ///
    /// # Errors
    /// As reading the database.
    pub fn waves(
        &mut self,
        of: (SubjectId, Mdc),
        time: (Timestamp, Timestamp),
    ) -> Result<Vec<WaveSegment>, StoreFault> {
        self.vault.waves(of, time)
    }

    /// Opens every block that trends are read from; gives back how many there are.
    ///
    /// # Errors
    /// `Damaged` if one does not open or parse; otherwise as reading the database.
    pub fn check_trends(&mut self) -> Result<u64, StoreFault> {
        self.vault.check_trends()
    }

    /// The audit log with its sequence.
    ///
    /// # Errors
    /// As reading the database.
    pub fn audit(&self) -> Result<Vec<(u64, AuditEntry)>, StoreFault> {
        self.vault.audit()
    }
}

/// Opens the vault with the recovery words. Needs neither a badge nor the device secret.
///
/// What waits in the inbox is not imported.
///
/// # Errors
/// `None` as the inner value if the words are not the recovery key of this store; a fault if the
/// store cannot be read.
pub fn open_with_recovery(
    options: &Options,
    phrase: &RecoveryPhrase,
) -> Result<Option<RecoveredVault>, StoreFault> {
    let Ok(private) = recovery::private_key(phrase) else {
        return Ok(None);
    };
    let state = StateDir::take(&options.state_dir)?;
    let ring = Keyring::read(&state.store())?;
    let Some(keys) = ring.open(Recipient::Recovery, &private) else {
        return Ok(None);
    };
    rotation::settle(&state.store(), ring.epoch)?;
    let vault = Vault::open(&state.store().join(VAULT), &keys)?;
    Ok(Some(RecoveredVault { vault, _state: state }))
}
