//! The log's tables: what they hold, what they refuse, and what checking them finds.

use std::path::Path;

use super::*;
use crate::log::file::{VerifierKey, verify};
use crate::record::entry::Entry;
use crate::vault::entries;

fn entry(second: i64) -> AuditEntry {
    let at = jiff::Timestamp::from_second(1_800_000_000 + second).unwrap();
    AuditEntry::of(AuditAct::AlarmAcknowledged, at)
}

fn grow(vault: &mut Vault, entries: std::ops::Range<i64>) {
    let entries: Vec<Entry> = entries.map(|second| Entry::Audit(Box::new(entry(second)))).collect();
    entries::append(vault, &entries).unwrap();
}

fn fresh(dir: &Path) -> (Vault, VaultKeys) {
    let keys = VaultKeys::generate().unwrap();
    let mut vault = Vault::create(&dir.join("vault.db"), &keys).unwrap();
    grow(&mut vault, 0..7);
    (vault, keys)
}

/// The log as a file.
fn exported(vault: &mut Vault, keys: &VaultKeys) -> Vec<u8> {
    let mut file = Vec::new();
    let entries = export(vault, keys, &mut file).unwrap();
    assert_eq!(entries, tree(&vault.connection).unwrap().size());
    file
}

fn problem(vault: &Vault, keys: &VaultKeys) -> Option<(Problem, Option<u64>)> {
    check(vault, keys).unwrap().err().map(|flaw| (flaw.problem, flaw.entry))
}

#[test]
fn s8_an_open_log_is_whole_before_and_after_it_is_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, keys) = fresh(dir.path());
    let verified = check(&vault, &keys).unwrap().unwrap();
    assert_eq!((verified.entries, verified.sealed, verified.checkpoints), (7, 0, 0));
    let note = seal(&mut vault, &keys).unwrap();
    assert_eq!(seal(&mut vault, &keys).unwrap(), note, "nothing new, nothing signed");
    grow(&mut vault, 7..9);
    let verified = check(&vault, &keys).unwrap().unwrap();
    assert_eq!((verified.entries, verified.sealed, verified.checkpoints), (9, 7, 1));
    let log = exported(&mut vault, &keys);
    let key: VerifierKey = key(&vault, &keys).unwrap().parse().unwrap();
    let verified = verify(&log, &[key], &[note.into_bytes()]).unwrap();
    assert_eq!((verified.entries, verified.checkpoints), (9, 2));
    let other = VaultKeys::generate().unwrap();
    assert_eq!(problem(&vault, &other), Some((Problem::ReSigned, None)));
}

#[test]
fn s8_whoever_changes_rows_is_found_out() {
    let attacks = [
        (
            "UPDATE audit SET line = replace(line, 'alarm', 'Alarm') WHERE seq = 3",
            Problem::NotCanonical,
            Some(3),
        ),
        (
            "UPDATE audit SET line = replace(line, 'alarm-acknowledged', 'audio-paused') WHERE seq = 3",
            Problem::Edited,
            Some(1),
        ),
        (
            "UPDATE audit SET line = replace(line, 'alarm-acknowledged', 'audio-paused') WHERE seq = 9",
            Problem::Edited,
            Some(8),
        ),
        ("DELETE FROM audit WHERE seq = 4", Problem::Deleted, Some(4)),
        ("DELETE FROM audit WHERE seq = 9", Problem::Truncated, Some(8)),
        ("DELETE FROM audit WHERE seq > 5", Problem::Truncated, Some(6)),
        ("UPDATE audit_tree SET size = 8", Problem::Truncated, Some(8)),
        (
            // A digit before the size, on the second line: the signature is another text's.
            "UPDATE audit_checkpoints SET note = substr(note, 1, instr(note, char(10))) || '9'
                || substr(note, instr(note, char(10)) + 1)",
            Problem::CheckpointEdited,
            Some(1),
        ),
    ];
    for (sql, found, at) in attacks {
        let dir = tempfile::tempdir().unwrap();
        let (mut vault, keys) = fresh(dir.path());
        seal(&mut vault, &keys).unwrap();
        grow(&mut vault, 7..9);
        let changes_rows = !sql.contains("audit_tree");
        assert_eq!(
            vault.connection.execute_batch(sql).is_err(),
            changes_rows,
            "append-only: {sql}"
        );
        vault
            .connection
            .execute_batch(
                "DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_deleted;
                 DROP TRIGGER audit_checkpoints_are_not_changed;",
            )
            .unwrap();
        vault.connection.execute_batch(sql).unwrap();
        let verdict = check(&vault, &keys);
        // An edge that is none cannot be read.
        let Ok(verdict) = verdict else {
            assert!(sql.contains("audit_tree"), "{sql}");
            continue;
        };
        let flaw = verdict.unwrap_err();
        assert_eq!((flaw.problem, flaw.entry), (found, at), "{sql}");
    }
}

#[test]
fn a_long_session_is_sealed_every_thousand_entries() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, keys) = fresh(dir.path());
    let checkpoints = |vault: &Vault| check(vault, &keys).unwrap().unwrap().checkpoints;
    grow(&mut vault, 7..999);
    seal_if_due(&mut vault, &keys).unwrap();
    assert_eq!(checkpoints(&vault), 0);
    grow(&mut vault, 999..1000);
    seal_if_due(&mut vault, &keys).unwrap();
    seal_if_due(&mut vault, &keys).unwrap();
    assert_eq!(checkpoints(&vault), 1);
    grow(&mut vault, 1000..2000);
    seal_if_due(&mut vault, &keys).unwrap();
    assert_eq!(checkpoints(&vault), 2);
}

#[test]
fn s8_keys_change_hands_under_a_seal() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, mut keys) = fresh(dir.path());
    let first: VerifierKey = key(&vault, &keys).unwrap().parse().unwrap();
    for second in 10..14 {
        let next = VaultKeys::generate().unwrap();
        let rotated = AuditEntry { act: AuditAct::KeysRotated, ..entry(second) };
        hand_over(&mut vault, (&keys, &next), vec![entry(second), rotated]).unwrap();
        keys = next;
    }
    let log = exported(&mut vault, &keys);
    let verified = verify(&log, std::slice::from_ref(&first), &[]).unwrap();
    assert_eq!(verified.key, key(&vault, &keys).unwrap());
    assert_eq!((verified.entries, verified.checkpoints), (7 + 8, 8));
    // A key that nobody handed over to.
    let stranger = VaultKeys::generate().unwrap();
    grow(&mut vault, 20..21);
    let log = exported(&mut vault, &stranger);
    let flaw = verify(&log, &[first], &[]).unwrap_err();
    assert_eq!((flaw.problem, flaw.entry), (Problem::ReSigned, Some(16)));
}

/// What a program of version 2 left, with the words that were given up.
#[test]
fn rows_of_earlier_versions_become_lines() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE audit (
                 seq INTEGER PRIMARY KEY, act TEXT NOT NULL, operator BLOB, subject BLOB,
                 device BLOB, at_us INTEGER NOT NULL, person BLOB, pair TEXT, reason TEXT
             ) STRICT;
             CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
                 BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
             CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
                 BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
             INSERT INTO audit (seq, act, operator, device, at_us, pair) VALUES
                 (1, 'unlocked', x'00000000000000000000000000000007', x'010203040506', 5, 'card-pin'),
                 (2, 'backlog-damaged', NULL, NULL, 6, NULL),
                 (3, 'cart-rolled-back', NULL, NULL, 7, NULL);",
        )
        .unwrap();
    let mut connection = connection;
    let transaction = connection.transaction().unwrap();
    upgrade(&transaction).unwrap();
    transaction.commit().unwrap();
    let lines = texts(&connection, "SELECT line FROM audit ORDER BY seq").unwrap();
    assert_eq!(
        lines,
        [
            r#"{"seq":1,"at":"1970-01-01T00:00:00.000005Z","act":"unlocked","result":"done","operator":"00000000000000000000000000000007","pair":"card-pin","device":"01:02:03:04:05:06"}"#,
            r#"{"seq":2,"at":"1970-01-01T00:00:00.000006Z","act":"store-finding","result":"done","detail":"backlog-damaged"}"#,
            r#"{"seq":3,"at":"1970-01-01T00:00:00.000007Z","act":"store-finding","result":"done","detail":"cart-rolled-back"}"#,
        ]
    );
    assert_eq!(tree(&connection).unwrap().size(), 3);
    assert_eq!(select(&connection, "ORDER BY seq LIMIT ?1", None).unwrap().len(), 3);
    for sql in ["UPDATE audit SET line = ''", "DELETE FROM audit"] {
        assert!(connection.execute_batch(sql).is_err(), "append-only as before: {sql}");
    }
    assert!(connection.prepare("SELECT 1 FROM audit_before").is_err(), "the old table is gone");
}
