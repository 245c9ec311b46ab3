//! Trends: what a patient's values were over a time, packed so that a year is read at once.
//!
//! Opening 86,400 sealed rows takes too long for a picture. In idle time rows are therefore packed, in the
//! order in which they were kept, into sealed blocks of one patient, code and unit: an hour of single
//! values, a day of minutes, a month of hours. The id of the last row that was packed moves in the same
//! transaction, so every row is packed exactly once, whenever it arrives and whatever time it is of.
//!
//! S-7: only a measured value with a patient counts, and only if its time is known: live, or stamped by
//! a device whose clock was compared with ours. Values in different units are never mixed.
//!
//! A trend is complete: what is not packed yet is read from the rows. Where many rows come at once, in an import,
//! they are packed in between, so that these are never many ([`is_crowded`]). A value too large for 32 bits of
//! floating point is not drawn.

mod block;
mod columns;

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use self::block::{Aggregate, Block, Resolution};
use self::columns::Columns;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::database::meta;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::{rows, spots};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{StoreFault, TrendColumn, TrendQuery};
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{Mdc, Unit};
use wardkeep_model::vitals::{ClockConfidence, Observation, Value};

/// Table of the blocks.
pub const TABLE: &str = "
    CREATE TABLE trend_blocks (
        subject BLOB NOT NULL, mdc INTEGER NOT NULL, unit TEXT NOT NULL,
        resolution INTEGER NOT NULL, start_us INTEGER NOT NULL,
        kept_us INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (subject, mdc, unit, resolution, start_us)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX trend_blocks_by_age ON trend_blocks (resolution, kept_us);
";

/// Rows that are packed in one transaction: some milliseconds.
const PACK_MAX: usize = 2_048;
/// So many rows that wait to be packed are no longer read for a trend in passing.
const CROWD: i64 = 2_048;
/// Id of the row that was packed last.
const PACKED: &str = "trend_packed_id";

/// Id of the row that was packed last, 0 before the first.
///
/// # Errors
/// As reading the database.
pub fn packed(connection: &Connection) -> Result<i64, VaultFault> {
    Ok(meta::get(connection, PACKED)?.unwrap_or(0))
}

/// Counts no row with a later id as packed.
///
/// # Errors
/// As writing the database.
pub(super) fn unpack_after(transaction: &Transaction<'_>, last: i64) -> Result<(), VaultFault> {
    transaction
        .prepare_cached("UPDATE meta SET value = ?1 WHERE name = ?2 AND value > ?1")?
        .execute(params![last, PACKED])?;
    Ok(())
}

/// Which values belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    subject: SubjectId,
    code: Mdc,
    unit: &'static str,
}

impl Series {
    fn new(subject: SubjectId, code: Mdc, unit: Unit) -> Self {
        Self { subject, code, unit: unit.ucum() }
    }

    /// Associated data of a block's seal.
    fn context(&self, resolution: Resolution, start_us: i64) -> Vec<u8> {
        [
            b"trend v1".as_slice(),
            &self.subject.0.to_be_bytes(),
            &self.code.0.to_be_bytes(),
            &[resolution.number()],
            &start_us.to_be_bytes(),
            self.unit.as_bytes(),
        ]
        .concat()
    }
}

/// What an observation adds to a trend, if anything.
fn drawn(observation: &Observation) -> Option<(SubjectId, f32)> {
    match observation.clock {
        ClockConfidence::Live | ClockConfidence::Corrected => {}
        ClockConfidence::Unknown => return None,
    }
    let Value::Measured(decimal) = observation.value.reveal() else { return None };
    observation.subject.zip(small(*decimal))
}

/// A number as a picture has it; `None` if it is too large for that.
fn small(decimal: Decimal) -> Option<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "a picture needs no more digits")]
    let value = decimal.to_f64() as f32;
    value.is_finite().then_some(value)
}

type Values = Vec<(i64, f32)>;

/// Whether so many rows wait to be packed that a trend has to wait for that.
///
/// # Errors
/// As reading the database.
pub fn is_crowded(vault: &Vault) -> Result<bool, VaultFault> {
    Ok(rows::last_id(&vault.connection)?.saturating_sub(packed(&vault.connection)?) >= CROWD)
}

/// Whether rows wait to be packed.
pub(super) fn has_unpacked(vault: &Vault) -> Result<bool, VaultFault> {
    let after = packed(&vault.connection)?;
    let mut statement = vault.connection.prepare_cached(
        "SELECT count(*) > 0 FROM (SELECT 1 FROM observations WHERE id > ?1 LIMIT 1)",
    )?;
    Ok(statement.query_row([after], |row| row.get(0))?)
}

/// Packs the next rows, in one transaction at this age of the store.
///
/// # Errors
/// As writing a file; then none was packed.
pub(super) fn pack_some(vault: &mut Vault, age_us: i64) -> Result<(), VaultFault> {
    vault.write(|transaction, keys| {
        let rows = rows::for_packing(transaction, keys, packed(transaction)?, PACK_MAX)?;
        let last: i64 = match rows.last() {
            Some((last, _)) if rows.len() == PACK_MAX => *last,
            // The last rows, and whatever lies behind them that no key opens any more.
            Some(_) | None => rows::last_id(transaction)?,
        };
        for (series, values) in by_series(&rows) {
            for resolution in Resolution::ALL {
                add_all(transaction, keys, (series, resolution), (&values, age_us))?;
            }
        }
        meta::set(transaction, PACKED, last)
    })
}

/// Counts every row as packed: whoever writes the blocks straight says so.
///
/// # Errors
/// As writing the database.
pub(super) fn all_packed(transaction: &Transaction<'_>) -> Result<(), VaultFault> {
    meta::set(transaction, PACKED, rows::last_id(transaction)?)
}

/// Adds values of a time to their blocks, without rows; single values only if they are to be kept.
///
/// # Errors
/// As writing the database.
pub(super) fn add_straight(
    transaction: &Transaction<'_>,
    keys: &mut PatientKeys,
    (subject, code, unit): (SubjectId, Mdc, Unit),
    (values, singles): (&[(i64, f32)], bool),
    age_us: i64,
) -> Result<(), VaultFault> {
    let series = Series::new(subject, code, unit);
    for resolution in Resolution::ALL {
        if singles || resolution != Resolution::Single {
            add_all(transaction, keys, (series, resolution), (values, age_us))?;
        }
    }
    Ok(())
}

/// Adds values to the blocks of a resolution.
fn add_all(
    transaction: &Transaction<'_>,
    keys: &mut PatientKeys,
    (series, resolution): (Series, Resolution),
    (values, age_us): (&[(i64, f32)], i64),
) -> Result<(), VaultFault> {
    let mut blocks: BTreeMap<i64, Values> = BTreeMap::new();
    for value in values {
        blocks.entry(resolution.block_of(value.0)).or_default().push(*value);
    }
    for (start_us, values) in blocks {
        if !add(transaction, keys, (series, resolution, start_us), (&values, age_us))? {
            break;
        }
    }
    Ok(())
}

/// The least, greatest and mean values of equal columns of a time, oldest first.
///
/// The finest values of which few blocks have to be read fill the columns: up to two days from single
/// values, up to 45 days from minutes, longer times from hours; see [`Columns`] for what that means
/// for their edges. Single values that are not kept any more are drawn from their minutes.
///
/// # Errors
/// `Damaged` if a block or row does not open or parse; otherwise as reading the database.
pub fn trend(vault: &mut Vault, query: TrendQuery) -> Result<Vec<TrendColumn>, VaultFault> {
    let mut columns = Columns::of(&query);
    if columns.is_empty() {
        return Ok(columns.finish());
    }
    let series = Series::new(query.subject, query.code, query.unit);
    let Vault { connection, patients, .. } = vault;
    let resolution = columns.resolution();
    match resolution {
        Resolution::Single => read_singles(connection, patients, series, &mut columns)?,
        Resolution::Minute | Resolution::Hour => {
            let span = columns.span(resolution);
            read(connection, patients, (series, resolution, span), |block| {
                for (at_us, values) in block.entries() {
                    columns.add(resolution, at_us, values);
                }
            })?;
        }
    }
    let after = packed(connection)?;
    let of = (query.subject, query.code);
    let late = rows::kept_after(connection, patients, after, of, columns.span(resolution))?;
    for observation in late.iter().filter(|observation| observation.unit == query.unit) {
        if let Some((_, value)) = drawn(observation) {
            let at_us = resolution.entry_of(observation.effective.as_microsecond());
            columns.add(resolution, at_us, Aggregate::of(value));
        }
    }
    for one in spots::numerics(connection, patients, query.subject)? {
        if (one.mdc, one.unit) == (query.code, query.unit)
            && let Some(value) = small(*one.value.reveal())
        {
            let at_us = resolution.entry_of(one.at.as_microsecond());
            columns.add(resolution, at_us, Aggregate::of(value));
        }
    }
    Ok(columns.finish())
}

/// Opens every block; gives back how many there are.
///
/// # Errors
/// `Damaged` if one does not open or parse; otherwise as reading the database.
pub fn check(vault: &mut Vault) -> Result<u64, VaultFault> {
    let Vault { connection, patients, .. } = vault;
    let mut statement = connection
        .prepare("SELECT subject, mdc, unit, resolution, start_us, body FROM trend_blocks")?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let (number, unit): (u8, String) = (row.get(3)?, row.get(2)?);
        let resolution = Resolution::ALL.into_iter().find(|known| known.number() == number);
        let unit = Unit::from_ucum(&unit);
        let (Some(resolution), Some(unit)) = (resolution, unit) else {
            return Err(StoreFault::Damaged.into());
        };
        let subject = SubjectId(u128::from_be_bytes(row.get(0)?));
        let place = (Series::new(subject, Mdc(row.get(1)?), unit), resolution, row.get(4)?);
        let body: Vec<u8> = row.get(5)?;
        open(connection, patients, place, (&body, 0))?;
        count += 1;
    }
    Ok(count)
}

/// Where a block lies in its table: patient, code, unit, resolution, begin.
pub(in crate::vault) type BlockKey = ([u8; 16], u32, String, u8, i64);

/// The blocks that do not open or parse.
///
/// # Errors
/// As reading the database.
pub(in crate::vault) fn unreadable(vault: &mut Vault) -> Result<Vec<BlockKey>, VaultFault> {
    let Vault { connection, patients, .. } = vault;
    let mut statement = connection
        .prepare("SELECT subject, mdc, unit, resolution, start_us, body FROM trend_blocks")?;
    let mut rows = statement.query([])?;
    let mut unreadable = Vec::new();
    while let Some(row) = rows.next()? {
        let key: BlockKey = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        let body: Vec<u8> = row.get(5)?;
        let resolution = Resolution::ALL.into_iter().find(|known| known.number() == key.3);
        let opened = match (resolution, Unit::from_ucum(&key.2)) {
            (Some(resolution), Some(unit)) => {
                let subject = SubjectId(u128::from_be_bytes(key.0));
                let place = (Series::new(subject, Mdc(key.1), unit), resolution, key.4);
                open(connection, patients, place, (&body, 0)).map(drop)
            }
            (Some(_) | None, Some(_) | None) => Err(StoreFault::Damaged.into()),
        };
        match opened {
            Err(fault) if fault.class() == StoreFault::Damaged => unreadable.push(key),
            other => other?,
        }
    }
    Ok(unreadable)
}

fn by_series(rows: &[(i64, Observation)]) -> BTreeMap<Series, Values> {
    let mut series: BTreeMap<Series, Values> = BTreeMap::new();
    for (_, observation) in rows {
        let Some((subject, value)) = drawn(observation) else { continue };
        let of = Series::new(subject, observation.code, observation.unit);
        series.entry(of).or_default().push((observation.effective.as_microsecond(), value));
    }
    series
}

/// Where a block lies.
type Place = (Series, Resolution, i64);

/// Adds values to a block; false if the patient's key was destroyed.
fn add(
    transaction: &Transaction<'_>,
    keys: &mut PatientKeys,
    place: Place,
    (values, age_us): (&[(i64, f32)], i64),
) -> Result<bool, VaultFault> {
    let (series, resolution, start_us) = place;
    let subject = series.subject.0.to_be_bytes();
    let sealed: Option<Vec<u8>> = transaction
        .prepare_cached(
            "SELECT body FROM trend_blocks WHERE subject = ?1 AND mdc = ?2 AND unit = ?3
                 AND resolution = ?4 AND start_us = ?5",
        )?
        .query_row(
            params![subject, series.code.0, series.unit, resolution.number(), start_us],
            |row| row.get(0),
        )
        .optional()?;
    let block = match sealed {
        Some(sealed) => open(transaction, keys, place, (&sealed, values.len()))?,
        None => Some(Block::empty(resolution, start_us, values.len())),
    };
    let Some(mut block) = block else { return Ok(false) };
    values.iter().for_each(|(at_us, value)| block.add(*at_us, *value));
    let context = series.context(resolution, start_us);
    let Some(body) = keys.seal(transaction, Some(series.subject), &context, block.bytes())? else {
        return Ok(false);
    };
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO trend_blocks
                 (subject, mdc, unit, resolution, start_us, kept_us, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            subject,
            series.code.0,
            series.unit,
            resolution.number(),
            start_us,
            age_us,
            body
        ])?;
    Ok(true)
}

/// A block out of its sealed bytes, with room for more values; `None` if the patient's key was
/// destroyed.
fn open(
    connection: &Connection,
    keys: &mut PatientKeys,
    (series, resolution, start_us): Place,
    (sealed, room): (&[u8], usize),
) -> Result<Option<Block>, VaultFault> {
    let context = series.context(resolution, start_us);
    let plain = keys.open(connection, Some(series.subject), &context, sealed)?;
    let Some(plain) = plain else { return Ok(None) };
    Ok(Block::parse(resolution, start_us, &plain, room).ok_or(StoreFault::Damaged).map(Some)?)
}

/// Reads every block that has entries of a time.
fn read(
    connection: &Connection,
    keys: &mut PatientKeys,
    (series, resolution, (since_us, until_us)): (Series, Resolution, (i64, i64)),
    mut each: impl FnMut(&Block),
) -> Result<(), VaultFault> {
    let mut statement = connection.prepare_cached(
        "SELECT start_us, body FROM trend_blocks
         WHERE subject = ?1 AND mdc = ?2 AND unit = ?3 AND resolution = ?4
             AND start_us >= ?5 AND start_us < ?6",
    )?;
    let subject = series.subject.0.to_be_bytes();
    let number = resolution.number();
    let since_us = resolution.block_of(since_us);
    let mut rows = statement.query(params![
        subject,
        series.code.0,
        series.unit,
        number,
        since_us,
        until_us
    ])?;
    while let Some(row) = rows.next()? {
        let start_us = row.get(0)?;
        let sealed = row.get_ref(1)?.as_blob().map_err(|_| StoreFault::Damaged)?;
        let block = open(connection, keys, (series, resolution, start_us), (sealed, 0))?;
        if let Some(block) = block {
            each(&block);
        }
    }
    Ok(())
}

/// Fills columns with single values, and with minutes where an hour's single values are not all kept.
fn read_singles(
    connection: &Connection,
    keys: &mut PatientKeys,
    series: Series,
    columns: &mut Columns,
) -> Result<(), VaultFault> {
    let hour_of = |at_us| Resolution::Single.block_of(at_us);
    let mut hours: BTreeMap<i64, Vec<(i64, Aggregate)>> = BTreeMap::new();
    let span = columns.span(Resolution::Minute);
    read(connection, keys, (series, Resolution::Minute, span), |block| {
        for (at_us, values) in block.entries() {
            hours.entry(hour_of(at_us)).or_default().push((at_us, values));
        }
    })?;
    let span = columns.span(Resolution::Single);
    read(connection, keys, (series, Resolution::Single, span), |block| {
        let count = |minutes: &Vec<(i64, Aggregate)>| {
            minutes.iter().map(|(_, values)| u64::from(values.count)).sum::<u64>()
        };
        let start_us = block.start_us();
        if hours.get(&start_us).is_some_and(|minutes| count(minutes) > block.count()) {
            return;
        }
        hours.remove(&start_us);
        for (at_us, values) in block.entries() {
            columns.add(Resolution::Single, at_us, values);
        }
    })?;
    for (at_us, values) in hours.into_values().flatten() {
        columns.add(Resolution::Minute, at_us, values);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
