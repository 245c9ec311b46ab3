//! The same rows in a plain database with the vault's settings; it exists only here, for comparison.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use wardkeep_model::vitals::{Observation, Value};

use crate::make::{self, Made};
use crate::{BATCH, thread_time};

const SETTINGS: &str = "
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;";
/// The columns of a row in the clear.
const TABLE: &str = "
    CREATE TABLE observations (
        id INTEGER PRIMARY KEY, device BLOB NOT NULL, run INTEGER NOT NULL, seq INTEGER NOT NULL,
        mdc INTEGER NOT NULL, value TEXT, absent TEXT, unit TEXT NOT NULL,
        effective_us INTEGER NOT NULL, received_us INTEGER NOT NULL, device_time TEXT,
        clock TEXT NOT NULL, status TEXT NOT NULL, subject BLOB, provenance TEXT NOT NULL,
        UNIQUE (device, run, seq)
    ) STRICT;
    CREATE INDEX of_subject ON observations (subject, mdc, effective_us);";

/// Inserts a second on top of as many rows as the store has, and the processor time of all of them.
pub fn speed(path: &Path, made: &Made, count: u64) -> anyhow::Result<(f64, Duration)> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(SETTINGS)?;
    connection.execute_batch(TABLE)?;
    connection.execute_batch("PRAGMA synchronous = OFF")?;
    let (mut inserted, first) = (0, made.seqs * make::PER_SECOND - made.rows);
    while inserted < made.rows {
        let some = usize::try_from((made.rows - inserted).min(100_000))?;
        insert(&mut connection, &make::rows(first + inserted, made.end_s - 40 * 86_400, some))?;
        inserted += some as u64;
    }
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    let (mut took, mut used) = (Duration::ZERO, Duration::ZERO);
    for batch in 0..count / BATCH as u64 {
        let first = made.seqs * make::PER_SECOND + 100_000 + batch * BATCH as u64;
        let rows = make::rows(first, made.end_s, BATCH);
        let (start, begun) = (Instant::now(), thread_time());
        insert(&mut connection, &rows)?;
        took += start.elapsed();
        used += thread_time().saturating_sub(begun);
    }
    drop(connection);
    std::fs::remove_file(path)?;
    Ok((count as f64 / took.as_secs_f64(), used))
}

fn insert(connection: &mut Connection, rows: &[Observation]) -> anyhow::Result<()> {
    let transaction = connection.transaction()?;
    for one in rows {
        let value = match one.value.reveal() {
            Value::Measured(digits) => Some(digits.to_string()),
            Value::Absent(_) => None,
        };
        let status: Vec<&str> = one.status.iter().map(|status| status.word()).collect();
        transaction
            .prepare_cached(
                "INSERT INTO observations (device, run, seq, mdc, value, absent, unit,
                     effective_us, received_us, device_time, clock, status, subject, provenance)
                 VALUES (?1, ?2, ?3, ?4, ?5, NULL, ?6, ?7, ?8, NULL, 'live', ?9, ?10, 'device')
                 ON CONFLICT (device, run, seq) DO NOTHING",
            )?
            .execute(params![
                one.device.0,
                one.record.run.cast_signed(),
                one.record.seq.cast_signed(),
                one.code.0,
                value,
                one.unit.ucum(),
                one.effective.as_microsecond(),
                one.received.as_microsecond(),
                status.join(","),
                one.subject.map(|id| id.0.to_be_bytes()),
            ])?;
    }
    Ok(transaction.commit()?)
}
