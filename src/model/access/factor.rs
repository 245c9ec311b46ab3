//! Evidence for a login: what a person has (badge, card), knows (PIN) and is (finger).
//!
//! Numbers, PINs, shared secrets and templates are wiped on drop and cannot be printed (S-10).

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::access::pair::Pair;
use crate::confidential::{Phi, Secret};
use crate::untrusted;

/// Most characters of a reader's name.
pub const READER_CHARS_MAX: usize = 80;

/// Technology that read the badge; the same digits on another technology are another badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReaderFamily {
    /// PC/SC contactless storage card or NFC tag, UID by `FF CA 00 00 00` (PC/SC part 3, 3.2.2.1.3).
    PcscUid,
    /// RF IDeas pcProx USB reader: how many bits, then the bits, most significant byte first.
    PcProx,
    /// A USB reader that behaves as a keyboard: the characters it types before Enter.
    Keyboard,
}

impl ReaderFamily {
    /// Stable bytes for the badge index and the key derivation.
    pub fn tag(self) -> &'static [u8] {
        match self {
            ReaderFamily::PcscUid => b"pcsc-uid",
            ReaderFamily::PcProx => b"pcprox",
            ReaderFamily::Keyboard => b"keyboard",
        }
    }
}

/// A badge in the field. Its number is an identifier that can be copied, never a key by itself.
#[derive(Clone, Debug)]
pub struct Badge {
    /// Which technology read it.
    pub family: ReaderFamily,
    uid: Secret<Vec<u8>>,
    /// Name of the reader that read it; empty where nobody said. No part of what the badge is.
    reader: String,
}

/// The number's length is none that this family of readers gives.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0} bytes are no badge number of this kind of reader")]
pub struct NotABadge(pub usize);

impl Badge {
    /// Accepts a UID of 4, 7 or 10 bytes (ISO/IEC 14443-3) or 8 (ISO/IEC 15693, JIS X 6319-4), a count and 2 to 8 bytes of bits
    /// (pcProx), or 4 to 32 characters (keyboard readers).
    ///
    /// # Errors
    /// Any other length.
    pub fn new(family: ReaderFamily, uid: &[u8]) -> Result<Self, NotABadge> {
        let fits = match family {
            ReaderFamily::PcscUid => matches!(uid.len(), 4 | 7 | 8 | 10),
            ReaderFamily::PcProx => (3..=9).contains(&uid.len()),
            ReaderFamily::Keyboard => (4..=32).contains(&uid.len()),
        };
        if fits {
            Ok(Self { family, uid: Secret::new(uid.to_vec()), reader: String::new() })
        } else {
            Err(NotABadge(uid.len()))
        }
    }

    /// The same badge, read by this reader.
    #[must_use]
    pub fn at(self, reader: &str) -> Self {
        let reader = untrusted::named(reader, READER_CHARS_MAX).unwrap_or_default();
        Self { reader, ..self }
    }

    /// Name of the reader that read it; empty where nobody said.
    pub fn reader(&self) -> &str {
        &self.reader
    }

    /// The number is drawn anew at every tap, so the badge cannot be enrolled: a 4-byte UID that
    /// begins with 08 (ISO/IEC 14443-3, random UID).
    pub fn is_random(&self) -> bool {
        self.family == ReaderFamily::PcscUid && matches!(self.uid(), [0x08, _, _, _])
    }

    /// The number as it may be printed on the badge: in hexadecimal, in decimal from either end, or as the
    /// reader types it.
    pub(super) fn printed(&self) -> Vec<String> {
        if self.family == ReaderFamily::Keyboard {
            return vec![String::from_utf8_lossy(self.uid()).into_owned()];
        }
        let hexadecimal = self.uid().iter().map(|byte| format!("{byte:02X}")).collect();
        let number = |bytes: &mut dyn Iterator<Item = &u8>| {
            bytes.fold(0_u128, |number, byte| number << 8 | u128::from(*byte)).to_string()
        };
        let forward = number(&mut self.uid().iter());
        vec![hexadecimal, forward, number(&mut self.uid().iter().rev())]
    }

    /// The UID bytes, for the key derivation and the badge index.
    pub fn uid(&self) -> &[u8] {
        self.uid.expose()
    }
}

impl PartialEq for Badge {
    fn eq(&self, other: &Self) -> bool {
        self.family == other.family && self.uid() == other.uid()
    }
}

/// Identity of a PIV card: SHA-256 of the public key in its authentication certificate (slot 9A).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CardId(pub [u8; 32]);

impl fmt::Debug for CardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[card]")
    }
}

/// What a person has: the first factor.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A badge. Its number can be copied.
    Badge(Badge),
    /// A PIV card in a contact reader. Before its PIN was verified it has proved nothing.
    Card(CardId),
}

impl Token {
    /// What kind of thing it is.
    pub fn kind(&self) -> TokenKind {
        match self {
            Token::Badge(_) => TokenKind::Badge,
            Token::Card(_) => TokenKind::Card,
        }
    }

    /// Name of the reader that read it, where it is known.
    pub fn reader(&self) -> Option<String> {
        match self {
            Token::Badge(badge) => Some(badge.reader.clone()).filter(|name| !name.is_empty()),
            Token::Card(_) => None,
        }
    }
}

/// The kinds of [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// A badge.
    Badge,
    /// A smart card.
    Card,
}

/// What a card's key-management key (slot 9D) agrees a key with: an ephemeral public key, as an
/// uncompressed point. Not secret; kept beside the slot.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardPeer(pub Vec<u8>);

impl fmt::Debug for CardPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[peer]")
    }
}

/// What the card and its slot agreed on (the raw ECDH share, 32 or 48 bytes).
pub type CardSecret = Secret<Vec<u8>>;

/// Which finger a template is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finger {
    /// Suggested first.
    RightIndex,
    /// Suggested second.
    LeftIndex,
    /// For people who cannot give an index finger.
    RightThumb,
    /// For people who cannot give an index finger.
    LeftThumb,
    /// Another one.
    RightMiddle,
    /// Another one.
    LeftMiddle,
}

impl Finger {
    /// All, in the order in which they are suggested.
    pub const ALL: [Finger; 6] = [
        Finger::RightIndex,
        Finger::LeftIndex,
        Finger::RightThumb,
        Finger::LeftThumb,
        Finger::RightMiddle,
        Finger::LeftMiddle,
    ];
}

/// A fingerprint reader as the one that a template was taken on: libfprint's driver and device
/// identity, and the USB serial number where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sensor {
    /// libfprint's driver, e.g. `synaptics`.
    pub driver: String,
    /// libfprint's device identity.
    pub device: String,
    /// Serial number; empty if the reader tells none.
    pub serial: String,
}

/// Opaque, random identity of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TemplateId(pub u128);

/// A fingerprint template: libfprint's own serialisation, which only authenticated bytes may reach.
#[derive(Clone, Debug)]
pub struct Template {
    /// Identity.
    pub id: TemplateId,
    /// Which finger.
    pub finger: Finger,
    /// Which reader it was taken on; no other reader may match it.
    pub sensor: Sensor,
    /// The bytes.
    pub print: Secret<Vec<u8>>,
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.print.expose() == other.print.expose()
    }
}

/// A pair of factors, gathered; the store decides whether they open the vault.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// Badge and PIN, or badge and the one-time code of a first login.
    BadgePin(Badge, Pin),
    /// A card that accepted its PIN, proved its key, and agreed on a secret with its slot.
    Card(CardId, CardSecret),
    /// Inside a shift: token and a finger that the reader matched.
    Finger(Token, TemplateId),
    /// Inside a shift, where the site allows it: the token alone.
    Tap(Token),
}

impl PartialEq for Evidence {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::BadgePin(badge, pin), Self::BadgePin(other, other_pin)) => {
                badge == other && pin == other_pin
            }
            (Self::Card(card, secret), Self::Card(other, other_secret)) => {
                card == other && secret.expose() == other_secret.expose()
            }
            (Self::Finger(token, finger), Self::Finger(other, other_finger)) => {
                token == other && finger == other_finger
            }
            (Self::Tap(token), Self::Tap(other)) => token == other,
            (Self::BadgePin(..) | Self::Card(..) | Self::Finger(..) | Self::Tap(_), _) => false,
        }
    }
}

impl Evidence {
    /// What the person has.
    pub fn token(&self) -> Token {
        match self {
            Evidence::BadgePin(badge, _) => Token::Badge(badge.clone()),
            Evidence::Card(card, _) => Token::Card(*card),
            Evidence::Finger(token, _) | Evidence::Tap(token) => token.clone(),
        }
    }

    /// Which two factors they are.
    pub fn pair(&self) -> Pair {
        match self {
            Evidence::BadgePin(..) => Pair::BadgePin,
            Evidence::Card(..) => Pair::CardPin,
            Evidence::Finger(Token::Badge(_), _) => Pair::BadgeFinger,
            Evidence::Finger(Token::Card(_), _) => Pair::CardFinger,
            Evidence::Tap(Token::Badge(_)) => Pair::BadgeAlone,
            Evidence::Tap(Token::Card(_)) => Pair::CardAlone,
        }
    }
}

/// Most digits a PIN may have.
pub const PIN_DIGITS_MAX: usize = 8;
/// Fewest digits a PIN may have (SP 800-63B activation secret).
pub const PIN_DIGITS_MIN: usize = 6;

/// Digits typed on the PIN pad: a fixed buffer that is wiped on drop. ASCII, so that it can be hashed.
///
/// The buffer is on the heap and never grows: moving a PIN through queues leaves no copy behind.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Pin {
    digits: Vec<u8>,
}

impl Default for Pin {
    fn default() -> Self {
        Self { digits: Vec::with_capacity(PIN_DIGITS_MAX) }
    }
}

impl Clone for Pin {
    fn clone(&self) -> Self {
        let mut pin = Pin::default();
        pin.digits.extend_from_slice(&self.digits);
        pin
    }
}

impl Pin {
    /// Appends a digit 0..=9; ignores anything else and digits past the eighth.
    pub fn push(&mut self, digit: u8) {
        if digit <= 9 && self.digits.len() < PIN_DIGITS_MAX {
            self.digits.push(b'0' + digit);
        }
    }

    /// Removes the last digit.
    pub fn pop(&mut self) {
        if let Some(last) = self.digits.last_mut() {
            *last = 0;
            self.digits.pop();
        }
    }

    /// How many digits were typed.
    pub fn len(&self) -> usize {
        self.digits.len()
    }

    /// Nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.digits.is_empty()
    }

    /// Long enough to be tried.
    pub fn is_complete(&self) -> bool {
        self.len() >= PIN_DIGITS_MIN
    }

    /// The digits as ASCII.
    pub fn ascii(&self) -> &[u8] {
        &self.digits
    }
}

impl PartialEq for Pin {
    fn eq(&self, other: &Self) -> bool {
        self.ascii() == other.ascii()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[pin]")
    }
}

impl FromIterator<u8> for Pin {
    /// Collects digits 0..=9.
    fn from_iter<I: IntoIterator<Item = u8>>(digits: I) -> Self {
        let mut pin = Pin::default();
        for digit in digits {
            pin.push(digit);
        }
        pin
    }
}

/// Which unlock attempt an answer belongs to; answers to abandoned attempts are discarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt(pub u64);

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {}", self.0)
    }
}

/// A card that has passed the sign test and agreed on a secret with a new peer.
#[derive(Clone, Debug)]
pub struct CardEnrolment {
    /// Which card.
    pub card: CardId,
    /// The peer its slot keeps.
    pub peer: CardPeer,
    /// What the card agreed on with it.
    pub secret: CardSecret,
    /// Subject of its certificate, for the list of factors.
    pub subject: Phi<String>,
}

impl PartialEq for CardEnrolment {
    fn eq(&self, other: &Self) -> bool {
        self.card == other.card && self.peer == other.peer
    }
}
