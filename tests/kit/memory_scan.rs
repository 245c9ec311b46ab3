//! Counts how often some bytes are in the memory of this process.
//!
//! What is looked for is kept disguised, and what is read is wiped, or the search would find itself.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

const DISGUISE: u8 = 0x5a;
const CHUNK: usize = 64 * 1024;

/// Bytes to look for, disguised.
pub struct Needle(Vec<u8>);

impl Needle {
    /// A disguised copy.
    pub fn of(bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 16, "too short to be found by chance never");
        Self(bytes.iter().map(|byte| byte ^ DISGUISE).collect())
    }

    /// How often they are in writable memory, in the clear.
    pub fn count(&self) -> usize {
        let maps = fs::read_to_string("/proc/self/maps").expect("procfs");
        let memory = File::open("/proc/self/mem").expect("procfs");
        maps.lines().filter_map(writable).map(|(start, end)| self.within(&memory, start, end)).sum()
    }

    fn within(&self, memory: &File, start: u64, end: u64) -> usize {
        let overlap = self.0.len() - 1;
        let mut buffer = vec![0; CHUNK + overlap];
        let (mut at, mut found) = (start, 0);
        while at < end {
            let wanted =
                usize::try_from(end - at).map_or(buffer.len(), |left| left.min(buffer.len()));
            // A region may go while it is read.
            let Ok(length) = memory.read_at(&mut buffer[..wanted], at) else { return found };
            let read = &buffer[..length];
            let first = self.0[0] ^ DISGUISE;
            let begins = |at: &usize| {
                let here = read[*at..].iter().zip(&self.0);
                read[*at] == first
                    && length - at >= self.0.len()
                    && here.fold(true, |same, (byte, wanted)| same && *byte == wanted ^ DISGUISE)
            };
            found += (0..length).filter(begins).count();
            // What was read must not be found once more, in this buffer.
            buffer.fill(0);
            if length <= overlap {
                return found;
            }
            at += u64::try_from(length - overlap).expect("small");
        }
        found
    }
}

/// Start and end of a writable region.
fn writable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    rest.starts_with("rw").then_some(())?;
    number(start).zip(number(end))
}
