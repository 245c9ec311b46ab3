//! Keeping what is recorded: in the vault when open, sealed in the inbox when locked.
//!
//! S-2: recording never depends on the vault being open. S-3: a close closes the database and wipes
//! every key of the vault, whatever else fails. S-8, S-11: what cannot be written waits in a bounded
//! queue and is tried again every second; what does not fit is counted and reported as
//! [`Outcome::Lost`].

use std::time::Duration;

use super::import::{Counts, ImportRun, Step};
use super::keyring::VaultKeys;
use super::segment::Entry;
use super::vault::Vault;
use super::worker::{Phase, Worker};
use super::{AuditAct, AuditEntry, Finding, Import, Outcome, StoreFault};
use crate::moment::{BootTime, Moment};
use crate::session::OperatorId;

/// At most this long until a record is durable, and between two tries after a fault.
pub(super) const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Records that make one transaction.
const BATCH_MAX: usize = 256;
/// Records kept in memory while they cannot be written.
const WAITING_MAX: usize = 4096;

/// An open vault: it exists from unlock to close, and its keys with it.
pub(super) struct Opened {
    vault: Vault,
    keys: VaultKeys,
    operator: Option<OperatorId>,
    planned: bool,
    import: Option<ImportRun>,
}

impl Opened {
    /// A vault that this person opened; nobody where the recovery words did.
    pub(super) fn new(vault: Vault, keys: VaultKeys, operator: Option<OperatorId>) -> Self {
        Self { vault, keys, operator, planned: false, import: None }
    }

    /// The same vault under keys of a later epoch. Nothing waits to be imported: that was done before.
    pub(super) fn renewed(vault: Vault, keys: VaultKeys, operator: Option<OperatorId>) -> Self {
        Self { planned: true, ..Self::new(vault, keys, operator) }
    }

    /// Wipes the keys and closes the database.
    pub(super) fn close(self) -> Result<(), StoreFault> {
        let Self { vault, keys, .. } = self;
        drop(keys);
        vault.close()
    }

    pub(super) fn vault(&mut self) -> &mut Vault {
        &mut self.vault
    }

    pub(super) fn parts(&mut self) -> (&mut Vault, &VaultKeys) {
        (&mut self.vault, &self.keys)
    }

    pub(super) fn keys(&self) -> &VaultKeys {
        &self.keys
    }

    pub(super) fn operator(&self) -> Option<OperatorId> {
        self.operator
    }

    pub(super) fn is_imported(&self) -> bool {
        self.planned && self.import.is_none()
    }

    #[cfg(test)]
    #[cfg(feature = "store")]
    pub(super) fn into_parts(self) -> (Vault, VaultKeys) {
        (self.vault, self.keys)
    }
}

impl Worker {
    /// Keeps one entry: for the vault when open, sealed at once when locked.
    pub(super) fn record(&mut self, entry: Entry) {
        let locked = match &mut self.phase {
            Phase::Ready(store) if store.open.is_none() => Some(store),
            Phase::Ready(_) | Phase::Empty(_) | Phase::Stopped(_) => None,
        };
        let full = match locked {
            Some(store) => {
                let pushed = store.inbox.push(&entry);
                if pushed.is_err() {
                    self.lost += 1;
                }
                store.inbox.pending() >= BATCH_MAX
            }
            None if self.waiting.len() < WAITING_MAX => {
                self.waiting.push(entry);
                self.waiting.len() >= BATCH_MAX
            }
            None => {
                self.lost += 1;
                true
            }
        };
        let now = Moment::read().boot;
        // After a fault the next try comes when it is due, not with every record.
        if full && self.fault.is_none() {
            self.flush();
        } else if self.flush_at.is_none() {
            self.flush_at = Some(now + FLUSH_EVERY);
        }
    }

    /// Makes everything durable that waits.
    pub(super) fn flush(&mut self) {
        self.flush_at = None;
        let now = Moment::read().boot;
        match self.write_waiting(now).and_then(|()| self.plan_import()) {
            Ok(()) => {
                self.recovered();
                self.anchor_if_due(now);
            }
            Err(fault) => self.faulted(fault),
        }
        self.report_lost();
    }

    /// Reports what could not be kept, at most once a second.
    pub(super) fn report_lost(&mut self) {
        if self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            self.answer(Outcome::Lost(lost));
        }
    }

    fn write_waiting(&mut self, now: BootTime) -> Result<(), StoreFault> {
        let store = match &mut self.phase {
            Phase::Ready(store) => store,
            // Entries wait for the first start.
            Phase::Empty(_) => return Ok(()),
            Phase::Stopped(fault) => return Err(*fault),
        };
        if let Some(opened) = &mut store.open
            && !self.waiting.is_empty()
        {
            self.lost += opened.vault.append(&self.waiting)?;
            self.waiting.clear();
        }
        store.inbox.flush(now)?;
        if self.cart_unsaved {
            store.save_cart()?;
            self.cart_unsaved = false;
        }
        Ok(())
    }

    pub(super) fn is_importing(&self) -> bool {
        match &self.phase {
            Phase::Ready(store) => {
                // After a fault the import waits with everything else until it is due.
                self.fault.is_none()
                    && store.open.as_ref().is_some_and(|opened| opened.import.is_some())
            }
            Phase::Empty(_) | Phase::Stopped(_) => false,
        }
    }

    /// Plans the import of what was sealed before the unlock.
    fn plan_import(&mut self) -> Result<(), StoreFault> {
        let Phase::Ready(store) = &mut self.phase else { return Ok(()) };
        let dir = store.inbox_dir();
        let Some(opened) = store.open.as_mut().filter(|opened| !opened.planned) else {
            return Ok(());
        };
        // The head must know the last number before the segments that show it are deleted.
        store.inbox.roll()?;
        opened.import = Some(ImportRun::plan(&dir, &opened.vault, store.inbox.durable_seq())?);
        opened.planned = true;
        Ok(())
    }

    pub(super) fn import_some(&mut self) {
        if !self.is_importing() {
            return;
        }
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(opened) = &mut store.open else { return };
        let Some(run) = &mut opened.import else { return };
        match run.step(&store.keys, &opened.keys, &mut opened.vault) {
            Ok(Step::More) => {}
            Ok(Step::Done(found)) => {
                let findings = run.findings();
                opened.import = None;
                let counted = store.inbox.recount();
                self.report(findings);
                self.imported(found);
                if let Err(fault) = counted {
                    self.faulted(fault);
                }
            }
            Err(fault) => self.faulted(fault),
        }
    }

    fn imported(&self, found: Counts) {
        let (imported, total) = (found.imported, found.imported);
        self.answer(Outcome::Imported(Import { imported, total }));
    }

    /// Tells and audits what is not as it was acknowledged.
    pub(super) fn report(&mut self, findings: Vec<Finding>) {
        if findings.is_empty() {
            return;
        }
        let at = Moment::read().wall;
        for finding in &findings {
            let entry = AuditEntry::of(AuditAct::StoreFinding, at);
            let entry = AuditEntry { finding: Some(*finding), ..entry };
            self.record(Entry::Audit(Box::new(entry)));
        }
        self.answer(Outcome::Findings(findings));
    }

    /// Closes the vault and wipes its keys; what could not be written goes to the inbox.
    pub(super) fn close(&mut self) {
        self.flush();
        self.refuse_revocation();
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(Opened { vault, keys, import, .. }) = store.open.take() else { return };
        let expected = vault.cursor().map_or(0, |cursor| cursor.next_seq);
        let chained = store.inbox.start_chain(&keys, expected);
        drop(keys);
        let closed = vault.close();
        if let Some(run) = import {
            self.report(run.findings());
            self.imported(run.found());
        }
        for entry in std::mem::take(&mut self.waiting) {
            self.record(entry);
        }
        if let Err(fault) = chained.and(closed) {
            self.faulted(fault);
        }
    }

    pub(super) fn end(mut self) {
        self.close();
        self.flush();
        self.anchor();
        let mut lost = u64::try_from(self.waiting.len()).unwrap_or(u64::MAX);
        if let Phase::Ready(store) = &mut self.phase {
            lost += u64::try_from(store.inbox.pending()).unwrap_or(u64::MAX);
            if let Err(fault) = store.inbox.roll() {
                self.faulted(fault);
            }
        }
        if lost > 0 {
            self.answer(Outcome::Lost(lost));
        }
    }
}
