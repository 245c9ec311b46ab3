//! What a smart card's certificate says: whose it is, which key, until when. Total on any bytes.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, Uint};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{CertificatePolicies, KeyUsage};
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::Time;

use wardkeep_model::access::cards::Cards;
use wardkeep_model::access::factor::CardId;
use wardkeep_model::access::refusal::Distrust;
use wardkeep_model::confidential::Phi;
use wardkeep_model::untrusted;

/// rsaEncryption (RFC 8017, appendix C).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-ecPublicKey (RFC 5480, 2.1.1).
const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// secp256r1 (RFC 5480, 2.1.1.1).
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// secp384r1.
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// Bytes of an RSA modulus that a card may have (SP 800-78-5, table 1, and 4096 bits).
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
/// Longest subject that is shown, in characters.
const SUBJECT_CHARS_MAX: usize = 200;

/// What kind of key a card signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignKey {
    /// ECDSA on P-256, of a SHA-256 digest.
    P256,
    /// ECDSA on P-384, of a SHA-384 digest.
    P384,
    /// RSA of 2048 to 4096 bits, PKCS #1 version 1.5, of a SHA-256 digest.
    Rsa,
}

/// The public half of a card's key-management key (slot 9D).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreementKey {
    /// On P-256.
    P256(p256::PublicKey),
    /// On P-384.
    P384(p384::PublicKey),
}

/// Identity of the card with this authentication certificate: SHA-256 over the DER of its
/// SubjectPublicKeyInfo. `None` if it is no certificate.
pub fn card_id(certificate_der: &[u8]) -> Option<CardId> {
    let key = read(certificate_der)?.tbs_certificate().subject_public_key_info().to_der().ok()?;
    Some(CardId(Sha256::digest(key).into()))
}

/// Whom the certificate names, as in RFC 4514, and when it ends. `None` if it is no certificate.
///
/// Anybody can write a certificate: its text is cleaned as [`untrusted`] says, and cut to 200
/// characters.
pub fn subject(certificate_der: &[u8]) -> Option<(Phi<String>, Option<Timestamp>)> {
    let certificate = read(certificate_der)?;
    let body = certificate.tbs_certificate();
    let mut text = String::new();
    std::fmt::write(&mut text, format_args!("{}", body.subject())).ok()?;
    let subject = Phi::new(untrusted::clean(&text, SUBJECT_CHARS_MAX));
    Some((subject, instant(body.validity().not_after)))
}

/// The key that a 9D certificate is of. `None` for RSA, another curve, or a point that is not on it.
pub fn agreement_key(certificate_der: &[u8]) -> Option<AgreementKey> {
    let certificate = read(certificate_der)?;
    let key = certificate.tbs_certificate().subject_public_key_info();
    let point = key.subject_public_key.as_bytes()?;
    match curve(key)? {
        P256 => p256::PublicKey::from_sec1_bytes(point).ok().map(AgreementKey::P256),
        P384 => p384::PublicKey::from_sec1_bytes(point).ok().map(AgreementKey::P384),
        _ => None,
    }
}

/// What a card's authentication certificate says beyond what webpki looks at.
pub(super) struct Claims {
    pub(super) key: SignKey,
    /// Length of the modulus or of a coordinate, in bytes.
    pub(super) key_bytes: usize,
    /// DER of the SubjectPublicKeyInfo.
    pub(super) public_key: Vec<u8>,
}

/// Reads them.
///
/// # Errors
/// `Malformed` for what is no certificate or has a weak or unknown key; `WrongPurpose` for a key that
/// may not sign challenges (RFC 5280, 4.2.1.3); `WrongPolicy` for one without a policy that is wanted.
pub(super) fn claims(certificate_der: &[u8], cards: &Cards) -> Result<Claims, Distrust> {
    let certificate = read(certificate_der).ok_or(Distrust::Malformed)?;
    let body = certificate.tbs_certificate();
    let usage = body.get_extension::<KeyUsage>().map_err(|_| Distrust::Malformed)?;
    if !usage.map_or(!cards.key_usage_required, |(_, usage)| usage.digital_signature()) {
        return Err(Distrust::WrongPurpose);
    }
    let policies = policies(certificate_der);
    if !cards.policies.is_empty() && !cards.policies.iter().any(|one| policies.contains(one)) {
        return Err(Distrust::WrongPolicy);
    }
    let key = body.subject_public_key_info();
    let (kind, key_bytes) = sign_key(key).ok_or(Distrust::Malformed)?;
    let public_key = key.to_der().map_err(|_| Distrust::Malformed)?;
    Ok(Claims { key: kind, key_bytes, public_key })
}

/// Object identifiers of the policies that a certificate names (RFC 5280, 4.2.1.4); none for one that
/// cannot be read.
pub(super) fn policies(certificate_der: &[u8]) -> Vec<String> {
    let extension = |certificate: Certificate| {
        certificate.tbs_certificate().get_extension::<CertificatePolicies>().ok()?
    };
    let policies = read(certificate_der).and_then(extension);
    let named = policies.into_iter().flat_map(|(_, policies)| policies.0);
    named.map(|policy| policy.policy_identifier.to_string()).collect()
}

/// Serial number, without leading zeros of its sign.
pub(super) fn serial(certificate_der: &[u8]) -> Option<Vec<u8>> {
    let certificate = read(certificate_der)?;
    Some(certificate.tbs_certificate().serial_number().as_bytes().to_vec())
}

fn sign_key(key: &SubjectPublicKeyInfoOwned) -> Option<(SignKey, usize)> {
    if key.algorithm.oid == RSA {
        // SEQUENCE of modulus and public exponent (RFC 8017, appendix A.1.1).
        let numbers = Vec::<Uint>::from_der(key.subject_public_key.as_bytes()?).ok()?;
        let [modulus, _] = numbers.as_slice() else { return None };
        let bytes = modulus.as_bytes().len();
        return RSA_BYTES.contains(&bytes).then_some((SignKey::Rsa, bytes));
    }
    match curve(key)? {
        P256 => Some((SignKey::P256, 32)),
        P384 => Some((SignKey::P384, 48)),
        _ => None,
    }
}

fn curve(key: &SubjectPublicKeyInfoOwned) -> Option<ObjectIdentifier> {
    let parameters = key.algorithm.parameters.as_ref()?;
    (key.algorithm.oid == ELLIPTIC).then(|| parameters.decode_as().ok())?
}

fn read(certificate_der: &[u8]) -> Option<Certificate> {
    Certificate::from_der(certificate_der).ok()
}

/// When a certificate or a list says something begins or ends.
pub(super) fn instant(time: Time) -> Option<Timestamp> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
    Timestamp::from_second(seconds).ok()
}
