//! `wardkeepctl decode`: GATT frames and frames of vendors' protocols to observations, for biomed staff with
//! an odd device.
//!
//! ```text
//! wardkeepctl decode 2a5f "00 61 00 48 00"
//! wardkeepctl decode vendor 81836751... --protocol yonker-bp
//! wardkeepctl decode --batch < frames.jsonl
//! ```
//!
//! Every frame gets exactly one line of JSON. In a batch a line that cannot be understood gets its line
//! too, with the error in it, so answers pair with questions by number; a single rejected frame exits
//! with 1. Lines and frames are bounded: nothing a device or a file says makes this program grow.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::Value as Json;

use crate::ctl::refusal::usage;
use crate::ctl::terminal::complain;
use crate::text::Lines;
use answer::{Answer, Rejection};
use question::{Name, Question, Subject};
use wardkeep_model::confidential::Secret;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::gatt::{self, Quirks};
use wardkeep_model::vitals::vendor::{self, Device, Protocol};

mod answer;
mod question;
mod tables;

/// Longest line of a batch, line end excluded.
const LINE_LEN_MAX: usize = 64 * 1024;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl decode 2a5f \"00 61 00 48 00\"
  wardkeepctl decode 2a35 5607004b... --model BM85
  wardkeepctl decode vendor 6558541a... --protocol omron-record --model HEM-7142T2
  wardkeepctl decode --batch < frames.jsonl
  wardkeepctl decode --limits
  wardkeepctl decode --protocols

A line of a batch, each of which is answered by one line:
  {\"id\":1,\"characteristic\":\"2a5f\",\"value\":\"00 61 00 48 00\",\"device\":{\"name\":\"BM85\"}}
  {\"id\":2,\"characteristic\":\"vendor\",\"protocol\":\"xiaomi-s400\",\"value\":\"4859d5...\",
   \"device\":{\"mac\":\"84:46:93:00:00:01\",\"bind_key\":\"00112233...\"}}

A key on the command line is seen by everybody who may list the processes of this machine; a batch
keeps it out of there.";

const INSTEAD: [&str; 3] = ["batch", "limits", "protocols"];

/// A frame, a batch of them, or the tables that they are judged by.
#[derive(Args, Clone, Debug)]
pub struct Decode {
    /// A Bluetooth SIG number such as 2a5f, a full UUID, or `vendor`
    #[arg(value_parser = named, required_unless_present_any = INSTEAD, conflicts_with_all = INSTEAD)]
    characteristic: Option<Name>,
    /// The bytes of one frame in hexadecimal; the shell may split them
    #[arg(required_unless_present_any = INSTEAD, conflicts_with_all = INSTEAD)]
    hex: Vec<String>,
    /// Whose protocol a vendor's frame follows
    #[arg(long, value_name = "NAME", ignore_case = true, value_parser = protocol_names(), conflicts_with_all = INSTEAD)]
    protocol: Option<Protocol>,
    /// The device's advertised name, for devices with known deviations
    #[arg(long, conflicts_with_all = INSTEAD)]
    name: Option<String>,
    /// The device's model number, for devices with known deviations and protocols that differ by model
    #[arg(long, conflicts_with_all = INSTEAD)]
    model: Option<String>,
    /// The device's Bluetooth address, for protocols that encrypt
    #[arg(long, value_name = "ADDRESS", value_parser = address, conflicts_with_all = INSTEAD)]
    mac: Option<DeviceId>,
    /// The key that the device was bound with, for protocols that encrypt: 32 hexadecimal digits
    #[arg(long, value_name = "KEY", value_parser = bind_key, conflicts_with_all = INSTEAD)]
    bind_key: Option<Secret<[u8; 16]>>,
    /// Decode JSON lines from standard input
    #[arg(long, conflicts_with_all = ["limits", "protocols"])]
    batch: bool,
    /// Print the table of plausible values
    #[arg(long, conflicts_with = "protocols")]
    limits: bool,
    /// Print the table of vendors' protocols: what they measure, what they need, where they live on air
    #[arg(long)]
    protocols: bool,
}

fn named(text: &str) -> Result<Name, &'static str> {
    question::characteristic(text)
        .ok_or("is a SIG number such as 2a5f, a full UUID, or the word vendor")
}

fn protocol_names() -> impl TypedValueParser<Value = Protocol> {
    // The parser before this one lets no other word through.
    PossibleValuesParser::new(Protocol::ALL.map(Protocol::word))
        .try_map(|word| Protocol::from_word(&word).ok_or("no such protocol"))
}

fn address(text: &str) -> Result<DeviceId, &'static str> {
    text.parse().map_err(|_| "is six bytes in hexadecimal with colons")
}

fn bind_key(text: &str) -> Result<Secret<[u8; 16]>, &'static str> {
    question::bind_key(text).ok_or("is 32 hexadecimal digits")
}

impl Decode {
    /// Exit code 0 when everything is answered, 1 when a single frame is rejected, 2 when it is none.
    pub fn run(self) -> ExitCode {
        let output = &mut io::stdout().lock();
        let Some(characteristic) = self.characteristic else {
            return finish(match (self.limits, self.protocols) {
                (true, _) => tables::limits(output),
                (_, true) => tables::protocols(output),
                (false, false) => batch(&mut io::stdin().lock(), output),
            });
        };
        // The shell may have split the bytes at their spaces.
        let Some(frame) = question::hexadecimal(&self.hex.join(" ")) else {
            return usage("wardkeepctl decode", "HEX is bytes in hexadecimal.");
        };
        let quirks = Quirks::of(self.name.as_deref(), self.model.as_deref());
        let device = Device { model: self.model, mac: self.mac, bind_key: self.bind_key };
        let subject = question::subject(characteristic, self.protocol.map(Protocol::word));
        let outcome = subject.and_then(|subject| {
            decode(&Question { id: Json::Null, subject, frame, quirks, device })
        });
        single(outcome, output)
    }
}

fn single(outcome: Result<gatt::Decoded, Rejection>, output: &mut impl Write) -> ExitCode {
    let rejected = outcome.is_err();
    match writeln!(output, "{}", Answer::new(Json::Null, outcome).line()) {
        Ok(()) if rejected => ExitCode::FAILURE,
        written => finish(written),
    }
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
            let outcome = decode(&question);
            Answer::new(question.id, outcome)
        }
        Err((id, rejection)) => Answer::new(id, Err(rejection)),
    }
}

fn decode(question: &Question) -> Result<gatt::Decoded, Rejection> {
    let decoded = match question.subject {
        Subject::Profile(characteristic) => {
            gatt::decode_with_quirks(characteristic, &question.frame, question.quirks)
        }
        Subject::Vendor(protocol) => vendor::decode(protocol, &question.device, &question.frame),
    };
    decoded.map_err(|error| Rejection { kind: error.kind(), field: error.field() })
}
