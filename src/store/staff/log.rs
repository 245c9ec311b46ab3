//! Reading the audit log, and handing it out as a file that anybody can verify.

use crate::open::opened::Open;
use crate::staff::desk::Desk;
use crate::vault::{audit, people};
use wardkeep_model::access::OperatorId;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, AuditEntry, AuditRow,
};

/// Most entries of the audit log in one answer.
const AUDIT_MAX: u32 = 1_000;

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

/// Hands out the log or a checkpoint of it; that it was, is in it.
///
/// # Errors
/// As writing files.
pub(super) fn hand_out(
    open: &mut Open,
    desk: Desk<'_>,
    what: &Administration,
) -> Result<Administered, Fault> {
    let (act, _) = what.act();
    let operator = open.operator();
    open.audit(AuditEntry { operator, ..AuditEntry::of(act, desk.now.wall) }, desk.now)?;
    open.seal_log()?;
    let (vault, keys, _) = open.parts();
    if matches!(what, Administration::ExportAudit) {
        Ok(Administered::AuditExport(audit::export(vault, keys)?))
    } else {
        Ok(Administered::Checkpoint(audit::seal(vault, keys)?))
    }
}

/// What verifies the log.
///
/// # Errors
/// As reading the vault.
pub fn key(open: &Open) -> Result<Administered, Fault> {
    Ok(Administered::AuditKey(audit::key(open.vault(), open.keys())?))
}
