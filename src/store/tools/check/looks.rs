//! The single looks of a check, each with what is wrong and the way out.

use std::path::Path;

use crate::cart::Cart;
use crate::disk::durable::StateDir;
use crate::disk::{layout, set_aside};
use crate::keys::keyslot::Slot;
use crate::keys::ring::{Keyring, Recipient};
use crate::keys::vault_keys::{Held, VaultKeys};
use crate::log::file::Flaw;
use crate::machine::device_secret::DeviceKeys;
use crate::open::locked::{Loaded, Locked};
use crate::open::options::Options;
use crate::open::{emergency, recipients};
use crate::tools::check::pages as damage;
use crate::tools::check::{Check, Progress};
use crate::tools::import::import;
use crate::tools::inspect::inspect;
use crate::tools::words::{REPORTED, RESTORE, sentence, way_out};
use crate::vault::database::{integrity, structure};
use crate::vault::raw::Image;
use crate::vault::raw::map::DamagedPage;
use crate::vault::{Vault, audit, patients, people, trends};
use wardkeep_model::keeping::{Cause, Finding, StoreFault};
use wardkeep_model::moment::Moment;

const ENROL: &str =
    "Give the person another PIN (`wardkeepctl users code`), or enrol the card again.";
const LOG: &str =
    "Keep the store as it is: `wardkeepctl audit verify` names what is wrong in a copy.";
const SECRET: &str =
    "Put this machine's device secret back, or restore the last backup with the recovery words.";
const ANOTHER: &str = "this store belongs to another cart, or this cart's secret was replaced";
const INDEX: &str = "Set the store aside and salvage it (`wardkeepctl store salvage`): what is wrong in an index alone \
     costs no row.";

/// What is wrong, and what IT can do.
pub struct Wrong {
    problem: String,
    advice: &'static str,
}

/// How much was looked at, or what is wrong.
pub type Looked = Result<u64, Wrong>;

impl Wrong {
    /// Something that is wrong.
    pub fn of(problem: impl Into<String>, advice: &'static str) -> Self {
        Self { problem: problem.into(), advice }
    }

    /// A fault as something that is wrong, with what the system said of it.
    pub fn damaged<F: Into<StoreFault>>(advice: &'static str) -> impl Fn(F) -> Self {
        move |fault| {
            let fault = fault.into();
            let advice = match fault {
                StoreFault::Later => {
                    "Install the program that wrote it again, or a later one; nothing is lost."
                }
                StoreFault::WrongDeviceSecret => SECRET,
                StoreFault::InUse
                | StoreFault::ReadOnly
                | StoreFault::Foreign
                | StoreFault::Unfit(_)
                | StoreFault::Damaged
                | StoreFault::Full
                | StoreFault::Io
                | StoreFault::NoCipher => advice,
            };
            let said = Cause::take().map(|cause| format!(" ({cause})")).unwrap_or_default();
            Self::of(format!("{fault}{said}"), advice)
        }
    }
}

/// A fault of a file of the locked part: where the keyring is another machine's, that is what is wrong.
pub fn another_cart<'a>(
    store: &'a Path,
    device: &'a DeviceKeys,
) -> impl Fn(StoreFault) -> Wrong + 'a {
    move |fault| {
        let ring = Keyring::load(store, device, &[]).map(drop);
        if ring == Err(StoreFault::WrongDeviceSecret) {
            return Wrong::of(ANOTHER, SECRET);
        }
        Wrong::damaged(RESTORE)(fault)
    }
}

/// What was found, as something that is wrong.
pub fn nothing_found(findings: &[Finding]) -> Result<(), Wrong> {
    let Some(first) = findings.first() else { return Ok(()) };
    let said: Vec<String> = findings.iter().map(sentence).collect();
    Err(Wrong::of(said.join("; "), way_out(first.kind)))
}

/// A check while it is done.
pub struct Checks<'a> {
    /// What it found.
    pub found: Vec<Check>,
    progress: Progress<'a>,
    now: Moment,
}

impl<'a> Checks<'a> {
    /// Nothing was looked at yet.
    pub fn begin(progress: Progress<'a>, now: Moment) -> Self {
        Self { found: Vec::new(), progress, now }
    }

    /// Looks at something.
    pub fn look(&mut self, name: &'static str, look: impl FnOnce() -> Looked) {
        (self.progress)(name);
        // What is behind an earlier fault is none of this one.
        Cause::note(None);
        let check = match look() {
            Ok(count) => Check { count, ..Check::good(name) },
            Err(Wrong { problem, advice }) => Check {
                ok: false,
                problem: Some(problem),
                advice: Some(advice),
                ..Check::good(name)
            },
        };
        self.found.push(check);
    }

    /// Says what is not looked at, and why.
    pub fn skip(&mut self, name: &'static str, why: &'static str) {
        self.found.push(Check { not_looked_at: Some(why), ..Check::good(name) });
    }

    /// The device secret, and the keys that it gives.
    pub fn device_secret(&mut self, options: &Options) -> Option<DeviceKeys> {
        let secret = options.device_secret().load();
        self.look("device-secret", || match &secret {
            Ok(Some(_)) => Ok(1),
            Ok(None) => Err(Wrong::of("there is none", SECRET)),
            Err(fault) => Err(Wrong::damaged(SECRET)(*fault)),
        });
        secret.ok().flatten().map(DeviceKeys::new)
    }

    /// Looks at everything, on a copy.
    pub fn all(
        &mut self,
        (state, options): (&StateDir, &Options),
        scratch: &Path,
        (keys, found): (Option<VaultKeys>, &[Finding]),
    ) {
        let store = layout::store(scratch);
        if let Some(device) = self.device_secret(options) {
            self.look("cart", || {
                let read = Cart::load(&store, &device).map_err(another_cart(&store, &device))?;
                nothing_found(&read.findings).map(|()| 2)
            });
            self.look("keyring", || {
                let read =
                    Keyring::load(&store, &device, &[]).map_err(another_cart(&store, &device))?;
                nothing_found(&read.findings).map(|()| read.content.recipients())
            });
        }
        let waiting = inspect(state.path()).map_or(0, |facts| facts.inbox_bytes);
        let locked = StateDir::take(scratch).and_then(|copy| Locked::load(copy, options, self.now));
        self.look("locked-part", || match &locked {
            Ok(Loaded::Store(store)) => {
                let mut all = [store.findings(), found].concat();
                if state.was_open() > 0 {
                    all.push(Finding::of(OPEN, state.was_open()));
                }
                nothing_found(&all).map(|()| waiting)
            }
            Ok(Loaded::Nothing(_)) => Err(Wrong::of("there is no store", RESTORE)),
            Err(fault) => Err(Wrong::damaged(RESTORE)(*fault)),
        });
        if let Some(keys) = &keys {
            // The vault's own files: a page is as it is, whoever opens it.
            let vault = state.store().join(layout::VAULT);
            self.look("cipher", || pages(&vault, keys));
        }
        let Ok(Loaded::Store(mut store)) = locked else { return };
        self.look("slots", || slots(&store));
        let Some(keys) = keys else {
            self.look("vault", || Err(Wrong::of("nobody's key opens it any more", RESTORE)));
            return;
        };
        match store.vault_file(&keys) {
            Ok(mut vault) => {
                vault.only_look();
                self.opened(&mut store, vault, &keys);
            }
            Err(fault) => self.look("vault", || Err(Wrong::damaged(RESTORE)(fault))),
        }
        self.look("emergency-card", || {
            let there = emergency::is_intact(&store).map_err(Wrong::damaged(
                "The next lock writes it anew. Find out who had the disk.",
            ))?;
            Ok(u64::from(there))
        });
        self.look("kept-aside", || {
            set_aside::kept(state.path())
                .map_err(Wrong::damaged("Look at the state directory's rights."))
        });
    }

    fn opened(&mut self, store: &mut Locked, mut vault: Vault, keys: &VaultKeys) {
        self.look("freshness", || {
            while vault.compares() {
                vault.compare_some().map_err(Wrong::damaged(RESTORE))?;
            }
            nothing_found(&vault.findings()).map(|()| 1)
        });
        self.look("structure", || {
            let (tables, wrong) = structure::structure(&vault).map_err(Wrong::damaged(RESTORE))?;
            if wrong.is_empty() { Ok(tables) } else { Err(Wrong::of(wrong.join("; "), INDEX)) }
        });
        let damaged = Wrong::damaged;
        self.look("patient-keys", || integrity::patient_keys(&vault).map_err(damaged(RESTORE)));
        self.look("patients", || {
            let patients = patients::all(&vault).map_err(Wrong::damaged(RESTORE))?;
            Ok(u64::try_from(patients.len()).unwrap_or(u64::MAX))
        });
        self.look("observations", || {
            integrity::observations(&vault).map_err(Wrong::damaged(RESTORE))
        });
        self.look("recipients", || {
            let foreign =
                recipients::compared(store, &vault, keys).map_err(Wrong::damaged(RESTORE))?;
            nothing_found(&foreign).map(|()| store.ring().recipients())
        });
        self.look("people", || people(store, &vault, keys).map_err(Wrong::damaged(RESTORE)));
        self.look("trends", || trends::check(&mut vault).map_err(Wrong::damaged(RESTORE)));
        self.look("audit", || match audit::check(&vault, keys) {
            Ok(Ok(verified)) => Ok(verified.entries),
            Ok(Err(flaw)) => {
                Err(Wrong::of(format!("the log is not as it was sealed: {}", said(&flaw)), LOG))
            }
            Err(fault) => Err(Wrong::damaged(RESTORE)(fault)),
        });
        self.look("drafts", || {
            drafts(store, &vault, keys).map_err(Wrong::damaged("Nothing to mend: it is dropped."))
        });
        let now = self.now;
        self.look("inbox", || {
            let (imported, findings) = import(store.inbox_mut(), &mut vault, keys, now)
                .map_err(Wrong::damaged(RESTORE))?;
            nothing_found(&findings).map(|()| imported)
        });
    }
}

const OPEN: wardkeep_model::keeping::FindingKind =
    wardkeep_model::keeping::FindingKind::OpenToOthers;

fn pages(vault: &Path, keys: &VaultKeys) -> Looked {
    let image = Image::open(vault, keys).map_err(Wrong::damaged(RESTORE))?;
    let (pages, damaged) = damage::damaged(&image);
    if damaged.is_empty() {
        return Ok(pages);
    }
    let is_free = |page: &DamagedPage| page.of.as_deref() == Some("free");
    let way = if damaged.iter().all(is_free) { REPORTED } else { RESTORE };
    Err(Wrong::of(damage::sentence(pages, &damaged), way))
}

/// A flaw of the audit log in words.
fn said(flaw: &Flaw) -> String {
    match flaw.entry {
        Some(entry) => format!("{:?}, entry {entry}", flaw.problem),
        None => format!("{:?}", flaw.problem),
    }
}

fn slots(store: &Locked) -> Looked {
    let mut count = 0;
    for person in &store.cart().people {
        for token in &person.tokens {
            let owner = store.owner(person.id);
            Slot::read(&store.slots(), store.keys(), &owner, &token.slot).map_err(|fault| {
                Wrong::of(
                    format!("a key slot of {} does not open: {fault}", person.initials),
                    ENROL,
                )
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
