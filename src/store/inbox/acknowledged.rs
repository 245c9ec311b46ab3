//! How far the records of a lane were acknowledged, beside the segments.
//!
//! A batch is acknowledged once it is synced; the inbox's state knows of it up to a minute later. Until then
//! damage to it would look like what a power cut tears. So the number after it is written here, without
//! a sync: after a kill of the program it is there, and after a power cut it says less than what is
//! durable, or nothing, because it is written only behind the sync. Whoever can take it away while the
//! machine is off has a minute's choice between damage that is reported and a tear.
//!
//! ```text
//! content = chain 16 | number of the next record 8, big-endian | hash of the record before 32
//! ```
//!
//! It is a state file of the lane. Programs before 0.2 wrote the content, and an HMAC of it.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::crypto::{Key, mac_fits};
use crate::disk::state_file::{Kind, StateFile, Unread};
use crate::disk::{durable, layout};
use crate::inbox::segment::Lane;
use wardkeep_model::keeping::StoreFault;

/// Of the HMAC of programs before 0.2.
const LABEL_0_1: &[u8] = b"wardkeep inbox mark v1";
const CONTENT_LEN: usize = 16 + 8 + 32;

/// What was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Name of the chain.
    pub chain: [u8; 16],
    /// Number of the next record.
    pub next_seq: u64,
    /// Hash of the record before.
    pub prev: [u8; 32],
}

impl Acknowledged {
    fn encode(&self) -> Vec<u8> {
        [&self.chain[..], &self.next_seq.to_be_bytes(), &self.prev].concat()
    }

    fn decode(content: &[u8]) -> Option<Self> {
        let (chain, rest) = content.split_first_chunk()?;
        let (next_seq, prev) = rest.split_first_chunk()?;
        let (next_seq, prev) = (u64::from_be_bytes(*next_seq), prev.try_into().ok()?);
        Some(Self { chain: *chain, next_seq, prev })
    }

    fn decode_0_1(key: &Key, lane: Lane, bytes: &[u8]) -> Option<Self> {
        let (content, tag) = bytes.split_at_checked(CONTENT_LEN)?;
        let fits = mac_fits(key, &[LABEL_0_1, lane.suffix().as_bytes(), content], tag);
        Self::decode(content).filter(|_| fits)
    }
}

/// The file of a lane.
pub struct AcknowledgedFile {
    lane: Lane,
    key: Key,
    path: PathBuf,
    file: Option<File>,
}

impl AcknowledgedFile {
    /// The file of a lane in this directory, whether it is there or not.
    pub fn of(lane: Lane, dir: &Path, key: Key) -> Self {
        let path = dir.join(layout::acknowledged(lane.suffix()));
        Self { lane, key, path, file: None }
    }

    fn form(&self) -> StateFile<'_> {
        let (kind, place) = (Kind::Acknowledged, self.lane.suffix().as_bytes());
        StateFile { kind, key: &self.key, place }
    }

    /// What was acknowledged; `None` if nothing says so, or it is torn.
    ///
    /// # Errors
    /// `Later` if a later program wrote it; otherwise as reading a file.
    pub fn read(&self) -> Result<Option<Acknowledged>, StoreFault> {
        match self.form().read(&self.path) {
            Ok(content) => Ok(Acknowledged::decode(&content)),
            Err(Unread::Missing) => Ok(None),
            Err(Unread::Damaged) => {
                let bytes = durable::read_start(&self.path, 2 * CONTENT_LEN)?;
                Ok(Acknowledged::decode_0_1(&self.key, self.lane, &bytes))
            }
            Err(unread @ (Unread::Later(_) | Unread::Disk(_))) => Err(unread.into()),
        }
    }

    /// Writes what was acknowledged; it is not synced.
    ///
    /// # Errors
    /// As writing a file; then it says less, or nothing.
    pub fn write(&mut self, acknowledged: &Acknowledged) -> Result<(), StoreFault> {
        let content = self.form().seal(&acknowledged.encode())?;
        let file = match self.file.take() {
            Some(file) => file,
            None => durable::open_or_create(&self.path)?,
        };
        durable::write_unsynced(&file, &content)?;
        self.file = Some(file);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::mac;

    #[test]
    fn s8_it_is_of_its_lane_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let key = Key::random().unwrap();
        let mut file = AcknowledgedFile::of(Lane::Values, dir.path(), key.clone());
        assert_eq!(file.read(), Ok(None));
        let acknowledged = Acknowledged { chain: [1; 16], next_seq: 300, prev: [2; 32] };
        for next_seq in [7, 300] {
            file.write(&Acknowledged { next_seq, ..acknowledged }).unwrap();
        }
        assert_eq!(file.read(), Ok(Some(acknowledged)));
        let content = acknowledged.encode();
        let tag = mac(&key, &[LABEL_0_1, Lane::Values.suffix().as_bytes(), &content]);
        let before = [&content[..], &tag].concat();
        let waves = AcknowledgedFile::of(Lane::Waves, dir.path(), key);
        for good in [std::fs::read(&file.path).unwrap(), before] {
            std::fs::write(&file.path, &good).unwrap();
            assert_eq!(file.read(), Ok(Some(acknowledged)));
            std::fs::write(&waves.path, &good).unwrap();
            assert_eq!(waves.read(), Ok(None), "another lane's");
            for bit in 0..good.len() * 8 {
                let mut bad = good.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                std::fs::write(&file.path, &bad).unwrap();
                assert_eq!(file.read(), Ok(None), "bit {bit}");
            }
            for length in (0..good.len()).chain([good.len() + 1, 10_000]) {
                let mut bad = good.clone();
                bad.resize(length, 0);
                std::fs::write(&file.path, &bad).unwrap();
                assert_eq!(file.read(), Ok(None), "length {length}");
            }
        }
    }
}
