//! What makes a smart card's certificate trusted, and everything that must not.
//!
//! The authorities are pretended and the time is given. A good certificate is accepted beside every
//! bad one.

mod certificates;
mod folder;
mod lists;
mod reading;

use jiff::Timestamp;
use rcgen::CertificateParams;
use wardkeep_hardware::trust::{SignKey, Trust};
use wardkeep_model::access::refusal::Distrust;

use kit::readers::issuers::{
    Authority, TrustFolder, authority, below, card, days, key, list, root,
};

/// Noon on a day on which everything is valid unless a test says otherwise.
fn now() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().expect("a time")
}

fn today(offset: i64) -> Timestamp {
    days(now(), offset)
}

/// Serial number of the card that most tests look at.
const SERIAL: u64 = 0x51;
const SUB_SERIAL: u64 = 0x77;

/// A root, an authority below it, fresh lists of both, and a directory that trusts them.
struct Site {
    root: Authority,
    sub: Authority,
    folder: TrustFolder,
}

impl Site {
    fn new() -> Self {
        let root = root(authority("Root", now()));
        let sub = below(sub_params(), &root);
        let folder = TrustFolder::new();
        folder.write("roots/root.pem", root.pem());
        folder.write("intermediates/sub.der", sub.der());
        folder.write("crls/root.crl", list(&root, &[1, 2], today(-3), today(30)));
        folder.write("crls/sub.crl", list(&sub, &[3, 4], today(-1), today(6)));
        Self { root, sub, folder }
    }

    fn judge(&self, certificate: &[u8]) -> Result<SignKey, Distrust> {
        let trust = Trust::load(&self.folder.cards());
        assert_eq!(trust.faults(), []);
        trust.judge(certificate, now()).map(|trusted| trusted.key())
    }

    /// A card that the authority below the root issues, with what `change` does to it.
    fn card(&self, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        signed(&self.sub, change)
    }
}

fn sub_params() -> CertificateParams {
    let mut params = authority("Cards", now());
    params.serial_number = Some(SUB_SERIAL.into());
    params
}

fn signed(issuer: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = card("Jörg Müller", SERIAL, now());
    change(&mut params);
    params.signed_by(&key(), issuer).expect("a certificate").der().to_vec()
}
