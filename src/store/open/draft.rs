//! Unsaved forms, sealed to their writer: what a person had typed when somebody else's badge, or the
//! idle time, ended their session.
//!
//! One file a person, under a name that tells nobody whose it is, sealed to their public key. It is
//! opened with their private key at their next unlock, and deleted.
//!
//! S-3: what the locked machine has written it cannot read back.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::crypto::{Key, open_with, seal_to};
use crate::disk::durable;
use crate::disk::layout::{self, DRAFTS};
use crate::keys::ring::{Keyring, Recipient};
use crate::machine::device_secret::DeviceKeys;
use crate::open::setup::Store;
use crate::worker::{Phase, Worker};
use wardkeep_model::access::OperatorId;
use wardkeep_model::encounter::PatientForm;
use wardkeep_model::keeping::{Draft, Finding, FindingKind, StoreFault};

const LEN_MAX: usize = 64 * 1024;
const SEAL_INFO: &[u8] = b"wardkeep draft v1";

fn name(keys: &DeviceKeys, operator: OperatorId) -> String {
    let [a, b, c, d, e, f, g, h, ..] = keys.draft_name(operator);
    layout::draft(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}

fn context(ring: &Keyring, operator: OperatorId) -> Vec<u8> {
    [&ring.device[..], &operator.0.to_be_bytes()].concat()
}

/// Seals a person's draft for another of their key pairs; `None` if there is none to be kept.
pub(crate) fn resealed(
    (dir, keys, ring): (&Path, &DeviceKeys, &Keyring),
    operator: OperatorId,
    private: &Key,
    public: &crate::crypto::PublicKey,
) -> Result<Option<(String, Vec<u8>)>, StoreFault> {
    let name = name(keys, operator);
    let Some(sealed) = durable::read(&dir.join(DRAFTS).join(&name), LEN_MAX as u64 * 2)? else {
        return Ok(None);
    };
    let context = context(ring, operator);
    let Some(plain) = open_with(private, SEAL_INFO, &context, &sealed) else { return Ok(None) };
    Ok(Some((name, seal_to(public, SEAL_INFO, &context, &plain)?)))
}

impl Store {
    fn drafts(&self) -> PathBuf {
        self.state.store().join(DRAFTS)
    }

    fn keep_draft(&mut self, draft: &Draft) -> Result<(), StoreFault> {
        // Somebody who was revoked meanwhile has no key, and their draft is not kept.
        let public = self.ring.public(Recipient::Operator(draft.operator));
        let public = public.ok_or(StoreFault::Damaged)?;
        let plain = serde_json::to_vec(&draft.form).map_err(|_| StoreFault::Io)?;
        let plain = zeroize::Zeroizing::new(plain);
        if plain.len() > LEN_MAX {
            return Err(StoreFault::Full);
        }
        let context = context(&self.ring, draft.operator);
        let sealed = seal_to(&public, SEAL_INFO, &context, &plain)?;
        durable::make_dir(&self.drafts())?;
        durable::replace(&self.drafts(), &name(&self.keys, draft.operator), &sealed)
    }

    /// Takes a person's draft from the disk.
    ///
    /// # Errors
    /// `Damaged` if there is one that is not as it was kept, which is then gone; otherwise as reading a
    /// file.
    fn take_draft(
        &mut self,
        operator: OperatorId,
        private: &Key,
    ) -> Result<Option<Draft>, StoreFault> {
        let path = self.drafts().join(name(&self.keys, operator));
        let read = durable::read(&path, LEN_MAX as u64 * 2);
        let sealed = match read {
            Ok(Some(sealed)) => sealed,
            Ok(None) => return Ok(None),
            Err(StoreFault::Damaged) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        let plain = open_with(private, SEAL_INFO, &context(&self.ring, operator), &sealed);
        let form: Option<PatientForm> = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        if let Err(fault) = durable::remove(&path) {
            tracing::warn!(%fault, "a draft could not be deleted");
        }
        form.map(|form| Some(Draft { operator, form })).ok_or(StoreFault::Damaged)
    }

    /// Removes the drafts of people who are not here any more.
    pub(crate) fn sweep_drafts(&self) -> Result<(), StoreFault> {
        let entries = match fs::read_dir(self.drafts()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let names: Vec<String> =
            self.cart.people.iter().map(|person| name(&self.keys, person.id)).collect();
        for entry in entries {
            let entry = entry?;
            if !names.iter().any(|name| entry.file_name() == name.as_str()) {
                durable::remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

impl Worker {
    /// Seals what a person had typed and not saved to that person.
    pub(crate) fn keep_draft(&mut self, draft: Option<&Draft>) {
        let (Some(draft), Phase::Ready(store)) = (draft, &mut self.phase) else { return };
        if let Err(fault) = store.keep_draft(draft) {
            tracing::warn!(%fault, "a draft could not be kept");
        }
    }

    /// What this person, who has just opened the vault with their private key, had typed and not
    /// saved last time. One that was damaged is reported (S-8).
    pub(crate) fn draft_of(&mut self, operator: OperatorId, private: &Key) -> Option<Draft> {
        let Phase::Ready(store) = &mut self.phase else { return None };
        match store.take_draft(operator, private) {
            Ok(draft) => draft,
            Err(fault) => {
                tracing::warn!(%fault, "a draft could not be read");
                if fault == StoreFault::Damaged {
                    self.report(vec![Finding::of(FindingKind::RecordsForged, 1)]);
                }
                None
            }
        }
    }
}
