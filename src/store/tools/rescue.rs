//! The recovery words in use: an IT person who used up all tries, or lost their badge, and nobody else
//! who could help.
//!
//! The words open the vault; the device secret has to be there too, because slots are made with it.
//! What they do is audited as done by nobody, after an entry that says that they were used.

use crate::disk::durable;
use crate::import::{ImportRun, Step};
use crate::keys::recovery;
use crate::keys::ring::Recipient;
use crate::open::options::Options;
use crate::open::setup::{Loaded, Store};
use crate::record::entry::Entry;
use crate::staff::people::{Desk, Refused};
use crate::vault::cipher_facts;
use crate::vault::entries;
use crate::worker::record::Opened;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, AuditAct, AuditEntry, RecoveryPhrase,
    StoreFault,
};
use wardkeep_model::moment::Moment;

/// Does one act with the recovery words in place of a person, on the machine that the store belongs
/// to, while no kiosk runs on it.
///
/// # Errors
/// `None` as the inner value if the words are not the recovery key of this store; otherwise as the
/// act, and `InUse` while another instance holds the state directory.
pub fn administer_with_recovery(
    options: &Options,
    phrase: &RecoveryPhrase,
    what: Administration,
) -> Result<Option<Administered>, AdministrationFault> {
    let Ok(private) = recovery::private_key(phrase) else {
        return Ok(None);
    };
    cipher_facts()?;
    let state = durable::StateDir::take(&options.state_dir)?;
    let Loaded::Store(mut store) = Store::load(state, options)? else {
        return Err(StoreFault::Damaged.into());
    };
    let Some(keys) = store.ring.open(Recipient::Recovery, &private) else {
        return Ok(None);
    };
    let vault = store.vault_file(&keys)?;
    store.open = Some(Opened::renewed(vault, keys, None));
    let now = Moment::read();
    let used = AuditEntry::of(AuditAct::RecoveryUsed, now.wall);
    store.audit(used)?;
    store.import_all(now)?;
    let act = what.act();
    let done = store.administer(Desk { options, now }, what);
    if let Err(refused) = &done
        && store.open.is_some()
    {
        let entry = store.not_done(act, *refused, now);
        store.audit(entry)?;
    }
    let epoch = store.ring.epoch;
    let closed = store.close_vault(options, now);
    match done {
        Ok(administered) => closed.map(|()| Some(administered)).map_err(AdministrationFault::from),
        Err(Refused::Fault(fault)) => Err(fault),
        Err(Refused::Unclear(fault)) => {
            // The next start finishes or undoes it; which of the two, the keyring says.
            let reloaded = store.reload().is_ok() && store.ring.epoch > epoch;
            if reloaded { Ok(Some(Administered::Revoked)) } else { Err(fault.into()) }
        }
    }
}

impl Store {
    /// Moves all that was sealed while locked into the vault.
    fn import_all(&mut self, now: Moment) -> Result<(), StoreFault> {
        let found = std::mem::take(&mut self.findings);
        let Some(opened) = &mut self.open else { return Ok(()) };
        self.inbox.roll()?;
        let (vault, keys) = opened.parts();
        let mut run = ImportRun::plan(&self.inbox, vault, keys)?;
        loop {
            let next = run.opened_blocking();
            let (vault, keys) = opened.parts();
            if let Step::Done(_) = run.step(next, (&self.inbox, keys), vault)? {
                break;
            }
        }
        for finding in found.into_iter().chain(run.findings(now.wall)) {
            let entry = AuditEntry::of(AuditAct::StoreFinding, now.wall);
            let entry = AuditEntry { finding: Some(finding), ..entry };
            entries::append(opened.vault(), &[Entry::Audit(Box::new(entry))])?;
        }
        self.inbox.recount()
    }

    fn close_vault(&mut self, options: &Options, now: Moment) -> Result<(), StoreFault> {
        self.renew_emergency_card(&options.policy, now)?;
        self.seal_log()?;
        let Some(mut opened) = self.open.take() else { return Ok(()) };
        let expected = entries::cursor(opened.vault())?;
        let chained = self.inbox.start_chain(opened.keys(), expected);
        chained.and(opened.close())
    }
}
