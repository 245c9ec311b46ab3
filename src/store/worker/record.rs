//! Keeping what is recorded: in the vault when open, sealed in the inbox when locked.
//!
//! S-2: recording never depends on the vault being open. S-3: a close closes the database and wipes
//! every key of the vault, whatever else fails. S-8, S-11: what cannot be written waits in a bounded
//! queue and is tried again every second; what does not fit is counted and reported as
//! [`Outcome::Lost`].

use std::time::Duration;

use crate::import::opener::Delivery;
use crate::import::{ImportRun, Step};
use crate::inbox::segment::Lane;
use crate::keys::vault_keys::VaultKeys;
use crate::record::entry::Entry;
use crate::vault::{Vault, audit, entries};
use crate::worker::{Phase, Worker};
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{AuditAct, AuditEntry, Finding, Outcome, StoreFault};
use wardkeep_model::moment::Moment;

/// At most this long until a record is durable, and between two tries after a fault.
pub(crate) const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Records that make one transaction.
const BATCH_MAX: usize = 256;
/// Records kept in memory while they cannot be written.
const WAITING_MAX: usize = 4096;

/// An open vault: it exists from unlock to close, and its keys with it.
pub(crate) struct Opened {
    vault: Vault,
    keys: VaultKeys,
    operator: Option<OperatorId>,
    planned: bool,
    import: Option<ImportRun>,
}

impl Opened {
    /// A vault that this person opened; nobody where the recovery words did.
    pub(crate) fn new(vault: Vault, keys: VaultKeys, operator: Option<OperatorId>) -> Self {
        Self { vault, keys, operator, planned: false, import: None }
    }

    /// The same vault under keys of a later epoch. Nothing waits to be imported: that was done before.
    pub(crate) fn renewed(vault: Vault, keys: VaultKeys, operator: Option<OperatorId>) -> Self {
        Self { planned: true, ..Self::new(vault, keys, operator) }
    }

    /// Wipes the keys and closes the database.
    pub(crate) fn close(self) -> Result<(), StoreFault> {
        let Self { vault, keys, .. } = self;
        drop(keys);
        Ok(vault.close()?)
    }

    pub(crate) fn vault(&mut self) -> &mut Vault {
        &mut self.vault
    }

    pub(crate) fn parts(&mut self) -> (&mut Vault, &VaultKeys) {
        (&mut self.vault, &self.keys)
    }

    pub(crate) fn keys(&self) -> &VaultKeys {
        &self.keys
    }

    pub(crate) fn operator(&self) -> Option<OperatorId> {
        self.operator
    }

    pub(crate) fn is_imported(&self) -> bool {
        self.planned && self.import.is_none()
    }

    #[cfg(test)]
    pub(crate) fn into_parts(self) -> (Vault, VaultKeys) {
        (self.vault, self.keys)
    }
}

impl Worker {
    /// Keeps one entry: for the vault when open, sealed at once when locked.
    pub(crate) fn record(&mut self, mut entry: Entry) {
        let now = Moment::read();
        if let (Entry::Audit(entry), Phase::Ready(store)) = (&mut entry, &self.phase) {
            store.stamp(entry, now);
        }
        let full = if self.is_refused(&entry, now.wall) { false } else { self.take(entry, now) };
        // After a fault the next try comes when it is due, not with every record.
        if full && self.fault.is_none() {
            self.flush();
        } else if self.flush_at.is_none() {
            self.flush_at = Some(now.boot + FLUSH_EVERY);
        }
    }

    /// Whether a flush is worth while, or has to make room.
    fn take(&mut self, entry: Entry, now: Moment) -> bool {
        let locked = match &mut self.phase {
            Phase::Ready(store) if store.open.is_none() => Some(store),
            Phase::Ready(_) | Phase::Empty(_) | Phase::Stopped(_) => None,
        };
        match locked {
            Some(store) => {
                if store.inbox.push(&entry, now, store.gate.boot).is_err() {
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
        }
    }

    /// Makes everything durable that waits.
    pub(crate) fn flush(&mut self) {
        self.flush_at = None;
        let now = Moment::read();
        let mut written = self.write_waiting(now);
        if written == Err(StoreFault::Full) && self.release_reserve() {
            written = self.write_waiting(now);
        }
        let done = written.and_then(|()| self.plan_import());
        match done {
            Ok(()) => {
                self.recovered();
                self.anchor_if_due(now.boot);
            }
            Err(fault) => self.faulted(fault),
        }
        self.look_at_room(done == Err(StoreFault::Full));
        self.report_lost();
    }

    /// Reports what could not be kept, at most once a second.
    pub(crate) fn report_lost(&mut self) {
        if self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            self.answer(Outcome::Lost(lost));
        }
    }

    fn write_waiting(&mut self, now: Moment) -> Result<(), StoreFault> {
        let store = match &mut self.phase {
            Phase::Ready(store) => store,
            // Entries wait for the first start.
            Phase::Empty(_) => return Ok(()),
            Phase::Stopped(fault) => return Err(*fault),
        };
        if let Some(opened) = &mut store.open
            && !self.waiting.is_empty()
        {
            self.lost += entries::append(&mut opened.vault, &self.waiting)?;
            self.waiting.clear();
            audit::seal_if_due(&mut opened.vault, &opened.keys)?;
        }
        store.inbox.flush(Lane::Values, now)?;
        store.inbox.write_state_if_due(now.boot)?;
        if self.cart_unsaved {
            store.save_cart()?;
            self.cart_unsaved = false;
        }
        self.flush_waves(now)
    }

    pub(crate) fn is_importing(&self) -> bool {
        match &self.phase {
            Phase::Ready(store) => {
                // After a fault the import waits with everything else until it is due.
                self.fault.is_none()
                    && store.open.as_ref().is_some_and(|opened| opened.import.is_some())
            }
            Phase::Empty(_) | Phase::Stopped(_) => false,
        }
    }

    /// Whether pages of the vault wait to be compared.
    pub(crate) fn is_comparing(&self) -> bool {
        match &self.phase {
            Phase::Ready(store) => {
                self.fault.is_none()
                    && store.open.as_ref().is_some_and(|opened| opened.vault.compares())
            }
            Phase::Empty(_) | Phase::Stopped(_) => false,
        }
    }

    /// Compares some more pages of the vault, and reports what is wrong with it.
    pub(crate) fn compare_some(&mut self) {
        let is_comparing = self.is_comparing();
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(opened) = &mut store.open else { return };
        let compared = if is_comparing { opened.vault.compare_some() } else { Ok(()) };
        let findings = opened.vault.findings();
        self.report(findings);
        if let Err(fault) = compared {
            self.faulted(fault.into());
        }
    }

    /// Plans the import of what was sealed before the unlock.
    fn plan_import(&mut self) -> Result<(), StoreFault> {
        let Phase::Ready(store) = &mut self.phase else { return Ok(()) };
        let Some(opened) = store.open.as_mut().filter(|opened| !opened.planned) else {
            return Ok(());
        };
        // The head must know the last number before the segments that show it are deleted.
        store.inbox.roll()?;
        opened.import = Some(ImportRun::plan(&store.inbox, &opened.vault, &opened.keys)?);
        opened.planned = true;
        Ok(())
    }

    /// The running import, for the thread to wait for.
    pub(crate) fn import(phase: &mut Phase) -> Option<&mut ImportRun> {
        let Phase::Ready(store) = phase else { return None };
        store.open.as_mut()?.import.as_mut()
    }

    /// Keeps what the import has opened.
    pub(crate) fn import_some(&mut self, opened: Option<Delivery>) {
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(open) = &mut store.open else { return };
        let Some(run) = &mut open.import else { return };
        match run.step(opened, (&store.inbox, &open.keys), &mut open.vault) {
            Ok(Step::More) => {
                if let Some(progress) = run.news(Moment::read().boot) {
                    self.answer(Outcome::Importing(progress));
                }
            }
            Ok(Step::Done(imported)) => {
                let findings = run.findings(Moment::read().wall);
                open.import = None;
                let counted = store.inbox.recount();
                self.report(findings);
                self.answer(Outcome::Imported(imported));
                if let Err(fault) = counted {
                    self.faulted(fault);
                }
            }
            Err(fault) => self.faulted(fault),
        }
    }

    /// Tells and audits what is not as it was acknowledged.
    pub(crate) fn report(&mut self, findings: Vec<Finding>) {
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
    pub(crate) fn close(&mut self) {
        self.flush();
        self.refuse_revocation();
        self.seal_log();
        let Phase::Ready(store) = &mut self.phase else { return };
        let Some(Opened { mut vault, keys, import, .. }) = store.open.take() else { return };
        let import = import.map(|run| (run.findings(Moment::read().wall), run.progress()));
        let expected = entries::cursor(&vault).unwrap_or_default();
        // A fault comes again from the close below.
        let settled = vault.settle().map(|seen| store.inbox.remember_vault(seen));
        let chained = store.inbox.start_chain(&keys, expected);
        drop(keys);
        let remembered = match settled.map_err(StoreFault::from).and(chained) {
            Ok(()) if store.inbox.pending() == 0 => vault.remembered(),
            Ok(()) | Err(_) => Ok(()),
        };
        let closed = vault.close();
        if let Some((findings, imported)) = import {
            self.report(findings);
            self.answer(Outcome::Imported(imported));
        }
        for entry in std::mem::take(&mut self.waiting) {
            self.record(entry);
        }
        let left = remembered.and(closed).map_err(StoreFault::from);
        if let Err(fault) = chained.and(left) {
            self.faulted(fault);
        }
    }

    pub(crate) fn end(mut self) {
        self.close();
        self.report_refused();
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
