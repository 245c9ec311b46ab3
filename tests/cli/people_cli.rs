//! `wardkeepctl users`, `enroll`, `revoke` and `store` as IT runs them: the built program, a badge in a virtual
//! reader of a real pcscd, PINs on standard input, and a real store.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::mpsc;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Badge, ReaderFamily};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{Command as StoreCommand, NewOperator, Outcome};
use wardkeep_model::moment::Moment;
use wardkeep_store::{self as store, Options};

use kit::namespace;
use kit::readers::pcscd::{PORTS, Pcscd};
use kit::readers::vpcd::{Script, VirtualBadge};

const IT: [u8; 7] = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80];
const NEW: [u8; 7] = [0x04, 0x77, 0x0E, 0x31, 0xA8, 0x5C, 0x81];
const PIN: &str = "281564";
/// pcscd looks at its readers every 400 ms.
const TAP: Duration = Duration::from_millis(900);

/// A store with one IT person, and its recovery words.
fn make_store(state: &Path) -> String {
    let (sender, mut outcomes) = mpsc::channel(16);
    let (handle, thread) =
        store::spawn(Options::new(state).on_any_disk(), sender).expect("a store");
    let badge = Badge::new(ReaderFamily::PcscUid, &IT).expect("a badge number");
    let first = NewOperator {
        initials: "QZ".into(),
        name: Phi::new("Quintilia Zephyrin".into()),
        role: Role::It,
        badge,
        pin: PIN.bytes().map(|byte| byte - b'0').collect(),
    };
    let made = StoreCommand::Initialise(Box::new(first), Moment::read());
    handle.try_send(made).expect("room for one command");
    let words = loop {
        let outcome = outcomes.blocking_recv().expect("the store answers");
        if let Outcome::Initialised(words) = outcome {
            break words.expose().clone();
        }
    };
    drop(handle);
    while outcomes.blocking_recv().is_some() {}
    thread.join().expect("the store ends");
    words
}

fn tap(uid: &[u8]) {
    let badge = VirtualBadge::lay(PORTS[0], Script::Uid(uid.to_vec()));
    std::thread::sleep(TAP);
    badge.lift();
    // pcscd has to see that it was taken away.
    std::thread::sleep(TAP);
}

/// Runs the program, taps what it asks for, and types these lines. Exit status, answer, sentences.
fn run(state: &Path, words: &[&str], typed: &str) -> (i32, Json, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wardkeepctl"))
        .args(words)
        .arg("--state")
        .arg(state)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that refuses before it asks has closed its end.
    let typing = stdin.write_all(typed.as_bytes());
    drop(stdin);
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().expect("a pipe")).lines() {
        let line = line.expect("sentences");
        if line.ends_with("Tap your badge, or insert your card.") {
            tap(&IT);
        } else if line.ends_with("Tap the new badge.") || line.ends_with("Tap it again.") {
            tap(&NEW);
        }
        said.push_str(&line);
        said.push('\n');
    }
    let mut answer = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut answer).expect("an answer");
    let code = child.wait().expect("the program ends").code().expect("by itself");
    assert!(typing.is_ok() || code != 0, "what is typed is taken");
    (code, serde_json::from_str(&answer).unwrap_or(Json::Null), said)
}

fn tell(state: &Path, list: &Path) {
    let recovery = make_store(state);
    let pin = format!("{PIN}\n");

    let add = ["users", "add", "Amara Kone", "--role", "nurse", "--valid-until", "2099-12-31"];
    let (code, added, said) = run(state, &add, &pin);
    assert_eq!(code, 0, "{said}");
    let id = added["person"].as_str().expect("an identity").to_owned();

    let enrol = ["enroll", "Amara Kone", "badge", "--code"];
    let (code, enrolled, said) = run(state, &enrol, &pin);
    assert_eq!((code, enrolled["person"].as_str()), (0, Some(id.as_str())), "{said}");
    let one_time = enrolled["one_time_code"].as_str().expect("a code");
    assert!(one_time.len() == 8 && one_time.bytes().all(|byte| byte.is_ascii_digit()));

    let rows = "name,role\nBea Ott,porter\nJörg Weißmüller,auditor\n";
    std::fs::write(list, rows).expect("a list");
    let import = ["users", "import", list.to_str().expect("a plain path")];
    let (code, report, said) = run(state, &import, &pin);
    assert_eq!(code, 1, "one row was not imported: {said}");
    assert!(said.contains("Opening the store ...\nAdding people ...\n"), "{said}");
    assert_eq!(report["rows"][0]["error"], "the role is not nurse, caregiver, it or auditor");
    assert!(report["rows"][1]["person"].is_string(), "{report}");

    // people-2: corrected and imported again, everybody is there once. People-3: in either Unicode form.
    let rows = "name,role\nBea Ott,nurse\nJo\u{308}rg  Wei\u{df}m\u{fc}ller,auditor\n";
    std::fs::write(list, rows).expect("a list");
    let (code, again, said) = run(state, &import, &pin);
    assert_eq!(code, 0, "{said}");
    assert_eq!(again["rows"][0]["already"], false);
    assert_eq!(again["rows"][1]["already"], true);
    assert_eq!(again["rows"][1]["person"], report["rows"][1]["person"]);

    // cli-3: somebody without a badge is not nobody.
    let (code, _, said) = run(state, &["users", "code", "Bea Ott"], &pin);
    assert_eq!(code, 1);
    assert!(said.contains("this person has no badge yet: enrol one"), "{said}");

    let (code, listed, said) = run(state, &["users", "list"], &pin);
    assert_eq!(code, 0, "{said}");
    let people = listed["people"].as_array().expect("people");
    let kone = people.iter().find(|person| person["id"] == id.as_str()).expect("the nurse");
    assert_eq!(people.len(), 4);
    assert_eq!((kone["initials"].as_str(), kone["has_code"].as_bool()), (Some("AK"), Some(true)));
    assert_eq!(kone["factors"][0]["kind"], "badge");
    assert_eq!(kone["valid_until"], "2099-12-31");

    let (code, _, said) = run(state, &["users", "list"], "935270\n");
    assert_eq!(code, 1);
    assert!(said.contains("not enrolled, or the PIN is wrong"), "{said}");

    let (code, checked, said) = run(state, &["store", "check"], &pin);
    assert_eq!((code, checked["ok"].as_bool()), (0, Some(true)), "{checked} {said}");
    let backup = list.with_file_name("cart.backup");
    let file = backup.to_str().expect("a plain path");
    let (code, written, said) = run(state, &["store", "backup", "--out", file, "--to", "QZ"], &pin);
    assert_eq!((code, written["bytes"].is_u64()), (0, true), "{said}");
    let (code, read, said) = run(state, &["store", "check", "--backup", file], &pin);
    assert_eq!((code, read["whole"].as_bool()), (0, Some(true)), "{said}");

    let lost = ["users", "code", "Amara Kone", "--recovery"];
    let (code, again, said) = run(state, &lost, &format!("{recovery}\n"));
    assert_eq!(code, 0, "{said}");
    assert_ne!(again["one_time_code"], one_time, "another code");

    let (code, _, said) = run(state, &["revoke", &id], &pin);
    assert_eq!(code, 0, "{said}");
    let (code, listed, said) = run(state, &["users", "list"], &pin);
    assert_eq!((code, listed["people"].as_array().map(Vec::len)), (0, Some(3)), "{said}");
    let (code, _, said) = run(state, &["revoke", "Quintilia Zephyrin"], &pin);
    assert_eq!(code, 1);
    assert!(said.contains("the last IT person cannot be taken away"), "{said}");
}

#[test]
fn people_are_managed_with_two_factors() {
    namespace::isolated("people_cli::people_are_managed_with_two_factors", || {
        if let Some(reason) = Pcscd::missing() {
            return namespace::skipped("people_are_managed_with_two_factors", reason);
        }
        let _pcscd = Pcscd::start();
        let scratch = tempfile::tempdir().expect("a temporary directory");
        tell(&scratch.path().join("state"), &scratch.path().join("people.csv"));
    });
}

/// A store of yesterday beside a witness of today: nobody comes in, and IT takes it with the words and a badge.
fn accept(scratch: &Path) {
    let (state, old) = (scratch.join("state"), scratch.join("old"));
    let (config, witness) = (scratch.join("config.toml"), scratch.join("witness"));
    std::fs::write(&config, format!("[store]\nwitness = {witness:?}\n")).expect("a file");
    let recovery = format!("{}\n", make_store(&state));
    let config = config.to_str().expect("a plain path");
    let (pin, accept) = (format!("{PIN}\n"), ["store", "accept", "--config", config]);
    let list = ["users", "list", "--config", config];
    let copy = |from: &Path, to: &Path| {
        let done = Command::new("cp").args(["-a", "-T"]).arg(from).arg(to).status();
        assert!(done.expect("cp runs").success());
    };
    assert_eq!(run(&state, &list, &pin).0, 0);
    let (code, _, said) = run(&state, &accept, &recovery);
    assert_eq!(code, 1);
    assert!(said.contains("Nothing speaks against this store."), "{said}");
    copy(&state, &old);
    assert_eq!(run(&state, &list, &pin).0, 0);
    std::fs::remove_dir_all(&state).expect("it is there");
    copy(&old, &state);
    let (code, _, said) = run(&state, &list, &pin);
    assert!(code == 1 && said.contains("store accept"), "{said}");
    let wrong = format!("{}\n", ["abandon"; 24].join(" "));
    assert_eq!(run(&state, &accept, &wrong).0, 1);
    assert_eq!(run(&state, &list, &pin).0, 1, "nothing was accepted");
    let (code, accepted, said) = run(&state, &accept, &recovery);
    assert_eq!(code, 0, "{said}");
    assert_eq!(accepted["accepted"][0]["kind"], "store-older", "{accepted}");
    let (code, _, said) = run(&state, &list, &pin);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn an_older_store_is_accepted_with_the_words_and_a_badge() {
    namespace::isolated(
        "people_cli::an_older_store_is_accepted_with_the_words_and_a_badge",
        || {
            if let Some(reason) = Pcscd::missing() {
                return namespace::skipped("an_older_store_is_accepted", reason);
            }
            let _pcscd = Pcscd::start();
            let scratch = tempfile::tempdir().expect("a temporary directory");
            accept(scratch.path());
        },
    );
}

#[test]
fn a_running_kiosk_and_a_missing_store_are_said_so() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let (code, _, said) = run(scratch.path(), &["users", "list"], "");
    assert_eq!(code, 1);
    assert!(said.contains("Start the kiosk once"), "{said}");
    let state = scratch.path().join("state");
    make_store(&state);
    let (sender, mut outcomes) = mpsc::channel(16);
    let (handle, thread) =
        store::spawn(Options::new(&state).on_any_disk(), sender).expect("a store");
    assert!(matches!(outcomes.blocking_recv(), Some(Outcome::Found(_))));
    let (code, _, said) = run(&state, &["users", "list"], "");
    assert_eq!(code, 1);
    assert!(said.contains("systemctl stop wardkeep"), "{said}");
    drop(handle);
    while outcomes.blocking_recv().is_some() {}
    thread.join().expect("the store ends");
}

/// Every file below a directory with what it holds.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let content = std::fs::read(&path).expect("a readable file");
            found.insert(path, content);
        }
    }
    found
}

#[test]
fn a_misplaced_recovery_is_refused_and_changes_nothing() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let state = scratch.path().join("state");
    let recovery = format!("{}\n", make_store(&state));
    let (code, listed, said) = run(&state, &["users", "list", "--recovery"], &recovery);
    assert_eq!((code, listed["people"].as_array().map(Vec::len)), (0, Some(1)), "{said}");
    assert!(said.contains("Opening the store ..."), "{said}");
    let log = scratch.path().join("log.txt");
    let export = ["audit", "export", "--recovery", "--out", log.to_str().expect("a plain path")];
    let (code, written, said) = run(&state, &export, &recovery);
    assert_eq!((code, written["written"].as_str()), (0, log.to_str()), "{said}");
    assert!(said.contains("Taking the log out of the store ..."), "{said}");
    let before = contents(&state);
    let name = "Quintilia Zephyrin";
    for words in [
        &["revoke", name, "--recovery"][..],
        &["revoke", name, "--factor", "0000000000000000000000000000002a", "--recovery"],
        &["users", "add", "Amara Kone", "--role", "nurse", "--recovery"],
        &["users", "import", "people.csv", "--recovery"],
        &["enroll", name, "pin", "--recovery"],
        &["enroll", name, "card", "--recovery"],
        &["enroll", name, "finger", "--finger", "left-thumb", "--recovery"],
        &["enroll", "--recovery", name, "badge"],
    ] {
        let (code, answer, said) = run(&state, words, &recovery);
        assert_eq!((code, answer), (2, Json::Null), "{words:?}: {said}");
        assert!(said.starts_with("--recovery does not belong here."), "{words:?}: {said}");
    }
    assert!(contents(&state) == before, "the store was touched");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_sentence() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    for (words, says) in [
        (&["users", "drop"][..], "After `wardkeepctl users` comes list, add, import or code."),
        (&["users", "add", "X"], "--role is missing. `wardkeepctl users add --help` shows how."),
        (&["users", "add", "X", "--role", "porter"], "--role is nurse, caregiver, it or auditor."),
        (
            &["users", "add", "X", "--role", "IT", "--valid-until", "soon"],
            "--valid-until is a day as YYYY-MM-DD.",
        ),
        (&["users", "list", "more"], "There is a word or an option too many."),
        (&["users", "list", "--code"], "--code does not belong here."),
        (&["users", "code"], "PERSON is missing."),
        (
            &["enroll", "X", "retina"],
            "After `wardkeepctl enroll` comes badge, card, pin or finger.",
        ),
        (&["enroll", "X", "finger"], "--finger is missing."),
        (&["enroll", "X", "finger", "--finger", "toe"], "--finger is right-index, left-index,"),
        (&["revoke"], "PERSON is missing."),
        (&["revoke", "X", "--factor", "+1"], "--factor is an identity that `users list` shows."),
        (&["revoke", "X", "--pin", "471108"], "There is a word or an option too many."),
    ] {
        let (code, answer, said) = run(scratch.path(), words, "");
        assert_eq!((code, answer), (2, Json::Null), "{words:?}: {said}");
        assert!(said.starts_with(says), "{words:?}: {said}");
        assert!(!said.contains("471108"), "{said}");
    }
}
