//! The inbox's state: where its chains are, and what the inbox remembers of the cart and the vault.
//!
//! It is written at each new segment, every minute, when the cart compartment is, and at shutdown. What was
//! recorded since is found by its tags ([`crate::inbox::lane`]).

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cart::Counted;
use crate::crypto::Key;
use crate::disk::durable;
use crate::disk::layout::INBOX_STATE;
use crate::disk::state_file::{Kind, StateFile, Unread};
use crate::inbox::chain::Chain;
use crate::inbox::lane::LaneState;
use crate::inbox::remembered::RememberedVault;
use crate::inbox::segment::{HEADER_LEN, Lane, open_segment};
use crate::keys::ring::Keyring;
use crate::keys::vault_keys::VaultKeys;
use crate::machine::device_secret::DeviceKeys;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::moment::Moment;

/// What the file says.
#[derive(Serialize, Deserialize)]
pub struct State {
    /// Where the chain of values and audit entries is.
    pub values: LaneState,
    /// Where the chain of waveforms is.
    pub waves: LaneState,
    /// How often the cart compartment had been written.
    pub cart_generation: u64,
    /// The tries that it counted then.
    pub counted: Vec<Counted>,
    /// How far the vault was.
    #[serde(default)]
    pub vault: RememberedVault,
    /// Rises with every write.
    #[serde(default)]
    pub generation: u64,
    /// How often what was seen of every part had durably been written down ([`crate::inbox::seen`]).
    #[serde(default)]
    pub seen: u64,
}

impl State {
    /// The state of an inbox that is being made.
    ///
    /// # Errors
    /// `Io` without random numbers.
    pub fn first(vault: &VaultKeys) -> Result<Self, StoreFault> {
        let lane = || -> Result<LaneState, StoreFault> {
            let chain = Chain::of_vault(vault, 1)?;
            Ok(LaneState { chain, next_seq: 1, prev: [0; 32], segment: 1 })
        };
        // The cart compartment is written for the first time right after.
        let (cart_generation, counted) = (1, Vec::new());
        let vault = RememberedVault::default();
        let (values, waves, generation, seen) = (lane()?, lane()?, 1, 0);
        Ok(Self { values, waves, cart_generation, counted, vault, generation, seen })
    }

    /// State for chains that start without the vault, after the file was lost. Nobody knows which numbers
    /// were given out, so they jump ahead: by the clock, in steps of 2^20 a second, and beyond every
    /// segment that is there, whatever the clock says.
    fn orphan(
        dir: &Path,
        (keys, ring): (&DeviceKeys, &Keyring),
        now: Moment,
    ) -> Result<Self, StoreFault> {
        let seconds = u64::try_from(now.wall.as_second()).unwrap_or(0);
        let state = |lane: Lane| -> Result<LaneState, StoreFault> {
            let (mut next_seq, mut segment) = (seconds << 20, 1);
            for (number, path) in lane.segments(dir)? {
                segment = segment.max(number.saturating_add(1));
                let front = durable::read_start(&path, HEADER_LEN)?;
                match open_segment(&keys.inbox(), &front) {
                    Ok((header, _)) => {
                        next_seq = next_seq.max(header.first_seq.saturating_add(1 << 20));
                    }
                    Err(Unread::Later(_)) => return Err(StoreFault::Later),
                    Err(Unread::Missing | Unread::Damaged | Unread::Disk(_)) => {}
                }
            }
            let chain = Chain::orphan(&ring.inbox, next_seq)?;
            Ok(LaneState { chain, next_seq, prev: [0; 32], segment })
        };
        let (cart_generation, counted, vault) = (0, Vec::new(), RememberedVault::default());
        Ok(Self {
            values: state(Lane::Values)?,
            waves: state(Lane::Waves)?,
            cart_generation,
            counted,
            vault,
            generation: 0,
            seen: 0,
        })
    }

    /// The number of the state that lies on the disk; `None` if there is none that authenticates.
    ///
    /// # Errors
    /// `Later` if a later program wrote it; otherwise as reading a file.
    pub fn number(
        dir: &Path,
        keys: &DeviceKeys,
        ring: &Keyring,
    ) -> Result<Option<u64>, StoreFault> {
        match file(&keys.inbox(), &ring.device).read_value::<Self>(&dir.join(INBOX_STATE)) {
            Ok(state) => Ok(Some(state.generation)),
            Err(Unread::Missing | Unread::Damaged) => Ok(None),
            Err(unread @ (Unread::Later(_) | Unread::Disk(_))) => Err(unread.into()),
        }
    }

    /// Reads the state; one that is lost or damaged is begun anew, without the vault.
    ///
    /// # Errors
    /// `Later` if a later program wrote it; otherwise as reading a file.
    pub fn read(
        dir: &Path,
        (keys, ring): (&DeviceKeys, &Keyring),
        now: Moment,
    ) -> Result<Self, StoreFault> {
        match file(&keys.inbox(), &ring.device).read_value(&dir.join(INBOX_STATE)) {
            Ok(state) => Ok(state),
            Err(Unread::Missing | Unread::Damaged) => Self::orphan(dir, (keys, ring), now),
            Err(unread @ (Unread::Later(_) | Unread::Disk(_))) => Err(unread.into()),
        }
    }

    /// The file of this state.
    ///
    /// # Errors
    /// As [`StateFile::seal_value`].
    pub fn sealed(&self, key: &Key, device: &[u8; 16]) -> Result<Vec<u8>, StoreFault> {
        file(key, device).seal_value(self)
    }

    /// Writes the state; durable when it returns.
    ///
    /// # Errors
    /// As writing a file.
    pub fn write(&self, dir: &Path, key: &Key, device: &[u8; 16]) -> Result<(), StoreFault> {
        durable::replace(dir, INBOX_STATE, &self.sealed(key, device)?)
    }
}

fn file<'a>(key: &'a Key, device: &'a [u8; 16]) -> StateFile<'a> {
    StateFile { kind: Kind::InboxState, key, place: device }
}
