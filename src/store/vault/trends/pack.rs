//! Packing: rows become blocks, in idle time, in the order in which they were kept.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::database::meta;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::rows;
use crate::vault::trends::block::{Block, Resolution};
use crate::vault::trends::{PACKED, Place, Series, drawn, open, packed, recent};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::vitals::Observation;
use wardkeep_model::vitals::nomenclature::{Mdc, Unit};

type Values = Vec<(i64, f32)>;

/// Whether rows wait to be packed.
pub(in crate::vault) fn has_unpacked(vault: &Vault) -> Result<bool, VaultFault> {
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
pub(in crate::vault) fn pack_some(vault: &mut Vault, age_us: i64) -> Result<(), VaultFault> {
    vault.write(|transaction, keys| {
        let Some((first, last)) = next(transaction)? else { return Ok(()) };
        let rows = rows::kept_with_ids(transaction, keys, (first, last))?;
        for (series, values) in by_series(&rows) {
            for resolution in Resolution::ALL {
                add_all(transaction, keys, (series, resolution), (&values, age_us))?;
            }
        }
        recent::forget(transaction, last)?;
        meta::set(transaction, PACKED, last)
    })
}

/// The first and the last id of the rows that are packed next, if there are any: all that there are of a chunk, so
/// that none of them is summed any more.
fn next(connection: &Connection) -> Result<Option<(i64, i64)>, VaultFault> {
    let mut statement =
        connection.prepare_cached("SELECT min(id) FROM observations WHERE id > ?1")?;
    let first: Option<i64> = statement.query_row([packed(connection)?], |row| row.get(0))?;
    let Some(first) = first else { return Ok(None) };
    Ok(Some((first, recent::end_of_chunk(first).min(rows::last_id(connection)?))))
}

/// Counts every row as packed: whoever writes the blocks straight says so.
///
/// # Errors
/// As writing the database.
pub(in crate::vault) fn all_packed(transaction: &Transaction<'_>) -> Result<(), VaultFault> {
    let last = rows::last_id(transaction)?;
    recent::forget(transaction, last)?;
    meta::set(transaction, PACKED, last)
}

/// Adds values of a time to their blocks, without rows; single values only if they are to be kept.
///
/// # Errors
/// As writing the database.
pub(in crate::vault) fn add_straight(
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

fn by_series(rows: &[(i64, Observation)]) -> BTreeMap<Series, Values> {
    let mut series: BTreeMap<Series, Values> = BTreeMap::new();
    for (_, observation) in rows {
        let Some((subject, value)) = drawn(observation) else { continue };
        let of = Series::new(subject, observation.code, observation.unit);
        series.entry(of).or_default().push((observation.effective.as_microsecond(), value));
    }
    series
}

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
