//! The command line for IT and biomed staff: finds the verb and hands it the rest of the arguments.

use std::process::ExitCode;

use lexopt::prelude::*;
use wardkeep::ctl::terminal::{print, sentence, usage};
use wardkeep::ctl::{alarm, decode, doctor};

const HELP: &str = "\
Usage: wardkeepctl <verb> [options]

Verbs:
  decode CHARACTERISTIC HEX   decode one Bluetooth GATT frame to JSON
  decode --batch              decode JSON lines from standard input
  doctor                      check what works on this machine
  alarm render --priority P --out FILE.wav   the alarm sound as the kiosk plays it

Options:
  -h, --help                  print this text
  -V, --version               print the version

Exit status: 0 done, 1 failed, 2 the command line was not understood.
";

fn main() -> ExitCode {
    let mut args = lexopt::Parser::from_env();
    match args.next() {
        Ok(Some(Short('h') | Long("help"))) => print(HELP),
        Ok(Some(Short('V') | Long("version"))) => {
            print(concat!("wardkeepctl ", env!("CARGO_PKG_VERSION"), "\n"))
        }
        Ok(Some(Value(verb))) => match verb.to_str() {
            Some("decode") => decode::run(&mut args),
            Some("alarm") => alarm::run(&mut args),
            Some("doctor") => doctor::run(&mut args),
            Some(_) | None => usage(&format!("There is no verb {verb:?}.")),
        },
        Ok(Some(unexpected)) => usage(&sentence(&unexpected.unexpected())),
        Ok(None) => usage("A verb is missing."),
        Err(error) => usage(&sentence(&error)),
    }
}
