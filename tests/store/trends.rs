//! Trends and waveforms through the running store: recorded locked or open, asked for while open.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use kit::process;
use kit::store::*;
use wardkeep_model::access::factor::{Attempt, Evidence, Token};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{Command, Outcome, Retention, Trend, TrendQuery};
use wardkeep_model::vitals::nomenclature::{HEART_RATE, PLETH, Unit};
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{Provenance, RecordId};
use wardkeep_store::BareVault;

const SUBJECT: SubjectId = SubjectId(7);

/// All of the time in which the kit's observations are.
fn span() -> (Timestamp, Timestamp) {
    let first = observation(1, 0).effective;
    (first, first + Duration::from_secs(60))
}

fn query() -> TrendQuery {
    let (since, until) = span();
    let (code, unit) = (HEART_RATE, Unit::PerMinute);
    TrendQuery { subject: SUBJECT, code, unit, since, until, columns: 3 }
}

/// Values in the trend, while open.
fn count(rig: &mut Rig) -> u32 {
    rig.send(Command::Trend(query()));
    let outcome = rig.next();
    let Outcome::Trend(answered, trend) = outcome else { panic!("{outcome:?}") };
    assert_eq!((answered, trend.columns.len(), trend.unread), (query(), 3, 0));
    counted(&trend)
}

fn counted(trend: &Trend) -> u32 {
    trend.columns.iter().map(|column| column.count).sum()
}

fn wave(seq: u64) -> WaveSegment {
    WaveSegment {
        record: RecordId { run: 9, seq },
        code: PLETH,
        rate_hz: 125,
        start: span().0 + Duration::from_secs(10 * seq),
        samples: Phi::new((0..1_250).map(|n| n * 7 + u16::try_from(seq).unwrap()).collect()),
        device: DEVICE,
        subject: Some(SUBJECT),
        provenance: Provenance::Simulated,
    }
}

#[test]
fn s2_locked_or_open_every_value_is_in_the_trend_and_every_stretch_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    let wave_of = |seq| Command::RecordWave(Box::new(wave(seq)));
    for seq in 1..=3 {
        rig.send(wave_of(seq));
    }
    rig.record(1, 1..=900);
    rig.unlock(at(0));
    // Whatever is packed meanwhile, the trend is whole, up to what was recorded just before.
    for round in 1..=50 {
        assert_eq!(count(&mut rig), 900 + round - 1);
        rig.record(1, u64::from(900 + round)..=u64::from(900 + round));
    }
    rig.send(wave_of(4));
    // Locking does not wait until all is packed, and what is not packed is so after the next unlock.
    rig.close();
    rig.record(1, 951..=1_800);
    rig.unlock(at(10));
    rig.close();
    rig.unlock(at(20));
    assert_eq!(count(&mut rig), 1_800);
    rig.send(wave_of(4));
    rig.close();
    assert!(rig.stop().is_empty());

    let mut vault = contents(dir.path(), &phrase);
    let waves = vault.waves((SUBJECT, PLETH), span()).unwrap();
    assert_eq!(waves, (1..=4).map(wave).collect::<Vec<_>>());
    vault.check_trends().unwrap();
    assert_eq!(vault.observations().unwrap().len(), 1_800);
}

/// A store with so many rows that nobody has packed.
fn unpacked(rows: u64, is_summed: bool) -> (tempfile::TempDir, Rig) {
    let dir = tempfile::tempdir().unwrap();
    let (rig, phrase) = Rig::first_start(dir.path());
    rig.stop();
    let mut vault = BareVault::open(&options(dir.path()), &phrase).unwrap();
    assert_eq!(vault.append((1..=rows).map(|seq| observation(1, seq)).collect()).unwrap(), 0);
    if !is_summed {
        vault.forget_sums().unwrap();
    }
    vault.close().unwrap();
    let rig = Rig::restart(dir.path());
    (dir, rig)
}

/// All in the queue while the unlock still runs: so nothing is packed before the trend is answered.
fn unlock_and_ask(rig: &mut Rig) -> Trend {
    let evidence = Evidence::BadgePin(badge(), pin(RIGHT_PIN));
    rig.send(Command::Unlock(Attempt(1), evidence, at(0)));
    rig.send(Command::Trend(query()));
    rig.send(Command::Identify(Attempt(2), Token::Badge(other_badge()), at(0)));
    let answers: Vec<Outcome> = (0..4).map(|_| rig.next()).collect();
    let [Outcome::Unlocked(..), Outcome::Trend(_, trend), Outcome::Identified(..), last] =
        &answers[..]
    else {
        panic!("{answers:?}")
    };
    assert!(matches!(last, Outcome::Imported(_)), "{last:?}");
    trend.clone()
}

#[test]
fn a_trend_waits_for_no_row_to_be_packed() {
    const ROWS: u32 = 9_000;
    let (_dir, mut rig) = unpacked(u64::from(ROWS), true);
    let trend = unlock_and_ask(&mut rig);
    assert_eq!((counted(&trend), trend.unread), (ROWS, 0));
    assert_eq!(count(&mut rig), ROWS);
    rig.close();
    rig.stop();
}

#[test]
fn a_trend_of_what_an_earlier_program_left_is_answered_at_once_and_again_when_it_is_complete() {
    const ROWS: u32 = 9_000;
    let (_dir, mut rig) = unpacked(u64::from(ROWS), false);
    let trend = unlock_and_ask(&mut rig);
    let unread = u32::try_from(trend.unread).unwrap();
    assert!(unread > 0 && counted(&trend) > 0, "{trend:?}");
    assert_eq!(counted(&trend) + unread, ROWS);
    let outcome = rig.next();
    let Outcome::Trend(answered, again) = outcome else { panic!("{outcome:?}") };
    assert_eq!((answered, counted(&again), again.unread), (query(), ROWS, 0));
    assert_eq!(count(&mut rig), ROWS);
    rig.close();
    assert!(rig.stop().is_empty(), "and not once more");
}

/// How long each thread of a store in this process has run or waited for a processor.
fn processor_times() -> BTreeMap<PathBuf, Duration> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let stores = tasks.filter(|task| {
        std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "store")
    });
    // A thread may end meanwhile.
    let times = stores.filter_map(|task| {
        let times = std::fs::read_to_string(task.join("schedstat")).ok()?;
        let nanos = times.split(' ').take(2).map(|time| time.parse::<u64>().unwrap()).sum();
        Some((task, Duration::from_nanos(nanos)))
    });
    times.collect()
}

/// Whether no store runs, or wants to, for this long.
fn all_sleep(time: Duration) -> bool {
    let before = processor_times();
    std::thread::sleep(time);
    let after = processor_times();
    after.iter().all(|(task, ran)| {
        let ran = ran.saturating_sub(before.get(task).copied().unwrap_or_default());
        ran < Duration::from_millis(5)
    })
}

#[test]
fn an_open_store_packs_by_itself_and_then_sleeps() {
    // In a process of its own: the stores of other tests do not sleep.
    process::alone("trends::an_open_store_packs_by_itself_and_then_sleeps", packs_and_sleeps);
}

fn packs_and_sleeps() {
    let dir = tempfile::tempdir().unwrap();
    let retention = Retention { numerics: Duration::from_secs(3_600), ..Retention::default() };
    let (rig, first) = Rig::start(options(dir.path()).with_retention(retention));
    assert!(matches!(first, Outcome::Found(_)), "{first:?}");
    let mut rig = rig;
    let phrase = rig.initialise();
    rig.record(1, 1..=900);
    rig.unlock(at(0));
    // A disk may keep it waiting.
    let mut asleep = 0;
    let mut seconds = 0..120;
    let sleeps = seconds.any(|_| {
        asleep = if all_sleep(Duration::from_secs(1)) { asleep + 1 } else { 0 };
        asleep == 3
    });
    assert!(sleeps, "it is never idle");
    assert_eq!(count(&mut rig), 900);
    rig.close();
    rig.stop();
    let mut vault = contents(dir.path(), &phrase);
    assert_eq!(vault.check_trends().unwrap(), 3, "an hour, a day and a month");
}
