//! What is left of a patient who was destroyed: copies of the store that lie on this machine beside the live one.
//! Those that the same recovery words open lose the patient too; the others are named.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::durable::{self, StateDir};
use crate::disk::layout::{self, DAMAGED, EMERGENCY, INBOX, VAULT};
use crate::inbox::{Inbox, segment};
use crate::keys::recovery;
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::VaultKeys;
use crate::machine::device_secret::DeviceKeys;
use crate::open::locked::there_is_a_vault;
use crate::open::options::Options;
use crate::tools::import::import;
use crate::vault::{Vault, audit, patients};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{AuditAct, AuditEntry, RecoveryPhrase, StoreFault};
use wardkeep_model::moment::Moment;

/// What of earlier times lies beside and in a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Stores that were set aside.
    pub set_aside: Vec<PathBuf>,
    /// Single damaged files that were set aside.
    pub damaged_files: u64,
    /// Segments in which something was forged, kept as evidence.
    pub evidence: u64,
    /// Logs of the vault that hid a newer database and were set aside.
    pub older_logs: u64,
}

/// Looks beside and into a store, and changes nothing.
///
/// # Errors
/// As reading directories.
pub fn remains(state_dir: &Path) -> Result<Remains, StoreFault> {
    let mut remains = Remains { set_aside: aside(state_dir)?, ..Remains::default() };
    let damaged = state_dir.join(DAMAGED);
    if damaged.try_exists()? {
        remains.damaged_files = u64::try_from(fs::read_dir(damaged)?.count()).unwrap_or(u64::MAX);
    }
    let store = layout::store(state_dir);
    let inbox = store.join(INBOX);
    if inbox.try_exists()? {
        for entry in fs::read_dir(inbox)? {
            remains.evidence += u64::from(layout::is_evidence(&entry?.path()));
        }
    }
    let older = layout::log_aside(&store.join(VAULT));
    remains.older_logs = u64::from(older.try_exists()?);
    Ok(remains)
}

/// Stores that were set aside in a state directory.
fn aside(state_dir: &Path) -> Result<Vec<PathBuf>, StoreFault> {
    let mut found = Vec::new();
    for entry in fs::read_dir(state_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_store = name != OsStr::new(DAMAGED) && name.to_string_lossy().starts_with(DAMAGED);
        if is_store && entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// What became of a patient in a store that was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shredded {
    /// Destroyed there too.
    Done,
    /// Destroyed there; so many bytes that waited to be unlocked could not be read, and may hold the patient.
    ButWaiting(u64),
    /// This patient is not in it.
    NotThere,
    /// More than one patient has this number there: none was destroyed.
    Several,
    /// Other recovery words open it.
    OtherWords,
    /// It could not be opened, and may hold the patient.
    NotOpened(StoreFault),
}

/// Destroys the patient with this number in every store that was set aside on this machine and that these words
/// open; what became of each.
///
/// # Errors
/// `InUse` while a kiosk runs; otherwise as reading the state directory.
pub fn shred_set_aside(
    options: &Options,
    phrase: &RecoveryPhrase,
    mrn: &Phi<String>,
    now: Moment,
) -> Result<Vec<(PathBuf, Shredded)>, StoreFault> {
    let private = recovery::private_key(phrase).map_err(|_| StoreFault::Foreign)?;
    let state = StateDir::take(options.state_dir())?;
    let device = options.device_secret().load()?.map(DeviceKeys::new);
    let mut all = Vec::new();
    for place in aside(state.path())? {
        let done = match Keyring::opened_by(&place, Recipient::Recovery, &private) {
            Ok(Some(opened)) => {
                let of = (&opened.0, &opened.1, device.as_ref());
                shred(&place, of, mrn, now).unwrap_or_else(Shredded::NotOpened)
            }
            Ok(None) => Shredded::OtherWords,
            Err(fault) => Shredded::NotOpened(fault),
        };
        all.push((place, done));
    }
    Ok(all)
}

fn shred(
    place: &Path,
    (ring, keys, device): (&Keyring, &VaultKeys, Option<&DeviceKeys>),
    mrn: &Phi<String>,
    now: Moment,
) -> Result<Shredded, StoreFault> {
    there_is_a_vault(place)?;
    let mut vault = Vault::open(&place.join(VAULT), keys)?;
    let mrn = mrn.reveal().trim();
    let all = patients::all(&vault)?;
    let mut found = all.iter().filter(|one| !mrn.is_empty() && one.mrn.reveal() == mrn);
    let subject = match (found.next(), found.next()) {
        (Some(patient), None) => patient.id,
        (Some(_), Some(_)) => return Ok(Shredded::Several),
        (None, _) => return Ok(Shredded::NotThere),
    };
    // What waits for an unlock is the patient's too, and only the vault that it was sealed for can drop it.
    let device = device.filter(|device| ring.is_ours(device));
    let taken = device.map(|device| take_over(place, (ring, keys, device), &mut vault, now));
    match taken {
        Some(Ok(())) => {}
        Some(Err(fault)) => tracing::warn!(%fault, "an inbox that was set aside could not be read"),
        None => tracing::warn!("an inbox that was set aside is another machine's"),
    }
    patients::shred(&mut vault, subject, entry(subject, now))?;
    audit::seal(&mut vault, keys)?;
    vault.close()?;
    durable::remove(&place.join(EMERGENCY))?;
    let left = segment::size(&place.join(INBOX))?;
    Ok(if left == 0 { Shredded::Done } else { Shredded::ButWaiting(left) })
}

fn take_over(
    place: &Path,
    (ring, keys, device): (&Keyring, &VaultKeys, &DeviceKeys),
    vault: &mut Vault,
    now: Moment,
) -> Result<(), StoreFault> {
    let mut inbox = Inbox::resume(&place.join(INBOX), device, ring, now)?;
    inbox.begin()?;
    import(&mut inbox, vault, keys, now).map(drop)
}

fn entry(subject: SubjectId, now: Moment) -> AuditEntry {
    AuditEntry { subject: Some(subject), ..AuditEntry::of(AuditAct::PatientShredded, now.wall) }
}
