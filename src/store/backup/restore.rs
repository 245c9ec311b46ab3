//! Makes a store out of a backup, on a machine that has none.
//!
//! The store gets an identity, a device secret and a master key of its own: two carts that come from one
//! backup share no key, no key slot and no chain of sealed records. Its records keep the provenance they
//! have, and the inbox goes on numbering where the vault stopped.
//!
//! People come with name, initials and role, each with a new key pair, so that a key slot of the old
//! machine opens nothing here. Their badges, cards and fingers do not come: they are bound to the old
//! machine and its readers. So the recovery words enrol an IT person next, and go on being the recovery
//! words.
//!
//! The whole file is authenticated before anything is written; then it is read again. A restore happens
//! in a directory that becomes the store by one rename at its end, as a first start does.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::Path;

use jiff::Timestamp;

use crate::backup::file::{BackupFault, BackupReader, Sealing};
use crate::backup::{FORMAT, Manifest};
use crate::cart::{Cart, Person};
use crate::crypto::{Key, PublicKey, key_pair};
use crate::disk::durable::{self, StateDir};
use crate::disk::layout::{self, INBOX, RESTORED_FROM, SLOTS, VAULT};
use crate::inbox::Inbox;
use crate::keys::recovery;
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::machine::device_secret::DeviceKeys;
use crate::open::options::Options;
use crate::open::rekey;
use crate::vault::{Vault, cipher_facts};
use crate::vault::{entries, export, people, recipients};
use wardkeep_model::access::OperatorId;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::BackupPart;
use wardkeep_model::keeping::{AuditAct, AuditEntry, CartState, RecoveryPhrase, StoreFault};
use wardkeep_model::moment::Moment;

const MANIFEST_LEN_MAX: usize = 8 * 1024 * 1024;
const PIECE: usize = 64 * 1024;

/// A store that was made of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was written.
    pub written: Timestamp,
    /// Identity of the store that it was made of.
    pub device: [u8; 16],
    /// Everybody; nobody of them has a badge, a card or a finger here yet.
    pub people: Vec<RestoredPerson>,
}

/// A person whose name came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredPerson {
    /// Full name.
    pub name: Phi<String>,
    /// Everything else.
    pub part: BackupPart,
}

/// Makes a store of a backup with the recovery words of the store that it was made of.
///
/// # Errors
/// See [`BackupFault`]; there is no store then, and with `Damaged`, `Foreign`, `Version` and `NotForYou`
/// nothing was written.
pub fn restore_with_recovery(
    options: &Options,
    phrase: &RecoveryPhrase,
    from: &Path,
) -> Result<Restored, BackupFault> {
    let private = recovery::private_key(phrase).map_err(|_| BackupFault::NotForYou)?;
    cipher_facts()?;
    let mut input = File::open(from)?;
    let manifest = authenticate(BufReader::new(&input), (Recipient::Recovery, &private))?;
    if layout::store(options.state_dir()).try_exists()? {
        return Err(BackupFault::StoreExists);
    }
    let state = StateDir::take(options.state_dir())?;
    let secret = match options.device_secret().load()? {
        Some(secret) => secret,
        None => options.device_secret().create()?,
    };
    input.rewind()?;
    let source = Source { input: BufReader::new(&input), private };
    let made = make(&state, &DeviceKeys::new(secret), manifest, source);
    if made.is_err()
        && let Err(fault) = state.abandon()
    {
        // The next restore or first start removes it.
        tracing::warn!(%fault, "an unfinished restore could not be removed");
    }
    made
}

/// Reads a backup from its first to its last byte; when it was written.
///
/// # Errors
/// See [`BackupFault`].
pub fn verify_backup_with_recovery(
    from: impl BufRead,
    phrase: &RecoveryPhrase,
) -> Result<Timestamp, BackupFault> {
    let private = recovery::private_key(phrase).map_err(|_| BackupFault::NotForYou)?;
    Ok(authenticate(from, (Recipient::Recovery, &private))?.written)
}

/// Authenticates a backup as a whole.
pub(crate) fn authenticate(
    input: impl BufRead,
    (recipient, private): (Recipient, &Key),
) -> Result<Manifest, BackupFault> {
    let mut reader = Sealing::read(input)?.open(recipient, private)?;
    let manifest = read_manifest(&mut reader)?;
    let mut left = manifest.vault_len;
    while left > 0 {
        let most = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
        let piece = reader.some(most)?;
        if piece.is_empty() {
            return Err(BackupFault::Damaged);
        }
        left -= u64::try_from(piece.len()).unwrap_or(u64::MAX);
    }
    reader.end()?;
    Ok(manifest)
}

fn read_manifest(reader: &mut BackupReader<impl BufRead>) -> Result<Manifest, BackupFault> {
    let length = reader.exactly(4)?;
    let length = length.first_chunk::<4>().ok_or(BackupFault::Damaged)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > MANIFEST_LEN_MAX {
        return Err(BackupFault::Damaged);
    }
    let manifest = reader.exactly(length)?;
    let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|_| BackupFault::Damaged)?;
    if manifest.format == FORMAT {
        Ok(manifest)
    } else {
        Err(BackupFault::Version(manifest.format))
    }
}

struct Source<R> {
    input: R,
    private: Key,
}

/// A person's key pair on this machine.
struct Renewed {
    id: OperatorId,
    private: Key,
}

fn make(
    state: &StateDir,
    keys: &DeviceKeys,
    manifest: Manifest,
    source: Source<impl BufRead>,
) -> Result<Restored, BackupFault> {
    let dir = state.begin()?;
    let from = dir.join(RESTORED_FROM);
    durable::make_dir(&from)?;
    unpack(source, &from.join(VAULT))?;
    for (name, content) in &manifest.beside {
        // A name and nothing else, whoever wrote it.
        let plain = Path::new(name).file_name().is_some_and(|plain| plain == name.as_str());
        if !plain || name == VAULT {
            return Err(BackupFault::Damaged);
        }
        durable::replace(&from, name, content)?;
    }
    let moment = Moment::read();
    let now = moment.wall;

    let old_keys = VaultKeys::of_master(manifest.master);
    let old = Vault::open_exported(&from.join(VAULT), &old_keys)?;
    let entry = AuditEntry {
        detail: Some(format!("written {} by {:032x}", manifest.written, id(manifest.device))),
        ..AuditEntry::of(AuditAct::BackupRestored, now)
    };
    let Manifest { recovery, state: cart, people, written, device, .. } = manifest;
    let origin = Origin { keys: old_keys, recovery, cart, people };
    let people = found(state, keys, (origin, old), &[entry], moment)?;
    Ok(Restored { written, device, people })
}

/// What a new store has of another one beside its vault.
pub(crate) struct Origin {
    /// The keys of that vault.
    pub keys: VaultKeys,
    /// The recovery words go on being those of the new store.
    pub recovery: PublicKey,
    /// What the cart was doing.
    pub cart: CartState,
    /// Everybody; the vault has to have a private key of each.
    pub people: Vec<BackupPart>,
}

/// Makes a store out of another one's vault, under keys of its own, and ends what [`StateDir::begin`] began. The
/// old vault lies in [`RESTORED_FROM`], which is removed. Everybody of the new store, by name.
///
/// # Errors
/// As reading the vault or writing files; there is no store then.
pub(crate) fn found(
    state: &StateDir,
    keys: &DeviceKeys,
    (origin, old): (Origin, Vault),
    entries: &[AuditEntry],
    moment: Moment,
) -> Result<Vec<RestoredPerson>, BackupFault> {
    let dir = state.path().join(layout::UNFINISHED);
    durable::make_dir(&dir.join(SLOTS))?;
    let new_keys = VaultKeys::generate()?;
    let mut ring = Keyring::new(keys, &new_keys)?;
    ring.add(keys, &new_keys, Recipient::Recovery, origin.recovery)?;
    let mut people = Vec::new();
    let mut cart = Cart::default();
    (cart.state, cart.epoch) = (origin.cart, ring.epoch);
    for part in &origin.people {
        let (private, public) = key_pair(&Key::random()?);
        ring.add(keys, &new_keys, Recipient::Operator(part.id), public)?;
        people.push(Renewed { id: part.id, private });
        cart.people.push(person(part));
    }
    cart.keyring = ring.generation;

    export::export(&old, &dir.join(VAULT), &new_keys)?;
    old.close()?;
    durable::remove_dir(&dir.join(RESTORED_FROM))?;
    let path = dir.join(VAULT);
    rekey::amend(&path, (&origin.keys, &new_keys), (&[], &cart, &[]), entries)?;
    let mut vault = Vault::open(&path, &new_keys)?;
    renew(&mut vault, &new_keys, &people)?;
    let known = ring.publics().map(|(recipient, public)| (recipient.into(), public));
    recipients::replace(&mut vault, &known.collect())?;
    let names = people::names(&vault)?;
    let name = |id: OperatorId| names.iter().find(|(known, _)| *known == id).map(|(_, name)| name);
    let restored = origin
        .people
        .into_iter()
        .map(|part| RestoredPerson { name: name(part.id).cloned().unwrap_or_default(), part });
    let people = restored.collect();
    let cursor = entries::cursor(&vault)?;
    vault.close()?;
    durable::sync_file(&path)?;

    Inbox::create(&dir.join(INBOX), keys, &ring, &new_keys)?;
    let mut inbox = Inbox::resume(&dir.join(INBOX), keys, &ring, moment)?;
    inbox.begin()?;
    inbox.start_chain(&new_keys, cursor)?;
    ring.save(&dir)?;
    cart.save(&dir, keys)?;
    state.finish()?;
    Ok(people)
}

fn id(device: [u8; 16]) -> u128 {
    u128::from_be_bytes(device)
}

fn person(part: &BackupPart) -> Person {
    Person {
        id: part.id,
        initials: part.initials.clone(),
        role: part.role,
        valid_until: part.valid_until,
        code_since: None,
        code_used: false,
        over_at_us: None,
        code_over_at_us: None,
        tokens: Vec::new(),
    }
}

/// Gives everybody their new key pair, and takes away what belonged to the old machine's readers.
fn renew(vault: &mut Vault, keys: &VaultKeys, people: &[Renewed]) -> Result<(), StoreFault> {
    let mut privates = Vec::new();
    for person in people {
        let held = keys.hold(Held::Private(person.id), &person.private)?;
        privates.push((person.id, Some(held)));
    }
    people::rewrite(vault, &privates, &[])?;
    for person in people {
        people::remove_templates(vault, person.id, None)?;
    }
    Ok(())
}

/// Writes the backup's vault to a file.
fn unpack(source: Source<impl BufRead>, path: &Path) -> Result<(), BackupFault> {
    let mut reader = Sealing::read(source.input)?.open(Recipient::Recovery, &source.private)?;
    read_manifest(&mut reader)?;
    let mut file = durable::create_new(path)?;
    loop {
        let piece = reader.some(PIECE)?;
        if piece.is_empty() {
            break;
        }
        file.write_all(piece)?;
    }
    reader.end()?;
    Ok(file.sync_all()?)
}
