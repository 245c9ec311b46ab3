//! A store and a backup that the program of version 0.1 wrote, kept as files: whatever becomes of the
//! formats, they open with all that was in them, and nothing is found wrong.
//!
//! `fixtures/store_0_1/` has the state directory with its device secret, the recovery words and a backup.
//! The vault is closed; behind it lie an unfinished form, an emergency card, a counted try, and both lanes
//! of an inbox that nobody imported.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::encounter::{Patient, PatientForm, SubjectId};
use wardkeep_model::keeping::emergency::EmergencyReason;
use wardkeep_model::keeping::{Administration, AuditAct, Command, Outcome, RecoveryPhrase};
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{
    Absent, BODY_TEMPERATURE, HEART_RATE, PLETH, SPO2, Status, Unit,
};
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{ClockConfidence, DeviceId, Observation, Provenance, RecordId, Value};
use wardkeep_store::{restore_with_recovery, verify_backup_with_recovery};

/// Start of what was recorded, in seconds since 1970.
const START_S: i64 = 1_780_000_000;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/store_0_1")
}

fn words() -> RecoveryPhrase {
    Secret::new(fs::read_to_string(fixture().join("words")).unwrap())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    // As a store's directories are, whatever those of the fixture are.
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The value of a number.
fn kept(seq: u64) -> Observation {
    let n = seq.cast_signed();
    let effective = Timestamp::from_microsecond(START_S * 1_000_000 + n * 10_000_123).unwrap();
    let (code, unit, clock) = match seq % 3 {
        0 => (HEART_RATE, Unit::PerMinute, ClockConfidence::Live),
        1 => (SPO2, Unit::Percent, ClockConfidence::Corrected),
        _ => (BODY_TEMPERATURE, Unit::Celsius, ClockConfidence::Unknown),
    };
    let value = match seq % 10 {
        9 => Value::Absent(Absent::NoContact),
        _ => Value::Measured(Decimal::new(3_600 + n % 170, -2)),
    };
    let stamp = jiff::civil::date(2026, 5, 28).at(20, 26, 40, 7);
    let status = vec![Status::ContactDetected, Status::LowBattery];
    let subject = match (seq % 5, seq % 10) {
        (3, 3) => None,
        (3, _) => Some(SubjectId(8)),
        (_, _) => Some(SubjectId(7)),
    };
    Observation {
        record: RecordId { run: u64::MAX - seq % 2, seq },
        code,
        value: Phi::new(value),
        unit,
        effective,
        received: effective + Duration::from_micros(seq),
        device_time: seq.is_multiple_of(7).then_some(stamp),
        clock,
        status: if seq.is_multiple_of(4) { status } else { vec![] },
        device: DeviceId([0xc0, 1, 2, 3, 4, u8::try_from(seq % 2).unwrap()]),
        subject,
        provenance: match seq % 11 {
            0 => Provenance::Simulated,
            _ => Provenance::Device,
        },
    }
}

fn wave(seq: u16) -> WaveSegment {
    WaveSegment {
        record: RecordId { run: 9, seq: u64::from(seq) },
        code: PLETH,
        rate_hz: 125,
        start: Timestamp::from_second(START_S + 10 * i64::from(seq)).unwrap(),
        samples: Phi::new((0..1_250_u16).map(|n| n.wrapping_mul(7_919) ^ seq).collect()),
        device: DEVICE,
        subject: Some(SubjectId(7)),
        provenance: Provenance::Simulated,
    }
}

fn everybody() -> [Patient; 2] {
    [(7, "Okonkwo", "penicillin"), (8, "Zhang", "")].map(|(id, family, allergies)| Patient {
        id: SubjectId(id),
        allergies: Phi::new(allergies.to_owned()),
        ..patient(family)
    })
}

fn unfinished_form() -> PatientForm {
    let text = |text: &str| Phi::new(text.to_owned());
    PatientForm {
        family: text("Okonk"),
        given: text("A"),
        born: text("195"),
        sex: Phi::default(),
        mrn: text(""),
        allergies: text("penicillin"),
    }
}

/// What the vault of a state directory has: all values up to this number, and waveforms.
fn holds(dir: &Path, (values, waves): (u64, u16)) -> Vec<AuditAct> {
    let mut vault = contents(dir, &words());
    assert_eq!(vault.patients().unwrap(), everybody());
    let expected: Vec<_> = (1..=values).map(kept).collect();
    assert!(vault.observations().unwrap() == expected, "every value as it was recorded");
    let all = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let found = vault.waves((SubjectId(7), PLETH), all).unwrap();
    assert!(found == (1..=waves).map(wave).collect::<Vec<_>>(), "every stretch of the waveform");
    assert!(vault.check_trends().unwrap() > 0);
    acts(&vault).iter().map(|(_, entry)| entry.act).collect()
}

fn show_emergency_card(rig: &mut Rig) {
    let reason = EmergencyReason::FactorFailed;
    rig.send(Command::OpenEmergency(Attempt(3), card(1).token(), reason, at(1)));
    let card = loop {
        if let Outcome::Emergency(_, answer) = rig.next() {
            break answer.unwrap();
        }
    };
    assert_eq!(card.patient, everybody()[0]);
    assert_eq!(card.written.as_second(), START_S + 4_200);
    assert_eq!(card.numerics.len(), 200);
}

#[test]
fn s8_a_store_that_version_0_1_wrote_opens_with_all_it_had() {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture().join("state"), dir.path());
    let mut rig = Rig::restart(dir.path());
    assert_eq!(rig.findings, []);
    show_emergency_card(&mut rig);
    let unlocked = rig.unlock_at((nth_badge(1), PIN), at(2)).unwrap();
    assert_eq!(unlocked.draft.map(|draft| draft.form), Some(unfinished_form()));
    let outcome = rig.next();
    let Outcome::Imported(import) = outcome else { panic!("{outcome:?}") };
    // A wrong PIN, a look at the emergency card and 70 values; two stretches; one more look.
    assert_eq!((import.imported, import.total), (75, 75));
    rig.close();
    rig.log_in(it());
    assert_eq!(rig.findings, [], "nothing is wrong");
    let people = rig.people();
    let nora = people.iter().find(|person| person.name.reveal() == "Nora Quist").unwrap();
    assert_eq!((people.len(), nora.factors.len()), (2, 3), "a badge, a card and a finger");
    // All of it can be changed like any other.
    rig.administer(Administration::EnrolCard(nora.id, card_enrolment(2))).unwrap();
    rig.record(77, 471..=480);
    rig.close();
    rig.stop();
    let mut rig = Rig::restart(dir.path());
    assert!(rig.opens(card(1)) && rig.opens(card(2)) && rig.opens(it()));
    assert_eq!(rig.findings, [], "nothing is wrong with what is written since");
    rig.stop();
    let vault = contents(dir.path(), &words());
    assert_eq!(vault.observations().unwrap().len(), 480);
}

#[test]
fn s8_everything_of_version_0_1_is_in_the_vault_after_one_unlock() {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture().join("state"), dir.path());
    holds(dir.path(), (400, 2));
    let mut rig = Rig::restart(dir.path());
    let (_, backlog) = rig.unlock(at(1));
    assert_eq!(backlog, Backlog { imported: 74, missing: 0, forged: 0 });
    assert_eq!(rig.findings, [], "nothing is wrong");
    rig.close();
    rig.stop();
    let acts = holds(dir.path(), (470, 4));
    for act in [AuditAct::BackupWritten, AuditAct::UnlockRefused, AuditAct::EmergencyOpened] {
        assert!(acts.contains(&act), "{act:?} in {acts:?}");
    }
}

#[test]
fn s8_a_backup_that_version_0_1_wrote_verifies_and_restores() {
    let file = fixture().join("ward.backup");
    let read = BufReader::new(fs::File::open(&file).unwrap());
    let written = verify_backup_with_recovery(read, &words()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let restored = restore_with_recovery(&options(dir.path()), &words(), &file).unwrap();
    assert_eq!(restored.written, written);
    let has = |name: &str| restored.people.iter().any(|person| person.name.reveal() == name);
    assert!(has("Nora Quist") && has("Quintessa Zwyxblatt") && restored.people.len() == 2);
    let acts = holds(dir.path(), (400, 2));
    assert!(acts.contains(&AuditAct::BackupRestored));
}
