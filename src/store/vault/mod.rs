//! The vault's face: SQLCipher where it was built in, and a refusal where it was not.
//!
//! There is no third way: no build ever stores anything in a database that is not encrypted.

pub(crate) mod audit;
pub(crate) mod changes;
pub(crate) mod fault;
pub(crate) mod integrity;
pub(crate) mod patient_keys;
pub(crate) mod patients;
pub(crate) mod retention;
pub(crate) mod rows;
pub(crate) mod schema;
pub(crate) mod staff;
pub(crate) mod trends;
pub(crate) mod waves;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use wardkeep_model::access::factor::{Template, TokenKind};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::StoreFault;

pub use crate::vault::schema::Vault;

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
    Ok(crate::vault::schema::cipher_facts()?)
}
