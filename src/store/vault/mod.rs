//! The encrypted tables. [`database`] is the open vault: its key, its commits, how it is changed and looked
//! over. `schema` has the versions of its tables, [`rows`] observations as they are written and read; every
//! other file is one table, or one thing that is done with all of them.

pub mod alarms;
pub(crate) mod audit;
pub(crate) mod database;
pub(crate) mod entries;
pub(crate) mod export;
pub mod made;
mod patient_keys;
pub(crate) mod patients;
pub(crate) mod people;
pub(crate) mod raw;
pub(crate) mod recipients;
pub(crate) mod retention;
pub(crate) mod rows;
pub(crate) mod salvage;
pub(crate) mod schema;
pub(crate) mod spots;
pub(crate) mod trends;
pub(crate) mod waves;

use jiff::Timestamp;

use crate::keys::vault_keys::SealedKey;
use wardkeep_model::access::factor::{Template, TokenKind};
use wardkeep_model::confidential::Phi;

pub use crate::freshness::progress::Comparison;
pub use crate::vault::database::Vault;
pub use crate::vault::database::cipher::{CipherFacts, cipher_facts};
#[cfg(test)]
pub(crate) use crate::vault::database::fold;

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

/// A fingerprint template with the time of its enrolment.
#[derive(Clone, Debug)]
pub struct TemplateRow {
    /// The template.
    pub template: Template,
    /// When it was enrolled.
    pub since: Timestamp,
}
