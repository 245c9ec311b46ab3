//! `wardkeepctl store` as IT runs it: the built program, the recovery words on standard input, and a
//! real store.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use tokio::sync::mpsc;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Badge, Evidence, Pin, ReaderFamily};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Patient, Sex, SubjectId};
use wardkeep_model::keeping::{Command as StoreCommand, NewOperator, Outcome};
use wardkeep_model::moment::Moment;
use wardkeep_store::{self as store, Options, StoreHandle};

struct Running {
    handle: StoreHandle,
    outcomes: mpsc::Receiver<Outcome>,
    thread: std::thread::JoinHandle<()>,
}

impl Running {
    fn start(state: &Path) -> Self {
        let (sender, outcomes) = mpsc::channel(64);
        let (handle, thread) = store::spawn(Options::new(state), sender).unwrap();
        Self { handle, outcomes, thread }
    }

    fn until<T>(&mut self, mut wanted: impl FnMut(Outcome) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.outcomes.blocking_recv().expect("it answers")) {
                return found;
            }
        }
    }

    fn stop(self) {
        let Self { handle, mut outcomes, thread } = self;
        drop(handle);
        while outcomes.blocking_recv().is_some() {}
        thread.join().unwrap();
    }
}

fn badge() -> Badge {
    Badge::new(ReaderFamily::PcscUid, &[4, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80]).unwrap()
}

fn pin() -> Pin {
    [2, 8, 0, 1, 6, 4].into_iter().collect()
}

/// A store with one IT person and one patient, and its recovery words.
fn make_store(state: &Path) -> String {
    let mut running = Running::start(state);
    let first = NewOperator {
        initials: "QZ".into(),
        name: Phi::new("Quintilia Zephyrin".into()),
        role: Role::It,
        badge: badge(),
        pin: pin(),
    };
    let made = StoreCommand::Initialise(Box::new(first), Moment::read());
    running.handle.try_send(made).unwrap();
    let words = running.until(|outcome| {
        let Outcome::Initialised(words) = outcome else { return None };
        Some(words.expose().clone())
    });
    let evidence = Evidence::BadgePin(badge(), pin());
    running.handle.try_send(StoreCommand::Unlock(Attempt(1), evidence, Moment::read())).unwrap();
    let patient = Patient {
        id: SubjectId(7),
        family: Phi::new("Okonkwo".into()),
        given: Phi::new("Ada".into()),
        born: Phi::default(),
        sex: Phi::new(Sex::Female),
        mrn: Phi::new("M-417".into()),
        allergies: Phi::default(),
    };
    running.handle.try_send(StoreCommand::AddPatient(Box::new(patient), Moment::read())).unwrap();
    running.until(|outcome| matches!(outcome, Outcome::PatientAdded(_)).then_some(()));
    running.stop();
    words
}

/// Runs the program and types these lines. Exit status, answer, sentences.
fn run(state: &Path, words: &[&str], typed: &str) -> (i32, Json, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wardkeepctl"))
        .arg("store")
        .args(words)
        .arg("--state")
        .arg(state)
        .env_remove("CREDENTIALS_DIRECTORY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses before it asks has closed its end.
    let typing = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let done = child.wait_with_output().unwrap();
    assert!(typing.is_ok() || !done.status.success());
    let answer = serde_json::from_slice(&done.stdout).unwrap_or(Json::Null);
    (done.status.code().unwrap(), answer, String::from_utf8(done.stderr).unwrap())
}

#[test]
fn a_cart_is_backed_up_checked_set_aside_and_restored() {
    let scratch = tempfile::tempdir().unwrap();
    let (state, new) = (scratch.path().join("state"), scratch.path().join("new"));
    let backup = scratch.path().join("cart.backup");
    let file = backup.to_str().unwrap();
    let recovery = format!("{}\n", make_store(&state));

    let (code, checked, said) = run(&state, &["check", "--recovery"], &recovery);
    assert_eq!((code, checked["ok"].as_bool()), (0, Some(true)), "{checked} {said}");
    assert!(checked["checks"].as_array().unwrap().len() > 12);
    assert!(said.contains("Checking the store ..."), "{said}");

    let write = ["backup", "--out", file, "--to", "qz", "--recovery"];
    let (code, written, said) = run(&state, &write, &recovery);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Opening the store ...\nWriting the backup ...\n"), "{said}");
    assert_eq!(written["bytes"].as_u64(), Some(fs::metadata(&backup).unwrap().len()));
    assert_eq!(written["sealed_to"]["people"].as_array().map(Vec::len), Some(1));
    let (code, _, said) = run(&state, &write, &recovery);
    assert!(code == 1 && said.contains("a file of this name already"), "{said}");

    let (code, read, said) = run(&state, &["check", "--backup", file, "--recovery"], &recovery);
    assert_eq!((code, read["whole"].as_bool()), (0, Some(true)), "{said}");

    let restore = ["restore", "--from", file];
    let (code, _, said) = run(&state, &restore, &recovery);
    assert!(code == 1 && said.contains("store aside"), "{said}");
    let (code, _, said) = run(&state, &["aside"], "no\n");
    assert!(code == 1 && said.contains("Not confirmed"), "{said}");
    let (code, aside, said) = run(&state, &["aside"], "aside\n");
    assert_eq!(code, 0, "{said}");
    assert!(Path::new(aside["aside"].as_str().unwrap()).join("vault.db").exists());

    for place in [&state, &new] {
        let (code, restored, said) = run(place, &restore, &recovery);
        assert_eq!(code, 0, "{said}");
        assert_eq!(restored["restored"]["people"][0]["name"], "Quintilia Zephyrin");
        let next = "wardkeepctl enroll \"Quintilia Zephyrin\" badge --recovery";
        assert!(restored["next"] == next && said.contains(next), "{said}");
        let (code, checked, said) = run(place, &["check", "--recovery"], &recovery);
        assert_eq!((code, checked["ok"].as_bool()), (0, Some(true)), "{checked} {said}");
    }

    let mut damaged = fs::read(&backup).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&backup, damaged).unwrap();
    let third = scratch.path().join("third");
    let (code, _, said) = run(&third, &restore, &recovery);
    assert!(code == 1 && said.contains("Nothing was written"), "{said}");
    assert!(!third.exists());
}

#[test]
fn damage_words_and_a_running_kiosk_are_said_so() {
    let scratch = tempfile::tempdir().unwrap();
    let state = scratch.path().join("state");
    let (code, _, said) = run(&state, &["check", "--recovery"], "");
    assert!(code == 1 && said.contains("There is no store"), "{said}");
    let recovery = format!("{}\n", make_store(&state));

    let (code, _, said) = run(&state, &["check", "--recovery"], "one two three\n");
    assert!(code == 1 && said.contains("not the recovery words"), "{said}");
    let (code, _, said) = run(&state, &["burn"], "");
    assert!(code == 2 && said.contains("After `wardkeepctl store` comes backup"), "{said}");

    let running = Running::start(&state);
    for words in [&["check", "--recovery"][..], &["aside", "--yes"]] {
        let (code, _, said) = run(&state, words, &recovery);
        assert!(code == 1 && said.contains("systemctl stop wardkeep"), "{words:?}: {said}");
    }
    running.stop();

    fs::write(state.join("store/cart"), b"x").unwrap();
    let (code, checked, said) = run(&state, &["check", "--recovery"], &recovery);
    assert_eq!((code, checked["ok"].as_bool()), (1, Some(false)), "{said}");
    let rows = checked["checks"].as_array().unwrap();
    let cart = rows.iter().find(|row| row["name"] == "cart").unwrap();
    assert!(cart["ok"] == false && cart["problem"].is_string() && cart["advice"].is_string());

    let shred = ["shred", "--mrn", "M-417", "--recovery"];
    let (code, _, said) = run(&state, &shred, &format!("M-418\n{recovery}"));
    assert!(code == 1 && said.contains("Not confirmed"), "{said}");
    let (code, done, said) = run(&state, &shred, &format!("M-417\n{recovery}"));
    assert_eq!((code, done["shredded"].is_string()), (0, true), "{said}");
    assert!(!said.contains("Okonkwo"), "the name is shown to nobody");
}

/// Every file below a directory with what it holds.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let content = fs::read(&path).unwrap();
            found.insert(path, content);
        }
    }
    found
}

#[test]
fn a_misplaced_recovery_is_refused_and_changes_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let state = scratch.path().join("state");
    let recovery = format!("{}\n", make_store(&state));
    let before = contents(&state);
    for words in [
        &["aside", "--yes", "--recovery"][..],
        &["restore", "--from", "f", "--recovery"],
        &["shred", "--recovery"],
        &["check", "--recovery", "--recovery"],
        &["check", "--recovery=yes"],
        &["backup", "--recovery", "--out"],
    ] {
        let (code, answer, said) = run(&state, words, &recovery);
        assert_eq!((code, answer), (2, Json::Null), "{words:?}: {said}");
    }
    assert!(contents(&state) == before, "the store was touched");
}
