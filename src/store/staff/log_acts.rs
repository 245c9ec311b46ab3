//! What the rest of the store does with the audit log: signs it when the vault closes, hands it out,
//! and enters what was refused.
//!
//! The newest checkpoint also lies beside the vault (`store/checkpoint`), readable and not secret, so that
//! whatever copies the directory, or looks at it, takes a witness along.

use crate::disk::durable;
use crate::disk::layout::CHECKPOINT;
use crate::open::setup::Store;
use crate::staff::people::{Desk, Refused};
use crate::vault::audit;
use crate::worker::{Phase, Worker};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::Token;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, AuditAct, AuditEntry, AuditResult,
    Refusal, StoreFault,
};
use wardkeep_model::moment::Moment;

impl Store {
    /// Signs the log if it has grown, and leaves the newest checkpoint beside the vault.
    ///
    /// # Errors
    /// As writing files. The vault has to be open; without one there is nothing to sign.
    pub(crate) fn seal_log(&mut self) -> Result<(), StoreFault> {
        let Some(opened) = &mut self.open else { return Ok(()) };
        let (vault, keys) = opened.parts();
        let note = audit::seal(vault, keys)?;
        durable::replace(&self.state.store(), CHECKPOINT, note.as_bytes())
    }

    /// Hands out the log or a checkpoint of it; that it was, is in it.
    pub(crate) fn hand_out_log(
        &mut self,
        desk: Desk<'_>,
        what: &Administration,
    ) -> Result<Administered, Fault> {
        let (act, _) = what.act();
        let operator = self.open.as_ref().and_then(crate::worker::record::Opened::operator);
        self.audit(AuditEntry { operator, ..AuditEntry::of(act, desk.now.wall) })?;
        self.seal_log()?;
        let (vault, keys) = self.open.as_mut().ok_or(Fault::NotAllowed)?.parts();
        if matches!(what, Administration::ExportAudit) {
            Ok(Administered::AuditExport(audit::export(vault, keys)?))
        } else {
            Ok(Administered::Checkpoint(audit::seal(vault, keys)?))
        }
    }

    pub(crate) fn audit_key(&mut self) -> Result<Administered, Fault> {
        let (vault, keys) = self.open.as_mut().ok_or(Fault::NotAllowed)?.parts();
        Ok(Administered::AuditKey(audit::key(vault, keys)?))
    }

    /// What the log says of an act that was not done.
    pub(crate) fn not_done(
        &self,
        (act, person): (AuditAct, Option<OperatorId>),
        refused: Refused,
        now: Moment,
    ) -> AuditEntry {
        let operator = self.open.as_ref().and_then(crate::worker::record::Opened::operator);
        let result = match refused {
            Refused::Fault(Fault::Store(_)) | Refused::Unclear(_) => AuditResult::Failed,
            Refused::Fault(_) => AuditResult::Refused,
        };
        AuditEntry { operator, person, result, ..AuditEntry::of(act, now.wall) }
    }

    /// What the log says of a refused unlock; without a pair, the token alone was turned away.
    pub(crate) fn unlock_refused(
        &self,
        (token, pair): (&Token, Option<Pair>),
        refusal: Refusal,
        now: Moment,
    ) -> AuditEntry {
        let index = self.keys.token_index(token);
        let person = self.cart.token(&index).map(|(person, _)| person.id);
        let result = match refusal {
            Refusal::Damaged(_) => AuditResult::Failed,
            Refusal::WrongFactors(_)
            | Refusal::NotAdmitted(_)
            | Refusal::Expired
            | Refusal::ShiftOver
            | Refusal::NotTaken => AuditResult::Refused,
        };
        let entry = AuditEntry::of(AuditAct::UnlockRefused, now.wall);
        AuditEntry { person, pair, result, ..entry }
    }

    /// Fills in the clocks that whoever made an entry did not know.
    pub(crate) fn stamp(&self, entry: &mut AuditEntry, now: Moment) {
        entry.boot.get_or_insert(self.gate.boot);
        entry.since_boot.get_or_insert(now.boot);
    }
}

impl Worker {
    /// Signs the log before the vault's keys are wiped.
    pub(crate) fn seal_log(&mut self) {
        let Phase::Ready(store) = &mut self.phase else { return };
        if let Err(fault) = store.seal_log() {
            // Its entries are kept; the next close signs them.
            tracing::warn!(%fault, "the audit log could not be signed");
        }
    }
}
