//! The audit log as a file that anybody can verify, anywhere, with one key: its format, and what
//! verifying one finds.
//!
//! ```text
//!  wardkeep audit log 1
//!  origin wardkeep.audit/6ba2...           a hash of the first key
//!  key wardkeep.audit/6ba2...+c74f20a3+AR...   every key that signed, the first one first
//!  entries 1042
//!  checkpoints 12
//!
//!  <SHA-256(0x00 | line), base64> <line>   one for each entry, see `line`
//!
//!  <checkpoint>                            as `checkpoint` says, with an empty line after each
//!
//!  end
//! ```
//!
//! An entry's hash stands before it so that an entry that was changed can be named; what proves it is
//! the tree under the checkpoints, whose roots are derived anew from the lines.
//!
//! Keys change when somebody is taken away. The old key then signs a checkpoint over an entry
//! `keys-rotated` whose `detail` is the next key: so whoever trusts one key of a log can follow it to the
//! last. Whoever left may have kept the old key, so the newest one is the one to note.
//!
//! S-8: verifying fails closed. Each byte of the file counts; an entry that no checkpoint covers, a
//! number that is missing, and a key that no earlier one named are failures. What a file alone cannot
//! show is that it is older than another: that needs a *witness*, a checkpoint that was kept elsewhere.

mod reader;
#[cfg(test)]
mod tests;
mod verify;

use std::fmt;

use base64ct::{Base64, Encoding};
use serde::Serialize;

pub use crate::log::checkpoint::{NOTE_LEN_MAX, NoteError, VerifierKey};
use crate::log::merkle::leaf;
pub use verify::verify;
pub(crate) use verify::verify_open;

const TITLE: &str = "wardkeep audit log 1";
const END: &str = "end";
/// Longest file that is read: some 600,000 entries.
pub const FILE_LEN_MAX: u64 = 256 * 1024 * 1024;

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// The file is none, or is longer than a log may be.
    Unreadable,
    /// An entry is missing between two others.
    Deleted,
    /// An entry is not what was sealed.
    Edited,
    /// An entry is not written in the one way there is.
    NotCanonical,
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
    /// A key signs before an earlier one handed over to it, or after it handed over itself.
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

impl Problem {
    /// A sentence for whoever has to judge it.
    pub fn sentence(self) -> &'static str {
        match self {
            Problem::Unreadable => "This is not an audit log.",
            Problem::Deleted => "An entry was deleted.",
            Problem::Edited => "An entry is not what was sealed.",
            Problem::NotCanonical => "An entry is not written as this program writes it.",
            Problem::Reordered => "Entries are not in their order.",
            Problem::Truncated => "The end of the log is missing.",
            Problem::Unsealed => "Entries at the end are not sealed by any checkpoint.",
            Problem::SignaturesStripped => "Signatures are missing.",
            Problem::ReSigned => "The log is signed with another key than the one you trust.",
            Problem::KeyOrder => "A key signed out of its turn.",
            Problem::CheckpointEdited => "A checkpoint is not what was signed.",
            Problem::ReplacedByOlder => "This is an older log than the witness has seen.",
            Problem::Forked => "This is another history than the witness has seen.",
            Problem::WitnessUnreadable => "The witness's checkpoint cannot be used for this log.",
        }
    }
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

impl Flaw {
    fn of(problem: Problem) -> Self {
        Self { problem, entry: None, until: None }
    }

    fn at(problem: Problem, entry: u64) -> Self {
        Self { entry: Some(entry), ..Self::of(problem) }
    }

    /// Somewhere from one entry to another.
    fn within(problem: Problem, first: u64, last: u64) -> Self {
        let until = (last > first).then_some(last);
        Self { until, ..Self::at(problem, first) }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem.sentence())?;
        match (self.entry, self.until) {
            (Some(entry), None) => write!(f, " Entry {entry}."),
            (Some(entry), Some(until)) => write!(f, " Between entries {entry} and {until}."),
            (None, _) => Ok(()),
        }
    }
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
    /// The key that signed last: the one to trust from here on.
    pub key: String,
}

/// Writes a log.
pub fn write(keys: &[String], lines: &[String], notes: &[String]) -> String {
    let origin = keys.first().and_then(|key| key.split('+').next()).unwrap_or_default();
    let mut text = format!("{TITLE}\norigin {origin}\n");
    for key in keys {
        text.push_str(&format!("key {key}\n"));
    }
    text.push_str(&format!("entries {}\ncheckpoints {}\n\n", lines.len(), notes.len()));
    for line in lines {
        text.push_str(&Base64::encode_string(&leaf(line.as_bytes())));
        text.push(' ');
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    for note in notes {
        text.push_str(note);
        text.push('\n');
    }
    text.push_str(END);
    text.push('\n');
    text
}
