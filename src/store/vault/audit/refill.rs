//! The audit log of a salvaged vault: every line that could be read stands under its own number, byte by byte;
//! for each that could not be read there is one that says so. A log of which nothing is missing keeps its keys
//! and checkpoints. Any other is signed anew: it cannot have the roots that were signed before.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Transaction, params, params_from_iter};

use crate::keys::vault_keys::VaultKeys;
use crate::log::merkle::{Frontier, leaf};
use crate::record::audit_line;
use crate::vault::audit::{LINES, each_text, examined};
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::salvage::lost::{LostRows, SalvagedTable};
use wardkeep_model::keeping::{AuditAct, AuditEntry, Finding, FindingKind, StoreFault};

/// Lines for what is missing; a log that says it had more is not believed.
const MISSING_MAX: u64 = 10_000_000;

/// What is known of the log beside its lines.
#[derive(Default)]
pub struct SignedLog {
    tree: Option<(u64, Vec<u8>)>,
    keys: Vec<(i64, String)>,
    notes: Vec<Vec<Value>>,
}

impl SignedLog {
    /// Adds a row of one of the log's tables.
    pub fn add(&mut self, table: &str, row: Vec<Value>) {
        match (table, row.as_slice()) {
            ("audit_tree", [_, Value::Integer(size), Value::Blob(peaks)]) => {
                self.tree = Some((size.cast_unsigned(), peaks.clone()));
            }
            ("audit_keys", [Value::Integer(id), Value::Text(key)]) => {
                self.keys.push((*id, key.clone()));
            }
            ("audit_checkpoints", [Value::Integer(_), Value::Integer(_), Value::Text(_)]) => {
                self.notes.push(row);
            }
            _ => {}
        }
    }
}

/// Fills what is missing among the lines that are there; what was missing, and whether the log is as it was
/// signed.
///
/// # Errors
/// As writing the database; then nothing was changed.
pub fn refill(
    vault: &mut Vault,
    keys_of: &VaultKeys,
    mut log: SignedLog,
    now: Timestamp,
) -> Result<(SalvagedTable, bool), VaultFault> {
    log.keys.sort_unstable();
    log.notes.sort_by_key(|row| match row.first() {
        Some(Value::Integer(id)) => *id,
        Some(_) | None => 0,
    });
    let (lost, kept) = missing(vault, log.tree.as_ref().map_or(0, |(size, _)| *size))?;
    let gone: u64 = lost.iter().map(|rows| rows.count).sum();
    let is_whole = gone == 0 && log.tree.is_some() && is_signed(vault, keys_of, &log)?;
    vault.write(|transaction, _| {
        for rows in &lost {
            fill(transaction, rows, now)?;
        }
        let mut tree = Frontier::restored(0, &[]).ok_or(StoreFault::Damaged)?;
        each_text(transaction, LINES, |line| {
            tree.push(leaf(line.as_bytes()));
            Ok(())
        })?;
        transaction.execute(
            "UPDATE audit_tree SET size = ?1, peaks = ?2 WHERE id = 1",
            params![tree.size().cast_signed(), tree.peaks()],
        )?;
        if is_whole {
            for (id, key) in &log.keys {
                let insert = "INSERT INTO audit_keys (id, verifier) VALUES (?1, ?2)";
                transaction.execute(insert, params![id, key])?;
            }
            for note in &log.notes {
                let insert = "INSERT INTO audit_checkpoints (id, size, note) VALUES (?1, ?2, ?3)";
                transaction.execute(insert, params_from_iter(note))?;
            }
        }
        Ok(())
    })?;
    let table = SalvagedTable { kept, lost: gone, lost_rows: lost, ..SalvagedTable::default() };
    Ok((table, is_whole))
}

/// The numbers that are missing up to the last one that there was, and how many are there.
fn missing(vault: &Vault, size: u64) -> Result<(Vec<LostRows>, u64), VaultFault> {
    let mut statement = vault.connection.prepare("SELECT seq FROM audit ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let (mut lost, mut next, mut kept) = (Vec::new(), 1_i64, 0);
    let mut gap = |first: i64, end: i64| {
        if first < end {
            let count = first.abs_diff(end).min(MISSING_MAX);
            lost.push(LostRows { first, last: end - 1, count, from: None, until: None });
        }
    };
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        gap(next, seq);
        (next, kept) = (seq.saturating_add(1), kept + 1);
    }
    gap(next, size.min(next.unsigned_abs() + MISSING_MAX).cast_signed().saturating_add(1));
    Ok((lost, kept))
}

/// Lines that stand where those were that could not be read.
fn fill(transaction: &Transaction<'_>, rows: &LostRows, now: Timestamp) -> Result<(), VaultFault> {
    let mut insert = transaction.prepare_cached("INSERT INTO audit (seq, line) VALUES (?1, ?2)")?;
    for seq in rows.first..=rows.last {
        let number = Some(seq.cast_unsigned());
        let finding = Finding { expected: number, ..Finding::of(FindingKind::RecordsMissing, 1) };
        let entry = AuditEntry {
            finding: Some(finding),
            detail: Some("this entry could not be read when the store was salvaged".into()),
            ..AuditEntry::of(AuditAct::StoreFinding, now)
        };
        insert.execute(params![seq, audit_line::write(seq.cast_unsigned(), &entry)])?;
    }
    Ok(())
}

/// Whether the lines have the roots that were signed.
fn is_signed(vault: &Vault, keys_of: &VaultKeys, log: &SignedLog) -> Result<bool, VaultFault> {
    let edge = log.tree.as_ref().and_then(|(size, peaks)| Frontier::restored(*size, peaks));
    let Some(edge) = edge else { return Ok(false) };
    let keys: Vec<String> = log.keys.iter().map(|(_, key)| key.clone()).collect();
    let mut notes = log.notes.iter().filter_map(|row| match row.as_slice() {
        [_, _, Value::Text(note)] => Some(note.clone()),
        _ => None,
    });
    let next_note = || Ok(notes.next());
    Ok(examined(&vault.connection, keys_of, (&keys, next_note), &edge)?.is_ok())
}
