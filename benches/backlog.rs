//! A night nobody unlocked: 12 hours of three devices at 1 Hz are sealed through the real inbox, then
//! imported while somebody keeps asking the store for its patients.
//!
//! Prints the time of a sealed record, the length of the import, and the longest wait for an answer
//! during it. `cargo bench --bench backlog --no-default-features --features store`. A number after `--`
//! is another count of records.

#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch")]
#![expect(clippy::wildcard_enum_match_arm, reason = "any other outcome is printed or passed over")]

use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Badge, Evidence, Pin, ReaderFamily};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Patient, Sex, SubjectId};
use wardkeep_model::keeping::{Command, Import, NewOperator, Outcome};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, RR_INTERVAL, SPO2, Unit};
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, RecordId, Value};
use wardkeep_store::inspect;
use wardkeep_store::machine::device_secret::SecretFile;
use wardkeep_store::{Options, StoreHandle, spawn};

const SECONDS: u64 = 12 * 3600;
const DEVICES: u64 = 3;
/// What a person who looks at the screen does not notice.
const ASK_EVERY: Duration = Duration::from_millis(2);
const SUBJECT: SubjectId = SubjectId(7);

fn main() -> anyhow::Result<()> {
    let asked = std::env::args().find_map(|argument| argument.parse().ok());
    let records = asked.unwrap_or(SECONDS * DEVICES);
    let dir = tempfile::tempdir()?;
    let mut bench = Bench::first_start(dir.path())?;
    bench.unlock()?;
    bench.ask(Command::AddPatient(Box::new(patient()), Moment::read()))?;
    bench.ask(Command::Close(None, Moment::read()))?;

    bench.seal(records)?;
    println!("inbox: {} KiB", inspect(dir.path())?.inbox_bytes / 1024);
    bench.unlock()?;
    bench.import(records)?;
    drop(bench.handle);
    while let Some(outcome) = bench.outcomes.blocking_recv() {
        println!("at the end: {outcome:?}");
    }
    bench.thread.join().expect("the store does not panic");
    Ok(())
}

struct Bench {
    handle: StoreHandle,
    outcomes: mpsc::Receiver<Outcome>,
    thread: JoinHandle<()>,
}

impl Bench {
    fn first_start(dir: &Path) -> anyhow::Result<Self> {
        let options =
            Options::new(dir).with_device_secret(SecretFile::new(dir)).with_cost_for_tests();
        let (sender, outcomes) = mpsc::channel(64);
        let (handle, thread) = spawn(options, sender)?;
        let mut bench = Self { handle, outcomes, thread };
        bench.next()?;
        let first = NewOperator {
            initials: "AB".into(),
            name: Phi::new("A B".into()),
            role: Role::It,
            badge: badge()?,
            pin: pin(),
        };
        bench.handle.try_send(Command::Initialise(Box::new(first), Moment::read()))?;
        while !matches!(bench.next()?, Outcome::Found(_)) {}
        Ok(bench)
    }

    fn next(&mut self) -> anyhow::Result<Outcome> {
        self.outcomes.blocking_recv().context("the store has ended")
    }

    fn ask(&mut self, command: Command) -> anyhow::Result<()> {
        // Behind a thousand records there is no place at first.
        while self.handle.try_send(command.clone()).is_err() {
            std::thread::sleep(ASK_EVERY);
        }
        while !matches!(self.next()?, Outcome::PatientAdded(_) | Outcome::Closed) {}
        Ok(())
    }

    fn send(&self, command: &Command) {
        while self.handle.try_send(command.clone()).is_err() {
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn unlock(&mut self) -> anyhow::Result<()> {
        let evidence = Evidence::BadgePin(badge()?, pin());
        self.handle.try_send(Command::Unlock(Attempt(1), evidence, Moment::read()))?;
        while !matches!(self.next()?, Outcome::Unlocked(..)) {}
        Ok(())
    }

    /// As fast as the store takes them, each second written by itself: what is written at once is sealed at once.
    fn seal(&mut self, records: u64) -> anyhow::Result<()> {
        let (start, begun) = (Instant::now(), cpu("store"));
        for index in 0..records {
            self.send(&Command::Record(observation(index, records)));
            if index % DEVICES == DEVICES - 1 {
                self.send(&Command::Retry);
            }
        }
        self.ask(Command::Close(None, Moment::read()))?;
        let (took, cpu) = (start.elapsed(), cpu("store").saturating_sub(begun));
        let each = |whole: Duration| whole.as_secs_f64() * 1e6 / records as f64;
        println!("{records} records sealed in {:.1} s", took.as_secs_f64());
        println!("  a record: {:.1} us, {:.1} us of them computing", each(took), each(cpu));
        Ok(())
    }

    fn import(&mut self, records: u64) -> anyhow::Result<()> {
        let (start, begun) = (Instant::now(), cpu("store"));
        let (mut waits, mut told, mut opener) = (Vec::new(), 0, Duration::ZERO);
        let imported = 'import: loop {
            std::thread::sleep(ASK_EVERY);
            opener = opener.max(cpu("inbox-opener"));
            let asked = Instant::now();
            self.handle.try_send(Command::ListPatients)?;
            loop {
                match self.next()? {
                    Outcome::Imported(import) => break 'import import,
                    Outcome::Importing(_) => told += 1,
                    Outcome::Patients(_) => break,
                    other => println!("{other:?}"),
                }
            }
            waits.push(asked.elapsed());
        };
        let (took, cpu) = (start.elapsed().as_secs_f64(), cpu("store").saturating_sub(begun));
        let Import { imported, total } = imported;
        anyhow::ensure!(imported >= records && imported == total, "{imported} of {total}");
        println!(
            "{imported} records imported in {took:.2} s: {:.0} a second",
            imported as f64 / took
        );
        println!(
            "  computing: store {:.2} s, opener {:.2} s",
            cpu.as_secs_f64(),
            opener.as_secs_f64()
        );
        println!("  progress told {told} times, {:.1} a second", f64::from(told) / took);
        waits.sort();
        let wait = |percent: usize| {
            let index = (waits.len() * percent / 100).min(waits.len().saturating_sub(1));
            waits.get(index).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
        };
        println!(
            "  {} answers meanwhile: median {:.1} ms, 99 % {:.1} ms, longest {:.1} ms",
            waits.len(),
            wait(50),
            wait(99),
            wait(100)
        );
        Ok(())
    }
}

/// How long a thread has run; zero if there is none of this name.
fn cpu(name: &str) -> Duration {
    let of = |thread: std::io::Result<std::fs::DirEntry>| {
        let thread = thread.ok()?.path();
        let found = std::fs::read_to_string(thread.join("comm")).ok()?;
        let facts = std::fs::read_to_string(thread.join("schedstat")).ok()?;
        let nanos = facts.split(' ').next()?.parse().ok()?;
        (found.trim() == name).then(|| Duration::from_nanos(nanos))
    };
    let threads = std::fs::read_dir("/proc/self/task").ok();
    threads.and_then(|mut threads| threads.find_map(of)).unwrap_or_default()
}

fn badge() -> anyhow::Result<Badge> {
    Ok(Badge::new(ReaderFamily::PcscUid, &[1, 2, 3, 4])?)
}

fn pin() -> Pin {
    [4, 7, 1, 1, 8, 2].into_iter().collect()
}

fn patient() -> Patient {
    Patient {
        id: SUBJECT,
        family: Phi::new("Okonkwo".into()),
        given: Phi::new("Ada".into()),
        born: Phi::new(None),
        sex: Phi::new(Sex::Female),
        mrn: Phi::new("M-1".into()),
        allergies: Phi::default(),
    }
}

/// One of three devices' values, a second apart, up to the present.
fn observation(index: u64, records: u64) -> Box<Observation> {
    let (second, device) = (index / DEVICES, index % DEVICES);
    let before = (records / DEVICES).saturating_sub(second);
    let length = SignedDuration::from_secs(i64::try_from(before).unwrap_or(0));
    let stamp = Moment::read().wall.checked_sub(length).unwrap_or(Timestamp::UNIX_EPOCH);
    let (code, value, unit, device) = match device {
        0 => (HEART_RATE, 60 + index % 41, Unit::PerMinute, DeviceId([1; 6])),
        1 => (SPO2, 90 + index % 10, Unit::Percent, DeviceId([2; 6])),
        _ => (RR_INTERVAL, 800 + index % 100, Unit::Millisecond, DeviceId([3; 6])),
    };
    Box::new(Observation {
        record: RecordId { run: 1, seq: second + 1 },
        code,
        value: Phi::new(Value::Measured(Decimal::new(value.cast_signed(), 0))),
        unit,
        effective: stamp,
        received: stamp,
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![],
        device,
        subject: Some(SUBJECT),
        provenance: Provenance::Device,
    })
}
