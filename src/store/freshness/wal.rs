//! The database's write-ahead log, read from outside: which pages each commit wrote, in which version.
//!
//! The file's format is SQLite's (`fileformat2`, section 4): a header of 32 bytes, then frames of 24
//! bytes and a page each. A frame counts if its salts are the header's and its running checksum fits,
//! and only up to the last frame that ends a transaction. The checksum is no protection, because anybody
//! can compute it: what a commit wrote is told by its pages' [`Tag`]s.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::crypto::hash;
use crate::disk::layout;
use crate::disk::read_at::read_at;
use crate::freshness::pages::{PAGE, Tag, tag};
use wardkeep_model::keeping::StoreFault;

const HEADER: usize = 32;
const FRAME: usize = 24 + PAGE;
/// Frames read at once.
const CHUNK: usize = 64;
/// Of a log with checksums over little-endian words; the lowest bit says big-endian.
const MAGIC: u32 = 0x377f_0682;

/// Which log, and how many of its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// They change when the log begins anew.
    pub salts: [u8; 8],
    /// Committed frames.
    pub frames: u32,
}

/// A place between two transactions of the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogPosition {
    /// What lies before it.
    pub(super) extent: Extent,
    sum: (u32, u32),
    big_endian: bool,
}

/// One transaction of the log.
#[derive(Clone, Debug)]
pub struct LoggedTransaction {
    /// Pages by number, in the order in which they were written.
    pub frames: Vec<(u32, Tag)>,
    /// The place after it.
    pub end: LogPosition,
    /// Pages of the database after it.
    pub size: u32,
}

impl LoggedTransaction {
    /// The rolling digest after this commit.
    pub fn roll(&self, before: &[u8; 32]) -> [u8; 32] {
        let mut content = Vec::with_capacity(32 + self.frames.len() * 20);
        content.extend_from_slice(before);
        for (page, tag) in &self.frames {
            content.extend_from_slice(&page.to_be_bytes());
            content.extend_from_slice(tag);
        }
        hash(&[&content])
    }
}

/// The log beside a database.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: Option<File>,
    /// What is read at once; empty until then.
    chunk: Vec<u8>,
}

impl Log {
    /// The log of this database, whether it is there or not.
    pub fn of(database: &Path) -> Self {
        Self { path: layout::log(database), file: None, chunk: Vec::new() }
    }

    /// The file, if there is one, and room for a chunk of it.
    fn parts(&mut self) -> Result<Option<(&File, &mut Vec<u8>)>, StoreFault> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.file.as_ref().map(|file| (file, &mut self.chunk)))
    }

    /// Where the log begins; `None` if there is none, or no header that SQLite would take.
    ///
    /// # Errors
    /// As reading a file.
    pub fn begin(&mut self) -> Result<Option<LogPosition>, StoreFault> {
        let Some((file, _)) = self.parts()? else { return Ok(None) };
        let mut header = [0; HEADER];
        if read_at(file, &mut header, 0)? < HEADER {
            return Ok(None);
        }
        let big_endian = word(&header, 0) & 1 == 1;
        let sum = checksum((0, 0), header.get(..24).unwrap_or_default(), big_endian);
        let is_ours = word(&header, 0) & !1 == MAGIC
            && usize::try_from(word(&header, 8)).is_ok_and(|size| size == PAGE)
            && sum == (word(&header, 24), word(&header, 28));
        let salts = header.get(16..24).and_then(|salts| salts.try_into().ok()).unwrap_or_default();
        let extent = Extent { salts, frames: 0 };
        Ok(is_ours.then_some(LogPosition { extent, sum, big_endian }))
    }

    /// The transaction that begins at a place; `None` if none ends after it.
    ///
    /// # Errors
    /// As reading a file.
    pub(super) fn commit_at(
        &mut self,
        place: &LogPosition,
    ) -> Result<Option<LoggedTransaction>, StoreFault> {
        let Some((file, chunk)) = self.parts()? else { return Ok(None) };
        chunk.resize(CHUNK * FRAME, 0);
        let mut end = *place;
        let mut frames = Vec::new();
        loop {
            let at = HEADER as u64 + u64::from(end.extent.frames) * FRAME as u64;
            let read = read_at(file, chunk, at)?;
            let whole = chunk.get(..read).unwrap_or_default().chunks_exact(FRAME);
            if whole.len() == 0 {
                return Ok(None);
            }
            for frame in whole {
                let Some((page, tag, size)) = end.take(frame) else { return Ok(None) };
                frames.push((page, tag));
                if size > 0 {
                    return Ok(Some(LoggedTransaction { frames, end, size }));
                }
            }
        }
    }
}

impl LogPosition {
    /// Moves over a frame: its page, and where it ends a transaction the pages of the database after that,
    /// else zero. `None` if the frame is none.
    fn take(&mut self, frame: &[u8]) -> Option<(u32, Tag, u32)> {
        let (head, page) = frame.split_at_checked(24)?;
        let sum = checksum(self.sum, head.get(..8)?, self.big_endian);
        let sum = checksum(sum, page, self.big_endian);
        let fits = *head.get(8..16)? == self.extent.salts
            && sum == (word(head, 16), word(head, 20))
            && word(head, 0) != 0;
        if !fits {
            return None;
        }
        self.sum = sum;
        self.extent.frames += 1;
        Some((word(head, 0), tag(page)?, word(head, 4)))
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    word.map_or(0, u32::from_be_bytes)
}

/// SQLite's running checksum over pairs of words.
fn checksum(mut sum: (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let read = |word: [u8; 4]| match big_endian {
        true => u32::from_be_bytes(word),
        false => u32::from_le_bytes(word),
    };
    for pair in bytes.as_chunks::<8>().0 {
        let [a, b, c, d, e, f, g, h] = *pair;
        sum.0 = sum.0.wrapping_add(read([a, b, c, d])).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(read([e, f, g, h])).wrapping_add(sum.0);
    }
    sum
}
