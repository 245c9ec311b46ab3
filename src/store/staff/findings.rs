//! What was found wrong with the store and waits for somebody to have looked into it.

use crate::open::opened::Open;
use crate::staff::desk::Desk;
use wardkeep_model::keeping::{Administered, AdministrationFault as Fault, AuditAct, AuditEntry};

/// Nothing that was found is open any more; the audit log keeps all of it.
///
/// # Errors
/// As writing files; then everything is open still.
pub fn acknowledge(open: &mut Open, desk: Desk<'_>) -> Result<Administered, Fault> {
    let mut cart = open.locked().cart().clone();
    let count = u64::try_from(cart.open_findings.len()).unwrap_or(u64::MAX);
    let entry = AuditEntry::of(AuditAct::FindingsAcknowledged, desk.now.wall);
    let operator = open.operator();
    open.audit(AuditEntry { operator, times: Some(count), ..entry }, desk.now)?;
    cart.open_findings.clear();
    open.locked_mut().commit_cart(cart)?;
    Ok(Administered::FindingsAcknowledged(count))
}
