//! Observations as rows of the vault, both ways without loss.
//!
//! A row's columns are what the database orders and finds rows by: device, number, code, subject, times.
//! What was measured is in its body, sealed with the patient's data key before the database library sees
//! it, and bound to those columns: a body that was moved to another row does not open.
//!
//! The nonce is the row's identity (device, run, number), which is given out once and which the table
//! takes once. So one key never meets the same nonce with different content in a row that is kept, and
//! no random numbers are drawn for each of them.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::StoreFault;
use super::body::{self, Body};
use super::patient_keys::PatientKeys;
use super::primitives::{Key, NONCE_LEN, open_as, seal_as};
use crate::confidential::Phi;
use crate::encounter::SubjectId;
use crate::hardware::DeviceId;
use crate::session::emergency::PastNumeric;
use crate::vitals::nomenclature::Mdc;
use crate::vitals::{Observation, RecordId, Value};

mod upgrade;

pub use upgrade::upgrade;

/// Domain of the nonces of observations, apart from whatever else a device's numbers may seal.
const DOMAIN: u8 = 1;
/// Bytes of a body beside its statuses, tag included.
const BODY_LEN: usize = 4 + 10 + 12 + 16;

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

/// The columns of a row that are not sealed.
struct Columns {
    device: DeviceId,
    record: RecordId,
    code: Mdc,
    subject: Option<SubjectId>,
    effective_us: i64,
    received_us: i64,
}

impl Columns {
    /// In this order at the beginning of every row that is read.
    const NAMES: &str = "device, run, seq, mdc, subject, effective_us, received_us";

    fn of(observation: &Observation) -> Self {
        Self {
            device: observation.device,
            record: observation.record,
            code: observation.code,
            subject: observation.subject,
            effective_us: observation.effective.as_microsecond(),
            received_us: observation.received.as_microsecond(),
        }
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreFault> {
        let subject: Option<[u8; 16]> = row.get(4)?;
        Ok(Self {
            device: DeviceId(row.get(0)?),
            record: RecordId {
                run: row.get::<_, i64>(1)?.cast_unsigned(),
                seq: row.get::<_, i64>(2)?.cast_unsigned(),
            },
            code: Mdc(row.get(3)?),
            subject: subject.map(|id| SubjectId(u128::from_be_bytes(id))),
            effective_us: row.get(5)?,
            received_us: row.get(6)?,
        })
    }

    fn nonce(&self) -> [u8; NONCE_LEN] {
        let mut nonce = [0; NONCE_LEN];
        let parts = std::iter::once(DOMAIN)
            .chain(self.device.0)
            .chain(self.record.run.to_be_bytes())
            .chain(self.record.seq.to_be_bytes());
        for (byte, part) in nonce.iter_mut().zip(parts) {
            *byte = part;
        }
        nonce
    }

    /// What the body is bound to.
    fn bound(&self) -> Vec<u8> {
        let mut bound = Vec::with_capacity(64);
        bound.extend_from_slice(b"observation v1");
        bound.extend_from_slice(&self.device.0);
        bound.extend_from_slice(&self.record.run.to_be_bytes());
        bound.extend_from_slice(&self.record.seq.to_be_bytes());
        bound.extend_from_slice(&self.code.0.to_be_bytes());
        bound.extend_from_slice(&self.effective_us.to_be_bytes());
        bound.extend_from_slice(&self.received_us.to_be_bytes());
        if let Some(subject) = self.subject {
            bound.extend_from_slice(&subject.0.to_be_bytes());
        }
        bound
    }

    fn seal(&self, key: &Key, observation: &Observation) -> Result<Zeroizing<Vec<u8>>, StoreFault> {
        // Large enough at once: growing would leave copies behind.
        let mut sealed = Zeroizing::new(Vec::with_capacity(BODY_LEN + observation.status.len()));
        body::encode(observation, &mut sealed);
        seal_as(key, &self.nonce(), &self.bound(), &mut sealed)?;
        Ok(sealed)
    }

    fn open(&self, key: &Key, sealed: Vec<u8>) -> Result<Body, StoreFault> {
        let mut body = Zeroizing::new(sealed);
        open_as(key, &self.nonce(), &self.bound(), &mut body).ok_or(StoreFault::Damaged)?;
        body::decode(&body)
    }
}

/// Inserts an observation. The same one again is accepted and changes nothing; false if a different
/// one has the same identity, or its patient's key was destroyed.
///
/// # Errors
/// As the database.
pub fn insert_observation(
    connection: &Connection,
    keys: &mut PatientKeys,
    observation: &Observation,
) -> Result<bool, StoreFault> {
    let columns = Columns::of(observation);
    let Some(key) = keys.key(connection, columns.subject)? else { return Ok(false) };
    let sealed = columns.seal(key, observation)?;
    let subject = columns.subject.map(|id| id.0.to_be_bytes());
    let row = params![
        columns.device.0,
        columns.record.run.cast_signed(),
        columns.record.seq.cast_signed(),
        columns.code.0,
        subject,
        columns.effective_us,
        columns.received_us,
        *sealed,
    ];
    let inserted = connection
        .prepare_cached(
            "INSERT INTO observations
                 (device, run, seq, mdc, subject, effective_us, received_us, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (device, run, seq) DO NOTHING",
        )?
        .execute(row)?;
    if inserted > 0 {
        return Ok(true);
    }
    // The same content under the same key and nonce gives the same bytes.
    Ok(connection
        .prepare_cached(
            "SELECT count(*) > 0 FROM observations
             WHERE device = ?1 AND run = ?2 AND seq = ?3 AND mdc = ?4 AND subject IS ?5
                 AND effective_us = ?6 AND received_us = ?7 AND body = ?8",
        )?
        .query_row(row, |row| row.get(0))?)
}

/// Opens rows one after the other.
struct Opener<'a> {
    connection: &'a Connection,
    keys: &'a PatientKeys,
    known: HashMap<Option<SubjectId>, Option<Key>>,
}

impl<'a> Opener<'a> {
    fn new(connection: &'a Connection, keys: &'a PatientKeys) -> Self {
        Self { connection, keys, known: HashMap::new() }
    }

    /// A row of [`Columns::NAMES`] and the body; `None` if its key was destroyed.
    fn open(&mut self, row: &Row<'_>) -> Result<Option<(Columns, Body)>, StoreFault> {
        let columns = Columns::read(row)?;
        if !self.known.contains_key(&columns.subject) {
            let key = self.keys.existing(self.connection, columns.subject)?;
            self.known.insert(columns.subject, key);
        }
        let Some(Some(key)) = self.known.get(&columns.subject) else { return Ok(None) };
        let body = columns.open(key, row.get(7)?)?;
        Ok(Some((columns, body)))
    }
}

/// All observations in the order in which they were kept.
///
/// # Errors
/// `Damaged` if one of them does not open; otherwise as the database.
pub fn observations(
    connection: &Connection,
    keys: &PatientKeys,
) -> Result<Vec<Observation>, StoreFault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, body FROM observations ORDER BY id",
        Columns::NAMES
    ))?;
    let mut rows = statement.query([])?;
    let mut opener = Opener::new(connection, keys);
    let mut observations = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some((columns, body)) = opener.open(row)? {
            observations.push(observation(&columns, body)?);
        }
    }
    Ok(observations)
}

fn observation(columns: &Columns, body: Body) -> Result<Observation, StoreFault> {
    let Body { value, unit, device_time, clock, status, provenance } = body;
    Ok(Observation {
        record: columns.record,
        code: columns.code,
        value,
        unit,
        effective: timestamp(columns.effective_us)?,
        received: timestamp(columns.received_us)?,
        device_time,
        clock,
        status,
        device: columns.device,
        subject: columns.subject,
        provenance,
    })
}

/// What was measured of one patient after `since` and up to `until`, oldest first; what could not be
/// charted (S-7) is not among it.
///
/// # Errors
/// `Damaged` if a row does not open; otherwise as the database.
pub fn numerics(
    connection: &Connection,
    keys: &PatientKeys,
    subject: SubjectId,
    (since, until): (Timestamp, Timestamp),
) -> Result<Vec<PastNumeric>, StoreFault> {
    let id = subject.0.to_be_bytes();
    // Code by code, because the index is ordered by them: years of the same patient cost nothing.
    let mut codes = connection
        .prepare_cached("SELECT min(mdc) FROM observations WHERE subject = ?1 AND mdc > ?2")?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, body FROM observations
         WHERE subject = ?1 AND mdc = ?2 AND effective_us > ?3 AND effective_us <= ?4",
        Columns::NAMES
    ))?;
    let mut opener = Opener::new(connection, keys);
    let mut numerics = Vec::new();
    let mut code = -1_i64;
    loop {
        let next: Option<u32> = codes.query_row(params![id, code], |row| row.get(0))?;
        let Some(mdc) = next else { break };
        code = i64::from(mdc);
        let (since, until) = (since.as_microsecond(), until.as_microsecond());
        let mut rows = statement.query(params![id, mdc, since, until])?;
        while let Some(row) = rows.next()? {
            let Some((columns, body)) = opener.open(row)? else { continue };
            if let Value::Measured(value) = body.value.reveal() {
                numerics.push(PastNumeric {
                    mdc: columns.code,
                    value: Phi::new(*value),
                    unit: body.unit,
                    at: timestamp(columns.effective_us)?,
                });
            }
        }
    }
    numerics.sort_by_key(|numeric| numeric.at);
    Ok(numerics)
}

/// The first observations that were kept after this id, with their ids. What a destroyed key no
/// longer opens is passed over, so fewer than `limit` means that there are no more.
///
/// # Errors
/// `Damaged` if a row does not open; otherwise as the database.
pub fn for_packing(
    connection: &Connection,
    keys: &PatientKeys,
    after_id: i64,
    limit: usize,
) -> Result<Vec<(i64, Observation)>, StoreFault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, body, id FROM observations WHERE id > ?1 ORDER BY id",
        Columns::NAMES
    ))?;
    let mut rows = statement.query([after_id])?;
    let mut opener = Opener::new(connection, keys);
    let mut kept = Vec::new();
    while kept.len() < limit
        && let Some(row) = rows.next()?
    {
        if let Some((columns, body)) = opener.open(row)? {
            kept.push((row.get(8)?, observation(&columns, body)?));
        }
    }
    Ok(kept)
}

/// Observations of a patient and a code that were kept after this id and are of a time from the
/// first instant up to, but not at, the second, in microseconds.
///
/// # Errors
/// `Damaged` if a row does not open; otherwise as the database.
pub fn kept_after(
    connection: &Connection,
    keys: &PatientKeys,
    after_id: i64,
    (subject, code): (SubjectId, Mdc),
    (since_us, until_us): (i64, i64),
) -> Result<Vec<Observation>, StoreFault> {
    // By id and not by the index: what was kept last is little, what a patient has may be a month.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, body FROM observations
         WHERE id > ?1 AND +subject = ?2 AND +mdc = ?3 AND +effective_us >= ?4
             AND +effective_us < ?5",
        Columns::NAMES
    ))?;
    let subject = subject.0.to_be_bytes();
    let mut rows = statement.query(params![after_id, subject, code.0, since_us, until_us])?;
    let mut opener = Opener::new(connection, keys);
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some((columns, body)) = opener.open(row)? {
            kept.push(observation(&columns, body)?);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests;
