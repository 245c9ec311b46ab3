//! Single numbers of the vault, by name.

use rusqlite::{Connection, OptionalExtension, params};

use crate::vault::database::fault::VaultFault;

/// A number; `None` if it was never set.
///
/// # Errors
/// As reading the database.
pub fn get(connection: &Connection, name: &str) -> Result<Option<i64>, VaultFault> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

/// Sets a number; part of the caller's transaction.
///
/// # Errors
/// As writing the database.
pub fn set(connection: &Connection, name: &str, value: i64) -> Result<(), VaultFault> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
        .execute(params![name, value])?;
    Ok(())
}
