//! What encryption costs: inserts against plain SQLite in the same run, key derivation, unlock.
//!
//! Prints medians with the smallest and largest of each series. `cargo bench --bench store
//! --no-default-features --features store`, with ` -- inserts` for the first part alone. The plain database exists only here, for comparison.

#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch")]

/// As in both programs: what it costs to wipe what is freed is part of the figures.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use tokio::sync::mpsc;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Badge, Evidence, Pin, ReaderFamily, Token};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{Command, NewOperator, Outcome, Refusal};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, SPO2, Status, Unit};
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, RecordId, Value};
use wardkeep_store::machine::device_secret::SecretFile;
use wardkeep_store::{BareVault, Options, StoreHandle, cipher_facts, spawn};

const ROUNDS: usize = 5;
const ROWS: u64 = 100_000;
const BATCH: u64 = 1_000;
/// Least share of a plain database's speed.
const FLOOR: f64 = 0.75;
/// Stores for the refusals.
const STORES: usize = 4;

fn main() -> anyhow::Result<()> {
    println!("{:?}", cipher_facts()?);
    inserts()?;
    if std::env::args().any(|word| word == "inserts") {
        return Ok(());
    }
    derivation()?;
    refusals()?;
    daily()
}

fn report(name: &str, unit: &str, mut series: Vec<f64>) -> f64 {
    series.sort_by(f64::total_cmp);
    let median = series[series.len() / 2];
    let (min, max) = (series[0], series[series.len() - 1]);
    println!("{name:<44} median {median:>10.1} {unit} ({min:.1} .. {max:.1}, n={})", series.len());
    median
}

fn milliseconds(length: Duration) -> f64 {
    length.as_secs_f64() * 1e3
}

/// The same observations, transactions and settings in a plain database and in the vault, in turns.
fn inserts() -> anyhow::Result<()> {
    let (mut plain, mut vault) = ([const { Vec::new() }; 2], [const { Vec::new() }; 2]);
    for _ in 0..ROUNDS {
        let dir = tempfile::tempdir()?;
        let paths = (dir.path().join("plain.db"), dir.path().join("vault.db"));
        for (speeds, series) in
            [(insert_plain(&paths.0)?, &mut plain), (insert_sealed(&paths.1)?, &mut vault)]
        {
            for (speed, series) in speeds.into_iter().zip(series) {
                series.push(speed);
            }
        }
    }
    for (clock, (plain, vault)) in ["wall", "processor"].iter().zip(plain.into_iter().zip(vault)) {
        let plain = report(&format!("inserts, plain SQLite ({clock} time)"), "rows/s", plain);
        let vault = report(&format!("inserts, vault ({clock} time)"), "rows/s", vault);
        println!("{:<44} {:.2} (floor {FLOOR})", "vault / plain", vault / plain);
    }
    Ok(())
}

/// A stopwatch on the wall and one on this thread's processor time: a second sync of each commit costs
/// the first alone.
struct Stopwatch(Instant, Duration);

impl Stopwatch {
    fn start() -> Self {
        Self(Instant::now(), this_thread())
    }

    /// Rows a second on both.
    fn speeds(&self) -> [f64; 2] {
        let times = [self.0.elapsed(), this_thread().saturating_sub(self.1)];
        times.map(|time| (ROWS / BATCH * BATCH) as f64 / time.as_secs_f64())
    }
}

fn this_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What a monitor sends: two values of each of four patients and something unclaimed, in turns.
fn batch(batch: u64) -> Vec<Observation> {
    let one = |seq: u64| Observation {
        code: [HEART_RATE, SPO2][usize::from(seq.is_multiple_of(2))],
        value: Phi::new(Value::Measured(Decimal::new(600 + (seq % 400).cast_signed(), -1))),
        unit: [Unit::PerMinute, Unit::Percent][usize::from(seq.is_multiple_of(2))],
        effective: Timestamp::from_second(1_780_000_000 + seq.cast_signed()).unwrap_or_default(),
        received: Timestamp::from_second(1_780_000_001 + seq.cast_signed()).unwrap_or_default(),
        status: vec![Status::ContactDetected],
        subject: Some(SubjectId(u128::from(seq % 5))).filter(|subject| subject.0 != 0),
        ..*observation(seq)
    };
    (batch * BATCH..(batch + 1) * BATCH).map(one).collect()
}

fn insert_sealed(path: &Path) -> anyhow::Result<[f64; 2]> {
    let mut vault = BareVault::create(path)?;
    let start = Stopwatch::start();
    for number in 0..ROWS / BATCH {
        anyhow::ensure!(vault.append(batch(number))? == 0, "refused");
    }
    Ok(start.speeds())
}

/// The same columns in the clear, with the indexes and settings of the vault.
const PLAIN: &str = "
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;
    CREATE TABLE observations (
        id INTEGER PRIMARY KEY, device BLOB NOT NULL, run INTEGER NOT NULL, seq INTEGER NOT NULL,
        mdc INTEGER NOT NULL, value TEXT, absent TEXT, unit TEXT NOT NULL,
        effective_us INTEGER NOT NULL, received_us INTEGER NOT NULL, device_time TEXT,
        clock TEXT NOT NULL, status TEXT NOT NULL, subject BLOB, provenance TEXT NOT NULL,
        UNIQUE (device, run, seq)
    ) STRICT;
    CREATE INDEX of_subject ON observations (subject, mdc, effective_us);";

fn insert_plain(path: &Path) -> anyhow::Result<[f64; 2]> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(PLAIN)?;
    let start = Stopwatch::start();
    for number in 0..ROWS / BATCH {
        let transaction = connection.transaction()?;
        for one in batch(number) {
            insert_row(&transaction, &one)?;
        }
        transaction.commit()?;
    }
    Ok(start.speeds())
}

fn insert_row(connection: &Connection, one: &Observation) -> anyhow::Result<()> {
    let (value, absent) = match one.value.reveal() {
        Value::Measured(digits) => (Some(digits.to_string()), None),
        Value::Absent(reason) => (None, Some(reason.word())),
    };
    let clock = match one.clock {
        ClockConfidence::Live => "live",
        ClockConfidence::Corrected => "corrected",
        ClockConfidence::Unknown => "unknown",
    };
    let provenance = match one.provenance {
        Provenance::Device => "device",
        Provenance::Simulated => "simulated",
    };
    let status: Vec<&str> = one.status.iter().map(|status| status.word()).collect();
    connection
        .prepare_cached(
            "INSERT INTO observations (device, run, seq, mdc, value, absent, unit, effective_us,
                 received_us, device_time, clock, status, subject, provenance)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (device, run, seq) DO NOTHING",
        )?
        .execute(params![
            one.device.0,
            one.record.run.cast_signed(),
            one.record.seq.cast_signed(),
            one.code.0,
            value,
            absent,
            one.unit.ucum(),
            one.effective.as_microsecond(),
            one.received.as_microsecond(),
            one.device_time.map(|time| time.to_string()),
            clock,
            status.join(","),
            one.subject.map(|id| id.0.to_be_bytes()),
            provenance,
        ])?;
    Ok(())
}

/// The PIN's key derivation alone, with the parameters of the store.
fn derivation() -> anyhow::Result<()> {
    let params = argon2::Params::new(64 * 1024, 3, 1, Some(32))?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut series = Vec::new();
    for _ in 0..9 {
        let mut key = [0; 32];
        let start = Instant::now();
        argon.hash_password_into(b"471182", &[1; 16], &mut key)?;
        series.push(milliseconds(start.elapsed()));
    }
    report("argon2id 64 MiB, t=3, p=1", "ms", series);
    Ok(())
}

fn observation(seq: u64) -> Box<Observation> {
    let now = Timestamp::UNIX_EPOCH;
    Box::new(Observation {
        record: RecordId { run: 1, seq },
        code: HEART_RATE,
        value: Phi::new(Value::Measured(Decimal::new(72, 0))),
        unit: Unit::PerMinute,
        effective: now,
        received: now,
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![],
        device: DeviceId([1; 6]),
        subject: None,
        provenance: Provenance::Device,
    })
}

/// What a stranger can measure: an unknown badge against a known one with a wrong PIN, in turns, each
/// time with a PIN that was never typed before. Every eighth pair needs a new store.
fn refusals() -> anyhow::Result<()> {
    let (mut unknown, mut wrong) = ([const { Vec::new() }; 2], [const { Vec::new() }; 2]);
    for _ in 0..STORES {
        let dir = tempfile::tempdir()?;
        let (handle, mut outcomes, thread) = first_start(dir.path())?;
        for round in 0..8_u8 {
            let now = later(u64::from(round) * 1_000);
            let pin = || [9, 9, 9, 9, 9, round].into_iter().collect::<Pin>();
            let stranger = Badge::new(ReaderFamily::PcscUid, &[9, 8, 7, 6])?;
            for (badge, series) in [(stranger, &mut unknown), (badge()?, &mut wrong)] {
                let (start, cpu) = (Instant::now(), cpu_time()?);
                let evidence = Evidence::BadgePin(badge, pin());
                handle.try_send(Command::Unlock(Attempt(1), evidence, now))?;
                let answer = next(&mut outcomes)?;
                assert!(matches!(answer, Outcome::Refused(_, Refusal::WrongFactors(_))));
                series[0].push(milliseconds(start.elapsed()));
                series[1].push(milliseconds(cpu_time()?.saturating_sub(cpu)));
            }
        }
        drop(handle);
        thread.join().expect("the store does not panic");
    }
    for (clock, (unknown, wrong)) in
        ["wall", "processor"].iter().zip(unknown.into_iter().zip(wrong))
    {
        let unknown = report(&format!("unknown badge, refused ({clock} time)"), "ms", unknown);
        let wrong = report(&format!("known badge, wrong PIN ({clock} time)"), "ms", wrong);
        println!("{:<44} {:.1} ms", "their medians differ by", (unknown - wrong).abs());
    }
    Ok(())
}

/// How long the store's thread has run: without what other programs take from it.
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

fn badge() -> anyhow::Result<Badge> {
    Ok(Badge::new(ReaderFamily::PcscUid, &[1, 2, 3, 4])?)
}

fn pin() -> Pin {
    [4, 7, 1, 1, 8, 2].into_iter().collect()
}

fn later(seconds: u64) -> Moment {
    let now = Moment { boot: BootTime::default(), wall: Timestamp::UNIX_EPOCH };
    now + Duration::from_secs(seconds)
}

type Started = (StoreHandle, mpsc::Receiver<Outcome>, JoinHandle<()>);

/// A store with one person, as the program makes it.
fn first_start(dir: &Path) -> anyhow::Result<Started> {
    let options = Options::new(dir).with_device_secret(SecretFile::new(dir)).on_any_disk();
    let (sender, mut outcomes) = mpsc::channel(64);
    let (handle, thread) = spawn(options, sender)?;
    next(&mut outcomes)?;
    let first = NewOperator {
        initials: "AB".into(),
        name: Phi::new("A B".into()),
        role: Role::It,
        badge: badge()?,
        pin: pin(),
    };
    handle.try_send(Command::Initialise(Box::new(first), later(0)))?;
    while !matches!(next(&mut outcomes)?, Outcome::Found(_)) {}
    Ok((handle, outcomes, thread))
}

/// The whole store as it runs: sealing while locked, unlock with both factors, import, lock.
fn daily() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let (handle, mut outcomes, thread) = first_start(dir.path())?;
    let now = later(0);
    let evidence = Evidence::BadgePin(badge()?, pin());
    let records = 5_000_u64;
    let mut series: [Vec<f64>; 5] = Default::default();
    for round in 0..ROUNDS as u64 {
        let first = round * 2 * records;
        series[0].push(record(&handle, &mut outcomes, first..first + records)?);
        let start = Instant::now();
        let unlock = Command::Unlock(Attempt(round), evidence.clone(), now);
        handle.try_send(unlock)?;
        let answer = next(&mut outcomes)?;
        assert!(matches!(answer, Outcome::Unlocked(..)), "{answer:?}");
        series[1].push(milliseconds(start.elapsed()));
        let start = Instant::now();
        let import = loop {
            let outcome = next(&mut outcomes)?;
            if let Outcome::Imported(import) = outcome {
                break import;
            }
            assert!(matches!(outcome, Outcome::Importing(_)), "{outcome:?}");
        };
        assert!(import.imported >= records, "{import:?}");
        series[2].push(records as f64 / start.elapsed().as_secs_f64());
        series[3].push(record(&handle, &mut outcomes, first + records..first + 2 * records)?);
        let start = Instant::now();
        handle.try_send(Command::Close(None, now))?;
        assert!(matches!(next(&mut outcomes)?, Outcome::Closed));
        series[4].push(milliseconds(start.elapsed()));
    }
    let [locked, unlock, import, open, close] = series;
    report("recording while locked (sealed, synced)", "records/s", locked);
    report("unlock: both factors to Unlocked", "ms", unlock);
    report("import after unlock", "records/s", import);
    report("recording while open", "records/s", open);
    report("lock: vault closed, keys wiped", "ms", close);
    drop(handle);
    thread.join().expect("the store does not panic");
    Ok(())
}

fn next(outcomes: &mut mpsc::Receiver<Outcome>) -> anyhow::Result<Outcome> {
    outcomes.blocking_recv().context("the store has ended")
}

/// Sends records as fast as they are taken; the question at the end is answered after the last.
fn record(
    handle: &StoreHandle,
    outcomes: &mut mpsc::Receiver<Outcome>,
    seqs: std::ops::Range<u64>,
) -> anyhow::Result<f64> {
    let start = Instant::now();
    let count = (seqs.end - seqs.start) as f64;
    let send = |mut make: Box<dyn FnMut() -> Command>| {
        while handle.try_send(make()).is_err() {
            std::thread::sleep(Duration::from_micros(50));
        }
    };
    for seq in seqs {
        send(Box::new(move || Command::Record(observation(seq + 1))));
    }
    let badge = Badge::new(ReaderFamily::PcscUid, &[9, 9, 9, 9])?;
    let now = Moment { boot: BootTime::default(), wall: Timestamp::UNIX_EPOCH };
    send(Box::new(move || Command::Identify(Attempt(0), Token::Badge(badge.clone()), now)));
    let answer = next(outcomes)?;
    assert!(matches!(answer, Outcome::Identified(..)), "{answer:?}");
    Ok(count / start.elapsed().as_secs_f64())
}
