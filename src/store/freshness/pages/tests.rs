//! The tree against a plain list of tags, and every chunk of it put back or damaged.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::disk::durable::steps;

/// A table beside a database that is not there, and what it has to say.
struct Bench {
    dir: tempfile::TempDir,
    key: Key,
    file: TableFile,
    table: Table,
    tags: Vec<Tag>,
    generation: u64,
    id: Option<TableId>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = Key::random().unwrap();
        let file = TableFile::of(&dir.path().join("vault.db"), key.clone()).unwrap();
        let (table, tags) = (Table::unknown(0), Vec::new());
        Self { dir, key, file, table, tags, generation: 0, id: None }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("vault.pages")
    }

    /// Later versions of these pages of a database of so many.
    fn write(&mut self, pages: u32, later: &[u32]) {
        self.generation += 1;
        let version = u128::from(self.generation) << 32;
        let later = later.iter().map(|page| (*page, (version + u128::from(*page)).to_be_bytes()));
        let later: BTreeMap<u32, Tag> = later.collect();
        let as_of = (self.generation, 10 * self.generation);
        let written = self.file.write(&self.table, (&later, pages), as_of).unwrap();
        assert_eq!(written.lost, None);
        (self.table, self.id) = (written.table, Some(written.id));
        self.tags.resize(pages as usize, UNKNOWN);
        for (page, tag) in later.into_iter().filter(|(page, _)| *page <= pages) {
            self.tags[page as usize - 1] = tag;
        }
    }

    /// What the table in the file says.
    fn read(&self) -> Result<Vec<Tag>, Option<Lost>> {
        let file = TableFile::of(&self.dir.path().join("vault.db"), self.key.clone()).unwrap();
        let Found::Table(table) = file.read(&self.id.unwrap()).unwrap() else { return Err(None) };
        let mut tags = Vec::new();
        for leaf in 0..table.pages().div_ceil(FAN) {
            let branch = At::Branch(leaf / FAN);
            let (chunk, lost) = file.load(branch, &table.root.tag(leaf / FAN)).unwrap();
            let named = chunk.tag(leaf % FAN);
            let (chunk, missing) = file.load(At::Leaf(leaf), &named).unwrap();
            if lost.or(missing).is_some() {
                return Err(lost.or(missing));
            }
            tags.extend(chunk.tags);
        }
        let beyond = tags.split_off(tags.len().min(table.pages() as usize));
        assert!(beyond.iter().all(|tag| *tag == UNKNOWN), "nothing is known of what is not there");
        Ok(tags)
    }

    /// Where the live chunks lie in the file.
    fn live(&self) -> Vec<usize> {
        live_places(&self.dir.path().join("vault.db"), &self.key, &self.id.unwrap())
    }
}

/// Where the chunks of a table lie in its file.
pub fn live_places(database: &Path, key: &Key, id: &TableId) -> Vec<usize> {
    let file = TableFile::of(database, key.clone()).unwrap();
    let Found::Table(table) = file.read(id).unwrap() else { return vec![] };
    let place = |at: At, chunk: &Chunk| {
        let place = chunk.place.map(|place| 2 * at.number() + place);
        place.map(|place| usize::try_from(place).unwrap() * CHUNK)
    };
    let mut places: Vec<usize> = place(At::Root, &table.root).into_iter().collect();
    for branch in 0..FAN {
        let (chunk, _) = file.load(At::Branch(branch), &table.root.tag(branch)).unwrap();
        places.extend(place(At::Branch(branch), &chunk));
        for leaf in 0..FAN {
            let at = At::Leaf(branch * FAN + leaf);
            let (leaf, _) = file.load(at, &chunk.tag(leaf)).unwrap();
            places.extend(place(at, &leaf));
        }
    }
    places
}

/// Sizes around the ends of leaves and branches, and anything else.
fn any_size() -> impl Strategy<Value = u32> {
    prop_oneof![
        0_u32..700,
        (0_u32..4, 0_u32..3).prop_map(|(leaves, by)| (leaves * FAN + by).saturating_sub(1)),
        (1_u32..3, 0_u32..3).prop_map(|(branches, by)| branches * FAN * FAN + by - 1),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn s8_the_tree_says_what_was_written_whatever_grew_and_shrank(
        writes in prop::collection::vec((any_size(), prop::collection::vec(any::<u32>(), 0..40)), 1..12),
    ) {
        let mut bench = Bench::new();
        for (pages, later) in writes {
            let later: Vec<u32> = later.iter().map(|page| 1 + page % (pages + 3)).collect();
            bench.write(pages, &later);
            prop_assert_eq!(&bench.read().unwrap(), &bench.tags);
        }
    }

    #[test]
    fn any_bytes_are_no_table(bytes in prop::collection::vec(any::<u8>(), 0..300), seed in any::<u8>()) {
        let mut bench = Bench::new();
        bench.write(300, &[1, 300]);
        let mut file = vec![seed; 6 * CHUNK];
        file.splice(0..bytes.len(), bytes);
        fs::write(bench.path(), file).unwrap();
        prop_assert_eq!(bench.read(), Err(None));
    }
}

#[test]
fn a_write_is_as_large_as_what_changed_and_not_as_the_table() {
    let mut bench = Bench::new();
    let all: Vec<u32> = (1..=130_000).collect();
    bench.write(130_000, &all);
    let before = fs::read(bench.path()).unwrap();
    // Two pages of one leaf, one of another branch.
    bench.write(130_000, &[5, 6, 100_000]);
    let after = fs::read(bench.path()).unwrap();
    let chunks = before.chunks(CHUNK).zip(after.chunks(CHUNK));
    assert_eq!(
        chunks.filter(|(before, after)| before != after).count(),
        5,
        "2 leaves, 2 branches, root"
    );
    assert!(after.len() > 4_000_000, "{}", after.len());
}

#[test]
fn s8_a_chunk_that_is_put_back_or_damaged_is_told_from_one_that_is_not_in_use() {
    let mut bench = Bench::new();
    let all: Vec<u32> = (1..=600).collect();
    let mut ages = Vec::new();
    for _ in 0..4 {
        bench.write(600, &all);
        ages.push(fs::read(bench.path()).unwrap());
    }
    let whole = ages.pop().unwrap();
    let live = bench.live();
    assert_eq!(live.len(), 5);
    let mut lost = 0;
    ages.iter_mut().for_each(|old| old.resize(whole.len(), 0));
    for at in (0..whole.len()).step_by(CHUNK) {
        let olds = ages.iter().enumerate().map(|(age, old)| (Some(age), &old[at..at + CHUNK]));
        for (age, old) in olds.chain([(None, &[7; CHUNK][..])]) {
            let mut state = whole.clone();
            state[at..at + CHUNK].copy_from_slice(old);
            fs::write(bench.path(), &state).unwrap();
            let found = bench.read();
            let matters = live.contains(&at) && state != whole;
            assert_eq!(found.is_err(), matters, "age {age:?} at {at}");
            if let Err(Some(found)) = found {
                // The place beside it holds the write before the last.
                assert_eq!(found.found, Some(30), "age {age:?} at {at}");
            }
            lost += u32::from(matters);
        }
    }
    // Of the three earlier writes one lies where the last does, in each chunk; and damage.
    assert!(lost >= 5 * 2, "{lost}");
    fs::write(bench.path(), &ages[2]).unwrap();
    let found = bench.file.read(&bench.id.unwrap()).unwrap();
    assert!(matches!(found, Found::Older(30)), "{found:?}");
}

#[test]
fn s8_a_write_that_fails_anywhere_leaves_the_valid_table() {
    for failing in 0..12 {
        let mut bench = Bench::new();
        let all: Vec<u32> = (1..=900).collect();
        bench.write(900, &all);
        bench.write(900, &[3]);
        let later: BTreeMap<u32, Tag> = (1..=900).map(|page| (page, [9; TAG])).collect();
        for _ in 0..2 {
            let mut step = 0;
            steps::watch(move || {
                step += 1;
                if step > failing { Err(StoreFault::Full) } else { Ok(()) }
            });
            let written = bench.file.write(&bench.table, (&later, 900), (3, 30));
            steps::end();
            assert_eq!(written.is_err(), failing < 7, "{failing}");
            assert_eq!(bench.read().unwrap(), bench.tags, "{failing}");
        }
    }
}

#[test]
fn what_is_lost_is_compared_and_known_again() {
    let mut bench = Bench::new();
    let database = bench.dir.path().join("vault.db");
    // Pages whose tags are their numbers.
    let page = |number: u32| {
        let mut page = vec![0; PAGE];
        page[PAGE - PAGE_MAC..][..4].copy_from_slice(&number.to_be_bytes());
        page
    };
    fs::write(&database, (1..=600).flat_map(page).collect::<Vec<u8>>()).unwrap();
    let tags: BTreeMap<u32, Tag> =
        (1..=600).map(|number| (number, tag(&page(number)).unwrap())).collect();
    let written = bench.file.write(&bench.table, (&tags, 600), (1, 10)).unwrap();
    (bench.table, bench.id) = (written.table, Some(written.id));
    let handle = File::open(&database).unwrap();
    let nothing = BTreeMap::new();
    let compare =
        |bench: &Bench, span| bench.file.compare(&bench.table, &handle, span, &nothing).unwrap();
    assert_eq!(compare(&bench, (0, 600)), Compared::default());
    // The second leaf is destroyed; a comparison that begins within it takes all of it.
    let mut file = fs::read(bench.path()).unwrap();
    let at = usize::try_from(2 * At::Leaf(1).number()).unwrap() * CHUNK;
    file[at..at + 2 * CHUNK].fill(0);
    fs::write(bench.path(), file).unwrap();
    let found = compare(&bench, (300, 320));
    assert_eq!(found.lost, Some(Lost { found: None, first: FAN }));
    assert_eq!((found.replaced, found.found.len()), (0, FAN as usize));
    let written = bench.file.write(&bench.table, (&found.found, 600), (2, 20)).unwrap();
    (bench.table, bench.id) = (written.table, Some(written.id));
    let rest = compare(&bench, (0, 600));
    assert_eq!((rest.lost, rest.replaced), (None, 0));
    let written = bench.file.write(&bench.table, (&rest.found, 600), (3, 30)).unwrap();
    (bench.table, bench.id) = (written.table, Some(written.id));
    assert_eq!(bench.read().unwrap(), tags.into_values().collect::<Vec<_>>());
}
