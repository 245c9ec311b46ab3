//! Any part of a store put back as it was at any moment, alone or with any others: refused, reported, or what the
//! security page says nobody can tell. The table that is printed is the one of that page.
//!
//! `WARDKEEP_ATTACKS=1000000 cargo test -p wardkeep-tests --test store_faults attack -- --nocapture` tries all
//! there are.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]
#![expect(clippy::print_stdout, reason = "the table is the proof")]
#![expect(clippy::wildcard_enum_match_arm, reason = "any other outcome is a refusal")]

use std::collections::BTreeMap;
use std::path::Path;

use kit::store::attack::{PARTS, Part, differ, put_back, subsets, unlock};
use kit::store::desk::*;
use kit::store::tree::{self, Tree, at_one_instant, scratch};
use kit::store::*;
use wardkeep_model::access::Role;
use wardkeep_model::keeping::{FindingKind, Found, Outcome};

/// How many of all attacks are tried.
fn attacks() -> usize {
    std::env::var("WARDKEEP_ATTACKS").map_or(120, |text| text.parse().unwrap())
}

/// A store's files at many moments of its life: locked and recording, open and recording, in the middle of an enrolment and
/// after a revocation, killed and started again.
fn life() -> Vec<Tree> {
    let dir = scratch();
    let (mut rig, _) = Rig::first_start(dir.path());
    let mut moments = Vec::new();
    let mut seq = 0;
    let mut record = |rig: &mut Rig, count: u64| {
        rig.record(1, seq + 1..=seq + count);
        seq += count;
        rig.settle();
    };
    for round in 0..3_u8 {
        for _ in 0..2 {
            record(&mut rig, 60);
            moments.push(at_one_instant(dir.path()));
        }
        rig.log_in(it());
        record(&mut rig, 20);
        moments.push(at_one_instant(dir.path()));
        let nurse = rig.enrol(&format!("Nora {round}"), Role::Nurse, 20 + round, PIN);
        moments.push(at_one_instant(dir.path()));
        if round == 1 {
            rig.revoke(nurse).unwrap();
            moments.push(at_one_instant(dir.path()));
        }
        record(&mut rig, 20);
        rig.close();
        moments.push(at_one_instant(dir.path()));
        rig.unlock_at((other_badge(), WRONG_PIN), at(u64::from(round) * 50)).unwrap_err();
        moments.push(at_one_instant(dir.path()));
    }
    record(&mut rig, 40);
    rig.stop();
    moments.push(tree::tree(dir.path()));
    moments
}

/// What came of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    /// Nobody comes in, and the store says why.
    Refused,
    /// Somebody comes in, and it is told.
    Reported,
    /// Nothing was said.
    Unnoticed,
}

fn answer(dir: &Path) -> Answer {
    let (mut rig, first) = Rig::start(options(dir));
    let answer = match first {
        Outcome::Found(Found::Store(_)) => {
            let came_in = rig.unlock_at((badge(), RIGHT_PIN), at(1_000)).is_ok();
            if came_in {
                while !matches!(rig.next(), Outcome::Imported(_)) {}
                rig.close();
            }
            let told = rig.stop_told();
            match (came_in, told.is_empty()) {
                (false, _) => Answer::Refused,
                (true, false) => Answer::Reported,
                (true, true) => Answer::Unnoticed,
            }
        }
        _ => {
            rig.stop();
            Answer::Refused
        }
    };
    kit::process::settle();
    answer
}

#[test]
fn s8_any_parts_put_back_are_refused_or_reported_unless_they_are_all_that_changed() {
    let moments = life();
    let (now, before) = moments.split_last().unwrap();
    let mut all: Vec<(usize, Vec<Part>)> = Vec::new();
    for parts in subsets() {
        all.extend((0..before.len()).map(|moment| (moment, parts.clone())));
    }
    // A stride that has no factor in common with their number visits them evenly, whatever is asked for.
    let count = attacks().min(all.len());
    let stride =
        (0..).map(|more| all.len() / 3 * 2 + 1 + more).find(|stride| coprime(*stride, all.len()));
    let mut table: BTreeMap<Vec<Part>, BTreeMap<Answer, u32>> = BTreeMap::new();
    let (mut trials, mut unexpected) = (0, Vec::new());
    for attack in 0..count {
        let (moment, parts) = &all[attack * stride.unwrap() % all.len()];
        let then = &before[*moment];
        let mixed = put_back(now, then, parts);
        if !differ(&mixed, now) {
            continue;
        }
        trials += 1;
        let dir = scratch();
        tree::write(&mixed, dir.path());
        unlock(dir.path());
        let answer = answer(dir.path());
        let is_whole = !differ(&without_newer_slots(mixed, then), then);
        if answer == Answer::Unnoticed && !is_whole {
            unexpected.push(format!("{parts:?} of moment {moment}"));
        }
        *table.entry(parts.clone()).or_default().entry(answer).or_default() += 1;
    }
    println!("{trials} attacks of {} that there are, {} unexpected", all.len(), unexpected.len());
    println!(
        "| put back | refused | reported | unnoticed: all that had changed since |\n|---|---|---|---|"
    );
    for (parts, answers) in &table {
        let words: Vec<&str> = parts.iter().map(|part| part.word()).collect();
        let of = |answer| answers.get(&answer).copied().unwrap_or(0);
        let [refused, reported, unnoticed] =
            [Answer::Refused, Answer::Reported, Answer::Unnoticed].map(of);
        println!("| {} | {refused} | {reported} | {unnoticed} |", words.join(", "));
    }
    assert!(trials > count / 2 && PARTS.len() == 6, "{trials}");
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

/// A slot that nobody refers to is what a kill in an enrolment leaves: it opens nothing and is swept away.
fn without_newer_slots(mut tree: Tree, then: &Tree) -> Tree {
    tree.retain(|path, _| Part::of(path) != Some(Part::Slots) || then.contains_key(path));
    tree
}

fn coprime(mut one: usize, mut other: usize) -> bool {
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one == 1
}

/// Killed in the middle of a session, or of a locked stretch, one part is put back as it was seconds before: no start and
/// no lock was in between, so only what each flush notes beside the others can tell.
#[test]
fn s8_a_part_put_back_within_one_session_is_told() {
    for (is_open, part) in [(true, Part::Vault), (false, Part::Inbox)] {
        let dir = scratch();
        let (mut rig, _) = Rig::first_start(dir.path());
        if is_open {
            rig.log_in(it());
        }
        rig.record(1, 1..=300);
        rig.settle();
        let then = at_one_instant(dir.path());
        rig.record(1, 301..=600);
        rig.settle();
        let now = at_one_instant(dir.path());
        rig.stop();
        let at = |tree: &Tree| {
            let dir = scratch();
            tree::write(tree, dir.path());
            unlock(dir.path());
            answer(dir.path())
        };
        assert_eq!(at(&now), Answer::Unnoticed, "{part:?}: a kill alone is no finding");
        assert_eq!(at(&put_back(&now, &then, &[part])), Answer::Reported, "{part:?}");
    }
}

/// Files put back under a program that runs: it knows what it wrote, and says so at the next unlock or lock.
#[test]
fn s8_files_put_back_under_a_running_program_are_told_with_both_numbers() {
    for part in [Part::Keyring, Part::Cart, Part::Seen, Part::Inbox] {
        let dir = scratch();
        let (mut rig, _) = Rig::first_start(dir.path());
        rig.log_in(it());
        rig.enrol("Nora Quist", Role::Nurse, 1, PIN);
        rig.close();
        let then = at_one_instant(dir.path());
        rig.record(1, 1..=30);
        rig.log_in(it());
        rig.enrol("Otto Berg", Role::Nurse, 2, PIN);
        rig.close();
        rig.record(1, 31..=60);
        rig.settle();
        rig.findings.clear();
        let old = put_back(&Tree::new(), &then, &[part]);
        for (path, content) in &old {
            std::fs::write(dir.path().join(path), content.as_ref().unwrap()).unwrap();
        }
        rig.log_in(it());
        let kind = match part {
            Part::Keyring => FindingKind::KeyringOlder,
            Part::Cart => FindingKind::CartOlder,
            Part::Inbox => FindingKind::InboxOlder,
            _ => FindingKind::MemoryOlder,
        };
        let found: Vec<_> = rig.findings.iter().filter(|found| found.kind == kind).collect();
        assert!(!found.is_empty(), "{part:?}: {:?}", rig.findings);
        assert!(found.iter().all(|one| one.found < one.expected), "{found:?}");
        // What it went on with is what it knew: both people come in, all records are there.
        assert!(rig.opens(badge_pin(1, PIN)) && rig.opens(badge_pin(2, PIN)), "{part:?}");
        rig.findings.clear();
        rig.log_in(it());
        assert_eq!(rig.findings, [], "{part:?}: told once");
        rig.close();
        rig.stop();
        assert_eq!(answer(dir.path()), Answer::Unnoticed, "{part:?}: and mended");
    }
}

/// Another file in the place of the vault's own, while it is open: what were written from then on would be in no file
/// that anybody finds again.
#[test]
fn s8_a_vault_exchanged_while_it_is_open_is_bypassed_and_its_gap_told() {
    let dir = scratch();
    let (mut rig, phrase) = Rig::first_start(dir.path());
    rig.log_in(it());
    rig.record(1, 1..=10);
    rig.settle();
    let then = at_one_instant(dir.path());
    rig.record(1, 11..=20);
    rig.settle();
    for path in ["store/vault.db", "store/vault.db-wal"] {
        let beside = dir.path().join("beside");
        std::fs::write(&beside, then[Path::new(path)].as_ref().unwrap()).unwrap();
        std::fs::rename(&beside, dir.path().join(path)).unwrap();
    }
    rig.record(1, 21..=30);
    while !matches!(rig.next(), Outcome::Closed) {}
    rig.record(1, 31..=40);
    rig.settle();
    rig.show(it(), at(90)).unwrap();
    while !matches!(rig.next(), Outcome::Imported(_)) {}
    let older = rig.findings.iter().find(|found| found.kind == FindingKind::VaultOlder).copied();
    let older = older.unwrap_or_else(|| panic!("{:?}", rig.findings));
    assert!(older.found < older.expected && older.count >= 10, "{older:?}");
    rig.close();
    rig.stop();
    let kept = seqs(&contents(dir.path(), &phrase));
    assert!((1..=10).chain(21..=40).all(|seq| kept.contains(&seq)), "{kept:?}");
}
