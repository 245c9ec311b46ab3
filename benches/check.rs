//! How long `store check` and `store salvage` take on a store of many observations of three codes.
//!
//! Prints each look of the check with its time, then the whole salvage, and the most memory that the program used.
//! `cargo bench --bench check -- 3000000`.

#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch")]

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use tokio::sync::mpsc;
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::{Attempt, Badge, Evidence, Pin, ReaderFamily};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{Command, NewOperator, Outcome, RecoveryPhrase};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, Mdc, PULSE_RATE_OXIMETER, SPO2, Unit};
use wardkeep_model::vitals::{ClockConfidence, DeviceId, Observation, Provenance, RecordId, Value};
use wardkeep_store::machine::device_secret::SecretFile;
use wardkeep_store::{Options, check_with_recovery, salvage_with_recovery, spawn};

/// Where nobody says how many: an hour of a bed.
const OBSERVATIONS: u64 = 10_800;
const CODES: [(Mdc, Unit); 3] =
    [(HEART_RATE, Unit::PerMinute), (SPO2, Unit::Percent), (PULSE_RATE_OXIMETER, Unit::PerMinute)];

fn main() -> anyhow::Result<()> {
    let count = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(OBSERVATIONS);
    let dir = tempfile::tempdir()?;
    let words = fill(dir.path(), count)?;
    let size = std::fs::metadata(dir.path().join("store/vault.db"))?.len();
    println!("{count} observations, {} MiB", size >> 20);

    let (begun, mut last) = (Instant::now(), ("", Instant::now()));
    let mut looks = |name: &'static str| {
        println!("{:<20} {:>8.2} s", last.0, last.1.elapsed().as_secs_f64());
        last = (name, Instant::now());
    };
    let checks = check_with_recovery(&options(dir.path()), &words, Moment::read(), &mut looks)?;
    looks("");
    println!("{:<20} {:>8.2} s", "store check", begun.elapsed().as_secs_f64());
    anyhow::ensure!(checks.iter().all(|check| check.ok), "{checks:?}");

    let (begun, out) = (Instant::now(), tempfile::tempdir()?);
    let from = (dir.path(), Moment::read());
    let done = salvage_with_recovery(&options(out.path()), &words, from, &mut |_, _| {})?;
    println!("{:<20} {:>8.2} s", "store salvage", begun.elapsed().as_secs_f64());
    anyhow::ensure!(done.is_whole(), "{done:?}");
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    Ok(())
}

fn options(dir: &Path) -> Options {
    Options::new(dir).with_device_secret(SecretFile::new(dir)).on_any_disk()
}

/// A store with so many observations, closed, and its recovery words.
fn fill(dir: &Path, count: u64) -> anyhow::Result<RecoveryPhrase> {
    let (sender, mut outcomes) = mpsc::channel(64);
    let (handle, thread) = spawn(options(dir), sender)?;
    let mut next = || outcomes.blocking_recv().context("the store has ended");
    next()?;
    let badge = Badge::new(ReaderFamily::PcscUid, &[1, 2, 3, 4])?;
    let pin = || -> Pin { [4, 7, 1, 1, 8, 2].into_iter().collect() };
    let first = NewOperator {
        initials: "AB".into(),
        name: Phi::new("A B".into()),
        role: Role::It,
        badge: badge.clone(),
        pin: pin(),
    };
    handle.try_send(Command::Initialise(Box::new(first), Moment::read()))?;
    let words = loop {
        if let Outcome::Initialised(words) = next()? {
            break Secret::new(words.expose().clone());
        }
    };
    let evidence = Evidence::BadgePin(badge, pin());
    handle.try_send(Command::Unlock(Attempt(1), evidence, Moment::read()))?;
    while !matches!(next()?, Outcome::Imported(_)) {}
    for seq in 0..count {
        while handle.try_send(Command::Record(Box::new(observation(seq)))).is_err() {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    while handle.try_send(Command::Close(None, Moment::read())).is_err() {
        std::thread::sleep(Duration::from_millis(1));
    }
    while !matches!(next()?, Outcome::Closed) {}
    drop(handle);
    while next().is_ok() {}
    thread.join().expect("the store does not panic");
    Ok(words)
}

fn observation(number: u64) -> Observation {
    let seconds = 1_760_000_000 + (number / 3).cast_signed();
    let at = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    let [first, second, third] = CODES;
    let (device, (code, unit)) = match number % 3 {
        0 => (0, first),
        1 => (1, second),
        _ => (2, third),
    };
    Observation {
        record: RecordId { run: 1, seq: number / 3 + 1 },
        code,
        value: Phi::new(Value::Measured(Decimal::new(60 + (number % 40).cast_signed(), 0))),
        unit,
        effective: at,
        received: at,
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![],
        device: DeviceId([device; 6]),
        subject: Some(SubjectId(7)),
        provenance: Provenance::Device,
    }
}
