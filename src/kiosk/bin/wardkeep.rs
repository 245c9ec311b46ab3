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
    use wardkeep::app::start::{Options, Running, start};
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
            None if words.simulate => simulate(&words),
            None => run(&words),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                terminal::complain(&format!("wardkeep: {error:#}"));
                ExitCode::FAILURE
            }
        }
    }

    fn run(words: &KioskCli) -> anyhow::Result<()> {
        let options = Options {
            state: words.state(),
            config: words.config(),
            windowed: words.windowed,
            simulate: false,
            #[cfg(feature = "sim")]
            quick_keys: false,
        };
        start(&options).and_then(Running::run)
    }

    #[cfg(feature = "sim")]
    fn simulate(words: &KioskCli) -> anyhow::Result<()> {
        use wardkeep::simulated::{Simulated, Wish};
        let wish = Wish {
            state: words.given_state(),
            keep: words.keep,
            empty: words.empty,
            config: words.config(),
            windowed: words.windowed,
        };
        Simulated::begin(wish).and_then(Simulated::run)
    }

    #[cfg(not(feature = "sim"))]
    fn simulate(_: &KioskCli) -> anyhow::Result<()> {
        anyhow::bail!("this build has no simulated bedside: build it with --features sim")
    }

    #[cfg(feature = "sim")]
    fn tour(wanted: &Tour) -> anyhow::Result<()> {
        use std::io::Write;

        use wardkeep::tour::{self, Look};
        let mut look = Look { text_percent: wanted.text.parse()?, ..Look::default() };
        if let Some(size) = wanted.size {
            look.sizes = vec![size];
        }
        if let Some(word) = &wanted.show {
            return tour::show(word, &look);
        }
        let Some(out) = &wanted.out else { return Ok(()) };
        let pictures = tour::run(out, &wanted.only, &look)?;
        Ok(writeln!(std::io::stdout(), "{pictures} pictures in {}", out.display())?)
    }

    #[cfg(not(feature = "sim"))]
    fn tour(_: &Tour) -> anyhow::Result<()> {
        anyhow::bail!("this build has no tour: build it with --features sim")
    }
}
