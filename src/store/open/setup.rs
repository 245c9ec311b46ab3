//! Makes a store at first start and opens its locked part at every start.
//!
//! A first start happens in a directory that becomes the store by one rename at its end: a power cut
//! leaves no store or a whole one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cart::{Cart, Person, TokenSlot};
use crate::crypto::{Key, key_pair, random};
use crate::disk::durable::{self, StateDir};
use crate::disk::layout::{self, INBOX, SLOTS, VAULT};
use crate::disk::set_aside;
use crate::disk::two_copies::Newer;
use crate::inbox::Inbox;
use crate::keys::keyslot::{self, SlotInfo, SlotOwner};
use crate::keys::recovery;
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::machine::device_secret::DeviceKeys;
use crate::open::emergency;
use crate::open::options::Options;
use crate::open::unlock::Gate;
use crate::staff::rotation;
use crate::vault::{TokenRow, Vault};
use crate::vault::{audit, patients, people, rows, trends, waves};
use crate::worker::record::Opened;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Token, TokenKind};
use wardkeep_model::access::policy::Pair;
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::{
    AuditEntry, CartState, Finding, FindingKind, NewOperator, RecoveryPhrase, StoreFault,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::Observation;
use wardkeep_model::vitals::nomenclature::Mdc;
use wardkeep_model::vitals::wave::WaveSegment;

/// Length of a page of the vault: SQLCipher's default, which the vault leaves as it is.
const PAGE: u64 = 4096;

/// A store whose locked part is open: it can record, and try factors.
pub(crate) struct Store {
    pub(crate) state: StateDir,
    pub(crate) keys: DeviceKeys,
    pub(crate) ring: Keyring,
    pub(crate) cart: Cart,
    pub(crate) inbox: Inbox,
    pub(crate) gate: Gate,
    pub(crate) open: Option<Opened>,
    /// The cart compartment is older than the inbox remembers.
    pub(crate) rolled_back: bool,
    /// What was found wrong while opening, until it is reported.
    pub(crate) findings: Vec<Finding>,
}

impl Store {
    /// Opens the locked part; `None` if there is no store here.
    ///
    /// # Errors
    /// `WrongDeviceSecret` if nothing here was written with this secret, `Damaged` if only some of it
    /// was.
    pub(crate) fn load(state: StateDir, options: &Options) -> Result<Loaded, StoreFault> {
        set_aside::sweep(&state)?;
        if !state.store().try_exists()? {
            return Ok(Loaded::Nothing(state));
        }
        let secret = options.device_secret.load()?.ok_or(StoreFault::WrongDeviceSecret)?;
        let keys = DeviceKeys::new(secret);
        let Parts { ring, mut cart, inbox, mut findings } = Parts::read(&state, &keys)?;
        let (generation, counted) = inbox.remembered_cart();
        let rolled_back = generation > cart.generation;
        if rolled_back {
            let numbers = (Some(cart.generation), Some(generation));
            findings.push(numbered(FindingKind::CartOlder, numbers));
            cart.catch_up(generation, counted);
        }
        let gate = Gate::new(options)?;
        let open = None;
        let store = Self { state, keys, ring, cart, inbox, gate, open, rolled_back, findings };
        store.sweep()?;
        Ok(Loaded::Store(Box::new(store)))
    }

    /// Reads the locked part again, after the keys were changed.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub(crate) fn reload(&mut self) -> Result<(), StoreFault> {
        let Parts { ring, cart, inbox, findings } = Parts::read(&self.state, &self.keys)?;
        (self.ring, self.cart, self.inbox) = (ring, cart, inbox);
        self.findings.extend(findings);
        self.sweep()
    }

    /// Why nobody can open the vault, as far as that can be told without its key. What is recorded
    /// is sealed in the inbox all the same.
    pub(crate) fn vault_fault(&self) -> Result<(), StoreFault> {
        there_is_a_vault(&self.state.store())
    }

    /// Opens the vault that is there.
    ///
    /// # Errors
    /// `Damaged`; otherwise as opening a file.
    pub(crate) fn vault_file(&self, keys: &VaultKeys) -> Result<Vault, StoreFault> {
        self.vault_fault()?;
        Ok(Vault::open(&self.vault_path(), keys)?)
    }

    /// Removes what belongs to nobody: a kill left it, or a person left it behind. What is newer than
    /// a cart compartment that was put back is kept.
    pub(crate) fn sweep(&self) -> Result<(), StoreFault> {
        if self.rolled_back {
            return Ok(());
        }
        let slots: Vec<&SlotInfo> = self.cart.tokens().map(|token| &token.slot).collect();
        keyslot::sweep(&self.slots(), &slots)?;
        self.sweep_drafts()
    }

    /// Writes the cart compartment, and what the inbox remembers of it.
    pub(crate) fn save_cart(&mut self) -> Result<(), StoreFault> {
        if self.inbox.owes_cart() {
            self.inbox.remember_cart(&self.cart)?;
        }
        self.cart.keyring = self.ring.generation;
        self.cart.save(&self.state.store(), &self.keys)?;
        self.inbox.remember_cart(&self.cart)
    }

    pub(crate) fn owner(&self, operator: OperatorId) -> SlotOwner {
        SlotOwner { device: self.ring.device, operator, epoch: self.ring.epoch }
    }

    pub(crate) fn slots(&self) -> PathBuf {
        self.state.store().join(SLOTS)
    }

    pub(crate) fn vault_path(&self) -> PathBuf {
        self.state.store().join(VAULT)
    }
}

/// Whether there is something that can be a vault: an empty file would be taken for a vault that is
/// being made, and what it held would be forgotten in silence.
fn there_is_a_vault(store_dir: &Path) -> Result<(), StoreFault> {
    let length = match fs::metadata(store_dir.join(VAULT)) {
        Ok(file) => file.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(StoreFault::Damaged),
        Err(error) => return Err(error.into()),
    };
    let log = fs::metadata(layout::log(&store_dir.join(VAULT)));
    // A power cut while the log is folded back leaves any length, and the log repairs it.
    let logged = log.is_ok_and(|log| log.len() > 0);
    let whole = length > 0 && (logged || length.is_multiple_of(PAGE));
    if whole { Ok(()) } else { Err(StoreFault::Damaged) }
}

/// The files of the locked part, each the newer of its copies and of one epoch.
struct Parts {
    ring: Keyring,
    cart: Cart,
    inbox: Inbox,
    findings: Vec<Finding>,
}

impl Parts {
    fn read(state: &StateDir, keys: &DeviceKeys) -> Result<Self, StoreFault> {
        let dir = state.store();
        let waiting = rotation::waiting_keyrings(&dir)?;
        let ring = Keyring::load(&dir, keys, &waiting);
        let wrong = matches!(ring, Err(StoreFault::WrongDeviceSecret));
        if wrong && Cart::load(&dir, keys).is_ok() {
            return Err(StoreFault::Damaged);
        }
        let ring = ring?;
        let mut findings = Vec::new();
        let ring = one_of_two(state, ring, &mut findings, |ring| ring.save(&dir));
        rotation::settle(&dir, ring.epoch)?;
        let cart = Cart::load(&dir, keys)?;
        if cart.content.epoch.max(1) != ring.epoch {
            // One of them was put back. Records would be sealed to a key that somebody revoked may
            // have.
            return Err(StoreFault::Damaged);
        }
        let cart = one_of_two(state, cart, &mut findings, |cart| cart.write(&dir, keys));
        if ring.generation < cart.keyring {
            let numbers = (Some(ring.generation), Some(cart.keyring));
            findings.push(numbered(FindingKind::KeyringOlder, numbers));
        }
        // Either may have been lost with the disk's errors; without them nothing could be recorded.
        for needed in [SLOTS, INBOX] {
            durable::make_dir(&dir.join(needed))?;
        }
        let mut inbox = Inbox::resume(&dir.join(INBOX), keys, &ring)?;
        inbox.at_bed(cart.state.subject);
        Ok(Self { ring, cart, inbox, findings })
    }
}

fn numbered(kind: FindingKind, (found, expected): (Option<u64>, Option<u64>)) -> Finding {
    Finding { found, expected, ..Finding::of(kind, 1) }
}

/// Takes the newer of two copies, keeps a damaged one aside, and makes both alike again.
fn one_of_two<T>(
    state: &StateDir,
    newer: Newer<T>,
    findings: &mut Vec<Finding>,
    write: impl FnOnce(&T) -> Result<(), StoreFault>,
) -> T {
    let Newer { content, findings: found, damaged, differs } = newer;
    findings.extend(found);
    if differs {
        let kept = damaged.iter().try_for_each(|path| set_aside::keep_file(state, path));
        if let Err(fault) = kept.and_then(|()| write(&content)) {
            // The one that is good was read; the next start tries again.
            tracing::warn!(%fault, "a second copy could not be restored");
        }
    }
    content
}

/// What monitoring needs of a store that does not open: reads the cart compartment, changes nothing.
pub(crate) fn glance(options: &Options) -> Option<CartState> {
    let dir = layout::store(&options.state_dir);
    let secret = match options.device_secret.load() {
        Ok(secret) => secret?,
        Err(fault) => {
            tracing::warn!(%fault, "the device secret cannot be read");
            return None;
        }
    };
    let cart = Cart::load(&dir, &DeviceKeys::new(secret));
    cart.map(|cart| cart.content.state).ok()
}

/// What a state directory holds.
pub(crate) enum Loaded {
    /// No store yet.
    Nothing(StateDir),
    /// A store.
    Store(Box<Store>),
}

/// Makes the store, the first person and the recovery key.
///
/// # Errors
/// `NoCipher` without SQLCipher; otherwise as writing files; then there is still no store.
pub(crate) fn initialise(
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
    vault.close()?;
    Inbox::create(&dir.join(INBOX), &keys, &ring, &vault_keys)?;
    ring.save(&dir)?;
    let token = Token::Badge(first.badge.clone());
    let mut cart = Cart::default();
    cart.epoch = ring.epoch;
    cart.keyring = ring.generation;
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
        Ok(patients::all(&self.vault)?)
    }

    /// All observations in the order in which they were kept.
    ///
    /// # Errors
    /// As reading the database.
    pub fn observations(&self) -> Result<Vec<Observation>, StoreFault> {
        Ok(rows::observations(&self.vault)?)
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
        Ok(waves::read(&mut self.vault, of, time)?)
    }

    /// Opens every block that trends are read from; gives back how many there are.
    ///
    /// # Errors
    /// `Damaged` if one does not open or parse; otherwise as reading the database.
    pub fn check_trends(&mut self) -> Result<u64, StoreFault> {
        Ok(trends::check(&mut self.vault)?)
    }

    /// The audit log with its sequence.
    ///
    /// # Errors
    /// As reading the database.
    pub fn audit(&self) -> Result<Vec<(u64, AuditEntry)>, StoreFault> {
        Ok(audit::all(&self.vault)?)
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
    let opened = Keyring::opened_by(&state.store(), Recipient::Recovery, &private)?;
    let Some((ring, keys)) = opened else {
        return Ok(None);
    };
    rotation::settle(&state.store(), ring.epoch)?;
    there_is_a_vault(&state.store())?;
    let vault = Vault::open(&state.store().join(VAULT), &keys)?;
    Ok(Some(RecoveredVault { vault, _state: state }))
}
