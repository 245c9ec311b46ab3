//! The locked part of a store: what is there whether the vault is open or not.
//!
//! It is opened at every start, records into the inbox, and knows who may try which factors. Nothing in it
//! opens the vault.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::cart::{Cart, Counter, Person};
use crate::disk::durable::{self, StateDir};
use crate::disk::layout::{self, INBOX, SLOTS, VAULT};
use crate::disk::set_aside;
use crate::disk::two_copies::Newer;
use crate::inbox::Inbox;
use crate::inbox::remembered::RememberedVault;
use crate::keys::keyslot::{self, SlotInfo, SlotOwner};
use crate::keys::ring::Keyring;
use crate::keys::vault_keys::VaultKeys;
use crate::machine::device_secret::DeviceKeys;
use crate::open::age::AgeClock;
use crate::open::anchoring::Anchoring;
use crate::open::draft::Drafts;
use crate::open::epoch;
use crate::open::gate::Gate;
use crate::open::options::Options;
use crate::open::shift::Shifts;
use crate::record::entry::Entry;
use crate::vault::{Comparison, Vault};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::policy::Policy;
use wardkeep_model::keeping::{AuditEntry, CartState, Finding, FindingKind, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

/// Length of a page of the vault: SQLCipher's default, which the vault leaves as it is.
const PAGE: u64 = 4096;

/// The locked part of a store: it can record, and try factors.
pub struct Locked {
    state: StateDir,
    pub(super) keys: DeviceKeys,
    pub(super) ring: Keyring,
    pub(super) cart: Cart,
    pub(super) inbox: Inbox,
    pub(super) gate: Gate,
    pub(super) anchoring: Anchoring,
    age: AgeClock,
    /// Number of the cart compartment that is durable.
    pub(super) saved: u64,
    /// The cart compartment is older than the inbox remembers.
    rolled_back: bool,
    /// What was found wrong while opening, until it is reported.
    pub(super) findings: Vec<Finding>,
    /// How far the vault's pages were compared before it was closed.
    pub(super) compared: Option<Comparison>,
}

impl Locked {
    /// Opens the locked part; `None` if there is no store here.
    ///
    /// # Errors
    /// `WrongDeviceSecret` if nothing here was written with this secret, `Damaged` if only some of it
    /// was.
    pub fn load(state: StateDir, options: &Options, now: Moment) -> Result<Loaded, StoreFault> {
        set_aside::sweep(&state)?;
        if !state.store().try_exists()? {
            return Ok(Loaded::Nothing(state));
        }
        let secret = options.device_secret().load()?.ok_or(StoreFault::WrongDeviceSecret)?;
        let keys = DeviceKeys::new(secret);
        let Parts { ring, mut cart, inbox, mut findings } = Parts::read(&state, &keys, now)?;
        if state.was_open() > 0 {
            findings.push(Finding::of(FindingKind::OpenToOthers, state.was_open()));
        }
        let (generation, counted) = inbox.remembered_cart();
        let rolled_back = generation > cart.generation;
        if rolled_back {
            let numbers = (Some(cart.generation), Some(generation));
            findings.push(numbered(FindingKind::CartOlder, numbers));
        }
        // Nobody gets a try back by putting an older file in its place.
        cart.catch_up(generation, counted);
        let gate = Gate::new(options)?;
        let witness = options.witness().map(|path| (path, keys.witness(), ring.device));
        let anchoring = Anchoring::new(options.anchor(), witness);
        let (saved, age) = (cart.generation, AgeClock::resume(cart.age, now));
        let mut locked = Self {
            state,
            keys,
            ring,
            cart,
            inbox,
            gate,
            anchoring,
            age,
            saved,
            rolled_back,
            findings,
            compared: None,
        };
        locked.settle_in(now)?;
        Ok(Loaded::Store(Box::new(locked)))
    }

    /// Keeps what was found wrong, and only then writes where everything is: it is not found a second time.
    fn settle_in(&mut self, now: Moment) -> Result<(), StoreFault> {
        let (recalled, findings) = self.inbox.recalled();
        let recalled = recalled.cloned().unwrap_or_default();
        self.findings.extend(findings);
        // One write of the cart compartment behind is what a kill leaves.
        let witnessed = self.inbox.cart_at_start();
        for (kind, found, expected) in [
            (FindingKind::KeyringOlder, self.ring.generation, recalled.keyring),
            (FindingKind::MemoryOlder, self.inbox.noted(), self.cart.seen),
            (FindingKind::InboxOlder, witnessed, self.cart.generation.saturating_sub(1)),
        ] {
            let is_known = self.findings.iter().any(|finding| finding.kind == kind);
            if found < expected && !is_known {
                self.findings.push(numbered(kind, (Some(found), Some(expected))));
            }
        }
        let gone =
            self.cart.tokens().filter(|token| !self.slots().join(token.slot.file()).exists());
        let gone = u64::try_from(gone.count()).unwrap_or(u64::MAX);
        if gone > 0 {
            let expected = Some(self.ring.epoch);
            self.findings.push(Finding { expected, ..Finding::of(FindingKind::SlotOlder, gone) });
        }
        if self.ring.epoch < recalled.epoch {
            // Somebody who was revoked since has slots that open in it.
            let numbers = (Some(self.ring.epoch), Some(recalled.epoch));
            let finding = numbered(FindingKind::StoreOlder, numbers);
            self.findings.push(finding);
            self.cart.suspected.get_or_insert(finding);
        }
        if !self.findings.is_empty() {
            let findings = self.findings.clone();
            self.keep_findings(&findings, now);
            self.save_cart()?;
        }
        self.inbox.begin()?;
        self.sweep()
    }

    /// Keeps findings until somebody acknowledges them; durable with the cart compartment.
    pub fn keep_findings(&mut self, findings: &[Finding], now: Moment) {
        for finding in findings {
            self.cart.keep_finding(finding, now.wall);
        }
    }

    /// Reads the locked part again, after the keys were changed.
    ///
    /// # Errors
    /// As [`Locked::load`].
    pub fn reload(&mut self, now: Moment) -> Result<(), StoreFault> {
        let Parts { ring, cart, inbox, findings } = Parts::read(&self.state, &self.keys, now)?;
        (self.ring, self.cart, self.inbox) = (ring, cart, inbox);
        self.saved = self.cart.generation;
        self.findings.extend(findings);
        self.findings.extend(self.inbox.recalled().1);
        self.inbox.begin()?;
        self.sweep()
    }

    /// Why nobody can open the vault, as far as that can be told without its key. What is recorded
    /// is sealed in the inbox all the same.
    pub fn vault_fault(&self) -> Result<(), StoreFault> {
        there_is_a_vault(&self.state.store())
    }

    /// Opens the vault that is there.
    ///
    /// # Errors
    /// `Damaged`; otherwise as opening a file.
    pub fn vault_file(&self, keys: &VaultKeys) -> Result<Vault, StoreFault> {
        self.vault_fault()?;
        Ok(Vault::open_again(&self.vault_path(), keys, self.compared.as_ref())?)
    }

    /// Removes what belongs to nobody: a kill left it, or a person left it behind. What is newer than
    /// a cart compartment that was put back is kept.
    pub fn sweep(&self) -> Result<(), StoreFault> {
        if self.rolled_back {
            return Ok(());
        }
        let slots: Vec<&SlotInfo> = self.cart.tokens().map(|token| &token.slot).collect();
        keyslot::sweep(&self.slots(), &slots)?;
        self.drafts().sweep(&self.cart.people)
    }

    /// Makes a cart compartment the live one.
    ///
    /// # Errors
    /// As writing a file; then the old one is live in memory, and either on disk.
    pub fn commit_cart(&mut self, cart: Cart) -> Result<(), StoreFault> {
        let old = std::mem::replace(&mut self.cart, cart);
        if let Err(fault) = self.save_cart() {
            let failed = std::mem::replace(&mut self.cart, old);
            // It may have reached the disk all the same.
            self.cart.generation = failed.generation;
            return Err(fault);
        }
        Ok(())
    }

    /// Writes the cart compartment and its second witness.
    ///
    /// # Errors
    /// As writing files.
    pub fn save_cart(&mut self) -> Result<(), StoreFault> {
        if self.inbox.owes_cart() {
            self.inbox.remember_cart(&self.cart)?;
        }
        self.cart.keyring = self.ring.generation;
        self.cart.seen = self.inbox.noted_durably();
        self.cart.age = self.age.noted();
        self.cart.save(&self.state.store(), &self.keys)?;
        self.saved = self.cart.generation;
        self.inbox.remember_cart(&self.cart)
    }

    /// Notes how far the open vault is, and where every part is.
    pub fn note(&mut self, vault: Option<RememberedVault>, now: Moment) {
        self.age.pass(now);
        if let Some(vault) = vault {
            self.inbox.remember_vault(vault);
        }
        self.inbox.note();
    }

    /// How long the store has lived.
    pub fn age(&self) -> &AgeClock {
        &self.age
    }

    /// Whether a person may log in at this moment: their last day is over by the wall clock or by the store's age,
    /// whichever comes first.
    pub fn is_valid(&self, person: &Person, now: Moment) -> bool {
        let today = now.wall.to_zoned(TimeZone::system()).date();
        let is_over = person.over_at_us.is_some_and(|end| self.age.at(now.boot) >= end);
        person.is_valid(today) && !is_over
    }

    /// Whose slots a person's are.
    pub fn owner(&self, operator: OperatorId) -> SlotOwner {
        SlotOwner { device: self.ring.device, operator, epoch: self.ring.epoch }
    }

    /// Where the key slots lie.
    pub fn slots(&self) -> PathBuf {
        self.dir().join(SLOTS)
    }

    /// Where the vault lies.
    pub fn vault_path(&self) -> PathBuf {
        self.dir().join(VAULT)
    }

    /// Where the store lies.
    pub fn dir(&self) -> PathBuf {
        self.state.store()
    }

    /// The state directory.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// Keys of this machine.
    pub fn keys(&self) -> &DeviceKeys {
        &self.keys
    }

    /// The keyring.
    pub fn ring(&self) -> &Keyring {
        &self.ring
    }

    /// Makes a keyring the live one.
    ///
    /// # Errors
    /// As writing a file; then the old one stays.
    pub fn replace_ring(&mut self, ring: Keyring) -> Result<(), StoreFault> {
        ring.save(&self.dir())?;
        self.inbox.remember_keyring(ring.generation);
        self.inbox.note();
        self.ring = ring;
        Ok(())
    }

    /// The cart compartment.
    pub fn cart(&self) -> &Cart {
        &self.cart
    }

    /// The cart compartment, to be changed in memory; [`Locked::save_cart`] makes it durable.
    pub fn cart_mut(&mut self) -> &mut Cart {
        &mut self.cart
    }

    /// The writing end of the inbox.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The writing end of the inbox.
    pub fn inbox_mut(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    /// What the site allows.
    pub fn policy(&self) -> &Policy {
        &self.gate.policy
    }

    /// All live shift shares.
    pub fn shifts(&mut self) -> &mut Shifts {
        &mut self.gate.shifts
    }

    /// When shift shares have to be looked at.
    pub fn shifts_check_at(&self) -> Option<BootTime> {
        self.gate.shifts.check_at()
    }

    /// Ends a person's shift: after a revocation, a new PIN, or a taken finger.
    pub fn end_shift(&mut self, operator: OperatorId) {
        self.gate.end_shift(operator);
    }

    /// Forgets that a token was tried as a stranger's.
    pub fn forget_wrong_token(&mut self, index: &[u8; 32]) {
        self.gate.forget_wrong(Counter::Token(*index));
    }

    /// The unsaved forms.
    pub fn drafts(&self) -> Drafts<'_> {
        Drafts::of(&self.dir(), &self.keys, &self.ring)
    }

    /// Seals an entry; it is durable once the inbox is flushed.
    ///
    /// # Errors
    /// `Full` if it cannot be taken: the caller counts it as lost.
    pub fn seal(&mut self, entry: &Entry, at: Moment) -> Result<(), StoreFault> {
        self.inbox.push(entry, at, self.gate.boot)
    }

    /// Fills in the clocks that whoever made an entry did not know.
    pub fn stamp(&self, entry: &mut AuditEntry, now: Moment) {
        entry.boot.get_or_insert(self.gate.boot);
        entry.since_boot.get_or_insert(now.boot);
    }

    /// What was found wrong and nobody was told yet.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What was found wrong, to be reported by whoever takes it.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Gives the state directory back, still held, and what was found wrong.
    pub fn into_state(self) -> (StateDir, Vec<Finding>) {
        (self.state, self.findings)
    }
}

/// Whether there is something that can be a vault: an empty file would be taken for a vault that is
/// being made, and what it held would be forgotten in silence.
///
/// # Errors
/// `Damaged` if there is not; otherwise as reading a file's facts.
pub fn there_is_a_vault(store_dir: &Path) -> Result<(), StoreFault> {
    let length = match fs::metadata(store_dir.join(VAULT)) {
        Ok(file) => file.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(StoreFault::Damaged),
        Err(error) => return Err(error.into()),
    };
    let log = fs::metadata(store_dir.join(format!("{VAULT}-wal")));
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
    fn read(state: &StateDir, keys: &DeviceKeys, now: Moment) -> Result<Self, StoreFault> {
        let dir = state.store();
        let waiting = epoch::waiting_keyrings(&dir)?;
        let ring = Keyring::load(&dir, keys, &waiting);
        let wrong = matches!(ring, Err(StoreFault::WrongDeviceSecret));
        if wrong && Cart::load(&dir, keys).is_ok() {
            return Err(StoreFault::Damaged);
        }
        let ring = ring?;
        let mut findings = Vec::new();
        let ring = one_of_two((state, now), ring, &mut findings, |ring| ring.save(&dir));
        epoch::settle(&dir, ring.epoch)?;
        let cart = Cart::load(&dir, keys)?;
        if cart.content.epoch.max(1) != ring.epoch {
            // One of them was put back. Records would be sealed to a key that somebody revoked may
            // have.
            return Err(StoreFault::Damaged);
        }
        let cart = one_of_two((state, now), cart, &mut findings, |cart| cart.write(&dir, keys));
        if ring.generation < cart.keyring {
            let numbers = (Some(ring.generation), Some(cart.keyring));
            findings.push(numbered(FindingKind::KeyringOlder, numbers));
        }
        // Either may have been lost with the disk's errors; without them nothing could be recorded.
        for needed in [SLOTS, INBOX] {
            durable::make_dir(&dir.join(needed))?;
        }
        let mut inbox = Inbox::resume(&dir.join(INBOX), keys, &ring, now)?;
        inbox.at_bed(cart.state.subject);
        Ok(Self { ring, cart, inbox, findings })
    }
}

pub(super) fn numbered(
    kind: FindingKind,
    (found, expected): (Option<u64>, Option<u64>),
) -> Finding {
    Finding { found, expected, ..Finding::of(kind, 1) }
}

/// Takes the newer of two copies, keeps a damaged one aside, and makes both alike again.
fn one_of_two<T>(
    (state, now): (&StateDir, Moment),
    newer: Newer<T>,
    findings: &mut Vec<Finding>,
    write: impl FnOnce(&T) -> Result<(), StoreFault>,
) -> T {
    let Newer { content, findings: found, damaged, differs } = newer;
    findings.extend(found);
    if differs {
        let kept = damaged.iter().try_for_each(|path| set_aside::keep_file(state, path, now));
        if let Err(fault) = kept.and_then(|()| write(&content)) {
            // The one that is good was read; the next start tries again.
            tracing::warn!(%fault, "a second copy could not be restored");
        }
    }
    content
}

/// What monitoring needs of a store that does not open: reads the cart compartment, changes nothing.
pub fn glance(options: &Options) -> Option<CartState> {
    let dir = layout::store(options.state_dir());
    let secret = match options.device_secret().load() {
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
pub enum Loaded {
    /// No store yet.
    Nothing(StateDir),
    /// A store.
    Store(Box<Locked>),
}
