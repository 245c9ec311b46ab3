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

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use serde_json::Value as Json;

use crate::ctl::terminal::{complain, print, sentence, usage};
use answer::{Answer, Rejection};
use question::Name;
use wardkeep_model::vitals::gatt::{self, Quirks};
use wardkeep_model::vitals::plausible;

mod answer;
mod question;

/// Longest line of a batch, line end excluded.
const LINE_LEN_MAX: usize = 64 * 1024;

const HELP: &str = "\
Usage: wardkeepctl decode CHARACTERISTIC HEX
       wardkeepctl decode --batch
       wardkeepctl decode --limits

CHARACTERISTIC is a Bluetooth SIG number such as 2a5f or its full UUID, HEX the bytes of one frame.
Options for a single frame:
  --name NAME     the device's advertised name, for devices with known deviations
  --model MODEL   its model number
With --batch, standard input holds JSON lines such as
  {\"id\":1,\"characteristic\":\"2a5f\",\"value\":\"00 61 00 48 00\",\"device\":{\"name\":\"BM85\"}}
and every line is answered by one line. With --limits, the table of plausible values is printed.
";

/// What the command line asks for.
#[derive(Debug, Default)]
struct Request {
    batch: bool,
    limits: bool,
    words: Vec<String>,
    name: Option<String>,
    model: Option<String>,
}

/// Runs the verb with the arguments that follow it.
pub fn run(args: &mut lexopt::Parser) -> ExitCode {
    match read_request(args) {
        Ok(None) => print(HELP),
        Ok(Some(request)) if request.batch => {
            if request.words.is_empty() && request.name.is_none() && request.model.is_none() {
                finish(batch(&mut io::stdin().lock(), &mut io::stdout().lock()))
            } else {
                usage("With --batch, frames and devices come from standard input only.")
            }
        }
        Ok(Some(request)) if request.limits => {
            if request.words.is_empty() {
                finish(limits(&mut io::stdout().lock()))
            } else {
                usage("With --limits there is no frame to decode.")
            }
        }
        Ok(Some(request)) => single(&request),
        Err(error) => usage(&sentence(&error)),
    }
}

/// `None` asks for help.
fn read_request(args: &mut lexopt::Parser) -> Result<Option<Request>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut request = Request::default();
    while let Some(argument) = args.next()? {
        match argument {
            Long("batch") => request.batch = true,
            Long("limits") => request.limits = true,
            Long("name") => request.name = Some(args.value()?.string()?),
            Long("model") => request.model = Some(args.value()?.string()?),
            Short('h') | Long("help") => return Ok(None),
            Value(word) => request.words.push(word.string()?),
            Short(_) | Long(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Some(request))
}

fn single(request: &Request) -> ExitCode {
    let Some((characteristic, value)) = request.words.split_first() else {
        return usage("A characteristic and a frame are missing.");
    };
    if value.is_empty() {
        return usage("A frame is missing.");
    }
    let Some(characteristic) = question::characteristic(characteristic) else {
        return usage(&format!("{characteristic:?} is neither a SIG number nor a UUID."));
    };
    // The shell may have split the bytes at their spaces.
    let Some(frame) = question::hexadecimal(&value.join(" ")) else {
        return usage("The frame is not written in hexadecimal bytes.");
    };
    let quirks = Quirks::of(request.name.as_deref(), request.model.as_deref());
    let outcome = decode(characteristic, &frame, quirks);
    let rejected = outcome.is_err();
    match writeln!(io::stdout().lock(), "{}", Answer::new(Json::Null, outcome).line()) {
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
    let mut line = Vec::new();
    while let Some(complete) = next_line(input, &mut line)? {
        let answer = if complete {
            answer(&line)
        } else {
            Answer::new(Json::Null, Err(Rejection { kind: "size", field: "line" }))
        };
        writeln!(output, "{}", answer.line())?;
    }
    output.flush()
}

/// Reads one line into `line`. `None` is the end of the input, `false` a line longer than allowed, of
/// which the rest was skipped.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let bound = u64::try_from(LINE_LEN_MAX + 1).unwrap_or(u64::MAX);
    if input.by_ref().take(bound).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_some() || line.len() <= LINE_LEN_MAX {
        return Ok(Some(true));
    }
    input.skip_until(b'\n')?;
    Ok(Some(false))
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
