//! What readers and cards refuse, and what they are refused for: kept in the audit log with the reader's name.

use serde::{Deserialize, Serialize};

/// What was refused at a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReaderRefusal {
    /// What lay there gave no badge number: it is of another technology, or broken.
    NoNumber,
    /// Two badges lay there at once.
    TwoBadges,
    /// A card without the PIV application or its authentication certificate.
    NotPiv,
    /// A card whose answers are not those of a PIV card.
    CardUnreadable,
    /// A card took its PIN for wrong.
    WrongCardPin,
    /// A card had one try left, which is never used.
    LastCardTry,
    /// A card had blocked its PIN.
    CardBlocked,
    /// A card without a key to agree with (slot 9D).
    NoCardKey,
    /// Another card than the one that was presented.
    CardChanged,
    /// A card's signature was wrong, or its answers made no sense.
    NoProof,
    /// A card's certificate was not trusted.
    NotTrusted(Distrust),
    /// The site allows other readers only (`readers.only`).
    ReaderNotAllowed,
    /// The reader types what it reads and cannot be silenced.
    ReaderTypes,
    /// The reader could not be taken: its device belongs to another account or program.
    ReaderNotOurs,
}

/// Why a certificate is not trusted (RFC 5280).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    thiserror::Error,
)]
#[serde(rename_all = "kebab-case")]
pub enum Distrust {
    /// The site has configured no issuer to trust.
    #[error("no trusted issuer is configured")]
    NoIssuers,
    /// No path leads to a trusted issuer.
    #[error("issuer is not trusted")]
    UnknownIssuer,
    /// Its time is over.
    #[error("certificate has expired")]
    Expired,
    /// Its time has not come.
    #[error("certificate is not valid yet")]
    NotYetValid,
    /// Its issuer has revoked it.
    #[error("certificate was revoked")]
    Revoked,
    /// The revocation list is missing where the site wants one.
    #[error("revocation list is missing")]
    ListMissing,
    /// The revocation list is older than the site allows.
    #[error("revocation list is too old")]
    ListStale,
    /// It is not for logging in.
    #[error("certificate is not for logging in")]
    WrongPurpose,
    /// It has none of the policies that the site wants (4.2.1.4).
    #[error("certificate has none of the policies that the site wants")]
    WrongPolicy,
    /// It is no certificate, or breaks the rules in another way.
    #[error("certificate is malformed")]
    Malformed,
}
