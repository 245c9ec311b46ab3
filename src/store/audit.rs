//! The audit log: rows that are only ever added, numbered without gaps.
//!
//! Entries made while locked come through the inbox, in its order. The sequence orders them; wall
//! time only informs. Signed checkpoints over the rows can be added without changing them.

use rusqlite::{Connection, params};

use super::rows::{from_word, timestamp, word};
use super::{AuditEntry, StoreFault};
use crate::encounter::SubjectId;
use crate::hardware::DeviceId;
use crate::session::OperatorId;

/// Appends an entry with the next number; part of the caller's transaction.
pub fn append(connection: &Connection, entry: &AuditEntry) -> Result<(), StoreFault> {
    connection
        .prepare_cached(
            "INSERT INTO audit (seq, act, operator, subject, device, at_us)
             VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM audit), ?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            word(&entry.act)?,
            entry.operator.map(|id| id.0.to_be_bytes()),
            entry.subject.map(|id| id.0.to_be_bytes()),
            entry.device.map(|id| id.0),
            entry.at.as_microsecond(),
        ])?;
    Ok(())
}

/// The whole log, oldest first, with its numbers.
pub fn read(connection: &Connection) -> Result<Vec<(u64, AuditEntry)>, StoreFault> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, act, operator, subject, device, at_us FROM audit ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let operator: Option<[u8; 16]> = row.get(2)?;
        let subject: Option<[u8; 16]> = row.get(3)?;
        let device: Option<[u8; 6]> = row.get(4)?;
        let entry = AuditEntry {
            operator: operator.map(|id| OperatorId(u128::from_be_bytes(id))),
            subject: subject.map(|id| SubjectId(u128::from_be_bytes(id))),
            device: device.map(DeviceId),
            ..AuditEntry::of(from_word(row.get(1)?)?, timestamp(row.get(5)?)?)
        };
        entries.push((row.get::<_, i64>(0)?.cast_unsigned(), entry));
    }
    Ok(entries)
}
