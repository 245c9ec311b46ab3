//! A store as the program runs it, and a person in front of it with a stopwatch.

#![expect(clippy::wildcard_enum_match_arm, reason = "any other outcome is passed over")]

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use tokio::sync::mpsc;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Attempt, Badge, Evidence, Pin, ReaderFamily, Token};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Patient, Sex, SubjectId};
use wardkeep_model::keeping::{Command, NewOperator, Outcome, RecoveryPhrase, Trend, TrendQuery};
use wardkeep_model::moment::Moment;
use wardkeep_store::{Options, StoreHandle, spawn};

use crate::make::CODES;
use crate::{longest, milliseconds};

/// Who is at the bed.
pub const PATIENT: SubjectId = SubjectId(7);
/// What a person who looks at the screen does not notice.
const ASK_EVERY: Duration = Duration::from_millis(2);
const COLUMNS: u16 = 1_280;

/// How long answers took, in milliseconds.
#[derive(Debug, Default)]
pub struct Waits(Vec<f64>);

impl Waits {
    pub fn longest(&self) -> String {
        longest(&self.0)
    }

    pub fn add(&mut self, wait: f64) {
        self.0.push(wait);
    }
}

/// A trend of what an earlier program left.
pub struct Old {
    /// Milliseconds to the first answer, and its values.
    pub first: f64,
    pub at_first: u64,
    /// Seconds to the whole answer, and its values.
    pub whole: f64,
    pub values: u64,
    pub waits: Waits,
}

fn counted(trend: &Trend) -> u64 {
    trend.columns.iter().map(|column| u64::from(column.count)).sum()
}

pub struct Desk {
    handle: StoreHandle,
    outcomes: mpsc::Receiver<Outcome>,
    thread: JoinHandle<()>,
    state: PathBuf,
}

impl Desk {
    /// Starts the store; how long it took to the lock screen.
    pub fn start(options: Options) -> anyhow::Result<(Self, f64)> {
        let begun = Instant::now();
        let (sender, outcomes) = mpsc::channel(64);
        let state = options.state_dir().to_owned();
        let (handle, thread) = spawn(options, sender)?;
        let mut desk = Self { handle, outcomes, thread, state };
        desk.until(|outcome| matches!(outcome, Outcome::Found(_)))?;
        Ok((desk, milliseconds(begun.elapsed())))
    }

    /// Makes a store with one person and one patient; its recovery words.
    pub fn first_start(options: Options) -> anyhow::Result<RecoveryPhrase> {
        let (mut desk, _) = Self::start(options)?;
        let first = NewOperator {
            initials: "AB".into(),
            name: Phi::new("A B".into()),
            role: Role::It,
            badge: badge(4)?,
            pin: pin(),
        };
        desk.send(&Command::Initialise(Box::new(first), Moment::read()));
        let made = desk.until(|outcome| matches!(outcome, Outcome::Initialised(_)))?;
        let Outcome::Initialised(phrase) = made else { anyhow::bail!("no words") };
        desk.until(|outcome| matches!(outcome, Outcome::Found(_)))?;
        desk.unlock()?;
        let patient = Patient {
            id: PATIENT,
            family: Phi::new("Okonkwo".into()),
            given: Phi::new("Ada".into()),
            born: Phi::new(None),
            sex: Phi::new(Sex::Female),
            mrn: Phi::new("M-1".into()),
            allergies: Phi::default(),
        };
        desk.send(&Command::AddPatient(Box::new(patient), Moment::read()));
        desk.until(|outcome| matches!(outcome, Outcome::PatientAdded(_)))?;
        desk.lock()?;
        desk.end()?;
        Ok(phrase)
    }

    pub fn send(&self, command: &Command) {
        while self.handle.try_send(command.clone()).is_err() {
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    pub fn until(&mut self, is_it: impl Fn(&Outcome) -> bool) -> anyhow::Result<Outcome> {
        loop {
            let outcome = self.outcomes.blocking_recv().context("the store has ended")?;
            anyhow::ensure!(
                !matches!(outcome, Outcome::Lost(_) | Outcome::Findings(_)),
                "{outcome:?}"
            );
            if is_it(&outcome) {
                return Ok(outcome);
            }
        }
    }

    /// Both factors to a readable screen; how long it took.
    pub fn unlock(&mut self) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let evidence = Evidence::BadgePin(badge(4)?, pin());
        self.send(&Command::Unlock(Attempt(1), evidence, Moment::read()));
        self.until(|outcome| matches!(outcome, Outcome::Unlocked(..)))?;
        Ok(milliseconds(begun.elapsed()))
    }

    pub fn lock(&mut self) -> anyhow::Result<f64> {
        let begun = Instant::now();
        self.send(&Command::Close(None, Moment::read()));
        self.until(|outcome| matches!(outcome, Outcome::Closed))?;
        Ok(milliseconds(begun.elapsed()))
    }

    /// A trend; how long the answer took, and how many values it is of.
    pub fn trend(&mut self, question: usize, span: (i64, i64)) -> anyhow::Result<(f64, u64)> {
        let (code, unit) = CODES[question % CODES.len()];
        let (since, until) = (Timestamp::from_second(span.0)?, Timestamp::from_second(span.1)?);
        let query = TrendQuery { subject: PATIENT, code, unit, since, until, columns: COLUMNS };
        let begun = Instant::now();
        self.send(&Command::Trend(query));
        let outcome = self.until(|outcome| matches!(outcome, Outcome::Trend(..)))?;
        let took = milliseconds(begun.elapsed());
        let Outcome::Trend(_, trend) = outcome else { anyhow::bail!("no trend") };
        anyhow::ensure!(trend.unread == 0, "{} values are not in it", trend.unread);
        Ok((took, counted(&trend)))
    }

    /// A trend of what an earlier program left: how long its first answer took and how many values that has, and
    /// how long all of them took; and other questions meanwhile.
    pub fn trend_of_old(&mut self, span: (i64, i64)) -> anyhow::Result<Old> {
        let (code, unit) = CODES[0];
        let (since, until) = (Timestamp::from_second(span.0)?, Timestamp::from_second(span.1)?);
        let query = TrendQuery { subject: PATIENT, code, unit, since, until, columns: COLUMNS };
        let begun = Instant::now();
        self.send(&Command::Trend(query));
        let mut first = None;
        let mut waits = Waits::default();
        loop {
            let asked = Instant::now();
            self.ask_identify()?;
            loop {
                match self.until(|_| true)? {
                    Outcome::Trend(_, trend) => {
                        let took = milliseconds(begun.elapsed());
                        let (first, at_first) = *first.get_or_insert((took, counted(&trend)));
                        if trend.unread == 0 {
                            let (whole, values) = (took / 1e3, counted(&trend));
                            return Ok(Old { first, at_first, whole, values, waits });
                        }
                    }
                    Outcome::Identified(..) => break,
                    _ => {}
                }
            }
            waits.0.push(milliseconds(asked.elapsed()));
            std::thread::sleep(ASK_EVERY);
        }
    }

    /// Everything that was recorded is durable.
    pub fn sealed(&mut self) -> anyhow::Result<()> {
        self.ask().map(drop)
    }

    /// A question that touches no vault.
    pub fn ask_identify(&self) -> anyhow::Result<()> {
        self.send(&Command::Identify(Attempt(2), Token::Badge(badge(9)?), Moment::read()));
        Ok(())
    }

    /// The same; how long its answer took.
    pub fn ask(&mut self) -> anyhow::Result<f64> {
        let begun = Instant::now();
        self.ask_identify()?;
        self.until(|outcome| matches!(outcome, Outcome::Identified(..)))?;
        Ok(milliseconds(begun.elapsed()))
    }

    /// Asks until the store's thread has had nothing to do for three seconds: it wrote nothing, and used no more
    /// than the answers need.
    pub fn ask_until_idle(&mut self) -> anyhow::Result<Waits> {
        let head = self.state.join("store/vault.head");
        let facts =
            |used| -> anyhow::Result<_> { Ok((std::fs::metadata(&head)?.modified()?, used)) };
        let (mut waits, mut last, mut before) =
            (Waits::default(), Instant::now(), facts(cpu("store"))?);
        let mut window = Instant::now();
        while last.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(ASK_EVERY);
            waits.0.push(self.ask()?);
            if window.elapsed() >= Duration::from_millis(200) {
                let now = facts(cpu("store"))?;
                if now.0 != before.0 || now.1.saturating_sub(before.1) > Duration::from_millis(60) {
                    last = Instant::now();
                }
                (window, before) = (Instant::now(), now);
            }
        }
        Ok(waits)
    }

    /// Asks until the import is done.
    pub fn ask_until_imported(&mut self) -> anyhow::Result<Waits> {
        let mut waits = Waits::default();
        loop {
            std::thread::sleep(ASK_EVERY);
            let begun = Instant::now();
            self.ask_identify()?;
            let is_it = |outcome: &Outcome| {
                matches!(outcome, Outcome::Identified(..) | Outcome::Imported(_))
            };
            if let Outcome::Imported(_) = self.until(is_it)? {
                self.until(|outcome| matches!(outcome, Outcome::Identified(..)))?;
                return Ok(waits);
            }
            waits.0.push(milliseconds(begun.elapsed()));
        }
    }

    /// Ends the program.
    pub fn end(self) -> anyhow::Result<()> {
        let Self { handle, mut outcomes, thread, .. } = self;
        drop(handle);
        while let Some(outcome) = outcomes.blocking_recv() {
            println!("at the end: {outcome:?}");
        }
        thread.join().map_err(|_| anyhow::anyhow!("the store panicked"))
    }
}

/// How long a thread has run; zero if there is none of this name.
pub fn cpu(name: &str) -> Duration {
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

pub fn badge(last: u8) -> anyhow::Result<Badge> {
    Ok(Badge::new(ReaderFamily::PcscUid, &[1, 2, 3, last])?)
}

pub fn pin() -> Pin {
    [4, 7, 1, 1, 8, 2].into_iter().collect()
}
