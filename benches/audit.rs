//! The audit log after years of use: a million entries written, exported, verified and checked in the vault, with
//! the seconds and the most memory that each takes.
//!
//! `cargo bench --bench audit`, with ` -- 100000` for fewer entries. Each step is a process of its own, so that
//! its memory is its own.

#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch")]

/// As in both programs: what it costs to wipe what is freed is part of the figures.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::lockout::BootId;
use wardkeep_model::access::policy::Pair;
use wardkeep_model::keeping::{AuditAct, AuditEntry};
use wardkeep_model::moment::BootTime;
use wardkeep_model::vitals::DeviceId;
use wardkeep_store::BareVault;
use wardkeep_store::log::file::{VerifierKey, verify_from};

const ENTRIES: u64 = 1_000_000;
/// Entries between two locks, each of which signs the log.
const SESSION: usize = 10;
const BATCH: u64 = 10_000;
const STEP: &str = "WARDKEEP_BENCH_STEP";

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let entries = words.iter().find_map(|word| word.parse().ok()).unwrap_or(ENTRIES);
    if let Ok(step) = std::env::var(STEP) {
        let (name, dir) = step.split_once(' ').context("a step has a name and a place")?;
        return measured(name, Path::new(dir), entries);
    }
    let dir = tempfile::tempdir()?;
    println!("{entries} entries, signed after every {SESSION}");
    for name in ["export", "verify"] {
        let child = std::process::Command::new(std::env::current_exe()?)
            .arg(entries.to_string())
            .env(STEP, format!("{name} {}", dir.path().display()))
            .status()?;
        anyhow::ensure!(child.success(), "{name} failed");
    }
    Ok(())
}

/// Most memory that this process has had since it was asked to count anew, in MiB.
fn peak() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()).context("no VmHWM")?;
    Ok(kib.parse::<f64>()? / 1024.0)
}

fn report(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    // proc(5): 5 resets the peak to what is resident.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let start = Instant::now();
    work()?;
    let (seconds, peak) = (start.elapsed().as_secs_f64(), peak()?);
    println!("{name:<28} {seconds:>8.2} s   at most {peak:>6.1} MiB resident");
    Ok(())
}

/// The log has to be made in the process that exports it: nobody keeps the keys of a bare vault.
fn measured(step: &str, dir: &Path, entries: u64) -> anyhow::Result<()> {
    let (log, key) = (dir.join("log.txt"), dir.join("key.txt"));
    if step == "verify" {
        let trusted: Vec<VerifierKey> = vec![std::fs::read_to_string(&key)?.parse()?];
        return report("verify", || {
            let reader = || Ok(BufReader::with_capacity(64 * 1024, File::open(&log)?));
            let verified = verify_from(reader, &trusted, &[])?;
            let verified = verified.map_err(|flaw| anyhow::anyhow!("{flaw}"))?;
            anyhow::ensure!(verified.sealed == entries, "{verified:?}");
            println!("{} checkpoints", verified.checkpoints);
            Ok(())
        });
    }
    let mut vault = BareVault::create(&dir.join("vault.db"))?;
    report("write", || {
        for first in (0..entries).step_by(usize::try_from(BATCH)?) {
            let batch: Vec<AuditEntry> = (first..entries.min(first + BATCH)).map(entry).collect();
            vault.log(&batch, SESSION)?;
        }
        Ok(())
    })?;
    std::fs::write(key, vault.log_key()?)?;
    report("export", || {
        anyhow::ensure!(vault.export_log(&log)? == entries, "entries are missing");
        Ok(())
    })?;
    println!("{} MiB of text", log.metadata()?.len() / 1024 / 1024);
    report("check in the vault", || {
        let checked = vault.check_log()?.map_err(|flaw| anyhow::anyhow!("{flaw}"))?;
        anyhow::ensure!(checked.entries == entries, "{checked:?}");
        Ok(())
    })
}

/// What a ward leaves: logins, assignments, alarms, locks.
fn entry(seq: u64) -> AuditEntry {
    let second = 1_780_000_000 + seq.cast_signed() * 60;
    let at = Timestamp::new(second, 123_456_000).unwrap_or_default();
    let (act, pair, detail) = match seq % 10 {
        0 => (AuditAct::Unlocked, Some(Pair::BadgePin), None),
        1 => (AuditAct::DeviceAssigned, None, Some("Nonin 3230 S/N 501234567".to_owned())),
        9 => (AuditAct::Locked, None, None),
        _ => (AuditAct::AlarmAcknowledged, None, None),
    };
    AuditEntry {
        operator: Some(OperatorId(u128::from(seq % 40) << 64 | 7)),
        device: Some(DeviceId([1, 2, 3, 4, 5, 6])).filter(|_| seq % 10 == 1),
        pair,
        detail,
        boot: Some(BootId(u128::from(seq / 10_000) << 64 | 5)),
        since_boot: Some(BootTime(Duration::from_millis(seq * 61_003))),
        ..AuditEntry::of(act, at)
    }
}
