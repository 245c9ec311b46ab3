//! Databases of earlier programs.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;

use rusqlite::Connection;

use super::*;
use crate::crypto::{Key, hash};
use crate::disk::durable::steps;
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::record::entry::Entry;
use crate::vault::TemplateRow;
use crate::vault::database::cipher::{Salt, set_key};
use crate::vault::{audit, entries, export, patients, people, rows};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Finger, TokenKind};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Patient, Sex, SubjectId};
use wardkeep_model::keeping::AuditAct;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{Absent, Mdc, Status, Unit};
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, RecordId, Value};

/// What both released programs wrote, in their own words.
const ROWS: &str = "
    INSERT INTO patients (id, family, given, born, sex, mrn) VALUES
        (x'00000000000000000000000000000009', 'Okonkwo', 'Ada', '1944-03-02', 'female', 'M-1'),
        (x'0000000000000000000000000000000a', 'abel', 'Zoe', NULL, 'unknown', '');
    INSERT INTO observations (id, device, run, seq, mdc, value, absent, unit, effective_us,
        received_us, device_time, clock, status, subject, provenance) VALUES
        (4, x'010203040506', -2, 1, 147842, '72', NULL, 'PerMinute', 1780000000000001,
         1780000000000002, NULL, 'Live', '[\"contact-detected\",\"low-battery\"]',
         x'00000000000000000000000000000009', 'Device'),
        (7, x'010203040506', -2, 2, 150364, '36.70', NULL, 'Celsius', 5, 6,
         '2026-01-02T03:04:05', 'Corrected', '[]', x'0000000000000000000000000000000b', 'Simulated'),
        (9, x'010203040507', 3, 1, 150456, NULL, 'not-on-user', 'Percent', -7, 8,
         NULL, 'Unknown', '[\"finger\"]', NULL, 'Device');
    INSERT INTO audit (seq, act, operator, at_us) VALUES
        (1, 'unlocked', x'00000000000000000000000000000007', 5);
    INSERT INTO meta (name, value) VALUES ('inbox_next_seq', 42);
";

/// A database as a program of this version made it, with a row of everything.
fn earlier(version: usize, path: &Path, keys: &VaultKeys) {
    let connection = Connection::open(path).unwrap();
    set_key(&connection, &keys.database(), Salt::InFile).unwrap();
    connection.execute_batch(&[FIRST, PEOPLE][..version].concat()).unwrap();
    connection.execute_batch(&format!("PRAGMA user_version = {version}")).unwrap();
    connection.execute_batch(ROWS).unwrap();
    connection
        .execute_batch(
            "INSERT INTO operators (id, name) VALUES (x'00000000000000000000000000000007', 'A B')",
        )
        .unwrap();
    if version < 2 {
        return;
    }
    let private = keys.hold(Held::Private(OPERATOR), &Key::random().unwrap()).unwrap();
    connection.execute("UPDATE operators SET private = ?1", [private.0]).unwrap();
    connection
        .execute_batch(
            "UPDATE patients SET allergies = 'penicillin' WHERE family = 'Okonkwo';
             INSERT INTO tokens (slot, operator, kind, subject, share, kek) VALUES
                 (x'00000000000000000000000000000001', x'00000000000000000000000000000007',
                  'card', 'CN=Ada Kern', NULL, x'01'),
                 (x'00000000000000000000000000000002', x'00000000000000000000000000000007',
                  'badge', NULL, x'02', x'03');
             INSERT INTO templates (id, operator, finger, sensor, print, since_us) VALUES
                 (x'00000000000000000000000000000003', x'00000000000000000000000000000007',
                  'left-thumb', '{\"driver\":\"d\",\"device\":\"e\",\"serial\":\"f\"}', x'c0ffee', 11);
",
        )
        .unwrap();
}

const OPERATOR: OperatorId = OperatorId(7);

fn is_complete(vault: &Vault, version: usize) {
    assert_eq!(people::operator_name(vault, OPERATOR).unwrap().reveal(), "A B");
    let patients = patients::all(vault).unwrap();
    let families: Vec<&str> = patients.iter().map(|one| one.family.reveal().as_str()).collect();
    assert_eq!(families, ["abel", "Okonkwo"], "whatever their capitals");
    let allergies = if version < 2 { "" } else { "penicillin" };
    let expected = Patient {
        id: SubjectId(9),
        family: Phi::new("Okonkwo".into()),
        given: Phi::new("Ada".into()),
        born: Phi::new(Some(jiff::civil::date(1944, 3, 2))),
        sex: Phi::new(Sex::Female),
        mrn: Phi::new("M-1".into()),
        allergies: Phi::new(allergies.into()),
    };
    assert_eq!(patients::one(vault, SubjectId(9)).unwrap(), Some(expected));
    assert_eq!(patients::one(vault, SubjectId(10)).unwrap().unwrap().born, Phi::new(None));
    assert_eq!(rows::observations(vault).unwrap(), observations());
    assert_eq!(entries::cursor(vault).unwrap().next_seq, 42);
    let (_, entry) = audit::all(vault).unwrap().remove(0);
    assert_eq!((entry.act, entry.operator), (AuditAct::Unlocked, Some(OPERATOR)));
    assert_eq!((entry.person, entry.pair, entry.reason), (None, None, None));
    let tokens = people::tokens(vault, OPERATOR).unwrap();
    let templates = people::template_rows(vault, OPERATOR).unwrap();
    assert_eq!(people::sealed_private_key(vault, OPERATOR).unwrap().is_some(), version >= 2);
    if version < 2 {
        assert!(tokens.is_empty() && templates.is_empty());
        return;
    }
    let [card, badge] = &tokens[..] else { panic!("{tokens:?}") };
    assert_eq!(card.subject.as_ref().unwrap().reveal(), "CN=Ada Kern");
    assert_eq!((card.kind, &card.share, &card.kek.0), (TokenKind::Card, &None, &vec![1]));
    assert_eq!((&badge.subject, &badge.kek.0), (&None, &vec![3]));
    assert_eq!(badge.share.as_ref().unwrap().0, [2]);
    let [TemplateRow { template, since }] = &templates[..] else { panic!("{templates:?}") };
    assert_eq!(
        (template.finger, template.print.expose()),
        (Finger::LeftThumb, &vec![192, 255, 238])
    );
    assert_eq!((template.sensor.serial.as_str(), since.as_microsecond()), ("f", 11));
}

fn observations() -> Vec<Observation> {
    let time = |micros| Timestamp::from_microsecond(micros).unwrap();
    let first = Observation {
        record: RecordId { run: u64::MAX - 1, seq: 1 },
        code: Mdc(147_842),
        value: Phi::new(Value::Measured(Decimal::new(72, 0))),
        unit: Unit::PerMinute,
        effective: time(1_780_000_000_000_001),
        received: time(1_780_000_000_000_002),
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![Status::ContactDetected, Status::LowBattery],
        device: DeviceId([1, 2, 3, 4, 5, 6]),
        subject: Some(SubjectId(9)),
        provenance: Provenance::Device,
    };
    let second = Observation {
        record: RecordId { run: u64::MAX - 1, seq: 2 },
        code: Mdc(150_364),
        value: Phi::new(Value::Measured(Decimal::new(3670, -2))),
        unit: Unit::Celsius,
        effective: time(5),
        received: time(6),
        device_time: Some(jiff::civil::DateTime::constant(2026, 1, 2, 3, 4, 5, 0)),
        clock: ClockConfidence::Corrected,
        status: vec![],
        // Somebody whom no row of the patients names.
        subject: Some(SubjectId(11)),
        provenance: Provenance::Simulated,
        ..first
    };
    let third = Observation {
        record: RecordId { run: 3, seq: 1 },
        code: Mdc(150_456),
        value: Phi::new(Value::Absent(Absent::NotOnUser)),
        unit: Unit::Percent,
        effective: time(-7),
        received: time(8),
        clock: ClockConfidence::Unknown,
        status: vec![Status::Finger],
        device: DeviceId([1, 2, 3, 4, 5, 7]),
        subject: None,
        ..first
    };
    vec![first, second, third]
}

#[test]
fn databases_of_both_earlier_versions_open_with_everything_in_them() {
    for version in [1, 2] {
        let dir = tempfile::tempdir().unwrap();
        let (path, key) = (dir.path().join("v"), VaultKeys::generate().unwrap());
        earlier(version, &path, &key);
        let mut vault = Vault::open(&path, &key).unwrap();
        is_complete(&vault, version);
        // The same records from an inbox that was not deleted yet.
        let again = observations().into_iter().map(|one| Entry::Observation(Box::new(one)));
        assert_eq!(entries::append(&mut vault, &again.collect::<Vec<_>>()), Ok(0));
        let other = observations()
            .into_iter()
            .map(|one| Entry::Observation(Box::new(Observation { code: Mdc(1), ..one })));
        assert_eq!(entries::append(&mut vault, &other.collect::<Vec<_>>()), Ok(3), "taken");
        let audit = audit::all(&vault).unwrap();
        entries::append(&mut vault, &[Entry::Audit(Box::new(audit[0].1.clone()))]).unwrap();
        for sql in ["UPDATE audit SET seq = 9", "DELETE FROM audit"] {
            assert!(vault.connection.execute_batch(sql).is_err(), "append-only as before: {sql}");
        }
        let left: i64 = vault
            .connection
            .query_row("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'clear%'", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(left, 0, "nothing of the earlier tables");
        vault.close().unwrap();
        let vault = Vault::open(&path, &key).unwrap();
        is_complete(&vault, version);
        assert_eq!(audit::all(&vault).unwrap().len(), 2);
    }
}

/// An upgrade that is cut off at any change of the disk, or that the disk refuses there, is begun again.
#[test]
fn s8_an_upgrade_that_ends_at_any_change_of_the_disk_loses_nothing() {
    for version in [1, 2] {
        let (dir, keys) = (tempfile::tempdir().unwrap(), VaultKeys::generate().unwrap());
        earlier(version, &dir.path().join("v"), &keys);
        let made = files(dir.path());
        let cuts = Rc::new(RefCell::new(Vec::new()));
        let (seen, from) = (cuts.clone(), dir.path().to_owned());
        steps::watch(move || {
            seen.borrow_mut().push(files(&from));
            Ok(())
        });
        Vault::open(&dir.path().join("v"), &keys).unwrap().close().unwrap();
        steps::end();
        let cuts = cuts.take();
        assert!(cuts.len() > 10, "{}", cuts.len());
        for (cut, content) in cuts.iter().enumerate() {
            let again = restored(content);
            goes_on(&again.path().join("v"), &keys, version);

            let (dir, mut step) = (restored(&made), 0);
            steps::watch(move || {
                step += 1;
                if step == cut + 1 { Err(StoreFault::Full) } else { Ok(()) }
            });
            let refused = Vault::open(&dir.path().join("v"), &keys).and_then(|vault| vault.close());
            steps::end();
            assert!(
                matches!(refused.map_err(StoreFault::from), Ok(()) | Err(StoreFault::Full)),
                "version {version}, fault {cut}"
            );
            goes_on(&dir.path().join("v"), &keys, version);
        }
    }
}

/// Everything is there, and nothing speaks against it.
fn goes_on(path: &Path, keys: &VaultKeys, version: usize) {
    let mut vault = Vault::open(path, keys).unwrap();
    assert_eq!(vault.findings(), [], "version {version}");
    is_complete(&vault, version);
    vault.close().unwrap();
}

/// The files of a database, by name.
type Files = Vec<(OsString, Vec<u8>)>;

fn files(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect()
}

fn restored(files: &Files) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

/// A row that no program wrote stops the migration, and nothing of it is done.
#[test]
fn s8_a_damaged_row_of_an_earlier_version_is_not_left_out() {
    for sql in [
        "UPDATE observations SET value = '72x' WHERE id = 4",
        "UPDATE observations SET unit = 'Furlong' WHERE id = 4",
        "UPDATE observations SET status = '[\"calm\"]' WHERE id = 4",
        "UPDATE patients SET sex = 'x'",
        "UPDATE patients SET born = '1944-13-02'",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (path, keys) = (dir.path().join("v"), VaultKeys::generate().unwrap());
        earlier(2, &path, &keys);
        let connection = Connection::open(&path).unwrap();
        set_key(&connection, &keys.database(), Salt::InFile).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        assert_eq!(Vault::open(&path, &keys).map(|_| ()), Err(StoreFault::Damaged.into()), "{sql}");
        let connection = Connection::open(&path).unwrap();
        set_key(&connection, &keys.database(), Salt::InFile).unwrap();
        let rows = connection.query_row("SELECT count(value) FROM observations", [], |r| r.get(0));
        assert_eq!(rows, Ok(2_i64), "{sql}");
    }
}

#[test]
fn statements_that_were_released_are_never_changed() {
    for (sql, expected) in
        [(FIRST, 1_181_381_028), (PEOPLE, 2_733_429_056), (wide_rows::TABLES, 2_960_227_957)]
    {
        let [a, b, c, d, ..] = hash(&[sql.as_bytes()]);
        assert_eq!(u32::from_be_bytes([a, b, c, d]), expected, "databases made by it exist");
    }
}

#[test]
fn a_database_of_a_later_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("v"), VaultKeys::generate().unwrap());
    let vault = Vault::create(&path, &key).unwrap();
    let later = MIGRATIONS.len() + 1;
    vault.connection.execute_batch(&format!("PRAGMA user_version = {later}")).unwrap();
    vault.close().unwrap();
    assert_eq!(Vault::open(&path, &key).map(|_| ()), Err(StoreFault::Later.into()));
}

#[test]
fn s4_an_export_is_whole_under_its_own_key_and_keeps_its_rules() {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("v"), VaultKeys::generate().unwrap());
    earlier(2, &path, &key);
    let vault = Vault::open(&path, &key).unwrap();
    let (next, next_key) = (dir.path().join("n"), VaultKeys::generate().unwrap());
    export::export(&vault, &next, &next_key).unwrap();
    assert!(export::export(&vault, &next, &next_key).is_err(), "never over something");
    vault.close().unwrap();
    assert_eq!(Vault::open(&next, &key).map(|_| ()), Err(StoreFault::Damaged.into()));
    let mut vault = Vault::open(&next, &next_key).unwrap();
    assert_eq!(audit::all(&vault).unwrap().len(), 1);
    people::reseal(&mut vault, &key).unwrap();
    is_complete(&vault, 2);
    assert_eq!(entries::cursor(&vault).unwrap().next_seq, 42);
    assert!(vault.connection.execute_batch("DELETE FROM audit").is_err());
    let index: i64 = vault
        .connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'index'", [], |row| row.get(0))
        .unwrap();
    assert!(index >= 1);
    let private = crate::keys::vault_keys::SealedKey(vec![1; 72]);
    people::add_operator(
        &mut vault,
        OperatorId(8),
        &wardkeep_model::confidential::Phi::new("C".into()),
        &private,
    )
    .unwrap();
    let gives_back: i64 =
        vault.connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0)).unwrap();
    assert_eq!(gives_back, 2, "free pages, though the first one could not");
    let text = std::fs::read(&next).unwrap();
    assert!(!text.starts_with(b"SQLite format 3") && !text.windows(7).any(|w| w == b"Okonkwo"));
}
