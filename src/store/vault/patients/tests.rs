//! Crypto-shred, seen by somebody who has the master key and every byte of the files.
//!
//! Pages are decrypted here without SQLCipher: what is deleted, but still in a page, is seen as well.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use aes::cipher::{BlockCipherDecrypt, KeyInit};
use jiff::Timestamp;

use super::*;
use crate::inbox::remembered::Cursor;
use crate::keys::vault_keys::VaultKeys;
use crate::record::entry::Entry;
use crate::vault::database::Vault;
use crate::vault::{audit, entries, export, people, rows};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::Sex;
use wardkeep_model::keeping::{AuditAct, AuditEntry};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, Unit};
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, RecordId, Value};

const PAGE: usize = 4096;
/// What SQLCipher 4 leaves at the end of a page: initialisation vector and HMAC-SHA512.
const RESERVED: usize = 16 + 64;
const GONE: SubjectId = SubjectId(150);
const OTHER: SubjectId = SubjectId(151);
const PATIENTS: u128 = 300;
const VALUES: u64 = 1200;

/// AES-256-CBC of one page; the first begins with the salt instead of the file's name.
fn decrypted(keys: &VaultKeys, page: &[u8], is_first: bool) -> Vec<u8> {
    let cipher = aes::Aes256::new(&(*keys.database()).into());
    let (content, reserved) = page.split_at(PAGE - RESERVED);
    let content = &content[if is_first { 16 } else { 0 }..];
    let mut before: [u8; 16] = reserved[..16].try_into().unwrap();
    let mut plain = Vec::new();
    for sealed in content.chunks_exact(16) {
        let sealed: [u8; 16] = sealed.try_into().unwrap();
        let mut block = sealed.into();
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(before).map(|(byte, before)| byte ^ before));
        before = sealed;
    }
    plain
}

/// Every page of the database and of its log, in the clear.
fn pages(path: &Path, keys: &VaultKeys) -> Vec<Vec<u8>> {
    let database = fs::read(path).unwrap();
    let pages = database.chunks_exact(PAGE).enumerate();
    let mut all: Vec<_> = pages.map(|(at, page)| decrypted(keys, page, at == 0)).collect();
    let log = fs::read(log_of(path)).unwrap_or_default();
    for frame in log.get(32..).unwrap_or_default().chunks_exact(24 + PAGE) {
        all.push(decrypted(keys, &frame[24..], frame[..4] == [0, 0, 0, 1]));
    }
    all
}

fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

fn is_in(pages: &[Vec<u8>], content: &[u8]) -> bool {
    pages.iter().any(|page| page.windows(content.len()).any(|found| found == content))
}

/// How many of these are in a page, each by its first bytes.
fn count(pages: &[Vec<u8>], contents: &[Vec<u8>]) -> usize {
    let heads: HashSet<&[u8]> = contents.iter().map(|content| &content[..16]).collect();
    assert_eq!(heads.len(), contents.len());
    let windows = pages.iter().flat_map(|page| page.windows(16));
    windows.filter(|window| heads.contains(window)).collect::<HashSet<_>>().len()
}

fn patient(id: SubjectId) -> Patient {
    Patient {
        id,
        family: Phi::new(format!("Wolfeschlegel{}", id.0)),
        given: Phi::new("Xanthoula".into()),
        born: Phi::new(None),
        sex: Phi::new(Sex::Female),
        mrn: Phi::new(format!("MRN-{}-QX", id.0)),
        allergies: Phi::new("penicillin".into()),
    }
}

fn observation(seq: u64, subject: Option<SubjectId>) -> Entry {
    let now = Timestamp::from_second(1_780_000_000 + seq.cast_signed()).unwrap();
    Entry::Observation(Box::new(Observation {
        record: RecordId { run: 9, seq },
        code: HEART_RATE,
        value: Phi::new(Value::Measured(Decimal::new(918_273_645, -3))),
        unit: Unit::PerMinute,
        effective: now,
        received: now,
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![],
        device: DeviceId([1; 6]),
        subject,
        provenance: Provenance::Device,
    }))
}

fn entry() -> AuditEntry {
    let entry = AuditEntry::of(AuditAct::PatientShredded, Timestamp::UNIX_EPOCH);
    AuditEntry { subject: Some(GONE), ..entry }
}

/// They all have one number, which nobody could type.
fn put(vault: &mut Vault, patient: &Patient) -> Result<(), VaultFault> {
    vault.write(|transaction, keys| insert(transaction, keys, patient))
}

/// A vault with many patients, whose values are mixed.
fn full(path: &Path, keys: &VaultKeys) -> Vault {
    let mut vault = Vault::create(path, keys).unwrap();
    for id in 0..PATIENTS {
        put(&mut vault, &patient(SubjectId(id))).unwrap();
    }
    let whose = |seq| [Some(GONE), Some(OTHER), None][usize::try_from(seq % 3).unwrap()];
    let entries: Vec<Entry> = (1..=VALUES).map(|seq| observation(seq, whose(seq))).collect();
    for entries in entries.chunks(256) {
        assert_eq!(entries::append(&mut vault, entries), Ok(0));
    }
    vault
}

/// Everything in the vault that is of one patient, as the database holds it.
fn of(vault: &Vault, subject: SubjectId) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for sql in [
        "SELECT sealed FROM patient_keys WHERE subject = ?1",
        "SELECT sealed FROM patients WHERE id = ?1",
        "SELECT body FROM observations JOIN series USING (series)
             JOIN subjects USING (patient) WHERE subject = ?1",
        "SELECT body FROM trend_recent WHERE subject = ?1",
    ] {
        let mut statement = vault.connection.prepare(sql).unwrap();
        let rows = statement.query_map([subject.0.to_be_bytes()], |row| row.get(0)).unwrap();
        found.extend(rows.map(Result::unwrap));
    }
    found
}

#[test]
fn s3_nothing_of_a_shredded_patient_is_left_for_somebody_with_the_master_key() {
    let dir = tempfile::tempdir().unwrap();
    let (path, keys) = (dir.path().join("v"), VaultKeys::generate().unwrap());
    let mut vault = full(&path, &keys);
    let (gone, other) = (of(&vault, GONE), of(&vault, OTHER));
    assert_eq!(gone.len(), 3 + usize::try_from(VALUES).unwrap() / 3);
    let before = pages(&path, &keys);
    assert!(is_in(&before, b"CREATE TABLE patient_keys"), "the pages are read");
    assert_eq!(count(&before, &gone), gone.len(), "the search finds what is there");
    shred(&mut vault, GONE, entry()).unwrap();
    let measured = "SELECT count(*) FROM series JOIN subjects USING (patient) WHERE subject = ?1";
    for (subject, left) in [(GONE, 0), (OTHER, 1)] {
        let id = subject.0.to_be_bytes();
        let found: i64 = vault.connection.query_row(measured, [id], |row| row.get(0)).unwrap();
        assert_eq!(found, left, "what was measured of them");
    }
    assert_eq!(fs::metadata(log_of(&path)).unwrap().len(), 0, "the log is cut");
    let after = pages(&path, &keys);
    assert_eq!(count(&after, &gone), 0);
    assert_eq!(count(&after, &other), other.len(), "everybody else is there");
    // Names and values were never in a page as they are.
    for clear in ["Wolfeschlegel", "Xanthoula", "MRN-150-QX", "penicillin", "918273645"] {
        assert!(!is_in(&before, clear.as_bytes()) && !is_in(&after, clear.as_bytes()));
    }
    assert!(!is_in(&before, &918_273_645_u64.to_le_bytes()));
    vault.close().unwrap();
    let vault = Vault::open(&path, &keys).unwrap();
    assert_eq!(one(&vault, GONE), Ok(None));
    assert_eq!(all(&vault).unwrap().len(), usize::try_from(PATIENTS).unwrap() - 1);
    assert_eq!(one(&vault, OTHER), Ok(Some(patient(OTHER))));
    let left = rows::observations(&vault).unwrap();
    assert_eq!(left.len(), usize::try_from(VALUES).unwrap() / 3 * 2);
    assert!(left.iter().all(|one| one.subject != Some(GONE)));
    let audit = audit::all(&vault).unwrap();
    let told = audit.iter().filter(|(_, entry)| entry.act == AuditAct::PatientShredded).count();
    assert_eq!(told, 1);
}

#[test]
fn s3_nothing_is_ever_kept_for_a_shredded_patient_again() {
    let dir = tempfile::tempdir().unwrap();
    let (path, keys) = (dir.path().join("v"), VaultKeys::generate().unwrap());
    let mut vault = full(&path, &keys);
    shred(&mut vault, GONE, entry()).unwrap();
    let cursor = Cursor { next_seq: 2, ..entries::cursor(&vault).unwrap() };
    let next = VaultKeys::generate().unwrap();
    let exported = dir.path().join("n");
    export::export(&vault, &exported, &next).unwrap();
    vault.close().unwrap();
    // Not after another start either, nor under the next master key.
    for (path, keys, old) in [(&path, &keys, None), (&exported, &next, Some(&keys))] {
        let mut vault = Vault::open(path, keys).unwrap();
        if let Some(old) = old {
            people::reseal(&mut vault, old).unwrap();
        }
        let kept = rows::observations(&vault).unwrap().len();
        let late = [observation(9001, Some(GONE)), observation(9002, Some(OTHER))];
        assert_eq!(entries::append(&mut vault, &late), Ok(1), "dropped and counted");
        let late = [observation(9003, Some(GONE)), observation(9004, Some(OTHER))];
        entries::import(&mut vault, &late, cursor).unwrap();
        assert_eq!(rows::observations(&vault).unwrap().len(), kept + 2);
        assert!(put(&mut vault, &patient(GONE)).is_err());
        assert_eq!(one(&vault, GONE), Ok(None));
        assert_eq!(one(&vault, OTHER), Ok(Some(patient(OTHER))));
        shred(&mut vault, GONE, entry()).unwrap();
        vault.close().unwrap();
    }
}

/// What the claim does not cover: a copy of the whole store from before holds the wrapped key. With the
/// key gone, the same copy gives nothing, although every other byte of the patient is in it.
#[test]
fn s3_an_old_copy_opens_a_patient_only_as_long_as_it_has_the_data_key() {
    let dir = tempfile::tempdir().unwrap();
    let (path, keys) = (dir.path().join("v"), VaultKeys::generate().unwrap());
    let mut vault = full(&path, &keys);
    vault.close().unwrap();
    let old = dir.path().join("old");
    fs::copy(&path, &old).unwrap();
    vault = Vault::open(&path, &keys).unwrap();
    shred(&mut vault, GONE, entry()).unwrap();
    let tombstone: Option<Vec<u8>> = vault
        .connection
        .query_row(
            "SELECT sealed FROM patient_keys WHERE subject = ?1",
            [GONE.0.to_be_bytes()],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(tombstone, None);

    let copy = Vault::open(&old, &keys).unwrap();
    assert_eq!(one(&copy, GONE), Ok(Some(patient(GONE))), "an old whole copy is the old store");
    copy.connection
        .execute("UPDATE patient_keys SET sealed = NULL WHERE subject = ?1", [GONE.0.to_be_bytes()])
        .unwrap();
    assert_eq!(one(&copy, GONE), Ok(None));
    assert!(rows::observations(&copy).unwrap().iter().all(|one| one.subject != Some(GONE)));
}
