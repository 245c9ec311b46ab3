//! `wardkeepctl completions`: what a shell needs to complete the words of `wardkeepctl`.

use std::process::ExitCode;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell as Generator;

use crate::ctl::{Cli, terminal};

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl completions bash > /usr/share/bash-completion/completions/wardkeepctl
  wardkeepctl completions zsh > /usr/share/zsh/vendor-completions/_wardkeepctl
  wardkeepctl completions fish > /usr/share/fish/vendor_completions.d/wardkeepctl.fish";

/// For which shell.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// A shell that can complete words.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    /// Prints them. Exit code 0 when they are printed, 1 when nobody takes them.
    pub fn run(self) -> ExitCode {
        let generator = match self.shell {
            Shell::Bash => Generator::Bash,
            Shell::Zsh => Generator::Zsh,
            Shell::Fish => Generator::Fish,
        };
        let mut definition = Cli::command();
        let name = definition.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(generator, &mut definition, name, &mut script);
        terminal::print(&String::from_utf8_lossy(&script))
    }
}
