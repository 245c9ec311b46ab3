//! The audit log: rows that are only ever added, numbered without gaps.
//!
//! Entries made while locked come through the inbox, in its order. The sequence orders them; wall
//! time only informs. Signed checkpoints over the rows can be added without changing them.

use rusqlite::{Connection, Row, Transaction, params};

use super::rows::{from_word, timestamp, word};
use super::{AuditEntry, StoreFault};
use crate::encounter::SubjectId;
use crate::hardware::DeviceId;
use crate::session::OperatorId;

/// Turns the rows of earlier versions into those of version 3.
pub fn upgrade(_transaction: &Transaction<'_>) -> Result<(), StoreFault> {
    Ok(())
}

/// Appends an entry with the next number; part of the caller's transaction.
pub fn append(connection: &Connection, entry: &AuditEntry) -> Result<(), StoreFault> {
    connection
        .prepare_cached(
            "INSERT INTO audit (seq, act, operator, subject, device, at_us, person, pair, reason)
             VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM audit),
                     ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            word(&entry.act)?,
            entry.operator.map(|id| id.0.to_be_bytes()),
            entry.subject.map(|id| id.0.to_be_bytes()),
            entry.device.map(|id| id.0),
            entry.at.as_microsecond(),
            entry.person.map(|id| id.0.to_be_bytes()),
            entry.pair.as_ref().map(word).transpose()?,
            entry.reason.as_ref().map(word).transpose()?,
        ])?;
    Ok(())
}

/// The whole log, oldest first, with its numbers.
pub fn read(connection: &Connection) -> Result<Vec<(u64, AuditEntry)>, StoreFault> {
    select(connection, "ORDER BY seq LIMIT ?1", None)
}

/// The newest entries, newest first, with their numbers.
pub fn newest(connection: &Connection, limit: u32) -> Result<Vec<(u64, AuditEntry)>, StoreFault> {
    select(connection, "ORDER BY seq DESC LIMIT ?1", Some(limit))
}

fn select(
    connection: &Connection,
    order: &str,
    limit: Option<u32>,
) -> Result<Vec<(u64, AuditEntry)>, StoreFault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT seq, act, operator, subject, device, at_us, person, pair, reason
         FROM audit {order}"
    ))?;
    // A negative limit is none.
    let mut rows = statement.query([limit.map_or(-1, i64::from)])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push((row.get::<_, i64>(0)?.cast_unsigned(), entry(row)?));
    }
    Ok(entries)
}

fn entry(row: &Row<'_>) -> Result<AuditEntry, StoreFault> {
    let operator: Option<[u8; 16]> = row.get(2)?;
    let subject: Option<[u8; 16]> = row.get(3)?;
    let device: Option<[u8; 6]> = row.get(4)?;
    let person: Option<[u8; 16]> = row.get(6)?;
    let pair: Option<String> = row.get(7)?;
    let reason: Option<String> = row.get(8)?;
    Ok(AuditEntry {
        operator: operator.map(|id| OperatorId(u128::from_be_bytes(id))),
        subject: subject.map(|id| SubjectId(u128::from_be_bytes(id))),
        device: device.map(DeviceId),
        person: person.map(|id| OperatorId(u128::from_be_bytes(id))),
        pair: pair.map(from_word).transpose()?,
        reason: reason.map(from_word).transpose()?,
        ..AuditEntry::of(from_word(row.get(1)?)?, timestamp(row.get(5)?)?)
    })
}
