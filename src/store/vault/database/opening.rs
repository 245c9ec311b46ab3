//! Making and opening a vault: whether it is the acknowledged one is looked at before SQLite changes
//! anything.
//!
//! Never a plain database: the cipher is asserted before a file is made or opened. One connection, in
//! this thread; WAL with full synchronisation, so a committed row survives a power cut; temporary
//! data stays in memory; deleted content is overwritten. A vault that is made here can give free pages
//! back; one that an earlier program made can once it was written anew (a rotation, a restore).

use std::path::Path;

use crate::disk::durable;
use crate::freshness::Freshness;
use crate::freshness::progress::Comparison;
use crate::keys::vault_keys::VaultKeys;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::database::{cipher, commits};
use crate::vault::patient_keys::PatientKeys;
use crate::vault::schema;
use wardkeep_model::keeping::StoreFault;

impl Vault {
    /// Makes a vault where there is none.
    ///
    /// # Errors
    /// `NoCipher` without SQLCipher; otherwise as writing a file.
    pub fn create(path: &Path, keys: &VaultKeys) -> Result<Self, VaultFault> {
        cipher::cipher_facts()?;
        // SQLite would leave the mode to the umask.
        durable::create_new(path)?;
        Self::open(path, keys)
    }

    /// Opens a vault that is there.
    ///
    /// # Errors
    /// `Damaged` if it is missing, altered, of a later version or has another key.
    pub fn open(path: &Path, keys: &VaultKeys) -> Result<Self, VaultFault> {
        Self::open_if(path, keys, (false, None))
    }

    /// Opens a vault that this process has had open before; its pages are compared from where that ended, if
    /// the files are as it left them.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_again(
        path: &Path,
        keys: &VaultKeys,
        before: Option<&Comparison>,
    ) -> Result<Self, VaultFault> {
        Self::open_if(path, keys, (false, before))
    }

    /// Opens a vault without its head, out of something that authenticates it by itself.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_exported(path: &Path, keys: &VaultKeys) -> Result<Self, VaultFault> {
        Self::open_if(path, keys, (true, None))
    }

    fn open_if(
        path: &Path,
        keys: &VaultKeys,
        (vouched, before): (bool, Option<&Comparison>),
    ) -> Result<Self, VaultFault> {
        if !path.exists() {
            return Err(StoreFault::Damaged.into());
        }
        let mut freshness = Freshness::look(path, keys, vouched)?;
        let mut connected = cipher::connect(path, keys);
        let row = match &connected {
            Ok(connection) => commits::read(connection).map_err(StoreFault::from),
            Err(fault) => Err(fault.class()),
        };
        if let Some(aside) = freshness.set_log_aside(row)? {
            drop(connected);
            connected = cipher::connect(path, keys);
            let row = connected.as_ref().ok().and_then(|connection| commits::read(connection).ok());
            if !freshness.is_at(row.flatten()) {
                // The log was not what was wrong, or not alone.
                drop(connected);
                aside.undo()?;
                connected = cipher::connect(path, keys);
            }
        }
        let connection = connected?;
        cipher::assert_cipher(&connection)?;
        if path.metadata()?.len() == 0 {
            // It has to be said before anything is in the database, and would write page 1 of any other.
            connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;")?;
        }
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA cell_size_check = ON;
             PRAGMA temp_store = MEMORY;",
        )?;
        let mut vault = Self { connection, patients: PatientKeys::new(keys), freshness };
        schema::migrate(&mut vault)?;
        if let Some(before) = before {
            vault.freshness.go_on(before)?;
        }
        vault.compare_first()?;
        Ok(vault)
    }
}
