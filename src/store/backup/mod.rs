//! Writes a backup of the open vault, with what another machine needs beside it.
//!
//! ```text
//!  vault     exported in one read of it, encrypted as it is in the store
//!  manifest  the vault's master key and head (what tells the latest from an older copy), the cart compartment's devices, assignments and people
//! ```
//!
//! Not in it: key slots and badges, which are bound to this machine's secret; tallies; unsaved forms;
//! the emergency card. What waited in the inbox was imported before.
//!
//! The master key is under the same seal as everything else. Whoever can open a backup could open the
//! vault when it was written: the holder of the recovery words, and people of the keyring. A person who
//! is revoked later still opens the backups that were sealed to them, so they are sealed to the recovery
//! key alone unless somebody is named. A patient who is destroyed later is still in older backups.

pub(crate) mod file;
pub(crate) mod restore;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::backup::file::BackupWriter;
use crate::cart::Cart;
use crate::crypto::{Key, PublicKey};
use crate::disk::durable;
use crate::disk::layout::{self, VAULT};
use crate::disk::new_file::NewFile;
use crate::inbox::segment::framed;
use crate::keys::ring::Recipient;
use crate::open::opened::Open;
use crate::vault::export;
use crate::vault::recipients::{self, Holder};
use wardkeep_model::keeping::{
    Administered, AdministrationFault as Fault, AuditAct, AuditEntry, AuditResult, CartState,
    StoreFault,
};
use wardkeep_model::keeping::{BackupDone, BackupOrder, BackupPart};
use wardkeep_model::moment::Moment;

/// Format of the manifest.
pub(crate) const FORMAT: u32 = 1;
const PIECE: usize = 64 * 1024;
const BESIDE_LEN_MAX: u64 = 1024 * 1024;

/// What stands in front of the vault.
#[derive(Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Format of the manifest.
    pub format: u32,
    /// Identity of the store that it was made of.
    pub device: [u8; 16],
    /// Epoch of its keyring.
    pub epoch: u64,
    /// When.
    pub written: Timestamp,
    /// The vault's master key.
    #[serde(with = "crate::crypto::inside_a_seal")]
    pub master: Key,
    /// Public key of the recovery words.
    pub recovery: PublicKey,
    /// What the cart was doing.
    pub state: CartState,
    /// Everybody.
    pub people: Vec<BackupPart>,
    /// Small files that lie beside the vault, by their names.
    pub beside: Vec<(String, Vec<u8>)>,
    /// Length of what follows.
    vault_len: u64,
}

fn people(cart: &Cart) -> Vec<BackupPart> {
    let part = |person: &crate::cart::Person| BackupPart {
        id: person.id,
        initials: person.initials.clone(),
        role: person.role,
        valid_until: person.valid_until,
    };
    cart.people.iter().map(part).collect()
}

/// Writes a backup. Everything that was sealed while locked has to be in the vault.
///
/// # Errors
/// `Unknown` for a recipient who is not here, `Exists` if the file is there; otherwise as writing
/// files. Then there is no new file.
pub fn back_up(open: &mut Open, order: &BackupOrder, now: Moment) -> Result<Administered, Fault> {
    // Only to whom the vault knows: the keyring could be another's.
    let known = recipients::all(open.vault())?;
    let mut to = Vec::new();
    let people = order.to.iter().map(|id| Recipient::Operator(*id));
    for recipient in std::iter::once(Recipient::Recovery).chain(people) {
        let public = known.get(&recipient.into()).ok_or(Fault::Unknown)?;
        to.push((recipient, *public));
    }
    NewFile::is_free(&order.out)?;
    let written = now.wall;
    let operator = open.operator();
    // In the log before the file is, and so in the backup too.
    let detail = Some(format!("sealed to {} people", order.to.len()));
    let entry = AuditEntry::of(AuditAct::BackupWritten, written);
    let entry = AuditEntry { operator, detail, ..entry };
    open.audit(entry.clone(), now)?;
    let done = write_backup(open, order, written, &to);
    match done {
        Ok(bytes) => {
            let done = BackupDone { bytes, written, to: order.to.clone() };
            Ok(Administered::BackedUp(Box::new(done)))
        }
        Err(fault) => {
            open.audit(AuditEntry { result: AuditResult::Failed, ..entry }, now)?;
            Err(fault)
        }
    }
}

fn write_backup(
    open: &Open,
    order: &BackupOrder,
    written: Timestamp,
    recipients: &[(Recipient, PublicKey)],
) -> Result<u64, Fault> {
    let scratch = open.locked().state().path().join(layout::BACKUP_SCRATCH);
    durable::remove_dir(&scratch)?;
    durable::make_dir(&scratch)?;
    let done = export_and_seal(open, &scratch, order, (written, recipients));
    let removed = durable::remove_dir(&scratch);
    let bytes = done?;
    removed?;
    Ok(bytes)
}

fn export_and_seal(
    open: &Open,
    scratch: &Path,
    order: &BackupOrder,
    (written, recipients): (Timestamp, &[(Recipient, PublicKey)]),
) -> Result<u64, Fault> {
    if !open.is_imported() {
        return Err(Fault::NotAllowed);
    }
    let (vault, keys, locked) = (open.vault(), open.keys(), open.locked());
    let exported = scratch.join(VAULT);
    export::export(vault, &exported, keys)?;
    let mut content = File::open(&exported).map_err(StoreFault::from)?;
    let vault_len = content.metadata().map_err(StoreFault::from)?.len();
    let manifest = Manifest {
        format: FORMAT,
        device: locked.ring().device,
        epoch: locked.ring().epoch,
        written,
        master: keys.master().clone(),
        recovery: *recipients::all(vault)?.get(&Holder::Recovery).ok_or(Fault::Unknown)?,
        state: locked.cart().state.clone(),
        people: people(locked.cart()),
        beside: beside(scratch)?,
        vault_len,
    };
    let manifest = Zeroizing::new(
        serde_json::to_vec(&manifest).map_err(StoreFault::Io.because("writing a manifest"))?,
    );
    let front = Zeroizing::new(framed(&manifest));
    let file = NewFile::create(&order.out)?;
    let store = (locked.ring().device, written);
    let mut writer = BackupWriter::begin(file.file(), store, recipients)?;
    writer.write(&front)?;
    copy(&mut content, &mut writer, vault_len)?;
    writer.finish()?;
    file.finish()
}

/// What an export leaves beside the vault.
fn beside(dir: &Path) -> Result<Vec<(String, Vec<u8>)>, StoreFault> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(StoreFault::Io.because("reading a file name"))?;
        if name != VAULT
            && let Some(content) = durable::read(&entry.path(), BESIDE_LEN_MAX)?
        {
            found.push((name, content));
        }
    }
    Ok(found)
}

fn copy(
    from: &mut impl Read,
    to: &mut BackupWriter<impl Write>,
    length: u64,
) -> Result<(), StoreFault> {
    let mut piece = vec![0; PIECE];
    let mut copied = 0;
    loop {
        let read = from.read(&mut piece)?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
        to.write(read)?;
        copied += u64::try_from(read.len()).unwrap_or(u64::MAX);
    }
    if copied == length { Ok(()) } else { Err(StoreFault::Io) }
}
