//! S-8 against real kills under load: a process records into one store, locked and open in turns, and is
//! killed at any instant, again and again. The next start opens, holds everything that the process said
//! was acknowledged, each record once and as it was made, and reports nothing.
//!
//! `WARDKEEP_KILLS=1000 cargo test -p wardkeep-tests --test store_kills load -- --nocapture`

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::print_stdout, reason = "the counts are the proof")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdout, Command as Process, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use kit::process;
use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::Token;
use wardkeep_model::alarm::{AlarmRecord, Happened};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{CartState, Command, Found, Outcome, RecoveryPhrase};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::vitals::RecordId;
use wardkeep_store::RecoveredVault;

const STATE: &str = "WARDKEEP_TEST_WORKER";
const ROUND: &str = "WARDKEEP_TEST_ROUND";
const READY: &str = "works";
const SENT: &str = "sent";
const KEPT: &str = "kept";
const CART: &str = "cart";
/// Kills that one store lives through.
const LIVES: u64 = 50;

/// How many kills: half a minute's worth, or what the soak asks for.
fn kills() -> u64 {
    std::env::var("WARDKEEP_KILLS").map_or(30, |text| text.parse().unwrap())
}

fn say(word: &str, number: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word} {number}").unwrap();
    out.flush().unwrap();
}

/// Records until it is killed; does nothing in an ordinary run.
#[test]
fn worker_process() {
    let Ok(dir) = std::env::var(STATE) else { return };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let mut work = Work { rig: Rig::restart(Path::new(&dir)), round, recorded: 0, cart: 0 };
    say(READY, round);
    // Other lengths in every round, so that kills meet every part of the work.
    for turn in round.. {
        work.keep(3 + turn % 17);
        work.save_cart();
        if turn % 5 == 0 {
            work.keep(300);
        }
        work.rig.log_in(it());
        work.keep(1 + turn % 5);
        if turn % 4 == 0 {
            let family = format!("Kill{round}x{turn}");
            work.rig.send(Command::AddPatient(Box::new(patient(&family)), at(0)));
            assert!(matches!(work.rig.next(), Outcome::PatientAdded(_)));
            work.keep(260);
        }
        // Not flushed when the vault closes.
        work.record(2);
        work.rig.close();
    }
}

/// Whose alarms these are.
const WHOSE: SubjectId = SubjectId(0x5150);

/// A line of the alarm log by its number.
fn alarm_line(run: u64, seq: u64) -> AlarmRecord {
    AlarmRecord {
        record: RecordId { run, seq },
        at: Timestamp::UNIX_EPOCH + Duration::from_secs(seq),
        since_boot: BootTime(Duration::from_secs(seq)),
        subject: Some(WHOSE),
        operator: None,
        initials: String::new(),
        device: None,
        happened: Happened::Paused(Duration::from_secs(seq)),
    }
}

struct Work {
    rig: Rig,
    round: u64,
    recorded: u64,
    cart: u64,
}

impl Work {
    fn record(&mut self, count: u64) {
        say(SENT, self.recorded + count);
        for seq in self.recorded + 1..=self.recorded + count {
            self.rig.record(self.round, seq..=seq);
            let line = Command::RecordAlarm(Box::new(alarm_line(self.round, seq)));
            self.rig.send(line);
        }
        self.recorded += count;
    }

    /// Records, and says so once the store has flushed: it answers one command after the other.
    fn keep(&mut self, count: u64) {
        self.record(count);
        self.rig.send(Command::Retry);
        self.rig.send(Command::Identify(Attempt(8), Token::Badge(badge()), at(50)));
        let outcome = self.rig.next();
        assert!(matches!(outcome, Outcome::Identified(..)), "{outcome:?}");
        say(KEPT, self.recorded);
        if self.cart > 0 {
            say(CART, self.cart);
        }
    }

    fn save_cart(&mut self) {
        self.cart += 1;
        let language = format!("x-{}", self.round * 1_000_000 + self.cart);
        self.rig.send(Command::SaveCart(Box::new(CartState { language, ..CartState::default() })));
    }
}

/// What one killed process had said.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    sent: u64,
    kept: u64,
    cart: u64,
}

/// Lets a process work for so long, every third time after it has kept something, and kills it.
fn live(dir: &Path, round: u64, length: Duration) -> Said {
    let mut child = Process::new(std::env::current_exe().unwrap());
    child.args(["--exact", "load::worker_process", "--nocapture"]).stdout(Stdio::piped());
    child.env(STATE, dir).env(ROUND, round.to_string());
    let mut child = process::spawn(&mut child).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut said = Said::default();
    while let Some(line) = next(&mut lines) {
        if line.starts_with(READY) {
            break;
        }
    }
    while round.is_multiple_of(3) && said.kept == 0 {
        let line = next(&mut lines).expect("the worker keeps something");
        said.note(&line);
    }
    std::thread::sleep(length);
    assert!(child.try_wait().unwrap().is_none(), "the worker ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
    while let Some(line) = next(&mut lines) {
        said.note(&line);
    }
    said
}

impl Said {
    fn note(&mut self, line: &str) {
        let (word, number) = line.split_once(' ').unwrap();
        let number = number.parse().unwrap();
        match word {
            SENT => self.sent = number,
            KEPT => self.kept = number,
            CART => self.cart = number,
            other => panic!("{other}"),
        }
    }
}

/// The next whole line.
fn next(lines: &mut BufReader<ChildStdout>) -> Option<String> {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.ends_with('\n').then(|| line.trim_end().to_owned())
}

/// Far after every delay that a login brings.
fn later() -> Moment {
    Moment::read() + Duration::from_secs(100_000)
}

/// One store and what has to be in it.
struct Store {
    dir: tempfile::TempDir,
    phrase: RecoveryPhrase,
    said: BTreeMap<u64, Said>,
    cart: (u64, u64),
}

impl Store {
    fn new() -> Self {
        let dir = tree::scratch();
        let (mut rig, phrase) = Rig::first_start(dir.path());
        rig.log_in(it());
        rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
        rig.close();
        rig.stop();
        Self { dir, phrase, said: BTreeMap::new(), cart: (0, 0) }
    }

    /// Starts the store after a kill, and looks at what is there.
    fn check(&mut self, round: u64, said: Said) {
        self.said.insert(round, said);
        let (mut rig, first) = Rig::start(options(self.dir.path()));
        let Outcome::Found(Found::Store(cart)) = first else { panic!("{first:?}") };
        let cart = cart.language.strip_prefix("x-").map_or(0, |number| number.parse().unwrap());
        if said.cart > 0 {
            self.cart.0 = round * 1_000_000 + said.cart;
        }
        assert!(cart >= self.cart.0, "cart {cart} after {:?}", self.cart);
        self.cart = (cart, cart);
        // Nobody is there after some of the kills: the backlog stays sealed.
        if !round.is_multiple_of(3) {
            rig.show(it(), later()).unwrap_or_else(|refusal| panic!("{refusal:?}"));
            let outcome = rig.next();
            assert!(matches!(outcome, Outcome::Imported(_)), "{outcome:?}");
        }
        assert!(rig.findings.is_empty(), "false alarm: {:?}", rig.findings);
        assert_eq!(rig.lost, 0);
        for outcome in rig.stop() {
            let is_fine = !matches!(outcome, Outcome::Fault(_) | Outcome::Findings(_));
            assert!(is_fine, "{outcome:?}");
        }
        if !round.is_multiple_of(3) {
            self.content();
        }
    }

    /// Every line that was acknowledged is there once, as it was made.
    fn alarm_log(&self, vault: &mut RecoveredVault) {
        let lines = vault.alarms(WHOSE, (Timestamp::MIN, Timestamp::MAX)).unwrap();
        let mut found: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for line in lines {
            let RecordId { run, seq } = line.record;
            assert!(line == alarm_line(run, seq), "another line: {line:?}");
            found.entry(run).or_default().push(seq);
        }
        for (round, said) in &self.said {
            let seqs = found.remove(round).unwrap_or_default();
            let all: Vec<u64> = (1..=seqs.len() as u64).collect();
            assert!(seqs == all, "the alarm log of round {round} has gaps: {seqs:?}");
            let count = seqs.len() as u64;
            assert!((said.kept..=said.sent).contains(&count), "round {round}: {count}, {said:?}");
        }
        assert!(found.is_empty(), "lines that nobody made: {found:?}");
    }

    fn content(&self) {
        let mut vault = contents(self.dir.path(), &self.phrase);
        self.alarm_log(&mut vault);
        let mut found: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for read in vault.observations().unwrap() {
            let record = read.record;
            assert!(read == observation(record.run, record.seq), "another value: {record:?}");
            found.entry(record.run).or_default().push(record.seq);
        }
        for (round, said) in &self.said {
            let mut seqs = found.remove(round).unwrap_or_default();
            seqs.sort_unstable();
            let all: Vec<u64> = (1..=seqs.len() as u64).collect();
            assert!(seqs == all, "round {round} has gaps or repetitions: {seqs:?}");
            let count = seqs.len() as u64;
            assert!((said.kept..=said.sent).contains(&count), "round {round}: {count}, {said:?}");
        }
        assert!(found.is_empty(), "records that nobody made: {found:?}");
        let numbers: Vec<u64> = acts(&vault).iter().map(|(number, _)| *number).collect();
        let all: Vec<u64> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, all, "the audit log has a gap");
    }
}

#[test]
fn s8_killed_under_load_everything_acknowledged_is_there() {
    let mut lengths = (1_u64..).map(|n| Duration::from_micros(n * 104_729 % 350_000));
    let (mut stores, mut kept, mut unacknowledged) = (0, 0, 0);
    let mut store = Store::new();
    for kill in 1..=kills() {
        let said = live(store.dir.path(), kill, lengths.next().unwrap());
        store.check(kill, said);
        kept += said.kept;
        unacknowledged += said.sent - said.kept;
        if kill % LIVES == 0 || kill == kills() {
            stores += 1;
            println!(
                "{kill} kills, {stores} stores: {kept} records acknowledged and there, \
                 {unacknowledged} were on their way"
            );
            if kill < kills() {
                store = Store::new();
            }
        }
    }
    assert!(kept > 0 && unacknowledged > 0, "{kept} kept, {unacknowledged} on their way");
}
