//! The table of page tags: which version of every page of the database is the acknowledged one.
//!
//! SQLCipher ends every page with a random IV and an HMAC over the page's content, the IV and the page's
//! number. The HMAC's first bytes name that version of that page, and nobody without the database's key
//! can make another page that has them.
//!
//! The table is a tree of chunks, so that a fold writes no more of it than it changes:
//!
//! ```text
//!  head --MAC--> root --tags--> 252 branches --tags--> 252 leaves each --tags--> 252 pages each: 61 GiB
//!  chunk   MAC 32 | generation 8 | seq 8 | number 8 | pages 8 | tags 252 x 16
//! ```
//!
//! A leaf's tags name pages, a branch's and the root's name the chunks below by the beginning of their
//! MACs. Each chunk has two places side by side in one file, which take turns: what the head leads to is
//! never touched, so a write that was cut short costs nothing, and a chunk that was put back is not the
//! one that its parent names. Nothing but the root is read before it is needed.
//!
//! It is no state file ([`crate::disk::state_file`]): nothing in it is secret, and the head that names it
//! holds its MAC, so an earlier chunk that is authentic has to be told from damage.

pub(super) mod earlier;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::crypto::{Key, mac, mac_fits};
use crate::disk::read_at::read_at;
use crate::disk::{durable, layout};
use wardkeep_model::keeping::StoreFault;

/// Bytes of a page: SQLCipher's default.
pub const PAGE: usize = 4096;
/// HMAC-SHA512, a page's last bytes.
const PAGE_MAC: usize = 64;
/// Bytes that name a version of a page.
const TAG: usize = 16;
/// Tags of a chunk.
const FAN: u32 = 252;
const FRONT: usize = 64;
const CHUNK: usize = FRONT + FAN as usize * TAG;
/// Pages read at once.
const AT_ONCE: u32 = 64;
const INFO: &[u8] = b"wardkeep pages v2";

/// Names a version of a page, or a chunk.
pub type Tag = [u8; TAG];

/// Of a page whose version nobody knows: what is found is taken. Of a chunk: there is none.
const UNKNOWN: Tag = [0; TAG];

/// The tag of a page's bytes.
pub fn tag(page: &[u8]) -> Option<Tag> {
    page.get(PAGE - PAGE_MAC..PAGE - PAGE_MAC + TAG)?.try_into().ok()
}

/// Which table is the valid one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableId {
    /// Rises with every table.
    pub generation: u64,
    /// Number of the commit that it was written after.
    pub seq: u64,
    mac: [u8; 32],
    /// It is a tree; before, it was one piece ([`earlier`]).
    #[serde(default)]
    pub(super) tree: bool,
}

/// Where a chunk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Root,
    Branch(u32),
    Leaf(u32),
}

impl At {
    fn leaf_of(page: u32) -> u32 {
        page.saturating_sub(1) / FAN
    }

    /// Number of the chunk in the file: each branch is followed by its leaves.
    fn number(self) -> u64 {
        let fan = u64::from(FAN);
        match self {
            At::Root => 0,
            At::Branch(branch) => 1 + u64::from(branch) * (fan + 1),
            At::Leaf(leaf) => 2 + u64::from(leaf / FAN) * (fan + 1) + u64::from(leaf % FAN),
        }
    }

    /// The first page below it, counted from zero.
    fn first(self) -> u32 {
        match self {
            At::Root => 0,
            At::Branch(branch) => branch.saturating_mul(FAN * FAN),
            At::Leaf(leaf) => leaf.saturating_mul(FAN),
        }
    }
}

/// A chunk out of the file.
#[derive(Clone, Debug)]
struct Chunk {
    pages: u32,
    tags: Vec<Tag>,
    /// Which of its two places is the live one; none before it was written.
    place: Option<u64>,
}

impl Chunk {
    fn unknown() -> Self {
        Self { pages: 0, tags: vec![UNKNOWN; FAN as usize], place: None }
    }

    fn tag(&self, index: u32) -> Tag {
        self.tags.get(index as usize).copied().unwrap_or(UNKNOWN)
    }

    fn set(&mut self, index: u32, tag: Tag) {
        if let Some(here) = self.tags.get_mut(index as usize) {
            *here = tag;
        }
    }
}

/// The valid table, as far as it is in memory: its root.
#[derive(Clone, Debug)]
pub struct Table {
    root: Chunk,
}

impl Table {
    /// A table that knows no page yet.
    pub fn unknown(pages: u32) -> Self {
        Self { root: Chunk { pages, ..Chunk::unknown() } }
    }

    /// How many pages it has.
    pub fn pages(&self) -> u32 {
        self.root.pages
    }
}

/// A chunk that the valid table names and that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The commit after which the authentic earlier one was written that is there instead.
    pub found: Option<u64>,
    /// The first page that nothing is known of any more, counted from zero.
    pub first: u32,
}

/// What a table's file turned out to hold.
#[derive(Debug)]
pub enum Found {
    /// The valid table.
    Table(Table),
    /// An authentic earlier one, written after this commit.
    Older(u64),
    /// Nothing authentic.
    Nothing,
}

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// The table, valid once the head names it.
    pub table: Table,
    /// Its name.
    pub id: TableId,
    /// A chunk of the table before that was not there.
    pub lost: Option<Lost>,
}

/// What a comparison with the table found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Pages of another version than the table's.
    pub replaced: u64,
    /// What the table has to say from then on of pages of which it says something else.
    pub found: BTreeMap<u32, Tag>,
    /// A chunk of the table that was not there.
    pub lost: Option<Lost>,
}

/// The file of a database's table.
#[derive(Debug)]
pub struct TableFile {
    path: PathBuf,
    key: Key,
    file: Option<File>,
}

impl TableFile {
    /// The table of this database.
    ///
    /// # Errors
    /// As opening a file; that there is none is no error.
    pub fn of(database: &Path, key: Key) -> Result<Self, StoreFault> {
        let path = layout::pages(database);
        let file = durable::open_existing(&path)?;
        Ok(Self { path, key, file })
    }

    /// Reads the root of the table with this id.
    ///
    /// # Errors
    /// As reading a file.
    pub fn read(&self, id: &TableId) -> Result<Found, StoreFault> {
        Ok(match self.load(At::Root, &id.mac)? {
            (root, None) => Found::Table(Table { root }),
            (_, Some(Lost { found: Some(seq), .. })) => Found::Older(seq),
            (_, Some(Lost { found: None, .. })) => Found::Nothing,
        })
    }

    /// Reads the chunk that begins with `named`. One that is not there knows nothing.
    fn load(&self, at: At, named: &[u8]) -> Result<(Chunk, Option<Lost>), StoreFault> {
        if named == UNKNOWN {
            return Ok((Chunk::unknown(), None));
        }
        let mut both = vec![0; 2 * CHUNK];
        if let Some(file) = &self.file {
            read_at(file, &mut both, at.number() * 2 * CHUNK as u64)?;
        }
        let mut earlier = None;
        for (place, bytes) in (0..).zip(both.chunks_exact(CHUNK)) {
            let Some((seq, chunk)) = self.parse(at, bytes) else { continue };
            if bytes.starts_with(named) {
                return Ok((Chunk { place: Some(place), ..chunk }, None));
            }
            earlier = earlier.max(Some(seq));
        }
        Ok((Chunk::unknown(), Some(Lost { found: earlier, first: at.first() })))
    }

    /// An authentic chunk, and the commit after which it was written.
    fn parse(&self, at: At, bytes: &[u8]) -> Option<(u64, Chunk)> {
        let (mac, content) = bytes.split_first_chunk::<32>()?;
        if !mac_fits(&self.key, &[INFO, content], mac) {
            return None;
        }
        let (front, tags) = content.split_first_chunk::<32>()?;
        let (numbers, _) = front.as_chunks::<8>();
        let [_, seq, number, pages] = <[[u8; 8]; 4]>::try_from(numbers).ok()?;
        let pages = u32::try_from(u64::from_be_bytes(pages)).ok()?;
        let (tags, rest) = tags.as_chunks::<TAG>();
        (u64::from_be_bytes(number) == at.number() && rest.is_empty())
            .then(|| (u64::from_be_bytes(seq), Chunk { pages, tags: tags.to_vec(), place: None }))
    }

    /// Writes the table with later versions of some pages of a database that has so many; durable when it
    /// returns.
    ///
    /// # Errors
    /// As writing a file; the valid table is not touched.
    pub fn write(
        &mut self,
        table: &Table,
        (later, pages): (&BTreeMap<u32, Tag>, u32),
        as_of: (u64, u64),
    ) -> Result<Written, StoreFault> {
        if self.file.is_none() {
            durable::overwrite(&self.path, &[0; 2 * CHUNK])?;
            self.file = durable::open_existing(&self.path)?;
        }
        let mut root = table.root.clone();
        let mut lost = None;
        let (leaves, gone) = changed(later.keys(), (table.pages(), pages));
        for branch in gone {
            root.set(branch, UNKNOWN);
        }
        let branches: BTreeSet<u32> = leaves.iter().map(|leaf| leaf / FAN).collect();
        for branch in branches.into_iter().filter(|branch| *branch < FAN) {
            let at = At::Branch(branch);
            let (mut chunk, missing) = self.load(at, &root.tag(branch))?;
            lost = lost.or(missing);
            for leaf in leaves.range(branch * FAN..(branch + 1) * FAN) {
                let named = chunk.tag(leaf % FAN);
                let tag = match At::Leaf(*leaf).first() < pages {
                    true => {
                        let (tag, missing) = self.leaf(*leaf, named, (later, pages), as_of)?;
                        lost = lost.or(missing);
                        tag
                    }
                    false => UNKNOWN,
                };
                chunk.set(leaf % FAN, tag);
            }
            let [tag, _] = halves(self.put(at, &chunk, as_of)?);
            root.set(branch, tag);
        }
        root.pages = pages;
        let mac = self.put(At::Root, &root, as_of)?;
        durable::sync_data(self.file.as_ref().ok_or(StoreFault::Io)?)?;
        root.place = Some(other(root.place));
        let id = TableId { generation: as_of.0, seq: as_of.1, mac, tree: true };
        Ok(Written { table: Table { root }, id, lost })
    }

    /// Writes a leaf anew; its tag.
    fn leaf(
        &self,
        leaf: u32,
        named: Tag,
        (later, pages): (&BTreeMap<u32, Tag>, u32),
        as_of: (u64, u64),
    ) -> Result<(Tag, Option<Lost>), StoreFault> {
        let at = At::Leaf(leaf);
        let (mut chunk, lost) = self.load(at, &named)?;
        let first = at.first();
        for (page, tag) in later.range(first + 1..=first + FAN) {
            chunk.set(page - 1 - first, *tag);
        }
        for beyond in pages.saturating_sub(first)..FAN {
            chunk.set(beyond, UNKNOWN);
        }
        let [tag, _] = halves(self.put(at, &chunk, as_of)?);
        Ok((tag, lost))
    }

    /// Writes a chunk into the place that is not live; its MAC.
    fn put(
        &self,
        at: At,
        chunk: &Chunk,
        (generation, seq): (u64, u64),
    ) -> Result<[u8; 32], StoreFault> {
        let numbers = [generation, seq, at.number(), u64::from(chunk.pages)];
        let front = numbers.map(u64::to_be_bytes);
        let content = [front.as_flattened(), chunk.tags.as_flattened()].concat();
        let mac = mac(&self.key, &[INFO, &content]);
        let place = 2 * at.number() + other(chunk.place);
        let file = self.file.as_ref().ok_or(StoreFault::Io)?;
        durable::write_at(file, &[&mac[..], &content].concat(), place * CHUNK as u64)?;
        Ok(mac)
    }

    /// Compares pages of the database from one to before another, counted from zero, with the table.
    /// `masked` are those whose acknowledged version is in the log.
    ///
    /// # Errors
    /// As reading a file.
    pub fn compare(
        &self,
        table: &Table,
        database: &File,
        (mut from, end): (u32, u32),
        masked: &BTreeMap<u32, Tag>,
    ) -> Result<Compared, StoreFault> {
        let mut compared = Compared::default();
        while from < end {
            let leaf = At::Leaf(from / FAN);
            let branch = from / FAN / FAN;
            let (chunk, lost) = self.load(At::Branch(branch), &table.root.tag(branch))?;
            let (chunk, missing) = match lost {
                Some(_) => (Chunk::unknown(), lost),
                None => self.load(leaf, &chunk.tag(from / FAN % FAN))?,
            };
            // A chunk that is lost is written anew as a whole.
            if missing.is_some() {
                let all = leaf.first() + 1..=(leaf.first() + FAN).min(table.pages());
                compared.found.extend(all.map(|page| (page, UNKNOWN)));
                from = leaf.first();
            }
            compared.lost = compared.lost.or(missing);
            let until = end.min(leaf.first() + FAN);
            compare_leaf(&mut compared, &chunk, (database, from..until), masked)?;
            from = until;
        }
        Ok(compared)
    }
}

/// Leaves that have to be written for these pages, or because the database has become shorter, and branches
/// that are gone with it.
fn changed<'a>(
    later: impl Iterator<Item = &'a u32>,
    (before, pages): (u32, u32),
) -> (BTreeSet<u32>, std::ops::Range<u32>) {
    let mut leaves: BTreeSet<u32> =
        later.filter(|page| **page <= pages).map(|page| At::leaf_of(*page)).collect();
    let mut gone = 0..0;
    if pages < before {
        // Whole branches go by their parent alone.
        let (first, last) = (At::leaf_of(pages + 1), At::leaf_of(before));
        let kept = pages.div_ceil(FAN * FAN);
        leaves.extend(first..=last.min((kept * FAN).saturating_sub(1)));
        gone = kept..FAN;
    }
    (leaves, gone)
}

fn compare_leaf(
    compared: &mut Compared,
    chunk: &Chunk,
    (database, pages): (&File, std::ops::Range<u32>),
    masked: &BTreeMap<u32, Tag>,
) -> Result<(), StoreFault> {
    let mut buffer = vec![0; AT_ONCE as usize * PAGE];
    let mut at = pages.start;
    while at < pages.end {
        let until = pages.end.min(at + AT_ONCE);
        let buffer = buffer.get_mut(..(until - at) as usize * PAGE).unwrap_or_default();
        let read = read_at(database, buffer, u64::from(at) * PAGE as u64)?;
        let whole = buffer.get(..read).unwrap_or_default().chunks_exact(PAGE);
        let found = whole.filter_map(tag).chain(std::iter::repeat(UNKNOWN));
        for (page, found) in (at + 1..=until).zip(found) {
            let known = chunk.tag((page - 1) % FAN);
            if !masked.contains_key(&page) && known != found {
                compared.replaced += u64::from(known != UNKNOWN);
                compared.found.insert(page, found);
            }
        }
        at = until;
    }
    Ok(())
}

fn other(place: Option<u64>) -> u64 {
    u64::from(place == Some(0))
}

/// The tag that names a chunk, and the rest of its MAC.
fn halves(mac: [u8; 32]) -> [Tag; 2] {
    let (tags, _) = mac.as_chunks::<TAG>();
    [tags.first().copied().unwrap_or(UNKNOWN), tags.get(1).copied().unwrap_or(UNKNOWN)]
}

#[cfg(test)]
pub(super) mod tests;
