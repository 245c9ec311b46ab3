//! The inbox when the machine fails it: writes and syncs that fail, a clock that is set back, a week
//! without anybody, and a segment of another version.

use std::fs;

use crate::crypto::mac;
use crate::disk::durable::steps;
use crate::import::tests::{BOOT, Bench, at, bench, count, entry, resumed};
use crate::inbox::segment::{HEADER_LEN, Lane};
use crate::record::entry::Entry;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{AuditAct, AuditEntry, FindingKind, StoreFault};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::nomenclature::HEART_RATE;
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{Provenance, RecordId};

/// Fails `count` changes of the disk after the first `from`.
fn fail(from: usize, count: usize) {
    let mut step = 0;
    steps::watch(move || {
        step += 1;
        let fails = (from + 1..=from + count).contains(&step);
        if fails { Err(StoreFault::Io) } else { Ok(()) }
    });
}

#[test]
fn s8_a_write_or_sync_that_failed_is_taken_as_lost_and_done_again_elsewhere() {
    let mut failed = 0;
    for (from, length) in (0..14).flat_map(|from| [1, 2, 5].map(|length| (from, length))) {
        for restarts in [false, true] {
            let mut bench = bench();
            bench.push(1..4);
            fail(from, length);
            for second in 4..7 {
                bench.inbox.push(&entry(second), at(second), BOOT).unwrap();
            }
            let mut flushed = Err(StoreFault::Io);
            for _ in 0..8 {
                flushed = bench.inbox.flush(Lane::Values, at(4));
                if flushed.is_ok() {
                    break;
                }
                failed += 1;
            }
            assert_eq!(flushed, Ok(()), "after {from}, {length} failures");
            // A later write may fail in the same way.
            bench.inbox.write_state().ok();
            steps::end();
            if restarts {
                bench.resume();
            }
            bench.push(7..9);
            let (imported, found) = bench.import_all();
            assert_eq!((imported, found), (8, vec![]), "after {from}, {length} failures");
            assert_eq!(bench.kept(), (1..9).collect::<Vec<_>>());
        }
    }
    assert!(failed > 10, "only {failed} flushes failed");
}

#[test]
fn s8_a_clock_set_back_by_ten_years_changes_nothing() {
    let ten_years = 10 * 365 * 24 * 3600;
    let mut bench = bench();
    for second in [ten_years + 1, ten_years + 2, 3, 4, 5] {
        bench.inbox.push(&entry(second), at(second), BOOT).unwrap();
    }
    bench.inbox.flush(Lane::Values, at(5)).unwrap();
    bench.resume();
    let (imported, found) = bench.import_all();
    assert_eq!((imported, found), (5, vec![]));
    assert_eq!(bench.kept(), [ten_years + 1, ten_years + 2, 3, 4, 5]);
}

fn wave(second: i64) -> Entry {
    Entry::Wave(Box::new(WaveSegment {
        record: RecordId { run: 1, seq: second.cast_unsigned() },
        code: HEART_RATE,
        rate_hz: 250,
        start: at(second).wall,
        samples: Phi::new(vec![300; 2500]),
        device: DeviceId([1; 6]),
        subject: None,
        provenance: Provenance::Device,
    }))
}

/// Does what the store does when the inbox is near its bound.
fn give_up(bench: &mut Bench, second: i64) -> u64 {
    let Some(given_up) = bench.inbox.to_give_up(false).unwrap() else { return 0 };
    let said = AuditEntry::of(AuditAct::StoreFinding, at(second).wall);
    let said = AuditEntry { finding: Some(given_up.finding), ..said };
    bench.inbox.push(&Entry::Audit(Box::new(said)), at(second), BOOT).unwrap();
    bench.inbox.flush(Lane::Values, at(second)).unwrap();
    let count = given_up.finding.count;
    bench.inbox.delete(given_up).unwrap();
    count
}

#[test]
fn s11_a_week_with_nobody_gives_up_the_oldest_waveforms_and_keeps_every_value() {
    let mut bench = bench();
    bench.inbox.bound_for_tests(4 * 1024 * 1024);
    let (mut waves, mut values, mut given_up) = (0_u64, 0_u64, 0);
    for second in 1..1500 {
        bench.inbox.push(&entry(second), at(second), BOOT).unwrap();
        values += 1;
        bench.inbox.push(&wave(second), at(second), BOOT).unwrap();
        waves += 1;
        if second % 8 == 0 {
            bench.inbox.flush(Lane::Values, at(second)).unwrap();
            bench.inbox.flush(Lane::Waves, at(second)).unwrap();
            let gone = give_up(&mut bench, second);
            values += u64::from(gone > 0);
            given_up += gone;
        }
    }
    for lane in Lane::ALL {
        bench.inbox.flush(lane, at(1500)).unwrap();
    }
    assert!(given_up > waves / 2, "{given_up} of {waves} waveforms were given up");
    let bytes: u64 = fs::read_dir(bench.path())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= 4608 * 1024, "{bytes}");
    let (imported, found) = bench.import_all();
    assert_eq!(found, vec![], "what was given up is no finding of the import: it is on record");
    assert_eq!(imported, values + waves - given_up);
    // A waveform that is taken is another thing.
    let mut bench = self::bench();
    for second in 1..200 {
        bench.inbox.push(&wave(second), at(second), BOOT).unwrap();
    }
    bench.inbox.flush(Lane::Waves, at(1)).unwrap();
    bench.inbox.roll().unwrap();
    let segments = Lane::Waves.segments(&bench.path()).unwrap();
    fs::remove_file(&segments[0].1).unwrap();
    let (imported, found) = bench.import_all();
    assert_eq!(count(&found, &[FindingKind::RecordsMissing]) + imported, 199);
}

#[test]
fn s8_a_segment_of_another_version_is_reported_and_kept() {
    let mut bench = bench();
    bench.push(1..4);
    bench.inbox.roll().unwrap();
    let path = bench.segments().remove(0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[15] = 1;
    let tag = mac(&bench.keys.inbox(), &[&bytes[..HEADER_LEN - 32]]);
    bytes[HEADER_LEN - 32..HEADER_LEN].copy_from_slice(&tag);
    fs::write(&path, &bytes).unwrap();
    let (imported, found) = bench.import_all();
    assert_eq!(imported, 0);
    assert_eq!(count(&found, &[FindingKind::RecordsForged]), 1);
    assert_eq!(count(&found, &[FindingKind::RecordsMissing]), 3);
    let kept = path.with_extension("seg.bad");
    assert_eq!(fs::read(kept).unwrap(), bytes);
}

#[test]
fn s8_a_lost_head_with_nothing_recorded_since_is_told_once() {
    let mut bench = bench();
    bench.push(1..4);
    bench.inbox.roll().unwrap();
    fs::remove_file(bench.path().join("head")).unwrap();
    bench.inbox = resumed(&bench.path(), &bench.keys, &bench.ring);
    let (imported, found) = bench.import_all();
    assert_eq!(imported, 3);
    let kinds: Vec<_> = found.iter().map(|finding| (finding.kind, finding.count)).collect();
    assert_eq!(kinds, [(FindingKind::BacklogRestarted, 1)]);
    assert_eq!(bench.import_all().1, vec![]);
}
