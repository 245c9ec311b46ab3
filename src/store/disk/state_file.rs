//! The one form of the small files that say what state the store is in.
//!
//! ```text
//!  file  = front 10 | nonce 24 | ciphertext | tag 16      XChaCha20-Poly1305, associated data  front | place
//!  front = "wardkeep" | kind 1 | version 1
//! ```
//!
//! | kind | place | how it is written |
//! |---|---|---|
//! | cart compartment | what it is | both of two copies, one after the other |
//! | inbox's state | the store | replaced |
//! | key slot | the store, the person, the factors, the epoch | replaced |
//! | emergency card | the store, the epoch | replaced |
//! | vault's head | the slot | the other one of two slots, in place, synced |
//! | what was seen | the store | in place, synced now and then, into one of two slots |
//!
//! The front is authenticated with the content. So a file that a later program wrote opens and is
//! [`Unread::Later`], while a version that somebody changed on the disk is damage like any other. The place
//! is not in the file: one that was moved to another place does not open there. Which of two copies or
//! slots is newer is told by a number in the content, because the keyring has such a number too.
//!
//! Programs before 0.2 wrote no front, and the place alone was associated data. Such a file is read, and
//! has the new form once it is written again.
//!
//! Not of this form: the keyring, which has to be read without this machine's secret; a draft, which this
//! machine cannot open; and the table of pages ([`crate::freshness::pages`]).

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::crypto::{Key, open, seal};
use crate::disk::durable;
use wardkeep_model::keeping::StoreFault;

const MAGIC: &[u8; 8] = b"wardkeep";
const FRONT_LEN: usize = MAGIC.len() + 2;
/// Version of what is written here; one number for all kinds.
const VERSION: u8 = 1;

/// What a file is. A number that was given out is never given to another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The cart compartment.
    Cart = 1,
    /// The inbox's state.
    InboxState = 2,
    // 3 was that of files of programs before 0.3.
    /// A key slot's outer layer.
    KeySlot = 4,
    /// The emergency card.
    EmergencyCard = 5,
    /// A slot of the vault's head.
    VaultHead = 6,
    /// A slot of what was seen of every part.
    Seen = 7,
}

impl Kind {
    /// Longest file of this kind.
    pub fn len_max(self) -> u64 {
        match self {
            Kind::Cart => 4 * 1024 * 1024,
            Kind::InboxState => 1024 * 1024,
            Kind::KeySlot => 1024,
            Kind::EmergencyCard => 16 * 1024 * 1024,
            Kind::VaultHead => 4096,
            Kind::Seen => 8192,
        }
    }

    fn front(self, version: u8) -> [u8; FRONT_LEN] {
        let mut front = [0; FRONT_LEN];
        let parts = MAGIC.iter().copied().chain([self as u8, version]);
        front.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
        front
    }
}

/// Why a file says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// There is none.
    #[error("it is missing")]
    Missing,
    /// A later program wrote it, in a form of this version.
    #[error("it has version {0}, which is later than this program")]
    Later(u8),
    /// Not as this machine wrote it for this place.
    #[error("it is damaged")]
    Damaged,
    /// The system did not read it.
    #[error(transparent)]
    Disk(#[from] StoreFault),
}

impl From<Unread> for StoreFault {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Missing | Unread::Damaged => StoreFault::Damaged,
            Unread::Later(_) => StoreFault::Later,
            Unread::Disk(fault) => fault,
        }
    }
}

/// A file of a kind, at its place, under its key.
#[derive(Clone, Copy, Debug)]
pub struct StateFile<'a> {
    /// What it is.
    pub kind: Kind,
    /// Seals it.
    pub key: &'a Key,
    /// Which one of its kind it is, as far as that is to be vouched for.
    pub place: &'a [u8],
}

impl StateFile<'_> {
    /// The file of this content.
    ///
    /// # Errors
    /// `Io` without random numbers.
    pub fn seal(&self, content: &[u8]) -> Result<Vec<u8>, StoreFault> {
        self.seal_as(VERSION, content)
    }

    fn seal_as(&self, version: u8, content: &[u8]) -> Result<Vec<u8>, StoreFault> {
        let front = self.kind.front(version);
        let sealed = seal(self.key, &[&front[..], self.place].concat(), content)?;
        Ok([&front[..], &sealed].concat())
    }

    /// The file of a value, written as JSON.
    ///
    /// # Errors
    /// `Io` if it cannot be written down, or without random numbers.
    pub fn seal_value(&self, value: &impl Serialize) -> Result<Vec<u8>, StoreFault> {
        let content = serde_json::to_vec(value).map(Zeroizing::new).map_err(|error| {
            tracing::error!(kind = ?self.kind, category = ?error.classify(), "a state file's content");
            StoreFault::Io
        })?;
        self.seal(&content)
    }

    /// The content of a file.
    ///
    /// # Errors
    /// [`Unread::Later`] or [`Unread::Damaged`].
    pub fn open(&self, file: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unread> {
        let of_this_form = file.split_first_chunk::<FRONT_LEN>().and_then(|(front, sealed)| {
            let [.., version] = *front;
            let is_of_kind = *front == self.kind.front(version);
            let context = [&front[..], self.place].concat();
            let content = open(self.key, &context, sealed).filter(|_| is_of_kind)?;
            Some((version, content))
        });
        match of_this_form {
            Some((VERSION, content)) => Ok(content),
            Some((version, _)) => Err(Unread::Later(version)),
            None => open(self.key, self.place, file).ok_or(Unread::Damaged),
        }
    }

    /// The value of a file.
    ///
    /// # Errors
    /// As [`StateFile::open`]; content that is no such value is damaged.
    pub fn open_value<T: DeserializeOwned>(&self, file: &[u8]) -> Result<T, Unread> {
        serde_json::from_slice(&self.open(file)?).map_err(|error| {
            // Authentic, so nobody but a program of ours wrote it.
            tracing::error!(kind = ?self.kind, category = ?error.classify(), "a state file's content");
            Unread::Damaged
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// See [`Unread`].
    pub fn read(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, Unread> {
        self.open(&bytes(path, self.kind)?)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// See [`Unread`].
    pub fn read_value<T: DeserializeOwned>(&self, path: &Path) -> Result<T, Unread> {
        self.open_value(&bytes(path, self.kind)?)
    }
}

/// The bytes of a file, which are at most as many as its kind may have.
fn bytes(path: &Path, kind: Kind) -> Result<Vec<u8>, Unread> {
    match durable::read(path, kind.len_max()) {
        Ok(Some(file)) => Ok(file),
        Ok(None) => Err(Unread::Missing),
        Err(StoreFault::Damaged) => Err(Unread::Damaged),
        Err(fault) => Err(Unread::Disk(fault)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use std::fs;

    fn key() -> Key {
        Key::from_slice(&[7; 32]).unwrap()
    }

    #[test]
    fn s8_a_file_is_of_its_kind_and_place_and_whole() {
        let key = key();
        let of = StateFile { kind: Kind::KeySlot, key: &key, place: b"here" };
        let file = of.seal(b"content").unwrap();
        assert_eq!(of.open(&file).unwrap().as_slice(), b"content");
        for wrong in [
            StateFile { kind: Kind::Cart, ..of },
            StateFile { place: b"there", ..of },
            StateFile { key: &Key::random().unwrap(), ..of },
        ] {
            assert_eq!(wrong.open(&file), Err(Unread::Damaged));
        }
        for bit in 0..file.len() * 8 {
            let mut bad = file.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(of.open(&bad), Err(Unread::Damaged), "bit {bit}");
        }
        for length in 0..file.len() {
            assert_eq!(of.open(&file[..length]), Err(Unread::Damaged), "length {length}");
        }
    }

    #[test]
    fn a_later_version_is_not_damage_and_a_changed_version_is() {
        let key = key();
        let of = StateFile { kind: Kind::InboxState, key: &key, place: b"here" };
        let mut file = of.seal_as(9, b"what nobody knows yet").unwrap();
        assert_eq!(of.open(&file), Err(Unread::Later(9)));
        assert_eq!(of.open_value::<u64>(&file), Err(Unread::Later(9)));
        file[FRONT_LEN - 1] = VERSION;
        assert_eq!(of.open(&file), Err(Unread::Damaged));
        let mut file = of.seal(b"1").unwrap();
        assert_eq!(of.open_value::<u64>(&file), Ok(1));
        assert_eq!(of.open_value::<String>(&file), Err(Unread::Damaged));
        file[FRONT_LEN - 1] = 9;
        assert_eq!(of.open(&file), Err(Unread::Damaged));
    }

    #[test]
    fn files_of_programs_before_0_2_are_read_and_not_where_they_do_not_belong() {
        let key = key();
        let of = StateFile { kind: Kind::Cart, key: &key, place: b"wardkeep cart v1" };
        let before = seal(&key, of.place, b"content").unwrap();
        assert_eq!(of.open(&before).unwrap().as_slice(), b"content");
        assert_eq!(StateFile { place: b"there", ..of }.open(&before), Err(Unread::Damaged));
    }

    #[test]
    fn what_is_missing_is_not_what_is_damaged_or_too_long() {
        let dir = tempfile::tempdir().unwrap();
        let key = key();
        let of = StateFile { kind: Kind::KeySlot, key: &key, place: b"here" };
        let path = dir.path().join("it");
        assert_eq!(of.read(&path), Err(Unread::Missing));
        fs::write(&path, of.seal(b"content").unwrap()).unwrap();
        assert_eq!(of.read(&path).unwrap().as_slice(), b"content");
        fs::write(&path, vec![0; 2000]).unwrap();
        assert_eq!(of.read(&path), Err(Unread::Damaged));
        assert_eq!(of.read(dir.path()), Err(Unread::Disk(StoreFault::Io)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_damaged(bytes in prop::collection::vec(any::<u8>(), 0..96), front in any::<bool>()) {
            let key = key();
            let of = StateFile { kind: Kind::VaultHead, key: &key, place: b"here" };
            let front = if front { of.kind.front(VERSION).to_vec() } else { Vec::new() };
            prop_assert_eq!(of.open(&[&front[..], &bytes].concat()), Err(Unread::Damaged));
        }
    }
}
