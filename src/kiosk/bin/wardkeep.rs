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
    use wardkeep::app::start::{Options, Running, start};
    #[cfg(feature = "sim")]
    use wardkeep::simulated::{Simulated, Wish};
    use wardkeep_model::telemetry;
    use wardkeep_store::protect_memory;
    use zeroizing_alloc::ZeroAlloc;

    const HELP: &str = "\
Wardkeep: live vitals at the bedside, behind two factors, in an encrypted store.

wardkeep [--config FILE] [--state DIR] [--windowed]
wardkeep --simulate [--windowed]   the same on a simulated bedside (feature sim): a ready ward that is
                                   forgotten at the end, with a bench; badges and PINs are on it
wardkeep tour --out DIR [--only WORD]  every screen as a picture (feature sim)

  --config FILE  settings; default /etc/wardkeep/config.toml if it is there
  --state DIR    the store; default $STATE_DIRECTORY or /var/lib/wardkeep
  --windowed     in a window instead of the whole screen

With --simulate:
  --empty        the first start instead of a ready ward
  --state DIR    the ward in DIR, which is kept; it is made ready where DIR holds none
  --keep         keep this run's ward, and say where it is

wardkeepctl doctor tells what works on this machine.
";
    const CONFIG: &str = "/etc/wardkeep/config.toml";
    const STATE: &str = "/var/lib/wardkeep";

    /// Names and values pass through buffers that nobody owns: whatever is freed is wiped (S-3).
    #[global_allocator]
    static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

    enum Wanted {
        Run(Options),
        #[cfg(feature = "sim")]
        Simulate(Wish),
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
            Wanted::Run(options) => start(&options).and_then(Running::run),
            #[cfg(feature = "sim")]
            Wanted::Simulate(wish) => Simulated::begin(wish).and_then(Simulated::run),
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
        let (mut empty, mut keep) = (false, false);
        while let Some(word) = words.next()? {
            match word {
                Long("config") => config = Some(PathBuf::from(words.value()?)),
                Long("state") => state = Some(PathBuf::from(words.value()?)),
                Long("only") => only = words.value()?.string()?,
                Long("out") => out = Some(PathBuf::from(words.value()?)),
                Long("windowed") => windowed = true,
                Long("simulate") => simulate = true,
                Long("empty") => empty = true,
                Long("keep") => keep = true,
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
        if (empty || keep) && !simulate {
            return Err("--empty and --keep belong to --simulate".into());
        }
        if simulate {
            return simulation(state, config, [keep, empty, windowed]);
        }
        let found = Some(PathBuf::from(CONFIG)).filter(|path| path.exists());
        Ok(Wanted::Run(Options {
            state: state.unwrap_or_else(default_state),
            config: config.or(found),
            windowed,
            simulate: false,
            #[cfg(feature = "sim")]
            quick_keys: false,
        }))
    }

    /// The simulated bedside never touches a real store.
    #[cfg(feature = "sim")]
    fn simulation(
        state: Option<PathBuf>,
        config: Option<PathBuf>,
        [keep, empty, windowed]: [bool; 3],
    ) -> Result<Wanted, lexopt::Error> {
        Ok(Wanted::Simulate(Wish { state, keep, empty, config, windowed }))
    }

    #[cfg(not(feature = "sim"))]
    fn simulation(
        _: Option<PathBuf>,
        _: Option<PathBuf>,
        _: [bool; 3],
    ) -> Result<Wanted, lexopt::Error> {
        Err("this build has no simulated bedside: build it with --features sim".into())
    }

    fn default_state() -> PathBuf {
        let given = std::env::var_os("STATE_DIRECTORY").filter(|value| !value.is_empty());
        PathBuf::from(given.unwrap_or_else(|| OsString::from(STATE)))
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
