//! Makes stores as a year at one bed leaves them: three values a second, the last 30 days as rows and single
//! values, a year as minutes and hours, audit entries, and some rows that wait to be packed.

use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;
use wardkeep_model::access::OperatorId;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{AuditAct, AuditEntry, RecoveryPhrase};
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{
    HEART_RATE, Mdc, PULSE_RATE_OXIMETER, SPO2, Status, Unit,
};
use wardkeep_model::vitals::{ClockConfidence, DeviceId, Observation, Provenance, RecordId, Value};
use wardkeep_store::machine::device_secret::SecretFile;
use wardkeep_store::{BareVault, Options, PackedDay, Size};

use crate::desk::{Desk, PATIENT};

/// What is measured each second.
pub const CODES: [(Mdc, Unit); 3] =
    [(HEART_RATE, Unit::PerMinute), (SPO2, Unit::Percent), (PULSE_RATE_OXIMETER, Unit::PerMinute)];
pub const PER_SECOND: u64 = CODES.len() as u64;
const DAY_S: i64 = 86_400;
/// What retention keeps by default.
const ROWS_DAYS: i64 = 30;
const MINUTES_DAYS: i64 = 365;
/// The patient who is there has been for so long; before, somebody else came every four days.
const STAY_DAYS: i64 = 40;
const AUDIT_A_DAY: i64 = 200;
/// Seconds whose values are not packed yet.
const UNPACKED_S: i64 = 500;

/// Bytes of a packed observation.
#[derive(Clone, Copy, Debug)]
pub struct Packed {
    /// While single values are kept.
    pub singles: f64,
    /// After that.
    pub older: f64,
}

/// A store that was made.
pub struct Made {
    pub dir: PathBuf,
    pub phrase: RecoveryPhrase,
    /// The second after the last value, since 1970.
    pub end_s: i64,
    /// Numbers that were given out are below it, times three.
    pub seqs: u64,
    /// Rows in it.
    pub rows: u64,
    pub packed: Packed,
}

impl Made {
    /// A store of so many observations; `packed`, or all of them rows that nobody has packed.
    pub fn new(dir: &Path, observations: u64, packed: bool) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let dir = dir.to_owned();
        let phrase = Desk::first_start(options(&dir))?;
        let seconds = i64::try_from(observations / PER_SECOND)?;
        let end_s = Moment::read().wall.as_second();
        let mut made = Self {
            phrase,
            end_s,
            seqs: observations / PER_SECOND,
            rows: 0,
            packed: Packed { singles: 0.0, older: 0.0 },
            dir,
        };
        made.fill(seconds, packed)?;
        let mib = std::fs::metadata(made.dir.join("store/vault.db"))?.len() >> 20;
        println!(
            "made in {:.0} s: {} rows, vault of {mib} MiB",
            begun.elapsed().as_secs_f64(),
            made.rows
        );
        Ok(made)
    }

    pub fn options(&self) -> Options {
        options(&self.dir)
    }

    fn fill(&mut self, seconds: i64, packed: bool) -> anyhow::Result<()> {
        let mut vault = BareVault::open(&self.options(), &self.phrase)?;
        let start = self.end_s - seconds;
        let (mut sizes, mut counts) = ([0_u64; 2], [0_u64; 2]);
        let last = if packed { seconds - UNPACKED_S } else { seconds };
        let mut from = 0;
        while from < last {
            let to = (from + DAY_S).min(last);
            let left_days = (seconds - from) / DAY_S;
            let (rows, singles) = (!packed || left_days < ROWS_DAYS, left_days < ROWS_DAYS);
            if left_days < MINUTES_DAYS {
                let before = vault.size()?;
                if packed {
                    let days: Vec<_> =
                        (0..CODES.len()).map(|code| values(start, (from, to), code)).collect();
                    let packed: Vec<_> = days
                        .iter()
                        .zip(CODES)
                        .map(|(values, (code, unit))| {
                            let of = (patient(left_days), code, unit);
                            PackedDay { of, values, singles }
                        })
                        .collect();
                    // A microsecond before the rows: no two marks are of one age.
                    keep(&mut vault, (vec![], vec![]), &packed, (to * 1_000_000 - 1, start))?;
                }
                let grown = live(vault.size()?).saturating_sub(live(before));
                let kind = usize::from(!singles);
                sizes[kind] += grown;
                counts[kind] += (to - from).unsigned_abs() * PER_SECOND;
            }
            let mut observations = Vec::new();
            if rows {
                for at in from..to {
                    let seq = at.unsigned_abs();
                    let subject = patient(left_days);
                    observations.extend(
                        second(seq, start + at)
                            .into_iter()
                            .map(|one| Observation { subject: Some(subject), ..one }),
                    );
                }
            }
            self.rows += observations.len() as u64;
            let marks = if packed {
                &[PackedDay {
                    of: (PATIENT, HEART_RATE, Unit::PerMinute),
                    values: &[],
                    singles: false,
                }][..]
            } else {
                &[]
            };
            keep(&mut vault, (observations, audit(start + from)?), marks, (to * 1_000_000, start))?;
            from = to;
        }
        for at in last..seconds {
            let refused = vault.append(second(at.unsigned_abs(), start + at))?;
            anyhow::ensure!(refused == 0, "{refused} refused");
            self.rows += PER_SECOND;
        }
        let each = |kind: usize| sizes[kind] as f64 / counts[kind].max(1) as f64;
        self.packed = Packed { singles: each(0), older: each(1) };
        Ok(vault.close()?)
    }
}

fn keep(
    vault: &mut BareVault,
    rows: (Vec<Observation>, Vec<AuditEntry>),
    packed: &[PackedDay<'_>],
    (age_us, start_s): (i64, i64),
) -> anyhow::Result<()> {
    let wall = Timestamp::from_microsecond(start_s * 1_000_000 + age_us)?;
    let refused = vault.keep_day(rows, packed, (age_us, wall))?;
    anyhow::ensure!(refused == 0, "{refused} refused");
    Ok(())
}

fn live(size: Size) -> u64 {
    size.whole - size.free
}

fn options(dir: &Path) -> Options {
    Options::new(dir).with_device_secret(SecretFile::new(dir)).with_cost_for_tests()
}

fn patient(left_days: i64) -> SubjectId {
    let before = (left_days - STAY_DAYS).max(-1);
    if before < 0 { PATIENT } else { SubjectId(1_000 + u128::from((before / 4).unsigned_abs())) }
}

/// Tenths of the value of a code at a second: it wanders as a person's does.
fn tenths(at_s: i64, code: usize) -> i64 {
    let wander = (at_s / 7 + at_s / 311).rem_euclid(97) + at_s.rem_euclid(3);
    match code {
        1 => 940 + wander / 2 * 10 / 10,
        _ => 600 + 4 * wander,
    }
}

/// When a value is measured: devices do not send at whole seconds.
fn instant_us(at_s: i64, code: usize) -> i64 {
    at_s * 1_000_000 + (at_s * 7_919 + i64::try_from(code / 2).unwrap_or(0)).rem_euclid(900_000)
}

fn values(start: i64, (from, to): (i64, i64), code: usize) -> Vec<(i64, f32)> {
    #[expect(clippy::cast_possible_truncation, reason = "as a trend has it")]
    let value = |at_s: i64| (tenths(at_s, code) as f64 / 10.0) as f32;
    (start + from..start + to).map(|at_s| (instant_us(at_s, code), value(at_s))).collect()
}

/// What a strap and an oximeter give in a second. Numbers are given out in one row for all devices of a run.
pub fn second(index: u64, at_s: i64) -> Vec<Observation> {
    let one = |code: usize| {
        let (mdc, unit) = CODES[code];
        let at = Timestamp::from_microsecond(instant_us(at_s, code)).unwrap_or_default();
        Observation {
            // The program was started anew every week.
            record: RecordId {
                run: 1 + index / 604_800,
                seq: PER_SECOND * index + code as u64 + 1,
            },
            code: mdc,
            value: Phi::new(Value::Measured(Decimal::new(tenths(at_s, code), -1))),
            unit,
            effective: at,
            received: at,
            device_time: None,
            clock: ClockConfidence::Live,
            status: if code == 0 { vec![Status::ContactDetected] } else { vec![] },
            device: DeviceId([if code == 0 { 1 } else { 2 }; 6]),
            subject: Some(PATIENT),
            provenance: Provenance::Device,
        }
    };
    (0..CODES.len()).map(one).collect()
}

/// So many values in a row from a second on; `first` is how many were asked for before.
pub fn rows(first: u64, from_s: i64, count: usize) -> Vec<Observation> {
    let from = first / PER_SECOND;
    let seconds = (from..).flat_map(|index| second(index, from_s + index.cast_signed()));
    let skipped = usize::try_from(first % PER_SECOND).unwrap_or(0);
    seconds.skip(skipped).take(count).collect()
}

fn audit(from_s: i64) -> anyhow::Result<Vec<AuditEntry>> {
    let acts = [AuditAct::Unlocked, AuditAct::Locked, AuditAct::AlarmAcknowledged];
    (0..AUDIT_A_DAY)
        .zip(acts.into_iter().cycle())
        .map(|(number, act)| {
            let at = Timestamp::from_second(from_s + number * (DAY_S / AUDIT_A_DAY))?;
            let operator = Some(OperatorId(7));
            Ok(AuditEntry { operator, ..AuditEntry::of(act, at) })
        })
        .collect()
}
