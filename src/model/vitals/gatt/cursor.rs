//! Reads little-endian fields off a frame, in order, naming the field that is missing.
//!
//! Every read is checked: a frame that ends inside a field is rejected with that field's name, and
//! no byte of it is charted; but for optional fields that no value before them depends on.

use crate::vitals::gatt::decoded::{DecodeError, Decoded};
use crate::vitals::gatt::event::Note;
use crate::vitals::gatt::stamp::Stamp;
use crate::vitals::sfloat::{self, Reading};

/// A position in a frame.
#[derive(Clone, Copy, Debug)]
pub(in crate::vitals) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte.
    pub(in crate::vitals) fn new(frame: &'a [u8]) -> Self {
        Self { rest: frame }
    }

    /// The bytes not yet read.
    pub(in crate::vitals) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes the next `N` bytes.
    ///
    /// # Errors
    /// The frame ends before them.
    pub(in crate::vitals) fn bytes<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let (head, rest) =
            self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated { field })?;
        self.rest = rest;
        Ok(*head)
    }

    /// Takes an unsigned byte.
    ///
    /// # Errors
    /// The frame has ended.
    pub(in crate::vitals) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.bytes::<1>(field).map(|[byte]| byte)
    }

    /// Takes an unsigned 16-bit integer.
    ///
    /// # Errors
    /// The frame ends inside it.
    pub(in crate::vitals) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.bytes(field).map(u16::from_le_bytes)
    }

    /// Takes a signed 16-bit integer.
    ///
    /// # Errors
    /// The frame ends inside it.
    pub(in crate::vitals) fn i16(&mut self, field: &'static str) -> Result<i16, DecodeError> {
        self.bytes(field).map(i16::from_le_bytes)
    }

    /// Takes the next `len` bytes.
    ///
    /// # Errors
    /// The frame ends before them.
    pub(super) fn slice(
        &mut self,
        len: usize,
        field: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let (head, rest) =
            self.rest.split_at_checked(len).ok_or(DecodeError::Truncated { field })?;
        self.rest = rest;
        Ok(head)
    }

    /// Leaves out what follows: it is spoken for, and not for this decoder to read.
    pub(super) fn end(&mut self) {
        self.rest = &[];
    }

    /// Takes a signed byte.
    ///
    /// # Errors
    /// The frame has ended.
    pub(super) fn i8(&mut self, field: &'static str) -> Result<i8, DecodeError> {
        self.u8(field).map(u8::cast_signed)
    }

    /// Takes an unsigned 24-bit integer.
    ///
    /// # Errors
    /// The frame ends inside it.
    pub(in crate::vitals) fn u24(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.bytes(field).map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// Takes an unsigned 32-bit integer.
    ///
    /// # Errors
    /// The frame ends inside it.
    pub(in crate::vitals) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.bytes(field).map(u32::from_le_bytes)
    }

    /// Takes an SFLOAT.
    ///
    /// # Errors
    /// The frame ends inside it.
    pub(in crate::vitals) fn sfloat(
        &mut self,
        field: &'static str,
    ) -> Result<Reading, DecodeError> {
        self.u16(field).map(sfloat::sfloat)
    }

    /// Takes a FLOAT.
    ///
    /// # Errors
    /// The frame ends inside it.
    pub(in crate::vitals) fn float(&mut self, field: &'static str) -> Result<Reading, DecodeError> {
        self.u32(field).map(sfloat::float)
    }

    /// Takes an unsigned 16-bit integer that counts steps of `step x 10^exponent`.
    ///
    /// # Errors
    /// The frame ends inside it.
    pub(in crate::vitals) fn scaled(
        &mut self,
        field: &'static str,
        step: i64,
        exponent: i8,
    ) -> Result<Reading, DecodeError> {
        self.u16(field).map(|raw| Reading::of(i64::from(raw) * step, exponent))
    }

    /// Takes a Date Time (0x2A08), seven bytes.
    ///
    /// # Errors
    /// The frame ends inside it.
    pub(in crate::vitals) fn stamp(&mut self, field: &'static str) -> Result<Stamp, DecodeError> {
        self.bytes(field).map(Stamp::of)
    }

    /// Ends a frame whose last, optional part is missing although the flags announce it: what was read before
    /// says nothing less for it. Straps announce intervals and send none while they have counted none.
    pub(in crate::vitals) fn as_far_as_it_goes(
        &mut self,
        optional: Result<(), DecodeError>,
        decoded: &mut Decoded,
    ) -> Result<(), DecodeError> {
        match optional {
            Err(DecodeError::Truncated { .. }) => {
                self.end();
                decoded.note(Note::PartMissing);
                Ok(())
            }
            read => read,
        }
    }

    /// Ends the frame: bytes after the last field are kept out of everything, but not kept quiet.
    pub(in crate::vitals) fn finish(self, decoded: &mut Decoded) {
        if !self.rest.is_empty() {
            decoded.note(Note::TrailingBytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn stamps_are_known_unknown_or_impossible() {
        let stamp = |bytes: [u8; 7]| Cursor::new(&bytes).stamp("time").expect("seven bytes");
        let known = Stamp::Known(date(2024, 6, 15).at(17, 17, 27, 0));
        assert_eq!(stamp([0xE8, 0x07, 6, 15, 17, 17, 27]), known);
        assert_eq!(stamp([0, 0, 6, 15, 17, 17, 27]), Stamp::Unknown);
        assert_eq!(stamp([0xE8, 0x07, 0, 15, 17, 17, 27]), Stamp::Unknown);
        assert_eq!(stamp([0xE8, 0x07, 6, 0, 17, 17, 27]), Stamp::Unknown);
        for impossible in [
            [0xE8, 0x07, 13, 15, 17, 17, 27],
            [0xE8, 0x07, 2, 30, 17, 17, 27],
            [0xE8, 0x07, 6, 15, 24, 17, 27],
            [0xE8, 0x07, 6, 15, 17, 60, 27],
            [0xE8, 0x07, 6, 15, 17, 17, 60],
            [0x2D, 0x06, 6, 15, 17, 17, 27], // 1581
            [0x10, 0x27, 6, 15, 17, 17, 27], // 10000
            [0xE8, 0x07, 6, 15, 0xFF, 17, 27],
        ] {
            assert_eq!(stamp(impossible), Stamp::Impossible, "{impossible:?}");
        }
    }

    #[test]
    fn a_missing_byte_names_its_field() {
        let mut cursor = Cursor::new(&[1, 2, 3]);
        assert_eq!(cursor.u16("first"), Ok(0x0201));
        assert_eq!(cursor.u16("second"), Err(DecodeError::Truncated { field: "second" }));
    }
}
