//! The format of a backup: one file, sealed to the recovery key and to named people, authenticated as a
//! whole.
//!
//! ```text
//!  file   = "wardkeep-backup\n" | version u32 | length u32 | header (JSON) | chunk*
//!  header = store identity, time, and for each recipient HPKE(public key, k)      k random
//!  chunk  = XChaCha20-Poly1305(K, 64 KiB of the content), nonce in front; the last may be shorter
//!           K   = HKDF(salt: SHA-256 of all before the first chunk, ikm: k, "wardkeep backup v1")
//!           aad = number of the chunk u64 | 1 for the last, else 0
//! content = length u32 | manifest (JSON) | the vault, encrypted once more as it is in the store
//! ```
//!
//! As in age's STREAM, a chunk that is altered, moved, repeated, left out or put behind the last does
//! not open, and neither does a file that ends early; any change of the header changes `K`. Reading and
//! writing take one chunk of memory.
//!
//! Everything read here may have been written by somebody with the file: each function is total.

use std::io::{self, BufRead, Read, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::{Key, PublicKey, derive, hash, open, open_with, seal, seal_to};
use crate::keys::ring::Recipient;
use crate::vault::database::fault::VaultFault;
use wardkeep_model::keeping::StoreFault;

const MAGIC: &[u8; 16] = b"wardkeep-backup\n";
const VERSION: u32 = 1;
const INFO: &[u8] = b"wardkeep backup v1";
const HEADER_LEN_MAX: u32 = 1024 * 1024;
/// Content of a chunk.
const CHUNK: usize = 64 * 1024;
/// Nonce and tag.
const OVERHEAD: usize = 24 + 16;

/// Why a backup cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupFault {
    /// It does not begin like a backup.
    #[error("this is not a backup")]
    Foreign,
    /// A later program wrote it.
    #[error("the backup has format {0}; this program reads format 1")]
    Version(u32),
    /// It is cut, altered, or not whole.
    #[error("the backup is damaged or not whole")]
    Damaged,
    /// These are not the words, or the person, that it was sealed to.
    #[error("the backup is not sealed to this key")]
    NotForYou,
    /// There is a file of this name.
    #[error("there is a file of this name already")]
    Exists,
    /// Where it should be restored there is a store.
    #[error("there is a store already")]
    StoreExists,
    /// The system refused a read or a write, or the store did.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

impl From<io::Error> for BackupFault {
    fn from(error: io::Error) -> Self {
        BackupFault::Store(error.into())
    }
}

impl From<VaultFault> for BackupFault {
    fn from(fault: VaultFault) -> Self {
        BackupFault::Store(fault.into())
    }
}

/// What a backup says of itself to everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Identity of the store that it was made of.
    pub device: [u8; 16],
    /// When.
    pub written: Timestamp,
    recipients: Vec<Sealed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sealed {
    recipient: Recipient,
    sealed: Vec<u8>,
}

impl Header {
    /// Whom it is sealed to.
    pub fn recipients(&self) -> impl Iterator<Item = Recipient> {
        self.recipients.iter().map(|sealed| sealed.recipient)
    }

    fn context(&self) -> Vec<u8> {
        let written = self.written.as_microsecond().to_be_bytes();
        [&self.device[..], &written, &VERSION.to_be_bytes()].concat()
    }

    /// The front of a file in bytes.
    fn front(&self) -> Result<Vec<u8>, StoreFault> {
        let header =
            serde_json::to_vec(self).map_err(StoreFault::Io.because("writing a header"))?;
        let length =
            u32::try_from(header.len()).map_err(StoreFault::Full.because("counting a header"))?;
        Ok([&MAGIC[..], &VERSION.to_be_bytes(), &length.to_be_bytes(), &header].concat())
    }
}

fn stream_key(front: &[u8], key: &Key) -> Key {
    derive(&hash(&[front]), key.as_slice(), &[INFO])
}

fn context(number: u64, last: bool) -> [u8; 9] {
    let mut context = [0; 9];
    for (to, from) in context.iter_mut().zip(number.to_be_bytes().into_iter().chain([last.into()]))
    {
        *to = from;
    }
    context
}

/// Encrypts what is written to it. **[`BackupWriter::finish`] must be called**: without the last chunk
/// the file is not whole, and nobody reads it.
pub struct BackupWriter<W> {
    out: W,
    key: Key,
    number: u64,
    chunk: Zeroizing<Vec<u8>>,
}

impl<W: Write> BackupWriter<W> {
    /// Begins a backup for these recipients.
    ///
    /// # Errors
    /// A public key is none; otherwise as writing a file.
    pub fn begin(
        mut out: W,
        (device, written): ([u8; 16], Timestamp),
        recipients: &[(Recipient, PublicKey)],
    ) -> Result<Self, StoreFault> {
        let key = Key::random()?;
        let mut header = Header { device, written, recipients: Vec::new() };
        for (recipient, public) in recipients {
            let sealed = seal_to(public, INFO, &header.context(), key.as_slice())?;
            header.recipients.push(Sealed { recipient: *recipient, sealed });
        }
        let front = header.front()?;
        out.write_all(&front)?;
        let key = stream_key(&front, &key);
        Ok(Self { out, key, number: 0, chunk: Zeroizing::new(Vec::with_capacity(CHUNK)) })
    }

    /// Adds content.
    ///
    /// # Errors
    /// As writing a file.
    pub fn write(&mut self, mut content: &[u8]) -> Result<(), StoreFault> {
        while !content.is_empty() {
            // A full chunk is written only once more follows: the last one is marked.
            if self.chunk.len() == CHUNK {
                self.seal_chunk(false)?;
            }
            let room = CHUNK - self.chunk.len();
            let (now, later) = content.split_at(room.min(content.len()));
            self.chunk.extend_from_slice(now);
            content = later;
        }
        Ok(())
    }

    /// Writes the last chunk and gives the file back.
    ///
    /// # Errors
    /// As writing a file.
    pub fn finish(mut self) -> Result<W, StoreFault> {
        self.seal_chunk(true)?;
        Ok(self.out)
    }

    fn seal_chunk(&mut self, last: bool) -> Result<(), StoreFault> {
        let sealed = seal(&self.key, &context(self.number, last), &self.chunk)?;
        self.out.write_all(&sealed)?;
        self.number += 1;
        zeroize::Zeroize::zeroize(&mut *self.chunk);
        Ok(())
    }
}

/// What a file says of itself, without any key.
///
/// # Errors
/// As [`BackupFault`] says.
pub fn front(input: impl BufRead) -> Result<Header, BackupFault> {
    Sealing::read(input).map(|sealing| sealing.header)
}

/// A backup whose front was read, and which waits for a key.
pub struct Sealing<R> {
    input: R,
    /// What it says of itself.
    pub header: Header,
    front: Vec<u8>,
}

impl<R: BufRead> Sealing<R> {
    /// Reads the front of a file.
    ///
    /// # Errors
    /// `Foreign`, `Version` or `Damaged`; otherwise as reading a file.
    pub fn read(mut input: R) -> Result<Self, BackupFault> {
        let mut start = [0; 24];
        let length = fill(&mut input, &mut start)?;
        let magic = start.get(..16).unwrap_or_default();
        if length < 16 || magic != MAGIC {
            return Err(BackupFault::Foreign);
        }
        let number = |from: usize| -> Option<u32> {
            let bytes = start.get(from..from + 4)?;
            bytes.try_into().ok().map(u32::from_be_bytes)
        };
        let (Some(version), Some(length), 24) = (number(16), number(20), length) else {
            return Err(BackupFault::Damaged);
        };
        if version != VERSION {
            return Err(BackupFault::Version(version));
        }
        if length > HEADER_LEN_MAX {
            return Err(BackupFault::Damaged);
        }
        let mut header = Vec::new();
        let read = input.by_ref().take(length.into()).read_to_end(&mut header)?;
        if u32::try_from(read) != Ok(length) {
            return Err(BackupFault::Damaged);
        }
        let front = [&start[..], &header].concat();
        let header = serde_json::from_slice(&header).map_err(|_| BackupFault::Damaged)?;
        Ok(Self { input, header, front })
    }

    /// Opens it with a private key that it was sealed to.
    ///
    /// # Errors
    /// `NotForYou`.
    pub fn open(self, recipient: Recipient, private: &Key) -> Result<BackupReader<R>, BackupFault> {
        let context = self.header.context();
        let key = self
            .header
            .recipients
            .iter()
            .filter(|sealed| sealed.recipient == recipient)
            .find_map(|sealed| open_with(private, INFO, &context, &sealed.sealed))
            .and_then(|key| Key::from_slice(&key))
            .ok_or(BackupFault::NotForYou)?;
        let key = stream_key(&self.front, &key);
        Ok(BackupReader { input: self.input, key, number: 0, chunk: Chunk::default() })
    }
}

#[derive(Default)]
struct Chunk {
    content: Zeroizing<Vec<u8>>,
    at: usize,
    last: bool,
}

/// Decrypts a backup, chunk by chunk. What it has given out is authentic as far as it goes; only
/// [`BackupReader::end`] says that it was all.
pub struct BackupReader<R> {
    input: R,
    key: Key,
    number: u64,
    chunk: Chunk,
}

impl<R: BufRead> BackupReader<R> {
    /// The next piece, at most `max` bytes; empty at the end.
    ///
    /// # Errors
    /// `Damaged`; otherwise as reading a file.
    pub fn some(&mut self, max: usize) -> Result<&[u8], BackupFault> {
        if self.chunk.at == self.chunk.content.len() && !self.chunk.last {
            self.chunk = self.open_chunk()?;
        }
        let rest = self.chunk.content.get(self.chunk.at..).unwrap_or_default();
        let piece = rest.get(..max.min(rest.len())).unwrap_or_default();
        self.chunk.at += piece.len();
        Ok(piece)
    }

    /// Exactly so many bytes.
    ///
    /// # Errors
    /// `Damaged` if there are fewer; otherwise as reading a file.
    pub(super) fn exactly(&mut self, length: usize) -> Result<Zeroizing<Vec<u8>>, BackupFault> {
        // The full length from the start: a buffer that grows would leave its old self behind.
        let mut found = Zeroizing::new(Vec::with_capacity(length));
        while found.len() < length {
            let piece = self.some(length - found.len())?;
            if piece.is_empty() {
                return Err(BackupFault::Damaged);
            }
            found.extend_from_slice(piece);
        }
        Ok(found)
    }

    /// Makes sure that nothing is left.
    ///
    /// # Errors
    /// `Damaged` if there is more, or the last chunk is missing.
    pub fn end(mut self) -> Result<(), BackupFault> {
        if self.some(1)?.is_empty() && self.chunk.last { Ok(()) } else { Err(BackupFault::Damaged) }
    }

    fn open_chunk(&mut self) -> Result<Chunk, BackupFault> {
        let mut sealed = vec![0; CHUNK + OVERHEAD];
        let length = fill(&mut self.input, &mut sealed)?;
        sealed.truncate(length);
        let last = self.input.fill_buf()?.is_empty();
        let content = open(&self.key, &context(self.number, last), &sealed);
        let content = content.ok_or(BackupFault::Damaged)?;
        self.number += 1;
        Ok(Chunk { content, at: 0, last })
    }
}

/// Reads as much as there is room for; how much it was.
fn fill(input: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;
