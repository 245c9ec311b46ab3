//! `wardkeepctl audit`: verifies a copy of the audit log anywhere, and takes one out of the store.

mod take;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use crate::ctl::failure;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl audit key
  wardkeepctl audit export --out log.txt
  wardkeepctl audit verify log.txt --key key.txt --witness witness.txt";

/// Verbs after `audit`.
#[derive(Subcommand, Clone, Debug)]
pub enum Audit {
    /// Tell whether a copy of the log is as it was sealed; needs no store and no network
    #[command(after_help = verify::EXAMPLES)]
    Verify(verify::Verify),
    /// Write the whole log with its signed checkpoints
    #[command(after_help = take::EXPORT_EXAMPLES)]
    Export(take::ToFile),
    /// Write a signed checkpoint, for a witness to keep
    #[command(after_help = take::CHECKPOINT_EXAMPLES)]
    Checkpoint(take::ToFile),
    /// Print the key to verify the log with; note it somewhere else
    #[command(after_help = take::KEY_EXAMPLES)]
    Key(take::Key),
}

impl Audit {
    /// Exit code 0 when the log is as it was sealed, or taken out; 1 when not; 2 when a key is none.
    pub fn run(self) -> ExitCode {
        match self {
            Audit::Verify(verb) => verb.run(),
            Audit::Export(verb) => failure::end(verb.export()),
            Audit::Checkpoint(verb) => failure::end(verb.checkpoint()),
            Audit::Key(verb) => failure::end(verb.run()),
        }
    }
}
