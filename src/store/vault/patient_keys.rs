//! One data key per patient: destroying it makes everything under it unreadable, in every copy that
//! somebody may have of the database's pages.
//!
//! A data key lies in the vault, wrapped under a key that the master key gives (`K_pat`), and so does
//! one for what nobody claimed: when the master key changes, keys are wrapped anew and no row is. A
//! patient whose key was destroyed stays in the table without one: nothing is ever sealed for them
//! again.
//!
//! What is known of the people who work here is not a patient's and lies under a key of its own
//! ([`PeopleKey`]). Whatever a row says is sealed before it becomes a parameter of a statement, so that
//! nothing of it lies in the database library's memory, which is not wiped (S-3).

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use crate::crypto::{Key, open, seal};
use crate::keys::vault_keys::{PeopleKey, VaultKeys};
use crate::vault::database::fault::VaultFault;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;

/// The table.
pub(in crate::vault) const NAME: &str = "patient_keys";

/// Table of the wrapped keys.
pub const TABLE: &str = "
    CREATE TABLE patient_keys (subject BLOB PRIMARY KEY, sealed BLOB) STRICT, WITHOUT ROWID;
";

/// Data keys as they are used; they exist only while the vault is open.
pub struct PatientKeys {
    wrap: Key,
    people: PeopleKey,
    known: BTreeMap<Option<SubjectId>, Key>,
}

impl std::fmt::Debug for PatientKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[patient keys]")
    }
}

impl PatientKeys {
    /// The keys of an open vault.
    pub fn new(keys: &VaultKeys) -> Self {
        Self { wrap: keys.patients(), people: keys.people(), known: BTreeMap::new() }
    }

    /// The key of what is known of the people who work here.
    pub fn people(&self) -> &PeopleKey {
        &self.people
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
    ) -> Result<Option<&Key>, VaultFault> {
        if !self.known.contains_key(&subject) {
            let key = match self.unwrapped(connection, subject)? {
                Wrapped::Key(key) => key,
                Wrapped::Destroyed => return Ok(None),
                Wrapped::Never => {
                    let key = Key::random()?;
                    let sealed = seal(&self.wrap, &id(subject), key.as_slice())?;
                    store(connection, subject, Some(&sealed))?;
                    key
                }
            };
            self.known.insert(subject, key);
        }
        Ok(self.known.get(&subject))
    }

    /// The key of rows that are there, by an open vault that only reads; `None` if it was destroyed.
    ///
    /// # Errors
    /// `Damaged` if there never was one, or it does not unwrap; otherwise as the database.
    pub fn existing(
        &self,
        connection: &Connection,
        subject: Option<SubjectId>,
    ) -> Result<Option<Key>, VaultFault> {
        match self.unwrapped(connection, subject)? {
            Wrapped::Key(key) => Ok(Some(key)),
            Wrapped::Destroyed => Ok(None),
            Wrapped::Never => Err(StoreFault::Damaged.into()),
        }
    }

    fn unwrapped(
        &self,
        connection: &Connection,
        subject: Option<SubjectId>,
    ) -> Result<Wrapped, VaultFault> {
        let found: Option<Option<Vec<u8>>> = connection
            .prepare_cached("SELECT sealed FROM patient_keys WHERE subject = ?1")?
            .query_row([id(subject)], |row| row.get(0))
            .optional()?;
        match found {
            None => Ok(Wrapped::Never),
            Some(None) => Ok(Wrapped::Destroyed),
            Some(Some(sealed)) => {
                let key = open(&self.wrap, &id(subject), &sealed);
                let key = key.and_then(|key| Key::from_slice(&key));
                Ok(Wrapped::Key(key.ok_or(StoreFault::Damaged)?))
            }
        }
    }

    /// Destroys a patient's key for ever; part of the caller's transaction.
    ///
    /// # Errors
    /// As the database.
    pub fn destroy(
        &mut self,
        connection: &Connection,
        subject: SubjectId,
    ) -> Result<(), VaultFault> {
        self.known.remove(&Some(subject));
        store(connection, Some(subject), None)
    }

    /// Wraps every key anew, for the vault's next master key; part of the caller's transaction.
    ///
    /// # Errors
    /// `Damaged` if one does not unwrap; otherwise as the database.
    pub fn rewrap(&mut self, connection: &Connection, old: &VaultKeys) -> Result<(), VaultFault> {
        let mut statement =
            connection.prepare("SELECT subject, sealed FROM patient_keys WHERE sealed NOT NULL")?;
        let wrapped = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let wrapped: Vec<(Vec<u8>, Vec<u8>)> = wrapped.collect::<Result<_, _>>()?;
        for (subject, sealed) in wrapped {
            let key = open(&old.patients(), &subject, &sealed).ok_or(StoreFault::Damaged)?;
            let sealed = seal(&self.wrap, &subject, &key)?;
            connection.execute(
                "UPDATE patient_keys SET sealed = ?2 WHERE subject = ?1",
                params![subject, sealed],
            )?;
        }
        Ok(())
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
    ) -> Result<Option<Vec<u8>>, VaultFault> {
        let Some(key) = self.key(connection, subject)? else { return Ok(None) };
        Ok(seal(key, aad, plain).map(Some)?)
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
    ) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        if !self.known.contains_key(&subject) {
            let Some(key) = self.existing(connection, subject)? else { return Ok(None) };
            self.known.insert(subject, key);
        }
        let key = self.known.get(&subject).ok_or(StoreFault::Damaged)?;
        Ok(open(key, aad, sealed).ok_or(StoreFault::Damaged).map(Some)?)
    }

    /// Whether a row of the table says that this patient's key is destroyed, or holds one that unwraps.
    pub(in crate::vault) fn unwraps(&self, subject: &[u8], sealed: Option<&[u8]>) -> bool {
        sealed.is_none_or(|sealed| open(&self.wrap, subject, sealed).is_some())
    }

    /// Forgets a key that a rolled-back transaction may have made.
    pub fn forget(&mut self) {
        self.known.clear();
    }
}

/// What the table says of a key.
enum Wrapped {
    Key(Key),
    Destroyed,
    Never,
}

/// Identity of a key in the table: nobody's is empty.
fn id(subject: Option<SubjectId>) -> Vec<u8> {
    subject.map(|subject| subject.0.to_be_bytes().to_vec()).unwrap_or_default()
}

fn store(
    connection: &Connection,
    subject: Option<SubjectId>,
    sealed: Option<&[u8]>,
) -> Result<(), VaultFault> {
    connection.execute(
        "INSERT INTO patient_keys (subject, sealed) VALUES (?1, ?2)
         ON CONFLICT (subject) DO UPDATE SET sealed = excluded.sealed",
        params![id(subject), sealed],
    )?;
    Ok(())
}
