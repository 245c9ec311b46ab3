//! The minutes of values that no block has yet, written with the rows themselves.
//!
//! Packing waits for idle time, and a trend must not: whatever is not packed is drawn from here, and a month that
//! nobody packed costs a few milliseconds. Rows are summed by their ids, in chunks of [`CHUNK`] of them: what one
//! patient's values of a code and unit within a chunk add to each minute is one sealed row. Blocks are packed by
//! the same chunks, and what was packed is forgotten here in the same transaction. So a value is in a block or here,
//! never in both.
//!
//! Rows up to a certain id have no sums: an earlier program kept them ([`summed`]).
//!
//! ```text
//!  body   = minute*                in order
//!  minute = number i64 since 1970 | count u32 | min f32 | max f32 | sum f64     big-endian
//! ```

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use zeroize::Zeroizing;

use crate::vault::database::fault::VaultFault;
use crate::vault::database::meta;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::rows;
use crate::vault::trends::block::{Aggregate, Resolution};
use crate::vault::trends::{Series, drawn};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::Observation;
use wardkeep_model::vitals::nomenclature::{Mdc, Unit};

/// The table.
pub(in crate::vault) const NAME: &str = "trend_recent";

const TABLE: &str = "
    CREATE TABLE trend_recent (
        chunk INTEGER NOT NULL, subject BLOB NOT NULL, mdc INTEGER NOT NULL, unit TEXT NOT NULL,
        body BLOB NOT NULL, PRIMARY KEY (chunk, subject, mdc, unit)
    ) STRICT, WITHOUT ROWID;
";

/// Ids of a chunk, as a power of two.
const CHUNK_BITS: u32 = 11;
/// Rows that are summed together: some milliseconds of packing.
const CHUNK: i64 = 1 << CHUNK_BITS;
/// Rows up to this id have no sums.
const SUMMED: &str = "trend_summed_id";
/// Bytes of a minute.
const MINUTE_LEN: usize = 28;

/// Makes the table; the rows that are there have no sums.
///
/// # Errors
/// As the database.
pub(in crate::vault) fn upgrade(transaction: &Transaction<'_>) -> Result<(), VaultFault> {
    transaction.execute_batch(TABLE)?;
    nothing_is_summed(transaction)
}

/// The rows that are there have no sums, whatever had been written.
///
/// # Errors
/// As writing the database.
pub(in crate::vault) fn nothing_is_summed(transaction: &Transaction<'_>) -> Result<(), VaultFault> {
    transaction.execute("DELETE FROM trend_recent", [])?;
    meta::set(transaction, SUMMED, rows::last_id(transaction)?)
}

/// Rows with a later id than this have sums, as far as they are not packed.
///
/// # Errors
/// As reading the database.
pub(super) fn summed(connection: &Connection) -> Result<i64, VaultFault> {
    Ok(meta::get(connection, SUMMED)?.unwrap_or(0))
}

/// Rows that come after this id get sums, though such an id had none.
///
/// # Errors
/// As writing the database.
pub(super) fn sum_after(transaction: &Transaction<'_>, last: i64) -> Result<(), VaultFault> {
    transaction
        .prepare_cached("UPDATE meta SET value = ?1 WHERE name = ?2 AND value > ?1")?
        .execute(params![last, SUMMED])?;
    Ok(())
}

/// The last id of the chunk that an id is in.
pub(super) fn end_of_chunk(id: i64) -> i64 {
    id | (CHUNK - 1)
}

fn chunk_of(id: i64) -> i64 {
    id >> CHUNK_BITS
}

/// Forgets the sums of rows up to this id, which are in blocks now. No row with a later id is in its chunk yet, or
/// it is the chunk's last.
///
/// # Errors
/// As writing the database.
pub(super) fn forget(transaction: &Transaction<'_>, last: i64) -> Result<(), VaultFault> {
    transaction
        .prepare_cached("DELETE FROM trend_recent WHERE chunk <= ?1")?
        .execute([chunk_of(last)])?;
    Ok(())
}

/// What rows add to their minutes, until the transaction that inserts them writes it.
#[derive(Default)]
#[must_use]
pub(in crate::vault) struct Sums(BTreeMap<(i64, Series), Minutes>);

impl Sums {
    /// A row was inserted with this id.
    pub(in crate::vault) fn add(&mut self, id: i64, observation: &Observation) {
        let Some((subject, value)) = drawn(observation) else { return };
        let series = Series::new(subject, observation.code, observation.unit);
        let minutes = self.0.entry((chunk_of(id), series)).or_default();
        minutes.add(minute_of(observation.effective.as_microsecond()), Aggregate::of(value));
    }

    /// Writes them, before the transaction ends.
    ///
    /// # Errors
    /// As writing the database.
    pub(in crate::vault) fn write(
        self,
        transaction: &Transaction<'_>,
        keys: &mut PatientKeys,
    ) -> Result<(), VaultFault> {
        for ((chunk, series), minutes) in self.0 {
            match merge(transaction, keys, (chunk, series), minutes) {
                // Sums that do not open: the trend says so until their rows are packed, and recording goes on.
                Err(VaultFault::Store(StoreFault::Damaged)) => {
                    tracing::warn!("what was summed for a trend is damaged");
                }
                merged => merged?,
            }
        }
        Ok(())
    }
}

/// Adds minutes to those of a chunk and a series.
fn merge(
    transaction: &Transaction<'_>,
    keys: &mut PatientKeys,
    (chunk, series): (i64, Series),
    mut minutes: Minutes,
) -> Result<(), VaultFault> {
    let subject = series.subject.0.to_be_bytes();
    let sealed: Option<Vec<u8>> = transaction
        .prepare_cached(
            "SELECT body FROM trend_recent
             WHERE chunk = ?1 AND subject = ?2 AND mdc = ?3 AND unit = ?4",
        )?
        .query_row(params![chunk, subject, series.code.0, series.unit], |row| row.get(0))
        .optional()?;
    if let Some(sealed) = sealed {
        // Of a destroyed key there is nothing to add to; nor is anything inserted under it.
        let Some(before) = open(transaction, keys, (chunk, series), &sealed)? else {
            return Ok(());
        };
        before.0.into_iter().for_each(|(minute, values)| minutes.add(minute, values));
    }
    let context = context(chunk, series);
    let body = keys.seal(transaction, Some(series.subject), &context, &minutes.bytes())?;
    let Some(body) = body else { return Ok(()) };
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO trend_recent (chunk, subject, mdc, unit, body)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![chunk, subject, series.code.0, series.unit, body])?;
    Ok(())
}

/// What the rows after an id add to the minutes of a series. Its chunk has no sums of rows up to it.
///
/// # Errors
/// `Damaged` if one does not open or parse; otherwise as reading the database.
pub(super) fn read(
    connection: &Connection,
    keys: &mut PatientKeys,
    (series, after): (Series, i64),
    mut each: impl FnMut(i64, Aggregate),
) -> Result<(), VaultFault> {
    let mut statement = connection.prepare_cached(
        "SELECT chunk, body FROM trend_recent
         WHERE chunk >= ?1 AND subject = ?2 AND mdc = ?3 AND unit = ?4",
    )?;
    let subject = series.subject.0.to_be_bytes();
    let first = chunk_of(after.saturating_add(1));
    let mut rows = statement.query(params![first, subject, series.code.0, series.unit])?;
    while let Some(row) = rows.next()? {
        let sealed = row.get_ref(1)?.as_blob().map_err(|_| StoreFault::Damaged)?;
        let Some(minutes) = open(connection, keys, (row.get(0)?, series), sealed)? else {
            continue;
        };
        let entry_us = Resolution::Minute.entry_us();
        minutes.0.into_iter().for_each(|(minute, values)| each(minute * entry_us, values));
    }
    Ok(())
}

/// Whether the sums are what the rows say that are not packed.
///
/// # Errors
/// `Damaged` if they are not, or one does not open or parse; otherwise as reading the database.
pub(super) fn check(
    connection: &Connection,
    keys: &mut PatientKeys,
    (mut first, last): (i64, i64),
) -> Result<(), VaultFault> {
    let mut expected = Sums::default();
    while first <= last {
        let until = end_of_chunk(first).min(last);
        for (id, observation) in rows::kept_with_ids(connection, keys, (first, until))? {
            expected.add(id, &observation);
        }
        first = until.saturating_add(1);
        let chunk = chunk_of(until);
        let mut found = of_chunk(connection, keys, chunk)?;
        for ((_, series), minutes) in std::mem::take(&mut expected.0) {
            if !found.remove(&series).is_some_and(|found| found.is_like(&minutes)) {
                return Err(StoreFault::Damaged.into());
            }
        }
        if !found.is_empty() {
            return Err(StoreFault::Damaged.into());
        }
    }
    Ok(())
}

/// What is there of a chunk, but for patients whose keys were destroyed.
fn of_chunk(
    connection: &Connection,
    keys: &mut PatientKeys,
    chunk: i64,
) -> Result<BTreeMap<Series, Minutes>, VaultFault> {
    let mut statement = connection
        .prepare_cached("SELECT subject, mdc, unit, body FROM trend_recent WHERE chunk = ?1")?;
    let mut rows = statement.query([chunk])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let unit: String = row.get(2)?;
        let unit = Unit::from_ucum(&unit).ok_or(StoreFault::Damaged)?;
        let subject = SubjectId(u128::from_be_bytes(row.get(0)?));
        let series = Series::new(subject, Mdc(row.get(1)?), unit);
        let body: Vec<u8> = row.get(3)?;
        if let Some(minutes) = open(connection, keys, (chunk, series), &body)? {
            found.insert(series, minutes);
        }
    }
    Ok(found)
}

fn open(
    connection: &Connection,
    keys: &mut PatientKeys,
    (chunk, series): (i64, Series),
    sealed: &[u8],
) -> Result<Option<Minutes>, VaultFault> {
    let plain = keys.open(connection, Some(series.subject), &context(chunk, series), sealed)?;
    let Some(plain) = plain else { return Ok(None) };
    Ok(Minutes::parse(&plain).ok_or(StoreFault::Damaged).map(Some)?)
}

/// Associated data of a row's seal.
fn context(chunk: i64, series: Series) -> Vec<u8> {
    [
        b"trend recent v1".as_slice(),
        &series.subject.0.to_be_bytes(),
        &series.code.0.to_be_bytes(),
        &chunk.to_be_bytes(),
        series.unit.as_bytes(),
    ]
    .concat()
}

fn minute_of(at_us: i64) -> i64 {
    at_us.div_euclid(Resolution::Minute.entry_us())
}

/// Values of minutes, by the minutes' numbers.
#[derive(Debug, Default, PartialEq)]
struct Minutes(BTreeMap<i64, Aggregate>);

impl Minutes {
    fn add(&mut self, minute: i64, values: Aggregate) {
        self.0.entry(minute).and_modify(|present| present.merge(values)).or_insert(values);
    }

    fn bytes(&self) -> Zeroizing<Vec<u8>> {
        // At once as long as it will be: growing would leave a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.0.len() * MINUTE_LEN));
        for (minute, values) in &self.0 {
            bytes.extend(minute.to_be_bytes());
            bytes.extend(values.count.to_be_bytes());
            bytes.extend(values.min.to_be_bytes());
            bytes.extend(values.max.to_be_bytes());
            bytes.extend(values.sum.to_be_bytes());
        }
        bytes
    }

    /// The same values, in whatever order they came.
    fn is_like(&self, other: &Self) -> bool {
        let same = |((minute, one), (also, other)): ((&i64, &Aggregate), (&i64, &Aggregate))| {
            let near = (one.sum - other.sum).abs() <= 1e-9 * (1.0 + one.sum.abs());
            let exact = |of: &Aggregate| (of.count, of.min, of.max);
            minute == also && exact(one) == exact(other) && near
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }

    /// `None` if they are none.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut minutes = BTreeMap::new();
        let mut before = None;
        for entry in bytes.chunks(MINUTE_LEN) {
            let (minute, rest) = entry.split_first_chunk()?;
            let (count, rest) = rest.split_first_chunk()?;
            let (min, rest) = rest.split_first_chunk()?;
            let (max, rest) = rest.split_first_chunk()?;
            let minute = i64::from_be_bytes(*minute);
            let values = Aggregate {
                count: u32::from_be_bytes(*count),
                min: f32::from_be_bytes(*min),
                max: f32::from_be_bytes(*max),
                sum: f64::from_be_bytes(*rest.first_chunk()?),
            };
            let is_sound = values.count > 0 && values.min <= values.max && values.sum.is_finite();
            let fits = minute.checked_mul(Resolution::Minute.entry_us()).is_some();
            if !is_sound || !fits || before >= Some(minute) {
                return None;
            }
            before = Some(minute);
            minutes.insert(minute, values);
        }
        Some(Self(minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn minutes_are_read_as_they_were_made_and_nothing_else_panics(
            values in proptest::collection::vec((-90_000_i64..90_000, -300.0_f32..3_000.0), 0..60),
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ) {
            let mut minutes = Minutes::default();
            values.iter().for_each(|(minute, value)| minutes.add(*minute, Aggregate::of(*value)));
            let found = Minutes::parse(&minutes.bytes()).expect("it was just made");
            proptest::prop_assert_eq!(&found, &minutes);
            let count: u32 = found.0.values().map(|values| values.count).sum();
            proptest::prop_assert_eq!(usize::try_from(count).unwrap(), values.len());
            if let Some(found) = Minutes::parse(&bytes) {
                proptest::prop_assert_eq!(&**found.bytes(), &bytes[..]);
            }
        }
    }
}
