//! The command line for IT and biomed staff: finds the verb and hands it the rest of the arguments.

use std::alloc::System;
use std::process::ExitCode;

use lexopt::prelude::*;
use zeroizing_alloc::ZeroAlloc;

use wardkeep::ctl::people::{self, First};
use wardkeep::ctl::terminal::{print, sentence, usage};
use wardkeep::ctl::{alarm, audit, decode, doctor};
use wardkeep_store::protect_memory;

const HELP: &str = "\
Usage: wardkeepctl <verb> [options]

Verbs:
  decode CHARACTERISTIC HEX   decode one Bluetooth GATT frame to JSON
  decode --batch              decode JSON lines from standard input
  doctor                      check what works on this machine
  alarm render --priority P --out FILE.wav   the alarm sound as the kiosk plays it

  audit verify FILE --key KEY [--witness FILE]..   whether a copy of the log is as it was sealed
  audit export --out FILE                    the whole log with its signed checkpoints
  audit checkpoint --out FILE                a signed checkpoint for a witness
  audit key                                  the key to verify with; note it somewhere else

  users list                                 everybody, with their factors
  users add NAME --role R [--initials XY] [--valid-until DAY]
  users import FILE.csv                      add people; a report on every row
  users code PERSON                          a one-time code instead of a lost PIN
  enroll PERSON badge [--code] | card | pin | finger --finger F
  revoke PERSON [--factor ID]                one factor, or the whole person
    Roles: nurse, caregiver, it, auditor. These ask for your badge or card and your PIN.
    --recovery  asks for the 24 recovery words instead (users list, users code, enroll badge)

  store backup --out FILE [--to PERSON]..    one sealed file, for the recovery words and for these people
  store restore --from FILE                  a store of a backup, on a machine that has none; recovery words
  store check [--backup FILE]                everything that can be wrong with the store, or with a backup
  store aside [--yes]                        move a store that does not open out of the way; nothing is deleted
  store shred --mrn NUMBER                   destroy a patient's data key: what was recorded is gone for ever
    --recovery  asks for the 24 recovery words instead (backup, check, shred)
    --state DIR, --config FILE               as the kiosk's

Options:
  -h, --help                  print this text
  -V, --version               print the version

Exit status: 0 done, 1 failed, 2 the command line was not understood.
";

/// Names and PINs pass through buffers that nobody owns: whatever is freed is wiped (S-3).
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    protect_memory();
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
            Some("audit") => audit::run(&mut args),
            Some("users") => people::run(First::Users, &mut args),
            Some("enroll") => people::run(First::Enroll, &mut args),
            Some("revoke") => people::run(First::Revoke, &mut args),
            Some("store") => wardkeep::ctl::store::run(&mut args),
            Some(_) | None => usage(&format!("There is no verb {verb:?}.")),
        },
        Ok(Some(unexpected)) => usage(&sentence(&unexpected.unexpected())),
        Ok(None) => usage("A verb is missing."),
        Err(error) => usage(&sentence(&error)),
    }
}
