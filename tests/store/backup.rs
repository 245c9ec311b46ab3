//! A backup brings everything to a machine that has nothing, or nothing at all: no damaged, cut or
//! foreign file, and no wrong words, ever leave half a store behind.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs::{self, File};
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::factor::{Badge, Evidence, ReaderFamily};
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault as Fault, Assignment, AuditAct, BackupDone,
    BackupOrder, CartState, Command, KnownDevice, NewPin, Outcome, RecoveryPhrase, StoreFault,
};
use wardkeep_model::vitals::DeviceKind;
use wardkeep_store::{
    BackupFault, LockedStore, administer_with_recovery, restore_with_recovery,
    verify_backup_with_recovery,
};

struct Ward {
    dir: tempfile::TempDir,
    phrase: RecoveryPhrase,
    nora: OperatorId,
}

fn state() -> CartState {
    let assignment = Assignment { subject: SubjectId(7), since: at(0).wall, until: at(9_000).wall };
    let device = KnownDevice {
        id: DEVICE,
        kind: DeviceKind::HeartRate,
        name: "Strap".into(),
        assignment: Some(assignment),
        bond: None,
    };
    CartState {
        subject: Some(SubjectId(7)),
        devices: vec![device],
        language: "de".into(),
        limits: None,
        alive: None,
        inventory: vec![],
        bed: "Bed 12".into(),
    }
}

/// Two people, two patients, values in the vault and values that wait in the inbox.
fn ward() -> Ward {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.log_in(it());
    let nora = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    for family in ["Okonkwo", "Zhang"] {
        let id = SubjectId(if family == "Zhang" { 7 } else { 8 });
        let mrn = Phi::new(format!("M-{family}"));
        let patient = Patient { id, mrn, ..patient(family) };
        rig.send(Command::AddPatient(Box::new(patient), at(0)));
        assert!(matches!(rig.next(), Outcome::PatientAdded(_)));
    }
    rig.send(Command::SaveCart(Box::new(state())));
    rig.record(1, 1..=40);
    rig.close();
    rig.record(2, 41..=60);
    rig.stop();
    Ward { dir, phrase, nora }
}

impl Ward {
    fn words(&self) -> RecoveryPhrase {
        Secret::new(self.phrase.expose().clone())
    }

    fn back_up(&self, out: &Path, to: Vec<OperatorId>) -> Result<BackupDone, Fault> {
        let order = Administration::BackUp(BackupOrder { out: out.to_owned(), to });
        let done = administer_with_recovery(&options(self.dir.path()), &self.words(), order)?;
        let Some(Administered::BackedUp(done)) = done else { panic!("{done:?}") };
        Ok(*done)
    }

    fn restore(&self, dir: &Path, from: &Path) -> Result<wardkeep_store::Restored, BackupFault> {
        restore_with_recovery(&options(dir), &self.words(), from)
    }
}

/// A ward and a backup of it.
fn backed_up() -> (Ward, tempfile::TempDir, PathBuf) {
    let ward = ward();
    let shelf = tempfile::tempdir().unwrap();
    let file = shelf.path().join("ward.backup");
    ward.back_up(&file, vec![]).unwrap();
    (ward, shelf, file)
}

#[test]
fn everything_comes_to_new_hardware_and_people_enrol_anew() {
    let (ward, _shelf, file) = backed_up();
    let before = contents(ward.dir.path(), &ward.phrase);
    let (observations, patients) = (before.observations().unwrap(), before.patients().unwrap());
    let audit = acts(&before);
    drop(before);
    assert_eq!(observations.len(), 60, "the inbox was imported first");
    assert!(audit.iter().any(|(_, entry)| entry.act == AuditAct::BackupWritten));

    let new = tempfile::tempdir().unwrap();
    let restored = ward.restore(new.path(), &file).unwrap();
    let names: Vec<&str> =
        restored.people.iter().map(|person| person.name.reveal().as_str()).collect();
    assert_eq!(names, ["Quintessa Zwyxblatt", "Nora Quist"]);
    let after = contents(new.path(), &ward.phrase);
    assert!(after.observations().unwrap() == observations, "every value");
    assert!(after.patients().unwrap() == patients, "every patient");
    let moved = acts(&after);
    assert!(moved.starts_with(&audit), "the log goes on");
    let added: Vec<AuditAct> = moved[audit.len()..].iter().map(|(_, entry)| entry.act).collect();
    assert_eq!(added, [AuditAct::BackupRestored, AuditAct::KeysRotated]);
    drop(after);

    // Nobody's badge of the old machine opens it.
    let mut rig = Rig::restart(new.path());
    for evidence in [it(), badge_pin(1, PIN)] {
        assert!(!rig.opens(evidence));
    }
    rig.record(5, 1..=10);
    rig.stop();
    // The recovery words enrol an IT person, who logs in and has everything.
    let tag = Badge::new(ReaderFamily::PcscUid, &[1, 9, 1, 9]).unwrap();
    let first = restored.people.first().unwrap().part.id;
    let enrol = Administration::EnrolBadge(first, tag.clone(), NewPin::OneTimeCode);
    let done = administer_with_recovery(&options(new.path()), &ward.words(), enrol).unwrap();
    let Some(Administered::Enrolled(Some(code))) = done else { panic!("{done:?}") };
    let mut rig = Rig::restart(new.path());
    rig.show(Evidence::BadgePin(tag.clone(), code_digits(&code)), at(50)).unwrap();
    assert!(matches!(rig.next(), Outcome::Imported(_)));
    rig.administer(Administration::ChangeOwnPin(pin(PIN_2))).unwrap();
    rig.close();
    rig.log_in(Evidence::BadgePin(tag, pin(PIN_2)));
    // A nurse gets another badge from IT; her key pair is another one.
    rig.enrol_badge(ward.nora, 4, PIN).unwrap();
    assert_eq!(rig.people().len(), 2);
    rig.revoke(ward.nora).unwrap();
    rig.stop();
    let after = contents(new.path(), &ward.phrase);
    assert_eq!(after.observations().unwrap().len(), 70);
    let found = |act| acts(&after).iter().any(|(_, entry)| entry.act == act);
    assert!(!found(AuditAct::StoreFinding), "nothing is wrong with it");
}

#[test]
fn the_cart_compartment_comes_too_and_the_identity_does_not() {
    let (ward, _shelf, file) = backed_up();
    let new = tempfile::tempdir().unwrap();
    ward.restore(new.path(), &file).unwrap();
    let (rig, first) = Rig::start(options(new.path()));
    let Outcome::Found(wardkeep_model::keeping::Found::Store(cart)) = first else {
        panic!("{first:?}")
    };
    assert_eq!(*cart, state());
    rig.stop();
    let device = |dir: &Path| {
        let ring = fs::read_to_string(dir.join("store/keyring")).unwrap();
        ring.split_once("\"epoch\"").unwrap().0.to_owned()
    };
    assert_ne!(device(ward.dir.path()), device(new.path()));
    assert_eq!(fs::read_dir(new.path().join("store/slots")).unwrap().count(), 0);
}

#[test]
fn s8_a_damaged_cut_or_foreign_backup_and_wrong_words_write_nothing() {
    let (ward, shelf, file) = backed_up();
    let whole = fs::read(&file).unwrap();
    let other = tempfile::tempdir().unwrap();
    let (rig, other_phrase) = Rig::first_start(other.path());
    rig.stop();
    let case = shelf.path().join("case");
    let new = tempfile::tempdir().unwrap();
    let mut refused = 0;
    let mut try_with = |content: &[u8]| {
        fs::write(&case, content).unwrap();
        let answer = ward.restore(new.path(), &case);
        assert_eq!(fs::read_dir(new.path()).unwrap().count(), 0, "nothing was written");
        refused += 1;
        answer.unwrap_err()
    };
    let step = whole.len() / 150;
    for index in (0..whole.len()).step_by(step).chain([whole.len() - 1]) {
        let mut flipped = whole.clone();
        flipped[index] ^= 1;
        try_with(&flipped);
        try_with(&whole[..index]);
    }
    assert_eq!(try_with(&[&whole[..], &[0]].concat()), BackupFault::Damaged);
    assert_eq!(try_with(b"not a backup at all, but long enough"), BackupFault::Foreign);
    assert!(refused > 300);
    let answer = restore_with_recovery(&options(new.path()), &other_phrase, &file);
    assert_eq!(answer.unwrap_err(), BackupFault::NotForYou);
    let answer = restore_with_recovery(&options(new.path()), &Secret::new("a b c".into()), &file);
    assert_eq!(answer.unwrap_err(), BackupFault::NotForYou);
    assert_eq!(fs::read_dir(new.path()).unwrap().count(), 0);
    // The whole one is still good.
    let read = BufReader::new(File::open(&file).unwrap());
    verify_backup_with_recovery(read, &ward.words()).unwrap();
    ward.restore(new.path(), &file).unwrap();
    // Never over a store.
    let before = files(new.path());
    assert_eq!(ward.restore(new.path(), &file), Err(BackupFault::StoreExists));
    assert_eq!(files(new.path()), before);
}

#[test]
fn a_backup_is_private_whole_and_never_overwrites() {
    let ward = ward();
    let shelf = tempfile::tempdir().unwrap();
    let file = shelf.path().join("ward.backup");
    let done = ward.back_up(&file, vec![ward.nora]).unwrap();
    let there = fs::metadata(&file).unwrap();
    assert_eq!((there.len(), done.to.as_slice()), (done.bytes, &[ward.nora][..]));
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
    let content = fs::read(&file).unwrap();
    assert_eq!(ward.back_up(&file, vec![]), Err(Fault::Exists));
    assert_eq!(fs::read(&file).unwrap(), content);
    for word in ["Okonkwo", "Zhang", "Quintessa", "M-Okonkwo", "SQLite"] {
        assert!(!content.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
    }
    let nobody = vec![OperatorId(1)];
    assert_eq!(ward.back_up(&shelf.path().join("b"), nobody), Err(Fault::Unknown));
    let nowhere = shelf.path().join("none/b");
    assert!(matches!(ward.back_up(&nowhere, vec![]), Err(Fault::Store(_))));
    assert_eq!(fs::read_dir(shelf.path()).unwrap().count(), 1, "nothing is left behind");
    assert!(!ward.dir.path().join(".tmp-backup").exists());
    let audit = acts(&contents(ward.dir.path(), &ward.phrase));
    let written = audit.iter().filter(|(_, entry)| entry.act == AuditAct::BackupWritten).count();
    assert!(written >= 3, "a backup that failed is in the log too: {written}");
}

#[test]
fn a_named_person_reads_it_with_their_two_factors_on_their_own_cart() {
    let ward = ward();
    let shelf = tempfile::tempdir().unwrap();
    let (for_nora, for_nobody) = (shelf.path().join("a"), shelf.path().join("b"));
    let done = ward.back_up(&for_nora, vec![ward.nora]).unwrap();
    ward.back_up(&for_nobody, vec![]).unwrap();
    let read = |file: &Path, evidence: Evidence| {
        let locked = LockedStore::open(&options(ward.dir.path())).unwrap();
        let input = BufReader::new(File::open(file).unwrap());
        locked.verify_backup((evidence, at(700)), input)
    };
    assert_eq!(read(&for_nora, badge_pin(1, PIN)), Ok(Ok(done.written)));
    assert_eq!(read(&for_nobody, badge_pin(1, PIN)), Ok(Err(BackupFault::NotForYou)));
    assert_eq!(read(&for_nora, it()), Ok(Err(BackupFault::NotForYou)));
    assert!(read(&for_nora, badge_pin(1, PIN_2)).is_err(), "a wrong PIN");
}

#[test]
fn a_restore_while_the_kiosk_runs_or_without_a_device_secret_of_its_own_is_refused() {
    let (ward, _shelf, file) = backed_up();
    let new = tempfile::tempdir().unwrap();
    let (rig, _) = Rig::start(options(new.path()));
    assert_eq!(ward.restore(new.path(), &file), Err(BackupFault::Store(StoreFault::InUse)));
    rig.stop();
    ward.restore(new.path(), &file).unwrap();
}

#[test]
fn a_destroyed_patient_leaves_bed_devices_and_emergency_card() {
    let ward = ward();
    let shred = |mrn: &str| {
        let what = Administration::Shred(Phi::new(mrn.into()));
        administer_with_recovery(&options(ward.dir.path()), &ward.words(), what)
    };
    assert!(matches!(shred("M-None"), Err(Fault::NoPatient)));
    assert!(matches!(shred(""), Err(Fault::NoPatient)));
    let done = shred(" M-Zhang ").unwrap();
    assert!(matches!(done, Some(Administered::Shredded(SubjectId(7)))), "{done:?}");
    assert!(!ward.dir.path().join("store/emergency").exists());
    let (rig, first) = Rig::start(options(ward.dir.path()));
    let Outcome::Found(wardkeep_model::keeping::Found::Store(cart)) = first else {
        panic!("{first:?}")
    };
    assert_eq!((cart.subject, cart.devices[0].assignment), (None, None));
    rig.stop();
    let audit = acts(&contents(ward.dir.path(), &ward.phrase));
    let tried = audit.iter().filter(|(_, entry)| entry.act == AuditAct::PatientShredded);
    let done: Vec<_> = tried
        .filter(|(_, entry)| entry.result == wardkeep_model::keeping::AuditResult::Done)
        .collect();
    assert_eq!((done.len(), done[0].1.subject), (1, Some(SubjectId(7))));
}
