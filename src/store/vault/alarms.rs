//! The alarm log as rows of the vault: what finds a line in clear columns, what it says sealed.
//!
//! Lines are only ever added, and go with their patient. The associated data of a seal are the row's clear
//! columns, so that no line can be put under another patient or time.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use zeroize::Zeroizing;

use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use wardkeep_model::alarm::AlarmRecord;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::RecordId;

/// Table of the lines.
pub(super) const TABLE: &str = "
    CREATE TABLE alarms (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL, seq INTEGER NOT NULL,
        subject BLOB, at_us INTEGER NOT NULL, body BLOB NOT NULL,
        UNIQUE (run, seq)
    ) STRICT;
    CREATE INDEX alarms_of_subject ON alarms (subject, at_us);
";

/// Inserts a line. The same one again changes nothing; of a patient whose key was destroyed nothing is kept.
///
/// # Errors
/// As sealing, or as writing the database.
pub(super) fn insert(
    connection: &Connection,
    keys: &mut PatientKeys,
    record: &AlarmRecord,
) -> Result<(), VaultFault> {
    let plain = Zeroizing::new(
        serde_json::to_vec(record).map_err(StoreFault::Io.because("writing an alarm"))?,
    );
    let at_us = record.at.as_microsecond();
    let context = context(record.record, record.subject, at_us);
    let Some(body) = keys.seal(connection, record.subject, &context, &plain)? else {
        tracing::debug!("an alarm of a patient whose key was destroyed was not kept");
        return Ok(());
    };
    connection
        .prepare_cached(
            "INSERT INTO alarms (run, seq, subject, at_us, body)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (run, seq) DO NOTHING",
        )?
        .execute(params![
            record.record.run.cast_signed(),
            record.record.seq.cast_signed(),
            record.subject.map(|id| id.0.to_be_bytes()),
            at_us,
            body,
        ])?;
    Ok(())
}

/// A patient's lines of this time, oldest first.
///
/// # Errors
/// `Damaged` if one does not open or parse; otherwise as reading the database.
pub fn read(
    vault: &mut Vault,
    subject: SubjectId,
    (since, until): (Timestamp, Timestamp),
) -> Result<Vec<AlarmRecord>, VaultFault> {
    let Vault { connection, patients: keys, .. } = vault;
    let mut statement = connection.prepare_cached(
        "SELECT run, seq, at_us, body FROM alarms
         WHERE subject = ?1 AND at_us >= ?2 AND at_us < ?3 ORDER BY at_us, run, seq",
    )?;
    let (since, until) = (since.as_microsecond(), until.as_microsecond());
    let mut rows = statement.query(params![subject.0.to_be_bytes(), since, until])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.extend(record(connection, keys, row, subject)?);
    }
    Ok(records)
}

fn record(
    connection: &Connection,
    keys: &mut PatientKeys,
    row: &Row<'_>,
    subject: SubjectId,
) -> Result<Option<AlarmRecord>, VaultFault> {
    let id = RecordId {
        run: row.get::<_, i64>(0)?.cast_unsigned(),
        seq: row.get::<_, i64>(1)?.cast_unsigned(),
    };
    let body: Vec<u8> = row.get(3)?;
    let context = context(id, Some(subject), row.get(2)?);
    let Some(plain) = keys.open(connection, Some(subject), &context, &body)? else {
        return Ok(None);
    };
    let record: AlarmRecord =
        serde_json::from_slice(&plain).map_err(StoreFault::Damaged.because("reading an alarm"))?;
    Ok(Some(record))
}

/// Associated data of a line's seal.
pub(in crate::vault) fn context(id: RecordId, subject: Option<SubjectId>, at_us: i64) -> Vec<u8> {
    [
        b"alarm v1".as_slice(),
        &id.run.to_be_bytes(),
        &id.seq.to_be_bytes(),
        &subject.map_or([0; 16], |id| id.0.to_be_bytes()),
        &at_us.to_be_bytes(),
    ]
    .concat()
}
