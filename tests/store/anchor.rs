//! S-8, S-5: a whole store that is put back is told by the counter of a TPM (swtpm, an emulator).

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::print_stdout, reason = "a test that cannot run says so")]

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kit::process;
use kit::store::*;
use wardkeep_model::keeping::{FindingKind, Found, Outcome, StoreFault};
use wardkeep_model::moment::Moment;
use wardkeep_store::machine::tpm::{Stream, TpmCounter};
use wardkeep_store::{Anchor, TpmAnchor};

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

/// A day on the cart, as long as `waits` says; what it found wrong.
fn day_with(anchor: Box<dyn Anchor>, dir: &Path, run: u64, waits: Duration) -> Vec<FindingKind> {
    let (mut rig, first) = Rig::start_alone(options(dir).with_anchor(anchor));
    assert!(matches!(first, Outcome::Found(Found::Store(_))), "{first:?}");
    let (mut seq, end) = (5, Moment::read().boot + waits);
    rig.record(run, 1..=seq);
    while Moment::read().boot < end {
        seq += 1;
        rig.record(run, seq..=seq);
        std::thread::sleep(Duration::from_millis(300));
    }
    rig.unlock_at((badge(), RIGHT_PIN), at(run * 1_000)).unwrap();
    rig.next();
    rig.close();
    let findings = rig.findings.iter().map(|finding| finding.kind).collect();
    rig.stop();
    findings
}

fn day(tpm: &mut Tpm, dir: &Path, run: u64) -> Vec<FindingKind> {
    day_with(Box::new(TpmAnchor::new(tpm.again())), dir, run, Duration::ZERO)
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
    Rig::first_start(&dir).0.stop();
    for run in 1..=3 {
        assert_eq!(day(&mut tpm, &dir, run), []);
        if run == 1 {
            copy(&dir, &old);
        }
    }
    fs::remove_dir_all(&dir).unwrap();
    copy(&old, &dir);
    assert_eq!(day(&mut tpm, &dir, 4), [FindingKind::StoreOlder]);
    assert_eq!(day(&mut tpm, &dir, 5), []);

    // A TPM that was cleared, or another machine's.
    tpm.end();
    tpm.dir = tempfile::tempdir().unwrap();
    assert_eq!(day(&mut tpm, &dir, 6), [FindingKind::AnchorReset]);
    assert_eq!(day(&mut tpm, &dir, 7), []);
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
    fn day(&self, dir: &Path, run: u64, waits: Duration) -> Vec<FindingKind> {
        day_with(Box::new(self.clone()), dir, run, waits)
    }
}

#[test]
fn s8_a_counter_that_fails_at_start_is_asked_again_and_never_moved_over_an_older_store() {
    let home = tempfile::tempdir().unwrap();
    let (dir, old) = (home.path().join("state"), home.path().join("old"));
    let counter = Counter::default();
    Rig::first_start(&dir).0.stop();
    for run in 1..=3 {
        assert_eq!(counter.day(&dir, run, Duration::ZERO), []);
        if run == 1 {
            copy(&dir, &old);
        }
    }
    fs::remove_dir_all(&dir).unwrap();
    copy(&old, &dir);
    let moves = counter.0.lock().unwrap().moves;
    // Silent through the whole day: told, and nothing is accepted.
    counter.0.lock().unwrap().silent = u32::MAX;
    assert_eq!(counter.day(&dir, 4, Duration::ZERO), [FindingKind::AnchorSilent]);
    assert_eq!(counter.0.lock().unwrap().moves, moves);
    // The first read of the next day fails, and a later one says what is wrong.
    counter.0.lock().unwrap().silent = 1;
    let found = counter.day(&dir, 5, Duration::from_secs(12));
    assert_eq!(found, [FindingKind::AnchorSilent, FindingKind::StoreOlder]);
    assert_eq!(counter.day(&dir, 6, Duration::ZERO), []);
    // A counter that was used and is gone is told at each start.
    counter.0.lock().unwrap().gone = true;
    for run in 7..=8 {
        assert_eq!(counter.day(&dir, run, Duration::ZERO), [FindingKind::AnchorSilent]);
    }
    counter.0.lock().unwrap().gone = false;
    assert_eq!(counter.day(&dir, 9, Duration::ZERO), []);
}
