//! Three million rows: how long a trend of them takes that nothing has packed, what others wait for meanwhile,
//! how long `store check` takes, and how large the file is after most of them have expired.

use std::time::{Duration, Instant};

use wardkeep_model::keeping::Retention;
use wardkeep_model::moment::Moment;
use wardkeep_store::{BareVault, check_with_recovery};

use crate::desk::{Desk, Old};
use crate::length;
use crate::make::Made;

const ROWS: u64 = 3_000_000;
const DAY_S: i64 = 86_400;

pub fn measure() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let made = Made::new(dir.path(), ROWS, false)?;
    unpacked(&made)?;
    check(&made)?;
    let dir = tempfile::tempdir()?;
    expire(&Made::new(dir.path(), ROWS, true)?)
}

/// As recording leaves them, and as an earlier program may have left them, which summed no minutes.
fn unpacked(made: &Made) -> anyhow::Result<()> {
    let span = (made.end_s - 30 * DAY_S, made.end_s);
    let (mut desk, _) = Desk::start(made.options())?;
    desk.unlock()?;
    let (took, values) = desk.trend(0, span)?;
    println!(
        "trend of 30 days of {values} values that nothing has packed: {took:.1} ms (aim: 100)"
    );
    desk.lock()?;
    desk.end()?;
    let mut vault = BareVault::open(&made.options(), &made.phrase)?;
    vault.forget_sums()?;
    vault.close()?;
    let (mut desk, _) = Desk::start(made.options())?;
    desk.unlock()?;
    let Old { first, at_first, whole, values, waits } = desk.trend_of_old(span)?;
    println!(
        "the same of an earlier program: {at_first} of them after {first:.1} ms, all {values} after {whole:.1} s; \
         longest wait for another answer meanwhile: {} ms",
        waits.longest()
    );
    let waits = desk.ask_until_idle()?;
    println!("and until all is packed: {} ms", waits.longest());
    let (again, _) = desk.trend(0, span)?;
    println!("the same trend after that: {again:.1} ms");
    desk.lock()?;
    desk.end()
}

fn check(made: &Made) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut parts: Vec<(&str, Instant)> = Vec::new();
    let mut note = |part| parts.push((part, Instant::now()));
    let checks = check_with_recovery(&made.options(), &made.phrase, Moment::read(), &mut note)?;
    let bad: Vec<_> = checks.iter().filter(|check| !check.ok).collect();
    anyhow::ensure!(bad.is_empty(), "{bad:?}");
    println!("store check of {} rows: {:.1} s (aim: 30)", made.rows, begun.elapsed().as_secs_f64());
    let ends = parts.iter().skip(1).map(|(_, at)| *at).chain([Instant::now()]);
    for ((part, from), to) in parts.iter().zip(ends) {
        let took = to - *from;
        if took > Duration::from_millis(500) {
            println!("  {part:<14} {:.1} s", took.as_secs_f64());
        }
    }
    Ok(())
}

/// All but two days of twelve expire.
fn expire(made: &Made) -> anyhow::Result<()> {
    let path = made.dir.join("store/vault.db");
    let before = length(&path);
    let day = Duration::from_secs(86_400);
    let short = Retention { waveforms: day, numerics: 2 * day, minutes: 365 * day };
    let begun = Instant::now();
    let (mut desk, _) = Desk::start(made.options().with_retention(short))?;
    desk.unlock()?;
    let waits = desk.ask_until_idle()?;
    let took = begun.elapsed().as_secs_f64();
    desk.lock()?;
    desk.end()?;
    let vault = BareVault::open(&made.options(), &made.phrase)?;
    let size = vault.size()?;
    vault.close()?;
    let file = length(&path);
    println!(
        "after 10 of 12 days expired, in {took:.0} s: file {} MiB, before {} MiB, live {} MiB: {:.2} (aim: 1.3); \
         longest wait for an answer meanwhile: {} ms",
        file >> 20,
        before >> 20,
        (size.whole - size.free) >> 20,
        file as f64 / (size.whole - size.free) as f64,
        waits.longest()
    );
    Ok(())
}
