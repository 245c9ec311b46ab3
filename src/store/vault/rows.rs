//! Observations as rows of the vault: what is read of them. What a row is made of is in
//! [`crate::vault::rows::columns`].

pub(in crate::vault) mod columns;
pub(in crate::vault) mod insert;
mod series;
pub(in crate::vault) mod taken;

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::crypto::Key;
use crate::record::codec::Body;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::rows::columns::{Columns, timestamp, to_effective};
use crate::vault::rows::series::{AllSeries, PATIENT};
use crate::vault::rows::taken::Taken;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::keeping::emergency::PastNumeric;
use wardkeep_model::vitals::nomenclature::Mdc;
use wardkeep_model::vitals::{Observation, Value};

/// Table of observations, and of their identities. `series` says whose and what a row is, `effective` when it was
/// measured (counted from [`columns::EFFECTIVE_FROM_US`]), `delay_us` how much later it was received. The numbers of
/// sources and patients are those of version 3 of the schema.
pub(super) const TABLE: &str = "
    CREATE TABLE observations (
        id INTEGER PRIMARY KEY,
        series INTEGER NOT NULL, seq INTEGER NOT NULL,
        effective INTEGER NOT NULL, delay_us INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT;
";

/// The index by which rows are found.
pub(super) const INDEX: &str =
    "CREATE INDEX observations_of_series ON observations (series, effective);";

/// The table.
pub(in crate::vault) const NAME: &str = "observations";

/// Tables of what rows refer to.
pub(super) fn beside() -> String {
    [series::TABLES, taken::TABLE].concat()
}

/// Columns of a row, as they are read.
const ROW: &str = "id, series, seq, effective, delay_us, body";

/// Deletes a patient's observations.
///
/// # Errors
/// As the database.
pub fn delete(connection: &Connection, subject: SubjectId) -> Result<(), VaultFault> {
    for rows in [
        "observations WHERE series IN (SELECT series FROM series WHERE patient = ",
        // What was measured of them.
        "series WHERE (patient = ",
    ] {
        let sql = format!("DELETE FROM {rows}{PATIENT})");
        connection.execute(&sql, [subject.0.to_be_bytes()])?;
    }
    Ok(())
}

/// Id of the row that was kept last, 0 without one.
///
/// # Errors
/// As the database.
pub(super) fn last_id(connection: &Connection) -> Result<i64, VaultFault> {
    let mut statement =
        connection.prepare_cached("SELECT coalesce(max(id), 0) FROM observations")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Opens rows one after the other.
pub(in crate::vault) struct RowOpener<'a> {
    connection: &'a Connection,
    keys: &'a PatientKeys,
    series: AllSeries<'a>,
    known: HashMap<Option<SubjectId>, Option<Key>>,
}

impl<'a> RowOpener<'a> {
    /// Opens rows of this database.
    pub(in crate::vault) fn new(connection: &'a Connection, keys: &'a PatientKeys) -> Self {
        Self { connection, keys, series: AllSeries::new(connection), known: HashMap::new() }
    }

    /// A row of [`ROW`]: its columns and the body; `None` if its key was destroyed.
    fn open(&mut self, row: &Row<'_>) -> Result<Option<(Columns, Body)>, VaultFault> {
        let common = self.series.common(row.get(1)?)?;
        let columns = Columns::read(&common, row)?;
        if !self.known.contains_key(&columns.subject) {
            let key = self.keys.existing(self.connection, columns.subject)?;
            self.known.insert(columns.subject, key);
        }
        let Some(Some(key)) = self.known.get(&columns.subject) else { return Ok(None) };
        let body = columns.open(key, row.get(5)?)?;
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

/// Every row, its id first, in the order in which they were kept.
pub(in crate::vault) fn select_all() -> String {
    format!("SELECT {ROW} FROM observations ORDER BY id")
}

/// All observations in the order in which they were kept.
///
/// # Errors
/// `Damaged` if one of them does not open; otherwise as the database.
pub fn observations(vault: &Vault) -> Result<Vec<Observation>, VaultFault> {
    let Vault { connection, patients: keys, .. } = vault;
    let mut statement = connection.prepare_cached(&select_all())?;
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

/// Opens every observation, and looks whether its number is taken; how many there are, destroyed ones not counted.
///
/// # Errors
/// `Damaged` if one does not open, or its number is free; otherwise as the database.
pub(super) fn check(connection: &Connection, keys: &PatientKeys) -> Result<u64, VaultFault> {
    let mut statement = connection.prepare(&format!("SELECT {ROW} FROM observations"))?;
    let mut rows = statement.query([])?;
    let mut opener = RowOpener::new(connection, keys);
    let mut taken = Taken::new(connection);
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let source = opener.series.common(row.get(1)?)?.source;
        if !taken.has(source, row.get::<_, i64>(2)?.cast_unsigned())? {
            return Err(StoreFault::Damaged.into());
        }
        count += u64::from(opener.open(row)?.is_some());
    }
    Ok(count)
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
    // Series by series, because the index is ordered by them: years of the same patient cost nothing.
    let mut all = connection
        .prepare_cached(&format!("SELECT series FROM series WHERE patient = {PATIENT}"))?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ROW} FROM observations WHERE series = ?1 AND effective > ?2 AND effective <= ?3"
    ))?;
    let span = (to_effective(since.as_microsecond()), to_effective(until.as_microsecond()));
    let mut opener = RowOpener::new(connection, keys);
    let mut numerics = Vec::new();
    let mut series = all.query([subject.0.to_be_bytes()])?;
    while let Some(one) = series.next()? {
        let number: i64 = one.get(0)?;
        let mut rows = statement.query(params![number, span.0, span.1])?;
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
    numerics.sort_by_key(|numeric| (numeric.at, numeric.mdc.0));
    Ok(numerics)
}

/// The observations with these ids, both included, with them. What a destroyed key no longer opens is passed over.
///
/// # Errors
/// `Damaged` if a row does not open; otherwise as the database.
pub(super) fn kept_with_ids(
    connection: &Connection,
    keys: &PatientKeys,
    (first, last): (i64, i64),
) -> Result<Vec<(i64, Observation)>, VaultFault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ROW} FROM observations WHERE id BETWEEN ?1 AND ?2 ORDER BY id"
    ))?;
    let mut rows = statement.query([first, last])?;
    let mut opener = RowOpener::new(connection, keys);
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some((columns, body)) = opener.open(row)? {
            kept.push((row.get(0)?, observation(&columns, body)?));
        }
    }
    Ok(kept)
}

/// Observations of a patient and a code with ids after the first and up to the last of these, that are of a time
/// from the first instant up to, but not at, the second, in microseconds.
///
/// # Errors
/// `Damaged` if a row does not open; otherwise as the database.
pub(super) fn kept_between(
    connection: &Connection,
    keys: &PatientKeys,
    (after_id, last_id): (i64, i64),
    (subject, code): (SubjectId, Mdc),
    (since_us, until_us): (i64, i64),
) -> Result<Vec<Observation>, VaultFault> {
    // By id and not by the index: what was kept last is little, what a patient has may be a month.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ROW} FROM observations
         WHERE id > ?2 AND id <= ?6 AND +effective >= ?4 AND +effective < ?5
             AND +series IN (SELECT series FROM series WHERE patient = {PATIENT} AND mdc = ?3)"
    ))?;
    let subject = subject.0.to_be_bytes();
    let (since, until) = (to_effective(since_us), to_effective(until_us));
    let mut rows = statement.query(params![subject, after_id, code.0, since, until, last_id])?;
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
