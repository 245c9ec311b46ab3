//! What a smart card is taken through: the look at insertion, the proof, the enrolment.
//!
//! ```text
//!  look   SELECT, certificate of 9A                                     -> who it says it is
//!  prove  the same card still? trusted? tries left? PIN, 9A signs, 9D agrees  -> the slot's secret
//!  enrol  the same, and 9D's certificate: a new peer, and our own end of the agreement to compare with
//! ```
//!
//! S-4: only a signature over a challenge drawn here, by the key of a trusted certificate, together with
//! an agreement with 9D is a proof; that the card accepts a PIN is none. The PIN is shown to no card but
//! the one that was presented, and to none whose certificate is not trusted. The card's last try is
//! never used.
//! S-10: PIN, shares and ephemeral keys wipe themselves.
//!
//! The card is a closure over one APDU: all of it runs without a reader. The caller holds one PC/SC
//! transaction over the whole work and ends it with a reset of the card.

use getrandom::SysRng;
use p256::elliptic_curve::ecdh::EphemeralSecret;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, Generate, PublicKey};
use sha2::{Digest, Sha256, Sha384};

use crate::card::exchange::{Fault, Raw};
use crate::card::piv::{Algorithm, Container, PinAnswer, Piv, PivFault, Tries};
use crate::trust::{self, AgreementKey, SignKey, Trusted};
use wardkeep_model::access::factor::{CardEnrolment, CardPeer, CardSecret, Pin};
use wardkeep_model::access::refusal::Distrust;
use wardkeep_model::confidential::Secret;
use wardkeep_model::ports::{CardFault, CardRefusal, CardSeen, Proof};

/// DER of a DigestInfo up to the SHA-256 hash (RFC 8017, 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// A card as it was when it was inserted.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// For the core.
    pub seen: CardSeen,
    /// SHA-256 of its authentication certificate: what it answers later must be the same.
    pub certificate: [u8; 32],
}

/// Why the work ended without its result. `E` is the way the transmission itself can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended<E, R> {
    /// The card could not be asked any more.
    Lost(E),
    /// The card answered, and this is what it means.
    Judged(R),
}

/// The end of a look.
type NoLook<E> = Ended<E, CardFault>;
/// The end of a proof or an enrolment.
type NoProof<E> = Ended<E, CardRefusal>;

/// Everything but the card that a proof needs.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// The card as it was inserted.
    pub look: &'a Look,
    /// Its PIN.
    pub pin: &'a Pin,
    /// Whether the site trusts a certificate at this time.
    pub judge: &'a dyn Fn(&[u8]) -> Result<Trusted, Distrust>,
}

/// Reads who a card says it is. Nothing of it is proved.
///
/// # Errors
/// No PIV card, or one whose certificate cannot be read.
pub fn look<E>(transmit: impl FnMut(&[u8]) -> Raw<E>) -> Result<Look, NoLook<E>> {
    let mut piv = Piv::select(transmit).map_err(no_look)?;
    let certificate = piv.certificate(Container::Authentication).map_err(no_look)?;
    look_at(&certificate).ok_or(Ended::Judged(CardFault::Unreadable))
}

fn look_at(certificate: &[u8]) -> Option<Look> {
    let card = trust::card_id(certificate)?;
    let (subject, valid_until) = trust::subject(certificate)?;
    let seen = CardSeen { card, subject, valid_until };
    Some(Look { seen, certificate: Sha256::digest(certificate).into() })
}

/// Has the card prove itself and agree with the peer that its slot keeps.
///
/// # Errors
/// What is wrong with the card, its PIN or its certificate.
pub fn prove<E>(
    transmit: impl FnMut(&[u8]) -> Raw<E>,
    claim: &Claim,
    peer: &CardPeer,
) -> Result<Proof, NoProof<E>> {
    let algorithm = Algorithm::of_point(&peer.0).ok_or(Ended::Judged(CardRefusal::NoKey))?;
    let mut piv = Piv::select(transmit).map_err(no_proof)?;
    let trusted = recognise(&mut piv, claim)?;
    with_pin(&mut piv, claim, &trusted, |piv| agree(piv, algorithm, &peer.0)).map(Proof)
}

/// Has the card prove itself, and makes a peer for a new slot.
///
/// # Errors
/// What is wrong with the card, its PIN or its certificate.
pub fn enrol<E>(
    transmit: impl FnMut(&[u8]) -> Raw<E>,
    claim: &Claim,
) -> Result<CardEnrolment, NoProof<E>> {
    let mut piv = Piv::select(transmit).map_err(no_proof)?;
    let trusted = recognise(&mut piv, claim)?;
    let management = match piv.certificate(Container::KeyManagement) {
        Err(PivFault::Absent) => return Err(Ended::Judged(CardRefusal::NoKey)),
        certificate => certificate.map_err(no_proof)?,
    };
    let (peer, expected, algorithm) = peer_for(&management).map_err(Ended::Judged)?;
    let secret = with_pin(&mut piv, claim, &trusted, |piv| agree(piv, algorithm, &peer.0))?;
    if secret.expose() != expected.expose() {
        return Err(Ended::Judged(CardRefusal::Broken));
    }
    let CardSeen { card, subject, .. } = claim.look.seen.clone();
    Ok(CardEnrolment { card, peer, secret, subject })
}

/// The card in the reader is the one that was presented, and its certificate is trusted.
fn recognise<E, T: FnMut(&[u8]) -> Raw<E>>(
    piv: &mut Piv<T>,
    claim: &Claim,
) -> Result<Trusted, NoProof<E>> {
    let certificate = piv.certificate(Container::Authentication).map_err(no_proof)?;
    let known = claim.look;
    let card = trust::card_id(&certificate).ok_or(Ended::Judged(CardRefusal::Broken))?;
    if card != known.seen.card {
        return Err(Ended::Judged(CardRefusal::Changed));
    }
    if <[u8; 32]>::from(Sha256::digest(&certificate)) != known.certificate {
        return Err(Ended::Judged(CardRefusal::Broken));
    }
    (claim.judge)(&certificate).map_err(|distrust| Ended::Judged(CardRefusal::NotTrusted(distrust)))
}

/// Shows the card its PIN, has it sign, then agree; whatever comes of it, the PIN is taken back.
fn with_pin<E, T: FnMut(&[u8]) -> Raw<E>>(
    piv: &mut Piv<T>,
    claim: &Claim,
    trusted: &Trusted,
    agree: impl FnOnce(&mut Piv<T>) -> Result<CardSecret, NoProof<E>>,
) -> Result<CardSecret, NoProof<E>> {
    let before = piv.tries().map_err(no_proof)?;
    match before {
        Tries::Left(1) => return Err(Ended::Judged(CardRefusal::LastTry)),
        Tries::Blocked => return Err(Ended::Judged(CardRefusal::Blocked)),
        Tries::Left(_) | Tries::Untold => {}
    }
    let refusal = match piv.verify(claim.pin).map_err(no_proof)? {
        PinAnswer::Accepted => None,
        PinAnswer::Wrong(tries_left) => Some(CardRefusal::WrongPin { tries_left }),
        PinAnswer::Blocked => Some(CardRefusal::Blocked),
        PinAnswer::Unfit => Some(match before {
            Tries::Left(tries_left) => CardRefusal::WrongPin { tries_left },
            Tries::Blocked | Tries::Untold => CardRefusal::Broken,
        }),
    };
    if let Some(refusal) = refusal {
        return Err(Ended::Judged(refusal));
    }
    let secret = sign(piv, trusted).and_then(|()| agree(piv));
    if matches!(secret, Err(Ended::Lost(_))) {
        return secret;
    }
    let forgotten = piv.forget_pin().map_err(no_proof);
    secret.and_then(|secret| forgotten.map(|()| secret))
}

/// Has 9A sign a fresh challenge and verifies it with the certificate's key.
fn sign<E, T: FnMut(&[u8]) -> Raw<E>>(
    piv: &mut Piv<T>,
    trusted: &Trusted,
) -> Result<(), NoProof<E>> {
    let broken = Ended::Judged(CardRefusal::Broken);
    let mut challenge = [0; 32];
    if let Err(error) = getrandom::fill(&mut challenge) {
        tracing::error!(%error, "the system gives no random numbers");
        return Err(broken);
    }
    let signature = match trusted.key() {
        SignKey::P256 => piv.sign(Algorithm::P256, &Sha256::digest(challenge)),
        SignKey::P384 => piv.sign(Algorithm::P384, &Sha384::digest(challenge)),
        SignKey::Rsa => {
            let algorithm = Algorithm::of_modulus(trusted.key_bytes())
                .ok_or(Ended::Judged(CardRefusal::NoKey))?;
            piv.sign(algorithm, &rsa_block(&challenge, trusted.key_bytes()))
        }
    };
    let signature = signature.map_err(no_proof)?;
    if trusted.verify_signature(&challenge, &signature) { Ok(()) } else { Err(broken) }
}

/// The block that an RSA key of this many bytes signs: EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 9.2).
fn rsa_block(message: &[u8], length: usize) -> Vec<u8> {
    let hash = Sha256::digest(message);
    let padding = length.saturating_sub(3 + DIGEST_INFO.len() + hash.len());
    [&[0x00, 0x01][..], &vec![0xFF; padding], &[0x00], &DIGEST_INFO, &hash].concat()
}

fn agree<E, T: FnMut(&[u8]) -> Raw<E>>(
    piv: &mut Piv<T>,
    algorithm: Algorithm,
    point: &[u8],
) -> Result<CardSecret, NoProof<E>> {
    piv.agree(algorithm, point).map_err(|fault| match fault {
        // Wrong parameter, referenced data not found, wrong P1 P2: there is no such key.
        PivFault::Dialogue(Fault::Refused(0x6A80 | 0x6A82 | 0x6A86 | 0x6A88)) => {
            Ended::Judged(CardRefusal::NoKey)
        }
        PivFault::NotPiv | PivFault::Absent | PivFault::Compressed | PivFault::Dialogue(_) => {
            no_proof(fault)
        }
    })
}

/// A peer for this key-management certificate, what its card has to agree on with it, and the curve.
fn peer_for(certificate: &[u8]) -> Result<(CardPeer, CardSecret, Algorithm), CardRefusal> {
    let key = trust::agreement_key(certificate).ok_or(CardRefusal::NoKey)?;
    let (algorithm, agreed) = match key {
        AgreementKey::P256(key) => (Algorithm::P256, agreement(&key)),
        AgreementKey::P384(key) => (Algorithm::P384, agreement(&key)),
    };
    let (peer, secret) = agreed.map_err(|error| {
        tracing::error!(%error, "the system gives no random numbers");
        CardRefusal::Broken
    })?;
    Ok((peer, secret, algorithm))
}

/// Our end: an ephemeral key pair, of which only the public half is kept.
fn agreement<C>(card: &PublicKey<C>) -> Result<(CardPeer, CardSecret), getrandom::Error>
where
    C: CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
{
    let ours = EphemeralSecret::<C>::try_generate_from_rng(&mut SysRng)?;
    let peer = CardPeer(ours.public_key().to_sec1_point(false).as_bytes().to_vec());
    Ok((peer, Secret::new(ours.diffie_hellman(card).raw_secret_bytes().to_vec())))
}

fn no_look<E>(fault: PivFault<E>) -> NoLook<E> {
    tracing::info!(why = %fault, "card cannot be read");
    Ended::Judged(match fault {
        PivFault::Dialogue(Fault::Transmit(error)) => return Ended::Lost(error),
        PivFault::NotPiv | PivFault::Absent => CardFault::NotPiv,
        PivFault::Compressed
        | PivFault::Dialogue(
            Fault::Refused(_) | Fault::Malformed | Fault::TooLong | Fault::Endless,
        ) => CardFault::Unreadable,
    })
}

fn no_proof<E>(fault: PivFault<E>) -> NoProof<E> {
    tracing::info!(why = %fault, "card does not prove itself");
    Ended::Judged(match fault {
        PivFault::Dialogue(Fault::Transmit(error)) => return Ended::Lost(error),
        // The card that was presented had both.
        PivFault::NotPiv | PivFault::Absent => CardRefusal::Changed,
        PivFault::Compressed
        | PivFault::Dialogue(
            Fault::Refused(_) | Fault::Malformed | Fault::TooLong | Fault::Endless,
        ) => CardRefusal::Broken,
    })
}
