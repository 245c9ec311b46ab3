//! Observations as rows of the vault: what is read of them. What a row is made of is in
//! [`crate::vault::rows::columns`].

pub(in crate::vault) mod columns;
pub(in crate::vault) mod insert;

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::crypto::Key;
use crate::record::codec::Body;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::rows::columns::{Columns, timestamp};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::emergency::PastNumeric;
use wardkeep_model::vitals::nomenclature::Mdc;
use wardkeep_model::vitals::{Observation, Value};

/// Tables of observations. A row names its device and run, and its patient, by number: they repeat in
/// every row and in both indexes. `delay_us` is how much later than measured a row was received.
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

/// The table.
pub(in crate::vault) const NAME: &str = "observations";

/// Whole rows. A number that names nothing leaves a row that does not open.
const WHOLE: &str =
    "observations LEFT JOIN sources USING (source) LEFT JOIN subjects USING (patient)";

/// Number of a patient, as a value in a statement; none if they have no row.
const PATIENT: &str = "(SELECT patient FROM subjects WHERE subject = ?1)";

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
pub(in crate::vault) struct RowOpener<'a> {
    connection: &'a Connection,
    keys: &'a PatientKeys,
    known: HashMap<Option<SubjectId>, Option<Key>>,
}

impl<'a> RowOpener<'a> {
    /// Opens rows of this database.
    pub(in crate::vault) fn new(connection: &'a Connection, keys: &'a PatientKeys) -> Self {
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

    /// A row of [`select_all`]; `None` if its key was destroyed.
    pub(in crate::vault) fn observation(
        &mut self,
        row: &Row<'_>,
    ) -> Result<Option<Observation>, VaultFault> {
        self.open(row)?.map(|(columns, body)| observation(&columns, body)).transpose()
    }
}

/// Every row with its id behind it, in the order in which they were kept.
pub(in crate::vault) fn select_all() -> String {
    format!("SELECT {}, body, id FROM {WHOLE} ORDER BY id", Columns::NAMES)
}

/// All observations in the order in which they were kept.
///
/// # Errors
/// `Damaged` if one of them does not open; otherwise as the database.
pub fn observations(vault: &Vault) -> Result<Vec<Observation>, VaultFault> {
    let Vault { connection, patients: keys, .. } = vault;
    let mut statement = connection
        .prepare_cached(&format!("SELECT {}, body FROM {WHOLE} ORDER BY id", Columns::NAMES))?;
    let mut rows = statement.query([])?;
    let mut opener = RowOpener::new(connection, keys);
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
    vault: &Vault,
    subject: SubjectId,
    (since, until): (Timestamp, Timestamp),
) -> Result<Vec<PastNumeric>, VaultFault> {
    let Vault { connection, patients: keys, .. } = vault;
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
    let mut opener = RowOpener::new(connection, keys);
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
pub(super) fn for_packing(
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
    let mut opener = RowOpener::new(connection, keys);
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
pub(super) fn kept_after(
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
    let mut opener = RowOpener::new(connection, keys);
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
