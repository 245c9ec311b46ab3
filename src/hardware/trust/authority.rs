//! Who issues cards and who revokes them: issuers' certificates and revocation lists, read once.
//!
//! What is taken from them here only chooses what webpki then verifies: a wrong name or key identifier
//! leads to a signature that does not fit, never to trust.

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use webpki::{CertRevocationList, OwnedCertRevocationList};
use x509_cert::Certificate;
use x509_cert::crl::CertificateList;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, IssuingDistributionPoint, KeyUsage,
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
        Some(Self {
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

    /// As the end of a path.
    pub(super) fn anchor(&self) -> Option<TrustAnchor<'_>> {
        webpki::anchor_from_trusted_cert(&self.der).ok()
    }
}

/// A revocation list whose signature is not verified yet: that needs its issuer.
pub(super) struct RevocationList {
    pub(super) list: CertRevocationList<'static>,
    /// `thisUpdate`.
    pub(super) issued: Timestamp,
    issuer: Vec<u8>,
    key_identifier: Option<Vec<u8>>,
    /// Which part of its issuer's certificates it speaks of (RFC 5280, 5.2.5); empty for all.
    pub(super) scope: Vec<u8>,
}

impl RevocationList {
    /// Reads a list; `None` if it is none, or of a kind that webpki does not support.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let parsed = <CertificateList>::from_der(der).ok()?.tbs_cert_list;
        let extensions = parsed.crl_extensions.unwrap_or_default();
        let value = |oid| {
            let found = extensions.iter().find(|extension| extension.extn_id == oid);
            found.map(|extension| extension.extn_value.as_bytes())
        };
        let key_identifier = value(AuthorityKeyIdentifier::OID)
            .and_then(|value| AuthorityKeyIdentifier::from_der(value).ok())
            .and_then(|identifier| identifier.key_identifier);
        Some(Self {
            list: OwnedCertRevocationList::from_der(der).ok()?.into(),
            issued: instant(parsed.this_update)?,
            issuer: parsed.issuer.to_der().ok()?,
            key_identifier: key_identifier.map(|id| id.as_bytes().to_vec()),
            scope: value(IssuingDistributionPoint::OID).unwrap_or_default().to_vec(),
        })
    }

    /// It says that this authority signed it. An issuer that has changed its key keeps its name and
    /// publishes a list for each key.
    pub(super) fn claims(&self, authority: &Authority) -> bool {
        self.issuer == authority.name
            && match (&self.key_identifier, &authority.key_identifier) {
                (Some(one), Some(other)) => one == other,
                (None, _) | (_, None) => true,
            }
    }
}
