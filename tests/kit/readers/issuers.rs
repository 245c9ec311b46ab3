//! Pretended authorities that issue cards, revoke them, and make every mistake there is.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::SigningKey;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData,
    RevokedCertParams, SerialNumber, SignatureAlgorithm, date_time_ymd,
};
use tempfile::TempDir;
use wardkeep_model::access::cards::Cards;
use x509_cert::crl::CertificateList;
use x509_cert::der::asn1::{BitString, ObjectIdentifier, OctetString, Uint};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BaseCrlNumber, CrlNumber, CrlReason};

/// Whole days.
const DAY_S: i64 = 24 * 3600;

/// An authority.
pub type Authority = CertifiedIssuer<'static, KeyPair>;

/// The start of a day, so many days after (or before) another moment.
pub fn days(from: Timestamp, days: i64) -> Timestamp {
    let moved = from.as_second() + days * DAY_S;
    Timestamp::from_second(moved - moved.rem_euclid(DAY_S)).expect("a day of our time")
}

/// What a certificate of an authority says unless a test changes it: ten years around `now`.
pub fn authority(name: &str, now: Timestamp) -> CertificateParams {
    let mut params = named(name, now, 3650);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// What a card's certificate says unless a test changes it: a year around `now`.
pub fn card(name: &str, serial: u64, now: Timestamp) -> CertificateParams {
    let mut params = named(name, now, 365);
    params.distinguished_name.push(DnType::OrganizationName, "Klinikum");
    params.serial_number = Some(SerialNumber::from(serial));
    params.is_ca = IsCa::NoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn named(name: &str, now: Timestamp, days_around: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    valid(&mut params, days(now, -days_around), days(now, days_around));
    params.use_authority_key_identifier_extension = true;
    params
}

/// Year, month and day, as certificates and lists are dated.
fn ymd(at: Timestamp) -> (i32, u8, u8) {
    let civil = at.to_zoned(TimeZone::UTC).date();
    (i32::from(civil.year()), civil.month().unsigned_abs(), civil.day().unsigned_abs())
}

/// Makes a certificate valid between these two moments, to the day.
pub fn valid(params: &mut CertificateParams, from: Timestamp, until: Timestamp) {
    let ((year, month, day), (last_year, last_month, last_day)) = (ymd(from), ymd(until));
    params.not_before = date_time_ymd(year, month, day);
    params.not_after = date_time_ymd(last_year, last_month, last_day);
}

/// A root.
pub fn root(params: CertificateParams) -> Authority {
    CertifiedIssuer::self_signed(params, key()).expect("a root")
}

/// An authority below another.
pub fn below(params: CertificateParams, issuer: &Authority) -> Authority {
    CertifiedIssuer::signed_by(params, key(), issuer).expect("an intermediate")
}

/// A key on P-256.
pub fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// A list of these serial numbers, issued and to be followed at these times, to the day.
pub fn list(issuer: &Authority, serials: &[u64], issued: Timestamp, next: Timestamp) -> Vec<u8> {
    let ((year, month, day), (next_year, next_month, next_day)) = (ymd(issued), ymd(next));
    let revoked = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(year, month, day),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(year, month, day),
        next_update: date_time_ymd(next_year, next_month, next_day),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).expect("a list").der().to_vec()
}

/// A delta list: what was revoked, or taken off the list, since the complete list of number `base`.
pub fn delta(
    issuer: &Authority,
    (number, base): (u8, u8),
    serials: &[(u64, bool)],
    (issued, next): (Timestamp, Timestamp),
) -> Vec<u8> {
    let all: Vec<u64> = serials.iter().map(|(serial, _)| *serial).collect();
    let complete = list(issuer, &all, issued, next);
    let mut delta = <CertificateList>::from_der(&complete).expect("a list");
    let body = &mut delta.tbs_cert_list;
    let number = CrlNumber(Uint::new(&[number]).expect("a number"));
    let base = BaseCrlNumber(Uint::new(&[base]).expect("a number"));
    let extensions = body.crl_extensions.get_or_insert_default();
    extensions.retain(|extension| extension.extn_id != CrlNumber::OID);
    extensions.push(extension(CrlNumber::OID, false, &number));
    extensions.push(extension(BaseCrlNumber::OID, true, &base));
    for (revoked, (_, is_taken_off)) in body.revoked_certificates.iter_mut().flatten().zip(serials)
    {
        let reason = extension(CrlReason::OID, false, &CrlReason::RemoveFromCRL);
        revoked.crl_entry_extensions = is_taken_off.then(|| vec![reason]);
    }
    let signed = body.to_der().expect("a list");
    let signature = issuer.key().sign(&signed).expect("a signature");
    delta.signature = BitString::from_bytes(&signature).expect("a signature");
    delta.to_der().expect("a list")
}

fn extension(extn_id: ObjectIdentifier, critical: bool, value: &impl Encode) -> Extension {
    let value = value.to_der().expect("an extension");
    Extension { extn_id, critical, extn_value: OctetString::new(value).expect("an extension") }
}

/// A trust directory as a site lays it down.
pub struct TrustFolder(TempDir);

impl Default for TrustFolder {
    fn default() -> Self {
        Self::new()
    }
}

impl TrustFolder {
    /// With its three places, empty.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        for place in ["roots", "intermediates", "crls"] {
            std::fs::create_dir(folder.path().join(place)).expect("a directory");
        }
        Self(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, e.g. `roots/a.der`.
    pub fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(file), bytes).expect("a file in the trust directory");
    }

    /// Removes one.
    pub fn remove(&self, file: &str) {
        std::fs::remove_file(self.path().join(file)).expect("a file in the trust directory");
    }

    /// The site's settings: lists at most a week old, and required.
    pub fn cards(&self) -> Cards {
        let crl_age = Duration::from_secs(7 * 24 * 3600);
        Cards { trust: self.path().to_owned(), crl_age, ..Cards::default() }
    }
}

/// A public key alone, for keys that are made elsewhere.
pub struct Made {
    /// The content of the SubjectPublicKeyInfo's bit string.
    pub key: Vec<u8>,
    /// Its kind.
    pub algorithm: &'static SignatureAlgorithm,
}

impl PublicKeyData for Made {
    fn der_bytes(&self) -> &[u8] {
        &self.key
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}
