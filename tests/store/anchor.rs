//! S-8, S-5: a whole store that is put back is told by the counter of a TPM (swtpm, an emulator).

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::wildcard_enum_match_arm, reason = "anything else is a failure")]
#![expect(clippy::print_stdout, reason = "a test that cannot run says so")]

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kit::process;
use kit::store::desk::*;
use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Evidence, Token};
use wardkeep_model::keeping::{
    AuditAct, FindingKind, Found, Outcome, RecoveryPhrase, Refusal, StoreFault, Suspicion,
};
use wardkeep_model::moment::Moment;
use wardkeep_store::machine::tpm::{Stream, TpmCounter};
use wardkeep_store::{AcceptFault, Anchor, Suspected, TpmAnchor};

/// Longest wait for the emulator; reached only by one that is dead.
const PATIENCE: Duration = Duration::from_secs(60);

/// An emulated TPM, ended by its process id.
struct Tpm {
    child: Child,
    dir: tempfile::TempDir,
}

impl Tpm {
    /// `None`, said loudly, where there is no emulator.
    fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut tpm = Self { child: process::spawn(&mut Process::new("true")).unwrap(), dir };
        tpm.boot().then_some(tpm)
    }

    fn boot(&mut self) -> bool {
        let at = |name: &str| self.dir.path().join(name).display().to_string();
        let mut swtpm = Process::new("swtpm");
        swtpm.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"]);
        swtpm.args(["--tpmstate", &format!("dir={}", self.dir.path().display())]);
        swtpm.args(["--server", &format!("type=unixio,path={}", at("server"))]);
        swtpm.args(["--ctrl", &format!("type=unixio,path={}", at("control"))]);
        swtpm.stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = process::spawn(&mut swtpm) else {
            println!("skipped: swtpm is not installed");
            return false;
        };
        self.child = child;
        true
    }

    fn counter(&self) -> TpmCounter<Stream<UnixStream>> {
        let path = self.dir.path().join("server");
        let end = Moment::read().boot + PATIENCE;
        loop {
            match UnixStream::connect(&path) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    return TpmCounter::new(Stream(stream));
                }
                Err(error) => {
                    assert!(Moment::read().boot < end, "swtpm does not listen: {error}");
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// One connection at a time: the emulator ends with its first peer and is started again, as a TPM
    /// is with its machine.
    fn again(&mut self) -> TpmCounter<Stream<UnixStream>> {
        self.end();
        assert!(self.boot());
        self.counter()
    }

    fn end(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.child.kill().unwrap();
        }
        self.child.wait().unwrap();
        let socket = self.dir.path().join("server");
        if socket.exists() {
            fs::remove_file(socket).unwrap();
        }
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        self.end();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A day on the cart, as long as `waits` says: what it found wrong, and whether somebody could log in.
fn day_with(
    anchor: Box<dyn Anchor>,
    dir: &Path,
    run: u64,
    waits: Duration,
) -> (Vec<FindingKind>, Option<Refusal>) {
    let (mut rig, first) = Rig::start_alone(options(dir).with_anchor(anchor));
    assert!(matches!(first, Outcome::Found(Found::Store(_))), "{first:?}");
    let (mut seq, end) = (5, Moment::read().boot + waits);
    rig.record(run, 1..=seq);
    while Moment::read().boot < end {
        seq += 1;
        rig.record(run, seq..=seq);
        std::thread::sleep(Duration::from_millis(300));
    }
    let refused = rig.unlock_at((badge(), RIGHT_PIN), at(run * 1_000)).err();
    if refused.is_none() {
        while !matches!(rig.next(), Outcome::Imported(_)) {}
        rig.close();
    }
    let findings = rig.findings.iter().map(|finding| finding.kind).collect();
    rig.stop();
    (findings, refused)
}

fn day(tpm: &mut Tpm, dir: &Path, run: u64) -> (Vec<FindingKind>, Option<Refusal>) {
    day_with(Box::new(TpmAnchor::new(tpm.again())), dir, run, Duration::ZERO)
}

/// A day on which nothing was wrong.
const CALM: (Vec<FindingKind>, Option<Refusal>) = (Vec::new(), None);
const OLDER: Option<Refusal> = Some(Refusal::Suspected(Suspicion::StoreOlder));
const SILENT: Option<Refusal> = Some(Refusal::Suspected(Suspicion::CounterSilent));

/// IT accepts a store that the counter speaks against.
fn accept(anchor: Box<dyn Anchor>, dir: &Path, words: &RecoveryPhrase) -> Vec<FindingKind> {
    let options = options(dir).with_anchor(anchor);
    let suspected = Suspected::open(&options, Moment::read()).unwrap();
    let against = suspected.against.iter().map(|finding| finding.kind).collect();
    suspected.accept(words, &Token::Badge(badge()), Moment::read()).unwrap();
    kit::process::settle();
    against
}

#[test]
fn the_counter_of_a_tpm_goes_up_and_survives_its_restart() {
    let Some(mut tpm) = Tpm::start() else { return };
    let mut counter = tpm.counter();
    assert_eq!(counter.read().unwrap(), None);
    let first = counter.advance().unwrap();
    assert_eq!(counter.advance().unwrap(), first + 1);
    assert_eq!(counter.read().unwrap(), Some(first + 1));
    drop(counter);
    let mut counter = tpm.again();
    assert_eq!(counter.read().unwrap(), Some(first + 1));
    assert_eq!(counter.advance().unwrap(), first + 2);
}

#[test]
fn s8_a_whole_store_that_is_put_back_is_reported_once() {
    let Some(mut tpm) = Tpm::start() else { return };
    let home = tempfile::tempdir().unwrap();
    let (dir, old) = (home.path().join("state"), home.path().join("old"));
    let (rig, words) = Rig::first_start(&dir);
    rig.stop();
    for run in 1..=3 {
        assert_eq!(day(&mut tpm, &dir, run), CALM);
        if run == 1 {
            copy(&dir, &old);
        }
    }
    fs::remove_dir_all(&dir).unwrap();
    copy(&old, &dir);
    assert_eq!(day(&mut tpm, &dir, 4), (vec![FindingKind::StoreOlder], OLDER));
    // Nobody comes in by waiting, and it is not found anew at each start.
    assert_eq!(day(&mut tpm, &dir, 5), (vec![FindingKind::StoreOlder], OLDER));
    let against = accept(Box::new(TpmAnchor::new(tpm.again())), &dir, &words);
    assert_eq!(against, [FindingKind::StoreOlder]);
    assert_eq!(day(&mut tpm, &dir, 6), CALM);

    // A TPM that was cleared, or another machine's.
    tpm.end();
    tpm.dir = tempfile::tempdir().unwrap();
    assert_eq!(day(&mut tpm, &dir, 7), (vec![FindingKind::AnchorReset], OLDER));
    let against = accept(Box::new(TpmAnchor::new(tpm.again())), &dir, &words);
    assert_eq!(against, [FindingKind::AnchorReset]);
    assert_eq!(day(&mut tpm, &dir, 8), CALM);
}

/// A counter that answers as the test says.
#[derive(Clone, Debug, Default)]
struct Counter(Arc<Mutex<Scripted>>);

#[derive(Debug, Default)]
struct Scripted {
    count: u64,
    /// Reads that fail before one does not.
    silent: u32,
    gone: bool,
    moves: u32,
}

impl Anchor for Counter {
    fn read(&mut self) -> Result<Option<u64>, StoreFault> {
        let mut script = self.0.lock().unwrap();
        if script.silent > 0 {
            script.silent -= 1;
            return Err(StoreFault::Io);
        }
        Ok(Some(script.count).filter(|_| !script.gone))
    }

    fn advance(&mut self) -> Result<Option<u64>, StoreFault> {
        let mut script = self.0.lock().unwrap();
        script.count += 1;
        script.moves += 1;
        Ok(Some(script.count))
    }
}

impl Counter {
    fn day(&self, dir: &Path, run: u64, waits: Duration) -> (Vec<FindingKind>, Option<Refusal>) {
        day_with(Box::new(self.clone()), dir, run, waits)
    }
}

#[test]
fn s8_a_counter_that_fails_at_start_is_asked_again_and_never_moved_over_an_older_store() {
    let home = tempfile::tempdir().unwrap();
    let (dir, old) = (home.path().join("state"), home.path().join("old"));
    let counter = Counter::default();
    let (rig, words) = Rig::first_start(&dir);
    rig.stop();
    for run in 1..=3 {
        assert_eq!(counter.day(&dir, run, Duration::ZERO), CALM);
        if run == 1 {
            copy(&dir, &old);
        }
    }
    fs::remove_dir_all(&dir).unwrap();
    copy(&old, &dir);
    let moves = counter.0.lock().unwrap().moves;
    // Silent through the whole day: told, and nothing is accepted, and no PIN is tested.
    counter.0.lock().unwrap().silent = u32::MAX;
    let found = counter.day(&dir, 4, Duration::ZERO);
    assert_eq!(found, (vec![FindingKind::AnchorSilent], SILENT));
    assert_eq!(counter.0.lock().unwrap().moves, moves);
    // The first read of the next day fails, and a later one says what is wrong.
    counter.0.lock().unwrap().silent = 1;
    let found = counter.day(&dir, 5, Duration::from_secs(12));
    assert_eq!(found, (vec![FindingKind::AnchorSilent, FindingKind::StoreOlder], OLDER));
    assert_eq!(accept(Box::new(counter.clone()), &dir, &words), [FindingKind::StoreOlder]);
    assert_eq!(counter.day(&dir, 6, Duration::ZERO), CALM);
    // A counter that was used and is gone is told at each start.
    counter.0.lock().unwrap().gone = true;
    for run in 7..=8 {
        let found = counter.day(&dir, run, Duration::ZERO);
        assert_eq!(found, (vec![FindingKind::AnchorSilent], SILENT));
    }
    counter.0.lock().unwrap().gone = false;
    assert_eq!(counter.day(&dir, 9, Duration::ZERO), CALM);
    // It is gone for good: IT accepts the store without it.
    counter.0.lock().unwrap().gone = true;
    assert_eq!(accept(Box::new(counter.clone()), &dir, &words), [FindingKind::AnchorSilent]);
    assert_eq!(counter.day(&dir, 10, Duration::ZERO), CALM);
}

#[test]
fn s8_a_suspected_store_is_accepted_only_with_its_words_and_an_it_badge() {
    let home = tempfile::tempdir().unwrap();
    let (dir, counter) = (home.path().join("state"), Counter::default());
    let (mut rig, _) = Rig::start_alone(options(&dir).with_anchor(Box::new(counter.clone())));
    let words = rig.initialise();
    rig.log_in(it());
    let nurse = rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
    rig.close();
    rig.stop();
    assert_ne!(nurse.0, 0);
    let other = tempfile::tempdir().unwrap();
    let (rig, foreign) = Rig::first_start(other.path());
    rig.stop();
    counter.0.lock().unwrap().count += 5;
    let open = || {
        let options = options(&dir).with_anchor(Box::new(counter.clone()));
        kit::process::settle();
        Suspected::open(&options, Moment::read()).unwrap()
    };
    let token = |number| match badge_pin(number, PIN) {
        Evidence::BadgePin(badge, _) => Token::Badge(badge),
        other => panic!("{other:?}"),
    };
    let it = Token::Badge(badge());
    assert_eq!(open().accept(&foreign, &it, Moment::read()), Err(AcceptFault::Words));
    for token in [token(1), token(9)] {
        assert_eq!(open().accept(&words, &token, Moment::read()), Err(AcceptFault::NotAllowed));
    }
    assert_eq!(counter.day(&dir, 1, Duration::ZERO).1, OLDER, "nothing was accepted");
    open().accept(&words, &it, Moment::read()).unwrap();
    assert_eq!(counter.day(&dir, 2, Duration::ZERO), CALM);
    let log = acts(&contents(&dir, &words));
    let accepted: Vec<_> =
        log.iter().filter(|(_, entry)| entry.act == AuditAct::StoreAccepted).collect();
    let [(_, accepted)] = accepted[..] else { panic!("{accepted:?}") };
    let finding = accepted.finding.unwrap();
    assert_eq!(finding.kind, FindingKind::StoreOlder);
    assert_eq!(finding.expected.unwrap() - finding.found.unwrap(), 5);
}

/// Every try moves the counter before the PIN is tested, and a try that cannot be counted there is not made.
#[test]
fn s5_tries_are_counted_outside_the_disk_before_they_are_made() {
    let home = tempfile::tempdir().unwrap();
    let (dir, old) = (home.path().join("state"), home.path().join("old"));
    let counter = Counter::default();
    let start = || {
        let options = options(&dir).with_anchor(Box::new(counter.clone()));
        let (rig, first) = Rig::start_alone(options);
        assert!(matches!(first, Outcome::Found(_)), "{first:?}");
        rig
    };
    let mut rig = start();
    rig.initialise();
    rig.stop();
    let mut rig = start();
    let wrong = |rig: &mut Rig, number: u8| {
        rig.unlock_at((badge(), &[9, 9, 9, 9, 9, number]), at(1_000 * u64::from(number)))
            .unwrap_err()
    };
    assert!(matches!(wrong(&mut rig, 0), Refusal::WrongFactors(_)));
    let moves = counter.0.lock().unwrap().moves;
    assert!(matches!(wrong(&mut rig, 1), Refusal::WrongFactors(_)));
    assert_eq!(counter.0.lock().unwrap().moves, moves + 1);
    rig.stop();
    // As if nothing had been typed since: whatever is put back, each new try finds the counter ahead.
    copy(&dir, &old);
    let mut tested = 0;
    for number in 2..20 {
        let mut rig = start();
        match wrong(&mut rig, number % 10) {
            Refusal::WrongFactors(_) => tested += 1,
            Refusal::Suspected(Suspicion::StoreOlder) => {}
            other => panic!("{other:?}"),
        }
        // A kill, and the files of before.
        std::mem::forget(rig.stop());
        fs::remove_dir_all(&dir).unwrap();
        copy(&old, &dir);
    }
    assert_eq!(tested, 1, "the one that the copy itself had left");
}
