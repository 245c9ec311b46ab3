//! One model for every measured value, whatever device it came from.

pub mod decimal;
mod device;
mod format;
pub mod gatt;
pub mod live;
pub mod nomenclature;
pub mod parameter;
pub mod plausible;
pub mod sfloat;
pub mod spot;
pub mod vendor;
pub mod wave;
mod words;

pub use self::device::{Characteristic, DeviceId, DeviceKind, NotAnAddress};
pub use self::format::Format;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use self::decimal::Decimal;
use self::nomenclature::{Absent, Mdc, Status, Unit};
use crate::confidential::Phi;
use crate::encounter::SubjectId;

/// Identity of a record on this machine: which start of the program made it, and in what order.
/// Together with the device it makes every import idempotent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordId {
    /// Random per start of the program.
    pub run: u64,
    /// Counts up from 1 within a run, without gaps.
    pub seq: u64,
}

/// A number as the device sent it, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// The device's own digits.
    Measured(Decimal),
    /// No number, and why.
    Absent(Absent),
}

/// How far the device's own time stamp may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockConfidence {
    /// A live value: effective time is the time of receipt.
    Live,
    /// The device stamped it and its clock was compared with ours.
    Corrected,
    /// The device stamped it and its clock is not known.
    Unknown,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Provenance {
    /// A device over the air, as it measured.
    Device,
    /// The simulated bedside: never a person's value.
    Simulated,
}

/// One coded value with unit, times, device, quality and, where assigned, subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Identity of the record.
    pub record: RecordId,
    /// What was measured (ISO/IEEE 11073-10101).
    pub code: Mdc,
    /// The value; patient data.
    pub value: Phi<Value>,
    /// Unit of the value, as the device sent it.
    pub unit: Unit,
    /// When it was true of the patient.
    pub effective: Timestamp,
    /// When this machine received it.
    pub received: Timestamp,
    /// The device's own stamp, if it sent one.
    pub device_time: Option<DateTime>,
    /// Trust in `device_time` and `effective`.
    pub clock: ClockConfidence,
    /// What the device said about the quality of the measurement.
    pub status: Vec<Status>,
    /// Who measured it.
    pub device: DeviceId,
    /// Whose it is: set only by an explicit, unexpired assignment (S-6).
    pub subject: Option<SubjectId>,
    /// Device or simulation.
    pub provenance: Provenance,
}
