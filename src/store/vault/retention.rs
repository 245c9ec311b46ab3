//! Retention: how long what was recorded is kept, and by which clock.
//!
//! What is deleted is gone, and a wall clock can be set to anything. So age is counted by a clock that
//! nobody can set: the time that the store has lived through. While the program runs that is boot time,
//! suspend included. From one run to the next it is what the wall clock says, but never less than
//! nothing and never more than a day, however long the machine was off. A clock that is set ten years
//! ahead therefore ages nothing while the program runs, and at most by a day at its next start; one that
//! is set back ages nothing. The price: what lay on a machine that was off stays as much longer, and what
//! was sealed while locked counts from its import.
//!
//! At most once an hour a mark notes which rows there were at that age. A row expires with the newest mark
//! that has it and is old enough. Only rows that were packed into trends are marked, so none is
//! deleted before. Blocks carry the age at which they last changed. Audit entries are never deleted.
//!
//! Deletion is in small transactions in idle time; deleted content is overwritten. So are the steps in which a file
//! becomes shorter that is free by more than an eighth.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::database::meta;
use crate::vault::{rows, trends};
use wardkeep_model::keeping::Retention;
use wardkeep_model::moment::{BootTime, Moment};

/// Table of the marks.
pub const TABLE: &str = "
    CREATE TABLE ages (
        age_us INTEGER PRIMARY KEY, last_observation INTEGER NOT NULL, last_wave INTEGER NOT NULL
    ) STRICT;
";

/// Most that the store ages from one run to the next.
const BETWEEN_RUNS_US_MAX: i64 = 24 * 3_600_000_000;
/// Between two marks.
const MARK_EVERY_US: i64 = 3_600_000_000;
/// Fewer free pages are not worth the work: 1 MiB.
const FREE_PAGES_MIN: i64 = 256;
/// Pages given back in one transaction.
const SHRINK_PAGES: u32 = 64;
/// The age at the last mark, and what the wall clock said then.
const AGE: &str = "age_us";
const AGE_WALL: &str = "age_wall_us";

/// What is deleted in one transaction: some milliseconds of work each.
const EXPIRED: [Expired; 6] = [
    Expired {
        is_there: "SELECT EXISTS (SELECT 1 FROM waves
             WHERE id <= (SELECT max(last_wave) FROM ages WHERE age_us <= ?1))",
        delete:
            "DELETE FROM waves WHERE id IN (SELECT id FROM waves
             WHERE id <= (SELECT max(last_wave) FROM ages WHERE age_us <= ?1) ORDER BY id LIMIT 64)",
        after: |retention| retention.waveforms,
    },
    Expired {
        is_there: "SELECT EXISTS (SELECT 1 FROM observations
             WHERE id <= (SELECT max(last_observation) FROM ages WHERE age_us <= ?1))",
        delete: "DELETE FROM observations WHERE id IN (SELECT id FROM observations
             WHERE id <= (SELECT max(last_observation) FROM ages WHERE age_us <= ?1)
             ORDER BY id LIMIT 1024)",
        after: |retention| retention.numerics,
    },
    Expired {
        is_there: "SELECT EXISTS (SELECT 1 FROM trend_blocks WHERE resolution = 0 AND kept_us <= ?1)",
        delete: "DELETE FROM trend_blocks WHERE (subject, mdc, unit, resolution, start_us) IN
             (SELECT subject, mdc, unit, resolution, start_us FROM trend_blocks
              WHERE resolution = 0 AND kept_us <= ?1 LIMIT 4)",
        after: |retention| retention.numerics,
    },
    Expired {
        is_there: "SELECT EXISTS (SELECT 1 FROM trend_blocks WHERE resolution = 1 AND kept_us <= ?1)",
        delete: "DELETE FROM trend_blocks WHERE (subject, mdc, unit, resolution, start_us) IN
             (SELECT subject, mdc, unit, resolution, start_us FROM trend_blocks
              WHERE resolution = 1 AND kept_us <= ?1 LIMIT 4)",
        after: |retention| retention.minutes,
    },
    Expired {
        is_there: "SELECT EXISTS (SELECT 1 FROM trend_blocks WHERE resolution = 2 AND kept_us <= ?1)",
        delete: "DELETE FROM trend_blocks WHERE (subject, mdc, unit, resolution, start_us) IN
             (SELECT subject, mdc, unit, resolution, start_us FROM trend_blocks
              WHERE resolution = 2 AND kept_us <= ?1 LIMIT 4)",
        after: |retention| retention.minutes,
    },
    Expired {
        is_there: "SELECT EXISTS (SELECT 1 FROM spots WHERE age_us <= ?1)",
        delete: "DELETE FROM spots WHERE id IN (SELECT id FROM spots WHERE age_us <= ?1 LIMIT 64)",
        after: |retention| retention.minutes,
    },
];

/// A kind of content: how to look whether some is expired at an age, and how to delete some of it.
struct Expired {
    is_there: &'static str,
    delete: &'static str,
    after: fn(&Retention) -> Duration,
}

/// How old the store was at a moment of this run of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeMark {
    /// The moment.
    pub boot: BootTime,
    /// Time that the store had lived through, in microseconds.
    pub(super) age_us: i64,
}

/// The store's age at this moment, in microseconds.
///
/// # Errors
/// As reading the database.
pub fn age(vault: &Vault, mark: Option<AgeMark>, now: Moment) -> Result<i64, VaultFault> {
    if let Some(AgeMark { boot, age_us }) = mark {
        return Ok(age_us.saturating_add(micros(now.boot.since(boot))));
    }
    let (age_us, wall_us) =
        (meta::get(&vault.connection, AGE)?, meta::get(&vault.connection, AGE_WALL)?);
    let since = wall_us.map_or(0, |then| now.wall.as_microsecond().saturating_sub(then));
    Ok(age_us.unwrap_or(0).saturating_add(since.clamp(0, BETWEEN_RUNS_US_MAX)))
}

/// Packs some rows, or marks the age, or deletes something that expired, or gives free pages back: one
/// transaction of some milliseconds. True if there is more to do.
///
/// # Errors
/// As writing a file; then nothing was changed.
pub fn keep_up(
    vault: &mut Vault,
    mark: &mut Option<AgeMark>,
    now: Moment,
    retention: &Retention,
) -> Result<bool, VaultFault> {
    if trends::has_unpacked(vault)? {
        pack_some(vault, mark, now)?;
        return Ok(true);
    }
    let age_us = age_at(vault, mark, now)?;
    if note(vault, age_us, now, retention)? || expire_some(vault, age_us, retention)? {
        return Ok(true);
    }
    shrink_some(vault)
}

/// Packs some rows.
///
/// # Errors
/// As writing a file; then none was packed.
pub fn pack_some(
    vault: &mut Vault,
    mark: &mut Option<AgeMark>,
    now: Moment,
) -> Result<(), VaultFault> {
    let age_us = age_at(vault, mark, now)?;
    trends::pack_some(vault, age_us)
}

/// The store's age at this moment, and the mark from which it is counted on.
fn age_at(vault: &Vault, mark: &mut Option<AgeMark>, now: Moment) -> Result<i64, VaultFault> {
    let age_us = age(vault, *mark, now)?;
    *mark = Some(AgeMark { boot: now.boot, age_us });
    Ok(age_us)
}

/// Marks the age of what is there, if that was not done lately.
fn note(
    vault: &mut Vault,
    age_us: i64,
    now: Moment,
    retention: &Retention,
) -> Result<bool, VaultFault> {
    let newest: Option<i64> =
        vault.connection.query_row("SELECT max(age_us) FROM ages", [], |row| row.get(0))?;
    if newest.is_some_and(|newest| age_us < newest.saturating_add(MARK_EVERY_US)) {
        return Ok(false);
    }
    vault.write(|transaction, _| {
        mark_age(transaction, age_us, now.wall)?;
        // Marks that nothing waits for any more.
        let longest = retention.waveforms.max(retention.numerics);
        transaction.execute(
            "DELETE FROM ages
             WHERE age_us < (SELECT max(age_us) FROM ages WHERE age_us <= ?1)",
            [age_us.saturating_sub(micros(longest))],
        )?;
        rows::taken::forget_old(transaction)?;
        Ok(true)
    })
}

/// What is there now was there at this age.
///
/// # Errors
/// As writing the database.
pub(super) fn mark_age(
    transaction: &Transaction<'_>,
    age_us: i64,
    wall: Timestamp,
) -> Result<(), VaultFault> {
    transaction.execute(
        "INSERT INTO ages (age_us, last_observation, last_wave)
         VALUES (?1, ?2, (SELECT coalesce(max(id), 0) FROM waves))",
        params![age_us, trends::packed(transaction)?],
    )?;
    meta::set(transaction, AGE, age_us)?;
    meta::set(transaction, AGE_WALL, wall.as_microsecond())
}

fn expire_some(vault: &mut Vault, age_us: i64, retention: &Retention) -> Result<bool, VaultFault> {
    for expired in &EXPIRED {
        let until = age_us.saturating_sub(micros((expired.after)(retention)));
        let mut statement = vault.connection.prepare_cached(expired.is_there)?;
        let is_there: bool = statement.query_row([until], |row| row.get(0))?;
        drop(statement);
        if is_there {
            let deleted = vault.write(|transaction, _| {
                let deleted = transaction.prepare_cached(expired.delete)?.execute([until])?;
                rows_were_deleted(transaction)?;
                Ok(deleted)
            })?;
            tracing::debug!(deleted, "what is kept no longer was deleted");
            return Ok(true);
        }
    }
    Ok(false)
}

/// Gives some pages back to the file system where more than an eighth of the file is free. What is less is used
/// again by what comes next.
fn shrink_some(vault: &mut Vault) -> Result<bool, VaultFault> {
    let ask = |what: &str| -> Result<i64, VaultFault> {
        Ok(vault.connection.query_row(&format!("PRAGMA {what}"), [], |row| row.get(0))?)
    };
    let (free, pages) = (ask("freelist_count")?, ask("page_count")?);
    // A file that an earlier program made can only use them again.
    if free < FREE_PAGES_MIN || free.saturating_mul(8) < pages || ask("auto_vacuum")? == 0 {
        return Ok(false);
    }
    vault.write(|transaction, _| {
        let mut statement =
            transaction.prepare_cached(&format!("PRAGMA incremental_vacuum({SHRINK_PAGES})"))?;
        // A page with every row that is asked for.
        let mut given_back = statement.query([])?;
        while given_back.next()?.is_some() {}
        Ok(())
    })?;
    Ok(true)
}

/// To be called in every transaction that deletes observations: the database gives the ids of its last
/// rows out again, and a row with such an id would count as packed and as old.
///
/// # Errors
/// As writing the database.
pub(super) fn rows_were_deleted(transaction: &Transaction<'_>) -> Result<(), VaultFault> {
    let last = rows::last_id(transaction)?;
    trends::unpack_after(transaction, last)?;
    transaction
        .prepare_cached("UPDATE ages SET last_observation = ?1 WHERE last_observation > ?1")?
        .execute([last])?;
    Ok(())
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
