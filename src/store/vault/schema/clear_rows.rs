//! Rows of versions 1 and 2 of the schema, where the cipher of the whole database was their only one.

use jiff::civil::DateTime;
use rusqlite::{Connection, Row, Transaction, params};

use crate::keys::vault_keys::Held;
use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::{self, PatientKeys};
use crate::vault::patients;
use crate::vault::rows::columns::{from_word, timestamp};
use crate::vault::schema::wide_rows;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::TemplateId;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::nomenclature::Mdc;
use wardkeep_model::vitals::{Observation, RecordId, Value};

/// The tables of earlier versions step aside and those of version 3 take their names.
const ASIDE: &str = "
    DROP INDEX observations_of_subject;
    ALTER TABLE observations RENAME TO clear_observations;
    ALTER TABLE patients RENAME TO clear_patients;
    ALTER TABLE operators RENAME TO clear_operators;
    ALTER TABLE tokens RENAME TO clear_tokens;
    CREATE TABLE patients (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE operators (
        id BLOB PRIMARY KEY, name BLOB NOT NULL, private BLOB
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tokens (
        slot BLOB PRIMARY KEY, operator BLOB NOT NULL, kind TEXT NOT NULL, subject BLOB,
        share BLOB, kek BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
";

const LEFT: &str = "
    DROP TABLE clear_observations;
    DROP TABLE clear_patients;
    DROP TABLE clear_operators;
    DROP TABLE clear_tokens;
";

/// Turns the rows of earlier versions into those of version 3.
///
/// # Errors
/// `Damaged` if one of them is none; otherwise as the database.
pub fn upgrade(transaction: &Transaction<'_>, keys: &mut PatientKeys) -> Result<(), VaultFault> {
    transaction.execute_batch(patient_keys::TABLE)?;
    transaction.execute_batch(ASIDE)?;
    transaction.execute_batch(wide_rows::TABLES)?;
    seal_patients(transaction, keys)?;
    seal_observations(transaction, keys)?;
    seal_people(transaction, keys)?;
    Ok(transaction.execute_batch(LEFT)?)
}

fn seal_patients(connection: &Connection, keys: &mut PatientKeys) -> Result<(), VaultFault> {
    let mut statement = connection
        .prepare("SELECT id, family, given, born, sex, mrn, allergies FROM clear_patients")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let born: Option<String> = row.get(3)?;
        let born = born.map(|text| text.parse()).transpose();
        let patient = Patient {
            id: SubjectId(u128::from_be_bytes(row.get(0)?)),
            family: Phi::new(row.get(1)?),
            given: Phi::new(row.get(2)?),
            born: Phi::new(born.map_err(|_| StoreFault::Damaged)?),
            sex: Phi::new(from_word(row.get(4)?)?),
            mrn: Phi::new(row.get(5)?),
            allergies: Phi::new(row.get(6)?),
        };
        patients::insert(connection, keys, &patient)?;
    }
    Ok(())
}

fn seal_observations(connection: &Connection, keys: &mut PatientKeys) -> Result<(), VaultFault> {
    let mut statement = connection.prepare(
        "SELECT device, run, seq, mdc, value, absent, unit, effective_us, received_us, device_time,
             clock, status, subject, provenance, id FROM clear_observations ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        wide_rows::insert(connection, keys, &observation(row)?, row.get(14)?)?;
    }
    Ok(())
}

fn observation(row: &Row<'_>) -> Result<Observation, VaultFault> {
    let value: Option<String> = row.get(4)?;
    let absent: Option<String> = row.get(5)?;
    let value = match (value, absent) {
        (Some(digits), None) => Value::Measured(digits.parse().map_err(|_| StoreFault::Damaged)?),
        (None, Some(reason)) => Value::Absent(from_word(reason)?),
        (Some(_), Some(_)) | (None, None) => return Err(StoreFault::Damaged.into()),
    };
    let device_time: Option<String> = row.get(9)?;
    let device_time = device_time.map(|text| text.parse::<DateTime>()).transpose();
    let status: String = row.get(11)?;
    let subject: Option<[u8; 16]> = row.get(12)?;
    Ok(Observation {
        record: RecordId {
            run: row.get::<_, i64>(1)?.cast_unsigned(),
            seq: row.get::<_, i64>(2)?.cast_unsigned(),
        },
        code: Mdc(row.get(3)?),
        value: Phi::new(value),
        unit: from_word(row.get(6)?)?,
        effective: timestamp(row.get(7)?)?,
        received: timestamp(row.get(8)?)?,
        device_time: device_time.map_err(|_| StoreFault::Damaged)?,
        clock: from_word(row.get(10)?)?,
        status: serde_json::from_str(&status).map_err(|_| StoreFault::Damaged)?,
        device: DeviceId(row.get(0)?),
        subject: subject.map(|id| SubjectId(u128::from_be_bytes(id))),
        provenance: from_word(row.get(13)?)?,
    })
}

fn seal_people(connection: &Connection, keys: &PatientKeys) -> Result<(), VaultFault> {
    let mut statement = connection.prepare("SELECT id, name, private FROM clear_operators")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: [u8; 16] = row.get(0)?;
        let (name, private): (String, Option<Vec<u8>>) = (row.get(1)?, row.get(2)?);
        let held = Held::Name(OperatorId(u128::from_be_bytes(id)));
        connection.execute(
            "INSERT INTO operators (id, name, private) VALUES (?1, ?2, ?3)",
            params![id, keys.people().hold(held, name.as_bytes())?, private],
        )?;
    }
    let mut statement =
        connection.prepare("SELECT slot, operator, kind, subject, share, kek FROM clear_tokens")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let slot: [u8; 16] = row.get(0)?;
        let subject: Option<String> = row.get(3)?;
        let seal = |subject: &str| keys.people().hold(Held::CardSubject(slot), subject.as_bytes());
        connection.execute(
            "INSERT INTO tokens (slot, operator, kind, subject, share, kek)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                slot,
                row.get::<_, Vec<u8>>(1)?,
                row.get::<_, String>(2)?,
                subject.as_deref().map(seal).transpose()?,
                row.get::<_, Option<Vec<u8>>>(4)?,
                row.get::<_, Vec<u8>>(5)?,
            ],
        )?;
    }
    let mut statement = connection.prepare("SELECT id, print FROM templates")?;
    let prints = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let prints: Vec<([u8; 16], Vec<u8>)> = prints.collect::<Result<_, _>>()?;
    for (id, print) in prints {
        let held = Held::Print(TemplateId(u128::from_be_bytes(id)));
        connection.execute(
            "UPDATE templates SET print = ?2 WHERE id = ?1",
            params![id, keys.people().hold(held, &print)?],
        )?;
    }
    Ok(())
}
