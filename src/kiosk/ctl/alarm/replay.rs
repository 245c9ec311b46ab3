//! `wardkeepctl alarm replay`: the kiosk's own core over what happened at a bed.
//!
//! ```text
//! {"t":0,"assign":{"device":"A","kind":"oximeter"}}
//! {"t":1,"value":{"device":"A","mdc":150456,"value":"78","unit":"%"}}
//! ```
//!
//! Between lines time goes by as the core itself asks for it, second by second at least. Each time the
//! picture changes it is one line of output, and at the end stands the alarm log as it would have been kept.
//! A nurse is logged in at the start, and a patient of the age of the limits is at the bed. A value that
//! comes from a device whose link nobody spoke of came over a link.

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::ctl::alarm::bed::{Bed, number_of};
use crate::ctl::alarm::line::{self, Happening};
use crate::ctl::args::{Places, Words, one_of};
use crate::ctl::terminal::complain;
use crate::settings;
use crate::text::Text;
use wardkeep_core::config::{Config, Ignored};
use wardkeep_core::kiosk::Surroundings;
use wardkeep_model::access::policy::Policy;
use wardkeep_model::alarm::limits::AgeGroup;

/// Largest replay.
const BYTES_MAX: u64 = 256 * 1024 * 1024;
/// What the wall clock shows at the begin of a replay that says nothing of it.
const BEGIN: Timestamp = Timestamp::constant(1_795_946_400, 0);

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl alarm replay < bed12.jsonl
  wardkeepctl alarm replay --limits neonate < bed12.jsonl

What a line may be, with \"t\" in seconds, which never falls:
  {\"t\":12.5}
  {\"t\":0,\"assign\":{\"device\":\"A\",\"kind\":\"oximeter\"}}  (heart-rate, cuff, thermometer, patch)
  {\"t\":0,\"link\":{\"device\":\"A\",\"state\":\"live\"}}  (lost)
  {\"t\":1,\"value\":{\"device\":\"A\",\"mdc\":150456,\"value\":\"88\",\"unit\":\"%\"}}
  {\"t\":1,\"absent\":{\"device\":\"A\",\"mdc\":150456,\"reason\":\"sensor-off\"}}
  {\"t\":1,\"battery\":{\"device\":\"A\",\"percent\":4}}
  {\"t\":1,\"release\":{\"device\":\"A\"}}
  {\"t\":1,\"act\":\"acknowledge\"}  (pause-sound, lock, unlock; \"condition\":\"low:spo2\")
  {\"t\":1,\"wall\":\"2026-11-29T10:00:00Z\"}
  {\"t\":1,\"lost-records\":3}";

/// Whose limits by age.
const SETS: Words<AgeGroup> = &[
    ("adult", AgeGroup::Adult),
    ("paediatric", AgeGroup::Paediatric),
    ("neonate", AgeGroup::Neonate),
];

/// By which settings and limits.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// File of settings [default: /etc/wardkeep/config.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Limits for people of this age
    #[arg(long, value_name = "SET", value_parser = one_of(SETS), default_value = "adult")]
    limits: AgeGroup,
}

impl Replay {
    /// Exit code 0 when every line was judged, 1 when one could not be, after what came before it.
    pub fn run(&self) -> ExitCode {
        let places = Places::default();
        let config = self.config.clone().or_else(|| places.config());
        let (config, ignored) = settings::read(config.as_deref());
        for why in &ignored {
            complain(&format!("A setting was not used: {why}."));
        }
        if ignored.iter().any(|why| matches!(why, Ignored::File { .. })) {
            return ExitCode::FAILURE;
        }
        let stdin = io::stdin().lock();
        match replay(surroundings(config), self.limits, stdin, &mut io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&error.to_string());
                ExitCode::FAILURE
            }
        }
    }
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A line is not understood, or time falls.
    #[error("Line {0}: {1}.")]
    Line(usize, String),
    /// It is larger than a replay may be.
    #[error("There are more than 256 MiB of lines.")]
    TooLong,
    /// Input or output failed.
    #[error("Input or output failed: {0}.")]
    Io(#[from] io::Error),
}

fn surroundings(config: Config) -> Surroundings {
    let mut next = 100_u128;
    Surroundings {
        // Whoever replays logs in with a badge, wherever that may be.
        config: Config { policy: Policy::default(), ..config },
        config_ignored: false,
        zone: TimeZone::UTC,
        run: 1,
        identities: Box::new(move || {
            next += 1;
            next
        }),
        simulated: false,
        protection: None,
    }
}

/// Judges every line of `input`.
///
/// # Errors
/// See [`ReplayError`]; what came before was written.
fn replay(
    surroundings: Surroundings,
    group: AgeGroup,
    input: impl BufRead,
    output: &mut impl Write,
) -> Result<(), ReplayError> {
    let mut text = Vec::new();
    let read = input.take(BYTES_MAX + 1).read_to_end(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > BYTES_MAX) {
        return Err(ReplayError::TooLong);
    }
    let text = Text::of(&text);
    let lines = || text.as_str().lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    // The clock shows at the begin what it would have to show to be right when it is told of first.
    let told = lines().filter_map(|(_, line)| line::read(line).ok());
    let wall = told.filter_map(|(at, happening)| {
        let Happening::Wall(wall) = happening else { return None };
        wall.checked_sub(SignedDuration::try_from(at).ok()?).ok()
    });
    let mut bed = Bed::new(surroundings, wall.take(1).next().unwrap_or(BEGIN), group);
    let judged = lines().try_for_each(|(number, line)| {
        let wrong = |why: String| ReplayError::Line(number + 1, why);
        let (at, happening) = line::read(line).map_err(|why| wrong(why.to_string()))?;
        if at < bed.t() {
            return Err(wrong(format!("t falls from {} to {}", number_of(bed.t()), number_of(at))));
        }
        bed.wait_until(at, output)?;
        bed.do_it(happening).map_err(wrong)?;
        Ok(bed.tell(output)?)
    });
    bed.tell(output)?;
    writeln!(output, "{}", json!({ "log": bed.log }))?;
    output.flush()?;
    judged
}
