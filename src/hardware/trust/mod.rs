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
//! - A delta list that is newer than its issuer's complete list revokes as well, and shows that the issuer
//!   has not fallen silent (`delta`).
//! - A site may want a policy (the PIV authentication policy is 2.16.840.1.101.3.2.1.3.13): the card has to
//!   name it, and every issuer below the root has to name it or any policy. Policies are not mapped.
//! - Not asked: OCSP. Refused: issuers' keys on P-521 or below RSA 2048, SHA-1, name constraints on
//!   directory names. Left out as faults: lists in parts by reason, or by another issuer.
//!
//! A verdict never rests on less than webpki's: what this module adds can only refuse. The certificate
//! proves nothing before the card has signed a fresh challenge ([`Trusted::verify_signature`]).

mod authority;
mod certificate;
mod delta;
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
use wardkeep_model::access::refusal::Distrust;

/// id-kp-clientAuth, 1.3.6.1.5.5.7.3.2 (RFC 5280, 4.2.1.12).
const CLIENT_AUTH: [u8; 8] = [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
/// Microsoft smart-card logon, 1.3.6.1.4.1.311.20.2.2.
const SMART_CARD_LOGON: [u8; 10] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x02];
/// anyPolicy (RFC 5280, 4.2.1.4).
const ANY_POLICY: &str = "2.5.29.32.0";
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
    /// Complete revocation lists.
    pub lists: usize,
    /// Delta lists.
    pub deltas: usize,
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
            deltas: self.contents.deltas.len(),
            newest_list: self.contents.lists.first().map(|list| age(list.issued, now)),
            oldest_list: self.contents.lists.last().map(|list| age(list.issued, now)),
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
        let claims = certificate::claims(certificate_der, &self.cards)?;
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
            self.allows_policy(certificate_der, path)?;
            self.is_revoked(path, root, now)?;
            self.is_revoked_since(certificate_der, path, root, now)
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

    /// Every issuer below the root allows a policy that the site wants and the card names.
    fn allows_policy(&self, card: &[u8], path: &VerifiedPath<'_>) -> Result<(), Error> {
        let named = certificate::policies(card);
        let issuers: Vec<Vec<String>> = path
            .intermediate_certificates()
            .map(|issuer| certificate::policies(&issuer.der()))
            .collect();
        let allows = |allowed: &Vec<String>, wanted: &String| {
            allowed.iter().any(|one| one == wanted || one == ANY_POLICY)
        };
        let mut wanted = self.cards.policies.iter().filter(|wanted| named.contains(wanted));
        let is_allowed = wanted.any(|wanted| issuers.iter().all(|issuer| allows(issuer, wanted)));
        if self.cards.policies.is_empty() || is_allowed {
            return Ok(());
        }
        let (required, present) = (KeyUsage::client_auth(), Vec::new());
        Err(Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext { required, present }))
    }

    /// Looks for every certificate of a path in its issuer's delta lists.
    fn is_revoked_since(
        &self,
        card: &[u8],
        path: &VerifiedPath<'_>,
        root: &Authority,
        now: Timestamp,
    ) -> Result<(), Error> {
        let ders: Vec<_> = path.intermediate_certificates().map(|issuer| issuer.der()).collect();
        let certificates = [card].into_iter().chain(ders.iter().map(|der| der.as_ref()));
        for (certificate, issuer) in certificates.zip(self.issuers(&ders, root)) {
            let serial = certificate::serial(certificate).ok_or(Error::BadDer)?;
            let mut deltas = self.contents.deltas.iter().filter(|delta| {
                let complete = self.complete(issuer, &delta.origin.scope);
                complete.is_none_or(|complete| delta.is_newer_than(complete)) && delta.is_by(issuer)
            });
            // The newest that says anything of it.
            let said = deltas.find_map(|delta| Some((delta.revokes(&serial)?, delta.issued)));
            if let Some((true, _)) = said {
                return Err(Error::CertRevoked);
            }
            if let Some((_, issued)) = said.filter(|(_, issued)| is_of_future(*issued, now)) {
                return Err(Error::CrlExpired { time: unix(now), next_update: unix(issued) });
            }
        }
        Ok(())
    }

    /// The newest complete list of an issuer for this part of its certificates.
    fn complete(&self, issuer: &Authority, scope: &[u8]) -> Option<&RevocationList> {
        let mut lists = self.contents.lists.iter();
        lists.find(|list| list.origin.is_of(issuer) && list.origin.scope == scope)
    }

    /// Who issued each certificate of a path, the card's first.
    fn issuers<'a>(
        &'a self,
        ders: &[CertificateDer<'_>],
        root: &'a Authority,
    ) -> Vec<&'a Authority> {
        let known = |der: &CertificateDer<'_>| {
            self.contents.intermediates.iter().find(|issuer| issuer.der == *der)
        };
        ders.iter().filter_map(known).chain([root]).collect()
    }

    /// Looks for every certificate of a path that holds otherwise in its issuer's newest list.
    fn is_revoked(
        &self,
        path: &VerifiedPath<'_>,
        root: &Authority,
        now: Timestamp,
    ) -> Result<(), Error> {
        let ders: Vec<_> = path.intermediate_certificates().map(|issuer| issuer.der()).collect();
        let issuers = self.issuers(&ders, root);
        let claimed =
            |list: &&RevocationList| issuers.iter().any(|issuer| list.origin.is_of(issuer));
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
    /// older than the site allows, or goes on in a delta that is not. `lists` has the newest first.
    fn are_fresh(
        &self,
        lists: &[&RevocationList],
        issuer: &Authority,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut scopes: Vec<&[u8]> = Vec::new();
        for list in lists {
            let scope = list.origin.scope.as_slice();
            let newest = list.origin.is_of(issuer) && !scopes.contains(&scope);
            let is_old = || {
                let renewed = self.contents.deltas.iter().any(|delta| {
                    delta.renews(list, now)
                        && age(delta.issued, now) <= self.cards.crl_age
                        && !is_of_future(delta.issued, now)
                        && delta.is_by(issuer)
                });
                age(list.issued, now) > self.cards.crl_age && !renewed
            };
            if is_of_future(list.issued, now) || newest && is_old() {
                return Err(Error::CrlExpired { time: unix(now), next_update: unix(list.issued) });
            }
            if newest {
                scopes.push(scope);
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
fn age(issued: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(issued)).unwrap_or_default()
}

fn is_of_future(issued: Timestamp, now: Timestamp) -> bool {
    issued > now && now.duration_until(issued).unsigned_abs() > CLOCK_SKEW
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
