//! The minutes that are written with rows: always what the rows say that no block has.

use super::*;
use crate::vault::database::fault::VaultFault;
use crate::vault::database::meta;
use crate::vault::trends::pack::pack_some;

/// Whom the trends are asked for, and somebody else.
const SUBJECTS: [SubjectId; 2] = [SubjectId(7), SubjectId(8)];

/// Something that happens to a vault.
#[derive(Clone, Debug)]
enum Op {
    /// Values of this person: how many, how far apart.
    Values {
        subject: usize,
        start_us: i64,
        count: u16,
        step_us: i64,
    },
    /// The last of them come once more, as an import that was killed before it deleted its segment repeats them.
    Again(u16),
    /// So many that fail to be committed.
    Fail(u16),
    /// What there is of a chunk.
    PackSome,
    PackAll,
    /// The program is one that sums nothing.
    Unsummed,
    /// Whatever has a row and is packed.
    Expire,
    Shred(usize),
    Reopen,
}

fn any_op() -> impl Strategy<Value = Op> {
    let start = (0..3 * 3_600_i64, 0_i64..1_000_000).prop_map(|(s, us)| s * 1_000_000 + us);
    let values = (0_usize..2, start, 1_u16..90, -3_000_000_i64..90_000_000);
    prop_oneof![
        8 => values.prop_map(|(subject, start_us, count, step_us)| {
            Op::Values { subject, start_us, count, step_us }
        }),
        2 => (1_u16..120).prop_map(Op::Again),
        1 => (1_u16..60).prop_map(Op::Fail),
        3 => Just(Op::PackSome),
        1 => Just(Op::PackAll),
        1 => Just(Op::Unsummed),
        1 => Just(Op::Expire),
        1 => (0_usize..2).prop_map(Op::Shred),
        1 => Just(Op::Reopen),
    ]
}

/// A vault and what it was given.
struct Given {
    bench: Bench,
    rows: Vec<Observation>,
    /// Numbers that were given out.
    seq: u64,
    shredded: [bool; 2],
    expired: bool,
}

impl Given {
    /// A vault whose next row has this id.
    fn new(first_id: i64) -> Self {
        let mut bench = Bench::new();
        let one = observation(1, seconds(0), 600);
        bench.keep(std::slice::from_ref(&one));
        let move_it = |transaction: &Transaction<'_>, _: &mut PatientKeys| {
            transaction.execute("UPDATE observations SET id = ?1", [first_id - 1])?;
            transaction.execute("UPDATE taken SET last_id = ?1", [first_id - 1])?;
            recent::nothing_is_summed(transaction)
        };
        bench.vault.write(move_it).unwrap();
        Self { bench, rows: vec![one], seq: 1, shredded: [false; 2], expired: false }
    }

    fn some(
        &mut self,
        subject: usize,
        (start_us, count, step_us): (i64, u16, i64),
    ) -> Vec<Observation> {
        let made = (0..i64::from(count)).map(|index| {
            self.seq += 1;
            let tenths = (i64::try_from(self.seq).unwrap() * 37) % 2_000;
            let one = observation(self.seq, at(start_us + index * step_us), tenths);
            Observation { subject: Some(SUBJECTS[subject]), ..one }
        });
        made.collect()
    }

    fn happens(mut self, op: Op) -> Self {
        match op {
            Op::Values { subject, .. } if self.shredded[subject] => {}
            Op::Values { subject, start_us, count, step_us } => {
                let made = self.some(subject, (start_us, count, step_us));
                self.bench.keep(&made);
                self.rows.extend(made);
            }
            Op::Again(count) => {
                let alive = self.rows.iter().rev().take(count.into()).cloned();
                // Of what has expired nobody knows any more that it was there.
                let again: Vec<_> = if self.expired { vec![] } else { alive.collect() };
                self.bench.keep(&again);
            }
            Op::Fail(count) => {
                let made = self.some(0, (0, count, 500_000));
                let entries: Vec<Entry> =
                    made.into_iter().map(|one| Entry::Observation(Box::new(one))).collect();
                let failed = self.bench.vault.write(|transaction, keys| {
                    entries::insert(transaction, keys, &entries)?;
                    Err::<(), _>(VaultFault::from(StoreFault::Full))
                });
                assert_eq!(failed, Err(StoreFault::Full.into()));
            }
            Op::PackSome => pack_some(&mut self.bench.vault, 0).unwrap(),
            Op::PackAll => self.bench.pack(),
            Op::Unsummed => {
                let forget = |transaction: &Transaction<'_>, _: &mut PatientKeys| {
                    recent::nothing_is_summed(transaction)
                };
                self.bench.vault.write(forget).unwrap();
            }
            Op::Expire => {
                let last = packed(&self.bench.vault.connection).unwrap();
                let expire = |transaction: &Transaction<'_>, _: &mut PatientKeys| {
                    transaction.execute("DELETE FROM observations WHERE id <= ?1", [last])?;
                    retention::rows_were_deleted(transaction)
                };
                self.bench.vault.write(expire).unwrap();
                self.expired = true;
            }
            Op::Shred(subject) => {
                let entry = AuditEntry::of(AuditAct::PatientShredded, seconds(0));
                patients::shred(&mut self.bench.vault, SUBJECTS[subject], entry).unwrap();
                self.rows.retain(|row| row.subject != Some(SUBJECTS[subject]));
                self.shredded[subject] = true;
            }
            Op::Reopen => self.bench = self.bench.reopen(),
        }
        self
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn s7_whatever_happens_the_minutes_are_what_the_rows_say_and_so_is_the_trend(
        ops in prop::collection::vec(any_op(), 1..24),
        // So that a chunk ends on the way.
        first_id in prop_oneof![2_i64..60, 1_900_i64..2_060],
    ) {
        let mut given = Given::new(first_id);
        for op in ops {
            let told = format!("{op:?}");
            given = given.happens(op);
            prop_assert!(check(&mut given.bench.vault).is_ok(), "after {}", told);
            for subject in SUBJECTS {
                // Three days, which are drawn from minutes.
                let query = TrendQuery { subject, ..query((seconds(-DAY_S), seconds(2 * DAY_S)), 500) };
                let found = complete(&mut given.bench, query);
                agree(&found, &naive(&given.rows, &query))?;
            }
        }
    }
}

fn crowd(bench: &mut Bench, count: u64) -> Vec<Observation> {
    let value = |n: u64| observation(n, seconds(n.cast_signed()), 600 + n.cast_signed() % 50);
    let rows: Vec<_> = (1..=count).map(value).collect();
    for some in rows.chunks(256) {
        bench.keep(some);
    }
    rows
}

#[test]
fn single_values_of_which_too_many_are_not_packed_are_drawn_from_their_minutes() {
    let mut bench = Bench::new();
    let rows = crowd(&mut bench, 6_000);
    let query = query((seconds(0), seconds(7_200)), 4);
    assert_eq!(Columns::of(&query).resolution(), Resolution::Single);
    // Edges at whole minutes: then minutes say the same.
    for _ in 0..4 {
        let found = complete(&mut bench, query);
        agree(&found, &naive(&rows, &query)).unwrap();
        pack_some(&mut bench.vault, 0).unwrap();
    }
    assert!(!has_unpacked(&bench.vault).unwrap());
}

#[test]
fn what_an_earlier_program_left_is_in_a_trend_once_it_is_packed_and_its_last_values_before() {
    let mut bench = Bench::new();
    let rows = crowd(&mut bench, 10_000);
    // As version 7 of the schema was.
    let earlier = |transaction: &Transaction<'_>, _: &mut PatientKeys| {
        transaction.execute_batch("DROP TABLE trend_recent; PRAGMA user_version = 7;")?;
        Ok(transaction.execute("DELETE FROM meta WHERE name = 'trend_summed_id'", [])?)
    };
    assert_eq!(bench.vault.write(earlier), Ok(1));
    bench = bench.reopen();
    assert_eq!(meta::get(&bench.vault.connection, "trend_summed_id").unwrap(), Some(10_000));
    let more: Vec<_> =
        (10_001..=10_050).map(|n| observation(n, seconds(n.cast_signed()), 600)).collect();
    bench.keep(&more);
    let all: Vec<_> = rows.into_iter().chain(more).collect();
    let query = query((seconds(0), seconds(3 * DAY_S)), 7);
    let count =
        |trend: &Trend| -> u64 { trend.columns.iter().map(|column| u64::from(column.count)).sum() };
    let mut unread = Vec::new();
    while has_unread(&bench.vault).unwrap() {
        let found = trend(&mut bench.vault, query).unwrap();
        assert_eq!(count(&found) + found.unread, 10_050);
        unread.push(found.unread);
        pack_some(&mut bench.vault, 0).unwrap();
    }
    assert_eq!(unread, [10_000 - 4_096, 10_000 - 4_096 - 2_047, 10_000 - 4_096 - 4_095]);
    agree(&complete(&mut bench, query), &naive(&all, &query)).unwrap();
    bench.pack();
    agree(&complete(&mut bench, query), &naive(&all, &query)).unwrap();
}

#[test]
fn sums_that_do_not_open_stop_the_trend_and_not_the_recording_until_their_rows_are_packed() {
    let mut bench = Bench::new();
    let rows = crowd(&mut bench, 300);
    let damage = |transaction: &Transaction<'_>, _: &mut PatientKeys| {
        Ok(transaction.execute("UPDATE trend_recent SET body = zeroblob(length(body))", [])?)
    };
    assert_eq!(bench.vault.write(damage), Ok(1));
    let late = [observation(301, seconds(301), 600)];
    bench.keep(&late);
    let query = query((seconds(0), seconds(3 * DAY_S)), 7);
    assert_eq!(trend(&mut bench.vault, query), Err(StoreFault::Damaged.into()));
    assert_eq!(check(&mut bench.vault), Err(StoreFault::Damaged.into()));
    bench.pack();
    check(&mut bench.vault).unwrap();
    let all: Vec<_> = rows.into_iter().chain(late).collect();
    agree(&complete(&mut bench, query), &naive(&all, &query)).unwrap();
}

#[test]
fn sums_that_are_not_what_the_rows_say_are_found_by_a_check() {
    let mut bench = Bench::new();
    crowd(&mut bench, 10);
    check(&mut bench.vault).unwrap();
    // A row that was summed is another's.
    let lose = |transaction: &Transaction<'_>, _: &mut PatientKeys| {
        Ok(transaction.execute("DELETE FROM observations WHERE id = 5", [])?)
    };
    bench.vault.write(lose).unwrap();
    assert_eq!(check(&mut bench.vault), Err(StoreFault::Damaged.into()));
}
