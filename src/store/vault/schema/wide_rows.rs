//! Rows of versions 3 to 5 of the schema: each with its code, patient and whole instant, which they all repeat,
//! and with an index over their identities.

use rusqlite::{Connection, Transaction, params};
use zeroize::Zeroizing;

use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::rows;
use crate::vault::rows::columns::{Columns, EFFECTIVE_FROM_US};
use crate::vault::rows::taken;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::Observation;

/// Tables of observations, as version 3 made them.
pub(super) const TABLES: &str = "
    CREATE TABLE sources (
        source INTEGER PRIMARY KEY, device BLOB NOT NULL, run INTEGER NOT NULL, UNIQUE (device, run)
    ) STRICT;
    CREATE TABLE subjects (patient INTEGER PRIMARY KEY, subject BLOB NOT NULL UNIQUE) STRICT;
    CREATE TABLE observations (
        id INTEGER PRIMARY KEY,
        source INTEGER NOT NULL, seq INTEGER NOT NULL, mdc INTEGER NOT NULL, patient INTEGER,
        effective_us INTEGER NOT NULL, delay_us INTEGER NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (source, seq)
    ) STRICT;
    CREATE INDEX observations_of_patient ON observations (patient, mdc, effective_us);
";

/// Inserts a row of version 3.
///
/// # Errors
/// `Damaged` if there is one of its identity; otherwise as the database.
pub fn insert(
    connection: &Connection,
    keys: &mut PatientKeys,
    observation: &Observation,
    id: i64,
) -> Result<(), VaultFault> {
    let columns = Columns::of(observation);
    let mut body = Zeroizing::default();
    let key = keys.key(connection, columns.subject)?.ok_or(StoreFault::Damaged)?;
    columns.seal(key, observation, &mut body)?;
    let (run, seq) = (columns.record.run.cast_signed(), columns.record.seq.cast_signed());
    let subject = columns.subject.map(|subject| subject.0.to_be_bytes());
    connection
        .prepare_cached("INSERT OR IGNORE INTO sources (device, run) VALUES (?1, ?2)")?
        .execute(params![columns.device.0, run])?;
    connection
        .prepare_cached("INSERT OR IGNORE INTO subjects (subject) SELECT ?1 WHERE ?1 NOT NULL")?
        .execute([subject])?;
    let inserted = connection
        .prepare_cached(
            "INSERT INTO observations
                 (source, seq, mdc, patient, effective_us, delay_us, body, id)
             SELECT source, ?3, ?4, (SELECT patient FROM subjects WHERE subject = ?5), ?6, ?7, ?8, ?9
             FROM sources WHERE device = ?1 AND run = ?2 ON CONFLICT (source, seq) DO NOTHING",
        )?
        .execute(params![
            columns.device.0,
            run,
            seq,
            columns.code.0,
            subject,
            columns.effective_us,
            columns.delay_us(),
            *body,
            id,
        ])?;
    if inserted == 1 { Ok(()) } else { Err(StoreFault::Damaged.into()) }
}

/// Turns those rows into what they are since. Their bodies stay as they were sealed.
///
/// # Errors
/// As the database.
pub fn upgrade(transaction: &Transaction<'_>) -> Result<(), VaultFault> {
    transaction.execute_batch(
        "DROP INDEX observations_of_patient;
         ALTER TABLE observations RENAME TO wide_observations;",
    )?;
    transaction.execute_batch(rows::TABLE)?;
    transaction.execute_batch(&rows::beside())?;
    transaction.execute(
        "INSERT INTO series (source, patient, mdc)
         SELECT DISTINCT source, patient, mdc FROM wide_observations",
        [],
    )?;
    transaction.execute(
        "INSERT INTO observations (id, series, seq, effective, delay_us, body)
         SELECT id, (SELECT series FROM series
                 WHERE series.patient IS wide.patient AND series.mdc = wide.mdc
                     AND series.source = wide.source),
             seq, effective_us - ?1, delay_us, body
         FROM wide_observations AS wide ORDER BY id",
        [EFFECTIVE_FROM_US],
    )?;
    taken::take_all(transaction)?;
    transaction.execute_batch("DROP TABLE wide_observations;")?;
    Ok(transaction.execute_batch(rows::INDEX)?)
}
