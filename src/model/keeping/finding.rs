//! What a store says when something in it is not as it was acknowledged (S-8).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Sealed records that were acknowledged and are not there any more.
    RecordsMissing,
    /// Records that do not authenticate: altered, or made up.
    RecordsForged,
    /// Authentic records that are there twice.
    RecordsRepeated,
    /// Authentic records out of their order.
    RecordsMoved,
    /// Waveforms that were not taken, or were deleted oldest first, so that values had the room: the
    /// site's policy, not an attack. `found` and `expected` are the first number and the one after
    /// the last.
    WaveformsGivenUp,
    /// The inbox began a new chain without the vault: how many records were lost nobody can know.
    BacklogRestarted,
    /// The vault's last commit is not the last acknowledged one: an older file or a cut log. `count`
    /// is the number of acknowledged rows that are gone.
    VaultOlder,
    /// Pages of the vault are older versions or not ours.
    PagesReplaced,
    /// The vault's head file is older than the vault, or gone.
    HeadOlder,
    /// A key slot was put back.
    SlotOlder,
    /// The cart compartment was put back.
    CartOlder,
    /// The keyring was put back.
    KeyringOlder,
    /// The inbox's head was put back.
    InboxOlder,
    /// The whole store was put back: the anchor outside the disk knows a later one.
    StoreOlder,
    /// The counter outside the disk is behind what this store has seen: it was cleared or exchanged.
    AnchorReset,
    /// The counter outside the disk that this store was anchored in is gone, or does not answer.
    AnchorSilent,
    /// A damaged file was replaced by its own second copy and kept aside.
    CopyUsed,
    /// A file in which the store remembers where its parts were was put back, or is gone.
    MemoryOlder,
    /// A public key that records are sealed to, or that the vault's keys would be, is not the vault's.
    RecipientReplaced,
    /// The state directory was open to other accounts. It was closed; `count` is how many of its files they
    /// could have read.
    OpenToOthers,
}

/// One thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// How many records, rows, pages or files it concerns.
    pub count: u64,
    /// The sequence number that was found, where there is one.
    pub found: Option<u64>,
    /// The sequence number that should have been there.
    pub expected: Option<u64>,
    /// When what it concerns was recorded: not before the first and not after the second instant.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// A finding that nobody has acknowledged; all of its kind are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFinding {
    /// What was found: counts added up, the least number that was found, the greatest that was expected.
    pub finding: Finding,
    /// When it was found for the first time.
    pub first: Timestamp,
    /// When it was found last.
    pub last: Timestamp,
    /// How often.
    pub times: u64,
}

impl OpenFinding {
    /// Found once.
    pub fn new(finding: Finding, at: Timestamp) -> Self {
        Self { finding, first: at, last: at, times: 1 }
    }

    /// Found again.
    pub fn add(&mut self, finding: &Finding, at: Timestamp) {
        let least = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let here = &mut self.finding;
        here.count = here.count.saturating_add(finding.count);
        here.found = least(here.found, finding.found);
        here.expected = here.expected.max(finding.expected);
        here.span = match (here.span, finding.span) {
            (Some((from, to)), Some((since, until))) => Some((from.min(since), to.max(until))),
            (one, other) => one.or(other),
        };
        // A clock that was set back would turn them round.
        (self.first, self.last) = (self.first.min(at), self.last.max(at));
        self.times = self.times.saturating_add(1);
    }
}

impl Finding {
    /// So many of a kind; the rest is filled in by struct update.
    pub fn of(kind: FindingKind, count: u64) -> Self {
        Self { kind, count, found: None, expected: None, span: None }
    }
}
