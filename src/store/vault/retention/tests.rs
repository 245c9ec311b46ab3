//! What expires, and what no clock can make expire.

use std::path::Path;

use jiff::Timestamp;

use super::*;
use crate::keys::vault_keys::VaultKeys;
use crate::record::entry::Entry;
use crate::vault::{audit, entries, export, waves};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{AuditAct, AuditEntry};
use wardkeep_model::moment::BootTime;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, PLETH, Unit};
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, RecordId, Value};

const DAY: u64 = 86_400;
const SUBJECT: SubjectId = SubjectId(7);

/// A vault that is kept up at moments that a test names.
struct Bench {
    vault: Vault,
    witness: Option<AgeMark>,
    now: Moment,
    seq: u64,
}

impl Bench {
    fn new(dir: &Path) -> (Self, VaultKeys) {
        let keys = VaultKeys::generate().unwrap();
        let vault = Vault::create(&dir.join("v"), &keys).unwrap();
        let wall: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let now = Moment { boot: BootTime::default(), wall };
        (Self { vault, witness: None, now, seq: 0 }, keys)
    }

    /// A value and a stretch of a waveform are recorded at this moment.
    fn record(&mut self) {
        self.seq += 1;
        let (record, at) = (RecordId { run: 1, seq: self.seq }, self.now.wall);
        let observation = self.value();
        let wave = WaveSegment {
            record,
            code: PLETH,
            rate_hz: 100,
            start: at,
            samples: Phi::new(vec![7; 1_000]),
            device: DeviceId([1; 6]),
            subject: Some(SUBJECT),
            provenance: Provenance::Device,
        };
        let entries = [Entry::Observation(Box::new(observation)), Entry::Wave(Box::new(wave))];
        assert_eq!(entries::append(&mut self.vault, &entries).unwrap(), 0);
    }

    /// The value of this number.
    fn value(&self) -> Observation {
        let at = self.now.wall;
        Observation {
            record: RecordId { run: 1, seq: self.seq },
            code: HEART_RATE,
            value: Phi::new(Value::Measured(72.into())),
            unit: Unit::PerMinute,
            effective: at,
            received: at,
            device_time: None,
            clock: ClockConfidence::Live,
            status: vec![],
            device: DeviceId([1; 6]),
            subject: Some(SUBJECT),
            provenance: Provenance::Device,
        }
    }

    /// So many values in one second of this moment.
    fn record_many(&mut self, count: u64) {
        let entries: Vec<Entry> = (0..count)
            .map(|index| {
                self.seq += 1;
                let mut one = self.value();
                one.effective = self.now.wall + Duration::from_millis(index);
                Entry::Observation(Box::new(one))
            })
            .collect();
        assert_eq!(entries::append(&mut self.vault, &entries).unwrap(), 0);
    }

    fn ask(&self, what: &str) -> u64 {
        let asked = format!("PRAGMA {what}");
        let count: i64 = self.vault.connection.query_row(&asked, [], |row| row.get(0)).unwrap();
        count.unsigned_abs()
    }

    fn keep_up(&mut self) {
        let retention = Retention::default();
        while keep_up(&mut self.vault, &mut self.witness, self.now, &retention).unwrap() {}
    }

    /// So many seconds later, kept up every hour, or in longer times every twelve.
    fn wait(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        let hours = if seconds > 10 * DAY { 12 } else { 1 };
        while self.now.boot < end.boot {
            let step = end.boot.since(self.now.boot).min(Duration::from_secs(hours * 3_600));
            self.now = self.now + step;
            self.keep_up();
        }
    }

    /// The program ends and starts again at this wall time.
    fn restart(&mut self, wall: Timestamp) {
        self.witness = None;
        self.now = Moment { boot: BootTime(Duration::from_secs(5)), wall };
        self.keep_up();
    }

    /// Rows of values, stretches of waveforms, and blocks of single values, minutes and hours.
    fn left(&self) -> [i64; 5] {
        [
            "observations",
            "waves",
            "trend_blocks WHERE resolution = 0",
            "trend_blocks WHERE resolution = 1",
            "trend_blocks WHERE resolution = 2",
        ]
        .map(|what| {
            let sql = format!("SELECT count(*) FROM {what}");
            self.vault.connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        })
    }
}

fn later(at: Timestamp, days: u64) -> Timestamp {
    at.checked_add(Duration::from_secs(days * DAY)).unwrap()
}

#[test]
fn everything_is_kept_as_long_as_the_site_wants() {
    let dir = tempfile::tempdir().unwrap();
    let (mut bench, _) = Bench::new(dir.path());
    let audit = AuditEntry::of(AuditAct::Unlocked, bench.now.wall);
    entries::append(&mut bench.vault, &[Entry::Audit(Box::new(audit))]).unwrap();
    bench.record();
    bench.wait(DAY - 3_600);
    assert_eq!(bench.left(), [1, 1, 1, 1, 1]);
    bench.wait(3 * 3_600);
    assert_eq!(bench.left(), [1, 0, 1, 1, 1], "waveforms after a day");
    bench.wait(28 * DAY);
    assert_eq!(bench.left(), [1, 0, 1, 1, 1]);
    bench.wait(2 * DAY);
    assert_eq!(bench.left(), [0, 0, 0, 1, 1], "single values after thirty");
    bench.wait(333 * DAY);
    assert_eq!(bench.left(), [0, 0, 0, 1, 1]);
    bench.wait(2 * DAY);
    assert_eq!(bench.left(), [0, 0, 0, 0, 0], "minutes after a year");
    assert_eq!(audit::all(&bench.vault).unwrap().len(), 1, "audit entries stay");
    let marks: i64 = bench
        .vault
        .connection
        .query_row("SELECT count(*) FROM ages", [], |row| row.get(0))
        .unwrap();
    assert!(marks < 31 * 24, "{marks} marks");
}

#[test]
fn s8_a_clock_that_is_set_ahead_erases_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut bench, _) = Bench::new(dir.path());
    bench.record();
    bench.keep_up();
    bench.now.wall = later(bench.now.wall, 3_650);
    bench.record();
    bench.wait(23 * 3_600);
    assert_eq!(bench.left()[..2], [2, 2], "while the program runs");
    // At every start another ten years, which are a day each.
    for start in 1..=28 {
        bench.restart(later(bench.now.wall, 3_650));
        bench.wait(60);
        assert_eq!(bench.left()[0], 2, "start {start}");
    }
    bench.wait(3 * DAY);
    assert_eq!(bench.left()[0], 0, "and what has lived through its time goes all the same");
}

#[test]
fn s8_a_clock_that_is_set_back_erases_nothing_and_keeps_nothing_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let (mut bench, _) = Bench::new(dir.path());
    bench.wait(DAY);
    bench.record();
    bench.now.wall = Timestamp::UNIX_EPOCH;
    bench.restart(Timestamp::UNIX_EPOCH);
    assert_eq!(bench.left()[..2], [1, 1]);
    bench.record();
    bench.wait(20 * DAY);
    assert_eq!(bench.left()[..2], [2, 0]);
    bench.restart("2026-03-25T00:00:00Z".parse().unwrap());
    bench.wait(8 * DAY);
    assert_eq!(bench.left()[0], 2);
    bench.wait(2 * DAY);
    assert_eq!(bench.left()[0], 0);
}

#[test]
fn days_on_which_the_machine_was_off_count_as_one_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let (mut bench, _) = Bench::new(dir.path());
    bench.record();
    bench.keep_up();
    bench.restart(later(bench.now.wall, 60));
    assert_eq!(bench.left()[..2], [1, 0]);
    bench.wait(28 * DAY);
    assert_eq!(bench.left()[0], 1);
    bench.wait(2 * DAY);
    assert_eq!(bench.left()[0], 0);
}

#[test]
fn what_came_after_a_mark_is_younger_than_it_even_where_everything_before_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (mut bench, _) = Bench::new(dir.path());
    bench.record();
    bench.wait(40 * DAY);
    assert_eq!(bench.left()[..2], [0, 0]);
    // The first rows of emptied tables.
    bench.record();
    bench.wait(20 * 3_600);
    assert_eq!(bench.left()[..2], [1, 1]);
    bench.wait(6 * 3_600);
    assert_eq!(bench.left()[..2], [1, 0]);
    bench.wait(28 * DAY);
    assert_eq!(bench.left()[0], 1);
    bench.wait(2 * DAY);
    assert_eq!(bench.left()[0], 0);
}

#[test]
fn a_vault_under_other_keys_goes_on_counting() {
    let dir = tempfile::tempdir().unwrap();
    let (mut bench, _) = Bench::new(dir.path());
    bench.record();
    bench.wait(2 * DAY);
    assert_eq!(bench.left()[..2], [1, 0]);
    let (path, keys) = (dir.path().join("n"), VaultKeys::generate().unwrap());
    export::export(&bench.vault, &path, &keys).unwrap();
    let next = Vault::open(&path, &keys).unwrap();
    let known = |vault: &Vault| -> (i64, i64, Option<i64>) {
        let sql = "SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'waves'), max(age_us)
             FROM ages";
        let (id, mark) =
            vault.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        (id, mark, meta::get(&vault.connection, AGE).unwrap())
    };
    assert_eq!(known(&next), known(&bench.vault));
    assert_eq!(known(&next).0, 1, "ids of waveforms that are gone are not given out again");
}

#[test]
fn waveforms_come_back_as_they_were_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let (mut bench, keys) = Bench::new(dir.path());
    let start = bench.now.wall;
    for _ in 0..3 {
        bench.record();
        bench.now = bench.now + Duration::from_secs(10);
    }
    let (of, end) = ((SUBJECT, PLETH), bench.now.wall);
    let all = waves::read(&mut bench.vault, of, (start, end)).unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(all[0].samples.reveal(), &[7; 1_000]);
    let second = start + Duration::from_secs(10);
    assert_eq!(waves::read(&mut bench.vault, of, (second, end)).unwrap(), all[1..]);
    assert_eq!(
        waves::read(&mut bench.vault, of, (second + Duration::from_secs(5), end)).unwrap(),
        all[1..]
    );
    assert!(waves::read(&mut bench.vault, (SubjectId(8), PLETH), (start, end)).unwrap().is_empty());
    assert!(waves::read(&mut bench.vault, (SUBJECT, HEART_RATE), (start, end)).unwrap().is_empty());
    let again = Entry::Wave(Box::new(all[0].clone()));
    entries::append(&mut bench.vault, std::slice::from_ref(&again)).unwrap();
    bench.vault.close().unwrap();
    bench.vault = Vault::open(&dir.path().join("v"), &keys).unwrap();
    assert_eq!(waves::read(&mut bench.vault, of, (start, end)).unwrap(), all, "and once");
    for column in ["rate_hz = 50", "start_us = start_us + 1", "subject = x'08'", "seq = seq + 9"] {
        let sql = format!("UPDATE waves SET {column} WHERE seq = 1");
        bench.vault.connection.execute_batch("SAVEPOINT before").unwrap();
        bench.vault.connection.execute(&sql, []).unwrap();
        let found = waves::read(&mut bench.vault, of, (start, end));
        assert!(found.is_err() || column.starts_with("subject"), "{column}");
        bench.vault.connection.execute_batch("ROLLBACK TO before").unwrap();
    }
}

/// Busy days, each gone a month later: the file is never much larger than what is in it.
#[test]
fn a_file_is_given_back_as_its_content_expires() {
    const A_DAY: u64 = 20_000;
    let dir = tempfile::tempdir().unwrap();
    let (mut bench, keys) = Bench::new(dir.path());
    let length = || std::fs::metadata(dir.path().join("v")).unwrap().len();
    let mut largest = 0;
    for cycle in 0..3 {
        for _ in 0..3 {
            bench.record_many(A_DAY);
            bench.wait(DAY);
        }
        bench.vault.settle().unwrap();
        let full = length();
        assert!(full > 2_000_000, "{full}");
        largest = full.max(largest);
        for left in [A_DAY, 0] {
            // Two of the days are over, and then the third.
            bench.wait(if left > 0 { 28 * DAY + DAY / 2 } else { 4 * DAY });
            assert_eq!(bench.left()[0].unsigned_abs(), left);
            bench.vault.settle().unwrap();
            let (pages, free) = (bench.ask("page_count"), bench.ask("freelist_count"));
            assert_eq!(length(), pages * 4_096, "cycle {cycle}");
            let live = pages - free;
            // Less than a megabyte is not worth it.
            let is_bounded = pages * 10 <= live * 13 || free < 256;
            assert!(is_bounded, "cycle {cycle}: {pages} pages, {live} of them live");
            assert!(left == 0 || live > 400, "{live}");
        }
        assert!(length() < full / 2, "cycle {cycle}: {} of {full}", length());
        // Nothing that has moved is taken for something that was put back.
        bench.vault.close().unwrap();
        bench.vault = Vault::open(&dir.path().join("v"), &keys).unwrap();
        while bench.vault.compares() {
            bench.vault.compare_some().unwrap();
        }
        assert_eq!(bench.vault.findings(), []);
        trends::check(&mut bench.vault).unwrap();
    }
    assert!(largest < 7_000_000, "{largest}");
}
