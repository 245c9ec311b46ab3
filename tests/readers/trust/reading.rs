//! What is read from a certificate, and that any bytes at all are survived.

use proptest::prelude::*;
use rcgen::{DnType, KeyPair, PublicKeyData};
use sha2::{Digest, Sha256};
use wardkeep_hardware::trust::{AgreementKey, Trust, agreement_key, card_id, subject};
use wardkeep_model::access::refusal::Distrust;

use super::{SERIAL, Site, now, signed, today};
use kit::readers::issuers::{Made, card, key, list};

#[test]
fn a_card_is_known_by_its_key_alone() {
    let site = Site::new();
    let (one, other) = (key(), key());
    let certify = |key: &KeyPair, name: &str, serial| {
        card(name, serial, now()).signed_by(key, &site.sub).expect("it").der().to_vec()
    };
    let first = certify(&one, "Jörg Müller", 1);
    let renewed = certify(&one, "Jörg Müller-Lüdenscheidt", 2);
    let foreign = certify(&other, "Jörg Müller", 1);
    let digest: [u8; 32] = Sha256::digest(one.subject_public_key_info()).into();
    assert_eq!(card_id(&first).map(|id| id.0), Some(digest));
    assert_eq!(card_id(&first), card_id(&renewed));
    assert_ne!(card_id(&first), card_id(&foreign));
    assert_eq!(card_id(b"no certificate"), None);
}

#[test]
fn a_subject_is_shown_as_it_is_and_cannot_play_tricks() {
    let site = Site::new();
    let shown = |name: &str| {
        let certificate =
            site.card(|params| params.distinguished_name.push(DnType::CommonName, name));
        subject(&certificate).map(|(subject, until)| (subject.reveal().clone(), until))
    };
    let (text, until) = shown("Jörg Müller").expect("a subject");
    assert_eq!(text, "O=Klinikum,CN=Jörg Müller");
    assert_eq!(until, Some(today(365)));
    let (text, _) = shown("nurse\u{202E}nimda\u{1b}[2J\nO=Root").expect("a subject");
    assert!(!text.chars().any(|c| c.is_control() || c == '\u{202E}'), "{text:?}");
    assert!(text.contains("nurse"), "{text:?}");
    let (text, _) = shown(&"ü".repeat(5_000)).expect("a subject");
    assert_eq!(text.chars().count(), 200);
    assert_eq!(subject(&[]), None);
}

#[test]
fn an_agreement_key_is_on_one_of_two_curves() {
    let site = Site::new();
    let certify = |key: Vec<u8>, algorithm| {
        let made = Made { key, algorithm };
        let certificate = card("Jörg Müller", SERIAL, now()).signed_by(&made, &site.sub);
        agreement_key(certificate.expect("a certificate").der())
    };
    let point =
        |algorithm| KeyPair::generate_for(algorithm).expect("a key").public_key_raw().to_vec();
    let (p256, p384) = (&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384);
    assert!(matches!(certify(point(p256), p256), Some(AgreementKey::P256(_))));
    assert!(matches!(certify(point(p384), p384), Some(AgreementKey::P384(_))));
    let mut outside = point(p256);
    *outside.last_mut().expect("a coordinate") ^= 1;
    for (what, key, algorithm) in [
        ("not on its curve", outside, p256),
        ("of the other curve", point(p384), p256),
        ("the point at infinity", vec![0], p256),
        ("empty", Vec::new(), p384),
        ("RSA", vec![0x30, 0], &rcgen::PKCS_RSA_SHA256),
        ("Ed25519", vec![7; 32], &rcgen::PKCS_ED25519),
    ] {
        assert_eq!(certify(key, algorithm), None, "a key that is {what}");
    }
    assert_eq!(agreement_key(b"\x30\x80"), None);
}

/// Everything that reads a certificate, on one input.
fn read_all(trust: &Trust, bytes: &[u8]) -> Result<(), Distrust> {
    let told = (card_id(bytes), subject(bytes), agreement_key(bytes));
    let judged = trust.judge(bytes, now()).map(|trusted| {
        assert!(!trusted.verify_signature(b"challenge", bytes));
    });
    // What is trusted can be told apart from other cards.
    assert!(judged.is_err() || told.0.is_some());
    judged
}

#[test]
fn every_byte_of_a_certificate_matters() {
    let site = Site::new();
    let trust = Trust::load(&site.folder.cards());
    let good = site.card(|_| ());
    assert_eq!(read_all(&trust, &good), Ok(()));
    for at in 0..good.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut changed = good.clone();
            changed[at] ^= flip;
            assert!(read_all(&trust, &changed).is_err(), "byte {at} changed by {flip:02x}");
        }
        assert!(read_all(&trust, &good[..at]).is_err(), "cut to {at} bytes");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_as_a_certificate(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let site = Site::new();
        let trust = Trust::load(&site.folder.cards());
        prop_assert!(read_all(&trust, &bytes).is_err());
    }

    /// A certificate with some bytes replaced, taken out or put in.
    #[test]
    fn a_mangled_certificate_is_survived(
        at in any::<prop::sample::Index>(),
        length in 0_usize..8,
        with in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let site = Site::new();
        let trust = Trust::load(&site.folder.cards());
        let mut bytes = signed(&site.sub, |_| ());
        let at = at.index(bytes.len());
        let end = (at + length).min(bytes.len());
        let whole = bytes.clone();
        bytes.splice(at..end, with);
        prop_assert!(bytes == whole || read_all(&trust, &bytes).is_err());
    }

    /// Whatever lies in the directory, it loads, and nothing becomes trusted that was not.
    #[test]
    fn a_mangled_directory_is_survived(
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
        file in 0_usize..3,
    ) {
        let site = Site::new();
        let revoked = site.card(|params| params.serial_number = Some(3.into()));
        let (name, mut bytes) = match file {
            0 => ("roots/root.pem", site.root.der().to_vec()),
            1 => ("intermediates/sub.der", site.sub.der().to_vec()),
            _ => ("crls/sub.crl", list(&site.sub, &[3, 4], today(-1), today(6))),
        };
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        site.folder.write(name, &bytes);
        let trust = Trust::load(&site.folder.cards());
        prop_assert!(trust.judge(&revoked, now()).is_err());
    }
}
