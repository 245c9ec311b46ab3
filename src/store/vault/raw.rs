//! A database read page by page without the database library: what `store check` names and `store salvage`
//! saves where a page is damaged.
//!
//! SQLite stops at the first page that does not authenticate, and SQLCipher's connection is of no use from
//! there on. Here every page is authenticated and opened by itself, out of the database's file or its log;
//! nothing is written, and no file is locked. What is not authentic is never looked at.

pub(crate) mod btree;
pub(crate) mod map;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use zeroize::Zeroizing;

use crate::crypto::page::{PAGE, PageCipher, SALT, USABLE};
use crate::disk::layout;
use crate::disk::read_at::read_at;
use crate::keys::vault_keys::VaultKeys;
use crate::vault::database::cipher::salt_of;
use crate::vault::raw::btree::{Cell, four};
use wardkeep_model::keeping::StoreFault;

/// Front of a log, and of each of its frames (SQLite's file format, 4.1).
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Pages by which the salt is found that a database was made with.
const TRIED: u32 = 64;

/// The files of a database.
pub struct Image {
    file: Option<File>,
    log: Option<File>,
    cipher: PageCipher,
    /// Where the latest version of a page lies in the log.
    logged: BTreeMap<u32, u64>,
    /// Pages whose latest version in the log is damaged.
    torn: BTreeSet<u32>,
    pages: u32,
}

/// A page that was read.
pub enum Page {
    /// What SQLite sees of it.
    Whole(Zeroizing<Vec<u8>>),
    /// It is not as it was written, or the disk does not give it.
    Damaged,
}

impl Image {
    /// Opens the files of a database for reading; either of them may be missing.
    ///
    /// # Errors
    /// As opening a file that is there.
    pub fn open(database: &Path, keys: &VaultKeys) -> Result<Self, StoreFault> {
        let file = existing(database)?;
        let log = existing(&layout::log(database))?;
        let length =
            file.as_ref().map_or(Ok(0), |file| file.metadata().map(|facts| facts.len()))?;
        let pages = u32::try_from(length.div_ceil(PAGE as u64)).unwrap_or(u32::MAX);
        let key = keys.database();
        let cipher = PageCipher::new(&key, &salt_of(&key));
        let mut image =
            Self { file, log, cipher, logged: BTreeMap::new(), torn: BTreeSet::new(), pages };
        // Databases of versions 1 and 2 keep the salt that they begin with.
        if !image.finds_any()
            && let Some(first) = image.file.as_ref().and_then(|file| raw(file, 0))
            && let Some(salt) = first.first_chunk::<SALT>()
        {
            let derived = std::mem::replace(&mut image.cipher, PageCipher::new(&key, salt));
            if !image.finds_any() {
                image.cipher = derived;
            }
        }
        image.read_log()?;
        Ok(image)
    }

    fn finds_any(&self) -> bool {
        let Some(file) = &self.file else { return false };
        (1..=self.pages.min(TRIED)).any(|number| {
            raw(file, offset(number)).is_some_and(|page| self.cipher.is_authentic(number, &page))
        })
    }

    /// Finds the last version of every page that the log has, up to its last commit. Frames of an earlier use
    /// of the file have other salts. The running checksum is not asked: a frame counts if its page is authentic,
    /// wherever the log is damaged before it.
    fn read_log(&mut self) -> Result<(), StoreFault> {
        let Some(log) = &self.log else { return Ok(()) };
        let mut header = [0; LOG_HEADER];
        if read_at(log, &mut header, 0)? < LOG_HEADER {
            return Ok(());
        }
        let salts = header.get(16..24).unwrap_or_default().to_vec();
        let (mut at, mut open) = (LOG_HEADER as u64, Vec::new());
        let mut frame = [0; FRAME_HEADER];
        while read_at(log, &mut frame, at)? == FRAME_HEADER {
            let page = at + FRAME_HEADER as u64;
            at = page + PAGE as u64;
            let Some(number) = four(&frame, 0).filter(|_| frame.get(8..16) == Some(&salts[..]))
            else {
                continue;
            };
            let whole = raw(log, page).is_some_and(|page| self.cipher.is_authentic(number, &page));
            open.push((number, whole.then_some(page)));
            if four(&frame, 4).is_none() {
                continue;
            }
            for (number, page) in open.drain(..) {
                match page {
                    Some(page) => {
                        self.logged.insert(number, page);
                        self.torn.remove(&number);
                    }
                    None => {
                        self.torn.insert(number);
                    }
                }
            }
        }
        let last = self.logged.keys().next_back().copied().unwrap_or(0);
        self.pages = self.pages.max(last);
        Ok(())
    }

    /// How many pages there are.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Pages of which a later version was written than can be read: the log has it, damaged. Numbers that a damaged
    /// log made up are among them.
    pub fn torn(&self) -> impl Iterator<Item = u32> + '_ {
        self.torn.iter().copied().filter(|number| *number <= self.pages)
    }

    /// Reads a page in its latest authentic version.
    pub fn page(&self, number: u32) -> Page {
        let logged = self.logged.get(&number).zip(self.log.as_ref());
        let from_log = logged.and_then(|(at, log)| raw(log, *at));
        let whole = from_log.and_then(|page| self.cipher.open(number, &page)).or_else(|| {
            let page = self.file.as_ref().and_then(|file| raw(file, offset(number)))?;
            self.cipher.open(number, &page)
        });
        whole.map_or(Page::Damaged, Page::Whole)
    }

    /// A cell's whole record; `None` if a page on which it goes on is damaged.
    pub fn payload(&self, page: &[u8], cell: &Cell) -> Option<Zeroizing<Vec<u8>>> {
        let mut whole = Zeroizing::new(Vec::with_capacity(cell.len));
        whole.extend_from_slice(page.get(cell.here.clone())?);
        let mut next = cell.overflow;
        while whole.len() < cell.len {
            let Page::Whole(page) = self.page(next?) else { return None };
            let more = (cell.len - whole.len()).min(USABLE - 4);
            whole.extend_from_slice(page.get(4..4 + more)?);
            next = four(&page, 0);
        }
        Some(whole)
    }
}

fn offset(number: u32) -> u64 {
    u64::from(number.saturating_sub(1)) * PAGE as u64
}

/// The bytes of a page; `None` if the disk does not give all of them.
fn raw(file: &File, at: u64) -> Option<Box<[u8; PAGE]>> {
    let mut page = Box::new([0; PAGE]);
    let read = read_at(file, page.as_mut_slice(), at).ok()?;
    (read == PAGE).then_some(page)
}

fn existing(path: &Path) -> Result<Option<File>, StoreFault> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
