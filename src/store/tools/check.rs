//! `wardkeepctl store check`: everything that can be wrong with a store, found without changing it.
//!
//! It works on a copy beside the store, which is removed at the end: what opening does (folding a log
//! back, bringing an older schema up to date, importing the inbox, mending a second copy) is done there,
//! by the code that the next unlock will run. So a check finds what that unlock would find.
//!
//! With two factors the try is counted first, as everywhere (S-5): that one number is written.

use std::fs;
use std::io::BufRead;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use crate::backup::file::BackupFault;
use crate::backup::restore;
use crate::cart::Cart;
use crate::disk::durable::{self, StateDir};
use crate::disk::layout;
use crate::disk::set_aside;
use crate::import::{ImportRun, Step};
use crate::keys::keyslot::Slot;
use crate::keys::recovery;
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::log::file::Flaw;
use crate::machine::device_secret::DeviceKeys;
use crate::open::emergency;
use crate::open::locked::{Loaded, Locked};
use crate::open::options::Options;
use crate::open::shift::Clocks;
use crate::tools::inspect::inspect;
use crate::vault::database::integrity;
use crate::vault::{Vault, cipher_facts};
use crate::vault::{audit, patients, people, trends};
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
}

const RESTORE: &str =
    "Set the store aside (`wardkeepctl store aside`) and restore the last backup.";
const REPORTED: &str =
    "Nothing to mend: the next start mends and reports it. Find out who had the disk.";
const ENROL: &str =
    "Give the person another PIN (`wardkeepctl users code`), or enrol the card again.";
const LOG: &str =
    "Keep the store as it is: `wardkeepctl audit verify` names what is wrong in a copy.";
const SECRET: &str =
    "Put this machine's device secret back, or restore the last backup with the recovery words.";

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

/// Checks a store that no kiosk runs on, with the recovery words. It is not changed.
///
/// # Errors
/// Nothing was checked; see [`CheckFault`].
pub fn check_with_recovery(
    options: &Options,
    phrase: &RecoveryPhrase,
    progress: Progress<'_>,
) -> Result<Vec<Check>, CheckFault> {
    let private = recovery::private_key(phrase).map_err(|_| CheckFault::Words)?;
    cipher_facts()?;
    let state = StateDir::take(options.state_dir())?;
    let opened = Keyring::opened_by(&state.store(), Recipient::Recovery, &private);
    let keys = match opened {
        Ok(Some((_, keys))) => Some(keys),
        Ok(None) => return Err(CheckFault::Words),
        // Nobody can open it any more; the rest can still be looked at.
        Err(StoreFault::Damaged) => None,
        Err(fault) => return Err(fault.into()),
    };
    run(&state, options, (keys, &[]), progress)
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
        run(&state, options, (keys, &findings), progress)
    }
}

fn run(
    state: &StateDir,
    options: &Options,
    (keys, found): (Option<VaultKeys>, &[Finding]),
    progress: Progress<'_>,
) -> Result<Vec<Check>, CheckFault> {
    let scratch = state.path().join(layout::CHECK_SCRATCH);
    progress("copy");
    durable::remove_dir(&scratch)?;
    let copied = copy(&state.store(), &layout::store(&scratch));
    let checked = copied.map(|()| {
        let mut checks = Checks { options, found: Vec::new(), progress };
        checks.all(state, &scratch, (keys, found));
        checks.found
    });
    durable::remove_dir(&scratch)?;
    Ok(checked?)
}

/// Copies a directory. The system shares the blocks where the file system can.
fn copy(from: &Path, to: &Path) -> Result<(), StoreFault> {
    durable::make_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

struct Checks<'a> {
    options: &'a Options,
    found: Vec<Check>,
    progress: Progress<'a>,
}

type Looked = Result<u64, (String, &'static str)>;

/// A fault as a problem.
fn damaged<F: Into<StoreFault>>(advice: &'static str) -> impl Fn(F) -> (String, &'static str) {
    move |fault| (fault.into().to_string(), advice)
}

impl Checks<'_> {
    fn look(&mut self, name: &'static str, look: impl FnOnce() -> Looked) {
        (self.progress)(name);
        let check = match look() {
            Ok(count) => Check { name, ok: true, count, problem: None, advice: None },
            Err((problem, advice)) => {
                let (problem, advice) = (Some(problem), Some(advice));
                Check { name, ok: false, count: 0, problem, advice }
            }
        };
        self.found.push(check);
    }

    fn all(
        &mut self,
        state: &StateDir,
        scratch: &Path,
        (keys, found): (Option<VaultKeys>, &[Finding]),
    ) {
        let store = layout::store(scratch);
        let secret = self.options.device_secret().load();
        self.look("device-secret", || match &secret {
            Ok(Some(_)) => Ok(1),
            Ok(None) => Err(("there is none".into(), SECRET)),
            Err(fault) => Err((fault.to_string(), SECRET)),
        });
        if let Ok(Some(secret)) = secret {
            let device = DeviceKeys::new(secret);
            self.look("cart", || {
                let read = Cart::load(&store, &device).map_err(damaged(RESTORE))?;
                nothing_found(&read.findings, REPORTED).map(|()| 2)
            });
            self.look("keyring", || {
                let read = Keyring::load(&store, &device, &[]).map_err(damaged(RESTORE))?;
                nothing_found(&read.findings, REPORTED).map(|()| read.content.recipients())
            });
        }
        let waiting = inspect(state.path()).map_or(0, |facts| facts.inbox_bytes);
        let locked = StateDir::take(scratch)
            .and_then(|copy| Locked::load(copy, self.options, Moment::read()));
        self.look("locked-part", || match &locked {
            Ok(Loaded::Store(store)) => {
                let all = [store.findings(), found].concat();
                nothing_found(&all, REPORTED).map(|()| waiting)
            }
            Ok(Loaded::Nothing(_)) => Err(("there is no store".into(), RESTORE)),
            Err(fault) => Err((fault.to_string(), RESTORE)),
        });
        let Ok(Loaded::Store(mut store)) = locked else { return };
        self.look("slots", || slots(&store));
        let Some(keys) = keys else {
            self.look("vault", || Err(("nobody's key opens it any more".into(), RESTORE)));
            return;
        };
        match store.vault_file(&keys) {
            Ok(vault) => self.opened(&mut store, vault, &keys),
            Err(fault) => self.look("vault", || Err((fault.to_string(), RESTORE))),
        }
        self.look("emergency-card", || {
            let there = emergency::is_intact(&store)
                .map_err(damaged("The next lock writes it anew. Find out who had the disk."))?;
            Ok(u64::from(there))
        });
        self.look("kept-aside", || {
            set_aside::kept(state.path()).map_err(damaged("Look at the state directory's rights."))
        });
    }

    fn opened(&mut self, store: &mut Locked, mut vault: Vault, keys: &VaultKeys) {
        self.look("freshness", || {
            let found = integrity::freshness(&mut vault).map_err(damaged(RESTORE))?;
            nothing_found(&found, RESTORE).map(|()| 1)
        });
        self.look("cipher", || integrity::pages(&vault).map_err(damaged(RESTORE)));
        self.look("structure", || integrity::structure(&vault).map_err(damaged(RESTORE)));
        self.look("patient-keys", || integrity::patient_keys(&vault).map_err(damaged(RESTORE)));
        self.look("patients", || {
            let patients = patients::all(&vault).map_err(damaged(RESTORE))?;
            Ok(u64::try_from(patients.len()).unwrap_or(u64::MAX))
        });
        self.look("observations", || integrity::observations(&vault).map_err(damaged(RESTORE)));
        self.look("people", || people(store, &vault, keys).map_err(damaged(RESTORE)));
        self.look("trends", || trends::check(&mut vault).map_err(damaged(RESTORE)));
        self.look("audit", || match audit::check(&vault, keys) {
            Ok(Ok(verified)) => Ok(verified.entries),
            Ok(Err(flaw)) => {
                Err((format!("the log is not as it was sealed: {}", said(&flaw)), LOG))
            }
            Err(fault) => Err((fault.to_string(), RESTORE)),
        });
        self.look("drafts", || {
            drafts(store, &vault, keys).map_err(damaged("Nothing to mend: it is dropped."))
        });
        self.look("inbox", || import(store, &mut vault, keys));
        let closed = vault.close();
        self.look("close", || closed.map(|()| 1).map_err(damaged(RESTORE)));
    }
}

/// A flaw of the audit log in words.
fn said(flaw: &Flaw) -> String {
    match flaw.entry {
        Some(entry) => format!("{:?}, entry {entry}", flaw.problem),
        None => format!("{:?}", flaw.problem),
    }
}

fn nothing_found(findings: &[Finding], advice: &'static str) -> Result<(), (String, &'static str)> {
    if findings.is_empty() {
        return Ok(());
    }
    let said: Vec<String> = findings.iter().map(sentence).collect();
    Err((said.join(", "), advice))
}

/// A finding in its own words, without anything secret.
fn sentence(finding: &Finding) -> String {
    let kind = serde_json::to_value(finding.kind).ok();
    let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("finding").to_owned();
    match (finding.found, finding.expected) {
        (Some(found), Some(expected)) => format!("{kind}: number {found} instead of {expected}"),
        (Some(_) | None, Some(_) | None) => format!("{kind}: {}", finding.count),
    }
}

fn slots(store: &Locked) -> Looked {
    let mut count = 0;
    for person in &store.cart().people {
        for token in &person.tokens {
            let owner = store.owner(person.id);
            Slot::read(&store.slots(), store.keys(), &owner, &token.slot).map_err(|fault| {
                (format!("a key slot of {} does not open: {fault}", person.initials), ENROL)
            })?;
            count += 1;
        }
    }
    Ok(count)
}

/// Everybody's name, private key, tokens and fingers open.
fn people(store: &Locked, vault: &Vault, keys: &VaultKeys) -> Result<u64, StoreFault> {
    let names = people::names(vault)?;
    for person in &store.cart().people {
        people::private_key(vault, keys, person.id)?;
        let rows = people::tokens(vault, person.id)?;
        for row in &rows {
            keys.held(Held::Kek(row.slot), &row.kek)?;
            if let Some(share) = &row.share {
                keys.held(Held::Share(row.slot), share)?;
            }
        }
        if person.tokens.iter().any(|token| rows.iter().all(|row| row.slot != token.slot.id)) {
            return Err(StoreFault::Damaged);
        }
        people::template_rows(vault, person.id)?;
    }
    Ok(u64::try_from(names.len()).unwrap_or(u64::MAX))
}

fn drafts(store: &Locked, vault: &Vault, keys: &VaultKeys) -> Result<u64, StoreFault> {
    let drafts = store.drafts();
    let there = drafts.count()?;
    let mut opened = 0;
    for person in &store.cart().people {
        let private = people::private_key(vault, keys, person.id)?;
        let recipient = Recipient::Operator(person.id);
        let public = store.ring().public(recipient).ok_or(StoreFault::Damaged)?;
        opened += usize::from(drafts.resealed(person.id, &private, &public)?.is_some());
    }
    if opened == there {
        Ok(u64::try_from(there).unwrap_or(u64::MAX))
    } else {
        Err(StoreFault::Damaged)
    }
}

/// Imports the copy's inbox into the copy's vault, as the next unlock will.
fn import(store: &mut Locked, vault: &mut Vault, keys: &VaultKeys) -> Looked {
    const REPORT: &str = "The next unlock imports what is whole, and reports and audits the rest. Find out who had \
         the disk.";
    let mut run = || -> Result<(u64, Vec<Finding>), StoreFault> {
        store.inbox_mut().roll()?;
        let mut run = ImportRun::plan(store.inbox(), vault, keys)?;
        loop {
            let next = run.opened_blocking();
            if let Step::Done(import) =
                run.step(next, (store.inbox(), keys), vault, Moment::read().wall)?
            {
                return Ok((import.imported, run.findings(Moment::read().wall)));
            }
        }
    };
    let (imported, findings) = run().map_err(damaged(RESTORE))?;
    nothing_found(&findings, REPORT).map(|()| imported)
}
