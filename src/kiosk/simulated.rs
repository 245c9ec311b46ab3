//! One run on the simulated bedside (feature `sim`): kiosk and bench over a state directory that is
//! forgotten at the end.
//!
//! ```text
//!  start --> a new directory --> ready ward, or with --empty the first start --> end: removed
//!    ^ ^                                    |  |
//!    | '---- power cut: same directory -----'  |
//!    '------ start empty: another one ---------'
//! ```
//!
//! A directory that somebody named or wanted to keep is never removed.

mod screen;

use std::cell::Cell;
use std::ffi::OsString;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use slint::ComponentHandle;

use crate::app::start::{Options, Running, start};
use crate::bench::{self, BenchWindow};
use crate::ready_ward;

/// How a directory is called that is removed at the end, and one that is kept.
const FORGOTTEN: &str = "wardkeep-ward-";
const KEPT: &str = "wardkeep-kept-";
/// From the start of the event loop until both windows are there.
const ON_SCREEN_AFTER: Duration = Duration::from_millis(30);
/// The store, inside such a directory.
const STATE: &str = "state";

/// How the simulated bedside was asked for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The store's directory, if somebody named one.
    pub state: Option<PathBuf>,
    /// Keep the directory of this run.
    pub keep: bool,
    /// The first start instead of a ready ward.
    pub empty: bool,
    /// Configuration file, if there is one.
    pub config: Option<PathBuf>,
    /// In windows instead of the whole screen.
    pub windowed: bool,
}

impl Wish {
    /// The words after the program's name that ask for this.
    pub fn words(&self) -> Vec<OsString> {
        let mut words = vec![OsString::from("--simulate")];
        for (wanted, word) in
            [(self.empty, "--empty"), (self.keep, "--keep"), (self.windowed, "--windowed")]
        {
            if wanted {
                words.push(word.into());
            }
        }
        for (value, word) in [(&self.state, "--state"), (&self.config, "--config")] {
            if let Some(value) = value {
                words.extend([word.into(), value.clone().into_os_string()]);
            }
        }
        words
    }
}

/// Kiosk and bench, running.
pub struct Simulated {
    /// The kiosk.
    pub running: Running,
    /// Its bench.
    pub bench: BenchWindow,
    place: Place,
    next: Rc<Cell<Option<bool>>>,
    wish: Wish,
}

impl Simulated {
    /// Makes the directory and, unless it shall be empty, the ward in it, and opens both windows.
    ///
    /// # Errors
    /// There is no display, or the directory cannot be written.
    pub fn begin(wish: Wish) -> anyhow::Result<Self> {
        let place = Place::new(&wish)?;
        if !wish.empty {
            ready_ward::prepare(&place.state)?;
        }
        let options = Options {
            state: place.state.clone(),
            config: wish.config.clone(),
            windowed: wish.windowed,
            simulate: true,
            quick_keys: true,
        };
        let running = start(&options)?;
        let simulator = running.simulator.clone().context("no simulator runs")?;
        let same = Wish { state: Some(place.state.clone()), ..wish.clone() };
        let next = Rc::new(Cell::new(None));
        let chosen = next.clone();
        let acts = bench::Acts {
            cut_power: Box::new(move || cut_power(&same)),
            start_over: Box::new(move |empty| {
                chosen.set(Some(empty));
                quit();
            }),
        };
        let bench = bench::open(simulator, running.bridge.words(), wish.empty, acts)?;
        // The bench is beside the kiosk, not a program of its own.
        running.window.window().on_close_requested(|| {
            quit();
            slint::CloseRequestResponse::HideWindow
        });
        Ok(Self { running, bench, place, next, wish })
    }

    /// Runs until the kiosk is closed, then forgets the directory. Does not return where the bench has
    /// asked to start over: the program begins anew on another directory.
    ///
    /// # Errors
    /// As [`Running::run`]; or the directory cannot be removed.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { running, bench, place, next, wish } = self;
        if wish.windowed {
            let (kiosk, bench) = (running.window.as_weak(), bench.as_weak());
            // Windows are on the screen only once the event loop runs.
            slint::Timer::single_shot(ON_SCREEN_AFTER, move || {
                if let (Some(kiosk), Some(bench)) = (kiosk.upgrade(), bench.upgrade()) {
                    screen::arrange(kiosk.window(), bench.window());
                }
            });
        }
        running.run()?;
        drop(bench);
        place.forget()?;
        match next.get() {
            Some(empty) => Err(again(&Wish { state: None, empty, ..wish })),
            None => Ok(()),
        }
    }
}

fn quit() {
    if let Err(error) = slint::quit_event_loop() {
        tracing::warn!(%error, "the event loop had ended");
    }
}

/// Replaces the process without a farewell, as a power cut and the next boot would.
fn cut_power(same: &Wish) {
    let error = again(same);
    tracing::error!(%error, "the program could not be started again");
}

/// Becomes the same program as it would be started with these wishes; returns only if it cannot.
fn again(wish: &Wish) -> anyhow::Error {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error.into(),
    };
    Command::new(program).args(wish.words()).exec().into()
}

/// Where the store of this run is.
#[derive(Debug)]
struct Place {
    state: PathBuf,
    /// What is removed at the end.
    forgotten: Option<PathBuf>,
}

impl Place {
    fn new(wish: &Wish) -> anyhow::Result<Self> {
        if let Some(state) = &wish.state {
            // After a power cut the directory of this run comes back by its name.
            let forgotten = state.parent().filter(|base| is_ours(base)).map(Path::to_owned);
            return Ok(Self { state: state.clone(), forgotten });
        }
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).context("the system gives no random numbers")?;
        let prefix = if wish.keep { KEPT } else { FORGOTTEN };
        let base =
            std::env::temp_dir().join(format!("{prefix}{:016x}", u64::from_le_bytes(random)));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&base);
        made.with_context(|| format!("{} cannot be made", base.display()))?;
        let state = base.join(STATE);
        if wish.keep {
            say(&format!("The ward is kept: --simulate --state {}", state.display()));
        }
        Ok(Self { state, forgotten: (!wish.keep).then_some(base) })
    }

    fn forget(mut self) -> anyhow::Result<()> {
        let Some(base) = self.forgotten.take() else { return Ok(()) };
        std::fs::remove_dir_all(&base)
            .with_context(|| format!("{} cannot be removed", base.display()))
    }
}

impl Drop for Place {
    /// A run that failed leaves nothing either.
    fn drop(&mut self) {
        if let Some(base) = self.forgotten.take()
            && let Err(error) = std::fs::remove_dir_all(&base)
        {
            tracing::warn!(%error, "the directory of this run could not be removed");
        }
    }
}

/// A directory that a run made for itself.
fn is_ours(base: &Path) -> bool {
    let name = base.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with(FORGOTTEN) && base.parent() == Some(std::env::temp_dir().as_path())
}

fn say(text: &str) {
    #[expect(clippy::print_stderr, reason = "a person at a terminal started the simulator")]
    {
        eprintln!("{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_directory_that_a_run_made_is_removed() {
        let temporary = std::env::temp_dir();
        for (base, ours) in [
            (temporary.join("wardkeep-ward-0011"), true),
            (temporary.join("wardkeep-kept-0011"), false),
            (temporary.join("sub/wardkeep-ward-0011"), false),
            (temporary.clone(), false),
            (PathBuf::from("/var/lib/wardkeep"), false),
        ] {
            assert_eq!(is_ours(&base), ours, "{base:?}");
        }
    }
}
