//! The versions of the vault's schema, and what leads from each to the next.
//!
//! Times are integers in microseconds since 1970 (the whole range of a device's calendar fits);
//! numbers of 64 bits are stored bit by bit as signed. What rows say of patients and people is sealed
//! once more before the database library sees it ([`crate::vault::patient_keys`]).

mod clear_rows;
mod wide_rows;

use rusqlite::Transaction;

use crate::vault::database::Vault;
use crate::vault::database::commits;
use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::{alarms, audit, recipients, retention, spots, trends, waves};
use wardkeep_model::keeping::StoreFault;

/// What leads from each version of the schema to the next, in one transaction each.
const MIGRATIONS: [Migration; 8] = [
    |transaction, _| Ok(transaction.execute_batch(FIRST)?),
    |transaction, _| Ok(transaction.execute_batch(PEOPLE)?),
    |transaction, keys| {
        clear_rows::upgrade(transaction, keys)?;
        audit::upgrade(transaction)?;
        waves::upgrade(transaction)?;
        transaction.execute_batch(trends::TABLE)?;
        transaction.execute_batch(retention::TABLE)?;
        commits::upgrade(transaction)
    },
    |transaction, _| Ok(transaction.execute_batch(alarms::TABLE)?),
    |transaction, _| Ok(transaction.execute_batch(recipients::TABLE)?),
    |transaction, _| wide_rows::upgrade(transaction),
    |transaction, _| Ok(transaction.execute_batch(spots::TABLES)?),
    |transaction, _| trends::recent::upgrade(transaction),
];

/// The version from which on what rows say is sealed before the database library sees it.
const SEALED: usize = 3;

/// The version from which on rows lie as they do now.
pub(in crate::vault) const AS_NOW: u32 = 6;

/// The version that this program writes.
pub(in crate::vault) fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

type Migration = fn(&Transaction<'_>, &mut PatientKeys) -> Result<(), VaultFault>;

const FIRST: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE operators (id BLOB PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE patients (
        id BLOB PRIMARY KEY, family TEXT NOT NULL, given TEXT NOT NULL, born TEXT,
        sex TEXT NOT NULL, mrn TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE observations (
        id INTEGER PRIMARY KEY,
        device BLOB NOT NULL, run INTEGER NOT NULL, seq INTEGER NOT NULL,
        mdc INTEGER NOT NULL, value TEXT, absent TEXT, unit TEXT NOT NULL,
        effective_us INTEGER NOT NULL, received_us INTEGER NOT NULL,
        device_time TEXT, clock TEXT NOT NULL, status TEXT NOT NULL,
        subject BLOB, provenance TEXT NOT NULL,
        UNIQUE (device, run, seq),
        CHECK ((value IS NULL) <> (absent IS NULL))
    ) STRICT;
    CREATE INDEX observations_of_subject ON observations (subject, mdc, effective_us);
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY, act TEXT NOT NULL, operator BLOB, subject BLOB, device BLOB,
        at_us INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
    CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
";

/// People with several factors, and what an audit entry says of them.
///
/// `operators.private` and `tokens.kek` let IT give a person who is not there another badge or PIN,
/// and take a factor away. They widen nothing: whoever has the vault open has its master key already,
/// under which they are sealed once more, so that no key is ever in the database library's memory.
/// A person who left keeps the name, so that the audit log goes on naming them.
const PEOPLE: &str = "
    ALTER TABLE patients ADD COLUMN allergies TEXT NOT NULL DEFAULT '';
    ALTER TABLE operators ADD COLUMN private BLOB;
    CREATE TABLE tokens (
        slot BLOB PRIMARY KEY, operator BLOB NOT NULL, kind TEXT NOT NULL, subject TEXT,
        share BLOB, kek BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE templates (
        id BLOB PRIMARY KEY, operator BLOB NOT NULL, finger TEXT NOT NULL, sensor TEXT NOT NULL,
        print BLOB NOT NULL, since_us INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE audit ADD COLUMN person BLOB;
    ALTER TABLE audit ADD COLUMN pair TEXT;
    ALTER TABLE audit ADD COLUMN reason TEXT;
";

#[cfg(not(test))]
fn known() -> &'static [Migration] {
    &MIGRATIONS
}

/// Set in a process that is to be an earlier program: how many versions of the schema that knows.
#[cfg(test)]
pub const KNOWN_FOR_TESTS: &str = "WARDKEEP_TEST_SCHEMA";

#[cfg(test)]
fn known() -> &'static [Migration] {
    let told = std::env::var(KNOWN_FOR_TESTS).ok();
    let known = told.map_or(MIGRATIONS.len(), |text| text.parse().expect("a number"));
    MIGRATIONS.get(..known).expect("no more than there are")
}

/// Brings the schema of an open vault up to date.
///
/// # Errors
/// `Later` if a later program wrote it; otherwise as writing a file.
pub(super) fn migrate(vault: &mut Vault) -> Result<(), VaultFault> {
    let version: u32 = vault.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(missing) = known().get(done..) else {
        // Written by a later program; reading it as if it were ours could lose what it added.
        return Err(StoreFault::Later.into());
    };
    if (1..SEALED.min(known().len())).contains(&done) {
        wipe_library_memory(vault)?;
    }
    vault.freshness.begin(commits::read(&vault.connection)?)?;
    for (migrate, version) in missing.iter().zip(version + 1..) {
        vault.write(|transaction, keys| {
            migrate(transaction, keys)?;
            Ok(transaction.pragma_update(None, "user_version", version)?)
        })?;
    }
    Ok(())
}

/// Lets the database library wipe what it frees, for as long as this process runs: earlier versions
/// kept names and values in the clear inside the database, and their rows are about to be read.
/// Slow, and it cannot be undone; not in unit tests, which search the memory of their one process.
fn wipe_library_memory(vault: &Vault) -> Result<(), VaultFault> {
    if cfg!(test) {
        return Ok(());
    }
    Ok(vault.connection.execute_batch("PRAGMA cipher_memory_security = ON;")?)
}

#[cfg(test)]
mod tests;
