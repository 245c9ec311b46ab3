//! The recovery words in use: an IT person who used up all tries, or lost their badge, and nobody else
//! who could help.
//!
//! The words open the vault; the device secret has to be there too, because slots are made with it.
//! What they do is audited as done by nobody, after an entry that says that they were used.

use crate::disk::durable;
use crate::keys::recovery;
use crate::keys::ring::Recipient;
use crate::open::emergency;
use crate::open::locked::{Loaded, Locked};
use crate::open::opened::{Open, Store};
use crate::open::options::Options;
use crate::record::entry::Entry;
use crate::staff::acts::{administer, not_done};
use crate::staff::desk::Desk;
use crate::staff::rotate::{self, Failure};
use crate::tools::import::import;
use crate::vault::cipher_facts;
use crate::vault::entries;
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
    let state = durable::StateDir::take(options.state_dir())?;
    let now = Moment::read();
    let Loaded::Store(locked) = Locked::load(state, options, now)? else {
        return Err(StoreFault::Damaged.into());
    };
    let Some(keys) = locked.ring().open(Recipient::Recovery, &private) else {
        return Ok(None);
    };
    let vault = locked.vault_file(&keys)?;
    let mut open = Box::new(Open::renewed(locked, (vault, keys), None));
    open.audit(AuditEntry::of(AuditAct::RecoveryUsed, now.wall), now)?;
    import_all(&mut open, now)?;
    let act = what.act();
    let done = administer(&mut open, Desk { options, now }, what);
    if let Err(fault) = &done {
        open.audit(not_done(None, act, *fault, now), now)?;
    }
    // After this act, or one that was killed before its keys were changed.
    let (store, changed) = match rotate::is_due(open.locked()) {
        true => rotate::change(open, now),
        false => (Store::Open(open), Ok(())),
    };
    let (mut locked, closed) = match store {
        Store::Open(open) => close(open, now),
        Store::Locked(locked) => (locked, Ok(())),
    };
    match (done?, changed) {
        (Administered::Revoked, Err(Failure::Undone(fault))) => {
            Err(AdministrationFault::KeysUnchanged(fault))
        }
        (Administered::Revoked, Err(Failure::Unclear(fault))) => {
            // The next start finishes or undoes it; which of the two, the keyring says.
            let is_changed = locked.reload(now).is_ok() && !rotate::is_due(&locked);
            let unchanged = AdministrationFault::KeysUnchanged(fault);
            if is_changed { Ok(Some(Administered::Revoked)) } else { Err(unchanged) }
        }
        (administered, _) => closed.map(|()| Some(administered)).map_err(AdministrationFault::from),
    }
}

/// Moves all that was sealed while locked into the vault.
fn import_all(open: &mut Open, now: Moment) -> Result<(), StoreFault> {
    let (vault, keys, locked) = open.parts();
    let found = locked.take_findings();
    let (_, findings) = import(locked.inbox_mut(), vault, keys, now)?;
    for finding in found.into_iter().chain(findings) {
        let entry = AuditEntry::of(AuditAct::StoreFinding, now.wall);
        let entry = AuditEntry { finding: Some(finding), ..entry };
        entries::append(vault, &[Entry::Audit(Box::new(entry))])?;
    }
    locked.inbox_mut().recount()
}

fn close(mut open: Box<Open>, now: Moment) -> (Box<Locked>, Result<(), StoreFault>) {
    let prepared = emergency::renew(&open, now).and_then(|()| open.seal_log());
    let chained = prepared.and_then(|()| {
        let (vault, keys, locked) = open.parts();
        let expected = entries::cursor(vault)?;
        Ok(locked.inbox_mut().start_chain(keys, expected))
    });
    match chained {
        Ok(chained) => {
            let (locked, closed) = open.shut();
            (locked, chained.and(closed))
        }
        Err(fault) => (open.give_up(), Err(fault)),
    }
}
