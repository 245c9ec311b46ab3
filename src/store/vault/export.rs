//! The vault written anew under other keys: for the next epoch, for a backup, and out of one.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, params};

use crate::disk::durable;
use crate::keys::vault_keys::VaultKeys;
use crate::vault::database::Vault;
use crate::vault::database::cipher;
use crate::vault::database::fault::VaultFault;
use wardkeep_model::keeping::StoreFault;

/// Times that letting go of the other database is tried while it is interrupted.
const DETACH_MAX: u32 = 1_000;

/// Writes everything into a database of another key at `path`, where nothing is yet; durable when
/// it returns. The database itself is not changed.
///
/// # Errors
/// As writing a file; what is at `path` then is of no use.
pub fn export(vault: &Vault, path: &Path, keys: &VaultKeys) -> Result<(), VaultFault> {
    let file = durable::create_new(path)?;
    let text = path.to_str().ok_or(StoreFault::Io)?;
    let version: u32 = vault.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let attached = vault.connection.execute(
        "ATTACH DATABASE ?1 AS next KEY ?2",
        params![text, cipher::raw_key(&keys.database()).as_str()],
    );
    attached?;
    let exported = fill_next(vault, version);
    detach(&vault.connection)?;
    exported?;
    file.sync_all()?;
    Ok(vault.freshness.copy_to(path, keys)?)
}

/// Lets go of the other database, though somebody may still be interrupting what filled it.
fn detach(connection: &Connection) -> Result<(), VaultFault> {
    for _ in 1..DETACH_MAX {
        match connection.execute_batch("DETACH DATABASE next") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {}
            done => return Ok(done?),
        }
    }
    Ok(connection.execute_batch("DETACH DATABASE next")?)
}

fn fill_next(vault: &Vault, version: u32) -> Result<(), VaultFault> {
    // Nobody reads the file before it is whole and synced, so it needs no journal of its own.
    vault.connection.execute_batch(
        "PRAGMA next.auto_vacuum = INCREMENTAL;
         PRAGMA next.journal_mode = OFF;
         PRAGMA next.synchronous = OFF;",
    )?;
    vault.connection.query_row("SELECT sqlcipher_export('next')", [], |_| Ok(()))?;
    for table in [
        "observations",
        "sources",
        "subjects",
        "series",
        "taken",
        "waves",
        "trend_blocks",
        "trend_recent",
        "audit",
        "alarms",
        "spots",
        "spot_acts",
        "recipients",
        "patients",
        "patient_keys",
        "operators",
        "tokens",
        "templates",
    ] {
        let count = |schema: &str| -> Result<i64, VaultFault> {
            let sql = format!("SELECT count(*) FROM {schema}.{table}");
            Ok(vault.connection.query_row(&sql, [], |row| row.get(0))?)
        };
        if count("main")? != count("next")? {
            return Err(StoreFault::Damaged.into());
        }
    }
    Ok(vault.connection.execute_batch(&format!("PRAGMA next.user_version = {version}"))?)
}
