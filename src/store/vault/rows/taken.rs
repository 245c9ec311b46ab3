//! Which numbers of a source have a row: each is taken once, because it is also the nonce of the row's body
//! ([`crate::vault::rows::columns`]).
//!
//! An index over all rows would say the same in 16 bytes of each of them. Numbers come nearly in order, so a bit
//! for each does it: 1,024 of them in a row of the table, and with them the id of the last row that set one.
//! What retention has deleted is forgotten as a whole once all of a row's numbers are older than every
//! observation.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::vault::database::fault::VaultFault;
use wardkeep_model::keeping::StoreFault;

/// Table of the bits.
pub(super) const TABLE: &str = "
    CREATE TABLE taken (
        source INTEGER NOT NULL, first INTEGER NOT NULL, last_id INTEGER NOT NULL,
        numbers BLOB NOT NULL, PRIMARY KEY (source, first)
    ) STRICT, WITHOUT ROWID;
";

/// Numbers of a row of the table, as a power of two.
const SPAN_BITS: u32 = 10;
const BYTES: usize = 1 << (SPAN_BITS - 3);

/// The numbers of a row.
struct Span {
    numbers: [u8; BYTES],
    last_id: i64,
    is_changed: bool,
}

/// The numbers that are taken, as far as a transaction asks for them.
pub struct Taken<'a> {
    connection: &'a Connection,
    spans: BTreeMap<(i64, i64), Span>,
}

impl<'a> Taken<'a> {
    /// Numbers of the sources of this database.
    pub fn new(connection: &'a Connection) -> Self {
        Self { connection, spans: BTreeMap::new() }
    }

    /// Whether a number of a source has a row.
    ///
    /// # Errors
    /// `Damaged` if a row of the table is none; otherwise as the database.
    pub fn has(&mut self, source: i64, number: u64) -> Result<bool, VaultFault> {
        let (byte, bit) = place(number);
        Ok(self.span(source, number)?.numbers.get(byte).is_some_and(|byte| byte & bit != 0))
    }

    /// A number of a source has this row from now on.
    ///
    /// # Errors
    /// As [`Taken::has`].
    pub fn take(&mut self, source: i64, number: u64, id: i64) -> Result<(), VaultFault> {
        let (byte, bit) = place(number);
        let span = self.span(source, number)?;
        if let Some(byte) = span.numbers.get_mut(byte) {
            *byte |= bit;
        }
        span.last_id = span.last_id.max(id);
        span.is_changed = true;
        Ok(())
    }

    fn span(&mut self, source: i64, number: u64) -> Result<&mut Span, VaultFault> {
        let first = (number >> SPAN_BITS).cast_signed();
        if !self.spans.contains_key(&(source, first)) {
            let found: Option<(Vec<u8>, i64)> = self
                .connection
                .prepare_cached(
                    "SELECT numbers, last_id FROM taken WHERE source = ?1 AND first = ?2",
                )?
                .query_row([source, first], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (numbers, last_id) = match found {
                Some((numbers, last_id)) => {
                    (numbers.as_slice().try_into().map_err(|_| StoreFault::Damaged)?, last_id)
                }
                None => ([0; BYTES], 0),
            };
            self.spans.insert((source, first), Span { numbers, last_id, is_changed: false });
        }
        Ok(self.spans.get_mut(&(source, first)).ok_or(StoreFault::Damaged)?)
    }

    /// Writes what was taken; before the transaction ends.
    ///
    /// # Errors
    /// As the database.
    pub fn write(self) -> Result<(), VaultFault> {
        let mut statement = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO taken (source, first, last_id, numbers)
             VALUES (?1, ?2, ?3, ?4)",
        )?;
        for ((source, first), span) in self.spans.iter().filter(|(_, span)| span.is_changed) {
            statement.execute(params![source, first, span.last_id, span.numbers])?;
        }
        Ok(())
    }
}

/// Takes the number of every row that there is, as far as it is not taken.
///
/// # Errors
/// As [`Taken::has`].
pub(in crate::vault) fn take_all(connection: &Connection) -> Result<(), VaultFault> {
    let mut statement = connection.prepare(
        "SELECT source, seq, id FROM observations JOIN series USING (series) ORDER BY source, seq",
    )?;
    let mut rows = statement.query([])?;
    let mut taken = Taken::new(connection);
    while let Some(row) = rows.next()? {
        let (source, number): (i64, i64) = (row.get(0)?, row.get(1)?);
        taken.take(source, number.cast_unsigned(), row.get(2)?)?;
    }
    taken.write()
}

/// Forgets numbers all of whose rows are older than every row that is left.
///
/// # Errors
/// As the database.
pub fn forget_old(connection: &Connection) -> Result<(), VaultFault> {
    connection.execute(
        "DELETE FROM taken
         WHERE last_id < coalesce((SELECT min(id) FROM observations), 9223372036854775807)",
        [],
    )?;
    Ok(())
}

/// Byte and bit of a number in its row.
fn place(number: u64) -> (usize, u8) {
    let within = number % (1 << SPAN_BITS);
    (usize::try_from(within / 8).unwrap_or(0), 1 << (within % 8))
}
