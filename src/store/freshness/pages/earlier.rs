//! The table of pages as programs before 0.2 wrote it: in one piece, two files taking turns. It is read once,
//! and is a tree from then on.
//!
//! `MAC (32) || generation (8) || seq (8) || tags (16 each)`

use std::path::Path;

use crate::crypto::{Key, mac_fits};
use crate::disk::{durable, layout};
use crate::freshness::pages::{TAG, TableId, Tag};
use wardkeep_model::keeping::StoreFault;

/// Of a database of 64 GiB.
const FILE_MAX: u64 = 256 * 1024 * 1024;
const INFO: &[u8] = b"wardkeep pages v1";

/// What a table's file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The valid table: the tags of its pages, the first page's first.
    Tags(Vec<Tag>),
    /// An authentic earlier one, written after this commit.
    Older(u64),
    /// Nothing authentic.
    Nothing,
}

/// Reads the table with this id.
///
/// # Errors
/// As reading a file.
pub fn read(database: &Path, key: &Key, id: &TableId) -> Result<Found, StoreFault> {
    let content = match durable::read(&layout::pages_before(database, id.generation), FILE_MAX) {
        Ok(content) => content.unwrap_or_default(),
        Err(StoreFault::Damaged) => Vec::new(),
        Err(fault) => return Err(fault),
    };
    Ok(parse(&content, key, id).unwrap_or(Found::Nothing))
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
    rest.is_empty().then(|| Found::Tags(tags.to_vec()))
}

/// Removes both files, once a head names a tree.
///
/// # Errors
/// As removing a file.
pub fn remove(database: &Path) -> Result<(), StoreFault> {
    for generation in 0..2 {
        let path = layout::pages_before(database, generation);
        if path.try_exists()? {
            durable::remove(&path)?;
        }
    }
    Ok(())
}

/// Writes a table as those programs did.
#[cfg(test)]
pub fn write_for_tests(
    database: &Path,
    key: &Key,
    tags: &[Tag],
    (generation, seq): (u64, u64),
) -> Result<TableId, StoreFault> {
    let front = [generation.to_be_bytes(), seq.to_be_bytes()].concat();
    let mac = crate::crypto::mac(key, &[INFO, &front, tags.as_flattened()]);
    let path = layout::pages_before(database, generation);
    durable::overwrite(&path, &[&mac[..], &front, tags.as_flattened()].concat())?;
    Ok(TableId { generation, seq, mac, tree: false })
}
