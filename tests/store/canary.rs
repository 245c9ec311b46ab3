//! Distinctive values go in; none of them may be found in any file, whether open, locked or stopped.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::path::Path;

use kit::store::*;
use wardkeep_model::access::factor::Badge;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{CartState, Command, KnownDevice, Outcome, RecoveryPhrase};
use wardkeep_model::vitals::Value;
use wardkeep_model::vitals::decimal::Decimal;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn canaries(phrase: &RecoveryPhrase, badge: &Badge) -> Vec<Vec<u8>> {
    let words: Vec<&str> = phrase.expose().split(' ').collect();
    let mut texts: Vec<Vec<u8>> = [
        "Xanthoula",
        "Wolfeschlegel",
        "MRN-7714-QX",
        "Quintessa",
        "Zwyxblatt", // people
        "918273645",
        "147842",
        "471182",
        "4, 7, 1, 1, 8, 2",
        "4,7,1,1,8,2", // value, code, PIN
        "PatientCreated",
        "patient-created",
        "SQLite format",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    texts.push(words[3..6].join(" ").into_bytes());
    texts.push(badge.uid().to_vec());
    texts.push(hex(badge.uid()).into_bytes());
    texts.push(hex(badge.uid()).to_uppercase().into_bytes());
    let numbers: Vec<String> = badge.uid().iter().map(u8::to_string).collect();
    texts.push(numbers.join(",").into_bytes());
    texts.push(RIGHT_PIN.to_vec());
    texts
}

/// Where canaries are found: file name and canary.
fn search(dir: &Path, canaries: &[Vec<u8>]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in files(dir) {
        let content = fs::read(&path).unwrap();
        let name = path.to_string_lossy().into_owned();
        for canary in canaries {
            let in_content = content.windows(canary.len()).any(|window| window == canary);
            let in_name = name.as_bytes().windows(canary.len()).any(|window| window == canary);
            if in_content || in_name {
                found.push((name.clone(), String::from_utf8_lossy(canary).into_owned()));
            }
        }
    }
    found
}

fn distinctive(seq: u64) -> Command {
    let mut one = observation(1, seq);
    one.value = Phi::new(Value::Measured(Decimal::new(918_273_645, -3)));
    Command::Record(Box::new(one))
}

#[test]
fn s4_s10_no_file_holds_a_name_a_value_a_pin_or_a_badge_number() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    let canaries = canaries(&phrase, &badge());
    rig.send(distinctive(1));
    rig.unlock_at((badge(), WRONG_PIN), at(0)).unwrap_err();
    rig.unlock(at(0));
    let mut person = patient("Wolfeschlegel");
    person.given = Phi::new("Xanthoula".into());
    person.mrn = Phi::new("MRN-7714-QX".into());
    let subject = Some(person.id);
    rig.send(Command::AddPatient(Box::new(person), at(0)));
    assert!(matches!(rig.next(), Outcome::PatientAdded(_)));
    let device = KnownDevice {
        id: DEVICE,
        kind: wardkeep_model::vitals::DeviceKind::HeartRate,
        name: "HRM".into(),
        assignment: None,
        bond: None,
    };
    let state = CartState {
        subject,
        devices: vec![device],
        language: "en".into(),
        limits: None,
        alive: None,
        inventory: vec![],
        bed: String::new(),
    };
    rig.send(Command::SaveCart(Box::new(state)));
    for seq in 2..=600 {
        rig.send(distinctive(seq));
    }
    rig.send(Command::ListPatients);
    rig.next();
    assert!(fs::metadata(dir.path().join("store/vault.db-wal")).unwrap().len() > 4096);
    assert_eq!(search(dir.path(), &canaries), [], "while open");
    rig.close();
    for seq in 601..=700 {
        rig.send(distinctive(seq));
    }
    rig.send(Command::Retry);
    rig.unlock(at(1));
    rig.close();
    for seq in 701..=800 {
        rig.send(distinctive(seq));
    }
    assert_eq!(search(dir.path(), &canaries), [], "while locked");
    rig.stop();
    assert!(!segments(dir.path()).is_empty());
    assert_eq!(search(dir.path(), &canaries), [], "after the shutdown");

    // The search itself can find: the same values in a plain file.
    fs::write(dir.path().join("plain"), canaries.concat()).unwrap();
    assert_eq!(search(dir.path(), &canaries).len(), canaries.len());
}
