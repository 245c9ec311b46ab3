//! A store under test: its state directory, its thread, and the words for talking to it.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::wildcard_enum_match_arm, reason = "any other outcome fails the test")]

pub mod attack;
pub mod desk;
pub mod disk;
pub mod tree;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Badge, Evidence, Pin, ReaderFamily, Token};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Patient, Sex, SubjectId};
use wardkeep_model::keeping::{
    AuditEntry, Command, Finding, FindingKind, Found, Import, NewOperator, OpenFinding, Outcome,
    RecoveryPhrase, Refusal, Rekeying, Space, Spots, StoreFault, Unlocked,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, Status, Unit};
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, RecordId, Value};
use wardkeep_store::machine::device_secret::SecretFile;
use wardkeep_store::{Options, RecoveredVault, StoreHandle, open_with_recovery, spawn};

use crate::clock::Clock;
use crate::process;

/// The first person's PIN.
pub const RIGHT_PIN: &[u8] = &[4, 7, 1, 1, 8, 2];
/// Not the first person's PIN.
pub const WRONG_PIN: &[u8] = &[4, 7, 1, 1, 8, 3];
/// How long a test waits for room in the store's queue, or for its directory, before the store counts
/// as dead.
const ROOM_MAX: Duration = Duration::from_secs(60);
/// The device of every observation.
pub const DEVICE: DeviceId = DeviceId([0xc0, 1, 2, 3, 4, 5]);

/// A running store.
pub struct Rig {
    /// What the store is told by.
    pub handle: StoreHandle,
    outcomes: mpsc::Receiver<Outcome>,
    thread: JoinHandle<()>,
    attempts: u64,
    /// Records that were reported as lost.
    pub lost: u64,
    /// What the store found wrong, since the last unlock.
    pub findings: Vec<Finding>,
    /// What nobody has acknowledged, as the store said last.
    pub open: Vec<OpenFinding>,
    /// The room that there is.
    pub space: Space,
    /// What the last import told of its progress.
    pub importing: Vec<Import>,
    /// What changes of keys told of their progress; `None` at the end of each.
    pub rekeying: Vec<Option<Rekeying>>,
    /// The spot readings that were told last.
    pub spots: Spots,
    /// Faults that were told while something else was waited for.
    pub faults: Vec<StoreFault>,
}

/// What an import moved, and what it found wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Records that were moved into the vault.
    pub imported: u64,
    /// Records that had been there and are not.
    pub missing: u64,
    /// Records that nobody here wrote.
    pub forged: u64,
}

/// A store below this directory, with keys that cost little to derive.
pub fn options(dir: &Path) -> Options {
    Options::new(dir).with_device_secret(SecretFile::new(dir)).with_cost_for_tests()
}

/// So many seconds after the first call: both clocks agree with those of the machine, on which the
/// store ends what is over by itself.
pub fn at(seconds: u64) -> Moment {
    static START: OnceLock<Clock> = OnceLock::new();
    let start = START.get_or_init(|| {
        let now = Moment::read();
        Clock { boot: now.boot, wall: Timestamp::from_second(now.wall.as_second()).unwrap() }
    });
    let mut clock = *start;
    clock.wait(Duration::from_secs(seconds));
    clock.now()
}

/// The first person's badge.
pub fn badge() -> Badge {
    Badge::new(ReaderFamily::PcscUid, &[0xde, 0xad, 0xbe, 0xef, 0x5a, 0x5b, 0x5c]).unwrap()
}

/// Nobody's badge.
pub fn other_badge() -> Badge {
    Badge::new(ReaderFamily::PcscUid, &[4, 4, 4, 4]).unwrap()
}

/// A PIN as it is typed.
pub fn pin(digits: &[u8]) -> Pin {
    digits.iter().copied().collect()
}

/// A heart rate with this number.
pub fn observation(run: u64, seq: u64) -> Observation {
    let stamp = Timestamp::from_microsecond(1_750_000_000_000_000 + seq.cast_signed()).unwrap();
    Observation {
        record: RecordId { run, seq },
        code: HEART_RATE,
        value: Phi::new(Value::Measured(Decimal::new(60 + (seq % 40).cast_signed(), 0))),
        unit: Unit::PerMinute,
        effective: stamp,
        received: stamp,
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![Status::ContactDetected],
        device: DEVICE,
        subject: Some(SubjectId(7)),
        provenance: Provenance::Device,
    }
}

/// A patient of this family.
pub fn patient(family: &str) -> Patient {
    Patient {
        id: SubjectId(family.bytes().fold(1, |id, byte| id * 256 + u128::from(byte))),
        family: Phi::new(family.into()),
        given: Phi::new("Ada".into()),
        born: Phi::new(Some(jiff::civil::date(1951, 3, 9))),
        sex: Phi::new(Sex::Female),
        mrn: Phi::new(format!("M-{family}")),
        allergies: Phi::default(),
    }
}

impl Rig {
    /// Starts a store and gives its first outcome.
    pub fn start(options: Options) -> (Self, Outcome) {
        Self::start_with(options, 4096)
    }

    /// The same, with room for so many outcomes: the store waits while nobody receives those.
    fn start_with(options: Options, room: usize) -> (Self, Outcome) {
        let (sender, outcomes) = mpsc::channel(room);
        let (handle, thread) = spawn(options, sender).unwrap();
        let mut rig = Self {
            handle,
            outcomes,
            thread,
            attempts: 0,
            lost: 0,
            findings: Vec::new(),
            open: Vec::new(),
            space: Space::Enough,
            importing: Vec::new(),
            rekeying: Vec::new(),
            spots: Spots::default(),
            faults: Vec::new(),
        };
        let first = rig.next();
        (rig, first)
    }

    /// Starts a store, and waits if a process that another test is just starting still has a copy of
    /// the lock's file descriptor (between its fork and its exec).
    pub fn start_alone(options: Options) -> (Self, Outcome) {
        once_alone(Self::start(options))
    }

    /// Starts on a store that is there, and receives no more than one outcome ahead: the store waits
    /// with the next one.
    pub fn restart_narrow(dir: &Path) -> Self {
        let (rig, first) = once_alone(Self::start_with(options(dir), 1));
        assert!(matches!(first, Outcome::Found(Found::Store(_))), "{first:?}");
        rig
    }

    /// Starts on a directory without a store and makes one.
    pub fn first_start(dir: &Path) -> (Self, RecoveryPhrase) {
        let (mut rig, first) = Self::start_alone(options(dir));
        assert!(matches!(first, Outcome::Found(Found::Nothing)), "{first:?}");
        let phrase = rig.initialise();
        (rig, phrase)
    }

    /// Makes the store, with its first person.
    pub fn initialise(&mut self) -> RecoveryPhrase {
        let first = NewOperator {
            initials: "QZ".into(),
            name: Phi::new("Quintessa Zwyxblatt".into()),
            role: Role::It,
            badge: badge(),
            pin: pin(RIGHT_PIN),
        };
        self.send(Command::Initialise(Box::new(first), at(0)));
        let outcome = self.next();
        let Outcome::Initialised(phrase) = outcome else { panic!("{outcome:?}") };
        let found = self.next();
        assert!(matches!(found, Outcome::Found(Found::Store(_))), "{found:?}");
        phrase
    }

    /// Starts on a store that is there.
    pub fn restart(dir: &Path) -> Self {
        let (rig, first) = Self::start_alone(options(dir));
        assert!(matches!(first, Outcome::Found(Found::Store(_))), "{first:?}");
        rig
    }

    /// Ends the thread as a shutdown does; gives the outcomes that nobody received.
    pub fn stop(self) -> Vec<Outcome> {
        drop(self.handle);
        let mut outcomes = self.outcomes;
        let mut rest = Vec::new();
        while let Some(outcome) = outcomes.blocking_recv() {
            rest.push(outcome);
        }
        self.thread.join().unwrap();
        process::settle();
        rest
    }

    /// As [`Rig::stop`]; the files that it leaves.
    pub fn stop_and(self, dir: &Path) -> tree::Tree {
        self.stop();
        tree::tree(dir)
    }

    /// As [`Rig::stop`]: everything that was ever found wrong.
    pub fn stop_told(mut self) -> Vec<Finding> {
        let mut told = std::mem::take(&mut self.findings);
        for outcome in self.stop() {
            if let Outcome::Findings(more) = outcome {
                told.extend(more);
            }
        }
        told
    }

    /// Waits until everything that was handed over is durable.
    pub fn settle(&mut self) {
        self.send(Command::Retry);
        let attempt = Attempt(u64::MAX);
        self.send(Command::Identify(attempt, Token::Badge(other_badge()), at(0)));
        while !matches!(self.next(), Outcome::Identified(answered, _) if answered == attempt) {}
    }

    /// Hands over a command, and waits while the queue has no room: the store may be slower than the
    /// test, and a full queue is what other tests are about.
    pub fn send(&self, command: Command) {
        let end = Moment::read().boot + ROOM_MAX;
        while self.handle.try_send(command.clone()).is_err() {
            assert!(Moment::read().boot < end, "the store takes nothing");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The next answer; what the store says by itself in between is kept.
    #[expect(clippy::should_implement_trait, reason = "a store does not come to an end")]
    pub fn next(&mut self) -> Outcome {
        loop {
            match self.outcomes.blocking_recv().expect("the store is running") {
                Outcome::Findings(findings) => self.findings.extend(findings),
                Outcome::OpenFindings(open) => self.open = open,
                Outcome::Importing(progress) => self.importing.push(progress),
                Outcome::Rekeying(far) => self.rekeying.push(far),
                Outcome::Space(space) => self.space = space,
                Outcome::Spots(spots) => self.spots = *spots,
                other => return other,
            }
        }
    }

    /// Receives what the store says by itself until there is this much room.
    pub fn wait_for(&mut self, space: Space) {
        while self.space != space {
            match self.outcomes.blocking_recv().expect("the store is running") {
                Outcome::Findings(findings) => self.findings.extend(findings),
                Outcome::OpenFindings(open) => self.open = open,
                Outcome::Space(space) => self.space = space,
                Outcome::Spots(spots) => self.spots = *spots,
                Outcome::Fault(fault) => self.faults.push(fault),
                Outcome::Recovered => {}
                Outcome::Lost(lost) => self.lost += lost,
                other => panic!("{other:?}"),
            }
        }
    }

    /// How many findings of these kinds there were.
    pub fn found(&self, kinds: &[FindingKind]) -> u64 {
        let of = self.findings.iter().filter(|finding| kinds.contains(&finding.kind));
        of.map(|finding| finding.count).sum()
    }

    /// Logs in with badge and PIN.
    pub fn unlock_at(
        &mut self,
        (badge, digits): (Badge, &[u8]),
        now: Moment,
    ) -> Result<Box<Unlocked>, Refusal> {
        self.show(Evidence::BadgePin(badge, pin(digits)), now)
    }

    /// Shows a pair of factors, and receives until it is answered.
    pub fn show(&mut self, evidence: Evidence, now: Moment) -> Result<Box<Unlocked>, Refusal> {
        self.attempts += 1;
        let attempt = Attempt(self.attempts);
        self.send(Command::Unlock(attempt, evidence, now));
        loop {
            match self.next() {
                Outcome::Unlocked(answered, unlocked) if answered == attempt => {
                    return Ok(unlocked);
                }
                Outcome::Refused(answered, refusal) if answered == attempt => return Err(refusal),
                Outcome::Lost(lost) => self.lost += lost,
                Outcome::Fault(_) | Outcome::Recovered | Outcome::Imported(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Unlocks with the right factors and waits for the import.
    pub fn unlock(&mut self, now: Moment) -> (Box<Unlocked>, Backlog) {
        let unlocked = self.unlock_at((badge(), RIGHT_PIN), now).unwrap();
        self.findings.clear();
        self.importing.clear();
        let outcome = self.next();
        let Outcome::Imported(import) = outcome else { panic!("{outcome:?}") };
        let missing = self.found(&[FindingKind::RecordsMissing]);
        let forged = self.found(&[
            FindingKind::RecordsForged,
            FindingKind::RecordsRepeated,
            FindingKind::RecordsMoved,
        ]);
        (unlocked, Backlog { imported: import.imported, missing, forged })
    }

    /// Locks, and receives until that is done.
    pub fn close(&mut self) {
        self.send(Command::Close(None, at(0)));
        loop {
            match self.next() {
                Outcome::Closed => return,
                Outcome::Fault(fault) if self.space != Space::Enough => self.faults.push(fault),
                Outcome::Recovered if self.space != Space::Enough => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Records observations with these numbers.
    pub fn record(&self, run: u64, seqs: std::ops::RangeInclusive<u64>) {
        for seq in seqs {
            self.send(Command::Record(Box::new(observation(run, seq))));
        }
    }
}

/// The first outcome of a store whose directory nobody else has any more.
fn once_alone((mut rig, mut first): (Rig, Outcome)) -> (Rig, Outcome) {
    if matches!(first, Outcome::Fault(StoreFault::InUse)) {
        first = rig.next();
    }
    if matches!(first, Outcome::Recovered) {
        first = rig.next();
    }
    (rig, first)
}

/// What the vault holds, read with the recovery words while no store runs. Waits as
/// [`Rig::start_alone`] does.
pub fn contents(dir: &Path, phrase: &RecoveryPhrase) -> RecoveredVault {
    let end = Moment::read().boot + ROOM_MAX;
    loop {
        match open_with_recovery(&options(dir), phrase) {
            Err(StoreFault::InUse) if Moment::read().boot < end => {
                std::thread::sleep(Duration::from_millis(1));
            }
            opened => return opened.unwrap().expect("the recovery words fit"),
        }
    }
}

/// The numbers of the observations in a vault.
pub fn seqs(vault: &RecoveredVault) -> Vec<u64> {
    vault.observations().unwrap().iter().map(|observation| observation.record.seq).collect()
}

/// The audit log of a vault.
pub fn acts(vault: &RecoveredVault) -> Vec<(u64, AuditEntry)> {
    vault.audit().unwrap()
}

/// Every file below a directory.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Segments of the inbox, oldest first.
pub fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut found = files(&dir.join("store/inbox"));
    found.retain(|path| path.extension().is_some_and(|suffix| suffix == "seg"));
    found.sort();
    found
}
