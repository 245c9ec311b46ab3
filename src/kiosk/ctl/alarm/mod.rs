//! `wardkeepctl alarm`: what the alarm system does, without a bedside.
//!
//! `render` writes the alarm sound into a file, exactly as the kiosk plays it: biomed staff check it
//! against IEC 60601-1-8 with their own instruments. `replay` lets the kiosk's own core judge what happened
//! at a bed, line by line. Neither needs a loudspeaker or a state directory.

mod bed;
mod line;
mod replay;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::ctl::args::{Words, one_of};
use crate::ctl::terminal;
use wardkeep_hardware::speaker::sound;
use wardkeep_model::alarm::Priority;

/// Samples per second of the file.
pub const RATE_HZ: u32 = 48_000;

/// The words of the priorities (IEC 60601-1-8).
const PRIORITIES: Words<Priority> =
    &[("high", Priority::High), ("medium", Priority::Medium), ("low", Priority::Low)];

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl alarm render --priority high --out high.wav
  wardkeepctl alarm render --priority low --out /tmp/low.wav";

/// Verbs after `alarm`.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// Write the sound of a priority to a WAV file, as the kiosk plays it
    #[command(after_help = EXAMPLES)]
    Render(Render),
    /// Judge what happened at a bed: JSON lines in, JSON lines out
    #[command(after_help = replay::EXAMPLES)]
    Replay(replay::Replay),
}

/// What to render, and where to.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Render {
    /// Priority of the alarm
    #[arg(long, value_parser = one_of(PRIORITIES))]
    priority: Priority,
    /// The file; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Alarm {
    /// Exit code 0 when everything was done, 1 when it could not be.
    pub fn run(&self) -> ExitCode {
        let Render { priority, out } = match self {
            Alarm::Render(render) => render,
            Alarm::Replay(replay) => return replay.run(),
        };
        match render(*priority, out) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                terminal::complain(&format!("{} cannot be written: {error}.", out.display()));
                ExitCode::FAILURE
            }
        }
    }
}

/// Writes two bursts of `priority`, with the interval between them, to a WAV file at `out`.
///
/// # Errors
/// When the file cannot be created or written to.
pub fn render(priority: Priority, out: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(out)?);
    sound::write_wav(&mut file, RATE_HZ, &sound::two_bursts(RATE_HZ, priority))?;
    file.flush()
}
