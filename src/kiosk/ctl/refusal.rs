//! What is said of a command line that was not understood, and how help is printed.
//!
//! S-10: a refusal repeats words of the definition and nothing that was typed. Whoever types a PIN or a
//! recovery word where it does not belong finds it in no log of a terminal.

use std::error::Error as _;
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::ctl::terminal;

/// Exit status of a command line that cannot be understood.
const USAGE: u8 = 2;

/// Says what is wrong with the words after `place`, such as `wardkeepctl decode`.
pub fn usage(place: &str, problem: &str) -> ExitCode {
    terminal::complain(&with_advice(place, problem));
    ExitCode::from(USAGE)
}

fn with_advice(place: &str, problem: &str) -> String {
    format!("{problem} `{place} --help` shows how.")
}

/// Ends a program whose words were not parsed to something to do: prints help or the version where they
/// ask for it, and else says what is wrong.
pub fn answer(error: &Error, definition: Command, words: &[OsString]) -> ExitCode {
    let kind = error.kind();
    if matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return terminal::print(&error.render().to_string());
    }
    if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        terminal::complain(error.render().to_string().trim_end());
    } else {
        terminal::complain(&sentence(error, definition, words));
    }
    ExitCode::from(USAGE)
}

/// What is wrong with the words, and where there is help.
pub fn sentence(error: &Error, mut definition: Command, words: &[OsString]) -> String {
    definition.build();
    let (path, verb) = reached(&definition, words);
    with_advice(&path, &problem(error, (&definition, verb), &path))
}

/// The verb that the words come to, with its whole path. Words after the program's name that are no
/// verbs, and values of options, are passed over.
fn reached<'a>(definition: &'a Command, words: &[OsString]) -> (String, &'a Command) {
    let (mut path, mut command) = (definition.get_name().to_owned(), definition);
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        if let Some(verb) = command.find_subcommand(word) {
            path = format!("{path} {}", verb.get_name());
            command = verb;
        } else if takes_next(command, word) && words.next().is_none() {
            break;
        }
    }
    (path, command)
}

/// Whether the word after this option is its value.
fn takes_next(command: &Command, word: &OsStr) -> bool {
    let name = word.to_str().and_then(|word| word.strip_prefix("--"));
    let option = command
        .get_arguments()
        .find(|argument| argument.get_long().is_some() && argument.get_long() == name);
    option.is_some_and(|option| option.get_action().takes_values())
}

fn problem(error: &Error, (definition, verb): (&Command, &Command), path: &str) -> String {
    let names = names(error, ContextKind::InvalidArg);
    let first = names.first().map_or("A word", String::as_str);
    match error.kind() {
        ErrorKind::InvalidSubcommand | ErrorKind::MissingSubcommand => after(verb, path, error),
        ErrorKind::UnknownArgument if verb.has_subcommands() && !first.starts_with('-') => {
            after(verb, path, error)
        }
        ErrorKind::UnknownArgument if is_option(definition, first) => {
            format!("{first} does not belong here.")
        }
        ErrorKind::UnknownArgument => {
            format!("There is a word or an option too many.{}", meant(error))
        }
        ErrorKind::MissingRequiredArgument => {
            let verb = if names.len() == 1 { "is" } else { "are" };
            format!("{} {verb} missing.", list(&names, "and"))
        }
        ErrorKind::ArgumentConflict => {
            let prior = self::names(error, ContextKind::PriorArg);
            let other = prior.first().map_or("what is there", String::as_str);
            if first == other {
                return format!("{first} is given twice.");
            }
            format!("{first} does not go with {other}.")
        }
        ErrorKind::InvalidValue => match self::names(error, ContextKind::ValidValue) {
            allowed if allowed.is_empty() => format!("{first} needs a value."),
            allowed => format!("{first} is {}.", list(&allowed, "or")),
        },
        // The parsers of values say what a value is, never what was given.
        ErrorKind::ValueValidation => match error.source() {
            Some(why) => format!("{first} {why}."),
            None => format!("{first} has a value that is not taken."),
        },
        ErrorKind::TooManyValues => format!("{first} takes no such value."),
        ErrorKind::InvalidUtf8 => "A word is not UTF-8.".to_owned(),
        ErrorKind::NoEquals
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues
        | ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion
        | ErrorKind::Io
        | ErrorKind::Format
        | _ => "The words do not go together.".to_owned(),
    }
}

/// The names that an error gives of its arguments: `--out <FILE>` is `--out`, `<PERSON>` is `PERSON`.
fn names(error: &Error, kind: ContextKind) -> Vec<String> {
    let given = match error.get(kind) {
        Some(ContextValue::String(name)) => vec![name.clone()],
        Some(ContextValue::Strings(names)) => names.clone(),
        Some(_) | None => vec![],
    };
    let bare = |name: &String| {
        let word = name.split([' ', '=']).next().unwrap_or_default();
        word.trim_matches(['<', '>', '[', ']', '.']).to_owned()
    };
    given.iter().map(bare).filter(|name| !name.is_empty()).collect()
}

/// What the error takes for meant; always a word of the definition.
fn meant(error: &Error) -> String {
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg];
    let word = kinds.into_iter().flat_map(|kind| names(error, kind)).next();
    word.map_or_else(String::new, |word| format!(" Is {word} meant?"))
}

/// Whether this is an option of any verb.
fn is_option(command: &Command, name: &str) -> bool {
    let known = |long: Option<&str>| long.is_some() && long == name.strip_prefix("--");
    command.get_arguments().any(|argument| known(argument.get_long()))
        || command.get_subcommands().any(|verb| is_option(verb, name))
}

fn after(command: &Command, path: &str, error: &Error) -> String {
    let verbs = command.get_subcommands().map(|verb| verb.get_name().to_owned());
    let verbs: Vec<String> = verbs.filter(|name| name != "help").collect();
    format!("After `{path}` comes {}.{}", list(&verbs, "or"), meant(error))
}

fn list(words: &[String], joint: &str) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {joint} {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}
