//! Delta lists: what an issuer has revoked since its last complete list (RFC 5280, 5.2.4).
//!
//! webpki reads complete lists only. What is read here refuses cards in addition; a delta that takes a
//! certificate back off the list counts with the next complete list. The one thing that it gives is age: an
//! issuer that has said something since its complete list has not fallen silent.

use jiff::Timestamp;
use webpki::EndEntityCert;
use x509_cert::crl::{CertificateList, RevokedCert};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode, Header, Reader, SliceReader};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BaseCrlNumber, CrlNumber, CrlReason, IssuingDistributionPoint};

use crate::trust::authority::{Authority, Number, Origin, RevocationList};
use crate::trust::certificate::instant;

/// A delta list whose signature is not verified yet: that needs its issuer.
pub(super) struct DeltaList {
    pub(super) origin: Origin,
    /// `thisUpdate`.
    pub(super) issued: Timestamp,
    /// `nextUpdate`.
    until: Timestamp,
    /// `cRLNumber`, and that of the oldest complete list that it goes on from.
    number: Number,
    base: Number,
    /// Serial numbers, and whether each was taken off the list.
    entries: Vec<(Vec<u8>, bool)>,
    signed: Vec<u8>,
    /// Content of the AlgorithmIdentifier.
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl DeltaList {
    /// Reads a list; `None` if it is none, is complete, or says something critical that is not known here.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let list = <CertificateList>::from_der(der).ok()?;
        let body = &list.tbs_cert_list;
        let extensions = body.crl_extensions.as_deref().unwrap_or_default();
        let value = |oid| {
            let found = extensions.iter().find(|extension| extension.extn_id == oid);
            found.map(|extension| extension.extn_value.as_bytes())
        };
        let known = [BaseCrlNumber::OID, IssuingDistributionPoint::OID];
        let is_known = |one: &Extension| !one.critical || known.contains(&one.extn_id);
        if !extensions.iter().all(is_known) || body.signature != list.signature_algorithm {
            return None;
        }
        if let Some(scope) = value(IssuingDistributionPoint::OID) {
            let scope = IssuingDistributionPoint::from_der(scope).ok()?;
            if scope.indirect_crl || scope.only_some_reasons.is_some() {
                return None;
            }
        }
        let revoked = body.revoked_certificates.as_deref().unwrap_or_default();
        Some(Self {
            origin: Origin::read(body)?,
            issued: instant(body.this_update)?,
            until: instant(body.next_update?)?,
            number: Number::of(&CrlNumber::from_der(value(CrlNumber::OID)?).ok()?.0),
            base: Number::of(&BaseCrlNumber::from_der(value(BaseCrlNumber::OID)?).ok()?.0),
            entries: revoked.iter().map(entry).collect::<Option<_>>()?,
            signed: body.to_der().ok()?,
            algorithm: content(&list.signature_algorithm.to_der().ok()?)?,
            signature: list.signature.as_bytes()?.to_vec(),
        })
    }

    /// This authority signed it.
    pub(super) fn is_by(&self, authority: &Authority) -> bool {
        self.origin.is_of(authority)
            && authority.may_revoke()
            && EndEntityCert::try_from(&authority.der).is_ok_and(|issuer| {
                webpki::ALL_VERIFICATION_ALGS.iter().any(|algorithm| {
                    *algorithm.signature_alg_id() == *self.algorithm
                        && issuer
                            .verify_signature(*algorithm, &self.signed, &self.signature)
                            .is_ok()
                })
            })
    }

    /// It says more than this complete list of the same scope.
    pub(super) fn is_newer_than(&self, complete: &RevocationList) -> bool {
        self.origin.scope == complete.origin.scope
            && complete
                .number
                .as_ref()
                .map_or(self.issued > complete.issued, |number| self.number > *number)
    }

    /// It goes on from this complete list and its time is not over: together they are the issuer's word.
    pub(super) fn renews(&self, complete: &RevocationList, now: Timestamp) -> bool {
        self.is_newer_than(complete)
            && complete.number.as_ref().is_some_and(|number| self.base <= *number)
            && now <= self.until
    }

    /// What it says of a certificate: revoked, taken off the list, or nothing.
    pub(super) fn revokes(&self, serial: &[u8]) -> Option<bool> {
        let found = self.entries.iter().rfind(|(one, _)| one == serial);
        found.map(|(_, is_taken_off)| !is_taken_off)
    }

    /// For the order in which lists were issued.
    pub(super) fn number(&self) -> &Number {
        &self.number
    }
}

fn entry(revoked: &RevokedCert) -> Option<(Vec<u8>, bool)> {
    let extensions = revoked.crl_entry_extensions.as_deref().unwrap_or_default();
    // Of another issuer, for instance.
    if extensions.iter().any(|extension| extension.critical) {
        return None;
    }
    let reason = extensions.iter().find(|extension| extension.extn_id == CrlReason::OID);
    let reason = reason.and_then(|reason| CrlReason::from_der(reason.extn_value.as_bytes()).ok());
    let is_taken_off = reason == Some(CrlReason::RemoveFromCRL);
    Some((revoked.serial_number.as_bytes().to_vec(), is_taken_off))
}

/// What a DER element holds.
fn content(element: &[u8]) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(element).ok()?;
    Header::decode(&mut reader).ok()?;
    reader.read_slice(reader.remaining_len()).ok().map(<[u8]>::to_vec)
}
