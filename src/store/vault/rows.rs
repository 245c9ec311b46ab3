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

use crate::crypto::{Key, NONCE_LEN, open_as, seal_as};
use crate::record::body::{self, Body};
use crate::vault::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::keeping::emergency::PastNumeric;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::nomenclature::Mdc;
use wardkeep_model::vitals::{Observation, RecordId, Value};

mod insert;
mod upgrade;

pub use insert::Inserter;
pub use upgrade::upgrade;

/// Domain of the nonces of observations, apart from whatever else a device's numbers may seal.
const DOMAIN: u8 = 1;
/// Bytes of a body beside its statuses, tag included.
const BODY_LEN: usize = 4 + 10 + 12 + 16;

/// Tables of observations. A row names its device and run, and its patient, by number: they repeat in
/// every row and in both indexes. `delay_us` is how much later than measured a row was received.
const TABLES: &str = "
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

/// Whole rows. A number that names nothing leaves a row that does not open.
const WHOLE: &str =
    "observations LEFT JOIN sources USING (source) LEFT JOIN subjects USING (patient)";

/// Number of a patient, as a value in a statement; none if they have no row.
const PATIENT: &str = "(SELECT patient FROM subjects WHERE subject = ?1)";

/// The one word of a fieldless enum, as its serialisation spells it.
pub fn word<T: Serialize>(value: &T) -> Result<String, VaultFault> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(_) | Err(_) => Err(StoreFault::Damaged.into()),
    }
}

/// The value of a word.
pub fn from_word<T: DeserializeOwned>(word: String) -> Result<T, VaultFault> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|_| StoreFault::Damaged.into())
}

/// A stored instant.
pub fn timestamp(micros: i64) -> Result<Timestamp, VaultFault> {
    Ok(Timestamp::from_microsecond(micros).map_err(|_| StoreFault::Damaged)?)
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
    const NAMES: &str = "device, run, seq, mdc, subject, effective_us, delay_us";

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

    fn read(row: &Row<'_>) -> Result<Self, VaultFault> {
        let subject: Option<[u8; 16]> = row.get(4)?;
        let (effective_us, delay_us): (i64, i64) = (row.get(5)?, row.get(6)?);
        Ok(Self {
            device: DeviceId(row.get(0)?),
            record: RecordId {
                run: row.get::<_, i64>(1)?.cast_unsigned(),
                seq: row.get::<_, i64>(2)?.cast_unsigned(),
            },
            code: Mdc(row.get(3)?),
            subject: subject.map(|id| SubjectId(u128::from_be_bytes(id))),
            effective_us,
            received_us: effective_us.wrapping_add(delay_us),
        })
    }

    fn delay_us(&self) -> i64 {
        self.received_us.wrapping_sub(self.effective_us)
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

    /// What the body is bound to, beside its patient by the key, and device and number by the nonce.
    fn bound(&self) -> [u8; 20] {
        let mut bound = [0; 20];
        let (code, times) = bound.split_at_mut(4);
        let (effective, received) = times.split_at_mut(8);
        code.copy_from_slice(&self.code.0.to_be_bytes());
        effective.copy_from_slice(&self.effective_us.to_be_bytes());
        received.copy_from_slice(&self.received_us.to_be_bytes());
        bound
    }

    /// Puts the sealed body into the buffer, instead of what is in it.
    fn seal(
        &self,
        key: &Key,
        observation: &Observation,
        buffer: &mut Zeroizing<Vec<u8>>,
    ) -> Result<(), VaultFault> {
        let length = BODY_LEN + observation.status.len();
        if buffer.capacity() < length {
            // Growing would leave copies behind.
            *buffer = Zeroizing::new(Vec::with_capacity(length));
        }
        buffer.clear();
        body::encode(observation, buffer);
        Ok(seal_as(key, &self.nonce(), &self.bound(), buffer)?)
    }

    fn open(&self, key: &Key, sealed: Vec<u8>) -> Result<Body, VaultFault> {
        let mut body = Zeroizing::new(sealed);
        open_as(key, &self.nonce(), &self.bound(), &mut body).ok_or(StoreFault::Damaged)?;
        Ok(body::decode(&body)?)
    }
}

/// Deletes a patient's observations.
///
/// # Errors
/// As the database.
pub fn delete(connection: &Connection, subject: SubjectId) -> Result<(), VaultFault> {
    connection.execute(
        &format!("DELETE FROM observations WHERE patient = {PATIENT}"),
        [subject.0.to_be_bytes()],
    )?;
    Ok(())
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
    fn open(&mut self, row: &Row<'_>) -> Result<Option<(Columns, Body)>, VaultFault> {
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
) -> Result<Vec<Observation>, VaultFault> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {}, body FROM {WHOLE} ORDER BY id", Columns::NAMES))?;
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

fn observation(columns: &Columns, body: Body) -> Result<Observation, VaultFault> {
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
) -> Result<Vec<PastNumeric>, VaultFault> {
    let id = subject.0.to_be_bytes();
    // Code by code, because the index is ordered by them: years of the same patient cost nothing.
    let mut codes = connection.prepare_cached(&format!(
        "SELECT min(mdc) FROM observations WHERE patient = {PATIENT} AND mdc > ?2"
    ))?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, body FROM {WHOLE}
         WHERE patient = {PATIENT} AND mdc = ?2 AND effective_us > ?3 AND effective_us <= ?4",
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
) -> Result<Vec<(i64, Observation)>, VaultFault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, body, id FROM {WHOLE} WHERE id > ?1 ORDER BY id",
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
) -> Result<Vec<Observation>, VaultFault> {
    // By id and not by the index: what was kept last is little, what a patient has may be a month.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, body FROM {WHOLE}
         WHERE id > ?2 AND +patient = {PATIENT} AND +mdc = ?3 AND +effective_us >= ?4
             AND +effective_us < ?5",
        Columns::NAMES
    ))?;
    let subject = subject.0.to_be_bytes();
    let mut rows = statement.query(params![subject, after_id, code.0, since_us, until_us])?;
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
