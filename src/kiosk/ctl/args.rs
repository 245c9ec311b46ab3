//! What several verbs are told: where the store and the settings are, and who lets the command in.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Where the store is, unless the words or the service manager say otherwise.
const STATE: &str = "/var/lib/wardkeep";
/// Where the settings are, if they are there.
const CONFIG: &str = "/etc/wardkeep/config.toml";

/// Words and what they stand for: the words of a closed list, as the command line and JSON write them.
pub type Words<T> = &'static [(&'static str, T)];

/// Takes one word of a list.
pub fn one_of<T>(words: Words<T>) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(words.iter().map(|(word, _)| *word)).try_map(move |given| {
        // Whether the letters' size matters was decided before.
        let known = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&given));
        // The parser before this one lets nothing else through.
        known.map(|(_, value)| *value).ok_or("no such word")
    })
}

/// The word of a value; empty if the list lacks it.
pub fn word_of<T: PartialEq>(words: Words<T>, value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word)
}

/// Where the store and the settings are.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Directory of the store [default: $STATE_DIRECTORY, or /var/lib/wardkeep]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// File of settings [default: /etc/wardkeep/config.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Places {
    /// Directory of the store.
    pub fn state(&self) -> PathBuf {
        self.given_state().unwrap_or_else(|| {
            let service = variable("STATE_DIRECTORY");
            PathBuf::from(service.unwrap_or_else(|| OsString::from(STATE)))
        })
    }

    /// The same, if the words name it.
    pub fn given_state(&self) -> Option<PathBuf> {
        self.state.clone()
    }

    /// File of settings: the one that is named, or the usual one if it is there.
    pub fn config(&self) -> Option<PathBuf> {
        self.given_config().or_else(|| Some(PathBuf::from(CONFIG)).filter(|usual| usual.exists()))
    }

    /// The same, if the words name it.
    pub fn given_config(&self) -> Option<PathBuf> {
        self.config.clone()
    }
}

/// A variable of the environment that says something.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Who lets a command in that also works with the recovery words.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entrance {
    /// Ask for the 24 recovery words instead of a badge or card and a PIN
    #[arg(long)]
    pub recovery: bool,
}
