//! `wardkeepctl store salvage`: everything that can be read of a damaged store becomes a new one.
//!
//! The source is only read. Its vault is read page by page ([`crate::vault::salvage`]), a copy of its inbox is
//! imported as an unlock would do it, and what comes of both gets keys of its own, as a restored backup does
//! ([`crate::backup::restore`]). What could not be read is listed, and the list is in the new audit log.
//!
//! | of the source | without it |
//! |---|---|
//! | one copy of the keyring | nothing can be opened |
//! | the vault, its log, its head | what the others have |
//! | the cart compartment | people have to be added anew, devices chosen again |
//! | this machine's device secret | neither the cart compartment nor what waits in the inbox opens |

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::backup::file::BackupFault;
use crate::backup::restore::{Origin, RestoredPerson, found};
use crate::cart::Cart;
use crate::disk::durable::{self, StateDir};
use crate::disk::layout::{self, DEVICE_SECRET, INBOX, INBOX_STATE, KEYRING, RESTORED_FROM, VAULT};
use crate::inbox::{Inbox, segment};
use crate::keys::recovery;
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::VaultKeys;
use crate::machine::device_secret::{DeviceKeys, from_environment};
use crate::open::epoch;
use crate::open::options::Options;
use crate::tools::import::import;
use crate::vault::raw::Image;
use crate::vault::salvage::{SalvagedRows, SalvagedTable, salvage};
use crate::vault::{Vault, cipher_facts, people};
use wardkeep_model::keeping::{
    AuditAct, AuditEntry, BackupPart, CartState, Finding, FindingKind, RecoveryPhrase, StoreFault,
};
use wardkeep_model::moment::Moment;

/// What was salvaged, and what not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// Identity of the damaged store.
    pub device: [u8; 16],
    /// Of the vault.
    pub rows: SalvagedRows,
    /// Of what waited to be imported.
    pub waiting: Waiting,
    /// Everybody who is known in the new store; nobody of them has a badge, a card or a finger there yet.
    pub people: Vec<RestoredPerson>,
    /// People whose names were read, but nothing of what they may do.
    pub people_unknown: u64,
    /// The cart compartment was read: devices and assignments are as they were.
    pub cart_is_there: bool,
}

impl Salvaged {
    /// Nothing is gone.
    pub fn is_whole(&self) -> bool {
        let whole = |table: &SalvagedTable| {
            table.lost == 0 && table.unopened == 0 && table.perhaps.is_empty()
        };
        self.cart_is_there
            && self.rows.pages.is_empty()
            && self.rows.tables.iter().all(whole)
            && self.waiting == Waiting { imported: self.waiting.imported, ..Waiting::default() }
    }
}

/// What waited in the inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Records that were taken over.
    pub imported: u64,
    /// What was found wrong among them.
    pub findings: Vec<Finding>,
    /// Bytes that could not be read at all.
    pub unread_bytes: u64,
    /// Why not.
    pub fault: Option<StoreFault>,
}

/// Why nothing was salvaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SalvageFault {
    /// There is no store in the source.
    #[error("there is no store to be read")]
    NoSource,
    /// These are not the recovery words of the damaged store.
    #[error("these are not the recovery words of this store")]
    Words,
    /// Both copies of the keyring are gone.
    #[error("no copy of the keyring can be read")]
    NoKeyring,
    /// There is a store where the new one would be.
    #[error("there is a store already")]
    StoreExists,
    /// The source is in use, or the new store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

impl From<BackupFault> for SalvageFault {
    fn from(fault: BackupFault) -> Self {
        match fault {
            BackupFault::Store(fault) => SalvageFault::Store(fault),
            BackupFault::StoreExists => SalvageFault::StoreExists,
            BackupFault::Foreign
            | BackupFault::Version(_)
            | BackupFault::Damaged
            | BackupFault::NotForYou
            | BackupFault::Exists => SalvageFault::Store(StoreFault::Damaged),
        }
    }
}

/// Reads a state directory, or a store that was set aside, and makes a new store in the state directory of
/// `options`. `progress` is told how many of how many pages were read.
///
/// # Errors
/// See [`SalvageFault`]; then there is no new store. The source is never changed.
pub fn salvage_with_recovery(
    options: &Options,
    phrase: &RecoveryPhrase,
    (from, now): (&Path, Moment),
    progress: &mut dyn FnMut(u32, u32),
) -> Result<Salvaged, SalvageFault> {
    let words = recovery::pair(phrase).map_err(|_| SalvageFault::Words)?;
    cipher_facts()?;
    let source = Source::open(from, &words.0)?;
    if layout::store(options.state_dir()).try_exists().map_err(StoreFault::from)? {
        return Err(SalvageFault::StoreExists);
    }
    let state = StateDir::take(options.state_dir())?;
    let secret = match options.device_secret().load()? {
        Some(secret) => secret,
        None => options.device_secret().create()?,
    };
    let device = DeviceKeys::new(secret);
    let made = make(&state, &device, (source, words.1), now, progress);
    if made.is_err()
        && let Err(fault) = state.abandon()
    {
        // The next salvage, restore or first start removes it.
        tracing::warn!(%fault, "an unfinished store could not be removed");
    }
    made
}

/// A damaged store, for reading.
struct Source {
    dir: PathBuf,
    /// A change of keys that was committed and not finished left its files here.
    next: Option<PathBuf>,
    ring: Keyring,
    keys: VaultKeys,
    /// This machine's keys, if its secret is the one that the store was made with.
    device: Option<DeviceKeys>,
    _lock: Option<File>,
}

impl Source {
    fn open(from: &Path, private: &crate::crypto::Key) -> Result<Self, SalvageFault> {
        let live = layout::store(from);
        let is_state = live.try_exists().map_err(StoreFault::from)?;
        let dir = if is_state { live } else { from.to_owned() };
        let holds = |name: &str| dir.join(name).exists();
        if ![VAULT, KEYRING.first, KEYRING.second, INBOX].into_iter().any(holds) {
            return Err(SalvageFault::NoSource);
        }
        let lock = if is_state { hold(from)? } else { None };
        let waiting = epoch::waiting_keyrings(&dir)?;
        let next = waiting.first().and_then(|path| path.parent()).map(Path::to_owned);
        let (ring, keys) = open_ring([Some(&dir), next.as_ref()], private)?;
        let next = next.filter(|next| *next == epoch::directory(&dir, ring.epoch));
        // A store that was set aside lies in the state directory of its machine.
        let beside = [Some(from), from.parent()].into_iter().flatten();
        let device = beside.filter_map(|place| secret_of(place, &ring)).next();
        Ok(Self { dir, next, ring, keys, device, _lock: lock })
    }

    /// Where a file of the store is.
    fn path(&self, name: &str) -> PathBuf {
        let next = self.next.as_ref().map(|next| next.join(name)).filter(|path| path.exists());
        next.unwrap_or_else(|| self.dir.join(name))
    }

    /// The cart compartment, if it can be read.
    fn cart(&self) -> Option<Cart> {
        let device = self.device.as_ref()?;
        let dirs = self.next.iter().chain([&self.dir]);
        dirs.filter_map(|dir| Cart::load(dir, device).ok()).map(|read| read.content).next()
    }
}

fn open_ring(
    dirs: [Option<&PathBuf>; 2],
    private: &crate::crypto::Key,
) -> Result<(Keyring, VaultKeys), SalvageFault> {
    let mut is_there = false;
    for dir in dirs.into_iter().flatten() {
        match Keyring::opened_by(dir, Recipient::Recovery, private) {
            Ok(Some(opened)) => return Ok(opened),
            Ok(None) => is_there = true,
            Err(StoreFault::Damaged) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Err(if is_there { SalvageFault::Words } else { SalvageFault::NoKeyring })
}

/// Keeps a kiosk away from a state directory that is there, and changes nothing.
fn hold(state_dir: &Path) -> Result<Option<File>, StoreFault> {
    let path = state_dir.join(layout::LOCK);
    if !path.try_exists()? {
        return Ok(None);
    }
    let lock = File::open(path)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Err(StoreFault::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn secret_of(place: &Path, ring: &Keyring) -> Option<DeviceKeys> {
    let is_credential = !place.join(DEVICE_SECRET).exists();
    let secret = match from_environment(place).load() {
        Ok(secret) => secret?,
        Err(fault) => {
            tracing::warn!(%fault, is_credential, "a device secret cannot be read");
            return None;
        }
    };
    let keys = DeviceKeys::new(secret);
    ring.is_ours(&keys).then_some(keys)
}

fn make(
    state: &StateDir,
    device: &DeviceKeys,
    (source, recovery): (Source, [u8; 32]),
    now: Moment,
    progress: &mut dyn FnMut(u32, u32),
) -> Result<Salvaged, SalvageFault> {
    let dir = state.begin()?;
    let scratch = dir.join(RESTORED_FROM);
    durable::make_dir(&scratch)?;
    let mut vault = Vault::create(&scratch.join(VAULT), &source.keys).map_err(StoreFault::from)?;
    let image = Image::open(&source.path(VAULT), &source.keys)?;
    let into = (&mut vault, &source.keys);
    let rows = match salvage(&image, into, now.wall, progress) {
        // What waits in the inbox is worth a store of its own.
        Err(StoreFault::Damaged) => {
            SalvagedRows { page_count: image.pages(), ..SalvagedRows::default() }
        }
        rows => rows?,
    };
    let waiting = take_over(&source, &scratch, &mut vault, now);
    let cart = source.cart();
    let cart_is_there = cart.is_some();
    let people = known_people(&vault, &source.keys, cart.as_ref());
    let names = people::names(&vault).map_err(StoreFault::from)?;
    let people_unknown = names.len().saturating_sub(people.len());
    let entries = entries(&source, &rows, &waiting, now);
    let cart = cart.map_or_else(CartState::default, |cart| cart.state);
    let Source { ring, keys, .. } = source;
    let origin = Origin { keys, recovery, cart, people };
    let people = found(state, device, (origin, vault), &entries, now)?;
    Ok(Salvaged {
        device: ring.device,
        rows,
        waiting,
        people,
        people_unknown: u64::try_from(people_unknown).unwrap_or(u64::MAX),
        cart_is_there,
    })
}

/// Those of whom it is known what they may do, and whose keys were read.
fn known_people(vault: &Vault, keys: &VaultKeys, cart: Option<&Cart>) -> Vec<BackupPart> {
    let known = cart.map(|cart| cart.people.as_slice()).unwrap_or_default().iter();
    let known = known.filter(|person| people::private_key(vault, keys, person.id).is_ok());
    let part = |person: &crate::cart::Person| BackupPart {
        id: person.id,
        initials: person.initials.clone(),
        role: person.role,
        valid_until: person.valid_until,
    };
    known.map(part).collect()
}

/// Imports a copy of the source's inbox.
fn take_over(source: &Source, scratch: &Path, vault: &mut Vault, now: Moment) -> Waiting {
    let inbox = source.dir.join(INBOX);
    let unread_bytes = segment::size(&inbox).unwrap_or(0);
    let done = match &source.device {
        Some(device) => import_copy(source, (device, &scratch.join(INBOX)), vault, now),
        None => Err(StoreFault::WrongDeviceSecret),
    };
    match done {
        Ok((imported, findings)) => Waiting { imported, findings, ..Waiting::default() },
        Err(_) if unread_bytes == 0 => Waiting::default(),
        Err(fault) => Waiting { unread_bytes, fault: Some(fault), ..Waiting::default() },
    }
}

fn import_copy(
    source: &Source,
    (device, to): (&DeviceKeys, &Path),
    vault: &mut Vault,
    now: Moment,
) -> Result<(u64, Vec<Finding>), StoreFault> {
    durable::make_dir(to)?;
    for entry in fs::read_dir(source.dir.join(INBOX))? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    if let Some(state) = source.next.as_ref().map(|next| next.join(INBOX_STATE))
        && state.exists()
    {
        fs::copy(state, to.join(INBOX_STATE))?;
    }
    let mut inbox = Inbox::resume(to, device, &source.ring, now)?;
    inbox.begin()?;
    import(&mut inbox, vault, &source.keys, now)
}

/// What the new audit log says of it.
fn entries(
    source: &Source,
    rows: &SalvagedRows,
    waiting: &Waiting,
    now: Moment,
) -> Vec<AuditEntry> {
    let device = u128::from_be_bytes(source.ring.device);
    let (damaged, pages) = (rows.pages.len(), rows.page_count);
    let detail = format!("of {device:032x}; {damaged} of {pages} pages damaged");
    let salvaged = AuditEntry::of(AuditAct::StoreSalvaged, now.wall);
    let mut entries = vec![AuditEntry { detail: Some(detail), ..salvaged }];
    let finding = |finding, detail| AuditEntry {
        finding: Some(finding),
        detail,
        ..AuditEntry::of(AuditAct::StoreFinding, now.wall)
    };
    for table in rows.tables.iter().filter(|table| table.lost + table.unopened > 0) {
        let SalvagedTable { table: name, kept, lost, unopened, lost_rows, .. } = table;
        let first = lost_rows.iter().map(|rows| rows.first.cast_unsigned()).min();
        let last = lost_rows.iter().map(|rows| rows.last.cast_unsigned()).max();
        let from = lost_rows.iter().filter_map(|rows| rows.from).min();
        let until = lost_rows.iter().filter_map(|rows| rows.until).max();
        let gone = Finding {
            found: last,
            expected: first,
            span: from.zip(until),
            ..Finding::of(FindingKind::RecordsMissing, lost.saturating_add(*unopened))
        };
        let said =
            format!("{name}: {kept} kept, {lost} not readable, {unopened} without their key");
        entries.push(finding(gone, Some(said)));
    }
    entries.extend(waiting.findings.iter().map(|found| finding(*found, None)));
    entries
}
