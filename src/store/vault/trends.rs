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
//! A trend is complete: what is not packed yet is read from the minutes that were written with the rows
//! ([`recent`]), and single values from the rows themselves, as far as they are few. Rows that an earlier program left
//! unpacked have no such minutes: until they are packed a trend has the last of them, and says how many it has
//! not. A value too large for 32 bits of floating point is not drawn.

mod block;
mod columns;
mod pack;
pub(in crate::vault) mod recent;

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};

use self::block::{Aggregate, Block, Resolution};
use self::columns::Columns;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::database::meta;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::{rows, spots};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{StoreFault, Trend, TrendQuery};
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

pub(in crate::vault) use self::pack::{add_straight, all_packed, has_unpacked, pack_some};

/// So many rows are read one by one for a trend, of those with minutes and of those without.
const ROWS_MAX: i64 = 4_096;
/// Id of the row that was packed last.
const PACKED: &str = "trend_packed_id";

/// Id of the row that was packed last, 0 before the first.
///
/// # Errors
/// As reading the database.
pub fn packed(connection: &Connection) -> Result<i64, VaultFault> {
    Ok(meta::get(connection, PACKED)?.unwrap_or(0))
}

/// Counts no row with a later id as packed, or as of an earlier program.
///
/// # Errors
/// As writing the database.
pub(super) fn unpack_after(transaction: &Transaction<'_>, last: i64) -> Result<(), VaultFault> {
    transaction
        .prepare_cached("UPDATE meta SET value = ?1 WHERE name = ?2 AND value > ?1")?
        .execute(params![last, PACKED])?;
    recent::sum_after(transaction, last)
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

/// The rows that no block has.
#[derive(Clone, Copy, Debug)]
struct Unpacked {
    /// Those after this id.
    packed: i64,
    /// Those after this id have minutes.
    summed: i64,
    /// The last one.
    last: i64,
}

impl Unpacked {
    fn of(connection: &Connection) -> Result<Self, VaultFault> {
        let packed = packed(connection)?;
        let summed = recent::summed(connection)?.max(packed);
        Ok(Self { packed, summed, last: rows::last_id(connection)? })
    }

    /// Rows without minutes that are too many to be read one by one.
    fn unread(self) -> i64 {
        (self.summed - self.packed - ROWS_MAX).max(0)
    }
}

/// Whether there are rows that no trend has yet.
///
/// # Errors
/// As reading the database.
pub fn has_unread(vault: &Vault) -> Result<bool, VaultFault> {
    Ok(Unpacked::of(&vault.connection)?.unread() > 0)
}

/// The least, greatest and mean values of equal columns of a time, oldest first.
///
/// The finest values of which few blocks have to be read fill the columns: up to two days from single
/// values, up to 45 days from minutes, longer times from hours; see [`Columns`] for what that means
/// for their edges. Single values that are not kept any more, or of which too many are not packed, are drawn from
/// their minutes.
///
/// # Errors
/// `Damaged` if a block or row does not open or parse; otherwise as reading the database.
pub fn trend(vault: &mut Vault, query: TrendQuery) -> Result<Trend, VaultFault> {
    let mut columns = Columns::of(&query);
    if columns.is_empty() {
        return Ok(Trend { columns: columns.finish(), unread: 0 });
    }
    let series = Series::new(query.subject, query.code, query.unit);
    let Vault { connection, patients, .. } = vault;
    let unpacked = Unpacked::of(connection)?;
    let resolution = columns.resolution();
    // Which rows are read one by one: those with minutes only where the single values are wanted.
    let mut one_by_one = vec![(unpacked.packed + unpacked.unread(), unpacked.summed)];
    match resolution {
        Resolution::Single => {
            read_singles(connection, patients, series, &mut columns)?;
            if unpacked.last - unpacked.summed <= ROWS_MAX {
                one_by_one.push((unpacked.summed, unpacked.last));
            } else {
                recent::read(connection, patients, (series, unpacked.summed), |at_us, values| {
                    columns.add(Resolution::Minute, at_us, values);
                })?;
            }
        }
        Resolution::Minute | Resolution::Hour => {
            let span = columns.span(resolution);
            read(connection, patients, (series, resolution, span), |block| {
                for (at_us, values) in block.entries() {
                    columns.add(resolution, at_us, values);
                }
            })?;
            recent::read(connection, patients, (series, unpacked.summed), |at_us, values| {
                columns.add(resolution, resolution.entry_of(at_us), values);
            })?;
        }
    }
    for ids in one_by_one {
        let of = (query.subject, query.code);
        let late = rows::kept_between(connection, patients, ids, of, columns.span(resolution))?;
        for observation in late.iter().filter(|observation| observation.unit == query.unit) {
            if let Some((_, value)) = drawn(observation) {
                let at_us = resolution.entry_of(observation.effective.as_microsecond());
                columns.add(resolution, at_us, Aggregate::of(value));
            }
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
    Ok(Trend { columns: columns.finish(), unread: unpacked.unread().unsigned_abs() })
}

/// Opens every block, and compares what was summed of rows that are in none with these; gives back how many blocks
/// there are.
///
/// # Errors
/// `Damaged` if one does not open or parse, or the sums are others; otherwise as reading the database.
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
    let Unpacked { summed, last, .. } = Unpacked::of(connection)?;
    recent::check(connection, patients, (summed.saturating_add(1), last))?;
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

/// Where a block lies.
type Place = (Series, Resolution, i64);

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
