//! Patients and observations as rows of the vault, both ways without loss.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use rusqlite::{Connection, Row, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreFault;
use super::patient_keys::{self, PatientKeys};
use crate::confidential::Phi;
use crate::encounter::{Patient, SubjectId};
use crate::hardware::DeviceId;
use crate::session::emergency::PastNumeric;
use crate::vitals::nomenclature::Mdc;
use crate::vitals::{Observation, RecordId, Value};

/// The one word of a fieldless enum, as its serialisation spells it.
pub fn word<T: Serialize>(value: &T) -> Result<String, StoreFault> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(_) | Err(_) => Err(StoreFault::Damaged),
    }
}

/// The value of a word.
pub fn from_word<T: DeserializeOwned>(word: String) -> Result<T, StoreFault> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|_| StoreFault::Damaged)
}

/// A stored instant.
pub fn timestamp(micros: i64) -> Result<Timestamp, StoreFault> {
    Timestamp::from_microsecond(micros).map_err(|_| StoreFault::Damaged)
}

/// Turns the rows of earlier versions into those of version 3.
pub fn upgrade(transaction: &Transaction<'_>, _keys: &mut PatientKeys) -> Result<(), StoreFault> {
    Ok(transaction.execute_batch(patient_keys::TABLE)?)
}

/// Inserts a patient.
pub fn insert_patient(connection: &Connection, patient: &Patient) -> Result<(), StoreFault> {
    connection.execute(
        "INSERT INTO patients (id, family, given, born, sex, mrn, allergies)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            patient.id.0.to_be_bytes(),
            patient.family.reveal(),
            patient.given.reveal(),
            patient.born.reveal().map(|date| date.to_string()),
            word(patient.sex.reveal())?,
            patient.mrn.reveal(),
            patient.allergies.reveal(),
        ],
    )?;
    Ok(())
}

/// One patient or all of them, by family name, given name and number.
pub fn patients(
    connection: &Connection,
    only: Option<SubjectId>,
) -> Result<Vec<Patient>, StoreFault> {
    let mut statement = connection.prepare_cached(
        "SELECT id, family, given, born, sex, mrn, allergies FROM patients
         WHERE ?1 IS NULL OR id = ?1 ORDER BY family COLLATE NOCASE, given COLLATE NOCASE, mrn",
    )?;
    let mut rows = statement.query(params![only.map(|id| id.0.to_be_bytes())])?;
    let mut patients = Vec::new();
    while let Some(row) = rows.next()? {
        let born: Option<String> = row.get(3)?;
        let born = born.map(|text| text.parse::<Date>()).transpose();
        patients.push(Patient {
            id: SubjectId(u128::from_be_bytes(row.get(0)?)),
            family: Phi::new(row.get(1)?),
            given: Phi::new(row.get(2)?),
            born: Phi::new(born.map_err(|_| StoreFault::Damaged)?),
            sex: Phi::new(from_word(row.get(4)?)?),
            mrn: Phi::new(row.get(5)?),
            allergies: Phi::new(row.get(6)?),
        });
    }
    Ok(patients)
}

/// Inserts an observation. The same one again is accepted and changes nothing; false if a different
/// one has the same identity.
pub fn insert_observation(
    connection: &Connection,
    observation: &Observation,
) -> Result<bool, StoreFault> {
    let (value, absent) = match observation.value.reveal() {
        Value::Measured(decimal) => (Some(decimal.to_string()), None),
        Value::Absent(reason) => (None, Some(word(reason)?)),
    };
    let device = observation.device.0;
    let RecordId { run, seq } = observation.record;
    let effective = observation.effective.as_microsecond();
    let inserted = connection
        .prepare_cached(
            "INSERT INTO observations (device, run, seq, mdc, value, absent, unit, effective_us,
                 received_us, device_time, clock, status, subject, provenance)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (device, run, seq) DO NOTHING",
        )?
        .execute(params![
            device,
            run.cast_signed(),
            seq.cast_signed(),
            observation.code.0,
            value,
            absent,
            word(&observation.unit)?,
            effective,
            observation.received.as_microsecond(),
            observation.device_time.map(|time| time.to_string()),
            word(&observation.clock)?,
            serde_json::to_string(&observation.status).map_err(|_| StoreFault::Damaged)?,
            observation.subject.map(|id| id.0.to_be_bytes()),
            word(&observation.provenance)?,
        ])?;
    if inserted > 0 {
        return Ok(true);
    }
    let same: bool = connection.query_row(
        "SELECT count(*) > 0 FROM observations WHERE device = ?1 AND run = ?2 AND seq = ?3
             AND mdc = ?4 AND value IS ?5 AND absent IS ?6 AND effective_us = ?7",
        params![
            device,
            run.cast_signed(),
            seq.cast_signed(),
            observation.code.0,
            value,
            absent,
            effective
        ],
        |row| row.get(0),
    )?;
    Ok(same)
}

/// All observations in the order in which they were kept.
pub fn observations(connection: &Connection) -> Result<Vec<Observation>, StoreFault> {
    let mut statement = connection.prepare_cached(
        "SELECT device, run, seq, mdc, value, absent, unit, effective_us, received_us, device_time,
             clock, status, subject, provenance FROM observations ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut observations = Vec::new();
    while let Some(row) = rows.next()? {
        observations.push(observation(row)?);
    }
    Ok(observations)
}

/// What was measured of one patient after `since` and up to `until`, oldest first; what could not be
/// charted (S-7) is not among it.
pub fn numerics(
    connection: &Connection,
    subject: SubjectId,
    (since, until): (Timestamp, Timestamp),
) -> Result<Vec<PastNumeric>, StoreFault> {
    let subject = subject.0.to_be_bytes();
    // Code by code, because the index is ordered by them: years of the same patient cost nothing.
    let mut codes = connection
        .prepare_cached("SELECT min(mdc) FROM observations WHERE subject = ?1 AND mdc > ?2")?;
    let mut statement = connection.prepare_cached(
        "SELECT value, unit, effective_us FROM observations
         WHERE subject = ?1 AND mdc = ?2 AND value IS NOT NULL
             AND effective_us > ?3 AND effective_us <= ?4",
    )?;
    let mut numerics = Vec::new();
    let mut code = -1_i64;
    loop {
        let next: Option<u32> = codes.query_row(params![subject, code], |row| row.get(0))?;
        let Some(mdc) = next else { break };
        code = i64::from(mdc);
        let (since, until) = (since.as_microsecond(), until.as_microsecond());
        let mut rows = statement.query(params![subject, mdc, since, until])?;
        while let Some(row) = rows.next()? {
            let digits: String = row.get(0)?;
            numerics.push(PastNumeric {
                mdc: Mdc(mdc),
                value: Phi::new(digits.parse().map_err(|_| StoreFault::Damaged)?),
                unit: from_word(row.get(1)?)?,
                at: timestamp(row.get(2)?)?,
            });
        }
    }
    numerics.sort_by_key(|numeric| numeric.at);
    Ok(numerics)
}

/// The first observations that were kept after this id, with their ids. What a destroyed key no
/// longer opens is passed over, so fewer than `limit` means that there are no more.
pub fn for_packing(
    connection: &Connection,
    _keys: &mut PatientKeys,
    after_id: i64,
    limit: usize,
) -> Result<Vec<(i64, Observation)>, StoreFault> {
    let mut statement = connection.prepare_cached(
        "SELECT device, run, seq, mdc, value, absent, unit, effective_us, received_us, device_time,
             clock, status, subject, provenance, id FROM observations WHERE id > ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([after_id])?;
    let mut kept = Vec::new();
    while kept.len() < limit
        && let Some(row) = rows.next()?
    {
        kept.push((row.get(14)?, observation(row)?));
    }
    Ok(kept)
}

/// Observations of a patient and a code that were kept after this id and are of a time from the
/// first instant up to, but not at, the second, in microseconds.
pub fn kept_after(
    connection: &Connection,
    _keys: &mut PatientKeys,
    after_id: i64,
    (subject, code): (SubjectId, Mdc),
    (since_us, until_us): (i64, i64),
) -> Result<Vec<Observation>, StoreFault> {
    // By id and not by the index: what was kept last is little, what a patient has may be a month.
    let mut statement = connection.prepare_cached(
        "SELECT device, run, seq, mdc, value, absent, unit, effective_us, received_us, device_time,
             clock, status, subject, provenance FROM observations
         WHERE id > ?1 AND +subject = ?2 AND +mdc = ?3 AND +effective_us >= ?4
             AND +effective_us < ?5",
    )?;
    let subject = subject.0.to_be_bytes();
    let mut rows = statement.query(params![after_id, subject, code.0, since_us, until_us])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        kept.push(observation(row)?);
    }
    Ok(kept)
}

fn observation(row: &Row<'_>) -> Result<Observation, StoreFault> {
    let value: Option<String> = row.get(4)?;
    let absent: Option<String> = row.get(5)?;
    let value = match (value, absent) {
        (Some(digits), None) => Value::Measured(digits.parse().map_err(|_| StoreFault::Damaged)?),
        (None, Some(reason)) => Value::Absent(from_word(reason)?),
        (Some(_), Some(_)) | (None, None) => return Err(StoreFault::Damaged),
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
