//! A store after a year of use: what a person waits for, what recording costs and what the disk holds, on stores
//! of 3, 30 and 100 million observations.
//!
//! `cargo bench --locked -p wardkeep-store --bench year`; numbers after `--` are other sizes in millions, `short`
//! leaves the last parts out, `upkeep` and `rotation` all others. Prints a line for each figure while it is measured, and at the
//! end the table of `docs/develop.md`. Key derivation is
//! switched to its cheap form: it is the same at every size, and `benches/store.rs` measures it.

#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch")]

/// As in both programs: what it costs to wipe what is freed is part of the figures.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

mod desk;
mod make;
mod plain;
mod rotation;
mod upkeep;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use desk::{Desk, Waits};
use make::{Made, PER_SECOND};
use wardkeep_model::keeping::Command;
use wardkeep_store::BareVault;

/// Unlocks and locks of each store.
const ROUNDS: usize = 9;
/// Rows that are inserted on top of a store, and into a plain database of as many rows.
const INSERTED: u64 = 100_000;
const BATCH: usize = 1_000;
/// Twelve hours of three values a second.
const NIGHT_S: u64 = 12 * 3600;
const DAY_S: i64 = 86_400;
/// Millions of observations that fill a vault of one gibibyte.
const GIBIBYTE: u64 = 120;

/// The figures of the table, in its order, with what they aim at.
const FIGURES: [(&str, &str); 15] = [
    ("start to lock screen, ms", "<= 1000, flat"),
    ("first unlock of a process, ms (without the key derivation)", "<= 100, flat"),
    ("later unlocks, ms: median, longest", "<= 100, flat"),
    ("lock, ms: median, longest", "<= 50"),
    ("longest wait for an answer while pages are compared, ms", "<= 20"),
    ("trend of 30 days, ms: longest", "<= 100"),
    ("trend of a year, ms: longest", "<= 100"),
    ("trend of 30 days right after 4,000 more values, ms", "<= 100"),
    ("import of 43,200 x 3, s", "<= 4"),
    ("longest wait for an answer meanwhile, ms", "no frame late"),
    ("inserts a second: vault, plain SQLite", ""),
    ("vault / plain", ">= 0.75"),
    ("page table written by a fold of 1,000 frames, KiB", "as what changed"),
    ("disk for an observation, bytes", "<= 80"),
    ("packed, bytes (single values; older than 30 days)", "<= 12"),
];

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "upkeep") {
        return upkeep::measure();
    }
    let sizes: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if words.iter().any(|word| word == "rotation") {
        return rotation::measure(sizes.first().copied().unwrap_or(GIBIBYTE));
    }
    let sizes = if sizes.is_empty() { vec![3, 30, 100] } else { sizes };
    let mut table = vec![Vec::new(); FIGURES.len()];
    for millions in &sizes {
        println!("-- {millions} million observations");
        let figures = measure(*millions)?;
        for (row, figure) in table.iter_mut().zip(figures) {
            row.push(figure);
        }
    }
    let millions: Vec<String> = sizes.iter().map(|size| format!("{size} million")).collect();
    println!("\n| figure | {} | aim |", millions.join(" | "));
    println!("|---|{}---|", "---|".repeat(sizes.len()));
    for ((name, aim), row) in FIGURES.iter().zip(table) {
        println!("| {name} | {} | {aim} |", row.join(" | "));
    }
    if words.iter().any(|word| word == "short") {
        return Ok(());
    }
    println!("\n-- 3 million rows that nothing has packed, checked, and past their time");
    upkeep::measure()?;
    println!("\n-- a badge is revoked");
    rotation::measure(GIBIBYTE)
}

/// One size: the figures in the order of the table.
fn measure(millions: u64) -> anyhow::Result<Vec<String>> {
    let dir = tempfile::tempdir()?;
    let made = Made::new(dir.path(), millions * 1_000_000, true)?;
    let mut figures = persons(&made)?;
    figures.extend(trends(&made)?);
    figures.extend(night(&made)?);
    figures.extend(inserts(&made)?);
    let packed = made.packed;
    figures.push(format!("{:.1}; {:.2}", packed.singles, packed.older));
    for ((name, _), figure) in FIGURES.iter().zip(&figures) {
        println!("{name:<62} {figure}");
    }
    Ok(figures)
}

/// What a person waits for.
fn persons(made: &Made) -> anyhow::Result<Vec<String>> {
    let (mut starts, mut unlocks, mut locks, mut first) = (vec![], vec![], vec![], vec![]);
    let mut waits = Waits::default();
    for process in 0..3 {
        let (mut desk, start) = Desk::start(made.options())?;
        starts.push(start);
        for round in 0..ROUNDS {
            let unlock = desk.unlock()?;
            if round == 0 {
                first.push(unlock);
            } else {
                unlocks.push(unlock);
            }
            if (process, round) == (0, 0) {
                waits = desk.ask_until_idle()?;
            }
            locks.push(desk.lock()?);
        }
        desk.end()?;
    }
    Ok(vec![
        longest(&starts),
        longest(&first),
        format!("{}, {}", median(&unlocks), longest(&unlocks)),
        format!("{}, {}", median(&locks), longest(&locks)),
        waits.longest(),
    ])
}

fn trends(made: &Made) -> anyhow::Result<Vec<String>> {
    let (mut desk, _) = Desk::start(made.options())?;
    desk.unlock()?;
    desk.ask_until_idle()?;
    let end = made.end_s;
    let mut figures = Vec::new();
    for days in [30, 365] {
        let mut series = Vec::new();
        for question in 0..30 {
            series.push(desk.trend(question, (end - days * DAY_S, end))?.0);
        }
        figures.push(longest(&series));
    }
    for index in 0..4_000 / PER_SECOND {
        for one in make::second(made.seqs + index, end + index.cast_signed()) {
            desk.send(&Command::Record(Box::new(one)));
        }
    }
    let (took, found) = desk.trend(0, (end - 30 * DAY_S, end + 4_000))?;
    anyhow::ensure!(found > 4_000 / PER_SECOND, "{found} values");
    figures.push(format!("{took:.1}"));
    desk.lock()?;
    desk.end()?;
    Ok(figures)
}

/// Twelve hours that nobody unlocked. What is written at once is sealed at once, so each second is written by
/// itself, as it is when time passes.
fn night(made: &Made) -> anyhow::Result<Vec<String>> {
    let (mut desk, _) = Desk::start(made.options())?;
    let begun = Instant::now();
    for index in 0..NIGHT_S {
        let at = made.end_s + 10_000 + index.cast_signed();
        for one in make::second(made.seqs + 10_000 + index, at) {
            desk.send(&Command::Record(Box::new(one)));
        }
        desk.send(&Command::Retry);
    }
    desk.sealed()?;
    println!("a night of {NIGHT_S} seconds was sealed in {:.0} s", begun.elapsed().as_secs_f64());
    desk.unlock()?;
    let (start, begun, all) = (Instant::now(), desk::cpu("store"), process_time());
    let waits = desk.ask_until_imported()?;
    let took = start.elapsed().as_secs_f64();
    let used = desk::cpu("store").saturating_sub(begun).as_secs_f64();
    let all = process_time().saturating_sub(all).as_secs_f64();
    println!("processor time of the import: {all:.2} s, the store's own thread {used:.2} s");
    desk.lock()?;
    desk.end()?;
    Ok(vec![format!("{took:.2}"), waits.longest()])
}

/// Inserts on top of the store, and into a plain database with as many rows.
fn inserts(made: &Made) -> anyhow::Result<Vec<String>> {
    let mut vault = BareVault::open(&made.options(), &made.phrase)?;
    let table = made.dir.join("store/vault.pages");
    let log = made.dir.join("store/vault.db-wal");
    let before = vault.size()?;
    let (mut took, mut used, mut written) = (Duration::ZERO, Duration::ZERO, Vec::new());
    let mut pages = std::fs::read(&table)?;
    let mut inserted = 0;
    while inserted < INSERTED || written.is_empty() {
        let first = PER_SECOND * made.seqs + 1_000_000 + inserted;
        let batch = make::rows(first, made.end_s + 100_000, BATCH);
        let folded_before = std::fs::metadata(&log).map_or(0, |log| log.len());
        let (start, begun) = (Instant::now(), thread_time());
        anyhow::ensure!(vault.append(batch)? == 0, "refused");
        took += start.elapsed();
        used += thread_time().saturating_sub(begun);
        inserted += BATCH as u64;
        if std::fs::metadata(&log).map_or(0, |log| log.len()) < folded_before {
            let now = std::fs::read(&table)?;
            written.push(changed(&pages, &now));
            pages = now;
        }
    }
    let after = vault.size()?;
    vault.close()?;
    let sealed = inserted as f64 / took.as_secs_f64();
    let (plain, plain_used) = plain::speed(&made.dir.join("plain.db"), made, INSERTED)?;
    println!(
        "processor time of an insert: vault {:.1} us, plain SQLite {:.1} us",
        used.as_secs_f64() * 1e6 / inserted as f64,
        plain_used.as_secs_f64() * 1e6 / INSERTED as f64
    );
    let grown = (after.whole - after.free).saturating_sub(before.whole - before.free);
    let written = written.iter().max().context("no fold")?;
    Ok(vec![
        format!("{sealed:.0}, {plain:.0}"),
        format!("{:.2}", sealed / plain),
        format!("{}", written * 4),
        format!("{:.1}", grown as f64 / inserted as f64),
    ])
}

/// Chunks of the table's file that differ.
fn changed(before: &[u8], after: &[u8]) -> usize {
    let mut before = before.chunks(4096);
    after.chunks(4096).filter(|chunk| before.next() != Some(chunk)).count()
}

fn median(series: &[f64]) -> String {
    let mut series = series.to_vec();
    series.sort_by(f64::total_cmp);
    series.get(series.len() / 2).map_or_else(String::new, |median| format!("{median:.1}"))
}

fn longest(series: &[f64]) -> String {
    format!("{:.1}", series.iter().copied().fold(0.0, f64::max))
}

/// How long all threads of this process have run.
fn process_time() -> Duration {
    ran(rustix::time::ClockId::ProcessCPUTime)
}

/// How long this thread has run.
fn thread_time() -> Duration {
    ran(rustix::time::ClockId::ThreadCPUTime)
}

fn ran(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn milliseconds(length: Duration) -> f64 {
    length.as_secs_f64() * 1e3
}

/// Length of a file, zero without one.
fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}
