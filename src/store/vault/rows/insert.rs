//! Observations into the vault, and the numbers that their rows refer to.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, params};
use zeroize::Zeroizing;

use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::rows::columns::Columns;
use crate::vault::rows::taken::Taken;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::Observation;

/// Which rows a series has: number of the source and of the patient, and code.
type Which = (i64, Option<i64>, u32);

/// What became of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It has a row of this id now.
    New(i64),
    /// This very one had a row.
    Again,
    /// A different one has its identity, or its patient's key was destroyed.
    Refused,
}

/// Inserts observations, within one transaction. **[`Inserter::finish`] belongs to it**: without it the
/// numbers of what was inserted are not taken.
#[must_use]
pub struct Inserter<'a> {
    connection: &'a Connection,
    statement: CachedStatement<'a>,
    sources: BTreeMap<(DeviceId, u64), i64>,
    patients: BTreeMap<SubjectId, i64>,
    series: BTreeMap<Which, i64>,
    taken: Taken<'a>,
    buffer: Zeroizing<Vec<u8>>,
}

impl<'a> Inserter<'a> {
    /// # Errors
    /// As the database.
    pub fn new(connection: &'a Connection) -> Result<Self, VaultFault> {
        let statement = connection.prepare_cached(
            "INSERT INTO observations (series, seq, effective, delay_us, body)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        Ok(Self {
            connection,
            statement,
            sources: BTreeMap::new(),
            patients: BTreeMap::new(),
            series: BTreeMap::new(),
            taken: Taken::new(connection),
            buffer: Zeroizing::default(),
        })
    }

    /// Inserts an observation as the last one. The same one again is accepted and changes nothing.
    ///
    /// # Errors
    /// As the database.
    pub fn insert(
        &mut self,
        keys: &mut PatientKeys,
        observation: &Observation,
    ) -> Result<Inserted, VaultFault> {
        let columns = Columns::of(observation);
        let Some(key) = keys.key(self.connection, columns.subject)? else {
            return Ok(Inserted::Refused);
        };
        columns.seal(key, observation, &mut self.buffer)?;
        let source = self.source(&columns)?;
        let patient = columns.subject.map(|subject| self.patient(subject)).transpose()?;
        let which = (source, patient, columns.code.0);
        if self.taken.has(source, columns.record.seq)? {
            let is_there = self.is_there(which, &columns)?;
            return Ok(if is_there { Inserted::Again } else { Inserted::Refused });
        }
        let series = self.series(which)?;
        let (seq, effective) = (columns.record.seq.cast_signed(), columns.effective());
        let row = params![series, seq, effective, columns.delay_us(), *self.buffer];
        let id = self.statement.insert(row)?;
        self.taken.take(source, columns.record.seq, id)?;
        Ok(Inserted::New(id))
    }

    /// Whether this very observation has a row. The same content under the same key and nonce gives the same
    /// bytes.
    fn is_there(&self, which: Which, columns: &Columns) -> Result<bool, VaultFault> {
        let Some(series) = self.known_series(which)? else { return Ok(false) };
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*) > 0 FROM observations
             WHERE series = ?1 AND effective = ?2 AND seq = ?3 AND delay_us = ?4 AND body = ?5",
        )?;
        let seq = columns.record.seq.cast_signed();
        let row = params![series, columns.effective(), seq, columns.delay_us(), *self.buffer];
        Ok(statement.query_row(row, |row| row.get(0))?)
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

    fn known_series(&self, (source, patient, code): Which) -> Result<Option<i64>, VaultFault> {
        if let Some(number) = self.series.get(&(source, patient, code)) {
            return Ok(Some(*number));
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT series FROM series WHERE patient IS ?1 AND mdc = ?2 AND source = ?3",
        )?;
        Ok(statement.query_row(params![patient, code, source], |row| row.get(0)).optional()?)
    }

    fn series(&mut self, which: Which) -> Result<i64, VaultFault> {
        let (source, patient, code) = which;
        let number = match self.known_series(which)? {
            Some(number) => number,
            None => self
                .connection
                .prepare_cached("INSERT INTO series (source, patient, mdc) VALUES (?1, ?2, ?3)")?
                .insert(params![source, patient, code])?,
        };
        self.series.insert(which, number);
        Ok(number)
    }

    /// Takes the numbers of what was inserted.
    ///
    /// # Errors
    /// As the database.
    pub fn finish(self) -> Result<(), VaultFault> {
        self.taken.write()
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
