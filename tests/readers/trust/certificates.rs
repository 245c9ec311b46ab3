//! Good and bad certificates of cards and of their issuers.
//!
//! Each bad one differs from a good one in one thing, and the good one is accepted first, so that the
//! one thing is what is refused.

use std::process::Command;
use std::time::Duration;

use rcgen::{
    BasicConstraints::{self, Unconstrained},
    CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair,
    KeyUsagePurpose, NameConstraints, SanType, SigningKey,
};
use wardkeep_hardware::trust::{Fault, SignKey, Trust};
use wardkeep_model::access::cards::Cards;
use wardkeep_model::access::refusal::Distrust::{
    Expired, Malformed, NotYetValid, Revoked, UnknownIssuer, WrongPolicy, WrongPurpose,
};
use wardkeep_model::moment::Moment;

use super::{SERIAL, Site, now, signed, sub_params, today};
use kit::namespace::skipped;
use kit::readers::issuers::{
    Made, TrustFolder, authority, below, card, days, key, list, root, valid,
};

#[test]
fn a_card_of_a_known_issuer_is_trusted_and_its_signature_counts() {
    let site = Site::new();
    let trust = Trust::load(&site.folder.cards());
    for (algorithm, kind, bytes) in [
        (&rcgen::PKCS_ECDSA_P256_SHA256, SignKey::P256, 32),
        (&rcgen::PKCS_ECDSA_P384_SHA384, SignKey::P384, 48),
    ] {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let params = card("Jörg Müller", SERIAL, now());
        let certificate = params.signed_by(&key, &site.sub).expect("a certificate");
        let trusted = trust.judge(certificate.der(), now()).expect("trusted");
        assert_eq!((trusted.key(), trusted.key_bytes()), (kind, bytes));
        let signature = key.sign(b"challenge").expect("a signature");
        assert!(trusted.verify_signature(b"challenge", &signature));
        assert!(!trusted.verify_signature(b"Challenge", &signature));
        assert!(!trusted.verify_signature(b"challenge", &signature[1..]));
        assert!(!trusted.verify_signature(b"challenge", &[]));
        let other = KeyPair::generate_for(algorithm).expect("a key");
        let foreign = other.sign(b"challenge").expect("a signature");
        assert!(!trusted.verify_signature(b"challenge", &foreign));
    }
}

/// rcgen makes no RSA keys, so OpenSSL does.
#[test]
fn an_rsa_card_is_trusted_from_2048_bits_on() {
    let site = Site::new();
    let trust = Trust::load(&site.folder.cards());
    for (bits, expected) in [("2048", Ok(256)), ("3072", Ok(384)), ("1024", Err(Malformed))] {
        let Some((private, public)) = rsa(bits) else {
            return skipped("an_rsa_card_is_trusted_from_2048_bits_on", "openssl is not installed");
        };
        let made = Made { key: public, algorithm: &rcgen::PKCS_RSA_SHA256 };
        let params = card("Jörg Müller", SERIAL, now());
        let certificate = params.signed_by(&made, &site.sub).expect("a certificate");
        let judged = trust.judge(certificate.der(), now());
        assert_eq!(judged.as_ref().map(|trusted| trusted.key_bytes()), expected.as_ref().copied());
        let Ok(trusted) = judged else { continue };
        assert_eq!(trusted.key(), SignKey::Rsa);
        // Signs with PKCS #1 version 1.5 and SHA-256, as the driver has a card do.
        let key = KeyPair::from_pem(&private).expect("an RSA key");
        let signature = key.sign(b"challenge").expect("a signature");
        assert!(trusted.verify_signature(b"challenge", &signature));
        assert!(!trusted.verify_signature(b"Challenge", &signature));
    }
}

/// OpenSSL issues with the same authority: an opinion of its own about what a certificate is.
#[test]
fn a_card_issued_by_openssl_is_trusted_unless_it_is_signed_with_sha_1() {
    let site = Site::new();
    let desk = tempfile::tempdir().expect("a temporary directory");
    let file = |name: &str, content: &str| {
        let file = desk.path().join(name);
        std::fs::write(&file, content).expect("a file");
        file
    };
    let (ca, ca_key) =
        (file("ca.pem", &site.sub.pem()), file("ca.key", &site.sub.key().serialize_pem()));
    let card_key = file("card.key", &key().serialize_pem());
    let extensions = file("extensions", "keyUsage=digitalSignature\nextendedKeyUsage=clientAuth\n");
    let request = desk.path().join("request");
    let ask = Command::new("openssl")
        .args(["req", "-new", "-subj", "/CN=Card", "-key"])
        .args([card_key.as_os_str(), "-out".as_ref(), request.as_os_str()])
        .output();
    if ask.is_err() {
        return skipped(
            "a_card_issued_by_openssl_is_trusted_unless_it_is_signed_with_sha_1",
            "openssl is not installed",
        );
    }
    for (digest, expected) in
        [("-sha256", Ok(SignKey::P256)), ("-sha384", Ok(SignKey::P256)), ("-sha1", Err(Malformed))]
    {
        let issued = Command::new("openssl")
            .args(["x509", "-req", "-outform", "DER", "-set_serial", "81", digest, "-in"])
            .args([request.as_os_str(), "-CA".as_ref(), ca.as_os_str(), "-CAkey".as_ref()])
            .args([ca_key.as_os_str(), "-extfile".as_ref(), extensions.as_os_str()])
            .output()
            .expect("it ran a moment ago");
        assert!(issued.status.success(), "{}", String::from_utf8_lossy(&issued.stderr));
        // Issued just now, by OpenSSL's clock.
        let wall = Moment::read().wall + Duration::from_secs(60);
        site.folder.write("crls/root.crl", list(&site.root, &[], days(wall, -3), days(wall, 30)));
        site.folder.write("crls/sub.crl", list(&site.sub, &[], days(wall, -1), days(wall, 6)));
        let trust = Trust::load(&site.folder.cards());
        let judged = trust.judge(&issued.stdout, wall).map(|trusted| trusted.key());
        assert_eq!(judged, expected, "{digest}");
    }
}

/// A fresh RSA key as PEM, and its public half as PKCS #1.
fn rsa(bits: &str) -> Option<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("key.pem");
    let openssl = |arguments: &[&str]| {
        Command::new("openssl").args(arguments).arg(&file).output().map(|output| output.stdout)
    };
    let size = format!("rsa_keygen_bits:{bits}");
    openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", &size, "-out"]).ok()?;
    let public = openssl(&["rsa", "-outform", "DER", "-RSAPublicKey_out", "-in"]);
    Some((std::fs::read_to_string(&file).ok()?, public.ok()?))
}

/// One certificate for each rule, and what each is refused as.
#[test]
fn bad_certificates_are_refused_with_the_reason() {
    let site = Site::new();
    let good = site.card(|_| ());
    assert_eq!(site.judge(&good), Ok(SignKey::P256));
    let stranger = root(authority("Stranger", now()));
    let namesake = root(authority("Cards", now()));
    let own = key();
    let mut own_params = card("Jörg Müller", SERIAL, now());
    own_params.distinguished_name.push(rcgen::DnType::CommonName, "Cards");
    let mut bent = good.clone();
    *bent.last_mut().expect("a signature") ^= 1;
    let usage = |purpose| site.card(|params| params.extended_key_usages = vec![purpose]);
    let ed25519 = Made { key: vec![7; 32], algorithm: &rcgen::PKCS_ED25519 };
    let odd_key = card("Jörg Müller", SERIAL, now()).signed_by(&ed25519, &site.sub);
    for (what, certificate, expected) in [
        ("expired", site.card(|p| valid(p, today(-9), today(-1))), Expired),
        ("not yet valid", site.card(|p| valid(p, today(1), today(9))), NotYetValid),
        ("of an unknown root", signed(&stranger, |_| ()), UnknownIssuer),
        ("of a namesake of the issuer", signed(&namesake, |_| ()), UnknownIssuer),
        (
            "self-signed",
            card("Jörg Müller", SERIAL, now()).self_signed(&own).expect("it").der().to_vec(),
            UnknownIssuer,
        ),
        (
            "self-signed in the issuer's name",
            own_params.self_signed(&own).expect("it").der().to_vec(),
            UnknownIssuer,
        ),
        ("with a bent signature", bent, UnknownIssuer),
        ("for web servers", usage(ExtendedKeyUsagePurpose::ServerAuth), WrongPurpose),
        ("for anything", usage(ExtendedKeyUsagePurpose::Any), WrongPurpose),
        (
            "with a key for encryption",
            site.card(|p| p.key_usages = vec![KeyUsagePurpose::KeyEncipherment]),
            WrongPurpose,
        ),
        ("an issuer's", site.card(|p| p.is_ca = IsCa::Ca(Unconstrained)), WrongPurpose),
        ("the issuer itself", site.sub.der().to_vec(), WrongPurpose),
        ("revoked", site.card(|p| p.serial_number = Some(3.into())), Revoked),
        ("garbage", b"no certificate at all".to_vec(), Malformed),
        ("empty", Vec::new(), Malformed),
        ("followed by a byte", [good.as_slice(), &[0]].concat(), Malformed),
        ("cut short", good[..good.len() - 1].to_vec(), Malformed),
        ("a revocation list", list(&site.sub, &[], today(-1), today(6)), Malformed),
        ("of a key that cards do not have", odd_key.expect("it").der().to_vec(), Malformed),
    ] {
        assert_eq!(site.judge(&certificate), Err(expected), "a certificate that is {what}");
    }
}

#[test]
fn a_purpose_may_be_absent_or_one_of_two() {
    let site = Site::new();
    let logon = ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 2]);
    let server = ExtendedKeyUsagePurpose::ServerAuth;
    for purposes in [vec![], vec![logon.clone()], vec![server, logon]] {
        let certificate = site.card(|params| params.extended_key_usages = purposes.clone());
        assert_eq!(site.judge(&certificate), Ok(SignKey::P256), "{purposes:?}");
    }
}

/// A site whose authority below the root is what `change` makes of it.
fn bad_path(change: impl FnOnce(&mut CertificateParams)) -> (Site, Vec<u8>) {
    let mut site = Site::new();
    let mut params = sub_params();
    change(&mut params);
    site.sub = below(params, &site.root);
    site.folder.write("intermediates/sub.der", site.sub.der());
    site.folder.write("crls/sub.crl", list(&site.sub, &[], today(-1), today(6)));
    let card = site.card(|params| {
        params.subject_alt_names = vec![SanType::DnsName("other.example".try_into().expect("it"))];
    });
    (site, card)
}

#[test]
fn bad_paths_are_refused_with_the_reason() {
    let (site, card) = bad_path(|_| ());
    assert_eq!(site.judge(&card), Ok(SignKey::P256));
    let (site, card) = bad_path(|params| valid(params, today(-9), today(-1)));
    assert_eq!(site.judge(&card), Err(Expired), "the issuer has expired");
    let (site, card) = bad_path(|params| params.serial_number = Some(2.into()));
    assert_eq!(site.judge(&card), Err(Revoked), "the issuer was revoked");
    let (site, card) = bad_path(|params| {
        let permitted_subtrees = vec![GeneralSubtree::DnsName("klinikum.example".into())];
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    });
    assert_eq!(site.judge(&card), Err(Malformed), "the issuer may not issue for this name");
    let (site, card) = bad_path(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    });
    assert_eq!(site.judge(&card), Err(WrongPurpose), "the issuer is for something else");
}

#[test]
fn a_path_is_not_longer_than_an_issuer_allows() {
    let site = Site::new();
    let mut params = sub_params();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let first = below(params, &site.root);
    let second = below(authority("Ward", now()), &first);
    site.folder.write("intermediates/sub.der", [first.pem(), second.pem()].concat());
    site.folder.write("crls/sub.crl", list(&first, &[], today(-1), today(6)));
    site.folder.write("crls/ward.crl", list(&second, &[], today(-1), today(6)));
    assert_eq!(site.judge(&signed(&first, |_| ())), Ok(SignKey::P256));
    assert_eq!(site.judge(&signed(&second, |_| ())), Err(Malformed));
}

/// What is not an issuer's certificate is not even loaded, so nothing it signed has a path.
#[test]
fn what_may_not_issue_issues_nothing() {
    let site = Site::new();
    let issuer_s = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let lists_only = vec![KeyUsagePurpose::CrlSign];
    for (what, is_ca, usages) in [
        ("not an authority", IsCa::ExplicitNoCa, issuer_s.clone()),
        ("silent about it", IsCa::NoCa, issuer_s),
        ("for signing lists alone", IsCa::Ca(Unconstrained), lists_only),
    ] {
        let mut params = sub_params();
        (params.is_ca, params.key_usages) = (is_ca, usages);
        let sub = below(params, &site.root);
        site.folder.write("intermediates/sub.der", sub.der());
        let trust = Trust::load(&site.folder.cards());
        let fault = Fault::NotAnIssuer("intermediates/sub.der".into());
        assert_eq!(trust.faults(), [fault], "{what}");
        let judged = trust.judge(&signed(&sub, |_| ()), now());
        assert_eq!(judged.err(), Some(UnknownIssuer), "{what}");
    }
    // Nor does a card that somebody took for a root.
    let leaf = site.card(|_| ());
    site.folder.write("roots/card.der", &leaf);
    let trust = Trust::load(&site.folder.cards());
    assert!(trust.faults().contains(&Fault::NotAnIssuer("roots/card.der".into())));
}

#[test]
fn a_root_ends_too() {
    let mut params = authority("Root", now());
    valid(&mut params, today(-99), today(-1));
    let old = root(params);
    let folder = TrustFolder::new();
    folder.write("roots/old.pem", old.pem());
    folder.write("crls/old.crl", list(&old, &[], today(-1), today(6)));
    let trust = Trust::load(&folder.cards());
    assert_eq!(trust.judge(&signed(&old, |_| ()), now()).err(), Some(Expired));
    assert!(trust.judge(&signed(&old, |_| ()), today(-2)).is_err(), "its list is from the future");
    folder.write("crls/old.crl", list(&old, &[], today(-3), today(6)));
    let trust = Trust::load(&folder.cards());
    assert!(trust.judge(&signed(&old, |_| ()), today(-2)).is_ok());
}

/// Certificate policies (RFC 5280, 4.2.1.4) with these identifiers, each as DER.
fn policies(identifiers: &[&[u8]]) -> CustomExtension {
    let information = |identifier: &&[u8]| {
        let length = u8::try_from(identifier.len()).expect("short");
        [&[0x30, length + 2, 0x06, length][..], identifier].concat()
    };
    let all: Vec<u8> = identifiers.iter().flat_map(information).collect();
    let length = u8::try_from(all.len()).expect("short");
    let content = [&[0x30, length][..], &all].concat();
    CustomExtension::from_oid_content(&[2, 5, 29, 32], content)
}

/// 2.16.840.1.101.3.2.1.3.13, 2.16.840.1.101.3.2.1.3.17 and anyPolicy.
const AUTHENTICATION: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x02, 0x01, 0x03];
const ANY: [u8; 4] = [0x55, 0x1D, 0x20, 0x00];

#[test]
fn a_site_that_wants_a_policy_refuses_cards_without_it() {
    let oid = |last: u8| [&AUTHENTICATION[..], &[last]].concat();
    let (wanted, other) = (oid(13), oid(17));
    for (issuer, of_card, expected) in [
        (Some(vec![&wanted[..]]), Some(vec![&wanted[..]]), None),
        (Some(vec![&ANY[..]]), Some(vec![&other[..], &wanted]), None),
        (Some(vec![&ANY[..]]), Some(vec![&other[..]]), Some(WrongPolicy)),
        (Some(vec![&ANY[..]]), Some(vec![&ANY[..]]), Some(WrongPolicy)),
        (Some(vec![&wanted[..]]), None, Some(WrongPolicy)),
        // Its issuer may not issue such cards.
        (Some(vec![&other[..]]), Some(vec![&wanted[..]]), Some(WrongPurpose)),
        (None, Some(vec![&wanted[..]]), Some(WrongPurpose)),
    ] {
        let mut site = Site::new();
        let mut params = sub_params();
        params.custom_extensions.extend(issuer.as_deref().map(policies));
        site.sub = below(params, &site.root);
        site.folder.write("intermediates/sub.der", site.sub.der());
        site.folder.write("crls/sub.crl", list(&site.sub, &[], today(-1), today(6)));
        let card =
            site.card(|card| card.custom_extensions.extend(of_card.as_deref().map(policies)));
        let asking =
            Cards { policies: vec!["2.16.840.1.101.3.2.1.3.13".into()], ..site.folder.cards() };
        let judged = Trust::load(&asking).judge(&card, now()).err();
        assert_eq!(judged, expected, "{issuer:02X?} {of_card:02X?}");
        assert!(site.judge(&card).is_ok(), "where no policy is wanted the roots decide");
    }
}

#[test]
fn a_card_that_says_nothing_of_its_key_is_taken_only_where_the_site_says_so() {
    let site = Site::new();
    let silent = site.card(|card| card.key_usages.clear());
    assert_eq!(site.judge(&silent), Err(WrongPurpose));
    let lax = Cards { key_usage_required: false, ..site.folder.cards() };
    assert_eq!(Trust::load(&lax).judge(&silent, now()).err(), None);
    // What it says counts in any case.
    let agrees = site.card(|card| card.key_usages = vec![KeyUsagePurpose::KeyAgreement]);
    assert_eq!(Trust::load(&lax).judge(&agrees, now()).err(), Some(WrongPurpose));
}
