//! The audit log as a file: what verifying one finds.

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The file is none, or is longer than a log may be.
    Unreadable,
    /// An entry is missing between two others.
    Deleted,
    /// An entry is not what was sealed.
    Edited,
    /// Entries are not in their order.
    Reordered,
    /// The end is missing.
    Truncated,
    /// Entries at the end that no checkpoint covers.
    Unsealed,
    /// A checkpoint has no signature, or is not there.
    SignaturesStripped,
    /// The checkpoints are signed with another key than the one that is trusted.
    ReSigned,
    /// A key signs that no earlier one named, or one that another has followed.
    KeyOrder,
    /// A checkpoint is altered.
    CheckpointEdited,
    /// A witness has seen more than there is.
    ReplacedByOlder,
    /// A witness has seen another history.
    Forked,
    /// A witness's checkpoint cannot be used.
    WitnessUnreadable,
}

/// A log that is not as it was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub problem: Problem,
    /// Number of the first entry that it concerns, where there is one.
    pub entry: Option<u64>,
    /// Number of the last entry that it may concern, where that is not the same.
    pub until: Option<u64>,
}

/// A log that is as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Which log, as its checkpoints name it.
    pub origin: String,
    /// How many entries it has.
    pub entries: u64,
    /// How many of them a signature covers.
    pub sealed: u64,
    /// How many signed checkpoints.
    pub checkpoints: u64,
    /// Root of the tree over all entries (RFC 6962).
    pub root: [u8; 32],
}
