//! The store's ordinary day: first start, unlock, record, lock, record, unlock; nothing is lost.

use std::fs;

use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::confidential::Secret;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::Protection;
use wardkeep_model::keeping::{
    AuditAct, AuditEntry, CartState, Command, Found, Outcome, StoreFault,
};
use wardkeep_store::{cipher_facts, inspect, open_with_recovery};

fn imported(imported: u64) -> Backlog {
    Backlog { imported, missing: 0, forged: 0 }
}

#[test]
fn s8_recorded_while_locked_or_open_every_row_is_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.record(1, 1..=5);
    let (unlocked, import) = rig.unlock(at(0));
    assert_eq!((unlocked.operator.initials.as_str(), unlocked.operator.role), ("QZ", Role::It));
    assert_eq!(unlocked.operator.name.reveal(), "Quintessa Zwyxblatt");
    assert_eq!(import, imported(5));
    rig.record(1, 6..=10);
    rig.close();
    rig.record(1, 11..=700);
    assert!(rig.stop().is_empty());

    let mut rig = Rig::restart(dir.path());
    rig.record(2, 701..=710);
    let (_, import) = rig.unlock(at(10));
    assert_eq!(import, imported(700));
    rig.close();
    let (_, import) = rig.unlock(at(20));
    assert_eq!(import, imported(0));
    rig.stop();
    assert_eq!(seqs(&contents(dir.path(), &phrase)), (1..=710).collect::<Vec<_>>());
    assert!(segments(dir.path()).is_empty());
}

#[test]
fn rows_come_back_as_they_were_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    let kept = [observation(u64::MAX, 1), observation(u64::MAX, 2)];
    rig.send(Command::Record(Box::new(kept[0].clone())));
    rig.unlock(at(0));
    rig.send(Command::Record(Box::new(kept[1].clone())));
    rig.stop();
    assert_eq!(contents(dir.path(), &phrase).observations().unwrap(), kept);
}

#[test]
fn patients_and_the_bed_survive() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, _) = Rig::first_start(dir.path());
    rig.unlock(at(0));
    for family in ["Okonkwo", "almeida", "Zhang"] {
        rig.send(Command::AddPatient(Box::new(patient(family)), at(0)));
        assert!(matches!(rig.next(), Outcome::PatientAdded(_)));
    }
    rig.send(Command::ListPatients);
    let Outcome::Patients(list) = rig.next() else { panic!("no list") };
    let names: Vec<&str> = list.iter().map(|one| one.family.reveal().as_str()).collect();
    assert_eq!(names, ["almeida", "Okonkwo", "Zhang"]);
    let bed = list[1].clone();
    let state = CartState { subject: Some(bed.id), language: "de".into(), ..CartState::default() };
    rig.send(Command::SaveCart(Box::new(state.clone())));
    rig.close();
    rig.send(Command::ListPatients);
    assert!(rig.stop().is_empty(), "no patient is listed while locked");

    let (mut rig, found) = Rig::start(options(dir.path()));
    let Outcome::Found(Found::Store(cart)) = found else { panic!("{found:?}") };
    assert_eq!(*cart, state);
    let (unlocked, _) = rig.unlock(at(9));
    assert_eq!(unlocked.patient, Some(bed));
    rig.stop();
}

#[test]
fn audit_is_numbered_in_order_whether_locked_or_open() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    let entry = |act| AuditEntry {
        subject: Some(SubjectId(u128::MAX)),
        device: Some(DEVICE),
        ..AuditEntry::of(act, at(3).wall)
    };
    rig.send(Command::Audit(Box::new(entry(AuditAct::StoreCreated))));
    rig.unlock(at(0));
    rig.send(Command::Audit(Box::new(entry(AuditAct::Unlocked))));
    rig.close();
    rig.send(Command::Audit(Box::new(entry(AuditAct::Locked))));
    rig.unlock(at(5));
    rig.stop();
    let acts = [AuditAct::StoreCreated, AuditAct::Unlocked, AuditAct::Locked];
    let expected: Vec<_> = (1..).zip(acts.map(entry)).collect();
    let mut audit = contents(dir.path(), &phrase).audit().unwrap();
    // The store fills in what the core did not know.
    for (_, entry) in &mut audit {
        assert!(entry.boot.take().is_some() && entry.since_boot.take().is_some());
    }
    assert_eq!(audit, expected);
}

#[test]
fn s4_recovery_words_open_the_vault_without_badge_or_device_secret() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.unlock(at(0));
    rig.send(Command::AddPatient(Box::new(patient("Okonkwo")), at(0)));
    rig.stop();
    std::fs::remove_file(dir.path().join("device-secret")).unwrap();
    let vault = contents(dir.path(), &phrase);
    assert_eq!(vault.patients().unwrap(), [patient("Okonkwo")]);
    let busy = open_with_recovery(&options(dir.path()), &phrase).map(|vault| vault.is_some());
    assert_eq!(busy, Err(StoreFault::InUse));
    drop(vault);

    let other = tempfile::tempdir().unwrap();
    let (rig, other_phrase) = Rig::first_start(other.path());
    rig.stop();
    for wrong in [other_phrase, Secret::new("not a phrase".into())] {
        assert!(open_with_recovery(&options(dir.path()), &wrong).unwrap().is_none());
    }
}

#[test]
fn the_cipher_is_the_required_one() {
    let facts = cipher_facts().unwrap();
    let version: Vec<u32> =
        facts.sqlite_version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(version >= vec![3, 51, 3], "WAL-reset defect before 3.51.3: {facts:?}");
    assert!(!facts.cipher_version.is_empty());
    assert_eq!(facts.provider, "openssl");
}

#[test]
fn inspection_tells_facts_without_opening() {
    let dir = tempfile::tempdir().unwrap();
    let facts = inspect(dir.path()).unwrap();
    assert_eq!((facts.exists, facts.slots, facts.inbox_bytes), (false, 0, 0));
    assert!(!inspect(&dir.path().join("none")).unwrap().exists);
    let (rig, _) = Rig::first_start(dir.path());
    rig.record(1, 1..=3);
    rig.stop();
    let facts = inspect(dir.path()).unwrap();
    assert_eq!((facts.exists, facts.slots, facts.protection), (true, 1, Protection::Reduced));
    assert!(facts.inbox_bytes > 300 && facts.vault_bytes > 10_000);

    // What is damaged is looked at too.
    fs::remove_file(dir.path().join("store/vault.db")).unwrap();
    let facts = inspect(dir.path()).unwrap();
    assert_eq!((facts.exists, facts.slots, facts.vault_bytes), (true, 1, 0));
}

#[test]
fn a_refused_login_names_the_reader() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    let tapped = badge().at("ACS ACR1252 00 00");
    assert!(rig.unlock_at((tapped, WRONG_PIN), at(0)).is_err());
    rig.unlock(at(60));
    rig.close();
    rig.stop();
    let acts = acts(&contents(dir.path(), &phrase));
    let refused = acts.iter().find(|(_, entry)| entry.act == AuditAct::UnlockRefused).unwrap();
    assert_eq!(refused.1.detail.as_deref(), Some("ACS ACR1252 00 00"));
}
