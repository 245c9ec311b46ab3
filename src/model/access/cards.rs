//! Which smart cards a site trusts.

use std::path::PathBuf;
use std::time::Duration;

/// Which smart cards are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cards {
    /// `cards.trust`: directory of issuers' certificates (`roots/`), intermediate certificates
    /// (`intermediates/`) and revocation lists (`crls/`), PEM or DER.
    pub trust: PathBuf,
    /// `cards.crl_days`: oldest revocation list that still counts, in days since it was issued, 1..=90.
    pub crl_age: Duration,
    /// `cards.crl`: a card without a revocation list of its issuer is refused.
    pub crl_required: bool,
    /// `cards.key_usage`: a card's certificate has to say that its key may sign; one that says nothing of
    /// its key's usage is refused (RFC 5280, 4.2.1.3).
    pub key_usage_required: bool,
    /// `cards.policies`: object identifiers, of which a card's certificate has to name one and every issuer
    /// below the root has to allow it (RFC 5280, 4.2.1.4); empty: the roots alone decide.
    pub policies: Vec<String>,
}

impl Default for Cards {
    fn default() -> Self {
        Self {
            trust: PathBuf::from("/etc/wardkeep/trust"),
            crl_age: Duration::from_secs(7 * 24 * 3600),
            crl_required: true,
            key_usage_required: true,
            policies: vec![],
        }
    }
}
