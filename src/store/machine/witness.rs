//! A witness in a file: the count of a store, kept on another disk or by somebody else.
//!
//! ```text
//!  file = "wardkeep witness 1" LF | device 32 hex | SP | count decimal | SP | HMAC(key, device | count) 64 hex | LF
//! ```
//!
//! It holds nothing that is secret. Whoever has the device secret could write one; what that leads to is a store
//! that is not trusted, never one that is. One that is missing after it was used, or does not
//! authenticate, is a counter that does not answer.

use std::path::{Path, PathBuf};

use crate::crypto::{Key, mac, mac_fits};
use crate::disk::durable;
use crate::machine::anchor::Anchor;
use wardkeep_model::keeping::StoreFault;

const FIRST_LINE: &str = "wardkeep witness 1";
const LEN_MAX: u64 = 512;

/// The file, for one store.
#[derive(Debug)]
pub struct WitnessFile {
    path: PathBuf,
    key: Key,
    device: [u8; 16],
}

impl WitnessFile {
    /// The witness of a store in this file, whether it is there or not.
    pub fn of(path: &Path, key: Key, device: [u8; 16]) -> Self {
        Self { path: path.to_owned(), key, device }
    }

    fn write(&self, count: u64) -> Result<(), StoreFault> {
        let name = self.path.file_name().and_then(|name| name.to_str()).ok_or(StoreFault::Io)?;
        let dir = self.path.parent().ok_or(StoreFault::Io)?;
        let tag = mac(&self.key, &[&self.device, &count.to_be_bytes()]);
        let (device, tag) = (hex(&self.device), hex(&tag));
        let content = format!("{FIRST_LINE}\n{device} {count} {tag}\n");
        durable::replace(dir, name, content.as_bytes())
    }
}

impl Anchor for WitnessFile {
    fn read(&mut self) -> Result<Option<u64>, StoreFault> {
        let Some(content) = durable::read(&self.path, LEN_MAX)? else { return Ok(None) };
        parse(&content, &self.key, &self.device).ok_or(StoreFault::Damaged).map(Some)
    }

    fn advance(&mut self) -> Result<Option<u64>, StoreFault> {
        let count = self.read()?.unwrap_or(0) + 1;
        self.write(count)?;
        Ok(Some(count))
    }
}

/// The count of this store that a file holds; `None` if it holds none that authenticates.
fn parse(content: &[u8], key: &Key, device: &[u8; 16]) -> Option<u64> {
    let text = std::str::from_utf8(content).ok()?;
    let line = text.strip_prefix(FIRST_LINE)?.strip_prefix('\n')?.strip_suffix('\n')?;
    let mut words = line.split(' ');
    let (of, count, tag) = (words.next()?, words.next()?, words.next()?);
    let count: u64 = count.parse().ok()?;
    let mac = unhex(tag)?;
    let fits = of == hex(device)
        && words.next().is_none()
        && tag == hex(&mac)
        && mac_fits(key, &[device, &count.to_be_bytes()], &mac);
    fits.then_some(count)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn s8_a_witness_is_of_one_store_and_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cart-7.witness");
        let key = Key::random().unwrap();
        let mut file = WitnessFile::of(&path, key.clone(), [7; 16]);
        assert_eq!(file.read(), Ok(None));
        assert_eq!(file.advance(), Ok(Some(1)));
        assert_eq!(file.advance(), Ok(Some(2)));
        assert_eq!(file.read(), Ok(Some(2)));
        for mut other in [
            WitnessFile::of(&path, key.clone(), [8; 16]),
            WitnessFile::of(&path, Key::random().unwrap(), [7; 16]),
        ] {
            assert_eq!(other.read(), Err(StoreFault::Damaged));
            assert_eq!(other.advance(), Err(StoreFault::Damaged), "it is not written over");
        }
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&bad, &key, &[7; 16]), None, "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_no_witness(bytes in prop::collection::vec(any::<u8>(), 0..300), headed in any::<bool>()) {
            let front: &[u8] = if headed { b"wardkeep witness 1\n" } else { b"" };
            let content = [front, &bytes].concat();
            let key = Key::from_slice(&[3; 32]).unwrap();
            prop_assert_eq!(parse(&content, &key, &[7; 16]), None);
        }
    }
}
