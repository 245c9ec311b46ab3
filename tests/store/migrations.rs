//! A store of each released version opens by a real unlock, with all that was in it.
//!
//! The images are made here from pinned SQL and with an own derivation of the keys: what was written
//! by an earlier program must stay readable, whatever becomes of the code that wrote it. The store in
//! [`released`] was written by the program itself.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::path::Path;

use bip39::Mnemonic;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hpke::{Deserializable, Kem, OpModeR};
use kit::store::desk::*;
use kit::store::*;
use rusqlite::Connection;
use serde_json::Value as Json;
use sha2::Sha256;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{AuditAct, RecoveryPhrase};
use wardkeep_model::vitals::{Observation, Value};

type Dh = hpke::kem::X25519HkdfSha256;

/// Schema of version 1, and what leads from it to version 2.
const VERSIONS: [&str; 2] = [
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE operators (id BLOB PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE patients (
         id BLOB PRIMARY KEY, family TEXT NOT NULL, given TEXT NOT NULL, born TEXT,
         sex TEXT NOT NULL, mrn TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE observations (
         id INTEGER PRIMARY KEY,
         device BLOB NOT NULL, run INTEGER NOT NULL, seq INTEGER NOT NULL,
         mdc INTEGER NOT NULL, value TEXT, absent TEXT, unit TEXT NOT NULL,
         effective_us INTEGER NOT NULL, received_us INTEGER NOT NULL,
         device_time TEXT, clock TEXT NOT NULL, status TEXT NOT NULL,
         subject BLOB, provenance TEXT NOT NULL,
         UNIQUE (device, run, seq),
         CHECK ((value IS NULL) <> (absent IS NULL))
     ) STRICT;
     CREATE INDEX observations_of_subject ON observations (subject, mdc, effective_us);
     CREATE TABLE audit (
         seq INTEGER PRIMARY KEY, act TEXT NOT NULL, operator BLOB, subject BLOB, device BLOB,
         at_us INTEGER NOT NULL
     ) STRICT;
     CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
         BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
     CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
         BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;",
    "ALTER TABLE patients ADD COLUMN allergies TEXT NOT NULL DEFAULT '';
     ALTER TABLE operators ADD COLUMN private BLOB;
     CREATE TABLE tokens (
         slot BLOB PRIMARY KEY, operator BLOB NOT NULL, kind TEXT NOT NULL, subject TEXT,
         share BLOB, kek BLOB NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE templates (
         id BLOB PRIMARY KEY, operator BLOB NOT NULL, finger TEXT NOT NULL, sensor TEXT NOT NULL,
         print BLOB NOT NULL, since_us INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     ALTER TABLE audit ADD COLUMN person BLOB;
     ALTER TABLE audit ADD COLUMN pair TEXT;
     ALTER TABLE audit ADD COLUMN reason TEXT;",
];

/// Rows that both versions had.
const ROWS: &str = "
    INSERT INTO patients (id, family, given, born, sex, mrn) VALUES
        (x'00000000000000000000000000000009', 'Okonkwo', 'Ada', '1944-03-02', 'female', 'M-1'),
        (x'0000000000000000000000000000000a', 'abel', 'Zoe', NULL, 'unknown', '');
    INSERT INTO observations (device, run, seq, mdc, value, absent, unit, effective_us,
        received_us, device_time, clock, status, subject, provenance) VALUES
        (x'010203040506', -2, 1, 147842, '72', NULL, 'PerMinute', 1780000000000001,
         1780000000000002, NULL, 'Live', '[\"contact-detected\",\"low-battery\"]',
         x'00000000000000000000000000000009', 'Device'),
        (x'010203040506', -2, 2, 150364, '36.70', NULL, 'Celsius', 5, 6,
         '2026-01-02T03:04:05', 'Corrected', '[]', x'0000000000000000000000000000000b', 'Simulated'),
        (x'010203040507', 3, 1, 150456, NULL, 'not-on-user', 'Percent', -7, 8,
         NULL, 'Unknown', '[\"finger\"]', NULL, 'Device');
    INSERT INTO audit (seq, act, at_us) VALUES (1, 'unlocked', 5), (2, 'backlog-damaged', 6);
    INSERT INTO meta (name, value) VALUES ('inbox_next_seq', 1), ('inbox_last_segment', 0);
";

fn derive(salt: &[u8], ikm: &[u8], info: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, &mut key).unwrap();
    key
}

fn bytes(json: &Json) -> Vec<u8> {
    let bytes = json.as_array().unwrap().iter();
    bytes.map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap()).collect()
}

/// The master key, from the recovery words and the keyring alone.
fn master(ring: &Json, words: &RecoveryPhrase) -> Vec<u8> {
    let entropy = Mnemonic::parse_normalized(words.expose()).unwrap().to_entropy();
    let (private, _) = Dh::derive_keypair(&derive(b"", &entropy, b"recovery v1"));
    let mut entries = ring["entries"].as_array().unwrap().iter();
    let entry = entries.find(|entry| entry["recipient"] == "recovery").unwrap();
    let sealed = bytes(&entry["sealed"]);
    let (enc, sealed) = sealed.split_at(32);
    let epoch = ring["epoch"].as_u64().unwrap().to_be_bytes();
    let aad = [&bytes(&ring["device"])[..], &epoch, &[0; 17]].concat();
    hpke::single_shot_open::<hpke::aead::ChaCha20Poly1305, hpke::kdf::HkdfSha256, Dh>(
        &OpModeR::Base,
        &private,
        &<Dh as Kem>::EncappedKey::from_bytes(enc).unwrap(),
        b"wardkeep vmk v1",
        sealed,
        &aad,
    )
    .unwrap()
}

/// JSON without this field of its outer object: a number or a list of numbers. Not by way of a parsed
/// value, which would round identities of 128 bits.
fn without(json: &str, field: &str) -> String {
    let name = format!("\"{field}\":");
    let (before, rest) = json.split_once(&name).unwrap();
    let end = if rest.starts_with('[') { rest.find(']').unwrap() + 1 } else { 0 };
    let (_, after) = rest[end..].split_once(',').unwrap();
    format!("{before}{after}")
}

/// Takes out of a state file what the released programs did not write: fields, and what tells kind and version.
fn older(dir: &Path, (name, kind): (&str, u8), place: &[u8], without: impl Fn(String) -> String) {
    let secret = fs::read(dir.join("device-secret")).unwrap();
    let secret = derive(b"wardkeep device secret v1", &secret, b"");
    let info = name.split('/').next().unwrap();
    let cipher = XChaCha20Poly1305::new(&derive(b"", &secret, info.as_bytes()).into());
    let path = dir.join("store").join(name);
    let file = fs::read(&path).unwrap();
    let front = [&b"wardkeep"[..], &[kind, 1]].concat();
    let sealed = file.strip_prefix(&front[..]).unwrap();
    let (nonce, msg) = sealed.split_first_chunk::<24>().unwrap();
    let (nonce, aad) = (XNonce::from(*nonce), &[&front[..], place].concat()[..]);
    let plain = cipher.decrypt(&nonce, Payload { msg, aad }).unwrap();
    let plain = without(String::from_utf8(plain).unwrap());
    let sealed = cipher.encrypt(&nonce, Payload { msg: plain.as_bytes(), aad: place }).unwrap();
    fs::write(path, [&nonce[..], &sealed].concat()).unwrap();
}

fn older_cart(dir: &Path) {
    let fields =
        ["epoch", "keyring", "anchored", "witnessed", "seen", "open_findings", "suspected"];
    older(dir, ("cart", 1), b"wardkeep cart v1", |cart| {
        fields.iter().fold(cart, |cart, field| without(&cart, field))
    });
}

fn older_inbox(dir: &Path, device: &[u8]) {
    older(dir, ("inbox/head", 2), device, |state| {
        let mut state: Json = serde_json::from_str(&state).unwrap();
        for field in ["vault", "generation", "seen"] {
            state.as_object_mut().unwrap().remove(field).unwrap();
        }
        state.to_string()
    });
}

fn database(path: &Path, key: &[u8]) -> Connection {
    use std::fmt::Write;
    let connection = Connection::open(path).unwrap();
    let mut digits = String::new();
    key.iter().for_each(|byte| write!(digits, "{byte:02x}").unwrap());
    connection.execute_batch(&format!("PRAGMA key = \"x'{digits}'\";")).unwrap();
    connection
}

/// Turns a store into what the program of this version would have left.
fn image(dir: &Path, version: usize, words: &RecoveryPhrase) {
    let store = dir.join("store");
    let ring_path = store.join("keyring");
    let mut text = fs::read_to_string(&ring_path).unwrap();
    let ring: Json = serde_json::from_str(&text).unwrap();
    let key = derive(b"", &master(&ring, words), b"K_db");
    let vault = store.join("vault.db");
    // Sealed keys are as they were; only where they stand has changed.
    let now = database(&vault, &key);
    let (id, private): (Vec<u8>, Vec<u8>) = now
        .query_row("SELECT id, private FROM operators", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let token: (Vec<u8>, Vec<u8>, Vec<u8>) = now
        .query_row("SELECT slot, share, kek FROM tokens", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    drop(now);
    for path in files(&store) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("vault") || name.ends_with(".copy") || name.ends_with("seen") {
            fs::remove_file(path).unwrap();
        }
    }
    for field in ["generation", "whole"] {
        text = without(&text, field);
    }
    fs::write(&ring_path, text).unwrap();
    older_cart(dir);
    older_inbox(dir, &bytes(&ring["device"]));

    let old = database(&vault, &key);
    old.execute_batch("PRAGMA journal_mode = WAL;").unwrap();
    old.execute_batch(&VERSIONS[..version].concat()).unwrap();
    old.execute_batch(&format!("PRAGMA user_version = {version}; {ROWS}")).unwrap();
    old.execute("INSERT INTO operators (id, name) VALUES (?1, 'Quintessa Zwyxblatt')", [&id])
        .unwrap();
    old.execute_batch(
        "INSERT INTO operators (id, name) VALUES (x'00000000000000000000000000000005', 'Who Left')",
    )
    .unwrap();
    if version < 2 {
        return;
    }
    old.execute("UPDATE operators SET private = ?1 WHERE id = ?2", [&private, &id]).unwrap();
    let (slot, share, kek) = token;
    old.execute(
        "INSERT INTO tokens (slot, operator, kind, subject, share, kek)
         VALUES (?1, ?2, 'badge', NULL, ?3, ?4)",
        [&slot, &id, &share, &kek],
    )
    .unwrap();
    old.execute(
        "INSERT INTO templates (id, operator, finger, sensor, print, since_us) VALUES
         (x'00000000000000000000000000000003', ?1, 'right-index',
          '{\"driver\":\"virtual\",\"device\":\"0\",\"serial\":\"\"}', x'0102', 9)",
        [&id],
    )
    .unwrap();
    old.execute_batch(
        "UPDATE patients SET allergies = 'penicillin' WHERE family = 'Okonkwo';
         INSERT INTO audit (seq, act, at_us, person, pair, reason) VALUES
             (3, 'emergency-opened', 7, x'00000000000000000000000000000005', 'badge-pin', NULL);",
    )
    .unwrap();
}

fn digits(observation: &Observation) -> Option<String> {
    match observation.value.reveal() {
        Value::Measured(decimal) => Some(decimal.to_string()),
        Value::Absent(_) => None,
    }
}

fn opens(version: usize) {
    let dir = tempfile::tempdir().unwrap();
    let (rig, words) = Rig::first_start(dir.path());
    rig.stop();
    image(dir.path(), version, &words);
    for round in 0..2 {
        let mut rig = Rig::restart(dir.path());
        let unlocked = rig.unlock_at((badge(), RIGHT_PIN), at(round)).unwrap();
        assert_eq!(unlocked.operator.name.reveal(), "Quintessa Zwyxblatt");
        rig.next();
        assert_eq!(rig.findings, [], "version {version}, round {round}: nothing is wrong");
        rig.close();
        rig.stop();
    }
    let vault = contents(dir.path(), &words);
    let patients = vault.patients().unwrap();
    let [abel, okonkwo] = &patients[..] else { panic!("{} patients", patients.len()) };
    assert_eq!((abel.family.reveal().as_str(), abel.born.reveal()), ("abel", &None));
    assert_eq!((okonkwo.id, okonkwo.mrn.reveal().as_str()), (SubjectId(9), "M-1"));
    assert_eq!(okonkwo.born.reveal().unwrap().to_string(), "1944-03-02");
    let allergies = if version < 2 { "" } else { "penicillin" };
    assert_eq!(okonkwo.allergies.reveal(), allergies);
    let observations = vault.observations().unwrap();
    let values: Vec<_> = observations.iter().map(digits).collect();
    assert_eq!(values, [Some("72".to_owned()), Some("36.70".to_owned()), None]);
    let of: Vec<_> = observations.iter().map(|one| (one.subject, one.record.seq)).collect();
    assert_eq!(of, [(Some(SubjectId(9)), 1), (Some(SubjectId(11)), 2), (None, 1)]);
    assert_eq!(observations[0].record.run, u64::MAX - 1);
    assert_eq!(observations[0].effective.as_microsecond(), 1_780_000_000_000_001);
    assert_eq!(observations[1].device_time.unwrap().to_string(), "2026-01-02T03:04:05");
    assert_eq!(observations[0].status.len(), 2);
    let audit = acts(&vault);
    let acts: Vec<_> = audit.iter().map(|(_, entry)| entry.act).collect();
    assert_eq!(acts[..2], [AuditAct::Unlocked, AuditAct::StoreFinding]);
    drop(vault);
    if version < 2 {
        return;
    }
    assert_eq!(acts[2], AuditAct::EmergencyOpened);
    let mut rig = Rig::restart(dir.path());
    rig.log_in(it());
    let [person] = &rig.people()[..] else { panic!("one person") };
    assert_eq!(person.factors.len(), 2, "a badge and a finger");
    // Its keys can be changed like any other's.
    let nora = rig.enrol("Nora Quist", wardkeep_model::access::Role::Nurse, 1, PIN);
    rig.revoke(nora).unwrap();
    rig.close();
    assert!(rig.opens(it()));
    rig.stop();
    assert_eq!(contents(dir.path(), &words).observations().unwrap().len(), 3);
}

#[test]
fn s8_a_store_of_version_1_opens_with_all_it_had() {
    opens(1);
}

#[test]
fn s8_a_store_of_version_2_opens_with_all_it_had() {
    opens(2);
}
