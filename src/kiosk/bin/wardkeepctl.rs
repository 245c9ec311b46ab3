//! The command line for IT and biomed staff. `wardkeepctl --help` lists what it can do.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

use wardkeep_store::protect_memory;

/// Names and PINs pass through buffers that nobody owns: whatever is freed is wiped (S-3).
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    protect_memory();
    wardkeep::ctl::run(std::env::args_os())
}
