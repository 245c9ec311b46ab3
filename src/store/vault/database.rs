//! The open vault: changing it and closing it, so that what was acknowledged can be told from anything older.
//!
//! What its tables hold is in the files named after them.

pub(in crate::vault) mod cipher;
pub(in crate::vault) mod commits;
pub(crate) mod fault;
pub(crate) mod integrity;
pub(in crate::vault) mod meta;
mod opening;
pub(crate) mod structure;

use rusqlite::{Connection, InterruptHandle, Transaction};

use crate::freshness::progress::Comparison;
use crate::freshness::{Freshness, Mode};
use crate::inbox::remembered::RememberedVault;
use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use wardkeep_model::keeping::{Finding, StoreFault};

/// Pages compared with their table while a person waits, the roots of all tables among them; the rest is
/// compared in between.
const COMPARED_AT_OPEN: u32 = 64;
/// Pages compared in one step: some milliseconds, also of a slow disk.
const COMPARED_AT_ONCE: u32 = 256;

/// The open vault.
#[derive(Debug)]
pub struct Vault {
    pub(in crate::vault) connection: Connection,
    pub(in crate::vault) patients: PatientKeys,
    // Dropped after the connection.
    pub(in crate::vault) freshness: Freshness,
}

impl Vault {
    /// Every change of the vault: one transaction, durable when this returns. The head that names it is written
    /// after it; where that fails, [`Vault::acknowledge`] tries again, and nothing else may change before: what
    /// is one commit ahead of its head proves itself.
    ///
    /// # Errors
    /// As `work`, or as writing a file; then nothing was changed.
    pub(in crate::vault) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &mut PatientKeys) -> Result<T, VaultFault>,
    ) -> Result<T, VaultFault> {
        self.write_rows(|transaction, keys| Ok((work(transaction, keys)?, 0)))
    }

    /// As [`Vault::write`], with the number of rows that were inserted.
    pub(in crate::vault) fn write_rows<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &mut PatientKeys) -> Result<(T, u64), VaultFault>,
    ) -> Result<T, VaultFault> {
        let Self { connection, patients, freshness } = self;
        freshness.pay()?;
        let transaction = connection.transaction()?;
        let done = work(&transaction, patients).and_then(|(done, rows)| {
            let commit = freshness.number(rows, || commits::read(&transaction))?;
            if let Some(commit) = &commit {
                commits::write(&transaction, commit)?;
            }
            transaction.commit()?;
            Ok((done, commit.unwrap_or_default()))
        });
        let (done, commit) = done.inspect_err(|_| patients.forget())?;
        // Done twice it would be there twice: whoever asked for it is told that it is done.
        match freshness.committed(commit) {
            Ok(()) => freshness.fold_if_long(&|mode| fold(connection, mode)),
            Err(fault) => tracing::warn!(%fault, "the vault's head could not be written"),
        }
        Ok(done)
    }

    /// Writes the head of a commit that has none yet.
    ///
    /// # Errors
    /// As reading and writing files.
    pub fn acknowledge(&mut self) -> Result<(), VaultFault> {
        Ok(self.freshness.pay()?)
    }

    /// What was found wrong since this was asked last. It is given again after a kill, unless
    /// entries were appended since.
    pub fn findings(&mut self) -> Vec<Finding> {
        self.freshness.take()
    }

    /// From here on the log is never folded back: the database's file stays as it is.
    pub fn only_look(&mut self) {
        self.freshness.never_fold();
    }

    /// Compares the first pages with their table, as a part of opening.
    pub(in crate::vault) fn compare_first(&mut self) -> Result<(), VaultFault> {
        Ok(self.freshness.compare_first(COMPARED_AT_OPEN)?)
    }

    /// Whether pages wait for [`Vault::compare_some`].
    pub fn compares(&self) -> bool {
        self.freshness.compares()
    }

    /// Compares some more pages with their table.
    ///
    /// # Errors
    /// As reading and writing files.
    pub fn compare_some(&mut self) -> Result<(), VaultFault> {
        Ok(self.freshness.compare_some(COMPARED_AT_ONCE).map(drop)?)
    }

    /// Another file remembers, durably, what [`Vault::settle`] gave.
    ///
    /// # Errors
    /// As writing a file.
    pub fn remembered(&mut self) -> Result<(), VaultFault> {
        Ok(self.freshness.remembered()?)
    }

    /// Compares the vault as it was opened with what another file remembers of it.
    ///
    /// # Errors
    /// As writing a file.
    pub fn check_remembered(&mut self, seen: RememberedVault) -> Result<(), VaultFault> {
        Ok(self.freshness.check_remembered(seen)?)
    }

    /// Ends what the database is doing, from another thread.
    pub fn interrupter(&self) -> InterruptHandle {
        self.connection.get_interrupt_handle()
    }

    /// Leaves the files as a close does; what another file may remember of them.
    ///
    /// # Errors
    /// As writing a file; then only what is durable is remembered.
    pub fn settle(&mut self) -> Result<RememberedVault, VaultFault> {
        self.freshness.settle(&|mode| fold(&self.connection, mode))?;
        Ok(self.freshness.seen())
    }

    /// What another file may remember of it as it is now.
    pub fn seen(&self) -> RememberedVault {
        self.freshness.seen()
    }

    /// Closes the database and folds its log back.
    ///
    /// # Errors
    /// As writing a file; the connection is gone in any case.
    pub fn close(self) -> Result<(), VaultFault> {
        self.close_for_now().map(drop)
    }

    /// As [`Vault::close`]; how far its pages were compared, for the next [`Vault::open_again`].
    ///
    /// # Errors
    /// As [`Vault::close`].
    pub fn close_for_now(mut self) -> Result<Comparison, VaultFault> {
        let settled = self.settle();
        let closed = self.connection.close().map_err(|(_, error)| error.into());
        settled.and(closed)?;
        Ok(self.freshness.comparison()?)
    }

    /// As [`Vault::write`], for tests of other rooms.
    #[cfg(test)]
    pub(crate) fn write_for_tests(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<(), VaultFault>,
    ) -> Result<(), VaultFault> {
        self.write(|transaction, _| work(transaction))
    }

    /// What tests of other rooms look into.
    #[cfg(test)]
    pub(crate) fn parts_for_tests(
        &mut self,
    ) -> (&mut Connection, &mut PatientKeys, &mut Freshness) {
        (&mut self.connection, &mut self.patients, &mut self.freshness)
    }
}

/// Folds the log of an open vault.
pub fn fold(connection: &Connection, mode: Mode) -> Result<(), StoreFault> {
    Ok(commits::checkpoint(connection, mode)?)
}
