//! Evidence for a login: a badge's number and a PIN. Both are wiped on drop and cannot be printed.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::confidential::Secret;

/// Technology that read the badge; the same digits on another technology are another badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReaderFamily {
    /// PC/SC contactless storage card or NFC tag, UID by `FF CA 00 00 00` (PC/SC part 3, 3.2.2.1.3).
    PcscUid,
}

impl ReaderFamily {
    /// Stable bytes for the badge index and the key derivation.
    pub fn tag(self) -> &'static [u8] {
        match self {
            ReaderFamily::PcscUid => b"pcsc-uid",
        }
    }
}

/// A badge in the field. Its number is an identifier that can be copied, never a key by itself.
#[derive(Clone, Debug)]
pub struct Badge {
    /// Which technology read it.
    pub family: ReaderFamily,
    uid: Secret<Vec<u8>>,
}

/// The number is not 4, 7 or 10 bytes long (ISO/IEC 14443-3 UID sizes).
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("badge number has {0} bytes instead of 4, 7 or 10")]
pub struct NotABadge(pub usize);

impl Badge {
    /// Accepts a UID of 4, 7 or 10 bytes.
    pub fn new(family: ReaderFamily, uid: &[u8]) -> Result<Self, NotABadge> {
        match uid.len() {
            4 | 7 | 10 => Ok(Self { family, uid: Secret::new(uid.to_vec()) }),
            other => Err(NotABadge(other)),
        }
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

    /// One of the PINs everybody tries first: one digit repeated, or a run up or down.
    pub fn is_guessable(&self) -> bool {
        let steps: Vec<i16> = self
            .ascii()
            .windows(2)
            .filter_map(|pair| match pair {
                [a, b] => Some(i16::from(*b) - i16::from(*a)),
                _ => None,
            })
            .collect();
        [0, 1, -1].iter().any(|step| steps.iter().all(|s| s == step))
            || matches!(self.ascii(), b"123123" | b"112233" | b"121212" | b"696969" | b"159753")
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
