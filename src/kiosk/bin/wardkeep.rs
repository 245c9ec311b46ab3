//! The kiosk. `wardkeep --help` lists what it can be told.

#[cfg(not(feature = "gui"))]
fn main() -> std::process::ExitCode {
    // Without a screen or a store there is nothing to start; the core is a library.
    std::process::ExitCode::FAILURE
}

#[cfg(feature = "gui")]
fn main() -> std::process::ExitCode {
    kiosk::main()
}

#[cfg(feature = "gui")]
mod kiosk {
    use std::alloc::System;
    use std::ffi::OsString;
    use std::process::ExitCode;

    use clap::{CommandFactory, Parser};
    use wardkeep::app::start::{Options, start};
    use wardkeep::ctl::kiosk_args::{Errand, KioskCli, Tour};
    use wardkeep::ctl::{refusal, terminal};
    use wardkeep_model::telemetry;
    use wardkeep_store::protect_memory;
    use zeroizing_alloc::ZeroAlloc;

    /// Names and values pass through buffers that nobody owns: whatever is freed is wiped (S-3).
    #[global_allocator]
    static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

    pub fn main() -> ExitCode {
        telemetry::start();
        protect_memory();
        let words: Vec<OsString> = std::env::args_os().collect();
        let words = match KioskCli::try_parse_from(&words) {
            Ok(understood) => understood,
            Err(error) => return refusal::answer(&error, KioskCli::command(), &words),
        };
        let done = match &words.errand {
            Some(Errand::Tour(wanted)) => tour(wanted),
            None => run(&Options {
                state: words.state(),
                config: words.config(),
                windowed: words.windowed,
                simulate: words.simulate,
            }),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                terminal::complain(&format!("wardkeep: {error:#}"));
                ExitCode::FAILURE
            }
        }
    }

    fn run(options: &Options) -> anyhow::Result<()> {
        // Before a store is made for it and a window opens.
        anyhow::ensure!(
            cfg!(feature = "sim") || !options.simulate,
            "this build has no simulated bedside: build it with --features sim"
        );
        let running = start(options)?;
        #[cfg(feature = "sim")]
        let _bench = match &running.simulator {
            Some(simulator) => Some(wardkeep::bench::open(simulator.clone(), cut_power)?),
            None => None,
        };
        running.run()
    }

    /// Replaces the process without a farewell, as a power cut and the next boot would.
    #[cfg(feature = "sim")]
    fn cut_power() {
        use std::os::unix::process::CommandExt;
        use std::path::PathBuf;
        let mut words = std::env::args_os();
        let program = words.next().unwrap_or_else(|| OsString::from("wardkeep"));
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from(program));
        let error = std::process::Command::new(program).args(words).exec();
        tracing::error!(%error, "the program could not be started again");
    }

    #[cfg(feature = "sim")]
    fn tour(wanted: &Tour) -> anyhow::Result<()> {
        use std::io::Write;
        let pictures = wardkeep::tour::run(&wanted.out, &wanted.only)?;
        Ok(writeln!(std::io::stdout(), "{pictures} pictures in {}", wanted.out.display())?)
    }

    #[cfg(not(feature = "sim"))]
    fn tour(_: &Tour) -> anyhow::Result<()> {
        anyhow::bail!("this build has no tour: build it with --features sim")
    }
}
