//! GATT measurement frames to observations. Every decoder is total: any bytes give an answer.

use jiff::civil::DateTime;

use super::decimal::Decimal;
use super::nomenclature::{Absent, Mdc, Status, Unit};
use crate::hardware::Characteristic;

/// A value that may be charted (S-7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charted {
    /// What was measured.
    pub code: Mdc,
    /// The device's digits.
    pub value: Decimal,
    /// The device's unit.
    pub unit: Unit,
    /// Remarks on quality.
    pub status: Vec<Status>,
}

/// A value that must not be charted, and why (S-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// What was measured.
    pub code: Mdc,
    /// Why it may not be charted.
    pub reason: Absent,
}

/// What one frame says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// What may be charted.
    pub observations: Vec<Charted>,
    /// What must not be charted.
    pub withheld: Vec<Withheld>,
    /// The frame's own time stamp.
    pub time: Option<DateTime>,
    /// Battery level in percent, from 2A19.
    pub battery_percent: Option<u8>,
}

/// Why a frame was rejected whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The frame ends inside a field.
    #[error("frame ends inside {field}")]
    Truncated {
        /// Which field.
        field: &'static str,
    },
    /// No decoder for this characteristic.
    #[error("characteristic is not supported")]
    Unsupported,
}

/// Decodes one frame of `characteristic`.
///
/// # Errors
/// The frame is truncated or its characteristic unknown; then nothing of it may be charted.
pub fn decode(_characteristic: Characteristic, _payload: &[u8]) -> Result<Decoded, DecodeError> {
    Err(DecodeError::Unsupported)
}
