//! `wardkeepctl decode`: GATT frames to observations, for biomed staff with an odd device.
//!
//! ```text
//! wardkeepctl decode 2a5f "00 61 00 48 00"
//! wardkeepctl decode --batch < frames.jsonl
//! ```
//!
//! Every frame gets exactly one line of JSON. In a batch a line that cannot be understood gets its line
//! too, with the error in it, so answers pair with questions by number; a single rejected frame exits
//! with 1. Lines and frames are bounded: nothing a device or a file says makes this program grow.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value as Json;

use crate::ctl::refusal::usage;
use crate::ctl::terminal::complain;
use crate::text::Lines;
use answer::{Answer, Rejection};
use question::Name;
use wardkeep_model::vitals::gatt::{self, Quirks};
use wardkeep_model::vitals::plausible;

mod answer;
mod question;

/// Longest line of a batch, line end excluded.
const LINE_LEN_MAX: usize = 64 * 1024;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl decode 2a5f \"00 61 00 48 00\"
  wardkeepctl decode 2a35 5607004b... --model BM85
  wardkeepctl decode --batch < frames.jsonl
  wardkeepctl decode --limits

A line of a batch, each of which is answered by one line:
  {\"id\":1,\"characteristic\":\"2a5f\",\"value\":\"00 61 00 48 00\",\"device\":{\"name\":\"BM85\"}}";

const INSTEAD: [&str; 2] = ["batch", "limits"];

/// A frame, a batch of them, or the limits that they are judged by.
#[derive(Args, Clone, Debug)]
pub struct Decode {
    /// A Bluetooth SIG number such as 2a5f, or a full UUID
    #[arg(value_parser = named, required_unless_present_any = INSTEAD, conflicts_with_all = INSTEAD)]
    characteristic: Option<Name>,
    /// The bytes of one frame in hexadecimal; the shell may split them
    #[arg(required_unless_present_any = INSTEAD, conflicts_with_all = INSTEAD)]
    hex: Vec<String>,
    /// The device's advertised name, for devices with known deviations
    #[arg(long, conflicts_with_all = INSTEAD)]
    name: Option<String>,
    /// The device's model number
    #[arg(long, conflicts_with_all = INSTEAD)]
    model: Option<String>,
    /// Decode JSON lines from standard input
    #[arg(long, conflicts_with = "limits")]
    batch: bool,
    /// Print the table of plausible values
    #[arg(long)]
    limits: bool,
}

fn named(text: &str) -> Result<Name, &'static str> {
    question::characteristic(text).ok_or("is a SIG number such as 2a5f, or a full UUID")
}

impl Decode {
    /// Exit code 0 when everything is answered, 1 when a single frame is rejected, 2 when it is none.
    pub fn run(self) -> ExitCode {
        let output = &mut io::stdout().lock();
        match self.characteristic {
            Some(characteristic) => {
                let quirks = Quirks::of(self.name.as_deref(), self.model.as_deref());
                // The shell may have split the bytes at their spaces.
                match question::hexadecimal(&self.hex.join(" ")) {
                    Some(frame) => single(characteristic, &frame, quirks, output),
                    None => usage("wardkeepctl decode", "HEX is bytes in hexadecimal."),
                }
            }
            None if self.limits => finish(limits(output)),
            None => finish(batch(&mut io::stdin().lock(), output)),
        }
    }
}

fn single(name: Name, frame: &[u8], quirks: Quirks, output: &mut impl Write) -> ExitCode {
    let outcome = decode(name, frame, quirks);
    let rejected = outcome.is_err();
    match writeln!(output, "{}", Answer::new(Json::Null, outcome).line()) {
        Ok(()) if rejected => ExitCode::FAILURE,
        written => finish(written),
    }
}

/// Prints the one table of plausible values, a line for each row.
fn limits(output: &mut impl Write) -> io::Result<()> {
    for row in plausible::LIMITS {
        let codes: Vec<u32> = row.codes.iter().map(|code| code.0).collect();
        let line = serde_json::json!({
            "mdc": codes,
            "unit": row.unit.ucum(),
            "min": row.min.to_string(),
            "max": row.max.to_string(),
            "source": row.source,
        });
        writeln!(output, "{line}")?;
    }
    Ok(())
}

fn finish(written: io::Result<()>) -> ExitCode {
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("Input or output failed: {error}."));
            ExitCode::FAILURE
        }
    }
}

/// Answers every line of `input` with one line of `output`.
///
/// # Errors
/// Reading or writing fails. A line that cannot be understood is no error: it is answered.
pub fn batch(input: &mut impl BufRead, output: &mut impl Write) -> io::Result<()> {
    let (mut lines, mut line) = (Lines::new(input, LINE_LEN_MAX), Vec::new());
    while let Some(complete) = lines.next_line(&mut line)? {
        let answer = if complete {
            answer(&line)
        } else {
            Answer::new(Json::Null, Err(Rejection { kind: "size", field: "line" }))
        };
        writeln!(output, "{}", answer.line())?;
    }
    output.flush()
}

/// Answers one line of a batch.
fn answer(line: &[u8]) -> Answer {
    match question::parse(line) {
        Ok(question) => {
            let outcome = decode(question.characteristic, &question.frame, question.quirks);
            Answer::new(question.id, outcome)
        }
        Err((id, rejection)) => Answer::new(id, Err(rejection)),
    }
}

fn decode(name: Name, frame: &[u8], quirks: Quirks) -> Result<gatt::Decoded, Rejection> {
    let decoded = match name {
        Name::Sig(characteristic) => gatt::decode_with_quirks(characteristic, frame, quirks),
        Name::Vendor => Err(gatt::DecodeError::Unsupported),
    };
    decoded.map_err(|error| Rejection { kind: error.kind(), field: error.field() })
}
