//! The command line for IT and biomed staff. `wardkeepctl --help` lists what it can do.

use std::alloc::System;
use std::process::ExitCode;

use wardkeep_store::protect_memory;
use zeroizing_alloc::ZeroAlloc;

/// Names and PINs pass through buffers that nobody owns: whatever is freed is wiped (S-3).
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    protect_memory();
    wardkeep::ctl::run(std::env::args_os())
}
