//! The table of page tags: which version of every page of the database is the acknowledged one.
//!
//! SQLCipher ends every page with a random IV and an HMAC over the page's content, the IV and the page's
//! number. The HMAC's first bytes name that version of that page, and nobody without the database's key
//! can make another page that has them.
//!
//! Two files take turns, written in place: the one that the head points to is never touched, so a write
//! that was cut short costs nothing. `MAC (32) || generation (8) || seq (8) || tags (16 each)`.
//!
//! It is no state file ([`crate::disk::state_file`]): it may have hundreds of megabytes, nothing in it is
//! secret, and the head that names it holds its MAC, so an earlier table that is authentic has to be told
//! from damage. Sealing it would cost a second copy of it in memory at every fold, and save ten lines.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

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
/// Of a database of 64 GiB.
const FILE_MAX: u64 = 256 * 1024 * 1024;
/// Pages read at once.
const CHUNK: u32 = 64;
const INFO: &[u8] = b"wardkeep pages v1";

/// Names a version of a page.
pub type Tag = [u8; TAG];

/// Of a page whose version nobody knows: what is found is taken.
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
}

/// Tags of the pages, the first page's first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table(Vec<Tag>);

/// What a table's file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The valid table.
    Table(Table),
    /// An authentic earlier one, written after this commit.
    Older(u64),
    /// Nothing authentic.
    Nothing,
}

impl Table {
    /// A table that knows no page yet.
    pub fn unknown(pages: u32) -> Self {
        Self(vec![UNKNOWN; pages as usize])
    }

    /// How many pages it has.
    pub fn pages(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// The same with later versions of some pages.
    pub fn with(&self, later: &BTreeMap<u32, Tag>) -> Self {
        let mut tags = self.0.clone();
        let last = later.keys().next_back().map_or(0, |page| *page as usize);
        tags.resize(tags.len().max(last), UNKNOWN);
        for (page, tag) in later {
            if let Some(here) = tags.get_mut((*page as usize).wrapping_sub(1)) {
                *here = *tag;
            }
        }
        Self(tags)
    }

    /// Writes the table over the one before the last; durable when it returns.
    ///
    /// # Errors
    /// As writing a file; the valid table is not touched.
    pub fn write(
        &self,
        database: &Path,
        key: &Key,
        (generation, seq): (u64, u64),
    ) -> Result<TableId, StoreFault> {
        let front = [generation.to_be_bytes(), seq.to_be_bytes()].concat();
        let tags = self.0.as_flattened();
        let mac = mac(key, &[INFO, &front, tags]);
        durable::overwrite(
            &layout::pages(database, generation),
            &[&mac[..], &front, tags].concat(),
        )?;
        Ok(TableId { generation, seq, mac })
    }

    /// Reads the table with this id.
    ///
    /// # Errors
    /// As reading a file.
    pub fn read(database: &Path, key: &Key, id: &TableId) -> Result<Found, StoreFault> {
        let content = match durable::read(&layout::pages(database, id.generation), FILE_MAX) {
            Ok(content) => content.unwrap_or_default(),
            Err(StoreFault::Damaged) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        Ok(Self::parse(&content, key, id).unwrap_or(Found::Nothing))
    }

    fn parse(content: &[u8], key: &Key, id: &TableId) -> Option<Found> {
        let (mac, rest) = content.split_first_chunk::<32>()?;
        let (front, tags) = rest.split_first_chunk::<16>()?;
        if !mac_fits(key, &[INFO, front, tags], mac) {
            return None;
        }
        if *mac != id.mac {
            let (_, seq) = front.split_first_chunk::<8>()?;
            return Some(Found::Older(u64::from_be_bytes(seq.try_into().ok()?)));
        }
        let (tags, rest) = tags.as_chunks::<TAG>();
        rest.is_empty().then(|| Found::Table(Self(tags.to_vec())))
    }

    /// Compares the database's pages after the first `from` with the table, at most `count` of them.
    /// `masked` are those whose acknowledged version is in the log. What is found is what the table says
    /// from then on.
    ///
    /// # Errors
    /// As reading a file.
    pub fn compare(
        &mut self,
        database: &File,
        (from, count): (u32, u32),
        masked: &BTreeMap<u32, Tag>,
    ) -> Result<Compared, StoreFault> {
        let mut compared = Compared::default();
        let end = from.saturating_add(count).min(self.pages());
        let mut chunk = vec![0; CHUNK as usize * PAGE];
        let mut at = from;
        while at < end {
            let len = (end - at).min(CHUNK) as usize * PAGE;
            let chunk = chunk.get_mut(..len).unwrap_or_default();
            let read = read_at(database, chunk, u64::from(at) * PAGE as u64)?;
            let whole = chunk.get(..read).unwrap_or_default().chunks_exact(PAGE);
            let found = whole.filter_map(tag).chain(std::iter::repeat(UNKNOWN));
            let here = self.0.get_mut(at as usize..).unwrap_or_default();
            let pages = at + 1..end.min(at + CHUNK) + 1;
            for ((page, tag), found) in pages.zip(here).zip(found) {
                if !masked.contains_key(&page) && *tag != found {
                    compared.learned |= *tag == UNKNOWN;
                    compared.replaced += u64::from(*tag != UNKNOWN);
                    *tag = found;
                }
            }
            at = end.min(at + CHUNK);
        }
        Ok(compared)
    }
}

/// What a comparison with the table found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Pages of another version than the table's.
    pub replaced: u64,
    /// The table now knows pages that it did not know.
    pub learned: bool,
}
