//! A damaged store becomes a new one with everything that can be read; the damaged one is not touched, and what is
//! gone is named.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use kit::store::desk::*;
use kit::store::tree::tree;
use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::confidential::Secret;
use wardkeep_model::encounter::Patient;
use wardkeep_model::keeping::{
    Administered, Administration, AuditAct, CartState, Command, NewPin, Outcome, RecoveryPhrase,
    StoreFault,
};
use wardkeep_store::{
    SalvageFault, Salvaged, administer_with_recovery, salvage_with_recovery, set_aside,
};

const VALUES: u64 = 3_000;
const WAITING: u64 = 40;

struct Ward {
    dir: tempfile::TempDir,
    phrase: RecoveryPhrase,
}

/// Two people, a patient, values in the vault and values that wait in the inbox.
fn ward() -> Ward {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.log_in(it());
    rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    let patient = Patient { id: wardkeep_model::encounter::SubjectId(7), ..patient("Zhang") };
    rig.send(Command::AddPatient(Box::new(patient), at(0)));
    assert!(matches!(rig.next(), Outcome::PatientAdded(_)));
    let state = CartState { language: "de".into(), ..CartState::default() };
    rig.send(Command::SaveCart(Box::new(state)));
    rig.record(1, 1..=VALUES);
    rig.close();
    rig.record(2, VALUES + 1..=VALUES + WAITING);
    rig.stop();
    Ward { dir, phrase }
}

impl Ward {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("store").join(name)
    }

    /// Flips a bit on these pages of the vault.
    fn flip(&self, pages: impl IntoIterator<Item = usize>) {
        let mut vault = fs::read(self.path("vault.db")).unwrap();
        for page in pages {
            vault[page * 4096 - 500] ^= 4;
        }
        fs::write(self.path("vault.db"), vault).unwrap();
    }

    fn salvage_from(&self, from: &Path, out: &Path) -> Result<Salvaged, SalvageFault> {
        let words = Secret::new(self.phrase.expose().clone());
        let before = tree(from);
        let done = salvage_with_recovery(&options(out), &words, (from, at(500)), &mut |_, _| {});
        assert!(tree(from) == before, "the damaged store was touched");
        done
    }

    fn salvage(&self, out: &Path) -> Result<Salvaged, SalvageFault> {
        self.salvage_from(self.dir.path(), out)
    }

    fn words(&self) -> RecoveryPhrase {
        Secret::new(self.phrase.expose().clone())
    }
}

fn table<'a>(done: &'a Salvaged, name: &str) -> &'a wardkeep_store::SalvagedTable {
    done.rows.tables.iter().find(|table| table.table == name).unwrap()
}

#[test]
fn s8_a_store_that_is_whole_comes_out_whole_and_works() {
    let ward = ward();
    let out = tempfile::tempdir().unwrap();
    let done = ward.salvage(out.path()).unwrap();
    assert!(done.is_whole(), "{done:?}");
    assert_eq!((done.waiting.imported, done.people.len(), done.people_unknown), (WAITING, 2, 0));
    let vault = contents(out.path(), &ward.phrase);
    assert_eq!(seqs(&vault), (1..=VALUES + WAITING).collect::<Vec<_>>());
    let log = acts(&vault);
    assert!(log.iter().any(|(_, entry)| entry.act == AuditAct::StoreSalvaged));
    assert!(log.iter().any(|(_, entry)| entry.act == AuditAct::PatientCreated));
    drop(vault);
    // It is a store like any other: nobody's badge opens it, until the recovery words gave somebody one.
    let mut rig = Rig::restart(out.path());
    assert!(!rig.opens(it()));
    rig.stop();
    let person = done.people.iter().find(|person| person.part.role == Role::It).unwrap().part.id;
    let enrol = Administration::EnrolBadge(person, badge(), NewPin::OneTimeCode);
    let enrolled = administer_with_recovery(&options(out.path()), &ward.words(), enrol).unwrap();
    let Some(Administered::Enrolled(Some(code))) = enrolled else { panic!("{enrolled:?}") };
    let mut rig = Rig::restart(out.path());
    assert!(
        rig.show(
            wardkeep_model::access::factor::Evidence::BadgePin(badge(), code_digits(&code)),
            at(600)
        )
        .is_ok()
    );
    rig.stop();
}

#[test]
fn s8_whatever_is_damaged_the_rest_is_saved_and_the_list_names_what_is_not() {
    let ward = ward();
    let pages = fs::read(ward.path("vault.db")).unwrap().len() / 4096;
    ward.flip((1..=pages).filter(|page| page % 11 == 5));
    // No head, no table of pages, one copy of the keyring, no cart.
    for name in ["vault.head", "vault.pages0", "vault.pages1", "keyring", "cart", "cart.copy"] {
        let path = ward.path(name);
        if path.exists() {
            fs::remove_file(path).unwrap();
        }
    }
    let out = tempfile::tempdir().unwrap();
    let done = ward.salvage(out.path()).unwrap();
    assert!(!done.is_whole() && !done.cart_is_there);
    assert_eq!((done.people.len(), done.people_unknown, done.waiting.imported), (0, 2, WAITING));
    let values = table(&done, "observations");
    assert_eq!(values.kept + values.lost, VALUES, "{values:?}");
    assert!(values.lost > 50 && values.kept > 1_000, "{values:?}");
    assert_eq!(values.perhaps, [], "the indexes name all of them");
    let vault = contents(out.path(), &ward.phrase);
    let there: BTreeSet<u64> = seqs(&vault).into_iter().collect();
    // Rows are numbered as they were kept: a row's number is that of the value.
    let gone: BTreeSet<u64> = values
        .lost_rows
        .iter()
        .flat_map(|rows| rows.first.cast_unsigned()..=rows.last.cast_unsigned())
        .collect();
    assert!(there.is_disjoint(&gone));
    let all: BTreeSet<u64> = (1..=VALUES + WAITING).collect();
    assert!(there.union(&gone).copied().collect::<BTreeSet<_>>() == all);
    assert!(values.lost_rows.iter().all(|rows| rows.from.is_some() && rows.until.is_some()));
    let log = acts(&vault);
    let told = log.iter().filter_map(|(_, entry)| entry.finding.map(|found| (found, entry)));
    let told: Vec<_> = told
        .filter(|(_, entry)| {
            entry.detail.as_deref().is_some_and(|text| text.starts_with("observations"))
        })
        .collect();
    let [(found, _)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(found.count, values.lost);
    drop(vault);
    let it = Administration::AddPerson(person("Iva Neu", Role::It), None);
    let added = administer_with_recovery(&options(out.path()), &ward.words(), it).unwrap();
    assert!(matches!(added, Some(Administered::Added(_))), "{added:?}");
}

#[test]
fn s8_rows_that_only_a_log_has_are_saved() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.log_in(it());
    rig.record(1, 1..=500);
    rig.send(Command::ListPatients);
    while !matches!(rig.next(), Outcome::Patients(_)) {}
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    // As a power cut leaves it: the log is not folded back.
    let cut = tempfile::tempdir().unwrap();
    tree::write(&tree::at_one_instant(dir.path()), cut.path());
    rig.stop();
    assert!(fs::metadata(cut.path().join("store/vault.db-wal")).unwrap().len() > 50_000);
    let ward = Ward { dir: cut, phrase };
    let salvaged = |ward: &Ward| {
        let out = tempfile::tempdir().unwrap();
        let done = ward.salvage(out.path()).unwrap();
        (seqs(&contents(out.path(), &ward.phrase)).len(), done.rows.pages.len())
    };
    assert_eq!(salvaged(&ward), (500, 0));
    // A damaged frame hides none after it.
    let log = ward.path("vault.db-wal");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / (24 + 4096) / 2;
    bytes[32 + middle * (24 + 4096) + 2_000] ^= 1;
    fs::write(&log, &bytes).unwrap();
    let (rows, pages) = salvaged(&ward);
    assert!(rows > 400 && (rows == 500 || pages == 1), "{rows} {pages}");
    fs::remove_file(&log).unwrap();
    assert!(salvaged(&ward).0 < 100);
}

#[test]
fn nothing_is_made_where_nothing_can_be_read() {
    let ward = ward();
    let out = tempfile::tempdir().unwrap();
    let new = out.path().join("new");
    assert_eq!(ward.salvage_from(out.path(), &new), Err(SalvageFault::NoSource));
    let other = tempfile::tempdir().unwrap();
    let (rig, words) = Rig::first_start(other.path());
    rig.stop();
    let refused = |from: &Path, words: &RecoveryPhrase, to: &Path| {
        salvage_with_recovery(&options(to), words, (from, at(500)), &mut |_, _| {}).unwrap_err()
    };
    assert_eq!(refused(ward.dir.path(), &words, &new), SalvageFault::Words);
    assert_eq!(refused(ward.dir.path(), &Secret::new("one two".into()), &new), SalvageFault::Words);
    assert_eq!(refused(ward.dir.path(), &ward.phrase, other.path()), SalvageFault::StoreExists);
    let rig = Rig::restart(ward.dir.path());
    assert_eq!(
        refused(ward.dir.path(), &ward.phrase, &new),
        SalvageFault::Store(StoreFault::InUse)
    );
    rig.stop();
    for name in ["keyring", "keyring.copy"] {
        fs::remove_file(ward.path(name)).unwrap();
    }
    assert_eq!(refused(ward.dir.path(), &ward.phrase, &new), SalvageFault::NoKeyring);
    assert!(!new.exists());
}

#[test]
fn a_store_that_was_set_aside_is_salvaged_into_its_own_place() {
    let ward = ward();
    ward.flip([1, 7]);
    let aside = set_aside(ward.dir.path()).unwrap();
    let done = ward.salvage_from(&aside, ward.dir.path()).unwrap();
    assert_eq!((done.waiting.imported, done.people.len()), (WAITING, 2), "{done:?}");
    assert_eq!(done.rows.pages.len(), 2);
    let vault = contents(ward.dir.path(), &ward.phrase);
    assert!(seqs(&vault).len() > 2_000);
}
