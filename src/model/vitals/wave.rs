//! Stretches of a waveform as they are recorded.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::confidential::Phi;
use crate::encounter::SubjectId;
use crate::vitals::nomenclature::{ECG_LEAD_II, Mdc, PLETH};
use crate::vitals::{DeviceId, DeviceKind, Provenance, RecordId};

/// What a waveform is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaveKind {
    /// The heart's electricity, lead II.
    Ecg,
    /// The pulse in the finger.
    Pleth,
}

impl WaveKind {
    /// All of them, in the order of the screen.
    pub const ALL: [WaveKind; 2] = [WaveKind::Ecg, WaveKind::Pleth];

    /// What a device of this kind draws: a patch the heart's, any other the pulse.
    pub fn of(kind: DeviceKind) -> Self {
        if kind == DeviceKind::Patch { Self::Ecg } else { Self::Pleth }
    }

    /// ISO/IEEE 11073-10101.
    pub fn code(self) -> Mdc {
        match self {
            WaveKind::Ecg => ECG_LEAD_II,
            WaveKind::Pleth => PLETH,
        }
    }
}

/// Full scale of a sample: 1.0 of what the device sends.
pub const FULL_SCALE: u16 = u16::MAX;

/// Consecutive samples of one device, at most a minute of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveSegment {
    /// Identity of the record; waveforms and observations of a device share one sequence.
    pub record: RecordId,
    /// What was measured (ISO/IEEE 11073-10101).
    pub code: Mdc,
    /// Samples per second.
    pub rate_hz: u16,
    /// When the first sample was received.
    pub start: Timestamp,
    /// The samples, oldest first, 0 to [`FULL_SCALE`]; patient data.
    pub samples: Phi<Vec<u16>>,
    /// Who measured it.
    pub device: DeviceId,
    /// Whose it is: set only by an explicit, unexpired assignment (S-6).
    pub subject: Option<SubjectId>,
    /// Device or simulation.
    pub provenance: Provenance,
}
