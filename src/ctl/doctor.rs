//! `wardkeepctl doctor`: what works on this machine, and what to do about what does not.

use std::process::ExitCode;

/// Reports nothing yet.
pub fn run(_args: &mut lexopt::Parser) -> ExitCode {
    ExitCode::FAILURE
}
