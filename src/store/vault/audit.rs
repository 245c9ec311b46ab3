//! The audit log in the vault: lines that are only ever added, numbered without gaps, and a tree over
//! them whose roots are signed.
//!
//! Entries made while locked come through the inbox, in its order. The sequence orders them; wall
//! time only informs. Each line is written once ([`crate::record::audit_line`]) and never again: what is exported,
//! hashed and shown is that line.
//!
//! S-8: a checkpoint is signed whenever the vault closes, before its keys are wiped, at every change of
//! keys, for every export, and every [`SEAL_EVERY`] entries in between. The signing key is the vault's
//! own (`K_aud`): whoever has the disk and no two factors can sign nothing.

pub(crate) mod refill;

use std::io;

use rusqlite::{Connection, OptionalExtension, Row, Rows, Transaction, params};

use crate::keys::vault_keys::VaultKeys;
use crate::log::checkpoint::{Note, NoteError, Signer, VerifierKey};
use crate::log::file::{Flaw, Head, Judge, LogRow, LogWriter, Parts, Problem, Verified, examine};
use crate::log::merkle::{Frontier, leaf};
use crate::record::audit_line;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::rows::columns::{from_word, timestamp};
use wardkeep_model::access::OperatorId;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{AuditAct, AuditEntry, StoreFault};
use wardkeep_model::vitals::DeviceId;

/// Most entries that no checkpoint covers, while the vault is open.
const SEAL_EVERY: u64 = 1_000;

/// Every entry's line.
const LINES: &str = "SELECT line FROM audit ORDER BY seq";
/// Every checkpoint.
const NOTES: &str = "SELECT note FROM audit_checkpoints ORDER BY id";

/// The log's tables. Nothing in them is ever changed or deleted but the tree's right edge.
const TABLES: &str = "
    ALTER TABLE audit RENAME TO audit_before;
    DROP TRIGGER audit_is_not_changed;
    DROP TRIGGER audit_is_not_deleted;
    CREATE TABLE audit (seq INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT;
    CREATE TABLE audit_tree (
        id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, peaks BLOB NOT NULL
    ) STRICT;
    CREATE TABLE audit_keys (id INTEGER PRIMARY KEY, verifier TEXT NOT NULL) STRICT;
    CREATE TABLE audit_checkpoints (
        id INTEGER PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL
    ) STRICT;
    INSERT INTO audit_tree (id, size, peaks) VALUES (1, 0, x'');
";

const RULES: &str = "
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
    CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
    CREATE TRIGGER audit_keys_are_not_changed BEFORE UPDATE ON audit_keys
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
    CREATE TRIGGER audit_keys_are_not_deleted BEFORE DELETE ON audit_keys
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
    CREATE TRIGGER audit_checkpoints_are_not_changed BEFORE UPDATE ON audit_checkpoints
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
    CREATE TRIGGER audit_checkpoints_are_not_deleted BEFORE DELETE ON audit_checkpoints
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
";

/// Turns the rows of earlier versions into those of version 3: every row becomes a line.
pub fn upgrade(transaction: &Transaction<'_>) -> Result<(), VaultFault> {
    transaction.execute_batch(TABLES)?;
    {
        let mut statement = transaction.prepare(
            "SELECT seq, act, operator, subject, device, at_us, person, pair, reason
             FROM audit_before ORDER BY seq",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            append(transaction, &earlier(row)?)?;
        }
    }
    transaction.execute_batch("DROP TABLE audit_before")?;
    Ok(transaction.execute_batch(RULES)?)
}

/// A row of version 1 or 2.
fn earlier(row: &Row<'_>) -> Result<AuditEntry, VaultFault> {
    let operator: Option<[u8; 16]> = row.get("operator")?;
    let subject: Option<[u8; 16]> = row.get("subject")?;
    let device: Option<[u8; 6]> = row.get("device")?;
    let person: Option<[u8; 16]> = row.get("person")?;
    let pair: Option<String> = row.get("pair")?;
    let reason: Option<String> = row.get("reason")?;
    let word: String = row.get("act")?;
    let act: AuditAct = from_word(word.clone())?;
    // Two words became one: which it was stays readable.
    let detail = (act == AuditAct::StoreFinding).then_some(word);
    Ok(AuditEntry {
        operator: operator.map(|id| OperatorId(u128::from_be_bytes(id))),
        subject: subject.map(|id| SubjectId(u128::from_be_bytes(id))),
        device: device.map(DeviceId),
        person: person.map(|id| OperatorId(u128::from_be_bytes(id))),
        pair: pair.map(from_word).transpose()?,
        reason: reason.map(from_word).transpose()?,
        detail,
        ..AuditEntry::of(act, timestamp(row.get("at_us")?)?)
    })
}

fn tree(connection: &Connection) -> Result<Frontier, VaultFault> {
    let (size, peaks): (i64, Vec<u8>) = connection
        .prepare_cached("SELECT size, peaks FROM audit_tree WHERE id = 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Frontier::restored(size.cast_unsigned(), &peaks).ok_or(VaultFault::Store(StoreFault::Damaged))
}

/// Appends an entry with the next number; part of the caller's transaction.
pub fn append(connection: &Connection, entry: &AuditEntry) -> Result<(), VaultFault> {
    let mut tree = tree(connection)?;
    let seq = tree.size() + 1;
    let line = audit_line::write(seq, entry);
    tree.push(leaf(line.as_bytes()));
    connection
        .prepare_cached("INSERT INTO audit (seq, line) VALUES (?1, ?2)")?
        .execute(params![seq.cast_signed(), line])?;
    connection
        .prepare_cached("UPDATE audit_tree SET size = ?1, peaks = ?2 WHERE id = 1")?
        .execute(params![tree.size().cast_signed(), tree.peaks()])?;
    Ok(())
}

fn select(
    connection: &Connection,
    order: &str,
    limit: Option<u32>,
) -> Result<Vec<(u64, AuditEntry)>, VaultFault> {
    let mut statement = connection.prepare_cached(&format!("SELECT line FROM audit {order}"))?;
    // A negative limit is none.
    let mut rows = statement.query([limit.map_or(-1, i64::from)])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        entries.push(audit_line::read(&line).ok_or(StoreFault::Damaged)?);
    }
    Ok(entries)
}

fn texts(connection: &Connection, sql: &str) -> Result<Vec<String>, VaultFault> {
    let mut statement = connection.prepare_cached(sql)?;
    let texts = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(texts)
}

fn keys(connection: &Connection) -> Result<Vec<String>, VaultFault> {
    texts(connection, "SELECT verifier FROM audit_keys ORDER BY id")
}

/// The newest checkpoint, with its size.
fn latest(connection: &Connection) -> Result<Option<(u64, String)>, VaultFault> {
    let found: Option<(i64, String)> = connection
        .prepare_cached("SELECT size, note FROM audit_checkpoints ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.map(|(size, note)| (size.cast_unsigned(), note)))
}

/// The vault's signer; the log's name is its first key's.
fn signer(connection: &Connection, keys_of: &VaultKeys) -> Result<Signer, VaultFault> {
    let first = keys(connection)?.into_iter().next();
    let name = first.as_deref().and_then(|key| key.split('+').next());
    Ok(Signer::new(keys_of.audit(), name))
}

/// Makes a key the one that signs from here on.
fn enter_key(connection: &Connection, signer: &Signer) -> Result<(), VaultFault> {
    connection
        .execute("INSERT INTO audit_keys (verifier) VALUES (?1)", [signer.key().to_string()])?;
    Ok(())
}

/// Signs the log as it is.
fn sign(connection: &Connection, signer: &Signer) -> Result<String, VaultFault> {
    let tree = tree(connection)?;
    let note = signer.sign(tree.size(), &tree.root());
    connection.execute(
        "INSERT INTO audit_checkpoints (size, note) VALUES (?1, ?2)",
        params![tree.size().cast_signed(), note],
    )?;
    Ok(note)
}

/// Appends the entries of one session after the other, in one commit, and signs the log after each: for
/// benchmarks.
///
/// # Errors
/// As writing a file; then nothing was done.
pub fn append_sessions<'e>(
    vault: &mut Vault,
    keys_of: &VaultKeys,
    sessions: impl Iterator<Item = &'e [AuditEntry]>,
) -> Result<(), VaultFault> {
    seal(vault, keys_of)?;
    let signer = signer(&vault.connection, keys_of)?;
    vault.write(|transaction, _| {
        for session in sessions {
            for entry in session {
                append(transaction, entry)?;
            }
            sign(transaction, &signer)?;
        }
        Ok(())
    })
}

/// The newest entries of the audit log, newest first.
pub fn newest(vault: &Vault, limit: u32) -> Result<Vec<(u64, AuditEntry)>, VaultFault> {
    select(&vault.connection, "ORDER BY seq DESC LIMIT ?1", Some(limit))
}

/// The whole audit log with its sequence, in memory: for tools and tests.
pub fn all(vault: &Vault) -> Result<Vec<(u64, AuditEntry)>, VaultFault> {
    select(&vault.connection, "ORDER BY seq LIMIT ?1", None)
}

/// Signs the log, unless the newest checkpoint covers all of it. Gives the newest checkpoint.
///
/// # Errors
/// As writing a file; then nothing was signed.
pub fn seal(vault: &mut Vault, keys_of: &VaultKeys) -> Result<String, VaultFault> {
    let (signer, newest) = (signer(&vault.connection, keys_of)?, latest(&vault.connection)?);
    let size = tree(&vault.connection)?.size();
    if let Some((sealed, note)) = newest
        && sealed == size
    {
        return Ok(note);
    }
    vault.write(|transaction, _| {
        if keys(transaction)?.is_empty() {
            enter_key(transaction, &signer)?;
        }
        sign(transaction, &signer)
    })
}

/// Signs the log if so many entries are not covered.
///
/// # Errors
/// As [`seal`].
pub fn seal_if_due(vault: &mut Vault, keys_of: &VaultKeys) -> Result<(), VaultFault> {
    let sealed = latest(&vault.connection)?.map_or(0, |(size, _)| size);
    if tree(&vault.connection)?.size().saturating_sub(sealed) >= SEAL_EVERY {
        seal(vault, keys_of)?;
    }
    Ok(())
}

/// Appends entries, and one that names the next key if none of them is it, and hands the log over: the
/// old key signs a checkpoint over them, and so does the next one.
///
/// # Errors
/// As writing a file; then nothing was done.
pub fn hand_over(
    vault: &mut Vault,
    (old, next): (&VaultKeys, &VaultKeys),
    mut entries: Vec<AuditEntry>,
) -> Result<(), VaultFault> {
    let rotates = |entry: &AuditEntry| entry.act == AuditAct::KeysRotated;
    if !entries.iter().any(rotates)
        && let Some(last) = entries.last()
    {
        let AuditEntry { operator, boot, since_boot, at, .. } = *last;
        let entry = AuditEntry::of(AuditAct::KeysRotated, at);
        entries.push(AuditEntry { operator, boot, since_boot, ..entry });
    }
    let old = signer(&vault.connection, old)?;
    let next = Signer::new(next.audit(), Some(old.key().name()));
    let named = next.key().to_string();
    vault.write(|transaction, _| {
        for mut entry in entries {
            if rotates(&entry) {
                entry.detail = Some(named.clone());
            }
            append(transaction, &entry)?;
        }
        if keys(transaction)?.is_empty() {
            enter_key(transaction, &old)?;
        }
        sign(transaction, &old)?;
        enter_key(transaction, &next)?;
        sign(transaction, &next).map(drop)
    })
}

/// Writes the log as a file that anybody can verify, line by line; how many entries it has. Sealed first, so
/// that nothing in it is not.
///
/// # Errors
/// As reading the database or writing a file.
pub fn export(
    vault: &mut Vault,
    keys_of: &VaultKeys,
    out: impl io::Write,
) -> Result<u64, VaultFault> {
    seal(vault, keys_of)?;
    let connection = &vault.connection;
    let entries = tree(connection)?.size();
    let checkpoints: i64 =
        connection.query_row("SELECT count(*) FROM audit_checkpoints", [], |row| row.get(0))?;
    let counts = (entries, checkpoints.unsigned_abs());
    let mut log = LogWriter::begin(out, &keys(connection)?, counts)?;
    each_text(connection, LINES, |line| log.entry(line))?;
    each_text(connection, NOTES, |note| log.checkpoint(note))?;
    log.finish()?;
    Ok(entries)
}

fn each_text(
    connection: &Connection,
    sql: &str,
    mut take: impl FnMut(&str) -> io::Result<()>,
) -> Result<(), VaultFault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = row.get_ref(0)?.as_str().map_err(|_| StoreFault::Damaged)?;
        take(text)?;
    }
    Ok(())
}

/// The log's lines as the table has them, and checkpoints.
struct Tables<'s, N> {
    lines: Rows<'s>,
    next_note: N,
}

impl<N: FnMut() -> Result<Option<String>, VaultFault>> Parts for Tables<'_, N> {
    type Error = VaultFault;

    fn row(&mut self) -> Result<Option<LogRow<'_>>, VaultFault> {
        let Some(row) = self.lines.next()? else { return Ok(None) };
        let line = row.get_ref(0)?.as_bytes().map_err(|_| StoreFault::Damaged)?;
        Ok(Some(LogRow { hash: None, line: Some(line) }))
    }

    fn note(&mut self) -> Result<Option<Result<Note, NoteError>>, VaultFault> {
        Ok((self.next_note)()?.map(|note| Note::parse(&note)))
    }

    fn is_whole(&self) -> bool {
        true
    }
}

/// What verifies the log's newest checkpoints.
///
/// # Errors
/// As reading the database.
pub fn key(vault: &Vault, keys_of: &VaultKeys) -> Result<String, VaultFault> {
    Ok(signer(&vault.connection, keys_of)?.key().to_string())
}

/// Derives the log's roots from its lines and compares them with every checkpoint, with the tree's
/// right edge, and with the key that is the vault's own. Entries that nothing covers yet are fine
/// while the vault is open.
///
/// # Errors
/// As reading the database.
pub fn check(vault: &Vault, keys_of: &VaultKeys) -> Result<Result<Verified, Flaw>, VaultFault> {
    let connection = &vault.connection;
    let mut notes = connection.prepare(NOTES)?;
    let mut notes = notes.query([])?;
    let next_note = || match notes.next()? {
        Some(row) => Ok(Some(row.get(0)?)),
        None => Ok(None),
    };
    examined(connection, keys_of, (&keys(connection)?, next_note), &tree(connection)?)
}

/// Compares the lines that there are with keys, checkpoints and a tree's edge.
fn examined(
    connection: &Connection,
    keys_of: &VaultKeys,
    (keys, next_note): (&[String], impl FnMut() -> Result<Option<String>, VaultFault>),
    edge: &Frontier,
) -> Result<Result<Verified, Flaw>, VaultFault> {
    let name = keys.first().and_then(|key| key.split('+').next());
    let signer = Signer::new(keys_of.audit(), name);
    let own = signer.key();
    let known: Result<Vec<VerifierKey>, _> = keys.iter().map(|key| key.parse()).collect();
    let mut known = match known {
        Ok(known) => known,
        Err(_) => {
            return Ok(Err(Flaw { problem: Problem::Unreadable, entry: None, until: None }));
        }
    };
    if known.is_empty() {
        // Nothing was ever signed: the log as it would be.
        known.push(own.clone());
    }
    let origin = known.first().map(|key| key.name().to_owned()).unwrap_or_default();
    let head = Head { origin, keys: known, stated: None };
    let mut lines = connection.prepare(LINES)?;
    let mut tables = Tables { lines: lines.query([])?, next_note };
    let judge = Judge { trusted: std::slice::from_ref(own), witnesses: &[], sealed: false };
    let verified = match examine(&head, &mut tables, judge)? {
        Ok(verified) => verified,
        Err(flaw) => return Ok(Err(flaw)),
    };
    let (entry, until) = (Some(verified.sealed + 1), None);
    if edge.size() != verified.entries {
        return Ok(Err(Flaw { problem: Problem::Truncated, entry, until }));
    }
    if edge.root() != verified.root {
        return Ok(Err(Flaw { problem: Problem::Edited, entry, until }));
    }
    Ok(Ok(verified))
}

#[cfg(test)]
mod tests;
