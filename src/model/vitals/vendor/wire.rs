//! How vendors' frames are cut and checked: frames out of what comes, pieces off a cursor, big-endian
//! numbers, checksums, dates.

use crate::vitals::gatt::{Cursor, DecodeError, FRAME_LEN_MAX, Stamp};

/// Takes the next `len` bytes.
///
/// # Errors
/// The frame ends before them.
pub(super) fn take<'a>(
    cursor: &mut Cursor<'a>,
    len: usize,
    field: &'static str,
) -> Result<&'a [u8], DecodeError> {
    let taken = cursor.rest().split_at_checked(len);
    let (head, rest) = taken.ok_or(DecodeError::Truncated { field })?;
    *cursor = Cursor::new(rest);
    Ok(head)
}

/// Takes a byte that the protocol has at this place in every frame.
///
/// # Errors
/// The frame has ended, or has another byte there.
pub(super) fn fixed(
    cursor: &mut Cursor<'_>,
    byte: u8,
    field: &'static str,
) -> Result<(), DecodeError> {
    if cursor.u8(field)? == byte { Ok(()) } else { Err(DecodeError::Invalid { field }) }
}

/// Takes an unsigned 16-bit integer, most significant byte first.
///
/// # Errors
/// The frame ends inside it.
pub(super) fn u16_be(cursor: &mut Cursor<'_>, field: &'static str) -> Result<u16, DecodeError> {
    cursor.bytes(field).map(u16::from_be_bytes)
}

/// Holds the checksum that was sent against the one that was computed.
///
/// # Errors
/// They differ.
pub(super) fn agree<T: PartialEq>(computed: T, sent: T) -> Result<(), DecodeError> {
    if computed == sent { Ok(()) } else { Err(DecodeError::Crc) }
}

/// A device's own wall time from a year counted from 2000.
pub(super) fn stamp_2000(year: u8, [month, day, hour, minute, second]: [u8; 5]) -> Stamp {
    let [low, high] = (2000 + u16::from(year)).to_le_bytes();
    Stamp::of([low, high, month, day, hour, minute, second])
}

/// The sum of all bytes, modulo 256.
pub(super) fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// The exclusive or of all bytes: zero over a whole frame whose last byte makes it so.
pub(super) fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |xor, byte| xor ^ byte)
}

/// CRC-8 with polynomial 0x07, start 0, not reflected (CRC-8/SMBUS).
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { (crc << 1) ^ 0x07 })
    })
}

/// CRC-8 with polynomial 0x31, start 0, reflected (CRC-8/MAXIM-DOW).
pub(super) fn crc8_maxim(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 1 == 0 { crc >> 1 } else { (crc >> 1) ^ 0x8C })
    })
}

/// CRC-16 with polynomial 0x1021, start 0, not reflected (CRC-16/XMODEM).
pub(super) fn crc16_xmodem(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

/// What stands at the beginning of these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A frame, as far as it has come.
    More,
    /// No frame of this protocol.
    Wrong,
    /// A frame of so many bytes.
    Whole(usize),
    /// A frame that is read with those of its kind that follow in the same notification.
    Run(usize),
    /// When the record was measured that is answered next.
    Stamp(usize),
    /// A record that counts only behind its [`Piece::Stamp`], and is read with it.
    Stamped(usize),
}

impl Piece {
    /// What a frame with this length is, before its checksum was looked at: it cannot be longer than an
    /// attribute.
    pub(super) fn of(bytes: &[u8], len: usize, fits: impl Fn(&[u8]) -> bool, whole: Self) -> Self {
        match bytes.get(..len) {
            _ if len > FRAME_LEN_MAX => Self::Wrong,
            None => Self::More,
            Some(frame) if fits(frame) => whole,
            Some(_) => Self::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of parametrised CRC algorithms.
    #[test]
    fn checksums_of_nine_digits() {
        let digits = b"123456789";
        assert_eq!((crc8(digits), crc8_maxim(digits)), (0xF4, 0xA1));
        assert_eq!(crc16_xmodem(digits), 0x31C3);
        assert_eq!((sum(digits), xor(digits)), (0xDD, 0x31));
    }
}
