//! Pages of a vault are flipped, and what is salvaged is held against what SQLite itself said of which row lies
//! on which page (`dbstat`): every row whose pages are whole is there, nothing else is, and the list names it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::crypto::page::PAGE;
use crate::record::entry::Entry;
use crate::vault::database::integrity;
use crate::vault::{audit, entries, patients, retention, rows, trends};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Patient, Sex, SubjectId};
use wardkeep_model::keeping::{AuditAct, AuditEntry, Retention};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{HEART_RATE, Mdc, Unit};
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{
    ClockConfidence, DeviceId, Observation, Provenance, RecordId, Value as Measured,
};

const PATIENTS: u128 = 3;
const VALUES: u64 = 900;
/// The last of the values, which no trend has in a block.
const UNPACKED: u64 = 90;
const WAVES: u64 = 12;

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

fn observation(seq: u64) -> Observation {
    let effective = Timestamp::from_second(1_780_000_000 + seq.cast_signed()).unwrap();
    Observation {
        record: RecordId { run: 9, seq },
        code: HEART_RATE,
        value: Phi::new(Measured::Measured(Decimal::new(60 + (seq % 50).cast_signed(), 0))),
        unit: Unit::PerMinute,
        effective,
        received: effective,
        device_time: None,
        clock: ClockConfidence::Live,
        status: vec![],
        device: DeviceId([7; 6]),
        subject: Some(SubjectId(u128::from(seq) % PATIENTS + 1)),
        provenance: Provenance::Device,
    }
}

fn wave(seq: u64) -> WaveSegment {
    WaveSegment {
        record: RecordId { run: 5, seq },
        code: Mdc(131_328),
        rate_hz: 250,
        start: Timestamp::from_second(1_780_000_000 + seq.cast_signed() * 10).unwrap(),
        // Longer than a page: it goes on elsewhere.
        samples: Phi::new((0..2_500).map(|at| at + u16::try_from(seq).unwrap()).collect()),
        device: DeviceId([8; 6]),
        subject: Some(SubjectId(1)),
        provenance: Provenance::Device,
    }
}

/// A vault with something of everything, closed.
fn vault(path: &Path, keys: &VaultKeys) {
    let mut vault = Vault::create(path, keys).unwrap();
    for id in 1..=PATIENTS {
        let patient = Patient {
            id: SubjectId(id),
            family: Phi::new(format!("Okonkwo{id}")),
            given: Phi::new("Ada".into()),
            born: Phi::default(),
            sex: Phi::new(Sex::Female),
            mrn: Phi::new(format!("M-{id}")),
            allergies: Phi::default(),
        };
        let entry = AuditEntry::of(AuditAct::PatientCreated, now());
        patients::add(&mut vault, &patient, &entry).unwrap();
    }
    let some = |seqs: std::ops::RangeInclusive<u64>| -> Vec<Entry> {
        seqs.map(|seq| Entry::Observation(Box::new(observation(seq)))).collect()
    };
    entries::append(&mut vault, &some(1..=VALUES - UNPACKED)).unwrap();
    let waves = (1..=WAVES).map(|seq| Entry::Wave(Box::new(wave(seq))));
    entries::append(&mut vault, &waves.collect::<Vec<_>>()).unwrap();
    for _ in 0..400 {
        let entry = AuditEntry::of(AuditAct::AudioPaused, now());
        entries::append(&mut vault, &[Entry::Audit(Box::new(entry))]).unwrap();
    }
    let (mut mark, at) = (None, Moment { boot: BootTime::default(), wall: now() });
    while retention::keep_up(&mut vault, &mut mark, at, &Retention::default()).unwrap() {}
    entries::append(&mut vault, &some(VALUES - UNPACKED + 1..=VALUES)).unwrap();
    audit::seal(&mut vault, keys).unwrap();
    vault.close().unwrap();
}

/// Which pages each row of a table lies on, by its number.
fn pages_of(vault: &Vault, table: &str, id: &str) -> BTreeMap<i64, BTreeSet<u32>> {
    let ids = format!("SELECT {id} FROM {table} ORDER BY {id}");
    let mut statement = vault.connection.prepare(&ids).unwrap();
    let ids: Vec<i64> =
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let mut statement = vault
        .connection
        .prepare("SELECT path, pageno, pagetype, ncell FROM dbstat WHERE name = ?1 ORDER BY path")
        .unwrap();
    let mut found = statement.query([table]).unwrap();
    let (mut leaves, mut first) = (BTreeMap::new(), 0_usize);
    let mut places: BTreeMap<i64, BTreeSet<u32>> = BTreeMap::new();
    let mut overflow = Vec::new();
    while let Some(row) = found.next().unwrap() {
        let (path, page, kind): (String, u32, String) =
            (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
        match kind.as_str() {
            "leaf" => {
                let cells = row.get::<_, u32>(3).unwrap() as usize;
                for id in &ids[first..first + cells] {
                    places.entry(*id).or_default().insert(page);
                }
                leaves.insert(path, first);
                first += cells;
            }
            "overflow" => overflow.push((path, page)),
            _ => {}
        }
    }
    for (path, page) in overflow {
        // The leaf's path, the cell on it and the page of it.
        let (cell, _) = path.rsplit_once('+').unwrap();
        let (leaf, cell) = cell.rsplit_once('/').unwrap();
        let cell = usize::from_str_radix(cell, 16).unwrap();
        let first = leaves[&format!("{leaf}/")];
        places.entry(ids[first + cell]).or_default().insert(page);
    }
    assert_eq!(first, ids.len());
    places
}

fn root_pages(vault: &Vault, names: &[&str]) -> BTreeMap<String, BTreeSet<u32>> {
    let mut pages: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    let mut statement = vault.connection.prepare("SELECT name, pageno FROM dbstat").unwrap();
    let mut found = statement.query([]).unwrap();
    while let Some(row) = found.next().unwrap() {
        let (name, page): (String, u32) = (row.get(0).unwrap(), row.get(1).unwrap());
        if names.contains(&name.as_str()) {
            pages.entry(name).or_default().insert(page);
        }
    }
    pages
}

/// A vault, and where everything lies in it.
struct Original {
    dir: tempfile::TempDir,
    keys: VaultKeys,
    bytes: Vec<u8>,
    values: BTreeMap<i64, BTreeSet<u32>>,
    waves: BTreeMap<i64, BTreeSet<u32>>,
    lines: BTreeMap<i64, BTreeSet<u32>>,
    names: BTreeMap<String, BTreeSet<u32>>,
}

impl Original {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (path, keys) = (dir.path().join("vault.db"), VaultKeys::generate().unwrap());
        vault(&path, &keys);
        let opened = Vault::open(&path, &keys).unwrap();
        let values = pages_of(&opened, "observations", "id");
        let waves = pages_of(&opened, "waves", "id");
        let lines = pages_of(&opened, "audit", "seq");
        let names = [
            "patient_keys",
            "sources",
            "sqlite_autoindex_sources_1",
            "subjects",
            "sqlite_autoindex_subjects_1",
            "series",
            "series_of_patient",
            "taken",
            "observations_of_series",
            "patients",
            "audit_tree",
        ];
        let names = root_pages(&opened, &names);
        opened.close().unwrap();
        let bytes = fs::read(&path).unwrap();
        Self { dir, keys, bytes, values, waves, lines, names }
    }

    fn pages(&self) -> u32 {
        u32::try_from(self.bytes.len() / PAGE).unwrap()
    }

    /// Salvages it with these pages flipped.
    fn salvaged(&self, flipped: &BTreeSet<u32>) -> (Vault, Result<SalvagedRows, StoreFault>) {
        let mut bytes = self.bytes.clone();
        for page in flipped {
            bytes[(*page as usize - 1) * PAGE + 777] ^= 0x20;
        }
        let path = self.dir.path().join("flipped.db");
        fs::write(&path, &bytes).unwrap();
        let image = Image::open(&path, &self.keys).unwrap();
        let new = tempfile::tempdir_in(self.dir.path()).unwrap().keep().join("vault.db");
        let mut vault = Vault::create(&new, &self.keys).unwrap();
        let done = salvage(&image, (&mut vault, &self.keys), now(), &mut |_, _| {});
        (vault, done)
    }

    fn is_gone(&self, flipped: &BTreeSet<u32>, names: &[&str]) -> bool {
        names.iter().all(|name| !self.names[*name].is_disjoint(flipped))
    }

    fn check(&self, flipped: &BTreeSet<u32>) {
        let (vault, done) = self.salvaged(flipped);
        let done = done.unwrap();
        // Every row whose pages are whole, and whose key and numbers can be read, is there as it was.
        let lacks = self.is_gone(flipped, &["patient_keys"])
            || self.is_gone(flipped, &["sources", "sqlite_autoindex_sources_1"])
            || self.is_gone(flipped, &["subjects", "sqlite_autoindex_subjects_1"])
            || self.is_gone(flipped, &["series", "series_of_patient"]);
        let whole = |pages: &BTreeSet<u32>| pages.is_disjoint(flipped);
        let expected: Vec<Observation> = self
            .values
            .iter()
            .filter(|(_, pages)| !lacks && whole(pages))
            .map(|(id, _)| observation(id.unsigned_abs()))
            .collect();
        assert!(rows::observations(&vault).unwrap() == expected, "{flipped:?}");
        // Each of them has taken its number, so that nothing is kept twice.
        assert_eq!(integrity::observations(&vault).unwrap(), expected.len() as u64);
        let table = |name: &str| done.tables.iter().find(|table| table.table == name).unwrap();
        let (values, waves, log) = (table("observations"), table("waves"), table("audit"));
        assert_eq!(values.kept, expected.len() as u64);
        let count: i64 =
            vault.connection.query_row("SELECT count(*) FROM waves", [], |row| row.get(0)).unwrap();
        let lacks_keys = self.is_gone(flipped, &["patient_keys"]);
        let there = self.waves.values().filter(|pages| !lacks_keys && whole(pages)).count();
        assert_eq!((count.unsigned_abs(), waves.kept), (there as u64, there as u64));
        // Whatever is gone is named: by an index that is whole, or with the pages.
        let gone: BTreeSet<i64> =
            self.values.iter().filter(|(_, pages)| !whole(pages)).map(|(id, _)| *id).collect();
        let named: BTreeSet<i64> = values
            .lost_rows
            .iter()
            .flat_map(|rows| rows.first..=rows.last)
            .chain(values.perhaps.iter().flat_map(|(first, last)| *first..=(*last).min(10_000)))
            .collect();
        if !flipped.contains(&1) && !lacks {
            assert!(gone.is_subset(&named), "{flipped:?}: {gone:?} {named:?}");
        }
        assert_eq!(values.kept + values.unopened, VALUES - gone.len() as u64);
        let pages: BTreeSet<u32> = done.pages.iter().map(|page| page.page).collect();
        assert_eq!(&pages, flipped);
        // Lines of the log stand where they stood; the log verifies as far as it can.
        let lines = audit::all(&vault).unwrap();
        assert!(lines.iter().zip(1..).all(|((seq, _), expected)| *seq == expected));
        let lost = self.lines.values().filter(|pages| !whole(pages)).count();
        let tail = self.is_gone(flipped, &["audit_tree"]) || flipped.contains(&1);
        assert!(log.lost == lost as u64 || tail && log.lost < lost as u64, "{flipped:?}: {log:?}");
        assert_eq!(log.kept, (self.lines.len() - lost) as u64);
        assert!(!done.log_is_whole || lost == 0);
        let names = patients::all(&vault).unwrap().len() as u64;
        let no_names = lacks_keys || self.is_gone(flipped, &["patients"]);
        assert_eq!(names, if no_names { 0 } else { u64::try_from(PATIENTS).unwrap() });
    }
}

#[test]
fn s8_a_vault_that_is_whole_is_salvaged_whole() {
    let original = Original::new();
    let (mut vault, done) = original.salvaged(&BTreeSet::new());
    let done = done.unwrap();
    original.check(&BTreeSet::new());
    assert!(done.log_is_whole && done.pages.is_empty(), "{done:?}");
    assert!(done.tables.iter().all(|table| table.lost + table.unopened == 0), "{done:?}");
    assert!(audit::check(&vault, &original.keys).unwrap().is_ok());
    let sums = "SELECT count(*) FROM trend_recent";
    let sums: i64 = vault.connection.query_row(sums, [], |row| row.get(0)).unwrap();
    assert_eq!(sums, 0, "some of their rows might be gone");
    assert!(done.tables.iter().all(|table| table.table != "trend_recent"), "{done:?}");
    let blocks = trends::check(&mut vault).unwrap();
    assert!(blocks > 5 && trends::has_unpacked(&vault).unwrap());
    while trends::has_unpacked(&vault).unwrap() {
        trends::pack_some(&mut vault, 0).unwrap();
    }
    trends::check(&mut vault).unwrap();
    // Of a file that was cut, what is left; of nothing, nothing.
    let path = original.dir.path().join("cut.db");
    fs::write(&path, &original.bytes[..original.bytes.len() / 2]).unwrap();
    let image = Image::open(&path, &original.keys).unwrap();
    let new = original.dir.path().join("of-cut.db");
    let mut vault = Vault::create(&new, &original.keys).unwrap();
    let done = salvage(&image, (&mut vault, &original.keys), now(), &mut |_, _| {}).unwrap();
    assert_eq!(done.page_count, original.pages(), "the header says how long it was");
    assert!(done.pages.len() >= original.pages() as usize / 2 - 1);
    let other = VaultKeys::generate().unwrap();
    let image = Image::open(&path, &other).unwrap();
    let done = salvage(&image, (&mut vault, &other), now(), &mut |_, _| {});
    assert_eq!(done, Err(StoreFault::Damaged));
}

#[test]
fn s8_every_single_page_may_be_lost() {
    let original = Original::new();
    let small = original.names.values().filter(|pages| pages.len() < 4).flatten().copied();
    // The pages above others come early in the file, and the tables of which nothing else opens.
    let pages: BTreeSet<u32> =
        small.chain(1..30).chain((30..=original.pages()).step_by(7)).collect();
    for page in pages {
        original.check(&BTreeSet::from([page]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn s8_any_pages_may_be_lost(
        seeds in proptest::collection::vec(any::<u32>(), 1..12),
    ) {
        static ORIGINAL: std::sync::LazyLock<Original> = std::sync::LazyLock::new(Original::new);
        let pages: BTreeSet<u32> = seeds.iter().map(|seed| seed % ORIGINAL.pages() + 1).collect();
        ORIGINAL.check(&pages);
    }
}
