//! A small file of two slots that is written in place: after any kill or power cut one of them is whole.
//!
//! Whoever writes takes turns between the slots as it needs: a slot that was synced is not written over
//! before the other one is.

use std::fs::File;
use std::path::Path;

use crate::disk::durable;
use crate::disk::read_at::read_at;
use wardkeep_model::keeping::StoreFault;

/// Bytes of a slot, its length in front included.
pub const SLOT: usize = 8192;
const LEN: usize = 4;

/// The file.
#[derive(Debug)]
pub struct TwoSlots(File);

impl TwoSlots {
    /// Makes the file, with nothing in it; durable when it returns.
    ///
    /// # Errors
    /// As writing a file.
    pub fn make(path: &Path) -> Result<Self, StoreFault> {
        durable::overwrite(path, &[0; 2 * SLOT])?;
        Ok(Self(durable::open_existing(path)?.ok_or(StoreFault::Io)?))
    }

    /// The file that is there; `None` if there is none.
    ///
    /// # Errors
    /// As opening a file.
    pub fn open(path: &Path) -> Result<Option<Self>, StoreFault> {
        Ok(durable::open_existing(path)?.map(Self))
    }

    /// What was written into a slot, if it has the form of that.
    ///
    /// # Errors
    /// As reading a file.
    pub fn read(&self, slot: u64) -> Result<Option<Vec<u8>>, StoreFault> {
        let mut content = [0; SLOT];
        let read = read_at(&self.0, &mut content, place(slot))?;
        let piece = content.get(..read).and_then(|content| {
            let (len, rest) = content.split_first_chunk::<LEN>()?;
            rest.get(..usize::try_from(u32::from_be_bytes(*len)).ok()?)
        });
        Ok(piece.filter(|piece| !piece.is_empty()).map(<[u8]>::to_vec))
    }

    /// Writes into a slot; durable after [`TwoSlots::sync`].
    ///
    /// # Errors
    /// `Full` if it does not fit; otherwise as writing a file, and the slot then holds anything.
    pub fn write(&self, slot: u64, content: &[u8]) -> Result<(), StoreFault> {
        let len = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let piece = [&len.to_be_bytes()[..], content].concat();
        if piece.len() > SLOT {
            return Err(StoreFault::Full);
        }
        durable::write_at(&self.0, &piece, place(slot))
    }

    /// Makes what was written durable.
    ///
    /// # Errors
    /// As syncing a file.
    pub fn sync(&self) -> Result<(), StoreFault> {
        durable::sync_data(&self.0)
    }
}

fn place(slot: u64) -> u64 {
    slot % 2 * SLOT as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_slot_holds_what_was_written_into_it_last() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it");
        assert!(TwoSlots::open(&path).unwrap().is_none());
        let file = TwoSlots::make(&path).unwrap();
        assert_eq!((file.read(0).unwrap(), file.read(1).unwrap()), (None, None));
        file.write(0, b"a longer one").unwrap();
        file.write(1, b"one").unwrap();
        file.write(2, b"short").unwrap();
        let again = TwoSlots::open(&path).unwrap().unwrap();
        assert_eq!(again.read(0).unwrap(), Some(b"short".to_vec()));
        assert_eq!(again.read(1).unwrap(), Some(b"one".to_vec()));
        assert_eq!(again.write(0, &[1; SLOT]), Err(StoreFault::Full));
        assert_eq!(again.read(0).unwrap(), Some(b"short".to_vec()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..3 * SLOT)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("it");
            std::fs::write(&path, &bytes).unwrap();
            let file = TwoSlots::open(&path).unwrap().unwrap();
            for slot in 0..2 {
                let read = file.read(slot).unwrap();
                prop_assert!(read.is_none_or(|read| read.len() <= SLOT - LEN));
            }
        }
    }
}
