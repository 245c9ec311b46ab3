//! What each part of a store was at when it was seen last, written beside every one of them.
//!
//! A part alone cannot tell that it is an older copy of itself. So the numbers of all of them, which only ever
//! rise, are written into four files with every flush: beside the cart compartment, the keyring, the vault
//! and the inbox. As long as one of the four was not put back, it says which part was (S-8, S-5). What
//! it says was durable before it was written, so it never says too much.
//!
//! Nothing waits for these writes: they are synced once a minute and at a lock. A slot that was synced is not
//! written over until the other one is: a power cut leaves each file as it was synced last, or later, and
//! each says how far all of them were synced. One that is behind that was put back.
//!
//! Content: a state file in each of two slots, JSON.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cart::Counted;
use crate::crypto::Key;
use crate::disk::layout;
use crate::disk::state_file::{Kind, StateFile, Unread};
use crate::disk::two_slots::TwoSlots;
use crate::inbox::remembered::RememberedVault;
use crate::inbox::segment::Lane;
use wardkeep_model::keeping::{Finding, FindingKind, StoreFault};

/// Tallies that are remembered; those with most tries come first.
const COUNTED_MAX: usize = 12;

/// Where a lane durably was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenLane {
    /// Name of the chain.
    pub chain: [u8; 16],
    /// Number of the next record.
    pub next_seq: u64,
    /// Hash of the record before.
    pub prev: [u8; 32],
}

/// What each part was at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Rises whenever this is written down.
    pub count: u64,
    /// The count at which all four files were synced last.
    pub synced: u64,
    /// Number of the cart compartment.
    pub cart: u64,
    /// Tries that it counted (S-5).
    pub counted: Vec<Counted>,
    /// Number of the keyring.
    pub keyring: u64,
    /// Number of the vault's master key.
    pub epoch: u64,
    /// Number of the inbox's state.
    pub state: u64,
    /// Lane of the values.
    pub values: SeenLane,
    /// Lane of the waveforms.
    pub waves: SeenLane,
    /// The vault of this epoch.
    pub vault: RememberedVault,
}

impl Seen {
    /// Where a lane was.
    pub fn lane(&self, lane: Lane) -> SeenLane {
        match lane {
            Lane::Values => self.values,
            Lane::Waves => self.waves,
        }
    }

    /// The same, whenever it is written down.
    fn is_like(&self, other: &Seen) -> bool {
        let (count, synced) = (other.count, other.synced);
        Seen { count, synced, ..self.clone() } == *other
    }

    /// The tallies that are worth a place, those with most tries first.
    pub fn with_counted(mut self, mut counted: Vec<Counted>) -> Self {
        counted.sort_by_key(|counted| std::cmp::Reverse(counted.failures()));
        counted.truncate(COUNTED_MAX);
        self.counted = counted;
        self
    }
}

/// What the four files say.
#[derive(Debug, Default)]
pub struct Recalled {
    /// The latest of what they say; `None` before there were any.
    pub seen: Option<Seen>,
    /// Those of them that were put back, or are gone.
    pub findings: Vec<Finding>,
}

/// The four files.
pub struct SeenFiles {
    key: Key,
    device: [u8; 16],
    places: Vec<PathBuf>,
    files: Vec<Option<TwoSlots>>,
    last: Seen,
    /// The slot that is not needed after a power cut.
    running: u64,
}

impl SeenFiles {
    /// The files of a store, whether they are there or not, and what they say. `count` is what the store's own
    /// files say of them: zero before there were any.
    ///
    /// # Errors
    /// `Later` if a later program wrote one of them; otherwise as reading files.
    pub fn read(
        store_dir: &Path,
        key: Key,
        device: [u8; 16],
        count: u64,
    ) -> Result<(Self, Recalled), StoreFault> {
        let places = layout::SEEN.map(|name| store_dir.join(name)).to_vec();
        let (last, running) = (Seen::default(), 0);
        let mut all = Self { key, device, places, files: Vec::new(), last, running };
        let mut found: Vec<Option<(Seen, u64)>> = Vec::new();
        for place in all.places.clone() {
            let file = TwoSlots::open(&place)?;
            found.push(match &file {
                Some(file) => all.newer(file)?,
                None => None,
            });
            all.files.push(file);
        }
        let newest = found.iter().flatten().max_by_key(|(seen, _)| seen.count).cloned();
        let Some((newest, slot)) = newest else {
            let findings = if count > 0 { vec![older(None, count)] } else { Vec::new() };
            return Ok((all, Recalled { seen: None, findings }));
        };
        // Before they were synced for the first time a kill may have left some of them.
        let behind = |found: &Option<(Seen, u64)>| {
            found.as_ref().map_or(0, |(seen, _)| seen.count) < newest.synced
        };
        let mut findings: Vec<Finding> = found
            .iter()
            .filter(|found| behind(found))
            .map(|found| older(found.as_ref().map(|(seen, _)| seen.count), newest.synced))
            .collect();
        if newest.count < count {
            findings = vec![older(Some(newest.count), count)];
        }
        // The one that says the latest is written again before the other: in another file that may be the
        // only one that is whole.
        (all.last, all.running) = (newest.clone(), slot);
        all.last.count = newest.count.max(count);
        Ok((all, Recalled { seen: Some(newest), findings }))
    }

    fn form(&self) -> StateFile<'_> {
        StateFile { kind: Kind::Seen, key: &self.key, place: &self.device }
    }

    /// The slot of a file that was written later, and which one it is.
    fn newer(&self, file: &TwoSlots) -> Result<Option<(Seen, u64)>, StoreFault> {
        let mut newest: Option<(Seen, u64)> = None;
        for slot in 0..2 {
            let Some(content) = file.read(slot)? else { continue };
            let seen = match self.form().open_value::<Seen>(&content) {
                Ok(seen) => seen,
                Err(Unread::Missing | Unread::Damaged) => continue,
                Err(unread @ (Unread::Later(_) | Unread::Disk(_))) => return Err(unread.into()),
            };
            if newest.as_ref().is_none_or(|(other, _)| seen.count > other.count) {
                newest = Some((seen, slot));
            }
        }
        Ok(newest)
    }

    /// How often it was written down.
    pub fn count(&self) -> u64 {
        self.last.count
    }

    /// The count that no power cut takes back.
    pub fn synced(&self) -> u64 {
        self.last.synced
    }

    /// Those that are not as this program wrote them last: somebody put them back while it ran.
    ///
    /// # Errors
    /// As reading files.
    pub fn put_back(&self) -> Result<Vec<Finding>, StoreFault> {
        let mut findings = Vec::new();
        for (place, file) in self.places.iter().zip(&self.files) {
            if file.is_none() {
                continue;
            }
            let found = match TwoSlots::open(place)? {
                Some(file) => self.newer(&file)?,
                None => None,
            };
            let found = found.map(|(seen, _)| seen.count);
            if found.is_none_or(|found| found < self.last.count) {
                findings.push(older(found, self.last.count));
            }
        }
        Ok(findings)
    }

    /// Writes into all of them where the parts are, if that has changed. A file that cannot be written is
    /// not worth a fault: the others say the same.
    pub fn write(&mut self, now: Seen) {
        if self.last.count == 0 || !now.is_like(&self.last) {
            let (count, synced) = (self.last.count + 1, self.last.synced);
            self.put(Seen { count, synced, ..now });
        }
    }

    /// Makes what they say durable.
    pub fn sync(&mut self) {
        let is_synced =
            |file: &Option<TwoSlots>| file.as_ref().is_some_and(|file| file.sync().is_ok());
        if self.last.synced < self.last.count && self.files.iter().all(is_synced) {
            // From now on the synced slot is left alone.
            self.last.synced = self.last.count;
            self.running += 1;
        }
    }

    /// Writes where the parts are into all of them, whatever lies there, and makes it durable.
    pub fn write_anew(&mut self, now: Seen) {
        self.files.clear();
        let (count, synced) = (self.last.count + 1, self.last.synced);
        self.put(Seen { count, synced, ..now });
        self.sync();
    }

    fn put(&mut self, now: Seen) {
        let sealed = match self.form().seal_value(&now) {
            Ok(sealed) => sealed,
            Err(fault) => {
                tracing::warn!(%fault, "what was seen of the store could not be sealed");
                return;
            }
        };
        self.files.resize_with(self.places.len(), || None);
        for (file, place) in self.files.iter_mut().zip(&self.places) {
            let written = match file {
                Some(file) => file.write(self.running, &sealed),
                None => open_or_make(place).and_then(|made| {
                    made.write(self.running, &sealed)?;
                    *file = Some(made);
                    Ok(())
                }),
            };
            if let Err(fault) = written {
                tracing::warn!(%fault, "what was seen of the store could not be written beside it");
                *file = None;
            }
        }
        self.last = now;
    }
}

fn open_or_make(place: &Path) -> Result<TwoSlots, StoreFault> {
    match TwoSlots::open(place)? {
        Some(file) => Ok(file),
        None => TwoSlots::make(place),
    }
}

fn older(found: Option<u64>, expected: u64) -> Finding {
    Finding { found, expected: Some(expected), ..Finding::of(FindingKind::MemoryOlder, 1) }
}
