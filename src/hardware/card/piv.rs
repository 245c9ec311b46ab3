//! The PIV card application as a client sees it (NIST SP 800-73-4 part 2).
//!
//! Pure and total over a closure that carries one APDU to the card: every answer becomes a value or a
//! named [`Fault`], after a bounded number of exchanges ([`crate::card::exchange`]). What a proof is made
//! of is decided in [`crate::card::proof`]; here nothing is believed:
//!
//! - an empty VERIFY asks for the tries that are left; that a card answers `9000` to it proves nothing,
//!   and a PIN that an earlier user left verified is taken back first;
//! - a certificate that the card compressed is inflated nowhere: [`PivFault::Compressed`];
//! - templates are read strictly (`tlv`).
//!
//! S-10: the PIN and what a card agrees on live in buffers that wipe themselves; no fault carries them.

use zeroize::Zeroizing;

use crate::card::apdu::Command;
use crate::card::exchange::{Fault, OBJECT_MAX, Raw, ask};
use crate::card::tlv::{self, Malformed, elements, only};
use wardkeep_model::access::factor::{CardSecret, PIN_DIGITS_MAX, Pin};
use wardkeep_model::confidential::Secret;

/// The PIV card application with its version; its first five bytes are NIST's registered provider.
const APPLICATION: [u8; 11] = [0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00];
/// The names by which cards know the application: whole, without its version, and the provider alone.
const NAMES: [usize; 3] = [11, 9, 5];
/// "File or application not found."
const NOT_FOUND: u16 = 0x6A82;
/// "Incorrect parameter in the data": also a PIN that this card cannot have.
const BAD_DATA: u16 = 0x6A80;
/// "PIN is blocked."
const BLOCKED: u16 = 0x6983;

/// Bits of a certificate's information byte that say how it is compressed; cards disagree on which.
const COMPRESSED: u8 = 0x83;

/// Longest answer to SELECT: the property template (SP 800-73-4 part 2, table 3), with room.
const SELECTED_MAX: usize = 512;
/// Longest answer to GENERAL AUTHENTICATE: a signature by RSA 4096 in its template.
const AUTHENTICATED_MAX: usize = 544;

/// A data object with a certificate (SP 800-73-4 part 1, table 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// X.509 certificate for PIV authentication, of key 9A.
    Authentication,
    /// X.509 certificate for key management, of key 9D.
    KeyManagement,
}

impl Container {
    fn tag_list(self) -> [u8; 5] {
        let object = match self {
            Container::Authentication => 0x05,
            Container::KeyManagement => 0x0B,
        };
        [0x5C, 0x03, 0x5F, 0xC1, object]
    }
}

/// A private key on the card (SP 800-73-4 part 1, table 4b).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// PIV authentication: signs after its PIN was verified.
    Authentication = 0x9A,
    /// Key management: agrees on keys after its PIN was verified.
    Management = 0x9D,
}

/// What kind of key it is (SP 800-78-5, table 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with 3072 bits.
    Rsa3072 = 0x05,
    /// RSA with 2048 bits.
    Rsa2048 = 0x07,
    /// ECC over P-256.
    P256 = 0x11,
    /// ECC over P-384.
    P384 = 0x14,
}

impl Algorithm {
    /// The curve on which this uncompressed point lies, by its length.
    pub fn of_point(point: &[u8]) -> Option<Self> {
        match (point.first(), point.len()) {
            (Some(0x04), 65) => Some(Algorithm::P256),
            (Some(0x04), 97) => Some(Algorithm::P384),
            _ => None,
        }
    }

    /// The RSA key whose modulus has so many bytes.
    pub fn of_modulus(length: usize) -> Option<Self> {
        match length {
            256 => Some(Algorithm::Rsa2048),
            384 => Some(Algorithm::Rsa3072),
            _ => None,
        }
    }

    /// Length of what two keys on this curve agree on.
    fn share_length(self) -> Option<usize> {
        match self {
            Algorithm::Rsa2048 | Algorithm::Rsa3072 => None,
            Algorithm::P256 => Some(32),
            Algorithm::P384 => Some(48),
        }
    }
}

/// How many more wrong PINs the card takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tries {
    /// So many.
    Left(u8),
    /// None: it has blocked its PIN.
    Blocked,
    /// The card does not tell.
    Untold,
}

/// What the card made of a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinAnswer {
    /// It says that the PIN is right.
    Accepted,
    /// Wrong; so many tries are left.
    Wrong(u8),
    /// Not a PIN that this card can have (or too short for any); no try was spent.
    Unfit,
    /// It has blocked its PIN.
    Blocked,
}

/// Why a card could not be used. `E` is the way the transmission itself can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PivFault<E> {
    /// The card does not have the PIV application.
    #[error("not a PIV card")]
    NotPiv,
    /// The card has no such object.
    #[error("the card lacks this object")]
    Absent,
    /// The certificate is compressed.
    #[error("the certificate is compressed")]
    Compressed,
    /// The card could not be asked, or its answer makes no sense.
    #[error(transparent)]
    Dialogue(#[from] Fault<E>),
}

impl<E> From<Malformed> for PivFault<E> {
    fn from(Malformed: Malformed) -> Self {
        PivFault::Dialogue(Fault::Malformed)
    }
}

/// A card whose PIV application is selected.
pub struct Piv<T>(T);

impl<E, T: FnMut(&[u8]) -> Raw<E>> Piv<T> {
    /// Selects the application (3.1.1).
    ///
    /// # Errors
    /// [`PivFault::NotPiv`] if the card does not have it, or answers for another one.
    pub fn select(mut transmit: T) -> Result<Self, PivFault<E>> {
        for name in NAMES.iter().filter_map(|length| APPLICATION.get(..*length)) {
            let select = Command::new(0xA4, [0x04, 0x00])
                .sending(name)
                .expecting(0)
                .of_at_most(SELECTED_MAX);
            match ask(&mut transmit, &select) {
                Ok(answer) if is_piv(&answer) => return Ok(Self(transmit)),
                Err(Fault::Refused(NOT_FOUND)) => {}
                Ok(_) | Err(Fault::Refused(_)) => return Err(PivFault::NotPiv),
                Err(fault) => return Err(fault.into()),
            }
        }
        Err(PivFault::NotPiv)
    }

    /// Reads a certificate, as DER (3.1.2 and part 1, appendix A, tables 10 and 15).
    ///
    /// # Errors
    /// [`PivFault::Absent`] if the card has none, [`PivFault::Compressed`] if it is compressed.
    pub fn certificate(&mut self, container: Container) -> Result<Vec<u8>, PivFault<E>> {
        let list = container.tag_list();
        let read =
            Command::new(0xCB, [0x3F, 0xFF]).sending(&list).expecting(0).of_at_most(OBJECT_MAX);
        let object = match ask(&mut self.0, &read) {
            Err(Fault::Refused(NOT_FOUND)) => return Err(PivFault::Absent),
            object => object?,
        };
        certificate(only(&object, 0x53)?)
    }

    /// Asks how many wrong PINs the card still takes; no try is spent (3.2.1).
    ///
    /// # Errors
    /// The card could not be asked, or its answer makes no sense.
    pub fn tries(&mut self) -> Result<Tries, PivFault<E>> {
        // A PIN that somebody else left verified hides the counter.
        for _ in 0..2 {
            match ask(&mut self.0, &Command::new(0x20, [0x00, 0x80])) {
                Ok(_) => self.forget_pin()?,
                Err(Fault::Refused(BLOCKED)) => return Ok(Tries::Blocked),
                Err(Fault::Refused(word)) => {
                    return Ok(tries_in(word).map_or(Tries::Untold, |left| match left {
                        0 => Tries::Blocked,
                        left => Tries::Left(left),
                    }));
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(Tries::Untold)
    }

    /// Shows the card its PIN, padded to eight bytes (3.2.1). Sent once, whatever the card answers.
    ///
    /// # Errors
    /// The card could not be asked, or its answer is none of those that the standard names.
    pub fn verify(&mut self, pin: &Pin) -> Result<PinAnswer, PivFault<E>> {
        if !pin.is_complete() {
            return Ok(PinAnswer::Unfit);
        }
        let mut padded = Zeroizing::new([0xFF; PIN_DIGITS_MAX]);
        for (byte, digit) in padded.iter_mut().zip(pin.ascii()) {
            *byte = *digit;
        }
        let verify = Command::new(0x20, [0x00, 0x80]).sending(padded.as_slice());
        match ask(&mut self.0, &verify) {
            Ok(answer) if answer.is_empty() => Ok(PinAnswer::Accepted),
            Ok(_) => Err(Fault::Malformed.into()),
            Err(Fault::Refused(BLOCKED)) => Ok(PinAnswer::Blocked),
            Err(Fault::Refused(BAD_DATA)) => Ok(PinAnswer::Unfit),
            Err(Fault::Refused(word)) => match tries_in(word) {
                Some(0) => Ok(PinAnswer::Blocked),
                Some(left) => Ok(PinAnswer::Wrong(left)),
                None => Err(Fault::Refused(word).into()),
            },
            Err(fault) => Err(fault.into()),
        }
    }

    /// Takes the verified PIN back (3.2.1, P1 = FF). A card that does not know the command is no
    /// error: its reset takes the PIN back, too.
    ///
    /// # Errors
    /// The card could not be asked.
    pub fn forget_pin(&mut self) -> Result<(), PivFault<E>> {
        match ask(&mut self.0, &Command::new(0x20, [0xFF, 0x80])) {
            Ok(_) | Err(Fault::Refused(_)) => Ok(()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Has the authentication key (9A) sign a block: a hash for ECC, a padded block for RSA (3.2.4,
    /// appendix A.3). What comes back proves nothing before it is verified.
    ///
    /// # Errors
    /// The card refused, could not be asked, or its answer makes no sense.
    pub fn sign(&mut self, algorithm: Algorithm, block: &[u8]) -> Result<Vec<u8>, PivFault<E>> {
        let answer = self.authenticate(algorithm, Key::Authentication, 0x81, block)?;
        Ok(response(&answer)?.to_vec())
    }

    /// Has the key-management key (9D) agree with an uncompressed point (3.2.4, appendix A.5).
    ///
    /// # Errors
    /// The card refused, could not be asked, or its answer is no share of this curve.
    pub fn agree(&mut self, algorithm: Algorithm, point: &[u8]) -> Result<CardSecret, PivFault<E>> {
        let answer = self.authenticate(algorithm, Key::Management, 0x85, point)?;
        let share = response(&answer)?;
        if Some(share.len()) != algorithm.share_length() {
            return Err(Fault::Malformed.into());
        }
        Ok(Secret::new(share.to_vec()))
    }

    /// GENERAL AUTHENTICATE: sends `7C { 82 {}, tag { input } }`.
    fn authenticate(
        &mut self,
        algorithm: Algorithm,
        key: Key,
        tag: u8,
        input: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, PivFault<E>> {
        let mut inner = Vec::new();
        tlv::push(&mut inner, 0x82, &[]);
        tlv::push(&mut inner, tag, input);
        let mut template = Vec::new();
        tlv::push(&mut template, 0x7C, &inner);
        let command = Command::new(0x87, [algorithm as u8, key as u8]).sending(&template);
        let command = command.expecting(0).of_at_most(AUTHENTICATED_MAX);
        Ok(ask(&mut self.0, &command)?)
    }
}

/// The answer to SELECT is the property template of PIV. A name in it is the application's, with or
/// without its provider.
fn is_piv(answer: &[u8]) -> bool {
    let Ok(template) = only(answer, 0x61) else { return false };
    elements(template).all(|element| {
        element.is_ok_and(|element| {
            element.tag != 0x4F
                || [0, 5].into_iter().filter_map(|from| APPLICATION.get(from..)).any(|whole| {
                    element.value.len() >= 4
                        && element.value.iter().zip(whole).all(|(one, other)| one == other)
                })
        })
    })
}

/// The certificate in the value of a certificate object: `70`, `71`, perhaps `72` and `FE`, once each.
fn certificate<E>(object: &[u8]) -> Result<Vec<u8>, PivFault<E>> {
    if object.is_empty() {
        return Err(PivFault::Absent);
    }
    let (mut certificate, mut information) = (None, None);
    let mut seen = Vec::new();
    for element in elements(object) {
        let element = element?;
        if seen.contains(&element.tag) {
            return Err(Malformed.into());
        }
        seen.push(element.tag);
        match element.tag {
            0x70 => certificate = Some(element.value),
            0x71 => information = Some(element.value),
            0x72 => {}
            0xFE if element.value.is_empty() => {}
            _ => return Err(Malformed.into()),
        }
    }
    match (certificate, information) {
        (Some([]), _) => Err(PivFault::Absent),
        (Some(certificate), Some([information])) if information & COMPRESSED == 0 => {
            Ok(certificate.to_vec())
        }
        (Some(_), Some([_])) => Err(PivFault::Compressed),
        (Some(_) | None, _) => Err(Malformed.into()),
    }
}

/// The value in `7C { 82 { value } }`.
fn response(answer: &[u8]) -> Result<&[u8], Malformed> {
    match only(only(answer, 0x7C)?, 0x82)? {
        [] => Err(Malformed),
        value => Ok(value),
    }
}

/// The counter in `63Cx`.
fn tries_in(word: u16) -> Option<u8> {
    match word.to_be_bytes() {
        [0x63, low] if low & 0xF0 == 0xC0 => Some(low & 0x0F),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
