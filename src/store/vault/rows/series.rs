//! What rows have in common: device, run, patient and code, once in a table of their own.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use crate::vault::database::fault::VaultFault;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::nomenclature::Mdc;

/// Tables of the numbers.
pub(super) const TABLES: &str = "
    CREATE TABLE series (
        series INTEGER PRIMARY KEY,
        source INTEGER NOT NULL, patient INTEGER, mdc INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX series_of_patient ON series (patient, mdc, source);
";

/// Number of a patient, as a value in a statement; none if they have no row.
pub(super) const PATIENT: &str = "(SELECT patient FROM subjects WHERE subject = ?1)";

/// What the rows of a series have in common.
#[derive(Clone, Copy, Debug)]
pub struct Common {
    /// Which device.
    pub device: DeviceId,
    /// Run of the program.
    pub run: u64,
    /// Number of device and run.
    pub source: i64,
    /// What was measured.
    pub code: Mdc,
    /// Of whom.
    pub subject: Option<SubjectId>,
}

/// The series of a database, each read once.
pub struct AllSeries<'a> {
    connection: &'a Connection,
    known: HashMap<i64, Common>,
}

impl<'a> AllSeries<'a> {
    /// The series of this database.
    pub fn new(connection: &'a Connection) -> Self {
        Self { connection, known: HashMap::new() }
    }

    /// What the rows of a series have in common.
    ///
    /// # Errors
    /// `Damaged` if a number names nothing; otherwise as the database.
    pub fn common(&mut self, series: i64) -> Result<Common, VaultFault> {
        if let Some(common) = self.known.get(&series) {
            return Ok(*common);
        }
        let common = read(self.connection, series)?;
        self.known.insert(series, common);
        Ok(common)
    }
}

fn read(connection: &Connection, series: i64) -> Result<Common, VaultFault> {
    let found = connection
        .prepare_cached(
            "SELECT device, run, source, mdc, patient, subject
             FROM series JOIN sources USING (source) LEFT JOIN subjects USING (patient)
             WHERE series = ?1",
        )?
        .query_row([series], |row| {
            let run: i64 = row.get(1)?;
            let (patient, subject): (Option<i64>, Option<[u8; 16]>) = (row.get(4)?, row.get(5)?);
            let common = Common {
                device: DeviceId(row.get(0)?),
                run: run.cast_unsigned(),
                source: row.get(2)?,
                code: Mdc(row.get(3)?),
                subject: subject.map(|id| SubjectId(u128::from_be_bytes(id))),
            };
            Ok((patient.is_some(), common))
        })
        .optional()?;
    match found {
        Some((is_somebodys, common)) if is_somebodys == common.subject.is_some() => Ok(common),
        Some(_) | None => Err(StoreFault::Damaged.into()),
    }
}
