//! Verbs of `wardkeepctl`: JSON on stdout, sentences on stderr, exit 0 / 1 failed / 2 usage.
//!
//! The words are defined once, here and in the file of each verb, and the types hold only what makes
//! sense: a verb without an option has no place for it. Help, completions and manual pages come from the
//! same definition.

mod access;
pub mod alarm;
mod args;
pub mod audit;
mod completions;
pub mod decode;
pub mod devices;
pub mod doctor;
mod factors;
mod failure;
pub mod kiosk_args;
mod man;
pub mod people;
mod progress;
pub mod refusal;
pub mod store;
pub mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  wardkeepctl doctor
  wardkeepctl help store backup
  wardkeepctl decode 2a5f \"00 61 00 48 00\"

Exit status: 0 done, 1 failed, 2 the command line was not understood.";

/// IT and biomed work on a Wardkeep cart: JSON on standard output, sentences on standard error.
#[derive(Parser, Clone, Debug)]
#[command(name = "wardkeepctl", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Clone, Debug)]
enum Verb {
    /// Decode Bluetooth frames to JSON
    #[command(after_help = decode::EXAMPLES)]
    Decode(decode::Decode),
    /// Check what works on this machine, with the remedy for the rest
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::Doctor),
    /// The devices of this cart: what is known of each, and what has to be done
    #[command(after_help = devices::EXAMPLES)]
    Devices(devices::Devices),
    /// The alarm sounds
    #[command(subcommand, after_help = alarm::EXAMPLES)]
    Alarm(alarm::Alarm),
    /// The audit log: verify a copy, or take one out of the store
    #[command(subcommand, after_help = audit::EXAMPLES)]
    Audit(audit::Audit),
    /// People of this cart: list, add, import, or give a one-time code
    #[command(subcommand, after_help = people::users::EXAMPLES)]
    Users(people::users::Users),
    /// Give a person a badge, a card, a PIN or a finger
    #[command(after_help = people::enroll::EXAMPLES, disable_help_subcommand = true)]
    Enroll(people::enroll::Enroll),
    /// Take a person away, or one of their factors
    #[command(after_help = people::revoke::EXAMPLES)]
    Revoke(people::revoke::Revoke),
    /// Backup, restore, check, setting aside, and destroying what was recorded of one patient
    #[command(subcommand, after_help = store::EXAMPLES)]
    Store(store::StoreVerb),
    /// Print completions for a shell
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Completions),
    /// Write the manual pages of wardkeep and wardkeepctl
    #[command(after_help = man::EXAMPLES)]
    Man(man::ManPages),
}

/// Does what the words say, the program's own name first.
///
/// Exit code 0 when it is done, 1 when it failed, 2 when the words were not understood and nothing was
/// done.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    match Cli::try_parse_from(&words) {
        Ok(cli) => cli.verb.run(),
        Err(error) => refusal::answer(&error, Cli::command(), &words),
    }
}

impl Verb {
    fn run(self) -> ExitCode {
        match self {
            Verb::Decode(verb) => verb.run(),
            Verb::Doctor(verb) => verb.run(),
            Verb::Devices(verb) => failure::end(verb.run()),
            Verb::Alarm(verb) => verb.run(),
            Verb::Audit(verb) => verb.run(),
            Verb::Users(verb) => failure::end(verb.run()),
            Verb::Enroll(verb) => failure::end(verb.run()),
            Verb::Revoke(verb) => failure::end(verb.run()),
            Verb::Store(verb) => failure::end(verb.run()),
            Verb::Completions(verb) => verb.run(),
            Verb::Man(verb) => verb.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_refusal_names_the_verb_that_the_words_came_to() {
        for (words, says) in [
            (
                "alarm render --priority urgent --out f",
                "--priority is high, medium or low. `wardkeepctl alarm render",
            ),
            ("decode --batch --limits", "--batch does not go with --limits. `wardkeepctl decode"),
            (
                "decode vendor 00 --bind-key 00",
                "--bind-key is 32 hexadecimal digits. `wardkeepctl decode",
            ),
            ("decode --name doctor", "CHARACTERISTIC and HEX are missing. `wardkeepctl decode"),
            ("doctor --batch", "--batch does not belong here. `wardkeepctl doctor"),
            ("doctr", "After `wardkeepctl` comes decode, doctor, devices, alarm, audit"),
            ("doctr", "Is doctor meant? `wardkeepctl --help` shows how."),
        ] {
            let words = format!("wardkeepctl {words}");
            let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
            let error = Cli::try_parse_from(&words).expect_err("nonsense");
            let said = refusal::sentence(&error, Cli::command(), &words);
            assert!(said.contains(says), "{words:?}: {said}");
        }
    }

    /// S-10: a PIN that was typed where it does not belong is not repeated.
    #[test]
    fn s10_a_refusal_repeats_nothing_that_was_typed() {
        for words in [
            &["471108"][..],
            &["decode", "471108", "471108"],
            &["decode", "vendor", "00", "--bind-key", "471108"],
            &["decode", "vendor", "00", "--mac", "471108"],
            &["decode", "vendor", "00", "--protocol", "471108"],
            &["doctor", "471108"],
            &["doctor", "--471108"],
            &["doctor", "-471108"],
            &["doctor", "--state=d", "--config=c", "--pin=471108"],
            &["alarm", "render", "--priority", "471108", "--out", "f"],
            &["audit", "471108"],
            &["completions", "471108"],
            &["users", "add", "X", "--role", "471108"],
            &["users", "add", "X", "--role", "it", "--valid-until", "471108"],
            &["enroll", "X", "pin", "471108"],
            &["revoke", "X", "--factor", "471108"],
            &["store", "restore", "--from", "f", "471108"],
        ] {
            let words: Vec<OsString> =
                ["wardkeepctl"].iter().chain(words).map(OsString::from).collect();
            let error = Cli::try_parse_from(&words).expect_err("nonsense");
            let said = refusal::sentence(&error, Cli::command(), &words);
            assert!(!said.contains("4711") && said.ends_with('.'), "{words:?}: {said}");
        }
    }
}
