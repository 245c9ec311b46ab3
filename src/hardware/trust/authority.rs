//! Who issues cards and who revokes them: issuers' certificates and revocation lists, read once.
//!
//! What is taken from them here only chooses what webpki then verifies: a wrong name or key identifier
//! leads to a signature that does not fit, never to trust.

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use webpki::{CertRevocationList, OwnedCertRevocationList};
use x509_cert::Certificate;
use x509_cert::crl::{CertificateList, TbsCertList};
use x509_cert::der::asn1::{ObjectIdentifier, Uint};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlNumber, IssuingDistributionPoint, KeyUsage,
    SubjectKeyIdentifier,
};

use crate::trust::certificate::instant;

/// An issuer.
pub(super) struct Authority {
    pub(super) der: CertificateDer<'static>,
    pub(super) valid_from: Timestamp,
    pub(super) valid_until: Timestamp,
    /// DER of its name.
    name: Vec<u8>,
    /// RFC 5280, 4.2.1.2.
    key_identifier: Option<Vec<u8>>,
    may_issue: bool,
    may_revoke: bool,
}

impl Authority {
    /// Reads a certificate; `None` if it is none, or not of version 3.
    pub(super) fn read(der: CertificateDer<'static>) -> Option<Self> {
        // What webpki does not understand would make every path through it fail.
        webpki::EndEntityCert::try_from(&der).ok()?;
        let certificate = Certificate::from_der(&der).ok()?;
        let body = certificate.tbs_certificate();
        let constraints = body.get_extension::<BasicConstraints>().ok()?;
        let usage = body.get_extension::<KeyUsage>().ok()?;
        let key_identifier = body.get_extension::<SubjectKeyIdentifier>().ok()?;
        let may_revoke = usage.as_ref().is_none_or(|(_, usage)| usage.crl_sign());
        Some(Self {
            may_revoke,
            valid_from: instant(body.validity().not_before)?,
            valid_until: instant(body.validity().not_after)?,
            name: body.subject().to_der().ok()?,
            key_identifier: key_identifier.map(|(_, id)| id.0.as_bytes().to_vec()),
            may_issue: constraints.is_some_and(|(_, constraints)| constraints.ca)
                && usage.is_none_or(|(_, usage)| usage.key_cert_sign()),
            der,
        })
    }

    /// It is the certificate of an issuer, by its own extensions.
    pub(super) fn may_issue(&self) -> bool {
        self.may_issue
    }

    /// Its key may sign revocation lists (RFC 5280, 4.2.1.3).
    pub(super) fn may_revoke(&self) -> bool {
        self.may_revoke
    }

    /// As the end of a path.
    pub(super) fn anchor(&self) -> Option<TrustAnchor<'_>> {
        webpki::anchor_from_trusted_cert(&self.der).ok()
    }
}

/// Whose a list says it is, and of which of their certificates it speaks.
pub(super) struct Origin {
    issuer: Vec<u8>,
    key_identifier: Option<Vec<u8>>,
    /// Which part of its issuer's certificates (RFC 5280, 5.2.5); empty for all.
    pub(super) scope: Vec<u8>,
}

impl Origin {
    /// `None` for an issuer that cannot be named.
    pub(super) fn read(list: &TbsCertList) -> Option<Self> {
        let key_identifier = value(list, AuthorityKeyIdentifier::OID)
            .and_then(|value| AuthorityKeyIdentifier::from_der(value).ok())
            .and_then(|identifier| identifier.key_identifier);
        Some(Self {
            issuer: list.issuer.to_der().ok()?,
            key_identifier: key_identifier.map(|id| id.as_bytes().to_vec()),
            scope: value(list, IssuingDistributionPoint::OID).unwrap_or_default().to_vec(),
        })
    }

    /// It says that this authority signed it. An issuer that has changed its key keeps its name and
    /// publishes a list for each key.
    pub(super) fn is_of(&self, authority: &Authority) -> bool {
        self.issuer == authority.name
            && match (&self.key_identifier, &authority.key_identifier) {
                (Some(one), Some(other)) => one == other,
                (None, _) | (_, None) => true,
            }
    }
}

/// The content of an extension of a list.
fn value(list: &TbsCertList, oid: ObjectIdentifier) -> Option<&[u8]> {
    let extensions = list.crl_extensions.as_deref().unwrap_or_default();
    let found = extensions.iter().find(|extension| extension.extn_id == oid);
    found.map(|extension| extension.extn_value.as_bytes())
}

/// A number of a list (RFC 5280, 5.2.3): up to 20 bytes, ordered as a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(usize, Vec<u8>);

impl Number {
    pub(super) fn of(number: &Uint) -> Self {
        let bytes: Vec<u8> =
            number.as_bytes().iter().skip_while(|byte| **byte == 0).copied().collect();
        Self(bytes.len(), bytes)
    }
}

/// A complete revocation list whose signature is not verified yet: that needs its issuer.
pub(super) struct RevocationList {
    pub(super) list: CertRevocationList<'static>,
    pub(super) origin: Origin,
    /// `thisUpdate`.
    pub(super) issued: Timestamp,
    /// `cRLNumber`.
    pub(super) number: Option<Number>,
}

impl RevocationList {
    /// Reads a list; `None` if it is none, or of a kind that webpki does not support.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let parsed = <CertificateList>::from_der(der).ok()?.tbs_cert_list;
        let number =
            value(&parsed, CrlNumber::OID).and_then(|value| CrlNumber::from_der(value).ok());
        Some(Self {
            list: OwnedCertRevocationList::from_der(der).ok()?.into(),
            origin: Origin::read(&parsed)?,
            issued: instant(parsed.this_update)?,
            number: number.map(|number| Number::of(&number.0)),
        })
    }
}
