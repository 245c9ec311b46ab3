//! What people see of the store: how far it has come, what it found wrong, and that it does not work.
//!
//! S-1: nothing here says whose values were stored. The live values of [`Watch`] are shown without a
//! session because nobody can open one, and nothing on the screen or in memory says whose they are.

use wardkeep_model::keeping::{FindingKind, StoreFault};
use wardkeep_model::ports::RadioHealth;

use crate::kiosk::view::parts::{DeviceRow, Tile};
use crate::kiosk::view::time::LocalTime;

/// How far the records of the locked time have been taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakingOver {
    /// Records in the vault; never more than `total`.
    pub done: u64,
    /// Records that waited.
    pub total: u64,
}

/// Findings that are told in one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindingGroup {
    /// Records that are gone.
    Missing,
    /// An older copy of the records was put back; those made since are gone.
    Older,
    /// An older copy of the whole store was put back.
    OlderStore,
    /// Parts of the records are older versions, or not this cart's.
    Replaced,
    /// Records that are not as they were written; they were not taken over.
    Altered,
    /// Recording began anew: how many records were lost nobody can know.
    Restarted,
    /// Files of the store were replaced by older ones.
    OlderFiles,
    /// Records that were there twice or out of their order.
    Misplaced,
    /// Waveforms were not kept, so that values had the room.
    WavesGivenUp,
    /// The counter outside the disk was cleared or exchanged.
    CounterReset,
    /// The counter outside the disk is gone or does not answer.
    CounterSilent,
    /// A damaged file was replaced by its second copy.
    Mended,
    /// Keys that records would be sealed to are not this cart's.
    ForeignKeys,
    /// Other accounts of this machine could read the store's files.
    OpenToOthers,
}

/// What was found wrong, for whoever is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingNotice {
    /// What.
    pub group: FindingGroup,
    /// How many records, parts or files.
    pub count: u64,
    /// When what it concerns was recorded, local: not before the first and not after the second.
    pub span: Option<(LocalTime, LocalTime)>,
}

/// What was found wrong, for a line of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingLine {
    /// What.
    pub kind: FindingKind,
    /// How many records, rows, pages or files.
    pub count: u64,
    /// The number that was found.
    pub found: Option<u64>,
    /// The number that should have been there.
    pub expected: Option<u64>,
    /// As in [`FindingNotice`].
    pub span: Option<(LocalTime, LocalTime)>,
}

/// What was found wrong and nobody has acknowledged yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFindingLine {
    /// What.
    pub finding: FindingLine,
    /// When it was found for the first time and last, local.
    pub when: (LocalTime, LocalTime),
    /// How often.
    pub times: u64,
}

/// The store cannot be used and nobody can log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Why.
    pub fault: StoreFault,
    /// What is measured is recorded all the same: only what was stored cannot be opened.
    pub records: bool,
    /// What is monitored meanwhile.
    pub watch: Watch,
}

/// What is monitored while nobody can log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Nothing.
    Nothing {
        /// Monitoring without records can be begun by touch.
        offered: bool,
    },
    /// The devices that were assigned before the restart: heart rate, SpO2, pulse rate, without a name.
    Bed(Vec<Tile>),
    /// Devices that somebody connected by touch, of nobody knows whom.
    Unknown {
        /// Heart rate, SpO2, pulse rate; empty until a device was connected.
        tiles: Vec<Tile>,
        /// Devices near this bed.
        rows: Vec<DeviceRow>,
        /// The controller.
        radio: RadioHealth,
    },
}

/// The signed checkpoint of the audit log, for a witness outside this cart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Checkpoint {
    /// Not asked for.
    #[default]
    Hidden,
    /// The store is making it.
    Asked,
    /// The signed text.
    Shown(String),
}
