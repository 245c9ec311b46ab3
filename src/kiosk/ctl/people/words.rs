//! The words after `users`, `enroll` and `revoke`.

use std::ffi::OsString;
use std::path::PathBuf;

use jiff::civil::Date;

use crate::ctl::people::roster::{self, RowError};
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::Finger;
use wardkeep_model::keeping::{FactorId, NewPerson};

/// Where the store is, unless the words or the service manager say otherwise.
const STATE: &str = "/var/lib/wardkeep";
/// Where the settings are, if they are there.
const CONFIG: &str = "/etc/wardkeep/config.toml";

/// Why the command line was not understood.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// A word that does not belong here.
    #[error(transparent)]
    Words(#[from] lexopt::Error),
    /// After `users`.
    #[error("After `users` comes list, add, import or code.")]
    Users,
    /// After `enroll`.
    #[error("After `enroll` come a person and badge, card, pin or finger.")]
    Enrol,
    /// No such role.
    #[error("The role is nurse, caregiver, it or auditor.")]
    Role,
    /// Not a day.
    #[error("--valid-until is a day as YYYY-MM-DD.")]
    Day,
    /// No such finger.
    #[error(
        "The finger is right-index, left-index, right-thumb, left-thumb, right-middle or left-middle."
    )]
    Finger,
    /// Not 32 hexadecimal digits.
    #[error("--factor is an identity that `users list` shows.")]
    Factor,
    /// Something that must be there.
    #[error("{0} is missing.")]
    Missing(&'static str),
    /// Something that belongs to another verb.
    #[error("{0} does not belong here.")]
    Misplaced(&'static str),
}

/// What is to be enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrol {
    /// A badge, with a PIN or a one-time code.
    Badge {
        /// A one-time code instead of a typed PIN.
        code: bool,
    },
    /// A smart card.
    Card,
    /// Another PIN.
    Pin,
    /// A finger.
    Finger(Finger),
}

/// A person as given by words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonWords {
    name: String,
    initials: Option<String>,
    role: Role,
    valid_until: Option<Date>,
}

impl PersonWords {
    /// The person.
    ///
    /// # Errors
    /// The name or the initials cannot be used.
    pub fn person(&self) -> Result<NewPerson, RowError> {
        roster::named(&self.name, self.initials.as_deref(), self.role, self.valid_until)
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `users list`.
    List,
    /// `users add`.
    Add(PersonWords),
    /// `users import FILE`.
    Import(PathBuf),
    /// `users code PERSON`.
    Code(String),
    /// `enroll PERSON KIND`.
    Enrol(Enrol, String),
    /// `revoke PERSON`.
    Revoke(String, Option<FactorId>),
}

/// The verb's first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// `users`
    Users,
    /// `enroll`
    Enroll,
    /// `revoke`
    Revoke,
}

/// A whole command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What.
    pub verb: Verb,
    /// On which store.
    pub state: PathBuf,
    /// Under which settings.
    pub config: Option<PathBuf>,
    /// With the recovery words instead of two factors.
    pub recovery: bool,
}

#[derive(Default)]
struct Found {
    words: Vec<String>,
    role: Option<String>,
    initials: Option<String>,
    valid_until: Option<String>,
    finger: Option<String>,
    factor: Option<String>,
    code: bool,
    recovery: bool,
    state: Option<PathBuf>,
    config: Option<PathBuf>,
}

/// Understands the words after the verb.
///
/// # Errors
/// They make no sense; nothing has been done.
pub fn parse(first: First, args: &mut lexopt::Parser) -> Result<Request, UsageError> {
    let mut found = Found::default();
    collect(&mut found, args)?;
    let verb = match first {
        First::Users => users(&mut found)?,
        First::Enroll => enroll(&mut found)?,
        First::Revoke => revoke(&mut found)?,
    };
    found.left_over()?;
    let existing = PathBuf::from(CONFIG);
    let config = found.config.or_else(|| existing.exists().then_some(existing));
    let state = found.state.unwrap_or_else(|| {
        let given = std::env::var_os("STATE_DIRECTORY").filter(|value| !value.is_empty());
        PathBuf::from(given.unwrap_or_else(|| OsString::from(STATE)))
    });
    Ok(Request { verb, state, config, recovery: found.recovery })
}

fn collect(found: &mut Found, args: &mut lexopt::Parser) -> Result<(), UsageError> {
    use lexopt::Arg::{Long, Short, Value};
    use lexopt::ValueExt as _;
    while let Some(arg) = args.next()? {
        match arg {
            Value(word) => found.words.push(word.string()?),
            Long("role") => found.role = Some(args.value()?.string()?),
            Long("initials") => found.initials = Some(args.value()?.string()?),
            Long("valid-until") => found.valid_until = Some(args.value()?.string()?),
            Long("finger") => found.finger = Some(args.value()?.string()?),
            Long("factor") => found.factor = Some(args.value()?.string()?),
            Long("code") => found.code = true,
            Long("recovery") => found.recovery = true,
            Long("state") => found.state = Some(PathBuf::from(args.value()?)),
            Long("config") => found.config = Some(PathBuf::from(args.value()?)),
            Short(_) | Long(_) => return Err(arg.unexpected().into()),
        }
    }
    // Taken from the end.
    found.words.reverse();
    Ok(())
}

impl Found {
    fn word(&mut self, what: &'static str) -> Result<String, UsageError> {
        self.words.pop().ok_or(UsageError::Missing(what))
    }

    fn left_over(&self) -> Result<(), UsageError> {
        let misplaced = [
            (!self.words.is_empty(), "The last word"),
            (self.role.is_some(), "--role"),
            (self.initials.is_some(), "--initials"),
            (self.valid_until.is_some(), "--valid-until"),
            (self.finger.is_some(), "--finger"),
            (self.factor.is_some(), "--factor"),
            (self.code, "--code"),
        ];
        let first = misplaced.into_iter().find(|(there, _)| *there);
        first.map_or(Ok(()), |(_, what)| Err(UsageError::Misplaced(what)))
    }
}

fn users(found: &mut Found) -> Result<Verb, UsageError> {
    let verb = found.words.pop().ok_or(UsageError::Users)?;
    match verb.as_str() {
        "list" => Ok(Verb::List),
        "add" => {
            let name = found.word("The person's name")?;
            let role = found.role.take().ok_or(UsageError::Missing("--role"))?;
            let role = roster::role(&role).ok_or(UsageError::Role)?;
            let day = found.valid_until.take().map(|day| day.parse::<Date>()).transpose();
            let valid_until = day.map_err(|_| UsageError::Day)?;
            let initials = found.initials.take();
            Ok(Verb::Add(PersonWords { name, initials, role, valid_until }))
        }
        "import" => Ok(Verb::Import(PathBuf::from(found.word("The file")?))),
        "code" => Ok(Verb::Code(found.word("The person")?)),
        _ => Err(UsageError::Users),
    }
}

fn enroll(found: &mut Found) -> Result<Verb, UsageError> {
    let person = found.words.pop().ok_or(UsageError::Enrol)?;
    let kind = found.words.pop().ok_or(UsageError::Enrol)?;
    let what = match kind.as_str() {
        "badge" => Enrol::Badge { code: std::mem::take(&mut found.code) },
        "card" => Enrol::Card,
        "pin" => Enrol::Pin,
        "finger" => {
            let word = found.finger.take().ok_or(UsageError::Missing("--finger"))?;
            let finger = Finger::ALL.into_iter().find(|finger| finger_word(*finger) == word);
            Enrol::Finger(finger.ok_or(UsageError::Finger)?)
        }
        _ => return Err(UsageError::Enrol),
    };
    Ok(Verb::Enrol(what, person))
}

fn revoke(found: &mut Found) -> Result<Verb, UsageError> {
    let person = found.word("The person")?;
    let factor = found.factor.take().map(|text| {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| u128::from_str_radix(&text, 16).ok()).flatten().map(FactorId)
    });
    match factor {
        Some(None) => Err(UsageError::Factor),
        Some(Some(factor)) => Ok(Verb::Revoke(person, Some(factor))),
        None => Ok(Verb::Revoke(person, None)),
    }
}

/// The word of a finger.
pub fn finger_word(finger: Finger) -> &'static str {
    match finger {
        Finger::RightIndex => "right-index",
        Finger::LeftIndex => "left-index",
        Finger::RightThumb => "right-thumb",
        Finger::LeftThumb => "left-thumb",
        Finger::RightMiddle => "right-middle",
        Finger::LeftMiddle => "left-middle",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(first: First, words: &[&str]) -> Result<Verb, String> {
        let mut args = lexopt::Parser::from_args(words.iter().copied());
        parse(first, &mut args).map(|request| request.verb).map_err(|error| error.to_string())
    }

    #[test]
    fn every_verb_is_understood() {
        let role = Role::It;
        let (name, initials) = ("Amara Kone".to_owned(), Some("AK".to_owned()));
        let valid_until = Some(jiff::civil::date(2027, 1, 31));
        let person = PersonWords { name, initials, role, valid_until };
        let factor = "0000000000000000000000000000002a";
        for (first, words, expected) in [
            (First::Users, &["list"][..], Verb::List),
            (
                First::Users,
                &[
                    "add",
                    "Amara Kone",
                    "--role",
                    "it",
                    "--initials",
                    "AK",
                    "--valid-until",
                    "2027-01-31",
                ],
                Verb::Add(person),
            ),
            (First::Users, &["import", "list.csv"], Verb::Import("list.csv".into())),
            (First::Users, &["code", "Amara Kone"], Verb::Code("Amara Kone".into())),
            (
                First::Enroll,
                &["Amara Kone", "badge", "--code"],
                Verb::Enrol(Enrol::Badge { code: true }, "Amara Kone".into()),
            ),
            (
                First::Enroll,
                &["X", "finger", "--finger", "left-thumb"],
                Verb::Enrol(Enrol::Finger(Finger::LeftThumb), "X".into()),
            ),
            (First::Revoke, &["X"], Verb::Revoke("X".into(), None)),
            (
                First::Revoke,
                &["X", "--factor", factor],
                Verb::Revoke("X".into(), Some(FactorId(42))),
            ),
        ] {
            assert_eq!(understood(first, words), Ok(expected), "{words:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_sentence() {
        for (first, words, says) in [
            (First::Users, &[][..], "After `users`"),
            (First::Users, &["drop"], "After `users`"),
            (First::Users, &["add", "X"], "--role is missing."),
            (First::Users, &["add", "X", "--role", "porter"], "The role is"),
            (
                First::Users,
                &["add", "X", "--role", "it", "--valid-until", "soon"],
                "--valid-until is",
            ),
            (First::Users, &["list", "more"], "The last word does not belong here."),
            (First::Users, &["list", "--code"], "--code does not belong here."),
            (First::Enroll, &["X"], "After `enroll`"),
            (First::Enroll, &["X", "finger"], "--finger is missing."),
            (First::Enroll, &["X", "finger", "--finger", "toe"], "The finger is"),
            (First::Revoke, &[], "The person is missing."),
            (First::Revoke, &["X", "--factor", "+1"], "--factor is"),
            (First::Revoke, &["X", "--pin", "471108"], "invalid option '--pin'"),
        ] {
            let said = understood(first, words).expect_err("nonsense");
            assert!(said.starts_with(says), "{words:?}: {said}");
        }
    }
}
