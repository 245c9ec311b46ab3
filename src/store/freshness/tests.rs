//! A vault by itself: every kill between two changes of its files, and every file put back.

#![expect(clippy::print_stdout, reason = "the counts are the proof")]

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;

use jiff::Timestamp;

use super::*;
use crate::disk::durable::steps;
use crate::disk::layout::vault_head as head_path;
use crate::freshness::pages::PAGE;
use crate::freshness::pages::tests::live_places;
use crate::record::entry::Entry;
use crate::vault::{Vault, fold as fold_log};
use crate::vault::{audit, entries, export};
use wardkeep_model::keeping::{AuditAct, AuditEntry};

mod comparing;
mod schedules;

struct Bench {
    dir: tempfile::TempDir,
    keys: VaultKeys,
}

type Copy = BTreeMap<String, Vec<u8>>;

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), keys: VaultKeys::generate().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("vault.db")
    }

    fn create(&self) -> Vault {
        Vault::create(&self.path(), &self.keys).unwrap()
    }

    fn open(&self) -> Vault {
        Vault::open(&self.path(), &self.keys).unwrap()
    }

    fn copy(&self) -> Copy {
        copy_of(self.dir.path())
    }

    fn put(&self, copy: &Copy) {
        put_into(self.dir.path(), copy);
    }

    /// What an open of this state finds; the state is not changed by asking.
    fn found(&self, copy: &Copy) -> Vec<Finding> {
        let other = tempfile::tempdir().unwrap();
        put_into(other.path(), copy);
        let mut vault = Vault::open(&other.path().join("vault.db"), &self.keys).unwrap();
        compare_all(&mut vault);
        vault.findings()
    }
}

fn compare_all(vault: &mut Vault) {
    while vault.compares() {
        vault.compare_some().unwrap();
    }
}

fn copy_of(dir: &Path) -> Copy {
    let mut copy = Copy::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        copy.insert(name, fs::read(entry.path()).unwrap());
    }
    copy
}

fn put_into(dir: &Path, copy: &Copy) {
    for entry in fs::read_dir(dir).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (name, content) in copy {
        fs::write(dir.join(name), content).unwrap();
    }
}

/// So many audit entries in one transaction.
fn add(vault: &mut Vault, count: usize) {
    let entry = AuditEntry { detail: Some("x".repeat(60)), ..entry() };
    let entries: Vec<Entry> = (0..count).map(|_| Entry::Audit(Box::new(entry.clone()))).collect();
    entries::append(vault, &entries).unwrap();
}

fn entry() -> AuditEntry {
    AuditEntry::of(AuditAct::AlarmAcknowledged, Timestamp::UNIX_EPOCH)
}

/// Changes every page of a table of some twenty pages.
fn rewrite(vault: &mut Vault, round: i64) {
    vault
        .write_for_tests(|transaction| {
            transaction.execute_batch(
                "CREATE TABLE IF NOT EXISTS filler (id INTEGER PRIMARY KEY, content BLOB);",
            )?;
            for id in 0..80 {
                transaction.execute(
                    "INSERT OR REPLACE INTO filler (id, content) VALUES (?1, randomblob(1000 + ?2))",
                    (id, round),
                )?;
            }
            Ok(())
        })
        .unwrap();
}

/// Makes the database shorter.
fn shrink(vault: &mut Vault) {
    vault
        .write_for_tests(|transaction| {
            transaction.execute_batch(
                "CREATE TABLE IF NOT EXISTS filler (id INTEGER PRIMARY KEY, content BLOB);
                 DELETE FROM filler WHERE id % 3 > 0;",
            )?;
            let mut statement = transaction.prepare("PRAGMA incremental_vacuum(40)")?;
            let mut given_back = statement.query([])?;
            while given_back.next()?.is_some() {}
            Ok(())
        })
        .unwrap();
}

fn pages_of(vault: &mut Vault) -> u32 {
    let connection = vault.parts_for_tests().0;
    connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
}

fn fold(vault: &mut Vault) {
    try_fold(vault).unwrap();
}

fn try_fold(vault: &mut Vault) -> Result<(), StoreFault> {
    let (connection, _, freshness) = vault.parts_for_tests();
    freshness.fold(&|mode| fold_log(connection, mode), Closed::No)
}

fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
    findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn s8_a_page_tag_is_what_the_cipher_wrote_and_a_checkpoint_copies_it_as_it_is() {
    let bench = Bench::new();
    let mut vault = bench.create();
    add(&mut vault, 200);
    let masked = vault.parts_for_tests().2.masked.clone();
    let pages: i64 =
        vault.parts_for_tests().0.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    assert!(masked.len() > 5, "{}", masked.len());
    fold(&mut vault);
    let file = fs::read(bench.path()).unwrap();
    assert_eq!(file.len(), usize::try_from(pages).unwrap() * PAGE);
    for (page, tag) in &masked {
        let at = (*page as usize - 1) * PAGE;
        assert_eq!(pages::tag(&file[at..at + PAGE]), Some(*tag), "page {page}");
    }
    assert_eq!(vault.parts_for_tests().2.table.pages() as usize, file.len() / PAGE);
    assert_eq!(fs::metadata(bench.dir.path().join("vault.db-wal")).unwrap().len(), 0);
}

/// Every state that a kill between two of our own writes leaves, over commits, folding, close and open.
#[test]
fn s8_a_kill_between_any_two_changes_raises_no_alarm_and_loses_nothing() {
    let bench = Bench::new();
    let states: Rc<RefCell<Vec<(Copy, u64)>>> = Rc::default();
    let acknowledged = Rc::new(RefCell::new(0_u64));
    let (dir, kept, rows) =
        (bench.dir.path().to_owned(), Rc::clone(&states), Rc::clone(&acknowledged));
    let mut vault = bench.create();
    steps::watch(move || {
        kept.borrow_mut().push((copy_of(&dir), *rows.borrow()));
        Ok(())
    });
    for round in 0..4 {
        for commit in 0..5 {
            add(&mut vault, 3 + round * 7 + commit);
            *acknowledged.borrow_mut() += 3 + round as u64 * 7 + commit as u64;
            states.borrow_mut().push((bench.copy(), *acknowledged.borrow()));
            if commit == 2 {
                fold(&mut vault);
            }
            if commit == 3 && round % 2 == 0 {
                rewrite(&mut vault, 3);
                fold(&mut vault);
                let before = pages_of(&mut vault);
                shrink(&mut vault);
                assert!(pages_of(&mut vault) + 10 < before, "{before}");
                states.borrow_mut().push((bench.copy(), *acknowledged.borrow()));
            }
        }
        vault.close().unwrap();
        states.borrow_mut().push((bench.copy(), *acknowledged.borrow()));
        vault = bench.open();
    }
    steps::end();
    drop(vault);
    let states = states.borrow();
    for (index, (state, rows)) in states.iter().enumerate() {
        assert_eq!(bench.found(state), [], "state {index} of {}", states.len());
        bench.put(state);
        let mut vault = bench.open();
        assert!(audit::all(&vault).unwrap().len() as u64 >= *rows, "state {index}");
        // It goes on, and the next open finds nothing either.
        add(&mut vault, 2);
        drop(vault);
        assert_eq!(bench.found(&bench.copy()), [], "state {index}, one commit later");
    }
    assert!(states.len() > 60, "{}", states.len());
}

#[test]
fn s8_a_fault_at_any_change_is_no_false_alarm_later() {
    let bench = Bench::new();
    bench.create().close().unwrap();
    let fresh = bench.copy();
    for failing in 0..40 {
        bench.put(&fresh);
        let mut vault = bench.open();
        let mut step = 0;
        steps::watch(move || {
            step += 1;
            if step == failing { Err(StoreFault::Full) } else { Ok(()) }
        });
        let mut acknowledged = 0;
        for round in 0..6 {
            if entries::append(&mut vault, &[Entry::Audit(Box::new(entry()))]).is_ok() {
                acknowledged += 1;
            }
            if round % 2 == 1 && try_fold(&mut vault).is_err() {
                assert_eq!(bench.found(&bench.copy()), [], "fault at {failing}");
            }
        }
        let closed = match failing % 2 {
            0 => {
                drop(vault);
                Ok(())
            }
            _ => vault.close(),
        };
        steps::end();
        assert!(
            matches!(closed.map_err(StoreFault::from), Ok(()) | Err(StoreFault::Full)),
            "fault at {failing}"
        );
        let mut vault = bench.open();
        assert_eq!(vault.findings(), [], "fault at {failing}");
        assert!(audit::all(&vault).unwrap().len() >= acknowledged, "fault at {failing}");
    }
}

#[test]
fn s8_an_older_vault_is_reported_once_with_both_numbers_and_the_rows_that_are_gone() {
    let bench = Bench::new();
    let mut vault = bench.create();
    add(&mut vault, 10);
    vault.close().unwrap();
    let old = bench.copy();
    let mut vault = bench.open();
    let before = vault.parts_for_tests().2.head.commit;
    add(&mut vault, 25);
    add(&mut vault, 7);
    let after = vault.parts_for_tests().2.head.commit;
    vault.close().unwrap();
    let mut state = bench.copy();
    for name in ["vault.db", "vault.db-wal"] {
        state.insert(name.into(), old[name].clone());
    }
    bench.put(&state);
    let mut vault = bench.open();
    let found = vault.findings();
    let [finding] = found[..] else { panic!("{found:?}") };
    assert_eq!(finding.kind, FindingKind::VaultOlder);
    assert_eq!((finding.found, finding.expected), (Some(before.seq), Some(after.seq)));
    assert_eq!(finding.count, 32);
    assert_eq!(vault.findings(), [], "given once");
    drop(vault);
    let mut vault = bench.open();
    assert_eq!(vault.findings(), found, "again, because it is not in the audit log yet");
    add(&mut vault, 1);
    vault.close().unwrap();
    let mut vault = bench.open();
    assert_eq!(vault.findings(), [], "once it is");
    assert!(vault.parts_for_tests().2.head.commit.seq > after.seq, "no number is given twice");
}

#[test]
fn s8_every_page_of_every_age_put_back_is_reported() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let mut versions = Vec::new();
    for round in 0..4 {
        rewrite(&mut vault, round);
        fold(&mut vault);
        versions.push(fs::read(bench.path()).unwrap());
    }
    vault.close().unwrap();
    let whole = bench.copy();
    let now = &whole["vault.db"];
    let (mut trials, mut reported) = (0, 0);
    for old in &versions {
        for (page, (then, here)) in old.chunks(PAGE).zip(now.chunks(PAGE)).enumerate() {
            if then == here {
                continue;
            }
            let mut state = whole.clone();
            state.get_mut("vault.db").unwrap()[page * PAGE..][..PAGE].copy_from_slice(then);
            let other = tempfile::tempdir().unwrap();
            put_into(other.path(), &state);
            trials += 1;
            match Vault::open(&other.path().join("vault.db"), &bench.keys) {
                Ok(mut vault) => {
                    compare_all(&mut vault);
                    let found = kinds(&vault.findings());
                    let here = found.contains(&FindingKind::PagesReplaced)
                        || found.contains(&FindingKind::VaultOlder);
                    assert!(here, "page {page}: {found:?}");
                    reported += 1;
                }
                Err(fault) => panic!("page {page}: {fault}"),
            }
        }
    }
    println!("pages put back: {trials} of {} pages, {reported} reported", now.len() / PAGE);
    assert!(trials > 60, "{trials}");
    assert_eq!(reported, trials);
}

#[test]
fn s8_a_log_cut_anywhere_is_reported() {
    let bench = Bench::new();
    let mut vault = bench.create();
    add(&mut vault, 40);
    fold(&mut vault);
    for _ in 0..20 {
        add(&mut vault, 5);
    }
    let whole = bench.copy();
    drop(vault);
    let log = &whole["vault.db-wal"];
    for percent in 0..100 {
        let mut state = whole.clone();
        let len = log.len() * percent / 100;
        state.insert("vault.db-wal".into(), log[..len].to_vec());
        let found = bench.found(&state);
        assert_eq!(kinds(&found), [FindingKind::VaultOlder], "{percent} %");
        assert!(found[0].count > 0 && found[0].found < found[0].expected, "{percent} %");
    }
    assert_eq!(bench.found(&whole), []);
    let mut without = whole.clone();
    without.remove("vault.db-wal");
    assert_eq!(kinds(&bench.found(&without)), [FindingKind::VaultOlder]);
}

#[test]
fn s8_each_file_of_the_head_put_back_is_reported() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let mut ages = Vec::new();
    for _ in 0..4 {
        add(&mut vault, 20);
        vault.close().unwrap();
        ages.push(bench.copy());
        vault = bench.open();
    }
    drop(vault);
    let whole = ages.pop().unwrap();
    bench.put(&whole);
    let live = live_table(&bench);
    let slot = 4096;
    for (age, old) in ages.iter().enumerate() {
        for (from, to) in [(0, 2 * slot), (0, slot), (slot, 2 * slot)] {
            let mut state = whole.clone();
            let head = state.get_mut("vault.head").unwrap();
            head[from..to].copy_from_slice(&old["vault.head"][from..to]);
            let found = kinds(&bench.found(&state));
            assert_eq!(found, [FindingKind::HeadOlder], "{from}..{to} of age {age}");
        }
        let (old, now) = (&old["vault.pages"], &whole["vault.pages"]);
        let mut state = whole.clone();
        state.insert("vault.pages".into(), old.clone());
        assert_eq!(kinds(&bench.found(&state)), [FindingKind::HeadOlder], "table of age {age}");
        for at in (0..old.len()).step_by(PAGE) {
            let mut state = whole.clone();
            state.get_mut("vault.pages").unwrap()[at..at + PAGE]
                .copy_from_slice(&old[at..at + PAGE]);
            let found = kinds(&bench.found(&state));
            // What is not in use holds nothing that counts.
            let matters = live.contains(&at) && old[at..at + PAGE] != now[at..at + PAGE];
            let expected: &[FindingKind] = if matters { &[FindingKind::HeadOlder] } else { &[] };
            assert_eq!(found, expected, "{at} of the table of age {age}");
        }
    }
    let mut state = whole;
    state.remove("vault.head");
    assert_eq!(kinds(&bench.found(&state)), [FindingKind::HeadOlder]);
    assert!(head_path(&bench.path()).exists());
}

#[test]
fn s8_a_vault_without_its_head_is_taken_silently_only_where_something_else_vouches_for_it() {
    let bench = Bench::new();
    let mut vault = bench.create();
    add(&mut vault, 30);
    let (copy, keys) = (bench.dir.path().join("copy.db"), VaultKeys::generate().unwrap());
    export::export(&vault, &copy, &keys).unwrap();
    vault.close().unwrap();
    let mut exported = Vault::open(&copy, &keys).unwrap();
    assert_eq!(exported.findings(), [], "an export has its own head");
    exported.close().unwrap();
    for (vouched, expected) in [(true, &[][..]), (false, &[FindingKind::HeadOlder])] {
        fs::remove_file(head_path(&copy)).unwrap();
        let opened = match vouched {
            true => Vault::open_exported(&copy, &keys),
            false => Vault::open(&copy, &keys),
        };
        let mut opened = opened.unwrap();
        assert_eq!(kinds(&opened.findings()), expected);
        opened.close().unwrap();
    }
}

/// Where the chunks of the valid table lie.
fn live_table(bench: &Bench) -> Vec<usize> {
    let key = bench.keys.head();
    let head = HeadFile::of(&bench.path(), key.clone()).unwrap().read().unwrap().head.unwrap();
    live_places(&bench.path(), &key, &head.table.unwrap())
}
