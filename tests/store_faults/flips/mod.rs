//! S-8 against single flipped bits, in all files of a store: each flip is told, as a fault, a refusal or a
//! finding, or it lies in bytes that nothing reads: then everything that is read is as before. No flip
//! gives another value, ends the store's thread or makes it wait for ever.
//!
//! `WARDKEEP_FLIPS=20000 cargo test -p wardkeep-tests --test store_faults flips -- --nocapture`
//!
//! A flip that fails is kept as a directory.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::print_stdout, reason = "the counts are the proof")]
#![expect(clippy::wildcard_enum_match_arm, reason = "any other outcome is an alarm")]

mod reading;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use kit::store::desk::*;
use kit::store::tree::{self, Tree, scratch, tree};
use kit::store::*;
use reading::{Seen, read};
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::Token;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{
    AuditAct, AuditEntry, CartState, Command, Draft, Outcome, RecoveryPhrase,
};

/// Nothing that is read takes so long.
const HANGS: Duration = Duration::from_secs(120);

/// The last record of a store that is killed at work.
const BACKLOG_LAST: u64 = 100;
/// Records that are written at once while it is locked, with one audit entry.
const BATCH: u64 = 4;
/// Failures that are kept and told.
const FAILURES_MAX: usize = 12;

/// How many flips, over all tests of this file.
fn flips() -> u64 {
    std::env::var("WARDKEEP_FLIPS").map_or(1_000, |text| text.parse().unwrap())
}

/// A store's files at one instant.
struct Image {
    name: &'static str,
    tree: Tree,
    phrase: RecoveryPhrase,
}

fn draft(rig: &mut Rig, role: Role, text: &str) -> Draft {
    let people = rig.people();
    let person = people.iter().find(|person| person.role == role).unwrap();
    let form = PatientForm { family: Phi::new(text.into()), ..PatientForm::default() };
    Draft { operator: person.id, id: SubjectId(77), form }
}

/// A store with something of everything, open.
fn filled(dir: &Path) -> (Rig, RecoveryPhrase) {
    let (mut rig, phrase) = Rig::first_start(dir);
    rig.log_in(it());
    rig.enrol("Otto Berg", Role::Nurse, 2, PIN);
    for family in ["Base", "Wald"] {
        rig.send(Command::AddPatient(Box::new(patient(family)), at(0)));
        assert!(matches!(rig.next(), Outcome::PatientAdded(_)));
    }
    let subject = Some(SubjectId(patient("Base").id.0));
    let cart = CartState { subject, language: "x-1".into(), ..CartState::default() };
    rig.send(Command::SaveCart(Box::new(cart)));
    rig.record(1, 1..=60);
    let nurses = draft(&mut rig, Role::Nurse, "Typed by Otto");
    rig.send(Command::Close(Some(Box::new(nurses)), at(100)));
    assert!(matches!(rig.next(), Outcome::Closed));
    rig.record(1, 61..=70);
    rig.log_in(it());
    (rig, phrase)
}

fn flushed(rig: &mut Rig) {
    rig.send(Command::Retry);
    rig.send(Command::Identify(Attempt(8), Token::Badge(badge()), at(50)));
    let outcome = rig.next();
    assert!(matches!(outcome, Outcome::Identified(..)), "{outcome:?}");
}

/// Records and an audit entry, while it is locked.
fn backlog(rig: &mut Rig, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        rig.record(1, seq..=seq);
        if seq % BATCH == 0 {
            let told = AuditEntry::of(AuditAct::AudioPaused, at(0).wall);
            rig.send(Command::Audit(Box::new(told)));
            flushed(rig);
        }
    }
}

/// A store that was shut down while locked, with a backlog and two drafts.
fn at_rest() -> Image {
    let dir = scratch();
    let (mut rig, phrase) = filled(dir.path());
    let mine = draft(&mut rig, Role::It, "Typed by IT");
    rig.send(Command::Close(Some(Box::new(mine)), at(100)));
    assert!(matches!(rig.next(), Outcome::Closed));
    backlog(&mut rig, 71..=90);
    rig.stop();
    Image { name: "at rest", tree: tree(dir.path()), phrase }
}

/// A store that was killed while open, started again, and killed while it recorded: the vault's log, a
/// backlog and no end of either.
fn at_work() -> Image {
    let (dir, again) = (scratch(), scratch());
    let (mut rig, phrase) = filled(dir.path());
    rig.record(1, 71..=80);
    flushed(&mut rig);
    tree::write(&tree::at_one_instant(dir.path()), again.path());
    let mut second = Rig::restart(again.path());
    backlog(&mut second, 81..=BACKLOG_LAST);
    let image = Image { name: "at work", tree: tree::at_one_instant(again.path()), phrase };
    second.stop();
    rig.stop();
    image
}

fn try_in_scratch(tree: &Tree, phrase: &RecoveryPhrase) -> Seen {
    let dir = scratch();
    tree::write(tree, dir.path());
    read(dir.path(), phrase)
}

/// The n-th flip: files in turn, and in each file bits spread by turns over its whole length and over
/// what is not room that nothing was written into yet.
fn flip(image: &Image, number: u64) -> (PathBuf, u64) {
    let files: Vec<(&PathBuf, &Vec<u8>)> = image
        .tree
        .iter()
        .filter_map(|(path, content)| Some((path, content.as_ref()?)))
        .filter(|(_, content)| !content.is_empty())
        .collect();
    let count = files.len() as u64;
    let (path, content) = files[usize::try_from(number % count).unwrap()];
    let turn = number / count;
    let written = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let bytes = if turn.is_multiple_of(2) || written == 0 { content.len() } else { written };
    // The golden ratio of 2^64 visits a range evenly, however often.
    let golden = (turn + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bit = (u128::from(golden) * (bytes as u128 * 8)) >> 64;
    (path.clone(), u64::try_from(bit).unwrap())
}

#[derive(Debug, Default)]
struct Counts {
    told: u64,
    /// In bytes that nobody reads.
    unused: u64,
    failed: u64,
}

fn prove(image: &Image) {
    let before = try_in_scratch(&image.tree, &image.phrase);
    assert!(before.alarms.is_empty(), "without a flip: {:?}", before.alarms);
    assert_eq!(before.wrong(&try_in_scratch(&image.tree, &image.phrase)), [""; 0]);
    let mut by_file: BTreeMap<String, Counts> = BTreeMap::new();
    let mut failures = Vec::new();
    let (alive, watched) = mpsc::channel();
    std::thread::spawn(move || watch(&watched));
    for number in 0..flips() / 2 {
        let (path, bit) = flip(image, number);
        let what = format!("{}: bit {bit} of {}", image.name, path.display());
        alive.send(what.clone()).unwrap();
        let mut tree = image.tree.clone();
        let content = tree.get_mut(&path).unwrap().as_mut().unwrap();
        content[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
        let seen = catch_unwind(AssertUnwindSafe(|| try_in_scratch(&tree, &image.phrase)));
        let counts = by_file.entry(kind(&path)).or_default();
        match judge(&seen.map_err(|_| "a panic".to_owned()), &before) {
            Ok(Verdict::Told) => counts.told += 1,
            Ok(Verdict::Unused) => counts.unused += 1,
            Err(why) => {
                counts.failed += 1;
                if failures.len() < FAILURES_MAX {
                    let kept = scratch().keep();
                    tree::write(&tree, &kept);
                    failures.push(format!("{what}: {why}\n  kept in {}", kept.display()));
                }
            }
        }
        if (number + 1) % 1_000 == 0 {
            println!("{}: {} flips", image.name, number + 1);
        }
    }
    for (file, counts) in by_file {
        println!("{}: {file}: {counts:?}", image.name);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Files of one kind together: their names are random or numbered.
fn kind(path: &Path) -> String {
    let parent = path.parent().unwrap().to_string_lossy();
    let name = path.file_name().unwrap().to_string_lossy();
    match &*parent {
        "store" | "" => name.into_owned(),
        _ => match name.rsplit_once('.') {
            Some((_, suffix)) => format!("{parent}/*.{suffix}"),
            None if name.len() > 12 => format!("{parent}/*"),
            None => format!("{parent}/{name}"),
        },
    }
}

/// What a flip came to.
enum Verdict {
    Told,
    Unused,
}

/// Fails where a flip was not told and something is another or gone.
fn judge(seen: &Result<Seen, String>, before: &Seen) -> Result<Verdict, String> {
    let seen = seen.as_ref().map_err(Clone::clone)?;
    let (wrong, gone) = (seen.wrong(before), seen.gone(before));
    let is_told = !seen.alarms.is_empty();
    if !wrong.is_empty() {
        return Err(format!("another value was read: {wrong:?}, alarms {:?}", seen.alarms));
    }
    match (is_told, gone.is_empty()) {
        (true, _) => Ok(Verdict::Told),
        (false, true) => Ok(Verdict::Unused),
        (false, false) => Err(format!("gone without a word: {gone:?}")),
    }
}

/// Ends the test where one flip takes for ever.
fn watch(watched: &mpsc::Receiver<String>) {
    let mut last = String::new();
    loop {
        match watched.recv_timeout(HANGS) {
            Ok(what) => last = what,
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                println!("hangs: {last}");
                std::process::exit(101);
            }
        }
    }
}

#[test]
fn s8_a_flipped_bit_in_a_store_at_rest_is_told() {
    prove(&at_rest());
}

#[test]
fn s8_a_flipped_bit_in_a_store_at_work_is_told() {
    prove(&at_work());
}
