//! What a backup is asked for and what was written.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::access::{OperatorId, Role};

/// What is to be backed up where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupOrder {
    /// A file that does not exist yet.
    pub out: PathBuf,
    /// Who may open it beside the holder of the recovery words.
    pub to: Vec<OperatorId>,
}

/// A backup that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupDone {
    /// Length of the file in bytes.
    pub bytes: u64,
    /// When.
    pub written: Timestamp,
    /// Whom it is sealed to, beside the recovery key.
    pub to: Vec<OperatorId>,
}

/// What a backup holds of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupPart {
    /// Opaque identity.
    pub id: OperatorId,
    /// Two or three letters.
    pub initials: String,
    /// What they may do.
    pub role: Role,
    /// Last day on which they may log in.
    pub valid_until: Option<Date>,
}
