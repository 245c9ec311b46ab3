//! Observations into the vault, and the numbers that their rows refer to.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, params};
use zeroize::Zeroizing;

use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::rows::columns::Columns;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::Observation;

/// Inserts observations, within one transaction.
pub struct Inserter<'a> {
    connection: &'a Connection,
    statement: CachedStatement<'a>,
    sources: BTreeMap<(DeviceId, u64), i64>,
    patients: BTreeMap<SubjectId, i64>,
    buffer: Zeroizing<Vec<u8>>,
}

impl<'a> Inserter<'a> {
    /// # Errors
    /// As the database.
    pub fn new(connection: &'a Connection) -> Result<Self, VaultFault> {
        let statement = connection.prepare_cached(
            "INSERT INTO observations
                 (source, seq, mdc, patient, effective_us, delay_us, body, id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (source, seq) DO NOTHING",
        )?;
        Ok(Self {
            connection,
            statement,
            sources: BTreeMap::new(),
            patients: BTreeMap::new(),
            buffer: Zeroizing::default(),
        })
    }

    /// Inserts an observation, as the last one or with an id. The same one again is accepted and changes
    /// nothing; false if a different one has the same identity, or its patient's key was destroyed.
    ///
    /// # Errors
    /// As the database.
    pub fn insert(
        &mut self,
        keys: &mut PatientKeys,
        observation: &Observation,
        id: Option<i64>,
    ) -> Result<bool, VaultFault> {
        let columns = Columns::of(observation);
        let Some(key) = keys.key(self.connection, columns.subject)? else { return Ok(false) };
        columns.seal(key, observation, &mut self.buffer)?;
        let source = self.source(&columns)?;
        let patient = columns.subject.map(|subject| self.patient(subject)).transpose()?;
        let seq = columns.record.seq.cast_signed();
        let inserted = self.statement.execute(params![
            source,
            seq,
            columns.code.0,
            patient,
            columns.effective_us,
            columns.delay_us(),
            *self.buffer,
            id,
        ])?;
        if inserted > 0 {
            return Ok(true);
        }
        // The same content under the same key and nonce gives the same bytes.
        Ok(self
            .connection
            .prepare_cached(
                "SELECT count(*) > 0 FROM observations
                 WHERE source = ?1 AND seq = ?2 AND mdc = ?3 AND patient IS ?4
                     AND effective_us = ?5 AND delay_us = ?6 AND body = ?7",
            )?
            .query_row(
                params![
                    source,
                    seq,
                    columns.code.0,
                    patient,
                    columns.effective_us,
                    columns.delay_us(),
                    *self.buffer,
                ],
                |row| row.get(0),
            )?)
    }

    fn source(&mut self, columns: &Columns) -> Result<i64, VaultFault> {
        let run = columns.record.run;
        if let Some(number) = self.sources.get(&(columns.device, run)) {
            return Ok(*number);
        }
        let number = number(
            self.connection,
            [
                "SELECT source FROM sources WHERE device = ?1 AND run = ?2",
                "INSERT INTO sources (device, run) VALUES (?1, ?2)",
            ],
            params![columns.device.0, run.cast_signed()],
        )?;
        self.sources.insert((columns.device, run), number);
        Ok(number)
    }

    fn patient(&mut self, subject: SubjectId) -> Result<i64, VaultFault> {
        if let Some(number) = self.patients.get(&subject) {
            return Ok(*number);
        }
        let number = number(
            self.connection,
            [
                "SELECT patient FROM subjects WHERE subject = ?1",
                "INSERT INTO subjects (subject) VALUES (?1)",
            ],
            params![subject.0.to_be_bytes()],
        )?;
        self.patients.insert(subject, number);
        Ok(number)
    }
}

/// The number of something, given at its first use.
fn number(
    connection: &Connection,
    [find, insert]: [&str; 2],
    what: &[&dyn ToSql],
) -> Result<i64, VaultFault> {
    let found = connection.prepare_cached(find)?.query_row(what, |row| row.get(0)).optional()?;
    match found {
        Some(number) => Ok(number),
        None => Ok(connection.prepare_cached(insert)?.insert(what)?),
    }
}
