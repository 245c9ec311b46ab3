//! How long a trend takes: a year of a value each minute and a day of a value each second, of three codes.
//!
//! Asked as the program asks, through the store's thread. Prints how long the store took to keep and to
//! pack everything, what its thread uses when it is idle, and median and longest of the questions.
//! `cargo bench --bench trends --no-default-features --features store`.

#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch")]

use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use tokio::sync::mpsc;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Badge, Evidence, Pin, ReaderFamily, Token};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{Command, NewOperator, Outcome, TrendQuery};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, Mdc, PULSE_RATE_OXIMETER, SPO2, Unit};
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, RecordId, Value};
use wardkeep_store::machine::device_secret::SecretFile;
use wardkeep_store::{Options, StoreHandle, spawn};

const CODES: [(Mdc, Unit); 3] =
    [(HEART_RATE, Unit::PerMinute), (SPO2, Unit::Percent), (PULSE_RATE_OXIMETER, Unit::PerMinute)];
const SUBJECT: SubjectId = SubjectId(7);
const COLUMNS: u16 = 1_280;
const QUESTIONS: usize = 50;
const DAY_S: i64 = 86_400;
/// 2026-01-01T00:00:00Z: the year is before it, the day after.
const MIDDLE_S: i64 = 1_767_225_600;

fn main() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut bench = Bench::start(dir.path())?;
    let minutes = (-365 * DAY_S..0).step_by(60);
    bench.keep("a year of minutes", minutes)?;
    bench.rest("packing them")?;
    bench.keep("a day of seconds", 0..DAY_S)?;
    // Some steps may already be done; most rows are not packed yet.
    bench.ask("24 h just kept, hardly packed", (0, DAY_S), 3, 86_400)?;
    bench.rest("packing them")?;
    bench.ask("24 h of single values", (0, DAY_S), QUESTIONS, 86_400)?;
    bench.ask("30 days by the minute", (-30 * DAY_S, 0), QUESTIONS, 30 * 1_440)?;
    bench.ask("1 year by the hour", (-365 * DAY_S, 0), QUESTIONS, 365 * 1_440)?;
    let before = cpu_time()?;
    std::thread::sleep(Duration::from_secs(10));
    let used = milliseconds(cpu_time()?.saturating_sub(before));
    println!("{:<36} {used:>10.2} ms in 10 s", "processor time of an idle open store");
    let size = std::fs::metadata(dir.path().join("store/vault.db"))?.len();
    println!("{:<36} {:>10} MiB", "vault", size >> 20);
    drop(bench.handle);
    bench.thread.join().expect("the store does not panic");
    Ok(())
}

struct Bench {
    handle: StoreHandle,
    outcomes: mpsc::Receiver<Outcome>,
    thread: JoinHandle<()>,
    seq: u64,
}

impl Bench {
    /// A store that somebody has just opened.
    fn start(dir: &Path) -> anyhow::Result<Self> {
        let options =
            Options::new(dir).with_device_secret(SecretFile::new(dir)).with_cost_for_tests();
        let (sender, outcomes) = mpsc::channel(64);
        let (handle, thread) = spawn(options, sender)?;
        let mut bench = Self { handle, outcomes, thread, seq: 0 };
        bench.until(|outcome| matches!(outcome, Outcome::Found(_)))?;
        let badge = Badge::new(ReaderFamily::PcscUid, &[1, 2, 3, 4])?;
        let first = NewOperator {
            initials: "AB".into(),
            name: Phi::new("A B".into()),
            role: Role::It,
            badge,
            pin: [4, 7, 1, 1, 8, 2].into_iter().collect::<Pin>(),
        };
        bench.handle.try_send(Command::Initialise(Box::new(first), Moment::read()))?;
        bench.until(|outcome| matches!(outcome, Outcome::Found(_)))?;
        bench.unlock()?;
        Ok(bench)
    }

    fn unlock(&mut self) -> anyhow::Result<()> {
        let badge = Badge::new(ReaderFamily::PcscUid, &[1, 2, 3, 4])?;
        let pin = [4, 7, 1, 1, 8, 2].into_iter().collect::<Pin>();
        let evidence = Evidence::BadgePin(badge, pin);
        self.send(&Command::Unlock(Attempt(1), evidence, Moment::read()));
        self.until(|outcome| matches!(outcome, Outcome::Imported(_)))?;
        Ok(())
    }

    fn until(&mut self, is_it: impl Fn(&Outcome) -> bool) -> anyhow::Result<Outcome> {
        loop {
            let outcome = self.outcomes.blocking_recv().context("the store has ended")?;
            if is_it(&outcome) {
                return Ok(outcome);
            }
        }
    }

    fn send(&self, command: &Command) {
        while self.handle.try_send(command.clone()).is_err() {
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Records a value of every code at these seconds, and waits until all are kept.
    fn keep(&mut self, what: &str, at: impl Iterator<Item = i64>) -> anyhow::Result<()> {
        let (start, first) = (Instant::now(), self.seq);
        for second in at {
            for (code, unit) in CODES {
                self.seq += 1;
                let observation = observation(self.seq, (code, unit), timestamp(second)?);
                self.send(&Command::Record(Box::new(observation)));
            }
        }
        let badge = Badge::new(ReaderFamily::PcscUid, &[9, 9, 9, 9])?;
        self.send(&Command::Identify(Attempt(2), Token::Badge(badge), Moment::read()));
        self.until(|outcome| matches!(outcome, Outcome::Identified(..)))?;
        let (rows, took) = (self.seq - first, start.elapsed().as_secs_f64());
        println!("{what:<36} {rows:>10} rows in {took:.1} s ({:.0} rows/s)", rows as f64 / took);
        Ok(())
    }

    /// Locks and unlocks, and waits until the store's thread has nothing to do.
    fn rest(&mut self, what: &str) -> anyhow::Result<()> {
        self.send(&Command::Close(None, Moment::read()));
        self.until(|outcome| matches!(outcome, Outcome::Closed))?;
        self.unlock()?;
        let (start, mut last) = (Instant::now(), (Instant::now(), cpu_time()?));
        while last.0.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(100));
            let used = cpu_time()?;
            if used.saturating_sub(last.1) > Duration::from_millis(2) {
                last = (Instant::now(), used);
            }
        }
        let took = last.0.saturating_duration_since(start).as_secs_f64();
        println!("{what:<36} {took:>10.1} s");
        Ok(())
    }

    fn ask(
        &mut self,
        what: &str,
        (since, until): (i64, i64),
        questions: usize,
        expected: u64,
    ) -> anyhow::Result<()> {
        let (mut series, mut used) = (Vec::new(), Vec::new());
        for question in 0..questions {
            let (code, unit) = CODES[question % CODES.len()];
            let (since, until) = (timestamp(since)?, timestamp(until)?);
            let (subject, columns) = (SUBJECT, COLUMNS);
            let query = TrendQuery { subject, code, unit, since, until, columns };
            let (start, before) = (Instant::now(), cpu_time()?);
            self.send(&Command::Trend(query));
            let outcome = self.until(|outcome| matches!(outcome, Outcome::Trend(..)))?;
            series.push(milliseconds(start.elapsed()));
            used.push(milliseconds(cpu_time()?.saturating_sub(before)));
            let Outcome::Trend(_, trend) = outcome else { anyhow::bail!("{outcome:?}") };
            let found: u64 = trend.columns.iter().map(|column| u64::from(column.count)).sum();
            anyhow::ensure!(found == expected, "{what}: {found} values instead of {expected}");
        }
        // Beside other programs only what the store's own thread has used tells what a trend costs.
        for (clock, mut series) in [("wall", series), ("processor", used)] {
            series.sort_by(f64::total_cmp);
            let (median, longest) = (series[series.len() / 2], series[series.len() - 1]);
            let what = format!("{what} ({clock} time)");
            println!("{what:<46} median {median:>6.2} ms, longest {longest:.2}, n={questions}");
        }
        Ok(())
    }
}

fn timestamp(second: i64) -> anyhow::Result<Timestamp> {
    Ok(Timestamp::from_second(MIDDLE_S + second)?)
}

fn observation(seq: u64, (code, unit): (Mdc, Unit), at: Timestamp) -> Observation {
    Observation {
        record: RecordId { run: 1, seq },
        code,
        value: Phi::new(Value::Measured((60 + (seq % 40).cast_signed()).into())),
        unit,
        effective: at,
        received: at,
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![],
        device: DeviceId([1; 6]),
        subject: Some(SUBJECT),
        provenance: Provenance::Device,
    }
}

fn milliseconds(length: Duration) -> f64 {
    length.as_secs_f64() * 1e3
}

/// How long the store's thread has run.
fn cpu_time() -> anyhow::Result<Duration> {
    for thread in std::fs::read_dir("/proc/self/task")? {
        let thread = thread?.path();
        if std::fs::read_to_string(thread.join("comm"))?.trim() == "store" {
            let facts = std::fs::read_to_string(thread.join("schedstat"))?;
            let nanos = facts.split(' ').next().context("schedstat is empty")?;
            return Ok(Duration::from_nanos(nanos.parse()?));
        }
    }
    anyhow::bail!("there is no store thread")
}
