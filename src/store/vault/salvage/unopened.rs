//! Rows that were read and do not open: what would open them, or what they refer to, was on a damaged page. They
//! are taken out, because whoever reads one later would call the whole vault damaged.

use rusqlite::{Row, Transaction, params};

use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::rows::{self, RowOpener};
use crate::vault::{alarms, patients, spots, trends, waves};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::RecordId;

/// Rows that are looked at, or taken out, at a time.
const SOME: usize = 4_096;

/// Whether something opens; faults of the disk are none of the row's.
fn opens<T>(opened: Result<T, VaultFault>) -> Result<bool, VaultFault> {
    match opened {
        Ok(_) => Ok(true),
        Err(fault) if fault.class() == StoreFault::Damaged => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Takes patients out that do not open; how many they were.
///
/// # Errors
/// As the database.
pub fn of_patients(vault: &mut Vault) -> Result<u64, VaultFault> {
    let mut statement = vault.connection.prepare("SELECT id FROM patients")?;
    let ids = statement.query_map([], |row| row.get(0))?;
    let ids: Vec<[u8; 16]> = ids.collect::<Result<_, _>>()?;
    drop(statement);
    let mut unopened = Vec::new();
    for id in ids {
        if !opens(patients::one(vault, SubjectId(u128::from_be_bytes(id))))? {
            unopened.push(id);
        }
    }
    vault.write(|transaction, _| {
        for id in &unopened {
            transaction.execute("DELETE FROM patients WHERE id = ?1", [id])?;
        }
        Ok(())
    })?;
    Ok(u64::try_from(unopened.len()).unwrap_or(u64::MAX))
}

/// The numbers of rows of a table that do not open, which are taken out.
///
/// # Errors
/// As the database.
pub fn of_rows(vault: &mut Vault, table: &str) -> Result<Vec<i64>, VaultFault> {
    let unopened = match table {
        rows::NAME => of_observations(vault)?,
        "waves" => by_row(vault, WAVES, |transaction, keys, row| {
            opens(waves::wave(transaction, keys, row))
        })?,
        "alarms" => by_row(vault, ALARMS, alarm)?,
        "spots" => by_row(vault, SPOTS, spot)?,
        _ => Vec::new(),
    };
    let delete = format!("DELETE FROM {table} WHERE id = ?1");
    for some in unopened.chunks(SOME) {
        vault.write(|transaction, _| {
            let mut statement = transaction.prepare_cached(&delete)?;
            some.iter().try_for_each(|id| statement.execute([id]).map(drop))?;
            Ok(())
        })?;
    }
    Ok(unopened)
}

const WAVES: &str = "SELECT device, run, seq, mdc, subject, start_us, rate_hz, body, id FROM waves";
const SPOTS: &str = "SELECT run, seq, subject, body, 0, 0, 0, 0, id FROM spots";
const ALARMS: &str = "SELECT run, seq, subject, at_us, body, 0, 0, 0, id FROM alarms";

fn of_observations(vault: &Vault) -> Result<Vec<i64>, VaultFault> {
    let mut statement = vault.connection.prepare(&rows::select_all())?;
    let mut found = statement.query([])?;
    let mut opener = RowOpener::new(&vault.connection, &vault.patients);
    let mut unopened = Vec::new();
    while let Some(row) = found.next()? {
        if !opens(opener.observation(row))? {
            unopened.push(row.get(0)?);
        }
    }
    Ok(unopened)
}

fn by_row(
    vault: &mut Vault,
    select: &str,
    opens: impl Fn(&rusqlite::Connection, &mut PatientKeys, &Row<'_>) -> Result<bool, VaultFault>,
) -> Result<Vec<i64>, VaultFault> {
    let Vault { connection, patients, .. } = vault;
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([])?;
    let mut unopened = Vec::new();
    while let Some(row) = rows.next()? {
        if !opens(connection, patients, row)? {
            unopened.push(row.get(8)?);
        }
    }
    Ok(unopened)
}

fn alarm(
    connection: &rusqlite::Connection,
    keys: &mut PatientKeys,
    row: &Row<'_>,
) -> Result<bool, VaultFault> {
    let id = RecordId {
        run: row.get::<_, i64>(0)?.cast_unsigned(),
        seq: row.get::<_, i64>(1)?.cast_unsigned(),
    };
    let subject: Option<[u8; 16]> = row.get(2)?;
    let subject = subject.map(|id| SubjectId(u128::from_be_bytes(id)));
    let (at_us, body): (i64, Vec<u8>) = (row.get(3)?, row.get(4)?);
    opens(keys.open(connection, subject, &alarms::context(id, subject, at_us), &body))
}

fn spot(
    connection: &rusqlite::Connection,
    keys: &mut PatientKeys,
    row: &Row<'_>,
) -> Result<bool, VaultFault> {
    let id = RecordId {
        run: row.get::<_, i64>(0)?.cast_unsigned(),
        seq: row.get::<_, i64>(1)?.cast_unsigned(),
    };
    let subject: Option<[u8; 16]> = row.get(2)?;
    let subject = subject.map(|id| SubjectId(u128::from_be_bytes(id)));
    let body: Vec<u8> = row.get(3)?;
    opens(keys.open(connection, subject, &spots::context(id, subject), &body))
}

/// Takes blocks out that do not open; how many they were.
///
/// # Errors
/// As the database.
pub fn of_trends(vault: &mut Vault) -> Result<u64, VaultFault> {
    let unopened = trends::unreadable(vault)?;
    let delete = |transaction: &Transaction<'_>, block: &trends::BlockKey| {
        let (subject, mdc, unit, resolution, start_us) = block;
        transaction.execute(
            "DELETE FROM trend_blocks
             WHERE subject = ?1 AND mdc = ?2 AND unit = ?3 AND resolution = ?4 AND start_us = ?5",
            params![subject, mdc, unit, resolution, start_us],
        )
    };
    vault.write(|transaction, _| {
        unopened.iter().try_for_each(|block| delete(transaction, block).map(drop))?;
        Ok(())
    })?;
    Ok(u64::try_from(unopened.len()).unwrap_or(u64::MAX))
}
