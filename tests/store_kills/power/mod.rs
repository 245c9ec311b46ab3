//! S-8 against power cuts: whatever was acknowledged is there after the power goes at any instant, and
//! nothing is reported that did not happen.
//!
//! A process runs a real store while a preloaded library records every change of the state directory.
//! For places between those changes the disk is built as a power cut may leave it (`disk.rs`), a real
//! store is started on it, and everything that had been acknowledged by then is looked for.
//!
//! `WARDKEEP_CUTS=12000 cargo test -p wardkeep-tests --test store_kills power -- --nocapture`
//!
//! A cut that fails is kept; `WARDKEEP_CUT=STORY:AFTER:NUMBER` repeats the same place and way alone.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::print_stdout, reason = "the counts are the proof")]
#![expect(clippy::cast_possible_truncation, reason = "all lengths are small")]
#![expect(clippy::wildcard_enum_match_arm, reason = "any other outcome fails the test")]

mod disk;
mod promises;
mod recording;
mod workloads;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::OnceLock;

use disk::{Cut, Dice, Disk, fingerprint};
use kit::process;
use kit::store::tree::{self, Tree, scratch, tree};
use promises::Promises;
use recording::Recording;
use tempfile::TempDir;
use wardkeep_model::access::OperatorId;
use workloads::{STORIES, base, tell};

const STORY: &str = "WARDKEEP_TEST_STORY";
const STATE: &str = "WARDKEEP_TEST_STORY_STATE";
const LEAVER: &str = "WARDKEEP_TEST_STORY_LEAVER";
/// Ways for the power to go, at one place, until nothing new is found there.
const WAYS_MAX: u64 = 64;
/// Failures of one story after which it is given up.
const FAILURES_MAX: usize = 8;

/// Tells a story in a process of its own; does nothing in an ordinary run.
#[test]
fn story_process() {
    let Ok(name) = std::env::var(STORY) else { return };
    let leaver = OperatorId(std::env::var(LEAVER).unwrap().parse().unwrap());
    tell(&name, Path::new(&std::env::var(STATE).unwrap()), leaver);
}

/// The recorder, compiled; `None` where there is no C compiler.
fn recorder() -> Option<&'static Path> {
    static RECORDER: OnceLock<Option<(TempDir, PathBuf)>> = OnceLock::new();
    let compiled = RECORDER.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("recorder.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("store_kills/power/recorder.c");
        let mut compiler = Process::new("cc");
        compiler.args(["-std=gnu11", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-pthread"]);
        let compiled = process::spawn(compiler.arg(source).arg("-o").arg(&library));
        match compiled.and_then(|mut compiler| compiler.wait()) {
            Ok(status) => assert!(status.success(), "the recorder was not compiled"),
            Err(_) => return None,
        }
        Some((dir, library))
    });
    compiled.as_ref().map(|(_, library)| library.as_path())
}

/// Runs a story under the recorder.
fn record(story: &str, library: &Path) -> (Recording, Promises) {
    let dir = scratch();
    let state = dir.path().canonicalize().unwrap().join("state");
    let log = dir.path().join("log");
    std::fs::create_dir(&state).unwrap();
    let (before, promises) = match story {
        "first" => (Tree::new(), Promises::default()),
        _ => (base().tree.clone(), base().promises.clone()),
    };
    tree::write(&before, &state);
    let mut child = Process::new(std::env::current_exe().unwrap());
    child.args(["--exact", "power::story_process", "--nocapture"]).stdout(Stdio::null());
    child.env(STORY, story).env(STATE, &state).env(LEAVER, base().leaver.0.to_string());
    child.env("WARDKEEP_RECORD_BELOW", &state).env("WARDKEEP_RECORD_INTO", &log);
    let mut child = process::spawn(child.env("LD_PRELOAD", library)).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{story}: {status}");
    let recording = Recording::read(&before, &state, &std::fs::read(&log).unwrap());
    is_complete(&recording, &state);
    (recording, promises)
}

/// Nothing reached the disk beside the recorder.
fn is_complete(recording: &Recording, state: &Path) {
    let all = recording.ops.len();
    let disk = Disk::new(recording.clone());
    let (played, left) = (disk.state(Cut::nth(all, 0)), tree(state));
    let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&played), names(&left), "names changed beside the recorder");
    for (name, content) in &left {
        let mut played = played[name].clone();
        if let (Some(played), Some(content)) = (&mut played, content) {
            // Room that a system call of its own allocated, and that nothing was written into.
            played.resize(played.len().max(content.len()), 0);
        }
        assert!(played == *content, "{} changed beside the recorder", name.display());
    }
}

/// A disk to be tried, and where it comes from.
struct Case {
    number: u64,
    cut: Cut,
    promises: Promises,
}

/// How many cuts each story gets.
fn cuts_each() -> u64 {
    let cuts: u64 = std::env::var("WARDKEEP_CUTS").map_or(400, |text| text.parse().unwrap());
    cuts.div_ceil(STORIES.len() as u64)
}

/// The place and way that are to be repeated alone.
fn repeated(story: &str) -> Option<(usize, u64)> {
    let text = std::env::var("WARDKEEP_CUT").ok()?;
    let mut parts = text.split(':');
    assert!(parts.clone().count() == 3, "WARDKEEP_CUT=STORY:AFTER:NUMBER");
    let is_this = parts.next() == Some(story);
    let mut number = || parts.next().unwrap().parse::<u64>().unwrap();
    is_this.then(|| (number() as usize, number()))
}

/// Every cut once, in an order that visits all places before it visits one again.
fn places(story: &str, after: usize) -> Vec<(usize, u64)> {
    if let Some(case) = repeated(story) {
        return vec![case];
    }
    if std::env::var_os("WARDKEEP_CUT").is_some() {
        return Vec::new();
    }
    let mut dice = Dice(after as u64);
    let mut places = Vec::new();
    for number in 0..WAYS_MAX {
        let mut round: Vec<usize> = (0..=after).collect();
        for index in (1..round.len()).rev() {
            round.swap(index, dice.roll(index as u64 + 1) as usize);
        }
        places.extend(round.into_iter().map(|after| (after, number)));
    }
    places
}

/// Cuts the power in a story, again and again.
fn prove(story: &str) {
    let Some(library) = recorder() else {
        #[expect(clippy::print_stderr, reason = "a test that does not run says so")]
        {
            eprintln!("skipped: {story}: no C compiler");
        }
        return;
    };
    let (recording, promises) = record(story, library);
    let disk = Disk::new(recording);
    let changes = disk.recording.ops.len();
    let said = disk.recording.said.clone();
    let (mut seen, mut tried, mut same) = (HashSet::new(), 0_u64, 0);
    let mut failures = Vec::new();
    for (after, number) in places(story, changes) {
        if tried >= cuts_each() {
            break;
        }
        let cut = Cut::nth(after, number);
        let tree = disk.state(cut);
        let heard = said.iter().take_while(|(before, _)| *before <= after).count();
        if !seen.insert((fingerprint(&tree), heard)) {
            same += 1;
            continue;
        }
        let mut promises = promises.clone();
        said[..heard].iter().for_each(|(_, line)| promises.hear(line));
        tried += 1;
        failures.extend(try_case(story, &tree, &Case { number, cut, promises }));
        assert!(failures.len() < FAILURES_MAX, "{}", failures.join("\n"));
        if tried.is_multiple_of(500) {
            println!("{story}: {tried} cuts");
        }
    }
    println!(
        "{story}: {tried} cuts at {changes} changes, {same} left a disk that was tried before"
    );
}

/// Looks at one disk; says what is wrong, and keeps that disk.
fn try_case(story: &str, tree: &Tree, case: &Case) -> Option<String> {
    let dir = scratch();
    tree::write(tree, dir.path());
    let checked = catch_unwind(AssertUnwindSafe(|| promises::check(dir.path(), &case.promises)));
    let panic = checked.err()?;
    let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
    let kept = scratch().keep();
    tree::write(tree, &kept);
    let Case { number, cut, promises } = case;
    Some(format!(
        "{story}: {why}\n  {cut:?}\n  promised: {promises:?}\n  the disk is kept in {}\n  \
         repeat: WARDKEEP_CUT={story}:{}:{number}",
        kept.display(),
        cut.after,
    ))
}

#[test]
fn s8_cut_while_the_store_is_made() {
    prove("first");
}

#[test]
fn s2_s8_cut_while_it_records_locked() {
    prove("locked");
}

#[test]
fn s8_cut_while_it_imports() {
    prove("import");
}

#[test]
fn s8_cut_while_it_records_open() {
    prove("open");
}

#[test]
fn s8_cut_around_a_checkpoint() {
    prove("checkpoint");
}

#[test]
fn cut_while_the_cart_compartment_is_written() {
    prove("cart");
}

#[test]
fn s5_cut_while_wrong_pins_are_tried() {
    prove("tries");
}

#[test]
fn cut_while_people_are_enrolled() {
    prove("enrol");
}

#[test]
fn s4_cut_while_a_person_is_taken_away() {
    prove("revoke");
}

#[test]
fn s4_cut_while_a_badge_is_taken_away() {
    prove("token");
}

#[test]
fn cut_while_a_patient_is_shredded() {
    prove("shred");
}
