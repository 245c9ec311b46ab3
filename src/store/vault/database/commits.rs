//! What the database itself says of its commits, and how its log is folded: the part of freshness that
//! SQLite has to do.

use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::freshness::Mode;
use crate::freshness::head::Commit;
use crate::vault::database::fault::VaultFault;
use wardkeep_model::keeping::StoreFault;

/// Adds what version 3 of the schema needs for the chain of commits.
pub fn upgrade(transaction: &Transaction<'_>) -> Result<(), VaultFault> {
    Ok(transaction.execute_batch(
        "CREATE TABLE commits (
             id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL,
             rows INTEGER NOT NULL
         ) STRICT;
         INSERT INTO commits (id, seq, hash, rows) VALUES (1, 0, zeroblob(32),
             (SELECT count(*) FROM observations) + (SELECT count(*) FROM audit));",
    )?)
}

/// The last commit as the database says it; `None` before version 3 of the schema.
pub fn read(connection: &Connection) -> Result<Option<Commit>, VaultFault> {
    let known: bool = connection.query_row(
        "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = 'commits'",
        [],
        |row| row.get(0),
    )?;
    if !known {
        return Ok(None);
    }
    let commit = connection
        .prepare_cached("SELECT seq, hash, rows FROM commits")?
        .query_row([], |row| {
            let (seq, rows): (i64, i64) = (row.get(0)?, row.get(2)?);
            Ok(Commit { seq: seq.cast_unsigned(), hash: row.get(1)?, rows: rows.cast_unsigned() })
        })
        .optional()?;
    commit.map(Some).ok_or(VaultFault::Store(StoreFault::Damaged))
}

/// Writes the commit's own row, as part of it.
pub fn write(connection: &Connection, commit: &Commit) -> Result<(), VaultFault> {
    connection.prepare_cached("UPDATE commits SET seq = ?1, hash = ?2, rows = ?3")?.execute((
        commit.seq.cast_signed(),
        commit.hash,
        commit.rows.cast_signed(),
    ))?;
    Ok(())
}

/// Runs a checkpoint that has to be complete.
///
/// # Errors
/// `Io` if it is not; otherwise as the database.
pub fn checkpoint(connection: &Connection, mode: Mode) -> Result<(), VaultFault> {
    let mode = match mode {
        Mode::Copy => "PASSIVE",
        Mode::Cut => "TRUNCATE",
    };
    let (busy, frames, done): (i64, i64, i64) =
        connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    if busy == 0 && frames == done { Ok(()) } else { Err(StoreFault::Io.into()) }
}
