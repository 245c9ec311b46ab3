//! Any answers of a smart card to everything that is asked of one.
//!
//! The input is a list of answers, each behind its length in two bytes; when it ends, the card leaves.
//! S-11 is checked on every input: no work takes more exchanges than its bound, no object is longer than
//! its bound, and nothing panics. Run with
//! `cargo +stable fuzz run piv_answer fuzz/corpus/piv_answer fuzz/seeds/piv_answer` and
//! `RUSTC_BOOTSTRAP=1`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardkeep_hardware::card::apdu::read_badge;
use wardkeep_hardware::card::exchange::{EXCHANGES_MAX, OBJECT_MAX};
use wardkeep_hardware::card::piv::{Algorithm, Container, Piv};
use wardkeep_model::access::factor::Pin;
use zeroize::Zeroizing;

/// The card has left.
#[derive(Clone, Copy, Debug)]
struct Gone;

/// What the client asks at most: each name of the application, two certificates, the counter twice,
/// the PIN, a signature in two parts, an agreement, and the PIN taken back.
const COMMANDS_MAX: usize = 14;

fuzz_target!(|input: &[u8]| {
    let mut left = input;
    let mut exchanges = 0;
    let mut card = |_: &[u8]| {
        exchanges += 1;
        let (length, rest) = left.split_first_chunk::<2>().ok_or(Gone)?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (answer, rest) = rest.split_at(length);
        left = rest;
        Ok::<_, Gone>(Zeroizing::new(answer.to_vec()))
    };
    if let Ok(badge) = read_badge(&mut card) {
        assert!(matches!(badge.uid().len(), 4 | 7 | 10));
    }
    let mut pin = Pin::default();
    [4, 7, 1, 1, 2, 0].into_iter().for_each(|digit| pin.push(digit));
    let Ok(mut piv) = Piv::select(&mut card) else { return };
    for container in [Container::Authentication, Container::KeyManagement] {
        if let Ok(certificate) = piv.certificate(container) {
            assert!(!certificate.is_empty() && certificate.len() < OBJECT_MAX);
        }
    }
    // Whether it is true is not for the client to tell: any of these may fail.
    let said = (piv.tries(), piv.verify(&pin), piv.sign(Algorithm::Rsa2048, &[0; 256]));
    assert!(said.2.is_err() || said.2.is_ok_and(|signature| !signature.is_empty()));
    if let Ok(share) = piv.agree(Algorithm::P384, &[4; 97]) {
        assert_eq!(share.expose().len(), 48);
    }
    assert!(piv.forget_pin().is_ok() || exchanges > 0);
    assert!(exchanges <= COMMANDS_MAX * EXCHANGES_MAX);
});
