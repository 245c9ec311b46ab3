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

use crate::cart::Person;
use serde::{Deserialize, Serialize};

use crate::crypto::{Key, PublicKey, open_with, random, seal_to};
use crate::disk::durable;
use crate::disk::layout::{self, DRAFTS};
use crate::keys::ring::{Keyring, Recipient};
use crate::machine::device_secret::DeviceKeys;
use wardkeep_model::access::OperatorId;
use wardkeep_model::encounter::{PatientForm, SubjectId};
use wardkeep_model::keeping::{Draft, StoreFault};

const LEN_MAX: usize = 64 * 1024;
const SEAL_INFO: &[u8] = b"wardkeep draft v1";

fn name(keys: &DeviceKeys, operator: OperatorId) -> String {
    let [a, b, c, d, e, f, g, h, ..] = keys.draft_name(operator);
    layout::draft(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}

fn context(ring: &Keyring, operator: OperatorId) -> Vec<u8> {
    [&ring.device[..], &operator.0.to_be_bytes()].concat()
}

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Earlier programs kept none.
    #[serde(default)]
    id: Option<SubjectId>,
    #[serde(flatten)]
    form: PatientForm,
}

/// The unsaved forms of a store.
pub struct Drafts<'a> {
    dir: PathBuf,
    keys: &'a DeviceKeys,
    ring: &'a Keyring,
}

impl<'a> Drafts<'a> {
    /// The forms of the store in this directory.
    pub fn of(store_dir: &Path, keys: &'a DeviceKeys, ring: &'a Keyring) -> Self {
        Self { dir: store_dir.join(DRAFTS), keys, ring }
    }

    /// Seals what a person had typed to that person.
    ///
    /// # Errors
    /// `Damaged` if the person is not here any more, `Full` if it is too long; otherwise as writing a file.
    pub fn keep(&self, draft: &Draft) -> Result<(), StoreFault> {
        // Somebody who was revoked meanwhile has no key, and their draft is not kept.
        let public = self.ring.public(Recipient::Operator(draft.operator));
        let public = public.ok_or(StoreFault::Damaged)?;
        let kept = Kept { id: Some(draft.id), form: draft.form.clone() };
        let plain = serde_json::to_vec(&kept).map_err(StoreFault::Io.because("writing a draft"))?;
        let plain = zeroize::Zeroizing::new(plain);
        if plain.len() > LEN_MAX {
            return Err(StoreFault::Full);
        }
        let context = context(self.ring, draft.operator);
        let sealed = seal_to(&public, SEAL_INFO, &context, &plain)?;
        durable::make_dir(&self.dir)?;
        durable::replace(&self.dir, &name(self.keys, draft.operator), &sealed)
    }

    /// Takes a person's draft from the disk.
    ///
    /// # Errors
    /// `Damaged` if there is one that is not as it was kept, which is then gone; otherwise as reading a
    /// file.
    pub fn take(&self, operator: OperatorId, private: &Key) -> Result<Option<Draft>, StoreFault> {
        let path = self.dir.join(name(self.keys, operator));
        let read = durable::read(&path, LEN_MAX as u64 * 2);
        let sealed = match read {
            Ok(Some(sealed)) => sealed,
            Ok(None) => return Ok(None),
            Err(StoreFault::Damaged) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        let plain = open_with(private, SEAL_INFO, &context(self.ring, operator), &sealed);
        let kept: Option<Kept> = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        if let Err(fault) = durable::remove(&path) {
            tracing::warn!(%fault, "a draft could not be deleted");
        }
        let Kept { id, form } = kept.ok_or(StoreFault::Damaged)?;
        let id = id.map_or_else(|| random().map(|id| SubjectId(u128::from_be_bytes(id))), Ok)?;
        Ok(Some(Draft { operator, id, form }))
    }

    /// Seals a person's draft for another of their key pairs; `None` if there is none to be kept.
    ///
    /// # Errors
    /// As reading a file.
    pub fn resealed(
        &self,
        operator: OperatorId,
        private: &Key,
        public: &PublicKey,
    ) -> Result<Option<(String, Vec<u8>)>, StoreFault> {
        let name = name(self.keys, operator);
        let Some(sealed) = durable::read(&self.dir.join(&name), LEN_MAX as u64 * 2)? else {
            return Ok(None);
        };
        let context = context(self.ring, operator);
        let Some(plain) = open_with(private, SEAL_INFO, &context, &sealed) else { return Ok(None) };
        Ok(Some((name, seal_to(public, SEAL_INFO, &context, &plain)?)))
    }

    /// How many there are.
    ///
    /// # Errors
    /// As reading a directory.
    pub fn count(&self) -> Result<usize, StoreFault> {
        match fs::read_dir(&self.dir) {
            Ok(files) => Ok(files.count()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the drafts of people who are not here any more.
    ///
    /// # Errors
    /// As removing a file.
    pub fn sweep(&self, people: &[Person]) -> Result<(), StoreFault> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let names: Vec<String> = people.iter().map(|person| name(self.keys, person.id)).collect();
        for entry in entries {
            let entry = entry?;
            if !names.iter().any(|name| entry.file_name() == name.as_str()) {
                durable::remove(&entry.path())?;
            }
        }
        Ok(())
    }
}
