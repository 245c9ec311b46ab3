//! The mark of a lane: how far its records were acknowledged, beside the segments.
//!
//! A batch is acknowledged once it is synced; the head file knows of it up to a minute later. Until then
//! damage to it would look like what a power cut tears. So the number after it is written here, without
//! a sync: after a kill of the program it is there, and after a power cut it says less than what is
//! durable, or nothing, because it is written only behind the sync. Whoever can take it away while the
//! machine is off has a minute's choice between damage that is reported and a tear.
//!
//! ```text
//! 16 chain, 8 number of the next record (big-endian), 32 hash of the record before, 32 HMAC of these
//! ```

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::crypto::{Key, mac, mac_fits};
use crate::disk::{durable, layout};
use crate::inbox::segment::Lane;
use wardkeep_model::keeping::StoreFault;

const LABEL: &[u8] = b"wardkeep inbox mark v1";
const PLAIN_LEN: usize = 16 + 8 + 32;
const LEN: usize = PLAIN_LEN + 32;

/// What was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Name of the chain.
    pub chain: [u8; 16],
    /// Number of the next record.
    pub next_seq: u64,
    /// Hash of the record before.
    pub prev: [u8; 32],
}

impl Mark {
    fn encode(&self, key: &Key, lane: Lane) -> Vec<u8> {
        let plain = [&self.chain[..], &self.next_seq.to_be_bytes(), &self.prev].concat();
        let tag = mac(key, &[LABEL, lane.suffix().as_bytes(), &plain]);
        [&plain[..], &tag].concat()
    }

    fn decode(key: &Key, lane: Lane, bytes: &[u8]) -> Option<Self> {
        let (plain, tag) = bytes.split_at_checked(PLAIN_LEN)?;
        let (chain, rest) = plain.split_first_chunk()?;
        let (next_seq, prev) = rest.split_first_chunk()?;
        let mark = Self {
            chain: *chain,
            next_seq: u64::from_be_bytes(*next_seq),
            prev: prev.try_into().ok()?,
        };
        mac_fits(key, &[LABEL, lane.suffix().as_bytes(), plain], tag).then_some(mark)
    }
}

/// The file of a lane's mark.
pub struct MarkFile {
    lane: Lane,
    key: Key,
    path: PathBuf,
    file: Option<File>,
}

impl MarkFile {
    /// The mark of a lane in this directory, whether it is there or not.
    pub fn of(lane: Lane, dir: &Path, key: Key) -> Self {
        let path = dir.join(layout::acknowledged(lane.suffix()));
        Self { lane, key, path, file: None }
    }

    /// The mark; `None` if there is none, or it is torn.
    ///
    /// # Errors
    /// As reading a file.
    pub fn read(&self) -> Result<Option<Mark>, StoreFault> {
        let bytes = match durable::read(&self.path, LEN as u64) {
            Ok(bytes) => bytes.unwrap_or_default(),
            // Longer than any mark of ours.
            Err(StoreFault::Damaged) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        Ok(Mark::decode(&self.key, self.lane, &bytes))
    }

    /// Writes the mark; it is not synced.
    ///
    /// # Errors
    /// As writing a file; then there is an older mark, or none.
    pub fn write(&mut self, mark: &Mark) -> Result<(), StoreFault> {
        let file = match self.file.take() {
            Some(file) => file,
            None => durable::open_or_create(&self.path)?,
        };
        durable::write_unsynced(&file, &mark.encode(&self.key, self.lane))?;
        self.file = Some(file);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s8_a_mark_is_of_its_lane_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let key = Key::random().unwrap();
        let mut marks = MarkFile::of(Lane::Values, dir.path(), key.clone());
        assert_eq!(marks.read(), Ok(None));
        let mark = Mark { chain: [1; 16], next_seq: 300, prev: [2; 32] };
        for next_seq in [7, 300] {
            marks.write(&Mark { next_seq, ..mark }).unwrap();
        }
        assert_eq!(marks.read(), Ok(Some(mark)));
        let good = std::fs::read(&marks.path).unwrap();
        let waves = MarkFile::of(Lane::Waves, dir.path(), key);
        std::fs::write(&waves.path, &good).unwrap();
        assert_eq!(waves.read(), Ok(None), "another lane's");
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&marks.path, &bad).unwrap();
            assert_eq!(marks.read(), Ok(None), "bit {bit}");
        }
        for length in (0..good.len()).chain([good.len() + 1, 10_000]) {
            let mut bad = good.clone();
            bad.resize(length, 0);
            std::fs::write(&marks.path, &bad).unwrap();
            assert_eq!(marks.read(), Ok(None), "length {length}");
        }
    }
}
