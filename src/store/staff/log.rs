//! Reading the audit log, and handing it out as a file that anybody can verify.

use std::io::BufWriter;
use std::path::Path;

use crate::disk::new_file::NewFile;
use crate::open::opened::Open;
use crate::staff::desk::Desk;
use crate::vault::{audit, people};
use wardkeep_model::access::OperatorId;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{
    Administered, AdministrationFault as Fault, AuditAct, AuditEntry, AuditExported, AuditRow,
};

/// Most entries of the audit log in one answer.
const AUDIT_MAX: u32 = 1_000;
/// Bytes of a copy that are written at a time.
const PIECE: usize = 64 * 1024;

/// The newest entries, newest first, with names.
///
/// # Errors
/// As reading the vault.
pub fn read(open: &Open, limit: u32) -> Result<Vec<AuditRow>, Fault> {
    let vault = open.vault();
    let names = people::names(vault)?;
    let name = |id: Option<OperatorId>| -> Option<Phi<String>> {
        names.iter().find(|(known, _)| Some(*known) == id).map(|(_, name)| name.clone())
    };
    let entries = audit::newest(vault, limit.min(AUDIT_MAX))?;
    let row = |(seq, entry): (u64, AuditEntry)| AuditRow {
        seq,
        operator: name(entry.operator),
        person: name(entry.person),
        entry,
    };
    Ok(entries.into_iter().map(row).collect())
}

/// Writes the log into a new file; that it was, is in it.
///
/// # Errors
/// `Exists` if the file is there; otherwise as writing files. Then there is no new file.
pub fn export(open: &mut Open, desk: Desk<'_>, out: &Path) -> Result<Administered, Fault> {
    NewFile::is_free(out)?;
    let file = NewFile::create(out)?;
    enter(open, desk)?;
    let (vault, keys, _) = open.parts();
    let entries = audit::export(vault, keys, BufWriter::with_capacity(PIECE, file.file()))?;
    let bytes = file.finish()?;
    Ok(Administered::AuditExported(AuditExported { entries, bytes }))
}

/// Hands out a checkpoint of the log; that it was, is in it.
///
/// # Errors
/// As writing files.
pub fn checkpoint(open: &mut Open, desk: Desk<'_>) -> Result<Administered, Fault> {
    enter(open, desk)?;
    let (vault, keys, _) = open.parts();
    Ok(Administered::Checkpoint(audit::seal(vault, keys)?))
}

fn enter(open: &mut Open, desk: Desk<'_>) -> Result<(), Fault> {
    let entry = AuditEntry::of(AuditAct::CheckpointExported, desk.now.wall);
    open.audit(AuditEntry { operator: open.operator(), ..entry }, desk.now)?;
    Ok(open.seal_log()?)
}

/// What verifies the log.
///
/// # Errors
/// As reading the vault.
pub fn key(open: &Open) -> Result<Administered, Fault> {
    Ok(Administered::AuditKey(audit::key(open.vault(), open.keys())?))
}
