//! Trends against what anybody can compute from all rows.

mod sums;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::keys::vault_keys::VaultKeys;
use crate::record::entry::Entry;
use crate::vault::{entries, patients, retention, rows};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{AuditAct, AuditEntry, Retention, TrendColumn};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{Absent, HEART_RATE, SPO2};
use wardkeep_model::vitals::{Provenance, RecordId};

const DAY_S: i64 = 86_400;
/// 2026-01-01T00:00:00Z.
const START_S: i64 = 1_767_225_600;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(START_S * 1_000_000 + micros).unwrap()
}

fn seconds(seconds: i64) -> Timestamp {
    at(seconds * 1_000_000)
}

fn observation(seq: u64, effective: Timestamp, tenths: i64) -> Observation {
    Observation {
        record: RecordId { run: 1, seq },
        code: HEART_RATE,
        value: Phi::new(Value::Measured(Decimal::new(tenths, -1))),
        unit: Unit::PerMinute,
        effective,
        received: effective,
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![],
        device: DeviceId([1; 6]),
        subject: Some(SubjectId(7)),
        provenance: Provenance::Device,
    }
}

struct Bench {
    _dir: TempDir,
    path: PathBuf,
    keys: VaultKeys,
    vault: Vault,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (path, keys) = (dir.path().join("v"), VaultKeys::generate().unwrap());
        let vault = Vault::create(&path, &keys).unwrap();
        Self { _dir: dir, path, keys, vault }
    }

    fn keep(&mut self, observations: &[Observation]) {
        let entries: Vec<Entry> = observations
            .iter()
            .map(|observation| Entry::Observation(Box::new(observation.clone())))
            .collect();
        assert_eq!(entries::append(&mut self.vault, &entries).unwrap(), 0);
    }

    fn pack(&mut self) {
        while has_unpacked(&self.vault).unwrap() {
            pack_some(&mut self.vault, 0).unwrap();
        }
    }

    fn reopen(self) -> Self {
        let Self { _dir, path, keys, vault } = self;
        vault.close().unwrap();
        let vault = Vault::open(&path, &keys).unwrap();
        Self { _dir, path, keys, vault }
    }

    fn blocks(&self, resolution: Resolution) -> i64 {
        let sql = "SELECT count(*) FROM trend_blocks WHERE resolution = ?1";
        let count = self.vault.connection.query_row(sql, [resolution.number()], |row| row.get(0));
        count.unwrap()
    }
}

fn query((since, until): (Timestamp, Timestamp), columns: u16) -> TrendQuery {
    let (subject, code, unit) = (SubjectId(7), HEART_RATE, Unit::PerMinute);
    TrendQuery { subject, code, unit, since, until, columns }
}

/// The columns of a trend that has every row.
fn complete(bench: &mut Bench, query: TrendQuery) -> Vec<TrendColumn> {
    let trend = trend(&mut bench.vault, query).unwrap();
    assert_eq!(trend.unread, 0);
    trend.columns
}

/// The same from all rows, one after the other, by the words of the documentation alone.
fn naive(rows: &[Observation], query: &TrendQuery) -> Vec<TrendColumn> {
    let resolution = Columns::of(query).resolution();
    let entry_us = i128::from(resolution.entry_us());
    let floor = |at: i128| at - at.rem_euclid(entry_us);
    let (since, until) =
        (i128::from(query.since.as_microsecond()), i128::from(query.until.as_microsecond()));
    let mut values = vec![Vec::new(); usize::from(query.columns)];
    for row in rows {
        let Value::Measured(value) = row.value.reveal() else { continue };
        let counts = row.subject == Some(query.subject)
            && (row.code, row.unit) == (query.code, query.unit)
            && row.clock != ClockConfidence::Unknown;
        let entry = floor(i128::from(row.effective.as_microsecond()));
        if !counts || entry < floor(since) || entry >= until {
            continue;
        }
        let place = (entry.max(since) - since) * i128::from(query.columns) / (until - since);
        values[usize::try_from(place).unwrap()].push(value.to_f64());
    }
    values
        .iter()
        .map(|values| {
            let count = u32::try_from(values.len()).unwrap();
            let sum: f64 = values.iter().sum();
            #[expect(clippy::cast_possible_truncation, reason = "as a trend says it")]
            let column = TrendColumn {
                count,
                min: values.iter().copied().reduce(f64::min).unwrap_or(0.0) as f32,
                max: values.iter().copied().reduce(f64::max).unwrap_or(0.0) as f32,
                mean: if count == 0 { 0.0 } else { (sum / f64::from(count)) as f32 },
            };
            column
        })
        .collect()
}

fn agree(found: &[TrendColumn], expected: &[TrendColumn]) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same =
            (found.count, found.min, found.max) == (expected.count, expected.min, expected.max);
        let near = (found.mean - expected.mean).abs() <= 1e-4;
        prop_assert!(same && near, "column {index}: {found:?} is not {expected:?}");
    }
    Ok(())
}

/// Something that happens to a vault.
#[derive(Clone, Debug)]
enum Op {
    /// Values from this time on: how many, how far apart, what kind.
    Values {
        start_us: i64,
        count: u16,
        step_us: i64,
        kind: u8,
        seed: i64,
    },
    Pack,
    Reopen,
}

fn any_op() -> impl Strategy<Value = Op> {
    let start = prop_oneof![0..DAY_S, 0..2 * DAY_S, -40 * DAY_S..400 * DAY_S];
    let start = (start, 0_i64..1_000_000).prop_map(|(s, us)| s * 1_000_000 + us);
    let step =
        prop_oneof![Just(1_000_000_i64), 1_i64..3_000_000, -2_000_000_000_i64..90_000_000_000];
    let values = (start, 1_u16..90, step, 0_u8..12, 0_i64..1_000);
    prop_oneof![
        6 => values.prop_map(|(start_us, count, step_us, kind, seed)| {
            Op::Values { start_us, count, step_us, kind, seed }
        }),
        2 => Just(Op::Pack),
        1 => Just(Op::Reopen),
    ]
}

/// Most are what is asked for; each other kind differs in one thing.
fn of_kind(kind: u8, mut observation: Observation) -> Observation {
    match kind {
        0 => observation.unit = Unit::Percent,
        1 => observation.subject = None,
        2 => observation.subject = Some(SubjectId(8)),
        3 => observation.code = SPO2,
        4 => observation.clock = ClockConfidence::Unknown,
        5 => observation.clock = ClockConfidence::Corrected,
        6 => observation.value = Phi::new(Value::Absent(Absent::NotANumber)),
        _ => {}
    }
    observation
}

fn any_query() -> impl Strategy<Value = TrendQuery> {
    let length = prop_oneof![1..DAY_S, DAY_S..60 * DAY_S, 60 * DAY_S..420 * DAY_S];
    let columns = prop_oneof![1_u16..10, 100_u16..1_300, Just(4_096_u16)];
    (-DAY_S..3 * DAY_S, length, 0_i64..1_000_000, columns).prop_map(
        |(since, length, micros, columns)| {
            let since = since * 1_000_000 + micros;
            query((at(since), at(since + length * 1_000_000)), columns)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn s7_a_trend_is_what_all_rows_say(
        ops in prop::collection::vec(any_op(), 1..14),
        queries in prop::collection::vec(any_query(), 4),
    ) {
        let mut bench = Bench::new();
        let mut rows = Vec::new();
        for op in ops {
            match op {
                Op::Values { start_us, count, step_us, kind, seed } => {
                    let first = rows.len();
                    for index in 0..i64::from(count) {
                        let seq = rows.len() as u64 + 1;
                        let effective = at(start_us + index * step_us);
                        let tenths = (seed * 7 + index * index) % 2_000 - 300;
                        rows.push(of_kind(kind, observation(seq, effective, tenths)));
                    }
                    bench.keep(&rows[first..]);
                }
                Op::Pack => bench.pack(),
                Op::Reopen => bench = bench.reopen(),
            }
        }
        for round in 0..2 {
            for query in &queries {
                agree(&complete(&mut bench, *query), &naive(&rows, query))?;
            }
            if round == 0 {
                bench.pack();
                // Nothing is left to do, and doing it again changes nothing.
                pack_some(&mut bench.vault, 0).unwrap();
            }
        }
        check(&mut bench.vault).unwrap();
    }
}

#[test]
fn a_day_a_month_and_a_year_are_read_at_their_resolutions() {
    for (days, columns, expected) in [
        (1, 1_280, Resolution::Single),
        (2, 10, Resolution::Single),
        (3, 10, Resolution::Minute),
        (2, 4_096, Resolution::Single),
        (3, 4_096, Resolution::Minute),
        (45, 1_280, Resolution::Minute),
        (90, 4_096, Resolution::Minute),
        (90, 1_280, Resolution::Hour),
        (365, 4_096, Resolution::Hour),
    ] {
        let query = query((seconds(0), seconds(days * DAY_S)), columns);
        let found = Columns::of(&query).resolution();
        assert_eq!(found, expected, "{days} days in {columns} columns");
    }
}

#[test]
fn columns_are_half_open_and_there_are_as_many_as_were_asked_for() {
    let mut bench = Bench::new();
    let values: Vec<_> =
        (0..5).map(|n| observation(n + 1, seconds(n.cast_signed() * 10), 10)).collect();
    bench.keep(&values);
    let counts = |bench: &mut Bench, span, columns| -> Vec<u32> {
        let found = complete(bench, query(span, columns));
        found.iter().map(|column| column.count).collect()
    };
    for _ in 0..2 {
        assert_eq!(counts(&mut bench, (seconds(0), seconds(40)), 4), [1, 1, 1, 1]);
        assert_eq!(counts(&mut bench, (seconds(0), seconds(41)), 2), [3, 2]);
        assert_eq!(counts(&mut bench, (at(1), seconds(41)), 1), [5], "to the millisecond");
        assert_eq!(counts(&mut bench, (at(1_000), seconds(41)), 1), [4]);
        assert_eq!(counts(&mut bench, (seconds(40), seconds(0)), 3), [0, 0, 0]);
        assert_eq!(counts(&mut bench, (seconds(7), seconds(7)), 1), [0]);
        assert!(counts(&mut bench, (seconds(0), seconds(7)), 0).is_empty());
        let always = (Timestamp::MIN, Timestamp::MAX);
        assert_eq!(counts(&mut bench, always, 1), [5]);
        bench.pack();
    }
}

#[test]
fn an_hour_whose_single_values_are_gone_is_drawn_from_its_minutes() {
    let mut bench = Bench::new();
    let values: Vec<_> =
        (0..7_200).map(|n| observation(n + 1, seconds(n.cast_signed()), 700)).collect();
    bench.keep(&values);
    bench.pack();
    assert_eq!(bench.blocks(Resolution::Single), 2);
    bench.vault.connection.execute("DELETE FROM trend_blocks WHERE resolution = 0", []).unwrap();
    // One value comes late: the hour's only single value, but not its only value.
    bench.keep(&[observation(8_000, seconds(1_800), 900)]);
    let span = (seconds(0), seconds(7_200));
    for _ in 0..2 {
        let found = complete(&mut bench, query(span, 2));
        assert_eq!((found[0].count, found[0].max), (3_601, 90.0));
        assert_eq!((found[1].count, found[1].max), (3_600, 70.0));
        bench.pack();
    }
}

#[test]
fn s7_a_patient_whose_key_was_destroyed_has_no_trend() {
    let mut bench = Bench::new();
    bench.keep(&[observation(1, seconds(1), 700)]);
    bench.pack();
    bench.keep(&[observation(2, seconds(2), 700)]);
    bench
        .vault
        .write(|transaction, keys| {
            keys.forget();
            Ok(transaction.execute("UPDATE patient_keys SET sealed = NULL", [])?)
        })
        .unwrap();
    assert_eq!(check(&mut bench.vault).unwrap(), 3, "they are there and do not open");
    for _ in 0..2 {
        let found = complete(&mut bench, query((seconds(0), seconds(60)), 1));
        assert_eq!(found[0].count, 0);
        // Nor does a row that no key opens keep the store busy.
        bench.pack();
    }
}

#[test]
fn an_altered_block_is_damage_and_not_another_picture() {
    let mut bench = Bench::new();
    bench.keep(&[observation(1, seconds(1), 700), observation(2, seconds(4_000), 800)]);
    bench.pack();
    let whole = query((seconds(0), seconds(7_200)), 2);
    let two = complete(&mut bench, whole);
    assert_eq!((two[0].max, two[1].max), (70.0, 80.0));
    let swap = "UPDATE trend_blocks SET body = (SELECT body FROM trend_blocks AS other
         WHERE other.resolution = 0 AND other.start_us <> trend_blocks.start_us)
         WHERE resolution = 0";
    assert_eq!(bench.vault.connection.execute(swap, []).unwrap(), 2);
    assert_eq!(trend(&mut bench.vault, whole), Err(StoreFault::Damaged.into()));
    assert_eq!(check(&mut bench.vault), Err(StoreFault::Damaged.into()));
}

#[test]
fn no_row_is_lost_to_packing_when_its_id_was_given_out_before() {
    let mut bench = Bench::new();
    bench.keep(&[observation(1, seconds(1), 700), observation(2, seconds(2), 700)]);
    bench.pack();
    let entry = AuditEntry::of(AuditAct::Unlocked, seconds(0));
    patients::shred(&mut bench.vault, SubjectId(7), entry).unwrap();
    assert_eq!(check(&mut bench.vault).unwrap(), 0);
    let other = Observation { subject: Some(SubjectId(8)), ..observation(3, seconds(3), 700) };
    bench.keep(&[other]);
    for _ in 0..2 {
        let query = TrendQuery { subject: SubjectId(8), ..query((seconds(0), seconds(60)), 1) };
        let found = complete(&mut bench, query);
        assert_eq!(found[0].count, 1);
        bench.pack();
    }
}

#[test]
fn s7_values_of_other_units_are_left_out() {
    let mut bench = Bench::new();
    let mut kilopascal = observation(1, seconds(1), 160);
    kilopascal.unit = Unit::Kilopascal;
    let mut mercury = observation(2, seconds(2), 1_200);
    mercury.unit = Unit::MillimetreMercury;
    bench.keep(&[kilopascal, mercury]);
    for _ in 0..2 {
        for (unit, mean) in [(Unit::Kilopascal, 16.0), (Unit::MillimetreMercury, 120.0)] {
            let query = TrendQuery { unit, ..query((seconds(0), seconds(60)), 1) };
            let found = complete(&mut bench, query);
            assert_eq!((found[0].count, found[0].mean), (1, mean));
        }
        bench.pack();
    }
}

#[test]
fn a_trend_waits_for_nothing_that_retention_deletes() {
    // The first step packs, whatever is expired: what is not packed is never deleted.
    let mut bench = Bench::new();
    let values: Vec<_> =
        (0..1_500).map(|n| observation(n + 1, seconds(n.cast_signed()), 700)).collect();
    bench.keep(&values);
    let none =
        Retention { numerics: Duration::ZERO, waveforms: Duration::ZERO, ..Retention::default() };
    let (mut witness, mut now) = (
        None,
        wardkeep_model::moment::Moment {
            boot: wardkeep_model::moment::BootTime::default(),
            wall: seconds(1_500),
        },
    );
    for _ in 0..40 {
        while retention::keep_up(&mut bench.vault, &mut witness, now, &none).unwrap() {}
        now = now + Duration::from_secs(1_800);
    }
    assert!(rows::observations(&bench.vault).unwrap().is_empty());
    assert_eq!(bench.blocks(Resolution::Single), 0);
    let found = complete(&mut bench, query((seconds(0), seconds(1_500)), 1));
    assert_eq!((found[0].count, found[0].mean), (1_500, 70.0));
}
