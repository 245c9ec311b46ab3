//! S-5 against kills: the store is killed between "PIN typed" and its answer, again and again, and
//! every try that may have been tested is found counted by the next start.
//!
//! The process that is killed says on its standard output when a PIN is typed, when the store is about
//! to test it (the store's own debug message, written at that instant), and when it has answered. A third of
//! the processes stand still at that message until they are killed; the others are killed after a pause.
//!
//! `WARDKEEP_KILLS=1000 cargo test -p wardkeep-tests --test store_kills login -- --nocapture`

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::print_stdout, reason = "the counts are the proof")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdout, Command as Process, Stdio};
use std::time::Duration;

use kit::process;
use kit::store::*;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::Token;
use wardkeep_model::access::lockout::Admission;
use wardkeep_model::access::lockout::TRIES_MAX;
use wardkeep_model::keeping::{Command, Outcome, Refusal};
use wardkeep_model::moment::Moment;

const STATE: &str = "WARDKEEP_TEST_TYPIST";
const ROUND: &str = "WARDKEEP_TEST_ROUND";
const STAND_STILL: &str = "WARDKEEP_TEST_STAND_STILL";
const READY: &str = "store says ";
const TYPED: &str = "typed";
const TESTED: &str = "a try is counted and now tested";
const ANSWERED: &str = "answered";

/// How many kills: a minute's worth, or what the soak asks for.
fn kills() -> u32 {
    std::env::var("WARDKEEP_KILLS").map_or(60, |text| text.parse().unwrap())
}

/// The PIN of a round: never the right one, never the same.
fn wrong(round: u32) -> Vec<u8> {
    let digits = format!("{:08}", 10_000_000 + round);
    digits.bytes().map(|digit| digit - b'0').collect()
}

/// Far enough after the round before that no delay runs.
fn time_of(round: u32) -> Moment {
    Moment::read() + Duration::from_secs(1_000) * (round + 1)
}

fn tries_left(rig: &mut Rig, now: Moment) -> u8 {
    rig.send(Command::Identify(Attempt(0), Token::Badge(badge()), now));
    let outcome = rig.next();
    let Outcome::Identified(_, identified) = outcome else { panic!("{outcome:?}") };
    match identified.admission {
        Admission::Try { tries_left } => tries_left,
        Admission::Exhausted => 0,
        Admission::Wait(left) => panic!("{left:?} to wait"),
    }
}

fn say(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word}").unwrap();
    out.flush().unwrap();
}

/// The messages of a typist, which can be told to go no further than the test of a PIN.
struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        std::io::stdout().write_all(line)?;
        self.flush()?;
        if std::env::var_os(STAND_STILL).is_some() && String::from_utf8_lossy(line).contains(TESTED)
        {
            std::thread::sleep(Duration::from_secs(60));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().flush()
    }
}

/// Types one wrong PIN in a process of its own until it is killed; does nothing in an ordinary run.
#[test]
fn typist_process() {
    let Ok(dir) = std::env::var(STATE) else { return };
    let round = std::env::var(ROUND).unwrap().parse().unwrap();
    tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(|| Log).init();
    let mut rig = Rig::restart(Path::new(&dir));
    let now = time_of(round);
    say(&format!("{READY}{}", tries_left(&mut rig, now)));
    say(TYPED);
    let answer = rig.unlock_at((badge(), &wrong(round)), now).map(|_| ());
    assert!(
        matches!(answer, Err(Refusal::WrongFactors(_) | Refusal::NotAdmitted(_))),
        "{answer:?}"
    );
    say(ANSWERED);
    // Killed here at the latest.
    std::thread::sleep(Duration::from_secs(60));
}

/// What one killed process had said.
#[derive(Debug, Default)]
struct Said {
    tries_left: u8,
    tested: bool,
    answered: bool,
}

/// When to kill.
#[derive(Clone, Copy)]
enum Kill {
    After(Duration),
    OnceTested,
}

fn round(dir: &Path, round: u32, kill: Kill) -> Said {
    let mut child = Process::new(std::env::current_exe().unwrap());
    child.args(["--exact", "login::typist_process", "--nocapture"]).stdout(Stdio::piped());
    child.env(STATE, dir).env(ROUND, round.to_string());
    if matches!(kill, Kill::OnceTested) {
        child.env(STAND_STILL, "");
    }
    let mut child = process::spawn(&mut child).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut said = Said::default();
    let left = until(&mut lines, READY).expect("the store starts");
    said.tries_left = left.rsplit(' ').next().unwrap().parse().unwrap();
    until(&mut lines, TYPED).expect("a PIN is typed");
    match kill {
        Kill::After(wait) => std::thread::sleep(wait),
        Kill::OnceTested => {
            // An exhausted badge is answered without a test.
            let line = until(&mut lines, "").unwrap();
            note(&mut said, &line);
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while let Some(line) = until(&mut lines, "") {
        note(&mut said, &line);
    }
    said
}

fn note(said: &mut Said, line: &str) {
    said.tested |= line.contains(TESTED);
    said.answered |= line.starts_with(ANSWERED);
}

/// The next whole line with this text; `None` at the end.
fn until(lines: &mut BufReader<ChildStdout>, text: &str) -> Option<String> {
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        if !line.ends_with('\n') {
            return None;
        }
        if line.contains(text) {
            return Some(line.trim_end().to_owned());
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    kills: u32,
    stores: u32,
    before_the_test: u32,
    between_test_and_answer: u32,
    after_the_answer: u32,
    tested: u32,
    counted: u32,
}

#[test]
fn s5_no_kill_between_pin_and_answer_gives_a_try_back() {
    let mut counts = Counts::default();
    let mut pauses = (0_u64..).map(|n| Duration::from_micros(n * 7_919 % 6_000));
    while counts.kills < kills() {
        counts.stores += 1;
        one_store(&mut counts, &mut pauses);
    }
    println!("S-5: {counts:?}");
    assert!(counts.between_test_and_answer * 5 > counts.kills, "few kills hit: {counts:?}");
}

/// Kills until the badge is exhausted, and looks at the tally after every kill.
fn one_store(counts: &mut Counts, pauses: &mut impl Iterator<Item = Duration>) {
    let dir = tempfile::tempdir().unwrap();
    Rig::first_start(dir.path()).0.stop();
    let (mut tested, mut counted) = (0, 0);
    for number in 0.. {
        let kill = match number % 3 {
            0 => Kill::OnceTested,
            _ => Kill::After(pauses.next().unwrap()),
        };
        let said = round(dir.path(), number, kill);
        let found = TRIES_MAX - said.tries_left;
        assert!(found >= counted, "the tally went from {counted} to {found}");
        assert!(found >= tested, "{tested} PINs were tested, {found} are counted");
        assert!(u32::from(found) <= number, "more is counted than was typed");
        counted = found;
        if said.tries_left == 0 {
            assert!(!said.tested, "an exhausted badge was tested");
            break;
        }
        tested += u8::from(said.tested);
        counts.kills += 1;
        match (said.tested, said.answered) {
            (false, _) => counts.before_the_test += 1,
            (true, false) => counts.between_test_and_answer += 1,
            (true, true) => counts.after_the_answer += 1,
        }
        assert!(number < 200, "a store that never counts");
    }
    assert!(tested <= TRIES_MAX, "{tested} PINs were tested");
    counts.tested += u32::from(tested);
    counts.counted += u32::from(counted);
    let mut rig = Rig::restart(dir.path());
    let answer = rig.unlock_at((badge(), RIGHT_PIN), time_of(1_000)).map(|_| ());
    assert_eq!(answer, Err(Refusal::NotAdmitted(Admission::Exhausted)));
    rig.stop();
}
