//! What a row takes, gives back and refuses.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::keys::vault_keys::VaultKeys;
use crate::record::entry::Entry;
use crate::vault::database::Vault;
use crate::vault::entries;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{Absent, HEART_RATE, SPO2, Status, Unit};
use wardkeep_model::vitals::{ClockConfidence, Provenance, RecordId};

fn observation(seq: u64, subject: Option<u128>) -> Observation {
    Observation {
        record: RecordId { run: u64::MAX - 1, seq },
        code: HEART_RATE,
        value: Phi::new(Value::Measured(Decimal::new(7200, -2))),
        unit: Unit::PerMinute,
        effective: Timestamp::from_microsecond(1_780_000_000_000_001).unwrap(),
        received: Timestamp::from_microsecond(1_780_000_000_000_002).unwrap(),
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![Status::ContactDetected, Status::LowBattery],
        device: DeviceId([1, 2, 3, 4, 5, 6]),
        subject: subject.map(SubjectId),
        provenance: Provenance::Device,
    }
}

fn entries(observations: &[Observation]) -> Vec<Entry> {
    observations.iter().map(|one| Entry::Observation(Box::new(one.clone()))).collect()
}

fn vault() -> (tempfile::TempDir, Vault) {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::create(&dir.path().join("v"), &VaultKeys::generate().unwrap()).unwrap();
    (dir, vault)
}

#[test]
fn rows_come_back_as_they_were_and_once() {
    let (_dir, mut vault) = vault();
    let mut kept = vec![observation(1, None), observation(2, Some(7)), observation(3, Some(8))];
    kept[1].value = Phi::new(Value::Absent(Absent::NoContact));
    kept[2].device_time = Some(jiff::civil::DateTime::constant(2026, 1, 2, 3, 4, 5, 0));
    assert_eq!(entries::append(&mut vault, &entries(&kept)), Ok(0));
    assert_eq!(entries::append(&mut vault, &entries(&kept)), Ok(0), "the same ones again");
    assert_eq!(observations(&vault).unwrap(), kept);
}

#[test]
fn s8_another_observation_with_a_taken_identity_is_refused_and_counted() {
    let (_dir, mut vault) = vault();
    let kept = observation(1, Some(7));
    entries::append(&mut vault, &entries(std::slice::from_ref(&kept))).unwrap();
    let change: [fn(&mut Observation); 6] = [
        |other| other.value = Phi::new(Value::Measured(Decimal::new(72, 0))),
        |other| other.code = SPO2,
        |other| other.subject = None,
        |other| other.status = vec![],
        |other| other.effective = Timestamp::UNIX_EPOCH,
        |other| other.unit = Unit::Percent,
    ];
    for (number, change) in change.iter().enumerate() {
        let mut other = kept.clone();
        change(&mut other);
        assert_eq!(entries::append(&mut vault, &entries(&[other])), Ok(1), "change {number}");
    }
    assert_eq!(observations(&vault).unwrap(), [kept]);
}

/// Whoever can write the database without the patient's key cannot make rows say something else.
#[test]
fn s8_a_row_opens_only_as_it_was_sealed() {
    for sql in [
        "UPDATE series SET mdc = 150456",
        "UPDATE observations SET seq = 9",
        "UPDATE sources SET run = 9",
        "UPDATE sources SET device = x'060504030201'",
        "UPDATE series SET source = 9",
        "UPDATE observations SET series = 2",
        "UPDATE observations SET series = 9",
        "UPDATE observations SET effective = 5",
        "UPDATE observations SET delay_us = 5",
        "UPDATE series SET patient = 2",
        "UPDATE series SET patient = 9",
        "UPDATE series SET patient = NULL",
        "UPDATE subjects SET subject = x'00000000000000000000000000000009' WHERE patient = 1",
        "UPDATE observations SET body = zeroblob(40)",
        "UPDATE observations SET body = x''",
        "UPDATE patient_keys SET sealed = (SELECT sealed FROM patient_keys AS other
             WHERE other.subject = x'00000000000000000000000000000008')",
        "DELETE FROM patient_keys",
    ] {
        let (_dir, mut vault) = vault();
        entries::append(&mut vault, &entries(&[observation(1, Some(7))])).unwrap();
        // Others have keys too.
        entries::append(&mut vault, &entries(&[observation(2, Some(8)), observation(3, None)]))
            .unwrap();
        vault.connection.execute_batch("DELETE FROM observations WHERE seq > 1").unwrap();
        assert_eq!(observations(&vault).unwrap().len(), 1);
        vault.connection.execute_batch(sql).unwrap();
        assert_eq!(observations(&vault), Err(StoreFault::Damaged.into()), "{sql}");
    }
}

#[test]
fn numerics_are_one_patients_charted_values_within_the_time() {
    let (_dir, mut vault) = vault();
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    let mut rows: Vec<Observation> = (1..=6).map(|seq| observation(seq, Some(7))).collect();
    for (row, second) in rows.iter_mut().zip([10, 20, 30, 40, 25, 50]) {
        row.effective = at(second);
    }
    rows[1].value = Phi::new(Value::Absent(Absent::Implausible));
    rows[4].code = SPO2;
    rows[5].subject = Some(SubjectId(8));
    entries::append(&mut vault, &entries(&rows)).unwrap();
    let found = numerics(&vault, SubjectId(7), (at(10), at(40))).unwrap();
    let found: Vec<(Mdc, i64)> = found.iter().map(|one| (one.mdc, one.at.as_second())).collect();
    assert_eq!(found, [(SPO2, 25), (HEART_RATE, 30), (HEART_RATE, 40)]);
    assert!(numerics(&vault, SubjectId(99), (at(0), at(100))).unwrap().is_empty());
}

/// Numbers of several sources in any order, over many rows of the table, in many transactions.
#[test]
fn s8_a_number_is_taken_once_whatever_its_place_and_free_again_once_all_around_it_expired() {
    let (_dir, mut vault) = vault();
    let mut taken: BTreeSet<(i64, u64)> = BTreeSet::new();
    let mut last: BTreeMap<(i64, u64), i64> = BTreeMap::new();
    let numbers = |round: u64| {
        (0..400_u64).map(move |n| {
            let number = (n * 7_919 + round * 131) % 5_000;
            let number = if n % 50 == 0 { u64::MAX - number } else { number };
            // One of the sources is heard in the first half alone.
            (1 + i64::try_from(n % 3).unwrap().min(2 - i64::try_from(round / 3).unwrap()), number)
        })
    };
    for round in 0..6 {
        let id = 10 + i64::try_from(round).unwrap();
        vault
            .write(|transaction, _| {
                let mut all = Taken::new(transaction);
                for (source, number) in numbers(round) {
                    let is_new = taken.insert((source, number));
                    assert_eq!(all.has(source, number)?, !is_new, "{number} of {source}");
                    all.take(source, number, id)?;
                    last.insert((source, number / 1_024), id);
                    assert!(all.has(source, number)?);
                }
                all.write()
            })
            .unwrap();
    }
    let mut all = Taken::new(&vault.connection);
    for source in 1..=3 {
        for number in (0..5_000).chain(u64::MAX - 5_000..=u64::MAX) {
            let has = all.has(source, number).unwrap();
            assert_eq!(has, taken.contains(&(source, number)), "{number} of {source}");
        }
    }
    // Each span is left as long as a row of its time is.
    for oldest in [Some(5), Some(12), Some(15), Some(16), None] {
        let left = vault.write(|transaction, _| {
            transaction.execute("DELETE FROM observations", [])?;
            transaction.execute(
                "INSERT INTO observations SELECT ?1, 1, 1, 1, 0, x'' WHERE ?1 NOT NULL",
                [oldest],
            )?;
            taken::forget_old(transaction)?;
            let count = |row: &Row<'_>| row.get::<_, i64>(0);
            Ok(transaction.query_row("SELECT count(*) FROM taken", [], count)?)
        });
        let expected =
            last.values().filter(|last| oldest.is_some_and(|oldest| **last >= oldest)).count();
        assert_eq!(left.unwrap(), i64::try_from(expected).unwrap(), "the oldest row is {oldest:?}");
    }
}

#[test]
fn s8_a_row_whose_number_is_not_taken_is_damage() {
    let (_dir, mut vault) = vault();
    let kept = [observation(1, Some(7)), observation(2_000, Some(7)), observation(3, None)];
    entries::append(&mut vault, &entries(&kept)).unwrap();
    assert_eq!(check(&vault.connection, &vault.patients), Ok(3));
    vault.connection.execute("DELETE FROM taken WHERE first > 0", []).unwrap();
    assert_eq!(check(&vault.connection, &vault.patients), Err(StoreFault::Damaged.into()));
}
