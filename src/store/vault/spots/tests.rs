//! Readings in a vault: whose they are, what stays of what was said, and one copy of each.

use proptest::prelude::*;

use super::*;
use crate::keys::vault_keys::VaultKeys;
use crate::record::entry::Entry;
use crate::vault::{entries, patients};
use wardkeep_model::encounter::{Patient, Sex};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{DIASTOLIC, SYSTOLIC, Unit};
use wardkeep_model::vitals::spot::{SpotFrame, SpotTimes, SpotValue};
use wardkeep_model::vitals::{
    Characteristic, ClockConfidence, DeviceId, DeviceKind, Format, Provenance,
};

const ADA: SubjectId = SubjectId(7);
const BEA: SubjectId = SubjectId(8);
const NURSE: OperatorId = OperatorId(3);
const CUFF: DeviceId = DeviceId([0xC0, 0, 0, 0, 0, 3]);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn reading(seq: u64, sequence: Option<u16>, systolic: u8) -> SpotReading {
    let value = |code, value: u8| SpotValue {
        code,
        value: Decimal::from(i64::from(value)),
        unit: Unit::MillimetreMercury,
        status: vec![],
    };
    let mut payload = vec![0, systolic, 0, 76, 0];
    payload.extend(sequence.unwrap_or_default().to_le_bytes());
    SpotReading {
        record: RecordId { run: 5, seq },
        device: CUFF,
        first_known: None,
        kind: DeviceKind::Cuff,
        name: "Cuff 03".into(),
        frame: Phi::new(SpotFrame { format: Format::Profile(Characteristic(0x2A35)), payload }),
        second: None,
        context: Phi::default(),
        values: Phi::new(vec![value(SYSTOLIC, systolic), value(DIASTOLIC, 76)]),
        sequence,
        times: SpotTimes {
            stamp: None,
            received: at(seq.cast_signed()),
            offset_s: None,
            effective: Some(at(seq.cast_signed())),
            clock: ClockConfidence::Live,
        },
        provenance: Provenance::Device,
    }
}

fn entry(second: i64) -> AuditEntry {
    let entry = AuditEntry::of(AuditAct::ReadingFiled, at(second));
    AuditEntry { operator: Some(NURSE), ..entry }
}

fn patient(id: SubjectId) -> Patient {
    Patient {
        id,
        family: Phi::new(format!("Family {}", id.0)),
        given: Phi::new("Given".into()),
        born: Phi::new(None),
        sex: Phi::new(Sex::Unknown),
        mrn: Phi::new(format!("M-{}", id.0)),
        allergies: Phi::default(),
    }
}

fn vault(dir: &tempfile::TempDir) -> (Vault, VaultKeys) {
    let keys = VaultKeys::generate().unwrap();
    let mut vault = Vault::create(&dir.path().join("v"), &keys).unwrap();
    for id in [ADA, BEA] {
        let created = AuditEntry::of(AuditAct::PatientCreated, at(0));
        assert!(patients::add(&mut vault, &patient(id), &created).unwrap());
    }
    (vault, keys)
}

fn keep(vault: &mut Vault, readings: &[SpotReading]) {
    let entries: Vec<_> = readings.iter().map(|one| Entry::Spot(Box::new(one.clone()))).collect();
    entries::append(vault, &entries).unwrap();
}

fn acts(vault: &Vault) -> Vec<(AuditAct, Option<SubjectId>)> {
    let all = audit::all(vault).unwrap().into_iter().map(|(_, entry)| (entry.act, entry.subject));
    all.filter(|(act, _)| *act != AuditAct::PatientCreated).collect()
}

fn waits(vault: &mut Vault) -> Vec<u64> {
    waiting(vault).unwrap().into_iter().map(|one| one.reading.record.seq).collect()
}

fn numbers(vault: &mut Vault, subject: SubjectId) -> Vec<String> {
    let span = (Timestamp::MIN, Timestamp::MAX);
    let values = among(vault, subject, span, vec![]).unwrap();
    values.into_iter().map(|one| one.value.reveal().to_string()).collect()
}

#[test]
fn s6_a_reading_is_nobodys_until_somebody_says_whose_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, keys) = vault(&dir);
    keep(&mut vault, &[reading(1, None, 118)]);
    assert_eq!(waits(&mut vault), [1]);
    assert!(numbers(&mut vault, ADA).is_empty() && numbers(&mut vault, BEA).is_empty());
    let record = RecordId { run: 5, seq: 1 };

    assert!(act(&mut vault, SpotAct::Refuse(record), entry(2)).unwrap());
    let told = waiting(&mut vault).unwrap().remove(0);
    assert_eq!(told.refused.map(|(_, at)| at), Some(at(2)), "it says who had it before");
    assert!(act(&mut vault, SpotAct::File(record, ADA), entry(3)).unwrap());
    assert!(!act(&mut vault, SpotAct::File(record, ADA), entry(3)).unwrap(), "pressed twice");
    assert!(!act(&mut vault, SpotAct::Discard(record), entry(3)).unwrap(), "it is somebody's");
    assert_eq!(numbers(&mut vault, ADA), ["118", "76"]);
    assert!(waits(&mut vault).is_empty() && numbers(&mut vault, BEA).is_empty());
    let filed = latest(&mut vault, ADA).unwrap().remove(0);
    assert_eq!((filed.by, filed.at, filed.reading), (Some(NURSE), at(3), reading(1, None, 118)));

    // By mistake: it is Bea's. Both filings are in the log, and Ada's numbers are as before.
    assert!(act(&mut vault, SpotAct::File(record, BEA), entry(4)).unwrap());
    assert!(numbers(&mut vault, ADA).is_empty() && latest(&mut vault, ADA).unwrap().is_empty());
    assert_eq!(numbers(&mut vault, BEA), ["118", "76"]);
    assert!(act(&mut vault, SpotAct::PutBack(record), entry(5)).unwrap());
    assert_eq!(waits(&mut vault), [1]);
    assert!(act(&mut vault, SpotAct::Discard(record), entry(6)).unwrap());
    assert!(!act(&mut vault, SpotAct::File(record, ADA), entry(7)).unwrap(), "it is over");
    use AuditAct::{ReadingDiscarded, ReadingFiled, ReadingMoved, ReadingPutBack, ReadingRefused};
    assert_eq!(
        acts(&vault),
        [
            (ReadingRefused, None),
            (ReadingFiled, Some(ADA)),
            (ReadingMoved, Some(BEA)),
            (ReadingPutBack, Some(BEA)),
            (ReadingDiscarded, None),
        ]
    );
    vault.close().unwrap();
    let mut vault = Vault::open(&dir.path().join("v"), &keys).unwrap();
    assert!(waits(&mut vault).is_empty(), "over a restart");
}

#[test]
fn s6_a_reading_is_filed_to_nobody_who_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = vault(&dir);
    keep(&mut vault, &[reading(1, None, 118)]);
    let record = RecordId { run: 5, seq: 1 };
    for (record, subject) in [(record, SubjectId(99)), (RecordId { run: 5, seq: 2 }, ADA)] {
        assert!(!act(&mut vault, SpotAct::File(record, subject), entry(1)).unwrap());
    }
    let shredded = AuditEntry::of(AuditAct::PatientShredded, at(2));
    assert!(act(&mut vault, SpotAct::File(record, ADA), entry(1)).unwrap());
    patients::shred(&mut vault, ADA, shredded).unwrap();
    assert_eq!((waits(&mut vault), numbers(&mut vault, ADA)), (vec![], vec![]), "gone with Ada");
    let left: i64 = vault
        .connection
        .query_row(
            "SELECT (SELECT count(*) FROM spots) + (SELECT count(*) FROM spot_acts)",
            [],
            |r| r.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn s8_what_a_device_hands_over_again_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = vault(&dir);
    let record = |seq| RecordId { run: 5, seq };
    keep(&mut vault, &[reading(1, Some(41), 118), reading(2, Some(42), 118)]);
    assert!(act(&mut vault, SpotAct::File(record(1), ADA), entry(1)).unwrap());
    // Another download, in which one is new and one is the device's number again with another value.
    keep(
        &mut vault,
        &[reading(3, Some(41), 118), reading(4, Some(42), 118), reading(5, Some(43), 120)],
    );
    keep(&mut vault, &[reading(6, Some(41), 119)]);
    assert_eq!(waits(&mut vault), [2, 5, 6]);
    assert_eq!(numbers(&mut vault, ADA), ["118", "76"]);
    // Without a number or a stamp two equal measurements are two.
    keep(&mut vault, &[reading(7, None, 118), reading(8, None, 118), reading(8, None, 118)]);
    assert_eq!(waits(&mut vault), [2, 5, 6, 7, 8]);
    // It was paired meanwhile, and has another address since.
    let by = |seq, sequence, first_known| {
        let device = DeviceId([0xC0, 0, 0, 0, 1, 3]);
        SpotReading { device, first_known, ..reading(seq, Some(sequence), 118) }
    };
    keep(&mut vault, &[by(9, 42, Some(CUFF)), by(10, 44, Some(CUFF)), by(11, 42, None)]);
    assert_eq!(waits(&mut vault), [2, 5, 6, 7, 8, 10, 11], "the last is another device");
}

#[test]
fn s7_a_reading_of_unknown_time_is_in_no_trend() {
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = vault(&dir);
    let mut unknown = reading(1, Some(1), 118);
    unknown.times.effective = None;
    unknown.times.clock = ClockConfidence::Unknown;
    keep(&mut vault, &[unknown, reading(2, Some(2), 120)]);
    for seq in [1, 2] {
        let file = SpotAct::File(RecordId { run: 5, seq }, ADA);
        assert!(act(&mut vault, file, entry(9)).unwrap());
    }
    assert_eq!(numbers(&mut vault, ADA), ["120", "76"]);
    let query = wardkeep_model::keeping::TrendQuery {
        subject: ADA,
        code: SYSTOLIC,
        unit: Unit::MillimetreMercury,
        since: at(0),
        until: at(10),
        columns: 10,
    };
    let columns = crate::vault::trends::trend(&mut vault, query).unwrap();
    let drawn: Vec<_> = columns.columns.iter().map(|one| (one.count, one.max)).collect();
    assert_eq!(drawn[2], (1, 120.0));
    assert_eq!(drawn.iter().map(|(count, _)| count).sum::<u32>(), 1, "{drawn:?}");
    let kpa = wardkeep_model::keeping::TrendQuery { unit: Unit::Kilopascal, ..query };
    let columns = crate::vault::trends::trend(&mut vault, kpa).unwrap();
    assert!(columns.columns.iter().all(|one| one.count == 0), "never of another unit");
}

#[test]
fn readings_expire_with_what_is_kept_longest() {
    use crate::vault::retention;
    let dir = tempfile::tempdir().unwrap();
    let (mut vault, _) = vault(&dir);
    keep(&mut vault, &[reading(1, None, 118)]);
    let (kept, mut mark) = (wardkeep_model::keeping::Retention::default(), None);
    let day = std::time::Duration::from_secs(86_400);
    for days in [1, 364, 367] {
        let now = Moment { boot: BootTime(day * days), wall: at(i64::from(days) * 86_400) };
        while retention::keep_up(&mut vault, &mut mark, now, &kept).unwrap() {}
        assert_eq!(waits(&mut vault).len(), usize::from(days < 367), "day {days}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever is done in whatever order, a reading is in one place, and the log tells how it came there.
    #[test]
    fn s6_s8_a_reading_is_in_one_place(steps in prop::collection::vec((0_u8..6, 1_u64..4, 0_u8..2), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let (mut vault, _) = vault(&dir);
        let mut places = [None; 3];
        let mut told = 0;
        for (what, seq, whom) in steps {
            let (record, whose) = (RecordId { run: 5, seq }, if whom == 0 { ADA } else { BEA });
            let place: &mut Option<&str> = &mut places[usize::try_from(seq - 1).unwrap()];
            let name = if whom == 0 { "ada" } else { "bea" };
            let (act_done, expected) = match what {
                0 => {
                    keep(&mut vault, &[reading(seq, Some(u16::try_from(seq).unwrap()), 118)]);
                    place.get_or_insert("waiting");
                    continue;
                }
                1 => (SpotAct::File(record, whose), match *place {
                    Some("waiting") => Some(name),
                    Some(one) if one != name && ["ada", "bea"].contains(&one) => Some(name),
                    _ => None,
                }),
                2 => (SpotAct::Refuse(record), (*place == Some("waiting")).then_some("waiting")),
                3 => (SpotAct::PutBack(record), place.filter(|one| ["ada", "bea"].contains(one)).map(|_| "waiting")),
                4 => (SpotAct::Discard(record), (*place == Some("waiting")).then_some("gone")),
                _ => (SpotAct::Expire(record), (*place == Some("waiting")).then_some("gone")),
            };
            prop_assert_eq!(act(&mut vault, act_done, entry(1)).unwrap(), expected.is_some());
            if let Some(now) = expected {
                *place = Some(now);
                told += 1;
            }
        }
        let count = |name: &str| places.iter().filter(|place| **place == Some(name)).count();
        prop_assert_eq!(waits(&mut vault).len(), count("waiting"));
        prop_assert_eq!(numbers(&mut vault, ADA).len(), 2 * count("ada"));
        prop_assert_eq!(numbers(&mut vault, BEA).len(), 2 * count("bea"));
        prop_assert_eq!(acts(&vault).len(), told);
    }
}
