//! The trust directory: what is read, what is named as unusable, and when it is read again.

use std::time::Duration;

use wardkeep_hardware::trust::{Facts, Fault, Trust};
use wardkeep_model::access::refusal::Distrust::{ListMissing, Revoked};

use super::{SERIAL, Site, now, today};
use kit::readers::issuers::{TrustFolder, authority, list, root};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn the_facts_are_counted() {
    let site = Site::new();
    let facts = Trust::load(&site.folder.cards()).facts(now());
    let expected = Facts {
        roots: 1,
        intermediates: 1,
        lists: 2,
        deltas: 0,
        newest_list: Some(HOUR * 36),
        oldest_list: Some(HOUR * (3 * 24 + 12)),
    };
    assert_eq!(facts, expected);
    assert_eq!(Trust::load(&TrustFolder::new().cards()).facts(now()), Facts::default());
    site.folder.write("crls/sub.crl", list(&site.sub, &[], today(1), today(6)));
    site.folder.remove("crls/root.crl");
    let facts = Trust::load(&site.folder.cards()).facts(now());
    assert_eq!(facts.oldest_list, Some(Duration::ZERO), "a list from the future");
}

#[test]
fn what_cannot_be_used_is_named_and_the_rest_is_used() {
    let site = Site::new();
    let card = site.card(|_| ());
    let crl = list(&site.sub, &[], today(-1), today(6));
    let pem = site.root.pem();
    site.folder.write("roots/.hidden", "whatever");
    site.folder.write("roots/empty.pem", "");
    site.folder.write("roots/half.pem", &pem[..pem.len() / 2]);
    site.folder.write("roots/list.der", &crl);
    site.folder.write("roots/read.me", "the issuers of this hospital");
    site.folder.write("roots/two.pem", format!("# ours\n{pem}\n# and again\n{pem}"));
    site.folder.write("intermediates/long.der", vec![0x30; 1024 * 1024 + 1]);
    std::fs::create_dir(site.folder.path().join("intermediates/folder")).expect("a directory");
    site.folder.write("crls/certificate.pem", &pem);
    site.folder.write("crls/trailing.crl", [crl.as_slice(), &[0]].concat());
    let trust = Trust::load(&site.folder.cards());
    let certificate = |name: &str| Fault::NotACertificate(format!("roots/{name}"));
    let not_a_list = |name: &str| Fault::NotAList(format!("crls/{name}"));
    let expected = [
        certificate("empty.pem"),
        certificate("half.pem"),
        certificate("list.der"),
        certificate("read.me"),
        Fault::Unreadable("intermediates/folder".into()),
        Fault::TooLarge("intermediates/long.der".into()),
        not_a_list("certificate.pem"),
        not_a_list("trailing.crl"),
    ];
    assert_eq!(trust.faults(), expected);
    assert_eq!(trust.faults()[5].to_string(), "intermediates/long.der: is larger than 1 MiB");
    assert_eq!(trust.facts(now()).roots, 3);
    assert!(trust.judge(&card, now()).is_ok());
}

#[test]
fn no_more_than_256_files_are_read() {
    let site = Site::new();
    for number in 0..300 {
        site.folder.write(&format!("crls/{number:03}.crl"), "x");
    }
    let trust = Trust::load(&site.folder.cards());
    // 254 lists that are none beside the two certificates, then the one that is too much.
    assert_eq!(trust.faults().len(), 255);
    assert_eq!(trust.faults().last(), Some(&Fault::TooMany("crls/254.crl".into())));
    assert_eq!(trust.judge(&site.card(|_| ()), now()).err(), Some(ListMissing));
}

/// Opening a pipe would wait for its other end, for ever.
#[test]
fn a_pipe_is_not_opened() {
    let site = Site::new();
    let pipe = site.folder.path().join("crls/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is part of the base system");
    let trust = Trust::load(&site.folder.cards());
    assert_eq!(trust.faults(), [Fault::Unreadable("crls/pipe".into())]);
}

#[test]
fn a_changed_directory_is_read_again() {
    let site = Site::new();
    let card = site.card(|_| ());
    let mut trust = Trust::load(&site.folder.cards());
    assert!(!trust.refresh(), "nothing has changed");
    assert!(trust.judge(&card, now()).is_ok());
    site.folder.write("crls/sub.crl", list(&site.sub, &[SERIAL], today(-1), today(6)));
    assert!(trust.judge(&card, now()).is_ok(), "not looked at yet");
    assert!(trust.refresh(), "rewritten in place");
    assert_eq!(trust.judge(&card, now()).err(), Some(Revoked));
    assert!(!trust.refresh());
    // Replaced, as an atomic update does, by one of the same length.
    site.folder.write(".new", list(&site.sub, &[SERIAL + 1], today(-1), today(6)));
    let (from, to) = (site.folder.path().join(".new"), site.folder.path().join("crls/sub.crl"));
    std::fs::rename(from, to).expect("a rename");
    assert!(trust.refresh(), "replaced");
    assert!(trust.judge(&card, now()).is_ok());
    site.folder.write("roots/other.pem", root(authority("Other", now())).pem());
    assert!(trust.refresh(), "added to");
    assert_eq!(trust.facts(now()).roots, 2);
    site.folder.remove("roots/other.pem");
    assert!(trust.refresh(), "taken from");
    assert_eq!(trust.facts(now()).roots, 1);
    std::fs::remove_dir_all(site.folder.path().join("roots")).expect("it");
    assert!(trust.refresh() && trust.judge(&card, now()).is_err());
}
