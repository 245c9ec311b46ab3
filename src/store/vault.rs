//! The vault's face: SQLCipher where it was built in, and a refusal where it was not.
//!
//! There is no third way: no build ever stores anything in a database that is not encrypted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::confidential::Phi;
use crate::session::factor::{Template, TokenKind};
use crate::store::StoreFault;

#[cfg(feature = "store")]
pub use super::schema::Vault;

/// Extensions of the files that belong to a database, beside its log: its head and its tables of pages.
pub const BESIDE: [&str; 3] = ["head", "pages0", "pages1"];

/// How far the inbox was imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Number of the value or audit entry that comes next.
    pub next_seq: u64,
    /// Number of the waveform that comes next.
    pub next_wave: u64,
    /// Waveforms below this number that are not there were given up for room.
    pub waves_given_up: u64,
    /// When the last value was recorded, in microseconds of wall time; zero before the first.
    pub at: i64,
    /// Fingerprint of the segment that was imported last, whose deletion a kill may have prevented.
    pub last_segment: u64,
}

/// What another file remembers of the vault when it was closed, so that a whole vault put back with its
/// head is seen by whatever was not put back with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Number of the last commit.
    pub seq: u64,
    /// Rows that were ever inserted.
    pub rows: u64,
    /// How often its head was written.
    pub generation: u64,
}

/// A token as the vault knows it, beside what the cart compartment says of it.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// Its slot.
    pub slot: [u8; 16],
    /// Badge or card.
    pub kind: TokenKind,
    /// Subject of a card's certificate.
    pub subject: Option<Phi<String>>,
    /// A badge's share of the key-encryption key, so that another PIN can be given to all badges of a
    /// person while one of them is tapped, or none.
    pub share: Option<SealedKey>,
    /// The slot's key-encryption key, so that the person's key pair can change while they are away.
    pub kek: SealedKey,
}

/// A key as a row of the vault holds it: sealed under the master key, because the database's own memory
/// is not wiped (S-3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey(pub Vec<u8>);

/// A fingerprint template with the time of its enrolment.
#[derive(Clone, Debug)]
pub struct TemplateRow {
    /// The template.
    pub template: Template,
    /// When it was enrolled.
    pub since: Timestamp,
}

/// What the encrypted database is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CipherFacts {
    /// SQLite's version, e.g. `3.53.4`.
    pub sqlite_version: String,
    /// SQLCipher's version, never empty.
    pub cipher_version: String,
    /// Library that does the cryptography, e.g. `openssl`.
    pub provider: String,
}

/// What the encrypted database of this build is made of.
///
/// # Errors
/// `NoCipher` if there is none, or not with the provider that is required.
pub fn cipher_facts() -> Result<CipherFacts, StoreFault> {
    #[cfg(feature = "store")]
    return super::schema::cipher_facts();
    #[cfg(not(feature = "store"))]
    Err(StoreFault::NoCipher)
}

#[cfg(not(feature = "store"))]
pub use absent::Vault;

#[cfg(not(feature = "store"))]
mod absent {
    use std::path::Path;

    use jiff::Timestamp;

    use super::{Cursor, SealedKey, Seen, StoreFault, TemplateRow, TokenRow};
    use crate::confidential::Phi;
    use crate::encounter::{Patient, SubjectId};
    use crate::moment::Moment;
    use crate::session::OperatorId;
    use crate::session::emergency::PastNumeric;
    use crate::session::factor::{Template, TemplateId};
    use crate::store::audit_file::{Flaw, Verified};
    use crate::store::keyring::VaultKeys;
    use crate::store::segment::Entry;
    use crate::store::upkeep::Witness;
    use crate::store::{AuditEntry, Finding, Observation, Retention, TrendColumn, TrendQuery};
    use crate::vitals::nomenclature::Mdc;
    use crate::vitals::wave::WaveSegment;

    /// A vault that cannot exist in this build.
    #[derive(Debug)]
    pub enum Vault {}

    impl Vault {
        pub fn create(_: &Path, _: &VaultKeys) -> Result<Self, StoreFault> {
            Err(StoreFault::NoCipher)
        }
        pub fn open(_: &Path, _: &VaultKeys) -> Result<Self, StoreFault> {
            Err(StoreFault::NoCipher)
        }
        pub fn open_exported(_: &Path, _: &VaultKeys) -> Result<Self, StoreFault> {
            Err(StoreFault::NoCipher)
        }
        pub fn append(&mut self, _: &[Entry]) -> Result<u64, StoreFault> {
            match *self {}
        }
        pub fn trend(&mut self, _: TrendQuery) -> Result<Vec<TrendColumn>, StoreFault> {
            match *self {}
        }
        pub fn keep_up(
            &mut self,
            _: &mut Option<Witness>,
            _: Moment,
            _: &Retention,
        ) -> Result<bool, StoreFault> {
            match *self {}
        }
        pub fn waves(
            &mut self,
            _: (SubjectId, Mdc),
            _: (Timestamp, Timestamp),
        ) -> Result<Vec<WaveSegment>, StoreFault> {
            match *self {}
        }
        pub fn check_trends(&mut self) -> Result<u64, StoreFault> {
            match *self {}
        }
        pub fn shred(&mut self, _: SubjectId, _: AuditEntry) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn findings(&mut self) -> Vec<Finding> {
            match *self {}
        }
        pub fn compares(&self) -> bool {
            match *self {}
        }
        pub fn compare_some(&mut self) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn witness(&mut self, _: Seen) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn remembered(&mut self) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn settle(&mut self) -> Result<Seen, StoreFault> {
            match *self {}
        }
        pub fn cursor(&self) -> Result<Cursor, StoreFault> {
            match *self {}
        }
        pub fn check_pages(&self) -> Result<u64, StoreFault> {
            match *self {}
        }
        pub fn check_structure(&self) -> Result<u64, StoreFault> {
            match *self {}
        }
        pub fn check_patient_keys(&self) -> Result<u64, StoreFault> {
            match *self {}
        }
        pub fn check_observations(&self) -> Result<u64, StoreFault> {
            match *self {}
        }
        pub fn import(&mut self, _: &[Entry], _: Cursor) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn add_operator(
            &mut self,
            _: OperatorId,
            _: &Phi<String>,
            _: &SealedKey,
        ) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn names(&self) -> Result<Vec<(OperatorId, Phi<String>)>, StoreFault> {
            match *self {}
        }
        pub fn private_key(&self, _: OperatorId) -> Result<Option<SealedKey>, StoreFault> {
            match *self {}
        }
        pub fn rewrite_people(
            &mut self,
            _: &[(OperatorId, Option<SealedKey>)],
            _: &[(OperatorId, TokenRow)],
        ) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn reseal(&mut self, _: &VaultKeys) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn add_tokens(&mut self, _: OperatorId, _: &[TokenRow]) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn tokens(&self, _: OperatorId) -> Result<Vec<TokenRow>, StoreFault> {
            match *self {}
        }
        pub fn keep_tokens(&mut self, _: OperatorId, _: &[[u8; 16]]) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn add_template(&mut self, _: OperatorId, _: &TemplateRow) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn template_rows(&self, _: OperatorId) -> Result<Vec<TemplateRow>, StoreFault> {
            match *self {}
        }
        pub fn templates(&self, _: OperatorId) -> Result<Vec<Template>, StoreFault> {
            match *self {}
        }
        pub fn remove_templates(
            &mut self,
            _: OperatorId,
            _: Option<TemplateId>,
        ) -> Result<bool, StoreFault> {
            match *self {}
        }
        pub fn export(&self, _: &Path, _: &VaultKeys) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn check_audit(&self, _: &VaultKeys) -> Result<Result<Verified, Flaw>, StoreFault> {
            match *self {}
        }
        pub fn seal_audit(&mut self, _: &VaultKeys) -> Result<String, StoreFault> {
            match *self {}
        }
        pub fn seal_audit_if_due(&mut self, _: &VaultKeys) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn hand_over_audit(
            &mut self,
            _: (&VaultKeys, &VaultKeys),
            _: Vec<AuditEntry>,
        ) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn export_audit(&mut self, _: &VaultKeys) -> Result<String, StoreFault> {
            match *self {}
        }
        pub fn audit_key(&self, _: &VaultKeys) -> Result<String, StoreFault> {
            match *self {}
        }
        pub fn newest_audit(&self, _: u32) -> Result<Vec<(u64, AuditEntry)>, StoreFault> {
            match *self {}
        }
        pub fn numerics(
            &self,
            _: SubjectId,
            _: (Timestamp, Timestamp),
        ) -> Result<Vec<PastNumeric>, StoreFault> {
            match *self {}
        }
        pub fn operator_name(&self, _: OperatorId) -> Result<Phi<String>, StoreFault> {
            match *self {}
        }
        pub fn add_patient(&mut self, _: &Patient) -> Result<(), StoreFault> {
            match *self {}
        }
        pub fn patients(&self) -> Result<Vec<Patient>, StoreFault> {
            match *self {}
        }
        pub fn patient(&self, _: SubjectId) -> Result<Option<Patient>, StoreFault> {
            match *self {}
        }
        pub fn observations(&self) -> Result<Vec<Observation>, StoreFault> {
            match *self {}
        }
        pub fn audit(&self) -> Result<Vec<(u64, AuditEntry)>, StoreFault> {
            match *self {}
        }
        pub fn close(self) -> Result<(), StoreFault> {
            match self {}
        }
    }
}
