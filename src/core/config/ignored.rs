//! What of the configuration file was not used, as sentences for IT.

use std::path::PathBuf;

/// A setting that was not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// The file as a whole.
    #[error("the settings file {} cannot be read: {why}; every setting is at its default", .path.display())]
    File {
        /// Its name.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Nothing; but the file is not as it should be.
    #[error(
        "the settings file was read as {read_as}: save it as UTF-8, so that nobody has to guess"
    )]
    Encoding {
        /// Name of the encoding.
        read_as: &'static str,
    },
    /// A letter that nobody can read.
    #[error("a letter in line {line} is no UTF-8: save the file as UTF-8")]
    NotUtf8 {
        /// Line, from 1.
        line: usize,
    },
    /// The file is not TOML.
    #[error("the file is not valid TOML (line {line}); every setting is at its default")]
    Syntax {
        /// Line of the first error, from 1.
        line: usize,
    },
    /// No such setting.
    #[error("{key}: there is no such setting")]
    Unknown {
        /// Its full key.
        key: String,
    },
    /// Not of the right type.
    #[error("{key}: expected {expected}")]
    WrongType {
        /// Its full key.
        key: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Outside its range.
    #[error("{key}: {value} is outside {min}..={max}")]
    OutOfRange {
        /// Its full key.
        key: String,
        /// What it says.
        value: i64,
        /// Least allowed.
        min: i64,
        /// Most allowed.
        max: i64,
    },
    /// Two limits contradict each other; both are at their default.
    #[error("{low} is not below {high}")]
    Contradiction {
        /// Key of the lower one.
        low: String,
        /// Key of the upper one.
        high: String,
    },
}

impl Ignored {
    /// It says something about this setting, or about the table that it stands in.
    pub(super) fn is_about(&self, setting: &str) -> bool {
        let within = |key: &str| {
            setting == key || setting.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'))
        };
        match self {
            Ignored::File { .. } | Ignored::Syntax { .. } => true,
            Ignored::Encoding { .. } | Ignored::NotUtf8 { .. } => false,
            Ignored::Unknown { key }
            | Ignored::WrongType { key, .. }
            | Ignored::OutOfRange { key, .. } => within(key),
            Ignored::Contradiction { low, high } => within(low) || within(high),
        }
    }
}
