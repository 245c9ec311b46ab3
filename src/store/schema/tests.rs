//! Databases of earlier programs.

use rusqlite::Connection;

use super::super::primitives::hash;
use super::*;
use crate::session::OperatorId;

/// A database as the first program made it, with a row of everything.
fn first_version(path: &Path, keys: &VaultKeys) {
    let connection = Connection::open(path).unwrap();
    set_key(&connection, &keys.database()).unwrap();
    connection.execute_batch(FIRST).unwrap();
    connection
        .execute_batch(
            "PRAGMA user_version = 1;
             INSERT INTO operators (id, name) VALUES (x'00000000000000000000000000000007', 'A B');
             INSERT INTO patients (id, family, given, born, sex, mrn) VALUES
                 (x'00000000000000000000000000000009', 'Okonkwo', 'Ada', NULL, 'female', 'M-1');
             INSERT INTO audit (seq, act, operator, at_us) VALUES
                 (1, 'unlocked', x'00000000000000000000000000000007', 5);
             INSERT INTO meta (name, value) VALUES ('inbox_next_seq', 42);",
        )
        .unwrap();
}

#[test]
fn a_database_of_the_first_version_opens_with_everything_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("v"), VaultKeys::generate().unwrap());
    first_version(&path, &key);
    let mut vault = Vault::open(&path, &key).unwrap();
    let operator = OperatorId(7);
    assert_eq!(vault.operator_name(operator).unwrap().reveal(), "A B");
    assert!(vault.private_key(operator).unwrap().is_none());
    assert!(vault.tokens(operator).unwrap().is_empty());
    let patient = vault.patient(SubjectId(9)).unwrap().unwrap();
    assert_eq!(
        (patient.family.reveal().as_str(), patient.allergies.reveal().as_str()),
        ("Okonkwo", "")
    );
    let audit = vault.audit().unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!(audit[0].1.operator, Some(operator));
    assert_eq!((audit[0].1.person, audit[0].1.pair, audit[0].1.reason), (None, None, None));
    assert_eq!(vault.cursor().unwrap().next_seq, 42);
    vault.append(&[Entry::Audit(Box::new(audit[0].1.clone()))]).unwrap();
    for sql in ["UPDATE audit SET act = 'locked'", "DELETE FROM audit"] {
        assert!(vault.connection.execute_batch(sql).is_err(), "append-only as before: {sql}");
    }
    vault.close().unwrap();
    assert_eq!(Vault::open(&path, &key).unwrap().audit().unwrap().len(), 2);
}

#[test]
fn statements_that_were_released_are_never_changed() {
    let [a, b, c, d, ..] = hash(&[FIRST.as_bytes()]);
    assert_eq!(u32::from_be_bytes([a, b, c, d]), 1_181_381_028, "databases of version 1 exist");
}

#[test]
fn a_database_of_a_later_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("v"), VaultKeys::generate().unwrap());
    let vault = Vault::create(&path, &key).unwrap();
    vault.connection.execute_batch("PRAGMA user_version = 4").unwrap();
    vault.close().unwrap();
    assert_eq!(Vault::open(&path, &key).map(|_| ()), Err(StoreFault::Damaged));
}

#[test]
fn s4_an_export_is_whole_under_its_own_key_and_keeps_its_rules() {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("v"), VaultKeys::generate().unwrap());
    first_version(&path, &key);
    let vault = Vault::open(&path, &key).unwrap();
    let (next, next_key) = (dir.path().join("n"), VaultKeys::generate().unwrap());
    vault.export(&next, &next_key).unwrap();
    assert!(vault.export(&next, &next_key).is_err(), "never over something");
    vault.close().unwrap();
    assert_eq!(Vault::open(&next, &key).map(|_| ()), Err(StoreFault::Damaged));
    let mut vault = Vault::open(&next, &next_key).unwrap();
    assert_eq!(vault.audit().unwrap().len(), 1);
    assert_eq!(vault.patients().unwrap().len(), 1);
    assert_eq!(vault.cursor().unwrap().next_seq, 42);
    assert!(vault.connection.execute_batch("DELETE FROM audit").is_err());
    let index: i64 = vault
        .connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'index'", [], |row| row.get(0))
        .unwrap();
    assert!(index >= 1);
    let private = super::super::vault::SealedKey(vec![1; 72]);
    vault
        .add_operator(OperatorId(8), &crate::confidential::Phi::new("C".into()), &private)
        .unwrap();
    let text = std::fs::read(&next).unwrap();
    assert!(!text.starts_with(b"SQLite format 3") && !text.windows(7).any(|w| w == b"Okonkwo"));
}
