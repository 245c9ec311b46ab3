//! Revocation against real kills: a process is killed while the keys change, at times spread over the
//! whole change, and the next start finds the old or the new state with all data in it.
//!
//! `WARDKEEP_KILLS=200 WARDKEEP_ROWS=500000 cargo test -p wardkeep-tests
//! --test store_kills rotation -- --nocapture` repeats it, and says how long a vault of that size takes.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::print_stdout, reason = "the counts are the proof")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use kit::process;
use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::keeping::{AuditAct, Command, Outcome, RecoveryPhrase};
use wardkeep_model::moment::Moment;

const STATE: &str = "WARDKEEP_TEST_REVOKER";
const PERSON: &str = "WARDKEEP_TEST_LEAVER";
const ASKED: &str = "asked";
const DONE: &str = "done after ";

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn say(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word}").unwrap();
    out.flush().unwrap();
}

/// Revokes somebody in a process of its own until it is killed; does nothing in an ordinary run.
#[test]
fn revoker_process() {
    let Ok(dir) = std::env::var(STATE) else { return };
    let leaver = OperatorId(std::env::var(PERSON).unwrap().parse().unwrap());
    let mut rig = Rig::restart(Path::new(&dir));
    rig.log_in(it());
    say(ASKED);
    let asked = Moment::read();
    rig.revoke(leaver).unwrap();
    say(&format!("{DONE}{}", Moment::read().boot.since(asked.boot).as_micros()));
    // Killed here at the latest.
    std::thread::sleep(Duration::from_secs(60));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
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

/// A locked store with so many rows, somebody who will be revoked, and somebody who stays away.
fn prepared(dir: &Path, rows: u64) -> (OperatorId, RecoveryPhrase) {
    let (mut rig, phrase) = Rig::first_start(dir);
    rig.log_in(it());
    let leaver = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.enrol("Otto Berg", Role::Nurse, 2, PIN);
    let records = (1..=rows).map(|seq| Command::Record(Box::new(observation(1, seq))));
    for command in records.chain([Command::Close(None, at(100))]) {
        rig.send(command);
    }
    while !matches!(rig.next(), Outcome::Closed) {}
    rig.stop();
    (leaver, phrase)
}

/// Kills the revoker so long after it asked; how long the change took, if it was done by then.
fn round(dir: &Path, leaver: OperatorId, wait: Option<Duration>) -> Option<Duration> {
    let mut child = Process::new(std::env::current_exe().unwrap());
    child.args(["--exact", "rotation::revoker_process", "--nocapture"]).stdout(Stdio::piped());
    child.env(STATE, dir).env(PERSON, leaver.0.to_string());
    let mut child = process::spawn(&mut child).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(ASKED)), "the store starts");
    let taken = |line: String| {
        let (_, micros) = line.split_once(DONE)?;
        micros.parse().ok().map(Duration::from_micros)
    };
    let mut done = None;
    match wait {
        Some(wait) => std::thread::sleep(wait),
        None => done = lines.find_map(|line| taken(line.unwrap())),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    done.or_else(|| lines.map_while(Result::ok).find_map(taken))
}

/// What a kill left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Old,
    /// The person is out, and the keys were changed by the next login.
    Noted,
    New,
}

/// Whether the person is out; everything else is as it was. Whoever opens the vault next finishes what was begun.
fn left(dir: &Path, phrase: &RecoveryPhrase, rows: u64) -> Left {
    let mut rig = Rig::restart(dir);
    let leaver = rig.opens(badge_pin(1, PIN));
    rig.log_in(it());
    // Answered once the vault is back.
    let people = rig.people().len();
    let went_on = !rig.rekeying.is_empty();
    rig.close();
    assert!(rig.opens(badge_pin(2, PIN)) && rig.opens(it()), "everybody else logs in");
    assert_eq!(people, if leaver { 3 } else { 2 });
    assert_eq!(rig.opens(badge_pin(1, PIN)), leaver, "as before");
    rig.stop();
    let left = fs::read_dir(dir.join("store")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("epoch")), "{left:?}");
    let vault = contents(dir, phrase);
    assert_eq!(seqs(&vault).len() as u64, rows);
    let acts = vault.audit().unwrap();
    let changed = acts.iter().filter(|(_, entry)| entry.act == AuditAct::KeysRotated).count();
    assert_eq!(changed, usize::from(!leaver), "nobody is out under the old keys");
    match (leaver, went_on) {
        (true, went_on) => {
            assert!(!went_on);
            Left::Old
        }
        (false, true) => Left::Noted,
        (false, false) => Left::New,
    }
}

#[test]
fn s4_killed_while_the_keys_change_the_old_or_the_new_state_is_left() {
    let rows = number("WARDKEEP_ROWS", 4_000);
    let origin = tempfile::tempdir().unwrap();
    let (leaver, phrase) = prepared(origin.path(), rows);
    let size = fs::metadata(origin.path().join("store/vault.db")).unwrap().len();
    let whole = tempfile::tempdir().unwrap();
    copy(origin.path(), whole.path());
    let length = round(whole.path(), leaver, None).expect("it is done");
    println!("vault of {:.1} MB, {rows} rows: keys changed in {length:?}", size as f64 / 1e6);
    assert_eq!(left(whole.path(), &phrase, rows), Left::New);

    let kills = u32::try_from(number("WARDKEEP_KILLS", 24)).unwrap();
    let mut found = Vec::new();
    for kill in 0..kills {
        let dir = tempfile::tempdir().unwrap();
        copy(origin.path(), dir.path());
        // A little longer than it takes, so that both sides of the commit are met.
        let wait = length * (kill * 12) / (kills * 10);
        let done = round(dir.path(), leaver, Some(wait));
        let left = left(dir.path(), &phrase, rows);
        assert!(left == Left::New || done.is_none(), "what was answered is in force");
        found.push(left);
    }
    let count = |of: Left| found.iter().filter(|left| **left == of).count();
    let [old, noted, new] = [Left::Old, Left::Noted, Left::New].map(count);
    println!("{kills} kills: {old} found the old state, {noted} went on, {new} found the new one");
    assert!(new < found.len(), "some kills came before the commit");
    assert!(noted > 0, "some kills came while the vault was written");
}
