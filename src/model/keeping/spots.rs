//! Spot readings as the store keeps them: waiting for somebody to say whose they are, or filed.

use jiff::Timestamp;

use crate::access::OperatorId;
use crate::confidential::Phi;
use crate::encounter::SubjectId;
use crate::vitals::RecordId;
use crate::vitals::spot::SpotReading;

/// A reading that is in nobody's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingSpot {
    /// The reading.
    pub reading: SpotReading,
    /// Who said last that it is not that of the patient who was there, and when.
    pub refused: Option<(Phi<String>, Timestamp)>,
}

/// A reading that somebody filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FiledSpot {
    /// The reading.
    pub reading: SpotReading,
    /// Whose it is.
    pub subject: SubjectId,
    /// Who said so; nobody who is known any more.
    pub by: Option<OperatorId>,
    /// When.
    pub at: Timestamp,
}

/// What people do with readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpotAct {
    /// It is this patient's, whether it waited or was filed to another one by mistake.
    File(RecordId, SubjectId),
    /// It is not that of the patient who is there; it goes on waiting.
    Refuse(RecordId),
    /// It was filed by mistake, and waits again.
    PutBack(RecordId),
    /// It is nobody's.
    Discard(RecordId),
    /// Nobody said whose it is for so long that nobody can know.
    Expire(RecordId),
}

impl SpotAct {
    /// Which reading.
    pub fn record(self) -> RecordId {
        match self {
            SpotAct::File(record, _)
            | SpotAct::Refuse(record)
            | SpotAct::PutBack(record)
            | SpotAct::Discard(record)
            | SpotAct::Expire(record) => record,
        }
    }
}

/// What the vault says of readings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spots {
    /// In nobody's record, oldest first.
    pub waiting: Vec<WaitingSpot>,
    /// The last ones of the patient at this bed, newest first.
    pub filed: Vec<FiledSpot>,
}
