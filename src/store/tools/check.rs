//! `wardkeepctl store check`: everything that can be wrong with a store, found without changing it.
//!
//! It works on a copy beside the store, which is removed at the end: what opening does (bringing an older schema
//! up to date, importing the inbox, mending a second copy) is done there, by the code that the next unlock will
//! run. So a check finds what that unlock would find. What none of that changes is not copied ([`scratch`]).
//! Every page of the vault is authenticated as it lies there, those too that nobody reads ([`pages`]).
//!
//! With two factors the try is counted first, as everywhere (S-5): that one number is written.

mod live;
mod looks;
mod pages;
mod scratch;

use std::io::BufRead;

use jiff::Timestamp;
use serde::Serialize;

use crate::backup::file::BackupFault;
use crate::backup::restore;
use crate::disk::durable::{self, StateDir};
use crate::disk::layout;
use crate::keys::recovery;
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::VaultKeys;
use crate::open::locked::{Loaded, Locked};
use crate::open::options::Options;
use crate::open::shift::Clocks;
use crate::tools::check::looks::Checks;
use crate::vault::cipher_facts;
use wardkeep_model::access::factor::{Evidence, Token};
use wardkeep_model::access::policy::Permission;
use wardkeep_model::keeping::{Finding, Identified, RecoveryPhrase, Refusal, StoreFault};
use wardkeep_model::moment::Moment;

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// It is as it was written.
    pub ok: bool,
    /// How many files, rows, records or pages were looked at.
    pub count: u64,
    /// What is wrong.
    pub problem: Option<String>,
    /// What IT can do.
    pub advice: Option<&'static str>,
    /// Why it was not looked at; nothing is known of it then.
    pub not_looked_at: Option<&'static str>,
}

impl Check {
    fn good(name: &'static str) -> Self {
        Self { name, ok: true, count: 0, problem: None, advice: None, not_looked_at: None }
    }
}

/// Why nothing was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckFault {
    /// These are not the recovery words of this store.
    #[error("these are not the recovery words of this store")]
    Words,
    /// The factors were refused.
    #[error("the factors were refused")]
    Refused(Refusal),
    /// The role does not allow it.
    #[error("not allowed")]
    NotAllowed,
    /// The store cannot be read, or there is no room for the copy.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// Told before each check what is looked at.
pub type Progress<'a> = &'a mut dyn FnMut(&'static str);

/// Checks a store with the recovery words. It is not changed. While a kiosk runs on it, only a part is looked at.
///
/// # Errors
/// Nothing was checked; see [`CheckFault`].
pub fn check_with_recovery(
    options: &Options,
    phrase: &RecoveryPhrase,
    now: Moment,
    progress: Progress<'_>,
) -> Result<Vec<Check>, CheckFault> {
    let private = recovery::private_key(phrase).map_err(|_| CheckFault::Words)?;
    cipher_facts()?;
    let state = match StateDir::take(options.state_dir()) {
        Err(StoreFault::InUse) => None,
        state => Some(state?),
    };
    let store = layout::store(options.state_dir());
    let opened = Keyring::opened_by(&store, Recipient::Recovery, &private);
    let keys = match opened {
        Ok(Some((_, keys))) => Some(keys),
        Ok(None) => return Err(CheckFault::Words),
        // Nobody can open it any more; the rest can still be looked at.
        Err(StoreFault::Damaged) => None,
        Err(fault) => return Err(fault.into()),
    };
    let Some(state) = state else {
        let mut checks = Checks::begin(progress, now);
        live::look(&mut checks, options, keys.as_ref());
        return Ok(checks.found);
    };
    run(&state, options, (keys, &[], now), progress)
}

/// A store whose locked part is open, and that waits for somebody's two factors.
pub struct LockedStore {
    store: Box<Locked>,
}

impl LockedStore {
    /// Opens the locked part, as a start of the kiosk does.
    ///
    /// # Errors
    /// `Foreign` if there is no store; otherwise as opening it.
    pub fn open(options: &Options) -> Result<Self, StoreFault> {
        cipher_facts()?;
        match Locked::load(StateDir::take(options.state_dir())?, options, Moment::read())? {
            Loaded::Store(store) => Ok(Self { store }),
            Loaded::Nothing(_) => Err(StoreFault::Foreign),
        }
    }

    /// May this token try a second factor, and which?
    ///
    /// # Errors
    /// As writing a file.
    pub fn identify(&mut self, token: &Token, now: Moment) -> Result<Identified, StoreFault> {
        self.store.identify(token, Clocks::at(now))
    }

    /// Reads a backup from end to end with the factors of somebody it is sealed to; when it was written.
    /// Only the counted try is written. Somebody who has lost a token since has other keys, and needs
    /// a backup that was written after that.
    ///
    /// # Errors
    /// `Ok` holds what is wrong with the backup; else the factors were refused.
    pub fn verify_backup(
        mut self,
        (evidence, now): (Evidence, Moment),
        input: impl BufRead,
    ) -> Result<Result<Timestamp, BackupFault>, Refusal> {
        let (person, private) = self.store.prove(&evidence, Clocks::at(now))?;
        let recipient = Recipient::Operator(person.id);
        Ok(restore::authenticate(input, (recipient, &private)).map(|manifest| manifest.written))
    }

    /// Checks the store with the factors of somebody who may see how this cart is set up. Only the
    /// counted try is written.
    ///
    /// # Errors
    /// Nothing was checked; see [`CheckFault`].
    pub fn check(
        self,
        options: &Options,
        (evidence, now): (Evidence, Moment),
        progress: Progress<'_>,
    ) -> Result<Vec<Check>, CheckFault> {
        let mut store = self.store;
        let proved = store.prove(&evidence, Clocks::at(now));
        let (person, private) = proved.map_err(CheckFault::Refused)?;
        drop(evidence);
        if !person.role.may(Permission::SeeCart) || person.code_since.is_some() {
            return Err(CheckFault::NotAllowed);
        }
        let keys = store.ring().open(Recipient::Operator(person.id), &private);
        drop(private);
        let (state, findings) = store.into_state();
        run(&state, options, (keys, &findings, now), progress)
    }
}

fn run(
    state: &StateDir,
    options: &Options,
    (keys, found, now): (Option<VaultKeys>, &[Finding], Moment),
    progress: Progress<'_>,
) -> Result<Vec<Check>, CheckFault> {
    let scratch = state.path().join(layout::CHECK_SCRATCH);
    progress("copy");
    durable::remove_dir(&scratch)?;
    durable::make_dir(&scratch)?;
    let copied = scratch::copy(&state.store(), &layout::store(&scratch));
    let checked = copied.map(|()| {
        let mut checks = Checks::begin(progress, now);
        checks.all((state, options), &scratch, (keys, found));
        checks.found
    });
    durable::remove_dir(&scratch)?;
    Ok(checked?)
}
