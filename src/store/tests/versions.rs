//! An earlier program has the store for a while: the package was taken back, and then put in again.
//!
//! The earlier program is this one in a process of its own that knows fewer versions of the vault's schema. It is
//! killed as a power cut would, at some moment behind an acknowledgement or between two of them.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::StoreHandle;
use crate::machine::device_secret::SecretFile;
use crate::open::options::Options;
use crate::tools::recovered::open_with_recovery;
use crate::vault::schema::KNOWN_FOR_TESTS;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Attempt, Badge, Evidence, Pin, ReaderFamily, Token};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{Command, Found, Import, NewOperator, Outcome, Refusal, StoreFault};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, Unit};
use wardkeep_model::vitals::{ClockConfidence, DeviceId, Observation, Provenance, RecordId, Value};

/// Tells the process below which store it has.
const STATE: &str = "WARDKEEP_TEST_EARLIER";
/// More than a PIN has tries.
const LOG_INS: usize = 12;
const ROUNDS: u64 = 6;
const RECORDS: u64 = 400;

fn options(dir: &Path) -> Options {
    Options::new(dir).with_device_secret(SecretFile::new(dir)).with_cost_for_tests()
}

fn badge() -> Badge {
    Badge::new(ReaderFamily::PcscUid, &[4, 1, 2, 3]).unwrap()
}

fn right() -> Evidence {
    Evidence::BadgePin(badge(), [4, 7, 1, 1, 8, 2].into_iter().collect::<Pin>())
}

fn observation(run: u64, seq: u64) -> Box<Observation> {
    let now = Moment::read().wall;
    Box::new(Observation {
        record: RecordId { run, seq },
        code: HEART_RATE,
        value: Phi::new(Value::Measured(Decimal::new(72, 0))),
        unit: Unit::PerMinute,
        effective: now,
        received: now,
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![],
        device: DeviceId([1, 2, 3, 4, 5, 6]),
        subject: Some(SubjectId(7)),
        provenance: Provenance::Device,
    })
}

struct Program {
    handle: StoreHandle,
    outcomes: mpsc::Receiver<Outcome>,
    thread: JoinHandle<()>,
}

impl Program {
    fn start(dir: &Path) -> (Self, Outcome) {
        let (sender, outcomes) = mpsc::channel(64);
        let (handle, thread) = crate::spawn(options(dir), sender).unwrap();
        let mut program = Self { handle, outcomes, thread };
        let first =
            program.until(|outcome| matches!(outcome, Outcome::Found(_) | Outcome::Fault(_)));
        (program, first)
    }

    fn send(&self, command: Command) {
        let mut command = Some(command);
        while let Some(one) = command.take() {
            if self.handle.try_send(one.clone()).is_err() {
                std::thread::sleep(Duration::from_millis(1));
                command = Some(one);
            }
        }
    }

    /// The next outcome that is wanted. Nothing is lost and nothing is found on the way to it.
    fn until(&mut self, wanted: impl Fn(&Outcome) -> bool) -> Outcome {
        loop {
            let outcome = self.outcomes.blocking_recv().expect("the store runs");
            let is_bad = matches!(&outcome, Outcome::Lost(_) | Outcome::Findings(_));
            assert!(!is_bad, "{outcome:?}");
            if wanted(&outcome) {
                return outcome;
            }
        }
    }

    /// Everything that was sent before is durable.
    fn acknowledged(&mut self) {
        self.send(Command::Retry);
        self.send(Command::Identify(Attempt(2), Token::Badge(badge()), Moment::read()));
        self.until(|outcome| matches!(outcome, Outcome::Identified(..)));
    }

    fn log_in(&mut self) -> Result<Import, Refusal> {
        self.send(Command::Unlock(Attempt(1), right(), Moment::read()));
        let answer =
            |outcome: &Outcome| matches!(outcome, Outcome::Unlocked(..) | Outcome::Refused(..));
        if let Outcome::Refused(_, why) = self.until(answer) {
            return Err(why);
        }
        let done = self.until(|outcome| matches!(outcome, Outcome::Imported(_)));
        let Outcome::Imported(import) = done else { unreachable!("waited for") };
        Ok(import)
    }

    fn end(self) {
        drop(self.handle);
        self.thread.join().unwrap();
    }
}

/// Has the store and records until it is killed; does nothing in an ordinary run.
#[test]
fn earlier_program_process() {
    let Ok(told) = std::env::var(STATE) else { return };
    let (run, dir) = told.split_once(' ').unwrap();
    let run = run.parse().unwrap();
    let (mut program, first) = Program::start(Path::new(dir));
    let mut out = std::io::stdout().lock();
    assert!(matches!(first, Outcome::Found(Found::Store(_))), "monitoring goes on: {first:?}");
    for _ in 0..LOG_INS {
        let why = program.log_in().expect_err("a vault of a later program");
        assert_eq!(why, Refusal::Damaged(StoreFault::Later), "said as what it is");
    }
    writeln!(out, "refused").unwrap();
    for seq in 1..=RECORDS {
        program.send(Command::Record(observation(run, seq)));
        if seq % 10 == 0 {
            program.acknowledged();
            writeln!(out, "kept {seq}").unwrap();
        }
    }
    // Killed here at the latest.
    std::thread::sleep(Duration::from_secs(60));
}

fn earlier_program(dir: &Path, run: u64, schema: usize) -> Child {
    Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::versions::earlier_program_process", "--nocapture"])
        .env(STATE, format!("{run} {}", dir.to_str().unwrap()))
        .env(KNOWN_FOR_TESTS, schema.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Names of what lies beside the store in its directory.
fn beside(dir: &Path) -> Vec<PathBuf> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<PathBuf> = names.collect();
    names.sort();
    names
}

#[test]
fn s8_an_earlier_program_that_is_killed_loses_nothing_of_what_it_acknowledged_and_costs_no_tries() {
    let dir = tempfile::tempdir().unwrap();
    let (mut program, _) = Program::start(dir.path());
    let first = NewOperator {
        initials: "AB".into(),
        name: Phi::new("A B".into()),
        role: Role::It,
        badge: badge(),
        pin: [4, 7, 1, 1, 8, 2].into_iter().collect(),
    };
    program.send(Command::Initialise(Box::new(first), Moment::read()));
    let made = program.until(|outcome| matches!(outcome, Outcome::Initialised(_)));
    let Outcome::Initialised(phrase) = made else { unreachable!("waited for") };
    program.until(|outcome| matches!(outcome, Outcome::Found(_)));
    program.log_in().expect("the first person");
    program.send(Command::Close(None, Moment::read()));
    program.until(|outcome| matches!(outcome, Outcome::Closed));
    program.end();
    let files = beside(dir.path());
    let mut promised = Vec::new();

    for round in 1..=ROUNDS {
        let schema = usize::try_from(round).unwrap().min(5);
        let mut earlier = earlier_program(dir.path(), round, schema);
        // Killed behind an acknowledgement, further in from round to round, or right after it was refused.
        let last = (round - 1) * RECORDS / ROUNDS / 10 * 10;
        let mut kept = None;
        for line in BufReader::new(earlier.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if line.ends_with("refused") {
                kept = Some(0);
            }
            if let Some(number) = line.strip_prefix("kept ") {
                kept = Some(number.parse::<u64>().unwrap());
            }
            if kept >= Some(last) {
                break;
            }
        }
        earlier.kill().unwrap();
        earlier.wait().unwrap();
        let kept = kept.expect("the earlier program said that it was refused");
        assert!(kept >= last, "round {round}: it recorded");
        assert_eq!(beside(dir.path()), files, "set aside by nobody");

        let (mut program, first) = Program::start(dir.path());
        assert!(matches!(first, Outcome::Found(Found::Store(_))), "round {round}: {first:?}");
        let import = program.log_in().unwrap_or_else(|why| panic!("round {round}: {why:?}"));
        assert!(import.imported >= kept, "round {round}: {import:?} of {kept}");
        promised.push((round, kept));
        program.send(Command::Close(None, Moment::read()));
        program.until(|outcome| matches!(outcome, Outcome::Closed));
        program.end();
    }

    let vault = open_with_recovery(&options(dir.path()), &phrase).unwrap().expect("its words");
    let records = vault.observations().unwrap();
    for (run, kept) in promised {
        let mut seqs: Vec<u64> = records
            .iter()
            .map(|one| one.record)
            .filter(|one| one.run == run)
            .map(|one| one.seq)
            .collect();
        seqs.sort_unstable();
        let last = seqs.len() as u64;
        assert_eq!(
            seqs,
            (1..=last).collect::<Vec<_>>(),
            "run {run}: each once, none between them missing"
        );
        assert!(last >= kept, "run {run}: {last} of {kept}");
    }
}
