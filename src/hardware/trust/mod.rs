//! Whether a smart card's certificate is trusted: judged offline, against the issuers the site laid
//! down in its trust directory.
//!
//! ```text
//!  card's certificate --webpki--> intermediates/ --> roots/     path, signatures, dates, purpose
//!                                       |              |
//!                                     crls/          crls/      revoked? list fresh enough?
//! ```
//!
//! - Every certificate of the path needs a list of its issuer, unless the site does without; a list
//!   that is there is always obeyed. Lists past their own `nextUpdate` are stale. The site's age
//!   applies to lists about cards; an issuer's issuer is often offline and publishes once or twice a
//!   year, so there the list's own date counts.
//! - A list from the future says that the cart's clock is wrong, and counts as stale.
//! - Not checked: certificate policies and policy mapping (the PIV authentication policy,
//!   2.16.840.1.101.3.2.1.3.13, and its like: which roots a site lays down decides which cards are
//!   meant), OCSP. Refused: issuers' keys on P-521 or below RSA 2048, SHA-1, name constraints on
//!   directory names. Left out as faults: lists in deltas, in parts by reason, or by another issuer.
//!
//! A verdict never rests on less than webpki's: what this module adds can only refuse. The certificate
//! proves nothing before the card has signed a fresh challenge ([`Trusted::verify_signature`]).

mod authority;
mod certificate;
mod folder;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{
    EndEntityCert, Error, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeId,
    KeyPurposeIdIter, KeyUsage, RequiredEkuNotFoundContext, RevocationOptionsBuilder,
    UnknownStatusPolicy, VerifiedPath,
};

use self::authority::{Authority, RevocationList};
pub use self::certificate::{AgreementKey, SignKey, agreement_key, card_id, subject};
pub use self::folder::Fault;
use self::folder::{Contents, Stamp};
use wardkeep_model::access::cards::Cards;
use wardkeep_model::ports::Distrust;

/// id-kp-clientAuth, 1.3.6.1.5.5.7.3.2 (RFC 5280, 4.2.1.12).
const CLIENT_AUTH: [u8; 8] = [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
/// Microsoft smart-card logon, 1.3.6.1.4.1.311.20.2.2.
const SMART_CARD_LOGON: [u8; 10] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x02];
/// How far the cart's clock may be behind that of whoever issued a list.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// The issuers that a site trusts, and what they have revoked.
pub struct Trust {
    cards: Cards,
    contents: Contents,
    stamps: Vec<Stamp>,
}

/// What the trust directory holds, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Issuers that are trusted by themselves.
    pub roots: usize,
    /// Issuers below them.
    pub intermediates: usize,
    /// Revocation lists.
    pub lists: usize,
    /// How long ago the newest list was issued.
    pub newest_list: Option<Duration>,
    /// How long ago the oldest list was issued.
    pub oldest_list: Option<Duration>,
}

impl Trust {
    /// Reads the site's trust directory. Never fails: what cannot be used is in [`Trust::faults`].
    pub fn load(cards: &Cards) -> Self {
        let mut trust =
            Self { cards: cards.clone(), contents: Contents::default(), stamps: Vec::new() };
        trust.read();
        trust
    }

    /// Reads the directory again if a file in it came, went or changed. True if it did.
    ///
    /// To be called whenever a card is inserted: a new list counts without a restart.
    pub fn refresh(&mut self) -> bool {
        let changed = folder::stamps(&self.cards.trust) != self.stamps;
        if changed {
            self.read();
        }
        changed
    }

    fn read(&mut self) {
        // Looked at before it is read: what changes in between is seen the next time.
        self.stamps = folder::stamps(&self.cards.trust);
        self.contents = folder::read(&self.cards.trust);
    }

    /// Files that are not used, and why.
    pub fn faults(&self) -> &[Fault] {
        &self.contents.faults
    }

    /// What there is, for `doctor` and the page about the cart.
    pub fn facts(&self, now: Timestamp) -> Facts {
        Facts {
            roots: self.contents.roots.len(),
            intermediates: self.contents.intermediates.len(),
            lists: self.contents.lists.len(),
            newest_list: self.contents.lists.first().map(|list| age(list, now)),
            oldest_list: self.contents.lists.last().map(|list| age(list, now)),
        }
    }

    /// Where it is.
    pub fn directory(&self) -> &PathBuf {
        &self.cards.trust
    }

    /// Judges the authentication certificate of a card.
    ///
    /// # Errors
    /// Why it is not trusted.
    pub fn judge(&self, certificate_der: &[u8], now: Timestamp) -> Result<Trusted, Distrust> {
        if self.contents.roots.is_empty() {
            return Err(Distrust::NoIssuers);
        }
        let der = CertificateDer::from(certificate_der);
        let card = EndEntityCert::try_from(&der).map_err(distrust)?;
        let claims = certificate::claims(certificate_der)?;
        // Two readers of one certificate must not see two keys.
        if card.subject_public_key_info().as_ref() != claims.public_key {
            return Err(Distrust::Malformed);
        }
        let (roots, anchors): (Vec<&Authority>, Vec<TrustAnchor<'_>>) =
            self.contents.roots.iter().filter_map(|root| Some((root, root.anchor()?))).unzip();
        let intermediates: Vec<CertificateDer<'_>> =
            self.contents.intermediates.iter().map(|issuer| issuer.der.clone()).collect();
        let examine = |path: &VerifiedPath<'_>| {
            let end = anchors.iter().position(|anchor| std::ptr::eq(anchor, path.anchor()));
            let root = end.and_then(|end| roots.get(end)).ok_or(Error::UnknownIssuer)?;
            within(root, now)?;
            self.is_revoked(path, root, now)
        };
        card.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &intermediates,
            unix(now),
            LogIn,
            None,
            Some(&examine),
        )
        .map_err(distrust)?;
        Ok(Trusted { der: der.clone().into_owned(), key: claims.key, key_bytes: claims.key_bytes })
    }

    /// Looks for every certificate of a path that holds otherwise in its issuer's newest list.
    fn is_revoked(
        &self,
        path: &VerifiedPath<'_>,
        root: &Authority,
        now: Timestamp,
    ) -> Result<(), Error> {
        let ders: Vec<_> = path.intermediate_certificates().map(|issuer| issuer.der()).collect();
        let known = |der: &CertificateDer<'_>| {
            self.contents.intermediates.iter().find(|issuer| issuer.der == *der)
        };
        let issuers: Vec<&Authority> = ders.iter().filter_map(known).chain([root]).collect();
        let claimed = |list: &&RevocationList| issuers.iter().any(|issuer| list.claims(issuer));
        let lists: Vec<&RevocationList> = self.contents.lists.iter().filter(claimed).collect();
        let content: Vec<_> = lists.iter().map(|list| &list.list).collect();
        let Ok(options) = RevocationOptionsBuilder::new(&content) else {
            return if self.cards.crl_required {
                Err(Error::UnknownRevocationStatus)
            } else {
                Ok(())
            };
        };
        let unknown = if self.cards.crl_required {
            UnknownStatusPolicy::Deny
        } else {
            UnknownStatusPolicy::Allow
        };
        let options =
            options.with_status_policy(unknown).with_expiration_policy(ExpirationPolicy::Enforce);
        path.end_entity().verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            std::slice::from_ref(path.anchor()),
            &ders,
            unix(now),
            LogIn,
            Some(options.build()),
            None,
        )?;
        self.are_fresh(&lists, issuers.first().copied().unwrap_or(root), now)
    }

    /// No list is from the future, and the newest that the card's issuer has for each scope is not
    /// older than the site allows. `lists` has the newest first.
    fn are_fresh(
        &self,
        lists: &[&RevocationList],
        issuer: &Authority,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut scopes: Vec<&[u8]> = Vec::new();
        for list in lists {
            let future =
                now.duration_until(list.issued).unsigned_abs() > CLOCK_SKEW && list.issued > now;
            let newest = list.claims(issuer) && !scopes.contains(&list.scope.as_slice());
            if future || newest && age(list, now) > self.cards.crl_age {
                return Err(Error::CrlExpired { time: unix(now), next_update: unix(list.issued) });
            }
            if newest {
                scopes.push(&list.scope);
            }
        }
        Ok(())
    }
}

/// A card's certificate that was found to be trusted.
#[derive(Clone, Debug)]
pub struct Trusted {
    der: CertificateDer<'static>,
    key: SignKey,
    key_bytes: usize,
}

impl Trusted {
    /// What kind of key signs.
    pub fn key(&self) -> SignKey {
        self.key
    }

    /// Length of the RSA modulus, or of a coordinate on the curve, in bytes.
    pub fn key_bytes(&self) -> usize {
        self.key_bytes
    }

    /// The card's key made this signature over this message, with the digest that [`SignKey`] names.
    /// ECDSA signatures are in DER, as cards give them (SP 800-73-4 part 2, appendix A.4).
    pub fn verify_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn SignatureVerificationAlgorithm = match self.key {
            SignKey::P256 => webpki::ring::ECDSA_P256_SHA256,
            SignKey::P384 => webpki::ring::ECDSA_P384_SHA384,
            SignKey::Rsa => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
        };
        EndEntityCert::try_from(&self.der)
            .is_ok_and(|card| card.verify_signature(algorithm, message, signature).is_ok())
    }
}

/// A certificate for logging in: one without a stated purpose, or with one of the two that are meant
/// for it. Issuers of a path that state purposes are held to the same (RFC 5280, 4.2.1.12).
struct LogIn;

impl ExtendedKeyUsageValidator for LogIn {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let accepted = [KeyPurposeId::new(&CLIENT_AUTH), KeyPurposeId::new(&SMART_CARD_LOGON)];
        let mut states_any = false;
        for purpose in purposes {
            if accepted.contains(&purpose?) {
                return Ok(());
            }
            states_any = true;
        }
        if states_any {
            let (required, present) = (KeyUsage::client_auth(), Vec::new());
            Err(Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext { required, present }))
        } else {
            Ok(())
        }
    }
}

/// The root is valid at this time. RFC 5280 leaves that to whoever laid it down; here it is asked.
fn within(root: &Authority, now: Timestamp) -> Result<(), Error> {
    let time = unix(now);
    if now < root.valid_from {
        Err(Error::CertNotValidYet { time, not_before: unix(root.valid_from) })
    } else if now > root.valid_until {
        Err(Error::CertExpired { time, not_after: unix(root.valid_until) })
    } else {
        Ok(())
    }
}

/// How long ago a list was issued; zero for one from the future.
fn age(list: &RevocationList, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(list.issued)).unwrap_or_default()
}

/// Before 1970 nothing was issued.
fn unix(time: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time.as_second()).unwrap_or(0)))
}

/// In the words of the product.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum, open to additions")]
fn distrust(error: Error) -> Distrust {
    match error {
        Error::CertExpired { .. } => Distrust::Expired,
        Error::CertNotValidYet { .. } => Distrust::NotYetValid,
        Error::CertRevoked => Distrust::Revoked,
        Error::CrlExpired { .. } => Distrust::ListStale,
        // There is no list of the issuer, or the one that bears its name is not by it.
        Error::UnknownRevocationStatus
        | Error::IssuerNotCrlSigner
        | Error::InvalidCrlSignatureForPublicKey
        | Error::UnsupportedCrlSignatureAlgorithmContext(_)
        | Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => Distrust::ListMissing,
        // A signature that does not fit means that nobody who is trusted made the certificate.
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => Distrust::UnknownIssuer,
        Error::RequiredEkuNotFoundContext(_) | Error::CaUsedAsEndEntity => Distrust::WrongPurpose,
        _ => Distrust::Malformed,
    }
}
