//! `wardkeepctl store check`: everything that can be wrong with a store, or with a backup.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::ctl::access::{options, recovery_words, settings};
use crate::ctl::args::{Entrance, Places};
use crate::ctl::factors;
use crate::ctl::factors::readers::Readers;
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::progress::{self, Counted, Progress};
use crate::ctl::terminal;
use wardkeep_core::config::Config;
use wardkeep_model::access::factor::Evidence;
use wardkeep_model::moment::Moment;
use wardkeep_store::LockedStore;
use wardkeep_store::{self as store, Check};

/// How often a check reads the vault: its pages twice, its trees, its rows.
const TIMES_READ: u64 = 5;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl store check
  wardkeepctl store check --recovery
  wardkeepctl store check --backup /media/usb/cart-7.backup

While a kiosk runs, --recovery looks at what the kiosk does not change, and says what that leaves out.
Exit status: 0 nothing is wrong, 1 something is or it was not checked.";

/// What to check.
#[derive(Args, Clone, Debug)]
pub struct StoreCheck {
    /// Read this backup from end to end instead of the store
    #[arg(long, value_name = "FILE")]
    backup: Option<PathBuf>,
    #[command(flatten)]
    entrance: Entrance,
    #[command(flatten)]
    places: Places,
}

impl StoreCheck {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let config = settings(&self.places)?;
        if let Some(backup) = &self.backup {
            return self.verify(backup, &config);
        }
        let state = self.places.state();
        if !store::inspect(&state)?.exists {
            return Err(Failure::NoStore(state));
        }
        let checks = self.check(&config)?;
        let whole = checks.iter().all(|check| check.ok);
        for Check { name, problem, advice, .. } in &checks {
            if let Some(said) = problem {
                terminal::complain(&format!("{name}: {said}. {}", advice.unwrap_or_default()));
            }
        }
        let left: Vec<&str> = checks
            .iter()
            .filter(|check| check.not_looked_at.is_some())
            .map(|check| check.name)
            .collect();
        if let Some(why) = checks.iter().find_map(|check| check.not_looked_at) {
            terminal::complain(&format!("Not looked at: {}; {why}.", left.join(", ")));
        }
        Ok(Answer { json: json!({ "ok": whole, "checks": checks }), whole })
    }

    fn check(&self, config: &Config) -> Result<Vec<Check>, Failure> {
        let options = options(&self.places, config);
        if self.entrance.recovery {
            let words = recovery_words()?;
            return self.looking(|looks| {
                Ok(store::check_with_recovery(&options, &words, Moment::read(), looks)?)
            });
        }
        let mut store = LockedStore::open(&options)?;
        let evidence = present(config, &mut store)?;
        self.looking(|looks| Ok(store.check(&options, (evidence, Moment::read()), looks)?))
    }

    /// Says how far it is meanwhile.
    fn looking(
        &self,
        check: impl FnOnce(&mut dyn FnMut(&'static str)) -> Result<Vec<Check>, Failure>,
    ) -> Result<Vec<Check>, Failure> {
        let facts = store::inspect(&self.places.state())?;
        let about = facts.vault_bytes * TIMES_READ + facts.inbox_bytes * 2;
        progress::reading("Checking the store", about, check)
    }

    /// Reads a backup from end to end.
    fn verify(&self, path: &Path, config: &Config) -> Result<Answer, Failure> {
        let front = store::read_backup_front(BufReader::new(open(path)?.0))?;
        terminal::complain(&format!("A backup of {}.", front.written));
        let written = if self.entrance.recovery {
            let words = recovery_words()?;
            store::verify_backup_with_recovery(counted(path)?, &words)
        } else {
            self.verify_with_factors(path, config)?
        };
        let written = written?.to_string();
        Ok(json!({ "backup": path, "written": written, "whole": true }).into())
    }

    /// For somebody the backup is sealed to, on the machine where their factors work. What is wrong with
    /// the backup is the inner value.
    fn verify_with_factors(
        &self,
        path: &Path,
        config: &Config,
    ) -> Result<Result<jiff::Timestamp, store::BackupFault>, Failure> {
        let mut store = LockedStore::open(&options(&self.places, config))?;
        let evidence = present(config, &mut store)?;
        let verified = store.verify_backup((evidence, Moment::read()), counted(path)?);
        verified.map_err(factors::refused)
    }
}

/// A file and its length.
fn open(path: &Path) -> Result<(File, u64), Failure> {
    let opened = File::open(path).and_then(|file| file.metadata().map(|facts| (file, facts.len())));
    opened.map_err(|error| Failure::File(path.to_owned(), error.into()))
}

/// The file, which says how much of it was read.
fn counted(path: &Path) -> Result<Counted<BufReader<File>>, Failure> {
    let (file, length) = open(path)?;
    Ok(Counted::new(BufReader::new(file), Progress::begin("Reading the backup"), length))
}

fn present(config: &Config, store: &mut LockedStore) -> Result<Evidence, Failure> {
    let mut readers = Readers::start(config)?;
    factors::present(&mut readers, |token| Ok(store.identify(&token, Moment::read())?))
}
