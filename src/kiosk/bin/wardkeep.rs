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
    use std::path::PathBuf;
    use std::process::ExitCode;

    use lexopt::prelude::*;
    use wardkeep::app::start::{Options, start};
    use wardkeep_model::telemetry;
    use wardkeep_store::protect_memory;
    use zeroizing_alloc::ZeroAlloc;

    const HELP: &str = "\
Wardkeep: live vitals at the bedside, behind two factors, in an encrypted store.

wardkeep [--config FILE] [--state DIR] [--windowed]
wardkeep --simulate [--windowed]   the same on a simulated bedside (feature sim)
wardkeep tour --out DIR [--only WORD]  every screen as a picture (feature sim)

  --config FILE  settings; default /etc/wardkeep/config.toml if it is there
  --state DIR    the store; default $STATE_DIRECTORY or /var/lib/wardkeep
  --windowed     in a window instead of the whole screen

wardkeepctl doctor tells what works on this machine.
";
    const CONFIG: &str = "/etc/wardkeep/config.toml";
    const STATE: &str = "/var/lib/wardkeep";

    /// Names and values pass through buffers that nobody owns: whatever is freed is wiped (S-3).
    #[global_allocator]
    static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

    enum Wanted {
        Run(Options),
        Tour(PathBuf, String),
        Print(String),
    }

    pub fn main() -> ExitCode {
        telemetry::start();
        protect_memory();
        let wanted = match parse(lexopt::Parser::from_env()) {
            Ok(wanted) => wanted,
            Err(error) => {
                complain(&format!(
                    "wardkeep: {error}\n`wardkeep --help` lists what it can be told."
                ));
                return ExitCode::from(2);
            }
        };
        let done = match wanted {
            Wanted::Run(options) => run(&options),
            Wanted::Tour(out, only) => tour(&out, &only),
            Wanted::Print(text) => print(&text),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&format!("wardkeep: {error:#}"));
                ExitCode::FAILURE
            }
        }
    }

    fn parse(mut words: lexopt::Parser) -> Result<Wanted, lexopt::Error> {
        let (mut config, mut state, mut out) = (None, None, None);
        let mut only = String::new();
        let (mut windowed, mut simulate, mut is_tour) = (false, false, false);
        while let Some(word) = words.next()? {
            match word {
                Long("config") => config = Some(PathBuf::from(words.value()?)),
                Long("state") => state = Some(PathBuf::from(words.value()?)),
                Long("only") => only = words.value()?.string()?,
                Long("out") => out = Some(PathBuf::from(words.value()?)),
                Long("windowed") => windowed = true,
                Long("simulate") => simulate = true,
                Long("help") | Short('h') => return Ok(Wanted::Print(HELP.to_owned())),
                Long("version") | Short('V') => {
                    return Ok(Wanted::Print(format!("wardkeep {}\n", env!("CARGO_PKG_VERSION"))));
                }
                Value(verb) if verb == "tour" && !is_tour => is_tour = true,
                Short(_) | Long(_) | Value(_) => return Err(word.unexpected()),
            }
        }
        if is_tour {
            let wanted = out.map(|out| Wanted::Tour(out, only));
            return wanted.ok_or_else(|| "tour needs --out DIR".into());
        }
        if out.is_some() || !only.is_empty() {
            return Err("--out and --only belong to tour".into());
        }
        let found = Some(PathBuf::from(CONFIG)).filter(|path| !simulate && path.exists());
        let state = state.unwrap_or_else(|| default_state(simulate));
        Ok(Wanted::Run(Options { state, config: config.or(found), windowed, simulate }))
    }

    /// The simulated bedside never touches a real store.
    fn default_state(simulate: bool) -> PathBuf {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if simulate {
            let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/state"));
            let base = variable("XDG_STATE_HOME").map(PathBuf::from).or_else(home);
            return base.unwrap_or_else(std::env::temp_dir).join("wardkeep-simulated");
        }
        PathBuf::from(variable("STATE_DIRECTORY").unwrap_or_else(|| OsString::from(STATE)))
    }

    fn run(options: &Options) -> anyhow::Result<()> {
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
        let mut words = std::env::args_os();
        let program = words.next().unwrap_or_else(|| OsString::from("wardkeep"));
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from(program));
        let error = std::process::Command::new(program).args(words).exec();
        tracing::error!(%error, "the program could not be started again");
    }

    #[cfg(feature = "sim")]
    fn tour(out: &std::path::Path, only: &str) -> anyhow::Result<()> {
        let pictures = wardkeep::tour::run(out, only)?;
        print(&format!("{pictures} pictures in {}\n", out.display()))
    }

    #[cfg(not(feature = "sim"))]
    fn tour(_out: &std::path::Path, _only: &str) -> anyhow::Result<()> {
        anyhow::bail!("this build has no tour: build it with --features sim")
    }

    fn print(text: &str) -> anyhow::Result<()> {
        use std::io::Write;
        Ok(std::io::stdout().write_all(text.as_bytes())?)
    }

    fn complain(text: &str) {
        tracing::debug!("ending with a complaint");
        #[expect(clippy::print_stderr, reason = "the command line speaks on standard error")]
        {
            eprintln!("{text}");
        }
    }
}
