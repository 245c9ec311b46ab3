//! What `store check` asks of the database itself: its pages, its structure, and rows that open.

use rusqlite::Row;

use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::rows;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{Finding, StoreFault};

/// Compares every page with the table of acknowledged versions; what was found wrong since the open.
///
/// # Errors
/// As reading a file.
pub fn freshness(vault: &mut Vault) -> Result<Vec<Finding>, VaultFault> {
    while vault.compares() {
        vault.compare_some()?;
    }
    Ok(vault.findings())
}

/// Authenticates every page; how many there are.
///
/// # Errors
/// `Damaged` if one does not authenticate; otherwise as reading a file.
pub fn pages(vault: &Vault) -> Result<u64, VaultFault> {
    let mut statement = vault.connection.prepare("PRAGMA cipher_integrity_check")?;
    // A row for each page that fails.
    if statement.query([])?.next()?.is_some() {
        return Err(StoreFault::Damaged.into());
    }
    let pages: i64 = vault.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    Ok(pages.unsigned_abs())
}

/// Lets SQLite compare tables, indices and free pages; how many tables there are.
///
/// # Errors
/// `Damaged` if they do not fit; otherwise as reading a file.
pub fn structure(vault: &Vault) -> Result<u64, VaultFault> {
    let said: String =
        vault.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let broken: i64 =
        vault
            .connection
            .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if said != "ok" || broken > 0 {
        return Err(StoreFault::Damaged.into());
    }
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
    let tables: i64 = vault.connection.query_row(tables, [], |row| row.get(0))?;
    Ok(tables.unsigned_abs())
}

/// Unwraps every patient's data key; how many there are, destroyed ones among them.
///
/// # Errors
/// `Damaged` if one does not unwrap; otherwise as reading a file.
pub fn patient_keys(vault: &Vault) -> Result<u64, VaultFault> {
    let mut statement = vault.connection.prepare("SELECT subject FROM patient_keys")?;
    let subject = |row: &Row<'_>| row.get::<_, Vec<u8>>(0);
    let subjects: Vec<Vec<u8>> = statement.query_map([], subject)?.collect::<Result<_, _>>()?;
    for subject in &subjects {
        let subject = match subject.as_slice().try_into() {
            Ok(id) => Some(SubjectId(u128::from_be_bytes(id))),
            // The key of what nobody claimed.
            Err(_) if subject.is_empty() => None,
            Err(_) => return Err(StoreFault::Damaged.into()),
        };
        vault.patients.existing(&vault.connection, subject)?;
    }
    Ok(u64::try_from(subjects.len()).unwrap_or(u64::MAX))
}

/// Opens every observation; how many there are, destroyed ones not counted.
///
/// # Errors
/// `Damaged` if one does not open; otherwise as reading a file.
pub fn observations(vault: &Vault) -> Result<u64, VaultFault> {
    rows::check(&vault.connection, &vault.patients)
}
