//! Random lives of a vault: no alarm without a reason, and none missing with one. `WARDKEEP_LIVES=200`
//! tries as many seeds.

use super::*;
use crate::vault::audit;

/// A generator that a seed fixes (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// What a life leaves: copies of every age, the closed state, and what a witness remembers of it.
struct Life {
    bench: Bench,
    ages: Vec<Copy>,
    end: Copy,
    seen: RememberedVault,
    opens: u64,
}

fn live(seed: u64) -> Life {
    let bench = Bench::new();
    let mut random = Random(seed);
    let mut vault = bench.create();
    let (mut ages, mut rows, mut seen, mut opens) = (Vec::new(), 0, RememberedVault::default(), 0);
    for step in 0..14 {
        match random.below(9) {
            0..4 => {
                let count = 1 + usize::try_from(random.below(30)).unwrap();
                add(&mut vault, count);
                rows += count;
            }
            4 => rewrite(&mut vault, step),
            5 => fold(&mut vault),
            6 => shrink(&mut vault),
            7 => {
                seen = vault.settle().unwrap();
                vault.close().unwrap();
                vault = bench.open();
                opens += 1;
            }
            _ => {
                drop(vault);
                vault = bench.open();
                opens += 1;
            }
        }
        vault.check_remembered(seen).unwrap();
        compare_all(&mut vault);
        assert_eq!(vault.findings(), [], "seed {seed}, step {step}");
        assert_eq!(audit::all(&vault).unwrap().len(), rows, "seed {seed}, step {step}");
        ages.push(bench.copy());
    }
    add(&mut vault, 3);
    let seen = vault.settle().unwrap();
    vault.close().unwrap();
    let end = bench.copy();
    Life { bench, ages, end, seen, opens }
}

#[test]
fn s8_random_lives_raise_no_alarm_and_anything_put_back_raises_one() {
    let seeds: u64 = std::env::var("WARDKEEP_LIVES").map_or(40, |lives| lives.parse().unwrap());
    let (mut opens, mut trials, mut refused) = (0, 0, 0);
    for seed in 0..seeds {
        let life = live(seed);
        opens += life.opens;
        life.bench.put(&life.end);
        let places = live_table(&life.bench);
        let mut random = Random(seed ^ 0xa77a);
        for _ in 0..3 {
            let age = usize::try_from(random.below(life.ages.len() as u64)).unwrap();
            // Which of the database, its log, its head and its tables are put back: some, or all.
            let which = 1 + random.below(15);
            let mut state = life.end.clone();
            for (bit, prefix) in ["vault.db", "vault.db-wal", "vault.head", "vault.pages"]
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| which & (1 << bit) != 0)
            {
                let takes = |name: &str| match bit {
                    0..3 => name == prefix,
                    _ => name.starts_with(prefix),
                };
                state.retain(|name, _| !takes(name));
                let old = life.ages[age].iter().filter(|(name, _)| takes(name));
                state.extend(old.map(|(name, content)| (name.clone(), content.clone())));
            }
            if matters(&state, &places) == matters(&life.end, &places) {
                continue;
            }
            trials += 1;
            let other = tempfile::tempdir().unwrap();
            put_into(other.path(), &state);
            let opened = Vault::open(&other.path().join("vault.db"), &life.bench.keys);
            let found = opened.and_then(|mut vault| {
                vault.check_remembered(life.seen)?;
                compare_all(&mut vault);
                Ok(vault.findings())
            });
            refused += u64::from(found == Err(StoreFault::Damaged.into()));
            let reported = found.as_ref().map_or(true, |found| !found.is_empty());
            assert!(reported, "seed {seed}, age {age}, files {which:04b}: {found:?}");
        }
    }
    println!(
        "{seeds} lives with {opens} reopenings: 0 false alarms; {trials} times files put back: all \
         reported, {refused} of them as damaged"
    );
    assert!(trials > seeds, "{trials}");
}

/// An older log beside a database that has everything: reported, and nothing is lost to it.
#[test]
fn s8_an_older_log_on_a_closed_vault_is_set_aside_and_nothing_is_gone() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let mut logs = Vec::new();
    for round in 0..6 {
        add(&mut vault, 9);
        rewrite(&mut vault, round);
        logs.push(bench.copy()["vault.db-wal"].clone());
        if round % 2 == 1 {
            vault.close().unwrap();
            vault = bench.open();
        }
    }
    let end = vault.parts_for_tests().2.head.commit;
    vault.close().unwrap();
    let closed = bench.copy();
    // The last log is that of the last commits: it repeats what the database has.
    for (age, log) in logs.iter().enumerate() {
        for len in [log.len(), log.len() * 2 / 3] {
            let mut state = closed.clone();
            state.insert("vault.db-wal".into(), log[..len].to_vec());
            bench.put(&state);
            let mut vault = bench.open();
            let found = vault.findings();
            assert_eq!(audit::all(&vault).unwrap().len(), 54, "age {age}");
            assert!(vault.parts_for_tests().2.head.commit.seq >= end.seq, "age {age}");
            if age < 5 || len < log.len() {
                assert_eq!(kinds(&found), [FindingKind::VaultOlder], "age {age}");
                assert_eq!((found[0].count, found[0].expected), (0, Some(end.seq)), "age {age}");
                let kept = bench.dir.path().join("vault.db-wal.older");
                assert_eq!(fs::read(kept).unwrap(), log[..len], "age {age}");
            } else {
                assert_eq!(found, [], "a log that repeats the database");
            }
            add(&mut vault, 1);
            vault.close().unwrap();
            assert_eq!(bench.open().findings(), [], "age {age}");
        }
    }
}

/// A state without what nothing refers to: the chunks of the table that are not in use.
fn matters(copy: &Copy, places: &[usize]) -> Copy {
    let mut copy = copy.clone();
    if let Some(table) = copy.get_mut("vault.pages") {
        let live = places.iter().filter_map(|at| table.get(*at..at + PAGE));
        *table = live.flatten().copied().collect();
    }
    copy
}
