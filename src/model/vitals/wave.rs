//! Stretches of a waveform as they are recorded.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::confidential::Phi;
use crate::encounter::SubjectId;
use crate::vitals::nomenclature::Mdc;
use crate::vitals::{DeviceId, Provenance, RecordId};

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
