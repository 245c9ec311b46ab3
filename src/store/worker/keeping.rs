//! Keeping what is recorded: in the vault when open, sealed in the inbox when locked.
//!
//! S-2: recording never depends on the vault being open. S-3: a close closes the database and wipes
//! every key of the vault, whatever else fails. S-8, S-11: what cannot be written waits in a bounded
//! queue and is tried again every second; what does not fit is counted and reported as
//! [`Outcome::Lost`].

use std::time::Duration;

use crate::import::opener::Delivery;
use crate::inbox::segment::Lane;
use crate::record::entry::Entry;
use crate::worker::backlog::BATCH_MAX;
use crate::worker::importing::News;
use crate::worker::phase::{Phase, Session};
use crate::worker::thread::Worker;
use wardkeep_model::keeping::{AuditAct, AuditEntry, Finding, Outcome, Space, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

/// At most this long until a record is durable, and between two tries after a fault.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Flushes in a row that an open vault may fail before it is closed and bypassed.
const VAULT_FAULTS_MAX: u8 = 3;

impl Worker {
    /// Keeps one entry, or counts it with others like it.
    pub fn record(&mut self, entry: Entry) {
        match entry {
            Entry::Audit(entry) => {
                if let Some(entry) = self.bursts.take(*entry, self.now) {
                    self.keep(Entry::Audit(Box::new(entry)));
                }
            }
            Entry::Observation(_) | Entry::Wave(_) | Entry::Alarm(_) | Entry::Spot(_) => {
                self.keep(entry);
            }
        }
    }

    /// For the vault when open, sealed at once when locked.
    fn keep(&mut self, mut entry: Entry) {
        let now = self.now;
        if let (Entry::Audit(entry), Some(locked)) = (&mut entry, self.phase.locked()) {
            locked.stamp(entry, now);
        }
        let is_refused = self.room.is_refused(&entry, now.wall);
        let full = if is_refused { false } else { self.take(entry, now) };
        // After a fault the next try comes when it is due, not with every record, unless room runs out.
        if full && self.fault.is_none() {
            self.flush();
        } else if self.backlog.is_filling() && self.phase.session().is_some() {
            // Whatever keeps the vault from being written: once in a batch, is it still there?
            self.vault_faults = self.vault_faults.max(VAULT_FAULTS_MAX - 1);
            self.flush();
        } else {
            self.flush_soon(now);
        }
    }

    /// Whether a flush is worth while, or has to make room.
    fn take(&mut self, entry: Entry, now: Moment) -> bool {
        match &mut self.phase {
            Phase::Locked(locked) => {
                if locked.seal(&entry, now).is_err() {
                    self.backlog.lose();
                }
                locked.inbox().pending() >= BATCH_MAX
            }
            Phase::Rekeying(rekeying) => {
                let locked = rekeying.copy.locked_mut();
                if locked.seal(&entry, now).is_err() {
                    self.backlog.lose();
                }
                locked.inbox().pending() >= BATCH_MAX
            }
            Phase::Open(_) | Phase::Empty(_) | Phase::Stopped(_) => self.backlog.push(entry),
        }
    }

    fn flush_soon(&mut self, now: Moment) {
        if self.flush_at.is_none() {
            self.flush_at = Some(now.boot + FLUSH_EVERY);
        }
    }

    /// Makes everything durable that waits.
    pub fn flush(&mut self) {
        self.flush_at = None;
        let now = self.now;
        let mut written = self.write_waiting(now);
        if written == Err(StoreFault::Full) && self.release_reserve() {
            written = self.write_waiting(now);
        }
        let done = written.and_then(|()| match self.phase.session_mut() {
            Some(session) => session.import.plan(&mut session.open),
            None => Ok(()),
        });
        match done {
            Ok(()) => {
                self.recovered();
                if self.phase.locked().is_some_and(|locked| locked.anchor_is_due(now.boot)) {
                    self.anchor();
                }
            }
            Err(fault) => {
                self.faulted(fault);
                if is_beyond_waiting(fault, self.vault_faults) {
                    self.bypass();
                }
            }
        }
        self.look_at_room(done == Err(StoreFault::Full));
        self.report_lost();
    }

    /// Reports what could not be kept, at most once a second.
    pub(super) fn report_lost(&mut self) {
        if let Some(lost) = self.backlog.take_lost() {
            self.answers.give(Outcome::Lost(lost));
        }
    }

    /// What the vault does not take keeps neither the inbox nor the cart compartment from being written.
    fn write_waiting(&mut self, now: Moment) -> Result<(), StoreFault> {
        let mut vault_fault = Ok(());
        let locked = match &mut self.phase {
            // Entries wait for the first start.
            Phase::Empty(_) => return Ok(()),
            Phase::Stopped(fault) => return Err(*fault),
            Phase::Locked(locked) => &mut **locked,
            Phase::Rekeying(rekeying) => rekeying.copy.locked_mut(),
            Phase::Open(session) => {
                match self.backlog.write(&mut session.open) {
                    Ok(()) => self.vault_faults = 0,
                    Err(fault) => {
                        self.vault_faults = self.vault_faults.saturating_add(1);
                        vault_fault = Err(fault);
                    }
                }
                session.open.locked_mut()
            }
        };
        locked.inbox_mut().flush(Lane::Values, now)?;
        locked.inbox_mut().write_state_if_due(now.boot)?;
        if self.cart_unsaved {
            locked.save_cart()?;
            self.cart_unsaved = false;
        }
        self.room.flush_waves(locked.inbox_mut(), now)?;
        vault_fault
    }

    /// A vault that takes nothing is closed, and what waits for it goes to the inbox (S-2): whoever had it open
    /// is locked out, and recording goes on.
    fn bypass(&mut self) {
        tracing::warn!("an open vault that takes nothing is closed");
        self.vault_faults = 0;
        let Some(session) = self.phase.take_session() else { return };
        if let Err(fault) = self.leave(session) {
            tracing::warn!(%fault, "the vault could not be closed in order");
        }
        self.answers.give(Outcome::Closed);
        self.flush();
    }

    /// Leaves a session, whatever becomes of its vault: its keys are wiped, and what waited goes to the inbox.
    fn leave(&mut self, Session { open, import }: Session) -> Result<(), StoreFault> {
        self.refuse_postponed();
        let import = import.end(self.now);
        let (locked, closed) = open.close();
        self.phase = Phase::Locked(locked);
        if let Some((findings, imported)) = import {
            self.report(findings);
            self.answers.give(Outcome::Imported(imported));
        }
        for entry in self.backlog.take() {
            self.record(entry);
        }
        closed
    }

    fn release_reserve(&mut self) -> bool {
        self.phase.locked().is_some_and(|locked| self.room.release_reserve(locked.inbox()))
    }

    /// Looks at the room, after a flush that found none left for values if `is_full`.
    pub(super) fn look_at_room(&mut self, is_full: bool) {
        let Some(locked) = self.phase.locked_mut() else { return };
        let Some(space) = self.room.look(locked.inbox_mut(), is_full, &self.answers) else {
            return;
        };
        if space == Space::Enough {
            self.report_refused();
        } else {
            self.flush_soon(self.now);
        }
        let is_emergency = self.room.take_released() || is_full;
        // Where the vault is open they are on their way into it.
        let Phase::Locked(locked) = &mut self.phase else { return };
        if let Err(fault) = self.room.give_up_waves(locked, (is_emergency, self.now), &self.answers)
        {
            tracing::warn!(%fault, "waveforms could not be given up");
        }
    }

    /// Tells and audits how many waveforms were not taken.
    pub(super) fn report_refused(&mut self) {
        if let Some(finding) = self.room.take_refused() {
            self.report(vec![finding]);
        }
    }

    /// Whether the import runs.
    pub(super) fn is_importing(&self) -> bool {
        // After a fault the import waits with everything else until it is due.
        let runs = self.phase.session().is_some_and(|session| session.import.is_running());
        runs && self.fault.is_none() && self.background.may(self.now.boot)
    }

    /// Whether pages of the vault wait to be compared.
    pub(super) fn is_comparing(&self) -> bool {
        let waits = self.phase.session().is_some_and(|session| session.open.vault().compares());
        waits && self.fault.is_none() && self.background.may(self.now.boot)
    }

    /// Compares some more pages of the vault while nobody waits, and reports what is wrong with it.
    pub fn compare_some(&mut self) {
        let is_comparing = self.is_comparing() && self.is_idle();
        let Some(session) = self.phase.session_mut() else { return };
        let vault = session.open.vault_mut();
        let compared = if is_comparing { vault.compare_some() } else { Ok(()) };
        let findings = vault.findings();
        self.report(findings);
        match compared {
            Ok(()) if is_comparing => self.background_done(),
            Ok(()) => {}
            Err(fault) => self.background_failed(fault.into()),
        }
    }

    /// Keeps what the import has opened.
    pub(super) fn import_some(&mut self, opened: Option<Delivery>) {
        let Some(Session { open, import }) = self.phase.session_mut() else { return };
        match import.step(open, opened, self.now) {
            Ok(None) => self.background_done(),
            Ok(Some(News::Progress(progress))) => {
                self.answers.give(Outcome::Importing(progress));
                self.background_done();
            }
            Ok(Some(News::Done(imported, findings))) => {
                let counted = open.locked_mut().inbox_mut().recount();
                self.report(findings);
                self.answers.give(Outcome::Imported(imported));
                self.tell_spots();
                match counted {
                    Ok(()) => self.background_done(),
                    Err(fault) => self.background_failed(fault),
                }
            }
            Err(fault) => self.background_failed(fault),
        }
    }

    /// Work that nobody waits for was not done; told once.
    pub(super) fn background_failed(&mut self, fault: StoreFault) {
        if self.background.fail(fault, self.now.boot) {
            tracing::warn!(%fault, "work in the background fails");
            self.answers.give(Outcome::Fault(fault));
        }
    }

    /// It was done; told once after it had failed.
    pub(super) fn background_done(&mut self) {
        if self.background.done() && self.fault.is_none() {
            self.answers.give(Outcome::Recovered);
        }
    }

    /// Writes what was counted instead of written one by one.
    pub(super) fn write_bursts(&mut self, everything: bool) {
        for entry in self.bursts.over(self.now, everything) {
            self.keep(Entry::Audit(Box::new(entry)));
        }
    }

    /// Tells and audits what is not as it was acknowledged.
    pub fn report(&mut self, findings: Vec<Finding>) {
        if findings.is_empty() {
            return;
        }
        let now = self.now;
        if let Some(locked) = self.phase.locked_mut() {
            locked.keep_findings(&findings, now);
            self.cart_unsaved = true;
        }
        for finding in &findings {
            let entry = AuditEntry::of(AuditAct::StoreFinding, now.wall);
            let entry = AuditEntry { finding: Some(*finding), ..entry };
            self.record(Entry::Audit(Box::new(entry)));
        }
        self.answers.give(Outcome::Findings(findings));
        self.tell_open_findings();
    }

    /// Tells what nobody has acknowledged yet.
    pub(super) fn tell_open_findings(&self) {
        if let Some(locked) = self.phase.locked() {
            let open = locked.cart().open_findings.clone();
            self.answers.give(Outcome::OpenFindings(open));
        }
    }

    /// When there is upkeep to do, if ever.
    pub(super) fn upkeep_at(&self) -> Option<BootTime> {
        let ready = self.phase.session().is_some_and(|session| session.open.is_imported());
        let may = ready && self.fault.is_none() && self.background.may(self.now.boot);
        may.then(|| self.upkeep.due())
    }

    /// Does the next step of the upkeep if it is due.
    pub(super) fn keep_up_some(&mut self) {
        let now = self.now;
        if self.upkeep_at().is_none_or(|at| at > now.boot) {
            return;
        }
        let Some(session) = self.phase.session_mut() else { return };
        let done = self.upkeep.step(&mut session.open, self.options.retention(), now);
        match done.and_then(|()| self.upkeep.take_again(&session.open)) {
            Ok(again) => {
                self.background_done();
                again.into_iter().for_each(|query| self.trend(query));
            }
            Err(fault) => self.background_failed(fault),
        }
    }

    /// Closes the vault and wipes its keys; what could not be written goes to the inbox.
    pub fn close(&mut self) {
        self.stop_changing_keys();
        self.flush();
        let Some(mut session) = self.phase.take_session() else { return self.refuse_postponed() };
        // Signed before the vault's keys are wiped.
        if let Err(fault) = session.open.seal_log() {
            // Its entries are kept; the next close signs them.
            tracing::warn!(%fault, "the audit log could not be signed");
        }
        if let Err(fault) = self.leave(session) {
            self.faulted(fault);
        }
    }

    /// The fault once more, for whoever asks something of a store that cannot answer.
    pub(super) fn faulted_again(&mut self) {
        let fault = match &self.phase {
            Phase::Stopped(fault) => *fault,
            // Records without a store cannot be kept; the first start is still to come.
            Phase::Empty(_) => StoreFault::Io,
            Phase::Locked(_) | Phase::Open(_) | Phase::Rekeying(_) => {
                self.fault.unwrap_or(StoreFault::Io)
            }
        };
        self.fault = None;
        self.faulted(fault);
    }

    /// The store does not work; told once.
    pub(super) fn faulted(&mut self, fault: StoreFault) {
        if may_pass(fault) {
            self.flush_soon(self.now);
        }
        if self.fault != Some(fault) {
            self.fault = Some(fault);
            tracing::warn!(%fault, "store does not work");
            self.answers.give(Outcome::Fault(fault));
        }
    }

    /// The store works; told once.
    pub fn recovered(&mut self) {
        if self.fault.take().is_some() && !self.background.is_failing() {
            self.answers.give(Outcome::Recovered);
        }
    }
}

/// So many flushes in a row the vault took nothing; a full disk would take nothing into the inbox either.
fn is_beyond_waiting(fault: StoreFault, vault_faults: u8) -> bool {
    let least = match fault {
        StoreFault::Damaged | StoreFault::Later => 1,
        StoreFault::Io => VAULT_FAULTS_MAX,
        StoreFault::InUse
        | StoreFault::ReadOnly
        | StoreFault::Full
        | StoreFault::Foreign
        | StoreFault::Unfit(_)
        | StoreFault::WrongDeviceSecret
        | StoreFault::NoCipher => return false,
    };
    vault_faults >= least
}

/// Whether waiting may help, without anybody repairing anything.
fn may_pass(fault: StoreFault) -> bool {
    match fault {
        StoreFault::InUse | StoreFault::ReadOnly | StoreFault::Full | StoreFault::Io => true,
        StoreFault::Foreign
        | StoreFault::Unfit(_)
        | StoreFault::WrongDeviceSecret
        | StoreFault::Damaged
        | StoreFault::Later
        | StoreFault::NoCipher => false,
    }
}
