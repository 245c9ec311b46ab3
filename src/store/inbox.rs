//! The inbox: what is recorded while locked, sealed so that this machine itself cannot read it back.
//!
//! The format is in [`super::segment`].
//!
//! A chain starts when the vault closes: `c_0` comes from the vault's master key, so whoever opens the
//! vault can compute every `c_i`, and whoever breaks into the locked machine only those from then on.
//! A chain that had to start without the vault (its state was lost) carries its `c_0` sealed.
//! The head file (AEAD under the device secret) keeps the chain's state at the start of each segment,
//! every minute, and at shutdown; what was recorded and acknowledged after it is found by its tags.
//!
//! S-3: only `PK_inbox` and the current `c_i` are here. S-8: numbers have no gaps and every record is
//! authenticated at its place, so a missing, moved, repeated or forged record is reported at import.
//! A torn tail (at most one second) is cut at the last good tag.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cart::{Cart, Counted};
use super::device_secret::DeviceKeys;
use super::keyring::{Keyring, VaultKeys};
use super::primitives::{Key, PublicKey, hash, mac, open, random, seal, seal_to};
use super::segment::{
    Entry, Header, INFO, RECORD_LEN_MAX, Record, SEGMENT_LEN_MAX, context, file_name, frame,
    framed, next_key, open_segment, records, segments, size,
};
use super::vault::Seen;
use super::{StoreFault, durable};
use crate::moment::{BootTime, Moment};

/// Name of the head file.
pub const HEAD: &str = "head";
const HEAD_MAX: u64 = 1024 * 1024;
/// A segment is closed after this many records, so that its import is one short transaction.
pub const SEGMENT_RECORDS_MAX: u32 = 256;
/// Sealed records kept in memory while they cannot be written.
const PENDING_MAX: usize = 4096;
/// What the inbox may occupy: about ten days of three values a second.
const BYTES_MAX: u64 = 1024 * 1024 * 1024;
const ANCHOR_EVERY: Duration = Duration::from_secs(60);

/// Where a chain began and which key it has at its present end.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Chain {
    id: [u8; 16],
    first_seq: u64,
    key: Key,
    /// `c_0` sealed to `PK_inbox`, if the vault was not there to derive it.
    orphan: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    chain: Chain,
    next_seq: u64,
    prev: [u8; 32],
    segment: u64,
    cart_generation: u64,
    #[serde(default)]
    counted: Vec<Counted>,
    #[serde(default)]
    vault: Seen,
}

struct OpenSegment {
    file: File,
    /// Bytes that are durable.
    len: u64,
    records: u32,
}

/// The writing end of the inbox.
pub struct Inbox {
    dir: PathBuf,
    key: Key,
    public: PublicKey,
    device: [u8; 16],
    run: u64,
    chain: Chain,
    next_seq: u64,
    prev: [u8; 32],
    /// Number of the next segment.
    next_segment: u64,
    segment: Option<OpenSegment>,
    /// Sealed records that are not durable yet, with the chain's state before the first of them.
    pending: Vec<Vec<u8>>,
    durable: (u64, Key, [u8; 32]),
    anchored: BootTime,
    bytes: u64,
    cart_generation: u64,
    counted: Vec<Counted>,
    vault: Seen,
}

impl Inbox {
    /// The inbox of a store that is being made, with its first chain.
    pub fn create(
        dir: &Path,
        keys: &DeviceKeys,
        ring: &Keyring,
        vault: &VaultKeys,
    ) -> Result<(), StoreFault> {
        durable::make_dir(dir)?;
        let chain = vault_chain(vault, 1)?;
        let (next_seq, segment) = (1, 1);
        let (cart_generation, counted) = (0, Vec::new());
        let (prev, vault) = ([0; 32], Seen::default());
        let head = Head { chain, next_seq, prev, segment, cart_generation, counted, vault };
        write_head(dir, &keys.inbox(), &ring.device, &head)
    }

    /// Finds the end of the chain after a start of the program.
    pub fn resume(dir: &Path, keys: &DeviceKeys, ring: &Keyring) -> Result<Self, StoreFault> {
        let segments = segments(dir)?;
        let head = match read_head(dir, &keys.inbox(), &ring.device)? {
            Some(head) => head,
            None => orphan_head(ring, &segments)?,
        };
        let run = u64::from_be_bytes(random()?);
        let mut inbox = Self {
            dir: dir.to_owned(),
            key: keys.inbox(),
            public: ring.inbox,
            device: ring.device,
            run,
            next_seq: head.next_seq,
            prev: head.prev,
            next_segment: head.segment,
            segment: None,
            pending: Vec::new(),
            durable: (head.next_seq, head.chain.key.clone(), head.prev),
            chain: head.chain,
            anchored: BootTime::default(),
            bytes: size(dir)?,
            cart_generation: head.cart_generation,
            counted: head.counted,
            vault: head.vault,
        };
        for (_, path) in segments.iter().filter(|(number, _)| *number >= head.segment) {
            inbox.walk(keys, path)?;
        }
        inbox.durable = (inbox.next_seq, inbox.chain.key.clone(), inbox.prev);
        inbox.anchor()?;
        Ok(inbox)
    }

    /// Follows the chain through a segment that was written after the head, and cuts a torn tail.
    fn walk(&mut self, keys: &DeviceKeys, path: &Path) -> Result<(), StoreFault> {
        let bytes = match durable::read(path, SEGMENT_LEN_MAX) {
            Ok(bytes) => bytes.unwrap_or_default(),
            // Longer than any segment of ours: the import reports it.
            Err(StoreFault::Damaged) => return Ok(()),
            Err(fault) => return Err(fault),
        };
        let Some((header, body)) = open_segment(keys, &bytes) else {
            if frame(&bytes, RECORD_LEN_MAX).is_none_or(|(_, rest)| rest.len() < 32) {
                // The header itself is torn, so nothing in this segment was ever acknowledged.
                fs::remove_file(path)?;
            }
            return Ok(());
        };
        self.next_segment = self.next_segment.max(header.segment.saturating_add(1));
        if header.chain != self.chain.id {
            return Ok(());
        }
        let mut good = bytes.len() - body.len();
        let mut end = good;
        for record in records(body).0 {
            end += 4 + record.len();
            let Some(record) = Record::parse(record) else { continue };
            if record.seq < self.next_seq {
                good = end;
            } else if let Some(key) = self.key_at(record.seq)
                && record.is_tagged(&key)
            {
                good = end;
                self.chain.key = next_key(&key);
                self.next_seq = record.seq + 1;
                self.prev = hash(&[record.body]);
            }
        }
        if good < bytes.len() {
            let file = File::options().write(true).open(path)?;
            file.set_len(good as u64)?;
            file.sync_all()?;
        }
        Ok(())
    }

    /// The chain's key for a number at or shortly after the present end.
    fn key_at(&self, seq: u64) -> Option<Key> {
        let steps = seq.checked_sub(self.next_seq)?;
        if steps > u64::from(SEGMENT_RECORDS_MAX) {
            return None;
        }
        Some((0..steps).fold(self.chain.key.clone(), |key, _| next_key(&key)))
    }

    /// Seals an entry; it is durable after [`Inbox::flush`].
    ///
    /// # Errors
    /// `Full` if it cannot be taken: the caller counts it as lost.
    pub fn push(&mut self, entry: &Entry) -> Result<(), StoreFault> {
        if self.pending.len() >= PENDING_MAX || self.bytes >= BYTES_MAX {
            return Err(StoreFault::Full);
        }
        let plain = serde_json::to_vec(entry).map_err(|_| StoreFault::Io)?;
        let plain = zeroize::Zeroizing::new(plain);
        let seq = self.next_seq.to_be_bytes();
        let aad = context(&self.header(), self.next_seq, &self.prev);
        let sealed = seal_to(&self.public, INFO, &aad, &plain)?;
        let tag = mac(&self.chain.key, &[&seq, &self.prev, &sealed]);
        let body = [&seq[..], &self.prev, &tag, &sealed].concat();
        if body.len() > RECORD_LEN_MAX {
            return Err(StoreFault::Full);
        }
        self.chain.key = next_key(&self.chain.key);
        self.prev = hash(&[&body]);
        self.next_seq += 1;
        self.pending.push(framed(&body));
        Ok(())
    }

    /// How many records wait to be written.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The number after the last durable record.
    pub fn durable_seq(&self) -> u64 {
        self.durable.0
    }

    /// Writes and syncs what waits, in at most as many steps as segments are needed.
    ///
    /// # Errors
    /// As writing a file; what was not written still waits.
    pub fn flush(&mut self, now: BootTime) -> Result<(), StoreFault> {
        while !self.pending.is_empty() {
            let written = self.write_some();
            if written.is_err() {
                // Never write on after a failed write or sync: what is on disk is not known.
                self.abandon_segment();
            }
            written?;
        }
        if now.since(self.anchored) >= ANCHOR_EVERY {
            self.anchor()?;
            self.anchored = now;
        }
        Ok(())
    }

    fn write_some(&mut self) -> Result<(), StoreFault> {
        let mut segment = match self.segment.take() {
            Some(segment) if segment.records < SEGMENT_RECORDS_MAX => segment,
            Some(_) | None => self.begin_segment()?,
        };
        let room = SEGMENT_RECORDS_MAX - segment.records;
        let count = self.pending.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let batch: Vec<u8> = self.pending.iter().take(count).flatten().copied().collect();
        let done = segment.file.write_all(&batch).and_then(|()| segment.file.sync_all());
        let len = segment.len;
        self.segment = Some(segment);
        done?;
        if let Some(segment) = &mut self.segment {
            segment.len = len + batch.len() as u64;
            segment.records += u32::try_from(count).unwrap_or(u32::MAX);
        }
        self.bytes += batch.len() as u64;
        self.pending.drain(..count);
        self.advance_durable(count, &batch);
        Ok(())
    }

    fn advance_durable(&mut self, count: usize, batch: &[u8]) {
        if self.pending.is_empty() {
            self.durable = (self.next_seq, self.chain.key.clone(), self.prev);
            return;
        }
        let (seq, key, prev) = &mut self.durable;
        for _ in 0..count {
            *key = next_key(key);
            *seq += 1;
        }
        if let Some(last) = records(batch).0.last() {
            *prev = hash(&[last]);
        }
    }

    fn begin_segment(&mut self) -> Result<OpenSegment, StoreFault> {
        self.anchor()?;
        let mut path = self.dir.join(file_name(self.next_segment));
        while path.try_exists()? {
            // Put there by somebody else; the import reports it.
            self.next_segment += 1;
            path = self.dir.join(file_name(self.next_segment));
        }
        let header = serde_json::to_vec(&self.header()).map_err(|_| StoreFault::Io)?;
        let front = [framed(&header), mac(&self.key, &[&header]).to_vec()].concat();
        let mut file = durable::create_new(&path)?;
        self.next_segment += 1;
        file.write_all(&front)?;
        file.sync_all()?;
        durable::sync_dir(&self.dir)?;
        self.bytes += front.len() as u64;
        Ok(OpenSegment { file, len: front.len() as u64, records: 0 })
    }

    fn header(&self) -> Header {
        Header {
            device: self.device,
            run: self.run,
            segment: self.next_segment,
            chain: self.chain.id,
            chain_first_seq: self.chain.first_seq,
            first_seq: self.durable.0,
            orphan: self.chain.orphan.clone(),
        }
    }

    fn abandon_segment(&mut self) {
        if let Some(segment) = self.segment.take()
            && let Err(error) = segment.file.set_len(segment.len)
        {
            // Records that did reach the disk come again and are reported as repeated.
            tracing::warn!(kind = ?error.kind(), "inbox segment could not be cut");
        }
    }

    /// Ends the present segment, so that it may be imported, and records where the chain is.
    pub fn roll(&mut self) -> Result<(), StoreFault> {
        self.segment = None;
        self.anchor()
    }

    /// Records the chain's durable state in the head file.
    pub fn anchor(&self) -> Result<(), StoreFault> {
        let (next_seq, key, prev) = self.durable.clone();
        let chain = Chain { key, ..self.chain.clone() };
        let open = u64::from(self.segment.is_some());
        let segment = self.next_segment - open;
        let cart_generation = self.cart_generation;
        let (counted, vault) = (self.counted.clone(), self.vault);
        let head = Head { chain, next_seq, prev, segment, cart_generation, counted, vault };
        write_head(&self.dir, &self.key, &self.device, &head)
    }

    /// Starts a chain that only the vault can verify, as the vault closes. A chain with records that
    /// could not be written yet goes on instead. `at_least` is the number that the vault expects
    /// next: an old head that was put back must not lead to numbers that were given out before.
    pub fn start_chain(&mut self, vault: &VaultKeys, at_least: u64) -> Result<(), StoreFault> {
        if self.pending() > 0 {
            return Ok(());
        }
        self.segment = None;
        self.next_seq = self.next_seq.max(at_least);
        self.chain = vault_chain(vault, self.next_seq)?;
        self.durable = (self.next_seq, self.chain.key.clone(), self.prev);
        self.anchor()
    }

    /// The head file of a chain under other keys of the vault, to take the present one's place once
    /// everything that was sealed is imported. `at_least` as in [`Inbox::start_chain`].
    ///
    /// # Errors
    /// `Full` if records wait to be written.
    pub fn next_head(
        &self,
        vault: &VaultKeys,
        at_least: u64,
        cart: &Cart,
    ) -> Result<Vec<u8>, StoreFault> {
        if self.pending() > 0 {
            return Err(StoreFault::Full);
        }
        let next_seq = self.next_seq.max(at_least);
        let chain = vault_chain(vault, next_seq)?;
        let (prev, segment) = (self.prev, self.next_segment);
        let (cart_generation, counted) = (cart.generation, cart.counted());
        // The next vault is another file with another head.
        let vault = Seen::default();
        let head = Head { chain, next_seq, prev, segment, cart_generation, counted, vault };
        seal_head(&self.key, &self.device, &head)
    }

    /// Remembers how often the cart compartment was written and which tries it counts, as a second
    /// witness (S-5).
    pub fn witness_cart(&mut self, cart: &Cart) -> Result<(), StoreFault> {
        self.cart_generation = cart.generation;
        self.counted = cart.counted();
        self.anchor()
    }

    /// How often the cart compartment had been written when it was last witnessed, and the tries it
    /// counted then.
    pub fn witnessed(&self) -> (u64, &[Counted]) {
        (self.cart_generation, &self.counted)
    }

    /// Remembers the vault as it is closed, as a second witness; durable with the next head.
    pub fn saw_vault(&mut self, vault: Seen) {
        self.vault = vault;
    }

    /// The vault as it was when it was closed last.
    pub fn seen_vault(&self) -> Seen {
        self.vault
    }

    /// Segments were deleted: room for as many bytes again.
    pub fn recount(&mut self) -> Result<(), StoreFault> {
        self.bytes = size(&self.dir)?;
        Ok(())
    }
}

fn vault_chain(vault: &VaultKeys, first_seq: u64) -> Result<Chain, StoreFault> {
    let id = random()?;
    Ok(Chain { id, first_seq, key: vault.chain(&id), orphan: None })
}

/// State for a chain that starts without the vault, after the head was lost. Nobody knows which
/// numbers were given out, so it jumps ahead of all of them: by the clock, in steps of 2^20 a second.
fn orphan_head(ring: &Keyring, segments: &[(u64, PathBuf)]) -> Result<Head, StoreFault> {
    let seconds = u64::try_from(Moment::read().wall.as_second()).unwrap_or(0);
    let next_seq = seconds << 20;
    let id: [u8; 16] = random()?;
    let key = Key::random()?;
    let orphan = Some(seal_to(&ring.inbox, INFO, &id, key.as_slice())?);
    let segment = segments.last().map_or(1, |(number, _)| number.saturating_add(1));
    let chain = Chain { id, first_seq: next_seq, key, orphan };
    let (cart_generation, counted, vault) = (0, Vec::new(), Seen::default());
    Ok(Head { chain, next_seq, prev: [0; 32], segment, cart_generation, counted, vault })
}

fn write_head(dir: &Path, key: &Key, device: &[u8; 16], head: &Head) -> Result<(), StoreFault> {
    durable::replace(dir, HEAD, &seal_head(key, device, head)?)
}

fn seal_head(key: &Key, device: &[u8; 16], head: &Head) -> Result<Vec<u8>, StoreFault> {
    let content = serde_json::to_vec(head).map_err(|_| StoreFault::Io)?;
    seal(key, device, &zeroize::Zeroizing::new(content))
}

fn read_head(dir: &Path, key: &Key, device: &[u8; 16]) -> Result<Option<Head>, StoreFault> {
    let sealed = match durable::read(&dir.join(HEAD), HEAD_MAX) {
        Ok(sealed) => sealed.unwrap_or_default(),
        Err(StoreFault::Damaged) => Vec::new(),
        Err(fault) => return Err(fault),
    };
    Ok(open(key, device, &sealed).and_then(|content| serde_json::from_slice(&content).ok()))
}
