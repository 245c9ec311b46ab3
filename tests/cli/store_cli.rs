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
        let (handle, thread) = store::spawn(Options::new(state).on_any_disk(), sender).unwrap();
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
    let (code, _, said) = run(&state, &["aside", "--yes"], &recovery);
    assert!(code == 1 && said.contains("systemctl stop wardkeep"), "{said}");
    let (code, checked, said) = run(&state, &["check", "--recovery"], &recovery);
    assert_eq!((code, checked["ok"].as_bool()), (0, Some(true)), "{checked} {said}");
    assert!(
        said.contains("Not looked at: locked-part, freshness, ") && said.contains("systemctl stop"),
        "{said}"
    );
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
    assert!(said.contains("knows of no backup"), "{said}");
}

/// What `doctor` says of a line.
fn doctor(state: &Path, name: &str) -> Json {
    let done = Command::new(env!("CARGO_BIN_EXE_wardkeepctl"))
        .args(["doctor", "--json", "--state"])
        .arg(state)
        .env_remove("CREDENTIALS_DIRECTORY")
        .output()
        .unwrap();
    let report: Json = serde_json::from_slice(&done.stdout).unwrap();
    let line = report["checks"].as_array().unwrap().iter().find(|line| line["name"] == name);
    line.unwrap().clone()
}

#[test]
fn the_doctor_judges_the_place_and_whose_the_store_is() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = tempfile::tempdir().unwrap();
    let (state, other) = (scratch.path().join("state"), scratch.path().join("other"));
    make_store(&state);
    make_store(&other);
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let place = |state: &Path| doctor(state, "state-directory");
    let of = |line: Json| line["cause"].as_str().unwrap_or("fine").to_owned();
    let before = contents(&state);
    let at_rest = of(place(&state));
    assert!(at_rest == "fine" || at_rest.contains("in memory"), "{at_rest}");
    set(scratch.path(), 0o777);
    assert!(of(place(&state)).contains("Any account may exchange it"), "{}", place(&state));
    set(scratch.path(), 0o700);
    set(&state, 0o750);
    let open = of(place(&state));
    assert!(open.contains("Other accounts") || open.contains("in memory"), "{open}");
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        let memory = tempfile::tempdir_in(memory).unwrap();
        assert!(of(place(memory.path())).contains("a restart loses every record"));
    }
    assert!(doctor(&state, "store")["ok"] == true);
    fs::copy(other.join("device-secret"), state.join("device-secret")).unwrap();
    let line = doctor(&state, "store");
    assert!(line["ok"] == false && of(line.clone()).contains("belongs to another cart"), "{line}");
    fs::write(state.join("device-secret"), &before[&state.join("device-secret")]).unwrap();
    assert!(contents(&state) == before, "the doctor changes nothing");
}

#[test]
fn a_damaged_store_is_salvaged_and_the_list_is_the_answer() {
    let scratch = tempfile::tempdir().unwrap();
    let (state, new) = (scratch.path().join("state"), scratch.path().join("new"));
    let recovery = format!("{}\n", make_store(&state));
    let vault = state.join("store/vault.db");
    let mut bytes = fs::read(&vault).unwrap();
    bytes[3 * 4096 + 100] ^= 1;
    fs::write(&vault, &bytes).unwrap();
    let before = contents(&state);
    let salvage = |from: &Path, out: &Path, typed: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wardkeepctl"))
            .args(["store", "salvage", "--from"])
            .arg(from)
            .arg("--out")
            .arg(out)
            .env_remove("CREDENTIALS_DIRECTORY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let answer: Json = serde_json::from_slice(&done.stdout).unwrap_or(Json::Null);
        (done.status.code().unwrap(), answer, String::from_utf8(done.stderr).unwrap())
    };
    let (code, answer, said) = salvage(&state, &new, &recovery);
    assert_eq!(code, 1, "something is gone: {said}");
    assert!(contents(&state) == before);
    let salvaged = &answer["salvaged"];
    assert_eq!(salvaged["damaged_pages"][0]["page"], 4, "{answer}");
    assert_eq!(salvaged["people"][0]["name"], "Quintilia Zephyrin");
    assert!(
        said.contains("1 of") && said.contains("enroll \"Quintilia Zephyrin\" badge --recovery"),
        "{said}"
    );
    let (code, checked, said) = run(&new, &["check", "--recovery"], &recovery);
    assert_eq!((code, checked["ok"].as_bool()), (0, Some(true)), "{checked} {said}");
    let (code, answer, said) = salvage(&state, &new, &recovery);
    assert!(
        code == 1 && answer == Json::Null && said.contains("There is a store in --out"),
        "{said}"
    );
    let (code, _, said) = salvage(scratch.path(), &scratch.path().join("x"), &recovery);
    assert!(code == 1 && said.contains("There is no store in what --from names"), "{said}");
}

#[test]
fn a_shred_reaches_what_was_set_aside_and_names_what_remains() {
    let scratch = tempfile::tempdir().unwrap();
    let state = scratch.path().join("state");
    let recovery = format!("{}\n", make_store(&state));
    let backup = scratch.path().join("b");
    let write = ["backup", "--out", backup.to_str().unwrap(), "--recovery"];
    assert_eq!(run(&state, &write, &recovery).0, 0);
    // One store that opens, one whose vault does not, and the restored one that lives.
    let aside = |state: &Path| -> PathBuf {
        let (code, answer, said) = run(state, &["aside", "--yes"], "");
        assert_eq!(code, 0, "{said}");
        answer["aside"].as_str().unwrap().into()
    };
    let restore = ["restore", "--from", backup.to_str().unwrap()];
    let good = aside(&state);
    assert_eq!(run(&state, &restore, &recovery).0, 0);
    let bad = aside(&state);
    fs::write(bad.join("vault.db"), vec![7; 8192]).unwrap();
    assert_eq!(run(&state, &restore, &recovery).0, 0);

    let shred = ["shred", "--mrn", "M-417", "--recovery"];
    let (code, done, said) = run(&state, &shred, &format!("M-417\n{recovery}"));
    assert_eq!((code, done["shredded"].is_string()), (0, true), "{said}");
    let remains = &done["remains"];
    let of = |place: &Path| {
        let all = remains["set_aside"].as_array().unwrap();
        let found = all.iter().find(|one| one["place"].as_str().map(Path::new) == Some(place));
        found.unwrap()["patient"].clone()
    };
    assert_eq!((of(&good), of(&bad)), ("destroyed".into(), "not-opened".into()), "{done}");
    assert_eq!(remains["backups"].as_array().map(Vec::len), Some(1), "{done}");
    assert!(
        said.contains("1 backups were written here") && said.contains("destroyed there too"),
        "{said}"
    );
    assert!(said.contains("does not open") && !said.contains("Okonkwo"), "{said}");
    // In the store that was set aside the patient is gone for whoever has the words.
    let (code, done, said) = run(&state, &shred, &format!("M-417\n{recovery}"));
    assert!(
        code == 1 && done == Json::Null && said.contains("no patient has this number"),
        "{said}"
    );
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
