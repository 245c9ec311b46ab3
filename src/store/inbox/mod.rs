//! The inbox: what is recorded while locked, sealed so that this machine itself cannot read it back.
//!
//! The format is in [`crate::inbox::segment`], the chains in [`crate::inbox::chain`], a lane's writing in
//! [`crate::inbox::lane`].
//!
//! Where both lanes' chains are is in [`crate::inbox::state`]; what was recorded and acknowledged after it was
//! written is found by its tags.
//!
//! S-3: only `PK_inbox`, the current `c_i`, and the key of what waits to be written are here; that key is wiped before
//! the write. S-8: numbers have no gaps and every record is
//! authenticated at its place, so a missing, moved, repeated or forged record is reported at import.
//! A torn tail (at most one second) is cut at the last good tag.
//!
//! S-11: the inbox has a bound. Near it the oldest waveforms are given up, whole segments at a time,
//! after an entry among the values says so: that entry is sealed, chained and audited like any other,
//! so what is missing on purpose is known from what somebody took.

pub(crate) mod chain;
pub(crate) mod ends;
pub(crate) mod lane;
mod recall;
pub(crate) mod remembered;
pub(crate) mod seen;
pub(crate) mod segment;
pub(crate) mod state;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cart::{Cart, Counted};
use crate::crypto::{Key, PublicKey, mac};
use crate::disk::durable;
use crate::inbox::chain::Chain;
use crate::inbox::ends::Ends;
use crate::inbox::lane::{LaneState, LaneWriter, Stamp};
use crate::inbox::remembered::{Cursor, RememberedVault};
use crate::inbox::seen::{Recalled, SeenFiles};
use crate::inbox::segment::{HEADER_LEN, Header, Lane, open_segment, size};
use crate::inbox::state::State;
use crate::keys::ring::Keyring;
use crate::keys::vault_keys::VaultKeys;
use crate::machine::device_secret::DeviceKeys;
use crate::record::entry::Entry;
use wardkeep_model::access::lockout::BootId;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{Finding, FindingKind, StoreFault};
use wardkeep_model::moment::{BootTime, Moment};

/// Sealed records of a lane that are kept in memory while they cannot be written.
const PENDING_MAX: [usize; 2] = [4096, 256];
/// What the inbox may occupy: more than a week of three values a second and two waveforms. Values may
/// go an eighth beyond it.
const BYTES_MAX: u64 = 1024 * 1024 * 1024;
const STATE_EVERY: Duration = Duration::from_secs(60);

/// Waveforms that are to be given up, oldest first.
pub struct GivenUp {
    /// What the audit log has to say before they are deleted.
    pub finding: Finding,
    segments: Vec<PathBuf>,
}

/// The writing end of the inbox.
pub struct Inbox {
    dir: PathBuf,
    key: Key,
    bed_key: Key,
    public: PublicKey,
    device: [u8; 16],
    bed: [u8; 16],
    values: LaneWriter,
    waves: LaneWriter,
    state_written: BootTime,
    bytes: u64,
    bytes_max: u64,
    cart_generation: u64,
    counted: Vec<Counted>,
    /// The state on the disk does not say `cart_generation` yet.
    cart_owed: bool,
    vault: RememberedVault,
    /// Number of the keyring, and of its master key.
    keyring: (u64, u64),
    /// Number of the state that is durable, and of the cart compartment that it knew at the start.
    state: (u64, u64),
    seen: SeenFiles,
    recalled: Recalled,
}

impl Inbox {
    /// The inbox of a store that is being made, with its first chains.
    pub fn create(
        dir: &Path,
        keys: &DeviceKeys,
        ring: &Keyring,
        vault: &VaultKeys,
    ) -> Result<(), StoreFault> {
        durable::make_dir(dir)?;
        State::first(vault)?.write(dir, &keys.inbox(), &ring.device)
    }

    /// Finds the ends of the chains after a start of the program. Nothing may be recorded before
    /// [`Inbox::begin`].
    ///
    /// # Errors
    /// `Later` if a later program wrote something here; otherwise as reading files.
    pub fn resume(
        dir: &Path,
        keys: &DeviceKeys,
        ring: &Keyring,
        now: Moment,
    ) -> Result<Self, StoreFault> {
        let state = State::read(dir, (keys, ring), now)?;
        let (key, device) = (keys.inbox(), ring.device);
        let store_dir = dir.parent().unwrap_or(dir);
        let (seen, recalled) = SeenFiles::read(store_dir, key.clone(), device, state.seen)?;
        let of_lane = |lane: Lane| recalled.seen.as_ref().map(|seen| seen.lane(lane));
        let lane =
            |lane, state| LaneWriter::resume(lane, dir, (keys, ring), (state, of_lane(lane)));
        let mut inbox = Self {
            dir: dir.to_owned(),
            key,
            bed_key: keys.bed(),
            public: ring.inbox,
            device,
            bed: bed_token(&keys.bed(), None),
            values: lane(Lane::Values, state.values)?,
            waves: lane(Lane::Waves, state.waves)?,
            state_written: BootTime::default(),
            bytes: 0,
            bytes_max: BYTES_MAX,
            cart_generation: state.cart_generation,
            counted: state.counted,
            cart_owed: false,
            vault: state.vault,
            keyring: (ring.generation, ring.epoch),
            state: (state.generation, state.cart_generation),
            seen,
            recalled,
        };
        inbox.recall();
        inbox.recount()?;
        Ok(inbox)
    }

    /// Seals to this key of the vault from here on.
    pub fn seal_to(&mut self, public: PublicKey) {
        self.public = public;
    }

    /// Who lies at the bed from here on.
    pub fn at_bed(&mut self, subject: Option<SubjectId>) {
        self.bed = bed_token(&self.bed_key, subject);
    }

    fn lane(&mut self, lane: Lane) -> &mut LaneWriter {
        match lane {
            Lane::Values => &mut self.values,
            Lane::Waves => &mut self.waves,
        }
    }

    /// Seals an entry; it is durable after [`Inbox::flush`].
    ///
    /// # Errors
    /// `Full` if it cannot be taken: the caller counts it as lost.
    pub fn push(&mut self, entry: &Entry, at: Moment, boot: BootId) -> Result<(), StoreFault> {
        let lane = Lane::of(entry);
        let [values_max, waves_max] = PENDING_MAX;
        let (pending_max, bytes_max) = match lane {
            // An eighth more, or nothing could say that waveforms are given up.
            Lane::Values => (values_max, self.bytes_max + self.bytes_max / 8),
            Lane::Waves => (waves_max, self.bytes_max),
        };
        if self.lane(lane).pending() >= pending_max || self.bytes >= bytes_max {
            return Err(StoreFault::Full);
        }
        let (device, public, bed) = (self.device, self.public, self.bed);
        self.lane(lane).push(entry, (&device, &public), &Stamp { at, boot, bed })
    }

    /// How many records wait to be written.
    pub fn pending(&self) -> usize {
        self.values.pending() + self.waves.pending()
    }

    /// Where the lanes durably end.
    pub fn ends(&self) -> Ends {
        Ends { values: self.values.end(), waves: self.waves.end() }
    }

    /// Where it lies.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The key that authenticates headers.
    pub fn header_key(&self) -> Key {
        self.key.clone()
    }

    /// Writes and syncs what waits in a lane, in at most as many steps as segments are needed.
    ///
    /// # Errors
    /// As writing a file; what was not written still waits.
    pub fn flush(&mut self, lane: Lane, now: Moment) -> Result<(), StoreFault> {
        // Of both: where the first does not get as far as the second, that key is gone all the same.
        for every in Lane::ALL {
            self.lane(every).end_batch();
        }
        while self.lane(lane).pending() > 0 {
            if self.lane(lane).needs_segment() {
                self.bytes -= self.lane(lane).end_segment().min(self.bytes);
                // The state knows of every segment but the last.
                self.write_state()?;
                let (dir, key, device) = (self.dir.clone(), self.key.clone(), self.device);
                self.bytes += self.lane(lane).begin_segment(&dir, (&key, &device), now)?;
            }
            if let Err(fault) = self.lane(lane).write_some() {
                // The segment was given up, and with it the room that it had.
                self.recount()?;
                return Err(fault);
            }
            self.note();
        }
        Ok(())
    }

    /// Ends the segment of waveforms: gives the room that it did not use back, and lets it be given up.
    pub fn end_waves(&mut self) {
        self.bytes -= self.waves.end_segment().min(self.bytes);
    }

    /// Records the chains' ends if that was not done for a minute.
    pub fn write_state_if_due(&mut self, now: BootTime) -> Result<(), StoreFault> {
        if now.since(self.state_written) >= STATE_EVERY {
            self.write_state()?;
            self.note();
            self.state_written = now;
        }
        Ok(())
    }

    /// Ends the present segments, so that they may be imported, and records where the chains are.
    pub fn roll(&mut self) -> Result<(), StoreFault> {
        for lane in Lane::ALL {
            self.bytes -= self.lane(lane).end_segment().min(self.bytes);
        }
        self.write_state()?;
        self.note();
        Ok(())
    }

    /// Makes durable what is noted.
    fn settle(&mut self) {
        self.note();
        self.seen.sync();
    }

    /// Writes the state: where the chains durably end, and what is remembered. It says of what was noted how much
    /// is durable, so that goes first.
    pub fn write_state(&mut self) -> Result<(), StoreFault> {
        self.settle();
        let generation = self.state.0 + 1;
        let state = State {
            values: self.values.state(),
            waves: self.waves.state(),
            cart_generation: self.cart_generation,
            counted: self.counted.clone(),
            vault: self.vault,
            generation,
            seen: self.seen.synced(),
        };
        state.write(&self.dir, &self.key, &self.device)?;
        self.state.0 = generation;
        Ok(())
    }

    /// Starts chains that only the vault can verify, as the vault closes. Chains with records that
    /// could not be written yet go on instead. `at_least` is what the vault expects next: an old head
    /// that was put back must not lead to numbers that were given out before.
    pub fn start_chain(&mut self, vault: &VaultKeys, at_least: Cursor) -> Result<(), StoreFault> {
        if self.pending() > 0 {
            return Ok(());
        }
        for (lane, next) in [(Lane::Values, at_least.next_seq), (Lane::Waves, at_least.next_wave)] {
            self.bytes -= self.lane(lane).end_segment().min(self.bytes);
            let first = self.lane(lane).durable_seq().max(next);
            self.lane(lane).start_chain(Chain::of_vault(vault, first)?);
        }
        self.write_state()?;
        self.note();
        Ok(())
    }

    /// The state's file of chains under other keys of the vault, to take the present one's place once
    /// everything that was sealed is imported. `at_least` as in [`Inbox::start_chain`].
    ///
    /// # Errors
    /// `Full` if records wait to be written.
    pub fn next_state(
        &self,
        vault: &VaultKeys,
        at_least: Cursor,
        cart: &Cart,
    ) -> Result<Vec<u8>, StoreFault> {
        if self.pending() > 0 {
            return Err(StoreFault::Full);
        }
        let next = |state: LaneState, at_least: u64| -> Result<LaneState, StoreFault> {
            let next_seq = state.next_seq.max(at_least);
            Ok(LaneState { chain: Chain::of_vault(vault, next_seq)?, next_seq, ..state })
        };
        let state = State {
            values: next(self.values.state(), at_least.next_seq)?,
            waves: next(self.waves.state(), at_least.next_wave)?,
            cart_generation: cart.generation,
            counted: cart.counted(),
            // The next vault is another file, and nobody has closed it yet.
            vault: RememberedVault::default(),
            generation: self.state.0 + 1,
            seen: self.seen.synced(),
        };
        state.sealed(&self.key, &self.device)
    }

    /// Remembers how often the cart compartment was written and which tries it counts (S-5), and who
    /// lies at the bed.
    pub fn remember_cart(&mut self, cart: &Cart) -> Result<(), StoreFault> {
        self.cart_generation = cart.generation;
        self.counted = cart.counted();
        self.at_bed(cart.state.subject);
        self.cart_owed = true;
        self.write_state()?;
        self.cart_owed = false;
        self.note();
        Ok(())
    }

    /// Whether the last [`Inbox::remember_cart`] failed. The compartment may not be written again before
    /// it succeeds: a state that is two writes behind it was put back.
    pub fn owes_cart(&self) -> bool {
        self.cart_owed
    }

    /// How often the cart compartment had been written when it was last remembered, and the tries it
    /// counted then.
    pub fn remembered_cart(&self) -> (u64, &[Counted]) {
        (self.cart_generation, &self.counted)
    }

    /// Number of the cart compartment that the state itself knew at the start.
    pub fn cart_at_start(&self) -> u64 {
        self.state.1
    }

    /// Remembers how far the vault is; durable once the state is written.
    pub fn remember_vault(&mut self, vault: RememberedVault) {
        self.vault = vault;
    }

    /// How far the vault was when it was seen last.
    pub fn remembered_vault(&self) -> RememberedVault {
        self.vault
    }

    /// Counts the bytes in the inbox again, after segments were deleted.
    pub fn recount(&mut self) -> Result<(), StoreFault> {
        self.bytes = size(&self.dir)?;
        Ok(())
    }

    /// The oldest waveforms, if the inbox is near its bound or `now` room is needed; an eighth of the
    /// bound at a time, or all of them. Nothing is deleted until [`Inbox::delete`].
    ///
    /// # Errors
    /// As reading the directory.
    pub fn to_give_up(&self, now: bool) -> Result<Option<GivenUp>, StoreFault> {
        let step = self.bytes_max / 8;
        if !now && self.bytes < self.bytes_max - step / 2 {
            return Ok(None);
        }
        let mut oldest = Vec::new();
        let mut kept = None;
        let mut bytes = 0;
        for (number, path) in Lane::Waves.segments(&self.dir)? {
            // What is not ours is left for the import to report.
            let Some(header) = self.header(&path)? else { continue };
            if bytes >= step || number >= self.waves.segment() {
                kept = Some(header);
                break;
            }
            bytes += fs::metadata(&path)?.len();
            oldest.push((path, header));
        }
        let Some(((_, first), (_, last))) = oldest.first().zip(oldest.last()) else {
            return Ok(None);
        };
        let end = kept.as_ref().map_or(self.waves.durable_seq(), |kept| kept.first_seq);
        let (since, until) = (first.since, kept.as_ref().map_or(last.since, |kept| kept.since));
        let finding = Finding {
            found: Some(first.first_seq),
            expected: Some(end),
            span: Some((since.min(until), since.max(until))),
            ..Finding::of(FindingKind::WaveformsGivenUp, end.saturating_sub(first.first_seq))
        };
        let segments = oldest.into_iter().map(|(path, _)| path).collect();
        Ok(Some(GivenUp { finding, segments }))
    }

    fn header(&self, path: &Path) -> Result<Option<Header>, StoreFault> {
        let front = durable::read_start(path, HEADER_LEN)?;
        Ok(open_segment(&self.key, &front).map(|(header, _)| header).ok())
    }

    /// Deletes waveforms, once what says so is durable.
    pub fn delete(&mut self, given_up: GivenUp) -> Result<(), StoreFault> {
        for path in given_up.segments {
            durable::remove(&path)?;
        }
        durable::sync_dir(&self.dir)?;
        self.recount()
    }

    /// Whether a key is here that opens something sealed.
    #[cfg(test)]
    pub fn holds_batch_key(&self) -> bool {
        self.values.holds_batch_key() || self.waves.holds_batch_key()
    }

    /// Another bound, so that a test reaches it.
    #[cfg(test)]
    pub fn bound_for_tests(&mut self, bytes_max: u64) {
        self.bytes_max = bytes_max;
    }
}

/// What a sealed record says of the bed, in the clear: only this machine can compute it from the
/// patient at the bed, and it is the same while nobody else lies there.
fn bed_token(key: &Key, subject: Option<SubjectId>) -> [u8; 16] {
    let subject = subject.map(|subject| subject.0.to_be_bytes());
    let whole = mac(key, &[subject.as_ref().map_or(&b"nobody"[..], |subject| subject)]);
    let mut token = [0; 16];
    token.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    token
}
