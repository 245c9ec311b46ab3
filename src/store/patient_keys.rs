//! One data key per patient: destroying it makes everything under it unreadable, in every copy that
//! somebody may have of the database's pages.
//!
//! A data key lies in the vault, wrapped under a key that the master key gives (`K_pat`). What nobody
//! claimed is under a key of its own, so that no value lies in the database library's memory as it is
//! (S-3). A patient whose key was destroyed stays in the table without one: nothing is ever sealed
//! for them again.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use super::StoreFault;
use super::keyring::VaultKeys;
use super::primitives::{Key, open, seal};
use crate::encounter::SubjectId;

/// Table of the wrapped keys.
pub const TABLE: &str = "
    CREATE TABLE patient_keys (subject BLOB PRIMARY KEY, sealed BLOB) STRICT, WITHOUT ROWID;
";

/// Data keys as they are used; they exist only while the vault is open.
pub struct PatientKeys {
    wrap: Key,
    unclaimed: Key,
    known: HashMap<SubjectId, Key>,
}

impl std::fmt::Debug for PatientKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[patient keys]")
    }
}

impl PatientKeys {
    /// The keys of an open vault.
    pub fn new(keys: &VaultKeys) -> Self {
        Self { wrap: keys.patients(), unclaimed: keys.unclaimed(), known: HashMap::new() }
    }

    /// A patient's key, made at its first use; `None` if it was destroyed. Without a patient, the key
    /// of what nobody claimed.
    ///
    /// # Errors
    /// `Damaged` if it does not unwrap; otherwise as the database.
    pub fn key(
        &mut self,
        connection: &Connection,
        subject: Option<SubjectId>,
    ) -> Result<Option<&Key>, StoreFault> {
        let Some(subject) = subject else { return Ok(Some(&self.unclaimed)) };
        if !self.known.contains_key(&subject) {
            let Some(key) = self.unwrap_or_make(connection, subject)? else { return Ok(None) };
            self.known.insert(subject, key);
        }
        Ok(self.known.get(&subject))
    }

    fn unwrap_or_make(
        &self,
        connection: &Connection,
        subject: SubjectId,
    ) -> Result<Option<Key>, StoreFault> {
        let id = subject.0.to_be_bytes();
        let found: Option<Option<Vec<u8>>> = connection
            .prepare_cached("SELECT sealed FROM patient_keys WHERE subject = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        match found {
            Some(None) => Ok(None),
            Some(Some(sealed)) => {
                let key = open(&self.wrap, &id, &sealed).and_then(|key| Key::from_slice(&key));
                Ok(Some(key.ok_or(StoreFault::Damaged)?))
            }
            None => {
                let key = Key::random()?;
                let sealed = seal(&self.wrap, &id, key.as_slice())?;
                connection.execute(
                    "INSERT INTO patient_keys (subject, sealed) VALUES (?1, ?2)",
                    params![id, sealed],
                )?;
                Ok(Some(key))
            }
        }
    }

    /// Seals bytes for a row of a patient; `None` if the patient's key was destroyed.
    ///
    /// # Errors
    /// As [`PatientKeys::key`].
    pub fn seal(
        &mut self,
        connection: &Connection,
        subject: Option<SubjectId>,
        aad: &[u8],
        plain: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreFault> {
        let Some(key) = self.key(connection, subject)? else { return Ok(None) };
        seal(key, aad, plain).map(Some)
    }

    /// Opens bytes out of a row of a patient; `None` if the patient's key was destroyed.
    ///
    /// # Errors
    /// `Damaged` if they were sealed for another row; otherwise as [`PatientKeys::key`].
    pub fn open(
        &mut self,
        connection: &Connection,
        subject: Option<SubjectId>,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreFault> {
        let Some(key) = self.key(connection, subject)? else { return Ok(None) };
        open(key, aad, sealed).ok_or(StoreFault::Damaged).map(Some)
    }

    /// Forgets a key that a rolled-back transaction may have made.
    pub fn forget(&mut self) {
        self.known.clear();
    }
}
